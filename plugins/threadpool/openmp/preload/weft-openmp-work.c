/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items of work, from the moment they are handed over to their end, and what they wait for. */

#include "weft-openmp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const wait_names[] = { "barrier", "taskwait", "taskgroup", "dependences",
                                          "lock",    "ordered",  "join",      "suspended" };

/* ---- Threads ---- */

static __thread OmpThread *self __attribute__ ((tls_model ("initial-exec")));
static __thread bool gone __attribute__ ((tls_model ("initial-exec")));
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static bool has_key;

static void
thread_end (void *data)
{
  OmpThread *thread = data;

  gone = true;
  self = NULL;
  if (thread->root != NULL)
    omp_team_give_back (thread->root);
  for (OmpWork *work = thread->free, *next; work != NULL; work = next)
    {
      next = work->outer;
      free (work);
    }
  free (thread);
}

static void
make_key (void)
{
  has_key = pthread_key_create (&key, thread_end) == 0;
}

OmpThread *
omp_thread (void)
{
  OmpThread *thread = self;

  if (thread != NULL || gone)
    return thread;
  pthread_once (&key_once, make_key);
  thread = calloc (1, sizeof *thread);
  if (thread == NULL || !has_key || pthread_setspecific (key, thread) != 0)
    {
      free (thread);
      return NULL;
    }
  self = thread;
  return thread;
}

OmpWork *
omp_work_new (OmpThread *thread)
{
  OmpWork *work = thread->free;

  if (work != NULL)
    thread->free = work->outer;
  else
    work = malloc (sizeof *work);
  if (work != NULL)
    memset (work, 0, offsetof (OmpWork, waits));
  return work;
}

void
omp_work_free (OmpThread *thread, OmpWork *work)
{
  work->outer = thread->free;
  thread->free = work;
}

OmpSlot *
omp_thread_get_slot (OmpThread *thread)
{
  if (thread->place != NULL)
    return thread->place;
  if (thread->root == NULL)
    thread->root = omp_team_take ();
  return thread->root != NULL ? omp_team_get_slot (thread->root, 0) : NULL;
}

uint64_t
omp_nanoseconds (uint64_t begin, uint64_t end)
{
  uint64_t from = weft_target_to_nanoseconds (begin), to = weft_target_to_nanoseconds (end);

  return to > from ? to - from : 0;
}

/* ---- Counters ---- */

static uint32_t wait_set;
static uint32_t region_set;
static pthread_once_t sets_once = PTHREAD_ONCE_INIT;

static void
make_sets (void)
{
  static const WeftTargetCounter wait = { .name = "work.wait_time",
                                          .unit = WEFT_TARGET_UNIT_NANOSECONDS };
  static const WeftTargetCounter region[] = {
    { .name = "region.longest", .unit = WEFT_TARGET_UNIT_NANOSECONDS },
    { .name = "region.mean", .unit = WEFT_TARGET_UNIT_NANOSECONDS },
  };
  const WeftTargetCounterState state = { .availability = WEFT_TARGET_PRESENT };

  wait_set = weft_target_counter_set_new ("threadpool.waits", &wait, 1, &state);
  region_set = weft_target_counter_set_new ("threadpool.region", region, 2, &state);
}

/* ---- Regions ---- */

void
omp_region_begin (OmpThread *thread, OmpRegion *region, WeftTargetRoutine *routine,
                  WeftTargetOrigin origin)
{
  const WeftTargetRoleOrigin role = { WEFT_TARGET_ROLE_DISPATCH, origin };
  OmpSlot *slot;

  pthread_once (&sets_once, make_sets);
  slot = omp_thread_get_slot (thread);
  if (slot == NULL)
    return;
  region->outer = thread->place;
  region->team = thread->place != NULL ? omp_slot_get_nested (slot) : slot->team;
  region->id = weft_target_id_new ();
  region->routine = routine;
  region->origin = origin;
  weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = region->team->lane,
                                                        .submission = region->id,
                                                        .queue = region->team->queue,
                                                        .kind = WEFT_TARGET_SUBMISSION_COMMIT,
                                                        .ticks = origin.ticks,
                                                        .origins = &role,
                                                        .n_origins = 1 });
  region->queued = weft_target_now ();
}

static void
tell_wait (OmpRegion *region, WeftTargetRole role)
{
  WeftTargetLane *lane = region->team->lane;
  const WeftTargetOrigin origin = weft_target_origin ();
  OmpSlot *first = omp_team_get_slot (region->team, 0);
  uint64_t batch = first != NULL ? OMP_LOAD (&first->batch) : 0;

  weft_target_report_origin (lane, role, 0, region->id, origin);
  if (batch != 0)
    weft_target_report_origin (lane, role, 0, batch, origin);
}

