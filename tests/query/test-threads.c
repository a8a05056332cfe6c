/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Queries of many chunks, which several threads go through, beside one another and beside a writer;
 * answers are compared with what one loop over the rows finds. Made for ThreadSanitizer.
 */

#include <stdlib.h>
#include <weft.h>

#include "rig.h"

#define CHUNKS 40 /* journals: sixteen are the least for a second thread */
#define ROWS_OF_CHUNK 600
#define ROWS (CHUNKS * ROWS_OF_CHUNK)
#define LANES 7
#define LEAST 3000 /* ns; leaves most rows, and no summary suffices */

static void
fill (Rig *rig, guint chunks)
{
  ModelShape shape = { .n_rows = ROWS_OF_CHUNK, .n_lanes = LANES, .n_routines = 9 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < LANES; i++)
    {
      g_autofree char *name = g_strdup_printf ("lane %u", i);

      rig_begin_text (rig, WEFT_TABLE_LANES, WEFT_LANES_NAME, name);
      model_commit (rig->model);
    }
  for (guint i = 0; i < chunks; i++)
    {
      model_fill (rig->model, &shape, 100 + i);
      weft_store_writer_flush (rig->model->writer, &error);
      g_assert_no_error (error);
    }
}

static WeftQuery *
new_query (const char *filter)
{
  g_autoptr (GError) error = NULL;
  WeftQuery *query = weft_query_new ("dispatches", &error);

  g_assert_no_error (error);
  weft_query_set_filter_text (query, filter, &error);
  g_assert_no_error (error);
  return query;
}

static void
select_field (WeftQuery *query, const char *expression, const char *name)
{
  g_autoptr (GError) error = NULL;

  weft_query_select (query, expression, name, &error);
  g_assert_no_error (error);
}

static WeftTable *
run (WeftQuery *query, WeftRecording *recording)
{
  g_autoptr (GError) error = NULL;
  WeftTable *table = weft_query_run (query, recording, NULL, &error);

  g_assert_no_error (error);
  return table;
}

static guint64
value (Rig *rig, WeftColumnNumber column, guint row)
{
  return model_value (rig->model, column, row + 1);
}

/* ---- Groups ---- */

static WeftTable *
ask_lanes (WeftRecording *recording)
{
  g_autoptr (WeftQuery) query = new_query ("duration>3us");
  g_autoptr (GError) error = NULL;

  weft_query_group_by (query, "lane", NULL, &error);
  g_assert_no_error (error);
  select_field (query, "count", "count");
  select_field (query, "sum(duration)", "sum");
  select_field (query, "max(duration)", "max");
  return run (query, recording);
}

static void
check_lanes (Rig *rig, WeftTable *table)
{
  guint64 count[LANES] = { 0 }, sum[LANES] = { 0 }, max[LANES] = { 0 };

  for (guint i = 0; i < ROWS; i++)
    {
      guint64 lane = value (rig, WEFT_DISPATCHES_LANE, i) - 1;
      guint64 duration = value (rig, WEFT_DISPATCHES_DURATION, i);

      if (duration <= LEAST)
        continue;
      count[lane]++;
      sum[lane] += duration;
      max[lane] = MAX (max[lane], duration);
    }
  g_assert_cmpuint (weft_table_get_n_rows (table), ==, LANES);
  for (guint i = 0; i < LANES; i++)
    {
      g_assert_cmpuint (weft_table_get_uint64 (table, 0, i), ==, i + 1);
      g_assert_cmpuint (weft_table_get_uint64 (table, 1, i), ==, count[i]);
      g_assert_cmpuint (weft_table_get_uint64 (table, 2, i), ==, sum[i]);
      g_assert_cmpuint (weft_table_get_uint64 (table, 3, i), ==, max[i]);
    }
}

static void
test_groups (Rig *rig, gconstpointer data)
{
  g_autoptr (WeftTable) table = NULL;

  fill (rig, CHUNKS);
  rig_open (rig);
  table = ask_lanes (rig->recording);
  check_lanes (rig, table);
}

/* ---- Rows ---- */

static WeftTable *
ask_longest (WeftRecording *recording, guint limit, const char *cursor)
{
  g_autoptr (WeftQuery) query = new_query ("duration>3us");
  g_autoptr (GError) error = NULL;

  select_field (query, "id", NULL);
  select_field (query, "duration", NULL);
  weft_query_order_by (query, "duration", TRUE, &error);
  g_assert_no_error (error);
  weft_query_set_limit (query, limit);
  weft_query_set_cursor (query, cursor);
  return run (query, recording);
}

static int
longer_first (gconstpointer a, gconstpointer b, gpointer data)
{
  guint64 one = value (data, WEFT_DISPATCHES_DURATION, *(const guint *) a);
  guint64 other = value (data, WEFT_DISPATCHES_DURATION, *(const guint *) b);

  return one != other ? (one < other) - (one > other)
                      : (*(const guint *) a > *(const guint *) b) -
                            (*(const guint *) a < *(const guint *) b);
}

