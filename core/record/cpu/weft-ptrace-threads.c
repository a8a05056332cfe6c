/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ptrace-source-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-process-info.h"

#define MILLISECOND (NS_PER_SECOND / 1000)
#define MIN_READ_INTERVAL (2 * MILLISECOND)
#define MAX_READ_INTERVAL (128 * MILLISECOND)

/* ---- Processes ---- */

static WeftTracedProcess *
process_new (int pid)
{
  WeftTracedProcess *self = g_new0 (WeftTracedProcess, 1);

  self->pid = pid;
  self->memory = -1;
  self->mappings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->read_interval = MIN_READ_INTERVAL;
  return self;
}

static void
process_forget_mappings (WeftTracedProcess *self)
{
  g_hash_table_remove_all (self->mappings);
  g_array_set_size (self->ranges, 0);
  self->read = 0;
  self->read_interval = MIN_READ_INTERVAL;
  if (self->memory >= 0)
    close (self->memory);
  self->memory = -1;
}

static void
process_free (WeftTracedProcess *self)
{
  process_forget_mappings (self);
  g_hash_table_unref (self->mappings);
  g_array_unref (self->ranges);
  g_free (self);
}

int
weft_ptrace_find_process (int tid, int *parent)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", tid);
  g_autofree char *text = NULL;
  const char *group, *above;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  group = strstr (text, "\nTgid:");
  above = strstr (text, "\nPPid:");
  *parent = above ? (int) strtol (above + strlen ("\nPPid:"), NULL, 10) : 0;
  return group ? (int) strtol (group + strlen ("\nTgid:"), NULL, 10) : 0;
}

/* ---- Mappings ---- */

/* One line of code; TEXT as the kernel writes it. */
static void
add_mapping (WeftPtraceSource *self, WeftTracedProcess *process, const char *line, gint64 now)
{
  guint64 begin, end, offset, inode;
  guint device_major, device_minor;
  char access[8];
  int path = 0;
  WeftCpuMap map = { .time = now, .pid = process->pid };

  if (sscanf (line,
              "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %7s %" G_GINT64_MODIFIER
              "x %x:%x %" G_GUINT64_FORMAT " %n",
              &begin, &end, access, &offset, &device_major, &device_minor, &inode, &path) < 7 ||
      path == 0 || strlen (access) < 3 || access[2] != 'x' || end <= begin)
    return;
  g_array_append_val (process->ranges, begin);
  g_array_append_val (process->ranges, end);
  if (!g_hash_table_add (process->mappings, g_strdup (line)))
    return;
  map.address = begin;
  map.length = end - begin;
  map.offset = offset;
  map.device = makedev (device_major, device_minor);
  map.inode = inode;
  map.path = line[path] ? line + path : "//anon";
  process->read_interval = MIN_READ_INTERVAL;
  weft_cpu_tracker_map (self->tracker, &map);
}

static gboolean
is_code (WeftTracedProcess *process, guint64 address)
{
  for (guint i = 0; i + 1 < process->ranges->len; i += 2)
    if (address >= g_array_index (process->ranges, guint64, i) &&
        address < g_array_index (process->ranges, guint64, i + 1))
      return TRUE;
  return FALSE;
}

/* Nobody tells of new mappings: they are looked for when code runs that is in none, and after times
 * that grow, for stacks may lead through others.
 */
void
weft_ptrace_update_mappings (WeftPtraceSource *self, WeftTracedProcess *process, guint64 code,
                             gint64 now)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gint64 since = now - process->read;

  if (process->read != 0 &&
      (is_code (process, code) ? since < process->read_interval : since < MIN_READ_INTERVAL))
    return;
  path = g_strdup_printf ("/proc/%d/maps", process->pid);
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  process->read = now;
  process->read_interval = MIN (process->read_interval * 2, MAX_READ_INTERVAL);
  g_array_set_size (process->ranges, 0);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    add_mapping (self, process, lines[i], now);
}

static int
open_of_thread (int pid, int tid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/%s", pid, tid, name);

  return open (path, O_RDONLY | O_CLOEXEC);
}

static void
close_descriptors (WeftTracedThread *thread)
{
  if (thread->descriptor >= 0)
    close (thread->descriptor);
  if (thread->runtime >= 0)
    close (thread->runtime);
}

static void
open_descriptors (WeftTracedThread *thread)
{
  thread->descriptor = open_of_thread (thread->process->pid, thread->tid, "syscall");
  thread->runtime = open_of_thread (thread->process->pid, thread->tid, "schedstat");
}

