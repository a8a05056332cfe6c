/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The recording itself: its state, its clocks, what recording cost, what the recorder noticed. */

#include "weft-analysis-scope.h"
#include "weft-clock-facts.h"
#include "weft-diagnosis.h"

#include <string.h>

/* ---- State ---- */

static void
check_state (WeftDiagnosis *self)
{
  static const char *const question = "Is the recording whole?";
  const char *damage = weft_store_get_damage (self->scope->store);

  switch (weft_store_get_state (self->scope->store))
    {
    case WEFT_STORE_COMPLETE:
      weft_diagnosis_add (self, "recording", question, WEFT_VERDICT_GOOD, NULL, NULL,
                          "It was finished by its recorder");
      break;
    case WEFT_STORE_GROWING:
      weft_diagnosis_add (
          self, "recording", question, WEFT_VERDICT_ATTENTION,
          "“weft status” tells which recorders are running; what was flushed before one "
          "was killed is here, and “weft repair” finishes the file",
          NULL, "It is still being written, or its recorder was killed");
      break;
    default:
      weft_diagnosis_add (self, "recording", question, WEFT_VERDICT_PROBLEM,
                          "“weft repair” saves the intact part as a new file", NULL,
                          "Parts of the file are damaged: %s",
                          damage ? damage : "it is not known which");
    }
}

/* ---- What was let go of ---- */

static gboolean
check_retention (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Is all of the run here?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_RETENTION);
  guint64 dispatches = 0, all = 0;
  gint64 before = 0;

  while (weft_row_cursor_next (rows))
    {
      guint64 n = weft_row_cursor_get (rows, WEFT_RETENTION_ROWS);

      all += n;
      if (weft_row_cursor_get (rows, WEFT_RETENTION_OWNER_TABLE) == WEFT_TABLE_DISPATCHES)
        dispatches += n;
      before = MAX (before, weft_row_cursor_get_signed (rows, WEFT_RETENTION_BEFORE));
    }
  if (all > 0)
    weft_diagnosis_add (
        self, "retention", question, WEFT_VERDICT_GOOD,
        "Record without --last and --last-size to keep all, or with a larger bound", NULL,
        "Only the end was kept, as asked for: of what ended before %.3f s, %" G_GUINT64_FORMAT
        " %s and %" G_GUINT64_FORMAT " other %s were let go of",
        (double) before / 1e9, dispatches, weft_plural (dispatches, "dispatch", "dispatches"),
        all - dispatches, weft_plural (all - dispatches, "row", "rows"));
  return weft_row_cursor_finish (rows, error);
}

/* ---- What the recorder noticed ---- */

static gboolean
check_noticed (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Did the recorder notice anything?";
  static const struct
  {
    const char *code;
    const char *advice;
  } known[] = {
    { "producer-refused", "The program asked for more than it may have, or was not allowed" },
    { "producer-version",
      "Record with a newer weft, or build the program against this libweft-target" },
    { "producer-foreign",
      "Programs of other users are recorded by their own recorder, or by root" },
    { "segment-refused", "The program's libweft-target is broken, or not one at all" },
    { "message-refused", "The program's libweft-target is broken, or not one at all" },
  };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DIAGNOSTICS);
  gboolean any = FALSE;

  while (weft_row_cursor_next (rows))
    {
      guint64 severity = weft_row_cursor_get (rows, WEFT_DIAGNOSTICS_SEVERITY);
      const char *code = weft_row_cursor_get_string (rows, WEFT_DIAGNOSTICS_CODE);
      const char *message = weft_row_cursor_get_string (rows, WEFT_DIAGNOSTICS_MESSAGE);
      const char *advice = NULL;

      any = TRUE;
      for (guint i = 0; i < G_N_ELEMENTS (known); i++)
        if (g_strcmp0 (known[i].code, code) == 0)
          advice = known[i].advice;
      weft_diagnosis_add (self, code ? code : "recorder", question,
                          severity == WEFT_SEVERITY_INFO      ? WEFT_VERDICT_GOOD
                          : severity == WEFT_SEVERITY_WARNING ? WEFT_VERDICT_ATTENTION
                                                              : WEFT_VERDICT_PROBLEM,
                          advice, NULL, "%s", message ? message : "(no message)");
    }
  if (!any)
    weft_diagnosis_add (self, "recorder", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "No program was refused, and nothing else was noted");
  return weft_row_cursor_finish (rows, error);
}

/* ---- Own cost ---- */

#define MUCH_CPU 0.25       /* of one processor */
#define MUCH_TIME 200000000 /* ns: starting and ending cost their share of a short recording */

