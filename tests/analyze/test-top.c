/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

static void
add_origin (Sample *sample, guint64 thread, guint64 dispatch)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, WEFT_ORIGIN_ROLE_DISPATCH);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_commit (sample->model);
}

static void
add_tag (Sample *sample, guint64 dispatch, const char *text)
{
  model_begin (sample->model, WEFT_TABLE_TAGS);
  model_set (sample->model, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  model_set (sample->model, WEFT_TAGS_OWNER, dispatch);
  model_set (sample->model, WEFT_TAGS_KEY, model_string (sample->model, "phase"));
  model_set (sample->model, WEFT_TAGS_TYPE, WEFT_NUMBER_STRING);
  model_set (sample->model, WEFT_TAGS_TEXT, model_string (sample->model, text));
  model_commit (sample->model);
}

static void
add_counters (Sample *sample)
{
  model_begin (sample->model, WEFT_TABLE_COUNTER_SETS);
  model_commit (sample->model);
  for (guint i = 0; i < 2; i++)
    {
      model_begin (sample->model, WEFT_TABLE_COUNTERS);
      model_set (sample->model, WEFT_COUNTERS_SET, 1);
      model_set (sample->model, WEFT_COUNTERS_NAME,
                 model_string (sample->model, i == 0 ? "bytes read" : "occupancy"));
      model_set (sample->model, WEFT_COUNTERS_AGGREGATION,
                 i == 0 ? WEFT_AGGREGATION_SUM : WEFT_AGGREGATION_MAX);
      model_commit (sample->model);
    }
  for (guint i = 1; i <= 4; i++)
    {
      model_begin (sample->model, WEFT_TABLE_COUNTER_SAMPLES);
      model_set (sample->model, WEFT_COUNTER_SAMPLES_SET, 1);
      model_set (sample->model, WEFT_COUNTER_SAMPLES_DISPATCH, i);
      model_commit (sample->model);
      for (guint j = 1; j <= 2; j++)
        {
          model_begin (sample->model, WEFT_TABLE_COUNTER_VALUES);
          model_set (sample->model, WEFT_COUNTER_VALUES_SAMPLE, i);
          model_set (sample->model, WEFT_COUNTER_VALUES_COUNTER, j);
          model_set (sample->model, WEFT_COUNTER_VALUES_BITS, j == 1 ? 1u << i : 10 * i);
          model_commit (sample->model);
        }
    }
}

/* work: 100 on lane 1, 300 on lane 2, of which 120 nested, 200 on lane 1 that fails; rest: 120. */
static Sample *
make_work (void)
{
  Sample *sample = sample_new ();

  sample_thread (sample, 102, "helper");
  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "pool", "test.pool", 0);
  sample_routine (sample, "work");
  sample_routine (sample, "rest");
  sample_begin (sample, 1, 1, 0, 100);
  model_set (sample->model, WEFT_DISPATCHES_QUEUE_WAIT, 10);
  model_commit (sample->model);
  sample_span (sample, 2, 2, 150, 120, 2, 0);
  sample_span (sample, 2, 1, 100, 300, 1, 120);
  sample_begin (sample, 1, 1, 500, 200);
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_set (sample->model, WEFT_DISPATCHES_QUEUE_WAIT, 30);
  model_commit (sample->model);
  add_origin (sample, 1, 1);
  add_origin (sample, 2, 3);
  add_origin (sample, 1, 4);
  add_tag (sample, 1, "a");
  add_tag (sample, 2, "b");
  add_tag (sample, 3, "b");
  add_tag (sample, 4, "a");
  add_counters (sample);
  sample_meta_number (sample, "duration", 1000);
  return sample;
}

static WeftReport *
run (Sample *sample, const char *group, const char *order, const char *filter)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (sample, "target-top");

  if (group != NULL)
    weft_analysis_set_group_by (analysis, group, &error);
  g_assert_no_error (error);
  if (order != NULL)
    weft_analysis_set_order_by (analysis, order, &error);
  g_assert_no_error (error);
  weft_analysis_set_filter (analysis, filter, &error);
  g_assert_no_error (error);
  return sample_run (analysis);
}

#define FIGURES "count total self share mean p50 p95 p99 max min stddev errors queue_wait time_kind"

