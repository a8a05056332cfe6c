/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-overlay.h"

#include <string.h>

#include "weft-store-private.h"

WeftOverlay *
weft_overlay_new (WeftChunk *rows)
{
  WeftOverlay *self = g_new0 (WeftOverlay, 1);

  self->refs = 1;
  self->rows = weft_chunk_ref (rows);
  self->derived = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_chunk_unref);
  return self;
}

WeftOverlay *
weft_overlay_ref (WeftOverlay *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
weft_overlay_unref (WeftOverlay *self)
{
  WeftInput *input = self->rows->input;

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  pthread_mutex_lock (&input->lock);
  for (guint i = 0; i < WEFT_MAX_DERIVED_COLUMNS; i++)
    if (self->decoded[i] != NULL)
      weft_input_cache_drop (input, self->decoded[i]);
  pthread_mutex_unlock (&input->lock);
  g_ptr_array_unref (self->derived);
  weft_chunk_unref (self->rows);
  g_free (self);
}

void
weft_overlay_add (WeftOverlay *self, WeftChunk *derived)
{
  g_ptr_array_add (self->derived, weft_chunk_ref (derived));
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const WeftChunk *left = *(WeftChunk *const *) a;
  const WeftChunk *right = *(WeftChunk *const *) b;

  if (left->input->part != right->input->part)
    return left->input->part < right->input->part ? -1 : 1;
  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

void
weft_overlay_sort (WeftOverlay *self)
{
  g_ptr_array_sort (self->derived, compare_offsets);
}

gboolean
weft_overlay_is_equal (const WeftOverlay *a, const WeftOverlay *b)
{
  return a->rows == b->rows && a->derived->len == b->derived->len &&
         memcmp (a->derived->pdata, b->derived->pdata, a->derived->len * sizeof (gpointer)) == 0;
}

/* The column of a derived chunk, if it is there and of the type that it should be. */
static const WeftStreamEntry *
find_stream (WeftChunk *chunk, guint place)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (chunk, NULL);
  const WeftStreamEntry *entry =
      directory == NULL ? NULL : weft_chunk_find_stream (directory, place);

  if (entry == NULL || (entry->flags & WEFT_STREAM_PRESENCE) ||
      entry->type != weft_schema_table (chunk->table)->columns[place].type)
    return NULL;
  return entry;
}

/* Where nothing is said, or what was said is damaged, the value is nought. */
gboolean
weft_overlay_get_zone (WeftOverlay *self, guint place, guint64 *min, guint64 *max)
{
  gboolean found = FALSE;

  *min = *max = 0;
  for (guint i = 0; i < self->derived->len; i++)
    {
      const WeftStreamEntry *entry = find_stream (g_ptr_array_index (self->derived, i), place);

      if (entry == NULL)
        continue;
      *max = MAX (*max, entry->max);
      found = TRUE;
    }
  return found;
}

/* The first derived column says whether there is a decision; without one the others are nothing. */
static guint
find_decision (const WeftTableSpec *spec)
{
  for (guint i = 0; i < spec->n_columns; i++)
    if (spec->columns[i].flags & WEFT_COLUMN_DERIVED)
      return i;
  g_assert_not_reached ();
}

static guint
ordinal_of (const WeftTableSpec *spec, guint place)
{
  guint n = 0;

  for (guint i = 0; i < place; i++)
    n += (spec->columns[i].flags & WEFT_COLUMN_DERIVED) != 0;
  g_assert (n < WEFT_MAX_DERIVED_COLUMNS);
  return n;
}

/* What one chunk decided replaces what was decided before it. */
static void
apply (WeftOverlay *self, WeftChunk *derived, guint decision, guint place, guint64 *values)
{
  guint64 first = MAX (self->rows->first_row, derived->first_row);
  guint64 end = MIN (self->rows->first_row + self->rows->rows, derived->first_row + derived->rows);
  WEFT_AUTO_COLUMN decisions = { 0 };
  WEFT_AUTO_COLUMN column = { 0 };
  WeftDecoded *decoded = NULL;

  if (find_stream (derived, decision) == NULL)
    return;
  decoded = weft_chunk_read (derived, decision, NULL);
  if (decoded == NULL)
    return;
  decisions = weft_decoded_column (decoded);
  if (find_stream (derived, place) != NULL)
    {
      decoded = weft_chunk_read (derived, place, NULL);
      if (decoded == NULL)
        return;
      column = weft_decoded_column (decoded);
    }

  for (guint64 id = first; id < end; id++)
    if (weft_store_column_get (&decisions, (guint) (id - derived->first_row)) != 0)
      values[id - self->rows->first_row] =
          weft_store_column_get (&column, (guint) (id - derived->first_row));
}

static guint
version_of (WeftChunk *chunk)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (chunk, NULL);

  return directory == NULL ? 0 : directory->version;
}

