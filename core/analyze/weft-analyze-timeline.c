/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How busy each lane was over time, and what threads did beside them. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-lane-buckets.h"
#include "weft-lane-figures.h"
#include "weft-thread-buckets.h"

/* Lanes times buckets of one answer. */
#define MAX_CELLS (1u << 24)
/* Levels of detail share a cell out to the buckets that it lies in, as if it were evenly busy. So
 * that an answer in few buckets is no worse than one in many, at least this many are asked for.
 */
#define MIN_PARTS 1024
/* As many rows in the chunks of the range are looked at one by one, which gives exact figures and
 * tracks. With more of them no view draws one by one, and levels of detail answer.
 */
#define MAX_EXACT_ROWS (1u << 18)

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftAnalysisScope range; /* as SCOPE, with the range that is shown */
  WeftCatalog *catalog;
  WeftSelection *selection; /* or NULL: all */
  WeftLaneTable *figures;   /* with tracks, where they are counted */
  GArray *lanes;            /* ids (guint32) of those shown */
  WeftTimelineBucket *buckets;
} Timeline;

static void
timeline_clear (Timeline *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->selection, weft_selection_free);
  g_clear_pointer (&self->figures, weft_lane_table_free);
  g_clear_pointer (&self->lanes, g_array_unref);
  g_free (self->buckets);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Timeline, timeline_clear)

static gint64
get_edge (const Timeline *self, guint i)
{
  return weft_bucket_edge (self->range.begin, self->range.end, self->scope->n_buckets, i);
}

static gboolean
is_exact (const Timeline *self)
{
  guint64 n_rows = 0;

  if (self->selection != NULL)
    return TRUE;
  for (guint i = 0; i < weft_store_get_n_chunks (self->scope->store, WEFT_TABLE_DISPATCHES); i++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (self->scope->store, WEFT_TABLE_DISPATCHES, i, &info);
      if (!weft_scope_skips_chunk (&self->range, i))
        n_rows += info.n_rows;
    }
  return n_rows <= MAX_EXACT_ROWS;
}

static gboolean
fill_exactly (Timeline *self, GError **error)
{
  if (!weft_fill_lane_buckets (&self->range, self->selection,
                               (const guint32 *) (gconstpointer) self->lanes->data,
                               self->lanes->len, self->scope->n_buckets, self->buckets, error))
    return FALSE;
  if (self->figures == NULL)
    self->figures = weft_lane_table_new (&self->range, self->selection, error);
  return self->figures != NULL;
}

/* The busiest part names the routine. */
static void
merge_parts (WeftTimelineBucket *bucket, const WeftTimelineBucket *parts, guint n_parts)
{
  guint64 busiest = 0;

  for (guint i = 0; i < n_parts; i++)
    {
      bucket->busy += parts[i].busy;
      bucket->count += parts[i].count;
      bucket->errors += parts[i].errors;
      bucket->longest = MAX (bucket->longest, parts[i].longest);
      if (parts[i].busy > busiest)
        {
          busiest = parts[i].busy;
          bucket->routine = parts[i].routine;
        }
    }
}

static gboolean
fill_roughly (Timeline *self, GError **error)
{
  guint n_buckets = self->scope->n_buckets;
  guint64 n_cells = (guint64) self->lanes->len * n_buckets;
  guint n_parts =
      MAX (1, MIN ((MIN_PARTS + n_buckets - 1) / n_buckets, (guint) (MAX_CELLS / n_cells)));
  g_autofree WeftTimelineBucket *parts = g_new0 (WeftTimelineBucket, n_cells * n_parts);
  GError *failure = NULL;

  if (!weft_store_timeline (self->scope->store, (const guint32 *) (gconstpointer) self->lanes->data,
                            self->lanes->len, self->range.begin, self->range.end,
                            n_buckets * n_parts, parts, &failure))
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  for (gsize i = 0; i < n_cells; i++)
    merge_parts (&self->buckets[i], &parts[i * n_parts], n_parts);
  return TRUE;
}

