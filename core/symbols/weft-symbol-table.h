/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-image.h"

G_BEGIN_DECLS

/*
 * The functions of an ELF file by address: of symbol tables, and entries of procedure linkage
 * tables. Sorted once; of those that begin at one address the best name is kept.
 */
typedef struct
{
  guint64 address;
  guint64 size;     /* never 0 once sorted */
  const char *name; /* in the file's string table, or owned by the table */
  guint rank;       /* how good a name it is */
} WeftSymbolEntry;

typedef struct _WeftSymbolTable WeftSymbolTable;

WeftSymbolTable *weft_symbol_table_new (void);
void weft_symbol_table_free (WeftSymbolTable *self);

/* .symtab if TYPE is SHT_SYMTAB, .dynsym if it is SHT_DYNSYM. FALSE if there is none. */
gboolean weft_symbol_table_add (WeftSymbolTable *self, WeftSymbolImage *image, guint type);
void weft_symbol_table_add_linkage (WeftSymbolTable *self, WeftSymbolImage *image);
void weft_symbol_table_add_entry (WeftSymbolTable *self, guint64 address, guint64 size,
                                  char *name); /* which is taken */

/* Functions that only the unwinding tables of IMAGE know, after sorting what has names. */
void weft_symbol_table_add_unnamed (WeftSymbolTable *self, WeftSymbolImage *image);

void weft_symbol_table_sort (WeftSymbolTable *self);

guint weft_symbol_table_get_n_entries (WeftSymbolTable *self);

/* The innermost that has ADDRESS in it, or NULL; then GAP_START and GAP_END are where the nothing
 * around it begins and ends.
 */
const WeftSymbolEntry *weft_symbol_table_find (WeftSymbolTable *self, guint64 address,
                                               guint64 *gap_start, guint64 *gap_end);

/* The one that begins at ADDRESS, or NULL. */
const WeftSymbolEntry *weft_symbol_table_find_start (WeftSymbolTable *self, guint64 address);

G_END_DECLS
