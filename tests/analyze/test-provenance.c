/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What hangs on dispatches: origins, submissions, sources, attachments, counters, traces, warnings,
 * metrics; each expectation is worked out by hand.
 */

#include "sample.h"

#include <string.h>

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

static WeftReport *
ask_ordered (Sample *sample, const char *kind, const char *order)
{
  WeftAnalysis *analysis = sample_analysis (sample, kind);
  g_autoptr (GError) error = NULL;

  weft_analysis_set_order_by (analysis, order, &error);
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

/* ---- Submissions ---- */

static void
add_event (Sample *sample, guint64 submission, WeftSubmissionEventKind kind, gint64 time)
{
  model_begin (sample->model, WEFT_TABLE_SUBMISSION_EVENTS);
  model_set (sample->model, WEFT_SUBMISSION_EVENTS_SUBMISSION, submission);
  model_set (sample->model, WEFT_SUBMISSION_EVENTS_KIND, kind);
  model_set (sample->model, WEFT_SUBMISSION_EVENTS_TIME, (guint64) time);
  if (kind == WEFT_SUBMISSION_EVENT_FAULT)
    model_set (sample->model, WEFT_SUBMISSION_EVENTS_STATUS, WEFT_STATUS_ERROR);
  model_commit (sample->model);
}

/* s-1: of make_origins (), committed at 250; s-2 faults and holds nothing. Thread 1 waits for s-1
 * from 260 to 300 and for d-2, which is part of it, from 280 to 320: 60 in all.
 */
static void
test_submissions (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (WeftReport) waits = NULL;

  add_submission (sample, 1);
  add_event (sample, 1, WEFT_SUBMISSION_EVENT_COMMIT, 250);
  add_event (sample, 1, WEFT_SUBMISSION_EVENT_COMPLETED, 455);
  add_event (sample, 2, WEFT_SUBMISSION_EVENT_FAULT, 600);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 260, 0, 1);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 1, 300, 0, 1);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 280, 2, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 1, 320, 2, 0);

  report = ask_ordered (sample, "target-submissions", "wait");
  sample_assert_table (
      main_table (report),
      "submission lane_name dispatches target_time first last span committed completed "
      "queue_time waits wait_time status fault",
      "s-1 queue 2 150 300 450 150 250 455 50 3 270 ok no\n"
      "s-2 queue 0 0 - - - - 600 - 0 0 error yes\n");
  waits = ask (sample, "target-submissions", "s-1");
  sample_assert_table (weft_report_get_table (waits, "waits"),
                       "tid dispatch submission begin end duration overlap covers_end",
                       "101 - s-1 260 300 40 0 no\n"
                       "101 d-2 - 280 320 40 20 no\n"
                       "102 - s-1 250 460 210 150 yes\n");
  sample_assert_table (weft_report_get_table (waits, "dispatches"), "dispatch start",
                       "d-2 300\nd-3 400\n");
  sample_assert_table (weft_report_get_table (waits, "events"), "kind time status",
                       "commit 250 ok\ncompleted 455 ok\n");
}

/* ---- Dispatches ---- */

static void
test_dispatches (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) by_start = sample_run (sample_analysis (sample, "target-dispatches"));
  g_autoptr (WeftReport) by_duration = ask_ordered (sample, "target-dispatches", "duration");
  WeftAnalysis *analysis = sample_analysis (sample, "target-dispatches");
  g_autoptr (WeftReport) part = NULL;

  sample_assert_table (main_table (by_start),
                       "dispatch name lane_name start duration self status submission",
                       "d-1 work queue 100 200 200 ok -\n"
                       "d-2 work queue 300 100 100 ok s-1\n"
                       "d-3 work queue 400 50 50 ok s-1\n");
  sample_assert_table (main_table (by_duration), "dispatch", "d-1\nd-2\nd-3\n");
  weft_analysis_set_range (analysis, 350, 401);
  part = sample_run (analysis);
  sample_assert_table (main_table (part), "dispatch", "d-2\nd-3\n");
  analysis = sample_analysis (sample, "target-dispatches");
  weft_analysis_set_range (analysis, 5000, 6000);
  sample_fails (analysis, WEFT_ERROR_OUT_OF_RANGE, "lies outside the recording");
}

