/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-rows.h"

guint64
cpu_module (Model *model, const char *name, WeftModuleKind kind)
{
  model_begin (model, WEFT_TABLE_MODULES);
  model_set (model, WEFT_MODULES_KIND, kind);
  model_set (model, WEFT_MODULES_NAME, model_string (model, name));
  model_set (model, WEFT_MODULES_PATH, model_string (model, name));
  return model_commit (model);
}

guint64
cpu_symbol (Model *model, guint64 module, const char *name)
{
  model_begin (model, WEFT_TABLE_SYMBOLS);
  model_set (model, WEFT_SYMBOLS_MODULE, module);
  model_set (model, WEFT_SYMBOLS_NAME, model_string (model, name));
  return model_commit (model);
}

guint64
cpu_frame (Model *model, guint64 module, guint64 offset, guint64 flags)
{
  model_begin (model, WEFT_TABLE_FRAMES);
  model_set (model, WEFT_FRAMES_MODULE, module);
  model_set (model, WEFT_FRAMES_OFFSET, offset);
  model_set (model, WEFT_FRAMES_FLAGS, flags);
  return model_commit (model);
}

void
cpu_frame_symbol (Model *model, guint64 frame, guint64 depth, guint64 symbol, const char *file,
                  guint64 line)
{
  model_begin (model, WEFT_TABLE_FRAME_SYMBOLS);
  model_set (model, WEFT_FRAME_SYMBOLS_FRAME, frame);
  model_set (model, WEFT_FRAME_SYMBOLS_DEPTH, depth);
  model_set (model, WEFT_FRAME_SYMBOLS_SYMBOL, symbol);
  if (file != NULL)
    model_set (model, WEFT_FRAME_SYMBOLS_FILE, model_string (model, file));
  model_set (model, WEFT_FRAME_SYMBOLS_LINE, line);
  model_commit (model);
}

guint64
cpu_named_frame (Model *model, guint64 module, guint64 offset, const char *name, guint64 line)
{
  g_autofree char *file = g_strconcat (name, ".c", NULL);
  guint64 symbol = cpu_symbol (model, module, name);
  guint64 frame = cpu_frame (model, module, offset, 0);

  cpu_frame_symbol (model, frame, 0, symbol, file, line);
  return frame;
}

guint64
cpu_callchain (Model *model, guint64 parent, guint64 frame)
{
  guint64 depth = parent == 0 ? 0 : model_value (model, WEFT_CALLCHAINS_DEPTH, parent);

  model_begin (model, WEFT_TABLE_CALLCHAINS);
  model_set (model, WEFT_CALLCHAINS_PARENT, parent);
  model_set (model, WEFT_CALLCHAINS_FRAME, frame);
  model_set (model, WEFT_CALLCHAINS_DEPTH, depth + 1);
  return model_commit (model);
}

guint64
cpu_sample (Model *model, guint64 thread, gint64 time, guint64 callchain, guint64 weight)
{
  model_begin (model, WEFT_TABLE_SAMPLES);
  model_set (model, WEFT_SAMPLES_THREAD, thread);
  model_set (model, WEFT_SAMPLES_TIME, (guint64) time);
  model_set (model, WEFT_SAMPLES_CALLCHAIN, callchain);
  model_set (model, WEFT_SAMPLES_WEIGHT, weight);
  model_set (model, WEFT_SAMPLES_END, WEFT_STACK_END_COMPLETE);
  return model_commit (model);
}

void
cpu_begin_wait (Model *model, guint64 thread, gint64 start, guint64 duration, WeftWaitReason reason,
                guint64 callchain)
{
  model_begin (model, WEFT_TABLE_WAITS);
  model_set (model, WEFT_WAITS_THREAD, thread);
  model_set (model, WEFT_WAITS_START, (guint64) start);
  model_set (model, WEFT_WAITS_DURATION, duration);
  model_set (model, WEFT_WAITS_REASON, reason);
  model_set (model, WEFT_WAITS_CALLCHAIN, callchain);
  model_set (model, WEFT_WAITS_END, WEFT_STACK_END_COMPLETE);
}

guint64
cpu_wait (Model *model, guint64 thread, gint64 start, guint64 duration, WeftWaitReason reason,
          guint64 callchain)
{
  cpu_begin_wait (model, thread, start, duration, reason, callchain);
  return model_commit (model);
}
