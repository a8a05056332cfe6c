/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-executor: report what a task runtime does, over libweft-target.
 *
 * A task is a queue with a worker (a singleton) or a pool of workers. A call asks a task to run one
 * of its methods. The runtime tells of each step of a call's life, and of each change of its queues:
 *
 *   weft_executor_call_begin (&call, method, &trace);      asked for, before it is queued
 *   weft_executor_call_enqueue (&call);                    it waits
 *   weft_executor_call_dispatch (&call, worker);           an attempt begins
 *   weft_executor_call_requeue (&call);                    the worker crashed: it waits again
 *   weft_executor_call_end (&call, WEFT_EXECUTOR_SUCCEEDED, NULL);
 *   weft_executor_queue_changed (task, pending, in_flight, blocked);
 *
 * From that come call spans, traces, metrics with their attributes, a stream of raw events for
 * listeners in the process, and a snapshot of the state of now. docs/executor.md is the guide,
 * docs/executor-rules.md has every rule with the test that proves it.
 *
 * While nobody listens, a step is a branch and a store or two; a change of a queue is kept for the
 * snapshot, which needs no listener. Nothing is allocated by steps, ever.
 *
 * In one file of the program, before the header is included: #define WEFT_EXECUTOR_IMPLEMENTATION.
 * C11 and C++17. All functions may be called from any thread; those about one call, about the calls
 * of one worker, or about the state of one queue, one after the other (under the lock of the queue,
 * as they are anyway).
 * Times are ticks of weft_target_now (), durations nanoseconds, unless a name ends in _ms.
 */
#ifndef WEFT_EXECUTOR_H
#define WEFT_EXECUTOR_H

#include <weft-target.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A runtime ---- */

typedef struct _WeftExecutorRuntime WeftExecutorRuntime;

typedef enum
{
  WEFT_EXECUTOR_SPANS_AUTO, /* on in development builds, off in others and where it cannot be told */
  WEFT_EXECUTOR_SPANS_OFF,
  WEFT_EXECUTOR_SPANS_ON,
} WeftExecutorSpans;

typedef struct
{
  const char *name; /* of the runtime; NULL: "executor" */
  /* Spans are opt-in: metrics, the end of traces and snapshots are there without them. The
   * environment variable WEFT_EXECUTOR_SPANS, on or off, has the last word at the start.
   */
  WeftExecutorSpans spans;
  bool has_sample_rate;
  double sample_rate; /* of traces, and of calls without one: weft_target_set_sampling () */
  bool stacks;        /* copy the stack that asks for a call, for a recorder */
} WeftExecutorConfiguration;

/* What the including file was built for, as its macros tell. */
typedef enum
{
  WEFT_EXECUTOR_BUILD_UNKNOWN,
  WEFT_EXECUTOR_BUILD_DEVELOPMENT,
  WEFT_EXECUTOR_BUILD_PRODUCTION,
} WeftExecutorBuild;

#if defined(WEFT_EXECUTOR_BUILD)
#elif defined(NDEBUG)
#define WEFT_EXECUTOR_BUILD WEFT_EXECUTOR_BUILD_PRODUCTION
#elif defined(__GNUC__) && !defined(__OPTIMIZE__)
#define WEFT_EXECUTOR_BUILD WEFT_EXECUTOR_BUILD_DEVELOPMENT
#else
#define WEFT_EXECUTOR_BUILD WEFT_EXECUTOR_BUILD_UNKNOWN
#endif

WeftExecutorRuntime *weft_executor_runtime_new_ (const WeftExecutorConfiguration *configuration,
                                                 WeftExecutorBuild build);

/* CONFIGURATION may be NULL. NULL without memory; all functions take that NULL, and do nothing. */
static inline WeftExecutorRuntime *
weft_executor_runtime_new (const WeftExecutorConfiguration *configuration)
{
  return weft_executor_runtime_new_ (configuration, WEFT_EXECUTOR_BUILD);
}

/* Ends everything that was made of it: tasks, workers, methods, subscriptions. */
void weft_executor_runtime_free (WeftExecutorRuntime *runtime);

/* For calls and traces that begin from now on. */
void weft_executor_enable_spans (WeftExecutorRuntime *runtime, bool enabled);
bool weft_executor_spans_enabled (const WeftExecutorRuntime *runtime);

/* ---- Tasks, methods, workers ---- */

typedef struct _WeftExecutorTask WeftExecutorTask;
typedef struct _WeftExecutorMethod WeftExecutorMethod;
typedef struct _WeftExecutorWorker WeftExecutorWorker;

typedef enum
{
  WEFT_EXECUTOR_PARALLEL, /* a pool of workers */
  WEFT_EXECUTOR_SINGLETON,
} WeftExecutorType;

/* What a queue does with a call that it has no room for. */
typedef enum
{
  WEFT_EXECUTOR_BLOCK,       /* the caller waits for room */
  WEFT_EXECUTOR_REJECT,      /* the call that comes fails */
  WEFT_EXECUTOR_DROP_LATEST, /* likewise, and its caller is not to mind */
  WEFT_EXECUTOR_DROP_OLDEST, /* the one that waits for the longest time fails, and makes room */
} WeftExecutorPolicy;

typedef struct
{
  const char *id;   /* task.id: stable */
  const char *name; /* task.name: for people, or NULL */
  WeftExecutorType type;
  WeftExecutorPolicy policy;
  uint32_t max_in_flight; /* 0: no bound */
  uint32_t max_depth;     /* 0: no bound */
} WeftExecutorTaskInfo;

WeftExecutorTask *weft_executor_task_new (WeftExecutorRuntime *runtime,
                                          const WeftExecutorTaskInfo *info);

/* It takes no more calls, and is no longer in snapshots. Its memory stays until the runtime's end. */
void weft_executor_task_close (WeftExecutorTask *task);

/* Made once for each name; keep it. */
WeftExecutorMethod *weft_executor_method_new (WeftExecutorTask *task, const char *name);

/* A place for a worker, not yet spawned. One that is spawned again after a crash is the same. */
WeftExecutorWorker *weft_executor_worker_new (WeftExecutorTask *task, uint32_t index);

void weft_executor_worker_spawn (WeftExecutorWorker *worker);
void weft_executor_worker_crash (WeftExecutorWorker *worker);
void weft_executor_worker_terminate (WeftExecutorWorker *worker);

/* ---- Traces: one for each run of a workflow, explicit ---- */

typedef enum
{
  WEFT_EXECUTOR_SUCCEEDED, /* ok */
  WEFT_EXECUTOR_ABORTED,   /* canceled, abort: while it was queued, or in flight */
  WEFT_EXECUTOR_REJECTED,  /* error, queue: refused or dropped by the queue's policy */
  WEFT_EXECUTOR_CRASHED,   /* error, crash: its worker crashed, and it is not tried again */
  WEFT_EXECUTOR_FAILED,    /* error, exception: anything else */
} WeftExecutorOutcome;

/* A value. What is attached to it has a copy; NAME must live as long as they. */
typedef struct
{
  WeftTargetTrace target; /* id, start, sampled: decided when it is made */
  WeftExecutorRuntime *runtime;
  const char *name;
  bool ended;
} WeftExecutorTrace;

WeftExecutorTrace weft_executor_trace_new_ (WeftExecutorRuntime *runtime, const char *name);
void weft_executor_trace_end_ (WeftExecutorTrace *trace, WeftExecutorOutcome outcome,
                               const WeftTargetErrorDetail *error);

/* While nobody listens it has no id, and calls with it are like calls without a trace. */
static inline WeftExecutorTrace
weft_executor_trace_new (WeftExecutorRuntime *runtime, const char *name)
{
  WeftExecutorTrace none = { { 0, 0, false }, NULL, NULL, false };

  return runtime != NULL && weft_target_enabled () ? weft_executor_trace_new_ (runtime, name)
                                                   : none;
}

/* Listeners hear of it, sampled or not, with spans or without. Only the first end counts. */
static inline void
weft_executor_trace_end (WeftExecutorTrace *trace, WeftExecutorOutcome outcome,
                         const WeftTargetErrorDetail *error)
{
  if (WEFT_TARGET_UNLIKELY (trace->target.id != 0))
    weft_executor_trace_end_ (trace, outcome, error);
}

/* Makes a trace, calls FUNCTION with it, ends it with the outcome that FUNCTION returns. */
WeftExecutorOutcome weft_executor_run_with_trace (
    WeftExecutorRuntime *runtime, const char *name,
    WeftExecutorOutcome (*function) (WeftExecutorTrace *trace, void *data), void *data);

/* ---- Calls ---- */

#define WEFT_EXECUTOR_MAX_PHASES 24

typedef struct
{
  const char *name;
  uint64_t begin; /* ticks */
  uint64_t end;
  uint32_t flags;
} WeftExecutorPhase;

