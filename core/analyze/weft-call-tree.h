/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-frame-names.h"
#include "weft-stack-weights.h"

G_BEGIN_DECLS

/*
 * Functions by who called them: what stacks become once frames have names, those that differ in
 * their addresses only are one, and samples and waits are added up. Node 0 stands for all; parents
 * have smaller numbers than what is below them.
 */
typedef struct _WeftCallTree WeftCallTree;

typedef struct
{
  guint32 parent;
  guint32 first_child; /* 0: none */
  guint32 next_sibling;
  guint32 name; /* of the frame names; 0 of node 0 and of roots */
  guint32 root; /* id of the thread or process that a root stands for; else 0 */
  guint32 depth;
  gboolean is_inlined; /* wherever it occurs here, it is inlined into its parent */
} WeftCallTreeNode;

typedef struct
{
  guint64 count;
  guint64 time; /* ns */
} WeftCallFigure;

typedef struct
{
  /* Column to which a state is added, from 0, or -1: left out. */
  gint8 columns[WEFT_N_STACK_STATES];
  guint n_columns;
  /* From the innermost function outwards: below a function is who called it. */
  gboolean is_inverted;
} WeftCallTreePlan;

/* One column for what ran, and one for whatever the waits were for. */
void weft_call_tree_plan_init (WeftCallTreePlan *plan);

/* WEIGHTS as weft_stack_weights_read () makes them; where they have roots, so has the tree. Fails
 * with WEFT_ERROR_TOO_LARGE.
 */
WeftCallTree *weft_call_tree_new (const WeftAnalysisScope *scope,
                                  const WeftCallchainReader *callchains,
                                  const WeftFrameNames *names, GArray *weights,
                                  const WeftCallTreePlan *plan, GError **error);
void weft_call_tree_free (WeftCallTree *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCallTree, weft_call_tree_free)

guint32 weft_call_tree_get_n_nodes (const WeftCallTree *self);
const WeftCallTreeNode *weft_call_tree_get_node (const WeftCallTree *self, guint32 node);

/* Figures of NODE in all columns: of itself, and with what is below it. */
const WeftCallFigure *weft_call_tree_get_self (const WeftCallTree *self, guint32 node);
const WeftCallFigure *weft_call_tree_get_total (const WeftCallTree *self, guint32 node);

/* Figures by name, N_NAMES + 1 times as many as there are columns each, to be freed. Totals count a
 * sample once, however often a name is on its stack. Not of an inverted tree.
 */
void weft_call_tree_sum_names (const WeftCallTree *self, guint32 n_names, WeftCallFigure **selves,
                               WeftCallFigure **totals);

G_END_DECLS
