/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-rewrite.h"

#include <string.h>

#include "weft-query-private.h"
#include "weft-sql-groups.h"
#include "weft-sql-where.h"

/* Rows that are sorted for their LIMIT, at most, and rows that are worth it, at least. */
#define MAX_LIMIT 100000
#define MIN_ROWS 4096

struct _WeftSqlRewriting
{
  sqlite3 *database;
  WeftSqlSource *source;
  GVariant *parameters;
  GArray *tokens;
  GArray *types; /* gint: WeftValueType of each column, or -1 */
  GString *text; /* or NULL */
  GString *told;
  guint n_answers;
  gboolean has_changed;
  GError *error;
};

#define TOKEN(tokens, i) WEFT_SQL_TOKEN (tokens, i)

void
weft_sql_rewriting_free (WeftSqlRewriting *self)
{
  const sqlite3_api_routines *sqlite3_api = self->source->api;

  /* The tables of answers go with their modules. */
  for (guint i = 0; i < self->n_answers; i++)
    {
      g_autofree char *name = g_strdup_printf ("weft_answer_%u", i + 1);

      sqlite3_create_module_v2 (self->database, name, NULL, NULL, NULL);
    }
  g_clear_pointer (&self->tokens, g_array_unref);
  g_array_unref (self->types);
  g_string_free (self->text, TRUE);
  g_string_free (self->told, TRUE);
  g_clear_error (&self->error);
  g_clear_pointer (&self->parameters, g_variant_unref);
  weft_sql_source_unref (self->source);
  g_free (self);
}

const char *
weft_sql_rewriting_get_text (const WeftSqlRewriting *self)
{
  return self->has_changed ? self->text->str : NULL;
}

const char *
weft_sql_rewriting_get_explanation (const WeftSqlRewriting *self)
{
  return self->told->str;
}

static void
append_token (GString *text, const WeftSqlToken *token)
{
  if (token->kind == WEFT_SQL_TOKEN_QUOTED)
    {
      g_string_append_c (text, '"');
      for (const char *at = token->text; *at != '\0'; at++)
        g_string_append_printf (text, "%s%c", *at == '"' ? "\"" : "", *at);
      g_string_append (text, "\" ");
      return;
    }
  g_string_append (text, token->text);
  g_string_append_c (text, ' ');
}

static void
append_tokens (GString *text, GArray *tokens, guint begin, guint end)
{
  for (guint i = begin; i < end; i++)
    append_token (text, TOKEN (tokens, i));
}

/* ---- What is put in the place of columns and aggregates ---- */

typedef enum
{
  IN_RESULT,
  IN_HAVING,
  IN_ORDER,
} Place;

/* One SELECT that is being rewritten. */
typedef struct
{
  const WeftSqlShape *shape;
  WeftStore *store;
  WeftSqlGroups groups;
  GHashTable *names; /* that items of the result are given */
  GString *text;
  guint n_cases; /* that are open */
} Select;

