/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-stack-walk.h"

G_BEGIN_DECLS

/* Who called some functions, and what they called. Where they call themselves, their callers are
 * those of the outermost call, and what they called is that of the innermost: so both sides, the
 * latter with the time of the functions themselves, add up to the total.
 */
typedef struct
{
  guint n_columns;
  guint32 n_names;
  WeftStackFigure *self;    /* a column each */
  WeftStackFigure *total;   /* likewise */
  WeftStackFigure *callers; /* by name, N_NAMES + 1 times as many; name 0: none, it was outermost */
  WeftStackFigure *callees; /* likewise: of what they called, and what that called */
  WeftStackFigure *within;  /* likewise: of what they called, itself alone */
} WeftCallEdges;

/* CHOSEN: a byte for each name, from 0. */
gboolean weft_call_edges_init (WeftCallEdges *self, const WeftAnalysisScope *scope,
                               const WeftCallchainReader *callchains, const WeftFrameNames *names,
                               GArray *weights, const WeftStackPlan *plan, const guint8 *chosen,
                               GError **error);
void weft_call_edges_clear (WeftCallEdges *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCallEdges, weft_call_edges_clear)

G_END_DECLS
