/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

static void
add_metric (Sample *sample, const char *name, WeftMetricKind kind)
{
  model_begin (sample->model, WEFT_TABLE_METRICS);
  model_set (sample->model, WEFT_METRICS_LANE, 1);
  model_set (sample->model, WEFT_METRICS_NAME, model_string (sample->model, name));
  model_set (sample->model, WEFT_METRICS_KIND, kind);
  model_set (sample->model, WEFT_METRICS_UNIT, WEFT_UNIT_BYTES);
  model_commit (sample->model);
}

static void
add_point (Sample *sample, guint64 metric, gint64 time, double value)
{
  union
  {
    double value;
    guint64 bits;
  } u = { value };

  model_begin (sample->model, WEFT_TABLE_METRIC_POINTS);
  model_set (sample->model, WEFT_METRIC_POINTS_METRIC, metric);
  model_set (sample->model, WEFT_METRIC_POINTS_TIME, (guint64) time);
  model_set (sample->model, WEFT_METRIC_POINTS_VALUE, u.bits);
  model_commit (sample->model);
}

static void
add_tag (Sample *sample, const char *key, WeftNumberType type, const char *text, guint64 bits)
{
  model_begin (sample->model, WEFT_TABLE_TAGS);
  model_set (sample->model, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_METRICS);
  model_set (sample->model, WEFT_TAGS_OWNER, 1);
  model_set (sample->model, WEFT_TAGS_KEY, model_string (sample->model, key));
  model_set (sample->model, WEFT_TAGS_TYPE, type);
  model_set (sample->model, WEFT_TAGS_TEXT, model_string (sample->model, text));
  model_set (sample->model, WEFT_TAGS_BITS, bits);
  model_commit (sample->model);
}

static void
add_trace (Sample *sample, gint64 start, gint64 duration)
{
  model_begin (sample->model, WEFT_TABLE_TRACES);
  model_set (sample->model, WEFT_TRACES_ID, 1);
  model_set (sample->model, WEFT_TRACES_START, (guint64) start);
  if (duration >= 0)
    model_set (sample->model, WEFT_TRACES_DURATION, (guint64) duration);
  model_commit (sample->model);
}

static void
add_reservation (Sample *sample, guint64 producer_id, gint64 submitted)
{
  model_begin (sample->model, WEFT_TABLE_RESERVATIONS);
  model_set (sample->model, WEFT_RESERVATIONS_RUNTIME, 1);
  model_set (sample->model, WEFT_RESERVATIONS_PRODUCER_ID, producer_id);
  model_set (sample->model, WEFT_RESERVATIONS_LANE, 1);
  model_set (sample->model, WEFT_RESERVATIONS_ROUTINE, 1);
  model_set (sample->model, WEFT_RESERVATIONS_SUBMITTED, (guint64) submitted);
  model_commit (sample->model);
}

static void
add_submitted (Sample *sample, guint64 lane, gint64 submitted, gint64 start, guint64 duration,
               guint64 producer_id)
{
  sample_begin (sample, lane, 1, start, duration);
  model_set (sample->model, WEFT_DISPATCHES_SUBMITTED, (guint64) submitted);
  model_set (sample->model, WEFT_DISPATCHES_PRODUCER_ID, producer_id);
  model_commit (sample->model);
}

static Sample *
make_state (void)
{
  Sample *sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "pool", "test.pool", 0);
  sample_routine (sample, "work");
  add_submitted (sample, 1, 5, 10, 90, 1);
  add_submitted (sample, 1, 20, 100, 50, 2);
  sample_dispatch (sample, 2, 1, 50, 100);
  sample_dispatch (sample, 2, 1, 60, 0);
  /* Reserved: one was completed later, the other never. */
  add_reservation (sample, 2, 20);
  add_reservation (sample, 3, 30);
  add_metric (sample, "memory", WEFT_METRIC_GAUGE);
  add_metric (sample, "calls", WEFT_METRIC_COUNTER);
  add_metric (sample, "unset", WEFT_METRIC_GAUGE);
  add_tag (sample, "pool", WEFT_NUMBER_STRING, "big", 0);
  add_tag (sample, "index", WEFT_NUMBER_INT64, NULL, (guint64) -4);
  add_point (sample, 1, 10, 1.5);
  add_point (sample, 1, 80, 7.25);
  add_point (sample, 1, 40, 2.5);
  add_point (sample, 2, 10, 3);
  add_trace (sample, 0, 60);
  add_trace (sample, 40, -1);
  for (guint i = 0; i < 3; i++)
    {
      model_begin (sample->model, WEFT_TABLE_WARNINGS);
      model_set (sample->model, WEFT_WARNINGS_TIME, 50 * i);
      model_commit (sample->model);
    }
  sample_meta_number (sample, "duration", 200);
  return sample;
}

