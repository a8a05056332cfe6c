/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "recordings.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

#define LATEST "latest"

char *
recordings_folder (void)
{
  const char *given = g_getenv ("WEFT_RECORDINGS");

  if (given != NULL && *given != '\0')
    return g_canonicalize_filename (given, NULL);
  return g_build_filename (g_get_user_data_dir (), "weft", "recordings", NULL);
}

char *
recordings_new_path (const char *program, GError **error)
{
  g_autofree char *folder = recordings_folder ();
  g_autofree char *base = g_path_get_basename (program);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");
  g_autofree char *name = g_strdup_printf ("%.64s-%s", base, time);
  char *path;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "Cannot make the folder for recordings “%s”: %s; say where with --output or "
                   "WEFT_RECORDINGS",
                   folder, g_strerror (errno));
      return NULL;
    }
  path = g_strdup_printf ("%s/%s.weft", folder, name);
  for (guint i = 2; g_file_test (path, G_FILE_TEST_EXISTS) && i < 1000; i++)
    {
      g_free (path);
      path = g_strdup_printf ("%s/%s-%u.weft", folder, name, i);
    }
  return path;
}

void
recordings_set_latest (const char *path)
{
  g_autofree char *folder = recordings_folder ();
  g_autofree char *full = g_canonicalize_filename (path, NULL);
  g_autofree char *parent = g_path_get_dirname (full);
  g_autofree char *name = g_path_get_basename (full);
  g_autofree char *link = g_build_filename (folder, LATEST, NULL);
  g_autofree char *fresh = g_strdup_printf ("%s.%d", link, (int) getpid ());

  if (strcmp (parent, folder) != 0)
    return;
  unlink (fresh);
  if (symlink (name, fresh) == 0 && rename (fresh, link) == 0)
    return;
  complain ("“%s” still names an older recording: %s", link, g_strerror (errno));
  unlink (fresh);
}

char *
recordings_resolve (const char *file, GError **error)
{
  g_autofree char *folder = NULL;
  g_autofree char *link = NULL;

  if (file != NULL && strcmp (file, LATEST) != 0)
    return g_strdup (file);

  folder = recordings_folder ();
  link = g_build_filename (folder, LATEST, NULL);
  if (g_file_test (link, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&link);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               "There is no recording in “%s” yet: make one with “weft record -- PROGRAM”", folder);
  return NULL;
}

const char *
recordings_state_name (WeftStoreState state)
{
  static const char *const names[] = {
    [WEFT_STORE_COMPLETE] = "complete",
    [WEFT_STORE_GROWING] = "unfinished",
    [WEFT_STORE_PARTIAL] = "damaged",
  };

  return names[state];
}
