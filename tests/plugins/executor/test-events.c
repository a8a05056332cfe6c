/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of configuration, traces, metrics, listeners and snapshots; see docs/executor-rules.md. */

#include "rig.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void
finish (Rig *rig)
{
  gate_open (&rig->gate);
  task_runtime_stop (rig->runtime);
  rig_check_books (rig);
  rig_clear (rig);
}

static size_t
count (Rig *rig, const char *name)
{
  size_t n;

  ears_sum (&rig->ears, name, &n);
  return n;
}

static WeftExecutorRuntime *
watch (Rig *rig)
{
  return task_runtime_get_watch (rig->runtime);
}

/* A rig with other settings than the plain one's. */
static void
init_with (Rig *rig, const WeftExecutorConfiguration *configuration)
{
  const TaskOptions options = { .info = { .id = "resize" }, .n_workers = 2 };

  rig_init (rig, &options, configuration);
}

/* ---- Surfaces ---- */

/* Without spans and traces, state and metrics are whole. */
static void
surfaces (void)
{
  const WeftExecutorConfiguration off = { .spans = WEFT_EXECUTOR_SPANS_OFF };
  WeftExecutorSnapshot *snapshot;
  Rig rig;

  init_with (&rig, &off);
  for (int i = 0; i < 10; i++)
    rig_run (i % 2 ? rig.done : rig.fail, NULL);
  snapshot = weft_executor_snapshot_new (watch (&rig));
  CHECK_EQUAL (snapshot->n_tasks, 1);
  CHECK (!snapshot->spans);
  CHECK_EQUAL (snapshot->tasks[0].workers_active, 2);
  weft_executor_snapshot_free (snapshot);
  CHECK (ears_span (&rig.ears, 0) == NULL);
  finish (&rig);
}

static void
no_aggregation (void)
{
  size_t n;
  Rig rig;

  rig_init_plain (&rig);
  for (int i = 0; i < 100; i++)
    rig_run (rig.done, NULL);
  CHECK_EQUAL (ears_sum (&rig.ears, "task.dispatch.total", &n), 100);
  CHECK_EQUAL (n, 100);
  for (size_t i = 0; i < n; i++)
    CHECK_EQUAL (ears_get (&rig.ears, "task.dispatch.total", i)->event.value, 1);
  CHECK_EQUAL (count (&rig, "task.duration_ms"), 100);
  CHECK_EQUAL (count (&rig, "queue.wait_ms"), 100);
  finish (&rig);
}

static TaskResult
call_done (TaskContext *context)
{
  rig_run (context->argument, NULL);
  return TASK_DONE;
}

/* A call made while another one with a trace runs has none, on this thread or another. */
static void
explicit_traces (void)
{
  const TaskOptions options = { .info = { .id = "outer" } };
  WeftExecutorTrace trace;
  const Heard *inner, *outer;
  Rig rig;

  rig_init_plain (&rig);
  trace = weft_executor_trace_new (watch (&rig), "doc:1");
  rig_run (rig.done, NULL);
  task_wait (
      task_call (task_method_new (task_new (rig.runtime, &options), "outer", call_done, false),
                 rig.done, &trace));
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (ears_span (&rig.ears, 0)->event.trace_id, 0);
  inner = ears_span (&rig.ears, 1);
  outer = ears_span (&rig.ears, 2);
  CHECK_STRING (inner->method, "done");
  CHECK_EQUAL (inner->event.trace_id, 0);
  CHECK_STRING (inner->trace_name, "");
  CHECK_EQUAL (outer->event.trace_id, trace.target.id);
  rig_clear (&rig);
}

/* ---- Configuration ---- */

static void
spans_are_opt_in (void)
{
  const WeftExecutorConfiguration off = { .spans = WEFT_EXECUTOR_SPANS_OFF };
  TestRecorder *recorder = test_recorder_new ();
  TestPeer *peer;
  Rig rig;

  init_with (&rig, &off);
  test_recorder_start (recorder);
  for (int i = 0; i < 10; i++)
    rig_run (rig.done, NULL);
  task_runtime_stop (rig.runtime);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  CHECK (test_peer_count (peer, WEFT_WIRE_METRIC_POINT) > 50);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_RESERVE), 0);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_COMPLETE), 0);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_DISPATCH), 0);
  CHECK (ears_span (&rig.ears, 0) == NULL);
  finish (&rig);
  test_recorder_free (recorder);
}

