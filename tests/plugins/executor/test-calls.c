/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of call spans, by the runtime with real threads; see docs/executor-rules.md. */

#include "rig.h"

/* What every span of this task says; returns it. */
static const Heard *
check_span (Rig *rig, size_t index, WeftTargetStatus status, WeftTargetErrorKind kind,
            uint32_t attempts)
{
  const Heard *span = ears_span (&rig->ears, index);

  CHECK (span != NULL);
  CHECK_EQUAL (span->event.status, status);
  CHECK_EQUAL (span->event.error_kind, kind);
  CHECK_EQUAL (span->event.attempts, attempts);
  CHECK (span->event.span_id != 0);
  return span;
}

static size_t
count_spans (Rig *rig)
{
  size_t n = 0;

  while (ears_span (&rig->ears, n) != NULL)
    n++;
  return n;
}

static void
finish (Rig *rig)
{
  gate_open (&rig->gate);
  task_runtime_stop (rig->runtime);
  rig_check_books (rig);
  rig_clear (rig);
}

/* ---- What a span says ---- */

static void
span_fields (void)
{
  Rig rig;
  const Heard *span;
  WeftExecutorTrace trace;

  rig_init_plain (&rig);
  trace = weft_executor_trace_new (task_runtime_get_watch (rig.runtime), "doc:1");
  CHECK_EQUAL (task_wait (task_call (rig.fail, NULL, &trace)), WEFT_EXECUTOR_FAILED);
  task_runtime_stop (rig.runtime);
  span = check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_EXCEPTION, 1);
  CHECK_STRING (span->name, "executor:span");
  CHECK (span->event.task == task_get_watch (rig.task));
  CHECK_STRING (span->event.task->info.id, "resize");
  CHECK_STRING (span->event.task->info.name, "Resize");
  CHECK_EQUAL (span->event.task->info.type, WEFT_EXECUTOR_PARALLEL);
  CHECK_STRING (span->method, "fail");
  CHECK (span->event.has_worker_index && span->event.worker_index == 0);
  CHECK (span->event.has_queue_wait);
  CHECK_EQUAL (span->event.trace_id, trace.target.id);
  CHECK_STRING (span->trace_name, "doc:1");
  CHECK_STRING (span->error, "no such picture");
  CHECK (span->event.duration >= span->event.queue_wait);
  finish (&rig);
}

/* The mirror in the stream and the record that a recorder gets are one and the same. */
static void
span_mirrors (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const WeftWireDispatch *record;
  const WeftWireTimes *times;
  const Heard *span;
  TestPeer *peer;
  Rig rig;

  recorder->keep = true;
  rig_init_plain (&rig);
  test_recorder_start (recorder);
  CHECK_EQUAL (rig_run (rig.crash_once, NULL), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  record = (const WeftWireDispatch *) test_peer_find (peer, WEFT_WIRE_COMPLETE, NULL);
  CHECK (record != NULL);
  times = (const WeftWireTimes *) test_side_find (peer, record, WEFT_WIRE_SIDE_TIMES, NULL);
  span = check_span (&rig, 0, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 2);
  CHECK_EQUAL (record->id, span->event.span_id);
  CHECK_EQUAL (record->status, span->event.status);
  CHECK_EQUAL (times->attempts, 2);
  CHECK_EQUAL (times->queue_wait, span->event.queue_wait);
  CHECK_EQUAL (times->queue_wait_last, span->event.queue_wait_last);
  CHECK_NEAR (weft_target_to_nanoseconds (record->end) - weft_target_to_nanoseconds (record->start),
              span->event.duration);
  finish (&rig);
  test_recorder_free (recorder);
}

static void
measures_only (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const WeftWireDispatch *asked, *over;
  TestPeer *peer;
  Rig rig;

  recorder->keep = true;
  rig_init_plain (&rig);
  test_recorder_start (recorder);
  CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_SUCCEEDED);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  /* One span, told when it is asked for and completed with both its times; one attempt. */
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_RESERVE), 1);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_COMPLETE), 1);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_DISPATCH), 1);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_SPAN), 0);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_WARNING), 0);
  asked = (const WeftWireDispatch *) test_peer_find (peer, WEFT_WIRE_RESERVE, NULL);
  over = (const WeftWireDispatch *) test_peer_find (peer, WEFT_WIRE_COMPLETE, NULL);
  CHECK_EQUAL (asked->id, over->id);
  CHECK_EQUAL (asked->start, over->start);
  CHECK (over->end >= over->start);
  finish (&rig);
  test_recorder_free (recorder);
}

