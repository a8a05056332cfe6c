/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who runs and who waits. A thread does one or the other from its first event to its end, so that
 * both add up to the time between.
 */
#include "weft-cpu-tracker-private.h"

void
weft_cpu_tracker_account (WeftCpuThread *thread, gint64 time)
{
  guint64 passed;

  if (time <= thread->since || thread->state == WEFT_CPU_THREAD_ENDED)
    return;
  passed = (guint64) (time - thread->since);
  if (thread->state == WEFT_CPU_THREAD_RUNNING)
    thread->on_cpu += passed;
  else
    thread->off_cpu += passed;
  thread->since = time;
  thread->changed = TRUE;
}

void
weft_cpu_tracker_tell_times (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time)
{
  WeftCpuThreadTimeRow row = { .ended = thread->state == WEFT_CPU_THREAD_ENDED,
                               .time = thread->since,
                               .start = thread->started,
                               .on_cpu = thread->on_cpu,
                               .off_cpu = thread->off_cpu };

  /* Of a thread that is not watched nothing tells when it runs. */
  if (thread->only_wakes)
    return;
  /* A wait is accounted when it ends, which it has not yet. */
  if (thread->state == WEFT_CPU_THREAD_WAITING && time > thread->since)
    {
      row.off_cpu += (guint64) (time - thread->since);
      row.time = time;
    }
  row.thread = weft_cpu_tracker_refer_thread (self, thread);
  g_array_append_val (self->batch->thread_times, row);
  thread->changed = FALSE;
}

/* Samples and waits are left out, and counted, if the file's thread does not keep up. */
gboolean
weft_cpu_tracker_may_add (WeftCpuTracker *self)
{
  if (G_LIKELY (!weft_cpu_rows_is_behind (self->rows)))
    {
      self->batched++;
      return TRUE;
    }
  self->status.behind++;
  return FALSE;
}

static void
leave_queue (WeftCpuTracker *self, WeftCpuThread *thread)
{
  if (thread->queued)
    g_queue_unlink (&self->waiting, &thread->link);
  thread->queued = FALSE;
}

void
weft_cpu_tracker_begin_wait (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time,
                             gboolean preempted)
{
  WeftCpuLook early = thread->early;

  weft_cpu_tracker_account (thread, time);
  thread->state = WEFT_CPU_THREAD_WAITING;
  thread->since = MAX (time, thread->since);
  thread->wait =
      (WeftCpuWait){ .preempted = preempted, .looked = preempted, .lost = self->status.lost };
  if (preempted)
    return;
  thread->early.begin = 0;
  self->last_wait = time;
  if (early.begin > time)
    {
      thread->wait.look = early;
      thread->wait.looked = TRUE;
      return;
    }
  if (early.begin != 0)
    self->status.snapshots_discarded++;
  g_queue_push_tail_link (&self->waiting, &thread->link);
  thread->queued = TRUE;
}

/* A look that ended after the thread ran again saw something else; maybe its next wait. */
static void
check_look (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time)
{
  WeftCpuWait *wait = &thread->wait;

  if (wait->look.begin == 0 || wait->look.end < time)
    return;
  thread->early = wait->look;
  wait->look = (WeftCpuLook){ .reason = WEFT_WAIT_REASON_UNKNOWN };
}

/* Who waits for a thread or process to end is woken by its end, whatever told of it. */
static void
find_end (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time)
{
  WeftCpuWait *wait = &thread->wait;
  const WeftCpuLook *look = wait->look.begin != 0 ? &wait->look : &wait->at_switch;
  WeftCpuWakeupRow row = { .wakee = weft_cpu_tracker_refer_thread (self, thread) };
  WeftCpuThread *ended =
      look->awaited != 0 ? weft_cpu_tracker_find_thread (self, look->awaited) : NULL;

  /* The kernel wakes before it tells of the end. */
  if (ended != NULL && ended->state != WEFT_CPU_THREAD_WAITING)
    {
      row.time = ended->state == WEFT_CPU_THREAD_ENDED ? ended->since : time;
      row.waker = weft_cpu_tracker_refer_thread (self, ended);
    }
  else if (look->child)
    {
      row.time = thread->process->child_ended;
      row.waker = thread->process->last_child;
    }
  if (row.waker == 0 || row.time < thread->since || row.time > time)
    return;
  wait->wakeup = row;
  wait->has_wakeup = TRUE;
}

static void
count_wait (WeftCpuTracker *self, const WeftCpuThread *thread, gint64 stop)
{
  const WeftCpuWait *wait = &thread->wait;
  guint64 duration = (guint64) (stop - thread->since);

  self->status.waits++;
  self->status.wait_time += duration;
  if (wait->preempted || wait->look.callchain != 0 || wait->at_switch.callchain != 0)
    self->status.covered_time += duration;
  if (wait->has_wakeup)
    self->status.wakers_known++;
}

static guint32
add_wakeup (WeftCpuTracker *self, WeftCpuThread *thread)
{
  if (!thread->wait.has_wakeup)
    return 0;
  g_array_append_val (self->batch->wakeups, thread->wait.wakeup);
  return self->batch->wakeups->len;
}

static void
add_wait (WeftCpuTracker *self, WeftCpuThread *thread, gint64 stop, guint marks)
{
  const WeftCpuWait *wait = &thread->wait;
  WeftCpuLook look = wait->look;
  WeftCpuWaitRow row = { .thread = weft_cpu_tracker_refer_thread (self, thread),
                         .start = thread->since,
                         .stop = stop,
                         .marks = (guint8) marks };

  /* Where the stack came with the switch, it is the better one. */
  if (look.begin == 0)
    look = wait->at_switch;
  else if (wait->at_switch.callchain != 0)
    {
      look.callchain = wait->at_switch.callchain;
      look.stack_end = wait->at_switch.stack_end;
    }
  row.callchain = look.callchain;
  row.end = look.stack_end;
  row.snapshot = look.begin;
  row.object = look.object;
  row.system_call = look.system_call;
  row.has_system_call = look.has_system_call;
  row.detail = look.detail;
  row.reason = wait->preempted ? WEFT_WAIT_REASON_PREEMPTED : look.reason;
  if (!weft_cpu_tracker_may_add (self))
    return;
  row.wakeup = add_wakeup (self, thread);
  g_array_append_val (self->batch->waits, row);
}

void
weft_cpu_tracker_end_wait (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time, guint marks)
{
  WeftCpuWait *wait = &thread->wait;

  time = MAX (time, thread->since);
  if (self->options.approximate || wait->uncertain || wait->lost != self->status.lost)
    marks |= WEFT_WAIT_MARK_APPROXIMATE;
  if (!wait->preempted)
    check_look (self, thread, time);
  if (thread->queued && wait->look.begin == 0 && self->budget <= 0)
    self->status.snapshots_skipped++;
  leave_queue (self, thread);
  if (!wait->preempted && !wait->has_wakeup && !(marks & WEFT_WAIT_MARK_OPEN))
    find_end (self, thread, time);
  count_wait (self, thread, time);
  add_wait (self, thread, time, marks);
}
