/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-rows.h"
#include "sample.h"

#include <string.h>

#define COLUMNS "depth parent kind name inlined kernel count total self time_kind"

enum
{
  MAIN = 1, /* main */
  WORK,     /* main, work */
  MIX,      /* main, work, in which mix is inlined */
  READ,     /* main, read */
  KERNEL,   /* main, read, k_read */
  WAIT,     /* main, wait */
  N_STACKS = WAIT
};

/* Threads 1 and 2 of process 1 (program), by hand; times in ns. Thread 1 runs up to 40, reads until
 * 60, runs, and waits from 70 to 100. Thread 2 runs up to 20 and sleeps until 100.
 */
static Sample *
make_threads (void)
{
  Sample *sample = sample_new ();
  Model *model = sample->model;
  guint64 program = cpu_module (model, "program", WEFT_MODULE_KIND_FILE);
  guint64 kernel = cpu_module (model, "[kernel]", WEFT_MODULE_KIND_KERNEL);
  guint64 main_frame = cpu_named_frame (model, program, 0x10, "main", 1);
  guint64 work_frame = cpu_named_frame (model, program, 0x20, "work", 2);
  guint64 mix_frame = cpu_frame (model, program, 0x24, 0);
  guint64 kernel_frame = cpu_frame (model, kernel, 0x90, 2);
  guint64 main_stack;

  sample_thread (sample, 102, "helper");
  cpu_frame_symbol (model, mix_frame, 0, 2, "work.c", 3);
  cpu_frame_symbol (model, mix_frame, 1, cpu_symbol (model, program, "mix"), "mix.h", 4);
  cpu_frame_symbol (model, kernel_frame, 0, cpu_symbol (model, kernel, "k_read"), NULL, 0);
  main_stack = cpu_callchain (model, 0, main_frame);
  cpu_callchain (model, main_stack, work_frame);
  cpu_callchain (model, main_stack, mix_frame);
  cpu_callchain (model, main_stack, cpu_named_frame (model, program, 0x30, "read", 5));
  cpu_callchain (model, READ, kernel_frame);
  g_assert_cmpuint (
      cpu_callchain (model, main_stack, cpu_named_frame (model, program, 0x40, "wait", 6)), ==,
      N_STACKS);
  return sample;
}

static void
add_rows (Sample *sample)
{
  Model *model = sample->model;

  cpu_sample (model, 1, 10, WORK, 10);
  cpu_sample (model, 2, 10, WORK, 10);
  cpu_sample (model, 1, 20, MIX, 10);
  model_begin (model, WEFT_TABLE_SAMPLES);
  model_set (model, WEFT_SAMPLES_THREAD, 2);
  model_set (model, WEFT_SAMPLES_TIME, 20);
  model_set (model, WEFT_SAMPLES_CALLCHAIN, WORK);
  model_set (model, WEFT_SAMPLES_WEIGHT, 10);
  model_set (model, WEFT_SAMPLES_END, WEFT_STACK_END_TRUNCATED);
  model_commit (model);
  cpu_sample (model, 1, 30, WORK, 10);
  cpu_sample (model, 1, 40, KERNEL, 10);
  cpu_wait (model, 1, 40, 20, WEFT_WAIT_REASON_IO_READ, KERNEL);
  cpu_sample (model, 1, 70, MAIN, 10);
  cpu_wait (model, 1, 70, 30, WEFT_WAIT_REASON_SEMAPHORE, WAIT);
  model_begin (model, WEFT_TABLE_WAITS);
  model_set (model, WEFT_WAITS_THREAD, 2);
  model_set (model, WEFT_WAITS_START, 20);
  model_set (model, WEFT_WAITS_DURATION, 80);
  model_set (model, WEFT_WAITS_REASON, WEFT_WAIT_REASON_SLEEP);
  model_commit (model);
}

static Sample *
make_sample (void)
{
  Sample *sample = make_threads ();

  add_rows (sample);
  return sample;
}

typedef struct
{
  const char *mode;
  const char *group;
  const char *order;
  gboolean inverted;
  const char *excluded;
  const char *filter;
  const char *reason;
  double min_share;
  gint64 begin;
  gint64 end;
} Question;

