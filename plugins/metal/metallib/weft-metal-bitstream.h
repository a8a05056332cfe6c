/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * Reads the bitstream container of LLVM: blocks and records, whose layout abbreviations in the
 * stream itself define. What they mean is for the caller.
 *
 * The bytes may be hostile. Every read is checked against the end of its block, nesting and the
 * size of abbreviations are bounded, and all operands of a stream together may not be more than
 * WEFT_METAL_OPERANDS_PER_BIT for each of its bits: time and memory are proportional to its size.
 */
#define WEFT_METAL_OPERANDS_PER_BIT 2

typedef struct _WeftMetalBitstream WeftMetalBitstream;

typedef enum
{
  WEFT_METAL_BITS_END,       /* of the stream */
  WEFT_METAL_BITS_BLOCK,     /* a block begins: CODE is its number */
  WEFT_METAL_BITS_BLOCK_END, /* the innermost one ends */
  WEFT_METAL_BITS_RECORD,    /* CODE with its operands */
} WeftMetalBitsKind;

/* What comes next. OPERANDS and BLOB are valid until the next is asked for. */
typedef struct
{
  WeftMetalBitsKind kind;
  guint code;
  const guint64 *operands;
  guint n_operands;
  const guint8 *blob; /* of records that end in one; of the stream's own bytes */
  gsize blob_size;
} WeftMetalBits;

/* DATA (without the four bytes of magic before it is checked) must outlive the stream. NULL if it
 * is no bitstream of LLVM. A wrapper around it is taken off.
 */
WeftMetalBitstream *weft_metal_bitstream_new (const guint8 *data, gsize size, GError **error);
void weft_metal_bitstream_free (WeftMetalBitstream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetalBitstream, weft_metal_bitstream_free)

/* FALSE with G_IO_ERROR_INVALID_DATA where the stream is damaged. */
gboolean weft_metal_bitstream_next (WeftMetalBitstream *self, WeftMetalBits *bits, GError **error);

/* Goes to the end of the block that has just begun: no BLOCK_END comes for it. */
gboolean weft_metal_bitstream_skip (WeftMetalBitstream *self, GError **error);

G_END_DECLS
