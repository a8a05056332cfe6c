/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin.h"

G_BEGIN_DECLS

/* ---- Answers of extensions, which may be written in any language and may fail to answer ---- */

/* TEXT, or an empty one in place of NULL. */
char *weft_extension_text (gpointer extension, char *text);
char **weft_extension_texts (gpointer extension, char **texts);
/* Whether CALL of EXTENSION went well. Takes FAILURE; a refusal without a reason gets one. */
gboolean weft_extension_succeeded (gpointer extension, const char *call, gboolean answered,
                                   GError *failure, GError **error);

/* ---- WeftPlugin ---- */

/* A file that may become a plugin; disabled until it is refused or loaded. */
WeftPlugin *weft_plugin_new (const char *path);
void weft_plugin_describe (WeftPlugin *self, const char *name, const char *version,
                           const char *description, const char *licence);
void weft_plugin_refuse (WeftPlugin *self, const char *reason);
void weft_plugin_disable (WeftPlugin *self, const char *reason);
void weft_plugin_set_path (WeftPlugin *self, const char *path);

/* Whether this library can use what DESCRIPTOR says; describes SELF as far as it can be believed.
 */
gboolean weft_plugin_check_descriptor (WeftPlugin *self, const WeftPluginDescriptor *descriptor,
                                       GError **error);
/* Runs init and looks at what it registered. */
gboolean weft_plugin_initialize (WeftPlugin *self, const WeftPluginDescriptor *descriptor,
                                 GError **error);
void weft_plugin_set_loaded (WeftPlugin *self);
gboolean weft_plugin_name_is_sound (const char *name);

G_END_DECLS
