/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recorder.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-control.h"
#include "weft-ingest.h"
#include "weft-producer-source.h"
#include "weft-runtime-directory.h"
#include "weft-store-writer.h"

#define HOUSEKEEPING_MS 1000
#define PUBLISH_MS 100

struct _WeftRecorder
{
  char *output;
  WeftRuntimeDirectory *directory;
  WeftStoreWriter *store;
  WeftIngest *ingest;
  WeftProducerSource *target;
  WeftControl *control;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  gint64 start;
  guint64 start_cpu;
  gint64 last_housekeeping;
  int exit_status; /* -1: unknown */

  GMutex lock; /* of what follows */
  WeftRecorderEnded ended;
  gpointer ended_data;
  gboolean has_ended;
  gboolean was_told; /* so ENDED was called */
  WeftRecorderStatus status;
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
publish (WeftRecorder *self, const char *state)
{
  WeftIngestTotals totals;
  WeftStoreStatistics statistics;
  WeftRecorderStatus status = { 0 };

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
  status.resident = resident_bytes ();

  g_mutex_lock (&self->lock);
  self->status = status;
  g_mutex_unlock (&self->lock);
}

void
weft_recorder_get_status (WeftRecorder *self, WeftRecorderStatus *status)
{
  g_mutex_lock (&self->lock);
  *status = self->status;
  g_mutex_unlock (&self->lock);
}

/* Once, whichever comes first: the end, or somebody who wants to hear of it. */
static void
tell_ended (WeftRecorder *self)
{
  WeftRecorderEnded ended = NULL;
  gpointer data;

  g_mutex_lock (&self->lock);
  if (self->has_ended && !self->was_told)
    ended = self->ended;
  data = self->ended_data;
  self->was_told |= ended != NULL;
  g_mutex_unlock (&self->lock);
  if (ended != NULL)
    ended (self, data);
}

static void
end (WeftRecorder *self)
{
  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  g_mutex_unlock (&self->lock);
  tell_ended (self);
}

static void
on_control_stop (gpointer data)
{
  end (data);
}

static void
on_control_status (WeftRecorderStatus *status, gpointer data)
{
  weft_recorder_get_status (data, status);
}

/* ---- The recorder's thread ---- */

static void
housekeep (WeftRecorder *self, gint64 now)
{
  WeftStoreStatistics statistics;

  weft_producer_source_housekeep (self->target, now);
  weft_store_writer_get_statistics (self->store, &statistics);
  weft_ingest_add_own_cost (self->ingest, now,
                            (guint64) weft_clock_now (CLOCK_PROCESS_CPUTIME_ID) - self->start_cpu,
                            resident_bytes (), statistics.bytes_written);
  self->last_housekeeping = now;
}

static gboolean
on_tick (gpointer data)
{
  WeftRecorder *self = data;
  gint64 now = weft_monotonic_now ();

  if (now - self->last_housekeeping >= HOUSEKEEPING_MS * (NS_PER_SECOND / 1000))
    housekeep (self, now);
  if (weft_store_writer_get_error (self->store) != NULL)
    {
      publish (self, "failed");
      end (self);
    }
  else
    publish (self, "recording");
  return G_SOURCE_CONTINUE;
}

static gpointer
run (gpointer data)
{
  WeftRecorder *self = data;
  g_autoptr (GSource) tick = g_timeout_source_new (PUBLISH_MS);

  g_main_context_push_thread_default (self->context);
  g_source_set_callback (tick, on_tick, self, NULL);
  g_source_attach (tick, self->context);
  g_main_loop_run (self->loop);
  g_source_destroy (tick);
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
describe (WeftRecorder *self, const WeftRecorderOptions *options)
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
  weft_ingest_add_meta_number (self->ingest, "processors", sysconf (_SC_NPROCESSORS_ONLN));
}

static gboolean
open_store (WeftRecorder *self, const WeftRecorderOptions *options, GError **error)
{
  WeftStoreOptions store = { .flush_interval_ms = options->flush_interval_ms,
                             .start_monotonic = self->start,
                             .start_realtime = weft_clock_now (CLOCK_REALTIME) };

  self->store = weft_store_writer_new (options->output, &store, error);
  if (self->store == NULL)
    {
      g_prefix_error (error, "Cannot make the recording: ");
      return FALSE;
    }
  self->ingest = weft_ingest_new (self->store, self->start);
  describe (self, options);
  return TRUE;
}

static void
dispose (WeftRecorder *self)
{
  g_clear_pointer (&self->control, weft_control_free);
  g_clear_pointer (&self->target, weft_producer_source_free);
  g_clear_pointer (&self->ingest, weft_ingest_free);
  g_clear_pointer (&self->directory, weft_runtime_directory_free);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_mutex_clear (&self->lock);
  g_free (self->output);
  g_free (self);
}

static gboolean
open_sources (WeftRecorder *self, const WeftRecorderOptions *options, GError **error)
{
  self->target = weft_producer_source_new (self->ingest, self->directory, self->context, options->uid,
                                         options->any_uid, error);
  if (self->target == NULL)
    return FALSE;
  self->control = weft_control_new (self->directory, self->context, options->output,
                                    on_control_status, on_control_stop, self, error);
  return self->control != NULL;
}

WeftRecorder *
weft_recorder_new (const WeftRecorderOptions *options, GError **error)
{
  WeftRecorder *self = g_new0 (WeftRecorder, 1);

  g_mutex_init (&self->lock);
  self->output = g_strdup (options->output);
  self->exit_status = -1;
  self->start = weft_monotonic_now ();
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

  publish (self, "recording");
  self->thread = g_thread_new ("weft-recorder", run, self);
  weft_runtime_directory_announce (self->directory);
  return self;
}

const char *
weft_recorder_get_runtime_directory (WeftRecorder *self)
{
  return weft_runtime_directory_get_path (self->directory);
}

void
weft_recorder_set_ended (WeftRecorder *self, WeftRecorderEnded ended, gpointer data)
{
  g_mutex_lock (&self->lock);
  self->ended = ended;
  self->ended_data = data;
  g_mutex_unlock (&self->lock);
  tell_ended (self);
}

void
weft_recorder_set_exit_status (WeftRecorder *self, int status)
{
  g_atomic_int_set (&self->exit_status, status);
}

/* ---- Stop ---- */

static void
finish_ingest (WeftRecorder *self)
{
  if (self->exit_status >= 0)
    weft_ingest_add_meta_number (self->ingest, "exit-status", self->exit_status);
  weft_producer_source_drain (self->target);
  housekeep (self, weft_monotonic_now ());
  g_clear_pointer (&self->target, weft_producer_source_free);
  weft_ingest_add_meta_number (self->ingest, "duration",
                               weft_monotonic_now () - self->start);
}

static gboolean
on_quit (gpointer data)
{
  WeftRecorder *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* From within the loop, for a loop forgets that it was told to quit before it ran. */
static void
stop_thread (WeftRecorder *self)
{
  g_autoptr (GSource) quit = g_idle_source_new ();

  g_source_set_priority (quit, G_PRIORITY_DEFAULT);
  g_source_set_callback (quit, on_quit, self, NULL);
  g_source_attach (quit, self->context);
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
finish_store (WeftRecorder *self, GError **error)
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

gboolean
weft_recorder_stop (WeftRecorder *self, WeftRecorderStatus *status, GError **error)
{
  g_autofree char *output = g_strdup (self->output);
  struct stat st;
  gboolean written;

  weft_recorder_set_ended (self, NULL, NULL);
  weft_runtime_directory_withdraw (self->directory);
  stop_thread (self);

  finish_ingest (self);
  publish (self, "stopping");
  if (status != NULL)
    *status = self->status;
  g_clear_pointer (&self->ingest, weft_ingest_free);
  written = finish_store (self, error);
  dispose (self);
  if (status != NULL && stat (output, &st) == 0)
    status->file_size = (guint64) st.st_size;
  return written;
}
