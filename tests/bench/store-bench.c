/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the store costs: store-bench [ROWS [DIRECTORY]] prints "name value unit" lines;
 * store-bench --write simple|hard ROWS FILE writes only.
 *
 * "cold" is with nothing decoded yet (the page cache is warm); "warm" repeats on the same store.
 * "floor" is a plain loop over the same columns as arrays.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-rows.h"
#include "weft-store-writer.h"
#include "weft-store.h"

#define ROUTINES BENCH_ROUTINES
#define REPEATS 7

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

static double
cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static void
report (const char *name, const char *suffix, double value, const char *unit)
{
  printf ("%s%s %.3f %s\n", name, suffix, value, unit);
  fflush (stdout);
}

static void
append_simple (WeftTableWriter *table, const BenchRows *rows, guint64 i)
{
  weft_table_writer_begin (table);
  weft_table_writer_set (table, WEFT_DISPATCHES_LANE, rows->lanes[i]);
  weft_table_writer_set (table, WEFT_DISPATCHES_ROUTINE, rows->routines[i] + 1u);
  weft_table_writer_set (table, WEFT_DISPATCHES_START, (guint64) rows->starts[i]);
  weft_table_writer_set (table, WEFT_DISPATCHES_DURATION, rows->durations[i]);
  weft_table_writer_set (table, WEFT_DISPATCHES_THREAD, rows->lanes[i]);
  weft_table_writer_commit (table);
}

/* With ids, submissions of four, a queue and a trace; parents of eight, and of the whole run. */
static void
append_hard (WeftTableWriter *table, const BenchRows *rows, guint64 i, gint64 *parents)
{
  guint lane = rows->lanes[i];
  gint64 end = rows->starts[i] + rows->durations[i];

  weft_table_writer_begin (table);
  weft_table_writer_set (table, WEFT_DISPATCHES_LANE, lane);
  weft_table_writer_set (table, WEFT_DISPATCHES_ROUTINE, rows->routines[i] + 1u);
  weft_table_writer_set (table, WEFT_DISPATCHES_THREAD, 1 + lane % 64);
  weft_table_writer_set (table, WEFT_DISPATCHES_PRODUCER_ID, 1000 + i);
  weft_table_writer_set (table, WEFT_DISPATCHES_SUBMISSION, 1 + i / 4);
  weft_table_writer_set (table, WEFT_DISPATCHES_QUEUE, 1 + lane % 32);
  weft_table_writer_set (table, WEFT_DISPATCHES_TRACE, 1 + i / 5000);
  if (i % 9 == 8 || i % 50000 == 49999)
    {
      gint64 start = i % 50000 == 49999 ? 0 : parents[lane];

      weft_table_writer_set (table, WEFT_DISPATCHES_START, (guint64) start);
      weft_table_writer_set (table, WEFT_DISPATCHES_DURATION, (guint64) (end - start));
      parents[lane] = end;
    }
  else
    {
      weft_table_writer_set (table, WEFT_DISPATCHES_START, (guint64) rows->starts[i]);
      weft_table_writer_set (table, WEFT_DISPATCHES_DURATION, rows->durations[i]);
      weft_table_writer_set (table, WEFT_DISPATCHES_DEPTH, 1);
    }
  weft_table_writer_commit (table);
}

