/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-unwind-reader.h"

enum
{
  ENCODING_OMIT = 0xff,

  FORMAT = 0x0f,
  FORMAT_ABSOLUTE = 0x00,
  FORMAT_ULEB = 0x01,
  FORMAT_U16 = 0x02,
  FORMAT_U32 = 0x03,
  FORMAT_U64 = 0x04,
  FORMAT_SLEB = 0x09,
  FORMAT_S16 = 0x0a,
  FORMAT_S32 = 0x0b,
  FORMAT_S64 = 0x0c,

  BASE = 0x70,
  BASE_NONE = 0x00,
  BASE_SELF = 0x10,
  BASE_DATA = 0x30,
  BASE_FUNCTION = 0x40,
  BASE_ALIGNED = 0x50,
};

static guint64
read_format (WeftUnwindReader *self, guint format)
{
  switch (format)
    {
    case FORMAT_ABSOLUTE:
    case FORMAT_U64:
    case FORMAT_S64:
      return weft_unwind_reader_number (self, 8);
    case FORMAT_ULEB:
      return weft_unwind_reader_uleb (self);
    case FORMAT_SLEB:
      return (guint64) weft_unwind_reader_sleb (self);
    case FORMAT_U16:
      return weft_unwind_reader_number (self, 2);
    case FORMAT_S16:
      return (guint64) (gint64) (gint16) weft_unwind_reader_number (self, 2);
    case FORMAT_U32:
      return weft_unwind_reader_number (self, 4);
    case FORMAT_S32:
      return (guint64) (gint64) (gint32) weft_unwind_reader_number (self, 4);
    default:
      return weft_unwind_reader_fail (self);
    }
}

guint64
weft_unwind_reader_pointer (WeftUnwindReader *self, guint encoding, const WeftUnwindBases *bases)
{
  guint64 here = bases->section + (guint64) (self->at - self->begin);
  guint64 value;

  if (encoding == ENCODING_OMIT)
    return 0;
  if ((encoding & BASE) == BASE_ALIGNED)
    {
      weft_unwind_reader_skip (self, -here & 7);
      return weft_unwind_reader_number (self, 8);
    }

  value = read_format (self, encoding & FORMAT);
  switch (encoding & BASE)
    {
    case BASE_NONE:
      return value;
    case BASE_SELF:
      return value == 0 ? 0 : value + here;
    case BASE_DATA:
      return value + bases->data;
    case BASE_FUNCTION:
      return value + bases->function;
    default:
      return weft_unwind_reader_fail (self);
    }
}
