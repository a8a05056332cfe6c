/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "weft-crc32c.h"

#define MAX_STRINGS (1 << 30) /* bytes of strings that are kept, whatever a file claims */

/* clang-format off */
G_DEFINE_QUARK (weft-store-error-quark, weft_store_error)
/* clang-format on */

WeftStore *
weft_store_new (const char *path, WeftInput *input, const WeftFileHeader *header)
{
  WeftStore *self = g_new0 (WeftStore, 1);

  self->refs = 1;
  self->path = g_strdup (path);
  self->input = weft_input_ref (input);
  self->header = *header;
  self->scanned = header->header_size;
  self->chunks = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_chunk_unref);
  self->strings = g_ptr_array_new ();
  self->blobs = g_ptr_array_new ();
  self->digests = g_array_new (FALSE, FALSE, sizeof (WeftDigests));
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    self->tables[i] = g_ptr_array_new ();
  return self;
}

WeftStore *
weft_store_ref (WeftStore *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

void
weft_store_unref (WeftStore *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      g_clear_pointer (&self->overlays[i], g_ptr_array_unref);
      g_ptr_array_unref (self->tables[i]);
    }
  g_array_unref (self->digests);
  g_ptr_array_unref (self->strings);
  g_ptr_array_unref (self->blobs);
  g_ptr_array_unref (self->chunks);
  if (self->damage != NULL)
    g_string_free (self->damage, TRUE);
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  weft_input_unref (self->input);
  g_free (self->path);
  g_free (self);
}

void
weft_store_add_damage (WeftStore *self, const char *format, ...)
{
  va_list arguments;

  if (self->damage == NULL)
    self->damage = g_string_new (NULL);
  else if (self->damage->len > 1000)
    return; /* a person has the idea */
  else
    g_string_append (self->damage, "; ");
  va_start (arguments, format);
  g_string_append_vprintf (self->damage, format, arguments);
  va_end (arguments);
}

static gboolean
check_header (const WeftFileHeader *header, const char *path, GError **error)
{
  if (memcmp (header->magic, WEFT_FILE_MAGIC, sizeof header->magic) != 0)
    g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT, "%s is no Weft recording",
                 path);
  else if (header->crc != weft_crc32c (header, G_STRUCT_OFFSET (WeftFileHeader, crc)))
    g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
                 "%s: the checksum of the file's header is wrong", path);
  else if (header->major > WEFT_FILE_MAJOR)
    g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_TOO_NEW,
                 "%s was written in version %u of the format; this Weft knows version %u: "
                 "open it with a later Weft",
                 path, header->major, WEFT_FILE_MAJOR);
  else if (header->header_size < sizeof *header || header->header_size % 8 != 0)
    g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
                 "%s: the size of the file's header is wrong", path);
  else
    return TRUE;

  return FALSE;
}

WeftStore *
weft_store_open_file (const char *path, GError **error)
{
  WeftStore *self = NULL;
  WeftInput *input = weft_input_open (path, error);
  WeftFileHeader header = { 0 };
  struct stat status;

  if (input == NULL)
    return NULL;
  if (fstat (input->fd, &status) == 0 && status.st_size == 0)
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT,
                   "%s is empty: it is no Weft recording", path);
      weft_input_unref (input);
      return NULL;
    }
  if (fstat (input->fd, &status) != 0 || (gsize) status.st_size < sizeof header ||
      !weft_input_read (input, &header, sizeof header, 0))
    memset (&header, 0, sizeof header);
  if (check_header (&header, path, error))
    {
      self = weft_store_new (path, input, &header);
      self->file_size = (guint64) status.st_size;
    }
  weft_input_unref (input);
  return self;
}

WeftStore *
weft_store_open (const char *path, GError **error)
{
  WeftStore *self;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = weft_store_open_file (path, error);
  if (self != NULL && (self->header.flags & WEFT_FILE_IN_PARTS))
    self = weft_store_open_parts (self, NULL, TRUE, error);
  else if (self != NULL && !weft_store_read_index (self))
    weft_store_scan (self);
  if (self != NULL)
    weft_store_arrange (self);
  return self;
}

WeftStore *
weft_store_open_all (const char *path, GError **error)
{
  WeftStore *self = weft_store_open_file (path, error);

  if (self != NULL && (self->header.flags & WEFT_FILE_IN_PARTS))
    self = weft_store_open_parts (self, NULL, FALSE, error);
  else if (self != NULL)
    weft_store_scan (self);
  return self;
}

