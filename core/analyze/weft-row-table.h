/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Columns of a table in memory, by the numbers of the rows: what answers join others with. Rows may
 * be missing in a damaged file; they are as if all was nought.
 */
typedef struct _WeftRowTable WeftRowTable;

#define WEFT_ROW_TABLE_MAX_COLUMNS 12

WeftRowTable *weft_row_table_new (const WeftAnalysisScope *scope, WeftTableId table,
                                  const WeftColumnNumber *columns, guint n_columns, GError **error);
void weft_row_table_free (WeftRowTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRowTable, weft_row_table_free)

gboolean weft_row_table_contains (const WeftRowTable *self, guint64 number);
gboolean weft_row_table_has (const WeftRowTable *self, WeftColumnNumber column, guint64 number);
guint64 weft_row_table_get (const WeftRowTable *self, WeftColumnNumber column, guint64 number);
/* NULL for none; belongs to the store. */
const char *weft_row_table_get_string (const WeftRowTable *self, WeftColumnNumber column,
                                       guint64 number);

/* The rows that are there, from 0 to N_ROWS - 1: INDEX counts without gaps, for arrays beside it.
 */
guint64 weft_row_table_get_n_rows (const WeftRowTable *self);
guint64 weft_row_table_get_number (const WeftRowTable *self, guint64 index);
gboolean weft_row_table_get_index (const WeftRowTable *self, guint64 number, guint64 *index);

G_END_DECLS
