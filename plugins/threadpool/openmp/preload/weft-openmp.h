/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two libraries share: lanes of teams, regions, items of work and their waits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft-target.h"

#define OMP_INTERNAL __attribute__ ((visibility ("hidden")))
#define OMP_LOAD(x) __atomic_load_n ((x), __ATOMIC_RELAXED)
#define OMP_STORE(x, v) __atomic_store_n ((x), (v), __ATOMIC_RELAXED)
#define OMP_ADD(x, n) __atomic_add_fetch ((x), (n), __ATOMIC_RELAXED)

#define OMP_MAX_WAITS 32u
#define OMP_MAX_DEPENDENCES 8u
#define OMP_MAX_GROUPS 4u

/* A wait for a lock is told from here on, in ns: shorter ones are the lock's own cost. */
#define OMP_SHORT_WAIT 2000u

typedef enum
{
  OMP_PARALLEL,
  OMP_TASK,
  OMP_LOOP,
  OMP_SECTION,
  OMP_SINGLE,
  OMP_N_CONSTRUCTS
} OmpConstruct;

typedef enum
{
  OMP_WAIT_BARRIER,
  OMP_WAIT_TASKS,
  OMP_WAIT_GROUP,
  OMP_WAIT_DEPENDENCES,
  OMP_WAIT_LOCK,
  OMP_WAIT_ORDERED,
  OMP_WAIT_JOIN,
  OMP_WAIT_SUSPENDED,
} OmpWaitKind;

/* ---- Lanes ---- */

typedef struct OmpTeam OmpTeam;
typedef struct OmpSlot OmpSlot;

/* A place in a team: the thread with that number runs there. One region at a time. */
struct OmpSlot
{
  OmpTeam *team;
  WeftTargetLane *lane;
  OmpTeam *nested; /* atomic; of the regions that the thread here begins */
  uint64_t busy;   /* atomic; ns in the region */
  uint64_t batch;  /* atomic; of tasks that the thread made and did not wait for */
  unsigned number;
};

struct OmpTeam
{
  WeftTargetLane *lane;
  uint32_t queue;
  WeftTargetMetric *pending;
  WeftTargetMetric *queue_wait;
  WeftTargetMetric *steals;
  WeftTargetMetric *workers;
  WeftTargetMetric *imbalance;
  WeftTargetMetric *dropped;
  int64_t n_pending; /* atomic */
  OmpSlot **slots;   /* atomic */
  OmpTeam *next;     /* of those that no thread has */
  unsigned n_workers;
  char name[96];
};

/* A team for a thread that is in none. Never NULL, unless there is no memory. */
OMP_INTERNAL OmpTeam *omp_team_take (void);
OMP_INTERNAL void omp_team_give_back (OmpTeam *team);
OMP_INTERNAL OmpTeam *omp_slot_get_nested (OmpSlot *slot);
OMP_INTERNAL OmpSlot *omp_team_get_slot (OmpTeam *team, unsigned number);

/* ---- Code ---- */

OMP_INTERNAL extern const char *const omp_construct_names[OMP_N_CONSTRUCTS];

/* Of a function that is the code of a region or a task. */
OMP_INTERNAL WeftTargetRoutine *omp_routine_of_function (const void *function,
                                                         OmpConstruct construct);
/* Of the function that PLACE, to which a call returns, lies in; several places of one function are
 * several routines of its name. A place in the runtime itself tells nothing: the call to it was the
 * last thing that the program's function did.
 */
OMP_INTERNAL extern const void *omp_runtime; /* where the runtime is loaded, if that is known */
OMP_INTERNAL WeftTargetRoutine *omp_routine_of_place (const void *place, OmpConstruct construct);

/* ---- Regions and work ---- */

typedef struct
{
  uint64_t id;
  OmpTeam *team;
  OmpConstruct construct;
  WeftTargetRoutine *routine;
  WeftTargetOrigin origin;
  uint64_t queued;    /* ticks */
  uint64_t first;     /* dispatch of thread 0 */
  OmpSlot *outer;     /* place of the thread that begins it */
  const void *place;  /* where the program's call returns to, if that is told */
  bool joining;       /* that thread waits */
  unsigned n_threads; /* atomic */
  uint64_t n_created; /* atomic; tasks */
  uint64_t n_begun;   /* atomic */
} OmpRegion;

typedef struct
{
  const void *address;
  WeftTargetAccess access;
} OmpDependence;

typedef struct
{
  OmpWaitKind kind;
  uint64_t start; /* ticks */
  uint64_t end;
} OmpWait;

