/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What could stand where the cursor is: one word a line, for the shells' own completion. */

#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "ask.h"

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

/* Names in the latest recording. */
static void
offer_names (const char *table, const char *begun)
{
  g_autoptr (WeftRecording) recording = ask_open (NULL, NULL);
  g_autoptr (WeftQuery) query = weft_query_new (table, NULL);
  g_autoptr (WeftTable) names = NULL;

  if (recording == NULL || !weft_query_select (query, "name", NULL, NULL))
    return;
  weft_query_set_limit (query, MOST_NAMES);
  names = weft_query_run (query, recording, NULL, NULL);
  for (guint row = 0; names != NULL && row < weft_table_get_n_rows (names); row++)
    if (weft_table_get_string (names, 0, row) != NULL)
      offer (weft_table_get_string (names, 0, row), begun);
}

static void
offer_filter_fields (const char *begun)
{
  g_autoptr (WeftTable) fields = weft_filter_list_fields ();

  for (guint row = 0; row < weft_table_get_n_rows (fields); row++)
    {
      g_autofree char *term = g_strconcat (weft_table_get_string (fields, 0, row), ":", NULL);

      offer (term, begun);
    }
}

/* The value of an option. FALSE if BEFORE is no option that takes one of certain words. */
static gboolean
offer_value (const char *kind, const char *before, const char *begun)
{
  g_auto (GStrv) words = NULL;

  if (is_option (before, "--filter", "-f"))
    offer_filter_fields (begun);
  else if (is_option (before, "--lane", "-l"))
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

static void
complete (char **words)
{
  guint n = g_strv_length (words);
  const char *begun = words[n - 1];
  const char *before = n > 1 ? words[n - 2] : "";
  guint taken;
  g_autofree char *command = find_command (words, &taken);

  if (command == NULL || taken == n)
    offer_commands (words, n - 1, begun);
  else if (offer_value (find_kind_of_command (command), before, begun))
    return;
  else if (*begun == '-')
    offer_options (command, begun);
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
