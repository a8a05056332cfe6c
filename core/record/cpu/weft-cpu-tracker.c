/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-tracker-private.h"

#include <string.h>

#include "weft-clock.h"

#define MILLISECOND (NS_PER_SECOND / 1000)
#define HAND_OVER_INTERVAL (50 * MILLISECOND)
#define HURRY (25 * MILLISECOND) /* by then, what /proc and memory tell is mostly still true */
#define TIMES_INTERVAL NS_PER_SECOND
#define ENDED_KEPT (2 * NS_PER_SECOND)
#define MAX_BATCHED 4096
#define DEFAULT_SHARE 50
#define DEFAULT_FRAMES 1024

static void
adopt_options (WeftCpuTracker *self, const WeftCpuTrackerOptions *options)
{
  self->options = options ? *options : (WeftCpuTrackerOptions){ 0 };
  if (self->options.snapshot_share == 0)
    self->options.snapshot_share = DEFAULT_SHARE;
  if (self->options.max_frames == 0)
    self->options.max_frames = DEFAULT_FRAMES;
  g_free (self->frames);
  self->frames = g_new (WeftCodeFrame, self->options.max_frames);
}

WeftCpuTracker *
weft_cpu_tracker_new (const WeftCpuTrackerOptions *options, WeftModuleSet *modules,
                      WeftCpuRows *rows)
{
  WeftCpuTracker *self = g_new0 (WeftCpuTracker, 1);

  g_mutex_init (&self->lock);
  adopt_options (self, options);
  self->modules = modules;
  self->rows = rows;
  self->batch = weft_cpu_batch_new ();
  self->processes = g_hash_table_new (NULL, NULL);
  self->threads = g_hash_table_new (NULL, NULL);
  self->untold_processes = g_ptr_array_new ();
  self->untold_threads = g_ptr_array_new ();
  self->callchains = weft_cpu_callchains_new ();
  self->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->stack = g_malloc (WEFT_STACK_BYTES);
  self->primitives = weft_wait_primitives_new ();
  self->places =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  self->system_calls = g_hash_table_new (NULL, NULL);
  return self;
}

void
weft_cpu_tracker_free (WeftCpuTracker *self)
{
  weft_cpu_tracker_tell_identities (self);
  weft_cpu_tracker_clear_threads (self);
  g_hash_table_unref (self->processes);
  g_hash_table_unref (self->threads);
  g_ptr_array_unref (self->untold_processes);
  g_ptr_array_unref (self->untold_threads);
  weft_cpu_batch_free (self->batch);
  weft_cpu_callchains_free (self->callchains);
  g_hash_table_unref (self->texts);
  weft_wait_primitives_free (self->primitives);
  g_hash_table_unref (self->places);
  g_hash_table_unref (self->system_calls);
  g_free (self->stack);
  g_free (self->frames);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
weft_cpu_tracker_set_options (WeftCpuTracker *self, const WeftCpuTrackerOptions *options)
{
  g_mutex_lock (&self->lock);
  adopt_options (self, options);
  g_mutex_unlock (&self->lock);
}

/* A thread that is heard of runs: if we thought that it waits, we were not told that it went on. */
static void
note_running (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time)
{
  if (thread->state != WEFT_CPU_THREAD_WAITING || time < thread->since)
    return;
  weft_cpu_tracker_end_wait (self, thread, time, 0);
  weft_cpu_tracker_account (thread, time);
  thread->state = WEFT_CPU_THREAD_RUNNING;
}

/* ---- Processes ---- */

void
weft_cpu_tracker_map (WeftCpuTracker *self, const WeftCpuMap *map)
{
  WeftModuleFile file = { .path = map->path,
                          .pid = map->pid,
                          .device = map->device,
                          .inode = map->inode,
                          .build_id = map->build_id,
                          .build_id_length = map->build_id_length,
                          .start = map->address,
                          .end = map->address + map->length };
  WeftCpuMappingRow row = {
    .time = map->time, .address = map->address, .length = map->length, .offset = map->offset
  };

  if (map->pid <= 0)
    return;
  row.module = weft_module_set_get (self->modules, &file);
  g_mutex_lock (&self->lock);
  {
    WeftCpuProcess *process = weft_cpu_tracker_get_process (self, map->pid, map->time);

    weft_address_space_map (process->space, map->address, map->length, map->offset, row.module);
    weft_cpu_tracker_add_mapping (self, process, &row);
  }
  g_mutex_unlock (&self->lock);
}

/* Another program in the same process: what the file has stays as it was. What a forked process did
 * in the few milliseconds before its exec belongs to the program that it then runs.
 */
static WeftCpuProcess *
begin_image (WeftCpuTracker *self, WeftCpuProcess *old, gint64 time)
{
  WeftCpuProcess *process;

  if (!old->told)
    {
      weft_address_space_clear (old->space);
      g_array_set_size (old->mappings, 0);
      weft_process_info_clear (&old->info);
      old->has_info = FALSE;
      old->image = time;
      return old;
    }
  process = weft_cpu_tracker_new_process (self, old->pid, time);
  process->parent = old->parent;
  process->started = old->started;
  return process;
}

/* Threads other than the one that goes on have ended; it may have had another number. */
static void
end_other_threads (WeftCpuTracker *self, WeftCpuProcess *process, int tid, gint64 time)
{
  GHashTableIter iter;
  gpointer value;

  if (process->n_live_threads <= 1)
    return;
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftCpuThread *thread = value;

      if (thread->process == process && thread->tid != tid)
        weft_cpu_tracker_end_thread (self, thread, time);
    }
}

