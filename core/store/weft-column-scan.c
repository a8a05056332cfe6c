/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <string.h>

#define PIECE 2048 /* rows: a few columns of them stay in the nearest cache */

/* One column on its way. */
typedef struct
{
  WeftStoreColumn whole;   /* if it had to be decoded, or was */
  WeftColumnCursor cursor; /* else */
  gboolean is_whole;
} Source;

/* Each thread's buffers. */
typedef struct
{
  guint8 *raw[WEFT_MAX_SCAN_COLUMNS];
  gsize room[WEFT_MAX_SCAN_COLUMNS];
  guint64 piece[WEFT_MAX_SCAN_COLUMNS][PIECE];
} Buffers;

static void
buffers_free (gpointer data)
{
  Buffers *self = data;

  for (guint i = 0; i < WEFT_MAX_SCAN_COLUMNS; i++)
    g_free (self->raw[i]);
  g_free (self);
}

static Buffers *
buffers_get (void)
{
  static GPrivate private = G_PRIVATE_INIT (buffers_free);
  Buffers *self = g_private_get (&private);

  if (self == NULL)
    {
      self = g_new0 (Buffers, 1);
      g_private_set (&private, self);
    }
  return self;
}

static guint8 *
raw_room (Buffers *self, guint column, gsize size)
{
  if (self->room[column] < size)
    {
      g_free (self->raw[column]);
      self->room[column] = MAX (size, 4 * WEFT_MAX_CHUNK_ROWS);
      self->raw[column] = g_malloc (self->room[column]);
    }
  return self->raw[column];
}

static gboolean
can_stream (WeftChunk *chunk, const WeftStreamEntry *entry)
{
  g_autoptr (WeftDecoded) cached = NULL;

  if (entry == NULL || (entry->flags & WEFT_STREAM_PRESENCE) ||
      entry->encoding != WEFT_ENCODING_PACKED || entry->type == WEFT_STORE_TYPE_F64 ||
      entry->raw_size > 16 * WEFT_MAX_CHUNK_ROWS)
    return FALSE;
  cached = weft_chunk_get_cached (chunk, entry);
  return cached == NULL;
}

static gboolean
is_derived (const WeftChunk *chunk, guint place)
{
  return (weft_schema_table (chunk->table)->columns[place].flags & WEFT_COLUMN_DERIVED) != 0;
}

static gboolean
open_source (WeftChunk *chunk, WeftOverlay *overlay, guint place, Buffers *buffers, guint column,
             Source *source, GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (chunk, error);
  const WeftStreamEntry *entry;
  guint8 *raw;

  if (directory == NULL)
    return FALSE;
  if (is_derived (chunk, place))
    {
      source->is_whole = TRUE;
      source->whole.n_rows = chunk->rows;
      return overlay == NULL || weft_overlay_read (overlay, place, &source->whole, error);
    }
  entry = weft_chunk_find_stream (directory, place);
  source->is_whole = !can_stream (chunk, entry);
  if (source->is_whole)
    return weft_store_read_chunk_column (chunk, place, &source->whole, error);

  raw = raw_room (buffers, column, entry->raw_size + 8);
  if (!weft_chunk_read_raw (chunk, entry, raw, error))
    return FALSE;
  if (!weft_column_open (&source->cursor, entry, raw))
    return weft_chunk_damaged (chunk, "a column does not decode", error);
  return TRUE;
}

static gboolean
take_piece (Source *source, guint32 row, guint32 n, guint64 *buffer, WeftStoreColumn *piece)
{
  if (!source->is_whole)
    return weft_column_take (&source->cursor, n, buffer, piece);

  *piece = source->whole;
  piece->owner = NULL;
  piece->n_rows = n;
  if (piece->data != NULL)
    piece->data = (const guint8 *) piece->data + (gsize) row * piece->width;
  if (piece->presence != NULL)
    piece->presence += row / 64;
  return TRUE;
}

gboolean
weft_store_scan_chunk_columns (WeftChunk *chunk, WeftOverlay *overlay, const guint *places,
                               guint n_columns, WeftScanFunc func, gpointer data, GError **error)
{
  Buffers *buffers = buffers_get ();
  Source sources[WEFT_MAX_SCAN_COLUMNS];
  WeftStoreColumn pieces[WEFT_MAX_SCAN_COLUMNS];
  gboolean good = TRUE;

  memset (sources, 0, sizeof sources);
  for (guint i = 0; i < n_columns && good; i++)
    good = open_source (chunk, overlay, places[i], buffers, i, &sources[i], error);

  for (guint32 row = 0; row < chunk->rows && good; row += PIECE)
    {
      guint32 n = MIN (chunk->rows - row, PIECE);

      for (guint i = 0; i < n_columns && good; i++)
        good = take_piece (&sources[i], row, n, buffers->piece[i], &pieces[i]) ||
               weft_chunk_damaged (chunk, "a column does not decode", error);
      if (good)
        func (pieces, data);
    }

  for (guint i = 0; i < n_columns; i++)
    weft_store_column_clear (&sources[i].whole);
  return good;
}

gboolean
weft_store_scan_columns (WeftStore *self, WeftTableId table, guint chunk,
                         const WeftColumnNumber *numbers, guint n_columns, WeftScanFunc func,
                         gpointer data, GError **error)
{
  guint places[WEFT_MAX_SCAN_COLUMNS];

  g_return_val_if_fail (table < WEFT_N_TABLES && chunk < self->tables[table]->len, FALSE);
  g_return_val_if_fail (n_columns <= WEFT_MAX_SCAN_COLUMNS, FALSE);

  for (guint i = 0; i < n_columns; i++)
    {
      places[i] = weft_store_column_place (table, numbers[i]);
      g_return_val_if_fail (places[i] != G_MAXUINT, FALSE);
    }
  return weft_store_scan_chunk_columns (weft_store_chunk (self, table, chunk),
                                        weft_store_overlay (self, table, chunk), places, n_columns,
                                        func, data, error);
}
