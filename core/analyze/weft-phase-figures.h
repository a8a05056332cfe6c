/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Of a dispatch that stands out: the time that it spent in its phases of a name, where that stands
 * out, too.
 */
typedef struct
{
  guint place;      /* of the dispatch among those that stand out */
  const char *name; /* belongs to the store */
  double value;     /* ns */
  double typical;   /* of the dispatches of its routine that have phases, whatever theirs are */
  double distance;
} WeftPhaseFigure;

/* PLACES: id of a dispatch that stands out (guint64 *) → its place + 1; ROUTINES: ids of routines
 * that have one. FLOOR: ns, below which differences are none. Element type WeftPhaseFigure, in no
 * order.
 */
GArray *weft_phase_figures_find (const WeftAnalysisScope *scope, GHashTable *places,
                                 GHashTable *routines, double floor, GError **error);

G_END_DECLS
