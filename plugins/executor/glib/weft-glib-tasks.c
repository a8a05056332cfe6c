/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GTask: from where work is handed to GIO's threads, through the thread that runs it, back to the
 * context that it returns on.
 *
 * GIO calls itself without a way between to watch, but for the thread pool of GLib that it runs
 * tasks in, and the source by which a task returns. The pool shows itself by the source that
 * manages it, which is attached by the same thread right after the pool was made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define WEFT_EXECUTOR_IMPLEMENTATION
#include "weft-executor.h"

#include "weft-glib.h"

#define POOL_SIZE 10 /* that GIO makes its pool with */
#define MANAGER_NAME "GTask thread pool manager"
#define MAX_WRAPPER 16 /* words */
#define N_BUCKETS 256
#define MAX_METHODS 512
#define MAX_WORKERS 512

/* What runs the items of a pool, in place of the program's function. */
typedef struct
{
  GlibPoolFunction function;
  void *data;
} Runner;

struct GlibTask
{
  GlibTask *next;
  void *item; /* of the pool */
  WeftExecutorCall call;
  WeftExecutorTrace trace;
  WeftTargetOrigin started;
  WeftExecutorOutcome outcome;
  void *task;   /* the GTask, alive until it has run; NULL: not known */
  int uses;     /* by its run, and by the source that returns it to its context */
  bool returns; /* there is such a source, which ends the trace */
  bool is_sync; /* whoever started it waits */
  bool has_run;
};

typedef struct
{
  WeftExecutorWorker *worker;
  GlibTask *running;
  const void *last_pool; /* made by this thread */
  const void *returning; /* source by which the task that runs is going to return */
  uint64_t waits_for;    /* id of the call of a task that is waited for */
  bool is_sync;          /* within g_task_run_in_thread_sync () */
} Thread;

static __thread Thread self;

static GlibLock lock;
static const void *pool; /* atomic: of GTask */
static GlibTask *buckets[N_BUCKETS];
static uint64_t pending, in_flight;
static WeftExecutorTask *lane_task;
static WeftExecutorMethod *methods[MAX_METHODS];
static unsigned n_methods;
static WeftExecutorWorker *workers[MAX_WORKERS];
static WeftExecutorWorker *idle_workers[MAX_WORKERS];
static unsigned n_workers, n_idle;
static pthread_key_t key;

/* ---- The pool ---- */

static void run (void *item, void *data);

static void
before_fork (void)
{
  weft_glib_lock (&lock);
}

static void
after_fork (void)
{
  weft_glib_unlock (&lock);
}

static void
thread_ends (void *worker)
{
  weft_executor_worker_terminate (worker);
  weft_glib_lock (&lock);
  idle_workers[n_idle++] = worker;
  weft_glib_unlock (&lock);
}

static void
prepare (void)
{
  pthread_key_create (&key, thread_ends);
  pthread_atfork (before_fork, after_fork, after_fork);
}

/* With the lock held. */
static void
need_lanes (void)
{
  const WeftExecutorConfiguration configuration = { .name = "GTask",
                                                    .spans = WEFT_EXECUTOR_SPANS_ON,
                                                    .stacks = true };
  const WeftExecutorTaskInfo info = { .id = "gtask", .name = "GTask threads" };

  if (lane_task == NULL)
    lane_task = weft_executor_task_new (weft_executor_runtime_new (&configuration), &info);
}

void *
weft_glib_pool_wrap (GlibPoolFunction *function, void *data, int max_threads, int exclusive)
{
  Runner *runner;

  if (max_threads != POOL_SIZE || exclusive || (runner = malloc (sizeof *runner)) == NULL)
    return data;
  runner->function = *function;
  runner->data = data;
  *function = run;
  return runner;
}

void
weft_glib_pool_made (const void *made)
{
  self.last_pool = made;
}

/* ---- Tasks ---- */

static GlibTask **
find (const void *item)
{
  GlibTask **at = &buckets[((uintptr_t) item >> 4) % N_BUCKETS];

  while (*at != NULL && (*at)->item != item)
    at = &(*at)->next;
  return at;
}

/* As GIO or the program named it, else by the function that is its tag. */
static const char *
name_task (void *task)
{
  const char *(*get_name) (void *);
  void *(*get_tag) (void *);
  const char *name = NULL;
  void *tag = NULL;
  Dl_info info;

  *(void **) &get_name = weft_glib_symbol ("g_task_get_name", NULL);
  *(void **) &get_tag = weft_glib_symbol ("g_task_get_source_tag", NULL);
  if (task != NULL && get_name != NULL)
    name = get_name (task);
  if (task != NULL && name == NULL && get_tag != NULL)
    tag = get_tag (task);
  if (tag != NULL && dladdr (tag, &info) != 0 && info.dli_saddr == tag)
    name = info.dli_sname;
  return name != NULL ? name : "task";
}

