/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Paths through threads and lanes that were made up; times in ns. */

#include "path-rows.h"

#define COLUMNS "start duration kind confidence thread dispatch behind link"
#define LOCK WEFT_WAIT_REASON_LOCK
#define SEMAPHORE WEFT_WAIT_REASON_SEMAPHORE

static void
assert_path (Sample *sample, const char *handle, const char *expected)
{
  g_autoptr (WeftReport) report = path_ask (sample, handle, 0, 0, NULL, NULL);

  sample_assert_table (weft_report_get_main_table (report), COLUMNS, expected);
}

/* Thread 2 makes something from 20 on, wakes 1 at 80, and that runs again at 90. Before, it waited
 * for 1 to ask.
 */
static Sample *
make_threads (void)
{
  Sample *sample = sample_new ();

  sample_thread (sample, 102, "worker");
  path_life (sample, 1, 0, 100);
  path_life (sample, 2, 0, 100);
  path_wait (sample, 1, 30, 90, LOCK, 2, 80);
  path_wait (sample, 2, 5, 20, SEMAPHORE, 1, 15);
  path_wait (sample, 2, 50, 55, WEFT_WAIT_REASON_PREEMPTED, 0, 50);
  return sample;
}

static void
test_threads (void)
{
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftReport) report = path_ask (sample, "main", 0, 0, NULL, NULL);

  assert_path (sample, "t-1",
               "0 15 run proven t-1 - - woke\n"
               "15 5 runnable proven t-2 - - -\n"
               "20 30 run proven t-2 - - -\n"
               "50 5 preempted proven t-2 - - -\n"
               "55 25 run proven t-2 - - woke\n"
               "80 10 runnable proven t-1 - - -\n"
               "90 10 run proven t-1 - - -\n");
  sample_assert_table (weft_report_get_main_table (report), "linked_wait linked_wakeup evidence",
                       "wt-2 wk-2 wt-1 wt-2 wk-2\n"
                       "- - wt-2 wk-2\n"
                       "- - wt-2 wt-3\n"
                       "- - wt-3 wk-3\n"
                       "wt-1 wk-1 wt-3 wt-1 wk-1\n"
                       "- - wt-1 wk-1\n"
                       "- - wt-1\n");
  sample_assert_table (weft_report_get_table (report, "path"),
                       "thread begin end wall segments proven proven_share unknown",
                       "t-1 0 100 100 7 100 100.00 0\n");
  sample_assert_table (weft_report_get_table (report, "kinds"), "kind segments duration share",
                       "run 4 80 80.00\npreempted 1 5 5.00\nrunnable 2 15 15.00\n");
}

/* A range ends while it waits: what it waited for then is what the other did. */
static void
test_range (void)
{
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftReport) middle = path_ask (sample, "t-1", 40, 85, NULL, NULL);
  g_autoptr (WeftReport) waiting = path_ask (sample, "t-1", 45, 60, NULL, NULL);

  sample_assert_table (weft_report_get_main_table (middle), COLUMNS,
                       "40 10 run proven t-2 - - -\n"
                       "50 5 preempted proven t-2 - - -\n"
                       "55 25 run proven t-2 - - woke\n"
                       "80 5 runnable proven t-1 - - -\n");
  sample_assert_table (weft_report_get_main_table (waiting), COLUMNS,
                       "45 5 run proven t-2 - - -\n"
                       "50 5 preempted proven t-2 - - -\n"
                       "55 5 run proven t-2 - - woke\n");
}

