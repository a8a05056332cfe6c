/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-source.h"

G_BEGIN_DECLS

/* CPU events from the kernel's performance events. One thread. */
typedef struct _WeftPerfSource WeftPerfSource;

/* Opens them, and tells the tracker of processes that run already. G_IO_ERROR_PERMISSION_DENIED:
 * they are closed to us; G_IO_ERROR_NOT_FOUND: there is no such process; G_IO_ERROR_NOT_SUPPORTED,
 * …
 */
WeftPerfSource *weft_perf_source_new (const WeftCpuSourceOptions *options, WeftCpuTracker *tracker,
                                      WeftCpuFacts *facts, GError **error);
void weft_perf_source_free (WeftPerfSource *self);

/* Until there are many events, DESCRIPTOR is readable, or the time (CLOCK_MONOTONIC ns) has come.
 */
void weft_perf_source_wait (WeftPerfSource *self, int descriptor, gint64 until);

/* When the rings are to be drained at the latest, whatever comes. */
gint64 weft_perf_source_get_next_drain (WeftPerfSource *self);

/* Tells the tracker of all events of before WATERMARK. */
void weft_perf_source_drain (WeftPerfSource *self, gint64 watermark);

/* No new events from now on. */
void weft_perf_source_disable (WeftPerfSource *self);

/* Counts up to now; SAMPLER_CPU is not known here. */
void weft_perf_source_get_status (WeftPerfSource *self, WeftCpuSourceStatus *status);

/* What turned up since the last call is added to NOTES; at the end, what there was in all. */
void weft_perf_source_take_notes (WeftPerfSource *self, GPtrArray *notes, gboolean at_end);

G_END_DECLS
