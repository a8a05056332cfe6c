/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-perf-source-private.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-process-tree.h"

#define WINDOW (NS_PER_SECOND / 10)
#define STACKS_PER_WINDOW 1000 /* ~4 µs each: 4 % of one CPU */
#define WAKINGS_PER_WINDOW 3000
#define PF_EXITING 0x4u

/* How late it may be seen that a thread waits, where its stack does not come with the switch; more
 * than it takes to fill half a ring that everybody may have.
 */
#define LOOKING_DRAIN (NS_PER_SECOND / 50)

/* What the program loses by an interrupt with a copied stack, by a record of a switch, and by a
 * tracepoint with a stack; measured on a virtual machine, where interrupts are dear.
 */
#define NS_PER_SAMPLE 13000
#define NS_PER_SWITCH 1300
#define NS_PER_STACK 4000

typedef struct
{
  guint64 values[2]; /* cycles, instructions */
} Counters;

/* ---- What samples say ---- */

static gsize
read_more (guint64 address, void *buffer, gsize length, gpointer data)
{
  struct iovec to = { buffer, length };
  struct iovec from = { GSIZE_TO_POINTER (address), length };
  ssize_t n = process_vm_readv (GPOINTER_TO_INT (data), &to, 1, &from, 1, 0);

  return n > 0 ? (gsize) n : 0;
}

/* Since the last sample of the same counters. */
static void
count (WeftPerfSource *self, WeftCpuSample *sample)
{
  const WeftPerfSample *read = &self->record.sample;
  int key = self->counters_by_thread ? sample->tid : (int) sample->cpu + 1;
  Counters *last;
  guint64 differences[2] = { 0 };

  if (read->n_counters < 2)
    return;
  last = g_hash_table_lookup (self->counters, GINT_TO_POINTER (key));
  sample->has_counters = last != NULL;
  if (last == NULL)
    {
      last = g_new0 (Counters, 1);
      g_hash_table_insert (self->counters, GINT_TO_POINTER (key), last);
    }
  for (guint i = 0; i < read->n_counters; i++)
    {
      int which = weft_perf_events_identify_counter (self->events, read->counter_ids[i]);

      if (which < 0)
        continue;
      differences[which] = read->counters[i] - last->values[which];
      last->values[which] = read->counters[i];
    }
  sample->cycles = differences[0];
  sample->instructions = differences[1];
}

static void
fill_sample (WeftPerfSource *self, WeftCpuSample *sample)
{
  const WeftPerfRecord *record = &self->record;

  *sample = (WeftCpuSample){ .time = record->time,
                             .pid = record->pid,
                             .tid = record->tid,
                             .cpu = record->cpu,
                             .kernel_chain = record->sample.kernel_chain,
                             .n_kernel = record->sample.n_kernel };
  if (!record->sample.has_registers)
    return;
  sample->registers = &record->sample.registers;
  sample->stack = record->sample.stack;
  sample->stack_length = record->sample.stack_length;
  sample->more = read_more;
  sample->more_data = GINT_TO_POINTER (record->pid);
}

static void
tell_sample (WeftPerfSource *self)
{
  WeftCpuSample sample;

  fill_sample (self, &sample);
  sample.weight = self->record.sample.period;
  count (self, &sample);
  self->n_samples++;
  weft_cpu_tracker_sample (self->tracker, &sample);
}

/* ---- Switches and wake-ups ---- */

static int *
get_told_switch (WeftPerfSource *self, guint cpu)
{
  if (cpu >= self->told_switches->len && cpu < 65536)
    g_array_set_size (self->told_switches, cpu + 1);
  return cpu < self->told_switches->len ? &g_array_index (self->told_switches, int, cpu) : NULL;
}

#define STATE_PREEMPTED                                                                            \
  0x100 /* TASK_REPORT_MAX: what the kernel says of those that could go on                         \
         */

static void
tell_traced_switch (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;
  int *told = get_told_switch (self, record->cpu);
  WeftCpuSample stack;
  gint64 state;
  guint flags;

  if (!weft_tracepoint_read (&self->switch_point, record->sample.raw, record->sample.raw_length,
                             &state, &flags))
    return;
  fill_sample (self, &stack);
  if (told != NULL)
    *told = record->tid;
  weft_cpu_tracker_switch_out (self->tracker, record->time, record->pid, record->tid,
                               state == 0 || (state & STATE_PREEMPTED) != 0,
                               (guint) state & (STATE_PREEMPTED - 1), &stack);
}

