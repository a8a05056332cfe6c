/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path-clocks.h"

#include "weft-row-cursor.h"
#include "weft-row-table.h"

typedef struct
{
  gint64 time;
  gint64 error;
} Pair;

struct _WeftPathClocks
{
  WeftRowTable *lanes;
  GHashTable *owns;  /* runtime → its own clock: the first that it had */
  GHashTable *pairs; /* clock → GArray of Pair, by time */
};

static gboolean
read_clocks (WeftPathClocks *self, const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_CLOCKS);

  while (weft_row_cursor_next (rows))
    {
      gpointer runtime = GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_CLOCKS_RUNTIME));

      if (!g_hash_table_contains (self->owns, runtime))
        g_hash_table_insert (self->owns, runtime,
                             GSIZE_TO_POINTER (weft_row_cursor_get_number (rows)));
    }
  return weft_row_cursor_finish (rows, error);
}

static int
compare_pairs (gconstpointer a, gconstpointer b)
{
  const Pair *left = a;
  const Pair *right = b;

  return left->time < right->time ? -1 : left->time > right->time;
}

static gboolean
read_pairs (WeftPathClocks *self, const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_CLOCK_PAIRS);
  GHashTableIter iter;
  gpointer list;

  while (weft_row_cursor_next (rows))
    {
      gpointer clock = GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_CLOCK_PAIRS_CLOCK));
      Pair pair = { weft_row_cursor_get_signed (rows, WEFT_CLOCK_PAIRS_TIME),
                    (gint64) MIN (weft_row_cursor_get (rows, WEFT_CLOCK_PAIRS_ERROR_BOUND),
                                  G_MAXINT64 / 4) };

      list = g_hash_table_lookup (self->pairs, clock);
      if (list == NULL)
        {
          list = g_array_new (FALSE, FALSE, sizeof (Pair));
          g_hash_table_insert (self->pairs, clock, list);
        }
      g_array_append_vals (list, &pair, 1);
    }
  g_hash_table_iter_init (&iter, self->pairs);
  while (g_hash_table_iter_next (&iter, NULL, &list))
    g_array_sort (list, compare_pairs);
  return weft_row_cursor_finish (rows, error);
}

WeftPathClocks *
weft_path_clocks_new (const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_LANES_CLOCK, WEFT_LANES_RUNTIME };
  g_autoptr (WeftPathClocks) self = g_new0 (WeftPathClocks, 1);

  self->owns = g_hash_table_new (NULL, NULL);
  self->pairs = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  self->lanes =
      weft_row_table_new (scope, WEFT_TABLE_LANES, columns, G_N_ELEMENTS (columns), error);
  if (self->lanes == NULL || !read_clocks (self, scope, error) || !read_pairs (self, scope, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weft_path_clocks_free (WeftPathClocks *self)
{
  g_clear_pointer (&self->lanes, weft_row_table_free);
  g_hash_table_unref (self->owns);
  g_hash_table_unref (self->pairs);
  g_free (self);
}

/* What threads' own clock may be wrong by. */
static gint64
get_own_error (const WeftPathClocks *self, gconstpointer own)
{
  const GArray *pairs = g_hash_table_lookup (self->pairs, own);

  return pairs == NULL || pairs->len == 0 ? 0 : g_array_index (pairs, Pair, pairs->len - 1).error;
}

/* Of the pairs around TIME the worse one; G_MAXINT64 where there are none. */
static gint64
find_error (const GArray *pairs, gint64 time)
{
  guint low = 0;
  guint high = pairs != NULL ? pairs->len : 0;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (pairs, Pair, middle).time <= time)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0 || pairs->len < 2)
    return G_MAXINT64;
  if (low == pairs->len && g_array_index (pairs, Pair, low - 1).time < time)
    return G_MAXINT64;
  low = MIN (low, pairs->len - 1);
  return MAX (g_array_index (pairs, Pair, low - 1).error, g_array_index (pairs, Pair, low).error);
}

gint64
weft_path_clocks_get_error (const WeftPathClocks *self, guint32 lane, gint64 start, gint64 end)
{
  guint64 clock = weft_row_table_get (self->lanes, WEFT_LANES_CLOCK, lane);
  guint64 runtime = weft_row_table_get (self->lanes, WEFT_LANES_RUNTIME, lane);
  gpointer own = g_hash_table_lookup (self->owns, GSIZE_TO_POINTER (runtime));
  const GArray *pairs;
  gint64 error;

  if (clock != 0 && GSIZE_TO_POINTER (clock) == own)
    return 0;
  if (clock == 0)
    return get_own_error (self, own);
  pairs = g_hash_table_lookup (self->pairs, GSIZE_TO_POINTER (clock));
  error = MAX (find_error (pairs, start), find_error (pairs, end));
  return error == G_MAXINT64 ? error : error + get_own_error (self, own);
}
