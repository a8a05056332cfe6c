/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Did target work arrive, from where, with what times, and did all of it end? */

#include "weft-analysis-scope.h"
#include "weft-conservation.h"
#include "weft-diagnosis.h"
#include "weft-row-table.h"

/* ---- Data and processes ---- */

static void
check_data (WeftDiagnosis *self)
{
  static const char *const question = "Is target work arriving?";
  guint64 dispatches = weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES);
  guint64 lanes = weft_catalog_get_n_lanes (self->catalog);

  if (dispatches > 0)
    weft_diagnosis_add (self, "target-data", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s on %" G_GUINT64_FORMAT " %s", dispatches,
                        weft_plural (dispatches, "dispatch", "dispatches"), lanes,
                        weft_plural (lanes, "lane", "lanes"));
  else if (lanes > 0)
    weft_diagnosis_add (
        self, "target-data", question, WEFT_VERDICT_ATTENTION,
        "“weft target lanes” tells what was handed over and where it went: a lane without "
        "dispatches "
        "was made and not used, or all of its work was pending, sampled out, rejected or lost",
        NULL, "%" G_GUINT64_FORMAT " %s reported, and no dispatch", lanes,
        weft_plural (lanes, "lane was", "lanes were"));
  else
    weft_diagnosis_add (
        self, "target-data", question,
        weft_diagnosis_count (self, WEFT_TABLE_SAMPLES) > 0 ? WEFT_VERDICT_NOT_APPLICABLE
                                                            : WEFT_VERDICT_ATTENTION,
        "Report lanes with libweft-target (docs/producer-guide.md), or record with --with auto, "
        "so that instruments report for programs that do not",
        NULL, "No program reported a lane");
}

static gboolean
check_processes (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Does it come from recorded processes?";
  static const WeftColumnNumber numbers[] = { WEFT_RUNTIMES_PROCESS };
  g_autoptr (WeftRowTable) runtimes =
      weft_row_table_new (self->scope, WEFT_TABLE_RUNTIMES, numbers, 1, error);
  g_autoptr (WeftSubjects) unknown = weft_subjects_new ();
  g_autoptr (WeftSubjects) known = weft_subjects_new ();

  if (runtimes == NULL)
    return FALSE;
  for (guint64 i = 0; i < weft_row_table_get_n_rows (runtimes); i++)
    {
      guint64 id = weft_row_table_get_number (runtimes, i);
      guint64 process = weft_row_table_get (runtimes, WEFT_RUNTIMES_PROCESS, id);
      const WeftCatalogProcess *found = weft_catalog_get_process (self->catalog, (guint32) process);

      /* What an import tells of a device as a whole is of no process. */
      if (process == 0)
        continue;
      if (found == NULL)
        weft_subjects_add (unknown, "rt", id, NULL);
      else
        weft_subjects_add (known, "p", process, found->name);
    }
  if (weft_subjects_get_count (unknown) > 0)
    weft_diagnosis_add (
        self, "target-processes", question, WEFT_VERDICT_PROBLEM,
        "The recording is damaged, or its importer left the processes out", unknown,
        "%" G_GUINT64_FORMAT " %s to no process of the recording",
        weft_subjects_get_count (unknown),
        weft_plural (weft_subjects_get_count (unknown), "runtime belongs", "runtimes belong"));
  else if (weft_subjects_get_count (known) > 0)
    weft_diagnosis_add (self, "target-processes", question, WEFT_VERDICT_GOOD, NULL, known,
                        "All runtimes belong to recorded processes: %s",
                        weft_subjects_get_names (known));
  else
    weft_diagnosis_add (self, "target-processes", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "No program connected");
  return TRUE;
}

/* ---- Lanes: does all of it add up? ---- */

static void
check_conservation (WeftDiagnosis *self, GArray *books)
{
  static const char *const question =
      "Is everything that was handed over accounted for, lane by lane?";
  gboolean grows = weft_store_get_state (self->scope->store) != WEFT_STORE_COMPLETE;
  guint64 n_lanes = 0;
  WeftLaneBooks sum = { 0 };
  g_autoptr (WeftSubjects) bad = weft_subjects_new ();

  for (guint i = 0; i < books->len; i++)
    {
      const WeftLaneBooks *lane = &g_array_index (books, WeftLaneBooks, i);

      if (!weft_lane_books_are_open (lane))
        continue;
      n_lanes++;
      sum.submitted += lane->submitted;
      sum.completed += lane->completed;
      sum.pending += lane->pending;
      sum.sampled_out += lane->sampled_out;
      sum.rejected += lane->rejected;
      sum.lost += lane->lost;
      if (!weft_lane_books_hold (lane, grows))
        weft_subjects_add (bad, "l", lane->lane,
                           weft_catalog_get_lane_name (self->catalog, (guint32) lane->lane));
    }
  if (weft_subjects_get_count (bad) > 0)
    weft_diagnosis_add (
        self, "conservation", question, WEFT_VERDICT_PROBLEM,
        "Totals of these lanes cannot be relied on: “weft target conservation” has the terms. This "
        "should never happen: please report it with the recording",
        bad, "On %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s the sum does not hold: %s",
        weft_subjects_get_count (bad), n_lanes, weft_plural (n_lanes, "lane", "lanes"),
        weft_subjects_get_names (bad));
  else if (n_lanes > 0)
    weft_diagnosis_add (self, "conservation", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "It holds on %" G_GUINT64_FORMAT " %s; together: %" G_GUINT64_FORMAT
                        " submitted = %" G_GUINT64_FORMAT " completed + %" G_GUINT64_FORMAT
                        " pending + %" G_GUINT64_FORMAT " sampled out + %" G_GUINT64_FORMAT
                        " rejected + %" G_GUINT64_FORMAT " lost",
                        n_lanes, weft_plural (n_lanes, "lane", "lanes"), sum.submitted,
                        sum.completed, sum.pending, sum.sampled_out, sum.rejected, sum.lost);
  else
    weft_diagnosis_add (self, "conservation", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "Nothing was counted: no lane was used, or the recording is an import");
}

