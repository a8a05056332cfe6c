/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-group-finder.h"

/* Where all keys follow from one column whose values lie close together in the chunk, a table tells
 * the group of each of these values.
 */
#define MAX_SPREAD 65536

static guint32 *
make_table (const WeftPlan *plan, guint chunk, WeftGroupFinder *self)
{
  guint32 places = 0;
  guint64 max;

  for (guint i = 0; i < plan->keys->len; i++)
    places |= weft_expression_get_places (WEFT_PLAN_KEY (plan, i)->expression);
  if (__builtin_popcount (places) != 1)
    return NULL;
  self->place = (guint) __builtin_ctz (places);
  if (!weft_store_get_zone (plan->run->store, plan->table, chunk,
                            weft_model_get_table (plan->table)->fields[0].column + self->place,
                            &self->low, &max) ||
      max - self->low >= MAX_SPREAD ||
      weft_schema_table (plan->table)->columns[self->place].flags & WEFT_COLUMN_NULLABLE)
    return NULL;
  return g_new0 (guint32, max - self->low + 1);
}

void
weft_group_finder_init (WeftGroupFinder *self, WeftGroups *groups, guint chunk)
{
  self->groups = groups;
  self->keys = g_new (WeftVector, groups->n_keys + 1);
  self->table = make_table (groups->plan, chunk, self);
}

void
weft_group_finder_clear (WeftGroupFinder *self)
{
  g_clear_pointer (&self->keys, g_free);
  g_clear_pointer (&self->table, g_free);
}

#define LOOK_UP(TYPE)                                                                              \
  {                                                                                                \
    const TYPE *data = column->data;                                                               \
                                                                                                   \
    if (batch->rows == NULL)                                                                       \
      for (guint i = 0; i < batch->n; i++)                                                         \
        {                                                                                          \
          self->of_rows[i] = table[data[i]] - 1;                                                   \
          unknown |= self->of_rows[i];                                                             \
        }                                                                                          \
    else                                                                                           \
      for (guint i = 0; i < batch->n; i++)                                                         \
        {                                                                                          \
          self->of_rows[i] = table[data[batch->rows[i]]] - 1;                                      \
          unknown |= self->of_rows[i];                                                             \
        }                                                                                          \
  }                                                                                                \
  break

/* FALSE: the group of some is not known yet. */
static gboolean
look_up (WeftGroupFinder *self, const WeftBatch *batch)
{
  const WeftStoreColumn *column = batch->columns[self->place];
  const guint32 *table = self->table + (column->base - self->low);
  guint32 unknown = 0; /* its highest bit */

  switch (column->width)
    {
    case 1:
      LOOK_UP (guint8);
    case 2:
      LOOK_UP (guint16);
    case 4:
      LOOK_UP (guint32);
    case 8:
      LOOK_UP (guint64);
    default:
      for (guint i = 0; i < batch->n; i++)
        self->of_rows[i] = *table - 1;
      unknown = *table - 1;
    }
  return unknown >> 31 == 0;
}

/* Puts into the table the groups of those of the batch's values that it does not know. */
static gboolean
learn (WeftGroupFinder *self, const WeftBatch *batch, GError **error)
{
  const WeftStoreColumn *column = batch->columns[self->place];

  for (guint i = 0; i < batch->n; i++)
    {
      guint16 row = batch->rows != NULL ? batch->rows[i] : (guint16) i;
      guint32 *known = &self->table[weft_store_column_get (column, row) - self->low];
      WeftBatch one = *batch;
      guint32 group;

      if (*known != 0)
        continue;
      one.rows = &row;
      one.n = 1;
      if (!weft_groups_find_rows (self->groups, &one, self->keys, &group, error))
        return FALSE;
      *known = group + 1;
    }
  return TRUE;
}

gboolean
weft_group_finder_find (WeftGroupFinder *self, const WeftBatch *batch, GError **error)
{
  if (self->table == NULL)
    return weft_groups_find_rows (self->groups, batch, self->keys, self->of_rows, error);
  if (look_up (self, batch))
    return TRUE;
  return learn (self, batch, error) && look_up (self, batch);
}
