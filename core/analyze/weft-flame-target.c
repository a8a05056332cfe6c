/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What ran inside what: lanes, and on each the routines by the nesting of their spans. */

#include "weft-flame-target.h"

#include "weft-analysis-scope.h"
#include "weft-flame-rows.h"

#include <string.h>

typedef enum
{
  NODE_ALL,
  NODE_PROCESS,
  NODE_KIND,
  NODE_LANE,
  NODE_SPAN
} NodeKind;

static const char *const node_kinds[] = { "all", "process", "kind", "lane", "span" };

typedef struct
{
  NodeKind kind;
  guint32 id; /* of the process, kind, lane or routine */
  guint32 parent;
  guint32 last_child; /* the one found last: spans of a routine come one after another */
  const char *name;
  guint32 lane;
  guint64 count;
  guint64 total;
  guint64 inner; /* part of TOTAL that was spent in dispatches nested in these */
  guint64 errors;
  guint n_children;
} Node;

#define NO_NODE G_MAXUINT32
/* A span's mark among the open ones: its node and whether it is shown itself, or else the one that
 * it is shown in.
 */
#define MARK_SHOWN 1u
#define MAX_NODES (1u << 30)

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftNesting *nesting;
  GArray *nodes;        /* element type Node; the first is all */
  GHashTable *children; /* (parent, id) → node */
  GHashTable *kinds;    /* text → number from 1 */
  guint32 lane;         /* node of the lane at hand */
  gboolean is_too_large;
} Flame;

static Node *
get_node (Flame *self, guint32 index)
{
  return &g_array_index (self->nodes, Node, index);
}

static guint32
add_node (Flame *self, NodeKind kind, guint32 parent, guint32 id, const char *name)
{
  Node node = { .kind = kind, .id = id, .parent = parent, .last_child = NO_NODE, .name = name };
  guint32 index = self->nodes->len;

  if (parent != NO_NODE)
    {
      guint64 key = (guint64) parent << 32 | id;

      node.lane = kind == NODE_LANE ? id : get_node (self, parent)->lane;
      get_node (self, parent)->n_children++;
      g_hash_table_insert (self->children, g_memdup2 (&key, sizeof key), GUINT_TO_POINTER (index));
    }
  g_array_append_val (self->nodes, node);
  return index;
}

/* All children of a node are of one kind. */
static guint32
get_child (Flame *self, NodeKind kind, guint32 parent, guint32 id, const char *name)
{
  guint64 key = (guint64) parent << 32 | id;
  guint32 last = get_node (self, parent)->last_child;
  gpointer found;

  if (last != NO_NODE && get_node (self, last)->id == id)
    return last;
  if (g_hash_table_lookup_extended (self->children, &key, NULL, &found))
    last = GPOINTER_TO_UINT (found);
  else
    last = add_node (self, kind, parent, id, name);
  get_node (self, parent)->last_child = last;
  return last;
}

/* ---- Lanes ---- */

static guint32
get_group (Flame *self, const WeftCatalogLane *lane)
{
  const WeftCatalogProcess *process;
  guint number;

  if (lane == NULL || strcmp (self->scope->group_by, "lane") == 0)
    return 0;
  if (strcmp (self->scope->group_by, "process") == 0)
    {
      process = weft_catalog_get_lane_process (self->catalog, lane);
      return process == NULL ? get_child (self, NODE_PROCESS, 0, 0, NULL)
                             : get_child (self, NODE_PROCESS, 0, process->id, process->name);
    }
  number =
      lane->kind == NULL ? 0 : GPOINTER_TO_UINT (g_hash_table_lookup (self->kinds, lane->kind));
  if (lane->kind != NULL && number == 0)
    {
      number = g_hash_table_size (self->kinds) + 1;
      g_hash_table_insert (self->kinds, (gpointer) lane->kind, GUINT_TO_POINTER (number));
    }
  return get_child (self, NODE_KIND, 0, number, lane->kind);
}

static guint32
get_lane (Flame *self, guint32 id)
{
  const WeftCatalogLane *lane;

  if (self->lane == NO_NODE || get_node (self, self->lane)->id != id)
    {
      lane = weft_catalog_get_lane (self->catalog, id);
      self->lane =
          get_child (self, NODE_LANE, get_group (self, lane), id, lane == NULL ? NULL : lane->name);
    }
  return self->lane;
}

/* ---- Spans ---- */

static void
count_row (Node *node, const WeftDispatchRow *row)
{
  node->count++;
  node->errors += row->status == WEFT_STATUS_ERROR;
}

static void
add_row (const WeftDispatchRow *row, gpointer data)
{
  Flame *self = data;
  guint64 time = weft_scope_clip (self->scope, row->start, row->end);
  guint32 mark = 0;
  guint32 parent;
  guint32 lane;
  gboolean is_nested = weft_nesting_get_outer (self->nesting, row, &mark);

  if (is_nested && (mark & MARK_SHOWN))
    get_node (self, mark >> 1)->inner += time;
  if (self->nodes->len >= MAX_NODES)
    {
      self->is_too_large = TRUE;
      return;
    }
  /* What the filter leaves out stands aside for what is in it. */
  parent = is_nested ? mark >> 1 : NO_NODE;
  if (!row->is_selected)
    {
      if (parent == NO_NODE)
        return;
      weft_nesting_enter (self->nesting, row, parent << 1);
      return;
    }

  lane = get_lane (self, row->lane);
  count_row (get_node (self, lane), row);
  if (parent == NO_NODE)
    parent = lane;
  parent = get_child (self, NODE_SPAN, parent, row->routine,
                      weft_catalog_get_routine_name (self->catalog, row->routine));
  weft_nesting_enter (self->nesting, row, parent << 1 | MARK_SHOWN);
  count_row (get_node (self, parent), row);
  get_node (self, parent)->total += time;
}