static void
monotonic (void)
{
  uint64_t before, after, last = 0;
  Rig rig;

  before = weft_target_to_nanoseconds (weft_target_now ());
  rig_init_plain (&rig);
  for (int i = 0; i < 20; i++)
    CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  after = weft_target_to_nanoseconds (weft_target_now ());
  for (size_t i = 0; i < 20; i++)
    {
      const Heard *span = ears_span (&rig.ears, i);

      /* Times are CLOCK_MONOTONIC, of one clock, and grow. */
      CHECK (span->event.time >= before && span->event.time <= after);
      CHECK (span->event.time >= last && span->event.duration <= after - before);
      last = span->event.time;
    }
  finish (&rig);
}

static void
stable_id (void)
{
  uint64_t id;
  TaskCall *call;
  Rig rig;

  rig_init_plain (&rig);
  call = task_call (rig.crash_once, NULL, NULL);
  id = *(const uint64_t *) ((const char *) call + offsetof (WeftExecutorCall, id));
  CHECK_EQUAL (task_wait (call), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (check_span (&rig, 0, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 2)->event.span_id, id);
  CHECK_EQUAL (count_spans (&rig), 1);
  finish (&rig);
}

static void
id_per_call (void)
{
  Rig rig;

  rig_init_plain (&rig);
  for (int i = 0; i < 50; i++)
    rig_run (rig.done, NULL);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (count_spans (&rig), 50);
  for (size_t i = 0; i < 50; i++)
    for (size_t j = 0; j < i; j++)
      CHECK (ears_span (&rig.ears, i)->event.span_id != ears_span (&rig.ears, j)->event.span_id);
  finish (&rig);
}

/* ---- From the request to the end ---- */

static void
starts_at_request (void)
{
  WeftExecutorRuntime *runtime;
  WeftExecutorTask *task;
  WeftExecutorMethod *method;
  WeftExecutorCall call;
  uint64_t requested;
  const WeftExecutorTaskInfo info = { .id = "t" };
  const WeftExecutorConfiguration configuration = { .spans = WEFT_EXECUTOR_SPANS_ON };
  static Heard heard[64];
  Ears ears = { .heard = heard };

  pthread_mutex_init (&ears.lock, NULL);
  runtime = weft_executor_runtime_new (&configuration);
  task = weft_executor_task_new (runtime, &info);
  method = weft_executor_method_new (task, "m");
  ears_listen (&ears, runtime);
  weft_executor_call_begin (&call, method, NULL);
  requested = weft_target_to_nanoseconds (call.requested);
  while (weft_target_to_nanoseconds (weft_target_now ()) < requested + 100000)
    continue;
  weft_executor_call_enqueue (&call);
  weft_executor_call_dispatch (&call, NULL);
  weft_executor_call_end (&call, WEFT_EXECUTOR_SUCCEEDED, NULL);
  CHECK_NEAR (ears_span (&ears, 0)->event.time - ears_span (&ears, 0)->event.duration, requested);
  /* What came before the queue is in the span, and not in the queue wait. */
  CHECK (ears_span (&ears, 0)->event.duration >= ears_span (&ears, 0)->event.queue_wait + 100000);
  weft_executor_runtime_free (runtime);
}

static void
queue_wait (void)
{
  const Heard *span, *first, *second;
  uint64_t sum;
  Rig rig;

  rig_init_plain (&rig);
  CHECK_EQUAL (rig_run (rig.crash_once, NULL), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  span = check_span (&rig, 0, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 2);
  first = ears_get (&rig.ears, "queue.wait_ms", 0);
  second = ears_get (&rig.ears, "queue.wait_ms", 1);
  CHECK (first != NULL && second != NULL);
  sum = (uint64_t) (first->event.value * 1e6 + 0.5) + (uint64_t) (second->event.value * 1e6 + 0.5);
  CHECK_EQUAL (span->event.queue_wait, sum);
  CHECK_EQUAL (span->event.queue_wait_last, (uint64_t) (second->event.value * 1e6 + 0.5));
  finish (&rig);
}

static void
ends_once (void)
{
  WeftExecutorRuntime *runtime;
  WeftExecutorMethod *method;
  WeftExecutorCall call;
  const WeftExecutorTaskInfo info = { .id = "t" };
  const WeftExecutorConfiguration configuration = { .spans = WEFT_EXECUTOR_SPANS_ON };
  static Heard heard[64];
  Ears ears = { .heard = heard };
  size_t n;

  pthread_mutex_init (&ears.lock, NULL);
  runtime = weft_executor_runtime_new (&configuration);
  method = weft_executor_method_new (weft_executor_task_new (runtime, &info), "m");
  ears_listen (&ears, runtime);
  weft_executor_call_begin (&call, method, NULL);
  weft_executor_call_enqueue (&call);
  CHECK (ears_span (&ears, 0) == NULL);
  weft_executor_call_dispatch (&call, NULL);
  CHECK (ears_span (&ears, 0) == NULL);
  weft_executor_call_end (&call, WEFT_EXECUTOR_ABORTED, NULL);
  weft_executor_call_end (&call, WEFT_EXECUTOR_SUCCEEDED, NULL);
  CHECK (ears_span (&ears, 0) != NULL && ears_span (&ears, 1) == NULL);
  CHECK_EQUAL (ears_span (&ears, 0)->event.status, WEFT_TARGET_CANCELED);
  ears_sum (&ears, "task.success.total", &n);
  CHECK_EQUAL (n, 0);
  weft_executor_runtime_free (runtime);
}

/* ---- Attempts ---- */

static void
attempts_count_dispatches (void)
{
  Rig rig;

  rig_init_plain (&rig);
  CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (rig_run (rig.crash_once, NULL), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (rig_run (rig.crash, NULL), WEFT_EXECUTOR_CRASHED);
  task_runtime_stop (rig.runtime);
  check_span (&rig, 0, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 1);
  check_span (&rig, 1, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 2);
  check_span (&rig, 2, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_CRASH, 2);
  finish (&rig);
}

/* Crashes once it is asked to, with a call beside it that is held at the front of the queue then.
 */
static void
requeue_is_no_attempt (void)
{
  WeftExecutorRuntime *runtime;
  WeftExecutorTask *task;
  WeftExecutorWorker *worker;
  WeftExecutorCall call;
  const WeftExecutorTaskInfo info = { .id = "t" };
  const WeftExecutorConfiguration configuration = { .spans = WEFT_EXECUTOR_SPANS_ON };
  static Heard heard[64];
  Ears ears = { .heard = heard };
  size_t n;

  pthread_mutex_init (&ears.lock, NULL);
  runtime = weft_executor_runtime_new (&configuration);
  task = weft_executor_task_new (runtime, &info);
  worker = weft_executor_worker_new (task, 3);
  ears_listen (&ears, runtime);
  weft_executor_call_begin (&call, weft_executor_method_new (task, "m"), NULL);
  weft_executor_call_enqueue (&call);
  weft_executor_call_dispatch (&call, worker);
  weft_executor_worker_crash (worker);
  weft_executor_call_requeue (&call);
  weft_executor_call_end (&call, WEFT_EXECUTOR_ABORTED, NULL);
  CHECK_EQUAL (ears_span (&ears, 0)->event.attempts, 1);
  CHECK_EQUAL (ears_span (&ears, 0)->event.worker_index, 3);
  CHECK_EQUAL (ears_span (&ears, 0)->event.status, WEFT_TARGET_CANCELED);
  ears_sum (&ears, "queue.wait_ms", &n);
  CHECK_EQUAL (n, 1);
  /* The time in the queue that led to no attempt is elapsed queue time all the same. */
  CHECK (ears_span (&ears, 0)->event.queue_wait >= ears_span (&ears, 0)->event.queue_wait_last);
  weft_executor_runtime_free (runtime);
}

static void
rejection_is_no_attempt (void)
{
  TaskCall *held, *queued;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_REJECT, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  for (int i = 0; i < 5; i++)
    CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_REJECTED);
  for (size_t i = 0; i < 5; i++)
    check_span (&rig, i, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_QUEUE, 0);
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (held), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (task_wait (queued), WEFT_EXECUTOR_SUCCEEDED);
  finish (&rig);
}

/* ---- Cancellation and rejection ---- */

static void
canceled_in_queue (void)
{
  TaskCall *held, *queued;
  const Heard *span;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  task_cancel (queued);
  /* Its span ended in the queue layer: before anybody waited for it. */
  span = check_span (&rig, 0, WEFT_TARGET_CANCELED, WEFT_TARGET_ERROR_ABORT, 0);
  CHECK (span->event.has_queue_wait && span->event.queue_wait > 0);
  CHECK_EQUAL (span->event.queue_wait, span->event.queue_wait_last);
  CHECK (span->event.queue_wait <= span->event.duration);
  CHECK (!span->event.has_worker_index);
  CHECK_EQUAL (task_wait (queued), WEFT_EXECUTOR_ABORTED);
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (held), WEFT_EXECUTOR_SUCCEEDED);
  finish (&rig);
}

static void
rejected (void)
{
  TaskCall *held, *queued;
  const Heard *span;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_REJECT, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  CHECK_EQUAL (rig_run (rig.fail, NULL), WEFT_EXECUTOR_REJECTED);
  span = check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_QUEUE, 0);
  CHECK_STRING (span->method, "fail");
  CHECK (!span->event.has_queue_wait && !span->event.has_worker_index);
  CHECK_STRING (span->error, "the queue is full");
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (held), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (task_wait (queued), WEFT_EXECUTOR_SUCCEEDED);
  finish (&rig);
}

