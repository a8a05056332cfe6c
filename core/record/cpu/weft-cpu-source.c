/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-source.h"

#include <errno.h>
#include <gio/gio.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-perf-source.h"
#include "weft-ptrace-source.h"

#define MILLISECOND (NS_PER_SECOND / 1000)
#define SNAPSHOT_INTERVAL MILLISECOND
#define LATE_WRITERS (NS_PER_SECOND / 4000) /* records of before are all there */
#define PRIORITY -10

struct _WeftCpuSource
{
  WeftCpuSourceOptions options; /* for the start */
  WeftCpuTracker *tracker;
  WeftCpuFacts *facts;
  GThread *thread;
  int wake; /* readable: stop, or take what is there */
  int stopping;

  /* The thread's own. */
  WeftPerfSource *perf;
  WeftPtraceSource *ptrace;

  GMutex lock; /* of what follows */
  GCond changed;
  gboolean is_open; /* or could not be opened */
  gboolean is_taking;
  gint64 wanted; /* somebody waits for the events until then */
  gint64 taken;  /* handed over to whoever waited */
  GError *error;
  WeftCpuSourceStatus status;
  GPtrArray *notes;
};

/* ---- The choice ---- */

static gboolean
may_be (const WeftCpuSourceOptions *options, WeftSampler sampler)
{
  return options->sampler == WEFT_SAMPLER_AUTO || options->sampler == sampler;
}

/* Only what somebody asked for is an error: a program runs without samples as well. */
static gboolean
is_fatal (const WeftCpuSourceOptions *options)
{
  return options->sampler != WEFT_SAMPLER_AUTO || options->program == NULL || options->system;
}

static void
tell_missing (WeftCpuFacts *facts, const GError *perf, const GError *trace)
{
  if (trace == NULL)
    weft_cpu_facts_add_missing (facts, "Exact times of waits and the kernel's part of stacks: %s.",
                                perf->message);
  else
    weft_cpu_facts_add_missing (facts, "CPU samples: %s; and %s.", perf->message, trace->message);
}

/* Before the first event. */
static void
set_tracker_options (WeftCpuSource *self, gboolean approximate)
{
  WeftCpuTrackerOptions options = {
    .snapshot_interval = self->options.no_waits ? 0 : SNAPSHOT_INTERVAL,
    .approximate = approximate,
  };

  weft_cpu_tracker_set_options (self->tracker, &options);
}

static void
open_ptrace (WeftCpuSource *self, const GError *perf_error, GError **error)
{
  g_autoptr (GError) trace_error = NULL;

  set_tracker_options (self, TRUE);
  self->ptrace = weft_ptrace_source_new (&self->options, self->tracker, self->facts, &trace_error);
  if (perf_error != NULL)
    tell_missing (self->facts, perf_error, trace_error);
  else if (trace_error != NULL)
    weft_cpu_facts_add_missing (self->facts, "CPU samples: %s.", trace_error->message);
  if (trace_error != NULL && is_fatal (&self->options))
    g_propagate_error (
        error,
        g_error_copy (perf_error && self->options.program == NULL ? perf_error : trace_error));
}

/* What is closed to us, and not what is not there, can be had in another way. */
static gboolean
may_trace_instead (const WeftCpuSourceOptions *options, const GError *error)
{
  return may_be (options, WEFT_SAMPLER_PTRACE) && !options->system &&
         !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
open_source (WeftCpuSource *self, GError **error)
{
  g_autoptr (GError) perf_error = NULL;

  set_tracker_options (self, FALSE);
  if (may_be (&self->options, WEFT_SAMPLER_PERF))
    self->perf = weft_perf_source_new (&self->options, self->tracker, self->facts, &perf_error);
  if (self->perf != NULL)
    return;
  if (perf_error == NULL || may_trace_instead (&self->options, perf_error))
    open_ptrace (self, perf_error, error);
  else if (is_fatal (&self->options))
    g_propagate_error (error, g_steal_pointer (&perf_error));
  else
    weft_cpu_facts_add_missing (self->facts, "CPU samples: %s.", perf_error->message);
}

/* ---- The thread ---- */

static void
publish (WeftCpuSource *self, gboolean at_end)
{
  WeftCpuSourceStatus status = { 0 };
  g_autoptr (GPtrArray) notes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);

  if (self->perf != NULL)
    {
      weft_perf_source_get_status (self->perf, &status);
      weft_perf_source_take_notes (self->perf, notes, at_end);
    }
  else
    {
      weft_ptrace_source_get_status (self->ptrace, &status);
      weft_ptrace_source_take_notes (self->ptrace, notes);
    }
  status.sampler_cpu = (guint64) weft_clock_now (CLOCK_THREAD_CPUTIME_ID);
  g_mutex_lock (&self->lock);
  self->status = status;
  g_ptr_array_extend_and_steal (self->notes, g_steal_pointer (&notes));
  g_mutex_unlock (&self->lock);
}

/* All of before UNTIL were taken. When the next are to be, at the latest. */
static gint64
answer_wanted (WeftCpuSource *self, gint64 until, gint64 due)
{
  eventfd_t woken;
  gint64 wanted;

  g_mutex_lock (&self->lock);
  wanted = self->wanted > self->taken ? self->wanted : 0;
  g_mutex_unlock (&self->lock);
  if (wanted == 0)
    return due;
  eventfd_read (self->wake, &woken);
  if (until < wanted)
    return MIN (due, wanted + LATE_WRITERS);
  weft_cpu_tracker_hand_over (self->tracker, until);
  g_mutex_lock (&self->lock);
  self->taken = until;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return due;
}

