/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recorder.h"

#include <string.h>
#include <unistd.h>

#include "weft-enum-types.h"
#include "weft-error.h"
#include "weft-keep-trigger.h"
#include "weft-program.h"
#include "weft-record-engine.h"
#include "weft-recorder-private.h"
#include "weft-recorder-status-private.h"
#include "weft-recordings.h"
#include "weft-runtime-directory.h"

/* ns that somebody who wants names waits for them. */
#define NAMES_TIME (G_GINT64_CONSTANT (2) * 1000000000)

/**
 * WeftRecorder:
 *
 * Makes a recording: of a program that it launches, of programs that somebody else launches, or of
 * whatever connects.
 *
 * Say what to record with [method@Recorder.set_argv] (the program gets a runtime directory of its
 * own by environment), with [method@Recorder.set_private] (launch programs yourself, with the
 * environment variable `WEFT_RUNTIME_DIR` set to [method@Recorder.get_runtime_directory]), or with
 * neither: then the user's shared runtime directory is recorded, and every program that looks
 * there. Call [method@Recorder.start]; the recorder works on threads of its own. When the program
 * has ended
 * ([property@Recorder:end] tells, and [method@Recorder.wait] waits), it goes on for what its
 * children may still report, until [method@Recorder.stop]. In between, findings can be added to the
 * file. A recorder that is let go of stops, and saves.
 *
 * The file can be read while it grows; [method@Recorder.flush] puts all that is known into it at
 * once. If it lies in the recordings folder, call [func@recordings_set_latest] when it is finished.
 *
 * Settings cannot be changed after the start. Signals and callbacks come in the thread-default main
 * context of the thread that started the recorder; without a main loop there all else works as
 * well.
 *
 * Since: 0.1
 */
struct _WeftRecorder
{
  GObject parent_instance;

  char *output;
  char **argv;
  char **environment;
  char *working_directory;
  char *command_line;
  gint64 duration;
  gint64 link_tolerance;
  gboolean any_user;
  WeftSymbolMode symbols;
  int skips_symbols; /* atomic */
  gboolean is_private;
  guint flush_interval;
  guint status_interval;
  WeftSampler sampler;
  guint sample_frequency;
  guint stack_size;
  gboolean whole_system;
  GArray *pids; /* element-type int */
  gboolean system_context;
  gint64 keep_duration;
  guint64 keep_size;
  WeftFilter *keep_filter;
  gint64 keep_after;

  WeftKeepTrigger *trigger;      /* from the start to the stop, with a filter */
  WeftRecordEngine *kept_engine; /* the trigger's */
  GSource *wake;                 /* in the context of whoever started it: something changed */

  GMutex lock;   /* of what follows */
  GCond changed; /* state, end or n_users */
  gboolean is_starting;
  WeftRecorderState state;
  WeftRecorderEnd end;
  WeftRecordEngine *engine; /* while RECORDING */
  guint n_users;            /* of the engine: it stays */
  GArray *additions;        /* element-type Addition: of before the start */
  WeftProgram *program;
  char *runtime_directory;
  int exit_status; /* as the caller told; -1: unknown */
  WeftEngineStatus figures;
  WeftKeepFigures kept;
  GPtrArray *told_kept; /* element-type filename: files that "kept" is to tell of */
  GError *error;
  GList *waiting;     /* element-type GTask: for the end */
  gint64 last_status; /* when somebody was last told */
  WeftRecorderState told_state;
  WeftRecorderEnd told_end;
};

typedef struct
{
  WeftAdditionKind kind;
  GVariant *row;
} Addition;

enum
{
  PROP_0,
  PROP_OUTPUT,
  PROP_ARGV,
  PROP_ENVIRONMENT,
  PROP_WORKING_DIRECTORY,
  PROP_COMMAND_LINE,
  PROP_DURATION,
  PROP_LINK_TOLERANCE,
  PROP_ANY_USER,
  PROP_SYMBOLS,
  PROP_PRIVATE,
  PROP_FLUSH_INTERVAL,
  PROP_STATUS_INTERVAL,
  PROP_SAMPLER,
  PROP_SAMPLE_FREQUENCY,
  PROP_STACK_SIZE,
  PROP_WHOLE_SYSTEM,
  PROP_SYSTEM_CONTEXT,
  PROP_KEEP_DURATION,
  PROP_KEEP_SIZE,
  PROP_KEEP_FILTER,
  PROP_KEEP_AFTER,
  PROP_STATE,
  PROP_END,
  PROP_STATUS,
  PROP_RUNTIME_DIRECTORY,
  PROP_PID,
  PROP_PROGRAM_RUNNING,
  PROP_EXIT_STATUS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

enum
{
  KEPT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WeftRecorder, weft_recorder, G_TYPE_OBJECT)

/* ---- Telling the owner ---- */

static gboolean
wake_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_ready_time (source, -1);
  return callback (data);
}

static GSourceFuncs wake_funcs = { NULL, NULL, wake_dispatch, NULL, NULL, NULL };

static gboolean
on_wake (gpointer data)
{
  g_autoptr (WeftRecorder) self = g_weak_ref_get (data);
  g_autoptr (GPtrArray) kept = NULL;
  gboolean new_state, new_end;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  g_mutex_lock (&self->lock);
  new_state = self->state != self->told_state;
  new_end = self->end != self->told_end;
  self->told_state = self->state;
  self->told_end = self->end;
  kept = g_steal_pointer (&self->told_kept);
  self->told_kept = g_ptr_array_new_with_free_func (g_free);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < kept->len; i++)
    g_signal_emit (self, signals[KEPT], 0, g_ptr_array_index (kept, i));

  g_object_freeze_notify (G_OBJECT (self));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
  if (new_end)
    {
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_END]);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROGRAM_RUNNING]);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_EXIT_STATUS]);
    }
  if (new_state)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
  g_object_thaw_notify (G_OBJECT (self));
  return G_SOURCE_CONTINUE;
}

static void
weak_ref_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
attach_wake (WeftRecorder *self, GMainContext *context)
{
  GWeakRef *weak = g_new0 (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  self->wake = g_source_new (&wake_funcs, sizeof (GSource));
  g_source_set_static_name (self->wake, "weft-recorder");
  g_source_set_callback (self->wake, on_wake, weak, weak_ref_free);
  g_source_attach (self->wake, context);
}

static void
drop_wake (WeftRecorder *self)
{
  if (self->wake == NULL)
    return;
  g_source_destroy (self->wake);
  g_clear_pointer (&self->wake, g_source_unref);
}

/* Whoever waits for the end has it. */
static void
release_waiting (WeftRecorder *self)
{
  g_autolist (GTask) waiting = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  waiting = g_steal_pointer (&self->waiting);
  if (self->error != NULL)
    error = g_error_copy (self->error);
  g_mutex_unlock (&self->lock);
  for (GList *l = waiting; l != NULL; l = l->next)
    if (error != NULL)
      g_task_return_error (l->data, g_error_copy (error));
    else
      g_task_return_boolean (l->data, TRUE);
}

/* On the engine's thread. */
static void
on_ended (WeftRecordEngine *engine, WeftEngineEnd end, gpointer data)
{
  static const WeftRecorderEnd ends[] = {
    [WEFT_ENGINE_STOPPED] = WEFT_RECORDER_END_REQUESTED,
    [WEFT_ENGINE_PROGRAM] = WEFT_RECORDER_END_PROGRAM,
    [WEFT_ENGINE_DURATION] = WEFT_RECORDER_END_DURATION,
    [WEFT_ENGINE_FAILED] = WEFT_RECORDER_END_FAILED,
  };
  WeftRecorder *self = data;
  const GError *error = weft_record_engine_get_error (engine);

  g_mutex_lock (&self->lock);
  if (self->end == WEFT_RECORDER_END_NONE)
    self->end = ends[end];
  if (error != NULL && self->error == NULL)
    self->error = g_error_copy (error);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  release_waiting (self);
  g_source_set_ready_time (self->wake, 0);
}

/* Likewise. */
static void
on_published (WeftRecordEngine *engine, gpointer data)
{
  WeftRecorder *self = data;
  gint64 now = g_get_monotonic_time ();
  gboolean due;

  g_mutex_lock (&self->lock);
  weft_record_engine_get_status (engine, &self->figures);
  due =
      self->status_interval > 0 && now - self->last_status >= (gint64) self->status_interval * 1000;
  if (due)
    self->last_status = now;
  g_mutex_unlock (&self->lock);
  if (due)
    g_source_set_ready_time (self->wake, 0);
}

/* ---- Keeping what a filter fits ---- */

static void
add_diagnostic (WeftRecorder *self, WeftSeverity severity, const char *code, const char *message)
{
  weft_record_engine_add (self->kept_engine, WEFT_ADDITION_DIAGNOSTIC,
                          g_variant_new ("(uss)", severity, code, message));
}

static void
on_matched (guint64 dispatch, gpointer data)
{
  WeftRecorder *self = data;
  g_autofree char *filter = weft_filter_to_string (self->keep_filter);
  g_autofree char *message =
      g_strdup_printf ("d-%" G_GUINT64_FORMAT " fits “%s”", dispatch, filter);

  add_diagnostic (self, WEFT_SEVERITY_INFO, "keep-trigger", message);
}

/* OUTPUT-kept-1.weft and so on, beside the output. */
static char *
kept_path (WeftRecorder *self, guint number)
{
  gsize length = strlen (self->output);

  if (g_str_has_suffix (self->output, ".weft"))
    length -= strlen (".weft");
  return g_strdup_printf ("%.*s-kept-%u.weft", (int) length, self->output, number);
}

static char *
on_keep (gint64 since, guint number, GError **error, gpointer data)
{
  WeftRecorder *self = data;
  g_autofree char *path = kept_path (self, number);

  if (!weft_record_engine_keep (self->kept_engine, since, path, error))
    return NULL;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->told_kept, g_strdup (path));
  g_mutex_unlock (&self->lock);
  return g_steal_pointer (&path);
}

