/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recording.h"

#include "weft-enum-types.h"
#include "weft-error.h"
#include "weft-recording-private.h"

/**
 * WeftRecording:
 *
 * What was recorded: a file, finished or growing.
 *
 * A recording that is still being written is the same class; [method@Recording.refresh] takes in
 * what was flushed since, at most a second ago, and [property@Recording:follow] does so again and
 * again. Nothing is read before it is asked for.
 *
 * A recording may be asked from any thread. Its signals, and those of its lists, are emitted where
 * it is refreshed: refresh it in one thread only if there are lists of it.
 *
 * Since: 0.1
 */
struct _WeftRecording
{
  GObject parent_instance;

  GFile *file;
  GMutex lock;
  WeftStore *store; /* replaced by refresh, under LOCK */
  WeftRowOrders *orders;
  gint64 duration; /* of STORE, under LOCK; -1 until it is known */

  gboolean was_live;
  guint follow;
  GSource *tick;
  gboolean is_refreshing;
};

enum
{
  PROP_0,
  PROP_FILE,
  PROP_STATE,
  PROP_LIVE,
  PROP_DAMAGE,
  PROP_SIZE,
  PROP_START,
  PROP_START_MONOTONIC,
  PROP_DURATION,
  PROP_HOST,
  PROP_COMMAND_LINE,
  PROP_FOLLOW,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

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

gboolean
weft_recording_find_row (WeftRecording *self, WeftStore *store, WeftTableId table, guint64 id,
                         WeftPlace *place, GError **error)
{
  return weft_row_orders_find (self->orders, store, table, id, place, error);
}

GBytes *
weft_recording_get_row_order (WeftRecording *self, WeftStore *store, WeftTableId table, guint chunk)
{
  return weft_row_orders_get (self->orders, store, table, chunk);
}

static void
stop_following (WeftRecording *self)
{
  if (self->tick != NULL)
    g_source_destroy (self->tick);
  g_clear_pointer (&self->tick, g_source_unref);
}

static void
weft_recording_dispose (GObject *object)
{
  stop_following (WEFT_RECORDING (object));

  G_OBJECT_CLASS (weft_recording_parent_class)->dispose (object);
}

static void
weft_recording_finalize (GObject *object)
{
  WeftRecording *self = WEFT_RECORDING (object);

  g_clear_object (&self->file);
  g_clear_pointer (&self->store, weft_store_unref);
  weft_row_orders_free (self->orders);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (weft_recording_parent_class)->finalize (object);
}

static void
weft_recording_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftRecording *self = WEFT_RECORDING (object);

