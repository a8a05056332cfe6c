/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-rows.h"

#include "weft-enum-types.h"
#include "weft-ranking.h"

enum
{
  HANDLE,
  NAME,
  LANE,
  LANE_NAME,
  ROUTINE,
  START,
  DURATION,
  SELF,
  DEPTH,
  STATUS,
  ERROR_KIND,
  ERROR,
  QUEUE_DELAY,
  QUEUE_WAIT,
  ATTEMPTS,
  SUBMISSION,
  TRACE,
  THREAD,
  CLASSIFICATION = THREAD + WEFT_ANSWER_N_THREAD_COLUMNS,
  CLASSIFICATION_REASON,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("dispatch", "d"),
  WEFT_ANSWER_DISPATCH_COLUMNS,
  WEFT_ANSWER_ID ("routine", "r"),
  WEFT_ANSWER_COLUMN ("start", TIME),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("self", DURATION),
  WEFT_ANSWER_COLUMN ("depth", UINT64),
  WEFT_ANSWER_ENUM ("status", weft_status_get_type),
  WEFT_ANSWER_ENUM ("error_kind", weft_error_kind_get_type),
  WEFT_ANSWER_COLUMN ("error", STRING),
  WEFT_ANSWER_COLUMN ("queue_delay", DURATION),
  WEFT_ANSWER_COLUMN ("queue_wait", DURATION),
  WEFT_ANSWER_COLUMN ("attempts", UINT64),
  WEFT_ANSWER_ID ("submission", "s"),
  WEFT_ANSWER_ID ("trace", "tr"),
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_ENUM ("classification", weft_classification_get_type),
  WEFT_ANSWER_ENUM ("classification_reason", weft_classification_reason_get_type),
};

gboolean
weft_dispatch_rows_init (WeftDispatchRows *self, const WeftAnalysisScope *scope, GError **error)
{
  self->errors = NULL;
  if (!weft_dispatch_names_init (&self->names, scope, error))
    return FALSE;
  self->errors = weft_row_cursor_new (scope, WEFT_TABLE_ERRORS);
  return TRUE;
}

void
weft_dispatch_rows_clear (WeftDispatchRows *self)
{
  weft_dispatch_names_clear (&self->names);
  g_clear_pointer (&self->errors, weft_row_cursor_free);
}

WeftTableBuilder *
weft_dispatch_rows_begin (const char *name)
{
  return weft_answer_begin_table (name, columns, N_COLUMNS);
}

static const char *const reasons[] = {
  [WEFT_CLASSIFICATION_REASON_UNDECIDED] = "Not decided yet, or by no recorder that could",
  [WEFT_CLASSIFICATION_REASON_WAIT] = "The thread that queued it waited for it past its end",
  [WEFT_CLASSIFICATION_REASON_NO_WAIT] =
      "No wait for it or its submission was reported by the thread that queued it: nothing proves that "
      "a thread waited",
  [WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE] = "Only threads that did not queue it waited for it",
  [WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST] =
      "The thread that queued it waited for it, but not past its end",
  [WEFT_CLASSIFICATION_REASON_WAIT_BEFORE] =
      "The thread that queued it waited for it, but only before it began",
  [WEFT_CLASSIFICATION_REASON_CLOCK_ERROR] =
      "It and a wait for it ended nearer to one another than their clocks can tell",
  [WEFT_CLASSIFICATION_REASON_NO_ORIGIN] = "Nothing tells which thread queued it",
  [WEFT_CLASSIFICATION_REASON_NO_THREAD] = "The thread that queued it is not known",
  [WEFT_CLASSIFICATION_REASON_NOT_COMPLETED] = "It was canceled before it ran",
  [WEFT_CLASSIFICATION_REASON_HALF_WAIT] =
      "The thread that queued it told of one end of a wait only",
  [WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN] =
      "What recorded it cannot tell of waits: whether a thread waited for it is not known",
};

const char *
weft_classification_reason_explain (WeftClassificationReason reason)
{
  return reason < G_N_ELEMENTS (reasons) ? reasons[reason] : "A later version decided this";
}

