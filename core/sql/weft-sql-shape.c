/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-shape.h"

#include <string.h>

#define TOKEN(self, i) WEFT_SQL_TOKEN ((self)->tokens, i)

void
weft_sql_shape_clear (WeftSqlShape *self)
{
  g_clear_pointer (&self->name, g_free);
}

/* ---- Clauses ---- */

/* Words that no name of ours is, and names nothing. */
static gboolean
is_keyword (const WeftSqlToken *token)
{
  static const char *const words[] = {
    "where",   "group",  "having",  "order", "limit",   "union",  "join",      "left",
    "right",   "full",   "inner",   "cross", "natural", "except", "intersect", "window",
    "on",      "using",  "indexed", "not",   "and",     "or",     "is",        "in",
    "like",    "glob",   "between", "asc",   "desc",    "as",     "from",      "select",
    "collate", "isnull", "notnull", "when",  "then",    "else",   "end",       "escape",
    "match",   "regexp", "filter",  "over",  "case",    NULL
  };

  for (guint i = 0; token->kind == WEFT_SQL_TOKEN_WORD && words[i] != NULL; i++)
    if (weft_sql_token_is_word (token, words[i]))
      return TRUE;
  return FALSE;
}

static gboolean
ends_select (const WeftSqlToken *token)
{
  return token->kind == WEFT_SQL_TOKEN_END || weft_sql_token_is_sign (token, ";") ||
         weft_sql_token_is_sign (token, ")");
}

/* What makes of a SELECT more than one, or another. */
static gboolean
is_foreign (const WeftSqlToken *token)
{
  return weft_sql_token_is_word (token, "union") || weft_sql_token_is_word (token, "except") ||
         weft_sql_token_is_word (token, "intersect") || weft_sql_token_is_word (token, "window") ||
         weft_sql_token_is_word (token, "select") || weft_sql_token_is_word (token, "values");
}

typedef struct
{
  const char *word;
  const char *second; /* or NULL */
  gsize offset;       /* of the span in WeftSqlShape */
} Clause;

static const Clause clauses[] = {
  { "from", NULL, G_STRUCT_OFFSET (WeftSqlShape, from) },
  { "where", NULL, G_STRUCT_OFFSET (WeftSqlShape, where) },
  { "group", "by", G_STRUCT_OFFSET (WeftSqlShape, group) },
  { "having", NULL, G_STRUCT_OFFSET (WeftSqlShape, having) },
  { "order", "by", G_STRUCT_OFFSET (WeftSqlShape, order) },
  { "limit", NULL, G_STRUCT_OFFSET (WeftSqlShape, limit) },
};

/* The clause that begins with token AT, or NULL. */
static const Clause *
find_clause (const WeftSqlShape *self, guint at)
{
  for (guint i = 0; i < G_N_ELEMENTS (clauses); i++)
    if (weft_sql_token_is_word (TOKEN (self, at), clauses[i].word) &&
        (clauses[i].second == NULL ||
         weft_sql_token_is_word (TOKEN (self, at + 1), clauses[i].second)))
      return &clauses[i];
  return NULL;
}

static gboolean
read_clauses (WeftSqlShape *self)
{
  WeftSqlSpan *span = &self->result;
  guint depth = 0;
  guint at = self->select + 1;

  if (weft_sql_token_is_word (TOKEN (self, at), "distinct"))
    {
      self->is_distinct = TRUE;
      at++;
    }
  else if (weft_sql_token_is_word (TOKEN (self, at), "all"))
    at++;
  span->begin = at;
  for (; depth > 0 || !ends_select (TOKEN (self, at)); at++)
    {
      const Clause *clause = depth == 0 ? find_clause (self, at) : NULL;

      if (is_foreign (TOKEN (self, at)))
        return FALSE;
      depth += weft_sql_token_is_sign (TOKEN (self, at), "(");
      depth -= weft_sql_token_is_sign (TOKEN (self, at), ")");
      if (clause == NULL)
        continue;
      span->end = at;
      at += clause->second != NULL;
      span = (WeftSqlSpan *) (gpointer) ((guint8 *) self + clause->offset);
      span->begin = at + 1;
    }
  span->end = self->end = at;
  return self->from.begin > 0;
}

/* ---- The table ---- */

/* Whether a WITH makes another table of that name. */
static gboolean
is_shadowed (const WeftSqlShape *self, const char *name)
{
  for (guint i = 0; i + 2 < self->tokens->len; i++)
    {
      guint next = i + 1;

      if (!weft_sql_token_is_name (TOKEN (self, i)) ||
          g_ascii_strcasecmp (TOKEN (self, i)->text, name) != 0)
        continue;
      if (weft_sql_token_is_sign (TOKEN (self, next), "("))
        while (next + 2 < self->tokens->len && !weft_sql_token_is_sign (TOKEN (self, next++), ")"))
          ;
      if (weft_sql_token_is_word (TOKEN (self, next), "as") &&
          (weft_sql_token_is_sign (TOKEN (self, next + 1), "(") ||
           weft_sql_token_is_word (TOKEN (self, next + 1), "materialized") ||
           weft_sql_token_is_word (TOKEN (self, next + 1), "not")))
        return TRUE;
    }
  return FALSE;
}

static gboolean
find_table (WeftSqlShape *self, const char *name)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (g_ascii_strcasecmp (weft_model_get_table ((WeftTableId) i)->name, name) == 0)
      {
        self->columns = weft_sql_columns_get ((WeftTableId) i);
        return TRUE;
      }
  self->view = weft_sql_views_find (name);
  if (self->view != NULL)
    self->columns = weft_sql_columns_get (self->view->table);
  return self->view != NULL;
}

