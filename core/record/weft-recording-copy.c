/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recording-copy.h"

#include "weft-linker-private.h"

typedef struct
{
  WeftStore *from;
  WeftStoreWriter *to;
  WeftTableId table;
  const WeftTableSpec *spec;
  WeftTableWriter *writer;
  WeftStoreColumn columns[WEFT_MAX_COLUMNS]; /* of the chunk at hand */
  guint n_open;
} Copy;

static WeftColumnNumber
get_number (Copy *self, guint column)
{
  return self->writer->column_base + 1 + column;
}

/* ---- Values ---- */

static gboolean
translate_blob (Copy *self, guint64 *value, GError **error)
{
  g_autoptr (GBytes) bytes = weft_store_get_blob (self->from, (guint32) *value, error);
  gsize size;
  const void *data;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  *value = weft_store_writer_blob (self->to, data, size);
  return TRUE;
}

/* Numbers of strings and of contents are those of their file. */
static gboolean
translate (Copy *self, guint column, guint64 *value, GError **error)
{
  if (*value == 0)
    return TRUE;
  if (self->spec->columns[column].type == WEFT_STORE_TYPE_BLOB)
    return translate_blob (self, value, error);
  if (self->spec->columns[column].type == WEFT_STORE_TYPE_STRING)
    *value = weft_store_writer_string (self->to,
                                       weft_store_get_string (self->from, (guint32) *value), -1);
  return TRUE;
}

static gboolean
copy_row (Copy *self, guint row, GError **error)
{
  weft_table_writer_begin (self->writer);
  for (guint i = 0; i < self->spec->n_columns; i++)
    {
      guint64 value = weft_store_column_get (&self->columns[i], row);

      if ((self->spec->columns[i].flags & (WEFT_COLUMN_DERIVED | WEFT_COLUMN_KEY)) != 0 ||
          !weft_store_column_has (&self->columns[i], row))
        continue;
      if (!translate (self, i, &value, error))
        return FALSE;
      if (value != 0 || (self->spec->columns[i].flags & WEFT_COLUMN_NULLABLE) != 0)
        weft_table_writer_set (self->writer, get_number (self, i), value);
    }
  weft_table_writer_commit (self->writer);
  return TRUE;
}

/* ---- Chunks ---- */

static void
close_columns (Copy *self)
{
  while (self->n_open > 0)
    weft_store_column_clear (&self->columns[--self->n_open]);
}

static gboolean
open_columns (Copy *self, guint chunk, GError **error)
{
  for (guint i = 0; i < self->spec->n_columns; i++)
    {
      if (!weft_store_read_column (self->from, self->table, chunk, get_number (self, i),
                                   &self->columns[i], error))
        return FALSE;
      self->n_open++;
    }
  return TRUE;
}

/* Where in the chunk the rows of ids FIRST, FIRST + 1, … are: it may be sorted otherwise. */
static gboolean
order_rows (Copy *self, guint64 first, guint32 n, guint32 *places, GError **error)
{
  const gboolean has_ids = (self->spec->columns[0].flags & WEFT_COLUMN_KEY) != 0;

  for (guint32 i = 0; i < n; i++)
    places[i] = has_ids ? G_MAXUINT32 : i;
  for (guint32 i = 0; has_ids && i < n; i++)
    {
      guint64 place = weft_store_column_get (&self->columns[0], i) - first;

      if (place >= n || places[place] != G_MAXUINT32)
        {
          g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
                       "Rows of “%s” have ids that are not theirs", self->spec->name);
          return FALSE;
        }
      places[place] = i;
    }
  return TRUE;
}

/* What was decided about the rows holds for their copies. */
static void
copy_derived (Copy *self, guint64 first, guint32 n, const guint32 *places)
{
  g_autofree guint64 *values = g_new (guint64, (gsize) n * WEFT_MAX_COLUMNS);
  WeftDerivedColumn derived[WEFT_MAX_COLUMNS];
  guint n_derived = 0;

  for (guint i = 0; i < self->spec->n_columns; i++)
    {
      guint64 *its = values + (gsize) n * n_derived;

      if ((self->spec->columns[i].flags & WEFT_COLUMN_DERIVED) == 0)
        continue;
      for (guint32 row = 0; row < n; row++)
        its[row] = weft_store_column_get (&self->columns[i], places[row]);
      derived[n_derived++] = (WeftDerivedColumn){ get_number (self, i), its, 0 };
    }
  if (n_derived > 0)
    weft_store_writer_derive (self->to, self->table, WEFT_LINKER_VERSION, first, n, derived,
                              n_derived, FALSE);
}

static gboolean
check_place (Copy *self, const WeftChunkInfo *info, GError **error)
{
  if (info->first_row == self->writer->total + 1 && info->n_rows <= WEFT_STORE_SEAL_ROWS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "Rows of “%s” are missing between others: only recordings that were kept whole can "
               "be added to",
               self->spec->name);
  return FALSE;
}

static gboolean
copy_chunk (Copy *self, guint chunk, GError **error)
{
  g_autofree guint32 *places = NULL;
  const guint64 first = self->writer->total + 1;
  WeftChunkInfo info;

  weft_store_get_chunk (self->from, self->table, chunk, &info);
  if (!check_place (self, &info, error) || !open_columns (self, chunk, error))
    return FALSE;
  places = g_new (guint32, info.n_rows);
  if (!order_rows (self, info.first_row, info.n_rows, places, error))
    return FALSE;
  for (guint32 i = 0; i < info.n_rows; i++)
    if (!copy_row (self, places[i], error))
      return FALSE;
  copy_derived (self, first, info.n_rows, places);
  return TRUE;
}

/* The writer numbers contents in the order in which it is given them. */
static gboolean
copy_blobs (Copy *self, GError **error)
{
  const guint64 n = weft_store_get_n_rows (self->from, WEFT_TABLE_BLOBS);

  for (guint64 i = 1; i <= n; i++)
    {
      guint64 blob = i;

      if (!translate_blob (self, &blob, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_recording_copy_table (WeftStore *from, WeftStoreWriter *to, WeftTableId table, GError **error)
{
  Copy self = { .from = from,
                .to = to,
                .table = table,
                .spec = weft_schema_table (table),
                .writer = weft_store_writer_table (to, table) };

  if (table == WEFT_TABLE_BLOBS)
    return copy_blobs (&self, error);
  for (guint i = 0; i < weft_store_get_n_chunks (from, table); i++)
    {
      gboolean good = copy_chunk (&self, i, error);

      close_columns (&self);
      if (!good)
        return FALSE;
    }
  return TRUE;
}
