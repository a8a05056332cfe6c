/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-table.h"

#include <math.h>
#include <string.h>

#include "weft-table-builder.h"

/**
 * WeftTable:
 *
 * An answer as columns: contiguous, immutable, all of one length.
 *
 * A column's bytes are those of [method@Table.get_column_data], laid out as its
 * [enum@ValueType] says, in the machine's byte order; they can be used as they are by whatever
 * takes arrays. Strings are indices into the column's dictionary. As a list model the table
 * consists of [class@Row]s, made when they are asked for.
 *
 * Since: 0.1
 */

typedef struct
{
  char *name;
  char *title;
  char *unit;
  char *prefix;
  WeftValueType type;
  GBytes *data;
  GBytes *validity;
  char **dictionary;
  guint n_words;
  const guint8 *values; /* of DATA */
  const guint8 *bits;   /* of VALIDITY, or NULL */
} Column;

struct _WeftTable
{
  GObject parent_instance;

  char *name;
  char *cursor;
  char *hint;
  GArray *columns; /* element type Column */
  guint n_rows;
};

struct _WeftRow
{
  GObject parent_instance;

  WeftTable *table;
  guint index;
};

static void weft_table_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftTable, weft_table, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weft_table_list_model_init))

/**
 * WeftRow:
 *
 * One row of a [class@Table].
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (WeftRow, weft_row, G_TYPE_OBJECT)

static gsize
size_of_type (WeftValueType type)
{
  switch (type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      return 4;
    case WEFT_VALUE_BOOLEAN:
      return 1;
    default:
      return 8;
    }
}

static void
column_clear (gpointer data)
{
  Column *column = data;

  g_free (column->name);
  g_free (column->title);
  g_free (column->unit);
  g_free (column->prefix);
  g_clear_pointer (&column->data, g_bytes_unref);
  g_clear_pointer (&column->validity, g_bytes_unref);
  g_strfreev (column->dictionary);
}

static const Column *
get_column (WeftTable *self, guint column)
{
  return &g_array_index (self->columns, Column, column);
}

static guint64
get_bits (const Column *column, guint row)
{
  switch (size_of_type (column->type))
    {
    case 1:
      return column->values[row];
    case 4:
      return ((const guint32 *) column->values)[row];
    default:
      return ((const guint64 *) column->values)[row];
    }
}

static gboolean
is_null (const Column *column, guint row)
{
  if (column->bits != NULL && !(column->bits[row / 8] >> (row % 8) & 1))
    return TRUE;
  return column->type == WEFT_VALUE_ID && get_bits (column, row) == 0;
}

static void
weft_table_finalize (GObject *object)
{
  WeftTable *self = WEFT_TABLE (object);

  g_free (self->name);
  g_free (self->cursor);
  g_free (self->hint);
  g_array_unref (self->columns);

  G_OBJECT_CLASS (weft_table_parent_class)->finalize (object);
}

static void
weft_table_class_init (WeftTableClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_table_finalize;
}

static void
weft_table_init (WeftTable *self)
{
  self->columns = g_array_new (FALSE, TRUE, sizeof (Column));
  g_array_set_clear_func (self->columns, column_clear);
}

static GType
weft_table_get_item_type (GListModel *list)
{
  return WEFT_TYPE_ROW;
}

static guint
weft_table_get_n_items (GListModel *list)
{
  return WEFT_TABLE (list)->n_rows;
}

static gpointer
weft_table_get_item (GListModel *list, guint position)
{
  WeftTable *self = WEFT_TABLE (list);
  WeftRow *row;

  if (position >= self->n_rows)
    return NULL;
  row = g_object_new (WEFT_TYPE_ROW, NULL);
  row->table = g_object_ref (self);
  row->index = position;
  return row;
}

static void
weft_table_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weft_table_get_item_type;
  interface->get_n_items = weft_table_get_n_items;
  interface->get_item = weft_table_get_item;
}

/**
 * weft_table_get_name:
 * @self: a table
 *
 * The name of the question that the table answers, such as `target-top`.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
weft_table_get_name (WeftTable *self)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);

  return self->name;
}

/**
 * weft_table_get_n_rows:
 * @self: a table
 *
 * Returns: the number of rows
 *
 * Since: 0.1
 */
guint
weft_table_get_n_rows (WeftTable *self)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), 0);

  return self->n_rows;
}

