/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-flame-tree.h"

#include "weft-enum-types.h"
#include "weft-flame-rows.h"
#include "weft-key-map.h"

#define MAX_NODES (1u << 23)
#define NO_NODE G_MAXUINT32

typedef struct
{
  guint32 item;
  guint32 parent;
  guint32 last_child;
  guint32 n_children;
  guint64 count;
  guint64 times[WEFT_FLAME_N_TIMES]; /* of its own; then of all that it holds too */
  guint64 self;
  gint64 start;
  gint64 stop;
} Node;

struct _WeftFlameTree
{
  GArray *nodes;                          /* element type Node; parents before their children */
  GArray *items;                          /* element type WeftFlameItem */
  WeftKeyMap numbers[WEFT_FLAME_N_KINDS]; /* (variant, id) → number of the item */
  WeftKeyMap children;                    /* (parent, item) → node */
};

static const char *const kinds[WEFT_FLAME_N_KINDS] = { "all", "process",  "thread", "reason",
                                                       "cut", "function", "target", "state" };

static Node *
get_node (WeftFlameTree *self, guint32 node)
{
  return &g_array_index (self->nodes, Node, node);
}

static const WeftFlameItem *
get_item (WeftFlameTree *self, guint32 item)
{
  return &g_array_index (self->items, WeftFlameItem, item);
}

WeftFlameTree *
weft_flame_tree_new (void)
{
  WeftFlameTree *self = g_new0 (WeftFlameTree, 1);
  Node all = { .parent = NO_NODE, .last_child = NO_NODE };

  self->nodes = g_array_new (FALSE, FALSE, sizeof (Node));
  self->items = g_array_new (FALSE, FALSE, sizeof (WeftFlameItem));
  for (guint i = 0; i < WEFT_FLAME_N_KINDS; i++)
    weft_key_map_init (&self->numbers[i]);
  weft_key_map_init (&self->children);
  all.item = weft_flame_tree_add_item (self, &(WeftFlameItem){ WEFT_FLAME_ALL, .name = "all" });
  g_array_append_val (self->nodes, all);
  return self;
}

void
weft_flame_tree_free (WeftFlameTree *self)
{
  g_array_unref (self->nodes);
  g_array_unref (self->items);
  for (guint i = 0; i < WEFT_FLAME_N_KINDS; i++)
    weft_key_map_clear (&self->numbers[i]);
  weft_key_map_clear (&self->children);
  g_free (self);
}

guint32
weft_flame_tree_add_item (WeftFlameTree *self, const WeftFlameItem *item)
{
  guint32 number = weft_key_map_add (&self->numbers[item->kind],
                                     (guint64) item->variant << 32 | item->id, self->items->len);

  if (number == self->items->len)
    g_array_append_val (self->items, *item);
  return number;
}

static guint32
append_node (WeftFlameTree *self, guint32 parent, guint32 item, gint64 start)
{
  Node node = { .item = item, .parent = parent, .last_child = NO_NODE };
  guint32 number = self->nodes->len;

  if (weft_flame_tree_is_full (self))
    return parent;
  node.start = node.stop = start;
  g_array_append_val (self->nodes, node);
  get_node (self, parent)->last_child = number;
  get_node (self, parent)->n_children++;
  return number;
}

guint32
weft_flame_tree_get_child (WeftFlameTree *self, guint32 parent, guint32 item)
{
  guint32 last = get_node (self, parent)->last_child;
  guint32 child;

  if (last != NO_NODE && get_node (self, last)->item == item)
    return last;
  child = weft_key_map_add (&self->children, (guint64) parent << 32 | item, self->nodes->len);
  return child == self->nodes->len ? append_node (self, parent, item, 0) : child;
}

guint32
weft_flame_tree_append_child (WeftFlameTree *self, guint32 parent, guint32 item, gint64 start)
{
  return append_node (self, parent, item, start);
}

void
weft_flame_tree_set_stop (WeftFlameTree *self, guint32 node, gint64 stop)
{
  while (node != NO_NODE && get_node (self, node)->stop < stop)
    {
      get_node (self, node)->stop = stop;
      node = get_node (self, node)->parent;
    }
}

void
weft_flame_tree_add (WeftFlameTree *self, guint32 node, WeftFlameTime time, guint64 amount,
                     guint64 count)
{
  get_node (self, node)->times[time] += amount;
  get_node (self, node)->count += count;
}

