/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-gst-stage.h"

/* What is told of BUFFER or LIST (one of them is NULL) that SELF, which is PAD, pushes. */
void gst_weft_frame_fill (WeftCodecFrame *frame, GstWeftPad *self, GstPad *pad, GstBuffer *buffer,
                          GstBufferList *list);
