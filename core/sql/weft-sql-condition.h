/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-predicate.h"
#include "weft-sql-columns.h"

G_BEGIN_DECLS

/* Comparisons of columns with values, as SQL means them, made into predicates of the engine. */

typedef enum
{
  WEFT_SQL_EQ,
  WEFT_SQL_NE,
  WEFT_SQL_LT,
  WEFT_SQL_LE,
  WEFT_SQL_GT,
  WEFT_SQL_GE,
  WEFT_SQL_IS_NULL,
  WEFT_SQL_NOT_NULL,
  WEFT_SQL_LIKE,
  WEFT_SQL_NOT_LIKE,
  WEFT_SQL_GLOB,
  WEFT_SQL_NOT_GLOB,
} WeftSqlOperator;

typedef enum
{
  WEFT_SQL_NULL,
  WEFT_SQL_INTEGER,
  WEFT_SQL_REAL,
  WEFT_SQL_TEXT,
  WEFT_SQL_BYTES,
} WeftSqlKind;

typedef struct
{
  WeftSqlKind kind;
  gint64 integer;
  double real;
  char *text; /* owned */
} WeftSqlScalar;

void weft_sql_scalar_clear (WeftSqlScalar *self);

/* What LIKE and GLOB mean is SQLite's to say: 0 is a match. */
typedef struct
{
  int (*like) (const char *pattern, const char *text, unsigned int escape);
  int (*glob) (const char *pattern, const char *text);
} WeftSqlPatterns;

/* The conditions of one scan; what they hold on to outlives their predicates. */
typedef struct
{
  WeftStore *store;
  const WeftSqlColumns *columns;
  WeftSqlPatterns patterns;
  GPtrArray *matches; /* of WeftFilterMatch */
  GPtrArray *tests;
} WeftSqlConditions;

void weft_sql_conditions_init (WeftSqlConditions *self, WeftStore *store,
                               const WeftSqlColumns *columns, const WeftSqlPatterns *patterns);
void weft_sql_conditions_clear (WeftSqlConditions *self);

/* Whether all values of a column are what SQL makes of them: whole numbers of 63 bits and a sign.
 */
gboolean weft_sql_column_fits (const WeftSqlColumn *self, WeftTableId table, WeftStore *store);

/* Whether all values surely lie between LOW and HIGH. */
gboolean weft_sql_column_lies_within (const WeftSqlColumn *self, WeftTableId table,
                                      WeftStore *store, gint64 low, gint64 high);

/* Exactly the rows for which the comparison is true; NULL where the engine cannot tell, and SQLite
 * must.
 */
WeftPredicate *weft_sql_condition_new (WeftSqlConditions *self, guint column,
                                       WeftSqlOperator operator, const WeftSqlScalar * value);

G_END_DECLS
