/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "store-model.h"

#include <glib/gstdio.h>

static const guint bases[WEFT_N_TABLES] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
};

Model *
model_new (const char *directory, const WeftStoreOptions *options)
{
  static guint n_files;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("%u.weft", n_files++);
  Model *self = g_new0 (Model, 1);

  self->path = g_build_filename (directory, name, NULL);
  self->writer = weft_store_writer_new (self->path, options, &error);
  g_assert_no_error (error);
  self->strings = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    self->tables[i] = g_array_new (FALSE, FALSE, sizeof (ModelRow));
  return self;
}

void
model_free (Model *self)
{
  if (self->writer != NULL)
    g_assert_true (weft_store_writer_close (self->writer, NULL));
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    g_array_unref (self->tables[i]);
  g_ptr_array_unref (self->strings);
  g_free (self->path);
  g_free (self);
}

void
model_begin (Model *self, WeftTableId table)
{
  self->table = table;
  self->row = (ModelRow){ 0 };
  weft_table_writer_begin (weft_store_writer_table (self->writer, table));
}

void
model_set (Model *self, WeftColumnNumber column, guint64 value)
{
  guint place = column - bases[self->table] - 1;

  self->row.values[place] = value;
  self->row.present |= 1u << place;
  weft_table_writer_set (weft_store_writer_table (self->writer, self->table), column, value);
}

guint64
model_commit (Model *self)
{
  const WeftTableSpec *spec = weft_schema_table (self->table);
  guint64 id = weft_table_writer_commit (weft_store_writer_table (self->writer, self->table));

  for (guint i = 0; i < spec->n_columns; i++)
    if (spec->columns[i].flags & WEFT_COLUMN_KEY)
      self->row.values[i] = id;
  g_array_append_val (self->tables[self->table], self->row);
  g_assert_cmpuint (id, ==, self->tables[self->table]->len);
  return id;
}

guint32
model_string (Model *self, const char *text)
{
  guint32 id = weft_store_writer_string (self->writer, text, -1);

  if (id > self->strings->len)
    {
      g_assert_cmpuint (id, ==, self->strings->len + 1);
      g_ptr_array_add (self->strings, g_strdup (text));
    }
  else if (id > 0)
    g_assert_cmpstr (text, ==, g_ptr_array_index (self->strings, id - 1));
  return id;
}

void
model_dispatch (Model *self, guint64 lane, guint64 routine, gint64 start, guint64 duration)
{
  model_begin (self, WEFT_TABLE_DISPATCHES);
  model_set (self, WEFT_DISPATCHES_LANE, lane);
  model_set (self, WEFT_DISPATCHES_ROUTINE, routine);
  model_set (self, WEFT_DISPATCHES_START, (guint64) start);
  model_set (self, WEFT_DISPATCHES_DURATION, duration);
}

WeftStore *
model_close (Model *self)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store;

  weft_store_writer_close (g_steal_pointer (&self->writer), &error);
  g_assert_no_error (error);
  store = weft_store_open (self->path, &error);
  g_assert_no_error (error);
  return store;
}

const ModelRow *
model_get (Model *self, WeftTableId table, guint64 id)
{
  g_assert_cmpuint (id, <=, self->tables[table]->len);
  g_assert_cmpuint (id, >, 0);
  return &g_array_index (self->tables[table], ModelRow, id - 1);
}

guint64
model_value (Model *self, WeftColumnNumber column, guint64 id)
{
  guint table = 0;

  while (table + 1 < WEFT_N_TABLES && bases[table + 1] < column)
    table++;
  return model_get (self, table, id)->values[column - bases[table] - 1];
}

static void
check_value (Model *self, WeftTableId table, guint64 id, guint place, const WeftStoreColumn *column,
             guint row)
{
  const WeftColumnSpec *spec = &weft_schema_table (table)->columns[place];
  const ModelRow *expected = model_get (self, table, id);

  if (spec->flags & WEFT_COLUMN_NULLABLE)
    g_assert_cmpint (weft_store_column_has (column, row), ==, expected->present >> place & 1);
  else
    g_assert_true (weft_store_column_has (column, row));
  if (weft_store_column_has (column, row) &&
      weft_store_column_get (column, row) != expected->values[place])
    g_error ("%s.%s of row %" G_GUINT64_FORMAT ": %" G_GUINT64_FORMAT
             " instead of %" G_GUINT64_FORMAT,
             weft_schema_table (table)->name, spec->name, id, weft_store_column_get (column, row),
             expected->values[place]);
}

