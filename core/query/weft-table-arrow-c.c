/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-table.h"

#include <string.h>

#include "weft-arrow-abi.h"
#include "weft-arrow-private.h"

/* ---- Schemas ---- */

typedef struct
{
  char *name;
  char *metadata;
} SchemaParts;

static void
schema_release (struct ArrowSchema *schema)
{
  SchemaParts *parts = schema->private_data;

  /* A reader may have moved children out; then they are its own. */
  for (gint64 i = 0; i < schema->n_children; i++)
    {
      if (schema->children[i]->release != NULL)
        schema->children[i]->release (schema->children[i]);
      g_free (schema->children[i]);
    }
  g_free (schema->children);
  if (schema->dictionary != NULL && schema->dictionary->release != NULL)
    schema->dictionary->release (schema->dictionary);
  g_free (schema->dictionary);
  g_free (parts->name);
  g_free (parts->metadata);
  g_free (parts);
  schema->release = NULL;
}

static void
append_i32 (GByteArray *bytes, gsize value)
{
  gint32 number = (gint32) value;

  g_byte_array_append (bytes, (const guint8 *) &number, sizeof number);
}

/* The number of pairs, then each text with its length before it, in the machine's byte order. */
static char *
encode_metadata (GPtrArray *pairs)
{
  GByteArray *bytes = g_byte_array_new ();

  append_i32 (bytes, (pairs->len - 1) / 2);
  for (guint i = 0; pairs->pdata[i] != NULL; i++)
    {
      append_i32 (bytes, strlen (pairs->pdata[i]));
      g_byte_array_append (bytes, pairs->pdata[i], (guint) strlen (pairs->pdata[i]));
    }
  return (char *) g_byte_array_free (bytes, FALSE);
}

/* Takes PAIRS, which may be NULL. */
static void
schema_init (struct ArrowSchema *schema, const char *format, const char *name, GPtrArray *pairs)
{
  SchemaParts *parts = g_new0 (SchemaParts, 1);

  parts->name = g_strdup (name);
  parts->metadata = pairs != NULL ? encode_metadata (pairs) : NULL;
  g_clear_pointer (&pairs, g_ptr_array_unref);
  *schema = (struct ArrowSchema){
    .format = format,
    .name = parts->name,
    .metadata = parts->metadata,
    .release = schema_release,
    .private_data = parts,
  };
}

static const char *
get_format (WeftValueType type)
{
  switch (type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      return "i"; /* 32-bit indices; the dictionary says what they mean */
    case WEFT_VALUE_BOOLEAN:
      return "b";
    case WEFT_VALUE_DOUBLE:
      return "g";
    case WEFT_VALUE_DURATION:
      return "tDn";
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return "l";
    default:
      return "L";
    }
}

static struct ArrowSchema *
make_column_schema (const WeftArrowColumn *column)
{
  struct ArrowSchema *schema = g_new0 (struct ArrowSchema, 1);

  schema_init (schema, get_format (column->type),
               weft_table_get_column_name (column->table, column->position),
               weft_arrow_column_list_metadata (column));
  schema->flags = ARROW_FLAG_NULLABLE;
  if (column->words != NULL)
    {
      schema->dictionary = g_new0 (struct ArrowSchema, 1);
      schema_init (schema->dictionary, "u", "", NULL);
    }
  return schema;
}

/* ---- Arrays ---- */

/* Buffers of one array, and what keeps them alive. */
typedef struct
{
  const void *buffers[3];
  GBytes *held[3];
} ArrayParts;

static void
array_release (struct ArrowArray *array)
{
  ArrayParts *parts = array->private_data;

  for (gint64 i = 0; i < array->n_children; i++)
    {
      if (array->children[i]->release != NULL)
        array->children[i]->release (array->children[i]);
      g_free (array->children[i]);
    }
  g_free (array->children);
  if (array->dictionary != NULL && array->dictionary->release != NULL)
    array->dictionary->release (array->dictionary);
  g_free (array->dictionary);
  for (guint i = 0; i < G_N_ELEMENTS (parts->held); i++)
    g_clear_pointer (&parts->held[i], g_bytes_unref);
  g_free (parts);
  array->release = NULL;
}

static void
array_init (struct ArrowArray *array, gsize length, gint64 n_buffers)
{
  ArrayParts *parts = g_new0 (ArrayParts, 1);

  *array = (struct ArrowArray){
    .length = (gint64) length,
    .n_buffers = n_buffers,
    .buffers = parts->buffers,
    .release = array_release,
    .private_data = parts,
  };
}

/* Buffers of no bytes still have an address: readers may insist on one. */
static void
array_take_buffer (struct ArrowArray *array, guint position, GBytes *bytes)
{
  static const guint64 nothing;
  ArrayParts *parts = array->private_data;
  gconstpointer data = g_bytes_get_data (bytes, NULL);

  parts->held[position] = bytes;
  parts->buffers[position] = data != NULL ? data : &nothing;
}

