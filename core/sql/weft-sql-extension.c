/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an SQLite program gets that loads us: the modules “weft” and “weft_summary”, which make a
 * table of a recording, and weft_open (), which makes all of them.
 */

#include "weft-sql-extension.h"

#include <string.h>

#include "weft-sql.h"
#include "weft-sql-connection.h"
#include "weft-sql-functions.h"
#include "weft-sql-rows.h"
#include "weft-sql-summaries.h"

/* The recordings that a connection has opened, by path. */
typedef struct
{
  gint refs;
  const sqlite3_api_routines *api;
  GHashTable *sources;
} Extension;

static void
extension_unref (gpointer data)
{
  Extension *self = data;

  if (--self->refs > 0)
    return;
  g_hash_table_unref (self->sources);
  g_free (self);
}

static WeftSqlSource *
open_source (Extension *self, const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree char *absolute = g_file_get_path (file);
  WeftSqlSource *source = g_hash_table_lookup (self->sources, absolute);
  g_autoptr (WeftRecording) recording = NULL;

  if (source != NULL)
    return source;
  recording = weft_recording_open (file, NULL, error);
  if (recording == NULL)
    return NULL;
  source = weft_sql_source_new (recording, self->api);
  source->is_followed = TRUE;
  g_hash_table_insert (self->sources, g_steal_pointer (&absolute), source);
  return source;
}

/* An argument of CREATE VIRTUAL TABLE as it was meant: without its quotes. */
static char *
unquote (const char *argument)
{
  char *text = g_strstrip (g_strdup (argument));
  char quote = text[0];
  gsize length = strlen (text);
  gsize to = 0;

  if (length < 2 || (quote != '\'' && quote != '"') || text[length - 1] != quote)
    return text;
  for (gsize from = 1; from < length - 1; from++)
    {
      from += text[from] == quote && text[from + 1] == quote && from + 2 < length;
      text[to++] = text[from];
    }
  text[to] = '\0';
  return text;
}

static WeftSqlAnswerTable *
find_answer (WeftSqlSource *source, const char *name)
{
  guint n;
  const WeftSqlSummary *summaries = weft_sql_summaries_get (&n);

  for (guint i = 0; i < n; i++)
    if (strcmp (summaries[i].name, name) == 0)
      return weft_sql_summary_table_new (source, &summaries[i]);
  if (strcmp (name, "weft_tables") == 0)
    return weft_sql_connection_table_new (source, weft_sql_connection_list_tables ());
  if (strcmp (name, "weft_columns") == 0)
    return weft_sql_connection_table_new (source, weft_sql_connection_list_columns ());
  return NULL;
}

/* The arguments FILE and TABLE; NULL with a message. */
static WeftSqlSource *
read_arguments (Extension *self, int argc, const char *const *argv, char **table, char **error)
{
  const sqlite3_api_routines *sqlite3_api = self->api;
  g_autoptr (GError) local = NULL;
  g_autofree char *path = NULL;
  WeftSqlSource *source;

  if (argc != 5)
    {
      *error = sqlite3_mprintf ("%s wants two arguments: ('FILE', 'TABLE')", argv[0]);
      return NULL;
    }
  path = unquote (argv[3]);
  source = open_source (self, path, &local);
  if (source == NULL)
    *error = sqlite3_mprintf ("%s: %s", path, local->message);
  else
    *table = unquote (argv[4]);
  return source;
}

static int
connect_rows (sqlite3 *database, void *data, int argc, const char *const *argv, sqlite3_vtab **made,
              char **error)
{
  Extension *self = data;
  const sqlite3_api_routines *sqlite3_api = self->api;
  g_autofree char *name = NULL;
  WeftSqlSource *source = read_arguments (self, argc, argv, &name, error);
  WeftTableId table;

  if (source == NULL)
    return SQLITE_ERROR;
  table = weft_model_find_table (name);
  if (table != WEFT_N_TABLES)
    return weft_sql_rows_connect (database, source, table, made, error);
  *error = sqlite3_mprintf ("recordings have no table “%s” (docs/tables.md lists them; summaries "
                            "are made with weft_summary)",
                            name);
  return SQLITE_ERROR;
}