/* What ended them nobody knows, or no thread did. */
static void
test_lone_waits (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  path_life (sample, 1, 0, 100);
  cpu_wait (sample->model, 1, 10, 5, LOCK, 0);
  cpu_wait (sample->model, 1, 20, 5, WEFT_WAIT_REASON_IO_READ, 0);
  cpu_wait (sample->model, 1, 30, 5, WEFT_WAIT_REASON_SLEEP, 0);
  path_wait (sample, 1, 40, 50, WEFT_WAIT_REASON_READINESS, 0, 48);
  path_wait (sample, 1, 60, 70, LOCK, 0, 70);
  path_wait (sample, 1, 80, 90, WEFT_WAIT_REASON_UNKNOWN, 0, 90);
  report = path_ask (sample, "t-1", 0, 0, NULL, NULL);
  sample_assert_table (weft_report_get_main_table (report), "start duration kind confidence reason",
                       "0 10 run proven -\n"
                       "10 5 unknown unknown lock\n"
                       "15 5 run proven -\n"
                       "20 5 io proven io-read\n"
                       "25 5 run proven -\n"
                       "30 5 sleep proven sleep\n"
                       "35 5 run proven -\n"
                       "40 8 io proven readiness\n"
                       "48 2 runnable proven readiness\n"
                       "50 10 run proven -\n"
                       "60 10 sleep proven lock\n"
                       "70 10 run proven -\n"
                       "80 10 interrupt proven unknown\n"
                       "90 10 run proven -\n");
}

/* A wakeup by one that nobody watched, or that was not yet there, leads nowhere. */
static void
test_unwatched_wakers (void)
{
  g_autoptr (Sample) sample = sample_new ();

  sample_thread (sample, 102, "stranger");
  sample_thread (sample, 103, "late");
  path_life (sample, 1, 0, 100);
  path_life (sample, 3, 50, 100);
  path_wait (sample, 1, 10, 20, LOCK, 2, 20);
  path_wait (sample, 1, 30, 40, LOCK, 3, 40);
  path_wait (sample, 1, 60, 70, LOCK, 1, 70);
  path_wait (sample, 1, 80, 90, LOCK, 77, 90);
  assert_path (sample, "t-1",
               "0 10 run proven t-1 - - -\n"
               "10 10 unknown unknown t-1 - - -\n"
               "20 10 run proven t-1 - - -\n"
               "30 10 unknown unknown t-1 - - -\n"
               "40 20 run proven t-1 - - -\n"
               "60 10 unknown unknown t-1 - - -\n"
               "70 10 run proven t-1 - - -\n"
               "80 10 unknown unknown t-1 - - -\n"
               "90 10 run proven t-1 - - -\n");
}

/* Two that were woken by each other at one time cannot both have been first. */
static void
test_cycle (void)
{
  g_autoptr (Sample) sample = sample_new ();

  sample_thread (sample, 102, "other");
  path_life (sample, 1, 0, 100);
  path_life (sample, 2, 0, 100);
  path_wait (sample, 1, 20, 80, LOCK, 2, 80);
  path_wait (sample, 2, 30, 80, LOCK, 1, 80);
  assert_path (sample, "t-1",
               "0 30 run proven t-2 - - -\n"
               "30 50 unknown unknown t-2 - - woke\n"
               "80 20 run proven t-1 - - -\n");
}

/* From its birth on it is with the one that made it; where nobody knows who that was, with the one
 * that was asked about, and no longer proven.
 */
