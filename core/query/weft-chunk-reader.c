/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-chunk-reader.h"

#include <string.h>

#include "weft-error.h"
#include "weft-recording-private.h"

static gboolean
read_column (WeftChunkReader *self, guint place, WeftStoreColumn *column, GError **error)
{
  WeftColumnNumber base = weft_model_get_table (self->table)->fields[0].column;
  GError *local = NULL;

  /* The first field of each table is its first column. */
  if (weft_store_read_column (self->store, self->table, self->chunk, base + place, column, &local))
    return TRUE;
  weft_propagate_store_error (error, local);
  return FALSE;
}

gboolean
weft_chunk_reader_open (WeftChunkReader *self, WeftStore *store, WeftTableId table, guint chunk,
                        guint32 places, GError **error)
{
  self->store = store;
  self->table = table;
  self->chunk = chunk;
  self->places = 0;
  weft_store_get_chunk (store, table, chunk, &self->info);
  return weft_chunk_reader_add (self, places, error);
}

gboolean
weft_chunk_reader_add (WeftChunkReader *self, guint32 places, GError **error)
{
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    {
      if (!((places & ~self->places) >> place & 1))
        continue;
      if (!read_column (self, place, &self->columns[place], error))
        return FALSE;
      self->places |= 1u << place;
    }
  return TRUE;
}

void
weft_chunk_reader_clear (WeftChunkReader *self)
{
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    if (self->places >> place & 1)
      weft_store_column_clear (&self->columns[place]);
  self->places = 0;
}

void
weft_chunk_reader_get_some (WeftChunkReader *self, const guint16 *rows, guint n, WeftBatch *batch)
{
  memset (batch->columns, 0, sizeof batch->columns);
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    if (self->places >> place & 1)
      batch->columns[place] = &self->columns[place];
  batch->first_row = self->info.first_row;
  batch->rows = rows;
  batch->n = n;
}

void
weft_chunk_reader_get_rows (WeftChunkReader *self, guint first, WeftBatch *batch)
{
  /* Rows of a chunk have 16-bit numbers. */
  static guint16 all[65536];
  static gsize is_made;

  if (g_once_init_enter (&is_made))
    {
      for (guint i = 0; i < G_N_ELEMENTS (all); i++)
        all[i] = (guint16) i;
      g_once_init_leave (&is_made, 1);
    }
  weft_chunk_reader_get_some (self, all + first, MIN (self->info.n_rows - first, WEFT_BATCH_ROWS),
                              batch);
}

static gboolean
set_damaged (WeftChunkReader *self, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
               "The chunk at byte %" G_GUINT64_FORMAT " does not hold the rows that it should",
               self->info.file_offset);
  return FALSE;
}

gboolean
weft_chunk_reader_get_arrivals (WeftChunkReader *self, guint32 **places, GError **error)
{
  g_autofree guint32 *found = NULL;
  g_autofree guint8 *seen = NULL;
  WeftStoreColumn ids;
  gboolean good = TRUE;

  *places = NULL;
  if (self->table != WEFT_TABLE_DISPATCHES || !self->info.sealed)
    return TRUE;
  if (!read_column (self, 0, &ids, error))
    return FALSE;
  found = g_new (guint32, self->info.n_rows);
  seen = g_new0 (guint8, self->info.n_rows);
  for (guint i = 0; i < self->info.n_rows && good; i++)
    {
      guint64 place = weft_store_column_get (&ids, i) - self->info.first_row;

      good = place < self->info.n_rows && !seen[place];
      if (!good)
        break;
      seen[place] = 1;
      found[i] = (guint32) place;
    }
  weft_store_column_clear (&ids);
  if (!good)
    return set_damaged (self, error);
  *places = g_steal_pointer (&found);
  return TRUE;
}
