/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

#define MS 1000000
#define COUNT 40

/* Routine 1 on lane 1: 1 ms each, 10 ms apart, one of them 9 ms. EXTRA says more about each. */
typedef void (*Extra) (Sample *sample, guint i, gboolean is_odd);

#define ODD_ONE 25

static Sample *
make_sample (Extra extra)
{
  Sample *sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "other", "test.queue", 0);
  sample_routine (sample, "work");
  sample_routine (sample, "rest");
  for (guint i = 0; i < COUNT; i++)
    {
      sample_begin (sample, 1, 1, (gint64) i * 10 * MS,
                    i == ODD_ONE ? 9 * MS : 1 * MS + i % 5 * 1000);
      if (extra != NULL)
        extra (sample, i, i == ODD_ONE);
      model_commit (sample->model);
    }
  return sample;
}

#define COLUMNS "dispatch lane_name routine_name start duration typical excess distance why"
#define ROW "d-26 queue work 250000000 9000000 1002000 7998000 159.64 "

static void
check (Sample *sample, const char *why, const char *reasons)
{
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "target-outliers"));
  g_autofree char *expected = why == NULL ? g_strdup ("") : g_strconcat (ROW, why, "\n", NULL);

  sample_assert_table (weft_report_get_main_table (report), COLUMNS, expected);
  sample_assert_table (weft_report_get_table (report, "reasons"),
                       "dispatch reason counter value typical", reasons);
}

static void
test_unexplained (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);

  check (sample, "nothing that was recorded tells why", "");
}

static void
add_delay (Sample *sample, guint i, gboolean is_odd)
{
  model_set (sample->model, WEFT_DISPATCHES_QUEUE_WAIT, is_odd ? 25 * MS : 50000);
}

static void
test_queue_delay (void)
{
  g_autoptr (Sample) sample = make_sample (add_delay);

  check (sample, "waited 25 ms in the queue, typically 50 µs",
         "d-26 queue-delay - 25000000.00 50000.00\n");
}

static void
add_submitted (Sample *sample, guint i, gboolean is_odd)
{
  model_set (sample->model, WEFT_DISPATCHES_SUBMITTED,
             (guint64) ((gint64) i * 10 * MS - (is_odd ? 4 * MS : 20000)));
}

static void
test_submitted (void)
{
  g_autoptr (Sample) sample = make_sample (add_submitted);

  check (sample, "waited 4 ms in the queue, typically 20 µs",
         "d-26 queue-delay - 4000000.00 20000.00\n");
}

static void
test_attachments (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);

  for (guint i = 0; i < COUNT; i++)
    for (guint j = 0; j < 2; j++)
      {
        model_begin (sample->model, WEFT_TABLE_ATTACHMENTS);
        model_set (sample->model, WEFT_ATTACHMENTS_DISPATCH, i + 1);
        model_set (sample->model, WEFT_ATTACHMENTS_SIZE, (i == ODD_ONE ? 32 : 1) << (20 - j));
        model_commit (sample->model);
      }
  check (sample, "48 MiB of attachments, typically 1.5 MiB",
         "d-26 attachments - 50331648.00 1572864.00\n");
}

static void
test_counter (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);

  model_begin (sample->model, WEFT_TABLE_COUNTER_SETS);
  model_set (sample->model, WEFT_COUNTER_SETS_RUNTIME, 1);
  model_commit (sample->model);
  for (guint i = 0; i < 2; i++)
    {
      model_begin (sample->model, WEFT_TABLE_COUNTERS);
      model_set (sample->model, WEFT_COUNTERS_SET, 1);
      model_set (sample->model, WEFT_COUNTERS_NAME,
                 model_string (sample->model, i == 0 ? "cache misses" : "steady"));
      model_set (sample->model, WEFT_COUNTERS_UNIT, i == 0 ? WEFT_UNIT_COUNT : WEFT_UNIT_BYTES);
      model_commit (sample->model);
    }
  for (guint i = 0; i < COUNT; i++)
    {
      model_begin (sample->model, WEFT_TABLE_COUNTER_SAMPLES);
      model_set (sample->model, WEFT_COUNTER_SAMPLES_SET, 1);
      model_set (sample->model, WEFT_COUNTER_SAMPLES_DISPATCH, i + 1);
      model_commit (sample->model);
      for (guint j = 0; j < 2; j++)
        {
          model_begin (sample->model, WEFT_TABLE_COUNTER_VALUES);
          model_set (sample->model, WEFT_COUNTER_VALUES_SAMPLE, i + 1);
          model_set (sample->model, WEFT_COUNTER_VALUES_COUNTER, j + 1);
          model_set (sample->model, WEFT_COUNTER_VALUES_BITS,
                     i == ODD_ONE && j == 0 ? 90000 : 1000 + i % 3);
          model_commit (sample->model);
        }
    }
  check (sample, "cache misses: 90000, typically 1001",
         "d-26 counter cache misses 90000.00 1001.00\n");
}

