/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-clock-facts.h"

#include "weft-row-cursor.h"
#include "weft-row-table.h"

typedef struct
{
  WeftClockFacts facts;
  guint64 first_ticks;
  gint64 first_time;
  guint64 last_ticks;
  gint64 last_time;
} Clock;

static int
compare_clocks (gconstpointer a, gconstpointer b)
{
  const WeftClockFacts *left = a;
  const WeftClockFacts *right = b;

  return left->id < right->id ? -1 : left->id > right->id;
}

static gboolean
read_clocks (const WeftAnalysisScope *scope, GHashTable *clocks, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_CLOCKS);

  while (weft_row_cursor_next (rows))
    {
      Clock *clock = g_new0 (Clock, 1);

      clock->facts.id = weft_row_cursor_get_number (rows);
      clock->facts.name = weft_row_cursor_get_string (rows, WEFT_CLOCKS_NAME);
      clock->facts.kind = weft_row_cursor_get (rows, WEFT_CLOCKS_KIND);
      clock->facts.runtime = weft_row_cursor_get (rows, WEFT_CLOCKS_RUNTIME);
      clock->facts.frequency = weft_row_cursor_get_double (rows, WEFT_CLOCKS_FREQUENCY);
      g_hash_table_insert (clocks, GSIZE_TO_POINTER (clock->facts.id), clock);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
read_pairs (const WeftAnalysisScope *scope, GHashTable *clocks, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_CLOCK_PAIRS);

  while (weft_row_cursor_next (rows))
    {
      guint64 ticks = weft_row_cursor_get (rows, WEFT_CLOCK_PAIRS_TICKS);
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_CLOCK_PAIRS_TIME);
      Clock *clock = g_hash_table_lookup (
          clocks, GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_CLOCK_PAIRS_CLOCK)));

      if (clock == NULL)
        continue;
      if (clock->facts.pairs++ == 0 || time < clock->first_time)
        {
          clock->first_ticks = ticks;
          clock->first_time = time;
        }
      if (clock->facts.pairs == 1 || time > clock->last_time)
        {
          clock->last_ticks = ticks;
          clock->last_time = time;
        }
      clock->facts.error_bound =
          MAX (clock->facts.error_bound, weft_row_cursor_get (rows, WEFT_CLOCK_PAIRS_ERROR_BOUND));
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
read_marks (const WeftAnalysisScope *scope, GHashTable *clocks, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_LANES_CLOCK };
  g_autoptr (WeftRowTable) lanes = weft_row_table_new (scope, WEFT_TABLE_LANES, numbers, 1, error);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);

  if (lanes == NULL)
    return FALSE;
  while (weft_row_cursor_next (rows))
    {
      guint64 lane = weft_row_cursor_get (rows, WEFT_DISPATCHES_LANE);
      Clock *clock;

      if (!(weft_row_cursor_get (rows, WEFT_DISPATCHES_MARKS) & 1))
        continue;
      clock = g_hash_table_lookup (
          clocks, GSIZE_TO_POINTER (weft_row_table_get (lanes, WEFT_LANES_CLOCK, lane)));
      if (clock != NULL)
        clock->facts.extrapolated++;
    }
  return weft_row_cursor_finish (rows, error);
}

GArray *
weft_clock_facts_read (const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (GHashTable) clocks = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  GArray *sorted;
  GHashTableIter iter;
  gpointer value;

  if (!read_clocks (scope, clocks, error) || !read_pairs (scope, clocks, error) ||
      !read_marks (scope, clocks, error))
    return NULL;
  sorted = g_array_new (FALSE, FALSE, sizeof (WeftClockFacts));
  g_hash_table_iter_init (&iter, clocks);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Clock *clock = value;
      guint64 time = (guint64) clock->last_time - (guint64) clock->first_time;

      clock->facts.has_measured = clock->facts.pairs > 1 && time > 0;
      if (clock->facts.has_measured)
        clock->facts.measured =
            (double) (clock->last_ticks - clock->first_ticks) * 1e9 / (double) time;
      g_array_append_val (sorted, clock->facts);
    }
  g_array_sort (sorted, compare_clocks);
  return sorted;
}

gboolean
weft_clock_facts_get_drift (const WeftClockFacts *clock, double *drift)
{
  if (!clock->has_measured || !(clock->frequency > 0))
    return FALSE;
  *drift = (clock->measured / clock->frequency - 1) * 1e6;
  return TRUE;
}
