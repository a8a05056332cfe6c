/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-debug-files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEBUG_DIRECTORY "/usr/lib/debug"

static GStrv
get_directories (void)
{
  const char *named = g_getenv ("WEFT_DEBUG_PATH");
  g_autofree char *all = NULL;

  all = g_strconcat (named != NULL ? named : "", ":", DEBUG_DIRECTORY, NULL);
  return g_strsplit (all, ":", -1);
}

int
weft_debug_files_open (const char *path)
{
  int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;

  if (descriptor >= 0 && (fstat (descriptor, &status) != 0 || !S_ISREG (status.st_mode)))
    {
      close (descriptor);
      return -1;
    }
  return descriptor;
}

/* Takes NAME. */
static int
try_path (char *name, char **path)
{
  int descriptor = weft_debug_files_open (name);

  if (descriptor >= 0)
    *path = name;
  else
    g_free (name);
  return descriptor;
}

int
weft_debug_files_open_build_id (const char *build_id, char **path)
{
  g_auto (GStrv) directories = get_directories ();
  int descriptor = -1;

  if (strlen (build_id) < 3)
    return -1;
  for (guint i = 0; directories[i] != NULL && descriptor < 0; i++)
    if (directories[i][0] == '/')
      descriptor = try_path (
          g_strdup_printf ("%s/.build-id/%.2s/%s.debug", directories[i], build_id, build_id + 2),
          path);
  return descriptor;
}

int
weft_debug_files_open_link (const char *program, const char *link, char **path)
{
  g_autofree char *directory = g_path_get_dirname (program);
  g_auto (GStrv) directories = get_directories ();
  int descriptor;

  /* A name in a directory, not a way to anywhere. */
  if (program[0] != '/' || link[0] == '\0' || strchr (link, '/') != NULL ||
      g_str_equal (link, "..") || g_str_equal (link, "."))
    return -1;
  descriptor = try_path (g_strdup_printf ("%s/.debug/%s", directory, link), path);
  for (guint i = 0; directories[i] != NULL && descriptor < 0; i++)
    if (directories[i][0] == '/')
      descriptor = try_path (g_strdup_printf ("%s%s/%s", directories[i], directory, link), path);
  /* A file may link to itself by mistake. */
  if (descriptor < 0 && !g_str_has_suffix (program, link))
    descriptor = try_path (g_strdup_printf ("%s/%s", directory, link), path);
  return descriptor;
}

int
weft_debug_files_open_alternate (const char *file, const char *name, char **path)
{
  g_autofree char *directory = g_path_get_dirname (file);

  if (name[0] == '\0')
    return -1;
  if (name[0] == '/')
    return try_path (g_strdup (name), path);
  return try_path (g_build_filename (directory, name, NULL), path);
}
