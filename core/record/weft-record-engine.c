/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-record-engine.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-control.h"
#include "weft-cpu-recording.h"
#include "weft-ingest.h"
#include "weft-linker.h"
#include "weft-producer-source.h"
#include "weft-runtime-directory.h"
#include "weft-store-writer.h"
#include "weft-symbol-source.h"
#include "weft-system-context.h"
#include "weft-words.h"

#define HOUSEKEEPING_MS 1000
#define PUBLISH_MS 100
/* For symbols, after the end; programs of a million functions take seconds. */
#define SYMBOLS_TIME (120 * NS_PER_SECOND)
#define NAMES_STEP_US 5000
#define MAX_CALLCHAINS (1 << 18) /* before all are forgotten, where only the end is kept */
#define REMEMBERED_MS 10000      /* at least, likewise */

struct _WeftRecordEngine
{
  char *output;
  WeftRuntimeDirectory *directory;
  WeftStoreWriter *store;
  WeftIngest *ingest;
  WeftLinker *linker;
  WeftProducerSource *target;
  WeftSymbolSource *symbols;
  const int *skips_symbols;
  WeftCpuRecording *cpu;
  WeftControl *control;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  gint64 start;
  guint64 start_cpu;
  gint64 last_housekeeping;
  guint64 resident; /* bytes, then */
  WeftBootClock *boot_clock;
  gint64 slept;    /* ns that the machine had, by the boot clock, when that was looked at last */
  int exit_status; /* -1: unknown */

  WeftWords *words;
  WeftSystemContext *system; /* or NULL */
  WeftProgram *program;      /* that recording ends with, or NULL */
  GSource *watch;            /* its end */
  gint64 duration;           /* ns; 0: until it is stopped */
  gint64 remembers;          /* ns: what ended so long ago is forgotten; 0: nothing is */

  GMutex lock; /* of what follows */
  WeftEngineListener listener;
  gpointer listener_data;
  WeftEngineEnd end;
  gboolean has_ended;
  gboolean was_told; /* so ENDED was called */
  WeftEngineStatus status;
};

static guint64
resident_bytes (void)
{
  g_autofree char *text = NULL;
  guint64 pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*u %" G_GUINT64_FORMAT, &pages);
  return pages * (guint64) sysconf (_SC_PAGESIZE);
}

/* ---- State for others ---- */

static void
add_cpu_figures (WeftRecordEngine *self, WeftEngineStatus *status)
{
  WeftCpuRecordingStatus cpu;

  weft_cpu_recording_get_status (self->cpu, &cpu);
  g_strlcpy (status->sampler, cpu.sampler, sizeof status->sampler);
  g_strlcpy (status->sampler_missing, cpu.missing, sizeof status->sampler_missing);
  status->samples = cpu.tracker.samples;
  status->stacks_complete = cpu.tracker.stacks_complete;
  status->waits = cpu.tracker.waits;
  status->events_lost = cpu.tracker.lost + cpu.tracker.behind;
}

static void
publish (WeftRecordEngine *self, const char *state)
{
  WeftIngestTotals totals;
  WeftStoreStatistics statistics;
  WeftEngineStatus status = { 0 };
  WeftEngineListener listener;
  gpointer data;

  weft_ingest_get_totals (self->ingest, &totals);
  weft_store_writer_get_statistics (self->store, &statistics);
  g_strlcpy (status.state, state, sizeof status.state);
  status.elapsed = weft_monotonic_now () - self->start;
  status.dispatches = totals.dispatches;
  status.pending = totals.pending;
  status.rejected = totals.rejected;
  status.lost = totals.lost;
  status.sampled_out = totals.sampled_out;
  status.refused = self->target ? weft_producer_source_get_refused (self->target) : 0;
  status.lanes = totals.lanes;
  status.runtimes = totals.runtimes;
  status.runtimes_seen = totals.runtimes_seen;
  status.file_size = statistics.bytes_written;
  status.cpu = (guint64) weft_clock_now (CLOCK_PROCESS_CPUTIME_ID) - self->start_cpu;
  status.resident = self->resident;
  add_cpu_figures (self, &status);

  g_mutex_lock (&self->lock);
  self->status = status;
  listener = self->listener;
  data = self->listener_data;
  g_mutex_unlock (&self->lock);
  if (listener.published != NULL)
    listener.published (self, data);
}