/**
 * weft_table_get_n_columns:
 * @self: a table
 *
 * Returns: the number of columns
 *
 * Since: 0.1
 */
guint
weft_table_get_n_columns (WeftTable *self)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), 0);

  return self->columns->len;
}

/**
 * weft_table_find_column:
 * @self: a table
 * @name: a column's name
 *
 * Returns: the position of the column called @name, or -1
 *
 * Since: 0.1
 */
int
weft_table_find_column (WeftTable *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), -1);
  g_return_val_if_fail (name != NULL, -1);

  for (guint i = 0; i < self->columns->len; i++)
    if (strcmp (get_column (self, i)->name, name) == 0)
      return (int) i;
  return -1;
}

/**
 * weft_table_get_column_name:
 * @self: a table
 * @column: position of a column
 *
 * Returns: (transfer none): the column's name: lower case, words joined by underscores
 *
 * Since: 0.1
 */
const char *
weft_table_get_column_name (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->name;
}

/**
 * weft_table_get_column_title:
 * @self: a table
 * @column: position of a column
 *
 * Returns: (transfer none): the column's heading for people
 *
 * Since: 0.1
 */
const char *
weft_table_get_column_title (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->title;
}

/**
 * weft_table_get_column_type:
 * @self: a table
 * @column: position of a column
 *
 * Returns: what the column holds
 *
 * Since: 0.1
 */
WeftValueType
weft_table_get_column_type (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), WEFT_VALUE_UINT64);
  g_return_val_if_fail (column < self->columns->len, WEFT_VALUE_UINT64);

  return get_column (self, column)->type;
}

/**
 * weft_table_get_column_unit:
 * @self: a table
 * @column: position of a column
 *
 * Returns: (transfer none) (nullable): the unit of the column's values, such as `ns` or `bytes`
 *
 * Since: 0.1
 */
const char *
weft_table_get_column_unit (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->unit;
}

/**
 * weft_table_get_column_prefix:
 * @self: a table
 * @column: position of a column
 *
 * Returns: (transfer none) (nullable): for a column of ids, what stands before the number in a
 *   handle: `d` in `d-12`
 *
 * Since: 0.1
 */
const char *
weft_table_get_column_prefix (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->prefix;
}

/**
 * weft_table_get_column_data:
 * @self: a table
 * @column: position of a column
 *
 * The values of a column, one after the other; nothing is copied. The values of null rows mean
 * nothing.
 *
 * Returns: (transfer none): as many values as there are rows, laid out as the type says
 *
 * Since: 0.1
 */
GBytes *
weft_table_get_column_data (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->data;
}

/**
 * weft_table_get_column_validity:
 * @self: a table
 * @column: position of a column
 *
 * A bit for each row, least significant first, set where there is a value. Ids are never in it:
 * theirs are null where they are 0.
 *
 * Returns: (transfer none) (nullable): the bits, or %NULL if every row has a value
 *
 * Since: 0.1
 */
GBytes *
weft_table_get_column_validity (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return get_column (self, column)->validity;
}

/**
 * weft_table_get_column_dictionary:
 * @self: a table
 * @column: position of a column
 *
 * The words that the values of a column of strings or of an enumeration are indices into.
 *
 * Returns: (transfer none) (array zero-terminated=1) (nullable): the words, or %NULL for columns of
 *   other types
 *
 * Since: 0.1
 */
const char *const *
weft_table_get_column_dictionary (WeftTable *self, guint column)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len, NULL);

  return (const char *const *) get_column (self, column)->dictionary;
}

/**
 * weft_table_is_null:
 * @self: a table
 * @column: position of a column
 * @row: position of a row
 *
 * Returns: whether there is no value
 *
 * Since: 0.1
 */
gboolean
weft_table_is_null (WeftTable *self, guint column, guint row)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), TRUE);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, TRUE);

  return is_null (get_column (self, column), row);
}

/**
 * weft_table_get_uint64:
 * @self: a table
 * @column: position of a column of unsigned numbers, durations, ids, booleans or enumerations
 * @row: position of a row
 *
 * Returns: the value; 0 if there is none
 *
 * Since: 0.1
 */
guint64
weft_table_get_uint64 (WeftTable *self, guint column, guint row)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), 0);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, 0);

  return is_null (get_column (self, column), row) ? 0 : get_bits (get_column (self, column), row);
}

