/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-threadpool: report what a pool of threads does, over libweft-target.
 *
 * A pool has workers, which are threads of it, and items of work that are enqueued and run. The pool
 * tells of each step of an item's life:
 *
 *   weft_threadpool_enqueue (&job->watch, pool, routine, worker, batch);  by WORKER, or NULL
 *   weft_threadpool_steal (&job->watch, worker);        into the queue of another worker
 *   weft_threadpool_run_begin (&job->watch, worker);
 *   weft_threadpool_run_end (&job->watch);
 *
 * From that come the lane of the pool with the depth of its queue, a lane for each worker with what
 * it ran, how long each item waited, who enqueued it (with the stack), from whom it was stolen.
 * docs/threadpool.md is the guide.
 *
 * While nobody listens, a step is a branch, and a store or two. Nothing is allocated by steps, ever.
 *
 * In one file of the program, before the header is included: #define WEFT_THREADPOOL_IMPLEMENTATION.
 * C11 and C++17. All functions may be called from any thread; those about one item one after the
 * other, as its steps are. NULL is taken for a pool or a worker everywhere, and nothing done.
 */
#ifndef WEFT_THREADPOOL_H
#define WEFT_THREADPOOL_H

#include <weft-target.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Pools and their workers ---- */

typedef struct _WeftThreadpool WeftThreadpool;
typedef struct _WeftThreadpoolWorker WeftThreadpoolWorker;

typedef struct
{
  const char *name;
  uint32_t max_threads; /* 0: no bound */
  bool no_stacks;       /* do not copy the stack of who enqueues */
} WeftThreadpoolOptions;

/* OPTIONS_SIZE is sizeof of them. NULL without memory. */
WeftThreadpool *weft_threadpool_new (const WeftThreadpoolOptions *options, size_t options_size);

/* Ends its workers, too; none of its items may be under way. */
void weft_threadpool_free (WeftThreadpool *pool);

/* A place for a thread: one that starts anew may have the place of one that stopped. */
WeftThreadpoolWorker *weft_threadpool_worker_new (WeftThreadpool *pool, uint32_t index);

/* Its thread is there, or is gone. */
void weft_threadpool_worker_start (WeftThreadpoolWorker *worker);
void weft_threadpool_worker_stop (WeftThreadpoolWorker *worker);

WeftTargetLane *weft_threadpool_get_lane (WeftThreadpool *pool);
WeftTargetLane *weft_threadpool_worker_get_lane (WeftThreadpoolWorker *worker);

/* ---- Items ---- */

/* A part of the pool's own object for an item; nothing to set. ID may be read. */
typedef struct
{
  WeftThreadpool *pool;
  WeftTargetRoutine *routine;
  WeftThreadpoolWorker *enqueuer; /* NULL: none of the pool's workers */
  WeftThreadpoolWorker *home;     /* in whose queue it is; NULL: in one of all */
  WeftThreadpoolWorker *victim;   /* in whose queue it was before, if it was stolen */
  WeftThreadpoolWorker *runner;
  uint64_t id;       /* of the dispatch; 0: nobody listens, and nothing else is set */
  uint64_t batch;
  uint64_t enqueued; /* ticks */
  uint64_t moved;    /* ticks: when it came into the queue in which it is */
  uint32_t steals;
  uint32_t is_queued;
  WeftTargetSpan span;
} WeftThreadpoolItem;

bool weft_threadpool_copies_stacks_ (const WeftThreadpool *pool);
void weft_threadpool_enqueue_ (WeftThreadpoolItem *item, uint64_t batch, WeftTargetOrigin origin);
void weft_threadpool_steal_ (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker);
void weft_threadpool_run_begin_ (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker);
void weft_threadpool_run_end_ (WeftThreadpoolItem *item, WeftTargetStatus status,
                               const WeftTargetErrorDetail *error);
void weft_threadpool_cancel_ (WeftThreadpoolItem *item, const char *why);

