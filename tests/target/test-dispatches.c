/* SPDX-License-Identifier: BSD-2-Clause */
/* T3 (dispatches), T4 (origins), T5 (sources, counter sets, artifacts), T6 (metrics, warnings). */
#include "test-case.h"

#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("gemm");

#define FIND(type, peer, after) ((const type *) test_peer_find (peer, (after), NULL))

/* ---- T3 ---- */

static const WeftTargetRange ranges[] = { { "layer", 3, 2 }, { "head", -1, 8 } };
static const WeftTargetAttachment attachments[] = {
  { .kind = "tensor", .label = "weights", .role = "input", .element_type = "f16",
    .shape = "8×128", .slot = 2, .access = WEFT_TARGET_ACCESS_READ, .offset = 64, .size = 2048,
    .ranges = ranges, .n_ranges = 2 },
  { .kind = "buffer", .label = "secret", .slot = WEFT_TARGET_NO_SLOT,
    .access = WEFT_TARGET_ACCESS_READ_WRITE, .size = WEFT_TARGET_UNKNOWN_SIZE,
    .privacy = WEFT_TARGET_PRIVACY_REDACTED, .ranges = ranges, .n_ranges = 1 },
};
static const WeftTargetPhase phases[] = {
  { "queued", 0, 10, 0, NULL },
  { "run", 10, 90, WEFT_TARGET_PHASE_SLOW | WEFT_TARGET_PHASE_ERROR, "broke" },
};
static const WeftTargetCounterValue values[] = { { { 17 }, false }, { { 0 }, true } };
static const WeftTargetCounterSample samples[] = {
  { 1, WEFT_TARGET_POINT_NAMED, "midway", 55, values, 2 },
};
static const WeftTargetTag tags[] = {
  { "model", WEFT_TARGET_VALUE_STRING, { .string = "tiny" } },
  { "step", WEFT_TARGET_VALUE_U64, { .u64 = 9 } },
  { "loss", WEFT_TARGET_VALUE_F64, { .f64 = 0.5 } },
  { "warm", WEFT_TARGET_VALUE_BOOL, { .boolean = true } },
  { "delta", WEFT_TARGET_VALUE_I64, { .i64 = -4 } },
};
static const WeftTargetErrorDetail error = { "Timeout", "took too long", "at a\nat b", "network" };
static const uint32_t artifacts[] = { 1 };

static WeftTargetDispatch
full_dispatch (WeftTargetLane *lane)
{
  return (WeftTargetDispatch) {
    .lane = lane, .routine = &routine, .start = 100, .end = 200, .id = weft_target_id_new (),
    .submission = 77, .queue = 1, .label = "gemm #1", .status = WEFT_TARGET_ERROR,
    .error_kind = WEFT_TARGET_ERROR_TIMEOUT, .error = &error, .has_attempts = true, .attempts = 3,
    .has_queue_wait = true, .queue_wait = 30, .queue_wait_last = 12, .submitted = 90, .source = 1,
    .first_line = 5, .last_line = 9, .phases = phases, .n_phases = 2, .attachments = attachments,
    .n_attachments = 2, .samples = samples, .n_samples = 1, .artifacts = artifacts,
    .n_artifacts = 1, .tags = tags, .n_tags = 5,
  };
}

static void
check_head (const TestPeer *peer, const WeftWireDispatch *record, const WeftTargetDispatch *given)
{
  const WeftWireTimes *times;
  const WeftWireSourceSide *source;

  CHECK_EQUAL (record->id, given->id);
  CHECK_EQUAL (record->submission, 77);
  CHECK_EQUAL (record->queue, 1);
  CHECK (record->start == 100 && record->end == 200);
  CHECK_EQUAL (record->status, WEFT_WIRE_STATUS_ERROR);
  CHECK_EQUAL (record->error_kind, WEFT_WIRE_ERROR_TIMEOUT);
  CHECK_EQUAL (record->flags, 0);
  times = (const WeftWireTimes *) test_side_find (peer, record, WEFT_WIRE_SIDE_TIMES, NULL);
  CHECK_EQUAL (times->has, 7);
  CHECK (times->attempts == 3 && times->queue_wait == 30 && times->queue_wait_last == 12
         && times->submitted == 90);
  source = (const WeftWireSourceSide *) test_side_find (peer, record, WEFT_WIRE_SIDE_SOURCE, NULL);
  CHECK (source->source == 1 && source->first_line == 5 && source->last_line == 9);
}

