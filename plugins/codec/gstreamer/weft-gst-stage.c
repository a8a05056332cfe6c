/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gst-stage.h"

#include "weft-gst-queue.h"

#include <string.h>

static GQuark pipeline_quark, element_quark, pad_quark;
static GMutex lock; /* while something is made */

void
gst_weft_stage_init (void)
{
  pipeline_quark = g_quark_from_static_string ("weft-codec-pipeline");
  element_quark = g_quark_from_static_string ("weft-codec-element");
  pad_quark = g_quark_from_static_string ("weft-codec-pad");
}

/* ---- Pipelines ---- */

static void
pipeline_unref (gpointer data)
{
  GstWeftPipeline *self = data;

  if (self == NULL || !g_atomic_ref_count_dec (&self->references))
    return;
  weft_codec_pipeline_free (self->codec);
  g_free (self);
}

/* The outermost bin that OBJECT is in. Free with gst_object_unref (). */
static GstObject *
get_toplevel (GstObject *object)
{
  GstObject *top = gst_object_ref (object), *parent;

  while ((parent = gst_object_get_parent (top)) != NULL)
    {
      gst_object_unref (top);
      top = parent;
    }
  if (GST_IS_BIN (top))
    return top;
  gst_object_unref (top);
  return NULL;
}

/* With the lock held. */
static GstWeftPipeline *
get_pipeline (GstObject *top)
{
  GstWeftPipeline *self = g_object_get_qdata (G_OBJECT (top), pipeline_quark);

  if (self != NULL)
    return self;
  self = g_new0 (GstWeftPipeline, 1);
  g_atomic_ref_count_init (&self->references);
  self->codec = weft_codec_pipeline_new (GST_OBJECT_NAME (top));
  g_object_set_qdata_full (G_OBJECT (top), pipeline_quark, self, pipeline_unref);
  return self;
}

/* With a reference; with the lock held. */
static GstWeftPipeline *
take_pipeline (GstObject *object)
{
  GstObject *top = get_toplevel (object);
  GstWeftPipeline *self;

  if (top == NULL)
    return NULL;
  self = get_pipeline (top);
  g_atomic_ref_count_inc (&self->references);
  gst_object_unref (top);
  return self;
}

WeftTargetLane *
gst_weft_get_pipeline_lane (GstObject *object)
{
  GstObject *top = get_toplevel (object);
  WeftTargetLane *lane = NULL;

  if (top == NULL)
    return NULL;
  g_mutex_lock (&lock);
  lane = weft_codec_pipeline_get_lane (get_pipeline (top)->codec);
  g_mutex_unlock (&lock);
  gst_object_unref (top);
  return lane;
}

/* ---- Elements ---- */

static const char *
get_factory_name (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL ? GST_OBJECT_NAME (factory) : NULL;
}

static bool
is_queue (GstElement *element)
{
  const char *name = get_factory_name (element);

  return name != NULL && (strcmp (name, "queue") == 0 || strcmp (name, "queue2") == 0 ||
                          strcmp (name, "multiqueue") == 0);
}

/* By what its class says that it is for. */
static const char *
get_kind (GstElement *element)
{
  static const struct
  {
    const char *word;
    const char *kind;
  } kinds[] = {
    { "Decoder", "codec.decoder" }, { "Encoder", "codec.encoder" }, { "Demux", "codec.demuxer" },
    { "Mux", "codec.muxer" },       { "Parser", "codec.parser" },   { "Source", "codec.source" },
    { "Filter", "codec.filter" },   { "Effect", "codec.filter" },   { "Converter", "codec.filter" },
  };
  const char *klass =
      gst_element_class_get_metadata (GST_ELEMENT_GET_CLASS (element), GST_ELEMENT_METADATA_KLASS);

  if (is_queue (element))
    return "codec.queue";
  if (GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SINK))
    return "codec.sink";
  for (gsize i = 0; klass != NULL && i < G_N_ELEMENTS (kinds); i++)
    if (strstr (klass, kinds[i].word) != NULL)
      return kinds[i].kind;
  return "codec.element";
}

static void
element_unref (gpointer data)
{
  GstWeftElement *self = data;

  if (self == NULL || !g_atomic_ref_count_dec (&self->references))
    return;
  weft_codec_stage_free (self->stage);
  pipeline_unref (self->pipeline);
  g_free (self);
}

void
gst_weft_element_interrupt (GstWeftElement *self)
{
  static guint last;

  __atomic_store_n (&self->epoch, __atomic_add_fetch (&last, 1, __ATOMIC_RELAXED),
                    __ATOMIC_RELAXED);
}