static void
test_births (void)
{
  g_autoptr (Sample) sample = sample_new ();

  sample_thread (sample, 102, "made");
  sample_thread (sample, 103, "found");
  path_life (sample, 1, 0, 100);
  path_life (sample, 2, 20, 90);
  path_life (sample, 3, 40, 60);
  path_wait (sample, 1, 10, 15, WEFT_WAIT_REASON_SLEEP, 0, 15);
  path_wait (sample, 1, 50, 60, SEMAPHORE, 3, 60);
  path_wait (sample, 1, 70, 90, SEMAPHORE, 2, 90);
  path_wait (sample, 2, 20, 25, WEFT_WAIT_REASON_PREEMPTED, 1, 20);
  assert_path (sample, "t-1",
               "0 10 run proven t-1 - - -\n"
               "10 5 sleep proven t-1 - - -\n"
               "15 5 run proven t-1 - - made\n"
               "20 5 preempted proven t-2 - - -\n"
               "25 65 run proven t-2 - - woke\n"
               "90 10 run proven t-1 - - -\n");
  {
    g_autoptr (WeftReport) report = path_ask (sample, "t-1", 0, 65, NULL, NULL);

    sample_assert_table (weft_report_get_main_table (report), COLUMNS,
                         "0 10 run assumed t-1 - - -\n"
                         "10 5 sleep assumed t-1 - - -\n"
                         "15 25 run assumed t-1 - - returned\n"
                         "40 20 run proven t-3 - - woke\n"
                         "60 5 run proven t-1 - - -\n");
    g_assert_cmpuint (path_number (report, "path", "assumed", 0), ==, 40);
    g_assert_cmpuint (path_number (report, "path", "proven", 0), ==, 25);
  }
}

/* ---- Target work ---- */

/* Thread 1 queues d-1 at 10 and waits for it from 30 to 90; it is asleep from 32 to 85. The lane
 * does d-2 before, which nobody waits for.
 */
static Sample *
make_work (gint64 end)
{
  static const guint64 classes[] = { WEFT_CLASSIFICATION_SYNCHRONOUS,
                                     WEFT_CLASSIFICATION_ASYNCHRONOUS };
  static const guint64 shared[] = { 1, 0 };
  const WeftDerivedColumn derived[] = { { WEFT_DISPATCHES_CLASSIFICATION, classes, 0 },
                                        { WEFT_DISPATCHES_SHARED_CALLCHAIN, shared, 0 } };
  Sample *sample = sample_new ();
  guint64 module = cpu_module (sample->model, "program", WEFT_MODULE_KIND_FILE);

  cpu_callchain (sample->model, 0, cpu_named_frame (sample->model, module, 16, "render", 1));
  sample_thread (sample, 102, "feeder");
  path_life (sample, 1, 0, 100);
  path_life (sample, 2, 0, 100);
  path_wait (sample, 1, 32, 85, SEMAPHORE, 0, 82);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  sample_routine (sample, "copy");
  path_dispatch (sample, 1, 1, 10, 50, 80, 1, 0);
  path_dispatch (sample, 1, 2, 5, 8, 45, 2, 0);
  path_await (sample, 1, 30, end, 1, 0);
  cpu_sample (sample->model, 1, 95, 1, 10);
  weft_store_writer_derive (sample->model->writer, WEFT_TABLE_DISPATCHES, 1, 1, 2, derived,
                            G_N_ELEMENTS (derived), FALSE);
  return sample;
}

static void
test_work (void)
{
  g_autoptr (Sample) sample = make_work (90);
  g_autoptr (WeftReport) report = path_ask (sample, "t-1", 0, 0, NULL, NULL);
  g_autoptr (WeftReport) tree = path_ask (sample, "t-1", 0, 0, "tree", NULL);

  assert_path (sample, "t-1",
               "0 10 run proven t-1 - - queued\n"
               "10 35 queue proven - d-1 d-2 -\n"
               "45 5 queue proven - d-1 - -\n"
               "50 30 device proven - d-1 - completed\n"
               "80 2 completion proven t-1 d-1 - -\n"
               "82 3 runnable proven t-1 - - -\n"
               "85 5 run proven t-1 - - -\n"
               "90 10 run proven t-1 - - -\n");
  sample_assert_table (weft_report_get_main_table (report), "evidence",
                       "wt-1 d-1 o-1\n"
                       "d-1 o-1 d-2 o-3 o-4\n"
                       "d-1 o-1 o-3 o-4\n"
                       "d-1 o-3 o-4\n"
                       "wt-1 wk-1 d-1 o-3 o-4\n"
                       "wt-1 wk-1\n"
                       "wt-1\n"
                       "sm-1 wt-1\n");
  sample_assert_table (weft_report_get_main_table (tree), "depth kind name total",
                       "0 all all 100\n"
                       "1 thread main (101) 100\n"
                       "2 function render 80\n"
                       "3 state [queued for a target] 40\n"
                       "3 target gemm 30\n"
                       "2 state [no sample] 15\n"
                       "2 cut [no stack] 5\n"
                       "3 state [woken, not yet running] 3\n"
                       "3 state [target work over, not yet told] 2\n");
}

