/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-retained-rows.h"

#include <string.h>

/* Rows between two that stay, which stay as well: each gap costs a chunk of its own. */
#define MAX_GAP 16

enum
{
  PROCESSES,
  RUNTIMES
};

void
weft_row_set_init (WeftRowSet *self, guint64 n)
{
  self->n = n;
  self->words = g_new0 (guint64, n / 64 + 1);
}

void
weft_row_set_clear (WeftRowSet *self)
{
  g_clear_pointer (&self->words, g_free);
  self->n = 0;
}

static WeftRetainRule
rule_of (WeftTableId table)
{
  return weft_table_retention (table)->rule;
}

/* The columns of a chunk that are looked at together. */
typedef struct
{
  WeftChunk *chunk;
  guint n;
  WeftStoreColumn columns[WEFT_MAX_COLUMNS];
} Columns;

static void
columns_clear (Columns *self)
{
  for (guint i = 0; i < self->n; i++)
    weft_store_column_clear (&self->columns[i]);
  self->n = 0;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Columns, columns_clear)

static gboolean
columns_read (Columns *self, WeftChunk *chunk, const WeftColumnNumber *numbers, guint n,
              GError **error)
{
  self->chunk = chunk;
  for (guint i = 0; i < n; i++)
    {
      if (!weft_store_read_chunk_column (chunk, weft_store_column_place (chunk->table, numbers[i]),
                                         &self->columns[i], error))
        return FALSE;
      self->n++;
    }
  return TRUE;
}

static guint64
get (const Columns *self, guint column, guint row)
{
  return weft_store_column_get (&self->columns[column], row);
}

/* ---- What is named ---- */

static gboolean
mark (WeftRetainedRows *self, WeftTableId table, guint64 id)
{
  return weft_row_set_add (table == WEFT_TABLE_TRACES ? &self->traces : &self->rows[table], id);
}

/* Whether the rows of a table can be kept one by one. */
static gboolean
is_sorted_out (WeftTableId table)
{
  return rule_of (table) == WEFT_RETAIN_NAMED || rule_of (table) == WEFT_RETAIN_OWNED;
}

/* Notes what a column of some rows (of all, if CHOSEN is NULL) names. TRUE if something is new. */
static gboolean
mark_column (WeftRetainedRows *self, WeftChunk *chunk, guint place, WeftRowSet *chosen)
{
  const WeftColumnSpec *spec = &weft_schema_table (chunk->table)->columns[place];
  WeftColumnNumber number = (WeftColumnNumber) (weft_store_column_number (chunk->table, place));
  WeftTableId target =
      spec->type == WEFT_STORE_TYPE_ID ? weft_column_target (number) : WEFT_N_TABLES;
  WEFT_AUTO_COLUMN column = { 0 };
  gboolean changed = FALSE;

  if (spec->type != WEFT_STORE_TYPE_STRING && (target == WEFT_N_TABLES || !is_sorted_out (target)))
    return FALSE;
  if (!weft_chunk_has_stream (chunk, place) ||
      !weft_store_read_chunk_column (chunk, place, &column, NULL))
    return FALSE;
  for (guint row = 0; row < column.n_rows; row++)
    {
      guint64 value;

      if (chosen != NULL && !weft_row_set_has (chosen, chunk->first_row + row))
        continue;
      value = weft_store_column_get (&column, row);
      if (value == 0)
        continue;
      if (target == WEFT_N_TABLES)
        weft_row_set_add (&self->strings, value);
      else
        changed |= mark (self, target, value);
    }
  return changed;
}

static gboolean
mark_chunk (WeftRetainedRows *self, WeftChunk *chunk, WeftRowSet *chosen)
{
  const WeftTableSpec *spec = weft_schema_table (chunk->table);
  gboolean changed = FALSE;

  for (guint place = 0; place < spec->n_columns; place++)
    changed |= mark_column (self, chunk, place, chosen);
  return changed;
}

