/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was derived of rows: told while the file grows, told again, damaged, cut, hostile. */

#include <glib/gstdio.h>
#include <string.h>

#include "store-model.h"
#include "weft-crc32c.h"
#include "weft-store-file.h"

static char *directory;

/* What was told of one table, by id. */
typedef struct
{
  Model *model;
  WeftTableId table;
  guint64 *decisions;
  guint64 *details;
} Told;

#define MAX_ROWS 200000

static WeftColumnNumber
decision_of (WeftTableId table)
{
  return table == WEFT_TABLE_ORIGINS ? WEFT_ORIGINS_LINK_STATUS : WEFT_DISPATCHES_CLASSIFICATION;
}

static WeftColumnNumber
detail_of (WeftTableId table)
{
  return table == WEFT_TABLE_ORIGINS ? WEFT_ORIGINS_LINK_CALLCHAIN
                                     : WEFT_DISPATCHES_SHARED_CALLCHAIN;
}

static void
told_init (Told *self, WeftTableId table)
{
  static const WeftStoreOptions options = { .flush_interval_ms = 100000 };

  self->model = model_new (directory, &options);
  self->table = table;
  self->decisions = g_new0 (guint64, MAX_ROWS + 1);
  self->details = g_new0 (guint64, MAX_ROWS + 1);
}

static void
told_clear (Told *self)
{
  model_free (self->model);
  g_free (self->decisions);
  g_free (self->details);
}

static void
add_rows (Told *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      if (self->table == WEFT_TABLE_ORIGINS)
        {
          model_begin (self->model, WEFT_TABLE_ORIGINS);
          model_set (self->model, WEFT_ORIGINS_TID, 100 + i % 9);
        }
      else
        model_dispatch (self->model, 1 + i * 7 % 5, 1 + i % 3, (gint64) (MAX_ROWS - i) * 10, 5);
      model_commit (self->model);
    }
}

/* Decides each STEP-th row of a range; the details tell the telling. */
static void
tell (Told *self, guint version, guint64 first, guint n, guint step, guint64 detail,
      gboolean provisional)
{
  g_autofree guint64 *decisions = g_new0 (guint64, n);
  g_autofree guint64 *details = g_new0 (guint64, n);
  const WeftDerivedColumn columns[] = { { decision_of (self->table), decisions, 0 },
                                        { detail_of (self->table), details, 0 } };

  for (guint i = 0; i < n; i += step)
    {
      decisions[i] = 1 + (first + i) % 3;
      details[i] = detail == 0 ? 0 : detail * 1000000 + first + i;
      self->decisions[first + i] = decisions[i];
      self->details[first + i] = details[i];
    }
  weft_store_writer_derive (self->model->writer, self->table, version, first, n, columns, 2,
                            provisional);
}

static void
flush (Told *self)
{
  g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
}

typedef struct
{
  GArray *values[2];
} Scanned;

static void
take_scanned (const WeftStoreColumn *columns, gpointer data)
{
  Scanned *scanned = data;

  for (guint i = 0; i < 2; i++)
    for (guint row = 0; row < columns[i].n_rows; row++)
      {
        guint64 value = weft_store_column_get (&columns[i], row);

        g_array_append_val (scanned->values[i], value);
      }
}

/* A column read in pieces is the column read whole, and within its zone. */
static void
check_ways (WeftStore *store, WeftTableId table, guint chunk, WeftColumnNumber number,
            const WeftStoreColumn *column)
{
  const WeftColumnNumber numbers[] = { number, decision_of (table) };
  Scanned scanned = { { g_array_new (FALSE, FALSE, 8), g_array_new (FALSE, FALSE, 8) } };
  guint64 min = 0, max = 0;

  g_assert_true (
      weft_store_scan_columns (store, table, chunk, numbers, 2, take_scanned, &scanned, NULL));
  weft_store_get_zone (store, table, chunk, number, &min, &max);
  g_assert_cmpuint (scanned.values[0]->len, ==, column->n_rows);
  for (guint row = 0; row < column->n_rows; row++)
    {
      guint64 value = weft_store_column_get (column, row);

      g_assert_cmpuint (value, ==, g_array_index (scanned.values[0], guint64, row));
      g_assert_cmpuint (value, >=, min);
      g_assert_cmpuint (value, <=, max);
      g_assert_true (weft_store_column_has (column, row));
    }
  for (guint i = 0; i < 2; i++)
    g_array_unref (scanned.values[i]);
}

