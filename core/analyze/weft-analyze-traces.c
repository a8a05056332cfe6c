/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows, and the target work that belongs to them. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-dispatch-rows.h"
#include "weft-enum-types.h"
#include "weft-intervals.h"
#include "weft-ranking.h"

#include <string.h>

static const char *const orders[] = { "start", "duration", "time", "count", NULL };

enum
{
  HANDLE,
  NAME,
  START,
  DURATION,
  STATUS,
  ERROR_KIND,
  ERROR,
  DISPATCHES,
  ERRORS,
  TARGET_TIME,
  BUSY,
  LANES,
  FIRST,
  LAST,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("trace", "tr"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("start", TIME),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_ENUM ("status", weft_status_get_type),
  WEFT_ANSWER_ENUM ("error_kind", weft_error_kind_get_type),
  WEFT_ANSWER_COLUMN ("error", STRING),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_UNIT ("errors", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("target_time", DURATION),
  WEFT_ANSWER_COLUMN ("busy", DURATION),
  WEFT_ANSWER_UNIT ("lanes", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("first", TIME),
  WEFT_ANSWER_COLUMN ("last", TIME),
};

typedef struct
{
  guint64 id;
  guint64 row; /* in its table, 0 if none was written yet */
  gboolean has_start;
  gint64 start;
  guint64 duration;
  guint64 dispatches;
  guint64 errors;
  guint64 total;
  guint64 busy;
  guint64 lanes;
  gint64 first;
  gint64 last;
} Trace;

/* What of a dispatch counts for its trace. */
typedef struct
{
  guint64 trace;
  guint64 lane;
} TraceLane;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftSelection *selection; /* NULL: all */
  guint64 wanted;           /* 0: all */
  GHashTable *traces;       /* Trace → itself */
  GArray *intervals;        /* element type WeftInterval, owned by traces */
  GHashTable *lanes;        /* TraceLane → itself */
} Traces;

static guint
hash_trace_lane (gconstpointer key)
{
  const TraceLane *pair = key;

  return (guint) (pair->trace * 31 + pair->lane);
}

static gboolean
equal_trace_lanes (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (TraceLane)) == 0;
}

static Trace *
get_trace (Traces *self, guint64 id)
{
  Trace *trace = g_hash_table_lookup (self->traces, &id);

  if (trace == NULL)
    {
      trace = g_new0 (Trace, 1);
      trace->id = id;
      g_hash_table_add (self->traces, trace);
    }
  return trace;
}

static gboolean
read_traces (Traces *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);

  if (self->wanted != 0)
    weft_row_cursor_where (rows, WEFT_TRACES_ID, self->wanted);
  while (weft_row_cursor_next (rows))
    {
      Trace *trace = get_trace (self, weft_row_cursor_get (rows, WEFT_TRACES_ID));

      trace->row = weft_row_cursor_get_number (rows);
      trace->has_start = weft_row_cursor_has (rows, WEFT_TRACES_START);
      trace->start = weft_row_cursor_get_signed (rows, WEFT_TRACES_START);
      trace->duration = weft_row_cursor_get (rows, WEFT_TRACES_DURATION);
    }
  return weft_row_cursor_finish (rows, error);
}

static void
take_dispatch (Traces *self, WeftRowCursor *row)
{
  Trace *trace = get_trace (self, weft_row_cursor_get (row, WEFT_DISPATCHES_TRACE));
  gint64 start = weft_row_cursor_get_signed (row, WEFT_DISPATCHES_START);
  gint64 end = weft_time_after (start, weft_row_cursor_get (row, WEFT_DISPATCHES_DURATION));
  const TraceLane pair = { trace->id, weft_row_cursor_get (row, WEFT_DISPATCHES_LANE) };
  WeftInterval interval = { trace->id, MAX (start, self->scope->begin),
                            MIN (end, self->scope->end) };

  if (!weft_scope_overlaps (self->scope, start, end))
    return;
  trace->first = trace->dispatches == 0 ? start : MIN (trace->first, start);
  trace->last = trace->dispatches == 0 ? end : MAX (trace->last, end);
  trace->dispatches++;
  trace->errors += weft_row_cursor_get (row, WEFT_DISPATCHES_STATUS) == WEFT_STATUS_ERROR;
  trace->total += weft_scope_clip (self->scope, start, end);
  if (!g_hash_table_contains (self->lanes, &pair))
    {
      g_hash_table_add (self->lanes, g_memdup2 (&pair, sizeof pair));
      trace->lanes++;
    }
  g_array_append_val (self->intervals, interval);
}

static gboolean
read_dispatches (Traces *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);

  if (self->wanted != 0)
    weft_row_cursor_where (rows, WEFT_DISPATCHES_TRACE, self->wanted);
  while (weft_row_cursor_next (rows))
    if (weft_row_cursor_get (rows, WEFT_DISPATCHES_TRACE) != 0 &&
        weft_selection_allows (self->selection, weft_row_cursor_get_number (rows)))
      take_dispatch (self, rows);
  weft_intervals_sort (self->intervals);
  for (guint i = 0, n; i < self->intervals->len; i += n)
    {
      const WeftInterval *interval = &g_array_index (self->intervals, WeftInterval, i);

      n = weft_intervals_count (self->intervals, i);
      get_trace (self, interval->owner)->busy = weft_intervals_get_union (interval, n);
    }
  return weft_row_cursor_finish (rows, error);
}

