/* SPDX-License-Identifier: BSD-2-Clause */
/* T6 (listeners), T10 (rings), T11 (traces and sampling): what works without a recorder. */
#include "test-case.h"

#include <pthread.h>
#include <sched.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("step");

/* ---- Listeners ---- */

typedef struct
{
  WeftTargetLane *lane;
  int calls;
  int inside;
  uint32_t number;
  uint64_t last_id;
  uint64_t last_time;
  bool report;
  bool leave;
  int result;
} Heard;

static int
hear (const WeftTargetEvent *event, void *data)
{
  Heard *heard = data;

  __atomic_fetch_add (&heard->inside, 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add (&heard->calls, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n (&heard->last_time, event->time, __ATOMIC_RELAXED);
  if (event->kind == WEFT_TARGET_EVENT_DISPATCH)
    __atomic_store_n (&heard->last_id, event->data.dispatch->id, __ATOMIC_RELAXED);
  if (heard->report)
    weft_target_span (heard->lane, &routine, 1, 2);
  if (heard->leave)
    weft_target_unlisten (heard->number);
  __atomic_fetch_sub (&heard->inside, 1, __ATOMIC_SEQ_CST);
  return heard->result;
}

static void
listeners_hear (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetMetric *metric = weft_target_metric_new (lane, WEFT_TARGET_HISTOGRAM, "size",
                                                     WEFT_TARGET_UNIT_BYTES, NULL, NULL, 0);
  const WeftTargetDispatch dispatch
      = { .lane = lane, .routine = &routine, .start = 1, .end = weft_target_now (), .id = 9 };
  const WeftTargetWarning warning = { .lane = lane, .code = "slow" };
  Heard all = { .result = -1 }, metrics = { 0 };
  WeftTargetStats stats;

  all.number = weft_target_listen (15, hear, &all);
  metrics.number = weft_target_listen (WEFT_TARGET_EVENT_METRIC, hear, &metrics);
  CHECK (all.number != 0 && metrics.number != 0 && all.number != metrics.number);
  CHECK (weft_target_enabled ());
  weft_target_dispatch (&dispatch);
  CHECK (all.calls == 1 && all.last_id == 9);
  CHECK (all.last_time + 1000000000u > weft_target_to_nanoseconds (weft_target_now ()));
  weft_target_span (lane, &routine, 1, 2);
  weft_target_warn (&warning);
  weft_target_metric_report (metric, 2.0);
  CHECK_EQUAL (all.calls, 4);
  CHECK_EQUAL (metrics.calls, 1);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.listener_errors, 4);
  weft_target_unlisten (all.number);
  weft_target_unlisten (metrics.number);
  CHECK (!weft_target_enabled ());
  weft_target_dispatch (&dispatch);
  CHECK_EQUAL (all.calls, 4);
  CHECK (recorder->peers == NULL);
}

/* What a listener reports is recorded and reaches no listener; it may leave from within. */
static void
listeners_nest (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  Heard heard = { .lane = lane, .report = true, .leave = true };

  test_recorder_start (recorder);
  heard.number = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);
  weft_target_span (lane, &routine, 1, 2);
  weft_target_span (lane, &routine, 1, 2);
  CHECK_EQUAL (heard.calls, 1);
  CHECK_EQUAL (test_recorder_drain (recorder), 3);
}

static int stop;

static void *
report_on (void *data)
{
  while (!__atomic_load_n (&stop, __ATOMIC_ACQUIRE))
    weft_target_span (data, &routine, 1, 2);
  return NULL;
}

/* After unlisten returns, the listener is not running, whatever other threads do. */
static void
listeners_leave (void)
{
  WeftTargetLane *lane;
  pthread_t threads[2];

  test_recorder_new ();
  lane = weft_target_lane_new ("lane", "test.lane");
  for (int i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, report_on, lane);
  for (int i = 0; i < 300; i++)
    {
      Heard heard = { 0 };
      int calls;

      heard.number = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);
      CHECK (heard.number != 0);
      for (int j = 0; j < 1000 && __atomic_load_n (&heard.calls, __ATOMIC_SEQ_CST) == 0; j++)
        sched_yield ();
      weft_target_unlisten (heard.number);
      CHECK_EQUAL (__atomic_load_n (&heard.inside, __ATOMIC_SEQ_CST), 0);
      calls = __atomic_load_n (&heard.calls, __ATOMIC_SEQ_CST);
      sched_yield ();
      CHECK_EQUAL (calls, __atomic_load_n (&heard.calls, __ATOMIC_SEQ_CST));
    }
  __atomic_store_n (&stop, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
}

