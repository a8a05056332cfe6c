/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-call-edges.h"

typedef struct
{
  WeftCallEdges *edges;
  const WeftCallTree *tree;
  const guint8 *chosen;
  guint8 *is_inside;     /* of each node: one of its callers is chosen */
  WeftCallFigure *inner; /* of each node, the part of its total that is below chosen ones */
} Finder;

static gboolean
is_chosen (const Finder *self, guint32 node)
{
  return self->chosen[weft_call_tree_get_node (self->tree, node)->name];
}

static void
add (const Finder *self, WeftCallFigure *to, const WeftCallFigure *figures,
     const WeftCallFigure *without)
{
  for (guint c = 0; c < self->edges->n_columns; c++)
    {
      to[c].count += figures[c].count - (without == NULL ? 0 : without[c].count);
      to[c].time += figures[c].time - (without == NULL ? 0 : without[c].time);
    }
}

static WeftCallFigure *
at_name (const Finder *self, WeftCallFigure *figures, guint32 node)
{
  return figures +
         (gsize) weft_call_tree_get_node (self->tree, node)->name * self->edges->n_columns;
}

/* What is below the innermost chosen ones is theirs; so callees come before callers. */
static void
find_inner (Finder *self)
{
  for (guint32 i = weft_call_tree_get_n_nodes (self->tree); i-- > 1;)
    {
      guint32 parent = weft_call_tree_get_node (self->tree, i)->parent;
      WeftCallFigure *inner = self->inner + (gsize) i * self->edges->n_columns;
      WeftCallFigure *outer = self->inner + (gsize) parent * self->edges->n_columns;

      add (self, outer, is_chosen (self, i) ? weft_call_tree_get_total (self->tree, i) : inner,
           NULL);
    }
}

static void
take_chosen (Finder *self, guint32 node)
{
  const WeftCallTreeNode *of = weft_call_tree_get_node (self->tree, node);

  add (self, self->edges->self, weft_call_tree_get_self (self->tree, node), NULL);
  if (self->is_inside[node])
    return;
  add (self, self->edges->total, weft_call_tree_get_total (self->tree, node), NULL);
  add (self, at_name (self, self->edges->callers, of->parent),
       weft_call_tree_get_total (self->tree, node), NULL);
}

static void
take_callee (Finder *self, guint32 node)
{
  add (self, at_name (self, self->edges->callees, node),
       weft_call_tree_get_total (self->tree, node),
       self->inner + (gsize) node * self->edges->n_columns);
  add (self, at_name (self, self->edges->within, node), weft_call_tree_get_self (self->tree, node),
       NULL);
}

void
weft_call_edges_init (WeftCallEdges *self, const WeftCallTree *tree, guint n_columns,
                      guint32 n_names, const guint8 *chosen)
{
  guint32 n_nodes = weft_call_tree_get_n_nodes (tree);
  gsize n = ((gsize) n_names + 1) * n_columns;
  g_autofree guint8 *is_inside = g_new0 (guint8, n_nodes);
  g_autofree WeftCallFigure *inner = g_new0 (WeftCallFigure, (gsize) n_nodes * n_columns);
  Finder finder = { self, tree, chosen, is_inside, inner };

  *self = (WeftCallEdges){ .n_columns = n_columns, .n_names = n_names };
  self->self = g_new0 (WeftCallFigure, n_columns);
  self->total = g_new0 (WeftCallFigure, n_columns);
  self->callers = g_new0 (WeftCallFigure, n);
  self->callees = g_new0 (WeftCallFigure, n);
  self->within = g_new0 (WeftCallFigure, n);
  find_inner (&finder);
  for (guint32 i = 1; i < n_nodes; i++)
    {
      guint32 parent = weft_call_tree_get_node (tree, i)->parent;
      gboolean is_called = is_chosen (&finder, parent);

      is_inside[i] = is_inside[parent] || is_called;
      if (is_chosen (&finder, i))
        take_chosen (&finder, i);
      else if (is_called)
        take_callee (&finder, i);
    }
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