/**
 * weft_table_get_int64:
 * @self: a table
 * @column: position of a column of signed numbers or times
 * @row: position of a row
 *
 * Returns: the value; 0 if there is none
 *
 * Since: 0.1
 */
gint64
weft_table_get_int64 (WeftTable *self, guint column, guint row)
{
  return (gint64) weft_table_get_uint64 (self, column, row);
}

/**
 * weft_table_get_double:
 * @self: a table
 * @column: position of a column of numbers of any type
 * @row: position of a row
 *
 * Returns: the value as a double; not a number if there is none
 *
 * Since: 0.1
 */
double
weft_table_get_double (WeftTable *self, guint column, guint row)
{
  guint64 bits;
  double value;

  g_return_val_if_fail (WEFT_IS_TABLE (self), 0);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, 0);

  if (is_null (get_column (self, column), row))
    return (double) NAN;
  bits = get_bits (get_column (self, column), row);
  switch (get_column (self, column)->type)
    {
    case WEFT_VALUE_DOUBLE:
      memcpy (&value, &bits, sizeof value);
      return value;
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return (double) (gint64) bits;
    default:
      return (double) bits;
    }
}

/**
 * weft_table_get_boolean:
 * @self: a table
 * @column: position of a column of booleans
 * @row: position of a row
 *
 * Returns: the value; %FALSE if there is none
 *
 * Since: 0.1
 */
gboolean
weft_table_get_boolean (WeftTable *self, guint column, guint row)
{
  return weft_table_get_uint64 (self, column, row) != 0;
}

/**
 * weft_table_get_string:
 * @self: a table
 * @column: position of a column of strings or of an enumeration
 * @row: position of a row
 *
 * Returns: (transfer none) (nullable): the text; of an enumeration its word, or %NULL for a number
 *   that this version has no word for
 *
 * Since: 0.1
 */
const char *
weft_table_get_string (WeftTable *self, guint column, guint row)
{
  const Column *found;
  guint64 index;

  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, NULL);

  found = get_column (self, column);
  g_return_val_if_fail (found->dictionary != NULL, NULL);
  index = get_bits (found, row);
  return is_null (found, row) || index >= found->n_words ? NULL : found->dictionary[index];
}

/**
 * weft_table_get_handle:
 * @self: a table
 * @column: position of a column of ids
 * @row: position of a row
 *
 * Returns: (transfer full) (nullable): the object's handle, such as `d-12`
 *
 * Since: 0.1
 */
char *
weft_table_get_handle (WeftTable *self, guint column, guint row)
{
  guint64 id = weft_table_get_uint64 (self, column, row);
  const char *prefix = weft_table_get_column_prefix (self, column);

  if (id == 0)
    return NULL;
  return g_strdup_printf ("%s%s%" G_GUINT64_FORMAT, prefix ? prefix : "", prefix ? "-" : "", id);
}

/**
 * weft_table_get_text:
 * @self: a table
 * @column: position of a column
 * @row: position of a row
 *
 * Any value as text that loses nothing: plain numbers, words, handles; nothing for null.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
weft_table_get_text (WeftTable *self, guint column, guint row)
{
  const Column *found;
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, NULL);

  found = get_column (self, column);
  if (is_null (found, row))
    return g_strdup ("");
  switch (found->type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      if (weft_table_get_string (self, column, row) != NULL)
        return g_strdup (weft_table_get_string (self, column, row));
      return g_strdup_printf ("%" G_GUINT64_FORMAT, get_bits (found, row));
    case WEFT_VALUE_ID:
      return weft_table_get_handle (self, column, row);
    case WEFT_VALUE_DOUBLE:
      return g_strdup (
          g_ascii_dtostr (number, sizeof number, weft_table_get_double (self, column, row)));
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) get_bits (found, row));
    case WEFT_VALUE_BOOLEAN:
      return g_strdup (get_bits (found, row) ? "true" : "false");
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, get_bits (found, row));
    }
}

/**
 * weft_table_get_variant:
 * @self: a table
 * @column: position of a column
 * @row: position of a row
 *
 * Any value in a type of its own: `t` for unsigned numbers and durations, `x` for signed ones and
 * times, `d` for doubles, `b` for booleans, `s` for strings, words and handles.
 *
 * Returns: (transfer full) (nullable): the value, not floating, or %NULL for null
 *
 * Since: 0.1
 */