static void
listeners_are_few (void)
{
  Heard heard = { 0 };
  uint32_t numbers[16];

  test_recorder_new ();
  for (int i = 0; i < 16; i++)
    CHECK ((numbers[i] = weft_target_listen (1, hear, &heard)) != 0);
  CHECK_EQUAL (weft_target_listen (1, hear, &heard), 0);
  weft_target_unlisten (numbers[3]);
  CHECK (weft_target_listen (1, hear, &heard) != 0);
  weft_target_unlisten (numbers[3]);
  CHECK_EQUAL (weft_target_listen (1, hear, &heard), 0);
}

/* ---- T10 ---- */

static uint64_t
injected (void *data)
{
  return *(uint64_t *) data += 10;
}

static void
ring_deltas (void)
{
  uint64_t time = 0;
  const WeftTargetRingConfiguration configuration
      = { .capacity = 8, .clock = injected, .clock_data = &time };
  WeftTargetRingDelta *delta;
  WeftTargetLane *lane;

  test_recorder_new ();
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (weft_target_ring_enable (lane, &configuration, sizeof configuration));
  CHECK (weft_target_enabled ());
  for (unsigned int i = 0; i < 5; i++)
    weft_target_span (lane, &routine, i, i + 1);
  delta = weft_target_ring_read (lane, 0);
  CHECK (delta->enabled && delta->n_entries == 5 && delta->head == 5 && delta->dropped == 0);
  CHECK (delta->configuration.capacity == 8 && delta->configuration.entry_size == 1024);
  for (unsigned int i = 0; i < 5; i++)
    {
      CHECK_EQUAL (delta->entries[i].sequence, i + 1);
      CHECK_EQUAL (delta->entries[i].time, 10 * (i + 1));
      CHECK_EQUAL (delta->entries[i].dispatch.start, i);
      CHECK_STRING (delta->entries[i].dispatch.routine->name, "step");
      CHECK (delta->entries[i].dispatch.routine != &routine);
    }
  weft_target_ring_delta_free (delta);
  for (unsigned int i = 5; i < 20; i++)
    weft_target_span (lane, &routine, i, i + 1);
  delta = weft_target_ring_read (lane, 5);
  CHECK (delta->n_entries == 8 && delta->head == 20 && delta->dropped == 7);
  CHECK_EQUAL (delta->entries[0].sequence, 13);
  weft_target_ring_delta_free (delta);
  delta = weft_target_ring_read (lane, 20);
  CHECK (delta->n_entries == 0 && delta->head == 20 && delta->dropped == 0);
  weft_target_ring_delta_free (delta);
  weft_target_ring_disable (lane);
  CHECK (!weft_target_enabled ());
  delta = weft_target_ring_read (lane, 0);
  CHECK (!delta->enabled && delta->n_entries == 0);
  weft_target_ring_delta_free (delta);
  CHECK (weft_target_ring_enable (lane, NULL, 0));
  delta = weft_target_ring_read (lane, 0);
  CHECK (delta->configuration.capacity == 512 && delta->head == 0);
  weft_target_ring_delta_free (delta);
}

