/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-derived.h"

#include "weft-analysis-scope.h"
#include "weft-enum-types.h"
#include "weft-formula.h"
#include "weft-value-stats.h"

#include <math.h>
#include <string.h>

/* No sound vocabulary comes near; recordings are files of others. */
#define MAX_METRICS 256

/* ---- What is derived ---- */

typedef struct
{
  WeftTerm *term;
  WeftFormula *formula;
} Derived;

static void
derived_free (gpointer data)
{
  Derived *derived = data;

  g_object_unref (derived->term);
  g_clear_pointer (&derived->formula, weft_formula_free);
  g_free (derived);
}

/* FAULTS, if not NULL, gets those that cannot be computed. */
static GPtrArray *
read_metrics (WeftVocabulary *words, GPtrArray *faults, guint *n_metrics)
{
  GPtrArray *metrics = g_ptr_array_new_with_free_func (derived_free);
  g_autoptr (GListModel) terms = weft_vocabulary_get_derived_metrics (words);

  *n_metrics = 0;
  for (guint i = 0; i < g_list_model_get_n_items (terms) && *n_metrics < MAX_METRICS; i++)
    {
      g_autoptr (WeftTerm) term = g_list_model_get_item (terms, i);
      g_autoptr (GError) error = NULL;
      WeftFormula *formula;
      Derived *derived;

      if (weft_term_get_expression (term) == NULL)
        continue;
      (*n_metrics)++;
      formula = weft_formula_new (weft_term_get_expression (term), &error);
      if (formula != NULL)
        {
          derived = g_new (Derived, 1);
          *derived = (Derived){ g_steal_pointer (&term), formula };
          g_ptr_array_add (metrics, derived);
        }
      else if (faults != NULL)
        g_ptr_array_add (faults, g_strdup_printf ("“%s” of %s: %s", weft_term_get_name (term),
                                                  weft_term_get_domain (term), error->message));
    }
  return metrics;
}

GPtrArray *
weft_derived_list_faults (WeftVocabulary *words, guint *n_metrics)
{
  GPtrArray *faults = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) metrics = read_metrics (words, faults, n_metrics);

  return faults;
}

/* ---- What lanes measured ---- */

typedef struct
{
  guint64 lane;
  guint64 kind;
  const char *name;
  WeftValueStats stats;
  gint64 time;
  double last;
} Metric;

static GHashTable *
read_names (const WeftAnalysisScope *scope, GError **error)
{
  GHashTable *metrics = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_METRICS);

  while (weft_row_cursor_next (rows))
    {
      Metric *metric = g_new0 (Metric, 1);

      metric->lane = weft_row_cursor_get (rows, WEFT_METRICS_LANE);
      metric->kind = weft_row_cursor_get (rows, WEFT_METRICS_KIND);
      metric->name = weft_row_cursor_get_string (rows, WEFT_METRICS_NAME);
      g_hash_table_replace (metrics, GSIZE_TO_POINTER (weft_row_cursor_get_number (rows)), metric);
    }
  if (weft_row_cursor_finish (rows, error))
    return metrics;
  g_hash_table_unref (metrics);
  return NULL;
}

/* id → Metric */
static GHashTable *
read_lane_metrics (const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (GHashTable) metrics = read_names (scope, error);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_METRIC_POINTS);

  while (metrics != NULL && weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_METRIC_POINTS_TIME);
      double value = weft_row_cursor_get_double (rows, WEFT_METRIC_POINTS_VALUE);
      Metric *metric = g_hash_table_lookup (
          metrics, GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_METRIC_POINTS_METRIC)));

      if (metric == NULL || isnan (value) || !weft_scope_overlaps (scope, time, time))
        continue;
      if (metric->stats.count == 0 || time >= metric->time)
        {
          metric->time = time;
          metric->last = value;
        }
      weft_value_stats_add (&metric->stats, value);
    }
  return metrics != NULL && weft_row_cursor_finish (rows, error) ? g_steal_pointer (&metrics)
                                                                 : NULL;
}

