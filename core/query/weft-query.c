/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-query-private.h"

#include <string.h>

#include "weft-error.h"
#include "weft-filter-lexer.h"
#include "weft-plan.h"
#include "weft-recording-private.h"
#include "weft-table-builder.h"

/**
 * WeftQuery:
 *
 * A question about the rows of one table of a recording; the answer is a [class@Table].
 *
 * Without groups, each row of the answer is a row of the table, in the order of arrival unless
 * another is asked for; without [method@Query.select] it has all fields. With aggregates, each row
 * of the answer stands for a group of rows, or for all of them; groups stand in the order of their
 * keys unless another is asked for. Ties are broken by the order of arrival, or by the keys, so
 * that equal questions have equal answers.
 *
 * An expression is one of
 *
 * - a field of the table, as [func@Query.list_fields] names them: `duration`;
 * - a field of a row that a field refers to, through as many references as need be:
 *   `routine.source.path`;
 * - `tag:KEY`: the first tag of that key that the row has, or else the dispatch that it belongs to;
 * - `counter:NAME`: for dispatches and submissions, and what belongs to a dispatch: the values of
 *   the counter, combined as its producer wants it;
 * - `name`, of dispatches: the label, or where there is none the name of the routine;
 * - `code_source`, of dispatches: the source they name, or where they name none that of the routine.
 *
 * Where a path leads nowhere, the value is null. Nulls are left out of aggregates, and are last in
 * every order.
 *
 * Aggregates are `count`, the number of rows (`count()` where the table has a field of that name);
 * `count(x)`, of those that have an x;
 * `count_distinct(x)`; `sum(x)`, `min(x)`, `max(x)`, `mean(x)`; `stddev(x)`, the standard deviation
 * of a sample (divided by n − 1; null for fewer than two values); `p50(x)`, `p99.9(x)` and the
 * like, exact percentiles of nearest rank: the smallest value that so many percent of the values do
 * not exceed; and `busy`, the nanoseconds that at least one dispatch of the group covers. Sums are
 * exact; where one does not fit into 64 bits, its column is of doubles.
 *
 * A query may be run any number of times, on several recordings; not while it is changed.
 *
 * Since: 0.1
 */
struct _WeftQuery
{
  GObject parent_instance;

  WeftQuestion question;
};

G_DEFINE_FINAL_TYPE (WeftQuery, weft_query, G_TYPE_OBJECT)

static void
clause_clear (gpointer data)
{
  WeftClause *clause = data;

  g_free (clause->text);
  g_free (clause->name);
}

static void
weft_query_finalize (GObject *object)
{
  WeftQuery *self = WEFT_QUERY (object);

  g_clear_pointer (&self->question.filter, weft_filter_unref);
  g_array_unref (self->question.selects);
  g_array_unref (self->question.groups);
  g_array_unref (self->question.orders);
  g_free (self->question.cursor);

  G_OBJECT_CLASS (weft_query_parent_class)->finalize (object);
}

static void
weft_query_class_init (WeftQueryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_query_finalize;
}

static GArray *
clauses_new (void)
{
  GArray *clauses = g_array_new (FALSE, TRUE, sizeof (WeftClause));

  g_array_set_clear_func (clauses, clause_clear);
  return clauses;
}

static void
weft_query_init (WeftQuery *self)
{
  self->question.selects = clauses_new ();
  self->question.groups = clauses_new ();
  self->question.orders = clauses_new ();
}

static void
add_clause (GArray *clauses, const char *text, const char *name, gboolean descending)
{
  WeftClause clause = { g_strdup (text), g_strdup (name), descending };

  g_array_append_val (clauses, clause);
}