static void
fill_and_report (WeftTargetLane *lane)
{
  char label[] = "label", key[] = "key", text[] = "text", name[] = "first", shape[] = "2×2";
  const WeftTargetRange range = { name, 4, 5 };
  const WeftTargetAttachment attachment = { .kind = "buffer", .shape = shape, .slot = 3,
                                            .ranges = &range, .n_ranges = 1 };
  const WeftTargetPhase phase = { name, 1, 2, 1, NULL };
  const WeftTargetErrorDetail error = { "Oops", "message", NULL, NULL };
  const WeftTargetTag tags[] = { { key, WEFT_TARGET_VALUE_STRING, { .string = text } },
                                 { "on", WEFT_TARGET_VALUE_BOOL, { .boolean = true } } };
  const WeftTargetCounterValue value = { { 8 }, true };
  const WeftTargetCounterSample sample = { 2, WEFT_TARGET_POINT_NAMED, "mid", 7, &value, 1 };
  const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_FAULT, { 11, 0, 12, 0 } };
  const WeftTargetTrace trace = { 33, 1, true };
  const uint32_t artifact = 6;
  const WeftTargetDispatch dispatch = {
    .lane = lane, .routine = &routine, .start = 1, .end = 5, .id = 21, .submission = 22,
    .queue = 23, .trace = &trace, .label = label, .status = WEFT_TARGET_ERROR,
    .error_kind = WEFT_TARGET_ERROR_FAULT, .error = &error, .has_attempts = true, .attempts = 2,
    .submitted = 1, .source = 4, .first_line = 5, .phases = &phase, .n_phases = 1,
    .origins = &origin, .n_origins = 1, .attachments = &attachment, .n_attachments = 1,
    .samples = &sample, .n_samples = 1, .artifacts = &artifact, .n_artifacts = 1, .tags = tags,
    .n_tags = 2,
  };

  weft_target_dispatch (&dispatch);
  memset (label, '?', sizeof label);
  memset (key, '?', sizeof key);
}

/* The copy is whole and shares nothing: the ring is gone when it is looked at. */
static void
ring_copies (void)
{
  const WeftTargetDispatch *d;
  WeftTargetRingDelta *delta;
  WeftTargetLane *lane;

  test_recorder_new ();
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (weft_target_ring_enable (lane, NULL, 0));
  fill_and_report (lane);
  delta = weft_target_ring_read (lane, 0);
  weft_target_ring_disable (lane);
  CHECK_EQUAL (delta->n_entries, 1);
  CHECK (!delta->entries[0].cut);
  d = &delta->entries[0].dispatch;
  CHECK (d->lane == lane && d->id == 21 && d->submission == 22 && d->queue == 23);
  CHECK (d->trace->id == 33 && d->status == WEFT_TARGET_ERROR && d->attempts == 2);
  CHECK_STRING (d->label, "label");
  CHECK_STRING (d->error->message, "message");
  CHECK (d->error->stack == NULL && d->source == 4 && d->first_line == 5);
  CHECK (d->n_phases == 1 && d->phases[0].duration == 2);
  CHECK (d->n_origins == 1 && d->origins[0].origin.tid == 12);
  CHECK (d->n_attachments == 1 && d->attachments[0].slot == 3);
  CHECK_STRING (d->attachments[0].shape, "2×2");
  CHECK (d->attachments[0].n_ranges == 1 && d->attachments[0].ranges[0].count == 5);
  CHECK (d->n_samples == 1 && d->samples[0].values[0].is_error);
  CHECK (d->n_artifacts == 1 && d->artifacts[0] == 6);
  CHECK (d->n_tags == 2 && d->tags[1].value.boolean);
  CHECK_STRING (d->tags[0].key, "key");
  CHECK_STRING (d->tags[0].value.string, "text");
  weft_target_ring_delta_free (delta);
}

static void
ring_cuts (void)
{
  const WeftTargetRingConfiguration configuration = { .capacity = 4, .entry_size = 1 };
  WeftTargetRingDelta *delta;
  WeftTargetLane *lane;

  test_recorder_new ();
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (weft_target_ring_enable (lane, &configuration, sizeof configuration));
  fill_and_report (lane);
  delta = weft_target_ring_read (lane, 0);
  CHECK (delta->n_entries == 1 && delta->entries[0].cut);
  CHECK_EQUAL (delta->entries[0].dispatch.id, 21);
  weft_target_ring_delta_free (delta);
}