static void
test_dispatch (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  WeftAnalysis *analysis;

  model_begin (sample->model, WEFT_TABLE_PHASES);
  model_set (sample->model, WEFT_PHASES_DISPATCH, 2);
  model_set (sample->model, WEFT_PHASES_NAME, model_string (sample->model, "parse"));
  model_set (sample->model, WEFT_PHASES_OFFSET, 10);
  model_set (sample->model, WEFT_PHASES_DURATION, 20);
  model_set (sample->model, WEFT_PHASES_FLAGS, 1);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_TAGS);
  model_set (sample->model, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  model_set (sample->model, WEFT_TAGS_OWNER, 2);
  model_set (sample->model, WEFT_TAGS_KEY, model_string (sample->model, "balance"));
  model_set (sample->model, WEFT_TAGS_TYPE, WEFT_NUMBER_INT64);
  model_set (sample->model, WEFT_TAGS_BITS, (guint64) -12);
  model_commit (sample->model);

  report = ask (sample, "target-dispatch", "d-2");
  g_assert_true (weft_report_is_single (report));
  sample_assert_table (main_table (report),
                       "dispatch name lane_name lane_kind start end submission classification",
                       "d-2 work queue test.queue 300 400 s-1 undecided\n");
  sample_assert_table (main_table (report), "evidence",
                       "Only threads that did not queue it waited for it\n");
  sample_assert_table (weft_report_get_table (report, "phases"), "name start duration slow failed",
                       "parse 310 20 yes no\n");
  sample_assert_table (weft_report_get_table (report, "tags"), "key type value",
                       "balance int64 -12\n");
  sample_assert_table (weft_report_get_table (report, "origins"), "origin role",
                       "o-2 dispatch\no-4 dispatch\no-5 wait-begin\no-6 wait-end\n");
  sample_assert_table (weft_report_get_table (report, "waits"),
                       "tid overlap covers_end same_thread", "102 100 yes no\n");
  sample_assert_table (weft_report_get_table (report, "neighbours"), "dispatch relation gap",
                       "d-1 before 0\nd-3 after 0\n");

  analysis = sample_analysis (sample, "target-dispatch");
  weft_analysis_set_handle (analysis, "r-1");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "is not the handle of a dispatch (d-…)");
  sample_fails (sample_analysis (sample, "target-dispatch"), WEFT_ERROR_INVALID_QUERY,
                "Say which one");
}

/* ---- Counters ---- */

static void
add_value (Sample *sample, guint64 dispatch, WeftSamplePoint point, double value, gboolean is_error)
{
  guint64 id;

  model_begin (sample->model, WEFT_TABLE_COUNTER_SAMPLES);
  model_set (sample->model, WEFT_COUNTER_SAMPLES_SET, 1);
  model_set (sample->model, WEFT_COUNTER_SAMPLES_DISPATCH, dispatch);
  model_set (sample->model, WEFT_COUNTER_SAMPLES_POINT, point);
  id = model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_COUNTER_VALUES);
  model_set (sample->model, WEFT_COUNTER_VALUES_SAMPLE, id);
  model_set (sample->model, WEFT_COUNTER_VALUES_COUNTER, 1);
  model_set (sample->model, WEFT_COUNTER_VALUES_BITS, (guint64) value);
  model_set (sample->model, WEFT_COUNTER_VALUES_IS_ERROR, is_error);
  model_commit (sample->model);
}

static void
add_set (Sample *sample, const char *name, WeftAvailability availability, const char *reason)
{
  guint64 set;

  model_begin (sample->model, WEFT_TABLE_COUNTER_SETS);
  model_set (sample->model, WEFT_COUNTER_SETS_RUNTIME, 1);
  model_set (sample->model, WEFT_COUNTER_SETS_NAME, model_string (sample->model, name));
  set = model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_COUNTER_SET_STATES);
  model_set (sample->model, WEFT_COUNTER_SET_STATES_SET, set);
  model_set (sample->model, WEFT_COUNTER_SET_STATES_AVAILABILITY, availability);
  model_set (sample->model, WEFT_COUNTER_SET_STATES_REASON, model_string (sample->model, reason));
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_COUNTERS);
  model_set (sample->model, WEFT_COUNTERS_SET, set);
  model_set (sample->model, WEFT_COUNTERS_NAME, model_string (sample->model, "cycles"));
  model_set (sample->model, WEFT_COUNTERS_UNIT, WEFT_UNIT_CYCLES);
  model_commit (sample->model);
}