static void
check_sides (const TestPeer *peer, const WeftWireDispatch *record)
{
  const WeftWireRecord *label = test_side_find (peer, record, WEFT_WIRE_SIDE_LABEL, NULL);
  const WeftWireRecord *detail = test_side_find (peer, record, WEFT_WIRE_SIDE_ERROR, NULL);
  const WeftWirePhase *phase
      = (const WeftWirePhase *) test_side_find (peer, record, WEFT_WIRE_SIDE_PHASE, NULL);
  const WeftWireCounters *counters
      = (const WeftWireCounters *) test_side_find (peer, record, WEFT_WIRE_SIDE_COUNTERS, NULL);
  const WeftWireCounterValue *got = (const WeftWireCounterValue *) (counters + 1);
  const WeftWireTag *tag = NULL;
  uint64_t bits[5];

  CHECK_STRING (test_string (label, sizeof (WeftWireLabel), 0), "gemm #1");
  CHECK_STRING (test_string (detail, sizeof (WeftWireError), 0), "Timeout");
  CHECK_STRING (test_string (detail, sizeof (WeftWireError), 3), "network");
  phase = (const WeftWirePhase *) test_side_find (peer, record, WEFT_WIRE_SIDE_PHASE, phase);
  CHECK (phase->offset == 10 && phase->duration == 90 && phase->flags == 3);
  CHECK_STRING (test_string (phase, sizeof *phase, 1), "broke");
  CHECK (counters->set == 1 && counters->point == WEFT_WIRE_POINT_NAMED && counters->ticks == 55);
  CHECK (got[0].bits == 17 && !got[0].is_error && got[1].is_error);
  CHECK_STRING (test_string (counters, sizeof *counters + 2 * sizeof *got, 0), "midway");
  for (int i = 0; i < 5; i++)
    {
      tag = (const WeftWireTag *) test_side_find (peer, record, WEFT_WIRE_SIDE_TAG, tag);
      CHECK_STRING (test_string (tag, sizeof *tag, 0), tags[i].key);
      CHECK_EQUAL (tag->type, tags[i].type);
      bits[i] = tag->bits;
      if (i == 0)
        CHECK_STRING (test_string (tag, sizeof *tag, 1), "tiny");
    }
  CHECK (bits[1] == 9 && bits[3] == 1 && (int64_t) bits[4] == -4);
  CHECK (test_side_find (peer, record, WEFT_WIRE_SIDE_ARTIFACT, NULL) != NULL);
}

static void
check_attachments (const TestPeer *peer, const WeftWireDispatch *record)
{
  const WeftWireAttachment *first, *second;
  const WeftWireRange *range;

  first = (const WeftWireAttachment *) test_side_find (peer, record, WEFT_WIRE_SIDE_ATTACHMENT,
                                                       NULL);
  CHECK (first->slot == 2 && first->access == WEFT_WIRE_ACCESS_READ && first->offset == 64
         && first->size == 2048);
  CHECK_STRING (test_string (first, sizeof *first, 1), "weights");
  CHECK_STRING (test_string (first, sizeof *first, 4), "8×128");
  range = (const WeftWireRange *) test_side_find (peer, record, WEFT_WIRE_SIDE_RANGE, first);
  CHECK (range->first == 3 && range->count == 2);
  range = (const WeftWireRange *) test_side_find (peer, record, WEFT_WIRE_SIDE_RANGE, range);
  CHECK (range->first == -1 && range->count == 8);
  second = (const WeftWireAttachment *) test_side_find (peer, record, WEFT_WIRE_SIDE_ATTACHMENT,
                                                        first);
  CHECK (second->slot == INT32_MIN && second->size == UINT64_MAX
         && second->privacy == WEFT_WIRE_PRIVACY_REDACTED);
  CHECK_STRING (test_string (second, sizeof *second, 1), "");
  CHECK (test_side_find (peer, record, WEFT_WIRE_SIDE_RANGE, second) == NULL);
}