static void
on_kept_changed (const WeftKeepFigures *figures, gpointer data)
{
  WeftRecorder *self = data;

  g_mutex_lock (&self->lock);
  self->kept = *figures;
  g_mutex_unlock (&self->lock);
  g_source_set_ready_time (self->wake, 0);
}

static void
on_keep_failed (const GError *error, gpointer data)
{
  g_autofree char *message = g_strdup_printf ("Nothing more is kept: %s", error->message);

  add_diagnostic (data, WEFT_SEVERITY_ERROR, "keep-failed", message);
}

static void
start_trigger (WeftRecorder *self, WeftRecordEngine *engine)
{
  static const WeftKeepListener listener = { on_matched, on_keep, on_kept_changed, on_keep_failed };
  WeftKeepTriggerOptions options = {
    .path = self->output,
    .filter = self->keep_filter,
    .before = self->keep_duration,
    .after = self->keep_after,
    .makes_files = self->keep_duration > 0 || self->keep_size > 0,
  };

  self->kept_engine = engine;
  if (self->keep_filter != NULL)
    self->trigger = weft_keep_trigger_new (&options, &listener, self);
}

/* The engine still runs: what was recorded until now is looked at, and kept. */
static void
finish_trigger (WeftRecorder *self)
{
  g_autofree char *message = NULL;

  if (self->trigger == NULL)
    return;
  weft_record_engine_flush (self->kept_engine, NULL);
  weft_keep_trigger_finish (self->trigger);
  message = g_strdup_printf ("%" G_GUINT64_FORMAT " dispatches fitted, %u files were kept; for "
                             "%" G_GUINT64_FORMAT " none was made, because one had just been",
                             self->kept.matches, self->kept.kept, self->kept.suppressed);
  add_diagnostic (self, WEFT_SEVERITY_INFO, "keep-trigger", message);
  g_clear_pointer (&self->trigger, weft_keep_trigger_free);
}

/* Whether this is a run that is of interest only if the filter fitted something. */
static gboolean
is_to_be_removed (WeftRecorder *self)
{
  return self->keep_filter != NULL && self->keep_duration == 0 && self->keep_size == 0 &&
         self->kept.matches == 0;
}

/* ---- Start ---- */

/* A launched program's CPU time is recorded unless somebody says otherwise; that of others if
 * somebody says so.
 */
static gboolean
sample (WeftRecorder *self, WeftRecordEngine *engine, GError **error)
{
  const WeftEngineCpuOptions options = { .sampler = self->sampler,
                                         .frequency = self->sample_frequency,
                                         .stack_bytes = self->stack_size,
                                         .program = self->program,
                                         .pids = (const int *) (gpointer) self->pids->data,
                                         .n_pids = self->pids->len,
                                         .system = self->whole_system };
  gboolean has_target = self->program != NULL || self->pids->len > 0 || self->whole_system;

  if (self->sampler == WEFT_SAMPLER_OFF || !has_target)
    return TRUE;
  return weft_record_engine_sample (engine, &options, error);
}

static gboolean
launch (WeftRecorder *self, WeftRecordEngine *engine, GError **error)
{
  g_auto (GStrv) environment = self->environment ? g_strdupv (self->environment) : g_get_environ ();

  environment = g_environ_setenv (environment, "WEFT_RUNTIME_DIR",
                                  weft_record_engine_get_runtime_directory (engine), TRUE);
  self->program =
      weft_program_new ((const char *const *) self->argv, (const char *const *) environment,
                        self->working_directory, error);
  if (self->program != NULL && !sample (self, engine, error))
    {
      g_clear_pointer (&self->program, weft_program_unref);
      return FALSE;
    }
  if (self->program != NULL && weft_program_release (self->program, error))
    return TRUE;
  g_prefix_error (error, "Cannot run “%s”: ", self->argv[0]);
  return FALSE;
}

static WeftRecordEngine *
open_engine (WeftRecorder *self, GError **error)
{
  gboolean shared = self->argv == NULL && !self->is_private;
  g_autofree char *directory = shared ? weft_runtime_directory_default_path () : NULL;
  WeftRecordEngineOptions options = { 0 };
  const char *sudo = g_getenv ("SUDO_UID");

  if (self->output == NULL)
    self->output = weft_recordings_new_path (self->argv ? self->argv[0] : "weft", error);
  if (self->output == NULL)
    return NULL;
  if (self->command_line == NULL && self->argv != NULL)
    self->command_line = g_strjoinv (" ", self->argv);
  options.output = self->output;
  options.runtime_directory = directory;
  options.command_line = self->command_line;
  options.flush_interval_ms = self->flush_interval;
  options.duration = self->duration;
  options.keep_duration = self->keep_duration;
  options.keep_size = self->keep_size;
  options.system_context = self->system_context;
  options.link_tolerance = self->link_tolerance;
  options.uid = geteuid () == 0 && sudo ? (guint) g_ascii_strtoull (sudo, NULL, 10) : geteuid ();
  options.any_uid = self->any_user;
  options.symbols = self->symbols;
  options.skips_symbols = &self->skips_symbols;
  return weft_record_engine_new (&options, error);
}

static void
begin (WeftRecorder *self, WeftRecordEngine *engine)
{
  static const WeftEngineListener listener = { on_ended, on_published };

  g_mutex_lock (&self->lock);
  self->engine = engine;
  self->runtime_directory = g_strdup (weft_record_engine_get_runtime_directory (engine));
  weft_record_engine_get_status (engine, &self->figures);
  for (guint i = 0; i < self->additions->len; i++)
    {
      const Addition *addition = &g_array_index (self->additions, Addition, i);

      weft_record_engine_add (engine, addition->kind, addition->row);
    }
  g_array_set_size (self->additions, 0);
  self->is_starting = FALSE;
  self->state = WEFT_RECORDER_RECORDING;
  g_mutex_unlock (&self->lock);

  weft_record_engine_set_listener (engine, &listener, self);
  if (self->program != NULL)
    weft_record_engine_set_program (engine, self->program);
  start_trigger (self, engine);
  g_source_set_ready_time (self->wake, 0);
}

static gboolean
start (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  WeftRecordEngine *engine = NULL;

  if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    engine = open_engine (self, error);
  if (engine != NULL &&
      (g_cancellable_set_error_if_cancelled (cancellable, error) ||
       !(self->argv != NULL ? launch (self, engine, error) : sample (self, engine, error))))
    {
      weft_record_engine_stop (g_steal_pointer (&engine), NULL, NULL);
      g_clear_pointer (&self->program, weft_program_unref);
      unlink (self->output);
    }
  if (engine != NULL)
    {
      begin (self, engine);
      return TRUE;
    }
  g_mutex_lock (&self->lock);
  self->is_starting = FALSE;
  g_mutex_unlock (&self->lock);
  return FALSE;
}

/* FALSE, with an error, unless this is the first start; one that failed does not count. */
static gboolean
claim_start (WeftRecorder *self, GError **error)
{
  gboolean claimed;

  g_mutex_lock (&self->lock);
  claimed = self->state == WEFT_RECORDER_NEW && !self->is_starting;
  self->is_starting |= claimed;
  g_mutex_unlock (&self->lock);
  if (!claimed)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
                           "This recorder was started before; make a new one");
      return FALSE;
    }
  drop_wake (self);
  attach_wake (self, g_main_context_get_thread_default ());
  return TRUE;
}

/**
 * weft_recorder_start:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 *
 * Makes the file, opens the runtime directory, and launches the program, if there is one.
 *
 * Programs may connect once this returns. After an error nothing is left: no file, no program.
 *
 * Errors are of the domains [error@Gio.IOErrorEnum] (`EXISTS`, `NOT_FOUND`, `PERMISSION_DENIED`,
 * `NO_SPACE` of the file, `BUSY` if another recorder owns the runtime directory, `CANCELLED`),
 * [error@GLib.SpawnError] of the program (`NOENT` if there is none of this name), again
 * [error@Gio.IOErrorEnum] of what was to be sampled (`NOT_FOUND` if there is no such process,
 * `PERMISSION_DENIED`), and
 * [error@Error] (`RECORDER` if it was started before).
 *
 * Returns: whether it is recording
 *
 * Since: 0.1
 */
gboolean
weft_recorder_start (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return claim_start (self, error) && start (self, cancellable, error);
}