/* d-1, of 200 ns, goes from 100 to 160; d-2, of 100 ns, is sampled after only, 40; one is an error.
 */
static void
test_counters (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (WeftReport) routines = NULL;

  add_set (sample, "statistics", WEFT_AVAILABILITY_PRESENT, "");
  add_set (sample, "stages", WEFT_AVAILABILITY_DISABLED, "left out");
  add_value (sample, 1, WEFT_SAMPLE_POINT_BEFORE_DISPATCH, 100, FALSE);
  add_value (sample, 1, WEFT_SAMPLE_POINT_AFTER_DISPATCH, 160, FALSE);
  add_value (sample, 2, WEFT_SAMPLE_POINT_AFTER_DISPATCH, 40, FALSE);
  add_value (sample, 2, WEFT_SAMPLE_POINT_AFTER_DISPATCH, 0, TRUE);

  report = sample_run (sample_analysis (sample, "target-counters"));
  sample_assert_table (main_table (report),
                       "counter set_name availability reason samples errors total mean min max "
                       "per_second dispatches per_dispatch changes change_total",
                       "c-1 statistics present - 4 1 300.00 100.00 40.00 160.00 1000000000.00 2 "
                       "150.00 1 60.00\n"
                       "c-2 stages disabled left out 0 0 - - - - - 0 - 0 -\n");
  sample_assert_table (weft_report_get_table (report, "sets"), "set counters samples",
                       "cs-1 1 4\ncs-2 1 0\n");
  routines = sample_run (sample_analysis (sample, "target-routines"));
  sample_assert_table (main_table (routines),
                       "routine name count total mean p95 max lanes lane_names",
                       "r-1 work 3 350 116 200 200 1 queue\n");
  sample_assert_table (weft_report_get_table (routines, "counters"),
                       "routine counter samples total per_dispatch", "r-1 c-1 4 300.00 150.00\n");
}

/* ---- Attachments ---- */

static void
add_attachment (Sample *sample, guint64 dispatch, const char *label, guint64 size,
                WeftAccess access)
{
  model_begin (sample->model, WEFT_TABLE_ATTACHMENTS);
  model_set (sample->model, WEFT_ATTACHMENTS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ATTACHMENTS_KIND, model_string (sample->model, "buffer"));
  model_set (sample->model, WEFT_ATTACHMENTS_LABEL, model_string (sample->model, label));
  model_set (sample->model, WEFT_ATTACHMENTS_ACCESS, access);
  if (size > 0)
    model_set (sample->model, WEFT_ATTACHMENTS_SIZE, size);
  model_commit (sample->model);
}

/* d-1 touches "a" twice, but its time counts once. */
static void
test_attachments (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (WeftReport) kinds = NULL;
  g_autoptr (WeftReport) one = NULL;

  add_attachment (sample, 1, "a", 10, WEFT_ACCESS_READ);
  add_attachment (sample, 1, "a", 30, WEFT_ACCESS_READ_WRITE);
  add_attachment (sample, 2, "a", 0, WEFT_ACCESS_WRITE);
  add_attachment (sample, 3, "b", 5, WEFT_ACCESS_READ);
  report = sample_run (sample_analysis (sample, "target-attachments"));
  sample_assert_table (main_table (report),
                       "attachment kind label uses dispatches target_time routines reads writes "
                       "size_min size_max bytes largest",
                       "a-1 buffer a 3 2 300 1 2 2 10 30 40 d-1\n"
                       "a-4 buffer b 1 1 50 1 1 0 5 5 5 d-3\n");
  kinds = ask_grouped (sample, "target-attachments", "kind");
  sample_assert_table (main_table (kinds), "kind uses dispatches target_time", "buffer 4 3 350\n");
  one = ask (sample, "target-attachments", "d-1");
  sample_assert_table (main_table (one), "attachment label size access",
                       "a-1 a 10 read\na-2 a 30 read-write\n");
}

/* ---- Traces, warnings, metrics ---- */

