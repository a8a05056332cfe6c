/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Metrics of lanes, and those that vocabularies derive. Recordings of the same program differ in
 * them by what nothing within one tells, so that several are needed to judge them.
 */

#include <math.h>
#include <string.h>

#include "weft-catalog.h"
#include "weft-compare-parts.h"
#include "weft-vocabulary.h"

static void
observe (WeftMeasures *measures, const WeftSubject *subject, WeftTable *table, guint row,
         const char *metric, const char *column, gboolean is_sum)
{
  const WeftObservation seen = { weft_compare_get_number (table, column, row), NAN, 1 };
  const WeftFigure figure = {
    .name = metric,
    .unit = weft_compare_get_text (table, "unit", row),
    .polarity = (WeftPolarity) weft_compare_get_number (table, "polarity", row),
    .scale = WEFT_SCALE_RATIO,
    .least_spread = 0.005,
    .usual_spread = 0.25,
    .weight = 0.25,
    .is_zero_if_absent = is_sum,
  };
  int found = weft_table_find_column (table, column);
  double points = weft_compare_get_number (table, "points", row);

  if (found >= 0 && !weft_table_is_null (table, (guint) found, row))
    weft_measures_observe (measures, subject,
                           weft_measures_take_figure (measures, subject->scope, &figure), &seen,
                           (guint64) points);
}

static void
observe_metric (WeftMeasures *measures, const WeftCatalogLane *lane, WeftTable *table, guint row)
{
  static const struct
  {
    const char *column;
    const char *suffix;
    guint kinds; /* bit I: of metrics of kind I */
  } ways[] = {
    { "total", "", 1 << WEFT_METRIC_COUNTER },
    { "mean", "", 1 << WEFT_METRIC_GAUGE | 1 << WEFT_METRIC_HISTOGRAM },
    { "p50", "/p50", 1 << WEFT_METRIC_HISTOGRAM },
    { "p95", "/p95", 1 << WEFT_METRIC_HISTOGRAM },
    { "p99", "/p99", 1 << WEFT_METRIC_HISTOGRAM },
  };
  const WeftSubject subject = { "metric", lane->kind, lane->name,
                                weft_compare_get_text (table, "tags", row) };
  guint kind = (guint) weft_compare_get_number (table, "kind", row);

  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *name =
          g_strconcat (weft_compare_get_text (table, "name", row), ways[i].suffix, NULL);

      if (kind < 32 && (ways[i].kinds >> kind & 1) != 0)
        observe (measures, &subject, table, row, name, ways[i].column, kind == WEFT_METRIC_COUNTER);
    }
}

gboolean
weft_compare_metrics (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  g_autoptr (WeftCatalog) catalog = NULL;
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_METRIC_POINTS) == 0 || scope->filter != NULL)
    return TRUE;
  catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  report = catalog != NULL ? weft_compare_ask (scope, "metrics", error) : NULL;
  if (report == NULL)
    return FALSE;
  table = weft_report_get_main_table (report);
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const WeftCatalogLane *lane =
          weft_catalog_get_lane (catalog, (guint32) weft_compare_get_number (table, "lane", row));

      /* What the recorder reads of the machine is as much that of others. */
      if (lane != NULL && !weft_catalog_is_core_lane (lane) &&
          weft_compare_get_text (table, "name", row) != NULL)
        observe_metric (measures, lane, table, row);
    }
  return TRUE;
}

static gboolean
observe_derived (const WeftAnalysisScope *scope, WeftMeasures *measures, const char *kind,
                 gboolean is_of_lane, GError **error)
{
  g_autoptr (WeftReport) report = weft_compare_ask (scope, kind, error);
  WeftTable *table;

  if (report == NULL)
    return FALSE;
  table = weft_report_get_table (report, "derived");
  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      const char *name = weft_compare_get_text (table, "name", row);
      const WeftSubject subject = { "derived", NULL, is_of_lane ? name : NULL,
                                    is_of_lane ? NULL : name };

      observe (measures, &subject, table, row, weft_compare_get_text (table, "metric", row),
               "value", FALSE);
    }
  return TRUE;
}

gboolean
weft_compare_derived (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  WeftVocabulary *words = weft_recording_get_vocabulary (scope->recording);
  g_autoptr (GListModel) metrics = weft_vocabulary_get_derived_metrics (words);

  if (g_list_model_get_n_items (metrics) == 0)
    return TRUE;
  return observe_derived (scope, measures, "target-lanes", TRUE, error) &&
         observe_derived (scope, measures, "target-routines", FALSE, error);
}