static void
tell_switch (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;
  int *told = get_told_switch (self, record->cpu);
  gboolean was_told = told != NULL && *told == record->tid;

  self->n_switches++;
  if (told != NULL)
    *told = 0;
  if (!(record->misc & PERF_RECORD_MISC_SWITCH_OUT))
    weft_cpu_tracker_switch_in (self->tracker, record->time, record->pid, record->tid, record->cpu);
  else if (!was_told)
    weft_cpu_tracker_switch_out (self->tracker, record->time, record->pid, record->tid,
                                 (record->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0, 0,
                                 NULL);
}

static gboolean
is_known_thread (WeftPerfSource *self, int tid)
{
  return self->threads == NULL || g_hash_table_contains (self->threads, GINT_TO_POINTER (tid));
}

/* Two events tell of wake-ups: with the stack, of the program's own threads; and without, of all
 * others and of interrupts, whoever was interrupted.
 */
static void
tell_waking (WeftPerfSource *self, WeftPerfKind kind)
{
  const WeftPerfRecord *record = &self->record;
  gboolean in_interrupt;
  WeftCpuSample stack;
  gint64 wakee;
  guint flags;

  if (!weft_tracepoint_read (&self->waking_point, record->sample.raw, record->sample.raw_length,
                             &wakee, &flags) ||
      !is_known_thread (self, (int) wakee))
    return;
  in_interrupt = (flags & WEFT_TRACE_IN_INTERRUPT) != 0;
  if (kind == WEFT_PERF_OTHER_WAKINGS && !in_interrupt && is_known_thread (self, record->tid))
    return;
  fill_sample (self, &stack);
  weft_cpu_tracker_wakeup (self->tracker, record->time, record->pid, record->tid, (int) wakee,
                           in_interrupt,
                           kind == WEFT_PERF_WAKINGS && !in_interrupt ? &stack : NULL);
}

/* ---- Processes ---- */

static void
note (WeftPerfSource *self, WeftSeverity severity, const char *code, char *message)
{
  g_ptr_array_add (self->notes, weft_cpu_note_new (severity, code, message));
}

/* The end of a thread's events need not be its end. */
static void
check_rights (WeftPerfSource *self, int pid)
{
  guint flags = 0;
  char state = weft_process_tree_get_state (pid, &flags);

  if (state == '\0' || strchr ("ZXx", state) != NULL || (flags & PF_EXITING) != 0)
    return;
  note (self, WEFT_SEVERITY_WARNING, "sampler-rights",
        g_strdup_printf ("Process %d began a program with other rights (set-uid), which the kernel "
                         "lets nobody watch without them: its CPU time is not in the recording. "
                         "Record as root to have it.",
                         pid));
}

static void
tell_mapping (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;
  const WeftPerfMapping *mapping = &record->mapping;
  WeftCpuMap map = { .time = record->time,
                     .pid = record->pid,
                     .address = mapping->address,
                     .length = mapping->length,
                     .offset = mapping->offset,
                     .device = mapping->device,
                     .inode = mapping->inode,
                     .build_id = mapping->build_id,
                     .build_id_length = mapping->build_id_length,
                     .path = mapping->path };

  if (!(record->misc & PERF_RECORD_MISC_MMAP_DATA) && (mapping->protection & PROT_EXEC))
    weft_cpu_tracker_map (self->tracker, &map);
}

static void
tell_start (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;

  if (self->threads != NULL)
    g_hash_table_add (self->threads, GINT_TO_POINTER (record->tid));
  if (self->only != NULL)
    g_hash_table_add (self->only, GINT_TO_POINTER (record->pid));
  weft_cpu_tracker_start (self->tracker, record->time, record->pid, record->tid, record->parent_pid,
                          record->parent_tid);
}

static void
tell_exit (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;

  if (self->threads != NULL)
    g_hash_table_remove (self->threads, GINT_TO_POINTER (record->tid));
  if (self->counters_by_thread)
    g_hash_table_remove (self->counters, GINT_TO_POINTER (record->tid));
  weft_cpu_tracker_exit (self->tracker, record->time, record->pid, record->tid);
  if (self->frozen_at_setuid && record->pid == record->tid)
    check_rights (self, record->pid);
}

static void
tell_name (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;
  gboolean is_exec = (record->misc & PERF_RECORD_MISC_COMM_EXEC) != 0;

  if (self->threads != NULL)
    g_hash_table_add (self->threads, GINT_TO_POINTER (record->tid));
  weft_cpu_tracker_name (self->tracker, record->time, record->pid, record->tid, record->name,
                         is_exec);
}

/* ---- Records ---- */

/* What the held process does until it runs its program is ours. */
static gboolean
is_wanted (WeftPerfSource *self)
{
  const WeftPerfRecord *record = &self->record;
  int pid = record->type == PERF_RECORD_FORK ? record->parent_pid : record->pid;

  if (record->type == PERF_RECORD_LOST || record->type == PERF_RECORD_LOST_SAMPLES ||
      record->type == PERF_RECORD_THROTTLE)
    return TRUE;
  if (self->held != 0 && record->pid == self->held)
    {
      if (record->type != PERF_RECORD_COMM || !(record->misc & PERF_RECORD_MISC_COMM_EXEC))
        return FALSE;
      self->held = 0;
    }
  if (self->whole_system && pid == self->self_pid)
    return FALSE;
  return self->only == NULL || g_hash_table_contains (self->only, GINT_TO_POINTER (pid));
}

/* Pauses an event that comes too often until the window is over. */
static void
brake (WeftPerfSource *self, WeftPerfKind kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->brakes); i++)
    {
      WeftPerfBrake *brake = &self->brakes[i];

      if (brake->kind != kind || ++brake->n <= brake->limit || brake->is_paused)
        continue;
      weft_perf_events_set_enabled (self->events, kind, FALSE);
      brake->is_paused = TRUE;
      brake->n_paused++;
    }
}

