/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-codec.h"

/* What is in a queue of the program, in the order in which it went in: told by the addresses of
 * buffers on both sides of it. Frames that never come out were thrown away by it.
 */
typedef struct _GstWeftQueue GstWeftQueue;

GstWeftQueue *gst_weft_queue_new (GstElement *element);
GstWeftQueue *gst_weft_queue_ref (GstWeftQueue *self);
void gst_weft_queue_unref (GstWeftQueue *self);

/* ITEM, a buffer or list, is about to be pushed in. Returns its number; 0 if this queue is not
 * followed.
 */
guint64 gst_weft_queue_push (GstWeftQueue *self, WeftCodecStage *stage, gconstpointer item,
                             const WeftCodecFrame *frame);

/* The push of NUMBER returned after it had begun at BEGIN. */
void gst_weft_queue_pushed (GstWeftQueue *self, WeftCodecStage *stage, GstElement *element,
                            guint64 number, guint64 begin, GstFlowReturn result);

/* ITEM comes out, which is FRAME. SINCE: when the thread that takes it was done with what came
 * before, or 0.
 */
void gst_weft_queue_pop (GstWeftQueue *self, WeftCodecStage *stage, gconstpointer item,
                         const WeftCodecFrame *frame, guint64 since);

/* Nothing that is in it comes out any more; IS_DROP: the queue was let run empty. */
void gst_weft_queue_clear (GstWeftQueue *self, WeftCodecStage *stage, bool is_drop);
