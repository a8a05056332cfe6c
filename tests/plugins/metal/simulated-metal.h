/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Metal-shaped device that runs here: it fills the table of weft-metal.h as the Objective-C does
 * on macOS. Each queue has a thread that stands for the GPU. Its clock is CLOCK_MONOTONIC at
 * another rate, so that for each timestamp the true time is known.
 */
#pragma once

#include "weft-metal.h"

typedef struct _SimulatedDevice SimulatedDevice;
typedef struct _SimulatedQueue SimulatedQueue;
typedef struct _SimulatedBuffer SimulatedBuffer;

typedef struct
{
  double frequency;  /* as stated, ticks a second */
  double drift;      /* the true rate is this share faster; after half a second slower */
  double heap_scale; /* ticks in heaps are this many of those of the clock; 0 is 1 */
  bool classic;      /* counter sample buffers that cannot be made unwritten */
  bool no_samples;   /* no counter sample buffers at all */
  bool no_heaps;
} SimulatedOptions;

SimulatedDevice *simulated_device_new (const char *name, const SimulatedOptions *options);
WeftMetalFunctions simulated_device_get_functions (SimulatedDevice *device);
uint64_t simulated_device_get_calls (SimulatedDevice *device);
uint64_t
simulated_device_get_kink (SimulatedDevice *device); /* CLOCK_MONOTONIC: its rate changed */

SimulatedQueue *simulated_queue_new (SimulatedDevice *device);
void simulated_queue_free (SimulatedQueue *queue); /* runs what was committed first */

/* While held, nothing that was committed runs. */
void simulated_queue_hold (SimulatedQueue *queue);
void simulated_queue_release (SimulatedQueue *queue);

/* What the GPU does wrong with the timestamps of the work that is encoded next. */
typedef enum
{
  SIMULATED_SOUND,
  SIMULATED_UNWRITTEN,
  SIMULATED_ERROR_VALUE,
  SIMULATED_REVERSED,
} SimulatedTrouble;

SimulatedBuffer *simulated_buffer_new (SimulatedQueue *queue);
/* Work of DURATION ns. TRUTH (or NULL) gets its true start and end: CLOCK_MONOTONIC ns. */
void simulated_buffer_work (SimulatedBuffer *buffer, uint64_t duration, uint64_t truth[2]);
void simulated_buffer_trouble (SimulatedBuffer *buffer, SimulatedTrouble trouble);
void simulated_buffer_counters_fail (SimulatedBuffer *buffer);
/* Here the GPU meets a page fault, and does nothing of what follows. */
void simulated_buffer_fault (SimulatedBuffer *buffer);

typedef void (*SimulatedDone) (bool failed, double start, double end, void *data);

/* DONE is called on the GPU's thread. If the caller WAITS, the buffer lives until it has waited;
 * else it is gone.
 */
void simulated_buffer_commit (SimulatedBuffer *buffer, bool waits, SimulatedDone done, void *data);
void simulated_buffer_wait (SimulatedBuffer *buffer);
void simulated_buffer_discard (SimulatedBuffer *buffer); /* instead of committing */