/* Before it is put into a queue, and so before anybody can run it. WORKER: who enqueues it, into its
 * own queue; NULL: somebody else, into a queue of all. BATCH: weft_target_id_new () of items that
 * somebody waits for together, or 0.
 */
static inline void
weft_threadpool_enqueue (WeftThreadpoolItem *item, WeftThreadpool *pool, WeftTargetRoutine *routine,
                         WeftThreadpoolWorker *worker, uint64_t batch)
{
  item->id = 0;
  if (pool == NULL || !weft_target_enabled ())
    return;
  item->pool = pool;
  item->routine = routine;
  item->enqueuer = item->home = worker;
  /* Here, so that the stack begins with the function that enqueues. */
  weft_threadpool_enqueue_ (item, batch,
                            weft_threadpool_copies_stacks_ (pool)
                                ? weft_target_origin_with_stack ()
                                : weft_target_origin ());
}

/* Right after it was told to be enqueued: it comes into the queue of WORKER, who did not enqueue it. */
static inline void
weft_threadpool_place (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    item->home = worker;
}

/* It goes from the queue in which it is to that of WORKER, which took it, or for which it was taken.
 * Not needed where the thief runs it at once: weft_threadpool_run_begin () sees that, too.
 */
static inline void
weft_threadpool_steal (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    weft_threadpool_steal_ (item, worker);
}

/* WORKER may be NULL: a thread that is none of the pool's helps out, and it is told on its lane. */
static inline void
weft_threadpool_run_begin (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    weft_threadpool_run_begin_ (item, worker);
}

/* On the same thread. Items that a worker runs while it waits within another one nest. */
static inline void
weft_threadpool_run_end (WeftThreadpoolItem *item)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    weft_threadpool_run_end_ (item, WEFT_TARGET_OK, NULL);
}

/* The same, for one that did not go well. ERROR may be NULL. */
static inline void
weft_threadpool_run_failed (WeftThreadpoolItem *item, const WeftTargetErrorDetail *error)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    weft_threadpool_run_end_ (item, WEFT_TARGET_ERROR, error);
}

/* It leaves the queue and never runs. WHY may be NULL. */
static inline void
weft_threadpool_cancel (WeftThreadpoolItem *item, const char *why)
{
  if (WEFT_TARGET_UNLIKELY (item->id != 0))
    weft_threadpool_cancel_ (item, why);
}

/* ---- Waits ---- */

void weft_threadpool_wait_ (WeftThreadpool *pool, WeftTargetRole role, uint64_t item,
                            uint64_t batch);

/* This thread waits for an item (its ID, taken before it can be over) or for a batch, the other being
 * 0, and goes on: what proves that it waited.
 */
static inline void
weft_threadpool_wait_begin (WeftThreadpool *pool, uint64_t item, uint64_t batch)
{
  if (pool != NULL && weft_target_enabled ())
    weft_threadpool_wait_ (pool, WEFT_TARGET_ROLE_WAIT_BEGIN, item, batch);
}

static inline void
weft_threadpool_wait_end (WeftThreadpool *pool, uint64_t item, uint64_t batch)
{
  if (pool != NULL && weft_target_enabled ())
    weft_threadpool_wait_ (pool, WEFT_TARGET_ROLE_WAIT_END, item, batch);
}

#ifdef __cplusplus
}

#include <exception>

namespace weft_threadpool
{

/* Runs ITEM as long as it lives; one that is left by an exception failed. */
class running
{
public:
  running (WeftThreadpoolItem &of, WeftThreadpoolWorker *worker)
      : item (of), exceptions (std::uncaught_exceptions ())
  {
    weft_threadpool_run_begin (&item, worker);
  }
  ~running ()
  {
    if (std::uncaught_exceptions () > exceptions)
      weft_threadpool_run_failed (&item, nullptr);
    else
      weft_threadpool_run_end (&item);
  }
  running (const running &) = delete;
  running &operator= (const running &) = delete;

private:
  WeftThreadpoolItem &item;
  int exceptions;
};

}
#endif