/* Parts come and go: what has changed is found out by looking anew. */
static WeftStore *
refresh_parts (WeftStore *self, GError **error)
{
  g_autoptr (WeftStore) later = weft_store_open_file (self->path, error);

  if (later == NULL)
    return NULL;
  if (later->header.flags & WEFT_FILE_IN_PARTS)
    later = weft_store_open_parts (g_steal_pointer (&later), self, TRUE, error);
  else if (!weft_store_read_index (later))
    weft_store_scan (later);
  if (later == NULL)
    return NULL;
  if (later->parts != NULL && later->chunks->len == self->chunks->len &&
      later->file_size == self->file_size)
    return weft_store_ref (self);
  weft_store_arrange (later);
  weft_store_share_overlays (later, self);
  return g_steal_pointer (&later);
}

WeftStore *
weft_store_refresh (WeftStore *self, GError **error)
{
  g_autoptr (WeftStore) later = NULL;
  struct stat status;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->parts != NULL)
    return refresh_parts (self, error);
  if (self->state == WEFT_STORE_COMPLETE || fstat (self->input->fd, &status) != 0 ||
      (guint64) status.st_size <= self->file_size)
    return weft_store_ref (self);

  later = weft_store_new (self->path, self->input, &self->header);
  later->file_size = (guint64) status.st_size;
  later->scanned = self->scanned;
  later->n_unknown = self->n_unknown;
  if (self->damage != NULL)
    later->damage = g_string_new (self->damage->str);
  for (guint i = 0; i < self->chunks->len; i++)
    g_ptr_array_add (later->chunks, weft_chunk_ref (g_ptr_array_index (self->chunks, i)));
  weft_store_scan (later);
  weft_store_arrange (later);
  weft_store_share_overlays (later, self);
  return g_steal_pointer (&later);
}

WeftStoreState
weft_store_get_state (WeftStore *self)
{
  return self->state;
}

gboolean
weft_store_is_written (WeftStore *self)
{
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

  if (self->parts != NULL)
    return weft_store_parts_are_written (self);
  return self->state != WEFT_STORE_COMPLETE && fcntl (self->input->fd, F_OFD_GETLK, &lock) == 0 &&
         lock.l_type == F_WRLCK;
}

guint64
weft_store_get_file_size (WeftStore *self)
{
  return self->file_size;
}

gint64
weft_store_get_start_monotonic (WeftStore *self)
{
  return self->header.start_monotonic;
}

gint64
weft_store_get_start_realtime (WeftStore *self)
{
  return self->header.start_realtime;
}

const char *
weft_store_get_damage (WeftStore *self)
{
  return self->damage == NULL ? NULL : self->damage->str;
}

guint64
weft_store_get_n_rows (WeftStore *self, WeftTableId table)
{
  g_return_val_if_fail (table < WEFT_N_TABLES, 0);

  return self->n_rows[table];
}

guint
weft_store_get_n_chunks (WeftStore *self, WeftTableId table)
{
  g_return_val_if_fail (table < WEFT_N_TABLES, 0);

  return self->tables[table]->len;
}

void
weft_store_get_chunk (WeftStore *self, WeftTableId table, guint chunk, WeftChunkInfo *info)
{
  const WeftChunk *found;

  g_return_if_fail (table < WEFT_N_TABLES && chunk < self->tables[table]->len);

  found = weft_store_chunk (self, table, chunk);
  info->n_rows = found->rows;
  info->first_row = found->first_row;
  info->sealed = found->kind == WEFT_CHUNK_SEALED &&
                 (table != WEFT_TABLE_DISPATCHES || (found->flags & WEFT_CHUNK_SORTED));
  info->file_offset = found->offset;
  info->stored_size = found->size;
}

static const guint column_bases[WEFT_N_TABLES] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
};

WeftColumnNumber
weft_store_column_number (WeftTableId table, guint place)
{
  return (WeftColumnNumber) (column_bases[table] + 1 + place);
}

guint
weft_store_column_place (WeftTableId table, WeftColumnNumber number)
{
  guint place = number - column_bases[table] - 1;

  return number > column_bases[table] && place < weft_schema_table (table)->n_columns ? place
                                                                                      : G_MAXUINT;
}