static void
release_brakes (WeftPerfSource *self, gint64 now)
{
  /* After the last drain nothing is let loose again. */
  if (!self->tracepoints || now < self->window || now == G_MAXINT64)
    return;
  self->window = now + WINDOW;
  self->n_windows++;
  for (guint i = 0; i < G_N_ELEMENTS (self->brakes); i++)
    {
      WeftPerfBrake *brake = &self->brakes[i];

      if (brake->is_paused)
        weft_perf_events_set_enabled (self->events, brake->kind, TRUE);
      brake->is_paused = FALSE;
      brake->n = 0;
    }
}

static void
tell_event (WeftPerfSource *self, WeftPerfKind kind)
{
  self->n_stacks += kind == WEFT_PERF_SWITCHES || kind == WEFT_PERF_WAKINGS;
  switch (kind)
    {
    case WEFT_PERF_SAMPLES:
      tell_sample (self);
      break;
    case WEFT_PERF_SWITCHES:
      tell_traced_switch (self);
      break;
    case WEFT_PERF_WAKINGS:
    case WEFT_PERF_OTHER_WAKINGS:
      tell_waking (self, kind);
      break;
    case WEFT_PERF_N_KINDS:
      break;
    }
}

static void
tell_record (WeftPerfSource *self, WeftPerfKind kind)
{
  WeftPerfRecord *record = &self->record;

  switch (record->type)
    {
    case PERF_RECORD_SAMPLE:
      tell_event (self, kind);
      break;
    case PERF_RECORD_MMAP2:
      tell_mapping (self);
      break;
    case PERF_RECORD_COMM:
      tell_name (self);
      break;
    case PERF_RECORD_FORK:
      tell_start (self);
      break;
    case PERF_RECORD_EXIT:
      tell_exit (self);
      break;
    case PERF_RECORD_SWITCH:
    case PERF_RECORD_SWITCH_CPU_WIDE:
      tell_switch (self);
      break;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
      self->lost += record->lost;
      weft_cpu_tracker_lost (self->tracker, record->time, record->cpu, record->lost);
      break;
    case PERF_RECORD_THROTTLE:
      self->throttled++;
      break;
    default:
      break;
    }
}

static void
on_record (const guint8 *bytes, gsize length, gint64 time, gpointer data)
{
  WeftPerfSource *self = data;
  WeftPerfKind kind;
  guint64 sample_type;

  self->n_events++;
  if (!weft_perf_events_identify (self->events, weft_perf_record_peek_id (bytes, length), &kind,
                                  &sample_type) ||
      !weft_perf_record_decode (bytes, length, sample_type, &self->record))
    {
      self->malformed++;
      return;
    }
  self->record.time = time;
  if (self->record.type == PERF_RECORD_SAMPLE)
    brake (self, kind);
  if (is_wanted (self))
    tell_record (self, kind);
}

/* ---- The source ---- */

WeftPerfSource *
weft_perf_source_new (const WeftCpuSourceOptions *options, WeftCpuTracker *tracker,
                      WeftCpuFacts *facts, GError **error)
{
  WeftPerfSource *self = g_new0 (WeftPerfSource, 1);

  self->tracker = tracker;
  self->self_pid = getpid ();
  self->whole_system = options->system;
  self->told_switches = g_array_new (FALSE, TRUE, sizeof (int));
  self->counters = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
  self->brakes[0] = (WeftPerfBrake){ .kind = WEFT_PERF_SWITCHES, .limit = STACKS_PER_WINDOW };
  self->brakes[1] = (WeftPerfBrake){ .kind = WEFT_PERF_WAKINGS, .limit = STACKS_PER_WINDOW };
  self->brakes[2] = (WeftPerfBrake){ .kind = WEFT_PERF_OTHER_WAKINGS, .limit = WAKINGS_PER_WINDOW };
  if (weft_perf_source_open (self, options, facts, error))
    return self;
  weft_perf_source_free (self);
  return NULL;
}

