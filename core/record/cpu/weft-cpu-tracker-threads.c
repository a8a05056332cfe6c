/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes and threads there are. Their numbers come again: each of a number is another
 * object, and rows point to the object's number. A process that runs another program is another
 * object too, unless the file has nothing of it yet.
 */
#include "weft-cpu-tracker-private.h"

#include <string.h>

/* ---- Processes ---- */

static void
process_free (WeftCpuProcess *self)
{
  weft_process_info_clear (&self->info);
  g_clear_pointer (&self->space, weft_address_space_free);
  g_clear_pointer (&self->mappings, g_array_unref);
  g_clear_pointer (&self->descriptors, weft_wait_descriptors_free);
  g_free (self);
}

/* Once nothing points to it any more. */
static void
process_leave (WeftCpuTracker *self, WeftCpuProcess *process)
{
  if (process->n_threads > 0 || process->held)
    return;
  if (g_hash_table_lookup (self->processes, GINT_TO_POINTER (process->pid)) == process)
    g_hash_table_remove (self->processes, GINT_TO_POINTER (process->pid));
  process_free (process);
}

WeftCpuProcess *
weft_cpu_tracker_new_process (WeftCpuTracker *self, int pid, gint64 time)
{
  WeftCpuProcess *process = g_new0 (WeftCpuProcess, 1);
  WeftCpuProcess *old = g_hash_table_lookup (self->processes, GINT_TO_POINTER (pid));

  process->pid = pid;
  process->image = time;
  process->space = weft_address_space_new ();
  process->mappings = g_array_new (FALSE, FALSE, sizeof (WeftCpuMappingRow));
  g_hash_table_insert (self->processes, GINT_TO_POINTER (pid), process);
  if (old != NULL)
    {
      old->replaced = TRUE;
      process_leave (self, old);
    }
  return process;
}

WeftCpuProcess *
weft_cpu_tracker_get_process (WeftCpuTracker *self, int pid, gint64 time)
{
  WeftCpuProcess *process = g_hash_table_lookup (self->processes, GINT_TO_POINTER (pid));

  return process ? process : weft_cpu_tracker_new_process (self, pid, time);
}

/* Those that no row refers to yet wait until one does. */
void
weft_cpu_tracker_add_mapping (WeftCpuTracker *self, WeftCpuProcess *process,
                              const WeftCpuMappingRow *mapping)
{
  if (!process->told)
    {
      g_array_append_vals (process->mappings, mapping, 1);
      return;
    }
  g_array_append_vals (self->batch->mappings, mapping, 1);
  g_array_index (self->batch->mappings, WeftCpuMappingRow, self->batch->mappings->len - 1).process =
      process->number;
}

typedef struct
{
  WeftCpuTracker *tracker;
  WeftCpuProcess *process;
  gint64 time;
} Reading;

static void
on_mapping (guint64 address, guint64 length, guint64 file_offset, WeftCodeModule *module,
            gpointer data)
{
  Reading *reading = data;
  WeftCpuMappingRow mapping = { .module = module,
                                .time = reading->time,
                                .address = address,
                                .length = length,
                                .offset = file_offset };

  if (module != NULL)
    weft_cpu_tracker_add_mapping (reading->tracker, reading->process, &mapping);
}

void
weft_cpu_tracker_read_mappings (WeftCpuTracker *self, WeftCpuProcess *process, gint64 time)
{
  Reading reading = { self, process, time };
  gboolean again = process->read != 0;

  process->read = time;
  weft_address_space_read (process->space, self->modules, process->pid, again ? NULL : on_mapping,
                           &reading);
}

/* ---- Threads ---- */

static void
thread_free (WeftCpuTracker *self, WeftCpuThread *thread)
{
  WeftCpuProcess *process = thread->process;

  if (thread->queued)
    g_queue_unlink (&self->waiting, &thread->link);
  weft_cpu_thread_close_descriptor (self, thread);
  g_free (thread);
  process->n_threads--;
  process_leave (self, process);
}

WeftCpuThread *
weft_cpu_tracker_find_thread (WeftCpuTracker *self, int tid)
{
  return g_hash_table_lookup (self->threads, GINT_TO_POINTER (tid));
}

