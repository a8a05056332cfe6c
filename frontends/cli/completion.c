/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What could stand where the cursor is: one word a line, for the shells' own completion. */

#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "plugins.h"

#define MOST_NAMES 200

/* ---- Words ---- */

static void
offer (const char *word, const char *begun)
{
  if (g_str_has_prefix (word, begun) && g_utf8_validate (word, -1, NULL) &&
      strpbrk (word, "\n\t") == NULL)
    puts (word);
}

static void
offer_all (char **words, const char *begun)
{
  for (guint i = 0; words[i] != NULL; i++)
    offer (words[i], begun);
}

/* Of the names of commands that go on after the words given, the next word. */
static void
offer_commands (char **words, guint n, const char *begun)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GHashTable) offered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) names = NULL;

  list_commands (builder);
  names = g_strv_builder_end (builder);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (names[i], " ", -1);
      guint same = 0;

      while (same < n && parts[same] != NULL && strcmp (parts[same], words[same]) == 0)
        same++;
      if (same == n && parts[n] != NULL && g_hash_table_add (offered, g_strdup (parts[n])))
        offer (parts[n], begun);
    }
}

/* The command that the words begin with, and how many of them it takes. */
static char *
find_command (char **words, guint *n)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;
  g_autofree char *two = words[0] && words[1] ? g_strjoin (" ", words[0], words[1], NULL) : NULL;

  list_commands (builder);
  names = g_strv_builder_end (builder);
  *n = 0;
  if (two != NULL && g_strv_contains ((const char *const *) names, two))
    *n = 2;
  else if (words[0] != NULL && g_strv_contains ((const char *const *) names, words[0]))
    *n = 1;
  return *n == 0 ? NULL : g_strdup (*n == 2 ? two : words[0]);
}

/* ---- Options ---- */

/* Options are told by the command's own help. */
static void
offer_options (const char *command, const char *begun)
{
  g_auto (GStrv) words = g_strsplit (command, " ", -1);
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;
  g_autofree char *help = NULL;
  g_autoptr (GRegex) option = g_regex_new ("--[a-z][a-z-]*", 0, 0, NULL);
  g_autoptr (GMatchInfo) found = NULL;

  g_strv_builder_add (arguments, "/proc/self/exe");
  g_strv_builder_addv (arguments, (const char **) words);
  g_strv_builder_add (arguments, "--help");
  argv = g_strv_builder_end (arguments);
  if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &help, NULL, NULL,
                     NULL) ||
      help == NULL)
    return;
  for (g_regex_match (option, help, 0, &found); g_match_info_matches (found);
       g_match_info_next (found, NULL))
    {
      g_autofree char *name = g_match_info_fetch (found, 0);

      offer (name, begun);
    }
}

static gboolean
is_option (const char *word, const char *name, const char *letter)
{
  return g_strcmp0 (word, name) == 0 || g_strcmp0 (word, letter) == 0;
}

/* ---- Names ---- */

/* What COLUMN of TABLE holds in the latest recording, each once. */
static GStrv
list_names (const char *table, const char *column)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (WeftRecording) recording = ask_open (NULL, NULL);
  g_autoptr (WeftQuery) query = weft_query_new (table, NULL);
  g_autoptr (WeftTable) names = NULL;

  if (recording != NULL && weft_query_group_by (query, column, NULL, NULL) &&
      weft_query_select (query, "count()", NULL, NULL))
    {
      weft_query_set_limit (query, MOST_NAMES);
      names = weft_query_run (query, recording, NULL, NULL);
    }
  for (guint row = 0; names != NULL && row < weft_table_get_n_rows (names); row++)
    {
      g_autofree char *name = weft_table_get_text (names, 0, row);

      if (name != NULL)
        g_strv_builder_add (builder, name);
    }
  return g_strv_builder_end (builder);
}

static void
offer_names (const char *table, const char *begun)
{
  g_auto (GStrv) names = list_names (table, "name");

  offer_all (names, begun);
}

static void
offer_column (WeftTable *table, const char *begun)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    offer (weft_table_get_string (table, 0, row), begun);
}

static void
offer_tables (const char *begun)
{
  g_autoptr (WeftTable) tables = weft_query_list_tables ();

  offer_column (tables, begun);
}

typedef char *(*GetName) (gpointer extension);

static void
offer_extensions (GListModel *list, GetName get_name, const char *begun)
{
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (GObject) extension = g_list_model_get_item (list, i);
      g_autofree char *name = get_name (extension);

      offer (name, begun);
    }
}

static void
offer_formats (const char *begun)
{
  offer ("csv", begun);
  offer ("json", begun);
  offer ("arrow", begun);
  offer_extensions (weft_plugin_registry_get_exporters (plugins_load ()),
                    (GetName) weft_exporter_get_name, begun);
}

static void
offer_instruments (const char *begun)
{
  offer ("auto", begun);
  offer_extensions (weft_plugin_registry_get_instruments (plugins_load ()),
                    (GetName) weft_instrument_get_name, begun);
}

/* Only those of the user can be removed. */
static void
offer_removable (const char *begun)
{
  WeftPluginRegistry *registry = plugins_load ();
  const char *folder = weft_plugin_registry_get_user_directory (registry);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (registry)); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (registry), i);

      if (folder != NULL && g_str_has_prefix (weft_plugin_get_path (plugin), folder))
        offer (weft_plugin_get_name (plugin), begun);
    }
}

