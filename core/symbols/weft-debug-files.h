/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Files with debugging information that was split off, in the places that distributions agree on:
 * below /usr/lib/debug, and what WEFT_DEBUG_PATH names (directories with colons between), which
 * come first. Nothing here says that what is found fits: whoever reads it has to see to that.
 */

/* A descriptor, and in PATH where it was found; or -1. */
int weft_debug_files_open_build_id (const char *build_id, char **path);
int weft_debug_files_open_link (const char *program, const char *link, char **path);

/* What FILE says that it shares with others, NAME: absolute, or as seen from where FILE lies. */
int weft_debug_files_open_alternate (const char *file, const char *name, char **path);

/* A plain file to be read; or -1. */
int weft_debug_files_open (const char *path);

G_END_DECLS
