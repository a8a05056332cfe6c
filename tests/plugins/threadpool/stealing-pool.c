/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A work-stealing pool that reports by weft-threadpool.h, for tests to record: each worker has a
 * queue, takes from its end, and steals half of what another has from the beginning.
 *
 *   stealing-pool [WORKERS [DEPTH [ROUNDS]]]
 *
 * In each round a tree of jobs is run: each job enqueues two more, waits for them, and meanwhile
 * runs others. Prints what it counted itself, line by line: `enqueued BY N`, `ran BY N`, `stolen
 * FROM BY N` (items, not times); BY is a worker's number or -1.
 */
#define WEFT_THREADPOOL_IMPLEMENTATION
#include "weft-threadpool.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

#define MAX_WORKERS 8
#define ROOM 4096

typedef struct
{
  WeftThreadpoolItem watch;
  int depth;
  int parent;
  int unfinished; /* atomic: jobs that it enqueued and that are not over */
} Job;

typedef struct
{
  WeftThreadpoolWorker *watch;
  pthread_t thread;
  pthread_mutex_t lock;
  int queue[ROOM];
  int first, last;
  int enqueued, ran;
  int stolen[MAX_WORKERS]; /* from whom */
} Worker;

static WeftThreadpool *pool;
static WeftTargetRoutine tree = WEFT_TARGET_ROUTINE ("tree"), leaf = WEFT_TARGET_ROUTINE ("leaf");
static Job jobs[ROOM];
static Worker workers[MAX_WORKERS];
static int n_workers = 3, n_rounds = 2, n_jobs, n_stolen, over, enqueued_outside;

/* ---- Queues ---- */

static void
put (Worker *worker, int job)
{
  pthread_mutex_lock (&worker->lock);
  assert (worker->last < ROOM);
  worker->queue[worker->last++] = job;
  pthread_mutex_unlock (&worker->lock);
}

/* BY is NULL outside of the pool: it goes to the first worker, and is nobody's. */
static void
enqueue (Worker *by, int depth, int parent, uint64_t batch)
{
  int job = __atomic_fetch_add (&n_jobs, 1, __ATOMIC_RELAXED);

  assert (job < ROOM);
  jobs[job].depth = depth;
  jobs[job].parent = parent;
  jobs[job].unfinished = 0;
  weft_threadpool_enqueue (&jobs[job].watch, pool, depth > 0 ? &tree : &leaf,
                           by != NULL ? by->watch : NULL, batch);
  if (by == NULL)
    weft_threadpool_place (&jobs[job].watch, workers[0].watch);
  __atomic_add_fetch (by != NULL ? &by->enqueued : &enqueued_outside, 1, __ATOMIC_RELAXED);
  put (by != NULL ? by : &workers[0], job);
}

static int
take (Worker *worker)
{
  int job = -1;

  pthread_mutex_lock (&worker->lock);
  if (worker->first < worker->last)
    job = worker->queue[--worker->last];
  pthread_mutex_unlock (&worker->lock);
  return job;
}

/* Half of what VICTIM has, the oldest, into the thief's queue. */
static bool
steal_from (Worker *thief, Worker *victim)
{
  int loot[ROOM / 2], n;

  pthread_mutex_lock (&victim->lock);
  n = (victim->last - victim->first + 1) / 2;
  for (int i = 0; i < n; i++)
    {
      loot[i] = victim->queue[victim->first++];
      weft_threadpool_steal (&jobs[loot[i]].watch, thief->watch);
    }
  pthread_mutex_unlock (&victim->lock);
  thief->stolen[victim - workers] += n;
  __atomic_add_fetch (&n_stolen, n, __ATOMIC_SEQ_CST);
  for (int i = 0; i < n; i++)
    put (thief, loot[i]);
  return n > 0;
}

static int
find (Worker *worker)
{
  int job = take (worker);

  for (int i = 1; i < n_workers && job < 0; i++)
    if (steal_from (worker, &workers[(worker - workers + i) % n_workers]))
      job = take (worker);
  return job;
}

/* ---- Jobs ---- */

static void
work (void)
{
  volatile unsigned int sum = 0;

  for (int i = 0; i < 20000; i++)
    sum += (unsigned int) i;
}

static void run (Worker *worker, int job);

static void
run_tree (Worker *worker, int job)
{
  uint64_t batch = weft_target_id_new ();

  __atomic_store_n (&jobs[job].unfinished, 2, __ATOMIC_SEQ_CST);
  enqueue (worker, jobs[job].depth - 1, job, batch);
  enqueue (worker, jobs[job].depth - 1, job, batch);
  weft_threadpool_wait_begin (pool, 0, batch);
  while (__atomic_load_n (&jobs[job].unfinished, __ATOMIC_SEQ_CST) > 0)
    {
      int other = find (worker);

      if (other >= 0)
        run (worker, other);
      else
        sched_yield ();
    }
  weft_threadpool_wait_end (pool, 0, batch);
}

static void
run (Worker *worker, int job)
{
  int parent = jobs[job].parent;

  weft_threadpool_run_begin (&jobs[job].watch, worker->watch);
  worker->ran++;
  work ();
  if (jobs[job].depth > 0)
    run_tree (worker, job);
  weft_threadpool_run_end (&jobs[job].watch);
  if (parent >= 0)
    __atomic_sub_fetch (&jobs[parent].unfinished, 1, __ATOMIC_SEQ_CST);
  else
    __atomic_add_fetch (&over, 1, __ATOMIC_SEQ_CST);
}

static void *
serve (void *data)
{
  Worker *worker = data;

  weft_threadpool_worker_start (worker->watch);
  /* So that something is stolen in each run. */
  while (worker == workers && n_workers > 1 && __atomic_load_n (&n_stolen, __ATOMIC_SEQ_CST) == 0)
    sched_yield ();
  while (__atomic_load_n (&over, __ATOMIC_SEQ_CST) < n_rounds)
    {
      int job = find (worker);

      if (job >= 0)
        run (worker, job);
      else
        sched_yield ();
    }
  weft_threadpool_worker_stop (worker->watch);
  return NULL;
}

static void
print (void)
{
  printf ("enqueued -1 %d\n", enqueued_outside);
  for (int i = 0; i < n_workers; i++)
    {
      printf ("enqueued %d %d\nran %d %d\n", i, workers[i].enqueued, i, workers[i].ran);
      for (int from = 0; from < n_workers; from++)
        if (workers[i].stolen[from] > 0)
          printf ("stolen %d %d %d\n", from, i, workers[i].stolen[from]);
    }
}

int
main (int argc, char **argv)
{
  const WeftThreadpoolOptions options = { .name = "stealing" };
  int depth = argc > 2 ? atoi (argv[2]) : 5;

  n_workers = argc > 1 ? atoi (argv[1]) : n_workers;
  n_rounds = argc > 3 ? atoi (argv[3]) : n_rounds;
  assert (n_workers > 0 && n_workers <= MAX_WORKERS);
  pool = weft_threadpool_new (&options, sizeof options);
  for (int i = 0; i < n_workers; i++)
    {
      pthread_mutex_init (&workers[i].lock, NULL);
      workers[i].watch = weft_threadpool_worker_new (pool, (uint32_t) i);
    }
  for (int i = 0; i < n_rounds; i++)
    enqueue (NULL, depth, -1, 0);
  for (int i = 0; i < n_workers; i++)
    pthread_create (&workers[i].thread, NULL, serve, &workers[i]);
  for (int i = 0; i < n_workers; i++)
    pthread_join (workers[i].thread, NULL);
  print ();
  weft_threadpool_free (pool);
  return 0;
}
