/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gate.h"

#include "weft-comparison.h"
#include "weft-error.h"
#include "weft-gate-figures.h"
#include "weft-gate-result-private.h"
#include "weft-subjects.h"

/* A file of thresholds is written by hand. */
#define MAX_FILE (1024 * 1024)

/**
 * WeftGate:
 *
 * What is demanded of recordings, so that a build can fail when a program got slower.
 *
 * A threshold is a line such as `p95 routine:gemm < 2ms`: a figure, a filter, a comparison and a
 * value; with a name and a colon before it where a report is to call it otherwise. docs/gates.md
 * lists figures and units. A value such as `+10%` is relative to the baseline.
 *
 * Of several recordings the median counts. Nothing is judged that the recordings do not say: where
 * dispatches are missing and nothing explains it, where nothing matches, where there are too few.
 *
 * Since: 0.1
 */
struct _WeftGate
{
  GObject parent_instance;

  GPtrArray *thresholds; /* element type WeftThreshold */
  GPtrArray *recordings;
  GPtrArray *baselines;
  guint min_runs;
};

G_DEFINE_FINAL_TYPE (WeftGate, weft_gate, G_TYPE_OBJECT)

static void
weft_gate_finalize (GObject *object)
{
  WeftGate *self = WEFT_GATE (object);

  g_ptr_array_unref (self->thresholds);
  g_ptr_array_unref (self->recordings);
  g_ptr_array_unref (self->baselines);

  G_OBJECT_CLASS (weft_gate_parent_class)->finalize (object);
}

static void
weft_gate_class_init (WeftGateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_gate_finalize;
}

static void
weft_gate_init (WeftGate *self)
{
  self->thresholds = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_threshold_free);
  self->recordings = g_ptr_array_new_with_free_func (g_object_unref);
  self->baselines = g_ptr_array_new_with_free_func (g_object_unref);
  self->min_runs = 1;
}

/**
 * weft_gate_new:
 *
 * Returns: (transfer full): a gate that demands nothing yet
 *
 * Since: 0.1
 */
WeftGate *
weft_gate_new (void)
{
  return g_object_new (WEFT_TYPE_GATE, NULL);
}

/**
 * weft_gate_add_threshold:
 * @self: a gate
 * @text: `[NAME: ]FIGURE [FILTER] COMPARISON VALUE`
 * @error: return location for an error
 *
 * Demands something more.
 *
 * Returns: whether @text can be read; else the error ([error@Weft.Error.INVALID_QUERY]) says what
 * to write instead
 *
 * Since: 0.1
 */
gboolean
weft_gate_add_threshold (WeftGate *self, const char *text, GError **error)
{
  WeftThreshold *threshold;

  g_return_val_if_fail (WEFT_IS_GATE (self), FALSE);
  g_return_val_if_fail (text != NULL, FALSE);

  threshold = weft_threshold_parse (text, error);
  if (threshold == NULL)
    return FALSE;
  g_ptr_array_add (self->thresholds, threshold);
  return TRUE;
}

static gboolean
add_line (WeftGate *self, GFile *file, guint number, char *line, GError **error)
{
  g_strstrip (line);
  if (*line == '\0' || *line == '#' || weft_gate_add_threshold (self, line, error))
    return TRUE;
  if (error != NULL)
    {
      g_autofree char *name = g_file_get_basename (file);

      g_prefix_error (error, "%s, line %u: ", name, number);
    }
  return FALSE;
}

/**
 * weft_gate_load_thresholds:
 * @self: a gate
 * @file: a text file with a threshold on each line; what begins with `#` is a comment
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Demands what a file says.
 *
 * Returns: whether the file and all its lines can be read; the error names the line
 *
 * Since: 0.1
 */
