/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-numbering.h"

#include <string.h>

#include "weft-error.h"
#include "weft-recording-private.h"

/* What an id that is in no order may be at most, in terms of the rows that there are. */
#define MAX_SPREAD 64

struct _WeftNumbering
{
  guint n_chunks;
  WeftChunkInfo *chunks;
  guint64 n_rows;
  guint64 n_ids; /* one more than the largest */
  guint32 *rows; /* by id; NULL: they are equal */
};

void
weft_numbering_free (WeftNumbering *self)
{
  g_free (self->chunks);
  g_free (self->rows);
  g_free (self);
}

static gboolean
get_id_column (WeftTableId table, WeftColumnNumber *number)
{
  const WeftField *id = weft_model_find_field (table, "id");

  if (id == NULL)
    return FALSE;
  *number = id->column;
  return !(weft_schema_table (table)->columns[0].flags & WEFT_COLUMN_KEY);
}

static gboolean
read_ids (WeftNumbering *self, WeftStore *store, WeftTableId table, WeftColumnNumber number,
          GError **error)
{
  guint64 bound = (weft_store_get_n_rows (store, table) + 1024) * MAX_SPREAD;
  GError *local = NULL;

  self->n_ids = 0;
  for (guint i = 0; i < self->n_chunks; i++)
    {
      guint64 min, max;

      if (weft_store_get_zone (store, table, i, number, &min, &max))
        self->n_ids = MAX (self->n_ids, MIN (max, bound) + 1);
    }
  self->rows = g_new0 (guint32, self->n_ids + 1);
  for (guint i = 0; i < self->n_chunks; i++)
    {
      WeftStoreColumn column;

      if (!weft_store_read_column (store, table, i, number, &column, &local))
        {
          weft_propagate_store_error (error, local);
          return FALSE;
        }
      for (guint row = 0; row < column.n_rows; row++)
        {
          guint64 id = weft_store_column_get (&column, row);

          if (id < self->n_ids)
            self->rows[id] = (guint32) (self->chunks[i].first_row + row);
        }
      weft_store_column_clear (&column);
    }
  return TRUE;
}

WeftNumbering *
weft_numbering_new (WeftStore *store, WeftTableId table, GError **error)
{
  g_autoptr (WeftNumbering) self = g_new0 (WeftNumbering, 1);
  WeftColumnNumber number;

  self->n_chunks = weft_store_get_n_chunks (store, table);
  self->n_rows = weft_store_get_n_rows (store, table);
  self->chunks = g_new (WeftChunkInfo, self->n_chunks + 1);
  for (guint i = 0; i < self->n_chunks; i++)
    {
      weft_store_get_chunk (store, table, i, &self->chunks[i]);
      self->n_ids = self->chunks[i].first_row + self->chunks[i].n_rows;
    }
  if (get_id_column (table, &number) && !read_ids (self, store, table, number, error))
    return NULL;
  return g_steal_pointer (&self);
}

guint64
weft_numbering_get_row (const WeftNumbering *self, guint64 id)
{
  if (self->rows == NULL)
    return id;
  return id < self->n_ids ? self->rows[id] : 0;
}

gboolean
weft_numbering_find_chunk (const WeftNumbering *self, guint64 row, guint *chunk, guint64 *first_row,
                           guint64 *n_rows)
{
  guint low = 0;
  guint high = self->n_chunks;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (self->chunks[middle].first_row <= row)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return FALSE;
  *chunk = low - 1;
  *first_row = self->chunks[low - 1].first_row;
  *n_rows = self->chunks[low - 1].n_rows;
  return row - *first_row < *n_rows;
}

gboolean
weft_numbering_get_span (const WeftNumbering *self, guint64 *base, guint64 *n, GError **error)
{
  *base = self->rows != NULL || self->n_chunks == 0 ? 0 : self->chunks[0].first_row;
  *n = self->n_ids - *base;
  if (*n / MAX_SPREAD <= self->n_rows + 65536)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
               "Too many rows are missing between those that there are; `weft repair` may help");
  return FALSE;
}
