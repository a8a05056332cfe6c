/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"

G_BEGIN_DECLS

/* Whole columns of a chunk, for what asks for rows here and there. */
typedef struct
{
  WeftStore *store;
  WeftTableId table;
  guint chunk;
  WeftChunkInfo info;
  guint32 places;
  WeftStoreColumn columns[WEFT_MAX_COLUMNS];
} WeftChunkReader;

/* PLACES: a bit for each column that is needed. */
gboolean weft_chunk_reader_open (WeftChunkReader *self, WeftStore *store, WeftTableId table,
                                 guint chunk, guint32 places, GError **error);
void weft_chunk_reader_clear (WeftChunkReader *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftChunkReader, weft_chunk_reader_clear)

/* Reads those of PLACES that are not there yet. */
gboolean weft_chunk_reader_add (WeftChunkReader *self, guint32 places, GError **error);

/* The batch of rows that begins with row FIRST. */
void weft_chunk_reader_get_rows (WeftChunkReader *self, guint first, WeftBatch *batch);
/* Rows of the chunk, at most WEFT_BATCH_ROWS. */
void weft_chunk_reader_get_some (WeftChunkReader *self, const guint16 *rows, guint n,
                                 WeftBatch *batch);

/* Of each row, its place in the chunk by the order of arrival; NULL if they are in that order. */
gboolean weft_chunk_reader_get_arrivals (WeftChunkReader *self, guint32 **places, GError **error);

G_END_DECLS
