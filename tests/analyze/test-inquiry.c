/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

static WeftRecording *
open_sample (Sample *sample)
{
  guint64 lane = sample_lane (sample, "loom", "loom.queue", 0);
  guint64 weave = sample_routine (sample, "weave");
  guint64 dye = sample_routine (sample, "dye");

  sample_dispatch (sample, lane, weave, 10, 5);
  sample_dispatch (sample, lane, weave, 20, 7);
  sample_dispatch (sample, lane, dye, 30, 100);
  g_object_unref (sample_analysis (sample, "target-lanes"));
  return sample->recording;
}

static void
test_asking (void)
{
  static const char *const groups[] = { "routine.name", NULL };
  static const char *const selects[] = { "count()", "sum(duration)", NULL };
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("loom", open_sample (sample), NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTable) answer = NULL;
  g_autoptr (WeftReport) lanes = NULL;
  g_autoptr (GListModel) findings = NULL;
  g_autoptr (WeftFinding) finding = NULL;

  g_assert_true (weft_inquiry_get_recording (inquiry) == sample->recording);
  g_assert_cmpfloat (weft_inquiry_ask_number (inquiry, "dispatches", NULL, "count()"), ==, 3);
  g_assert_cmpfloat (weft_inquiry_ask_number (inquiry, "dispatches", "routine:nothing", "max(end)"),
                     ==, 0);
  answer =
      weft_inquiry_ask (inquiry, "dispatches", "kind:loom.*", groups, selects, "-sum(duration)", 1);
  g_assert_cmpuint (weft_table_get_n_rows (answer), ==, 1);
  g_assert_cmpstr (weft_table_get_string (answer, 0, 0), ==, "dye");
  lanes = weft_inquiry_analyze (inquiry, "target-lanes", "kind:loom.*");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_main_table (lanes)), ==, 1);

  weft_inquiry_tell (inquiry, "loom.threads", "Do threads hold?", WEFT_VERDICT_GOOD,
                     "Buy better yarn", NULL, "%d do", 3);
  g_assert_false (weft_inquiry_is_over (inquiry));
  findings = weft_inquiry_end (inquiry, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (findings), ==, 1);
  finding = g_list_model_get_item (findings, 0);
  g_assert_cmpstr (weft_finding_get_evidence (finding), ==, "3 do");
  g_assert_null (weft_finding_get_advice (finding));
}

/* The first question that fails is the one that is told; nothing is found behind it. */
static void
test_failing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("loom", open_sample (sample), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpfloat (weft_inquiry_ask_number (inquiry, "dispatches", NULL, "count(yarn)"), ==, 0);
  g_assert_true (weft_inquiry_is_over (inquiry));
  g_assert_null (weft_inquiry_ask (inquiry, "no such table", NULL, NULL, NULL, NULL, 0));
  g_assert_null (weft_inquiry_analyze (inquiry, "target-lanes", NULL));
  weft_inquiry_add (inquiry, "loom.threads", "Do threads hold?", WEFT_VERDICT_GOOD, "All", NULL,
                    NULL);
  g_assert_null (weft_inquiry_end (inquiry, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "yarn"));
}

/* What was found in time is told, and that there was more to ask. */
static void
test_cancelled (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("loom", open_sample (sample), cancellable);
  g_autoptr (GListModel) findings = NULL;
  g_autoptr (WeftFinding) last = NULL;

  weft_inquiry_add (inquiry, "loom.threads", "Do threads hold?", WEFT_VERDICT_ATTENTION, "Some",
                    "Buy better yarn", NULL);
  g_cancellable_cancel (cancellable);
  weft_inquiry_ask_number (inquiry, "dispatches", "dur>1ns", "count()");
  findings = weft_inquiry_end (inquiry, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (findings), ==, 2);
  last = g_list_model_get_item (findings, 1);
  g_assert_cmpstr (weft_finding_get_check (last), ==, "loom.time");
}

static void
test_subjects (void)
{
  g_autoptr (WeftSubjects) subjects = weft_subjects_new ();
  g_autofree char *one = weft_format_count (1, "thread", "threads");
  g_autofree char *none = weft_format_count (0, "thread", "threads");

  g_assert_cmpstr (one, ==, "1 thread");
  g_assert_cmpstr (none, ==, "0 threads");
  g_assert_cmpstr (weft_subjects_get_names (subjects), ==, "");
  g_assert_null (weft_subjects_get_handles (subjects)[0]);
  weft_subjects_add (subjects, "l", 3, "a");
  weft_subjects_add (subjects, "l", 4, "a");
  weft_subjects_add (subjects, NULL, 0, NULL);
  g_assert_cmpuint (weft_subjects_get_count (subjects), ==, 3);
  g_assert_cmpstr (weft_subjects_get_names (subjects), ==, "a, (no name)");
  g_assert_cmpstr (weft_subjects_get_handles (subjects)[1], ==, "l-4");
  g_assert_null (weft_subjects_get_handles (subjects)[2]);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      weft_subjects_add (subjects, "l", i, name);
    }
  g_assert_cmpstr (weft_subjects_get_names (subjects), ==, "a, (no name), 0, 1, 2, 3 and 96 more");
  g_assert_cmpuint (g_strv_length ((char **) weft_subjects_get_handles (subjects)), ==, 32);
}

static void
test_subjects_of_rows (void)
{
  static const char *const selects[] = { "id", "name", NULL };
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("loom", open_sample (sample), NULL);
  g_autoptr (WeftTable) routines =
      weft_inquiry_ask (inquiry, "routines", NULL, NULL, selects, NULL, 0);
  g_autoptr (WeftSubjects) subjects = weft_subjects_new ();

  weft_subjects_add_rows (subjects, routines, 0, 1);
  g_assert_cmpstr (weft_subjects_get_names (subjects), ==, "weave, dye");
  g_assert_cmpstr (weft_subjects_get_handles (subjects)[1], ==, "r-2");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inquiry/asking", test_asking);
  g_test_add_func ("/inquiry/failing", test_failing);
  g_test_add_func ("/inquiry/cancelled", test_cancelled);
  g_test_add_func ("/inquiry/subjects", test_subjects);
  g_test_add_func ("/inquiry/subjects-of-rows", test_subjects_of_rows);
  return g_test_run ();
}
