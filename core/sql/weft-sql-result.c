/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-result.h"

#include <string.h>

#include "weft-error.h"
#include "weft-sql-columns.h"
#include "weft-table-builder.h"

typedef struct
{
  char *name;
  gboolean is_declared; /* TYPE and PREFIX are known from what is selected */
  WeftValueType type;
  const char *prefix;
  gboolean is_time; /* in nanoseconds, as aggregates of times and durations are */

  GArray *bits;      /* guint64: a number, or a place in TEXTS */
  GByteArray *kinds; /* of SQLite */
  guint seen;        /* a bit for each kind that came */
  gboolean has_negative;
  GPtrArray *texts;
  GHashTable *places; /* of texts */
} Column;

struct _WeftSqlResult
{
  guint n_columns;
  Column *columns;
  guint n_rows;
  guint64 memory;
  guint64 memory_limit;
};

#define SEEN(kind) (1u << (kind))

/* Members of JSON objects are told apart by their names. */
static char *
choose_name (const WeftSqlResult *self, guint column, const char *name)
{
  char *chosen = g_strdup (name != NULL && *name != '\0' ? name : "column");
  guint again = 1;

  for (guint i = 0; i < column; i++)
    if (strcmp (self->columns[i].name, chosen) == 0)
      {
        g_free (chosen);
        chosen = g_strdup_printf ("%s_%u", name, ++again);
        i = G_MAXUINT;
      }
  return chosen;
}

WeftSqlResult *
weft_sql_result_new (sqlite3_stmt *statement, guint64 memory_limit)
{
  WeftSqlResult *self = g_new0 (WeftSqlResult, 1);

  self->n_columns = (guint) sqlite3_column_count (statement);
  self->columns = g_new0 (Column, self->n_columns + 1);
  self->memory_limit = memory_limit;
  for (guint i = 0; i < self->n_columns; i++)
    {
      Column *column = &self->columns[i];

      column->name = choose_name (self, i, sqlite3_column_name (statement, (int) i));
      column->is_declared = weft_sql_type_read (sqlite3_column_decltype (statement, (int) i),
                                                &column->type, &column->prefix);
      column->is_time =
          g_strcmp0 (sqlite3_column_decltype (statement, (int) i), WEFT_SQL_MEAN_TIME) == 0;
      column->bits = g_array_new (FALSE, FALSE, sizeof (guint64));
      column->kinds = g_byte_array_new ();
      column->texts = g_ptr_array_new_with_free_func (g_free);
      column->places = g_hash_table_new (g_str_hash, g_str_equal);
    }
  return self;
}

void
weft_sql_result_free (WeftSqlResult *self)
{
  for (guint i = 0; i < self->n_columns; i++)
    {
      Column *column = &self->columns[i];

      g_free (column->name);
      g_clear_pointer (&column->bits, g_array_unref);
      g_byte_array_unref (column->kinds);
      g_clear_pointer (&column->texts, g_ptr_array_unref);
      g_hash_table_unref (column->places);
    }
  g_free (self->columns);
  g_free (self);
}

void
weft_sql_result_set_type (WeftSqlResult *self, guint column, WeftValueType type)
{
  self->columns[column].is_declared = TRUE;
  self->columns[column].type = type;
  self->columns[column].is_time = TRUE;
}

/* ---- Taking rows ---- */

/* Takes TEXT. */
static guint64
take_text (WeftSqlResult *self, Column *column, char *text)
{
  gpointer place;

  if (g_hash_table_lookup_extended (column->places, text, NULL, &place))
    {
      g_free (text);
      return GPOINTER_TO_UINT (place);
    }
  self->memory += strlen (text) + 64;
  g_hash_table_insert (column->places, text, GUINT_TO_POINTER (column->texts->len));
  g_ptr_array_add (column->texts, text);
  return column->texts->len - 1;
}

static char *
read_text (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return g_utf8_make_valid (text != NULL ? text : "",
                            text != NULL ? sqlite3_column_bytes (statement, column) : 0);
}

static char *
read_blob (sqlite3_stmt *statement, int column)
{
  const guint8 *bytes = sqlite3_column_blob (statement, column);
  int size = sqlite3_column_bytes (statement, column);
  GString *text = g_string_sized_new ((gsize) size * 2 + 4);

  g_string_append (text, "X'");
  for (int i = 0; i < size; i++)
    g_string_append_printf (text, "%02X", bytes[i]);
  g_string_append_c (text, '\'');
  return g_string_free (text, FALSE);
}

static guint64
read_value (WeftSqlResult *self, Column *column, sqlite3_stmt *statement, int number, int kind)
{
  gint64 integer;
  double real;
  guint64 bits;

  switch (kind)
    {
    case SQLITE_INTEGER:
      integer = sqlite3_column_int64 (statement, number);
      column->has_negative |= integer < 0;
      return (guint64) integer;
    case SQLITE_FLOAT:
      real = sqlite3_column_double (statement, number);
      memcpy (&bits, &real, sizeof bits);
      return bits;
    case SQLITE_TEXT:
      return take_text (self, column, read_text (statement, number));
    case SQLITE_BLOB:
      return take_text (self, column, read_blob (statement, number));
    default:
      return 0;
    }
}

gboolean
weft_sql_result_take (WeftSqlResult *self, sqlite3_stmt *statement, GError **error)
{
  for (guint i = 0; i < self->n_columns; i++)
    {
      Column *column = &self->columns[i];
      int type = sqlite3_column_type (statement, (int) i);
      guint8 kind = (guint8) type;
      guint64 bits = read_value (self, column, statement, (int) i, type);

      column->seen |= SEEN (kind);
      g_array_append_val (column->bits, bits);
      g_byte_array_append (column->kinds, &kind, 1);
    }
  self->n_rows++;
  self->memory += 16 * (guint64) self->n_columns;
  if (self->memory <= self->memory_limit)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
               "The answer is larger than %" G_GUINT64_FORMAT
               " MiB after %u rows: add a LIMIT or a WHERE",
               self->memory_limit >> 20, self->n_rows);
  return FALSE;
}

