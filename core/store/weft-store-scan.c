/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <string.h>

#define WINDOW (1 << 18)

static gboolean
read_header (WeftStore *self, guint64 offset, WeftChunkHeader *header)
{
  return self->file_size - offset >= sizeof *header &&
         weft_input_read (self->input, header, sizeof *header, offset) &&
         weft_chunk_header_is_valid (header);
}

/* Rows are numbered from 1 and there are at most so many in a chunk; else it is not served. */
static gboolean
is_plausible (const WeftChunkHeader *header)
{
  if (header->kind == WEFT_CHUNK_SEALED || header->kind == WEFT_CHUNK_JOURNAL ||
      header->kind == WEFT_CHUNK_DERIVED)
    return header->rows > 0 && header->rows <= WEFT_MAX_CHUNK_ROWS && header->first_row > 0 &&
           header->first_row <= G_MAXINT64;
  if (header->kind == WEFT_CHUNK_STRINGS)
    return header->rows > 0 && header->first_row > 0 &&
           header->first_row + header->rows <= G_GUINT64_CONSTANT (1) << 32 &&
           header->rows / WEFT_MAX_RATIO <= header->payload_size;
  return TRUE;
}

static void
add_chunk (WeftStore *self, guint64 offset, const WeftChunkHeader *header)
{
  if (header->kind == 0 || header->kind > WEFT_CHUNK_LAST_KIND)
    self->n_unknown++;
  if (is_plausible (header))
    g_ptr_array_add (self->chunks, weft_chunk_new (self->input, offset, header));
  else
    weft_store_add_damage (self, "the chunk at byte %" G_GUINT64_FORMAT " is not plausible",
                           offset);
}

/* The next whole chunk at or after OFFSET; the file's size if there is none. Each byte is looked at
 * once, and a candidate costs one small read.
 */
static guint64
resynchronise (WeftStore *self, guint64 offset, gboolean *all_zero)
{
  g_autofree guint8 *window = g_malloc (WINDOW);

  *all_zero = TRUE;
  offset &= ~G_GUINT64_CONSTANT (7);
  while (self->file_size - offset >= sizeof (WeftChunkHeader))
    {
      gsize size = (gsize) MIN (WINDOW, self->file_size - offset);
      gsize last = size - sizeof (WeftChunkHeader);

      if (!weft_input_read (self->input, window, size, offset))
        break;
      for (gsize i = 0; i <= last; i += 8)
        {
          WeftChunkHeader header;

          if (memcmp (window + i, WEFT_CHUNK_MAGIC, 8) != 0)
            {
              *all_zero = *all_zero && memcmp (window + i, "\0\0\0\0\0\0\0", 8) == 0;
              continue;
            }
          *all_zero = FALSE;
          memcpy (&header, window + i, sizeof header);
          if (weft_chunk_header_is_valid (&header) &&
              weft_chunk_header_fits (&header, offset + i, self->file_size))
            return offset + i;
        }
      offset += last / 8 * 8 + 8;
      if (offset > self->file_size)
        break;
    }

  return self->file_size;
}

/* What follows the last whole chunk is a chunk that was being written, unless whole ones follow. */
static gboolean
skip_damage (WeftStore *self, guint64 *offset)
{
  gboolean all_zero;
  guint64 next = resynchronise (self, *offset + 8, &all_zero);

  if (next >= self->file_size)
    {
      guint8 magic[8];

      if (self->file_size - *offset >= sizeof (WeftChunkHeader) &&
          weft_input_read (self->input, magic, 8, *offset) &&
          memcmp (magic, WEFT_CHUNK_MAGIC, 8) != 0 &&
          !(all_zero && memcmp (magic, "\0\0\0\0\0\0\0", 8) == 0))
        weft_store_add_damage (self, "no chunk follows byte %" G_GUINT64_FORMAT, *offset);
      self->missing_bytes += self->file_size - *offset;
      return FALSE;
    }

  weft_store_add_damage (self,
                         "bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " are unreadable",
                         *offset, next - 1);
  self->missing_bytes += next - *offset;
  *offset = next;
  return TRUE;
}

