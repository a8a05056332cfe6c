/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-show-system.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-row-scan.h"

typedef struct
{
  const WeftCatalogLane *lane;
  const char *name;
  WeftMetricKind kind;
  WeftUnit unit;
  guint64 n;
  gint64 first;
  gint64 since; /* of the last value */
  double last;
  double min;
  double max;
  double sum;      /* of a counter */
  double weighted; /* of a gauge: value times nanoseconds that it held */
} Metric;

typedef struct
{
  WeftCatalog *catalog;
  WeftStore *store;
  GHashTable *metrics; /* id → Metric */
  GPtrArray *order;    /* Metric */
} System;

static void
take_metric (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  System *self = data;
  const WeftCatalogLane *lane = weft_catalog_get_lane (self->catalog, (guint32) values[0]);
  Metric *metric;

  if (lane == NULL || !weft_catalog_is_core_lane (lane))
    return;
  metric = g_new0 (Metric, 1);
  metric->lane = lane;
  metric->name = weft_store_get_string (self->store, (guint32) values[1]);
  metric->kind = (WeftMetricKind) values[2];
  metric->unit = (WeftUnit) values[3];
  g_hash_table_insert (self->metrics, GSIZE_TO_POINTER (number), metric);
  g_ptr_array_add (self->order, metric);
}

/* A gauge holds until the next value. */
static void
take_point (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  System *self = data;
  Metric *metric = g_hash_table_lookup (self->metrics, GSIZE_TO_POINTER (values[0]));
  gint64 time = (gint64) values[1];
  double value = weft_double_from_bits (values[2]);

  if (metric == NULL)
    return;
  if (metric->n == 0)
    {
      metric->first = time;
      metric->min = metric->max = value;
    }
  else
    metric->weighted += metric->last * (double) MAX (time - metric->since, 0);
  metric->n++;
  metric->since = time;
  metric->last = value;
  metric->sum += value;
  metric->min = MIN (metric->min, value);
  metric->max = MAX (metric->max, value);
}

static int
compare_metrics (gconstpointer a, gconstpointer b)
{
  const Metric *left = *(Metric *const *) a;
  const Metric *right = *(Metric *const *) b;
  gboolean left_is_process = strcmp (left->lane->kind, "system.process") == 0;
  gboolean right_is_process = strcmp (right->lane->kind, "system.process") == 0;

  if (left_is_process != right_is_process)
    return left_is_process ? 1 : -1;
  if (left->lane != right->lane)
    return left->lane->id < right->lane->id ? -1 : 1;
  return g_strcmp0 (left->name, right->name);
}

static void
add_row (WeftTableBuilder *builder, const Metric *metric)
{
  g_autoptr (GEnumClass) units = g_type_class_ref (WEFT_TYPE_UNIT);
  const GEnumValue *unit = g_enum_get_value (units, (int) metric->unit);
  gboolean is_gauge = metric->kind == WEFT_METRIC_GAUGE;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, metric->lane->id);
  weft_table_builder_set_string (builder, 1, metric->lane->name);
  weft_table_builder_set_string (builder, 2, metric->name);
  weft_table_builder_set_string (builder, 3, unit ? unit->value_nick : NULL);
  if (!is_gauge)
    {
      weft_table_builder_set_double (builder, 8, metric->sum);
      return;
    }
  weft_table_builder_set_double (builder, 4,
                                 metric->since > metric->first
                                     ? metric->weighted / (double) (metric->since - metric->first)
                                     : metric->last);
  weft_table_builder_set_double (builder, 5, metric->min);
  weft_table_builder_set_double (builder, 6, metric->max);
  weft_table_builder_set_double (builder, 7, metric->last);
}

static void
add_table (System *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_ANSWER_ID ("lane", "l"),          WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("metric", STRING), WEFT_ANSWER_COLUMN ("unit", STRING),
    WEFT_ANSWER_COLUMN ("mean", DOUBLE),   WEFT_ANSWER_COLUMN ("min", DOUBLE),
    WEFT_ANSWER_COLUMN ("max", DOUBLE),    WEFT_ANSWER_COLUMN ("last", DOUBLE),
    WEFT_ANSWER_COLUMN ("total", DOUBLE),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("usage", columns, G_N_ELEMENTS (columns));

  g_ptr_array_sort (self->order, compare_metrics);
  for (guint i = 0; i < self->order->len; i++)
    {
      const Metric *metric = g_ptr_array_index (self->order, i);

      if (metric->n > 0)
        add_row (builder, metric);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
}

gboolean
weft_show_add_system (const WeftAnalysisScope *scope, WeftCatalog *catalog, WeftReport *report,
                      GError **error)
{
  static const WeftColumnNumber metrics[] = { WEFT_METRICS_LANE, WEFT_METRICS_NAME,
                                              WEFT_METRICS_KIND, WEFT_METRICS_UNIT };
  static const WeftColumnNumber points[] = { WEFT_METRIC_POINTS_METRIC, WEFT_METRIC_POINTS_TIME,
                                             WEFT_METRIC_POINTS_VALUE };
  g_autoptr (GHashTable) known = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  System self = { catalog, scope->store, known, order };

  if (!weft_scan_rows (scope->store, WEFT_TABLE_METRICS, metrics, G_N_ELEMENTS (metrics),
                       take_metric, &self, scope->cancellable, error) ||
      (order->len > 0 &&
       !weft_scan_rows (scope->store, WEFT_TABLE_METRIC_POINTS, points, G_N_ELEMENTS (points),
                        take_point, &self, scope->cancellable, error)))
    return FALSE;
  add_table (&self, report);
  return TRUE;
}
