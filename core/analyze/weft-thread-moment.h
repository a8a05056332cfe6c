/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-catalog.h"
#include "weft-table.h"

G_BEGIN_DECLS

/* What each thread did at a point in time: it ran or waited, since and until when, and for what.
 * NULL in *TABLE where the recording knows nothing of threads.
 */
gboolean weft_thread_moment_read (const WeftAnalysisScope *scope, WeftCatalog *catalog, gint64 at,
                                  WeftTable **table, GError **error);

G_END_DECLS
