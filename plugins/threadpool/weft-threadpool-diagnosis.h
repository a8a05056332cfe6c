/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Checks of what thread pools did in RECORDING, by their lanes, metrics and items; element type
 * WeftFinding. None if there is no pool in it.
 */
GListModel *weft_threadpool_diagnose (WeftRecording *recording, GCancellable *cancellable,
                                      GError **error);

G_END_DECLS
