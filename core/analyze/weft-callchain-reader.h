/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/*
 * The stacks of a recording, read once for an answer: a tree of frames that grows inwards.
 *
 * A stack is told by its node, and a frame by its number: both count the rows of their tables from
 * 1, without gaps, and are the ids of these rows in every file that is whole; 0 is none. The
 * callers of a node have a smaller number: what a hostile file says otherwise is cut there, so that
 * every walk outwards ends, and a loop over nodes in either direction sees callers before callees
 * or the other way round.
 */
typedef struct _WeftCallchainReader WeftCallchainReader;

WeftCallchainReader *weft_callchain_reader_new (const WeftAnalysisScope *scope, GError **error);
void weft_callchain_reader_free (WeftCallchainReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCallchainReader, weft_callchain_reader_free)

guint32 weft_callchain_reader_get_n_nodes (const WeftCallchainReader *self);
guint32 weft_callchain_reader_get_n_frames (const WeftCallchainReader *self);

/* The node of a callchain's id, the frame of a frame's id: 0 where there is no such row. */
guint32 weft_callchain_reader_find (const WeftCallchainReader *self, guint64 callchain);
guint32 weft_callchain_reader_find_frame (const WeftCallchainReader *self, guint64 frame);
guint64 weft_callchain_reader_get_id (const WeftCallchainReader *self, guint32 node);

guint32 weft_callchain_reader_get_parent (const WeftCallchainReader *self, guint32 node);
guint32 weft_callchain_reader_get_frame (const WeftCallchainReader *self, guint32 node);
guint32 weft_callchain_reader_get_depth (const WeftCallchainReader *self, guint32 node);

/* Replaces what is in FRAMES, of element type guint32, by those of NODE: the outermost first, or
 * the innermost. At most MAX of them; the outer ones are left out. Returns how many were.
 */
guint weft_callchain_reader_read (const WeftCallchainReader *self, guint32 node,
                                  gboolean innermost_first, guint max, GArray *frames);


/* Ids of rows as numbers without gaps, for tables in the order of arrival. */
typedef struct
{
  GArray *runs; /* where a row does not follow its predecessor */
  guint32 n_rows;
} WeftDenseRows;

void weft_dense_rows_init (WeftDenseRows *self);
void weft_dense_rows_clear (WeftDenseRows *self);
/* The number of the row that comes next; its ID is larger than those before. 0 if there is no room.
 */
guint32 weft_dense_rows_add (WeftDenseRows *self, guint64 id);
guint32 weft_dense_rows_find (const WeftDenseRows *self, guint64 id);
guint64 weft_dense_rows_get_id (const WeftDenseRows *self, guint32 number);

G_END_DECLS
