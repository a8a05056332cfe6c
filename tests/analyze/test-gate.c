/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <glib/gstdio.h>

/* Lane “loom”: weave of 10, 20 and 30 µs, of which one failed; dye of 1 ms. */
static Sample *
make_sample (guint64 factor, guint64 missing)
{
  Sample *sample = sample_new ();
  guint64 lane = sample_lane (sample, "loom", "loom.queue", 0);
  guint64 weave = sample_routine (sample, "weave");
  guint64 dye = sample_routine (sample, "dye");

  for (guint i = 1; i <= 3; i++)
    {
      sample_begin (sample, lane, weave, i * 100000, i * 10000 * factor);
      model_set (sample->model, WEFT_DISPATCHES_STATUS,
                 i == 3 ? WEFT_STATUS_ERROR : WEFT_STATUS_OK);
      model_commit (sample->model);
    }
  sample_dispatch (sample, lane, dye, 1000000, 1000000);
  model_begin (sample->model, WEFT_TABLE_LANE_COUNTS);
  model_set (sample->model, WEFT_LANE_COUNTS_LANE, lane);
  model_set (sample->model, WEFT_LANE_COUNTS_SUBMITTED, 4 + missing);
  model_set (sample->model, WEFT_LANE_COUNTS_COMPLETED, 4);
  model_commit (sample->model);
  g_object_unref (sample_analysis (sample, "target-lanes"));
  return sample;
}

static WeftGateResult *
run (WeftGate *gate)
{
  g_autoptr (GError) error = NULL;
  WeftGateResult *result = weft_gate_run (gate, NULL, &error);

  g_assert_no_error (error);
  return result;
}

/* One threshold, of one recording and perhaps a baseline: the verdict and why. */
static WeftGateVerdict
check (Sample *sample, Sample *baseline, const char *text, char **reason)
{
  g_autoptr (WeftGate) gate = weft_gate_new ();
  g_autoptr (WeftGateResult) result = NULL;
  g_autoptr (GError) error = NULL;
  WeftTable *table;

  weft_gate_add_threshold (gate, text, &error);
  g_assert_no_error (error);
  weft_gate_add_recording (gate, sample->recording);
  if (baseline != NULL)
    weft_gate_add_baseline (gate, baseline->recording);
  result = run (gate);
  table = weft_report_get_main_table (weft_gate_result_get_report (result));
  if (reason != NULL)
    *reason = g_strdup (
        weft_table_get_string (table, (guint) weft_table_find_column (table, "reason"), 0));
  return weft_gate_result_get_verdict (result);
}

static void
test_figures (void)
{
  static const char *const hold[] = {
    "count = 4",
    "count routine:weave <= 3",
    "p95 routine:weave < 31us",
    "p50 routine:weave >= 20 us",
    "max > 999.9us",
    "mean routine:weave = 20us",
    "total routine:weave == 60us",
    "errors = 1",
    "sum(failed) routine:weave = 1",
    "sum(duration) routine:dye = 1ms",
    "pending = 0",
    "rejected kind:loom.* < 1",
    "warnings/count() = 0",
    "with-source = 0%",
    "problems = 0",
    "wall > 1us",
    "a name: count < 1k",
  };
  static const char *const fail[] = {
    "count < 4", "p95 routine:weave < 30us", "errors < 1", "max < 1ms", "with-counters > 1%",
  };
  g_autoptr (Sample) sample = make_sample (1, 0);

  for (guint i = 0; i < G_N_ELEMENTS (hold); i++)
    {
      g_test_message ("%s", hold[i]);
      g_assert_cmpint (check (sample, NULL, hold[i], NULL), ==, WEFT_GATE_PASSED);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fail); i++)
    {
      g_test_message ("%s", fail[i]);
      g_assert_cmpint (check (sample, NULL, fail[i], NULL), ==, WEFT_GATE_FAILED);
    }
}

