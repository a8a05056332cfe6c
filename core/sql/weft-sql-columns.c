/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-columns.h"

#include <string.h>

static gboolean
has_name (GArray *columns, const char *name)
{
  for (guint i = 0; i < columns->len; i++)
    if (strcmp (g_array_index (columns, WeftSqlColumn, i).name, name) == 0)
      return TRUE;
  return FALSE;
}

/* Takes SUMMARY. */
static void
add_hidden (GArray *columns, const char *name, const char *expression, WeftSqlForm form,
            const WeftSqlColumn *of, char *summary)
{
  WeftSqlColumn column = *of;

  if (has_name (columns, name))
    {
      g_free (summary);
      return;
    }
  column.name = g_intern_string (name);
  column.expression = g_intern_string (expression);
  column.form = form;
  column.summary = summary;
  column.is_hidden = TRUE;
  column.is_id = FALSE;
  g_array_append_val (columns, column);
}

/* Whether rows of a table go by a name. */
static gboolean
is_named (int table)
{
  return table == WEFT_TABLE_DISPATCHES ||
         (table >= 0 && weft_model_find_field ((WeftTableId) table, "name") != NULL);
}

/* A name that is a text, as the row has it or by what it refers to. */
static void
add_name (GArray *columns, const char *name, const char *expression, char *summary)
{
  const WeftSqlColumn text = { .type = WEFT_VALUE_STRING, .reference = -1, .is_nullable = TRUE };

  add_hidden (columns, name, expression, WEFT_SQL_VALUE, &text, summary);
}

static void
add_other_words (GArray *columns, const WeftField *field, const WeftSqlColumn *column)
{
  g_autofree char *name = g_strconcat (field->name, "_name", NULL);
  g_autofree char *path = g_strconcat (field->name, ".name", NULL);
  g_autofree char *handle =
      column->is_id ? g_strdup ("handle") : g_strconcat (field->name, "_handle", NULL);
  g_autofree char *code = g_strconcat (field->name, "_code", NULL);

  if (is_named (column->reference) && column->form == WEFT_SQL_VALUE)
    add_name (columns, name, path, g_strdup_printf ("Name of what `%s` refers to.", field->name));
  if (column->type == WEFT_VALUE_ID && column->prefix != NULL && column->form == WEFT_SQL_VALUE)
    add_hidden (columns, handle, field->name, WEFT_SQL_HANDLE, column,
                g_strdup_printf ("`%s` as a handle: `%s-1`, …", field->name, column->prefix));
  if (column->type == WEFT_VALUE_ENUM)
    add_hidden (columns, code, field->name, WEFT_SQL_CODE, column,
                g_strdup_printf ("`%s` as a number.", field->name));
}

/* Numbers that have no word are their own. */
static void
take_words (WeftSqlColumn *column)
{
  GEnumClass *klass = g_type_class_ref (column->enumeration ());
  const char **words = g_new0 (const char *, WEFT_SQL_N_WORDS);

  for (guint i = 0; i < WEFT_SQL_N_WORDS; i++)
    {
      GEnumValue *value = g_enum_get_value (klass, (int) i);
      char number[12];

      g_snprintf (number, sizeof number, "%u", i);
      words[i] = value != NULL ? value->value_nick : g_intern_string (number);
    }
  column->words = words;
  g_type_class_unref (klass);
}

static WeftSqlColumn
describe_field (const WeftTableModel *model, const WeftField *field)
{
  gboolean is_id = field->type == WEFT_VALUE_ID && strcmp (field->name, "id") == 0;
  WeftSqlColumn column = {
    .name = field->name,
    .expression = field->name,
    .summary = g_strdup (field->summary),
    .form = field->reference == WEFT_TABLE_BLOBS ? WEFT_SQL_BLOB : WEFT_SQL_VALUE,
    .type = field->type,
    .unit = field->unit,
    .reference = field->reference,
    .enumeration = field->enumeration,
    .is_nullable =
        field->nullable || field->type == WEFT_VALUE_STRING || field->type == WEFT_VALUE_ID,
    .is_id = is_id,
  };

  if (column.type == WEFT_VALUE_ENUM)
    take_words (&column);
  if (is_id)
    column.prefix = model->prefix;
  else if (field->reference >= 0)
    column.prefix = weft_model_get_table ((WeftTableId) field->reference)->prefix;
  return column;
}