static void
dropped_latest (void)
{
  TaskCall *held, *queued, *latest;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_DROP_LATEST, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  latest = task_call (rig.fail, NULL, NULL);
  CHECK_STRING (check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_QUEUE, 0)->method,
                "fail");
  CHECK_EQUAL (task_wait (latest), WEFT_EXECUTOR_REJECTED);
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (held), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (task_wait (queued), WEFT_EXECUTOR_SUCCEEDED);
  finish (&rig);
}

static void
dropped_oldest (void)
{
  TaskCall *held, *oldest, *latest;
  const Heard *span;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_DROP_OLDEST, 1);
  held = rig_occupy (&rig);
  oldest = task_call (rig.fail, NULL, NULL);
  latest = task_call (rig.done, NULL, NULL);
  span = check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_QUEUE, 0);
  CHECK_STRING (span->method, "fail");
  CHECK (span->event.has_queue_wait && span->event.queue_wait > 0);
  CHECK_EQUAL (task_wait (oldest), WEFT_EXECUTOR_REJECTED);
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (held), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (task_wait (latest), WEFT_EXECUTOR_SUCCEEDED);
  finish (&rig);
}

/* ---- Classification ---- */

static void
aborted_in_flight (void)
{
  TaskCall *call;
  Rig rig;

  rig_init_plain (&rig);
  call = rig_occupy (&rig);
  task_cancel (call);
  gate_open (&rig.gate);
  CHECK_EQUAL (task_wait (call), WEFT_EXECUTOR_ABORTED);
  call = task_call (rig.spin, NULL, NULL);
  task_cancel (call);
  CHECK_EQUAL (task_wait (call), WEFT_EXECUTOR_ABORTED);
  task_runtime_stop (rig.runtime);
  check_span (&rig, 0, WEFT_TARGET_CANCELED, WEFT_TARGET_ERROR_ABORT, 1);
  CHECK_EQUAL (ears_span (&rig.ears, 1)->event.status, WEFT_TARGET_CANCELED);
  CHECK_EQUAL (ears_span (&rig.ears, 1)->event.error_kind, WEFT_TARGET_ERROR_ABORT);
  finish (&rig);
}

