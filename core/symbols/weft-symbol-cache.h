/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-enums.h"
#include "weft-symbol-block.h"

G_BEGIN_DECLS

/*
 * Answers about modules, kept by build id for later recordings: one file each, in a directory that
 * is the user's alone. What is in it is checked as if a stranger had written it. Thread safe.
 */
typedef struct _WeftSymbolCache WeftSymbolCache;

/* DIRECTORY: NULL for the user's own, which root has of its own, too. NULL if there is none that
 * nobody else can write to, or that can be made.
 */
WeftSymbolCache *weft_symbol_cache_new (const char *directory);
void weft_symbol_cache_free (WeftSymbolCache *self);

/* The largest sum of all files; older ones go first. 0: 1 GiB. */
void weft_symbol_cache_set_limit (WeftSymbolCache *self, guint64 bytes);

typedef struct
{
  guint64 module_size;
  WeftSymbolState state;
  guint64 n_symbols;
  char *reason;
  char *link;        /* as in WeftSymbolAnswer */
  char *debug_file;  /* likewise */
  GPtrArray *blocks; /* WeftSymbolBlock */
  GPtrArray *bytes;  /* GBytes: the same, encoded */
} WeftSymbolCacheEntry;

WeftSymbolCacheEntry *weft_symbol_cache_entry_new (void);
void weft_symbol_cache_entry_free (WeftSymbolCacheEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSymbolCacheEntry, weft_symbol_cache_entry_free)

/* NULL if nothing is kept, if it is damaged, or if there is now another file with the module's
 * debugging information, or none any more. PATH is the module's.
 */
WeftSymbolCacheEntry *weft_symbol_cache_load (WeftSymbolCache *self, const char *build_id,
                                              const char *path, guint64 module_size);

/* Instead of what was kept. Nothing happens if it is too large. */
void weft_symbol_cache_save (WeftSymbolCache *self, const char *build_id, const char *path,
                             const WeftSymbolCacheEntry *entry);

G_END_DECLS
