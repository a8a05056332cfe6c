/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-writer.h"

#include <pthread.h>
#include <string.h>

#include "weft-dispatch-digest.h"
#include "weft-dispatch-order.h"
#include "weft-store-rotation.h"
#include "weft-string-dictionary.h"

#define ROWS WEFT_STORE_SEAL_ROWS
#define COLUMN_SIZE (ROWS * sizeof (guint64)) /* in memtables, half of that where it suffices */
#define PRESENCE_SIZE (ROWS / 8)
#define MAX_SPARE 96 /* column buffers kept for the next memtable: fresh pages cost ten times */
#define CLEARED 1024 /* rows of a column made nought at a time, just before they are filled */
#define STRINGS_SIZE (1 << 20) /* bytes of a STRINGS chunk, about */

/* A column of a memtable: 32-bit offsets from its base, or the values. */
typedef struct
{
  guint64 base;
  gboolean is_wide;
  gboolean is_time;    /* WEFT_NO_OFFSET is nought */
  guint64 reserved[6]; /* a cache line in all */
  guint64 numbers[];
} Column;

/* Columns of rows of one table. The appending thread fills it; the rows below n_rows never change,
 * and pointers are set before the first row that needs them is published: of a column that outgrows
 * its offsets, what was published before is the same in both.
 */
typedef struct
{
  WeftTableId table;
  guint64 first_row;
  guint32 n_rows;      /* published */
  guint32 n_journaled; /* the writing thread's */
  gint64 until;        /* of the table WEFT_N_TABLES: the part ends, with what came until then */
  guint64 size;
  Column *columns[WEFT_MAX_COLUMNS];
  Column *outgrown[WEFT_MAX_COLUMNS]; /* the narrow ones before; may still be read */
  guint64 *presence[WEFT_MAX_COLUMNS];
} Memtable;

typedef struct
{
  WeftTableWriter public;
  WeftStoreWriter *store;
  const WeftTableSpec *spec;
  Memtable *memtable; /* replaced under the lock */
} TableWriter;

typedef struct
{
  guint32 id;
  GBytes *bytes;
} PendingBlob;

/* Told by weft_store_writer_derive (), and not written yet. */
typedef struct
{
  WeftTableId table;
  guint version;
  guint64 first_id;
  guint32 n;
  gboolean provisional;
  gsize size;
  guint n_columns;
  WeftDerivedColumn columns[WEFT_MAX_COLUMNS];
  guint64 values[];
} Derived;

/* The strings that are named by what is kept, of those that were handed out before a rotation. */
typedef struct
{
  WeftRowSet named;
  guint32 generation;
} Sweep;

struct _WeftStoreWriter
{
  WeftStoreOptions options;
  WeftFileHeader header;
  TableWriter tables[WEFT_N_TABLES];
  WeftStringDictionary *strings;
  GHashTable *blobs;           /* SHA-256 → id */
  WeftStoreRotation *rotation; /* NULL: all is kept */
  gint64 part_began;           /* CLOCK_MONOTONIC ns; what follows up to the lock is of the
                                  appending thread */
  guint32 generation;
  WeftHoldStrings hold;
  gpointer hold_data;

  pthread_mutex_t lock; /* of what follows, up to the thread's own */
  pthread_cond_t wake;  /* the writing thread */
  pthread_cond_t done;  /* whoever waits for it */
  GQueue full;
  GQueue derived; /* Derived */
  GPtrArray *spare_narrow;
  GPtrArray *spare_wide;
  GPtrArray *spare_presence;
  GByteArray *pending_text;
  guint32 n_pending_strings;
  guint32 n_strings;
  GArray *pending_blobs;
  guint64 bytes_queued;
  guint64 bytes_written;
  guint64 part_size; /* atomic: of the file that is being written */
  guint64 waits;
  guint64 flush_wanted;
  guint64 flush_done;
  guint64 rotations_wanted;
  guint64 rotations_done;
  WeftRowSet forgotten; /* strings that are not in the dictionary any more */
  Sweep *sweep;         /* for the appending thread; or NULL */
  guint32 sweep_generation;
  guint64 in_use_from[WEFT_N_TABLES];
  gboolean closing;
  GError *error; /* set once, read without the lock */

  GThread *thread; /* what follows is its own */
  WeftStoreFile file;
  WeftChunkBuilder chunk;
  WeftDispatchOrder order;
  WeftSummaryBuilder *summary;
  WeftLodBuilder *lod;
  guint64 *sorted[WEFT_MAX_COLUMNS];
  guint64 *sorted_presence;
  guint16 *routine_places;
  guint64 *routine_names;
  gint64 *ends;
  guint32 n_written_strings;
};

/* Buffers */

static gpointer
take_buffer (WeftStoreWriter *self, GPtrArray *spare, gsize size)
{
  gpointer buffer = NULL;

  pthread_mutex_lock (&self->lock);
  if (spare->len > 0)
    buffer = g_ptr_array_steal_index_fast (spare, spare->len - 1);
  pthread_mutex_unlock (&self->lock);

  return buffer != NULL ? buffer : g_malloc (size);
}

static void
give_buffer (GPtrArray *spare, gpointer buffer)
{
  if (buffer == NULL)
    return;
  if (spare->len < MAX_SPARE)
    g_ptr_array_add (spare, buffer);
  else
    g_free (buffer);
}

static Memtable *
memtable_new (TableWriter *table)
{
  Memtable *memtable = g_new0 (Memtable, 1);

  memtable->table = (WeftTableId) (table - table->store->tables);
  memtable->first_row = table->public.total + 1;
  return memtable;
}

/* Called with the lock held. */
static void
memtable_free (WeftStoreWriter *self, Memtable *memtable)
{
  for (guint i = 0; i < WEFT_MAX_COLUMNS; i++)
    {
      Column *column = memtable->columns[i];

      if (column != NULL)
        give_buffer (column->is_wide ? self->spare_wide : self->spare_narrow, column);
      give_buffer (self->spare_narrow, memtable->outgrown[i]);
      give_buffer (self->spare_presence, memtable->presence[i]);
    }
  g_free (memtable);
}