static void
crashed (void)
{
  const Heard *span;
  Rig rig;

  rig_init_plain (&rig);
  CHECK_EQUAL (rig_run (rig.crash, NULL), WEFT_EXECUTOR_CRASHED);
  task_runtime_stop (rig.runtime);
  span = check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_CRASH, 2);
  CHECK_STRING (span->error, "its worker crashed");
  finish (&rig);
}

static void
failed (void)
{
  Rig rig;

  rig_init_plain (&rig);
  CHECK_EQUAL (rig_run (rig.fail, NULL), WEFT_EXECUTOR_FAILED);
  CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  check_span (&rig, 0, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_EXCEPTION, 1);
  CHECK_STRING (check_span (&rig, 1, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, 1)->error, "");
  finish (&rig);
}

/* ---- No hierarchy; polls ---- */

typedef struct
{
  TaskMethod *inner;
} Nested;

static TaskResult
call_inner (TaskContext *context)
{
  const Nested *nested = context->argument;

  return rig_run (nested->inner, NULL) == WEFT_EXECUTOR_SUCCEEDED ? TASK_DONE : TASK_FAILED;
}

static void
no_hierarchy (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const TaskOptions options = { .info = { .id = "outer" }, .n_workers = 1 };
  const WeftWireRecord *record = NULL;
  Nested nested;
  TestPeer *peer;
  Task *outer;
  Rig rig;

  recorder->keep = true;
  rig_init_plain (&rig);
  nested.inner = rig.done;
  outer = task_new (rig.runtime, &options);
  test_recorder_start (recorder);
  CHECK_EQUAL (rig_run (task_method_new (outer, "nest", call_inner, false), &nested),
               WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_COMPLETE), 2);
  while ((record = test_peer_find (peer, WEFT_WIRE_COMPLETE, record)) != NULL)
    {
      CHECK_EQUAL (((const WeftWireDispatch *) record)->depth, 0);
      CHECK_EQUAL (((const WeftWireDispatch *) record)->trace, 0);
    }
  rig_clear (&rig);
  test_recorder_free (recorder);
}

