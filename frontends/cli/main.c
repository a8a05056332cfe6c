/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

typedef struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
} Command;

static const Command commands[] = {
  { "record", command_record, "record a program, or whatever connects" },
  { "status", command_status, "what the running recorders do" },
  { "wait", command_wait, "wait until a running recorder has got so far" },
  { "stop", command_stop, "stop a running recorder; it saves" },
  { "list", command_list, "the recordings in the usual place" },
  { "show", command_show, "what a recording holds" },
  { "repair", command_repair, "save the intact part of a damaged recording" },
  { "import", command_import, "make a recording of producers' spool files" },
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

static void
print_help (FILE *stream)
{
  fputs ("Usage: weft COMMAND [OPTIONS]\n\nCommands:\n", stream);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (stream, "  %-8s  %s\n", commands[i].name, commands[i].summary);
  fputs ("\n“weft COMMAND --help” tells more. Most commands take “--json”.\n", stream);
}

int
main (int argc, char **argv)
{
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
      puts ("weft " WEFT_VERSION);
      return EXIT_OK;
    }

  if (runtime_dir != NULL && *runtime_dir != '\0' && *runtime_dir != '/')
    {
      complain ("WEFT_RUNTIME_DIR must be an absolute path: programs do not find “%s”", runtime_dir);
      return EXIT_USAGE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      {
        g_autofree char *name = g_strdup_printf ("weft %s", argv[1]);

        g_set_prgname (name);
        return finish_output (commands[i].run (argc - 1, argv + 1));
      }
  complain ("there is no command “%s”; “weft --help” lists them", argv[1]);
  return EXIT_USAGE;
}