static void
check_pending (WeftDiagnosis *self, GArray *books)
{
  static const char *const question = "Did everything that was begun complete?";
  guint64 pending = 0;
  gboolean any = FALSE;
  g_autoptr (WeftSubjects) lanes = weft_subjects_new ();

  for (guint i = 0; i < books->len; i++)
    {
      const WeftLaneBooks *lane = &g_array_index (books, WeftLaneBooks, i);

      any |= weft_lane_books_are_open (lane);
      if (lane->pending == 0)
        continue;
      pending += lane->pending;
      weft_subjects_add (lanes, "l", lane->lane,
                         weft_catalog_get_lane_name (self->catalog, (guint32) lane->lane));
    }
  if (pending == 0)
    weft_diagnosis_add (self, "pending", question,
                        any ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "Nothing is pending");
  else
    weft_diagnosis_add (
        self, "pending", question, WEFT_VERDICT_ATTENTION,
        "The program reserved this work and never completed it: it ended first, forgets to call "
        "weft_target_complete () on some path, or never learned when the work ran, of which its "
        "warnings and metrics tell",
        lanes, "%" G_GUINT64_FORMAT " %s handed over and never completed, on %s", pending,
        weft_plural (pending, "dispatch was", "dispatches were"), weft_subjects_get_names (lanes));
}

/* ---- Traces and warnings ---- */

static gboolean
check_traces (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Did every trace end?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);
  guint64 n_traces = weft_diagnosis_count (self, WEFT_TABLE_TRACES);
  g_autoptr (WeftSubjects) open = weft_subjects_new ();

  while (weft_row_cursor_next (rows))
    if (weft_row_cursor_has (rows, WEFT_TRACES_START) &&
        !weft_row_cursor_has (rows, WEFT_TRACES_DURATION))
      weft_subjects_add (open, "tr", weft_row_cursor_get (rows, WEFT_TRACES_ID),
                         weft_row_cursor_get_string (rows, WEFT_TRACES_NAME));
  if (weft_subjects_get_count (open) > 0)
    weft_diagnosis_add (
        self, "traces-ended", question, WEFT_VERDICT_ATTENTION,
        "The program ended first, or forgets to call weft_target_trace_end () on some path", open,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s never ended: %s",
        weft_subjects_get_count (open), n_traces, weft_plural (n_traces, "trace", "traces"),
        weft_subjects_get_names (open));
  else
    weft_diagnosis_add (self, "traces-ended", question,
                        n_traces > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        n_traces > 0 ? "All traces ended" : "No trace was recorded");
  return weft_row_cursor_finish (rows, error);
}

static gboolean
check_warnings (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Did programs warn of anything?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_WARNINGS);
  guint64 counts[WEFT_SEVERITY_ERROR + 1] = { 0 };
  g_autoptr (WeftSubjects) serious = weft_subjects_new ();

  while (weft_row_cursor_next (rows))
    {
      guint64 severity = weft_row_cursor_get (rows, WEFT_WARNINGS_SEVERITY);

      counts[MIN (severity, WEFT_SEVERITY_ERROR)]++;
      if (severity > WEFT_SEVERITY_INFO)
        weft_subjects_add (serious, "w", weft_row_cursor_get_number (rows),
                           weft_row_cursor_get_string (rows, WEFT_WARNINGS_CODE));
    }
  if (weft_subjects_get_count (serious) > 0)
    weft_diagnosis_add (
        self, "warnings", question, WEFT_VERDICT_ATTENTION,
        "“weft warnings” lists them with what was measured and expected", serious,
        "%" G_GUINT64_FORMAT " %s and %" G_GUINT64_FORMAT " %s: %s", counts[WEFT_SEVERITY_ERROR],
        weft_plural (counts[WEFT_SEVERITY_ERROR], "error", "errors"), counts[WEFT_SEVERITY_WARNING],
        weft_plural (counts[WEFT_SEVERITY_WARNING], "warning", "warnings"),
        weft_subjects_get_names (serious));
  else
    weft_diagnosis_add (self, "warnings", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        counts[WEFT_SEVERITY_INFO] > 0 ? "They gave information only"
                                                       : "No program warned of anything");
  return weft_row_cursor_finish (rows, error);
}

gboolean
weft_diagnose_arrival (WeftDiagnosis *self, GError **error)
{
  g_autoptr (GArray) books = NULL;

  check_data (self);
  if (!check_processes (self, error))
    return FALSE;
  books = weft_conservation_read (self->scope, self->catalog, self->work, error);
  if (books == NULL)
    return FALSE;
  check_conservation (self, books);
  check_pending (self, books);
  return check_traces (self, error) && check_warnings (self, error);
}
