/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-record-engine.h"
#include "weft-recorder-status.h"

G_BEGIN_DECLS

WeftRecorderStatus *weft_recorder_status_new (WeftRecorderState state,
                                              const WeftEngineStatus *figures);

G_END_DECLS
