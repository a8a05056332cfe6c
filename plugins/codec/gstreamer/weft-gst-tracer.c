/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tracer of GStreamer: GST_TRACERS=weft in a program that uses it. It looks on, and neither sends
 * anything through pipelines nor sets anything of them.
 */
#define GST_USE_UNSTABLE_API
#define WEFT_CODEC_IMPLEMENTATION
#include "weft-codec.h"

#include <gst/gst.h>
#include <gst/gsttracer.h>

#include "weft-gst-flow.h"
#include "weft-gst-queue.h"
#include "weft-gst-stage.h"

#define MAX_CHANGES 32

typedef struct
{
  GstTracer parent;
} GstWeftTracer;

typedef struct
{
  GstTracerClass parent_class;
} GstWeftTracerClass;

static GType gst_weft_tracer_get_type (void);
G_DEFINE_TYPE (GstWeftTracer, gst_weft_tracer, GST_TYPE_TRACER)

/* ---- Buffers ---- */

static void
before_push (GObject *self, GstClockTime time, GstPad *pad, GstBuffer *buffer)
{
  gst_weft_flow_push (pad, buffer, NULL);
}

static void
before_push_list (GObject *self, GstClockTime time, GstPad *pad, GstBufferList *list)
{
  gst_weft_flow_push (pad, NULL, list);
}

static void
after_push (GObject *self, GstClockTime time, GstPad *pad, GstFlowReturn result)
{
  gst_weft_flow_pushed (pad, result);
}

static void
before_pull (GObject *self, GstClockTime time, GstPad *pad, guint64 offset, guint size)
{
  gst_weft_flow_pull (pad, offset, size);
}

static void
after_pull (GObject *self, GstClockTime time, GstPad *pad, GstBuffer *buffer, GstFlowReturn result)
{
  gst_weft_flow_pushed (pad, result);
}

/* ---- Events ---- */

static void
take_quality (GstPad *pad, GstEvent *event)
{
  GstElement *parent = gst_pad_get_parent_element (pad);
  GstWeftElement *element = parent != NULL ? gst_weft_element_get (parent) : NULL;
  GstClockTimeDiff jitter;
  gdouble proportion;

  /* Others hand on what a sink told. */
  if (element != NULL && element->is_sink)
    {
      gst_event_parse_qos (event, NULL, &proportion, &jitter, NULL);
      weft_codec_quality (element->stage, jitter, proportion);
    }
  if (parent != NULL)
    gst_object_unref (parent);
}

/* What waits in a queue behind PAD is thrown away, as it should be. */
static void
flush_queue (GstPad *pad)
{
  GstPad *peer = gst_pad_get_peer (pad);
  GstElement *parent = peer != NULL ? gst_pad_get_parent_element (peer) : NULL;
  GstWeftElement *element = parent != NULL ? gst_weft_element_get (parent) : NULL;

  if (element != NULL)
    gst_weft_element_interrupt (element);
  if (element != NULL && element->is_queue)
    {
      GstWeftPad *target = gst_weft_pad_get (peer);

      if (target->queue != NULL)
        gst_weft_queue_clear (target->queue, element->stage, false);
    }
  if (parent != NULL)
    gst_object_unref (parent);
  if (peer != NULL)
    gst_object_unref (peer);
}