/* Replaces one that had the number before. */
WeftCpuThread *
weft_cpu_tracker_new_thread (WeftCpuTracker *self, WeftCpuProcess *process, int tid, gint64 time,
                             WeftCpuThreadState state)
{
  WeftCpuThread *old = weft_cpu_tracker_find_thread (self, tid);
  WeftCpuThread *thread = g_new0 (WeftCpuThread, 1);

  thread->tid = tid;
  thread->process = process;
  thread->state = state;
  thread->started = thread->since = time;
  thread->descriptor = -1;
  thread->link.data = thread;
  g_strlcpy (thread->name, process->name, sizeof thread->name);
  process->n_threads++;
  process->n_live_threads++;
  if (old != NULL)
    {
      weft_cpu_tracker_end_thread (self, old, time);
      g_hash_table_remove (self->threads, GINT_TO_POINTER (tid));
      if (old->number == 0 || old->told)
        thread_free (self, old);
    }
  g_hash_table_insert (self->threads, GINT_TO_POINTER (tid), thread);
  return thread;
}

/* One that nobody told the start of was there already, and runs, or we would not hear of it. */
WeftCpuThread *
weft_cpu_tracker_get_thread (WeftCpuTracker *self, int pid, int tid, gint64 time)
{
  WeftCpuThread *thread = weft_cpu_tracker_find_thread (self, tid);
  WeftCpuProcess *process;

  if (thread != NULL && thread->process->pid == pid)
    return thread;
  process = weft_cpu_tracker_get_process (self, pid, time);
  if (process->n_threads == 0 && !process->watched && process->read == 0)
    weft_cpu_tracker_read_mappings (self, process, time);
  return weft_cpu_tracker_new_thread (self, process, tid, time, WEFT_CPU_THREAD_RUNNING);
}

static void
end_process (WeftCpuTracker *self, WeftCpuProcess *process, WeftCpuThread *last, gint64 time)
{
  WeftCpuProcessEndRow row = { .process = process->number, .time = time };
  WeftCpuProcess *parent = g_hash_table_lookup (self->processes, GINT_TO_POINTER (process->parent));

  if (parent != NULL && !process->replaced)
    {
      parent->child_ended = time;
      parent->last_child = weft_cpu_tracker_refer_thread (self, last);
    }

  if (process->number != 0)
    g_array_append_val (self->batch->process_ends, row);
}

void
weft_cpu_tracker_end_thread (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time)
{
  if (thread->state == WEFT_CPU_THREAD_ENDED)
    return;
  if (thread->state == WEFT_CPU_THREAD_WAITING)
    weft_cpu_tracker_end_wait (self, thread, time, WEFT_WAIT_MARK_OPEN);
  weft_cpu_tracker_account (thread, time);
  thread->state = WEFT_CPU_THREAD_ENDED;
  weft_cpu_tracker_tell_times (self, thread, time);
  weft_cpu_thread_close_descriptor (self, thread);
  if (--thread->process->n_live_threads == 0)
    end_process (self, thread->process, thread, time);
}

/* Events of a thread that has ended may still come for a while. */
void
weft_cpu_tracker_forget_ended (WeftCpuTracker *self, gint64 before)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftCpuThread *thread = value;

      if (thread->state != WEFT_CPU_THREAD_ENDED || thread->since >= before ||
          (thread->number != 0 && !thread->told))
        continue;
      g_hash_table_iter_remove (&iter);
      thread_free (self, thread);
    }
}

void
weft_cpu_tracker_clear_threads (WeftCpuTracker *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_hash_table_iter_remove (&iter);
      thread_free (self, value);
    }
  g_hash_table_iter_init (&iter, self->processes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_hash_table_iter_remove (&iter);
      process_free (value);
    }
}

/* ---- Rows of them ---- */

guint32
weft_cpu_tracker_refer_process (WeftCpuTracker *self, WeftCpuProcess *process)
{
  if (process->number == 0)
    {
      process->number = ++self->n_processes;
      process->held = TRUE;
      g_ptr_array_add (self->untold_processes, process);
    }
  return process->number;
}

guint32
weft_cpu_tracker_refer_thread (WeftCpuTracker *self, WeftCpuThread *thread)
{
  if (thread->number == 0)
    {
      weft_cpu_tracker_refer_process (self, thread->process);
      thread->number = ++self->n_threads;
      g_ptr_array_add (self->untold_threads, thread);
    }
  return thread->number;
}

/* Whether a forked process, of which no other program is known yet, has its parent's no more, or no
 * memory at all: then its command line and executable are those that it was forked with.
 */
