/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "commands.h"

#include <stdio.h>
#include <weft.h>

#include "json.h"
#include "text.h"

static const char *
state_name (WeftRecordingInfo *info)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (WEFT_TYPE_RECORDING_STATE);

  if (!weft_recording_info_is_readable (info))
    return "unreadable";
  return g_enum_get_value (states, weft_recording_info_get_state (info))->value_nick;
}

static char *
format_start (gint64 start)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (start / 1000000000);

  return time && start ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup ("?");
}

static void
print_recordings (GListModel *recordings)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *heading[] = { "RECORDING", "STARTED", "DISPATCHES", "SIZE", "STATE", NULL };

  g_ptr_array_add (rows, g_strdupv ((char **) heading));
  for (guint i = 0; i < g_list_model_get_n_items (recordings); i++)
    {
      g_autoptr (WeftRecordingInfo) info = g_list_model_get_item (recordings, i);
      g_autofree char *name = g_path_get_basename (weft_recording_info_get_path (info));
      char **row = g_new0 (char *, 6);

      row[0] = g_utf8_make_valid (name, -1);
      row[1] = format_start (weft_recording_info_get_start (info));
      row[2] = text_count (weft_recording_info_get_dispatches (info));
      row[3] = text_bytes (weft_recording_info_get_size (info));
      row[4] = g_strdup (state_name (info));
      g_ptr_array_add (rows, row);
    }
  text_table_print (rows, "Llrrl");
}

static void
print_recordings_json (GListModel *recordings)
{
  JsonBuilder *builder = json_answer_begin ("list", "rows");

  for (guint i = 0; i < g_list_model_get_n_items (recordings); i++)
    {
      g_autoptr (WeftRecordingInfo) info = g_list_model_get_item (recordings, i);

      json_builder_begin_object (builder);
      json_add_string (builder, "file", weft_recording_info_get_path (info));
      json_add_number (builder, "start", weft_recording_info_get_start (info));
      json_add_count (builder, "dispatches", weft_recording_info_get_dispatches (info));
      json_add_count (builder, "file_size", weft_recording_info_get_size (info));
      json_add_string (builder, "state", state_name (info));
      json_builder_end_object (builder);
    }
  json_answer_end (builder, "rows");
}

int
command_list (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry options[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autofree char *folder = weft_recordings_get_folder ();
  g_autoptr (GListModel) recordings = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options ("Lists the recordings in the usual place, newest first.", NULL, options,
                      &argc, &argv, &status))
    return status;
  recordings = weft_recordings_list (NULL, &error);
  if (recordings == NULL)
    return complain ("%s", error->message);
  if (json)
    print_recordings_json (recordings);
  else if (g_list_model_get_n_items (recordings) == 0)
    text_print (stdout,
                "There is no recording in %s yet. Make one with “weft record -- PROGRAM”.\n",
                folder);
  else
    print_recordings (recordings);
  return EXIT_OK;
}
