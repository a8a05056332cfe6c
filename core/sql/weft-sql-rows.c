/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-rows.h"

#include <stdlib.h>
#include <string.h>

#include "weft-recording-private.h"
#include "weft-sql-cursor.h"

/* So many times a cursor is asked for rows by the value of a column before that gets an index. */
#define SEEKS_BEFORE_INDEX 4
#define MAX_CONSTRAINTS 32
#define MAX_LIST 256

typedef struct
{
  sqlite3_vtab base;
  WeftSqlSource *source;
  const WeftSqlColumns *columns;
  WeftStore *indexed; /* the view that INDEXES are of */
  WeftSqlIndex **indexes;
} RowsTable;

typedef struct
{
  sqlite3_vtab_cursor base;
  WeftSqlCursor rows;
  guint n_seeks;
} RowsCursor;

WeftSqlRowsTable *
weft_sql_rows_table_new (WeftSqlSource *source, WeftTableId table)
{
  WeftSqlRowsTable *self = g_new0 (WeftSqlRowsTable, 1);

  self->source = weft_sql_source_ref (source);
  self->table = table;
  return self;
}

void
weft_sql_rows_table_free (gpointer data)
{
  WeftSqlRowsTable *self = data;

  weft_sql_source_unref (self->source);
  g_free (self);
}

/* ---- The table ---- */

int
weft_sql_rows_connect (sqlite3 *database, WeftSqlSource *source, WeftTableId table,
                       sqlite3_vtab **made, char **error)
{
  const WeftSqlColumns *columns = weft_sql_columns_get (table);
  g_autofree char *declaration = weft_sql_columns_declare (columns);
  RowsTable *self;
  int status = weft_sql_source_declare (source, database, declaration, error);

  if (status != SQLITE_OK)
    return status;
  self = g_new0 (RowsTable, 1);
  self->source = weft_sql_source_ref (source);
  self->columns = columns;
  self->indexes = g_new0 (WeftSqlIndex *, columns->n_columns);
  *made = &self->base;
  return SQLITE_OK;
}

static int
rows_connect (sqlite3 *database, void *data, int argc, const char *const *argv, sqlite3_vtab **made,
              char **error)
{
  const WeftSqlRowsTable *table = data;
  const sqlite3_api_routines *sqlite3_api = table->source->api;

  sqlite3_vtab_config (database, SQLITE_VTAB_INNOCUOUS);
  return weft_sql_rows_connect (database, table->source, table->table, made, error);
}

static void
forget_indexes (RowsTable *self)
{
  for (guint i = 0; i < self->columns->n_columns; i++)
    g_clear_pointer (&self->indexes[i], weft_sql_index_free);
  g_clear_pointer (&self->indexed, weft_store_unref);
}

static int
rows_disconnect (sqlite3_vtab *base)
{
  RowsTable *self = (RowsTable *) base;

  forget_indexes (self);
  g_free (self->indexes);
  weft_sql_source_unref (self->source);
  g_free (self);
  return SQLITE_OK;
}

/* ---- Plans ---- */

/* A plan is a way and, as a text, the constraints whose values it wants: “COLUMN:OPERATOR ” each,
 * the operator followed by “*” where the value stands for a list.
 */

static gboolean
get_operator (int op, WeftSqlOperator *operator)
{
  switch (op)
    {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      *operator= WEFT_SQL_EQ;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_NE:
      *operator= WEFT_SQL_NE;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_LT:
      *operator= WEFT_SQL_LT;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_LE:
      *operator= WEFT_SQL_LE;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_GT:
      *operator= WEFT_SQL_GT;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_GE:
      *operator= WEFT_SQL_GE;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_ISNULL:
      *operator= WEFT_SQL_IS_NULL;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
      *operator= WEFT_SQL_NOT_NULL;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_LIKE:
      *operator= WEFT_SQL_LIKE;
      return TRUE;
    case SQLITE_INDEX_CONSTRAINT_GLOB:
      *operator= WEFT_SQL_GLOB;
      return TRUE;
    default:
      return FALSE;
    }
}

