/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions and threads of a recording that was made up, with answers worked out by hand. */

#include "cpu-rows.h"
#include "sample.h"

#include <string.h>

/*
 * Chains, the innermost function last ([k] kernel, 0x99 without a name):
 *   1 main                    6 main work work hot
 *   2 main work               7 main futex
 *   3 main work hot           8 start
 *   4 main work hot copy      9 start hot
 *   5 main work work         10 main work 0x99
 *
 * Thread 1 (main) is sampled in 3 3 4 6 2 10 and without a stack, thread 2 (worker) in 9 9; each
 * sample stands for 10. In frames of chains 3, 6 and 9 "tiny" is inlined into "hot".
 */
static void
make_chains (Model *model)
{
  guint64 program = cpu_module (model, "program", WEFT_MODULE_KIND_FILE);
  guint64 libc = cpu_module (model, "libc.so.6", WEFT_MODULE_KIND_FILE);
  guint64 main_frame = cpu_named_frame (model, program, 0x10, "main", 3);
  guint64 work = cpu_named_frame (model, program, 0x20, "work", 11);
  guint64 work_again = cpu_named_frame (model, program, 0x28, "work", 12);
  guint64 hot = cpu_named_frame (model, program, 0x30, "hot", 21);
  guint64 hot_call = cpu_named_frame (model, program, 0x38, "hot", 22);
  guint64 copy = cpu_named_frame (model, libc, 0x40, "copy", 31);
  guint64 futex = cpu_named_frame (model, libc, 0x50, "futex", 41);
  guint64 start = cpu_named_frame (model, libc, 0x60, "start", 51);
  guint64 nameless = cpu_frame (model, libc, 0x99, 0);

  cpu_frame_symbol (model, hot, 1, cpu_symbol (model, program, "tiny"), "tiny.c", 5);
  cpu_callchain (model, 0, main_frame);
  cpu_callchain (model, 1, work);
  cpu_callchain (model, 2, hot);
  cpu_callchain (model, cpu_callchain (model, 2, hot_call), copy);
  cpu_callchain (model, 2, work_again);
  cpu_callchain (model, 6, hot);
  cpu_callchain (model, 1, futex);
  cpu_callchain (model, 0, start);
  cpu_callchain (model, 9, hot);
  cpu_callchain (model, 2, nameless);
}

/* The callchain's numbers of make_chains (), of which 4 is hot's call. */
enum
{
  MAIN = 1,
  WORK,
  HOT,
  HOT_CALL,
  COPY,
  WORK_WORK,
  WORK_WORK_HOT,
  FUTEX,
  START,
  START_HOT,
  NAMELESS
};

static void
add_times (Model *model, guint64 thread, gint64 start, gint64 time, guint64 on_cpu, gboolean ended)
{
  model_begin (model, WEFT_TABLE_THREAD_TIMES);
  model_set (model, WEFT_THREAD_TIMES_THREAD, thread);
  model_set (model, WEFT_THREAD_TIMES_START, (guint64) start);
  model_set (model, WEFT_THREAD_TIMES_TIME, (guint64) time);
  model_set (model, WEFT_THREAD_TIMES_ON_CPU, on_cpu);
  model_set (model, WEFT_THREAD_TIMES_OFF_CPU, (guint64) (time - start) - on_cpu);
  model_set (model, WEFT_THREAD_TIMES_ENDED, ended);
  model_commit (model);
}

static Sample *
make_program (void)
{
  static const guint64 chains[] = { HOT, HOT, COPY, WORK_WORK_HOT, WORK, NAMELESS };
  Sample *sample = sample_new ();
  Model *model = sample->model;

  sample_thread (sample, 102, "worker");
  make_chains (model);
  for (guint i = 0; i < G_N_ELEMENTS (chains); i++)
    cpu_sample (model, 1, 10 * (gint64) (i + 1), chains[i], 10);
  cpu_sample (model, 1, 65, 0, 10);
  cpu_sample (model, 2, 15, START_HOT, 10);
  cpu_sample (model, 2, 25, START_HOT, 10);
  cpu_wait (model, 1, 70, 20, WEFT_WAIT_REASON_LOCK, FUTEX);
  cpu_wait (model, 1, 100, 50, WEFT_WAIT_REASON_PREEMPTED, HOT);
  cpu_wait (model, 2, 30, 100, WEFT_WAIT_REASON_IDLE, START);
  cpu_wait (model, 2, 140, 10, WEFT_WAIT_REASON_UNKNOWN, 0);
  add_times (model, 1, 0, 80, 70, FALSE);
  add_times (model, 2, 10, 150, 30, TRUE);
  add_times (model, 1, 0, 160, 90, FALSE);
  sample_meta_number (sample, "duration", 200);
  return sample;
}

