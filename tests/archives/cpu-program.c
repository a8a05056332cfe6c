/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What cpu.weft is a recording of: threads that run, wait for each other, and hand work to a lane.
 *
 * The main thread submits work and waits for it; a worker does it, in functions of which one is
 * inlined and one calls itself; a writer takes turns with it at a lock, and a reader sleeps and
 * waits at a pipe.
 */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "weft-target.h"

#define N_WORKS 8
#define MS 1000000L

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_changed = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static int n_submitted;
static int n_done;
static int pipe_ends[2];
static volatile uint64_t sink;

static WeftTargetLane *lane;
static WeftTargetRoutine *routine;
static WeftTargetOrigin submitted_by[N_WORKS];
static uint64_t ids[N_WORKS];

static void
pause_for (long nanoseconds)
{
  struct timespec time = { 0, nanoseconds };

  nanosleep (&time, NULL);
}

static inline __attribute__ ((always_inline)) uint64_t
mix (uint64_t value)
{
  value ^= value >> 31;
  value *= UINT64_C (0x9e3779b97f4a7c15);
  return value ^ value >> 29;
}

static int64_t
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

__attribute__ ((noinline)) static void
churn (int64_t nanoseconds)
{
  int64_t until = now () + nanoseconds;
  uint64_t value = 1;

  while (now () < until)
    for (int i = 0; i < 20000; i++)
      value = mix (value);
  sink = value;
}

__attribute__ ((noinline)) static void
descend (int depth)
{
  if (depth > 0)
    descend (depth - 1);
  else
    churn (4 * MS);
  sink++;
}

__attribute__ ((noinline)) static void
run_work (int number)
{
  uint64_t start = weft_target_now ();
  WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_DISPATCH, submitted_by[number] };

  pthread_mutex_lock (&shared_lock);
  churn (12 * MS);
  pthread_mutex_unlock (&shared_lock);
  descend (4);
  weft_target_dispatch (&(WeftTargetDispatch){ .lane = lane,
                                               .routine = routine,
                                               .start = start,
                                               .end = weft_target_now (),
                                               .id = ids[number],
                                               .origins = &origin,
                                               .n_origins = 1 });
}

static void *
work (void *data)
{
  pthread_setname_np (pthread_self (), "worker");
  for (int i = 0; i < N_WORKS; i++)
    {
      pthread_mutex_lock (&queue_lock);
      while (n_submitted <= i)
        pthread_cond_wait (&queue_changed, &queue_lock);
      pthread_mutex_unlock (&queue_lock);
      run_work (i);
      pthread_mutex_lock (&queue_lock);
      n_done = i + 1;
      pthread_cond_broadcast (&queue_changed);
      pthread_mutex_unlock (&queue_lock);
    }
  return data;
}

static void *
write_some (void *data)
{
  pthread_setname_np (pthread_self (), "writer");
  for (int i = 0; i < N_WORKS; i++)
    {
      pthread_mutex_lock (&shared_lock);
      churn (6 * MS);
      pthread_mutex_unlock (&shared_lock);
      if (write (pipe_ends[1], "x", 1) != 1)
        break;
      pause_for (5 * MS);
    }
  close (pipe_ends[1]);
  return data;
}

static void *
read_all (void *data)
{
  char byte;

  pthread_setname_np (pthread_self (), "reader");
  while (read (pipe_ends[0], &byte, 1) == 1)
    pause_for (1 * MS);
  return data;
}

__attribute__ ((noinline)) static void
wait_for (int number)
{
  weft_target_report_origin (lane, WEFT_TARGET_ROLE_WAIT_BEGIN, ids[number], 0,
                             weft_target_origin_with_stack ());
  pthread_mutex_lock (&queue_lock);
  while (n_done <= number)
    pthread_cond_wait (&queue_changed, &queue_lock);
  pthread_mutex_unlock (&queue_lock);
  weft_target_report_origin (lane, WEFT_TARGET_ROLE_WAIT_END, ids[number], 0,
                             weft_target_origin_with_stack ());
}

__attribute__ ((noinline)) static void
submit (int number)
{
  churn (2 * MS);
  ids[number] = weft_target_id_new ();
  submitted_by[number] = weft_target_origin_with_stack ();
  pthread_mutex_lock (&queue_lock);
  n_submitted = number + 1;
  pthread_cond_broadcast (&queue_changed);
  pthread_mutex_unlock (&queue_lock);
  wait_for (number);
}

int
main (void)
{
  pthread_t threads[3];

  lane = weft_target_lane_new ("work queue", "threadpool.worker");
  routine = weft_target_routine_new ("run_work");
  if (pipe (pipe_ends) < 0)
    return 1;
  pthread_create (&threads[0], NULL, work, NULL);
  pthread_create (&threads[1], NULL, write_some, NULL);
  pthread_create (&threads[2], NULL, read_all, NULL);
  for (int i = 0; i < N_WORKS; i++)
    submit (i);
  for (int i = 0; i < 3; i++)
    pthread_join (threads[i], NULL);
  return 0;
}
