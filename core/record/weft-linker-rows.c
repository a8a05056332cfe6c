/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The linker fed by rows that somebody made otherwise, of any table and in any order. */

#include "weft-enums.h"
#include "weft-linker.h"

#define VALUE(TABLE, NAME) values[WEFT_##TABLE##_##NAME - WEFT_COLUMN_BASE_##TABLE - 1]

static void
add_origin (WeftLinker *self, guint64 id, const guint64 *values, guint64 process)
{
  weft_linker_add_origin (self, &(WeftLinkerOrigin){
                                    .origin = id,
                                    .role = (guint) VALUE (ORIGINS, ROLE),
                                    .dispatch = VALUE (ORIGINS, DISPATCH),
                                    .submission = VALUE (ORIGINS, SUBMISSION),
                                    .runtime = VALUE (ORIGINS, RUNTIME),
                                    .producer_dispatch = VALUE (ORIGINS, PRODUCER_DISPATCH),
                                    .process = process,
                                    .thread = VALUE (ORIGINS, THREAD),
                                    .tid = (gint64) VALUE (ORIGINS, TID),
                                    .time = (gint64) VALUE (ORIGINS, TIME),
                                    .now = G_MAXINT64,
                                    .stack = VALUE (ORIGINS, STACK),
                                });
}

static void
add_dispatch (WeftLinker *self, guint64 id, const guint64 *values, guint64 runtime,
              gboolean has_submitted)
{
  gint64 start = (gint64) VALUE (DISPATCHES, START);
  gint64 wait = (gint64) MIN (VALUE (DISPATCHES, QUEUE_WAIT), G_MAXINT64 / 4);
  WeftLinkerDispatch dispatch = { .dispatch = id,
                                  .submission = VALUE (DISPATCHES, SUBMISSION),
                                  .runtime = runtime,
                                  .producer_id = VALUE (DISPATCHES, PRODUCER_ID),
                                  .start = start,
                                  .end = start + (gint64) VALUE (DISPATCHES, DURATION),
                                  .queued = MAX (start, G_MININT64 / 2) - wait };

  if (has_submitted)
    dispatch.queued = MIN (dispatch.queued, (gint64) VALUE (DISPATCHES, SUBMITTED));
  dispatch.never_ran =
      VALUE (DISPATCHES, STATUS) == WEFT_STATUS_CANCELED && VALUE (DISPATCHES, DURATION) == 0;
  weft_linker_add_dispatch (self, &dispatch);
}

void
weft_linker_add_row (WeftLinker *self, WeftTableId table, guint64 id, const guint64 *values,
                     const WeftLinkerRowFacts *facts)
{
  switch (table)
    {
    case WEFT_TABLE_PROCESSES:
      weft_linker_add_thread (self, id, (gint64) VALUE (PROCESSES, PID), 0);
      break;
    case WEFT_TABLE_THREADS:
      weft_linker_add_thread (self, VALUE (THREADS, PROCESS), (gint64) VALUE (THREADS, TID), id);
      break;
    case WEFT_TABLE_STACKS:
      weft_linker_add_stack (self, id, VALUE (STACKS, CALLCHAIN));
      break;
    case WEFT_TABLE_CALLCHAINS:
      weft_linker_add_callchain (self, id, VALUE (CALLCHAINS, PARENT), VALUE (CALLCHAINS, FRAME),
                                 (guint) VALUE (CALLCHAINS, DEPTH));
      break;
    case WEFT_TABLE_SAMPLES:
      weft_linker_add_sample (self, VALUE (SAMPLES, THREAD), (gint64) VALUE (SAMPLES, TIME), id,
                              VALUE (SAMPLES, CALLCHAIN));
      break;
    case WEFT_TABLE_WAITS:
      weft_linker_add_wait (self, VALUE (WAITS, THREAD), (gint64) VALUE (WAITS, START),
                            (gint64) (VALUE (WAITS, START) + VALUE (WAITS, DURATION)),
                            VALUE (WAITS, CALLCHAIN));
      break;
    case WEFT_TABLE_ORIGINS:
      add_origin (self, id, values, facts->process);
      break;
    case WEFT_TABLE_DISPATCHES:
      add_dispatch (self, id, values, facts->runtime, facts->has_submitted);
      break;
    default:
      break;
    }
}