static void
events_are_opt_in (void)
{
  WeftTargetStats before, after;
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.done, NULL);
  weft_executor_unsubscribe (watch (&rig), rig.ears.number);
  rig.ears.n = 0;
  CHECK (!weft_target_enabled ());
  weft_target_get_stats (&before, sizeof before);
  for (int i = 0; i < 10; i++)
    rig_run (rig.done, NULL);
  weft_target_get_stats (&after, sizeof after);
  CHECK_EQUAL (rig.ears.n, 0);
  CHECK_EQUAL (after.queued, before.queued);
  ears_listen (&rig.ears, watch (&rig));
  rig_run (rig.done, NULL);
  CHECK_EQUAL (count (&rig, "task.dispatch.total"), 1);
  rig_clear (&rig);
}

static bool
spans_of (const WeftExecutorConfiguration *configuration, WeftExecutorBuild build)
{
  WeftExecutorRuntime *runtime = weft_executor_runtime_new_ (configuration, build);
  bool spans = weft_executor_spans_enabled (runtime);

  weft_executor_runtime_free (runtime);
  return spans;
}

static void
default_by_build (void)
{
  unsetenv ("WEFT_EXECUTOR_SPANS");
  CHECK (spans_of (NULL, WEFT_EXECUTOR_BUILD_DEVELOPMENT));
  CHECK (!spans_of (NULL, WEFT_EXECUTOR_BUILD_PRODUCTION));
  CHECK (!spans_of (NULL, WEFT_EXECUTOR_BUILD_UNKNOWN));
}

static void
automatic (void)
{
  const WeftExecutorConfiguration automatic_spans = { .spans = WEFT_EXECUTOR_SPANS_AUTO };
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const WeftExecutorConfiguration off = { .spans = WEFT_EXECUTOR_SPANS_OFF };
  WeftExecutorRuntime *runtime;

  unsetenv ("WEFT_EXECUTOR_SPANS");
  CHECK (spans_of (&automatic_spans, WEFT_EXECUTOR_BUILD_DEVELOPMENT));
  CHECK (!spans_of (&automatic_spans, WEFT_EXECUTOR_BUILD_PRODUCTION));
  CHECK (!spans_of (&automatic_spans, WEFT_EXECUTOR_BUILD_UNKNOWN));
  CHECK (spans_of (&on, WEFT_EXECUTOR_BUILD_PRODUCTION));
  CHECK (!spans_of (&off, WEFT_EXECUTOR_BUILD_DEVELOPMENT));
  setenv ("WEFT_EXECUTOR_SPANS", "on", 1);
  CHECK (spans_of (&off, WEFT_EXECUTOR_BUILD_PRODUCTION));
  setenv ("WEFT_EXECUTOR_SPANS", "off", 1);
  CHECK (!spans_of (&on, WEFT_EXECUTOR_BUILD_DEVELOPMENT));
  runtime = weft_executor_runtime_new (&on);
  weft_executor_enable_spans (runtime, true);
  CHECK (weft_executor_spans_enabled (runtime));
  weft_executor_runtime_free (runtime);
}

/* ---- Sampling ---- */

static const WeftExecutorConfiguration half = { .spans = WEFT_EXECUTOR_SPANS_ON,
                                                .has_sample_rate = true,
                                                .sample_rate = 0.5 };
static const WeftExecutorConfiguration none = { .spans = WEFT_EXECUTOR_SPANS_ON,
                                                .has_sample_rate = true,
                                                .sample_rate = 0 };

static void
metrics_are_complete (void)
{
  Rig rig;

  init_with (&rig, &none);
  for (int i = 0; i < 50; i++)
    rig_run (i % 5 == 0 ? rig.crash_once : rig.done, NULL);
  CHECK (ears_span (&rig.ears, 0) == NULL);
  CHECK_EQUAL (count (&rig, "task.success.total"), 50);
  CHECK_EQUAL (count (&rig, "task.duration_ms"), 50);
  CHECK_EQUAL (count (&rig, "queue.wait_ms"), 60);
  finish (&rig);
}

