/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-entities.h"

#include <string.h>

#define RUNTIME_NAME "Instruments"

typedef struct
{
  char *name;      /* or NULL */
  guint64 runtime; /* 0 until it has one */
} Process;

typedef struct
{
  guint64 process;
  guint64 tid;
} Thread;

/* Where the rows of a lane went that are not dispatches. */
typedef struct
{
  guint64 runtime;
  guint64 completed;
  guint64 rejected;
  GHashTable *reasons; /* text → guint64 * */
} Lane;

struct _WeftXctraceEntities
{
  WeftRecordingBuilder *builder;
  GHashTable *ids;           /* key, a text → id */
  GHashTable *command_lines; /* pid → text */
  GArray *processes;         /* element-type Process; process - 1 */
  GArray *threads;           /* element-type Thread; thread - 1 */
  GHashTable *lanes;         /* id → Lane */
};

/* ---- Rows ---- */

void
weft_xctrace_row_set_number (WeftXctraceFields *row, const char *field, guint64 number)
{
  g_assert (row->n_numbers < G_N_ELEMENTS (row->numbers));
  row->number_fields[row->n_numbers] = field;
  row->numbers[row->n_numbers++] = number;
}

void
weft_xctrace_row_set_time (WeftXctraceFields *row, const char *field, gint64 time)
{
  weft_xctrace_row_set_number (row, field, (guint64) time);
}

void
weft_xctrace_row_set_double (WeftXctraceFields *row, const char *field, double number)
{
  guint64 bits;

  memcpy (&bits, &number, sizeof bits);
  weft_xctrace_row_set_number (row, field, bits);
}

void
weft_xctrace_row_set_text (WeftXctraceFields *row, const char *field, const char *text)
{
  /* The last place is for what ends them. */
  g_assert (row->n_texts + 1 < G_N_ELEMENTS (row->texts));
  if (text == NULL)
    return;
  row->text_fields[row->n_texts] = field;
  row->texts[row->n_texts++] = text;
}

gboolean
weft_xctrace_row_add (const WeftXctraceFields *row, WeftRecordingBuilder *builder,
                      const char *table, guint64 *id, GError **error)
{
  return weft_recording_builder_add_values (builder, table, row->number_fields, row->numbers,
                                            row->n_numbers, row->text_fields, row->texts, id,
                                            error);
}

gboolean
weft_xctrace_add_tag (WeftRecordingBuilder *builder, WeftXctraceOwner table, guint64 owner,
                      const char *key, guint64 number, GError **error)
{
  WeftXctraceFields row = { 0 };

  weft_xctrace_row_set_number (&row, "owner_table", table);
  weft_xctrace_row_set_number (&row, "owner", owner);
  weft_xctrace_row_set_text (&row, "key", key);
  weft_xctrace_row_set_number (&row, "type", WEFT_NUMBER_UINT64);
  weft_xctrace_row_set_number (&row, "bits", number);
  return weft_xctrace_row_add (&row, builder, "tags", NULL, error);
}

gboolean
weft_xctrace_add_text_tag (WeftRecordingBuilder *builder, WeftXctraceOwner table, guint64 owner,
                           const char *key, const char *text, GError **error)
{
  WeftXctraceFields row = { 0 };

  weft_xctrace_row_set_number (&row, "owner_table", table);
  weft_xctrace_row_set_number (&row, "owner", owner);
  weft_xctrace_row_set_text (&row, "key", key);
  weft_xctrace_row_set_number (&row, "type", WEFT_NUMBER_STRING);
  weft_xctrace_row_set_text (&row, "text", text);
  return weft_xctrace_row_add (&row, builder, "tags", NULL, error);
}

/* ---- What was made already ---- */

static guint64
find (WeftXctraceEntities *self, const char *key)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (self->ids, key));
}

static void
keep (WeftXctraceEntities *self, char *key, guint64 id)
{
  g_hash_table_insert (self->ids, key, GSIZE_TO_POINTER (id));
}

/* ---- Processes and threads ---- */

void
weft_xctrace_entities_describe (WeftXctraceEntities *self, guint64 pid, const char *command_line)
{
  g_hash_table_insert (self->command_lines, g_memdup2 (&pid, sizeof pid), g_strdup (command_line));
}