#endif /* WEFT_THREADPOOL_H */

#if defined(WEFT_THREADPOOL_IMPLEMENTATION) && !defined(WEFT_THREADPOOL_IMPLEMENTED_)
#define WEFT_THREADPOOL_IMPLEMENTED_

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct _WeftThreadpool
{
  char name[160];
  bool no_stacks;
  uint32_t n_active;  /* workers */
  uint32_t n_pending; /* items that were told of */
  uint32_t lock;      /* of what gauges tell, so that the last value is the one that is */
  WeftTargetLane *lane;
  WeftTargetMetric *pending;
  WeftTargetMetric *wait;
  WeftTargetMetric *active;
  WeftTargetMetric *stolen;
  WeftThreadpoolWorker *workers;
};

struct _WeftThreadpoolWorker
{
  WeftThreadpool *pool;
  WeftThreadpoolWorker *next;
  WeftTargetLane *lane;
  uint32_t index;
  uint32_t is_active;
};

static WeftTargetTag
weft_threadpool_number_ (const char *key, uint64_t value)
{
  WeftTargetTag tag;

  memset (&tag, 0, sizeof tag);
  tag.key = key;
  tag.type = WEFT_TARGET_VALUE_U64;
  tag.value.u64 = value;
  return tag;
}

static void
weft_threadpool_change_ (WeftThreadpool *pool, WeftTargetMetric *gauge, uint32_t *number,
                         int change)
{
  int tries = 0;

  while (__atomic_exchange_n (&pool->lock, 1u, __ATOMIC_ACQUIRE) != 0 && tries++ < 1000000)
    sched_yield ();
  *number += (uint32_t) change;
  weft_target_metric_report (gauge, (double) *number);
  __atomic_store_n (&pool->lock, 0u, __ATOMIC_RELEASE);
}

static WeftTargetMetric *
weft_threadpool_metric_ (WeftThreadpool *pool, WeftTargetMetricKind kind, const char *name,
                         const char *unit)
{
  return weft_target_metric_new (pool->lane, kind, name,
                                 unit != NULL ? WEFT_TARGET_UNIT_NAMED : WEFT_TARGET_UNIT_COUNT,
                                 unit, NULL, 0);
}

WeftThreadpool *
weft_threadpool_new (const WeftThreadpoolOptions *options, size_t options_size)
{
  WeftThreadpool *pool = (WeftThreadpool *) calloc (1, sizeof *pool);
  WeftThreadpoolOptions full;
  WeftTargetTag tag;

  if (pool == NULL)
    return NULL;
  memset (&full, 0, sizeof full);
  if (options != NULL)
    memcpy (&full, options, options_size < sizeof full ? options_size : sizeof full);
  snprintf (pool->name, sizeof pool->name, "%s", full.name != NULL ? full.name : "pool");
  pool->no_stacks = full.no_stacks;
  pool->lane = weft_target_lane_new (pool->name, "threadpool.pool");
  if (full.max_threads != 0)
    {
      tag = weft_threadpool_number_ ("pool.max_threads", full.max_threads);
      weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (pool->lane), &tag);
    }
  pool->pending = weft_threadpool_metric_ (pool, WEFT_TARGET_GAUGE, "queue.pending", NULL);
  pool->active = weft_threadpool_metric_ (pool, WEFT_TARGET_GAUGE, "workers.active", NULL);
  pool->stolen = weft_threadpool_metric_ (pool, WEFT_TARGET_COUNTER, "steal.total", NULL);
  pool->wait = weft_threadpool_metric_ (pool, WEFT_TARGET_HISTOGRAM, "queue.wait_ms", "ms");
  return pool;
}

void
weft_threadpool_free (WeftThreadpool *pool)
{
  WeftThreadpoolWorker *worker, *next;

  if (pool == NULL)
    return;
  for (worker = pool->workers; worker != NULL; worker = next)
    {
      next = worker->next;
      weft_threadpool_worker_stop (worker);
      weft_target_lane_close (worker->lane);
      free (worker);
    }
  weft_target_lane_close (pool->lane);
  free (pool);
}