/* What is known of a task when it is made. */
typedef struct
{
  OmpRegion *region;
  WeftTargetRoutine *routine;
  WeftTargetOrigin origin;
  uint64_t submission;
  uint32_t n_dependences;
  bool counted; /* among those that wait in the queue */
  bool undeferred;
  bool untied;
  bool final;
  int priority;
  OmpDependence dependences[OMP_MAX_DEPENDENCES];
} OmpTask;

typedef struct OmpWork OmpWork;

struct OmpWork
{
  OmpWork *outer;
  OmpRegion *region;
  OmpSlot *slot;
  OmpConstruct construct;
  bool begun;
  bool over;
  bool waiting;
  bool suspended;
  bool is_chunk; /* of a share */
  bool has_range;
  uint64_t range_begin;
  uint64_t range_end;
  uint64_t id;
  OmpTask task;
  WeftTargetSpan span;
  uint64_t batch;                  /* submission of the tasks that it makes; 0: none yet */
  uint64_t groups[OMP_MAX_GROUPS]; /* batches around task groups */
  uint32_t n_groups;
  uint64_t wait_start; /* ticks */
  uint64_t inner;      /* ns of other work in the wait */
  uint64_t idle;       /* ns in waits, without other work */
  uint64_t n_waits;
  OmpWait waits[OMP_MAX_WAITS];
};

typedef struct
{
  OmpWork *current;
  OmpWork *free;
  OmpTeam *root;  /* where the thread begins regions while it is in none */
  OmpSlot *place; /* where it runs, or ran last; NULL: in ROOT */
  void *started;  /* regions that the thread began and has to end; the library's */
} OmpThread;

/* Of the calling thread; NULL where there is no memory, or the thread ends. */
OMP_INTERNAL OmpThread *omp_thread (void);
OMP_INTERNAL OmpWork *omp_work_new (OmpThread *thread);
OMP_INTERNAL void omp_work_free (OmpThread *thread, OmpWork *work);

/* The place where the thread runs now; after its part of a region, still that one. */
OMP_INTERNAL OmpSlot *omp_thread_get_slot (OmpThread *thread);

/* REGION is all zero before. ORIGIN is the thread that begins it. */
OMP_INTERNAL void omp_region_begin (OmpThread *thread, OmpRegion *region,
                                    WeftTargetRoutine *routine, WeftTargetOrigin origin);
/* The thread that began it has done its own part, and waits for the others. */
OMP_INTERNAL void omp_region_join (OmpThread *thread, OmpRegion *region);
OMP_INTERNAL void omp_region_end (OmpThread *thread, OmpRegion *region);

OMP_INTERNAL OmpWork *omp_implicit_begin (OmpThread *thread, OmpRegion *region, unsigned number,
                                          unsigned n_threads);
/* A chunk of a loop, a section, the single thread's part. */
OMP_INTERNAL OmpWork *omp_share_begin (OmpThread *thread, OmpConstruct construct,
                                       WeftTargetRoutine *routine);
OMP_INTERNAL void omp_share_end (OmpThread *thread);
/* COUNTED of the task says whether it is one, not several, and may have to wait. */
OMP_INTERNAL void omp_task_create (OmpThread *thread, OmpTask *task, WeftTargetRoutine *routine,
                                   WeftTargetOrigin origin);
OMP_INTERNAL void omp_task_begin (OmpThread *thread, OmpWork *work);
/* Also ends what was begun in it and not ended. */
OMP_INTERNAL void omp_work_end (OmpThread *thread, OmpWork *work, WeftTargetStatus status);

/* The thread goes on with other work, and some thread with WORK later. */
OMP_INTERNAL void omp_work_suspend (OmpThread *thread, OmpWork *work);
OMP_INTERNAL void omp_work_resume (OmpThread *thread, OmpWork *work);

/* ---- Waits ---- */

OMP_INTERNAL void omp_wait_begin (OmpThread *thread, OmpWaitKind kind);
OMP_INTERNAL void omp_wait_end (OmpThread *thread, OmpWaitKind kind);
OMP_INTERNAL void omp_group_begin (OmpThread *thread);
OMP_INTERNAL void omp_group_end (OmpThread *thread);
/* After the fact: told only if it was long. */
OMP_INTERNAL void omp_wait_for_lock (OmpThread *thread, OmpWaitKind kind, uint64_t since);
OMP_INTERNAL uint64_t omp_nanoseconds (uint64_t begin, uint64_t end);
