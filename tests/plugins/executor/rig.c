/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "rig.h"

#include <sched.h>

/* ---- Gate ---- */

static void
gate_hold (Gate *gate)
{
  pthread_mutex_lock (&gate->lock);
  gate->n_held++;
  pthread_cond_broadcast (&gate->changed);
  while (!gate->is_open)
    pthread_cond_wait (&gate->changed, &gate->lock);
  gate->n_held--;
  pthread_mutex_unlock (&gate->lock);
}

void
gate_wait (Gate *gate, unsigned int n_held)
{
  pthread_mutex_lock (&gate->lock);
  while (gate->n_held < n_held)
    pthread_cond_wait (&gate->changed, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
}

void
gate_open (Gate *gate)
{
  pthread_mutex_lock (&gate->lock);
  gate->is_open = true;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->lock);
}

/* ---- Methods ---- */

static TaskResult
hold (TaskContext *context)
{
  gate_hold (context->argument);
  return task_context_is_canceled (context) ? TASK_ABORTED : TASK_DONE;
}

static TaskResult
done (TaskContext *context)
{
  return TASK_DONE;
}

static TaskResult
fail (TaskContext *context)
{
  context->error = "no such picture";
  return TASK_FAILED;
}

static TaskResult
crash (TaskContext *context)
{
  return TASK_CRASHED;
}

static TaskResult
crash_once (TaskContext *context)
{
  return context->attempt == 1 ? TASK_CRASHED : TASK_DONE;
}

TaskResult
rig_poll (TaskContext *context)
{
  return context->poll < *(const uint32_t *) context->argument ? TASK_PENDING : TASK_DONE;
}

static TaskResult
spin (TaskContext *context)
{
  sched_yield ();
  return TASK_PENDING;
}

/* ---- Ears ---- */

static void
append_attributes (Heard *heard, const WeftExecutorEvent *event)
{
  for (size_t i = 0; i < event->n_attributes; i++)
    {
      const WeftTargetTag *tag = &event->attributes[i];
      size_t n = strlen (heard->attributes);
      char *at = heard->attributes + n;
      size_t room = sizeof heard->attributes - n;

      if (tag->type == WEFT_TARGET_VALUE_STRING)
        snprintf (at, room, "%s=%s ", tag->key, tag->value.string);
      else
        snprintf (at, room, "%s=%llu ", tag->key, (unsigned long long) tag->value.u64);
    }
}

static void
copy_text (char *to, size_t room, const char *text)
{
  snprintf (to, room, "%s", text != NULL ? text : "");
}

static int
hear (const WeftExecutorEvent *event, void *data)
{
  Ears *ears = data;
  Heard *heard;

  pthread_mutex_lock (&ears->lock);
  CHECK (ears->n < MAX_HEARD);
  heard = &ears->heard[ears->n++];
  heard->kind = event->kind;
  heard->event = *event;
  copy_text (heard->name, sizeof heard->name, event->name);
  copy_text (heard->method, sizeof heard->method, event->method);
  copy_text (heard->trace_name, sizeof heard->trace_name, event->trace_name);
  copy_text (heard->error, sizeof heard->error, event->error);
  append_attributes (heard, event);
  ears->thread = pthread_self ();
  pthread_mutex_unlock (&ears->lock);
  return 0;
}

void
ears_listen (Ears *ears, WeftExecutorRuntime *runtime)
{
  ears->number = weft_executor_subscribe (runtime, hear, ears);
  CHECK (ears->number != 0);
}

const Heard *
ears_get (Ears *ears, const char *name, size_t index)
{
  for (size_t i = 0; i < ears->n; i++)
    if (strcmp (ears->heard[i].name, name) == 0 && index-- == 0)
      return &ears->heard[i];
  return NULL;
}

const Heard *
ears_last (Ears *ears, const char *name)
{
  for (size_t i = ears->n; i > 0; i--)
    if (strcmp (ears->heard[i - 1].name, name) == 0)
      return &ears->heard[i - 1];
  return NULL;
}

const Heard *
ears_span (Ears *ears, size_t index)
{
  return ears_get (ears, "executor:span", index);
}

double
ears_sum (Ears *ears, const char *name, size_t *n)
{
  double sum = 0;

  *n = 0;
  for (size_t i = 0; i < ears->n; i++)
    if (strcmp (ears->heard[i].name, name) == 0)
      {
        sum += ears->heard[i].event.value;
        (*n)++;
      }
  return sum;
}