/* Another thread waits: the path goes on there, and the work stands beside both threads. */
static void
test_linked_work (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) tree = NULL;

  sample_thread (sample, 102, "collector");
  path_life (sample, 1, 0, 100);
  path_life (sample, 2, 0, 100);
  path_wait (sample, 2, 20, 70, SEMAPHORE, 0, 70);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  path_dispatch (sample, 1, 1, 30, 40, 70, 1, 0);
  path_await (sample, 2, 20, 70, 1, 0);
  assert_path (sample, "t-2",
               "0 30 run proven t-1 - - queued\n"
               "30 10 queue proven - d-1 - -\n"
               "40 30 device proven - d-1 - completed\n"
               "70 30 run proven t-2 - - -\n");
  tree = path_ask (sample, "t-2", 0, 0, "tree", NULL);
  sample_assert_table (weft_report_get_main_table (tree), "depth kind name total",
                       "0 all all 100\n"
                       "1 thread main (101) 30\n"
                       "2 state [no sample] 30\n"
                       "1 thread collector (102) 30\n"
                       "2 state [no sample] 30\n"
                       "1 target gemm 30\n"
                       "1 state [queued for a target] 10\n");
}

/* Without a wait that proves it work is no part of a path. */
static void
test_no_proof (void)
{
  g_autoptr (Sample) sample = make_work (79);
  g_autoptr (WeftReport) report = path_ask (sample, "t-1", 0, 0, NULL, NULL);

  sample_assert_table (weft_report_get_table (report, "kinds"), "kind duration",
                       "run 47\nrunnable 3\nsleep 50\n");
}

/* Of a submission that was waited for, all dispatches were. */
static void
test_submission (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) off_cpu = NULL;

  path_life (sample, 1, 0, 100);
  cpu_wait (sample->model, 1, 20, 70, SEMAPHORE, 0);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "first");
  sample_routine (sample, "second");
  path_dispatch (sample, 1, 1, 10, 25, 50, 1, 7);
  path_dispatch (sample, 1, 2, 12, 52, 80, 1, 7);
  path_await (sample, 1, 20, 90, 0, 7);
  assert_path (sample, "t-1",
               "0 10 run proven t-1 - - queued\n"
               "10 15 queue proven - d-1 - -\n"
               "25 25 device proven - d-1 - followed\n"
               "50 2 queue proven - d-2 - -\n"
               "52 28 device proven - d-2 - completed\n"
               "80 10 completion proven t-1 d-2 - -\n"
               "90 10 run proven t-1 - - -\n");
  off_cpu = path_ask (sample, "t-1", 0, 0, "off-cpu", NULL);
  sample_assert_table (weft_report_get_main_table (off_cpu),
                       "name dispatch count off_cpu share running queued completion",
                       "second d-2 1 40 57.14 28 2 10\n"
                       "first d-1 1 30 42.86 25 5 0\n");
}

/* A clock of its own whose pairs are known to 5 ns: an end 3 ns before the wait's proves nothing.
 */
