/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-comparison.h"

#include "weft-analysis-private.h"
#include "weft-compare-parts.h"
#include "weft-compare-report.h"
#include "weft-report-task.h"
#include "weft-source-changes.h"
#include "weft-ticks.h"

/**
 * WeftComparison:
 *
 * Compares recordings: those of side A, which are what was before, with those of side B.
 *
 * The answer is a [class@Report]. Its main table, `compare`, has a row for each figure of each
 * thing, those that changed first. What a row is of is told by `scope` and by `kind` and `lane`
 * (kind and name of a lane) and `name`, by which the sides are matched:
 *
 * - `routine`: a routine on a lane; `metric` is `total`, `count`, `mean`, `p50`, `p95`, `p99`;
 * - `lane`, `source` (`name` is its path): the same;
 * - `counter`: of a routine on a lane: the name of the counter, summed, and `NAME/value`,
 *   `NAME/second`;
 * - `function` (`name`, and `kind` is its module): `self`;
 * - `metric`: metrics of lanes; `derived`: those that vocabularies derive for routines and lanes;
 * - `coverage`: of a lane: `linked`, `stale`, `without-origin`, `with-source`, `with-counters`;
 * - `attachment` (`kind` is its kind): `bytes`, `size`, `uses`;
 * - `tick`: a loop whose steps are numbered: `duration`, step by step.
 *
 * `a` and `b` are the values of the sides (the mean of shares, else the geometric mean of the
 * recordings) in `unit`; `change` and the ends of its 95 % interval `low` and `high` are per cent
 * of `a`, or points where `change_unit` says so. `verdict` is a word of
 * [enum@ComparisonVerdict]; `reason` says why nothing can be judged. `q` is what
 * [method@Comparison.set_false_alarms] bounds, `resolution` the smallest change that would have
 * been told, `moved` the time that the change stands for.
 *
 * Whoever wants to know whether one figure is worse looks for the row of its scope, lane, name and
 * metric; a `verdict` of `regressed` is a significant change for the worse by `change`. Metrics
 * where neither is better are `changed`. A figure with `cannot-judge` has neither passed nor
 * failed.
 *
 * Other tables: `verdicts` counts them by scope; `source_changes` has the sources that are not the
 * same, with their differences; `ticks` the steps of numbered loops that differ most; `recordings`
 * tells what was compared.
 *
 * The same recordings give the same answer, to the byte.
 *
 * Since: 0.1
 */
struct _WeftComparison
{
  GObject parent_instance;

  GPtrArray *sides[2]; /* WeftRecording */
  WeftFilter *filter;
  gint64 begin;
  gint64 end;
  WeftJudgementOptions options;
  guint limit;
};

G_DEFINE_FINAL_TYPE (WeftComparison, weft_comparison, G_TYPE_OBJECT)

#define DEFAULT_FALSE_ALARMS 0.05
#define DEFAULT_MIN_CHANGE 0.01

static const WeftComparePart parts[] = {
  weft_compare_dispatches, weft_compare_counters, weft_compare_coverage, weft_compare_attachments,
  weft_compare_functions,  weft_compare_metrics,  weft_compare_derived,
};

static void
weft_comparison_finalize (GObject *object)
{
  WeftComparison *self = WEFT_COMPARISON (object);

  g_ptr_array_unref (self->sides[0]);
  g_ptr_array_unref (self->sides[1]);
  g_clear_pointer (&self->filter, weft_filter_unref);
  G_OBJECT_CLASS (weft_comparison_parent_class)->finalize (object);
}

static void
weft_comparison_class_init (WeftComparisonClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_comparison_finalize;
}

static void
weft_comparison_init (WeftComparison *self)
{
  self->sides[0] = g_ptr_array_new_with_free_func (g_object_unref);
  self->sides[1] = g_ptr_array_new_with_free_func (g_object_unref);
  self->begin = G_MININT64;
  self->end = G_MAXINT64;
  self->options.false_alarms = DEFAULT_FALSE_ALARMS;
  self->options.min_change = DEFAULT_MIN_CHANGE;
}

/**
 * weft_comparison_new:
 *
 * Begins a comparison.
 *
 * Returns: (transfer full): one without recordings
 *
 * Since: 0.1
 */
WeftComparison *
weft_comparison_new (void)
{
  return g_object_new (WEFT_TYPE_COMPARISON, NULL);
}

/**
 * weft_comparison_add_recording:
 * @self: a comparison
 * @side: the side it stands on
 * @recording: a recording
 *
 * Adds a recording to a side. Several of the same program on each side tell how much its recordings
 * differ anyway; make those of the two sides in turns.
 *
 * Since: 0.1
 */
