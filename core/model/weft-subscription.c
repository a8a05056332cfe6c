/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-subscription.h"

#include "weft-batch-private.h"
#include "weft-enum-types.h"
#include "weft-error.h"

#define INTERVAL_MS 200
#define DEFAULT_BOUND 1000000

/**
 * WeftSubscription:
 *
 * Events of a recording, one after the other, as they come: dispatches, metrics, traces, warnings.
 *
 * Of a recording that is still being written, in this process or another, a subscription delivers
 * what was flushed, at most about a second after it happened, and waits when there is no more. Of
 * one that is not, it delivers all there is. It begins at the beginning, unless told to
 * [method@Subscription.skip].
 *
 * Every subscription has a cursor of its own into the recording, so a slow reader, or one that
 * stops reading, keeps nobody waiting and fills no memory. A reader that falls further behind a
 * growing recording than [property@Subscription:bound] goes on that many rows before the end, and
 * its next batch says how many it missed.
 *
 * Since: 0.1
 */
struct _WeftSubscription
{
  GObject parent_instance;

  WeftRecording *recording;
  WeftEventKinds kinds;
  guint64 bound;

  /* The view and the cursors belong to whoever reads, one at a time. */
  gint is_reading; /* atomic */
  WeftStore *store;
  guint64 next[WEFT_N_EVENT_KINDS];   /* number of the row to be delivered next */
  guint64 missed[WEFT_N_EVENT_KINDS]; /* since the last batch */
  GMutex lock;                        /* of TOTAL_MISSED and BOUND */
  guint64 total_missed;
};

enum
{
  PROP_0,
  PROP_RECORDING,
  PROP_KINDS,
  PROP_BOUND,
  PROP_MISSED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftSubscription, weft_subscription, G_TYPE_OBJECT)

/* ---- Reading ---- */

/* The number after that of the last row. */
static guint64
end_of_table (WeftStore *store, WeftTableId table)
{
  guint n_chunks = weft_store_get_n_chunks (store, table);
  WeftChunkInfo last;

  if (n_chunks == 0)
    return 1;
  weft_store_get_chunk (store, table, n_chunks - 1, &last);
  return last.first_row + last.n_rows;
}