static int
compare_versions (gconstpointer a, gconstpointer b)
{
  guint left = version_of (*(WeftChunk *const *) a);
  guint right = version_of (*(WeftChunk *const *) b);

  return left != right ? (left < right ? -1 : 1) : compare_offsets (a, b);
}

/* VALUES by id, in the order of the chunk's rows. */
static guint64 *
order_by_rows (WeftOverlay *self, const guint64 *values, GError **error)
{
  const WeftTableSpec *spec = weft_schema_table (self->rows->table);
  WEFT_AUTO_COLUMN ids = { 0 };
  guint64 *ordered;
  guint key = 0;

  while (key < spec->n_columns && !(spec->columns[key].flags & WEFT_COLUMN_KEY))
    key++;
  if (!weft_store_read_chunk_column (self->rows, key, &ids, error))
    return NULL;
  ordered = g_new0 (guint64, self->rows->rows);
  for (guint32 i = 0; i < ids.n_rows; i++)
    {
      guint64 row = weft_store_column_get (&ids, i) - self->rows->first_row;

      if (row < self->rows->rows)
        ordered[i] = values[row];
    }
  return ordered;
}

static WeftDecoded *
pack (const guint64 *values, guint32 n)
{
  WeftDecoded *decoded = g_new0 (WeftDecoded, 1);
  guint64 min = G_MAXUINT64, max = 0;

  for (guint32 i = 0; i < n; i++)
    {
      min = MIN (min, values[i]);
      max = MAX (max, values[i]);
    }
  decoded->refs = 1;
  decoded->count = n;
  decoded->base = min;
  decoded->width = min == max                 ? 0
                   : max - min <= G_MAXUINT8  ? 1
                   : max - min <= G_MAXUINT16 ? 2
                   : max - min <= G_MAXUINT32 ? 4
                                              : 8;
  decoded->size = sizeof *decoded + (gsize) weft_packed_room (n) * decoded->width;
  if (decoded->width != 0)
    decoded->data = g_malloc0 ((gsize) weft_packed_room (n) * decoded->width);
  for (guint32 i = 0; i < n && decoded->width != 0; i++)
    {
      guint64 offset = values[i] - min;

      memcpy ((guint8 *) decoded->data + (gsize) i * decoded->width, &offset, decoded->width);
    }
  return decoded;
}

static WeftDecoded *
derive (WeftOverlay *self, guint place, GError **error)
{
  const WeftTableSpec *spec = weft_schema_table (self->rows->table);
  g_autofree guint64 *values = g_new0 (guint64, self->rows->rows);
  g_autoptr (GPtrArray) derived = g_ptr_array_copy (self->derived, NULL, NULL);
  g_autofree guint64 *ordered = NULL;
  guint decision = find_decision (spec);

  g_ptr_array_set_free_func (derived, NULL);
  g_ptr_array_sort (derived, compare_versions);
  for (guint i = 0; i < derived->len; i++)
    apply (self, g_ptr_array_index (derived, i), decision, place, values);
  if (!(self->rows->flags & WEFT_CHUNK_SORTED))
    return pack (values, self->rows->rows);
  ordered = order_by_rows (self, values, error);
  return ordered == NULL ? NULL : pack (ordered, self->rows->rows);
}

gboolean
weft_overlay_read (WeftOverlay *self, guint place, WeftStoreColumn *column, GError **error)
{
  gpointer *cached = &self->decoded[ordinal_of (weft_schema_table (self->rows->table), place)];
  WeftDecoded *decoded = weft_input_cache_get (self->rows->input, cached);

  if (decoded == NULL)
    {
      decoded = derive (self, place, error);
      if (decoded == NULL)
        return FALSE;
      decoded = weft_input_cache_put (self->rows->input, cached, decoded);
    }
  *column = weft_decoded_column (decoded);
  return TRUE;
}
