/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store-writer.h"

G_BEGIN_DECLS

/*
 * What is being decided about the rows of a table, on its way to the store.
 *
 * Rows are opened when they are written, in their order, and decided in any order. A block of
 * WEFT_STORE_SEAL_ROWS rows is told once more as a whole when all of it is decided; until then each
 * flush tells what is new. Rows that nobody opens have values that are known beforehand.
 */
typedef struct _WeftDerivedRows WeftDerivedRows;

#define WEFT_DERIVED_ROWS_MAX_COLUMNS 4

/* NUMBERS are all derived columns of TABLE, the decision first; USUAL is what rows have that are
 * not opened.
 */
WeftDerivedRows *weft_derived_rows_new (WeftStoreWriter *store, WeftTableId table, guint version,
                                        const WeftColumnNumber *numbers, guint n_columns,
                                        const guint64 *usual);
void weft_derived_rows_free (WeftDerivedRows *self);

void weft_derived_rows_open (WeftDerivedRows *self, guint64 id);

/* The first of VALUES is not nought. A row may be decided anew, as often as one likes. */
void weft_derived_rows_decide (WeftDerivedRows *self, guint64 id, const guint64 *values);

/* It has the usual values after all. Of an open row only. */
void weft_derived_rows_release (WeftDerivedRows *self, guint64 id);

/* Tells the store what was decided since; rows up to LAST are written. */
void weft_derived_rows_flush (WeftDerivedRows *self, guint64 last);

/* All rows are decided, and LAST is the last one. */
void weft_derived_rows_finish (WeftDerivedRows *self, guint64 last);

/* Blocks that are held in memory. */
guint weft_derived_rows_get_n_blocks (const WeftDerivedRows *self);

G_END_DECLS