/* Many polls: as many phases as there is room for, the rest counted, none invented. */
static void
polls_are_phases (void)
{
  TestRecorder *recorder = test_recorder_new ();
  uint32_t few = 5, many = 100;
  const WeftWireRecord *complete, *phase = NULL;
  unsigned int n_phases = 0;
  TestPeer *peer;
  Rig rig;

  recorder->keep = true;
  rig_init_plain (&rig);
  test_recorder_start (recorder);
  CHECK_EQUAL (rig_run (rig.poll, &few), WEFT_EXECUTOR_SUCCEEDED);
  CHECK_EQUAL (rig_run (rig.poll, &many), WEFT_EXECUTOR_SUCCEEDED);
  task_runtime_stop (rig.runtime);
  CHECK (strstr (ears_span (&rig.ears, 0)->attributes, "polls=5 ") != NULL);
  CHECK (strstr (ears_span (&rig.ears, 0)->attributes, "phases.cut") == NULL);
  CHECK (strstr (ears_span (&rig.ears, 1)->attributes, "polls=100 ") != NULL);
  /* One phase was the queue's. */
  CHECK (strstr (ears_span (&rig.ears, 1)->attributes, "phases.cut=77 ") != NULL);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  complete = test_peer_find (peer, WEFT_WIRE_COMPLETE, NULL);
  while ((phase = test_side_find (peer, complete, WEFT_WIRE_SIDE_PHASE, phase)) != NULL)
    n_phases++;
  CHECK_EQUAL (n_phases, 6);
  finish (&rig);
  test_recorder_free (recorder);
}

static const TestCase cases[] = {
  { "/executor/X-12/fields", span_fields },
  { "/executor/X-13/mirror", span_mirrors },
  { "/executor/X-14/stable-id", stable_id },
  { "/executor/X-15/id-per-call", id_per_call },
  { "/executor/X-16/starts-at-request", starts_at_request },
  { "/executor/X-17/queue-wait", queue_wait },
  { "/executor/X-18/ends-once", ends_once },
  { "/executor/X-19/attempts", attempts_count_dispatches },
  { "/executor/X-20/requeue-is-no-attempt", requeue_is_no_attempt },
  { "/executor/X-21/rejection-is-no-attempt", rejection_is_no_attempt },
  { "/executor/X-22/canceled-in-queue", canceled_in_queue },
  { "/executor/X-23/reject", rejected },
  { "/executor/X-24/drop-latest", dropped_latest },
  { "/executor/X-25/drop-oldest", dropped_oldest },
  { "/executor/X-26/abort", aborted_in_flight },
  { "/executor/X-27/crash", crashed },
  { "/executor/X-28/exception", failed },
  { "/executor/X-29/measures-only", measures_only },
  { "/executor/X-30/monotonic", monotonic },
  { "/executor/X-31/no-hierarchy", no_hierarchy },
  { "/executor/X-32/polls", polls_are_phases },
};

TEST_MAIN (cases)