static gboolean
find_table (const char *name, WeftTableId *table, GError **error)
{
  const char *names[WEFT_N_TABLES + 1] = { NULL };
  const char *nearest;

  *table = weft_model_find_table (name);
  if (*table != WEFT_N_TABLES)
    return TRUE;
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    names[i] = weft_model_get_table ((WeftTableId) i)->name;
  nearest = weft_filter_nearest (name, names);
  if (nearest != NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE,
                 "There is no table “%s”: did you mean “%s”?", name, nearest);
  else
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE, "There is no table “%s”", name);
  return FALSE;
}

/**
 * weft_query_new:
 * @table: name of a table, one of [func@Query.list_tables]
 * @error: return location for an error
 *
 * Begins a question.
 *
 * Returns: (transfer full): the query, or %NULL if there is no such table
 *   ([error@Weft.Error.NO_SUCH_TABLE])
 *
 * Since: 0.1
 */
WeftQuery *
weft_query_new (const char *table, GError **error)
{
  WeftTableId found;
  WeftQuery *self;

  g_return_val_if_fail (table != NULL, NULL);

  if (!find_table (table, &found, error))
    return NULL;
  self = g_object_new (WEFT_TYPE_QUERY, NULL);
  self->question.table = found;
  return self;
}

/**
 * weft_query_get_table:
 * @self: a query
 *
 * Returns: (transfer none): name of the table that is asked
 *
 * Since: 0.1
 */
const char *
weft_query_get_table (WeftQuery *self)
{
  g_return_val_if_fail (WEFT_IS_QUERY (self), NULL);

  return weft_model_get_table (self->question.table)->name;
}

/**
 * weft_query_set_filter:
 * @self: a query
 * @filter: (nullable): a filter, or %NULL for all rows
 *
 * Looks only at rows that match.
 *
 * A condition is about the row itself, about what it refers to, or about what belongs to it,
 * such as the attachments of a dispatch. Rows of tables that dispatches refer to match what any of
 * their dispatches does: `routine:gemm`, asked of lanes, finds those on which it ran.
 *
 * Since: 0.1
 */
void
weft_query_set_filter (WeftQuery *self, WeftFilter *filter)
{
  WeftFilter *kept;

  g_return_if_fail (WEFT_IS_QUERY (self));

  kept = filter != NULL ? weft_filter_ref (filter) : NULL;
  g_clear_pointer (&self->question.filter, weft_filter_unref);
  self->question.filter = kept;
}

/**
 * weft_query_set_filter_text:
 * @self: a query
 * @text: (nullable): a filter, or %NULL for all rows
 * @error: return location for an error
 *
 * Reads a filter and looks only at rows that match; see [method@Query.set_filter].
 *
 * Returns: whether @text is a filter ([error@Weft.Error.INVALID_FILTER])
 *
 * Since: 0.1
 */
gboolean
weft_query_set_filter_text (WeftQuery *self, const char *text, GError **error)
{
  g_autoptr (WeftFilter) filter = NULL;

  g_return_val_if_fail (WEFT_IS_QUERY (self), FALSE);

  if (text != NULL)
    {
      filter = weft_filter_new (text, error);
      if (filter == NULL)
        return FALSE;
    }
  weft_query_set_filter (self, filter);
  return TRUE;
}

/**
 * weft_query_set_range:
 * @self: a query
 * @begin: nanoseconds since the start of the recording
 * @end: the same, not before @begin
 *
 * Looks only at rows whose time overlaps [@begin, @end). The time of a row is from its start to its
 * end, or its only time, or else that of its dispatch; rows that have none are not restricted.
 *
 * `busy` and `sum(duration)` count the part of each dispatch that lies in the range; all other
 * aggregates are of whole values.
 *
 * Since: 0.1
 */
void
weft_query_set_range (WeftQuery *self, gint64 begin, gint64 end)
{
  g_return_if_fail (WEFT_IS_QUERY (self));
  g_return_if_fail (begin <= end);

  self->question.begin = begin;
  self->question.end = end;
  self->question.has_range = TRUE;
}

