/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Summaries, percentiles, the longest and the timeline against brute force over the model. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store-model.h"

static char *directory;

typedef struct
{
  const char *name;
  ModelShape shape;
  gboolean journal; /* read while the last memtable is a journal only */
} Case;

static guint
n_dispatches (Model *model)
{
  return model->tables[WEFT_TABLE_DISPATCHES]->len;
}

static WeftStore *
fill (Model *model, const Case *test)
{
  model_fill (model, &test->shape, 7);
  if (!test->journal)
    return model_close (model);
  g_assert_true (weft_store_writer_flush (model->writer, NULL));
  return weft_store_open (model->path, NULL);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static void
check_summary (Model *model, WeftStore *store, WeftGroupBy by)
{
  g_autoptr (GHashTable) groups =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_autoptr (GArray) found = weft_store_summarize (store, by, NULL);

  for (guint64 id = 1; id <= n_dispatches (model); id++)
    {
      guint64 lane = by & WEFT_GROUP_BY_LANE ? model_value (model, WEFT_DISPATCHES_LANE, id) : 0;
      guint64 routine =
          by & WEFT_GROUP_BY_ROUTINE ? model_value (model, WEFT_DISPATCHES_ROUTINE, id) : 0;
      guint64 duration = model_value (model, WEFT_DISPATCHES_DURATION, id);
      guint64 key = lane << 32 | routine;
      WeftGroupSummary *group = g_hash_table_lookup (groups, &key);

      if (group == NULL)
        {
          group = g_new0 (WeftGroupSummary, 1);
          group->min = G_MAXUINT64;
          g_hash_table_insert (groups, g_memdup2 (&key, sizeof key), group);
        }
      group->count++;
      group->sum += duration;
      group->min = MIN (group->min, duration);
      group->max = MAX (group->max, duration);
    }

  g_assert_cmpuint (found->len, ==, g_hash_table_size (groups));
  for (guint i = 0; i < found->len; i++)
    {
      const WeftGroupSummary *group = &g_array_index (found, WeftGroupSummary, i);
      guint64 key = (guint64) group->lane << 32 | group->routine;
      const WeftGroupSummary *expected = g_hash_table_lookup (groups, &key);

      g_assert_nonnull (expected);
      g_assert_cmpuint (group->count, ==, expected->count);
      g_assert_cmpuint (group->sum, ==, expected->sum);
      g_assert_cmpuint (group->min, ==, expected->min);
      g_assert_cmpuint (group->max, ==, expected->max);
      if (i > 0)
        g_assert_true (group[-1].lane < group->lane || group[-1].routine < group->routine);
    }
}

static void
test_summaries (gconstpointer data)
{
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, data);

  check_summary (model, store, WEFT_GROUP_BY_LANE);
  check_summary (model, store, WEFT_GROUP_BY_ROUTINE);
  check_summary (model, store, WEFT_GROUP_BY_LANE | WEFT_GROUP_BY_ROUTINE);
  model_free (model);
}

static void
check_percentile (Model *model, WeftStore *store, double percentile)
{
  g_autoptr (GArray) found = weft_store_percentile (store, percentile, NULL);

  for (guint i = 0; i < found->len; i += 1 + found->len / 20)
    {
      const WeftGroupSummary *group = &g_array_index (found, WeftGroupSummary, i);
      g_autoptr (GArray) durations = g_array_new (FALSE, FALSE, sizeof (guint64));
      guint rank;

      for (guint64 id = 1; id <= n_dispatches (model); id++)
        if (model_value (model, WEFT_DISPATCHES_ROUTINE, id) == group->routine)
          {
            guint64 duration = model_value (model, WEFT_DISPATCHES_DURATION, id);

            g_array_append_val (durations, duration);
          }
      g_array_sort (durations, compare_numbers);
      rank = MAX (1, (guint) ceil (percentile * durations->len / 100));
      g_assert_cmpuint (group->sum, ==, g_array_index (durations, guint64, rank - 1));
    }
}

static void
test_percentiles (gconstpointer data)
{
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, data);

  check_percentile (model, store, 0.001);
  check_percentile (model, store, 50);
  check_percentile (model, store, 95);
  check_percentile (model, store, 100);
  model_free (model);
}

