/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <weft.h>

#include "ask.h"
#include "instruments.h"
#include "json.h"
#include "plugins.h"
#include "sampling.h"
#include "text.h"

#define PROGRESS_MS 500
#define LINGER_MS 5000
#define SLOW_MS 700
#define NS_PER_SECOND 1000000000
#define MAX_DURATION 4000000 /* s */
#define MIN_KEPT_NS NS_PER_SECOND
#define MIN_KEPT_SIZE (1 << 20)
#define MAX_TOLERANCE 1000000 /* ms */
#define NS_PER_MS 1000000

typedef struct
{
  /* Options. */
  char *output;
  gboolean quiet;
  gboolean json;
  double duration;
  double link_tolerance;
  gboolean any_user;
  char *with;
  gboolean no_plugins;
  gboolean no_system;
  char *last;
  char *last_size;
  char *keep_when;
  char *keep_after;
  gint64 keep_duration; /* ns */
  guint64 keep_size;
  gint64 after; /* ns */
  Sampling sampling;
  char **program; /* NULL: whatever connects */

  Instruments instruments;
  WeftRecorder *recorder;
  GMainLoop *loop;
  GPtrArray *kept; /* element-type filename */
  gboolean interrupted;
  gboolean is_saving;
  gboolean tells_symbols; /* that they are being read */
  gboolean progress;
} Recording;

/* GLib tells its callbacks nothing of what they are for. */
static WeftSymbolMode chosen_symbols;

/* ---- What a person sees ---- */

static void
print_progress (WeftRecorderStatus *status)
{
  g_autofree char *elapsed = text_duration ((guint64) weft_recorder_status_get_elapsed (status));
  g_autofree char *lanes = text_counted (weft_recorder_status_get_lanes (status), "lane", "lanes");
  g_autofree char *dispatches =
      text_counted (weft_recorder_status_get_dispatches (status), "dispatch", "dispatches");
  g_autofree char *size = text_bytes (weft_recorder_status_get_file_size (status));
  g_autofree char *losses = text_count (weft_recorder_status_get_lost (status) +
                                        weft_recorder_status_get_rejected (status));
  g_autofree char *sampled = sampling_describe (status);

  fprintf (stderr, "\r\033[K%s  %s%s%s  %s  %s not kept  %s", elapsed, sampled ? sampled : "",
           sampled ? "  " : "", lanes, dispatches, losses, size);
  fflush (stderr);
}

static void
on_status (GObject *object, GParamSpec *spec, gpointer data)
{
  g_autoptr (WeftRecorderStatus) status = weft_recorder_get_status (WEFT_RECORDER (object));

  print_progress (status);
}

/* Whether the output is there: one that nothing in it was worth keeping for is not. */
static gboolean
is_kept (Recording *self, WeftRecorderStatus *status)
{
  return self->keep_when == NULL || self->last != NULL || self->last_size != NULL ||
         weft_recorder_status_get_matches (status) > 0;
}

static void
print_kept (Recording *self, WeftRecorderStatus *status)
{
  g_autofree char *matches = NULL;

  if (self->keep_when == NULL)
    return;
  matches = text_counted (weft_recorder_status_get_matches (status), "dispatch", "dispatches");
  text_print (stderr, "%s fitted “%s”%s\n", matches, self->keep_when,
              is_kept (self, status) ? "." : ": the recording was not kept.");
  for (guint i = 0; i < self->kept->len; i++)
    text_print (stderr, "Kept %s\n", (const char *) g_ptr_array_index (self->kept, i));
}