gboolean
weft_flame_tree_is_full (WeftFlameTree *self)
{
  return self->nodes->len >= MAX_NODES;
}

gboolean
weft_flame_tree_is_empty (WeftFlameTree *self)
{
  return self->nodes->len == 1 && get_node (self, 0)->count == 0;
}

/* ---- Rows ---- */

static guint64
get_total (const Node *node)
{
  guint64 total = 0;

  for (guint i = 0; i < WEFT_FLAME_N_TIMES; i++)
    total += node->times[i];
  return total;
}

static void
sum_up (WeftFlameTree *self)
{
  for (guint32 i = self->nodes->len; i-- > 0;)
    get_node (self, i)->self = get_total (get_node (self, i));
  for (guint32 i = self->nodes->len; i-- > 1;)
    {
      const Node *node = get_node (self, i);
      Node *parent = get_node (self, node->parent);

      parent->count += node->count;
      for (guint time = 0; time < WEFT_FLAME_N_TIMES; time++)
        parent->times[time] += node->times[time];
    }
}

typedef struct
{
  WeftFlameTree *tree;
  const WeftFlameLayout *layout;
} Order;

static int
compare_ids (const WeftFlameItem *a, const WeftFlameItem *b)
{
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  if (a->id != b->id)
    return a->id < b->id ? -1 : 1;
  return a->variant < b->variant ? -1 : a->variant > b->variant;
}

static int
compare_nodes (gconstpointer a, gconstpointer b, gpointer data)
{
  Order *order = data;
  guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;
  const Node *one = get_node (order->tree, left);
  const Node *other = get_node (order->tree, right);
  int ids;

  if (one->parent != other->parent)
    return one->parent < other->parent ? -1 : 1;
  if (order->layout->by_time && one->start != other->start)
    return one->start < other->start ? -1 : 1;
  if (!order->layout->by_time && get_total (one) != get_total (other))
    return get_total (one) > get_total (other) ? -1 : 1;
  ids = compare_ids (get_item (order->tree, one->item), get_item (order->tree, other->item));
  return ids != 0 ? ids : left < right ? -1 : left > right;
}

static gboolean
is_of_stack (WeftFlameTree *self, const Node *node)
{
  WeftFlameKind kind = get_item (self, node->item)->kind;

  return kind == WEFT_FLAME_FUNCTION || kind == WEFT_FLAME_CUT;
}

/* Where stacks are turned round, the time stands at the end of each, and is that of its begin. */
static void
move_selves (WeftFlameTree *self)
{
  for (guint32 i = 0; i < self->nodes->len; i++)
    {
      Node *node = get_node (self, i);
      gboolean is_first =
          i > 0 && is_of_stack (self, node) && !is_of_stack (self, get_node (self, node->parent));

      if (is_first)
        node->self = get_total (node);
      else if (is_of_stack (self, node))
        node->self = 0;
    }
}

/* All nodes but the first, those with one parent together. FIRST gets where the children of each
 * begin.
 */
static guint32 *
sort_nodes (Order *order, guint32 *first)
{
  guint n = order->tree->nodes->len - 1;
  guint32 *sorted = g_new (guint32, n + 1);

  for (guint32 i = 0; i < n; i++)
    sorted[i] = i + 1;
  g_qsort_with_data (sorted, (int) n, sizeof *sorted, compare_nodes, order);
  for (guint32 i = n; i-- > 0;)
    first[get_node (order->tree, sorted[i])->parent] = i;
  return sorted;
}

static const char *
get_time_kind (const Node *node, const WeftFlameItem *item, const WeftFlameLayout *layout)
{
  if (item->kind == WEFT_FLAME_ALL)
    return layout->time_kind;
  if (item->kind == WEFT_FLAME_WORK)
    return "target";
  if (node->times[WEFT_FLAME_ON_CPU] == get_total (node))
    return node->count == 0 ? layout->time_kind : "cpu";
  return node->times[WEFT_FLAME_ON_CPU] == 0 ? "off-cpu" : layout->time_kind;
}

static const char *
get_reason (const WeftFlameItem *item)
{
  g_autoptr (GTypeClass) words = g_type_class_ref (WEFT_TYPE_WAIT_REASON);
  const GEnumValue *reason = g_enum_get_value (G_ENUM_CLASS (words), (int) item->id);

  return reason ? reason->value_nick : NULL;
}

