/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written is read: every type, encoding and shape, against a naive model. */

#include <string.h>

#include "store-model.h"

static char *directory;

static guint64
random_value (GRand *rand, WeftStoreType type, guint style, guint64 i)
{
  guint64 wide = (guint64) g_rand_int (rand) << 32 | g_rand_int (rand);
  union
  {
    double number;
    guint64 bits;
  } u;

  if (type == WEFT_STORE_TYPE_F64)
    {
      u.number = style == 0 ? 0.5 : g_rand_double (rand) * (style == 1 ? 10 : 1e300) - 5;
      return style == 2 && i % 50 == 0 ? wide : u.bits;
    }
  switch (style % 9)
    {
    case 0:
      return 7;
    case 1:
      return i;
    case 2:
      return wide;
    case 3:
      return wide % 100;
    case 4:
      return 1000 + i / 40;
    case 5:
      return (wide % 16 + 1) * G_GUINT64_CONSTANT (0x123456789abcdef);
    case 6:
      return i * 1000 + wide % 100;
    case 7:
      return wide % 50 == 0 ? wide : wide % 1000;
    default:
      return (guint64) - (gint64) (wide % 100000);
    }
}

static void
fill_table (Model *model, GRand *rand, WeftTableId table, guint base, guint n_rows)
{
  const WeftTableSpec *spec = weft_schema_table (table);
  guint styles[WEFT_MAX_COLUMNS];

  for (guint i = 0; i < spec->n_columns; i++)
    styles[i] = (guint) g_rand_int_range (rand, 0, 12);
  for (guint row = 0; row < n_rows; row++)
    {
      model_begin (model, table);
      for (guint i = 0; i < spec->n_columns; i++)
        {
          if ((spec->columns[i].flags & (WEFT_COLUMN_KEY | WEFT_COLUMN_DERIVED)) || styles[i] == 11)
            continue;
          if ((styles[i] == 10 || (spec->columns[i].flags & WEFT_COLUMN_NULLABLE)) &&
              g_rand_boolean (rand))
            continue;
          model_set (model, base + 1 + i,
                     random_value (rand, spec->columns[i].type, styles[i], row));
        }
      model_commit (model);
    }
}

/* All tables, with columns of random shapes; SEED and row counts make blocks full and not. */
static void
test_tables (gconstpointer data)
{
  static const guint counts[] = { 1, 7, 8, 255, 256, 257, 1000, 3000 };
  static const guint bases[] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
    WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (data));
  g_autoptr (WeftStore) store = NULL;
  WeftStoreReport report;
  Model *model = model_new (directory, NULL);

  for (guint table = 0; table < WEFT_N_TABLES; table++)
    if (table != WEFT_TABLE_BLOBS)
      fill_table (model, rand, table, bases[table],
                  counts[g_rand_int_range (rand, 0, G_N_ELEMENTS (counts))]);
  store = model_close (model);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  model_check (model, store);
  g_assert_true (weft_store_verify (store, &report, NULL));
  g_assert_cmpuint (report.damaged_chunks, ==, 0);
  model_free (model);
}

static void
test_shape (gconstpointer data)
{
  const ModelShape *shape = data;
  g_autoptr (WeftStore) store = NULL;
  Model *model = model_new (directory, NULL);

  model_fill (model, shape, 42);
  store = model_close (model);
  model_check (model, store);
  for (guint64 id = 1; id <= shape->n_rows; id += 1 + shape->n_rows / 200)
    {
      WeftStoreColumn starts;
      guint chunk, row;

      g_assert_true (weft_store_find_row (store, WEFT_TABLE_DISPATCHES, id, &chunk, &row, NULL));
      g_assert_true (weft_store_read_column (store, WEFT_TABLE_DISPATCHES, chunk,
                                             WEFT_DISPATCHES_START, &starts, NULL));
      g_assert_cmpuint (weft_store_column_get (&starts, row), ==,
                        model_value (model, WEFT_DISPATCHES_START, id));
      weft_store_column_clear (&starts);
    }
  model_free (model);
}

