/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-condition.h"

#include <math.h>
#include <string.h>

/* From here on, or to here, no double is a whole number of 64 bits. */
#define BEYOND 9223372036854775808.0

typedef struct
{
  WeftSqlOperator operator;
  WeftSqlPatterns patterns;
  char *text;
} TextTest;

static void
text_test_free (gpointer data)
{
  TextTest *self = data;

  g_free (self->text);
  g_free (self);
}

void
weft_sql_scalar_clear (WeftSqlScalar *self)
{
  g_clear_pointer (&self->text, g_free);
  self->kind = WEFT_SQL_NULL;
}

void
weft_sql_conditions_init (WeftSqlConditions *self, WeftStore *store, const WeftSqlColumns *columns,
                          const WeftSqlPatterns *patterns)
{
  *self = (WeftSqlConditions){ .store = store, .columns = columns, .patterns = *patterns };
  self->matches = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_filter_match_free);
  self->tests = g_ptr_array_new_with_free_func (text_test_free);
}

void
weft_sql_conditions_clear (WeftSqlConditions *self)
{
  g_clear_pointer (&self->matches, g_ptr_array_unref);
  g_clear_pointer (&self->tests, g_ptr_array_unref);
}

/* ---- Whether values fit ---- */

/* By the zones of its chunks: an absent column is nought. */
static gboolean
column_lies_within (const WeftExpression *column, WeftStore *store, gint64 low, gint64 high)
{
  WeftColumnNumber base = weft_model_get_table (column->table)->fields[0].column;
  gboolean is_signed = column->type == WEFT_VALUE_INT64 || column->type == WEFT_VALUE_TIME;
  guint n = weft_store_get_n_chunks (store, column->table);

  for (guint i = 0; i < n; i++)
    {
      guint64 min, max;

      if (!weft_store_get_zone (store, column->table, i, base + column->place, &min, &max))
        continue;
      if (is_signed ? (gint64) min < low || (gint64) max > high : max > (guint64) high)
        return FALSE;
    }
  return TRUE;
}

/* Whether all values surely lie between LOW and HIGH, of which neither is beyond half of what 64
 * bits hold where values follow from two others.
 */