static gboolean
check_cost (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Did recording disturb what was recorded?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_OWN_COST);
  guint64 cpu = 0;
  guint64 resident = 0;
  guint64 symbolizer = 0;
  guint64 perturbation = 0;
  g_autofree char *symbolizer_text = NULL;
  g_autofree char *perturbation_text = NULL;
  gint64 begin, end;
  double share;
  gboolean is_much;

  while (weft_row_cursor_next (rows))
    {
      cpu = weft_row_cursor_get (rows, WEFT_OWN_COST_CPU);
      symbolizer = weft_row_cursor_get (rows, WEFT_OWN_COST_SYMBOLIZER);
      perturbation = weft_row_cursor_get (rows, WEFT_OWN_COST_PERTURBATION);
      resident = MAX (resident, weft_row_cursor_get (rows, WEFT_OWN_COST_RESIDENT));
    }
  if (!weft_row_cursor_finish (rows, error) ||
      !weft_scope_find_span (self->scope, &begin, &end, error))
    return FALSE;
  share = end > 0 ? (double) cpu / (double) end : 0;
  is_much = share > MUCH_CPU && cpu > MUCH_TIME;
  if (symbolizer > 0)
    symbolizer_text = g_strdup_printf (
        "; reading names took %.3f s, partly in processes of their own", (double) symbolizer / 1e9);
  if (perturbation > 0)
    perturbation_text = g_strdup_printf ("; the recorded programs lost about %.3f s to samples",
                                         (double) perturbation / 1e9);
  if (weft_diagnosis_count (self, WEFT_TABLE_OWN_COST) == 0)
    weft_diagnosis_add (self, "own-cost", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "What recording cost was not measured: this is an import, or it has just "
                        "begun");
  else
    weft_diagnosis_add (
        self, "own-cost", question, is_much ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
        is_much ? "Report fewer or longer dispatches, or sample them" : NULL, NULL,
        "The recorder took %.3f s of CPU, %.1f %% of one processor, and at most %.1f MiB of "
        "memory%s%s",
        (double) cpu / 1e9, share * 100, (double) resident / (1024 * 1024),
        symbolizer_text ? symbolizer_text : "", perturbation_text ? perturbation_text : "");
  return TRUE;
}

gboolean
weft_diagnose_recording (WeftDiagnosis *self, GError **error)
{
  check_state (self);
  return check_retention (self, error) && check_noticed (self, error) && check_cost (self, error);
}

/* ---- Clocks ---- */

#define WIDE_ERROR 100000 /* ns: longer than many dispatches */

static char *
describe_clock (const WeftClockFacts *clock)
{
  double drift;

  if (weft_clock_facts_get_drift (clock, &drift))
    return g_strdup_printf ("%s: %" G_GUINT64_FORMAT " %s, ± %.3f µs, %+.1f ppm",
                            clock->name ? clock->name : "(no name)", clock->pairs,
                            weft_plural (clock->pairs, "pair", "pairs"),
                            (double) clock->error_bound / 1e3, drift);
  return g_strdup_printf (
      "%s: %" G_GUINT64_FORMAT " %s, ± %.3f µs", clock->name ? clock->name : "(no name)",
      clock->pairs, weft_plural (clock->pairs, "pair", "pairs"), (double) clock->error_bound / 1e3);
}

static gboolean
needs_pairs (const WeftClockFacts *clock)
{
  return clock->kind != WEFT_CLOCK_MONOTONIC && clock->pairs == 0;
}

static gboolean
is_wide (const WeftClockFacts *clock)
{
  return clock->error_bound > WIDE_ERROR;
}

static gboolean
is_extrapolated (const WeftClockFacts *clock)
{
  return clock->extrapolated > 0;
}

gboolean
weft_diagnose_clocks (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Are clocks calibrated well?";
  static const struct
  {
    gboolean (*is_so) (const WeftClockFacts *clock);
    const char *check;
    WeftVerdict verdict;
    const char *what;
    const char *advice;
  } faults[] = {
    { needs_pairs, "clock-calibration", WEFT_VERDICT_PROBLEM, "not calibrated",
      "Call weft_target_clock_calibrate () before the first dispatch and now and then" },
    { is_wide, "clock-error", WEFT_VERDICT_ATTENTION,
      "known to no better than 100 µs, so that ends of short waits cannot be compared",
      "Read the device's clock as closely as possible between two readings of weft_target_now ()" },
    { is_extrapolated, "clock-extrapolated", WEFT_VERDICT_ATTENTION,
      "used for dispatches further than 2 s from the next calibration pair",
      "Calibrate at least every second" },
  };
  g_autoptr (GArray) clocks = weft_clock_facts_read (self->scope, error);
  gboolean all_well = TRUE;
  g_autoptr (WeftSubjects) good = weft_subjects_new ();

  if (clocks == NULL)
    return FALSE;
  for (guint fault = 0; fault < G_N_ELEMENTS (faults); fault++)
    {
      g_autoptr (WeftSubjects) bad = weft_subjects_new ();

      for (guint i = 0; i < clocks->len; i++)
        {
          const WeftClockFacts *clock = &g_array_index (clocks, WeftClockFacts, i);
          g_autofree char *text = describe_clock (clock);

          if (faults[fault].is_so (clock))
            weft_subjects_add (bad, "k", clock->id, text);
          else if (fault == 0)
            weft_subjects_add (good, "k", clock->id, text);
        }
      if (weft_subjects_get_count (bad) == 0)
        continue;
      all_well = FALSE;
      weft_diagnosis_add (self, faults[fault].check, question, faults[fault].verdict,
                          faults[fault].advice, bad, "%" G_GUINT64_FORMAT " %s %s: %s",
                          weft_subjects_get_count (bad),
                          weft_plural (weft_subjects_get_count (bad), "clock is", "clocks are"),
                          faults[fault].what, weft_subjects_get_names (bad));
    }
  if (all_well)
    weft_diagnosis_add (
        self, "clocks", question, clocks->len > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE,
        NULL, NULL, "%s", clocks->len > 0 ? weft_subjects_get_names (good) : "No clock was used");
  return TRUE;
}
