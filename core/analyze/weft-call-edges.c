/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-call-edges.h"

typedef struct
{
  WeftCallEdges *edges;
  const guint8 *chosen;
} Finder;

static void
add (const WeftCallEdges *self, WeftStackFigure *to, const WeftStackFigure *figures)
{
  for (guint c = 0; c < self->n_columns; c++)
    {
      to[c].count += figures[c].count;
      to[c].time += figures[c].time;
    }
}

static WeftStackFigure *
at_name (const WeftCallEdges *self, WeftStackFigure *figures, guint32 name)
{
  return figures + (gsize) name * self->n_columns;
}

static void
take_stack (const guint32 *names, guint n, const WeftStackFigure *figures, gpointer data)
{
  const Finder *self = data;
  WeftCallEdges *edges = self->edges;
  guint innermost = 0;
  guint outermost = n;

  while (innermost < n && !self->chosen[names[innermost]])
    innermost++;
  if (innermost == n)
    return;
  while (!self->chosen[names[outermost - 1]])
    outermost--;
  add (edges, edges->total, figures);
  add (edges, at_name (edges, edges->callers, outermost == n ? 0 : names[outermost]), figures);
  if (innermost == 0)
    {
      add (edges, edges->self, figures);
      return;
    }
  add (edges, at_name (edges, edges->callees, names[innermost - 1]), figures);
  if (innermost == 1)
    add (edges, at_name (edges, edges->within, names[0]), figures);
}

gboolean
weft_call_edges_init (WeftCallEdges *self, const WeftAnalysisScope *scope,
                      const WeftCallchainReader *callchains, const WeftFrameNames *names,
                      GArray *weights, const WeftStackPlan *plan, const guint8 *chosen,
                      GError **error)
{
  guint32 n_names = weft_frame_names_get_n_names (names);
  gsize n = ((gsize) n_names + 1) * plan->n_columns;
  Finder finder = { self, chosen };

  *self = (WeftCallEdges){ .n_columns = plan->n_columns, .n_names = n_names };
  self->self = g_new0 (WeftStackFigure, plan->n_columns);
  self->total = g_new0 (WeftStackFigure, plan->n_columns);
  self->callers = g_new0 (WeftStackFigure, n);
  self->callees = g_new0 (WeftStackFigure, n);
  self->within = g_new0 (WeftStackFigure, n);
  return weft_stack_walk (scope, callchains, names, weights, plan, take_stack, &finder, error);
}

void
weft_call_edges_clear (WeftCallEdges *self)
{
  g_free (self->self);
  g_free (self->total);
  g_free (self->callers);
  g_free (self->callees);
  g_free (self->within);
}