/* Whatever the rate becomes later. */
static void
decided_at_creation (void)
{
  WeftExecutorTrace unsampled, sampled;
  Rig rig;

  init_with (&rig, &none);
  unsampled = weft_executor_trace_new (watch (&rig), "a");
  CHECK (unsampled.target.id != 0 && !unsampled.target.sampled);
  weft_target_set_sampling (1);
  sampled = weft_executor_trace_new (watch (&rig), "b");
  CHECK (sampled.target.sampled);
  task_wait (task_call (rig.done, NULL, &unsampled));
  weft_target_set_sampling (0);
  task_wait (task_call (rig.fail, NULL, &sampled));
  task_runtime_stop (rig.runtime);
  CHECK_STRING (ears_span (&rig.ears, 0)->method, "fail");
  CHECK (ears_span (&rig.ears, 1) == NULL);
  finish (&rig);
}

static void
traces_are_whole (void)
{
  unsigned int n_sampled = 0, n_spans = 0;
  Rig rig;

  init_with (&rig, &half);
  for (int i = 0; i < 60; i++)
    {
      WeftExecutorTrace trace = weft_executor_trace_new (watch (&rig), "doc");

      for (int j = 0; j < 5; j++)
        task_wait (task_call (rig.done, NULL, &trace));
      n_sampled += trace.target.sampled;
      weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
    }
  task_runtime_stop (rig.runtime);
  while (ears_span (&rig.ears, n_spans) != NULL)
    n_spans++;
  printf ("# %u of 60 traces sampled\n", n_sampled);
  CHECK (n_sampled > 0 && n_sampled < 60);
  CHECK_EQUAL (n_spans, 5 * n_sampled);
  finish (&rig);
}

static void
without_trace_one_by_one (void)
{
  unsigned int n_spans = 0;
  Rig rig;

  init_with (&rig, &half);
  for (int i = 0; i < 300; i++)
    rig_run (rig.done, NULL);
  task_runtime_stop (rig.runtime);
  while (ears_span (&rig.ears, n_spans) != NULL)
    n_spans++;
  printf ("# %u of 300 calls sampled\n", n_spans);
  /* Ten standard deviations on either side. */
  CHECK (n_spans > 63 && n_spans < 237);
  finish (&rig);
}

/* ---- Traces ---- */

static void
trace_context (void)
{
  WeftExecutorTrace trace;
  const Heard *heard;
  Rig rig;

  rig_init_plain (&rig);
  trace = weft_executor_trace_new (watch (&rig), "doc:1");
  CHECK (trace.target.id != 0 && trace.target.sampled);
  CHECK_STRING (trace.name, "doc:1");
  CHECK (ears_last (&rig.ears, "executor:trace") == NULL);
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_FAILED, NULL);
  heard = ears_last (&rig.ears, "executor:trace");
  CHECK_EQUAL (heard->event.status, WEFT_TARGET_OK);
  CHECK_EQUAL (count (&rig, "executor:trace"), 1);
  finish (&rig);
}

static void
trace_id_everywhere (void)
{
  const TaskOptions options = { .info = { .id = "other", .type = WEFT_EXECUTOR_SINGLETON } };
  WeftExecutorTrace trace;
  TaskMethod *other;
  Rig rig;

  rig_init_plain (&rig);
  other = task_method_new (task_new (rig.runtime, &options), "poll", rig_poll, true);
  trace = weft_executor_trace_new (watch (&rig), "doc:1");
  task_wait (task_call (rig.done, NULL, &trace));
  task_wait (task_call (other, &(uint32_t){ 3 }, &trace));
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (ears_span (&rig.ears, 0)->event.trace_id, trace.target.id);
  CHECK_EQUAL (ears_span (&rig.ears, 1)->event.trace_id, trace.target.id);
  CHECK_EQUAL (ears_last (&rig.ears, "executor:trace")->event.trace_id, trace.target.id);
  CHECK_STRING (ears_last (&rig.ears, "executor:trace")->trace_name, "doc:1");
  rig_clear (&rig);
}

static WeftExecutorOutcome
workflow (WeftExecutorTrace *trace, void *data)
{
  return task_wait (task_call (data, NULL, trace));
}

static TaskResult
give_up (TaskContext *context)
{
  return TASK_ABORTED;
}

