/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "simulated-metal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_COMMANDS 4096
#define N_COUNTERS 3
#define HALF_SECOND UINT64_C (500000000)

struct _SimulatedDevice
{
  char name[64];
  SimulatedOptions options;
  uint64_t start;
  uint64_t calls; /* atomic */
  bool capturing;
};

typedef enum
{
  COMMAND_TIMESTAMP,
  COMMAND_SAMPLE,
  COMMAND_WORK,
  COMMAND_TROUBLE,
  COMMAND_COUNTERS_FAIL,
  COMMAND_FAULT,
} CommandKind;

typedef struct
{
  CommandKind kind;
  uint64_t *to; /* entries of a heap or a sample buffer; or the truth */
  uint32_t index;
  uint64_t value; /* duration, trouble */
} Command;

struct _SimulatedBuffer
{
  SimulatedQueue *queue;
  SimulatedBuffer *next;
  Command commands[MAX_COMMANDS];
  uint32_t n;
  SimulatedDone done;
  void *data;
  bool finished;
  int users; /* the GPU and, if it does, who waits */
};

struct _SimulatedQueue
{
  SimulatedDevice *device;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  SimulatedBuffer *first, **end;
  bool held, stopping;
  uint64_t counters[N_COUNTERS]; /* what the GPU has counted so far */
};

static uint64_t
monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static uint64_t
ticks_at (const SimulatedDevice *device, uint64_t time)
{
  double since = (double) (time - device->start), fast = since < HALF_SECOND ? since : HALF_SECOND;
  double local = since + device->options.drift * (fast - (since - fast));

  return 1000000 + (uint64_t) (local * device->options.frequency / 1e9);
}

/* ---- The table ---- */

static void
count_call (SimulatedDevice *device)
{
  __atomic_fetch_add (&device->calls, 1, __ATOMIC_RELAXED);
}

static void *
heap_new (void *data, uint32_t n)
{
  SimulatedDevice *device = data;
  uint64_t *entries = device->options.no_heaps ? NULL : calloc (n, sizeof *entries);

  count_call (device);
  return entries;
}

static void
heap_free (void *data, void *heap)
{
  free (heap);
}

static void
heap_invalidate (void *data, void *heap, uint32_t first, uint32_t n)
{
  memset ((uint64_t *) heap + first, 0, n * sizeof (uint64_t));
}

static Command *
add (SimulatedBuffer *buffer, CommandKind kind, void *to, uint32_t index)
{
  Command *command = &buffer->commands[buffer->n];

  if (buffer->n == MAX_COMMANDS)
    abort ();
  buffer->n++;
  *command = (Command){ .kind = kind, .to = to, .index = index };
  return command;
}

static void
timestamp_write (void *data, void *encoder, void *heap, uint32_t index,
                 WeftMetalGranularity granularity)
{
  count_call (data);
  add (encoder, COMMAND_TIMESTAMP, heap, index);
}

static uint32_t
heap_resolve (void *data, void *heap, uint32_t first, uint32_t n, uint64_t *ticks)
{
  count_call (data);
  memcpy (ticks, (uint64_t *) heap + first, n * sizeof *ticks);
  return n;
}

static bool
clock_read (void *data, uint64_t *ticks)
{
  SimulatedDevice *device = data;

  count_call (device);
  *ticks = ticks_at (device, monotonic ());
  return true;
}

static void *
samples_new (void *data, const char *set, uint32_t n)
{
  if (strcmp (set, "statistic") != 0)
    return NULL;
  return calloc ((size_t) n * N_COUNTERS, sizeof (uint64_t));
}

static void
samples_write (void *data, void *encoder, void *buffer, uint32_t index)
{
  count_call (data);
  add (encoder, COMMAND_SAMPLE, buffer, index);
}

static uint32_t
samples_resolve (void *data, void *buffer, uint32_t first, uint32_t n, uint32_t n_counters,
                 uint64_t *values)
{
  if (n_counters != N_COUNTERS)
    return 0;
  memcpy (values, (uint64_t *) buffer + (size_t) first * N_COUNTERS,
          (size_t) n * N_COUNTERS * sizeof *values);
  return n;
}

static bool
capture_start (void *data, void *object, const char *path, char *reason, size_t size)
{
  SimulatedDevice *device = data;

  if (object == NULL)
    {
      snprintf (reason, size, "there is nothing to capture");
      return false;
    }
  device->capturing = true;
  return true;
}

static void
capture_stop (void *data)
{
  ((SimulatedDevice *) data)->capturing = false;
}

