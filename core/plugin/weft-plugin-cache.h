/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin-probe.h"

G_BEGIN_DECLS

/* What was found out about plugins' files, by their identities, over the ends of processes. */
typedef struct _WeftPluginCache WeftPluginCache;

/* PATH may be NULL: then nothing is remembered. A file that cannot be used is as none. */
WeftPluginCache *weft_plugin_cache_new (const char *path);
void weft_plugin_cache_free (WeftPluginCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPluginCache, weft_plugin_cache_free)

char *weft_plugin_cache_default_path (void);

/* NULL if it must be tried out. */
const WeftProbeResult *weft_plugin_cache_find (WeftPluginCache *self, const char *identity);
/* Remembers what may be remembered. Takes RESULT, which stays valid. */
void weft_plugin_cache_take (WeftPluginCache *self, const char *identity, WeftProbeResult *result);
/* Writes what is new. That it could not is no matter: files are tried out again then. */
void weft_plugin_cache_save (WeftPluginCache *self);

G_END_DECLS
