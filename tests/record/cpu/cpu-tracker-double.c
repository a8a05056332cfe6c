/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-tracker-double.h"

#include <string.h>

struct _WeftCpuTracker
{
  GArray *told;
  GMutex lock;
};

WeftCpuTracker *
told_new (void)
{
  WeftCpuTracker *self = g_new0 (WeftCpuTracker, 1);

  self->told = g_array_new (FALSE, TRUE, sizeof (Told));
  g_mutex_init (&self->lock);
  return self;
}

GArray *
told_get (WeftCpuTracker *self)
{
  return self->told;
}

guint
told_count (WeftCpuTracker *self, ToldKind kind)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->told->len; i++)
    n += g_array_index (self->told, Told, i).kind == kind;
  g_mutex_unlock (&self->lock);
  return n;
}

static void
keep (WeftCpuTracker *self, const Told *told)
{
  g_mutex_lock (&self->lock);
  g_array_append_vals (self->told, told, 1);
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_tracker_free (WeftCpuTracker *self)
{
  g_array_unref (self->told);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
weft_cpu_tracker_set_options (WeftCpuTracker *self, const WeftCpuTrackerOptions *options)
{
}

/* Reads all of it, so that sanitizers see what is not there. */
static guint64
sum (const guint8 *bytes, gsize length)
{
  guint64 total = 0;

  for (gsize i = 0; i < length; i++)
    total += bytes[i];
  return total;
}

static void
add_stack (Told *told, const WeftCpuSample *sample)
{
  static volatile guint64 sink;

  if (sample == NULL)
    return;
  sink += sum (sample->stack, sample->stack_length);
  sink += sum ((const guint8 *) sample->kernel_chain, sample->n_kernel * sizeof (guint64));
  told->stack = sample->stack_length;
  told->n_kernel = sample->n_kernel;
  told->has_registers = sample->registers != NULL;
  told->pc = sample->registers ? sample->registers->pc : 0;
}

void
weft_cpu_tracker_map (WeftCpuTracker *self, const WeftCpuMap *map)
{
  Told told = { .kind = TOLD_MAP, .time = map->time, .pid = map->pid, .number = map->address };
  gsize length = strlen (map->path);

  g_strlcpy (told.name, map->path + (length > 31 ? length - 31 : 0), sizeof told.name);
  keep (self, &told);
}

void
weft_cpu_tracker_name (WeftCpuTracker *self, gint64 time, int pid, int tid, const char *name,
                       gboolean is_exec)
{
  Told told = { .kind = is_exec ? TOLD_EXEC : TOLD_NAME, .time = time, .pid = pid, .tid = tid };

  g_strlcpy (told.name, name, sizeof told.name);
  keep (self, &told);
}

void
weft_cpu_tracker_start (WeftCpuTracker *self, gint64 time, int pid, int tid, int parent_pid,
                        int parent_tid)
{
  keep (self, &(Told){ .kind = TOLD_START,
                       .time = time,
                       .pid = pid,
                       .tid = tid,
                       .other = parent_tid,
                       .number = (guint64) parent_pid });
}

void
weft_cpu_tracker_exit (WeftCpuTracker *self, gint64 time, int pid, int tid)
{
  keep (self, &(Told){ .kind = TOLD_EXIT, .time = time, .pid = pid, .tid = tid });
}

void
weft_cpu_tracker_sample (WeftCpuTracker *self, const WeftCpuSample *sample)
{
  Told told = { .kind = TOLD_SAMPLE,
                .time = sample->time,
                .pid = sample->pid,
                .tid = sample->tid,
                .cpu = sample->cpu,
                .number = sample->weight };

  add_stack (&told, sample);
  keep (self, &told);
}

void
weft_cpu_tracker_switch_out (WeftCpuTracker *self, gint64 time, int pid, int tid,
                             gboolean preempted, guint state, const WeftCpuSample *stack)
{
  Told told = {
    .kind = TOLD_OUT, .time = time, .pid = pid, .tid = tid, .number = state, .flag = preempted
  };

  add_stack (&told, stack);
  keep (self, &told);
}

void
weft_cpu_tracker_switch_in (WeftCpuTracker *self, gint64 time, int pid, int tid, guint cpu)
{
  keep (self, &(Told){ .kind = TOLD_IN, .time = time, .pid = pid, .tid = tid, .cpu = cpu });
}

void
weft_cpu_tracker_wakeup (WeftCpuTracker *self, gint64 time, int waker_pid, int waker_tid,
                         int wakee_tid, gboolean in_interrupt, const WeftCpuSample *stack)
{
  Told told = { .kind = TOLD_WAKEUP,
                .time = time,
                .pid = waker_pid,
                .tid = waker_tid,
                .other = wakee_tid,
                .flag = in_interrupt };

  add_stack (&told, stack);
  keep (self, &told);
}

void
weft_cpu_tracker_lost (WeftCpuTracker *self, gint64 time, guint cpu, guint64 count)
{
  keep (self, &(Told){ .kind = TOLD_LOST, .time = time, .cpu = cpu, .number = count });
}

gboolean
weft_cpu_tracker_attach (WeftCpuTracker *self, gint64 time, int pid)
{
  keep (self, &(Told){ .kind = TOLD_ATTACH, .time = time, .pid = pid });
  return TRUE;
}

gint64
weft_cpu_tracker_tick (WeftCpuTracker *self, gint64 now)
{
  return now + 1000000;
}

void
weft_cpu_tracker_hand_over (WeftCpuTracker *self, gint64 now)
{
}

void
weft_cpu_tracker_finish (WeftCpuTracker *self, gint64 now)
{
}