#define COLUMNS                                                                                    \
  "name module_name self total samples_self samples off_cpu_self off_cpu waits top_reason"

static void
test_functions (void)
{
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "top"));
  WeftTable *table = weft_report_get_main_table (report);

  sample_assert_table (table, COLUMNS,
                       "hot program 50 60 5 6 50 50 1 preempted\n"
                       "work program 10 60 1 6 0 50 1 preempted\n"
                       "[no stack] - 10 10 1 1 10 10 1 unknown\n"
                       "copy libc.so.6 10 10 1 1 0 0 0 -\n"
                       "libc.so.6+0x99 libc.so.6 10 10 1 1 0 0 0 -\n"
                       "main program 0 60 0 6 0 70 2 preempted\n"
                       "start libc.so.6 0 20 0 2 100 100 1 idle\n"
                       "futex libc.so.6 0 0 0 0 20 20 1 lock\n");
  sample_assert_table (weft_report_get_table (report, "whole"), "samples cpu_time waits off_cpu",
                       "9 90 4 180\n");
}

/* Answers of "top" with something said about it. */
static WeftReport *
ask_top (Sample *sample, const char *group, const char *order, const char *filter, guint limit)
{
  WeftAnalysis *analysis = sample_analysis (sample, "top");

  g_assert_true (weft_analysis_set_group_by (analysis, group, NULL));
  g_assert_true (weft_analysis_set_order_by (analysis, order, NULL));
  g_assert_true (weft_analysis_set_filter (analysis, filter, NULL));
  weft_analysis_set_limit (analysis, limit);
  return sample_run (analysis);
}

static void
assert_top (Sample *sample, const char *group, const char *order, const char *filter, guint limit,
            const char *columns, const char *expected)
{
  g_autoptr (WeftReport) report = ask_top (sample, group, order, filter, limit);

  sample_assert_table (weft_report_get_main_table (report), columns, expected);
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_program ();

  assert_top (sample, "module", "self", NULL, 0, "name module self total off_cpu_self off_cpu",
              "program mod-1 60 80 50 70\n"
              "libc.so.6 mod-2 20 40 120 120\n"
              "[no stack] - 10 10 10 10\n");
  assert_top (sample, "line", "self", NULL, 5, "name file line self total",
              "hot.c:21 hot.c 21 50 50\n"
              "work.c:11 work.c 11 10 60\n"
              "[no stack] - - 10 10\n"
              "copy.c:31 copy.c 31 10 10\n"
              "[no lines] libc.so.6 - - 10 10\n");
  assert_top (sample, "file", "total", NULL, 3, "name self total",
              "hot.c 50 60\nwork.c 10 60\nmain.c 0 60\n");
  assert_top (sample, "thread", "self", NULL, 0, "thread name process self total samples off_cpu",
              "t-1 main p-1 70 70 7 70\nt-2 worker p-1 20 20 2 110\n");
  assert_top (sample, "process", "self", NULL, 0, "process name self total_share off_cpu",
              "p-1 program 90 100.00 180\n");
}

static void
test_orders (void)
{
  g_autoptr (Sample) sample = make_program ();

  assert_top (sample, "function", "off_cpu", NULL, 3, "name off_cpu off_cpu_share",
              "start 100 55.56\nmain 70 38.89\nhot 50 27.78\n");
  assert_top (sample, "function", "lock", NULL, 2, "name lock", "main 20\nfutex 20\n");
  assert_top (sample, "function", "total", NULL, 1, "name total total_share", "hot 60 66.67\n");
}

static void
test_filters (void)
{
  g_autoptr (Sample) sample = make_program ();

  assert_top (sample, "function", "self", "function:work", 3, "name self total off_cpu",
              "hot 30 40 50\nwork 10 60 50\ncopy 10 10 0\n");
  assert_top (sample, "function", "self", "thread:worker", 0, "name self total off_cpu",
              "hot 20 20 0\nstart 0 20 100\n[no stack] 0 0 10\n");
  assert_top (sample, "function", "self", "reason:lock", 0, "name self off_cpu_self off_cpu",
              "futex 0 20 20\nmain 0 0 20\n");
  assert_top (sample, "function", "self", "module:libc* -function:start time:30ns..70ns", 0,
              "name self total",
              "copy 10 10\nlibc.so.6+0x99 10 10\nmain 0 20\nwork 0 20\n"
              "hot 0 10\nfutex 0 0\n");
  assert_top (sample, "function", "self", "duration>50ns or id:sm-8", 0, "name self off_cpu",
              "hot 10 0\nstart 0 100\n");
}

