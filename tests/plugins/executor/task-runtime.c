/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define WEFT_EXECUTOR_IMPLEMENTATION
#include "task-runtime.h"

#include <pthread.h>

typedef struct
{
  TaskCall *first;
  TaskCall *last;
} TaskList;

typedef struct
{
  Task *task;
  WeftExecutorWorker *watch;
  pthread_t thread;
  pthread_t before; /* the one that crashed, if THREAD took its place */
  TaskList calls;   /* that it polls by turns */
  uint32_t n_calls;
} Worker;

struct _TaskCall
{
  WeftExecutorCall watch; /* what is told of it */
  TaskMethod *method;
  TaskCall *next;
  void *argument;
  uint32_t attempts;
  uint32_t polls;
  bool is_queued;
  bool is_done;
  bool is_canceled; /* atomic */
  WeftExecutorOutcome outcome;
};

struct _TaskMethod
{
  Task *task;
  TaskMethod *next;
  TaskFunction function;
  bool polled;
  WeftExecutorMethod *watch;
};

struct _Task
{
  TaskRuntime *runtime;
  Task *next;
  TaskOptions options;
  WeftExecutorTask *watch;
  TaskMethod *methods;
  pthread_mutex_t lock; /* of all below */
  pthread_cond_t work;  /* something to do for workers */
  pthread_cond_t room;  /* for callers that wait for it */
  pthread_cond_t done;  /* some call is over */
  TaskList queue;
  TaskTruth truth;
  bool is_closing;
  Worker *workers;
};

struct _TaskRuntime
{
  WeftExecutorRuntime *watch;
  Task *tasks;
  bool is_stopped;
};

/* ---- Lists ---- */

static void
append (TaskList *list, TaskCall *call)
{
  call->next = NULL;
  if (list->last != NULL)
    list->last->next = call;
  else
    list->first = call;
  list->last = call;
}

static void
prepend (TaskList *list, TaskCall *call)
{
  call->next = list->first;
  list->first = call;
  if (list->last == NULL)
    list->last = call;
}

static void
take (TaskList *list, TaskCall *call)
{
  TaskCall **link = &list->first, *before = NULL;

  while (*link != call)
    {
      before = *link;
      link = &before->next;
    }
  *link = call->next;
  if (list->last == call)
    list->last = before;
}

/* ---- Steps of a call, with the lock held ---- */

static void
tell_queue (Task *task)
{
  weft_executor_queue_changed (task->watch, task->truth.pending, task->truth.in_flight,
                               task->truth.blocked);
}

static void
count_outcome (TaskTruth *truth, WeftExecutorOutcome outcome)
{
  if (outcome == WEFT_EXECUTOR_SUCCEEDED)
    truth->succeeded++;
  else if (outcome == WEFT_EXECUTOR_ABORTED)
    truth->canceled++;
  else if (outcome == WEFT_EXECUTOR_REJECTED)
    truth->rejected++;
  else
    truth->failed++;
}

static void
end_call (TaskCall *call, WeftExecutorOutcome outcome, const char *name, const char *message)
{
  Task *task = call->method->task;
  const WeftTargetErrorDetail error = { .name = name, .message = message };

  count_outcome (&task->truth, outcome);
  weft_executor_call_end (&call->watch, outcome, name != NULL ? &error : NULL);
  call->outcome = outcome;
  call->is_done = true;
  pthread_cond_broadcast (&task->done);
}

static void
leave_queue (TaskCall *call)
{
  Task *task = call->method->task;

  take (&task->queue, call);
  call->is_queued = false;
  task->truth.pending--;
  pthread_cond_signal (&task->room);
}

static void
enter_queue (TaskCall *call, bool at_front)
{
  Task *task = call->method->task;

  (at_front ? prepend : append) (&task->queue, call);
  call->is_queued = true;
  task->truth.pending++;
  tell_queue (task);
  pthread_cond_signal (&task->work);
}

