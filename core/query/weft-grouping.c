/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries for groups of rows: made chunk by chunk, merged in order, ordered, cut. */

#include "weft-plan.h"

#include <string.h>

#include "weft-cursor.h"
#include "weft-group-finder.h"
#include "weft-output.h"
#include "weft-scan.h"
#include "weft-sorter.h"
#include "weft-store-parallel.h"

/* ---- One chunk ---- */

static gboolean
take_batch (const WeftBatch *batch, guint first, gpointer data, GError **error)
{
  WeftGroupFinder *self = data;

  return weft_group_finder_find (self, batch, error) &&
         weft_groups_add (self->groups, self->of_rows, batch, error);
}

/* ---- All chunks ---- */

typedef struct
{
  const WeftPlan *plan;
  WeftScan scan;
  WeftGroups *total;
  WeftGroups **done; /* by chunk; those from NEXT on wait for their turn */
  guint n_chunks;
  guint next;
  GMutex lock;
} Grouping;

/* FALSE without an error: there is no use in going on. */
static gboolean
merge_done (Grouping *self, guint chunk, WeftGroups *groups, GError **error)
{
  gboolean good = TRUE;

  g_mutex_lock (&self->lock);
  self->done[chunk] = groups;
  while (good && self->next < self->n_chunks && self->done[self->next] != NULL)
    {
      good = weft_groups_merge (self->total, self->done[self->next], error) &&
             !self->total->is_crowded;
      g_clear_pointer (&self->done[self->next], weft_groups_free);
      self->next++;
    }
  g_mutex_unlock (&self->lock);
  return good;
}

static gboolean
group_chunk (guint thread, guint item, gpointer data, GError **error)
{
  Grouping *self = data;
  g_autoptr (WeftGroups) groups = weft_groups_new (self->plan, self->total->has_spreads);
  g_autofree WeftGroupFinder *finder = g_new0 (WeftGroupFinder, 1);
  gboolean good;

  weft_group_finder_init (finder, groups, item);
  good = weft_scan_chunk (&self->scan, item, take_batch, finder, error);
  weft_group_finder_clear (finder);
  if (!good)
    return FALSE;
  weft_run_advance (self->scan.run, 1);
  return merge_done (self, item, g_steal_pointer (&groups), error);
}

static guint32
get_places (const WeftPlan *plan)
{
  guint32 places = 0;

  for (guint i = 0; i < plan->keys->len; i++)
    places |= weft_expression_get_places (WEFT_PLAN_KEY (plan, i)->expression);
  for (guint i = 0; i < plan->items->len; i++)
    if (WEFT_PLAN_ITEM (plan, i)->aggregate.kind != WEFT_AGGREGATE_NONE)
      places |= weft_expression_get_places (WEFT_PLAN_ITEM (plan, i)->expression) |
                weft_expression_get_places (WEFT_PLAN_ITEM (plan, i)->duration);
  return places;
}

static gboolean
group_all (WeftPlan *plan, WeftGroups *total, GError **error)
{
  Grouping grouping = {
    .plan = plan,
    .scan = { plan->run, plan->table, plan->predicate, get_places (plan) },
    .total = total,
    .n_chunks = weft_store_get_n_chunks (plan->run->store, plan->table),
  };
  gboolean good;

  grouping.done = g_new0 (WeftGroups *, grouping.n_chunks + 1);
  g_mutex_init (&grouping.lock);
  weft_run_expect (plan->run, grouping.n_chunks);
  good = weft_parallel_run (grouping.n_chunks, group_chunk, &grouping, error);
  for (guint i = 0; i < grouping.n_chunks; i++)
    g_clear_pointer (&grouping.done[i], weft_groups_free);
  g_free (grouping.done);
  g_mutex_clear (&grouping.lock);
  weft_run_explain (plan->run, "groups: scan of %u chunks", grouping.n_chunks);
  return good;
}

/* ---- The answer ---- */

/* Whether a sum is beyond 64 bits: then its column is of doubles. */
static void
settle_sums (const WeftGroups *self, WeftPlan *plan)
{
  const __int128 most = G_MAXUINT64;

  for (guint a = 0; a < self->n_aggregates; a++)
    {
      WeftItem *item = (WeftItem *) self->aggregates[a];
      WeftValueType type;

      if (item->aggregate.kind != WEFT_AGGREGATE_SUM)
        continue;
      type = weft_item_get_type (item);
      for (guint i = 0; i < self->n_groups && type != WEFT_VALUE_DOUBLE; i++)
        {
          __int128 sum = weft_groups_get_state (self, i, a)->sum;

          if (type == WEFT_VALUE_INT64 ? sum != (gint64) sum : sum > most)
            item->is_wide = TRUE;
        }
    }
}