static void
append_children (WeftStoreWriter *writer, guint64 dispatch)
{
  WeftTableWriter *attachments = weft_store_writer_table (writer, WEFT_TABLE_ATTACHMENTS);
  WeftTableWriter *values = weft_store_writer_table (writer, WEFT_TABLE_COUNTER_VALUES);
  WeftTableWriter *samples = weft_store_writer_table (writer, WEFT_TABLE_COUNTER_SAMPLES);
  guint64 sample;

  weft_table_writer_begin (attachments);
  weft_table_writer_set (attachments, WEFT_ATTACHMENTS_DISPATCH, dispatch);
  weft_table_writer_set (attachments, WEFT_ATTACHMENTS_KIND, 1);
  weft_table_writer_set (attachments, WEFT_ATTACHMENTS_SLOT, dispatch % 3);
  weft_table_writer_set (attachments, WEFT_ATTACHMENTS_SIZE, 4096 << (dispatch % 5));
  weft_table_writer_commit (attachments);
  weft_table_writer_begin (samples);
  weft_table_writer_set (samples, WEFT_COUNTER_SAMPLES_SET, 1);
  weft_table_writer_set (samples, WEFT_COUNTER_SAMPLES_DISPATCH, dispatch);
  sample = weft_table_writer_commit (samples);
  for (guint i = 0; i < 4; i++)
    {
      weft_table_writer_begin (values);
      weft_table_writer_set (values, WEFT_COUNTER_VALUES_SAMPLE, sample);
      weft_table_writer_set (values, WEFT_COUNTER_VALUES_COUNTER, i + 1);
      weft_table_writer_set (values, WEFT_COUNTER_VALUES_BITS, bench_random () % 100000);
      weft_table_writer_commit (values);
    }
}

static void
append_rows (WeftStoreWriter *writer, const BenchRows *rows, gboolean hard)
{
  g_autofree gint64 *parents = g_new0 (gint64, rows->n_lanes + 1);
  WeftTableWriter *table = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);

  if (!hard)
    for (guint64 i = 0; i < rows->n; i++)
      append_simple (table, rows, i);
  else
    for (guint64 i = 0; i < rows->n; i++)
      {
        append_hard (table, rows, i, parents);
        if (i % 20 == 0)
          append_children (writer, i + 1);
      }
}

static void
bench_write (const char *path, const BenchRows *rows, gboolean hard, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = NULL;
  WeftStoreWriter *writer;
  double began = cpu ();
  double wall = now ();
  double appended, threads;
  guint64 dispatches = 0;
  WeftStoreStatistics statistics;

  writer = weft_store_writer_new (path, NULL, &error);
  g_assert_no_error (error);
  append_rows (writer, rows, hard);
  appended = now () - wall;
  weft_store_writer_get_statistics (writer, &statistics);
  weft_store_writer_close (writer, &error);
  g_assert_no_error (error);
  threads = cpu () - began;

  store = weft_store_open (path, NULL);
  for (guint i = 0; i < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); i++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (store, WEFT_TABLE_DISPATCHES, i, &info);
      dispatches += info.stored_size;
    }
  report (name, ".write.cpu", threads / (double) rows->n, "ns/row");
  report (name, ".write.wall", (now () - wall) * 1e6 / (double) rows->n, "ns/row");
  report (name, ".write.append", appended * 1e6 / (double) rows->n, "ns/row");
  report (name, ".write.waits", (double) statistics.waits, "times");
  report (name, ".size.file", (double) weft_store_get_file_size (store) / (double) rows->n,
          "bytes/row");
  report (name, ".size.dispatches", (double) dispatches / (double) rows->n, "bytes/row");
}

/* As a recorder sees them: two million rows a second. */
static void
bench_paced (const char *path, const BenchRows *rows, const char *name)
{
  WeftStoreWriter *writer = weft_store_writer_new (path, NULL, NULL);
  WeftTableWriter *table = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);
  guint64 n = MIN (rows->n, 4000000);
  double began = cpu ();
  double wall = now ();

  for (guint64 i = 0; i < n; i++)
    {
      append_simple (table, rows, i);
      while (i % 2000 == 0 && (now () - wall) * 2000 < (double) i)
        g_usleep (500);
    }
  weft_store_writer_close (writer, NULL);
  report (name, ".write.paced.cpu", (cpu () - began) / (double) n, "ns/row");
  unlink (path);
}

/* Queries */

typedef struct
{
  const BenchRows *rows;
  guint64 sums[ROUTINES + 1];
  guint64 counts[ROUTINES + 1];
  guint next;
  WeftStore *store;
  gint64 begin, end;
  WeftTimelineBucket *buckets;
  guint32 *lanes;
  guint n_lanes;
} Query;