static void
mark_newer_parts (WeftRetainedRows *self)
{
  for (guint i = 0; i < self->store->chunks->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->store->chunks, i);

      if (chunk->kind == WEFT_CHUNK_DERIVED && chunk->table < WEFT_N_TABLES &&
          !weft_retained_rows_is_older (self, chunk))
        mark_chunk (self, chunk, NULL);
    }
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    for (guint i = 0; i < self->store->tables[table]->len; i++)
      {
        WeftChunk *chunk = weft_store_chunk (self->store, table, i);

        if (!weft_retained_rows_is_older (self, chunk))
          mark_chunk (self, chunk, NULL);
      }
}

/* ---- What is in use ---- */

/* What ended in the time that is let go of; rows of one that ended since may be under way. */
static gboolean
read_ended (WeftRetainedRows *self, WeftTableId table, WeftColumnNumber number, WeftRowSet *ended,
            GError **error)
{
  for (guint i = 0; i < self->store->tables[table]->len; i++)
    {
      WeftChunk *chunk = weft_store_chunk (self->store, table, i);
      g_auto (Columns) columns = { 0 };

      if (!weft_retained_rows_is_older (self, chunk))
        continue;
      if (!columns_read (&columns, chunk, &number, 1, error))
        return FALSE;
      for (guint row = 0; row < chunk->rows; row++)
        weft_row_set_add (ended, get (&columns, 0, row));
    }
  return TRUE;
}

/* Rows that something unseen may name yet: of processes and runtimes that have not ended, what
 * nobody tells the end of, and the latest.
 */
static gboolean
is_in_use (WeftRetainedRows *self, WeftTableId table, guint64 number, guint64 owner)
{
  const WeftTableRetention *retention = weft_table_retention (table);
  WeftTableId of = retention->keys[0] ? weft_column_target (retention->keys[0]) : WEFT_N_TABLES;

  switch ((guint) table)
    {
    case WEFT_TABLE_PROCESSES:
      return !weft_row_set_has (&self->ended[PROCESSES], number);
    case WEFT_TABLE_RUNTIMES:
      return !weft_row_set_has (&self->ended[RUNTIMES], number);
    case WEFT_TABLE_SUBMISSIONS:
      return number + retention->recent > self->rows[table].n;
    case WEFT_TABLE_FRAMES:
    case WEFT_TABLE_CALLCHAINS:
    case WEFT_TABLE_SYMBOLS:
      return number >= self->store->in_use_from[table];
    default:
      break;
    }
  if (of == WEFT_TABLE_PROCESSES)
    return !weft_row_set_has (&self->ended[PROCESSES], owner);
  if (of == WEFT_TABLE_RUNTIMES)
    return !weft_row_set_has (&self->ended[RUNTIMES], owner);
  return of != WEFT_N_TABLES && weft_row_set_has (&self->rows[of], owner);
}

static gboolean
choose_used (WeftRetainedRows *self, WeftChunk *chunk, GError **error)
{
  const WeftTableRetention *retention = weft_table_retention (chunk->table);
  g_auto (Columns) columns = { 0 };

  if (!columns_read (&columns, chunk, retention->keys, retention->keys[0] != 0, error))
    return FALSE;
  for (guint row = 0; row < chunk->rows; row++)
    if (is_in_use (self, chunk->table, chunk->first_row + row,
                   columns.n > 0 ? get (&columns, 0, row) : 0))
      mark (self, chunk->table, chunk->first_row + row);
  return TRUE;
}

/* ---- The last of each key ---- */

typedef struct
{
  guint64 values[WEFT_MAX_RETAIN_KEYS];
  guint64 number;
} Key;

static guint
key_hash (gconstpointer key)
{
  const Key *self = key;
  guint64 hash = 0;

  for (guint i = 0; i < WEFT_MAX_RETAIN_KEYS; i++)
    hash = (hash ^ self->values[i]) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint) (hash >> 32);
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (((Key *) NULL)->values)) == 0;
}

