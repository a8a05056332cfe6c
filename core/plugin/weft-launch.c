/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-launch.h"

#include <string.h>

#include "weft-error.h"

/**
 * WeftLaunch:
 *
 * A program that is about to be run: its arguments and its environment, which instruments may
 * change.
 *
 * Since: 0.1
 */
struct _WeftLaunch
{
  GObject parent_instance;

  char **argv;
  char **environment;
  GPtrArray *notes; /* ends in NULL */
};

G_DEFINE_FINAL_TYPE (WeftLaunch, weft_launch, G_TYPE_OBJECT)

static void
weft_launch_finalize (GObject *object)
{
  WeftLaunch *self = WEFT_LAUNCH (object);

  g_strfreev (self->argv);
  g_strfreev (self->environment);
  g_ptr_array_unref (self->notes);

  G_OBJECT_CLASS (weft_launch_parent_class)->finalize (object);
}

static void
weft_launch_class_init (WeftLaunchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_launch_finalize;
}

static void
weft_launch_init (WeftLaunch *self)
{
  self->notes = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->notes, NULL);
}

/**
 * weft_launch_new:
 * @argv: (array zero-terminated=1): the program and its arguments
 * @environment: (nullable) (array zero-terminated=1): `NAME=VALUE`; %NULL for that of this process
 *
 * Returns: (transfer full): a launch
 *
 * Since: 0.1
 */
WeftLaunch *
weft_launch_new (const char *const *argv, const char *const *environment)
{
  WeftLaunch *self;

  g_return_val_if_fail (argv != NULL && argv[0] != NULL, NULL);

  self = g_object_new (WEFT_TYPE_LAUNCH, NULL);
  self->argv = g_strdupv ((char **) argv);
  self->environment = environment != NULL ? g_strdupv ((char **) environment) : g_get_environ ();
  return self;
}

/**
 * weft_launch_get_argv:
 * @self: a launch
 *
 * Returns: (transfer none) (array zero-terminated=1): the program and its arguments
 *
 * Since: 0.1
 */
const char *const *
weft_launch_get_argv (WeftLaunch *self)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), NULL);

  return (const char *const *) self->argv;
}

/**
 * weft_launch_set_argv:
 * @self: a launch
 * @argv: (array zero-terminated=1): the program and its arguments
 *
 * Runs something else, such as a tool that runs the program.
 *
 * Since: 0.1
 */
void
weft_launch_set_argv (WeftLaunch *self, const char *const *argv)
{
  g_auto (GStrv) old = NULL;

  g_return_if_fail (WEFT_IS_LAUNCH (self));
  g_return_if_fail (argv != NULL && argv[0] != NULL);

  old = g_steal_pointer (&self->argv);
  self->argv = g_strdupv ((char **) argv);
}

/**
 * weft_launch_get_environment:
 * @self: a launch
 *
 * Returns: (transfer none) (array zero-terminated=1): `NAME=VALUE` of each variable
 *
 * Since: 0.1
 */
const char *const *
weft_launch_get_environment (WeftLaunch *self)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), NULL);

  return (const char *const *) self->environment;
}

/**
 * weft_launch_get_variable:
 * @self: a launch
 * @name: name of a variable
 *
 * Returns: (transfer none) (nullable): its value; %NULL if it is not set
 *
 * Since: 0.1
 */
const char *
weft_launch_get_variable (WeftLaunch *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return g_environ_getenv (self->environment, name);
}

/**
 * weft_launch_set_variable:
 * @self: a launch
 * @name: name of a variable
 * @value: its value
 *
 * Sets a variable of the environment, whatever it was before.
 *
 * Since: 0.1
 */
void
weft_launch_set_variable (WeftLaunch *self, const char *name, const char *value)
{
  g_return_if_fail (WEFT_IS_LAUNCH (self));
  g_return_if_fail (name != NULL && *name != '\0' && strchr (name, '=') == NULL);
  g_return_if_fail (value != NULL);

  self->environment = g_environ_setenv (self->environment, name, value, TRUE);
}