static void
start_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (start (source, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recorder_start_async:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 * @callback: called when it is recording, or failed
 * @user_data: data for @callback
 *
 * Starts recording; see [method@Recorder.start].
 *
 * Since: 0.1
 */
void
weft_recorder_start_async (WeftRecorder *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (WEFT_IS_RECORDER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_start_async);
  /* Either it is recording or it is not: one that was cancelled too late is. */
  g_task_set_check_cancellable (task, FALSE);
  if (claim_start (self, &error))
    g_task_run_in_thread (task, start_thread);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recorder_start_finish:
 * @self: a recorder
 * @result: what the callback got
 *
 * Ends [method@Recorder.start_async].
 *
 * Returns: whether it is recording
 *
 * Since: 0.1
 */
gboolean
weft_recorder_start_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Waiting for the end ---- */

static gboolean
set_not_started (GError **error)
{
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER, "This recorder was not started");
  return FALSE;
}

static void
on_wait_cancelled (GCancellable *cancellable, gpointer data)
{
  WeftRecorder *self = data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/**
 * weft_recorder_wait:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 *
 * Waits until recording should be stopped: the program has ended, the duration is over, another
 * process asked for it, or it cannot go on; see [property@Recorder:end]. The recorder still
 * records, until [method@Recorder.stop].
 *
 * Returns: %FALSE if it cannot go on (with what is wrong with the file), was not started
 *   (`WEFT_ERROR_RECORDER`), or @cancellable was cancelled
 *
 * Since: 0.1
 */
gboolean
weft_recorder_wait (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  gulong handler = 0;
  gboolean started;
  GError *failure = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_wait_cancelled), self, NULL);
  g_mutex_lock (&self->lock);
  started = self->state != WEFT_RECORDER_NEW;
  while (started && self->end == WEFT_RECORDER_END_NONE &&
         !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  if (self->error != NULL)
    failure = g_error_copy (self->error);
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);

  if (!started)
    return set_not_started (error);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      g_clear_error (&failure);
      return FALSE;
    }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* In the task's own context. */
static gboolean
on_task_cancelled (GCancellable *cancellable, gpointer data)
{
  GTask *task = data;
  WeftRecorder *self = g_task_get_source_object (task);
  GList *link;

  g_mutex_lock (&self->lock);
  link = g_list_find (self->waiting, task);
  self->waiting = g_list_delete_link (self->waiting, link);
  g_mutex_unlock (&self->lock);
  if (link != NULL)
    {
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }
  return G_SOURCE_REMOVE;
}

static void
watch_cancellable (GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GSource) source = NULL;

  if (cancellable == NULL)
    return;
  source = g_cancellable_source_new (cancellable);
  g_task_set_task_data (task, g_source_ref (source), (GDestroyNotify) g_source_unref);
  g_source_set_callback (source, G_SOURCE_FUNC (on_task_cancelled), task, NULL);
  g_source_attach (source, g_task_get_context (task));
}

/**
 * weft_recorder_wait_async:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 * @callback: called when recording should be stopped
 * @user_data: data for @callback
 *
 * Waits until recording should be stopped; see [method@Recorder.wait].
 *
 * Since: 0.1
 */
void
weft_recorder_wait_async (WeftRecorder *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  gboolean started, ended;

  g_return_if_fail (WEFT_IS_RECORDER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_wait_async);
  watch_cancellable (task);
  g_mutex_lock (&self->lock);
  started = self->state != WEFT_RECORDER_NEW;
  ended = self->end != WEFT_RECORDER_END_NONE;
  if (started)
    self->waiting = g_list_prepend (self->waiting, g_object_ref (task));
  g_mutex_unlock (&self->lock);
  if (!started)
    g_task_return_new_error (task, WEFT_ERROR, WEFT_ERROR_RECORDER,
                             "This recorder was not started");
  else if (ended)
    release_waiting (self);
}

/**
 * weft_recorder_wait_finish:
 * @self: a recorder
 * @result: what the callback got
 *
 * Ends [method@Recorder.wait_async].
 *
 * Returns: %FALSE on errors
 *
 * Since: 0.1
 */
gboolean
weft_recorder_wait_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  GSource *cancelled;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  cancelled = g_task_get_task_data (G_TASK (result));
  if (cancelled != NULL)
    g_source_destroy (cancelled);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Stop ---- */

/* The engine, if it is up to this thread to stop it. */
static WeftRecordEngine *
claim_stop (WeftRecorder *self)
{
  WeftRecordEngine *engine = NULL;

  g_mutex_lock (&self->lock);
  if (self->state == WEFT_RECORDER_RECORDING)
    {
      self->state = WEFT_RECORDER_STOPPING;
      if (self->end == WEFT_RECORDER_END_NONE)
        self->end = WEFT_RECORDER_END_STOPPED;
      engine = g_steal_pointer (&self->engine);
      g_cond_broadcast (&self->changed);
      while (self->n_users > 0)
        g_cond_wait (&self->changed, &self->lock);
    }
  else
    while (self->state == WEFT_RECORDER_STOPPING)
      g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  return engine;
}

static void
stop_engine (WeftRecorder *self, WeftRecordEngine *engine)
{
  WeftEngineStatus figures;
  GError *error = NULL;
  gboolean complete;

  release_waiting (self);
  g_source_set_ready_time (self->wake, 0);
  finish_trigger (self);
  complete = weft_record_engine_stop (engine, &figures, &error);
  if (complete && is_to_be_removed (self))
    unlink (self->output);

  g_mutex_lock (&self->lock);
  self->figures = figures;
  if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  self->state = complete ? WEFT_RECORDER_FINISHED : WEFT_RECORDER_FAILED;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_clear_error (&error);
  g_source_set_ready_time (self->wake, 0);
}

static WeftRecorderStatus *
stop (WeftRecorder *self, GError **error)
{
  WeftRecordEngine *engine = claim_stop (self);
  WeftRecorderState state;

  if (engine != NULL)
    stop_engine (self, engine);
  state = weft_recorder_get_state (self);
  if (state == WEFT_RECORDER_FINISHED)
    return weft_recorder_get_status (self);
  if (state == WEFT_RECORDER_FAILED)
    g_propagate_error (error, weft_recorder_get_error (self));
  else
    set_not_started (error);
  return NULL;
}

/**
 * weft_recorder_stop:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 *
 * Takes what is there, and finishes the file. A program that still runs goes on.
 *
 * May be called again: all calls get the same answer. @cancellable counts before the stop has
 * begun, not later: a file is not left half finished.
 *
 * Returns: (transfer full): what was saved; or %NULL with what went wrong with the file. What was
 *   written before that is readable, and [method@Recorder.get_status] tells how much there was
 *
 * Since: 0.1
 */
WeftRecorderStatus *
weft_recorder_stop (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_cancellable_set_error_if_cancelled (cancellable, error) ? NULL : stop (self, error);
}

static void
stop_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  WeftRecorderStatus *status = stop (source, &error);

  if (status != NULL)
    g_task_return_pointer (task, status, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recorder_stop_async:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 * @callback: called when the file is finished
 * @user_data: data for @callback
 *
 * Finishes the file; see [method@Recorder.stop]. If @cancellable is cancelled, @callback hears of
 * it at once, and the file is finished all the same.
 *
 * Since: 0.1
 */
void
weft_recorder_stop_async (WeftRecorder *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_RECORDER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_stop_async);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, stop_thread);
}

/**
 * weft_recorder_stop_finish:
 * @self: a recorder
 * @result: what the callback got
 *
 * Ends [method@Recorder.stop_async].
 *
 * Returns: (transfer full): what was saved; or %NULL, as [method@Recorder.stop] does
 *
 * Since: 0.1
 */
WeftRecorderStatus *
weft_recorder_stop_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- Flush ---- */

static gboolean
flush (WeftRecorder *self, gint64 names_time, GError **error)
{
  WeftRecordEngine *engine;
  gboolean good;

  g_mutex_lock (&self->lock);
  engine = self->engine;
  self->n_users += engine != NULL;
  g_mutex_unlock (&self->lock);
  if (engine == NULL)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
                           "Nothing is being recorded by this recorder");
      return FALSE;
    }
  if (names_time > 0)
    good = weft_record_engine_flush_named (engine, g_get_monotonic_time () * 1000 + names_time, error);
  else
    good = weft_record_engine_flush (engine, error);
  g_mutex_lock (&self->lock);
  self->n_users--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return good;
}

/**
 * weft_recorder_flush:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 *
 * Takes what programs have reported until now, and waits until it is in the file, where it can be
 * read at once. By itself this happens once a second; a journal of the rows that are not packed yet
 * is written each time, so call it no more often than somebody asks.
 *
 * Returns: whether the file holds it; %FALSE with what is wrong with the file, or
 * `WEFT_ERROR_RECORDER` if it is not recording
 *
 * Since: 0.1
 */
gboolean
weft_recorder_flush (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) && flush (self, 0, error);
}

gboolean
weft_recorder_flush_named (WeftRecorder *self, GCancellable *cancellable, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         flush (self, NAMES_TIME, error);
}

static void
flush_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (flush (source, 0, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recorder_flush_async:
 * @self: a recorder
 * @cancellable: (nullable): a cancellable
 * @callback: called when what was recorded so far is in the file
 * @user_data: data for @callback
 *
 * Puts what was recorded so far into the file; see [method@Recorder.flush].
 *
 * Since: 0.1
 */
void
weft_recorder_flush_async (WeftRecorder *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_RECORDER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_flush_async);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, flush_thread);
}

/**
 * weft_recorder_flush_finish:
 * @self: a recorder
 * @result: what the callback got
 *
 * Ends [method@Recorder.flush_async].
 *
 * Returns: whether the file holds it
 *
 * Since: 0.1
 */
gboolean
weft_recorder_flush_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Keep ---- */

static gboolean
keep (WeftRecorder *self, const char *path, GError **error)
{
  WeftRecordEngine *engine = NULL;
  gboolean good;

  g_mutex_lock (&self->lock);
  if (self->keep_duration > 0 || self->keep_size > 0)
    engine = self->engine;
  self->n_users += engine != NULL;
  g_mutex_unlock (&self->lock);
  if (engine == NULL)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
                           "This recorder does not record, or keeps all: nothing is to be kept");
      return FALSE;
    }
  good = weft_record_engine_keep (engine, G_MININT64, path, error);
  g_mutex_lock (&self->lock);
  self->n_users--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return good;
}

/**
 * weft_recorder_keep:
 * @self: a recorder that keeps the end of its recording only
 * @path: (type filename): the file to make
 * @cancellable: (nullable): a cancellable, which counts before the work begins
 *
 * Makes a recording of its own of what is there now, while this one goes on. It holds what
 * [property@Recorder:keep-duration] and [property@Recorder:keep-size] say.
 *
 * Returns: %FALSE with an error of the domain [error@Gio.IOErrorEnum] (`EXISTS`, `NO_SPACE`, …), or
 *   `WEFT_ERROR_RECORDER` if this recorder does not record, or keeps everything
 *
 * Since: 0.1
 */
