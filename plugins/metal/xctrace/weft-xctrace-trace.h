/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Makes a recording at OUTPUT of what xctrace exported of one run of a trace. INPUTS are GFiles:
 * XML files, or folders of them. RUN is 0 where there is but one. LOSSES gets sentences about what
 * was not carried over.
 */
gboolean weft_xctrace_trace_import (GListModel *inputs, GFile *output, guint run,
                                    WeftProgress *progress, GCancellable *cancellable,
                                    GPtrArray *losses, GError **error);

G_END_DECLS
