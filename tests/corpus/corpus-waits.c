/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who waited for what: the proof that a stack stood still for a dispatch, and what is none.
 *
 * The thread `render` asks for work in corpus_render_frame () → corpus_encode () and waits for it
 * in corpus_render_frame () → corpus_wait_for (). Times follow the calls, and keep their distances.
 */

#include "corpus.h"

#define AHEAD (500 * US) /* from a call to the start or end that follows it */
#define TOOK (4 * MS)

typedef struct
{
  const char *name;
  CorpusLane *lane;
  uint64_t id;
  uint64_t submission;
  uint64_t start; /* CLOCK_MONOTONIC */
  uint64_t end;
} Work;

WeftTargetOrigin corpus_encode (Work *work);
void corpus_wait_for (Work *work, uint64_t dispatch, uint64_t submission, uint64_t until);

static CorpusLane *
queue (void)
{
  return corpus_lane ("wait queue", "metal.queue");
}

/* ---- The calls, as they stand on the stack ---- */

/* Asks for WORK, which begins soon. */
__attribute__ ((noinline)) WeftTargetOrigin
corpus_encode (Work *work)
{
  const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_DISPATCH,
                                        weft_target_origin_with_stack () };
  WeftTargetDispatch dispatch = corpus_dispatch (work->lane, work->name, 0, 0);

  dispatch.start = dispatch.end = 0;
  dispatch.submission = work->submission;
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  work->start = corpus_monotonic () + AHEAD;
  work->end = work->start + TOOK;
  work->id = corpus_reserve (work->lane, &dispatch);
  return origin.origin;
}

__attribute__ ((noinline)) void
corpus_wait_for (Work *work, uint64_t dispatch, uint64_t submission, uint64_t until)
{
  weft_target_report_origin (work->lane->lane, WEFT_TARGET_ROLE_WAIT_BEGIN, dispatch, submission,
                             weft_target_origin_with_stack ());
  corpus_sleep_until (until);
  weft_target_report_origin (work->lane->lane, WEFT_TARGET_ROLE_WAIT_END, dispatch, submission,
                             weft_target_origin_with_stack ());
}

static void
complete (Work *work)
{
  WeftTargetDispatch dispatch = corpus_dispatch (work->lane, work->name, 0, 0);

  dispatch.id = work->id;
  dispatch.start = work->start;
  dispatch.end = work->end;
  weft_target_complete (&dispatch);
}

static void
on_render_thread (CorpusJob job, void *data)
{
  CorpusThread *thread = corpus_thread_new ("render");

  corpus_thread_run (thread, job, data);
  corpus_thread_free (thread);
}

/* ---- The same thread waits ---- */

static void
render_and_wait (void *data)
{
  Work work = { .name = "wait-synchronous", .lane = queue () };

  corpus_encode (&work);
  corpus_wait_for (&work, work.id, 0, work.end + AHEAD);
  complete (&work);
}

static void
wait_synchronous (void)
{
  on_render_thread (render_and_wait, NULL);
}

static void
render_impatiently (void *data)
{
  Work work = { .name = "wait-too-short", .lane = queue () };

  corpus_encode (&work);
  corpus_wait_for (&work, work.id, 0, work.start + TOOK - MS);
  work.end = corpus_monotonic () + 2 * MS;
  work.start = work.end - TOOK;
  corpus_sleep_until (work.end);
  complete (&work);
}

static void
wait_too_short (void)
{
  on_render_thread (render_impatiently, NULL);
}

static void
render_group (void *data)
{
  Work work[2] = { { .name = "wait-submission", .lane = queue () },
                   { .name = "wait-submission", .lane = queue () } };
  uint64_t submission = weft_target_id_new ();

  for (size_t i = 0; i < 2; i++)
    {
      work[i].submission = submission;
      corpus_encode (&work[i]);
    }
  work[1].start = work[0].end;
  work[1].end = work[1].start + TOOK;
  corpus_wait_for (&work[0], 0, submission, work[1].end + AHEAD);
  for (size_t i = 0; i < 2; i++)
    complete (&work[i]);
}

static void
wait_submission (void)
{
  on_render_thread (render_group, NULL);
}