static void
every_field (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = full_dispatch (lane);
  WeftTargetTrace trace;
  const WeftWireDispatch *record;

  test_recorder_start (recorder);
  trace = weft_target_trace_new ("step");
  dispatch.trace = &trace;
  weft_target_dispatch (&dispatch);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  CHECK (recorder->fault == NULL);
  record = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_DISPATCH);
  CHECK_EQUAL (record->trace, trace.id);
  check_head (recorder->peers, record, &dispatch);
  check_sides (recorder->peers, record);
  check_attachments (recorder->peers, record);
}

static void
ids (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftTargetIds given = { .id = 5, .submission = 6, .trace = 7, .queue = 8 };
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .start = 1, .end = 2, .id = 9 };
  const WeftWireDispatch *record;
  uint64_t last = 0;

  test_recorder_start (recorder);
  for (int i = 0; i < 5000; i++)
    {
      uint64_t id = weft_target_id_new ();

      CHECK (id > last);
      last = id;
    }
  weft_target_span_with_ids (lane, &routine, 1, 2, &given);
  weft_target_span_with_ids (lane, &routine, 1, 2, &given);
  weft_target_dispatch (&dispatch);
  weft_target_dispatch_write (&dispatch, offsetof (WeftTargetDispatch, submission));
  CHECK_EQUAL (test_recorder_drain (recorder), 4);
  record = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_DISPATCH);
  for (int i = 0; i < 2; i++)
    {
      CHECK (record->id == 5 && record->submission == 6 && record->trace == 7
             && record->queue == 8 && record->status == 0 && record->routine == routine.id);
      record = (const WeftWireDispatch *) test_peer_find (recorder->peers, WEFT_WIRE_DISPATCH,
                                                          record);
    }
  CHECK (record->id == 9 && record->submission == 0);
}

static void
reserve_and_complete (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine };
  const WeftWireDispatch *reserved, *completed;

  CHECK_EQUAL (weft_target_reserve (&dispatch), 0);
  test_recorder_start (recorder);
  dispatch.id = weft_target_reserve (&dispatch);
  CHECK (dispatch.id != 0);
  dispatch.start = 50;
  dispatch.end = 60;
  weft_target_complete (&dispatch);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  reserved = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_RESERVE);
  completed = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_COMPLETE);
  CHECK (reserved->id == dispatch.id && completed->id == dispatch.id);
  CHECK (reserved->start != 0 && reserved->start <= weft_target_now ());
  CHECK (completed->start == 50 && completed->end == 60);
}

static void
span_as_dispatch (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .label = "x" };
  const WeftWireDispatch *record;
  WeftTargetSpan outer, span;

  test_recorder_start (recorder);
  outer = weft_target_span_begin (lane, &routine);
  span = weft_target_span_begin (lane, &routine);
  dispatch.span = &span;
  weft_target_dispatch (&dispatch);
  weft_target_span_end (outer);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  record = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_DISPATCH);
  CHECK (record->start == span.start && record->end >= span.start && record->depth == 2);
  CHECK_EQUAL (FIND (WeftWireSpan, recorder->peers, WEFT_WIRE_SPAN)->depth, 1);
}