void
weft_perf_source_free (WeftPerfSource *self)
{
  g_clear_pointer (&self->events, weft_perf_events_free);
  g_clear_pointer (&self->cgroup, weft_cgroup_free);
  g_clear_pointer (&self->only, g_hash_table_unref);
  g_clear_pointer (&self->threads, g_hash_table_unref);
  g_array_unref (self->told_switches);
  g_hash_table_unref (self->counters);
  g_ptr_array_unref (self->notes);
  g_free (self);
}

void
weft_perf_source_wait (WeftPerfSource *self, int descriptor, gint64 until)
{
  weft_perf_events_wait (self->events, descriptor, until);
}

gint64
weft_perf_source_get_next_drain (WeftPerfSource *self)
{
  gint64 interval = weft_perf_events_get_drain_interval (self->events);

  return weft_monotonic_now () + (self->tracepoints ? interval : MIN (interval, LOOKING_DRAIN));
}

void
weft_perf_source_drain (WeftPerfSource *self, gint64 watermark)
{
  weft_perf_merge_drain (weft_perf_events_get_merge (self->events), watermark, on_record, self);
  release_brakes (self, watermark);
}

void
weft_perf_source_disable (WeftPerfSource *self)
{
  for (WeftPerfKind kind = 0; kind < WEFT_PERF_N_KINDS; kind++)
    weft_perf_events_set_enabled (self->events, kind, FALSE);
}

void
weft_perf_source_get_status (WeftPerfSource *self, WeftCpuSourceStatus *status)
{
  status->events = self->n_events;
  status->samples = self->n_samples;
  status->lost = self->lost;
  status->target_stopped = self->n_samples * NS_PER_SAMPLE + self->n_stacks * NS_PER_STACK +
                           self->n_switches * NS_PER_SWITCH;
}

static void
note_pauses (WeftPerfSource *self)
{
  static const char *const names[] = { "Stacks of threads that begin to wait", "Stacks of wakers",
                                       "Wake-ups by others and by interrupts" };

  for (guint i = 0; i < G_N_ELEMENTS (self->brakes); i++)
    if (self->brakes[i].n_paused > 0)
      note (self, WEFT_SEVERITY_INFO, "sampler-paused",
            g_strdup_printf ("%s were left out for part of %" G_GUINT64_FORMAT
                             " of %" G_GUINT64_FORMAT
                             " tenths of a second: there were so many that it would have cost more "
                             "than a few per cent of a CPU.",
                             names[i], self->brakes[i].n_paused, self->n_windows));
}

static void
note_bad_records (WeftPerfSource *self)
{
  guint64 bytes = weft_perf_merge_get_unreadable (weft_perf_events_get_merge (self->events));

  if (self->throttled > 0)
    note (self, WEFT_SEVERITY_WARNING, "sampler-throttled",
          g_strdup_printf ("The kernel held sampling back %" G_GUINT64_FORMAT
                           " times: it took too long. Choose a lower --frequency, or raise the "
                           "kernel.perf_event_max_sample_rate.",
                           self->throttled));
  if (self->malformed > 0 || bytes > 0)
    note (self, WEFT_SEVERITY_WARNING, "sampler-unreadable",
          g_strdup_printf ("%" G_GUINT64_FORMAT " events and %" G_GUINT64_FORMAT
                           " bytes from the kernel could not be read.",
                           self->malformed, bytes));
}

void
weft_perf_source_take_notes (WeftPerfSource *self, GPtrArray *notes, gboolean at_end)
{
  if (self->lost > self->told_lost && (at_end || self->told_lost == 0))
    {
      note (self, WEFT_SEVERITY_WARNING, "sampler-lost",
            g_strdup_printf ("%" G_GUINT64_FORMAT
                             " CPU events were lost: they came faster than they could be taken. "
                             "Choose a lower --frequency or --stack-size.",
                             self->lost));
      self->told_lost = self->lost;
    }
  if (at_end)
    {
      note_pauses (self);
      note_bad_records (self);
    }
  g_ptr_array_extend_and_steal (notes, g_steal_pointer (&self->notes));
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
}