static void
print_summary (Recording *self, WeftRecorderStatus *status)
{
  guint n_runtimes = weft_recorder_status_get_runtimes_seen (status);
  guint64 n_refused = weft_recorder_status_get_refused (status);
  g_autofree char *elapsed = text_duration ((guint64) weft_recorder_status_get_elapsed (status));
  g_autofree char *dispatches =
      text_counted (weft_recorder_status_get_dispatches (status), "dispatch", "dispatches");
  g_autofree char *lanes = text_counted (weft_recorder_status_get_lanes (status), "lane", "lanes");
  g_autofree char *runtimes = text_counted (n_runtimes, "runtime", "runtimes");
  g_autofree char *size = text_bytes (weft_recorder_status_get_file_size (status));
  g_autofree char *cpu = text_duration (weft_recorder_status_get_cpu (status));
  g_autofree char *rejected = text_count (weft_recorder_status_get_rejected (status));
  g_autofree char *lost = text_count (weft_recorder_status_get_lost (status));
  g_autofree char *pending = text_count (weft_recorder_status_get_pending (status));
  g_autofree char *sampled = sampling_describe (status);

  fprintf (stderr, "%sRecorded %s: ", self->progress ? "\r\033[K" : "", elapsed);
  if (n_runtimes > 0 || sampled == NULL)
    fprintf (stderr, "%s on %s of %s, ", dispatches, lanes, runtimes);
  fprintf (stderr, "%s\n", size);
  if (sampled != NULL)
    fprintf (stderr, "CPUs (%s): %s\n", weft_recorder_status_get_sampler (status), sampled);
  fprintf (stderr, "Not kept: %s lost, %s rejected, %s pending.  Own cost: %s of CPU.\n", lost,
           rejected, pending, cpu);
  sampling_print (status);
  if (n_runtimes == 0 && sampled == NULL)
    fprintf (stderr, "No program reported a lane: does it use libweft-target? "
                     "(docs/producer-guide.md)\n");
  if (n_refused > 0)
    fprintf (stderr,
             "Connections that were refused: %" G_GUINT64_FORMAT " (see “weft diagnose”).\n",
             n_refused);
  print_kept (self, status);
  if (is_kept (self, status))
    text_print (stderr, "%s\n", self->output);
}

static void
add_kept (Recording *self, JsonBuilder *builder, WeftRecorderStatus *status)
{
  json_add_count (builder, "matches", weft_recorder_status_get_matches (status));
  json_builder_set_member_name (builder, "is_kept");
  json_builder_add_boolean_value (builder, is_kept (self, status));
  json_builder_set_member_name (builder, "kept");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->kept->len; i++)
    {
      g_autofree char *valid = g_utf8_make_valid (g_ptr_array_index (self->kept, i), -1);

      json_builder_add_string_value (builder, valid);
    }
  json_builder_end_array (builder);
}

static void
print_json (Recording *self, WeftRecorderStatus *status, gboolean complete)
{
  JsonBuilder *builder = json_answer_begin ("record", "value");
  int exit_status = weft_recorder_get_exit_status (self->recorder);

  json_add_string (builder, "file", self->output);
  json_builder_set_member_name (builder, "complete");
  json_builder_add_boolean_value (builder, complete);
  json_add_number (builder, "elapsed", weft_recorder_status_get_elapsed (status));
  json_add_count (builder, "dispatches", weft_recorder_status_get_dispatches (status));
  json_add_count (builder, "lanes", weft_recorder_status_get_lanes (status));
  json_add_count (builder, "runtimes", weft_recorder_status_get_runtimes_seen (status));
  json_add_count (builder, "pending", weft_recorder_status_get_pending (status));
  json_add_count (builder, "rejected", weft_recorder_status_get_rejected (status));
  json_add_count (builder, "lost", weft_recorder_status_get_lost (status));
  json_add_count (builder, "sampled_out", weft_recorder_status_get_sampled_out (status));
  json_add_count (builder, "refused", weft_recorder_status_get_refused (status));
  json_add_count (builder, "file_size", weft_recorder_status_get_file_size (status));
  json_add_count (builder, "cpu", weft_recorder_status_get_cpu (status));
  sampling_add_json (builder, status);
  if (exit_status >= 0)
    json_add_number (builder, "exit_status", exit_status);
  if (self->keep_when != NULL)
    add_kept (self, builder, status);
  json_answer_end (builder, "value");
}

/* ---- Stopping ---- */