  switch (prop_id)
    {
    case PROP_FILE:
      g_value_set_object (value, self->file);
      break;
    case PROP_STATE:
      g_value_set_enum (value, (int) weft_recording_get_state (self));
      break;
    case PROP_LIVE:
      g_value_set_boolean (value, weft_recording_get_live (self));
      break;
    case PROP_DAMAGE:
      g_value_take_string (value, weft_recording_get_damage (self));
      break;
    case PROP_SIZE:
      g_value_set_uint64 (value, weft_recording_get_size (self));
      break;
    case PROP_START:
      g_value_take_boxed (value, weft_recording_get_start (self));
      break;
    case PROP_START_MONOTONIC:
      g_value_set_int64 (value, weft_recording_get_start_monotonic (self));
      break;
    case PROP_DURATION:
      g_value_set_int64 (value, weft_recording_get_duration (self));
      break;
    case PROP_HOST:
      g_value_take_string (value, weft_recording_get_host (self));
      break;
    case PROP_COMMAND_LINE:
      g_value_take_string (value, weft_recording_get_command_line (self));
      break;
    case PROP_FOLLOW:
      g_value_set_uint (value, self->follow);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
weft_recording_set_property (GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_FOLLOW:
      weft_recording_set_follow (WEFT_RECORDING (object), g_value_get_uint (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  /**
   * WeftRecording:file: (getter get_file)
   *
   * The file.
   *
   * Since: 0.1
   */
  properties[PROP_FILE] = g_param_spec_object ("file", NULL, NULL, G_TYPE_FILE, flags);

  /**
   * WeftRecording:state: (getter get_state)
   *
   * What is known of the file.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, WEFT_TYPE_RECORDING_STATE,
                                              WEFT_RECORDING_COMPLETE, flags);

  /**
   * WeftRecording:live: (getter get_live)
   *
   * Whether a recorder on this machine is writing it now.
   *
   * Since: 0.1
   */
  properties[PROP_LIVE] = g_param_spec_boolean ("live", NULL, NULL, FALSE, flags);

  /**
   * WeftRecording:damage: (getter get_damage)
   *
   * What is wrong with a damaged file, for people.
   *
   * Since: 0.1
   */
  properties[PROP_DAMAGE] = g_param_spec_string ("damage", NULL, NULL, NULL, flags);

  /**
   * WeftRecording:size: (getter get_size)
   *
   * Length of the file in bytes.
   *
   * Since: 0.1
   */
  properties[PROP_SIZE] = g_param_spec_uint64 ("size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecording:start: (getter get_start)
   *
   * When the recording began, to the microsecond.
   *
   * Since: 0.1
   */
  properties[PROP_START] = g_param_spec_boxed ("start", NULL, NULL, G_TYPE_DATE_TIME, flags);

  /**
   * WeftRecording:start-monotonic: (getter get_start_monotonic)
   *
   * When the recording began: nanoseconds of CLOCK_MONOTONIC on the machine that recorded.
   *
   * Since: 0.1
   */
  properties[PROP_START_MONOTONIC] =
      g_param_spec_int64 ("start-monotonic", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);

  /**
   * WeftRecording:duration: (getter get_duration)
   *
   * How long it is, in nanoseconds.
   *
   * Since: 0.1
   */
  properties[PROP_DURATION] = g_param_spec_int64 ("duration", NULL, NULL, 0, G_MAXINT64, 0, flags);

  /**
   * WeftRecording:host: (getter get_host)
   *
   * Name of the machine that recorded.
   *
   * Since: 0.1
   */
  properties[PROP_HOST] = g_param_spec_string ("host", NULL, NULL, NULL, flags);

  /**
   * WeftRecording:command-line: (getter get_command_line)
   *
   * The program that was recorded and its arguments.
   *
   * Since: 0.1
   */
  properties[PROP_COMMAND_LINE] = g_param_spec_string ("command-line", NULL, NULL, NULL, flags);

  /**
   * WeftRecording:follow: (getter get_follow) (setter set_follow)
   *
   * How often it refreshes itself while it is not finished, in milliseconds; 0 is never. It is 0
   * again when the recording is complete.
   *
   * Since: 0.1
   */
  properties[PROP_FOLLOW] =
      g_param_spec_uint ("follow", NULL, NULL, 0, G_MAXUINT, 0,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_recording_class_init (WeftRecordingClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = weft_recording_dispose;
  object_class->finalize = weft_recording_finalize;
  object_class->get_property = weft_recording_get_property;
  object_class->set_property = weft_recording_set_property;

  install_properties (object_class);

  /**
   * WeftRecording::changed:
   * @self: the recording
   *
   * There is more in the recording than before: it was refreshed.
   *
   * Since: 0.1
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
weft_recording_init (WeftRecording *self)
{
  g_mutex_init (&self->lock);
  self->orders = weft_row_orders_new ();
  self->duration = -1;
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
  self->was_live = weft_store_is_written (self->store);
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

/* Puts a later view in the place of the present one, if there is one and nobody was faster. */
static gboolean
take_later (WeftRecording *self, gboolean *changed, GError **error)
{
  g_autoptr (WeftStore) old = weft_recording_ref_store (self);
  GError *local = NULL;
  WeftStore *later = weft_store_refresh (old, &local);

  *changed = FALSE;
  if (later == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  if (self->store == old && later != old)
    {
      self->store = g_steal_pointer (&later);
      self->duration = -1;
      *changed = TRUE;
    }
  g_mutex_unlock (&self->lock);
  if (*changed)
    weft_store_unref (old);
  else
    weft_store_unref (later);
  return TRUE;
}

static void
tell_change (WeftRecording *self, gboolean changed)
{
  gboolean live = weft_recording_get_live (self);

  if (live != self->was_live)
    {
      self->was_live = live;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LIVE]);
    }
  if (!changed)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DAMAGE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SIZE]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DURATION]);
  g_object_thaw_notify (G_OBJECT (self));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
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
  gboolean changed;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !take_later (self, &changed, error))
    return FALSE;
  tell_change (self, changed);
  return TRUE;
}

static void
refresh_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  gboolean changed;

  if (take_later (source, &changed, &error))
    g_task_return_boolean (task, changed);
  else
    g_task_return_error (task, error);
}

/* Where it was asked for, not where it was read. DATA: the task of the caller. */
static void
on_refreshed (GObject *object, GAsyncResult *result, gpointer data)
{
  WeftRecording *self = WEFT_RECORDING (object);
  g_autoptr (GTask) task = data;
  GError *error = NULL;
  gboolean changed = g_task_propagate_boolean (G_TASK (result), &error);

  if (error != NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  tell_change (self, changed);
  g_task_return_boolean (task, TRUE);
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
  g_autoptr (GTask) reading = NULL;
  GTask *task;

  g_return_if_fail (WEFT_IS_RECORDING (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recording_refresh_async);
  reading = g_task_new (self, cancellable, on_refreshed, task);
  g_task_run_in_thread (reading, refresh_in_thread);
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

static void
on_followed (GObject *object, GAsyncResult *result, gpointer data)
{
  WeftRecording *self = WEFT_RECORDING (object);
  g_autoptr (GError) error = NULL;

  self->is_refreshing = FALSE;
  if (!weft_recording_refresh_finish (self, result, &error))
    g_debug ("Cannot follow the recording: %s", error->message);
  if (weft_recording_get_state (self) != WEFT_RECORDING_UNFINISHED)
    weft_recording_set_follow (self, 0);
}

static gboolean
on_tick (gpointer data)
{
  WeftRecording *self = data;

  if (!self->is_refreshing)
    {
      self->is_refreshing = TRUE;
      weft_recording_refresh_async (self, NULL, on_followed, NULL);
    }
  return G_SOURCE_CONTINUE;
}

/**
 * weft_recording_get_follow: (get-property follow)
 * @self: a recording
 *
 * Returns: how often it refreshes itself, in milliseconds; 0 is never
 *
 * Since: 0.1
 */
guint
weft_recording_get_follow (WeftRecording *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING (self), 0);

  return self->follow;
}

/**
 * weft_recording_set_follow: (set-property follow)
 * @self: a recording
 * @interval: milliseconds; 0 is never
 *
 * Makes the recording refresh itself, on the thread-default main context of the caller, until it
 * is complete. See [signal@Recording::changed].
 *
 * Since: 0.1
 */
void
weft_recording_set_follow (WeftRecording *self, guint interval)
{
  g_return_if_fail (WEFT_IS_RECORDING (self));

  if (weft_recording_get_state (self) != WEFT_RECORDING_UNFINISHED)
    interval = 0;
  if (interval == self->follow)
    return;
  stop_following (self);
  self->follow = interval;
  if (interval > 0)
    {
      self->tick = g_timeout_source_new (interval);
      g_source_set_static_name (self->tick, "weft-recording-follow");
      g_source_set_callback (self->tick, on_tick, self, NULL);
      g_source_attach (self->tick, g_main_context_get_thread_default ());
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FOLLOW]);
}

/**
 * weft_recording_get_file: (get-property file)
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
 * weft_recording_get_state: (get-property state)
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
 * weft_recording_get_live: (get-property live)
 * @self: a recording
 *
 * An unfinished recording that is not live ends where its recorder was killed.
 *
 * Returns: whether a recorder on this machine is writing it now
 *
 * Since: 0.1
 */
gboolean
weft_recording_get_live (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), FALSE);

  store = weft_recording_ref_store (self);
  return weft_store_is_written (store);
}

/**
 * weft_recording_get_damage: (get-property damage)
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
 * weft_recording_get_size: (get-property size)
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
 * weft_recording_get_start: (get-property start)
 * @self: a recording
 *
 * When time 0 of the recording was, to the microsecond, in UTC.
 *
 * Returns: (transfer full) (nullable): the time; %NULL if it is not known, as for imported files
 *
 * Since: 0.1
 */
GDateTime *
weft_recording_get_start (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GDateTime) second = NULL;
  gint64 start;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);

  store = weft_recording_ref_store (self);
  start = weft_store_get_start_realtime (store);
  if (start <= 0)
    return NULL;
  second = g_date_time_new_from_unix_utc (start / G_GINT64_CONSTANT (1000000000));
  return g_date_time_add (second, start % G_GINT64_CONSTANT (1000000000) / 1000);
}

/**
 * weft_recording_get_start_monotonic: (get-property start-monotonic)
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
 * weft_recording_get_duration: (get-property duration)
 * @self: a recording
 *
 * How long it is: what its recorder said or, where it said nothing (it still records, was killed,
 * or the file was imported), to the end of the last thing in it.
 *
 * Returns: nanoseconds
 *
 * Since: 0.1
 */
gint64
weft_recording_get_duration (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;
  gint64 duration;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), 0);

  g_mutex_lock (&self->lock);
  store = weft_store_ref (self->store);
  duration = self->duration;
  g_mutex_unlock (&self->lock);
  if (duration >= 0)
    return duration;
  duration = weft_recording_measure (store);
  g_mutex_lock (&self->lock);
  if (self->store == store)
    self->duration = duration;
  g_mutex_unlock (&self->lock);
  return duration;
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
