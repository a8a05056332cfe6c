/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "recordings.h"
#include "text.h"
#include "weft-recorder.h"
#include "weft-runtime-directory.h"

#define PROGRESS_MS 500
#define LINGER_MS 5000
#define MAX_DURATION 4000000 /* s: what a timeout in ms can hold */

typedef struct
{
  /* Options. */
  char *output;
  gboolean quiet;
  gboolean json;
  double duration;
  gboolean any_uid;
  char **program; /* NULL: whatever connects */

  WeftRecorder *recorder;
  GMainLoop *loop;
  GPid child;
  gboolean child_running;
  gboolean interrupted;
  int exit_status; /* of the child, as a shell would tell it; -1 unknown */
  gboolean progress;
} Recording;

/* ---- What a person sees ---- */

static void
print_progress (const WeftRecorderStatus *status)
{
  g_autofree char *elapsed = text_duration ((guint64) status->elapsed);
  g_autofree char *dispatches = text_count (status->dispatches);
  g_autofree char *size = text_bytes (status->file_size);
  g_autofree char *losses = text_count (status->lost + status->rejected);

  fprintf (stderr, "\r\033[K%s  %u lanes  %s dispatches  %s not kept  %s", elapsed, status->lanes,
           dispatches, losses, size);
  fflush (stderr);
}

static gboolean
on_progress (gpointer data)
{
  Recording *self = data;
  WeftRecorderStatus status;

  weft_recorder_get_status (self->recorder, &status);
  print_progress (&status);
  return G_SOURCE_CONTINUE;
}

static void
print_summary (Recording *self, const WeftRecorderStatus *status)
{
  g_autofree char *elapsed = text_duration ((guint64) status->elapsed);
  g_autofree char *dispatches = text_count (status->dispatches);
  g_autofree char *size = text_bytes (status->file_size);
  g_autofree char *cpu = text_duration (status->cpu);
  g_autofree char *rejected = text_count (status->rejected);
  g_autofree char *lost = text_count (status->lost);
  g_autofree char *pending = text_count (status->pending);

  fprintf (stderr, "%sRecorded %s: %s dispatches on %u lanes of %u runtimes, %s\n",
           self->progress ? "\r\033[K" : "", elapsed, dispatches, status->lanes,
           status->runtimes_seen, size);
  fprintf (stderr, "Not kept: %s lost, %s rejected, %s pending.  Own cost: %s of CPU.\n", lost,
           rejected, pending, cpu);
  if (status->runtimes_seen == 0)
    fprintf (stderr, "No program reported a lane: does it use libweft-target? "
                     "(docs/producer-guide.md)\n");
  if (status->refused > 0)
    fprintf (stderr, "%" G_GUINT64_FORMAT " connections were refused: see “weft show”.\n",
             status->refused);
  text_print (stderr, "%s\n", self->output);
}

static void
print_json (Recording *self, const WeftRecorderStatus *status, gboolean complete)
{
  JsonBuilder *builder = json_answer_begin ("record", "value");

  json_add_string (builder, "file", self->output);
  json_builder_set_member_name (builder, "complete");
  json_builder_add_boolean_value (builder, complete);
  json_add_number (builder, "elapsed", status->elapsed);
  json_add_count (builder, "dispatches", status->dispatches);
  json_add_count (builder, "lanes", status->lanes);
  json_add_count (builder, "runtimes", status->runtimes_seen);
  json_add_count (builder, "pending", status->pending);
  json_add_count (builder, "rejected", status->rejected);
  json_add_count (builder, "lost", status->lost);
  json_add_count (builder, "sampled_out", status->sampled_out);
  json_add_count (builder, "refused", status->refused);
  json_add_count (builder, "file_size", status->file_size);
  json_add_count (builder, "cpu", status->cpu);
  if (self->exit_status >= 0)
    json_add_number (builder, "exit_status", self->exit_status);
  json_answer_end (builder, "value");
}

/* ---- The program ---- */

static void
on_child (GPid pid, int wait_status, gpointer data)
{
  Recording *self = data;

  self->child_running = FALSE;
  self->exit_status = WIFSIGNALED (wait_status) ? 128 + WTERMSIG (wait_status)
                                                : WEXITSTATUS (wait_status);
  g_spawn_close_pid (pid);
  weft_recorder_set_exit_status (self->recorder, self->exit_status);
  g_main_loop_quit (self->loop);
}

/* The program gets its signals as if it had been started by itself. */
static void
prepare_child (gpointer data)
{
  struct sigaction action = { .sa_handler = SIG_DFL };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
  sigaction (SIGXFSZ, &action, NULL);
  sigaction (SIGPIPE, &action, NULL);
}

/* A folder of PATH that is closed to us hides that the others do not have it either. */
static gboolean
is_nowhere (const char *program, const GError *error)
{
  g_autofree char *found = NULL;

  if (!g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES) || strchr (program, '/') != NULL)
    return g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
  found = g_find_program_in_path (program);
  return found == NULL;
}

