/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-source.h"

G_BEGIN_DECLS

/*
 * CPU events by stopping the threads that run for a moment, where the kernel's performance events
 * are closed. When threads ran and waited is seen only at the moments of a look: approximately.
 *
 * One thread makes it and uses it: it is the tracer.
 */
typedef struct _WeftPtraceSource WeftPtraceSource;

/* G_IO_ERROR_PERMISSION_DENIED: the program cannot be traced; G_IO_ERROR_NOT_FOUND: there is no
 * such process.
 */
WeftPtraceSource *weft_ptrace_source_new (const WeftCpuSourceOptions *options,
                                          WeftCpuTracker *tracker, WeftCpuFacts *facts,
                                          GError **error);

/* Lets go of what still runs. */
void weft_ptrace_source_free (WeftPtraceSource *self);

/* Samples until a look after UNTIL (CLOCK_MONOTONIC ns), which is at most a period away. */
void weft_ptrace_source_run (WeftPtraceSource *self, gint64 until);

void weft_ptrace_source_get_status (WeftPtraceSource *self, WeftCpuSourceStatus *status);
void weft_ptrace_source_take_notes (WeftPtraceSource *self, GPtrArray *notes);

G_END_DECLS