/* Appending */

static Column *
column_new (TableWriter *table, guint column, guint64 base, gboolean is_wide)
{
  WeftStoreWriter *store = table->store;
  gsize size = is_wide ? COLUMN_SIZE : COLUMN_SIZE / 2;
  Column *self = take_buffer (store, is_wide ? store->spare_wide : store->spare_narrow,
                              sizeof (Column) + size);

  self->base = base;
  self->is_wide = is_wide;
  self->is_time = table->spec->columns[column].type == WEFT_STORE_TYPE_TIME;
  table->memtable->size += size;
  return self;
}

/* Rows that do not set it have nought. */
static void
column_clear (Column *self, guint32 first, guint32 n)
{
  if (self->is_wide)
    memset (self->numbers + first, 0, n * sizeof (guint64));
  else
    memset ((guint32 *) self->numbers + first, self->is_time ? 0xff : 0, n * sizeof (guint32));
}

WEFT_HOT static void
widen (const guint32 *restrict offsets, guint32 n, guint64 base, gboolean is_time,
       guint64 *restrict out)
{
  if (!is_time)
    for (guint32 i = 0; i < n; i++)
      out[i] = offsets[i];
  else
    for (guint32 i = 0; i < n; i++)
      out[i] = offsets[i] == WEFT_NO_OFFSET ? 0 : offsets[i] + base;
}

static void
column_copy (const Column *self, guint32 first, guint32 n, guint64 *out)
{
  if (self == NULL)
    memset (out, 0, n * sizeof *out);
  else if (self->is_wide)
    memcpy (out, self->numbers + first, n * sizeof *out);
  else
    widen ((const guint32 *) self->numbers + first, n, self->base, self->is_time, out);
}

static void
column_publish (TableWriter *table, guint number, Column *column)
{
  table->public.narrow[number] = column->is_wide ? NULL : (guint32 *) column->numbers;
  table->public.wide[number] = column->is_wide ? column->numbers : NULL;
  table->public.bases[number] = column->base;
  __atomic_store_n (&table->memtable->columns[number], column, __ATOMIC_RELEASE);
}

/* The first time that a memtable's row sets a column. */
static void
touch (TableWriter *table, guint number, guint64 value)
{
  WeftStoreWriter *store = table->store;
  WeftTableWriter *public = &table->public;
  gboolean is_time = table->spec->columns[number].type == WEFT_STORE_TYPE_TIME;
  Column *column = column_new (table, number, is_time ? value - WEFT_NO_OFFSET / 2 : 0,
                               !is_time && value >= WEFT_NO_OFFSET);

  column_clear (column, 0, public->cleared);
  column_publish (table, number, column);
  if (table->spec->columns[number].flags & WEFT_COLUMN_NULLABLE)
    {
      public->presence[number] = take_buffer (store, store->spare_presence, PRESENCE_SIZE);
      memset (public->presence[number], 0, PRESENCE_SIZE);
      __atomic_store_n (&table->memtable->presence[number], public->presence[number],
                        __ATOMIC_RELEASE);
    }
}

static void
outgrow (TableWriter *table, guint number)
{
  Column *narrow = table->memtable->columns[number];
  Column *wide = column_new (table, number, 0, TRUE);

  column_copy (narrow, 0, table->public.cleared, wide->numbers);
  table->memtable->outgrown[number] = narrow;
  column_publish (table, number, wide);
}

void
weft_table_writer_set_slow (WeftTableWriter *self, guint column, guint64 value)
{
  TableWriter *table = (TableWriter *) self;

  g_assert (column < table->spec->n_columns);
  if (table->memtable->columns[column] == NULL)
    touch (table, column, value);
  else if (self->narrow[column] != NULL)
    outgrow (table, column);

  if (self->wide[column] != NULL)
    self->wide[column][self->row] = value;
  else
    self->narrow[column][self->row] = (guint32) (value - self->bases[column]);
}

/* Waits until the writing thread is not too far behind. The lock is held. */
static void
wait_for_room (WeftStoreWriter *self)
{
  if (self->bytes_queued > self->options.max_queued_bytes)
    {
      self->waits++;
      pthread_cond_signal (&self->wake);
    }
  while (self->bytes_queued > self->options.max_queued_bytes)
    pthread_cond_wait (&self->done, &self->lock);
}

static void
hand_over (TableWriter *table)
{
  WeftStoreWriter *store = table->store;
  Memtable *next = memtable_new (table);

  pthread_mutex_lock (&store->lock);
  wait_for_room (store);
  store->bytes_queued += table->memtable->size;
  g_queue_push_tail (&store->full, table->memtable);
  table->memtable = next;
  pthread_cond_signal (&store->wake);
  pthread_mutex_unlock (&store->lock);

  memset (table->public.narrow, 0, sizeof table->public.narrow);
  memset (table->public.wide, 0, sizeof table->public.wide);
  memset (table->public.presence, 0, sizeof table->public.presence);
  table->public.n_rows = &next->n_rows;
  table->public.row = table->public.cleared = 0;
}

void
weft_table_writer_begin_slow (WeftTableWriter *self)
{
  TableWriter *table = (TableWriter *) self;

  if (self->row == ROWS)
    hand_over (table);
  for (guint i = 0; i < table->spec->n_columns; i++)
    if (table->memtable->columns[i] != NULL)
      column_clear (table->memtable->columns[i], self->cleared, CLEARED);
  self->cleared += CLEARED;
}

WeftTableWriter *
weft_store_writer_table (WeftStoreWriter *self, WeftTableId table)
{
  g_return_val_if_fail (table < WEFT_N_TABLES, NULL);

  return &self->tables[table].public;
}

guint32
weft_store_writer_string (WeftStoreWriter *self, const char *text, gssize length)
{
  gboolean added;
  guint32 id;

  if (text == NULL)
    return 0;
  if (length < 0)
    length = (gssize) strlen (text);
  if (length == 0)
    return 0;

  id = weft_string_dictionary_add (self->strings, text, (gsize) length, &added);
  if (added)
    {
      pthread_mutex_lock (&self->lock);
      g_byte_array_append (self->pending_text, (const guint8 *) text, (guint) length);
      g_byte_array_append (self->pending_text, (const guint8 *) "", 1);
      self->n_pending_strings++;
      self->n_strings = id;
      pthread_mutex_unlock (&self->lock);
    }

  return id;
}