void
weft_store_scan (WeftStore *self)
{
  guint64 offset = self->scanned;
  gboolean ended = FALSE;

  while (offset < self->file_size)
    {
      WeftChunkHeader header;

      if (!read_header (self, offset, &header) ||
          !weft_chunk_header_fits (&header, offset, self->file_size))
        {
          if (!skip_damage (self, &offset))
            break;
          continue;
        }
      add_chunk (self, offset, &header);
      offset += sizeof header + header.payload_size;
      self->scanned = offset;
      ended = header.kind == WEFT_CHUNK_END;
    }

  if (self->damage != NULL)
    self->state = WEFT_STORE_PARTIAL;
  else if (ended && offset == self->file_size)
    self->state = WEFT_STORE_COMPLETE;
  else
    self->state = WEFT_STORE_GROWING;
}

/* The index */

static gboolean
read_index_columns (WeftChunk *index, WeftDecoded *columns[])
{
  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    {
      columns[i] = weft_chunk_read (index, i, NULL);
      if (columns[i] == NULL || columns[i]->count != index->rows)
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_indexed (WeftStore *self, WeftDecoded *columns[], guint32 row)
{
  guint64 values[WEFT_N_INDEX_STREAMS];
  WeftChunkHeader header = { 0 };

  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    {
      WeftStoreColumn column = weft_decoded_column (columns[i]);

      values[i] = weft_store_column_get (&column, row);
    }
  header.kind = (guint16) values[WEFT_INDEX_KIND];
  header.table = (guint16) values[WEFT_INDEX_TABLE];
  header.rows = (guint32) values[WEFT_INDEX_ROWS];
  header.first_row = values[WEFT_INDEX_FIRST_ROW];
  header.flags = (guint32) values[WEFT_INDEX_FLAGS];
  header.payload_size = values[WEFT_INDEX_SIZE] - sizeof header;
  if (values[WEFT_INDEX_SIZE] < sizeof header || values[WEFT_INDEX_OFFSET] % 8 != 0 ||
      !weft_chunk_header_fits (&header, values[WEFT_INDEX_OFFSET], self->file_size) ||
      !is_plausible (&header))
    return FALSE;

  add_chunk (self, values[WEFT_INDEX_OFFSET], &header);
  return TRUE;
}

static gboolean
read_index_at (WeftStore *self, guint64 offset)
{
  WeftDecoded *columns[WEFT_N_INDEX_STREAMS] = { NULL };
  g_autoptr (WeftChunk) index = NULL;
  WeftChunkHeader header;
  gboolean good;

  if (offset > self->file_size || !read_header (self, offset, &header) ||
      header.kind != WEFT_CHUNK_INDEX ||
      !weft_chunk_header_fits (&header, offset, self->file_size) ||
      header.rows > self->file_size / sizeof header)
    return FALSE;

  index = weft_chunk_new (self->input, offset, &header);
  good = read_index_columns (index, columns);
  for (guint32 row = 0; good && row < index->rows; row++)
    good = add_indexed (self, columns, row);
  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    g_clear_pointer (&columns[i], weft_decoded_unref);
  if (!good)
    {
      g_ptr_array_set_size (self->chunks, 0);
      self->n_unknown = 0;
    }
  return good;
}

gboolean
weft_store_read_index (WeftStore *self)
{
  WeftChunkHeader header;

  if (self->file_size < sizeof (WeftFileHeader) + sizeof header ||
      !read_header (self, self->file_size - sizeof header, &header) ||
      header.kind != WEFT_CHUNK_END || header.payload_size != 0 ||
      !read_index_at (self, header.extra))
    return FALSE;

  self->scanned = self->file_size;
  self->state = WEFT_STORE_COMPLETE;
  return TRUE;
}

/* Arrangement */

static int
compare_chunks (gconstpointer a, gconstpointer b)
{
  const WeftChunk *chunk_a = *(WeftChunk *const *) a;
  const WeftChunk *chunk_b = *(WeftChunk *const *) b;

  if (chunk_a->first_row != chunk_b->first_row)
    return chunk_a->first_row < chunk_b->first_row ? -1 : 1;
  if (chunk_a->kind != chunk_b->kind)
    return chunk_a->kind < chunk_b->kind ? -1 : 1;
  if (chunk_a->input->part != chunk_b->input->part)
    return chunk_a->input->part < chunk_b->input->part ? -1 : 1;
  return chunk_a->offset < chunk_b->offset ? -1 : chunk_a->offset > chunk_b->offset;
}

/* The chunk of a sorted array that could hold ROW. */
static WeftChunk *
chunk_before (GPtrArray *chunks, guint64 row)
{
  guint low = 0;
  guint high = chunks->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (((WeftChunk *) g_ptr_array_index (chunks, middle))->first_row <= row)
        low = middle + 1;
      else
        high = middle;
    }
  return low == 0 ? NULL : g_ptr_array_index (chunks, low - 1);
}

static gboolean
overlaps (GPtrArray *chunks, const WeftChunk *chunk)
{
  const WeftChunk *before = chunk_before (chunks, chunk->first_row + chunk->rows - 1);

  return before != NULL && before->first_row + before->rows > chunk->first_row;
}

/* Sealed chunks come first, then those journals whose rows none of them holds. */
static void
arrange_table (WeftStore *self, guint table, GPtrArray *candidates)
{
  GPtrArray *kept = self->tables[table];

  g_ptr_array_sort (candidates, compare_chunks);
  for (guint pass = 0; pass < 2; pass++)
    {
      g_autoptr (GPtrArray) added = g_ptr_array_new ();

      for (guint i = 0; i < candidates->len; i++)
        {
          WeftChunk *chunk = g_ptr_array_index (candidates, i);
          WeftChunk *last = added->len == 0 ? NULL : g_ptr_array_index (added, added->len - 1);

          if ((chunk->kind == WEFT_CHUNK_SEALED) != (pass == 0) || overlaps (kept, chunk))
            continue;
          if (last != NULL && last->first_row + last->rows > chunk->first_row)
            continue;
          g_ptr_array_add (added, chunk);
          self->n_rows[table] += chunk->rows;
        }
      g_ptr_array_extend (kept, added, NULL, NULL);
      g_ptr_array_sort (kept, compare_chunks);
    }
}

static void
arrange_digests (WeftStore *self, GPtrArray *summaries, GPtrArray *lods)
{
  GPtrArray *chunks = self->tables[WEFT_TABLE_DISPATCHES];

  g_ptr_array_sort (summaries, compare_chunks);
  g_ptr_array_sort (lods, compare_chunks);
  for (guint i = 0; i < chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (chunks, i);
      WeftDigests digests = { chunk_before (summaries, chunk->first_row),
                              chunk_before (lods, chunk->first_row) };

      if (digests.summary != NULL &&
          (digests.summary->first_row != chunk->first_row || digests.summary->rows != chunk->rows))
        digests.summary = NULL;
      if (digests.lod != NULL &&
          (digests.lod->first_row != chunk->first_row || digests.lod->rows != chunk->rows))
        digests.lod = NULL;
      g_array_append_val (self->digests, digests);
    }
}

/* ---- What derived chunks say about them ---- */

static void
overlay_clear (gpointer overlay)
{
  if (overlay != NULL)
    weft_overlay_unref (overlay);
}

static void
add_to_overlay (WeftStore *self, guint table, guint i, WeftChunk *derived)
{
  GPtrArray *overlays = self->overlays[table];

  if (overlays == NULL)
    {
      overlays = self->overlays[table] = g_ptr_array_new_with_free_func (overlay_clear);
      g_ptr_array_set_size (overlays, (gint) self->tables[table]->len);
    }
  if (overlays->pdata[i] == NULL)
    overlays->pdata[i] = weft_overlay_new (g_ptr_array_index (self->tables[table], i));
  weft_overlay_add (overlays->pdata[i], derived);
}

/* The first chunk of rows that ends after ROW begins. */
static guint
find_first (const GPtrArray *chunks, guint64 row)
{
  guint low = 0;
  guint high = chunks->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftChunk *chunk = g_ptr_array_index (chunks, middle);

      if (chunk->first_row + chunk->rows <= row)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* In a sound file few derived chunks speak of the same rows. In a hostile one each may speak of all
 * chunks: of what goes beyond, the latest count.
 */
static void
arrange_derived (WeftStore *self, guint table, const GPtrArray *derived)
{
  const GPtrArray *chunks = self->tables[table];
  guint64 budget = 8 * ((guint64) chunks->len + derived->len) + WEFT_MAX_CHUNK_ROWS;

  for (guint i = derived->len; i-- > 0;)
    {
      WeftChunk *chunk = g_ptr_array_index (derived, i);

      for (guint j = find_first (chunks, chunk->first_row); j < chunks->len && budget > 0; j++)
        {
          const WeftChunk *rows = g_ptr_array_index (chunks, j);

          if (rows->first_row >= chunk->first_row + chunk->rows)
            break;
          add_to_overlay (self, table, j, chunk);
          budget--;
        }
    }
  for (guint i = 0; self->overlays[table] != NULL && i < chunks->len; i++)
    if (weft_store_overlay (self, table, i) != NULL)
      weft_overlay_sort (weft_store_overlay (self, table, i));
}

/* Both views have their chunks in the order of rows. */
void
weft_store_share_overlays (WeftStore *self, WeftStore *earlier)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      GPtrArray *ours = self->overlays[table];
      GPtrArray *theirs = earlier->overlays[table];

      for (guint i = 0, j = 0; ours != NULL && theirs != NULL && i < ours->len; i++)
        {
          WeftOverlay *overlay = ours->pdata[i];

          if (overlay == NULL)
            continue;
          while (j < theirs->len &&
                 weft_store_chunk (earlier, table, j)->first_row < overlay->rows->first_row)
            j++;
          if (j == theirs->len || theirs->pdata[j] == NULL ||
              !weft_overlay_is_equal (overlay, theirs->pdata[j]))
            continue;
          ours->pdata[i] = weft_overlay_ref (theirs->pdata[j]);
          weft_overlay_unref (overlay);
        }
    }
}

