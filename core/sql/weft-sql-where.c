/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-where.h"

#include <stdlib.h>
#include <string.h>

#include "weft-sql-parameters.h"

#define MAX_DEPTH 100

/* ---- Constants ---- */

static gboolean
is_of_constant (const WeftSqlToken *token)
{
  static const char *const signs[] = { "+", "-", "*", "/", "(", ")" };

  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (weft_sql_token_is_sign (token, signs[i]))
      return TRUE;
  return token->kind == WEFT_SQL_TOKEN_NUMBER || token->kind == WEFT_SQL_TOKEN_STRING ||
         token->kind == WEFT_SQL_TOKEN_PARAMETER || weft_sql_token_is_word (token, "null");
}

static void
read_scalar (sqlite3_stmt *statement, WeftSqlScalar *value)
{
  const char *text;

  switch (sqlite3_column_type (statement, 0))
    {
    case SQLITE_INTEGER:
      value->kind = WEFT_SQL_INTEGER;
      value->integer = sqlite3_column_int64 (statement, 0);
      break;
    case SQLITE_FLOAT:
      value->kind = WEFT_SQL_REAL;
      value->real = sqlite3_column_double (statement, 0);
      break;
    case SQLITE_TEXT:
      text = (const char *) sqlite3_column_text (statement, 0);
      value->kind = WEFT_SQL_BYTES;
      if (text != NULL && strlen (text) == (gsize) sqlite3_column_bytes (statement, 0))
        {
          value->kind = WEFT_SQL_TEXT;
          value->text = g_strdup (text);
        }
      break;
    case SQLITE_BLOB:
      value->kind = WEFT_SQL_BYTES;
      break;
    default:
      break;
    }
}

gboolean
weft_sql_constants_read (const WeftSqlConstants *self, const WeftSqlShape *shape,
                         const WeftSqlSpan *span, WeftSqlScalar *value)
{
  g_autoptr (GString) text = g_string_new ("SELECT ");
  sqlite3_stmt *statement = NULL;
  gboolean good;

  *value = (WeftSqlScalar){ .kind = WEFT_SQL_NULL };
  for (guint i = span->begin; i < span->end; i++)
    {
      if (!is_of_constant (WEFT_SQL_TOKEN (shape->tokens, i)))
        return FALSE;
      g_string_append (text, WEFT_SQL_TOKEN (shape->tokens, i)->text);
      g_string_append_c (text, ' ');
    }
  good = span->end > span->begin &&
         sqlite3_prepare_v2 (self->database, text->str, -1, &statement, NULL) == SQLITE_OK;
  for (int i = good ? sqlite3_bind_parameter_count (statement) : 0; i > 0 && good; i--)
    {
      const char *name = sqlite3_bind_parameter_name (statement, i);

      /* Of “?3” the first two are not asked for. */
      if (name == NULL)
        continue;
      good = weft_sql_parameters_bind_one (self->parameters, statement, i, name);
    }
  good = good && sqlite3_step (statement) == SQLITE_ROW;
  if (good)
    read_scalar (statement, value);
  sqlite3_finalize (statement);
  return good;
}

/* ---- Conditions ---- */

typedef struct
{
  const WeftSqlShape *shape;
  const WeftSqlConstants *constants;
  WeftSqlConditions *conditions;
  guint at;
  guint end;
  guint depth;
} Reader;

static const WeftSqlToken *
peek (const Reader *self)
{
  static const WeftSqlToken nothing = { .kind = WEFT_SQL_TOKEN_END };

  return self->at < self->end ? WEFT_SQL_TOKEN (self->shape->tokens, self->at) : &nothing;
}

static gboolean
take_word (Reader *self, const char *word)
{
  gboolean found = weft_sql_token_is_word (peek (self), word);

  self->at += found;
  return found;
}

static gboolean
take_sign (Reader *self, const char *sign)
{
  gboolean found = weft_sql_token_is_sign (peek (self), sign);

  self->at += found;
  return found;
}

static gboolean
take_constant (Reader *self, WeftSqlScalar *value)
{
  WeftSqlSpan span = { self->at, self->at };
  int depth = 0;

  for (; self->at < self->end && is_of_constant (peek (self)); self->at++)
    {
      depth += weft_sql_token_is_sign (peek (self), "(");
      depth -= weft_sql_token_is_sign (peek (self), ")");
      if (depth < 0)
        break;
    }
  span.end = self->at;
  return weft_sql_constants_read (self->constants, self->shape, &span, value);
}

static WeftPredicate *
condition (Reader *self, int column, WeftSqlOperator operator, const WeftSqlScalar * value)
{
  return weft_sql_condition_new (self->conditions, (guint) column, operator, value);
}

