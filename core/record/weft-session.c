/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-session.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "weft-control.h"
#include "weft-recorder-status-private.h"

#define POLL_US 50000

/**
 * WeftSession:
 *
 * A recorder that runs, in this process or another, found by its control socket.
 *
 * It is known by its process id; [method@Session.refresh] asks it anew. A session ends when its
 * file is finished, and never begins again.
 *
 * Since: 0.1
 */
struct _WeftSession
{
  GObject parent_instance;

  char *directory;
  char *path;
  char *command_line;
  int pid;

  GMutex lock; /* of what follows */
  gboolean running;
  WeftRecorderStatus *status;
};

enum
{
  PROP_0,
  PROP_PID,
  PROP_PATH,
  PROP_COMMAND_LINE,
  PROP_RUNTIME_DIRECTORY,
  PROP_STATUS,
  PROP_RUNNING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftSession, weft_session, G_TYPE_OBJECT)

/* ---- Asking ---- */

/* The "value" of the answer, owned by PARSER. */
static JsonObject *
ask (const char *directory, const char *command, JsonParser *parser, GError **error)
{
  g_autofree char *line = weft_control_ask (directory, command, error);
  JsonNode *root, *value = NULL;

  if (line == NULL || !json_parser_load_from_data (parser, line, -1, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    value = json_object_get_member (json_node_get_object (root), "value");
  if (value != NULL && JSON_NODE_HOLDS_OBJECT (value))
    return json_node_get_object (value);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "The recorder's answer makes no sense");
  return NULL;
}

static guint64
count_of (JsonObject *value, const char *name)
{
  gint64 count = json_object_get_int_member_with_default (value, name, 0);

  return (guint64) MAX (count, 0);
}

static WeftRecorderState
state_of (JsonObject *value)
{
  const char *name = json_object_get_string_member_with_default (value, "state", "");

  if (g_strcmp0 (name, "stopping") == 0)
    return WEFT_RECORDER_STOPPING;
  return g_strcmp0 (name, "failed") == 0 ? WEFT_RECORDER_FAILED : WEFT_RECORDER_RECORDING;
}

static void
copy_text (char *to, gsize size, JsonObject *value, const char *name)
{
  const char *text = json_object_get_string_member_with_default (value, name, "");

  g_strlcpy (to, text ? text : "", size);
}

static WeftRecorderStatus *
read_status (JsonObject *value)
{
  WeftEngineStatus figures = {
    .elapsed = (gint64) count_of (value, "elapsed"),
    .dispatches = count_of (value, "dispatches"),
    .pending = count_of (value, "pending"),
    .rejected = count_of (value, "rejected"),
    .lost = count_of (value, "lost"),
    .sampled_out = count_of (value, "sampled_out"),
    .refused = count_of (value, "refused"),
    .lanes = (guint) MIN (count_of (value, "lanes"), G_MAXUINT),
    .runtimes = (guint) MIN (count_of (value, "runtimes"), G_MAXUINT),
    .runtimes_seen = (guint) MIN (count_of (value, "runtimes_seen"), G_MAXUINT),
    .file_size = count_of (value, "file_size"),
    .cpu = count_of (value, "cpu"),
    .resident = count_of (value, "resident"),
    .samples = count_of (value, "samples"),
    .stacks_complete = count_of (value, "stacks_complete"),
    .waits = count_of (value, "waits"),
    .events_lost = count_of (value, "events_lost"),
  };

  copy_text (figures.sampler, sizeof figures.sampler, value, "sampler");
  copy_text (figures.sampler_missing, sizeof figures.sampler_missing, value, "sampler_missing");

  return weft_recorder_status_new (state_of (value), &figures, NULL);
}

/* NULL if nobody answers, or nothing that makes sense. */
static WeftSession *
session_open (const char *directory)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *value = ask (directory, "status", parser, NULL);
  const char *path, *command_line;
  WeftSession *self;

  if (value == NULL)
    return NULL;
  path = json_object_get_string_member_with_default (value, "file", "");
  self = g_object_new (WEFT_TYPE_SESSION, NULL);
  self->directory = g_strdup (directory);
  self->pid = (int) MIN (count_of (value, "pid"), G_MAXINT);
  self->path = g_strdup (path ? path : "");
  command_line = json_object_get_string_member_with_default (value, "command_line", "");
  self->command_line = command_line && *command_line ? g_strdup (command_line) : NULL;
  self->status = read_status (value);
  self->running = TRUE;
  return self;
}

/**
 * weft_session_list:
 *
 * Finds the recorders that run now and that one may talk to: in the shared runtime directory, and
 * those with one of their own. One that is too busy to answer within five seconds is left out.
 *
 * Returns: (transfer full): a list of [class@Session]; %NULL with [error@Gio.IOErrorEnum] if the
 *   runtime directory cannot be read
 *
 * Since: 0.1
 */
