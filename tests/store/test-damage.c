/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cut, corrupted, foreign and unwritable files. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-model.h"
#include "weft-crc32c.h"
#include "weft-store-format.h"

static char *directory;

static char *
other_path (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
put_file (const char *path, const void *data, gsize size)
{
  g_unlink (path);
  g_assert_true (
      g_file_set_contents_full (path, data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static Model *
make_rows (guint n_rows)
{
  ModelShape shape = { .n_rows = n_rows, .n_lanes = 5, .n_routines = 12, .extras = TRUE };
  Model *model = model_new (directory, NULL);

  model_string (model, "first");
  weft_store_writer_blob (model->writer, "a blob", 6);
  g_ptr_array_add (model->strings, g_compute_checksum_for_string (G_CHECKSUM_SHA256, "a blob", 6));
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *text = g_strdup_printf ("string %u", i);

      model_string (model, text);
      shape.n_rows = n_rows / 4 + i;
      model_fill (model, &shape, i);
      g_assert_true (weft_store_writer_flush (model->writer, NULL));
    }
  return model;
}

/* The file is closed, or as if its writer was killed. */
static void
take_file (Model *model, gboolean closed, char **data, gsize *size)
{
  if (closed)
    g_assert_true (weft_store_writer_close (g_steal_pointer (&model->writer), NULL));
  g_assert_true (g_file_get_contents (model->path, data, size, NULL));
}

/* A model with a sealed chunk, journals, strings and a blob. */
static Model *
make_file (guint n_rows, gboolean closed, char **data, gsize *size)
{
  Model *model = make_rows (n_rows);

  take_file (model, closed, data, size);
  return model;
}

static void
derive (Model *model, guint64 first, guint n)
{
  g_autofree guint64 *values = g_new (guint64, n);
  const WeftDerivedColumn columns[] = { { WEFT_DISPATCHES_CLASSIFICATION, NULL, 2 },
                                        { WEFT_DISPATCHES_SHARED_CALLCHAIN, values, 0 } };

  for (guint i = 0; i < n; i++)
    values[i] = i * i;
  weft_store_writer_derive (model->writer, WEFT_TABLE_DISPATCHES, 1, first, n, columns, 2, FALSE);
}

/* A reader of damaged files may fail, but with an error and within bounds. */
static void
exercise (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = weft_store_open (path, &error);
  g_autoptr (GArray) summary = NULL;
  g_autoptr (GArray) percentile = NULL;
  g_autoptr (GArray) longest = NULL;
  g_autofree WeftTimelineBucket *buckets = g_new (WeftTimelineBucket, 200);
  WeftStoreReport report;
  guint32 lanes[] = { 1, 3 };
  guint chunk, row;

  if (store == NULL)
    {
      g_assert_nonnull (error);
      return;
    }
  weft_store_verify (store, &report, NULL);
  for (guint i = 0; i < 10; i++)
    weft_store_get_string (store, i);
  summary = weft_store_summarize (store, WEFT_GROUP_BY_LANE | WEFT_GROUP_BY_ROUTINE, NULL);
  percentile = weft_store_percentile (store, 95, NULL);
  longest = weft_store_longest (store, 10, NULL);
  weft_store_timeline (store, lanes, 2, 0, 1000000, 100, buckets, NULL);
  weft_store_timeline (store, lanes, 2, 0, 1000, 100, buckets, NULL);
  /* One lane of several: parts of columns are decoded. */
  weft_store_timeline (store, lanes + 1, 1, 0, G_MAXINT32, 100, buckets, NULL);
  weft_store_timeline (store, lanes + 1, 1, 0, 20000, 100, buckets, NULL);
  weft_store_find_row (store, WEFT_TABLE_DISPATCHES, 5, &chunk, &row, NULL);
  for (guint i = 0; i < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); i++)
    for (guint number = WEFT_DISPATCHES_ID; number <= WEFT_DISPATCHES_SHARED_CALLCHAIN; number++)
      {
        WeftStoreColumn column;

        if (weft_store_read_column (store, WEFT_TABLE_DISPATCHES, i, number, &column, NULL))
          weft_store_column_clear (&column);
      }
}

/* Cut at every byte of the last chunks: all before the cut is served, to the row. */
static void
test_cut (gconstpointer closed)
{
  g_autofree char *path = other_path ("cut.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (400, GPOINTER_TO_INT (closed), &data, &size);
  guint64 last_rows = G_MAXUINT64;

  for (gsize length = size; length > size - MIN (size, 9000); length--)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftStore) store = NULL;
      guint64 rows;

      put_file (path, data, length);
      store = weft_store_open (path, &error);
      if (length < sizeof (WeftFileHeader))
        {
          g_assert_nonnull (error);
          continue;
        }
      g_assert_no_error (error);
      rows = weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);
      g_assert_cmpint (weft_store_get_state (store), ==,
                       length == size && GPOINTER_TO_INT (closed) ? WEFT_STORE_COMPLETE
                                                                  : WEFT_STORE_GROWING);
      g_assert_cmpuint (rows, <=, last_rows);
      if (rows != last_rows || length % 512 == 0)
        model_check_prefix (model, store);
      last_rows = rows;
    }
  model_free (model);
}

