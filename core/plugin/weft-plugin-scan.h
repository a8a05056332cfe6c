/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin-cache.h"

G_BEGIN_DECLS

/* A search for plugins: looks at files and has them tried out, on any thread. */
typedef struct
{
  char **search_path;
  GHashTable *known;    /* paths not to be looked at again */
  GHashTable *disabled; /* names */
  guint time_limit;     /* for each file, in milliseconds */
  char *cache_path;     /* may be NULL */

  GPtrArray *found; /* WeftPluginCandidate, in the order of precedence */
} WeftPluginScan;

/* A file that was found; refused or disabled, or good enough to be loaded. */
typedef struct
{
  WeftPlugin *plugin;
  char *identity;
  gboolean is_good;
} WeftPluginCandidate;

WeftPluginScan *weft_plugin_scan_new (void);
void weft_plugin_scan_free (WeftPluginScan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPluginScan, weft_plugin_scan_free)

/* FALSE only if it was cancelled. */
gboolean weft_plugin_scan_run (WeftPluginScan *self, GCancellable *cancellable, GError **error);
/* Looks at one file. */
gboolean weft_plugin_scan_file (WeftPluginScan *self, WeftPluginCache *cache, const char *path,
                                GCancellable *cancellable, GError **error);

G_END_DECLS
