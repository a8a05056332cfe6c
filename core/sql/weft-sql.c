/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The SQLite that this library is linked with is called by name. */
#define SQLITE_CORE 1

#include "weft-sql.h"

#include <sqlite3.h>
#include <string.h>

#include "weft-error.h"
#include "weft-filter-lexer.h"
#include "weft-sql-api.h"
#include "weft-sql-connection.h"
#include "weft-sql-parameters.h"
#include "weft-sql-result.h"
#include "weft-sql-rewrite.h"

/* Steps of SQLite's machine between two looks at the clock and the cancellable. */
#define STEPS 4000
#define DEFAULT_MEMORY_LIMIT (G_GUINT64_CONSTANT (1) << 30)

/**
 * WeftSql:
 *
 * Questions to a recording in SQL: SQLite's, read only, over the tables that
 * [func@Sql.list_tables] names.
 *
 * Where a question, or a part of it, has a shape that the engine knows (aggregates of one table,
 * with conditions and groups of plain columns), the engine answers it and SQLite does the rest;
 * answers are the same either way. See `docs/sql.md`.
 *
 * Of one object, one question is answered at a time; others wait.
 *
 * Since: 0.1
 */
struct _WeftSql
{
  GObject parent_instance;

  WeftRecording *recording;
  gboolean rewriting;
  guint time_limit;
  guint64 memory_limit;

  GMutex lock; /* of what follows */
  sqlite3 *database;
  WeftSqlSource *source;
  gint64 deadline; /* of the running question, or 0 */
};

enum
{
  PROP_0,
  PROP_RECORDING,
  PROP_REWRITING,
  PROP_TIME_LIMIT,
  PROP_MEMORY_LIMIT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftSql, weft_sql, G_TYPE_OBJECT)

/* ---- The connection ---- */

static gboolean
is_allowed_pragma (const char *name, const char *argument)
{
  static const char *const allowed[] = { "table_info", "table_xinfo", "table_list", "function_list",
                                         NULL };

  return name != NULL && g_strv_contains (allowed, name);
}