void
omp_region_join (OmpThread *thread, OmpRegion *region)
{
  if (region->team == NULL || region->joining)
    return;
  region->joining = true;
  tell_wait (region, WEFT_TARGET_ROLE_WAIT_BEGIN);
  omp_wait_begin (thread, OMP_WAIT_JOIN);
}

static void
complete (OmpTeam *team, uint64_t submission)
{
  weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = team->lane,
                                                        .submission = submission,
                                                        .queue = team->queue,
                                                        .kind = WEFT_TARGET_SUBMISSION_COMPLETED });
}

/* How much longer the busiest thread worked than all did on average. All tasks are over, too. */
static void
close_slots (OmpRegion *region)
{
  unsigned n = OMP_LOAD (&region->n_threads);
  uint64_t longest = 0, sum = 0;

  for (unsigned i = 0; i < n; i++)
    {
      OmpSlot *slot = omp_team_get_slot (region->team, i);
      uint64_t busy, batch;

      if (slot == NULL)
        continue;
      busy = __atomic_exchange_n (&slot->busy, 0, __ATOMIC_RELAXED);
      batch = __atomic_exchange_n (&slot->batch, 0, __ATOMIC_RELAXED);
      longest = busy > longest ? busy : longest;
      sum += busy;
      if (batch != 0)
        complete (region->team, batch);
    }
  if (sum == 0)
    return;
  weft_target_report_samples (
      region->team->lane, region->first, 0,
      &(WeftTargetCounterSample){ .set = region_set,
                                  .point = WEFT_TARGET_POINT_SUBMISSION_END,
                                  .values = (WeftTargetCounterValue[]){ { .value.u64 = longest },
                                                                        { .value.u64 = sum / n } },
                                  .n_values = 2 },
      1);
  if (n > 1)
    weft_target_metric_report (region->team->imbalance, (double) longest * n / (double) sum);
}

/* None is left: what threads told of the queue's depth as they went may have crossed. */
static void
tell_tasks (OmpRegion *region)
{
  uint64_t created = OMP_LOAD (&region->n_created), begun = OMP_LOAD (&region->n_begun);

  if (created == 0)
    return;
  if (created > begun)
    weft_target_metric_report (region->team->dropped, (double) (created - begun));
  weft_target_metric_report (region->team->pending,
                             (double) __atomic_sub_fetch (&region->team->n_pending,
                                                          (int64_t) (created - begun),
                                                          __ATOMIC_RELAXED));
}

void
omp_region_end (OmpThread *thread, OmpRegion *region)
{
  if (region->team == NULL)
    return;
  if (region->joining)
    {
      omp_wait_end (thread, OMP_WAIT_JOIN);
      tell_wait (region, WEFT_TARGET_ROLE_WAIT_END);
    }
  thread->place = region->outer;
  close_slots (region);
  tell_tasks (region);
  complete (region->team, region->id);
}

/* ---- Begin ---- */

static void
enter (OmpThread *thread, OmpWork *work)
{
  work->outer = thread->current;
  thread->current = work;
  work->begun = true;
  work->span = weft_target_span_begin (work->slot->lane, work->task.routine);
}

OmpWork *
omp_implicit_begin (OmpThread *thread, OmpRegion *region, unsigned number, unsigned n_threads)
{
  OmpWork *work;
  OmpSlot *slot;

  if (region->team == NULL)
    return NULL;
  slot = omp_team_get_slot (region->team, number);
  work = slot != NULL ? omp_work_new (thread) : NULL;
  if (work == NULL)
    return NULL;
  work->construct = region->construct;
  work->region = region;
  work->slot = slot;
  work->task.routine = region->routine;
  work->task.origin = region->origin;
  work->task.submission = region->id;
  thread->place = slot;
  if (number == 0)
    {
      OMP_STORE (&region->n_threads, n_threads);
      work->id = weft_target_id_new ();
      region->first = work->id;
      if (region->team->n_workers != n_threads)
        weft_target_metric_report (region->team->workers, n_threads);
      region->team->n_workers = n_threads;
    }
  enter (thread, work);
  return work;
}