void
weft_store_arrange (WeftStore *self)
{
  g_autoptr (GPtrArray) summaries = g_ptr_array_new ();
  g_autoptr (GPtrArray) lods = g_ptr_array_new ();
  GPtrArray *rows[WEFT_N_TABLES];
  GPtrArray *derived[WEFT_N_TABLES];

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      rows[i] = g_ptr_array_new ();
      derived[i] = g_ptr_array_new ();
    }
  for (guint i = 0; i < self->chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->chunks, i);

      if (chunk->kind == WEFT_CHUNK_STRINGS)
        g_ptr_array_add (self->strings, chunk);
      else if (chunk->kind == WEFT_CHUNK_BLOB)
        g_ptr_array_add (self->blobs, chunk);
      else if (chunk->table >= WEFT_N_TABLES)
        continue;
      else if (chunk->kind == WEFT_CHUNK_SEALED || chunk->kind == WEFT_CHUNK_JOURNAL)
        g_ptr_array_add (rows[chunk->table], chunk);
      else if (chunk->kind == WEFT_CHUNK_DERIVED)
        g_ptr_array_add (derived[chunk->table], chunk);
      else if (chunk->table == WEFT_TABLE_DISPATCHES && chunk->kind == WEFT_CHUNK_SUMMARY)
        g_ptr_array_add (summaries, chunk);
      else if (chunk->table == WEFT_TABLE_DISPATCHES && chunk->kind == WEFT_CHUNK_LOD)
        g_ptr_array_add (lods, chunk);
    }

  g_ptr_array_sort (self->strings, compare_chunks);
  g_ptr_array_sort (self->blobs, compare_chunks);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      arrange_table (self, i, rows[i]);
      arrange_derived (self, i, derived[i]);
      g_ptr_array_unref (rows[i]);
      g_ptr_array_unref (derived[i]);
    }
  arrange_digests (self, summaries, lods);
}