static void
test_longest (gconstpointer data)
{
  static const guint counts[] = { 0, 1, 100, 128, 129, 3000, 1000000 };
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, data);
  g_autoptr (GArray) durations = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint n = n_dispatches (model);

  for (guint64 id = 1; id <= n; id++)
    {
      guint64 duration = model_value (model, WEFT_DISPATCHES_DURATION, id);

      g_array_append_val (durations, duration);
    }
  g_array_sort (durations, compare_numbers);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autoptr (GArray) found = weft_store_longest (store, counts[i], NULL);

      g_assert_cmpuint (found->len, ==, MIN (counts[i], n));
      for (guint j = 0; j < found->len; j++)
        {
          const WeftLongDispatch *row = &g_array_index (found, WeftLongDispatch, j);

          g_assert_cmpuint (row->duration, ==, g_array_index (durations, guint64, n - 1 - j));
          g_assert_cmpuint (row->duration, ==,
                            model_value (model, WEFT_DISPATCHES_DURATION, row->id));
          g_assert_cmpuint (row->lane, ==, model_value (model, WEFT_DISPATCHES_LANE, row->id));
          g_assert_cmpint (row->start, ==,
                           (gint64) model_value (model, WEFT_DISPATCHES_START, row->id));
          if (j > 0 && row[-1].duration == row->duration)
            g_assert_cmpuint (row[-1].id, <, row->id);
        }
    }
  model_free (model);
}

/* One lane by brute force: a difference array would be quicker, but this is plainly right. */
typedef struct
{
  gint64 start, end;
  guint64 duration;
  gboolean is_error;
} Row;

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *row_a = a;
  const Row *row_b = b;

  return row_a->start < row_b->start ? -1 : row_a->start > row_b->start;
}

static GArray *
rows_of (Model *model, guint32 lane)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));

  for (guint64 id = 1; id <= n_dispatches (model); id++)
    if (model_value (model, WEFT_DISPATCHES_LANE, id) == lane)
      {
        Row row;

        row.start = (gint64) model_value (model, WEFT_DISPATCHES_START, id);
        row.duration = model_value (model, WEFT_DISPATCHES_DURATION, id);
        row.end = row.start + (gint64) row.duration;
        row.is_error = model_value (model, WEFT_DISPATCHES_STATUS, id) != 0;
        g_array_append_val (rows, row);
      }
  g_array_sort (rows, compare_rows);
  return rows;
}

static void
brute (GArray *rows, gint64 begin, gint64 end, guint n_buckets, WeftTimelineBucket *buckets)
{
  gint64 until = G_MININT64;

  memset (buckets, 0, n_buckets * sizeof *buckets);
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      gint64 from = MAX (row->start, until);

      for (guint b = 0; b < n_buckets; b++)
        {
          gint64 low = begin + (gint64) ((guint64) (end - begin) * b / n_buckets);
          gint64 high = begin + (gint64) ((guint64) (end - begin) * (b + 1) / n_buckets);

          if (MIN (row->end, high) > MAX (from, low))
            buckets[b].busy += (guint64) (MIN (row->end, high) - MAX (from, low));
          if (row->start >= low && row->start < high)
            {
              buckets[b].count++;
              buckets[b].errors += row->is_error;
              buckets[b].longest = MAX (buckets[b].longest, row->duration);
            }
        }
      until = MAX (until, row->end);
    }
}

static void
check_slice (GArray *rows, WeftStore *store, guint32 lane, gint64 begin, gint64 end, guint n,
             gboolean exact)
{
  g_autofree WeftTimelineBucket *expected = g_new (WeftTimelineBucket, n);
  g_autofree WeftTimelineBucket *found = g_new (WeftTimelineBucket, n);
  double busy = 0, busy_expected = 0;
  guint64 count = 0, count_expected = 0;

  brute (rows, begin, end, n, expected);
  g_assert_true (weft_store_timeline (store, &lane, 1, begin, end, n, found, NULL));
  for (guint i = 0; i < n; i++)
    {
      if (exact)
        {
          g_assert_cmpuint (found[i].busy, ==, expected[i].busy);
          g_assert_cmpuint (found[i].count, ==, expected[i].count);
          g_assert_cmpuint (found[i].errors, ==, expected[i].errors);
          g_assert_cmpuint (found[i].longest, ==, expected[i].longest);
          g_assert_true ((found[i].routine != 0) == (found[i].busy != 0));
        }
      busy += (double) found[i].busy;
      busy_expected += (double) expected[i].busy;
      count += found[i].count;
      count_expected += expected[i].count;
    }
  /* Cells, no wider than a bucket, are shared out at the edges of the slice. */
  g_assert_cmpfloat (fabs (busy - busy_expected), <=,
                     busy_expected * 0.03 + (double) (end - begin) / n);
  g_assert_cmpfloat (fabs ((double) count - (double) count_expected), <=,
                     (double) count_expected * 0.03 + 70);
}

