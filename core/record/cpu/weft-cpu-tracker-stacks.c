/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-tracker-private.h"

#include "weft-clock.h"

#define MAX_TEXTS 65536

static guint32
add_frame (WeftCpuTracker *self, WeftCpuProcess *process, guint32 parent,
           const WeftCodeFrame *frame)
{
  gboolean is_new;
  guint32 id = weft_cpu_callchains_add_frame (self->callchains, frame->module, frame->offset,
                                              frame->flags, &is_new);
  guint32 callchain;

  if (is_new)
    {
      WeftCpuFrameRow row = { .module = frame->module,
                              .flags = frame->flags,
                              .offset = frame->offset };

      if (frame->module != NULL &&
          weft_code_module_get_kind (frame->module) == WEFT_MODULE_KIND_JIT)
        row.process = weft_cpu_tracker_refer_process (self, process);
      g_array_append_val (self->batch->frames, row);
    }
  if (id == 0)
    return parent;
  callchain = weft_cpu_callchains_add (self->callchains, parent, id, &is_new);
  if (is_new)
    {
      WeftCpuCallchainRow row = { parent, id,
                                  weft_cpu_callchains_get_depth (self->callchains, callchain) };

      g_array_append_val (self->batch->callchains, row);
    }
  return callchain ? callchain : parent;
}

/* Where nobody tells of mappings, those that we know may be old. */
static gboolean
is_stale (WeftCpuProcess *process, WeftStackEnd end, gint64 now)
{
  return end == WEFT_STACK_END_NO_MODULE && !process->watched &&
         now - process->read > NS_PER_SECOND;
}

guint32
weft_cpu_tracker_add_user_stack (WeftCpuTracker *self, WeftCpuProcess *process,
                                 const WeftRegisters *registers, const WeftStackCopy *stack,
                                 WeftStackEnd *end, gboolean *extended, guint *n_frames)
{
  guint n = weft_unwind (process->space, registers, stack, self->frames, self->options.max_frames,
                         end, extended);
  guint32 callchain = 0;

  if (is_stale (process, *end, weft_monotonic_now ()))
    {
      weft_cpu_tracker_read_mappings (self, process, weft_monotonic_now ());
      n = weft_unwind (process->space, registers, stack, self->frames, self->options.max_frames,
                       end, extended);
    }
  for (guint i = n; i > 0; i--)
    callchain = add_frame (self, process, callchain, &self->frames[i - 1]);
  *n_frames = n;
  return callchain;
}

static guint32
add_kernel_stack (WeftCpuTracker *self, WeftCpuProcess *process, guint32 callchain,
                  const guint64 *addresses, guint n)
{
  WeftCodeFrame frame = { .module = weft_module_set_get_kernel (self->modules) };

  for (guint i = MIN (n, self->options.max_frames); i > 0; i--)
    {
      frame.address = frame.offset = addresses[i - 1];
      frame.flags = WEFT_FRAME_KERNEL | (i > 1 ? WEFT_FRAME_RETURN_ADDRESS : 0);
      callchain = add_frame (self, process, callchain, &frame);
    }
  return callchain;
}

guint32
weft_cpu_tracker_add_stack (WeftCpuTracker *self, WeftCpuProcess *process,
                            const WeftCpuSample *sample, WeftStackEnd *end, gboolean *extended,
                            guint *n_frames)
{
  guint32 callchain = 0;

  *n_frames = 0;
  *extended = FALSE;
  *end = WEFT_STACK_END_NO_USER_STACK;
  if (sample->registers != NULL)
    {
      WeftStackCopy stack = { .address = sample->registers->sp,
                              .bytes = sample->stack,
                              .length = sample->stack_length,
                              .more = sample->more,
                              .data = sample->more_data };

      callchain = weft_cpu_tracker_add_user_stack (self, process, sample->registers, &stack, end,
                                                   extended, n_frames);
    }
  return add_kernel_stack (self, process, callchain, sample->kernel_chain, sample->n_kernel);
}

guint32
weft_cpu_tracker_add_text (WeftCpuTracker *self, const char *text)
{
  guint32 number;

  if (text == NULL || *text == '\0')
    return 0;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->texts, text));
  if (number == 0 && g_hash_table_size (self->texts) < MAX_TEXTS)
    {
      number = g_hash_table_size (self->texts) + 1;
      g_hash_table_insert (self->texts, g_strdup (text), GUINT_TO_POINTER (number));
      g_ptr_array_add (self->batch->texts, g_strdup (text));
    }
  return number;
}
