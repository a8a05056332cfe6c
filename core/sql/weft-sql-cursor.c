/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-cursor.h"

#include <string.h>

#include "weft-recording-private.h"
#include "weft-relation.h"

void
weft_sql_cursor_init (WeftSqlCursor *self, WeftSqlSource *source, const WeftSqlColumns *columns)
{
  const WeftSqlPatterns none = { NULL, NULL };

  self->source = weft_sql_source_ref (source);
  self->columns = columns;
  self->store = weft_store_ref (weft_sql_source_begin (source));
  weft_run_init (&self->run, self->store, source->cancellable, NULL, NULL);
  weft_sql_conditions_init (&self->conditions, self->store, columns, &none);
  self->of_columns = g_new0 (WeftSqlCursorColumn, columns->n_columns);
  self->is_over = TRUE;
}

static void
close_chunk (WeftSqlCursor *self)
{
  if (self->is_open)
    weft_chunk_reader_clear (&self->reader);
  self->is_open = FALSE;
  g_clear_pointer (&self->order, g_bytes_unref);
}

void
weft_sql_cursor_clear (WeftSqlCursor *self)
{
  close_chunk (self);
  g_clear_pointer (&self->predicate, weft_predicate_free);
  weft_sql_conditions_clear (&self->conditions);
  for (guint i = 0; i < self->columns->n_columns; i++)
    {
      weft_expression_free (self->of_columns[i].expression);
      g_free (self->of_columns[i].vector);
    }
  g_free (self->of_columns);
  weft_run_clear (&self->run);
  weft_store_unref (self->store);
  weft_sql_source_end (self->source);
  weft_sql_source_unref (self->source);
}

void
weft_sql_cursor_reset (WeftSqlCursor *self, const WeftSqlPatterns *patterns)
{
  g_clear_pointer (&self->predicate, weft_predicate_free);
  weft_sql_conditions_clear (&self->conditions);
  weft_sql_conditions_init (&self->conditions, self->store, self->columns, patterns);
}

/* ---- Chunks ---- */

static gboolean
open_chunk (WeftSqlCursor *self, guint chunk, GError **error)
{
  WeftTableId table = self->columns->table;

  if (self->is_open && self->chunk == chunk)
    return TRUE;
  close_chunk (self);
  self->is_open = weft_chunk_reader_open (&self->reader, self->store, table, chunk, 0, error);
  self->chunk = chunk;
  return self->is_open;
}

/* The next chunk that may hold rows that fit, in the order that was asked for. */
static gboolean
open_next_chunk (WeftSqlCursor *self, GError **error)
{
  WeftTableId table = self->columns->table;
  guint n = weft_store_get_n_chunks (self->store, table);

  while (self->next_chunk < n)
    {
      guint chunk = self->way == WEFT_SQL_DESCENDING ? n - 1 - self->next_chunk : self->next_chunk;

      self->next_chunk++;
      if (self->predicate != NULL && weft_predicate_judge (self->predicate, self->store, table,
                                                           chunk) == WEFT_VERDICT_ROWS_NONE)
        continue;
      self->first = 0;
      if (!open_chunk (self, chunk, error))
        return FALSE;
      if (self->way != WEFT_SQL_SCAN && self->order == NULL)
        self->order =
            weft_recording_get_row_order (self->source->recording, self->store, table, chunk);
      return TRUE;
    }
  self->is_over = TRUE;
  return TRUE;
}

/* ---- Batches ---- */

/* Which rows come next, in the order of their numbers. */
static guint
list_rows (WeftSqlCursor *self, guint16 *rows)
{
  const guint16 *order = self->order != NULL ? g_bytes_get_data (self->order, NULL) : NULL;
  guint n_rows = self->reader.info.n_rows;
  guint n = MIN (n_rows - self->first, WEFT_BATCH_ROWS);

  for (guint i = 0; i < n; i++)
    {
      guint place = self->first + i;

      if (self->way == WEFT_SQL_DESCENDING)
        place = n_rows - 1 - place;
      rows[i] = order != NULL ? order[place] : (guint16) place;
    }
  return n;
}

static gboolean
select_rows (WeftSqlCursor *self, GError **error)
{
  guint16 rows[WEFT_BATCH_ROWS];
  guint32 places;
  guint n;

  if (self->predicate == NULL)
    return TRUE;
  places = weft_predicate_get_places (self->predicate);
  if (!weft_chunk_reader_add (&self->reader, places, error))
    return FALSE;
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    if (places >> place & 1)
      self->batch.columns[place] = &self->reader.columns[place];
  if (!weft_predicate_select (self->predicate, self->store, &self->batch, rows, &n, error))
    return FALSE;
  memcpy (self->rows, rows, n * sizeof rows[0]);
  self->batch.rows = self->rows;
  self->batch.n = n;
  return TRUE;
}

