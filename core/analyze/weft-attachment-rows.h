/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"

G_BEGIN_DECLS

/* Appends a table NAME of all that dispatch ID touched, in full, to REPORT. */
gboolean weft_attachment_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                                         const char *name, guint64 dispatch, GError **error);

G_END_DECLS