static void
dispatch (Worker *worker, TaskCall *call)
{
  Task *task = worker->task;

  leave_queue (call);
  task->truth.in_flight++;
  task->truth.dispatched++;
  call->attempts++;
  call->polls = 0;
  weft_executor_call_dispatch (&call->watch, worker->watch);
  tell_queue (task);
  append (&worker->calls, call);
  worker->n_calls++;
}

/* ---- Workers ---- */

static void *run_worker (void *data);
static void *run_successor (void *data);

typedef enum
{
  GO_ON,
  STOP,
  CRASHED,
} Next;

bool
task_context_is_canceled (const TaskContext *context)
{
  return __atomic_load_n (&context->call->is_canceled, __ATOMIC_ACQUIRE);
}

static TaskResult
poll_call (TaskCall *call, TaskContext *context)
{
  TaskResult result;

  *context = (TaskContext){ call, call->argument, call->attempts, ++call->polls, NULL };
  if (call->method->polled)
    weft_executor_call_poll_begin (&call->watch);
  result = call->method->function (context);
  if (call->method->polled && result != TASK_CRASHED)
    weft_executor_call_poll_end (&call->watch);
  if (result == TASK_PENDING && task_context_is_canceled (context))
    result = TASK_ABORTED;
  return result;
}

static void
finish (Worker *worker, TaskCall *call, TaskResult result, const char *message)
{
  take (&worker->calls, call);
  worker->n_calls--;
  worker->task->truth.in_flight--;
  if (result == TASK_DONE)
    end_call (call, WEFT_EXECUTOR_SUCCEEDED, NULL, NULL);
  else if (result == TASK_ABORTED)
    end_call (call, WEFT_EXECUTOR_ABORTED, "AbortError", "canceled in flight");
  else if (result == TASK_CRASHED)
    end_call (call, WEFT_EXECUTOR_CRASHED, "WorkerCrashedError", "its worker crashed");
  else
    end_call (call, WEFT_EXECUTOR_FAILED, "Error", message != NULL ? message : "it failed");
  tell_queue (worker->task);
}

/* All calls of the worker go back to the front of the queue, unless they were tried often enough.
 */
static void
crash (Worker *worker)
{
  Task *task = worker->task;

  task->truth.crashed++;
  task->truth.active--;
  weft_executor_worker_crash (worker->watch);
  while (worker->calls.first != NULL)
    {
      TaskCall *call = worker->calls.first;

      if (call->attempts >= task->options.max_attempts)
        {
          finish (worker, call, TASK_CRASHED, NULL);
          continue;
        }
      take (&worker->calls, call);
      worker->n_calls--;
      task->truth.in_flight--;
      task->truth.requeued++;
      weft_executor_call_requeue (&call->watch);
      enter_queue (call, true);
    }
}

static void
spawn (Worker *worker, void *(*run) (void *) )
{
  worker->before = worker->thread;
  worker->task->truth.spawned++;
  worker->task->truth.active++;
  weft_executor_worker_spawn (worker->watch);
  if (pthread_create (&worker->thread, NULL, run, worker) != 0)
    abort ();
}

static bool
may_dispatch (const Worker *worker)
{
  const Task *task = worker->task;
  uint32_t most = task->options.info.max_in_flight;

  return task->queue.first != NULL && worker->n_calls < task->options.concurrency &&
         (most == 0 || task->truth.in_flight < most);
}

/* Takes what it may, and goes on with one call. */
static Next
work (Worker *worker)
{
  Task *task = worker->task;
  TaskContext context;
  TaskResult result;
  TaskCall *call;

  while (may_dispatch (worker))
    dispatch (worker, task->queue.first);
  call = worker->calls.first;
  if (call == NULL)
    {
      if (task->is_closing && task->queue.first == NULL && task->truth.in_flight == 0)
        return STOP;
      pthread_cond_wait (&task->work, &task->lock);
      return GO_ON;
    }
  pthread_mutex_unlock (&task->lock);
  result = poll_call (call, &context);
  pthread_mutex_lock (&task->lock);
  if (result == TASK_CRASHED)
    return CRASHED;
  if (result == TASK_PENDING)
    {
      take (&worker->calls, call);
      append (&worker->calls, call);
      return GO_ON;
    }
  finish (worker, call, result, context.error);
  /* For a worker that was not allowed to take a call, or waits for the last one to end. */
  pthread_cond_broadcast (&task->work);
  return GO_ON;
}