/* “probe (42)”: what stands before the number. */
static char *
get_process_name (const WeftXctraceElement *element, guint64 pid)
{
  const char *shown = weft_xctrace_element_get_shown (element);
  g_autofree char *number = g_strdup_printf (" (%" G_GUINT64_FORMAT ")", pid);

  if (shown == NULL)
    return NULL;
  return g_strndup (shown, g_str_has_suffix (shown, number) ? strlen (shown) - strlen (number)
                                                            : strlen (shown));
}

gboolean
weft_xctrace_entities_add_process (WeftXctraceEntities *self, const WeftXctraceElement *element,
                                   guint64 *id, GError **error)
{
  WeftXctraceFields row = { 0 };
  g_autofree char *name = NULL;
  g_autofree char *key = NULL;
  Process process = { 0 };
  guint64 pid;

  *id = 0;
  if (!weft_xctrace_element_get_number (weft_xctrace_element_find (element, "pid"), &pid) &&
      !weft_xctrace_element_get_number (element, &pid))
    return TRUE;
  name = get_process_name (element, pid);
  key = g_strdup_printf ("p%" G_GUINT64_FORMAT " %s", pid, name ? name : "");
  *id = find (self, key);
  if (*id != 0)
    return TRUE;
  weft_xctrace_row_set_number (&row, "pid", pid);
  weft_xctrace_row_set_text (&row, "name", name);
  weft_xctrace_row_set_text (&row, "command_line", g_hash_table_lookup (self->command_lines, &pid));
  if (!weft_xctrace_row_add (&row, self->builder, "processes", id, error))
    return FALSE;
  keep (self, g_steal_pointer (&key), *id);
  process.name = g_steal_pointer (&name);
  g_array_append_val (self->processes, process);
  return TRUE;
}

/* “Main Thread 0x1f6b2d (probe, pid: 42)”, “Main Thread (0x1f6b2d) (probe, pid: 42)”: what stands
 * before the number.
 */
static char *
get_thread_name (const WeftXctraceElement *element, guint64 tid)
{
  const char *shown = weft_xctrace_element_get_shown (element);
  g_autofree char *bare = g_strdup_printf (" 0x%" G_GINT64_MODIFIER "x (", tid);
  g_autofree char *enclosed = g_strdup_printf (" (0x%" G_GINT64_MODIFIER "x)", tid);
  const char *end;

  if (shown == NULL)
    return NULL;
  end = g_strrstr (shown, bare);
  if (end == NULL)
    end = g_strrstr (shown, enclosed);
  return end != NULL ? g_strndup (shown, (gsize) (end - shown)) : g_strdup (shown);
}

static gboolean
make_thread (WeftXctraceEntities *self, const WeftXctraceElement *element, const Thread *thread,
             guint64 *id, GError **error)
{
  WeftXctraceFields row = { 0 };
  g_autofree char *name = get_thread_name (element, thread->tid);

  if (thread->process != 0)
    weft_xctrace_row_set_number (&row, "process", thread->process);
  weft_xctrace_row_set_number (&row, "tid", thread->tid);
  weft_xctrace_row_set_text (&row, "name", name);
  if (!weft_xctrace_row_add (&row, self->builder, "threads", id, error))
    return FALSE;
  g_array_append_val (self->threads, *thread);
  return TRUE;
}