/* With the lock held. */
static WeftExecutorMethod *
need_method (const char *name)
{
  for (unsigned i = 0; i < n_methods; i++)
    if (strcmp (methods[i]->name, name) == 0)
      return methods[i];
  if (n_methods == MAX_METHODS)
    return methods[0];
  return methods[n_methods++] = weft_executor_method_new (lane_task, name);
}

/* Whether ADDRESS belongs to GIO. */
static bool
is_gio (const void *address)
{
  static const void *known; /* one that does */
  const void *function;
  Dl_info gio, its;

  if (__atomic_load_n (&known, __ATOMIC_RELAXED) == address)
    return true;
  function = weft_glib_symbol ("g_task_get_type", NULL);
  if (function == NULL || dladdr (function, &gio) == 0 || dladdr (address, &its) == 0 ||
      gio.dli_fbase != its.dli_fbase)
    return false;
  __atomic_store_n (&known, address, __ATOMIC_RELAXED);
  return true;
}

/* SIZE bytes, wherever ADDRESS points. */
static bool
read_safely (const void *address, void *buffer, size_t size)
{
  const struct iovec local = { buffer, size }, remote = { (void *) (uintptr_t) address, size };

  return process_vm_readv (getpid (), &local, 1, &remote, 1, 0) == (ssize_t) size;
}

/* An instance begins with its class, which begins with the type. */
static bool
is_task (const void *pointer)
{
  size_t (*get_type) (const char *);
  const void *instance_class;
  size_t type;

  *(void **) &get_type = weft_glib_symbol ("g_type_from_name", NULL);
  return get_type != NULL && ((uintptr_t) pointer & 7) == 0 && pointer != NULL &&
         read_safely (pointer, &instance_class, sizeof instance_class) &&
         read_safely (instance_class, &type, sizeof type) && type == get_type ("GTask");
}

/* Another library that is preloaded may hand over something of its own, which holds the task. */
static void *
unwrap (void *item, const void *caller)
{
  void *words[MAX_WRAPPER];

  if (is_gio (caller))
    return item;
  if (!read_safely (item, words, sizeof words))
    return NULL;
  for (unsigned i = 0; i < MAX_WRAPPER; i++)
    if (is_task (words[i]))
      return words[i];
  return NULL;
}

bool
weft_glib_task_is_new (const void *to)
{
  return to != NULL && to == __atomic_load_n (&pool, __ATOMIC_ACQUIRE) && weft_target_enabled ();
}

void
weft_glib_task_pushed (void *item, const void *caller, WeftTargetOrigin origin)
{
  GlibTask *task = calloc (1, sizeof *task);

  if (task == NULL)
    return;
  task->item = item;
  task->uses = 1;
  task->task = unwrap (item, caller);
  task->started = origin;
  task->is_sync = self.is_sync;
  weft_glib_lock (&lock);
  need_lanes ();
  task->call.method = need_method (name_task (task->task));
  task->trace = weft_executor_trace_new (lane_task->runtime, task->call.method->name);
  weft_executor_call_begin (&task->call, task->call.method, &task->trace);
  weft_executor_call_enqueue (&task->call);
  weft_executor_queue_changed (lane_task, ++pending, in_flight, 0);
  task->next = *find (item);
  *find (item) = task;
  weft_glib_unlock (&lock);
  if (!self.is_sync)
    return;
  self.waits_for = task->call.id;
  weft_executor_wait_begin (lane_task, task->call.id);
}

/* Takes what is known of ITEM. */
static GlibTask *
take (void *item)
{
  GlibTask **at, *task;

  weft_glib_lock (&lock);
  at = find (item);
  task = *at;
  if (task != NULL)
    *at = task->next;
  weft_glib_unlock (&lock);
  return task;
}

static void
end_trace (GlibTask *task, WeftExecutorOutcome outcome)
{
  weft_executor_trace_end (&task->trace, outcome, NULL);
}

static void
release (GlibTask *task)
{
  if (__atomic_sub_fetch (&task->uses, 1, __ATOMIC_ACQ_REL) == 0)
    free (task);
}

void
weft_glib_task_refused (const void *to, void *item)
{
  GlibTask *task = to == pool ? take (item) : NULL;

  if (task == NULL)
    return;
  weft_glib_lock (&lock);
  weft_executor_call_end (&task->call, WEFT_EXECUTOR_REJECTED, NULL);
  weft_executor_queue_changed (lane_task, --pending, in_flight, 0);
  weft_glib_unlock (&lock);
  end_trace (task, WEFT_EXECUTOR_REJECTED);
  release (task);
}

/* ---- Threads ---- */

/* With the lock held. NULL where there are too many. */
static WeftExecutorWorker *
take_worker (void)
{
  if (n_idle > 0)
    return idle_workers[--n_idle];
  if (n_workers == MAX_WORKERS)
    return NULL;
  workers[n_workers] = weft_executor_worker_new (lane_task, n_workers);
  return workers[n_workers++];
}