/* Reading only. */
static int
authorize (void *data, int action, const char *first, const char *second, const char *schema,
           const char *inner)
{
  const WeftSql *self = data;

  if (self->source->is_declaring)
    return SQLITE_OK;
  switch (action)
    {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return g_ascii_strcasecmp (second, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
      return is_allowed_pragma (first, second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
    }
}

static gboolean
is_late (WeftSql *self)
{
  return self->deadline != 0 && g_get_monotonic_time () > self->deadline;
}

static int
interrupt (void *data)
{
  WeftSql *self = data;

  return g_cancellable_is_cancelled (self->source->cancellable) || is_late (self);
}

static gboolean
set_failed (sqlite3 *database, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "SQLite cannot begin: %s",
               database != NULL ? sqlite3_errmsg (database) : "no memory");
  return FALSE;
}

static void
restrict_connection (WeftSql *self)
{
  static const struct
  {
    int limit;
    int value;
  } limits[] = {
    { SQLITE_LIMIT_LENGTH, 64 << 20 }, { SQLITE_LIMIT_SQL_LENGTH, 1 << 20 },
    { SQLITE_LIMIT_EXPR_DEPTH, 500 },  { SQLITE_LIMIT_COMPOUND_SELECT, 100 },
    { SQLITE_LIMIT_ATTACHED, 0 },      { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    sqlite3_limit (self->database, limits[i].limit, limits[i].value);
  sqlite3_db_config (self->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (self->database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
  /* What stands in double quotes is a name, and never a text. */
  sqlite3_db_config (self->database, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  sqlite3_set_authorizer (self->database, authorize, self);
}

/* Made for the first question. */
static gboolean
open_connection (WeftSql *self, GError **error)
{
  if (self->database != NULL)
    return TRUE;
  if (sqlite3_open_v2 (":memory:", &self->database,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
                       NULL) == SQLITE_OK)
    {
      self->source = weft_sql_source_new (self->recording, &weft_sql_own_api);
      if (weft_sql_connection_add (self->database, self->source) == SQLITE_OK)
        {
          restrict_connection (self);
          sqlite3_progress_handler (self->database, STEPS, interrupt, self);
          return TRUE;
        }
    }
  set_failed (self->database, error);
  sqlite3_close (g_steal_pointer (&self->database));
  g_clear_pointer (&self->source, weft_sql_source_unref);
  return FALSE;
}

/* ---- Errors ---- */

static int
name_error (const char *message)
{
  if (g_str_has_prefix (message, "no such table: "))
    return WEFT_ERROR_NO_SUCH_TABLE;
  if (g_str_has_prefix (message, "no such column: "))
    return WEFT_ERROR_NO_SUCH_FIELD;
  return WEFT_ERROR_INVALID_QUERY;
}

/* The name of a table that is nearest to one that there is not. */
static char *
suggest_table (const char *message)
{
  g_autoptr (WeftTable) tables = weft_sql_list_tables ();
  guint n = weft_table_get_n_rows (tables);
  g_autofree const char **names = g_new0 (const char *, n + 1);
  const char *nearest;

  for (guint i = 0; i < n; i++)
    names[i] = weft_table_get_string (tables, 0, i);
  nearest = weft_filter_nearest (message + strlen ("no such table: "), names);
  return nearest != NULL ? g_strdup_printf (": did you mean “%s”?", nearest)
                         : g_strdup (" (weft_tables lists them)");
}

static gboolean
set_sqlite_error (WeftSql *self, const char *text, GError **error)
{
  const char *message = sqlite3_errmsg (self->database);
  int offset = sqlite3_error_offset (self->database);
  int code = name_error (message);
  g_autofree char *more = NULL;

  if (code == WEFT_ERROR_NO_SUCH_TABLE)
    more = suggest_table (message);
  else if (sqlite3_errcode (self->database) == SQLITE_AUTH)
    more = g_strdup (": recordings are read only");
  else if (offset >= 0 && (gsize) offset < strlen (text))
    more = g_strdup_printf (" (at character %ld)", g_utf8_strlen (text, offset) + 1);
  g_set_error (error, WEFT_ERROR, code, "%s%s", message, more != NULL ? more : "");
  return FALSE;
}

/* What became of a statement that did not come to its end. */
static gboolean
set_step_error (WeftSql *self, const char *text, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (self->source->cancellable, error))
    return FALSE;
  if (self->source->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->source->error));
      return FALSE;
    }
  if (is_late (self))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   "The question was not answered within %u ms: add a WHERE or a LIMIT, or allow "
                   "more time",
                   self->time_limit);
      return FALSE;
    }
  return set_sqlite_error (self, text, error);
}

/* ---- Statements ---- */

typedef sqlite3_stmt Statement;

static void
statement_finalize (Statement *statement)
{
  sqlite3_finalize (statement);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Statement, statement_finalize)

/* One statement, with nothing but blanks and comments behind it. */
static Statement *
prepare (WeftSql *self, const char *text, GError **error)
{
  g_autoptr (Statement) statement = NULL;
  Statement *second = NULL;
  const char *rest;

  if (sqlite3_prepare_v2 (self->database, text, -1, &statement, &rest) != SQLITE_OK)
    {
      set_sqlite_error (self, text, error);
      return NULL;
    }
  if (statement == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "There is no question: a SELECT");
      return NULL;
    }
  if (sqlite3_prepare_v2 (self->database, rest, -1, &second, NULL) != SQLITE_OK || second != NULL)
    {
      sqlite3_finalize (second);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "One question at a time");
      return NULL;
    }
  return g_steal_pointer (&statement);
}

/* ---- Questions ---- */

