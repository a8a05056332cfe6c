/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was rejected, lost, sampled out or mended, reason by reason, and what helps. */

#include "weft-diagnosis.h"
#include "weft-loss-totals.h"

#include <string.h>

static const struct
{
  const char *reason;
  const char *check; /* or NULL: made of category and reason */
  const char *meaning;
  const char *advice;
} reasons[] = {
  { "times-reversed", "target-times", "the end lies before the start",
    "Give start and end in this order and of the same clock" },
  { "out-of-range", "target-times", "outside the run, or longer than it",
    "Give times of weft_target_now () or of the lane's own clock; a device's ticks need "
    "calibration" },
  { "before-recording", "target-times", "over before the recording began",
    "Nothing is wrong if work was under way when recording began" },
  { "no-clock", "clock-calibration", "times of a clock that was never calibrated",
    "Call weft_target_clock_calibrate () before the first dispatch and now and then" },
  { "unknown-lane", NULL, "of a lane that does not exist",
    "Make the lane first, in the same process" },
  { "unknown-routine", NULL, "of no routine, or of one that does not exist",
    "Make the routine first, in the same process" },
  { "unknown-id", NULL, "naming a set, artifact, queue, submission or clock that does not exist",
    "Register it first; what named it was kept without it" },
  { "duplicate-id", NULL, "with an id that another one has",
    "Take ids from weft_target_id_new (), each for one dispatch" },
  { "malformed", NULL, "making no sense to the recorder",
    "The program overwrites its own memory, or its libweft-target is broken: run it under a memory "
    "checker" },
  { "unknown-type", NULL, "of a type that this recorder does not know",
    "Record with a newer weft: the program was built against a later libweft-target" },
  { "invalid", NULL, "refused by the library in the program itself",
    "Check what is given: lane and routine must not be NULL, sizes and kinds must be right" },
  { "no-room", NULL, "reported faster than the recorder could take it",
    "Report fewer or longer dispatches, sample them with weft_target_set_sampling (), or give the "
    "recorder more room and a quieter machine" },
  { "reentrant", NULL, "reported by a signal handler that interrupted another report",
    "Report from outside signal handlers" },
  { "disconnected", NULL, "reported while no recorder was connected",
    "The recorder ended or was started again meanwhile; “weft show” lists the runtimes" },
  { "too-large", NULL, "larger than a record may be",
    "Attach fewer and shorter things to one dispatch" },
  { "sequence-gap", NULL, "missing from what a thread wrote",
    "Parts of the shared memory or of the spool are missing or damaged" },
  { "too-many-pending", NULL, "not kept, because too much was pending",
    "Complete what is reserved, end traces, and leave out what never ends" },
  { "too-many-registered", "registrations", "not registered, because the registry is full",
    "Register each lane, routine and source once and not for each piece of work" },
  { "stack-skipped", NULL, "stack not copied, to keep the program fast",
    "Capture stacks less often: at most 20,000 a second of a thread are copied" },
  { "sample-lost", "sample-losses", "CPU event that the kernel dropped before it was fetched",
    "Sample less often, or give the recorder a quieter machine: its thread came too late" },
  { "sampler-behind", "sample-losses", "CPU event left out, because too many waited to be written",
    "Sample less often, watch fewer threads, or record to a faster disk" },
  { "snapshot-skipped", "wait-snapshots", "wait whose stack was not read, to keep its cost low",
    "Waits are counted all the same; watch fewer threads for more of their stacks" },
  { "by-sampling", "sampled-out", "left out, as the program asked", NULL },
  { "string-cut", NULL, "text cut to what a record may hold",
    "Use shorter names, messages and tags" },
  { "list-cut", NULL, "list cut to what a record may hold", "Attach fewer things to one dispatch" },
  { "invalid-utf8", NULL, "text was not UTF-8; the wrong bytes were replaced",
    "Give all texts in UTF-8" },
};

static const struct
{
  const char *name;
  const char *question;
  WeftVerdict verdict;
  const char *none;
} categories[] = {
  [WEFT_LOSS_CATEGORY_REJECTED] = { "rejected", "Was everything sound that was reported?",
                                    WEFT_VERDICT_ATTENTION, "Nothing was rejected" },
  [WEFT_LOSS_CATEGORY_LOST] = { "lost", "Did queues drop anything?", WEFT_VERDICT_PROBLEM,
                                "Nothing was lost" },
  [WEFT_LOSS_CATEGORY_SAMPLED_OUT] = { "sampled-out", "Was anything left out by sampling?",
                                       WEFT_VERDICT_GOOD, "Nothing was sampled out" },
  [WEFT_LOSS_CATEGORY_REPAIRED] = { "repaired", "Were names or lists cut or mended?",
                                    WEFT_VERDICT_ATTENTION, "Nothing was cut or mended" },
};

static int
find_reason (const char *reason)
{
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (strcmp (reasons[i].reason, reason) == 0)
      return (int) i;
  return -1;
}

static gboolean
is_about_times (const char *reason)
{
  int known = find_reason (reason);

  return known >= 0 && g_strcmp0 (reasons[known].check, "target-times") == 0;
}