static void
need_worker (void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  if (self.worker != NULL)
    return;
  pthread_once (&once, prepare);
  weft_glib_lock (&lock);
  self.worker = take_worker ();
  weft_glib_unlock (&lock);
  if (self.worker == NULL)
    return;
  pthread_setspecific (key, self.worker);
  weft_executor_worker_spawn (self.worker);
}

static void
begin_run (GlibTask *task)
{
  need_worker ();
  weft_glib_lock (&lock);
  weft_executor_call_dispatch (&task->call, self.worker);
  weft_executor_queue_changed (lane_task, --pending, ++in_flight, 0);
  weft_glib_unlock (&lock);
  self.running = task;
}

static void
tell_end (GlibTask *task)
{
  if (task->has_run)
    return;
  task->has_run = true;
  weft_glib_lock (&lock);
  weft_executor_call_end (&task->call, task->outcome, NULL);
  weft_executor_queue_changed (lane_task, pending, --in_flight, 0);
  weft_glib_unlock (&lock);
}

/* One that returns to its context lives on until it has. */
static void
end_run (GlibTask *task)
{
  self.running = NULL;
  self.returning = NULL;
  tell_end (task);
  if (!task->returns)
    end_trace (task, task->outcome);
  release (task);
}

static void
run (void *item, void *data)
{
  const Runner *runner = data;
  int saved = errno;
  GlibTask *task = take (item);

  if (task != NULL)
    begin_run (task);
  errno = saved;
  runner->function (item, runner->data);
  saved = errno;
  if (task != NULL)
    end_run (task);
  errno = saved;
}

/* ---- Its return ---- */

static WeftExecutorOutcome
get_outcome (void *task)
{
  int (*had_error) (void *);

  *(void **) &had_error = weft_glib_symbol ("g_task_had_error", NULL);
  return task != NULL && had_error != NULL && had_error (task) ? WEFT_EXECUTOR_FAILED
                                                               : WEFT_EXECUTOR_SUCCEEDED;
}

/* Whether POINTER lies in the instance of the task. */
static bool
is_part (const void *pointer, const void *task)
{
  struct
  {
    size_t type;
    const char *name;
    unsigned class_size;
    unsigned instance_size;
  } about = { 0 };
  size_t (*get_type) (void);
  void (*query) (size_t, void *);

  *(void **) &get_type = weft_glib_symbol ("g_task_get_type", NULL);
  *(void **) &query = weft_glib_symbol ("g_type_query", NULL);
  if (task == NULL || get_type == NULL || query == NULL)
    return false;
  query (get_type (), &about);
  return (uintptr_t) pointer - (uintptr_t) task < about.instance_size;
}

/* Who waits would go on before GIO returns from here, and be told to have waited for less. */
void
weft_glib_task_signals (const void *condition)
{
  GlibTask *task = self.running;
  const int saved = errno;

  if (task == NULL || !task->is_sync || !is_part (condition, task->task))
    return;
  task->outcome = get_outcome (task->task);
  tell_end (task);
  errno = saved;
}

void
weft_glib_task_callback (const void *source, GlibCallback callback, const void *data)
{
  const void *function;

  if (self.running == NULL || data == NULL || data != self.running->task)
    return;
  memcpy (&function, &callback, sizeof function);
  if (is_gio (function))
    self.returning = source;
}

GlibTask *
weft_glib_task_of (const void *source, const char *name)
{
  GlibTask *task = self.running;

  if (WEFT_TARGET_UNLIKELY (self.last_pool != NULL) && name != NULL &&
      strcmp (name, MANAGER_NAME) == 0)
    {
      __atomic_store_n (&pool, self.last_pool, __ATOMIC_RELEASE);
      self.last_pool = NULL;
    }
  if (task == NULL || task->returns || source != self.returning)
    return NULL;
  task->returns = true;
  task->outcome = get_outcome (task->task);
  __atomic_add_fetch (&task->uses, 1, __ATOMIC_RELAXED);
  return task;
}

const WeftTargetTrace *
weft_glib_task_trace (const GlibTask *task)
{
  return task->trace.target.id != 0 ? &task->trace.target : NULL;
}

WeftTargetOrigin
weft_glib_task_origin (const GlibTask *task)
{
  return task->started;
}

void
weft_glib_task_completed (GlibTask *task, bool dispatched)
{
  end_trace (task, dispatched ? task->outcome : WEFT_EXECUTOR_ABORTED);
  release (task);
}

/* ---- Who waits ---- */

void
weft_glib_sync_begins (void)
{
  self.is_sync = true;
  self.waits_for = 0;
}

void
weft_glib_sync_ended (void)
{
  self.is_sync = false;
  weft_executor_wait_end (lane_task, self.waits_for);
}