static gboolean
on_over (gpointer data)
{
  Recording *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
on_end (GObject *object, GParamSpec *spec, gpointer data)
{
  on_over (data);
}

static void
on_kept (WeftRecorder *recorder, const char *path, gpointer data)
{
  Recording *self = data;

  g_ptr_array_add (self->kept, g_strdup (path));
  if (!self->quiet && !self->json)
    text_print (stderr, "%sKept %s\n", self->progress ? "\r\033[K" : "", path);
}

/* From a terminal, the program got the signal itself; else it is passed on. */
static gboolean
is_from_terminal (void)
{
  return isatty (STDIN_FILENO) && tcgetpgrp (STDIN_FILENO) == getpgrp ();
}

static gboolean
on_signal (gpointer data)
{
  Recording *self = data;

  if (self->is_saving)
    {
      weft_recorder_skip_symbols (self->recorder);
      return G_SOURCE_CONTINUE;
    }
  if (self->interrupted || !weft_recorder_is_program_running (self->recorder))
    {
      g_main_loop_quit (self->loop);
      return G_SOURCE_CONTINUE;
    }
  self->interrupted = TRUE;
  if (!is_from_terminal ())
    weft_recorder_send_signal (self->recorder, SIGINT);
  g_timeout_add (LINGER_MS, on_over, self);
  return G_SOURCE_CONTINUE;
}

/* ---- The command ---- */

/* What plugins have to do with it. */
static gboolean
prepare_plugins (Recording *self, GError **error)
{
  g_auto (GStrv) domains = instruments_list_domains (&self->instruments);

  if (self->no_plugins)
    return TRUE;
  if (self->with != NULL && !instruments_prepare (&self->instruments, self->recorder, error))
    return FALSE;
  /* What is to be known at all times: domains' words, and which plugins were in force. */
  return weft_recorder_add_plugins (self->recorder, plugins_load (), (const char *const *) domains,
                                    error);
}

static gboolean
parse_symbols (const char *name, const char *value, gpointer data, GError **error)
{
  g_autoptr (GEnumClass) modes = g_type_class_ref (WEFT_TYPE_SYMBOL_MODE);
  const GEnumValue *mode = g_enum_get_value_by_nick (modes, value);

  if (mode == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "--symbols takes auto, off or debuginfod, not “%s”", value);
      return FALSE;
    }
  chosen_symbols = mode->value;
  return TRUE;
}

