/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-derived.h"

#include "weft-analysis-scope.h"
#include "weft-enum-types.h"
#include "weft-formula.h"
#include "weft-store.h"
#include "weft-value-stats.h"

#include <math.h>
#include <string.h>

/* No sound vocabulary comes near; recordings are files of others. */
#define MAX_METRICS 256

/* Begins the name of a figure of a row's parts. */
#define PARTS "parts."

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
  gint64 time;
  double value;
} Point;

typedef struct
{
  guint64 lane;
  guint64 kind;
  const char *name;
  WeftValueStats stats;
  gint64 time;
  double last;
  gboolean is_held; /* a gauge that was set before the range: */
  gint64 held_since;
  double held;
  GArray *points; /* element type Point; NULL where no formula wants them one by one */
} Metric;

static void
metric_free (gpointer data)
{
  Metric *metric = data;

  g_clear_pointer (&metric->points, g_array_unref);
  g_free (metric);
}

/* What comes after the name of a metric and a dot. */
typedef enum
{
  FIGURE_COUNT,
  FIGURE_SUM,
  FIGURE_MEAN,
  FIGURE_MIN,
  FIGURE_MAX,
  FIGURE_LAST,
  FIGURE_AVERAGE, /* from here on of points one by one */
  FIGURE_P50,
  FIGURE_P95,
  FIGURE_P99,
  N_FIGURES
} Figure;

static const char *const figure_names[N_FIGURES] = { "count", "sum",     "mean", "min", "max",
                                                     "last",  "average", "p50",  "p95", "p99" };

/* The figure that NAME ends with, N_FIGURES if none; LENGTH is that of what stands before. */
static Figure
split_name (const char *name, gsize *length)
{
  const char *dot = strrchr (name, '.');
  Figure figure = 0;

  while (figure < N_FIGURES && (dot == NULL || strcmp (dot + 1, figure_names[figure]) != 0))
    figure++;
  *length = figure < N_FIGURES ? (gsize) (dot - name) : 0;
  return figure;
}

typedef struct
{
  const char *name; /* of a metric */
  gboolean wants_points;
} Wish;

static void
look_at_name (const char *name, gpointer data)
{
  Wish *wish = data;
  gsize length;
  Figure figure = split_name (name, &length);

  if (figure < N_FIGURES && figure >= FIGURE_AVERAGE && strlen (wish->name) == length &&
      strncmp (wish->name, name, length) == 0)
    wish->wants_points = TRUE;
}

static gboolean
wants_points (GPtrArray *derived, const char *name)
{
  Wish wish = { name ? name : "", FALSE };

  for (guint i = 0; i < derived->len && !wish.wants_points; i++)
    weft_formula_foreach_name (((Derived *) derived->pdata[i])->formula, look_at_name, &wish);
  return wish.wants_points;
}

static GHashTable *
read_names (const WeftAnalysisScope *scope, GPtrArray *derived, GError **error)
{
  GHashTable *metrics = g_hash_table_new_full (NULL, NULL, NULL, metric_free);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_METRICS);

  while (weft_row_cursor_next (rows))
    {
      Metric *metric = g_new0 (Metric, 1);

      metric->lane = weft_row_cursor_get (rows, WEFT_METRICS_LANE);
      metric->kind = weft_row_cursor_get (rows, WEFT_METRICS_KIND);
      metric->name = weft_row_cursor_get_string (rows, WEFT_METRICS_NAME);
      if (wants_points (derived, metric->name))
        metric->points = g_array_new (FALSE, FALSE, sizeof (Point));
      g_hash_table_replace (metrics, GSIZE_TO_POINTER (weft_row_cursor_get_number (rows)), metric);
    }
  if (weft_row_cursor_finish (rows, error))
    return metrics;
  g_hash_table_unref (metrics);
  return NULL;
}

static void
add_point (Metric *metric, gint64 time, double value)
{
  if (metric->stats.count == 0 || time >= metric->time)
    {
      metric->time = time;
      metric->last = value;
    }
  weft_value_stats_add (&metric->stats, value);
  if (metric->points != NULL)
    g_array_append_val (metric->points, ((Point){ time, value }));
}

