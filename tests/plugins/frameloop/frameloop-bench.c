/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What it costs a loop to tell of its ticks. Each tick runs 8 systems, a queue and three more
 * phases, and works for about a third of a millisecond. Loops that are on and off take turns in
 * one run, so that what else the machine does falls on both; CPU time of the thread counts. Prints
 * lines NAME VALUE UNIT: frameloop-bench [ROUNDS]
 *
 * Under “weft record” the ticks are recorded as well as kept.
 */

#define WEFT_FRAMELOOP_IMPLEMENTATION
#include "weft-frameloop.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TICKS 200
#define SYSTEMS 8

typedef struct
{
  WeftFrameloop *loop;
  WeftFrameloopSystem *systems[SYSTEMS];
  uint64_t tick;
} Loop;

static volatile uint64_t sink;

static uint64_t
cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static void
work (unsigned n)
{
  uint64_t value = sink;

  for (unsigned i = 0; i < n; i++)
    value = value * 6364136223846793005u + 1442695040888963407u;
  sink = value;
}

static void
run_phase (Loop *self, const char *name, unsigned n)
{
  weft_frameloop_begin_phase (self->loop, name);
  work (n);
  weft_frameloop_end_phase (self->loop);
}

static void
run_tick (Loop *self, unsigned n)
{
  const WeftFrameloopTick tick = {
    .tick = ++self->tick, .host_frame = 16666667, .accumulator = 20000000, .pending = 4
  };

  weft_frameloop_queue_accepted (self->loop, 4);
  weft_frameloop_begin_tick (self->loop, &tick);
  run_phase (self, "commands", n);
  weft_frameloop_queue_drained (self->loop, 4);
  run_phase (self, "eventDispatchBeforeSystems", n);
  for (int i = 0; i < SYSTEMS; i++)
    {
      weft_frameloop_begin_system (self->loop, self->systems[i]);
      work (n);
      weft_frameloop_end_system (self->loop, self->systems[i], NULL);
    }
  run_phase (self, "publish", n);
  weft_frameloop_end_tick (self->loop, 3333333);
}

static Loop *
make_loop (WeftFrameloopEnabled enabled)
{
  static const char *const ids[SYSTEMS] = { "movement", "collision", "pathfinding", "ai",
                                            "economy",  "scripts",   "particles",   "sound" };
  WeftFrameloopOptions options = { .name = "bench", .step = 16666667, .enabled = enabled };
  Loop *self = calloc (1, sizeof *self);

  self->loop = weft_frameloop_new (&options, sizeof options);
  for (int i = 0; i < SYSTEMS; i++)
    self->systems[i] = weft_frameloop_system_new (self->loop, ids[i]);
  return self;
}

/* CPU time of a tick, ns. */
static double
measure (Loop *self, unsigned n, unsigned ticks)
{
  uint64_t before = cpu_time ();

  for (unsigned i = 0; i < ticks; i++)
    run_tick (self, n);
  return (double) (cpu_time () - before) / ticks;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
median (double *values, unsigned n)
{
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

/* The medians of ticks of the one and the other, and of what each pair differs by. */
static void
measure_pairs (Loop *first, Loop *second, unsigned n, unsigned ticks, unsigned rounds,
               double result[3])
{
  double *values = calloc (3 * (size_t) rounds, sizeof *values);

  for (unsigned i = 0; i < rounds; i++)
    {
      /* Whoever comes first in one pair comes second in the next. */
      double a = i & 1 ? 0 : measure (first, n, ticks);
      double b = measure (second, n, ticks);

      if (i & 1)
        a = measure (first, n, ticks);
      values[i] = a;
      values[rounds + i] = b;
      values[2 * rounds + i] = b - a;
    }
  for (int i = 0; i < 3; i++)
    result[i] = median (values + i * rounds, rounds);
  free (values);
}

static void
free_loop (Loop *self)
{
  weft_frameloop_free (self->loop);
  free (self);
}

static void
measure_recorded (Loop *off, Loop *on, unsigned rounds)
{
  double result[3];

  measure_pairs (off, on, 1, 2000, rounds, result);
  printf ("frameloop-recorded %.3f µs\n", result[1] / 1000);
}

/* N: units of work that make a tick of a third of a millisecond. */
static void
measure_kept (Loop *off, Loop *on, unsigned n, unsigned rounds)
{
  double result[3];

  measure_pairs (off, on, n, TICKS, rounds, result);
  printf ("frameloop-tick %.3f µs\n", result[0] / 1000);
  printf ("frameloop-overhead %.3f %%\n", 100 * (result[2] > 0 ? result[2] : 0) / result[0]);
  measure_pairs (off, on, 1, 2000, rounds, result);
  printf ("frameloop-cost %.3f µs\n", result[2] / 1000);
  printf ("frameloop-off %.1f ns\n", result[0]);
}

int
main (int argc, char **argv)
{
  unsigned rounds = argc > 1 ? (unsigned) atoi (argv[1]) : 60;
  Loop *off = make_loop (WEFT_FRAMELOOP_OFF), *on = make_loop (WEFT_FRAMELOOP_ON);
  unsigned n = 20000;

  weft_target_start ();
  for (int i = 0; i < 4; i++)
    n = (unsigned) (n * 330000.0 / measure (off, n, 100)) + 1;
  measure (on, 1, 1000);
  if (weft_target_enabled ())
    measure_recorded (off, on, rounds);
  else
    measure_kept (off, on, n, rounds);
  free_loop (off);
  free_loop (on);
  return 0;
}