static gboolean
has_left_program (const WeftCpuProcess *process, const WeftProcessInfo *now)
{
  return process->info.command_line != NULL &&
         (now->command_line == NULL ||
          (process->info.stack_start != 0 && process->info.stack_start != now->stack_start));
}

static void
keep_program (WeftCpuProcess *process, WeftProcessInfo *now)
{
  g_free (now->command_line);
  g_free (now->executable);
  now->command_line = g_steal_pointer (&process->info.command_line);
  now->executable = g_steal_pointer (&process->info.executable);
  now->stack_start = process->info.stack_start;
}

/* /proc tells of the program that the process runs now, and of the process that has the number now.
 */
void
weft_cpu_process_read_info (WeftCpuProcess *process)
{
  const gint64 tolerance = 30 * G_GINT64_CONSTANT (1000000);
  WeftProcessInfo info;

  if (process->has_info || process->replaced)
    return;
  weft_process_info_read (&info, process->pid);
  if (info.started == 0 ||
      (process->started != 0 && ABS (info.started - process->started) > tolerance))
    {
      weft_process_info_clear (&info);
      return;
    }
  if (has_left_program (process, &info))
    keep_program (process, &info);
  weft_process_info_clear (&process->info);
  process->info = info;
  process->has_info = TRUE;
}

static void
tell_process (WeftCpuTracker *self, WeftCpuProcess *process)
{
  WeftCpuProcessRow row = { .number = process->number, .image = process->image };

  weft_cpu_process_read_info (process);
  row.info = process->info;
  row.info.pid = process->pid;
  if (row.info.parent == 0)
    row.info.parent = process->parent;
  if (process->started != 0)
    row.info.started = process->started;
  row.info.name = g_strdup (*process->name ? process->name : process->info.name);
  row.info.executable = g_strdup (process->info.executable);
  row.info.command_line = g_strdup (process->info.command_line);
  g_array_append_val (self->batch->processes, row);
  process->told = TRUE;

  for (guint i = 0; i < process->mappings->len; i++)
    weft_cpu_tracker_add_mapping (self, process,
                                  &g_array_index (process->mappings, WeftCpuMappingRow, i));
  g_array_set_size (process->mappings, 0);
}

static int
namespace_number (const WeftCpuThread *thread)
{
  const WeftProcessInfo *info = &thread->process->info;

  if (!info->other_pid_namespace)
    return thread->tid;
  if (thread->tid == thread->process->pid)
    return info->namespace_pid;
  return weft_process_namespace_tid (thread->process->pid, thread->tid);
}

static void
tell_thread (WeftCpuTracker *self, WeftCpuThread *thread)
{
  WeftCpuThreadRow row = { .number = thread->number,
                           .process = thread->process->number,
                           .tid = thread->tid,
                           .namespace_tid = namespace_number (thread),
                           .started = thread->born,
                           .seen = thread->started };

  if (thread->born == 0 && thread->state != WEFT_CPU_THREAD_ENDED)
    {
      guint64 ticks = weft_process_thread_started (thread->process->pid, thread->tid);

      row.started = ticks ? weft_process_ticks_to_monotonic (ticks) : 0;
      /* Of a later thread of that number. */
      if (row.started > thread->started + 30 * G_GINT64_CONSTANT (1000000))
        row.started = 0;
    }
  row.name = g_strdup (*thread->name ? thread->name : NULL);
  g_array_append_val (self->batch->threads, row);
  thread->told = TRUE;
}

/* As late as can be: by then they have got their names. */
void
weft_cpu_tracker_tell_identities (WeftCpuTracker *self)
{
  for (guint i = 0; i < self->untold_processes->len; i++)
    tell_process (self, g_ptr_array_index (self->untold_processes, i));
  for (guint i = 0; i < self->untold_threads->len; i++)
    {
      WeftCpuThread *thread = g_ptr_array_index (self->untold_threads, i);

      tell_thread (self, thread);
      if (weft_cpu_tracker_find_thread (self, thread->tid) != thread)
        thread_free (self, thread);
    }
  g_ptr_array_set_size (self->untold_threads, 0);
  for (guint i = 0; i < self->untold_processes->len; i++)
    {
      WeftCpuProcess *process = g_ptr_array_index (self->untold_processes, i);

      process->held = FALSE;
      if (process->replaced || process->n_live_threads == 0)
        process_leave (self, process);
    }
  g_ptr_array_set_size (self->untold_processes, 0);
}