static void
begin_program (WeftCpuTracker *self, gint64 time, int pid, const char *name)
{
  WeftCpuProcess *old = weft_cpu_tracker_get_process (self, pid, time);
  WeftCpuThread *thread = weft_cpu_tracker_find_thread (self, pid);
  WeftCpuProcess *process;

  end_other_threads (self, old, pid, time);
  if (thread != NULL && thread->process == old)
    note_running (self, thread, time);
  process = begin_image (self, old, time);
  process->watched = TRUE;
  process->refused = FALSE;
  self->last_fleeting = time;
  g_strlcpy (process->name, name, sizeof process->name);
  if (thread == NULL || thread->process != process || thread->state == WEFT_CPU_THREAD_ENDED)
    {
      gint64 born = thread && thread->process == old ? thread->born : 0;

      thread = weft_cpu_tracker_new_thread (self, process, pid, time, WEFT_CPU_THREAD_RUNNING);
      thread->born = born;
    }
  g_strlcpy (thread->name, name, sizeof thread->name);
}

void
weft_cpu_tracker_name (WeftCpuTracker *self, gint64 time, int pid, int tid, const char *name,
                       gboolean is_exec)
{
  WeftCpuThread *thread;

  if (pid <= 0)
    return;
  g_mutex_lock (&self->lock);
  if (is_exec)
    begin_program (self, time, pid, name);
  else if ((thread = weft_cpu_tracker_find_thread (self, tid)) != NULL)
    {
      g_strlcpy (thread->name, name, sizeof thread->name);
      if (pid == tid)
        g_strlcpy (thread->process->name, name, sizeof thread->process->name);
    }
  g_mutex_unlock (&self->lock);
}

/* A forked process has its parent's mappings, name and command line. */
static WeftCpuProcess *
fork_process (WeftCpuTracker *self, gint64 time, int pid, int parent_pid)
{
  WeftCpuProcess *parent = g_hash_table_lookup (self->processes, GINT_TO_POINTER (parent_pid));
  WeftCpuProcess *process = weft_cpu_tracker_new_process (self, pid, time);

  process->started = time;
  process->parent = parent_pid;
  if (parent == NULL)
    {
      weft_cpu_tracker_read_mappings (self, process, time);
      return process;
    }
  weft_address_space_free (process->space);
  process->space = weft_address_space_copy (parent->space);
  process->watched = parent->watched;
  process->read = parent->read;
  g_strlcpy (process->name, parent->name, sizeof process->name);
  weft_cpu_process_read_info (parent);
  if (parent->has_info)
    {
      process->info = (WeftProcessInfo){ .uid = parent->info.uid,
                                         .stack_start = parent->info.stack_start,
                                         .executable = g_strdup (parent->info.executable),
                                         .command_line = g_strdup (parent->info.command_line) };
    }
  return process;
}

