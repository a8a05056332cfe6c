/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-chunk.h"
#include "weft-store.h"

G_BEGIN_DECLS

#define WEFT_MAX_DERIVED_COLUMNS 4 /* of a table */

/* What derived chunks say about the rows of one chunk. They name rows by their ids: in a chunk that
 * is sorted these are looked up.
 */
typedef struct
{
  gint refs; /* atomic */
  WeftChunk *rows;
  GPtrArray *derived;                         /* WeftChunk, by offset */
  gpointer decoded[WEFT_MAX_DERIVED_COLUMNS]; /* the cache's */
} WeftOverlay;

WeftOverlay *weft_overlay_new (WeftChunk *rows);
WeftOverlay *weft_overlay_ref (WeftOverlay *self);
void weft_overlay_unref (WeftOverlay *self);

/* Before anybody reads. */
void weft_overlay_add (WeftOverlay *self, WeftChunk *derived);
void weft_overlay_sort (WeftOverlay *self);
gboolean weft_overlay_is_equal (const WeftOverlay *a, const WeftOverlay *b);

/* FALSE if no derived chunk has the column. */
gboolean weft_overlay_get_zone (WeftOverlay *self, guint place, guint64 *min, guint64 *max);
gboolean weft_overlay_read (WeftOverlay *self, guint place, WeftStoreColumn *column,
                            GError **error);

G_END_DECLS