/* How many rows have the value that was told, or, if LOSSES, none instead. */
static guint64
check (Told *self, WeftStore *store, gboolean losses)
{
  guint64 decided = 0;

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, self->table); chunk++)
    {
      WeftStoreColumn ids, decisions, details;
      g_autoptr (GError) error = NULL;

      weft_store_read_column (
          store, self->table, chunk,
          self->table == WEFT_TABLE_ORIGINS ? WEFT_ORIGINS_ID : WEFT_DISPATCHES_ID, &ids, &error);
      g_assert_no_error (error);
      weft_store_read_column (store, self->table, chunk, decision_of (self->table), &decisions,
                              &error);
      g_assert_no_error (error);
      weft_store_read_column (store, self->table, chunk, detail_of (self->table), &details, &error);
      g_assert_no_error (error);
      check_ways (store, self->table, chunk, decision_of (self->table), &decisions);
      check_ways (store, self->table, chunk, detail_of (self->table), &details);
      for (guint row = 0; row < ids.n_rows; row++)
        {
          guint64 id = weft_store_column_get (&ids, row);
          guint64 decision = weft_store_column_get (&decisions, row);

          decided += decision != 0;
          if (losses && decision == 0)
            continue;
          g_assert_cmpuint (decision, ==, self->decisions[id]);
          if (!losses)
            g_assert_cmpuint (weft_store_column_get (&details, row), ==, self->details[id]);
        }
      weft_store_column_clear (&ids);
      weft_store_column_clear (&decisions);
      weft_store_column_clear (&details);
    }
  return decided;
}

/* Rows in journals, told of piece by piece, and told again. */
static void
test_journals (gconstpointer table)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (WeftStore) before = NULL;
  Told told;

  told_init (&told, GPOINTER_TO_UINT (table));
  add_rows (&told, 100);
  flush (&told);
  before = weft_store_open (told.model->path, NULL);
  g_assert_cmpuint (check (&told, before, FALSE), ==, 0);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (WeftStore) later = NULL;

      add_rows (&told, 50);
      tell (&told, 1, 1 + i * 40, 90, 1 + i % 2, i, TRUE);
      flush (&told);
      later = weft_store_refresh (store != NULL ? store : before, NULL);
      g_clear_pointer (&store, weft_store_unref);
      store = g_steal_pointer (&later);
      g_assert_cmpuint (check (&told, store, FALSE), >, 40);
    }
  for (guint id = 1; id <= 100; id++)
    told.decisions[id] = told.details[id] = 0;
  g_assert_cmpuint (check (&told, before, FALSE), ==, 0);
  told_clear (&told);
}

/* What covers many journals and sealed chunks; parts of it are told anew. */
static void
test_sealed (gconstpointer table)
{
  const guint n = 140000;
  g_autoptr (WeftStore) growing = NULL;
  g_autoptr (WeftStore) closed = NULL;
  WeftStoreReport report;
  guint64 min, max;
  Told told;

  told_init (&told, GPOINTER_TO_UINT (table));
  add_rows (&told, n);
  tell (&told, 1, 1, 65536, 1, 1, TRUE);
  tell (&told, 1, 65500, 100, 1, 2, TRUE);
  flush (&told);
  growing = weft_store_open (told.model->path, NULL);
  g_assert_cmpuint (check (&told, growing, FALSE), ==, 65599);
  g_assert_false (
      weft_store_get_zone (growing, told.table, 2, decision_of (told.table), &min, &max));
  g_assert_true (
      weft_store_get_zone (growing, told.table, 0, decision_of (told.table), &min, &max));
  g_assert_cmpuint (min, ==, 0);
  g_assert_cmpuint (max, ==, 3);

  for (guint first = 1; first <= n; first += 65536)
    tell (&told, 1, first, MIN (65536, n + 1 - first), 1, 3, FALSE);
  closed = model_close (told.model);
  g_assert_cmpint (weft_store_get_state (closed), ==, WEFT_STORE_COMPLETE);
  g_assert_cmpuint (check (&told, closed, FALSE), ==, n);
  g_assert_true (weft_store_verify (closed, &report, NULL));
  g_assert_cmpuint (report.unknown_chunks, ==, 0);
  told_clear (&told);
}