static void
caps (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine };
  WeftTargetTag many[40];
  char text[1000];
  const WeftWireRecord *label;
  const WeftWireDispatch *record;
  WeftTargetStats stats;
  size_t n = 0;

  memset (text, 'a', sizeof text);
  memcpy (text + 254, "€uro", 6);
  text[999] = '\0';
  for (int i = 0; i < 40; i++)
    many[i] = tags[i % 5];
  dispatch.label = text;
  dispatch.tags = many;
  dispatch.n_tags = 40;
  test_recorder_start (recorder);
  weft_target_dispatch (&dispatch);
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
  record = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_DISPATCH);
  CHECK_EQUAL (record->flags, WEFT_WIRE_FLAG_CUT);
  label = test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_LABEL, NULL);
  CHECK_EQUAL (((const WeftWireString *) (label + 1))->length, 254);
  CHECK_EQUAL (((const WeftWireString *) (label + 1))->flags, WEFT_WIRE_STRING_CUT);
  for (const WeftWireRecord *tag = NULL;
       (tag = test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_TAG, tag)) != NULL;)
    n++;
  CHECK_EQUAL (n, WEFT_WIRE_MAX_TAGS);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.truncated, 2);
  weft_target_lane_new (text, "test.lane");
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.truncated, 3);
}

/* More than a block holds: cut, marked, and still a dispatch; what follows is whole. */
static void
larger_than_a_block (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetTag many[WEFT_WIRE_MAX_TAGS];
  WeftTargetDispatch dispatch
      = { .lane = lane, .routine = &routine, .tags = many, .n_tags = WEFT_WIRE_MAX_TAGS };
  char text[WEFT_WIRE_MAX_TEXT];
  const WeftWireDispatch *record;

  memset (text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  for (unsigned int i = 0; i < WEFT_WIRE_MAX_TAGS; i++)
    many[i] = (WeftTargetTag) { "key", WEFT_TARGET_VALUE_STRING, { .string = text } };
  test_recorder_start (recorder);
  weft_target_span (lane, &routine, 1, 2);
  weft_target_dispatch (&dispatch);
  weft_target_span (lane, &routine, 1, 2);
  CHECK_EQUAL (test_recorder_drain (recorder), 3);
  CHECK (recorder->fault == NULL);
  record = FIND (WeftWireDispatch, recorder->peers, WEFT_WIRE_DISPATCH);
  CHECK_EQUAL (record->flags, WEFT_WIRE_FLAG_CUT);
  CHECK (test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_TAG, NULL) != NULL);
  CHECK_EQUAL (test_peer_count (recorder->peers, WEFT_WIRE_SPAN), 2);
}

/* ---- T4 ---- */

__attribute__ ((unused)) static void
check_stack (TestRecorder *recorder, const WeftTargetOrigin *origin, const void *landmark,
             size_t size)
{
  const WeftWireStack *stack;
  uint64_t at = (uintptr_t) landmark;

  test_recorder_drain (recorder);
  stack = FIND (WeftWireStack, recorder->peers, WEFT_WIRE_STACK);
  CHECK (stack != NULL);
  CHECK_EQUAL (stack->id, origin->stack);
  CHECK_EQUAL (stack->tid, origin->tid);
  CHECK (stack->stack_pointer <= at && at + size <= stack->stack_pointer + stack->copied);
  CHECK (memcmp ((const uint8_t *) (stack + 1) + (at - stack->stack_pointer), landmark, size) == 0);
  CHECK (stack->copied <= WEFT_WIRE_MAX_STACK);
  CHECK (stack->machine != 0);
}

static void
stack_copied (void)
{
  TestRecorder *recorder = test_recorder_new ();
  volatile char landmark[] = "here stands the caller's frame";
  WeftTargetOrigin origin;

  weft_target_lane_new ("lane", "test.lane");
  origin = weft_target_origin_with_stack ();
  CHECK (origin.ticks == 0 && origin.tid == 0 && origin.stack == 0);
  test_recorder_start (recorder);
  origin = weft_target_origin_with_stack ();
  CHECK (origin.tid == getpid ());
  CHECK (origin.stack != 0);
#ifndef __SANITIZE_ADDRESS__
  check_stack (recorder, &origin, (const void *) landmark, sizeof landmark);
#endif
  CHECK (landmark[0] == 'h');
}

