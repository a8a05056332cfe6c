/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Work handed over in groups, through queues, and dispatches whose times come later. */

#include "corpus.h"

static CorpusLane *
lane (void)
{
  return corpus_lane ("submissions", "metal.queue");
}

static void
tell (uint64_t submission, uint32_t queue, WeftTargetSubmissionKind kind, WeftTargetStatus status,
      uint64_t time, const WeftTargetErrorDetail *error)
{
  weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = lane ()->lane,
                                                        .submission = submission,
                                                        .queue = queue,
                                                        .kind = kind,
                                                        .status = status,
                                                        .ticks = corpus_ticks (corpus_time (time)),
                                                        .error = error });
}

static void
emit_group (const char *name, uint64_t start, uint64_t submission, uint32_t queue, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      WeftTargetDispatch dispatch =
          corpus_dispatch (lane (), name, start + i * 2 * MS, (i + 1) * 500 * US);

      dispatch.submission = submission;
      dispatch.queue = queue;
      corpus_emit (lane (), &dispatch);
    }
}

static void
submission_life (void)
{
  uint64_t submission = weft_target_id_new ();

  tell (submission, 0, WEFT_TARGET_SUBMISSION_BEGIN, WEFT_TARGET_OK, 10 * MS, NULL);
  emit_group ("submission-life", 12 * MS, submission, 0, 3);
  tell (submission, 0, WEFT_TARGET_SUBMISSION_COMMIT, WEFT_TARGET_OK, 11 * MS, NULL);
  tell (submission, 0, WEFT_TARGET_SUBMISSION_COMPLETED, WEFT_TARGET_OK, 18 * MS, NULL);
}

static void
submission_origin (void)
{
  const WeftTargetRoleOrigin origin = {
    WEFT_TARGET_ROLE_DISPATCH,
    corpus_origin (corpus_thread_tid (corpus_resident (CORPUS_CRUNCH)), corpus_time (34 * MS))
  };
  const WeftTargetTag tag = corpus_tag ("pass", "shadows");
  uint64_t submission = weft_target_id_new ();

  emit_group ("submission-origin", 35 * MS, submission, 0, 1);
  weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = lane ()->lane,
                                                        .submission = submission,
                                                        .kind = WEFT_TARGET_SUBMISSION_COMMIT,
                                                        .ticks = origin.origin.ticks,
                                                        .origins = &origin,
                                                        .n_origins = 1,
                                                        .tags = &tag,
                                                        .n_tags = 1 });
}

static void
submission_fault (void)
{
  static const WeftTargetErrorDetail error = { "IOAF", "execution was aborted: page fault",
                                               "at scatter\nat step", "buffer 3 was freed" };
  uint64_t submission = weft_target_id_new ();

  tell (submission, 0, WEFT_TARGET_SUBMISSION_COMMIT, WEFT_TARGET_OK, 20 * MS, NULL);
  emit_group ("submission-fault", 21 * MS, submission, 0, 1);
  tell (submission, 0, WEFT_TARGET_SUBMISSION_FAULT, WEFT_TARGET_ERROR, 23 * MS, &error);
}

static void
submission_canceled (void)
{
  uint64_t submission = weft_target_id_new ();

  tell (submission, 0, WEFT_TARGET_SUBMISSION_BEGIN, WEFT_TARGET_OK, 30 * MS, NULL);
  tell (submission, 0, WEFT_TARGET_SUBMISSION_COMPLETED, WEFT_TARGET_CANCELED, 31 * MS, NULL);
}

static void
submission_queues (void)
{
  uint32_t compute = weft_target_queue_new (lane ()->lane, "compute");
  uint32_t copy = weft_target_queue_new (lane ()->lane, "copy");

  emit_group ("submission-queues", 40 * MS, weft_target_id_new (), compute, 4);
  emit_group ("submission-queues", 50 * MS, weft_target_id_new (), copy, 2);
}

