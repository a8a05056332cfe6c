/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-groups.h"

#include <string.h>

#include "weft-query-private.h"
#include "weft-sql-functions.h"

/* Sums of doubles are exact up to here. */
#define EXACT (G_GINT64_CONSTANT (1) << 53)

static const struct
{
  const char *name;
  WeftSqlFunction function;
} functions[] = {
  { "count", WEFT_SQL_COUNT }, { "sum", WEFT_SQL_SUM }, { "total", WEFT_SQL_TOTAL },
  { "avg", WEFT_SQL_AVERAGE }, { "min", WEFT_SQL_MIN }, { "max", WEFT_SQL_MAX },
};

void
weft_sql_groups_init (WeftSqlGroups *self, const WeftSqlColumns *columns)
{
  self->columns = columns;
  self->keys = g_array_new (FALSE, FALSE, sizeof (guint));
  self->aggregates = g_array_new (FALSE, FALSE, sizeof (WeftSqlAggregate));
}

void
weft_sql_groups_clear (WeftSqlGroups *self)
{
  g_clear_pointer (&self->keys, g_array_unref);
  g_clear_pointer (&self->aggregates, g_array_unref);
}

/* ---- Reading ---- */

static gboolean
find_function (const char *name, WeftSqlAggregate *aggregate)
{
  const WeftSqlPercentile *percentile = weft_sql_functions_find (name);

  *aggregate = (WeftSqlAggregate){ WEFT_SQL_PERCENTILE, -1, NULL };
  if (percentile != NULL)
    {
      aggregate->name = percentile->aggregate;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (g_ascii_strcasecmp (functions[i].name, name) == 0)
      {
        aggregate->function = functions[i].function;
        return TRUE;
      }
  return FALSE;
}

gboolean
weft_sql_aggregate_is_name (const char *name)
{
  static const char *const others[] = { "group_concat", "string_agg", "json_group_array",
                                        "json_group_object", NULL };
  WeftSqlAggregate aggregate;

  for (guint i = 0; others[i] != NULL; i++)
    if (g_ascii_strcasecmp (others[i], name) == 0)
      return TRUE;
  return find_function (name, &aggregate);
}

gboolean
weft_sql_aggregate_take (const WeftSqlShape *shape, guint *at, WeftSqlAggregate *aggregate)
{
  guint next = *at;
  const WeftSqlToken *name = WEFT_SQL_TOKEN (shape->tokens, next++);

  if (name->kind != WEFT_SQL_TOKEN_WORD || !find_function (name->text, aggregate) ||
      !weft_sql_token_is_sign (WEFT_SQL_TOKEN (shape->tokens, next++), "("))
    return FALSE;
  if (aggregate->function == WEFT_SQL_COUNT &&
      weft_sql_token_is_sign (WEFT_SQL_TOKEN (shape->tokens, next), "*"))
    {
      aggregate->function = WEFT_SQL_COUNT_ROWS;
      next++;
    }
  else
    {
      if (aggregate->function == WEFT_SQL_COUNT &&
          weft_sql_token_is_word (WEFT_SQL_TOKEN (shape->tokens, next), "distinct"))
        {
          aggregate->function = WEFT_SQL_COUNT_DISTINCT;
          next++;
        }
      aggregate->column = weft_sql_shape_take_column (shape, &next);
      if (aggregate->column < 0)
        return FALSE;
    }
  if (!weft_sql_token_is_sign (WEFT_SQL_TOKEN (shape->tokens, next), ")"))
    return FALSE;
  next++;
  if (weft_sql_token_is_word (WEFT_SQL_TOKEN (shape->tokens, next), "filter") ||
      weft_sql_token_is_word (WEFT_SQL_TOKEN (shape->tokens, next), "over"))
    return FALSE;
  *at = next;
  return TRUE;
}

gboolean
weft_sql_aggregate_get_type (const WeftSqlAggregate *self, const WeftSqlColumns *columns,
                             WeftValueType *type)
{
  gboolean is_duration, is_time;

  if (self->column < 0)
    return FALSE;
  *type = columns->columns[self->column].type;
  is_duration = *type == WEFT_VALUE_DURATION;
  is_time = *type == WEFT_VALUE_TIME;
  switch (self->function)
    {
    case WEFT_SQL_SUM:
      return is_duration;
    case WEFT_SQL_AVERAGE:
    case WEFT_SQL_TOTAL:
      *type = WEFT_VALUE_DOUBLE;
      return is_duration;
    case WEFT_SQL_MIN:
    case WEFT_SQL_MAX:
    case WEFT_SQL_PERCENTILE:
      return is_duration || is_time;
    default:
      return FALSE;
    }
}

/* ---- What the engine can do ---- */

static gboolean
is_plain (const WeftSqlColumn *column)
{
  return column->form == WEFT_SQL_VALUE || column->form == WEFT_SQL_CODE;
}

static gboolean
is_known (const WeftSqlGroups *self, WeftStore *store, int column)
{
  const WeftSqlColumn *of = &self->columns->columns[column];

  return is_plain (of) && of->type != WEFT_VALUE_DOUBLE &&
         weft_sql_column_fits (of, self->columns->table, store);
}

gboolean
weft_sql_groups_add_key (WeftSqlGroups *self, WeftStore *store, int column)
{
  guint key = (guint) column;

  if (column < 0 || !is_known (self, store, column))
    return FALSE;
  if (weft_sql_groups_find_key (self, column) < 0)
    g_array_append_val (self->keys, key);
  return TRUE;
}

int
weft_sql_groups_find_key (const WeftSqlGroups *self, int column)
{
  for (guint i = 0; i < self->keys->len; i++)
    if ((int) g_array_index (self->keys, guint, i) == column)
      return (int) i;
  return -1;
}

/* Whether no sum on the way to the last runs over, and means are of whole numbers from nought on.
 */
static gboolean
can_sum (const WeftSqlGroups *self, WeftStore *store, const WeftSqlAggregate *aggregate)
{
  const WeftSqlColumn *column = &self->columns->columns[aggregate->column];
  gint64 most = G_MAXINT64;
  gint64 n = (gint64) weft_store_get_n_rows (store, self->columns->table);

  if (!weft_value_type_is_number (column->type))
    return FALSE;
  if (column->type != WEFT_VALUE_INT64 && column->type != WEFT_VALUE_TIME)
    return TRUE;
  most = n > 0 ? G_MAXINT64 / n : most;
  return weft_sql_column_lies_within (column, self->columns->table, store,
                                      aggregate->function == WEFT_SQL_SUM ? -most : 0, most);
}

static gboolean
can_aggregate (const WeftSqlGroups *self, WeftStore *store, const WeftSqlAggregate *aggregate)
{
  WeftValueType type;

  if (aggregate->function == WEFT_SQL_COUNT_ROWS)
    return TRUE;
  if (!is_known (self, store, aggregate->column))
    return FALSE;
  type = self->columns->columns[aggregate->column].type;
  switch (aggregate->function)
    {
    case WEFT_SQL_COUNT:
      return TRUE;
    case WEFT_SQL_COUNT_DISTINCT:
      /* Two strings of a file may have one text. */
      return type != WEFT_VALUE_STRING;
    case WEFT_SQL_SUM:
    case WEFT_SQL_TOTAL:
    case WEFT_SQL_AVERAGE:
      return can_sum (self, store, aggregate);
    default:
      return weft_value_type_is_number (type) && type != WEFT_VALUE_BOOLEAN;
    }
}

/* The place of an aggregate, which is added if it is new. */
static guint
add_aggregate (WeftSqlGroups *self, WeftSqlFunction function, int column, const char *name)
{
  const WeftSqlAggregate added = { function, column, name };

  for (guint i = 0; i < self->aggregates->len; i++)
    {
      const WeftSqlAggregate *known = &g_array_index (self->aggregates, WeftSqlAggregate, i);

      if (known->function == function && known->column == column &&
          g_strcmp0 (known->name, name) == 0)
        return i;
    }
  g_array_append_val (self->aggregates, added);
  return self->aggregates->len - 1;
}

gboolean
weft_sql_groups_add (WeftSqlGroups *self, WeftStore *store, const WeftSqlAggregate *aggregate,
                     GString *text)
{
  int column = aggregate->column;

  if (!can_aggregate (self, store, aggregate))
    return FALSE;
  /* Counted for each, so that sums of nothing are null. */
  if (column >= 0)
    add_aggregate (self, WEFT_SQL_COUNT, column, NULL);
  switch (aggregate->function)
    {
    case WEFT_SQL_AVERAGE:
      g_string_append_printf (text, "(\"a%u\" * 1.0 / \"a%u\")",
                              add_aggregate (self, WEFT_SQL_AVERAGE, column, NULL),
                              add_aggregate (self, WEFT_SQL_COUNT, column, NULL));
      break;
    case WEFT_SQL_TOTAL:
      g_string_append_printf (text, "(coalesce(\"a%u\", 0) * 1.0)",
                              add_aggregate (self, WEFT_SQL_AVERAGE, column, NULL));
      break;
    default:
      g_string_append_printf (text, "\"a%u\"",
                              add_aggregate (self, aggregate->function, column, aggregate->name));
      break;
    }
  return TRUE;
}

/* ---- Asking ---- */

static char *
print_aggregate (const WeftSqlGroups *self, const WeftSqlAggregate *aggregate)
{
  const char *of =
      aggregate->column >= 0 ? self->columns->columns[aggregate->column].expression : NULL;

  switch (aggregate->function)
    {
    case WEFT_SQL_COUNT_ROWS:
      return g_strdup ("count()");
    case WEFT_SQL_COUNT:
      return g_strdup_printf ("count(%s)", of);
    case WEFT_SQL_COUNT_DISTINCT:
      return g_strdup_printf ("count_distinct(%s)", of);
    case WEFT_SQL_MIN:
      return g_strdup_printf ("min(%s)", of);
    case WEFT_SQL_MAX:
      return g_strdup_printf ("max(%s)", of);
    case WEFT_SQL_PERCENTILE:
      return g_strdup_printf ("%s(%s)", aggregate->name, of);
    default:
      return g_strdup_printf ("sum(%s)", of);
    }
}

static WeftQuery *
make_query (const WeftSqlGroups *self, GError **error)
{
  g_autoptr (WeftQuery) query =
      weft_query_new (weft_model_get_table (self->columns->table)->name, error);

  for (guint i = 0; i < self->keys->len; i++)
    {
      const WeftSqlColumn *column = &self->columns->columns[g_array_index (self->keys, guint, i)];
      g_autofree char *name = g_strdup_printf ("k%u", i);

      if (!weft_query_group_by (query, column->expression, name, error))
        return NULL;
    }
  for (guint i = 0; i < self->aggregates->len; i++)
    {
      g_autofree char *name = g_strdup_printf ("a%u", i);
      g_autofree char *text =
          print_aggregate (self, &g_array_index (self->aggregates, WeftSqlAggregate, i));

      if (!weft_query_select (query, text, name, error))
        return NULL;
    }
  return g_steal_pointer (&query);
}

/* The column of the answer that counts the values of a column. */
static int
find_count (const WeftSqlGroups *self, int column)
{
  for (guint i = 0; i < self->aggregates->len; i++)
    {
      const WeftSqlAggregate *aggregate = &g_array_index (self->aggregates, WeftSqlAggregate, i);

      if (aggregate->function == WEFT_SQL_COUNT && aggregate->column == column)
        return (int) (self->keys->len + i);
    }
  return -1;
}

static void
add_columns (const WeftSqlGroups *self, WeftSqlAnswer *answer)
{
  for (guint i = 0; i < self->keys->len; i++)
    {
      const WeftSqlColumn *column = &self->columns->columns[g_array_index (self->keys, guint, i)];
      g_autofree char *name = g_strdup_printf ("k%u", i);

      weft_sql_answer_columns_add (answer->columns, name, weft_sql_column_get_affinity (column), i,
                                   -1, column->form == WEFT_SQL_CODE);
    }
  for (guint i = 0; i < self->aggregates->len; i++)
    {
      const WeftSqlAggregate *aggregate = &g_array_index (self->aggregates, WeftSqlAggregate, i);
      g_autofree char *name = g_strdup_printf ("a%u", i);
      gboolean counts = aggregate->function <= WEFT_SQL_COUNT_DISTINCT;

      /* Like an expression, it has no affinity. */
      weft_sql_answer_columns_add (answer->columns, name, "", self->keys->len + i,
                                   counts ? -1 : find_count (self, aggregate->column), FALSE);
    }
}

/* ---- Whether SQLite's answer would be the same ---- */

/* Sums are whole numbers that do not run over on the way; those of which means are made are exact
 * as doubles.
 */
static gboolean
is_sum_same (WeftTable *table, guint column, gint64 limit)
{
  WeftValueType type = weft_table_get_column_type (table, column);
  gboolean is_signed = type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME;

  if (type == WEFT_VALUE_DOUBLE)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      guint64 value =
          weft_table_is_null (table, column, row) ? 0 : weft_table_get_uint64 (table, column, row);

      if ((!is_signed || limit == EXACT) && value > (guint64) limit)
        return FALSE;
    }
  return TRUE;
}

