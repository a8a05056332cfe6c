/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CPU samples inside dispatches that run on CPUs of their own process, of a made-up recording. */

#include "cpu-rows.h"
#include "sample.h"

#include <string.h>

static void
tell_code (Sample *sample, guint64 routine, const char *function)
{
  Model *model = sample->model;

  model_begin (model, WEFT_TABLE_TAGS);
  model_set (model, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_ROUTINES);
  model_set (model, WEFT_TAGS_OWNER, routine);
  model_set (model, WEFT_TAGS_KEY, model_string (model, "code.function"));
  model_set (model, WEFT_TAGS_TEXT, model_string (model, function));
  model_commit (model);
}

/* A function of a file that was not there when it was recorded, and a sample of its line 6. */
static void
add_function (Model *model, const char *name)
{
  guint64 module = cpu_module (model, "made.so", WEFT_MODULE_KIND_FILE), symbol, frame;

  model_begin (model, WEFT_TABLE_SYMBOLS);
  model_set (model, WEFT_SYMBOLS_MODULE, module);
  model_set (model, WEFT_SYMBOLS_NAME, model_string (model, name));
  model_set (model, WEFT_SYMBOLS_FILE, model_string (model, "gone"));
  model_set (model, WEFT_SYMBOLS_LINE, 5);
  symbol = model_commit (model);
  frame = cpu_frame (model, module, 1, 0);
  cpu_frame_symbol (model, frame, 0, symbol, "gone", 6);
  cpu_sample (model, 1, 650, cpu_callchain (model, 0, frame), 9);
}

static guint64
add_routine_with_text (Model *model)
{
  static const char text[] = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
  guint32 name = model_string (model, "with text"); /* before the text, which is a string more */
  guint64 source;

  model_begin (model, WEFT_TABLE_SOURCES);
  model_set (model, WEFT_SOURCES_RUNTIME, 1);
  model_set (model, WEFT_SOURCES_TEXT,
             weft_store_writer_blob (model->writer, text, sizeof text - 1));
  source = model_commit (model);
  model_begin (model, WEFT_TABLE_ROUTINES);
  model_set (model, WEFT_ROUTINES_RUNTIME, 1);
  model_set (model, WEFT_ROUTINES_NAME, name);
  model_set (model, WEFT_ROUTINES_SOURCE, source);
  return model_commit (model);
}

/* Routine r-1 "mix" is the code of mix_body (), r-2 "add" of add_body (), r-3 tells of no code.
 * Stack 2 is pool mix_body, 3 the same with a callee, 4 pool add_body, 5 pool other.
 */
static Sample *
make_code (gboolean told)
{
  Sample *sample = sample_new ();
  Model *model = sample->model;
  guint64 module = cpu_module (model, "code.so", WEFT_MODULE_KIND_FILE);
  static const char *const names[] = { "pool", "mix_body", "callee", "add_body", "other" };
  guint64 lane = sample_lane (sample, "queue", "test.queue", 0);
  guint64 mix = sample_routine (sample, "mix"), add = sample_routine (sample, "add");

  sample_routine (sample, "far");
  sample_thread (sample, 102, "worker");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    cpu_named_frame (model, module, i + 1, names[i], i + 3);
  cpu_callchain (model, 0, 1);
  cpu_callchain (model, 1, 2);
  cpu_callchain (model, 2, 3);
  cpu_callchain (model, 1, 4);
  cpu_callchain (model, 1, 5);
  if (told)
    {
      tell_code (sample, mix, "mix_body");
      tell_code (sample, mix, "mix_body_of_another_build");
      tell_code (sample, add, "add_body");
    }
  sample_dispatch (sample, lane, mix, 100, 100);
  sample_dispatch (sample, lane, mix, 300, 100);
  sample_dispatch (sample, lane, add, 350, 200);
  sample_dispatch (sample, lane, add, 500, 100);

  cpu_sample (model, 1, 110, 2, 10);
  cpu_sample (model, 2, 120, 3, 20);
  cpu_sample (model, 1, 210, 2, 1); /* after d-1: nothing of it ran */
  cpu_sample (model, 1, 360, 2, 30);
  cpu_sample (model, 2, 360, 4, 40);
  cpu_sample (model, 2, 520, 4, 50); /* d-3 and d-4 ran */
  cpu_sample (model, 2, 580, 4, 60);
  cpu_sample (model, 1, 150, 5, 70); /* other code while d-1 ran */
  sample_meta_number (sample, "duration", 700);
  return sample;
}

