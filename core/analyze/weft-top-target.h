/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Appends the table "target": the target work, by name, that the scope's filter and range leave;
 * the longest first, some of it. Nothing where the filter is not about target work, or there is
 * none.
 */
gboolean weft_top_target_add (const WeftAnalysisScope *scope, WeftReport *report, GError **error);

G_END_DECLS