GListModel *
weft_session_list (GError **error)
{
  g_autoptr (GListStore) list = g_list_store_new (WEFT_TYPE_SESSION);
  g_auto (GStrv) directories = NULL;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  directories = weft_control_find (error);
  if (directories == NULL)
    return NULL;
  for (char **directory = directories; *directory != NULL; directory++)
    {
      g_autoptr (WeftSession) session = session_open (*directory);

      if (session != NULL)
        g_list_store_append (list, session);
    }
  return G_LIST_MODEL (g_steal_pointer (&list));
}

static void
list_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GListModel *list = weft_session_list (&error);

  if (list != NULL)
    g_task_return_pointer (task, list, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_session_list_async:
 * @cancellable: (nullable): a cancellable
 * @callback: called with the answer
 * @user_data: data for @callback
 *
 * Finds the recorders that run now; see [func@Session.list].
 *
 * Since: 0.1
 */
void
weft_session_list_async (GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, weft_session_list_async);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, list_thread);
}

/**
 * weft_session_list_finish:
 * @result: what the callback got
 *
 * Ends [func@Session.list_async].
 *
 * Returns: (transfer full): a list of [class@Session], or %NULL
 *
 * Since: 0.1
 */
GListModel *
weft_session_list_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- Refreshing ---- */

static void
set_ended (WeftSession *self)
{
  g_mutex_lock (&self->lock);
  self->running = FALSE;
  g_mutex_unlock (&self->lock);
}

/* Its socket goes when its file is whole; another recorder may have its directory then. */
static gboolean
refresh (WeftSession *self, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (WeftRecorderStatus) status = NULL;
  GError *local = NULL;
  JsonObject *value = ask (self->directory, "status", parser, &local);

  if (value == NULL && !g_error_matches (local, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  g_clear_error (&local);
  if (value == NULL || count_of (value, "pid") != (guint64) self->pid)
    {
      set_ended (self);
      return TRUE;
    }
  status = read_status (value);
  g_mutex_lock (&self->lock);
  g_set_object (&self->status, status);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
notify (WeftSession *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING]);
}

/**
 * weft_session_refresh:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 *
 * Asks the recorder how far it has got. [property@Session:running] tells afterwards whether it
 * still runs.
 *
 * Returns: %FALSE if it did not answer: `G_IO_ERROR_TIMED_OUT` where it is too busy, as it may be
 * when it finishes a large file, `G_IO_ERROR_INVALID_DATA` where the answer makes no sense
 *
 * Since: 0.1
 */
gboolean
weft_session_refresh (WeftSession *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !refresh (self, error))
    return FALSE;
  notify (self);
  return TRUE;
}

static void
refresh_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (refresh (source, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_session_refresh_async:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @callback: called with the answer
 * @user_data: data for @callback
 *
 * Asks the recorder how far it has got; see [method@Session.refresh].
 *
 * Since: 0.1
 */
void
weft_session_refresh_async (WeftSession *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_session_refresh_async);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, refresh_thread);
}

/**
 * weft_session_refresh_finish:
 * @self: a session
 * @result: what the callback got
 *
 * Ends [method@Session.refresh_async].
 *
 * Returns: %FALSE if it did not answer
 *
 * Since: 0.1
 */
gboolean
weft_session_refresh_finish (WeftSession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  notify (self);
  return TRUE;
}

/* ---- Stopping ---- */

static gboolean
stop (WeftSession *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (ask (self->directory, "stop", parser, error) == NULL)
    return FALSE;
  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      refresh (self, NULL);
      if (!weft_session_is_running (self))
        return TRUE;
      g_usleep (POLL_US);
    }
}

/**
 * weft_session_stop:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 *
 * Asks the recorder to stop, and waits until its file is finished. Cancelling ends the waiting
 * only.
 *
 * Returns: %FALSE with `G_IO_ERROR_NOT_FOUND` if it had ended before, `G_IO_ERROR_TIMED_OUT` if it
 * did not answer, `G_IO_ERROR_CANCELLED`
 *
 * Since: 0.1
 */
gboolean
weft_session_stop (WeftSession *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!stop (self, cancellable, error))
    return FALSE;
  notify (self);
  return TRUE;
}

static void
stop_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (stop (source, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_session_stop_async:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @callback: called when the file is finished
 * @user_data: data for @callback
 *
 * Asks the recorder to stop, and waits until its file is finished; see [method@Session.stop].
 *
 * Since: 0.1
 */
void
weft_session_stop_async (WeftSession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_session_stop_async);
  g_task_run_in_thread (task, stop_thread);
}

/**
 * weft_session_stop_finish:
 * @self: a session
 * @result: what the callback got
 *
 * Ends [method@Session.stop_async].
 *
 * Returns: %FALSE as [method@Session.stop] does
 *
 * Since: 0.1
 */
gboolean
weft_session_stop_finish (WeftSession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  notify (self);
  return TRUE;
}

/* ---- What is known ---- */

/**
 * weft_session_get_pid: (get-property pid)
 * @self: a session
 *
 * Tells which process records.
 *
 * Returns: its id
 *
 * Since: 0.1
 */
int
weft_session_get_pid (WeftSession *self)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), 0);

  return self->pid;
}

