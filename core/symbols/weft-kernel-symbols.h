/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-block.h"

G_BEGIN_DECLS

/* Functions of the kernel and its modules, as /proc/kallsyms tells them. Those of modules are named
 * “name [module]”.
 */
typedef struct _WeftKernelSymbols WeftKernelSymbols;

/* NULL with a REASON to be freed if it hides addresses from this user. */
WeftKernelSymbols *weft_kernel_symbols_read (char **reason);

/* From TEXT, of that form, which is taken. */
WeftKernelSymbols *weft_kernel_symbols_parse (char *text, gsize length, char **reason);
void weft_kernel_symbols_free (WeftKernelSymbols *self);

/* NULL if it is in none. */
const WeftSymbolFunction *weft_kernel_symbols_find (WeftKernelSymbols *self, guint64 address);

guint weft_kernel_symbols_get_n (WeftKernelSymbols *self);

G_END_DECLS