WeftThreadpoolWorker *
weft_threadpool_worker_new (WeftThreadpool *pool, uint32_t index)
{
  WeftThreadpoolWorker *worker;
  WeftTargetLaneInfo info;
  WeftTargetTag tag = weft_threadpool_number_ ("worker.index", index);
  char name[200];

  if (pool == NULL
      || (worker = (WeftThreadpoolWorker *) calloc (1, sizeof *worker)) == NULL)
    return NULL;
  snprintf (name, sizeof name, "%s worker %u", pool->name, (unsigned int) index);
  memset (&info, 0, sizeof info);
  info.name = name;
  info.kind = "threadpool.worker";
  info.parent = pool->lane;
  worker->pool = pool;
  worker->index = index;
  worker->lane = weft_target_lane_new_full (&info, sizeof info);
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (worker->lane), &tag);
  worker->next = __atomic_load_n (&pool->workers, __ATOMIC_ACQUIRE);
  while (!__atomic_compare_exchange_n (&pool->workers, &worker->next, worker, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    ;
  return worker;
}

void
weft_threadpool_worker_start (WeftThreadpoolWorker *worker)
{
  if (worker != NULL && __atomic_exchange_n (&worker->is_active, 1u, __ATOMIC_ACQ_REL) == 0)
    weft_threadpool_change_ (worker->pool, worker->pool->active, &worker->pool->n_active, 1);
}

void
weft_threadpool_worker_stop (WeftThreadpoolWorker *worker)
{
  if (worker != NULL && __atomic_exchange_n (&worker->is_active, 0u, __ATOMIC_ACQ_REL) != 0)
    weft_threadpool_change_ (worker->pool, worker->pool->active, &worker->pool->n_active, -1);
}

WeftTargetLane *
weft_threadpool_get_lane (WeftThreadpool *pool)
{
  return pool != NULL ? pool->lane : NULL;
}

WeftTargetLane *
weft_threadpool_worker_get_lane (WeftThreadpoolWorker *worker)
{
  return worker != NULL ? worker->lane : NULL;
}

/* ---- Items ---- */

bool
weft_threadpool_copies_stacks_ (const WeftThreadpool *pool)
{
  return !pool->no_stacks;
}

void
weft_threadpool_enqueue_ (WeftThreadpoolItem *item, uint64_t batch, WeftTargetOrigin taken)
{
  WeftThreadpool *pool = item->pool;
  WeftTargetRoleOrigin origin;
  WeftTargetDispatch dispatch;

  origin.role = WEFT_TARGET_ROLE_DISPATCH;
  origin.origin = taken;
  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = pool->lane;
  dispatch.routine = item->routine;
  dispatch.submission = batch;
  dispatch.submitted = origin.origin.ticks;
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  item->victim = item->runner = NULL;
  item->batch = batch;
  item->enqueued = item->moved = origin.origin.ticks;
  item->steals = 0;
  item->is_queued = 1;
  item->id = weft_target_reserve (&dispatch);
  if (item->id != 0)
    weft_threadpool_change_ (pool, pool->pending, &pool->n_pending, 1);
}

void
weft_threadpool_steal_ (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker)
{
  item->victim = item->home;
  item->home = worker;
  item->moved = weft_target_now ();
  item->steals++;
  weft_target_metric_report (item->pool->stolen, 1);
}

/* True the first time. */
static bool
weft_threadpool_leave_ (WeftThreadpoolItem *item)
{
  if (!item->is_queued)
    return false;
  item->is_queued = 0;
  weft_threadpool_change_ (item->pool, item->pool->pending, &item->pool->n_pending, -1);
  return true;
}

static uint64_t
weft_threadpool_between_ (uint64_t begin, uint64_t end)
{
  return weft_target_to_nanoseconds (end) - weft_target_to_nanoseconds (begin);
}

void
weft_threadpool_run_begin_ (WeftThreadpoolItem *item, WeftThreadpoolWorker *worker)
{
  if (item->home != NULL && item->home != worker)
    weft_threadpool_steal_ (item, worker);
  item->runner = worker;
  weft_threadpool_leave_ (item);
  item->span = weft_target_span_begin (worker != NULL ? worker->lane : item->pool->lane,
                                       item->routine);
  weft_target_metric_report (
      item->pool->wait, (double) weft_threadpool_between_ (item->enqueued, item->span.start) / 1e6);
}

static size_t
weft_threadpool_fill_tags_ (const WeftThreadpoolItem *item, WeftTargetTag *tags)
{
  size_t n = 0;

  if (item->enqueuer != NULL)
    tags[n++] = weft_threadpool_number_ ("enqueued.by", item->enqueuer->index);
  if (item->steals > 0)
    tags[n++] = weft_threadpool_number_ ("steals", item->steals);
  if (item->victim != NULL)
    tags[n++] = weft_threadpool_number_ ("stolen.from", item->victim->index);
  return n;
}

static void
weft_threadpool_fill_ (WeftTargetDispatch *dispatch, const WeftThreadpoolItem *item)
{
  memset (dispatch, 0, sizeof *dispatch);
  dispatch->routine = item->routine;
  dispatch->id = item->id;
  dispatch->submission = item->batch;
  dispatch->submitted = item->enqueued;
  dispatch->has_queue_wait = true;
}

void
weft_threadpool_run_end_ (WeftThreadpoolItem *item, WeftTargetStatus status,
                          const WeftTargetErrorDetail *error)
{
  WeftTargetDispatch dispatch;
  WeftTargetTag tags[3];

  /* A recorder that went away in the meantime leaves nothing to end. */
  if (item->span.start == 0)
    return;
  weft_threadpool_fill_ (&dispatch, item);
  dispatch.lane = item->runner != NULL ? item->runner->lane : item->pool->lane;
  dispatch.span = &item->span;
  dispatch.queue_wait = weft_threadpool_between_ (item->enqueued, item->span.start);
  dispatch.queue_wait_last = weft_threadpool_between_ (item->moved, item->span.start);
  dispatch.status = status;
  dispatch.error_kind = status == WEFT_TARGET_ERROR ? WEFT_TARGET_ERROR_EXCEPTION
                                                    : WEFT_TARGET_ERROR_NONE;
  dispatch.error = error;
  dispatch.n_tags = weft_threadpool_fill_tags_ (item, tags);
  dispatch.tags = tags;
  weft_target_complete (&dispatch);
  item->id = 0;
}

void
weft_threadpool_cancel_ (WeftThreadpoolItem *item, const char *why)
{
  WeftTargetErrorDetail error;
  WeftTargetDispatch dispatch;

  if (!weft_threadpool_leave_ (item))
    return;
  memset (&error, 0, sizeof error);
  error.name = "Dropped";
  error.message = why;
  weft_threadpool_fill_ (&dispatch, item);
  dispatch.lane = item->pool->lane;
  dispatch.start = dispatch.end = weft_target_now ();
  dispatch.queue_wait = weft_threadpool_between_ (item->enqueued, dispatch.end);
  dispatch.queue_wait_last = weft_threadpool_between_ (item->moved, dispatch.end);
  dispatch.status = WEFT_TARGET_CANCELED;
  dispatch.error_kind = WEFT_TARGET_ERROR_ABORT;
  dispatch.error = &error;
  weft_target_complete (&dispatch);
  item->id = 0;
}

void
weft_threadpool_wait_ (WeftThreadpool *pool, WeftTargetRole role, uint64_t item, uint64_t batch)
{
  if (item != 0 || batch != 0)
    weft_target_report_origin (pool->lane, role, item, batch,
                               pool->no_stacks ? weft_target_origin ()
                                               : weft_target_origin_with_stack ());
}

#ifdef __cplusplus
}
#endif

#endif /* WEFT_THREADPOOL_IMPLEMENTATION */