static void
check (Sample *sample, gint64 at, const char *state, const char *gauges, const char *running,
       const char *pending)
{
  WeftAnalysis *analysis = sample_analysis (sample, "state");
  g_autoptr (WeftReport) report = NULL;

  if (at >= 0)
    weft_analysis_set_at (analysis, at);
  report = sample_run (analysis);
  g_assert_true (weft_report_is_single (report));
  sample_assert_table (
      weft_report_get_main_table (report),
      "at running_dispatches pending_dispatches lanes_active traces_open warnings completed",
      state);
  sample_assert_table (weft_report_get_table (report, "gauges"),
                       "metric name lane lane_name tags value set_at unit", gauges);
  sample_assert_table (weft_report_get_table (report, "running"),
                       "dispatch lane lane_name routine routine_name start age end", running);
  sample_assert_table (weft_report_get_table (report, "pending"),
                       "dispatch lane routine_name submitted waiting start", pending);
}

static void
test_times (void)
{
  g_autoptr (Sample) sample = make_state ();

  check (sample, 0, "0 0 0 0 1 1 0\n", "", "", "");
  check (sample, 50, "50 2 2 2 2 2 0\n", "m-1 memory l-1 queue pool=big index=-4 2.50 40 bytes\n",
         "d-1 l-1 queue r-1 work 10 40 100\n"
         "d-3 l-2 pool r-1 work 50 0 150\n",
         "d-2 l-1 work 20 30 100\n"
         "- l-1 work 30 20 -\n");
  /* An end is when something has ended. */
  check (sample, 100, "100 2 1 2 1 3 2\n", "m-1 memory l-1 queue pool=big index=-4 7.25 80 bytes\n",
         "d-2 l-1 queue r-1 work 100 0 150\n"
         "d-3 l-2 pool r-1 work 50 50 150\n",
         "- l-1 work 30 70 -\n");
  check (sample, -1, "200 0 1 0 1 3 4\n", "m-1 memory l-1 queue pool=big index=-4 7.25 80 bytes\n",
         "", "- l-1 work 30 170 -\n");
}

static void
test_outside (void)
{
  g_autoptr (Sample) sample = make_state ();
  WeftAnalysis *analysis = sample_analysis (sample, "state");

  weft_analysis_set_at (analysis, 201);
  sample_fails (analysis, WEFT_ERROR_OUT_OF_RANGE, "The time lies outside");
}

/* Chunks that are left alone count as if each row had been read. */
static void
test_chunks (void)
{
  g_autoptr (Sample) sample = sample_new ();
  const gint64 times[] = { 0, 1, 65536 * 10, 1000005, 1499995 };

  sample_lane (sample, "lane", "x", 0);
  for (guint i = 0; i < 150000; i++)
    sample_dispatch (sample, 1, 1, (gint64) i * 10, i == 70000 ? 400000 : 5);
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      WeftAnalysis *analysis = sample_analysis (sample, "state");
      g_autoptr (WeftReport) report = NULL;
      g_autofree char *expected = NULL;
      gint64 at = times[i];
      guint64 begun = (guint64) at / 10 + 1;
      guint64 running = at % 10 < 5;

      begun = MIN (begun, 150000);
      running += at >= 700005 && at < 1100000;
      expected = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", running,
                                  begun - running);
      weft_analysis_set_at (analysis, at);
      report = sample_run (analysis);
      sample_assert_table (weft_report_get_main_table (report), "running_dispatches completed",
                           expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/state/times", test_times);
  g_test_add_func ("/analyze/state/outside", test_outside);
  g_test_add_func ("/analyze/state/chunks", test_chunks);
  return g_test_run ();
}