static gboolean
take_scanned (WeftSqlCursor *self, GError **error)
{
  if (!self->is_open || self->first >= self->reader.info.n_rows)
    {
      if (!open_next_chunk (self, error))
        return FALSE;
      if (self->is_over)
        return TRUE;
    }
  if (self->way == WEFT_SQL_SCAN)
    weft_chunk_reader_get_rows (&self->reader, self->first, &self->batch);
  else
    weft_chunk_reader_get_some (&self->reader, self->rows, list_rows (self, self->rows),
                                &self->batch);
  self->first += WEFT_BATCH_ROWS;
  return select_rows (self, error);
}

/* Those of one chunk. */
static gboolean
take_indexed (WeftSqlCursor *self, GError **error)
{
  guint n = 0;

  if (self->n_entries == 0)
    {
      self->is_over = TRUE;
      return TRUE;
    }
  if (!open_chunk (self, self->entries->chunk, error))
    return FALSE;
  for (; n < self->n_entries && n < WEFT_BATCH_ROWS && self->entries[n].chunk == self->chunk; n++)
    self->rows[n] = (guint16) self->entries[n].row;
  self->entries += n;
  self->n_entries -= n;
  weft_chunk_reader_get_some (&self->reader, self->rows, n, &self->batch);
  return TRUE;
}

gboolean
weft_sql_cursor_next_batch (WeftSqlCursor *self, GError **error)
{
  self->row = 0;
  self->batch.n = 0;
  while (!self->is_over && self->batch.n == 0)
    {
      self->number++;
      if (!weft_run_check (&self->run, error))
        return FALSE;
      if (self->way == WEFT_SQL_ONE)
        self->is_over = TRUE;
      else if (!(self->way == WEFT_SQL_INDEXED ? take_indexed : take_scanned) (self, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Beginnings ---- */

gboolean
weft_sql_cursor_scan (WeftSqlCursor *self, WeftSqlWay way, WeftPredicate *predicate, GError **error)
{
  self->way = way;
  self->predicate = predicate;
  self->is_over = FALSE;
  self->next_chunk = 0;
  close_chunk (self);
  if (predicate != NULL &&
      (!weft_relation_narrow (&self->run, predicate, error) ||
       !weft_predicate_bind (predicate, self->store, self->columns->table, error)))
    return FALSE;
  return weft_sql_cursor_next_batch (self, error);
}

gboolean
weft_sql_cursor_find (WeftSqlCursor *self, guint64 id, GError **error)
{
  GError *local = NULL;
  WeftPlace place;

  self->way = WEFT_SQL_ONE;
  self->is_over = TRUE;
  if (!weft_recording_find_row (self->source->recording, self->store, self->columns->table, id,
                                &place, &local))
    {
      if (g_error_matches (local, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW))
        {
          g_error_free (local);
          return TRUE;
        }
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  if (!open_chunk (self, place.chunk, error))
    return FALSE;
  self->rows[0] = (guint16) place.row;
  weft_chunk_reader_get_some (&self->reader, self->rows, 1, &self->batch);
  self->number++;
  self->row = 0;
  self->is_over = FALSE;
  return TRUE;
}

gboolean
weft_sql_cursor_follow (WeftSqlCursor *self, const WeftSqlIndexEntry *entries, gsize n,
                        GError **error)
{
  self->way = WEFT_SQL_INDEXED;
  self->entries = entries;
  self->n_entries = n;
  self->is_over = FALSE;
  return weft_sql_cursor_next_batch (self, error);
}

/* ---- Values ---- */

static gboolean
prepare_column (WeftSqlCursor *self, guint column, GError **error)
{
  WeftSqlCursorColumn *of_column = &self->of_columns[column];
  g_autoptr (WeftExpression) expression =
      weft_expression_new (self->columns->table, self->columns->columns[column].expression, error);

  if (expression == NULL || !weft_expression_bind (expression, self->store, error))
    return FALSE;
  of_column->expression = g_steal_pointer (&expression);
  of_column->vector = g_new (WeftVector, 1);
  of_column->batch = 0;
  return TRUE;
}

const WeftVector *
weft_sql_cursor_evaluate (WeftSqlCursor *self, guint column, GError **error)
{
  WeftSqlCursorColumn *of_column = &self->of_columns[column];
  guint32 places;

  if (of_column->batch == self->number)
    return of_column->vector;
  if (of_column->expression == NULL && !prepare_column (self, column, error))
    return NULL;
  places = weft_expression_get_places (of_column->expression);
  if (!weft_chunk_reader_add (&self->reader, places, error))
    return NULL;
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    if (places >> place & 1)
      self->batch.columns[place] = &self->reader.columns[place];
  if (!weft_expression_evaluate (of_column->expression, &self->batch, of_column->vector, error))
    return NULL;
  of_column->batch = self->number;
  return of_column->vector;
}

gboolean
weft_sql_cursor_get_number (WeftSqlCursor *self, guint64 *number, GError **error)
{
  const WeftVector *ids;

  if (self->columns->is_in_order)
    {
      *number = self->batch.first_row + self->batch.rows[self->row];
      return TRUE;
    }
  ids = weft_sql_cursor_evaluate (self, 0, error);
  *number = ids != NULL ? ids->values[self->row] : 0;
  return ids != NULL;
}
