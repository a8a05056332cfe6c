/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Comparisons of recordings whose differences are known. All chance has a seed: how often something
 * is found or falsely told is the same in every run.
 */

#include <math.h>

#include "compare-rows.h"
#include "weft-compare-parts.h"
#include "weft-statistics.h"
#include "weft-text-diff.h"

#include <glib/gstdio.h>

#define N_ROUNDS 300
/* One recording on each side tells less: it must be longer. */
#define N_LONG_ROUNDS 2000
#define N_ROUTINES 6
/* How much recordings of a program differ as a whole. */
#define DRIFT 0.006

static char *directory;

/* One whose file is there for as long as it is open only. */
static WeftRecording *
make_recording (const Run *run)
{
  WeftRecording *recording = compare_rows_make (directory, run);
  g_autofree char *path = g_file_get_path (weft_recording_get_file (recording));

  g_assert_cmpint (g_unlink (path), ==, 0);
  return recording;
}

static WeftReport *
run_sides (const Run *const *runs, guint n_a, guint n_b)
{
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (GError) error = NULL;
  WeftReport *report;

  for (guint i = 0; i < n_a + n_b; i++)
    {
      g_autoptr (WeftRecording) recording = make_recording (runs[i]);

      weft_comparison_add_recording (
          comparison, i < n_a ? WEFT_COMPARISON_SIDE_A : WEFT_COMPARISON_SIDE_B, recording);
    }
  report = weft_comparison_run (comparison, NULL, &error);
  g_assert_no_error (error);
  return report;
}

/* N recordings of each side with seeds of their own; SLOWER: of the second routine, on side B. */
static WeftReport *
compare_same (guint seed, guint n, double slower)
{
  Run runs[16];
  const Run *all[16];

  g_assert_cmpuint (2 * n, <=, G_N_ELEMENTS (runs));
  for (guint i = 0; i < 2 * n; i++)
    {
      runs[i] = (Run){ .seed = 1000 * seed + i,
                       .n_rounds = n == 1 ? N_LONG_ROUNDS : N_ROUNDS,
                       .n_routines = N_ROUTINES,
                       .drift = DRIFT };
      if (i >= n && slower != 0)
        {
          runs[i].slow = 2;
          runs[i].slower = slower;
        }
      all[i] = &runs[i];
    }
  return run_sides (all, n, n);
}

static const char *
get_text (WeftTable *table, const char *column, guint row)
{
  return weft_table_get_string (table, (guint) weft_table_find_column (table, column), row);
}

static double
get_number (WeftTable *table, const char *column, guint row)
{
  return weft_table_get_double (table, (guint) weft_table_find_column (table, column), row);
}

static guint
count_changes (WeftTable *table)
{
  guint n = 0;

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    n += g_strcmp0 (get_text (table, "verdict", row), "no-change") != 0 &&
         g_strcmp0 (get_text (table, "verdict", row), "cannot-judge") != 0;
  return n;
}

/* The row of a figure. */
static guint
find_row (WeftTable *table, const char *scope, const char *name, const char *metric)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    if (g_strcmp0 (get_text (table, "scope", row), scope) == 0 &&
        (name == NULL || g_strcmp0 (get_text (table, "name", row), name) == 0) &&
        g_strcmp0 (get_text (table, "metric", row), metric) == 0)
      return row;
  g_assert_not_reached ();
}

static guint
find_lane_row (WeftTable *table, const char *lane, const char *metric)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    if (g_strcmp0 (get_text (table, "scope", row), "lane") == 0 &&
        g_strcmp0 (get_text (table, "lane", row), lane) == 0 &&
        g_strcmp0 (get_text (table, "metric", row), metric) == 0)
      return row;
  g_assert_not_reached ();
}

/* ---- How often ---- */

static guint
count_false_alarms (guint n_pairs, guint n)
{
  guint n_alarms = 0;

  for (guint i = 0; i < n_pairs; i++)
    {
      g_autoptr (WeftReport) report = compare_same (i + 1, n, 0);

      n_alarms += count_changes (weft_report_get_main_table (report)) > 0;
    }
  g_test_message ("%u of %u comparisons, %u recordings a side: false alarms", n_alarms, n_pairs, n);
  return n_alarms;
}

static void
test_same_pairs (void)
{
  g_assert_cmpuint (count_false_alarms (100, 1), <=, 5);
}