/* Of two phases of one name the sum counts; a phase that most do not have takes none of their time.
 */
static void
test_phase (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);
  static const char *const names[] = { "load", "run", "load", "save" };

  for (guint i = 0; i < COUNT; i++)
    for (guint j = 0; j < (i == ODD_ONE ? 4 : 3); j++)
      {
        model_begin (sample->model, WEFT_TABLE_PHASES);
        model_set (sample->model, WEFT_PHASES_DISPATCH, i + 1);
        model_set (sample->model, WEFT_PHASES_NAME, model_string (sample->model, names[j]));
        model_set (sample->model, WEFT_PHASES_DURATION,
                   i == ODD_ONE && j != 1 ? (j + 1) * MS : 100000 + i);
        model_commit (sample->model);
      }
  check (sample,
         "4 ms in phase save, typically 0 ns; 4 ms in phase load, typically 200 µs",
         "d-26 phase - 4000000.00 0.00\n"
         "d-26 phase - 4000000.00 200038.00\n");
}

static void
test_nested (void)
{
  g_autoptr (Sample) sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_routine (sample, "work");
  sample_routine (sample, "rest");
  for (guint i = 0; i < COUNT; i++)
    {
      if (i == ODD_ONE)
        for (guint j = 0; j < 7; j++)
          sample_span (sample, 1, 2, ((gint64) i * 10 + j) * MS, 1 * MS, 2, 0);
      sample_span (sample, 1, 1, (gint64) i * 10 * MS, i == ODD_ONE ? 9 * MS : 1 * MS, 1,
                   i == ODD_ONE ? 7 * MS : 0);
    }
  {
    g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "target-outliers"));

    sample_assert_table (weft_report_get_main_table (report), "dispatch typical why",
                         "d-33 1000000 7 ms in what is nested inside it, typically 0 ns\n");
  }
}

static void
test_beside (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);

  /* Four more on its lane, three on the other one, all the time. */
  for (guint i = 0; i < 7; i++)
    sample_dispatch (sample, i < 4 ? 1 : 2, 2, ODD_ONE * 10 * MS - 1, 9 * MS + 2);
  check (sample, "4 beside it on its lane, typically 0; 3 beside it on other lanes, typically 0",
         "d-26 same-lane - 4.00 0.00\n"
         "d-26 other-lanes - 3.00 0.00\n");
}

/* That something takes longer gives it no more company. */
static void
test_always_beside (void)
{
  g_autoptr (Sample) sample = make_sample (NULL);

  for (guint i = 0; i < 40; i++)
    sample_dispatch (sample, 2, 2, (gint64) i * 10 * MS, 10 * MS);
  check (sample, "nothing that was recorded tells why", "");
}

static void
add_status (Sample *sample, guint i, gboolean is_odd)
{
  if (!is_odd)
    return;
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_set (sample->model, WEFT_DISPATCHES_ERROR_KIND, WEFT_ERROR_KIND_TIMEOUT);
  model_set (sample->model, WEFT_DISPATCHES_ATTEMPTS, 3);
}

static void
test_status (void)
{
  g_autoptr (Sample) sample = make_sample (add_status);

  check (sample, "3 attempts; ended with an error (timeout)",
         "d-26 attempts - 3.00 -\n"
         "d-26 status - - -\n");
}

static void
test_first (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "queue", "test.queue", 0);
  sample_routine (sample, "work");
  for (guint i = 0; i < 20; i++)
    sample_dispatch (sample, 1, 1, (gint64) i * 10 * MS, i == 0 ? 8 * MS : 1 * MS);
  report = sample_run (sample_analysis (sample, "target-outliers"));
  sample_assert_table (weft_report_get_main_table (report), "dispatch why",
                       "d-1 the first of its routine (often compilation or cold caches)\n");
}

/* What is furthest from what is typical is told first. */
static void
add_two (Sample *sample, guint i, gboolean is_odd)
{
  model_set (sample->model, WEFT_DISPATCHES_QUEUE_WAIT, is_odd ? 100000 : 50000);
  model_set (sample->model, WEFT_DISPATCHES_DEPTH, 1);
  model_set (sample->model, WEFT_DISPATCHES_CHILD_TIME, is_odd ? 8 * MS : 10000);
}

