/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-measures.h"
#include "weft-report.h"

G_BEGIN_DECLS

/* Which sources, by their paths, are not the same on both sides. */
typedef struct _WeftSourceChanges WeftSourceChanges;

WeftSourceChanges *weft_source_changes_new (void);
void weft_source_changes_free (WeftSourceChanges *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSourceChanges, weft_source_changes_free)

gboolean weft_source_changes_read (WeftSourceChanges *self, const WeftAnalysisScope *scope,
                                   WeftComparisonSide side, GError **error);
/* Says so of the routines in them. */
void weft_source_changes_mark (WeftSourceChanges *self, WeftMeasures *measures);
void weft_source_changes_report (WeftSourceChanges *self, WeftReport *report);

G_END_DECLS