/* All rows alike take no room. */
static void
test_constant (void)
{
  const WeftDerivedColumn columns[] = { { WEFT_DISPATCHES_CLASSIFICATION, NULL, 3 },
                                        { WEFT_DISPATCHES_SHARED_CALLCHAIN, NULL, 0 } };
  g_autoptr (WeftStore) without = NULL;
  g_autoptr (WeftStore) with = NULL;
  Told plain, told;

  told_init (&plain, WEFT_TABLE_DISPATCHES);
  add_rows (&plain, 65536);
  without = model_close (plain.model);
  told_init (&told, WEFT_TABLE_DISPATCHES);
  add_rows (&told, 65536);
  weft_store_writer_derive (told.model->writer, WEFT_TABLE_DISPATCHES, 1, 1, 65536, columns, 2,
                            FALSE);
  for (guint i = 1; i <= 65536; i++)
    told.decisions[i] = 3;
  with = model_close (told.model);
  g_assert_cmpuint (check (&told, with, FALSE), ==, 65536);
  g_assert_cmpuint (weft_store_get_file_size (with), <=, weft_store_get_file_size (without) + 160);
  told_clear (&plain);
  told_clear (&told);
}

/* The higher version counts wherever it stands; of one version what was said last, but where that
 * decides nothing.
 */
static void
test_versions (void)
{
  g_autoptr (WeftStore) store = NULL;
  Told told;

  told_init (&told, WEFT_TABLE_ORIGINS);
  add_rows (&told, 1000);
  tell (&told, 1, 1, 1000, 1, 1, FALSE);
  tell (&told, 2, 301, 300, 3, 5, FALSE);
  {
    Told older = told;

    older.decisions = g_new0 (guint64, MAX_ROWS + 1);
    older.details = g_new0 (guint64, MAX_ROWS + 1);
    tell (&older, 1, 1, 1000, 1, 7, FALSE);
    for (guint id = 1; id <= 1000; id++)
      if (id < 301 || id > 600 || (id - 301) % 3 != 0)
        told.details[id] = older.details[id];
    g_free (older.decisions);
    g_free (older.details);
  }
  store = model_close (told.model);
  g_assert_cmpuint (check (&told, store, FALSE), ==, 1000);
  told_clear (&told);
}

/* ---- Damage ---- */

static char *
copy_file (Told *self, gsize *size)
{
  char *data;

  g_assert_true (g_file_get_contents (self->model->path, &data, size, NULL));
  return data;
}

