/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-keep-trigger.h"
#include "weft-record-engine.h"
#include "weft-recorder-status.h"

G_BEGIN_DECLS

/* KEPT may be NULL. */
WeftRecorderStatus *weft_recorder_status_new (WeftRecorderState state,
                                              const WeftEngineStatus *figures,
                                              const WeftKeepFigures *kept);

G_END_DECLS