guint32
weft_store_writer_blob (WeftStoreWriter *self, const void *data, gsize length)
{
  g_autofree char *sha256 = NULL;
  WeftTableWriter *table = weft_store_writer_table (self, WEFT_TABLE_BLOBS);
  PendingBlob blob;
  gpointer known;

  if (length >= WEFT_MAX_SEGMENT_SIZE)
    return 0;
  sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, length);
  known = g_hash_table_lookup (self->blobs, sha256);
  if (known != NULL)
    return GPOINTER_TO_UINT (known);

  weft_table_writer_begin (table);
  weft_table_writer_set (table, WEFT_BLOBS_SHA256, weft_store_writer_string (self, sha256, -1));
  weft_table_writer_set (table, WEFT_BLOBS_SIZE, length);
  blob.id = (guint32) table->total + 1;
  blob.bytes = g_bytes_new (data, length);
  pthread_mutex_lock (&self->lock);
  g_array_append_val (self->pending_blobs, blob);
  pthread_mutex_unlock (&self->lock);
  g_hash_table_insert (self->blobs, g_steal_pointer (&sha256), GUINT_TO_POINTER (blob.id));

  return (guint32) weft_table_writer_commit (table);
}

void
weft_store_writer_derive (WeftStoreWriter *self, WeftTableId table, guint version, guint64 first_id,
                          guint32 n, const WeftDerivedColumn *columns, guint n_columns,
                          gboolean provisional)
{
  gsize n_values = 0;
  Derived *derived;

  g_return_if_fail (table < WEFT_N_TABLES && n > 0 && n <= ROWS && first_id > 0);
  g_return_if_fail (n_columns <= WEFT_MAX_COLUMNS);

  for (guint i = 0; i < n_columns; i++)
    n_values += columns[i].values != NULL ? n : 0;
  derived = g_malloc (sizeof *derived + n_values * sizeof (guint64));
  derived->table = table;
  derived->version = version;
  derived->first_id = first_id;
  derived->n = n;
  derived->provisional = provisional;
  derived->size = sizeof *derived + n_values * sizeof (guint64);
  derived->n_columns = n_columns;
  n_values = 0;
  for (guint i = 0; i < n_columns; i++)
    {
      derived->columns[i] = columns[i];
      if (columns[i].values == NULL)
        continue;
      derived->columns[i].values =
          memcpy (derived->values + n_values, columns[i].values, n * sizeof (guint64));
      n_values += n;
    }

  pthread_mutex_lock (&self->lock);
  wait_for_room (self);
  self->bytes_queued += derived->size;
  g_queue_push_tail (&self->derived, derived);
  pthread_mutex_unlock (&self->lock);
}

/* The writing thread: what is in the file is append (…) calls in the order that readers rely on:
 * strings and blobs before the rows that name them.
 */

static gboolean
has_failed (WeftStoreWriter *self)
{
  return __atomic_load_n (&self->error, __ATOMIC_ACQUIRE) != NULL;
}

static void
fail (WeftStoreWriter *self, GError *error)
{
  __atomic_store_n (&self->error, error, __ATOMIC_RELEASE);
}

static guint64
rotation_size (WeftStoreWriter *self)
{
  return self->rotation != NULL ? weft_store_rotation_get_size (self->rotation) : 0;
}

static void
append_chunk (WeftStoreWriter *self)
{
  g_autoptr (GError) error = NULL;

  if (has_failed (self))
    return;
  if (!weft_store_file_append (&self->file, &self->chunk, &error))
    fail (self, g_steal_pointer (&error));
  __atomic_store_n (&self->part_size, self->file.size, __ATOMIC_RELAXED);
  __atomic_store_n (&self->bytes_written, self->file.size + rotation_size (self), __ATOMIC_RELAXED);
}

static void
write_strings (WeftStoreWriter *self)
{
  g_autoptr (GByteArray) text = NULL;
  guint32 n_strings;

  pthread_mutex_lock (&self->lock);
  text = g_steal_pointer (&self->pending_text);
  n_strings = self->n_pending_strings;
  self->pending_text = g_byte_array_new ();
  self->n_pending_strings = 0;
  pthread_mutex_unlock (&self->lock);

  for (guint begin = 0, end = 0; begin < text->len; begin = end)
    {
      guint32 n = 0;

      while (end < text->len && end - begin < STRINGS_SIZE)
        {
          end += (guint) strlen ((const char *) text->data + end) + 1;
          n++;
        }
      weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_STRINGS, WEFT_NO_TABLE, n,
                                self->n_written_strings + 1);
      weft_chunk_builder_add_bytes (&self->chunk, 0, text->data + begin, end - begin, n);
      append_chunk (self);
      self->n_written_strings += n;
      n_strings -= n;
    }
  g_assert (n_strings == 0);
}

static void
write_blobs (WeftStoreWriter *self)
{
  g_autoptr (GArray) blobs = NULL;

  pthread_mutex_lock (&self->lock);
  blobs = g_steal_pointer (&self->pending_blobs);
  self->pending_blobs = g_array_new (FALSE, FALSE, sizeof (PendingBlob));
  pthread_mutex_unlock (&self->lock);

  for (guint i = 0; i < blobs->len; i++)
    {
      PendingBlob *blob = &g_array_index (blobs, PendingBlob, i);
      gsize size;
      const void *data = g_bytes_get_data (blob->bytes, &size);

      weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_BLOB, WEFT_NO_TABLE, 1, blob->id);
      weft_chunk_builder_add_bytes (&self->chunk, 0, data, size, 1);
      append_chunk (self);
      g_bytes_unref (blob->bytes);
    }
}

