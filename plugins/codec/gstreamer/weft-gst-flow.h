/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

/* Before each push and pull of the program. Of BUFFER and LIST one is NULL. */
void gst_weft_flow_push (GstPad *pad, GstBuffer *buffer, GstBufferList *list);
void gst_weft_flow_pull (GstPad *pad, guint64 offset, guint size);
void gst_weft_flow_end_stream (GstPad *pad);

/* After it. */
void gst_weft_flow_pushed (GstPad *pad, GstFlowReturn result);
void gst_weft_flow_stream_ended (GstPad *pad);

/* The thread waited for a clock. */
void gst_weft_flow_waited (guint64 begin, guint64 end);

/* ELEMENT posted on this thread that the state that it was asked for is reached. */
void gst_weft_flow_prerolled (GstElement *element);