/* A gauge holds until it is set anew, also into the range. */
static void
add_held (GHashTable *metrics, gint64 begin)
{
  GHashTableIter iter;
  gpointer data;

  g_hash_table_iter_init (&iter, metrics);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    if (((Metric *) data)->is_held)
      add_point (data, begin, ((Metric *) data)->held);
}

/* id → Metric */
static GHashTable *
read_lane_metrics (const WeftAnalysisScope *scope, GPtrArray *derived, GError **error)
{
  g_autoptr (GHashTable) metrics = read_names (scope, derived, error);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_METRIC_POINTS);

  while (metrics != NULL && weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_METRIC_POINTS_TIME);
      double value = weft_row_cursor_get_double (rows, WEFT_METRIC_POINTS_VALUE);
      Metric *metric = g_hash_table_lookup (
          metrics, GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_METRIC_POINTS_METRIC)));

      if (metric == NULL || isnan (value))
        continue;
      if (weft_scope_overlaps (scope, time, time))
        add_point (metric, time, value);
      else if (metric->kind == WEFT_METRIC_GAUGE && time < scope->begin &&
               (!metric->is_held || time >= metric->held_since))
        {
          metric->is_held = TRUE;
          metric->held_since = time;
          metric->held = value;
        }
    }
  if (metrics == NULL || !weft_row_cursor_finish (rows, error))
    return NULL;
  add_held (metrics, scope->begin);
  return g_steal_pointer (&metrics);
}

static double
get_metric_value (const Metric *metric)
{
  if (metric->kind == WEFT_METRIC_COUNTER)
    return metric->stats.sum;
  return metric->kind == WEFT_METRIC_GAUGE ? metric->last
                                           : weft_value_stats_get_mean (&metric->stats);
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  const Point *left = a, *right = b;

  return left->time < right->time ? -1 : left->time > right->time;
}

static int
compare_values (gconstpointer a, gconstpointer b)
{
  const Point *left = a, *right = b;

  return left->value < right->value ? -1 : left->value > right->value;
}

/* Each value counts as long as it held, the last one until END. */
static double
get_average (const Metric *metric, gint64 end)
{
  const Point *points;
  double sum = 0, time = 0;

  g_array_sort (metric->points, compare_times);
  points = (const Point *) (gpointer) metric->points->data;
  for (guint i = 0; i < metric->points->len; i++)
    {
      gint64 until = i + 1 < metric->points->len ? points[i + 1].time : MAX (end, points[i].time);
      double held = (double) ((guint64) until - (guint64) points[i].time);

      sum += points[i].value * held;
      time += held;
    }
  return time > 0 ? sum / time : metric->last;
}

static double
get_percentile (const Metric *metric, guint percent)
{
  g_array_sort (metric->points, compare_values);
  return g_array_index (metric->points, Point,
                        (guint) weft_nearest_rank (percent, metric->points->len) - 1)
      .value;
}

/* One that needs no order of the values. */
static double
get_stats_figure (const WeftValueStats *stats, Figure figure)
{
  switch (figure)
    {
    case FIGURE_COUNT:
      return (double) stats->count;
    case FIGURE_SUM:
      return stats->sum;
    case FIGURE_MEAN:
      return weft_value_stats_get_mean (stats);
    case FIGURE_MIN:
      return stats->min;
    default:
      return stats->max;
    }
}

