/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is who: one row for each process image and each thread of a recording, whoever tells of it
 * first. Targets that report lanes know a process by its connection and a thread by the number it
 * calls itself; sources of CPU events know both by the kernel's numbers and the times of their
 * start.
 */
#include "weft-ingest-private.h"

#include <string.h>

/* /proc tells starts in ticks of 10 ms, and the clocks are read one after the other. */
#define START_TOLERANCE (30 * G_GINT64_CONSTANT (1000000))

typedef struct
{
  guint64 id;
  int tid; /* 0: only the producer's own number is known */
  int namespace_tid;
  gint64 started;   /* ns; 0: not known */
  gint64 seen;      /* ns: it was there then */
  gint64 ended;     /* ns; 0: not known to have */
  guint64 runtime;  /* that told of it last: each tells of a thread once */
  gboolean watched; /* a source of CPU events told of it, which does so once, too */
} Thread;

typedef struct
{
  guint64 id;
  int pid;
  gint64 started; /* ns; 0: not known */
  char *command_line;
  char *name;
  gint64 ended;        /* ns, CLOCK_MONOTONIC; 0: not known to have */
  gboolean watched;    /* a source of CPU events tells of it, too */
  GHashTable *threads; /* GINT number → GArray of Thread, in the order of their coming */
  guint n_threads;
} Process;

static void
process_free (gpointer data)
{
  Process *self = data;

  if (self == NULL)
    return;
  g_free (self->command_line);
  g_free (self->name);
  g_hash_table_unref (self->threads);
  g_free (self);
}

void
weft_ingest_identity_init (WeftIngest *self)
{
  self->processes = g_ptr_array_new_with_free_func (process_free);
  self->newest_processes = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
}

void
weft_ingest_identity_clear (WeftIngest *self)
{
  g_hash_table_unref (self->newest_processes);
  g_ptr_array_unref (self->processes);
}

guint32
weft_ingest_intern_untrusted (WeftIngest *self, const char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid (text, MIN (strlen (text), 65536)) : NULL;

  return weft_store_writer_string (self->store, valid, -1);
}

/* ---- Processes ---- */

static gboolean
is_near (gint64 a, gint64 b)
{
  return a == 0 || b == 0 || ABS (a - b) <= START_TOLERANCE;
}

static gboolean
is_known (const char *text)
{
  return text != NULL && *text != '\0';
}

/* A process that runs another program is another row: name and command line are the row's. Threads
 * that go on may take other names, so that the name counts only where it is all that is known.
 */
static gboolean
is_same_process (const Process *process, const WeftProcessInfo *info)
{
  if (!is_near (process->started, info->started))
    return FALSE;
  if (process->command_line != NULL && info->command_line != NULL)
    return g_str_equal (process->command_line, info->command_line);
  return !is_known (process->name) || !is_known (info->name) ||
         g_str_equal (process->name, info->name);
}

static Process *
find_process (WeftIngest *self, const WeftProcessInfo *info, gboolean watched)
{
  GArray *ids = g_hash_table_lookup (self->newest_processes, GINT_TO_POINTER (info->pid));

  for (guint i = ids ? ids->len : 0; i > 0; i--)
    {
      Process *process = g_ptr_array_index (self->processes, g_array_index (ids, guint, i - 1));

      if (is_same_process (process, info) && !(watched && process->watched))
        return process;
    }
  return NULL;
}

static guint64
write_process (WeftIngest *self, const WeftProcessInfo *info)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_PROCESSES];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_PROCESSES_PID, (guint64) info->pid);
  weft_table_writer_set (t, WEFT_PROCESSES_PARENT_PID, (guint64) info->parent);
  weft_table_writer_set (t, WEFT_PROCESSES_UID, info->uid);
  if (info->started != 0)
    weft_table_writer_set (t, WEFT_PROCESSES_STARTED, (guint64) (info->started - self->start));
  weft_table_writer_set (t, WEFT_PROCESSES_NAME, weft_ingest_intern_untrusted (self, info->name));
  weft_table_writer_set (t, WEFT_PROCESSES_EXECUTABLE,
                         weft_ingest_intern_untrusted (self, info->executable));
  weft_table_writer_set (t, WEFT_PROCESSES_COMMAND_LINE,
                         weft_ingest_intern_untrusted (self, info->command_line));
  return weft_ingest_commit (self, WEFT_TABLE_PROCESSES);
}