static WeftAnalysis *
prepare (Sample *sample, const Question *question)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (sample, "flame");
  const char *excluded[] = { question->excluded, NULL };
  const char *reasons[] = { question->reason, NULL };

  g_assert_true (question->mode == NULL ||
                 weft_analysis_set_mode (analysis, question->mode, &error));
  g_assert_true (question->group == NULL ||
                 weft_analysis_set_group_by (analysis, question->group, &error));
  g_assert_true (question->order == NULL ||
                 weft_analysis_set_order_by (analysis, question->order, &error));
  g_assert_true (question->filter == NULL ||
                 weft_analysis_set_filter (analysis, question->filter, &error));
  g_assert_true (question->reason == NULL || weft_analysis_set_reasons (analysis, reasons, &error));
  if (question->excluded != NULL)
    weft_analysis_set_excluded_symbols (analysis, excluded);
  weft_analysis_set_inverted (analysis, question->inverted);
  weft_analysis_set_min_share (analysis, question->min_share);
  if (question->end != 0)
    weft_analysis_set_range (analysis, question->begin, question->end);
  return analysis;
}

static WeftReport *
ask (Sample *sample, const Question *question)
{
  return sample_run (prepare (sample, question));
}

static void
test_cpu (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) report = ask (sample, &(Question){ 0 });

  sample_assert_table (weft_report_get_main_table (report), COLUMNS,
                       "0 - all all - - 7 70 0 cpu\n"
                       "1 0 process program (100) - - 7 70 0 cpu\n"
                       "2 1 function main no no 6 60 10 cpu\n"
                       "3 2 function work no no 4 40 30 cpu\n"
                       "4 3 function mix yes no 1 10 10 cpu\n"
                       "3 2 function read no no 1 10 0 cpu\n"
                       "4 5 function k_read no yes 1 10 10 cpu\n"
                       "2 1 cut [stack cut: longer than its copy] - - 1 10 0 cpu\n"
                       "3 7 function main no no 1 10 0 cpu\n"
                       "4 8 function work no no 1 10 10 cpu\n");
  sample_assert_table (weft_report_get_main_table (report), "symbol module module_name process",
                       "- - - -\n"
                       "- - - p-1\n"
                       "sym-1 mod-1 program -\n"
                       "sym-2 mod-1 program -\n"
                       "sym-3 mod-1 program -\n"
                       "sym-5 mod-1 program -\n"
                       "sym-4 mod-2 [kernel] -\n"
                       "- - - -\n"
                       "sym-1 mod-1 program -\n"
                       "sym-2 mod-1 program -\n");
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) threads = ask (sample, &(Question){ .group = "thread" });
  g_autoptr (WeftReport) none =
      ask (sample, &(Question){ .group = "none", .filter = "thread:t-2" });

  sample_assert_table (weft_report_get_main_table (threads), "depth kind name thread count total",
                       "0 all all - 7 70\n"
                       "1 thread main (101) t-1 5 50\n"
                       "2 function main - 5 50\n"
                       "3 function work - 3 30\n"
                       "4 function mix - 1 10\n"
                       "3 function read - 1 10\n"
                       "4 function k_read - 1 10\n"
                       "1 thread helper (102) t-2 2 20\n"
                       "2 cut [stack cut: longer than its copy] - 1 10\n"
                       "3 function main - 1 10\n"
                       "4 function work - 1 10\n"
                       "2 function main - 1 10\n"
                       "3 function work - 1 10\n");
  sample_assert_table (weft_report_get_main_table (none), "depth kind name total self",
                       "0 all all 20 0\n"
                       "1 cut [stack cut: longer than its copy] 10 0\n"
                       "2 function main 10 0\n"
                       "3 function work 10 10\n"
                       "1 function main 10 0\n"
                       "2 function work 10 10\n");
}

