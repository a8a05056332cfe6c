/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-source.h"
#include "weft-table.h"

G_BEGIN_DECLS

/* Answers of the engine as virtual tables of SQLite. */

/* How one column of an answer appears in SQL. */
typedef struct
{
  char *name;
  const char *affinity; /* static */
  guint column;         /* of the answer */
  int counted_by;       /* column of the answer that counts its values: none is null; or -1 */
  gboolean is_code;     /* a word's number instead of the word */
} WeftSqlAnswerColumn;

typedef struct
{
  WeftTable *table;
  GArray *columns; /* WeftSqlAnswerColumn */
  guint32 *order;  /* of its rows; NULL: as they stand */
} WeftSqlAnswer;

/* Takes TABLE. */
WeftSqlAnswer *weft_sql_answer_new (WeftTable *table);
void weft_sql_answer_free (WeftSqlAnswer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSqlAnswer, weft_sql_answer_free)

GArray *weft_sql_answer_columns_new (void);
void weft_sql_answer_columns_add (GArray *columns, const char *name, const char *affinity,
                                  guint column, int counted_by, gboolean is_code);

/* Puts the rows in SQLite's order of the first N columns. */
void weft_sql_answer_sort (WeftSqlAnswer *self, guint n);

/* Makes the answer that one scan gives; NULL with an error. */
typedef WeftSqlAnswer *(*WeftSqlAnswerFunc) (WeftSqlSource *source, gconstpointer data,
                                             GError **error);

/* For tables that are there by name: DATA of the module. */
typedef struct
{
  WeftSqlSource *source;
  GArray *columns;       /* WeftSqlAnswerColumn, whose names and affinities are declared */
  WeftSqlAnswer *answer; /* of all scans; NULL: MAKE is asked for one by each */
  WeftSqlAnswerFunc make;
  gconstpointer data; /* static */
} WeftSqlAnswerTable;

extern const sqlite3_module weft_sql_answer_module;

/* Takes ANSWER. */
WeftSqlAnswerTable *weft_sql_answer_table_new (WeftSqlSource *source, WeftSqlAnswer *answer);
/* Takes COLUMNS. */
WeftSqlAnswerTable *weft_sql_answer_table_new_made (WeftSqlSource *source, GArray *columns,
                                                    WeftSqlAnswerFunc make, gconstpointer data);
void weft_sql_answer_table_free (gpointer self);

/* Declares the table to the connection and makes it; an SQLite code. TABLE is taken if OWNED. */
int weft_sql_answer_connect (sqlite3 *database, WeftSqlAnswerTable *table, gboolean owned,
                             sqlite3_vtab **made, char **error);

G_END_DECLS