/* ---- Rig ---- */

void
rig_init (Rig *rig, const TaskOptions *options, const WeftExecutorConfiguration *configuration)
{
  memset (rig, 0, sizeof *rig);
  pthread_mutex_init (&rig->gate.lock, NULL);
  pthread_cond_init (&rig->gate.changed, NULL);
  pthread_mutex_init (&rig->ears.lock, NULL);
  rig->ears.heard = calloc (MAX_HEARD, sizeof *rig->ears.heard);
  rig->runtime = task_runtime_new (configuration);
  ears_listen (&rig->ears, task_runtime_get_watch (rig->runtime));
  rig->task = task_new (rig->runtime, options);
  rig->hold = task_method_new (rig->task, "hold", hold, false);
  rig->done = task_method_new (rig->task, "done", done, false);
  rig->fail = task_method_new (rig->task, "fail", fail, false);
  rig->crash = task_method_new (rig->task, "crash", crash, false);
  rig->crash_once = task_method_new (rig->task, "crash_once", crash_once, false);
  rig->poll = task_method_new (rig->task, "poll", rig_poll, true);
  rig->spin = task_method_new (rig->task, "spin", spin, true);
}

void
rig_init_bounded (Rig *rig, WeftExecutorPolicy policy, uint32_t max_depth)
{
  const WeftExecutorConfiguration configuration = { .spans = WEFT_EXECUTOR_SPANS_ON };
  const TaskOptions options = { .info = { .id = "resize",
                                          .name = "Resize",
                                          .policy = policy,
                                          .max_in_flight = 1,
                                          .max_depth = max_depth } };

  rig_init (rig, &options, &configuration);
}

void
rig_init_plain (Rig *rig)
{
  rig_init_bounded (rig, WEFT_EXECUTOR_BLOCK, 0);
}

void
rig_clear (Rig *rig)
{
  gate_open (&rig->gate);
  task_runtime_free (rig->runtime);
  free (rig->ears.heard);
}

TaskCall *
rig_occupy (Rig *rig)
{
  TaskCall *call = task_call (rig->hold, &rig->gate, NULL);

  gate_wait (&rig->gate, 1);
  return call;
}

WeftExecutorOutcome
rig_run (TaskMethod *method, void *argument)
{
  return task_wait (task_call (method, argument, NULL));
}

static void
check_sum (Rig *rig, const char *name, uint64_t truth)
{
  size_t n;
  double sum = ears_sum (&rig->ears, name, &n);

  if (sum != (double) truth || n != truth)
    printf ("# %s: %g in %zu events, in truth %llu\n", name, sum, n, (unsigned long long) truth);
  CHECK (sum == (double) truth && n == truth);
}

static void
check_gauge (Rig *rig, const char *name, uint64_t truth)
{
  const Heard *last = ears_last (&rig->ears, name);

  CHECK_EQUAL (last != NULL ? last->event.value : 0, truth);
}

void
rig_check_books (Rig *rig)
{
  TaskTruth truth;
  size_t n;

  task_get_truth (rig->task, &truth);
  check_sum (rig, "task.dispatch.total", truth.dispatched);
  check_sum (rig, "task.success.total", truth.succeeded);
  check_sum (rig, "task.failure.total", truth.failed);
  check_sum (rig, "task.canceled.total", truth.canceled);
  check_sum (rig, "task.rejected.total", truth.rejected);
  check_sum (rig, "task.requeue.total", truth.requeued);
  check_sum (rig, "worker.spawn.total", truth.spawned);
  check_sum (rig, "worker.crash.total", truth.crashed);
  check_sum (rig, "worker.terminate.total", truth.terminated);
  check_gauge (rig, "queue.pending", truth.pending);
  check_gauge (rig, "queue.in_flight", truth.in_flight);
  check_gauge (rig, "queue.blocked", truth.blocked);
  check_gauge (rig, "workers.active", truth.active);
  ears_sum (&rig->ears, "queue.wait_ms", &n);
  CHECK_EQUAL (n, truth.dispatched);
  ears_sum (&rig->ears, "task.duration_ms", &n);
  CHECK_EQUAL (n, truth.succeeded + truth.failed + truth.canceled + truth.rejected);
}
