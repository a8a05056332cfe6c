/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Questions in SQL: one on the command line, or as they are typed. */

#include "commands.h"

#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "print.h"
#include "prompt.h"
#include "text.h"

typedef struct
{
  gboolean json;
  gboolean csv;
  gboolean wide;
  gboolean explain;
  int time_limit; /* seconds */
} Options;

static const char help[] = "A question is one SELECT and ends with a semicolon.\n"
                           ".tables           what can be asked\n"
                           ".schema TABLE     the columns of a table\n"
                           ".explain SELECT   how a question is answered\n"
                           ".mode MODE        how answers are shown: table, csv or json\n"
                           ".help             this\n"
                           ".quit             ends, as does Ctrl-D\n";

/* ---- Answers ---- */

static int
print_text (WeftTable *table, const Options *options)
{
  guint n = weft_table_get_n_columns (table);
  g_autofree char **names = g_new0 (char *, n + 1);
  PrintOptions print = { .columns = names, .wide = options->wide };

  for (guint i = 0; i < n; i++)
    names[i] = (char *) weft_table_get_column_name (table, i);
  if (weft_table_get_n_rows (table) > 0)
    print_table (table, &print);
  else
    text_print (stdout, "Nothing.\n");
  return EXIT_OK;
}

static int
print_csv (WeftTable *table)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;
  GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (stream);

  if (!weft_table_write_csv (table, stream, NULL, &error))
    return complain ("%s", error->message);
  if (isatty (STDOUT_FILENO))
    text_print (stdout, "%.*s", (int) g_memory_output_stream_get_data_size (memory),
                (const char *) g_memory_output_stream_get_data (memory));
  else
    fwrite (g_memory_output_stream_get_data (memory), 1,
            g_memory_output_stream_get_data_size (memory), stdout);
  return EXIT_OK;
}

static int
print_answer (WeftTable *table, const Options *options)
{
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *json = NULL;

  if (options->csv)
    return print_csv (table);
  if (!options->json)
    return print_text (table, options);
  report = weft_report_new ("sql", FALSE);
  weft_report_append (report, table);
  json = weft_report_to_json (report);
  text_print (stdout, "%s", json);
  return EXIT_OK;
}

static int
explain (WeftSql *sql, const char *question)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *told = weft_sql_explain (sql, question, NULL, &error);

  if (told == NULL)
    return complain ("%s", error->message);
  text_print (stdout, "%s", told);
  return EXIT_OK;
}

/* ---- Questions ---- */

/* One that runs while the terminal is listened to: Ctrl-C ends it, and not the program. */
typedef struct
{
  GMainLoop *loop;
  WeftTable *table;
  GError *error;
} Running;

static void
take_answer (GObject *sql, GAsyncResult *result, gpointer data)
{
  Running *running = data;

  running->table = weft_sql_query_finish (WEFT_SQL (sql), result, &running->error);
  g_main_loop_quit (running->loop);
}

/* Of the running question, or NULL. */
static GCancellable *interruptible;

static gboolean
interrupt (gpointer data)
{
  if (interruptible != NULL)
    g_cancellable_cancel (interruptible);
  return G_SOURCE_CONTINUE;
}

static WeftTable *
ask_interruptible (WeftSql *sql, const char *question, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Running running = { loop, NULL, NULL };

  /* What was pressed while a line was typed ends nothing. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  interruptible = cancellable;
  weft_sql_query_async (sql, question, NULL, cancellable, take_answer, &running);
  g_main_loop_run (loop);
  interruptible = NULL;
  if (running.error != NULL)
    g_propagate_error (error, running.error);
  return running.table;
}

static int
ask (WeftSql *sql, const char *question, gboolean by_person, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftTable) table = NULL;

  if (options->explain)
    return explain (sql, question);
  weft_recording_refresh (weft_sql_get_recording (sql), NULL, NULL);
  table = by_person ? ask_interruptible (sql, question, &error)
                    : weft_sql_query (sql, question, NULL, NULL, &error);
  if (table == NULL)
    return complain ("%s", error->message);
  return print_answer (table, options);
}

/* ---- The prompt ---- */

static void
print_schema (WeftSql *sql, const char *name, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text =
      *name != '\0'
          ? g_strdup ("SELECT name, type, unit, \"reference\", hidden, summary FROM weft_columns "
                      "WHERE \"table\" = lower(:table)")
          : g_strdup ("SELECT \"table\", name, type, summary FROM weft_columns WHERE NOT hidden");
  g_autoptr (WeftTable) table = NULL;
  GVariantDict names;

  g_variant_dict_init (&names, NULL);
  g_variant_dict_insert (&names, "table", "s", name);
  table = weft_sql_query (sql, text, g_variant_dict_end (&names), NULL, &error);
  if (table == NULL)
    complain ("%s", error->message);
  else if (weft_table_get_n_rows (table) == 0)
    complain ("there is no table “%s” (.tables lists them; what views have, “SELECT * … LIMIT 1” "
              "shows)",
              name);
  else
    print_answer (table, options);
}

static void
set_mode (const char *mode, Options *options)
{
  if (strcmp (mode, "table") != 0 && strcmp (mode, "csv") != 0 && strcmp (mode, "json") != 0)
    {
      complain ("there is no mode “%s”: table, csv, json", mode);
      return;
    }
  options->csv = strcmp (mode, "csv") == 0;
  options->json = strcmp (mode, "json") == 0;
}

/* A line with a dot in front. FALSE: it ends the session. */
static gboolean
obey (WeftSql *sql, const char *line, Options *options)
{
  gsize length = strcspn (line, " \t;");
  g_autofree char *word = g_strndup (line, length);
  g_autofree char *rest = g_strdup (line + length);

  g_strstrip (rest);
  if (strcmp (word, ".tables") == 0)
    ask (sql, "SELECT name, kind, summary FROM weft_tables", FALSE, options);
  else if (strcmp (word, ".schema") == 0)
    print_schema (sql, rest, options);
  else if (strcmp (word, ".explain") == 0)
    explain (sql, rest);
  else if (strcmp (word, ".mode") == 0)
    set_mode (rest, options);
  else if (strcmp (word, ".help") == 0)
    text_print (stdout, "%s", help);
  else if (strcmp (word, ".quit") == 0 || strcmp (word, ".exit") == 0)
    return FALSE;
  else
    complain ("there is no command “%s”; .help lists them", word);
  return TRUE;
}

static GStrv
list_words (void)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (WeftTable) tables = weft_sql_list_tables ();
  g_autoptr (WeftTable) columns = weft_sql_list_columns ();
  static const char *const more[] = { "SELECT", "FROM",     "WHERE", "GROUP", "ORDER", "LIMIT",
                                      "HAVING", "count(*)", "sum(",  "avg(",  "p95(",  NULL };

  g_strv_builder_addv (words, (const char **) more);
  for (guint i = 0; i < weft_table_get_n_rows (tables); i++)
    g_strv_builder_add (words, weft_table_get_string (tables, 0, i));
  for (guint i = 0; i < weft_table_get_n_rows (columns); i++)
    if (g_hash_table_add (seen, (gpointer) weft_table_get_string (columns, 1, i)))
      g_strv_builder_add (words, weft_table_get_string (columns, 1, i));
  return g_strv_builder_end (words);
}

