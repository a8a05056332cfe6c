/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the library or the recorder does not take, each counted by its reason. */

#include "corpus.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define HOUR (3600000 * MS)
#define MAX_BURST 60000
#define BURST_TEXT 2000
#define BURST_TAGS 15

static CorpusLane *
lane (void)
{
  return corpus_lane ("refusals", "executor.worker");
}

static void
emit_times (const char *name, uint64_t start, uint64_t end)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, 0, 0);

  dispatch.start = start;
  dispatch.end = end;
  corpus_emit (lane (), &dispatch);
}

static void
refuse_reversed (void)
{
  emit_times ("refuse-reversed", corpus_time (10 * MS), corpus_time (9 * MS));
  emit_times ("refuse-reversed", corpus_time (10 * MS), 0);
}

static void
refuse_out_of_range (void)
{
  emit_times ("refuse-out-of-range", corpus_time (0) + HOUR, corpus_time (0) + HOUR + MS);
  emit_times ("refuse-out-of-range", 1, corpus_time (MS));
  emit_times ("refuse-out-of-range", corpus_time (0), UINT64_MAX);
}

/* A program that was there before its recorder: older than the program itself may not be more than
 * a second, younger than the recording it must not be.
 */
static void
refuse_before_recording (void)
{
  uint64_t start = corpus_process_started () - 900 * MS;

  emit_times ("refuse-before-recording", start, start + MS);
}

static void
refuse_unknown_routine (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "refuse-unknown-routine", 20 * MS, MS);

  dispatch.routine = NULL;
  dispatch.label = "refuse-unknown-routine";
  corpus_emit (lane (), &dispatch);
}

static void
refuse_invalid (void)
{
  weft_target_span (lane ()->lane, NULL, corpus_time (30 * MS), corpus_time (31 * MS));
  corpus_count (lane (), 1);
}

static void
refuse_duplicate_id (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "refuse-duplicate-id", 40 * MS, MS);

  dispatch.id = weft_target_id_new ();
  for (int i = 0; i < 3; i++)
    corpus_emit (lane (), &dispatch);
}

/* Numbers that were never given. */
static void
refuse_unknown_id (void)
{
  static const WeftTargetCounterSample sample = { .set = 4711 };
  static const uint32_t artifact = 4711;
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "refuse-unknown-id", 50 * MS, MS);

  dispatch.samples = &sample;
  dispatch.n_samples = 1;
  dispatch.artifacts = &artifact;
  dispatch.n_artifacts = 1;
  dispatch.queue = 4711;
  corpus_emit (lane (), &dispatch);
  weft_target_clock_calibrate (4711, 1, corpus_ticks (corpus_time (0)),
                               corpus_ticks (corpus_time (MS)));
}

/* More tags than a record holds: what does not fit is left out, and the dispatch is kept. */
static void
cut_to_fit (void)
{
  static char text[BURST_TEXT + 1];
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "cut-to-fit", 60 * MS, MS);
  WeftTargetTag tags[32];

  memset (text, 'x', BURST_TEXT);
  for (size_t i = 0; i < N_ELEMENTS (tags); i++)
    tags[i] = corpus_tag ("large", text);
  dispatch.tags = tags;
  dispatch.n_tags = N_ELEMENTS (tags);
  corpus_emit (lane (), &dispatch);
}

/* ---- A handler that reports while the library is at work on its thread ---- */

static void *guarded; /* a page that faults when the library reads the label in it */
static size_t page_size;

static void
on_fault (int number, siginfo_t *info, void *context)
{
  const char *at = info->si_addr, *page = guarded;

  if (at < page || at >= page + page_size)
    {
      signal (number, SIG_DFL);
      return;
    }
  weft_target_span (lane ()->lane, weft_target_routine_new ("drop-reentrant-handler"),
                    corpus_time (70 * MS), corpus_time (71 * MS));
  mprotect (guarded, page_size, PROT_READ);
}

