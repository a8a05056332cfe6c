/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool that LLVM's runtime, and others with OpenMP's interface for tools, load and call. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "weft-openmp.h"

#include "weft-ompt.h"

#include <dlfcn.h>
#include <stdlib.h>

static OmpThread *
listening (void)
{
  return weft_target_enabled () ? omp_thread () : NULL;
}

/* ---- Regions ---- */

/* When a region ends, LLVM's runtime has given its team away, and with it the data of the region:
 * by then they may be those of another thread's. So threads know their regions themselves.
 */
typedef struct Begun Begun;

struct Begun
{
  OmpRegion region; /* first: what the runtime keeps for us */
  const OmptData *encountering;
  Begun *before;
};

static Begun *
take_begun (OmpThread *thread, const OmptData *parallel, const OmptData *encountering)
{
  Begun *begun = thread->started;

  if (begun == NULL || (begun->encountering != encountering && parallel->ptr != begun))
    return NULL;
  thread->started = begun->before;
  return begun;
}

static void
parallel_begin (OmptData *encountering, const void *frame, OmptData *parallel, unsigned requested,
                int flags, const void *place)
{
  OmpThread *thread = listening ();
  Begun *begun =
      thread != NULL && (flags & OMPT_PARALLEL_LEAGUE) == 0 ? calloc (1, sizeof *begun) : NULL;

  parallel->ptr = begun;
  if (begun == NULL)
    return;
  begun->encountering = encountering;
  begun->before = thread->started;
  thread->started = begun;
  begun->region.place = place;
  omp_region_begin (thread, &begun->region, omp_routine_of_place (place, OMP_PARALLEL),
                    weft_target_origin_with_stack ());
}

static void
parallel_end (OmptData *parallel, OmptData *encountering, int flags, const void *place)
{
  OmpThread *thread = omp_thread ();
  Begun *begun = thread != NULL ? take_begun (thread, parallel, encountering) : NULL;
  void *ours = begun;

  if (begun == NULL)
    return;
  omp_region_end (thread, &begun->region);
  __atomic_compare_exchange_n (&parallel->ptr, &ours, NULL, false, __ATOMIC_RELAXED,
                               __ATOMIC_RELAXED);
  free (begun);
}

static void
implicit_task (int endpoint, OmptData *parallel, OmptData *task, unsigned n_threads,
               unsigned number, int flags)
{
  OmpThread *thread = omp_thread ();
  OmpWork *work = task->ptr;

  if (thread == NULL || (flags & OMPT_TASK_INITIAL) != 0)
    return;
  if (endpoint == OMPT_BEGIN)
    {
      task->ptr = parallel != NULL && parallel->ptr != NULL
                      ? omp_implicit_begin (thread, parallel->ptr, number, n_threads)
                      : NULL;
      return;
    }
  if (work == NULL)
    return;
  task->ptr = NULL;
  omp_work_end (thread, work, WEFT_TARGET_OK);
  omp_work_free (thread, work);
}

/* ---- Tasks ---- */

static void
task_create (OmptData *encountering, const void *frame, OmptData *task, int flags,
             int has_dependences, const void *place)
{
  OmpThread *thread = (flags & OMPT_TASK_EXPLICIT) != 0 ? listening () : NULL;
  OmpWork *work = thread != NULL ? omp_work_new (thread) : NULL;

  if (work == NULL)
    return;
  task->ptr = work;
  work->construct = OMP_TASK;
  work->task.undeferred = (flags & OMPT_TASK_UNDEFERRED) != 0;
  work->task.untied = (flags & OMPT_TASK_UNTIED) != 0;
  work->task.final = (flags & OMPT_TASK_FINAL) != 0;
  work->task.counted = !work->task.undeferred;
  omp_task_create (thread, &work->task, omp_routine_of_place (place, OMP_TASK),
                   weft_target_origin_with_stack ());
}

static void
dependences (OmptData *task, const OmptDependence *list, int n)
{
  OmpWork *work = task->ptr;

  if (work == NULL || work->begun)
    return;
  for (int i = 0; i < n && i < (int) OMP_MAX_DEPENDENCES; i++)
    work->task.dependences[i] =
        (OmpDependence){ list[i].variable.ptr, list[i].type == OMPT_DEPENDENCE_IN
                                                   ? WEFT_TARGET_ACCESS_READ
                                                   : WEFT_TARGET_ACCESS_READ_WRITE };
  work->task.n_dependences = n > 0 ? (uint32_t) n : 0;
}

