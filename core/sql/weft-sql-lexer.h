/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEFT_SQL_TOKEN_WORD,   /* a name or keyword */
  WEFT_SQL_TOKEN_QUOTED, /* a name in quotes */
  WEFT_SQL_TOKEN_STRING,
  WEFT_SQL_TOKEN_NUMBER,
  WEFT_SQL_TOKEN_BLOB,
  WEFT_SQL_TOKEN_PARAMETER,
  WEFT_SQL_TOKEN_SIGN, /* an operator or a bracket */
  WEFT_SQL_TOKEN_END,
} WeftSqlTokenKind;

typedef struct
{
  WeftSqlTokenKind kind;
  char *text; /* of QUOTED: without quotes; of PARAMETER: numbered */
  gsize begin;
  gsize end; /* in the question */
} WeftSqlToken;

/* The tokens of a question that SQLite understands, without blanks and comments; the last is END.
 * Parameters without a number get theirs. NULL where it is none.
 */
GArray *weft_sql_lexer_read (const char *text);

#define WEFT_SQL_TOKEN(tokens, i) (&g_array_index ((tokens), WeftSqlToken, i))

gboolean weft_sql_token_is_sign (const WeftSqlToken *self, const char *sign);
/* Whether it is that keyword. */
gboolean weft_sql_token_is_word (const WeftSqlToken *self, const char *word);
gboolean weft_sql_token_is_name (const WeftSqlToken *self);

G_END_DECLS
