/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
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

static gboolean
set_unknown (GError **error, const char *path)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "“%s” is no spool of libweft-target, and no plugin knows what it is (see “weft "
               "plugins”)",
               path);
  return FALSE;
}

/* One importer for all of them. */
static gboolean
find_importer (GListModel *inputs, WeftImporter **importer, GError **error)
{
  *importer = NULL;
  for (guint i = 0; i < g_list_model_get_n_items (inputs); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (inputs, i);
      g_autofree char *path = g_file_get_parse_name (file);
      g_autoptr (GError) failure = NULL;
      WeftImporter *found =
          weft_plugin_registry_recognize_file (plugins_load (), file, NULL, &failure);

      if (failure != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (found == NULL)
        return set_unknown (error, path);
      if (*importer != NULL && found != *importer)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "“%s” is of another format than the files before it: import it by itself",
                       path);
          return FALSE;
        }
      *importer = found;
    }
  return TRUE;
}

/* NAME=VALUE, a number where it is one. */
static gboolean
read_options (char **texts, GVariant **options, GError **error)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      const char *value = strchr (texts[i], '=');
      g_autofree char *name = value != NULL ? g_strndup (texts[i], value - texts[i]) : NULL;
      guint64 number;

      if (name == NULL || name[0] == '\0' || !g_utf8_validate (texts[i], -1, NULL))
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "“%s” is no option: write NAME=VALUE", texts[i]);
          g_variant_builder_clear (&builder);
          return FALSE;
        }
      if (g_ascii_string_to_unsigned (value + 1, 10, 0, G_MAXUINT32, &number, NULL))
        g_variant_builder_add (&builder, "{sv}", name, g_variant_new_uint32 ((guint32) number));
      else
        g_variant_builder_add (&builder, "{sv}", name, g_variant_new_string (value + 1));
    }
  *options = g_variant_builder_end (&builder);
  return TRUE;
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

static void
on_progress (WeftProgress *progress, GParamSpec *pspec, gpointer data)
{
  g_autofree char *text = weft_progress_dup_text (progress);

  text_print (stderr, "\r\033[K%3.0f %% %s", 100 * weft_progress_get_fraction (progress),
              text != NULL ? text : "");
}

static WeftProgress *
show_progress (void)
{
  WeftProgress *progress = isatty (STDERR_FILENO) ? weft_progress_new () : NULL;

  if (progress != NULL)
    g_signal_connect (progress, "notify::fraction", G_CALLBACK (on_progress), NULL);
  return progress;
}

static gboolean
import_foreign (char **paths, const char *output, char **texts, gboolean json, GError **error)
{
  g_autoptr (GListStore) inputs = g_list_store_new (G_TYPE_FILE);
  g_autoptr (GFile) target = g_file_new_for_commandline_arg (output);
  g_autoptr (WeftProgress) progress = NULL;
  g_autoptr (GVariant) options = NULL;
  g_auto (GStrv) losses = NULL;
  WeftImporter *importer;
  gboolean done;

  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autoptr (GFile) input = g_file_new_for_commandline_arg (paths[i]);

      g_list_store_append (inputs, input);
    }
  if (!find_importer (G_LIST_MODEL (inputs), &importer, error) ||
      !read_options (texts, &options, error))
    return FALSE;
  if (g_file_query_exists (target, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "“%s” exists already", output);
      return FALSE;
    }
  progress = show_progress ();
  done = weft_importer_import_files (importer, G_LIST_MODEL (inputs), target,
                                     g_steal_pointer (&options), progress, NULL, &losses, error);
  if (progress != NULL)
    text_print (stderr, "\r\033[K");
  if (done)
    print_imported (importer, losses, output, json);
  return done;
}

/* ---- The command ---- */

/* What is a folder, or no spool, may be something that a plugin knows. */
static gboolean
import (char **paths, const char *output, char **options, gboolean json, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (WeftImportSummary) result = NULL;

  if (options != NULL || g_file_test (paths[0], G_FILE_TEST_IS_DIR))
    return import_foreign (paths, output, options, json, error);
  result = weft_import_spool ((const char *const *) paths, output, NULL, NULL, &failure);
  if (result != NULL)
    print_result (result, output, json);
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return import_foreign (paths, output, options, json, error);
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return result != NULL;
}

int
command_import (int argc, char **argv)
{
  gboolean json = FALSE;
  g_autofree char *output = NULL;
  g_auto (GStrv) options = NULL;
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to make", "FILE" },
    { "option", 'O', 0, G_OPTION_ARG_STRING_ARRAY, &options,
      "Tell the plugin that reads the files something", "NAME=VALUE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) latest_error = NULL;
  int status;

  if (!parse_options ("Makes one recording of spool files that programs wrote with "
                      "WEFT_TARGET_SPOOL set, or of files, or a folder of them, that a plugin can "
                      "read.",
                      "FILE…", entries, &argc, &argv, &status))
    return status;
  if (argc < 2)
    {
      complain ("name the files to import");
      return EXIT_USAGE;
    }
  if (output == NULL)
    output = weft_recordings_new_path (argv[1], &error);
  if (output == NULL || !import (argv + 1, output, options, json, &error))
    return complain ("%s", error->message);
  if (!weft_recordings_set_latest (output, &latest_error))
    complain ("%s", latest_error->message);
  return EXIT_OK;
}