static void
task_over (OmpThread *thread, OmptData *task, int status)
{
  OmpWork *work = task->ptr;

  if (work == NULL || work->construct != OMP_TASK)
    return;
  task->ptr = NULL;
  if (work->begun)
    omp_work_end (thread, work,
                  status == OMPT_STATUS_CANCEL ? WEFT_TARGET_CANCELED : WEFT_TARGET_OK);
  omp_work_free (thread, work);
}

/* An untied task may go on elsewhere. */
static void
task_resume (OmpThread *thread, OmpWork *work)
{
  if (work->over || work->construct != OMP_TASK)
    return;
  if (!work->begun)
    {
      omp_task_begin (thread, work);
      return;
    }
  if (work->suspended)
    omp_work_resume (thread, work);
}

static void
task_schedule (OmptData *prior, int status, OmptData *next)
{
  OmpThread *thread = omp_thread ();
  OmpWork *left = prior->ptr, *entered = next != NULL ? next->ptr : NULL;

  if (thread == NULL || status == OMPT_STATUS_EARLY_FULFILL || status == OMPT_STATUS_LATE_FULFILL ||
      status == OMPT_STATUS_TASKWAIT_COMPLETE)
    return;
  if (status == OMPT_STATUS_COMPLETE || status == OMPT_STATUS_CANCEL ||
      status == OMPT_STATUS_DETACH)
    task_over (thread, prior, status);
  else if (left != NULL && left == thread->current && left->construct == OMP_TASK &&
           entered != NULL && entered->begun)
    omp_work_suspend (thread, left);
  if (entered != NULL)
    task_resume (thread, entered);
}

/* ---- Waits ---- */

static OmpWaitKind
wait_kind (int kind)
{
  return kind == OMPT_SYNC_TASKWAIT    ? OMP_WAIT_TASKS
         : kind == OMPT_SYNC_TASKGROUP ? OMP_WAIT_GROUP
                                       : OMP_WAIT_BARRIER;
}

/* Behind the barrier at its end nothing of a region is left but tasks: there a thread's part is
 * over, though the runtime tells so only when the thread is given other work.
 */
static void
end_part (OmpThread *thread, OmptData *parallel, OmptData *task)
{
  OmpWork *work = task != NULL ? task->ptr : NULL;
  OmpRegion *region = parallel != NULL ? parallel->ptr : NULL;

  if (work == NULL || work->construct != OMP_PARALLEL || work->over)
    return;
  omp_work_end (thread, work, WEFT_TARGET_OK);
  if (region != NULL && work->slot->number == 0)
    omp_region_join (thread, region);
}

/* Runtimes of before OpenMP 5.1 have one kind for the barriers at the end of regions and of shares:
 * those of regions are at the place of the region's own call, or at none.
 */
static bool
is_end_of_region (int kind, const OmptData *parallel, const void *place)
{
  const OmpRegion *region = parallel != NULL ? parallel->ptr : NULL;

  return kind == OMPT_SYNC_BARRIER_PARALLEL ||
         (kind == OMPT_SYNC_BARRIER_IMPLICIT &&
          (place == NULL || (region != NULL && place == region->place)));
}

static void
sync_region (int kind, int endpoint, OmptData *parallel, OmptData *task, const void *place)
{
  OmpThread *thread = listening ();

  if (thread == NULL || kind == OMPT_SYNC_REDUCTION)
    return;
  if (is_end_of_region (kind, parallel, place))
    {
      if (endpoint == OMPT_BEGIN)
        end_part (thread, parallel, task);
      return;
    }
  if (endpoint == OMPT_BEGIN && kind == OMPT_SYNC_TASKGROUP)
    omp_group_begin (thread);
  else if (endpoint == OMPT_BEGIN)
    omp_wait_begin (thread, wait_kind (kind));
  else
    omp_wait_end (thread, wait_kind (kind));
  if (endpoint == OMPT_END && kind == OMPT_SYNC_TASKGROUP)
    omp_group_end (thread);
}

/* A group's own wait: what comes before it is the work inside. */
static void
sync_region_wait (int kind, int endpoint, OmptData *parallel, OmptData *task, const void *place)
{
  OmpThread *thread = kind == OMPT_SYNC_TASKGROUP && endpoint == OMPT_BEGIN ? listening () : NULL;

  if (thread != NULL)
    omp_wait_begin (thread, OMP_WAIT_GROUP);
}

static __thread uint64_t lock_since __attribute__ ((tls_model ("initial-exec")));

static void
mutex_acquire (int kind, unsigned hint, unsigned implementation, uint64_t wait, const void *place)
{
  lock_since = weft_target_enabled () ? weft_target_now () : 0;
}

