/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-cut.h"

#include <string.h>
#include <unistd.h>

#include "weft-store-file.h"

#define STRINGS_SIZE (1 << 20) /* bytes of a STRINGS chunk, about */
#define MAX_STRING_GAP 4096    /* unnamed strings between two named ones cost a byte each */
#define PRESENCE_WORDS (WEFT_MAX_CHUNK_ROWS / 64)

typedef struct
{
  WeftStore *store;
  const WeftStoreCut *cut;
  WeftStoreFile file;
  WeftChunkBuilder chunk;
  WeftRetainedRows retained;
  gint64 before; /* that of the cut, or a later one of cuts before */

  /* Rows that follow one another, until there is a gap or a chunk is full. */
  WeftTableId table;
  guint64 first_row;
  guint32 n_rows;
  guint64 *columns[WEFT_MAX_COLUMNS];
  guint64 *presence[WEFT_MAX_COLUMNS];
  gboolean is_set[WEFT_MAX_COLUMNS];
} Cutter;

/* ---- Rows of the older parts ---- */

static gboolean
write_rows (Cutter *self, GError **error)
{
  const WeftTableSpec *spec = weft_schema_table (self->table);

  if (self->n_rows == 0)
    return TRUE;
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_SEALED, self->table, self->n_rows,
                            self->first_row);
  for (guint i = 0; i < spec->n_columns; i++)
    {
      WeftColumnSource source = { .id = (guint16) i,
                                  .type = spec->columns[i].type,
                                  .count = self->n_rows,
                                  .values = self->columns[i] };

      if (!self->is_set[i])
        continue;
      if (spec->columns[i].flags & WEFT_COLUMN_NULLABLE)
        source.presence = self->presence[i];
      weft_chunk_builder_add (&self->chunk, &source);
    }
  self->n_rows = 0;
  memset (self->is_set, 0, sizeof self->is_set);
  return weft_store_file_append (&self->file, &self->chunk, error);
}

static void
take_value (Cutter *self, guint place, const WeftStoreColumn *column, guint row)
{
  if (self->columns[place] == NULL)
    {
      self->columns[place] = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
      self->presence[place] = g_new (guint64, PRESENCE_WORDS);
    }
  if (!self->is_set[place])
    {
      memset (self->columns[place], 0, self->n_rows * sizeof (guint64));
      memset (self->presence[place], 0, PRESENCE_WORDS * sizeof (guint64));
      self->is_set[place] = TRUE;
    }
  self->columns[place][self->n_rows] = weft_store_column_get (column, row);
  if (weft_store_column_has (column, row))
    self->presence[place][self->n_rows / 64] |= G_GUINT64_CONSTANT (1) << (self->n_rows % 64);
}

/* Columns that no row of a chunk sets are in none. */
static void
skip_value (Cutter *self, guint place)
{
  if (self->is_set[place])
    self->columns[place][self->n_rows] = 0;
}

static gboolean
copy_rows (Cutter *self, WeftChunk *chunk, GError **error)
{
  const WeftTableSpec *spec = weft_schema_table (chunk->table);
  const WeftRowSet *stays = &self->retained.rows[chunk->table];
  WeftStoreColumn columns[WEFT_MAX_COLUMNS] = { 0 };
  gboolean has[WEFT_MAX_COLUMNS] = { FALSE };
  gboolean good = TRUE;

  for (guint i = 0; i < spec->n_columns && good; i++)
    if (weft_chunk_has_stream (chunk, i))
      has[i] = good = weft_store_read_chunk_column (chunk, i, &columns[i], error);
  for (guint row = 0; row < chunk->rows && good; row++)
    {
      guint64 number = chunk->first_row + row;

      if (!weft_row_set_has (stays, number))
        continue;
      if (self->n_rows > 0 &&
          (number != self->first_row + self->n_rows || self->n_rows == WEFT_MAX_CHUNK_ROWS))
        good = write_rows (self, error);
      if (self->n_rows == 0)
        self->first_row = number;
      for (guint i = 0; i < spec->n_columns; i++)
        if (has[i])
          take_value (self, i, &columns[i], row);
        else
          skip_value (self, i);
      self->n_rows++;
    }
  for (guint i = 0; i < spec->n_columns; i++)
    if (has[i])
      weft_store_column_clear (&columns[i]);
  return good;
}

