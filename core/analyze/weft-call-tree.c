/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-call-tree.h"

#include <string.h>

#include "weft-key-map.h"

/* What one answer may take: nodes, and frames that are walked. Only a file made to be slow has
 * more.
 */
#define MAX_NODES (1u << 25)
#define NOT_FOUND G_MAXUINT32
#define MAX_STEPS (G_GUINT64_CONSTANT (1) << 31)

struct _WeftCallTree
{
  GArray *nodes; /* element type WeftCallTreeNode */
  guint n_columns;
  WeftCallFigure *selves;
  WeftCallFigure *totals;
};

typedef struct
{
  WeftCallTree *tree;
  const WeftAnalysisScope *scope;
  const WeftCallchainReader *callchains;
  const WeftFrameNames *names;
  WeftKeyMap keys; /* (parent, name) → node */
  guint32 root;    /* id of the one at hand */
  guint32 root_node;
  guint32 *found;  /* of each node of the callchains, its node here */
  GArray *placed;  /* element type guint32: those that have one */
  GArray *pending; /* element type guint32 */
  guint64 n_steps;
} Builder;

void
weft_call_tree_plan_init (WeftCallTreePlan *plan)
{
  *plan = (WeftCallTreePlan){ .n_columns = 2 };
  for (guint i = 0; i < WEFT_N_STACK_STATES; i++)
    plan->columns[i] = i == WEFT_STACK_ON_CPU ? 0 : 1;
}

/* ---- Nodes ---- */

static inline WeftCallTreeNode *
get_node (const WeftCallTree *self, guint32 node)
{
  return &g_array_index (self->nodes, WeftCallTreeNode, node);
}

/* Instead of a parent: roots stand below node 0, where functions of no root may stand too. */
#define OF_ROOTS G_MAXUINT32

static guint32
add_child (Builder *self, guint32 parent, guint32 name, guint32 root, gboolean is_inlined)
{
  guint64 key = root != 0 ? (guint64) OF_ROOTS << 32 | root : (guint64) parent << 32 | name;
  guint32 number = weft_key_map_add (&self->keys, key, self->tree->nodes->len);
  WeftCallTreeNode node = { .parent = parent,
                            .name = name,
                            .root = root,
                            .depth = get_node (self->tree, parent)->depth + 1,
                            .is_inlined = is_inlined };

  self->n_steps++;
  if (number != self->tree->nodes->len)
    {
      get_node (self->tree, number)->is_inlined &= is_inlined;
      return number;
    }
  node.next_sibling = get_node (self->tree, parent)->first_child;
  get_node (self->tree, parent)->first_child = number;
  g_array_append_val (self->tree->nodes, node);
  return number;
}

static guint32
add_places (Builder *self, guint32 at, guint32 callchain)
{
  const WeftFramePlace *places;
  guint n = weft_frame_names_get_places (
      self->names, weft_callchain_reader_get_frame (self->callchains, callchain), &places);

  for (guint i = 0; i < n; i++)
    at = add_child (self, at, places[i].name, 0, i > 0);
  return at;
}

/* From the nearest caller that is in the tree already, inwards. */
static guint32
add_stack (Builder *self, guint32 callchain)
{
  guint32 at;

  g_array_set_size (self->pending, 0);
  for (; callchain != 0 && self->found[callchain] == NOT_FOUND;
       callchain = weft_callchain_reader_get_parent (self->callchains, callchain))
    g_array_append_val (self->pending, callchain);
  at = callchain == 0 ? self->root_node : self->found[callchain];
  for (guint i = self->pending->len; i-- > 0;)
    {
      guint32 next = g_array_index (self->pending, guint32, i);

      at = add_places (self, at, next);
      self->found[next] = at;
      g_array_append_val (self->placed, next);
    }
  return at;
}