static struct ArrowArray *
make_words (const WeftArrowColumn *column)
{
  struct ArrowArray *array = g_new0 (struct ArrowArray, 1);
  gint32 *offsets = g_new0 (gint32, column->words->len + 1);
  guint64 length;
  char *text;

  weft_arrow_column_measure_words (column, &length);
  text = g_malloc (length);
  for (guint i = 0; i < column->words->len; i++)
    {
      gsize n = strlen (column->words->pdata[i]);

      memcpy (text + offsets[i], column->words->pdata[i], n);
      offsets[i + 1] = offsets[i] + (gint32) n;
    }
  array_init (array, column->words->len, 3);
  array_take_buffer (array, 1,
                     g_bytes_new_take (offsets, (column->words->len + 1) * sizeof *offsets));
  array_take_buffer (array, 2, g_bytes_new_take (text, length));
  return array;
}

static void
take_validity (struct ArrowArray *array, const WeftArrowColumn *column)
{
  gsize n = (gsize) array->length;
  GBytes *validity = weft_table_get_column_validity (column->table, column->position);
  guint8 *bits;

  if (n == 0 || !weft_arrow_column_is_nullable (column))
    return;
  bits = g_malloc0 ((n + 7) / 8);
  array->null_count = (gint64) weft_arrow_column_pack_validity (column, 0, n, bits);
  if (array->null_count == 0)
    {
      g_free (bits);
      return;
    }
  /* The table's own bits serve where they are all there is to it. */
  if (validity != NULL && column->type != WEFT_VALUE_ID)
    {
      g_free (bits);
      array_take_buffer (array, 0, g_bytes_ref (validity));
    }
  else
    array_take_buffer (array, 0, g_bytes_new_take (bits, (n + 7) / 8));
}

static GBytes *
get_values (const WeftArrowColumn *column, gsize n)
{
  guint8 *bits;

  if (column->words != NULL)
    return g_bytes_ref (column->indices);
  if (column->type != WEFT_VALUE_BOOLEAN)
    return g_bytes_ref (weft_table_get_column_data (column->table, column->position));
  if (n == 0)
    return g_bytes_new (NULL, 0);
  bits = g_malloc0 ((n + 7) / 8);
  weft_arrow_column_pack_booleans (column, 0, n, bits);
  return g_bytes_new_take (bits, (n + 7) / 8);
}

static struct ArrowArray *
make_column_array (const WeftArrowColumn *column)
{
  gsize n = weft_table_get_n_rows (column->table);
  struct ArrowArray *array = g_new0 (struct ArrowArray, 1);

  array_init (array, n, 2);
  take_validity (array, column);
  array_take_buffer (array, 1, get_values (column, n));
  if (column->words != NULL)
    array->dictionary = make_words (column);
  return array;
}

/**
 * weft_table_export_arrow_c:
 * @self: a table
 * @array_address: address of a `struct ArrowArray` to fill in
 * @schema_address: address of a `struct ArrowSchema` to fill in
 * @error: return location for an error
 *
 * Gives the table to another library in the same process, by Arrow's C data interface. The array is
 * a struct with a child for each column, typed as by [method@Table.write_arrow].
 *
 * Nothing is copied but booleans (one bit each there), which ids are null, and the text of words.
 * The buffers live until the structures' release functions are called, with or without the table;
 * children can be moved out and released on their own. In Python,
 * `pyarrow.RecordBatch._import_from_c (array_address, schema_address)` takes both.
 *
 * Fails as [method@Table.write_arrow] does; then neither structure is touched.
 *
 * Returns: whether both structures were filled in
 *
 * Since: 0.1
 */
gboolean
weft_table_export_arrow_c (WeftTable *self, guint64 array_address, guint64 schema_address,
                           GError **error)
{
  struct ArrowArray *array = (gpointer) (guintptr) array_address;
  struct ArrowSchema *schema = (gpointer) (guintptr) schema_address;
  guint n = weft_table_get_n_columns (self);
  g_autofree WeftArrowColumn *columns = g_new0 (WeftArrowColumn, n);
  gboolean suits = TRUE;

  g_return_val_if_fail (WEFT_IS_TABLE (self), FALSE);
  g_return_val_if_fail (array != NULL && schema != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  for (guint i = 0; suits && i < n; i++)
    suits = weft_arrow_column_init (&columns[i], self, i, error);
  if (suits)
    {
      schema_init (schema, "+s", "", weft_arrow_list_table_metadata (self));
      schema->n_children = n;
      schema->children = g_new0 (struct ArrowSchema *, n);
      array_init (array, weft_table_get_n_rows (self), 1);
      array->n_children = n;
      array->children = g_new0 (struct ArrowArray *, n);
    }
  for (guint i = 0; i < n; i++)
    {
      if (suits)
        {
          schema->children[i] = make_column_schema (&columns[i]);
          array->children[i] = make_column_array (&columns[i]);
        }
      weft_arrow_column_clear (&columns[i]);
    }
  return suits;
}