/* The first chunk that ends behind a row. */
static guint
find_chunk (WeftStore *store, WeftTableId table, guint64 row)
{
  guint low = 0;
  guint high = weft_store_get_n_chunks (store, table);

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      WeftChunkInfo info;

      weft_store_get_chunk (store, table, middle, &info);
      if (info.first_row + info.n_rows <= row)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
miss_rows (WeftSubscription *self, guint kind, guint64 until)
{
  guint64 n = until - self->next[kind];

  self->missed[kind] += n;
  self->next[kind] = until;
  g_mutex_lock (&self->lock);
  self->total_missed += n;
  g_mutex_unlock (&self->lock);
}

/* At most MAX rows of a kind from its cursor on. */
static GArray *
take_rows (WeftSubscription *self, guint kind, guint max)
{
  WeftTableId table = weft_event_table (kind);
  GArray *places = g_array_new (FALSE, FALSE, sizeof (WeftPlace));

  for (guint chunk = find_chunk (self->store, table, self->next[kind]);
       chunk < weft_store_get_n_chunks (self->store, table) && places->len < max; chunk++)
    {
      g_autoptr (GBytes) order =
          weft_recording_get_row_order (self->recording, self->store, table, chunk);
      const guint16 *rows = order ? g_bytes_get_data (order, NULL) : NULL;
      WeftChunkInfo info;

      weft_store_get_chunk (self->store, table, chunk, &info);
      if (info.first_row > self->next[kind])
        miss_rows (self, kind, info.first_row);
      while (self->next[kind] < info.first_row + info.n_rows && places->len < max)
        {
          guint at = (guint) (self->next[kind] - info.first_row);
          const WeftPlace place = { .number = self->next[kind]++,
                                    .chunk = chunk,
                                    .row = rows ? rows[at] : at };

          g_array_append_val (places, place);
        }
    }
  return places;
}

static void
keep_bound (WeftSubscription *self, guint kind)
{
  guint64 end = end_of_table (self->store, weft_event_table (kind));
  guint64 bound = weft_subscription_get_bound (self);

  if (bound > 0 && weft_store_get_state (self->store) == WEFT_STORE_GROWING &&
      end > self->next[kind] && end - self->next[kind] > bound)
    miss_rows (self, kind, end - bound);
}

/* Every kind gets its share of the rows, and what those before it left. */
static WeftBatch *
take_batch (WeftSubscription *self, guint max_rows)
{
  g_autoptr (WeftBatch) batch = weft_batch_new (self->recording, self->store);
  guint n_kinds = 0;
  guint left = max_rows;

  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    n_kinds += (self->kinds >> i) & 1;
  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    {
      GArray *places;

      if (!(self->kinds & 1u << i))
        continue;
      keep_bound (self, i);
      places = take_rows (self, i, (left + n_kinds - 1) / n_kinds);
      left -= places->len;
      n_kinds--;
      weft_batch_take_rows (batch, i, places, self->missed[i]);
    }
  if (weft_batch_get_n_rows (batch, self->kinds) == 0)
    return NULL;
  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    self->missed[i] = 0;
  return g_steal_pointer (&batch);
}

/* What is there now. FALSE with an error; BATCH is NULL if there is nothing, ENDED if there will be
 * nothing more.
 */
static gboolean
read_now (WeftSubscription *self, guint max_rows, WeftBatch **batch, gboolean *ended,
          GError **error)
{
  /* Asked before looking for more: a writer that is gone by then has written everything. */
  gboolean is_written = weft_store_is_written (self->store);
  GError *local = NULL;
  WeftStore *later = weft_store_refresh (self->store, &local);

  if (later == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  weft_store_unref (self->store);
  self->store = later;
  *batch = take_batch (self, max_rows);
  *ended =
      *batch == NULL && (!is_written || weft_store_get_state (self->store) != WEFT_STORE_GROWING);
  return TRUE;
}

static gboolean
begin_reading (WeftSubscription *self, GError **error)
{
  if (g_atomic_int_compare_and_exchange (&self->is_reading, FALSE, TRUE))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_PENDING,
               "The subscription is being read already: wait for that batch, or make another "
               "subscription");
  return FALSE;
}

static void
end_reading (WeftSubscription *self)
{
  g_atomic_int_set (&self->is_reading, FALSE);
}

static void
wait_a_little (GCancellable *cancellable)
{
  GPollFD poll;

  if (!g_cancellable_make_pollfd (cancellable, &poll))
    {
      g_usleep (INTERVAL_MS * 1000);
      return;
    }
  g_poll (&poll, 1, INTERVAL_MS);
  g_cancellable_release_fd (cancellable);
}

/**
 * weft_subscription_read:
 * @self: a subscription
 * @max_rows: how many rows to deliver at most, of all kinds together
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Waits until there is something new, and delivers it. One read at a time; others fail with
 * %G_IO_ERROR_PENDING.
 *
 * Returns: (transfer full) (nullable): what is new, or %NULL without an error if the recording has
 *   ended and everything was delivered
 *
 * Since: 0.1
 */
WeftBatch *
weft_subscription_read (WeftSubscription *self, guint max_rows, GCancellable *cancellable,
                        GError **error)
{
  WeftBatch *batch = NULL;
  gboolean ended = FALSE;

  g_return_val_if_fail (WEFT_IS_SUBSCRIPTION (self), NULL);
  g_return_val_if_fail (max_rows > 0, NULL);

  if (!begin_reading (self, error))
    return NULL;
  while (!g_cancellable_set_error_if_cancelled (cancellable, error) &&
         read_now (self, max_rows, &batch, &ended, error) && batch == NULL && !ended)
    wait_a_little (cancellable);
  end_reading (self);
  return batch;
}

static void
return_batch (GTask *task, WeftBatch *batch)
{
  end_reading (g_task_get_source_object (task));
  g_task_return_pointer (task, batch, g_object_unref);
}

static void
return_error (GTask *task, GError *error)
{
  end_reading (g_task_get_source_object (task));
  g_task_return_error (task, error);
}

static void read_again (GTask *task);

static gboolean
on_time (gpointer data)
{
  GTask *task = data;

  read_again (task);
  return G_SOURCE_REMOVE;
}

/* Wakes up where the read was asked for; at once if it is called off. */
static void
read_later (GTask *task)
{
  g_autoptr (GSource) source = g_timeout_source_new (INTERVAL_MS);
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }
  g_source_set_static_name (source, "weft-subscription");
  g_source_set_callback (source, on_time, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static void
read_in_thread (GTask *reading, gpointer source, gpointer data, GCancellable *cancellable)
{
  WeftBatch *batch = NULL;
  gboolean ended = FALSE;
  GError *error = NULL;

  if (!read_now (source, GPOINTER_TO_UINT (data), &batch, &ended, &error))
    g_task_return_error (reading, error);
  else if (batch != NULL)
    g_task_return_pointer (reading, batch, g_object_unref);
  else if (ended)
    g_task_return_pointer (reading, NULL, NULL);
  else
    g_task_return_new_error (reading, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Nothing is new");
}

/* DATA: the caller's task. */
static void
on_read (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GError) error = NULL;
  WeftBatch *batch = g_task_propagate_pointer (G_TASK (result), &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    read_later (task);
  else if (error != NULL)
    return_error (task, g_steal_pointer (&error));
  else
    return_batch (task, batch);
}

static void
read_again (GTask *task)
{
  g_autoptr (GTask) reading = NULL;
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task), &error))
    {
      return_error (task, error);
      return;
    }
  reading = g_task_new (g_task_get_source_object (task), NULL, on_read, g_object_ref (task));
  g_task_set_task_data (reading, g_task_get_task_data (task), NULL);
  g_task_run_in_thread (reading, read_in_thread);
}