void
weft_comparison_add_recording (WeftComparison *self, WeftComparisonSide side,
                               WeftRecording *recording)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));
  g_return_if_fail (side == WEFT_COMPARISON_SIDE_A || side == WEFT_COMPARISON_SIDE_B);
  g_return_if_fail (WEFT_IS_RECORDING (recording));

  g_ptr_array_add (self->sides[side], g_object_ref (recording));
}

/**
 * weft_comparison_get_n_recordings:
 * @self: a comparison
 * @side: a side
 *
 * Returns: how many recordings stand on it
 *
 * Since: 0.1
 */
guint
weft_comparison_get_n_recordings (WeftComparison *self, WeftComparisonSide side)
{
  g_return_val_if_fail (WEFT_IS_COMPARISON (self), 0);
  g_return_val_if_fail (side == WEFT_COMPARISON_SIDE_A || side == WEFT_COMPARISON_SIDE_B, 0);

  return self->sides[side]->len;
}

/**
 * weft_comparison_get_recording:
 * @self: a comparison
 * @side: a side
 * @index: below [method@Comparison.get_n_recordings]
 *
 * Returns: (transfer none) (nullable): a recording of the side
 *
 * Since: 0.1
 */
WeftRecording *
weft_comparison_get_recording (WeftComparison *self, WeftComparisonSide side, guint index)
{
  g_return_val_if_fail (WEFT_IS_COMPARISON (self), NULL);
  g_return_val_if_fail (side == WEFT_COMPARISON_SIDE_A || side == WEFT_COMPARISON_SIDE_B, NULL);
  g_return_val_if_fail (index < self->sides[side]->len, NULL);

  return g_ptr_array_index (self->sides[side], index);
}

/**
 * weft_comparison_set_filter:
 * @self: a comparison
 * @text: (nullable): a filter, or %NULL for all
 * @error: return location for an error
 *
 * Compares only what matches. A text that is no filter changes nothing.
 *
 * Returns: whether @text is a filter ([error@Weft.Error.INVALID_FILTER])
 *
 * Since: 0.1
 */
gboolean
weft_comparison_set_filter (WeftComparison *self, const char *text, GError **error)
{
  WeftFilter *filter = NULL;

  g_return_val_if_fail (WEFT_IS_COMPARISON (self), FALSE);

  if (text != NULL)
    {
      filter = weft_filter_new (text, error);
      if (filter == NULL)
        return FALSE;
      if (weft_filter_is_empty (filter))
        g_clear_pointer (&filter, weft_filter_unref);
    }
  g_clear_pointer (&self->filter, weft_filter_unref);
  self->filter = filter;
  return TRUE;
}

/**
 * weft_comparison_set_range:
 * @self: a comparison
 * @begin: nanoseconds since the start of each recording
 * @end: the same, not before @begin
 *
 * Compares only what overlaps [@begin, @end), in each recording.
 *
 * Since: 0.1
 */
void
weft_comparison_set_range (WeftComparison *self, gint64 begin, gint64 end)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));
  g_return_if_fail (begin <= end);

  self->begin = begin;
  self->end = end;
}

/**
 * weft_comparison_set_false_alarms:
 * @self: a comparison
 * @rate: between 0 and 1; 0.05 if not set
 *
 * Chooses how much certainty a change needs: of all figures that are said to have changed, at most
 * this part has not. Of two recordings of the same program that is how often any change is told.
 *
 * Since: 0.1
 */
void
weft_comparison_set_false_alarms (WeftComparison *self, double rate)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));
  g_return_if_fail (rate > 0 && rate < 1);

  self->options.false_alarms = rate;
}

/**
 * weft_comparison_set_min_change:
 * @self: a comparison
 * @change: a part, at least 0; 0.01 if not set: 1 per cent, or one point of a share
 *
 * Chooses from which size on a change matters.
 *
 * Since: 0.1
 */
void
weft_comparison_set_min_change (WeftComparison *self, double change)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));
  g_return_if_fail (change >= 0);

  self->options.min_change = change;
}

/**
 * weft_comparison_set_limit:
 * @self: a comparison
 * @limit: the number of rows at most; 0, which is the default, for all
 *
 * Limits, in each scope, the rows that did not change. Those that did are all told.
 *
 * Since: 0.1
 */
void
weft_comparison_set_limit (WeftComparison *self, guint limit)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));

  self->limit = limit;
}

/* ---- Running ---- */

/* What is found out of all recordings. */
typedef struct
{
  WeftMeasures *measures;
  WeftTicks *ticks;
  WeftSourceChanges *sources;
} Findings;

