/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

static void
add_counts (Sample *sample, guint64 lane, guint64 submitted, guint64 completed, guint64 pending,
            guint64 rejected, guint64 lost)
{
  model_begin (sample->model, WEFT_TABLE_LANE_COUNTS);
  model_set (sample->model, WEFT_LANE_COUNTS_LANE, lane);
  model_set (sample->model, WEFT_LANE_COUNTS_SUBMITTED, submitted);
  model_set (sample->model, WEFT_LANE_COUNTS_COMPLETED, completed);
  model_set (sample->model, WEFT_LANE_COUNTS_PENDING, pending);
  model_set (sample->model, WEFT_LANE_COUNTS_REJECTED, rejected);
  model_set (sample->model, WEFT_LANE_COUNTS_LOST, lost);
  model_commit (sample->model);
}

static void
add_loss (Sample *sample, guint64 lane, WeftLossCategory category, const char *reason,
          guint64 count)
{
  model_begin (sample->model, WEFT_TABLE_LOSSES);
  model_set (sample->model, WEFT_LOSSES_LANE, lane);
  model_set (sample->model, WEFT_LOSSES_CATEGORY, category);
  model_set (sample->model, WEFT_LOSSES_REASON, model_string (sample->model, reason));
  model_set (sample->model, WEFT_LOSSES_COUNT, count);
  model_commit (sample->model);
}

/* What “diagnose” says of CHECK: its verdict and evidence; to be freed. */
static char *
find_finding (WeftRecording *recording, const char *check)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftAnalysis) analysis = weft_analysis_new (recording, "diagnose", &error);
  g_autoptr (WeftReport) report = weft_analysis_run (analysis, NULL, &error);
  WeftTable *table;

  g_assert_no_error (error);
  table = weft_report_get_main_table (report);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    if (strcmp (weft_table_get_string (table, 0, i), check) == 0)
      {
        g_autofree char *verdict = weft_table_get_text (table, 2, i);

        return g_strdup_printf ("%s: %s", verdict, weft_table_get_string (table, 3, i));
      }
  return NULL;
}

static void
test_terms (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *finding = NULL;
  guint64 lane = sample_lane (sample, "loom", "loom.queue", 0);
  guint64 weave = sample_routine (sample, "weave");

  sample_lane (sample, "idle", "loom.queue", 0);
  sample_dispatch (sample, lane, weave, 10, 5);
  sample_dispatch (sample, lane, weave, 20, 7);
  /* The last row counts. */
  add_counts (sample, lane, 3, 1, 2, 0, 0);
  add_counts (sample, lane, 12, 2, 1, 4, 5);
  add_loss (sample, lane, WEFT_LOSS_CATEGORY_REJECTED, "times-reversed", 4);
  add_loss (sample, lane, WEFT_LOSS_CATEGORY_LOST, "no-room", 5);
  add_loss (sample, lane, WEFT_LOSS_CATEGORY_REPAIRED, "string-cut", 9);
  report = sample_run (sample_analysis (sample, "target-conservation"));
  sample_assert_table (weft_report_get_main_table (report),
                       "lane submitted completed pending sampled_out rejected lost missing in_file "
                       "let_go holds reasons",
                       "l-1 12 2 1 0 4 5 0 2 0 yes times-reversed 4, no-room 5\n"
                       "l-2 0 0 0 0 0 0 0 0 0 yes -\n");
  finding = find_finding (sample->recording, "conservation");
  g_assert_cmpstr (finding, ==,
                   "good: It holds on 1 lane; together: 12 submitted = 2 completed + 1 pending + 0 "
                   "sampled out + 4 rejected + 5 lost");
}

static void
test_unexplained (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *finding = NULL;
  guint64 weave = sample_routine (sample, "weave");
  guint64 first = sample_lane (sample, "lacks", "loom.queue", 0);
  guint64 second = sample_lane (sample, "unrowed", "loom.queue", 0);

  sample_dispatch (sample, first, weave, 10, 5);
  add_counts (sample, first, 3, 1, 0, 0, 0);
  add_counts (sample, second, 1, 1, 0, 0, 0);
  report = sample_run (sample_analysis (sample, "target-conservation"));
  sample_assert_table (weft_report_get_main_table (report), "name missing in_file holds",
                       "lacks 2 1 no\nunrowed 0 0 no\n");
  finding = find_finding (sample->recording, "conservation");
  g_assert_cmpstr (finding, ==, "problem: On 2 of 2 lanes the sum does not hold: lacks, unrowed");
}

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "idle", "loom.queue", 0);
  report = sample_run (sample_analysis (sample, "target-conservation"));
  g_assert_nonnull (
      strstr (weft_table_get_hint (weft_report_get_main_table (report)), "Nothing was counted"));
}