/* ---- Nobody, or another thread, waits ---- */

static void
render_only (void *data)
{
  corpus_encode (data);
}

static void
finish (void *data)
{
  Work *work = data;

  corpus_sleep_until (work->end);
  weft_target_report_origin (work->lane->lane, WEFT_TARGET_ROLE_COMPLETION, work->id, 0,
                             weft_target_origin_with_stack ());
  complete (work);
}

static void
wait_asynchronous (void)
{
  Work work = { .name = "wait-asynchronous", .lane = queue () };
  CorpusThread *completion = corpus_thread_new ("completion");

  on_render_thread (render_only, &work);
  corpus_thread_run (completion, finish, &work);
  corpus_thread_free (completion);
}

static void
collect (void *data)
{
  Work *work = data;
  uint64_t until;

  work->start = corpus_monotonic () + AHEAD;
  work->end = work->start + TOOK;
  until = work->end + AHEAD;
  corpus_wait_for (work, work->id, 0, until);
  complete (work);
}

static void
wait_other_thread (void)
{
  Work work = { .name = "wait-other-thread", .lane = queue () };
  CorpusThread *collector = corpus_thread_new ("collector");

  on_render_thread (render_only, &work);
  corpus_thread_run (collector, collect, &work);
  corpus_thread_free (collector);
}

/* ---- Closer than the clocks can tell ---- */

#define UNSURE (400 * US) /* twice the error bound of each pair */

static void
calibrate (uint32_t clock)
{
  uint64_t now = corpus_monotonic ();

  weft_target_clock_calibrate (clock, now - UNSURE / 2, corpus_ticks (now - UNSURE),
                               corpus_ticks (now));
}

/* The wait ends 20 µs after the dispatch, by clocks that differ by up to 200 µs. */
static void
render_on_device (void *data)
{
  uint32_t clock = weft_target_clock_new ("coarse device", 1e9);
  Work work = { .name = "wait-ambiguous" };
  WeftTargetOrigin end;

  work.lane = corpus_lane_full ("coarse queue", "metal.queue", NULL, clock);
  calibrate (clock);
  corpus_encode (&work);
  weft_target_report_origin (work.lane->lane, WEFT_TARGET_ROLE_WAIT_BEGIN, work.id, 0,
                             weft_target_origin_with_stack ());
  corpus_sleep_until (work.end);
  end = weft_target_origin_with_stack ();
  weft_target_report_origin (work.lane->lane, WEFT_TARGET_ROLE_WAIT_END, work.id, 0, end);
  work.end = weft_target_to_nanoseconds (end.ticks) - 20 * US;
  work.start = work.end - TOOK;
  complete (&work);
  corpus_sleep (MS);
  calibrate (clock);
}

static void
wait_ambiguous (void)
{
  on_render_thread (render_on_device, NULL);
}

static const CorpusCase cases[] = {
  { "wait-synchronous", "thread `render` asks, waits for the dispatch, and goes on after its end",
    "lane `wait queue`: 4 ms; dispatch, wait begin and wait end of thread `render`, each with a "
    "stack; the wait ends after the dispatch: synchronous",
    wait_synchronous },
  { "wait-asynchronous", "nobody waits; thread `completion` hears of the end",
    "4 ms; dispatch of `render`, completion of `completion`, no wait: asynchronous",
    wait_asynchronous },
  { "wait-other-thread", "thread `collector` waits for what `render` asked for",
    "dispatch of `render`, wait begin and end of `collector`: asynchronous, with a link",
    wait_other_thread },
  { "wait-submission", "thread `render` waits for a submission of two dispatches",
    "2 × 4 ms, one after the other; wait begin and end name the submission: synchronous",
    wait_submission },
  { "wait-too-short", "thread `render` gives up waiting before the end",
    "wait begin and end of `render`, before the dispatch ends: asynchronous", wait_too_short },
  { "wait-ambiguous", "the wait ends as near to the dispatch's end as the clocks' error",
    "lane `coarse queue` on a device's clock: 4 ms; wait end 20 µs after it, clock pairs known to "
    "200 µs: unknown",
    wait_ambiguous },
};

const CorpusGroup corpus_waits = { "waits", cases, N_ELEMENTS (cases) };