/* Queries know the same words. */
static void
test_queries (void)
{
  static const struct
  {
    const char *table;
    const char *filter;
    guint64 count;
  } asked[] = {
    { "samples", "function:work", 6 },     { "samples", "function:tiny", 5 },
    { "samples", "function:none", 0 },     { "samples", "module:libc*", 4 },
    { "samples", "-module:program", 1 },   { "samples", "cpu:0 thread:worker", 2 },
    { "waits", "reason:lock,idle", 2 },    { "waits", "function:start", 1 },
    { "symbols", "function:hot", 2 },      { "frames", "module:program", 5 },
    { "callchains", "function:start", 2 },
  };
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftAnalysis) opened = sample_analysis (sample, "top");

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftQuery) query = weft_query_new (asked[i].table, &error);
      g_autoptr (WeftFilter) filter = weft_filter_new (asked[i].filter, &error);
      g_autoptr (WeftTable) table = NULL;

      g_assert_no_error (error);
      weft_query_set_filter (query, filter);
      g_assert_true (weft_query_select (query, "count", NULL, &error));
      table = weft_query_run (query, sample->recording, NULL, &error);
      g_assert_no_error (error);
      if (weft_table_get_uint64 (table, 0, 0) != asked[i].count)
        g_error ("%s %s: %" G_GUINT64_FORMAT, asked[i].table, asked[i].filter,
                 weft_table_get_uint64 (table, 0, 0));
    }
}

static void
test_filter_of_lanes (void)
{
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftReport) report = ask_top (sample, "function", "self", "lane:queue", 0);
  WeftTable *table = weft_report_get_main_table (report);

  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 0);
  g_assert_nonnull (strstr (weft_table_get_hint (table), "have no “lane”"));
}

static void
test_pages (void)
{
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autofree char *cursor = NULL;

  do
    {
      WeftAnalysis *analysis = sample_analysis (sample, "top");
      g_autoptr (WeftReport) report = NULL;
      g_autofree char *text = NULL;

      weft_analysis_set_limit (analysis, 3);
      weft_analysis_set_cursor (analysis, cursor);
      report = sample_run (analysis);
      text = sample_text (weft_report_get_main_table (report), "name");
      g_string_append (seen, text);
      g_free (cursor);
      cursor = g_strdup (weft_table_get_cursor (weft_report_get_main_table (report)));
    }
  while (cursor != NULL);
  g_assert_cmpstr (seen->str, ==,
                   "hot\nwork\n[no stack]\ncopy\nlibc.so.6+0x99\nmain\nstart\nfutex\n");
}

static void
test_inlines (void)
{
  g_autoptr (Sample) sample = make_program ();
  WeftAnalysis *analysis = sample_analysis (sample, "top");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_inlines (analysis, TRUE);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), "name self total off_cpu_self off_cpu",
                       "tiny 50 50 50 50\n"
                       "work 10 60 0 50\n"
                       "[no stack] 10 10 10 10\n"
                       "copy 10 10 0 0\n"
                       "libc.so.6+0x99 10 10 0 0\n"
                       "main 0 60 0 70\n"
                       "hot 0 60 0 50\n"
                       "start 0 20 100 100\n"
                       "futex 0 0 20 20\n");
}

static void
test_excluded (void)
{
  const char *const functions[] = { "work", "fut*", NULL };
  const char *const broken[] = { "/(/", NULL };
  g_autoptr (Sample) sample = make_program ();
  WeftAnalysis *analysis = sample_analysis (sample, "top");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_excluded_symbols (analysis, functions);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), "name self total off_cpu_self off_cpu",
                       "hot 50 60 50 50\n"
                       "main 10 60 20 70\n"
                       "[no stack] 10 10 10 10\n"
                       "copy 10 10 0 0\n"
                       "libc.so.6+0x99 10 10 0 0\n"
                       "start 0 20 100 100\n");
  analysis = sample_analysis (sample, "top");
  weft_analysis_set_excluded_symbols (analysis, broken);
  sample_fails (analysis, WEFT_ERROR_INVALID_QUERY, "no regular expression");
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_program ();
  WeftAnalysis *analysis = sample_analysis (sample, "top");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_range (analysis, 25, 35);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), "name self total off_cpu_self off_cpu",
                       "hot 10 20 0 0\n"
                       "copy 10 10 0 0\n"
                       "start 0 10 5 5\n"
                       "main 0 10 0 0\n"
                       "work 0 10 0 0\n");
}