/**
 * weft_query_select:
 * @self: a query
 * @expression: an expression or an aggregate; see [class@Query]
 * @name: (nullable): name of its column; %NULL for one made of the expression:
 *   `sum(duration)` becomes `sum_duration`
 * @error: return location for an error
 *
 * Adds a column to the answer.
 *
 * Returns: whether the table has that ([error@Weft.Error.NO_SUCH_FIELD],
 *   [error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_query_select (WeftQuery *self, const char *expression, const char *name, GError **error)
{
  g_return_val_if_fail (WEFT_IS_QUERY (self), FALSE);
  g_return_val_if_fail (expression != NULL, FALSE);

  if (!weft_question_check_select (self->question.table, expression, error))
    return FALSE;
  add_clause (self->question.selects, expression, name, FALSE);
  return TRUE;
}

/**
 * weft_query_group_by:
 * @self: a query
 * @expression: an expression
 * @name: (nullable): name of its column; %NULL for one made of the expression
 * @error: return location for an error
 *
 * Makes a group of all rows that have the same value; of several, the same of each. Rows without a
 * value are a group of their own. The values are the first columns of the answer.
 *
 * Returns: whether the table has that ([error@Weft.Error.NO_SUCH_FIELD],
 *   [error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_query_group_by (WeftQuery *self, const char *expression, const char *name, GError **error)
{
  g_autoptr (WeftExpression) checked = NULL;

  g_return_val_if_fail (WEFT_IS_QUERY (self), FALSE);
  g_return_val_if_fail (expression != NULL, FALSE);

  checked = weft_expression_new (self->question.table, expression, error);
  if (checked == NULL)
    return FALSE;
  add_clause (self->question.groups, expression, name, FALSE);
  return TRUE;
}

/**
 * weft_query_order_by:
 * @self: a query
 * @expression: name of a column, an expression, or an aggregate
 * @descending: whether the largest come first
 * @error: return location for an error
 *
 * Orders the answer; by what is asked for first, then by what is asked for next. Texts are ordered
 * by their bytes.
 *
 * Returns: whether there is such a column, or the table has that
 *   ([error@Weft.Error.NO_SUCH_FIELD], [error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
gboolean
weft_query_order_by (WeftQuery *self, const char *expression, gboolean descending, GError **error)
{
  g_return_val_if_fail (WEFT_IS_QUERY (self), FALSE);
  g_return_val_if_fail (expression != NULL, FALSE);

  if (!weft_question_has_column (&self->question, expression) &&
      !weft_question_check_select (self->question.table, expression, error))
    return FALSE;
  add_clause (self->question.orders, expression, NULL, descending);
  return TRUE;
}

/**
 * weft_query_set_limit:
 * @self: a query
 * @limit: the number of rows at most; 0 for all
 *
 * Limits the answer. Where rows are left, it has a cursor: [method@Table.get_cursor].
 *
 * Since: 0.1
 */
void
weft_query_set_limit (WeftQuery *self, guint limit)
{
  g_return_if_fail (WEFT_IS_QUERY (self));

  self->question.limit = limit;
}

void
weft_query_set_after (WeftQuery *self, guint64 number)
{
  self->question.after = number;
}

/**
 * weft_query_set_cursor:
 * @self: a query
 * @cursor: (nullable): [method@Table.get_cursor] of the answer before
 *
 * Goes on behind the last row of an answer that was cut by its limit. All but the limit must be as
 * it was then; else running fails with [error@Weft.Error.INVALID_CURSOR]. The recording may have
 * grown: no row comes twice, and new ones come where they belong behind the cursor.
 *
 * Since: 0.1
 */
void
weft_query_set_cursor (WeftQuery *self, const char *cursor)
{
  g_return_if_fail (WEFT_IS_QUERY (self));

  g_free (self->question.cursor);
  self->question.cursor = g_strdup (cursor);
}

typedef struct
{
  WeftRecording *recording;
  GFileProgressCallback callback;
  gpointer data;
  GDestroyNotify destroy;
} Progress;