typedef void (*QueryFunc) (Query *query);

static void
query_summary (Query *query)
{
  g_autoptr (GArray) groups = weft_store_summarize (query->store, WEFT_GROUP_BY_ROUTINE, NULL);

  g_assert_cmpuint (groups->len, ==, ROUTINES);
}

static void
query_p95 (Query *query)
{
  g_autoptr (GArray) groups = weft_store_percentile (query->store, 95, NULL);

  g_assert_cmpuint (groups->len, ==, ROUTINES);
}

static void
query_top (Query *query)
{
  g_autoptr (GArray) rows = weft_store_longest (query->store, 100, NULL);

  g_assert_cmpuint (rows->len, ==, 100);
}

static void
query_slice (Query *query)
{
  gboolean good = weft_store_timeline (query->store, query->lanes, query->n_lanes, query->begin,
                                       query->end, 1500, query->buckets, NULL);

  g_assert_true (good);
}

typedef struct
{
  guint64 sums[256];
  guint64 counts[256];
} Totals;

static void
scan_piece (const WeftStoreColumn *columns, gpointer data)
{
  Totals *totals = data;
  const WeftStoreColumn *routines = &columns[0];
  const WeftStoreColumn *durations = &columns[1];

  if (routines->width == 1 && durations->width == 4)
    for (guint i = 0; i < routines->n_rows; i++)
      {
        guint slot = (i & 3) * 64 + (((const guint8 *) routines->data)[i] & 63);

        totals->sums[slot] += ((const guint32 *) durations->data)[i];
        totals->counts[slot]++;
      }
  else
    for (guint i = 0; i < routines->n_rows; i++)
      {
        guint slot = (guint) (weft_store_column_get (routines, i) - routines->base) & 63;

        totals->sums[slot] += weft_store_column_get (durations, i) - durations->base;
        totals->counts[slot]++;
      }
}

static gpointer
scan_thread (gpointer data)
{
  static const WeftColumnNumber numbers[] = { WEFT_DISPATCHES_ROUTINE, WEFT_DISPATCHES_DURATION };
  Query *query = data;
  Totals totals = { 0 };
  guint n = weft_store_get_n_chunks (query->store, WEFT_TABLE_DISPATCHES);
  guint chunk;

  while ((chunk = __atomic_fetch_add (&query->next, 1, __ATOMIC_RELAXED)) < n)
    g_assert_true (weft_store_scan_columns (query->store, WEFT_TABLE_DISPATCHES, chunk, numbers, 2,
                                            scan_piece, &totals, NULL));
  __atomic_fetch_add (&query->sums[0], totals.sums[0], __ATOMIC_RELAXED);
  return NULL;
}

