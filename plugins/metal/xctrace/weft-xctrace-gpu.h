/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-kind.h"

G_BEGIN_DECLS

/* What ran on the channels of GPUs: a lane for each channel and process, a dispatch for each
 * interval.
 */
typedef struct _WeftXctraceGpu WeftXctraceGpu;

extern const WeftXctraceKind weft_xctrace_gpu_kind;

WeftXctraceGpu *weft_xctrace_gpu_new (void);
void weft_xctrace_gpu_free (WeftXctraceGpu *self);

void weft_xctrace_gpu_finish (WeftXctraceImport *import, GPtrArray *losses);

G_END_DECLS
