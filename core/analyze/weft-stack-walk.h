/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-frame-names.h"
#include "weft-stack-weights.h"

G_BEGIN_DECLS

/* Stacks as their functions, with what they weigh: each stack once, however many samples it has. */

typedef struct
{
  guint64 count;
  guint64 time; /* ns */
} WeftStackFigure;

/* To which column a state is added, from 0, or -1: it is left out. */
typedef struct
{
  gint8 columns[WEFT_N_STACK_STATES];
  guint n_columns;
} WeftStackPlan;

/* A column for each state that occurs in WEIGHTS, what ran first. */
void weft_stack_plan_init (WeftStackPlan *self, GArray *weights);

/* NAMES: numbers of the N functions of a stack, the innermost first; FIGURES: a column each. */
typedef void (*WeftStackWalkFunc) (const guint32 *names, guint n, const WeftStackFigure *figures,
                                   gpointer data);

/* WEIGHTS as weft_stack_weights_read () makes them, without roots. Stacks of which all functions
 * are excluded are left out. Fails with WEFT_ERROR_TOO_LARGE where a file was made to be slow.
 */
gboolean weft_stack_walk (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                          const WeftFrameNames *names, GArray *weights, const WeftStackPlan *plan,
                          WeftStackWalkFunc func, gpointer data, GError **error);

/* Figures by name: N_COLUMNS each, from name 0. Totals count a sample once, however often a name is
 * on its stack.
 */
typedef struct
{
  WeftStackFigure *selves;
  WeftStackFigure *totals;
} WeftStackSums;

gboolean weft_stack_sums_init (WeftStackSums *self, const WeftAnalysisScope *scope,
                               const WeftCallchainReader *callchains, const WeftFrameNames *names,
                               GArray *weights, const WeftStackPlan *plan, GError **error);
void weft_stack_sums_clear (WeftStackSums *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftStackSums, weft_stack_sums_clear)

G_END_DECLS