/**
 * weft_session_get_path: (get-property path)
 * @self: a session
 *
 * Tells which file is being made.
 *
 * Returns: (type filename): its path
 *
 * Since: 0.1
 */
const char *
weft_session_get_path (WeftSession *self)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), NULL);

  return self->path;
}

/**
 * weft_session_get_command_line: (get-property command-line)
 * @self: a session
 *
 * Tells what is being recorded.
 *
 * Returns: (nullable): the program and its arguments; %NULL if it is whatever connects
 *
 * Since: 0.1
 */
const char *
weft_session_get_command_line (WeftSession *self)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), NULL);

  return self->command_line;
}

/**
 * weft_session_get_runtime_directory: (get-property runtime-directory)
 * @self: a session
 *
 * Tells where programs and the recorder meet.
 *
 * Returns: (type filename): a folder
 *
 * Since: 0.1
 */
const char *
weft_session_get_runtime_directory (WeftSession *self)
{
  g_return_val_if_fail (WEFT_IS_SESSION (self), NULL);

  return self->directory;
}

/**
 * weft_session_get_status: (get-property status)
 * @self: a session
 *
 * Tells how far the recorder had got when it answered last.
 *
 * Returns: (transfer full): a snapshot
 *
 * Since: 0.1
 */
WeftRecorderStatus *
weft_session_get_status (WeftSession *self)
{
  WeftRecorderStatus *status;

  g_return_val_if_fail (WEFT_IS_SESSION (self), NULL);

  g_mutex_lock (&self->lock);
  status = g_object_ref (self->status);
  g_mutex_unlock (&self->lock);
  return status;
}

/**
 * weft_session_is_running: (get-property running)
 * @self: a session
 *
 * Tells whether the recorder still ran when it was asked last.
 *
 * Returns: %FALSE once its file is finished
 *
 * Since: 0.1
 */
gboolean
weft_session_is_running (WeftSession *self)
{
  gboolean running;

  g_return_val_if_fail (WEFT_IS_SESSION (self), FALSE);

  g_mutex_lock (&self->lock);
  running = self->running;
  g_mutex_unlock (&self->lock);
  return running;
}

/* ---- Life ---- */

static void
weft_session_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  WeftSession *self = WEFT_SESSION (object);

  switch (id)
    {
    case PROP_PID:
      g_value_set_int (value, self->pid);
      break;
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_COMMAND_LINE:
      g_value_set_string (value, self->command_line);
      break;
    case PROP_RUNTIME_DIRECTORY:
      g_value_set_string (value, self->directory);
      break;
    case PROP_STATUS:
      g_value_take_object (value, weft_session_get_status (self));
      break;
    case PROP_RUNNING:
      g_value_set_boolean (value, weft_session_is_running (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
weft_session_finalize (GObject *object)
{
  WeftSession *self = WEFT_SESSION (object);

  g_free (self->directory);
  g_free (self->path);
  g_free (self->command_line);
  g_clear_object (&self->status);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (weft_session_parent_class)->finalize (object);
}

static void
weft_session_class_init (WeftSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_session_get_property;
  object_class->finalize = weft_session_finalize;

  /**
   * WeftSession:pid: (getter get_pid)
   *
   * The process that records.
   *
   * Since: 0.1
   */
  properties[PROP_PID] = g_param_spec_int ("pid", NULL, NULL, 0, G_MAXINT, 0, flags);

  /**
   * WeftSession:path: (getter get_path)
   *
   * The file that is being made.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);

  /**
   * WeftSession:command-line: (getter get_command_line)
   *
   * What is being recorded; %NULL if it is whatever connects.
   *
   * Since: 0.1
   */
  properties[PROP_COMMAND_LINE] = g_param_spec_string ("command-line", NULL, NULL, NULL, flags);

  /**
   * WeftSession:runtime-directory: (getter get_runtime_directory)
   *
   * Where programs and the recorder meet.
   *
   * Since: 0.1
   */
  properties[PROP_RUNTIME_DIRECTORY] =
      g_param_spec_string ("runtime-directory", NULL, NULL, NULL, flags);

  /**
   * WeftSession:status: (getter get_status)
   *
   * How far the recorder had got when it answered last.
   *
   * Since: 0.1
   */
  properties[PROP_STATUS] =
      g_param_spec_object ("status", NULL, NULL, WEFT_TYPE_RECORDER_STATUS, flags);

  /**
   * WeftSession:running: (getter is_running)
   *
   * Whether the recorder still ran when it was asked last.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_session_init (WeftSession *self)
{
  g_mutex_init (&self->lock);
}