static void
test_several (void)
{
  g_autoptr (Sample) sample = make_sample (add_two);

  check (sample,
         "8 ms in what is nested inside it, typically 10 µs; waited 100 µs in the queue, typically "
         "50 µs",
         "d-26 nested - 8000000.00 10000.00\n"
         "d-26 queue-delay - 100000.00 50000.00\n");
}

/* Few values, or ones that always differ, are no outliers. */
static void
test_none (void)
{
  g_autoptr (Sample) few = sample_new ();
  g_autoptr (Sample) wide = sample_new ();
  g_autoptr (WeftReport) of_few = NULL;
  g_autoptr (WeftReport) of_wide = NULL;

  for (guint i = 0; i < 7; i++)
    sample_dispatch (few, 1, 1, (gint64) i * 1000 * MS, i == 3 ? 100 * MS : 1 * MS);
  of_few = sample_run (sample_analysis (few, "target-outliers"));
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_main_table (of_few)), ==, 0);
  g_assert_nonnull (
      strstr (weft_table_get_hint (weft_report_get_main_table (of_few)), "from 8 dispatches on"));

  for (guint i = 0; i < 100; i++)
    sample_dispatch (wide, 1, 1, (gint64) i * 1000 * MS, 1 * MS + i * MS / 50);
  of_wide = sample_run (sample_analysis (wide, "target-outliers"));
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_main_table (of_wide)), ==, 0);
  g_assert_nonnull (
      strstr (weft_table_get_hint (weft_report_get_main_table (of_wide)), "far longer"));
}

/* Filter and range choose what is listed; what is usual stays. */
static void
test_choice (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis;
  g_autoptr (WeftReport) filtered = NULL;
  g_autoptr (WeftReport) ranged = NULL;
  g_autoptr (WeftReport) page = NULL;
  g_autoptr (WeftReport) next = NULL;

  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "other", "test.queue", 0);
  sample_routine (sample, "work");
  for (guint i = 0; i < 60; i++)
    sample_dispatch (sample, 1 + i % 2, 1, (gint64) i * 10 * MS,
                     i == 10 || i == 21 || i == 40 ? i * MS / 4 : 1 * MS);

  analysis = sample_analysis (sample, "target-outliers");
  g_assert_true (weft_analysis_set_filter (analysis, "lane:other", &error));
  filtered = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (filtered), "dispatch typical distance",
                       "d-22 1000000 85.00\n");

  analysis = sample_analysis (sample, "target-outliers");
  weft_analysis_set_range (analysis, 200 * MS, 1000 * MS);
  ranged = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (ranged), "dispatch typical distance",
                       "d-41 1000000 180.00\n"
                       "d-22 1000000 85.00\n");

  analysis = sample_analysis (sample, "target-outliers");
  g_assert_true (weft_analysis_set_order_by (analysis, "excess", &error));
  weft_analysis_set_limit (analysis, 2);
  page = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (page), "dispatch excess",
                       "d-41 9000000\n"
                       "d-22 4250000\n");
  analysis = sample_analysis (sample, "target-outliers");
  g_assert_true (weft_analysis_set_order_by (analysis, "excess", &error));
  weft_analysis_set_limit (analysis, 2);
  weft_analysis_set_cursor (analysis, weft_table_get_cursor (weft_report_get_main_table (page)));
  next = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (next), "dispatch excess", "d-11 1500000\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/outliers/unexplained", test_unexplained);
  g_test_add_func ("/analyze/outliers/queue-delay", test_queue_delay);
  g_test_add_func ("/analyze/outliers/submitted", test_submitted);
  g_test_add_func ("/analyze/outliers/attachments", test_attachments);
  g_test_add_func ("/analyze/outliers/counter", test_counter);
  g_test_add_func ("/analyze/outliers/phase", test_phase);
  g_test_add_func ("/analyze/outliers/nested", test_nested);
  g_test_add_func ("/analyze/outliers/beside", test_beside);
  g_test_add_func ("/analyze/outliers/always-beside", test_always_beside);
  g_test_add_func ("/analyze/outliers/status", test_status);
  g_test_add_func ("/analyze/outliers/first", test_first);
  g_test_add_func ("/analyze/outliers/several", test_several);
  g_test_add_func ("/analyze/outliers/none", test_none);
  g_test_add_func ("/analyze/outliers/choice", test_choice);
  return g_test_run ();
}
