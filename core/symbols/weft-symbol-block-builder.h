/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-wire.h"

G_BEGIN_DECLS

/* Encodes a block: see weft-symbol-block.h. Numbers of strings, symbols and scopes are from 1. */
typedef struct _WeftSymbolBlockBuilder WeftSymbolBlockBuilder;

WeftSymbolBlockBuilder *weft_symbol_block_builder_new (void);
void weft_symbol_block_builder_free (WeftSymbolBlockBuilder *self);

guint32 weft_symbol_block_builder_string (WeftSymbolBlockBuilder *self, const char *text);

/* KEY tells symbols apart: 0 of those that are told by OFFSET. Gets the number of one that is
 * there, or 0.
 */
guint32 weft_symbol_block_builder_find (WeftSymbolBlockBuilder *self, guint64 key, guint64 offset);
guint32 weft_symbol_block_builder_symbol (WeftSymbolBlockBuilder *self, guint64 key,
                                          const char *name, const char *linkage_name,
                                          const char *file, guint32 line, guint64 offset,
                                          guint64 size);

typedef struct
{
  guint32 symbol;
  guint64 start;
  guint64 size;
  guint64 file_offset; /* G_MAXUINT64: none */
  guint32 n_scopes;
  guint32 n_rows;
  const GByteArray *scopes; /* encoded */
  const GByteArray *rows;
} WeftSymbolBlockFunction;

void weft_symbol_block_builder_function (WeftSymbolBlockBuilder *self,
                                         const WeftSymbolBlockFunction *function);

gsize weft_symbol_block_builder_get_size (WeftSymbolBlockBuilder *self);

/* Encodes what was added, and is empty then. */
GByteArray *weft_symbol_block_builder_finish (WeftSymbolBlockBuilder *self);

G_END_DECLS