static void
mutex_acquired (int kind, uint64_t wait, const void *place)
{
  OmpThread *thread = lock_since != 0 ? listening () : NULL;

  if (thread != NULL)
    omp_wait_for_lock (thread, kind == OMPT_MUTEX_ORDERED ? OMP_WAIT_ORDERED : OMP_WAIT_LOCK,
                       lock_since);
  lock_since = 0;
}

/* ---- Shares ---- */

static bool
get_construct (int type, OmpConstruct *construct)
{
  switch (type)
    {
    case OMPT_WORK_LOOP:
    case OMPT_WORK_LOOP_STATIC:
    case OMPT_WORK_LOOP_DYNAMIC:
    case OMPT_WORK_LOOP_GUIDED:
    case OMPT_WORK_LOOP_OTHER:
      *construct = OMP_LOOP;
      return true;
    case OMPT_WORK_SECTIONS:
      *construct = OMP_SECTION;
      return true;
    case OMPT_WORK_SINGLE_EXECUTOR:
      *construct = OMP_SINGLE;
      return true;
    default:
      return false;
    }
}

/* Of chunks, where the runtime tells of each, the one before ends where the next begins. */
static void
end_chunk (OmpThread *thread)
{
  if (thread->current != NULL && thread->current->is_chunk)
    omp_share_end (thread);
}

static void
work (int type, int endpoint, OmptData *parallel, OmptData *task, uint64_t count, const void *place)
{
  OmpThread *thread = listening ();
  OmpConstruct construct;

  if (thread == NULL || !get_construct (type, &construct))
    return;
  end_chunk (thread);
  if (endpoint == OMPT_BEGIN)
    omp_share_begin (thread, construct, omp_routine_of_place (place, construct));
  else if (thread->current != NULL && thread->current->construct == construct)
    omp_share_end (thread);
}

static void
dispatch (OmptData *parallel, OmptData *task, int kind, OmptData instance)
{
  OmpThread *thread = listening ();
  const OmptChunk *chunk = kind == OMPT_DISPATCH_LOOP_CHUNK ? instance.ptr : NULL;
  OmpWork *share;

  if (thread == NULL || thread->current == NULL ||
      (kind != OMPT_DISPATCH_SECTION && kind != OMPT_DISPATCH_LOOP_CHUNK))
    return;
  end_chunk (thread);
  share = omp_share_begin (thread, kind == OMPT_DISPATCH_SECTION ? OMP_SECTION : OMP_LOOP,
                           kind == OMPT_DISPATCH_SECTION
                               ? omp_routine_of_place (instance.ptr, OMP_SECTION)
                               : thread->current->task.routine);
  if (share == NULL)
    return;
  share->is_chunk = true;
  if (chunk == NULL)
    return;
  share->has_range = true;
  share->range_begin = chunk->start;
  share->range_end = chunk->start + chunk->iterations;
}

/* ---- The tool ---- */

static int
initialize (OmptLookup lookup, int device, OmptData *data)
{
  static const struct
  {
    int event;
    OmptCallback callback;
  } wanted[] = {
    { OMPT_PARALLEL_BEGIN, (OmptCallback) parallel_begin },
    { OMPT_PARALLEL_END, (OmptCallback) parallel_end },
    { OMPT_TASK_CREATE, (OmptCallback) task_create },
    { OMPT_TASK_SCHEDULE, (OmptCallback) task_schedule },
    { OMPT_IMPLICIT_TASK, (OmptCallback) implicit_task },
    { OMPT_DEPENDENCES, (OmptCallback) dependences },
    { OMPT_WORK, (OmptCallback) work },
    { OMPT_SYNC_REGION_WAIT, (OmptCallback) sync_region_wait },
    { OMPT_SYNC_REGION, (OmptCallback) sync_region },
    { OMPT_MUTEX_ACQUIRE, (OmptCallback) mutex_acquire },
    { OMPT_MUTEX_ACQUIRED, (OmptCallback) mutex_acquired },
    { OMPT_DISPATCH, (OmptCallback) dispatch },
  };
  OmptSetCallback set = (OmptSetCallback) lookup ("ompt_set_callback");
  Dl_info info;

  if (set == NULL)
    return 0;
  if (dladdr ((const void *) lookup, &info) != 0)
    omp_runtime = info.dli_fbase;
  weft_target_start ();
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    set (wanted[i].event, wanted[i].callback);
  return 1;
}

static void
finalize (OmptData *data)
{
}

__attribute__ ((visibility ("default"))) OmptStart *ompt_start_tool (unsigned version,
                                                                     const char *runtime);

OmptStart *
ompt_start_tool (unsigned version, const char *runtime)
{
  static OmptStart start = { .initialize = initialize, .finalize = finalize };

  return &start;
}