static void
test_same_groups (void)
{
  g_assert_cmpuint (count_false_alarms (40, 3), <=, 2);
}

static guint
count_found (guint n_pairs, guint n, double slower, const char *verdict)
{
  guint n_found = 0;

  for (guint i = 0; i < n_pairs; i++)
    {
      g_autoptr (WeftReport) report = compare_same (500 + i, n, slower);
      WeftTable *table = weft_report_get_main_table (report);

      n_found += g_strcmp0 (get_text (table, "name", 0), "routine 2") == 0 &&
                 g_strcmp0 (get_text (table, "verdict", 0), verdict) == 0;
    }
  g_test_message ("%u of %u: named first, %u recordings a side", n_found, n_pairs, n);
  return n_found;
}

static void
test_slower_is_first (void)
{
  g_assert_cmpuint (count_found (20, 1, 0.1, "regressed"), >=, 18);
  g_assert_cmpuint (count_found (10, 3, 0.1, "regressed"), ==, 10);
}

static void
test_faster_is_first (void)
{
  g_assert_cmpuint (count_found (10, 3, -0.1, "improved"), ==, 10);
}

/* ---- What is told ---- */

static void
test_everything_moved (void)
{
  /* One recording on each side cannot tell a slower program from a slower machine. */
  const Run before = { .seed = 1, .n_rounds = N_ROUNDS, .n_routines = 1 };
  const Run after = { .seed = 2, .n_rounds = N_ROUNDS, .n_routines = 1, .slow = 1, .slower = .06 };
  const Run *const runs[] = { &before, &after };
  g_autoptr (WeftReport) report = run_sides (runs, 1, 1);

  g_assert_cmpuint (count_changes (weft_report_get_main_table (report)), ==, 0);
}

static void
test_values (void)
{
  const Run run = { .seed = 1, .n_rounds = N_ROUNDS, .n_routines = 2 };
  const Run twice = { .seed = 1, .n_rounds = N_ROUNDS, .n_routines = 2, .slow = 1, .slower = 1 };
  const Run *const runs[] = { &run, &run, &twice, &twice };
  g_autoptr (WeftReport) report = run_sides (runs, 2, 2);
  WeftTable *table = weft_report_get_main_table (report);
  guint row = find_row (table, "routine", "routine 1", "total");

  g_assert_cmpfloat_with_epsilon (get_number (table, "change", row), 100, 0.1);
  g_assert_cmpfloat (get_number (table, "low", row), <, 100);
  g_assert_cmpfloat (get_number (table, "high", row), >, 100);
  g_assert_cmpfloat (get_number (table, "q", row), <, 0.05);
  g_assert_cmpstr (get_text (table, "verdict", row), ==, "regressed");
  g_assert_cmpstr (get_text (table, "unit", row), ==, "ns");
  row = find_row (table, "routine", "routine 2", "p50");
  g_assert_cmpfloat (get_number (table, "change", row), ==, 0);
  g_assert_cmpstr (get_text (table, "verdict", row), ==, "no-change");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_table (report, "recordings")), ==, 4);
}

static void
test_new_and_vanished (void)
{
  const Run before = { .seed = 1, .n_rounds = N_ROUNDS, .n_routines = 4, .left_out = 2 };
  const Run after = { .seed = 2, .n_rounds = N_ROUNDS, .n_routines = 4, .left_out = 3 };
  const Run *const runs[] = { &before, &after };
  g_autoptr (WeftReport) report = run_sides (runs, 1, 1);
  WeftTable *table = weft_report_get_main_table (report);
  guint row = find_row (table, "routine", "routine 2", "total");

  g_assert_cmpstr (get_text (table, "verdict", row), ==, "new");
  g_assert_true (weft_table_is_null (table, (guint) weft_table_find_column (table, "a"), row));
  row = find_row (table, "routine", "routine 3", "total");
  g_assert_cmpstr (get_text (table, "verdict", row), ==, "vanished");
}

static void
test_too_few (void)
{
  const Run before = { .seed = 1, .n_rounds = 3, .n_routines = 2 };
  const Run after = { .seed = 2, .n_rounds = 3, .n_routines = 2, .slow = 1, .slower = 1 };
  const Run *const runs[] = { &before, &after };
  g_autoptr (WeftReport) report = run_sides (runs, 1, 1);
  WeftTable *table = weft_report_get_main_table (report);
  guint row = find_row (table, "routine", "routine 1", "p50");

  g_assert_cmpstr (get_text (table, "verdict", row), ==, "cannot-judge");
  g_assert_nonnull (get_text (table, "reason", row));
}