static gboolean
choose_latest (WeftRetainedRows *self, WeftTableId table, GError **error)
{
  const WeftTableRetention *retention = weft_table_retention (table);
  g_autoptr (GHashTable) latest = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer item;
  guint n_keys = 0;

  while (n_keys < WEFT_MAX_RETAIN_KEYS && retention->keys[n_keys] != 0)
    n_keys++;
  for (guint i = 0; i < self->store->tables[table]->len; i++)
    {
      WeftChunk *chunk = weft_store_chunk (self->store, table, i);
      g_auto (Columns) columns = { 0 };

      if (!weft_retained_rows_is_older (self, chunk))
        continue;
      if (!columns_read (&columns, chunk, retention->keys, n_keys, error))
        return FALSE;
      for (guint row = 0; row < chunk->rows; row++)
        {
          Key key = { .number = chunk->first_row + row };

          for (guint k = 0; k < n_keys; k++)
            key.values[k] = get (&columns, k, row);
          g_hash_table_replace (latest, g_memdup2 (&key, sizeof key), NULL);
        }
    }

  g_hash_table_iter_init (&iter, latest);
  while (g_hash_table_iter_next (&iter, &item, NULL))
    weft_row_set_add (&self->rows[table], ((Key *) item)->number);
  return TRUE;
}

/* ---- Reservations ---- */

/* Those that completed have a dispatch, which the older parts hold as long as the reservation: of a
 * reservation in them whose dispatch is there as well nothing need be known any more.
 */
static gboolean
forget_completed (WeftRetainedRows *self, GHashTable *open, WeftChunk *chunk, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_DISPATCHES_LANE, WEFT_DISPATCHES_PRODUCER_ID };
  g_auto (Columns) columns = { 0 };

  if (!columns_read (&columns, chunk, numbers, G_N_ELEMENTS (numbers), error))
    return FALSE;
  for (guint row = 0; row < chunk->rows; row++)
    {
      Key key = { { get (&columns, 0, row), get (&columns, 1, row), 0 }, 0 };

      g_hash_table_remove (open, &key);
    }
  return TRUE;
}

static gboolean
choose_open (WeftRetainedRows *self, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_RESERVATIONS_LANE,
                                              WEFT_RESERVATIONS_PRODUCER_ID };
  g_autoptr (GHashTable) open = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  GPtrArray *chunks = self->store->tables[WEFT_TABLE_RESERVATIONS];
  GPtrArray *dispatches = self->store->tables[WEFT_TABLE_DISPATCHES];
  GHashTableIter iter;
  gpointer item;

  for (guint i = 0; i < chunks->len; i++)
    {
      g_auto (Columns) columns = { 0 };

      if (!columns_read (&columns, g_ptr_array_index (chunks, i), numbers, 2, error))
        return FALSE;
      for (guint row = 0; row < columns.chunk->rows; row++)
        {
          Key key = { { get (&columns, 0, row), get (&columns, 1, row), 0 },
                      columns.chunk->first_row + row };

          if (weft_retained_rows_is_older (self, columns.chunk))
            g_hash_table_replace (open, g_memdup2 (&key, sizeof key), NULL);
        }
    }
  for (guint i = 0; i < dispatches->len && g_hash_table_size (open) > 0; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (dispatches, i);

      if (weft_retained_rows_is_older (self, chunk) && !forget_completed (self, open, chunk, error))
        return FALSE;
    }

  g_hash_table_iter_init (&iter, open);
  while (g_hash_table_iter_next (&iter, &item, NULL))
    weft_row_set_add (&self->rows[WEFT_TABLE_RESERVATIONS], ((Key *) item)->number);
  return TRUE;
}

/* ---- All together ---- */

