/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-ingest.h"

G_BEGIN_DECLS

/*
 * How busy the machine is while something is recorded: use of CPUs, memory, input and output, and
 * what each recorded process uses, as gauges and counters on lanes of the core's own (without a
 * runtime, of kinds that begin with "system."). On the engine's thread.
 */
typedef struct _WeftSystemContext WeftSystemContext;

WeftSystemContext *weft_system_context_new (WeftIngest *ingest);
void weft_system_context_free (WeftSystemContext *self);

/* The processes that PID starts are looked for, where nobody else tells of them. 0: none. */
void weft_system_context_set_root (WeftSystemContext *self, int pid);

/* Measures, if it is time. NOW: ns, CLOCK_MONOTONIC. */
void weft_system_context_tick (WeftSystemContext *self, gint64 now);

/* Measures now: in the end, for what happened since. */
void weft_system_context_measure (WeftSystemContext *self, gint64 now);

G_END_DECLS