static void
test_clock_error (void)
{
  for (gint64 end = 83; end <= 86; end += 3)
    {
      g_autoptr (Sample) sample = sample_new ();
      Model *model = sample->model;
      g_autoptr (WeftReport) report = NULL;

      path_life (sample, 1, 0, 100);
      cpu_wait (model, 1, 20, (guint64) (end - 20), SEMAPHORE, 0);
      for (guint i = 0; i < 2; i++)
        {
          model_begin (model, WEFT_TABLE_CLOCKS);
          model_set (model, WEFT_CLOCKS_RUNTIME, 1);
          model_commit (model);
          model_begin (model, WEFT_TABLE_CLOCK_PAIRS);
          model_set (model, WEFT_CLOCK_PAIRS_CLOCK, 2);
          model_set (model, WEFT_CLOCK_PAIRS_TIME, 100 * i);
          model_set (model, WEFT_CLOCK_PAIRS_ERROR_BOUND, 5);
          model_commit (model);
        }
      model_begin (model, WEFT_TABLE_LANES);
      model_set (model, WEFT_LANES_RUNTIME, 1);
      model_set (model, WEFT_LANES_CLOCK, 2);
      model_commit (model);
      sample_routine (sample, "gemm");
      path_dispatch (sample, 1, 1, 10, 40, 80, 1, 0);
      path_await (sample, 1, 20, end, 1, 0);
      report = path_ask (sample, "t-1", 0, 0, NULL, NULL);
      if (end == 83)
        sample_assert_table (weft_report_get_main_table (report), "start duration kind cause",
                             "0 20 run -\n"
                             "20 63 unknown the wait and the work ended closer together than "
                             "their clocks can tell\n"
                             "83 17 run -\n");
      else
        g_assert_cmpuint (path_number (report, "path", "proven", 0), ==, 100);
    }
}

/* Nobody watched threads: what they told of themselves remains. */
static void
test_unwatched (void)
{
  g_autoptr (Sample) sample = sample_new ();

  sample_meta_number (sample, "duration", 100);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  path_dispatch (sample, 1, 1, 10, 20, 40, 1, 0);
  path_await (sample, 1, 15, 45, 1, 0);
  path_dispatch (sample, 1, 1, 60, 65, 80, 1, 0);
  path_await (sample, 1, 61, 80, 2, 0);
  assert_path (sample, NULL,
               "0 10 unknown unknown t-1 - - queued\n"
               "10 10 queue proven - d-1 - -\n"
               "20 20 device proven - d-1 - completed\n"
               "40 5 completion proven t-1 d-1 - -\n"
               "45 15 unknown unknown t-1 - - queued\n"
               "60 5 queue proven - d-2 - -\n"
               "65 15 device proven - d-2 - completed\n"
               "80 20 unknown unknown t-1 - - -\n");
}

static void
test_dispatch_and_trace (void)
{
  g_autoptr (Sample) sample = sample_new ();

  path_life (sample, 1, 0, 100);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  model_begin (sample->model, WEFT_TABLE_TRACES);
  model_set (sample->model, WEFT_TRACES_START, 5);
  model_set (sample->model, WEFT_TRACES_DURATION, 85);
  model_commit (sample->model);
  sample_begin (sample, 1, 1, 40, 30);
  model_set (sample->model, WEFT_DISPATCHES_QUEUE_WAIT_LAST, 25);
  model_set (sample->model, WEFT_DISPATCHES_TRACE, 1);
  path_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 12, 1, model_commit (sample->model), 0);
  sample_dispatch (sample, 1, 1, 80, 10);
  assert_path (sample, "d-1",
               "0 15 run proven t-1 - - queued\n"
               "15 25 queue proven - d-1 - -\n"
               "40 30 device proven - d-1 - -\n");
  assert_path (sample, "tr-1",
               "5 10 run proven t-1 - - queued\n"
               "15 25 queue proven - d-1 - -\n"
               "40 30 device proven - d-1 - -\n"
               "70 20 unknown unknown - d-1 - -\n");
  /* Nothing tells who queued it. */
  assert_path (sample, "d-2",
               "0 80 unknown unknown - d-2 - -\n"
               "80 10 device proven - d-2 - -\n");
}

/* ---- What if ---- */

