/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-enums.h"
#include "weft-symbol-block-builder.h"
#include "weft-symbol-image.h"

G_BEGIN_DECLS

/*
 * All that is read of one module, in the process that may fall over it: its own file, the one with
 * its debugging information, the one that several of those share.
 */
typedef struct _WeftSymbolResolver WeftSymbolResolver;

/* Takes DESCRIPTOR. IS_PLAIN: symbol tables only. NULL, with a REASON to be freed, if it cannot be
 * read.
 */
WeftSymbolResolver *weft_symbol_resolver_new (int descriptor, gboolean is_plain, char **reason);
void weft_symbol_resolver_free (WeftSymbolResolver *self);

WeftSymbolImage *weft_symbol_resolver_get_image (WeftSymbolResolver *self);

/* Takes DESCRIPTOR. If CHECK_SUM, its CRC must be the one that the module's link says; else its
 * build id must be the module's. NULL, with a REASON to be freed, if it is of another build.
 */
WeftSymbolImage *weft_symbol_resolver_attach (WeftSymbolResolver *self, WeftSymbolPart part,
                                              int descriptor, gboolean check_sum, char **reason);

/* Adds the function around each of OFFSETS, which are sorted, once. FLUSH is called when the block
 * is large, and at the end.
 */
typedef void (*WeftSymbolFlushFunc) (WeftSymbolBlockBuilder *block, gpointer data);
void weft_symbol_resolver_resolve (WeftSymbolResolver *self, const guint64 *offsets, guint n,
                                   WeftSymbolFlushFunc flush, gpointer data);

/* Valid once something was resolved. */
WeftSymbolState weft_symbol_resolver_get_state (WeftSymbolResolver *self);
guint weft_symbol_resolver_get_n_symbols (WeftSymbolResolver *self);
const char *weft_symbol_resolver_get_reason (WeftSymbolResolver *self); /* "": all is there */

G_END_DECLS
