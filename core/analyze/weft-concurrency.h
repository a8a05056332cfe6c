/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/*
 * How many others ran beside a dispatch: time of theirs within its own, by its duration. That does
 * not grow just because the dispatch took longer.
 *
 * One reading of all dispatches answers for any number of them: the time that ran before a point is
 * the sum over all starts before it less the sum over all ends.
 */
typedef struct _WeftConcurrency WeftConcurrency;

WeftConcurrency *weft_concurrency_new (void);
void weft_concurrency_free (WeftConcurrency *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftConcurrency, weft_concurrency_free)

/* Returns its place. DEPTH is that of the dispatch; what is nested in others is not counted. */
guint weft_concurrency_add (WeftConcurrency *self, guint32 lane, guint32 depth, gint64 start,
                            gint64 end);
gboolean weft_concurrency_run (WeftConcurrency *self, const WeftAnalysisScope *scope,
                               GError **error);
/* Then. */
double weft_concurrency_get_same_lane (WeftConcurrency *self, guint place);
double weft_concurrency_get_other_lanes (WeftConcurrency *self, guint place);

G_END_DECLS
