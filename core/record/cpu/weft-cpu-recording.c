/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-recording.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-copied-stacks.h"

struct _WeftCpuRecording
{
  WeftIngest *ingest;
  WeftLinker *linker;
  WeftModuleSet *modules;
  WeftSymbolSource *symbols;
  WeftCpuRows *rows;
  WeftCpuTracker *tracker;
  WeftCpuSource *source; /* or NULL */
  WeftCpuFacts *facts;
  gint64 ended;     /* when the last events came */
  gboolean is_open; /* atomic: source and facts are there */
  gboolean is_told; /* the facts */
  GArray *attached; /* element-type struct pollfd: processes that were attached to */
};

WeftCpuRecording *
weft_cpu_recording_new (WeftIngest *ingest, WeftSymbolSource *symbols, WeftLinker *linker,
                        GMainContext *context)
{
  WeftCpuRecording *self = g_new0 (WeftCpuRecording, 1);

  self->ingest = ingest;
  self->linker = linker;
  self->modules = weft_module_set_new ();
  self->symbols = symbols;
  self->rows = weft_cpu_rows_new (ingest, self->symbols, linker, context);
  self->tracker = weft_cpu_tracker_new (NULL, self->modules, self->rows);
  weft_copied_stacks_connect (ingest, self->tracker);
  self->facts = weft_cpu_facts_new ();
  self->attached = g_array_new (FALSE, FALSE, sizeof (struct pollfd));
  return self;
}

static void
watch_attached (WeftCpuRecording *self, const WeftCpuSourceOptions *options)
{
  for (guint i = 0; i < options->n_pids; i++)
    {
      struct pollfd process = { .fd = (int) syscall (SYS_pidfd_open, options->pids[i], 0),
                                .events = POLLIN };

      if (process.fd >= 0)
        g_array_append_val (self->attached, process);
    }
}

gboolean
weft_cpu_recording_open (WeftCpuRecording *self, const WeftCpuSourceOptions *options,
                         GError **error)
{
  watch_attached (self, options);
  self->source = weft_cpu_source_new (options, self->tracker, self->facts, error);
  g_atomic_int_set (&self->is_open, self->source != NULL);
  return self->source != NULL;
}

static gboolean
is_open (WeftCpuRecording *self)
{
  return g_atomic_int_get (&self->is_open);
}

void
weft_cpu_recording_stop (WeftCpuRecording *self)
{
  if (is_open (self))
    weft_cpu_source_stop (self->source);
  self->ended = weft_monotonic_now ();
}

/* ---- What the file says of it ---- */

static void
tell_facts (WeftCpuRecording *self)
{
  const WeftCpuFacts *facts = self->facts;

  if (self->is_told)
    return;
  self->is_told = TRUE;
  weft_linker_set_no_samples (self->linker, strcmp (facts->sampler, "off") == 0);
  weft_ingest_add_meta (self->ingest, "sampler", facts->sampler);
  if (facts->missing->len > 0)
    weft_ingest_add_meta (self->ingest, "sampler-missing", facts->missing->str);
  weft_ingest_add_meta (self->ingest, "wait-mode", facts->wait_mode);
  weft_ingest_add_meta (self->ingest, "kernel-stacks", facts->kernel_stacks ? "yes" : "no");
  weft_ingest_add_meta (self->ingest, "tracepoints", facts->tracepoints ? "yes" : "no");
  weft_ingest_add_meta (self->ingest, "hardware-counters", facts->counters ? "yes" : "no");
  weft_ingest_add_meta_number (self->ingest, "sampler-frequency", facts->frequency);
  weft_ingest_add_meta_number (self->ingest, "sampler-stack-size", facts->stack_bytes);
  weft_ingest_add_meta_number (self->ingest, "sampler-ring-size", (gint64) facts->ring_bytes);
}

static void
tell_notes (WeftCpuRecording *self)
{
  g_autoptr (GPtrArray) notes = weft_cpu_source_take_notes (self->source);

  for (guint i = 0; i < notes->len; i++)
    {
      const WeftCpuNote *note = g_ptr_array_index (notes, i);

      weft_ingest_add_diagnostic (self->ingest, note->severity, note->code, note->message);
    }
}

