/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where dispatches came from: one for every way in which that can be told, or told wrongly. */

#include "corpus.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TOOK MS
#define QUEUED (200 * US) /* from the origin to the start */

/* Over any number that a kernel gives. */
#define MADE_UP_TID 0x7fff0001

static CorpusLane *
lane (void)
{
  return corpus_lane ("origin queue", "metal.queue");
}

static int32_t
own_tid (void)
{
  return (int32_t) syscall (SYS_gettid);
}

/* A dispatch of the routine NAME, asked for by ORIGIN. */
static void
emit (const char *name, uint64_t start, WeftTargetOrigin origin)
{
  const WeftTargetRoleOrigin origins[] = { { WEFT_TARGET_ROLE_DISPATCH, origin } };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, start, TOOK);

  dispatch.origins = origins;
  dispatch.n_origins = 1;
  corpus_emit (lane (), &dispatch);
}

/* ---- Roles ---- */

static void
emit_roles (const char *name, uint64_t start, const WeftTargetOrigin *origins)
{
  WeftTargetRoleOrigin roles[WEFT_TARGET_ROLE_FAULT + 1];
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, start, TOOK);

  for (size_t i = 0; i < N_ELEMENTS (roles); i++)
    roles[i] = (WeftTargetRoleOrigin){ (WeftTargetRole) i, origins[i] };
  dispatch.origins = roles;
  dispatch.n_origins = N_ELEMENTS (roles);
  corpus_emit (lane (), &dispatch);
}

static void
origin_roles (void)
{
  WeftTargetOrigin origins[WEFT_TARGET_ROLE_FAULT + 1];

  for (size_t i = 0; i < N_ELEMENTS (origins); i++)
    origins[i] = corpus_origin (own_tid (), corpus_time (10 * MS + i * 100 * US));
  emit_roles ("origin-roles", 10 * MS + 50 * US, origins);
}

static void
origin_roles_stacks (void)
{
  WeftTargetOrigin origins[WEFT_TARGET_ROLE_FAULT + 1];

  for (size_t i = 0; i < N_ELEMENTS (origins); i++)
    origins[i] = weft_target_origin_with_stack ();
  emit_roles ("origin-roles-stacks", 20 * MS, origins);
}

static void
origin_none (void)
{
  corpus_span (lane (), "origin-none", 30 * MS, TOOK);
}

/* As a program takes it while no recorder is there. */
static void
origin_unheard (void)
{
  emit ("origin-unheard", 35 * MS, (WeftTargetOrigin){ 0 });
}

static void
take_origin (void *data)
{
  *(WeftTargetOrigin *) data = weft_target_origin ();
}

static void
origin_ended_thread (void)
{
  CorpusThread *thread = corpus_thread_new ("asker");
  WeftTargetOrigin origin = { 0 };

  corpus_thread_begin (thread, take_origin, &origin);
  corpus_thread_free (thread);
  origin.ticks = corpus_ticks (corpus_time (140 * MS));
  emit ("origin-ended-thread", 140 * MS + QUEUED, origin);
}

static void
origin_late (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "origin-late", 40 * MS, TOOK);

  dispatch.id = weft_target_id_new ();
  corpus_emit (lane (), &dispatch);
  weft_target_report_origin (lane ()->lane, WEFT_TARGET_ROLE_COMPLETION, dispatch.id, 0,
                             corpus_origin (own_tid (), corpus_time (40 * MS + TOOK)));
}

/* ---- Link statuses ---- */

static void
emit_exact (void *data)
{
  WeftTargetOrigin origin = weft_target_origin_with_stack ();
  const WeftTargetRoleOrigin origins[] = { { WEFT_TARGET_ROLE_DISPATCH, origin } };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "origin-linked-exact", 0, 0);

  dispatch.start = corpus_monotonic ();
  dispatch.end = dispatch.start + TOOK;
  dispatch.origins = origins;
  dispatch.n_origins = 1;
  corpus_sleep_until (dispatch.end);
  corpus_emit (lane (), &dispatch);
}

static void
origin_linked_exact (void)
{
  CorpusThread *thread = corpus_thread_new ("encoder");

  corpus_thread_run (thread, emit_exact, NULL);
  corpus_thread_free (thread);
}

static void
origin_linked (void)
{
  emit (
      "origin-linked", 150 * MS + QUEUED,
      corpus_origin (corpus_thread_tid (corpus_resident (CORPUS_CRUNCH)), corpus_time (150 * MS)));
}