/* Copies rows of a presence bitmap from FIRST on, by atomic reads: later bits may be changing. */
static guint64 *
copy_presence (WeftStoreWriter *self, const guint64 *presence, guint32 first, guint32 n)
{
  memset (self->sorted_presence, 0, PRESENCE_SIZE);
  for (guint32 i = 0; i < n; i++)
    {
      guint32 row = first + i;
      guint64 word = __atomic_load_n (&presence[row / 64], __ATOMIC_RELAXED);

      self->sorted_presence[i / 64] |= (word >> (row % 64) & 1) << (i % 64);
    }
  return self->sorted_presence;
}

static void
add_key (WeftStoreWriter *self, guint column, guint64 first_row, guint32 n)
{
  guint64 *keys = self->sorted[0];

  for (guint32 i = 0; i < n; i++)
    keys[i] = first_row + i;
  weft_chunk_builder_add_numbers (&self->chunk, (guint16) column, WEFT_STORE_TYPE_ID, keys, n);
}

/* Rows FIRST to END of MEMTABLE in the order of arrival. */
static void
write_rows (WeftStoreWriter *self, Memtable *memtable, WeftChunkKind kind, guint32 first,
            guint32 end)
{
  const WeftTableSpec *spec = weft_schema_table (memtable->table);
  guint32 n = end - first;

  weft_chunk_builder_begin (&self->chunk, kind, memtable->table, n, memtable->first_row + first);
  for (guint i = 0; i < spec->n_columns; i++)
    {
      const Column *column = __atomic_load_n (&memtable->columns[i], __ATOMIC_ACQUIRE);
      const guint64 *presence = __atomic_load_n (&memtable->presence[i], __ATOMIC_ACQUIRE);
      WeftColumnSource source = { .id = (guint16) i, .type = spec->columns[i].type, .count = n };

      if (spec->columns[i].flags & WEFT_COLUMN_KEY)
        add_key (self, i, memtable->first_row + first, n);
      if ((spec->columns[i].flags & WEFT_COLUMN_KEY) || column == NULL)
        continue;
      if (spec->columns[i].flags & WEFT_COLUMN_NULLABLE)
        {
          /* The values are visible before their bitmap: none of these rows has one yet. */
          if (presence == NULL)
            continue;
          source.presence = copy_presence (self, presence, first, n);
        }
      column_copy (column, first, n, self->sorted[0]);
      source.values = self->sorted[0];
      weft_chunk_builder_add (&self->chunk, &source);
    }
  append_chunk (self);
}

static guint64 *
sorted_buffer (WeftStoreWriter *self, guint column)
{
  if (self->sorted[column] == NULL)
    self->sorted[column] = g_malloc (COLUMN_SIZE);
  return self->sorted[column];
}

WEFT_HOT static void
gather (const guint32 *restrict values, const guint32 *restrict rows, guint32 n,
        guint64 *restrict out)
{
#pragma GCC unroll 4
  for (guint32 i = 0; i < n; i++)
    out[i] = values[rows[i]];
}

WEFT_HOT static void
gather_wide (const guint64 *restrict values, const guint32 *restrict rows, guint32 n,
             guint64 *restrict out)
{
#pragma GCC unroll 4
  for (guint32 i = 0; i < n; i++)
    out[i] = values[rows[i]];
}

WEFT_HOT static void
add_base (guint64 *offsets, guint32 n, guint64 base)
{
  for (guint32 i = 0; i < n; i++)
    offsets[i] = offsets[i] == WEFT_NO_OFFSET ? 0 : offsets[i] + base;
}

WEFT_HOT static void
number_rows (const guint32 *restrict rows, guint32 n, guint64 first, guint64 *restrict out)
{
  for (guint32 i = 0; i < n; i++)
    out[i] = first + rows[i];
}

static void
sort_column (WeftStoreWriter *self, const Memtable *memtable, guint number)
{
  guint64 *sorted = sorted_buffer (self, number);
  const Column *column = memtable->columns[number];
  guint32 n = memtable->n_rows;

  if (column == NULL)
    memset (sorted, 0, n * sizeof *sorted);
  else if (column->is_wide)
    gather_wide (column->numbers, self->order.rows, n, sorted);
  else
    gather ((const guint32 *) column->numbers, self->order.rows, n, sorted);
  if (column != NULL && !column->is_wide && column->is_time)
    add_base (sorted, n, column->base);
}

static const guint64 *
sort_presence (WeftStoreWriter *self, const guint64 *presence)
{
  memset (self->sorted_presence, 0, PRESENCE_SIZE);
  for (guint32 i = 0; i < self->order.n_rows; i++)
    {
      guint32 row = self->order.rows[i];

      self->sorted_presence[i / 64] |= (presence[row / 64] >> (row % 64) & 1) << (i % 64);
    }
  return self->sorted_presence;
}

static void
sort_dispatches (WeftStoreWriter *self, Memtable *memtable)
{
  guint base = WEFT_COLUMN_BASE_DISPATCHES + 1;
  guint64 *ids = sorted_buffer (self, WEFT_DISPATCHES_ID - base);
  guint64 *starts = sorted_buffer (self, WEFT_DISPATCHES_START - base);
  guint64 *sorted_lanes = sorted_buffer (self, WEFT_DISPATCHES_LANE - base);
  guint32 row = 0;

  column_copy (memtable->columns[WEFT_DISPATCHES_LANE - base], 0, memtable->n_rows, ids);
  column_copy (memtable->columns[WEFT_DISPATCHES_START - base], 0, memtable->n_rows, starts);
  weft_dispatch_order_sort (&self->order, ids, starts, memtable->n_rows);
  number_rows (self->order.rows, memtable->n_rows, memtable->first_row, ids);
  for (guint32 i = 0; i < self->order.n_lanes; i++)
    for (guint32 j = 0; j < self->order.lane_rows[i]; j++)
      sorted_lanes[row++] = self->order.lanes[i];
  sort_column (self, memtable, WEFT_DISPATCHES_DURATION - base);
  sort_column (self, memtable, WEFT_DISPATCHES_ROUTINE - base);
}