static void
test_cut_headers (void)
{
  g_autofree char *path = other_path ("short.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (40, TRUE, &data, &size);

  for (gsize length = 0; length < 200; length++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftStore) store = NULL;

      put_file (path, data, length);
      store = weft_store_open (path, &error);
      g_assert_true ((store == NULL) == (length < 64));
      if (length < 64)
        g_assert_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT);
    }
  model_free (model);
}

static guint
n_corruptions (void)
{
  const char *text = g_getenv ("WEFT_TEST_CORRUPTIONS");

  return text == NULL ? 300 : (guint) g_ascii_strtoull (text, NULL, 10);
}

/* Bytes changed at random; with the checksums made right again in half of the cases, so that what
 * is behind them is tried too.
 */
static void
fix_checksums (guint8 *data, gsize size)
{
  for (gsize at = 64; at + 64 <= size;)
    {
      WeftChunkHeader header;
      gsize directory_size;

      memcpy (&header, data + at, sizeof header);
      if (header.payload_size > size - at - 64)
        return;
      directory_size = header.n_streams * sizeof (WeftStreamEntry);
      if (directory_size <= header.payload_size)
        {
          for (guint i = 0; i < header.n_streams; i++)
            {
              WeftStreamEntry entry;
              guint8 *place = data + at + 64 + i * sizeof entry;

              memcpy (&entry, place, sizeof entry);
              if (entry.offset <= header.payload_size + 64 &&
                  entry.stored_size <= header.payload_size + 64 - entry.offset)
                entry.crc = weft_crc32c (data + at + entry.offset, entry.stored_size);
              memcpy (place, &entry, sizeof entry);
            }
          header.directory_crc = weft_crc32c (data + at + 64, directory_size);
        }
      header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftChunkHeader, crc));
      memcpy (data + at, &header, sizeof header);
      at += 64 + header.payload_size;
    }
}

static void
test_corruptions (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (99);
  g_autofree char *path = other_path ("corrupt.weft");
  g_autofree char *data = NULL;
  g_autofree char *out = other_path ("corrupt-repaired.weft");
  gsize size;
  Model *model = make_rows (3000);
  gint64 began = g_get_monotonic_time ();
  guint n = n_corruptions ();

  derive (model, 1, 3000);
  derive (model, 1000, 500);
  take_file (model, TRUE, &data, &size);

  for (guint i = 0; i < n; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, size);
      guint n_changes = (guint) g_rand_int_range (rand, 1, 6);

      for (guint j = 0; j < n_changes; j++)
        {
          gsize at = (gsize) g_rand_int_range (rand, i % 3 == 0 ? 64 : 0, (gint32) size);
          guint run = g_rand_int_range (rand, 0, 8) == 0 ? 64 : 1;

          for (guint k = 0; k < run && at + k < size; k++)
            copy[at + k] = (guint8) (g_rand_boolean (rand) ? g_rand_int (rand) : 0xff);
        }
      if (i % 2 == 0)
        fix_checksums (copy, size);
      put_file (path, copy, size);
      exercise (path);
      if (i % 10 == 0 && weft_store_repair (path, out, NULL, NULL, NULL, NULL, NULL))
        {
          exercise (out);
          g_unlink (out);
        }
    }
  g_assert_cmpint (g_get_monotonic_time () - began, <, 1000000 + (gint64) n * 200000);
  model_free (model);
}

/* A file full of chunk beginnings must not take time that grows with its square. */
static void
test_resynchronise (void)
{
  g_autofree char *path = other_path ("magic.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (40, TRUE, &data, &size);
  gsize large = 32 << 20;
  g_autofree guint8 *copy = g_malloc (large);
  g_autoptr (WeftStore) store = NULL;
  gint64 began = g_get_monotonic_time ();

  memcpy (copy, data, 64);
  for (gsize i = 64; i < large; i += 8)
    memcpy (copy + i, WEFT_CHUNK_MAGIC, 8);
  put_file (path, copy, large);
  store = weft_store_open (path, NULL);
  g_assert_nonnull (store);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 15 * G_USEC_PER_SEC);
  model_free (model);
}

