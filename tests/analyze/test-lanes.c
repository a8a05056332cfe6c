/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

static void
test_names (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  guint64 first = sample_lane (sample, "queue", "test.queue", 0);

  sample_lane (sample, "other", "test.pool", 0);
  sample_lane (sample, "part b", "test.part", first);
  sample_lane (sample, "part a", "test.part", first);
  sample_lane (sample, "part of part", "test.part", 3);
  model_begin (sample->model, WEFT_TABLE_QUEUES);
  model_set (sample->model, WEFT_QUEUES_LANE, first);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_LANE_ENDS);
  model_set (sample->model, WEFT_LANE_ENDS_LANE, 2);
  model_set (sample->model, WEFT_LANE_ENDS_TIME, 77);
  model_commit (sample->model);

  report = sample_run (sample_analysis (sample, "target-lanes"));
  sample_assert_table (weft_report_get_main_table (report),
                       "lane parent name kind process pid process_name runtime runtime_name queues "
                       "closed dispatches first mean",
                       "l-1 - queue test.queue p-1 100 program rt-1 runtime 1 - 0 - -\n"
                       "l-3 l-1 part b test.part p-1 100 program rt-1 runtime 0 - 0 - -\n"
                       "l-5 l-3 part of part test.part p-1 100 program rt-1 runtime 0 - 0 - -\n"
                       "l-4 l-1 part a test.part p-1 100 program rt-1 runtime 0 - 0 - -\n"
                       "l-2 - other test.pool p-1 100 program rt-1 runtime 0 77 0 - -\n");
}

/* A hostile file may say that two lanes are parts of each other, or of one that is not there. */
static void
test_circles (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "a", "x", 2);
  sample_lane (sample, "b", "x", 1);
  sample_lane (sample, "c", "x", 3);
  sample_lane (sample, "d", "x", 99);
  report = sample_run (sample_analysis (sample, "target-lanes"));
  sample_assert_table (weft_report_get_main_table (report), "lane parent",
                       "l-4 l-99\nl-1 l-2\nl-2 l-1\nl-3 l-3\n");
}

/* Lane 1: 0–100 and 50–150 overlap, 200–300 alone; lane 2: 100–400 holds 150–200 and 250–350. */
static Sample *
make_times (void)
{
  Sample *sample = sample_new ();
  guint64 queue = sample_lane (sample, "queue", "test.queue", 0);
  guint64 pool = sample_lane (sample, "pool", "test.pool", 0);
  guint64 work = sample_routine (sample, "work");
  guint64 inner = sample_routine (sample, "inner");

  sample_dispatch (sample, queue, work, 200, 100);
  sample_dispatch (sample, queue, work, 0, 100);
  sample_begin (sample, queue, inner, 50, 100);
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_commit (sample->model);
  sample_span (sample, pool, inner, 150, 50, 2, 0);
  sample_span (sample, pool, inner, 250, 100, 2, 0);
  sample_begin (sample, pool, work, 100, 300);
  model_set (sample->model, WEFT_DISPATCHES_THREAD, 1);
  model_set (sample->model, WEFT_DISPATCHES_DEPTH, 1);
  model_set (sample->model, WEFT_DISPATCHES_CHILD_TIME, 150);
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_CANCELED);
  model_commit (sample->model);
  sample_meta_number (sample, "duration", 1000);
  return sample;
}

static void
test_times (void)
{
  g_autoptr (Sample) sample = make_times ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "target-lanes"));

  sample_assert_table (
      weft_report_get_main_table (report),
      "name dispatches first last total busy utilisation self mean longest errors canceled",
      "queue 3 0 300 300 250 25.00 300 100 100 1 0\n"
      "pool 3 100 400 450 300 30.00 300 150 300 0 1\n");
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_times ();
  WeftAnalysis *analysis = sample_analysis (sample, "target-lanes");
  g_autoptr (WeftReport) report = NULL;

  /* Lane 2's outer one has 120–300 in it, of which 150–200 and 250–300 are the inner ones'. */
  weft_analysis_set_range (analysis, 120, 300);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report),
                       "name dispatches first total busy utilisation self mean longest",
                       "queue 2 50 130 130 72.22 130 100 100\n"
                       "pool 3 100 280 180 100.00 180 150 300\n");

  analysis = sample_analysis (sample, "target-lanes");
  weft_analysis_set_range (analysis, 2000, 3000);
  sample_fails (analysis, WEFT_ERROR_OUT_OF_RANGE, "0.000001000 s");
}

static void
add_counts (Sample *sample, guint64 lane, guint64 submitted, guint64 lost)
{
  static const WeftColumnNumber columns[] = { WEFT_LANE_COUNTS_COMPLETED, WEFT_LANE_COUNTS_PENDING,
                                              WEFT_LANE_COUNTS_SAMPLED_OUT,
                                              WEFT_LANE_COUNTS_REJECTED };

  model_begin (sample->model, WEFT_TABLE_LANE_COUNTS);
  model_set (sample->model, WEFT_LANE_COUNTS_LANE, lane);
  model_set (sample->model, WEFT_LANE_COUNTS_SUBMITTED, submitted);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    model_set (sample->model, columns[i], 10 - i);
  model_set (sample->model, WEFT_LANE_COUNTS_LOST, lost);
  model_commit (sample->model);
}