gboolean
weft_xctrace_entities_add_thread (WeftXctraceEntities *self, const WeftXctraceElement *element,
                                  const WeftXctraceElement *process, guint64 *id, GError **error)
{
  const WeftXctraceElement *own = weft_xctrace_element_find (element, "process");
  Thread thread = { 0 };
  g_autofree char *key = NULL;

  *id = 0;
  if (!weft_xctrace_element_get_number (weft_xctrace_element_find (element, "tid"), &thread.tid))
    return TRUE;
  if (!weft_xctrace_entities_add_process (self, own != NULL ? own : process, &thread.process,
                                          error))
    return FALSE;
  key = g_strdup_printf ("t%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, thread.process, thread.tid);
  *id = find (self, key);
  if (*id != 0)
    return TRUE;
  if (!make_thread (self, element, &thread, id, error))
    return FALSE;
  keep (self, g_steal_pointer (&key), *id);
  return TRUE;
}

guint64
weft_xctrace_entities_get_process (WeftXctraceEntities *self, guint64 thread)
{
  return thread - 1 < self->threads->len ? g_array_index (self->threads, Thread, thread - 1).process
                                         : 0;
}

guint64
weft_xctrace_entities_get_tid (WeftXctraceEntities *self, guint64 thread)
{
  return thread - 1 < self->threads->len ? g_array_index (self->threads, Thread, thread - 1).tid
                                         : 0;
}

/* ---- Runtimes, lanes, routines ---- */

gboolean
weft_xctrace_entities_add_runtime (WeftXctraceEntities *self, guint64 process, guint64 *id,
                                   GError **error)
{
  WeftXctraceFields row;
  guint64 *runtime;

  *id = 0;
  if (process - 1 >= self->processes->len)
    return TRUE;
  runtime = &g_array_index (self->processes, Process, process - 1).runtime;
  if (*runtime == 0)
    {
      row = (WeftXctraceFields){ 0 };
      weft_xctrace_row_set_number (&row, "process", process);
      weft_xctrace_row_set_text (&row, "name", RUNTIME_NAME);
      if (!weft_xctrace_row_add (&row, self->builder, "runtimes", runtime, error))
        return FALSE;
    }
  *id = *runtime;
  return TRUE;
}

static void
lane_free (gpointer data)
{
  Lane *self = data;

  g_hash_table_unref (self->reasons);
  g_free (self);
}

static Lane *
get_lane (WeftXctraceEntities *self, guint64 id)
{
  return g_hash_table_lookup (self->lanes, GSIZE_TO_POINTER (id));
}

/* “M1 Compute (probe)”: a channel has a lane for each process that uses it. */
static char *
get_lane_name (WeftXctraceEntities *self, guint64 process, const char *name)
{
  const char *owner = process - 1 < self->processes->len
                          ? g_array_index (self->processes, Process, process - 1).name
                          : NULL;

  return owner != NULL ? g_strdup_printf ("%s (%s)", name, owner) : g_strdup (name);
}

static gboolean
make_lane (WeftXctraceEntities *self, guint64 process, const char *kind, const char *name,
           guint64 *id, GError **error)
{
  WeftXctraceFields row = { 0 };
  g_autofree char *full_name = get_lane_name (self, process, name);
  Lane *lane;
  guint64 runtime;

  if (!weft_xctrace_entities_add_runtime (self, process, &runtime, error))
    return FALSE;
  if (runtime != 0)
    weft_xctrace_row_set_number (&row, "runtime", runtime);
  weft_xctrace_row_set_text (&row, "kind", kind);
  weft_xctrace_row_set_text (&row, "name", full_name);
  if (!weft_xctrace_row_add (&row, self->builder, "lanes", id, error))
    return FALSE;
  lane = g_new0 (Lane, 1);
  lane->runtime = runtime;
  lane->reasons = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_hash_table_insert (self->lanes, GSIZE_TO_POINTER (*id), lane);
  return TRUE;
}

gboolean
weft_xctrace_entities_add_lane (WeftXctraceEntities *self, guint64 process, const char *kind,
                                const char *name, guint64 *id, GError **error)
{
  g_autofree char *key = g_strdup_printf ("l%" G_GUINT64_FORMAT " %s %s", process, kind, name);

  *id = find (self, key);
  if (*id != 0)
    return TRUE;
  if (!make_lane (self, process, kind, name, id, error))
    return FALSE;
  keep (self, g_steal_pointer (&key), *id);
  return TRUE;
}

gboolean
weft_xctrace_entities_add_routine (WeftXctraceEntities *self, guint64 process, const char *name,
                                   guint64 *id, GError **error)
{
  WeftXctraceFields row;
  g_autofree char *key = g_strdup_printf ("r%" G_GUINT64_FORMAT " %s", process, name);
  guint64 runtime;

  *id = find (self, key);
  if (*id != 0)
    return TRUE;
  if (!weft_xctrace_entities_add_runtime (self, process, &runtime, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  if (runtime != 0)
    weft_xctrace_row_set_number (&row, "runtime", runtime);
  weft_xctrace_row_set_text (&row, "name", name);
  if (!weft_xctrace_row_add (&row, self->builder, "routines", id, error))
    return FALSE;
  keep (self, g_steal_pointer (&key), *id);
  return TRUE;
}

/* ---- Conservation ---- */

void
weft_xctrace_entities_count (WeftXctraceEntities *self, guint64 lane)
{
  get_lane (self, lane)->completed++;
}

void
weft_xctrace_entities_reject (WeftXctraceEntities *self, guint64 lane, const char *reason)
{
  Lane *found = get_lane (self, lane);
  guint64 *count = g_hash_table_lookup (found->reasons, reason);

  if (count == NULL)
    {
      count = g_new0 (guint64, 1);
      g_hash_table_insert (found->reasons, (gpointer) reason, count);
    }
  ++*count;
  found->rejected++;
}

static gboolean
write_losses (WeftXctraceEntities *self, guint64 id, const Lane *lane, gint64 end, GError **error)
{
  GHashTableIter iter;
  gpointer reason, count;

  g_hash_table_iter_init (&iter, lane->reasons);
  while (g_hash_table_iter_next (&iter, &reason, &count))
    {
      WeftXctraceFields row = { 0 };

      weft_xctrace_row_set_number (&row, "lane", id);
      if (lane->runtime != 0)
        weft_xctrace_row_set_number (&row, "runtime", lane->runtime);
      weft_xctrace_row_set_time (&row, "time", end);
      weft_xctrace_row_set_number (&row, "category", WEFT_LOSS_CATEGORY_REJECTED);
      weft_xctrace_row_set_text (&row, "reason", reason);
      weft_xctrace_row_set_number (&row, "count", *(const guint64 *) count);
      if (!weft_xctrace_row_add (&row, self->builder, "losses", NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_lane (WeftXctraceEntities *self, guint64 id, const Lane *lane, gint64 end, GError **error)
{
  WeftXctraceFields row = { 0 };

  weft_xctrace_row_set_number (&row, "lane", id);
  weft_xctrace_row_set_time (&row, "time", end);
  weft_xctrace_row_set_number (&row, "submitted", lane->completed + lane->rejected);
  weft_xctrace_row_set_number (&row, "completed", lane->completed);
  weft_xctrace_row_set_number (&row, "rejected", lane->rejected);
  return weft_xctrace_row_add (&row, self->builder, "lane_counts", NULL, error) &&
         write_losses (self, id, lane, end, error);
}

gboolean
weft_xctrace_entities_write_counts (WeftXctraceEntities *self, gint64 end, GError **error)
{
  guint64 n = weft_recording_builder_get_n_rows (self->builder, "lanes");

  for (guint64 id = 1; id <= n; id++)
    if (!write_lane (self, id, get_lane (self, id), end, error))
      return FALSE;
  return TRUE;
}

/* ---- Life ---- */

static void
process_clear (gpointer data)
{
  g_free (((Process *) data)->name);
}

WeftXctraceEntities *
weft_xctrace_entities_new (WeftRecordingBuilder *builder)
{
  WeftXctraceEntities *self = g_new0 (WeftXctraceEntities, 1);

  self->builder = g_object_ref (builder);
  self->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->command_lines = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->processes = g_array_new (FALSE, FALSE, sizeof (Process));
  g_array_set_clear_func (self->processes, process_clear);
  self->threads = g_array_new (FALSE, FALSE, sizeof (Thread));
  self->lanes = g_hash_table_new_full (NULL, NULL, NULL, lane_free);
  return self;
}

void
weft_xctrace_entities_free (WeftXctraceEntities *self)
{
  g_object_unref (self->builder);
  g_hash_table_unref (self->ids);
  g_hash_table_unref (self->command_lines);
  g_array_unref (self->processes);
  g_array_unref (self->threads);
  g_hash_table_unref (self->lanes);
  g_free (self);
}