/* A chunk in the middle is unreadable: what surrounds it is served, and repair keeps it. */
static void
test_middle (void)
{
  g_autofree char *path = other_path ("middle.weft");
  g_autofree char *out = other_path ("repaired.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (200000, TRUE, &data, &size);
  g_autoptr (WeftStore) whole = weft_store_open (model->path, NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (WeftStore) repaired = NULL;
  g_autoptr (GError) error = NULL;
  WeftStoreReport report;
  WeftChunkInfo info;
  guint64 rows = weft_store_get_n_rows (whole, WEFT_TABLE_DISPATCHES);

  weft_store_get_chunk (whole, WEFT_TABLE_DISPATCHES, 1, &info);
  memset (data + info.file_offset, 0x55, 64);
  memset (data + size - 64, 0, 64);
  put_file (path, data, size);
  store = weft_store_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_PARTIAL);
  g_assert_nonnull (weft_store_get_damage (store));
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), <, rows);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), >=, rows - info.n_rows);
  g_assert_false (weft_store_verify (store, &report, NULL));
  g_assert_cmpuint (report.missing_bytes, >=, info.stored_size);

  g_assert_true (weft_store_repair (path, out, NULL, NULL, NULL, &report, &error));
  g_assert_no_error (error);
  repaired = weft_store_open (out, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (repaired), ==, WEFT_STORE_COMPLETE);
  g_assert_cmpuint (weft_store_get_n_rows (repaired, WEFT_TABLE_DISPATCHES), ==,
                    weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES));
  g_assert_true (weft_store_verify (repaired, &report, &error));
  g_assert_false (weft_store_repair (path, out, NULL, NULL, NULL, &report, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_unlink (out);
  model_free (model);
}

/* A sealed chunk's column is damaged: its journals, still in the file, take its place on repair. */
static void
test_journals_return (void)
{
  g_autofree char *path = other_path ("column.weft");
  g_autofree char *out = other_path ("column-repaired.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (2000, TRUE, &data, &size);
  g_autoptr (WeftStore) whole = weft_store_open (model->path, NULL);
  g_autoptr (WeftStore) repaired = NULL;
  WeftChunkInfo info;

  weft_store_get_chunk (whole, WEFT_TABLE_DISPATCHES, 0, &info);
  data[info.file_offset + info.stored_size - 16] ^= 1;
  put_file (path, data, size);
  g_assert_true (weft_store_repair (path, out, NULL, NULL, NULL, NULL, NULL));
  repaired = weft_store_open (out, NULL);
  g_assert_cmpuint (weft_store_get_n_chunks (repaired, WEFT_TABLE_DISPATCHES), ==, 4);
  model_check (model, repaired);
  g_unlink (out);
  model_free (model);
}

static void
test_repair_cut (void)
{
  g_autofree char *path = other_path ("killed.weft");
  g_autofree char *out = other_path ("killed-repaired.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (100000, FALSE, &data, &size);
  g_autoptr (WeftStore) repaired = NULL;

  put_file (path, data, size - 3);
  g_assert_true (weft_store_repair (path, out, NULL, NULL, NULL, NULL, NULL));
  repaired = weft_store_open (out, NULL);
  g_assert_cmpint (weft_store_get_state (repaired), ==, WEFT_STORE_COMPLETE);
  g_assert_cmpuint (weft_store_get_n_rows (repaired, WEFT_TABLE_DISPATCHES), >, 65536);
  model_check_prefix (model, repaired);
  g_unlink (out);
  model_free (model);
}

/* Later minor versions add kinds of chunks, tables and columns: all skipped. */
static void
test_unknown (void)
{
  g_autofree char *path = other_path ("unknown.weft");
  g_autofree char *data = NULL;
  gsize size;
  Model *model = make_file (1000, FALSE, &data, &size);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GError) error = NULL;
  WeftChunkHeader header = { .kind = 77, .table = 3, .n_streams = 1, .payload_size = 128 };
  WeftStreamEntry entry = { .id = 4, .encoding = 99 };
  WeftStoreReport report;

  memcpy (header.magic, WEFT_CHUNK_MAGIC, 8);
  g_byte_array_append (bytes, (const guint8 *) data, (guint) size);
  for (guint i = 0; i < 3; i++)
    {
      guint8 rest[64] = { 1, 2, 3 };

      header.kind = i == 0 ? 77 : WEFT_CHUNK_SEALED;
      header.table = i == 1 ? 4000 : WEFT_TABLE_TRACES;
      header.rows = 2;
      header.first_row = 1;
      entry.count = 2;
      entry.id = i == 2 ? 31 : 0;
      entry.encoding = i == 2 ? WEFT_ENCODING_CONSTANT : 99;
      entry.offset = 128;
      header.directory_crc = weft_crc32c (&entry, sizeof entry);
      header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftChunkHeader, crc));
      g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
      g_byte_array_append (bytes, (const guint8 *) &entry, sizeof entry);
      g_byte_array_append (bytes, rest, sizeof rest);
    }
  put_file (path, bytes->data, bytes->len);
  store = weft_store_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_GROWING);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_TRACES), ==, 2);
  weft_store_verify (store, &report, NULL);
  g_assert_cmpuint (report.unknown_chunks, ==, 1);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), ==,
                    model->tables[WEFT_TABLE_DISPATCHES]->len);
  model_free (model);
}