/* Strings of a file that are apart may be equal. */
static gboolean
is_key_same (WeftTable *table, guint column)
{
  g_autoptr (GHashTable) seen = NULL;
  const char *const *words;

  if (weft_table_get_column_type (table, column) != WEFT_VALUE_STRING)
    return TRUE;
  seen = g_hash_table_new (g_str_hash, g_str_equal);
  words = weft_table_get_column_dictionary (table, column);
  for (guint i = 0; words != NULL && words[i] != NULL; i++)
    if (!g_hash_table_add (seen, (gpointer) words[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_same (const WeftSqlGroups *self, WeftTable *table)
{
  for (guint i = 0; i < self->keys->len; i++)
    if (!is_key_same (table, i))
      return FALSE;
  for (guint i = 0; i < self->aggregates->len; i++)
    {
      const WeftSqlAggregate *aggregate = &g_array_index (self->aggregates, WeftSqlAggregate, i);
      guint column = self->keys->len + i;

      if ((aggregate->function == WEFT_SQL_SUM && !is_sum_same (table, column, G_MAXINT64)) ||
          (aggregate->function == WEFT_SQL_AVERAGE && !is_sum_same (table, column, EXACT)))
        return FALSE;
    }
  return TRUE;
}

WeftSqlAnswer *
weft_sql_groups_run (const WeftSqlGroups *self, WeftSqlSource *source, WeftPredicate *condition,
                     GError **error)
{
  g_autoptr (WeftPredicate) taken = condition;
  g_autoptr (WeftQuery) query = make_query (self, error);
  g_autoptr (WeftTable) table = NULL;
  WeftSqlAnswer *answer;

  if (query == NULL)
    return NULL;
  table = weft_query_run_on (query, source->store, g_steal_pointer (&taken), source->cancellable,
                             error);
  if (table == NULL || !is_same (self, table))
    return NULL;
  answer = weft_sql_answer_new (g_steal_pointer (&table));
  add_columns (self, answer);
  if (self->keys->len > 0)
    weft_sql_answer_sort (answer, self->keys->len);
  return answer;
}