static void
test_traces (void)
{
  g_autoptr (Sample) sample = sample_new ();
  WeftAnalysis *analysis;
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "front", "x", 0);
  sample_lane (sample, "back", "x", 0);
  sample_routine (sample, "work");
  /* 0–100 and 50–150 on two lanes: 200 in all, of which 150 pass. */
  for (guint i = 0; i < 2; i++)
    {
      sample_begin (sample, i + 1, 1, i * 50, 100);
      model_set (sample->model, WEFT_DISPATCHES_TRACE, 1);
      model_commit (sample->model);
    }
  model_begin (sample->model, WEFT_TABLE_TRACES);
  model_set (sample->model, WEFT_TRACES_ID, 1);
  model_set (sample->model, WEFT_TRACES_NAME, model_string (sample->model, "order"));
  model_set (sample->model, WEFT_TRACES_START, 5);
  model_commit (sample->model);
  report = ask (sample, "traces", "tr-1");
  sample_assert_table (main_table (report),
                       "trace name start duration dispatches target_time busy lanes",
                       "tr-1 order 5 - 2 200 150 2\n");
  sample_assert_table (weft_report_get_table (report, "dispatches"), "dispatch", "d-1\nd-2\n");
  analysis = sample_analysis (sample, "traces");
  weft_analysis_set_handle (analysis, "tr-2");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "no trace “tr-2”");
}

static void
test_metrics (void)
{
  static const double values[] = { 4, 1, 3, 2 };
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "pool", "x", 0);
  model_begin (sample->model, WEFT_TABLE_METRICS);
  model_set (sample->model, WEFT_METRICS_LANE, 1);
  model_set (sample->model, WEFT_METRICS_NAME, model_string (sample->model, "latency"));
  model_set (sample->model, WEFT_METRICS_KIND, WEFT_METRIC_HISTOGRAM);
  model_commit (sample->model);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      guint64 bits;

      memcpy (&bits, &values[i], sizeof bits);
      model_begin (sample->model, WEFT_TABLE_METRIC_POINTS);
      model_set (sample->model, WEFT_METRIC_POINTS_METRIC, 1);
      model_set (sample->model, WEFT_METRIC_POINTS_TIME, 10 * i);
      model_set (sample->model, WEFT_METRIC_POINTS_VALUE, bits);
      model_commit (sample->model);
    }
  sample_meta_number (sample, "duration", 1000);
  report = sample_run (sample_analysis (sample, "metrics"));
  sample_assert_table (main_table (report), "name lane_name points last min max mean p50 p95 p99",
                       "latency pool 4 2.00 1.00 4.00 2.50 2.00 4.00 4.00\n");
}

/* ---- Source ---- */

static void
test_source (void)
{
  static const char text[] = "one\ntwo\r\nthree\n";
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  guint32 known = model_string (sample->model, "known");
  guint32 first = model_string (sample->model, "src/a.c");
  guint32 second = model_string (sample->model, "src/b.c");
  /* Its hash is a string that the model does not know: the last one. */
  guint32 blob = weft_store_writer_blob (sample->model->writer, text, strlen (text));

  model_begin (sample->model, WEFT_TABLE_SOURCES);
  model_set (sample->model, WEFT_SOURCES_PATH, first);
  model_set (sample->model, WEFT_SOURCES_TEXT, blob);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_SOURCES);
  model_set (sample->model, WEFT_SOURCES_PATH, second);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_ROUTINES);
  model_set (sample->model, WEFT_ROUTINES_NAME, known);
  model_set (sample->model, WEFT_ROUTINES_SOURCE, 1);
  model_set (sample->model, WEFT_ROUTINES_FIRST_LINE, 2);
  model_set (sample->model, WEFT_ROUTINES_LAST_LINE, 9);
  model_commit (sample->model);
  sample_dispatch (sample, 1, 2, 500, 7);

  report = ask (sample, "target-source", "a.c");
  sample_assert_table (main_table (report), "source path has_text bytes routines count total note",
                       "src-1 src/a.c yes 15 1 1 7 -\n");
  sample_assert_table (weft_report_get_table (report, "lines"), "number text routine count total",
                       "1 one - 0 0\n2 two r-2 1 7\n3 three r-2 1 7\n");
  g_clear_object (&report);
  report = ask (sample, "target-source", "src-2");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_table (report, "lines")), ==, 0);
  g_assert_nonnull (weft_table_get_hint (weft_report_get_table (report, "lines")));
}