OmpWork *
omp_share_begin (OmpThread *thread, OmpConstruct construct, WeftTargetRoutine *routine)
{
  OmpSlot *slot = omp_thread_get_slot (thread);
  OmpWork *work = slot != NULL ? omp_work_new (thread) : NULL;

  if (work == NULL)
    return NULL;
  pthread_once (&sets_once, make_sets);
  work->construct = construct;
  work->slot = slot;
  work->task.routine = routine;
  if (thread->current != NULL)
    {
      work->region = thread->current->region;
      work->task.submission = thread->current->task.submission;
      work->task.origin = thread->current->task.origin;
    }
  enter (thread, work);
  return work;
}

/* Chunks are part of the work around them: what their tasks belong to, they give back. */
static bool
is_share (const OmpWork *work)
{
  return work->construct >= OMP_LOOP;
}

/* The work whose tasks those are that are made now. */
static OmpWork *
maker (OmpThread *thread)
{
  OmpWork *work = thread->current;

  while (work != NULL && is_share (work) && work->outer != NULL && !work->outer->over)
    work = work->outer;
  return work;
}

static uint64_t
get_batch (OmpWork *work, OmpTeam *team, WeftTargetOrigin origin)
{
  const WeftTargetRoleOrigin role = { WEFT_TARGET_ROLE_DISPATCH, origin };

  if (work == NULL)
    return 0;
  if (work->batch != 0)
    return work->batch;
  work->batch = weft_target_id_new ();
  weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = team->lane,
                                                        .submission = work->batch,
                                                        .queue = team->queue,
                                                        .kind = WEFT_TARGET_SUBMISSION_COMMIT,
                                                        .ticks = origin.ticks,
                                                        .origins = &role,
                                                        .n_origins = 1 });
  return work->batch;
}

void
omp_task_create (OmpThread *thread, OmpTask *task, WeftTargetRoutine *routine,
                 WeftTargetOrigin origin)
{
  OmpSlot *slot = omp_thread_get_slot (thread);
  OmpWork *work = maker (thread);

  pthread_once (&sets_once, make_sets);
  task->routine = routine;
  task->origin = origin;
  if (slot == NULL)
    return;
  task->region = work != NULL ? work->region : NULL;
  task->submission = get_batch (work, slot->team, origin);
  if (task->region == NULL || !task->counted)
    return;
  OMP_ADD (&task->region->n_created, 1);
  weft_target_metric_report (task->region->team->pending,
                             (double) OMP_ADD (&task->region->team->n_pending, 1));
}

void
omp_task_begin (OmpThread *thread, OmpWork *work)
{
  OmpTask *task = &work->task;
  OmpTeam *team;

  work->construct = OMP_TASK;
  work->region = task->region;
  work->slot = omp_thread_get_slot (thread);
  if (work->slot == NULL)
    return;
  if (task->region != NULL && task->counted)
    {
      team = task->region->team;
      OMP_ADD (&task->region->n_begun, 1);
      weft_target_metric_report (team->pending, (double) OMP_ADD (&team->n_pending, -1));
    }
  enter (thread, work);
  if (task->region == NULL || work->span.start == 0 || task->origin.ticks == 0)
    return;
  weft_target_metric_report (task->region->team->queue_wait,
                             (double) omp_nanoseconds (task->origin.ticks, work->span.start) / 1e6);
  if (task->origin.tid != weft_target_origin ().tid)
    weft_target_metric_report (task->region->team->steals, 1);
}

/* ---- End ---- */

typedef struct
{
  WeftTargetPhase phases[OMP_MAX_WAITS];
  WeftTargetAttachment attachments[OMP_MAX_DEPENDENCES];
  char labels[OMP_MAX_DEPENDENCES][20];
  WeftTargetTag tags[8];
  size_t n_tags;
  WeftTargetCounterValue waited;
  WeftTargetCounterSample sample;
  WeftTargetRoleOrigin origin;
} Sides;

static void
add_text (Sides *sides, const char *name, const char *value)
{
  sides->tags[sides->n_tags++] =
      (WeftTargetTag){ .key = name, .type = WEFT_TARGET_VALUE_STRING, .value.string = value };
}

static void
add_flag (Sides *sides, const char *name)
{
  sides->tags[sides->n_tags++] =
      (WeftTargetTag){ .key = name, .type = WEFT_TARGET_VALUE_BOOL, .value.boolean = true };
}

static void
add_number (Sides *sides, const char *name, int64_t value)
{
  sides->tags[sides->n_tags++] =
      (WeftTargetTag){ .key = name, .type = WEFT_TARGET_VALUE_I64, .value.i64 = value };
}

