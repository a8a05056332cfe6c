/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A push calls the next element's function, which may push in turn: each thread has a stack of
 * them. What a thread does outside of its outermost push is the work of the element that it belongs
 * to, which makes the next frame.
 */

#include "weft-gst-flow.h"

#include <stdlib.h>

#include "weft-gst-frame.h"
#include "weft-gst-queue.h"

#define MAX_DEPTH 64

typedef struct
{
  GstPad *pad;
  GstWeftElement *element; /* that works; NULL: a bin's border, or nothing */
  GstWeftPad *target;      /* sink pad of a queue, which has a reference */
  GstPad *target_pad;
  guint64 number; /* in the queue */
  guint64 begin;
  bool is_event;
  WeftCodecFrame frame;
} Call;

/* Who pushed outermost, and when that was over. */
typedef struct
{
  guint depth;
  GstWeftElement *driver; /* only to be compared */
  guint epoch;
  guint64 done;
  WeftCodecThread *run;
  Call calls[MAX_DEPTH];
} Thread;

static __thread Thread *thread;

static void
thread_free (gpointer data)
{
  thread = NULL;
  free (data);
}

static GPrivate thread_key = G_PRIVATE_INIT (thread_free);

/* Whether there is anything to be seen by: a push that began unseen ends unseen. */
static bool
is_watched (void)
{
  if (thread != NULL && thread->depth > 0)
    return true;
  if (!weft_target_enabled ())
    {
      if (thread != NULL)
        thread->driver = NULL;
      return false;
    }
  if (thread == NULL)
    {
      thread = calloc (1, sizeof *thread);
      g_private_set (&thread_key, thread);
    }
  return thread != NULL;
}

static Call *
enter (GstPad *pad)
{
  Call *call;

  if (thread->depth++ >= MAX_DEPTH)
    return NULL;
  call = &thread->calls[thread->depth - 1];
  call->pad = pad;
  call->element = NULL;
  call->target = NULL;
  call->is_event = false;
  call->begin = weft_target_now ();
  return call;
}

/* NULL if it began unseen. */
static Call *
leave (GstPad *pad)
{
  Call *call;

  if (thread == NULL || thread->depth == 0)
    return NULL;
  thread->depth--;
  if (thread->depth >= MAX_DEPTH)
    return NULL;
  call = &thread->calls[thread->depth];
  return call->pad == pad ? call : NULL;
}

/* When the work began that ends now; 0 if that is not known. */
static guint64
get_idle_since (const GstWeftElement *element)
{
  return thread->driver == element &&
                 thread->epoch == __atomic_load_n (&element->epoch, __ATOMIC_RELAXED)
             ? thread->done
             : 0;
}

static guint64
get_work_since (GstWeftElement *element)
{
  guint64 since = get_idle_since (element);

  return since != 0 ? MAX (since, __atomic_load_n (&element->last_input, __ATOMIC_RELAXED)) : 0;
}

/* Where CALL is the outermost, the thread belongs to the element of PAD, which SELF is. */
static void
begin_run (GstWeftPad *self, GstPad *pad, const Call *call)
{
  if (thread->depth > 1)
    return;
  thread->driver = self->element;
  if (self->element != NULL)
    thread->epoch = __atomic_load_n (&self->element->epoch, __ATOMIC_RELAXED);
  thread->run = gst_weft_pad_get_thread (self, pad);
  weft_codec_run_begin (thread->run, &call->frame);
}

/* ---- Pushes ---- */

/* The frame comes out of the element that SOURCE belongs to. */
static void
come_out (GstWeftPad *source, Call *call, gconstpointer item)
{
  GstWeftElement *element = source->element;
  guint64 known = __atomic_load_n (&element->sources, __ATOMIC_RELAXED);
  bool is_outermost = thread->depth == 1;

  call->frame.sources = known;
  if (source->queue != NULL)
    gst_weft_queue_pop (source->queue, element->stage, item, &call->frame,
                        is_outermost ? get_idle_since (element) : 0);
  else if (is_outermost)
    weft_codec_made (element->stage, &call->frame, get_work_since (element));
  else if (known == 0)
    weft_codec_depart (element->stage, &call->frame);
  weft_codec_put_out (element->stage, call->frame.n_frames);
  if (known == 0)
    call->frame.sources = weft_codec_stage_get_source (element->stage);
}

static void
go_in (GstWeftElement *element, Call *call)
{
  __atomic_fetch_or (&element->sources, call->frame.sources, __ATOMIC_RELAXED);
  __atomic_store_n (&element->last_input, call->begin, __ATOMIC_RELAXED);
  call->element = element;
  weft_codec_begin (element->stage, &call->frame);
}

/* To the other side of the link: an element, a queue, or through the border of a bin. */
static void
go_on (GstPad *pad, Call *call, gconstpointer item)
{
  GstPad *peer = gst_pad_get_peer (pad);
  GstElement *parent =
      peer != NULL && !GST_IS_PROXY_PAD (peer) ? gst_pad_get_parent_element (peer) : NULL;
  GstWeftElement *element = parent != NULL ? gst_weft_element_get (parent) : NULL;

  if (element != NULL && (call->frame.n_frames > 0 || !element->is_queue))
    {
      if (element->is_queue)
        {
          call->target = gst_weft_pad_get (peer);
          call->target_pad = gst_object_ref (peer);
        }
      if (call->target != NULL && call->target->queue != NULL)
        {
          __atomic_fetch_or (&element->sources, call->frame.sources, __ATOMIC_RELAXED);
          call->number =
              gst_weft_queue_push (call->target->queue, element->stage, item, &call->frame);
        }
      else
        go_in (element, call);
    }
  if (parent != NULL)
    gst_object_unref (parent);
  if (peer != NULL)
    gst_object_unref (peer);
}