static int
connect_summary (sqlite3 *database, void *data, int argc, const char *const *argv,
                 sqlite3_vtab **made, char **error)
{
  Extension *self = data;
  const sqlite3_api_routines *sqlite3_api = self->api;
  g_autofree char *name = NULL;
  WeftSqlSource *source = read_arguments (self, argc, argv, &name, error);
  WeftSqlAnswerTable *answer;

  if (source == NULL)
    return SQLITE_ERROR;
  answer = find_answer (source, name);
  if (answer != NULL)
    return weft_sql_answer_connect (database, answer, TRUE, made, error);
  *error = sqlite3_mprintf ("there is no summary “%s” (docs/sql.md lists them)", name);
  return SQLITE_ERROR;
}

static int
create_table (sqlite3 *database, const sqlite3_api_routines *sqlite3_api, const char *prefix,
              const char *name, const char *module, const char *path)
{
  char *text = sqlite3_mprintf ("CREATE VIRTUAL TABLE temp.\"%w%w\" USING %s(%Q, %Q)", prefix, name,
                                module, path, name);
  int status = text != NULL ? sqlite3_exec (database, text, NULL, NULL, NULL) : SQLITE_NOMEM;

  sqlite3_free (text);
  return status;
}

static int
create_all (sqlite3 *database, const sqlite3_api_routines *sqlite3_api, const char *prefix,
            const char *path)
{
  static const char *const lists[] = { "weft_tables", "weft_columns" };
  int status = SQLITE_OK;
  guint n;
  const WeftSqlSummary *summaries = weft_sql_summaries_get (&n);

  for (guint i = 0; i < WEFT_N_TABLES && status == SQLITE_OK; i++)
    status = create_table (database, sqlite3_api, prefix,
                           weft_model_get_table ((WeftTableId) i)->name, "weft", path);
  for (guint i = 0; i < n && status == SQLITE_OK; i++)
    status = create_table (database, sqlite3_api, prefix, summaries[i].name, "weft_summary", path);
  for (guint i = 0; i < G_N_ELEMENTS (lists) && status == SQLITE_OK; i++)
    status = create_table (database, sqlite3_api, prefix, lists[i], "weft_summary", path);
  return status == SQLITE_OK ? weft_sql_connection_add_views (database, sqlite3_api, prefix)
                             : status;
}

void
weft_sql_extension_open (const sqlite3_api_routines *api, sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
  const sqlite3_api_routines *sqlite3_api = api;
  sqlite3 *database = sqlite3_context_db_handle (context);
  const char *path = (const char *) sqlite3_value_text (argv[0]);
  const char *prefix = argc > 1 ? (const char *) sqlite3_value_text (argv[1]) : "";

  if (path == NULL || prefix == NULL)
    {
      sqlite3_result_error (context, "weft_open wants the path of a recording", -1);
      return;
    }
  if (create_all (database, api, prefix, path) != SQLITE_OK)
    sqlite3_result_error (context, sqlite3_errmsg (database), -1);
  else
    sqlite3_result_value (context, argv[0]);
}

/**
 * weft_sql_extend: (skip)
 * @database: a connection of SQLite (`sqlite3 *`)
 * @api: what that SQLite gave to the extension that it loads (`sqlite3_api_routines *`)
 *
 * Makes the modules and functions known to a connection; the extension `weft` calls it.
 *
 * Returns: whether they are
 *
 * Since: 0.1
 */
gboolean
weft_sql_extend (gpointer database, gconstpointer api)
{
  static sqlite3_module rows;
  static sqlite3_module summaries;
  static gsize is_made;
  const sqlite3_api_routines *sqlite3_api = api;
  Extension *self;
  int status;

  g_return_val_if_fail (database != NULL, FALSE);
  g_return_val_if_fail (api != NULL, FALSE);

  if (g_once_init_enter (&is_made))
    {
      rows = weft_sql_rows_module;
      rows.xCreate = rows.xConnect = connect_rows;
      summaries = weft_sql_answer_module;
      summaries.xCreate = summaries.xConnect = connect_summary;
      g_once_init_leave (&is_made, 1);
    }
  self = g_new0 (Extension, 1);
  self->refs = 2;
  self->api = api;
  self->sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, weft_sql_source_unref);
  /* A module that cannot be made gives back its data at once. */
  status = sqlite3_create_module_v2 (database, "weft", &rows, self, extension_unref);
  if (status != SQLITE_OK)
    extension_unref (self);
  else
    status = sqlite3_create_module_v2 (database, "weft_summary", &summaries, self, extension_unref);
  if (status == SQLITE_OK)
    status = weft_sql_functions_register (database, api);
  return status == SQLITE_OK && weft_sql_functions_register_open (database, api) == SQLITE_OK;
}