static void *
run_worker (void *data)
{
  Worker *worker = data;
  Task *task = worker->task;
  Next next;

  pthread_mutex_lock (&task->lock);
  do
    next = work (worker);
  while (next == GO_ON);
  if (next == CRASHED)
    {
      crash (worker);
      spawn (worker, run_successor);
      pthread_cond_broadcast (&task->work);
    }
  else
    {
      task->truth.terminated++;
      task->truth.active--;
      weft_executor_worker_terminate (worker->watch);
      pthread_cond_broadcast (&task->done);
    }
  pthread_mutex_unlock (&task->lock);
  return NULL;
}

static void *
run_successor (void *data)
{
  Worker *worker = data;

  pthread_join (worker->before, NULL);
  return run_worker (data);
}

/* ---- Tasks ---- */

Task *
task_new (TaskRuntime *runtime, const TaskOptions *options)
{
  Task *task = calloc (1, sizeof *task);

  task->runtime = runtime;
  task->options = *options;
  if (task->options.n_workers == 0)
    task->options.n_workers = 1;
  if (task->options.concurrency == 0)
    task->options.concurrency = 1;
  if (task->options.max_attempts == 0)
    task->options.max_attempts = 2;
  task->watch = weft_executor_task_new (runtime->watch, &task->options.info);
  pthread_mutex_init (&task->lock, NULL);
  pthread_cond_init (&task->work, NULL);
  pthread_cond_init (&task->room, NULL);
  pthread_cond_init (&task->done, NULL);
  task->next = runtime->tasks;
  runtime->tasks = task;
  task->workers = calloc (task->options.n_workers, sizeof *task->workers);
  pthread_mutex_lock (&task->lock);
  for (uint32_t i = 0; i < task->options.n_workers; i++)
    {
      task->workers[i].task = task;
      task->workers[i].watch = weft_executor_worker_new (task->watch, i);
      spawn (&task->workers[i], run_worker);
    }
  pthread_mutex_unlock (&task->lock);
  return task;
}

void
task_get_truth (Task *task, TaskTruth *truth)
{
  pthread_mutex_lock (&task->lock);
  *truth = task->truth;
  pthread_mutex_unlock (&task->lock);
}

WeftExecutorTask *
task_get_watch (Task *task)
{
  return task->watch;
}

TaskMethod *
task_method_new (Task *task, const char *name, TaskFunction function, bool polled)
{
  TaskMethod *method = calloc (1, sizeof *method);

  method->task = task;
  method->function = function;
  method->polled = polled;
  method->watch = weft_executor_method_new (task->watch, name);
  method->next = task->methods;
  task->methods = method;
  return method;
}

/* A crashed worker waits for nobody. */
static void
stop_task (Task *task)
{
  pthread_mutex_lock (&task->lock);
  task->is_closing = true;
  pthread_cond_broadcast (&task->work);
  while (task->truth.active > 0)
    pthread_cond_wait (&task->done, &task->lock);
  pthread_mutex_unlock (&task->lock);
  for (uint32_t i = 0; i < task->options.n_workers; i++)
    pthread_join (task->workers[i].thread, NULL);
}

static void
free_task (Task *task)
{
  while (task->methods != NULL)
    {
      TaskMethod *method = task->methods;

      task->methods = method->next;
      free (method);
    }
  pthread_mutex_destroy (&task->lock);
  pthread_cond_destroy (&task->work);
  pthread_cond_destroy (&task->room);
  pthread_cond_destroy (&task->done);
  free (task->workers);
  free (task);
}

/* ---- Calls ---- */

static bool
is_full (const Task *task)
{
  uint32_t most = task->options.info.max_depth;

  return most != 0 && task->truth.pending >= most;
}

