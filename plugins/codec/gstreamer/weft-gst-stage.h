/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-codec.h"

/* What is known of the elements, pads and pipelines of the program. It hangs on them as their data,
 * and is freed with them.
 */

typedef struct _GstWeftQueue GstWeftQueue;

typedef struct
{
  gatomicrefcount references;
  WeftCodecPipeline *codec;
} GstWeftPipeline;

typedef struct
{
  gatomicrefcount references;
  GstWeftPipeline *pipeline; /* NULL: it is in none */
  WeftCodecStage *stage;
  bool is_sink;
  bool is_queue;
  guint64 sources;    /* atomic: bits of those whose frames were given to it */
  guint64 last_input; /* atomic: ticks */
  guint
      epoch; /* atomic: another one where it starts, stops, seeks; no two elements have the same */
  guint64 n_dropped;     /* atomic: as its messages count */
  guint64 preroll_begin; /* atomic: ticks; 0: none */
  guint64 preroll_end;
} GstWeftElement;

/* Of source pads; and, of queues, of sink pads. */
typedef struct
{
  GstWeftElement *element; /* that the pad belongs to; NULL of a pad without element */
  WeftCodecThread *thread; /* that pushes from here, outermost */
  GstWeftQueue *queue;     /* between this pad and its counterpart */
  gint is_stale;           /* atomic: formats are to be looked at again */
  GstSegment segment;
  const char *media; /* interned */
  const char *format;
  const char *shape;
} GstWeftPad;

void gst_weft_stage_init (void);

/* NULL for bins. */
GstWeftElement *gst_weft_element_get (GstElement *element);

/* NULL where nothing was seen of it yet. */
GstWeftElement *gst_weft_element_find (GstElement *element);

/* What its threads were at does not go on. */
void gst_weft_element_interrupt (GstWeftElement *self);
GstWeftPad *gst_weft_pad_find (GstPad *pad);
GstWeftPad *gst_weft_pad_get (GstPad *pad);
WeftCodecThread *gst_weft_pad_get_thread (GstWeftPad *self, GstPad *pad);

/* The counterpart of a queue's pad on its other side. Free with gst_object_unref (). */
GstPad *gst_weft_pad_get_counterpart (GstPad *pad);

/* Of the pipeline that OBJECT is in; NULL if it is in none. */
WeftTargetLane *gst_weft_get_pipeline_lane (GstObject *object);

/* The format that is sent through PAD is another one from now on. */
void gst_weft_pad_set_stale (GstPad *pad);
