/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-report.h"

G_BEGIN_DECLS

/* Adds the table "arguments", what routines take as their code declares it: of those in ROUTINES, a
 * set of ids. No table where no routine of the recording has any.
 */
gboolean weft_argument_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                                       GHashTable *routines, GError **error);

G_END_DECLS