/**
 * weft_subscription_read_async:
 * @self: a subscription
 * @max_rows: how many rows to deliver at most, of all kinds together
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when there is something new
 * @user_data: for @callback
 *
 * Does what [method@Subscription.read] does without blocking.
 *
 * Since: 0.1
 */
void
weft_subscription_read_async (WeftSubscription *self, guint max_rows, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (WEFT_IS_SUBSCRIPTION (self));
  g_return_if_fail (max_rows > 0);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_subscription_read_async);
  g_task_set_task_data (task, GUINT_TO_POINTER (max_rows), NULL);
  /* A batch that was taken is delivered, even if it is called off meanwhile: it would be lost. */
  g_task_set_check_cancellable (task, FALSE);
  if (begin_reading (self, &error))
    read_again (task);
  else
    g_task_return_error (task, error);
}

/**
 * weft_subscription_read_finish:
 * @self: a subscription
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Subscription.read_async] began.
 *
 * Returns: (transfer full) (nullable): what is new, or %NULL without an error if the recording has
 *   ended and everything was delivered
 *
 * Since: 0.1
 */
WeftBatch *
weft_subscription_read_finish (WeftSubscription *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- The subscription ---- */

static void
weft_subscription_finalize (GObject *object)
{
  WeftSubscription *self = WEFT_SUBSCRIPTION (object);

  g_clear_pointer (&self->store, weft_store_unref);
  g_clear_object (&self->recording);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (weft_subscription_parent_class)->finalize (object);
}

static void
weft_subscription_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftSubscription *self = WEFT_SUBSCRIPTION (object);

  switch (prop_id)
    {
    case PROP_RECORDING:
      g_value_set_object (value, self->recording);
      break;
    case PROP_KINDS:
      g_value_set_flags (value, self->kinds);
      break;
    case PROP_BOUND:
      g_value_set_uint64 (value, weft_subscription_get_bound (self));
      break;
    case PROP_MISSED:
      g_value_set_uint64 (value, weft_subscription_get_missed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
weft_subscription_set_property (GObject *object, guint prop_id, const GValue *value,
                                GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_BOUND:
      weft_subscription_set_bound (WEFT_SUBSCRIPTION (object), g_value_get_uint64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
weft_subscription_class_init (WeftSubscriptionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = weft_subscription_finalize;
  object_class->get_property = weft_subscription_get_property;
  object_class->set_property = weft_subscription_set_property;

  /**
   * WeftSubscription:recording: (getter get_recording)
   *
   * The recording whose events it delivers.
   *
   * Since: 0.1
   */
  properties[PROP_RECORDING] =
      g_param_spec_object ("recording", NULL, NULL, WEFT_TYPE_RECORDING, flags);

  /**
   * WeftSubscription:kinds: (getter get_kinds)
   *
   * What it delivers.
   *
   * Since: 0.1
   */
  properties[PROP_KINDS] =
      g_param_spec_flags ("kinds", NULL, NULL, WEFT_TYPE_EVENT_KINDS, 0, flags);

  /**
   * WeftSubscription:bound: (getter get_bound) (setter set_bound)
   *
   * How many rows of a kind the reader may be behind while the recording grows; 0 is any number.
   *
   * Since: 0.1
   */
  properties[PROP_BOUND] = g_param_spec_uint64 ("bound", NULL, NULL, 0, G_MAXUINT64, DEFAULT_BOUND,
                                                flags | G_PARAM_WRITABLE);

  /**
   * WeftSubscription:missed: (getter get_missed)
   *
   * How many rows were not delivered, in all.
   *
   * Since: 0.1
   */
  properties[PROP_MISSED] = g_param_spec_uint64 ("missed", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_subscription_init (WeftSubscription *self)
{
  g_mutex_init (&self->lock);
  self->bound = DEFAULT_BOUND;
  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    self->next[i] = 1;
}

/**
 * weft_subscription_new:
 * @recording: a recording
 * @kinds: what to deliver
 *
 * Returns: (transfer full): a subscription that begins at the beginning of the recording
 *
 * Since: 0.1
 */
WeftSubscription *
weft_subscription_new (WeftRecording *recording, WeftEventKinds kinds)
{
  WeftSubscription *self;

  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  self = g_object_new (WEFT_TYPE_SUBSCRIPTION, NULL);
  self->recording = g_object_ref (recording);
  self->store = weft_recording_ref_store (recording);
  self->kinds = kinds & ((1u << WEFT_N_EVENT_KINDS) - 1);
  return self;
}

/**
 * weft_subscription_get_recording: (get-property recording)
 * @self: a subscription
 *
 * Returns: (transfer none): the recording whose events it delivers
 *
 * Since: 0.1
 */
WeftRecording *
weft_subscription_get_recording (WeftSubscription *self)
{
  g_return_val_if_fail (WEFT_IS_SUBSCRIPTION (self), NULL);

  return self->recording;
}

/**
 * weft_subscription_get_kinds: (get-property kinds)
 * @self: a subscription
 *
 * Returns: what it delivers
 *
 * Since: 0.1
 */
WeftEventKinds
weft_subscription_get_kinds (WeftSubscription *self)
{
  g_return_val_if_fail (WEFT_IS_SUBSCRIPTION (self), 0);

  return self->kinds;
}

/**
 * weft_subscription_get_bound: (get-property bound)
 * @self: a subscription
 *
 * Returns: how many rows of a kind the reader may be behind while the recording grows; 0 is any
 *   number
 *
 * Since: 0.1
 */
guint64
weft_subscription_get_bound (WeftSubscription *self)
{
  guint64 bound;

  g_return_val_if_fail (WEFT_IS_SUBSCRIPTION (self), 0);

  g_mutex_lock (&self->lock);
  bound = self->bound;
  g_mutex_unlock (&self->lock);
  return bound;
}

/**
 * weft_subscription_set_bound: (set-property bound)
 * @self: a subscription
 * @bound: rows of a kind; 0 is any number
 *
 * Sets how far the reader may be behind while the recording grows. A recording that is finished is
 * delivered whole.
 *
 * Since: 0.1
 */
void
weft_subscription_set_bound (WeftSubscription *self, guint64 bound)
{
  gboolean changed;

  g_return_if_fail (WEFT_IS_SUBSCRIPTION (self));

  g_mutex_lock (&self->lock);
  changed = self->bound != bound;
  self->bound = bound;
  g_mutex_unlock (&self->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BOUND]);
}

/**
 * weft_subscription_get_missed: (get-property missed)
 * @self: a subscription
 *
 * Returns: how many rows were not delivered, in all; see [method@Batch.get_missed]
 *
 * Since: 0.1
 */
guint64
weft_subscription_get_missed (WeftSubscription *self)
{
  guint64 missed;

  g_return_val_if_fail (WEFT_IS_SUBSCRIPTION (self), 0);

  g_mutex_lock (&self->lock);
  missed = self->total_missed;
  g_mutex_unlock (&self->lock);
  return missed;
}

/**
 * weft_subscription_skip:
 * @self: a subscription
 *
 * Passes over what its recording held when it was refreshed last: only what is newer will be
 * delivered, and nothing counts as missed. Does nothing while it is being read.
 *
 * Since: 0.1
 */
void
weft_subscription_skip (WeftSubscription *self)
{
  g_autoptr (WeftStore) store = NULL;

  g_return_if_fail (WEFT_IS_SUBSCRIPTION (self));

  if (!begin_reading (self, NULL))
    return;
  store = weft_recording_ref_store (self->recording);
  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    self->next[i] = MAX (self->next[i], end_of_table (store, weft_event_table (i)));
  end_reading (self);
}
