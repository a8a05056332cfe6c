/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-answer.h"

#include <string.h>

typedef struct
{
  sqlite3_vtab base;
  WeftSqlAnswerTable *table;
  gboolean owned;
} AnswerTable;

typedef struct
{
  sqlite3_vtab_cursor base;
  WeftSqlAnswer *made; /* or NULL: the table's is given */
  const WeftSqlAnswer *answer;
  guint row;
  guint n_rows;
} AnswerCursor;

#define COLUMN(columns, i) (&g_array_index ((columns), WeftSqlAnswerColumn, i))

/* ---- Answers ---- */

static void
column_clear (gpointer data)
{
  WeftSqlAnswerColumn *self = data;

  g_free (self->name);
}

GArray *
weft_sql_answer_columns_new (void)
{
  GArray *columns = g_array_new (FALSE, FALSE, sizeof (WeftSqlAnswerColumn));

  g_array_set_clear_func (columns, column_clear);
  return columns;
}

void
weft_sql_answer_columns_add (GArray *columns, const char *name, const char *affinity, guint column,
                             int counted_by, gboolean is_code)
{
  WeftSqlAnswerColumn added = { g_strdup (name), affinity, column, counted_by, is_code };

  g_array_append_val (columns, added);
}

WeftSqlAnswer *
weft_sql_answer_new (WeftTable *table)
{
  WeftSqlAnswer *self = g_new0 (WeftSqlAnswer, 1);

  self->table = table;
  self->columns = weft_sql_answer_columns_new ();
  return self;
}

void
weft_sql_answer_free (WeftSqlAnswer *self)
{
  if (self == NULL)
    return;
  g_clear_object (&self->table);
  g_clear_pointer (&self->columns, g_array_unref);
  g_free (self->order);
  g_free (self);
}

/* ---- Order ---- */

typedef struct
{
  const WeftSqlAnswer *answer;
  guint n;
} Order;

static int
compare_doubles (double a, double b)
{
  return (a > b) - (a < b);
}

static int
compare_numbers (gint64 a, gint64 b)
{
  return (a > b) - (a < b);
}

static int
compare_values (WeftTable *table, const WeftSqlAnswerColumn *column, guint a, guint b)
{
  gboolean a_is_null = weft_table_is_null (table, column->column, a);
  gboolean b_is_null = weft_table_is_null (table, column->column, b);
  WeftValueType type = weft_table_get_column_type (table, column->column);

  if (a_is_null || b_is_null)
    return b_is_null - a_is_null;
  if ((type == WEFT_VALUE_STRING || type == WEFT_VALUE_ENUM) && !column->is_code)
    return strcmp (weft_table_get_string (table, column->column, a),
                   weft_table_get_string (table, column->column, b));
  if (type == WEFT_VALUE_DOUBLE)
    return compare_doubles (weft_table_get_double (table, column->column, a),
                            weft_table_get_double (table, column->column, b));
  return compare_numbers ((gint64) weft_table_get_uint64 (table, column->column, a),
                          (gint64) weft_table_get_uint64 (table, column->column, b));
}

static int
compare_rows (gconstpointer a, gconstpointer b, gpointer data)
{
  const Order *self = data;

  for (guint i = 0; i < self->n; i++)
    {
      int order = compare_values (self->answer->table, COLUMN (self->answer->columns, i),
                                  *(const guint32 *) a, *(const guint32 *) b);

      if (order != 0)
        return order;
    }
  return 0;
}

void
weft_sql_answer_sort (WeftSqlAnswer *self, guint n)
{
  Order order = { self, n };
  guint n_rows = weft_table_get_n_rows (self->table);

  self->order = g_new (guint32, (gsize) n_rows + 1);
  for (guint i = 0; i < n_rows; i++)
    self->order[i] = i;
  g_qsort_with_data (self->order, (int) n_rows, sizeof self->order[0], compare_rows, &order);
}

/* ---- Tables ---- */

WeftSqlAnswerTable *
weft_sql_answer_table_new (WeftSqlSource *source, WeftSqlAnswer *answer)
{
  WeftSqlAnswerTable *self = g_new0 (WeftSqlAnswerTable, 1);

  self->source = weft_sql_source_ref (source);
  self->answer = answer;
  self->columns = g_array_ref (answer->columns);
  return self;
}

WeftSqlAnswerTable *
weft_sql_answer_table_new_made (WeftSqlSource *source, GArray *columns, WeftSqlAnswerFunc make,
                                gconstpointer data)
{
  WeftSqlAnswerTable *self = g_new0 (WeftSqlAnswerTable, 1);

  self->source = weft_sql_source_ref (source);
  self->columns = columns;
  self->make = make;
  self->data = data;
  return self;
}

void
weft_sql_answer_table_free (gpointer data)
{
  WeftSqlAnswerTable *self = data;

  weft_sql_answer_free (self->answer);
  g_array_unref (self->columns);
  weft_sql_source_unref (self->source);
  g_free (self);
}