SimulatedDevice *
simulated_device_new (const char *name, const SimulatedOptions *options)
{
  SimulatedDevice *device = calloc (1, sizeof *device);

  if (device == NULL)
    abort ();
  snprintf (device->name, sizeof device->name, "%s", name);
  device->options = *options;
  if (device->options.heap_scale == 0)
    device->options.heap_scale = 1;
  device->start = monotonic ();
  return device;
}

WeftMetalFunctions
simulated_device_get_functions (SimulatedDevice *device)
{
  WeftMetalFunctions functions = {
    .surface =
        device->options.classic ? WEFT_METAL_COUNTER_SAMPLE_BUFFER : WEFT_METAL_TIMESTAMP_HEAP,
    .name = device->name,
    .frequency = device->options.frequency,
    .data = device,
    .heap_new = heap_new,
    .heap_free = heap_free,
    .heap_invalidate = device->options.classic ? NULL : heap_invalidate,
    .timestamp_write = timestamp_write,
    .heap_resolve = heap_resolve,
    .clock_read = clock_read,
    .capture_start = capture_start,
    .capture_stop = capture_stop,
  };

  if (!device->options.no_samples)
    {
      functions.samples_new = samples_new;
      functions.samples_free = heap_free;
      functions.samples_write = samples_write;
      functions.samples_resolve = samples_resolve;
    }
  return functions;
}

uint64_t
simulated_device_get_calls (SimulatedDevice *device)
{
  return __atomic_load_n (&device->calls, __ATOMIC_RELAXED);
}

uint64_t
simulated_device_get_kink (SimulatedDevice *device)
{
  return device->start + HALF_SECOND;
}

/* ---- The GPU ---- */

typedef struct
{
  SimulatedQueue *queue;
  SimulatedTrouble trouble;
  bool counters_fail;
  bool failed;
  uint64_t begin;  /* when the first timestamp of a pair was written */
  uint64_t *truth; /* of the work since then */
} Execution;

/* A timestamp is of the work beside it: the first of a pair of what follows, the second of what
 * came before.
 */
static void
write_timestamp (Execution *execution, const Command *command)
{
  SimulatedDevice *device = execution->queue->device;
  uint64_t now = monotonic (), ticks = ticks_at (device, now);

  ticks = (uint64_t) ((double) ticks * device->options.heap_scale);
  if (command->index % 2 == 0)
    execution->begin = now;
  else if (execution->truth != NULL)
    {
      execution->truth[0] = execution->begin;
      execution->truth[1] = now;
    }
  if (execution->trouble == SIMULATED_ERROR_VALUE && command->index % 2 == 1)
    ticks = WEFT_METAL_ERROR_VALUE;
  else if (execution->trouble == SIMULATED_REVERSED && command->index % 2 == 1)
    ticks = command->to[command->index - 1] - 1;
  if (execution->trouble != SIMULATED_UNWRITTEN || command->index % 2 == 0)
    command->to[command->index] = ticks;
  if (command->index % 2 == 1)
    {
      execution->trouble = SIMULATED_SOUND;
      execution->counters_fail = false;
    }
}

static void
write_sample (Execution *execution, const Command *command)
{
  uint64_t *values = command->to + (size_t) command->index * N_COUNTERS;

  memcpy (values, execution->queue->counters, sizeof execution->queue->counters);
  if (execution->counters_fail)
    values[1] = WEFT_METAL_ERROR_VALUE;
}

/* Kernel invocations of a thousand, cycles as long as it takes. */
static void
work (Execution *execution, const Command *command)
{
  uint64_t start = monotonic ();

  while (monotonic () - start < command->value)
    ;
  execution->queue->counters[0] += 1000;
  execution->queue->counters[1] += command->value;
  execution->queue->counters[2] += 2;
  execution->truth = command->to;
}

static void
execute (SimulatedQueue *queue, SimulatedBuffer *buffer)
{
  Execution execution = { .queue = queue };
  double start = (double) monotonic () / 1e9;

  for (uint32_t i = 0; i < buffer->n && !execution.failed; i++)
    {
      const Command *command = &buffer->commands[i];

      switch (command->kind)
        {
        case COMMAND_TIMESTAMP:
          write_timestamp (&execution, command);
          break;
        case COMMAND_SAMPLE:
          write_sample (&execution, command);
          break;
        case COMMAND_WORK:
          work (&execution, command);
          break;
        case COMMAND_TROUBLE:
          execution.trouble = (SimulatedTrouble) command->value;
          break;
        case COMMAND_COUNTERS_FAIL:
          execution.counters_fail = true;
          break;
        case COMMAND_FAULT:
          execution.failed = true;
          break;
        }
    }
  if (buffer->done != NULL)
    buffer->done (execution.failed, start, (double) monotonic () / 1e9, buffer->data);
}

