/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waits and who ended them, of a recording that was made up. */

#include "cpu-rows.h"
#include "sample.h"

#include <string.h>

static guint64
add_wakeup (Model *model, guint64 waker, guint64 wakee, guint64 callchain)
{
  model_begin (model, WEFT_TABLE_WAKEUPS);
  model_set (model, WEFT_WAKEUPS_WAKER, waker);
  model_set (model, WEFT_WAKEUPS_WAKEE, wakee);
  model_set (model, WEFT_WAKEUPS_CALLCHAIN, callchain);
  return model_commit (model);
}

static void
add_wait (Model *model, guint64 thread, gint64 start, guint64 duration, WeftWaitReason reason,
          guint64 callchain, guint64 waker, guint64 wakeup)
{
  cpu_begin_wait (model, thread, start, duration, reason, callchain);
  model_set (model, WEFT_WAITS_WAKER, waker);
  model_set (model, WEFT_WAITS_WAKEUP, wakeup);
}

/* Stack 2 is main lock, stack 3 main read, stack 5 start unlock. */
static Sample *
make_waits (void)
{
  Sample *sample = sample_new ();
  Model *model = sample->model;
  guint64 module = cpu_module (model, "program", WEFT_MODULE_KIND_FILE);
  static const char *const names[] = { "main", "lock", "read", "start", "unlock" };

  sample_thread (sample, 102, "worker");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    cpu_named_frame (model, module, i + 1, names[i], 1);
  cpu_callchain (model, 0, 1);
  cpu_callchain (model, 1, 2);
  cpu_callchain (model, 1, 3);
  cpu_callchain (model, 0, 4);
  cpu_callchain (model, 4, 5);
  add_wakeup (model, 2, 1, 5);
  add_wakeup (model, 2, 1, 5);
  add_wakeup (model, 0, 1, 0);

  add_wait (model, 1, 0, 100, WEFT_WAIT_REASON_LOCK, 2, 2, 1);
  model_commit (model);
  add_wait (model, 1, 200, 30, WEFT_WAIT_REASON_LOCK, 2, 2, 2);
  model_set (model, WEFT_WAITS_OBJECT, 0x1000);
  model_commit (model);
  add_wait (model, 1, 300, 40, WEFT_WAIT_REASON_IO_READ, 3, 0, 3);
  model_set (model, WEFT_WAITS_OBJECT, 7);
  model_set (model, WEFT_WAITS_DETAIL, model_string (model, "/data"));
  model_set (model, WEFT_WAITS_SYSTEM_CALL, 0);
  model_commit (model);
  add_wait (model, 2, 50, 10, WEFT_WAIT_REASON_PREEMPTED, 0, 0, 0);
  model_commit (model);
  add_wait (model, 2, 400, 20, WEFT_WAIT_REASON_SLEEP, 4, 0, 0);
  model_commit (model);
  add_wait (model, 2, 450, 50, WEFT_WAIT_REASON_IDLE, 4, 0, 0);
  model_set (model, WEFT_WAITS_MARKS, 2);
  model_commit (model);
  add_wait (model, 2, 10, 15, WEFT_WAIT_REASON_LOCK, 4, 1, 0);
  model_set (model, WEFT_WAITS_OBJECT, 0x1000);
  model_commit (model);
  sample_meta_number (sample, "duration", 500);
  return sample;
}

static WeftReport *
ask (Sample *sample, const char *kind, const char *group, const char *order)
{
  WeftAnalysis *analysis = sample_analysis (sample, kind);

  g_assert_true (weft_analysis_set_group_by (analysis, group, NULL));
  g_assert_true (weft_analysis_set_order_by (analysis, order, NULL));
  return sample_run (analysis);
}

static void
test_each (void)
{
  g_autoptr (Sample) sample = make_waits ();
  g_autoptr (WeftReport) report = ask (sample, "waits", "wait", "duration");
  g_autoptr (WeftReport) by_start = ask (sample, "waits", "wait", "start");

  sample_assert_table (weft_report_get_main_table (report),
                       "wait thread thread_name reason start duration object detail system_call "
                       "waker waker_name open",
                       "wt-1 t-1 main lock 0 100 - - - t-2 worker no\n"
                       "wt-6 t-2 worker idle 450 50 - - - - - yes\n"
                       "wt-3 t-1 main io-read 300 40 7 /data 0 - - no\n"
                       "wt-2 t-1 main lock 200 30 4096 - - t-2 worker no\n"
                       "wt-5 t-2 worker sleep 400 20 - - - - - no\n"
                       "wt-7 t-2 worker lock 10 15 4096 - - t-1 main no\n"
                       "wt-4 t-2 worker preempted 50 10 - - - - - no\n");
  sample_assert_table (weft_report_get_main_table (by_start), "wait stack callchain stack_end",
                       "wt-1 lock ← main cc-2 complete\n"
                       "wt-7 start cc-4 complete\n"
                       "wt-4 - - complete\n"
                       "wt-2 lock ← main cc-2 complete\n"
                       "wt-3 read ← main cc-3 complete\n"
                       "wt-5 start cc-4 complete\n"
                       "wt-6 start cc-4 complete\n");
}

