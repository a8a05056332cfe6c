/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recordings of the last bytes or seconds: bounded while they run, whole where they are kept. */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-model.h"

#define BOUND (2 << 20)
#define PER_EPISODE 2000

/* A world in which short processes come and go beside one that stays, each episode one of them. */
typedef struct
{
  WeftStoreWriter *writer;
  char *path;
  guint64 main_process;
  guint64 main_thread;
  guint64 lanes[2];
  guint64 n_episodes;
  guint64 n_dispatches[2]; /* by lane */
} World;

static char *directory;

static WeftTableWriter *
begin (World *self, WeftTableId table)
{
  WeftTableWriter *t = weft_store_writer_table (self->writer, table);

  weft_table_writer_begin (t);
  return t;
}

static guint32
text (World *self, const char *format, guint64 number)
{
  g_autofree char *made = g_strdup_printf ("%s %" G_GUINT64_FORMAT, format, number);

  return weft_store_writer_string (self->writer, made, -1);
}

static guint64
add_process (World *self, guint64 pid)
{
  guint32 name = text (self, "process", pid);
  WeftTableWriter *t = begin (self, WEFT_TABLE_PROCESSES);

  weft_table_writer_set (t, WEFT_PROCESSES_PID, pid);
  weft_table_writer_set (t, WEFT_PROCESSES_NAME, name);
  return weft_table_writer_commit (t);
}

static guint64
add_thread (World *self, guint64 process, guint64 tid)
{
  guint32 name = text (self, "thread", tid);
  WeftTableWriter *t = begin (self, WEFT_TABLE_THREADS);

  weft_table_writer_set (t, WEFT_THREADS_PROCESS, process);
  weft_table_writer_set (t, WEFT_THREADS_TID, tid);
  weft_table_writer_set (t, WEFT_THREADS_NAME, name);
  return weft_table_writer_commit (t);
}

static void
add_lane (World *self, guint i)
{
  guint32 name = text (self, "lane", i);
  WeftTableWriter *t = begin (self, WEFT_TABLE_LANES);

  weft_table_writer_set (t, WEFT_LANES_RUNTIME, 1);
  weft_table_writer_set (t, WEFT_LANES_NAME, name);
  self->lanes[i] = weft_table_writer_commit (t);
}

static World *
world_new (guint64 size, gint64 duration)
{
  static guint n_worlds;
  g_autofree char *name = g_strdup_printf ("world-%d-%u.weft", (int) getpid (), n_worlds++);
  const WeftStoreOptions options = { .keep_size = size,
                                     .keep_duration = duration,
                                     .start_monotonic = g_get_monotonic_time () * 1000 };
  g_autoptr (GError) error = NULL;
  World *self = g_new0 (World, 1);
  WeftTableWriter *t;

  self->path = g_build_filename (directory, name, NULL);
  self->writer = weft_store_writer_new (self->path, &options, &error);
  g_assert_no_error (error);
  self->main_process = add_process (self, 1);
  self->main_thread = add_thread (self, self->main_process, 1);
  t = begin (self, WEFT_TABLE_RUNTIMES);
  weft_table_writer_set (t, WEFT_RUNTIMES_PROCESS, self->main_process);
  weft_table_writer_commit (t);
  add_lane (self, 0);
  add_lane (self, 1);
  return self;
}

static void
world_free (World *self)
{
  if (self->writer != NULL)
    weft_store_writer_close (self->writer, NULL);
  g_free (self->path);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static void
add_dispatch (World *self, guint64 thread, guint32 label, guint64 n)
{
  WeftTableWriter *t = begin (self, WEFT_TABLE_DISPATCHES);
  guint64 id;

  weft_table_writer_set (t, WEFT_DISPATCHES_LANE, self->lanes[n % 2]);
  weft_table_writer_set (t, WEFT_DISPATCHES_START, n * 1000);
  weft_table_writer_set (t, WEFT_DISPATCHES_DURATION, n * 7919 % 977);
  weft_table_writer_set (t, WEFT_DISPATCHES_THREAD, thread);
  weft_table_writer_set (t, WEFT_DISPATCHES_LABEL, label);
  weft_table_writer_set (t, WEFT_DISPATCHES_PRODUCER_ID, n + 1);
  id = weft_table_writer_commit (t);
  self->n_dispatches[n % 2]++;
  t = begin (self, WEFT_TABLE_PHASES);
  weft_table_writer_set (t, WEFT_PHASES_DISPATCH, id);
  weft_table_writer_set (t, WEFT_PHASES_DURATION, n * 104729 % 1000003);
  weft_table_writer_commit (t);
}

/* How a lane stands, told again and again. */
static void
add_counts (World *self)
{
  for (guint i = 0; i < 2; i++)
    {
      WeftTableWriter *t = begin (self, WEFT_TABLE_LANE_COUNTS);

      weft_table_writer_set (t, WEFT_LANE_COUNTS_LANE, self->lanes[i]);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_SUBMITTED, self->n_dispatches[i]);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_COMPLETED, self->n_dispatches[i]);
      weft_table_writer_commit (t);
    }
}

