/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

#include "weft-sql-condition.h"
#include "weft-sql-shape.h"

G_BEGIN_DECLS

/* What a value is that stands in a question; SQLite says so. FALSE: it is no constant. */
typedef struct
{
  sqlite3 *database;
  GVariant *parameters; /* or NULL */
} WeftSqlConstants;

gboolean weft_sql_constants_read (const WeftSqlConstants *self, const WeftSqlShape *shape,
                                  const WeftSqlSpan *span, WeftSqlScalar *value);

/* Exactly the rows for which WHERE is true; NULL where the engine cannot tell. */
WeftPredicate *weft_sql_where_read (const WeftSqlShape *shape, const WeftSqlConstants *constants,
                                    WeftSqlConditions *conditions);

G_END_DECLS
