/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-address-space.h"

G_BEGIN_DECLS

/*
 * Each distinct frame and stack once. A stack is its innermost frame and the stack of the callers,
 * so that stacks share what they have in common. Ids are dense from 1, those of the rows.
 */
typedef struct _WeftCpuCallchains WeftCpuCallchains;

WeftCpuCallchains *weft_cpu_callchains_new (void);
void weft_cpu_callchains_free (WeftCpuCallchains *self);

/* 0 once there are more than a file can number. IS_NEW says whether it has to be told. */
guint32 weft_cpu_callchains_add_frame (WeftCpuCallchains *self, WeftCodeModule *module,
                                       guint64 offset, guint flags, gboolean *is_new);
guint32 weft_cpu_callchains_add (WeftCpuCallchains *self, guint32 parent, guint32 frame,
                                 gboolean *is_new);

guint32 weft_cpu_callchains_get_depth (const WeftCpuCallchains *self, guint32 callchain);
guint32 weft_cpu_callchains_get_parent (const WeftCpuCallchains *self, guint32 callchain);
guint32 weft_cpu_callchains_get_frame (const WeftCpuCallchains *self, guint32 callchain);
guint32 weft_cpu_callchains_get_n_frames (const WeftCpuCallchains *self);
guint32 weft_cpu_callchains_get_n_callchains (const WeftCpuCallchains *self);

/* Callchains in memory, and how to be rid of them: what comes again gets a new id, and nothing is
 * known of the old ones any more. Ids go on.
 */
guint32 weft_cpu_callchains_get_n_held (const WeftCpuCallchains *self);
void weft_cpu_callchains_forget (WeftCpuCallchains *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCpuCallchains, weft_cpu_callchains_free)

G_END_DECLS
