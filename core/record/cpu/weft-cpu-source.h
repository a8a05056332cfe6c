/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-facts.h"
#include "weft-cpu-tracker.h"
#include "weft-program.h"

G_BEGIN_DECLS

/*
 * Where CPU events come from: chooses among what this machine and its permissions allow, and has a
 * thread of its own ("weft-sampler") that takes the events and tells the tracker.
 */
typedef struct _WeftCpuSource WeftCpuSource;

#define WEFT_CPU_FREQUENCY 997
#define WEFT_CPU_STACK_BYTES 16384

typedef struct
{
  WeftSampler sampler;
  guint frequency;      /* Hz; 0: WEFT_CPU_FREQUENCY */
  guint stack_bytes;    /* copied with each sample; 0: WEFT_CPU_STACK_BYTES */
  WeftProgram *program; /* held; it and all that it starts; or NULL */
  const int *pids;      /* processes that run already, with their children */
  guint n_pids;
  gboolean system;   /* all processes, whatever program is launched */
  gboolean no_waits; /* switches are not watched */
} WeftCpuSourceOptions;

typedef struct
{
  guint64 events;         /* that arrived, of any kind */
  guint64 samples;        /* of CPU time */
  guint64 lost;           /* events that did not arrive */
  guint64 sampler_cpu;    /* ns of CPU time of the sampler's thread */
  guint64 target_stopped; /* ns that the program stood still or was interrupted, as far as known */
} WeftCpuSourceStatus;

/* Returns once everything is in place: a held program can be let go then. TRACKER outlives it.
 * FACTS gets what was chosen, and why no more; events of a sampler WEFT_SAMPLER_OFF, or of none
 * that works here, never come. Errors: somebody asked for something that cannot be had.
 */
WeftCpuSource *weft_cpu_source_new (const WeftCpuSourceOptions *options, WeftCpuTracker *tracker,
                                    WeftCpuFacts *facts, GError **error);

/* Waits until the events of before now were taken, and the tracker handed over what follows from
 * them; until DEADLINE (CLOCK_MONOTONIC ns) at most. Any thread but the sampler's.
 */
void weft_cpu_source_catch_up (WeftCpuSource *self, gint64 deadline);

/* Takes what is still there, and ends the thread; the tracker is for others to finish. Any thread.
 */
void weft_cpu_source_stop (WeftCpuSource *self);

/* Stops it, too. */
void weft_cpu_source_free (WeftCpuSource *self);

/* Any thread. */
void weft_cpu_source_get_status (WeftCpuSource *self, WeftCpuSourceStatus *status);

/* What turned up since the last call; element-type WeftCpuNote. Any thread. */
GPtrArray *weft_cpu_source_take_notes (WeftCpuSource *self);

G_END_DECLS