static void
test_timeline (gconstpointer data)
{
  const Case *test = data;
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, test);
  guint32 lane = 1 + test->shape.n_lanes / 2;
  g_autoptr (GArray) rows = rows_of (model, lane);
  gint64 end = 0;

  for (guint i = 0; i < rows->len; i++)
    end = MAX (end, g_array_index (rows, Row, i).end);
  check_slice (rows, store, lane, -10000, end + 10000, 150, FALSE);
  check_slice (rows, store, lane, -10000, end + 10000, 1, FALSE);
  for (gint64 span = end; span > 100; span /= 5)
    {
      check_slice (rows, store, lane, end / 3, end / 3 + span, 100, FALSE);
      check_slice (rows, store, lane, end - span, end, 37, FALSE);
    }
  check_slice (rows, store, lane, end / 2, end / 2 + 30000, 100, TRUE);
  check_slice (rows, store, lane, end / 2, end / 2 + 777, 200, TRUE);
  check_slice (rows, store, lane, end + 5, end + 100, 10, TRUE);
  g_array_set_size (rows, 0);
  check_slice (rows, store, 987654, 0, end, 10, TRUE);
  model_free (model);
}

/* Several lanes at once are what each is alone. */
static void
check_lanes (WeftStore *store, const guint32 *lanes, guint n_lanes, gint64 begin, gint64 end)
{
  guint n = 50;
  g_autofree WeftTimelineBucket *all = g_new (WeftTimelineBucket, n_lanes * n);
  g_autofree WeftTimelineBucket *one = g_new (WeftTimelineBucket, n);

  g_assert_true (weft_store_timeline (store, lanes, n_lanes, begin, end, n, all, NULL));
  for (guint i = 0; i < n_lanes; i++)
    {
      g_assert_true (weft_store_timeline (store, &lanes[i], 1, begin, end, n, one, NULL));
      for (guint j = 0; j < n; j++)
        {
          const WeftTimelineBucket *bucket = &all[i * n + j];

          g_assert_cmpuint (bucket->busy, ==, one[j].busy);
          g_assert_cmpuint (bucket->count, ==, one[j].count);
          g_assert_cmpuint (bucket->errors, ==, one[j].errors);
          g_assert_cmpuint (bucket->longest, ==, one[j].longest);
          g_assert_cmpuint (bucket->routine, ==, one[j].routine);
        }
    }
}

static void
test_lanes (gconstpointer data)
{
  static const guint32 lanes[] = { 5, 6, 7, 8, 2, 900, 901, 700, 4000000, 3, 7, 1, 333, 0 };
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, data);
  gint64 last = (gint64) model_value (model, WEFT_DISPATCHES_START, n_dispatches (model));

  for (gint64 span = 2 * last; span >= 1000; span /= 5)
    check_lanes (store, lanes, G_N_ELEMENTS (lanes), last / 3, last / 3 + span);
  model_free (model);
}

/* Columns that pass by in pieces are those that are read whole. */
typedef struct
{
  guint row; /* of the chunk, that comes next */
  guint n_columns;
  WeftStoreColumn columns[WEFT_MAX_SCAN_COLUMNS];
} Pieces;

static void
check_piece (const WeftStoreColumn *columns, gpointer data)
{
  Pieces *self = data;

  for (guint i = 0; i < self->n_columns; i++)
    {
      g_assert_cmpuint (columns[i].n_rows, ==, columns[0].n_rows);
      for (guint row = 0; row < columns[i].n_rows; row++)
        {
          gboolean has = weft_store_column_has (&columns[i], row);

          g_assert_true (has == weft_store_column_has (&self->columns[i], self->row + row));
          if (has)
            g_assert_cmpuint (weft_store_column_get (&columns[i], row), ==,
                              weft_store_column_get (&self->columns[i], self->row + row));
        }
    }
  self->row += columns[0].n_rows;
}