/* ---- Making the table ---- */

static WeftValueType
choose_type (const Column *column)
{
  gboolean is_text = column->seen & (SEEN (SQLITE_TEXT) | SEEN (SQLITE_BLOB));
  gboolean is_real = column->seen & SEEN (SQLITE_FLOAT);

  if (is_text)
    return WEFT_VALUE_STRING;
  if (is_real)
    return WEFT_VALUE_DOUBLE;
  if (!column->is_declared)
    return WEFT_VALUE_INT64;
  switch (column->type)
    {
    case WEFT_VALUE_UINT64:
    case WEFT_VALUE_DURATION:
    case WEFT_VALUE_ID:
      return column->has_negative ? WEFT_VALUE_INT64 : column->type;
    default:
      return column->seen & SEEN (SQLITE_INTEGER) &&
                     (column->type == WEFT_VALUE_STRING || column->type == WEFT_VALUE_DOUBLE)
                 ? WEFT_VALUE_INT64
                 : column->type;
    }
}

static char *
print_number (guint64 bits, int kind)
{
  double real;
  char *printed;
  char *text;

  if (kind == SQLITE_INTEGER)
    return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) bits);
  memcpy (&real, &bits, sizeof real);
  printed = sqlite3_mprintf ("%!.15g", real);
  text = g_strdup (printed != NULL ? printed : "");
  sqlite3_free (printed);
  return text;
}

static GBytes *
pack_texts (WeftSqlResult *self, Column *column)
{
  guint32 *packed = g_new0 (guint32, (gsize) self->n_rows + 1);

  for (guint i = 0; i < self->n_rows; i++)
    {
      guint8 kind = column->kinds->data[i];
      guint64 bits = g_array_index (column->bits, guint64, i);

      if (kind == SQLITE_INTEGER || kind == SQLITE_FLOAT)
        bits = take_text (self, column, print_number (bits, kind));
      packed[i] = kind == SQLITE_NULL ? 0 : (guint32) bits;
    }
  g_ptr_array_add (column->texts, NULL);
  return g_bytes_new_take (packed, (gsize) self->n_rows * sizeof packed[0]);
}

static GBytes *
pack_booleans (const WeftSqlResult *self, const Column *column)
{
  guint8 *packed = g_new0 (guint8, (gsize) self->n_rows + 1);

  for (guint i = 0; i < self->n_rows; i++)
    packed[i] = g_array_index (column->bits, guint64, i) != 0;
  return g_bytes_new_take (packed, self->n_rows);
}

static GBytes *
pack_numbers (const WeftSqlResult *self, Column *column, WeftValueType type)
{
  guint64 *bits = (guint64 *) (gpointer) column->bits->data;
  gsize size = (gsize) self->n_rows * sizeof bits[0];

  for (guint i = 0; i < self->n_rows && type == WEFT_VALUE_DOUBLE; i++)
    if (column->kinds->data[i] == SQLITE_INTEGER)
      {
        double real = (double) (gint64) bits[i];

        memcpy (&bits[i], &real, sizeof real);
      }
  return g_bytes_new_take (g_array_free (g_steal_pointer (&column->bits), FALSE), size);
}

static GBytes *
pack_nulls (const WeftSqlResult *self, const Column *column, WeftValueType type)
{
  guint8 *valid;

  if (type == WEFT_VALUE_ID || !(column->seen & SEEN (SQLITE_NULL)))
    return NULL;
  valid = g_malloc0 (self->n_rows / 8 + 1);
  for (guint i = 0; i < self->n_rows; i++)
    if (column->kinds->data[i] != SQLITE_NULL)
      valid[i / 8] |= (guint8) (1u << (i % 8));
  return g_bytes_new_take (valid, (self->n_rows + 7) / 8);
}

static WeftTableColumn
describe_column (const Column *column)
{
  WeftValueType type = choose_type (column);

  return (WeftTableColumn){ .name = column->name,
                            .title = column->name,
                            .type = type,
                            .unit = type == WEFT_VALUE_DOUBLE && column->is_time ? "ns" : NULL,
                            .prefix = type == WEFT_VALUE_ID ? column->prefix : NULL };
}

static void
fill_column (WeftSqlResult *self, guint number, WeftTableBuilder *builder)
{
  Column *column = &self->columns[number];
  WeftValueType type = choose_type (column);
  char **dictionary = NULL;
  GBytes *data;

  if (type == WEFT_VALUE_STRING)
    {
      data = pack_texts (self, column);
      g_hash_table_remove_all (column->places);
      dictionary = (char **) g_ptr_array_free (g_steal_pointer (&column->texts), FALSE);
    }
  else if (type == WEFT_VALUE_BOOLEAN)
    data = pack_booleans (self, column);
  else
    data = pack_numbers (self, column, type);
  weft_table_builder_take_column (builder, number, data, pack_nulls (self, column, type),
                                  dictionary, self->n_rows);
}

WeftTable *
weft_sql_result_finish (WeftSqlResult *self)
{
  g_autoptr (WeftTableBuilder) builder = weft_table_builder_new ("sql");

  for (guint i = 0; i < self->n_columns; i++)
    {
      const WeftTableColumn column = describe_column (&self->columns[i]);

      weft_table_builder_add_column (builder, &column);
    }
  for (guint i = 0; i < self->n_columns; i++)
    fill_column (self, i, builder);
  return weft_table_builder_finish (g_steal_pointer (&builder));
}