static void
episode (World *self)
{
  guint64 number = self->n_episodes++;
  guint64 process = add_process (self, 100 + number);
  guint64 thread = add_thread (self, process, 100 + number);
  WeftTableWriter *t;

  for (guint64 i = 0; i < PER_EPISODE; i++)
    add_dispatch (self, i % 3 == 0 ? thread : self->main_thread,
                  text (self, "label that is some bytes long", number * 50 + i % 50),
                  number * PER_EPISODE + i);
  add_counts (self);
  t = begin (self, WEFT_TABLE_PROCESS_ENDS);
  weft_table_writer_set (t, WEFT_PROCESS_ENDS_PROCESS, process);
  weft_table_writer_commit (t);
  weft_store_writer_tick (self->writer);
}

/* Bytes of the file and its parts. */
static guint64
disk_use (const char *path)
{
  g_autofree char *folder = g_strconcat (path, ".parts", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint64 size = 0;
  const char *name;
  GStatBuf status;

  if (g_stat (path, &status) == 0)
    size += (guint64) status.st_size;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *part = g_build_filename (folder, name, NULL);

      if (g_stat (part, &status) == 0)
        size += (guint64) status.st_size;
    }
  return size;
}

static guint64
value (WeftStore *store, WeftTableId table, guint64 id, WeftColumnNumber number)
{
  g_autoptr (GError) error = NULL;
  WeftStoreColumn column;
  guint chunk, row;
  guint64 found;

  g_assert_true (weft_store_find_row (store, table, id, &chunk, &row, &error));
  g_assert_true (weft_store_read_column (store, table, chunk, number, &column, &error));
  found = weft_store_column_get (&column, row);
  weft_store_column_clear (&column);
  return found;
}

static gboolean
has_row (WeftStore *store, WeftTableId table, guint64 id)
{
  guint chunk, row;

  return weft_store_find_row (store, table, id, &chunk, &row, NULL);
}

static const char *
string_of (WeftStore *store, WeftTableId table, guint64 id, WeftColumnNumber number)
{
  return weft_store_get_string (store, (guint32) value (store, table, id, number));
}

static void
assert_text (const char *found, const char *format, guint64 number)
{
  g_autofree char *expected = g_strdup_printf ("%s %" G_GUINT64_FORMAT, format, number);

  g_assert_cmpstr (found, ==, expected);
}

/* Every dispatch that is there is what its id says, with all that it names. Returns the first. */
static guint64
check_rows (World *self, WeftStore *store)
{
  guint64 total = self->n_dispatches[0] + self->n_dispatches[1];
  guint64 first = total + 1 - weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);

  for (guint64 id = first; id <= total; id += 37)
    {
      guint64 n = id - 1;
      guint64 number = n / PER_EPISODE;
      guint64 thread = value (store, WEFT_TABLE_DISPATCHES, id, WEFT_DISPATCHES_THREAD);
      guint64 process = value (store, WEFT_TABLE_THREADS, thread, WEFT_THREADS_PROCESS);
      guint64 tid = n % PER_EPISODE % 3 == 0 ? 100 + number : 1;

      g_assert_cmpuint (value (store, WEFT_TABLE_DISPATCHES, id, WEFT_DISPATCHES_START), ==,
                        n * 1000);
      assert_text (string_of (store, WEFT_TABLE_DISPATCHES, id, WEFT_DISPATCHES_LABEL),
                   "label that is some bytes long", number * 50 + n % PER_EPISODE % 50);
      assert_text (string_of (store, WEFT_TABLE_THREADS, thread, WEFT_THREADS_NAME), "thread", tid);
      assert_text (string_of (store, WEFT_TABLE_PROCESSES, process, WEFT_PROCESSES_NAME), "process",
                   tid);
      assert_text (string_of (store, WEFT_TABLE_LANES, self->lanes[n % 2], WEFT_LANES_NAME), "lane",
                   n % 2);
    }
  return first;
}

