/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-compare-report.h"

#include <math.h>
#include <string.h>

#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-loss-totals.h"

enum
{
  SCOPE,
  KIND,
  LANE,
  NAME,
  METRIC,
  VERDICT,
  A,
  B,
  UNIT,
  CHANGE,
  LOW,
  HIGH,
  CHANGE_UNIT,
  MOVED,
  P,
  Q,
  RESOLUTION,
  POLARITY,
  RECORDINGS_A,
  RECORDINGS_B,
  SAMPLES_A,
  SAMPLES_B,
  SOURCE_CHANGED,
  REASON,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  [SCOPE] = WEFT_ANSWER_COLUMN ("scope", STRING),
  [KIND] = WEFT_ANSWER_COLUMN ("kind", STRING),
  [LANE] = WEFT_ANSWER_COLUMN ("lane", STRING),
  [NAME] = WEFT_ANSWER_COLUMN ("name", STRING),
  [METRIC] = WEFT_ANSWER_COLUMN ("metric", STRING),
  [VERDICT] = WEFT_ANSWER_ENUM ("verdict", weft_comparison_verdict_get_type),
  [A] = WEFT_ANSWER_COLUMN ("a", DOUBLE),
  [B] = WEFT_ANSWER_COLUMN ("b", DOUBLE),
  [UNIT] = WEFT_ANSWER_COLUMN ("unit", STRING),
  [CHANGE] = WEFT_ANSWER_UNIT ("change", DOUBLE, "percent"),
  [LOW] = WEFT_ANSWER_UNIT ("low", DOUBLE, "percent"),
  [HIGH] = WEFT_ANSWER_UNIT ("high", DOUBLE, "percent"),
  [CHANGE_UNIT] = WEFT_ANSWER_COLUMN ("change_unit", STRING),
  [MOVED] = WEFT_ANSWER_UNIT ("moved", DOUBLE, "ns"),
  [P] = WEFT_ANSWER_COLUMN ("p", DOUBLE),
  [Q] = WEFT_ANSWER_COLUMN ("q", DOUBLE),
  [RESOLUTION] = WEFT_ANSWER_UNIT ("resolution", DOUBLE, "percent"),
  [POLARITY] = WEFT_ANSWER_ENUM ("polarity", weft_polarity_get_type),
  [RECORDINGS_A] = WEFT_ANSWER_UNIT ("recordings_a", UINT64, "count"),
  [RECORDINGS_B] = WEFT_ANSWER_UNIT ("recordings_b", UINT64, "count"),
  [SAMPLES_A] = WEFT_ANSWER_UNIT ("samples_a", UINT64, "count"),
  [SAMPLES_B] = WEFT_ANSWER_UNIT ("samples_b", UINT64, "count"),
  [SOURCE_CHANGED] = WEFT_ANSWER_COLUMN ("source_changed", BOOLEAN),
  [REASON] = WEFT_ANSWER_COLUMN ("reason", STRING),
};

/* In this order within what has the same rank. */
static const char *const scopes[] = { "routine",  "tick",       "function", "source",
                                      "lane",     "counter",    "metric",   "derived",
                                      "coverage", "attachment", NULL };

/* ---- Order ---- */

static guint
get_scope_rank (const WeftMeasure *measure)
{
  guint rank = 0;

  while (scopes[rank] != NULL && strcmp (scopes[rank], measure->subject.scope) != 0)
    rank++;
  return rank;
}

/* What is a change comes first, then what only one side has, then the rest. */
static guint
get_verdict_rank (const WeftMeasure *measure)
{
  switch (measure->verdict)
    {
    case WEFT_COMPARISON_VERDICT_IMPROVED:
    case WEFT_COMPARISON_VERDICT_REGRESSED:
    case WEFT_COMPARISON_VERDICT_CHANGED:
      return 0;
    case WEFT_COMPARISON_VERDICT_NEW:
    case WEFT_COMPARISON_VERDICT_VANISHED:
      return 1;
    case WEFT_COMPARISON_VERDICT_NO_CHANGE:
    case WEFT_COMPARISON_VERDICT_CANNOT_JUDGE:
    default:
      return 2;
    }
}

/* Time that the change moved, in nanoseconds; NAN where it moved none that is known. */
static double
get_moved (const WeftMeasure *measure)
{
  double change = weft_measure_get_change (measure);

  if (measure->verdict == WEFT_COMPARISON_VERDICT_NEW)
    return measure->weight;
  if (measure->verdict == WEFT_COMPARISON_VERDICT_VANISHED)
    return -measure->weight;
  if (measure->weight == 0 || isnan (change))
    return NAN;
  /* WEIGHT is the larger side's; of a ratio R the other one's is 1 / R of it. */
  return measure->weight * (change > 0 ? change / (1 + change) : change);
}

