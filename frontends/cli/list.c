/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>

#include "json.h"
#include "recordings.h"
#include "text.h"
#include "weft-store.h"

typedef struct
{
  char *name;
  char *path;
  gint64 start; /* CLOCK_REALTIME ns */
  guint64 size;
  guint64 dispatches;
  const char *state;
} Entry;

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->name);
  g_free (entry->path);
  g_free (entry);
}

static Entry *
read_entry (const char *folder, const char *name)
{
  Entry *entry = g_new0 (Entry, 1);
  g_autoptr (WeftStore) store = NULL;

  entry->name = g_strdup (name);
  entry->path = g_build_filename (folder, name, NULL);
  entry->state = "unreadable";
  store = weft_store_open (entry->path, NULL);
  if (store != NULL)
    {
      entry->start = weft_store_get_start_realtime (store);
      entry->size = weft_store_get_file_size (store);
      entry->dispatches = weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES);
      entry->state = recordings_state_name (weft_store_get_state (store));
    }
  return entry;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *left = *(Entry *const *) a, *right = *(Entry *const *) b;

  return left->start < right->start ? 1 : left->start > right->start ? -1 : 0;
}

static GPtrArray *
read_entries (const char *folder)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func (entry_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".weft"))
      g_ptr_array_add (entries, read_entry (folder, name));
  g_ptr_array_sort (entries, compare_entries);
  return entries;
}

static char *
format_start (gint64 start)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (start / 1000000000);

  return time && start ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("?");
}

static void
print_entries (GPtrArray *entries)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *heading[] = { "RECORDING", "STARTED", "DISPATCHES", "SIZE", "STATE", NULL };

  g_ptr_array_add (rows, g_strdupv ((char **) heading));
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (entries, i);
      char **row = g_new0 (char *, 6);

      row[0] = g_utf8_make_valid (entry->name, -1);
      row[1] = format_start (entry->start);
      row[2] = text_count (entry->dispatches);
      row[3] = text_bytes (entry->size);
      row[4] = g_strdup (entry->state);
      g_ptr_array_add (rows, row);
    }
  text_table_print (rows, "Llrrl");
}

static void
print_entries_json (GPtrArray *entries)
{
  JsonBuilder *builder = json_answer_begin ("list", "rows");

  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (entries, i);

      json_builder_begin_object (builder);
      json_add_string (builder, "file", entry->path);
      json_add_number (builder, "start", entry->start);
      json_add_count (builder, "dispatches", entry->dispatches);
      json_add_count (builder, "file_size", entry->size);
      json_add_string (builder, "state", entry->state);
      json_builder_end_object (builder);
    }
  json_answer_end (builder, "rows");
}

int
command_list (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autofree char *folder = recordings_folder ();
  g_autoptr (GPtrArray) entries = NULL;
  int status;

  if (!parse_options ("Lists the recordings in the usual place, newest first.", NULL, options,
                      &argc, &argv, &status))
    return status;
  entries = read_entries (folder);
  if (json)
    print_entries_json (entries);
  else if (entries->len == 0)
    text_print (stdout,
                "There is no recording in %s yet. Make one with “weft record -- PROGRAM”.\n", folder);
  else
    print_entries (entries);
  return EXIT_OK;
}