static void
drop_reentrant (void)
{
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old;
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "drop-reentrant", 70 * MS, MS);

  weft_target_routine_new ("drop-reentrant-handler");
  page_size = (size_t) sysconf (_SC_PAGESIZE);
  guarded = mmap (NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy (guarded, "interrupted");
  mprotect (guarded, page_size, PROT_NONE);
  sigaction (SIGSEGV, &action, &old);
  dispatch.label = guarded;
  corpus_emit (lane (), &dispatch);
  sigaction (SIGSEGV, &old, NULL);
  munmap (guarded, page_size);
  corpus_count (lane (), 1);
}

/* Faster than it can be read into one segment: with no descriptor left, there is no second. */
static void
drop_no_room (void)
{
  static char text[BURST_TEXT + 1];
  CorpusLane *burst = corpus_lane ("burst", "executor.worker");
  WeftTargetTag tags[BURST_TAGS];
  struct rlimit limit, none;

  memset (text, 'x', BURST_TEXT);
  for (size_t i = 0; i < N_ELEMENTS (tags); i++)
    tags[i] = corpus_tag ("large", text);
  corpus_settle ();
  getrlimit (RLIMIT_NOFILE, &limit);
  none = (struct rlimit){ 0, limit.rlim_max };
  setrlimit (RLIMIT_NOFILE, &none);
  for (uint64_t i = 0; i < MAX_BURST; i++)
    {
      WeftTargetDispatch dispatch = corpus_dispatch (burst, "drop-no-room", i * 5 * US, 4 * US);
      WeftTargetStats stats;

      dispatch.tags = tags;
      dispatch.n_tags = N_ELEMENTS (tags);
      corpus_emit (burst, &dispatch);
      weft_target_get_stats (&stats, sizeof stats);
      if (stats.dropped_no_room >= 10 || stats.state != WEFT_TARGET_STATE_CONNECTED)
        break;
    }
  setrlimit (RLIMIT_NOFILE, &limit);
  corpus_settle ();
}

static const CorpusCase cases[] = {
  { "refuse-reversed", "dispatches that end before they start",
    "lane `refusals`: 2 rejected as times-reversed, no dispatch", refuse_reversed },
  { "refuse-out-of-range", "dispatches in an hour, long before the program, and without an end",
    "3 rejected as out-of-range, no dispatch", refuse_out_of_range },
  { "refuse-before-recording", "a dispatch that ended before the recording began",
    "1 rejected as before-recording, no dispatch", refuse_before_recording },
  { "refuse-unknown-routine", "a dispatch without a routine",
    "1 rejected as unknown-routine, no dispatch", refuse_unknown_routine },
  { "refuse-invalid", "a span without a routine, refused by the library itself",
    "1 rejected as invalid, no dispatch", refuse_invalid },
  { "refuse-duplicate-id", "three dispatches with one id", "1 dispatch, 2 rejected as duplicate-id",
    refuse_duplicate_id },
  { "refuse-unknown-id", "a counter set, an artifact, a queue and a clock that do not exist",
    "1 dispatch without sample, artifact and queue; 3 unknown-id of no lane", refuse_unknown_id },
  { "cut-to-fit", "32 tags of 2 kB, more than a record of 32 KiB holds",
    "1 dispatch with the 15 that fit and the mark list-cut; counted as repaired", cut_to_fit },
  { "drop-reentrant", "a signal handler that reports in the middle of another report",
    "1 dispatch labelled `interrupted`; 1 lost as reentrant, of the handler", drop_reentrant },
  { "drop-no-room", "a burst that is faster than the recorder, with one segment to hold it",
    "lane `burst`: completed and lost as no-room are what was handed over; 10 or more lost",
    drop_no_room, .varies = true },
};

const CorpusGroup corpus_refusals = { "refusals", cases, N_ELEMENTS (cases) };