/* Rows stay whose owner does. */
static gboolean
choose_owned (WeftRetainedRows *self, WeftChunk *chunk, GError **error)
{
  WeftColumnNumber numbers[2] = { weft_table_retention (chunk->table)->keys[0] };
  WeftTableId owner = weft_column_target (numbers[0]);
  g_auto (Columns) columns = { 0 };
  guint n = 1;

  if (chunk->table == WEFT_TABLE_TAGS)
    numbers[n++] = WEFT_TAGS_OWNER_TABLE;
  else if (chunk->table == WEFT_TABLE_ARTIFACT_LINKS)
    numbers[n++] = WEFT_ARTIFACT_LINKS_OWNER_TABLE;
  if (!columns_read (&columns, chunk, numbers, n, error))
    return FALSE;
  for (guint row = 0; row < chunk->rows; row++)
    {
      guint64 id = get (&columns, 0, row);
      guint64 of = n > 1 ? get (&columns, 1, row) : owner;

      if (of < WEFT_N_TABLES &&
          weft_row_set_has (of == WEFT_TABLE_TRACES ? &self->traces : &self->rows[of], id))
        weft_row_set_add (&self->rows[chunk->table], chunk->first_row + row);
    }
  return TRUE;
}

/* Traces are chosen by their ids. */
static gboolean
choose_traces (WeftRetainedRows *self, WeftChunk *chunk, GError **error)
{
  static const WeftColumnNumber number = WEFT_TRACES_ID;
  g_auto (Columns) columns = { 0 };

  if (!columns_read (&columns, chunk, &number, 1, error))
    return FALSE;
  for (guint row = 0; row < chunk->rows; row++)
    if (weft_row_set_has (&self->traces, get (&columns, 0, row)))
      weft_row_set_add (&self->rows[WEFT_TABLE_TRACES], chunk->first_row + row);
  return TRUE;
}

/* What rows that stay name, stays. TRUE in CHANGED if that was not known before. */
static gboolean
follow_chunk (WeftRetainedRows *self, WeftChunk *chunk, gboolean *changed, GError **error)
{
  WeftRowSet *chosen = &self->rows[chunk->table];
  WeftRowSet *visited = &self->visited[chunk->table];
  gboolean is_new = FALSE;

  if (rule_of (chunk->table) == WEFT_RETAIN_OWNED && !choose_owned (self, chunk, error))
    return FALSE;
  if (chunk->table == WEFT_TABLE_TRACES && !choose_traces (self, chunk, error))
    return FALSE;
  for (guint row = 0; row < chunk->rows; row++)
    if (weft_row_set_has (chosen, chunk->first_row + row))
      is_new |= weft_row_set_add (visited, chunk->first_row + row);
  if (!is_new)
    return TRUE;
  *changed = TRUE;
  mark_chunk (self, chunk, chosen);
  return TRUE;
}

/* Later rows name earlier ones: from the last to the first, most is found in one pass. */
static gboolean
follow (WeftRetainedRows *self, GError **error)
{
  gboolean changed = TRUE;

  while (changed)
    {
      changed = FALSE;
      for (guint table = WEFT_N_TABLES; table-- > 0;)
        for (guint i = self->store->tables[table]->len; i-- > 0;)
          {
            WeftChunk *chunk = weft_store_chunk (self->store, table, i);

            if (weft_retained_rows_is_older (self, chunk) &&
                rule_of (table) != WEFT_RETAIN_EVENTS &&
                !follow_chunk (self, chunk, &changed, error))
              return FALSE;
          }
    }
  return TRUE;
}

static void
close_gaps (WeftRetainedRows *self)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      WeftRowSet *rows = &self->rows[table];
      guint64 last = 0;

      if (rule_of (table) == WEFT_RETAIN_OPEN || rule_of (table) == WEFT_RETAIN_EVENTS)
        continue;
      for (guint64 number = 1; number < rows->n; number++)
        {
          if (!weft_row_set_has (rows, number))
            continue;
          for (guint64 gap = last + 1; last != 0 && number - last <= MAX_GAP && gap < number; gap++)
            weft_row_set_add (rows, gap);
          last = number;
        }
    }
}

static void
choose_all (WeftRowSet *rows)
{
  memset (rows->words, 0xff, (rows->n / 64 + 1) * sizeof *rows->words);
}

