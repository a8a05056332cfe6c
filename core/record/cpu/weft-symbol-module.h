/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-jit-dump.h"
#include "weft-jit-map.h"
#include "weft-kernel-symbols.h"
#include "weft-module.h"
#include "weft-symbol-cache.h"
#include "weft-symbol-names.h"
#include "weft-symbolizer.h"

G_BEGIN_DECLS

/*
 * What is known of one module's functions. Made on the engine's thread, filled on those that read
 * files; functions that were found never change or go away while it lives.
 */
typedef struct _WeftSymbolModule WeftSymbolModule;

/* What all modules of a recording share. */
typedef struct
{
  WeftSymbolCache *cache;    /* or NULL */
  gboolean asks_servers;     /* what has no debugging information may get it */
  GMutex lock;               /* of what follows */
  WeftKernelSymbols *kernel; /* NULL until somebody asked */
  char *kernel_reason;       /* why there are none */
  gboolean kernel_was_read;
  GPtrArray *dumps; /* WeftCodeModule: mapped jit-PID.dump files */
} WeftSymbolShared;

WeftSymbolShared *weft_symbol_shared_new (WeftSymbolCache *cache); /* taken */
void weft_symbol_shared_free (WeftSymbolShared *self);
void weft_symbol_shared_add_dump (WeftSymbolShared *self, WeftCodeModule *module);

typedef struct
{
  WeftSymbolState state;
  guint64 n_symbols;
  char *reason;
  char *debug_file;
} WeftSymbolModuleState;

void weft_symbol_module_state_clear (WeftSymbolModuleState *self);

WeftSymbolModule *weft_symbol_module_new (WeftSymbolShared *shared, WeftCodeModule *module);
void weft_symbol_module_free (WeftSymbolModule *self);

WeftCodeModule *weft_symbol_module_get_code (WeftSymbolModule *self);
void weft_symbol_module_get_state (WeftSymbolModule *self, WeftSymbolModuleState *state);

/* Whether a function that is not found now may be told later. */
gboolean weft_symbol_module_is_growing (WeftSymbolModule *self);

/* FUNCTIONS gets what each of N ADDRESSES is in, or NULL. On the thread of SYMBOLIZER; several may
 * do this at once.
 */
void weft_symbol_module_resolve (WeftSymbolModule *self, WeftSymbolizer *symbolizer,
                                 const guint64 *addresses, guint n,
                                 const WeftSymbolFunction **functions);

/* Keeps what was not in the cache yet. */
void weft_symbol_module_save (WeftSymbolModule *self);

/* Reads the code of FUNCTION. FALSE: it is nowhere to be read. */
gboolean weft_symbol_module_read_code (WeftSymbolModule *self, const WeftSymbolFunction *function,
                                       GByteArray *code);

/* "x86_64", "aarch64" or NULL. */
const char *weft_symbol_module_get_architecture (WeftSymbolModule *self);

G_END_DECLS
