/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call of libweft-target costs: one line a figure, "name value unit". A thread of the
 * benchmark drains as a recorder would. Prints no judgement: see docs/producer-guide.md.
 */
#include "test-recorder.h"
#include "weft-target.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define BURST 1000
#define BURSTS 2000
#define BARRIER() __asm__ volatile ("" : : : "memory")

static WeftTargetLane *lane;
static WeftTargetMetric *metric;
static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("bench");
static TestRecorder *recorder;
static int finished;
static size_t drained;

static uint64_t
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void
pause_ns (uint64_t ns)
{
  const struct timespec wait = { (time_t) (ns / 1000000000u), (long) (ns % 1000000000u) };

  nanosleep (&wait, NULL);
}

static void *
drain (void *data)
{
  while (!__atomic_load_n (&finished, __ATOMIC_ACQUIRE))
    {
      drained += test_recorder_drain (recorder);
      pause_ns (1000000);
    }
  return NULL;
}

/* ---- What is measured ---- */

static void
empty (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    BARRIER ();
}

#if defined(__x86_64__)
static void
one_rdtsc (unsigned int n)
{
  uint64_t sum = 0;

  for (unsigned int i = 0; i < n; i++)
    {
      sum += __rdtsc ();
      BARRIER ();
    }
  __asm__ volatile ("" : : "r"(sum));
}

static void
two_rdtsc (unsigned int n)
{
  uint64_t sum = 0;

  for (unsigned int i = 0; i < n; i++)
    {
      sum += __rdtsc ();
      BARRIER ();
      sum ^= __rdtsc ();
      BARRIER ();
    }
  __asm__ volatile ("" : : "r"(sum));
}
#endif

static void
span_given (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      weft_target_span (lane, &routine, 1000 + i, 1100 + i);
      BARRIER ();
    }
}

static void
dispatch_ids (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      const WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .start = 1000 + i,
                                            .end = 1100 + i, .id = i + 1, .submission = 7,
                                            .queue = 1 };

      weft_target_dispatch (&dispatch);
      BARRIER ();
    }
}

static void
span_ids (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      const WeftTargetIds ids = { .id = i + 1, .submission = 7, .queue = 1 };

      weft_target_span_with_ids (lane, &routine, 1000 + i, 1100 + i, &ids);
      BARRIER ();
    }
}

/* The struct made once, its varying fields set: what a loop that cares would do. */
static void
dispatch_reused (unsigned int n)
{
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .submission = 7, .queue = 1 };

  for (unsigned int i = 0; i < n; i++)
    {
      dispatch.start = 1000 + i;
      dispatch.end = 1100 + i;
      dispatch.id = i + 1;
      weft_target_dispatch (&dispatch);
      BARRIER ();
    }
}

static void
span_scoped (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      weft_target_span_end (weft_target_span_begin (lane, &routine));
      BARRIER ();
    }
}

static void
origin (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      WeftTargetOrigin made = weft_target_origin ();

      __asm__ volatile ("" : : "r"(made.ticks) : "memory");
    }
}

static void
origin_stack (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    {
      WeftTargetRoleOrigin where = { WEFT_TARGET_ROLE_DISPATCH, weft_target_origin_with_stack () };
      const WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .start = 1000 + i,
                                            .end = 1100 + i, .id = i + 1, .origins = &where,
                                            .n_origins = 1 };

      weft_target_dispatch (&dispatch);
    }
}

static void
metric_report (unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    weft_target_metric_report (metric, i);
}

/* ---- Measuring ---- */

