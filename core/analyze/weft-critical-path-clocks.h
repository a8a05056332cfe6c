/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* How far the times of lanes may be off beside those of threads, as the pairs of their clocks tell.
 */
typedef struct _WeftPathClocks WeftPathClocks;

WeftPathClocks *weft_path_clocks_new (const WeftAnalysisScope *scope, GError **error);
void weft_path_clocks_free (WeftPathClocks *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPathClocks, weft_path_clocks_free)

/* In ns: 0 within the clock of the lane's own runtime, G_MAXINT64 where no pairs are around both
 * times.
 */
gint64 weft_path_clocks_get_error (const WeftPathClocks *self, guint32 lane, gint64 start,
                                   gint64 end);

G_END_DECLS