/* ---- Diagnosis ---- */

/* Checks of which the verdict is attention or problem, with it; in order. */
static char *
list_faults (WeftReport *report)
{
  WeftTable *table = main_table (report);
  GString *faults = g_string_new (NULL);

  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      guint64 verdict = weft_table_get_uint64 (table, 2, i);

      if (verdict == WEFT_VERDICT_ATTENTION || verdict == WEFT_VERDICT_PROBLEM)
        g_string_append_printf (faults, "%s%s", faults->len > 0 ? " " : "",
                                weft_table_get_string (table, 0, i));
    }
  return g_string_free (faults, FALSE);
}

static char *
find_evidence (WeftReport *report, const char *check)
{
  WeftTable *table = main_table (report);

  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    if (g_strcmp0 (weft_table_get_string (table, 0, i), check) == 0)
      return g_strdup (weft_table_get_string (table, 3, i));
  return NULL;
}

static void
test_healthy (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *faults = NULL;

  sample_lane (sample, "queue", "test.queue", 0);
  sample_routine (sample, "work");
  sample_dispatch (sample, 1, 1, 100, 50);
  add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 1, 90, 1, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 95, 1, 0);
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 1, 160, 1, 0);
  sample_meta_number (sample, "duration", 1000);
  report = sample_run (sample_analysis (sample, "diagnose"));
  faults = list_faults (report);
  g_assert_cmpstr (faults, ==, "");
}

static void
test_faults (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *faults = NULL;

  /* o-7 of make_origins () names a thread that nobody saw. */
  model_begin (sample->model, WEFT_TABLE_LOSSES);
  model_set (sample->model, WEFT_LOSSES_LANE, 1);
  model_set (sample->model, WEFT_LOSSES_RUNTIME, 1);
  model_set (sample->model, WEFT_LOSSES_CATEGORY, WEFT_LOSS_CATEGORY_LOST);
  model_set (sample->model, WEFT_LOSSES_REASON, model_string (sample->model, "no-room"));
  model_set (sample->model, WEFT_LOSSES_COUNT, 5);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_LANE_COUNTS);
  model_set (sample->model, WEFT_LANE_COUNTS_LANE, 1);
  model_set (sample->model, WEFT_LANE_COUNTS_SUBMITTED, 9);
  model_set (sample->model, WEFT_LANE_COUNTS_COMPLETED, 3);
  model_set (sample->model, WEFT_LANE_COUNTS_LOST, 5);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_DIAGNOSTICS);
  model_set (sample->model, WEFT_DIAGNOSTICS_SEVERITY, WEFT_SEVERITY_ERROR);
  model_set (sample->model, WEFT_DIAGNOSTICS_CODE,
             model_string (sample->model, "producer-refused"));
  model_set (sample->model, WEFT_DIAGNOSTICS_MESSAGE, model_string (sample->model, "too many"));
  model_commit (sample->model);
  add_set (sample, "stages", WEFT_AVAILABILITY_FAILING, "broken");
  add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 1, 5000, 1, 0);
  report = sample_run (sample_analysis (sample, "diagnose"));
  faults = list_faults (report);
  g_assert_cmpstr (faults, ==,
                   "producer-refused conservation origin-threads origin-times waits "
                   "counters-failing lost-no-room");
}

static void
add_open_trace (Sample *sample, const char *name)
{
  model_begin (sample->model, WEFT_TABLE_TRACES);
  model_set (sample->model, WEFT_TRACES_NAME, model_string (sample->model, name));
  model_set (sample->model, WEFT_TRACES_START, 10);
  model_commit (sample->model);
}