/* Rows of a table that were let go of, of one lane or, if it is 0, of none. */
static guint64
let_go (WeftStore *store, WeftTableId table, guint64 lane)
{
  guint64 n = weft_store_get_n_rows (store, WEFT_TABLE_RETENTION);

  for (guint64 id = 1; id <= n; id++)
    if (value (store, WEFT_TABLE_RETENTION, id, WEFT_RETENTION_OWNER_TABLE) == table &&
        value (store, WEFT_TABLE_RETENTION, id, WEFT_RETENTION_LANE) == lane)
      return value (store, WEFT_TABLE_RETENTION, id, WEFT_RETENTION_ROWS);
  return 0;
}

/* What is there and what was let go of is what there was; the last counts are there. */
static void
check_conservation (World *self, WeftStore *store)
{
  g_autoptr (GArray) groups = weft_store_summarize (store, WEFT_GROUP_BY_LANE, NULL);
  guint64 n_phases = weft_store_get_n_rows (store, WEFT_TABLE_PHASES);
  guint64 total = 0;

  g_assert_cmpuint (groups->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      const WeftGroupSummary *group = &g_array_index (groups, WeftGroupSummary, i);

      g_assert_cmpuint (group->lane, ==, self->lanes[i]);
      g_assert_cmpuint (group->count + let_go (store, WEFT_TABLE_DISPATCHES, group->lane), ==,
                        self->n_dispatches[i]);
      total += self->n_dispatches[i];
    }
  g_assert_cmpuint (n_phases + let_go (store, WEFT_TABLE_PHASES, 0), ==, total);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (value (store, WEFT_TABLE_LANE_COUNTS, 2 * self->n_episodes - 1 + i,
                             WEFT_LANE_COUNTS_SUBMITTED),
                      ==, self->n_dispatches[i]);
}

static WeftStore *
open_world (World *self)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store = weft_store_open (self->path, &error);

  g_assert_no_error (error);
  return store;
}

static gboolean
is_in_parts (World *self)
{
  g_autofree char *folder = g_strconcat (self->path, ".parts", NULL);

  return g_file_test (folder, G_FILE_TEST_EXISTS);
}

/* ---- Tests ---- */

static void
test_bytes (void)
{
  g_autoptr (World) world = world_new (BOUND, 0);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GError) error = NULL;
  guint64 most = 0;

  for (guint i = 0; i < 600; i++)
    {
      episode (world);
      g_assert_true (weft_store_writer_flush (world->writer, &error));
      most = MAX (most, disk_use (world->path));
    }
  /* The bound and one part, which an episode may have made a little longer. */
  g_assert_cmpuint (most, <=, BOUND + BOUND / WEFT_STORE_PARTS_PER_BOUND + (96 << 10));
  g_assert_cmpuint (most, >, BOUND / 2);

  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), &error));
  g_assert_no_error (error);
  g_assert_false (is_in_parts (world));
  g_assert_cmpuint (disk_use (world->path), <=, BOUND);
  store = open_world (world);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  g_assert_true (weft_store_verify (store, &(WeftStoreReport){ 0 }, &error));
  g_assert_cmpuint (check_rows (world, store), >, 1);
  check_conservation (world, store);
}

/* What nothing names any more goes, on the disk and in memory; what is in use stays. */
static void
test_sorting_out (void)
{
  g_autoptr (World) world = world_new (BOUND, 0);
  WeftStoreStatistics statistics;
  g_autoptr (WeftStore) store = NULL;
  guint64 most = 0;

  for (guint i = 0; i < 1500; i++)
    {
      /* Much to remember, nothing of it for long. */
      for (guint j = 0; j < 100; j++)
        add_thread (world, add_process (world, 1000000 + i * 100 + j), j);
      for (guint64 j = 0; j < 100; j++)
        {
          WeftTableWriter *t = begin (world, WEFT_TABLE_PROCESS_ENDS);

          weft_table_writer_set (
              t, WEFT_PROCESS_ENDS_PROCESS,
              weft_store_writer_table (world->writer, WEFT_TABLE_PROCESSES)->total - j);
          weft_table_writer_commit (t);
        }
      episode (world);
      g_assert_true (weft_store_writer_flush (world->writer, NULL));
      weft_store_writer_get_statistics (world->writer, &statistics);
      most = MAX (most, statistics.strings);
    }
  /* 75,000 labels of 33 bytes and 150,000 processes of 15: 14 MB if none were forgotten. */
  g_assert_cmpuint (most, <, 7 << 20);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
  store = open_world (world);
  check_rows (world, store);
  check_conservation (world, store);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESSES), <, 80000);
  g_assert_true (has_row (store, WEFT_TABLE_PROCESSES, world->main_process));
  g_assert_false (has_row (store, WEFT_TABLE_PROCESSES, 5000));
}

