/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What programs told of their code and their counters: is it there? */

#include "weft-counter-names.h"
#include "weft-derived.h"
#include "weft-diagnosis.h"
#include "weft-enum-types.h"
#include "weft-row-scan.h"

/* ---- Sources ---- */

/* Routines that ran, by lane: each pair once. */
static GHashTable *
collect_pairs (WeftDiagnosis *self)
{
  GHashTable *pairs = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < weft_table_get_n_rows (self->work); i++)
    g_hash_table_add (pairs, GSIZE_TO_POINTER (weft_table_get_uint64 (self->work, 0, i) << 32 |
                                               (guint32) weft_table_get_uint64 (self->work, 1, i)));
  return pairs;
}

static guint64
source_of (WeftRowTable *routines, gconstpointer pair)
{
  return weft_row_table_get (routines, WEFT_ROUTINES_SOURCE, (guint32) GPOINTER_TO_SIZE (pair));
}

/* Routines without a source on lanes where others have one: there somebody meant to tell. */
static void
find_missing (GHashTable *pairs, WeftRowTable *routines, GHashTable *missing, guint64 *n_with)
{
  g_autoptr (GHashTable) told = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer pair;

  g_hash_table_iter_init (&iter, pairs);
  while (g_hash_table_iter_next (&iter, &pair, NULL))
    if (source_of (routines, pair) != 0)
      {
        g_hash_table_add (told, GSIZE_TO_POINTER (GPOINTER_TO_SIZE (pair) >> 32));
        (*n_with)++;
      }
  g_hash_table_iter_init (&iter, pairs);
  while (g_hash_table_iter_next (&iter, &pair, NULL))
    if (source_of (routines, pair) == 0 &&
        g_hash_table_contains (told, GSIZE_TO_POINTER (GPOINTER_TO_SIZE (pair) >> 32)))
      g_hash_table_add (missing, GSIZE_TO_POINTER ((guint32) GPOINTER_TO_SIZE (pair)));
}

static void
tell_missing (WeftDiagnosis *self, WeftRowTable *routines, GHashTable *missing, guint64 n_with)
{
  static const char *const question = "Are sources registered for the routines that ran?";
  static const char *const advice =
      "Register the text or the path of the source with weft_target_source_new (), and name it "
      "where the routine is made (docs/producer-guide.md)";
  g_autoptr (WeftSubjects) objects = weft_subjects_new ();

  for (guint64 i = 0; i < weft_row_table_get_n_rows (routines); i++)
    {
      guint64 id = weft_row_table_get_number (routines, i);

      if (g_hash_table_contains (missing, GSIZE_TO_POINTER (id)))
        weft_subjects_add (objects, "r", id,
                           weft_row_table_get_string (routines, WEFT_ROUTINES_NAME, id));
    }
  if (weft_subjects_get_count (objects) > 0)
    weft_diagnosis_add (self, "sources", question, WEFT_VERDICT_ATTENTION, advice, objects,
                        "On lanes where other routines have sources, %" G_GUINT64_FORMAT
                        " %s none: %s",
                        weft_subjects_get_count (objects),
                        weft_plural (weft_subjects_get_count (objects), "has", "have"),
                        weft_subjects_get_names (objects));
  else if (n_with > 0)
    weft_diagnosis_add (self, "sources", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "Every routine on lanes that tell of sources has one");
  else
    weft_diagnosis_add (self, "sources", question, WEFT_VERDICT_NOT_APPLICABLE, advice, NULL,
                        "No routine that ran names a source");
}

static gboolean
check_texts (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Are the texts of sources in the recording?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  guint64 total = weft_diagnosis_count (self, WEFT_TABLE_SOURCES);
  g_autoptr (WeftSubjects) missing = weft_subjects_new ();

  while (weft_row_cursor_next (rows))
    if (weft_row_cursor_get (rows, WEFT_SOURCES_TEXT) == 0)
      {
        const char *path = weft_row_cursor_get_string (rows, WEFT_SOURCES_PATH);

        weft_subjects_add (missing, "src", weft_row_cursor_get_number (rows),
                           path ? path : weft_row_cursor_get_string (rows, WEFT_SOURCES_HASH));
      }
  if (weft_subjects_get_count (missing) > 0)
    weft_diagnosis_add (
        self, "source-texts", question, WEFT_VERDICT_ATTENTION,
        "Give the text to weft_target_source_new (); with path or hash alone the recording cannot "
        "show it on another machine",
        missing,
        "Only path or hash is known of %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s: %s",
        weft_subjects_get_count (missing), total, weft_plural (total, "source", "sources"),
        weft_subjects_get_names (missing));
  else
    weft_diagnosis_add (self, "source-texts", question,
                        total > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        total > 0 ? "All are" : "No source was registered");
  return weft_row_cursor_finish (rows, error);
}