gboolean
weft_recorder_keep (WeftRecorder *self, const char *path, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (path != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) && keep (self, path, error);
}

static void
keep_thread (GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
  GError *error = NULL;

  if (keep (source, path, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recorder_keep_async:
 * @self: a recorder that keeps the end of its recording only
 * @path: (type filename): the file to make
 * @cancellable: (nullable): a cancellable
 * @callback: called when the file is finished
 * @user_data: data for @callback
 *
 * Makes a recording of what is there now; see [method@Recorder.keep].
 *
 * Since: 0.1
 */
void
weft_recorder_keep_async (WeftRecorder *self, const char *path, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (path != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_keep_async);
  g_task_set_task_data (task, g_strdup (path), g_free);
  g_task_run_in_thread (task, keep_thread);
}

/**
 * weft_recorder_keep_finish:
 * @self: a recorder
 * @result: what the callback got
 *
 * Ends [method@Recorder.keep_async].
 *
 * Returns: whether the file was made
 *
 * Since: 0.1
 */
gboolean
weft_recorder_keep_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- The program ---- */

/**
 * weft_recorder_skip_symbols:
 * @self: a recorder
 *
 * Has the stop of the recording, which waits for names of functions, wait no longer: what was not
 * read until then has none, and the recording says so. Any thread.
 *
 * Since: 0.1
 */
void
weft_recorder_skip_symbols (WeftRecorder *self)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));

  g_atomic_int_set (&self->skips_symbols, 1);
}

/**
 * weft_recorder_send_signal:
 * @self: a recorder
 * @signal_number: a signal
 *
 * Sends a signal to the program that was launched, if it still runs.
 *
 * Since: 0.1
 */
void
weft_recorder_send_signal (WeftRecorder *self, int signal_number)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));

  if (self->program != NULL)
    weft_program_send_signal (self->program, signal_number);
}

/**
 * weft_recorder_set_exit_status:
 * @self: a recorder
 * @status: the exit status; 128 + signal where a signal ended it
 *
 * Tells the file how a program ended that somebody else launched.
 *
 * Since: 0.1
 */
void
weft_recorder_set_exit_status (WeftRecorder *self, int status)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));

  g_mutex_lock (&self->lock);
  self->exit_status = status;
  if (self->engine != NULL)
    weft_record_engine_set_exit_status (self->engine, status);
  g_mutex_unlock (&self->lock);
}

/**
 * weft_recorder_is_program_running: (get-property program-running)
 * @self: a recorder
 *
 * Tells whether the program that was launched still runs.
 *
 * Returns: %FALSE if it has ended, or there is none
 *
 * Since: 0.1
 */
gboolean
weft_recorder_is_program_running (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);

  return self->program != NULL && weft_program_is_running (self->program);
}

/**
 * weft_recorder_get_exit_status: (get-property exit-status)
 * @self: a recorder
 *
 * Tells how the program ended.
 *
 * Returns: its exit status, 128 + signal where a signal ended it; -1 if it still runs, or nobody
 * knows
 *
 * Since: 0.1
 */
int
weft_recorder_get_exit_status (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), -1);

  return self->program ? weft_program_get_exit_status (self->program) : self->exit_status;
}

/**
 * weft_recorder_get_pid: (get-property pid)
 * @self: a recorder
 *
 * Tells the process id of the program that was launched.
 *
 * Returns: the id, even if the program has ended; 0 if there is none
 *
 * Since: 0.1
 */
int
weft_recorder_get_pid (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->program ? weft_program_get_pid (self->program) : 0;
}

/* ---- How it stands ---- */

/**
 * weft_recorder_get_state: (get-property state)
 * @self: a recorder
 *
 * Tells what the recorder is doing.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
WeftRecorderState
weft_recorder_get_state (WeftRecorder *self)
{
  WeftRecorderState state;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), WEFT_RECORDER_NEW);

  g_mutex_lock (&self->lock);
  state = self->state;
  g_mutex_unlock (&self->lock);
  return state;
}

/**
 * weft_recorder_get_end: (get-property end)
 * @self: a recorder
 *
 * Tells why recording should be stopped, or was.
 *
 * Returns: the first reason that came up
 *
 * Since: 0.1
 */
WeftRecorderEnd
weft_recorder_get_end (WeftRecorder *self)
{
  WeftRecorderEnd end;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), WEFT_RECORDER_END_NONE);

  g_mutex_lock (&self->lock);
  end = self->end;
  g_mutex_unlock (&self->lock);
  return end;
}

/**
 * weft_recorder_get_error:
 * @self: a recorder
 *
 * Tells what went wrong with the file while recording.
 *
 * Returns: (transfer full) (nullable): the first error, or %NULL
 *
 * Since: 0.1
 */
GError *
weft_recorder_get_error (WeftRecorder *self)
{
  GError *error;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  g_mutex_lock (&self->lock);
  error = self->error ? g_error_copy (self->error) : NULL;
  g_mutex_unlock (&self->lock);
  return error;
}

/**
 * weft_recorder_get_status: (get-property status)
 * @self: a recorder
 *
 * Tells how far the recorder has got, a tenth of a second ago at most; once it is finished, what is
 * in the file.
 *
 * Returns: (transfer full): a snapshot
 *
 * Since: 0.1
 */
WeftRecorderStatus *
weft_recorder_get_status (WeftRecorder *self)
{
  WeftRecorderStatus *status;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  g_mutex_lock (&self->lock);
  status = weft_recorder_status_new (self->state, &self->figures, &self->kept);
  g_mutex_unlock (&self->lock);
  return status;
}

/**
 * weft_recorder_get_runtime_directory: (get-property runtime-directory)
 * @self: a recorder
 *
 * Tells where programs and this recorder meet.
 *
 * Returns: (nullable) (type filename): what programs that are to be recorded need as
 * `WEFT_RUNTIME_DIR`; %NULL before the start
 *
 * Since: 0.1
 */
const char *
weft_recorder_get_runtime_directory (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return self->runtime_directory;
}

/* ---- What else the file holds ---- */

static gboolean
add (WeftRecorder *self, WeftAdditionKind kind, GVariant *row, GError **error)
{
  Addition addition = { kind, g_variant_ref_sink (row) };
  gboolean kept = TRUE;

  g_mutex_lock (&self->lock);
  if (self->engine != NULL)
    {
      weft_record_engine_add (self->engine, kind, row);
      g_variant_unref (row);
    }
  else if (self->state == WEFT_RECORDER_NEW)
    g_array_append_val (self->additions, addition);
  else
    kept = FALSE;
  g_mutex_unlock (&self->lock);
  if (kept)
    return TRUE;
  g_variant_unref (row);
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
                       "The recording is finished: nothing can be added to it");
  return FALSE;
}

/**
 * weft_recorder_add_words:
 * @self: a recorder
 * @words: rows of domain, scope, subject, key and text, of type `a(sssss)`
 * @always: whether these domains' words are kept whatever is recorded
 *
 * Gives the recording a vocabulary, to be shown where the plugin it comes from is absent.
 *
 * A domain's rows reach the file once a lane is recorded whose kind matches the subject of one of
 * its rows of the scope `kind` (`*` matches any characters, `?` one).
 *
 * Returns: %FALSE with `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_words (WeftRecorder *self, GVariant *words, gboolean always, GError **error)
{
  g_autoptr (GVariant) sunk = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (words != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  sunk = g_variant_ref_sink (words);
  if (g_variant_is_of_type (words, G_VARIANT_TYPE ("a(sssss)")))
    return add (self, WEFT_ADDITION_WORDS, g_variant_new ("(b@a(sssss))", always, words), error);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
               "Words are rows of five strings, a(sssss), not “%s”",
               g_variant_get_type_string (words));
  return FALSE;
}

/**
 * weft_recorder_add_plugin:
 * @self: a recorder
 * @name: name of the plugin
 * @version: (nullable): its version
 * @path: (nullable) (type filename): its file
 *
 * Tells the recording that a plugin was in force.
 *
 * Returns: %FALSE with `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_plugin (WeftRecorder *self, const char *name, const char *version,
                          const char *path, GError **error)
{
  g_autofree char *valid_name = NULL;
  g_autofree char *valid_version = g_utf8_make_valid (version ? version : "", -1);
  g_autofree char *valid_path = g_utf8_make_valid (path ? path : "", -1);

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  valid_name = g_utf8_make_valid (name, -1);
  return add (self, WEFT_ADDITION_PLUGIN,
              g_variant_new ("(sss)", valid_name, valid_version, valid_path), error);
}

/**
 * weft_recorder_add_diagnostic:
 * @self: a recorder
 * @severity: its weight
 * @code: what it is, in a word for programs
 * @message: what it is, and what to do, for people
 *
 * Adds a finding to the recording, with the time of the call.
 *
 * Returns: %FALSE with `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_diagnostic (WeftRecorder *self, WeftSeverity severity, const char *code,
                              const char *message, GError **error)
{
  g_autofree char *valid_code = NULL;
  g_autofree char *valid_message = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (code != NULL && message != NULL, FALSE);

  valid_code = g_utf8_make_valid (code, -1);
  valid_message = g_utf8_make_valid (message, -1);
  return add (self, WEFT_ADDITION_DIAGNOSTIC,
              g_variant_new ("(uss)", (guint) severity, valid_code, valid_message), error);
}

/* What the file takes of a text: valid, and no book. */
static char *
limit_text (const char *text, gsize max_length)
{
  g_autofree char *valid = g_utf8_make_valid (text ? text : "", -1);

  if (strlen (valid) > max_length)
    *g_utf8_find_prev_char (valid, valid + max_length + 1) = '\0';
  return g_steal_pointer (&valid);
}

#define MAX_NAME 256    /* bytes */
#define MAX_TEXT 4096   /* likewise */
#define MAX_HANDLES 256 /* of one finding */

