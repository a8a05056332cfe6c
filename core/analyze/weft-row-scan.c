/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-row-scan.h"

#include "weft-recording-private.h"

static void
clear_columns (WeftStoreColumn *columns, guint n_columns)
{
  for (guint i = 0; i < n_columns; i++)
    weft_store_column_clear (&columns[i]);
}

static void
pass_rows (const WeftChunkInfo *info, const WeftStoreColumn *columns, guint n_columns,
           WeftRowFunc func, gpointer data)
{
  guint64 values[WEFT_MAX_SCANNED_COLUMNS];

  for (guint row = 0; row < info->n_rows; row++)
    {
      guint32 present = 0;

      for (guint i = 0; i < n_columns; i++)
        {
          values[i] = weft_store_column_get (&columns[i], row);
          if (weft_store_column_has (&columns[i], row))
            present |= 1u << i;
        }
      func (info->first_row + row, values, present, data);
    }
}

gboolean
weft_scan_chunk_rows (WeftStore *store, WeftTableId table, guint chunk,
                      const WeftColumnNumber *columns, guint n_columns, WeftRowFunc func,
                      gpointer data, GError **error)
{
  WeftStoreColumn read[WEFT_MAX_SCANNED_COLUMNS] = { 0 };
  WeftChunkInfo info;
  GError *failure = NULL;

  g_return_val_if_fail (n_columns <= WEFT_MAX_SCANNED_COLUMNS, FALSE);

  weft_store_get_chunk (store, table, chunk, &info);
  for (guint i = 0; i < n_columns && failure == NULL; i++)
    weft_store_read_column (store, table, chunk, columns[i], &read[i], &failure);
  if (failure == NULL)
    pass_rows (&info, read, n_columns, func, data);
  clear_columns (read, n_columns);
  if (failure != NULL)
    weft_propagate_store_error (error, failure);
  return failure == NULL;
}

gboolean
weft_scan_rows (WeftStore *store, WeftTableId table, const WeftColumnNumber *columns,
                guint n_columns, WeftRowFunc func, gpointer data, GCancellable *cancellable,
                GError **error)
{
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, table); chunk++)
    if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
        !weft_scan_chunk_rows (store, table, chunk, columns, n_columns, func, data, error))
      return FALSE;
  return TRUE;
}
