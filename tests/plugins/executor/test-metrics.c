/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of metrics, of gauges, and of the snapshot that is right without them; see
 * docs/executor-rules.md.
 */

#include "rig.h"

#include <sched.h>

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

  CHECK (ears_sum (&rig->ears, name, &n) == (double) n || strncmp (name, "task.", 5) != 0);
  return n;
}

static WeftExecutorRuntime *
watch (Rig *rig)
{
  return task_runtime_get_watch (rig->runtime);
}

static bool
says (const Heard *heard, const char *attribute)
{
  return heard != NULL && strstr (heard->attributes, attribute) != NULL;
}

/* ---- Counters ---- */

static void
dispatch_total (void)
{
  TaskCall *held, *canceled;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig);
  CHECK_EQUAL (count (&rig, "task.dispatch.total"), 1);
  canceled = task_call (rig.done, NULL, NULL);
  task_cancel (canceled);
  task_wait (canceled);
  CHECK_EQUAL (count (&rig, "task.dispatch.total"), 1);
  gate_open (&rig.gate);
  task_wait (held);
  rig_run (rig.crash_once, NULL);
  CHECK_EQUAL (count (&rig, "task.dispatch.total"), 3);
  finish (&rig);
}

static void
success_total (void)
{
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.fail, NULL);
  CHECK_EQUAL (count (&rig, "task.success.total"), 0);
  rig_run (rig.done, NULL);
  rig_run (rig.crash_once, NULL);
  CHECK_EQUAL (count (&rig, "task.success.total"), 2);
  finish (&rig);
}

static void
failure_total (void)
{
  TaskCall *call;
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.fail, NULL);
  rig_run (rig.crash, NULL);
  call = task_call (rig.spin, NULL, NULL);
  task_cancel (call);
  task_wait (call);
  CHECK_EQUAL (count (&rig, "task.failure.total"), 2);
  finish (&rig);
}

static void
canceled_total (void)
{
  TaskCall *held, *queued;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  task_cancel (queued);
  task_wait (queued);
  CHECK_EQUAL (count (&rig, "task.canceled.total"), 1);
  task_cancel (held);
  gate_open (&rig.gate);
  task_wait (held);
  CHECK_EQUAL (count (&rig, "task.canceled.total"), 2);
  CHECK_EQUAL (count (&rig, "task.failure.total"), 0);
  finish (&rig);
}

static void
check_rejections (WeftExecutorPolicy policy)
{
  TaskCall *held, *queued;
  Rig rig;

  rig_init_bounded (&rig, policy, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  for (int i = 0; i < 3; i++)
    {
      TaskCall *next = task_call (rig.done, NULL, NULL);

      task_wait (policy == WEFT_EXECUTOR_DROP_OLDEST ? queued : next);
      queued = policy == WEFT_EXECUTOR_DROP_OLDEST ? next : queued;
    }
  CHECK_EQUAL (count (&rig, "task.rejected.total"), 3);
  CHECK_EQUAL (count (&rig, "task.failure.total"), 0);
  gate_open (&rig.gate);
  task_wait (held);
  task_wait (queued);
  finish (&rig);
}

static void
rejected_total (void)
{
  check_rejections (WEFT_EXECUTOR_REJECT);
  check_rejections (WEFT_EXECUTOR_DROP_LATEST);
  check_rejections (WEFT_EXECUTOR_DROP_OLDEST);
}

static void
spawn_total (void)
{
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const TaskOptions options = { .info = { .id = "resize" }, .n_workers = 3 };
  Rig rig;

  rig_init (&rig, &options, &on);
  CHECK_EQUAL (count (&rig, "worker.spawn.total"), 3);
  rig_run (rig.crash_once, NULL);
  finish (&rig);
}

static void
crash_total (void)
{
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.fail, NULL);
  CHECK_EQUAL (count (&rig, "worker.crash.total"), 0);
  rig_run (rig.crash, NULL);
  CHECK_EQUAL (count (&rig, "worker.crash.total"), 2);
  finish (&rig);
}

static void
terminate_total (void)
{
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.crash_once, NULL);
  CHECK_EQUAL (count (&rig, "worker.terminate.total"), 0);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (count (&rig, "worker.terminate.total"), 1);
  finish (&rig);
}

