/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>
#include <weft.h>

#include "json.h"
#include "plugins.h"
#include "text.h"

/* ---- Spools ---- */

static void
print_result (const WeftImportSummary *result, const char *output, gboolean json)
{
  g_autofree char *dispatches = text_counted (result->dispatches, "dispatch", "dispatches");
  g_autofree char *lanes = text_counted (result->lanes, "lane", "lanes");
  JsonBuilder *builder;

  if (!json)
    {
      text_print (stdout,
                  "Imported %s on %s; %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
                  " rejected.\n%s\n",
                  dispatches, lanes, result->lost, result->rejected, output);
      return;
    }
  builder = json_answer_begin ("import", "value");
  json_add_string (builder, "file", output);
  json_add_count (builder, "dispatches", result->dispatches);
  json_add_count (builder, "lanes", result->lanes);
  json_add_count (builder, "lost", result->lost);
  json_add_count (builder, "rejected", result->rejected);
  json_answer_end (builder, "value");
}

/* ---- Files of other programs ---- */

#define HEAD_SIZE 65536

static WeftImporter *
find_importer (GFile *file)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, NULL);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *head = g_malloc (HEAD_SIZE);
  g_autoptr (GBytes) bytes = NULL;
  gsize n;

  if (stream == NULL ||
      !g_input_stream_read_all (G_INPUT_STREAM (stream), head, HEAD_SIZE, &n, NULL, NULL))
    return NULL;
  bytes = g_bytes_new_take (g_steal_pointer (&head), n);
  return weft_plugin_registry_recognize (plugins_load (), bytes, name);
}

static void
print_imported (WeftImporter *importer, char **losses, const char *output, gboolean json)
{
  g_autofree char *name = weft_importer_get_name (importer);
  JsonBuilder *builder;

  for (guint i = 0; losses != NULL && losses[i] != NULL; i++)
    text_print (stderr, "weft: not carried: %s\n", losses[i]);
  if (!json)
    {
      text_print (stdout, "Imported by “%s”.\n%s\n", name, output);
      return;
    }
  builder = json_answer_begin ("import", "value");
  json_add_string (builder, "file", output);
  json_add_string (builder, "importer", name);
  json_answer_end (builder, "value");
}

static gboolean
import_foreign (const char *path, const char *output, gboolean json, GError **error)
{
  g_autoptr (GFile) input = g_file_new_for_commandline_arg (path);
  g_autoptr (GFile) target = g_file_new_for_commandline_arg (output);
  WeftImporter *importer = find_importer (input);
  g_auto (GStrv) losses = NULL;

  if (importer == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "“%s” is no spool of libweft-target, and no plugin knows what it is (see “weft "
                   "plugins”)",
                   path);
      return FALSE;
    }
  if (g_file_query_exists (target, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "“%s” exists already", output);
      return FALSE;
    }
  if (!weft_importer_import_file (importer, input, target, NULL, NULL, NULL, &losses, error))
    return FALSE;
  print_imported (importer, losses, output, json);
  return TRUE;
}

/* ---- The command ---- */

static gboolean
import (char **paths, const char *output, gboolean json, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (WeftImportSummary) result =
      weft_import_spool ((const char *const *) paths, output, NULL, NULL, &failure);

  if (result != NULL)
    print_result (result, output, json);
  else if (paths[1] == NULL && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return import_foreign (paths[0], output, json, error);
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return result != NULL;
}

int
command_import (int argc, char **argv)
{
  gboolean json = FALSE;
  g_autofree char *output = NULL;
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to make", "FILE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) latest_error = NULL;
  int status;

  if (!parse_options ("Makes one recording of spool files that programs wrote with "
                      "WEFT_TARGET_SPOOL set, or of a file that a plugin can read.",
                      "FILE…", entries, &argc, &argv, &status))
    return status;
  if (argc < 2)
    {
      complain ("name the spool files to import");
      return EXIT_USAGE;
    }
  if (output == NULL)
    output = weft_recordings_new_path (argv[1], &error);
  if (output == NULL || !import (argv + 1, output, json, &error))
    return complain ("%s", error->message);
  if (!weft_recordings_set_latest (output, &latest_error))
    complain ("%s", latest_error->message);
  return EXIT_OK;
}