gboolean
weft_diagnose_sources (WeftDiagnosis *self, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_ROUTINES_NAME, WEFT_ROUTINES_SOURCE };
  g_autoptr (GHashTable) pairs = collect_pairs (self);
  g_autoptr (GHashTable) missing = g_hash_table_new (NULL, NULL);
  g_autoptr (WeftRowTable) routines =
      weft_row_table_new (self->scope, WEFT_TABLE_ROUTINES, numbers, 2, error);
  guint64 n_with = 0;

  if (routines == NULL)
    return FALSE;
  find_missing (pairs, routines, missing, &n_with);
  tell_missing (self, routines, missing, n_with);
  return check_texts (self, error);
}

/* ---- Counters ---- */

static void
check_definitions (WeftDiagnosis *self, WeftCounterNames *names)
{
  static const char *const question = "Are counters defined?";
  g_autoptr (GHashTable) filled = g_hash_table_new (NULL, NULL);
  g_autoptr (WeftSubjects) empty = weft_subjects_new ();
  guint64 n_counters = weft_row_table_get_n_rows (names->counters);
  guint64 n_sets = weft_row_table_get_n_rows (names->sets);

  for (guint64 i = 0; i < n_counters; i++)
    g_hash_table_add (filled, GSIZE_TO_POINTER (weft_counter_names_get_set (
                                  names, weft_row_table_get_number (names->counters, i))));
  for (guint64 i = 0; i < n_sets; i++)
    {
      guint64 set = weft_row_table_get_number (names->sets, i);

      if (!g_hash_table_contains (filled, GSIZE_TO_POINTER (set)))
        weft_subjects_add (empty, "cs", set, weft_counter_names_get_set_name (names, set));
    }
  if (weft_subjects_get_count (empty) > 0)
    weft_diagnosis_add (self, "counter-definitions", question, WEFT_VERDICT_ATTENTION,
                        "Name the counters of a set where it is made, with their units and kinds",
                        empty, "%" G_GUINT64_FORMAT " %s without counters: %s",
                        weft_subjects_get_count (empty),
                        weft_plural (weft_subjects_get_count (empty), "set", "sets"),
                        weft_subjects_get_names (empty));
  else if (n_sets == 0)
    weft_diagnosis_add (self, "counter-definitions", question, WEFT_VERDICT_NOT_APPLICABLE,
                        "A program that can count tells which counters it has, or why not, with "
                        "weft_target_counter_set_new ()",
                        NULL, "No counter set was defined");
  else
    weft_diagnosis_add (self, "counter-definitions", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s in %" G_GUINT64_FORMAT " %s", n_counters,
                        weft_plural (n_counters, "counter", "counters"), n_sets,
                        weft_plural (n_sets, "set", "sets"));
}

/* Sets of one availability, with the reasons that were told. */
static void
list_sets (WeftCounterNames *names, WeftAvailability availability, gboolean unsampled,
           WeftSubjects *objects)
{
  for (guint64 i = 0; i < weft_row_table_get_n_rows (names->sets); i++)
    {
      guint64 set = weft_row_table_get_number (names->sets, i);
      const WeftSetState *state = weft_counter_names_get_state (names, set);
      const char *name = weft_counter_names_get_set_name (names, set);
      g_autofree char *text = NULL;

      if (state == NULL || state->availability != availability ||
          (unsampled && state->n_samples > 0))
        continue;
      text = availability == WEFT_AVAILABILITY_PRESENT
                 ? g_strdup (name)
                 : g_strdup_printf ("%s (%s)", name ? name : "(no name)",
                                    state->reason ? state->reason : "no reason told");
      weft_subjects_add (objects, "cs", set, text);
    }
}

static gboolean
check_availability (WeftDiagnosis *self, WeftCounterNames *names)
{
  static const char *const question = "Do the counter sets deliver values?";
  static const struct
  {
    WeftAvailability availability;
    const char *check;
    WeftVerdict verdict;
    const char *what;
    const char *advice;
  } kinds[] = {
    { WEFT_AVAILABILITY_DISABLED, "counters-disabled", WEFT_VERDICT_ATTENTION, "disabled",
      "Turn them on in the program or in the tool that reports them; sampling costs what the set "
      "states as its overhead" },
    { WEFT_AVAILABILITY_UNSUPPORTED, "counters-unsupported", WEFT_VERDICT_ATTENTION, "unsupported",
      "Nothing can be done here: the device, driver or path that is used has no such counters" },
    { WEFT_AVAILABILITY_FAILING, "counters-failing", WEFT_VERDICT_PROBLEM, "failing",
      "They should work and do not: “weft target counters” tells what was tried and what came of "
      "it" },
  };
  gboolean all_well = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (WeftSubjects) sets = weft_subjects_new ();

      list_sets (names, kinds[i].availability, FALSE, sets);
      if (weft_subjects_get_count (sets) == 0)
        continue;
      all_well = FALSE;
      weft_diagnosis_add (self, kinds[i].check, question, kinds[i].verdict, kinds[i].advice, sets,
                          "%" G_GUINT64_FORMAT " %s %s: %s", weft_subjects_get_count (sets),
                          weft_plural (weft_subjects_get_count (sets), "set is", "sets are"),
                          kinds[i].what, weft_subjects_get_names (sets));
    }
  return all_well;
}