static void
requeue_total (void)
{
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.fail, NULL);
  rig_run (rig.done, NULL);
  CHECK_EQUAL (count (&rig, "task.requeue.total"), 0);
  rig_run (rig.crash_once, NULL);
  CHECK_EQUAL (count (&rig, "task.requeue.total"), 1);
  rig_run (rig.crash, NULL);
  CHECK_EQUAL (count (&rig, "task.requeue.total"), 2);
  finish (&rig);
}

/* ---- Gauges ---- */

static double
gauge (Rig *rig, const char *name)
{
  const Heard *heard = ears_last (&rig->ears, name);

  return heard != NULL ? heard->event.value : -1;
}

static void *
call_from_thread (void *data)
{
  Rig *rig = data;

  rig_run (rig->done, NULL);
  return NULL;
}

static void
queue_gauges (void)
{
  TaskCall *held, *queued;
  pthread_t thread;
  TaskTruth truth;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_BLOCK, 1);
  held = rig_occupy (&rig);
  CHECK (gauge (&rig, "queue.in_flight") == 1 && gauge (&rig, "queue.pending") == 0);
  queued = task_call (rig.done, NULL, NULL);
  CHECK (gauge (&rig, "queue.in_flight") == 1 && gauge (&rig, "queue.pending") == 1);
  CHECK_EQUAL (gauge (&rig, "queue.blocked"), 0);
  pthread_create (&thread, NULL, call_from_thread, &rig);
  do
    {
      sched_yield ();
      task_get_truth (rig.task, &truth);
    }
  while (truth.blocked == 0);
  pthread_mutex_lock (&rig.ears.lock);
  CHECK_EQUAL (gauge (&rig, "queue.blocked"), 1);
  pthread_mutex_unlock (&rig.ears.lock);
  gate_open (&rig.gate);
  pthread_join (thread, NULL);
  task_wait (held);
  task_wait (queued);
  finish (&rig);
}

static void
workers_gauge (void)
{
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const TaskOptions options = { .info = { .id = "resize" }, .n_workers = 2 };
  static const double expected[] = { 1, 2, 1, 2, 1, 0 };
  size_t n;
  Rig rig;

  rig_init (&rig, &options, &on);
  rig_run (rig.crash_once, NULL);
  task_runtime_stop (rig.runtime);
  ears_sum (&rig.ears, "workers.active", &n);
  CHECK_EQUAL (n, 6);
  for (size_t i = 0; i < n; i++)
    CHECK_EQUAL (ears_get (&rig.ears, "workers.active", i)->event.value, expected[i]);
  finish (&rig);
}

/* ---- Histograms ---- */

static void
duration_histogram (void)
{
  static const char *const name = "task.duration_ms";
  TaskCall *held, *queued;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_REJECT, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  rig_run (rig.done, NULL);
  task_cancel (queued);
  task_wait (queued);
  gate_open (&rig.gate);
  task_wait (held);
  task_runtime_stop (rig.runtime);
  for (size_t i = 0; i < 3; i++)
    {
      uint64_t duration = ears_span (&rig.ears, i)->event.duration;

      CHECK_NEAR (ears_get (&rig.ears, name, i)->event.value * 1e6, duration);
    }
  CHECK (ears_get (&rig.ears, name, 3) == NULL);
  finish (&rig);
}

static void
wait_histogram (void)
{
  TaskCall *held, *queued, *canceled;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  canceled = task_call (rig.done, NULL, NULL);
  task_cancel (canceled);
  task_wait (canceled);
  gate_open (&rig.gate);
  task_wait (held);
  task_wait (queued);
  task_runtime_stop (rig.runtime);
  /* One for each dispatch, none for what never was. */
  CHECK_EQUAL (count (&rig, "queue.wait_ms"), 2);
  CHECK_EQUAL (ears_span (&rig.ears, 2)->event.queue_wait,
               (uint64_t) (ears_get (&rig.ears, "queue.wait_ms", 1)->event.value * 1e6 + 0.5));
  finish (&rig);
}

/* ---- Attributes ---- */