typedef struct
{
  const RowsTable *table;
  sqlite3_index_info *info;
  double n_rows;
  double n_left; /* rows that are thought to fit */
  int by_number; /* constraint that gives the number of one row, or -1 */
  int by_index;  /* constraint that an index could serve, or -1 */
  int n_arguments;
  GString *text;
} Plan;

/* Numbers are given out densely, but for those of traces. */
static gboolean
is_number (const WeftSqlColumns *columns, int column)
{
  return columns->columns[column].is_id && columns->columns[column].form == WEFT_SQL_VALUE &&
         (weft_schema_table (columns->table)->columns[0].flags & WEFT_COLUMN_KEY);
}

static gboolean
compares_bytes (const Plan *self, int constraint, WeftSqlOperator operator)
{
  const sqlite3_api_routines *sqlite3_api = self->table->source->api;

  return operator>= WEFT_SQL_IS_NULL ||
         g_ascii_strcasecmp (sqlite3_vtab_collation (self->info, constraint), "BINARY") == 0;
}

/* Rows of COLUMN that have one value. */
static double
estimate_equal (const Plan *self, int column)
{
  const WeftSqlColumn *of = &self->table->columns->columns[column];
  g_autoptr (WeftStore) store = weft_recording_ref_store (self->table->source->recording);

  if (of->reference < 0)
    return self->n_left / 10;
  return self->n_left /
         MAX (1, (double) weft_store_get_n_rows (store, (WeftTableId) of->reference));
}

static void
add_constraint (Plan *self, int constraint)
{
  const sqlite3_api_routines *sqlite3_api = self->table->source->api;
  const struct sqlite3_index_constraint *asked = &self->info->aConstraint[constraint];
  WeftSqlOperator operator;
  gboolean is_list = FALSE;

  if (!asked->usable || asked->iColumn < 0 || self->n_arguments == MAX_CONSTRAINTS ||
      !get_operator (asked->op, &operator) || !compares_bytes (self, constraint, operator))
    return;
  if (operator== WEFT_SQL_EQ && sqlite3_libversion_number () >= 3038000)
    is_list = sqlite3_vtab_in (self->info, constraint, 1);
  if (operator== WEFT_SQL_EQ && !is_list && self->by_index<0 &&
      self->table->columns->columns[asked->iColumn]
          .type == WEFT_VALUE_ID && self->table->columns->columns[asked->iColumn]
          .form == WEFT_SQL_VALUE)
    self->by_index = self->n_arguments;
  if (operator== WEFT_SQL_EQ)
    self->n_left = estimate_equal (self, asked->iColumn);
  else if (operator!= WEFT_SQL_NE && operator!= WEFT_SQL_NOT_NULL)
    self->n_left /= 3;
  g_string_append_printf (self->text, "%d:%d%s ", asked->iColumn, operator, is_list ? "*" : "");
  self->info->aConstraintUsage[constraint].argvIndex = ++self->n_arguments;
}

static int
find_number (const Plan *self)
{
  for (int i = 0; i < self->info->nConstraint; i++)
    {
      const struct sqlite3_index_constraint *asked = &self->info->aConstraint[i];

      if (asked->usable && asked->op == SQLITE_INDEX_CONSTRAINT_EQ && asked->iColumn >= 0 &&
          is_number (self->table->columns, asked->iColumn))
        return i;
    }
  return -1;
}

static WeftSqlWay
choose_order (const Plan *self)
{
  sqlite3_index_info *info = self->info;

  if (info->nOrderBy != 1 || info->aOrderBy[0].iColumn < 0 ||
      !is_number (self->table->columns, info->aOrderBy[0].iColumn))
    return WEFT_SQL_SCAN;
  info->orderByConsumed = 1;
  return info->aOrderBy[0].desc ? WEFT_SQL_DESCENDING : WEFT_SQL_ASCENDING;
}

static void
plan_one (Plan *self)
{
  sqlite3_index_info *info = self->info;

  info->aConstraintUsage[self->by_number].argvIndex = 1;
  info->idxNum = WEFT_SQL_ONE;
  info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
  info->estimatedRows = 1;
  info->estimatedCost = 5;
  info->orderByConsumed = info->nOrderBy > 0;
}