/* Twice as fast, gemm is over at 65; from then on the thread's own work beside it holds it up. */
static void
test_what_if (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  path_life (sample, 1, 0, 100);
  cpu_wait (sample->model, 1, 70, 20, SEMAPHORE, 0);
  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  path_dispatch (sample, 1, 1, 10, 40, 90, 1, 0);
  path_await (sample, 1, 70, 90, 1, 0);
  report = path_ask (sample, "t-1", 0, 0, NULL, "routine:gemm=2x");
  sample_assert_table (weft_report_get_table (report, "what_if"),
                       "routine_name factor dispatches target_time wall forecast change",
                       "gemm 2.00 1 50 100 80 -20\n");
  sample_assert_table (weft_report_get_table (report, "takes_over"),
                       "kind name before after change",
                       "run main 20 80 60\n"
                       "device gemm 50 0 -50\n"
                       "queue gemm 30 0 -30\n");
  {
    g_autoptr (WeftReport) slower = path_ask (sample, "t-1", 0, 0, NULL, "routine:g*=0.5x");
    g_autoptr (WeftReport) little = path_ask (sample, "t-1", 0, 0, NULL, "routine:r-1=1.25x");

    g_assert_cmpuint (path_number (slower, "what_if", "forecast", 0), ==, 150);
    sample_assert_table (weft_report_get_table (little, "takes_over"), "kind before after",
                         "device 50 40\n"
                         "queue 30 30\n"
                         "run 20 20\n");
  }
}

static void
test_refusals (void)
{
  static const char *const wrong[] = { "",
                                       "gemm=2x",
                                       "routine:gemm",
                                       "routine:=2x",
                                       "routine:gemm=0x",
                                       "routine:gemm=2y",
                                       "routine:gemm=1e9x",
                                       "routine:gemm=nan" };
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftAnalysis) analysis = sample_analysis (sample, "critical-path");
  WeftAnalysis *asked = sample_analysis (sample, "critical-path");

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (weft_analysis_set_what_if (analysis, wrong[i], &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY);
    }
  g_assert_true (weft_analysis_set_what_if (asked, "routine:gemm=2x", NULL));
  weft_analysis_set_handle (asked, "t-1");
  sample_fails (asked, WEFT_ERROR_NO_SUCH_OBJECT, "gemm");
  asked = sample_analysis (sample, "critical-path");
  weft_analysis_set_handle (asked, "t-9");
  sample_fails (asked, WEFT_ERROR_NO_SUCH_OBJECT, "t-9");
  asked = sample_analysis (sample, "critical-path");
  weft_analysis_set_handle (asked, "nobody");
  sample_fails (asked, WEFT_ERROR_NO_SUCH_OBJECT, "nobody");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/critical-path/threads", test_threads);
  g_test_add_func ("/analyze/critical-path/range", test_range);
  g_test_add_func ("/analyze/critical-path/lone-waits", test_lone_waits);
  g_test_add_func ("/analyze/critical-path/unwatched-wakers", test_unwatched_wakers);
  g_test_add_func ("/analyze/critical-path/cycle", test_cycle);
  g_test_add_func ("/analyze/critical-path/births", test_births);
  g_test_add_func ("/analyze/critical-path/work", test_work);
  g_test_add_func ("/analyze/critical-path/linked-work", test_linked_work);
  g_test_add_func ("/analyze/critical-path/no-proof", test_no_proof);
  g_test_add_func ("/analyze/critical-path/submission", test_submission);
  g_test_add_func ("/analyze/critical-path/clock-error", test_clock_error);
  g_test_add_func ("/analyze/critical-path/unwatched", test_unwatched);
  g_test_add_func ("/analyze/critical-path/dispatch-and-trace", test_dispatch_and_trace);
  g_test_add_func ("/analyze/critical-path/what-if", test_what_if);
  g_test_add_func ("/analyze/critical-path/refusals", test_refusals);
  return g_test_run ();
}