static void
test_foreign (void)
{
  g_autofree char *path = other_path ("foreign.weft");
  g_autofree char *missing = other_path ("missing.weft");
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  WeftFileHeader header;
  gsize size;
  Model *model = make_file (10, TRUE, &data, &size);

  g_assert_null (weft_store_open (missing, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (weft_store_open (directory, &error));
  g_assert_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT);
  g_clear_error (&error);
  put_file (path, "PNG or whatever", 15);
  g_assert_null (weft_store_open (path, &error));
  g_assert_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT);
  g_clear_error (&error);

  memcpy (&header, data, sizeof header);
  header.major = WEFT_FILE_MAJOR + 1;
  header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftFileHeader, crc));
  put_file (path, &header, sizeof header);
  g_assert_null (weft_store_open (path, &error));
  g_assert_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_TOO_NEW);
  g_clear_error (&error);
  header.major = WEFT_FILE_MAJOR;
  put_file (path, &header, sizeof header);
  g_assert_null (weft_store_open (path, &error));
  g_assert_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED);
  g_clear_error (&error);

  g_assert_null (weft_store_writer_new (model->path, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  model_free (model);
}

/* Fills a file until it is refused; what was flushed before stays. */
static int
fill_until_full (const char *path, int expected)
{
  WeftStoreWriter *writer = weft_store_writer_new (path, NULL, NULL);
  WeftTableWriter *table;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = NULL;
  WeftStoreReport report;

  if (writer == NULL)
    return 10;
  table = weft_store_writer_table (writer, WEFT_TABLE_METRIC_POINTS);
  for (guint64 i = 0; weft_store_writer_get_error (writer) == NULL && i < 20000000; i++)
    {
      weft_table_writer_begin (table);
      weft_table_writer_set (table, WEFT_METRIC_POINTS_VALUE,
                             i * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
      weft_table_writer_commit (table);
      if (i % 3000 == 0)
        weft_store_writer_flush (writer, NULL);
    }
  if (weft_store_writer_close (writer, &error) || !g_error_matches (error, G_IO_ERROR, expected))
    return 11;
  store = weft_store_open (path, NULL);
  if (store == NULL || weft_store_get_state (store) != WEFT_STORE_GROWING)
    return 12;
  if (weft_store_get_n_rows (store, WEFT_TABLE_METRIC_POINTS) < 3000)
    return 13;
  return weft_store_verify (store, &report, NULL) ? 0 : 14;
}

static int
wait_for (pid_t child)
{
  int status;

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

static void
test_file_limit (void)
{
  g_autofree char *path = other_path ("limited.weft");
  pid_t child = fork ();

  if (child == 0)
    {
      struct rlimit limit = { 300000, 300000 };

      setrlimit (RLIMIT_FSIZE, &limit);
      _exit (fill_until_full (path, (int) g_io_error_from_errno (EFBIG)));
    }
  g_assert_cmpint (wait_for (child), ==, 0);
}

static void
test_full_disk (void)
{
  g_autofree char *mount_point = other_path ("disk");
  g_autofree char *path = g_build_filename (mount_point, "full.weft", NULL);
  pid_t child;
  int status;

  g_assert_cmpint (g_mkdir (mount_point, 0700), ==, 0);
  child = fork ();
  if (child == 0)
    {
      if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
          mount ("tmpfs", mount_point, "tmpfs", 0, "size=400k") != 0)
        _exit (77);
      _exit (fill_until_full (path, G_IO_ERROR_NO_SPACE));
    }
  status = wait_for (child);
  g_rmdir (mount_point);
  if (status == 77)
    g_test_skip ("mounting a small disk needs root");
  else
    g_assert_cmpint (status, ==, 0);
}

static void
test_read_only_directory (void)
{
  g_autofree char *locked = other_path ("locked");
  g_autofree char *path = g_build_filename (locked, "a.weft", NULL);
  pid_t child;
  int status;

  g_assert_cmpint (g_mkdir (locked, 0555), ==, 0);
  g_assert_cmpint (g_chmod (directory, 0755), ==, 0);
  child = fork ();
  if (child == 0)
    {
      g_autoptr (GError) error = NULL;

      if (geteuid () == 0 && setuid (65534) != 0)
        _exit (77);
      if (weft_store_writer_new (path, NULL, &error) != NULL)
        _exit (1);
      _exit (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED) ? 0 : 2);
    }
  status = wait_for (child);
  g_rmdir (locked);
  if (status == 77)
    g_test_skip ("cannot become nobody");
  else
    g_assert_cmpint (status, ==, 0);
}

/* A writer is killed at some moment: all that was there a flush interval before is served. */
static void
run_until_killed (const char *path, guint64 *progress)
{
  WeftStoreOptions options = { .flush_interval_ms = 20 };
  WeftStoreWriter *writer = weft_store_writer_new (path, &options, NULL);
  WeftTableWriter *table = weft_store_writer_table (writer, WEFT_TABLE_DISPATCHES);

  for (guint64 i = 0;; i++)
    {
      g_autofree char *text = g_strdup_printf ("name %" G_GUINT64_FORMAT, i / 100);

      weft_table_writer_begin (table);
      weft_table_writer_set (table, WEFT_DISPATCHES_LANE, 1 + i % 3);
      weft_table_writer_set (table, WEFT_DISPATCHES_START, i * 10);
      weft_table_writer_set (table, WEFT_DISPATCHES_LABEL,
                             weft_store_writer_string (writer, text, -1));
      weft_table_writer_commit (table);
      if (i % 1000 == 0)
        {
          weft_store_writer_flush (writer, NULL);
          __atomic_store_n (progress, i + 1, __ATOMIC_SEQ_CST);
        }
    }
}

static void
check_killed (const char *path, guint64 at_least)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = weft_store_open (path, &error);
  WeftStoreReport report;

  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_GROWING);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), >=, at_least);
  g_assert_true (weft_store_verify (store, &report, &error));
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); chunk++)
    {
      WeftStoreColumn labels, starts;

      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_LABEL, &labels,
                              NULL);
      weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_START, &starts,
                              NULL);
      for (guint row = 0; row < labels.n_rows; row += 37)
        {
          g_autofree char *text = g_strdup_printf ("name %" G_GUINT64_FORMAT,
                                                   weft_store_column_get (&starts, row) / 1000);

          g_assert_cmpstr (
              weft_store_get_string (store, (guint32) weft_store_column_get (&labels, row)), ==,
              text);
        }
      weft_store_column_clear (&labels);
      weft_store_column_clear (&starts);
    }
}

