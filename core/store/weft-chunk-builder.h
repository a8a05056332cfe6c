/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-column-encoder.h"

G_BEGIN_DECLS

/* Puts a chunk together: begin, add streams, finish; then HEADER, DIRECTORY and PAYLOAD are what
 * goes into the file, one after the other. Buffers are kept from one chunk to the next.
 */
typedef struct
{
  WeftColumnEncoder *encoder;
  WeftChunkHeader header;
  GArray *directory; /* WeftStreamEntry */
  GByteArray *payload;
} WeftChunkBuilder;

void weft_chunk_builder_init (WeftChunkBuilder *self);
void weft_chunk_builder_clear (WeftChunkBuilder *self);

void weft_chunk_builder_begin (WeftChunkBuilder *self, WeftChunkKind kind, guint16 table,
                               guint32 rows, guint64 first_row);
void weft_chunk_builder_add (WeftChunkBuilder *self, const WeftColumnSource *source);
/* What was added as stream ID, or NULL. */
const WeftStreamEntry *weft_chunk_builder_find (const WeftChunkBuilder *self, guint16 id);

void weft_chunk_builder_add_numbers (WeftChunkBuilder *self, guint16 id, WeftStoreType type,
                                     const guint64 *values, guint32 count);
void weft_chunk_builder_add_bytes (WeftChunkBuilder *self, guint16 id, const void *data, gsize size,
                                   guint32 count);
void weft_chunk_builder_finish (WeftChunkBuilder *self, guint64 sequence);

G_END_DECLS
