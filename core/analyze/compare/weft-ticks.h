/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-measures.h"
#include "weft-report.h"

G_BEGIN_DECLS

/* Loops whose steps have numbers: what they did at the same step in each recording. A vocabulary
 * says by which tag the dispatches of a kind of lane are numbered: its word for “sequence”.
 */
typedef struct _WeftTicks WeftTicks;

WeftTicks *weft_ticks_new (void);
void weft_ticks_free (WeftTicks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTicks, weft_ticks_free)

/* Takes in the recording of SCOPE, which stands on SIDE. */
gboolean weft_ticks_read (WeftTicks *self, const WeftAnalysisScope *scope, WeftComparisonSide side,
                          GError **error);
/* Once all are in: what they say as a whole, and the table of the steps that differ most. */
void weft_ticks_observe (WeftTicks *self, WeftMeasures *measures);
void weft_ticks_report (WeftTicks *self, WeftReport *report);

G_END_DECLS