static void
test_killed (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autofree char *path = other_path ("victim.weft");
  guint64 *progress =
      mmap (NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  for (guint i = 0; i < 12; i++)
    {
      pid_t child;

      *progress = 0;
      child = fork ();
      if (child == 0)
        run_until_killed (path, progress);
      while (__atomic_load_n (progress, __ATOMIC_SEQ_CST) == 0)
        g_usleep (1000);
      g_usleep ((gulong) g_rand_int_range (rand, 0, 120000));
      kill (child, SIGKILL);
      wait_for (child);
      check_killed (path, __atomic_load_n (progress, __ATOMIC_SEQ_CST));
      g_unlink (path);
    }
  munmap (progress, sizeof *progress);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();
  g_test_add_data_func ("/store/damage/cut/killed", GINT_TO_POINTER (FALSE), test_cut);
  g_test_add_data_func ("/store/damage/cut/closed", GINT_TO_POINTER (TRUE), test_cut);
  g_test_add_func ("/store/damage/cut/headers", test_cut_headers);
  g_test_add_func ("/store/damage/corruptions", test_corruptions);
  g_test_add_func ("/store/damage/resynchronise", test_resynchronise);
  g_test_add_func ("/store/damage/middle", test_middle);
  g_test_add_func ("/store/damage/journals-return", test_journals_return);
  g_test_add_func ("/store/damage/repair-cut", test_repair_cut);
  g_test_add_func ("/store/damage/unknown", test_unknown);
  g_test_add_func ("/store/damage/foreign", test_foreign);
  g_test_add_func ("/store/damage/file-limit", test_file_limit);
  g_test_add_func ("/store/damage/full-disk", test_full_disk);
  g_test_add_func ("/store/damage/read-only-directory", test_read_only_directory);
  g_test_add_func ("/store/damage/killed", test_killed);
  result = g_test_run ();
  model_directory_free (directory);
  return result;
}