static void
task_attributes (void)
{
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const TaskOptions nameless = { .info = { .id = "resize", .type = WEFT_EXECUTOR_SINGLETON } };
  Rig rig;

  rig_init_plain (&rig);
  rig_run (rig.crash_once, NULL);
  task_runtime_stop (rig.runtime);
  for (size_t i = 0; i < rig.ears.n; i++)
    if (rig.ears.heard[i].kind <= WEFT_EXECUTOR_EVENT_HISTOGRAM)
      {
        CHECK (says (&rig.ears.heard[i], "task.id=resize "));
        CHECK (says (&rig.ears.heard[i], "task.type=parallel "));
        CHECK (says (&rig.ears.heard[i], "task.name=Resize "));
      }
  finish (&rig);
  rig_init (&rig, &nameless, &on);
  rig_run (rig.done, NULL);
  CHECK (says (ears_last (&rig.ears, "task.success.total"), "task.type=singleton "));
  CHECK (!says (ears_last (&rig.ears, "task.success.total"), "task.name"));
  finish (&rig);
}

static void
worker_attributes (void)
{
  const WeftExecutorConfiguration on = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const TaskOptions options = { .info = { .id = "resize" }, .n_workers = 2 };
  Rig rig;

  rig_init (&rig, &options, &on);
  rig_run (rig.crash_once, NULL);
  task_runtime_stop (rig.runtime);
  CHECK (says (ears_get (&rig.ears, "worker.spawn.total", 0), "worker.index=0 "));
  CHECK (says (ears_get (&rig.ears, "worker.spawn.total", 1), "worker.index=1 "));
  CHECK (says (ears_get (&rig.ears, "worker.crash.total", 0), "worker.index="));
  CHECK (says (ears_get (&rig.ears, "worker.terminate.total", 0), "worker.index="));
  finish (&rig);
}

static void
queue_attributes (void)
{
  static const char *const names[] = { "queue.in_flight", "queue.pending", "queue.blocked",
                                       "queue.wait_ms" };
  static const char *const policies[] = { "block", "reject", "drop-latest", "drop-oldest" };

  for (int policy = WEFT_EXECUTOR_BLOCK; policy <= WEFT_EXECUTOR_DROP_OLDEST; policy++)
    {
      char text[64];
      Rig rig;

      rig_init_bounded (&rig, (WeftExecutorPolicy) policy, 7);
      rig_run (rig.done, NULL);
      snprintf (text, sizeof text, "queue.policy=%s ", policies[policy]);
      for (int i = 0; i < 4; i++)
        {
          CHECK (says (ears_last (&rig.ears, names[i]), text));
          CHECK (says (ears_last (&rig.ears, names[i]), "queue.max_in_flight=1 "));
          CHECK (says (ears_last (&rig.ears, names[i]), "queue.max_depth=7 "));
        }
      finish (&rig);
    }
}

/* ---- Mutations ---- */

/* Appends what the last events of the queue's gauges said: in flight, pending. */
static void
check_steps (Rig *rig, const char *steps)
{
  char text[256] = "";
  size_t n = 0;

  for (size_t i = 0; ears_get (&rig->ears, "queue.pending", i) != NULL; i++)
    n += (size_t) snprintf (text + n, sizeof text - n, "%g/%g ",
                            ears_get (&rig->ears, "queue.in_flight", i)->event.value,
                            ears_get (&rig->ears, "queue.pending", i)->event.value);
  if (strcmp (text, steps) != 0)
    printf ("# %s, not %s\n", text, steps);
  CHECK_STRING (text, steps);
}

static void
after_each_mutation (void)
{
  TaskCall *held, *queued, *canceled;
  Rig rig;

  rig_init_plain (&rig);
  held = rig_occupy (&rig); /* enqueue, dispatch */
  queued = task_call (rig.crash_once, NULL, NULL);
  canceled = task_call (rig.done, NULL, NULL);
  task_cancel (canceled);
  task_wait (canceled);
  gate_open (&rig.gate);
  task_wait (held);
  task_wait (queued);
  task_runtime_stop (rig.runtime);
  /* In flight/pending: enqueue, dispatch; two enqueues; cancel; end, dispatch; requeue, dispatch;
   * end. */
  check_steps (&rig, "0/1 1/0 1/1 1/2 1/1 0/1 1/0 0/1 1/0 0/0 ");
  finish (&rig);
}

