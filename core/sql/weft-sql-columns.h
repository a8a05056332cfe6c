/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-model.h"

G_BEGIN_DECLS

/*
 * The columns that a table of a recording has in SQL. They follow from the model: its fields, and
 * behind them, hidden from “SELECT *”, the same in other words: handles, names of what is referred
 * to, numbers of words.
 */

typedef enum
{
  WEFT_SQL_VALUE,  /* the field: words as texts */
  WEFT_SQL_CODE,   /* the number of a word */
  WEFT_SQL_HANDLE, /* an id as a handle */
  WEFT_SQL_BLOB,   /* the contents that an id of blobs names */
} WeftSqlForm;

/* Numbers of an enumeration that have words, or could have. */
#define WEFT_SQL_N_WORDS 64

typedef struct
{
  const char *name;
  const char *expression; /* as WeftQuery takes it */
  char *summary;
  WeftSqlForm form;
  WeftValueType type; /* of the expression */
  const char *unit;   /* or NULL */
  const char *prefix; /* of handles, or NULL */
  int reference;      /* WeftTableId whose row it names, or -1 */
  GType (*enumeration) (void);
  const char *const *words; /* of an enumeration: texts of its first WEFT_SQL_N_WORDS numbers */
  gboolean is_nullable;
  gboolean is_hidden;
  gboolean is_id; /* the number of the row itself */
} WeftSqlColumn;

typedef struct
{
  WeftTableId table;
  guint n_columns;
  const WeftSqlColumn *columns;
  gboolean is_in_order; /* rows of all chunks stand in the order of their numbers */
} WeftSqlColumns;

/* Of any thread; kept for good. */
const WeftSqlColumns *weft_sql_columns_get (WeftTableId table);

/* Case of ASCII letters does not matter. -1 if there is none. */
int weft_sql_columns_find (const WeftSqlColumns *self, const char *name);

/* INTEGER, REAL or TEXT; an empty text for contents. */
const char *weft_sql_column_get_affinity (const WeftSqlColumn *self);

/* A declared type of the same affinity that says what the values are: “INTEGER DURATION”. PREFIX is
 * that of the handles of ids, or NULL. Static.
 */
const char *weft_sql_type_declare (WeftValueType type, const char *prefix);
/* Of means of times. */
#define WEFT_SQL_MEAN_TIME "REAL NANOSECONDS"
/* The other way round; FALSE if it says nothing more than an affinity. PREFIX is static. */
gboolean weft_sql_type_read (const char *declared, WeftValueType *type, const char **prefix);

/* “CREATE TABLE …”, as virtual tables declare themselves. */
char *weft_sql_columns_declare (const WeftSqlColumns *self);

G_END_DECLS