static int
start (Recording *self)
{
  g_autoptr (GError) error = NULL;

  self->recorder = weft_recorder_new ();
  weft_recorder_set_output (self->recorder, self->output);
  weft_recorder_set_argv (self->recorder, (const char *const *) self->program);
  weft_recorder_set_duration (self->recorder, (gint64) (self->duration * NS_PER_SECOND));
  weft_recorder_set_link_tolerance (self->recorder, (gint64) (self->link_tolerance * NS_PER_MS));
  weft_recorder_set_any_user (self->recorder, self->any_user);
  weft_recorder_set_symbols (self->recorder, chosen_symbols);
  sampling_apply (&self->sampling, self->recorder);
  weft_recorder_set_status_interval (self->recorder, self->progress ? PROGRESS_MS : 0);
  weft_recorder_set_system_context (self->recorder, !self->no_system);
  weft_recorder_set_keep_duration (self->recorder, self->keep_duration);
  weft_recorder_set_keep_size (self->recorder, self->keep_size);
  weft_recorder_set_keep_after (self->recorder, self->after);
  g_signal_connect (self->recorder, "notify::end", G_CALLBACK (on_end), self);
  g_signal_connect (self->recorder, "kept", G_CALLBACK (on_kept), self);
  if (self->progress)
    g_signal_connect (self->recorder, "notify::status", G_CALLBACK (on_status), self);
  if (weft_recorder_set_keep_filter (self->recorder, self->keep_when, &error) &&
      prepare_plugins (self, &error) && weft_recorder_start (self->recorder, NULL, &error))
    return EXIT_OK;
  complain ("%s", error->message);
  if (error->domain != G_SPAWN_ERROR)
    return EXIT_RECORDING;
  return error->code == G_SPAWN_ERROR_NOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static void
on_saved (GObject *object, GAsyncResult *result, gpointer data)
{
  GAsyncResult **saved = data;

  *saved = g_object_ref (result);
}

static gboolean
on_slow (gpointer data)
{
  Recording *self = data;

  self->tells_symbols = TRUE;
  fprintf (stderr, "%sReading names of functions; Ctrl-C leaves the rest out.",
           self->progress ? "\r\033[K" : "");
  fflush (stderr);
  return G_SOURCE_REMOVE;
}

/* Names of functions may take a while: somebody who has none is heard. */
static WeftRecorderStatus *
stop (Recording *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  guint slow = 0;

  if (!self->quiet && isatty (STDERR_FILENO))
    slow = g_timeout_add (SLOW_MS, on_slow, self);
  self->is_saving = TRUE;
  weft_recorder_stop_async (self->recorder, NULL, on_saved, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  if (self->tells_symbols)
    fprintf (stderr, "\r\033[K");
  else if (slow != 0)
    g_source_remove (slow);
  return weft_recorder_stop_finish (self->recorder, result, error);
}

/* Saves and tells what was saved. */
static int
save (Recording *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) latest_error = NULL;
  g_autoptr (WeftRecorderStatus) saved = stop (self, &error);
  g_autoptr (WeftRecorderStatus) status = weft_recorder_get_status (self->recorder);

  /* What was kept last is told of on this thread. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (is_kept (self, status) && !weft_recordings_set_latest (self->output, &latest_error))
    complain ("%s", latest_error->message);
  if (self->json)
    print_json (self, status, saved != NULL);
  else if (!self->quiet)
    print_summary (self, status);
  if (saved == NULL)
    {
      complain ("the recording is not complete: %s. What was written before is readable: %s",
                error->message, self->output);
      return EXIT_RECORDING;
    }
  if (weft_recorder_is_program_running (self->recorder))
    text_print (stderr, "weft: “%s” (pid %d) is still running\n", self->program[0],
                weft_recorder_get_pid (self->recorder));
  return MAX (weft_recorder_get_exit_status (self->recorder), EXIT_OK);
}

/* What plugins do once it is over. */
typedef struct
{
  Recording *recording;
  GMutex lock;
  GCond changed;
  gboolean is_over;
} Aftermath;

#define FINDINGS_MS 5000
/* A domain that does not return is given up on by the library before this. */
#define AFTERMATH_US (FINDINGS_MS * 1000 + 3 * G_TIME_SPAN_SECOND)

/* A plugin that never returns must not keep us: the recording is saved without it. */
static gpointer
watch_aftermath (gpointer data)
{
  Aftermath *self = data;
  gint64 end = g_get_monotonic_time () + AFTERMATH_US;
  gboolean is_over;
  int status;

  g_mutex_lock (&self->lock);
  while (!self->is_over && g_cond_wait_until (&self->changed, &self->lock, end))
    ;
  is_over = self->is_over;
  g_mutex_unlock (&self->lock);
  if (is_over)
    return NULL;
  complain ("a plugin does not return; it is left behind");
  status = save (self->recording);
  fflush (NULL);
  _exit (status);
}

static void
let_plugins_finish (Recording *self)
{
  Aftermath aftermath = { .recording = self };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_mutex_init (&aftermath.lock);
  g_cond_init (&aftermath.changed);
  thread = g_thread_new ("weft-aftermath", watch_aftermath, &aftermath);
  if (!weft_recorder_add_domain_findings (self->recorder, weft_plugin_registry_get_default (),
                                          FINDINGS_MS, NULL, &error))
    complain ("domains could not look at the recording: %s", error->message);
  instruments_finish (&self->instruments, weft_recorder_get_exit_status (self->recorder));
  g_mutex_lock (&aftermath.lock);
  aftermath.is_over = TRUE;
  g_cond_signal (&aftermath.changed);
  g_mutex_unlock (&aftermath.lock);
  g_thread_join (thread);
  g_mutex_clear (&aftermath.lock);
  g_cond_clear (&aftermath.changed);
}

static int
finish (Recording *self)
{
  if (!self->no_plugins)
    let_plugins_finish (self);
  return save (self);
}

static const char *
tell_sampled (Recording *self)
{
  if (self->sampling.system)
    return "all CPUs, and ";
  return self->sampling.pids ? "the CPU time of these processes, and " : "";
}

static int
record (Recording *self)
{
  int status;

  g_unix_signal_add (SIGINT, on_signal, self);
  g_unix_signal_add (SIGTERM, on_signal, self);
  signal (SIGPIPE, SIG_IGN);
  self->progress = !self->quiet && !self->json && isatty (STDERR_FILENO) && self->program == NULL;
  status = start (self);
  if (status != EXIT_OK)
    return status;
  if (!self->quiet && self->program == NULL)
    text_print (stderr, "Recording %swhatever connects in %s; Ctrl-C stops and saves.\n",
                tell_sampled (self), weft_recorder_get_runtime_directory (self->recorder));
  g_main_loop_run (self->loop);
  /* Something may still be kept in the end. */
  g_signal_handlers_disconnect_by_func (self->recorder, on_end, self);
  g_signal_handlers_disconnect_by_func (self->recorder, on_status, self);
  return finish (self);
}

static int
choose_output (Recording *self)
{
  g_autoptr (GError) error = NULL;

  if (self->output == NULL)
    self->output = weft_recordings_new_path (self->program ? self->program[0] : "weft", &error);
  if (self->output != NULL)
    return EXIT_OK;
  complain ("%s", error->message);
  return EXIT_RECORDING;
}

static void
recording_clear (Recording *self)
{
  instruments_clear (&self->instruments);
  g_clear_object (&self->recorder);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_free (self->output);
  g_free (self->with);
  g_free (self->last);
  g_free (self->last_size);
  g_free (self->keep_when);
  g_free (self->keep_after);
  g_clear_pointer (&self->kept, g_ptr_array_unref);
  sampling_clear (&self->sampling);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Recording, recording_clear)

/* The options that say what is kept. FALSE after telling what makes no sense. */
static gboolean
check_keeping (Recording *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;

  if (self->last != NULL && !ask_parse_time (self->last, &self->keep_duration, &error))
    complain ("--last: %s", error->message);
  else if (self->last != NULL && self->keep_duration < MIN_KEPT_NS)
    complain ("--last takes a second at least, such as 30s or 5min");
  else if (self->last_size != NULL && !text_parse_size (self->last_size, &self->keep_size))
    complain ("--last-size takes a size such as 64MiB or 1GB");
  else if (self->last_size != NULL && self->keep_size < MIN_KEPT_SIZE)
    complain ("--last-size takes 1MiB at least");
  else if (self->keep_after != NULL && !ask_parse_time (self->keep_after, &self->after, &error))
    complain ("--keep-after: %s", error->message);
  else if (self->after < 0)
    complain ("--keep-after takes a time such as 2s");
  else if (self->keep_after != NULL &&
           (self->keep_when == NULL || (self->last == NULL && self->last_size == NULL)))
    complain ("--keep-after belongs to --keep-when with --last or --last-size: "
              "else all is kept, or nothing");
  else if (self->keep_when != NULL && !weft_filter_check (self->keep_when, &message, NULL, NULL))
    complain ("--keep-when: %s", message);
  else
    return TRUE;
  return FALSE;
}

/* FALSE after telling what makes no sense. */
static gboolean
check_options (Recording *self)
{
  g_autoptr (GError) error = NULL;

  if (!(self->duration >= 0 && self->duration <= MAX_DURATION))
    complain ("--duration takes a number of seconds, %d at most", MAX_DURATION);
  else if (!(self->link_tolerance >= 0 && self->link_tolerance <= MAX_TOLERANCE))
    complain ("--link-tolerance takes a number of milliseconds, %d at most", MAX_TOLERANCE);
  else if (self->any_user && geteuid () != 0)
    complain ("--any-user is for root: others’ programs would not be let in");
  else if (self->with != NULL && self->no_plugins)
    complain ("--with and --no-plugins contradict each other: instruments come with plugins");
  else if (self->with != NULL && self->program == NULL)
    complain ("--with prepares a program: name it after “--”");
  else if (self->with != NULL &&
           !instruments_choose (&self->instruments, self->with, self->program, &error))
    complain ("%s", error->message);
  else
    return check_keeping (self) && sampling_check (&self->sampling, self->program != NULL);
  return FALSE;
}

int
command_record (int argc, char **argv)
{
  g_auto (Recording) self = { 0 };
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &self.output, "The file to make", "FILE" },
    { "duration", 'd', 0, G_OPTION_ARG_DOUBLE, &self.duration, "Stop after so long", "SECONDS" },
    { "with", 0, 0, G_OPTION_ARG_STRING, &self.with,
      "Make the program report by these instruments of plugins; auto: by all that can", "NAME,…" },
    { "last", 0, 0, G_OPTION_ARG_STRING, &self.last, "Keep only the last so long", "TIME" },
    { "last-size", 0, 0, G_OPTION_ARG_STRING, &self.last_size, "Keep only the last so much",
      "SIZE" },
    { "keep-when", 0, 0, G_OPTION_ARG_STRING, &self.keep_when,
      "With --last: make a file of it when a dispatch fits; else keep the recording only if one "
      "did",
      "FILTER" },
    { "keep-after", 0, 0, G_OPTION_ARG_STRING, &self.keep_after,
      "Go on for so long before making that file", "TIME" },
    { "no-system", 0, 0, G_OPTION_ARG_NONE, &self.no_system,
      "Do not measure how busy the machine is", NULL },
    { "no-plugins", 0, 0, G_OPTION_ARG_NONE, &self.no_plugins, "Load no plugin", NULL },
    { "cpu", 0, 0, G_OPTION_ARG_STRING, &self.sampling.cpu,
      "How to sample CPU time and waits: auto, perf, ptrace or off", "MODE" },
    { "frequency", 'F', 0, G_OPTION_ARG_INT, &self.sampling.frequency,
      "Samples in a second of CPU time; 997 if not given", "HZ" },
    { "stack-size", 0, 0, G_OPTION_ARG_INT, &self.sampling.stack_size,
      "How much of a stack to copy; 16384 if not given", "BYTES" },
    { "pid", 'p', 0, G_OPTION_ARG_STRING, &self.sampling.pids,
      "Sample these processes, which run already, and their children", "PID,…" },
    { "system", 0, 0, G_OPTION_ARG_NONE, &self.sampling.system,
      "Sample all processes, as far as this user may", NULL },
    { "symbols", 0, 0, G_OPTION_ARG_CALLBACK, parse_symbols,
      "Names of functions: auto, off, or debuginfod, which asks the servers in DEBUGINFOD_URLS, "
      "too",
      "MODE" },
    { "link-tolerance", 0, 0, G_OPTION_ARG_DOUBLE, &self.link_tolerance,
      "How far from an origin a CPU sample may be to be linked with it; 10 if not given", "MS" },
    { "any-user", 0, 0, G_OPTION_ARG_NONE, &self.any_user, "As root: let every user's programs in",
      NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self.quiet, "Say nothing but errors", NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self.json, "Print the summary as JSON", NULL },
    { NULL },
  };
  int status;

  if (!parse_options ("Records PROGRAM and its children, processes that run (--pid), all of them "
                      "(--system), or, without any of these, whatever connects until Ctrl-C.",
                      "[-- PROGRAM [ARGUMENT…]]", entries, &argc, &argv, &status))
    return status;
  self.program = argc > 1 ? argv + 1 : NULL;
  if (!check_options (&self))
    return EXIT_USAGE;
  status = choose_output (&self);
  if (status != EXIT_OK)
    return status;
  self.loop = g_main_loop_new (NULL, FALSE);
  self.kept = g_ptr_array_new_with_free_func (g_free);
  return record (&self);
}
