/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-derived-rows.h"

#include <string.h>

#define ROWS WEFT_STORE_SEAL_ROWS

enum
{
  UNTOLD, /* so it has the usual values */
  OPEN,
  DECIDED,
};

typedef struct
{
  guint64 first;
  guint n_open;
  guint32 changed_begin; /* rows decided since the last flush lie from here… */
  guint32 changed_end;   /* …to here; empty if equal */
  guint8 states[ROWS];
  guint64 *columns[WEFT_DERIVED_ROWS_MAX_COLUMNS]; /* NULL: all nought */
} Block;

struct _WeftDerivedRows
{
  WeftStoreWriter *store;
  WeftTableId table;
  guint version;
  guint n_columns;
  WeftColumnNumber numbers[WEFT_DERIVED_ROWS_MAX_COLUMNS];
  guint64 usual[WEFT_DERIVED_ROWS_MAX_COLUMNS];
  GPtrArray *blocks; /* Block, in the order of their rows */
  guint64 next;      /* the first row of the first block that never came to be */
  guint64 flushed;   /* the usual values were told up to this row */
  guint64 *scratch[WEFT_DERIVED_ROWS_MAX_COLUMNS];
};

static void
block_free (gpointer data)
{
  Block *self = data;

  for (guint i = 0; i < WEFT_DERIVED_ROWS_MAX_COLUMNS; i++)
    g_free (self->columns[i]);
  g_free (self);
}

WeftDerivedRows *
weft_derived_rows_new (WeftStoreWriter *store, WeftTableId table, guint version,
                       const WeftColumnNumber *numbers, guint n_columns, const guint64 *usual)
{
  WeftDerivedRows *self = g_new0 (WeftDerivedRows, 1);

  g_assert (n_columns <= WEFT_DERIVED_ROWS_MAX_COLUMNS);
  self->store = store;
  self->table = table;
  self->version = version;
  self->n_columns = n_columns;
  memcpy (self->numbers, numbers, n_columns * sizeof *numbers);
  memcpy (self->usual, usual, n_columns * sizeof *usual);
  self->blocks = g_ptr_array_new_with_free_func (block_free);
  self->next = 1;
  return self;
}

void
weft_derived_rows_free (WeftDerivedRows *self)
{
  for (guint i = 0; i < self->n_columns; i++)
    g_free (self->scratch[i]);
  g_ptr_array_unref (self->blocks);
  g_free (self);
}

guint
weft_derived_rows_get_n_blocks (const WeftDerivedRows *self)
{
  return self->blocks->len;
}

static Block *
find_block (const WeftDerivedRows *self, guint64 id)
{
  for (guint i = self->blocks->len; i-- > 0;)
    {
      Block *block = g_ptr_array_index (self->blocks, i);

      if (id >= block->first)
        return id - block->first < ROWS ? block : NULL;
    }
  return NULL;
}

/* ---- Telling the store ---- */

static void
tell_usual (WeftDerivedRows *self, guint64 first, guint64 n, gboolean provisional)
{
  WeftDerivedColumn columns[WEFT_DERIVED_ROWS_MAX_COLUMNS];

  if (self->usual[0] == 0 || n == 0)
    return;
  for (guint i = 0; i < self->n_columns; i++)
    columns[i] = (WeftDerivedColumn){ self->numbers[i], NULL, self->usual[i] };
  weft_store_writer_derive (self->store, self->table, self->version, first, (guint32) n, columns,
                            self->n_columns, provisional);
}

/* A column of rows of a block; NULL if all have VALUE. */
static const guint64 *
fill (WeftDerivedRows *self, const Block *block, guint column, guint32 begin, guint32 end,
      guint64 *value)
{
  guint64 *out = self->scratch[column];
  gboolean alike = TRUE;

  for (guint32 i = begin; i < end; i++)
    {
      guint64 row = 0;

      if (block->states[i] == UNTOLD)
        row = self->usual[column];
      else if (block->states[i] == DECIDED && block->columns[column] != NULL)
        row = block->columns[column][i];
      out[i - begin] = row;
      alike = alike && row == out[0];
    }
  *value = out[0];
  return alike ? NULL : out;
}

static void
tell_block (WeftDerivedRows *self, const Block *block, guint32 begin, guint32 end,
            gboolean provisional)
{
  WeftDerivedColumn columns[WEFT_DERIVED_ROWS_MAX_COLUMNS];

  for (guint i = 0; i < self->n_columns; i++)
    {
      if (self->scratch[i] == NULL)
        self->scratch[i] = g_new (guint64, ROWS);
      columns[i].number = self->numbers[i];
      columns[i].values = fill (self, block, i, begin, end, &columns[i].value);
    }
  if (columns[0].values == NULL && columns[0].value == 0)
    return;
  weft_store_writer_derive (self->store, self->table, self->version, block->first + begin,
                            end - begin, columns, self->n_columns, provisional);
}