/* The question as it is asked, and as it is answered. */
typedef struct
{
  Statement *original;
  Statement *statement; /* ORIGINAL, or what it was rewritten to */
  WeftSqlRewriting *rewriting;
} Question;

static void
question_clear (Question *self)
{
  if (self->statement != self->original)
    sqlite3_finalize (self->statement);
  sqlite3_finalize (self->original);
  g_clear_pointer (&self->rewriting, weft_sql_rewriting_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Question, question_clear)

/* What could be made of a question and then cannot be prepared is asked as it was. */
static gboolean
prepare_question (WeftSql *self, const char *text, GVariant *parameters, Question *question,
                  GError **error)
{
  const char *rewritten;

  question->original = question->statement = prepare (self, text, error);
  if (question->original == NULL ||
      !weft_sql_parameters_bind (parameters, question->original, question->original, error))
    return FALSE;
  question->rewriting =
      weft_sql_rewrite (self->database, self->source, text, parameters, self->rewriting, error);
  if (question->rewriting == NULL)
    return FALSE;
  rewritten = weft_sql_rewriting_get_text (question->rewriting);
  if (rewritten == NULL)
    return TRUE;
  if (sqlite3_prepare_v2 (self->database, rewritten, -1, &question->statement, NULL) != SQLITE_OK)
    {
      question->statement = question->original;
      return TRUE;
    }
  return weft_sql_parameters_bind (parameters, question->original, question->statement, error);
}

static WeftTable *
run_statement (WeftSql *self, const Question *question, const char *text, GError **error)
{
  g_autoptr (WeftSqlResult) result = weft_sql_result_new (question->original, self->memory_limit);
  int status;

  weft_sql_rewriting_type_columns (question->rewriting, result);
  while ((status = sqlite3_step (question->statement)) == SQLITE_ROW)
    if (!weft_sql_result_take (result, question->statement, error))
      return NULL;
  if (status == SQLITE_DONE)
    return weft_sql_result_finish (result);
  set_step_error (self, text, error);
  return NULL;
}

/* With the lock held. */
static gboolean
begin (WeftSql *self, GCancellable *cancellable, GError **error)
{
  if (!open_connection (self, error))
    return FALSE;
  self->source->cancellable = cancellable;
  g_clear_error (&self->source->error);
  self->deadline =
      self->time_limit > 0 ? g_get_monotonic_time () + (gint64) self->time_limit * 1000 : 0;
  weft_sql_source_begin (self->source);
  return TRUE;
}

static void
end (WeftSql *self)
{
  if (self->source == NULL)
    return;
  weft_sql_source_end (self->source);
  self->source->cancellable = NULL;
  self->deadline = 0;
}

static WeftTable *
run (WeftSql *self, const char *text, GVariant *parameters, GError **error)
{
  g_auto (Question) question = { NULL };

  if (!prepare_question (self, text, parameters, &question, error))
    return NULL;
  return run_statement (self, &question, text, error);
}

static WeftTable *
query (WeftSql *self, const char *text, GVariant *parameters, GCancellable *cancellable,
       GError **error)
{
  WeftTable *table = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_mutex_lock (&self->lock);
  if (begin (self, cancellable, error))
    {
      table = run (self, text, parameters, error);
      end (self);
    }
  g_mutex_unlock (&self->lock);
  return table;
}

/**
 * weft_sql_query:
 * @self: an SQL connection
 * @text: one SELECT
 * @parameters: (nullable): values of its parameters: an array of variants (`av`) for `?` and `?1`,
 *   or a dictionary (`a{sv}`) for `:name`; a floating one is taken
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Finds the answer. Columns that are selected as they are have the type that they have in the
 * recording; others that of their values, and texts where these are mixed.
 *
 * A recording that grows is asked as of its last refresh.
 *
 * Returns: (transfer full): the answer, or %NULL ([error@Weft.Error.INVALID_QUERY],
 *   [error@Weft.Error.NO_SUCH_TABLE], [error@Weft.Error.NO_SUCH_FIELD],
 *   [error@Weft.Error.TOO_LARGE], [error@Weft.Error.DAMAGED],
 *   [error@Gio.IOErrorEnum.TIMED_OUT])
 *
 * Since: 0.1
 */
WeftTable *
weft_sql_query (WeftSql *self, const char *text, GVariant *parameters, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GVariant) taken = NULL;

  g_return_val_if_fail (WEFT_IS_SQL (self), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  taken = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  return query (self, text, taken, cancellable, error);
}

typedef struct
{
  char *text;
  GVariant *parameters;
} Asked;

static void
asked_free (gpointer data)
{
  Asked *self = data;

  g_free (self->text);
  g_clear_pointer (&self->parameters, g_variant_unref);
  g_free (self);
}

static void
query_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Asked *asked = data;
  GError *error = NULL;
  WeftTable *table = query (source, asked->text, asked->parameters, cancellable, &error);

  if (table != NULL)
    g_task_return_pointer (task, table, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_sql_query_async:
 * @self: an SQL connection
 * @text: one SELECT
 * @parameters: (nullable): as for [method@Sql.query]
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (closure user_data): called when there is an answer
 * @user_data: for @callback
 *
 * Finds the answer without blocking.
 *
 * Since: 0.1
 */
void
weft_sql_query_async (WeftSql *self, const char *text, GVariant *parameters,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Asked *asked;

  g_return_if_fail (WEFT_IS_SQL (self));
  g_return_if_fail (text != NULL);

  asked = g_new0 (Asked, 1);
  asked->text = g_strdup (text);
  asked->parameters = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_sql_query_async);
  g_task_set_task_data (task, asked, asked_free);
  g_task_run_in_thread (task, query_in_thread);
}

/**
 * weft_sql_query_finish:
 * @self: an SQL connection
 * @result: the result
 * @error: return location for an error
 *
 * Ends what [method@Sql.query_async] began.
 *
 * Returns: (transfer full): the answer
 *
 * Since: 0.1
 */
WeftTable *
weft_sql_query_finish (WeftSql *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- How it is answered ---- */

static gboolean
append_plan (WeftSql *self, sqlite3_stmt *of, GString *to, const char *text, GError **error)
{
  g_autofree char *asked = g_strconcat ("EXPLAIN QUERY PLAN ", sqlite3_sql (of), NULL);
  g_autoptr (Statement) plan = NULL;

  if (sqlite3_prepare_v2 (self->database, asked, -1, &plan, NULL) != SQLITE_OK)
    return set_sqlite_error (self, text, error);
  while (sqlite3_step (plan) == SQLITE_ROW)
    g_string_append_printf (to, "SQLite: %s\n", (const char *) sqlite3_column_text (plan, 3));
  return TRUE;
}

static char *
explain (WeftSql *self, const char *text, GVariant *parameters, GError **error)
{
  g_auto (Question) question = { NULL };
  g_autoptr (GString) told = g_string_new (NULL);

  if (!prepare_question (self, text, parameters, &question, error))
    return NULL;
  if (question.statement != question.original)
    g_string_append (told, weft_sql_rewriting_get_explanation (question.rewriting));
  if (!append_plan (self, question.statement, told, text, error))
    return NULL;
  return g_string_free (g_steal_pointer (&told), FALSE);
}

/**
 * weft_sql_explain:
 * @self: an SQL connection
 * @text: one SELECT
 * @parameters: (nullable): as for [method@Sql.query]
 * @error: return location for an error
 *
 * Tells how a question is answered: what the engine is asked, and what is left to SQLite.
 *
 * Returns: (transfer full): a few lines for people
 *
 * Since: 0.1
 */
char *
weft_sql_explain (WeftSql *self, const char *text, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) taken = NULL;
  char *told = NULL;

  g_return_val_if_fail (WEFT_IS_SQL (self), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  taken = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  g_mutex_lock (&self->lock);
  if (begin (self, NULL, error))
    {
      told = explain (self, text, taken, error);
      end (self);
    }
  g_mutex_unlock (&self->lock);
  return told;
}

/**
 * weft_sql_is_complete:
 * @text: what was typed so far
 *
 * Returns: whether it ends with a semicolon that ends a statement
 *
 * Since: 0.1
 */
gboolean
weft_sql_is_complete (const char *text)
{
  g_return_val_if_fail (text != NULL, FALSE);

  return sqlite3_complete (text) != 0;
}

/**
 * weft_sql_list_tables:
 *
 * What can stand behind FROM. The columns are `name`; `kind`, which is `table`, `summary` or
 * `view`; `number`, by which rows of other tables name a table; and `summary`.
 *
 * Returns: (transfer full): a table with one row for each
 *
 * Since: 0.1
 */
WeftTable *
weft_sql_list_tables (void)
{
  return weft_sql_connection_list_tables ();
}

/**
 * weft_sql_list_columns:
 *
 * The columns of the tables. The columns are `table`; `name`; `type`; `unit`; `reference`, the
 * table whose rows it names; `hidden`, whether “SELECT *” leaves it out; and `summary`.
 *
 * Returns: (transfer full): a table with one row for each
 *
 * Since: 0.1
 */
WeftTable *
weft_sql_list_columns (void)
{
  return weft_sql_connection_list_columns ();
}

/* ---- The object ---- */

static void
weft_sql_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftSql *self = WEFT_SQL (object);

  switch (id)
    {
    case PROP_RECORDING:
      g_value_set_object (value, self->recording);
      break;
    case PROP_REWRITING:
      g_value_set_boolean (value, self->rewriting);
      break;
    case PROP_TIME_LIMIT:
      g_value_set_uint (value, self->time_limit);
      break;
    case PROP_MEMORY_LIMIT:
      g_value_set_uint64 (value, self->memory_limit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_sql_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftSql *self = WEFT_SQL (object);

  switch (id)
    {
    case PROP_RECORDING:
      self->recording = g_value_dup_object (value);
      break;
    case PROP_REWRITING:
      weft_sql_set_rewriting (self, g_value_get_boolean (value));
      break;
    case PROP_TIME_LIMIT:
      weft_sql_set_time_limit (self, g_value_get_uint (value));
      break;
    case PROP_MEMORY_LIMIT:
      weft_sql_set_memory_limit (self, g_value_get_uint64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_sql_finalize (GObject *object)
{
  WeftSql *self = WEFT_SQL (object);

  sqlite3_close (self->database);
  g_clear_pointer (&self->source, weft_sql_source_unref);
  g_clear_object (&self->recording);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (weft_sql_parent_class)->finalize (object);
}

static void
weft_sql_class_init (WeftSqlClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = weft_sql_get_property;
  object_class->set_property = weft_sql_set_property;
  object_class->finalize = weft_sql_finalize;

  /**
   * WeftSql:recording: (getter get_recording)
   *
   * The recording that is asked.
   *
   * Since: 0.1
   */
  properties[PROP_RECORDING] =
      g_param_spec_object ("recording", NULL, NULL, WEFT_TYPE_RECORDING,
                           G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * WeftSql:rewriting: (getter get_rewriting) (setter set_rewriting)
   *
   * Whether the engine answers what it can; else SQLite does it all, row by row.
   *
   * Since: 0.1
   */
  properties[PROP_REWRITING] =
      g_param_spec_boolean ("rewriting", NULL, NULL, TRUE,
                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * WeftSql:time-limit: (getter get_time_limit) (setter set_time_limit)
   *
   * How long an answer may take, in milliseconds; 0: as long as it takes.
   *
   * Since: 0.1
   */
  properties[PROP_TIME_LIMIT] =
      g_param_spec_uint ("time-limit", NULL, NULL, 0, G_MAXUINT, 0,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * WeftSql:memory-limit: (getter get_memory_limit) (setter set_memory_limit)
   *
   * How large an answer may be, in bytes.
   *
   * Since: 0.1
   */
  properties[PROP_MEMORY_LIMIT] =
      g_param_spec_uint64 ("memory-limit", NULL, NULL, 0, G_MAXUINT64, DEFAULT_MEMORY_LIMIT,
                           G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_sql_init (WeftSql *self)
{
  g_mutex_init (&self->lock);
  self->rewriting = TRUE;
  self->memory_limit = DEFAULT_MEMORY_LIMIT;
}

/**
 * weft_sql_new:
 * @recording: what is asked
 *
 * Makes a recording ready for questions in SQL.
 *
 * Returns: (transfer full): an SQL connection
 *
 * Since: 0.1
 */
WeftSql *
weft_sql_new (WeftRecording *recording)
{
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), NULL);

  return g_object_new (WEFT_TYPE_SQL, "recording", recording, NULL);
}

/**
 * weft_sql_get_recording:
 * @self: an SQL connection
 *
 * Returns: (transfer none): the recording that is asked
 *
 * Since: 0.1
 */
WeftRecording *
weft_sql_get_recording (WeftSql *self)
{
  g_return_val_if_fail (WEFT_IS_SQL (self), NULL);

  return self->recording;
}

/**
 * weft_sql_get_rewriting:
 * @self: an SQL connection
 *
 * Returns: whether the engine answers what it can
 *
 * Since: 0.1
 */
gboolean
weft_sql_get_rewriting (WeftSql *self)
{
  g_return_val_if_fail (WEFT_IS_SQL (self), FALSE);

  return self->rewriting;
}

/**
 * weft_sql_set_rewriting:
 * @self: an SQL connection
 * @rewriting: whether it does
 *
 * Chooses whether the engine answers what it can.
 *
 * Since: 0.1
 */
void
weft_sql_set_rewriting (WeftSql *self, gboolean rewriting)
{
  g_return_if_fail (WEFT_IS_SQL (self));

  rewriting = !!rewriting;
  if (self->rewriting == rewriting)
    return;
  self->rewriting = rewriting;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_REWRITING]);
}

/**
 * weft_sql_get_time_limit:
 * @self: an SQL connection
 *
 * Returns: milliseconds that an answer may take; 0: any
 *
 * Since: 0.1
 */
guint
weft_sql_get_time_limit (WeftSql *self)
{
  g_return_val_if_fail (WEFT_IS_SQL (self), 0);

  return self->time_limit;
}

/**
 * weft_sql_set_time_limit:
 * @self: an SQL connection
 * @milliseconds: the limit; 0: none
 *
 * Limits how long an answer may take.
 *
 * Since: 0.1
 */
void
weft_sql_set_time_limit (WeftSql *self, guint milliseconds)
{
  g_return_if_fail (WEFT_IS_SQL (self));

  if (self->time_limit == milliseconds)
    return;
  self->time_limit = milliseconds;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TIME_LIMIT]);
}

/**
 * weft_sql_get_memory_limit:
 * @self: an SQL connection
 *
 * Returns: bytes that an answer may have
 *
 * Since: 0.1
 */
guint64
weft_sql_get_memory_limit (WeftSql *self)
{
  g_return_val_if_fail (WEFT_IS_SQL (self), 0);

  return self->memory_limit;
}

/**
 * weft_sql_set_memory_limit:
 * @self: an SQL connection
 * @bytes: the limit
 *
 * Limits how large an answer may be.
 *
 * Since: 0.1
 */
void
weft_sql_set_memory_limit (WeftSql *self, guint64 bytes)
{
  g_return_if_fail (WEFT_IS_SQL (self));

  if (self->memory_limit == bytes)
    return;
  self->memory_limit = bytes;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MEMORY_LIMIT]);
}