static gboolean
is_scalar_function (const char *name)
{
  static const char *const names[] = { "abs",     "round",     "printf", "format",  "coalesce",
                                       "ifnull",  "nullif",    "iif",    "upper",   "lower",
                                       "substr",  "substring", "length", "replace", "trim",
                                       "ltrim",   "rtrim",     "instr",  "typeof",  "hex",
                                       "quote",   "sign",      "max",    "min",     "char",
                                       "unicode", "floor",     "ceil",   NULL };

  for (guint i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (names[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* Words that stay what they are. CAST brings a type with it, and is SQLite's. */
static gboolean
is_plain_word (Select *self, const WeftSqlToken *token)
{
  static const char *const words[] = { "and",  "or",   "not",     "is",     "null",    "in",
                                       "like", "glob", "between", "isnull", "notnull", "when",
                                       "then", "else", "true",    "false",  NULL };
  static const char *const of_order[] = { "asc", "desc", "nulls", "first", "last", NULL };

  if (weft_sql_token_is_word (token, "case"))
    {
      self->n_cases++;
      return TRUE;
    }
  if (self->n_cases > 0 && weft_sql_token_is_word (token, "end"))
    {
      self->n_cases--;
      return TRUE;
    }
  for (guint i = 0; words[i] != NULL; i++)
    if (weft_sql_token_is_word (token, words[i]))
      return TRUE;
  for (guint i = 0; of_order[i] != NULL; i++)
    if (weft_sql_token_is_word (token, of_order[i]))
      return TRUE;
  return FALSE;
}

static gboolean
take_function (Select *self, guint *at)
{
  GArray *tokens = self->shape->tokens;
  WeftSqlAggregate aggregate;

  if (weft_sql_aggregate_take (self->shape, at, &aggregate))
    {
      gboolean good = weft_sql_groups_add (&self->groups, self->store, &aggregate, self->text);

      g_string_append_c (self->text, ' ');
      return good;
    }
  if (!is_scalar_function (TOKEN (tokens, *at)->text))
    return FALSE;
  append_token (self->text, TOKEN (tokens, (*at)++));
  return TRUE;
}

/* Of max and min, those with several arguments are of one row. */
static gboolean
has_one_argument (const WeftSqlShape *shape, guint at)
{
  guint depth = 0;

  for (guint i = at + 1; i < shape->end; i++)
    {
      const WeftSqlToken *token = TOKEN (shape->tokens, i);

      depth += weft_sql_token_is_sign (token, "(");
      depth -= weft_sql_token_is_sign (token, ")");
      if (depth == 0)
        return TRUE;
      if (depth == 1 && weft_sql_token_is_sign (token, ","))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_aggregate (const WeftSqlShape *shape, guint at)
{
  const WeftSqlToken *name = TOKEN (shape->tokens, at);

  return name->kind == WEFT_SQL_TOKEN_WORD &&
         weft_sql_token_is_sign (TOKEN (shape->tokens, at + 1), "(") &&
         weft_sql_aggregate_is_name (name->text) &&
         ((!weft_sql_token_is_word (name, "max") && !weft_sql_token_is_word (name, "min")) ||
          has_one_argument (shape, at));
}

/* Whether the name at AT is all that a part of the order consists of: then it may be an item's. */
static gboolean
is_whole_term (const WeftSqlShape *shape, guint at)
{
  const WeftSqlToken *next = TOKEN (shape->tokens, at + 1);

  return (at == shape->order.begin ||
          weft_sql_token_is_sign (TOKEN (shape->tokens, at - 1), ",")) &&
         (at + 1 == shape->order.end || weft_sql_token_is_sign (next, ",") ||
          weft_sql_token_is_word (next, "asc") || weft_sql_token_is_word (next, "desc") ||
          weft_sql_token_is_word (next, "nulls"));
}

/* A name: a key's column, or, but for the result, the name of an item. */
static gboolean
take_name (Select *self, Place place, guint *at)
{
  GArray *tokens = self->shape->tokens;
  const WeftSqlToken *token = TOKEN (tokens, *at);
  int column, key;

  if (weft_sql_token_is_sign (TOKEN (tokens, *at + 1), "("))
    {
      if (is_aggregate (self->shape, *at) || is_scalar_function (token->text))
        return take_function (self, at);
      if (!weft_sql_token_is_word (token, "in") && !is_plain_word (self, token))
        return FALSE;
      append_token (self->text, token);
      (*at)++;
      return TRUE;
    }
  if (self->n_cases > 0 && weft_sql_token_is_word (token, "end"))
    {
      self->n_cases--;
      append_token (self->text, token);
      (*at)++;
      return TRUE;
    }
  if (place == IN_ORDER && is_whole_term (self->shape, *at) &&
      g_hash_table_contains (self->names, token->text))
    {
      append_token (self->text, token);
      (*at)++;
      return TRUE;
    }
  column = weft_sql_shape_take_column (self->shape, at);
  if (column >= 0)
    {
      key = weft_sql_groups_find_key (&self->groups, column);
      g_string_append_printf (self->text, "\"k%d\" ", key);
      return key >= 0;
    }
  if (!is_plain_word (self, token) &&
      (place == IN_RESULT || !g_hash_table_contains (self->names, token->text)))
    return FALSE;
  append_token (self->text, token);
  (*at)++;
  return TRUE;
}

static gboolean
take_span (Select *self, Place place, const WeftSqlSpan *span)
{
  GArray *tokens = self->shape->tokens;
  guint at = span->begin;

  while (at < span->end)
    {
      const WeftSqlToken *token = TOKEN (tokens, at);

      if (weft_sql_token_is_word (token, "collate") || weft_sql_token_is_word (token, "cast"))
        return FALSE;
      if (weft_sql_token_is_name (token))
        {
          if (!take_name (self, place, &at))
            return FALSE;
          continue;
        }
      append_token (self->text, token);
      at++;
    }
  return self->n_cases == 0;
}

/* ---- Keys ---- */

/* An item of the result by its number or name. */
static int
find_item_column (const WeftSqlShape *shape, GArray *items, const WeftSqlSpan *span)
{
  const WeftSqlToken *token = TOKEN (shape->tokens, span->begin);
  guint64 number = 0;

  if (span->end - span->begin != 1)
    return -1;
  if (token->kind == WEFT_SQL_TOKEN_NUMBER &&
      !g_ascii_string_to_unsigned (token->text, 10, 1, items->len, &number, NULL))
    return -1;
  for (guint i = 0; i < items->len; i++)
    {
      const char *name;
      WeftSqlSpan inner =
          weft_sql_shape_read_item (shape, &g_array_index (items, WeftSqlSpan, i), &name);

      if (number == i + 1 || (number == 0 && weft_sql_token_is_name (token) && name != NULL &&
                              g_ascii_strcasecmp (name, token->text) == 0))
        return weft_sql_shape_get_column (shape, &inner);
    }
  return -1;
}

static gboolean
read_keys (Select *self, GArray *items)
{
  g_autoptr (GArray) parts = weft_sql_shape_split (self->shape, &self->shape->group);

  for (guint i = 0; i < parts->len; i++)
    {
      const WeftSqlSpan *part = &g_array_index (parts, WeftSqlSpan, i);
      int column = weft_sql_shape_get_column (self->shape, part);

      if (column < 0)
        column = find_item_column (self->shape, items, part);
      if (!weft_sql_groups_add_key (&self->groups, self->store, column))
        return FALSE;
    }
  return TRUE;
}

/* Of SELECT DISTINCT, each column is a key. */
static gboolean
read_distinct (Select *self, GArray *items)
{
  for (guint i = 0; i < items->len; i++)
    {
      const char *name;
      WeftSqlSpan inner =
          weft_sql_shape_read_item (self->shape, &g_array_index (items, WeftSqlSpan, i), &name);

      if (!weft_sql_groups_add_key (&self->groups, self->store,
                                    weft_sql_shape_get_column (self->shape, &inner)))
        return FALSE;
    }
  return TRUE;
}

/* ---- One SELECT with aggregates ---- */

static char *
copy_source (const WeftSqlRewriting *self, const char *source, const WeftSqlSpan *span)
{
  gsize begin = TOKEN (self->tokens, span->begin)->begin;

  return g_strndup (source + begin, TOKEN (self->tokens, span->end - 1)->end - begin);
}

/* Items keep the names that they have without being given any. */
static gboolean
append_items (WeftSqlRewriting *self, Select *select, GArray *items, const char *source)
{
  for (guint i = 0; i < items->len; i++)
    {
      const char *given;
      WeftSqlSpan inner =
          weft_sql_shape_read_item (select->shape, &g_array_index (items, WeftSqlSpan, i), &given);
      int column = weft_sql_shape_get_column (select->shape, &inner);
      g_autofree char *name = NULL;

      if (given == NULL)
        name = column >= 0 ? g_strdup (TOKEN (self->tokens, inner.end - 1)->text)
                           : copy_source (self, source, &inner);
      else if (TOKEN (self->tokens, inner.end)->kind == WEFT_SQL_TOKEN_STRING ||
               g_array_index (items, WeftSqlSpan, i).end - inner.end > 2)
        return FALSE;
      g_string_append (select->text, i > 0 ? ", " : "");
      if (weft_sql_token_is_sign (TOKEN (self->tokens, inner.begin), "*") ||
          !take_span (select, IN_RESULT, &inner))
        return FALSE;
      g_string_append (select->text, "AS ");
      append_token (select->text,
                    &(WeftSqlToken){ WEFT_SQL_TOKEN_QUOTED, name ? name : (char *) given, 0, 0 });
    }
  return TRUE;
}

static gboolean
append_clauses (WeftSqlRewriting *self, Select *select)
{
  const WeftSqlShape *shape = select->shape;

  g_string_append_printf (select->text, "FROM weft_answer_%u ", self->n_answers + 1);
  if (shape->having.begin > 0)
    {
      g_string_append (select->text, "WHERE ");
      if (!take_span (select, IN_HAVING, &shape->having))
        return FALSE;
    }
  if (shape->order.begin > 0)
    {
      g_string_append (select->text, "ORDER BY ");
      if (!take_span (select, IN_ORDER, &shape->order))
        return FALSE;
    }
  if (shape->limit.begin > 0)
    {
      g_string_append (select->text, "LIMIT ");
      append_tokens (select->text, self->tokens, shape->limit.begin, shape->limit.end);
    }
  return TRUE;
}

static void
collect_names (Select *self, GArray *items)
{
  for (guint i = 0; i < items->len; i++)
    {
      const char *name;

      weft_sql_shape_read_item (self->shape, &g_array_index (items, WeftSqlSpan, i), &name);
      if (name != NULL)
        g_hash_table_add (self->names, (gpointer) name);
    }
}

static gboolean
has_aggregates (const WeftSqlShape *shape, const WeftSqlSpan *span)
{
  for (guint at = span->begin; at < span->end; at++)
    if (is_aggregate (shape, at))
      return TRUE;
  return FALSE;
}

/* The question as the engine is asked it, for people. */
static void
tell (WeftSqlRewriting *self, const Select *select)
{
  g_string_append_printf (self->told, "engine: %s",
                          weft_model_get_table (select->shape->columns->table)->name);
  for (guint i = 0; i < select->groups.keys->len; i++)
    g_string_append_printf (
        self->told, "%s%s", i == 0 ? " by " : ", ",
        select->shape->columns->columns[g_array_index (select->groups.keys, guint, i)].expression);
  g_string_append_printf (self->told, ", %u aggregate%s%s\n", select->groups.aggregates->len,
                          select->groups.aggregates->len == 1 ? "" : "s",
                          select->shape->where.begin > 0 ? ", with its conditions" : "");
}

/* The rows that fit; FALSE: the engine cannot tell. */
static gboolean
read_where (WeftSqlRewriting *self, const WeftSqlShape *shape, WeftSqlConditions *conditions,
            WeftPredicate **condition)
{
  const sqlite3_api_routines *sqlite3_api = self->source->api;
  const WeftSqlPatterns patterns = { sqlite3_api->strlike, sqlite3_api->strglob };
  const WeftSqlConstants constants = { self->database, self->parameters };

  *condition = NULL;
  weft_sql_conditions_init (conditions, self->source->store, shape->columns, &patterns);
  if (shape->where.begin == 0)
    return TRUE;
  *condition = weft_sql_where_read (shape, &constants, conditions);
  return *condition != NULL;
}

static gboolean
add_answer (WeftSqlRewriting *self, WeftSqlAnswer *answer)
{
  const sqlite3_api_routines *sqlite3_api = self->source->api;
  g_autofree char *name = g_strdup_printf ("weft_answer_%u", self->n_answers + 1);

  self->n_answers++;
  return sqlite3_create_module_v2 (self->database, name, &weft_sql_answer_module,
                                   weft_sql_answer_table_new (self->source, answer),
                                   weft_sql_answer_table_free) == SQLITE_OK;
}

static gboolean
ask (WeftSqlRewriting *self, Select *select)
{
  WeftSqlConditions conditions;
  WeftPredicate *condition;
  WeftSqlAnswer *answer = NULL;

  if (read_where (self, select->shape, &conditions, &condition))
    answer = weft_sql_groups_run (&select->groups, self->source, condition, &self->error);
  weft_sql_conditions_clear (&conditions);
  return answer != NULL && add_answer (self, answer);
}

static gboolean
rewrite_select (WeftSqlRewriting *self, Select *select, GArray *items, const char *source)
{
  const WeftSqlShape *shape = select->shape;
  const WeftSqlAggregate rows = { WEFT_SQL_COUNT_ROWS, -1, NULL };
  g_autoptr (GString) unused = g_string_new (NULL);

  collect_names (select, items);
  if (!(shape->is_distinct ? read_distinct (select, items) : read_keys (select, items)))
    return FALSE;
  g_string_append (select->text, "SELECT ");
  if (!append_items (self, select, items, source) || !append_clauses (self, select))
    return FALSE;
  /* The engine wants something to be aggregated. */
  if (select->groups.aggregates->len == 0)
    weft_sql_groups_add (&select->groups, select->store, &rows, unused);
  return ask (self, select);
}

static gboolean
rewrite_groups (WeftSqlRewriting *self, const WeftSqlShape *shape, const char *source)
{
  g_autoptr (GArray) items = weft_sql_shape_split (shape, &shape->result);
  gboolean is_grouped = shape->group.begin > 0;
  gboolean aggregates = has_aggregates (shape, &shape->result);
  Select select = { .shape = shape, .store = self->source->store };
  gboolean good;

  if (shape->is_distinct ? is_grouped || aggregates : !is_grouped && !aggregates)
    return FALSE;
  if (shape->having.begin > 0 && !is_grouped)
    return FALSE;
  weft_sql_groups_init (&select.groups, shape->columns);
  select.names = g_hash_table_new (g_str_hash, g_str_equal);
  select.text = g_string_new (NULL);
  good = rewrite_select (self, &select, items, source);
  if (good)
    {
      g_string_append (self->text, select.text->str);
      tell (self, &select);
    }
  g_string_free (select.text, TRUE);
  g_hash_table_unref (select.names);
  weft_sql_groups_clear (&select.groups);
  return good;
}

/* ---- The first rows of an order ---- */

/* How many rows are sorted: those that are given and those that are passed over. */
static gboolean
read_limit (WeftSqlRewriting *self, const WeftSqlShape *shape, guint *n)
{
  const WeftSqlConstants constants = { self->database, self->parameters };
  WeftSqlSpan first = shape->limit;
  WeftSqlSpan second = { 0, 0 };
  WeftSqlScalar limit = { .kind = WEFT_SQL_NULL };
  WeftSqlScalar offset = { .kind = WEFT_SQL_INTEGER };
  gboolean good;

  for (guint i = shape->limit.begin; i < shape->limit.end; i++)
    if (weft_sql_token_is_word (TOKEN (self->tokens, i), "offset") ||
        weft_sql_token_is_sign (TOKEN (self->tokens, i), ","))
      {
        first.end = i;
        second = (WeftSqlSpan){ i + 1, shape->limit.end };
      }
  good = weft_sql_constants_read (&constants, shape, &first, &limit) &&
         (second.begin == 0 || weft_sql_constants_read (&constants, shape, &second, &offset)) &&
         limit.kind == WEFT_SQL_INTEGER && offset.kind == WEFT_SQL_INTEGER && limit.integer > 0 &&
         offset.integer >= 0 && limit.integer <= MAX_LIMIT && offset.integer <= MAX_LIMIT;
  if (good)
    *n = (guint) (limit.integer + offset.integer);
  weft_sql_scalar_clear (&limit);
  weft_sql_scalar_clear (&offset);
  return good;
}

/* The column that comes first in the order, and which way; -1: it is more than a column. */
static int
read_order (const WeftSqlShape *shape, gboolean *descending)
{
  g_autoptr (GArray) parts = weft_sql_shape_split (shape, &shape->order);
  g_autoptr (GArray) items = weft_sql_shape_split (shape, &shape->result);
  WeftSqlSpan first = g_array_index (parts, WeftSqlSpan, 0);
  const WeftSqlToken *last = TOKEN (shape->tokens, first.end - 1);
  int named;

  *descending = weft_sql_token_is_word (last, "desc");
  if (*descending || weft_sql_token_is_word (last, "asc"))
    first.end--;
  named = find_item_column (shape, items, &first);
  return named >= 0 ? named : weft_sql_shape_get_column (shape, &first);
}

static gboolean
can_bound (const WeftSqlShape *shape, WeftStore *store, int column, gboolean descending)
{
  const WeftSqlColumn *of = column >= 0 ? &shape->columns->columns[column] : NULL;

  return of != NULL && of->form == WEFT_SQL_VALUE && weft_value_type_is_number (of->type) &&
         of->type != WEFT_VALUE_DOUBLE && (descending || !of->is_nullable) &&
         weft_sql_column_fits (of, shape->columns->table, store);
}

/* The last value that is among the N first. FALSE: there are not as many. */
static gboolean
find_bound (WeftSqlRewriting *self, const WeftSqlShape *shape, const char *expression,
            gboolean descending, guint n, gint64 *bound)
{
  g_autoptr (WeftQuery) query =
      weft_query_new (weft_model_get_table (shape->columns->table)->name, NULL);
  g_autoptr (WeftTable) table = NULL;
  WeftSqlConditions conditions;
  WeftPredicate *condition;

  weft_query_select (query, expression, "value", NULL);
  weft_query_order_by (query, expression, descending, NULL);
  weft_query_set_limit (query, n);
  if (read_where (self, shape, &conditions, &condition))
    table = weft_query_run_on (query, self->source->store, condition, self->source->cancellable,
                               &self->error);
  weft_sql_conditions_clear (&conditions);
  if (table == NULL || weft_table_get_n_rows (table) < n || weft_table_is_null (table, 0, n - 1))
    return FALSE;
  *bound = (gint64) weft_table_get_uint64 (table, 0, n - 1);
  return TRUE;
}

static gboolean
rewrite_order (WeftSqlRewriting *self, const WeftSqlShape *shape)
{
  gboolean descending;
  int column;
  guint n;
  gint64 bound;
  const char *name;

  if (shape->order.begin == 0 || shape->limit.begin == 0 || shape->group.begin > 0 ||
      shape->having.begin > 0 || shape->is_distinct || has_aggregates (shape, &shape->result) ||
      weft_store_get_n_rows (self->source->store, shape->columns->table) < MIN_ROWS)
    return FALSE;
  column = read_order (shape, &descending);
  if (!can_bound (shape, self->source->store, column, descending) || !read_limit (self, shape, &n))
    return FALSE;
  name = shape->columns->columns[column].expression;
  if (!find_bound (self, shape, name, descending, n, &bound))
    return FALSE;
  append_tokens (self->text, self->tokens, shape->select, shape->from.end);
  g_string_append (self->text, "WHERE ");
  if (shape->where.begin > 0)
    {
      g_string_append (self->text, "( ");
      append_tokens (self->text, self->tokens, shape->where.begin, shape->where.end);
      g_string_append (self->text, ") AND ");
    }
  append_token (self->text, &(WeftSqlToken){ WEFT_SQL_TOKEN_QUOTED, shape->name, 0, 0 });
  g_string_append (self->text, ". ");
  append_token (self->text,
                &(WeftSqlToken){ WEFT_SQL_TOKEN_QUOTED,
                                 (char *) weft_sql_shape_name_column (shape, column), 0, 0 });
  g_string_append_printf (self->text, "%s %" G_GINT64_FORMAT " ", descending ? ">=" : "<=", bound);
  append_tokens (self->text, self->tokens,
                 shape->where.begin > 0 ? shape->where.end : shape->from.end, shape->end);
  g_string_append_printf (self->told, "engine: the first %u by %s end with %" G_GINT64_FORMAT "\n",
                          n, name, bound);
  return TRUE;
}

/* ---- The question ---- */

/* Of the outermost SELECT, what its items are where they are aggregates. */
static void
read_types (WeftSqlRewriting *self, const WeftSqlShape *shape)
{
  g_autoptr (GArray) items = weft_sql_shape_split (shape, &shape->result);

  for (guint i = 0; i < items->len; i++)
    {
      const char *name;
      WeftSqlSpan inner =
          weft_sql_shape_read_item (shape, &g_array_index (items, WeftSqlSpan, i), &name);
      guint at = inner.begin;
      WeftSqlAggregate aggregate;
      WeftValueType type;
      int known = -1;

      if (is_aggregate (shape, at) && weft_sql_aggregate_take (shape, &at, &aggregate) &&
          at == inner.end && weft_sql_aggregate_get_type (&aggregate, shape->columns, &type))
        known = (int) type;
      g_array_append_val (self->types, known);
    }
}

static void
rewrite_at (WeftSqlRewriting *self, guint *at, const char *source, gboolean enabled)
{
  g_auto (WeftSqlShape) shape = { 0 };

  if (!weft_sql_shape_read (&shape, self->tokens, *at))
    return;
  if (*at == 0)
    read_types (self, &shape);
  if (enabled && self->error == NULL &&
      (rewrite_groups (self, &shape, source) || rewrite_order (self, &shape)))
    {
      *at = shape.end;
      self->has_changed = TRUE;
    }
}

WeftSqlRewriting *
weft_sql_rewrite (sqlite3 *database, WeftSqlSource *source, const char *text, GVariant *parameters,
                  gboolean enabled, GError **error)
{
  g_autoptr (WeftSqlRewriting) self = g_new0 (WeftSqlRewriting, 1);

  self->database = database;
  self->source = weft_sql_source_ref (source);
  self->parameters = parameters != NULL ? g_variant_ref (parameters) : NULL;
  self->types = g_array_new (FALSE, FALSE, sizeof (int));
  self->text = g_string_new (NULL);
  self->told = g_string_new (NULL);
  self->tokens = weft_sql_lexer_read (text);
  for (guint at = 0; self->tokens != NULL && at + 1 < self->tokens->len;)
    {
      guint before = at;

      if (weft_sql_token_is_word (TOKEN (self->tokens, at), "select"))
        rewrite_at (self, &at, text, enabled);
      if (at == before)
        append_token (self->text, TOKEN (self->tokens, at++));
    }
  if (self->error == NULL)
    return g_steal_pointer (&self);
  g_propagate_error (error, g_steal_pointer (&self->error));
  return NULL;
}

void
weft_sql_rewriting_type_columns (const WeftSqlRewriting *self, WeftSqlResult *result)
{
  for (guint i = 0; i < self->types->len; i++)
    if (g_array_index (self->types, int, i) >= 0)
      weft_sql_result_set_type (result, i, (WeftValueType) g_array_index (self->types, int, i));
}
