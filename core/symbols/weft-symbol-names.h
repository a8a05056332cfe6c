/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-block.h"

G_BEGIN_DECLS

/*
 * Functions at addresses that somebody tells of one after the other: the kernel, a program that
 * makes code. What comes later replaces what it overlaps; what was found before stays valid.
 */
typedef struct _WeftSymbolNames WeftSymbolNames;

WeftSymbolNames *weft_symbol_names_new (void);
void weft_symbol_names_free (WeftSymbolNames *self);

/* Lines of its code; ROWS are taken, their FILEs from weft_symbol_names_intern (). */
typedef struct
{
  guint64 start;
  guint64 size;
  const char *name;
  guint64 file_offset; /* of its code, or G_MAXUINT64 */
  GArray *rows;        /* WeftSymbolRow, or NULL */
} WeftSymbolNamed;

/* FALSE: there are too many, or it is none (no size, no name). */
gboolean weft_symbol_names_add (WeftSymbolNames *self, const WeftSymbolNamed *named);

/* TEXT for as long as the names live. */
const char *weft_symbol_names_intern (WeftSymbolNames *self, const char *text, gsize length);

/* The one that was told last, or NULL. */
const WeftSymbolFunction *weft_symbol_names_find (WeftSymbolNames *self, guint64 address);

/* How many that had been found were replaced by something of another name. */
guint weft_symbol_names_get_n_replaced (WeftSymbolNames *self);

guint weft_symbol_names_get_n (WeftSymbolNames *self);

G_END_DECLS
