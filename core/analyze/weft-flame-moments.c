/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Flame charts: what a thread did from one moment to the next, one thread above the other. */

#include "weft-flame-threads.h"

#define NOTHING G_MAXUINT32

typedef struct
{
  WeftFlameStacks *stacks;
  WeftFlameMoment last;
  gboolean has_last;
  guint32 root;
  GArray *items; /* element type guint32: what runs at the last moment, from the root on */
  GArray *nodes; /* their nodes */
} Chart;

/* Threads by their ids; a wait that ends when a sample is taken comes first. */
static int
compare_moments (gconstpointer a, gconstpointer b)
{
  const WeftFlameMoment *left = a;
  const WeftFlameMoment *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  if (left->stop != right->stop)
    return left->stop < right->stop ? -1 : 1;
  if (left->time != right->time)
    return left->time > right->time ? -1 : 1;
  return left->start < right->start ? -1 : left->start > right->start;
}

/* Whether what ran at the last moment may have gone on until MOMENT. */
static gboolean
goes_on (const Chart *self, const WeftFlameMoment *moment)
{
  guint64 gap;

  if (!self->has_last || self->last.thread != moment->thread)
    return FALSE;
  gap = (guint64) moment->start - (guint64) self->last.stop;
  return gap <= MAX (self->last.slack, moment->slack);
}

static guint
count_shared (const Chart *self, const GArray *items, guint32 leaf)
{
  guint n = items->len + (leaf != NOTHING);
  guint i = 0;

  for (; i < MIN (n, self->items->len); i++)
    if (g_array_index (self->items, guint32, i) !=
        (i < items->len ? g_array_index (items, guint32, i) : leaf))
      break;
  return i;
}

static void
append_item (Chart *self, guint32 item, gint64 start)
{
  guint n = self->nodes->len;
  guint32 parent = n > 0 ? g_array_index (self->nodes, guint32, n - 1) : self->root;
  guint32 node = weft_flame_tree_append_child (self->stacks->tree, parent, item, start);

  g_array_append_val (self->items, item);
  g_array_append_val (self->nodes, node);
}

static void
add_moment (Chart *self, const WeftFlameMoment *moment)
{
  const GArray *items = weft_flame_stacks_read (self->stacks, moment->stack, moment->cut);
  guint n_shared = goes_on (self, moment) ? count_shared (self, items, moment->leaf) : 0;
  guint32 node;

  if (!self->has_last || self->last.thread != moment->thread)
    self->root = weft_flame_tree_append_child (
        self->stacks->tree, 0, weft_flame_stacks_get_thread_item (self->stacks, moment->thread),
        moment->start);
  g_array_set_size (self->items, n_shared);
  g_array_set_size (self->nodes, n_shared);
  for (guint i = n_shared; i < items->len; i++)
    append_item (self, g_array_index (items, guint32, i), moment->start);
  if (moment->leaf != NOTHING && n_shared <= items->len)
    append_item (self, moment->leaf, moment->start);
  node = self->nodes->len > 0 ? g_array_index (self->nodes, guint32, self->nodes->len - 1)
                              : self->root;
  weft_flame_tree_set_stop (self->stacks->tree, node, moment->stop);
  weft_flame_tree_add (self->stacks->tree, node, moment->time, moment->amount, 1);
  self->last = *moment;
  self->has_last = TRUE;
}

/* Between two waits a thread may have run too briefly for a sample: it did not leave its functions
 * for that.
 */
static void
set_slack_of_waits (GArray *moments)
{
  guint64 sum = 0;
  guint n = 0;

  for (guint i = 0; i < moments->len; i++)
    {
      const WeftFlameMoment *moment = &g_array_index (moments, WeftFlameMoment, i);

      if (moment->time != WEFT_FLAME_ON_CPU)
        continue;
      sum += moment->amount;
      n++;
    }
  for (guint i = 0; n > 0 && i < moments->len; i++)
    {
      WeftFlameMoment *moment = &g_array_index (moments, WeftFlameMoment, i);

      if (moment->time != WEFT_FLAME_ON_CPU)
        moment->slack = sum / n + sum / n / 2;
    }
}

void
weft_flame_add_moments (WeftFlameStacks *stacks, GArray *moments)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (guint32));
  Chart chart = { .stacks = stacks, .items = items, .nodes = nodes };

  g_array_sort (moments, compare_moments);
  set_slack_of_waits (moments);
  for (guint i = 0; i < moments->len; i++)
    {
      WeftFlameMoment *moment = &g_array_index (moments, WeftFlameMoment, i);

      /* A sample stands for time before it, but for none that is told of already. */
      if (chart.has_last && chart.last.thread == moment->thread)
        moment->start = MAX (moment->start, chart.last.stop);
      moment->start = MIN (moment->start, moment->stop);
      add_moment (&chart, moment);
    }
}