GVariant *
weft_table_get_variant (WeftTable *self, guint column, guint row)
{
  const Column *found;
  GVariant *value;

  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, NULL);

  found = get_column (self, column);
  if (is_null (found, row))
    return NULL;
  switch (found->type)
    {
    case WEFT_VALUE_UINT64:
    case WEFT_VALUE_DURATION:
      value = g_variant_new_uint64 (get_bits (found, row));
      break;
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      value = g_variant_new_int64 ((gint64) get_bits (found, row));
      break;
    case WEFT_VALUE_DOUBLE:
      value = g_variant_new_double (weft_table_get_double (self, column, row));
      break;
    case WEFT_VALUE_BOOLEAN:
      value = g_variant_new_boolean (get_bits (found, row) != 0);
      break;
    default:
      value = g_variant_new_take_string (weft_table_get_text (self, column, row));
    }
  return g_variant_ref_sink (value);
}

/**
 * weft_table_get_object:
 * @self: a table
 * @recording: the recording that the table tells of
 * @column: position of a column of ids that have handles
 * @row: position of a row
 * @error: return location for an error
 *
 * The object that a cell names; see [method@Recording.find].
 *
 * Returns: (transfer full) (nullable): the object, or %NULL without an error if the cell is empty
 *
 * Since: 0.1
 */
WeftObject *
weft_table_get_object (WeftTable *self, WeftRecording *recording, guint column, guint row,
                       GError **error)
{
  g_autofree char *handle = NULL;

  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);
  g_return_val_if_fail (column < self->columns->len && row < self->n_rows, NULL);
  g_return_val_if_fail (get_column (self, column)->type == WEFT_VALUE_ID, NULL);

  handle = weft_table_get_handle (self, column, row);
  return handle == NULL ? NULL : weft_recording_find (recording, handle, error);
}

/**
 * weft_table_get_cursor:
 * @self: a table
 *
 * Where a query with a limit goes on: give it to the next query. It stays true while the recording
 * grows.
 *
 * Returns: (transfer none) (nullable): the cursor, or %NULL if there is no more
 *
 * Since: 0.1
 */
const char *
weft_table_get_cursor (WeftTable *self)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);

  return self->cursor;
}

/**
 * weft_table_get_hint:
 * @self: a table
 *
 * Why there is nothing here, and what to do about it.
 *
 * Returns: (transfer none) (nullable): a sentence for people
 *
 * Since: 0.1
 */
const char *
weft_table_get_hint (WeftTable *self)
{
  g_return_val_if_fail (WEFT_IS_TABLE (self), NULL);

  return self->hint;
}

static void
weft_row_finalize (GObject *object)
{
  g_clear_object (&WEFT_ROW (object)->table);

  G_OBJECT_CLASS (weft_row_parent_class)->finalize (object);
}

static void
weft_row_class_init (WeftRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_row_finalize;
}

static void
weft_row_init (WeftRow *self)
{
}

/**
 * weft_row_get_table:
 * @self: a row
 *
 * Returns: (transfer none): the table it is of
 *
 * Since: 0.1
 */
WeftTable *
weft_row_get_table (WeftRow *self)
{
  g_return_val_if_fail (WEFT_IS_ROW (self), NULL);

  return self->table;
}

/**
 * weft_row_get_index:
 * @self: a row
 *
 * Returns: its position in the table
 *
 * Since: 0.1
 */
guint
weft_row_get_index (WeftRow *self)
{
  g_return_val_if_fail (WEFT_IS_ROW (self), 0);

  return self->index;
}

/**
 * weft_row_get:
 * @self: a row
 * @column: name of a column
 *
 * A value by its column's name, as by [method@Table.get_variant].
 *
 * Returns: (transfer full) (nullable): the value, or %NULL if there is none or no such column
 *
 * Since: 0.1
 */
GVariant *
weft_row_get (WeftRow *self, const char *column)
{
  int position;

  g_return_val_if_fail (WEFT_IS_ROW (self), NULL);
  g_return_val_if_fail (column != NULL, NULL);

  position = weft_table_find_column (self->table, column);
  return position < 0 ? NULL : weft_table_get_variant (self->table, (guint) position, self->index);
}

/* ---- Builder ---- */