static gboolean
fill (Timeline *self, GError **error)
{
  guint64 n_cells = (guint64) self->lanes->len * self->scope->n_buckets;

  if (n_cells > MAX_CELLS)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                   "%u lanes in %u buckets are too much for one answer; ask for fewer buckets, or "
                   "for some of the lanes",
                   self->lanes->len, self->scope->n_buckets);
      return FALSE;
    }
  self->buckets = g_new0 (WeftTimelineBucket, n_cells);
  if (self->range.begin == self->range.end || self->lanes->len == 0)
    return TRUE;
  if (is_exact (self))
    return fill_exactly (self, error);
  return fill_roughly (self, error);
}

/* ---- Tables ---- */

static const WeftTableColumn lane_columns[] = {
  { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  { "name", NULL, WEFT_VALUE_STRING },
  { "kind", NULL, WEFT_VALUE_STRING },
  { "begin", NULL, WEFT_VALUE_TIME },
  { "end", NULL, WEFT_VALUE_TIME },
  { "busy", NULL, WEFT_VALUE_DURATION },
  { "count", NULL, WEFT_VALUE_UINT64 },
  { "errors", NULL, WEFT_VALUE_UINT64 },
  { "longest", NULL, WEFT_VALUE_DURATION },
  { "utilisation", NULL, WEFT_VALUE_DOUBLE, "percent" },
  { "peak", NULL, WEFT_VALUE_DOUBLE, "percent" },
  { "tracks", NULL, WEFT_VALUE_UINT64 },
};

static void
write_lane (Timeline *self, WeftTableBuilder *builder, guint place)
{
  guint32 id = g_array_index (self->lanes, guint32, place);
  const WeftCatalogLane *lane = weft_catalog_get_lane (self->catalog, id);
  const WeftTimelineBucket *buckets = self->buckets + (gsize) place * self->scope->n_buckets;
  guint64 span = (guint64) self->range.end - (guint64) self->range.begin;
  WeftTimelineBucket all = { 0 };
  guint64 count = 0;
  guint64 errors = 0;
  double peak = 0;

  for (guint i = 0; i < self->scope->n_buckets; i++)
    {
      guint64 width = (guint64) get_edge (self, i + 1) - (guint64) get_edge (self, i);

      all.busy += buckets[i].busy;
      all.longest = MAX (all.longest, buckets[i].longest);
      count += buckets[i].count;
      errors += buckets[i].errors;
      if (width > 0)
        peak = MAX (peak, 100.0 * (double) buckets[i].busy / (double) width);
    }
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, id);
  weft_table_builder_set_string (builder, 1, lane->name);
  weft_table_builder_set_string (builder, 2, lane->kind);
  weft_table_builder_set_int64 (builder, 3, self->range.begin);
  weft_table_builder_set_int64 (builder, 4, self->range.end);
  weft_table_builder_set_uint64 (builder, 5, all.busy);
  weft_table_builder_set_uint64 (builder, 6, count);
  weft_table_builder_set_uint64 (builder, 7, errors);
  weft_table_builder_set_uint64 (builder, 8, all.longest);
  if (span > 0)
    weft_table_builder_set_double (builder, 9, 100.0 * (double) all.busy / (double) span);
  weft_table_builder_set_double (builder, 10, peak);
  if (self->figures != NULL)
    {
      const WeftLaneFigures *figures = weft_lane_table_get (self->figures, id);

      weft_table_builder_set_uint64 (builder, 11, figures == NULL ? 0 : figures->tracks);
    }
}

static WeftTable *
make_lanes (Timeline *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("timeline");

  weft_table_builder_add_columns (builder, lane_columns, G_N_ELEMENTS (lane_columns));
  for (guint i = 0; i < self->lanes->len; i++)
    write_lane (self, builder, i);
  if (self->lanes->len == 0)
    weft_scope_set_nothing (self->scope, builder);
  return weft_table_builder_finish (builder);
}