static WeftReport *
ask (Sample *sample, const char *group, const char *handle, const char *filter)
{
  WeftAnalysis *analysis = sample_analysis (sample, "target-code");

  if (group != NULL)
    g_assert_true (weft_analysis_set_group_by (analysis, group, NULL));
  weft_analysis_set_handle (analysis, handle);
  if (filter != NULL)
    g_assert_true (weft_analysis_set_filter (analysis, filter, NULL));
  return sample_run (analysis);
}

static void
assert_rows (Sample *sample, const char *group, const char *handle, const char *filter,
             const char *columns, const char *expected)
{
  g_autoptr (WeftReport) report = ask (sample, group, handle, filter);

  sample_assert_table (weft_report_get_main_table (report), columns, expected);
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_code (TRUE);

  assert_rows (sample, NULL, NULL, NULL,
               "routine routine_name samples cpu_time share dispatches target_time cpus",
               "r-2 add 2 100 62.50 2 300 0.33\n"
               "r-1 mix 3 60 37.50 2 200 0.30\n");
  assert_rows (sample, "dispatch", NULL, NULL, "dispatch routine_name lane_name samples cpu_time",
               "d-4 add queue 1 60\n"
               "d-3 add queue 1 40\n"
               "d-1 mix queue 2 30\n"
               "d-2 mix queue 1 30\n");
  assert_rows (sample, "lane", NULL, NULL, "lane samples cpu_time dispatches", "l-1 5 160 4\n");
  assert_rows (sample, "function", NULL, NULL, "function samples cpu_time dispatches",
               "add_body 2 100 -\n"
               "mix_body 2 40 -\n"
               "callee 1 20 -\n");
  assert_rows (sample, "line", NULL, NULL, "function file line cpu_time",
               "add_body add_body.c 6 100\n"
               "mix_body mix_body.c 4 40\n"
               "callee callee.c 5 20\n");
  assert_rows (sample, "thread", NULL, NULL, "thread thread_name samples cpu_time",
               "t-2 worker 3 120\n"
               "t-1 main 2 40\n");
}

static void
test_fates (void)
{
  g_autoptr (Sample) sample = make_code (TRUE);
  g_autoptr (WeftReport) report = ask (sample, NULL, NULL, NULL);

  sample_assert_table (weft_report_get_table (report, "attribution"),
                       "attributed samples cpu_time share",
                       "to one dispatch 5 160 75.83\n"
                       "several ran at the time 1 50 23.70\n"
                       "none ran at the time 1 1 0.47\n");
}

/* What else ran stays what it is: a filter changes what is told, not what belongs to what. */
static void
test_choices (void)
{
  g_autoptr (Sample) sample = make_code (TRUE);

  assert_rows (sample, NULL, NULL, "routine:add", "routine_name samples cpu_time", "add 2 100\n");
  assert_rows (sample, NULL, "d-1", NULL, "function line cpu_time",
               "callee 5 20\n"
               "mix_body 4 10\n");
  assert_rows (sample, "function", "r-1", NULL, "function cpu_time",
               "mix_body 40\n"
               "callee 20\n");
}

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = make_code (FALSE);
  g_autoptr (WeftReport) report = ask (sample, NULL, NULL, NULL);
  WeftTable *table = weft_report_get_main_table (report);

  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 0);
  g_assert_nonnull (strstr (weft_table_get_hint (table), "No routine told which functions"));
}

/* A function whose file was gone is shown with the text of the routine's source. */
static void
test_source (void)
{
  g_autoptr (Sample) sample = make_code (TRUE);
  g_autoptr (WeftReport) report = NULL;
  WeftAnalysis *analysis;

  add_function (sample->model, "made_body");
  tell_code (sample, add_routine_with_text (sample->model), "made_body");
  analysis = sample_analysis (sample, "annotate");
  weft_analysis_set_handle (analysis, "made_body");
  g_assert_true (weft_analysis_set_mode (analysis, "source", NULL));
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_table (report, "lines"), "line samples self file text",
                       "6 1 9 gone six\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/code/groups", test_groups);
  g_test_add_func ("/analyze/code/fates", test_fates);
  g_test_add_func ("/analyze/code/choices", test_choices);
  g_test_add_func ("/analyze/code/nothing", test_nothing);
  g_test_add_func ("/analyze/code/source", test_source);
  return g_test_run ();
}