/* ---- Who queued it ---- */

static void
add_word (Sample *sample, const char *kind, const char *key, const char *text)
{
  model_begin (sample->model, WEFT_TABLE_WORDS);
  model_set (sample->model, WEFT_WORDS_DOMAIN, model_string (sample->model, "loom"));
  model_set (sample->model, WEFT_WORDS_SCOPE, model_string (sample->model, "kind"));
  model_set (sample->model, WEFT_WORDS_SUBJECT, model_string (sample->model, kind));
  model_set (sample->model, WEFT_WORDS_KEY, model_string (sample->model, key));
  model_set (sample->model, WEFT_WORDS_TEXT, model_string (sample->model, text));
  model_commit (sample->model);
}

static Sample *
make_loop (const char *driver)
{
  Sample *sample = sample_new ();
  guint64 lane = sample_lane (sample, "loop", "loom.loop", 0);
  guint64 weave = sample_routine (sample, "weave");

  add_word (sample, "loom.loop", "label", "Shuttle");
  if (driver != NULL)
    add_word (sample, "loom.*", "driver", driver);
  sample_dispatch (sample, lane, weave, 10, 5);
  g_object_unref (sample_analysis (sample, "diagnose"));
  return sample;
}

static void
test_self_driven (void)
{
  g_autoptr (Sample) sample = make_loop ("self");
  g_autofree char *finding = find_finding (sample->recording, "origins");

  g_assert_cmpstr (finding, ==,
                   "not-applicable: Nobody queues it: such lanes drive themselves (Shuttle)");
}

static void
test_queued (void)
{
  g_autoptr (Sample) sample = make_loop (NULL);
  g_autoptr (Sample) others = make_loop ("others");
  g_autofree char *unsaid = find_finding (sample->recording, "origins");
  g_autofree char *said = find_finding (others->recording, "origins");

  g_assert_cmpstr (unsaid, ==, "attention: No dispatch of 1 tells what queued it");
  g_assert_cmpstr (said, ==, unsaid);
}

static void
add_origin (Sample *sample, WeftOriginRole role, guint64 dispatch)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ORIGINS_THREAD, 1);
  model_set (sample->model, WEFT_ORIGINS_TID, 101);
  model_set (sample->model, WEFT_ORIGINS_TIME, 12);
  model_set (sample->model, WEFT_ORIGINS_RUNTIME, 1);
  model_commit (sample->model);
}

/* Whoever only heard of an end is not told to copy stacks where work is queued. */
static void
test_heard (void)
{
  const WeftDerivedColumn status = { WEFT_ORIGINS_LINK_STATUS, NULL, WEFT_LINK_STATUS_NO_STACK };
  g_autoptr (Sample) sample = sample_new ();
  g_autofree char *heard = NULL, *links = NULL, *stacks = NULL;
  guint64 lane = sample_lane (sample, "loom", "loom.queue", 0);
  guint64 weave = sample_routine (sample, "weave");
  guint64 dispatch = sample_dispatch (sample, lane, weave, 10, 5);

  add_origin (sample, WEFT_ORIGIN_ROLE_COMPLETION, dispatch);
  add_origin (sample, WEFT_ORIGIN_ROLE_FAULT, dispatch);
  weft_store_writer_derive (sample->model->writer, WEFT_TABLE_ORIGINS, 1, 1, 2, &status, 1, FALSE);
  g_object_unref (sample_analysis (sample, "diagnose"));
  heard = find_finding (sample->recording, "completion-stacks");
  links = find_finding (sample->recording, "origin-links");
  stacks = find_finding (sample->recording, "origin-stacks");
  g_assert_true (g_str_has_prefix (heard, "not-applicable: Of 2 origins that heard"));
  g_assert_cmpstr (links, ==, "not-applicable: There are only origins that heard of an end");
  g_assert_null (stacks);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conservation/terms", test_terms);
  g_test_add_func ("/conservation/unexplained", test_unexplained);
  g_test_add_func ("/conservation/nothing", test_nothing);
  g_test_add_func ("/diagnosis/self-driven", test_self_driven);
  g_test_add_func ("/diagnosis/queued", test_queued);
  g_test_add_func ("/diagnosis/heard", test_heard);
  return g_test_run ();
}