static void *
in_thread (void *data)
{
  TestRecorder *recorder = data;
  volatile uint64_t landmark[4] = { 1, 22, 333, 4444 };
  WeftTargetOrigin origin = weft_target_origin_with_stack ();

  CHECK (origin.stack != 0);
#ifndef __SANITIZE_ADDRESS__
  check_stack (recorder, &origin, (const void *) landmark, sizeof landmark);
#endif
  CHECK (landmark[0] == 1);
  return recorder;
}

static void
stack_of_thread (void)
{
  TestRecorder *recorder = test_recorder_new ();
  pthread_t thread;

  weft_target_lane_new ("lane", "test.lane");
  test_recorder_start (recorder);
  pthread_create (&thread, NULL, in_thread, recorder);
  pthread_join (thread, NULL);
}

static ucontext_t main_context, other_context;
static WeftTargetOrigin coroutine_origin;

static void
coroutine (void)
{
  coroutine_origin = weft_target_origin_with_stack ();
}

/* A stack of nobody's, at the very end of what is mapped: no byte beyond its page is read. */
static void
stack_of_coroutine (void)
{
  static char stack[8 * 4096] __attribute__ ((aligned (4096)));
  TestRecorder *recorder = test_recorder_new ();
  const WeftWireStack *record;

  weft_target_lane_new ("lane", "test.lane");
  test_recorder_start (recorder);
  getcontext (&other_context);
  other_context.uc_stack.ss_sp = stack;
  other_context.uc_stack.ss_size = sizeof stack;
  other_context.uc_link = &main_context;
  makecontext (&other_context, coroutine, 0);
  swapcontext (&main_context, &other_context);
  CHECK (coroutine_origin.stack != 0);
  test_recorder_drain (recorder);
  record = FIND (WeftWireStack, recorder->peers, WEFT_WIRE_STACK);
  CHECK (record->copied <= 4096 && record->cut);
  CHECK ((record->stack_pointer + record->copied) % 4096 == 0);
}

static void
stack_budget (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetStats stats;
  unsigned int copied = 0;

  recorder->keep = false;
  weft_target_lane_new ("lane", "test.lane");
  test_recorder_start (recorder);
  for (int i = 0; i < 60000; i++)
    {
      copied += weft_target_origin_with_stack ().stack != 0;
      if (i % 100 == 0)
        test_recorder_drain (recorder);
    }
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (copied + stats.stacks_skipped, 60000);
  CHECK (stats.stacks_skipped > 0);
}

static void
origins (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetRoleOrigin given[2] = { { WEFT_TARGET_ROLE_DISPATCH, { 0 } },
                                    { WEFT_TARGET_ROLE_COMPLETION, { 0 } } };
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .origins = given,
                                  .n_origins = 2 };
  const WeftWireOrigin *side;

  test_recorder_start (recorder);
  given[0].origin = weft_target_origin ();
  given[1].origin = weft_target_origin ();
  weft_target_dispatch (&dispatch);
  weft_target_report_origin (lane, WEFT_TARGET_ROLE_WAIT_BEGIN, 4, 5, given[0].origin);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  side = (const WeftWireOrigin *) test_side_find (
      recorder->peers, FIND (WeftWireRecord, recorder->peers, WEFT_WIRE_DISPATCH),
      WEFT_WIRE_SIDE_ORIGIN, NULL);
  CHECK (side->role == WEFT_WIRE_ROLE_DISPATCH && side->tid == getpid ()
         && side->ticks == given[0].origin.ticks && side->dispatch == 0);
  side = FIND (WeftWireOrigin, recorder->peers, WEFT_WIRE_ORIGIN_EVENT);
  CHECK (side->role == WEFT_WIRE_ROLE_WAIT_BEGIN && side->dispatch == 4 && side->submission == 5);
}

/* ---- T5 ---- */

