/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Readers in other threads follow a file that is being written. */

#include <string.h>

#include "store-model.h"

static char *directory;

typedef struct
{
  char *path;
  guint64 flushed; /* rows that a reader must see */
  gboolean done;
} Live;

/* Jumps that outgrow the 32 bits of a memtable's offsets, while its rows are being read. */
static guint64
start_of (guint64 id)
{
  return id * 13 - id % 5 + id / 30000 * G_GUINT64_CONSTANT (3000000000);
}

/* Every row is what its id says, and ids are there once each. */
static void
check_rows (WeftStore *store, guint first_chunk)
{
  for (guint chunk = first_chunk; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES);
       chunk++)
    {
      WeftStoreColumn ids, starts, waits;
      g_autoptr (GError) error = NULL;
      guint64 sum = 0;
      WeftChunkInfo info;

      weft_store_get_chunk (store, WEFT_TABLE_DISPATCHES, chunk, &info);
      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_ID, &ids,
                              &error);
      g_assert_no_error (error);
      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_START, &starts,
                              &error);
      g_assert_no_error (error);
      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_QUEUE_WAIT,
                              &waits, &error);
      g_assert_no_error (error);
      for (guint row = 0; row < info.n_rows; row++)
        {
          guint64 id = weft_store_column_get (&ids, row);

          sum += id - info.first_row;
          g_assert_cmpuint (weft_store_column_get (&starts, row), ==, start_of (id));
          g_assert_cmpint (weft_store_column_has (&waits, row), ==, id % 3 == 0);
        }
      g_assert_cmpuint (sum, ==, (guint64) info.n_rows * (info.n_rows - 1) / 2);
      weft_store_column_clear (&ids);
      weft_store_column_clear (&starts);
      weft_store_column_clear (&waits);
    }
}

static void
check_queries (WeftStore *store)
{
  g_autoptr (GArray) groups = weft_store_summarize (store, WEFT_GROUP_BY_LANE, NULL);
  WeftTimelineBucket buckets[50];
  guint32 lane = 2;
  guint64 count = 0;

  for (guint i = 0; i < groups->len; i++)
    count += g_array_index (groups, WeftGroupSummary, i).count;
  g_assert_cmpuint (count, ==, weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES));
  g_assert_true (weft_store_timeline (store, &lane, 1, 0, 1000000, 50, buckets, NULL));
}

static gpointer
follow (gpointer data)
{
  Live *live = data;
  WeftStore *store = weft_store_open (live->path, NULL);
  gboolean done;

  g_assert_nonnull (store);
  do
    {
      guint64 flushed;
      WeftStore *later;
      guint before = weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES);

      done = __atomic_load_n (&live->done, __ATOMIC_ACQUIRE);
      flushed = __atomic_load_n (&live->flushed, __ATOMIC_ACQUIRE);
      later = weft_store_refresh (store, NULL);
      weft_store_unref (store);
      store = later;
      g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), >=, flushed);
      check_rows (store, before > 2 ? before - 2 : 0);
      check_queries (store);
      g_usleep (2000);
    }
  while (!done);

  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  check_rows (store, 0);
  weft_store_unref (store);
  return NULL;
}

static void
append (WeftStoreWriter *writer, guint64 id)
{
  WeftTableWriter *table = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);

  weft_table_writer_begin (table);
  weft_table_writer_set (table, WEFT_DISPATCHES_LANE, 1 + id % 7);
  weft_table_writer_set (table, WEFT_DISPATCHES_START, start_of (id));
  weft_table_writer_set (table, WEFT_DISPATCHES_DURATION, 5);
  if (id % 3 == 0)
    weft_table_writer_set (table, WEFT_DISPATCHES_QUEUE_WAIT, id);
  if (id > 100000)
    weft_table_writer_set (table, WEFT_DISPATCHES_QUEUE, 3);
  g_assert_cmpuint (weft_table_writer_commit (table), ==, id);
}

