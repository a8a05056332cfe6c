/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share that is preloaded into programs with a GThreadPool. */
#ifndef WEFT_GTHREADPOOL_H
#define WEFT_GTHREADPOOL_H

#include "weft-target.h"

#include <unistd.h>

#define LOAD(p) __atomic_load_n ((p), __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n ((p), (v), __ATOMIC_SEQ_CST)
#define ADD(p, v) __atomic_add_fetch ((p), (v), __ATOMIC_SEQ_CST)
#define SWAP_IF(p, old, v)                                                                         \
  __atomic_compare_exchange_n ((p), (old), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* ---- Locks: held for as long as it takes to tell something; false: not to be had in seconds, as
 * in the child of a fork whose parent held it ----
 */

static inline bool
lock_take (uint32_t *lock)
{
  for (uint32_t i = 0; i < 100000; i++)
    {
      if (__atomic_exchange_n (lock, 1, __ATOMIC_ACQUIRE) == 0)
        return true;
      if (i > 100)
        usleep (20);
    }
  return false;
}

static inline void
lock_give (uint32_t *lock)
{
  __atomic_store_n (lock, 0, __ATOMIC_RELEASE);
}

/* ---- GLib, as it is called: its stable interface ---- */

typedef void (*PoolFunc) (void *data, void *user_data);
typedef void (*FreeFunc) (void *data);
typedef int (*CompareFunc) (const void *a, const void *b, void *user_data);

typedef struct
{
  PoolFunc func;
  void *user_data;
  int exclusive;
} GlibPool;

/* ---- weft-gthreadpool-lanes.c: what is told of, kept for the life of the process ---- */

typedef struct PoolLane PoolLane;
typedef struct Worker Worker;

struct PoolLane
{
  PoolLane *next;
  char name[224];
  WeftTargetLane *lane;
  WeftTargetRoutine *routine; /* of the pool's function */
  WeftTargetMetric *pending;
  WeftTargetMetric *wait;
  WeftTargetMetric *active;
  PoolFunc func;
  Worker *workers;
  uint32_t n_workers; /* that were ever made */
  uint32_t n_active;
  uint32_t n_pending;
  uint32_t lock; /* of N_PENDING, with what is told of it */
};

/* A lane of a thread; of no thread after that ended, until another one takes it. */
struct Worker
{
  Worker *next;  /* of the pool */
  Worker *owned; /* next one of the thread */
  PoolLane *pool;
  WeftTargetLane *lane;
  uint32_t is_taken;
};

/* NAME: NULL for that of the function. NULL without memory. */
PoolLane *pool_lane_new (PoolFunc func, const char *name, int max_threads, bool exclusive);
/* That of this thread. Is PARENT's own lane where there is no room for more. */
WeftTargetLane *pool_lane_get_worker (PoolLane *parent);
/* By the name that a program gives to its work; NULL if there are too many of them. */
WeftTargetRoutine *routine_named (const char *name);

/* ---- Pools ---- */

typedef struct
{
  PoolFunc func;
  int max_threads;
  bool exclusive;
  bool is_task_pool;    /* of GTask */
  uint32_t references;  /* the program's, and of items */
  uint32_t outstanding; /* items that were pushed and are not over */
  uint64_t batch;       /* from one time at which nothing was outstanding to the next */
  PoolLane *lane;       /* NULL until it is first told of */
  void *sorting;
  uint32_t sort_lock;
} Pool;

/* ---- weft-gthreadpool-items.c: what is queued in place of the program's data ---- */

typedef enum
{
  ITEM_FREE,
  ITEM_QUEUED,
  ITEM_OVER, /* it runs, or never will */
} ItemState;

typedef struct Item
{
  void *data;
  Pool *pool;
  PoolLane *lane;
  WeftTargetRoutine *routine;
  uint64_t id;     /* of the dispatch; 0: it is not told of */
  uint64_t pushed; /* ticks */
  uint64_t batch;
  uint64_t sequence; /* in the order of pushes */
  uint32_t state;
  uint32_t next; /* among the free ones */
} Item;

Item *item_new (void);           /* NULL: there are too many, or no memory */
Item *item_find (const void *p); /* NULL: P is something of the program's */
void item_free (Item *item);
/* The queued item of POOL and DATA that was pushed first after SEQUENCE; of any DATA if NULL. What
 * is found is not used for anything else until items_release ().
 */
Item *items_find (const Pool *pool, const void *data, uint64_t sequence);
void items_hold (void);
void items_release (void);

#endif /* WEFT_GTHREADPOOL_H */
