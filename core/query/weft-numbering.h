/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store.h"

G_BEGIN_DECLS

/* Where the rows of a table are that ids name: which is the number of the row in the order of
 * arrival, but for tables whose ids come in another order.
 */
typedef struct _WeftNumbering WeftNumbering;

WeftNumbering *weft_numbering_new (WeftStore *store, WeftTableId table, GError **error);
void weft_numbering_free (WeftNumbering *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNumbering, weft_numbering_free)

/* The arrival number of row ID; 0 if there is none. */
guint64 weft_numbering_get_row (const WeftNumbering *self, guint64 id);
gboolean weft_numbering_find_chunk (const WeftNumbering *self, guint64 row, guint *chunk,
                                    guint64 *first_row, guint64 *n_rows);

/* Ids are from BASE on, N at most. Fails with WEFT_ERROR_DAMAGED where they lie so far apart that
 * nothing could be kept for each.
 */
gboolean weft_numbering_get_span (const WeftNumbering *self, guint64 *base, guint64 *n,
                                  GError **error);

G_END_DECLS