/* ---- Callers ---- */

#define CALLERS "relation name total share self samples off_cpu"

static WeftReport *
ask_callers (Sample *sample, const char *function)
{
  WeftAnalysis *analysis = sample_analysis (sample, "callers");

  weft_analysis_set_handle (analysis, function);
  return sample_run (analysis);
}

static void
assert_callers (Sample *sample, const char *function, const char *expected)
{
  g_autoptr (WeftReport) report = ask_callers (sample, function);

  sample_assert_table (weft_report_get_main_table (report), CALLERS, expected);
}

static void
test_callers (void)
{
  static const char hot[] = "caller work 40 66.67 - 4 50\n"
                            "caller start 20 33.33 - 2 0\n"
                            "function hot 60 100.00 50 6 50\n"
                            "callee copy 10 16.67 10 1 0\n";
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftReport) report = ask_callers (sample, "hot");

  sample_assert_table (weft_report_get_main_table (report), CALLERS, hot);
  sample_assert_table (weft_report_get_table (report, "stacks"),
                       "stack total share samples off_cpu",
                       "hot ← work ← main 20 33.33 2 50\n"
                       "hot ← start 20 33.33 2 0\n"
                       "hot ← work ← work ← main 10 16.67 1 0\n"
                       "copy ← hot ← work ← main 10 16.67 1 0\n");
  assert_callers (sample, "sym-5", hot);
  assert_callers (sample, "h?t", hot);
  /* It calls itself: once on a stack, from outside. */
  assert_callers (sample, "work",
                  "caller main 60 100.00 - 6 50\n"
                  "function work 60 100.00 10 6 50\n"
                  "callee hot 40 66.67 30 4 50\n"
                  "callee libc.so.6+0x99 10 16.67 10 1 0\n");
  assert_callers (sample, "main",
                  "caller [outermost] 60 100.00 - 6 70\n"
                  "function main 60 100.00 0 6 70\n"
                  "callee work 60 100.00 10 6 50\n"
                  "callee futex 0 0.00 0 0 20\n");
  assert_callers (sample, "/^(copy|futex)$/",
                  "caller hot 10 100.00 - 1 0\n"
                  "caller main 0 0.00 - 0 20\n"
                  "function [2 functions: /^(copy|futex)$/] 10 100.00 10 1 20\n");
}

static void
test_unknown_function (void)
{
  g_autoptr (Sample) sample = make_program ();
  WeftAnalysis *analysis = sample_analysis (sample, "callers");

  sample_fails (g_object_ref (analysis), WEFT_ERROR_INVALID_QUERY, "Say which function");
  weft_analysis_set_handle (analysis, "ho");
  sample_fails (g_object_ref (analysis), WEFT_ERROR_NO_SUCH_OBJECT, "there are “hot”");
  weft_analysis_set_handle (analysis, "sym-99");
  sample_fails (g_object_ref (analysis), WEFT_ERROR_NO_SUCH_OBJECT, "“sym-99” is on any stack");
  weft_analysis_set_handle (analysis, "absent");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "“weft top” lists");
}

/* ---- Threads ---- */

#define THREADS                                                                                    \
  "thread name cpu_time off_cpu wall samples waits top_reason state lock idle preempted unknown"

static void
test_threads (void)
{
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "threads"));

  sample_assert_table (weft_report_get_main_table (report), THREADS,
                       "t-1 main 90 70 160 7 2 preempted running 20 - 50 -\n"
                       "t-2 worker 30 110 140 2 2 idle ended - 100 - 10\n");
}

static void
test_threads_range (void)
{
  g_autoptr (Sample) sample = make_program ();
  WeftAnalysis *analysis = sample_analysis (sample, "threads");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_range (analysis, 60, 120);
  g_assert_true (weft_analysis_set_order_by (analysis, "off_cpu", NULL));
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), THREADS,
                       "t-2 worker 0 60 60 0 1 idle ended - 60 - -\n"
                       "t-1 main 20 40 60 2 2 lock - 20 - 20 -\n");
}