/* A part of the runtime's own object for a call; nothing to set. ID may be read. */
typedef struct
{
  WeftExecutorMethod *method;
  WeftExecutorWorker *worker; /* of the attempt that runs */
  WeftExecutorWorker *last;   /* of the last attempt */
  uint64_t requested;         /* ticks; 0: nobody listened, and nothing below is set */
  uint64_t id;                /* of the call and its span; 0: no span */
  uint64_t enqueued;          /* ticks; 0: not in the queue */
  uint64_t waited_from;       /* ticks at which the last attempt was enqueued, or 0 */
  uint64_t dispatched;        /* ticks; 0: no attempt runs */
  uint64_t blocked;           /* ticks at which it began to wait for room, or 0 */
  uint64_t polled;            /* ticks; 0: no poll runs */
  uint64_t queue_wait;        /* ns, of all attempts */
  uint64_t queue_wait_last;   /* ns, of the last one */
  uint64_t poll_time;         /* ns */
  uint32_t attempts;
  uint32_t polls;
  uint32_t attempt_polls; /* of the attempt that runs */
  uint32_t n_phases;
  uint32_t phases_cut;
  bool has_queue_wait;
  bool ended;
  WeftExecutorTrace trace;
  WeftExecutorPhase phases[WEFT_EXECUTOR_MAX_PHASES];
} WeftExecutorCall;

/* ---- State that is kept regardless of listeners; private ---- */

typedef struct
{
  uint32_t sequence; /* odd while it is written */
  uint32_t reserved;
  uint64_t pending;
  uint64_t in_flight;
  uint64_t blocked;
} WeftExecutorQueueState;

typedef struct
{
  WeftTargetMetric *target;
  const char *name;
  WeftTargetMetricKind kind;
  const WeftTargetTag *tags;
  size_t n_tags;
} WeftExecutorMetric;

enum
{
  WEFT_EXECUTOR_TASK_DISPATCH,
  WEFT_EXECUTOR_TASK_SUCCESS,
  WEFT_EXECUTOR_TASK_FAILURE,
  WEFT_EXECUTOR_TASK_CANCELED,
  WEFT_EXECUTOR_TASK_REJECTED,
  WEFT_EXECUTOR_TASK_REQUEUE,
  WEFT_EXECUTOR_TASK_DURATION,
  WEFT_EXECUTOR_WORKERS_ACTIVE,
  WEFT_EXECUTOR_QUEUE_IN_FLIGHT,
  WEFT_EXECUTOR_QUEUE_PENDING,
  WEFT_EXECUTOR_QUEUE_BLOCKED,
  WEFT_EXECUTOR_QUEUE_WAIT,
  WEFT_EXECUTOR_N_TASK_METRICS
};

enum
{
  WEFT_EXECUTOR_WORKER_SPAWNS,
  WEFT_EXECUTOR_WORKER_CRASHES,
  WEFT_EXECUTOR_WORKER_TERMINATIONS,
  WEFT_EXECUTOR_N_WORKER_METRICS
};

#define WEFT_EXECUTOR_MAX_TAGS 6

struct _WeftExecutorTask
{
  WeftExecutorRuntime *runtime;
  WeftExecutorTask *next;
  WeftExecutorTaskInfo info;
  WeftTargetLane *lane;
  WeftExecutorMetric metrics[WEFT_EXECUTOR_N_TASK_METRICS];
  WeftTargetTag tags[WEFT_EXECUTOR_MAX_TAGS]; /* of the task, then of the queue */
  size_t n_task_tags;
  size_t n_tags;
  WeftExecutorWorker *workers;
  uint32_t is_closed;
  uint32_t active; /* workers */
  WeftExecutorQueueState state;
};

struct _WeftExecutorMethod
{
  WeftExecutorTask *task;
  WeftExecutorMethod *next;
  const char *name;
  WeftTargetRoutine *call;
  WeftTargetRoutine *attempt;
};

struct _WeftExecutorWorker
{
  WeftExecutorTask *task;
  WeftExecutorWorker *next;
  uint32_t index;
  uint32_t state;   /* WeftExecutorWorkerState */
  uint32_t running; /* attempts */
  uint32_t spawned;
  uint32_t crashed;
  uint32_t terminated;
  WeftTargetLane *lane;
  WeftExecutorMetric metrics[WEFT_EXECUTOR_N_WORKER_METRICS];
  WeftTargetTag tags[WEFT_EXECUTOR_MAX_TAGS];
};

void weft_executor_call_begin_ (WeftExecutorCall *call, const WeftExecutorTrace *trace);
void weft_executor_call_blocked_ (WeftExecutorCall *call);
void weft_executor_call_enqueue_ (WeftExecutorCall *call);
void weft_executor_call_dispatch_ (WeftExecutorCall *call);
void weft_executor_call_poll_begin_ (WeftExecutorCall *call);
void weft_executor_call_poll_end_ (WeftExecutorCall *call);
void weft_executor_call_requeue_ (WeftExecutorCall *call);
void weft_executor_call_end_ (WeftExecutorCall *call, WeftExecutorOutcome outcome,
                              const WeftTargetErrorDetail *error);
void weft_executor_queue_changed_ (WeftExecutorTask *task);

extern uint32_t weft_executor_subscribers_; /* of snapshots, of all runtimes */

/* With the steps of a worker's calls one after the other, no locked instruction is needed. */
static inline void
weft_executor_worker_count_ (WeftExecutorWorker *worker, uint32_t change)
{
  if (worker != NULL)
    __atomic_store_n (&worker->running,
                      __atomic_load_n (&worker->running, __ATOMIC_RELAXED) + change,
                      __ATOMIC_RELAXED);
}

static inline bool
weft_executor_watched_ (const WeftExecutorCall *call)
{
  return WEFT_TARGET_UNLIKELY (call->requested != 0) || weft_target_enabled ();
}

/* ---- The life of a call ---- */

/* METHOD is asked for, before the queue is looked at, so that a call that is refused has a span,
 * too. TRACE may be NULL.
 */
static inline void
weft_executor_call_begin (WeftExecutorCall *call, WeftExecutorMethod *method,
                          const WeftExecutorTrace *trace)
{
  call->method = method;
  call->worker = NULL;
  call->requested = 0;
  call->id = 0;
  call->ended = false;
  if (method != NULL && weft_target_enabled ())
    weft_executor_call_begin_ (call, trace);
}

/* Its caller begins to wait for room in the queue. */
static inline void
weft_executor_call_blocked (WeftExecutorCall *call)
{
  if (WEFT_TARGET_UNLIKELY (call->requested != 0))
    weft_executor_call_blocked_ (call);
}

/* It enters the queue. */
static inline void
weft_executor_call_enqueue (WeftExecutorCall *call)
{
  if (WEFT_TARGET_UNLIKELY (call->requested != 0))
    weft_executor_call_enqueue_ (call);
}

/* It leaves the queue, and an attempt begins. WORKER may be NULL where it is not known. */
static inline void
weft_executor_call_dispatch (WeftExecutorCall *call, WeftExecutorWorker *worker)
{
  call->worker = worker;
  weft_executor_worker_count_ (worker, 1);
  if (weft_executor_watched_ (call))
    weft_executor_call_dispatch_ (call);
}

/* Between them the call runs; what is not told to be polls is one phase for each attempt. */
static inline void
weft_executor_call_poll_begin (WeftExecutorCall *call)
{
  if (WEFT_TARGET_UNLIKELY (call->requested != 0))
    weft_executor_call_poll_begin_ (call);
}

static inline void
weft_executor_call_poll_end (WeftExecutorCall *call)
{
  if (WEFT_TARGET_UNLIKELY (call->requested != 0))
    weft_executor_call_poll_end_ (call);
}

/* Its worker crashed, and it goes back into the queue. */
static inline void
weft_executor_call_requeue (WeftExecutorCall *call)
{
  weft_executor_worker_count_ (call->worker, UINT32_MAX);
  if (weft_executor_watched_ (call))
    weft_executor_call_requeue_ (call);
  call->worker = NULL;
}

/* Its final outcome, wherever it is: running, queued, or never let in. Only the first one counts.
 * ERROR may be NULL.
 */
static inline void
weft_executor_call_end (WeftExecutorCall *call, WeftExecutorOutcome outcome,
                        const WeftTargetErrorDetail *error)
{
  if (call->method == NULL || call->ended)
    return;
  call->ended = true;
  weft_executor_worker_count_ (call->worker, UINT32_MAX);
  if (weft_executor_watched_ (call))
    weft_executor_call_end_ (call, outcome, error);
}

/* A thread waits for call ID of TASK, and goes on: what proves that it waited. */
void weft_executor_wait_begin (WeftExecutorTask *task, uint64_t id);
void weft_executor_wait_end (WeftExecutorTask *task, uint64_t id);

/* ---- Queues ---- */

/* The queue of TASK after a change: calls that wait in it, that were dispatched and are not over,
 * and callers that wait for room. To be called after each enqueue, dequeue, dispatch, cancel and
 * requeue, under the lock of the queue. It is kept for snapshots even while nobody listens.
 */
static inline void
weft_executor_queue_changed (WeftExecutorTask *task, uint64_t pending, uint64_t in_flight,
                             uint64_t blocked)
{
  WeftExecutorQueueState *state;
  uint32_t sequence;

  if (task == NULL)
    return;
  state = &task->state;
  sequence = __atomic_load_n (&state->sequence, __ATOMIC_RELAXED);
  __atomic_store_n (&state->sequence, sequence + 1, __ATOMIC_RELAXED);
  __atomic_store_n (&state->pending, pending, __ATOMIC_RELEASE);
  __atomic_store_n (&state->in_flight, in_flight, __ATOMIC_RELEASE);
  __atomic_store_n (&state->blocked, blocked, __ATOMIC_RELEASE);
  __atomic_store_n (&state->sequence, sequence + 2, __ATOMIC_RELEASE);
  if (weft_target_enabled ()
      || WEFT_TARGET_UNLIKELY (__atomic_load_n (&weft_executor_subscribers_, __ATOMIC_RELAXED)))
    weft_executor_queue_changed_ (task);
}

