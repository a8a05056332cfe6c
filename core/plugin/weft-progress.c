/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-progress.h"

/**
 * WeftProgress:
 *
 * How far a long piece of work has come.
 *
 * The work reports from whatever thread it runs on; who waits asks at any time, or listens to
 * `notify`, which is emitted on the thread-default main context in which the object was made.
 *
 * Since: 0.1
 */
struct _WeftProgress
{
  GObject parent_instance;

  GMainContext *context;
  GMutex mutex; /* over what follows */
  double fraction;
  char *text;
  gboolean is_notifying;
};

enum
{
  PROP_0,
  PROP_FRACTION,
  PROP_TEXT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftProgress, weft_progress, G_TYPE_OBJECT)

static void
weft_progress_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftProgress *self = WEFT_PROGRESS (object);

  switch (id)
    {
    case PROP_FRACTION:
      g_value_set_double (value, weft_progress_get_fraction (self));
      break;
    case PROP_TEXT:
      g_value_take_string (value, weft_progress_dup_text (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_progress_finalize (GObject *object)
{
  WeftProgress *self = WEFT_PROGRESS (object);

  g_main_context_unref (self->context);
  g_mutex_clear (&self->mutex);
  g_free (self->text);

  G_OBJECT_CLASS (weft_progress_parent_class)->finalize (object);
}

static void
weft_progress_class_init (WeftProgressClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_progress_get_property;
  object_class->finalize = weft_progress_finalize;

  /**
   * WeftProgress:fraction:
   *
   * What is done, from 0 to 1; below 0 if it is not known.
   *
   * Since: 0.1
   */
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, -1, 1, -1, flags);
  /**
   * WeftProgress:text:
   *
   * What is being done; %NULL if not told.
   *
   * Since: 0.1
   */
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_progress_init (WeftProgress *self)
{
  self->context = g_main_context_ref_thread_default ();
  g_mutex_init (&self->mutex);
  self->fraction = -1;
}

/**
 * weft_progress_new:
 *
 * Returns: (transfer full): the progress of something that has not begun
 *
 * Since: 0.1
 */
WeftProgress *
weft_progress_new (void)
{
  return g_object_new (WEFT_TYPE_PROGRESS, NULL);
}

static gboolean
notify_in_context (gpointer data)
{
  WeftProgress *self = data;

  g_mutex_lock (&self->mutex);
  self->is_notifying = FALSE;
  g_mutex_unlock (&self->mutex);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FRACTION]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TEXT]);
  return G_SOURCE_REMOVE;
}

/**
 * weft_progress_report:
 * @self: a progress
 * @fraction: what is done, from 0 to 1; below 0 if it is not known
 * @text: (nullable): what is being done; %NULL to leave it as it is
 *
 * Tells how far the work is, from any thread. Reports that come faster than they are heard are
 * taken together.
 *
 * Since: 0.1
 */
void
weft_progress_report (WeftProgress *self, double fraction, const char *text)
{
  gboolean notify;

  g_return_if_fail (WEFT_IS_PROGRESS (self));

  g_mutex_lock (&self->mutex);
  self->fraction = fraction >= 0 ? MIN (fraction, 1) : -1;
  if (text != NULL)
    {
      g_free (self->text);
      self->text = g_strdup (text);
    }
  notify = !self->is_notifying;
  self->is_notifying = TRUE;
  g_mutex_unlock (&self->mutex);

  /* Not g_main_context_invoke (): it may notify on the thread that works. */
  if (notify)
    {
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_priority (source, G_PRIORITY_DEFAULT);
      g_source_set_callback (source, notify_in_context, g_object_ref (self), g_object_unref);
      g_source_attach (source, self->context);
    }
}

/**
 * weft_progress_get_fraction:
 * @self: a progress
 *
 * Returns: what is done, from 0 to 1; below 0 if it is not known
 *
 * Since: 0.1
 */
double
weft_progress_get_fraction (WeftProgress *self)
{
  double fraction;

  g_return_val_if_fail (WEFT_IS_PROGRESS (self), -1);

  g_mutex_lock (&self->mutex);
  fraction = self->fraction;
  g_mutex_unlock (&self->mutex);
  return fraction;
}

/**
 * weft_progress_dup_text:
 * @self: a progress
 *
 * Returns: (transfer full) (nullable): what is being done
 *
 * Since: 0.1
 */
char *
weft_progress_dup_text (WeftProgress *self)
{
  char *text;

  g_return_val_if_fail (WEFT_IS_PROGRESS (self), NULL);

  g_mutex_lock (&self->mutex);
  text = g_strdup (self->text);
  g_mutex_unlock (&self->mutex);
  return text;
}