/* The first functions have the time; callers below, and what is not known of them last. */
static void
test_inverted (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) report = ask (sample, &(Question){ .group = "none", .inverted = TRUE });
  g_autoptr (WeftReport) waits =
      ask (sample, &(Question){ .mode = "off-cpu", .group = "none", .inverted = TRUE });

  sample_assert_table (weft_report_get_main_table (report), "depth kind name total self",
                       "0 all all 70 0\n"
                       "1 function work 40 40\n"
                       "2 function main 40 0\n"
                       "3 cut [stack cut: longer than its copy] 10 0\n"
                       "1 function main 10 10\n"
                       "1 function mix 10 10\n"
                       "2 function work 10 0\n"
                       "3 function main 10 0\n"
                       "1 function k_read 10 10\n"
                       "2 function read 10 0\n"
                       "3 function main 10 0\n");
  sample_assert_table (weft_report_get_main_table (waits), "depth kind name total self",
                       "0 all all 130 0\n"
                       "1 reason [sleeping] 80 0\n"
                       "2 cut [no stack: not read] 80 80\n"
                       "1 reason [waiting: semaphore or condition] 30 0\n"
                       "2 function wait 30 30\n"
                       "3 function main 30 0\n"
                       "1 reason [waiting: read] 20 0\n"
                       "2 function k_read 20 20\n"
                       "3 function read 20 0\n"
                       "4 function main 20 0\n");
}

static void
test_off_cpu (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) report = ask (sample, &(Question){ .mode = "off-cpu" });
  g_autoptr (WeftReport) roots = ask (sample, &(Question){ .mode = "off-cpu", .group = "reason" });
  g_autoptr (WeftReport) one =
      ask (sample, &(Question){ .mode = "off-cpu", .group = "none", .reason = "io-read" });

  sample_assert_table (
      weft_report_get_main_table (report), COLUMNS " reason waiting",
      "0 - all all - - 3 130 0 off-cpu - 130\n"
      "1 0 process program (100) - - 3 130 0 off-cpu - 130\n"
      "2 1 cut [no stack: not read] - - 1 80 0 off-cpu - 80\n"
      "3 2 reason [sleeping] - - 1 80 80 off-cpu sleep 80\n"
      "2 1 function main no no 2 50 0 off-cpu - 50\n"
      "3 4 function wait no no 1 30 0 off-cpu - 30\n"
      "4 5 reason [waiting: semaphore or condition] - - 1 30 30 off-cpu semaphore 30\n"
      "3 4 function read no no 1 20 0 off-cpu - 20\n"
      "4 7 function k_read no yes 1 20 0 off-cpu - 20\n"
      "5 8 reason [waiting: read] - - 1 20 20 off-cpu io-read 20\n");
  sample_assert_table (weft_report_get_main_table (roots), "depth kind name total self",
                       "0 all all 130 0\n"
                       "1 reason [sleeping] 80 0\n"
                       "2 cut [no stack: not read] 80 80\n"
                       "1 reason [waiting: semaphore or condition] 30 0\n"
                       "2 function main 30 0\n"
                       "3 function wait 30 30\n"
                       "1 reason [waiting: read] 20 0\n"
                       "2 function main 20 0\n"
                       "3 function read 20 0\n"
                       "4 function k_read 20 20\n");
  sample_assert_table (weft_report_get_main_table (one), "depth kind name total",
                       "0 all all 20\n"
                       "1 function main 20\n"
                       "2 function read 20\n"
                       "3 function k_read 20\n"
                       "4 reason [waiting: read] 20\n");
}

/* A sample is within a range or not; of a wait the part within counts. */
static void
test_range (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) report =
      ask (sample, &(Question){ .mode = "wall", .group = "none", .begin = 30, .end = 75 });

  sample_assert_table (weft_report_get_main_table (report), "depth name count total self waiting",
                       "0 all 6 100 0 70\n"
                       "1 main 5 55 10 25\n"
                       "2 read 2 30 0 20\n"
                       "3 k_read 2 30 10 20\n"
                       "4 [waiting: read] 1 20 20 20\n"
                       "2 work 1 10 10 0\n"
                       "2 wait 1 5 0 5\n"
                       "3 [waiting: semaphore or condition] 1 5 5 5\n"
                       "1 [no stack: not read] 1 45 0 45\n"
                       "2 [sleeping] 1 45 45 45\n");
}