typedef struct
{
  GByteArray *values;
  GByteArray *bits;
  guint n_valid;
  GHashTable *words; /* text, of DICTIONARY → its index + 1 */
  GPtrArray *dictionary;
} Growing;

struct _WeftTableBuilder
{
  WeftTable *table;
  GArray *growing; /* element type Growing, as many as the table has columns */
};

static void
growing_clear (gpointer data)
{
  Growing *growing = data;

  g_clear_pointer (&growing->values, g_byte_array_unref);
  g_clear_pointer (&growing->bits, g_byte_array_unref);
  g_clear_pointer (&growing->words, g_hash_table_unref);
  g_clear_pointer (&growing->dictionary, g_ptr_array_unref);
}

WeftTableBuilder *
weft_table_builder_new (const char *name)
{
  WeftTableBuilder *self = g_new0 (WeftTableBuilder, 1);

  self->table = g_object_new (WEFT_TYPE_TABLE, NULL);
  self->table->name = g_strdup (name);
  self->growing = g_array_new (FALSE, TRUE, sizeof (Growing));
  g_array_set_clear_func (self->growing, growing_clear);
  return self;
}

void
weft_table_builder_free (WeftTableBuilder *self)
{
  g_clear_object (&self->table);
  g_array_unref (self->growing);
  g_free (self);
}

guint
weft_table_builder_add_column (WeftTableBuilder *self, const WeftTableColumn *column)
{
  gboolean is_time = column->type == WEFT_VALUE_TIME || column->type == WEFT_VALUE_DURATION;
  Column added = {
    .name = g_strdup (column->name),
    .title = g_strdup (column->title != NULL ? column->title : column->name),
    .unit = g_strdup (column->unit == NULL && is_time ? "ns" : column->unit),
    .prefix = g_strdup (column->prefix),
    .type = column->type,
  };
  Growing growing = { .values = g_byte_array_new (), .bits = g_byte_array_new () };

  g_assert (self->table->n_rows == 0);

  if (column->title == NULL)
    g_strdelimit (added.title, "_", ' ');
  if (column->type == WEFT_VALUE_STRING || column->type == WEFT_VALUE_ENUM)
    growing.dictionary = g_ptr_array_new_with_free_func (g_free);
  if (column->type == WEFT_VALUE_STRING)
    growing.words = g_hash_table_new (g_str_hash, g_str_equal);
  g_array_append_val (self->table->columns, added);
  g_array_append_val (self->growing, growing);
  return self->growing->len - 1;
}

void
weft_table_builder_add_columns (WeftTableBuilder *self, const WeftTableColumn *columns,
                                guint n_columns)
{
  for (guint i = 0; i < n_columns; i++)
    weft_table_builder_add_column (self, &columns[i]);
}

guint
weft_table_builder_add_enum (WeftTableBuilder *self, const WeftTableColumn *column,
                             GType enumeration)
{
  guint position = weft_table_builder_add_column (self, column);
  Growing *growing = &g_array_index (self->growing, Growing, position);
  g_autoptr (GEnumClass) klass = g_type_class_ref (enumeration);

  g_assert (column->type == WEFT_VALUE_ENUM);

  for (guint i = 0; i < klass->n_values; i++)
    {
      g_assert (klass->values[i].value == (int) i);
      g_ptr_array_add (growing->dictionary, g_strdup (klass->values[i].value_nick));
    }
  return position;
}

void
weft_table_builder_begin_row (WeftTableBuilder *self)
{
  guint row = self->table->n_rows++;

  for (guint i = 0; i < self->growing->len; i++)
    {
      Growing *growing = &g_array_index (self->growing, Growing, i);
      gsize size = size_of_type (get_column (self->table, i)->type);
      guint old = growing->values->len;

      g_byte_array_set_size (growing->values, (guint) (old + size));
      memset (growing->values->data + old, 0, size);
      if (row % 8 == 0)
        g_byte_array_append (growing->bits, (const guint8 *) "", 1);
    }
}

guint
weft_table_builder_get_n_rows (WeftTableBuilder *self)
{
  return self->table->n_rows;
}