static void
test_routines (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (WeftReport) report = run (sample, NULL, NULL, NULL);

  sample_assert_table (
      weft_report_get_main_table (report), "routine name lanes lane_names " FIGURES,
      "r-1 work 2 queue, pool 3 600 480 83.33 200 200 300 300 300 100 100 1 20 target\n"
      "r-2 rest 1 pool 1 120 120 16.67 120 120 120 120 120 120 - 0 - target\n");
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_work ();
  const struct
  {
    const char *group;
    const char *columns;
    const char *expected;
  } cases[] = {
    { "name", "name count total", "work 3 600\nrest 1 120\n" },
    { "lane", "lane name lanes count total", "l-2 pool 1 2 420\nl-1 queue 1 2 300\n" },
    { "kind", "kind count total", "test.pool 2 420\ntest.queue 2 300\n" },
    { "source", "source name count total", "- - 4 720\n" },
    { "origin", "origin name " FIGURES,
      "t-1 main 2 300 300 41.67 150 100 200 200 200 100 71 1 20 target\n"
      "t-2 helper 1 300 180 41.67 300 300 300 300 300 300 - 0 - target\n"
      "- - 1 120 120 16.67 120 120 120 120 120 120 - 0 - target\n" },
    { "submission", "submission name count", "- - 4\n" },
    { "trace", "trace name count", "- - 4\n" },
    { "status", "status count errors", "ok 3 0\nerror 1 1\n" },
    { "queue", "queue name count", "- - 4\n" },
    { "tag:phase", "tag count total", "b 2 420\na 2 300\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftReport) report = run (sample, cases[i].group, NULL, NULL);

      sample_assert_table (weft_report_get_main_table (report), cases[i].columns,
                           cases[i].expected);
    }
}

static void
test_orders (void)
{
  g_autoptr (Sample) sample = make_work ();
  const char *const orders[] = { "time", "self", "count", "mean",   "p50",
                                 "p95",  "p99",  "max",   "errors", "queue_wait" };
  g_autoptr (WeftReport) bytes = run (sample, NULL, "counter:bytes read", NULL);
  g_autoptr (WeftReport) occupancy = run (sample, "lane", "counter:occupancy", NULL);
  g_autoptr (WeftReport) origins = run (sample, "origin", "counter:bytes read", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autoptr (WeftReport) report = run (sample, NULL, orders[i], NULL);

      sample_assert_table (weft_report_get_main_table (report), "name", "work\nrest\n");
    }
  /* 2, 8 and 16 of work, 4 of rest. */
  sample_assert_table (weft_report_get_main_table (bytes), "name counter",
                       "work 26.00\nrest 4.00\n");
  sample_assert_table (weft_report_get_main_table (occupancy), "name counter",
                       "queue 40.00\npool 30.00\n");
  sample_assert_table (weft_report_get_main_table (origins), "origin counter",
                       "t-1 18.00\nt-2 8.00\n- 4.00\n");
}

static void
test_unknown_counter (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (Sample) bare = sample_new ();
  WeftAnalysis *analysis = sample_analysis (sample, "target-top");

  g_assert_true (weft_analysis_set_order_by (analysis, "counter:heat", NULL));
  sample_fails (analysis, WEFT_ERROR_INVALID_QUERY, "it has: bytes read, occupancy");
  analysis = sample_analysis (bare, "target-top");
  g_assert_true (weft_analysis_set_order_by (analysis, "counter:heat", NULL));
  sample_fails (analysis, WEFT_ERROR_INVALID_QUERY, "nor any other");
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_work ();
  const char *const groups[] = { "routine", "origin" };
  const char *const expected[] = { "2 300 71.43 200 200 1\n1 120 28.57 120 120 0\n",
                                   "1 250 59.52 300 300 0\n1 120 28.57 120 120 0\n"
                                   "1 50 11.90 200 200 1\n" };

  for (guint i = 0; i < 2; i++)
    {
      WeftAnalysis *analysis = sample_analysis (sample, "target-top");
      g_autoptr (WeftReport) report = NULL;

      /* Of 100–400 250 are left, of 500–700 50; what each took stays. */
      g_assert_true (weft_analysis_set_group_by (analysis, groups[i], NULL));
      weft_analysis_set_range (analysis, 150, 550);
      report = sample_run (analysis);
      sample_assert_table (weft_report_get_main_table (report), "count total share p50 min errors",
                           expected[i]);
    }
}

static void
test_filter (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (WeftReport) some = run (sample, NULL, NULL, "lane:queue");
  g_autoptr (WeftReport) none = run (sample, NULL, NULL, "routine:rest lane:queue");
  const char *hint = weft_table_get_hint (weft_report_get_main_table (none));

  sample_assert_table (weft_report_get_main_table (some), "name count total share",
                       "work 2 300 100.00\n");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_main_table (none)), ==, 0);
  g_assert_cmpstr (hint, ==,
                   "No dispatch matches the filter; “routine:rest” alone matches 1; “lane:queue” "
                   "alone matches 2");
}

static void
test_pages (void)
{
  g_autoptr (Sample) sample = make_work ();
  const char *const groups[] = { "lane", "origin" };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *cursor = NULL;
      GString *seen = g_string_new (NULL);

      do
        {
          WeftAnalysis *analysis = sample_analysis (sample, "target-top");
          g_autoptr (WeftReport) report = NULL;
          g_autofree char *text = NULL;

          g_assert_true (weft_analysis_set_group_by (analysis, groups[i], NULL));
          weft_analysis_set_limit (analysis, 1);
          weft_analysis_set_cursor (analysis, cursor);
          report = sample_run (analysis);
          text = sample_text (weft_report_get_main_table (report), groups[i]);
          g_string_append (seen, text);
          g_free (cursor);
          cursor = g_strdup (weft_table_get_cursor (weft_report_get_main_table (report)));
        }
      while (cursor != NULL);
      g_assert_cmpstr (seen->str, ==, i == 0 ? "l-2\nl-1\n" : "t-1\nt-2\n-\n");
      g_string_free (seen, TRUE);
    }
}