/* What is left out of stacks counts for its callers, and what is small for what holds it. */
static void
test_left_out (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) excluded =
      ask (sample, &(Question){ .group = "none", .excluded = "*o*", .filter = "thread:t-1" });
  g_autoptr (WeftReport) all = ask (sample, &(Question){ .group = "none", .excluded = "*" });
  g_autoptr (WeftReport) large = ask (sample, &(Question){ .group = "none", .min_share = 0.5 });

  sample_assert_table (weft_report_get_main_table (excluded), "depth name total self",
                       "0 all 50 0\n"
                       "1 main 50 30\n"
                       "2 mix 10 10\n"
                       "2 read 10 0\n"
                       "3 k_read 10 10\n");
  sample_assert_table (weft_report_get_main_table (all), "depth name total self",
                       "0 all 70 60\n"
                       "1 [stack cut: longer than its copy] 10 10\n");
  sample_assert_table (weft_report_get_main_table (large), "depth name total self",
                       "0 all 70 0\n"
                       "1 main 60 10\n"
                       "2 work 40 30\n");
}

/* Code without names is one row of its file, wherever in it. */
static void
test_no_names (void)
{
  g_autoptr (Sample) sample = sample_new ();
  Model *model = sample->model;
  guint64 stripped = cpu_module (model, "stripped", WEFT_MODULE_KIND_FILE);
  guint64 outer = cpu_callchain (model, 0, cpu_frame (model, stripped, 0x10, 1));
  g_autoptr (WeftReport) report = NULL;

  cpu_sample (model, 1, 1, cpu_callchain (model, outer, cpu_frame (model, stripped, 0x20, 0)), 10);
  cpu_sample (model, 1, 2, cpu_callchain (model, outer, cpu_frame (model, stripped, 0x30, 0)), 10);
  cpu_sample (model, 1, 3, cpu_callchain (model, outer, cpu_frame (model, 0, 0x7000, 0)), 10);
  cpu_sample (model, 1, 4, cpu_callchain (model, outer, cpu_frame (model, 0, 0x8000, 0)), 5);
  report = ask (sample, &(Question){ .group = "none" });
  sample_assert_table (weft_report_get_main_table (report), "depth name symbol module count total",
                       "0 all - - 4 35\n"
                       "1 [stripped: no names] - mod-1 4 35\n"
                       "2 [stripped: no names] - mod-1 2 20\n"
                       "2 [code of no known file] - - 2 15\n");
}

/* Between two waits without a sample a function goes on, if that is no longer than one and a half.
 */
static void
test_time_between_waits (void)
{
  g_autoptr (Sample) sample = make_threads ();
  g_autoptr (WeftReport) report = NULL;

  cpu_sample (sample->model, 1, 10, MAIN, 10);
  cpu_wait (sample->model, 1, 10, 20, WEFT_WAIT_REASON_LOCK, WAIT);
  cpu_wait (sample->model, 1, 45, 5, WEFT_WAIT_REASON_LOCK, WAIT);
  cpu_wait (sample->model, 1, 66, 4, WEFT_WAIT_REASON_LOCK, WAIT);
  report = ask (sample, &(Question){ .mode = "wall", .order = "time" });
  sample_assert_table (weft_report_get_main_table (report), "depth name start stop total",
                       "0 all 0 70 39\n"
                       "1 main (101) 0 70 39\n"
                       "2 main 0 50 35\n"
                       "3 wait 10 50 25\n"
                       "4 [waiting: lock] 10 50 25\n"
                       "2 main 66 70 4\n"
                       "3 wait 66 70 4\n"
                       "4 [waiting: lock] 66 70 4\n");
}

/* ---- With target work ---- */

static void
add_origin (Sample *sample, WeftOriginRole role, gint64 time, guint64 thread, guint64 dispatch)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_TIME, (guint64) time);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_commit (sample->model);
}

/* Thread 1 waits from 70 to 100: for dispatch 1 and 2, one of which ends later. Nobody waits for
 * dispatch 3, of dispatch 4 no shared stack is known.
 */
