/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-source.h"

G_BEGIN_DECLS

/* Aggregates that SQLite has not: exact percentiles of nearest rank. */
typedef struct
{
  const char *name;
  double percentile;
  const char *aggregate; /* what WeftQuery calls it */
} WeftSqlPercentile;

/* NULL if there is no function of that name. */
const WeftSqlPercentile *weft_sql_functions_find (const char *name);

/* Makes them known to a connection; an SQLite code. */
int weft_sql_functions_register (sqlite3 *database, const sqlite3_api_routines *api);
/* Likewise weft_open (), of a connection that loads us. */
int weft_sql_functions_register_open (sqlite3 *database, const sqlite3_api_routines *api);

G_END_DECLS