static Process *
new_process (WeftIngest *self, const WeftProcessInfo *info)
{
  Process *process = g_new0 (Process, 1);
  GArray *ids = g_hash_table_lookup (self->newest_processes, GINT_TO_POINTER (info->pid));
  guint index = self->processes->len;

  process->pid = info->pid;
  process->started = info->started;
  process->command_line = g_strdup (info->command_line);
  process->name = g_strdup (info->name);
  process->threads = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  process->id = write_process (self, info);
  if (self->linker != NULL)
    weft_linker_add_thread (self->linker, process->id, info->pid, 0);
  g_ptr_array_add (self->processes, process);
  if (ids == NULL)
    {
      ids = g_array_new (FALSE, FALSE, sizeof (guint));
      g_hash_table_insert (self->newest_processes, GINT_TO_POINTER (info->pid), ids);
    }
  g_array_append_val (ids, index);
  return process;
}

static Process *
get_or_add_process (WeftIngest *self, const WeftProcessInfo *info, gboolean watched)
{
  Process *process = find_process (self, info, watched);

  if (process == NULL)
    process = new_process (self, info);
  if (process->command_line == NULL)
    process->command_line = g_strdup (info->command_line);
  if (process->started == 0)
    process->started = info->started;
  process->watched |= watched;
  return process;
}

guint64
weft_ingest_add_process (WeftIngest *self, const WeftProcessInfo *info)
{
  return get_or_add_process (self, info, FALSE)->id;
}

guint64
weft_ingest_add_watched_process (WeftIngest *self, const WeftProcessInfo *info)
{
  return get_or_add_process (self, info, TRUE)->id;
}

static Process *
get_process (WeftIngest *self, guint64 id)
{
  return id - 1 < self->processes->len ? g_ptr_array_index (self->processes, id - 1) : NULL;
}

void
weft_ingest_end_process (WeftIngest *self, guint64 id, gint64 now, gboolean has_status, int status)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_PROCESS_ENDS];
  Process *process = get_process (self, id);

  if (process != NULL && process->ended != 0)
    return;
  if (process != NULL)
    process->ended = MAX (now, 1);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_PROCESS_ENDS_PROCESS, id);
  weft_table_writer_set (t, WEFT_PROCESS_ENDS_TIME, (guint64) (now - self->start));
  if (has_status)
    weft_table_writer_set (t, WEFT_PROCESS_ENDS_STATUS, (guint64) (gint64) status);
  weft_ingest_commit (self, WEFT_TABLE_PROCESS_ENDS);
}

/* Its place stays: ids are places. */
static void
forget_process (WeftIngest *self, guint index)
{
  Process *process = g_ptr_array_index (self->processes, index);
  GArray *ids = g_hash_table_lookup (self->newest_processes, GINT_TO_POINTER (process->pid));

  for (guint i = ids->len; i > 0; i--)
    if (g_array_index (ids, guint, i - 1) == index)
      g_array_remove_index (ids, i - 1);
  if (ids->len == 0)
    g_hash_table_remove (self->newest_processes, GINT_TO_POINTER (process->pid));
  process_free (process);
  self->processes->pdata[index] = NULL;
}

void
weft_ingest_forget_processes (WeftIngest *self, gint64 before)
{
  for (guint i = self->n_forgotten; i < self->processes->len; i++)
    {
      const Process *process = g_ptr_array_index (self->processes, i);

      if (process != NULL && process->ended != 0 && process->ended < before)
        forget_process (self, i);
      if (self->processes->pdata[i] == NULL && i == self->n_forgotten)
        self->n_forgotten++;
    }
}

void
weft_ingest_each_process (WeftIngest *self, WeftProcessFunc func, gpointer data)
{
  for (guint i = self->n_forgotten; i < self->processes->len; i++)
    {
      const Process *process = g_ptr_array_index (self->processes, i);

      if (process != NULL && process->ended == 0)
        func (process->id, process->pid, process->started > self->start, data);
    }
}