static void
findings_clear (Findings *self)
{
  weft_measures_free (self->measures);
  weft_ticks_free (self->ticks);
  weft_source_changes_free (self->sources);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Findings, findings_clear)

static gboolean
observe_parts (const WeftAnalysisScope *scope, Findings *findings, WeftComparisonSide side,
               GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (g_cancellable_set_error_if_cancelled (scope->cancellable, error) ||
        !parts[i](scope, findings->measures, error))
      return FALSE;
  return weft_ticks_read (findings->ticks, scope, side, error) &&
         weft_source_changes_read (findings->sources, scope, side, error);
}

static gboolean
observe (WeftComparison *self, WeftRecording *recording, Findings *findings,
         WeftComparisonSide side, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftStore) store = weft_recording_ref_store (recording);
  const WeftAnalysisScope scope = { .recording = recording,
                                    .store = store,
                                    .filter = self->filter,
                                    .begin = self->begin,
                                    .end = self->end,
                                    .cancellable = cancellable };

  if (!observe_parts (&scope, findings, side, error))
    {
      g_autofree char *name = g_file_get_basename (weft_recording_get_file (recording));

      g_prefix_error (error, "%s: ", name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
observe_all (WeftComparison *self, Findings *findings, const WeftReportProgress *progress,
             GCancellable *cancellable, GError **error)
{
  guint n = self->sides[0]->len + self->sides[1]->len, done = 0;

  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < self->sides[side]->len; i++)
      {
        findings->measures->side = side;
        if (!observe (self, g_ptr_array_index (self->sides[side], i), findings, side, cancellable,
                      error))
          return FALSE;
        findings->measures->n_runs[side]++;
        if (progress != NULL && progress->callback != NULL)
          progress->callback (++done, n, progress->data);
      }
  return TRUE;
}

static WeftReport *
run (gpointer source, const WeftReportProgress *progress, GCancellable *cancellable, GError **error)
{
  WeftComparison *self = source;
  g_autoptr (WeftReport) report = weft_report_new ("compare", FALSE);
  g_auto (Findings) found = { weft_measures_new (), weft_ticks_new (), weft_source_changes_new () };

  if (self->sides[0]->len == 0 || self->sides[1]->len == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "Side %s has no recording: a comparison needs at least one on each",
                   self->sides[0]->len == 0 ? "A" : "B");
      return NULL;
    }
  if (!observe_all (self, &found, progress, cancellable, error))
    return NULL;
  weft_ticks_observe (found.ticks, found.measures);
  weft_compare_doubt_measures (found.measures);
  weft_source_changes_mark (found.sources, found.measures);
  weft_judge_measures (found.measures, &self->options);
  weft_compare_report_measures (report, found.measures, &self->options, self->limit);
  weft_source_changes_report (found.sources, report);
  weft_ticks_report (found.ticks, report);
  if (!weft_compare_report_recordings (report, self->sides, cancellable, error))
    return NULL;
  return g_steal_pointer (&report);
}

/**
 * weft_comparison_run:
 * @self: a comparison
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Compares.
 *
 * Returns: (transfer full): the answer; %NULL where a side has no recording
 *   ([error@Weft.Error.INVALID_QUERY]), or one cannot be read
 *
 * Since: 0.1
 */
WeftReport *
weft_comparison_run (WeftComparison *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_COMPARISON (self), NULL);

  return run (self, NULL, cancellable, error);
}

/**
 * weft_comparison_run_async:
 * @self: a comparison, which must not be changed until it has run
 * @cancellable: (nullable): a cancellable
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how many recordings are read, of how many; called on another thread
 * @progress_data: for @progress
 * @progress_destroy: frees @progress_data
 * @callback: (scope async) (closure user_data): called when it has run
 * @user_data: for @callback
 *
 * Compares without blocking.
 *
 * Since: 0.1
 */
void
weft_comparison_run_async (WeftComparison *self, GCancellable *cancellable,
                           GFileProgressCallback progress, gpointer progress_data,
                           GDestroyNotify progress_destroy, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (WEFT_IS_COMPARISON (self));

  weft_report_task_run (self, run,
                        (WeftReportProgress){ progress, progress_data, progress_destroy },
                        cancellable, callback, user_data);
}

/**
 * weft_comparison_run_finish:
 * @self: a comparison
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Comparison.run_async] began.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftReport *
weft_comparison_run_finish (WeftComparison *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (WEFT_IS_COMPARISON (self), NULL);

  return weft_report_task_finish (self, result, error);
}