/* What the recording does not say is not judged, and the reason says what is missing. */
static void
test_cannot_judge (void)
{
  static const struct
  {
    const char *text;
    const char *reason;
  } cases[] = {
    { "p95 routine:nothing < 2ms", "Nothing to measure" },
    { "count lane:nowhere = 0", "Nothing to measure" },
    { "lost lane:nowhere = 0", "Nothing to measure" },
    { "cpu-time < 1s", "no CPU samples" },
    { "cpu-share function:x < 1%", "no CPU samples" },
    { "linked-origins > 1%", "No origin" },
    { "counter:yarn < 3", "has a value" },
    { "p95 < +10%", "--baseline" },
    { "regressions = 0", "--baseline" },
    { "max(queue_delay) < 3", "has a value" },
    { "max(duration) < 3", "is a time" },
  };
  g_autoptr (Sample) sample = make_sample (1, 0);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *reason = NULL;

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (check (sample, NULL, cases[i].text, &reason), ==, WEFT_GATE_CANNOT_JUDGE);
      g_assert_nonnull (strstr (reason, cases[i].reason));
    }
}

static void
test_unexplained_loss (void)
{
  g_autoptr (Sample) sample = make_sample (1, 2);
  g_autoptr (Sample) sound = make_sample (1, 0);
  g_autofree char *reason = NULL;
  g_autofree char *of_baseline = NULL;

  g_assert_cmpint (check (sample, NULL, "count = 4", &reason), ==, WEFT_GATE_CANNOT_JUDGE);
  g_assert_nonnull (strstr (reason, "nothing says why: loom"));
  g_assert_cmpint (check (sound, sample, "count < +1%", &of_baseline), ==, WEFT_GATE_CANNOT_JUDGE);
  g_assert_nonnull (strstr (of_baseline, "nothing says why: loom"));
}

static void
test_baseline (void)
{
  g_autoptr (Sample) before = make_sample (1, 0);
  g_autoptr (Sample) after = make_sample (2, 0);

  g_assert_cmpint (check (after, before, "p50 routine:weave < +90%", NULL), ==, WEFT_GATE_FAILED);
  g_assert_cmpint (check (after, before, "p50 routine:weave <= +100%", NULL), ==, WEFT_GATE_PASSED);
  g_assert_cmpint (check (before, after, "p50 routine:weave <= -50%", NULL), ==, WEFT_GATE_PASSED);
  g_assert_cmpint (check (before, after, "p50 routine:weave < -50%", NULL), ==, WEFT_GATE_FAILED);
  g_assert_cmpint (check (after, before, "count <= +0%", NULL), ==, WEFT_GATE_PASSED);
  g_assert_cmpint (check (before, before, "regressions = 0", NULL), ==, WEFT_GATE_PASSED);
}

/* Of several runs the median counts; too few are not judged. */
static void
test_runs (void)
{
  g_autoptr (Sample) first = make_sample (1, 0);
  g_autoptr (Sample) second = make_sample (5, 0);
  g_autoptr (Sample) third = make_sample (2, 0);
  g_autoptr (WeftGate) gate = weft_gate_new ();
  g_autoptr (WeftGateResult) few = NULL;
  g_autoptr (WeftGateResult) enough = NULL;

  weft_gate_add_threshold (gate, "p50 routine:weave = 40us", NULL);
  weft_gate_set_min_runs (gate, 3);
  weft_gate_add_recording (gate, first->recording);
  weft_gate_add_recording (gate, second->recording);
  few = run (gate);
  g_assert_cmpint (weft_gate_result_get_verdict (few), ==, WEFT_GATE_CANNOT_JUDGE);
  weft_gate_add_recording (gate, third->recording);
  enough = run (gate);
  g_assert_cmpint (weft_gate_result_get_verdict (enough), ==, WEFT_GATE_PASSED);
}

static void
test_unreadable (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { "", "write FIGURE" },
    { "p95", "write FIGURE" },
    { "< 2ms", "write FIGURE" },
    { "p95<2ms", "write FIGURE" },
    { "\xff: count < 3", "UTF-8" },
    { "p95 < ", "is no value" },
    { "p95 < much", "is no value" },
    { "p95 < 2 weeks", "is no value" },
    { "p95 < nan", "is no value" },
    { "p95 < 2", "is a time" },
    { "p95 < 2%", "is a time" },
    { "with-source > 3ms", "is a share" },
    { "count < 3ms", "is a number without a unit" },
    { "count < +10", "relative to the baseline" },
    { "regressions < +10%", "not relative" },
    { "p95ish < 2ms", "there is no figure" },
    { "p95(length) < 2ms", "no field" },
    { "looms/count() < 2", "looms" },
    { "p95 routine:( < 2ms", "p95" },
    { "wall lane:x < 2ms", "takes no filter" },
  };
  g_autoptr (WeftGate) gate = weft_gate_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("“%s”", cases[i].text);
      g_assert_false (weft_gate_add_threshold (gate, cases[i].text, &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].message));
    }
  g_assert_cmpuint (weft_gate_get_n_thresholds (gate), ==, 0);
}

