/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-origin-rows.h"

#include "weft-enum-types.h"

enum
{
  HANDLE,
  ROLE,
  TIME,
  DISPATCH,
  NAME,
  LANE,
  LANE_NAME,
  SUBMISSION,
  FROM_START,
  FROM_END,
  THREAD,
  TID,
  THREAD_NAME,
  PROCESS,
  PROCESS_NAME,
  STACK,
  LINK_STATUS,
  LINK_DISTANCE,
  REASON,
  LINK_SAMPLE,
  FUNCTION,
  CALL_STACK,
  CALLCHAIN,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("origin", "o"),
  WEFT_ANSWER_ENUM ("role", weft_origin_role_get_type),
  WEFT_ANSWER_COLUMN ("time", TIME),
  WEFT_ANSWER_ID ("dispatch", "d"),
  WEFT_ANSWER_DISPATCH_COLUMNS,
  WEFT_ANSWER_ID ("submission", "s"),
  WEFT_ANSWER_UNIT ("from_start", INT64, "ns"),
  WEFT_ANSWER_UNIT ("from_end", INT64, "ns"),
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_ID ("stack", "st"),
  WEFT_ANSWER_ENUM ("link_status", weft_link_status_get_type),
  WEFT_ANSWER_COLUMN ("link_distance", DURATION),
  WEFT_ANSWER_COLUMN ("reason", STRING),
  WEFT_ANSWER_ID ("link_sample", "sm"),
  WEFT_ANSWER_COLUMN ("function", STRING),
  WEFT_ANSWER_COLUMN ("call_stack", STRING),
  WEFT_ANSWER_ID ("callchain", "cc"),
};

WeftTableBuilder *
weft_origin_rows_begin (const char *name)
{
  return weft_answer_begin_table (name, columns, N_COLUMNS);
}

static const char *const reasons[] = {
  [WEFT_LINK_STATUS_UNDECIDED] = "Not decided yet, or by no recorder that could",
  [WEFT_LINK_STATUS_LINKED_EXACT] = "The stack was captured at that very point",
  [WEFT_LINK_STATUS_LINKED] = "Linked to the thread's nearest CPU sample",
  [WEFT_LINK_STATUS_MISSING_THREAD] = "No thread of this number is known",
  [WEFT_LINK_STATUS_NO_STACK] = "The thread has no CPU sample",
  [WEFT_LINK_STATUS_TOO_FAR] = "The thread's nearest CPU sample is too far away in time",
  [WEFT_LINK_STATUS_SYNTHETIC_TID] = "The number is none that a thread can have",
  [WEFT_LINK_STATUS_WRONG_PID] = "The thread belongs to another process",
  [WEFT_LINK_STATUS_STALE] = "The origin is older than what it may explain",
  [WEFT_LINK_STATUS_OUTSIDE_RUN] = "Its time lies outside the recording",
};

const char *
weft_link_status_explain (WeftLinkStatus status)
{
  return status < G_N_ELEMENTS (reasons) ? reasons[status] : "A later version decided this";
}

static char *
explain (WeftRowCursor *origin)
{
  guint64 status = weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_STATUS);

  if (status == WEFT_LINK_STATUS_LINKED &&
      weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_SAMPLE) == 0)
    return g_strdup ("Linked to the stack that the thread waited with");
  if (status == WEFT_LINK_STATUS_LINKED_EXACT &&
      weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_CALLCHAIN) == 0)
    return g_strdup ("The stack was captured at that very point, but was not unwound");
  if (status != WEFT_LINK_STATUS_UNDECIDED)
    return g_strdup (weft_link_status_explain ((WeftLinkStatus) status));
  if (weft_row_cursor_get (origin, WEFT_ORIGINS_STACK) != 0)
    return g_strdup ("Not decided: the stack was copied at that very point and is not unwound yet");
  if (weft_row_cursor_get (origin, WEFT_ORIGINS_THREAD) == 0)
    return g_strdup_printf ("Not decided: no thread %" G_GINT64_FORMAT
                            " was seen in the process that reported it",
                            weft_row_cursor_get_signed (origin, WEFT_ORIGINS_TID));
  return g_strdup (reasons[WEFT_LINK_STATUS_UNDECIDED]);
}

static void
set_relation (WeftTableBuilder *builder, WeftDispatchNames *names, WeftRowCursor *origin,
              guint64 dispatch)
{
  guint64 time = weft_row_cursor_get (origin, WEFT_ORIGINS_TIME);

  if (!weft_dispatch_names_seek (names, dispatch))
    return;
  weft_dispatch_names_set (names, builder, NAME);
  /* Modulo 2⁶⁴: an origin may lie anywhere. */
  weft_table_builder_set_int64 (builder, FROM_START,
                                (gint64) (time - (guint64) weft_dispatch_names_get_start (names)));
  weft_table_builder_set_int64 (builder, FROM_END,
                                (gint64) (time - (guint64) weft_dispatch_names_get_end (names)));
}

static void
set_stack (WeftTableBuilder *builder, WeftOriginStacks *stacks, WeftRowCursor *origin)
{
  guint64 callchain = weft_origin_stacks_find (stacks, origin);
  g_autofree char *stack = weft_origin_stacks_describe (stacks, callchain);

  if (weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_STATUS) == WEFT_LINK_STATUS_LINKED)
    weft_answer_copy (builder, LINK_SAMPLE, origin, WEFT_ORIGINS_LINK_SAMPLE);
  weft_table_builder_set_string (builder, FUNCTION,
                                 weft_origin_stacks_get_function (stacks, callchain));
  weft_table_builder_set_string (builder, CALL_STACK, stack);
  weft_table_builder_set_uint64 (builder, CALLCHAIN, callchain);
}

void
weft_origin_rows_add (WeftTableBuilder *builder, WeftDispatchNames *names, WeftOriginStacks *stacks,
                      WeftRowCursor *origin, guint64 dispatch)
{
  g_autofree char *reason = explain (origin);
  guint64 status = weft_row_cursor_get (origin, WEFT_ORIGINS_LINK_STATUS);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, weft_row_cursor_get_number (origin));
  weft_answer_copy (builder, ROLE, origin, WEFT_ORIGINS_ROLE);
  weft_answer_copy (builder, TIME, origin, WEFT_ORIGINS_TIME);
  weft_table_builder_set_uint64 (builder, DISPATCH, dispatch);
  set_relation (builder, names, origin, dispatch);
  weft_answer_copy (builder, SUBMISSION, origin, WEFT_ORIGINS_SUBMISSION);
  weft_answer_set_thread (builder, THREAD, names->catalog,
                          weft_row_cursor_get (origin, WEFT_ORIGINS_THREAD),
                          weft_row_cursor_get (origin, WEFT_ORIGINS_TID));
  weft_answer_copy (builder, STACK, origin, WEFT_ORIGINS_STACK);
  weft_answer_copy (builder, LINK_STATUS, origin, WEFT_ORIGINS_LINK_STATUS);
  if (status == WEFT_LINK_STATUS_LINKED || status == WEFT_LINK_STATUS_TOO_FAR)
    weft_answer_copy (builder, LINK_DISTANCE, origin, WEFT_ORIGINS_LINK_DISTANCE);
  weft_table_builder_set_string (builder, REASON, reason);
  set_stack (builder, stacks, origin);
}
