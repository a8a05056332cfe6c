/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes FlatBuffers (https://flatbuffers.dev/internals), as far as Arrow's metadata needs them:
 * tables, strings, vectors of tables and of structs.
 *
 * A buffer grows from its end: what is referred to is written first. A reference is the distance
 * from the end of the buffer; 0 is none.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WEFT_FLATBUFFER_MAX_SLOTS 8

typedef struct
{
  guint8 *bytes;
  gsize size;
  gsize used; /* at the end of BYTES */

  /* The table being written. */
  gsize table_start;
  guint32 slots[WEFT_FLATBUFFER_MAX_SLOTS];
  guint n_slots;
} WeftFlatbuffer;

void weft_flatbuffer_init (WeftFlatbuffer *self);
void weft_flatbuffer_clear (WeftFlatbuffer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftFlatbuffer, weft_flatbuffer_clear)

guint32 weft_flatbuffer_add_string (WeftFlatbuffer *self, const char *text);
guint32 weft_flatbuffer_add_references (WeftFlatbuffer *self, const guint32 *references, guint n);
/* Structs of 8-byte alignment, little-endian already. */
guint32 weft_flatbuffer_add_structs (WeftFlatbuffer *self, gconstpointer structs, gsize size,
                                     guint n);

/* One table at a time; its fields in any order, each at most once. */
void weft_flatbuffer_begin_table (WeftFlatbuffer *self);
void weft_flatbuffer_set_u8 (WeftFlatbuffer *self, guint slot, guint8 value);
void weft_flatbuffer_set_i16 (WeftFlatbuffer *self, guint slot, gint16 value);
void weft_flatbuffer_set_i32 (WeftFlatbuffer *self, guint slot, gint32 value);
void weft_flatbuffer_set_i64 (WeftFlatbuffer *self, guint slot, gint64 value);
/* REFERENCE may be 0: the field is left out. */
void weft_flatbuffer_set_reference (WeftFlatbuffer *self, guint slot, guint32 reference);
guint32 weft_flatbuffer_end_table (WeftFlatbuffer *self);

/* The whole buffer, a multiple of 8 bytes; it belongs to SELF. */
const guint8 *weft_flatbuffer_finish (WeftFlatbuffer *self, guint32 root, gsize *size);

G_END_DECLS