/* A call that is refused changes no queue; time that passes changes none either. */
static void
on_change_only (void)
{
  TaskCall *held, *queued;
  size_t before;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_REJECT, 1);
  held = rig_occupy (&rig);
  queued = task_call (rig.done, NULL, NULL);
  before = count (&rig, "queue.pending");
  for (int i = 0; i < 10; i++)
    rig_run (rig.done, NULL);
  CHECK_EQUAL (count (&rig, "queue.pending"), before);
  gate_open (&rig.gate);
  task_wait (held);
  task_wait (queued);
  finish (&rig);
}

/* ---- Snapshots ---- */

static void
check_snapshot (Rig *rig)
{
  WeftExecutorSnapshot *snapshot = weft_executor_snapshot_new (watch (rig));
  const WeftExecutorTaskSnapshot *task = &snapshot->tasks[0];
  uint64_t spawned = 0, crashed = 0, terminated = 0, running = 0;
  TaskTruth truth;

  task_get_truth (rig->task, &truth);
  CHECK_EQUAL (snapshot->n_tasks, 1);
  CHECK_STRING (snapshot->name, "executor");
  CHECK_STRING (task->info.id, "resize");
  CHECK_EQUAL (task->pending, truth.pending);
  CHECK_EQUAL (task->in_flight, truth.in_flight);
  CHECK_EQUAL (task->blocked, truth.blocked);
  CHECK_EQUAL (task->workers_active, truth.active);
  for (size_t i = 0; i < task->n_workers; i++)
    {
      CHECK_EQUAL (task->workers[i].index, i);
      spawned += task->workers[i].spawned;
      crashed += task->workers[i].crashed;
      terminated += task->workers[i].terminated;
      running += task->workers[i].running;
    }
  CHECK_EQUAL (spawned, truth.spawned);
  CHECK_EQUAL (crashed, truth.crashed);
  CHECK_EQUAL (terminated, truth.terminated);
  CHECK_EQUAL (running, truth.in_flight);
  weft_executor_snapshot_free (snapshot);
}

static void
snapshot_polled (void)
{
  TaskCall *held, *queued;
  Rig rig;

  rig_init_bounded (&rig, WEFT_EXECUTOR_REJECT, 4);
  check_snapshot (&rig);
  held = rig_occupy (&rig);
  queued = task_call (rig.crash_once, NULL, NULL);
  check_snapshot (&rig);
  gate_open (&rig.gate);
  task_wait (held);
  task_wait (queued);
  check_snapshot (&rig);
  task_runtime_stop (rig.runtime);
  check_snapshot (&rig);
  finish (&rig);
}

/* Nobody listened for most of it, so that the sums of events are wrong: the snapshot is not. */
static void
snapshot_without_events (void)
{
  TaskCall *held, *queued[3];
  size_t n;
  Rig rig;

  rig_init_plain (&rig);
  weft_executor_unsubscribe (watch (&rig), rig.ears.number);
  held = rig_occupy (&rig);
  for (int i = 0; i < 3; i++)
    queued[i] = task_call (rig.crash_once, NULL, NULL);
  check_snapshot (&rig);
  ears_listen (&rig.ears, watch (&rig));
  task_cancel (queued[0]);
  CHECK_EQUAL (ears_sum (&rig.ears, "task.dispatch.total", &n), 0);
  check_snapshot (&rig);
  weft_executor_unsubscribe (watch (&rig), rig.ears.number);
  gate_open (&rig.gate);
  task_wait (held);
  for (int i = 0; i < 3; i++)
    task_wait (queued[i]);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (ears_last (&rig.ears, "queue.pending")->event.value, 2);
  check_snapshot (&rig);
  rig_clear (&rig);
}

typedef struct
{
  pthread_mutex_t lock;
  uint64_t n;
  uint64_t pending, in_flight, active, crashed;
  bool is_inside;
  bool overlapped;
} Watcher;

static void
on_snapshot (const WeftExecutorSnapshot *snapshot, void *data)
{
  Watcher *watcher = data;
  const WeftExecutorTaskSnapshot *task = &snapshot->tasks[0];

  pthread_mutex_lock (&watcher->lock);
  watcher->overlapped = watcher->overlapped || watcher->is_inside;
  watcher->is_inside = true;
  watcher->n++;
  watcher->pending = task->pending;
  watcher->in_flight = task->in_flight;
  watcher->active = task->workers_active;
  watcher->crashed = task->n_workers > 0 ? task->workers[0].crashed : 0;
  watcher->is_inside = false;
  pthread_mutex_unlock (&watcher->lock);
}