static gboolean
read_table (WeftSqlShape *self)
{
  guint at = self->from.begin;
  guint n = self->from.end - at;
  const WeftSqlToken *name = TOKEN (self, at);
  gboolean has_as = n == 3 && weft_sql_token_is_word (TOKEN (self, at + 1), "as");
  const WeftSqlToken *alias = n > 1 ? TOKEN (self, at + n - 1) : name;

  if ((n != 1 && n != 2 && !has_as) || !weft_sql_token_is_name (name) ||
      !weft_sql_token_is_name (alias) || is_keyword (alias) || !find_table (self, name->text) ||
      is_shadowed (self, name->text))
    return FALSE;
  self->name = g_strdup (alias->text);
  return TRUE;
}

/* A member of a compound SELECT has no clauses of its own. */
static gboolean
is_member (const WeftSqlShape *self)
{
  const WeftSqlToken *before = self->select > 0 ? TOKEN (self, self->select - 1) : NULL;

  return before != NULL &&
         (weft_sql_token_is_word (before, "union") || weft_sql_token_is_word (before, "all") ||
          weft_sql_token_is_word (before, "except") ||
          weft_sql_token_is_word (before, "intersect"));
}

gboolean
weft_sql_shape_read (WeftSqlShape *self, GArray *tokens, guint select)
{
  *self = (WeftSqlShape){ .tokens = tokens, .select = select };
  return !is_member (self) && read_clauses (self) && read_table (self);
}

/* ---- Columns ---- */

static int
find_column (const WeftSqlShape *self, const char *name)
{
  for (guint i = 0; self->view != NULL && i < self->view->columns->len; i++)
    {
      const WeftSqlViewColumn *column = &g_array_index (self->view->columns, WeftSqlViewColumn, i);

      if (g_ascii_strcasecmp (column->name, name) == 0)
        return (int) column->column;
    }
  return self->view == NULL ? weft_sql_columns_find (self->columns, name) : -1;
}

int
weft_sql_shape_take_column (const WeftSqlShape *self, guint *at)
{
  guint first = *at;
  guint last = first;
  int column;

  if (!weft_sql_token_is_name (TOKEN (self, first)))
    return -1;
  if (weft_sql_token_is_sign (TOKEN (self, first + 1), "."))
    {
      last = first + 2;
      if (g_ascii_strcasecmp (TOKEN (self, first)->text, self->name) != 0 ||
          !weft_sql_token_is_name (TOKEN (self, last)))
        return -1;
    }
  if (weft_sql_token_is_sign (TOKEN (self, last + 1), "(") ||
      weft_sql_token_is_sign (TOKEN (self, last + 1), "."))
    return -1;
  column = find_column (self, TOKEN (self, last)->text);
  if (column >= 0)
    *at = last + 1;
  return column;
}

int
weft_sql_shape_get_column (const WeftSqlShape *self, const WeftSqlSpan *span)
{
  guint at = span->begin;
  int column = span->begin < span->end ? weft_sql_shape_take_column (self, &at) : -1;

  return at == span->end ? column : -1;
}

const char *
weft_sql_shape_name_column (const WeftSqlShape *self, int column)
{
  for (guint i = 0; self->view != NULL && i < self->view->columns->len; i++)
    if ((int) g_array_index (self->view->columns, WeftSqlViewColumn, i).column == column)
      return g_array_index (self->view->columns, WeftSqlViewColumn, i).name;
  return self->columns->columns[column].name;
}

/* ---- Lists ---- */

GArray *
weft_sql_shape_split (const WeftSqlShape *self, const WeftSqlSpan *span)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (WeftSqlSpan));
  WeftSqlSpan part = { span->begin, span->begin };
  guint depth = 0;

  for (guint at = span->begin; at < span->end; at++)
    {
      depth += weft_sql_token_is_sign (TOKEN (self, at), "(");
      depth -= weft_sql_token_is_sign (TOKEN (self, at), ")");
      if (depth > 0 || !weft_sql_token_is_sign (TOKEN (self, at), ","))
        continue;
      part.end = at;
      g_array_append_val (parts, part);
      part.begin = at + 1;
    }
  part.end = span->end;
  if (part.end > part.begin)
    g_array_append_val (parts, part);
  return parts;
}

gboolean
weft_sql_shape_ends_operand (const WeftSqlToken *token)
{
  if (token->kind == WEFT_SQL_TOKEN_SIGN)
    return weft_sql_token_is_sign (token, ")");
  return weft_sql_token_is_word (token, "end") || !is_keyword (token);
}

WeftSqlSpan
weft_sql_shape_read_item (const WeftSqlShape *self, const WeftSqlSpan *item, const char **name)
{
  WeftSqlSpan inner = *item;
  const WeftSqlToken *last = TOKEN (self, item->end - 1);

  *name = NULL;
  if (item->end - item->begin < 2 ||
      (!weft_sql_token_is_name (last) && last->kind != WEFT_SQL_TOKEN_STRING))
    return inner;
  if (weft_sql_token_is_word (TOKEN (self, item->end - 2), "as"))
    inner.end -= 2;
  else if (!is_keyword (last) && weft_sql_shape_ends_operand (TOKEN (self, item->end - 2)))
    inner.end -= 1;
  else
    return inner;
  *name = last->text;
  return inner;
}
