/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-judgement.h"
#include "weft-report.h"

G_BEGIN_DECLS

/* Appends the main table, of all that was judged, and the one that counts verdicts. LIMIT: rows
 * without a change of each scope at most; 0: all.
 */
void weft_compare_report_measures (WeftReport *report, const WeftMeasures *measures,
                                   const WeftJudgementOptions *options, guint limit);

/* Appends the table of recordings: SIDES of WeftRecording. */
gboolean weft_compare_report_recordings (WeftReport *report, GPtrArray *const *sides,
                                         GCancellable *cancellable, GError **error);

G_END_DECLS