static void
add_loss (Sample *sample, guint64 lane, WeftLossCategory category, const char *reason,
          guint64 count)
{
  model_begin (sample->model, WEFT_TABLE_LOSSES);
  model_set (sample->model, WEFT_LOSSES_LANE, lane);
  model_set (sample->model, WEFT_LOSSES_RUNTIME, 1);
  model_set (sample->model, WEFT_LOSSES_CATEGORY, category);
  model_set (sample->model, WEFT_LOSSES_REASON, model_string (sample->model, reason));
  model_set (sample->model, WEFT_LOSSES_COUNT, count);
  model_commit (sample->model);
}

static void
test_conservation (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  for (guint i = 0; i < 3; i++)
    sample_lane (sample, "lane", "x", 0);
  /* 10 completed, 9 pending, 8 sampled out, 7 rejected; the last row counts. */
  add_counts (sample, 1, 34, 0);
  add_counts (sample, 1, 40, 6);
  add_counts (sample, 2, 40, 5);
  add_loss (sample, 1, WEFT_LOSS_CATEGORY_LOST, "no-room", 2);
  add_loss (sample, 1, WEFT_LOSS_CATEGORY_REJECTED, "malformed", 7);
  add_loss (sample, 1, WEFT_LOSS_CATEGORY_LOST, "no-room", 4);
  add_loss (sample, 0, WEFT_LOSS_CATEGORY_REJECTED, "unknown-lane", 1);

  report = sample_run (sample_analysis (sample, "target-lanes"));
  sample_assert_table (weft_report_get_main_table (report),
                       "lane submitted completed pending sampled_out rejected lost adds_up",
                       "l-1 40 10 9 8 7 6 yes\n"
                       "l-2 40 10 9 8 7 5 no\n"
                       "l-3 - - - - - - -\n");
  sample_assert_table (weft_report_get_table (report, "losses"),
                       "lane name runtime category reason count",
                       "- - rt-1 rejected unknown-lane 1\n"
                       "l-1 lane rt-1 rejected malformed 7\n"
                       "l-1 lane rt-1 lost no-room 6\n");
}

/* Busy is the union of the intervals and nothing else, in whatever order they come, over chunks. */
static void
test_union (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  enum
  {
    N_ROWS = 150000,
    N_TICKS = 400000
  };
  g_autofree guint8 *busy = g_new0 (guint8, N_TICKS);
  guint64 total = 0;
  guint64 covered = 0;
  guint tracks = 0;

  sample_lane (sample, "lane", "x", 0);
  for (guint i = 0; i < N_ROWS; i++)
    {
      guint start = MIN (N_TICKS - 20, i * 2 + (guint) g_rand_int_range (rand, 0, 60));
      guint duration = (guint) g_rand_int_range (rand, 0, 20);

      if (i % 50000 == 49999)
        start = (guint) g_rand_int_range (rand, 0, 1000);
      sample_dispatch (sample, 1, 1, start, duration);
      total += duration;
      for (guint tick = start; tick < start + duration; tick++)
        tracks = MAX (tracks, ++busy[tick]);
    }
  for (guint tick = 0; tick < N_TICKS; tick++)
    covered += busy[tick] > 0;
  g_assert_cmpuint (tracks, >, 5);

  report = sample_run (sample_analysis (sample, "target-lanes"));
  g_assert_cmpuint (
      weft_table_get_uint64 (
          weft_report_get_main_table (report),
          (guint) weft_table_find_column (weft_report_get_main_table (report), "busy"), 0),
      ==, covered);
  g_assert_cmpuint (
      weft_table_get_uint64 (
          weft_report_get_main_table (report),
          (guint) weft_table_find_column (weft_report_get_main_table (report), "total"), 0),
      ==, total);
}

static void
assert_hint (Sample *sample, const char *kind, const char *part)
{
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, kind));
  const char *hint = weft_table_get_hint (weft_report_get_main_table (report));

  g_assert_nonnull (hint);
  if (g_strstr_len (hint, -1, part) == NULL)
    g_error ("“%s” is not in “%s”", part, hint);
}

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();

  assert_hint (sample, "target-lanes", "libweft-target");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/lanes/names", test_names);
  g_test_add_func ("/analyze/lanes/circles", test_circles);
  g_test_add_func ("/analyze/lanes/times", test_times);
  g_test_add_func ("/analyze/lanes/range", test_range);
  g_test_add_func ("/analyze/lanes/conservation", test_conservation);
  g_test_add_func ("/analyze/lanes/union", test_union);
  g_test_add_func ("/analyze/lanes/nothing", test_nothing);
  return g_test_run ();
}
