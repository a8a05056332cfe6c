/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recording.h"
#include "weft-report.h"

G_BEGIN_DECLS

#define WEFT_TYPE_COMPARISON (weft_comparison_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftComparison, weft_comparison, WEFT, COMPARISON, GObject)

/**
 * WeftComparisonSide:
 * @WEFT_COMPARISON_SIDE_A: what is compared with: before, the baseline
 * @WEFT_COMPARISON_SIDE_B: what is compared: after, the candidate
 *
 * The two sides of a comparison.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_COMPARISON_SIDE_A,
  WEFT_COMPARISON_SIDE_B,
} WeftComparisonSide;

/**
 * WeftComparisonVerdict:
 * @WEFT_COMPARISON_VERDICT_NO_CHANGE: no significant change, or one too small to matter
 * @WEFT_COMPARISON_VERDICT_IMPROVED: significantly better
 * @WEFT_COMPARISON_VERDICT_REGRESSED: significantly worse
 * @WEFT_COMPARISON_VERDICT_CHANGED: significantly different, and neither is better
 * @WEFT_COMPARISON_VERDICT_NEW: only side B has it
 * @WEFT_COMPARISON_VERDICT_VANISHED: only side A has it
 * @WEFT_COMPARISON_VERDICT_CANNOT_JUDGE: the recordings do not suffice; the reason says why
 *
 * What a comparison says of one figure of one thing.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_COMPARISON_VERDICT_NO_CHANGE,
  WEFT_COMPARISON_VERDICT_IMPROVED,
  WEFT_COMPARISON_VERDICT_REGRESSED,
  WEFT_COMPARISON_VERDICT_CHANGED,
  WEFT_COMPARISON_VERDICT_NEW,
  WEFT_COMPARISON_VERDICT_VANISHED,
  WEFT_COMPARISON_VERDICT_CANNOT_JUDGE,
} WeftComparisonVerdict;

WEFT_API WeftComparison *weft_comparison_new (void);

WEFT_API void weft_comparison_add_recording (WeftComparison *self, WeftComparisonSide side,
                                             WeftRecording *recording);
WEFT_API guint weft_comparison_get_n_recordings (WeftComparison *self, WeftComparisonSide side);
WEFT_API WeftRecording *weft_comparison_get_recording (WeftComparison *self,
                                                       WeftComparisonSide side, guint index);
WEFT_API gboolean weft_comparison_set_filter (WeftComparison *self, const char *text,
                                              GError **error);
WEFT_API void weft_comparison_set_range (WeftComparison *self, gint64 begin, gint64 end);
WEFT_API void weft_comparison_set_false_alarms (WeftComparison *self, double rate);
WEFT_API void weft_comparison_set_min_change (WeftComparison *self, double change);
WEFT_API void weft_comparison_set_limit (WeftComparison *self, guint limit);

WEFT_API WeftReport *weft_comparison_run (WeftComparison *self, GCancellable *cancellable,
                                          GError **error);
WEFT_API void weft_comparison_run_async (WeftComparison *self, GCancellable *cancellable,
                                         GFileProgressCallback progress, gpointer progress_data,
                                         GDestroyNotify progress_destroy,
                                         GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftReport *weft_comparison_run_finish (WeftComparison *self, GAsyncResult *result,
                                                 GError **error);

G_END_DECLS
