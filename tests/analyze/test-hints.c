/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever is asked of a recording that lacks it: an empty answer says why it is empty. */

#include "sample.h"

/* What a recording has, from nothing to work that was told in full. */
typedef enum
{
  NOTHING,
  LANES,
  WORK,
  N_LEVELS
} Level;

static Sample *
make_sample (Level level)
{
  Sample *sample = sample_new ();
  guint64 lane = level >= LANES ? sample_lane (sample, "loom", "loom.queue", 0) : 0;

  if (level >= WORK)
    sample_dispatch (sample, lane, sample_routine (sample, "weave"), 10, 5);
  g_object_unref (sample_analysis (sample, "show"));
  return sample;
}

static void
ask (Sample *sample, const char *kind, const char *filter, const char *group)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftAnalysis) analysis = weft_analysis_new (sample->recording, kind, &error);
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;
  const char *hint;

  g_assert_no_error (error);
  if (filter != NULL)
    weft_analysis_set_filter (analysis, filter, &error);
  if (group != NULL)
    weft_analysis_set_group_by (analysis, group, &error);
  g_assert_no_error (error);
  report = weft_analysis_run (analysis, NULL, &error);
  g_test_message ("%s, filter %s, group %s: %s", kind, filter ? filter : "none",
                  group ? group : "none", error ? error->message : "an answer");
  /* What is about one thing says that there is none, or that it must be named. */
  if (report == NULL)
    {
      g_assert_cmpuint (strlen (error->message), >, 10);
      return;
    }
  table = weft_report_get_main_table (report);
  if (weft_table_get_n_rows (table) > 0)
    return;
  hint = weft_table_get_hint (table);
  g_test_message ("hint: %s", hint ? hint : "(none)");
  g_assert_nonnull (hint);
  g_assert_cmpuint (strlen (hint), >, 10);
}

static void
test_level (gconstpointer data)
{
  const Level level = (Level) GPOINTER_TO_UINT (data);
  g_auto (GStrv) kinds = weft_analysis_list_kinds ();
  g_autoptr (Sample) sample = make_sample (level);

  for (guint i = 0; kinds[i] != NULL; i++)
    {
      g_auto (GStrv) groups = weft_analysis_kind_list_groups (kinds[i]);
      const gboolean filters =
          (weft_analysis_kind_get_options (kinds[i]) & WEFT_ANALYSIS_OPTION_FILTER) != 0;

      ask (sample, kinds[i], NULL, NULL);
      if (filters)
        ask (sample, kinds[i], "lane:nowhere", NULL);
      for (guint k = 0; groups[k] != NULL; k++)
        if (!g_str_has_suffix (groups[k], ":"))
          ask (sample, kinds[i], NULL, groups[k]);
    }
}

/* Anything that can be asked with a range that nothing lies in. */
static void
test_range (void)
{
  g_auto (GStrv) kinds = weft_analysis_list_kinds ();
  g_autoptr (Sample) sample = make_sample (WORK);

  for (guint i = 0; kinds[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftAnalysis) analysis = weft_analysis_new (sample->recording, kinds[i], &error);
      g_autoptr (WeftReport) report = NULL;

      if ((weft_analysis_kind_get_options (kinds[i]) & WEFT_ANALYSIS_OPTION_RANGE) == 0)
        continue;
      weft_analysis_set_range (analysis, 0, 5);
      report = weft_analysis_run (analysis, NULL, &error);
      g_test_message ("%s: %s", kinds[i], error ? error->message : "an answer");
      if (report != NULL && weft_table_get_n_rows (weft_report_get_main_table (report)) == 0)
        g_assert_nonnull (weft_table_get_hint (weft_report_get_main_table (report)));
    }
}

/* A thread that hardly ran may have queued much: that is said, and not called its time. */
static void
test_parallel (void)
{
  static const char *const kinds[] = { "top", "flame" };
  g_autoptr (Sample) sample = sample_new ();
  guint64 lane = sample_lane (sample, "loom", "loom.queue", 0);
  guint64 dispatch = sample_dispatch (sample, lane, sample_routine (sample, "weave"), 10, 5);

  sample_thread (sample, 102, "weaver");
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, WEFT_ORIGIN_ROLE_DISPATCH);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ORIGINS_THREAD, 2);
  model_set (sample->model, WEFT_ORIGINS_TIME, 9);
  model_commit (sample->model);
  g_object_unref (sample_analysis (sample, "show"));
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftAnalysis) analysis = weft_analysis_new (sample->recording, kinds[i], &error);
      g_autoptr (WeftReport) report = NULL;
      const char *hint;

      weft_analysis_set_filter (analysis, "thread:weaver", &error);
      if (strcmp (kinds[i], "flame") == 0)
        weft_analysis_set_mode (analysis, "cpu", &error);
      g_assert_no_error (error);
      report = weft_analysis_run (analysis, NULL, &error);
      g_assert_no_error (error);
      hint = weft_table_get_hint (weft_report_get_main_table (report));
      g_assert_nonnull (hint);
      g_assert_nonnull (strstr (hint, "1 dispatch was queued there: parallel work"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/hints/nothing", GUINT_TO_POINTER (NOTHING), test_level);
  g_test_add_data_func ("/hints/lanes", GUINT_TO_POINTER (LANES), test_level);
  g_test_add_data_func ("/hints/work", GUINT_TO_POINTER (WORK), test_level);
  g_test_add_func ("/hints/range", test_range);
  g_test_add_func ("/hints/parallel", test_parallel);
  return g_test_run ();
}