/* ---- Events: raw, synchronous, best effort ---- */

typedef enum
{
  WEFT_EXECUTOR_EVENT_COUNTER,
  WEFT_EXECUTOR_EVENT_GAUGE,
  WEFT_EXECUTOR_EVENT_HISTOGRAM,
  WEFT_EXECUTOR_EVENT_SPAN,
  WEFT_EXECUTOR_EVENT_TRACE,
} WeftExecutorEventKind;

/* Valid during the call of the listener. */
typedef struct
{
  WeftExecutorEventKind kind;
  const char *name; /* of a metric; "executor:span", "executor:trace" */
  uint64_t time;    /* CLOCK_MONOTONIC, ns */

  double value; /* of a metric */
  const WeftTargetTag *attributes;
  size_t n_attributes;

  uint64_t span_id; /* of spans: that of the call */
  const WeftExecutorTask *task;
  const char *method;
  bool has_worker_index;
  uint32_t worker_index;
  uint32_t attempts;
  bool has_queue_wait;
  uint64_t queue_wait;
  uint64_t queue_wait_last;

  uint64_t trace_id; /* of spans and traces; 0: none */
  const char *trace_name;
  uint64_t duration;
  WeftTargetStatus status;
  WeftTargetErrorKind error_kind;
  const char *error; /* message, or NULL */
} WeftExecutorEvent;

/* Returns 0, or an error, which is counted (weft_target_get_stats ()) and otherwise ignored. Called
 * on the thread that the event is of, maybe under a lock of the runtime: it must be fast, and must
 * not call the runtime. What it reports itself reaches no listener.
 */
typedef int (*WeftExecutorListener) (const WeftExecutorEvent *event, void *data);

/* Returns a number for weft_executor_unsubscribe (); 0 if there is no room (16 in a process). */
uint32_t weft_executor_subscribe (WeftExecutorRuntime *runtime, WeftExecutorListener listener,
                                  void *data);

/* Afterwards LISTENER does not run and will not, unless this is called from within it. */
void weft_executor_unsubscribe (WeftExecutorRuntime *runtime, uint32_t number);

/* ---- Snapshots: the state of now, right whatever became of events ---- */

typedef enum
{
  WEFT_EXECUTOR_WORKER_NEW,
  WEFT_EXECUTOR_WORKER_ACTIVE,
  WEFT_EXECUTOR_WORKER_CRASHED,
  WEFT_EXECUTOR_WORKER_TERMINATED,
} WeftExecutorWorkerState;

typedef struct
{
  uint32_t index;
  WeftExecutorWorkerState state;
  uint32_t running; /* attempts */
  uint32_t spawned; /* times */
  uint32_t crashed;
  uint32_t terminated;
} WeftExecutorWorkerSnapshot;

typedef struct
{
  WeftExecutorTaskInfo info; /* strings are the runtime's */
  uint64_t pending;          /* these three are of one moment */
  uint64_t in_flight;
  uint64_t blocked;
  uint32_t workers_active;
  const WeftExecutorWorkerSnapshot *workers; /* in the order in which they were made */
  size_t n_workers;
} WeftExecutorTaskSnapshot;

typedef struct
{
  const char *name; /* of the runtime */
  uint64_t time;    /* CLOCK_MONOTONIC, ns */
  bool spans;
  const WeftExecutorTaskSnapshot *tasks; /* in the order in which they were made */
  size_t n_tasks;
} WeftExecutorSnapshot;

/* Takes no lock, and may be called from listeners. NULL without memory. Free with
 * weft_executor_snapshot_free ().
 */
WeftExecutorSnapshot *weft_executor_snapshot_new (WeftExecutorRuntime *runtime);
void weft_executor_snapshot_free (WeftExecutorSnapshot *snapshot);

/* Called after changes; one call at a time, the last of which saw the last change. */
typedef void (*WeftExecutorSnapshotFunc) (const WeftExecutorSnapshot *snapshot, void *data);

/* INTERVAL: nanoseconds between two calls at least; what changed in the meantime comes with the next
 * change after it, or with weft_executor_run_subscriptions (). Returns a number for
 * weft_executor_unsubscribe_snapshot (); 0 if there is no room (8 for each runtime).
 */
uint32_t weft_executor_subscribe_snapshot (WeftExecutorRuntime *runtime, uint64_t interval,
                                           WeftExecutorSnapshotFunc function, void *data);
void weft_executor_unsubscribe_snapshot (WeftExecutorRuntime *runtime, uint32_t number);

/* Calls whose interval is over and who missed a change; for a timer of the program, as this library
 * has no thread. Returns nanoseconds until somebody is due, UINT64_MAX if nobody waits.
 */
uint64_t weft_executor_run_subscriptions (WeftExecutorRuntime *runtime);

#ifdef __cplusplus
}

#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace weft_executor
{

/* Thrown by what was canceled. */
struct aborted : std::exception
{
  const char *what () const noexcept override { return "aborted"; }
};

/* Hears events as long as it lives. Exceptions of FUNCTION are swallowed and counted. */
class subscription
{
public:
  subscription (WeftExecutorRuntime *of, std::function<void (const WeftExecutorEvent &)> listener)
      : runtime (of), function (std::move (listener)),
        number (weft_executor_subscribe (of, hear, this))
  {
  }
  ~subscription () { weft_executor_unsubscribe (runtime, number); }
  subscription (const subscription &) = delete;
  subscription &operator= (const subscription &) = delete;

private:
  static int hear (const WeftExecutorEvent *event, void *data) noexcept
  {
    try
      {
        static_cast<subscription *> (data)->function (*event);
        return 0;
      }
    catch (...)
      {
        return 1;
      }
  }

  WeftExecutorRuntime *runtime;
  std::function<void (const WeftExecutorEvent &)> function;
  uint32_t number;
};

/* Ends a trace when its scope is left. */
struct trace_scope
{
  WeftExecutorTrace trace;
  WeftExecutorOutcome outcome = WEFT_EXECUTOR_SUCCEEDED;
  std::string message;

  ~trace_scope ()
  {
    WeftTargetErrorDetail error = {};

    error.message = message.c_str ();
    weft_executor_trace_end (&trace, outcome, message.empty () ? nullptr : &error);
  }
};

/* Calls FUNCTION with a new trace: it returns, and the trace ends ok; it throws aborted, and it ends
 * canceled; it throws anything else, and it ends with an error. The exception goes on.
 */
template <typename Function>
auto
run_with_trace (WeftExecutorRuntime *runtime, const char *name, Function &&function)
    -> decltype (function (std::declval<WeftExecutorTrace &> ()))
{
  trace_scope scope{ weft_executor_trace_new (runtime, name), WEFT_EXECUTOR_SUCCEEDED, {} };

  try
    {
      return function (scope.trace);
    }
  catch (const aborted &)
    {
      scope.outcome = WEFT_EXECUTOR_ABORTED;
      throw;
    }
  catch (const std::exception &error)
    {
      scope.outcome = WEFT_EXECUTOR_FAILED;
      scope.message = error.what ();
      throw;
    }
  catch (...)
    {
      scope.outcome = WEFT_EXECUTOR_FAILED;
      throw;
    }
}

} // namespace weft_executor
#endif

#endif /* WEFT_EXECUTOR_H */

/* ---- Implementation: in one file of the program ---- */

#if defined(WEFT_EXECUTOR_IMPLEMENTATION) && !defined(WEFT_EXECUTOR_IMPLEMENTED_)
#define WEFT_EXECUTOR_IMPLEMENTED_

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_EXECUTOR_N_SUBSCRIPTIONS 8

typedef struct _WeftExecutorListening WeftExecutorListening;

/* Of weft_executor_subscribe (): kept until no thread can be in it. */
struct _WeftExecutorListening
{
  WeftExecutorListening *next;
  WeftExecutorRuntime *runtime;
  WeftExecutorListener listener;
  void *data;
  uint32_t number; /* of weft_target_listen (); 0: free */
};

typedef struct
{
  WeftExecutorSnapshotFunc function; /* atomic; NULL: free */
  void *data;
  uint64_t interval;
  uint64_t due;    /* ns; of the one who holds BUSY */
  uint32_t busy;   /* 1: somebody is at it */
  uint32_t missed; /* a change after the last call began */
} WeftExecutorSubscription;

struct _WeftExecutorRuntime
{
  char *name;
  uint32_t spans;
  uint32_t sequence; /* of subscriptions' numbers */
  bool stacks;
  WeftExecutorTask *tasks;
  WeftExecutorMethod *methods;
  WeftExecutorListening *listening;
  WeftExecutorSubscription subscriptions[WEFT_EXECUTOR_N_SUBSCRIPTIONS];
  uint32_t numbers[WEFT_EXECUTOR_N_SUBSCRIPTIONS];
};

uint32_t weft_executor_subscribers_;

/* What this thread tells of at the moment: from that listeners get what events of the library below
 * do not carry.
 */
typedef struct
{
  const WeftExecutorRuntime *runtime;
  const WeftExecutorTask *task;
  const WeftExecutorCall *call;
  const WeftExecutorTrace *trace;
  const WeftExecutorMetric *metric;
} WeftExecutorTelling;

static __thread WeftExecutorTelling *weft_executor_telling_;
static __thread uint32_t weft_executor_in_listener_;

