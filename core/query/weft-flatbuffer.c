/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-flatbuffer.h"

#include <string.h>

void
weft_flatbuffer_init (WeftFlatbuffer *self)
{
  *self = (WeftFlatbuffer){ .size = 1024 };
  self->bytes = g_malloc (self->size);
}

void
weft_flatbuffer_clear (WeftFlatbuffer *self)
{
  g_clear_pointer (&self->bytes, g_free);
}

static void
make_room (WeftFlatbuffer *self, gsize n)
{
  gsize size = self->size;
  guint8 *grown;

  while (size - self->used < n)
    size *= 2;
  if (size == self->size)
    return;
  grown = g_malloc (size);
  memcpy (grown + size - self->used, self->bytes + self->size - self->used, self->used);
  g_free (self->bytes);
  self->bytes = grown;
  self->size = size;
}

static void
push (WeftFlatbuffer *self, gconstpointer bytes, gsize n)
{
  make_room (self, n);
  self->used += n;
  if (n > 0)
    memcpy (self->bytes + self->size - self->used, bytes, n);
}

/* Pads so that what begins after FOLLOWING more bytes is aligned. */
static void
align (WeftFlatbuffer *self, gsize alignment, gsize following)
{
  static const guint8 zeros[8];

  push (self, zeros, -(self->used + following) & (alignment - 1));
}

static void
push_u32 (WeftFlatbuffer *self, guint32 value)
{
  guint32 bytes = GUINT32_TO_LE (value);

  push (self, &bytes, sizeof bytes);
}

static void
push_u16 (WeftFlatbuffer *self, guint16 value)
{
  guint16 bytes = GUINT16_TO_LE (value);

  push (self, &bytes, sizeof bytes);
}

static void
push_reference (WeftFlatbuffer *self, guint32 reference)
{
  align (self, 4, 0);
  push_u32 (self, (guint32) self->used + 4 - reference);
}

guint32
weft_flatbuffer_add_string (WeftFlatbuffer *self, const char *text)
{
  gsize length = strlen (text);

  align (self, 4, length + 1);
  push (self, text, length + 1);
  push_u32 (self, (guint32) length);
  return (guint32) self->used;
}

guint32
weft_flatbuffer_add_references (WeftFlatbuffer *self, const guint32 *references, guint n)
{
  align (self, 4, 0);
  for (guint i = n; i > 0; i--)
    push_reference (self, references[i - 1]);
  push_u32 (self, n);
  return (guint32) self->used;
}

guint32
weft_flatbuffer_add_structs (WeftFlatbuffer *self, gconstpointer structs, gsize size, guint n)
{
  align (self, 8, n * size);
  push (self, structs, n * size);
  push_u32 (self, n);
  return (guint32) self->used;
}

void
weft_flatbuffer_begin_table (WeftFlatbuffer *self)
{
  memset (self->slots, 0, sizeof self->slots);
  self->n_slots = 0;
  self->table_start = self->used;
}

static void
note_slot (WeftFlatbuffer *self, guint slot)
{
  g_assert (slot < WEFT_FLATBUFFER_MAX_SLOTS && self->slots[slot] == 0);

  self->slots[slot] = (guint32) self->used;
  self->n_slots = MAX (self->n_slots, slot + 1);
}

void
weft_flatbuffer_set_u8 (WeftFlatbuffer *self, guint slot, guint8 value)
{
  push (self, &value, 1);
  note_slot (self, slot);
}

void
weft_flatbuffer_set_i16 (WeftFlatbuffer *self, guint slot, gint16 value)
{
  align (self, 2, 0);
  push_u16 (self, (guint16) value);
  note_slot (self, slot);
}

void
weft_flatbuffer_set_i32 (WeftFlatbuffer *self, guint slot, gint32 value)
{
  align (self, 4, 0);
  push_u32 (self, (guint32) value);
  note_slot (self, slot);
}

void
weft_flatbuffer_set_i64 (WeftFlatbuffer *self, guint slot, gint64 value)
{
  guint64 bytes = GUINT64_TO_LE ((guint64) value);

  align (self, 8, 0);
  push (self, &bytes, sizeof bytes);
  note_slot (self, slot);
}

void
weft_flatbuffer_set_reference (WeftFlatbuffer *self, guint slot, guint32 reference)
{
  if (reference == 0)
    return;
  push_reference (self, reference);
  note_slot (self, slot);
}

guint32
weft_flatbuffer_end_table (WeftFlatbuffer *self)
{
  guint32 table;
  guint32 distance;

  align (self, 4, 0);
  push_u32 (self, 0);
  table = (guint32) self->used;
  for (guint i = self->n_slots; i > 0; i--)
    push_u16 (self, (guint16) (self->slots[i - 1] != 0 ? table - self->slots[i - 1] : 0));
  push_u16 (self, (guint16) (table - self->table_start));
  push_u16 (self, (guint16) (4 + 2 * self->n_slots));
  /* How far before the table its list of fields lies. */
  distance = GUINT32_TO_LE ((guint32) self->used - table);
  memcpy (self->bytes + self->size - table, &distance, sizeof distance);
  return table;
}

const guint8 *
weft_flatbuffer_finish (WeftFlatbuffer *self, guint32 root, gsize *size)
{
  align (self, 8, 4);
  push_reference (self, root);
  *size = self->used;
  return self->bytes + self->size - self->used;
}