/* A reader sees the last of it at any time, also one that stays. */
static void
test_reading (void)
{
  g_autoptr (World) world = world_new (BOUND / 2, 0);
  g_autoptr (WeftStore) store = NULL;
  guint64 first = 0;

  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (WeftStore) later = NULL;

      episode (world);
      g_assert_true (weft_store_writer_flush (world->writer, NULL));
      if (store == NULL)
        store = open_world (world);
      later = weft_store_refresh (store, NULL);
      g_assert_cmpint (weft_store_get_state (later), ==, WEFT_STORE_GROWING);
      g_assert_true (weft_store_is_written (later));
      if (i % 10 == 0)
        g_assert_cmpuint (check_rows (world, later), >=, first);
      g_clear_pointer (&store, weft_store_unref);
      store = g_steal_pointer (&later);
    }
  check_conservation (world, store);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
  {
    g_autoptr (WeftStore) finished = weft_store_refresh (store, NULL);

    g_assert_cmpint (weft_store_get_state (finished), ==, WEFT_STORE_COMPLETE);
    g_assert_false (weft_store_is_written (finished));
    check_rows (world, finished);
    check_conservation (world, finished);
  }
  /* The old view still works: its files are gone from the folder, not from it. */
  check_rows (world, store);
}

/* Something is kept while the rest goes on. */
static void
test_keeping (void)
{
  g_autoptr (World) world = world_new (BOUND / 8, 0);
  g_autofree char *out = g_strconcat (world->path, "-kept", NULL);
  g_autoptr (WeftStore) kept = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 200; i++)
    episode (world);
  g_assert_true (weft_store_writer_keep (world->writer, weft_store_writer_rotate (world->writer), 0,
                                         out, &error));
  g_assert_no_error (error);
  kept = weft_store_open (out, &error);
  g_assert_cmpint (weft_store_get_state (kept), ==, WEFT_STORE_COMPLETE);
  check_rows (world, kept);
  check_conservation (world, kept);
  for (guint i = 0; i < 20; i++)
    episode (world);
  /* An existing file is not written over. */
  g_assert_false (weft_store_writer_keep (world->writer, weft_store_writer_rotate (world->writer),
                                          0, out, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
}

/* By time: parts that ended earlier go. */
static void
test_seconds (void)
{
  g_autoptr (World) world = world_new (0, 400 * G_GINT64_CONSTANT (1000000));
  g_autoptr (WeftStore) store = NULL;
  gint64 end = g_get_monotonic_time () + 1200 * 1000;

  while (g_get_monotonic_time () < end)
    {
      episode (world);
      g_usleep (5000);
    }
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
  store = open_world (world);
  g_assert_cmpuint (check_rows (world, store), >, 1);
  check_conservation (world, store);
  /* At least a part's time was let go of. */
  g_assert_cmpint ((gint64) value (store, WEFT_TABLE_RETENTION, 1, WEFT_RETENTION_BEFORE), >,
                   50 * 1000000);
}

/* A bound that was never reached. */
static void
test_whole (void)
{
  g_autoptr (World) world = world_new (64 << 20, G_GINT64_CONSTANT (3600000000000));
  g_autoptr (WeftStore) store = NULL;

  for (guint i = 0; i < 5; i++)
    episode (world);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
  store = open_world (world);
  g_assert_cmpuint (check_rows (world, store), ==, 1);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RETENTION), ==, 0);
  check_conservation (world, store);
}

/* A writer that is killed leaves parts that can be read, and put together. */
static void
test_killed (void)
{
  char name[256] = "";
  g_autofree char *out = g_build_filename (directory, "repaired.weft", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (WeftStore) repaired = NULL;
  g_autoptr (World) world = g_new0 (World, 1);
  int told[2];
  pid_t child;

  g_assert_cmpint (pipe (told), ==, 0);
  child = fork ();
  if (child == 0)
    {
      World *theirs = world_new (BOUND / 2, 0);

      for (guint i = 0; i < 300; i++)
        episode (theirs);
      weft_store_writer_flush (theirs->writer, NULL);
      if (write (told[1], theirs, sizeof *theirs) == sizeof *theirs &&
          write (told[1], theirs->path, strlen (theirs->path)) > 0)
        kill (getpid (), SIGKILL);
      _exit (1);
    }
  close (told[1]);
  g_assert_cmpint (read (told[0], world, sizeof *world), ==, sizeof *world);
  g_assert_cmpint (read (told[0], name, sizeof name - 1), >, 0);
  close (told[0]);
  waitpid (child, NULL, 0);
  world->writer = NULL;
  world->path = g_strdup (name);

  store = open_world (world);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_GROWING);
  g_assert_false (weft_store_is_written (store));
  check_rows (world, store);
  check_conservation (world, store);
  g_assert_true (weft_store_repair (world->path, out, NULL, NULL, NULL, NULL, &error));
  repaired = weft_store_open (out, &error);
  g_assert_cmpint (weft_store_get_state (repaired), ==, WEFT_STORE_COMPLETE);
  check_rows (world, repaired);
  check_conservation (world, repaired);
}