static double
get_metric_value (const Metric *metric)
{
  if (metric->kind == WEFT_METRIC_COUNTER)
    return metric->stats.sum;
  return metric->kind == WEFT_METRIC_GAUGE ? metric->last
                                           : weft_value_stats_get_mean (&metric->stats);
}

/* ---- Values of a row ---- */

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCountersBy by;
  WeftTable *table;
  WeftVocabulary *words;
  GPtrArray *metrics; /* element-type Derived */
  GArray *figures;    /* element type WeftCounterFigures */
  WeftCounterNames names;
  GHashTable *lane_metrics; /* id → Metric, or NULL */
  GHashTable *values;       /* id of a row → its values: name → double */
} Answer;

static GHashTable *
get_values (Answer *self, guint64 id)
{
  return g_hash_table_lookup (self->values, GSIZE_TO_POINTER (id));
}

/* What was set before is replaced. */
static void
set_value (GHashTable *values, const char *name, double value)
{
  if (values != NULL && name != NULL)
    g_hash_table_insert (values, (gpointer) name, g_memdup2 (&value, sizeof value));
}

static void
take_metrics (Answer *self)
{
  GHashTableIter iter;
  gpointer value;

  if (self->lane_metrics == NULL)
    return;
  g_hash_table_iter_init (&iter, self->lane_metrics);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Metric *metric = value;

      if (metric->stats.count > 0)
        set_value (get_values (self, metric->lane), metric->name, get_metric_value (metric));
    }
}

/* Of several counters of a name the first one that was defined counts. */
static void
take_counters (Answer *self)
{
  for (guint i = self->figures->len; i-- > 0;)
    {
      const WeftCounterFigures *figures = &g_array_index (self->figures, WeftCounterFigures, i);
      guint64 aggregation =
          weft_row_table_get (self->names.counters, WEFT_COUNTERS_AGGREGATION, figures->counter);

      if (figures->stats.count > 0)
        set_value (get_values (self, figures->group),
                   weft_counter_names_get_name (&self->names, figures->counter),
                   weft_counter_figures_get_value (figures, aggregation));
    }
}

static gboolean
is_quantity (WeftValueType type)
{
  return type == WEFT_VALUE_UINT64 || type == WEFT_VALUE_INT64 || type == WEFT_VALUE_DOUBLE ||
         type == WEFT_VALUE_DURATION;
}

static void
take_columns (Answer *self)
{
  for (guint column = 0; column < weft_table_get_n_columns (self->table); column++)
    for (guint row = 0; row < weft_table_get_n_rows (self->table); row++)
      if (is_quantity (weft_table_get_column_type (self->table, column)) &&
          !weft_table_is_null (self->table, column, row))
        set_value (get_values (self, weft_table_get_uint64 (self->table, 0, row)),
                   weft_table_get_column_name (self->table, column),
                   weft_table_get_double (self->table, column, row));
}

static gboolean
look_up (const char *name, double *value, gpointer data)
{
  const double *found = g_hash_table_lookup (data, name);

  if (found != NULL)
    *value = *found;
  return found != NULL;
}

/* ---- Rows ---- */

enum
{
  OF,
  OF_NAME,
  METRIC,
  LABEL,
  VALUE,
  UNIT,
  POLARITY,
  DOMAIN,
  N_COLUMNS
};

