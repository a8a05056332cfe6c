/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-answer.h"

G_BEGIN_DECLS

/* Makes the tables, views and functions of a recording known to a connection. */

/* Under their own names, without a trace in its schema but for views; an SQLite code. */
int weft_sql_connection_add (sqlite3 *database, WeftSqlSource *source);

/* The views, over tables whose names have a PREFIX; an SQLite code. */
int weft_sql_connection_add_views (sqlite3 *database, const sqlite3_api_routines *api,
                                   const char *prefix);

/* A table as one of the connection's. Takes TABLE. */
WeftSqlAnswerTable *weft_sql_connection_table_new (WeftSqlSource *source, WeftTable *table);

/* The tables, summaries and views: name, kind, summary. A number where rows name tables by it. */
WeftTable *weft_sql_connection_list_tables (void);
/* All their columns: table, name, type, unit, reference, hidden, summary. */
WeftTable *weft_sql_connection_list_columns (void);

G_END_DECLS
