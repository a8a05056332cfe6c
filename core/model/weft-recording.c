/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recording.h"

#include "weft-error.h"
#include "weft-recording-private.h"

/**
 * WeftRecording:
 *
 * What was recorded: a file, finished or growing.
 *
 * A recording that is still being written is the same class; [method@Recording.refresh] takes in
 * what was flushed since, at most a second ago. Nothing is read before it is asked for.
 *
 * Since: 0.1
 */
struct _WeftRecording
{
  GObject parent_instance;

  GFile *file;
  GMutex lock;
  WeftStore *store; /* replaced by refresh, under LOCK */
};

G_DEFINE_FINAL_TYPE (WeftRecording, weft_recording, G_TYPE_OBJECT)

void
weft_propagate_store_error (GError **destination, GError *error)
{
  static const int codes[] = {
    [WEFT_STORE_ERROR_NOT_WEFT] = WEFT_ERROR_NOT_A_RECORDING,
    [WEFT_STORE_ERROR_TOO_NEW] = WEFT_ERROR_TOO_NEW,
    [WEFT_STORE_ERROR_DAMAGED] = WEFT_ERROR_DAMAGED,
    [WEFT_STORE_ERROR_TOO_LARGE] = WEFT_ERROR_TOO_LARGE,
    [WEFT_STORE_ERROR_NO_SUCH_ROW] = WEFT_ERROR_NO_SUCH_OBJECT,
  };

  if (error->domain == WEFT_STORE_ERROR)
    {
      error->domain = WEFT_ERROR;
      error->code = codes[error->code];
    }
  g_propagate_error (destination, error);
}

WeftStore *
weft_recording_ref_store (WeftRecording *self)
{
  WeftStore *store;

  g_mutex_lock (&self->lock);
  store = weft_store_ref (self->store);
  g_mutex_unlock (&self->lock);
  return store;
}

static void
weft_recording_finalize (GObject *object)
{
  WeftRecording *self = WEFT_RECORDING (object);

  g_clear_object (&self->file);
  g_clear_pointer (&self->store, weft_store_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (weft_recording_parent_class)->finalize (object);
}

static void
weft_recording_class_init (WeftRecordingClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_recording_finalize;
}

static void
weft_recording_init (WeftRecording *self)
{
  g_mutex_init (&self->lock);
}

/**
 * weft_recording_open:
 * @file: a local file
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Opens a recording by its index, or, if it is still growing, by its chunks; in a time that does
 * not depend on its size. A damaged file is opened as far as it is intact: see
 * [method@Recording.get_damage].
 *
 * Returns: (transfer full): the recording
 *
 * Since: 0.1
 */
WeftRecording *
weft_recording_open (GFile *file, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (WeftRecording) self = NULL;
  GError *local = NULL;

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  path = g_file_get_path (file);
  if (path == NULL)
    {
      g_autofree char *uri = g_file_get_uri (file);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "“%s” is no local file: copy it here first", uri);
      return NULL;
    }
  self = g_object_new (WEFT_TYPE_RECORDING, NULL);
  self->file = g_object_ref (file);
  self->store = weft_store_open (path, &local);
  if (self->store == NULL)
    {
      weft_propagate_store_error (error, local);
      return NULL;
    }
  return g_steal_pointer (&self);
}