static int
compare_numbers (double a, double b)
{
  return a > b ? -1 : a < b;
}

static int
compare_measures (gconstpointer a, gconstpointer b)
{
  const WeftMeasure *left = *(WeftMeasure *const *) a, *right = *(WeftMeasure *const *) b;
  int order = (int) get_verdict_rank (left) - (int) get_verdict_rank (right);
  double moved[] = { get_moved (left), get_moved (right) };

  if (order == 0)
    order = (int) get_scope_rank (left) - (int) get_scope_rank (right);
  if (order == 0)
    order = compare_numbers (isnan (moved[0]) ? 0 : fabs (moved[0]),
                             isnan (moved[1]) ? 0 : fabs (moved[1]));
  if (order == 0)
    order = g_strcmp0 (left->subject.name, right->subject.name);
  if (order == 0)
    order = g_strcmp0 (left->subject.lane, right->subject.lane);
  if (order == 0)
    order = g_strcmp0 (left->subject.kind, right->subject.kind);
  return order != 0 ? order : g_strcmp0 (left->figure->name, right->figure->name);
}

/* ---- Rows ---- */

static void
set_number (WeftTableBuilder *builder, guint column, double value)
{
  if (isfinite (value))
    weft_table_builder_set_double (builder, column, value);
}

static const char *
get_text (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static void
set_subject (WeftTableBuilder *builder, const WeftMeasure *measure)
{
  weft_table_builder_set_string (builder, SCOPE, measure->subject.scope);
  weft_table_builder_set_string (builder, KIND, get_text (measure->subject.kind));
  weft_table_builder_set_string (builder, LANE, get_text (measure->subject.lane));
  weft_table_builder_set_string (builder, NAME, get_text (measure->subject.name));
  weft_table_builder_set_string (builder, METRIC, measure->figure->name);
  weft_table_builder_set_string (builder, UNIT, measure->figure->unit);
  weft_table_builder_set_uint64 (builder, POLARITY, measure->figure->polarity);
  weft_table_builder_set_uint64 (builder, VERDICT, measure->verdict);
  weft_table_builder_set_uint64 (builder, SOURCE_CHANGED, measure->has_other_source);
  weft_table_builder_set_string (builder, REASON, measure->reason);
}

static void
set_sides (WeftTableBuilder *builder, const WeftMeasure *measure)
{
  for (guint side = 0; side < 2; side++)
    {
      weft_table_builder_set_uint64 (builder, RECORDINGS_A + side, measure->sides[side]->len);
      weft_table_builder_set_uint64 (builder, SAMPLES_A + side, measure->n_samples[side]);
      if (measure->sides[side]->len > 0)
        set_number (builder, A + side, measure->values[side]);
    }
}

static void
set_change (WeftTableBuilder *builder, const WeftMeasure *measure, double bar)
{
  double factor = measure->figure->scale == WEFT_SCALE_SHARE ? 1 : 100;
  double low, high;

  weft_table_builder_set_string (builder, CHANGE_UNIT,
                                 measure->figure->scale == WEFT_SCALE_SHARE ? "points" : "percent");
  set_number (builder, MOVED, get_moved (measure));
  if (measure->sides[0]->len == 0 || measure->sides[1]->len == 0)
    return;
  set_number (builder, CHANGE, factor * weft_measure_get_change (measure));
  if (isnan (measure->p))
    return;
  weft_measure_get_interval (measure, &low, &high);
  set_number (builder, LOW, factor * low);
  set_number (builder, HIGH, factor * high);
  set_number (builder, P, measure->p);
  set_number (builder, Q, measure->q);
  set_number (builder, RESOLUTION, factor * weft_measure_get_resolution (measure, bar));
}

static GPtrArray *
sort_measures (const WeftMeasures *measures)
{
  GPtrArray *sorted = g_ptr_array_new ();

  for (guint i = 0; i < measures->measures->len; i++)
    g_ptr_array_add (sorted, weft_measures_get (measures, i));
  g_ptr_array_sort (sorted, compare_measures);
  return sorted;
}

static void
add_verdicts (WeftReport *report, const WeftMeasures *measures)
{
  static const WeftAnswerColumn plan[] = {
    WEFT_ANSWER_COLUMN ("scope", STRING),
    WEFT_ANSWER_ENUM ("verdict", weft_comparison_verdict_get_type),
    WEFT_ANSWER_UNIT ("figures", UINT64, "count"),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("verdicts", plan, G_N_ELEMENTS (plan));

  for (guint scope = 0; scopes[scope] != NULL; scope++)
    for (guint verdict = 0; verdict <= WEFT_COMPARISON_VERDICT_CANNOT_JUDGE; verdict++)
      {
        guint64 n = 0;

        for (guint i = 0; i < measures->measures->len; i++)
          n += get_scope_rank (weft_measures_get (measures, i)) == scope &&
               weft_measures_get (measures, i)->verdict == verdict;
        if (n == 0)
          continue;
        weft_table_builder_begin_row (builder);
        weft_table_builder_set_string (builder, 0, scopes[scope]);
        weft_table_builder_set_uint64 (builder, 1, verdict);
        weft_table_builder_set_uint64 (builder, 2, n);
      }
  weft_answer_add_table (report, builder);
}

void
weft_compare_report_measures (WeftReport *report, const WeftMeasures *measures,
                              const WeftJudgementOptions *options, guint limit)
{
  WeftTableBuilder *builder = weft_answer_begin_table ("compare", columns, N_COLUMNS);
  g_autoptr (GPtrArray) sorted = sort_measures (measures);
  double bar = weft_judgement_get_bar (measures, options->false_alarms);
  guint shown[G_N_ELEMENTS (scopes)] = { 0 };

  for (guint i = 0; i < sorted->len; i++)
    {
      const WeftMeasure *measure = g_ptr_array_index (sorted, i);

      if (get_verdict_rank (measure) == 2 && limit > 0 &&
          shown[get_scope_rank (measure)]++ >= limit)
        continue;
      weft_table_builder_begin_row (builder);
      set_subject (builder, measure);
      set_sides (builder, measure);
      set_change (builder, measure, bar);
    }
  if (sorted->len == 0)
    weft_table_builder_set_hint (builder, "There is nothing in these recordings to compare");
  weft_answer_add_table (report, builder);
  add_verdicts (report, measures);
}

/* ---- Recordings ---- */

static gboolean
add_recording (WeftTableBuilder *builder, WeftRecording *recording, const char *side,
               GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftStore) store = weft_recording_ref_store (recording);
  const WeftAnalysisScope scope = { .recording = recording,
                                    .store = store,
                                    .begin = G_MININT64,
                                    .end = G_MAXINT64,
                                    .cancellable = cancellable };
  g_autoptr (GArray) losses = weft_loss_totals_read (&scope, error);
  g_autofree char *command = weft_recording_get_command_line (recording);
  g_autofree char *host = weft_recording_get_host (recording);
  g_autofree char *name = g_file_get_basename (weft_recording_get_file (recording));
  guint64 n_losses = 0;

  if (losses == NULL)
    return FALSE;
  /* Samples that were not kept are of no lane, and no dispatches. */
  for (guint i = 0; i < losses->len; i++)
    if (g_array_index (losses, WeftLossTotal, i).lane != 0)
      n_losses += g_array_index (losses, WeftLossTotal, i).count;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, side);
  weft_table_builder_set_string (builder, 1, name);
  weft_table_builder_set_uint64 (builder, 2,
                                 (guint64) MAX (weft_recording_get_duration (recording), 0));
  weft_table_builder_set_uint64 (builder, 3, weft_recording_get_n_rows (recording, "dispatches"));
  weft_table_builder_set_uint64 (builder, 4, n_losses);
  weft_table_builder_set_string (builder, 5, host);
  weft_table_builder_set_string (builder, 6, command);
  return TRUE;
}

gboolean
weft_compare_report_recordings (WeftReport *report, GPtrArray *const *sides,
                                GCancellable *cancellable, GError **error)
{
  static const WeftAnswerColumn plan[] = {
    WEFT_ANSWER_COLUMN ("side", STRING),          WEFT_ANSWER_COLUMN ("file", STRING),
    WEFT_ANSWER_COLUMN ("duration", DURATION),    WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
    WEFT_ANSWER_UNIT ("losses", UINT64, "count"), WEFT_ANSWER_COLUMN ("host", STRING),
    WEFT_ANSWER_COLUMN ("command_line", STRING),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("recordings", plan, G_N_ELEMENTS (plan));

  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < sides[side]->len; i++)
      if (!add_recording (builder, g_ptr_array_index (sides[side], i), side == 0 ? "a" : "b",
                          cancellable, error))
        return FALSE;
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}
