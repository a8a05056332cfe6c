/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lanes of pools and of their threads. Both are bounded: pools that come late share the lane of an
 * earlier one of the same function, and the lane of a thread that ended goes to the next one.
 */
#include "weft-gthreadpool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_POOLS 256u
#define MAX_WORKERS 512u /* of a pool */
#define MAX_NAMES 512u
#define ROOM 256

static PoolLane *pools;
static uint32_t n_pools;

static __thread Worker *owned __attribute__ ((tls_model ("initial-exec")));
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static bool has_key;

/* ---- Pools ---- */

static uint32_t
count_like (PoolFunc func)
{
  uint32_t n = 0;

  for (PoolLane *pool = LOAD (&pools); pool != NULL; pool = pool->next)
    n += pool->func == func;
  return n;
}

static PoolLane *
find_like (PoolFunc func)
{
  PoolLane *pool = LOAD (&pools);

  while (pool != NULL && pool->func != func)
    pool = pool->next;
  return pool;
}

static void
tag_lane (WeftTargetLane *lane, const char *key, int64_t value)
{
  const WeftTargetTag tag = { .key = key, .type = WEFT_TARGET_VALUE_I64, .value.i64 = value };

  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (lane), &tag);
}

static void
fill (PoolLane *pool, const char *name, int max_threads, bool exclusive)
{
  const WeftTargetTag own = { .key = "pool.exclusive",
                              .type = WEFT_TARGET_VALUE_BOOL,
                              .value.boolean = exclusive };
  uint32_t others = count_like (pool->func);

  if (name == NULL)
    name = pool->routine->name;
  if (others == 0)
    snprintf (pool->name, sizeof pool->name, "%.200s", name);
  else
    snprintf (pool->name, sizeof pool->name, "%.200s %u", name, others + 1);
  pool->lane = weft_target_lane_new (pool->name, "threadpool.pool");
  tag_lane (pool->lane, "pool.max_threads", max_threads);
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (pool->lane), &own);
  pool->pending = weft_target_metric_new (pool->lane, WEFT_TARGET_GAUGE, "queue.pending",
                                          WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
  pool->wait = weft_target_metric_new (pool->lane, WEFT_TARGET_HISTOGRAM, "queue.wait_ms",
                                       WEFT_TARGET_UNIT_NAMED, "ms", NULL, 0);
  pool->active = weft_target_metric_new (pool->lane, WEFT_TARGET_GAUGE, "workers.active",
                                         WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
}

PoolLane *
pool_lane_new (PoolFunc func, const char *name, int max_threads, bool exclusive)
{
  PoolLane *pool;

  if (ADD (&n_pools, 1) > MAX_POOLS && (pool = find_like (func)) != NULL)
    return pool;
  pool = calloc (1, sizeof *pool);
  if (pool == NULL)
    return NULL;
  pool->func = func;
  pool->routine = weft_target_routine_for_code ((const void *) (uintptr_t) func);
  fill (pool, name, max_threads, exclusive);
  pool->next = LOAD (&pools);
  while (!SWAP_IF (&pools, &pool->next, pool))
    ;
  return pool;
}

/* ---- Workers ---- */

static void
thread_ends (void *data)
{
  Worker *worker = data;

  owned = NULL;
  while (worker != NULL)
    {
      Worker *next = worker->owned;

      weft_target_metric_report (worker->pool->active,
                                 (double) ADD (&worker->pool->n_active, (uint32_t) -1));
      STORE (&worker->is_taken, 0);
      worker = next;
    }
}

static void
make_key (void)
{
  has_key = pthread_key_create (&at_exit, thread_ends) == 0;
}

static Worker *
take_unused (PoolLane *pool)
{
  for (Worker *worker = LOAD (&pool->workers); worker != NULL; worker = worker->next)
    {
      uint32_t none = 0;

      if (SWAP_IF (&worker->is_taken, &none, 1))
        return worker;
    }
  return NULL;
}

static Worker *
make_worker (PoolLane *pool)
{
  Worker *worker;
  WeftTargetLaneInfo info = { .kind = "threadpool.worker", .parent = pool->lane };
  char name[ROOM];
  uint32_t number = ADD (&pool->n_workers, 1);

  if (number > MAX_WORKERS || (worker = calloc (1, sizeof *worker)) == NULL)
    return NULL;
  snprintf (name, sizeof name, "%.200s worker %u", pool->name, number);
  info.name = name;
  worker->pool = pool;
  worker->is_taken = 1;
  worker->lane = weft_target_lane_new_full (&info, sizeof info);
  tag_lane (worker->lane, "worker.index", number - 1);
  worker->next = LOAD (&pool->workers);
  while (!SWAP_IF (&pool->workers, &worker->next, worker))
    ;
  return worker;
}

WeftTargetLane *
pool_lane_get_worker (PoolLane *pool)
{
  Worker *worker = owned;

  while (worker != NULL && worker->pool != pool)
    worker = worker->owned;
  if (worker != NULL)
    return worker->lane;
  pthread_once (&once, make_key);
  worker = take_unused (pool);
  if (worker == NULL)
    worker = make_worker (pool);
  if (worker == NULL)
    return pool->lane;
  worker->owned = owned;
  owned = worker;
  if (has_key)
    pthread_setspecific (at_exit, owned);
  weft_target_metric_report (pool->active, (double) ADD (&pool->n_active, 1));
  return worker->lane;
}

/* ---- Names that a program gives ---- */

WeftTargetRoutine *
routine_named (const char *name)
{
  static struct
  {
    uint64_t hash;
    WeftTargetRoutine *routine;
  } names[MAX_NAMES];
  uint64_t hash = UINT64_C (0xCBF29CE484222325);

  for (const char *c = name; *c != '\0'; c++)
    hash = (hash ^ (uint8_t) *c) * UINT64_C (0x100000001B3);
  hash |= 1;
  for (uint32_t i = 0; i < MAX_NAMES / 2; i++)
    {
      uint32_t at = (uint32_t) ((hash >> 8) + i) % MAX_NAMES;
      uint64_t none = 0;
      WeftTargetRoutine *routine;

      if (!SWAP_IF (&names[at].hash, &none, hash) && none != hash)
        continue;
      routine = LOAD (&names[at].routine);
      if (routine == NULL)
        {
          routine = weft_target_routine_new (name);
          STORE (&names[at].routine, routine);
        }
      return routine;
    }
  return NULL;
}
