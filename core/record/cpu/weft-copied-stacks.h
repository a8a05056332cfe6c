/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-tracker.h"
#include "weft-ingest.h"

G_BEGIN_DECLS

/*
 * Stacks that producers copy where they dispatch and wait become callchains by the same unwinder,
 * and of the same rows, as those of samples; whether CPUs are sampled or not. TRACKER outlives
 * INGEST's use of it: connect with NULL before it goes.
 */
void weft_copied_stacks_connect (WeftIngest *ingest, WeftCpuTracker *tracker);

/* The registers that a producer copied; FALSE if they are another machine's than ours. */
gboolean weft_copied_stack_get_registers (const WeftWireStack *stack, WeftRegisters *registers);

G_END_DECLS