static int
plan_scan (Plan *self)
{
  const sqlite3_api_routines *sqlite3_api = self->table->source->api;
  sqlite3_index_info *info = self->info;

  for (int i = 0; i < info->nConstraint; i++)
    add_constraint (self, i);
  info->idxNum = self->by_index >= 0 ? WEFT_SQL_INDEXED : choose_order (self);
  info->estimatedRows = (sqlite3_int64) MAX (self->n_left, 1);
  info->estimatedCost = self->n_left * 2 + 10;
  if (self->by_index < 0)
    info->estimatedCost += self->n_rows * 0.1;
  info->idxStr = sqlite3_mprintf ("%d %s", MAX (self->by_index, 0), self->text->str);
  info->needToFreeIdxStr = 1;
  return info->idxStr != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

static int
rows_best_index (sqlite3_vtab *base, sqlite3_index_info *info)
{
  const RowsTable *table = (RowsTable *) base;
  g_autoptr (WeftStore) store = weft_recording_ref_store (table->source->recording);
  Plan plan = { .table = table, .info = info, .by_number = -1, .by_index = -1 };
  int status = SQLITE_OK;

  plan.n_rows = plan.n_left = (double) weft_store_get_n_rows (store, table->columns->table);
  plan.by_number = find_number (&plan);
  if (plan.by_number >= 0)
    {
      plan_one (&plan);
      return SQLITE_OK;
    }
  plan.text = g_string_new (NULL);
  status = plan_scan (&plan);
  g_string_free (plan.text, TRUE);
  return status;
}

/* ---- Cursors ---- */

static int
rows_open (sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
  const RowsTable *table = (RowsTable *) base;
  RowsCursor *self = g_new0 (RowsCursor, 1);

  weft_sql_cursor_init (&self->rows, table->source, table->columns);
  *made = &self->base;
  return SQLITE_OK;
}

static int
rows_close (sqlite3_vtab_cursor *base)
{
  RowsCursor *self = (RowsCursor *) base;

  weft_sql_cursor_clear (&self->rows);
  g_free (self);
  return SQLITE_OK;
}

static int
fail (RowsCursor *self, GError *error)
{
  self->rows.is_over = TRUE;
  return weft_sql_source_fail (self->rows.source, self->base.pVtab, error);
}

/* One of a list of values that the column may have; NULL: the engine cannot tell. */
static WeftPredicate *
new_list (RowsCursor *self, guint column, sqlite3_value *values)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  g_autoptr (WeftPredicate) any = weft_predicate_new (WEFT_PREDICATE_OR);
  sqlite3_value *value = NULL;

  for (int status = sqlite3_vtab_in_first (values, &value); status == SQLITE_OK && value != NULL;
       status = sqlite3_vtab_in_next (values, &value))
    {
      WeftSqlScalar scalar;
      WeftPredicate *one;

      weft_sql_scalar_read (sqlite3_api, value, &scalar);
      one = weft_sql_condition_new (&self->rows.conditions, column, WEFT_SQL_EQ, &scalar);
      weft_sql_scalar_clear (&scalar);
      if (one == NULL || any->children->len == MAX_LIST)
        {
          g_clear_pointer (&one, weft_predicate_free);
          return NULL;
        }
      weft_predicate_add (any, one);
    }
  return g_steal_pointer (&any);
}

static WeftPredicate *
new_condition (RowsCursor *self, guint column, WeftSqlOperator operator, sqlite3_value * value)
{
  WeftSqlScalar scalar;
  WeftPredicate *condition;

  weft_sql_scalar_read (self->rows.source->api, value, &scalar);
  condition = weft_sql_condition_new (&self->rows.conditions, column, operator, & scalar);
  weft_sql_scalar_clear (&scalar);
  return condition;
}

