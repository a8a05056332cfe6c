/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What queries cost: query-bench FILE, a file that store-bench --write made, prints “name value
 * unit” lines. Each is the median of several runs on a recording that was opened for it; “floor” is
 * a plain loop over the same columns as arrays, on one thread.
 */

#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

#include "weft-store.h"

#define REPEATS 7

typedef struct
{
  guint64 n;
  guint32 *durations;
  guint8 *routines;
} Arrays;

typedef struct
{
  const char *name;
  const char *keys;
  const char *select[3];
  const char *filter;
  const char *order;
  guint limit;
} Question;

static const Question questions[] = {
  { "summary", "routine", { "count", "sum(duration)" }, NULL, NULL, 0 },
  { "scan", "routine", { "count", "sum(duration)" }, "dur>0", NULL, 0 },
  { "scan.half", "routine", { "count", "sum(duration)" }, "dur>50us", NULL, 0 },
  { "p95", "routine", { "p95(duration)" }, NULL, NULL, 0 },
  { "p95.scan", "routine", { "p95(duration)" }, "dur>0", NULL, 0 },
  { "top100", NULL, { "id", "routine", "duration" }, NULL, "duration", 100 },
  { "top100.filtered", NULL, { "id", "routine", "duration" }, "lane:l-3", "duration", 100 },
  { "first100", NULL, { "id", "routine", "duration" }, NULL, NULL, 100 },
};

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
median (double *times)
{
  qsort (times, REPEATS, sizeof times[0], compare_doubles);
  return times[REPEATS / 2];
}

static WeftQuery *
make (const Question *question)
{
  WeftQuery *query = weft_query_new ("dispatches", NULL);
  gboolean good = weft_query_set_filter_text (query, question->filter, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (question->select) && question->select[i] != NULL; i++)
    good = good && weft_query_select (query, question->select[i], NULL, NULL);
  if (question->keys != NULL)
    good = good && weft_query_group_by (query, question->keys, NULL, NULL);
  if (question->order != NULL)
    good = good && weft_query_order_by (query, question->order, TRUE, NULL);
  g_assert_true (good);
  weft_query_set_limit (query, question->limit);
  return query;
}

static void
bench (GFile *file, const Question *question)
{
  g_autoptr (WeftQuery) query = make (question);
  double times[REPEATS];

  for (guint i = 0; i < REPEATS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftRecording) recording = weft_recording_open (file, NULL, &error);
      g_autoptr (WeftTable) table = NULL;
      gint64 began = g_get_monotonic_time ();

      g_assert_no_error (error);
      table = weft_query_run (query, recording, NULL, &error);
      g_assert_no_error (error);
      times[i] = (double) (g_get_monotonic_time () - began) / 1e3;
    }
  printf ("query.%s %.3f ms\n", question->name, median (times));
}

/* The columns of all chunks as arrays. */
static void
read_arrays (const char *path, Arrays *arrays)
{
  WeftStore *store = weft_store_open (path, NULL);
  guint64 at = 0;

  g_assert_nonnull (store);
  arrays->n = weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);
  arrays->durations = g_new (guint32, arrays->n + 1);
  arrays->routines = g_new (guint8, arrays->n + 1);
  for (guint i = 0; i < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); i++)
    {
      WeftStoreColumn durations, routines;

      if (!weft_store_read_column (store, WEFT_TABLE_DISPATCHES, i, WEFT_DISPATCHES_DURATION,
                                   &durations, NULL) ||
          !weft_store_read_column (store, WEFT_TABLE_DISPATCHES, i, WEFT_DISPATCHES_ROUTINE,
                                   &routines, NULL))
        g_error ("%s cannot be read", path);
      for (guint row = 0; row < durations.n_rows; row++, at++)
        {
          arrays->durations[at] = (guint32) weft_store_column_get (&durations, row);
          arrays->routines[at] = (guint8) weft_store_column_get (&routines, row);
        }
      weft_store_column_clear (&durations);
      weft_store_column_clear (&routines);
    }
  weft_store_unref (store);
}

static void
bench_floor (const Arrays *arrays)
{
  double times[REPEATS];
  guint64 all = 0;

  for (guint i = 0; i < REPEATS; i++)
    {
      guint64 sums[256] = { 0 };
      guint64 counts[256] = { 0 };
      gint64 began = g_get_monotonic_time ();

      for (guint64 row = 0; row < arrays->n; row++)
        {
          sums[arrays->routines[row]] += arrays->durations[row];
          counts[arrays->routines[row]]++;
        }
      times[i] = (double) (g_get_monotonic_time () - began) / 1e3;
      all += sums[1] + counts[1];
    }
  printf ("query.floor.scan %.3f ms\n", median (times));
  g_assert_cmpuint (all, >, 0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GFile) file = NULL;
  Arrays arrays;

  if (argc < 2)
    {
      fprintf (stderr, "usage: query-bench FILE\n");
      return 2;
    }
  file = g_file_new_for_path (argv[1]);
  for (guint i = 0; i < G_N_ELEMENTS (questions); i++)
    if (argc < 3 || g_str_equal (argv[2], questions[i].name))
      bench (file, &questions[i]);
  read_arrays (argv[1], &arrays);
  bench_floor (&arrays);
  g_free (arrays.durations);
  g_free (arrays.routines);
  return 0;
}
