/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-names.h"

G_BEGIN_DECLS

/* Functions of the kernel and its modules, as /proc/kallsyms tells them. Those of modules are named
 * “name [module]”. NULL with a REASON to be freed if it hides addresses from this user.
 */
WeftSymbolNames *weft_kernel_symbols_read (char **reason);

/* From TEXT, of that form. */
WeftSymbolNames *weft_kernel_symbols_parse (const char *text, gsize length, char **reason);

G_END_DECLS