static void
before_event (GObject *self, GstClockTime time, GstPad *pad, GstEvent *event)
{
  switch ((guint) GST_EVENT_TYPE (event))
    {
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
      gst_weft_pad_set_stale (pad);
      break;
    case GST_EVENT_QOS:
      if (weft_target_enabled ())
        take_quality (pad, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      if (weft_target_enabled ())
        flush_queue (pad);
      break;
    case GST_EVENT_EOS:
      if (GST_PAD_IS_SRC (pad))
        gst_weft_flow_end_stream (pad);
      break;
    default:
      break;
    }
}

static void
after_event (GObject *self, GstClockTime time, GstPad *pad, gboolean result)
{
  gst_weft_flow_stream_ended (pad);
}

/* ---- Messages ---- */

/* Bins tell of what they could not make of their elements: on their pipeline's lane. */
static void
tell_error (GstElement *poster, const WeftTargetErrorDetail *detail)
{
  GstWeftElement *element = gst_weft_element_get (poster);
  WeftTargetWarning warning = { .lane = gst_weft_get_pipeline_lane (GST_OBJECT (poster)),
                                .severity = WEFT_TARGET_SEVERITY_ERROR,
                                .code = "error",
                                .message = detail->message };

  if (element != NULL)
    weft_codec_error (element->stage, detail);
  else if (warning.lane != NULL)
    weft_target_warn (&warning);
}

static void
take_error (GstElement *poster, GstMessage *message)
{
  GError *error = NULL;
  char *debug = NULL;
  WeftTargetErrorDetail detail = { 0 };

  gst_message_parse_error (message, &error, &debug);
  if (error != NULL)
    {
      detail.name = g_quark_to_string (error->domain);
      detail.message = error->message;
      detail.cause = debug;
      tell_error (poster, &detail);
    }
  g_clear_error (&error);
  g_free (debug);
}

static void
take_warning (GstElement *poster, GstMessage *message)
{
  GstWeftElement *element = gst_weft_element_get (poster);
  GError *error = NULL;
  WeftTargetWarning warning = { .lane = element != NULL
                                            ? weft_codec_stage_get_lane (element->stage)
                                            : gst_weft_get_pipeline_lane (GST_OBJECT (poster)),
                                .severity = WEFT_TARGET_SEVERITY_WARNING,
                                .code = "warning" };

  gst_message_parse_warning (message, &error, NULL);
  if (error != NULL && warning.lane != NULL)
    {
      warning.message = error->message;
      weft_target_warn (&warning);
    }
  g_clear_error (&error);
}

/* Messages count what was thrown away in all. */
static void
take_drops (GstElement *poster, GstMessage *message)
{
  GstWeftElement *element = gst_weft_element_get (poster);
  guint64 dropped = 0, before;
  GstFormat format;

  gst_message_parse_qos_stats (message, &format, NULL, &dropped);
  if (element == NULL || format == GST_FORMAT_UNDEFINED || dropped == G_MAXUINT64)
    return;
  before = __atomic_exchange_n (&element->n_dropped, dropped, __ATOMIC_RELAXED);
  weft_codec_dropped (element->stage, dropped > before ? dropped - before : 0);
}

static void
before_message (GObject *self, GstClockTime time, GstElement *poster, GstMessage *message)
{
  /* Bins hand on what their elements posted. */
  if (!weft_target_enabled () || GST_MESSAGE_SRC (message) != GST_OBJECT (poster))
    return;
  switch ((guint) GST_MESSAGE_TYPE (message))
    {
    case GST_MESSAGE_ERROR:
      take_error (poster, message);
      break;
    case GST_MESSAGE_WARNING:
      take_warning (poster, message);
      break;
    case GST_MESSAGE_QOS:
      take_drops (poster, message);
      break;
    case GST_MESSAGE_ASYNC_DONE:
      gst_weft_flow_prerolled (poster);
      break;
    default:
      break;
    }
}

/* ---- Changes of state ---- */

typedef struct
{
  GstElement *element;
  WeftTargetSpan span;
} Change;

/* They nest: a bin changes its elements. */
static __thread Change changes[MAX_CHANGES];
static __thread guint n_changes;

static WeftTargetRoutine *
get_change_routine (GstStateChange change)
{
  static WeftTargetRoutine *routines[64];
  guint number = (guint) change % G_N_ELEMENTS (routines);
  WeftTargetRoutine *routine = __atomic_load_n (&routines[number], __ATOMIC_ACQUIRE);

  if (routine == NULL)
    {
      char *name = g_strdup_printf (
          "%s → %s", gst_element_state_get_name (GST_STATE_TRANSITION_CURRENT (change)),
          gst_element_state_get_name (GST_STATE_TRANSITION_NEXT (change)));

      routine = weft_target_routine_new (name);
      __atomic_store_n (&routines[number], routine, __ATOMIC_RELEASE);
      g_free (name);
    }
  return routine;
}

static void
before_change (GObject *self, GstClockTime time, GstElement *element, GstStateChange change)
{
  Change *entry;

  if ((n_changes == 0 && !weft_target_enabled ()) || n_changes++ >= MAX_CHANGES)
    return;
  entry = &changes[n_changes - 1];
  entry->element = element;
  entry->span = weft_target_span_begin (gst_weft_get_pipeline_lane (GST_OBJECT (element)),
                                        get_change_routine (change));
}

/* Queues are emptied, and threads stop: what comes then is not what was waited for. */
static void
stop_element (GstElement *parent, GstStateChange change)
{
  GstWeftElement *element = gst_weft_element_find (parent);

  if (element == NULL)
    return;
  gst_weft_element_interrupt (element);
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    __atomic_store_n (&element->preroll_end, weft_target_now (), __ATOMIC_RELAXED);
  if (change != GST_STATE_CHANGE_PAUSED_TO_READY || !element->is_queue)
    return;
  GST_OBJECT_LOCK (parent);
  for (GList *item = parent->sinkpads; item != NULL; item = item->next)
    {
      const GstWeftPad *pad = gst_weft_pad_find (item->data);

      if (pad != NULL && pad->queue != NULL)
        gst_weft_queue_clear (pad->queue, element->stage, false);
    }
  GST_OBJECT_UNLOCK (parent);
}

static void
tell_change (const Change *entry, GstStateChange change, GstStateChangeReturn result)
{
  const char *answer = gst_element_state_change_return_get_name (result);
  WeftTargetTag tags[] = {
    { .key = "state", .type = WEFT_TARGET_VALUE_STRING },
    { .key = "flow", .type = WEFT_TARGET_VALUE_STRING },
  };
  WeftTargetErrorDetail error = { .name = "state-change", .message = answer };
  WeftTargetDispatch dispatch = { .lane = entry->span.lane,
                                  .routine = entry->span.routine,
                                  .span = &entry->span,
                                  .label = GST_OBJECT_NAME (entry->element),
                                  .tags = tags,
                                  .n_tags = result == GST_STATE_CHANGE_SUCCESS ? 1 : 2 };

  tags[0].value.string = gst_element_state_get_name (GST_STATE_TRANSITION_NEXT (change));
  tags[1].value.string = answer;
  if (result == GST_STATE_CHANGE_FAILURE)
    {
      dispatch.status = WEFT_TARGET_ERROR;
      dispatch.error_kind = WEFT_TARGET_ERROR_EXCEPTION;
      dispatch.error = &error;
    }
  weft_target_dispatch (&dispatch);
}

static void
after_change (GObject *self, GstClockTime time, GstElement *element, GstStateChange change,
              GstStateChangeReturn result)
{
  Change *entry;

  if (n_changes == 0)
    return;
  n_changes--;
  if (n_changes >= MAX_CHANGES || changes[n_changes].element != element)
    return;
  entry = &changes[n_changes];
  stop_element (element, change);
  if (entry->span.start != 0 && entry->span.lane != NULL)
    tell_change (entry, change, result);
}

/* ---- Waits for clocks ---- */

static GstClockReturn (*chained_wait) (GstClock *clock, GstClockEntry *entry,
                                       GstClockTimeDiff *jitter);

static GstClockReturn
wait_for_clock (GstClock *clock, GstClockEntry *entry, GstClockTimeDiff *jitter)
{
  guint64 begin = weft_target_enabled () ? weft_target_now () : 0;
  GstClockReturn result = chained_wait (clock, entry, jitter);

  if (begin != 0)
    gst_weft_flow_waited (begin, weft_target_now ());
  return result;
}

/* No hook tells of them. Clocks of other types are made of this one. */
static void
watch_clocks (void)
{
  GstClockClass *klass = g_type_class_ref (GST_TYPE_SYSTEM_CLOCK);

  chained_wait = klass->wait;
  if (chained_wait != NULL)
    klass->wait = wait_for_clock;
}

/* ---- The tracer ---- */

static void
register_hooks (GstTracer *self)
{
  gst_tracing_register_hook (self, "pad-push-pre", G_CALLBACK (before_push));
  gst_tracing_register_hook (self, "pad-push-post", G_CALLBACK (after_push));
  gst_tracing_register_hook (self, "pad-push-list-pre", G_CALLBACK (before_push_list));
  gst_tracing_register_hook (self, "pad-push-list-post", G_CALLBACK (after_push));
  gst_tracing_register_hook (self, "pad-pull-range-pre", G_CALLBACK (before_pull));
  gst_tracing_register_hook (self, "pad-pull-range-post", G_CALLBACK (after_pull));
  gst_tracing_register_hook (self, "pad-push-event-pre", G_CALLBACK (before_event));
  gst_tracing_register_hook (self, "pad-push-event-post", G_CALLBACK (after_event));
  gst_tracing_register_hook (self, "element-post-message-pre", G_CALLBACK (before_message));
  gst_tracing_register_hook (self, "element-change-state-pre", G_CALLBACK (before_change));
  gst_tracing_register_hook (self, "element-change-state-post", G_CALLBACK (after_change));
}

static void
gst_weft_tracer_class_init (GstWeftTracerClass *klass)
{
}

static void
gst_weft_tracer_init (GstWeftTracer *self)
{
  static gint n_made;

  /* However often it is listed. */
  if (g_atomic_int_add (&n_made, 1) > 0)
    return;
  gst_weft_stage_init ();
  weft_target_start ();
  watch_clocks ();
  register_hooks (GST_TRACER (self));
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  return gst_tracer_register (plugin, "weft", gst_weft_tracer_get_type ());
}

#define PACKAGE "weft"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weft,
                   "Tells a recorder of Weft what elements do to each buffer", plugin_init,
                   WEFT_VERSION, "LGPL", "Weft", "Weft")