static gboolean
copy_older_rows (Cutter *self, GError **error)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      GPtrArray *chunks = self->store->tables[table];

      if (weft_table_retention (table)->rule == WEFT_RETAIN_EVENTS)
        continue;
      self->table = table;
      for (guint i = 0; i < chunks->len; i++)
        {
          WeftChunk *chunk = g_ptr_array_index (chunks, i);

          if (weft_retained_rows_is_older (&self->retained, chunk) &&
              !copy_rows (self, chunk, error))
            return FALSE;
        }
      if (!write_rows (self, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Strings of the older parts ---- */

typedef struct
{
  GString *text;
  guint32 first;
  guint32 n;     /* strings in TEXT */
  guint32 empty; /* of these, the last ones that nothing names */
} Strings;

static gboolean
write_strings (Cutter *self, Strings *strings, GError **error)
{
  gboolean good = TRUE;

  strings->n -= strings->empty;
  if (strings->n > 0)
    {
      weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_STRINGS, WEFT_NO_TABLE, strings->n,
                                strings->first);
      weft_chunk_builder_add_bytes (&self->chunk, 0, strings->text->str,
                                    strings->text->len - strings->empty, strings->n);
      good = weft_store_file_append (&self->file, &self->chunk, error);
    }
  g_string_truncate (strings->text, 0);
  strings->n = strings->empty = 0;
  return good;
}

static gboolean
string_stays (Cutter *self, guint32 id)
{
  return weft_row_set_has (&self->retained.strings, id) ||
         (self->cut->forgotten != NULL && !weft_row_set_has (self->cut->forgotten, id));
}

static gboolean
copy_strings (Cutter *self, WeftChunk *chunk, Strings *strings, GError **error)
{
  for (guint32 i = 0; i < chunk->rows; i++)
    {
      guint32 id = (guint32) chunk->first_row + i;
      gboolean stays = string_stays (self, id);
      const char *text = stays ? weft_store_get_string (self->store, id) : NULL;

      if (strings->n > 0 &&
          (id != strings->first + strings->n || strings->empty >= MAX_STRING_GAP ||
           strings->text->len > STRINGS_SIZE) &&
          !write_strings (self, strings, error))
        return FALSE;
      if (strings->n == 0 && !stays)
        continue;
      if (strings->n == 0)
        strings->first = id;
      g_string_append (strings->text, text ? text : "");
      g_string_append_c (strings->text, '\0');
      strings->n++;
      strings->empty = stays ? 0 : strings->empty + 1;
    }
  return TRUE;
}

static gboolean
copy_older_strings (Cutter *self, GError **error)
{
  Strings strings = { .text = g_string_new (NULL) };
  guint64 next = 1;
  gboolean good = TRUE;

  for (guint i = 0; i < self->store->strings->len && good; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->store->strings, i);

      if (!weft_retained_rows_is_older (&self->retained, chunk) || chunk->first_row < next)
        continue;
      good = copy_strings (self, chunk, &strings, error);
      next = chunk->first_row + chunk->rows;
    }
  good = good && write_strings (self, &strings, error);
  g_string_free (strings.text, TRUE);
  return good;
}

/* ---- What is copied as it is ---- */

static gboolean
copy_chunk (Cutter *self, WeftChunk *chunk, GError **error)
{
  gsize size = chunk->size - sizeof (WeftChunkHeader);
  g_autofree guint8 *payload = g_try_malloc (size + 1);
  WeftChunkHeader header;

  if (payload == NULL || !weft_input_read (chunk->input, &header, sizeof header, chunk->offset) ||
      !weft_input_read (chunk->input, payload, size, chunk->offset + sizeof header))
    return weft_chunk_damaged (chunk, "it cannot be read", error);
  if (header.kind == WEFT_CHUNK_JOURNAL)
    header.kind = WEFT_CHUNK_SEALED; /* nothing else will hold these rows */
  if (header.kind == WEFT_CHUNK_DERIVED)
    header.flags &= ~(guint32) WEFT_CHUNK_PROVISIONAL; /* nor say this again */
  return weft_store_file_append_copy (&self->file, &header, payload, error);
}

