/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which events can be had here, of whom: the best first. */

#include "weft-perf-source-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-process-tree.h"

#define RING_BYTES (512 * 1024)        /* what everybody may have of each CPU */
#define LARGE_RING_BYTES (2048 * 1024) /* privileged */
#define SPARE_DESCRIPTORS 256          /* for all else */
#define ATTACH_ROUNDS 100

typedef struct
{
  WeftPerfSource *source;
  const WeftCpuSourceOptions *options;
  WeftCpuFacts *facts;
  WeftPerfSettings settings;
} Opening;

/* ---- What there is ---- */

/* No error is as telling as the setting that caused it. */
static int
read_paranoid (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/sys/kernel/perf_event_paranoid", &text, NULL, NULL))
    return -1;
  return (int) g_ascii_strtoll (text, NULL, 10);
}

static int
io_error_of (int cause)
{
  return cause == ESRCH ? G_IO_ERROR_NOT_FOUND : (int) g_io_error_from_errno (cause);
}

static void
set_closed (GError **error, int cause)
{
  int paranoid = read_paranoid ();

  if (cause == ENOSYS || (paranoid >= 0 && paranoid <= 2 && cause == EPERM))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                 "performance events are closed to this process, by a container's filter as it "
                 "seems (%s)",
                 g_strerror (cause));
  else if (cause == EACCES || cause == EPERM)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                 "performance events are closed to this user (kernel.perf_event_paranoid is %d); "
                 "“sysctl kernel.perf_event_paranoid=2” opens them",
                 paranoid);
  else
    g_set_error (error, G_IO_ERROR, io_error_of (cause), "performance events cannot be had: %s",
                 g_strerror (cause));
}