void
weft_ptrace_begin_program (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now)
{
  g_autofree char *name = weft_process_thread_name (thread->process->pid, thread->tid);

  process_forget_mappings (thread->process);
  close_descriptors (thread);
  open_descriptors (thread);
  thread->cpu_address = 0;
  weft_cpu_tracker_name (self->tracker, now, thread->process->pid, thread->tid, name ? name : "",
                         TRUE);
  weft_ptrace_update_mappings (self, thread->process, 0, now);
}

/* ---- Memory ---- */

/* Some containers' filters know the one and not the other. */
gsize
weft_ptrace_read_memory (WeftTracedProcess *process, guint64 address, void *buffer, gsize length)
{
  struct iovec to = { buffer, length };
  struct iovec from = { GSIZE_TO_POINTER (address), length };
  ssize_t n = -1;

  if (process->memory < 0)
    n = process_vm_readv (process->pid, &to, 1, &from, 1, 0);
  if (n < 0 && process->memory < 0 && (errno == EPERM || errno == ENOSYS))
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/mem", process->pid);

      process->memory = open (path, O_RDONLY | O_CLOEXEC);
    }
  if (process->memory >= 0)
    n = pread (process->memory, buffer, length, (off_t) address);
  return n > 0 ? (gsize) n : 0;
}

/* ---- Threads ---- */

WeftTracedThread *
weft_ptrace_add_thread (WeftPtraceSource *self, int pid, int tid, gint64 now)
{
  WeftTracedThread *thread = g_new0 (WeftTracedThread, 1);

  thread->tid = tid;
  thread->process = g_hash_table_lookup (self->processes, GINT_TO_POINTER (pid));
  if (thread->process == NULL)
    {
      thread->process = process_new (pid);
      g_hash_table_insert (self->processes, GINT_TO_POINTER (pid), thread->process);
    }
  thread->process->n_threads++;
  open_descriptors (thread);
  thread->looked = now;
  g_hash_table_insert (self->threads, GINT_TO_POINTER (tid), thread);
  g_array_append_val (self->order, tid);
  return thread;
}

void
weft_ptrace_remove_thread (WeftPtraceSource *self, WeftTracedThread *thread)
{
  WeftTracedProcess *process = thread->process;

  g_hash_table_remove (self->threads, GINT_TO_POINTER (thread->tid));
  for (guint i = 0; i < self->order->len; i++)
    if (g_array_index (self->order, int, i) == thread->tid)
      {
        g_array_remove_index_fast (self->order, i);
        break;
      }
  close_descriptors (thread);
  g_free (thread);
  if (--process->n_threads > 0)
    return;
  g_hash_table_remove (self->processes, GINT_TO_POINTER (process->pid));
  process_free (process);
}

WeftTracedThread *
weft_ptrace_find_thread (WeftPtraceSource *self, int tid)
{
  return g_hash_table_lookup (self->threads, GINT_TO_POINTER (tid));
}

/* Of programs that the kernel shows less of. */
static WeftTracedState
look_at_stat (WeftTracedThread *thread)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/task/%d/stat", thread->process->pid, thread->tid);
  g_autofree char *text = NULL;
  const char *state;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (state = strrchr (text, ')')) == NULL ||
      strlen (state) < 3 || strchr ("ZXx", state[2]) != NULL)
    return WEFT_TRACED_GONE;
  return state[2] == 'R' ? WEFT_TRACED_RUNNING : WEFT_TRACED_WAITING;
}

WeftTracedState
weft_ptrace_look (WeftTracedThread *thread)
{
  char text[16];
  ssize_t n;

  if (thread->descriptor < 0)
    return look_at_stat (thread);
  n = pread (thread->descriptor, text, sizeof text, 0);
  if (n < 0)
    return errno == ESRCH ? WEFT_TRACED_GONE : look_at_stat (thread);
  return n >= 7 && memcmp (text, "running", 7) == 0 ? WEFT_TRACED_RUNNING : WEFT_TRACED_WAITING;
}

gboolean
weft_ptrace_take_runtime (WeftTracedThread *thread, guint64 *passed)
{
  char text[64];
  ssize_t n = thread->runtime >= 0 ? pread (thread->runtime, text, sizeof text - 1, 0) : -1;
  guint64 ran;

  if (n <= 0)
    return FALSE;
  text[n] = '\0';
  ran = g_ascii_strtoull (text, NULL, 10);
  *passed = ran > thread->ran ? ran - thread->ran : 0;
  thread->ran = ran;
  return TRUE;
}
