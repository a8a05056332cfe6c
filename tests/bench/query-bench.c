/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What answers cost: query-bench [ROWS [DIRECTORY]] prints "name value unit" lines, the medians of
 * several runs on a recording that is open and has been asked before; query-bench --of FILE asks
 * a recording that there is, and query-bench --write ROWS FILE [SEED [SLOWER]] only writes one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weft.h>

#include "bench-recording.h"
#include "bench-rows.h"
#include "weft-store-writer.h"

#define N_LANES 8
#define REPEATS 5

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

/* Of all threads: what the time would be on one idle processor. */
static double
cpu (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec / 1e6;
}

static void
say (const char *name, double value, const char *unit)
{
  printf ("%s %.3f %s\n", name, value, unit);
  fflush (stdout);
}

/* ---- The recording ---- */

static void
append_names (WeftStoreWriter *writer, WeftTableId table, WeftColumnNumber column, const char *kind,
              guint n)
{
  WeftTableWriter *rows = weft_store_writer_table (writer, table);

  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s %u", kind, i);

      weft_table_writer_begin (rows);
      weft_table_writer_set (rows, column, weft_store_writer_string (writer, name, -1));
      weft_table_writer_commit (rows);
    }
}

static void
write_recording (const char *path, guint64 n)
{
  g_autoptr (GError) error = NULL;
  WeftStoreWriter *writer = weft_store_writer_new (path, NULL, &error);
  WeftTableWriter *dispatches;
  BenchRows rows = { 0 };

  g_assert_no_error (error);
  append_names (writer, WEFT_TABLE_LANES, WEFT_LANES_NAME, "lane", N_LANES);
  append_names (writer, WEFT_TABLE_THREADS, WEFT_THREADS_NAME, "thread", N_LANES);
  append_names (writer, WEFT_TABLE_ROUTINES, WEFT_ROUTINES_NAME, "routine", BENCH_ROUTINES);
  dispatches = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);
  bench_rows_init (&rows, n, N_LANES);
  for (guint64 i = 0; i < n; i++)
    {
      weft_table_writer_begin (dispatches);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_LANE, rows.lanes[i]);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_ROUTINE, rows.routines[i] + 1u);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_START, (guint64) rows.starts[i]);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_DURATION, rows.durations[i]);
      weft_table_writer_set (dispatches, WEFT_DISPATCHES_THREAD, rows.lanes[i]);
      weft_table_writer_commit (dispatches);
    }
  bench_rows_clear (&rows);
  weft_store_writer_close (writer, &error);
  g_assert_no_error (error);
}

/* ---- Questions ---- */

typedef struct
{
  const char *name;
  const char *clauses; /* “/” groups, “+” selects, “>” orders, descending */
  const char *filter;
  guint limit;
} Question;

static const Question questions[] = {
  { "group-by-summary", "/routine.name +count +sum(duration)", NULL, 0 },
  { "group-by", "/routine.name +count +sum(duration)", "dur>=0", 0 },
  { "p95", "/routine.name +p95(duration)", NULL, 0 },
  { "p95-of-lanes", "/lane +p95(duration)", NULL, 0 },
  { "p95-filtered", "/routine.name +p95(duration)", "dur>=5us", 0 },
  { "text-filtered", "/routine.name +count", "e 1", 0 },
  { "top-100", "+id +lane +routine +start +duration >duration", NULL, 100 },
  { "top-100-of-lane", "+id +lane +routine +start +duration >duration", "lane:l-3", 100 },
  { "select", "+duration", NULL, 0 },
};

static WeftQuery *
make_query (const Question *question)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", NULL);
  g_auto (GStrv) clauses = g_strsplit (question->clauses, " ", -1);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; clauses[i] != NULL; i++)
    if (*clauses[i] == '/')
      weft_query_group_by (query, clauses[i] + 1, NULL, &error);
    else if (*clauses[i] == '+')
      weft_query_select (query, clauses[i] + 1, NULL, &error);
    else
      weft_query_order_by (query, clauses[i] + 1, TRUE, &error);
  if (error == NULL)
    weft_query_set_filter_text (query, question->filter, &error);
  g_assert_no_error (error);
  weft_query_set_limit (query, question->limit);
  return g_steal_pointer (&query);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
say_median (const char *prefix, const char *name, double *times, double processors)
{
  g_autofree char *whole = g_strconcat (prefix, name, NULL);

  qsort (times, REPEATS, sizeof times[0], compare_doubles);
  say (whole, times[REPEATS / 2], "ms");
  if (g_getenv ("WEFT_BENCH_CPU") != NULL)
    printf ("# %s cpu %.3f ms\n", whole, processors / REPEATS);
}

static void
ask (WeftRecording *recording, const Question *question)
{
  double times[REPEATS];
  double spent = 0;

  for (int i = -1; i < REPEATS; i++)
    {
      spent = i == 0 ? cpu () : spent;
      g_autoptr (WeftQuery) query = make_query (question);
      g_autoptr (GError) error = NULL;
      double began = now ();
      g_autoptr (WeftTable) table = weft_query_run (query, recording, NULL, &error);

      if (i >= 0)
        times[i] = now () - began;
      g_assert_no_error (error);
    }
  say_median ("query.", question->name, times, cpu () - spent);
}