gboolean
weft_gate_load_thresholds (WeftGate *self, GFile *file, GCancellable *cancellable, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize length;

  g_return_val_if_fail (WEFT_IS_GATE (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (file), FALSE);

  if (!g_file_load_contents (file, cancellable, &text, &length, NULL, error))
    return FALSE;
  if (length > MAX_FILE || !g_utf8_validate (text, (gssize) length, NULL))
    {
      g_autofree char *name = g_file_get_basename (file);

      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "%s is no file of thresholds: those are short, and in UTF-8", name);
      return FALSE;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!add_line (self, file, i + 1, lines[i], error))
      return FALSE;
  return TRUE;
}

/**
 * weft_gate_get_n_thresholds:
 * @self: a gate
 *
 * Returns: how much is demanded
 *
 * Since: 0.1
 */
guint
weft_gate_get_n_thresholds (WeftGate *self)
{
  g_return_val_if_fail (WEFT_IS_GATE (self), 0);

  return self->thresholds->len;
}

/**
 * weft_gate_add_recording:
 * @self: a gate
 * @recording: a recording that is judged
 *
 * Adds a recording to those that are judged: of several runs the median counts.
 *
 * Since: 0.1
 */
void
weft_gate_add_recording (WeftGate *self, WeftRecording *recording)
{
  g_return_if_fail (WEFT_IS_GATE (self));
  g_return_if_fail (WEFT_IS_RECORDING (recording));

  g_ptr_array_add (self->recordings, g_object_ref (recording));
}

/**
 * weft_gate_add_baseline:
 * @self: a gate
 * @recording: a recording that the others are compared with
 *
 * Adds a recording to the baseline, of which the median counts as well.
 *
 * Since: 0.1
 */
void
weft_gate_add_baseline (WeftGate *self, WeftRecording *recording)
{
  g_return_if_fail (WEFT_IS_GATE (self));
  g_return_if_fail (WEFT_IS_RECORDING (recording));

  g_ptr_array_add (self->baselines, g_object_ref (recording));
}

/**
 * weft_gate_set_min_runs:
 * @self: a gate
 * @min_runs: how many recordings there must be
 *
 * Sets how many recordings there must be on each side for anything to be judged: 1 unless set.
 *
 * Since: 0.1
 */
void
weft_gate_set_min_runs (WeftGate *self, guint min_runs)
{
  g_return_if_fail (WEFT_IS_GATE (self));
  g_return_if_fail (min_runs > 0);

  self->min_runs = min_runs;
}

/* ---- Judging ---- */

static gboolean
needs_baseline (const WeftThreshold *threshold)
{
  return threshold->is_relative || threshold->source == WEFT_THRESHOLD_REGRESSION;
}