/* ---- Origins ---- */

static void
add_origin (Model *model, guint64 stack)
{
  model_begin (model, WEFT_TABLE_ORIGINS);
  model_set (model, WEFT_ORIGINS_RUNTIME, 1);
  model_set (model, WEFT_ORIGINS_DISPATCH, 1);
  model_set (model, WEFT_ORIGINS_THREAD, 1);
  model_set (model, WEFT_ORIGINS_TIME, 50);
  model_set (model, WEFT_ORIGINS_STACK, stack);
  model_commit (model);
}

/* The stack that was captured, or of the nearest sample; too far away it tells nothing. */
static void
test_origins (void)
{
  static const guint64 statuses[] = { WEFT_LINK_STATUS_LINKED_EXACT, WEFT_LINK_STATUS_LINKED,
                                      WEFT_LINK_STATUS_TOO_FAR, WEFT_LINK_STATUS_LINKED,
                                      WEFT_LINK_STATUS_LINKED };
  static const guint64 samples[] = { 0, 1, 1, 99, 0 };
  static const guint64 callchains[] = { 0, 0, 0, 0, FUTEX };
  const WeftDerivedColumn links[] = { { WEFT_ORIGINS_LINK_STATUS, statuses, 0 },
                                      { WEFT_ORIGINS_LINK_SAMPLE, samples, 0 },
                                      { WEFT_ORIGINS_LINK_CALLCHAIN, callchains, 0 } };
  g_autoptr (Sample) sample = make_program ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "queue", "test.queue", 0);
  sample_routine (sample, "routine");
  sample_dispatch (sample, 1, 1, 60, 10);
  model_begin (sample->model, WEFT_TABLE_STACKS);
  model_set (sample->model, WEFT_STACKS_CALLCHAIN, COPY);
  model_commit (sample->model);
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    add_origin (sample->model, i == 0 ? 1 : 0);
  weft_store_writer_derive (sample->model->writer, WEFT_TABLE_ORIGINS, 1, 1,
                            G_N_ELEMENTS (statuses), links, G_N_ELEMENTS (links), FALSE);
  report = sample_run (sample_analysis (sample, "target-origins"));
  sample_assert_table (weft_report_get_main_table (report),
                       "origin link_status function call_stack callchain link_sample",
                       "o-1 linked-exact copy copy ← hot ← work ← main cc-5 -\n"
                       "o-2 linked tiny tiny ← hot ← work ← main cc-3 sm-1\n"
                       "o-3 too-far - - - -\n"
                       "o-4 linked - - - sm-99\n"
                       "o-5 linked futex futex ← main cc-8 -\n");
}

/* ---- Diagnosis ---- */

static void
add_meta (Sample *sample, const char *key, const char *text)
{
  model_begin (sample->model, WEFT_TABLE_META);
  model_set (sample->model, WEFT_META_KEY, model_string (sample->model, key));
  model_set (sample->model, WEFT_META_TEXT, model_string (sample->model, text));
  model_commit (sample->model);
}

/* The rows of a diagnosis whose check is among CHECKS, which are joined by blanks. */
static char *
diagnose (Sample *sample, const char *checks)
{
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "diagnose"));
  g_autofree char *all =
      sample_text (weft_report_get_main_table (report), "check verdict evidence");
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);
  g_auto (GStrv) wanted = g_strsplit (checks, " ", -1);
  GString *found = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *check = g_strndup (lines[i], strcspn (lines[i], " "));

      if (g_strv_contains ((const char *const *) wanted, check))
        g_string_append_printf (found, "%s\n", lines[i]);
    }
  return g_string_free (found, FALSE);
}

