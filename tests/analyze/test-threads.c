/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

static void
add_origin (Sample *sample, WeftOriginRole role, guint64 thread, guint64 dispatch, gint64 time)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ORIGINS_TIME, (guint64) time);
  model_set (sample->model, WEFT_ORIGINS_RUNTIME, 1);
  model_commit (sample->model);
}

static void
add_early_origin (Sample *sample, WeftOriginRole role, guint64 thread, guint64 producer,
                  gint64 time)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_TIME, (guint64) time);
  model_set (sample->model, WEFT_ORIGINS_RUNTIME, 1);
  model_set (sample->model, WEFT_ORIGINS_PRODUCER_DISPATCH, producer);
  model_commit (sample->model);
}

/* Thread 1 asks for both and waits 10–60 for the first and 40–80 for the second; thread 2 waits
 * from 100 to 130 for the second, which it knows by the producer's number only at first, and begins
 * a wait that does not end. */
static Sample *
make_threads (void)
{
  Sample *sample = sample_new ();

  sample_thread (sample, 102, "waiter");
  sample_lane (sample, "queue", "test.queue", 0);
  sample_dispatch (sample, 1, 1, 5, 50);
  sample_begin (sample, 1, 1, 20, 50);
  model_set (sample->model, WEFT_DISPATCHES_PRODUCER_ID, 77);
  model_commit (sample->model);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 1, 2);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 2, 3);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 1, 10);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 2, 40);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 1, 1, 60);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 1, 2, 80);
  add_early_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 2, 77, 100);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 2, 2, 130);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 2, 1, 140);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 2, 2, 150);
  sample_meta_number (sample, "duration", 200);
  return sample;
}

#define COLUMNS                                                                                    \
  "thread name process pid tid dispatched target_waits target_wait_time lane_names cpu_time"
#define LANES "lane name kind process ran target_time busy time_kind"

static void
test_rows (void)
{
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "threads"));
  WeftTable *table = weft_report_get_main_table (report);

  sample_assert_table (table, COLUMNS,
                       "t-1 main p-1 100 101 2 2 70 queue -\n"
                       "t-2 waiter p-1 100 102 0 1 30 queue -\n");
  sample_assert_table (weft_report_get_table (report, "lanes"), LANES,
                       "l-1 queue test.queue p-1 2 100 65 target\n");
  g_assert_nonnull (strstr (weft_table_get_hint (table), "no CPU samples"));
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_threads ();
  WeftAnalysis *analysis = sample_analysis (sample, "threads");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_range (analysis, 30, 65);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), COLUMNS,
                       "t-1 main p-1 100 101 0 2 35 queue -\n"
                       "t-2 waiter p-1 100 102 0 0 0 - -\n");
  sample_assert_table (weft_report_get_table (report, "lanes"), LANES,
                       "l-1 queue test.queue p-1 2 60 35 target\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/threads/rows", test_rows);
  g_test_add_func ("/analyze/threads/range", test_range);
  return g_test_run ();
}