static WeftExecutorTelling *
weft_executor_tell_begin_ (WeftExecutorTelling *telling, const WeftExecutorRuntime *runtime,
                           const WeftExecutorTask *task)
{
  WeftExecutorTelling *outer = weft_executor_telling_;

  memset (telling, 0, sizeof *telling);
  telling->runtime = runtime;
  telling->task = task;
  weft_executor_telling_ = telling;
  return outer;
}

static void
weft_executor_tell_end_ (WeftExecutorTelling *outer)
{
  weft_executor_telling_ = outer;
}

static void
weft_executor_emit_ (const WeftExecutorMetric *metric, double value, uint64_t ticks)
{
  weft_executor_telling_->metric = metric;
  weft_target_metric_report_full (metric->target, value, ticks, NULL, 0);
  weft_executor_telling_->metric = NULL;
}

static uint64_t
weft_executor_elapsed_ (uint64_t begin, uint64_t end)
{
  uint64_t from = weft_target_to_nanoseconds (begin), to = weft_target_to_nanoseconds (end);

  return to > from ? to - from : 0;
}

/* Puts *NODE, whose next is at NEXT, before the list at HEAD. */
#define WEFT_EXECUTOR_PUSH_(head, node)                                                            \
  do                                                                                               \
    (node)->next = __atomic_load_n (head, __ATOMIC_RELAXED);                                       \
  while (!__atomic_compare_exchange_n (head, &(node)->next, node, false, __ATOMIC_RELEASE,         \
                                       __ATOMIC_RELAXED))

static void *
weft_executor_allocate_ (size_t size)
{
  return calloc (1, size);
}

static char *
weft_executor_copy_ (const char *text)
{
  return text != NULL ? strdup (text) : NULL;
}

/* ---- Runtimes ---- */

static bool
weft_executor_wants_spans_ (WeftExecutorSpans spans, WeftExecutorBuild build)
{
  const char *word = getenv ("WEFT_EXECUTOR_SPANS");

  if (word != NULL && strcmp (word, "on") == 0)
    return true;
  if (word != NULL && strcmp (word, "off") == 0)
    return false;
  if (spans == WEFT_EXECUTOR_SPANS_AUTO)
    return build == WEFT_EXECUTOR_BUILD_DEVELOPMENT;
  return spans == WEFT_EXECUTOR_SPANS_ON;
}

WeftExecutorRuntime *
weft_executor_runtime_new_ (const WeftExecutorConfiguration *configuration, WeftExecutorBuild build)
{
  WeftExecutorRuntime *runtime
      = (WeftExecutorRuntime *) weft_executor_allocate_ (sizeof *runtime);
  WeftExecutorConfiguration defaults;

  if (runtime == NULL)
    return NULL;
  memset (&defaults, 0, sizeof defaults);
  if (configuration == NULL)
    configuration = &defaults;
  runtime->name = weft_executor_copy_ (configuration->name ? configuration->name : "executor");
  runtime->spans = weft_executor_wants_spans_ (configuration->spans, build);
  runtime->stacks = configuration->stacks;
  if (configuration->has_sample_rate)
    weft_target_set_sampling (configuration->sample_rate);
  return runtime;
}

static void
weft_executor_task_free_ (WeftExecutorTask *task)
{
  while (task->workers != NULL)
    {
      WeftExecutorWorker *worker = task->workers;

      task->workers = worker->next;
      weft_target_lane_close (worker->lane);
      free (worker);
    }
  weft_executor_task_close (task);
  free ((char *) task->info.id);
  free ((char *) task->info.name);
  free (task);
}

void
weft_executor_runtime_free (WeftExecutorRuntime *runtime)
{
  if (runtime == NULL)
    return;
  for (int i = 0; i < WEFT_EXECUTOR_N_SUBSCRIPTIONS; i++)
    weft_executor_unsubscribe_snapshot (runtime, runtime->numbers[i]);
  while (runtime->listening != NULL)
    {
      WeftExecutorListening *listening = runtime->listening;

      runtime->listening = listening->next;
      weft_target_unlisten (listening->number);
      free (listening);
    }
  while (runtime->methods != NULL)
    {
      WeftExecutorMethod *method = runtime->methods;

      runtime->methods = method->next;
      free ((char *) method->name);
      free (method);
    }
  while (runtime->tasks != NULL)
    {
      WeftExecutorTask *task = runtime->tasks;

      runtime->tasks = task->next;
      weft_executor_task_free_ (task);
    }
  free (runtime->name);
  free (runtime);
}

void
weft_executor_enable_spans (WeftExecutorRuntime *runtime, bool enabled)
{
  if (runtime != NULL)
    __atomic_store_n (&runtime->spans, enabled, __ATOMIC_RELAXED);
}

bool
weft_executor_spans_enabled (const WeftExecutorRuntime *runtime)
{
  return runtime != NULL && __atomic_load_n (&runtime->spans, __ATOMIC_RELAXED) != 0;
}

/* ---- Tasks ---- */

static const char *
weft_executor_policy_name_ (WeftExecutorPolicy policy)
{
  static const char *const names[] = { "block", "reject", "drop-latest", "drop-oldest" };

  return (unsigned int) policy < 4 ? names[policy] : "unknown";
}

static void
weft_executor_add_text_ (WeftTargetTag *tags, size_t *n, const char *key, const char *text)
{
  tags[*n].key = key;
  tags[*n].type = WEFT_TARGET_VALUE_STRING;
  tags[(*n)++].value.string = text;
}

static void
weft_executor_add_number_ (WeftTargetTag *tags, size_t *n, const char *key, uint64_t number)
{
  tags[*n].key = key;
  tags[*n].type = WEFT_TARGET_VALUE_U64;
  tags[(*n)++].value.u64 = number;
}

static void
weft_executor_add_tags_ (WeftExecutorTask *task)
{
  const WeftExecutorTaskInfo *info = &task->info;
  bool singleton = info->type == WEFT_EXECUTOR_SINGLETON;
  WeftTargetTag runtime;
  size_t n = 0;

  weft_executor_add_text_ (task->tags, &n, "task.id", info->id);
  weft_executor_add_text_ (task->tags, &n, "task.type", singleton ? "singleton" : "parallel");
  if (info->name != NULL)
    weft_executor_add_text_ (task->tags, &n, "task.name", info->name);
  task->n_task_tags = n;
  weft_executor_add_text_ (task->tags, &n, "queue.policy",
                           weft_executor_policy_name_ (info->policy));
  if (info->max_in_flight != 0)
    weft_executor_add_number_ (task->tags, &n, "queue.max_in_flight", info->max_in_flight);
  if (info->max_depth != 0)
    weft_executor_add_number_ (task->tags, &n, "queue.max_depth", info->max_depth);
  task->n_tags = n;
  for (size_t i = 0; i < n; i++)
    weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (task->lane), &task->tags[i]);
  n = 0;
  weft_executor_add_text_ (&runtime, &n, "executor.runtime", task->runtime->name);
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (task->lane), &runtime);
}

static void
weft_executor_metric_init_ (WeftExecutorMetric *metric, WeftTargetLane *lane, const char *name,
                            WeftTargetMetricKind kind, const WeftTargetTag *tags, size_t n_tags)
{
  bool is_time = kind == WEFT_TARGET_HISTOGRAM;

  metric->name = name;
  metric->kind = kind;
  metric->tags = tags;
  metric->n_tags = n_tags;
  metric->target = weft_target_metric_new (
      lane, kind, name, is_time ? WEFT_TARGET_UNIT_NAMED : WEFT_TARGET_UNIT_COUNT,
      is_time ? "ms" : NULL, tags, n_tags);
}

/* In the order of their numbers; those of the queue say which policy it has. */
static void
weft_executor_add_metrics_ (WeftExecutorTask *task)
{
  static const struct
  {
    const char *name;
    WeftTargetMetricKind kind;
    bool of_queue;
  } metrics[WEFT_EXECUTOR_N_TASK_METRICS] = {
    { "task.dispatch.total", WEFT_TARGET_COUNTER, false },
    { "task.success.total", WEFT_TARGET_COUNTER, false },
    { "task.failure.total", WEFT_TARGET_COUNTER, false },
    { "task.canceled.total", WEFT_TARGET_COUNTER, false },
    { "task.rejected.total", WEFT_TARGET_COUNTER, true },
    { "task.requeue.total", WEFT_TARGET_COUNTER, false },
    { "task.duration_ms", WEFT_TARGET_HISTOGRAM, false },
    { "workers.active", WEFT_TARGET_GAUGE, false },
    { "queue.in_flight", WEFT_TARGET_GAUGE, true },
    { "queue.pending", WEFT_TARGET_GAUGE, true },
    { "queue.blocked", WEFT_TARGET_GAUGE, true },
    { "queue.wait_ms", WEFT_TARGET_HISTOGRAM, true },
  };

  for (int i = 0; i < WEFT_EXECUTOR_N_TASK_METRICS; i++)
    weft_executor_metric_init_ (&task->metrics[i], task->lane, metrics[i].name, metrics[i].kind,
                                task->tags,
                                metrics[i].of_queue ? task->n_tags : task->n_task_tags);
}