static WeftSqlOperator
negate (WeftSqlOperator operator)
{
  static const WeftSqlOperator negations[] = {
    [WEFT_SQL_EQ] = WEFT_SQL_NE,
    [WEFT_SQL_NE] = WEFT_SQL_EQ,
    [WEFT_SQL_LT] = WEFT_SQL_GE,
    [WEFT_SQL_GE] = WEFT_SQL_LT,
    [WEFT_SQL_LE] = WEFT_SQL_GT,
    [WEFT_SQL_GT] = WEFT_SQL_LE,
    [WEFT_SQL_IS_NULL] = WEFT_SQL_NOT_NULL,
    [WEFT_SQL_NOT_NULL] = WEFT_SQL_IS_NULL,
    [WEFT_SQL_LIKE] = WEFT_SQL_NOT_LIKE,
    [WEFT_SQL_NOT_LIKE] = WEFT_SQL_LIKE,
    [WEFT_SQL_GLOB] = WEFT_SQL_NOT_GLOB,
    [WEFT_SQL_NOT_GLOB] = WEFT_SQL_GLOB,
  };

  return negations[operator];
}

/* The same with the sides changed. */
static WeftSqlOperator
mirror (WeftSqlOperator operator)
{
  switch (operator)
    {
    case WEFT_SQL_LT:
      return WEFT_SQL_GT;
    case WEFT_SQL_GT:
      return WEFT_SQL_LT;
    case WEFT_SQL_LE:
      return WEFT_SQL_GE;
    case WEFT_SQL_GE:
      return WEFT_SQL_LE;
    default:
      return operator;
    }
}

