/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What counters say of routines on lanes, of lanes and of sources: sums, means and rates. */

#include <math.h>
#include <string.h>

#include "weft-compare-parts.h"
#include "weft-vocabulary.h"

/* Fewer values do not tell how much they vary. */
#define MIN_VALUES 8

/* The values of a counter that belong to one thing. */
typedef struct
{
  WeftSubject subject; /* owned */
  const char *counter; /* of the table, as is UNIT */
  const char *unit;
  gboolean is_beginning; /* values from before the work, which are told apart */
  double n;
  double sum;
  double squares;
  double time; /* of the dispatches, ns */
} Values;

static void
values_free (gpointer data)
{
  Values *values = data;

  g_free ((char *) values->subject.kind);
  g_free ((char *) values->subject.lane);
  g_free ((char *) values->subject.name);
  g_free (values);
}

static gboolean
is_beginning (guint point)
{
  return point == WEFT_SAMPLE_POINT_BEFORE_DISPATCH ||
         point == WEFT_SAMPLE_POINT_SUBMISSION_BEGIN || point == WEFT_SAMPLE_POINT_WAIT_BEGIN;
}

static const char *
get_unit (WeftTable *table, guint row)
{
  const char *name = weft_compare_get_text (table, "unit_name", row);
  const char *word = weft_compare_get_text (table, "unit", row);

  if (name != NULL && *name != '\0')
    return name;
  return g_strcmp0 (word, "none") != 0 ? word : NULL;
}

/* ---- Adding up ---- */

static Values *
take_values (GHashTable *all, GPtrArray *order, const WeftSubject *subject, WeftTable *table,
             guint row)
{
  const char *counter = weft_compare_get_text (table, "counter", row);
  gboolean begins = is_beginning ((guint) weft_compare_get_number (table, "point", row));
  g_autofree char *key =
      g_strdup_printf ("%s\n%d\n%s\n%s\n%s", counter, begins, subject->kind ? subject->kind : "",
                       subject->lane ? subject->lane : "", subject->name ? subject->name : "");
  Values *values = g_hash_table_lookup (all, key);

  if (values != NULL)
    return values;
  values = g_new0 (Values, 1);
  values->subject = (WeftSubject){ "counter", g_strdup (subject->kind), g_strdup (subject->lane),
                                   g_strdup (subject->name) };
  values->counter = counter;
  values->unit = get_unit (table, row);
  values->is_beginning = begins;
  g_hash_table_insert (all, g_steal_pointer (&key), values);
  g_ptr_array_add (order, values);
  return values;
}

static void
add_row (Values *values, WeftTable *table, guint row)
{
  double n = weft_compare_get_number (table, "n", row);
  double sum = weft_compare_get_number (table, "sum", row);
  double deviation = weft_compare_get_number (table, "deviation", row);

  values->n += n;
  values->sum += sum;
  values->squares += deviation * deviation * (n - 1) + sum * sum / n;
  values->time += weft_compare_get_number (table, "time", row);
}

/* Values of submissions are of no routine. */
static GPtrArray *
add_up (WeftTable *table)
{
  g_autoptr (GHashTable) all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *order = g_ptr_array_new_with_free_func (values_free);

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const char *kind = weft_compare_get_text (table, "kind", row);
      const char *lane = weft_compare_get_text (table, "lane", row);
      const char *path = weft_compare_get_text (table, "path", row);
      const WeftSubject subjects[] = {
        { NULL, kind, lane, weft_compare_get_text (table, "name", row) },
        { NULL, kind, lane, NULL },
        { NULL, NULL, NULL, path },
      };

      if (weft_compare_get_number (table, "n", row) == 0 ||
          weft_compare_get_text (table, "counter", row) == NULL || lane == NULL)
        continue;
      for (gsize i = 0; i < G_N_ELEMENTS (subjects); i++)
        if (subjects[i].lane != NULL || (path != NULL && *path != '\0'))
          add_row (take_values (all, order, &subjects[i], table, row), table, row);
    }
  return order;
}

/* ---- Observing ---- */

static const WeftFigure *
take_figure (WeftMeasures *measures, const Values *values, const char *suffix, WeftFigure figure)
{
  g_autofree char *name =
      g_strconcat (values->counter, values->is_beginning ? "@begin" : "", suffix, NULL);

  figure.name = name;
  figure.unit = values->unit;
  return weft_measures_take_figure (measures, "counter", &figure);
}

static void
observe_rate (WeftMeasures *measures, const Values *values)
{
  /* The time is the routine's, which has tests of its own. */
  const WeftFigure figure = {
    .polarity = WEFT_POLARITY_NEUTRAL, .least_spread = .05, .usual_spread = .25, .weight = .25
  };
  const WeftObservation seen = { values->sum / values->time * 1e9, NAN, 1 };

  if (values->time <= 0 || values->is_beginning || g_strcmp0 (values->unit, "percent") == 0)
    return;
  weft_measures_observe (measures, &values->subject,
                         take_figure (measures, values, "/second", figure), &seen,
                         (guint64) values->n);
}

static void
observe (WeftMeasures *measures, const Values *values, WeftPolarity polarity)
{
  WeftFigure figure = {
    .polarity = polarity, .least_spread = .005, .usual_spread = .05, .weight = .25
  };
  double mean = values->sum / values->n;
  double variance = fmax (values->squares / values->n - mean * mean, 0);
  WeftObservation seen = { mean, NAN, fmax (values->n - 1, 1) };

  if (values->n >= MIN_VALUES && mean != 0)
    seen.noise = WEFT_NOISE_INFLATION * variance / (mean * mean) / values->n;
  weft_measures_observe (measures, &values->subject,
                         take_figure (measures, values, "/value", figure), &seen,
                         (guint64) values->n);
  seen.value = values->sum;
  figure.is_zero_if_absent = TRUE;
  weft_measures_observe (measures, &values->subject, take_figure (measures, values, "", figure),
                         &seen, (guint64) values->n);
  observe_rate (measures, values);
}

gboolean
weft_compare_counters (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  static const char *const groups[] = { "counter.name",
                                        "counter",
                                        "counter.unit",
                                        "unit",
                                        "counter.unit_name",
                                        "unit_name",
                                        "sample.point",
                                        "point",
                                        "sample.dispatch.lane.kind",
                                        "kind",
                                        "sample.dispatch.lane.name",
                                        "lane",
                                        "sample.dispatch.routine.name",
                                        "name",
                                        "sample.dispatch.routine.source.path",
                                        "path",
                                        NULL };
  static const char *const selects[] = { "count(value)",
                                         "n",
                                         "sum(value)",
                                         "sum",
                                         "stddev(value)",
                                         "deviation",
                                         "sum(sample.dispatch.duration)",
                                         "time",
                                         NULL };
  WeftVocabulary *words = weft_recording_get_vocabulary (scope->recording);
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (GPtrArray) all = NULL;

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_COUNTER_VALUES) == 0)
    return TRUE;
  table = weft_compare_query (scope, "counter_values", groups, selects, error);
  if (table == NULL)
    return FALSE;
  all = add_up (table);
  for (guint i = 0; i < all->len; i++)
    {
      const Values *values = g_ptr_array_index (all, i);
      g_autoptr (WeftTerm) term =
          weft_vocabulary_get_counter (words, values->subject.kind, values->counter);

      observe (measures, values, term ? weft_term_get_polarity (term) : WEFT_POLARITY_NEUTRAL);
    }
  return TRUE;
}