static void
fill (WeftSqlColumns *self, WeftTableId table)
{
  const WeftTableModel *model = weft_model_get_table (table);
  GArray *columns = g_array_new (FALSE, FALSE, sizeof (WeftSqlColumn));

  for (guint i = 0; i < model->n_fields; i++)
    {
      WeftSqlColumn column = describe_field (model, &model->fields[i]);

      g_array_append_val (columns, column);
    }
  if (table == WEFT_TABLE_DISPATCHES)
    add_name (columns, "name", "name", g_strdup ("Its label, or else the name of its routine."));
  for (guint i = 0; i < model->n_fields; i++)
    {
      const WeftSqlColumn column = g_array_index (columns, WeftSqlColumn, i);

      add_other_words (columns, &model->fields[i], &column);
    }
  self->table = table;
  self->n_columns = columns->len;
  self->is_in_order = table != WEFT_TABLE_DISPATCHES;
  self->columns = (const WeftSqlColumn *) (gpointer) g_array_free (columns, FALSE);
}

const WeftSqlColumns *
weft_sql_columns_get (WeftTableId table)
{
  static WeftSqlColumns all[WEFT_N_TABLES];
  static gsize is_made;

  g_return_val_if_fail (table < WEFT_N_TABLES, NULL);

  if (g_once_init_enter (&is_made))
    {
      for (guint i = 0; i < WEFT_N_TABLES; i++)
        fill (&all[i], (WeftTableId) i);
      g_once_init_leave (&is_made, 1);
    }
  return &all[table];
}

int
weft_sql_columns_find (const WeftSqlColumns *self, const char *name)
{
  for (guint i = 0; i < self->n_columns; i++)
    if (g_ascii_strcasecmp (self->columns[i].name, name) == 0)
      return (int) i;
  return -1;
}

const char *
weft_sql_column_get_affinity (const WeftSqlColumn *self)
{
  switch (self->form)
    {
    case WEFT_SQL_CODE:
      return "INTEGER";
    case WEFT_SQL_HANDLE:
      return "TEXT";
    case WEFT_SQL_BLOB:
      return "BLOB";
    default:
      break;
    }
  switch (self->type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      return "TEXT";
    case WEFT_VALUE_DOUBLE:
      return "REAL";
    default:
      return "INTEGER";
    }
}

static const struct
{
  WeftValueType type;
  const char *declared;
} declarations[] = {
  { WEFT_VALUE_UINT64, "INTEGER UNSIGNED" },
  { WEFT_VALUE_TIME, "INTEGER TIME" },
  { WEFT_VALUE_DURATION, "INTEGER DURATION" },
  { WEFT_VALUE_BOOLEAN, "INTEGER BOOLEAN" },
  { WEFT_VALUE_ID, "INTEGER ID" },
  { WEFT_VALUE_INT64, "INTEGER" },
  { WEFT_VALUE_DOUBLE, "REAL" },
  { WEFT_VALUE_STRING, "TEXT" },
  { WEFT_VALUE_ENUM, "TEXT" },
};

const char *
weft_sql_type_declare (WeftValueType type, const char *prefix)
{
  g_autofree char *id = NULL;

  if (type == WEFT_VALUE_ID && prefix != NULL)
    {
      id = g_strconcat ("INTEGER ID ", prefix, NULL);
      return g_intern_string (id);
    }
  for (guint i = 0; i < G_N_ELEMENTS (declarations); i++)
    if (declarations[i].type == type)
      return declarations[i].declared;
  return "";
}

gboolean
weft_sql_type_read (const char *declared, WeftValueType *type, const char **prefix)
{
  *prefix = NULL;
  if (declared == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (declarations); i++)
    if (declarations[i].type != WEFT_VALUE_INT64 &&
        strcmp (declarations[i].declared, declared) == 0)
      {
        *type = declarations[i].type;
        return TRUE;
      }
  if (!g_str_has_prefix (declared, "INTEGER ID "))
    return FALSE;
  *type = WEFT_VALUE_ID;
  *prefix = g_intern_string (declared + strlen ("INTEGER ID "));
  return TRUE;
}

static const char *
declare_column (const WeftSqlColumn *column)
{
  return column->form == WEFT_SQL_VALUE ? weft_sql_type_declare (column->type, column->prefix)
                                        : weft_sql_column_get_affinity (column);
}

char *
weft_sql_columns_declare (const WeftSqlColumns *self)
{
  GString *text = g_string_new ("CREATE TABLE t(");

  for (guint i = 0; i < self->n_columns; i++)
    g_string_append_printf (text, "%s\"%s\" %s%s", i > 0 ? "," : "", self->columns[i].name,
                            declare_column (&self->columns[i]),
                            self->columns[i].is_hidden ? " HIDDEN" : "");
  g_string_append_c (text, ')');
  return g_string_free (text, FALSE);
}
