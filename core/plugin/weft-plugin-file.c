/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin-file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-plugin-config.h"
#include "weft-plugin-private.h"
#include "weft-version.h"

#define PROBE_NAME "weft-plugin-probe"
#define PLUGINS "weft-1" G_DIR_SEPARATOR_S "plugins"

gboolean
weft_process_is_secure (void)
{
  return getauxval (AT_SECURE) != 0;
}

WeftPrivilege
weft_privilege_of_process (void)
{
  if (weft_process_is_secure () || (geteuid () == 0 && g_getenv ("SUDO_UID") != NULL))
    return WEFT_PRIVILEGE_ELEVATED;
  return geteuid () == 0 ? WEFT_PRIVILEGE_ROOT : WEFT_PRIVILEGE_NONE;
}

/* ---- Places ---- */

/* The directory of this library; NULL if the linker does not tell. */
static char *
directory_of_library (void)
{
  Dl_info info;
  g_autofree char *path = NULL;

  if (dladdr ((gconstpointer) weft_get_version, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  path = realpath (info.dli_fname, NULL);
  return path != NULL ? g_path_get_dirname (path) : NULL;
}

/* What stands before LIBDIR where the whole installation lies below another root; else empty. */
static char *
installation_root (const char *library_directory)
{
  if (library_directory == NULL || !g_str_has_suffix (library_directory, WEFT_LIBDIR))
    return g_strdup ("");
  return g_strndup (library_directory, strlen (library_directory) - strlen (WEFT_LIBDIR));
}

/* The program beside the library, where it lies there: this library runs where it was built. */
static char *
find_built_probe (const char *library_directory)
{
  g_autofree char *beside =
      library_directory != NULL ? g_build_filename (library_directory, PROBE_NAME, NULL) : NULL;

  if (beside == NULL || !g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return NULL;
  return g_steal_pointer (&beside);
}

char *
weft_plugin_user_directory (void)
{
  return g_build_filename (g_get_user_data_dir (), "weft", "plugins", NULL);
}

char **
weft_plugin_default_search_path (void)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_autofree char *library = directory_of_library ();
  g_autofree char *root = installation_root (library);
  g_autofree char *system = g_strconcat (root, WEFT_LIBDIR G_DIR_SEPARATOR_S PLUGINS, NULL);
  g_autofree char *built = find_built_probe (library);
  const char *given = weft_process_is_secure () ? NULL : g_getenv ("WEFT_PLUGIN_PATH");

  if (given != NULL)
    {
      g_auto (GStrv) named = g_strsplit (given, G_SEARCHPATH_SEPARATOR_S, -1);

      for (guint i = 0; named[i] != NULL; i++)
        if (*named[i] != '\0')
          g_strv_builder_add (paths, named[i]);
    }
  if (weft_privilege_of_process () != WEFT_PRIVILEGE_ELEVATED)
    {
      g_autofree char *own = weft_plugin_user_directory ();

      g_strv_builder_add (paths, own);
    }
  /* What runs where it was built belongs to no installation. */
  if (built == NULL)
    g_strv_builder_add (paths, system);
  return g_strv_builder_end (paths);
}

char *
weft_plugin_find_probe (void)
{
  g_autofree char *library = directory_of_library ();
  g_autofree char *root = installation_root (library);
  g_autofree char *built = find_built_probe (library);

  if (weft_privilege_of_process () != WEFT_PRIVILEGE_ELEVATED)
    {
      const char *given = g_getenv ("WEFT_PLUGIN_PROBE");

      if (given != NULL && *given != '\0')
        return g_strdup (given);
    }
  if (built != NULL)
    return g_steal_pointer (&built);
  return g_strconcat (root, WEFT_LIBEXECDIR G_DIR_SEPARATOR_S PROBE_NAME, NULL);
}

/* ---- Trust ---- */

static gboolean
distrust (GError **error, const char *path, const char *why)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "“%s” %s", path, why);
  return FALSE;
}

/* What root loads nobody but root may have written; what a user loads not everybody. */
static gboolean
check_owner (const struct stat *st, const char *path, WeftPrivilege privilege, GError **error)
{
  const gboolean sticky = S_ISDIR (st->st_mode) && (st->st_mode & S_ISVTX) != 0;
  const mode_t writable = privilege == WEFT_PRIVILEGE_NONE ? S_IWOTH : S_IWOTH | S_IWGRP;

  if (privilege != WEFT_PRIVILEGE_NONE && st->st_uid != 0 && st->st_uid != geteuid ())
    return distrust (error, path,
                     "belongs to another user, who could change it, and this process has more "
                     "rights than they; have it owned by root");
  if ((st->st_mode & writable) != 0 && !sticky)
    return distrust (error, path,
                     "can be written by others, who could make this process do what they want; "
                     "take that right away (chmod go-w)");
  return TRUE;
}

static gboolean
check_folders (const char *path, WeftPrivilege privilege, GError **error)
{
  g_autofree char *folder = realpath (path, NULL);

  if (folder == NULL)
    return distrust (error, path, "cannot be followed to its file");
  do
    {
      char *slash = strrchr (folder, '/');
      struct stat st;

      slash[slash == folder ? 1 : 0] = '\0';
      if (stat (folder, &st) != 0)
        return distrust (error, folder, "cannot be looked at");
      if (!check_owner (&st, folder, privilege, error))
        return FALSE;
    }
  while (privilege == WEFT_PRIVILEGE_ELEVATED && folder[1] != '\0');
  return TRUE;
}

char *
weft_plugin_file_identify (const char *path, GError **error)
{
  const WeftPrivilege privilege = weft_privilege_of_process ();
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat st;
  int status;

  if (fd < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "It cannot be read: %s",
                   g_strerror (errno));
      return NULL;
    }
  status = fstat (fd, &st);
  close (fd);
  if (status != 0 || !S_ISREG (st.st_mode))
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "It is not a regular file");
      return NULL;
    }
  if (!check_owner (&st, path, privilege, error))
    return NULL;
  if (privilege != WEFT_PRIVILEGE_NONE && !check_folders (path, privilege, error))
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT
                          ":%" G_GINT64_FORMAT ".%09ld",
                          (guint64) st.st_dev, (guint64) st.st_ino, (guint64) st.st_size,
                          (gint64) st.st_mtim.tv_sec, (long) st.st_mtim.tv_nsec);
}

/* ---- Opening ---- */

GModule *
weft_plugin_file_open (const char *path, gboolean now, GError **error)
{
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL | (now ? 0 : G_MODULE_BIND_LAZY));

  if (module == NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "It cannot be opened: %s",
                 g_module_error ());
  else
    /* Types cannot be unregistered, so their code must stay. */
    g_module_make_resident (module);
  return module;
}

const WeftPluginDescriptor *
weft_plugin_file_describe (WeftPlugin *self, GModule *module, GError **error)
{
  gpointer symbol = NULL;

  if (!g_module_symbol (module, WEFT_PLUGIN_SYMBOL, &symbol) || symbol == NULL)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "It is no plugin: it does not export " WEFT_PLUGIN_SYMBOL
                           ", which WEFT_PLUGIN_DEFINE makes");
      return NULL;
    }
  return weft_plugin_check_descriptor (self, symbol, error) ? symbol : NULL;
}