static void
analyze (WeftRecording *recording, const char *kind, const char *order)
{
  g_autofree char *name = order == NULL ? g_strdup (kind) : g_strdup_printf ("%s-%s", kind, order);
  double times[REPEATS];
  double spent = 0;

  for (int i = -1; i < REPEATS; i++)
    {
      spent = i == 0 ? cpu () : spent;
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftAnalysis) analysis = weft_analysis_new (recording, kind, &error);
      g_autoptr (WeftReport) report = NULL;
      double began = now ();

      if (order != NULL)
        weft_analysis_set_order_by (analysis, order, &error);
      g_assert_no_error (error);
      report = weft_analysis_run (analysis, NULL, &error);
      if (i >= 0)
        times[i] = now () - began;
      g_assert_no_error (error);
    }
  say_median ("analysis.", name, times, cpu () - spent);
}

static WeftRecording *
open_recording (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  WeftRecording *recording = weft_recording_open (file, NULL, &error);

  g_assert_no_error (error);
  return recording;
}

static void
ask_all (const char *path)
{
  static const char *const kinds[] = { "target-lanes", "target-routines", "target-outliers",
                                       "flame", "threads" };
  g_autoptr (WeftRecording) recording = open_recording (path);

  for (guint i = 0; i < G_N_ELEMENTS (questions); i++)
    ask (recording, &questions[i]);
  analyze (recording, "target-top", NULL);
  analyze (recording, "target-top", "p95");
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    analyze (recording, kinds[i], NULL);
}

static void
compare (WeftRecording *before, WeftRecording *after)
{
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  double times[REPEATS];
  double spent = 0;

  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_A, before);
  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_B, after);
  for (int i = -1; i < REPEATS; i++)
    {
      spent = i == 0 ? cpu () : spent;
      g_autoptr (GError) error = NULL;
      double began = now ();
      g_autoptr (WeftReport) report = weft_comparison_run (comparison, NULL, &error);

      if (i >= 0)
        times[i] = now () - began;
      g_assert_no_error (error);
    }
  say_median ("analysis.", "compare", times, cpu () - spent);
}

/* What is asked of a recording as a whole needs one with everything in it; what is asked of two,
 * another one of the same program.
 */
static void
ask_whole (const char *directory, guint64 n)
{
  g_autofree char *again = g_strdup_printf ("%s/query-bench-again-%d.weft", directory, getpid ());
  g_autoptr (WeftRecording) other = NULL;
  g_autofree char *path = g_strdup_printf ("%s/query-bench-whole-%d.weft", directory, getpid ());
  g_autoptr (WeftRecording) recording = NULL;

  bench_recording_write (path, n, 0, 0);
  recording = open_recording (path);
  analyze (recording, "diagnose", NULL);
  bench_recording_write (again, n, 1, 0);
  other = open_recording (again);
  compare (recording, other);
  unlink (again);
  unlink (path);
}

/* ---- Opening, in a process of its own ---- */

static double
get_peak_memory (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  line = strstr (status, "VmHWM:");
  return line == NULL ? 0 : g_ascii_strtod (line + 6, NULL) / 1024;
}

static int
open_only (const char *path)
{
  double began = now ();
  g_autoptr (WeftRecording) recording = open_recording (path);

  say ("query.open", now () - began, "ms");
  say ("query.open-memory", get_peak_memory (), "MB");
  return 0;
}

static void
measure_open (const char *path)
{
  pid_t child;

  fflush (stdout);
  child = fork ();
  if (child == 0)
    {
      execl ("/proc/self/exe", "query-bench", "--open", path, NULL);
      _exit (1);
    }
  waitpid (child, NULL, 0);
}

int
main (int argc, char **argv)
{
  guint64 n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 10000000;
  const char *directory = argc > 2 ? argv[2] : g_get_tmp_dir ();
  g_autofree char *path = NULL;

  if (argc == 3 && strcmp (argv[1], "--open") == 0)
    return open_only (argv[2]);
  if (argc == 3 && strcmp (argv[1], "--of") == 0)
    {
      ask_all (argv[2]);
      return 0;
    }
  if (argc >= 4 && strcmp (argv[1], "--write") == 0)
    {
      bench_recording_write (argv[3], g_ascii_strtoull (argv[2], NULL, 10),
                             argc > 4 ? g_ascii_strtoull (argv[4], NULL, 10) : 0,
                             argc > 5 ? (guint) g_ascii_strtoull (argv[5], NULL, 10) : 0);
      return 0;
    }

  path = g_strdup_printf ("%s/query-bench-%d.weft", directory, getpid ());
  write_recording (path, n);
  measure_open (path);
  ask_all (path);
  unlink (path);
  ask_whole (directory, n);
  return 0;
}
