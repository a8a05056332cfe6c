/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-answer.h"

#include <string.h>

#include "weft-enum-types.h"

/* ---- Tables ---- */

WeftTableBuilder *
weft_answer_begin_table (const char *name, const WeftAnswerColumn *columns, guint n_columns)
{
  WeftTableBuilder *builder = weft_table_builder_new (name);

  for (guint i = 0; i < n_columns; i++)
    if (columns[i].enumeration != NULL)
      weft_table_builder_add_enum (builder, &columns[i].column, columns[i].enumeration ());
    else
      weft_table_builder_add_column (builder, &columns[i].column);
  return builder;
}

void
weft_answer_add_table (WeftReport *report, WeftTableBuilder *builder)
{
  g_autoptr (WeftTable) table = weft_table_builder_finish (builder);

  weft_report_append (report, table);
}

void
weft_answer_copy (WeftTableBuilder *builder, guint column, WeftRowCursor *row,
                  WeftColumnNumber number)
{
  if (!weft_row_cursor_has (row, number))
    return;
  switch (weft_row_cursor_get_type (row, number))
    {
    case WEFT_STORE_TYPE_STRING:
      weft_table_builder_set_string (builder, column, weft_row_cursor_get_string (row, number));
      break;
    case WEFT_STORE_TYPE_I64:
    case WEFT_STORE_TYPE_TIME:
      weft_table_builder_set_int64 (builder, column, weft_row_cursor_get_signed (row, number));
      break;
    case WEFT_STORE_TYPE_F64:
      weft_table_builder_set_double (builder, column, weft_row_cursor_get_double (row, number));
      break;
    default:
      weft_table_builder_set_uint64 (builder, column, weft_row_cursor_get (row, number));
    }
}

void
weft_answer_set_share (WeftTableBuilder *builder, guint column, guint64 part, guint64 whole)
{
  if (whole > 0)
    weft_table_builder_set_double (builder, column, 100.0 * (double) part / (double) whole);
}

void
weft_answer_set_thread (WeftTableBuilder *builder, guint first_column, WeftCatalog *catalog,
                        guint64 thread, guint64 tid)
{
  const WeftCatalogThread *found = weft_catalog_get_thread (catalog, (guint32) thread);
  const WeftCatalogProcess *process;

  weft_table_builder_set_uint64 (builder, first_column, thread);
  if (tid != 0 || found != NULL)
    weft_table_builder_set_uint64 (builder, first_column + 1, found ? found->tid : tid);
  if (found == NULL)
    return;
  weft_table_builder_set_string (builder, first_column + 2, found->name);
  weft_table_builder_set_uint64 (builder, first_column + 3, found->process);
  process = weft_catalog_get_process (catalog, found->process);
  if (process != NULL)
    weft_table_builder_set_string (builder, first_column + 4, process->name);
}

/* ---- Objects ---- */

static const struct
{
  WeftTableId table;
  const char *name;
} objects[] = {
  { WEFT_TABLE_DISPATCHES, "dispatch" },
  { WEFT_TABLE_SUBMISSIONS, "submission" },
  { WEFT_TABLE_ROUTINES, "routine" },
  { WEFT_TABLE_SOURCES, "source" },
  { WEFT_TABLE_TRACES, "trace" },
  { WEFT_TABLE_LANES, "lane" },
  { WEFT_TABLE_COUNTER_SETS, "counter set" },
  { WEFT_TABLE_COUNTERS, "counter" },
  { WEFT_TABLE_THREADS, "thread" },
};

static const char *
name_of (WeftTableId table)
{
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    if (objects[i].table == table)
      return objects[i].name;
  return weft_schema_table (table)->name;
}

/* "a dispatch (d-…) or a submission (s-…)" */
static char *
describe (const WeftTableId *tables, guint n_tables)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n_tables; i++)
    g_string_append_printf (text, "%sa %s (%s-…)",
                            i == 0             ? ""
                            : i + 1 < n_tables ? ", "
                                               : " or ",
                            name_of (tables[i]), weft_model_get_table (tables[i])->prefix);
  return g_string_free (text, FALSE);
}

static gboolean
parse_handle (const char *handle, const WeftTableId *tables, guint n_tables, WeftTableId *table,
              guint64 *id)
{
  const char *dash = strrchr (handle, '-');
  g_autofree char *prefix = dash ? g_strndup (handle, (gsize) (dash - handle)) : NULL;

  if (dash == NULL || !g_ascii_string_to_unsigned (dash + 1, 10, 1, G_MAXUINT64, id, NULL))
    return FALSE;
  *table = weft_model_find_prefix (prefix);
  for (guint i = 0; i < n_tables; i++)
    if (tables[i] == *table)
      return TRUE;
  return FALSE;
}

/* Traces have ids of their own, and those that have not ended may have no row yet. */
static gboolean
trace_exists (const WeftAnalysisScope *scope, guint64 id, GError **error)
{
  g_autoptr (WeftRowCursor) traces = weft_row_cursor_new (scope, WEFT_TABLE_TRACES);
  g_autoptr (WeftRowCursor) dispatches = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);

  weft_row_cursor_where (traces, WEFT_TRACES_ID, id);
  weft_row_cursor_where (dispatches, WEFT_DISPATCHES_TRACE, id);
  if (weft_row_cursor_next (traces) || weft_row_cursor_next (dispatches))
    return TRUE;
  if (weft_row_cursor_finish (traces, error) && weft_row_cursor_finish (dispatches, error))
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                 "There is no trace “tr-%" G_GUINT64_FORMAT "” in this recording", id);
  return FALSE;
}

static gboolean
object_exists (const WeftAnalysisScope *scope, WeftTableId table, guint64 id, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, table);

  if (table == WEFT_TABLE_TRACES)
    return trace_exists (scope, id, error);
  if (weft_row_cursor_seek (rows, id))
    return TRUE;
  if (weft_row_cursor_finish (rows, error))
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                 "There is no %s “%s”: this recording has %" G_GUINT64_FORMAT " of them",
                 name_of (table), scope->handle, weft_store_get_n_rows (scope->store, table));
  return FALSE;
}

gboolean
weft_answer_find_object (const WeftAnalysisScope *scope, const WeftTableId *tables, guint n_tables,
                         WeftTableId *table, guint64 *id, GError **error)
{
  g_autofree char *expected = describe (tables, n_tables);

  if (scope->handle == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "Say which one: this asks about %s",
                   expected);
      return FALSE;
    }
  if (!parse_handle (scope->handle, tables, n_tables, table, id))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT, "“%s” is not the handle of %s",
                   scope->handle, expected);
      return FALSE;
    }
  return object_exists (scope, *table, *id, error);
}

/* ---- Words ---- */

const char *
weft_answer_get_unit (guint64 unit, const char *unit_name)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (WEFT_TYPE_UNIT);
  const GEnumValue *value;

  if (unit == WEFT_UNIT_NAMED)
    return unit_name;
  value = unit == WEFT_UNIT_NONE || unit > G_MAXINT ? NULL : g_enum_get_value (klass, (int) unit);
  /* Texts of enumerations are there forever. */
  return value ? value->value_nick : NULL;
}

const char *
weft_answer_get_error (WeftRowCursor *errors, guint64 error)
{
  const char *message;

  if (error == 0 || !weft_row_cursor_seek (errors, error))
    return NULL;
  message = weft_row_cursor_get_string (errors, WEFT_ERRORS_MESSAGE);
  return message ? message : weft_row_cursor_get_string (errors, WEFT_ERRORS_NAME);
}