/* What holds spans or lanes has the sum of what runs on them, which may exceed the wall time. */
static void
add_up (Flame *self)
{
  for (guint i = self->nodes->len; i-- > 1;)
    {
      const Node *node = get_node (self, i);
      Node *parent = get_node (self, node->parent);

      if (parent->kind == NODE_SPAN)
        continue;
      parent->total += node->total;
      parent->inner += node->total;
      if (node->kind == NODE_SPAN)
        continue;
      parent->count += node->count;
      parent->errors += node->errors;
    }
}

/* ---- Rows ---- */

/* A node that is still to be written. */
typedef struct
{
  guint32 node;
  guint depth;
  guint parent_row;
} Next;

static void
write_node (WeftTableBuilder *builder, const Node *node, const Next *next)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_DEPTH, next->depth);
  if (node->kind != NODE_ALL)
    weft_table_builder_set_uint64 (builder, WEFT_FLAME_PARENT, next->parent_row);
  weft_table_builder_set_string (builder, WEFT_FLAME_KIND, node_kinds[node->kind]);
  weft_table_builder_set_string (builder, WEFT_FLAME_NAME, node->name);
  if (node->kind == NODE_PROCESS)
    weft_table_builder_set_uint64 (builder, WEFT_FLAME_PROCESS, node->id);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_LANE, node->lane);
  if (node->kind == NODE_SPAN)
    weft_table_builder_set_uint64 (builder, WEFT_FLAME_ROUTINE, node->id);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_COUNT, node->count);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_TOTAL, node->total);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_SELF,
                                 node->total - MIN (node->total, node->inner));
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_ERRORS, node->errors);
  weft_table_builder_set_string (builder, WEFT_FLAME_TIME_KIND, "target");
}

static int
compare_nodes (gconstpointer a, gconstpointer b, gpointer data)
{
  Flame *self = data;
  const Node *node_a = get_node (self, *(const guint32 *) a);
  const Node *node_b = get_node (self, *(const guint32 *) b);

  if (node_a->parent != node_b->parent)
    return node_a->parent < node_b->parent ? -1 : 1;
  if (node_a->total != node_b->total)
    return node_a->total > node_b->total ? -1 : 1;
  return node_a->id < node_b->id ? -1 : node_a->id > node_b->id;
}

/* All nodes but the first, those with one parent together, the longest first. FIRST gets where the
 * children of each begin.
 */
static guint32 *
sort_nodes (Flame *self, guint32 *first)
{
  guint32 *order = g_new (guint32, self->nodes->len);

  for (guint32 i = 1; i < self->nodes->len; i++)
    order[i - 1] = i;
  g_qsort_with_data (order, (int) self->nodes->len - 1, sizeof *order, compare_nodes, self);
  for (guint32 i = self->nodes->len - 1; i-- > 0;)
    first[get_node (self, order[i])->parent] = i;
  return order;
}

static void
write_nodes (Flame *self, WeftTableBuilder *builder)
{
  g_autofree guint32 *first = g_new0 (guint32, self->nodes->len);
  g_autofree guint32 *order = sort_nodes (self, first);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (Next));
  Next next = { 0, 0, 0 };

  g_array_append_val (stack, next);
  while (stack->len > 0)
    {
      const Node *node;
      Next child;

      next = g_array_index (stack, Next, stack->len - 1);
      g_array_set_size (stack, stack->len - 1);
      node = get_node (self, next.node);
      child.depth = next.depth + 1;
      child.parent_row = weft_table_builder_get_n_rows (builder);
      write_node (builder, node, &next);
      for (guint i = node->n_children; i-- > 0;)
        {
          child.node = order[first[next.node] + i];
          g_array_append_val (stack, child);
        }
    }
}

static WeftTable *
make_table (Flame *self)
{
  WeftTableBuilder *builder = weft_flame_rows_begin ();

  if (self->nodes->len > 1)
    {
      add_up (self);
      write_nodes (self, builder);
    }
  else
    weft_scope_set_nothing (self->scope, builder);
  return weft_table_builder_finish (builder);
}

static void
flame_clear (Flame *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->nesting, weft_nesting_free);
  g_clear_pointer (&self->nodes, g_array_unref);
  g_clear_pointer (&self->children, g_hash_table_unref);
  g_clear_pointer (&self->kinds, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flame, flame_clear)

gboolean
weft_flame_run_target (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Flame) self = { .scope = scope, .lane = NO_NODE };
  g_autoptr (WeftSelection) selection = NULL;
  g_autoptr (WeftTable) table = NULL;
  gint64 begin, end;

  self.nesting = weft_nesting_new ();
  self.nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  self.children = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self.kinds = g_hash_table_new (g_str_hash, g_str_equal);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL || !weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_scope_select_dispatches (scope, &selection, error))
    return FALSE;
  add_node (&self, NODE_ALL, NO_NODE, 0, "all");
  if (!weft_stream_dispatches (scope, selection, add_row, &self, error))
    return FALSE;
  if (self.is_too_large)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                   "The flame graph has more than %u nodes; ask for a range or with a filter",
                   MAX_NODES);
      return FALSE;
    }
  table = make_table (&self);
  weft_report_append (report, table);
  return TRUE;
}
