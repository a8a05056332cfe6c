/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-source.h"

G_BEGIN_DECLS

/*
 * The CPU's part of a recording, put together: modules, the tracker and its rows, and a
 * source of events where one is asked for. The engine's thread calls it, apart from what says
 * otherwise.
 */
typedef struct _WeftCpuRecording WeftCpuRecording;

typedef struct
{
  WeftCpuTrackerStatus tracker;
  WeftCpuSourceStatus source;
  const char *sampler; /* as in WeftCpuFacts */
  const char *missing; /* owned by the recording; does not change after the start */
} WeftCpuRecordingStatus;

/* All outlive it. */
WeftCpuRecording *weft_cpu_recording_new (WeftIngest *ingest, WeftSymbolSource *symbols,
                                          WeftLinker *linker, GMainContext *context);

/* Starts to sample. Any thread, once; before others call any of this. */
gboolean weft_cpu_recording_open (WeftCpuRecording *self, const WeftCpuSourceOptions *options,
                                  GError **error);

/* Takes no more events. Any thread. */
void weft_cpu_recording_stop (WeftCpuRecording *self);

/* Writes what became known; every 100 ms or so. */
void weft_cpu_recording_tick (WeftCpuRecording *self, gint64 now);

/* Writes what the sampler has handed over so far. */
void weft_cpu_recording_drain (WeftCpuRecording *self);

/* Likewise, and what was held until more is known of it: nothing more is going to come. */
void weft_cpu_recording_settle (WeftCpuRecording *self);

/* Waits until the sampler has handed over what follows from the events until now; until DEADLINE
 * (CLOCK_MONOTONIC ns) at most. Any thread but the sampler's, before stop.
 */
void weft_cpu_recording_catch_up (WeftCpuRecording *self, gint64 deadline);

/* Writes the rest, but for symbols. After stop. */
void weft_cpu_recording_finish (WeftCpuRecording *self);
void weft_cpu_recording_free (WeftCpuRecording *self);

/* Whether there were processes to attach to, and they have all ended. */
gboolean weft_cpu_recording_is_over (WeftCpuRecording *self);

void weft_cpu_recording_get_status (WeftCpuRecording *self, WeftCpuRecordingStatus *status);

/* Any thread, until free. */
WeftCpuTracker *weft_cpu_recording_get_tracker (WeftCpuRecording *self);

G_END_DECLS
