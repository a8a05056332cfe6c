/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-row-orders.h"

#include <string.h>

#define MAX_ORDERS 32 /* of 128 KiB at most */

typedef struct
{
  guint64 offset; /* of the chunk in the file */
  GBytes *rows;
} Order;

struct _WeftRowOrders
{
  GMutex lock;
  GQueue latest; /* element type Order, the one used last first */
};

static void
order_free (gpointer data)
{
  Order *order = data;

  g_bytes_unref (order->rows);
  g_free (order);
}

WeftRowOrders *
weft_row_orders_new (void)
{
  WeftRowOrders *self = g_new0 (WeftRowOrders, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->latest);
  return self;
}

void
weft_row_orders_free (WeftRowOrders *self)
{
  g_queue_clear_full (&self->latest, order_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static GBytes *
find_known (WeftRowOrders *self, guint64 offset)
{
  for (GList *link = self->latest.head; link != NULL; link = link->next)
    {
      Order *order = link->data;

      if (order->offset != offset)
        continue;
      g_queue_unlink (&self->latest, link);
      g_queue_push_head_link (&self->latest, link);
      return g_bytes_ref (order->rows);
    }
  return NULL;
}

/* NULL if the ids are not those that the chunk claims, each once. */
static GBytes *
make_order (const WeftStoreColumn *ids, guint64 first_row)
{
  g_autofree guint16 *rows = g_new (guint16, ids->n_rows);
  g_autofree guint8 *seen = g_malloc0 (ids->n_rows);

  for (guint row = 0; row < ids->n_rows; row++)
    {
      guint64 place = weft_store_column_get (ids, row) - first_row;

      if (place >= ids->n_rows || seen[place])
        return NULL;
      seen[place] = TRUE;
      rows[place] = (guint16) row;
    }
  return g_bytes_new_take (g_steal_pointer (&rows), ids->n_rows * sizeof (guint16));
}

static void
remember (WeftRowOrders *self, guint64 offset, GBytes *rows)
{
  Order *order = g_new (Order, 1);

  order->offset = offset;
  order->rows = g_bytes_ref (rows);
  g_queue_push_head (&self->latest, order);
  if (self->latest.length > MAX_ORDERS)
    order_free (g_queue_pop_tail (&self->latest));
}

GBytes *
weft_row_orders_get (WeftRowOrders *self, WeftStore *store, WeftTableId table, guint chunk)
{
  WeftStoreColumn ids = { 0 };
  WeftChunkInfo info;
  GBytes *rows;

  if (table != WEFT_TABLE_DISPATCHES)
    return NULL;
  weft_store_get_chunk (store, table, chunk, &info);
  if (!info.sealed)
    return NULL;
  g_mutex_lock (&self->lock);
  rows = find_known (self, info.file_offset);
  g_mutex_unlock (&self->lock);
  if (rows != NULL || !weft_store_read_column (store, table, chunk, WEFT_DISPATCHES_ID, &ids, NULL))
    return rows;
  rows = make_order (&ids, info.first_row);
  weft_store_column_clear (&ids);
  if (rows != NULL)
    {
      g_mutex_lock (&self->lock);
      remember (self, info.file_offset, rows);
      g_mutex_unlock (&self->lock);
    }
  return rows;
}

/* Column 0 of a table is its id, if it has one. */
static gboolean
has_sparse_ids (WeftTableId table)
{
  const WeftColumnSpec *first = &weft_schema_table (table)->columns[0];

  return strcmp (first->name, "id") == 0 && !(first->flags & WEFT_COLUMN_KEY);
}

static gboolean
find_in_chunk (WeftStore *store, WeftTableId table, guint chunk, WeftColumnNumber column,
               guint64 id, WeftPlace *place)
{
  WeftStoreColumn ids = { 0 };
  WeftChunkInfo info;
  guint64 min, max;
  gboolean found = FALSE;

  if (!weft_store_get_zone (store, table, chunk, column, &min, &max) || id < min || id > max ||
      !weft_store_read_column (store, table, chunk, column, &ids, NULL))
    return FALSE;
  weft_store_get_chunk (store, table, chunk, &info);
  for (guint row = 0; row < ids.n_rows && !found; row++)
    if (weft_store_column_get (&ids, row) == id)
      {
        *place = (WeftPlace){ .number = info.first_row + row, .chunk = chunk, .row = row };
        found = TRUE;
      }
  weft_store_column_clear (&ids);
  return found;
}

/* Ids that are given out before their rows are written: traces. */
static gboolean
find_sparse (WeftStore *store, WeftTableId table, guint64 id, WeftPlace *place, GError **error)
{
  g_assert (table == WEFT_TABLE_TRACES);

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, table); chunk++)
    if (find_in_chunk (store, table, chunk, WEFT_TRACES_ID, id, place))
      return TRUE;
  g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW,
               "The table “%s” has no row %" G_GUINT64_FORMAT, weft_schema_table (table)->name, id);
  return FALSE;
}

gboolean
weft_row_orders_find (WeftRowOrders *self, WeftStore *store, WeftTableId table, guint64 id,
                      WeftPlace *place, GError **error)
{
  g_autoptr (GBytes) order = NULL;
  WeftChunkInfo info;
  guint low = 0;
  guint high = weft_store_get_n_chunks (store, table);

  if (has_sparse_ids (table))
    return find_sparse (store, table, id, place, error);
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      weft_store_get_chunk (store, table, middle, &info);
      if (info.first_row <= id)
        low = middle + 1;
      else
        high = middle;
    }
  if (low > 0)
    order = weft_row_orders_get (self, store, table, low - 1);
  place->number = id;
  if (order == NULL)
    return weft_store_find_row (store, table, id, &place->chunk, &place->row, error);
  place->chunk = low - 1;
  weft_store_get_chunk (store, table, place->chunk, &info);
  if (id - info.first_row >= info.n_rows)
    return weft_store_find_row (store, table, id, &place->chunk, &place->row, error);
  place->row = ((const guint16 *) g_bytes_get_data (order, NULL))[id - info.first_row];
  return TRUE;
}
