/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <glib/gstdio.h>
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
print_losses (char **losses)
{
  for (guint i = 0; losses != NULL && losses[i] != NULL; i++)
    text_print (stderr, "weft: not carried: %s\n", losses[i]);
}

static void
print_imported (WeftImporter *importer, const char *output, gboolean json)
{
  g_autofree char *name = weft_importer_get_name (importer);
  JsonBuilder *builder;

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

/* What was made of the files. */
typedef struct
{
  WeftImportSummary *spools; /* NULL unless they were spools */
  WeftImporter *importer;    /* NULL if they were */
} Imported;

static gboolean
import_foreign (char **paths, const char *output, char **texts, Imported *imported, GError **error)
{
  g_autoptr (GListStore) inputs = g_list_store_new (G_TYPE_FILE);
  g_autoptr (GFile) target = g_file_new_for_commandline_arg (output);
  g_autoptr (WeftProgress) progress = NULL;
  g_autoptr (GVariant) options = NULL;
  g_auto (GStrv) losses = NULL;
  gboolean done;

  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autoptr (GFile) input = g_file_new_for_commandline_arg (paths[i]);

      g_list_store_append (inputs, input);
    }
  if (!find_importer (G_LIST_MODEL (inputs), &imported->importer, error) ||
      !read_options (texts, &options, error))
    return FALSE;
  if (g_file_query_exists (target, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "“%s” exists already", output);
      return FALSE;
    }
  progress = show_progress ();
  done = weft_importer_import_files (imported->importer, G_LIST_MODEL (inputs), target,
                                     g_steal_pointer (&options), progress, NULL, &losses, error);
  if (progress != NULL)
    text_print (stderr, "\r\033[K");
  if (done)
    print_losses (losses);
  return done;
}

/* What is a folder, or no spool, may be something that a plugin knows. */
static gboolean
import_files (char **paths, const char *output, char **options, Imported *imported, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (options != NULL || g_file_test (paths[0], G_FILE_TEST_IS_DIR))
    return import_foreign (paths, output, options, imported, error);
  imported->spools =
      weft_import_spool ((const char *const *) paths, output, NULL, NULL, &failure);
  if (imported->spools != NULL)
    return TRUE;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return import_foreign (paths, output, options, imported, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ---- Files that tell more about what is recorded ---- */

static WeftImporter *
recognize (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);

  return weft_plugin_registry_recognize_file (plugins_load (), file, NULL, NULL);
}

static gboolean
can_join (const char *path)
{
  WeftImporter *importer = recognize (path);

  return importer != NULL && weft_importer_can_join (importer);
}

static gboolean
is_recording (const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (WeftRecording) recording = weft_recording_open (file, NULL, NULL);

  return recording != NULL;
}

static gboolean
join (const char *base, const char *path, const char *output, GError **error)
{
  g_autoptr (GFile) recording = g_file_new_for_commandline_arg (base);
  g_autoptr (GFile) input = g_file_new_for_commandline_arg (path);
  g_autoptr (GFile) target = g_file_new_for_commandline_arg (output);
  g_auto (GStrv) losses = NULL;

  if (!weft_importer_join (recognize (path), recording, input, target, NULL, NULL, NULL, &losses,
                           error))
    return FALSE;
  print_losses (losses);
  return TRUE;
}

/* Each join makes a file out of the one before, the last one OUTPUT. */
static gboolean
join_all (const char *base, GPtrArray *companions, const char *output, GError **error)
{
  g_autofree char *previous = g_strdup (base);
  gboolean good = TRUE;

  for (guint i = 0; i < companions->len && good; i++)
    {
      gboolean is_last = i + 1 == companions->len;
      g_autofree char *next =
          is_last ? g_strdup (output) : g_strdup_printf ("%s.joined-%u", output, i + 1);

      good = join (previous, companions->pdata[i], next, error);
      if (i > 0)
        g_unlink (previous);
      g_free (previous);
      previous = g_steal_pointer (&next);
    }
  return good;
}

/* Those that can be joined to others are, unless there are no others. */
static gboolean
import_and_join (GPtrArray *files, GPtrArray *companions, const char *output, char **options,
                 Imported *imported, GError **error)
{
  g_autofree char *base = g_strconcat (output, ".joined-0", NULL);
  gboolean good;

  if (g_file_test (output, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "“%s” exists already", output);
      return FALSE;
    }
  if (files->len == 2 && is_recording (files->pdata[0]))
    {
      imported->importer = recognize (companions->pdata[0]);
      return join_all (files->pdata[0], companions, output, error);
    }
  good = import_files ((char **) files->pdata, base, options, imported, error) &&
         join_all (base, companions, output, error);
  g_unlink (base);
  return good;
}

/* ---- The command ---- */

static gboolean
import_all (char **paths, const char *output, char **options, Imported *imported, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  g_autoptr (GPtrArray) companions = g_ptr_array_new ();

  for (guint i = 0; paths[i] != NULL; i++)
    g_ptr_array_add (can_join (paths[i]) ? companions : files, paths[i]);
  if (files->len == 0)
    g_ptr_array_add (files, g_ptr_array_steal_index (companions, 0));
  g_ptr_array_add (files, NULL);
  if (companions->len == 0)
    return import_files (paths, output, options, imported, error);
  return import_and_join (files, companions, output, options, imported, error);
}

static gboolean
import (char **paths, const char *output, char **options, gboolean json, GError **error)
{
  Imported imported = { NULL, NULL };
  gboolean good = import_all (paths, output, options, &imported, error);

  if (good && imported.spools != NULL)
    print_result (imported.spools, output, json);
  else if (good)
    print_imported (imported.importer, output, json);
  g_clear_pointer (&imported.spools, weft_import_summary_free);
  return good;
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
                      "read. Files that tell more about what is recorded are added to it, or to a "
                      "recording that is named with them.",
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