static void
test_by_name (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "top"));
  WeftTable *table = weft_report_get_main_table (report);

  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 0);
  g_assert_nonnull (strstr (weft_table_get_hint (table), "no CPU samples"));
  sample_assert_table (weft_report_get_table (report, "target"),
                       "name time_kind lane_names count total",
                       "work target queue, pool 3 600\nrest target pool 1 120\n");
}

/* ---- Against a naive computation ---- */

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a;
  guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

static void
test_percentiles (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;
  GArray *durations[3];
  const char *const names[] = { "p50", "p95", "p99" };
  const guint percents[] = { 50, 95, 99 };

  sample_lane (sample, "lane", "x", 0);
  for (guint i = 0; i < 3; i++)
    {
      durations[i] = g_array_new (FALSE, FALSE, sizeof (guint64));
      sample_routine (sample, "routine");
    }
  for (guint i = 0; i < 100000; i++)
    {
      guint routine = (guint) g_rand_int_range (rand, 0, 3);
      guint64 duration = g_rand_int (rand) >> g_rand_int_range (rand, 0, 24);

      sample_dispatch (sample, 1, 1 + routine, (gint64) i * 100, duration);
      g_array_append_val (durations[routine], duration);
    }
  report = run (sample, NULL, "count", NULL);
  table = weft_report_get_main_table (report);
  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 3);
  for (guint row = 0; row < 3; row++)
    {
      guint64 routine = weft_table_get_uint64 (table, 0, row);
      GArray *of = durations[routine - 1];

      g_array_sort (of, compare_numbers);
      for (guint i = 0; i < 3; i++)
        g_assert_cmpuint (
            weft_table_get_uint64 (table, (guint) weft_table_find_column (table, names[i]), row),
            ==, g_array_index (of, guint64, (of->len * percents[i] + 99) / 100 - 1));
    }
  for (guint i = 0; i < 3; i++)
    g_array_unref (durations[i]);
}

/* ---- Filters of the other surfaces ---- */

static void
check_filtered (Sample *sample, const char *kind, const char *filter, const char *columns,
                const char *expected)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (sample, kind);
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_filter (analysis, filter, &error);
  g_assert_no_error (error);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), columns, expected);
}

static void
test_filtered_surfaces (void)
{
  g_autoptr (Sample) sample = make_work ();

  check_filtered (sample, "target-lanes", "kind:test.pool", "name dispatches busy", "pool 2 300\n");
  check_filtered (sample, "target-lanes", "dur>=200ns", "name dispatches total self",
                  "queue 1 200 200\npool 1 300 180\n");
  check_filtered (sample, "timeline", "lane:pool", "name busy count tracks", "pool 300 2 2\n");
  check_filtered (sample, "timeline", "routine:rest", "name busy count tracks", "pool 120 1 1\n");
  /* What is left out stands aside, and what is around it keeps its own time. */
  check_filtered (sample, "flame", "routine:rest", "depth kind name total self",
                  "0 all all 120 0\n1 lane pool 120 0\n2 span rest 120 120\n");
  check_filtered (sample, "flame", "routine:work", "depth name total self",
                  "0 all 600 0\n1 queue 300 0\n2 work 300 300\n1 pool 300 0\n2 work 300 180\n");
  check_filtered (sample, "flame", "routine:nobody", "name", "");
}

static void
test_bad_filter (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (WeftAnalysis) analysis = sample_analysis (sample, "flame");
  g_autoptr (GError) error = NULL;

  g_assert_false (weft_analysis_set_filter (analysis, "dur>fast", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
}

static void
test_canceled (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const char *const kinds[] = { "target-lanes", "target-top", "target-outliers", "flame",
                                "timeline",     "state",      "threads",         "top" };

  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (WeftAnalysis) analysis = sample_analysis (sample, kinds[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (weft_analysis_run (analysis, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/top/routines", test_routines);
  g_test_add_func ("/analyze/top/groups", test_groups);
  g_test_add_func ("/analyze/top/orders", test_orders);
  g_test_add_func ("/analyze/top/unknown-counter", test_unknown_counter);
  g_test_add_func ("/analyze/top/range", test_range);
  g_test_add_func ("/analyze/top/filter", test_filter);
  g_test_add_func ("/analyze/top/pages", test_pages);
  g_test_add_func ("/analyze/top/by-name", test_by_name);
  g_test_add_func ("/analyze/top/percentiles", test_percentiles);
  g_test_add_func ("/analyze/top/filtered-surfaces", test_filtered_surfaces);
  g_test_add_func ("/analyze/top/bad-filter", test_bad_filter);
  g_test_add_func ("/analyze/top/canceled", test_canceled);
  return g_test_run ();
}
