/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-analysis-scope.h"

#include "weft-catalog.h"
#include "weft-query.h"
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

/* Of tables in which times grow, near enough. */
static gint64
find_last_time (const WeftAnalysisScope *scope, gint64 last)
{
  static const struct
  {
    WeftTableId table;
    WeftColumnNumber time;
  } times[] = {
    { WEFT_TABLE_SAMPLES, WEFT_SAMPLES_TIME },
    { WEFT_TABLE_WAITS, WEFT_WAITS_START },
    { WEFT_TABLE_THREAD_TIMES, WEFT_THREAD_TIMES_TIME },
  };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    for (guint chunk = 0; chunk < weft_store_get_n_chunks (scope->store, times[i].table); chunk++)
      {
        guint64 min;
        guint64 max;

        if (weft_store_get_zone (scope->store, times[i].table, chunk, times[i].time, &min, &max))
          last = MAX (last, (gint64) max);
      }
  return last;
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
  if (duration.is_known)
    return TRUE;
  *end = find_last_time (scope, *end);
  return find_last_end (scope, end, error);
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
weft_scope_scan_dispatches (const WeftAnalysisScope *scope, const WeftColumnNumber *columns,
                            guint n_columns, WeftScanFunc func, gpointer data, GError **error)
{
  for (guint i = 0; i < weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES); i++)
    {
      GError *failure = NULL;

      if (g_cancellable_set_error_if_cancelled (scope->cancellable, error))
        return FALSE;
      if (!weft_store_scan_columns (scope->store, WEFT_TABLE_DISPATCHES, i, columns, n_columns,
                                    func, data, &failure))
        {
          weft_propagate_store_error (error, failure);
          return FALSE;
        }
    }
  return TRUE;
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

/* ---- Filters ---- */

static WeftTable *
query_ids (const WeftAnalysisScope *scope, const char *table, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);

  if (query == NULL || !weft_query_select (query, "id", NULL, error))
    return NULL;
  weft_query_set_filter (query, scope->filter);
  return weft_query_run (query, scope->recording, scope->cancellable, error);
}

/* For a hint: what cannot be counted is not told. */
static WeftTable *
count_dispatches (const WeftAnalysisScope *scope, WeftFilter *filter)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", NULL);

  weft_query_select (query, "count", NULL, NULL);
  weft_query_set_filter (query, filter);
  if (weft_scope_has_range (scope))
    weft_query_set_range (query, scope->begin, scope->end);
  return weft_query_run (query, scope->recording, scope->cancellable, NULL);
}

gboolean
weft_scope_select_dispatches (const WeftAnalysisScope *scope, WeftSelection **selection,
                              GError **error)
{
  g_autoptr (WeftTable) table = NULL;
  const guint64 *ids;

  *selection = NULL;
  if (scope->filter == NULL)
    return TRUE;
  table = query_ids (scope, "dispatches", error);
  if (table == NULL)
    return FALSE;
  *selection = weft_selection_new ();
  ids = g_bytes_get_data (weft_table_get_column_data (table, 0), NULL);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    weft_selection_add (*selection, ids[i]);
  return TRUE;
}

static gboolean
speaks_of_lanes_only (const WeftFilterNode *node)
{
  if (node->kind == WEFT_FILTER_NODE_TERM)
    return node->field == WEFT_FILTER_FIELD_LANE || node->field == WEFT_FILTER_FIELD_KIND ||
           node->field == WEFT_FILTER_FIELD_PROCESS || node->field == WEFT_FILTER_FIELD_RUNTIME;
  for (guint i = 0; i < node->children->len; i++)
    if (!speaks_of_lanes_only (g_ptr_array_index (node->children, i)))
      return FALSE;
  return TRUE;
}

gboolean
weft_scope_filters_lanes_only (const WeftAnalysisScope *scope)
{
  return scope->filter == NULL || speaks_of_lanes_only (weft_filter_get_root (scope->filter));
}

gboolean
weft_scope_select_lanes (const WeftAnalysisScope *scope, GHashTable **lanes, GError **error)
{
  g_autoptr (WeftTable) table = NULL;

  *lanes = NULL;
  if (scope->filter == NULL)
    return TRUE;
  table = query_ids (scope, "lanes", error);
  if (table == NULL)
    return FALSE;
  *lanes = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    g_hash_table_add (*lanes, GUINT_TO_POINTER ((guint) weft_table_get_uint64 (table, 0, i)));
  return TRUE;
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

static gboolean
has_target_lanes (const WeftAnalysisScope *scope)
{
  g_autoptr (WeftCatalog) catalog = weft_catalog_new (scope->store, scope->cancellable, NULL);

  return catalog != NULL && weft_catalog_get_n_lanes (catalog) > 0;
}

static const char *
explain_unfiltered (const WeftAnalysisScope *scope)
{
  if (is_empty (scope))
    return "Nothing was recorded: no program that reports lanes ran while the recorder did. "
           "docs/producer-guide.md tells how a program reports lanes with libweft-target";
  if (!has_target_lanes (scope))
    return "No program reported a lane; docs/producer-guide.md tells how to report one with "
           "libweft-target";
  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_DISPATCHES) == 0)
    return "There are lanes, but nothing was completed on any; “weft target lanes” tells what was "
           "handed "
           "over, refused or lost";
  return NULL;
}

/* Tells what one part of the filter matches alone, within the range. */
static void
explain_part (const WeftAnalysisScope *scope, const WeftFilterNode *part, GString *text)
{
  g_autoptr (WeftFilter) filter = weft_filter_new_from_node (weft_filter_node_copy (part));
  g_autofree char *printed = weft_filter_node_print (part);
  g_autoptr (WeftTable) table = count_dispatches (scope, filter);
  guint64 n = table == NULL ? 0 : weft_table_get_uint64 (table, 0, 0);

  if (table == NULL)
    return;
  if (n == 0)
    g_string_append_printf (text, "; “%s” alone matches nothing", printed);
  else
    g_string_append_printf (text, "; “%s” alone matches %" G_GUINT64_FORMAT, printed, n);
}

static void
explain_filter (const WeftAnalysisScope *scope, GString *text)
{
  const WeftFilterNode *root = weft_filter_get_root (scope->filter);

  g_string_append (text, weft_scope_has_range (scope)
                             ? "No dispatch in this range of time matches the filter"
                             : "No dispatch matches the filter");
  if (root->kind == WEFT_FILTER_NODE_AND)
    for (guint i = 0; i < root->children->len; i++)
      explain_part (scope, g_ptr_array_index (root->children, i), text);
}

char *
weft_scope_explain_nothing (const WeftAnalysisScope *scope)
{
  GString *text = g_string_new (explain_unfiltered (scope));

  if (text->len == 0 && scope->filter != NULL)
    explain_filter (scope, text);
  else if (text->len == 0)
    g_string_append (text, weft_scope_has_range (scope)
                               ? "Nothing ran in this range of time"
                               : "There is nothing of this kind in the recording");
  return g_string_free (text, FALSE);
}

void
weft_scope_set_nothing (const WeftAnalysisScope *scope, WeftTableBuilder *builder)
{
  g_autofree char *text = weft_scope_explain_nothing (scope);

  weft_table_builder_set_hint (builder, text);
}