/* The innermost function has the time itself; those outside of it are below. */
static guint32
add_inverted (Builder *self, guint32 callchain)
{
  guint32 at = self->root_node;

  for (; callchain != 0 && self->n_steps < MAX_STEPS;
       callchain = weft_callchain_reader_get_parent (self->callchains, callchain))
    {
      const WeftFramePlace *places;
      guint n = weft_frame_names_get_places (
          self->names, weft_callchain_reader_get_frame (self->callchains, callchain), &places);

      for (guint i = n; i-- > 0;)
        at = add_child (self, at, places[i].name, 0, i > 0);
      self->n_steps++;
    }
  return at;
}

/* ---- Figures ---- */

static void
begin_root (Builder *self, guint32 root)
{
  self->root = root;
  self->root_node = root == 0 ? 0 : add_child (self, 0, 0, root, FALSE);
  for (guint i = 0; i < self->placed->len; i++)
    self->found[g_array_index (self->placed, guint32, i)] = NOT_FOUND;
  g_array_set_size (self->placed, 0);
}

/* The node of each weight, in their order; NOT_FOUND where it is left out. */
static guint32 *
place_weights (Builder *self, GArray *weights, const WeftCallTreePlan *plan, GError **error)
{
  g_autofree guint32 *places = g_new (guint32, (gsize) weights->len + 1);

  for (guint i = 0; i < weights->len; i++)
    {
      const WeftStackWeight *weight = &g_array_index (weights, WeftStackWeight, i);

      places[i] = NOT_FOUND;
      if (plan->columns[weight->state] < 0)
        continue;
      if (weight->root != self->root)
        begin_root (self, weight->root);
      if (weight->node == 0)
        places[i] = add_child (self, self->root_node, WEFT_FRAME_NAME_NO_STACK, 0, FALSE);
      else
        places[i] =
            plan->is_inverted ? add_inverted (self, weight->node) : add_stack (self, weight->node);
      if (self->tree->nodes->len > MAX_NODES || self->n_steps > MAX_STEPS)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                       "The tree of functions has more than %u nodes; ask for a range, or with a "
                       "filter",
                       MAX_NODES);
          return NULL;
        }
      if (i % 4096 == 0 && g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
        return NULL;
    }
  return g_steal_pointer (&places);
}

static void
add_figure (WeftCallFigure *to, const WeftCallFigure *from)
{
  to->count += from->count;
  to->time += from->time;
}

static void
add_weights (WeftCallTree *self, GArray *weights, const guint32 *places,
             const WeftCallTreePlan *plan)
{
  gsize n = (gsize) self->nodes->len * self->n_columns;

  self->selves = g_new0 (WeftCallFigure, n);
  self->totals = g_new (WeftCallFigure, n);
  for (guint i = 0; i < weights->len; i++)
    {
      const WeftStackWeight *weight = &g_array_index (weights, WeftStackWeight, i);
      const WeftCallFigure figure = { weight->count, weight->time };

      if (places[i] != NOT_FOUND)
        add_figure (&self->selves[(gsize) places[i] * self->n_columns +
                                  (guint) plan->columns[weight->state]],
                    &figure);
    }
}

static WeftCallFigure *
get_figures (const WeftCallTree *self, WeftCallFigure *figures, guint32 node)
{
  return figures + (gsize) node * self->n_columns;
}

/* In an inverted tree the time stands at the end of each path and is that of its beginning. */
static void
add_up (WeftCallTree *self)
{
  memcpy (self->totals, self->selves,
          (gsize) self->nodes->len * self->n_columns * sizeof *self->totals);
  for (guint32 i = self->nodes->len; i-- > 1;)
    for (guint c = 0; c < self->n_columns; c++)
      add_figure (&get_figures (self, self->totals, get_node (self, i)->parent)[c],
                  &get_figures (self, self->totals, i)[c]);
}