static void
add_dispatch_column (WeftStoreWriter *self, Memtable *memtable, const WeftTableSpec *spec,
                     guint column)
{
  WeftColumnNumber number = WEFT_COLUMN_BASE_DISPATCHES + 1 + column;
  WeftColumnSource source = { .id = (guint16) column,
                              .type = spec->columns[column].type,
                              .count = memtable->n_rows };

  if (number == WEFT_DISPATCHES_START)
    {
      source.values = self->order.starts;
      source.durations = self->sorted[WEFT_DISPATCHES_DURATION - WEFT_COLUMN_BASE_DISPATCHES - 1];
      source.duration_id = WEFT_DISPATCHES_DURATION - WEFT_COLUMN_BASE_DISPATCHES - 1;
      source.lane_runs = self->order.lane_rows;
      source.n_lane_runs = self->order.n_lanes;
    }
  else
    {
      if (number > WEFT_DISPATCHES_DURATION)
        sort_column (self, memtable, column);
      source.values = self->sorted[column];
      if (memtable->presence[column] != NULL)
        source.presence = sort_presence (self, memtable->presence[column]);
    }
  weft_chunk_builder_add (&self->chunk, &source);
}

static void
write_digests (WeftStoreWriter *self, Memtable *memtable)
{
  guint base = WEFT_COLUMN_BASE_DISPATCHES + 1;
  const WeftStreamEntry *routines =
      weft_chunk_builder_find (&self->chunk, WEFT_DISPATCHES_ROUTINE - base);
  const WeftStreamEntry *durations =
      weft_chunk_builder_find (&self->chunk, WEFT_DISPATCHES_DURATION - base);
  WeftDispatchColumns columns = {
    .n_rows = memtable->n_rows,
    .n_lanes = self->order.n_lanes,
    .ids = self->sorted[WEFT_DISPATCHES_ID - base],
    .lanes = self->order.lanes,
    .lane_rows = self->order.lane_rows,
    .starts = self->order.starts,
    .durations = self->sorted[WEFT_DISPATCHES_DURATION - base],
    .routines = self->sorted[WEFT_DISPATCHES_ROUTINE - base],
    .statuses = memtable->columns[WEFT_DISPATCHES_STATUS - base] == NULL
                    ? NULL
                    : self->sorted[WEFT_DISPATCHES_STATUS - base],
    .routine_names = self->routine_names,
    .routine_places = self->routine_places,
    .ends = self->ends,
  };

  if (routines != NULL)
    {
      columns.min_routine = routines->min;
      columns.max_routine = routines->max;
    }
  if (durations != NULL)
    columns.max_duration = durations->max;
  weft_dispatch_columns_prepare (&columns);
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_SUMMARY, memtable->table, memtable->n_rows,
                            memtable->first_row);
  self->chunk.header.version = WEFT_SUMMARY_VERSION;
  weft_summary_builder_add (self->summary, &columns, &self->chunk);
  append_chunk (self);
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_LOD, memtable->table, memtable->n_rows,
                            memtable->first_row);
  if (weft_lod_builder_add (self->lod, &columns, &self->chunk))
    append_chunk (self);
}

static void
seal_dispatches (WeftStoreWriter *self, Memtable *memtable)
{
  const WeftTableSpec *spec = weft_schema_table (memtable->table);

  sort_dispatches (self, memtable);
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_SEALED, memtable->table, memtable->n_rows,
                            memtable->first_row);
  self->chunk.header.flags = WEFT_CHUNK_SORTED;
  for (guint i = 0; i < spec->n_columns; i++)
    if (memtable->columns[i] != NULL || (spec->columns[i].flags & WEFT_COLUMN_KEY))
      add_dispatch_column (self, memtable, spec, i);
  append_chunk (self);
  write_digests (self, memtable);
}

static void
seal (WeftStoreWriter *self, Memtable *memtable)
{
  if (memtable->n_rows == 0 || has_failed (self))
    return;
  if (memtable->table == WEFT_TABLE_DISPATCHES)
    seal_dispatches (self, memtable);
  else
    write_rows (self, memtable, WEFT_CHUNK_SEALED, 0, memtable->n_rows);
}

static void
write_derived (WeftStoreWriter *self, const Derived *derived)
{
  const WeftTableSpec *spec = weft_schema_table (derived->table);

  if (has_failed (self))
    return;
  weft_chunk_builder_begin (&self->chunk, WEFT_CHUNK_DERIVED, (guint16) derived->table, derived->n,
                            derived->first_id);
  self->chunk.header.version = (guint16) derived->version;
  if (derived->provisional)
    self->chunk.header.flags = WEFT_CHUNK_PROVISIONAL;
  for (guint i = 0; i < derived->n_columns; i++)
    {
      const WeftDerivedColumn *column = &derived->columns[i];
      guint place = column->number - self->tables[derived->table].public.column_base - 1;
      const guint64 *values = column->values;

      if (values == NULL && column->value == 0)
        continue;
      if (values == NULL)
        {
          for (guint32 row = 0; row < derived->n; row++)
            self->sorted[0][row] = column->value;
          values = self->sorted[0];
        }
      weft_chunk_builder_add_numbers (&self->chunk, (guint16) place, spec->columns[place].type,
                                      values, derived->n);
    }
  append_chunk (self);
}

/* The lock is held on entry and exit. */
static void
write_all_derived (WeftStoreWriter *self)
{
  Derived *derived;

  while ((derived = g_queue_pop_head (&self->derived)) != NULL)
    {
      pthread_mutex_unlock (&self->lock);
      write_derived (self, derived);
      pthread_mutex_lock (&self->lock);
      self->bytes_queued -= derived->size;
      g_free (derived);
      pthread_cond_broadcast (&self->done);
    }
}

/* The copy of what the appending thread has forgotten; with the lock held. */
static void
copy_forgotten (WeftStoreWriter *self, WeftRowSet *copy)
{
  weft_row_set_init (copy, self->forgotten.n);
  if (self->forgotten.n > 0)
    memcpy (copy->words, self->forgotten.words, (copy->n / 64 + 1) * sizeof *copy->words);
}