static void *
call_many (void *data)
{
  Rig *rig = data;

  for (int i = 0; i < 200; i++)
    rig_run (i % 50 == 0 ? rig->crash_once : rig->done, NULL);
  return NULL;
}

/* Many threads change it: the last that the subscriber hears is the last there was. */
static void
snapshot_subscribed (void)
{
  const WeftExecutorConfiguration off = { .spans = WEFT_EXECUTOR_SPANS_OFF };
  const TaskOptions options = { .info = { .id = "resize" }, .n_workers = 3 };
  static Watcher watcher = { .lock = PTHREAD_MUTEX_INITIALIZER };
  pthread_t threads[4];
  uint32_t number;
  uint64_t n;
  Rig rig;

  rig_init (&rig, &options, &off);
  number = weft_executor_subscribe_snapshot (watch (&rig), 0, on_snapshot, &watcher);
  CHECK (number != 0);
  for (int i = 0; i < 4; i++)
    pthread_create (&threads[i], NULL, call_many, &rig);
  for (int i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  CHECK_EQUAL (weft_executor_run_subscriptions (watch (&rig)), UINT64_MAX);
  pthread_mutex_lock (&watcher.lock);
  CHECK (watcher.n > 100 && !watcher.overlapped);
  CHECK (watcher.pending == 0 && watcher.in_flight == 0 && watcher.active == 3);
  pthread_mutex_unlock (&watcher.lock);
  task_runtime_stop (rig.runtime);
  CHECK_EQUAL (watcher.active, 0);
  weft_executor_unsubscribe_snapshot (watch (&rig), number);
  n = watcher.n;
  check_snapshot (&rig);
  CHECK_EQUAL (watcher.n, n);
  finish (&rig);
}

/* With an interval that never ends, one call, and what was missed waits. */
static void
throttled (void)
{
  const uint64_t hour = UINT64_C (3600) * 1000000000;
  static Watcher watcher = { .lock = PTHREAD_MUTEX_INITIALIZER };
  uint64_t left;
  Rig rig;

  rig_init_plain (&rig);
  CHECK (weft_executor_subscribe_snapshot (watch (&rig), hour, on_snapshot, &watcher) != 0);
  for (int i = 0; i < 100; i++)
    rig_run (rig.done, NULL);
  CHECK_EQUAL (watcher.n, 1);
  left = weft_executor_run_subscriptions (watch (&rig));
  CHECK (left > 0 && left <= hour);
  CHECK_EQUAL (watcher.n, 1);
  finish (&rig);
}

static const TestCase cases[] = {
  { "/executor/X-49/dispatch-total", dispatch_total },
  { "/executor/X-50/success-total", success_total },
  { "/executor/X-51/failure-total", failure_total },
  { "/executor/X-52/canceled-total", canceled_total },
  { "/executor/X-53/rejected-total", rejected_total },
  { "/executor/X-54/spawn-total", spawn_total },
  { "/executor/X-55/crash-total", crash_total },
  { "/executor/X-56/terminate-total", terminate_total },
  { "/executor/X-57/requeue-total", requeue_total },
  { "/executor/X-58/queue-gauges", queue_gauges },
  { "/executor/X-59/workers-gauge", workers_gauge },
  { "/executor/X-60/duration", duration_histogram },
  { "/executor/X-61/wait", wait_histogram },
  { "/executor/X-62/task-attributes", task_attributes },
  { "/executor/X-63/worker-attributes", worker_attributes },
  { "/executor/X-64/queue-attributes", queue_attributes },
  { "/executor/X-65/after-each-mutation", after_each_mutation },
  { "/executor/X-66/on-change-only", on_change_only },
  { "/executor/X-67/polled", snapshot_polled },
  { "/executor/X-68/without-events", snapshot_without_events },
  { "/executor/X-69/subscribed", snapshot_subscribed },
  { "/executor/X-70/throttled", throttled },
};

TEST_MAIN (cases)