static gint64
take_perf_events (WeftCpuSource *self, gint64 due)
{
  gint64 now;

  weft_perf_source_wait (self->perf, self->wake, due);
  now = weft_monotonic_now () - LATE_WRITERS;
  weft_perf_source_drain (self->perf, now);
  due = MIN (weft_cpu_tracker_tick (self->tracker, now),
             weft_perf_source_get_next_drain (self->perf));
  return answer_wanted (self, now, due);
}

static gint64
take_traced_events (WeftCpuSource *self, gint64 due)
{
  const gint64 now = weft_monotonic_now ();

  weft_ptrace_source_run (self->ptrace, due);
  due = weft_cpu_tracker_tick (self->tracker, weft_monotonic_now ());
  return answer_wanted (self, now, due);
}

static void
finish (WeftCpuSource *self)
{
  if (self->perf != NULL)
    {
      weft_perf_source_disable (self->perf);
      weft_perf_source_drain (self->perf, G_MAXINT64);
    }
  publish (self, TRUE);
  g_mutex_lock (&self->lock);
  self->is_taking = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->perf, weft_perf_source_free);
  g_clear_pointer (&self->ptrace, weft_ptrace_source_free);
}

/* Answers whoever waits for the start. */
static void
tell_open (WeftCpuSource *self, GError *error)
{
  g_mutex_lock (&self->lock);
  self->error = error;
  self->is_open = TRUE;
  self->is_taking = self->perf != NULL || self->ptrace != NULL;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Who is late to take events loses them, and who has hundreds of threads to compete with is late.
 * Not everybody may come first; it is little that is done then.
 */
static void
come_first (void)
{
  const struct sched_param parameters = { .sched_priority = sched_get_priority_min (SCHED_RR) };

  if (sched_setscheduler (0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) != 0)
    setpriority (PRIO_PROCESS, (id_t) syscall (SYS_gettid), PRIORITY);
}

static gpointer
run (gpointer data)
{
  WeftCpuSource *self = data;
  GError *error = NULL;
  gint64 due = 0;
  gint64 publishing = 0;
  gboolean works;

  come_first ();
  open_source (self, &error);
  works = self->perf != NULL || self->ptrace != NULL;
  tell_open (self, error);
  if (!works)
    return NULL;
  while (!g_atomic_int_get (&self->stopping))
    {
      due = self->perf ? take_perf_events (self, due) : take_traced_events (self, due);
      if (weft_monotonic_now () < publishing)
        continue;
      publish (self, FALSE);
      publishing = weft_monotonic_now () + 100 * MILLISECOND;
    }
  finish (self);
  return NULL;
}

/* ---- For others ---- */

WeftCpuSource *
weft_cpu_source_new (const WeftCpuSourceOptions *options, WeftCpuTracker *tracker,
                     WeftCpuFacts *facts, GError **error)
{
  WeftCpuSource *self = g_new0 (WeftCpuSource, 1);

  self->options = *options;
  if (self->options.frequency == 0)
    self->options.frequency = WEFT_CPU_FREQUENCY;
  if (self->options.stack_bytes == 0)
    self->options.stack_bytes = WEFT_CPU_STACK_BYTES;
  self->tracker = tracker;
  self->facts = facts;
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  if (options->sampler == WEFT_SAMPLER_OFF)
    return self;

  self->thread = g_thread_new ("weft-sampler", run, self);
  g_mutex_lock (&self->lock);
  while (!self->is_open)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (self->error == NULL)
    return self;
  g_propagate_error (error, g_steal_pointer (&self->error));
  weft_cpu_source_free (self);
  return NULL;
}

void
weft_cpu_source_catch_up (WeftCpuSource *self, gint64 deadline)
{
  const gint64 now = weft_monotonic_now ();
  gboolean in_time = TRUE;

  g_mutex_lock (&self->lock);
  self->wanted = now;
  if (self->is_taking)
    eventfd_write (self->wake, 1);
  while (self->is_taking && self->taken < now && in_time)
    in_time = g_cond_wait_until (&self->changed, &self->lock, deadline / 1000);
  g_mutex_unlock (&self->lock);
}

void
weft_cpu_source_stop (WeftCpuSource *self)
{
  if (self->thread == NULL)
    return;
  g_atomic_int_set (&self->stopping, TRUE);
  eventfd_write (self->wake, 1);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
weft_cpu_source_free (WeftCpuSource *self)
{
  weft_cpu_source_stop (self);
  close (self->wake);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->notes);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

void
weft_cpu_source_get_status (WeftCpuSource *self, WeftCpuSourceStatus *status)
{
  g_mutex_lock (&self->lock);
  *status = self->status;
  g_mutex_unlock (&self->lock);
}

GPtrArray *
weft_cpu_source_take_notes (WeftCpuSource *self)
{
  GPtrArray *notes;

  g_mutex_lock (&self->lock);
  notes = g_steal_pointer (&self->notes);
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
  g_mutex_unlock (&self->lock);
  return notes;
}
