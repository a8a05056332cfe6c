/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store.h"

G_BEGIN_DECLS

/*
 * Chunks of dispatches are sorted by lane and start. This remembers, for a few of them, which row
 * has which number, so that neither a list nor a look-up by id has to search. Any thread.
 */
typedef struct _WeftRowOrders WeftRowOrders;

WeftRowOrders *weft_row_orders_new (void);
void weft_row_orders_free (WeftRowOrders *self);

/* The row of each of the chunk's numbers, in their order, as guint16; NULL if rows stand in the
 * order of their numbers, or if the chunk cannot be read.
 */
GBytes *weft_row_orders_get (WeftRowOrders *self, WeftStore *store, WeftTableId table, guint chunk);

#define WEFT_NO_CHUNK G_MAXUINT

/* Where a row stands in one view of the file. */
typedef struct
{
  guint64 number; /* in order of arrival, from 1; the id where the table has dense ids */
  guint chunk;    /* WEFT_NO_CHUNK: it is known of, and missing */
  guint row;
} WeftPlace;

/* The row whose id is ID; in a table without ids, whose number it is. */
gboolean weft_row_orders_find (WeftRowOrders *self, WeftStore *store, WeftTableId table, guint64 id,
                               WeftPlace *place, GError **error);

G_END_DECLS
