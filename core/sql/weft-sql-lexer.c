/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-lexer.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  const char *text;
  gsize at;
  GArray *tokens;
  int last_parameter;
} Lexer;

static void
token_clear (gpointer data)
{
  g_free (((WeftSqlToken *) data)->text);
}

static gboolean
is_of_name (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '$' || (guchar) c >= 0x80;
}

/* Behind blanks and comments. */
static void
skip_blanks (Lexer *self)
{
  for (;;)
    {
      const char *at = self->text + self->at;
      const char *end;

      if (*at != '\0' && strchr (" \t\n\f\r", *at) != NULL)
        self->at++;
      else if (strncmp (at, "--", 2) == 0)
        self->at += strcspn (at, "\n");
      else if (strncmp (at, "/*", 2) == 0)
        {
          end = strstr (at + 2, "*/");
          self->at = end != NULL ? (gsize) (end + 2 - self->text) : strlen (self->text);
        }
      else
        return;
    }
}

/* Length of what stands in quotes; 0: they are not closed. */
static gsize
measure_quoted (const char *at, char close)
{
  for (gsize i = 1; at[i] != '\0'; i++)
    {
      if (at[i] != close)
        continue;
      if (at[i + 1] != close || close == ']')
        return i + 1;
      i++;
    }
  return 0;
}

static gsize
measure_number (const char *at)
{
  gsize n = 0;

  while (is_of_name (at[n]) || at[n] == '.' ||
         ((at[n] == '+' || at[n] == '-') && n > 0 && (at[n - 1] == 'e' || at[n - 1] == 'E') &&
          at[1] != 'x' && at[1] != 'X'))
    n++;
  return n;
}

static gsize
measure_sign (const char *at)
{
  static const char *const doubles[] = { "->>", "<>", "<=", ">=", "==", "!=",
                                         "||",  "<<", ">>", "->", NULL };

  for (guint i = 0; doubles[i] != NULL; i++)
    if (g_str_has_prefix (at, doubles[i]))
      return strlen (doubles[i]);
  return strchr ("()+-*/%=<>&|~,;.", *at) != NULL ? 1 : 0;
}

static gsize
measure_name (const char *at, gsize from)
{
  gsize n = from;

  while (is_of_name (at[n]))
    n++;
  return n;
}

static gsize
measure (const char *at, WeftSqlTokenKind *kind)
{
  if ((*at == 'x' || *at == 'X') && at[1] == '\'')
    {
      *kind = WEFT_SQL_TOKEN_BLOB;
      return measure_quoted (at + 1, '\'') + 1;
    }
  if (*at == '\'')
    {
      *kind = WEFT_SQL_TOKEN_STRING;
      return measure_quoted (at, '\'');
    }
  if (*at == '"' || *at == '`' || *at == '[')
    {
      *kind = WEFT_SQL_TOKEN_QUOTED;
      return measure_quoted (at, *at == '[' ? ']' : *at);
    }
  if (g_ascii_isdigit (*at) || (*at == '.' && g_ascii_isdigit (at[1])))
    {
      *kind = WEFT_SQL_TOKEN_NUMBER;
      return measure_number (at);
    }
  if (strchr ("?:@$#", *at) != NULL)
    {
      *kind = WEFT_SQL_TOKEN_PARAMETER;
      return measure_name (at, 1);
    }
  if (is_of_name (*at))
    {
      *kind = WEFT_SQL_TOKEN_WORD;
      return measure_name (at, 0);
    }
  *kind = WEFT_SQL_TOKEN_SIGN;
  return measure_sign (at);
}

static char *
unquote (const char *at, gsize n)
{
  char *text = g_strndup (at + 1, n - 2);
  char close = text[0] != '\0' ? at[n - 1] : '\0';
  gsize to = 0;

  for (gsize from = 0; text[from] != '\0'; from++)
    {
      from += close != ']' && text[from] == close && text[from + 1] == close;
      text[to++] = text[from];
    }
  text[to] = '\0';
  return text;
}

/* As SQLite counts: a parameter without a number has the next after the largest. */
static char *
number_parameter (Lexer *self, const char *at, gsize n)
{
  if (*at == '?')
    {
      int number = n > 1 ? atoi (at + 1) : self->last_parameter + 1;

      self->last_parameter = MAX (self->last_parameter, number);
      return g_strdup_printf ("?%d", number);
    }
  for (guint i = 0; i < self->tokens->len; i++)
    if (strncmp (WEFT_SQL_TOKEN (self->tokens, i)->text, at, n) == 0 &&
        WEFT_SQL_TOKEN (self->tokens, i)->text[n] == '\0')
      return g_strndup (at, n);
  self->last_parameter++;
  return g_strndup (at, n);
}

static gboolean
take (Lexer *self)
{
  const char *at = self->text + self->at;
  WeftSqlToken token = { .kind = WEFT_SQL_TOKEN_END, .begin = self->at };
  gsize n = *at != '\0' ? measure (at, &token.kind) : 0;

  if (*at != '\0' && n == 0)
    return FALSE;
  if (token.kind == WEFT_SQL_TOKEN_QUOTED)
    token.text = unquote (at, n);
  else if (token.kind == WEFT_SQL_TOKEN_PARAMETER)
    token.text = number_parameter (self, at, n);
  else
    token.text = g_strndup (at, n);
  self->at += n;
  token.end = self->at;
  g_array_append_val (self->tokens, token);
  return TRUE;
}

GArray *
weft_sql_lexer_read (const char *text)
{
  Lexer self = { .text = text };

  self.tokens = g_array_new (FALSE, FALSE, sizeof (WeftSqlToken));
  g_array_set_clear_func (self.tokens, token_clear);
  do
    {
      skip_blanks (&self);
      if (!take (&self))
        {
          g_array_unref (self.tokens);
          return NULL;
        }
    }
  while (WEFT_SQL_TOKEN (self.tokens, self.tokens->len - 1)->kind != WEFT_SQL_TOKEN_END);
  return self.tokens;
}

gboolean
weft_sql_token_is_sign (const WeftSqlToken *self, const char *sign)
{
  return self->kind == WEFT_SQL_TOKEN_SIGN && strcmp (self->text, sign) == 0;
}

gboolean
weft_sql_token_is_word (const WeftSqlToken *self, const char *word)
{
  return self->kind == WEFT_SQL_TOKEN_WORD && g_ascii_strcasecmp (self->text, word) == 0;
}

gboolean
weft_sql_token_is_name (const WeftSqlToken *self)
{
  return self->kind == WEFT_SQL_TOKEN_WORD || self->kind == WEFT_SQL_TOKEN_QUOTED;
}