static char *
join_handles (const char *const *handles)
{
  g_autoptr (GString) joined = g_string_new (NULL);

  for (guint i = 0; handles != NULL && handles[i] != NULL && i < MAX_HANDLES; i++)
    if (*handles[i] != '\0' && strlen (handles[i]) <= MAX_NAME)
      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", handles[i]);
  return g_utf8_make_valid (joined->str, -1);
}

/**
 * weft_recorder_add_finding:
 * @self: a recorder
 * @domain: name of the domain that found it
 * @finding: what it found
 *
 * Adds the answer to a domain's question to the recording, where every diagnosis shows it, whatever
 * plugins there are. Texts are cut at 4096 bytes, and handles after the 256th left out.
 *
 * Returns: %FALSE with `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_finding (WeftRecorder *self, const char *domain, WeftFinding *finding,
                           GError **error)
{
  g_autofree char *name = NULL, *check = NULL, *question = NULL, *evidence = NULL, *advice = NULL;
  g_autofree char *handles = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (domain != NULL, FALSE);
  g_return_val_if_fail (WEFT_IS_FINDING (finding), FALSE);

  name = limit_text (domain, MAX_NAME);
  check = limit_text (weft_finding_get_check (finding), MAX_NAME);
  question = limit_text (weft_finding_get_question (finding), MAX_TEXT);
  evidence = limit_text (weft_finding_get_evidence (finding), MAX_TEXT);
  advice = limit_text (weft_finding_get_advice (finding), MAX_TEXT);
  handles = join_handles (weft_finding_get_handles (finding));
  return add (self, WEFT_ADDITION_FINDING,
              g_variant_new ("(sssusss)", name, check, question,
                             (guint) weft_finding_get_verdict (finding), evidence, advice, handles),
              error);
}

/* ---- Settings ---- */

static gboolean
is_settable (WeftRecorder *self)
{
  gboolean settable;

  g_mutex_lock (&self->lock);
  settable = self->state == WEFT_RECORDER_NEW && !self->is_starting;
  g_mutex_unlock (&self->lock);
  return settable;
}

static void
set_string (WeftRecorder *self, char **setting, const char *value, guint property)
{
  if (g_strcmp0 (*setting, value) == 0)
    return;
  g_free (*setting);
  *setting = g_strdup (value);
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
set_strv (WeftRecorder *self, char ***setting, const char *const *value, guint property)
{
  g_strfreev (*setting);
  *setting = value && *value ? g_strdupv ((char **) value) : NULL;
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

/**
 * weft_recorder_set_output: (set-property output)
 * @self: a recorder
 * @output: (nullable) (type filename): the file to make; it must not exist. %NULL: a new one in
 *   the recordings folder
 *
 * Sets the file to make. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_output (WeftRecorder *self, const char *output)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  set_string (self, &self->output, output, PROP_OUTPUT);
}

/**
 * weft_recorder_get_output: (get-property output)
 * @self: a recorder
 *
 * The file to make.
 *
 * Returns: (nullable) (type filename): the file; %NULL before the start if none was set
 *
 * Since: 0.1
 */
const char *
weft_recorder_get_output (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return self->output;
}

/**
 * weft_recorder_set_working_directory: (set-property working-directory)
 * @self: a recorder
 * @directory: (nullable) (type filename): the folder in which the program is to run; %NULL: that
 *   of this process
 *
 * Sets the folder in which the program runs. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_working_directory (WeftRecorder *self, const char *directory)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  set_string (self, &self->working_directory, directory, PROP_WORKING_DIRECTORY);
}

/**
 * weft_recorder_get_working_directory: (get-property working-directory)
 * @self: a recorder
 *
 * The folder in which the program runs.
 *
 * Returns: (nullable) (type filename): the folder, or %NULL
 *
 * Since: 0.1
 */
const char *
weft_recorder_get_working_directory (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return self->working_directory;
}

/**
 * weft_recorder_set_command_line: (set-property command-line)
 * @self: a recorder
 * @command_line: (nullable): how the recording calls what was recorded; %NULL: the arguments
 *
 * Sets what the recording calls its program. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_command_line (WeftRecorder *self, const char *command_line)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  set_string (self, &self->command_line, command_line, PROP_COMMAND_LINE);
}

/**
 * weft_recorder_get_command_line: (get-property command-line)
 * @self: a recorder
 *
 * What the recording calls its program.
 *
 * Returns: (nullable): the text, or %NULL
 *
 * Since: 0.1
 */
const char *
weft_recorder_get_command_line (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return self->command_line;
}

/**
 * weft_recorder_set_argv: (set-property argv)
 * @self: a recorder
 * @argv: (nullable) (array zero-terminated=1) (element-type filename): the program, searched for
 *   in `PATH`, and its arguments; %NULL: none is launched
 *
 * Sets the program to launch and record. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_argv (WeftRecorder *self, const char *const *argv)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  set_strv (self, &self->argv, argv, PROP_ARGV);
}

/**
 * weft_recorder_get_argv: (get-property argv)
 * @self: a recorder
 *
 * The program to launch and record.
 *
 * Returns: (nullable) (array zero-terminated=1) (element-type filename) (transfer none): the
 *   program and its arguments, or %NULL
 *
 * Since: 0.1
 */
const char *const *
weft_recorder_get_argv (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return (const char *const *) self->argv;
}

/**
 * weft_recorder_set_environment: (set-property environment)
 * @self: a recorder
 * @environment: (nullable) (array zero-terminated=1) (element-type filename): variables of the
 *   program, as `NAME=VALUE`; %NULL: those of this process
 *
 * Sets the environment of the program. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_environment (WeftRecorder *self, const char *const *environment)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  set_strv (self, &self->environment, environment, PROP_ENVIRONMENT);
}

/**
 * weft_recorder_get_environment: (get-property environment)
 * @self: a recorder
 *
 * The environment of the program.
 *
 * Returns: (nullable) (array zero-terminated=1) (element-type filename) (transfer none): the
 *   variables, or %NULL
 *
 * Since: 0.1
 */
const char *const *
weft_recorder_get_environment (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return (const char *const *) self->environment;
}

/**
 * weft_recorder_set_duration: (set-property duration)
 * @self: a recorder
 * @duration: nanoseconds after which [property@Recorder:end] tells to stop; 0: it does not
 *
 * Sets how long to record. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_duration (WeftRecorder *self, gint64 duration)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (duration >= 0);

  if (self->duration == duration)
    return;
  self->duration = duration;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DURATION]);
}

/**
 * weft_recorder_set_link_tolerance: (set-property link-tolerance)
 * @self: a recorder
 * @tolerance: nanoseconds; 0: 10 ms
 *
 * Sets how far from an origin the nearest CPU sample of its thread may be to be linked with it.
 * Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_link_tolerance (WeftRecorder *self, gint64 tolerance)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (tolerance >= 0);

  if (self->link_tolerance == tolerance)
    return;
  self->link_tolerance = tolerance;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LINK_TOLERANCE]);
}

/**
 * weft_recorder_get_link_tolerance: (get-property link-tolerance)
 * @self: a recorder
 *
 * How far from an origin a CPU sample may be to be linked with it.
 *
 * Returns: nanoseconds, or 0 for 10 ms
 *
 * Since: 0.1
 */
gint64
weft_recorder_get_link_tolerance (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->link_tolerance;
}

/**
 * weft_recorder_get_duration: (get-property duration)
 * @self: a recorder
 *
 * How long to record.
 *
 * Returns: nanoseconds, or 0
 *
 * Since: 0.1
 */
gint64
weft_recorder_get_duration (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->duration;
}

/**
 * weft_recorder_set_any_user: (set-property any-user)
 * @self: a recorder
 * @any_user: whether, as root, every user's programs are let in
 *
 * Sets whether every user's programs are let in. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_any_user (WeftRecorder *self, gboolean any_user)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  any_user = !!any_user;
  if (self->any_user == any_user)
    return;
  self->any_user = any_user;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ANY_USER]);
}

/**
 * weft_recorder_get_any_user: (get-property any-user)
 * @self: a recorder
 *
 * Whether every user's programs are let in.
 *
 * Returns: whether they are
 *
 * Since: 0.1
 */
gboolean
weft_recorder_get_any_user (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->any_user;
}

/**
 * weft_recorder_set_symbols: (set-property symbols)
 * @self: a recorder
 * @symbols: where names of functions come from
 *
 * Sets where names of functions come from. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_symbols (WeftRecorder *self, WeftSymbolMode symbols)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  if (self->symbols == symbols)
    return;
  self->symbols = symbols;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SYMBOLS]);
}

/**
 * weft_recorder_get_symbols: (get-property symbols)
 * @self: a recorder
 *
 * Where names of functions come from.
 *
 * Returns: where from
 *
 * Since: 0.1
 */
WeftSymbolMode
weft_recorder_get_symbols (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), WEFT_SYMBOL_MODE_AUTO);

  return self->symbols;
}

/**
 * weft_recorder_set_private: (set-property private)
 * @self: a recorder
 * @is_private: whether to have a runtime directory of its own though no program is launched
 *
 * Sets whether the recorder has a runtime directory of its own. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_private (WeftRecorder *self, gboolean is_private)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  is_private = !!is_private;
  if (self->is_private == is_private)
    return;
  self->is_private = is_private;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PRIVATE]);
}

/**
 * weft_recorder_get_private: (get-property private)
 * @self: a recorder
 *
 * Whether the recorder has a runtime directory of its own.
 *
 * Returns: whether it was asked for
 *
 * Since: 0.1
 */
gboolean
weft_recorder_get_private (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->is_private;
}