/* Evidence counts all, names the first six, and each name once. */
static void
test_evidence (void)
{
  static const struct
  {
    guint n_names;
    guint n_each;
    const char *evidence;
  } cases[] = {
    { 1, 1, "1 of 1 trace never ended: a" },
    { 2, 4, "8 of 8 traces never ended: a, b" },
    { 8, 1, "8 of 8 traces never ended: a, b, c, d, e, f and 2 more" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Sample) sample = make_origins ();
      g_autoptr (WeftReport) report = NULL;
      g_autofree char *text = NULL;

      for (guint j = 0; j < cases[i].n_names * cases[i].n_each; j++)
        {
          char name[] = { (char) ('a' + j % cases[i].n_names), '\0' };

          add_open_trace (sample, name);
        }
      report = sample_run (sample_analysis (sample, "diagnose"));
      text = find_evidence (report, "traces-ended");
      g_assert_cmpstr (text, ==, cases[i].evidence);
    }
}

static void
test_show (void)
{
  g_autoptr (Sample) sample = make_origins ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "show"));

  sample_assert_table (main_table (report),
                       "state duration processes_recorded lanes_reported dispatches",
                       "complete 1000 1 1 3\n");
  sample_assert_table (weft_report_get_table (report, "lanes"),
                       "lane name dispatches total longest", "l-1 queue 3 350 200\n");
  sample_assert_table (weft_report_get_table (report, "routines"), "routine count total mean",
                       "r-1 3 350 116\n");
}

/* Each kind looks only at the dispatches that a filter matches: here d-2 and d-3, of 150 in all. */
static void
test_filtered (void)
{
  static const struct
  {
    const char *kind;
    const char *columns;
    const char *expected;
  } cases[] = {
    { "target-dispatches", "dispatch", "d-2\nd-3\n" },
    { "target-origins", "origin", "o-4\n" },
    { "target-routines", "routine count total", "r-1 2 150\n" },
    { "target-submissions", "submission dispatches target_time", "s-1 2 150\n" },
    { "target-attachments", "label dispatches target_time", "b 1 50\n" },
    { "target-counters", "counter samples total", "c-1 1 7.00\n" },
  };
  g_autoptr (Sample) sample = make_origins ();

  add_submitted (sample, 1, 1, 500, 10, add_submission (sample, 1));
  add_attachment (sample, 1, "a", 10, WEFT_ACCESS_READ);
  add_attachment (sample, 3, "b", 10, WEFT_ACCESS_READ);
  add_set (sample, "statistics", WEFT_AVAILABILITY_PRESENT, "");
  add_value (sample, 1, WEFT_SAMPLE_POINT_AFTER_DISPATCH, 5, FALSE);
  add_value (sample, 2, WEFT_SAMPLE_POINT_AFTER_DISPATCH, 7, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeftAnalysis *analysis = sample_analysis (sample, cases[i].kind);
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftReport) report = NULL;

      weft_analysis_set_filter (analysis, "submission:s-1", &error);
      g_assert_no_error (error);
      report = sample_run (analysis);
      sample_assert_table (main_table (report), cases[i].columns, cases[i].expected);
    }
}

/* Nothing was recorded: each kind says so, and fails on nothing. */
static void
test_empty (void)
{
  static const char *const kinds[] = { "target-dispatches",  "target-origins",
                                       "target-routines",    "target-source",
                                       "target-attachments", "target-counters",
                                       "target-submissions", "traces",
                                       "warnings",           "metrics" };
  g_autoptr (Sample) sample = sample_new ();

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, kinds[i]));

      g_assert_cmpuint (weft_table_get_n_rows (main_table (report)), ==, 0);
      g_assert_nonnull (weft_table_get_hint (main_table (report)));
    }
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
  g_test_add_func ("/analyze/submissions", test_submissions);
  g_test_add_func ("/analyze/dispatches", test_dispatches);
  g_test_add_func ("/analyze/dispatch", test_dispatch);
  g_test_add_func ("/analyze/counters", test_counters);
  g_test_add_func ("/analyze/attachments", test_attachments);
  g_test_add_func ("/analyze/traces", test_traces);
  g_test_add_func ("/analyze/metrics", test_metrics);
  g_test_add_func ("/analyze/source", test_source);
  g_test_add_func ("/analyze/diagnose/healthy", test_healthy);
  g_test_add_func ("/analyze/diagnose/faults", test_faults);
  g_test_add_func ("/analyze/diagnose/evidence", test_evidence);
  g_test_add_func ("/analyze/show", test_show);
  g_test_add_func ("/analyze/filtered", test_filtered);
  g_test_add_func ("/analyze/empty", test_empty);
  return g_test_run ();
}