/* Room for what the older parts hold. */
static void
init_sets (WeftRetainedRows *self)
{
  guint64 n_traces = 0;
  guint64 n_strings = 0;

  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      guint64 n = 0;

      for (guint i = 0; i < self->store->tables[table]->len; i++)
        {
          WeftChunk *chunk = weft_store_chunk (self->store, table, i);
          guint64 min, max;

          if (!weft_retained_rows_is_older (self, chunk))
            continue;
          n = chunk->first_row + chunk->rows;
          if (table == WEFT_TABLE_TRACES &&
              weft_store_get_zone (self->store, table, i, WEFT_TRACES_ID, &min, &max))
            n_traces = MAX (n_traces, MIN (max, G_MAXUINT32) + 1);
        }
      if (rule_of (table) == WEFT_RETAIN_EVENTS)
        n = 0;
      weft_row_set_init (&self->rows[table], n);
      weft_row_set_init (&self->visited[table], n);
    }
  for (guint i = 0; i < self->store->strings->len; i++)
    {
      WeftChunk *chunk = g_ptr_array_index (self->store->strings, i);

      if (weft_retained_rows_is_older (self, chunk))
        n_strings = chunk->first_row + chunk->rows;
    }
  weft_row_set_init (&self->traces, n_traces);
  weft_row_set_init (&self->strings, n_strings);
  weft_row_set_init (&self->ended[PROCESSES], self->rows[WEFT_TABLE_PROCESSES].n);
  weft_row_set_init (&self->ended[RUNTIMES], self->rows[WEFT_TABLE_RUNTIMES].n);
}

/* The rows that stay whatever names them. */
static gboolean
choose_roots (WeftRetainedRows *self, GError **error)
{
  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      WeftRetainRule rule = rule_of (table);

      if (rule == WEFT_RETAIN_ALL || (is_sorted_out (table) && !self->sorts_out))
        choose_all (&self->rows[table]);
      else if (rule == WEFT_RETAIN_LATEST && !choose_latest (self, table, error))
        return FALSE;
      for (guint i = 0;
           rule == WEFT_RETAIN_NAMED && self->sorts_out && i < self->store->tables[table]->len; i++)
        {
          WeftChunk *chunk = weft_store_chunk (self->store, table, i);

          if (weft_retained_rows_is_older (self, chunk) && !choose_used (self, chunk, error))
            return FALSE;
        }
    }
  return choose_open (self, error);
}

gboolean
weft_retained_rows_init (WeftRetainedRows *self, WeftStore *store, guint oldest, gboolean sorts_out,
                         GError **error)
{
  memset (self, 0, sizeof *self);
  self->store = weft_store_ref (store);
  self->oldest = oldest;
  self->sorts_out = sorts_out;
  init_sets (self);
  if (!read_ended (self, WEFT_TABLE_PROCESS_ENDS, WEFT_PROCESS_ENDS_PROCESS,
                   &self->ended[PROCESSES], error) ||
      !read_ended (self, WEFT_TABLE_RUNTIME_ENDS, WEFT_RUNTIME_ENDS_RUNTIME, &self->ended[RUNTIMES],
                   error) ||
      !choose_roots (self, error))
    return FALSE;
  if (!sorts_out)
    {
      close_gaps (self);
      choose_all (&self->strings);
      return TRUE;
    }
  mark_newer_parts (self);
  if (!follow (self, error))
    return FALSE;
  close_gaps (self);
  return follow (self, error);
}

void
weft_retained_rows_clear (WeftRetainedRows *self)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      weft_row_set_clear (&self->rows[i]);
      weft_row_set_clear (&self->visited[i]);
    }
  weft_row_set_clear (&self->traces);
  weft_row_set_clear (&self->strings);
  weft_row_set_clear (&self->ended[PROCESSES]);
  weft_row_set_clear (&self->ended[RUNTIMES]);
  g_clear_pointer (&self->store, weft_store_unref);
}
