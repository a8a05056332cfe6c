/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-columns.h"
#include "weft-sql-lexer.h"
#include "weft-sql-views.h"

G_BEGIN_DECLS

/* The clauses of one SELECT over one table of a recording. */

/* Tokens BEGIN to END - 1; none where they are equal. */
typedef struct
{
  guint begin;
  guint end;
} WeftSqlSpan;

typedef struct
{
  GArray *tokens;
  guint select; /* the keyword */
  guint end;    /* behind the last token */
  gboolean is_distinct;
  WeftSqlSpan result;
  WeftSqlSpan where;
  WeftSqlSpan group;
  WeftSqlSpan having;
  WeftSqlSpan order;
  WeftSqlSpan limit;
  WeftSqlSpan from;

  const WeftSqlColumns *columns;
  const WeftSqlView *view; /* or NULL: the table itself */
  char *name;              /* by which its columns can be called */
} WeftSqlShape;

/* FALSE where the SELECT is of another shape; then nothing is to be cleared. */
gboolean weft_sql_shape_read (WeftSqlShape *self, GArray *tokens, guint select);
void weft_sql_shape_clear (WeftSqlShape *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftSqlShape, weft_sql_shape_clear)

/* The column that the tokens at AT name, which are passed over; -1: they name none. */
int weft_sql_shape_take_column (const WeftSqlShape *self, guint *at);
/* The column that all of SPAN names; -1: it is more than that. */
int weft_sql_shape_get_column (const WeftSqlShape *self, const WeftSqlSpan *span);

/* What the table or view calls a column, which it has. */
const char *weft_sql_shape_name_column (const WeftSqlShape *self, int column);

/* The parts of SPAN between commas; of WeftSqlSpan. */
GArray *weft_sql_shape_split (const WeftSqlShape *self, const WeftSqlSpan *span);

/* An item of the result without its name, which is NULL if it is given none. */
WeftSqlSpan weft_sql_shape_read_item (const WeftSqlShape *self, const WeftSqlSpan *item,
                                      const char **name);

/* Whether an expression can end with the token. */
gboolean weft_sql_shape_ends_operand (const WeftSqlToken *token);

G_END_DECLS
