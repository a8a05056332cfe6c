/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-stacks.h"

gboolean
weft_cpu_stacks_init (WeftCpuStacks *self, const WeftAnalysisScope *scope, WeftFrameGroup group,
                      WeftStackRoot root, GError **error)
{
  const WeftFrameNamesOptions options = WEFT_FRAME_NAMES_OPTIONS (scope, group);

  self->scope = scope;
  self->catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  self->callchains = self->catalog != NULL ? weft_callchain_reader_new (scope, error) : NULL;
  if (self->callchains == NULL ||
      !weft_cpu_filter_new (scope, self->callchains, self->catalog, &self->filter, error))
    return FALSE;
  self->names = weft_frame_names_new (scope, self->callchains, &options, error);
  if (self->names == NULL)
    return FALSE;
  self->weights = weft_stack_weights_read (scope, self->callchains, self->catalog, self->filter,
                                           root, WEFT_STACK_ALL, error);
  return self->weights != NULL;
}

void
weft_cpu_stacks_clear (WeftCpuStacks *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->weights, g_array_unref);
}
