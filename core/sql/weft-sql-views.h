/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-columns.h"

G_BEGIN_DECLS

/*
 * Views over the tables. “named_TABLE” is a table with names in the place of ids, made of the model
 * for each table whose rows refer to what has a name; the others are joins, written by hand.
 */

/* A column of a named view: the column of the table behind it. */
typedef struct
{
  const char *name; /* interned */
  guint column;
} WeftSqlViewColumn;

typedef struct
{
  const char *name;
  char *summary;
  WeftTableId table; /* of a named view; WEFT_N_TABLES of a join */
  GArray *columns;   /* WeftSqlViewColumn, of a named view */
  const char *join;  /* the query of a join */
} WeftSqlView;

/* Of any thread; kept for good. */
const WeftSqlView *weft_sql_views_get (guint *n);
/* A named view; NULL if there is none of that name. */
const WeftSqlView *weft_sql_views_find (const char *name);

/* “CREATE TEMP VIEW …” over tables whose names have a PREFIX. */
char *weft_sql_view_create (const WeftSqlView *self, const char *prefix);

G_END_DECLS
