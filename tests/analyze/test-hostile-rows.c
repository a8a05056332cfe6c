/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rows of the CPU side that contradict one another: no program recorded them, and any file may hold
 * them. Answers may be wrong or refused, but they come, and nothing is read that is not there.
 */

#include "sample.h"

#include <string.h>

#define N_ROUNDS 40
#define N_ROWS 60

static const char *const texts[] = { "main", "<&>", "a.c", "x86_64", "aarch64", "\x1b[2J" };

/* Mostly small, so that rows meet; sometimes nothing, or anything. */
static guint64
get_random (GRand *rand)
{
  switch (g_rand_int_range (rand, 0, 12))
    {
    case 0:
      return 0;
    case 1:
      return (guint64) g_rand_int (rand) << 32 | g_rand_int (rand);
    case 2:
      return G_MAXUINT64 - (guint64) g_rand_int_range (rand, 0, 4);
    default:
      return (guint64) g_rand_int_range (rand, 0, N_ROWS);
    }
}

static guint64
get_value (Sample *sample, GRand *rand, const WeftColumnSpec *column)
{
  switch (column->type)
    {
    case WEFT_STORE_TYPE_STRING:
      return (guint64) g_rand_int_range (rand, 0, G_N_ELEMENTS (texts) + 1);
    case WEFT_STORE_TYPE_BLOB:
      return (guint64) g_rand_int_range (rand, 0, 3);
    case WEFT_STORE_TYPE_ENUM:
      return (guint64) g_rand_int_range (rand, 0, 20);
    case WEFT_STORE_TYPE_ID:
      return MIN (get_random (rand), G_MAXUINT32);
    default:
      return get_random (rand);
    }
}

static void
add_rows (Sample *sample, GRand *rand, WeftTableId table, WeftColumnNumber first_column)
{
  const WeftTableSpec *spec = weft_schema_table (table);
  guint n = (guint) g_rand_int_range (rand, 0, N_ROWS);

  for (guint row = 0; row < n; row++)
    {
      WeftTableWriter *writer = weft_store_writer_table (sample->model->writer, table);

      weft_table_writer_begin (writer);
      for (guint i = 0; i < spec->n_columns; i++)
        if (!(spec->columns[i].flags & (WEFT_COLUMN_KEY | WEFT_COLUMN_DERIVED)))
          weft_table_writer_set (writer, first_column + i,
                                 get_value (sample, rand, &spec->columns[i]));
      weft_table_writer_commit (writer);
    }
}