void
weft_record_engine_get_status (WeftRecordEngine *self, WeftEngineStatus *status)
{
  g_mutex_lock (&self->lock);
  *status = self->status;
  g_mutex_unlock (&self->lock);
}

/* Once, whichever comes first: the end, or somebody who wants to hear of it. */
static void
tell_ended (WeftRecordEngine *self)
{
  WeftEngineListener listener;
  gpointer data;
  gboolean tell;

  g_mutex_lock (&self->lock);
  listener = self->listener;
  data = self->listener_data;
  tell = self->has_ended && !self->was_told && listener.ended != NULL;
  self->was_told |= tell;
  g_mutex_unlock (&self->lock);
  if (tell)
    listener.ended (self, self->end, data);
}

static void
end (WeftRecordEngine *self, WeftEngineEnd why)
{
  g_mutex_lock (&self->lock);
  if (!self->has_ended)
    self->end = why;
  self->has_ended = TRUE;
  g_mutex_unlock (&self->lock);
  tell_ended (self);
}

static void
on_control_stop (gpointer data)
{
  end (data, WEFT_ENGINE_STOPPED);
}

static void
on_control_status (WeftEngineStatus *status, gpointer data)
{
  weft_record_engine_get_status (data, status);
}

/* ---- The recorder's thread ---- */

static void
advance_linker (WeftRecordEngine *self)
{
  WeftIngestTotals totals;

  weft_ingest_get_totals (self->ingest, &totals);
  weft_linker_advance (self->linker, weft_monotonic_now () - self->start, totals.dispatches);
}

static void
add_own_cost (WeftRecordEngine *self, gint64 now)
{
  WeftStoreStatistics statistics;
  WeftCpuRecordingStatus cpu;
  WeftOwnCost cost = { 0 };

  weft_cpu_recording_get_status (self->cpu, &cpu);
  cost.sampler = cpu.source.sampler_cpu;
  cost.perturbation = cpu.source.target_stopped;
  weft_store_writer_get_statistics (self->store, &statistics);
  cost.cpu = (guint64) weft_clock_now (CLOCK_PROCESS_CPUTIME_ID) - self->start_cpu;
  self->resident = resident_bytes ();
  cost.resident = self->resident;
  cost.written = statistics.bytes_written;
  cost.symbolizer = weft_symbol_source_get_cpu (self->symbols);
  weft_ingest_add_own_cost (self->ingest, now, &cost);
}

/* No time passes in the recording meanwhile. */
static void
note_sleep (WeftRecordEngine *self, gint64 now)
{
  gint64 slept = weft_boot_clock_update (self->boot_clock);
  g_autofree char *message = NULL;

  if (slept <= self->slept)
    return;
  message = g_strdup_printf ("The machine slept for %.3f s, %.3f s into the recording, whose clock "
                             "stood still meanwhile: nothing of that time is in it.",
                             (double) (slept - self->slept) / NS_PER_SECOND,
                             (double) (now - self->start) / NS_PER_SECOND);
  weft_ingest_add_diagnostic (self->ingest, WEFT_WIRE_SEVERITY_WARNING, "suspended", message);
  weft_ingest_add_meta_number (self->ingest, "suspended", slept - self->slept);
  self->slept = slept;
}

static void
housekeep (WeftRecordEngine *self, gint64 now)
{
  WeftStoreStatistics statistics;

  note_sleep (self, now);
  weft_producer_source_housekeep (self->target, now);
  add_own_cost (self, now);
  weft_store_writer_get_statistics (self->store, &statistics);
  if (self->remembers > 0)
    weft_ingest_forget (self->ingest, now - self->remembers, statistics.strings);
  self->last_housekeeping = now;
}

