/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recorder.h"

G_BEGIN_DECLS

/* As weft_recorder_flush (), and waits for the names of functions on stacks, but not for long. */
gboolean weft_recorder_flush_named (WeftRecorder *self, GCancellable *cancellable, GError **error);

G_END_DECLS
