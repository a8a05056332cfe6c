/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-connection.h"

#include <string.h>

#include "weft-sql-functions.h"
#include "weft-sql-rows.h"
#include "weft-sql-summaries.h"
#include "weft-sql-views.h"
#include "weft-table-builder.h"

/* ---- Lists ---- */

static void
list_table (WeftTableBuilder *builder, const char *name, const char *kind, int number,
            const char *summary)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, name);
  weft_table_builder_set_string (builder, 1, kind);
  if (number >= 0)
    weft_table_builder_set_uint64 (builder, 2, (guint64) number);
  weft_table_builder_set_string (builder, 3, summary);
}

WeftTable *
weft_sql_connection_list_tables (void)
{
  static const WeftTableColumn columns[] = {
    { .name = "name", .type = WEFT_VALUE_STRING },
    { .name = "kind", .type = WEFT_VALUE_STRING },
    { .name = "number", .type = WEFT_VALUE_UINT64 },
    { .name = "summary", .type = WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("sql-tables");
  guint n;
  const WeftSqlSummary *summaries;
  const WeftSqlView *views;

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    list_table (builder, weft_model_get_table ((WeftTableId) i)->name, "table", (int) i,
                weft_model_get_table ((WeftTableId) i)->summary);
  summaries = weft_sql_summaries_get (&n);
  for (guint i = 0; i < n; i++)
    list_table (builder, summaries[i].name, "summary", -1, summaries[i].summary);
  views = weft_sql_views_get (&n);
  for (guint i = 0; i < n; i++)
    list_table (builder, views[i].name, "view", -1, views[i].summary);
  return weft_table_builder_finish (builder);
}

static void
list_column (WeftTableBuilder *builder, const char *table, const char *name,
             const WeftSqlColumn *column)
{
  gboolean is_time = column->type == WEFT_VALUE_TIME || column->type == WEFT_VALUE_DURATION;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, table);
  weft_table_builder_set_string (builder, 1, name);
  weft_table_builder_set_string (builder, 2, weft_sql_column_get_affinity (column));
  weft_table_builder_set_string (builder, 3, is_time ? "ns" : column->unit);
  if (column->reference >= 0)
    weft_table_builder_set_string (builder, 4,
                                   weft_model_get_table ((WeftTableId) column->reference)->name);
  weft_table_builder_set_uint64 (builder, 5, column->is_hidden);
  weft_table_builder_set_string (builder, 6, column->summary);
}

WeftTable *
weft_sql_connection_list_columns (void)
{
  static const WeftTableColumn columns[] = {
    { .name = "table", .type = WEFT_VALUE_STRING },
    { .name = "name", .type = WEFT_VALUE_STRING },
    { .name = "type", .type = WEFT_VALUE_STRING },
    { .name = "unit", .type = WEFT_VALUE_STRING },
    { .name = "reference", .type = WEFT_VALUE_STRING },
    { .name = "hidden", .type = WEFT_VALUE_BOOLEAN },
    { .name = "summary", .type = WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("sql-columns");

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      const WeftSqlColumns *of = weft_sql_columns_get ((WeftTableId) i);

      for (guint c = 0; c < of->n_columns; c++)
        list_column (builder, weft_model_get_table (of->table)->name, of->columns[c].name,
                     &of->columns[c]);
    }
  return weft_table_builder_finish (builder);
}

WeftSqlAnswerTable *
weft_sql_connection_table_new (WeftSqlSource *source, WeftTable *table)
{
  WeftSqlAnswer *answer = weft_sql_answer_new (table);

  for (guint i = 0; i < weft_table_get_n_columns (table); i++)
    weft_sql_answer_columns_add (
        answer->columns, weft_table_get_column_name (table, i),
        weft_table_get_column_type (table, i) == WEFT_VALUE_STRING ? "TEXT" : "INTEGER", i, -1,
        FALSE);
  return weft_sql_answer_table_new (source, answer);
}

/* ---- A connection of our own ---- */

static int
add_answer (sqlite3 *database, const char *name, WeftSqlAnswerTable *table)
{
  const sqlite3_api_routines *sqlite3_api = table->source->api;

  return sqlite3_create_module_v2 (database, name, &weft_sql_answer_module, table,
                                   weft_sql_answer_table_free);
}

static int
add_tables (sqlite3 *database, WeftSqlSource *source)
{
  const sqlite3_api_routines *sqlite3_api = source->api;
  int status = SQLITE_OK;
  guint n;
  const WeftSqlSummary *summaries = weft_sql_summaries_get (&n);

  for (guint i = 0; i < WEFT_N_TABLES && status == SQLITE_OK; i++)
    status = sqlite3_create_module_v2 (
        database, weft_model_get_table ((WeftTableId) i)->name, &weft_sql_rows_module,
        weft_sql_rows_table_new (source, (WeftTableId) i), weft_sql_rows_table_free);
  for (guint i = 0; i < n && status == SQLITE_OK; i++)
    status = add_answer (database, summaries[i].name,
                         weft_sql_summary_table_new (source, &summaries[i]));
  if (status == SQLITE_OK)
    status =
        add_answer (database, "weft_tables",
                    weft_sql_connection_table_new (source, weft_sql_connection_list_tables ()));
  if (status == SQLITE_OK)
    status =
        add_answer (database, "weft_columns",
                    weft_sql_connection_table_new (source, weft_sql_connection_list_columns ()));
  return status;
}

int
weft_sql_connection_add_views (sqlite3 *database, const sqlite3_api_routines *api,
                               const char *prefix)
{
  const sqlite3_api_routines *sqlite3_api = api;
  int status = SQLITE_OK;
  guint n;
  const WeftSqlView *views = weft_sql_views_get (&n);

  for (guint i = 0; i < n && status == SQLITE_OK; i++)
    {
      g_autofree char *text = weft_sql_view_create (&views[i], prefix);

      status = sqlite3_exec (database, text, NULL, NULL, NULL);
    }
  return status;
}

int
weft_sql_connection_add (sqlite3 *database, WeftSqlSource *source)
{
  int status = weft_sql_functions_register (database, source->api);

  if (status == SQLITE_OK)
    status = add_tables (database, source);
  return status == SQLITE_OK ? weft_sql_connection_add_views (database, source->api, "") : status;
}
