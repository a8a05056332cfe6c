/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <weft.h>

static WeftVocabulary *
weaving (void)
{
  WeftVocabulary *words = weft_vocabulary_new ("weaving");

  weft_vocabulary_set_title (words, "Weaving", "Looms and what runs on them.");
  weft_vocabulary_add_kind (words, "weaving.*", "Weaving", NULL, NULL);
  weft_vocabulary_add_kind (words, "weaving.loom", "Loom", "loom-symbolic", "#a0b1c2");
  weft_vocabulary_add_kind (words, "weaving.loom.*", "Part of a loom", NULL, "#000000");
  weft_vocabulary_add_word (words, NULL, "submission", "batch", "batches");
  weft_vocabulary_add_word (words, "weaving.loom", "submission", "warp", NULL);
  weft_vocabulary_add_attribute (words, "width", "Width", "cm", NULL);
  weft_vocabulary_add_counter (words, "threads", "Threads", "count", "How many.",
                               WEFT_POLARITY_HIGHER);
  weft_vocabulary_add_metric (words, "breaks", "Breaks", "count", NULL, WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "breaks-per-thread", "breaks / threads",
                                      "Breaks per thread", NULL, NULL, WEFT_POLARITY_LOWER);
  weft_vocabulary_add_hint (words, "jam", "Open the shed.");
  return words;
}

static WeftVocabulary *
knitting (void)
{
  WeftVocabulary *words = weft_vocabulary_new ("knitting");

  weft_vocabulary_add_kind (words, "knitting.*", "Knitting", NULL, "#ffffff");
  weft_vocabulary_add_attribute (words, "width", "Stitches", "count", "In a row.");
  return words;
}

static void
test_kinds (void)
{
  g_autoptr (WeftVocabulary) words = weaving ();

  g_assert_cmpstr (weft_vocabulary_get_label (words, "weaving.loom"), ==, "Loom");
  g_assert_cmpstr (weft_vocabulary_get_label (words, "weaving.loom.heddle"), ==, "Part of a loom");
  g_assert_cmpstr (weft_vocabulary_get_label (words, "weaving.loomy.x"), ==, "Weaving");
  g_assert_cmpstr (weft_vocabulary_get_label (words, "weaving"), ==, "weaving");
  g_assert_cmpstr (weft_vocabulary_get_icon_name (words, "weaving.loom"), ==, "loom-symbolic");
  g_assert_cmpstr (weft_vocabulary_get_color (words, "weaving.loom"), ==, "#a0b1c2");
  g_assert_cmpstr (weft_vocabulary_get_color (words, "weaving.loom.x.y"), ==, "#000000");
  g_assert_cmpstr (weft_vocabulary_find_domain (words, "weaving.x"), ==, "weaving");
  g_assert_null (weft_vocabulary_find_domain (words, "other.x"));
  g_assert_cmpstr (weft_vocabulary_get_domain_label (words, "weaving"), ==, "Weaving");
  g_assert_cmpstr (weft_vocabulary_get_hint (words, "jam"), ==, "Open the shed.");
}

static void
test_defaults (void)
{
  g_autoptr (WeftVocabulary) words = weft_vocabulary_new (NULL);
  g_autoptr (WeftTerm) term = weft_vocabulary_get_counter (words, "a.b", "cycles");

  g_assert_cmpstr (weft_vocabulary_get_label (words, "a.b"), ==, "a.b");
  g_assert_cmpuint (strlen (weft_vocabulary_get_icon_name (words, "a.b")), >, 0);
  g_assert_cmpstr (weft_vocabulary_get_color (words, "a.b"), ==,
                   weft_vocabulary_get_color (words, "a.b"));
  g_assert_cmpuint (strlen (weft_vocabulary_get_color (words, "a.b")), ==, 7);
  g_assert_cmpstr (weft_vocabulary_get_word (words, "a.b", "dispatch", FALSE), ==, "dispatch");
  g_assert_cmpstr (weft_vocabulary_get_word (words, "a.b", "dispatch", TRUE), ==, "dispatches");
  g_assert_cmpstr (weft_vocabulary_get_word (words, NULL, "lane", TRUE), ==, "lanes");
  g_assert_cmpstr (weft_term_get_label (term), ==, "cycles");
  g_assert_null (weft_term_get_unit (term));
  g_assert_null (weft_term_get_domain (term));
  g_assert_cmpint (weft_term_get_polarity (term), ==, WEFT_POLARITY_NEUTRAL);
  g_assert_null (weft_vocabulary_get_derived_metric (words, NULL, "x"));
  g_assert_null (weft_vocabulary_get_hint (words, "x"));
}

static void
test_words (void)
{
  g_autoptr (WeftVocabulary) words = weaving ();

  g_assert_cmpstr (weft_vocabulary_get_word (words, "weaving.x", "submission", FALSE), ==, "batch");
  g_assert_cmpstr (weft_vocabulary_get_word (words, "weaving.x", "submission", TRUE), ==,
                   "batches");
  g_assert_cmpstr (weft_vocabulary_get_word (words, "weaving.loom", "submission", TRUE), ==,
                   "warps");
  g_assert_cmpstr (weft_vocabulary_get_word (words, "other.x", "submission", TRUE), ==,
                   "submissions");
}