/**
 * weft_recorder_set_flush_interval: (set-property flush-interval)
 * @self: a recorder
 * @interval: milliseconds after which, at the latest, others find in the file what was recorded;
 *   0: 1000
 *
 * Sets how often the file is brought up to date. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_flush_interval (WeftRecorder *self, guint interval)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  if (self->flush_interval == interval)
    return;
  self->flush_interval = interval;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FLUSH_INTERVAL]);
}

/**
 * weft_recorder_get_flush_interval: (get-property flush-interval)
 * @self: a recorder
 *
 * How often the file is brought up to date.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
weft_recorder_get_flush_interval (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->flush_interval;
}

/**
 * weft_recorder_set_status_interval: (set-property status-interval)
 * @self: a recorder
 * @interval: milliseconds between notifications of [property@Recorder:status] at least; 0: none
 *   but for changes of the state
 *
 * Sets how often changes of the status are told. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_status_interval (WeftRecorder *self, guint interval)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  if (self->status_interval == interval)
    return;
  self->status_interval = interval;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS_INTERVAL]);
}

/**
 * weft_recorder_get_status_interval: (get-property status-interval)
 * @self: a recorder
 *
 * How often changes of the status are told.
 *
 * Returns: milliseconds
 *
 * Since: 0.1
 */
guint
weft_recorder_get_status_interval (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->status_interval;
}

/**
 * weft_recorder_set_sampler: (set-property sampler)
 * @self: a recorder
 * @sampler: how to learn what programs do on the CPUs
 *
 * Sets how CPU time and waits are recorded. Before the start only.
 *
 * With %WEFT_SAMPLER_AUTO a program that is launched is recorded as well as can be, and
 * [property@RecorderStatus:sampler-missing] says what is missing; another sampler has to work, or
 * the start fails.
 *
 * Since: 0.1
 */
void
weft_recorder_set_sampler (WeftRecorder *self, WeftSampler sampler)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  if (self->sampler == sampler)
    return;
  self->sampler = sampler;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SAMPLER]);
}

/**
 * weft_recorder_get_sampler: (get-property sampler)
 * @self: a recorder
 *
 * How CPU time and waits are recorded.
 *
 * Returns: the sampler that was asked for
 *
 * Since: 0.1
 */
WeftSampler
weft_recorder_get_sampler (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), WEFT_SAMPLER_AUTO);

  return self->sampler;
}

/**
 * weft_recorder_set_sample_frequency: (set-property sample-frequency)
 * @self: a recorder
 * @frequency: samples in a second of CPU time, at most 20000; 0: 997
 *
 * Sets how often threads that run are sampled. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_sample_frequency (WeftRecorder *self, guint frequency)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (frequency <= WEFT_RECORDER_MAX_FREQUENCY);

  if (self->sample_frequency == frequency)
    return;
  self->sample_frequency = frequency;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SAMPLE_FREQUENCY]);
}

/**
 * weft_recorder_get_sample_frequency: (get-property sample-frequency)
 * @self: a recorder
 *
 * How often threads that run are sampled.
 *
 * Returns: Hertz, or 0
 *
 * Since: 0.1
 */
guint
weft_recorder_get_sample_frequency (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->sample_frequency;
}

/**
 * weft_recorder_set_stack_size: (set-property stack-size)
 * @self: a recorder
 * @size: bytes of a thread's stack that are copied with a sample, at most 61440; 0: 16384
 *
 * Sets how much of stacks is copied: deeper stacks are read on, as far as they have not changed.
 * Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_stack_size (WeftRecorder *self, guint size)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (size == 0 ||
                    (size >= WEFT_RECORDER_MIN_STACK && size <= WEFT_RECORDER_MAX_STACK));

  if (self->stack_size == size)
    return;
  self->stack_size = size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STACK_SIZE]);
}

/**
 * weft_recorder_get_stack_size: (get-property stack-size)
 * @self: a recorder
 *
 * How much of stacks is copied.
 *
 * Returns: bytes, or 0
 *
 * Since: 0.1
 */
guint
weft_recorder_get_stack_size (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->stack_size;
}

/**
 * weft_recorder_set_whole_system: (set-property whole-system)
 * @self: a recorder
 * @whole_system: whether to record what all processes do on the CPUs
 *
 * Sets whether all processes are sampled, which needs privileges. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_whole_system (WeftRecorder *self, gboolean whole_system)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  whole_system = !!whole_system;
  if (self->whole_system == whole_system)
    return;
  self->whole_system = whole_system;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WHOLE_SYSTEM]);
}

/**
 * weft_recorder_get_whole_system: (get-property whole-system)
 * @self: a recorder
 *
 * Whether all processes are sampled.
 *
 * Returns: whether they are
 *
 * Since: 0.1
 */
gboolean
weft_recorder_get_whole_system (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);

  return self->whole_system;
}

/**
 * weft_recorder_set_pids:
 * @self: a recorder
 * @pids: (nullable) (array length=n_pids): process ids
 * @n_pids: how many there are
 *
 * Sets processes that run already to be sampled, with what they have started and will start. Once
 * they have all ended, [property@Recorder:end] tells. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_pids (WeftRecorder *self, const int *pids, gsize n_pids)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (pids != NULL || n_pids == 0);

  g_array_set_size (self->pids, 0);
  if (n_pids > 0)
    g_array_append_vals (self->pids, pids, (guint) n_pids);
}

/**
 * weft_recorder_get_pids:
 * @self: a recorder
 * @n_pids: (out): how many there are
 *
 * Processes that run already and are to be sampled.
 *
 * Returns: (array length=n_pids) (transfer none): their ids
 *
 * Since: 0.1
 */
const int *
weft_recorder_get_pids (WeftRecorder *self, gsize *n_pids)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);
  g_return_val_if_fail (n_pids != NULL, NULL);

  *n_pids = self->pids->len;
  return (const int *) (gpointer) self->pids->data;
}

/**
 * weft_recorder_set_system_context: (set-property system-context)
 * @self: a recorder
 * @system_context: whether to measure how busy the machine is
 *
 * Sets whether use of CPUs, memory, input and output, and what each recorded process uses, is
 * measured meanwhile. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_system_context (WeftRecorder *self, gboolean system_context)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  if (self->system_context == !!system_context)
    return;
  self->system_context = !!system_context;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SYSTEM_CONTEXT]);
}

/**
 * weft_recorder_get_system_context: (get-property system-context)
 * @self: a recorder
 *
 * Whether it is measured how busy the machine is.
 *
 * Returns: whether it is
 *
 * Since: 0.1
 */
gboolean
weft_recorder_get_system_context (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);

  return self->system_context;
}

/**
 * weft_recorder_set_keep_duration: (set-property keep-duration)
 * @self: a recorder
 * @duration: nanoseconds; 0: all is kept
 *
 * Sets how much of the end of the recording is kept, in time. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_keep_duration (WeftRecorder *self, gint64 duration)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (duration >= 0);

  if (self->keep_duration == duration)
    return;
  self->keep_duration = duration;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEEP_DURATION]);
}

/**
 * weft_recorder_get_keep_duration: (get-property keep-duration)
 * @self: a recorder
 *
 * How much of the end of the recording is kept, in time.
 *
 * Returns: nanoseconds, or 0
 *
 * Since: 0.1
 */
gint64
weft_recorder_get_keep_duration (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->keep_duration;
}

/**
 * weft_recorder_set_keep_size: (set-property keep-size)
 * @self: a recorder
 * @size: bytes, at least 1 MiB; 0: all is kept
 *
 * Sets how much of the end of the recording is kept, in bytes on the disk. Before the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_keep_size (WeftRecorder *self, guint64 size)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));

  size = size == 0 ? 0 : MAX (size, 1 << 20);
  if (self->keep_size == size)
    return;
  self->keep_size = size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEEP_SIZE]);
}

/**
 * weft_recorder_get_keep_size: (get-property keep-size)
 * @self: a recorder
 *
 * How much of the end of the recording is kept, in bytes.
 *
 * Returns: bytes, or 0
 *
 * Since: 0.1
 */
guint64
weft_recorder_get_keep_size (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->keep_size;
}

/**
 * weft_recorder_set_keep_filter:
 * @self: a recorder
 * @filter: (nullable): a filter on dispatches, in the [filter language](filter-language.html);
 *   %NULL for none
 *
 * Sets what is worth keeping. Before the start only.
 *
 * Where the end of the recording is kept, the first dispatch that fits makes a file of its own
 * (beside the output, with `-kept-1` and so on in its name), of what was recorded before it and in
 * [property@Recorder:keep-after]; [signal@Recorder::kept] tells of it. Those that fit until then
 * belong to it. There are at most one file a second and 100 in all; how many more dispatches fitted
 * is told in the recording. Where all is kept, the output is removed in the end if no dispatch
 * fitted.
 *
 * Returns: %FALSE with [error@Error.INVALID_FILTER] if that is no filter
 *
 * Since: 0.1
 */
gboolean
weft_recorder_set_keep_filter (WeftRecorder *self, const char *filter, GError **error)
{
  WeftFilter *parsed = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (is_settable (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (filter != NULL)
    {
      parsed = weft_filter_new (filter, error);
      if (parsed == NULL)
        return FALSE;
    }
  g_clear_pointer (&self->keep_filter, weft_filter_unref);
  self->keep_filter = parsed;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEEP_FILTER]);
  return TRUE;
}

/**
 * weft_recorder_get_keep_filter: (get-property keep-filter)
 * @self: a recorder
 *
 * What is worth keeping.
 *
 * Returns: (transfer full) (nullable): the filter, or %NULL
 *
 * Since: 0.1
 */
char *
weft_recorder_get_keep_filter (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), NULL);

  return self->keep_filter ? weft_filter_to_string (self->keep_filter) : NULL;
}

/**
 * weft_recorder_set_keep_after: (set-property keep-after)
 * @self: a recorder
 * @duration: nanoseconds
 *
 * Sets how long after a dispatch that fits [property@Recorder:keep-filter] the file goes on. Before
 * the start only.
 *
 * Since: 0.1
 */