/* Lets old parts go, and tells the appending thread which strings nothing names any more. */
static gboolean
trim (WeftStoreWriter *self, guint32 generation, GError **error)
{
  guint64 in_use_from[WEFT_N_TABLES];
  WeftRowSet forgotten = { 0 };
  WeftRowSet named = { 0 };
  gboolean good;

  pthread_mutex_lock (&self->lock);
  copy_forgotten (self, &forgotten);
  memcpy (in_use_from, self->in_use_from, sizeof in_use_from);
  pthread_mutex_unlock (&self->lock);
  good = weft_store_rotation_trim (self->rotation, &forgotten, in_use_from, &named, error);
  weft_row_set_clear (&forgotten);
  if (named.words == NULL)
    return good;

  pthread_mutex_lock (&self->lock);
  if (self->sweep == NULL)
    {
      self->sweep = g_new0 (Sweep, 1);
      self->sweep->named = named;
      self->sweep->generation = generation;
      memset (&named, 0, sizeof named);
    }
  pthread_mutex_unlock (&self->lock);
  weft_row_set_clear (&named);
  return good;
}

/* ns of the recording */
static gint64
now_of (WeftStoreWriter *self)
{
  return g_get_monotonic_time () * 1000 - self->options.start_monotonic;
}

/* Ends the part that is being written, and begins the next. */
static void
switch_part (WeftStoreWriter *self, gint64 until, guint32 generation)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  write_strings (self);
  write_blobs (self);
  pthread_mutex_lock (&self->lock);
  write_all_derived (self);
  pthread_mutex_unlock (&self->lock);
  if (has_failed (self))
    return;
  good = weft_store_file_finish (&self->file, &self->chunk, &error);
  if (good)
    {
      weft_store_rotation_add (self->rotation, &self->file, until);
      memset (&self->file, 0, sizeof self->file);
      self->file.fd = -1;
      good = trim (self, generation, &error) &&
             weft_store_rotation_begin (self->rotation, &self->file, &self->chunk, &error);
    }
  if (!good)
    fail (self, g_steal_pointer (&error));
}

/* Seals what is full. The lock is held on entry and exit. */
static void
seal_full (WeftStoreWriter *self)
{
  Memtable *memtable;

  while ((memtable = g_queue_pop_head (&self->full)) != NULL)
    {
      pthread_mutex_unlock (&self->lock);
      write_strings (self);
      write_blobs (self);
      if (memtable->table == WEFT_N_TABLES)
        switch_part (self, memtable->until, (guint32) memtable->first_row);
      else
        seal (self, memtable);
      pthread_mutex_lock (&self->lock);
      self->rotations_done += memtable->table == WEFT_N_TABLES;
      self->bytes_queued -= memtable->size;
      memtable_free (self, memtable);
      pthread_cond_broadcast (&self->done);
    }
  /* What is derived waits for the next journal, unless it keeps the appending thread waiting. */
  if (self->bytes_queued > self->options.max_queued_bytes)
    write_all_derived (self);
}

/* Writes the rows that no chunk holds yet. The lock is held on entry and exit. */
static void
journal (WeftStoreWriter *self)
{
  guint32 published[WEFT_N_TABLES];
  Memtable *memtables[WEFT_N_TABLES];

  seal_full (self);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      memtables[i] = self->tables[i].memtable;
      published[i] = __atomic_load_n (&memtables[i]->n_rows, __ATOMIC_ACQUIRE);
    }

  pthread_mutex_unlock (&self->lock);
  write_strings (self);
  write_blobs (self);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (published[i] > memtables[i]->n_journaled && !has_failed (self))
      {
        write_rows (self, memtables[i], WEFT_CHUNK_JOURNAL, memtables[i]->n_journaled,
                    published[i]);
        memtables[i]->n_journaled = published[i];
      }
  pthread_mutex_lock (&self->lock);
  write_all_derived (self);
}

static void
sync_file (WeftStoreWriter *self)
{
  g_autoptr (GError) error = NULL;

  if (!has_failed (self) && !weft_store_file_sync (&self->file, &error))
    fail (self, g_steal_pointer (&error));
}

static void
finish (WeftStoreWriter *self)
{
  g_autoptr (GError) error = NULL;

  seal_full (self);
  pthread_mutex_unlock (&self->lock);
  write_strings (self);
  write_blobs (self);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    seal (self, self->tables[i].memtable);
  pthread_mutex_lock (&self->lock);
  write_all_derived (self);
  pthread_mutex_unlock (&self->lock);
  if (!has_failed (self) && !weft_store_file_finish (&self->file, &self->chunk, &error))
    fail (self, g_steal_pointer (&error));
  sync_file (self);
  if (self->rotation != NULL && !has_failed (self))
    {
      weft_store_rotation_add (self->rotation, &self->file, now_of (self));
      self->file = (WeftStoreFile){ .fd = -1 };
    }
  pthread_mutex_lock (&self->lock);
}

/* Locks are POSIX ones, which thread sanitizers know. TIME is that of g_get_monotonic_time (). */
static void
wait_until (WeftStoreWriter *self, gint64 time)
{
  struct timespec until = { time / G_USEC_PER_SEC, time % G_USEC_PER_SEC * 1000 };

  pthread_cond_timedwait (&self->wake, &self->lock, &until);
}

static void
init_locks (WeftStoreWriter *self)
{
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->wake, &attributes);
  pthread_cond_init (&self->done, NULL);
  pthread_condattr_destroy (&attributes);
}

static gpointer
write_thread (gpointer data)
{
  WeftStoreWriter *self = data;
  gint64 flush_interval = (gint64) self->options.flush_interval_ms * 1000;
  gint64 sync_interval = (gint64) self->options.sync_interval_ms * 1000;
  gint64 next_flush = g_get_monotonic_time () + flush_interval;
  gint64 next_sync = g_get_monotonic_time () + sync_interval;

  pthread_mutex_lock (&self->lock);
  while (!self->closing)
    {
      guint64 wanted = self->flush_wanted;
      gint64 now = g_get_monotonic_time ();

      seal_full (self);
      if (wanted > self->flush_done || now >= next_flush)
        {
          journal (self);
          next_flush = now + flush_interval;
          self->flush_done = wanted;
          pthread_cond_broadcast (&self->done);
        }
      if (now >= next_sync)
        {
          pthread_mutex_unlock (&self->lock);
          sync_file (self);
          pthread_mutex_lock (&self->lock);
          next_sync = now + sync_interval;
        }
      if (!self->closing && self->full.length == 0 && self->flush_wanted == self->flush_done)
        wait_until (self, MIN (next_flush, next_sync));
    }
  finish (self);
  pthread_mutex_unlock (&self->lock);

  return NULL;
}

