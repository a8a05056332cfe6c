/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Did target work arrive, from where, with what times, and did all of it end? */

#include "weft-analysis-scope.h"
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
  g_auto (WeftFindingObjects) unknown;
  g_auto (WeftFindingObjects) known;

  weft_finding_objects_init (&unknown);
  weft_finding_objects_init (&known);
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
        weft_finding_objects_add (&unknown, "rt", id, NULL);
      else
        weft_finding_objects_add (&known, "p", process, found->name);
    }
  if (unknown.count > 0)
    weft_diagnosis_add (self, "target-processes", question, WEFT_VERDICT_PROBLEM,
                        "The recording is damaged, or its importer left the processes out",
                        &unknown, "%" G_GUINT64_FORMAT " %s to no process of the recording",
                        unknown.count,
                        weft_plural (unknown.count, "runtime belongs", "runtimes belong"));
  else if (known.count > 0)
    weft_diagnosis_add (self, "target-processes", question, WEFT_VERDICT_GOOD, NULL, &known,
                        "All runtimes belong to recorded processes: %s",
                        weft_finding_objects_get_names (&known));
  else
    weft_diagnosis_add (self, "target-processes", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "No program connected");
  return TRUE;
}

/* ---- Lanes: does all of it add up? ---- */

typedef struct
{
  guint64 submitted;
  guint64 completed;
  guint64 pending;
  guint64 sum;  /* completed and everything else */
  guint64 rows; /* that are there, or were let go of */
} LaneCount;

static LaneCount *
get_count (GHashTable *counts, guint64 lane)
{
  LaneCount *count = g_hash_table_lookup (counts, GSIZE_TO_POINTER (lane));

  if (count == NULL)
    {
      count = g_new0 (LaneCount, 1);
      g_hash_table_insert (counts, GSIZE_TO_POINTER (lane), count);
    }
  return count;
}

static gboolean
read_counts (WeftDiagnosis *self, GHashTable *counts, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_LANE_COUNTS);
  g_autoptr (WeftRowCursor) dispatches = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  g_autoptr (WeftRowCursor) let_go = weft_row_cursor_new (self->scope, WEFT_TABLE_RETENTION);

  /* The last row of a lane holds. */
  while (weft_row_cursor_next (rows))
    {
      LaneCount *count = get_count (counts, weft_row_cursor_get (rows, WEFT_LANE_COUNTS_LANE));

      count->submitted = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_SUBMITTED);
      count->completed = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_COMPLETED);
      count->pending = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_PENDING);
      count->sum = count->completed + count->pending +
                   weft_row_cursor_get (rows, WEFT_LANE_COUNTS_SAMPLED_OUT) +
                   weft_row_cursor_get (rows, WEFT_LANE_COUNTS_REJECTED) +
                   weft_row_cursor_get (rows, WEFT_LANE_COUNTS_LOST);
    }
  while (weft_row_cursor_next (dispatches))
    get_count (counts, weft_row_cursor_get (dispatches, WEFT_DISPATCHES_LANE))->rows++;
  while (weft_row_cursor_next (let_go))
    if (weft_row_cursor_get (let_go, WEFT_RETENTION_OWNER_TABLE) == WEFT_TABLE_DISPATCHES)
      get_count (counts, weft_row_cursor_get (let_go, WEFT_RETENTION_LANE))->rows +=
          weft_row_cursor_get (let_go, WEFT_RETENTION_ROWS);
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (dispatches, error) &&
         weft_row_cursor_finish (let_go, error);
}

static void
check_conservation (WeftDiagnosis *self, GHashTable *counts)
{
  static const char *const question =
      "Is everything that was handed over accounted for, lane by lane?";
  gboolean is_complete = weft_store_get_state (self->scope->store) == WEFT_STORE_COMPLETE;
  guint64 n_lanes = 0;
  g_auto (WeftFindingObjects) bad;

  weft_finding_objects_init (&bad);
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    {
      const WeftCatalogLane *lane = weft_catalog_get_nth_lane (self->catalog, i);
      const LaneCount *count = g_hash_table_lookup (counts, GSIZE_TO_POINTER (lane->id));

      if (count == NULL || (count->submitted == 0 && count->sum == 0))
        continue;
      n_lanes++;
      /* Rows may be ahead of the counts while the file grows. */
      if (count->submitted != count->sum || (is_complete && count->completed != count->rows))
        weft_finding_objects_add (&bad, "l", lane->id, lane->name);
    }
  if (bad.count > 0)
    weft_diagnosis_add (
        self, "conservation", question, WEFT_VERDICT_PROBLEM,
        "Totals of these lanes cannot be relied on; this should never happen: please report it "
        "with the recording",
        &bad, "On %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s the sum does not hold: %s",
        bad.count, n_lanes, weft_plural (n_lanes, "lane", "lanes"),
        weft_finding_objects_get_names (&bad));
  else if (n_lanes > 0)
    weft_diagnosis_add (self, "conservation", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "submitted = completed + pending + sampled out + rejected + lost, on "
                        "%s%" G_GUINT64_FORMAT " %s with work",
                        weft_plural (n_lanes, "the ", "all "), n_lanes,
                        weft_plural (n_lanes, "lane", "lanes"));
  else
    weft_diagnosis_add (self, "conservation", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "Nothing was counted: no lane was used, or the recording is an import");
}

