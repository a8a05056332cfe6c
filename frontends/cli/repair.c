/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>
#include <weft.h>

#include "json.h"
#include "text.h"

static void
print_report (const WeftRepairSummary *report, const char *output)
{
  g_autofree char *rows = text_counted (report->rows, "row", "rows");
  g_autofree char *chunks = text_counted (report->chunks, "chunk", "chunks");
  g_autofree char *missing = text_bytes (report->missing_bytes);

  text_print (stdout,
              "Saved %s of %s. Damaged chunks: %" G_GUINT64_FORMAT ", unreadable: %s.\n%s\n", rows,
              chunks, report->damaged_chunks, missing, output);
}

int
command_repair (int argc, char **argv)
{
  gboolean json = FALSE;
  char *output = NULL;
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
      "The file to make; FILE.repaired.weft if not given", "FILE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRepairSummary) report = NULL;
  g_autofree char *target = NULL;
  int status;

  if (!parse_options ("Saves the intact part of a damaged or unfinished recording as a new file; "
                      "FILE itself is not touched.",
                      "FILE", entries, &argc, &argv, &status))
    return status;
  if (argc != 2)
    {
      complain ("name one file to repair");
      return EXIT_USAGE;
    }
  target = output ? output : g_strconcat (argv[1], ".repaired.weft", NULL);
  report = weft_repair (argv[1], target, NULL, NULL, &error);
  if (report == NULL)
    return complain ("%s", error->message);

  if (!json)
    {
      print_report (report, target);
      return EXIT_OK;
    }
  {
    JsonBuilder *builder = json_answer_begin ("repair", "value");

    json_add_string (builder, "file", target);
    json_add_count (builder, "chunks", report->chunks);
    json_add_count (builder, "rows", report->rows);
    json_add_count (builder, "damaged_chunks", report->damaged_chunks);
    json_add_count (builder, "unknown_chunks", report->unknown_chunks);
    json_add_count (builder, "missing_bytes", report->missing_bytes);
    json_answer_end (builder, "value");
  }
  return EXIT_OK;
}
