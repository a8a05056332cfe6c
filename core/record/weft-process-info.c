/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-process-info.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-boot-clock.h"
#include "weft-clock.h"

/* FILE of a process, or of its thread TID where that is not 0. */
static char *
read_file (int pid, int tid, const char *file, gsize *length)
{
  g_autofree char *path = tid ? g_strdup_printf ("/proc/%d/task/%d/%s", pid, tid, file)
                              : g_strdup_printf ("/proc/%d/%s", pid, file);
  char *contents = NULL;

  if (!g_file_get_contents (path, &contents, length, NULL))
    return NULL;
  return contents;
}

/* The fields of a stat file after the command in parentheses, which may hold anything. */
static const char *
after_command (const char *stat)
{
  const char *end = stat ? strrchr (stat, ')') : NULL;

  return end ? end + 1 : NULL;
}

/* FIELD counts from 3, the first after the command, as in proc(5). */
static guint64
stat_field (const char *stat, guint field)
{
  const char *text = after_command (stat);

  for (guint i = 3; text != NULL && i <= field; i++)
    {
      text = strchr (text, ' ');
      if (text != NULL)
        text++;
    }
  return text ? g_ascii_strtoull (text, NULL, 10) : 0;
}

gint64
weft_process_ticks_to_monotonic (guint64 ticks)
{
  gint64 since_boot = (gint64) ticks * (NS_PER_SECOND / sysconf (_SC_CLK_TCK));

  return weft_boot_clock_to_monotonic (weft_boot_clock_get_default (), since_boot);
}

static gint64
offset_in (const char *offsets)
{
  gint64 seconds = 0, nanoseconds = 0;
  const char *line = offsets ? strstr (offsets, "monotonic") : NULL;

  if (line != NULL && sscanf (line, "monotonic %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &seconds,
                              &nanoseconds) == 2)
    return seconds * NS_PER_SECOND + nanoseconds;
  return 0;
}

static gint64
read_monotonic_offset (int pid)
{
  g_autofree char *theirs = read_file (pid, 0, "timens_offsets", NULL);
  g_autofree char *ours = NULL;

  g_file_get_contents ("/proc/self/timens_offsets", &ours, NULL, NULL);
  return offset_in (theirs) - offset_in (ours);
}

/* The last number of the NSpid line: what the process calls itself. */
static int
innermost_pid (const char *status)
{
  const char *line = status ? strstr (status, "\nNSpid:") : NULL;
  int pid = 0;

  if (line == NULL)
    return 0;
  for (line += strlen ("\nNSpid:"); *line == '\t' || *line == ' ';)
    {
      char *end;

      pid = (int) strtol (line, &end, 10);
      line = end;
    }
  return pid;
}

static guint
real_uid (const char *status)
{
  const char *line = status ? strstr (status, "\nUid:") : NULL;

  return line ? (guint) g_ascii_strtoull (line + strlen ("\nUid:\t"), NULL, 10) : 0;
}

/* NULL where it is not known: it is empty while a program is only being loaded, and when its process
 * has ended and nobody asked for its status yet.
 */
static char *
read_command_line (int pid)
{
  gsize length = 0;
  g_autofree char *text = read_file (pid, 0, "cmdline", &length);

  if (length == 0)
    return NULL;
  for (gsize i = 0; i + 1 < length; i++)
    if (text[i] == '\0')
      text[i] = ' ';
  return g_steal_pointer (&text);
}

void
weft_process_info_read (WeftProcessInfo *self, int pid)
{
  g_autofree char *stat = read_file (pid, 0, "stat", NULL);
  g_autofree char *status = read_file (pid, 0, "status", NULL);
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);

  memset (self, 0, sizeof *self);
  self->pid = pid;
  self->parent = (int) stat_field (stat, 4);
  self->uid = real_uid (status);
  self->started = stat ? weft_process_ticks_to_monotonic (stat_field (stat, 22)) : 0;
  self->stack_start = stat_field (stat, 28);
  self->monotonic_offset = read_monotonic_offset (pid);
  self->namespace_pid = innermost_pid (status);
  self->other_pid_namespace = self->namespace_pid != pid && self->namespace_pid != 0;
  self->executable = g_file_read_link (link, NULL);
  self->command_line = read_command_line (pid);
  self->name = weft_process_thread_name (pid, pid);
}

void
weft_process_info_clear (WeftProcessInfo *self)
{
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->executable, g_free);
  g_clear_pointer (&self->command_line, g_free);
}

static gboolean
thread_exists (int pid, int tid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d", pid, tid);
  struct stat st;

  return stat (path, &st) == 0;
}

/* CERTAIN: whether a thread that is not found is not there. */
static int
search_thread (int pid, int tid, gboolean other_pid_namespace, gboolean *certain)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = NULL;
  const char *name;

  if (!other_pid_namespace && thread_exists (pid, tid))
    return tid;
  tasks = g_dir_open (path, 0, NULL);
  *certain = tasks != NULL;
  while (other_pid_namespace && tasks != NULL && (name = g_dir_read_name (tasks)) != NULL)
    {
      int outer = atoi (name);
      g_autofree char *status = read_file (pid, outer, "status", NULL);

      if (innermost_pid (status) == tid)
        return outer;
      if (status == NULL && thread_exists (pid, outer))
        *certain = FALSE;
    }
  return 0;
}

int
weft_process_find_thread (int pid, int tid, gboolean other_pid_namespace)
{
  gboolean certain;

  return search_thread (pid, tid, other_pid_namespace, &certain);
}

gboolean
weft_process_lacks_thread (int pid, int tid, gboolean other_pid_namespace)
{
  gboolean certain;

  return search_thread (pid, tid, other_pid_namespace, &certain) == 0 && certain;
}

GHashTable *
weft_process_list_threads (int pid)
{
  GHashTable *threads = g_hash_table_new (NULL, NULL);
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  const char *name;

  while (tasks != NULL && (name = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *status = read_file (pid, atoi (name), "status", NULL);

      g_hash_table_add (threads, GINT_TO_POINTER (innermost_pid (status)));
    }
  return threads;
}

int
weft_process_namespace_tid (int pid, int tid)
{
  g_autofree char *status = read_file (pid, tid, "status", NULL);

  return innermost_pid (status);
}

guint64
weft_process_thread_started (int pid, int tid)
{
  g_autofree char *stat = read_file (pid, tid, "stat", NULL);

  return stat_field (stat, 22);
}

char
weft_process_thread_state (int pid, int tid)
{
  g_autofree char *stat = read_file (pid, tid, "stat", NULL);
  const char *text = after_command (stat);

  return text && text[0] == ' ' ? text[1] : '\0';
}

char *
weft_process_thread_name (int pid, int tid)
{
  char *name = read_file (pid, tid, "comm", NULL);

  return name ? g_strchomp (name) : NULL;
}