static GFile *
write_file (const char *directory, const char *text, gssize length)
{
  g_autofree char *path = g_build_filename (directory, "gates.txt", NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, length, &error);
  g_assert_no_error (error);
  return g_file_new_for_path (path);
}

static void
test_file (void)
{
  g_autoptr (Sample) sample = make_sample (1, 0);
  g_autoptr (WeftGate) gate = weft_gate_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) good = write_file (sample->directory,
                                       "# what is demanded\n\n  weaving stays quick: p95 "
                                       "routine:weave < 1ms\r\ncount = 4\n",
                                       -1);
  g_autoptr (GFile) bad = NULL;
  g_autoptr (GFile) binary = NULL;
  g_autofree char *path = g_file_get_path (good);

  g_assert_true (weft_gate_load_thresholds (gate, good, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (weft_gate_get_n_thresholds (gate), ==, 2);
  bad = write_file (sample->directory, "count = 4\n\np95 < 2\n", -1);
  g_assert_false (weft_gate_load_thresholds (gate, bad, NULL, &error));
  g_assert_nonnull (strstr (error->message, "gates.txt, line 3: “p95 < 2”"));
  g_clear_error (&error);
  binary = write_file (sample->directory, "count\xff\n", -1);
  g_assert_false (weft_gate_load_thresholds (gate, binary, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY);
  g_unlink (path);
}

/* Names are the user's and hostile files': no report may be broken by them. */
static void
test_reports (void)
{
  g_autoptr (Sample) sample = make_sample (1, 0);
  g_autoptr (WeftGate) gate = weft_gate_new ();
  g_autoptr (WeftGateResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *markdown = NULL, *junit = NULL, *json = NULL;
  GMarkupParser parser = { NULL };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, NULL, NULL);

  weft_gate_add_threshold (gate, "a | b & <c>\x01: count < 5", NULL);
  weft_gate_add_threshold (gate, "p95 routine:weave < 2us", NULL);
  weft_gate_add_threshold (gate, "p95 routine:\"<&|\" < 2us", NULL);
  weft_gate_add_recording (gate, sample->recording);
  result = run (gate);
  g_assert_cmpint (weft_gate_result_get_verdict (result), ==, WEFT_GATE_FAILED);
  g_assert_cmpuint (weft_gate_result_count (result, WEFT_GATE_PASSED), ==, 1);
  g_assert_cmpuint (weft_gate_result_count (result, WEFT_GATE_CANNOT_JUDGE), ==, 1);

  text = weft_gate_result_to_text (result);
  g_assert_nonnull (strstr (text, "✗ p95 routine:weave < 2us\n    30 µs\n"));
  g_assert_nonnull (strstr (text, "3 thresholds: 1 passed, 1 failed, 1 could not be judged\n"));
  markdown = weft_gate_result_to_markdown (result);
  g_assert_nonnull (strstr (markdown, "| a \\| b & \\<c\\>  | passed | 4 |\n"));
  junit = weft_gate_result_to_junit (result);
  g_assert_true (g_markup_parse_context_parse (context, junit, -1, &error));
  g_assert_true (g_markup_parse_context_end_parse (context, &error));
  g_assert_nonnull (strstr (junit, "tests=\"3\" failures=\"1\" errors=\"1\""));
  g_assert_nonnull (
      strstr (junit, "<failure message=\"30 µs\">p95 routine:weave &lt; 2us</failure>"));
  json = weft_report_to_json (weft_gate_result_get_report (result));
  g_assert_nonnull (strstr (json, "\"schema\":\"weft.check/1\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gate/figures", test_figures);
  g_test_add_func ("/gate/cannot-judge", test_cannot_judge);
  g_test_add_func ("/gate/unexplained-loss", test_unexplained_loss);
  g_test_add_func ("/gate/baseline", test_baseline);
  g_test_add_func ("/gate/runs", test_runs);
  g_test_add_func ("/gate/unreadable", test_unreadable);
  g_test_add_func ("/gate/file", test_file);
  g_test_add_func ("/gate/reports", test_reports);
  return g_test_run ();
}
