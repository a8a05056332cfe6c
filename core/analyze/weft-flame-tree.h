/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-table-builder.h"

G_BEGIN_DECLS

/*
 * The tree of a flame graph of threads: what holds what, and how much time each node has of its
 * own.
 *
 * What a node stands for is an item: a function, a thread, the reason of a wait. Nodes of one item
 * below one parent are one node, or, in the order of time, one for each time that it ran. Times are
 * added to the nodes that they are of; those of what holds them are summed up when the rows are
 * written.
 */
typedef enum
{
  WEFT_FLAME_ALL,
  WEFT_FLAME_OF_PROCESS,
  WEFT_FLAME_OF_THREAD,
  WEFT_FLAME_OF_REASON,
  WEFT_FLAME_CUT, /* stacks whose outer part is not known */
  WEFT_FLAME_FUNCTION,
  WEFT_FLAME_WORK, /* of a target that the thread provably waited for */
  WEFT_FLAME_STATE, /* between: queued, woken, not known */
  WEFT_FLAME_N_KINDS
} WeftFlameKind;

/* Times that nodes have of their own: exactly one of a node's. */
typedef enum
{
  WEFT_FLAME_ON_CPU,
  WEFT_FLAME_OFF_CPU,
  WEFT_FLAME_OF_TARGET, /* off the CPU, while proven target work ran */
  WEFT_FLAME_N_TIMES
} WeftFlameTime;

typedef struct
{
  WeftFlameKind kind;
  guint32 id;       /* of what it is of, by KIND: process, thread, reason, routine; else a number */
  guint32 variant;  /* tells items of one kind and id apart */
  const char *name; /* belongs to others, which live longer */
  guint32 symbol;
  guint32 lane;
  guint32 module;
  const char *module_name;
  gboolean is_inlined;
  gboolean is_kernel;
} WeftFlameItem;

typedef struct _WeftFlameTree WeftFlameTree;

/* The first node, 0, is all. */
WeftFlameTree *weft_flame_tree_new (void);
void weft_flame_tree_free (WeftFlameTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFlameTree, weft_flame_tree_free)

/* The number of an item; one of the same kind, id and variant is known by the same number. */
guint32 weft_flame_tree_add_item (WeftFlameTree *self, const WeftFlameItem *item);

guint32 weft_flame_tree_get_child (WeftFlameTree *self, guint32 parent, guint32 item);
/* A new one, whatever children there are: it runs from START on. */
guint32 weft_flame_tree_append_child (WeftFlameTree *self, guint32 parent, guint32 item,
                                      gint64 start);
/* Until when it and all that hold it ran. */
void weft_flame_tree_set_stop (WeftFlameTree *self, guint32 node, gint64 stop);

void weft_flame_tree_add (WeftFlameTree *self, guint32 node, WeftFlameTime time, guint64 amount,
                          guint64 count);

/* Whether nothing was added. */
gboolean weft_flame_tree_is_empty (WeftFlameTree *self);

/* Nothing more is added once there are more nodes than can be told. */
gboolean weft_flame_tree_is_full (WeftFlameTree *self);

/* Writes the rows, columns of weft-flame-rows.h: children of a node by their totals, or by their
 * starts. What has less than MIN_SHARE of all is left out, with what it holds; returns how many
 * nodes these are.
 */
typedef struct
{
  gboolean by_time;
  gboolean is_inverted; /* then the first functions have the time */
  double min_share;
  const char *time_kind; /* of what holds several kinds */
} WeftFlameLayout;

guint weft_flame_tree_write (WeftFlameTree *self, const WeftFlameLayout *layout,
                             WeftTableBuilder *builder);

G_END_DECLS