static void
register_everything (WeftTargetLane *lane)
{
  const WeftTargetLine lines[] = { { 0, 1, 1 }, { 16, 2, 5 } };
  const WeftTargetSource source = { .language = "metal", .path = "/a.metal", .text = "kernel",
                                    .flavour = "debug", .build_flags = "-O0", .lines = lines,
                                    .n_lines = 2 };
  const WeftTargetCounter counters[]
      = { { "cycles", WEFT_TARGET_UNIT_CYCLES, NULL, WEFT_TARGET_COUNTER,
            WEFT_TARGET_AGGREGATE_SUM, WEFT_TARGET_VALUE_U64 },
          { "stalls", WEFT_TARGET_UNIT_NAMED, "bubbles", WEFT_TARGET_GAUGE,
            WEFT_TARGET_AGGREGATE_MAX, WEFT_TARGET_VALUE_F64 } };
  WeftTargetCounterState state = { WEFT_TARGET_UNSUPPORTED, "no driver", "ENOSYS", "none", false, 0 };
  const WeftTargetRoutineInfo info = { "main0", "Main", "fast", 1, 3, 8 };
  WeftTargetRoutine *made = weft_target_routine_new_full (&info, sizeof info);

  CHECK_EQUAL (weft_target_queue_new (lane, "queue 0"), 1);
  CHECK_EQUAL (weft_target_source_new (&source, sizeof source), 1);
  CHECK (weft_target_routine_new_full (&info, sizeof info) == made);
  CHECK (weft_target_routine_new ("main0") != made);
  CHECK_STRING (made->name, "main0");
  weft_target_source_map (1, made, 3, 8);
  CHECK_EQUAL (weft_target_counter_set_new ("gpu", counters, 2, &state), 1);
  state.availability = WEFT_TARGET_PRESENT;
  state.has_overhead = true;
  state.overhead = 250;
  weft_target_counter_set_update (1, &state);
  CHECK_EQUAL (weft_target_artifact_new ("gputrace", "/x.gputrace", "capture", 12), 1);
  weft_target_artifact_link (1, WEFT_TARGET_OWNER_ROUTINE, made->id);
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (lane), &tags[0]);
  weft_target_lane_close (lane);
}

#define ENTRY(type, peer, number) ((const type *) test_entry_find ((peer)->registry, (number), NULL))

static void
check_registry (const TestPeer *peer)
{
  const WeftWireSourceEntry *source = ENTRY (WeftWireSourceEntry, peer, WEFT_WIRE_ENTRY_SOURCE);
  const WeftWireCounterSetEntry *set
      = ENTRY (WeftWireCounterSetEntry, peer, WEFT_WIRE_ENTRY_COUNTER_SET);
  const WeftWireCounterStateEntry *state
      = ENTRY (WeftWireCounterStateEntry, peer, WEFT_WIRE_ENTRY_COUNTER_STATE);
  const WeftWireSourceLinesEntry *lines
      = ENTRY (WeftWireSourceLinesEntry, peer, WEFT_WIRE_ENTRY_SOURCE_LINES);

  CHECK_STRING (test_entry_string (&source->entry, 0), "metal");
  CHECK_STRING (test_entry_string (&source->entry, 5), "kernel");
  CHECK_EQUAL (lines->n_lines, 2);
  CHECK_EQUAL (((const WeftWireLine *) (lines + 1))[1].column, 5);
  CHECK_EQUAL (set->n_counters, 2);
  CHECK_STRING (test_entry_string (&set->entry, 0), "gpu");
  CHECK_STRING (test_entry_string (&set->entry, 4), "bubbles");
  CHECK (state->availability == WEFT_WIRE_UNSUPPORTED && state->overhead == UINT64_MAX);
  CHECK_STRING (test_entry_string (&state->entry, 1), "ENOSYS");
  state = (const WeftWireCounterStateEntry *) test_entry_find (
      peer->registry, WEFT_WIRE_ENTRY_COUNTER_STATE, state);
  CHECK (state->availability == WEFT_WIRE_PRESENT && state->overhead == 250);
  CHECK (ENTRY (WeftWireSourceRangeEntry, peer, WEFT_WIRE_ENTRY_SOURCE_RANGE)->last_line == 8);
  CHECK (ENTRY (WeftWireArtifactEntry, peer, WEFT_WIRE_ENTRY_ARTIFACT)->size == 12);
  CHECK (ENTRY (WeftWireArtifactLinkEntry, peer, WEFT_WIRE_ENTRY_ARTIFACT_LINK)->owner_kind
         == WEFT_WIRE_OWNER_ROUTINE);
  CHECK (ENTRY (WeftWireTagEntry, peer, WEFT_WIRE_ENTRY_TAG)->owner == 1);
  CHECK (ENTRY (WeftWireLaneCloseEntry, peer, WEFT_WIRE_ENTRY_LANE_CLOSE)->lane == 1);
  CHECK (ENTRY (WeftWireLaneCloseEntry, peer, WEFT_WIRE_ENTRY_LANE_CLOSE)->ticks != 0);
  CHECK_STRING (test_entry_string (test_entry_find (peer->registry, WEFT_WIRE_ENTRY_QUEUE, NULL), 0),
                "queue 0");
}

