/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-elf-image.h"
#include "weft-module.h"
#include "weft-unwind-table.h"

G_BEGIN_DECLS

/* How to unwind its code: built when it is first asked for. NULL if it has no contents, or is no
 * ELF file of a machine that we know. Any thread may ask.
 */
WeftUnwindTable *weft_code_module_get_unwind_table (WeftCodeModule *self);

G_END_DECLS
