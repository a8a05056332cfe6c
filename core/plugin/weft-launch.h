/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_LAUNCH (weft_launch_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftLaunch, weft_launch, WEFT, LAUNCH, GObject)

WEFT_API WeftLaunch *weft_launch_new (const char *const *argv, const char *const *environment);
WEFT_API const char *const *weft_launch_get_argv (WeftLaunch *self);
WEFT_API void weft_launch_set_argv (WeftLaunch *self, const char *const *argv);
WEFT_API const char *const *weft_launch_get_environment (WeftLaunch *self);
WEFT_API const char *weft_launch_get_variable (WeftLaunch *self, const char *name);
WEFT_API void weft_launch_set_variable (WeftLaunch *self, const char *name, const char *value);
WEFT_API void weft_launch_unset_variable (WeftLaunch *self, const char *name);
WEFT_API gboolean weft_launch_prepend_path (WeftLaunch *self, const char *name, const char *path,
                                            GError **error);
WEFT_API gboolean weft_launch_append_path (WeftLaunch *self, const char *name, const char *path,
                                           GError **error);
WEFT_API void weft_launch_add_note (WeftLaunch *self, const char *note);
WEFT_API const char *const *weft_launch_get_notes (WeftLaunch *self);

G_END_DECLS