static void
check_pending (WeftDiagnosis *self, GHashTable *counts)
{
  static const char *const question = "Did everything that was begun complete?";
  guint64 pending = 0;
  g_auto (WeftFindingObjects) lanes;

  weft_finding_objects_init (&lanes);
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    {
      const WeftCatalogLane *lane = weft_catalog_get_nth_lane (self->catalog, i);
      const LaneCount *count = g_hash_table_lookup (counts, GSIZE_TO_POINTER (lane->id));

      if (count == NULL || count->pending == 0)
        continue;
      pending += count->pending;
      weft_finding_objects_add (&lanes, "l", lane->id, lane->name);
    }
  if (pending == 0)
    weft_diagnosis_add (self, "pending", question,
                        g_hash_table_size (counts) > 0 ? WEFT_VERDICT_GOOD
                                                       : WEFT_VERDICT_NOT_APPLICABLE,
                        NULL, NULL, "Nothing is pending");
  else
    weft_diagnosis_add (
        self, "pending", question, WEFT_VERDICT_ATTENTION,
        "The program reserved this work and never completed it: it ended first, forgets to call "
        "weft_target_complete () on some path, or never learned when the work ran, of which its "
        "warnings and metrics tell",
        &lanes, "%" G_GUINT64_FORMAT " %s handed over and never completed, on %s", pending,
        weft_plural (pending, "dispatch was", "dispatches were"),
        weft_finding_objects_get_names (&lanes));
}

/* ---- Traces and warnings ---- */

static gboolean
check_traces (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Did every trace end?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);
  guint64 n_traces = weft_diagnosis_count (self, WEFT_TABLE_TRACES);
  g_auto (WeftFindingObjects) open;

  weft_finding_objects_init (&open);
  while (weft_row_cursor_next (rows))
    if (weft_row_cursor_has (rows, WEFT_TRACES_START) &&
        !weft_row_cursor_has (rows, WEFT_TRACES_DURATION))
      weft_finding_objects_add (&open, "tr", weft_row_cursor_get (rows, WEFT_TRACES_ID),
                                weft_row_cursor_get_string (rows, WEFT_TRACES_NAME));
  if (open.count > 0)
    weft_diagnosis_add (
        self, "traces-ended", question, WEFT_VERDICT_ATTENTION,
        "The program ended first, or forgets to call weft_target_trace_end () on some path", &open,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s never ended: %s", open.count, n_traces,
        weft_plural (n_traces, "trace", "traces"), weft_finding_objects_get_names (&open));
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
  g_auto (WeftFindingObjects) serious;

  weft_finding_objects_init (&serious);
  while (weft_row_cursor_next (rows))
    {
      guint64 severity = weft_row_cursor_get (rows, WEFT_WARNINGS_SEVERITY);

      counts[MIN (severity, WEFT_SEVERITY_ERROR)]++;
      if (severity > WEFT_SEVERITY_INFO)
        weft_finding_objects_add (&serious, "w", weft_row_cursor_get_number (rows),
                                  weft_row_cursor_get_string (rows, WEFT_WARNINGS_CODE));
    }
  if (serious.count > 0)
    weft_diagnosis_add (
        self, "warnings", question, WEFT_VERDICT_ATTENTION,
        "“weft warnings” lists them with what was measured and expected", &serious,
        "%" G_GUINT64_FORMAT " %s and %" G_GUINT64_FORMAT " %s: %s", counts[WEFT_SEVERITY_ERROR],
        weft_plural (counts[WEFT_SEVERITY_ERROR], "error", "errors"), counts[WEFT_SEVERITY_WARNING],
        weft_plural (counts[WEFT_SEVERITY_WARNING], "warning", "warnings"),
        weft_finding_objects_get_names (&serious));
  else
    weft_diagnosis_add (self, "warnings", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        counts[WEFT_SEVERITY_INFO] > 0 ? "They gave information only"
                                                       : "No program warned of anything");
  return weft_row_cursor_finish (rows, error);
}

gboolean
weft_diagnose_arrival (WeftDiagnosis *self, GError **error)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  check_data (self);
  if (!check_processes (self, error) || !read_counts (self, counts, error))
    return FALSE;
  check_conservation (self, counts);
  check_pending (self, counts);
  return check_traces (self, error) && check_warnings (self, error);
}