WeftExecutorTask *
weft_executor_task_new (WeftExecutorRuntime *runtime, const WeftExecutorTaskInfo *info)
{
  WeftExecutorTask *task;
  bool singleton;

  if (runtime == NULL || info == NULL
      || (task = (WeftExecutorTask *) weft_executor_allocate_ (sizeof *task)) == NULL)
    return NULL;
  singleton = info->type == WEFT_EXECUTOR_SINGLETON;
  task->runtime = runtime;
  task->info = *info;
  task->info.id = weft_executor_copy_ (info->id != NULL ? info->id : "task");
  task->info.name = weft_executor_copy_ (info->name);
  task->lane = weft_target_lane_new (task->info.name ? task->info.name : task->info.id,
                                     singleton ? "executor.singleton" : "executor.pool");
  weft_executor_add_tags_ (task);
  weft_executor_add_metrics_ (task);
  WEFT_EXECUTOR_PUSH_ (&runtime->tasks, task);
  return task;
}

void
weft_executor_task_close (WeftExecutorTask *task)
{
  if (task != NULL && __atomic_exchange_n (&task->is_closed, 1, __ATOMIC_RELAXED) == 0)
    weft_target_lane_close (task->lane);
}

WeftExecutorMethod *
weft_executor_method_new (WeftExecutorTask *task, const char *name)
{
  WeftExecutorMethod *method;
  char text[192];

  if (task == NULL
      || (method = (WeftExecutorMethod *) weft_executor_allocate_ (sizeof *method)) == NULL)
    return NULL;
  method->task = task;
  method->name = weft_executor_copy_ (name != NULL ? name : "run");
  snprintf (text, sizeof text, "%s.%s", task->info.id, method->name ? method->name : "");
  method->call = weft_target_routine_new (text);
  snprintf (text, sizeof text, "%s.%s, attempt", task->info.id, method->name ? method->name : "");
  method->attempt = weft_target_routine_new (text);
  WEFT_EXECUTOR_PUSH_ (&task->runtime->methods, method);
  return method;
}

/* ---- Workers ---- */

WeftExecutorWorker *
weft_executor_worker_new (WeftExecutorTask *task, uint32_t index)
{
  static const char *const names[WEFT_EXECUTOR_N_WORKER_METRICS]
      = { "worker.spawn.total", "worker.crash.total", "worker.terminate.total" };
  WeftTargetLaneInfo info;
  WeftExecutorWorker *worker;
  char text[192];
  size_t n;

  if (task == NULL
      || (worker = (WeftExecutorWorker *) weft_executor_allocate_ (sizeof *worker)) == NULL)
    return NULL;
  worker->task = task;
  worker->index = index;
  n = task->n_task_tags;
  memcpy (worker->tags, task->tags, n * sizeof *task->tags);
  weft_executor_add_number_ (worker->tags, &n, "worker.index", index);
  snprintf (text, sizeof text, "%s worker %u", task->info.name ? task->info.name : task->info.id,
            index);
  memset (&info, 0, sizeof info);
  info.name = text;
  info.kind = "executor.worker";
  info.parent = task->lane;
  worker->lane = weft_target_lane_new_full (&info, sizeof info);
  for (int i = 0; i < WEFT_EXECUTOR_N_WORKER_METRICS; i++)
    weft_executor_metric_init_ (&worker->metrics[i], worker->lane, names[i], WEFT_TARGET_COUNTER,
                                worker->tags, n);
  WEFT_EXECUTOR_PUSH_ (&task->workers, worker);
  return worker;
}

static void weft_executor_deliver_ (WeftExecutorRuntime *runtime);

static void
weft_executor_worker_turn_ (WeftExecutorWorker *worker, WeftExecutorWorkerState state,
                            uint32_t *times, int metric)
{
  WeftExecutorTask *task = worker->task;
  uint32_t before = __atomic_exchange_n (&worker->state, (uint32_t) state, __ATOMIC_ACQ_REL);
  WeftExecutorTelling telling, *outer;
  uint64_t now;

  __atomic_fetch_add (times, 1, __ATOMIC_RELAXED);
  if (state == WEFT_EXECUTOR_WORKER_ACTIVE && before != WEFT_EXECUTOR_WORKER_ACTIVE)
    __atomic_fetch_add (&task->active, 1, __ATOMIC_RELAXED);
  if (state != WEFT_EXECUTOR_WORKER_ACTIVE && before == WEFT_EXECUTOR_WORKER_ACTIVE)
    __atomic_fetch_sub (&task->active, 1, __ATOMIC_RELAXED);
  if (weft_target_enabled ())
    {
      now = weft_target_now ();
      outer = weft_executor_tell_begin_ (&telling, task->runtime, task);
      weft_executor_emit_ (&worker->metrics[metric], 1, now);
      weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_WORKERS_ACTIVE],
                           __atomic_load_n (&task->active, __ATOMIC_RELAXED), now);
      weft_executor_tell_end_ (outer);
    }
  weft_executor_deliver_ (task->runtime);
}

void
weft_executor_worker_spawn (WeftExecutorWorker *worker)
{
  if (worker != NULL)
    weft_executor_worker_turn_ (worker, WEFT_EXECUTOR_WORKER_ACTIVE, &worker->spawned,
                                WEFT_EXECUTOR_WORKER_SPAWNS);
}

void
weft_executor_worker_crash (WeftExecutorWorker *worker)
{
  if (worker != NULL)
    weft_executor_worker_turn_ (worker, WEFT_EXECUTOR_WORKER_CRASHED, &worker->crashed,
                                WEFT_EXECUTOR_WORKER_CRASHES);
}

void
weft_executor_worker_terminate (WeftExecutorWorker *worker)
{
  if (worker != NULL)
    weft_executor_worker_turn_ (worker, WEFT_EXECUTOR_WORKER_TERMINATED, &worker->terminated,
                                WEFT_EXECUTOR_WORKER_TERMINATIONS);
}

/* ---- Outcomes ---- */

static WeftTargetStatus
weft_executor_status_ (WeftExecutorOutcome outcome)
{
  if (outcome == WEFT_EXECUTOR_SUCCEEDED)
    return WEFT_TARGET_OK;
  return outcome == WEFT_EXECUTOR_ABORTED ? WEFT_TARGET_CANCELED : WEFT_TARGET_ERROR;
}

static WeftTargetErrorKind
weft_executor_error_kind_ (WeftExecutorOutcome outcome)
{
  switch (outcome)
    {
    case WEFT_EXECUTOR_SUCCEEDED:
      return WEFT_TARGET_ERROR_NONE;
    case WEFT_EXECUTOR_ABORTED:
      return WEFT_TARGET_ERROR_ABORT;
    case WEFT_EXECUTOR_REJECTED:
      return WEFT_TARGET_ERROR_QUEUE;
    case WEFT_EXECUTOR_CRASHED:
      return WEFT_TARGET_ERROR_CRASH;
    default:
      return WEFT_TARGET_ERROR_EXCEPTION;
    }
}

static int
weft_executor_outcome_metric_ (WeftExecutorOutcome outcome)
{
  switch (outcome)
    {
    case WEFT_EXECUTOR_SUCCEEDED:
      return WEFT_EXECUTOR_TASK_SUCCESS;
    case WEFT_EXECUTOR_ABORTED:
      return WEFT_EXECUTOR_TASK_CANCELED;
    case WEFT_EXECUTOR_REJECTED:
      return WEFT_EXECUTOR_TASK_REJECTED;
    default:
      return WEFT_EXECUTOR_TASK_FAILURE;
    }
}

/* ---- Traces ---- */

WeftExecutorTrace
weft_executor_trace_new_ (WeftExecutorRuntime *runtime, const char *name)
{
  WeftExecutorTrace trace = { { 0, 0, false }, runtime, name, false };

  if (weft_executor_spans_enabled (runtime))
    {
      trace.target = weft_target_trace_new (name);
      return trace;
    }
  /* For listeners only: without spans there is nothing to record. */
  trace.target.id = weft_target_id_new ();
  trace.target.start = weft_target_now ();
  return trace;
}

void
weft_executor_trace_end_ (WeftExecutorTrace *trace, WeftExecutorOutcome outcome,
                          const WeftTargetErrorDetail *error)
{
  WeftExecutorTelling telling, *outer;

  if (__atomic_exchange_n (&trace->ended, true, __ATOMIC_ACQ_REL))
    return;
  outer = weft_executor_tell_begin_ (&telling, trace->runtime, NULL);
  telling.trace = trace;
  weft_target_trace_end (&trace->target, trace->name, weft_executor_status_ (outcome),
                         weft_executor_error_kind_ (outcome), error);
  weft_executor_tell_end_ (outer);
}

WeftExecutorOutcome
weft_executor_run_with_trace (WeftExecutorRuntime *runtime, const char *name,
                              WeftExecutorOutcome (*function) (WeftExecutorTrace *trace,
                                                               void *data),
                              void *data)
{
  WeftExecutorTrace trace = weft_executor_trace_new (runtime, name);
  WeftExecutorOutcome outcome = function (&trace, data);

  weft_executor_trace_end (&trace, outcome, NULL);
  return outcome;
}

/* ---- Phases ---- */

static void
weft_executor_add_phase_ (WeftExecutorCall *call, const char *name, uint64_t begin, uint64_t end,
                          uint32_t flags)
{
  WeftExecutorPhase *phase;

  if (call->id == 0)
    return;
  if (call->n_phases == WEFT_EXECUTOR_MAX_PHASES)
    {
      call->phases_cut++;
      return;
    }
  phase = &call->phases[call->n_phases++];
  phase->name = name;
  phase->begin = begin;
  phase->end = end;
  phase->flags = flags;
}

static void
weft_executor_end_poll_ (WeftExecutorCall *call, uint64_t now, uint32_t flags)
{
  call->polls++;
  call->attempt_polls++;
  call->poll_time += weft_executor_elapsed_ (call->polled, now);
  weft_executor_add_phase_ (call, "poll", call->polled, now, flags);
  call->polled = 0;
}

