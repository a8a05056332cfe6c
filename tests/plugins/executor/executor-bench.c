/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to tell of a call: from its request to its end, through a queue behind a lock, with
 * three changes of the queue. The same without the header, with it while nobody listens, with a
 * listener, and with a recorder; bursts by turns, the median of each.
 */

#define WEFT_EXECUTOR_IMPLEMENTATION
#include "test-recorder.h"
#include "weft-executor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 61
#define BURST 2000

typedef struct
{
  WeftExecutorTask *task;
  WeftExecutorMethod *method;
  WeftExecutorWorker *worker;
  pthread_mutex_t lock;
  WeftExecutorCall *volatile queue;
  unsigned int pending;
  unsigned int in_flight;
} Pool;

typedef enum
{
  BARE,
  OFF,
  LISTENED,
  COUNTED,
  RECORDED,
  N_WAYS
} Way;

static const char *const names[N_WAYS] = { "executor-bare", "executor-off", "executor-listened",
                                           "executor-counted", "executor-recorded" };

static inline __attribute__ ((always_inline)) void
changed (Pool *pool, bool told)
{
  if (told)
    weft_executor_queue_changed (pool->task, pool->pending, pool->in_flight, 0);
}

static inline __attribute__ ((always_inline)) void
run_call (Pool *pool, WeftExecutorCall *call, bool told)
{
  if (told)
    weft_executor_call_begin (call, pool->method, NULL);
  pthread_mutex_lock (&pool->lock);
  pool->queue = call;
  pool->pending++;
  if (told)
    weft_executor_call_enqueue (call);
  changed (pool, told);
  pthread_mutex_unlock (&pool->lock);

  pthread_mutex_lock (&pool->lock);
  call = pool->queue;
  pool->pending--;
  pool->in_flight++;
  if (told)
    weft_executor_call_dispatch (call, pool->worker);
  changed (pool, told);
  pthread_mutex_unlock (&pool->lock);

  pthread_mutex_lock (&pool->lock);
  pool->in_flight--;
  if (told)
    weft_executor_call_end (call, WEFT_EXECUTOR_SUCCEEDED, NULL);
  changed (pool, told);
  pthread_mutex_unlock (&pool->lock);
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static __attribute__ ((noinline)) double
time_bare (Pool *pool, WeftExecutorCall *call)
{
  double begin = now ();

  for (int i = 0; i < BURST; i++)
    run_call (pool, call, false);
  return (now () - begin) / BURST;
}

static __attribute__ ((noinline)) double
time_told (Pool *pool, WeftExecutorCall *call)
{
  double begin = now ();

  for (int i = 0; i < BURST; i++)
    run_call (pool, call, true);
  return (now () - begin) / BURST;
}

static int
hear (const WeftExecutorEvent *event, void *data)
{
  *(uint64_t *) data += event->kind;
  return 0;
}

static int
compare (const void *a, const void *b)
{
  const double *left = a, *right = b;

  return *left < *right ? -1 : *left > *right;
}

static double
median (double *values, size_t n)
{
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

static double
measure (Pool *pool, WeftExecutorRuntime *runtime, Way way)
{
  static WeftExecutorCall call;
  static uint64_t heard;
  uint32_t number = 0;
  double result;

  if (way == BARE)
    return time_bare (pool, &call);
  weft_executor_enable_spans (runtime, way != COUNTED);
  if (way == LISTENED)
    number = weft_executor_subscribe (runtime, hear, &heard);
  result = time_told (pool, &call);
  weft_executor_unsubscribe (runtime, number);
  return result;
}

/* Ways by turns, so that whatever else the machine does meets all of them. */
static void
measure_ways (Pool *pool, WeftExecutorRuntime *runtime, Way first, Way end, TestRecorder *recorder,
              double values[][ROUNDS])
{
  for (int i = -3; i < ROUNDS; i++)
    for (Way way = first; way < end; way++)
      {
        double value = measure (pool, runtime, way);

        if (i >= 0)
          values[way][i] = value;
        if (recorder != NULL)
          test_recorder_drain (recorder);
      }
}

int
main (void)
{
  const WeftExecutorConfiguration configuration = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const WeftExecutorTaskInfo info = { .id = "resize", .name = "Resize", .max_depth = 100 };
  static double values[N_WAYS][ROUNDS], off[ROUNDS];
  TestRecorder *recorder = test_recorder_new ();
  WeftExecutorRuntime *runtime = weft_executor_runtime_new (&configuration);
  Pool pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

  pool.task = weft_executor_task_new (runtime, &info);
  pool.method = weft_executor_method_new (pool.task, "process");
  pool.worker = weft_executor_worker_new (pool.task, 0);
  measure_ways (&pool, runtime, BARE, COUNTED, NULL, values);
  for (int i = 0; i < ROUNDS; i++)
    off[i] = values[OFF][i] - values[BARE][i];
  test_recorder_start (recorder);
  measure_ways (&pool, runtime, COUNTED, N_WAYS, recorder, values);
  for (Way way = BARE; way < N_WAYS; way++)
    printf ("%s %.1f ns\n", names[way], median (values[way], ROUNDS));
  printf ("executor-off-extra %.1f ns\n", median (off, ROUNDS));
  weft_executor_runtime_free (runtime);
  test_recorder_free (recorder);
  return 0;
}