static void
add_tags (Sides *sides, const OmpWork *work)
{
  add_text (sides, "construct", omp_construct_names[work->construct]);
  if (work->has_range)
    {
      add_number (sides, "range.begin", (int64_t) work->range_begin);
      add_number (sides, "range.end", (int64_t) work->range_end);
    }
  if (work->construct != OMP_TASK)
    return;
  if (work->task.undeferred)
    add_flag (sides, "undeferred");
  if (work->task.untied)
    add_flag (sides, "untied");
  if (work->task.final)
    add_flag (sides, "final");
  if (work->task.priority != 0)
    add_number (sides, "priority", work->task.priority);
}

static size_t
add_phases (Sides *sides, const OmpWork *work)
{
  size_t n = work->n_waits < OMP_MAX_WAITS ? (size_t) work->n_waits : OMP_MAX_WAITS;

  for (size_t i = 0; i < n; i++)
    sides->phases[i] =
        (WeftTargetPhase){ .name = wait_names[work->waits[i].kind],
                           .offset = omp_nanoseconds (work->span.start, work->waits[i].start),
                           .duration = omp_nanoseconds (work->waits[i].start, work->waits[i].end) };
  return n;
}

/* Sixteen digits and "0x": addresses as everybody writes them, with no help of the C library. */
static void
write_address (char *text, const void *address)
{
  uintptr_t value = (uintptr_t) address;
  char digits[16];
  size_t n = 0;

  do
    digits[n++] = "0123456789abcdef"[value & 15];
  while ((value >>= 4) != 0);
  *text++ = '0';
  *text++ = 'x';
  while (n > 0)
    *text++ = digits[--n];
  *text = '\0';
}

static size_t
add_dependences (Sides *sides, const OmpTask *task)
{
  size_t n = task->n_dependences < OMP_MAX_DEPENDENCES ? task->n_dependences : OMP_MAX_DEPENDENCES;

  for (size_t i = 0; i < n; i++)
    {
      write_address (sides->labels[i], task->dependences[i].address);
      sides->attachments[i] = (WeftTargetAttachment){ .kind = "dependence",
                                                      .label = sides->labels[i],
                                                      .slot = (int32_t) i,
                                                      .access = task->dependences[i].access,
                                                      .size = WEFT_TARGET_UNKNOWN_SIZE };
    }
  return n;
}

static void
write_work (OmpWork *work, uint64_t end, WeftTargetStatus status)
{
  Sides sides;
  WeftTargetDispatch dispatch = { .lane = work->slot->lane,
                                  .routine = work->task.routine,
                                  .span = &work->span,
                                  .end = end,
                                  .id = work->id,
                                  .submission = work->task.submission,
                                  .status = status };

  sides.n_tags = 0;
  if (work->task.submission != 0 && !is_share (work))
    dispatch.queue = work->slot->team->queue;
  if (work->task.origin.ticks != 0 && !is_share (work))
    {
      sides.origin = (WeftTargetRoleOrigin){ WEFT_TARGET_ROLE_DISPATCH, work->task.origin };
      dispatch.origins = &sides.origin;
      dispatch.n_origins = 1;
      dispatch.submitted = work->task.origin.ticks;
      dispatch.has_queue_wait = true;
      dispatch.queue_wait = omp_nanoseconds (work->task.origin.ticks, work->span.start);
      dispatch.queue_wait_last = dispatch.queue_wait;
    }
  dispatch.phases = sides.phases;
  dispatch.n_phases = add_phases (&sides, work);
  if (work->idle != 0)
    {
      sides.waited = (WeftTargetCounterValue){ .value.u64 = work->idle };
      sides.sample = (WeftTargetCounterSample){ .set = wait_set,
                                                .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                                .values = &sides.waited,
                                                .n_values = 1 };
      dispatch.samples = &sides.sample;
      dispatch.n_samples = 1;
    }
  if (work->construct == OMP_TASK && work->task.n_dependences > 0)
    {
      dispatch.attachments = sides.attachments;
      dispatch.n_attachments = add_dependences (&sides, &work->task);
    }
  add_tags (&sides, work);
  dispatch.tags = sides.tags;
  dispatch.n_tags = sides.n_tags;
  weft_target_dispatch (&dispatch);
}

/* Who has other work around it was busy with that; the thread's own time is counted once. */
static void
account (OmpWork *work, uint64_t end)
{
  uint64_t took = omp_nanoseconds (work->span.start, end);
  OmpWork *outer = work->outer;

  if (outer == NULL || outer->slot != work->slot)
    OMP_ADD (&work->slot->busy, took > work->idle ? took - work->idle : 0);
  if (outer == NULL)
    return;
  outer->idle += work->idle;
  if (outer->waiting)
    outer->inner += took;
}

