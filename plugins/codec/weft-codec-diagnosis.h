/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Findings about frames and stages of RECORDING. Called within the time that domains have. */
GListModel *weft_codec_diagnose (WeftRecording *recording, GCancellable *cancellable,
                                 GError **error);

G_END_DECLS