/* ---- Rows ---- */

/* Blocks before the one of ID that nobody opened a row of. */
static void
pass_blocks (WeftDerivedRows *self, guint64 id)
{
  for (; id - self->next >= ROWS; self->next += ROWS)
    tell_usual (self, self->next, ROWS, FALSE);
}

void
weft_derived_rows_open (WeftDerivedRows *self, guint64 id)
{
  Block *block = find_block (self, id);

  if (block == NULL)
    {
      if (id < self->next)
        return;
      pass_blocks (self, id);
      block = g_new0 (Block, 1);
      block->first = self->next;
      self->next += ROWS;
      g_ptr_array_add (self->blocks, block);
    }
  if (block->states[id - block->first] == UNTOLD)
    block->n_open++;
  block->states[id - block->first] = OPEN;
}

/* Its block is in the file as a whole. */
static void
amend (WeftDerivedRows *self, guint64 id, const guint64 *values)
{
  WeftDerivedColumn columns[WEFT_DERIVED_ROWS_MAX_COLUMNS];

  for (guint i = 0; i < self->n_columns; i++)
    columns[i] = (WeftDerivedColumn){ self->numbers[i], NULL, values[i] };
  weft_store_writer_derive (self->store, self->table, self->version, id, 1, columns,
                            self->n_columns, FALSE);
}

static void
note_change (Block *self, guint32 row)
{
  if (self->changed_begin == self->changed_end)
    {
      self->changed_begin = row;
      self->changed_end = row + 1;
    }
  self->changed_begin = MIN (self->changed_begin, row);
  self->changed_end = MAX (self->changed_end, row + 1);
}

void
weft_derived_rows_decide (WeftDerivedRows *self, guint64 id, const guint64 *values)
{
  Block *block = find_block (self, id);
  guint32 row;

  if (block == NULL)
    {
      amend (self, id, values);
      return;
    }
  row = (guint32) (id - block->first);
  block->n_open -= block->states[row] == OPEN;
  block->states[row] = DECIDED;
  for (guint i = 0; i < self->n_columns; i++)
    {
      if (block->columns[i] == NULL && values[i] != 0)
        block->columns[i] = g_new0 (guint64, ROWS);
      if (block->columns[i] != NULL)
        block->columns[i][row] = values[i];
    }
  note_change (block, row);
}

void
weft_derived_rows_release (WeftDerivedRows *self, guint64 id)
{
  Block *block = find_block (self, id);
  guint32 row;

  if (block == NULL)
    return;
  row = (guint32) (id - block->first);
  block->n_open -= block->states[row] == OPEN;
  block->states[row] = UNTOLD;
  note_change (block, row);
}

/* With rows that nobody opened, up to LAST. */
static void
flush_block (WeftDerivedRows *self, Block *block, guint64 last)
{
  guint32 begin = block->changed_begin;
  guint32 end = block->changed_end;

  if (self->usual[0] != 0 && last > self->flushed && last >= block->first &&
      self->flushed < block->first + ROWS - 1)
    {
      guint32 from = (guint32) (MAX (self->flushed + 1, block->first) - block->first);
      guint32 to = (guint32) (MIN (last + 1, block->first + ROWS) - block->first);

      begin = begin == end ? from : MIN (begin, from);
      end = MAX (end, to);
    }
  if (begin < end)
    tell_block (self, block, begin, end, TRUE);
  block->changed_begin = block->changed_end = 0;
}

void
weft_derived_rows_flush (WeftDerivedRows *self, guint64 last)
{
  for (guint i = 0; i < self->blocks->len;)
    {
      Block *block = g_ptr_array_index (self->blocks, i);

      if (last >= block->first + ROWS - 1 && block->n_open == 0)
        {
          tell_block (self, block, 0, ROWS, FALSE);
          g_ptr_array_remove_index (self->blocks, i);
          continue;
        }
      flush_block (self, block, last);
      i++;
    }
  if (last + 1 > self->next)
    {
      pass_blocks (self, last + 1);
      tell_usual (self, MAX (self->next, self->flushed + 1),
                  last + 1 - MIN (last + 1, MAX (self->next, self->flushed + 1)), TRUE);
    }
  self->flushed = MAX (self->flushed, last);
}

void
weft_derived_rows_finish (WeftDerivedRows *self, guint64 last)
{
  for (guint i = 0; i < self->blocks->len; i++)
    {
      const Block *block = g_ptr_array_index (self->blocks, i);

      tell_block (self, block, 0, (guint32) MIN (ROWS, last + 1 - block->first), FALSE);
    }
  g_ptr_array_set_size (self->blocks, 0);
  if (last + 1 <= self->next)
    return;
  pass_blocks (self, last + 1);
  tell_usual (self, self->next, last + 1 - self->next, FALSE);
  self->next = last + 1;
}