void
weft_executor_call_poll_begin_ (WeftExecutorCall *call)
{
  if (call->dispatched != 0)
    call->polled = weft_target_now ();
}

void
weft_executor_call_poll_end_ (WeftExecutorCall *call)
{
  if (call->polled != 0)
    weft_executor_end_poll_ (call, weft_target_now (), 0);
}

/* ---- Attempts ---- */

/* It leaves the queue, for whatever reason. */
static void
weft_executor_leave_queue_ (WeftExecutorCall *call, uint64_t now)
{
  call->waited_from = call->enqueued;
  call->queue_wait_last = 0;
  if (call->enqueued == 0)
    return;
  call->queue_wait_last = weft_executor_elapsed_ (call->enqueued, now);
  call->queue_wait += call->queue_wait_last;
  call->has_queue_wait = true;
  weft_executor_add_phase_ (call, "queued", call->enqueued, now, 0);
  call->enqueued = 0;
}

/* What ran on the worker, on its own lane; of calls that are recorded only. The trace is the call's:
 * its time would count twice.
 */
static void
weft_executor_report_attempt_ (const WeftExecutorCall *call, uint64_t now,
                               WeftTargetStatus status, WeftTargetErrorKind kind)
{
  const WeftTargetTrace trace = { 0, 0, true }; /* sampled as the call is */
  WeftTargetDispatch dispatch;
  WeftTargetTag tags[2];
  size_t n = 0;

  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = call->last->lane;
  dispatch.routine = call->method->attempt;
  dispatch.start = call->dispatched;
  dispatch.end = now;
  dispatch.trace = &trace;
  dispatch.status = status;
  dispatch.error_kind = kind;
  dispatch.submitted = call->waited_from;
  dispatch.has_queue_wait = true;
  dispatch.queue_wait = dispatch.queue_wait_last = call->queue_wait_last;
  weft_executor_add_number_ (tags, &n, "call.id", call->id);
  weft_executor_add_number_ (tags, &n, "attempt", call->attempts);
  dispatch.tags = tags;
  dispatch.n_tags = n;
  weft_target_dispatch (&dispatch);
}

static void
weft_executor_end_attempt_ (WeftExecutorCall *call, uint64_t now, WeftExecutorOutcome outcome)
{
  uint32_t flags = weft_executor_status_ (outcome) == WEFT_TARGET_ERROR ? WEFT_TARGET_PHASE_ERROR
                                                                       : 0;

  if (call->polled != 0)
    weft_executor_end_poll_ (call, now, flags);
  else if (call->attempt_polls == 0)
    weft_executor_add_phase_ (call, "run", call->dispatched, now, flags);
  if (call->id != 0 && call->last != NULL)
    weft_executor_report_attempt_ (call, now, weft_executor_status_ (outcome),
                                   weft_executor_error_kind_ (outcome));
  call->dispatched = 0;
}

void
weft_executor_call_dispatch_ (WeftExecutorCall *call)
{
  WeftExecutorTask *task = call->method->task;
  WeftExecutorTelling telling, *outer;
  uint64_t now = weft_target_now ();

  outer = weft_executor_tell_begin_ (&telling, task->runtime, task);
  if (weft_target_enabled ())
    weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_TASK_DISPATCH], 1, now);
  if (call->requested != 0)
    {
      call->attempts++;
      call->attempt_polls = 0;
      call->last = call->worker;
      weft_executor_leave_queue_ (call, now);
      call->has_queue_wait = true;
      call->dispatched = now;
      weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_QUEUE_WAIT],
                           (double) call->queue_wait_last / 1e6, now);
    }
  weft_executor_tell_end_ (outer);
}

void
weft_executor_call_requeue_ (WeftExecutorCall *call)
{
  WeftExecutorTask *task = call->method->task;
  WeftExecutorTelling telling, *outer;
  uint64_t now = weft_target_now ();

  outer = weft_executor_tell_begin_ (&telling, task->runtime, task);
  if (weft_target_enabled ())
    weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_TASK_REQUEUE], 1, now);
  if (call->requested != 0)
    {
      if (call->dispatched != 0)
        weft_executor_end_attempt_ (call, now, WEFT_EXECUTOR_CRASHED);
      call->enqueued = now;
    }
  weft_executor_tell_end_ (outer);
}

/* ---- Calls ---- */

/* Names what is reported when it is asked for, so that a recorder knows of it even if the program
 * ends before the call does.
 */
static void
weft_executor_reserve_ (WeftExecutorCall *call)
{
  const WeftExecutorRuntime *runtime = call->method->task->runtime;
  WeftTargetRoleOrigin origin;
  WeftTargetDispatch dispatch;

  memset (&dispatch, 0, sizeof dispatch);
  origin.role = WEFT_TARGET_ROLE_DISPATCH;
  origin.origin = runtime->stacks ? weft_target_origin_with_stack () : weft_target_origin ();
  dispatch.lane = call->method->task->lane;
  dispatch.routine = call->method->call;
  dispatch.start = call->requested;
  dispatch.trace = call->trace.target.id != 0 ? &call->trace.target : NULL;
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  call->id = weft_target_reserve (&dispatch);
}

void
weft_executor_call_begin_ (WeftExecutorCall *call, const WeftExecutorTrace *trace)
{
  WeftExecutorMethod *method = call->method;

  /* All but the phases, which are set as they come. */
  memset (call, 0, offsetof (WeftExecutorCall, phases));
  call->method = method;
  call->requested = weft_target_now ();
  if (trace != NULL)
    call->trace = *trace;
  if (weft_executor_spans_enabled (method->task->runtime))
    weft_executor_reserve_ (call);
}

void
weft_executor_call_blocked_ (WeftExecutorCall *call)
{
  call->blocked = weft_target_now ();
}

void
weft_executor_call_enqueue_ (WeftExecutorCall *call)
{
  uint64_t now = weft_target_now ();

  if (call->blocked != 0)
    weft_executor_add_phase_ (call, "blocked", call->blocked, now, 0);
  call->blocked = 0;
  call->enqueued = now;
}

static size_t
weft_executor_collect_phases_ (const WeftExecutorCall *call, WeftTargetPhase *phases)
{
  memset (phases, 0, call->n_phases * sizeof *phases);
  for (uint32_t i = 0; i < call->n_phases; i++)
    {
      const WeftExecutorPhase *phase = &call->phases[i];

      phases[i].name = phase->name;
      phases[i].offset = weft_executor_elapsed_ (call->requested, phase->begin);
      phases[i].duration = weft_executor_elapsed_ (phase->begin, phase->end);
      phases[i].flags = phase->flags;
    }
  return call->n_phases;
}

static size_t
weft_executor_collect_tags_ (const WeftExecutorCall *call, WeftTargetTag *tags)
{
  size_t n = 0;

  if (call->last != NULL)
    weft_executor_add_number_ (tags, &n, "worker.index", call->last->index);
  if (call->polls > 0)
    {
      weft_executor_add_number_ (tags, &n, "polls", call->polls);
      weft_executor_add_number_ (tags, &n, "poll.time", call->poll_time);
    }
  if (call->phases_cut > 0)
    weft_executor_add_number_ (tags, &n, "phases.cut", call->phases_cut);
  return n;
}

static void
weft_executor_complete_ (const WeftExecutorCall *call, uint64_t now, WeftExecutorOutcome outcome,
                         const WeftTargetErrorDetail *error)
{
  WeftTargetPhase phases[WEFT_EXECUTOR_MAX_PHASES];
  WeftTargetTag tags[4];
  WeftTargetRoleOrigin origin;
  WeftTargetDispatch dispatch;

  memset (&dispatch, 0, sizeof dispatch);
  origin.role = WEFT_TARGET_ROLE_COMPLETION;
  origin.origin = weft_target_origin ();
  dispatch.lane = call->method->task->lane;
  dispatch.routine = call->method->call;
  dispatch.start = call->requested;
  dispatch.end = now;
  dispatch.id = call->id;
  dispatch.trace = call->trace.target.id != 0 ? &call->trace.target : NULL;
  dispatch.status = weft_executor_status_ (outcome);
  dispatch.error_kind = weft_executor_error_kind_ (outcome);
  dispatch.error = error;
  dispatch.has_attempts = true;
  dispatch.attempts = call->attempts;
  dispatch.has_queue_wait = call->has_queue_wait;
  dispatch.queue_wait = call->queue_wait;
  dispatch.queue_wait_last = call->queue_wait_last;
  dispatch.phases = phases;
  dispatch.n_phases = weft_executor_collect_phases_ (call, phases);
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  dispatch.tags = tags;
  dispatch.n_tags = weft_executor_collect_tags_ (call, tags);
  weft_target_complete (&dispatch);
}

void
weft_executor_call_end_ (WeftExecutorCall *call, WeftExecutorOutcome outcome,
                         const WeftTargetErrorDetail *error)
{
  WeftExecutorTask *task = call->method->task;
  WeftExecutorTelling telling, *outer;
  uint64_t now = weft_target_now ();

  outer = weft_executor_tell_begin_ (&telling, task->runtime, task);
  if (call->requested != 0)
    {
      if (call->blocked != 0)
        weft_executor_add_phase_ (call, "blocked", call->blocked, now, 0);
      if (call->dispatched != 0)
        weft_executor_end_attempt_ (call, now, outcome);
      else if (call->enqueued != 0)
        weft_executor_leave_queue_ (call, now);
    }
  if (weft_target_enabled ())
    weft_executor_emit_ (&task->metrics[weft_executor_outcome_metric_ (outcome)], 1, now);
  if (call->requested != 0)
    weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_TASK_DURATION],
                         (double) weft_executor_elapsed_ (call->requested, now) / 1e6, now);
  if (call->requested != 0 && call->id != 0)
    {
      telling.call = call;
      weft_executor_complete_ (call, now, outcome, error);
    }
  weft_executor_tell_end_ (outer);
}

