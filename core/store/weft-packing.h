/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Packed streams: numbers in blocks of 256, each block with a base and a width of its own, and the
 * few numbers that do not fit the width patched in afterwards ("exceptions").
 */
#define WEFT_PACKED_BLOCK 256

typedef enum
{
  WEFT_ORDER_UNSIGNED,
  WEFT_ORDER_SIGNED, /* bases are chosen as of signed numbers: for differences */
} WeftPackedOrder;

/* The buffers that encoding takes. */
typedef struct _WeftPacker WeftPacker;

WeftPacker *weft_packer_new (void);
void weft_packer_free (WeftPacker *self);
void weft_packed_encode (WeftPacker *self, const guint64 *values, guint32 count,
                         WeftPackedOrder order, GByteArray *out);

/* Bytes that a sample of VALUES says encoding them all would take. */
guint64 weft_packed_estimate (const guint64 *values, guint32 count, WeftPackedOrder order);

/* Writes value - BASE of each, cut to WIDTH (1, 2, 4 or 8) bytes, to OUT, which has room for COUNT
 * rounded up to a block. USED is the stream's size. FALSE if SIZE bytes of DATA (aligned to 8) are
 * no such stream.
 */
gboolean weft_packed_decode (const guint8 *data, gsize size, guint32 count, guint64 base,
                             guint width, void *out, gsize *used);

/* Likewise, but only the blocks from that of number BEGIN up to that of number END - 1. */
gboolean weft_packed_decode_range (const guint8 *data, gsize size, guint32 count, guint32 begin,
                                   guint32 end, guint64 base, guint width, void *out, gsize *used);

/* A stream that is decoded from one end to the other, some blocks at a time. */
typedef struct
{
  guint64 reference;
  guint32 size; /* of the stream */
  guint32 count;
  guint base_bytes;
  guint n_blocks;
  guint block; /* the next */
  const guint8 *widths;
  const guint8 *counts;
  const guint8 *logs;
  const guint8 *bases;
  const guint8 *in;
  const guint8 *exceptions;
} WeftPackedCursor;

gboolean weft_packed_open (WeftPackedCursor *self, const guint8 *data, gsize size, guint32 count);
void weft_packed_take (WeftPackedCursor *self, guint n_blocks, guint64 base, guint width,
                       void *out);

static inline guint32
weft_packed_room (guint32 count)
{
  return (count + WEFT_PACKED_BLOCK - 1) / WEFT_PACKED_BLOCK * WEFT_PACKED_BLOCK;
}

G_END_DECLS