/* A damaged part harms its own rows. */
static void
test_damaged (void)
{
  g_autoptr (World) world = world_new (BOUND / 8, 0);
  g_autofree char *folder = g_strconcat (world->path, ".parts", NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint n_damaged = 0;

  for (guint i = 0; i < 200; i++)
    episode (world);
  g_assert_true (weft_store_writer_flush (world->writer, NULL));
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      int fd = open (path, O_WRONLY);

      if (n_damaged < 2 && g_ascii_isdigit (name[0]) && ++n_damaged == 1)
        g_assert_cmpint (pwrite (fd, "nonsense", 8, 0), ==, 8);
      else if (n_damaged == 2)
        g_assert_cmpint (ftruncate (fd, 30000), ==, 0);
      close (fd);
    }
  store = open_world (world);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), >, 1000);
  g_assert_true (has_row (store, WEFT_TABLE_LANES, world->lanes[0]));
}

/* The disk is full: what there is stays readable, and the error is told. */
static void
test_full (void)
{
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      const struct rlimit limit = { 120 << 10, 120 << 10 };
      World *world = world_new (BOUND, 0);
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftStore) store = NULL;

      for (guint i = 0; i < 100; i++)
        episode (world);
      weft_store_writer_flush (world->writer, NULL);
      setrlimit (RLIMIT_FSIZE, &limit);
      for (guint i = 0; i < 100; i++)
        episode (world);
      weft_store_writer_flush (world->writer, NULL);
      if (weft_store_writer_get_error (world->writer) == NULL)
        _exit (2);
      if (weft_store_writer_close (g_steal_pointer (&world->writer), &error) || error == NULL)
        _exit (3);
      store = weft_store_open (world->path, NULL);
      if (store == NULL || weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES) < 10000)
        _exit (4);
      _exit (0);
    }
  waitpid (child, &status, 0);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

/* Reservations that wait are known as long as they do; those that completed are not again. */
static void
test_reservations (void)
{
  g_autoptr (World) world = world_new (BOUND / 8, 0);
  g_autoptr (WeftStore) store = NULL;
  WeftTableWriter *t;

  for (guint i = 0; i < 2; i++) /* the first completes in the second episode, the other never */
    {
      t = begin (world, WEFT_TABLE_RESERVATIONS);
      weft_table_writer_set (t, WEFT_RESERVATIONS_RUNTIME, 1);
      weft_table_writer_set (t, WEFT_RESERVATIONS_LANE, world->lanes[0]);
      weft_table_writer_set (t, WEFT_RESERVATIONS_PRODUCER_ID,
                             i == 0 ? PER_EPISODE + 1 : G_MAXUINT32);
      weft_table_writer_commit (t);
    }
  for (guint i = 0; i < 400; i++)
    episode (world);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&world->writer), NULL));
  store = open_world (world);
  g_assert_cmpuint (let_go (store, WEFT_TABLE_DISPATCHES, world->lanes[0]), >, PER_EPISODE);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RESERVATIONS), ==, 1);
  g_assert_true (has_row (store, WEFT_TABLE_RESERVATIONS, 2));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();
  g_test_add_func ("/store/retention/bytes", test_bytes);
  g_test_add_func ("/store/retention/seconds", test_seconds);
  g_test_add_func ("/store/retention/whole", test_whole);
  g_test_add_func ("/store/retention/sorting-out", test_sorting_out);
  g_test_add_func ("/store/retention/reading", test_reading);
  g_test_add_func ("/store/retention/keeping", test_keeping);
  g_test_add_func ("/store/retention/reservations", test_reservations);
  g_test_add_func ("/store/retention/killed", test_killed);
  g_test_add_func ("/store/retention/damaged", test_damaged);
  g_test_add_func ("/store/retention/full", test_full);
  status = g_test_run ();
  model_directory_free (directory);
  return status;
}