void
weft_recorder_set_keep_after (WeftRecorder *self, gint64 duration)
{
  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (is_settable (self));
  g_return_if_fail (duration >= 0);

  if (self->keep_after == duration)
    return;
  self->keep_after = duration;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_KEEP_AFTER]);
}

/**
 * weft_recorder_get_keep_after: (get-property keep-after)
 * @self: a recorder
 *
 * How long after a dispatch that fits the file goes on.
 *
 * Returns: nanoseconds
 *
 * Since: 0.1
 */
gint64
weft_recorder_get_keep_after (WeftRecorder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER (self), 0);

  return self->keep_after;
}

/* ---- Life ---- */

static void
set_cpu_setting (WeftRecorder *self, guint id, const GValue *value, GParamSpec *spec)
{
  switch (id)
    {
    case PROP_SAMPLER:
      weft_recorder_set_sampler (self, g_value_get_enum (value));
      break;
    case PROP_SAMPLE_FREQUENCY:
      weft_recorder_set_sample_frequency (self, g_value_get_uint (value));
      break;
    case PROP_STACK_SIZE:
      weft_recorder_set_stack_size (self, g_value_get_uint (value));
      break;
    case PROP_WHOLE_SYSTEM:
      weft_recorder_set_whole_system (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, spec);
    }
}

static void
weft_recorder_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  WeftRecorder *self = WEFT_RECORDER (object);

  switch (id)
    {
    case PROP_OUTPUT:
      weft_recorder_set_output (self, g_value_get_string (value));
      break;
    case PROP_WORKING_DIRECTORY:
      weft_recorder_set_working_directory (self, g_value_get_string (value));
      break;
    case PROP_COMMAND_LINE:
      weft_recorder_set_command_line (self, g_value_get_string (value));
      break;
    case PROP_ARGV:
      weft_recorder_set_argv (self, g_value_get_boxed (value));
      break;
    case PROP_ENVIRONMENT:
      weft_recorder_set_environment (self, g_value_get_boxed (value));
      break;
    case PROP_DURATION:
      weft_recorder_set_duration (self, g_value_get_int64 (value));
      break;
    case PROP_LINK_TOLERANCE:
      weft_recorder_set_link_tolerance (self, g_value_get_int64 (value));
      break;
    case PROP_ANY_USER:
      weft_recorder_set_any_user (self, g_value_get_boolean (value));
      break;
    case PROP_SYMBOLS:
      weft_recorder_set_symbols (self, g_value_get_enum (value));
      break;
    case PROP_PRIVATE:
      weft_recorder_set_private (self, g_value_get_boolean (value));
      break;
    case PROP_FLUSH_INTERVAL:
      weft_recorder_set_flush_interval (self, g_value_get_uint (value));
      break;
    case PROP_STATUS_INTERVAL:
      weft_recorder_set_status_interval (self, g_value_get_uint (value));
      break;
    case PROP_SYSTEM_CONTEXT:
      weft_recorder_set_system_context (self, g_value_get_boolean (value));
      break;
    case PROP_KEEP_DURATION:
      weft_recorder_set_keep_duration (self, g_value_get_int64 (value));
      break;
    case PROP_KEEP_SIZE:
      weft_recorder_set_keep_size (self, g_value_get_uint64 (value));
      break;
    case PROP_KEEP_AFTER:
      weft_recorder_set_keep_after (self, g_value_get_int64 (value));
      break;
    default:
      set_cpu_setting (self, id, value, spec);
    }
}

static void
get_setting (WeftRecorder *self, guint id, GValue *value, GParamSpec *spec)
{
  switch (id)
    {
    case PROP_OUTPUT:
      g_value_set_string (value, self->output);
      break;
    case PROP_WORKING_DIRECTORY:
      g_value_set_string (value, self->working_directory);
      break;
    case PROP_COMMAND_LINE:
      g_value_set_string (value, self->command_line);
      break;
    case PROP_ARGV:
      g_value_set_boxed (value, self->argv);
      break;
    case PROP_ENVIRONMENT:
      g_value_set_boxed (value, self->environment);
      break;
    case PROP_DURATION:
      g_value_set_int64 (value, self->duration);
      break;
    case PROP_LINK_TOLERANCE:
      g_value_set_int64 (value, self->link_tolerance);
      break;
    case PROP_ANY_USER:
      g_value_set_boolean (value, self->any_user);
      break;
    case PROP_SYMBOLS:
      g_value_set_enum (value, self->symbols);
      break;
    case PROP_PRIVATE:
      g_value_set_boolean (value, self->is_private);
      break;
    case PROP_FLUSH_INTERVAL:
      g_value_set_uint (value, self->flush_interval);
      break;
    case PROP_STATUS_INTERVAL:
      g_value_set_uint (value, self->status_interval);
      break;
    case PROP_SYSTEM_CONTEXT:
      g_value_set_boolean (value, self->system_context);
      break;
    case PROP_KEEP_DURATION:
      g_value_set_int64 (value, self->keep_duration);
      break;
    case PROP_KEEP_SIZE:
      g_value_set_uint64 (value, self->keep_size);
      break;
    case PROP_KEEP_FILTER:
      g_value_take_string (value, weft_recorder_get_keep_filter (self));
      break;
    case PROP_KEEP_AFTER:
      g_value_set_int64 (value, self->keep_after);
      break;
    case PROP_SAMPLER:
      g_value_set_enum (value, self->sampler);
      break;
    case PROP_SAMPLE_FREQUENCY:
      g_value_set_uint (value, self->sample_frequency);
      break;
    case PROP_STACK_SIZE:
      g_value_set_uint (value, self->stack_size);
      break;
    case PROP_WHOLE_SYSTEM:
      g_value_set_boolean (value, self->whole_system);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, spec);
    }
}

static void
weft_recorder_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  WeftRecorder *self = WEFT_RECORDER (object);

  switch (id)
    {
    case PROP_STATE:
      g_value_set_enum (value, weft_recorder_get_state (self));
      break;
    case PROP_END:
      g_value_set_enum (value, weft_recorder_get_end (self));
      break;
    case PROP_STATUS:
      g_value_take_object (value, weft_recorder_get_status (self));
      break;
    case PROP_RUNTIME_DIRECTORY:
      g_value_set_string (value, self->runtime_directory);
      break;
    case PROP_PID:
      g_value_set_int (value, weft_recorder_get_pid (self));
      break;
    case PROP_PROGRAM_RUNNING:
      g_value_set_boolean (value, weft_recorder_is_program_running (self));
      break;
    case PROP_EXIT_STATUS:
      g_value_set_int (value, weft_recorder_get_exit_status (self));
      break;
    default:
      get_setting (self, id, value, spec);
    }
}

/* Notifications hold no reference: who lets go of a recorder that records ends the recording. */
static void
weft_recorder_dispose (GObject *object)
{
  WeftRecorder *self = WEFT_RECORDER (object);
  WeftRecordEngine *engine = claim_stop (self);

  if (engine != NULL)
    stop_engine (self, engine);
  drop_wake (self);
  G_OBJECT_CLASS (weft_recorder_parent_class)->dispose (object);
}

static void
addition_clear (gpointer data)
{
  g_variant_unref (((Addition *) data)->row);
}

static void
weft_recorder_finalize (GObject *object)
{
  WeftRecorder *self = WEFT_RECORDER (object);

  g_free (self->output);
  g_strfreev (self->argv);
  g_strfreev (self->environment);
  g_free (self->working_directory);
  g_free (self->command_line);
  g_free (self->runtime_directory);
  g_clear_pointer (&self->keep_filter, weft_filter_unref);
  g_ptr_array_unref (self->told_kept);
  g_array_unref (self->pids);
  g_array_unref (self->additions);
  g_clear_pointer (&self->program, weft_program_unref);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (weft_recorder_parent_class)->finalize (object);
}