/* All that the engine can tell of what was asked; SQLite tests the rows again. */
static WeftPredicate *
make_predicate (RowsCursor *self, const char *text, int argc, sqlite3_value **argv)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  const WeftSqlPatterns patterns = { sqlite3_strlike, sqlite3_strglob };
  g_autoptr (WeftPredicate) all = weft_predicate_new (WEFT_PREDICATE_AND);
  char *at = strchr (text, ' ');

  weft_sql_cursor_reset (&self->rows, &patterns);
  for (int i = 0; i < argc; i++)
    {
      guint column = (guint) strtol (at, &at, 10);
      WeftSqlOperator operator= (WeftSqlOperator) strtol (at + 1, &at, 10);
      gboolean is_list = *at == '*';
      WeftPredicate *one = is_list ? new_list (self, column, argv[i])
                                   : new_condition (self, column, operator, argv[i]);

      at += is_list;
      if (one != NULL)
        weft_predicate_add (all, one);
    }
  return all->children->len > 0 ? g_steal_pointer (&all) : NULL;
}

/* The index of a column, where it is worth making; NULL: it is not, or with an error. */
static const WeftSqlIndex *
get_index (RowsCursor *self, guint column, GError **error)
{
  RowsTable *table = (RowsTable *) self->base.pVtab;
  WeftStore *store = self->rows.store;
  g_autoptr (WeftExpression) expression = NULL;

  if (table->indexed != store)
    {
      forget_indexes (table);
      table->indexed = weft_store_ref (store);
    }
  if (table->indexes[column] != NULL || self->n_seeks++ < SEEKS_BEFORE_INDEX ||
      weft_store_get_n_rows (store, table->columns->table) > WEFT_SQL_INDEX_MAX_ROWS)
    return table->indexes[column];
  expression = weft_expression_new (table->columns->table,
                                    table->columns->columns[column].expression, error);
  if (expression == NULL || !weft_expression_bind (expression, store, error))
    return NULL;
  table->indexes[column] =
      weft_sql_index_new (&self->rows.run, table->columns->table, expression, error);
  return table->indexes[column];
}

/* By the value of a column; FALSE without an error: there is no index, or not of such a value. */
static gboolean
seek (RowsCursor *self, const char *text, sqlite3_value **argv, GError **error)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  char *at;
  guint argument = (guint) strtol (text, &at, 10);
  guint column;
  const WeftSqlIndex *index;
  const WeftSqlIndexEntry *entries;
  gsize n;

  for (guint i = 0; i < argument; i++)
    at = strchr (at + 1, ' ');
  column = (guint) strtol (at, NULL, 10);
  if (sqlite3_value_type (argv[argument]) != SQLITE_INTEGER)
    return FALSE;
  index = get_index (self, column, error);
  if (index == NULL)
    return FALSE;
  entries = weft_sql_index_find (index, (guint64) sqlite3_value_int64 (argv[argument]), &n);
  return weft_sql_cursor_follow (&self->rows, entries, n, error);
}

static gboolean
find_one (RowsCursor *self, sqlite3_value *value, GError **error)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  double real;

  self->rows.is_over = TRUE;
  switch (sqlite3_value_numeric_type (value))
    {
    case SQLITE_INTEGER:
      return weft_sql_cursor_find (&self->rows, (guint64) sqlite3_value_int64 (value), error);
    case SQLITE_FLOAT:
      real = sqlite3_value_double (value);
      return !(real >= 1 && real < 4503599627370496.0) ||
             weft_sql_cursor_find (&self->rows, (guint64) real, error);
    default:
      return TRUE;
    }
}

static int
rows_filter (sqlite3_vtab_cursor *base, int way, const char *text, int argc, sqlite3_value **argv)
{
  RowsCursor *self = (RowsCursor *) base;
  GError *error = NULL;
  gboolean good;

  if (way == WEFT_SQL_ONE)
    good = find_one (self, argv[0], &error);
  else if (way == WEFT_SQL_INDEXED && (seek (self, text, argv, &error) || error != NULL))
    good = error == NULL;
  else
    good = weft_sql_cursor_scan (&self->rows,
                                 way == WEFT_SQL_INDEXED ? WEFT_SQL_SCAN : (WeftSqlWay) way,
                                 make_predicate (self, text, argc, argv), &error);
  return good ? SQLITE_OK : fail (self, error);
}

static int
rows_next (sqlite3_vtab_cursor *base)
{
  RowsCursor *self = (RowsCursor *) base;
  GError *error = NULL;

  return weft_sql_cursor_next (&self->rows, &error) ? SQLITE_OK : fail (self, error);
}