void
omp_work_end (OmpThread *thread, OmpWork *work, WeftTargetStatus status)
{
  uint64_t end;

  while (thread->current != NULL && thread->current != work && is_share (thread->current))
    omp_share_end (thread);
  if (work->over)
    return;
  if (work->waiting)
    omp_wait_end (thread, OMP_WAIT_JOIN);
  work->over = true;
  if (thread->current == work)
    thread->current = work->outer;
  if (work->span.start == 0)
    return;
  if (work->construct == OMP_PARALLEL && work->batch != 0)
    OMP_STORE (&work->slot->batch, work->batch);
  end = weft_target_now ();
  account (work, end);
  write_work (work, end, status);
}

void
omp_share_end (OmpThread *thread)
{
  OmpWork *work = thread->current;

  if (work == NULL || !is_share (work))
    return;
  omp_work_end (thread, work, WEFT_TARGET_OK);
  omp_work_free (thread, work);
}

/* ---- Waits ---- */

static void
add_wait (OmpWork *work, OmpWaitKind kind, uint64_t start, uint64_t end)
{
  if (work->n_waits++ < OMP_MAX_WAITS)
    work->waits[work->n_waits - 1] = (OmpWait){ kind, start, end };
}

void
omp_work_suspend (OmpThread *thread, OmpWork *work)
{
  if (thread->current != work)
    return;
  thread->current = work->outer;
  work->suspended = true;
  work->wait_start = weft_target_now ();
}

void
omp_work_resume (OmpThread *thread, OmpWork *work)
{
  uint64_t end = weft_target_now ();

  work->suspended = false;
  work->idle += omp_nanoseconds (work->wait_start, end);
  add_wait (work, OMP_WAIT_SUSPENDED, work->wait_start, end);
  work->slot = omp_thread_get_slot (thread);
  work->outer = thread->current;
  thread->current = work;
}

/* What the wait is for: tasks that the work around it made. */
static void
tell_evidence (OmpThread *thread, OmpWaitKind kind, WeftTargetRole role)
{
  OmpWork *work = maker (thread);

  if (work == NULL || work->batch == 0 || kind > OMP_WAIT_GROUP)
    return;
  weft_target_report_origin (work->slot->team->lane, role, 0, work->batch, weft_target_origin ());
  if (role != WEFT_TARGET_ROLE_WAIT_END)
    return;
  complete (work->slot->team, work->batch);
  work->batch = 0;
}

void
omp_wait_begin (OmpThread *thread, OmpWaitKind kind)
{
  OmpWork *work = thread->current;

  if (work == NULL || work->waiting)
    return;
  tell_evidence (thread, kind, WEFT_TARGET_ROLE_WAIT_BEGIN);
  work->waiting = true;
  work->inner = 0;
  work->wait_start = weft_target_now ();
}

void
omp_wait_end (OmpThread *thread, OmpWaitKind kind)
{
  OmpWork *work = thread->current;
  uint64_t end, took;

  if (work == NULL || !work->waiting)
    return;
  end = weft_target_now ();
  took = omp_nanoseconds (work->wait_start, end);
  work->waiting = false;
  work->idle += took > work->inner ? took - work->inner : 0;
  add_wait (work, kind, work->wait_start, end);
  tell_evidence (thread, kind, WEFT_TARGET_ROLE_WAIT_END);
}

void
omp_wait_for_lock (OmpThread *thread, OmpWaitKind kind, uint64_t since)
{
  OmpWork *work = thread->current;
  uint64_t end = weft_target_now (), took = omp_nanoseconds (since, end);

  if (work == NULL || work->waiting || took < OMP_SHORT_WAIT)
    return;
  work->idle += took;
  add_wait (work, kind, since, end);
}

/* ---- Task groups ---- */

/* What is made inside is waited for at its end, what was made before is not. */
void
omp_group_begin (OmpThread *thread)
{
  OmpWork *work = maker (thread);

  if (work == NULL)
    return;
  if (work->n_groups < OMP_MAX_GROUPS)
    {
      work->groups[work->n_groups] = work->batch;
      work->batch = 0;
    }
  work->n_groups++;
}

void
omp_group_end (OmpThread *thread)
{
  OmpWork *work = maker (thread);

  if (work == NULL || work->n_groups == 0)
    return;
  work->n_groups--;
  if (work->n_groups < OMP_MAX_GROUPS)
    work->batch = work->groups[work->n_groups];
}