static Sample *
make_work (void)
{
  static const guint64 classes[] = { WEFT_CLASSIFICATION_SYNCHRONOUS,
                                     WEFT_CLASSIFICATION_SYNCHRONOUS,
                                     WEFT_CLASSIFICATION_ASYNCHRONOUS,
                                     WEFT_CLASSIFICATION_SYNCHRONOUS };
  static const guint64 reasons[] = { WEFT_CLASSIFICATION_REASON_WAIT,
                                     WEFT_CLASSIFICATION_REASON_WAIT,
                                     WEFT_CLASSIFICATION_REASON_NO_WAIT,
                                     WEFT_CLASSIFICATION_REASON_WAIT };
  static const guint64 shared[] = { MAIN, MAIN, MAIN, 0 };
  const WeftDerivedColumn derived[] = {
    { WEFT_DISPATCHES_CLASSIFICATION, classes, 0 },
    { WEFT_DISPATCHES_CLASSIFICATION_REASON, reasons, 0 },
    { WEFT_DISPATCHES_SHARED_CALLCHAIN, shared, 0 },
  };
  Sample *sample = make_sample ();

  sample_lane (sample, "gpu", "x", 0);
  sample_routine (sample, "gemm");
  sample_routine (sample, "softmax");
  sample_dispatch (sample, 1, 1, 75, 10);
  sample_dispatch (sample, 1, 2, 80, 10);
  sample_dispatch (sample, 1, 1, 60, 40);
  sample_dispatch (sample, 1, 1, 92, 3);
  for (guint64 dispatch = 1; dispatch <= 4; dispatch++)
    add_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, 60, 1, dispatch);
  for (guint64 dispatch = 1; dispatch <= 4; dispatch += dispatch == 2 ? 2 : 1)
    {
      add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 69, 1, dispatch);
      add_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, 98, 1, dispatch);
    }
  weft_store_writer_derive (sample->model->writer, WEFT_TABLE_DISPATCHES, 1, 1,
                            G_N_ELEMENTS (classes), derived, G_N_ELEMENTS (derived), FALSE);
  return sample;
}

static void
test_wall (void)
{
  g_autoptr (Sample) sample = make_work ();
  g_autoptr (WeftReport) report =
      ask (sample, &(Question){ .mode = "wall", .filter = "thread:t-1" });
  g_autoptr (WeftReport) cpu = ask (sample, &(Question){ .mode = "cpu", .filter = "thread:t-1" });

  sample_assert_table (weft_report_get_main_table (report),
                       "depth kind name lane routine total self waiting target time_kind",
                       "0 all all - - 100 0 50 15 wall\n"
                       "1 thread main (101) - - 100 0 50 15 wall\n"
                       "2 function main - - 100 10 50 15 wall\n"
                       "3 function work - - 30 20 0 0 cpu\n"
                       "4 function mix - - 10 10 0 0 cpu\n"
                       "3 function read - - 30 0 20 0 wall\n"
                       "4 function k_read - - 30 10 20 0 wall\n"
                       "5 reason [waiting: read] - - 20 20 20 0 off-cpu\n"
                       "3 function wait - - 15 0 15 0 off-cpu\n"
                       "4 reason [waiting: semaphore or condition] - - 15 15 15 0 off-cpu\n"
                       "3 target softmax l-1 r-2 10 10 10 10 target\n"
                       "3 target gemm l-1 r-1 5 5 5 5 target\n");
  sample_assert_table (weft_report_get_table (report, "target_work"),
                       "classification reason dispatches target_time shown waited",
                       "synchronous wait 3 23 2 15\n"
                       "asynchronous no-wait 1 40 0 0\n");
  /* Not a trace of it in CPU time. */
  g_assert_null (weft_report_get_table (cpu, "target_work"));
  sample_assert_table (weft_report_get_main_table (cpu), "depth name total target",
                       "0 all 50 0\n"
                       "1 program (100) 50 0\n"
                       "2 main 50 0\n"
                       "3 work 30 0\n"
                       "4 mix 10 0\n"
                       "3 read 10 0\n"
                       "4 k_read 10 0\n");
}

/* ---- In the order of time ---- */