static gboolean
on_tick (gpointer data)
{
  WeftRecordEngine *self = data;
  gint64 now = weft_monotonic_now ();

  weft_cpu_recording_tick (self->cpu, now);
  if (weft_cpu_recording_is_over (self->cpu))
    end (self, WEFT_ENGINE_PROGRAM);
  if (now - self->last_housekeeping >= HOUSEKEEPING_MS * (NS_PER_SECOND / 1000))
    housekeep (self, now);
  advance_linker (self);
  weft_store_writer_tick (self->store);
  if (self->system != NULL)
    weft_system_context_tick (self->system, now);
  if (weft_store_writer_get_error (self->store) != NULL)
    {
      publish (self, "failed");
      end (self, WEFT_ENGINE_FAILED);
    }
  else
    publish (self, "recording");
  return G_SOURCE_CONTINUE;
}

static gboolean
on_duration (gpointer data)
{
  end (data, WEFT_ENGINE_DURATION);
  return G_SOURCE_REMOVE;
}

static GSource *
attach_timer (WeftRecordEngine *self, guint interval_ms, GSourceFunc func)
{
  GSource *source = g_timeout_source_new (interval_ms);

  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
  return source;
}

static gpointer
run (gpointer data)
{
  WeftRecordEngine *self = data;
  g_autoptr (GSource) tick = NULL;
  g_autoptr (GSource) over = NULL;

  g_main_context_push_thread_default (self->context);
  tick = attach_timer (self, PUBLISH_MS, on_tick);
  over = attach_timer (self, 0, on_duration);
  g_source_set_ready_time (over, self->duration ? (self->start + self->duration) / 1000 : -1);
  g_main_loop_run (self->loop);
  g_source_destroy (tick);
  g_source_destroy (over);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* ---- Start ---- */

/* One descriptor for the socket and one for the process of each producer. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

static void
describe (WeftRecordEngine *self, const WeftRecordEngineOptions *options)
{
  struct utsname system;
  char host[256] = "";

  uname (&system);
  gethostname (host, sizeof host - 1);
  weft_ingest_add_meta (self->ingest, "recorder", "weft " WEFT_VERSION);
  weft_ingest_add_meta (self->ingest, "host", host);
  weft_ingest_add_meta (self->ingest, "system", system.sysname);
  weft_ingest_add_meta (self->ingest, "kernel", system.release);
  weft_ingest_add_meta (self->ingest, "machine", system.machine);
  if (options->command_line != NULL)
    weft_ingest_add_meta (self->ingest, "command-line", options->command_line);
  weft_ingest_add_meta_number (self->ingest, "start-monotonic", self->start);
  weft_ingest_add_meta_number (self->ingest, "start-realtime", weft_clock_now (CLOCK_REALTIME));
  weft_ingest_add_meta_number (self->ingest, "boottime-offset",
                               weft_clock_now (CLOCK_BOOTTIME) - weft_monotonic_now ());
  weft_ingest_add_meta_number (self->ingest, "link-tolerance",
                               options->link_tolerance ? options->link_tolerance
                                                       : WEFT_LINKER_TOLERANCE);
  weft_ingest_add_meta_number (self->ingest, "processors", sysconf (_SC_NPROCESSORS_ONLN));
  if (options->keep_duration > 0)
    weft_ingest_add_meta_number (self->ingest, "keep-duration", options->keep_duration);
  if (options->keep_size > 0)
    weft_ingest_add_meta_number (self->ingest, "keep-size", (gint64) options->keep_size);
}

static void
on_kind_seen (const char *kind, gpointer data)
{
  weft_words_see_kind (data, kind);
}

static void
on_hold_strings (GArray *ids, gpointer data)
{
  WeftRecordEngine *self = data;

  if (self->ingest != NULL)
    weft_ingest_hold_strings (self->ingest, ids);
}

static gboolean
open_store (WeftRecordEngine *self, const WeftRecordEngineOptions *options, GError **error)
{
  WeftStoreOptions store = { .flush_interval_ms = options->flush_interval_ms,
                             .keep_duration = options->keep_duration,
                             .keep_size = options->keep_size,
                             .start_monotonic = self->start,
                             .start_realtime = weft_clock_now (CLOCK_REALTIME) };
  WeftSymbolOptions symbols = { .mode = options->symbols, .start = self->start };

  self->store = weft_store_writer_new (options->output, &store, error);
  if (self->store == NULL)
    {
      g_prefix_error (error, "Cannot make the recording: ");
      return FALSE;
    }
  self->ingest = weft_ingest_new (self->store, self->start);
  self->linker =
      weft_linker_new (self->store, &(WeftLinkerOptions){ .tolerance = options->link_tolerance,
                                                          .no_samples = TRUE });
  weft_ingest_set_linker (self->ingest, self->linker);
  self->symbols = weft_symbol_source_new (self->store, &symbols);
  self->skips_symbols = options->skips_symbols;
  weft_store_writer_set_held_strings (self->store, on_hold_strings, self);
  self->words = weft_words_new (self->store);
  self->cpu = weft_cpu_recording_new (self->ingest, self->symbols, self->linker, self->context);
  if (self->remembers > 0)
    weft_cpu_tracker_set_max_callchains (weft_cpu_recording_get_tracker (self->cpu),
                                         MAX_CALLCHAINS);
  weft_ingest_set_kind_seen (self->ingest, on_kind_seen, self->words);
  describe (self, options);
  if (options->system_context)
    self->system = weft_system_context_new (self->ingest);
  return TRUE;
}

static void
dispose (WeftRecordEngine *self)
{
  g_clear_pointer (&self->control, weft_control_free);
  g_clear_pointer (&self->target, weft_producer_source_free);
  g_clear_pointer (&self->linker, weft_linker_free);
  g_clear_pointer (&self->symbols, weft_symbol_source_free);
  g_clear_pointer (&self->cpu, weft_cpu_recording_free);
  g_clear_pointer (&self->system, weft_system_context_free);
  g_clear_pointer (&self->ingest, weft_ingest_free);
  g_clear_pointer (&self->words, weft_words_free);
  g_clear_pointer (&self->directory, weft_runtime_directory_free);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  if (self->watch != NULL)
    g_source_destroy (self->watch);
  g_clear_pointer (&self->watch, g_source_unref);
  g_clear_pointer (&self->program, weft_program_unref);
  g_mutex_clear (&self->lock);
  g_free (self->output);
  g_free (self);
}

static gboolean
open_sources (WeftRecordEngine *self, const WeftRecordEngineOptions *options, GError **error)
{
  self->target = weft_producer_source_new (self->ingest, self->directory, self->context,
                                           options->uid, options->any_uid, error);
  if (self->target == NULL)
    return FALSE;
  self->control =
      weft_control_new (self->directory, self->context, options->output, options->command_line,
                        on_control_status, on_control_stop, self, error);
  return self->control != NULL;
}

WeftRecordEngine *
weft_record_engine_new (const WeftRecordEngineOptions *options, GError **error)
{
  WeftRecordEngine *self = g_new0 (WeftRecordEngine, 1);

  g_mutex_init (&self->lock);
  self->output = g_strdup (options->output);
  self->exit_status = -1;
  self->duration = options->duration;
  if (options->keep_duration > 0 || options->keep_size > 0)
    self->remembers = MAX (options->keep_duration, REMEMBERED_MS * (NS_PER_SECOND / 1000));
  self->start = weft_monotonic_now ();
  self->boot_clock = options->boot_clock ? options->boot_clock : weft_boot_clock_get_default ();
  self->slept = weft_boot_clock_update (self->boot_clock);
  self->start_cpu = (guint64) weft_clock_now (CLOCK_PROCESS_CPUTIME_ID);
  self->last_housekeeping = self->start;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  raise_descriptor_limit ();

  self->directory = options->runtime_directory
                        ? weft_runtime_directory_open (options->runtime_directory, error)
                        : weft_runtime_directory_open_private (error);
  if (self->directory == NULL || !open_store (self, options, error))
    {
      dispose (self);
      return NULL;
    }
  if (!open_sources (self, options, error))
    {
      WeftStoreWriter *store = self->store;

      dispose (self);
      weft_store_writer_close (store, NULL);
      unlink (options->output);
      return NULL;
    }

  self->resident = resident_bytes ();
  publish (self, "recording");
  self->thread = g_thread_new ("weft-recorder", run, self);
  weft_runtime_directory_announce (self->directory);
  return self;
}

const char *
weft_record_engine_get_runtime_directory (WeftRecordEngine *self)
{
  return weft_runtime_directory_get_path (self->directory);
}

void
weft_record_engine_set_listener (WeftRecordEngine *self, const WeftEngineListener *listener,
                                 gpointer data)
{
  g_mutex_lock (&self->lock);
  self->listener = listener ? *listener : (WeftEngineListener){ 0 };
  self->listener_data = data;
  g_mutex_unlock (&self->lock);
  tell_ended (self);
}

const GError *
weft_record_engine_get_error (WeftRecordEngine *self)
{
  return weft_store_writer_get_error (self->store);
}

gboolean
weft_record_engine_sample (WeftRecordEngine *self, const WeftEngineCpuOptions *options,
                           GError **error)
{
  const WeftCpuSourceOptions source = { .sampler = options->sampler,
                                        .frequency = options->frequency,
                                        .stack_bytes = options->stack_bytes,
                                        .program = options->program,
                                        .pids = options->pids,
                                        .n_pids = options->n_pids,
                                        .system = options->system };

  return weft_cpu_recording_open (self->cpu, &source, error);
}

void
weft_record_engine_set_exit_status (WeftRecordEngine *self, int status)
{
  g_atomic_int_set (&self->exit_status, status);
}

/* ---- On behalf of other threads ---- */

/* In the order of the calls. */
static void
invoke (WeftRecordEngine *self, GSourceFunc func, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, data, destroy);
  g_source_attach (source, self->context);
}