static void
set_bits (WeftTableBuilder *self, guint column, guint64 bits)
{
  Growing *growing = &g_array_index (self->growing, Growing, column);
  guint row = self->table->n_rows - 1;
  gsize size = size_of_type (get_column (self->table, column)->type);
  guint8 *byte = &growing->bits->data[row / 8];

  g_assert (self->table->n_rows > 0);

#if G_BYTE_ORDER == G_BIG_ENDIAN
  bits <<= 64 - 8 * size;
#endif
  memcpy (growing->values->data + row * size, &bits, size);
  growing->n_valid += (*byte >> (row % 8) & 1) ? 0 : 1;
  *byte |= (guint8) (1u << (row % 8));
}

void
weft_table_builder_set_uint64 (WeftTableBuilder *self, guint column, guint64 value)
{
  WeftValueType type = get_column (self->table, column)->type;

  g_assert (type == WEFT_VALUE_UINT64 || type == WEFT_VALUE_DURATION || type == WEFT_VALUE_ID ||
            type == WEFT_VALUE_ENUM || type == WEFT_VALUE_BOOLEAN);
  set_bits (self, column, value);
}

void
weft_table_builder_set_int64 (WeftTableBuilder *self, guint column, gint64 value)
{
  WeftValueType type = get_column (self->table, column)->type;

  g_assert (type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME);
  set_bits (self, column, (guint64) value);
}

void
weft_table_builder_set_double (WeftTableBuilder *self, guint column, double value)
{
  guint64 bits;

  g_assert (get_column (self->table, column)->type == WEFT_VALUE_DOUBLE);
  memcpy (&bits, &value, sizeof bits);
  set_bits (self, column, bits);
}

void
weft_table_builder_set_string (WeftTableBuilder *self, guint column, const char *text)
{
  Growing *growing = &g_array_index (self->growing, Growing, column);
  gpointer index;

  g_assert (get_column (self->table, column)->type == WEFT_VALUE_STRING);
  if (text == NULL)
    return;
  index = g_hash_table_lookup (growing->words, text);
  if (index == NULL)
    {
      char *word = g_strdup (text);

      g_ptr_array_add (growing->dictionary, word);
      index = GUINT_TO_POINTER (growing->dictionary->len);
      g_hash_table_insert (growing->words, word, index);
    }
  set_bits (self, column, GPOINTER_TO_UINT (index) - 1);
}

static void
column_take (Column *column, GBytes *data, GBytes *validity, char **dictionary)
{
  column->data = data;
  column->values = g_bytes_get_data (data, NULL);
  column->validity = validity;
  column->bits = validity ? g_bytes_get_data (validity, NULL) : NULL;
  column->dictionary = dictionary;
  column->n_words = dictionary ? g_strv_length (dictionary) : 0;
}

void
weft_table_builder_take_column (WeftTableBuilder *self, guint column, GBytes *data,
                                GBytes *validity, char **dictionary, guint n_rows)
{
  Column *taken = &g_array_index (self->table->columns, Column, column);

  g_assert (g_bytes_get_size (data) == n_rows * size_of_type (taken->type));
  g_assert (validity == NULL || g_bytes_get_size (validity) == (n_rows + 7) / 8);

  column_take (taken, data, validity, dictionary);
  self->table->n_rows = n_rows;
}

void
weft_table_builder_set_cursor (WeftTableBuilder *self, const char *cursor)
{
  g_free (self->table->cursor);
  self->table->cursor = g_strdup (cursor);
}

void
weft_table_builder_set_hint (WeftTableBuilder *self, const char *hint)
{
  g_free (self->table->hint);
  self->table->hint = g_strdup (hint);
}

static char **
steal_dictionary (Growing *growing)
{
  if (growing->dictionary == NULL)
    return NULL;
  g_ptr_array_add (growing->dictionary, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&growing->dictionary), FALSE);
}

WeftTable *
weft_table_builder_finish (WeftTableBuilder *self)
{
  WeftTable *table = g_steal_pointer (&self->table);

  for (guint i = 0; i < self->growing->len; i++)
    {
      Growing *growing = &g_array_index (self->growing, Growing, i);
      Column *column = &g_array_index (table->columns, Column, i);
      gboolean all = growing->n_valid == table->n_rows || column->type == WEFT_VALUE_ID;

      if (column->data == NULL)
        column_take (column, g_byte_array_free_to_bytes (g_steal_pointer (&growing->values)),
                     all ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&growing->bits)),
                     steal_dictionary (growing));
      g_assert (g_bytes_get_size (column->data) == table->n_rows * size_of_type (column->type));
    }
  weft_table_builder_free (self);
  return table;
}