static void
progress_free (gpointer data)
{
  Progress *progress = data;

  if (progress->destroy != NULL)
    progress->destroy (progress->data);
  g_object_unref (progress->recording);
  g_free (progress);
}

static WeftTable *
run (WeftQuery *self, WeftStore *store, const Progress *progress, char **explanation,
     GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPlan) plan = NULL;
  WeftTable *table = NULL;
  WeftRun running;

  weft_run_init (&running, store, cancellable, progress ? progress->callback : NULL,
                 progress ? progress->data : NULL);
  if (explanation != NULL)
    running.explanation = g_string_new (NULL);
  plan = weft_run_check (&running, error) ? weft_plan_new (&self->question, &running, error) : NULL;
  if (plan != NULL)
    table = plan->is_grouped ? weft_groups_run (plan, error) : weft_rows_run (plan, error);
  g_clear_pointer (&plan, weft_plan_free);
  if (table != NULL && explanation != NULL)
    *explanation = g_string_free (g_steal_pointer (&running.explanation), FALSE);
  weft_run_clear (&running);
  return table;
}

static WeftTable *
run_latest (WeftQuery *self, WeftRecording *recording, const Progress *progress,
            char **explanation, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftStore) store = weft_recording_ref_store (recording);

  return run (self, store, progress, explanation, cancellable, error);
}

/**
 * weft_query_run:
 * @self: a query
 * @recording: what is asked
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Finds the answer, on all processors.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftTable *
weft_query_run (WeftQuery *self, WeftRecording *recording, GCancellable *cancellable,
                GError **error)
{
  g_return_val_if_fail (WEFT_IS_QUERY (self), NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  return run_latest (self, recording, NULL, NULL, cancellable, error);
}

WeftTable *
weft_query_run_on (WeftQuery *self, WeftStore *store, WeftPredicate *condition,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPredicate) left = condition;
  WeftTable *table;

  self->question.condition = &left;
  table = run (self, store, NULL, NULL, cancellable, error);
  self->question.condition = NULL;
  return table;
}

static void
run_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Progress *progress = data;
  GError *error = NULL;
  WeftTable *table = run_latest (source, progress->recording, progress, NULL, cancellable, &error);

  if (table != NULL)
    g_task_return_pointer (task, table, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_query_run_async:
 * @self: a query, which must not be changed until it has run
 * @recording: what is asked
 * @cancellable: (nullable): a cancellable
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): told
 *   how far it is, as parts of a whole; may be called on another thread
 * @progress_data: for @progress
 * @progress_destroy: frees @progress_data
 * @callback: (scope async) (closure user_data): called when it has run
 * @user_data: for @callback
 *
 * Finds the answer without blocking.
 *
 * Since: 0.1
 */
void
weft_query_run_async (WeftQuery *self, WeftRecording *recording, GCancellable *cancellable,
                      GFileProgressCallback progress, gpointer progress_data,
                      GDestroyNotify progress_destroy, GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Progress *told;

  g_return_if_fail (WEFT_IS_QUERY (self));
  g_return_if_fail (WEFT_IS_RECORDING (recording));

  told = g_new0 (Progress, 1);
  told->recording = g_object_ref (recording);
  told->callback = progress;
  told->data = progress_data;
  told->destroy = progress_destroy;
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_query_run_async);
  g_task_set_task_data (task, told, progress_free);
  g_task_run_in_thread (task, run_in_thread);
}

/**
 * weft_query_run_finish:
 * @self: a query
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Query.run_async] began.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftTable *
weft_query_run_finish (WeftQuery *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * weft_query_explain:
 * @self: a query
 * @recording: what is asked
 * @error: return location for an error
 *
 * Runs the query and tells how it was answered: what was read, and what could be left out.
 *
 * Returns: (transfer full): a few lines for people
 *
 * Since: 0.1
 */