static void
test_time (void)
{
  g_autoptr (Sample) sample = make_sample ();
  g_autoptr (WeftReport) cpu = ask (sample, &(Question){ .order = "time" });
  g_autoptr (WeftReport) wall =
      ask (sample, &(Question){ .mode = "wall", .order = "time", .filter = "thread:t-1" });
  g_autoptr (WeftReport) part =
      ask (sample,
           &(Question){
               .mode = "wall", .order = "time", .filter = "thread:t-1", .begin = 35, .end = 65 });

  sample_assert_table (weft_report_get_main_table (cpu), "depth name start stop total",
                       "0 all 0 70 70\n"
                       "1 main (101) 0 70 50\n"
                       "2 main 0 40 40\n"
                       "3 work 0 30 30\n"
                       "4 mix 10 20 10\n"
                       "3 read 30 40 10\n"
                       "4 k_read 30 40 10\n"
                       "2 main 60 70 10\n"
                       "1 helper (102) 0 20 20\n"
                       "2 main 0 10 10\n"
                       "3 work 0 10 10\n"
                       "2 [stack cut: longer than its copy] 10 20 10\n"
                       "3 main 10 20 10\n"
                       "4 work 10 20 10\n");
  sample_assert_table (weft_report_get_main_table (wall), "depth name start stop total waiting",
                       "0 all 0 100 100 50\n"
                       "1 main (101) 0 100 100 50\n"
                       "2 main 0 100 100 50\n"
                       "3 work 0 30 30 0\n"
                       "4 mix 10 20 10 0\n"
                       "3 read 30 60 30 20\n"
                       "4 k_read 30 60 30 20\n"
                       "5 [waiting: read] 40 60 20 20\n"
                       "3 wait 70 100 30 30\n"
                       "4 [waiting: semaphore or condition] 70 100 30 30\n");
  sample_assert_table (weft_report_get_main_table (part), "depth name start stop total waiting",
                       "0 all 35 60 30 20\n"
                       "1 main (101) 35 60 30 20\n"
                       "2 main 35 60 30 20\n"
                       "3 read 35 60 30 20\n"
                       "4 k_read 35 60 30 20\n"
                       "5 [waiting: read] 40 60 20 20\n");
}

/* ---- What cannot be answered ---- */

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  const char *hint;

  model_begin (sample->model, WEFT_TABLE_META);
  model_set (sample->model, WEFT_META_KEY, model_string (sample->model, "sampler-missing"));
  model_set (sample->model, WEFT_META_TEXT, model_string (sample->model, "no perf here"));
  model_commit (sample->model);
  report = ask (sample, &(Question){ .mode = "cpu" });
  hint = weft_table_get_hint (weft_report_get_main_table (report));
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_main_table (report)), ==, 0);
  g_assert_nonnull (strstr (hint, "no CPU samples: no perf here"));
}