static void
test_source (void)
{
  const Run before = {
    .seed = 1, .n_rounds = 50, .n_routines = 2, .source = "int\nwork (void)\n{\n  return 1;\n}\n"
  };
  Run after = before;
  const Run *const runs[] = { &before, &after };
  g_autoptr (WeftReport) same = NULL;
  g_autoptr (WeftReport) other = NULL;
  WeftTable *changes, *table;

  same = run_sides (runs, 1, 1);
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_table (same, "source_changes")), ==, 0);
  after.source = "int\nwork (void)\n{\n  return 2;\n}\n";
  other = run_sides (runs, 1, 1);
  changes = weft_report_get_table (other, "source_changes");
  g_assert_cmpuint (weft_table_get_n_rows (changes), ==, 1);
  g_assert_cmpstr (get_text (changes, "source", 0), ==, "work.c");
  g_assert_cmpstr (get_text (changes, "routines", 0), ==, "routine 1, routine 2");
  g_assert_cmpstr (get_text (changes, "diff", 0), ==,
                   "@@ -1,6 +1,6 @@\n int\n work (void)\n {\n-  return 1;\n+  return 2;\n }\n \n");
  table = weft_report_get_main_table (other);
  g_assert_true (weft_table_get_boolean (table,
                                         (guint) weft_table_find_column (table, "source_changed"),
                                         find_row (table, "routine", "routine 1", "total")));
}

static void
test_steps (void)
{
  const Run before = { .seed = 1, .n_rounds = 200, .n_routines = 1, .sequence = "round" };
  Run after = before;
  const Run *const runs[] = { &before, &after };
  g_autoptr (WeftReport) same = run_sides (runs, 1, 1);
  g_autoptr (WeftReport) slower = NULL;
  WeftTable *table = weft_report_get_main_table (same);
  guint row = find_row (table, "tick", NULL, "duration");

  g_assert_cmpfloat (get_number (table, "change", row), ==, 0);
  /* Step by step the same work: a tenth more is certain, though each step differs by chance. */
  after.slow = 1;
  after.slower = .15;
  slower = run_sides (runs, 1, 1);
  table = weft_report_get_main_table (slower);
  row = find_row (table, "tick", NULL, "duration");
  g_assert_cmpfloat_with_epsilon (get_number (table, "change", row), 15, 0.5);
  g_assert_cmpstr (get_text (table, "verdict", row), ==, "regressed");
  table = weft_report_get_table (slower, "ticks");
  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 20);
  g_assert_cmpfloat (get_number (table, "difference", 0), >=, get_number (table, "difference", 1));
}

static void
test_equal_answers (void)
{
  g_autoptr (WeftReport) first = compare_same (7, 2, 0.1);
  g_autoptr (WeftReport) second = compare_same (7, 2, 0.1);

  for (guint i = 0; i < 3; i++)
    {
      static const char *const tables[] = { "compare", "verdicts", "ticks" };
      WeftTable *a = weft_report_get_table (first, tables[i]);
      WeftTable *b = weft_report_get_table (second, tables[i]);

      g_assert_cmpuint (weft_table_get_n_rows (a), ==, weft_table_get_n_rows (b));
      for (guint row = 0; row < weft_table_get_n_rows (a); row++)
        for (guint column = 0; column < weft_table_get_n_columns (a); column++)
          {
            g_autofree char *left = weft_table_get_text (a, column, row);
            g_autofree char *right = weft_table_get_text (b, column, row);

            g_assert_cmpstr (left, ==, right);
          }
    }
}

