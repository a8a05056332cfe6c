/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-answer.h"
#include "weft-sql-shape.h"

G_BEGIN_DECLS

/* Groups and aggregates of one SELECT, as the engine is asked for them. */

typedef enum
{
  WEFT_SQL_COUNT_ROWS,
  WEFT_SQL_COUNT,
  WEFT_SQL_COUNT_DISTINCT,
  WEFT_SQL_SUM,
  WEFT_SQL_TOTAL,
  WEFT_SQL_AVERAGE,
  WEFT_SQL_MIN,
  WEFT_SQL_MAX,
  WEFT_SQL_PERCENTILE,
} WeftSqlFunction;

typedef struct
{
  WeftSqlFunction function;
  int column;       /* -1: of COUNT_ROWS */
  const char *name; /* of PERCENTILE, as the engine calls it */
} WeftSqlAggregate;

typedef struct
{
  const WeftSqlColumns *columns;
  GArray *keys;       /* guint: columns */
  GArray *aggregates; /* WeftSqlAggregate */
} WeftSqlGroups;

void weft_sql_groups_init (WeftSqlGroups *self, const WeftSqlColumns *columns);
void weft_sql_groups_clear (WeftSqlGroups *self);

/* The aggregate that begins at AT, which is passed over; FALSE: it is none that the engine knows.
 */
gboolean weft_sql_aggregate_take (const WeftSqlShape *shape, guint *at,
                                  WeftSqlAggregate *aggregate);
/* Whether a function of that name aggregates; of min and max, with one argument. */
gboolean weft_sql_aggregate_is_name (const char *name);
/* What it gives, where its argument is a time or a duration; FALSE: only its values tell. */
gboolean weft_sql_aggregate_get_type (const WeftSqlAggregate *self, const WeftSqlColumns *columns,
                                      WeftValueType *type);

/* FALSE: the engine cannot group by it. */
gboolean weft_sql_groups_add_key (WeftSqlGroups *self, WeftStore *store, int column);
/* The place of a key; -1: it is none. */
int weft_sql_groups_find_key (const WeftSqlGroups *self, int column);
/* The text that stands for an aggregate in the rewritten question, which is appended; FALSE: the
 * engine cannot find it.
 */
gboolean weft_sql_groups_add (WeftSqlGroups *self, WeftStore *store,
                              const WeftSqlAggregate *aggregate, GString *text);

/* Asks the engine. NULL without an error: its answer is not what SQLite's would be. Takes
 * CONDITION, which may be NULL.
 */
WeftSqlAnswer *weft_sql_groups_run (const WeftSqlGroups *self, WeftSqlSource *source,
                                    WeftPredicate *condition, GError **error);

G_END_DECLS