void
weft_executor_wait_begin (WeftExecutorTask *task, uint64_t id)
{
  if (task != NULL && id != 0 && weft_target_enabled ())
    weft_target_report_origin (task->lane, WEFT_TARGET_ROLE_WAIT_BEGIN, id, 0,
                               weft_target_origin ());
}

void
weft_executor_wait_end (WeftExecutorTask *task, uint64_t id)
{
  if (task != NULL && id != 0 && weft_target_enabled ())
    weft_target_report_origin (task->lane, WEFT_TARGET_ROLE_WAIT_END, id, 0,
                               weft_target_origin ());
}

/* ---- Queues ---- */

static void
weft_executor_read_state_ (const WeftExecutorQueueState *state, WeftExecutorQueueState *copy)
{
  uint32_t before, after;

  do
    {
      before = __atomic_load_n (&state->sequence, __ATOMIC_ACQUIRE);
      copy->pending = __atomic_load_n (&state->pending, __ATOMIC_ACQUIRE);
      copy->in_flight = __atomic_load_n (&state->in_flight, __ATOMIC_ACQUIRE);
      copy->blocked = __atomic_load_n (&state->blocked, __ATOMIC_ACQUIRE);
      after = __atomic_load_n (&state->sequence, __ATOMIC_RELAXED);
      if (before % 2 != 0)
        sched_yield ();
    }
  while (before != after || before % 2 != 0);
}

void
weft_executor_queue_changed_ (WeftExecutorTask *task)
{
  WeftExecutorTelling telling, *outer;
  WeftExecutorQueueState state;
  uint64_t now;

  if (weft_target_enabled ())
    {
      weft_executor_read_state_ (&task->state, &state);
      now = weft_target_now ();
      outer = weft_executor_tell_begin_ (&telling, task->runtime, task);
      weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_QUEUE_IN_FLIGHT],
                           (double) state.in_flight, now);
      weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_QUEUE_PENDING], (double) state.pending,
                           now);
      weft_executor_emit_ (&task->metrics[WEFT_EXECUTOR_QUEUE_BLOCKED], (double) state.blocked,
                           now);
      weft_executor_tell_end_ (outer);
    }
  weft_executor_deliver_ (task->runtime);
}

/* ---- Events ---- */

static void
weft_executor_fill_span_ (WeftExecutorEvent *out, const WeftExecutorCall *call,
                          const WeftTargetDispatch *dispatch)
{
  out->kind = WEFT_EXECUTOR_EVENT_SPAN;
  out->name = "executor:span";
  out->span_id = dispatch->id;
  out->method = call->method->name;
  out->has_worker_index = call->last != NULL;
  out->worker_index = call->last != NULL ? call->last->index : 0;
  out->attempts = dispatch->attempts;
  out->has_queue_wait = dispatch->has_queue_wait;
  out->queue_wait = dispatch->queue_wait;
  out->queue_wait_last = dispatch->queue_wait_last;
  out->trace_id = call->trace.target.id;
  out->trace_name = call->trace.name;
  out->duration = weft_executor_elapsed_ (dispatch->start, dispatch->end);
  out->status = dispatch->status;
  out->error_kind = dispatch->error_kind;
  out->error = dispatch->error != NULL ? dispatch->error->message : NULL;
  out->attributes = dispatch->tags;
  out->n_attributes = dispatch->n_tags;
}

static void
weft_executor_fill_trace_ (WeftExecutorEvent *out, const WeftTargetEvent *event)
{
  out->kind = WEFT_EXECUTOR_EVENT_TRACE;
  out->name = "executor:trace";
  out->trace_id = event->data.trace.trace->id;
  out->trace_name = event->data.trace.name;
  out->duration = event->data.trace.duration;
  out->status = event->data.trace.status;
  out->error_kind = event->data.trace.error_kind;
  out->error = event->data.trace.error != NULL ? event->data.trace.error->message : NULL;
}

static void
weft_executor_fill_metric_ (WeftExecutorEvent *out, const WeftExecutorMetric *metric, double value)
{
  out->kind = metric->kind == WEFT_TARGET_COUNTER ? WEFT_EXECUTOR_EVENT_COUNTER
              : metric->kind == WEFT_TARGET_GAUGE ? WEFT_EXECUTOR_EVENT_GAUGE
                                                  : WEFT_EXECUTOR_EVENT_HISTOGRAM;
  out->name = metric->name;
  out->value = value;
  out->attributes = metric->tags;
  out->n_attributes = metric->n_tags;
}

/* FALSE: no event of this runtime's stream. */
static bool
weft_executor_fill_event_ (WeftExecutorEvent *out, const WeftTargetEvent *event,
                           const WeftExecutorTelling *telling)
{
  memset (out, 0, sizeof *out);
  out->time = event->time;
  out->task = telling->task;
  if (event->kind == WEFT_TARGET_EVENT_METRIC && telling->metric != NULL)
    weft_executor_fill_metric_ (out, telling->metric, event->data.metric.value);
  else if (event->kind == WEFT_TARGET_EVENT_TRACE && telling->trace != NULL)
    weft_executor_fill_trace_ (out, event);
  else if (event->kind == WEFT_TARGET_EVENT_DISPATCH && telling->call != NULL)
    weft_executor_fill_span_ (out, telling->call, event->data.dispatch);
  else
    return false;
  return true;
}

static int
weft_executor_hear_ (const WeftTargetEvent *event, void *data)
{
  const WeftExecutorListening *listening = (const WeftExecutorListening *) data;
  const WeftExecutorTelling *telling = weft_executor_telling_;
  WeftExecutorEvent out;
  int result;

  if (telling == NULL || telling->runtime != listening->runtime
      || !weft_executor_fill_event_ (&out, event, telling))
    return 0;
  weft_executor_in_listener_++;
  result = listening->listener (&out, listening->data);
  weft_executor_in_listener_--;
  return result;
}

#define WEFT_EXECUTOR_TAKEN UINT32_MAX