static gboolean
is_copied (Cutter *self, WeftChunk *chunk)
{
  gboolean is_older = weft_retained_rows_is_older (&self->retained, chunk);

  switch (chunk->kind)
    {
    case WEFT_CHUNK_SCHEMA:
    case WEFT_CHUNK_INDEX:
    case WEFT_CHUNK_END:
      return FALSE;
    case WEFT_CHUNK_BLOB:
      return is_older || !self->cut->in_parts;
    case WEFT_CHUNK_SEALED:
    case WEFT_CHUNK_JOURNAL:
      return !is_older && !self->cut->in_parts &&
             (chunk->table >= WEFT_N_TABLES ||
              g_ptr_array_find (self->store->tables[chunk->table], chunk, NULL));
    case WEFT_CHUNK_DERIVED:
      return !is_older && !self->cut->in_parts &&
             !(self->cut->is_final && (chunk->flags & WEFT_CHUNK_PROVISIONAL));
    default:
      return !is_older && !self->cut->in_parts;
    }
}

static gboolean
copy_whole_chunks (Cutter *self, GError **error)
{
  for (guint i = 0; i < self->store->chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->store->chunks, i);

      if (is_copied (self, chunk) && !copy_chunk (self, chunk, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- What is told of what is let go ---- */

/* Rows by (table, lane). */
static void
count (GHashTable *counts, guint64 table, guint64 lane, guint64 n)
{
  const guint64 key = lane << 8 | table;
  guint64 *known = g_hash_table_lookup (counts, &key);

  if (known == NULL)
    {
      guint64 *pair = g_new0 (guint64, 2);

      pair[0] = key;
      g_hash_table_insert (counts, pair, pair + 1);
      known = pair + 1;
    }
  *known += n;
}

static gboolean
count_dispatches (GHashTable *counts, WeftChunk *chunk, GError **error)
{
  WEFT_AUTO_COLUMN lanes = { 0 };
  guint32 begin = 0;

  if (!weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (LANE), &lanes, error))
    return FALSE;
  for (guint32 row = 1; row <= lanes.n_rows; row++)
    {
      guint64 lane = weft_store_column_get (&lanes, begin);

      if (row < lanes.n_rows && weft_store_column_get (&lanes, row) == lane)
        continue;
      count (counts, WEFT_TABLE_DISPATCHES, lane, row - begin);
      begin = row;
    }
  return TRUE;
}

/* What was let go of before this time. */
static gboolean
count_again (Cutter *self, GHashTable *counts, WeftChunk *chunk, GError **error)
{
  guint base = WEFT_COLUMN_BASE_RETENTION + 1;
  WEFT_AUTO_COLUMN tables = { 0 };
  WEFT_AUTO_COLUMN lanes = { 0 };
  WEFT_AUTO_COLUMN rows = { 0 };
  WEFT_AUTO_COLUMN before = { 0 };

  if (!weft_store_read_chunk_column (chunk, WEFT_RETENTION_BEFORE - base, &before, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_RETENTION_OWNER_TABLE - base, &tables, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_RETENTION_LANE - base, &lanes, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_RETENTION_ROWS - base, &rows, error))
    return FALSE;
  for (guint32 row = 0; row < chunk->rows; row++)
    {
      count (counts, weft_store_column_get (&tables, row), weft_store_column_get (&lanes, row),
             weft_store_column_get (&rows, row));
      self->before = MAX (self->before, (gint64) weft_store_column_get (&before, row));
    }
  return TRUE;
}

static gboolean
count_chunk (Cutter *self, GHashTable *counts, WeftChunk *chunk, GError **error)
{
  if (chunk->table == WEFT_TABLE_RETENTION)
    return count_again (self, counts, chunk, error);
  if (chunk->table == WEFT_TABLE_DISPATCHES)
    return count_dispatches (counts, chunk, error);
  count (counts, chunk->table, 0, chunk->rows);
  return TRUE;
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a;
  guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

static void
add_retention_columns (Cutter *self, GHashTable *counts, GArray *keys)
{
  guint base = WEFT_COLUMN_BASE_RETENTION + 1;
  g_autofree guint64 *values = g_new (guint64, keys->len);
  guint n = keys->len;

  for (guint i = 0; i < n; i++)
    values[i] = g_array_index (keys, guint64, i) & 0xff;
  weft_chunk_builder_add_numbers (&self->chunk, WEFT_RETENTION_OWNER_TABLE - base,
                                  WEFT_STORE_TYPE_ENUM, values, n);
  for (guint i = 0; i < n; i++)
    values[i] = g_array_index (keys, guint64, i) >> 8;
  weft_chunk_builder_add_numbers (&self->chunk, WEFT_RETENTION_LANE - base, WEFT_STORE_TYPE_ID,
                                  values, n);
  for (guint i = 0; i < n; i++)
    values[i] = *(guint64 *) g_hash_table_lookup (counts, &g_array_index (keys, guint64, i));
  weft_chunk_builder_add_numbers (&self->chunk, WEFT_RETENTION_ROWS - base, WEFT_STORE_TYPE_U64,
                                  values, n);
  for (guint i = 0; i < n; i++)
    values[i] = (guint64) self->before;
  weft_chunk_builder_add_numbers (&self->chunk, WEFT_RETENTION_BEFORE - base, WEFT_STORE_TYPE_TIME,
                                  values, n);
}

static gboolean
write_retention (Cutter *self, GError **error)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GArray) keys = g_array_new (FALSE, FALSE, sizeof (guint64));
  GHashTableIter iter;
  gpointer key;

  for (guint table = 0; table < WEFT_N_TABLES; table++)
    for (guint i = 0; weft_table_retention (table)->rule == WEFT_RETAIN_EVENTS &&
                      i < self->store->tables[table]->len;
         i++)
      {
        WeftChunk *chunk = weft_store_chunk (self->store, table, i);

        if (weft_retained_rows_is_older (&self->retained, chunk) &&
            !count_chunk (self, counts, chunk, error))
          return FALSE;
      }
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_array_append_vals (keys, key, 1);
  g_array_sort (keys, compare_keys);
  g_array_set_size (keys, MIN (keys->len, WEFT_MAX_CHUNK_ROWS));
  if (keys->len == 0)
    return TRUE;
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_SEALED, WEFT_TABLE_RETENTION, keys->len, 1);
  add_retention_columns (self, counts, keys);
  return weft_store_file_append (&self->file, &self->chunk, error);
}

