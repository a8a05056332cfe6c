/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-batch.h"

static void
clear_process (gpointer row)
{
  weft_process_info_clear (&((WeftCpuProcessRow *) row)->info);
}

static void
clear_thread (gpointer row)
{
  g_free (((WeftCpuThreadRow *) row)->name);
}

WeftCpuBatch *
weft_cpu_batch_new (void)
{
  WeftCpuBatch *self = g_new0 (WeftCpuBatch, 1);

  self->processes = g_array_new (FALSE, FALSE, sizeof (WeftCpuProcessRow));
  self->threads = g_array_new (FALSE, FALSE, sizeof (WeftCpuThreadRow));
  self->mappings = g_array_new (FALSE, FALSE, sizeof (WeftCpuMappingRow));
  self->frames = g_array_new (FALSE, FALSE, sizeof (WeftCpuFrameRow));
  self->callchains = g_array_new (FALSE, FALSE, sizeof (WeftCpuCallchainRow));
  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->samples = g_array_new (FALSE, FALSE, sizeof (WeftCpuSampleRow));
  self->wakeups = g_array_new (FALSE, FALSE, sizeof (WeftCpuWakeupRow));
  self->waits = g_array_new (FALSE, FALSE, sizeof (WeftCpuWaitRow));
  self->thread_times = g_array_new (FALSE, FALSE, sizeof (WeftCpuThreadTimeRow));
  self->process_ends = g_array_new (FALSE, FALSE, sizeof (WeftCpuProcessEndRow));
  self->losses = g_array_new (FALSE, FALSE, sizeof (WeftCpuLossRow));
  g_array_set_clear_func (self->processes, clear_process);
  g_array_set_clear_func (self->threads, clear_thread);
  return self;
}

void
weft_cpu_batch_free (WeftCpuBatch *self)
{
  g_array_unref (self->processes);
  g_array_unref (self->threads);
  g_array_unref (self->mappings);
  g_array_unref (self->frames);
  g_array_unref (self->callchains);
  g_ptr_array_unref (self->texts);
  g_array_unref (self->samples);
  g_array_unref (self->wakeups);
  g_array_unref (self->waits);
  g_array_unref (self->thread_times);
  g_array_unref (self->process_ends);
  g_array_unref (self->losses);
  g_free (self);
}

gboolean
weft_cpu_batch_is_empty (const WeftCpuBatch *self)
{
  return self->processes->len + self->threads->len + self->mappings->len + self->frames->len +
             self->callchains->len + self->texts->len + self->samples->len + self->wakeups->len +
             self->waits->len + self->thread_times->len + self->process_ends->len +
             self->losses->len ==
         0;
}

gsize
weft_cpu_batch_get_size (const WeftCpuBatch *self)
{
  return self->processes->len * (sizeof (WeftCpuProcessRow) + 256) +
         self->threads->len * (sizeof (WeftCpuThreadRow) + 16) +
         self->mappings->len * sizeof (WeftCpuMappingRow) +
         self->frames->len * sizeof (WeftCpuFrameRow) +
         self->callchains->len * sizeof (WeftCpuCallchainRow) + self->texts->len * (gsize) 64 +
         self->samples->len * sizeof (WeftCpuSampleRow) +
         self->wakeups->len * sizeof (WeftCpuWakeupRow) +
         self->waits->len * sizeof (WeftCpuWaitRow) +
         self->thread_times->len * sizeof (WeftCpuThreadTimeRow) +
         self->process_ends->len * sizeof (WeftCpuProcessEndRow) +
         self->losses->len * sizeof (WeftCpuLossRow);
}