void
weft_cpu_recording_tick (WeftCpuRecording *self, gint64 now)
{
  if (is_open (self))
    {
      tell_facts (self);
      tell_notes (self);
    }
  /* Stacks that producers copy need no source. */
  if (!is_open (self) || strcmp (self->facts->sampler, "off") == 0)
    weft_cpu_tracker_tick (self->tracker, now);
  weft_cpu_rows_drain (self->rows);
  weft_symbol_source_tick (self->symbols, now);
}

void
weft_cpu_recording_drain (WeftCpuRecording *self)
{
  weft_cpu_rows_drain (self->rows);
}

void
weft_cpu_recording_catch_up (WeftCpuRecording *self, gint64 deadline)
{
  if (is_open (self))
    weft_cpu_source_catch_up (self->source, deadline);
}

void
weft_cpu_recording_settle (WeftCpuRecording *self)
{
  weft_cpu_rows_settle (self->rows);
}

/* What looking at waiting threads came to. */
static void
tell_looks (WeftCpuRecording *self, const WeftCpuTrackerStatus *status)
{
  const struct
  {
    const char *key;
    guint64 number;
  } facts[] = {
    { "wait-snapshots", status->snapshots },
    { "wait-snapshots-discarded", status->snapshots_discarded },
    { "wait-snapshots-refused", status->snapshots_refused },
    { "wait-snapshots-skipped", status->snapshots_skipped },
    { "wait-snapshots-cpu", status->snapshot_cpu },
  };

  for (guint i = 0; i < G_N_ELEMENTS (facts); i++)
    weft_ingest_add_meta_number (self->ingest, facts[i].key, (gint64) facts[i].number);
}

void
weft_cpu_recording_finish (WeftCpuRecording *self)
{
  WeftCpuTrackerStatus status;

  weft_cpu_tracker_finish (self->tracker, self->ended);
  weft_cpu_rows_drain (self->rows);
  if (is_open (self))
    {
      tell_facts (self);
      tell_notes (self);
    }
  weft_cpu_tracker_get_status (self->tracker, &status);
  if (is_open (self))
    tell_looks (self, &status);
  if (status.behind > 0)
    {
      g_autofree char *message = g_strdup_printf (
          "%" G_GUINT64_FORMAT
          " samples and waits were left out: the file could not be written as fast as they came.",
          status.behind);

      weft_ingest_add_diagnostic (self->ingest, WEFT_SEVERITY_WARNING, "sampler-behind", message);
    }
}

void
weft_cpu_recording_free (WeftCpuRecording *self)
{
  weft_copied_stacks_connect (self->ingest, NULL);
  g_clear_pointer (&self->source, weft_cpu_source_free);
  g_clear_pointer (&self->tracker, weft_cpu_tracker_free);
  g_clear_pointer (&self->rows, weft_cpu_rows_free);
  g_clear_pointer (&self->modules, weft_module_set_free);
  weft_cpu_facts_free (self->facts);
  for (guint i = 0; i < self->attached->len; i++)
    close (g_array_index (self->attached, struct pollfd, i).fd);
  g_array_unref (self->attached);
  g_free (self);
}

gboolean
weft_cpu_recording_is_over (WeftCpuRecording *self)
{
  struct pollfd *attached = (struct pollfd *) (gpointer) self->attached->data;

  return is_open (self) && self->attached->len > 0 &&
         poll (attached, self->attached->len, 0) == (int) self->attached->len;
}

void
weft_cpu_recording_get_status (WeftCpuRecording *self, WeftCpuRecordingStatus *status)
{
  *status = (WeftCpuRecordingStatus){ .sampler = "off", .missing = "" };
  weft_cpu_tracker_get_status (self->tracker, &status->tracker);
  if (!is_open (self))
    return;
  status->sampler = self->facts->sampler;
  status->missing = self->facts->missing->str;
  weft_cpu_source_get_status (self->source, &status->source);
}

WeftCpuTracker *
weft_cpu_recording_get_tracker (WeftCpuRecording *self)
{
  return self->tracker;
}