static Sample *
make_sample (GRand *rand)
{
  static const struct
  {
    WeftTableId table;
    WeftColumnNumber before;
  } tables[] = {
    { WEFT_TABLE_MODULES, WEFT_COLUMN_BASE_MODULES },
    { WEFT_TABLE_MODULE_STATES, WEFT_COLUMN_BASE_MODULE_STATES },
    { WEFT_TABLE_FRAMES, WEFT_COLUMN_BASE_FRAMES },
    { WEFT_TABLE_CALLCHAINS, WEFT_COLUMN_BASE_CALLCHAINS },
    { WEFT_TABLE_SYMBOLS, WEFT_COLUMN_BASE_SYMBOLS },
    { WEFT_TABLE_FRAME_SYMBOLS, WEFT_COLUMN_BASE_FRAME_SYMBOLS },
    { WEFT_TABLE_SAMPLES, WEFT_COLUMN_BASE_SAMPLES },
    { WEFT_TABLE_WAITS, WEFT_COLUMN_BASE_WAITS },
    { WEFT_TABLE_CODE, WEFT_COLUMN_BASE_CODE },
    { WEFT_TABLE_CODE_LINES, WEFT_COLUMN_BASE_CODE_LINES },
    { WEFT_TABLE_SOURCES, WEFT_COLUMN_BASE_SOURCES },
    { WEFT_TABLE_ORIGINS, WEFT_COLUMN_BASE_ORIGINS },
    { WEFT_TABLE_DISPATCHES, WEFT_COLUMN_BASE_DISPATCHES },
    { WEFT_TABLE_WAKEUPS, WEFT_COLUMN_BASE_WAKEUPS },
    { WEFT_TABLE_THREAD_TIMES, WEFT_COLUMN_BASE_THREAD_TIMES },
    { WEFT_TABLE_THREADS, WEFT_COLUMN_BASE_THREADS },
    { WEFT_TABLE_TRACES, WEFT_COLUMN_BASE_TRACES },
    { WEFT_TABLE_LANES, WEFT_COLUMN_BASE_LANES },
    { WEFT_TABLE_CLOCKS, WEFT_COLUMN_BASE_CLOCKS },
    { WEFT_TABLE_CLOCK_PAIRS, WEFT_COLUMN_BASE_CLOCK_PAIRS },
  };
  guint8 code[64];
  Sample *sample = sample_new ();
  guint64 classes[N_ROWS];
  guint64 shared[N_ROWS];
  const WeftDerivedColumn derived[] = { { WEFT_DISPATCHES_CLASSIFICATION, classes, 0 },
                                        { WEFT_DISPATCHES_SHARED_CALLCHAIN, shared, 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    weft_store_writer_string (sample->model->writer, texts[i], -1);
  for (gsize i = 0; i < sizeof code; i++)
    code[i] = (guint8) g_rand_int (rand);
  weft_store_writer_blob (sample->model->writer, code, sizeof code);
  weft_store_writer_blob (sample->model->writer, "one\n\ntwo\x80\n", 11);
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    add_rows (sample, rand, tables[i].table, tables[i].before + 1);
  for (guint i = 0; i < N_ROWS; i++)
    {
      classes[i] = (guint64) g_rand_int_range (rand, 0, 4);
      shared[i] = MIN (get_random (rand), G_MAXUINT32);
    }
  weft_store_writer_derive (sample->model->writer, WEFT_TABLE_DISPATCHES, 1, 1, N_ROWS, derived,
                            G_N_ELEMENTS (derived), FALSE);
  return sample;
}

static guint n_answers;
static guint n_paths;

/* The answer, or NULL where it was refused with words. */
static WeftReport *
ask (WeftAnalysis *analysis)
{
  g_autoptr (GError) error = NULL;
  WeftReport *report = weft_analysis_run (analysis, NULL, &error);

  if (report == NULL)
    g_assert_cmpuint (strlen (error->message), >, 10);
  else
    n_answers += weft_table_get_n_rows (weft_report_get_main_table (report)) > 0;
  g_object_unref (analysis);
  return report;
}

static void
ask_flame (Sample *sample, guint mode, guint variant)
{
  static const char *const modes[] = { "cpu", "off-cpu", "wall", "target" };
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *svg = NULL;
  WeftAnalysis *analysis = sample_analysis (sample, "flame");

  g_assert_true (weft_analysis_set_mode (analysis, modes[mode], NULL));
  weft_analysis_set_inverted (analysis, variant == 1);
  if (variant == 2)
    g_assert_true (weft_analysis_set_order_by (analysis, "time", NULL));
  report = ask (analysis);
  if (report == NULL)
    return;
  svg = weft_flame_to_svg (report, "hostile", NULL);
  g_assert_true (g_utf8_validate (svg, -1, NULL));
  g_assert_null (strchr (svg, 0x1b));
}

static void
ask_annotate (Sample *sample, guint symbol)
{
  WeftAnalysis *analysis = sample_analysis (sample, "annotate");
  g_autofree char *handle = symbol == 0 ? NULL : g_strdup_printf ("sym-%u", symbol);
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *json = NULL;

  weft_analysis_set_handle (analysis, symbol == 1 ? "main" : handle);
  report = ask (analysis);
  if (report != NULL)
    json = weft_report_to_json (report);
}

/* Whatever the rows say, what is told adds up to the time that was asked about. */
static void
assert_sum (WeftReport *report)
{
  WeftTable *path = weft_report_get_table (report, "path");
  WeftTable *kinds = weft_report_get_table (report, "kinds");
  guint64 sum = 0;

  if (path == NULL)
    return;
  for (guint row = 0; row < weft_table_get_n_rows (kinds); row++)
    sum += weft_table_get_uint64 (kinds, (guint) weft_table_find_column (kinds, "duration"), row);
  g_assert_cmpuint (
      sum, ==, weft_table_get_uint64 (path, (guint) weft_table_find_column (path, "wall"), 0));
  n_paths++;
}

static void
ask_path (Sample *sample, GRand *rand, guint mode)
{
  static const char *const modes[] = { "list", "tree", "off-cpu" };
  static const char *const objects[] = { "t", "d", "tr" };
  WeftAnalysis *analysis = sample_analysis (sample, "critical-path");
  guint object = (guint) g_rand_int_range (rand, 0, G_N_ELEMENTS (objects));
  g_autofree char *handle =
      g_strdup_printf ("%s-%d", objects[object], g_rand_int_range (rand, 1, N_ROWS));
  g_autoptr (WeftReport) report = NULL;

  g_assert_true (weft_analysis_set_mode (analysis, modes[mode], NULL));
  if (g_rand_int_range (rand, 0, 4) > 0)
    weft_analysis_set_handle (analysis, handle);
  if (g_rand_int_range (rand, 0, 2) == 0)
    g_assert_true (weft_analysis_set_what_if (analysis, "routine:*=3x", NULL));
  if (g_rand_int_range (rand, 0, 3) == 0)
    weft_analysis_set_range (analysis, 0, g_rand_int_range (rand, 0, N_ROWS));
  report = ask (analysis);
  if (report != NULL)
    assert_sum (report);
}

static void
test_rows (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (17);

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autoptr (Sample) sample = make_sample (rand);

      for (guint i = 0; i < 12; i++)
        ask_flame (sample, i / 3, i % 3);
      for (guint symbol = 0; symbol < 12; symbol++)
        ask_annotate (sample, symbol);
      for (guint i = 0; i < 24; i++)
        ask_path (sample, rand, i % 3);
    }
  /* Most have something to tell. */
  g_assert_cmpuint (n_answers, >, N_ROUNDS * 8);
  g_assert_cmpuint (n_paths, >, N_ROUNDS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/hostile-rows/rows", test_rows);
  return g_test_run ();
}