/* All of it is told while nobody listens; the first recorder knows it, and so does the second. */
static void
known_to_later_recorders (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");

  register_everything (lane);
  for (int i = 0; i < 2; i++)
    {
      test_recorder_start (recorder);
      weft_target_span (lane, &routine, 1, 2);
      CHECK_EQUAL (test_recorder_drain (recorder), 1);
      check_registry (recorder->peers);
      CHECK (recorder->fault == NULL);
      test_recorder_stop (recorder);
      test_recorder_die (recorder);
    }
}

static void
submissions_and_samples (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetSubmissionEvent event = { .lane = lane, .submission = 12, .queue = 2,
                                      .kind = WEFT_TARGET_SUBMISSION_FAULT, .error = &error,
                                      .samples = samples, .n_samples = 1, .tags = tags,
                                      .n_tags = 1 };
  const WeftWireSubmissionEvent *record;
  const WeftWireCounterEvent *late;

  test_recorder_start (recorder);
  weft_target_submission (&event);
  weft_target_report_samples (lane, 3, 0, samples, 1);
  event.submission = 0;
  weft_target_submission (&event);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  record = FIND (WeftWireSubmissionEvent, recorder->peers, WEFT_WIRE_SUBMISSION_EVENT);
  CHECK (record->submission == 12 && record->kind == WEFT_WIRE_SUBMISSION_FAULT
         && record->queue == 2 && record->ticks != 0);
  CHECK (test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_ERROR, NULL) != NULL);
  CHECK (test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_COUNTERS, NULL) != NULL);
  late = FIND (WeftWireCounterEvent, recorder->peers, WEFT_WIRE_COUNTER_EVENT);
  CHECK_EQUAL (late->dispatch, 3);
  /* Refused, and counted, but no dispatch of the lane. */
  CHECK_EQUAL (recorder->peers->registry->stats[WEFT_WIRE_STAT_DROPPED], 1);
  CHECK_EQUAL (test_cell (recorder->peers->registry, 0)->drops[WEFT_WIRE_DROP_INVALID], 0);
}

static void
handovers (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const WeftTargetHandover waited = { .kind = WEFT_TARGET_HANDOVER_WAITED,
                                      .object = 0x1000,
                                      .also = 0x2000,
                                      .begin = 5,
                                      .end = 9 };
  WeftTargetHandover unsound = { .kind = WEFT_TARGET_HANDOVER_RELEASED };
  const WeftWireHandover *record;

  /* Heard of without a lane. */
  weft_target_start ();
  test_recorder_start (recorder);
  weft_target_handover (&waited);
  weft_target_handover (&unsound);
  unsound.object = 1;
  unsound.kind = (WeftTargetHandoverKind) 7;
  weft_target_handover (&unsound);
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
  record = FIND (WeftWireHandover, recorder->peers, WEFT_WIRE_HANDOVER);
  CHECK (record->kind == WEFT_WIRE_HANDOVER_WAITED && record->object == 0x1000
         && record->also == 0x2000 && record->begin == 5 && record->end == 9);
  CHECK_EQUAL (recorder->peers->registry->stats[WEFT_WIRE_STAT_DROPPED], 2);
}

/* ---- T6 ---- */

