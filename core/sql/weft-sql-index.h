/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"
#include "weft-run.h"

G_BEGIN_DECLS

/* The rows of a table by the value of a column: what SQLite makes of tables of its own for a join,
 * and cannot make of others'.
 */
typedef struct _WeftSqlIndex WeftSqlIndex;

typedef struct
{
  guint64 value;
  guint32 chunk;
  guint32 row;
} WeftSqlIndexEntry;

/* Rows that an index may have at most. */
#define WEFT_SQL_INDEX_MAX_ROWS (G_GUINT64_CONSTANT (1) << 25)

/* EXPRESSION is bound. Rows without a value are left out. NULL with an error. */
WeftSqlIndex *weft_sql_index_new (WeftRun *run, WeftTableId table, const WeftExpression *expression,
                                  GError **error);
void weft_sql_index_free (WeftSqlIndex *self);

/* The rows that have VALUE, as they lie in the file. */
const WeftSqlIndexEntry *weft_sql_index_find (const WeftSqlIndex *self, guint64 value, gsize *n);

G_END_DECLS