static gboolean
take_comparison (Reader *self, WeftSqlOperator *operator)
{
  static const struct
  {
    const char *sign;
    WeftSqlOperator operator;
  } signs[] = {
    { "=", WEFT_SQL_EQ }, { "==", WEFT_SQL_EQ }, { "<>", WEFT_SQL_NE }, { "!=", WEFT_SQL_NE },
    { "<", WEFT_SQL_LT }, { "<=", WEFT_SQL_LE }, { ">", WEFT_SQL_GT },  { ">=", WEFT_SQL_GE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (signs); i++)
    if (take_sign (self, signs[i].sign))
      {
        *operator= signs[i].operator;
        return TRUE;
      }
  return FALSE;
}

/* Takes FIRST and SECOND; NULL if one of them is. */
static WeftPredicate *
combine (WeftPredicateKind kind, WeftPredicate *first, WeftPredicate *second)
{
  WeftPredicate *both;

  if (first == NULL || second == NULL)
    {
      g_clear_pointer (&first, weft_predicate_free);
      g_clear_pointer (&second, weft_predicate_free);
      return NULL;
    }
  both = weft_predicate_new (kind);
  weft_predicate_add (both, first);
  weft_predicate_add (both, second);
  return both;
}

static WeftPredicate *
compare_with_next (Reader *self, int column, WeftSqlOperator operator)
{
  WeftSqlScalar value;
  WeftPredicate *made = NULL;

  if (take_constant (self, &value))
    made = condition (self, column, operator, & value);
  weft_sql_scalar_clear (&value);
  return made;
}

static WeftPredicate *
read_between (Reader *self, int column, gboolean negated)
{
  WeftPredicate *low = compare_with_next (self, column, negated ? WEFT_SQL_LT : WEFT_SQL_GE);
  WeftPredicate *high = NULL;

  if (low != NULL && take_word (self, "and"))
    high = compare_with_next (self, column, negated ? WEFT_SQL_GT : WEFT_SQL_LE);
  return combine (negated ? WEFT_PREDICATE_OR : WEFT_PREDICATE_AND, low, high);
}

static WeftPredicate *
read_list (Reader *self, int column, gboolean negated)
{
  g_autoptr (WeftPredicate) all =
      weft_predicate_new (negated ? WEFT_PREDICATE_AND : WEFT_PREDICATE_OR);

  if (!take_sign (self, "("))
    return NULL;
  do
    {
      WeftPredicate *one = compare_with_next (self, column, negated ? WEFT_SQL_NE : WEFT_SQL_EQ);

      if (one == NULL)
        return NULL;
      weft_predicate_add (all, one);
    }
  while (take_sign (self, ","));
  return take_sign (self, ")") ? g_steal_pointer (&all) : NULL;
}

/* What follows a column but for comparisons: IS NULL, IN, BETWEEN, LIKE, GLOB. */
static WeftPredicate *
read_word_condition (Reader *self, int column, gboolean negated)
{
  const WeftSqlScalar none = { .kind = WEFT_SQL_NULL };

  if (take_word (self, "is"))
    {
      negated ^= take_word (self, "not");
      return take_word (self, "null")
                 ? condition (self, column, negated ? WEFT_SQL_NOT_NULL : WEFT_SQL_IS_NULL, &none)
                 : NULL;
    }
  if (take_word (self, "isnull"))
    return condition (self, column, negated ? WEFT_SQL_NOT_NULL : WEFT_SQL_IS_NULL, &none);
  if (take_word (self, "notnull"))
    return condition (self, column, negated ? WEFT_SQL_IS_NULL : WEFT_SQL_NOT_NULL, &none);
  negated ^= take_word (self, "not");
  if (take_word (self, "in"))
    return read_list (self, column, negated);
  if (take_word (self, "between"))
    return read_between (self, column, negated);
  if (take_word (self, "like"))
    return compare_with_next (self, column, negated ? WEFT_SQL_NOT_LIKE : WEFT_SQL_LIKE);
  if (take_word (self, "glob"))
    return compare_with_next (self, column, negated ? WEFT_SQL_NOT_GLOB : WEFT_SQL_GLOB);
  return NULL;
}

/* A column alone is true where it is a number other than nought. */
static WeftPredicate *
read_truth (Reader *self, int column, gboolean negated)
{
  const WeftSqlScalar nought = { .kind = WEFT_SQL_INTEGER };

  return condition (self, column, negated ? WEFT_SQL_EQ : WEFT_SQL_NE, &nought);
}

static gboolean
ends_condition (const Reader *self)
{
  const WeftSqlToken *next = peek (self);

  return next->kind == WEFT_SQL_TOKEN_END || weft_sql_token_is_word (next, "and") ||
         weft_sql_token_is_word (next, "or") || weft_sql_token_is_sign (next, ")");
}

static WeftPredicate *
read_comparison (Reader *self, gboolean negated)
{
  int column = weft_sql_shape_take_column (self->shape, &self->at);
  WeftSqlScalar value = { .kind = WEFT_SQL_NULL };
  WeftPredicate *made = NULL;
  WeftSqlOperator operator;

  if (column >= 0)
    {
      if (take_comparison (self, &operator))
        return compare_with_next (self, column, negated ? negate (operator) : operator);
      return ends_condition (self) ? read_truth (self, column, negated)
                                   : read_word_condition (self, column, negated);
    }
  if (take_constant (self, &value) && take_comparison (self, &operator))
    {
      operator= mirror (negated ? negate (operator) : operator);
      column = weft_sql_shape_take_column (self->shape, &self->at);
      if (column >= 0)
        made = condition (self, column, operator, & value);
    }
  weft_sql_scalar_clear (&value);
  return made;
}

static WeftPredicate *read_any (Reader *self, gboolean negated);

static WeftPredicate *
read_one (Reader *self, gboolean negated)
{
  guint begin = self->at;
  WeftPredicate *made;

  if (take_word (self, "not"))
    {
      if (++self->depth > MAX_DEPTH)
        return NULL;
      return read_one (self, !negated);
    }
  if (take_sign (self, "("))
    {
      if (++self->depth > MAX_DEPTH)
        return NULL;
      made = read_any (self, negated);
      if (made != NULL && take_sign (self, ")") && ends_condition (self))
        return made;
      g_clear_pointer (&made, weft_predicate_free);
      self->at = begin;
    }
  made = read_comparison (self, negated);
  if (made != NULL && !ends_condition (self))
    g_clear_pointer (&made, weft_predicate_free);
  return made;
}

static WeftPredicate *
read_all (Reader *self, gboolean negated)
{
  WeftPredicate *made = read_one (self, negated);

  while (made != NULL && take_word (self, "and"))
    made =
        combine (negated ? WEFT_PREDICATE_OR : WEFT_PREDICATE_AND, made, read_one (self, negated));
  return made;
}

static WeftPredicate *
read_any (Reader *self, gboolean negated)
{
  WeftPredicate *made = read_all (self, negated);

  while (made != NULL && take_word (self, "or"))
    made =
        combine (negated ? WEFT_PREDICATE_AND : WEFT_PREDICATE_OR, made, read_all (self, negated));
  return made;
}

WeftPredicate *
weft_sql_where_read (const WeftSqlShape *shape, const WeftSqlConstants *constants,
                     WeftSqlConditions *conditions)
{
  Reader self = { shape, constants, conditions, shape->where.begin, shape->where.end, 0 };
  WeftPredicate *made = read_any (&self, FALSE);

  if (made != NULL && self.at != self.end)
    g_clear_pointer (&made, weft_predicate_free);
  return made;
}