static int
compare (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
measure (const char *name, void (*function) (unsigned int), unsigned int burst,
         unsigned int bursts, uint64_t gap)
{
  double *times = malloc (bursts * sizeof *times), sum = 0;

  function (burst);
  for (unsigned int i = 0; i < bursts; i++)
    {
      uint64_t before = now_ns ();

      function (burst);
      times[i] = (double) (now_ns () - before) / burst;
      sum += times[i];
      if (gap != 0)
        pause_ns (gap);
    }
  qsort (times, bursts, sizeof *times, compare);
  printf ("%s_median %.2f ns\n%s_mean %.2f ns\n", name, times[bursts / 2], name, sum / bursts);
  fflush (stdout);
  free (times);
}

/* Writes at RATE a second, in groups of GROUP, for a second; prints what was lost. */
static void
lose (const char *name, uint64_t rate, unsigned int group, unsigned int groups, uint64_t gap)
{
  WeftTargetStats before, after;
  uint64_t start, interval = group * UINT64_C (1000000000) / rate;

  weft_target_get_stats (&before, sizeof before);
  start = now_ns ();
  for (unsigned int i = 0; i < groups; i++)
    {
      span_given (group);
      if (gap != 0)
        pause_ns (gap);
      else
        while (now_ns () < start + (i + 1) * interval)
          BARRIER ();
    }
  weft_target_get_stats (&after, sizeof after);
  printf ("%s_records %llu\n%s_lost %llu\n", name,
          (unsigned long long) (after.queued - before.queued), name,
          (unsigned long long) (after.dropped - before.dropped));
}

static void
measure_all (void)
{
  pause_ns (20000000);
  measure ("span_given_paced", span_given, BURST, BURSTS, 50000);
  measure ("span_given_sustained", span_given, BURST, 10 * BURSTS, 0);
  pause_ns (50000000);
  measure ("span_ids_paced", span_ids, BURST, BURSTS, 50000);
  measure ("dispatch_ids_paced", dispatch_ids, BURST, BURSTS, 50000);
  measure ("dispatch_reused_paced", dispatch_reused, BURST, BURSTS, 50000);
  measure ("dispatch_ids_sustained", dispatch_ids, BURST, 4 * BURSTS, 0);
  pause_ns (50000000);
  measure ("span_scoped_paced", span_scoped, BURST, BURSTS, 50000);
  measure ("span_scoped_sustained", span_scoped, BURST, 5 * BURSTS, 0);
  measure ("origin", origin, BURST, BURSTS, 0);
  /* As the budget of 20,000 a second lets them come; and a second's share of memory at once. */
  measure ("origin_stack_paced", origin_stack, 16, 500, 800000);
  measure ("origin_stack_burst", origin_stack, BURST, 10, 60000000);
  measure ("metric_report", metric_report, BURST, BURSTS, 50000);
  lose ("burst_10M_per_s", 10000000, BURST, 1000, 1000000);
  lose ("steady_2M_per_s", 2000000, 100, 20000, 0);
}

int
main (void)
{
  WeftTargetStats stats;
  pthread_t thread;

  recorder = test_recorder_new ();
  recorder->keep = false;
  lane = weft_target_lane_new ("bench", "bench.lane");
  metric = weft_target_metric_new (lane, WEFT_TARGET_COUNTER, "count", WEFT_TARGET_UNIT_COUNT,
                                   NULL, NULL, 0);
  measure ("empty", empty, BURST, BURSTS, 0);
  measure ("inactive_span", span_given, BURST, BURSTS, 0);
#if defined(__x86_64__)
  measure ("rdtsc_1", one_rdtsc, BURST, BURSTS, 0);
  measure ("rdtsc_2", two_rdtsc, BURST, BURSTS, 0);
#endif
  test_recorder_start (recorder);
  weft_target_span (lane, &routine, 1, 2);
  pthread_create (&thread, NULL, drain, NULL);
  measure_all ();
  __atomic_store_n (&finished, 1, __ATOMIC_RELEASE);
  pthread_join (thread, NULL);
  drained += test_recorder_drain (recorder);
  weft_target_get_stats (&stats, sizeof stats);
  printf ("queued %llu\ndrained %zu\ndropped %llu\nstacks_skipped %llu\ngaps %llu\nfault %s\n",
          (unsigned long long) stats.queued, drained, (unsigned long long) stats.dropped,
          (unsigned long long) stats.stacks_skipped,
          (unsigned long long) test_peer_gaps (recorder->peers),
          recorder->fault != NULL ? recorder->fault : "none");
  test_recorder_free (recorder);
  return 0;
}
