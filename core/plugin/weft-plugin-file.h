/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gmodule.h>

#include "weft-plugin.h"

G_BEGIN_DECLS

/* How much more than its user this process may do, and so how careful it is with files. */
typedef enum
{
  WEFT_PRIVILEGE_NONE,     /* no more than the user */
  WEFT_PRIVILEGE_ROOT,     /* everything, and so may the user */
  WEFT_PRIVILEGE_ELEVATED, /* more than the user who started it: sudo, set-uid, capabilities */
} WeftPrivilege;

WeftPrivilege weft_privilege_of_process (void);

/* Where the kernel started this process with more than its user's rights: not even its
 * environment is to be believed.
 */
gboolean weft_process_is_secure (void);

/* Directories that plugins are looked for in, in this order; one may be named twice. */
char **weft_plugin_default_search_path (void);
char *weft_plugin_user_directory (void);
/* The program that tries plugins out. */
char *weft_plugin_find_probe (void);

/* What a file is recognised by: it changes with the file's contents. NULL and an error that says
 * why the file at PATH is not to be loaded.
 */
char *weft_plugin_file_identify (const char *path, GError **error);

/* Opens the file at PATH for ever. NOW: look for all symbols that it needs. */
GModule *weft_plugin_file_open (const char *path, gboolean now, GError **error);
/* Its descriptor, if it is sound; SELF is described by it then. */
const WeftPluginDescriptor *weft_plugin_file_describe (WeftPlugin *self, GModule *module,
                                                       GError **error);

G_END_DECLS
