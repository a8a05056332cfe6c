/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Reads numbers as DWARF writes them, never beyond the end: what fails sets a mark, and reads as 0
 * from then on.
 */
typedef struct
{
  const guint8 *begin;
  const guint8 *at;
  const guint8 *end;
  gboolean failed;
} WeftUnwindReader;

/* What encoded pointers are relative to. */
typedef struct
{
  guint64 section; /* address of the reader's first byte */
  guint64 function;
  guint64 data;
} WeftUnwindBases;

static inline void
weft_unwind_reader_init (WeftUnwindReader *self, const guint8 *bytes, gsize size)
{
  self->begin = bytes;
  self->at = bytes;
  self->end = bytes + size;
  self->failed = FALSE;
}

static inline gsize
weft_unwind_reader_get_left (const WeftUnwindReader *self)
{
  return self->end - self->at;
}

static inline gboolean
weft_unwind_reader_fail (WeftUnwindReader *self)
{
  self->failed = TRUE;
  self->at = self->end;
  return FALSE;
}

static inline gboolean
weft_unwind_reader_skip (WeftUnwindReader *self, guint64 size)
{
  if (size > weft_unwind_reader_get_left (self))
    return weft_unwind_reader_fail (self);
  self->at += size;
  return TRUE;
}

static inline guint64
weft_unwind_reader_number (WeftUnwindReader *self, gsize size)
{
  guint64 value = 0;

  if (size > weft_unwind_reader_get_left (self))
    return weft_unwind_reader_fail (self);
  memcpy (&value, self->at, size);
  self->at += size;
  return GUINT64_FROM_LE (value);
}

static inline guint
weft_unwind_reader_u8 (WeftUnwindReader *self)
{
  return self->at < self->end ? *self->at++ : (guint) weft_unwind_reader_fail (self);
}

static inline guint64
weft_unwind_reader_uleb (WeftUnwindReader *self)
{
  guint64 value = 0;

  for (guint shift = 0;; shift += 7)
    {
      guint byte;

      if (self->at >= self->end)
        return weft_unwind_reader_fail (self);
      byte = *self->at++;
      if (shift < 64)
        value |= (guint64) (byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return value;
    }
}

static inline gint64
weft_unwind_reader_sleb (WeftUnwindReader *self)
{
  guint64 value = 0;

  for (guint shift = 0;; shift += 7)
    {
      guint byte;

      if (self->at >= self->end)
        return weft_unwind_reader_fail (self);
      byte = *self->at++;
      if (shift < 64)
        value |= (guint64) (byte & 0x7f) << shift;
      if (!(byte & 0x80))
        {
          if (shift + 7 < 64 && (byte & 0x40))
            value |= ~(guint64) 0 << (shift + 7);
          return (gint64) value;
        }
    }
}

/* A text that ends with 0; NULL if it does not end. */
static inline const char *
weft_unwind_reader_text (WeftUnwindReader *self)
{
  const guint8 *end = memchr (self->at, 0, weft_unwind_reader_get_left (self));
  const char *text = (const char *) self->at;

  if (end == NULL)
    {
      weft_unwind_reader_fail (self);
      return NULL;
    }
  self->at = end + 1;
  return text;
}

/* A pointer as .eh_frame encodes it (DW_EH_PE_…, 8 bytes an address). What it points at is not
 * followed where the encoding says that it is indirect.
 */
guint64 weft_unwind_reader_pointer (WeftUnwindReader *self, guint encoding,
                                    const WeftUnwindBases *bases);

G_END_DECLS