static gboolean
is_derived (WeftTableId table, guint place)
{
  return place != G_MAXUINT &&
         (weft_schema_table (table)->columns[place].flags & WEFT_COLUMN_DERIVED) != 0;
}

gboolean
weft_store_get_zone (WeftStore *self, WeftTableId table, guint chunk, WeftColumnNumber column,
                     guint64 *min, guint64 *max)
{
  guint place = weft_store_column_place (table, column);
  const WeftChunkDirectory *directory;
  const WeftStreamEntry *entry;

  g_return_val_if_fail (table < WEFT_N_TABLES && chunk < self->tables[table]->len, FALSE);

  if (is_derived (table, place))
    return weft_store_overlay (self, table, chunk) != NULL &&
           weft_overlay_get_zone (weft_store_overlay (self, table, chunk), place, min, max);
  directory = weft_chunk_get_directory (weft_store_chunk (self, table, chunk), NULL);
  if (directory == NULL)
    return FALSE;
  entry = weft_chunk_find_stream (directory, place);
  if (entry == NULL)
    return FALSE;
  *min = entry->min;
  *max = entry->max;
  return TRUE;
}

/* Columns */

static const guint64 no_presence[WEFT_MAX_CHUNK_ROWS / 64];

gboolean
weft_store_read_chunk_column (WeftChunk *chunk, guint place, WeftStoreColumn *column,
                              GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (chunk, error);
  WeftDecoded *decoded;

  memset (column, 0, sizeof *column);
  if (directory == NULL)
    return FALSE;
  column->n_rows = chunk->rows;
  if (weft_chunk_find_stream (directory, place) == NULL)
    {
      if (weft_schema_table (chunk->table)->columns[place].flags & WEFT_COLUMN_NULLABLE)
        column->presence = no_presence;
      return TRUE;
    }

  decoded = weft_chunk_read (chunk, place, error);
  if (decoded == NULL)
    return FALSE;
  *column = weft_decoded_column (decoded);
  return TRUE;
}

gboolean
weft_store_read_column (WeftStore *self, WeftTableId table, guint chunk, WeftColumnNumber number,
                        WeftStoreColumn *column, GError **error)
{
  guint place;

  g_return_val_if_fail (table < WEFT_N_TABLES && chunk < self->tables[table]->len, FALSE);
  place = weft_store_column_place (table, number);
  g_return_val_if_fail (place != G_MAXUINT, FALSE);

  if (!is_derived (table, place))
    return weft_store_read_chunk_column (weft_store_chunk (self, table, chunk), place, column,
                                         error);
  memset (column, 0, sizeof *column);
  column->n_rows = weft_store_chunk (self, table, chunk)->rows;
  return weft_store_overlay (self, table, chunk) == NULL ||
         weft_overlay_read (weft_store_overlay (self, table, chunk), place, column, error);
}

void
weft_store_column_clear (WeftStoreColumn *column)
{
  g_clear_pointer ((WeftDecoded **) &column->owner, weft_decoded_unref);
  memset (column, 0, sizeof *column);
}

/* The chunk that holds a row, of an array by first row. */
static gboolean
find_chunk (GPtrArray *chunks, guint64 row, guint *found)
{
  guint low = 0;
  guint high = chunks->len;
  WeftChunk *chunk;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      chunk = g_ptr_array_index (chunks, middle);
      if (chunk->first_row <= row)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return FALSE;
  chunk = g_ptr_array_index (chunks, low - 1);
  *found = low - 1;
  return row - chunk->first_row < chunk->rows;
}

static gboolean
find_id (WeftChunk *chunk, guint64 id, guint *row, GError **error)
{
  WEFT_AUTO_COLUMN ids = { 0 };

  if (!weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (ID), &ids, error))
    return FALSE;
  for (guint i = 0; i < ids.n_rows; i++)
    if (weft_store_column_get (&ids, i) == id)
      {
        *row = i;
        return TRUE;
      }

  g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
               "Row %" G_GUINT64_FORMAT " is missing from its chunk", id);
  return FALSE;
}

