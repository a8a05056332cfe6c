/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What threads did, over time and at a time: running and waiting make up all of it. */

#include "cpu-rows.h"
#include "sample.h"

static void
add_times (Model *model, guint64 thread, gint64 start, gint64 stop, guint64 on_cpu)
{
  model_begin (model, WEFT_TABLE_THREAD_TIMES);
  model_set (model, WEFT_THREAD_TIMES_THREAD, thread);
  model_set (model, WEFT_THREAD_TIMES_START, (guint64) start);
  model_set (model, WEFT_THREAD_TIMES_TIME, (guint64) stop);
  model_set (model, WEFT_THREAD_TIMES_ON_CPU, on_cpu);
  model_set (model, WEFT_THREAD_TIMES_OFF_CPU, (guint64) (stop - start) - on_cpu);
  model_commit (model);
}

/* Thread 1 lives from 0 to 100 and waits from 10 to 30 and from 60 to 70; thread 2 from 40 to 90,
 * and waits all the time but for the last 5.
 */
static Sample *
make_threads (void)
{
  Sample *sample = sample_new ();
  Model *model = sample->model;

  sample_thread (sample, 102, "sleeper");
  sample_thread (sample, 103, "nobody watched");
  sample_lane (sample, "queue", "test.queue", 0);
  cpu_sample (model, 1, 5, 0, 10);
  cpu_sample (model, 1, 40, 0, 10);
  cpu_sample (model, 1, 55, 0, 10);
  cpu_sample (model, 2, 87, 0, 5);
  cpu_wait (model, 1, 10, 20, WEFT_WAIT_REASON_LOCK, 0);
  cpu_wait (model, 2, 40, 45, WEFT_WAIT_REASON_SLEEP, 0);
  cpu_wait (model, 1, 60, 10, WEFT_WAIT_REASON_SLEEP, 0);
  add_times (model, 1, 0, 100, 70);
  add_times (model, 2, 40, 90, 5);
  sample_meta_number (sample, "duration", 100);
  return sample;
}

#define THREADS "thread running waiting samples waits"
#define BUCKETS "thread bucket begin running waiting reason samples"

static void
test_timeline (void)
{
  g_autoptr (Sample) sample = make_threads ();
  WeftAnalysis *analysis = sample_analysis (sample, "timeline");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_buckets (analysis, 4);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_table (report, "threads"), THREADS,
                       "t-1 70 30 3 2\n"
                       "t-2 5 45 1 1\n");
  sample_assert_table (weft_report_get_table (report, "thread-buckets"), BUCKETS,
                       "t-1 0 0 10 15 lock 1\n"
                       "t-1 1 25 20 5 lock 1\n"
                       "t-1 2 50 15 10 sleep 1\n"
                       "t-1 3 75 25 0 - 0\n"
                       "t-2 1 25 0 10 sleep 0\n"
                       "t-2 2 50 0 25 sleep 0\n"
                       "t-2 3 75 5 10 sleep 1\n");
}

static guint64
sum (WeftTable *table, const char *name)
{
  guint column = (guint) weft_table_find_column (table, name);
  guint64 total = 0;

  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    total += weft_table_get_uint64 (table, column, i);
  return total;
}

/* In however many parts, of whatever range. */
static void
test_sums (void)
{
  g_autoptr (Sample) sample = make_threads ();
  static const guint n_buckets[] = { 1, 3, 7, 50, 100 };

  for (guint i = 0; i < G_N_ELEMENTS (n_buckets); i++)
    {
      WeftAnalysis *analysis = sample_analysis (sample, "timeline");
      g_autoptr (WeftReport) report = NULL;
      WeftTable *parts;

      weft_analysis_set_buckets (analysis, n_buckets[i]);
      weft_analysis_set_range (analysis, 20, 80);
      report = sample_run (analysis);
      parts = weft_report_get_table (report, "thread-buckets");
      g_assert_cmpuint (sum (parts, "waiting"), ==, 10 + 10 + 40);
      g_assert_cmpuint (sum (parts, "running"), ==, 60 - 20 + 0);
      g_assert_cmpuint (sum (parts, "samples"), ==, 2);
    }
}

static WeftReport *
run_filtered (Sample *sample, const char *kind, const char *filter)
{
  WeftAnalysis *analysis = sample_analysis (sample, kind);
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_analysis_set_filter (analysis, filter, &error));
  g_assert_no_error (error);
  return sample_run (analysis);
}

static void
test_filters (void)
{
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftReport) of_thread = run_filtered (sample, "timeline", "thread:sleeper");
  g_autoptr (WeftReport) of_lane = run_filtered (sample, "timeline", "lane:queue");
  g_autoptr (WeftReport) threads = run_filtered (sample, "threads", "thread:sleeper");
  g_autoptr (WeftReport) waits = run_filtered (sample, "threads", "reason:lock");

  sample_assert_table (weft_report_get_table (of_thread, "threads"), THREADS, "t-2 5 45 1 1\n");
  g_assert_null (weft_report_get_table (of_lane, "threads"));
  sample_assert_table (weft_report_get_main_table (threads), "thread cpu_time off_cpu wall samples",
                       "t-2 5 45 50 1\n");
  sample_assert_table (weft_report_get_main_table (waits), "thread off_cpu wall samples waits lock",
                       "t-1 20 - 0 1 20\n");
}

static void
check_state (Sample *sample, gint64 at, const char *expected)
{
  WeftAnalysis *analysis = sample_analysis (sample, "state");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_at (analysis, at);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_table (report, "threads"),
                       "thread state reason since age until sampled", expected);
}

static void
test_state (void)
{
  g_autoptr (Sample) sample = make_threads ();

  check_state (sample, 20, "t-1 waiting lock 10 10 30 5\n");
  check_state (sample, 30, "t-1 running - 30 0 60 5\n");
  check_state (sample, 50,
               "t-1 running - 30 20 60 40\n"
               "t-2 waiting sleep 40 10 85 -\n");
  check_state (sample, 88,
               "t-1 running - 70 18 100 55\n"
               "t-2 running - 85 3 90 87\n");
  check_state (sample, 95, "t-1 running - 70 25 100 55\n");
}

/* Answers of recordings without CPU events have no such part. */
static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) timeline = NULL;
  g_autoptr (WeftReport) state = NULL;

  sample_meta_number (sample, "duration", 100);
  timeline = sample_run (sample_analysis (sample, "timeline"));
  state = sample_run (sample_analysis (sample, "state"));
  g_assert_null (weft_report_get_table (timeline, "threads"));
  g_assert_null (weft_report_get_table (state, "threads"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/thread-time/timeline", test_timeline);
  g_test_add_func ("/analyze/thread-time/sums", test_sums);
  g_test_add_func ("/analyze/thread-time/filters", test_filters);
  g_test_add_func ("/analyze/thread-time/state", test_state);
  g_test_add_func ("/analyze/thread-time/nothing", test_nothing);
  return g_test_run ();
}