static int
rows_eof (sqlite3_vtab_cursor *base)
{
  return ((RowsCursor *) base)->rows.is_over;
}

/* ---- Values ---- */

static void
give_word (const sqlite3_api_routines *sqlite3_api, sqlite3_context *context,
           const WeftSqlColumn *column, guint64 number)
{
  char text[24];

  if (number < WEFT_SQL_N_WORDS)
    {
      sqlite3_result_text (context, column->words[number], -1, SQLITE_STATIC);
      return;
    }
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  sqlite3_result_text (context, text, -1, SQLITE_TRANSIENT);
}

static void
free_bytes (gpointer data)
{
  g_free (data);
}

static int
give_blob (RowsCursor *self, sqlite3_context *context, guint64 number)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  GError *local = NULL;
  GError *error = NULL;
  GBytes *bytes = weft_store_get_blob (self->rows.store, (guint32) number, &local);
  gsize size;
  gpointer data;

  if (bytes == NULL)
    {
      weft_propagate_store_error (&error, local);
      return fail (self, error);
    }
  data = g_bytes_unref_to_data (bytes, &size);
  if (g_utf8_validate_len (data, size, NULL))
    sqlite3_result_text64 (context, data, size, free_bytes, SQLITE_UTF8);
  else
    sqlite3_result_blob64 (context, data, size, free_bytes);
  return SQLITE_OK;
}

static int
give_value (RowsCursor *self, sqlite3_context *context, guint number, guint64 bits)
{
  const sqlite3_api_routines *sqlite3_api = self->rows.source->api;
  const WeftSqlColumn *column = &self->rows.columns->columns[number];

  switch (column->form)
    {
    case WEFT_SQL_BLOB:
      return give_blob (self, context, bits);
    case WEFT_SQL_HANDLE:
      sqlite3_result_text (context, g_strdup_printf ("%s-%" G_GUINT64_FORMAT, column->prefix, bits),
                           -1, free_bytes);
      return SQLITE_OK;
    case WEFT_SQL_CODE:
      sqlite3_result_int64 (context, (sqlite3_int64) bits);
      return SQLITE_OK;
    default:
      break;
    }
  if (column->type == WEFT_VALUE_STRING)
    sqlite3_result_text (
        context,
        weft_expression_get_text (self->rows.of_columns[number].expression, self->rows.store, bits),
        -1, SQLITE_STATIC);
  else if (column->type == WEFT_VALUE_ENUM)
    give_word (sqlite3_api, context, column, bits);
  else if (column->type == WEFT_VALUE_DOUBLE)
    sqlite3_result_double (context, weft_bits_to_double (bits));
  else
    sqlite3_result_int64 (context, (sqlite3_int64) bits);
  return SQLITE_OK;
}

static int
rows_column (sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
  RowsCursor *self = (RowsCursor *) base;
  const WeftSqlCursorColumn *of_column = &self->rows.of_columns[number];
  const WeftVector *vector = of_column->vector;
  GError *error = NULL;

  if (of_column->batch != self->rows.number)
    vector = weft_sql_cursor_evaluate (&self->rows, (guint) number, &error);
  if (vector == NULL)
    return fail (self, error);
  /* What is not given is null. */
  if (vector->has_nulls && vector->nulls[self->rows.row])
    return SQLITE_OK;
  return give_value (self, context, (guint) number, vector->values[self->rows.row]);
}

static int
rows_rowid (sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
  RowsCursor *self = (RowsCursor *) base;
  GError *error = NULL;
  guint64 number;

  if (!weft_sql_cursor_get_number (&self->rows, &number, &error))
    return fail (self, error);
  *rowid = (sqlite3_int64) number;
  return SQLITE_OK;
}

const sqlite3_module weft_sql_rows_module = {
  .xConnect = rows_connect,
  .xBestIndex = rows_best_index,
  .xDisconnect = rows_disconnect,
  .xDestroy = rows_disconnect,
  .xOpen = rows_open,
  .xClose = rows_close,
  .xFilter = rows_filter,
  .xNext = rows_next,
  .xEof = rows_eof,
  .xColumn = rows_column,
  .xRowid = rows_rowid,
};
