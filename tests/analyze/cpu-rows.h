/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of the CPU side, made by hand: no program ran. */
#pragma once

#include "store-model.h"
#include "weft-enums.h"

guint64 cpu_module (Model *model, const char *name, WeftModuleKind kind);
guint64 cpu_symbol (Model *model, guint64 module, const char *name);
guint64 cpu_frame (Model *model, guint64 module, guint64 offset, guint64 flags);
void cpu_frame_symbol (Model *model, guint64 frame, guint64 depth, guint64 symbol, const char *file,
                       guint64 line);
/* A frame of MODULE in a function called NAME, at LINE of "NAME.c". */
guint64 cpu_named_frame (Model *model, guint64 module, guint64 offset, const char *name,
                         guint64 line);
guint64 cpu_callchain (Model *model, guint64 parent, guint64 frame);
guint64 cpu_sample (Model *model, guint64 thread, gint64 time, guint64 callchain, guint64 weight);
/* A wait that is to be finished with model_commit (). */
void cpu_begin_wait (Model *model, guint64 thread, gint64 start, guint64 duration,
                     WeftWaitReason reason, guint64 callchain);
guint64 cpu_wait (Model *model, guint64 thread, gint64 start, guint64 duration,
                  WeftWaitReason reason, guint64 callchain);
