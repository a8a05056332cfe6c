/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/*
 * Goes through the rows of a table in the order of the file, or to some of them by their numbers.
 * Only the columns that are asked for are read, and only the chunks that may hold what is looked
 * for.
 *
 *   g_autoptr (WeftRowCursor) phases = weft_row_cursor_new (scope, WEFT_TABLE_PHASES);
 *
 *   weft_row_cursor_where (phases, WEFT_PHASES_DISPATCH, id);
 *   while (weft_row_cursor_next (phases))
 *     add (weft_row_cursor_get (phases, WEFT_PHASES_DURATION));
 *   return weft_row_cursor_finish (phases, error);
 */
typedef struct _WeftRowCursor WeftRowCursor;

WeftRowCursor *weft_row_cursor_new (const WeftAnalysisScope *scope, WeftTableId table);
void weft_row_cursor_free (WeftRowCursor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRowCursor, weft_row_cursor_free)

/* Passes over rows whose COLUMN, one of unsigned numbers, is not VALUE; at most twice. */
void weft_row_cursor_where (WeftRowCursor *self, WeftColumnNumber column, guint64 value);

/* FALSE behind the last row, and once something could not be read or was cancelled. */
gboolean weft_row_cursor_next (WeftRowCursor *self);
/* FALSE if there is no such row, and as above. */
gboolean weft_row_cursor_seek (WeftRowCursor *self, guint64 number);
/* Whether everything could be read; errors are those of WEFT_ERROR. */
gboolean weft_row_cursor_finish (WeftRowCursor *self, GError **error);

/* Of the row at hand: its number is its id where it has one. */
guint64 weft_row_cursor_get_number (WeftRowCursor *self);
gboolean weft_row_cursor_has (WeftRowCursor *self, WeftColumnNumber column);
guint64 weft_row_cursor_get (WeftRowCursor *self, WeftColumnNumber column);
gint64 weft_row_cursor_get_signed (WeftRowCursor *self, WeftColumnNumber column);
double weft_row_cursor_get_double (WeftRowCursor *self, WeftColumnNumber column);
/* NULL for none. */
const char *weft_row_cursor_get_string (WeftRowCursor *self, WeftColumnNumber column);

WeftStoreType weft_row_cursor_get_type (WeftRowCursor *self, WeftColumnNumber column);

/* A column's place in its table. */
guint weft_row_cursor_place (WeftTableId table, WeftColumnNumber column);

G_END_DECLS
