/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <string.h>
#include <unistd.h>

#include "weft-store-file.h"

/* Both passes over the chunks. */
typedef struct
{
  WeftStoreProgress func;
  gpointer data;
  GCancellable *cancellable;
  guint64 done;
  guint64 total;
} Progress;

static gboolean
advance (Progress *self, GError **error)
{
  self->done++;
  if (self->func != NULL)
    self->func (MIN (self->done, self->total), self->total, self->data);
  return !g_cancellable_set_error_if_cancelled (self->cancellable, error);
}

/* Keeps the chunks whose every byte is sound, and arranges anew: where a sealed chunk is lost, the
 * journals that it had superseded serve again.
 */
static gboolean
keep_intact (WeftStore *self, Progress *progress, WeftStoreReport *report, GError **error)
{
  guint kept = 0;

  report->missing_bytes = self->missing_bytes;
  report->unknown_chunks = self->n_unknown;
  for (guint i = 0; i < self->chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->chunks, i);
      gboolean known = chunk->kind != 0 && chunk->kind <= WEFT_CHUNK_LAST_KIND;

      if (!advance (progress, error))
        return FALSE;
      report->chunks++;
      if (!known || weft_chunk_verify (chunk, NULL))
        {
          self->chunks->pdata[i] = self->chunks->pdata[kept];
          self->chunks->pdata[kept++] = chunk;
        }
      else
        report->damaged_chunks++;
    }

  g_ptr_array_set_size (self->chunks, (gint) kept);
  weft_store_arrange (self);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    report->rows += self->n_rows[i];
  return TRUE;
}

static gboolean
is_served (WeftStore *self, WeftChunk *chunk)
{
  if (chunk->kind == WEFT_CHUNK_INDEX || chunk->kind == WEFT_CHUNK_END)
    return FALSE;
  if (chunk->kind != WEFT_CHUNK_SEALED && chunk->kind != WEFT_CHUNK_JOURNAL)
    return TRUE;
  return chunk->table >= WEFT_N_TABLES ||
         g_ptr_array_find (self->tables[chunk->table], chunk, NULL);
}

static gboolean
copy_chunk (WeftChunk *chunk, WeftStoreFile *file, GError **error)
{
  g_autofree guint8 *payload = NULL;
  WeftChunkHeader header;
  gsize size = chunk->size - sizeof header;

  payload = g_try_malloc (size + 1);
  if (payload == NULL)
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_TOO_LARGE,
                   "The chunk at byte %" G_GUINT64_FORMAT " needs %" G_GSIZE_FORMAT " bytes",
                   chunk->offset, size);
      return FALSE;
    }
  if (!weft_input_read (chunk->input, &header, sizeof header, chunk->offset) ||
      !weft_input_read (chunk->input, payload, size, chunk->offset + sizeof header))
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
                   "The chunk at byte %" G_GUINT64_FORMAT " cannot be read", chunk->offset);
      return FALSE;
    }

  /* Nothing will seal these rows any more, nor say again what is derived of them. */
  if (header.kind == WEFT_CHUNK_JOURNAL)
    header.kind = WEFT_CHUNK_SEALED;
  if (header.kind == WEFT_CHUNK_DERIVED)
    header.flags &= ~(guint32) WEFT_CHUNK_PROVISIONAL;
  return weft_store_file_append_copy (file, &header, payload, error);
}

static gboolean
copy_chunks (WeftStore *self, WeftStoreFile *file, Progress *progress, GError **error)
{
  WeftChunkBuilder chunk;
  gboolean good = TRUE;

  for (guint i = 0; i < self->chunks->len && good; i++)
    {
      WeftChunk *from = g_ptr_array_index (self->chunks, i);

      good = advance (progress, error);
      if (good && is_served (self, from))
        good = copy_chunk (from, file, error);
    }

  weft_chunk_builder_init (&chunk);
  good = good && weft_store_file_finish (file, &chunk, error) && weft_store_file_sync (file, error);
  weft_chunk_builder_clear (&chunk);
  return good;
}

gboolean
weft_store_repair (const char *in, const char *out, WeftStoreProgress func, gpointer data,
                   GCancellable *cancellable, WeftStoreReport *report, GError **error)
{
  Progress progress = { func, data, cancellable };
  g_autoptr (WeftStore) store = NULL;
  WeftStoreReport own;
  WeftStoreFile file;
  gboolean good;

  g_return_val_if_fail (in != NULL && out != NULL, FALSE);

  store = weft_store_open_all (in, error);
  if (store == NULL)
    return FALSE;
  if (report == NULL)
    report = &own;
  memset (report, 0, sizeof *report);
  progress.total = 2 * (guint64) store->chunks->len;
  if (!keep_intact (store, &progress, report, error))
    return FALSE;

  store->header.header_size = sizeof store->header;
  store->header.flags = 0; /* it is in one part now */
  if (!weft_store_file_create (&file, out, &store->header, error))
    return FALSE;
  good = copy_chunks (store, &file, &progress, error);
  weft_store_file_clear (&file);
  if (!good)
    unlink (out);
  return good;
}
