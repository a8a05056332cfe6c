/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-report.h"

#include <json-glib/json-glib.h>
#include <math.h>

/**
 * WeftReport:
 *
 * An answer of one or several tables, the main one first.
 *
 * As a list model it consists of its [class@Table]s.
 *
 * Since: 0.1
 */
struct _WeftReport
{
  GObject parent_instance;

  char *name;
  gboolean single;
  GListStore *tables;
};

static void weft_report_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftReport, weft_report, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weft_report_list_model_init))

static GType
weft_report_get_item_type (GListModel *list)
{
  return WEFT_TYPE_TABLE;
}

static guint
weft_report_get_n_items (GListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (WEFT_REPORT (list)->tables));
}

static gpointer
weft_report_get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (WEFT_REPORT (list)->tables), position);
}

static void
weft_report_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weft_report_get_item_type;
  interface->get_n_items = weft_report_get_n_items;
  interface->get_item = weft_report_get_item;
}

static void
weft_report_finalize (GObject *object)
{
  WeftReport *self = WEFT_REPORT (object);

  g_free (self->name);
  g_object_unref (self->tables);

  G_OBJECT_CLASS (weft_report_parent_class)->finalize (object);
}

static void
weft_report_class_init (WeftReportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_report_finalize;
}

static void
weft_report_init (WeftReport *self)
{
  self->tables = g_list_store_new (WEFT_TYPE_TABLE);
}

/**
 * weft_report_new:
 * @name: what was asked, such as `target-top`
 * @single: whether the main table has one row, which is the answer
 *
 * Returns: (transfer full): a report without tables
 *
 * Since: 0.1
 */
WeftReport *
weft_report_new (const char *name, gboolean single)
{
  WeftReport *self;

  g_return_val_if_fail (name != NULL, NULL);

  self = g_object_new (WEFT_TYPE_REPORT, NULL);
  self->name = g_strdup (name);
  self->single = single;
  return self;
}

/**
 * weft_report_append:
 * @self: a report
 * @table: a table; the first one is the main one
 *
 * Adds a table. The tables behind the main one are members of the same object as its answer: none
 * has the name of another, and in a single answer none that of a column of the main table.
 *
 * Since: 0.1
 */
void
weft_report_append (WeftReport *self, WeftTable *table)
{
  g_return_if_fail (WEFT_IS_REPORT (self));
  g_return_if_fail (WEFT_IS_TABLE (table));
  g_return_if_fail (weft_report_get_table (self, weft_table_get_name (table)) == NULL);
  g_return_if_fail (!self->single || weft_report_get_main_table (self) == NULL
                    || weft_table_find_column (weft_report_get_main_table (self),
                                               weft_table_get_name (table))
                           < 0);

  g_list_store_append (self->tables, table);
}

/**
 * weft_report_get_name:
 * @self: a report
 *
 * Returns: (transfer none): what was asked
 *
 * Since: 0.1
 */
const char *
weft_report_get_name (WeftReport *self)
{
  g_return_val_if_fail (WEFT_IS_REPORT (self), NULL);

  return self->name;
}

/**
 * weft_report_is_single:
 * @self: a report
 *
 * Returns: whether the answer is the one row of the main table, with the other tables as its parts
 *
 * Since: 0.1
 */
gboolean
weft_report_is_single (WeftReport *self)
{
  g_return_val_if_fail (WEFT_IS_REPORT (self), FALSE);

  return self->single;
}

/**
 * weft_report_get_table:
 * @self: a report
 * @name: name of a table
 *
 * Returns: (transfer none) (nullable): the table called @name
 *
 * Since: 0.1
 */
WeftTable *
weft_report_get_table (WeftReport *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_REPORT (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  for (guint i = 0; i < weft_report_get_n_items (G_LIST_MODEL (self)); i++)
    {
      g_autoptr (WeftTable) table = g_list_model_get_item (G_LIST_MODEL (self->tables), i);

      /* The report holds it. */
      if (g_str_equal (weft_table_get_name (table), name))
        return table;
    }
  return NULL;
}

/**
 * weft_report_get_main_table:
 * @self: a report
 *
 * Returns: (transfer none) (nullable): the first table
 *
 * Since: 0.1
 */
WeftTable *
weft_report_get_main_table (WeftReport *self)
{
  g_autoptr (WeftTable) table = NULL;

  g_return_val_if_fail (WEFT_IS_REPORT (self), NULL);

  table = g_list_model_get_item (G_LIST_MODEL (self->tables), 0);
  return table;
}

/* ---- JSON ---- */

static void
add_value (JsonBuilder *builder, WeftTable *table, guint column, guint row)
{
  double number;
  g_autofree char *text = NULL;

  if (weft_table_is_null (table, column, row))
    {
      json_builder_add_null_value (builder);
      return;
    }
  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_BOOLEAN:
      json_builder_add_boolean_value (builder, weft_table_get_boolean (table, column, row));
      return;
    case WEFT_VALUE_DOUBLE:
      number = weft_table_get_double (table, column, row);
      if (isfinite (number))
        json_builder_add_double_value (builder, number);
      else
        json_builder_add_null_value (builder);
      return;
    case WEFT_VALUE_UINT64:
    case WEFT_VALUE_DURATION:
      /* JSON readers know signed numbers. */
      json_builder_add_int_value (
          builder, (gint64) MIN (weft_table_get_uint64 (table, column, row), (guint64) G_MAXINT64));
      return;
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      json_builder_add_int_value (builder, weft_table_get_int64 (table, column, row));
      return;
    default:
      text = weft_table_get_text (table, column, row);
      json_builder_add_string_value (builder, text);
    }
}