gboolean
weft_ingest_has_process (WeftIngest *self, int pid)
{
  GArray *ids = g_hash_table_lookup (self->newest_processes, GINT_TO_POINTER (pid));
  const Process *last =
      ids == NULL ? NULL
                  : g_ptr_array_index (self->processes, g_array_index (ids, guint, ids->len - 1));

  return last != NULL && last->ended == 0;
}

/* ---- Threads ---- */

static guint64
write_thread (WeftIngest *self, guint64 process, const WeftIngestThread *info, guint generation)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_THREADS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_THREADS_PROCESS, process);
  weft_table_writer_set (t, WEFT_THREADS_TID, (guint64) info->tid);
  weft_table_writer_set (t, WEFT_THREADS_NAMESPACE_TID, (guint64) info->namespace_tid);
  weft_table_writer_set (t, WEFT_THREADS_GENERATION, generation);
  weft_table_writer_set (t, WEFT_THREADS_NAME, weft_ingest_intern_untrusted (self, info->name));
  weft_table_writer_set (t, WEFT_THREADS_FIRST_SEEN, (guint64) (info->seen - self->start));
  return weft_ingest_commit (self, WEFT_TABLE_THREADS);
}

/* Whether both may be one: they started at the same time; or where that is not known of one, it was
 * there while the other was.
 */
static gboolean
is_same_thread (const Thread *thread, const WeftIngestThread *info)
{
  if (info->runtime == 0 && thread->watched)
    return FALSE;
  if (info->runtime != 0 && info->runtime == thread->runtime)
    return thread->started != 0 && info->started != 0 &&
           ABS (thread->started - info->started) <= START_TOLERANCE;
  if (thread->started != 0 && info->started != 0)
    return ABS (thread->started - info->started) <= START_TOLERANCE;
  if (thread->started != 0)
    return info->seen >= thread->started - START_TOLERANCE &&
           (thread->ended == 0 || info->seen <= thread->ended + START_TOLERANCE);
  return info->started == 0 || thread->seen >= info->started - START_TOLERANCE;
}

static GArray *
get_generations (Process *process, int number)
{
  GArray *threads = g_hash_table_lookup (process->threads, GINT_TO_POINTER (number));

  if (threads == NULL)
    {
      threads = g_array_new (FALSE, TRUE, sizeof (Thread));
      g_hash_table_insert (process->threads, GINT_TO_POINTER (number), threads);
    }
  return threads;
}

static void
merge_thread (Thread *thread, const WeftIngestThread *info)
{
  if (thread->started == 0)
    thread->started = info->started;
  if (info->runtime != 0)
    thread->runtime = info->runtime;
  else
    thread->watched = TRUE;
}

guint64
weft_ingest_add_thread (WeftIngest *self, guint64 process_id, const WeftIngestThread *info)
{
  Process *process = get_process (self, process_id);
  GArray *threads;
  Thread added = { .tid = info->tid,
                   .namespace_tid = info->namespace_tid,
                   .started = info->started,
                   .seen = info->seen,
                   .runtime = info->runtime,
                   .watched = info->runtime == 0 };

  if (process == NULL || process->n_threads >= MAX_THREADS)
    return 0;
  /* Below nought, the numbers of those that only the process itself could tell. */
  threads = get_generations (process, info->tid ? info->tid : -info->namespace_tid);
  for (guint i = threads->len; i > 0; i--)
    {
      Thread *thread = &g_array_index (threads, Thread, i - 1);

      if (!is_same_thread (thread, info))
        continue;
      merge_thread (thread, info);
      return thread->id;
    }
  process->n_threads++;
  added.id = write_thread (self, process_id, info, threads->len + 1);
  if (self->linker != NULL)
    weft_linker_add_thread (self->linker, process_id, info->tid, added.id);
  g_array_append_val (threads, added);
  return added.id;
}

void
weft_ingest_end_thread (WeftIngest *self, guint64 process_id, int tid, guint64 id, gint64 now)
{
  Process *process = get_process (self, process_id);
  GArray *threads = process ? g_hash_table_lookup (process->threads, GINT_TO_POINTER (tid)) : NULL;

  for (guint i = threads ? threads->len : 0; i > 0; i--)
    {
      Thread *thread = &g_array_index (threads, Thread, i - 1);

      if (thread->id == id)
        thread->ended = now;
    }
}