/* The item's value of a group. */
static gboolean
get_value (const WeftGroups *self, const WeftItem *item, guint aggregate, guint group,
           guint64 *bits)
{
  const guint64 *keys = weft_groups_get_keys (self, group);

  if (item->aggregate.kind != WEFT_AGGREGATE_NONE)
    return weft_groups_get (self, aggregate, group, bits);
  *bits = keys[item->key + 1];
  return !(keys[0] >> item->key & 1);
}

static void
fill (WeftOutput *output, const WeftGroups *groups)
{
  const WeftPlan *plan = output->plan;
  guint aggregate = 0;

  for (guint i = 0; i < plan->items->len; i++)
    {
      const WeftItem *item = WEFT_PLAN_ITEM (plan, i);

      for (guint row = 0; row < output->n_rows; row++)
        {
          guint64 bits = 0;

          output->columns[i].nulls[row] = !get_value (groups, item, aggregate, row, &bits);
          output->columns[i].values[row] = output->columns[i].nulls[row] ? 0 : bits;
        }
      aggregate += item->aggregate.kind != WEFT_AGGREGATE_NONE;
    }
}

static gboolean
order_groups (const WeftOutput *all, const WeftCursor *cursor, WeftSorter *sorter, GError **error)
{
  const WeftPlan *plan = all->plan;
  g_autofree guint64 *record = g_new0 (guint64, sorter->n_words);

  sorter->cursor_texts = (const char *const *) cursor->texts;
  for (guint row = 0; row < all->n_rows; row++)
    {
      record[WEFT_SORTER_PLACE] = row;
      for (guint k = 0; k < plan->orders->len; k++)
        {
          const WeftOutputColumn *column = &all->columns[WEFT_PLAN_ORDER (plan, k)->item];

          weft_sorter_set_key (sorter, record, k, column->values[row], column->nulls[row]);
        }
      if (cursor->record != NULL && weft_sorter_compare (sorter, record, cursor->record) <= 0)
        continue;
      if (!weft_sorter_add (sorter, record, error))
        return FALSE;
    }
  weft_sorter_finish (sorter);
  return TRUE;
}

static WeftTable *
answer (WeftPlan *plan, const WeftGroups *groups, const WeftCursor *cursor, GError **error)
{
  g_auto (WeftOutput) all = { 0 };
  g_auto (WeftOutput) output = { 0 };
  g_auto (WeftSorter) sorter = { 0 };
  g_autofree char *next = NULL;
  guint limit = plan->question->limit;
  guint64 n;

  if (!weft_output_init (&all, plan, groups->n_groups, error))
    return NULL;
  fill (&all, groups);
  weft_sorter_init (&sorter, plan, limit);
  if (!order_groups (&all, cursor, &sorter, error))
    return NULL;
  n = weft_sorter_get_n (&sorter);
  if (!weft_output_init (&output, plan, n, error))
    return NULL;
  for (guint i = 0; i < output.n_columns; i++)
    for (guint row = 0; row < n; row++)
      {
        guint64 place = weft_sorter_get (&sorter, row)[WEFT_SORTER_PLACE];

        output.columns[i].values[row] = all.columns[i].values[place];
        output.columns[i].nulls[row] = all.columns[i].nulls[place];
      }
  if (limit > 0 && n == limit)
    next = weft_cursor_print (&sorter, weft_sorter_get (&sorter, n - 1));
  return weft_output_finish (&output, next);
}

static WeftGroups *
new_total (WeftPlan *plan, gboolean has_spreads)
{
  WeftGroups *total = weft_groups_new (plan, has_spreads);

  /* Without keys there is one group, even of no rows. */
  if (total->n_keys == 0)
    weft_groups_find (total, (const guint64[]){ 0 });
  return total;
}

static gboolean
find_all (WeftPlan *plan, WeftGroups **total, GError **error)
{
  if (!group_all (plan, *total, error))
    return FALSE;
  if (!(*total)->is_crowded)
    return weft_groups_find_ranks (*total, error);
  weft_groups_free (*total);
  *total = new_total (plan, FALSE);
  return group_all (plan, *total, error);
}

WeftTable *
weft_groups_run (WeftPlan *plan, GError **error)
{
  g_autoptr (WeftGroups) total = NULL;
  g_auto (WeftCursor) cursor = { 0 };
  gboolean is_answered;

  if (!weft_cursor_parse (&cursor, plan, plan->question->cursor, error))
    return NULL;
  total = new_total (plan, TRUE);
  if (!weft_groups_summarize (total, &is_answered, error) ||
      (!is_answered && !find_all (plan, &total, error)))
    return NULL;
  settle_sums (total, plan);
  for (guint a = 0; a < total->n_aggregates; a++)
    weft_collection_settle (&total->collections[a], total->n_groups);
  return answer (plan, total, &cursor, error);
}