static void
query_scan (Query *query)
{
  GThread *thread;

  query->next = 0;
  thread = g_thread_new ("scan", scan_thread, query);
  scan_thread (query);
  g_thread_join (thread);
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
run (Query *query, QueryFunc func, const char *path, gboolean cold)
{
  double times[REPEATS];

  for (guint i = 0; i < REPEATS; i++)
    {
      double began;

      if (cold)
        {
          g_clear_pointer (&query->store, weft_store_unref);
          query->store = weft_store_open (path, NULL);
        }
      began = now ();
      func (query);
      times[i] = now () - began;
    }
  qsort (times, REPEATS, sizeof times[0], compare_doubles);
  return times[REPEATS / 2];
}

static void
bench_query (Query *query, QueryFunc func, const char *path, const char *name, const char *what)
{
  g_autofree char *cold = g_strdup_printf (".%s.cold", what);
  g_autofree char *warm = g_strdup_printf (".%s.warm", what);

  report (name, cold, run (query, func, path, TRUE), "ms");
  run (query, func, path, FALSE);
  report (name, warm, run (query, func, path, FALSE), "ms");
}

/* The worst of all zooms, at a few places each. */
static void
bench_slices (Query *query, const char *path, const char *name, const char *what)
{
  g_autofree char *cold = g_strdup_printf (".slice.%s.cold.worst", what);
  g_autofree char *warm = g_strdup_printf (".slice.%s.warm.worst", what);
  double worst_cold = 0, worst_warm = 0;

  query->buckets = g_new0 (WeftTimelineBucket, (gsize) query->n_lanes * 1500);
  for (gint64 span = query->rows->end; span >= 1500; span /= 2)
    {
      double time_cold, time_warm;

      query->begin = (query->rows->end - span) / 3;
      query->end = query->begin + span;
      time_cold = run (query, query_slice, path, TRUE);
      time_warm = run (query, query_slice, path, FALSE);
      if (g_getenv ("WEFT_BENCH_SLICES") != NULL)
        printf ("# %s span %.6f s: cold %.3f ms warm %.3f ms\n", what, (double) span / 1e9,
                time_cold, time_warm);
      worst_cold = MAX (worst_cold, time_cold);
      worst_warm = MAX (worst_warm, time_warm);
    }
  report (name, cold, worst_cold, "ms");
  report (name, warm, worst_warm, "ms");
  g_free (query->buckets);
}

static void
bench_open (const char *program, const char *path, const char *name)
{
  pid_t child;

  fflush (stdout);
  child = fork ();
  if (child == 0)
    {
      execl (program, program, "--open", path, name, NULL);
      _exit (1);
    }
  waitpid (child, NULL, 0);
}

/* What getrusage () tells is inherited across exec. */
static double
peak_memory (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    return 0;
  line = strstr (status, "VmHWM:");
  return line == NULL ? 0 : g_ascii_strtod (line + 6, NULL) / 1024;
}

static int
open_only (const char *path, const char *name)
{
  double began = now ();
  WeftStore *store = weft_store_open (path, NULL);

  report (name, ".open", now () - began, "ms");
  report (name, ".open.rss", peak_memory (), "MB");
  weft_store_unref (store);
  return 0;
}

/* Floors */

static void
floor_scan (Query *query)
{
  const BenchRows *rows = query->rows;
  guint64 sums[4][64] = { { 0 } };
  guint64 counts[4][64] = { { 0 } };

  for (guint64 i = 0; i < rows->n; i++)
    {
      sums[i & 3][rows->routines[i] & 63] += rows->durations[i];
      counts[i & 3][rows->routines[i] & 63]++;
    }
  query->sums[1] += sums[0][0] + counts[0][0];
}

/* The longest hundred of the rows so far are above the bar, which rises as a heap of them does. */
static void
floor_top (Query *query)
{
  const guint32 *durations = query->rows->durations;
  guint32 heap[100] = { 0 };

  for (guint64 i = 0; i < query->rows->n; i++)
    {
      if (G_LIKELY (durations[i] <= heap[0]))
        continue;
      heap[0] = durations[i];
      for (guint at = 0;;)
        {
          guint least = at;
          guint32 value = heap[at];

          for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < 100; child++)
            if (heap[child] < heap[least])
              least = child;
          if (least == at)
            break;
          heap[at] = heap[least];
          heap[least] = value;
          at = least;
        }
    }
  query->sums[2] += heap[0];
}

/* A histogram by routine, then a pass that keeps the values of the buckets that hold the rank. */
static void
floor_p95 (Query *query)
{
  const BenchRows *rows = query->rows;
  g_autofree guint32 *histogram = g_new0 (guint32, 64 * 4096);
  g_autofree guint32 *kept = g_new (guint32, rows->n + 1);
  guint32 wanted[64] = { 0 };
  guint64 n = 0;

  for (guint64 i = 0; i < rows->n; i++)
    histogram[rows->routines[i] * 4096 + MIN (rows->durations[i] >> 10, 4095)]++;
  for (guint routine = 0; routine < ROUTINES; routine++)
    {
      guint64 count = 0;
      guint64 rank = 0;

      for (guint i = 0; i < 4096; i++)
        count += histogram[routine * 4096 + i];
      while (wanted[routine] < 4095 &&
             rank + histogram[routine * 4096 + wanted[routine]] < (count * 95 + 99) / 100)
        rank += histogram[routine * 4096 + wanted[routine]++];
    }
  for (guint64 i = 0; i < rows->n; i++)
    {
      kept[n] = rows->durations[i];
      n += MIN (rows->durations[i] >> 10, 4095) == wanted[rows->routines[i]];
    }
  query->sums[3] += n + kept[0];
}