static void
test_diagnosis (void)
{
  g_autoptr (Sample) sample = make_program ();
  g_autofree char *text = NULL;

  cpu_sample (sample->model, 1, 66, HOT, 10);
  model_begin (sample->model, WEFT_TABLE_SAMPLES);
  model_set (sample->model, WEFT_SAMPLES_THREAD, 1);
  model_set (sample->model, WEFT_SAMPLES_TIME, 67);
  model_set (sample->model, WEFT_SAMPLES_CALLCHAIN, HOT);
  model_set (sample->model, WEFT_SAMPLES_END, WEFT_STACK_END_NO_TABLE);
  model_commit (sample->model);
  model_begin (sample->model, WEFT_TABLE_MODULE_STATES);
  model_set (sample->model, WEFT_MODULE_STATES_MODULE, 2);
  model_set (sample->model, WEFT_MODULE_STATES_SYMBOLS, WEFT_SYMBOL_STATE_EXPORTED);
  model_commit (sample->model);
  add_meta (sample, "sampler", "perf-user");
  add_meta (sample, "sampler-missing", "Kernel stacks: so they can be had.");
  sample_meta_number (sample, "sampler-frequency", 997);

  /* 10 of 11 stacks are complete; 1 of 10 samples with a stack has no name. Waits without that of
   * who was preempted: 20 + 100 + 10, of which 120 have reason and stack. Threads: 90 + 30 of 200.
   */
  text = diagnose (sample,
                   "sampler permissions cpu-stacks symbols symbols-missing kernel-stacks cpu-waits "
                   "cpu-wakers thread-times cpu-use");
  g_assert_cmpstr (
      text, ==,
      "sampler good 11 samples by “perf-user”, 997 a second of CPU time\n"
      "permissions attention Something was not permitted or not there; what is missing, and what "
      "would allow it, is told beside\n"
      "cpu-stacks attention 90.9 % of 11 do; 9.1 % end in code without unwinding tables or frame "
      "pointers\n"
      "kernel-stacks not-applicable No sample is in the kernel: time that was spent there is told "
      "of "
      "the function that called it, or is not sampled\n"
      "cpu-waits good Of the time waited, 92.3 % has a reason and 92.3 % a stack\n"
      "cpu-wakers attention Of the time waited, 0.0 % was ended by somebody known\n"
      "thread-times good Of 2 threads, on-CPU and off-CPU time are the time that they were watched "
      "for\n"
      "cpu-use attention 2 threads used 0.60 CPUs on average; 29.4 % of the time in which they "
      "could run they waited for one\n"
      "symbols attention 90.0 % of 10 samples are in a function with a name\n"
      "symbols-missing attention libc.so.6: 10.0 % of all samples are in functions of it without a "
      "name; only exported functions are known\n");
}

/* ---- Nothing ---- */

static void
assert_hint (Sample *sample, const char *text)
{
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "top"));
  WeftTable *table = weft_report_get_main_table (report);

  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 0);
  if (strstr (weft_table_get_hint (table), text) == NULL)
    g_error ("“%s” is not in “%s”", text, weft_table_get_hint (table));
}

static void
test_nothing (void)
{
  g_autoptr (Sample) silent = sample_new ();
  g_autoptr (Sample) off = sample_new ();
  g_autoptr (Sample) refused = sample_new ();
  g_autoptr (Sample) idle = sample_new ();

  add_meta (off, "sampler", "off");
  add_meta (refused, "sampler", "off");
  add_meta (refused, "sampler-missing", "perf_event_open is not permitted: ask so and so");
  add_meta (idle, "sampler", "perf");
  sample_meta_number (idle, "sampler-frequency", 1000);
  assert_hint (silent, "its recorder did not sample");
  assert_hint (off, "turned off");
  assert_hint (refused, "ask so and so");
  assert_hint (idle, "less than 1.0 ms of CPU time");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/functions/top", test_functions);
  g_test_add_func ("/analyze/functions/groups", test_groups);
  g_test_add_func ("/analyze/functions/orders", test_orders);
  g_test_add_func ("/analyze/functions/filters", test_filters);
  g_test_add_func ("/analyze/functions/queries", test_queries);
  g_test_add_func ("/analyze/functions/filter-of-lanes", test_filter_of_lanes);
  g_test_add_func ("/analyze/functions/pages", test_pages);
  g_test_add_func ("/analyze/functions/inlines", test_inlines);
  g_test_add_func ("/analyze/functions/excluded", test_excluded);
  g_test_add_func ("/analyze/functions/range", test_range);
  g_test_add_func ("/analyze/functions/callers", test_callers);
  g_test_add_func ("/analyze/functions/unknown", test_unknown_function);
  g_test_add_func ("/analyze/functions/threads", test_threads);
  g_test_add_func ("/analyze/functions/threads-range", test_threads_range);
  g_test_add_func ("/analyze/functions/origins", test_origins);
  g_test_add_func ("/analyze/functions/diagnosis", test_diagnosis);
  g_test_add_func ("/analyze/functions/nothing", test_nothing);
  return g_test_run ();
}
