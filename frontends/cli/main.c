/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "text.h"

/* A command runs a function, or asks an analysis of a kind, which is then its own description. */
typedef struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *kind;
  const char *summary;
} Command;

static const Command commands[] = {
  { "record", command_record, NULL, "record a program, or whatever connects" },
  { "status", command_status, NULL, "what the running recorders do" },
  { "wait", command_wait, NULL, "wait until a running recorder has got so far" },
  { "stop", command_stop, NULL, "stop a running recorder; it saves" },
  { "list", command_list, NULL, "the recordings in the usual place" },
  { "show", NULL, "show", NULL },
  { "diagnose", NULL, "diagnose", NULL },
  { "threads", NULL, "threads", NULL },
  { "top", NULL, "top", NULL },
  { "callers", NULL, "callers", NULL },
  { "waits", NULL, "waits", NULL },
  { "wakers", NULL, "wakers", NULL },
  { "flame", NULL, "flame", NULL },
  { "critical-path", NULL, "critical-path", NULL },
  { "annotate", NULL, "annotate", NULL },
  { "timeline", NULL, "timeline", NULL },
  { "state", NULL, "state", NULL },
  { "target lanes", NULL, "target-lanes", NULL },
  { "target conservation", NULL, "target-conservation", NULL },
  { "target top", NULL, "target-top", NULL },
  { "target outliers", NULL, "target-outliers", NULL },
  { "target dispatches", NULL, "target-dispatches", NULL },
  { "target dispatch", NULL, "target-dispatch", NULL },
  { "target origins", NULL, "target-origins", NULL },
  { "target routines", NULL, "target-routines", NULL },
  { "target source", NULL, "target-source", NULL },
  { "target attachments", NULL, "target-attachments", NULL },
  { "target code", NULL, "target-code", NULL },
  { "target counters", NULL, "target-counters", NULL },
  { "target submissions", NULL, "target-submissions", NULL },
  { "traces", NULL, "traces", NULL },
  { "metrics", NULL, "metrics", NULL },
  { "warnings", NULL, "warnings", NULL },
  { "compare", command_compare, NULL, "what changed between recordings" },
  { "check", command_check, NULL, "whether recordings are as they should be, for builds" },
  { "export", command_export, NULL, "write a table, or a recording, for other programs" },
  { "sql", command_sql, NULL, "answer questions in SQL" },
  { "plugins", command_plugins, NULL, "the plugins that are installed" },
  { "plugins install", command_plugins_install, NULL, "install a plugin" },
  { "plugins remove", command_plugins_remove, NULL, "remove a plugin" },
  { "repair", command_repair, NULL, "save the intact part of a damaged recording" },
  { "import", command_import, NULL, "make a recording of producers' spools, or of another file" },
  { "completion", command_completion, NULL, "what a shell needs to complete words" },
};

int
complain (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  fputs ("weft: ", stderr);
  text_vprint (stderr, format, arguments);
  fputc ('\n', stderr);
  va_end (arguments);
  return EXIT_FAILED;
}

gboolean
parse_options (const char *summary, const char *parameters, const GOptionEntry *entries, int *argc,
               char ***argv, int *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, summary);
  g_option_context_set_strict_posix (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, argc, argv, &error))
    {
      if (*argc > 1 && strcmp ((*argv)[1], "--") == 0)
        {
          (*argv)[1] = (*argv)[0];
          (*argv)++;
          (*argc)--;
        }
      if (parameters != NULL || *argc == 1)
        return TRUE;
      complain ("“%s” is one word too many (see “%s --help”)", (*argv)[1], g_get_prgname ());
      *status = EXIT_USAGE;
      return FALSE;
    }
  complain ("%s (see “%s --help”)", error->message, g_get_prgname ());
  *status = EXIT_USAGE;
  return FALSE;
}

/* An answer that could not be written was not given. */
static int
finish_output (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  complain ("cannot write the answer: %s", g_strerror (errno));
  return status == EXIT_OK ? EXIT_FAILED : status;
}

static const char *
get_summary (const Command *command)
{
  return command->kind ? weft_analysis_kind_get_summary (command->kind) : command->summary;
}

static void
print_help (FILE *stream)
{
  fputs ("Usage: weft COMMAND [OPTIONS]\n\nCommands:\n", stream);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    text_print (stream, "  %-18s  %s\n", commands[i].name, get_summary (&commands[i]));
  fputs ("\n“weft COMMAND --help” tells more. Most commands take “--json”; where one takes a FILE, "
         "the\n"
         "latest recording is meant if none is given.\n",
         stream);
}

void
list_commands (GStrvBuilder *names)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_strv_builder_add (names, commands[i].name);
}

const char *
find_kind_of_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, name) == 0)
      return commands[i].kind;
  return NULL;
}

/* How many of the words of ARGV are the name of COMMAND; 0 if they are not. */
static int
match (const Command *command, int argc, char **argv)
{
  g_auto (GStrv) words = g_strsplit (command->name, " ", -1);
  int n = (int) g_strv_length (words);

  for (int i = 0; i < n; i++)
    if (i + 1 >= argc || strcmp (argv[i + 1], words[i]) != 0)
      return 0;
  return n;
}

static int
run (const Command *command, int argc, char **argv)
{
  g_autofree char *name = g_strdup_printf ("weft %s", command->name);

  g_set_prgname (name);
  if (command->kind != NULL)
    return command_ask (command->kind, argc, argv);
  return command->run (argc, argv);
}

static int
complain_of_command (int argc, char **argv)
{
  if (strcmp (argv[1], "target") == 0)
    complain (
        "“weft target” wants to know what: lanes, top, dispatches, …; “weft --help” lists them");
  else
    complain ("there is no command “%s”; “weft --help” lists them", argv[1]);
  return EXIT_USAGE;
}

/* The one of most words that ARGV begins with: N of them. */
static const Command *
find_command (int argc, char **argv, int *n)
{
  const Command *found = NULL;

  *n = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      int matched = match (&commands[i], argc, argv);

      if (matched > *n)
        {
          found = &commands[i];
          *n = matched;
        }
    }
  return found;
}

int
main (int argc, char **argv)
{
  const Command *command;
  int n;
  const char *runtime_dir = g_getenv ("WEFT_RUNTIME_DIR");

  setlocale (LC_ALL, "");

  if (argc < 2)
    {
      print_help (stderr);
      return EXIT_USAGE;
    }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "help") == 0)
    {
      print_help (stdout);
      return EXIT_OK;
    }
  if (strcmp (argv[1], "--version") == 0)
    {
      printf ("weft %s\n", weft_get_version ());
      return EXIT_OK;
    }

  if (runtime_dir != NULL && *runtime_dir != '\0' && *runtime_dir != '/')
    {
      complain ("WEFT_RUNTIME_DIR must be an absolute path: programs do not find “%s”",
                runtime_dir);
      return EXIT_USAGE;
    }
  command = find_command (argc, argv, &n);
  if (command == NULL)
    return complain_of_command (argc, argv);
  return finish_output (run (command, argc - n, argv + n));
}
