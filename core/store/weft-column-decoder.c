/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-column-decoder.h"

#include <string.h>

#include "weft-packing.h"

/* The raw bytes yet to be decoded. */
typedef struct
{
  const guint8 *data;
  gsize size;
} Input;

WeftDecoded *
weft_decoded_ref (WeftDecoded *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
weft_decoded_unref (WeftDecoded *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_free (self->data);
  g_free (self->presence);
  g_free (self);
}

static guint
width_for (const WeftStreamEntry *entry)
{
  guint64 span = entry->max - entry->min;

  if (entry->type == WEFT_STORE_TYPE_F64)
    return 8;
  return span == 0             ? 0
         : span <= G_MAXUINT8  ? 1
         : span <= G_MAXUINT16 ? 2
         : span <= G_MAXUINT32 ? 4
                               : 8;
}

static gboolean
allocate (WeftDecoded *self)
{
  gsize size = (gsize) weft_packed_room (self->count) * self->width;

  self->size = sizeof *self + size;
  self->data = size == 0 ? NULL : g_try_malloc (size);
  return size == 0 || self->data != NULL;
}

static gboolean
take (Input *input, void *to, gsize size)
{
  if (input->size < size)
    return FALSE;
  memcpy (to, input->data, size);
  input->data += size;
  input->size -= size;
  return TRUE;
}

static gboolean
take_packed (Input *input, guint32 count, guint64 base, guint width, void *out)
{
  gsize used;

  if (!weft_packed_decode (input->data, input->size, count, base, width, out, &used))
    return FALSE;
  if (used % 8 != 0 || used > input->size)
    return FALSE;
  input->data += used;
  input->size -= used;
  return TRUE;
}

/* Numbers of 64 bits, for the encodings that compute with them. */
static guint64 *
take_numbers (Input *input, guint32 count)
{
  g_autofree guint64 *numbers = g_try_new (guint64, weft_packed_room (count) + 1);

  if (numbers == NULL || !take_packed (input, count, 0, 8, numbers))
    return NULL;
  return g_steal_pointer (&numbers);
}

WEFT_HOT static void
narrow (const guint64 *values, WeftDecoded *self)
{
  guint64 base = self->base;

  switch (self->width)
    {
    case 1:
      for (guint32 i = 0; i < self->count; i++)
        ((guint8 *) self->data)[i] = (guint8) (values[i] - base);
      break;
    case 2:
      for (guint32 i = 0; i < self->count; i++)
        ((guint16 *) self->data)[i] = (guint16) (values[i] - base);
      break;
    case 4:
      for (guint32 i = 0; i < self->count; i++)
        ((guint32 *) self->data)[i] = (guint32) (values[i] - base);
      break;
    case 8:
      for (guint32 i = 0; i < self->count; i++)
        ((guint64 *) self->data)[i] = values[i] - base;
      break;
    default:
      break;
    }
}

WEFT_HOT static guint64
largest (const WeftDecoded *self)
{
  guint8 max8 = 0;
  guint16 max16 = 0;
  guint32 max32 = 0;
  guint64 max64 = 0;

  if (self->width == 1)
    for (guint32 i = 0; i < self->count; i++)
      max8 = MAX (max8, ((const guint8 *) self->data)[i]);
  else if (self->width == 2)
    for (guint32 i = 0; i < self->count; i++)
      max16 = MAX (max16, ((const guint16 *) self->data)[i]);
  else if (self->width == 4)
    for (guint32 i = 0; i < self->count; i++)
      max32 = MAX (max32, ((const guint32 *) self->data)[i]);
  else if (self->width == 8)
    for (guint32 i = 0; i < self->count; i++)
      max64 = MAX (max64, ((const guint64 *) self->data)[i]);

  return MAX (MAX (max8, max16), MAX (max32, max64));
}

/* Encodings */

static gboolean
decode_sequence (WeftDecoded *self, const WeftStreamEntry *entry)
{
  g_autofree guint64 *values = g_try_new (guint64, self->count);

  if (values == NULL)
    return FALSE;
  for (guint32 i = 0; i < self->count; i++)
    values[i] = entry->base + i;
  narrow (values, self);
  return TRUE;
}

static gboolean
decode_runs (WeftDecoded *self, Input *input)
{
  g_autofree guint64 *lengths = NULL;
  g_autofree guint64 *words = NULL;
  g_autofree guint64 *values = NULL;
  guint64 n_runs;
  guint32 row = 0;

  if (!take (input, &n_runs, sizeof n_runs) || n_runs > self->count)
    return FALSE;
  lengths = take_numbers (input, (guint32) n_runs);
  words = lengths == NULL ? NULL : take_numbers (input, (guint32) n_runs);
  values = g_try_new (guint64, self->count);
  if (words == NULL || values == NULL)
    return FALSE;

  for (guint32 run = 0; run < n_runs; run++)
    {
      if (lengths[run] > self->count - row)
        return FALSE;
      for (guint32 end = row + (guint32) lengths[run]; row < end; row++)
        values[row] = words[run];
    }
  narrow (values, self);
  return row == self->count;
}

static gboolean
decode_delta (WeftDecoded *self, const WeftStreamEntry *entry, Input *input)
{
  g_autofree guint64 *values = take_numbers (input, self->count);
  guint64 value = entry->base;

  if (values == NULL)
    return FALSE;
  for (guint32 i = 0; i < self->count; i++)
    values[i] = value += values[i];
  narrow (values, self);
  return TRUE;
}

/* Turns the differences of one lane's rows into values, the first of which is FIRST. */
static void
add_up (guint64 *values, guint32 row, guint32 end, guint64 first, const WeftStoreColumn *durations)
{
  guint64 value = first;

  values[row] = value;
  if (durations == NULL)
    for (row++; row < end; row++)
      values[row] = value += values[row];
  else if (durations->width == 4)
    for (row++; row < end; row++)
      {
        value += durations->base + ((const guint32 *) durations->data)[row - 1] + values[row];
        values[row] = value;
      }
  else
    for (row++; row < end; row++)
      values[row] = value += weft_store_column_get (durations, row - 1) + values[row];
}

static gboolean
decode_lanes (WeftDecoded *self, const WeftStreamEntry *entry, Input *input, WeftDecoded *durations)
{
  g_autofree guint64 *lengths = NULL;
  g_autofree guint64 *firsts = NULL;
  g_autofree guint64 *values = NULL;
  WeftStoreColumn column = { 0 };
  guint64 n_runs;
  guint64 first = entry->base;
  guint32 row = 0;

  if (durations != NULL)
    column = weft_decoded_column (durations);
  if (!take (input, &n_runs, sizeof n_runs) || n_runs > self->count)
    return FALSE;
  lengths = take_numbers (input, (guint32) n_runs);
  firsts = lengths == NULL ? NULL : take_numbers (input, (guint32) n_runs);
  values = firsts == NULL ? NULL : take_numbers (input, self->count);
  if (values == NULL)
    return FALSE;

  for (guint32 run = 0; run < n_runs; run++)
    {
      if (lengths[run] == 0 || lengths[run] > self->count - row)
        return FALSE;
      first += firsts[run];
      add_up (values, row, row + (guint32) lengths[run], first, durations == NULL ? NULL : &column);
      row += (guint32) lengths[run];
    }
  narrow (values, self);
  return row == self->count;
}

static gboolean
decode_dictionary (WeftDecoded *self, Input *input)
{
  g_autofree guint64 *words = NULL;
  g_autofree guint64 *values = NULL;
  guint64 n_words;

  if (!take (input, &n_words, sizeof n_words) || n_words > input->size / 8)
    return FALSE;
  words = g_try_new (guint64, n_words);
  if (words == NULL || !take (input, words, n_words * 8))
    return FALSE;
  values = take_numbers (input, self->count);
  if (values == NULL)
    return FALSE;

  for (guint32 i = 0; i < self->count; i++)
    {
      if (values[i] >= n_words)
        return FALSE;
      values[i] = words[values[i]];
    }
  narrow (values, self);
  return TRUE;
}

static gboolean
decode_values (WeftDecoded *self, const WeftStreamEntry *entry, Input *input,
               WeftDecoded *durations)
{
  switch (entry->encoding)
    {
    case WEFT_ENCODING_SEQUENCE:
      return decode_sequence (self, entry);
    case WEFT_ENCODING_PACKED:
      return self->width == 0 ||
             take_packed (input, self->count, self->base, self->width, self->data);
    case WEFT_ENCODING_RUNS:
      return decode_runs (self, input);
    case WEFT_ENCODING_DELTA:
      return decode_delta (self, entry, input);
    case WEFT_ENCODING_LANE_DELTA:
      return decode_lanes (self, entry, input, NULL);
    case WEFT_ENCODING_LANE_GAP:
      return durations != NULL && durations->count == self->count &&
             decode_lanes (self, entry, input, durations);
    case WEFT_ENCODING_DICTIONARY:
      return decode_dictionary (self, input);
    default:
      return FALSE;
    }
}

static gboolean
take_presence (WeftDecoded *self, const WeftStreamEntry *entry, Input *input)
{
  gsize size = ((gsize) self->count + 63) / 64 * 8;

  if (!(entry->flags & WEFT_STREAM_PRESENCE))
    return TRUE;
  if (input->size < size)
    return FALSE;
  self->presence = g_malloc (size);
  self->size += size;
  return take (input, self->presence, size);
}

static WeftDecoded *
decoded_new (const WeftStreamEntry *entry, guint32 count)
{
  WeftDecoded *self = g_new0 (WeftDecoded, 1);

  self->refs = 1;
  self->count = count;
  if (entry->encoding == WEFT_ENCODING_CONSTANT)
    self->base = entry->base;
  else
    {
      self->width = width_for (entry);
      self->base = entry->type == WEFT_STORE_TYPE_F64 ? 0 : entry->min;
    }
  return self;
}

static gboolean
is_within_zone (const WeftDecoded *self, const WeftStreamEntry *entry)
{
  if (entry->type == WEFT_STORE_TYPE_F64)
    return TRUE;
  if (entry->encoding == WEFT_ENCODING_CONSTANT)
    return entry->base == entry->min && entry->max == entry->min;
  return largest (self) <= entry->max - entry->min;
}

WeftDecoded *
weft_column_decode (const WeftStreamEntry *entry, const guint8 *raw, WeftDecoded *durations)
{
  g_autoptr (WeftDecoded) self = decoded_new (entry, entry->count);
  Input input = { raw, entry->raw_size };

  if (entry->count == 0)
    return g_steal_pointer (&self);
  if (!allocate (self) || !take_presence (self, entry, &input))
    return NULL;
  if (entry->encoding != WEFT_ENCODING_CONSTANT && !decode_values (self, entry, &input, durations))
    return NULL;
  return is_within_zone (self, entry) ? g_steal_pointer (&self) : NULL;
}

/* Ranges */

/* Packed values BEGIN to END of COUNT, in a new array at *VALUES. */
static gpointer
take_range (Input *input, guint32 count, guint32 begin, guint32 end, guint64 base, guint width)
{
  guint skip = begin % WEFT_PACKED_BLOCK;
  g_autofree guint8 *values =
      g_try_malloc ((gsize) weft_packed_room (skip + end - begin) * width + 8);

  if (values == NULL || !weft_packed_decode_range (input->data, input->size, count, begin, end,
                                                   base, width, values, NULL))
    return NULL;
  memmove (values, values + (gsize) skip * width, (gsize) (end - begin) * width);
  return g_steal_pointer (&values);
}

static gboolean
decode_dictionary_range (WeftDecoded *self, const WeftStreamEntry *entry, guint32 begin,
                         Input *input)
{
  g_autofree guint64 *words = NULL;
  g_autofree guint64 *values = NULL;
  guint64 n_words;

  if (!take (input, &n_words, sizeof n_words) || n_words > input->size / 8)
    return FALSE;
  words = g_try_new (guint64, n_words);
  if (words == NULL || !take (input, words, n_words * 8))
    return FALSE;
  values = take_range (input, entry->count, begin, begin + self->count, 0, 8);
  if (values == NULL)
    return FALSE;
  for (guint32 i = 0; i < self->count; i++)
    {
      if (values[i] >= n_words)
        return FALSE;
      values[i] = words[values[i]];
    }
  narrow (values, self);
  return TRUE;
}

/* The range must begin and end with a lane. */
static gboolean
decode_lanes_range (WeftDecoded *self, const WeftStreamEntry *entry, guint32 begin, Input *input,
                    WeftDecoded *durations)
{
  g_autofree guint64 *lengths = NULL;
  g_autofree guint64 *firsts = NULL;
  g_autofree guint64 *values = NULL;
  WeftStoreColumn column = { 0 };
  guint64 n_runs;
  guint64 first = entry->base;
  guint64 row = 0;
  guint32 end = begin + self->count;

  if (durations != NULL)
    column = weft_decoded_column (durations);
  if (!take (input, &n_runs, sizeof n_runs) || n_runs > entry->count)
    return FALSE;
  lengths = take_numbers (input, (guint32) n_runs);
  firsts = lengths == NULL ? NULL : take_numbers (input, (guint32) n_runs);
  values = firsts == NULL ? NULL : take_range (input, entry->count, begin, end, 0, 8);
  if (values == NULL)
    return FALSE;

  for (guint32 run = 0; run < n_runs && row < end; run++)
    {
      if (lengths[run] == 0 || lengths[run] > entry->count - row)
        return FALSE;
      first += firsts[run];
      if (row >= begin && row + lengths[run] <= end)
        add_up (values, (guint32) row - begin, (guint32) (row + lengths[run]) - begin, first,
                durations == NULL ? NULL : &column);
      else if (row + lengths[run] > begin)
        return FALSE;
      row += lengths[run];
    }
  narrow (values, self);
  return row == end;
}

gboolean
weft_column_has_ranges (const WeftStreamEntry *entry)
{
  return !(entry->flags & WEFT_STREAM_PRESENCE) &&
         (entry->encoding == WEFT_ENCODING_CONSTANT || entry->encoding == WEFT_ENCODING_PACKED ||
          entry->encoding == WEFT_ENCODING_DICTIONARY ||
          entry->encoding == WEFT_ENCODING_LANE_DELTA || entry->encoding == WEFT_ENCODING_LANE_GAP);
}

WeftDecoded *
weft_column_decode_range (const WeftStreamEntry *entry, const guint8 *raw, guint32 begin,
                          guint32 end, WeftDecoded *durations)
{
  g_autoptr (WeftDecoded) self = decoded_new (entry, end - begin);
  Input input = { raw, entry->raw_size };
  gboolean good = TRUE;

  if (self->width == 0)
    return is_within_zone (self, entry) ? g_steal_pointer (&self) : NULL;
  if (entry->encoding == WEFT_ENCODING_PACKED)
    {
      self->data = take_range (&input, entry->count, begin, end, self->base, self->width);
      good = self->data != NULL;
    }
  else if (!allocate (self))
    return NULL;
  else if (entry->encoding == WEFT_ENCODING_DICTIONARY)
    good = decode_dictionary_range (self, entry, begin, &input);
  else
    good = (entry->encoding == WEFT_ENCODING_LANE_DELTA || durations != NULL) &&
           decode_lanes_range (self, entry, begin, &input,
                               entry->encoding == WEFT_ENCODING_LANE_DELTA ? NULL : durations);
  return good && is_within_zone (self, entry) ? g_steal_pointer (&self) : NULL;
}

/* Pieces */

gboolean
weft_column_open (WeftColumnCursor *self, const WeftStreamEntry *entry, const guint8 *raw)
{
  self->entry = entry;
  self->width = 0;
  if (entry->type == WEFT_STORE_TYPE_F64 || (entry->flags & WEFT_STREAM_PRESENCE))
    return FALSE;
  if (entry->encoding == WEFT_ENCODING_CONSTANT)
    return entry->base == entry->min && entry->max == entry->min;
  self->width = width_for (entry);
  return entry->encoding == WEFT_ENCODING_PACKED && self->width > 0 &&
         weft_packed_open (&self->packed, raw, entry->raw_size, entry->count);
}

gboolean
weft_column_take (WeftColumnCursor *self, guint32 n, void *out, WeftStoreColumn *column)
{
  WeftDecoded piece = { .count = n, .width = self->width, .base = self->entry->min, .data = out };

  if (self->width > 0)
    weft_packed_take (&self->packed, (n + WEFT_PACKED_BLOCK - 1) / WEFT_PACKED_BLOCK, piece.base,
                      self->width, out);
  *column =
      (WeftStoreColumn){ self->width > 0 ? out : NULL, NULL, piece.base, n, self->width, NULL };
  return largest (&piece) <= self->entry->max - self->entry->min;
}

guint64 *
weft_column_decode_runs (const WeftStreamEntry *entry, const guint8 *raw, guint64 **lengths,
                         guint32 *n)
{
  g_autofree guint64 *numbers = NULL;
  g_autofree guint64 *values = NULL;
  Input input = { raw, entry->raw_size };
  guint64 n_runs;
  guint64 row = 0;

  if (!take (&input, &n_runs, sizeof n_runs) || n_runs > entry->count)
    return NULL;
  numbers = take_numbers (&input, (guint32) n_runs);
  values = numbers == NULL ? NULL : take_numbers (&input, (guint32) n_runs);
  if (values == NULL)
    return NULL;
  for (guint32 i = 0; i < n_runs; i++)
    {
      if (numbers[i] > entry->count - row)
        return NULL;
      row += numbers[i];
    }
  if (row != entry->count)
    return NULL;
  *lengths = g_steal_pointer (&numbers);
  *n = (guint32) n_runs;
  return g_steal_pointer (&values);
}