static gboolean
is_blank (const char *text)
{
  return text[strspn (text, " \t\n;")] == '\0';
}

/* Reads questions until the input ends. Of those that nobody typed, the first that fails ends it.
 */
static int
converse (WeftSql *sql, Options *options)
{
  gboolean is_person = isatty (STDIN_FILENO);
  g_auto (GStrv) words = list_words ();
  g_autoptr (GString) question = g_string_new (NULL);
  gboolean goes_on = TRUE;
  int status = EXIT_OK;

  prompt_begin ((const char *const *) words);
  if (is_person)
    g_unix_signal_add (SIGINT, interrupt, NULL);
  while (goes_on && (is_person || status == EXIT_OK))
    {
      g_autofree char *line = prompt_read (question->len > 0 ? "  ...> " : "weft> ");

      if (line == NULL && is_blank (question->str))
        break;
      if (line != NULL && question->len == 0 && line[0] == '.')
        {
          prompt_remember (line);
          goes_on = obey (sql, line, options);
          continue;
        }
      g_string_append (question, line != NULL ? line : ";");
      g_string_append_c (question, '\n');
      if (!weft_sql_is_complete (question->str) && line != NULL)
        continue;
      if (!is_blank (question->str))
        {
          prompt_remember (question->str);
          status = ask (sql, question->str, is_person, options);
        }
      g_string_truncate (question, 0);
    }
  return is_person ? EXIT_OK : status;
}

/* ---- The command ---- */

/* The words may be a file, a question, or both. */
static gboolean
read_words (int argc, char **argv, const char **file, const char **question)
{
  *file = *question = NULL;
  if (argc > 3)
    return FALSE;
  if (argc == 3)
    {
      gboolean is_turned =
          !g_file_test (argv[1], G_FILE_TEST_EXISTS) && g_file_test (argv[2], G_FILE_TEST_EXISTS);

      *file = argv[is_turned ? 2 : 1];
      *question = argv[is_turned ? 1 : 2];
    }
  else if (argc == 2 && (g_file_test (argv[1], G_FILE_TEST_EXISTS) ||
                         g_str_has_suffix (argv[1], ".weft") || strcmp (argv[1], "latest") == 0))
    *file = argv[1];
  else if (argc == 2)
    *question = argv[1];
  return TRUE;
}

static int
run (const char *file, const char *question, Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecording) recording = ask_open (file, &error);
  g_autoptr (WeftSql) sql = NULL;

  if (recording == NULL)
    return complain ("%s", error->message);
  sql = weft_sql_new (recording);
  weft_sql_set_time_limit (sql, (guint) options->time_limit * 1000);
  return question != NULL ? ask (sql, question, FALSE, options) : converse (sql, options);
}

int
command_sql (int argc, char **argv)
{
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print JSON", NULL },
    { "csv", 'c', 0, G_OPTION_ARG_NONE, &options.csv, "Print CSV", NULL },
    { "wide", 'w', 0, G_OPTION_ARG_NONE, &options.wide, "All columns, however wide the terminal",
      NULL },
    { "explain", 'e', 0, G_OPTION_ARG_NONE, &options.explain,
      "Tell how the question is answered, and do not answer it", NULL },
    { "time-limit", 't', 0, G_OPTION_ARG_INT, &options.time_limit, "Give up after so many seconds",
      "SECONDS" },
    { NULL },
  };
  const char *file, *question;
  int status;

  if (!parse_options ("Answers a question in SQL, or, without one, those that are typed.",
                      "[FILE] [QUESTION]", entries, &argc, &argv, &status))
    return status;
  if (!read_words (argc, argv, &file, &question))
    {
      complain ("name a recording and one question, in quotes (see “%s --help”)", g_get_prgname ());
      return EXIT_USAGE;
    }
  if (options.json && options.csv)
    complain ("--json and --csv cannot both be");
  else if (options.time_limit < 0 || options.time_limit > G_MAXINT / 1000)
    complain ("--time-limit is a number of seconds from 1 on");
  else
    return run (file, question, &options);
  return EXIT_USAGE;
}