static void
test_pieces (gconstpointer data)
{
  static const WeftColumnNumber numbers[] = {
    WEFT_DISPATCHES_ROUTINE, WEFT_DISPATCHES_DURATION, WEFT_DISPATCHES_START,
    WEFT_DISPATCHES_STATUS,  WEFT_DISPATCHES_ATTEMPTS, WEFT_DISPATCHES_ID,
    WEFT_DISPATCHES_LANE,    WEFT_DISPATCHES_MARKS,
  };
  Model *model = model_new (directory, NULL);
  g_autoptr (WeftStore) store = fill (model, data);
  g_autoptr (WeftStore) whole = weft_store_open (model->path, NULL);
  Pieces pieces = { .n_columns = G_N_ELEMENTS (numbers) };

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); chunk++)
    {
      for (guint i = 0; i < pieces.n_columns; i++)
        g_assert_true (weft_store_read_column (whole, WEFT_TABLE_DISPATCHES, chunk, numbers[i],
                                               &pieces.columns[i], NULL));
      pieces.row = 0;
      g_assert_true (weft_store_scan_columns (store, WEFT_TABLE_DISPATCHES, chunk, numbers,
                                              pieces.n_columns, check_piece, &pieces, NULL));
      g_assert_cmpuint (pieces.row, ==, pieces.columns[0].n_rows);
      for (guint i = 0; i < pieces.n_columns; i++)
        weft_store_column_clear (&pieces.columns[i]);
    }
  model_free (model);
}

static void
add_case (const Case *test)
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = {
    { "summaries", test_summaries }, { "percentiles", test_percentiles },
    { "longest", test_longest },     { "timeline", test_timeline },
    { "lanes", test_lanes },         { "pieces", test_pieces },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/store/queries/%s/%s", tests[i].name, test->name);

      g_test_add_data_func (path, test, tests[i].func);
    }
}

/* By decimal numbers: 99.9 % of a thousand are 999, though 99.9 is a little more in binary. */
static void
test_nearest_rank (void)
{
  g_assert_cmpuint (weft_nearest_rank (99.9, 1000), ==, 999);
  g_assert_cmpuint (weft_nearest_rank (99.9, 1001), ==, 1000);
  g_assert_cmpuint (weft_nearest_rank (95, 20), ==, 19);
  g_assert_cmpuint (weft_nearest_rank (50, 1), ==, 1);
  g_assert_cmpuint (weft_nearest_rank (0.1, 10), ==, 1);
  g_assert_cmpuint (weft_nearest_rank (100, 7), ==, 7);
  g_assert_cmpuint (weft_nearest_rank (99.9, G_GUINT64_CONSTANT (1000) << 50), ==,
                    G_GUINT64_CONSTANT (999) << 50);
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { "one-lane", { .n_rows = 70000, .n_lanes = 1, .n_routines = 3 }, FALSE },
    { "plain", { .n_rows = 140000, .n_lanes = 8, .n_routines = 40, .extras = TRUE }, FALSE },
    { "many-lanes",
      { .n_rows = 140000, .n_lanes = 1000, .n_routines = 40, .nested = TRUE, .extras = TRUE },
      FALSE },
    { "parents",
      { .n_rows = 140000, .n_lanes = 4, .n_routines = 30, .parents = TRUE, .late_rows = TRUE },
      FALSE },
    { "many-routines", { .n_rows = 70000, .n_lanes = 8, .n_routines = 3000 }, FALSE },
    { "journal", { .n_rows = 100000, .n_lanes = 8, .n_routines = 40, .nested = TRUE }, TRUE },
    { "few", { .n_rows = 10, .n_lanes = 2, .n_routines = 2 }, FALSE },
  };
  int result;

  g_test_init (&argc, &argv, NULL);
  directory = model_directory_new ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    add_case (&cases[i]);
  g_test_add_func ("/store/nearest-rank", test_nearest_rank);
  result = g_test_run ();
  model_directory_free (directory);
  return result;
}