/* One finding for all losses of a category for one reason. */
static void
tell_reason (WeftDiagnosis *self, GArray *totals, guint category, const char *reason)
{
  int known = find_reason (reason);
  const char *check = known < 0 ? NULL : reasons[known].check;
  g_autofree char *name = g_strdup_printf ("%s-%s", categories[category].name, reason);
  guint64 count = 0;
  g_autoptr (WeftSubjects) lanes = weft_subjects_new ();

  for (guint i = 0; i < totals->len; i++)
    {
      const WeftLossTotal *total = &g_array_index (totals, WeftLossTotal, i);

      if (total->category != category || strcmp (total->reason, reason) != 0)
        continue;
      count += total->count;
      if (total->lane != 0)
        weft_subjects_add (lanes, "l", total->lane,
                           weft_catalog_get_lane_name (self->catalog, (guint32) total->lane));
    }
  weft_diagnosis_add (self, check ? check : name,
                      check && is_about_times (reason) ? "Are times in range and in order?"
                                                       : categories[category].question,
                      categories[category].verdict, known < 0 ? NULL : reasons[known].advice, lanes,
                      "%" G_GUINT64_FORMAT " × %s%s%s", count, reason, known < 0 ? "" : ": ",
                      known < 0 ? "" : reasons[known].meaning);
}

static int
compare_reasons (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The reasons of a category, each once, in the order of their words. */
static GPtrArray *
list_reasons (GArray *totals, guint category)
{
  GPtrArray *list = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < totals->len; i++)
    {
      const WeftLossTotal *total = &g_array_index (totals, WeftLossTotal, i);

      if (total->category == category && total->count > 0 &&
          g_hash_table_add (seen, (gpointer) total->reason))
        g_ptr_array_add (list, (gpointer) total->reason);
    }
  g_ptr_array_sort (list, compare_reasons);
  return list;
}

static void
check_times (WeftDiagnosis *self, GArray *totals)
{
  static const char *const question = "Are times in range and in order?";
  g_autoptr (GPtrArray) list = list_reasons (totals, WEFT_LOSS_CATEGORY_REJECTED);

  for (guint i = 0; i < list->len; i++)
    if (is_about_times (g_ptr_array_index (list, i)))
      return;
  weft_diagnosis_add (self, "target-times", question,
                      weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES) > 0
                          ? WEFT_VERDICT_GOOD
                          : WEFT_VERDICT_NOT_APPLICABLE,
                      NULL, NULL,
                      "No dispatch was rejected for times that are reversed, out of range or from "
                      "before the recording");
}

static void
check_category (WeftDiagnosis *self, GArray *totals, guint category)
{
  g_autoptr (GPtrArray) list = list_reasons (totals, category);
  guint n_told = 0;

  for (guint i = 0; i < list->len; i++)
    {
      const char *reason = g_ptr_array_index (list, i);

      tell_reason (self, totals, category, reason);
      n_told += !is_about_times (reason) && strcmp (reason, "too-many-registered") != 0;
    }
  if (n_told == 0)
    weft_diagnosis_add (self, categories[category].name, categories[category].question,
                        WEFT_VERDICT_GOOD, NULL, NULL, "%s", categories[category].none);
}

/* ---- What programs counted themselves ---- */

static gboolean
check_programs (WeftDiagnosis *self, GArray *totals, GError **error)
{
  static const struct
  {
    const char *name;
    const char *check;
    const char *question;
    WeftVerdict verdict;
    const char *meaning;
    const char *advice;
  } counts[] = {
    { "registry-full", "registrations", "Could everything be registered?", WEFT_VERDICT_PROBLEM,
      "Registrations refused: the registry is full",
      "Register each lane, routine and source once and not for each piece of work" },
    { "schema-mismatch", "program-versions", "Do programs and recorder understand each other?",
      WEFT_VERDICT_PROBLEM, "Connections refused for versions that do not fit",
      "Record with a newer weft, or build the program against this libweft-target" },
    { "unsupported", "program-support", "Can the programs report here?", WEFT_VERDICT_PROBLEM,
      "Reports impossible on this system",
      "Set WEFT_TARGET_SPOOL, and import the file with “weft import”" },
    { "listener-errors", "program-listeners", "Did listeners in the programs work?",
      WEFT_VERDICT_ATTENTION, "Events at which a listener in the program failed",
      "The listener is the program's own code: see what it returns" },
  };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_RUNTIME_STATS);
  guint64 sums[G_N_ELEMENTS (counts)] = { 0 };
  gboolean registrations = FALSE;

  while (weft_row_cursor_next (rows))
    for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
      if (g_strcmp0 (weft_row_cursor_get_string (rows, WEFT_RUNTIME_STATS_NAME), counts[i].name) ==
          0)
        sums[i] += weft_row_cursor_get (rows, WEFT_RUNTIME_STATS_COUNT);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (sums[i] > 0)
      weft_diagnosis_add (self, counts[i].check, counts[i].question, counts[i].verdict,
                          counts[i].advice, NULL, "%s: %" G_GUINT64_FORMAT, counts[i].meaning,
                          sums[i]);
  for (guint i = 0; i < totals->len; i++)
    registrations |=
        strcmp (g_array_index (totals, WeftLossTotal, i).reason, "too-many-registered") == 0;
  if (sums[0] == 0 && !registrations)
    weft_diagnosis_add (self, "registrations", counts[0].question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "No registration was refused");
  return weft_row_cursor_finish (rows, error);
}

gboolean
weft_diagnose_losses (WeftDiagnosis *self, GError **error)
{
  g_autoptr (GArray) totals = weft_loss_totals_read (self->scope, error);

  if (totals == NULL)
    return FALSE;
  check_times (self, totals);
  for (guint i = 0; i < G_N_ELEMENTS (categories); i++)
    check_category (self, totals, i);
  return check_programs (self, totals, error);
}