/* Life */

static void
init_tables (WeftStoreWriter *self)
{
  static const guint bases[WEFT_N_TABLES + 1] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
    WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
  };

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      self->tables[i].store = self;
      self->tables[i].spec = weft_schema_table (i);
      self->tables[i].public.column_base = bases[i];
      self->tables[i].memtable = memtable_new (&self->tables[i]);
      self->tables[i].public.n_rows = &self->tables[i].memtable->n_rows;
    }
}

static void
init_options (WeftStoreWriter *self, const WeftStoreOptions *options)
{
  if (options != NULL)
    self->options = *options;
  if (self->options.flush_interval_ms == 0)
    self->options.flush_interval_ms = 1000;
  if (self->options.sync_interval_ms == 0)
    self->options.sync_interval_ms = 5000;
  if (self->options.max_queued_bytes == 0)
    self->options.max_queued_bytes = 256 << 20;
}

static void
init_thread_state (WeftStoreWriter *self)
{
  weft_chunk_builder_init (&self->chunk);
  weft_dispatch_order_init (&self->order);
  self->summary = weft_summary_builder_new ();
  self->lod = weft_lod_builder_new ();
  self->sorted[0] = g_malloc (COLUMN_SIZE);
  self->sorted_presence = g_malloc (PRESENCE_SIZE);
  self->routine_places = g_new (guint16, ROWS);
  self->ends = g_new (gint64, ROWS);
  self->routine_names = g_new (guint64, ROWS);
}

static void
writer_free (WeftStoreWriter *self)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    memtable_free (self, self->tables[i].memtable);
  weft_string_dictionary_free (self->strings);
  g_hash_table_unref (self->blobs);
  g_ptr_array_unref (self->spare_narrow);
  g_ptr_array_unref (self->spare_wide);
  g_ptr_array_unref (self->spare_presence);
  g_byte_array_unref (self->pending_text);
  g_array_unref (self->pending_blobs);
  g_clear_error (&self->error);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->wake);
  pthread_cond_destroy (&self->done);
  weft_store_file_clear (&self->file);
  g_clear_pointer (&self->rotation, weft_store_rotation_free);
  weft_row_set_clear (&self->forgotten);
  if (self->sweep != NULL)
    weft_row_set_clear (&self->sweep->named);
  g_free (self->sweep);
  weft_chunk_builder_clear (&self->chunk);
  weft_dispatch_order_clear (&self->order);
  weft_summary_builder_free (self->summary);
  weft_lod_builder_free (self->lod);
  for (guint i = 0; i < WEFT_MAX_COLUMNS; i++)
    g_free (self->sorted[i]);
  g_free (self->sorted_presence);
  g_free (self->routine_places);
  g_free (self->routine_names);
  g_free (self->ends);
  g_free (self);
}

static void
init_header (WeftStoreWriter *self, WeftFileHeader *header)
{
  memset (header, 0, sizeof *header);
  memcpy (header->magic, WEFT_FILE_MAGIC, sizeof header->magic);
  header->major = WEFT_FILE_MAJOR;
  header->minor = WEFT_FILE_MINOR;
  header->header_size = sizeof *header;
  for (guint i = 0; i < sizeof header->uuid; i++)
    header->uuid[i] = (guint8) g_random_int ();
  header->start_monotonic = self->options.start_monotonic;
  header->start_realtime = self->options.start_realtime;
}

/* The file, or what its parts will lie beside. */
static gboolean
create_file (WeftStoreWriter *self, const char *path, GError **error)
{
  const WeftStoreKeep keep = { self->options.keep_duration, self->options.keep_size };

  self->file.fd = -1;
  self->part_began = g_get_monotonic_time () * 1000;
  if (keep.duration == 0 && keep.size == 0)
    return weft_store_file_create (&self->file, path, &self->header, error);
  self->rotation = weft_store_rotation_new (path, &self->header, &keep, error);
  return self->rotation != NULL;
}

WeftStoreWriter *
weft_store_writer_new (const char *path, const WeftStoreOptions *options, GError **error)
{
  WeftStoreWriter *self;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_new0 (WeftStoreWriter, 1);
  init_options (self, options);
  init_header (self, &self->header);
  if (!create_file (self, path, error))
    {
      g_free (self);
      return NULL;
    }

  init_locks (self);
  self->strings = weft_string_dictionary_new ();
  self->blobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->spare_narrow = g_ptr_array_new_with_free_func (g_free);
  self->spare_wide = g_ptr_array_new_with_free_func (g_free);
  self->spare_presence = g_ptr_array_new_with_free_func (g_free);
  self->pending_text = g_byte_array_new ();
  self->pending_blobs = g_array_new (FALSE, FALSE, sizeof (PendingBlob));
  init_tables (self);
  init_thread_state (self);
  if (self->rotation != NULL
          ? !weft_store_rotation_begin (self->rotation, &self->file, &self->chunk, error)
          : !weft_store_file_append_schema (&self->file, &self->chunk, error))
    {
      writer_free (self);
      return NULL;
    }
  self->bytes_written = self->file.size + rotation_size (self);
  self->thread = g_thread_new ("weft-store", write_thread, self);
  return self;
}

gboolean
weft_store_writer_set_start (WeftStoreWriter *self, gint64 monotonic, gint64 realtime,
                             GError **error)
{
  self->header.start_monotonic = monotonic;
  self->header.start_realtime = realtime;
  return weft_store_file_write_header (&self->file, &self->header, error);
}