static void
test_bad_questions (void)
{
  g_autoptr (Sample) sample = make_sample ();
  const struct
  {
    Question question;
    const char *text;
  } questions[] = {
    { { .mode = "cpu", .group = "lane" }, "there are: process, thread, none" },
    { { .mode = "wall", .group = "reason" }, "there are: process, thread, none" },
    { { .mode = "off-cpu", .group = "kind" }, "there are: process, thread, reason, none" },
    { { .order = "time", .group = "process" }, "there are: thread" },
    { { .order = "time", .inverted = TRUE }, "cannot be turned round" },
    { { .mode = "target", .group = "thread" }, "there are: lane, process, kind" },
    { { .mode = "target", .inverted = TRUE }, "cannot be turned round" },
    { { .mode = "target", .order = "time" }, "weft timeline" },
    { { .mode = "target", .reason = "lock" }, "asked for waits" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (questions); i++)
    sample_fails (prepare (sample, &questions[i].question), WEFT_ERROR_INVALID_QUERY,
                  questions[i].text);
}

/* ---- Against a naive computation ---- */

typedef struct
{
  guint64 count;
  guint64 total;
  guint64 self;
} Figures;

static void
add_figure (GHashTable *paths, const char *path, guint64 weight, gboolean is_last)
{
  Figures *figures = g_hash_table_lookup (paths, path);

  if (figures == NULL)
    {
      figures = g_new0 (Figures, 1);
      g_hash_table_insert (paths, g_strdup (path), figures);
    }
  figures->count++;
  figures->total += weight;
  figures->self += is_last ? weight : 0;
}

#define N_FUNCTIONS 7
#define MAX_DEPTH 12

/* Samples of random stacks, the sums of each path in PATHS and of each inverted one in INVERTED. */
static void
add_random (Sample *sample, GRand *rand, GHashTable *paths, GHashTable *inverted)
{
  guint depth = (guint) g_rand_int_range (rand, 1, MAX_DEPTH);
  guint64 weight = (guint64) g_rand_int_range (rand, 1, 1000);
  guint names[MAX_DEPTH];
  guint64 stack = 0;
  g_autoptr (GString) path = g_string_new ("all");
  g_autoptr (GString) back = g_string_new ("all");

  for (guint i = 0; i < depth; i++)
    {
      names[i] = (guint) g_rand_int_range (rand, 0, N_FUNCTIONS);
      /* Two frames each: the same function at different places is one. */
      stack = cpu_callchain (sample->model, stack,
                             1 + names[i] * 2 + (guint) g_rand_int_range (rand, 0, 2));
      g_string_append_printf (path, "/f%u", names[i]);
      add_figure (paths, path->str, weight, i + 1 == depth);
    }
  for (guint i = depth; i-- > 0;)
    {
      g_string_append_printf (back, "/f%u", names[i]);
      add_figure (inverted, back->str, weight, FALSE);
      if (i + 1 == depth)
        ((Figures *) g_hash_table_lookup (inverted, back->str))->self += weight;
    }
  cpu_sample (sample->model, 1, g_rand_int_range (rand, 0, 1000000), stack, weight);
}

static void
compare (WeftTable *table, GHashTable *paths)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const char *name = weft_table_get_string (table, 3, row);
      const Figures *figures;

      if (row == 0)
        {
          g_ptr_array_add (found, g_strdup (name));
          continue;
        }
      g_ptr_array_add (found, g_strdup_printf ("%s/%s",
                                               (char *) g_ptr_array_index (
                                                   found, weft_table_get_uint64 (table, 1, row)),
                                               name));
      figures = g_hash_table_lookup (paths, g_ptr_array_index (found, row));
      g_assert_nonnull (figures);
      g_assert_cmpuint (
          weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "count"), row), ==,
          figures->count);
      g_assert_cmpuint (
          weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "total"), row), ==,
          figures->total);
      g_assert_cmpuint (
          weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "self"), row), ==,
          figures->self);
    }
  g_assert_cmpuint (found->len - 1, ==, g_hash_table_size (paths));
}

static void
test_brute_force (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) inverted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  guint64 module = cpu_module (sample->model, "program", WEFT_MODULE_KIND_FILE);
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (WeftReport) back = NULL;

  for (guint i = 0; i < N_FUNCTIONS; i++)
    {
      g_autofree char *name = g_strdup_printf ("f%u", i);
      guint64 symbol = cpu_symbol (sample->model, module, name);

      for (guint place = 0; place < 2; place++)
        cpu_frame_symbol (sample->model, cpu_frame (sample->model, module, i * 16 + place * 4, 0),
                          0, symbol, NULL, 0);
    }
  for (guint i = 0; i < 3000; i++)
    add_random (sample, rand, paths, inverted);
  report = ask (sample, &(Question){ .group = "none" });
  compare (weft_report_get_main_table (report), paths);
  back = ask (sample, &(Question){ .group = "none", .inverted = TRUE });
  compare (weft_report_get_main_table (back), inverted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/flame-threads/cpu", test_cpu);
  g_test_add_func ("/analyze/flame-threads/groups", test_groups);
  g_test_add_func ("/analyze/flame-threads/inverted", test_inverted);
  g_test_add_func ("/analyze/flame-threads/off-cpu", test_off_cpu);
  g_test_add_func ("/analyze/flame-threads/range", test_range);
  g_test_add_func ("/analyze/flame-threads/left-out", test_left_out);
  g_test_add_func ("/analyze/flame-threads/wall", test_wall);
  g_test_add_func ("/analyze/flame-threads/time", test_time);
  g_test_add_func ("/analyze/flame-threads/time-between-waits", test_time_between_waits);
  g_test_add_func ("/analyze/flame-threads/no-names", test_no_names);
  g_test_add_func ("/analyze/flame-threads/nothing", test_nothing);
  g_test_add_func ("/analyze/flame-threads/bad-questions", test_bad_questions);
  g_test_add_func ("/analyze/flame-threads/brute-force", test_brute_force);
  return g_test_run ();
}
