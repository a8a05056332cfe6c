/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-stream.h"
#include "weft-disassemble.h"
#include "weft-row-table.h"

G_BEGIN_DECLS

/*
 * One function, and what samples say of its places: what annotate tells, from the file alone.
 *
 * A sample counts for the instruction that it was taken at, and as a call for each place of the
 * function further out in its stack, once for each place. What a place costs therefore is its self
 * time, and its total: of all samples that have it anywhere in the stack. A return address is no
 * instruction that ran: the call before it is meant.
 */
typedef struct
{
  guint64 count; /* samples of the self time */
  guint64 self;
  guint64 total;
  guint32 stamp; /* the stack that counted last */
} WeftPlaceCost;

/* A line of source, and below it what is inlined there. */
typedef struct
{
  guint32 parent; /* in LINES; 0: none */
  guint32 depth;  /* 0 of the function's own */
  guint64 symbol; /* the function that it is a line of */
  guint32 file;   /* in the store's dictionary; 0: not known */
  guint64 line;   /* 0: not known */
  WeftPlaceCost cost;
} WeftCodeLine;

/* Code from an address up to the next, of one line. */
typedef struct
{
  guint64 address;
  guint32 line; /* in LINES */
} WeftCodeStretch;

typedef struct _WeftAnnotatedCode
{
  const WeftAnalysisScope *scope;
  WeftRowTable *symbols;
  WeftRowTable *modules;
  guint64 symbol;
  gboolean is_inlined; /* wherever it is known to have run */
  WeftPlaceCost cost;
  guint64 whole;     /* time of all samples of the scope */
  guint64 elsewhere; /* self time where it is inlined into others, if it is not so everywhere */
  guint64 hotter;    /* a function without code that took longer, where none was asked for */
  guint64 code;      /* row of its code; 0: none */
  guint64 offset;
  const char *architecture;
  GBytes *bytes;        /* or NULL */
  GArray *stretches;    /* element type WeftCodeStretch, by address */
  GArray *lines;        /* element type WeftCodeLine; the first is none */
  GArray *instructions; /* element type WeftInstruction */
  GArray *costs;        /* element type WeftPlaceCost: of each of them */
} WeftAnnotatedCode;

/* HANDLE: a symbol's handle, the name of a function, or NULL: where most CPU time was spent. Fails
 * with WEFT_ERROR_NO_SUCH_OBJECT where there is none, and WEFT_ERROR_INVALID_QUERY where several
 * have that name.
 */
WeftAnnotatedCode *weft_annotated_code_new (const WeftAnalysisScope *scope, const char *handle,
                                            GError **error);
void weft_annotated_code_free (WeftAnnotatedCode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftAnnotatedCode, weft_annotated_code_free)

/* Line in LINES of the code at ADDRESS; 0: not known. */
guint32 weft_annotated_code_find_line (const WeftAnnotatedCode *self, guint64 address);
const char *weft_annotated_code_get_name (const WeftAnnotatedCode *self, guint64 symbol);
const char *weft_annotated_code_get_module_name (const WeftAnnotatedCode *self, guint64 symbol);

G_END_DECLS