static void
wait_for_room (TaskCall *call)
{
  Task *task = call->method->task;

  weft_executor_call_blocked (&call->watch);
  task->truth.blocked++;
  tell_queue (task);
  while (is_full (task))
    pthread_cond_wait (&task->room, &task->lock);
  task->truth.blocked--;
}

/* The one that waits longest, and never ran: what was let in and crashed is not refused. */
static TaskCall *
find_oldest (const Task *task)
{
  TaskCall *call = task->queue.first;

  while (call != NULL && call->attempts > 0)
    call = call->next;
  return call;
}

/* False: the queue's policy refuses CALL itself. */
static bool
make_room (TaskCall *call)
{
  Task *task = call->method->task;
  TaskCall *oldest;

  switch (task->options.info.policy)
    {
    case WEFT_EXECUTOR_BLOCK:
      wait_for_room (call);
      return true;
    case WEFT_EXECUTOR_REJECT:
      end_call (call, WEFT_EXECUTOR_REJECTED, "QueueFullError", "the queue is full");
      return false;
    case WEFT_EXECUTOR_DROP_OLDEST:
      if ((oldest = find_oldest (task)) != NULL)
        {
          leave_queue (oldest);
          end_call (oldest, WEFT_EXECUTOR_REJECTED, "QueueDropError", "dropped for a later call");
          tell_queue (task);
          return true;
        }
      break;
    case WEFT_EXECUTOR_DROP_LATEST:
      break;
    }
  end_call (call, WEFT_EXECUTOR_REJECTED, "QueueDropError", "dropped: the queue is full");
  return false;
}

TaskCall *
task_call (TaskMethod *method, void *argument, const WeftExecutorTrace *trace)
{
  Task *task = method->task;
  TaskCall *call = calloc (1, sizeof *call);

  call->method = method;
  call->argument = argument;
  weft_executor_call_begin (&call->watch, method->watch, trace);
  pthread_mutex_lock (&task->lock);
  task->truth.requested++;
  if (!is_full (task) || make_room (call))
    {
      weft_executor_call_enqueue (&call->watch);
      enter_queue (call, false);
    }
  pthread_mutex_unlock (&task->lock);
  return call;
}

void
task_cancel (TaskCall *call)
{
  Task *task = call->method->task;

  pthread_mutex_lock (&task->lock);
  if (call->is_queued)
    {
      leave_queue (call);
      end_call (call, WEFT_EXECUTOR_ABORTED, "AbortError", "canceled in the queue");
      tell_queue (task);
    }
  else
    __atomic_store_n (&call->is_canceled, true, __ATOMIC_RELEASE);
  pthread_mutex_unlock (&task->lock);
}

WeftExecutorOutcome
task_wait (TaskCall *call)
{
  Task *task = call->method->task;
  uint64_t id = call->watch.id;
  WeftExecutorOutcome outcome;

  weft_executor_wait_begin (task->watch, id);
  pthread_mutex_lock (&task->lock);
  while (!call->is_done)
    pthread_cond_wait (&task->done, &task->lock);
  outcome = call->outcome;
  pthread_mutex_unlock (&task->lock);
  weft_executor_wait_end (task->watch, id);
  free (call);
  return outcome;
}

/* ---- Runtimes ---- */

TaskRuntime *
task_runtime_new (const WeftExecutorConfiguration *configuration)
{
  TaskRuntime *runtime = calloc (1, sizeof *runtime);

  runtime->watch = weft_executor_runtime_new (configuration);
  return runtime;
}

WeftExecutorRuntime *
task_runtime_get_watch (TaskRuntime *runtime)
{
  return runtime->watch;
}

void
task_runtime_stop (TaskRuntime *runtime)
{
  for (Task *task = runtime->tasks; task != NULL && !runtime->is_stopped; task = task->next)
    stop_task (task);
  runtime->is_stopped = true;
}

void
task_runtime_free (TaskRuntime *runtime)
{
  task_runtime_stop (runtime);
  while (runtime->tasks != NULL)
    {
      Task *task = runtime->tasks;

      runtime->tasks = task->next;
      free_task (task);
    }
  weft_executor_runtime_free (runtime->watch);
  free (runtime);
}