gboolean
weft_store_find_row (WeftStore *self, WeftTableId table, guint64 id, guint *chunk, guint *row,
                     GError **error)
{
  WeftChunk *found;

  g_return_val_if_fail (table < WEFT_N_TABLES, FALSE);

  if (!find_chunk (self->tables[table], id, chunk))
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW,
                   "The table “%s” has no row %" G_GUINT64_FORMAT, weft_schema_table (table)->name,
                   id);
      return FALSE;
    }

  found = weft_store_chunk (self, table, *chunk);
  if (found->flags & WEFT_CHUNK_SORTED)
    return find_id (found, id, row, error);
  *row = (guint) (id - found->first_row);
  return TRUE;
}

/* Strings and blobs */

static gboolean
index_strings (WeftChunkStrings *strings, gsize size, guint32 count)
{
  guint32 offset = 0;

  strings->offsets = g_new (guint32, count);
  for (guint32 i = 0; i < count; i++)
    {
      gsize length = offset >= size ? 0 : strlen (strings->text + offset);

      if (offset + length >= size ||
          !g_utf8_validate (strings->text + offset, (gssize) length, NULL))
        return FALSE;
      strings->offsets[i] = offset;
      offset += (guint32) length + 1;
    }
  return TRUE;
}

/* Without text if it cannot be read, so that this is found out once. */
static WeftChunkStrings *
read_strings (WeftChunk *chunk)
{
  WeftChunkStrings *strings = g_new0 (WeftChunkStrings, 1);
  guint64 *held = &chunk->input->strings_size;
  gsize size;
  guint32 count;

  if (__atomic_load_n (held, __ATOMIC_RELAXED) > MAX_STRINGS)
    return strings;
  strings->text = (char *) weft_chunk_read_bytes (chunk, 0, &size, &count, NULL);
  if (strings->text == NULL)
    return strings;
  if (size < G_MAXUINT32 && count <= size && count == chunk->rows &&
      index_strings (strings, size, count))
    __atomic_fetch_add (held, size + (guint64) count * sizeof (guint32), __ATOMIC_RELAXED);
  else
    g_clear_pointer (&strings->text, g_free);
  return strings;
}

const char *
weft_store_get_string (WeftStore *self, guint32 id)
{
  WeftChunkStrings *strings;
  WeftChunk *chunk;
  guint found;

  if (id == 0 || !find_chunk (self->strings, id, &found))
    return NULL;

  chunk = g_ptr_array_index (self->strings, found);
  strings = __atomic_load_n (&chunk->strings, __ATOMIC_ACQUIRE);
  if (strings == NULL)
    {
      WeftChunkStrings *expected = NULL;

      strings = read_strings (chunk);
      if (!__atomic_compare_exchange_n (&chunk->strings, &expected, strings, FALSE,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
          g_free (strings->text);
          g_free (strings->offsets);
          g_free (strings);
          strings = expected;
        }
    }
  if (strings->text == NULL)
    return NULL;
  return strings->text + strings->offsets[id - chunk->first_row];
}

GBytes *
weft_store_get_blob (WeftStore *self, guint32 id, GError **error)
{
  guint8 *bytes;
  guint32 count;
  gsize size;
  guint found;

  if (!find_chunk (self->blobs, id, &found))
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW, "There is no blob %u",
                   id);
      return NULL;
    }
  bytes = weft_chunk_read_bytes (g_ptr_array_index (self->blobs, found), 0, &size, &count, error);
  return bytes == NULL ? NULL : g_bytes_new_take (bytes, size);
}

gboolean
weft_store_verify (WeftStore *self, WeftStoreReport *report, GError **error)
{
  g_autoptr (GString) damage = g_string_new (NULL);

  memset (report, 0, sizeof *report);
  report->missing_bytes = self->missing_bytes;
  report->unknown_chunks = self->n_unknown;
  for (guint i = 0; i < self->chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->chunks, i);
      g_autoptr (GError) wrong = NULL;

      report->chunks++;
      if (chunk->kind == 0 || chunk->kind > WEFT_CHUNK_LAST_KIND ||
          weft_chunk_verify (chunk, &wrong))
        continue;
      report->damaged_chunks++;
      if (damage->len < 1000)
        g_string_append_printf (damage, "%s%s", damage->len == 0 ? "" : "; ", wrong->message);
    }
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    report->rows += self->n_rows[i];

  if (self->state == WEFT_STORE_PARTIAL && damage->len == 0)
    g_string_append (damage, self->damage->str);
  if (damage->len == 0)
    return TRUE;
  g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED, "%s", damage->str);
  return FALSE;
}
