/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long the critical path of ten seconds with a million switches takes.
 *
 * The recording is made up: eight threads hand a turn round, each wakes the next and waits for its
 * own, so that the path goes from thread to thread at each of a million waits; one of them waits for
 * dispatches besides. Its rows go through the same checks as those of importers.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <weft.h>

#define N_THREADS 8
#define N_SWITCHES 1000000
#define TURN 10000 /* ns: ten seconds in all */
#define WORK_EVERY 50
#define N_ROUNDS 5

static void
add (WeftRecordingBuilder *builder, const char *table, const char *fields, const guint64 *numbers,
     const char *name)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = g_strsplit (fields, " ", -1);
  const char *text_fields[] = { "name", NULL };
  const char *texts[] = { name, NULL };

  if (!weft_recording_builder_add_values (builder, table, (const char *const *) names, numbers,
                                          g_strv_length (names), name ? text_fields : NULL,
                                          name ? texts : NULL, NULL, &error))
    g_error ("%s: %s", table, error->message);
}

static void
add_names (WeftRecordingBuilder *builder)
{
  add (builder, "processes", "pid", (const guint64[]){ 100 }, "program");
  add (builder, "runtimes", "process", (const guint64[]){ 1 }, "runtime");
  add (builder, "lanes", "runtime", (const guint64[]){ 1 }, "lane");
  add (builder, "routines", "runtime", (const guint64[]){ 1 }, "work");
  for (guint64 i = 0; i < N_THREADS; i++)
    add (builder, "threads", "process tid", (const guint64[]){ 1, 100 + i }, "thread");
}

/* The turn of SWITCH: its thread was woken by the one before. */
static void
add_switch (WeftRecordingBuilder *builder, guint64 number)
{
  guint64 thread = number % N_THREADS + 1;
  guint64 waker = (number + N_THREADS - 1) % N_THREADS + 1;
  guint64 stop = number * TURN;
  guint64 start = number < N_THREADS ? 0 : (number - N_THREADS + 1) * TURN;

  add (builder, "wakeups", "time waker wakee", (const guint64[]){ stop - 1000, waker, thread },
       NULL);
  add (builder, "waits", "thread start duration reason waker wakeup",
       (const guint64[]){ thread, start, stop - start, WEFT_WAIT_REASON_SEMAPHORE, waker, number },
       NULL);
}

/* A dispatch that the first thread waited for, within one of its waits. */
static void
add_work (WeftRecordingBuilder *builder, guint64 number, guint64 dispatch)
{
  guint64 stop = number * TURN - 2000;
  guint64 start = (number - N_THREADS + 2) * TURN;

  add (builder, "dispatches", "lane routine start duration submitted",
       (const guint64[]){ 1, 1, start, stop - start, start - 500 }, NULL);
  for (guint64 role = 0; role < 3; role++)
    add (builder, "origins", "role time thread dispatch",
         (const guint64[]){ role, role == 2 ? stop + 1000 : start - 500 + role, 1, dispatch }, NULL);
}

static void
write_recording (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecordingBuilder) builder = weft_recording_builder_new (path, &error);
  guint64 dispatch = 0;

  if (builder == NULL)
    g_error ("%s", error->message);
  add_names (builder);
  for (guint64 number = 1; number <= N_SWITCHES; number++)
    {
      add_switch (builder, number);
      if (number > 2 * N_THREADS && number % (N_THREADS * WORK_EVERY) == 0)
        add_work (builder, number, ++dispatch);
    }
  for (guint64 thread = 1; thread <= N_THREADS; thread++)
    add (builder, "thread_times", "thread time start",
         (const guint64[]){ thread, (guint64) N_SWITCHES * TURN, 0 }, NULL);
  weft_recording_builder_set_end (builder, (gint64) N_SWITCHES * TURN);
  if (!weft_recording_builder_finish (builder, NULL, &error))
    g_error ("%s", error->message);
}

static double
get_cpu_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec / 1e6;
}

static int
compare (const void *a, const void *b)
{
  const double *left = a, *right = b;

  return *left < *right ? -1 : *left > *right;
}

/* From opening the file to the answer. */
static void
measure (GFile *file, const char *name, const char *mode, const char *what_if)
{
  double cpu[N_ROUNDS], wall[N_ROUNDS];

  for (guint i = 0; i < N_ROUNDS; i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 begin = g_get_monotonic_time ();
      double spent = get_cpu_time ();
      g_autoptr (WeftRecording) recording = weft_recording_open (file, NULL, &error);
      g_autoptr (WeftAnalysis) analysis = weft_analysis_new (recording, "critical-path", &error);
      g_autoptr (WeftReport) report = NULL;

      weft_analysis_set_handle (analysis, "t-1");
      if (!weft_analysis_set_mode (analysis, mode, &error) ||
          !weft_analysis_set_what_if (analysis, what_if, &error))
        g_error ("%s", error->message);
      report = weft_analysis_run (analysis, NULL, &error);
      if (report == NULL)
        g_error ("%s", error->message);
      wall[i] = (double) (g_get_monotonic_time () - begin) / 1000;
      cpu[i] = get_cpu_time () - spent;
    }
  qsort (cpu, N_ROUNDS, sizeof *cpu, compare);
  qsort (wall, N_ROUNDS, sizeof *wall, compare);
  printf ("%s %.4g ms\n%s-cpu %.4g ms\n", name, wall[N_ROUNDS / 2], name, cpu[N_ROUNDS / 2]);
  fflush (stdout);
}

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("weft-path-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "bench.weft", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  write_recording (path);
  measure (file, "critical-path", "list", NULL);
  measure (file, "critical-path-tree", "tree", NULL);
  measure (file, "critical-path-what-if", "list", "routine:work=2x");
  g_file_delete (file, NULL, NULL);
  rmdir (folder);
  return 0;
}
