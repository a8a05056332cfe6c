/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-kind.h"

G_BEGIN_DECLS

/* Whether GPUs were at work: a lane for each GPU, of no process, with its active intervals, and a
 * gauge of how many of its channels were active.
 */
typedef struct _WeftXctraceStates WeftXctraceStates;

extern const WeftXctraceKind weft_xctrace_states_kind;

WeftXctraceStates *weft_xctrace_states_new (void);
void weft_xctrace_states_free (WeftXctraceStates *self);

void weft_xctrace_states_finish (WeftXctraceImport *import, GPtrArray *losses);

G_END_DECLS
