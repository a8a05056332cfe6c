/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-block.h"

/* While it is decoded arrays grow, so that positions stand where pointers will. */
typedef struct
{
  WeftSymbolBlock *block;
  WeftSymbolReader reader;
} Decoder;

static const char *
get_string (Decoder *self)
{
  guint64 number = weft_symbol_get_number_below (&self->reader, self->block->strings->len + 1ull);

  return number > 0 ? g_ptr_array_index (self->block->strings, number - 1) : NULL;
}

static const WeftSymbolName *
get_symbol (Decoder *self)
{
  guint64 number = weft_symbol_get_number_below (&self->reader, self->block->symbols->len + 1ull);

  return number > 0 ? &g_array_index (self->block->symbols, WeftSymbolName, number - 1) : NULL;
}

static guint32
get_line (Decoder *self)
{
  return (guint32) weft_symbol_get_number_below (&self->reader, G_MAXUINT32 + 1ull);
}

static gboolean
decode_strings (Decoder *self)
{
  guint64 n = weft_symbol_get_number (&self->reader);

  if (!weft_symbol_reader_can_hold (&self->reader, n, 1))
    return FALSE;
  for (guint64 i = 0; i < n; i++)
    g_ptr_array_add (self->block->strings, weft_symbol_get_text (&self->reader));
  return !self->reader.failed;
}

static gboolean
decode_symbols (Decoder *self)
{
  guint64 n = weft_symbol_get_number (&self->reader);

  if (!weft_symbol_reader_can_hold (&self->reader, n, 6))
    return FALSE;
  for (guint64 i = 0; i < n; i++)
    {
      WeftSymbolName symbol;

      symbol.name = get_string (self);
      symbol.linkage_name = get_string (self);
      symbol.file = get_string (self);
      symbol.line = get_line (self);
      symbol.offset = weft_symbol_get_number (&self->reader);
      symbol.size = weft_symbol_get_number (&self->reader);
      if (symbol.name == NULL)
        return FALSE;
      g_array_append_val (self->block->symbols, symbol);
    }
  return !self->reader.failed;
}

static gboolean
decode_scopes (Decoder *self, WeftSymbolFunction *function)
{
  guint64 n = weft_symbol_get_number (&self->reader);

  if (!weft_symbol_reader_can_hold (&self->reader, n, 4))
    return FALSE;
  function->n_scopes = (guint32) n;
  for (guint64 i = 0; i < n; i++)
    {
      WeftSymbolScope scope;

      /* Outer ones come first, so that following parents ends. */
      scope.parent = (guint32) weft_symbol_get_number_below (&self->reader, i + 1);
      scope.symbol = get_symbol (self);
      scope.file = get_string (self);
      scope.line = get_line (self);
      if (scope.symbol == NULL)
        return FALSE;
      g_array_append_val (self->block->scopes, scope);
    }
  return !self->reader.failed;
}

static gboolean
decode_rows (Decoder *self, WeftSymbolFunction *function)
{
  guint64 n = weft_symbol_get_number (&self->reader);
  guint64 distance = 0;

  if (!weft_symbol_reader_can_hold (&self->reader, n, 4))
    return FALSE;
  function->n_rows = (guint32) n;
  for (guint64 i = 0; i < n; i++)
    {
      WeftSymbolRow row;

      distance += weft_symbol_get_number_below (&self->reader, G_MAXUINT32);
      row.distance = (guint32) distance;
      row.scope = (guint32) weft_symbol_get_number_below (&self->reader, function->n_scopes + 1ull);
      row.file = get_string (self);
      row.line = get_line (self);
      if (distance >= function->size || distance > G_MAXUINT32)
        return FALSE;
      g_array_append_val (self->block->rows, row);
    }
  return !self->reader.failed;
}

static gboolean
decode_functions (Decoder *self)
{
  guint64 n = weft_symbol_get_number (&self->reader);

  if (!weft_symbol_reader_can_hold (&self->reader, n, 6))
    return FALSE;
  for (guint64 i = 0; i < n; i++)
    {
      WeftSymbolFunction function = { 0 };

      function.symbol = get_symbol (self);
      function.start = weft_symbol_get_number (&self->reader);
      function.size = weft_symbol_get_number (&self->reader);
      function.file_offset = weft_symbol_get_number (&self->reader) - 1;
      if (function.size == 0 || function.size > G_MAXUINT64 - function.start ||
          !decode_scopes (self, &function) || !decode_rows (self, &function))
        return FALSE;
      g_array_append_val (self->block->functions, function);
    }
  return !self->reader.failed;
}

/* Nothing grows any more. */
static void
point (WeftSymbolBlock *self)
{
  guint n_scopes = 0;
  guint n_rows = 0;

  for (guint i = 0; i < self->functions->len; i++)
    {
      WeftSymbolFunction *function = &g_array_index (self->functions, WeftSymbolFunction, i);

      function->scopes = &g_array_index (self->scopes, WeftSymbolScope, n_scopes);
      function->rows = &g_array_index (self->rows, WeftSymbolRow, n_rows);
      n_scopes += function->n_scopes;
      n_rows += function->n_rows;
    }
}

WeftSymbolBlock *
weft_symbol_block_decode (const guint8 *bytes, gsize length)
{
  g_autoptr (WeftSymbolBlock) self = g_new0 (WeftSymbolBlock, 1);
  Decoder decoder = { .block = self };

  self->strings = g_ptr_array_new_with_free_func (g_free);
  self->symbols = g_array_new (FALSE, FALSE, sizeof (WeftSymbolName));
  self->functions = g_array_new (FALSE, FALSE, sizeof (WeftSymbolFunction));
  self->scopes = g_array_new (FALSE, FALSE, sizeof (WeftSymbolScope));
  self->rows = g_array_new (FALSE, FALSE, sizeof (WeftSymbolRow));
  weft_symbol_reader_init (&decoder.reader, bytes, length);
  if (!decode_strings (&decoder) || !decode_symbols (&decoder) || !decode_functions (&decoder) ||
      decoder.reader.at != decoder.reader.end)
    return NULL;
  point (self);
  return g_steal_pointer (&self);
}

void
weft_symbol_block_free (WeftSymbolBlock *self)
{
  g_ptr_array_unref (self->strings);
  g_array_unref (self->symbols);
  g_array_unref (self->functions);
  g_array_unref (self->scopes);
  g_array_unref (self->rows);
  g_free (self);
}

const WeftSymbolRow *
weft_symbol_function_find_row (const WeftSymbolFunction *self, guint64 address)
{
  guint low = 0;
  guint high = self->n_rows;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (self->rows[middle].distance <= address - self->start)
        low = middle + 1;
      else
        high = middle;
    }
  return low > 0 ? &self->rows[low - 1] : NULL;
}
