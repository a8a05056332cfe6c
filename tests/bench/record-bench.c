/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What recording costs the recorder: a producer in a child process, the recorder here. Prints one
 * line per figure: name, value, unit.
 */

#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "weft-record-engine.h"
#include "weft-target.h"

#define N_LANES 8
#define N_ROUTINES 40
#define BURST 1000

typedef struct
{
  const char *name;
  guint64 spans;
  guint64 pause_ns; /* between bursts of 1,000 */
  guint lanes;
  gboolean with_ids;
} Shape;

static const Shape shapes[] = {
  { "steady-2M/s", 10000000, 500000, N_LANES, FALSE },
  { "bursts-10M/s", 5000000, 1000000, N_LANES, FALSE },
  { "ids-1M/s", 3000000, 1000000, 1000, TRUE },
};

static guint64
now_ns (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return (guint64) t.tv_sec * 1000000000 + (guint64) t.tv_nsec;
}

static guint64
next_random (guint64 *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void
wait_until (guint64 time)
{
  struct timespec t = { (time_t) (time / 1000000000), (long) (time % 1000000000) };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void
emit (WeftTargetLane *lane, WeftTargetRoutine *routine, guint64 start, guint64 end, gboolean ids,
      guint64 submission)
{
  WeftTargetDispatch dispatch = { 0 };

  if (!ids)
    {
      weft_target_span (lane, routine, start, end);
      return;
    }
  dispatch.lane = lane;
  dispatch.routine = routine;
  dispatch.start = start;
  dispatch.end = end;
  dispatch.id = weft_target_id_new ();
  dispatch.submission = submission;
  weft_target_dispatch (&dispatch);
}

/* The child. Lanes are on CLOCK_MONOTONIC so that their times can lie in the past. */
static void
produce (const Shape *shape)
{
  g_autofree WeftTargetLane **lanes = g_new (WeftTargetLane *, shape->lanes);
  WeftTargetRoutine *routines[N_ROUTINES];
  g_autofree guint64 *next = g_new (guint64, shape->lanes);
  guint64 random = 88172645463325252u, begin = now_ns (CLOCK_MONOTONIC), submission = 0;
  WeftTargetStats stats;

  for (guint i = 0; i < shape->lanes; i++)
    {
      g_autofree char *name = g_strdup_printf ("queue %u", i);
      WeftTargetLaneInfo info = { .name = name, .kind = "bench.queue",
                                  .clock = WEFT_TARGET_CLOCK_MONOTONIC };

      lanes[i] = weft_target_lane_new_full (&info, sizeof info);
      next[i] = begin;
    }
  for (guint i = 0; i < N_ROUTINES; i++)
    {
      g_autofree char *name = g_strdup_printf ("kernel_%02u", i);

      routines[i] = weft_target_routine_new (name);
    }

  for (guint64 n = 0; n < shape->spans; n += BURST)
    {
      wait_until (begin + n / BURST * shape->pause_ns);
      submission = weft_target_id_new ();
      for (guint i = 0; i < BURST; i++)
        {
          guint64 r = next_random (&random);
          guint lane = (guint) (n + i) % shape->lanes;
          guint routine = (guint) ((r % N_ROUTINES + (r >> 20) % N_ROUTINES) / 2);
          guint64 start = next[lane] + 10 + (r >> 40) % 50;
          guint64 duration = 20 + (r >> 32) % (200 + routine * 10);

          emit (lanes[lane], routines[routine], start, start + duration, shape->with_ids,
                submission);
          next[lane] = start + duration;
        }
    }
  weft_target_get_stats (&stats, sizeof stats);
  fflush (stdout);
  _exit (stats.state == WEFT_TARGET_STATE_CONNECTED ? 0 : 1);
}

static void
run (const Shape *shape, const char *folder)
{
  g_autofree char *output = g_strdup_printf ("%s/%s.weft", folder, shape->with_ids ? "ids" : "spans");
  WeftRecordEngineOptions options = { .output = output, .uid = geteuid () };
  WeftEngineStatus status;
  g_autoptr (GError) error = NULL;
  WeftRecordEngine *recorder;
  guint64 cpu = now_ns (CLOCK_PROCESS_CPUTIME_ID), begin = now_ns (CLOCK_MONOTONIC);
  struct rusage usage;
  int child_status;
  pid_t child;

  g_unlink (output);
  recorder = weft_record_engine_new (&options, &error);
  if (recorder == NULL)
    g_error ("%s", error->message);
  child = fork ();
  if (child == 0)
    {
      g_setenv ("WEFT_RUNTIME_DIR", weft_record_engine_get_runtime_directory (recorder), TRUE);
      produce (shape);
    }
  waitpid (child, &child_status, 0);
  if (!weft_record_engine_stop (recorder, &status, &error))
    g_error ("%s", error->message);
  cpu = now_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu;
  begin = now_ns (CLOCK_MONOTONIC) - begin;
  getrusage (RUSAGE_SELF, &usage);
  if (!WIFEXITED (child_status) || WEXITSTATUS (child_status) != 0)
    g_error ("the producer was not connected");

  printf ("record/%s/recorder-cpu %.1f ns/dispatch\n", shape->name,
          (double) cpu / (double) MAX (status.dispatches, 1));
  printf ("record/%s/recorded %" G_GUINT64_FORMAT " dispatches\n", shape->name, status.dispatches);
  printf ("record/%s/lost %" G_GUINT64_FORMAT " dispatches\n", shape->name, status.lost);
  printf ("record/%s/rejected %" G_GUINT64_FORMAT " dispatches\n", shape->name, status.rejected);
  printf ("record/%s/bytes %.2f B/dispatch\n", shape->name,
          (double) status.file_size / (double) MAX (status.dispatches, 1));
  printf ("record/%s/rate %.2f M/s\n", shape->name,
          (double) status.dispatches / ((double) begin / 1e9) / 1e6);
  printf ("record/%s/peak-memory %.1f MiB\n", shape->name, (double) usage.ru_maxrss / 1024);
  fflush (stdout);
  g_unlink (output);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("weft-bench-XXXXXX", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (argc < 2 || strstr (shapes[i].name, argv[1]) != NULL)
      run (&shapes[i], folder);
  g_rmdir (folder);
  return 0;
}