/* Told when they were handed over: they waited 100 µs, 1 ms and 10 ms. */
static void
queue_delay (void)
{
  static const uint64_t delays[] = { 100 * US, MS, 10 * MS };

  for (size_t i = 0; i < N_ELEMENTS (delays); i++)
    {
      uint64_t start = (80 + i * 3) * MS;
      WeftTargetDispatch dispatch = corpus_dispatch (lane (), "queue-delay", start, 2 * MS);

      dispatch.submitted = corpus_ticks (corpus_time (start - delays[i]));
      corpus_emit (lane (), &dispatch);
    }
}

/* ---- Reservations ---- */

static WeftTargetDispatch
reservation (const char *name, uint64_t submitted)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, 0, 0);

  dispatch.start = dispatch.end = 0;
  dispatch.submitted = corpus_ticks (corpus_time (submitted));
  return dispatch;
}

static void
reservation_completed (void)
{
  for (uint64_t i = 0; i < 4; i++)
    {
      uint64_t start = (100 + i * 4) * MS;
      WeftTargetDispatch first = reservation ("reservation-completed", start - 500 * US);
      WeftTargetDispatch last = corpus_dispatch (lane (), "reservation-completed", start, 3 * MS);

      first.label = "asked for";
      last.routine = NULL;
      last.id = corpus_reserve (lane (), &first);
      weft_target_complete (&last);
    }
}

static void
reservation_reversed (void)
{
  WeftTargetDispatch first = reservation ("reservation-reversed", 120 * MS);
  WeftTargetDispatch last = corpus_dispatch (lane (), "reservation-reversed", 121 * MS, 3 * MS);

  first.id = last.id = weft_target_id_new ();
  weft_target_complete (&last);
  corpus_reserve (lane (), &first);
}

/* The last of them says all that a reservation can. */
static void
reservation_pending (void)
{
  WeftTargetTrace trace = weft_target_trace_new ("reservation-pending");
  uint32_t queue = weft_target_queue_new (lane ()->lane, "stuck");

  for (uint64_t i = 0; i < 3; i++)
    {
      WeftTargetDispatch first = reservation ("reservation-pending", (130 + i) * MS);

      if (i == 2)
        {
          first.submission = weft_target_id_new ();
          first.queue = queue;
          first.trace = &trace;
        }
      corpus_reserve (lane (), &first);
    }
  weft_target_trace_end (&trace, "reservation-pending", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE,
                         NULL);
}

static void
completion_unreserved (void)
{
  WeftTargetDispatch last = corpus_dispatch (lane (), "completion-unreserved", 140 * MS, 3 * MS);

  last.id = weft_target_id_new ();
  weft_target_complete (&last);
  corpus_count (lane (), 1);
}

static const CorpusCase cases[] = {
  { "submission-life", "begun, committed, completed; three dispatches",
    "lane `submissions`: one submission, events begin, commit, completed at 10, 11 and 18 ms, "
    "dispatches of 0.5, 1 and 1.5 ms",
    submission_life },
  { "submission-fault", "a submission that faults",
    "events commit and fault, status error, with name, message, stack and cause",
    submission_fault },
  { "submission-canceled", "a submission that is canceled before it holds anything",
    "events begin and completed, status canceled, no dispatch", submission_canceled },
  { "submission-origin", "a submission that says who committed it, with a tag",
    "1 origin of the submission on thread `crunch`; tag `pass`", submission_origin },
  { "submission-queues", "two queues behind one lane",
    "queues `compute` and `copy`; 4 and 2 dispatches, two submissions", submission_queues },
  { "queue-delay", "dispatches that waited in the queue",
    "3 × 2 ms, started 0.1, 1 and 10 ms after they were submitted", queue_delay },
  { "reservation-completed", "four dispatches whose times come later",
    "4 × 3 ms, submitted 0.5 ms before, routine and label of the reservation",
    reservation_completed },
  { "reservation-reversed", "a completion that comes before its reservation",
    "1 × 3 ms, submitted 1 ms before, not marked", reservation_reversed },
  { "reservation-pending", "three reservations that never complete",
    "no dispatch, 3 pending on the lane, 3 rows of `reservations`, the last with submission, queue "
    "`stuck` and trace",
    reservation_pending },
  { "completion-unreserved", "a completion without a reservation", "1 × 3 ms with the mark for it",
    completion_unreserved },
};

const CorpusGroup corpus_submissions = { "submissions", cases, N_ELEMENTS (cases) };