static int
launch (Recording *self)
{
  g_auto (GStrv) environment
      = g_environ_setenv (g_get_environ (), "WEFT_RUNTIME_DIR",
                          weft_recorder_get_runtime_directory (self->recorder), TRUE);
  g_autoptr (GError) error = NULL;

  if (g_spawn_async (NULL, self->program, environment,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN,
                     prepare_child, NULL, &self->child, &error))
    {
      self->child_running = TRUE;
      g_child_watch_add (self->child, on_child, self);
      return EXIT_OK;
    }
  complain ("cannot run “%s”: %s", self->program[0], error->message);
  return is_nowhere (self->program[0], error) ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* ---- Stopping ---- */

static gboolean
on_over (gpointer data)
{
  Recording *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
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

  if (self->interrupted || !self->child_running)
    {
      g_main_loop_quit (self->loop);
      return G_SOURCE_CONTINUE;
    }
  self->interrupted = TRUE;
  if (!is_from_terminal ())
    kill (self->child, SIGINT);
  g_timeout_add (LINGER_MS, on_over, self);
  return G_SOURCE_CONTINUE;
}

/* On the recorder's thread. */
static void
on_ended (WeftRecorder *recorder, gpointer data)
{
  g_idle_add (on_over, data);
}

/* ---- The command ---- */

static WeftRecorder *
start (Recording *self, GError **error)
{
  g_autofree char *shared = self->program ? NULL : weft_runtime_directory_default_path ();
  g_autofree char *command_line = self->program ? g_strjoinv (" ", self->program) : NULL;
  WeftRecorderOptions options = { 0 };
  const char *sudo = g_getenv ("SUDO_UID");

  options.output = self->output;
  options.runtime_directory = shared;
  options.command_line = command_line;
  options.uid = geteuid () == 0 && sudo ? (guint) g_ascii_strtoull (sudo, NULL, 10) : geteuid ();
  options.any_uid = self->any_uid;
  return weft_recorder_new (&options, error);
}

static int
finish (Recording *self)
{
  g_autoptr (GError) error = NULL;
  WeftRecorderStatus status;
  gboolean complete = weft_recorder_stop (self->recorder, &status, &error);

  self->recorder = NULL;
  recordings_set_latest (self->output);
  if (self->json)
    print_json (self, &status, complete);
  else if (!self->quiet)
    print_summary (self, &status);
  if (!complete)
    {
      complain ("the recording is not complete: %s. What was written before is readable: %s",
                error->message, self->output);
      return EXIT_RECORDING;
    }
  if (self->child_running)
    text_print (stderr, "weft: “%s” (pid %d) is still running\n", self->program[0],
                (int) self->child);
  return self->exit_status > 0 ? self->exit_status : EXIT_OK;
}

static int
record (Recording *self)
{
  g_autoptr (GError) error = NULL;
  int status = EXIT_OK;

  self->recorder = start (self, &error);
  if (self->recorder == NULL)
    {
      complain ("%s", error->message);
      return EXIT_RECORDING;
    }
  weft_recorder_set_ended (self->recorder, on_ended, self);
  g_unix_signal_add (SIGINT, on_signal, self);
  g_unix_signal_add (SIGTERM, on_signal, self);
  signal (SIGPIPE, SIG_IGN);

  if (self->program != NULL)
    status = launch (self);
  else if (!self->quiet)
    text_print (stderr, "Recording whatever connects in %s; Ctrl-C stops and saves.\n",
             weft_recorder_get_runtime_directory (self->recorder));
  if (status != EXIT_OK)
    {
      weft_recorder_stop (self->recorder, NULL, NULL);
      unlink (self->output);
      return status;
    }

  self->progress = !self->quiet && !self->json && isatty (STDERR_FILENO) && self->program == NULL;
  if (self->progress)
    g_timeout_add (PROGRESS_MS, on_progress, self);
  if (self->duration > 0)
    g_timeout_add ((guint) (self->duration * 1000), on_over, self);
  g_main_loop_run (self->loop);
  return finish (self);
}

static int
choose_output (Recording *self)
{
  g_autoptr (GError) error = NULL;

  if (self->output == NULL)
    self->output = recordings_new_path (self->program ? self->program[0] : "weft", &error);
  if (self->output != NULL)
    return EXIT_OK;
  complain ("%s", error->message);
  return EXIT_RECORDING;
}

int
command_record (int argc, char **argv)
{
  Recording self = { .exit_status = -1 };
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &self.output, "The file to make", "FILE" },
    { "duration", 'd', 0, G_OPTION_ARG_DOUBLE, &self.duration, "Stop after so long", "SECONDS" },
    { "any-user", 0, 0, G_OPTION_ARG_NONE, &self.any_uid, "As root: let every user's programs in",
      NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self.quiet, "Say nothing but errors", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Print the summary as JSON", NULL },
    { NULL },
  };
  int status;

  if (!parse_options ("Records PROGRAM and its children, or, without one, whatever connects until "
                      "Ctrl-C.",
                      "[-- PROGRAM [ARGUMENT…]]", entries, &argc, &argv, &status))
    return status;
  if (!(self.duration >= 0 && self.duration <= MAX_DURATION))
    {
      complain ("--duration takes a number of seconds, %d at most", MAX_DURATION);
      return EXIT_USAGE;
    }
  if (self.any_uid && geteuid () != 0)
    {
      complain ("--any-user is for root: others' programs would not be let in");
      return EXIT_USAGE;
    }
  self.program = argc > 1 ? argv + 1 : NULL;
  status = choose_output (&self);
  if (status != EXIT_OK)
    return status;
  self.loop = g_main_loop_new (NULL, FALSE);
  status = record (&self);
  g_main_loop_unref (self.loop);
  g_free (self.output);
  return status;
}