static void
check_chunk (Model *self, WeftStore *store, WeftTableId table, guint chunk)
{
  const WeftTableSpec *spec = weft_schema_table (table);
  WeftStoreColumn ids = { 0 };
  WeftChunkInfo info;
  g_autoptr (GError) error = NULL;

  weft_store_get_chunk (store, table, chunk, &info);
  if (table == WEFT_TABLE_DISPATCHES)
    weft_store_read_column (store, table, chunk, WEFT_DISPATCHES_ID, &ids, &error);
  g_assert_no_error (error);
  for (guint place = 0; place < spec->n_columns; place++)
    {
      WeftStoreColumn column;
      guint64 min, max;

      weft_store_read_column (store, table, chunk, bases[table] + 1 + place, &column, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (column.n_rows, ==, info.n_rows);
      for (guint row = 0; row < info.n_rows; row++)
        check_value (self, table,
                     ids.n_rows > 0 ? weft_store_column_get (&ids, row) : info.first_row + row,
                     place, &column, row);
      if (weft_store_get_zone (store, table, chunk, bases[table] + 1 + place, &min, &max) &&
          spec->columns[place].type == WEFT_STORE_TYPE_U64)
        for (guint row = 0; row < info.n_rows; row++)
          if (weft_store_column_has (&column, row))
            {
              g_assert_cmpuint (weft_store_column_get (&column, row), >=, min);
              g_assert_cmpuint (weft_store_column_get (&column, row), <=, max);
            }
      weft_store_column_clear (&column);
    }
  weft_store_column_clear (&ids);
}

void
model_check_prefix (Model *self, WeftStore *store)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      guint64 next = 1;

      if (table == WEFT_TABLE_BLOBS)
        continue;
      for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, table); chunk++)
        {
          WeftChunkInfo info;

          weft_store_get_chunk (store, table, chunk, &info);
          g_assert_cmpuint (info.first_row, ==, next);
          next += info.n_rows;
          check_chunk (self, store, table, chunk);
        }
      g_assert_cmpuint (next - 1, ==, weft_store_get_n_rows (store, table));
    }
}

void
model_check (Model *self, WeftStore *store)
{
  model_check_prefix (self, store);
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    if (table != WEFT_TABLE_BLOBS)
      g_assert_cmpuint (weft_store_get_n_rows (store, table), ==, self->tables[table]->len);
  for (guint i = 0; i < self->strings->len; i++)
    g_assert_cmpstr (weft_store_get_string (store, i + 1), ==,
                     g_ptr_array_index (self->strings, i));
}

static void
fill_extras (Model *self, GRand *rand, guint i)
{
  model_set (self, WEFT_DISPATCHES_THREAD, 1 + i % 7);
  model_set (self, WEFT_DISPATCHES_SUBMISSION, 1 + i / 5);
  model_set (self, WEFT_DISPATCHES_PRODUCER_ID, G_GUINT64_CONSTANT (0x7f0000001000) + i * 64);
  if (g_rand_int_range (rand, 0, 20) == 0)
    model_set (self, WEFT_DISPATCHES_STATUS, (guint64) g_rand_int_range (rand, 1, 3));
  if (g_rand_boolean (rand))
    model_set (self, WEFT_DISPATCHES_QUEUE_WAIT, g_rand_int (rand) % 5000);
  if (i % 3 == 0)
    model_set (self, WEFT_DISPATCHES_SUBMITTED, (guint64) - (gint64) g_rand_int (rand));
}

void
model_fill (Model *self, const ModelShape *shape, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree gint64 *next = g_new0 (gint64, shape->n_lanes);

  for (guint i = 0; i < shape->n_rows; i++)
    {
      guint lane = (guint) g_rand_int_range (rand, 0, (gint32) shape->n_lanes);
      gint64 start = next[lane] + g_rand_int_range (rand, 100, 2100);
      guint routine = (guint) g_rand_int_range (rand, 0, (gint32) shape->n_routines);
      guint64 duration = 2000 + (guint64) routine * 300 + g_rand_int (rand) % 1000;

      if (shape->nested && i % 6 == 5)
        {
          start = next[lane] - MIN (next[lane], 20000);
          duration = (guint64) (next[lane] - start);
        }
      else if (shape->parents && i % 5000 == 4999)
        {
          start = 0;
          duration = (guint64) next[lane];
        }
      else if (shape->late_rows && i % 997 == 996)
        start = g_rand_int_range (rand, -5000, (gint32) MIN (next[lane] + 1, G_MAXINT32 / 2));
      else
        next[lane] = start + (gint64) duration;
      model_dispatch (self, 1 + lane, 1 + routine, start, duration);
      if (shape->extras)
        fill_extras (self, rand, i);
      model_commit (self);
    }
}

char *
model_directory_new (void)
{
  g_autoptr (GError) error = NULL;
  char *directory = g_dir_make_tmp ("weft-store-XXXXXX", &error);

  g_assert_no_error (error);
  return directory;
}

void
model_directory_free (char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      char *path = g_build_filename (directory, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        model_directory_free (g_steal_pointer (&path));
      else
        g_unlink (path);
      g_free (path);
    }
  g_rmdir (directory);
  g_free (directory);
}
