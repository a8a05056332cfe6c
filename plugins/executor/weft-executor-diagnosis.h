/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Checks of what task runtimes did in RECORDING, by their metrics and lanes; element type
 * WeftFinding. None if nothing of theirs is in it.
 */
GListModel *weft_executor_diagnose (WeftRecording *recording, GCancellable *cancellable,
                                    GError **error);

G_END_DECLS