static gboolean
has_counters (void)
{
  struct perf_event_attr attr = { .size = sizeof attr,
                                  .type = PERF_TYPE_HARDWARE,
                                  .config = PERF_COUNT_HW_CPU_CYCLES,
                                  .exclude_kernel = 1,
                                  .exclude_hv = 1,
                                  .disabled = 1 };
  int fd = (int) syscall (SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* ---- Trying ---- */

static void
begin (Opening *self, gboolean kernel, gboolean inherit, gboolean on_exec)
{
  g_clear_pointer (&self->source->events, weft_perf_events_free);
  self->settings.kernel = kernel;
  self->settings.inherit = inherit;
  self->settings.on_exec = on_exec;
  self->settings.ring_bytes = kernel ? LARGE_RING_BYTES : RING_BYTES;
  self->source->events = weft_perf_events_new (&self->settings);
}

static int
open_samples (Opening *self, int id, gboolean is_group)
{
  WeftPerfTarget target = { id, is_group };

  return weft_perf_events_open (self->source->events, WEFT_PERF_SAMPLES, &target, NULL, NULL);
}

/* With the kernel's part, if that is allowed. */
static int
open_program (Opening *self, int pid)
{
  int error;

  begin (self, TRUE, TRUE, TRUE);
  error = open_samples (self, pid, FALSE);
  if (error != EACCES && error != EPERM)
    return error;
  begin (self, FALSE, TRUE, TRUE);
  return open_samples (self, pid, FALSE);
}

static int
open_system (Opening *self)
{
  begin (self, TRUE, FALSE, FALSE);
  return open_samples (self, -1, FALSE);
}

/* ---- Wake-ups and switches, from tracepoints ---- */

/* Stacks are of those that wait: each of our own wake-ups preempts somebody. */
#define NOT_PREEMPTED "prev_state > 0 && prev_state < 256"

static gboolean
open_points (Opening *self, const WeftPerfTarget *target)
{
  WeftPerfSource *source = self->source;
  const WeftPerfTarget all = { -1, FALSE };

  if (weft_perf_events_open (source->events, WEFT_PERF_SWITCHES, target, &source->switch_point,
                             NOT_PREEMPTED) != 0)
    return FALSE;
  if (weft_perf_events_open (source->events, WEFT_PERF_WAKINGS, target, &source->waking_point,
                             NULL) != 0)
    return FALSE;
  return source->whole_system || weft_perf_events_open (source->events, WEFT_PERF_OTHER_WAKINGS,
                                                        &all, &source->waking_point, NULL) == 0;
}

/* TARGET is of all that is sampled. Without them, the rest goes on. */
static void
open_tracepoints (Opening *self, const WeftPerfTarget *target)
{
  WeftPerfSource *source = self->source;
  int folder = self->options->no_waits ? -1 : weft_tracing_open ();
  gboolean found;

  if (self->options->no_waits)
    return;
  found = folder >= 0 &&
          weft_tracing_find (folder, "sched_switch", "prev_state", &source->switch_point) &&
          weft_tracing_find (folder, "sched_waking", "pid", &source->waking_point);
  if (folder >= 0)
    close (folder);
  source->tracepoints = found && open_points (self, target);
  if (source->tracepoints && !source->whole_system)
    source->threads = g_hash_table_new (NULL, NULL);
  self->facts->tracepoints = source->tracepoints;
  if (!source->tracepoints)
    weft_cpu_facts_add_missing (
        self->facts, "Who woke whom, and stacks at the begin of waits: the kernel's tracepoints "
                     "are not open to this process; record as root.");
}

/* ---- A launched program ---- */

/* FALSE: it has to be done in another way. */
static gboolean
open_group (Opening *self, int pid)
{
  WeftPerfSource *source = self->source;
  g_autoptr (GError) error = NULL;
  int cause;

  if (geteuid () != 0)
    return FALSE;
  source->cgroup = weft_cgroup_new (&error);
  if (source->cgroup != NULL)
    {
      WeftPerfTarget target = { weft_cgroup_get_descriptor (source->cgroup), TRUE };

      begin (self, TRUE, FALSE, FALSE);
      cause = open_samples (self, target.id, TRUE);
      if (cause == 0 && weft_cgroup_add (source->cgroup, pid, &error))
        {
          open_tracepoints (self, &target);
          return TRUE;
        }
      if (cause != 0)
        g_set_error (&error, G_IO_ERROR, io_error_of (cause), "%s", g_strerror (cause));
      g_clear_pointer (&source->events, weft_perf_events_free);
      g_clear_pointer (&source->cgroup, weft_cgroup_free);
    }
  weft_cpu_facts_add_missing (self->facts,
                              "Samples of processes that live less than a millisecond: events of a "
                              "control group are needed, and %s.",
                              error->message);
  return FALSE;
}

static gboolean
launch (Opening *self, GError **error)
{
  WeftPerfSource *source = self->source;
  int pid = weft_program_get_pid (self->options->program);
  WeftPerfTarget target = { pid, FALSE };
  int cause;

  if (open_group (self, pid))
    {
      self->facts->sampler = "perf-cgroup";
      return TRUE;
    }
  cause = open_program (self, pid);
  if (cause != 0)
    {
      set_closed (error, cause);
      return FALSE;
    }
  self->facts->sampler = self->settings.kernel ? "perf" : "perf-user";
  source->frozen_at_setuid = geteuid () != 0;
  if (self->settings.kernel)
    open_tracepoints (self, &target);
  return TRUE;
}

/* ---- The whole system ---- */

static void
tell_all_processes (WeftPerfSource *source, gint64 now)
{
  g_autoptr (GArray) pids = weft_process_tree_list ();

  for (guint i = 0; i < pids->len; i++)
    {
      int pid = g_array_index (pids, int, i);

      if (pid != source->self_pid)
        weft_cpu_tracker_attach (source->tracker, now, pid);
    }
}

static gboolean
watch_system (Opening *self, GError **error)
{
  const WeftPerfTarget all = { -1, FALSE };
  int cause = open_system (self);
  gint64 now;

  if (cause != 0)
    {
      set_closed (error, cause);
      g_prefix_error (error, "Other users' programs can be sampled by root, or with "
                             "CAP_PERFMON, or if kernel.perf_event_paranoid is 0: ");
      return FALSE;
    }
  self->facts->sampler = "perf";
  open_tracepoints (self, &all);
  now = weft_monotonic_now ();
  for (WeftPerfKind kind = 0; kind < WEFT_PERF_N_KINDS; kind++)
    weft_perf_events_set_enabled (self->source->events, kind, TRUE);
  tell_all_processes (self->source, now);
  return TRUE;
}

/* ---- Processes that run already ---- */

/* Of which there are events already. */
typedef struct
{
  GHashTable *threads;
  int cause; /* why the last one could not be had, an errno; 0: all could */
  int cause_pid;
  guint n_missing;
} Attached;

/* Returns how many threads are new. One that has ended meanwhile is not missed. */
static guint
attach_threads (Opening *self, int pid, Attached *attached)
{
  g_autoptr (GArray) tids = weft_process_tree_list_threads (pid);
  guint n_new = 0;

  for (guint i = 0; i < tids->len; i++)
    {
      int tid = g_array_index (tids, int, i);
      int cause;

      if (!g_hash_table_add (attached->threads, GINT_TO_POINTER (tid)))
        continue;
      cause = open_samples (self, tid, FALSE);
      if (cause == 0)
        n_new++;
      else if (cause != ESRCH)
        {
          attached->cause = cause;
          attached->cause_pid = pid;
          attached->n_missing++;
        }
    }
  return n_new;
}

/* Until no thread is new: events are inherited from then on. Returns how many there are. */
static guint
attach_all (Opening *self, Attached *attached)
{
  guint n = 0;
  guint n_new = 1;

  for (guint round = 0; n_new > 0 && round < ATTACH_ROUNDS; round++)
    {
      g_autoptr (GArray) pids =
          weft_process_tree_list_below (self->options->pids, self->options->n_pids);

      n_new = 0;
      for (guint i = 0; i < pids->len; i++)
        n_new += attach_threads (self, g_array_index (pids, int, i), attached);
      n += n_new;
    }
  return n;
}

static guint
count_threads (GArray *pids)
{
  guint n = 0;

  for (guint i = 0; i < pids->len; i++)
    {
      g_autoptr (GArray) tids = weft_process_tree_list_threads (g_array_index (pids, int, i));

      n += tids->len;
    }
  return n;
}

/* An event for each thread on each CPU: there may be more than descriptors. */
static gboolean
is_too_many (GArray *pids)
{
  struct rlimit limit = { .rlim_cur = 1024 };
  guint64 n = (guint64) count_threads (pids) * (guint64) sysconf (_SC_NPROCESSORS_ONLN);

  getrlimit (RLIMIT_NOFILE, &limit);
  return n + SPARE_DESCRIPTORS > limit.rlim_cur;
}

/* Everything is sampled, and what is not asked for left out. */
static gboolean
attach_by_filter (Opening *self, GArray *pids)
{
  WeftPerfSource *source = self->source;

  if (open_system (self) != 0)
    {
      g_clear_pointer (&source->events, weft_perf_events_free);
      return FALSE;
    }
  source->only = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < pids->len; i++)
    g_hash_table_add (source->only, GINT_TO_POINTER (g_array_index (pids, int, i)));
  return TRUE;
}

static void
note_missing_threads (Opening *self, const Attached *attached)
{
  if (attached->n_missing > 0)
    weft_cpu_facts_add_missing (
        self->facts, "%u threads (of process %d among others) could not be sampled: %s.%s",
        attached->n_missing, attached->cause_pid, g_strerror (attached->cause),
        attached->cause == EMFILE ? " Raise the limit of open files (ulimit -n)." : "");
}

static gboolean
set_not_attached (Opening *self, const Attached *attached, GError **error)
{
  int pid = self->options->pids[0];

  if (attached->cause == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "There is no process %d (any more): “ps” lists those that run", pid);
  else if (attached->cause == EACCES || attached->cause == EPERM)
    {
      set_closed (error, attached->cause);
      g_prefix_error (error,
                      "Process %d cannot be sampled; another user's can by root only: ", pid);
    }
  else
    g_set_error (error, G_IO_ERROR, io_error_of (attached->cause),
                 "Process %d cannot be sampled: %s", pid, g_strerror (attached->cause));
  return FALSE;
}

/* Tells of a process that was asked for and is not there; the others are recorded. */
static void
note_missing_processes (Opening *self, GArray *pids)
{
  for (guint i = 0; i < self->options->n_pids; i++)
    {
      gboolean found = FALSE;

      for (guint p = 0; p < pids->len && !found; p++)
        found = g_array_index (pids, int, p) == self->options->pids[i];
      if (!found)
        weft_cpu_facts_add_missing (self->facts, "There was no process %d.",
                                    self->options->pids[i]);
    }
}

static guint
attach_by_thread (Opening *self, Attached *attached)
{
  guint n;

  begin (self, TRUE, TRUE, FALSE);
  n = attach_all (self, attached);
  if (n > 0 || (attached->cause != EACCES && attached->cause != EPERM))
    return n;
  g_hash_table_remove_all (attached->threads);
  attached->cause = 0;
  attached->n_missing = 0;
  begin (self, FALSE, TRUE, FALSE);
  return attach_all (self, attached);
}

static void
tell_attached (Opening *self)
{
  gint64 now = weft_monotonic_now ();
  g_autoptr (GArray) pids = NULL;

  weft_perf_events_set_enabled (self->source->events, WEFT_PERF_SAMPLES, TRUE);
  pids = weft_process_tree_list_below (self->options->pids, self->options->n_pids);
  for (guint i = 0; i < pids->len; i++)
    weft_cpu_tracker_attach (self->source->tracker, now, g_array_index (pids, int, i));
}

static gboolean
attach (Opening *self, GError **error)
{
  g_autoptr (GArray) pids =
      weft_process_tree_list_below (self->options->pids, self->options->n_pids);
  g_autoptr (GHashTable) threads = g_hash_table_new (NULL, NULL);
  Attached attached = { .threads = threads };
  gboolean filtered = is_too_many (pids) && attach_by_filter (self, pids);

  note_missing_processes (self, pids);
  if (!filtered && attach_by_thread (self, &attached) == 0)
    return set_not_attached (self, &attached, error);
  note_missing_threads (self, &attached);
  self->facts->sampler = self->settings.kernel ? "perf" : "perf-user";
  self->source->frozen_at_setuid = geteuid () != 0;
  weft_cpu_facts_add_missing (
      self->facts, "Who woke whom, and stacks at the begin of waits: for a program that runs "
                   "already they are had by --system only.");
  tell_attached (self);
  return TRUE;
}

/* ---- All ---- */

static void
tell_facts (Opening *self)
{
  WeftPerfSource *source = self->source;
  WeftCpuFacts *facts = self->facts;

  facts->wait_mode = self->settings.switches ? "exact" : "off";
  facts->frequency = self->settings.frequency;
  facts->stack_bytes = self->settings.stack_bytes;
  facts->ring_bytes = weft_perf_events_get_ring_bytes (source->events);
  facts->kernel_stacks = self->settings.kernel;
  facts->counters = weft_perf_events_has_counters (source->events);
  if (!facts->kernel_stacks)
    weft_cpu_facts_add_missing (
        facts,
        "The kernel's part of stacks, and CPU time in the kernel: "
        "kernel.perf_event_paranoid is %d; “sysctl kernel.perf_event_paranoid=1” opens "
        "them. Who woke whom: record as root.",
        read_paranoid ());
  if (facts->ring_bytes < RING_BYTES)
    weft_cpu_facts_add_missing (
        facts,
        "Room for events of one CPU is %" G_GSIZE_FORMAT
        " KiB only, and some may be lost: others of this user's have the rest "
        "(kernel.perf_event_mlock_kb, “ulimit -l”).",
        facts->ring_bytes / 1024);
}

/* A launched program's are enabled before it is let go, or as it is run. */
static void
enable_group (WeftPerfSource *source)
{
  for (WeftPerfKind kind = 0; source->cgroup != NULL && kind < WEFT_PERF_N_KINDS; kind++)
    weft_perf_events_set_enabled (source->events, kind, TRUE);
  if (source->cgroup == NULL && source->tracepoints)
    weft_perf_events_set_enabled (source->events, WEFT_PERF_OTHER_WAKINGS, TRUE);
}

gboolean
weft_perf_source_open (WeftPerfSource *source, const WeftCpuSourceOptions *options,
                       WeftCpuFacts *facts, GError **error)
{
  Opening self = { .source = source,
                   .options = options,
                   .facts = facts,
                   .settings = { .frequency = options->frequency,
                                 .stack_bytes = options->stack_bytes & ~7u,
                                 .switches = !options->no_waits,
                                 .counters = has_counters () } };
  gboolean opened;

  source->held = options->program ? weft_program_get_pid (options->program) : 0;
  if (options->system)
    opened = watch_system (&self, error);
  else
    opened = options->program ? launch (&self, error) : attach (&self, error);
  if (!opened)
    return FALSE;
  source->counters_by_thread = self.settings.inherit;
  tell_facts (&self);
  if (options->program != NULL && !options->system)
    enable_group (source);
  return TRUE;
}