/* Of one with points, except for count and sum. */
static double
get_figure (const Metric *metric, Figure figure, gint64 end)
{
  switch (figure)
    {
    case FIGURE_LAST:
      return metric->last;
    case FIGURE_AVERAGE:
      return get_average (metric, end);
    case FIGURE_P50:
      return get_percentile (metric, 50);
    case FIGURE_P95:
      return get_percentile (metric, 95);
    case FIGURE_P99:
      return get_percentile (metric, 99);
    default:
      return get_stats_figure (&metric->stats, figure);
    }
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
  gint64 begin, end;        /* the range */
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

      /* Nothing was added to a counter without points; of others nothing is known. */
      if (metric->stats.count > 0 || metric->kind == WEFT_METRIC_COUNTER)
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

/* Of a row, for formulas. */
typedef struct
{
  Answer *answer;
  guint64 id;
} Row;

static gboolean
look_up_figure (Row *row, const char *name, double *value)
{
  gsize length;
  Figure figure = split_name (name, &length);
  GHashTableIter iter;
  gpointer data;

  if (figure == N_FIGURES || row->answer->lane_metrics == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, row->answer->lane_metrics);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    {
      const Metric *metric = data;

      if (metric->lane != row->id || metric->name == NULL || strlen (metric->name) != length ||
          strncmp (metric->name, name, length) != 0 ||
          (metric->stats.count == 0 && figure > FIGURE_SUM))
        continue;
      *value = get_figure (metric, figure, row->answer->end);
      return TRUE;
    }
  return FALSE;
}

/* Of the rows that are parts of ROW, by "parts.", a column, and a figure of its values. */
static gboolean
look_up_parts (Row *row, const char *name, double *value)
{
  WeftTable *table = row->answer->table;
  int parent = weft_table_find_column (table, "parent");
  WeftValueStats stats = { 0 };
  g_autofree char *column = NULL;
  gsize length;
  Figure figure = split_name (name, &length);

  if (!g_str_has_prefix (name, PARTS) || parent < 0 || figure >= FIGURE_LAST ||
      length <= strlen (PARTS))
    return FALSE;
  column = g_strndup (name + strlen (PARTS), length - strlen (PARTS));
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      const double *found;

      if (weft_table_get_uint64 (table, (guint) parent, i) != row->id)
        continue;
      found = g_hash_table_lookup (
          get_values (row->answer, weft_table_get_uint64 (table, 0, i)), column);
      if (found != NULL)
        weft_value_stats_add (&stats, *found);
    }
  if (stats.count > 0)
    *value = get_stats_figure (&stats, figure);
  return stats.count > 0;
}

static gboolean
look_up (const char *name, double *value, gpointer data)
{
  Row *row = data;
  const double *found = g_hash_table_lookup (get_values (row->answer, row->id), name);

  if (found != NULL)
    *value = *found;
  return found != NULL || look_up_figure (row, name, value) || look_up_parts (row, name, value);
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
  Row values = { self, weft_table_get_uint64 (self->table, 0, row) };

  for (guint i = 0; domain != NULL && i < self->metrics->len; i++)
    {
      const Derived *derived = self->metrics->pdata[i];
      WeftFormulaResult result;
      double value = 0;

      if (strcmp (weft_term_get_domain (derived->term), domain) != 0)
        continue;
      result = weft_formula_evaluate (derived->formula, look_up, &values, &value);
      if (result != WEFT_FORMULA_MISSING)
        add_row (self, builder, row, derived->term, result, value);
    }
}

static void
begin_values (Answer *self)
{
  for (guint row = 0; row < weft_table_get_n_rows (self->table); row++)
    {
      guint64 id = weft_table_get_uint64 (self->table, 0, row);

      g_hash_table_replace (self->values, GSIZE_TO_POINTER (id),
                            g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free));
      set_value (get_values (self, id), "elapsed",
                 (double) ((guint64) self->end - (guint64) self->begin));
    }
}

static gboolean
read_values (Answer *self, const WeftSelection *selection, GError **error)
{
  if (!weft_scope_find_range (self->scope, &self->begin, &self->end, error) ||
      !weft_counter_names_init (&self->names, self->scope, error))
    return FALSE;
  self->figures = weft_counter_figures_read (self->scope, selection, self->by, 0, error);
  if (self->figures == NULL)
    return FALSE;
  if (self->by == WEFT_COUNTERS_BY_LANE)
    self->lane_metrics = read_lane_metrics (self->scope, self->metrics, error);
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
