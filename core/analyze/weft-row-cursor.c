/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-row-cursor.h"

#include <string.h>

#define MAX_CONDITIONS 2

typedef struct
{
  WeftColumnNumber column;
  guint64 value;
} Condition;

struct _WeftRowCursor
{
  WeftStore *store;
  GCancellable *cancellable;
  WeftTableId table;
  WeftColumnNumber key; /* the column of ids, where rows need not be in their order; else 0 */
  Condition conditions[MAX_CONDITIONS];
  guint n_conditions;
  guint chunk; /* the one at hand + 1; 0 before the first */
  guint row;   /* the one at hand + 1 */
  WeftChunkInfo info;
  WeftStoreColumn columns[WEFT_MAX_COLUMNS]; /* of the chunk at hand, where READ says so */
  guint32 read;
  GError *error;
};

static const guint bases[WEFT_N_TABLES] = {
#define WEFT_SCHEMA_TABLE(NAME, name) WEFT_COLUMN_BASE_##NAME,
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
};

guint
weft_row_cursor_place (WeftTableId table, WeftColumnNumber column)
{
  return column - bases[table] - 1;
}

WeftRowCursor *
weft_row_cursor_new (const WeftAnalysisScope *scope, WeftTableId table)
{
  WeftRowCursor *self = g_new0 (WeftRowCursor, 1);

  self->store = weft_store_ref (scope->store);
  self->cancellable = scope->cancellable ? g_object_ref (scope->cancellable) : NULL;
  self->table = table;
  if (weft_schema_table (table)->columns[0].flags & WEFT_COLUMN_KEY)
    self->key = bases[table] + 1;
  return self;
}

static void
leave_chunk (WeftRowCursor *self)
{
  for (guint i = 0; i < WEFT_MAX_COLUMNS; i++)
    if (self->read >> i & 1)
      weft_store_column_clear (&self->columns[i]);
  self->read = 0;
}

void
weft_row_cursor_free (WeftRowCursor *self)
{
  leave_chunk (self);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  weft_store_unref (self->store);
  g_free (self);
}

void
weft_row_cursor_where (WeftRowCursor *self, WeftColumnNumber column, guint64 value)
{
  g_assert (self->n_conditions < MAX_CONDITIONS);

  self->conditions[self->n_conditions++] = (Condition){ column, value };
}

/* NULL once something could not be read. */
static const WeftStoreColumn *
get_column (WeftRowCursor *self, WeftColumnNumber number)
{
  guint place = number - bases[self->table] - 1;
  WeftStoreColumn *column = &self->columns[place];

  if (self->read >> place & 1)
    return column;
  if (self->error != NULL || self->chunk == 0 ||
      !weft_store_read_column (self->store, self->table, self->chunk - 1, number, column,
                               &self->error))
    return NULL;
  self->read |= 1u << place;
  return column;
}

static void
enter_chunk (WeftRowCursor *self, guint chunk)
{
  leave_chunk (self);
  self->chunk = chunk + 1;
  self->row = 0;
  weft_store_get_chunk (self->store, self->table, chunk, &self->info);
}

static gboolean
chunk_may_hold (WeftRowCursor *self, guint chunk)
{
  for (guint i = 0; i < self->n_conditions; i++)
    {
      const Condition *condition = &self->conditions[i];
      guint64 min = 0;
      guint64 max = 0;

      /* Without a zone all of them are nought. */
      weft_store_get_zone (self->store, self->table, chunk, condition->column, &min, &max);
      if (condition->value < min || condition->value > max)
        return FALSE;
    }
  return TRUE;
}

static gboolean
row_fits (WeftRowCursor *self)
{
  for (guint i = 0; i < self->n_conditions; i++)
    if (weft_row_cursor_get (self, self->conditions[i].column) != self->conditions[i].value)
      return FALSE;
  return TRUE;
}

static gboolean
next_chunk (WeftRowCursor *self)
{
  guint n_chunks = weft_store_get_n_chunks (self->store, self->table);
  guint chunk = self->chunk;

  while (chunk < n_chunks && !chunk_may_hold (self, chunk))
    chunk++;
  if (chunk == n_chunks || g_cancellable_set_error_if_cancelled (self->cancellable, &self->error))
    return FALSE;
  enter_chunk (self, chunk);
  return TRUE;
}

gboolean
weft_row_cursor_next (WeftRowCursor *self)
{
  while (self->error == NULL)
    {
      while (self->chunk > 0 && self->row < self->info.n_rows && self->error == NULL)
        {
          self->row++;
          if (row_fits (self))
            return self->error == NULL;
        }
      if (self->error != NULL || !next_chunk (self))
        return FALSE;
    }
  return FALSE;
}

gboolean
weft_row_cursor_seek (WeftRowCursor *self, guint64 number)
{
  guint chunk;
  guint row;

  if (self->error != NULL)
    return FALSE;
  if (!weft_store_find_row (self->store, self->table, number, &chunk, &row, &self->error))
    {
      if (g_error_matches (self->error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW))
        g_clear_error (&self->error);
      return FALSE;
    }
  if (self->chunk != chunk + 1)
    enter_chunk (self, chunk);
  self->row = row + 1;
  return TRUE;
}

gboolean
weft_row_cursor_finish (WeftRowCursor *self, GError **error)
{
  if (self->error == NULL)
    return TRUE;
  weft_propagate_store_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

guint64
weft_row_cursor_get_number (WeftRowCursor *self)
{
  if (self->key != 0)
    return weft_row_cursor_get (self, self->key);
  return self->info.first_row + self->row - 1;
}

gboolean
weft_row_cursor_has (WeftRowCursor *self, WeftColumnNumber column)
{
  const WeftStoreColumn *read = get_column (self, column);

  return read != NULL && weft_store_column_has (read, self->row - 1);
}

guint64
weft_row_cursor_get (WeftRowCursor *self, WeftColumnNumber column)
{
  const WeftStoreColumn *read = get_column (self, column);

  return read != NULL ? weft_store_column_get (read, self->row - 1) : 0;
}

gint64
weft_row_cursor_get_signed (WeftRowCursor *self, WeftColumnNumber column)
{
  return (gint64) weft_row_cursor_get (self, column);
}

double
weft_row_cursor_get_double (WeftRowCursor *self, WeftColumnNumber column)
{
  guint64 bits = weft_row_cursor_get (self, column);
  double value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

const char *
weft_row_cursor_get_string (WeftRowCursor *self, WeftColumnNumber column)
{
  guint64 id = weft_row_cursor_get (self, column);

  return id == 0 || id > G_MAXUINT32 ? NULL : weft_store_get_string (self->store, (guint32) id);
}

WeftStoreType
weft_row_cursor_get_type (WeftRowCursor *self, WeftColumnNumber column)
{
  return weft_schema_table (self->table)->columns[column - bases[self->table] - 1].type;
}
