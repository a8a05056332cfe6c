/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-process-info.h"

struct _WeftCgroup
{
  char *parent; /* the recorder's own group */
  char *path;
  int fd;
};

/* ---- Where ---- */

/* Of the hierarchy that knows processes' CPUs: version 2, unless version 1 has taken perf_event. */
static char *
find_mount (gboolean version_1)
{
  FILE *mounts = setmntent ("/proc/self/mounts", "r");
  struct mntent entry;
  char buffer[4096];
  char *found = NULL;

  while (mounts != NULL && found == NULL && getmntent_r (mounts, &entry, buffer, sizeof buffer))
    if (version_1 ? strcmp (entry.mnt_type, "cgroup") == 0 && hasmntopt (&entry, "perf_event")
                  : strcmp (entry.mnt_type, "cgroup2") == 0)
      found = g_strdup (entry.mnt_dir);
  if (mounts != NULL)
    endmntent (mounts);
  return found;
}

/* Whether LINE of /proc/self/cgroup is of that hierarchy; then where its path begins. */
static const char *
match_line (const char *line, gboolean version_1)
{
  const char *names = strchr (line, ':');
  const char *path = names ? strchr (names + 1, ':') : NULL;
  g_autofree char *list = NULL;
  g_auto (GStrv) controllers = NULL;

  if (path == NULL)
    return NULL;
  if (!version_1)
    return strncmp (line, "0::", 3) == 0 ? path + 1 : NULL;
  list = g_strndup (names + 1, (gsize) (path - names - 1));
  controllers = g_strsplit (list, ",", -1);
  return g_strv_contains ((const char *const *) controllers, "perf_event") ? path + 1 : NULL;
}

static char *
find_own_group (gboolean version_1)
{
  g_autofree char *mount = find_mount (version_1);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (mount == NULL || !g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *path = match_line (lines[i], version_1);

      /* One that lies above what this namespace sees cannot be reached. */
      if (path != NULL && !g_str_has_prefix (path, "/.."))
        return g_build_filename (mount, path, NULL);
    }
  return NULL;
}

static char *
find_parent (void)
{
  char *parent = find_own_group (TRUE);

  return parent ? parent : find_own_group (FALSE);
}

/* ---- What is left ---- */

/* Moves a group's processes to PARENT and removes it. */
static void
dissolve (const char *path, const char *parent)
{
  g_autofree char *from = g_build_filename (path, "cgroup.procs", NULL);
  g_autofree char *to = g_build_filename (parent, "cgroup.procs", NULL);

  /* Processes may be made while others are moved. */
  for (guint attempt = 0; attempt < 100 && rmdir (path) != 0 && errno == EBUSY; attempt++)
    {
      FILE *processes = fopen (from, "re");
      int pid;

      while (processes != NULL && fscanf (processes, "%d", &pid) == 1)
        {
          g_autofree char *text = g_strdup_printf ("%d", pid);
          int fd = open (to, O_WRONLY | O_CLOEXEC);

          if (fd < 0 || write (fd, text, strlen (text)) < 0)
            g_debug ("Process %d cannot leave its group: %s", pid, g_strerror (errno));
          if (fd >= 0)
            close (fd);
        }
      if (processes != NULL)
        fclose (processes);
      g_usleep (attempt * 100);
    }
}

/* The time in the name tells a recorder from a later process of the same id. */
static char *
make_name (int pid)
{
  return g_strdup_printf ("weft-%d-%" G_GUINT64_FORMAT ".", pid,
                          weft_process_thread_started (pid, pid));
}

/* Those of recorders that were killed. One that still has processes stays until they have ended. */
static void
remove_stale (const char *parent)
{
  g_autoptr (GDir) folder = g_dir_open (parent, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (parent, name, NULL);
      g_autofree char *of_living = NULL;
      int pid;

      if (sscanf (name, "weft-%d-%*u", &pid) != 1)
        continue;
      of_living = make_name (pid);
      if (!g_str_has_prefix (name, of_living))
        rmdir (path);
    }
}

/* ---- The group ---- */

WeftCgroup *
weft_cgroup_new (GError **error)
{
  static gint n_made;
  g_autofree char *name = make_name (getpid ());
  WeftCgroup *self;
  g_autofree char *parent = find_parent ();
  g_autofree char *path = NULL;

  if (parent == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "no control group hierarchy of version 2 is mounted");
      return NULL;
    }
  remove_stale (parent);
  path = g_strdup_printf ("%s/%s%d", parent, name, g_atomic_int_add (&n_made, 1));
  if (mkdir (path, 0755) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "the control group “%s” cannot be made: %s", path, g_strerror (errno));
      return NULL;
    }
  self = g_new0 (WeftCgroup, 1);
  self->fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  self->path = g_steal_pointer (&path);
  self->parent = g_steal_pointer (&parent);
  return self;
}

void
weft_cgroup_free (WeftCgroup *self)
{
  dissolve (self->path, self->parent);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->path);
  g_free (self->parent);
  g_free (self);
}

gboolean
weft_cgroup_add (WeftCgroup *self, int pid, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, "cgroup.procs", NULL);
  g_autofree char *text = g_strdup_printf ("%d", pid);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean added = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text);

  if (!added)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                 "the program cannot join the control group “%s”: %s", self->path,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return added;
}

int
weft_cgroup_get_descriptor (WeftCgroup *self)
{
  return self->fd;
}