gboolean
weft_store_writer_close (WeftStoreWriter *self, GError **error)
{
  gboolean good;

  g_return_val_if_fail (self != NULL, FALSE);

  pthread_mutex_lock (&self->lock);
  self->closing = TRUE;
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&self->lock);
  g_thread_join (self->thread);

  good = self->error == NULL;
  if (!good)
    g_propagate_error (error, g_steal_pointer (&self->error));
  else if (self->rotation != NULL)
    good = weft_store_rotation_finish (self->rotation, error);
  writer_free (self);
  return good;
}

gboolean
weft_store_writer_flush (WeftStoreWriter *self, GError **error)
{
  guint64 wanted;

  pthread_mutex_lock (&self->lock);
  wanted = ++self->flush_wanted;
  pthread_cond_signal (&self->wake);
  while (self->flush_done < wanted)
    pthread_cond_wait (&self->done, &self->lock);
  pthread_mutex_unlock (&self->lock);

  if (!has_failed (self))
    return TRUE;
  g_propagate_error (error, g_error_copy (weft_store_writer_get_error (self)));
  return FALSE;
}

/* Parts */

guint64
weft_store_writer_rotate (WeftStoreWriter *self)
{
  Memtable *end = g_new0 (Memtable, 1);
  guint64 ticket;

  g_return_val_if_fail (self->rotation != NULL, 0);

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (self->tables[i].public.row > 0)
      hand_over (&self->tables[i]);
  end->table = WEFT_N_TABLES;
  end->until = now_of (self);
  self->generation = weft_string_dictionary_begin_generation (self->strings);
  end->first_row = self->generation;
  self->part_began = g_get_monotonic_time () * 1000;

  pthread_mutex_lock (&self->lock);
  g_queue_push_tail (&self->full, end);
  ticket = ++self->rotations_wanted;
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&self->lock);
  return ticket;
}

typedef struct
{
  const WeftRowSet *named;
  WeftRowSet held;
  WeftRowSet *forgotten;
} Forgetting;

static gboolean
keeps_string (guint32 id, gpointer data)
{
  Forgetting *self = data;

  if (id >= self->named->n || weft_row_set_has (self->named, id) ||
      weft_row_set_has (&self->held, id))
    return TRUE;
  weft_row_set_add (self->forgotten, id);
  return FALSE;
}

/* Forgets strings that nothing on the disk names, and nothing in memory. */
static void
sweep_strings (WeftStoreWriter *self, Sweep *sweep)
{
  Forgetting forgetting = { .named = &sweep->named };
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (guint32));
  WeftRowSet forgotten;

  if (self->hold != NULL)
    self->hold (held, self->hold_data);
  weft_row_set_init (&forgetting.held, sweep->named.n);
  for (guint i = 0; i < held->len; i++)
    weft_row_set_add (&forgetting.held, g_array_index (held, guint32, i));
  weft_row_set_init (&forgotten, self->n_strings + 1);
  if (self->forgotten.n > 0)
    memcpy (forgotten.words, self->forgotten.words,
            (self->forgotten.n / 64 + 1) * sizeof *forgotten.words);
  forgetting.forgotten = &forgotten;
  weft_string_dictionary_forget (self->strings, sweep->generation, keeps_string, &forgetting);

  pthread_mutex_lock (&self->lock);
  weft_row_set_clear (&self->forgotten);
  self->forgotten = forgotten;
  pthread_mutex_unlock (&self->lock);
  weft_row_set_clear (&forgetting.held);
}

void
weft_store_writer_tick (WeftStoreWriter *self)
{
  gint64 age = g_get_monotonic_time () * 1000 - self->part_began;
  guint64 size = __atomic_load_n (&self->part_size, __ATOMIC_RELAXED);
  Sweep *sweep;
  gboolean rotates;

  if (self->rotation == NULL)
    return;
  pthread_mutex_lock (&self->lock);
  sweep = g_steal_pointer (&self->sweep);
  rotates = self->rotations_wanted == self->rotations_done;
  pthread_mutex_unlock (&self->lock);
  if (sweep != NULL)
    {
      sweep_strings (self, sweep);
      weft_row_set_clear (&sweep->named);
      g_free (sweep);
    }
  if (rotates && ((self->options.keep_duration > 0 &&
                   age >= self->options.keep_duration / WEFT_STORE_PARTS_PER_BOUND) ||
                  (self->options.keep_size > 0 &&
                   size >= self->options.keep_size / WEFT_STORE_PARTS_PER_BOUND)))
    weft_store_writer_rotate (self);
}

void
weft_store_writer_set_held_strings (WeftStoreWriter *self, WeftHoldStrings hold, gpointer data)
{
  self->hold = hold;
  self->hold_data = data;
}

void
weft_store_writer_set_in_use (WeftStoreWriter *self, WeftTableId table, guint64 first_row)
{
  pthread_mutex_lock (&self->lock);
  self->in_use_from[table] = first_row;
  pthread_mutex_unlock (&self->lock);
}

gboolean
weft_store_writer_keep (WeftStoreWriter *self, guint64 ticket, gint64 since, const char *out,
                        GError **error)
{
  pthread_mutex_lock (&self->lock);
  while (self->rotations_done < ticket)
    pthread_cond_wait (&self->done, &self->lock);
  pthread_mutex_unlock (&self->lock);
  if (has_failed (self))
    {
      g_propagate_error (error, g_error_copy (weft_store_writer_get_error (self)));
      return FALSE;
    }
  return weft_store_rotation_copy (self->rotation, since, out, error);
}

const GError *
weft_store_writer_get_error (WeftStoreWriter *self)
{
  return __atomic_load_n (&self->error, __ATOMIC_ACQUIRE);
}

void
weft_store_writer_get_statistics (WeftStoreWriter *self, WeftStoreStatistics *statistics)
{
  statistics->rows = 0;
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    statistics->rows += __atomic_load_n (&self->tables[i].public.total, __ATOMIC_RELAXED);

  pthread_mutex_lock (&self->lock);
  statistics->bytes_written = __atomic_load_n (&self->bytes_written, __ATOMIC_RELAXED);
  statistics->bytes_queued = self->bytes_queued;
  statistics->waits = self->waits;
  statistics->strings = weft_string_dictionary_get_size (self->strings);
  pthread_mutex_unlock (&self->lock);
}