static int
compare_values (gconstpointer a, gconstpointer b)
{
  const double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

/* Of two in the middle, their mean. */
static double
find_median (GArray *values)
{
  const double *sorted = (const double *) (gconstpointer) values->data;
  const guint half = values->len / 2;

  g_array_sort (values, compare_values);
  return values->len % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* The median of RECORDINGS; DOUBT says why there is none. */
static gboolean
measure (const WeftThreshold *threshold, GPtrArray *recordings, double *value,
         WeftThresholdUnit *unit, char **doubt, GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < recordings->len; i++)
    {
      WeftGateFigure figure = { 0 };

      if (!weft_gate_figure_find (threshold, g_ptr_array_index (recordings, i), &figure,
                                  cancellable, error))
        return FALSE;
      if (figure.doubt != NULL)
        {
          *doubt = figure.doubt;
          return TRUE;
        }
      *unit = figure.unit;
      g_array_append_val (values, figure.value);
    }
  *value = find_median (values);
  return TRUE;
}

/* "p95 of gemm on queue 0" */
static void
add_regression (WeftSubjects *worse, WeftTable *table, guint row)
{
  const char *metric =
      weft_table_get_string (table, (guint) weft_table_find_column (table, "metric"), row);
  const char *name =
      weft_table_get_string (table, (guint) weft_table_find_column (table, "name"), row);
  const char *lane =
      weft_table_get_string (table, (guint) weft_table_find_column (table, "lane"), row);
  g_autofree char *text = g_strdup_printf ("%s of %s%s%s", metric, name != NULL ? name : lane,
                                           name != NULL && lane != NULL ? " on " : "",
                                           name != NULL && lane != NULL ? lane : "");

  weft_subjects_add (worse, NULL, 0, text);
}

/* What comparing the two sides says got worse. */
static gboolean
count_regressions (WeftGate *self, const WeftThreshold *threshold, double *value, char **doubt,
                   char **names, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (WeftSubjects) worse = weft_subjects_new ();
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;
  guint n_judged = 0;

  for (guint i = 0; i < self->baselines->len; i++)
    weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_A, self->baselines->pdata[i]);
  for (guint i = 0; i < self->recordings->len; i++)
    weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_B, self->recordings->pdata[i]);
  weft_comparison_set_limit (comparison, 0);
  if (threshold->filter != NULL &&
      !weft_comparison_set_filter (comparison, threshold->filter, error))
    return FALSE;
  report = weft_comparison_run (comparison, cancellable, error);
  if (report == NULL)
    return FALSE;
  table = weft_report_get_main_table (report);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      const guint64 verdict =
          weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "verdict"), i);
      n_judged += verdict != WEFT_COMPARISON_VERDICT_CANNOT_JUDGE;
      if (verdict == WEFT_COMPARISON_VERDICT_REGRESSED)
        add_regression (worse, table, i);
    }
  *value = (double) weft_subjects_get_count (worse);
  if (n_judged == 0)
    *doubt = g_strdup ("Nothing can be compared: “weft compare” says why");
  if (*value > 0)
    *names = g_strdup (weft_subjects_get_names (worse));
  return TRUE;
}

static gboolean
find_values (WeftGate *self, WeftGateJudgement *judgement, char **reason, GCancellable *cancellable,
             GError **error)
{
  const WeftThreshold *threshold = judgement->threshold;
  g_autofree char *doubt = NULL;

  judgement->limit = threshold->limit;
  if (threshold->source == WEFT_THRESHOLD_REGRESSION)
    {
      if (!count_regressions (self, threshold, &judgement->value, &doubt, reason, cancellable,
                              error))
        return FALSE;
    }
  else if (!measure (threshold, self->recordings, &judgement->value, &judgement->unit, &doubt,
                     cancellable, error))
    return FALSE;
  judgement->has_value = doubt == NULL;
  if (doubt == NULL && threshold->is_relative)
    {
      if (!measure (threshold, self->baselines, &judgement->baseline, &judgement->unit, &doubt,
                    cancellable, error))
        return FALSE;
      if (doubt != NULL)
        *reason = g_strdup_printf ("The baseline: %s", doubt);
      judgement->has_baseline = doubt == NULL;
      judgement->limit = judgement->baseline * (1 + threshold->limit);
    }
  else if (doubt != NULL)
    {
      g_free (*reason);
      *reason = g_steal_pointer (&doubt);
    }
  judgement->has_limit = judgement->has_value && (doubt == NULL);
  return TRUE;
}

/* A unit that only the answer tells. */
static void
check_unit (WeftGateJudgement *judgement, char **reason)
{
  const WeftThreshold *threshold = judgement->threshold;

  if (!judgement->has_limit || threshold->is_relative || threshold->limit == 0 ||
      threshold->unit == judgement->unit)
    return;
  judgement->has_limit = FALSE;
  g_free (*reason);
  *reason = g_strdup_printf ("“%s” is %s, and “%s” is not", threshold->figure,
                             judgement->unit == WEFT_THRESHOLD_TIME    ? "a time"
                             : judgement->unit == WEFT_THRESHOLD_SHARE ? "a share in per cent"
                                                                       : "a plain number",
                             threshold->value);
}

