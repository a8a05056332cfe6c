/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rows as columns. */

#include <string.h>

#include "weft-batch-private.h"
#include "weft-object-private.h"
#include "weft-table-builder.h"

typedef struct
{
  WeftStore *store;
  WeftTableId table;
  const WeftPlace *places;
  guint n;
} Rows;

/* A column that is being made. */
typedef struct
{
  const WeftField *field;
  guint64 *bits;
  guint8 *validity; /* a bit per row */
  guint n_valid;
} Values;

static void
set_value (Values *values, guint row, guint64 bits)
{
  values->bits[row] = bits;
  values->validity[row / 8] |= (guint8) (1u << (row % 8));
  values->n_valid++;
}

/* A stored field: its column of each chunk is read once. */
static void
read_stored (const Rows *rows, Values *values)
{
  gboolean zero_is_null =
      values->field->type == WEFT_VALUE_STRING || values->field->type == WEFT_VALUE_ID;
  guint first = 0;

  while (first < rows->n)
    {
      guint chunk = rows->places[first].chunk;
      WeftStoreColumn column = { 0 };
      gboolean read = weft_store_read_column (rows->store, rows->table, chunk,
                                              values->field->column, &column, NULL);

      for (; first < rows->n && rows->places[first].chunk == chunk; first++)
        {
          guint row = rows->places[first].row;
          guint64 bits = read ? weft_store_column_get (&column, row) : 0;

          if (read && weft_store_column_has (&column, row) && !(zero_is_null && bits == 0))
            set_value (values, first, bits);
        }
      weft_store_column_clear (&column);
    }
}

static void
read_computed (const Rows *rows, Values *values)
{
  for (guint i = 0; i < rows->n; i++)
    {
      guint64 bits;

      if (weft_row_read_field (rows->store, rows->table, &rows->places[i], values->field, &bits,
                               NULL))
        set_value (values, i, bits);
    }
}

/* From the recording's numbers of strings to a dictionary of those that occur. */
static char **
make_dictionary (const Rows *rows, Values *values)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  GPtrArray *words = g_ptr_array_new ();

  for (guint i = 0; i < rows->n; i++)
    {
      gpointer key = GSIZE_TO_POINTER (values->bits[i]);
      gpointer index;

      if (!(values->validity[i / 8] >> (i % 8) & 1))
        continue;
      if (!g_hash_table_lookup_extended (known, key, NULL, &index))
        {
          const char *text =
              weft_store_get_string (rows->store, (guint32) MIN (values->bits[i], G_MAXUINT32));

          index = GUINT_TO_POINTER (words->len);
          g_hash_table_insert (known, key, index);
          g_ptr_array_add (words, g_strdup (text ? text : ""));
        }
      values->bits[i] = GPOINTER_TO_UINT (index);
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

static char **
list_words (GType enumeration)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (enumeration);
  char **words = g_new0 (char *, klass->n_values + 1);

  for (guint i = 0; i < klass->n_values; i++)
    words[i] = g_strdup (klass->values[i].value_nick);
  return words;
}

static GBytes *
pack_values (const Rows *rows, Values *values)
{
  guint32 *narrow = (guint32 *) values->bits;
  guint8 *bytes = (guint8 *) values->bits;
  gsize size = 8;

  switch (values->field->type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      size = 4;
      for (guint i = 0; i < rows->n; i++)
        narrow[i] = (guint32) MIN (values->bits[i], G_MAXUINT32);
      break;
    case WEFT_VALUE_BOOLEAN:
      size = 1;
      for (guint i = 0; i < rows->n; i++)
        bytes[i] = values->bits[i] != 0;
      break;
    default:
      break;
    }
  return g_bytes_new_take (g_steal_pointer (&values->bits), rows->n * size);
}

static void
add_field (const Rows *rows, const WeftField *field, WeftTableBuilder *builder, guint column)
{
  Values values = { .field = field,
                    .bits = g_new0 (guint64, rows->n),
                    .validity = g_malloc0 ((rows->n + 7) / 8) };
  GBytes *validity = NULL;
  char **words = NULL;

  if (field->computed == WEFT_COMPUTED_NOT)
    read_stored (rows, &values);
  else
    read_computed (rows, &values);
  if (field->type == WEFT_VALUE_STRING)
    words = make_dictionary (rows, &values);
  else if (field->type == WEFT_VALUE_ENUM)
    words = list_words (field->enumeration ());
  if (values.n_valid < rows->n && field->type != WEFT_VALUE_ID)
    validity = g_bytes_new_take (g_steal_pointer (&values.validity), (rows->n + 7) / 8);
  weft_table_builder_take_column (builder, column, pack_values (rows, &values), validity, words,
                                  rows->n);
  g_free (values.validity);
}

WeftTable *
weft_rows_to_table (WeftStore *store, WeftTableId table, const WeftPlace *places, guint n)
{
  const WeftTableModel *model = weft_model_get_table (table);
  WeftTableBuilder *builder = weft_table_builder_new (model->name);
  const Rows rows = { .store = store, .table = table, .places = places, .n = n };

  for (guint i = 0; i < model->n_fields; i++)
    {
      const WeftField *field = &model->fields[i];
      WeftTableColumn column = { .name = field->name, .type = field->type, .unit = field->unit };

      if (strcmp (field->name, "id") == 0)
        column.prefix = model->prefix;
      else if (field->reference >= 0)
        column.prefix = weft_model_get_table ((WeftTableId) field->reference)->prefix;
      weft_table_builder_add_column (builder, &column);
    }
  for (guint i = 0; i < model->n_fields; i++)
    add_field (&rows, &model->fields[i], builder, i);
  return weft_table_builder_finish (builder);
}
