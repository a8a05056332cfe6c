/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What hangs on dispatches: origins, submissions, sources, attachments, counters, traces, warnings,
 * metrics; each expectation is worked out by hand.
 */

#include "sample.h"

/* ---- Makings ---- */

static void
begin_origin (Sample *sample, WeftOriginRole role, guint64 thread, gint64 time)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_RUNTIME, 1);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_TID, 100 + thread);
  model_set (sample->model, WEFT_ORIGINS_TIME, (guint64) time);
}

static void
add_origin (Sample *sample, WeftOriginRole role, guint64 thread, gint64 time, guint64 dispatch,
            guint64 submission)
{
  begin_origin (sample, role, thread, time);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ORIGINS_SUBMISSION, submission);
  model_commit (sample->model);
}

static guint64
add_submission (Sample *sample, guint64 lane)
{
  model_begin (sample->model, WEFT_TABLE_SUBMISSIONS);
  model_set (sample->model, WEFT_SUBMISSIONS_RUNTIME, 1);
  model_set (sample->model, WEFT_SUBMISSIONS_LANE, lane);
  return model_commit (sample->model);
}

static guint64
add_submitted (Sample *sample, guint64 lane, guint64 routine, gint64 start, guint64 duration,
               guint64 submission)
{
  sample_begin (sample, lane, routine, start, duration);
  model_set (sample->model, WEFT_DISPATCHES_SUBMISSION, submission);
  return model_commit (sample->model);
}

static WeftTable *
main_table (WeftReport *report)
{
  return weft_report_get_main_table (report);
}

static WeftReport *
ask (Sample *sample, const char *kind, const char *handle)
{
  WeftAnalysis *analysis = sample_analysis (sample, kind);

  weft_analysis_set_handle (analysis, handle);
  return sample_run (analysis);
}

static WeftReport *
ask_grouped (Sample *sample, const char *kind, const char *group)
{
  WeftAnalysis *analysis = sample_analysis (sample, kind);
  g_autoptr (GError) error = NULL;

  weft_analysis_set_group_by (analysis, group, &error);
  g_assert_no_error (error);
  return sample_run (analysis);
}

/* ---- Origins ---- */

/* Lane 1: d-1 100–300 queued by thread 1; d-2 300–400 and d-3 400–450 in s-1, which thread 1
 * queued and thread 2 waits for.
 */
static Sample *
make_origins (void)
{
  Sample *sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_routine (sample, "work");
  sample_thread (sample, 102, "waiter");
  add_submission (sample, 1);
  sample_begin (sample, 1, 1, 100, 200);
  model_set (sample->model, WEFT_DISPATCHES_PRODUCER_ID, 77);
  model_commit (sample->model);
  add_submitted (sample, 1, 1, 300, 100, 1);
  add_submitted (sample, 1, 1, 400, 50, 1);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 90, 1, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 95, 0, 1);
  /* Again, and of one that its submission holds: neither counts twice. */
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 96, 1, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 97, 2, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 2, 250, 0, 1);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 2, 460, 0, 1);
  /* Came before its dispatch did. */
  begin_origin (sample, WEFT_ORIGIN_ROLE_COMPLETION, 0, 310);
  model_set (sample->model, WEFT_ORIGINS_TID, 999);
  model_set (sample->model, WEFT_ORIGINS_PRODUCER_DISPATCH, 77);
  model_commit (sample->model);
  sample_meta_number (sample, "duration", 1000);
  return sample;
}

static void
test_origins (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "target-origins"));

  sample_assert_table (
      main_table (report),
      "origin role time dispatch name lane_name submission from_start from_end tid thread_name",
      "o-1 dispatch 90 d-1 work queue - -10 -210 101 main\n"
      "o-2 dispatch 95 - - - s-1 - - 101 main\n"
      "o-3 dispatch 96 d-1 work queue - -4 -204 101 main\n"
      "o-4 dispatch 97 d-2 work queue - -203 -303 101 main\n"
      "o-5 wait-begin 250 - - - s-1 - - 102 waiter\n"
      "o-7 completion 310 d-1 work queue - 210 10 999 -\n"
      "o-6 wait-end 460 - - - s-1 - - 102 waiter\n");
  sample_assert_table (main_table (report), "link_status stack link_distance",
                       "undecided - -\nundecided - -\nundecided - -\nundecided - -\n"
                       "undecided - -\nundecided - -\nundecided - -\n");
}