static gboolean
judge (WeftGate *self, const WeftThreshold *threshold, const char *doubt, WeftGateResult *result,
       GCancellable *cancellable, GError **error)
{
  WeftGateJudgement judgement = { .threshold = threshold, .verdict = WEFT_GATE_CANNOT_JUDGE };
  g_autofree char *reason = g_strdup (doubt);

  if (reason == NULL && needs_baseline (threshold) && self->baselines->len < self->min_runs)
    reason = self->baselines->len == 0
                 ? g_strdup ("There is no baseline to compare with: give one with --baseline")
                 : g_strdup_printf ("Of the baseline there are %u recordings, and at least %u are "
                                    "wanted",
                                    self->baselines->len, self->min_runs);
  if (reason == NULL && !find_values (self, &judgement, &reason, cancellable, error))
    {
      g_prefix_error (error, "“%s”: ", threshold->text);
      return FALSE;
    }
  check_unit (&judgement, &reason);
  if (judgement.has_limit)
    judgement.verdict = weft_threshold_holds (threshold, judgement.value, judgement.limit)
                            ? WEFT_GATE_PASSED
                            : WEFT_GATE_FAILED;
  judgement.reason = reason;
  weft_gate_result_add (result, &judgement);
  return TRUE;
}

/* Why nothing can be judged; NULL with no ERROR if something can. */
static char *
find_doubt (WeftGate *self, GCancellable *cancellable, GError **error)
{
  GPtrArray *const sides[] = { self->recordings, self->baselines };

  for (guint side = 0; side < G_N_ELEMENTS (sides); side++)
    for (guint i = 0; i < sides[side]->len; i++)
      {
        WeftRecording *recording = g_ptr_array_index (sides[side], i);
        GError *failure = NULL;
        g_autofree char *doubt = weft_gate_find_doubt (recording, cancellable, &failure);
        g_autofree char *name = g_file_get_basename (weft_recording_get_file (recording));

        if (failure != NULL)
          {
            g_propagate_error (error, failure);
            return NULL;
          }
        if (doubt != NULL)
          return g_strdup_printf ("%s: %s", name, doubt);
      }
  if (self->recordings->len < self->min_runs)
    return self->recordings->len == 0
               ? g_strdup ("There is no recording")
               : g_strdup_printf ("Recordings: %u, and at least %u are wanted",
                                  self->recordings->len, self->min_runs);
  return NULL;
}

/**
 * weft_gate_run:
 * @self: a gate
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Judges the recordings.
 *
 * Returns: (transfer full): what came of it; %NULL if a recording could not be read, or it was
 *   cancelled
 *
 * Since: 0.1
 */
WeftGateResult *
weft_gate_run (WeftGate *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftGateResult) result = NULL;
  g_autofree char *doubt = NULL;
  GError *failure = NULL;

  g_return_val_if_fail (WEFT_IS_GATE (self), NULL);

  doubt = find_doubt (self, cancellable, &failure);
  result = weft_gate_result_new ();
  for (guint i = 0; failure == NULL && i < self->thresholds->len; i++)
    judge (self, g_ptr_array_index (self->thresholds, i), doubt, result, cancellable, &failure);
  if (failure == NULL)
    return g_steal_pointer (&result);
  g_propagate_error (error, failure);
  return NULL;
}

static void
run_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  WeftGateResult *result = weft_gate_run (source, cancellable, &error);

  if (result != NULL)
    g_task_return_pointer (task, result, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_gate_run_async:
 * @self: a gate, which must not be changed until it has run
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (closure user_data): called when it has run
 * @user_data: for @callback
 *
 * Judges the recordings without blocking.
 *
 * Since: 0.1
 */
void
weft_gate_run_async (WeftGate *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (WEFT_IS_GATE (self));

  g_task_set_source_tag (task, weft_gate_run_async);
  g_task_run_in_thread (task, run_in_thread);
}

/**
 * weft_gate_run_finish:
 * @self: a gate
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Gate.run_async] began.
 *
 * Returns: (transfer full): what came of it
 *
 * Since: 0.1
 */
WeftGateResult *
weft_gate_run_finish (WeftGate *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