char *
weft_query_explain (WeftQuery *self, WeftRecording *recording, GError **error)
{
  g_autoptr (WeftTable) table = NULL;
  char *explanation = NULL;

  g_return_val_if_fail (WEFT_IS_QUERY (self), NULL);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  table = run_latest (self, recording, NULL, &explanation, NULL, error);
  return table != NULL ? explanation : NULL;
}

/**
 * weft_query_list_tables:
 *
 * The tables of a recording. The columns are `table`, its name; `prefix` of the handles of its
 * rows, where they have any; and `summary`.
 *
 * Returns: (transfer full): a table with one row per table
 *
 * Since: 0.1
 */
WeftTable *
weft_query_list_tables (void)
{
  static const WeftTableColumn columns[] = {
    { .name = "table", .type = WEFT_VALUE_STRING },
    { .name = "prefix", .type = WEFT_VALUE_STRING },
    { .name = "summary", .type = WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("tables");

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_builder_add_column (builder, &columns[i]);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      const WeftTableModel *model = weft_model_get_table ((WeftTableId) i);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, model->name);
      weft_table_builder_set_string (builder, 1, model->prefix);
      weft_table_builder_set_string (builder, 2, model->summary);
    }
  return weft_table_builder_finish (builder);
}

static void
list_field (WeftTableBuilder *builder, const WeftField *field)
{
  static const char *const types[] = {
    [WEFT_VALUE_UINT64] = "number",     [WEFT_VALUE_INT64] = "signed number",
    [WEFT_VALUE_DOUBLE] = "real",       [WEFT_VALUE_TIME] = "time",
    [WEFT_VALUE_DURATION] = "duration", [WEFT_VALUE_STRING] = "text",
    [WEFT_VALUE_ENUM] = "word",         [WEFT_VALUE_ID] = "reference",
    [WEFT_VALUE_BOOLEAN] = "truth",
  };
  gboolean is_time = field->type == WEFT_VALUE_TIME || field->type == WEFT_VALUE_DURATION;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, 0, field->name);
  weft_table_builder_set_string (builder, 1, types[field->type]);
  weft_table_builder_set_string (builder, 2, is_time ? "ns" : field->unit);
  if (field->reference >= 0)
    weft_table_builder_set_string (builder, 3,
                                   weft_model_get_table ((WeftTableId) field->reference)->name);
  weft_table_builder_set_uint64 (builder, 4, field->computed != WEFT_COMPUTED_NOT);
  weft_table_builder_set_string (builder, 5, field->summary);
}

/**
 * weft_query_list_fields:
 * @table: name of a table
 * @error: return location for an error
 *
 * The fields of a table. The columns are `field`, its name; `type`, in a word; `unit`; `reference`,
 * the table whose rows it names; `computed`, whether it follows from others; and `summary`.
 *
 * Returns: (transfer full): a table with one row per field, or %NULL if there is no such table
 *   ([error@Weft.Error.NO_SUCH_TABLE])
 *
 * Since: 0.1
 */
WeftTable *
weft_query_list_fields (const char *table, GError **error)
{
  static const WeftTableColumn columns[] = {
    { .name = "field", .type = WEFT_VALUE_STRING },
    { .name = "type", .type = WEFT_VALUE_STRING },
    { .name = "unit", .type = WEFT_VALUE_STRING },
    { .name = "reference", .type = WEFT_VALUE_STRING },
    { .name = "computed", .type = WEFT_VALUE_BOOLEAN },
    { .name = "summary", .type = WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder;
  WeftTableId found;

  g_return_val_if_fail (table != NULL, NULL);

  if (!find_table (table, &found, error))
    return NULL;
  builder = weft_table_builder_new ("fields");
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_builder_add_column (builder, &columns[i]);
  for (guint i = 0; i < weft_model_get_table (found)->n_fields; i++)
    list_field (builder, &weft_model_get_table (found)->fields[i]);
  return weft_table_builder_finish (builder);
}
