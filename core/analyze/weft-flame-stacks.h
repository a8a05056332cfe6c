/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-stream.h"
#include "weft-flame-tree.h"
#include "weft-frame-names.h"
#include "weft-key-map.h"

G_BEGIN_DECLS

/* What stands below all. */
typedef enum
{
  WEFT_FLAME_BY_PROCESS,
  WEFT_FLAME_BY_THREAD,
  WEFT_FLAME_BY_REASON, /* of waits; then no leaf tells it */
  WEFT_FLAME_BY_NOTHING,
} WeftFlameGroup;

/* Stacks in a flame graph. Each stack of the recording is placed once below each root, however many
 * samples it has.
 */
typedef struct
{
  const WeftAnalysisScope *scope;
  WeftFlameGroup group;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftCpuFilter *filter; /* or NULL: all */
  WeftFlameTree *tree;
  WeftKeyMap roots;  /* (thread, reason) → node */
  WeftKeyMap bases;  /* (root, cut) → number */
  WeftKeyMap placed; /* (root or number of base, stack) → node */
  guint64 n_steps;   /* frames that were walked */
  GArray *items;     /* element type guint32: of the stack at hand */
  GHashTable *texts; /* names that are nobody else's */
} WeftFlameStacks;

gboolean weft_flame_stacks_init (WeftFlameStacks *self, const WeftAnalysisScope *scope,
                                 WeftFlameGroup group, GError **error);
void weft_flame_stacks_clear (WeftFlameStacks *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftFlameStacks, weft_flame_stacks_clear)

/* Whether no more can be placed: the tree is full, or more frames were walked than a recording has
 * that was not made to be slow.
 */
gboolean weft_flame_stacks_is_full (WeftFlameStacks *self);

/* Items, by which nodes are found. */
guint32 weft_flame_stacks_get_thread_item (WeftFlameStacks *self, guint32 thread);
guint32 weft_flame_stacks_get_reason_item (WeftFlameStacks *self, guint reason);

/* The node that the stacks of THREAD stand below; REASON matters where waits are grouped by it. */
guint32 weft_flame_stacks_get_root (WeftFlameStacks *self, guint32 thread, guint reason);

/* What stands between the root and the stack, or outside of it, where its outer part is not known;
 * G_MAXUINT32 for whole stacks.
 */
guint32 weft_flame_stacks_get_cut (WeftFlameStacks *self, guint32 stack, guint end);

/* The items of a stack in the order of the tree, from the root on; to be read until the next call.
 */
const GArray *weft_flame_stacks_read (WeftFlameStacks *self, guint32 stack, guint32 cut);

/* The node that a stack has below ROOT. */
guint32 weft_flame_stacks_place (WeftFlameStacks *self, guint32 root, guint32 stack, guint32 cut);

G_END_DECLS