/* A workflow that calls METHOD ends so. */
static void
check_workflow (TaskMethod *method, Rig *rig, WeftTargetStatus status, WeftTargetErrorKind kind)
{
  const Heard *heard;
  size_t before = count (rig, "executor:trace");

  weft_executor_run_with_trace (watch (rig), "doc:7", workflow, method);
  heard = ears_last (&rig->ears, "executor:trace");
  CHECK_EQUAL (count (rig, "executor:trace"), before + 1);
  CHECK_EQUAL (heard->event.status, status);
  CHECK_EQUAL (heard->event.error_kind, kind);
  CHECK_STRING (heard->trace_name, "doc:7");
  CHECK_EQUAL (ears_span (&rig->ears, before)->event.trace_id, heard->event.trace_id);
}

static void
run_with_trace_resolves (void)
{
  Rig rig;

  rig_init_plain (&rig);
  check_workflow (rig.done, &rig, WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE);
  finish (&rig);
}

static void
run_with_trace_aborts (void)
{
  Rig rig;

  rig_init_plain (&rig);
  check_workflow (task_method_new (rig.task, "give_up", give_up, false), &rig, WEFT_TARGET_CANCELED,
                  WEFT_TARGET_ERROR_ABORT);
  finish (&rig);
}

static void
run_with_trace_fails (void)
{
  Rig rig;

  rig_init_plain (&rig);
  check_workflow (rig.fail, &rig, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_EXCEPTION);
  check_workflow (rig.crash, &rig, WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_CRASH);
  finish (&rig);
}

/* Of two traces, the second of which is not sampled: how many were recorded. All are heard of. */
static size_t
count_trace_records (WeftExecutorSpans spans)
{
  const WeftExecutorConfiguration configuration = { .spans = spans };
  TestRecorder *recorder = test_recorder_new ();
  TestPeer *peer;
  size_t n;
  Rig rig;

  init_with (&rig, &configuration);
  test_recorder_start (recorder);
  for (int i = 0; i < 2; i++)
    {
      WeftExecutorTrace trace;

      weft_target_set_sampling (i == 0 ? 1 : 0);
      trace = weft_executor_trace_new (watch (&rig), "doc:1");
      task_wait (task_call (rig.done, NULL, &trace));
      weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
    }
  task_runtime_stop (rig.runtime);
  test_recorder_drain (recorder);
  test_recorder_drain (recorder);
  peer = test_recorder_peer (recorder, getpid ());
  n = test_peer_count (peer, WEFT_WIRE_TRACE_END);
  CHECK_EQUAL (test_peer_count (peer, WEFT_WIRE_TRACE_BEGIN), n);
  CHECK_EQUAL (count (&rig, "executor:trace"), 2);
  rig_clear (&rig);
  test_recorder_free (recorder);
  return n;
}

static void
trace_recorded_if_sampled (void)
{
  CHECK_EQUAL (count_trace_records (WEFT_EXECUTOR_SPANS_ON), 1);
}

/* With spans off: the events are there, the records are not. */
static void
trace_event_regardless (void)
{
  CHECK_EQUAL (count_trace_records (WEFT_EXECUTOR_SPANS_OFF), 0);
}

static void
trace_detail (void)
{
  const WeftTargetErrorDetail error = { .name = "Error", .message = "no such document" };
  WeftExecutorTrace trace;
  const Heard *heard;
  Rig rig;

  rig_init_plain (&rig);
  trace = weft_executor_trace_new (watch (&rig), "doc:1");
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_REJECTED, &error);
  heard = ears_last (&rig.ears, "executor:trace");
  CHECK_EQUAL (heard->kind, WEFT_EXECUTOR_EVENT_TRACE);
  CHECK_EQUAL (heard->event.trace_id, trace.target.id);
  CHECK_STRING (heard->trace_name, "doc:1");
  CHECK_EQUAL (heard->event.status, WEFT_TARGET_ERROR);
  CHECK_EQUAL (heard->event.error_kind, WEFT_TARGET_ERROR_QUEUE);
  CHECK_STRING (heard->error, "no such document");
  CHECK_NEAR (heard->event.time - heard->event.duration,
              weft_target_to_nanoseconds (trace.target.start));
  finish (&rig);
}

static void
traces_are_unique (void)
{
  uint64_t ids[100];
  Rig rig;

  rig_init_plain (&rig);
  for (int i = 0; i < 100; i++)
    {
      ids[i] = weft_executor_trace_new (watch (&rig), "doc:1").target.id;
      for (int j = 0; j < i; j++)
        CHECK (ids[i] != 0 && ids[i] != ids[j]);
    }
  finish (&rig);
}

