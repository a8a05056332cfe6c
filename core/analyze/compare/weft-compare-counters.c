/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What counters say of routines on lanes, of lanes and of sources: sums, means and rates. */

#include <math.h>

#include "weft-catalog.h"
#include "weft-compare-parts.h"
#include "weft-query.h"
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

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  GHashTable *sources;  /* routine → path of its source */
  WeftTable *counters;  /* what there are */
  GHashTable *rows;     /* id of a counter → its row there, + 1 */
  GPtrArray *values;    /* Values */
  GHashTable *of_texts; /* text of what they are of → Values */
} Sums;

static void
sums_clear (Sums *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->sources, g_hash_table_unref);
  g_clear_object (&self->counters);
  g_hash_table_unref (self->rows);
  g_ptr_array_unref (self->values);
  g_hash_table_unref (self->of_texts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sums, sums_clear)

/* COUNTER is a row of the counters. */
static Values *
take_values (Sums *self, const WeftSubject *subject, guint counter, gboolean begins)
{
  const char *name = weft_compare_get_text (self->counters, "name", counter);
  g_autofree char *key =
      g_strdup_printf ("%s\n%d\n%s\n%s\n%s", name, begins, subject->kind ? subject->kind : "",
                       subject->lane ? subject->lane : "", subject->name ? subject->name : "");
  Values *values = g_hash_table_lookup (self->of_texts, key);

  if (values != NULL)
    return values;
  values = g_new0 (Values, 1);
  values->subject = (WeftSubject){ "counter", g_strdup (subject->kind), g_strdup (subject->lane),
                                   g_strdup (subject->name) };
  values->counter = name;
  values->unit = get_unit (self->counters, counter);
  values->is_beginning = begins;
  g_hash_table_insert (self->of_texts, g_steal_pointer (&key), values);
  g_ptr_array_add (self->values, values);
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
static void
add_up (Sums *self, WeftTable *table, guint row)
{
  guint id = (guint) weft_compare_get_number (table, "counter", row);
  guint counter = GPOINTER_TO_UINT (g_hash_table_lookup (self->rows, GUINT_TO_POINTER (id)));
  gboolean begins = is_beginning ((guint) weft_compare_get_number (table, "point", row));
  guint32 routine = (guint32) weft_compare_get_number (table, "routine", row);
  const WeftCatalogLane *lane =
      weft_catalog_get_lane (self->catalog, (guint32) weft_compare_get_number (table, "lane", row));
  const char *name = weft_catalog_get_routine_name (self->catalog, routine);
  const char *path = g_hash_table_lookup (self->sources, GUINT_TO_POINTER (routine));

  if (counter == 0 || lane == NULL || lane->name == NULL ||
      weft_compare_get_number (table, "n", row) == 0)
    return;
  add_row (
      take_values (self, &(WeftSubject){ NULL, lane->kind, lane->name, name }, counter - 1, begins),
      table, row);
  add_row (
      take_values (self, &(WeftSubject){ NULL, lane->kind, lane->name, NULL }, counter - 1, begins),
      table, row);
  if (path != NULL)
    add_row (take_values (self, &(WeftSubject){ NULL, NULL, NULL, path }, counter - 1, begins),
             table, row);
}

static gboolean
read_names (Sums *self, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new ("counters", error);

  self->catalog = weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  if (query == NULL || self->catalog == NULL)
    return FALSE;
  self->sources = weft_compare_read_sources (self->scope, error);
  if (self->sources == NULL)
    return FALSE;
  self->counters = weft_query_run (query, self->scope->recording, self->scope->cancellable, error);
  for (guint row = 0; self->counters != NULL && row < weft_table_get_n_rows (self->counters); row++)
    if (weft_compare_get_text (self->counters, "name", row) != NULL)
      g_hash_table_insert (
          self->rows,
          GUINT_TO_POINTER ((guint) weft_compare_get_number (self->counters, "id", row)),
          GUINT_TO_POINTER (row + 1));
  return self->counters != NULL;
}

/* By ids, whose names are looked up once for each, not for each value. */
static gboolean
read_values (Sums *self, GError **error)
{
  static const char *const groups[] = { "counter",
                                        "counter",
                                        "sample.point",
                                        "point",
                                        "sample.dispatch.lane",
                                        "lane",
                                        "sample.dispatch.routine",
                                        "routine",
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
  g_autoptr (WeftTable) table =
      weft_compare_query (self->scope, "counter_values", groups, selects, error);

  if (table == NULL)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    add_up (self, table, row);
  return TRUE;
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
  WeftVocabulary *words = weft_recording_get_vocabulary (scope->recording);
  g_auto (Sums)
      self = { .scope = scope,
               .rows = g_hash_table_new (NULL, NULL),
               .values = g_ptr_array_new_with_free_func (values_free),
               .of_texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_COUNTER_VALUES) == 0)
    return TRUE;
  if (!read_names (&self, error) || !read_values (&self, error))
    return FALSE;
  for (guint i = 0; i < self.values->len; i++)
    {
      const Values *values = g_ptr_array_index (self.values, i);
      g_autoptr (WeftTerm) term =
          weft_vocabulary_get_counter (words, values->subject.kind, values->counter);

      observe (measures, values, term ? weft_term_get_polarity (term) : WEFT_POLARITY_NEUTRAL);
    }
  return TRUE;
}