static void
write_item (WeftTableBuilder *builder, const WeftFlameItem *item)
{
  static const int ids[WEFT_FLAME_N_KINDS] = {
    [WEFT_FLAME_OF_PROCESS] = WEFT_FLAME_PROCESS,
    [WEFT_FLAME_OF_THREAD] = WEFT_FLAME_THREAD,
    [WEFT_FLAME_WORK] = WEFT_FLAME_ROUTINE,
  };

  weft_table_builder_set_string (builder, WEFT_FLAME_KIND, kinds[item->kind]);
  weft_table_builder_set_string (builder, WEFT_FLAME_NAME, item->name);
  if (ids[item->kind] != 0)
    weft_table_builder_set_uint64 (builder, (guint) ids[item->kind], item->id);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_SYMBOL, item->symbol);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_LANE, item->lane);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_MODULE, item->module);
  weft_table_builder_set_string (builder, WEFT_FLAME_MODULE_NAME, item->module_name);
  if (item->kind == WEFT_FLAME_OF_REASON)
    weft_table_builder_set_string (builder, WEFT_FLAME_REASON, get_reason (item));
  if (item->kind != WEFT_FLAME_FUNCTION)
    return;
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_INLINED, item->is_inlined);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_KERNEL, item->is_kernel);
}

/* A node that is still to be written. */
typedef struct
{
  guint32 node;
  guint depth;
  guint parent_row;
} Next;

static void
write_node (Order *order, WeftTableBuilder *builder, const Next *next)
{
  const Node *node = get_node (order->tree, next->node);
  const WeftFlameItem *item = get_item (order->tree, node->item);
  guint64 off = node->times[WEFT_FLAME_OFF_CPU] + node->times[WEFT_FLAME_OF_TARGET];

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_DEPTH, next->depth);
  if (next->node != 0)
    weft_table_builder_set_uint64 (builder, WEFT_FLAME_PARENT, next->parent_row);
  write_item (builder, item);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_COUNT, node->count);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_TOTAL, get_total (node));
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_SELF, node->self);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_WAITING, off);
  weft_table_builder_set_uint64 (builder, WEFT_FLAME_TARGET, node->times[WEFT_FLAME_OF_TARGET]);
  if (order->layout->by_time)
    {
      weft_table_builder_set_int64 (builder, WEFT_FLAME_START, node->start);
      weft_table_builder_set_int64 (builder, WEFT_FLAME_STOP, node->stop);
    }
  weft_table_builder_set_string (builder, WEFT_FLAME_TIME_KIND,
                                 get_time_kind (node, item, order->layout));
}

static guint
write_nodes (Order *order, WeftTableBuilder *builder, guint64 least)
{
  WeftFlameTree *tree = order->tree;
  g_autofree guint32 *first = g_new0 (guint32, tree->nodes->len);
  g_autofree guint32 *sorted = sort_nodes (order, first);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (Next));
  Next next = { 0, 0, 0 };

  g_array_append_val (stack, next);
  while (stack->len > 0)
    {
      Next child;

      next = g_array_index (stack, Next, stack->len - 1);
      g_array_set_size (stack, stack->len - 1);
      child.depth = next.depth + 1;
      child.parent_row = weft_table_builder_get_n_rows (builder);
      write_node (order, builder, &next);
      for (guint i = get_node (tree, next.node)->n_children; i-- > 0;)
        {
          child.node = sorted[first[next.node] + i];
          if (get_total (get_node (tree, child.node)) >= least)
            g_array_append_val (stack, child);
        }
    }
  return tree->nodes->len - weft_table_builder_get_n_rows (builder);
}

/* What holds others began with the first of them. */
static void
find_starts (WeftFlameTree *self)
{
  gboolean is_first = TRUE;

  for (guint32 i = 1; i < self->nodes->len; i++)
    {
      Node *all = get_node (self, 0);
      const Node *node = get_node (self, i);

      all->start = is_first ? node->start : MIN (all->start, node->start);
      all->stop = is_first ? node->stop : MAX (all->stop, node->stop);
      is_first = FALSE;
    }
}

guint
weft_flame_tree_write (WeftFlameTree *self, const WeftFlameLayout *layout,
                       WeftTableBuilder *builder)
{
  Order order = { self, layout };
  double least;

  sum_up (self);
  if (layout->is_inverted)
    move_selves (self);
  find_starts (self);
  least = layout->min_share * (double) get_total (get_node (self, 0));
  return write_nodes (&order, builder, (guint64) (least + 0.999999));
}