static void
test_follow (void)
{
  WeftStoreOptions options = { .flush_interval_ms = 5,
                               .sync_interval_ms = 50,
                               .max_queued_bytes = 4 << 20 };
  Live live = { g_build_filename (directory, "live.weft", NULL), 0, FALSE };
  g_autoptr (GError) error = NULL;
  WeftStoreWriter *writer = weft_store_writer_new (live.path, &options, &error);
  WeftStoreStatistics statistics;
  GThread *readers[2];
  guint64 n = 600000;

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    readers[i] = g_thread_new ("reader", follow, &live);
  for (guint64 id = 1; id <= n; id++)
    {
      append (writer, id);
      if (id % 500 == 0)
        {
          g_autofree char *text = g_strdup_printf ("name %" G_GUINT64_FORMAT, id);

          weft_store_writer_string (writer, text, -1);
        }
      if (id % 50000 == 0)
        {
          g_assert_true (weft_store_writer_flush (writer, NULL));
          __atomic_store_n (&live.flushed, id, __ATOMIC_RELEASE);
        }
    }
  weft_store_writer_get_statistics (writer, &statistics);
  g_assert_cmpuint (statistics.rows, ==, n);
  g_assert_true (weft_store_writer_close (writer, &error));
  __atomic_store_n (&live.done, TRUE, __ATOMIC_RELEASE);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_thread_join (readers[i]);
  g_free (live.path);
}

/* Appending goes no further ahead of the disk than it may. */
static void
test_bounded_queue (void)
{
  WeftStoreOptions options = { .max_queued_bytes = 1 << 20 };
  g_autofree char *path = g_build_filename (directory, "bounded.weft", NULL);
  WeftStoreWriter *writer = weft_store_writer_new (path, &options, NULL);
  WeftStoreStatistics statistics;

  for (guint64 id = 1; id <= 600000; id++)
    {
      append (writer, id);
      if (id % 10000 == 0)
        {
          weft_store_writer_get_statistics (writer, &statistics);
          g_assert_cmpuint (statistics.bytes_queued, <=, (1 << 20) + 6 * 65536 * 8);
        }
    }
  g_assert_true (weft_store_writer_close (writer, NULL));
}

static gpointer
read_all (gpointer data)
{
  for (guint i = 0; i < 4; i++)
    {
      check_rows (data, 0);
      check_queries (data);
      g_assert_cmpstr (weft_store_get_string (data, 1), ==, "one");
    }
  return NULL;
}

/* Several threads share a store whose cache holds next to nothing. */
static void
test_small_cache (void)
{
  g_autofree char *path = g_build_filename (directory, "cache.weft", NULL);
  WeftStoreWriter *writer = weft_store_writer_new (path, NULL, NULL);
  g_autoptr (WeftStore) store = NULL;
  GThread *threads[3];

  weft_store_writer_string (writer, "one", -1);
  for (guint64 id = 1; id <= 200000; id++)
    append (writer, id);
  g_assert_true (weft_store_writer_close (writer, NULL));

  g_setenv ("WEFT_STORE_CACHE", "600000", TRUE);
  store = weft_store_open (path, NULL);
  g_unsetenv ("WEFT_STORE_CACHE");
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_all, store);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* What is only journalled is served, by several journals after another. */
static void
test_journal_only (void)
{
  WeftStoreOptions options = { .flush_interval_ms = 100000 };
  Model *model = model_new (directory, &options);
  ModelShape shape = { .n_rows = 50, .n_lanes = 3, .n_routines = 4, .extras = TRUE };

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (WeftStore) store = NULL;

      model_fill (model, &shape, i);
      g_assert_true (weft_store_writer_flush (model->writer, NULL));
      store = weft_store_open (model->path, NULL);
      g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_GROWING);
      g_assert_cmpuint (weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES), ==, i + 1);
      model_check (model, store);
    }
  model_free (model);
}

/* The writing thread flushes by itself. */
static void
test_interval (void)
{
  WeftStoreOptions options = { .flush_interval_ms = 20 };
  Model *model = model_new (directory, &options);
  g_autoptr (WeftStore) store = NULL;

  model_dispatch (model, 1, 1, 5, 5);
  model_commit (model);
  for (guint i = 0; i < 500; i++)
    {
      g_clear_pointer (&store, weft_store_unref);
      store = weft_store_open (model->path, NULL);
      if (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES) == 1)
        break;
      g_usleep (10000);
    }
  model_check (model, store);
  model_free (model);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();
  g_test_add_func ("/store/live/follow", test_follow);
  g_test_add_func ("/store/live/bounded-queue", test_bounded_queue);
  g_test_add_func ("/store/live/small-cache", test_small_cache);
  g_test_add_func ("/store/live/journal-only", test_journal_only);
  g_test_add_func ("/store/live/interval", test_interval);
  result = g_test_run ();
  model_directory_free (directory);
  return result;
}
