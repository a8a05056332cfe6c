/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dwarf.h"

G_BEGIN_DECLS

/* A stretch of a function's code, up to the next: which line, and in what it is inlined. */
typedef struct
{
  guint64 address;
  guint32 node; /* of the unit; or G_MAXUINT32 */
  guint32 line;
  const char *file;
} WeftSymbolStretch;

/* Of the code from START on; NODE is the function, or G_MAXUINT32: lines only. */
GArray *weft_symbol_stretches (WeftDwarfUnit *unit, guint32 node, guint64 start, guint64 size);

G_END_DECLS
