/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-block-builder.h"

struct _WeftSymbolBlockBuilder
{
  GHashTable *strings; /* text → number */
  GHashTable *symbols; /* Key → number */
  GByteArray *string_bytes;
  GByteArray *symbol_bytes;
  GByteArray *function_bytes;
  guint n_symbols;
  guint n_functions;
};

typedef struct
{
  guint64 key;
  guint64 offset;
  guint32 number;
} Key;

static guint
key_hash (gconstpointer data)
{
  const Key *key = data;

  return (guint) ((key->key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) ^ key->offset) >> 13);
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const Key *x = a;
  const Key *y = b;

  return x->key == y->key && x->offset == y->offset;
}

static void
reset (WeftSymbolBlockBuilder *self)
{
  self->strings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->symbols = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  self->string_bytes = g_byte_array_new ();
  self->symbol_bytes = g_byte_array_new ();
  self->function_bytes = g_byte_array_new ();
  self->n_symbols = 0;
  self->n_functions = 0;
}

static void
clear (WeftSymbolBlockBuilder *self)
{
  g_hash_table_unref (self->strings);
  g_hash_table_unref (self->symbols);
  g_byte_array_unref (self->string_bytes);
  g_byte_array_unref (self->symbol_bytes);
  g_byte_array_unref (self->function_bytes);
}

WeftSymbolBlockBuilder *
weft_symbol_block_builder_new (void)
{
  WeftSymbolBlockBuilder *self = g_new0 (WeftSymbolBlockBuilder, 1);

  reset (self);
  return self;
}

void
weft_symbol_block_builder_free (WeftSymbolBlockBuilder *self)
{
  clear (self);
  g_free (self);
}

guint32
weft_symbol_block_builder_string (WeftSymbolBlockBuilder *self, const char *text)
{
  guint number;

  if (text == NULL || text[0] == '\0')
    return 0;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->strings, text));
  if (number == 0)
    {
      number = g_hash_table_size (self->strings) + 1;
      g_hash_table_insert (self->strings, g_strdup (text), GUINT_TO_POINTER (number));
      weft_symbol_put_text (self->string_bytes, text, -1);
    }
  return number;
}

guint32
weft_symbol_block_builder_find (WeftSymbolBlockBuilder *self, guint64 key, guint64 offset)
{
  Key wanted = { key, offset, 0 };
  const Key *found = g_hash_table_lookup (self->symbols, &wanted);

  return found != NULL ? found->number : 0;
}

guint32
weft_symbol_block_builder_symbol (WeftSymbolBlockBuilder *self, guint64 key, const char *name,
                                  const char *linkage_name, const char *file, guint32 line,
                                  guint64 offset, guint64 size)
{
  guint32 number = weft_symbol_block_builder_find (self, key, offset);
  Key *entry;

  if (number != 0)
    return number;
  entry = g_new (Key, 1);
  *entry = (Key){ key, offset, ++self->n_symbols };
  g_hash_table_add (self->symbols, entry);
  weft_symbol_put_number (self->symbol_bytes, weft_symbol_block_builder_string (self, name));
  weft_symbol_put_number (self->symbol_bytes,
                          weft_symbol_block_builder_string (self, linkage_name));
  weft_symbol_put_number (self->symbol_bytes, weft_symbol_block_builder_string (self, file));
  weft_symbol_put_number (self->symbol_bytes, line);
  weft_symbol_put_number (self->symbol_bytes, offset);
  weft_symbol_put_number (self->symbol_bytes, size);
  return self->n_symbols;
}

void
weft_symbol_block_builder_function (WeftSymbolBlockBuilder *self,
                                    const WeftSymbolBlockFunction *function)
{
  GByteArray *bytes = self->function_bytes;

  weft_symbol_put_number (bytes, function->symbol);
  weft_symbol_put_number (bytes, function->start);
  weft_symbol_put_number (bytes, function->size);
  weft_symbol_put_number (bytes, function->file_offset + 1);
  weft_symbol_put_number (bytes, function->n_scopes);
  if (function->n_scopes > 0)
    g_byte_array_append (bytes, function->scopes->data, function->scopes->len);
  weft_symbol_put_number (bytes, function->n_rows);
  if (function->n_rows > 0)
    g_byte_array_append (bytes, function->rows->data, function->rows->len);
  self->n_functions++;
}

gsize
weft_symbol_block_builder_get_size (WeftSymbolBlockBuilder *self)
{
  return (gsize) self->string_bytes->len + self->symbol_bytes->len + self->function_bytes->len;
}

GByteArray *
weft_symbol_block_builder_finish (WeftSymbolBlockBuilder *self)
{
  GByteArray *bytes = g_byte_array_new ();

  weft_symbol_put_number (bytes, g_hash_table_size (self->strings));
  g_byte_array_append (bytes, self->string_bytes->data, self->string_bytes->len);
  weft_symbol_put_number (bytes, self->n_symbols);
  g_byte_array_append (bytes, self->symbol_bytes->data, self->symbol_bytes->len);
  weft_symbol_put_number (bytes, self->n_functions);
  g_byte_array_append (bytes, self->function_bytes->data, self->function_bytes->len);
  clear (self);
  reset (self);
  return bytes;
}