static gboolean
on_program_ended (int fd, GIOCondition condition, gpointer data)
{
  WeftRecordEngine *self = data;

  if (weft_program_is_running (self->program))
    return G_SOURCE_CONTINUE;
  weft_record_engine_set_exit_status (self, weft_program_get_exit_status (self->program));
  end (self, WEFT_ENGINE_PROGRAM);
  return G_SOURCE_REMOVE;
}

static gboolean
watch_program (gpointer data)
{
  WeftRecordEngine *self = data;

  self->watch = g_unix_fd_source_new (weft_program_get_descriptor (self->program), G_IO_IN);
  g_source_set_callback (self->watch, G_SOURCE_FUNC (on_program_ended), self, NULL);
  g_source_attach (self->watch, self->context);
  if (self->system != NULL)
    weft_system_context_set_root (self->system, weft_program_get_pid (self->program));
  return G_SOURCE_REMOVE;
}

void
weft_record_engine_set_program (WeftRecordEngine *self, WeftProgram *program)
{
  self->program = weft_program_ref (program);
  invoke (self, watch_program, self, NULL);
}

typedef struct
{
  WeftRecordEngine *engine;
  WeftAdditionKind kind;
  GVariant *row;
} Addition;

static void
add_words (WeftRecordEngine *self, GVariant *row)
{
  g_autoptr (GVariant) words = NULL;
  gboolean always;

  g_variant_get (row, "(b@a(sssss))", &always, &words);
  weft_words_add (self->words, words, always);
}

