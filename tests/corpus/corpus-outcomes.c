/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How dispatches went: statuses, errors, attempts, phases. */

#include "corpus.h"

#include <string.h>

static CorpusLane *
lane (void)
{
  return corpus_lane ("outcomes", "executor.worker");
}

static void
status_ok (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "status-ok", 10 * MS, MS);

  dispatch.label = "job 17";
  corpus_emit (lane (), &dispatch);
}

/* One dispatch for each kind of error, the first of which says nothing more. */
static void
status_errors (void)
{
  static const char *const names[] = { "status-error", "error-abort",     "error-queue",
                                       "error-crash",  "error-exception", "error-fault",
                                       "error-timeout" };

  for (size_t i = 0; i < N_ELEMENTS (names); i++)
    {
      WeftTargetDispatch dispatch = corpus_dispatch (lane (), names[i], (20 + 2 * i) * MS, MS);

      dispatch.status = WEFT_TARGET_ERROR;
      dispatch.error_kind = (WeftTargetErrorKind) i;
      corpus_emit (lane (), &dispatch);
    }
}

static void
error_detail (void)
{
  static const WeftTargetErrorDetail error = { "ConnectionLost", "the peer closed the connection",
                                               "at fetch (client.c:88)\nat main",
                                               "keep-alive expired" };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "error-detail", 40 * MS, MS);

  dispatch.status = WEFT_TARGET_ERROR;
  dispatch.error_kind = WEFT_TARGET_ERROR_EXCEPTION;
  dispatch.error = &error;
  corpus_emit (lane (), &dispatch);
}

/* It never ran: no time, no attempt, only a wait in the queue. */
static void
cancel_before_dispatch (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "cancel-before-dispatch", 50 * MS, 0);

  dispatch.status = WEFT_TARGET_CANCELED;
  dispatch.has_attempts = true;
  dispatch.has_queue_wait = true;
  dispatch.queue_wait = dispatch.queue_wait_last = 7 * MS;
  dispatch.submitted = corpus_ticks (corpus_time (43 * MS));
  corpus_emit (lane (), &dispatch);
}

static void
cancel_in_flight (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "cancel-in-flight", 60 * MS, 2 * MS);

  dispatch.status = WEFT_TARGET_CANCELED;
  dispatch.has_attempts = true;
  dispatch.attempts = 1;
  corpus_emit (lane (), &dispatch);
}

static void
attempts (void)
{
  static const uint32_t counts[] = { 0, 1, 3 };

  for (size_t i = 0; i < N_ELEMENTS (counts); i++)
    {
      WeftTargetDispatch dispatch = corpus_dispatch (lane (), "attempts", (70 + 2 * i) * MS, MS);

      dispatch.has_attempts = true;
      dispatch.attempts = counts[i];
      corpus_emit (lane (), &dispatch);
    }
  corpus_span (lane (), "attempts", 78 * MS, MS);
}

/* Three attempts that waited 1, 2 and 4 ms, and one dispatch that did not wait. */
static void
queue_wait (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "queue-wait", 90 * MS, 5 * MS);

  dispatch.has_attempts = dispatch.has_queue_wait = true;
  dispatch.attempts = 3;
  dispatch.queue_wait = 7 * MS;
  dispatch.queue_wait_last = 4 * MS;
  corpus_emit (lane (), &dispatch);
  dispatch.attempts = 1;
  dispatch.queue_wait = dispatch.queue_wait_last = 0;
  dispatch.start += 6 * MS;
  dispatch.end += 6 * MS;
  corpus_emit (lane (), &dispatch);
}

static void
phases (void)
{
  static const WeftTargetPhase list[] = {
    { "queued", 0, MS, 0, NULL },
    { "parse", MS, 2 * MS, 0, NULL },
    { "decode", 3 * MS, 6 * MS, WEFT_TARGET_PHASE_SLOW, NULL },
    { "store", 9 * MS, MS, WEFT_TARGET_PHASE_SLOW | WEFT_TARGET_PHASE_ERROR,
      "no space left on the device" }
  };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "phases", 110 * MS, 10 * MS);

  dispatch.phases = list;
  dispatch.n_phases = N_ELEMENTS (list);
  corpus_emit (lane (), &dispatch);
}

/* A tag of each type. */
static void
tags (void)
{
  const WeftTargetTag list[] = { { "bytes", WEFT_TARGET_VALUE_U64, { .u64 = UINT64_MAX } },
                                 { "balance", WEFT_TARGET_VALUE_I64, { .i64 = -12 } },
                                 { "ratio", WEFT_TARGET_VALUE_F64, { .f64 = 0.125 } },
                                 { "cached", WEFT_TARGET_VALUE_BOOL, { .boolean = true } },
                                 corpus_tag ("tenant", "north") };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "tags", 130 * MS, MS);
  uint32_t queue = weft_target_queue_new (lane ()->lane, "tagged queue");

  dispatch.tags = list;
  dispatch.n_tags = N_ELEMENTS (list);
  corpus_emit (lane (), &dispatch);
  corpus_settle ();
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (lane ()->lane), &list[4]);
  weft_target_tag (WEFT_TARGET_OWNER_ROUTINE, weft_target_routine_get_id (dispatch.routine),
                   &list[3]);
  weft_target_tag (WEFT_TARGET_OWNER_QUEUE, queue, &list[0]);
  weft_target_tag (WEFT_TARGET_OWNER_RUNTIME, 0, &list[2]);
}

static const CorpusCase cases[] = {
  { "status-ok", "a dispatch that went well, with a label",
    "lane `outcomes`: status ok, label `job 17`", status_ok },
  { "status-errors", "an error of each kind, without detail",
    "routines `status-error`, `error-abort`, `error-queue`, `error-crash`, `error-exception`, "
    "`error-fault`, `error-timeout`: status error, kinds 0 to 6",
    status_errors },
  { "error-detail", "an error with everything that can be said of it",
    "name, message, stack and cause", error_detail },
  { "cancel-before-dispatch", "canceled while it waited in the queue",
    "status canceled, duration 0, 0 attempts, queue wait 7 ms, submitted 7 ms before",
    cancel_before_dispatch },
  { "cancel-in-flight", "canceled while it ran", "status canceled, 2 ms, 1 attempt",
    cancel_in_flight },
  { "attempts", "no, one and three attempts, and one that does not tell",
    "attempts 0, 1, 3 and absent", attempts },
  { "queue-wait", "waits of three attempts, and none",
    "3 attempts: 7 ms in all, 4 ms the last; 1 attempt: 0, not absent", queue_wait },
  { "phases", "four segments, one slow, one slow and wrong",
    "`queued` 1, `parse` 2, `decode` 6 and `store` 1 ms; flags 0, 0, 1, 3; an error of the last",
    phases },
  { "tags", "attributes of each type, of a dispatch, the lane, a routine, a queue, the runtime",
    "5 tags of the dispatch, `tenant` of the lane, `cached` of the routine, `bytes` of the queue, "
    "`ratio` of the runtime",
    tags },
};

const CorpusGroup corpus_outcomes = { "outcomes", cases, N_ELEMENTS (cases) };
