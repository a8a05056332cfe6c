/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>
#include <weft.h>

#include "json.h"
#include "text.h"

static void
print_result (const WeftImportSummary *result, const char *output, gboolean json)
{
  g_autofree char *dispatches = text_count (result->dispatches);
  JsonBuilder *builder;

  if (!json)
    {
      text_print (stdout,
                  "Imported %s dispatches on %u lanes; %" G_GUINT64_FORMAT
                  " lost, %" G_GUINT64_FORMAT " rejected.\n%s\n",
                  dispatches, result->lanes, result->lost, result->rejected, output);
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

int
command_import (int argc, char **argv)
{
  gboolean json = FALSE;
  g_autofree char *output = NULL;
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to make", "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) latest_error = NULL;
  g_autoptr (WeftImportSummary) result = NULL;
  int status;

  if (!parse_options ("Makes one recording of spool files that programs wrote with "
                      "WEFT_TARGET_SPOOL set.",
                      "FILE…", entries, &argc, &argv, &status))
    return status;
  if (argc < 2)
    {
      complain ("name the spool files to import");
      return EXIT_USAGE;
    }
  if (output == NULL)
    output = weft_recordings_new_path (argv[1], &error);
  if (output != NULL)
    result = weft_import_spool ((const char *const *) argv + 1, output, NULL, NULL, &error);
  if (result == NULL)
    return complain ("%s", error->message);
  if (!weft_recordings_set_latest (output, &latest_error))
    complain ("%s", latest_error->message);
  print_result (result, output, json);
  return EXIT_OK;
}