/* The next lower number than this process that no thread or process has: the kernel gives numbers
 * upwards, and will not have come round when this program ends.
 */
static int32_t
unused_tid (void)
{
  pid_t tid = getpid () - 1;

  while (tid > 2 && (kill (tid, 0) == 0 || errno != ESRCH))
    tid--;
  return (int32_t) tid;
}

static void
origin_missing_thread (void)
{
  emit ("origin-missing-thread", 160 * MS + QUEUED,
        corpus_origin (unused_tid (), corpus_time (160 * MS)));
}

static void
origin_no_stack (void)
{
  emit (
      "origin-no-stack", 170 * MS + QUEUED,
      corpus_origin (corpus_thread_tid (corpus_resident (CORPUS_DORMANT)), corpus_time (170 * MS)));
}

static void
origin_too_far (void)
{
  emit ("origin-too-far", 180 * MS + QUEUED,
        corpus_origin (corpus_thread_tid (corpus_resident (CORPUS_BRIEF)), corpus_time (180 * MS)));
}

static void
origin_synthetic_tid (void)
{
  emit ("origin-synthetic-tid", 190 * MS + QUEUED,
        corpus_origin (MADE_UP_TID, corpus_time (190 * MS)));
}

static void
origin_wrong_pid (void)
{
  emit ("origin-wrong-pid", 200 * MS + QUEUED,
        corpus_origin (corpus_child (), corpus_time (200 * MS)));
}

/* Taken when the program began, 390 ms before the dispatch. */
static void
origin_stale (void)
{
  emit ("origin-stale", 390 * MS,
        corpus_origin (corpus_thread_tid (corpus_resident (CORPUS_CRUNCH)), corpus_time (0)));
}

static void
origin_before_run (void)
{
  emit ("origin-before-run", 220 * MS,
        corpus_origin (own_tid (), corpus_process_started () - 60000 * MS));
}

static void
origin_after_run (void)
{
  emit ("origin-after-run", 230 * MS, corpus_origin (own_tid (), corpus_time (3600000 * MS)));
}

static const CorpusCase cases[] = {
  { "origin-roles", "an origin of every role, without stacks",
    "5 origins, roles 0 to 4, 100 µs apart, of the main thread, no stack", origin_roles },
  { "origin-roles-stacks", "an origin of every role, each with the stack copied there",
    "5 origins, roles 0 to 4, each with a stack row of its own that holds bytes",
    origin_roles_stacks },
  { "origin-none", "a dispatch that says nothing of its origin", "no origin", origin_none },
  { "origin-unheard", "an origin that was taken while nobody listened", "no origin",
    origin_unheard },
  { "origin-ended-thread", "a thread that took its origin, wrote nothing, and ended",
    "1 origin on thread `asker`", origin_ended_thread },
  { "origin-late", "a completion that is reported after its dispatch",
    "1 origin of role completion, joined with the dispatch", origin_late },
  { "origin-linked-exact", "thread `encoder` copied its stack when it asked",
    "1 origin with a stack, on thread `encoder`: link status linked-exact", origin_linked_exact },
  { "origin-linked", "the thread computes at that time; no stack",
    "1 origin on thread `crunch`, 200 µs before the start: linked, if CPU samples are there",
    origin_linked },
  { "origin-missing-thread", "a thread number that no thread had",
    "1 origin with that tid and no thread: missing-thread", origin_missing_thread },
  { "origin-no-stack", "the thread never ran near that time",
    "1 origin on thread `dormant`, no stack: no-stack", origin_no_stack },
  { "origin-too-far", "the thread ran 60 ms earlier or more, and not since",
    "1 origin on thread `brief`, no stack: too-far", origin_too_far },
  { "origin-synthetic-tid", "a thread number that the program made up",
    "1 origin with tid 2147418113 and no thread: synthetic-tid", origin_synthetic_tid },
  { "origin-wrong-pid", "a thread of another process, which is recorded too",
    "1 origin with the child's tid and no thread of this process: wrong-pid", origin_wrong_pid },
  { "origin-stale", "an origin 390 ms older than its dispatch",
    "1 origin on thread `crunch`, 390 ms before the start: stale", origin_stale },
  { "origin-before-run", "an origin one minute before the program began",
    "1 origin with a negative time, kept as it came: outside-run", origin_before_run },
  { "origin-after-run", "an origin in one hour",
    "1 origin after the end of the recording, kept as it came: outside-run", origin_after_run },
};

const CorpusGroup corpus_origins = { "origins", cases, N_ELEMENTS (cases) };