/* Sealed chunks of dispatches are in the order of (lane, start). */
static void
test_order (void)
{
  ModelShape shape = {
    .n_rows = 70000, .n_lanes = 300, .n_routines = 9, .nested = TRUE, .late_rows = TRUE
  };
  g_autoptr (WeftStore) store = NULL;
  Model *model = model_new (directory, NULL);
  WeftStoreColumn lanes, starts;

  model_fill (model, &shape, 4);
  store = model_close (model);
  g_assert_cmpuint (weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES), ==, 2);
  weft_store_read_column (store, WEFT_TABLE_DISPATCHES, 0, WEFT_DISPATCHES_LANE, &lanes, NULL);
  weft_store_read_column (store, WEFT_TABLE_DISPATCHES, 0, WEFT_DISPATCHES_START, &starts, NULL);
  for (guint i = 1; i < lanes.n_rows; i++)
    {
      guint64 before = weft_store_column_get (&lanes, i - 1);
      guint64 lane = weft_store_column_get (&lanes, i);

      g_assert_cmpuint (before, <=, lane);
      if (before == lane)
        g_assert_cmpint ((gint64) weft_store_column_get (&starts, i - 1), <=,
                         (gint64) weft_store_column_get (&starts, i));
    }
  weft_store_column_clear (&lanes);
  weft_store_column_clear (&starts);
  model_free (model);
}

/* Lanes, starts and durations that no arithmetic should trip over. */
static void
test_extremes (void)
{
  static const guint64 numbers[] = { 0, 1, G_MAXINT64, G_MAXUINT64, G_MAXUINT32, 5000000000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GArray) groups = NULL;
  g_autofree WeftTimelineBucket *buckets = g_new (WeftTimelineBucket, 100);
  Model *model = model_new (directory, NULL);
  guint32 lane = 1;

  for (guint i = 0; i < 5000; i++)
    {
      model_dispatch (
          model, numbers[g_rand_int_range (rand, 0, 6)], numbers[g_rand_int_range (rand, 0, 6)],
          (gint64) numbers[g_rand_int_range (rand, 0, 6)] * (g_rand_boolean (rand) ? 1 : -1),
          numbers[g_rand_int_range (rand, 0, 6)]);
      model_commit (model);
    }
  store = model_close (model);
  model_check (model, store);
  groups = weft_store_percentile (store, 50, NULL);
  g_assert_nonnull (groups);
  g_assert_true (weft_store_timeline (store, &lane, 1, G_MININT64, G_MAXINT64, 100, buckets, NULL));
  g_assert_true (weft_store_timeline (store, &lane, 1, -50, 50, 100, buckets, NULL));
  model_free (model);
}

static void
test_strings (void)
{
  g_autoptr (WeftStore) store = NULL;
  Model *model = model_new (directory, NULL);

  g_assert_cmpuint (model_string (model, ""), ==, 0);
  g_assert_cmpuint (weft_store_writer_string (model->writer, NULL, -1), ==, 0);
  for (guint i = 0; i < 50000; i++)
    {
      g_autofree char *text = g_strdup_printf ("kernel<%u>äöü%*s", i % 20000, (int) (i % 90), "");

      model_string (model, text);
      if (i % 10000 == 0)
        g_assert_true (weft_store_writer_flush (model->writer, NULL));
    }
  g_assert_cmpuint (weft_store_writer_string (model->writer, "abcdef", 3), ==,
                    model->strings->len + 1);
  g_ptr_array_add (model->strings, g_strdup ("abc"));
  store = model_close (model);
  model_check (model, store);
  g_assert_null (weft_store_get_string (store, 0));
  g_assert_null (weft_store_get_string (store, model->strings->len + 1));
  model_free (model);
}

