/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the sample tables to a folder in all forms, for readers that are not ours. */

#include "sample-tables.h"

static GOutputStream *
create (const char *folder, const char *name, const char *extension)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.%s", folder, name, extension);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  GFileOutputStream *stream = g_file_replace (file, NULL, FALSE, 0, NULL, &error);

  g_assert_no_error (error);
  return G_OUTPUT_STREAM (stream);
}

static void
export_table (const char *folder, const char *name)
{
  g_autoptr (WeftTable) table = sample_table_new (name);
  g_autoptr (GOutputStream) csv = create (folder, name, "csv");
  g_autoptr (GOutputStream) arrow = create (folder, name, "arrow");
  g_autoptr (GError) error = NULL;

  weft_table_write_csv (table, csv, NULL, &error);
  g_assert_no_error (error);
  weft_table_write_arrow (table, arrow, NULL, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    {
      g_printerr ("Usage: %s FOLDER\n", argv[0]);
      return 2;
    }
  for (guint i = 0; sample_names[i] != NULL; i++)
    export_table (argv[1], sample_names[i]);
  return 0;
}