/* ---- All together ---- */

static gboolean
write_all (Cutter *self, GError **error)
{
  return weft_store_file_append_schema (&self->file, &self->chunk, error) &&
         copy_older_strings (self, error) && copy_whole_chunks (self, error) &&
         copy_older_rows (self, error) && write_retention (self, error) &&
         weft_store_file_finish (&self->file, &self->chunk, error) &&
         weft_store_file_sync (&self->file, error);
}

static void
cutter_clear (Cutter *self)
{
  weft_chunk_builder_clear (&self->chunk);
  weft_retained_rows_clear (&self->retained);
  for (guint i = 0; i < WEFT_MAX_COLUMNS; i++)
    {
      g_free (self->columns[i]);
      g_free (self->presence[i]);
    }
}

gboolean
weft_store_cut (WeftStore *store, const char *out, const WeftStoreCut *cut, WeftRowSet *strings,
                GError **error)
{
  Cutter self = { .store = store, .cut = cut, .before = cut->before };
  WeftFileHeader header = store->header;
  gboolean good;

  header.header_size = sizeof header;
  header.flags = cut->in_parts ? WEFT_FILE_IN_PARTS : 0;
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    store->in_use_from[i] = cut->in_use_from ? cut->in_use_from[i] : G_MAXUINT64;
  weft_chunk_builder_init (&self.chunk);
  good = weft_retained_rows_init (&self.retained, store, cut->oldest, cut->sorts_out, error);
  if (good && (good = weft_store_file_create (&self.file, out, &header, error)))
    {
      good = write_all (&self, error);
      weft_store_file_clear (&self.file);
      if (!good)
        unlink (out);
    }
  if (good && strings != NULL)
    {
      *strings = self.retained.strings;
      memset (&self.retained.strings, 0, sizeof self.retained.strings);
    }
  cutter_clear (&self);
  return good;
}
