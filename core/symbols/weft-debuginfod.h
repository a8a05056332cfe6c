/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Debugging information from servers that DEBUGINFOD_URLS names: what debuginfod-find, elfutils'
 * own program, gets. It is asked only where somebody wished it, never while something waits for
 * samples, and for a limited time.
 */
typedef struct _WeftDebuginfod WeftDebuginfod;

WeftDebuginfod *weft_debuginfod_new (void);
void weft_debuginfod_free (WeftDebuginfod *self);

/* A WeftSymbolFindFunc: the path of the file for BUILD_ID, or NULL. Several threads. */
char *weft_debuginfod_find (const char *build_id, char **reason, gpointer debuginfod);

G_END_DECLS