/* The rows that were asked for, in their order: longest first, of equals the first that came. */
static GArray *
longest (Rig *rig)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < ROWS; i++)
    if (value (rig, WEFT_DISPATCHES_DURATION, i) > LEAST)
      g_array_append_val (rows, i);
  g_array_sort_with_data (rows, longer_first, rig);
  return rows;
}

static void
check_longest (GArray *expected, guint first, WeftTable *table)
{
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    g_assert_cmpuint (weft_table_get_uint64 (table, 0, i), ==,
                      g_array_index (expected, guint, first + i) + 1);
}

static void
test_rows (Rig *rig, gconstpointer data)
{
  g_autoptr (GArray) expected = NULL;
  g_autofree char *cursor = NULL;
  guint n_rows = 0;

  fill (rig, CHUNKS);
  rig_open (rig);
  expected = longest (rig);
  do
    {
      g_autoptr (WeftTable) page = ask_longest (rig->recording, 2500, cursor);

      check_longest (expected, n_rows, page);
      n_rows += weft_table_get_n_rows (page);
      g_free (cursor);
      cursor = g_strdup (weft_table_get_cursor (page));
    }
  while (cursor != NULL);
  g_assert_cmpuint (n_rows, ==, expected->len);
}

/* ---- Several that ask ---- */

typedef struct
{
  Rig *rig;
  GArray *longest;
} Asker;

static gpointer
ask (gpointer data)
{
  Asker *self = data;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (WeftTable) lanes = ask_lanes (self->rig->recording);
      g_autoptr (WeftTable) page = ask_longest (self->rig->recording, 200, NULL);

      check_lanes (self->rig, lanes);
      g_assert_cmpuint (weft_table_get_n_rows (page), ==, 200);
      check_longest (self->longest, 0, page);
    }
  return NULL;
}

static void
test_askers (Rig *rig, gconstpointer data)
{
  GThread *threads[4];
  Asker asker = { .rig = rig };

  fill (rig, CHUNKS);
  rig_open (rig);
  asker.longest = longest (rig);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("asker", ask, &asker);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_array_unref (asker.longest);
}

/* ---- While it is written ---- */

typedef struct
{
  WeftRecording *recording;
  gboolean done;
} Watcher;

static gpointer
watch (gpointer data)
{
  Watcher *self = data;
  guint64 before = 0;

  do
    {
      gboolean last = __atomic_load_n (&self->done, __ATOMIC_ACQUIRE);
      g_autoptr (WeftQuery) query = new_query ("duration>1ns");
      g_autoptr (WeftTable) table = NULL;
      guint64 count;

      select_field (query, "count", "count");
      table = run (query, self->recording);
      count = weft_table_get_uint64 (table, 0, 0);
      g_assert_cmpuint (count, >=, before);
      g_assert_cmpuint (count % ROWS_OF_CHUNK, ==, 0);
      before = count;
      if (last)
        break;
    }
  while (TRUE);
  return GSIZE_TO_POINTER (before);
}

static void
test_growing (Rig *rig, gconstpointer data)
{
  Watcher watcher = { 0 };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  fill (rig, 20);
  rig_open (rig);
  watcher.recording = rig->recording;
  thread = g_thread_new ("watcher", watch, &watcher);
  for (guint i = 0; i < 10; i++)
    {
      ModelShape shape = { .n_rows = ROWS_OF_CHUNK, .n_lanes = LANES, .n_routines = 9 };

      model_fill (rig->model, &shape, 900 + i);
      weft_store_writer_flush (rig->model->writer, &error);
      g_assert_no_error (error);
      weft_recording_refresh (rig->recording, NULL, &error);
      g_assert_no_error (error);
    }
  __atomic_store_n (&watcher.done, TRUE, __ATOMIC_RELEASE);
  g_assert_cmpuint (GPOINTER_TO_SIZE (g_thread_join (thread)), ==, 30 * ROWS_OF_CHUNK);
}

/* ---- Asynchronously, and given up ---- */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  g_set_object ((GAsyncResult **) data, result);
}

static WeftTable *
run_async (Rig *rig, WeftQuery *query, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  weft_query_run_async (query, rig->recording, cancellable, NULL, NULL, NULL, keep_result, &result);
  rig_wait_for (g_atomic_pointer_get (&result) != NULL);
  return weft_query_run_finish (query, result, error);
}

static void
test_asynchronous (Rig *rig, gconstpointer data)
{
  g_autoptr (WeftQuery) query = new_query ("duration>3us");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (WeftTable) none = NULL;
  g_autoptr (GArray) expected = NULL;
  g_autoptr (GError) error = NULL;

  fill (rig, CHUNKS);
  rig_open (rig);
  expected = longest (rig);
  table = run_async (rig, query, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (weft_table_get_n_rows (table), ==, expected->len);
  g_cancellable_cancel (cancellable);
  none = run_async (rig, query, cancellable, &error);
  g_assert_null (none);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/query/threads/" name, Rig, NULL, rig_set_up, function, rig_tear_down)
  ADD ("groups", test_groups);
  ADD ("rows", test_rows);
  ADD ("askers", test_askers);
  ADD ("growing", test_growing);
  ADD ("asynchronous", test_asynchronous);
  return g_test_run ();
}
