/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

/* Lane 1: 0–100 and 50–150 overlap, 350–400 fails; lane 2 is idle. */
static Sample *
make_lanes (void)
{
  Sample *sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "idle", "test.pool", 0);
  sample_routine (sample, "short");
  sample_routine (sample, "long");
  sample_dispatch (sample, 1, 2, 0, 100);
  sample_dispatch (sample, 1, 2, 50, 100);
  sample_begin (sample, 1, 1, 350, 50);
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_commit (sample->model);
  sample_meta_number (sample, "duration", 400);
  return sample;
}

static void
test_lanes (void)
{
  g_autoptr (Sample) sample = make_lanes ();
  WeftAnalysis *analysis = sample_analysis (sample, "timeline");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_buckets (analysis, 4);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report),
                       "lane name kind begin end busy count errors longest utilisation peak tracks",
                       "l-1 queue test.queue 0 400 200 3 1 100 50.00 100.00 2\n"
                       "l-2 idle test.pool 0 400 0 0 0 0 0.00 0.00 0\n");
  sample_assert_table (weft_report_get_table (report, "buckets"),
                       "lane bucket begin busy count errors longest routine routine_name",
                       "l-1 0 0 100 2 0 100 r-2 long\n"
                       "l-1 1 100 50 0 0 0 r-2 long\n"
                       "l-1 3 300 50 1 1 50 r-1 short\n");
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_lanes ();
  WeftAnalysis *analysis = sample_analysis (sample, "timeline");
  g_autoptr (WeftReport) report = NULL;

  /* The part of it that the recording has. */
  weft_analysis_set_buckets (analysis, 2);
  weft_analysis_set_range (analysis, 100, 1000);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report),
                       "lane begin end busy count utilisation tracks",
                       "l-1 100 400 100 1 33.33 1\n"
                       "l-2 100 400 0 0 0.00 0\n");
  sample_assert_table (weft_report_get_table (report, "buckets"), "bucket begin busy count",
                       "0 100 50 0\n"
                       "1 250 50 1\n");

  analysis = sample_analysis (sample, "timeline");
  weft_analysis_set_range (analysis, 500, 1000);
  sample_fails (analysis, WEFT_ERROR_OUT_OF_RANGE, "from 0.000000000 s");
}

static void
test_too_many (void)
{
  g_autoptr (Sample) sample = make_lanes ();
  WeftAnalysis *analysis = sample_analysis (sample, "timeline");

  weft_analysis_set_buckets (analysis, 1u << 24);
  sample_fails (analysis, WEFT_ERROR_TOO_LARGE, "fewer buckets");
}

static guint64
get_number (WeftTable *table, const char *column, guint row)
{
  return weft_table_get_uint64 (table, (guint) weft_table_find_column (table, column), row);
}

/* Whatever the number of buckets, they add up to what the lanes did. */
static void
check_sums (guint n_rows, guint64 tolerance)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) lanes = NULL;
  WeftTable *expected;
  const guint n_buckets[] = { 1, 7, 64, 1000 };

  for (guint i = 0; i < 3; i++)
    sample_lane (sample, "lane", "x", 0);
  model_fill (sample->model,
              &(ModelShape){ .n_rows = n_rows, .n_lanes = 3, .n_routines = 5, .extras = TRUE }, 5);
  lanes = sample_run (sample_analysis (sample, "target-lanes"));
  expected = weft_report_get_main_table (lanes);
  for (guint i = 0; i < G_N_ELEMENTS (n_buckets); i++)
    {
      WeftAnalysis *analysis = sample_analysis (sample, "timeline");
      g_autoptr (WeftReport) report = NULL;
      guint64 busy[3] = { 0 };
      guint64 count[3] = { 0 };
      WeftTable *table;

      weft_analysis_set_buckets (analysis, n_buckets[i]);
      report = sample_run (analysis);
      table = weft_report_get_table (report, "buckets");
      for (guint row = 0; row < weft_table_get_n_rows (table); row++)
        {
          busy[get_number (table, "lane", row) - 1] += get_number (table, "busy", row);
          count[get_number (table, "lane", row) - 1] += get_number (table, "count", row);
        }
      for (guint lane = 0; lane < 3; lane++)
        {
          guint64 whole = get_number (expected, "busy", lane);

          g_assert_cmpuint (busy[lane], ==,
                            get_number (weft_report_get_main_table (report), "busy", lane));
          g_assert_cmpuint (busy[lane], <=, whole + tolerance);
          g_assert_cmpuint (busy[lane] + tolerance, >=, whole);
          if (tolerance == 0)
            g_assert_cmpuint (count[lane], ==, get_number (expected, "dispatches", lane));
        }
    }
}

static void
test_sums (void)
{
  check_sums (100000, 0);
}

/* Cells of the level of detail are shared out to the buckets that they lie in. */
static void
test_sums_of_many (void)
{
  check_sums (400000, 1000000);
}

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "timeline"));

  g_assert_nonnull (
      strstr (weft_table_get_hint (weft_report_get_main_table (report)), "libweft-target"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/timeline/lanes", test_lanes);
  g_test_add_func ("/analyze/timeline/range", test_range);
  g_test_add_func ("/analyze/timeline/too-many", test_too_many);
  g_test_add_func ("/analyze/timeline/sums", test_sums);
  g_test_add_func ("/analyze/timeline/sums-of-many", test_sums_of_many);
  g_test_add_func ("/analyze/timeline/nothing", test_nothing);
  return g_test_run ();
}
