/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every case that a task runtime can report, each a task of its own, done by the runtime with real
 * threads. Prints what happened, by the runtime's own account: a line of JSON for each task.
 *
 *   executor-corpus [--list] [--spans auto|on|off] [--sample RATE] [NAME…]
 *
 * NAME killed has calls under way when the program is killed; it is done only if asked for.
 */

#include "task-runtime.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static TaskRuntime *runtime;

/* ---- What tasks do ---- */

/* Holds who comes until it is opened. */
typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned int n_held;
  bool is_open;
} Gate;

#define GATE                                                                                       \
  {                                                                                                \
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false                                  \
  }

static TaskResult
hold (TaskContext *context)
{
  Gate *gate = context->argument;

  pthread_mutex_lock (&gate->lock);
  gate->n_held++;
  pthread_cond_broadcast (&gate->changed);
  while (!gate->is_open)
    pthread_cond_wait (&gate->changed, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
  return task_context_is_canceled (context) ? TASK_ABORTED : TASK_DONE;
}

static void
open_gate (Gate *gate)
{
  pthread_mutex_lock (&gate->lock);
  gate->is_open = true;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->lock);
}

/* A call that keeps one worker busy, and runs already: the N-th at this gate. */
static TaskCall *
occupy (TaskMethod *method, Gate *gate, unsigned int n)
{
  TaskCall *call = task_call (method, gate, NULL);

  pthread_mutex_lock (&gate->lock);
  while (gate->n_held < n)
    pthread_cond_wait (&gate->changed, &gate->lock);
  pthread_mutex_unlock (&gate->lock);
  return call;
}

/* As many microseconds as the argument says. */
static TaskResult
work (TaskContext *context)
{
  long wanted = (long) (intptr_t) context->argument * 1000;
  const struct timespec time = { wanted / 1000000000, wanted % 1000000000 };

  nanosleep (&time, NULL);
  return TASK_DONE;
}