void
gst_weft_flow_push (GstPad *pad, GstBuffer *buffer, GstBufferList *list)
{
  gconstpointer item = list != NULL ? (gconstpointer) list : (gconstpointer) buffer;
  GstWeftPad *source;
  Call *call;

  if (!is_watched ())
    return;
  call = enter (pad);
  if (call == NULL)
    return;
  source = gst_weft_pad_get (pad);
  /* At the border of a bin the frame is the one that came to it. */
  if (GST_IS_PROXY_PAD (pad) && thread->depth > 1)
    call->frame = thread->calls[thread->depth - 2].frame;
  else
    gst_weft_frame_fill (&call->frame, source, pad, buffer, list);
  if (source->element != NULL)
    come_out (source, call, item);
  begin_run (source, pad, call);
  go_on (pad, call, item);
}

/* ---- Preroll ---- */

/* The time from the end of its change to paused to that of its change to playing. */
static void
tell_preroll (GstWeftElement *element)
{
  guint64 begin = __atomic_exchange_n (&element->preroll_begin, 0, __ATOMIC_RELAXED);
  guint64 end = __atomic_exchange_n (&element->preroll_end, 0, __ATOMIC_RELAXED);

  if (begin != 0 && end > begin)
    weft_codec_wait (WEFT_CODEC_WAIT_PREROLL, begin, end);
}

void
gst_weft_flow_prerolled (GstElement *element)
{
  GstWeftElement *self = gst_weft_element_find (element);

  if (self == NULL || thread == NULL || thread->depth == 0 || thread->depth > MAX_DEPTH ||
      thread->calls[thread->depth - 1].element != self)
    return;
  __atomic_store_n (&self->preroll_end, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->preroll_begin, weft_target_now (), __ATOMIC_RELAXED);
}

void
gst_weft_flow_waited (guint64 begin, guint64 end)
{
  GstWeftElement *element;

  if (thread == NULL)
    return;
  if (thread->depth == 0)
    {
      /* What makes frames waited until it was time to make one. */
      thread->done = end;
      return;
    }
  element = thread->depth <= MAX_DEPTH ? thread->calls[thread->depth - 1].element : NULL;
  if (element != NULL)
    tell_preroll (element);
  weft_codec_wait (WEFT_CODEC_WAIT_CLOCK, begin, end);
}

/* ---- Their ends ---- */

static WeftCodecOutcome
get_outcome (GstFlowReturn result)
{
  if (result >= GST_FLOW_OK || result == GST_FLOW_EOS)
    return WEFT_CODEC_DONE;
  return result == GST_FLOW_FLUSHING ? WEFT_CODEC_CANCELED : WEFT_CODEC_FAILED;
}

static void
end_call (Call *call, GstFlowReturn result)
{
  const char *flow = result >= GST_FLOW_OK ? NULL : gst_flow_get_name (result);

  if (call->element != NULL)
    {
      tell_preroll (call->element);
      weft_codec_end (call->element->stage, get_outcome (result), flow);
    }
  else if (call->target != NULL && call->target->queue != NULL)
    {
      GstElement *parent = gst_pad_get_parent_element (call->target_pad);

      if (parent != NULL)
        {
          gst_weft_queue_pushed (call->target->queue, call->target->element->stage, parent,
                                 call->number, call->begin, result);
          gst_object_unref (parent);
        }
    }
  if (call->target != NULL)
    gst_object_unref (call->target_pad);
}

static void
end_run (void)
{
  if (thread->depth > 0)
    return;
  weft_codec_run_end (thread->run);
  thread->run = NULL;
  thread->done = weft_target_now ();
}

void
gst_weft_flow_pushed (GstPad *pad, GstFlowReturn result)
{
  Call *call = leave (pad);

  if (call == NULL)
    return;
  end_call (call, result);
  end_run ();
}

/* ---- Pulls: the element before works, on the thread of the one that pulls ---- */

void
gst_weft_flow_pull (GstPad *pad, guint64 offset, guint size)
{
  static const WeftCodecFrame nothing = WEFT_CODEC_FRAME;
  GstWeftPad *puller;
  Call *call;

  if (!is_watched ())
    return;
  call = enter (pad);
  if (call == NULL)
    return;
  puller = gst_weft_pad_get (pad);
  call->frame = nothing;
  call->frame.size = size;
  if (thread->depth == 1 && puller->element != NULL)
    weft_codec_worked (puller->element->stage, get_idle_since (puller->element));
  begin_run (puller, pad, call);
  go_on (pad, call, NULL);
}

/* ---- The end of the stream: elements give out what they still have ---- */

void
gst_weft_flow_end_stream (GstPad *pad)
{
  static const WeftCodecFrame nothing = WEFT_CODEC_FRAME;
  GstWeftPad *source;
  Call *call;

  if (!is_watched ())
    return;
  call = enter (pad);
  if (call == NULL)
    return;
  source = gst_weft_pad_get (pad);
  call->is_event = true;
  call->frame = nothing;
  call->frame.n_frames = 0;
  /* It leaves a queue last: what did not come out before was thrown away. */
  if (source->queue != NULL && source->element != NULL)
    gst_weft_queue_clear (source->queue, source->element->stage, true);
  begin_run (source, pad, call);
  go_on (pad, call, NULL);
}

void
gst_weft_flow_stream_ended (GstPad *pad)
{
  const Call *call = thread != NULL && thread->depth > 0 && thread->depth <= MAX_DEPTH
                         ? &thread->calls[thread->depth - 1]
                         : NULL;

  if (call != NULL && call->is_event && call->pad == pad)
    gst_weft_flow_pushed (pad, GST_FLOW_OK);
}