static void
add_plugin (WeftRecordEngine *self, GVariant *row)
{
  const char *name, *version, *path;

  g_variant_get (row, "(&s&s&s)", &name, &version, &path);
  weft_ingest_add_plugin (self->ingest, name, version, path);
}

static void
add_diagnostic (WeftRecordEngine *self, GVariant *row)
{
  const char *code, *message;
  guint severity;

  g_variant_get (row, "(u&s&s)", &severity, &code, &message);
  weft_ingest_add_diagnostic (self->ingest, severity, code, message);
}

static void
add_finding (WeftRecordEngine *self, GVariant *row)
{
  WeftIngestFinding finding;

  g_variant_get (row, "(&s&s&su&s&s&s)", &finding.domain, &finding.check, &finding.question,
                 &finding.verdict, &finding.evidence, &finding.advice, &finding.handles);
  weft_ingest_add_finding (self->ingest, &finding);
}

static gboolean
on_addition (gpointer data)
{
  static void (*const add[]) (WeftRecordEngine * self, GVariant * row) = {
    [WEFT_ADDITION_WORDS] = add_words,
    [WEFT_ADDITION_PLUGIN] = add_plugin,
    [WEFT_ADDITION_DIAGNOSTIC] = add_diagnostic,
    [WEFT_ADDITION_FINDING] = add_finding,
  };
  Addition *addition = data;

  add[addition->kind](addition->engine, addition->row);
  return G_SOURCE_REMOVE;
}

