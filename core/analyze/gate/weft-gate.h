/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-gate-result.h"
#include "weft-recording.h"

G_BEGIN_DECLS

#define WEFT_TYPE_GATE (weft_gate_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftGate, weft_gate, WEFT, GATE, GObject)

WEFT_API WeftGate *weft_gate_new (void);
WEFT_API gboolean weft_gate_add_threshold (WeftGate *self, const char *text, GError **error);
WEFT_API gboolean weft_gate_load_thresholds (WeftGate *self, GFile *file, GCancellable *cancellable,
                                             GError **error);
WEFT_API guint weft_gate_get_n_thresholds (WeftGate *self);
WEFT_API void weft_gate_add_recording (WeftGate *self, WeftRecording *recording);
WEFT_API void weft_gate_add_baseline (WeftGate *self, WeftRecording *recording);
WEFT_API void weft_gate_set_min_runs (WeftGate *self, guint min_runs);

WEFT_API WeftGateResult *weft_gate_run (WeftGate *self, GCancellable *cancellable, GError **error);
WEFT_API void weft_gate_run_async (WeftGate *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftGateResult *weft_gate_run_finish (WeftGate *self, GAsyncResult *result,
                                               GError **error);

G_END_DECLS