static void
test_options (void)
{
  const Run run = { .seed = 1, .n_rounds = 50, .n_routines = 3 };
  g_autoptr (WeftRecording) recording = make_recording (&run);
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (GError) error = NULL;
  WeftTable *table;

  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_A, recording);
  g_assert_null (weft_comparison_run (comparison, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY);
  g_clear_error (&error);
  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_B, recording);
  g_assert_cmpuint (weft_comparison_get_n_recordings (comparison, WEFT_COMPARISON_SIDE_B), ==, 1);
  g_assert_true (weft_comparison_get_recording (comparison, WEFT_COMPARISON_SIDE_B, 0) ==
                 recording);
  g_assert_false (weft_comparison_set_filter (comparison, "lane:(", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
  g_clear_error (&error);
  g_assert_true (weft_comparison_set_filter (comparison, "routine:\"routine 2\"", &error));
  weft_comparison_set_limit (comparison, 2);
  report = weft_comparison_run (comparison, NULL, &error);
  g_assert_no_error (error);
  table = weft_report_get_main_table (report);
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    if (g_strcmp0 (get_text (table, "scope", row), "routine") == 0)
      g_assert_cmpstr (get_text (table, "name", row), ==, "routine 2");
  g_assert_cmpuint (weft_table_get_n_rows (table), <=, 2 * 10);
}

/* What a query tells of the same dispatches. */
static WeftTable *
ask (WeftRecording *recording, const char *key, const char *filter, gint64 end)
{
  static const char *const selects[] = { "sum(duration)",  "total", "count",         "count",
                                         "mean(duration)", "mean",  "p50(duration)", "p50",
                                         "p95(duration)",  "p95",   "p99(duration)", "p99" };
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", NULL);
  g_autoptr (GError) error = NULL;
  WeftTable *table;

  weft_query_group_by (query, key, "key", &error);
  for (guint i = 0; i < G_N_ELEMENTS (selects) && error == NULL; i += 2)
    weft_query_select (query, selects[i], selects[i + 1], &error);
  g_assert_no_error (error);
  g_assert_true (weft_query_set_filter_text (query, filter, NULL));
  weft_query_set_range (query, 0, end);
  table = weft_query_run (query, recording, NULL, &error);
  g_assert_no_error (error);
  return table;
}

static void
check_figures (guint n_rounds, const char *scope, const char *key, const char *filter, gint64 end)
{
  static const char *const figures[] = { "total", "count", "mean", "p50", "p95", "p99" };
  const Run run = { .seed = 3, .n_rounds = n_rounds, .n_routines = 5 };
  g_autoptr (WeftRecording) recording = make_recording (&run);
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (WeftTable) asked = ask (recording, key, filter, end);
  g_autoptr (WeftReport) report = NULL;

  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_A, recording);
  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_B, recording);
  g_assert_true (weft_comparison_set_filter (comparison, filter, NULL));
  weft_comparison_set_range (comparison, 0, end);
  report = weft_comparison_run (comparison, NULL, NULL);
  g_assert_cmpuint (weft_table_get_n_rows (asked), >, 0);
  for (guint i = 0; i < weft_table_get_n_rows (asked) * G_N_ELEMENTS (figures); i++)
    {
      WeftTable *table = weft_report_get_main_table (report);
      const char *figure = figures[i % G_N_ELEMENTS (figures)];
      guint row = i / G_N_ELEMENTS (figures);
      double expected = weft_compare_get_number (asked, figure, row);
      const char *name = get_text (asked, "key", row);
      guint found = g_str_equal (scope, "lane") ? find_lane_row (table, name, figure)
                                                : find_row (table, scope, name, figure);

      g_assert_cmpfloat_with_epsilon (get_number (table, "a", found), expected, 1e-9 * expected);
    }
}

/* Pairs of lane and routine with few dispatches, with many, and lanes, which have several. */
static void
test_figures_of_queries (void)
{
  for (guint n = 40; n <= 2000; n += 1960)
    {
      check_figures (n, "routine", "routine.name", NULL, G_MAXINT64);
      check_figures (n, "lane", "lane.name", NULL, G_MAXINT64);
      check_figures (n, "lane", "lane.name", NULL, 2000000);
      check_figures (n, "lane", "lane.name", "dur>20us", G_MAXINT64);
      check_figures (n, "routine", "routine.name", "dur>20us", 3000000);
    }
}

static void
take_report (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftReport) report =
      weft_comparison_run_finish (WEFT_COMPARISON (source), result, &error);

  g_assert_null (report);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_main_loop_quit (data);
}