/* Those in which nothing runs or begins are left out. */
static WeftTable *
make_buckets (Timeline *self)
{
  static const WeftTableColumn columns[] = {
    { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },  { "bucket", NULL, WEFT_VALUE_UINT64 },
    { "begin", NULL, WEFT_VALUE_TIME },          { "busy", NULL, WEFT_VALUE_DURATION },
    { "count", NULL, WEFT_VALUE_UINT64 },        { "errors", NULL, WEFT_VALUE_UINT64 },
    { "longest", NULL, WEFT_VALUE_DURATION },    { "routine", NULL, WEFT_VALUE_ID, NULL, "r" },
    { "routine_name", NULL, WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("buckets");

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (gsize i = 0; i < (gsize) self->lanes->len * self->scope->n_buckets; i++)
    {
      const WeftTimelineBucket *bucket = &self->buckets[i];
      guint number = (guint) (i % self->scope->n_buckets);

      if (bucket->busy == 0 && bucket->count == 0)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (
          builder, 0, g_array_index (self->lanes, guint32, i / self->scope->n_buckets));
      weft_table_builder_set_uint64 (builder, 1, number);
      weft_table_builder_set_int64 (builder, 2, get_edge (self, number));
      weft_table_builder_set_uint64 (builder, 3, bucket->busy);
      weft_table_builder_set_uint64 (builder, 4, bucket->count);
      weft_table_builder_set_uint64 (builder, 5, bucket->errors);
      weft_table_builder_set_uint64 (builder, 6, bucket->longest);
      weft_table_builder_set_uint64 (builder, 7, bucket->routine);
      weft_table_builder_set_string (
          builder, 8, weft_catalog_get_routine_name (self->catalog, bucket->routine));
    }
  return weft_table_builder_finish (builder);
}

/* As for target-lanes: a filter about lanes chooses lanes, one about dispatches leaves those lanes
 * of which it leaves any.
 */
static gboolean
choose_lanes (Timeline *self, GError **error)
{
  g_autoptr (GHashTable) wanted = NULL;

  if (weft_scope_filters_lanes_only (self->scope))
    {
      if (!weft_scope_select_lanes (self->scope, &wanted, error))
        return FALSE;
    }
  else
    {
      if (!weft_scope_select_dispatches (self->scope, &self->selection, error))
        return FALSE;
      self->figures = weft_lane_table_new (&self->range, self->selection, error);
      if (self->figures == NULL)
        return FALSE;
    }
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    {
      guint32 lane = weft_catalog_get_nth_lane (self->catalog, i)->id;

      if (wanted != NULL ? g_hash_table_contains (wanted, GUINT_TO_POINTER (lane))
                         : self->figures == NULL || weft_lane_table_get (self->figures, lane))
        g_array_append_val (self->lanes, lane);
    }
  return TRUE;
}

/* Recordings without CPU events have no such tables. */
static gboolean
append_threads (Timeline *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftThreadBuckets) buckets = NULL;
  g_autoptr (WeftTable) threads = NULL;
  g_autoptr (WeftTable) parts = NULL;

  if (!weft_thread_buckets_new (&self->range, self->catalog, &buckets, error))
    return FALSE;
  if (buckets == NULL)
    return TRUE;
  threads = weft_thread_buckets_make_threads (buckets);
  parts = weft_thread_buckets_make_buckets (buckets);
  weft_report_append (report, threads);
  weft_report_append (report, parts);
  return TRUE;
}

static gboolean
run_timeline (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Timeline) self = { .scope = scope, .range = *scope };
  g_autoptr (WeftTable) lanes = NULL;
  g_autoptr (WeftTable) buckets = NULL;

  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  self.lanes = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (self.catalog == NULL ||
      !weft_scope_find_range (scope, &self.range.begin, &self.range.end, error))
    return FALSE;
  if (!choose_lanes (&self, error) || !fill (&self, error))
    return FALSE;
  lanes = make_lanes (&self);
  buckets = make_buckets (&self);
  weft_report_append (report, lanes);
  weft_report_append (report, buckets);
  return append_threads (&self, report, error);
}

const WeftAnalysisKind weft_analyze_timeline = {
  .name = "timeline",
  .summary = "How busy each lane was over time, and what threads did beside them",
  .run = run_timeline,
  .options =
      WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_BUCKETS,
};