static void
traces_are_no_metrics (void)
{
  WeftExecutorTrace trace;
  size_t before;
  Rig rig;

  rig_init_plain (&rig);
  before = rig.ears.n;
  trace = weft_executor_trace_new (watch (&rig), "doc:1");
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_FAILED, NULL);
  CHECK_EQUAL (rig.ears.n, before + 1);
  CHECK_EQUAL (rig.ears.heard[before].kind, WEFT_EXECUTOR_EVENT_TRACE);
  finish (&rig);
}

/* One trace over several tasks is one workflow, each with its own. */
static void
one_trace_a_workflow (void)
{
  const TaskOptions options = { .info = { .id = "normalize" } };
  TaskMethod *normalize;
  Rig rig;

  rig_init_plain (&rig);
  normalize = task_method_new (task_new (rig.runtime, &options), "run", give_up, false);
  for (int i = 0; i < 10; i++)
    {
      WeftExecutorTrace trace = weft_executor_trace_new (watch (&rig), "doc");

      task_wait (task_call (normalize, NULL, &trace));
      task_wait (task_call (rig.done, NULL, &trace));
      weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
    }
  task_runtime_stop (rig.runtime);
  for (size_t i = 0; i < 10; i++)
    {
      uint64_t id = ears_get (&rig.ears, "executor:trace", i)->event.trace_id;

      CHECK_EQUAL (ears_span (&rig.ears, 2 * i)->event.trace_id, id);
      CHECK_EQUAL (ears_span (&rig.ears, 2 * i + 1)->event.trace_id, id);
    }
  rig_clear (&rig);
}

/* ---- Listeners ---- */

static void
metric_events (void)
{
  uint64_t before = weft_target_to_nanoseconds (weft_target_now ());
  const Heard *heard;
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.done, NULL);
  heard = ears_last (&rig.ears, "task.dispatch.total");
  CHECK_EQUAL (heard->kind, WEFT_EXECUTOR_EVENT_COUNTER);
  CHECK_EQUAL (heard->event.value, 1);
  CHECK_EQUAL (ears_last (&rig.ears, "queue.pending")->kind, WEFT_EXECUTOR_EVENT_GAUGE);
  CHECK_EQUAL (ears_last (&rig.ears, "queue.wait_ms")->kind, WEFT_EXECUTOR_EVENT_HISTOGRAM);
  for (size_t i = 0; i < rig.ears.n; i++)
    CHECK (rig.ears.heard[i].event.time >= before &&
           rig.ears.heard[i].event.time <= weft_target_to_nanoseconds (weft_target_now ()));
  finish (&rig);
}

static void
synchronous (void)
{
  size_t before;
  TaskCall *held, *queued;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  before = rig.ears.n;
  task_cancel (queued);
  /* When the call returned, all had been told, on this thread. */
  CHECK (rig.ears.n > before);
  CHECK (pthread_equal (rig.ears.thread, pthread_self ()));
  CHECK_EQUAL (count (&rig, "task.canceled.total"), 1);
  task_wait (queued);
  gate_open (&rig.gate);
  task_wait (held);
  finish (&rig);
}

static int
fail_always (const WeftExecutorEvent *event, void *data)
{
  __atomic_fetch_add ((uint64_t *) data, 1, __ATOMIC_RELAXED);
  return -1;
}

static void
failures_are_swallowed (void)
{
  uint64_t n_failed = 0;
  WeftTargetStats stats;
  uint32_t number;
  Rig rig;

  rig_init_plain (&rig);
  number = weft_executor_subscribe (watch (&rig), fail_always, &n_failed);
  for (int i = 0; i < 20; i++)
    CHECK_EQUAL (rig_run (rig.done, NULL), WEFT_EXECUTOR_SUCCEEDED);
  weft_executor_unsubscribe (watch (&rig), number);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK (n_failed > 100);
  CHECK_EQUAL (stats.listener_errors, n_failed);
  finish (&rig);
}