static void
assert_groups (Sample *sample, const char *group, const char *order, const char *columns,
               const char *expected)
{
  g_autoptr (WeftReport) report = ask (sample, "waits", group, order);

  sample_assert_table (weft_report_get_main_table (report), columns, expected);
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_waits ();

  assert_groups (sample, "reason", "duration",
                 "name count duration share mean longest wakers_known with_stack",
                 "lock 3 145 54.72 48 100 2 3\n"
                 "idle 1 50 18.87 50 50 0 1\n"
                 "io-read 1 40 15.09 40 40 1 1\n"
                 "sleep 1 20 7.55 20 20 0 1\n"
                 "preempted 1 10 3.77 10 10 0 0\n");
  assert_groups (sample, "thread", "count", "name thread process count duration top_reason",
                 "worker t-2 p-1 4 95 idle\nmain t-1 p-1 3 170 lock\n");
  assert_groups (sample, "process", "duration", "name process count", "program p-1 7\n");
  assert_groups (sample, "object", "duration", "name object count duration",
                 "[not known] - 4 180\n0x1000 4096 2 45\n/data - 1 40\n");
  assert_groups (sample, "stack", "longest", "name callchain count duration longest",
                 "lock ← main cc-2 2 130 100\n"
                 "start cc-4 3 85 50\n"
                 "read ← main cc-3 1 40 40\n"
                 "[no stack] - 1 10 10\n");
}

/* What lies in the range counts as far as it does. */
static void
test_range (void)
{
  g_autoptr (Sample) sample = make_waits ();
  WeftAnalysis *analysis = sample_analysis (sample, "waits");
  const char *const reasons[] = { "lock", "sleep", NULL };
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_range (analysis, 20, 210);
  g_assert_true (weft_analysis_set_group_by (analysis, "thread", NULL));
  g_assert_true (weft_analysis_set_reasons (analysis, reasons, NULL));
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), "thread count duration longest",
                       "t-1 2 90 80\nt-2 1 5 5\n");
}

/* A thread that is preempted needs nobody to wake it, and one that waits yet was not woken. */
static void
test_wakers (void)
{
  g_autoptr (Sample) sample = make_waits ();
  g_autoptr (WeftReport) report = ask (sample, "wakers", "thread", "waited");
  g_autoptr (WeftReport) stacks = ask (sample, "wakers", "stack", "count");

  sample_assert_table (weft_report_get_main_table (report),
                       "wakee wakee_name waker waker_name waker_kind count waited share longest "
                       "top_reason",
                       "t-1 main t-2 worker thread 2 130 63.41 100 lock\n"
                       "t-1 main - - interrupt 1 40 19.51 40 io-read\n"
                       "t-2 worker - - unknown 1 20 9.76 20 sleep\n"
                       "t-2 worker t-1 main thread 1 15 7.32 15 lock\n");
  sample_assert_table (weft_report_get_table (report, "known"), "waker_kind count waited share",
                       "thread 3 145 70.73\ninterrupt 1 40 19.51\nunknown 1 20 9.76\n");
  sample_assert_table (weft_report_get_main_table (stacks),
                       "wakee waker count wait_stack waker_stack wait_callchain waker_callchain",
                       "t-1 t-2 2 lock ← main unlock ← start cc-2 cc-5\n"
                       "t-1 - 1 read ← main - cc-3 -\n"
                       "t-2 - 1 start - cc-4 -\n"
                       "t-2 t-1 1 start - cc-4 -\n");
}

static void
test_wakers_of (void)
{
  g_autoptr (Sample) sample = make_waits ();
  WeftAnalysis *analysis = sample_analysis (sample, "wakers");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_handle (analysis, "t-2");
  report = sample_run (g_object_ref (analysis));
  sample_assert_table (weft_report_get_main_table (report), "wakee waker count share",
                       "t-2 - 1 57.14\nt-2 t-1 1 42.86\n");
  weft_analysis_set_handle (analysis, "t-9");
  sample_fails (g_object_ref (analysis), WEFT_ERROR_NO_SUCH_OBJECT, "There is no thread");
  weft_analysis_set_handle (analysis, "worker");
  sample_fails (analysis, WEFT_ERROR_NO_SUCH_OBJECT, "a thread (t-…)");
}

static void
test_nothing (void)
{
  g_autoptr (Sample) none = sample_new ();
  g_autoptr (Sample) unknown = sample_new ();
  g_autoptr (WeftReport) waits = sample_run (sample_analysis (none, "waits"));
  g_autoptr (WeftReport) wakers = NULL;

  g_assert_nonnull (strstr (weft_table_get_hint (weft_report_get_main_table (waits)),
                            "The recording has no waits"));
  cpu_wait (unknown->model, 1, 0, 10, WEFT_WAIT_REASON_LOCK, 0);
  wakers = sample_run (sample_analysis (unknown, "wakers"));
  sample_assert_table (weft_report_get_main_table (wakers), "wakee waker_kind share",
                       "t-1 unknown 100.00\n");
  g_assert_nonnull (
      strstr (weft_table_get_hint (weft_report_get_main_table (wakers)), "Nobody told"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/waits/each", test_each);
  g_test_add_func ("/analyze/waits/groups", test_groups);
  g_test_add_func ("/analyze/waits/range", test_range);
  g_test_add_func ("/analyze/waits/wakers", test_wakers);
  g_test_add_func ("/analyze/waits/wakers-of", test_wakers_of);
  g_test_add_func ("/analyze/waits/nothing", test_nothing);
  return g_test_run ();
}