static void
put_file (const char *path, const void *data, gsize size)
{
  g_unlink (path);
  g_assert_true (
      g_file_set_contents_full (path, data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* The N-th derived chunk of a file, from 0. */
static gsize
find_derived (const char *data, gsize size, guint n)
{
  for (gsize at = 64; at + sizeof (WeftChunkHeader) <= size;)
    {
      WeftChunkHeader header;

      memcpy (&header, data + at, sizeof header);
      if (header.kind == WEFT_CHUNK_DERIVED && n-- == 0)
        return at;
      at += sizeof header + header.payload_size;
    }
  g_assert_not_reached ();
}

/* Damage in one loses what it said, and nothing else; repair keeps the others, and those that were
 * only for the time being.
 */
static void
test_damaged (void)
{
  g_autofree char *path = g_build_filename (directory, "damaged.weft", NULL);
  g_autofree char *out = g_build_filename (directory, "derived-repaired.weft", NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (WeftStore) repaired = NULL;
  g_autofree char *data = NULL;
  WeftStoreReport report;
  gsize size, at;
  Told told;

  told_init (&told, WEFT_TABLE_DISPATCHES);
  add_rows (&told, 400);
  tell (&told, 1, 1, 150, 1, 1, TRUE);
  flush (&told);
  tell (&told, 1, 1, 400, 1, 1, FALSE);
  tell (&told, 1, 201, 100, 1, 2, FALSE);
  g_assert_true (weft_store_writer_close (g_steal_pointer (&told.model->writer), NULL));
  data = copy_file (&told, &size);
  at = find_derived (data, size, 1);
  data[at + 64 + 2 * sizeof (WeftStreamEntry) + 20] ^= 0x10;
  put_file (path, data, size);
  store = weft_store_open (path, NULL);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), ==, 400);
  g_assert_cmpuint (check (&told, store, TRUE), ==, 100);
  g_assert_false (weft_store_verify (store, &report, NULL));
  g_assert_cmpuint (report.damaged_chunks, ==, 1);

  g_assert_true (weft_store_repair (path, out, NULL, NULL, NULL, NULL, NULL));
  repaired = weft_store_open (out, NULL);
  g_assert_cmpint (weft_store_get_state (repaired), ==, WEFT_STORE_COMPLETE);
  g_assert_cmpuint (check (&told, repaired, TRUE), ==, 250);
  g_assert_true (weft_store_verify (repaired, &report, NULL));
  g_unlink (out);
  told_clear (&told);
}

/* The rows are what they were before anything was derived of them. */
static void
test_cut (void)
{
  g_autofree char *path = g_build_filename (directory, "derived-cut.weft", NULL);
  g_autofree char *data = NULL;
  guint64 last = 0;
  gsize size, rows;
  Told told;

  told_init (&told, WEFT_TABLE_ORIGINS);
  add_rows (&told, 300);
  flush (&told);
  rows = 0;
  g_free (copy_file (&told, &rows));
  for (guint i = 0; i < 4; i++)
    {
      tell (&told, 1, 1 + 60 * i, 60, 1, 0, TRUE);
      flush (&told);
    }
  data = copy_file (&told, &size);
  for (gsize length = rows; length <= size; length++)
    {
      g_autoptr (WeftStore) store = NULL;
      guint64 decided;

      put_file (path, data, length);
      store = weft_store_open (path, NULL);
      g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_GROWING);
      g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_ORIGINS), ==, 300);
      decided = check (&told, store, TRUE);
      g_assert_cmpuint (decided % 60, ==, 0);
      g_assert_cmpuint (decided, >=, last);
      last = decided;
    }
  g_assert_cmpuint (last, ==, 240);
  told_clear (&told);
}

/* ---- Chunks that no writer of ours makes ---- */

static void
append_chunk (GByteArray *bytes, WeftChunkKind kind, guint table, guint rows, guint64 first_row,
              guint column, guint type, guint64 value)
{
  WeftChunkHeader header = { .kind = (guint16) kind,
                             .version = 1,
                             .table = (guint16) table,
                             .n_streams = 1,
                             .rows = rows,
                             .first_row = first_row,
                             .payload_size = sizeof (WeftStreamEntry) };
  WeftStreamEntry entry = { .id = (guint16) column,
                            .type = (guint8) type,
                            .count = rows,
                            .offset = 128,
                            .min = value,
                            .max = value,
                            .base = value };

  memcpy (header.magic, WEFT_CHUNK_MAGIC, 8);
  header.directory_crc = weft_crc32c (&entry, sizeof entry);
  header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftChunkHeader, crc));
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *) &entry, sizeof entry);
}

static GByteArray *
begin_file (void)
{
  GByteArray *bytes = g_byte_array_new ();
  WeftFileHeader header = { .major = WEFT_FILE_MAJOR, .header_size = sizeof header };

  memcpy (header.magic, WEFT_FILE_MAGIC, 8);
  header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftFileHeader, crc));
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  return bytes;
}

#define PLACE(NUMBER) (WEFT_ORIGINS_##NUMBER - WEFT_COLUMN_BASE_ORIGINS - 1)

static WeftStore *
open_bytes (GByteArray *bytes)
{
  g_autofree char *path = g_build_filename (directory, "hostile.weft", NULL);
  WeftStore *store;

  put_file (path, bytes->data, bytes->len);
  store = weft_store_open (path, NULL);
  g_assert_nonnull (store);
  return store;
}

static guint64
status_of (WeftStore *store, guint64 id)
{
  WeftStoreColumn column;
  guint64 status, min = 0, max = 0;
  guint chunk, row;

  g_assert_true (weft_store_find_row (store, WEFT_TABLE_ORIGINS, id, &chunk, &row, NULL));
  g_assert_true (weft_store_read_column (store, WEFT_TABLE_ORIGINS, chunk, WEFT_ORIGINS_LINK_STATUS,
                                         &column, NULL));
  weft_store_get_zone (store, WEFT_TABLE_ORIGINS, chunk, WEFT_ORIGINS_LINK_STATUS, &min, &max);
  status = weft_store_column_get (&column, row);
  g_assert_cmpuint (status, <=, max);
  weft_store_column_clear (&column);
  return status;
}