static void
addition_free (gpointer data)
{
  Addition *addition = data;

  g_variant_unref (addition->row);
  g_free (addition);
}

void
weft_record_engine_add (WeftRecordEngine *self, WeftAdditionKind kind, GVariant *row)
{
  Addition *addition = g_new (Addition, 1);

  addition->engine = self;
  addition->kind = kind;
  addition->row = g_variant_ref_sink (row);
  invoke (self, on_addition, addition, addition_free);
}

typedef struct
{
  WeftRecordEngine *engine;
  GMutex lock;
  GCond changed;
  gboolean done;
  gboolean names; /* nothing more is going to come, and what is known of is to be named */
  gboolean named;
  gboolean rotates;
  guint64 ticket; /* of the rotation */
} Draining;

static gboolean
on_drain (gpointer data)
{
  Draining *draining = data;
  WeftRecordEngine *self = draining->engine;

  weft_producer_source_drain (self->target);
  if (draining->names)
    weft_cpu_recording_settle (self->cpu);
  else
    weft_cpu_recording_drain (self->cpu);
  housekeep (self, weft_monotonic_now ());
  advance_linker (self);
  weft_linker_flush (self->linker);
  if (draining->names)
    draining->named = weft_symbol_source_catch_up (self->symbols);
  publish (self, weft_store_writer_get_error (self->store) ? "failed" : "recording");
  if (draining->rotates)
    draining->ticket = weft_store_writer_rotate (self->store);
  g_mutex_lock (&draining->lock);
  draining->done = TRUE;
  g_cond_signal (&draining->changed);
  g_mutex_unlock (&draining->lock);
  return G_SOURCE_REMOVE;
}

static void
drain (WeftRecordEngine *self, Draining *draining)
{
  draining->engine = self;
  g_mutex_init (&draining->lock);
  g_cond_init (&draining->changed);
  invoke (self, on_drain, draining, NULL);
  g_mutex_lock (&draining->lock);
  while (!draining->done)
    g_cond_wait (&draining->changed, &draining->lock);
  g_mutex_unlock (&draining->lock);
  g_mutex_clear (&draining->lock);
  g_cond_clear (&draining->changed);
}

/* The disk is waited for here, not on the engine's thread: producers would run out of room. */
gboolean
weft_record_engine_flush (WeftRecordEngine *self, GError **error)
{
  Draining draining = { 0 };

  drain (self, &draining);
  return weft_store_writer_flush (self->store, error);
}

/* Likewise. */
gboolean
weft_record_engine_flush_named (WeftRecordEngine *self, gint64 deadline, GError **error)
{
  Draining draining;

  weft_cpu_recording_catch_up (self->cpu, deadline);
  do
    {
      draining = (Draining){ .names = TRUE };
      drain (self, &draining);
      if (!draining.named)
        g_usleep (NAMES_STEP_US);
    }
  while (!draining.named && weft_monotonic_now () < deadline);
  return weft_store_writer_flush (self->store, error);
}

/* Likewise. */
gboolean
weft_record_engine_keep (WeftRecordEngine *self, gint64 since, const char *out, GError **error)
{
  Draining draining = { .rotates = TRUE };

  drain (self, &draining);
  return weft_store_writer_keep (self->store, draining.ticket, since, out, error);
}

/* ---- Stop ---- */