static GstWeftElement *
element_new (GstElement *element)
{
  GstWeftElement *self = g_new0 (GstWeftElement, 1);
  WeftCodecStageInfo info = { .name = GST_OBJECT_NAME (element),
                              .kind = get_kind (element),
                              .type = get_factory_name (element) };

  g_atomic_ref_count_init (&self->references);
  gst_weft_element_interrupt (self);
  self->pipeline = take_pipeline (GST_OBJECT (element));
  info.pipeline = self->pipeline != NULL ? self->pipeline->codec : NULL;
  self->is_sink = strcmp (info.kind, "codec.sink") == 0;
  self->is_queue = strcmp (info.kind, "codec.queue") == 0;
  self->stage = weft_codec_stage_new (&info, sizeof info);
  return self;
}

GstWeftElement *
gst_weft_element_find (GstElement *element)
{
  return g_object_get_qdata (G_OBJECT (element), element_quark);
}

GstWeftElement *
gst_weft_element_get (GstElement *element)
{
  GstWeftElement *self = gst_weft_element_find (element);

  if (self != NULL || GST_IS_BIN (element))
    return self;
  g_mutex_lock (&lock);
  self = g_object_get_qdata (G_OBJECT (element), element_quark);
  if (self == NULL)
    {
      self = element_new (element);
      g_object_set_qdata_full (G_OBJECT (element), element_quark, self, element_unref);
    }
  g_mutex_unlock (&lock);
  return self;
}

/* ---- Pads ---- */

static void
pad_free (gpointer data)
{
  GstWeftPad *self = data;

  weft_codec_thread_free (self->thread);
  gst_weft_queue_unref (self->queue);
  element_unref (self->element);
  g_free (self);
}

GstPad *
gst_weft_pad_get_counterpart (GstPad *pad)
{
  GstIterator *pads = gst_pad_iterate_internal_links (pad);
  GValue item = G_VALUE_INIT;
  GstPad *found = NULL;

  if (pads == NULL)
    return NULL;
  if (gst_iterator_next (pads, &item) == GST_ITERATOR_OK)
    found = g_value_dup_object (&item);
  if (G_IS_VALUE (&item))
    g_value_unset (&item);
  gst_iterator_free (pads);
  return found;
}

/* With the lock held; of two pads of a queue, whoever is first makes it. */
static GstWeftQueue *
take_queue (GstPad *pad, GstElement *element)
{
  GstPad *other = gst_weft_pad_get_counterpart (pad);
  GstWeftPad *known = other != NULL ? g_object_get_qdata (G_OBJECT (other), pad_quark) : NULL;
  GstWeftQueue *queue = known != NULL && known->queue != NULL ? gst_weft_queue_ref (known->queue)
                        : other != NULL                       ? gst_weft_queue_new (element)
                                                              : NULL;

  if (other != NULL)
    gst_object_unref (other);
  return queue;
}

GstWeftPad *
gst_weft_pad_find (GstPad *pad)
{
  return g_object_get_qdata (G_OBJECT (pad), pad_quark);
}

/* With the lock held. A pad may outlive the element that it belonged to. */
static GstWeftPad *
pad_new (GstPad *pad, GstElement *parent, GstWeftElement *element)
{
  GstWeftPad *self = g_new0 (GstWeftPad, 1);

  self->is_stale = 1;
  self->element = element;
  if (element != NULL)
    g_atomic_ref_count_inc (&element->references);
  if (element != NULL && element->is_queue)
    self->queue = take_queue (pad, parent);
  g_object_set_qdata_full (G_OBJECT (pad), pad_quark, self, pad_free);
  return self;
}

GstWeftPad *
gst_weft_pad_get (GstPad *pad)
{
  GstWeftPad *self = gst_weft_pad_find (pad);
  GstWeftElement *owner;
  GstElement *element;

  if (self != NULL)
    return self;
  element = gst_pad_get_parent_element (pad);
  owner = element != NULL ? gst_weft_element_get (element) : NULL;
  g_mutex_lock (&lock);
  self = gst_weft_pad_find (pad);
  if (self == NULL)
    self = pad_new (pad, element, owner);
  g_mutex_unlock (&lock);
  if (element != NULL)
    gst_object_unref (element);
  return self;
}

/* Called by the thread that pushes from PAD, of which there is one at a time. */
WeftCodecThread *
gst_weft_pad_get_thread (GstWeftPad *self, GstPad *pad)
{
  if (self->thread == NULL)
    {
      GstObject *parent = gst_object_get_parent (GST_OBJECT (pad));
      char *name = g_strdup_printf ("%s:%s", parent != NULL ? GST_OBJECT_NAME (parent) : "",
                                    GST_OBJECT_NAME (pad));

      self->thread = weft_codec_thread_new (self->element != NULL && self->element->pipeline != NULL
                                                ? self->element->pipeline->codec
                                                : NULL,
                                            name);
      g_free (name);
      if (parent != NULL)
        gst_object_unref (parent);
    }
  return self->thread;
}

void
gst_weft_pad_set_stale (GstPad *pad)
{
  GstWeftPad *self = gst_weft_pad_find (pad);

  if (self != NULL)
    g_atomic_int_set (&self->is_stale, 1);
}