static void
move_selves_inwards (WeftCallTree *self)
{
  memset (self->selves, 0, (gsize) self->nodes->len * self->n_columns * sizeof *self->selves);
  for (guint32 i = 1; i < self->nodes->len; i++)
    {
      const WeftCallTreeNode *node = get_node (self, i);
      gboolean is_innermost = node->name != 0 && get_node (self, node->parent)->name == 0;

      for (guint c = 0; c < self->n_columns && is_innermost; c++)
        get_figures (self, self->selves, i)[c] = get_figures (self, self->totals, i)[c];
    }
}

WeftCallTree *
weft_call_tree_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                    const WeftFrameNames *names, GArray *weights, const WeftCallTreePlan *plan,
                    GError **error)
{
  g_autoptr (WeftCallTree) self = g_new0 (WeftCallTree, 1);
  gsize n = (gsize) weft_callchain_reader_get_n_nodes (callchains) + 1;
  g_autofree guint32 *found = g_new (guint32, n);
  g_autoptr (GArray) placed = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) pending = g_array_new (FALSE, FALSE, sizeof (guint32));
  Builder builder = { .tree = self,
                      .scope = scope,
                      .callchains = callchains,
                      .names = names,
                      .found = found,
                      .placed = placed,
                      .pending = pending };
  g_autofree guint32 *places = NULL;

  memset (found, 0xff, n * sizeof *found);
  self->nodes = g_array_new (FALSE, TRUE, sizeof (WeftCallTreeNode));
  g_array_set_size (self->nodes, 1);
  self->n_columns = plan->n_columns;
  weft_key_map_init (&builder.keys);
  places = place_weights (&builder, weights, plan, error);
  weft_key_map_clear (&builder.keys);
  if (places == NULL)
    return NULL;
  add_weights (self, weights, places, plan);
  add_up (self);
  if (plan->is_inverted)
    move_selves_inwards (self);
  return g_steal_pointer (&self);
}

void
weft_call_tree_free (WeftCallTree *self)
{
  g_array_unref (self->nodes);
  g_free (self->selves);
  g_free (self->totals);
  g_free (self);
}

guint32
weft_call_tree_get_n_nodes (const WeftCallTree *self)
{
  return self->nodes->len;
}

const WeftCallTreeNode *
weft_call_tree_get_node (const WeftCallTree *self, guint32 node)
{
  return get_node (self, node);
}

const WeftCallFigure *
weft_call_tree_get_self (const WeftCallTree *self, guint32 node)
{
  return get_figures (self, self->selves, node);
}

const WeftCallFigure *
weft_call_tree_get_total (const WeftCallTree *self, guint32 node)
{
  return get_figures (self, self->totals, node);
}

/* ---- By name ---- */

static void
enter (const WeftCallTree *self, guint32 node, guint32 *n_open, WeftCallFigure *selves,
       WeftCallFigure *totals)
{
  guint32 name = get_node (self, node)->name;

  for (guint c = 0; c < self->n_columns; c++)
    {
      add_figure (&selves[(gsize) name * self->n_columns + c],
                  &get_figures (self, self->selves, node)[c]);
      if (n_open[name] == 0)
        add_figure (&totals[(gsize) name * self->n_columns + c],
                    &get_figures (self, self->totals, node)[c]);
    }
  n_open[name]++;
}

void
weft_call_tree_sum_names (const WeftCallTree *self, guint32 n_names, WeftCallFigure **selves,
                          WeftCallFigure **totals)
{
  gsize n = ((gsize) n_names + 1) * self->n_columns;
  g_autofree guint32 *n_open = g_new0 (guint32, (gsize) n_names + 1);
  guint32 at = 0;

  *selves = g_new0 (WeftCallFigure, n);
  *totals = g_new0 (WeftCallFigure, n);
  enter (self, at, n_open, *selves, *totals);
  for (;;)
    {
      guint32 next = get_node (self, at)->first_child;

      while (next == 0)
        {
          n_open[get_node (self, at)->name]--;
          if (at == 0)
            return;
          next = get_node (self, at)->next_sibling;
          at = next == 0 ? get_node (self, at)->parent : at;
        }
      at = next;
      enter (self, at, n_open, *selves, *totals);
    }
}
