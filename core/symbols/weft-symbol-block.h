/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-wire.h"

G_BEGIN_DECLS

/*
 * What is known of some functions of a module: names, where their code lies, and for each stretch
 * of it the line and what is inlined there. Made by the weft-symbolizer, or read from the cache;
 * decoded once, checked, and immutable then.
 *
 * Encoded: strings; symbols {name, linkage name, file, line, offset, size}; functions {symbol,
 * start, size, file offset + 1, scopes {parent, symbol, file, line of the call}, rows {distance,
 * scope, file, line}}. Strings, symbols and scopes are referred to by number from 1; 0 is none.
 */
typedef struct
{
  const char *name;
  const char *linkage_name; /* where it differs, or NULL */
  const char *file;         /* of the declaration, or NULL */
  guint32 line;
  guint64 offset; /* 0: it is only inlined */
  guint64 size;
} WeftSymbolName;

/* A function that is inlined into another, or into what is inlined there. */
typedef struct
{
  guint32 parent; /* scope from 1; 0: the function itself */
  const WeftSymbolName *symbol;
  const char *file; /* of the call, or NULL */
  guint32 line;
} WeftSymbolScope;

typedef struct
{
  guint32 distance; /* from the function's start; holds up to the next row */
  guint32 scope;    /* from 1; 0: the function itself */
  const char *file; /* or NULL */
  guint32 line;     /* 0: not known */
} WeftSymbolRow;

typedef struct
{
  guint64 start;
  guint64 size;
  const WeftSymbolName *symbol; /* NULL: there is nothing here that has a name */
  guint64 file_offset;          /* of the code; G_MAXUINT64: in no file */
  guint32 n_scopes;
  guint32 n_rows;
  const WeftSymbolScope *scopes;
  const WeftSymbolRow *rows;
} WeftSymbolFunction;

typedef struct
{
  GPtrArray *strings;
  GArray *symbols;   /* WeftSymbolName */
  GArray *functions; /* WeftSymbolFunction */
  GArray *scopes;    /* WeftSymbolScope */
  GArray *rows;      /* WeftSymbolRow */
} WeftSymbolBlock;

/* NULL if it is not sound. */
WeftSymbolBlock *weft_symbol_block_decode (const guint8 *bytes, gsize length);
void weft_symbol_block_free (WeftSymbolBlock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSymbolBlock, weft_symbol_block_free)

/* The row that holds at ADDRESS, or NULL. */
const WeftSymbolRow *weft_symbol_function_find_row (const WeftSymbolFunction *self,
                                                    guint64 address);

G_END_DECLS