static WeftTableBuilder *
begin_table (WeftCountersBy by)
{
  const WeftAnswerColumn columns[N_COLUMNS] = {
    by == WEFT_COUNTERS_BY_LANE ? (WeftAnswerColumn) WEFT_ANSWER_ID ("lane", "l")
                                : (WeftAnswerColumn) WEFT_ANSWER_ID ("routine", "r"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("metric", STRING),
    WEFT_ANSWER_COLUMN ("label", STRING),
    WEFT_ANSWER_COLUMN ("value", DOUBLE),
    WEFT_ANSWER_COLUMN ("unit", STRING),
    WEFT_ANSWER_ENUM ("polarity", weft_polarity_get_type),
    WEFT_ANSWER_COLUMN ("domain", STRING),
  };

  return weft_answer_begin_table ("derived", columns, N_COLUMNS);
}

static void
add_row (Answer *self, WeftTableBuilder *builder, guint row, WeftTerm *term,
         WeftFormulaResult result, double value)
{
  int name = weft_table_find_column (self->table, "name");

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, OF, weft_table_get_uint64 (self->table, 0, row));
  weft_table_builder_set_string (builder, OF_NAME,
                                 weft_table_get_string (self->table, (guint) name, row));
  weft_table_builder_set_string (builder, METRIC, weft_term_get_name (term));
  weft_table_builder_set_string (builder, LABEL, weft_term_get_label (term));
  if (result == WEFT_FORMULA_VALUE)
    weft_table_builder_set_double (builder, VALUE, value);
  weft_table_builder_set_string (builder, UNIT, weft_term_get_unit (term));
  weft_table_builder_set_uint64 (builder, POLARITY, weft_term_get_polarity (term));
  weft_table_builder_set_string (builder, DOMAIN, weft_term_get_domain (term));
}

static void
derive_row (Answer *self, WeftTableBuilder *builder, guint row, const char *kind)
{
  const char *domain = kind != NULL ? weft_vocabulary_find_domain (self->words, kind) : NULL;
  GHashTable *values = get_values (self, weft_table_get_uint64 (self->table, 0, row));

  for (guint i = 0; domain != NULL && i < self->metrics->len; i++)
    {
      const Derived *derived = self->metrics->pdata[i];
      WeftFormulaResult result;
      double value = 0;

      if (strcmp (weft_term_get_domain (derived->term), domain) != 0)
        continue;
      result = weft_formula_evaluate (derived->formula, look_up, values, &value);
      if (result != WEFT_FORMULA_MISSING)
        add_row (self, builder, row, derived->term, result, value);
    }
}

static void
begin_values (Answer *self)
{
  for (guint row = 0; row < weft_table_get_n_rows (self->table); row++)
    g_hash_table_replace (self->values,
                          GSIZE_TO_POINTER (weft_table_get_uint64 (self->table, 0, row)),
                          g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free));
}

static gboolean
read_values (Answer *self, const WeftSelection *selection, GError **error)
{
  if (!weft_counter_names_init (&self->names, self->scope, error))
    return FALSE;
  self->figures = weft_counter_figures_read (self->scope, selection, self->by, 0, error);
  if (self->figures == NULL)
    return FALSE;
  if (self->by == WEFT_COUNTERS_BY_LANE)
    self->lane_metrics = read_lane_metrics (self->scope, error);
  if (self->by == WEFT_COUNTERS_BY_LANE && self->lane_metrics == NULL)
    return FALSE;
  begin_values (self);
  /* What comes later wins. */
  take_metrics (self);
  take_counters (self);
  take_columns (self);
  return TRUE;
}

gboolean
weft_derived_add_table (const WeftAnalysisScope *scope, const WeftSelection *selection,
                        WeftCountersBy by, WeftTable *table, WeftDerivedKind get_kind,
                        gpointer data, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = begin_table (by);
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (scope->recording);
  guint n_metrics;
  g_autoptr (GPtrArray) metrics = read_metrics (words, NULL, &n_metrics);
  g_autoptr (GHashTable) values =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
  Answer self = { scope, by, table, words, metrics, .values = values };
  gboolean good = metrics->len == 0 || read_values (&self, selection, error);

  for (guint row = 0; good && metrics->len > 0 && row < weft_table_get_n_rows (table); row++)
    derive_row (&self, builder, row, get_kind (weft_table_get_uint64 (table, 0, row), data));
  if (good)
    weft_answer_add_table (report, g_steal_pointer (&builder));
  weft_counter_names_clear (&self.names);
  g_clear_pointer (&self.figures, g_array_unref);
  g_clear_pointer (&self.lane_metrics, g_hash_table_unref);
  return good;
}