static void
test_merge (void)
{
  g_autoptr (WeftVocabulary) words = weft_vocabulary_new (NULL);
  g_autoptr (WeftVocabulary) first = weaving (), second = knitting ();
  g_autoptr (WeftTerm) any = NULL, knitted = NULL;
  g_autoptr (GListModel) attributes = NULL;
  g_auto (GStrv) domains = NULL;
  guint n;

  weft_vocabulary_merge (words, first);
  weft_vocabulary_merge (words, second);
  n = weft_vocabulary_get_n_rows (words);
  weft_vocabulary_merge (words, second);
  g_assert_cmpuint (weft_vocabulary_get_n_rows (words), ==, n);

  any = weft_vocabulary_get_attribute (words, NULL, "width");
  knitted = weft_vocabulary_get_attribute (words, "knitting.needle", "width");
  g_assert_cmpstr (weft_term_get_label (any), ==, "Width");
  g_assert_null (weft_term_get_description (any));
  g_assert_cmpstr (weft_term_get_label (knitted), ==, "Stitches");
  g_assert_cmpstr (weft_term_get_unit (knitted), ==, "count");
  attributes = weft_vocabulary_get_attributes (words);
  g_assert_cmpuint (g_list_model_get_n_items (attributes), ==, 2);
  domains = weft_vocabulary_get_domains (words);
  g_assert_cmpuint (g_strv_length (domains), ==, 2);
}

static void
test_rows (void)
{
  g_autoptr (WeftVocabulary) words = weaving (), again = NULL;
  g_autoptr (GVariant) rows = weft_vocabulary_to_rows (words), back = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTerm) derived = NULL;
  const char *domain, *scope, *subject, *key, *text;

  again = weft_vocabulary_new_from_rows (rows, &error);
  g_assert_no_error (error);
  back = weft_vocabulary_to_rows (again);
  g_assert_true (g_variant_equal (rows, back));
  weft_vocabulary_get_row (again, 0, &domain, &scope, &subject, &key, &text);
  g_assert_cmpstr (domain, ==, "weaving");
  g_assert_cmpstr (scope, ==, "domain");
  g_assert_cmpstr (subject, ==, "");
  g_assert_cmpstr (key, ==, "label");
  g_assert_cmpstr (text, ==, "Weaving");
  derived = weft_vocabulary_get_derived_metric (again, NULL, "breaks-per-thread");
  g_assert_cmpstr (weft_term_get_expression (derived), ==, "breaks / threads");
  g_assert_cmpint (weft_term_get_polarity (derived), ==, WEFT_POLARITY_LOWER);
}

static void
test_strange_rows (void)
{
  g_autoptr (WeftVocabulary) words = weft_vocabulary_new (NULL);
  g_autoptr (GError) error = NULL;
  const char *const unsound[][5] = { { "", "kind", "a.b", "label", "x" },
                                     { "a", "", "a.b", "label", "x" },
                                     { "a", "kind", "a.b", "", "x" },
                                     { "a", "ki\x1fnd", "a.b", "label", "x" },
                                     { "a", "kind", "a.b", "label", "\xff" } };

  for (guint i = 0; i < G_N_ELEMENTS (unsound); i++)
    {
      g_assert_false (weft_vocabulary_add_row (words, unsound[i][0], unsound[i][1], unsound[i][2],
                                               unsound[i][3], unsound[i][4], &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED);
      g_clear_error (&error);
    }
  /* What later versions say is kept; what makes no sense is not shown. */
  g_assert_true (weft_vocabulary_add_row (words, "a", "shape", "b", "corners", "4", NULL));
  g_assert_true (weft_vocabulary_add_row (words, "a", "kind", "a.b", "color", "red", NULL));
  g_assert_cmpuint (weft_vocabulary_get_n_rows (words), ==, 2);
  g_assert_cmpint (weft_vocabulary_get_color (words, "a.b")[0], ==, '#');
}

static void
test_too_many_rows (void)
{
  g_autoptr (WeftVocabulary) words = weft_vocabulary_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 100000; i++)
    {
      char subject[16];

      g_snprintf (subject, sizeof subject, "%u", i);
      g_assert_true (weft_vocabulary_add_row (words, "a", "hint", subject, "text", "", NULL));
    }
  g_assert_false (weft_vocabulary_add_row (words, "a", "hint", "more", "text", "", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED);
}

static void
check_progress (WeftProgress *progress, GParamSpec *pspec, gpointer data)
{
  guint *heard = data;

  g_assert_true (g_main_context_is_owner (g_main_context_default ()));
  (*heard)++;
}

static gpointer
report (gpointer data)
{
  for (guint i = 0; i <= 1000; i++)
    weft_progress_report (data, i / 1000.0, i == 0 ? "Spinning" : NULL);
  return NULL;
}

static void
test_progress (void)
{
  g_autoptr (WeftProgress) progress = weft_progress_new ();
  g_autofree char *text = NULL;
  guint heard = 0;

  g_assert_cmpfloat (weft_progress_get_fraction (progress), <, 0);
  g_signal_connect (progress, "notify::fraction", G_CALLBACK (check_progress), &heard);
  g_thread_join (g_thread_new ("work", report, progress));
  g_assert_cmpuint (heard, ==, 0);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
  g_assert_cmpuint (heard, ==, 1);
  g_assert_cmpfloat (weft_progress_get_fraction (progress), ==, 1);
  text = weft_progress_dup_text (progress);
  g_assert_cmpstr (text, ==, "Spinning");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugin/vocabulary/kinds", test_kinds);
  g_test_add_func ("/plugin/vocabulary/defaults", test_defaults);
  g_test_add_func ("/plugin/vocabulary/words", test_words);
  g_test_add_func ("/plugin/vocabulary/merge", test_merge);
  g_test_add_func ("/plugin/vocabulary/rows", test_rows);
  g_test_add_func ("/plugin/vocabulary/strange-rows", test_strange_rows);
  g_test_add_func ("/plugin/vocabulary/too-many-rows", test_too_many_rows);
  g_test_add_func ("/plugin/progress", test_progress);
  return g_test_run ();
}