int
weft_sql_answer_connect (sqlite3 *database, WeftSqlAnswerTable *table, gboolean owned,
                         sqlite3_vtab **made, char **error)
{
  g_autoptr (GString) text = g_string_new ("CREATE TABLE t(");
  AnswerTable *self;
  int status;

  for (guint i = 0; i < table->columns->len; i++)
    g_string_append_printf (text, "%s\"%s\" %s", i > 0 ? "," : "", COLUMN (table->columns, i)->name,
                            COLUMN (table->columns, i)->affinity);
  g_string_append_c (text, ')');
  status = weft_sql_source_declare (table->source, database, text->str, error);
  if (status != SQLITE_OK)
    return status;
  self = g_new0 (AnswerTable, 1);
  self->table = table;
  self->owned = owned;
  *made = &self->base;
  return SQLITE_OK;
}

static int
answer_connect (sqlite3 *database, void *data, int argc, const char *const *argv,
                sqlite3_vtab **made, char **error)
{
  const WeftSqlAnswerTable *table = data;
  const sqlite3_api_routines *sqlite3_api = table->source->api;

  sqlite3_vtab_config (database, SQLITE_VTAB_INNOCUOUS);
  return weft_sql_answer_connect (database, data, FALSE, made, error);
}

static int
answer_disconnect (sqlite3_vtab *base)
{
  AnswerTable *self = (AnswerTable *) base;

  if (self->owned)
    weft_sql_answer_table_free (self->table);
  g_free (self);
  return SQLITE_OK;
}

/* There is one way: from the first row to the last. */
static int
answer_best_index (sqlite3_vtab *base, sqlite3_index_info *info)
{
  const AnswerTable *self = (AnswerTable *) base;
  double n = self->table->answer != NULL
                 ? (double) weft_table_get_n_rows (self->table->answer->table)
                 : 100;

  info->estimatedRows = (sqlite3_int64) n + 1;
  info->estimatedCost = self->table->answer != NULL ? n + 1 : 100000;
  return SQLITE_OK;
}

/* ---- Cursors ---- */

static int
answer_open (sqlite3_vtab *base, sqlite3_vtab_cursor **made)
{
  const AnswerTable *table = (AnswerTable *) base;
  AnswerCursor *self = g_new0 (AnswerCursor, 1);

  weft_sql_source_begin (table->table->source);
  *made = &self->base;
  return SQLITE_OK;
}

static int
answer_close (sqlite3_vtab_cursor *base)
{
  AnswerCursor *self = (AnswerCursor *) base;

  weft_sql_source_end (((AnswerTable *) base->pVtab)->table->source);
  weft_sql_answer_free (self->made);
  g_free (self);
  return SQLITE_OK;
}

static int
answer_filter (sqlite3_vtab_cursor *base, int way, const char *text, int argc, sqlite3_value **argv)
{
  AnswerCursor *self = (AnswerCursor *) base;
  const WeftSqlAnswerTable *table = ((AnswerTable *) base->pVtab)->table;
  GError *error = NULL;

  if (table->answer == NULL && self->made == NULL)
    {
      self->made = table->make (table->source, table->data, &error);
      if (self->made == NULL)
        return weft_sql_source_fail (table->source, base->pVtab, error);
    }
  self->answer = table->answer != NULL ? table->answer : self->made;
  self->row = 0;
  self->n_rows = weft_table_get_n_rows (self->answer->table);
  return SQLITE_OK;
}

static int
answer_next (sqlite3_vtab_cursor *base)
{
  ((AnswerCursor *) base)->row++;
  return SQLITE_OK;
}

static int
answer_eof (sqlite3_vtab_cursor *base)
{
  const AnswerCursor *self = (AnswerCursor *) base;

  return self->row >= self->n_rows;
}

static void
give_value (const sqlite3_api_routines *sqlite3_api, sqlite3_context *context, WeftTable *table,
            const WeftSqlAnswerColumn *column, guint row)
{
  switch (weft_table_get_column_type (table, column->column))
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      if (column->is_code)
        break;
      sqlite3_result_text (context, weft_table_get_string (table, column->column, row), -1,
                           SQLITE_TRANSIENT);
      return;
    case WEFT_VALUE_DOUBLE:
      sqlite3_result_double (context, weft_table_get_double (table, column->column, row));
      return;
    default:
      break;
    }
  sqlite3_result_int64 (context,
                        (sqlite3_int64) weft_table_get_uint64 (table, column->column, row));
}

static int
answer_column (sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
  const AnswerCursor *self = (AnswerCursor *) base;
  const WeftSqlAnswer *answer = self->answer;
  const WeftSqlAnswerColumn *column = COLUMN (answer->columns, (guint) number);
  guint row = answer->order != NULL ? answer->order[self->row] : self->row;

  if (weft_table_is_null (answer->table, column->column, row) ||
      (column->counted_by >= 0 &&
       weft_table_get_uint64 (answer->table, (guint) column->counted_by, row) == 0))
    return SQLITE_OK;
  give_value (((AnswerTable *) base->pVtab)->table->source->api, context, answer->table, column,
              row);
  return SQLITE_OK;
}

static int
answer_rowid (sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
  *rowid = ((AnswerCursor *) base)->row + 1;
  return SQLITE_OK;
}

const sqlite3_module weft_sql_answer_module = {
  .xConnect = answer_connect,
  .xBestIndex = answer_best_index,
  .xDisconnect = answer_disconnect,
  .xDestroy = answer_disconnect,
  .xOpen = answer_open,
  .xClose = answer_close,
  .xFilter = answer_filter,
  .xNext = answer_next,
  .xEof = answer_eof,
  .xColumn = answer_column,
  .xRowid = answer_rowid,
};