/* Events are whole where nothing is recorded. */
static void
events_are_canonical (void)
{
  TestRecorder *recorder = test_recorder_new ();
  size_t n = 0;
  Rig rig;

  rig_init_plain (&rig);
  test_recorder_start (recorder);
  rig_run (rig.done, NULL);
  test_recorder_die (recorder);
  for (int i = 0; i < 200; i++)
    rig_run (rig.done, NULL);
  task_runtime_stop (rig.runtime);
  while (ears_span (&rig.ears, n) != NULL)
    n++;
  CHECK_EQUAL (n, 201);
  finish (&rig);
}

/* ---- Off ---- */

static void
forbid_system_calls (void)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP ("no seccomp filters here");
}

static void
tell_everything (WeftExecutorRuntime *runtime, WeftExecutorMethod *method,
                 WeftExecutorWorker *worker)
{
  WeftExecutorTrace trace = weft_executor_trace_new (runtime, "doc:1");
  WeftExecutorCall call;

  weft_executor_call_begin (&call, method, &trace);
  weft_executor_call_blocked (&call);
  weft_executor_call_enqueue (&call);
  weft_executor_queue_changed (method->task, 1, 0, 0);
  weft_executor_call_dispatch (&call, worker);
  weft_executor_call_poll_begin (&call);
  weft_executor_call_poll_end (&call);
  weft_executor_call_requeue (&call);
  weft_executor_call_dispatch (&call, worker);
  weft_executor_call_end (&call, WEFT_EXECUTOR_SUCCEEDED, NULL);
  weft_executor_wait_begin (method->task, call.id);
  weft_executor_wait_end (method->task, call.id);
  weft_executor_queue_changed (method->task, 0, 0, 0);
  weft_executor_worker_crash (worker);
  weft_executor_worker_spawn (worker);
  weft_executor_trace_end (&trace, WEFT_EXECUTOR_SUCCEEDED, NULL);
}

/* A system call would kill, and memory for an allocation in each round would be one. */
static void
off_is_free (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const WeftExecutorTaskInfo info = { .id = "t" };
  WeftExecutorRuntime *runtime = weft_executor_runtime_new (&on);
  WeftExecutorTask *task = weft_executor_task_new (runtime, &info);
  WeftExecutorMethod *method = weft_executor_method_new (task, "m");
  WeftExecutorWorker *worker = weft_executor_worker_new (task, 0);

  CHECK (recorder->gate->active == 0 && !weft_target_enabled ());
  forbid_system_calls ();
  for (int i = 0; i < 200000; i++)
    tell_everything (runtime, method, worker);
  syscall (SYS_exit_group, worker->spawned == 200000 && worker->running == 0 ? 0 : 1);
}

static const TestCase cases[] = {
  { "/executor/X-1/surfaces", surfaces },
  { "/executor/X-2/no-aggregation", no_aggregation },
  { "/executor/X-3/explicit-traces", explicit_traces },
  { "/executor/X-4/spans-are-opt-in", spans_are_opt_in },
  { "/executor/X-5/events-are-opt-in", events_are_opt_in },
  { "/executor/X-6/default-by-build", default_by_build },
  { "/executor/X-7/automatic", automatic },
  { "/executor/X-8/metrics-are-complete", metrics_are_complete },
  { "/executor/X-9/decided-at-creation", decided_at_creation },
  { "/executor/X-10/traces-are-whole", traces_are_whole },
  { "/executor/X-11/without-trace-one-by-one", without_trace_one_by_one },
  { "/executor/X-33/context", trace_context },
  { "/executor/X-34/trace-id", trace_id_everywhere },
  { "/executor/X-35/resolves", run_with_trace_resolves },
  { "/executor/X-36/aborts", run_with_trace_aborts },
  { "/executor/X-37/fails", run_with_trace_fails },
  { "/executor/X-38/recorded-if-sampled", trace_recorded_if_sampled },
  { "/executor/X-39/event-regardless", trace_event_regardless },
  { "/executor/X-40/detail", trace_detail },
  { "/executor/X-41/unique", traces_are_unique },
  { "/executor/X-42/no-metrics", traces_are_no_metrics },
  { "/executor/X-43/workflow", one_trace_a_workflow },
  { "/executor/X-44/metric-events", metric_events },
  { "/executor/X-45/synchronous", synchronous },
  { "/executor/X-46/failures-are-swallowed", failures_are_swallowed },
  { "/executor/X-47/canonical", events_are_canonical },
  { "/executor/X-48/off-is-free", off_is_free },
};

TEST_MAIN (cases)