static void
test_origins_of_one (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) one = ask (sample, "target-origins", "d-1");
  g_autoptr (WeftReport) member = ask (sample, "target-origins", "d-3");
  g_autoptr (WeftReport) submission = ask (sample, "target-origins", "s-1");
  WeftAnalysis *analysis;

  sample_assert_table (main_table (one), "origin", "o-1\no-3\no-7\n");
  /* What its submission says, told against this dispatch. */
  sample_assert_table (main_table (member), "origin role dispatch from_start from_end",
                       "o-2 dispatch d-3 -305 -355\n"
                       "o-5 wait-begin d-3 -150 -200\n"
                       "o-6 wait-end d-3 60 10\n");
  sample_assert_table (main_table (submission), "origin", "o-2\no-5\no-6\n");

  analysis = sample_analysis (sample, "target-origins");
  weft_analysis_set_handle (analysis, "d-4");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "There is no dispatch “d-4”");
  analysis = sample_analysis (sample, "target-origins");
  weft_analysis_set_handle (analysis, "l-1");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "a dispatch (d-…) or a submission (s-…)");
}

static void
test_origins_by_thread (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = ask_grouped (sample, "target-origins", "thread");
  WeftAnalysis *analysis = sample_analysis (sample, "target-origins");
  g_autoptr (WeftReport) part = NULL;

  sample_assert_table (main_table (report),
                       "thread tid thread_name process_name queued dispatches target_time waits "
                       "completions faults",
                       "t-1 101 main program 4 3 350 0 0 0\n"
                       "t-2 102 waiter program 0 0 0 1 0 0\n"
                       "- 999 - - 0 0 0 0 1 0\n");

  g_assert_true (weft_analysis_set_group_by (analysis, "thread", NULL));
  weft_analysis_set_range (analysis, 250, 420);
  part = sample_run (analysis);
  sample_assert_table (main_table (part), "tid dispatches target_time",
                       "101 3 170\n102 0 0\n999 0 0\n");
}

static void
test_origins_by_role (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) roles = ask_grouped (sample, "target-origins", "role");
  g_autoptr (WeftReport) states = ask_grouped (sample, "target-origins", "status");

  sample_assert_table (main_table (roles), "role origins share with_stack without_thread",
                       "dispatch 4 57.14 0 0\n"
                       "wait-begin 1 14.29 0 0\n"
                       "wait-end 1 14.29 0 0\n"
                       "completion 1 14.29 0 1\n");
  sample_assert_table (main_table (states), "link_status origins share without_thread",
                       "undecided 7 100.00 1\n");
}

static void
test_origins_paged (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autofree char *cursor = NULL;
  WeftAnalysis *analysis;

  for (guint page = 0; page == 0 || cursor != NULL; page++)
    {
      g_autoptr (WeftReport) report = NULL;
      g_autofree char *text = NULL;

      analysis = sample_analysis (sample, "target-origins");
      weft_analysis_set_limit (analysis, 3);
      weft_analysis_set_cursor (analysis, cursor);
      report = sample_run (analysis);
      g_assert_cmpuint (weft_table_get_n_rows (main_table (report)), ==, page < 2 ? 3 : 1);
      text = sample_text (main_table (report), "origin");
      g_string_append (seen, text);
      g_free (cursor);
      cursor = g_strdup (weft_table_get_cursor (main_table (report)));
    }
  g_assert_cmpstr (seen->str, ==, "o-1\no-2\no-3\no-4\no-5\no-7\no-6\n");

  analysis = sample_analysis (sample, "target-origins");
  weft_analysis_set_cursor (analysis, "target-origins:thread::1:2");
  sample_fails (analysis, WEFT_ERROR_INVALID_CURSOR, "does not continue this question");
}

static void
test_origins_none (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "target-origins"));

  g_assert_cmpuint (weft_table_get_n_rows (main_table (report)), ==, 0);
  g_assert_nonnull (weft_table_get_hint (main_table (report)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/origins/all", test_origins);
  g_test_add_func ("/analyze/origins/one", test_origins_of_one);
  g_test_add_func ("/analyze/origins/by-thread", test_origins_by_thread);
  g_test_add_func ("/analyze/origins/by-role", test_origins_by_role);
  g_test_add_func ("/analyze/origins/paged", test_origins_paged);
  g_test_add_func ("/analyze/origins/none", test_origins_none);
  return g_test_run ();
}
