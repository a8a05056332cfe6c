/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-source.h"

G_BEGIN_DECLS

/* A table of a recording as a virtual table of SQLite. */

/* For tables that are there by name: DATA is a WeftSqlRowsTable. */
extern const sqlite3_module weft_sql_rows_module;

typedef struct
{
  WeftSqlSource *source;
  WeftTableId table;
} WeftSqlRowsTable;

WeftSqlRowsTable *weft_sql_rows_table_new (WeftSqlSource *source, WeftTableId table);
void weft_sql_rows_table_free (gpointer self);

/* Declares the table to the connection and makes it; an SQLite code. */
int weft_sql_rows_connect (sqlite3 *database, WeftSqlSource *source, WeftTableId table,
                           sqlite3_vtab **made, char **error);

G_END_DECLS