gboolean
weft_dispatch_row_get_queue_delay (WeftRowCursor *dispatch, guint64 *delay)
{
  gint64 start = weft_row_cursor_get_signed (dispatch, WEFT_DISPATCHES_START);
  gint64 submitted = weft_row_cursor_get_signed (dispatch, WEFT_DISPATCHES_SUBMITTED);

  if (!weft_row_cursor_has (dispatch, WEFT_DISPATCHES_SUBMITTED))
    return FALSE;
  *delay = start > submitted ? (guint64) start - (guint64) submitted : 0;
  return TRUE;
}

guint64
weft_dispatch_row_get_self (WeftRowCursor *dispatch)
{
  guint64 duration = weft_row_cursor_get (dispatch, WEFT_DISPATCHES_DURATION);

  return duration - MIN (duration, weft_row_cursor_get (dispatch, WEFT_DISPATCHES_CHILD_TIME));
}

void
weft_dispatch_rows_add (WeftDispatchRows *self, WeftTableBuilder *builder, guint64 id)
{
  static const struct
  {
    guint column;
    WeftColumnNumber number;
  } copied[] = {
    { ROUTINE, WEFT_DISPATCHES_ROUTINE },
    { START, WEFT_DISPATCHES_START },
    { DURATION, WEFT_DISPATCHES_DURATION },
    { DEPTH, WEFT_DISPATCHES_DEPTH },
    { STATUS, WEFT_DISPATCHES_STATUS },
    { ERROR_KIND, WEFT_DISPATCHES_ERROR_KIND },
    { QUEUE_WAIT, WEFT_DISPATCHES_QUEUE_WAIT },
    { ATTEMPTS, WEFT_DISPATCHES_ATTEMPTS },
    { SUBMISSION, WEFT_DISPATCHES_SUBMISSION },
    { TRACE, WEFT_DISPATCHES_TRACE },
    { CLASSIFICATION, WEFT_DISPATCHES_CLASSIFICATION },
    { CLASSIFICATION_REASON, WEFT_DISPATCHES_CLASSIFICATION_REASON },
  };
  WeftRowCursor *row = self->names.dispatches;
  guint64 delay;

  if (!weft_dispatch_names_seek (&self->names, id))
    return;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, id);
  weft_dispatch_names_set (&self->names, builder, NAME);
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    weft_answer_copy (builder, copied[i].column, row, copied[i].number);
  weft_table_builder_set_uint64 (builder, SELF, weft_dispatch_row_get_self (row));
  weft_table_builder_set_string (
      builder, ERROR,
      weft_answer_get_error (self->errors, weft_row_cursor_get (row, WEFT_DISPATCHES_ERROR)));
  if (weft_dispatch_row_get_queue_delay (row, &delay))
    weft_table_builder_set_uint64 (builder, QUEUE_DELAY, delay);
  weft_answer_set_thread (builder, THREAD, self->names.catalog,
                          weft_row_cursor_get (row, WEFT_DISPATCHES_THREAD), 0);
}

gboolean
weft_dispatch_rows_finish (WeftDispatchRows *self, GError **error)
{
  return weft_row_cursor_finish (self->names.dispatches, error) &&
         weft_row_cursor_finish (self->errors, error);
}

gboolean
weft_dispatch_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                              WeftColumnNumber column, guint64 value, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_dispatch_rows_begin ("dispatches");
  g_autoptr (WeftRowCursor) found = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);
  g_autoptr (WeftRanking) ranking = NULL;
  g_auto (WeftDispatchRows) rows = { 0 };
  WeftAnalysisScope whole = *scope;
  guint n_rows;

  whole.cursor = NULL;
  whole.limit = 0;
  ranking = weft_ranking_new (&whole, "dispatches", TRUE, error);
  weft_row_cursor_where (found, column, value);
  while (weft_row_cursor_next (found))
    weft_ranking_add (ranking, weft_row_cursor_get_signed (found, WEFT_DISPATCHES_START),
                      weft_row_cursor_get_number (found), NULL);
  if (!weft_row_cursor_finish (found, error) || !weft_dispatch_rows_init (&rows, scope, error))
    return FALSE;
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    weft_dispatch_rows_add (&rows, builder, weft_ranking_get (ranking, i)->id);
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_dispatch_rows_finish (&rows, error);
}
