/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-row-table.h"

#include "weft-row-cursor.h"

/* Rows that follow one another without a gap. */
typedef struct
{
  guint64 first_row;
  guint64 n_rows;
  guint64 index; /* of the first */
} Run;

typedef struct
{
  WeftColumnNumber number;
  gboolean narrow; /* ids and words: 32 bits do */
  gpointer values;
  guint64 *presence; /* NULL where every row has a value */
} Column;

struct _WeftRowTable
{
  WeftStore *store;
  WeftTableId table;
  GArray *runs; /* element type Run, ascending */
  guint64 n_rows;
  Column columns[WEFT_ROW_TABLE_MAX_COLUMNS];
  guint n_columns;
};

static void
find_runs (WeftRowTable *self)
{
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (self->store, self->table); chunk++)
    {
      WeftChunkInfo info;
      Run *last =
          self->runs->len == 0 ? NULL : &g_array_index (self->runs, Run, self->runs->len - 1);

      weft_store_get_chunk (self->store, self->table, chunk, &info);
      if (last != NULL && last->first_row + last->n_rows == info.first_row)
        last->n_rows += info.n_rows;
      else
        g_array_append_vals (self->runs, &(Run){ info.first_row, info.n_rows, self->n_rows }, 1);
      self->n_rows += info.n_rows;
    }
}

static void
add_column (WeftRowTable *self, WeftColumnNumber number)
{
  const WeftTableSpec *spec = weft_schema_table (self->table);
  const WeftColumnSpec *column_spec = &spec->columns[weft_row_cursor_place (self->table, number)];
  Column *column = &self->columns[self->n_columns++];

  column->number = number;
  column->narrow =
      column_spec->type == WEFT_STORE_TYPE_STRING || column_spec->type == WEFT_STORE_TYPE_ID ||
      column_spec->type == WEFT_STORE_TYPE_BLOB || column_spec->type == WEFT_STORE_TYPE_ENUM;
  column->values = g_malloc0_n (self->n_rows, column->narrow ? 4 : 8);
  if (column_spec->flags & WEFT_COLUMN_NULLABLE)
    column->presence = g_new0 (guint64, self->n_rows / 64 + 1);
}

static void
take_row (WeftRowTable *self, WeftRowCursor *cursor, guint64 index)
{
  for (guint i = 0; i < self->n_columns; i++)
    {
      Column *column = &self->columns[i];
      guint64 value = weft_row_cursor_get (cursor, column->number);

      if (column->narrow)
        ((guint32 *) column->values)[index] = (guint32) MIN (value, G_MAXUINT32);
      else
        ((guint64 *) column->values)[index] = value;
      if (column->presence != NULL && weft_row_cursor_has (cursor, column->number))
        column->presence[index / 64] |= G_GUINT64_CONSTANT (1) << (index % 64);
    }
}

WeftRowTable *
weft_row_table_new (const WeftAnalysisScope *scope, WeftTableId table,
                    const WeftColumnNumber *columns, guint n_columns, GError **error)
{
  g_autoptr (WeftRowTable) self = g_new0 (WeftRowTable, 1);
  g_autoptr (WeftRowCursor) cursor = weft_row_cursor_new (scope, table);

  g_assert (n_columns <= WEFT_ROW_TABLE_MAX_COLUMNS);

  self->store = weft_store_ref (scope->store);
  self->table = table;
  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  find_runs (self);
  for (guint i = 0; i < n_columns; i++)
    add_column (self, columns[i]);
  while (weft_row_cursor_next (cursor))
    {
      guint64 index;

      if (weft_row_table_get_index (self, weft_row_cursor_get_number (cursor), &index))
        take_row (self, cursor, index);
    }
  return weft_row_cursor_finish (cursor, error) ? g_steal_pointer (&self) : NULL;
}

void
weft_row_table_free (WeftRowTable *self)
{
  for (guint i = 0; i < self->n_columns; i++)
    {
      g_free (self->columns[i].values);
      g_free (self->columns[i].presence);
    }
  g_array_unref (self->runs);
  weft_store_unref (self->store);
  g_free (self);
}

gboolean
weft_row_table_get_index (const WeftRowTable *self, guint64 number, guint64 *index)
{
  guint low = 0;
  guint high = self->runs->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const Run *run = &g_array_index (self->runs, Run, middle);

      if (number < run->first_row)
        high = middle;
      else if (number - run->first_row >= run->n_rows)
        low = middle + 1;
      else
        {
          *index = run->index + (number - run->first_row);
          return TRUE;
        }
    }
  return FALSE;
}

guint64
weft_row_table_get_number (const WeftRowTable *self, guint64 index)
{
  for (guint i = self->runs->len; i-- > 0;)
    {
      const Run *run = &g_array_index (self->runs, Run, i);

      if (index >= run->index)
        return run->first_row + (index - run->index);
    }
  return 0;
}

guint64
weft_row_table_get_n_rows (const WeftRowTable *self)
{
  return self->n_rows;
}

gboolean
weft_row_table_contains (const WeftRowTable *self, guint64 number)
{
  guint64 index;

  return weft_row_table_get_index (self, number, &index);
}

static const Column *
find_column (const WeftRowTable *self, WeftColumnNumber number)
{
  for (guint i = 0; i < self->n_columns; i++)
    if (self->columns[i].number == number)
      return &self->columns[i];
  g_assert_not_reached ();
}

gboolean
weft_row_table_has (const WeftRowTable *self, WeftColumnNumber number, guint64 row)
{
  const Column *column = find_column (self, number);
  guint64 index;

  return weft_row_table_get_index (self, row, &index) &&
         (column->presence == NULL || (column->presence[index / 64] >> (index % 64) & 1));
}

guint64
weft_row_table_get (const WeftRowTable *self, WeftColumnNumber number, guint64 row)
{
  const Column *column = find_column (self, number);
  guint64 index;

  if (!weft_row_table_get_index (self, row, &index))
    return 0;
  return column->narrow ? ((const guint32 *) column->values)[index]
                        : ((const guint64 *) column->values)[index];
}

const char *
weft_row_table_get_string (const WeftRowTable *self, WeftColumnNumber number, guint64 row)
{
  guint64 id = weft_row_table_get (self, number, row);

  return id == 0 ? NULL : weft_store_get_string (self->store, (guint32) id);
}