static void
count_gauge (const WeftTargetGaugeState *state, void *data)
{
  CHECK_STRING (state->lane_name, "lane");
  CHECK_STRING (state->name, "depth");
  CHECK (state->value == 4.5);
  CHECK_EQUAL (state->count, 2);
  CHECK (state->ticks != 0);
  ++*(int *) data;
}

static void
metrics (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetMetric *gauge = weft_target_metric_new (lane, WEFT_TARGET_GAUGE, "depth",
                                                    WEFT_TARGET_UNIT_COUNT, NULL, tags, 2);
  WeftTargetMetric *counter = weft_target_metric_new (lane, WEFT_TARGET_COUNTER, "done",
                                                      WEFT_TARGET_UNIT_NAMED, "jobs", NULL, 0);
  const WeftWireMetricPoint *point;
  const WeftWireMetricEntry *entry;
  int n = 0;

  weft_target_metric_report (gauge, 3.0);
  weft_target_metric_report (gauge, 4.5);
  weft_target_snapshot (count_gauge, &n);
  CHECK_EQUAL (n, 1);
  test_recorder_start (recorder);
  weft_target_set_sampling (0.0);
  weft_target_metric_report_full (counter, 2.0, 99, tags, 2);
  weft_target_metric_report (counter, 1.0);
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  point = FIND (WeftWireMetricPoint, recorder->peers, WEFT_WIRE_METRIC_POINT);
  CHECK (point->metric == 2 && point->value == 2.0 && point->ticks == 99);
  CHECK (test_side_find (recorder->peers, point, WEFT_WIRE_SIDE_TAG, NULL) != NULL);
  entry = ENTRY (WeftWireMetricEntry, recorder->peers, WEFT_WIRE_ENTRY_METRIC);
  CHECK_EQUAL (test_cell (recorder->peers->registry, entry->cell)->gauge.count, 2);
  CHECK_EQUAL (ENTRY (WeftWireTagEntry, recorder->peers, WEFT_WIRE_ENTRY_TAG)->owner_kind,
               WEFT_WIRE_OWNER_METRIC);
}

static void
warnings (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftTargetWarning warning
      = { .lane = lane, .severity = WEFT_TARGET_SEVERITY_WARNING, .code = "over-budget",
          .message = "frame took 20 ms", .dispatch = 4, .value = 20, .threshold = 16.7,
          .tags = tags, .n_tags = 1 };
  const WeftWireWarning *record;

  test_recorder_start (recorder);
  weft_target_warn (&warning);
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
  record = FIND (WeftWireWarning, recorder->peers, WEFT_WIRE_WARNING);
  CHECK (record->severity == 1 && record->dispatch == 4 && record->value == 20
         && record->threshold == 16.7 && record->ticks != 0);
  CHECK_STRING (test_string (record, sizeof *record, 0), "over-budget");
  CHECK_STRING (test_string (record, sizeof *record, 1), "frame took 20 ms");
  CHECK (test_side_find (recorder->peers, record, WEFT_WIRE_SIDE_TAG, NULL) != NULL);
}

static const TestCase cases[] = {
  { "/target/T3/every-field", every_field },
  { "/target/T3/ids", ids },
  { "/target/T3/reserve-and-complete", reserve_and_complete },
  { "/target/T3/span-as-dispatch", span_as_dispatch },
  { "/target/T3/caps", caps },
  { "/target/T3/larger-than-a-block", larger_than_a_block },
  { "/target/T4/origins", origins },
  { "/target/T4/stack-copied", stack_copied },
  { "/target/T4/stack-of-thread", stack_of_thread },
  { "/target/T4/stack-of-coroutine", stack_of_coroutine },
  { "/target/T4/stack-budget", stack_budget },
  { "/target/T5/known-to-later-recorders", known_to_later_recorders },
  { "/target/T5/submissions-and-samples", submissions_and_samples },
  { "/target/T4/handovers", handovers },
  { "/target/T6/metrics", metrics },
  { "/target/T6/warnings", warnings },
};

TEST_MAIN (cases)
