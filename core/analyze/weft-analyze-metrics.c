/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counters, gauges and histograms of lanes. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-ranking.h"
#include "weft-tag-text.h"
#include "weft-value-stats.h"
#include "weft-vocabulary.h"

#include <math.h>

enum
{
  HANDLE,
  NAME,
  TAGS,
  LANE,
  LANE_NAME,
  KIND,
  UNIT,
  POINTS,
  FIRST,
  LAST_TIME,
  LAST,
  MIN_VALUE,
  MAX_VALUE,
  MEAN,
  TOTAL,
  RATE,
  P50,
  P95,
  P99,
  LABEL,
  POLARITY,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("metric", "m"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("tags", STRING),
  WEFT_ANSWER_ID ("lane", "l"),
  WEFT_ANSWER_COLUMN ("lane_name", STRING),
  WEFT_ANSWER_ENUM ("kind", weft_metric_kind_get_type),
  WEFT_ANSWER_COLUMN ("unit", STRING),
  WEFT_ANSWER_UNIT ("points", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("first", TIME),
  WEFT_ANSWER_COLUMN ("last_time", TIME),
  WEFT_ANSWER_COLUMN ("last", DOUBLE),
  WEFT_ANSWER_COLUMN ("min", DOUBLE),
  WEFT_ANSWER_COLUMN ("max", DOUBLE),
  WEFT_ANSWER_COLUMN ("mean", DOUBLE),
  WEFT_ANSWER_COLUMN ("total", DOUBLE),
  WEFT_ANSWER_UNIT ("rate", DOUBLE, "1/s"),
  WEFT_ANSWER_COLUMN ("p50", DOUBLE),
  WEFT_ANSWER_COLUMN ("p95", DOUBLE),
  WEFT_ANSWER_COLUMN ("p99", DOUBLE),
  WEFT_ANSWER_COLUMN ("label", STRING),
  WEFT_ANSWER_ENUM ("polarity", weft_polarity_get_type),
};

typedef struct
{
  WeftValueStats stats;
  gint64 first;
  gint64 last_time;
  double last;
  GArray *values; /* of a histogram: element type double */
} Metric;

typedef struct
{
  const WeftAnalysisScope *scope;
  GHashTable *metrics; /* id → Metric */
  GHashTable *tags;
  WeftCatalog *catalog;
  WeftVocabulary *words;
  double seconds; /* that rates are of */
} Metrics;

static void
metric_free (gpointer data)
{
  Metric *metric = data;

  g_clear_pointer (&metric->values, g_array_unref);
  g_free (metric);
}

static gboolean
rank_metrics (Metrics *self, WeftRanking *ranking, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_METRICS);

  while (weft_row_cursor_next (rows))
    {
      guint64 id = weft_row_cursor_get_number (rows);
      Metric *metric = g_new0 (Metric, 1);

      if (weft_row_cursor_get (rows, WEFT_METRICS_KIND) == WEFT_METRIC_HISTOGRAM)
        metric->values = g_array_new (FALSE, FALSE, sizeof (double));
      g_hash_table_replace (self->metrics, GSIZE_TO_POINTER (id), metric);
      weft_ranking_add (ranking, 0, id, metric);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
read_points (Metrics *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_METRIC_POINTS);

  while (weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_METRIC_POINTS_TIME);
      double value = weft_row_cursor_get_double (rows, WEFT_METRIC_POINTS_VALUE);
      Metric *metric = g_hash_table_lookup (
          self->metrics, GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_METRIC_POINTS_METRIC)));

      if (metric == NULL || isnan (value) || !weft_scope_overlaps (self->scope, time, time))
        continue;
      metric->first = metric->stats.count == 0 ? time : MIN (metric->first, time);
      if (metric->stats.count == 0 || time >= metric->last_time)
        {
          metric->last_time = time;
          metric->last = value;
        }
      weft_value_stats_add (&metric->stats, value);
      if (metric->values != NULL)
        g_array_append_val (metric->values, value);
    }
  return weft_row_cursor_finish (rows, error);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  const double left = *(const double *) a;
  const double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
set_percentiles (WeftTableBuilder *builder, GArray *values)
{
  static const guint percents[] = { 50, 95, 99 };

  if (values == NULL || values->len == 0)
    return;
  g_array_sort (values, compare_doubles);
  for (guint i = 0; i < G_N_ELEMENTS (percents); i++)
    weft_table_builder_set_double (
        builder, P50 + i,
        g_array_index (values, double, (guint) weft_nearest_rank (percents[i], values->len) - 1));
}