static void
test_blobs (void)
{
  g_autofree guint8 *data = g_malloc (3000000);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GBytes) small = NULL;
  g_autoptr (GBytes) large = NULL;
  g_autoptr (GBytes) zeros = NULL;
  Model *model = model_new (directory, NULL);
  guint32 id;

  for (guint i = 0; i < 3000000; i++)
    data[i] = (guint8) (i * i >> 7);
  g_assert_cmpuint (weft_store_writer_blob (model->writer, "text", 4), ==, 1);
  id = weft_store_writer_blob (model->writer, data, 3000000);
  g_assert_cmpuint (weft_store_writer_blob (model->writer, "text", 4), ==, 1);
  g_assert_cmpuint (weft_store_writer_blob (model->writer, data, 3000000), ==, id);
  memset (data, 0, 3000000);
  g_assert_cmpuint (weft_store_writer_blob (model->writer, data, 3000000), ==, id + 1);
  store = model_close (model);

  small = weft_store_get_blob (store, 1, NULL);
  g_assert_cmpmem (g_bytes_get_data (small, NULL), g_bytes_get_size (small), "text", 4);
  large = weft_store_get_blob (store, id, NULL);
  g_assert_cmpuint (g_bytes_get_size (large), ==, 3000000);
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (large, NULL))[1000], ==,
                    (guint8) (1000 * 1000 >> 7));
  zeros = weft_store_get_blob (store, id + 1, NULL);
  g_assert_cmpmem (g_bytes_get_data (zeros, NULL), g_bytes_get_size (zeros), data, 3000000);
  g_assert_null (weft_store_get_blob (store, 9, NULL));
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_BLOBS), ==, 3);
  model_free (model);
}

/* A column first set in the middle of a memtable, and one only in the second; both outgrow their
 * 32 bits there.
 */
static void
test_late_columns (void)
{
  g_autoptr (WeftStore) store = NULL;
  Model *model = model_new (directory, NULL);

  for (guint i = 0; i < 140000; i++)
    {
      model_begin (model, WEFT_TABLE_METRIC_POINTS);
      if (i == 30000 || i == 139999)
        model_set (model, WEFT_METRIC_POINTS_THREAD, 5);
      if (i > 30000 && i < 30020)
        model_set (model, WEFT_METRIC_POINTS_THREAD, G_MAXUINT32 - 30010 + i);
      if (i > 70000 && i < 80000)
        model_set (model, WEFT_METRIC_POINTS_TIME,
                   i + (i > 75000 ? G_GUINT64_CONSTANT (5000000000) : 0));
      model_commit (model);
      if (i == 30010)
        g_assert_true (weft_store_writer_flush (model->writer, NULL));
    }
  store = model_close (model);
  model_check (model, store);
  model_free (model);
}

int
main (int argc, char **argv)
{
  static const ModelShape shapes[] = {
    { .n_rows = 70000, .n_lanes = 1, .n_routines = 1 },
    { .n_rows = 140000, .n_lanes = 8, .n_routines = 40, .extras = TRUE },
    { .n_rows = 140000, .n_lanes = 1000, .n_routines = 40, .nested = TRUE, .extras = TRUE },
    { .n_rows = 70000, .n_lanes = 8, .n_routines = 300, .parents = TRUE, .late_rows = TRUE },
    { .n_rows = 3, .n_lanes = 2, .n_routines = 2, .extras = TRUE },
    { .n_rows = 70000, .n_lanes = 50000, .n_routines = 20000 },
  };
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();

  for (guint seed = 0; seed < 6; seed++)
    {
      g_autofree char *path = g_strdup_printf ("/store/round-trip/tables/%u", seed);

      g_test_add_data_func (path, GUINT_TO_POINTER (seed), test_tables);
    }
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *path = g_strdup_printf ("/store/round-trip/dispatches/%u", i);

      g_test_add_data_func (path, &shapes[i], test_shape);
    }
  g_test_add_func ("/store/round-trip/order", test_order);
  g_test_add_func ("/store/round-trip/extremes", test_extremes);
  g_test_add_func ("/store/round-trip/strings", test_strings);
  g_test_add_func ("/store/round-trip/blobs", test_blobs);
  g_test_add_func ("/store/round-trip/late-columns", test_late_columns);
  result = g_test_run ();

  model_directory_free (directory);
  return result;
}