static void
open_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  WeftRecording *self = weft_recording_open (data, cancellable, &error);

  if (self != NULL)
    g_task_return_pointer (task, self, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recording_open_async:
 * @file: a local file
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is open
 * @user_data: for @callback
 *
 * Opens a recording without blocking; see [func@Recording.open].
 *
 * Since: 0.1
 */
void
weft_recording_open_async (GFile *file, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_return_if_fail (G_IS_FILE (file));

  g_task_set_source_tag (task, weft_recording_open_async);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  g_task_run_in_thread (task, open_in_thread);
}

/**
 * weft_recording_open_finish:
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [func@Recording.open_async] began.
 *
 * Returns: (transfer full): the recording
 *
 * Since: 0.1
 */
WeftRecording *
weft_recording_open_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * weft_recording_refresh:
 * @self: a recording
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Takes in what was written since it was opened or refreshed. Objects and tables made before keep
 * what they say.
 *
 * Returns: whether it could be read
 *
 * Since: 0.1
 */
gboolean
weft_recording_refresh (WeftRecording *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftStore) old = NULL;
  WeftStore *fresh;
  GError *local = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  old = weft_recording_ref_store (self);
  fresh = weft_store_refresh (old, &local);
  if (fresh == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  weft_store_unref (self->store);
  self->store = fresh;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
refresh_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (weft_recording_refresh (source, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recording_refresh_async:
 * @self: a recording
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for @callback
 *
 * Does what [method@Recording.refresh] does without blocking.
 *
 * Since: 0.1
 */
void
weft_recording_refresh_async (WeftRecording *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (WEFT_IS_RECORDING (self));

  g_task_set_source_tag (task, weft_recording_refresh_async);
  g_task_run_in_thread (task, refresh_in_thread);
}

/**
 * weft_recording_refresh_finish:
 * @self: a recording
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Recording.refresh_async] began.
 *
 * Returns: whether it could be read
 *
 * Since: 0.1
 */
gboolean
weft_recording_refresh_finish (WeftRecording *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * weft_recording_get_file:
 * @self: a recording
 *
 * Returns: (transfer none): the file
 *
 * Since: 0.1
 */
GFile *
weft_recording_get_file (WeftRecording *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);

  return self->file;
}

/**
 * weft_recording_get_state:
 * @self: a recording
 *
 * Returns: what is known of the file
 *
 * Since: 0.1
 */
WeftRecordingState
weft_recording_get_state (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), WEFT_RECORDING_DAMAGED);

  store = weft_recording_ref_store (self);
  switch (weft_store_get_state (store))
    {
    case WEFT_STORE_COMPLETE:
      return WEFT_RECORDING_COMPLETE;
    case WEFT_STORE_GROWING:
      return WEFT_RECORDING_UNFINISHED;
    default:
      return WEFT_RECORDING_DAMAGED;
    }
}

/**
 * weft_recording_get_damage:
 * @self: a recording
 *
 * Returns: (transfer full) (nullable): what is wrong with a damaged file, for people
 *
 * Since: 0.1
 */
char *
weft_recording_get_damage (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);

  store = weft_recording_ref_store (self);
  return g_strdup (weft_store_get_damage (store));
}

/**
 * weft_recording_get_size:
 * @self: a recording
 *
 * Returns: length of the file in bytes
 *
 * Since: 0.1
 */
guint64
weft_recording_get_size (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), 0);

  store = weft_recording_ref_store (self);
  return weft_store_get_file_size (store);
}

/**
 * weft_recording_get_start_monotonic:
 * @self: a recording
 *
 * When time 0 of the recording was.
 *
 * Returns: nanoseconds of CLOCK_MONOTONIC on the machine that recorded
 *
 * Since: 0.1
 */
gint64
weft_recording_get_start_monotonic (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), 0);

  store = weft_recording_ref_store (self);
  return weft_store_get_start_monotonic (store);
}

/**
 * weft_recording_get_n_rows:
 * @self: a recording
 * @table: name of a table, such as `dispatches`
 *
 * Returns: the number of its rows; 0 if there is no such table
 *
 * Since: 0.1
 */
guint64
weft_recording_get_n_rows (WeftRecording *self, const char *table)
{
  g_autoptr (WeftStore) store = NULL;
  WeftTableId id;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), 0);
  g_return_val_if_fail (table != NULL, 0);

  id = weft_model_find_table (table);
  store = weft_recording_ref_store (self);
  return id == WEFT_N_TABLES ? 0 : weft_store_get_n_rows (store, id);
}