static TaskResult
fail (TaskContext *context)
{
  context->error = "the picture is empty";
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

static TaskResult
step (TaskContext *context)
{
  sched_yield ();
  return context->poll < (uint32_t) (intptr_t) context->argument ? TASK_PENDING : TASK_DONE;
}

static void *
argument (long value)
{
  return (void *) (intptr_t) value;
}

static Task *
make_task (const char *id, WeftExecutorType type, uint32_t n_workers, WeftExecutorPolicy policy,
           uint32_t max_depth)
{
  const TaskOptions options = { .info = { .id = id,
                                          .type = type,
                                          .policy = policy,
                                          .max_in_flight = n_workers,
                                          .max_depth = max_depth },
                                .n_workers = n_workers };

  return task_new (runtime, &options);
}

static Task *
make_singleton (const char *id, WeftExecutorPolicy policy, uint32_t max_depth)
{
  return make_task (id, WEFT_EXECUTOR_SINGLETON, 1, policy, max_depth);
}

/* ---- Cases ---- */

#define N_POOL 120
#define N_WORKERS 4
#define N_QUEUED 6

/* More than four workers can take at once: they are busy until all have been asked for. */
static Task *
pool (void)
{
  Task *task = make_task ("pool", WEFT_EXECUTOR_PARALLEL, N_WORKERS, WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *held = task_method_new (task, "hold", hold, false);
  TaskMethod *method = task_method_new (task, "work", work, false);
  TaskCall *first[N_WORKERS], *calls[N_POOL];
  static Gate gate = GATE;

  for (unsigned int i = 0; i < N_WORKERS; i++)
    first[i] = occupy (held, &gate, i + 1);
  for (int i = 0; i < N_POOL; i++)
    calls[i] = task_call (method, argument (1000), NULL);
  open_gate (&gate);
  for (int i = 0; i < N_WORKERS; i++)
    task_wait (first[i]);
  for (int i = 0; i < N_POOL; i++)
    task_wait (calls[i]);
  return task;
}

/* Of many short calls one works long, and one waits for it. */
static Task *
outlier (void)
{
  Task *task = make_singleton ("outlier", WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *method = task_method_new (task, "work", work, false);
  TaskCall *slow, *queued;

  for (int i = 0; i < 60; i++)
    task_wait (task_call (method, argument (10), NULL));
  slow = task_call (method, argument (300000), NULL);
  queued = task_call (method, argument (10), NULL);
  task_wait (slow);
  task_wait (queued);
  return task;
}

static Task *
outcomes (void)
{
  Task *task = make_singleton ("outcomes", WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *done = task_method_new (task, "work", work, false);
  TaskMethod *failing = task_method_new (task, "fail", fail, false);
  TaskMethod *held = task_method_new (task, "hold", hold, false);
  static Gate gate = GATE;
  TaskCall *first, *queued[2];

  for (int i = 0; i < 8; i++)
    task_wait (task_call (i % 4 == 3 ? failing : done, argument (100), NULL));
  first = occupy (held, &gate, 1);
  for (int i = 0; i < 2; i++)
    queued[i] = task_call (done, NULL, NULL);
  for (int i = 0; i < 2; i++)
    {
      task_cancel (queued[i]);
      task_wait (queued[i]);
    }
  task_cancel (first);
  open_gate (&gate);
  task_wait (first);
  return task;
}

/* Two have room behind the one that is held, four have not. */
static Task *
overflow (const char *id, WeftExecutorPolicy policy)
{
  Task *task = make_singleton (id, policy, 2);
  TaskMethod *held = task_method_new (task, "hold", hold, false);
  TaskMethod *method = task_method_new (task, "work", work, false);
  Gate gate = GATE;
  TaskCall *first = occupy (held, &gate, 1), *calls[N_QUEUED];

  for (int i = 0; i < N_QUEUED; i++)
    calls[i] = task_call (method, argument (100), NULL);
  open_gate (&gate);
  task_wait (first);
  for (int i = 0; i < N_QUEUED; i++)
    task_wait (calls[i]);
  return task;
}

static Task *
reject (void)
{
  return overflow ("reject", WEFT_EXECUTOR_REJECT);
}

static Task *
drop_latest (void)
{
  return overflow ("drop-latest", WEFT_EXECUTOR_DROP_LATEST);
}

static Task *
drop_oldest (void)
{
  return overflow ("drop-oldest", WEFT_EXECUTOR_DROP_OLDEST);
}

static void *
ask (void *data)
{
  task_wait (task_call (data, argument (100), NULL));
  return NULL;
}

/* Three callers find no room, and wait for it. */
static Task *
block (void)
{
  Task *task = make_singleton ("block", WEFT_EXECUTOR_BLOCK, 1);
  TaskMethod *held = task_method_new (task, "hold", hold, false);
  TaskMethod *method = task_method_new (task, "work", work, false);
  static Gate gate = GATE;
  TaskCall *first = occupy (held, &gate, 1);
  pthread_t threads[4];
  TaskTruth truth;

  for (int i = 0; i < 4; i++)
    pthread_create (&threads[i], NULL, ask, method);
  do
    {
      sched_yield ();
      task_get_truth (task, &truth);
    }
  while (truth.blocked < 3);
  open_gate (&gate);
  for (int i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  task_wait (first);
  return task;
}

static Task *
crashes (void)
{
  Task *task = make_task ("crashes", WEFT_EXECUTOR_PARALLEL, 2, WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *once = task_method_new (task, "crash_once", crash_once, false);
  TaskMethod *always = task_method_new (task, "crash", crash, false);

  for (int i = 0; i < 5; i++)
    task_wait (task_call (once, NULL, NULL));
  for (int i = 0; i < 2; i++)
    task_wait (task_call (always, NULL, NULL));
  return task;
}

static Task *
polls (void)
{
  const TaskOptions options = {
    .info = { .id = "polls", .type = WEFT_EXECUTOR_SINGLETON, .max_in_flight = 3 }, .concurrency = 3
  };
  Task *task = task_new (runtime, &options);
  TaskMethod *method = task_method_new (task, "step", step, true);
  TaskCall *calls[6];

  for (int i = 0; i < 6; i++)
    calls[i] = task_call (method, argument (i == 5 ? 40 : 3 + i), NULL);
  for (int i = 0; i < 6; i++)
    task_wait (calls[i]);
  return task;
}

typedef struct
{
  TaskMethod *first;
  TaskMethod *second;
} Workflow;

static WeftExecutorOutcome
run_workflow (WeftExecutorTrace *trace, void *data)
{
  const Workflow *workflow = data;

  task_wait (task_call (workflow->first, argument (100), trace));
  return task_wait (task_call (workflow->second, argument (100), trace));
}

static TaskResult
give_up (TaskContext *context)
{
  return TASK_ABORTED;
}

/* Six of each: one ends well, one badly, one is canceled, by the outcome of its second call. */
static Task *
workflows (void)
{
  Task *task = make_task ("workflows", WEFT_EXECUTOR_PARALLEL, 2, WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *first = task_method_new (task, "normalize", work, false);
  TaskMethod *ends[3] = { task_method_new (task, "resize", work, false),
                          task_method_new (task, "fail", fail, false),
                          task_method_new (task, "give_up", give_up, false) };

  for (int i = 0; i < 18; i++)
    {
      Workflow workflow = { first, ends[i % 3] };

      weft_executor_run_with_trace (task_runtime_get_watch (runtime), "document", run_workflow,
                                    &workflow);
    }
  return task;
}

static const struct
{
  const char *name;
  const char *summary;
  Task *(*run) (void);
} cases[] = {
  { "pool", "four workers and more calls than they can take", pool },
  { "outlier", "many short calls, one that works long, one that waits for it", outlier },
  { "outcomes", "success, failure, canceled in the queue and in flight", outcomes },
  { "reject", "a full queue that refuses", reject },
  { "drop-latest", "a full queue that drops what comes", drop_latest },
  { "drop-oldest", "a full queue that drops what waits longest", drop_oldest },
  { "block", "a full queue before which callers wait", block },
  { "crashes", "workers that crash, calls that are tried again", crashes },
  { "polls", "a worker that polls three calls by turns", polls },
  { "workflows", "traces over two calls each, of every outcome", workflows },
};

#define N_CASES (sizeof cases / sizeof cases[0])

/* A call that runs and two that wait, and the program is gone. */
static void
die (void)
{
  Task *task = make_singleton ("killed", WEFT_EXECUTOR_BLOCK, 0);
  TaskMethod *held = task_method_new (task, "hold", hold, false);
  static Gate gate = GATE;

  occupy (held, &gate, 1);
  for (int i = 0; i < 2; i++)
    task_call (held, &gate, NULL);
  raise (SIGKILL);
}

/* ---- The program ---- */

static void
print_truth (const char *name, const TaskTruth *truth)
{
  printf ("{\"task\": \"%s\", \"requested\": %lu, \"dispatched\": %lu, \"succeeded\": %lu, "
          "\"failed\": %lu, \"canceled\": %lu, \"rejected\": %lu, \"requeued\": %lu, "
          "\"spawned\": %lu, \"crashed\": %lu, \"terminated\": %lu}\n",
          name, truth->requested, truth->dispatched, truth->succeeded, truth->failed,
          truth->canceled, truth->rejected, truth->requeued, truth->spawned, truth->crashed,
          truth->terminated);
}

static int
list_cases (void)
{
  for (size_t i = 0; i < N_CASES; i++)
    printf ("%s\t%s\n", cases[i].name, cases[i].summary);
  return 0;
}

static bool
is_wanted (const char *name, int n, char **names)
{
  for (int i = 0; i < n; i++)
    if (strcmp (names[i], name) == 0)
      return true;
  return n == 0;
}

static bool
read_options (int *argc, char ***argv, WeftExecutorConfiguration *configuration)
{
  while (*argc > 1 && strncmp ((*argv)[0], "--", 2) == 0)
    {
      const char *value = (*argv)[1];

      if (strcmp ((*argv)[0], "--sample") == 0)
        {
          configuration->has_sample_rate = true;
          configuration->sample_rate = strtod (value, NULL);
        }
      else if (strcmp ((*argv)[0], "--spans") == 0)
        configuration->spans = strcmp (value, "on") == 0    ? WEFT_EXECUTOR_SPANS_ON
                               : strcmp (value, "off") == 0 ? WEFT_EXECUTOR_SPANS_OFF
                                                            : WEFT_EXECUTOR_SPANS_AUTO;
      else
        return false;
      *argc -= 2;
      *argv += 2;
    }
  return *argc == 0 || strncmp ((*argv)[0], "--", 2) != 0;
}

int
main (int argc, char **argv)
{
  WeftExecutorConfiguration configuration = { .name = "corpus" };
  Task *tasks[N_CASES] = { NULL };

  if (argc == 2 && strcmp (argv[1], "--list") == 0)
    return list_cases ();
  argc--;
  argv++;
  if (!read_options (&argc, &argv, &configuration))
    {
      fprintf (stderr, "executor-corpus [--list] [--spans auto|on|off] [--sample RATE] [NAME…]\n");
      return 2;
    }
  runtime = task_runtime_new (&configuration);
  if (argc == 1 && strcmp (argv[0], "killed") == 0)
    die ();
  for (size_t i = 0; i < N_CASES; i++)
    if (is_wanted (cases[i].name, argc, argv))
      tasks[i] = cases[i].run ();
  task_runtime_stop (runtime);
  for (size_t i = 0; i < N_CASES; i++)
    if (tasks[i] != NULL)
      {
        TaskTruth truth;

        task_get_truth (tasks[i], &truth);
        print_truth (cases[i].name, &truth);
      }
  task_runtime_free (runtime);
  return 0;
}