static void
set_figures (Metrics *self, WeftTableBuilder *builder, const Metric *metric, guint64 kind)
{
  weft_table_builder_set_uint64 (builder, POINTS, metric->stats.count);
  if (metric->stats.count == 0)
    return;
  weft_table_builder_set_int64 (builder, FIRST, metric->first);
  weft_table_builder_set_int64 (builder, LAST_TIME, metric->last_time);
  weft_table_builder_set_double (builder, LAST, metric->last);
  weft_table_builder_set_double (builder, MIN_VALUE, metric->stats.min);
  weft_table_builder_set_double (builder, MAX_VALUE, metric->stats.max);
  weft_table_builder_set_double (builder, MEAN, weft_value_stats_get_mean (&metric->stats));
  set_percentiles (builder, metric->values);
  /* The sum of a gauge's values means nothing. */
  if (kind == WEFT_METRIC_GAUGE)
    return;
  weft_table_builder_set_double (builder, TOTAL, metric->stats.sum);
  if (kind == WEFT_METRIC_COUNTER && self->seconds > 0)
    weft_table_builder_set_double (builder, RATE, metric->stats.sum / self->seconds);
}

/* Its own unit, else that which the domain gives. */
static void
set_words (Metrics *self, WeftTableBuilder *builder, WeftRowCursor *row, const char *kind)
{
  const char *unit =
      weft_answer_get_unit (weft_row_cursor_get (row, WEFT_METRICS_UNIT),
                            weft_row_cursor_get_string (row, WEFT_METRICS_UNIT_NAME));
  const char *name = weft_row_cursor_get_string (row, WEFT_METRICS_NAME);
  g_autoptr (WeftTerm) term = weft_vocabulary_get_metric (self->words, kind, name ? name : "");

  weft_table_builder_set_string (builder, UNIT, unit ? unit : weft_term_get_unit (term));
  weft_table_builder_set_string (builder, LABEL, weft_term_get_label (term));
  weft_table_builder_set_uint64 (builder, POLARITY, weft_term_get_polarity (term));
}

static void
add_row (Metrics *self, WeftTableBuilder *builder, WeftRowCursor *row, const Metric *metric)
{
  guint64 lane = weft_row_cursor_get (row, WEFT_METRICS_LANE);
  guint64 id = weft_row_cursor_get_number (row);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, id);
  weft_answer_copy (builder, NAME, row, WEFT_METRICS_NAME);
  weft_table_builder_set_string (builder, TAGS,
                                 g_hash_table_lookup (self->tags, GSIZE_TO_POINTER (id)));
  weft_table_builder_set_uint64 (builder, LANE, lane);
  weft_table_builder_set_string (builder, LANE_NAME,
                                 weft_catalog_get_lane_name (self->catalog, (guint32) lane));
  weft_answer_copy (builder, KIND, row, WEFT_METRICS_KIND);
  set_words (self, builder, row, weft_catalog_get_lane_kind (self->catalog, (guint32) lane));
  set_figures (self, builder, metric, weft_row_cursor_get (row, WEFT_METRICS_KIND));
}

static gboolean
answer (Metrics *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("metrics", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_METRICS);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "metrics", TRUE, error);
  guint n_rows;

  if (ranking == NULL || !rank_metrics (self, ranking, error) || !read_points (self, error))
    return FALSE;
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    if (weft_row_cursor_seek (rows, weft_ranking_get (ranking, i)->id))
      add_row (self, builder, rows, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder, "No metric was reported: a program makes one with weft_target_metric_new () "
                 "(docs/producer-guide.md)");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  Metrics self = { .scope = scope };
  gint64 begin, end;
  gboolean good;

  if (!weft_scope_find_range (scope, &begin, &end, error))
    return FALSE;
  self.seconds = (double) ((guint64) end - (guint64) begin) / 1e9;
  self.words = weft_recording_get_vocabulary (scope->recording);
  self.metrics = g_hash_table_new_full (NULL, NULL, NULL, metric_free);
  good = (self.tags = weft_tag_texts_read (scope, WEFT_TABLE_METRICS, error)) != NULL &&
         (self.catalog = weft_catalog_new (scope->store, scope->cancellable, error)) != NULL &&
         answer (&self, report, error);
  g_hash_table_unref (self.metrics);
  g_object_unref (self.words);
  g_clear_pointer (&self.tags, g_hash_table_unref);
  g_clear_pointer (&self.catalog, weft_catalog_free);
  return good;
}

const WeftAnalysisKind weft_analyze_metrics = {
  .name = "metrics",
  .summary = "Counters, gauges and histograms of lanes",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR,
  .default_limit = 100,
};
