/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* The flame graph of target time: lanes, and on each the routines by the nesting of their spans. */
gboolean weft_flame_run_target (const WeftAnalysisScope *scope, WeftReport *report, GError **error);

G_END_DECLS