void
weft_cpu_tracker_start (WeftCpuTracker *self, gint64 time, int pid, int tid, int parent_pid,
                        int parent_tid)
{
  WeftCpuProcess *process;
  WeftCpuThread *thread, *parent;

  if (pid <= 0 || tid <= 0)
    return;
  g_mutex_lock (&self->lock);
  process = pid == tid && pid != parent_pid ? fork_process (self, time, pid, parent_pid)
                                            : weft_cpu_tracker_get_process (self, pid, time);
  thread = weft_cpu_tracker_new_thread (self, process, tid, time, WEFT_CPU_THREAD_WAITING);
  parent = weft_cpu_tracker_find_thread (self, parent_tid);
  if (parent != NULL)
    g_strlcpy (thread->name, parent->name, sizeof thread->name);
  thread->born = time;
  weft_cpu_tracker_begin_wait (self, thread, time, TRUE);
  /* Who makes a thread makes it runnable. */
  if (parent != NULL)
    {
      thread->wait.wakeup =
          (WeftCpuWakeupRow){ .time = time,
                              .waker = weft_cpu_tracker_refer_thread (self, parent),
                              .wakee = weft_cpu_tracker_refer_thread (self, thread),
                              .end = WEFT_STACK_END_NOT_UNWOUND };
      thread->wait.has_wakeup = TRUE;
    }
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_exit (WeftCpuTracker *self, gint64 time, int pid, int tid)
{
  WeftCpuThread *thread;

  g_mutex_lock (&self->lock);
  thread = weft_cpu_tracker_find_thread (self, tid);
  if (thread != NULL && thread->process->pid == pid)
    weft_cpu_tracker_end_thread (self, thread, time);
  g_mutex_unlock (&self->lock);
}

/* ---- Samples ---- */

static void
add_sample (WeftCpuTracker *self, WeftCpuThread *thread, const WeftCpuSample *sample)
{
  WeftCpuSampleRow row = { .cpu = (guint16) sample->cpu,
                           .has_counters = sample->has_counters,
                           .time = sample->time,
                           .weight = sample->weight,
                           .cycles = sample->cycles,
                           .instructions = sample->instructions };
  WeftStackEnd end;
  gboolean extended;
  guint n_frames;

  row.thread = weft_cpu_tracker_refer_thread (self, thread);
  row.callchain =
      weft_cpu_tracker_add_stack (self, thread->process, sample, &end, &extended, &n_frames);
  row.frame = weft_cpu_callchains_get_frame (self->callchains, row.callchain);
  row.end = (guint8) end;
  row.marks = (guint8) (sample->marks | (extended ? WEFT_CPU_MARK_EXTENDED : 0));
  g_array_append_val (self->batch->samples, row);
  self->status.samples++;
  if (end == WEFT_STACK_END_COMPLETE)
    self->status.stacks_complete++;
  if (extended || end == WEFT_STACK_END_TRUNCATED)
    self->last_fleeting = sample->time;
}

void
weft_cpu_tracker_sample (WeftCpuTracker *self, const WeftCpuSample *sample)
{
  WeftCpuThread *thread;

  if (sample->pid <= 0 || sample->tid <= 0)
    return;
  g_mutex_lock (&self->lock);
  thread = weft_cpu_tracker_get_thread (self, sample->pid, sample->tid, sample->time);
  thread->only_wakes = FALSE;
  note_running (self, thread, sample->time);
  if (weft_cpu_tracker_may_add (self))
    add_sample (self, thread, sample);
  g_mutex_unlock (&self->lock);
}

/* ---- Switches ---- */

void
weft_cpu_tracker_switch_out (WeftCpuTracker *self, gint64 time, int pid, int tid,
                             gboolean preempted, guint state, const WeftCpuSample *stack)
{
  WeftCpuThread *thread;

  if (pid <= 0 || tid <= 0)
    return;
  g_mutex_lock (&self->lock);
  thread = weft_cpu_tracker_get_thread (self, pid, tid, time);
  thread->only_wakes = FALSE;
  if (thread->state == WEFT_CPU_THREAD_WAITING && time > thread->since)
    {
      /* It ran in between, for who knows how long. */
      thread->wait.uncertain = TRUE;
      note_running (self, thread, time);
    }
  if (thread->state == WEFT_CPU_THREAD_RUNNING)
    {
      weft_cpu_tracker_begin_wait (self, thread, time, preempted);
      if (stack != NULL)
        weft_cpu_tracker_look_at_switch (self, thread, stack);
    }
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_switch_in (WeftCpuTracker *self, gint64 time, int pid, int tid, guint cpu)
{
  WeftCpuThread *thread;

  if (pid <= 0 || tid <= 0)
    return;
  g_mutex_lock (&self->lock);
  thread = weft_cpu_tracker_get_thread (self, pid, tid, time);
  thread->only_wakes = FALSE;
  note_running (self, thread, time);
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_wakeup (WeftCpuTracker *self, gint64 time, int waker_pid, int waker_tid,
                         int wakee_tid, gboolean in_interrupt, const WeftCpuSample *stack)
{
  WeftCpuThread *wakee, *waker;
  WeftStackEnd end = WEFT_STACK_END_NOT_UNWOUND;
  gboolean extended, is_known;
  guint n_frames;

  g_mutex_lock (&self->lock);
  wakee = weft_cpu_tracker_find_thread (self, wakee_tid);
  if (wakee != NULL && wakee->state == WEFT_CPU_THREAD_WAITING && !wakee->wait.preempted &&
      !wakee->wait.has_wakeup && time >= wakee->since)
    {
      WeftCpuWakeupRow row = { .time = time };

      row.wakee = weft_cpu_tracker_refer_thread (self, wakee);
      if (!in_interrupt && waker_pid > 0)
        {
          is_known = weft_cpu_tracker_find_thread (self, waker_tid) != NULL;
          waker = weft_cpu_tracker_get_thread (self, waker_pid, waker_tid, time);
          waker->only_wakes = waker->only_wakes || !is_known;
          row.waker = weft_cpu_tracker_refer_thread (self, waker);
          if (stack != NULL)
            row.callchain = weft_cpu_tracker_add_stack (self, waker->process, stack, &end,
                                                        &extended, &n_frames);
        }
      row.end = (guint8) end;
      wakee->wait.wakeup = row;
      wakee->wait.has_wakeup = TRUE;
    }
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_lost (WeftCpuTracker *self, gint64 time, guint cpu, guint64 count)
{
  g_mutex_lock (&self->lock);
  self->status.lost += count;
  g_mutex_unlock (&self->lock);
}

/* ---- Processes that run already ---- */

static void
attach_thread (WeftCpuTracker *self, WeftCpuProcess *process, int tid, gint64 time)
{
  WeftCpuThread *thread = weft_cpu_tracker_find_thread (self, tid);
  g_autofree char *name = NULL;
  char state;

  if (thread != NULL && thread->state != WEFT_CPU_THREAD_ENDED)
    return;
  state = weft_process_thread_state (process->pid, tid);
  if (state == '\0')
    return;
  thread = weft_cpu_tracker_new_thread (self, process, tid, time, WEFT_CPU_THREAD_RUNNING);
  name = weft_process_thread_name (process->pid, tid);
  g_strlcpy (thread->name, name ? name : "", sizeof thread->name);
  if (state == 'R')
    return;
  weft_cpu_tracker_begin_wait (self, thread, time, FALSE);
  thread->wait.uncertain = TRUE;
}

gboolean
weft_cpu_tracker_attach (WeftCpuTracker *self, gint64 time, int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  WeftCpuProcess *process;
  const char *name;

  if (tasks == NULL)
    return FALSE;
  g_mutex_lock (&self->lock);
  process = weft_cpu_tracker_get_process (self, pid, time);
  if (process->read == 0 && !process->watched)
    {
      weft_process_info_clear (&process->info);
      weft_process_info_read (&process->info, pid);
      process->has_info = TRUE;
      process->started = process->info.started;
      process->parent = process->info.parent;
      g_strlcpy (process->name, process->info.name ? process->info.name : "", sizeof process->name);
      weft_cpu_tracker_read_mappings (self, process, time);
      process->watched = TRUE;
    }
  while ((name = g_dir_read_name (tasks)) != NULL)
    attach_thread (self, process, atoi (name), time);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* ---- Handing over ---- */

static void
tell_loss (WeftCpuTracker *self, WeftLoss loss, guint64 count, guint64 *told, gint64 now)
{
  WeftCpuLossRow row = { loss, now, count };

  if (count == *told)
    return;
  g_array_append_val (self->batch->losses, row);
  *told = count;
}

/* Waits that are under way may still name callchains of now: those of before are out of use. */
static void
forget_callchains (WeftCpuTracker *self)
{
  self->batch->frames_in_use = self->frames_since;
  self->batch->callchains_in_use = self->callchains_since;
  weft_cpu_callchains_forget (self->callchains);
  self->frames_since = weft_cpu_callchains_get_n_frames (self->callchains) + 1;
  self->callchains_since = weft_cpu_callchains_get_n_callchains (self->callchains) + 1;
}

static void
hand_over (WeftCpuTracker *self, gint64 now)
{
  self->last_hand_over = now;
  weft_cpu_tracker_tell_identities (self);
  if (weft_cpu_batch_is_empty (self->batch))
    return;
  weft_cpu_rows_post (self->rows, self->batch);
  self->batch = weft_cpu_batch_new ();
  self->batched = 0;
  if (self->max_callchains > 0 &&
      weft_cpu_callchains_get_n_held (self->callchains) > self->max_callchains)
    forget_callchains (self);
}

void
weft_cpu_tracker_set_max_callchains (WeftCpuTracker *self, guint max)
{
  self->max_callchains = max;
}

static void
tell_all_times (WeftCpuTracker *self, gint64 now, gboolean all)
{
  GHashTableIter iter;
  gpointer value;

  self->last_times = now;
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftCpuThread *thread = value;

      if (thread->state == WEFT_CPU_THREAD_ENDED ||
          (!all && !thread->changed && thread->state == WEFT_CPU_THREAD_WAITING))
        continue;
      if (thread->state == WEFT_CPU_THREAD_RUNNING)
        weft_cpu_tracker_account (thread, now);
      weft_cpu_tracker_tell_times (self, thread, now);
    }
  tell_loss (self, WEFT_LOSS_SAMPLE_LOST, self->status.lost, &self->told_lost, now);
  tell_loss (self, WEFT_LOSS_SAMPLER_BEHIND, self->status.behind, &self->told_behind, now);
  tell_loss (self, WEFT_LOSS_SNAPSHOT_SKIPPED, self->status.snapshots_skipped, &self->told_skipped,
             now);
}

/* Threads that wait for less than the interval are met by chance only: as long as there is plenty
 * of the time that looks may cost, some goes into looking more often.
 */
static gint64
next_look (WeftCpuTracker *self, gint64 now)
{
  if (now - self->last_wait >= 5 * MILLISECOND || !weft_cpu_tracker_take_turn (self))
    return now + self->options.snapshot_interval;
  return now + self->options.snapshot_interval / 4;
}

gint64
weft_cpu_tracker_tick (WeftCpuTracker *self, gint64 now)
{
  gint64 next = now + HAND_OVER_INTERVAL;

  g_mutex_lock (&self->lock);
  if (self->options.snapshot_interval > 0)
    {
      weft_cpu_tracker_look_around (self, now);
      if (now - self->last_wait < 100 * MILLISECOND || self->waiting.length > 0)
        next = next_look (self, now);
    }
  if (now - self->last_fleeting < NS_PER_SECOND)
    next = MIN (next, now + HURRY);
  if (now - self->last_times >= TIMES_INTERVAL)
    {
      tell_all_times (self, now, FALSE);
      weft_cpu_tracker_forget_ended (self, now - ENDED_KEPT);
    }
  if (now - self->last_hand_over >= HAND_OVER_INTERVAL || self->batched >= MAX_BATCHED)
    hand_over (self, now);
  g_mutex_unlock (&self->lock);
  return next;
}

void
weft_cpu_tracker_hand_over (WeftCpuTracker *self, gint64 now)
{
  g_mutex_lock (&self->lock);
  hand_over (self, now);
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_finish (WeftCpuTracker *self, gint64 now)
{
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftCpuThread *thread = value;

      if (thread->state == WEFT_CPU_THREAD_WAITING)
        weft_cpu_tracker_end_wait (self, thread, now, WEFT_WAIT_MARK_OPEN);
      weft_cpu_tracker_account (thread, now);
    }
  tell_all_times (self, now, TRUE);
  hand_over (self, now);
  g_mutex_unlock (&self->lock);
}

/* ---- For others ---- */

void
weft_cpu_tracker_prepare (WeftCpuTracker *self, int pid)
{
  WeftCpuProcess *process;
  gint64 now = weft_monotonic_now ();

  g_mutex_lock (&self->lock);
  process = weft_cpu_tracker_get_process (self, pid, now);
  if (!process->watched)
    weft_cpu_tracker_read_mappings (self, process, now);
  g_mutex_unlock (&self->lock);
}

guint64
weft_cpu_tracker_unwind (WeftCpuTracker *self, int pid, const WeftRegisters *registers,
                         const WeftStackCopy *stack, WeftStackEnd *end, gboolean *extended)
{
  WeftCpuProcess *process;
  gint64 now = weft_monotonic_now ();
  guint64 callchain;
  guint n_frames;

  g_mutex_lock (&self->lock);
  process = weft_cpu_tracker_get_process (self, pid, now);
  if (process->read == 0 && !process->watched)
    weft_cpu_tracker_read_mappings (self, process, now);
  callchain =
      weft_cpu_tracker_add_user_stack (self, process, registers, stack, end, extended, &n_frames);
  g_mutex_unlock (&self->lock);
  return callchain;
}

void
weft_cpu_tracker_get_status (WeftCpuTracker *self, WeftCpuTrackerStatus *status)
{
  g_mutex_lock (&self->lock);
  *status = self->status;
  status->frames = weft_cpu_callchains_get_n_frames (self->callchains);
  status->callchains = weft_cpu_callchains_get_n_callchains (self->callchains);
  g_mutex_unlock (&self->lock);
}