static void
bench_floors (Query *query, const char *name)
{
  double began = cpu ();
  guint64 *copy[5];

  for (guint i = 0; i < 5; i++)
    copy[i] = g_malloc0 (65536 * 8);
  for (guint64 i = 0; i < query->rows->n; i++)
    {
      copy[0][i % 65536] = query->rows->lanes[i];
      copy[1][i % 65536] = query->rows->routines[i];
      copy[2][i % 65536] = (guint64) query->rows->starts[i];
      copy[3][i % 65536] = query->rows->durations[i];
      copy[4][i % 65536] = query->rows->lanes[i];
      __asm__ volatile("" ::: "memory");
    }
  report (name, ".floor.append", (cpu () - began) / (double) query->rows->n, "ns/row");
  for (guint i = 0; i < 5; i++)
    g_free (copy[i]);
  report (name, ".floor.scan", run (query, floor_scan, NULL, FALSE), "ms");
  report (name, ".floor.p95", run (query, floor_p95, NULL, FALSE), "ms");
  report (name, ".floor.top", run (query, floor_top, NULL, FALSE), "ms");
}

static void
bench_shape (const char *program, const char *directory, guint64 n, gboolean hard)
{
  const char *name = hard ? "hard" : "simple";
  g_autofree char *path = g_strdup_printf ("%s/store-bench-%d-%s.weft", directory, getpid (), name);
  g_autofree Query *query = g_new0 (Query, 1);
  BenchRows rows = { 0 };

  bench_rows_init (&rows, n, hard ? 1000 : 8);
  query->rows = &rows;
  query->lanes = g_new (guint32, rows.n_lanes);
  if (!hard)
    bench_paced (path, &rows, name);
  bench_write (path, &rows, hard, name);
  bench_open (program, path, name);
  bench_query (query, query_summary, path, name, "summary");
  bench_query (query, query_scan, path, name, "scan");
  bench_query (query, query_p95, path, name, "p95");
  bench_query (query, query_top, path, name, "top100");
  for (guint i = 0; i < rows.n_lanes; i++)
    query->lanes[i] = i + 1;
  query->n_lanes = MIN (rows.n_lanes, 40);
  bench_slices (query, path, name, hard ? "40-of-1000-lanes" : "8-lanes");
  if (hard)
    {
      query->n_lanes = rows.n_lanes;
      bench_slices (query, path, name, "1000-lanes");
    }
  bench_floors (query, name);

  g_clear_pointer (&query->store, weft_store_unref);
  g_free (query->lanes);
  bench_rows_clear (&rows);
  unlink (path);
}

/* For counting instructions. */
static int
write_only (const char *name, guint64 n, const char *path)
{
  gboolean hard = strcmp (name, "hard") == 0;
  BenchRows rows = { 0 };

  bench_rows_init (&rows, n, hard ? 1000 : 8);
  bench_write (path, &rows, hard, name);
  bench_rows_clear (&rows);
  return 0;
}

int
main (int argc, char **argv)
{
  guint64 n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 10000000;
  const char *directory = argc > 2 ? argv[2] : g_get_tmp_dir ();

  if (argc == 4 && strcmp (argv[1], "--open") == 0)
    return open_only (argv[2], argv[3]);
  if (argc == 5 && strcmp (argv[1], "--write") == 0)
    return write_only (argv[2], g_ascii_strtoull (argv[3], NULL, 10), argv[4]);

  bench_shape ("/proc/self/exe", directory, n, FALSE);
  bench_shape ("/proc/self/exe", directory, n, TRUE);
  return 0;
}
