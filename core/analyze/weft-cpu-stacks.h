/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-stack-walk.h"

G_BEGIN_DECLS

/* All that answers about functions need, read for one scope. */
typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftCpuFilter *filter;
  GArray *weights; /* element type WeftStackWeight */
} WeftCpuStacks;

gboolean weft_cpu_stacks_init (WeftCpuStacks *self, const WeftAnalysisScope *scope,
                               WeftFrameGroup group, WeftStackRoot root, GError **error);
void weft_cpu_stacks_clear (WeftCpuStacks *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCpuStacks, weft_cpu_stacks_clear)

G_END_DECLS