/* One that is free, or a new one; taken. */
static WeftExecutorListening *
weft_executor_take_listening_ (WeftExecutorRuntime *runtime)
{
  WeftExecutorListening *listening = __atomic_load_n (&runtime->listening, __ATOMIC_ACQUIRE);

  for (; listening != NULL; listening = listening->next)
    {
      uint32_t none = 0;

      if (__atomic_compare_exchange_n (&listening->number, &none, WEFT_EXECUTOR_TAKEN, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return listening;
    }
  listening = (WeftExecutorListening *) weft_executor_allocate_ (sizeof *listening);
  if (listening != NULL)
    {
      listening->number = WEFT_EXECUTOR_TAKEN;
      WEFT_EXECUTOR_PUSH_ (&runtime->listening, listening);
    }
  return listening;
}

uint32_t
weft_executor_subscribe (WeftExecutorRuntime *runtime, WeftExecutorListener listener, void *data)
{
  WeftExecutorListening *listening;
  uint32_t number;

  if (runtime == NULL || listener == NULL
      || (listening = weft_executor_take_listening_ (runtime)) == NULL)
    return 0;
  listening->runtime = runtime;
  listening->listener = listener;
  listening->data = data;
  number = weft_target_listen (WEFT_TARGET_EVENT_METRIC | WEFT_TARGET_EVENT_DISPATCH
                                   | WEFT_TARGET_EVENT_TRACE,
                               weft_executor_hear_, listening);
  __atomic_store_n (&listening->number, number, __ATOMIC_SEQ_CST);
  return number;
}

void
weft_executor_unsubscribe (WeftExecutorRuntime *runtime, uint32_t number)
{
  WeftExecutorListening *listening;

  if (runtime == NULL || number == 0)
    return;
  weft_target_unlisten (number);
  /* From within a listener another thread may still be in it: it stays until the runtime's end. */
  if (weft_executor_in_listener_ != 0)
    return;
  listening = __atomic_load_n (&runtime->listening, __ATOMIC_ACQUIRE);
  for (; listening != NULL; listening = listening->next)
    if (__atomic_load_n (&listening->number, __ATOMIC_SEQ_CST) == number)
      __atomic_store_n (&listening->number, 0, __ATOMIC_SEQ_CST);
}

/* ---- Snapshots ---- */

static size_t
weft_executor_count_ (WeftExecutorRuntime *runtime, size_t *n_workers)
{
  size_t n_tasks = 0;

  *n_workers = 0;
  for (WeftExecutorTask *task = __atomic_load_n (&runtime->tasks, __ATOMIC_ACQUIRE); task != NULL;
       task = task->next)
    {
      n_tasks++;
      for (WeftExecutorWorker *worker = __atomic_load_n (&task->workers, __ATOMIC_ACQUIRE);
           worker != NULL; worker = worker->next)
        (*n_workers)++;
    }
  return n_tasks;
}

/* Lists have the newest first: a snapshot is filled from its end. Returns how many of ROOM, from
 * the end of WORKERS, were used.
 */
static size_t
weft_executor_copy_workers_ (WeftExecutorTask *task, WeftExecutorWorkerSnapshot *end, size_t room)
{
  size_t n = 0;

  for (WeftExecutorWorker *worker = __atomic_load_n (&task->workers, __ATOMIC_ACQUIRE);
       worker != NULL && n < room; worker = worker->next)
    {
      WeftExecutorWorkerSnapshot *copy = end - ++n;

      copy->index = worker->index;
      copy->state
          = (WeftExecutorWorkerState) __atomic_load_n (&worker->state, __ATOMIC_ACQUIRE);
      copy->running = __atomic_load_n (&worker->running, __ATOMIC_RELAXED);
      copy->spawned = __atomic_load_n (&worker->spawned, __ATOMIC_RELAXED);
      copy->crashed = __atomic_load_n (&worker->crashed, __ATOMIC_RELAXED);
      copy->terminated = __atomic_load_n (&worker->terminated, __ATOMIC_RELAXED);
    }
  return n;
}

static void
weft_executor_copy_task_ (WeftExecutorTask *task, WeftExecutorTaskSnapshot *copy)
{
  WeftExecutorQueueState state;

  weft_executor_read_state_ (&task->state, &state);
  copy->info = task->info;
  copy->pending = state.pending;
  copy->in_flight = state.in_flight;
  copy->blocked = state.blocked;
  copy->workers_active = __atomic_load_n (&task->active, __ATOMIC_RELAXED);
}

WeftExecutorSnapshot *
weft_executor_snapshot_new (WeftExecutorRuntime *runtime)
{
  size_t n_workers, n_tasks, left;
  WeftExecutorSnapshot *snapshot;
  WeftExecutorTaskSnapshot *tasks;
  WeftExecutorWorkerSnapshot *workers;

  if (runtime == NULL)
    return NULL;
  n_tasks = left = weft_executor_count_ (runtime, &n_workers);
  snapshot = (WeftExecutorSnapshot *) weft_executor_allocate_ (
      sizeof *snapshot + n_tasks * sizeof *tasks + n_workers * sizeof *workers);
  if (snapshot == NULL)
    return NULL;
  tasks = (WeftExecutorTaskSnapshot *) (void *) (snapshot + 1);
  workers = (WeftExecutorWorkerSnapshot *) (void *) (tasks + n_tasks);
  for (WeftExecutorTask *task = __atomic_load_n (&runtime->tasks, __ATOMIC_ACQUIRE);
       task != NULL && left > 0; task = task->next)
    {
      WeftExecutorTaskSnapshot *copy = &tasks[left - 1];

      if (__atomic_load_n (&task->is_closed, __ATOMIC_RELAXED))
        continue;
      left--;
      weft_executor_copy_task_ (task, copy);
      copy->n_workers = weft_executor_copy_workers_ (task, workers + n_workers, n_workers);
      n_workers -= copy->n_workers;
      copy->workers = workers + n_workers;
    }
  snapshot->name = runtime->name;
  snapshot->time = weft_target_to_nanoseconds (weft_target_now ());
  snapshot->spans = weft_executor_spans_enabled (runtime);
  snapshot->tasks = tasks + left;
  snapshot->n_tasks = n_tasks - left;
  return snapshot;
}

void
weft_executor_snapshot_free (WeftExecutorSnapshot *snapshot)
{
  free (snapshot);
}

/* ---- Subscriptions to snapshots ---- */

static __thread const WeftExecutorSubscription *weft_executor_delivering_;

static uint64_t
weft_executor_nanoseconds_ (void)
{
  return weft_target_to_nanoseconds (weft_target_now ());
}

/* With BUSY held. */
static void
weft_executor_call_subscriber_ (WeftExecutorRuntime *runtime,
                                WeftExecutorSubscription *subscription)
{
  WeftExecutorSnapshotFunc function
      = __atomic_load_n (&subscription->function, __ATOMIC_SEQ_CST);
  const WeftExecutorSubscription *outer = weft_executor_delivering_;
  uint64_t now = weft_executor_nanoseconds_ ();
  WeftExecutorSnapshot *snapshot;

  if (function == NULL || now < __atomic_load_n (&subscription->due, __ATOMIC_RELAXED))
    return;
  __atomic_store_n (&subscription->missed, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n (&subscription->due, now + subscription->interval, __ATOMIC_RELAXED);
  snapshot = weft_executor_snapshot_new (runtime);
  weft_executor_delivering_ = subscription;
  if (snapshot != NULL)
    function (snapshot, subscription->data);
  weft_executor_delivering_ = outer;
  weft_executor_snapshot_free (snapshot);
}

/* Whoever finds it busy leaves word, and whoever is at it looks for that before going away: the last
 * call sees the last change.
 */
static void
weft_executor_serve_ (WeftExecutorRuntime *runtime, WeftExecutorSubscription *subscription)
{
  while (__atomic_load_n (&subscription->missed, __ATOMIC_SEQ_CST) != 0
         && __atomic_exchange_n (&subscription->busy, 1, __ATOMIC_SEQ_CST) == 0)
    {
      weft_executor_call_subscriber_ (runtime, subscription);
      __atomic_store_n (&subscription->busy, 0, __ATOMIC_SEQ_CST);
      if (__atomic_load_n (&subscription->function, __ATOMIC_SEQ_CST) == NULL
          || weft_executor_nanoseconds_ ()
                 < __atomic_load_n (&subscription->due, __ATOMIC_RELAXED))
        return;
    }
}

static void
weft_executor_deliver_ (WeftExecutorRuntime *runtime)
{
  if (__atomic_load_n (&weft_executor_subscribers_, __ATOMIC_RELAXED) == 0)
    return;
  for (int i = 0; i < WEFT_EXECUTOR_N_SUBSCRIPTIONS; i++)
    {
      WeftExecutorSubscription *subscription = &runtime->subscriptions[i];

      if (__atomic_load_n (&subscription->function, __ATOMIC_SEQ_CST) == NULL)
        continue;
      __atomic_store_n (&subscription->missed, 1, __ATOMIC_SEQ_CST);
      weft_executor_serve_ (runtime, subscription);
    }
}

uint64_t
weft_executor_run_subscriptions (WeftExecutorRuntime *runtime)
{
  uint64_t next = UINT64_MAX;

  for (int i = 0; runtime != NULL && i < WEFT_EXECUTOR_N_SUBSCRIPTIONS; i++)
    {
      WeftExecutorSubscription *subscription = &runtime->subscriptions[i];
      uint64_t now, due;

      if (__atomic_load_n (&subscription->function, __ATOMIC_SEQ_CST) == NULL)
        continue;
      weft_executor_serve_ (runtime, subscription);
      if (__atomic_load_n (&subscription->missed, __ATOMIC_SEQ_CST) == 0)
        continue;
      now = weft_executor_nanoseconds_ ();
      due = __atomic_load_n (&subscription->due, __ATOMIC_RELAXED);
      due = due > now ? due - now : 0;
      next = due < next ? due : next;
    }
  return next;
}

uint32_t
weft_executor_subscribe_snapshot (WeftExecutorRuntime *runtime, uint64_t interval,
                                  WeftExecutorSnapshotFunc function, void *data)
{
  for (int i = 0; runtime != NULL && function != NULL && i < WEFT_EXECUTOR_N_SUBSCRIPTIONS; i++)
    {
      WeftExecutorSubscription *subscription = &runtime->subscriptions[i];
      uint32_t number, none = 0;

      number = __atomic_add_fetch (&runtime->sequence, 1, __ATOMIC_RELAXED)
                   * WEFT_EXECUTOR_N_SUBSCRIPTIONS
               + (uint32_t) i;
      if (!__atomic_compare_exchange_n (&runtime->numbers[i], &none, number, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
      subscription->data = data;
      subscription->interval = interval;
      __atomic_store_n (&subscription->due, 0, __ATOMIC_RELAXED);
      __atomic_store_n (&subscription->missed, 1, __ATOMIC_SEQ_CST);
      __atomic_store_n (&subscription->function, function, __ATOMIC_SEQ_CST);
      __atomic_fetch_add (&weft_executor_subscribers_, 1, __ATOMIC_SEQ_CST);
      return number;
    }
  return 0;
}

void
weft_executor_unsubscribe_snapshot (WeftExecutorRuntime *runtime, uint32_t number)
{
  WeftExecutorSubscription *subscription;
  uint32_t *slot;

  if (runtime == NULL || number == 0)
    return;
  slot = &runtime->numbers[number % WEFT_EXECUTOR_N_SUBSCRIPTIONS];
  subscription = &runtime->subscriptions[number % WEFT_EXECUTOR_N_SUBSCRIPTIONS];
  if (__atomic_load_n (slot, __ATOMIC_SEQ_CST) != number
      || __atomic_exchange_n (&subscription->function, (WeftExecutorSnapshotFunc) NULL,
                              __ATOMIC_SEQ_CST)
             == NULL)
    return;
  __atomic_fetch_sub (&weft_executor_subscribers_, 1, __ATOMIC_SEQ_CST);
  while (weft_executor_delivering_ != subscription
         && __atomic_load_n (&subscription->busy, __ATOMIC_SEQ_CST) != 0)
    sched_yield ();
  __atomic_store_n (slot, 0, __ATOMIC_SEQ_CST);
}

#ifdef __cplusplus
}
#endif

#endif /* WEFT_EXECUTOR_IMPLEMENTATION */