/**
 * weft_launch_unset_variable:
 * @self: a launch
 * @name: name of a variable
 *
 * Takes a variable out of the environment.
 *
 * Since: 0.1
 */
void
weft_launch_unset_variable (WeftLaunch *self, const char *name)
{
  g_return_if_fail (WEFT_IS_LAUNCH (self));
  g_return_if_fail (name != NULL && *name != '\0' && strchr (name, '=') == NULL);

  self->environment = g_environ_unsetenv (self->environment, name);
}

static gboolean
add_path (WeftLaunch *self, const char *name, const char *path, gboolean first, GError **error)
{
  const gboolean preload = g_str_equal (name, "LD_PRELOAD");
  const char *old = g_environ_getenv (self->environment, name);
  g_auto (GStrv) paths = NULL;
  g_autofree char *value = NULL;

  /* The linker parts its list at spaces, too, and knows no way to quote them. */
  if (*path == '\0' || strpbrk (path, preload ? ": " : ":") != NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "“%s” cannot stand in %s: the path %s. Move it elsewhere", path, name,
                   *path == '\0' ? "is empty" : "holds a colon or a space");
      return FALSE;
    }
  if (old == NULL || *old == '\0')
    {
      weft_launch_set_variable (self, name, path);
      return TRUE;
    }
  paths = g_strsplit_set (old, preload ? ": " : ":", -1);
  if (g_strv_contains ((const char *const *) paths, path))
    return TRUE;
  value = first ? g_strconcat (path, ":", old, NULL) : g_strconcat (old, ":", path, NULL);
  weft_launch_set_variable (self, name, value);
  return TRUE;
}

/**
 * weft_launch_prepend_path:
 * @self: a launch
 * @name: name of a variable that holds a list of paths, such as `LD_PRELOAD`
 * @path: (type filename): a path
 * @error: where to say what is wrong
 *
 * Puts @path before the others, with a colon between. A path that is in the list stays where it is.
 *
 * Fails with %WEFT_ERROR_PLUGIN if the list cannot hold @path: one with a colon, or for
 * `LD_PRELOAD` with a space.
 *
 * Returns: whether @path is in the list
 *
 * Since: 0.1
 */
gboolean
weft_launch_prepend_path (WeftLaunch *self, const char *name, const char *path, GError **error)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), FALSE);
  g_return_val_if_fail (name != NULL && *name != '\0' && strchr (name, '=') == NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  return add_path (self, name, path, TRUE, error);
}

/**
 * weft_launch_append_path:
 * @self: a launch
 * @name: name of a variable that holds a list of paths
 * @path: (type filename): a path
 * @error: where to say what is wrong
 *
 * Puts @path behind the others; see [method@Launch.prepend_path].
 *
 * Returns: whether @path is in the list
 *
 * Since: 0.1
 */
gboolean
weft_launch_append_path (WeftLaunch *self, const char *name, const char *path, GError **error)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), FALSE);
  g_return_val_if_fail (name != NULL && *name != '\0' && strchr (name, '=') == NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  return add_path (self, name, path, FALSE, error);
}

/**
 * weft_launch_add_note:
 * @self: a launch
 * @note: a sentence
 *
 * Tells a person what else the instrument changes, such as another way of compiling.
 *
 * Since: 0.1
 */
void
weft_launch_add_note (WeftLaunch *self, const char *note)
{
  g_return_if_fail (WEFT_IS_LAUNCH (self));
  g_return_if_fail (note != NULL);

  g_ptr_array_insert (self->notes, self->notes->len - 1, g_strdup (note));
}

/**
 * weft_launch_get_notes:
 * @self: a launch
 *
 * Returns: (transfer none) (array zero-terminated=1): sentences for people
 *
 * Since: 0.1
 */
const char *const *
weft_launch_get_notes (WeftLaunch *self)
{
  g_return_val_if_fail (WEFT_IS_LAUNCH (self), NULL);

  return (const char *const *) self->notes->pdata;
}