static void
install_settings (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  /**
   * WeftRecorder:output: (getter get_output) (setter set_output)
   *
   * The file to make: the file to make; it must not exist. %NULL: a new one in the recordings
   * folder.
   *
   * Since: 0.1
   */
  properties[PROP_OUTPUT] = g_param_spec_string ("output", NULL, NULL, NULL, flags);

  /**
   * WeftRecorder:argv: (getter get_argv) (setter set_argv)
   *
   * The program to launch and record: the program, searched for in `PATH`, and its arguments;
   * %NULL: none is launched.
   *
   * Since: 0.1
   */
  properties[PROP_ARGV] = g_param_spec_boxed ("argv", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * WeftRecorder:environment: (getter get_environment) (setter set_environment)
   *
   * The environment of the program: variables of the program, as `NAME=VALUE`; %NULL: those of
   * this process.
   *
   * Since: 0.1
   */
  properties[PROP_ENVIRONMENT] = g_param_spec_boxed ("environment", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * WeftRecorder:working-directory: (getter get_working_directory) (setter set_working_directory)
   *
   * The folder in which the program runs: the folder in which the program is to run; %NULL:
   * that of this process.
   *
   * Since: 0.1
   */
  properties[PROP_WORKING_DIRECTORY] =
      g_param_spec_string ("working-directory", NULL, NULL, NULL, flags);

  /**
   * WeftRecorder:command-line: (getter get_command_line) (setter set_command_line)
   *
   * What the recording calls its program: how the recording calls what was recorded; %NULL:
   * the arguments.
   *
   * Since: 0.1
   */
  properties[PROP_COMMAND_LINE] = g_param_spec_string ("command-line", NULL, NULL, NULL, flags);

  /**
   * WeftRecorder:duration: (getter get_duration) (setter set_duration)
   *
   * How long to record: nanoseconds after which [property@Recorder:end] tells to stop; 0: it
   * does not.
   *
   * Since: 0.1
   */
  properties[PROP_DURATION] = g_param_spec_int64 ("duration", NULL, NULL, 0, G_MAXINT64, 0, flags);

  /**
   * WeftRecorder:any-user: (getter get_any_user) (setter set_any_user)
   *
   * Whether every user's programs are let in: whether, as root, every user's programs are let
   * in.
   *
   * Since: 0.1
   */
  properties[PROP_ANY_USER] = g_param_spec_boolean ("any-user", NULL, NULL, FALSE, flags);

  /**
   * WeftRecorder:symbols: (getter get_symbols) (setter set_symbols)
   *
   * Where the names, lines and sources of functions come from that samples are in. Symbols are
   * read while it records, and the rest when it stops, which then takes as long.
   *
   * Since: 0.1
   */
  properties[PROP_SYMBOLS] = g_param_spec_enum ("symbols", NULL, NULL, WEFT_TYPE_SYMBOL_MODE,
                                                WEFT_SYMBOL_MODE_AUTO, flags);

  /**
   * WeftRecorder:private: (getter get_private) (setter set_private)
   *
   * Whether the recorder has a runtime directory of its own: whether to have a runtime
   * directory of its own though no program is launched.
   *
   * Since: 0.1
   */
  properties[PROP_PRIVATE] = g_param_spec_boolean ("private", NULL, NULL, FALSE, flags);

  /**
   * WeftRecorder:flush-interval: (getter get_flush_interval) (setter set_flush_interval)
   *
   * How often the file is brought up to date: milliseconds after which, at the latest, others
   * find in the file what was recorded; 0: 1000.
   *
   * Since: 0.1
   */
  properties[PROP_FLUSH_INTERVAL] =
      g_param_spec_uint ("flush-interval", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * WeftRecorder:status-interval: (getter get_status_interval) (setter set_status_interval)
   *
   * How often changes of the status are told: milliseconds between notifications of
   * [property@Recorder:status] at least; 0: none but for changes of the state.
   *
   * Since: 0.1
   */
  properties[PROP_STATUS_INTERVAL] =
      g_param_spec_uint ("status-interval", NULL, NULL, 0, G_MAXUINT, 250, flags);
}

static void
install_keeping (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  /**
   * WeftRecorder:system-context: (getter get_system_context) (setter set_system_context)
   *
   * Whether use of CPUs, memory, input and output, and what each recorded process uses, is measured
   * meanwhile: twice a second, as metrics on lanes without a runtime, of kinds that begin with
   * `system.`.
   *
   * Since: 0.1
   */
  properties[PROP_SYSTEM_CONTEXT] =
      g_param_spec_boolean ("system-context", NULL, NULL, FALSE, flags);

  /**
   * WeftRecorder:keep-duration: (getter get_keep_duration) (setter set_keep_duration)
   *
   * How much of the end of the recording is kept, in nanoseconds; 0: all.
   *
   * While it is recorded, it lies in parts, of which the oldest go. The file then holds at least
   * this much, and up to an eighth more. With [property@Recorder:keep-size], both are kept to.
   *
   * Since: 0.1
   */
  properties[PROP_KEEP_DURATION] =
      g_param_spec_int64 ("keep-duration", NULL, NULL, 0, G_MAXINT64, 0, flags);

  /**
   * WeftRecorder:keep-size: (getter get_keep_size) (setter set_keep_size)
   *
   * How much of the end of the recording is kept, in bytes on the disk; 0: all.
   *
   * While it is recorded, at most an eighth more is used, and as much again for a moment in the
   * end.
   *
   * Since: 0.1
   */
  properties[PROP_KEEP_SIZE] =
      g_param_spec_uint64 ("keep-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorder:keep-after: (getter get_keep_after) (setter set_keep_after)
   *
   * How long after a dispatch that fits [property@Recorder:keep-filter] its file goes on, in
   * nanoseconds.
   *
   * Since: 0.1
   */
  properties[PROP_KEEP_AFTER] =
      g_param_spec_int64 ("keep-after", NULL, NULL, 0, G_MAXINT64, 0, flags);

  /**
   * WeftRecorder:keep-filter: (getter get_keep_filter)
   *
   * Which dispatches are worth keeping what was recorded before them; see
   * [method@Recorder.set_keep_filter].
   *
   * Since: 0.1
   */
  properties[PROP_KEEP_FILTER] =
      g_param_spec_string ("keep-filter", NULL, NULL, NULL,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
}

static void
install_cpu_settings (void)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  /**
   * WeftRecorder:sampler: (getter get_sampler) (setter set_sampler)
   *
   * How to learn what programs do on the CPUs.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLER] =
      g_param_spec_enum ("sampler", NULL, NULL, WEFT_TYPE_SAMPLER, WEFT_SAMPLER_AUTO, flags);

  /**
   * WeftRecorder:sample-frequency: (getter get_sample_frequency) (setter set_sample_frequency)
   *
   * Samples in a second of CPU time; 0: 997.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLE_FREQUENCY] =
      g_param_spec_uint ("sample-frequency", NULL, NULL, 0, WEFT_RECORDER_MAX_FREQUENCY, 0, flags);

  /**
   * WeftRecorder:stack-size: (getter get_stack_size) (setter set_stack_size)
   *
   * Bytes of a thread's stack that are copied with a sample; 0: 16384.
   *
   * Since: 0.1
   */
  properties[PROP_STACK_SIZE] =
      g_param_spec_uint ("stack-size", NULL, NULL, 0, WEFT_RECORDER_MAX_STACK, 0, flags);

  /**
   * WeftRecorder:whole-system: (getter get_whole_system) (setter set_whole_system)
   *
   * Whether all processes are sampled, which needs privileges.
   *
   * Since: 0.1
   */
  properties[PROP_WHOLE_SYSTEM] = g_param_spec_boolean ("whole-system", NULL, NULL, FALSE, flags);

  /**
   * WeftRecorder:link-tolerance: (getter get_link_tolerance) (setter set_link_tolerance)
   *
   * How far from an origin the nearest CPU sample of its thread may be to be linked with it:
   * nanoseconds; 0: 10 ms.
   *
   * Since: 0.1
   */
  properties[PROP_LINK_TOLERANCE] =
      g_param_spec_int64 ("link-tolerance", NULL, NULL, 0, G_MAXINT64, 0, flags);
}

static void
install_readings (void)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * WeftRecorder:state: (getter get_state)
   *
   * What the recorder is doing.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, WEFT_TYPE_RECORDER_STATE, WEFT_RECORDER_NEW, flags);

  /**
   * WeftRecorder:end: (getter get_end)
   *
   * Why recording should be stopped, or was.
   *
   * Since: 0.1
   */
  properties[PROP_END] =
      g_param_spec_enum ("end", NULL, NULL, WEFT_TYPE_RECORDER_END, WEFT_RECORDER_END_NONE, flags);

  /**
   * WeftRecorder:status: (getter get_status)
   *
   * How far it has got. Notifications come each [property@Recorder:status-interval], and with
   * each change of the state.
   *
   * Since: 0.1
   */
  properties[PROP_STATUS] =
      g_param_spec_object ("status", NULL, NULL, WEFT_TYPE_RECORDER_STATUS, flags);

  /**
   * WeftRecorder:runtime-directory: (getter get_runtime_directory)
   *
   * Where programs and the recorder meet; known once it is started.
   *
   * Since: 0.1
   */
  properties[PROP_RUNTIME_DIRECTORY] =
      g_param_spec_string ("runtime-directory", NULL, NULL, NULL, flags);

  /**
   * WeftRecorder:pid: (getter get_pid)
   *
   * Process id of the program that was launched; 0 if there is none.
   *
   * Since: 0.1
   */
  properties[PROP_PID] = g_param_spec_int ("pid", NULL, NULL, 0, G_MAXINT, 0, flags);

  /**
   * WeftRecorder:program-running: (getter is_program_running)
   *
   * Whether the program that was launched still runs.
   *
   * Since: 0.1
   */
  properties[PROP_PROGRAM_RUNNING] =
      g_param_spec_boolean ("program-running", NULL, NULL, FALSE, flags);

  /**
   * WeftRecorder:exit-status: (getter get_exit_status)
   *
   * How the program ended: its exit status, 128 + signal where a signal ended it, or -1.
   *
   * Since: 0.1
   */
  properties[PROP_EXIT_STATUS] =
      g_param_spec_int ("exit-status", NULL, NULL, -1, G_MAXINT, -1, flags);
}

static void
weft_recorder_class_init (WeftRecorderClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = weft_recorder_set_property;
  object_class->get_property = weft_recorder_get_property;
  object_class->dispose = weft_recorder_dispose;
  object_class->finalize = weft_recorder_finalize;
  install_settings ();
  install_cpu_settings ();
  install_keeping ();
  install_readings ();
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * WeftRecorder::kept:
   * @self: the recorder
   * @path: (type filename): the file
   *
   * A file was made of what a dispatch that fits [property@Recorder:keep-filter] stands for.
   *
   * Since: 0.1
   */
  signals[KEPT] = g_signal_new ("kept", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
weft_recorder_init (WeftRecorder *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->additions = g_array_new (FALSE, FALSE, sizeof (Addition));
  g_array_set_clear_func (self->additions, addition_clear);
  self->exit_status = -1;
  self->pids = g_array_new (FALSE, FALSE, sizeof (int));
  self->status_interval = 250;
  self->told_kept = g_ptr_array_new_with_free_func (g_free);
}

/**
 * weft_recorder_new:
 *
 * Makes a recorder, which does nothing yet.
 *
 * Returns: a new recorder
 *
 * Since: 0.1
 */
WeftRecorder *
weft_recorder_new (void)
{
  return g_object_new (WEFT_TYPE_RECORDER, NULL);
}