static gboolean
expression_lies_within (const WeftExpression *self, WeftStore *store, gint64 low, gint64 high)
{
  switch (self->kind)
    {
    case WEFT_EXPRESSION_COLUMN:
      return column_lies_within (self, store, low, high);
    case WEFT_EXPRESSION_SUM:
    case WEFT_EXPRESSION_DIFFERENCE:
      return column_lies_within (self->first, store, low / 2, high / 2) &&
             column_lies_within (self->second, store, low / 2, high / 2);
    case WEFT_EXPRESSION_LOOKUP:
      return expression_lies_within (self->second, store, low, high);
    case WEFT_EXPRESSION_BIT:
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
weft_sql_column_lies_within (const WeftSqlColumn *self, WeftTableId table, WeftStore *store,
                             gint64 low, gint64 high)
{
  g_autoptr (WeftExpression) expression = weft_expression_new (table, self->expression, NULL);

  return expression_lies_within (expression, store, low, high);
}

gboolean
weft_sql_column_fits (const WeftSqlColumn *self, WeftTableId table, WeftStore *store)
{
  g_autoptr (WeftExpression) expression = NULL;

  if (self->type == WEFT_VALUE_STRING)
    return TRUE;
  expression = weft_expression_new (table, self->expression, NULL);
  if (self->type == WEFT_VALUE_ENUM)
    return expression->kind == WEFT_EXPRESSION_COLUMN &&
           column_lies_within (expression, store, 0, WEFT_SQL_N_WORDS - 1);
  return self->type != WEFT_VALUE_DOUBLE &&
         expression_lies_within (expression, store, G_MININT64, G_MAXINT64);
}

/* ---- Whole numbers ---- */

/* The whole numbers that compare so with VALUE; FALSE: none do. NE is not asked. */
static gboolean
get_whole_bounds (WeftSqlOperator operator, gint64 value, gint64 *low, gint64 *high)
{
  *low = G_MININT64;
  *high = G_MAXINT64;
  switch (operator)
    {
    case WEFT_SQL_EQ:
      *low = *high = value;
      return TRUE;
    case WEFT_SQL_LT:
      *high = value - (value != G_MININT64);
      return value != G_MININT64;
    case WEFT_SQL_LE:
      *high = value;
      return TRUE;
    case WEFT_SQL_GT:
      *low = value + (value != G_MAXINT64);
      return value != G_MAXINT64;
    default:
      *low = value;
      return TRUE;
    }
}

static gboolean
get_real_bounds (WeftSqlOperator operator, double value, gint64 *low, gint64 *high)
{
  gboolean is_below = operator== WEFT_SQL_LT || operator== WEFT_SQL_LE;
  double rounded = is_below ? floor (value) : ceil (value);

  *low = G_MININT64;
  *high = G_MAXINT64;
  if (operator== WEFT_SQL_EQ && rounded != value)
    return FALSE;
  if (rounded >= BEYOND)
    return is_below;
  if (rounded < -BEYOND)
    return !is_below && operator!= WEFT_SQL_EQ;
  /* What is not whole lies between two whole numbers, neither of which it is. */
  if (rounded != value)
    operator= is_below ? WEFT_SQL_LE : WEFT_SQL_GE;
  return get_whole_bounds (operator, (gint64) rounded, low, high);
}

static WeftPredicate *
new_none (void)
{
  return weft_predicate_new (WEFT_PREDICATE_NONE);
}

static WeftPredicate *
compare_number (const WeftSqlConditions *self, const WeftSqlColumn *column,
                WeftSqlOperator operator, const WeftSqlScalar * value)
{
  gint64 low, high;
  gboolean any;

  if (operator== WEFT_SQL_NE)
    {
      WeftPredicate *either = weft_predicate_new (WEFT_PREDICATE_OR);

      weft_predicate_add (either, compare_number (self, column, WEFT_SQL_LT, value));
      weft_predicate_add (either, compare_number (self, column, WEFT_SQL_GT, value));
      return either;
    }
  any = value->kind == WEFT_SQL_INTEGER ? get_whole_bounds (operator, value->integer, &low, &high)
                                        : get_real_bounds (operator, value->real, &low, &high);
  if (!any)
    return new_none ();
  return weft_predicate_new_between (
      weft_expression_new (self->columns->table, column->expression, NULL), low, high);
}

/* ---- Texts ---- */

static gboolean
test_text (const char *text, gconstpointer data)
{
  const TextTest *self = data;

  switch (self->operator)
    {
    case WEFT_SQL_EQ:
      return strcmp (text, self->text) == 0;
    case WEFT_SQL_NE:
      return strcmp (text, self->text) != 0;
    case WEFT_SQL_LT:
      return strcmp (text, self->text) < 0;
    case WEFT_SQL_LE:
      return strcmp (text, self->text) <= 0;
    case WEFT_SQL_GT:
      return strcmp (text, self->text) > 0;
    case WEFT_SQL_GE:
      return strcmp (text, self->text) >= 0;
    case WEFT_SQL_LIKE:
      return self->patterns.like (self->text, text, 0) == 0;
    case WEFT_SQL_NOT_LIKE:
      return self->patterns.like (self->text, text, 0) != 0;
    case WEFT_SQL_GLOB:
      return self->patterns.glob (self->text, text) == 0;
    default:
      return self->patterns.glob (self->text, text) != 0;
    }
}

static const TextTest *
add_test (WeftSqlConditions *self, WeftSqlOperator operator, const char * text)
{
  TextTest *test = g_new0 (TextTest, 1);

  test->operator= operator;
  test->patterns = self->patterns;
  test->text = g_strdup (text);
  g_ptr_array_add (self->tests, test);
  return test;
}

static WeftPredicate *
compare_string (WeftSqlConditions *self, const WeftSqlColumn *column, const TextTest *test)
{
  WeftFilterMatch *match = weft_filter_match_new_test (test_text, test);

  g_ptr_array_add (self->matches, match);
  return weft_predicate_new_text (
      weft_expression_new (self->columns->table, column->expression, NULL), match);
}

/* The words that fit. */
static WeftPredicate *
compare_word (WeftSqlConditions *self, const WeftSqlColumn *column, const TextTest *test)
{
  guint64 bits = 0;

  for (guint i = 0; i < WEFT_SQL_N_WORDS; i++)
    if (test_text (column->words[i], test))
      bits |= G_GUINT64_CONSTANT (1) << i;
  return weft_predicate_new_ids (
      weft_expression_new (self->columns->table, column->expression, NULL),
      weft_id_set_new_bits (bits));
}

/* ---- Any ---- */

static WeftPredicate *
compare_null (const WeftSqlConditions *self, const WeftSqlColumn *column, gboolean is_null)
{
  WeftExpression *expression = weft_expression_new (self->columns->table, column->expression, NULL);
  WeftPredicate *has = weft_predicate_new_has (expression);

  return is_null ? weft_predicate_new_not (has) : has;
}

static WeftPredicate *
compare_handle (const WeftSqlConditions *self, const WeftSqlColumn *column,
                const WeftSqlScalar *value)
{
  WeftSqlScalar id = { .kind = WEFT_SQL_INTEGER };
  gsize length = strlen (column->prefix);
  g_autofree char *again = NULL;

  if (strncmp (value->text, column->prefix, length) != 0 || value->text[length] != '-')
    return new_none ();
  id.integer = g_ascii_strtoll (value->text + length + 1, NULL, 10);
  again = g_strdup_printf ("%s-%" G_GINT64_FORMAT, column->prefix, id.integer);
  if (id.integer <= 0 || strcmp (again, value->text) != 0)
    return new_none ();
  return compare_number (self, column, WEFT_SQL_EQ, &id);
}

WeftPredicate *
weft_sql_condition_new (WeftSqlConditions *self, guint number, WeftSqlOperator operator,
                        const WeftSqlScalar * value)
{
  const WeftSqlColumn *column = &self->columns->columns[number];
  const TextTest *test;

  if (column->form == WEFT_SQL_BLOB ||
      !weft_sql_column_fits (column, self->columns->table, self->store))
    return NULL;
  if (operator== WEFT_SQL_IS_NULL || operator== WEFT_SQL_NOT_NULL)
    return compare_null (self, column, operator== WEFT_SQL_IS_NULL);
  if (value->kind == WEFT_SQL_NULL)
    return new_none ();
  if (column->form == WEFT_SQL_HANDLE)
    return operator== WEFT_SQL_EQ && value->kind == WEFT_SQL_TEXT
               ? compare_handle (self, column, value)
               : NULL;
  if (strcmp (weft_sql_column_get_affinity (column), "INTEGER") == 0)
    return operator<=
               WEFT_SQL_GE && (value->kind == WEFT_SQL_INTEGER || value->kind == WEFT_SQL_REAL)
               ? compare_number (self, column, operator, value)
               : NULL;
  if (value->kind != WEFT_SQL_TEXT)
    return NULL;
  test = add_test (self, operator, value->text);
  return column->type == WEFT_VALUE_ENUM ? compare_word (self, column, test)
                                         : compare_string (self, column, test);
}