static void
ring_under_load (void)
{
  const WeftTargetRingConfiguration configuration = { .capacity = 4096, .entry_size = 128 };
  WeftTargetLane *lane;
  pthread_t threads[2];
  uint64_t head = 0, got = 0, dropped = 0;

  test_recorder_new ();
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (weft_target_ring_enable (lane, &configuration, sizeof configuration));
  for (int i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, report_on, lane);
  for (int i = 0; i < 400 || got < 10000; i++)
    {
      WeftTargetRingDelta *delta = weft_target_ring_read (lane, head);

      CHECK_EQUAL (delta->n_entries + delta->dropped, delta->head - head);
      for (size_t j = 0; j < delta->n_entries; j++)
        CHECK (delta->entries[j].dispatch.start == 1 && delta->entries[j].dispatch.end == 2);
      head = delta->head;
      got += delta->n_entries;
      dropped += delta->dropped;
      weft_target_ring_delta_free (delta);
      if (i == 200)
        CHECK (weft_target_ring_enable (lane, &configuration, sizeof configuration));
      if (i == 200)
        head = 0;
    }
  __atomic_store_n (&stop, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  CHECK (got > 0);
  printf ("# %llu read, %llu overwritten\n", (unsigned long long) got,
          (unsigned long long) dropped);
}

/* ---- T11 ---- */

typedef struct
{
  uint64_t duration;
  int ends;
} Ended;

static int
hear_end (const WeftTargetEvent *event, void *data)
{
  Ended *ended = data;

  CHECK_STRING (event->data.trace.name, "flow");
  CHECK_EQUAL (event->data.trace.status, WEFT_TARGET_ERROR);
  ended->duration = event->data.trace.duration;
  ended->ends++;
  return 0;
}

static void
traces (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftTargetErrorDetail detail = { "E", "m", NULL, NULL };
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .start = 1, .end = 2 };
  const WeftWireTraceEnd *end;
  Ended ended = { 0 };
  WeftTargetTrace trace;

  weft_target_listen (WEFT_TARGET_EVENT_TRACE, hear_end, &ended);
  test_recorder_start (recorder);
  for (int rate = 1; rate >= 0; rate--)
    {
      weft_target_set_sampling (rate);
      trace = weft_target_trace_new ("flow");
      CHECK_EQUAL (trace.sampled, rate);
      CHECK (trace.id != 0);
      dispatch.trace = &trace;
      weft_target_dispatch (&dispatch);
      weft_target_trace_end (&trace, "flow", WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_FAULT, &detail);
    }
  CHECK_EQUAL (ended.ends, 2);
  CHECK (ended.duration > 0);
  CHECK_EQUAL (test_recorder_drain (recorder), 3);
  end = (const WeftWireTraceEnd *) test_peer_find (recorder->peers, WEFT_WIRE_TRACE_END, NULL);
  CHECK (end->status == WEFT_WIRE_STATUS_ERROR && end->error_kind == WEFT_WIRE_ERROR_FAULT);
  CHECK (test_side_find (recorder->peers, end, WEFT_WIRE_SIDE_ERROR, NULL) != NULL);
  CHECK_EQUAL (test_cell (recorder->peers->registry, 0)->drops[WEFT_WIRE_DROP_SAMPLED_OUT], 1);
}

static void
sampling (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine };
  WeftTargetStats stats;
  size_t written;

  test_recorder_start (recorder);
  weft_target_set_sampling (0.25);
  for (int i = 0; i < 10000; i++)
    weft_target_span (lane, &routine, 1, 2);
  written = test_recorder_drain (recorder);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (written + stats.sampled_out, 10000);
  CHECK (written > 2000 && written < 3000);
  CHECK_EQUAL (stats.dropped, 0);
  weft_target_set_sampling (0.0);
  CHECK_EQUAL (weft_target_reserve (&dispatch), 0);
  weft_target_set_sampling (1.0);
  CHECK (weft_target_reserve (&dispatch) != 0);
}

static const TestCase cases[] = {
  { "/target/T6/listeners-hear", listeners_hear },
  { "/target/T6/listeners-nest", listeners_nest },
  { "/target/T6/listeners-leave", listeners_leave },
  { "/target/T6/listeners-are-few", listeners_are_few },
  { "/target/T10/ring-deltas", ring_deltas },
  { "/target/T10/ring-copies", ring_copies },
  { "/target/T10/ring-cuts", ring_cuts },
  { "/target/T10/ring-under-load", ring_under_load },
  { "/target/T11/traces", traces },
  { "/target/T11/sampling", sampling },
};

TEST_MAIN (cases)