static void
check_samples (WeftDiagnosis *self, WeftCounterNames *names, gboolean all_well)
{
  static const char *const question = "Are the counters that are there sampled?";
  guint64 n_samples = weft_diagnosis_count (self, WEFT_TABLE_COUNTER_SAMPLES);
  g_autoptr (WeftSubjects) sets = weft_subjects_new ();

  list_sets (names, WEFT_AVAILABILITY_PRESENT, TRUE, sets);
  if (weft_subjects_get_count (sets) > 0)
    weft_diagnosis_add (self, "counter-samples", question, WEFT_VERDICT_ATTENTION,
                        "Add samples to dispatches or submissions, or report them with "
                        "weft_target_report_samples ()",
                        sets, "%" G_GUINT64_FORMAT " %s present and never sampled: %s",
                        weft_subjects_get_count (sets),
                        weft_plural (weft_subjects_get_count (sets), "set is", "sets are"),
                        weft_subjects_get_names (sets));
  else
    weft_diagnosis_add (self, "counter-samples", question,
                        n_samples > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s%s", n_samples,
                        weft_plural (n_samples, "sample", "samples"),
                        n_samples == 0 ? ""
                        : all_well     ? ", of every set"
                                       : ", of every set that is present");
}

static void
take_value (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  *(guint64 *) data += values[0] != 0;
}

static gboolean
check_errors (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Could all samples be resolved to values?";
  static const WeftColumnNumber columns[] = { WEFT_COUNTER_VALUES_IS_ERROR };
  guint64 total = weft_diagnosis_count (self, WEFT_TABLE_COUNTER_VALUES);
  guint64 errors = 0;

  if (!weft_scan_rows (self->scope->store, WEFT_TABLE_COUNTER_VALUES, columns, 1, take_value,
                       &errors, self->scope->cancellable, error))
    return FALSE;
  if (errors > 0)
    weft_diagnosis_add (
        self, "counter-errors", question, WEFT_VERDICT_ATTENTION,
        "“weft target counters” tells of which counters; sums and means leave these out", NULL,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s", errors, total,
        weft_plural (errors, "values is an error in a value's place",
                     "values are errors in a value's place"));
  else
    weft_diagnosis_add (self, "counter-errors", question,
                        total > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        total > 0 ? "All could" : "There are no samples");
  return TRUE;
}

gboolean
weft_diagnose_counters (WeftDiagnosis *self, GError **error)
{
  g_auto (WeftCounterNames) names = { 0 };
  gboolean all_well;

  if (!weft_counter_names_init (&names, self->scope, error))
    return FALSE;
  check_definitions (self, &names);
  all_well = check_availability (self, &names);
  check_samples (self, &names, all_well);
  return check_errors (self, error);
}

/* ---- Derived metrics ---- */

#define MAX_FAULTS 8

/* Asked only where a domain derives any. */
gboolean
weft_diagnose_derived (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Can the metrics that domains derive be computed?";
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (self->scope->recording);
  guint n_metrics;
  g_autoptr (GPtrArray) faults = weft_derived_list_faults (words, &n_metrics);

  for (guint i = 0; i < MIN (faults->len, MAX_FAULTS); i++)
    weft_diagnosis_add (self, "derived-metrics", question, WEFT_VERDICT_ATTENTION,
                        "Mend the expression in the plugin, and record again "
                        "(docs/plugin-guide.md)",
                        NULL, "%s", (const char *) faults->pdata[i]);
  if (faults->len > MAX_FAULTS)
    weft_diagnosis_add (self, "derived-metrics", question, WEFT_VERDICT_ATTENTION, NULL, NULL,
                        "%u more cannot be computed", faults->len - MAX_FAULTS);
  if (n_metrics > 0 && faults->len == 0)
    weft_diagnosis_add (self, "derived-metrics", question, WEFT_VERDICT_GOOD, NULL, NULL, "%u can",
                        n_metrics);
  return TRUE;
}