static void
test_cancelled (void)
{
  const Run run = { .seed = 1, .n_rounds = 10, .n_routines = 1 };
  g_autoptr (WeftRecording) recording = make_recording (&run);
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_A, recording);
  weft_comparison_add_recording (comparison, WEFT_COMPARISON_SIDE_B, recording);
  g_cancellable_cancel (cancellable);
  weft_comparison_run_async (comparison, cancellable, NULL, NULL, NULL, take_report, loop);
  g_main_loop_run (loop);
}

/* ---- What it rests on ---- */

static void
test_student (void)
{
  /* Of the usual tables. */
  g_assert_cmpfloat_with_epsilon (weft_student_get_t (0.05, 1), 12.7062, 1e-4);
  g_assert_cmpfloat_with_epsilon (weft_student_get_t (0.05, 10), 2.2281, 1e-4);
  g_assert_cmpfloat_with_epsilon (weft_student_get_t (0.01, 4), 4.6041, 1e-4);
  g_assert_cmpfloat_with_epsilon (weft_student_get_p (1.959964, 1e7), 0.05, 1e-6);
  g_assert_cmpfloat_with_epsilon (weft_student_get_p (0, 3), 1, 1e-12);
}

static void
test_correction (void)
{
  double p[] = { 0.01, 0.04, 0.03, 0.5 };
  const double equal[] = { 1, 1, 1, 1 };
  double weighted[] = { 0.01, 0.01 };
  const double weights[] = { 1.5, 0.5 };

  weft_adjust_p_values (p, equal, 4);
  g_assert_cmpfloat_with_epsilon (p[0], 0.04, 1e-12);
  g_assert_cmpfloat_with_epsilon (p[1], 0.16 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (p[2], 0.16 / 3, 1e-12);
  g_assert_cmpfloat_with_epsilon (p[3], 0.5, 1e-12);
  weft_adjust_p_values (weighted, weights, 2);
  g_assert_cmpfloat_with_epsilon (weighted[0], 0.02 / 1.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (weighted[1], 0.02, 1e-12);
}

static void
check_diff (const char *before, const char *after, const char *expected)
{
  g_autofree char *diff = weft_text_diff (before, after);

  g_assert_cmpstr (diff, ==, expected);
}

static void
test_diff (void)
{
  g_autoptr (GString) long_text = g_string_new (NULL);
  g_autofree char *none = NULL;

  check_diff ("a\nb\nc", "a\nb\nc", "");
  check_diff ("a\nb\nc", "a\nc", "@@ -1,3 +1,2 @@\n a\n-b\n c\n");
  check_diff ("a", "b", "@@ -1,1 +1,1 @@\n-a\n+b\n");
  check_diff ("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12", "1\nx\n2\n3\n4\n5\n6\n7\n8\n9\n10\n12",
              "@@ -1,4 +1,5 @@\n 1\n+x\n 2\n 3\n 4\n@@ -8,5 +9,4 @@\n 8\n 9\n 10\n-11\n 12\n");
  for (guint i = 0; i < 1500; i++)
    g_string_append_printf (long_text, "%u\n", i);
  none = weft_text_diff (long_text->str, "nothing of it");
  g_assert_null (none);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  directory = g_dir_make_tmp ("weft-comparison-XXXXXX", NULL);
  g_test_add_func ("/comparison/student", test_student);
  g_test_add_func ("/comparison/correction", test_correction);
  g_test_add_func ("/comparison/diff", test_diff);
  g_test_add_func ("/comparison/values", test_values);
  g_test_add_func ("/comparison/new-and-vanished", test_new_and_vanished);
  g_test_add_func ("/comparison/too-few", test_too_few);
  g_test_add_func ("/comparison/everything-moved", test_everything_moved);
  g_test_add_func ("/comparison/source", test_source);
  g_test_add_func ("/comparison/steps", test_steps);
  g_test_add_func ("/comparison/equal-answers", test_equal_answers);
  g_test_add_func ("/comparison/options", test_options);
  g_test_add_func ("/comparison/figures-of-queries", test_figures_of_queries);
  g_test_add_func ("/comparison/cancelled", test_cancelled);
  g_test_add_func ("/comparison/slower-is-first", test_slower_is_first);
  g_test_add_func ("/comparison/faster-is-first", test_faster_is_first);
  g_test_add_func ("/comparison/same-pairs", test_same_pairs);
  g_test_add_func ("/comparison/same-groups", test_same_groups);
  status = g_test_run ();
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  g_free (directory);
  return status;
}