/* ---- Filters ---- */

static void
offer_fields (const char *before, const char *begun)
{
  g_autoptr (WeftTable) fields = weft_filter_list_fields ();

  for (guint row = 0; row < weft_table_get_n_rows (fields); row++)
    {
      const char *name = weft_table_get_string (fields, 0, row);
      g_autofree char *term = g_strconcat (before, name, ":", NULL);

      if (g_str_has_prefix (name, begun))
        offer (term, "");
    }
}

/* VALUE as it is written in a filter. */
static char *
quote (const char *value)
{
  g_autofree char *escaped = NULL;

  if (*value && strpbrk (value, " ()\",:*?") == NULL)
    return g_strdup (value);
  escaped = g_strescape (value, NULL);
  return g_strconcat ("\"", escaped, "\"", NULL);
}

static void
offer_values (const char *before, const char *field, const char *begun)
{
  static const struct
  {
    const char *field;
    const char *table;
    const char *column;
  } known[] = {
    { "lane", "lanes", "name" },       { "kind", "lanes", "kind" },
    { "routine", "routines", "name" }, { "thread", "threads", "name" },
    { "trace", "traces", "name" },     { "status", "dispatches", "status" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp (known[i].field, field) == 0)
      {
        g_auto (GStrv) values = list_names (known[i].table, known[i].column);

        for (guint v = 0; values[v] != NULL; v++)
          {
            g_autofree char *value = quote (values[v]);
            g_autofree char *term = g_strconcat (before, field, ":", value, NULL);

            if (g_str_has_prefix (values[v], begun))
              offer (term, "");
          }
      }
}

/* Where the last term of FILTER begins: behind a blank or bracket that is in no quotes. */
static gsize
find_last_term (const char *filter)
{
  gboolean quoted = FALSE;
  gsize term = 0;

  for (gsize i = 0; filter[i] != '\0'; i++)
    {
      quoted ^= filter[i] == '"';
      if (!quoted && strchr (" (", filter[i]) != NULL)
        term = i + 1;
    }
  return filter[term] == '-' || filter[term] == '!' ? term + 1 : term;
}

static void
offer_filter (const char *begun)
{
  gsize term = find_last_term (begun);
  const char *colon = strchr (begun + term, ':');
  g_autofree char *before = g_strndup (begun, term);
  g_autofree char *field = NULL;

  if (colon == NULL)
    {
      offer_fields (before, begun + term);
      return;
    }
  field = g_strndup (begun + term, (gsize) (colon - begun) - term);
  offer_values (before, field, colon + (colon[1] == '"' ? 2 : 1));
}

/* ---- What stands where the cursor is ---- */

/* The value of an option. FALSE if BEFORE is no option that takes one of certain words. */
static gboolean
offer_value (const char *kind, const char *before, const char *begun)
{
  static const struct
  {
    const char *name;
    const char *letter;
    void (*offer) (const char *begun);
  } options[] = {
    { "--filter", "-f", offer_filter },
    { "--table", "-t", offer_tables },
    { "--with", "", offer_instruments },
  };
  g_auto (GStrv) words = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    if (is_option (before, options[i].name, options[i].letter))
      {
        options[i].offer (begun);
        return TRUE;
      }
  if (is_option (before, "--lane", "-l"))
    offer_names ("lanes", begun);
  else if (is_option (before, "--routine", "-r"))
    offer_names ("routines", begun);
  else if (kind != NULL && is_option (before, "--by", "-b"))
    words = weft_analysis_kind_list_orders (kind);
  else if (kind != NULL && is_option (before, "--group", "-g"))
    words = weft_analysis_kind_list_groups (kind);
  else
    return FALSE;
  if (words != NULL)
    offer_all (words, begun);
  return TRUE;
}

/* What may stand first behind COMMAND. */
static void
offer_first_word (const char *command, const char *begun)
{
  if (strcmp (command, "export") == 0)
    offer_formats (begun);
  else if (strcmp (command, "plugins remove") == 0)
    offer_removable (begun);
}

static void
complete (char **words)
{
  guint n = g_strv_length (words);
  const char *begun = words[n - 1];
  const char *before = n > 1 ? words[n - 2] : "";
  guint taken;
  g_autofree char *command = find_command (words, &taken);

  if (command == NULL || taken == n)
    {
      offer_commands (words, n - 1, begun);
      return;
    }
  if (offer_value (find_kind_of_command (command), before, begun))
    return;
  if (*begun == '-')
    offer_options (command, begun);
  else if (taken == n - 1)
    {
      offer_commands (words, n - 1, begun);
      offer_first_word (command, begun);
    }
}

int
command_completion (int argc, char **argv)
{
  const GOptionEntry entries[] = { { NULL } };
  int status;

  if (!parse_options ("Prints what could stand in place of the last WORD, a word a line. The "
                      "shells' completion "
                      "scripts call it; where it prints nothing, files are meant.",
                      "-- WORD…", entries, &argc, &argv, &status))
    return status;
  if (argc < 2)
    {
      complain ("tell the words that stand after “weft”");
      return EXIT_USAGE;
    }
  complete (argv + 1);
  return EXIT_OK;
}
