/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-analysis-scope.h"

#include <string.h>

#include "weft-row-scan.h"

/* ---- Time ---- */

typedef struct
{
  WeftStore *store;
  gboolean is_known;
  gint64 duration;
} Duration;

static void
take_meta (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Duration *self = data;
  const char *key = weft_store_get_string (self->store, (guint32) values[0]);

  if (g_strcmp0 (key, "duration") == 0 && (present & 2))
    {
      self->is_known = TRUE;
      self->duration = (gint64) values[1];
    }
}

typedef struct
{
  gint64 last;
} LastEnd;

static void
take_ends (const WeftStoreColumn *columns, gpointer data)
{
  LastEnd *self = data;

  for (guint i = 0; i < columns[0].n_rows; i++)
    self->last = MAX (self->last, weft_time_after ((gint64) weft_store_column_get (&columns[0], i),
                                                   weft_store_column_get (&columns[1], i)));
}

/* Chunks whose zones allow no later end are left alone; the last ones come first. */
static gboolean
find_last_end (const WeftAnalysisScope *scope, gint64 *last, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION };
  LastEnd ends = { *last };

  for (guint chunk = weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES); chunk-- > 0;)
    {
      guint64 min;
      guint64 start = 0;
      guint64 duration = 0;
      GError *failure = NULL;

      if (g_cancellable_set_error_if_cancelled (scope->cancellable, error))
        return FALSE;
      weft_store_get_zone (scope->store, WEFT_TABLE_DISPATCHES, chunk, numbers[0], &min, &start);
      weft_store_get_zone (scope->store, WEFT_TABLE_DISPATCHES, chunk, numbers[1], &min, &duration);
      if (weft_time_after ((gint64) start, duration) <= ends.last)
        continue;
      if (!weft_store_scan_columns (scope->store, WEFT_TABLE_DISPATCHES, chunk, numbers, 2,
                                    take_ends, &ends, &failure))
        {
          weft_propagate_store_error (error, failure);
          return FALSE;
        }
    }
  *last = ends.last;
  return TRUE;
}

static gint64
find_first_start (const WeftAnalysisScope *scope)
{
  gint64 first = 0;

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES);
       chunk++)
    {
      guint64 min;
      guint64 max;

      if (weft_store_get_zone (scope->store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_START,
                               &min, &max))
        first = MIN (first, (gint64) min);
    }
  return first;
}

gboolean
weft_scope_find_span (const WeftAnalysisScope *scope, gint64 *begin, gint64 *end, GError **error)
{
  static const WeftColumnNumber meta[] = { WEFT_META_KEY, WEFT_META_NUMBER };
  Duration duration = { scope->store, FALSE, 0 };

  if (!weft_scan_rows (scope->store, WEFT_TABLE_META, meta, 2, take_meta, &duration,
                       scope->cancellable, error))
    return FALSE;
  *begin = find_first_start (scope);
  *end = MAX (*begin, duration.duration);
  return duration.is_known || find_last_end (scope, end, error);
}

static void
set_out_of_range (GError **error, const char *what, gint64 begin, gint64 end)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
               "%s lies outside the recording, which goes from %.9f s to %.9f s", what,
               (double) begin / 1e9, (double) end / 1e9);
}

gboolean
weft_scope_find_range (const WeftAnalysisScope *scope, gint64 *begin, gint64 *end, GError **error)
{
  gint64 first, last;

  if (!weft_scope_find_span (scope, &first, &last, error))
    return FALSE;
  *begin = MAX (first, scope->begin);
  *end = MIN (last, scope->end);
  if (weft_scope_has_range (scope) && (scope->begin > last || scope->end < first))
    {
      set_out_of_range (error, "The range", first, last);
      return FALSE;
    }
  *end = MAX (*begin, *end);
  return TRUE;
}

gboolean
weft_scope_find_time (const WeftAnalysisScope *scope, gint64 *at, GError **error)
{
  gint64 first, last;

  if (!weft_scope_find_span (scope, &first, &last, error))
    return FALSE;
  *at = scope->has_at ? scope->at : last;
  if (*at >= first && *at <= last)
    return TRUE;
  set_out_of_range (error, "The time", first, last);
  return FALSE;
}

gboolean
weft_scope_skips_chunk (const WeftAnalysisScope *scope, guint chunk)
{
  guint64 first = 0;
  guint64 last = 0;
  guint64 shortest = 0;
  guint64 longest = 0;

  /* What has no zone is nought. */
  weft_store_get_zone (scope->store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_START, &first,
                       &last);
  weft_store_get_zone (scope->store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_DURATION,
                       &shortest, &longest);
  return (gint64) first >= scope->end || weft_time_after ((gint64) last, longest) < scope->begin;
}

/* ---- Empty answers ---- */

static gboolean
is_empty (const WeftAnalysisScope *scope)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    if (table != WEFT_TABLE_META && table != WEFT_TABLE_OWN_COST &&
        weft_store_get_n_rows (scope->store, table) > 0)
      return FALSE;
  return TRUE;
}

char *
weft_scope_explain_nothing (const WeftAnalysisScope *scope)
{
  if (is_empty (scope))
    return g_strdup ("Nothing was recorded: no program that reports lanes ran while the recorder "
                     "did. docs/producer-guide.md tells how a program reports lanes with "
                     "libweft-target");
  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_LANES) == 0)
    return g_strdup ("No program reported a lane; docs/producer-guide.md tells how to report one "
                     "with libweft-target");
  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_DISPATCHES) == 0)
    return g_strdup ("There are lanes, but nothing was completed on any; “target-lanes” tells what "
                     "was handed over, refused or lost");
  if (weft_scope_has_range (scope))
    return g_strdup ("Nothing ran in this range of time");
  return g_strdup ("There is nothing of this kind in the recording");
}
