/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints every row of a recording, by table and in order of arrival, for comparison with another
 * reader: "table id column=value …", columns that are nought or null left out. --make PATH writes
 * a file that holds every encoding instead, and --make-unfinished PATH one that nobody closed.
 */

#include <stdio.h>
#include <string.h>

#include "store-model.h"

static const guint bases[WEFT_N_TABLES] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
};

static void
print_value (const WeftColumnSpec *spec, const WeftStoreColumn *column, guint row)
{
  guint64 value = weft_store_column_get (column, row);

  if (!weft_store_column_has (column, row) || (value == 0 && !(spec->flags & WEFT_COLUMN_NULLABLE)))
    return;
  if (spec->type == WEFT_STORE_TYPE_I64 || spec->type == WEFT_STORE_TYPE_TIME)
    printf (" %s=%" G_GINT64_FORMAT, spec->name, (gint64) value);
  else
    printf (" %s=%" G_GUINT64_FORMAT, spec->name, value);
}

static void
dump_chunk (WeftStore *store, WeftTableId table, guint chunk)
{
  const WeftTableSpec *spec = weft_schema_table (table);
  WeftStoreColumn columns[WEFT_MAX_COLUMNS];
  WeftChunkInfo info;

  weft_store_get_chunk (store, table, chunk, &info);
  for (guint i = 0; i < spec->n_columns; i++)
    if (!weft_store_read_column (store, table, chunk, bases[table] + 1 + i, &columns[i], NULL))
      g_error ("cannot read %s.%s", spec->name, spec->columns[i].name);
  for (guint row = 0; row < info.n_rows; row++)
    {
      printf ("%s", spec->name);
      for (guint i = 0; i < spec->n_columns; i++)
        print_value (&spec->columns[i], &columns[i], row);
      printf ("\n");
    }
  for (guint i = 0; i < spec->n_columns; i++)
    weft_store_column_clear (&columns[i]);
}

/* Tells of every STEP-th of some dispatches, whatever comes to mind. */
static void
derive (Model *model, guint version, guint64 first, guint n, guint step, gboolean provisional)
{
  g_autofree guint64 *decisions = g_new0 (guint64, n);
  g_autofree guint64 *callchains = g_new0 (guint64, n);
  const WeftDerivedColumn columns[] = { { WEFT_DISPATCHES_CLASSIFICATION, decisions, 0 },
                                        { WEFT_DISPATCHES_CLASSIFICATION_REASON, NULL, version },
                                        { WEFT_DISPATCHES_SHARED_CALLCHAIN, callchains, 0 } };

  for (guint i = 0; i < n; i += step)
    {
      decisions[i] = 1 + i / step % 3;
      callchains[i] = i % 2 == 0 ? 0 : i * 31;
    }
  weft_store_writer_derive (model->writer, WEFT_TABLE_DISPATCHES, version, first, n, columns, 3,
                            provisional);
}

static void
make (const char *path, gboolean closed)
{
  g_autofree char *directory = model_directory_new ();
  Model *model = model_new (directory, NULL);
  ModelShape shapes[] = {
    { .n_rows = 66000, .n_lanes = 6, .n_routines = 40, .extras = TRUE },
    { .n_rows = 66000, .n_lanes = 500, .n_routines = 10, .nested = TRUE, .extras = TRUE },
    { .n_rows = 900, .n_lanes = 2, .n_routines = 2, .extras = TRUE },
  };
  g_autofree char *data = NULL;
  gsize size;

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *text = g_strdup_printf ("a string, ä, %u", i);

      model_string (model, text);
      model_fill (model, &shapes[i], i);
      for (guint64 j = 0; j < 3000; j++)
        {
          union
          {
            double number;
            guint64 bits;
          } u = { (double) j / 7 };

          model_begin (model, WEFT_TABLE_METRIC_POINTS);
          model_set (model, WEFT_METRIC_POINTS_VALUE, u.bits);
          model_set (model, WEFT_METRIC_POINTS_TIME, j * j * j - 5000);
          model_set (model, WEFT_METRIC_POINTS_THREAD, 5);
          model_set (model, WEFT_METRIC_POINTS_METRIC, (j * 7919 % 5) * 1000003);
          model_commit (model);
        }
      derive (model, 1, 1 + i * 10000, 500, 3, TRUE);
      if (i > 0)
        g_assert_true (weft_store_writer_flush (model->writer, NULL));
    }
  derive (model, 2, 65000, 3000, 7, FALSE);
  for (guint first = 1; first < 132900; first += 65536)
    derive (model, 1, first, MIN (65536, 132900 - first), 1, FALSE);
  if (closed)
    g_assert_true (weft_store_writer_close (g_steal_pointer (&model->writer), NULL));
  g_assert_true (g_file_get_contents (model->path, &data, &size, NULL));
  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
  model_free (model);
  model_directory_free (g_steal_pointer (&directory));
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = NULL;

  if (argc == 3)
    {
      make (argv[2], strcmp (argv[1], "--make") == 0);
      return 0;
    }
  store = weft_store_open (argv[1], &error);
  if (store == NULL)
    g_error ("%s", error->message);
  for (guint i = 1; weft_store_get_string (store, i) != NULL; i++)
    printf ("string %s\n", weft_store_get_string (store, i));
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, table); chunk++)
      dump_chunk (store, table, chunk);
  return 0;
}