static void
release_buffer (SimulatedBuffer *buffer)
{
  SimulatedQueue *queue = buffer->queue;
  bool last;

  pthread_mutex_lock (&queue->lock);
  buffer->finished = true;
  last = --buffer->users == 0;
  pthread_cond_broadcast (&queue->changed);
  pthread_mutex_unlock (&queue->lock);
  if (last)
    free (buffer);
}

static void *
run_gpu (void *data)
{
  SimulatedQueue *queue = data;

  for (;;)
    {
      SimulatedBuffer *buffer;

      pthread_mutex_lock (&queue->lock);
      while (queue->held || (queue->first == NULL && !queue->stopping))
        pthread_cond_wait (&queue->changed, &queue->lock);
      buffer = queue->first;
      if (buffer != NULL && (queue->first = buffer->next) == NULL)
        queue->end = &queue->first;
      pthread_mutex_unlock (&queue->lock);
      if (buffer == NULL)
        return NULL;
      execute (queue, buffer);
      release_buffer (buffer);
    }
}

SimulatedQueue *
simulated_queue_new (SimulatedDevice *device)
{
  SimulatedQueue *queue = calloc (1, sizeof *queue);

  if (queue == NULL)
    abort ();
  queue->device = device;
  queue->end = &queue->first;
  pthread_mutex_init (&queue->lock, NULL);
  pthread_cond_init (&queue->changed, NULL);
  if (pthread_create (&queue->thread, NULL, run_gpu, queue) != 0)
    abort ();
  return queue;
}

static void
change (SimulatedQueue *queue, bool *what, bool value)
{
  pthread_mutex_lock (&queue->lock);
  *what = value;
  pthread_cond_broadcast (&queue->changed);
  pthread_mutex_unlock (&queue->lock);
}

void
simulated_queue_hold (SimulatedQueue *queue)
{
  change (queue, &queue->held, true);
}

void
simulated_queue_release (SimulatedQueue *queue)
{
  change (queue, &queue->held, false);
}

void
simulated_queue_free (SimulatedQueue *queue)
{
  change (queue, &queue->stopping, true);
  pthread_join (queue->thread, NULL);
  pthread_mutex_destroy (&queue->lock);
  pthread_cond_destroy (&queue->changed);
  free (queue);
}

/* ---- Command buffers ---- */

SimulatedBuffer *
simulated_buffer_new (SimulatedQueue *queue)
{
  SimulatedBuffer *buffer = malloc (sizeof *buffer);

  if (buffer == NULL)
    abort ();
  buffer->queue = queue;
  buffer->n = 0;
  buffer->next = NULL;
  buffer->finished = false;
  buffer->users = 1;
  return buffer;
}

void
simulated_buffer_work (SimulatedBuffer *buffer, uint64_t duration, uint64_t truth[2])
{
  add (buffer, COMMAND_WORK, truth, 0)->value = duration;
}

void
simulated_buffer_trouble (SimulatedBuffer *buffer, SimulatedTrouble trouble)
{
  add (buffer, COMMAND_TROUBLE, NULL, 0)->value = trouble;
}

void
simulated_buffer_counters_fail (SimulatedBuffer *buffer)
{
  add (buffer, COMMAND_COUNTERS_FAIL, NULL, 0);
}

void
simulated_buffer_fault (SimulatedBuffer *buffer)
{
  add (buffer, COMMAND_FAULT, NULL, 0);
}

void
simulated_buffer_commit (SimulatedBuffer *buffer, bool waits, SimulatedDone done, void *data)
{
  SimulatedQueue *queue = buffer->queue;

  buffer->done = done;
  buffer->data = data;
  buffer->users = waits ? 2 : 1;
  pthread_mutex_lock (&queue->lock);
  *queue->end = buffer;
  queue->end = &buffer->next;
  pthread_cond_broadcast (&queue->changed);
  pthread_mutex_unlock (&queue->lock);
}

void
simulated_buffer_wait (SimulatedBuffer *buffer)
{
  SimulatedQueue *queue = buffer->queue;

  pthread_mutex_lock (&queue->lock);
  while (!buffer->finished)
    pthread_cond_wait (&queue->changed, &queue->lock);
  pthread_mutex_unlock (&queue->lock);
  release_buffer (buffer);
}

void
simulated_buffer_discard (SimulatedBuffer *buffer)
{
  free (buffer);
}
