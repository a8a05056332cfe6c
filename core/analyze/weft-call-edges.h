/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-call-tree.h"

G_BEGIN_DECLS

/* Who called some functions, and what they called. Where they call themselves, their callers are
 * those of the outermost call, and what they called is that of the innermost: so both sides, the
 * latter with the time of the functions themselves, add up to the total.
 */
typedef struct
{
  guint n_columns;
  guint32 n_names;
  WeftCallFigure *self;    /* a column each */
  WeftCallFigure *total;   /* likewise */
  WeftCallFigure *callers; /* by name, N_NAMES + 1 times as many; name 0: none, it was outermost */
  WeftCallFigure *callees; /* likewise: all of what they called, and what it called */
  WeftCallFigure *within;  /* likewise: of callees, themselves alone */
} WeftCallEdges;

/* CHOSEN: a byte for each name, from 0; TREE is not inverted, and has N_COLUMNS. */
void weft_call_edges_init (WeftCallEdges *self, const WeftCallTree *tree, guint n_columns,
                           guint32 n_names, const guint8 *chosen);
void weft_call_edges_clear (WeftCallEdges *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCallEdges, weft_call_edges_clear)

G_END_DECLS