static void
finish_ingest (WeftRecordEngine *self)
{
  if (self->program != NULL && self->exit_status < 0)
    self->exit_status = weft_program_get_exit_status (self->program);
  if (self->exit_status >= 0)
    weft_ingest_add_meta_number (self->ingest, "exit-status", self->exit_status);
  weft_producer_source_drain (self->target);
  if (self->system != NULL)
    weft_system_context_measure (self->system, weft_monotonic_now ());
  housekeep (self, weft_monotonic_now ());
  g_clear_pointer (&self->target, weft_producer_source_free);
  /* After the last stack that a producer copied: its frames are rows, too. */
  weft_cpu_recording_finish (self->cpu);
  weft_ingest_add_meta_number (self->ingest, "duration", weft_monotonic_now () - self->start);
}

/* After whatever it might hear of. */
static void
finish_linker (WeftRecordEngine *self)
{
  advance_linker (self);
  weft_ingest_set_linker (self->ingest, NULL);
  g_clear_pointer (&self->linker, weft_linker_free);
}

static gboolean
on_quit (gpointer data)
{
  WeftRecordEngine *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* From within the loop, for a loop forgets that it was told to quit before it ran. */
static void
stop_thread (WeftRecordEngine *self)
{
  invoke (self, on_quit, self, NULL);
  g_thread_join (self->thread);
}

typedef struct
{
  WeftStoreWriter *store;
  GMainContext *context;
  GError **error;
  gboolean written;
  gboolean done; /* atomic */
} Closing;

static gpointer
close_store (gpointer data)
{
  Closing *closing = data;

  closing->written = weft_store_writer_close (closing->store, closing->error);
  g_atomic_int_set (&closing->done, TRUE);
  g_main_context_wakeup (closing->context);
  return NULL;
}

/* Whoever asks meanwhile is answered: the socket goes only when the file is whole. */
static gboolean
finish_store (WeftRecordEngine *self, GError **error)
{
  Closing closing = { .store = self->store, .context = self->context, .error = error };
  GThread *thread = g_thread_new ("weft-close", close_store, &closing);

  g_main_context_push_thread_default (self->context);
  while (!g_atomic_int_get (&closing.done))
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_thread_join (thread);
  return closing.written;
}

/* Whoever asks meanwhile is answered. */
static gboolean
on_symbols_step (const WeftSymbolProgress *progress, gpointer data)
{
  WeftRecordEngine *self = data;

  g_main_context_push_thread_default (self->context);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return weft_store_writer_get_error (self->store) == NULL &&
         (self->skips_symbols == NULL || g_atomic_int_get (self->skips_symbols) == 0);
}

/* The file can be read before, which is why it is flushed first. */
static void
finish_symbols (WeftRecordEngine *self)
{
  WeftSymbolProgress progress;

  weft_symbol_source_get_progress (self->symbols, &progress);
  if (progress.n_frames > 0)
    weft_store_writer_flush (self->store, NULL);
  weft_symbol_source_finish (self->symbols, weft_monotonic_now () + SYMBOLS_TIME, on_symbols_step,
                             self);
  note_sleep (self, weft_monotonic_now ());
  add_own_cost (self, weft_monotonic_now ()); /* names cost something, too */
  g_clear_pointer (&self->symbols, weft_symbol_source_free);
  g_clear_pointer (&self->cpu, weft_cpu_recording_free);
}

gboolean
weft_record_engine_stop (WeftRecordEngine *self, WeftEngineStatus *status, GError **error)
{
  g_autofree char *output = g_strdup (self->output);
  struct stat st;
  gboolean written;

  weft_record_engine_set_listener (self, NULL, NULL);
  weft_runtime_directory_withdraw (self->directory);
  weft_cpu_recording_stop (self->cpu);
  stop_thread (self);

  finish_ingest (self);
  publish (self, "stopping");
  if (status != NULL)
    *status = self->status;
  finish_linker (self);
  finish_symbols (self);
  g_clear_pointer (&self->system, weft_system_context_free);
  g_clear_pointer (&self->ingest, weft_ingest_free);
  written = finish_store (self, error);
  dispose (self);
  if (status != NULL && stat (output, &st) == 0)
    status->file_size = (guint64) st.st_size;
  return written;
}