static gint64
get_key (const Trace *trace, const char *order)
{
  if (strcmp (order, "duration") == 0)
    return weft_rank_key (trace->duration);
  if (strcmp (order, "time") == 0)
    return weft_rank_key (trace->total);
  if (strcmp (order, "count") == 0)
    return weft_rank_key (trace->dispatches);
  return trace->has_start ? trace->start : trace->dispatches > 0 ? trace->first : G_MAXINT64;
}

/* One that has not ended goes on. */
static gboolean
is_in_range (const WeftAnalysisScope *scope, const Trace *trace)
{
  if (trace->dispatches > 0 || (!weft_scope_has_range (scope) && scope->filter == NULL))
    return TRUE;
  /* Filters are about dispatches. */
  if (scope->filter != NULL)
    return FALSE;
  return trace->has_start &&
         weft_scope_overlaps (scope, trace->start, weft_time_after (trace->start, trace->duration));
}

static void
add_row (WeftTableBuilder *builder, WeftRowCursor *rows, WeftRowCursor *errors, const Trace *trace)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, trace->id);
  if (trace->row != 0 && weft_row_cursor_seek (rows, trace->row))
    {
      weft_answer_copy (builder, NAME, rows, WEFT_TRACES_NAME);
      weft_answer_copy (builder, START, rows, WEFT_TRACES_START);
      weft_answer_copy (builder, DURATION, rows, WEFT_TRACES_DURATION);
      if (weft_row_cursor_has (rows, WEFT_TRACES_DURATION) ||
          weft_row_cursor_get (rows, WEFT_TRACES_STATUS) != WEFT_STATUS_OK)
        {
          weft_answer_copy (builder, STATUS, rows, WEFT_TRACES_STATUS);
          weft_answer_copy (builder, ERROR_KIND, rows, WEFT_TRACES_ERROR_KIND);
        }
      weft_table_builder_set_string (
          builder, ERROR,
          weft_answer_get_error (errors, weft_row_cursor_get (rows, WEFT_TRACES_ERROR)));
    }
  weft_table_builder_set_uint64 (builder, DISPATCHES, trace->dispatches);
  weft_table_builder_set_uint64 (builder, ERRORS, trace->errors);
  weft_table_builder_set_uint64 (builder, TARGET_TIME, trace->total);
  weft_table_builder_set_uint64 (builder, BUSY, trace->busy);
  weft_table_builder_set_uint64 (builder, LANES, trace->lanes);
  if (trace->dispatches == 0)
    return;
  weft_table_builder_set_int64 (builder, FIRST, trace->first);
  weft_table_builder_set_int64 (builder, LAST, trace->last);
}

static gboolean
list_traces (Traces *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("traces", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);
  g_autoptr (WeftRowCursor) errors = weft_row_cursor_new (self->scope, WEFT_TABLE_ERRORS);
  const char *order = self->scope->order_by;
  g_autoptr (WeftRanking) ranking =
      weft_ranking_new (self->scope, "traces", strcmp (order, "start") == 0, error);
  GHashTableIter iter;
  gpointer trace;
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, self->traces);
  while (g_hash_table_iter_next (&iter, &trace, NULL))
    if (is_in_range (self->scope, trace))
      weft_ranking_add (ranking, get_key (trace, order), ((Trace *) trace)->id, trace);
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    add_row (builder, rows, errors, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder, g_hash_table_size (self->traces) > 0
                     ? "No trace has anything in this range of time"
                     : "No trace was recorded: a program makes one for each workflow with "
                       "weft_target_trace_new () (docs/producer-guide.md); only sampled "
                       "ones are recorded");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (errors, error);
}

static gboolean
answer (Traces *self, WeftReport *report, GError **error)
{
  return read_traces (self, error) && read_dispatches (self, error) &&
         list_traces (self, report, error) &&
         (self->wanted == 0 ||
          weft_dispatch_rows_add_table (self->scope, report, WEFT_DISPATCHES_TRACE, self->wanted,
                                        error));
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_TRACES };
  Traces self = { .scope = scope };
  WeftTableId table;
  gint64 begin, end;
  gboolean good;

  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      (scope->handle != NULL &&
       !weft_answer_find_object (scope, tables, 1, &table, &self.wanted, error)))
    return FALSE;
  self.traces = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self.intervals = g_array_new (FALSE, FALSE, sizeof (WeftInterval));
  self.lanes = g_hash_table_new_full (hash_trace_lane, equal_trace_lanes, g_free, NULL);
  good =
      weft_scope_select_dispatches (scope, &self.selection, error) && answer (&self, report, error);
  g_clear_pointer (&self.selection, weft_selection_free);
  g_hash_table_unref (self.traces);
  g_array_unref (self.intervals);
  g_hash_table_unref (self.lanes);
  return good;
}

const WeftAnalysisKind weft_analyze_traces = {
  .name = "traces",
  .summary = "Workflows, and the target work that belongs to them",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_HANDLE,
  .orders = orders,
  .default_limit = 100,
};