/* JSON allows the control characters above 0x7e, and those that turn the direction of text, as they
 * are; terminals obey them.
 */
static void
append_escaped (GString *text, const char *json)
{
  for (; *json; json = g_utf8_next_char (json))
    {
      gunichar c = g_utf8_get_char (json);

      if ((c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        g_string_append_printf (text, "\\u%04x", c);
      else
        g_string_append_unichar (text, c);
    }
}

static void
append_node (GString *text, JsonNode *node)
{
  g_autofree char *json = json_to_string (node, FALSE);

  append_escaped (text, json);
}

static void
append_string (GString *text, const char *value)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), value);

  append_node (text, node);
}

/* The row as an object; the last brace is left out where MORE members follow. */
static void
append_row (GString *text, WeftTable *table, guint row, gboolean more)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  for (guint i = 0; i < weft_table_get_n_columns (table); i++)
    {
      json_builder_set_member_name (builder, weft_table_get_column_name (table, i));
      add_value (builder, table, i, row);
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  append_node (text, root);
  if (more)
    g_string_truncate (text, text->len - 1);
}

/* Written one object at a time: a tree of all of them would take many times what its text takes. */
typedef struct
{
  GOutputStream *stream;
  GCancellable *cancellable;
  GString *text; /* not written yet */
} JsonWriter;

#define WRITE_AT 65536

static gboolean
write_pending (JsonWriter *writer, gsize at, GError **error)
{
  if (writer->text->len < at)
    return TRUE;
  if (!g_output_stream_write_all (writer->stream, writer->text->str, writer->text->len, NULL,
                                  writer->cancellable, error))
    return FALSE;
  g_string_truncate (writer->text, 0);
  return TRUE;
}

static gboolean
write_rows (JsonWriter *writer, WeftTable *table, GError **error)
{
  g_string_append_c (writer->text, '[');
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      if (row > 0)
        g_string_append_c (writer->text, ',');
      append_row (writer->text, table, row, FALSE);
      if (!write_pending (writer, WRITE_AT, error))
        return FALSE;
    }
  g_string_append_c (writer->text, ']');
  return TRUE;
}

static void
append_member (GString *text, const char *name, const char *value)
{
  if (value == NULL)
    return;
  g_string_append_c (text, ',');
  append_string (text, name);
  g_string_append_c (text, ':');
  append_string (text, value);
}

/* The tables behind the main one, as members of the object that is open. */
static gboolean
write_parts (JsonWriter *writer, WeftReport *self, GError **error)
{
  for (guint i = 1; i < weft_report_get_n_items (G_LIST_MODEL (self)); i++)
    {
      g_autoptr (WeftTable) table = g_list_model_get_item (G_LIST_MODEL (self->tables), i);

      g_string_append_c (writer->text, ',');
      append_string (writer->text, weft_table_get_name (table));
      g_string_append_c (writer->text, ':');
      if (!write_rows (writer, table, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_report (JsonWriter *writer, WeftReport *self, WeftTable *main_table, GError **error)
{
  g_autofree char *schema = g_strdup_printf ("weft.%s/1", self->name);

  g_string_append (writer->text, "{\"schema\":");
  append_string (writer->text, schema);
  g_string_append (writer->text, self->single ? ",\"value\":" : ",\"rows\":");
  if (self->single)
    append_row (writer->text, main_table, 0, TRUE);
  else if (!write_rows (writer, main_table, error))
    return FALSE;
  if (!write_parts (writer, self, error))
    return FALSE;
  if (self->single)
    g_string_append_c (writer->text, '}');
  append_member (writer->text, "cursor", weft_table_get_cursor (main_table));
  append_member (writer->text, "hint", weft_table_get_hint (main_table));
  g_string_append (writer->text, "}\n");
  return write_pending (writer, 0, error);
}

/**
 * weft_report_write_json:
 * @self: a report with at least one table
 * @stream: where to
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes the report as one line with one JSON object, `{ "schema": "weft.NAME/1", "rows": […] }`,
 * or with a member `value` for a single answer. Further tables are members by their names: beside
 * `rows`, or within `value`. Times, durations and sizes are numbers of nanoseconds and bytes, ids
 * are handles. The members `cursor` and `hint` are there where the main table has them.
 *
 * Returns: whether all was written
 *
 * Since: 0.1
 */
gboolean
weft_report_write_json (WeftReport *self, GOutputStream *stream, GCancellable *cancellable,
                        GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  JsonWriter writer = { stream, cancellable, text };
  WeftTable *main_table;

  g_return_val_if_fail (WEFT_IS_REPORT (self), FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  main_table = weft_report_get_main_table (self);
  g_return_val_if_fail (main_table != NULL, FALSE);
  g_return_val_if_fail (!self->single || weft_table_get_n_rows (main_table) == 1, FALSE);

  return write_report (&writer, self, main_table, error);
}

/**
 * weft_report_to_json:
 * @self: a report with at least one table
 *
 * What [method@Report.write_json] writes.
 *
 * Returns: (transfer full): one line of JSON with its line feed
 *
 * Since: 0.1
 */
char *
weft_report_to_json (WeftReport *self)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();

  if (!weft_report_write_json (self, stream, NULL, NULL) ||
      !g_output_stream_write_all (stream, "", 1, NULL, NULL, NULL) ||
      !g_output_stream_close (stream, NULL, NULL))
    return NULL;
  return g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (stream));
}