static void
test_hostile (void)
{
  g_autoptr (GByteArray) bytes = begin_file ();
  g_autoptr (WeftStore) store = NULL;
  const guint enumeration = WEFT_STORE_TYPE_ENUM;

  append_chunk (bytes, WEFT_CHUNK_SEALED, WEFT_TABLE_ORIGINS, 100, 1001, PLACE (TID),
                WEFT_STORE_TYPE_U64, 7);
  /* Of rows before, after and around it; of a wrong type, table and column; of too many rows. */
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 10, 1, PLACE (LINK_STATUS),
                enumeration, 1);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 10, G_MAXINT64 - 5,
                PLACE (LINK_STATUS), enumeration, 1);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 65536, 1, PLACE (LINK_STATUS),
                enumeration, 2);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 10, 1001, PLACE (LINK_STATUS),
                WEFT_STORE_TYPE_I64, 3);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 10, 1001, PLACE (TID),
                WEFT_STORE_TYPE_U64, 3);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 65537, 1, PLACE (LINK_STATUS),
                enumeration, 4);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 0, 1001, PLACE (LINK_STATUS),
                enumeration, 4);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_META, 10, 1001, PLACE (LINK_STATUS),
                enumeration, 4);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, 4000, 10, 1001, PLACE (LINK_STATUS), enumeration, 4);
  append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, 10, 1050, 200, enumeration, 4);
  /* A raw chunk has no derived columns, whatever it claims. */
  append_chunk (bytes, WEFT_CHUNK_SEALED, WEFT_TABLE_ORIGINS, 10, 70001, PLACE (LINK_STATUS),
                enumeration, 5);
  store = open_bytes (bytes);
  for (guint id = 1001; id <= 1100; id++)
    g_assert_cmpuint (status_of (store, id), ==, 2);
  for (guint id = 70001; id <= 70010; id++)
    g_assert_cmpuint (status_of (store, id), ==, 0);
}

/* Each derived chunk speaks of all chunks of rows: time must not grow with the square. */
static void
test_crowded (void)
{
  const guint n = 20000;
  g_autoptr (GByteArray) bytes = begin_file ();
  g_autoptr (WeftStore) store = NULL;
  gint64 began;

  for (guint i = 0; i < n; i++)
    append_chunk (bytes, WEFT_CHUNK_JOURNAL, WEFT_TABLE_ORIGINS, 1, 1 + i, PLACE (TID),
                  WEFT_STORE_TYPE_U64, 7);
  for (guint i = 0; i < n; i++)
    append_chunk (bytes, WEFT_CHUNK_DERIVED, WEFT_TABLE_ORIGINS, n, 1, PLACE (LINK_STATUS),
                  WEFT_STORE_TYPE_ENUM, 1 + i % 9);
  began = g_get_monotonic_time ();
  store = open_bytes (bytes);
  for (guint id = 1; id <= n; id += 100)
    g_assert_cmpuint (status_of (store, id), ==, 1 + (n - 1) % 9);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 20 * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();
  g_test_add_data_func ("/store/derived/journals/origins", GUINT_TO_POINTER (WEFT_TABLE_ORIGINS),
                        test_journals);
  g_test_add_data_func ("/store/derived/journals/dispatches",
                        GUINT_TO_POINTER (WEFT_TABLE_DISPATCHES), test_journals);
  g_test_add_data_func ("/store/derived/sealed/origins", GUINT_TO_POINTER (WEFT_TABLE_ORIGINS),
                        test_sealed);
  g_test_add_data_func ("/store/derived/sealed/dispatches",
                        GUINT_TO_POINTER (WEFT_TABLE_DISPATCHES), test_sealed);
  g_test_add_func ("/store/derived/constant", test_constant);
  g_test_add_func ("/store/derived/versions", test_versions);
  g_test_add_func ("/store/derived/damaged", test_damaged);
  g_test_add_func ("/store/derived/cut", test_cut);
  g_test_add_func ("/store/derived/hostile", test_hostile);
  g_test_add_func ("/store/derived/crowded", test_crowded);
  result = g_test_run ();
  model_directory_free (directory);
  return result;
}
