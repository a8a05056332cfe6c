/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-column-encoder.h"

#include <string.h>
#include <zstd.h>

#include "weft-crc32c.h"
#include "weft-packing.h"

#define ROWS WEFT_MAX_CHUNK_ROWS
#define PROBE 8192          /* bytes that zstd is tried on */
#define REFUSALS 4          /* so often it is tried in vain before most tries are left out */
#define RETRY 16            /* then every so many times */
#define N_STREAMS (1 << 16) /* kinds of them */
#define DICTIONARY 256      /* distinct values at most */
#define RUN_STEP 32         /* values compared at once */
#define SIGN (G_GUINT64_CONSTANT (1) << 63)

struct _WeftColumnEncoder
{
  ZSTD_CCtx *zstd;
  WeftPacker *packer;
  GByteArray *compressed;
  guint8 *refusals; /* how often in a row compressing a stream did not pay */
  guint64 *filled;  /* values with holes filled */
  guint64 *first;   /* candidates */
  guint64 *second;
  guint32 room;
};

WeftColumnEncoder *
weft_column_encoder_new (void)
{
  WeftColumnEncoder *self = g_new0 (WeftColumnEncoder, 1);

  self->zstd = ZSTD_createCCtx ();
  self->packer = weft_packer_new ();
  self->refusals = g_new0 (guint8, N_STREAMS);
  self->compressed = g_byte_array_new ();
  return self;
}

void
weft_column_encoder_free (WeftColumnEncoder *self)
{
  ZSTD_freeCCtx (self->zstd);
  weft_packer_free (self->packer);
  g_free (self->refusals);
  g_byte_array_unref (self->compressed);
  g_free (self->filled);
  g_free (self->first);
  g_free (self->second);
  g_free (self);
}

static void
make_room (WeftColumnEncoder *self, guint32 count)
{
  if (count <= self->room)
    return;
  self->room = MAX (count, ROWS);
  self->filled = g_renew (guint64, self->filled, self->room);
  self->first = g_renew (guint64, self->first, self->room);
  self->second = g_renew (guint64, self->second, self->room);
}

/* What one pass tells of a column. */
typedef struct
{
  guint64 min; /* by the order of the type */
  guint64 max;
  guint64 n_changes;   /* from one value to the next */
  guint64 no_sequence; /* 0 if each value is one more than the last */
} Survey;

WEFT_HOT static void
take_survey (const guint64 *values, guint32 count, guint64 flip, Survey *survey)
{
  gint64 low = (gint64) (values[0] ^ flip);
  gint64 high = low;
  guint64 same = 0;
  guint64 wrong = 0;

  for (guint32 i = 1; i < count; i++)
    {
      gint64 value = (gint64) (values[i] ^ flip);

      low = value < low ? value : low;
      high = value > high ? value : high;
      same += values[i] == values[i - 1];
      wrong |= values[i] - values[i - 1] - 1;
    }
  survey->min = (guint64) low ^ flip;
  survey->max = (guint64) high ^ flip;
  survey->n_changes = count - 1 - same;
  survey->no_sequence = wrong;
}

static void
find_zone_double (const guint64 *values, guint32 count, guint64 *min, guint64 *max)
{
  double low = G_MAXDOUBLE;
  double high = -G_MAXDOUBLE;

  for (guint32 i = 0; i < count; i++)
    {
      double value;

      memcpy (&value, &values[i], sizeof value);
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  memcpy (min, &low, sizeof low);
  memcpy (max, &high, sizeof high);
}

static gboolean
is_signed (WeftStoreType type)
{
  return type == WEFT_STORE_TYPE_I64 || type == WEFT_STORE_TYPE_TIME;
}

/* Candidates */

/* From each of COUNT values to the one after it. */
WEFT_HOT static void
take_deltas (const guint64 *restrict values, guint32 count, guint64 *restrict out)
{
  for (guint32 i = 0; i < count; i++)
    out[i] = values[i + 1] - values[i];
}

/* Differences to the row before on the same lane: to its start, or to its end; 0 for a lane's first
 * row. FIRSTS are those of the lanes' first rows, from one lane to the next.
 */
WEFT_HOT static void
take_lane_deltas (const WeftColumnSource *source, gboolean from_end, guint64 *restrict out,
                  guint64 *restrict firsts)
{
  const guint64 *restrict values = source->values;
  const guint64 *restrict durations = source->durations;
  guint64 previous = values[0];
  guint32 row = 0;

  for (guint32 run = 0; run < source->n_lane_runs; run++)
    {
      guint32 end = row + (guint32) source->lane_runs[run];

      out[row] = 0;
      firsts[run] = values[row] - previous;
      previous = values[row];
      if (from_end)
        for (guint32 i = row + 1; i < end; i++)
          out[i] = values[i] - values[i - 1] - durations[i - 1];
      else
        for (guint32 i = row + 1; i < end; i++)
          out[i] = values[i] - values[i - 1];
      row = end;
    }
}

static guint
slot_of (guint64 value)
{
  return (guint) ((value * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 54);
}

/* Replaces values by their place in WORDS; 0 if they are more than DICTIONARY. */
static guint
take_words (const guint64 *values, guint32 count, guint64 *words, guint64 *codes)
{
  gint16 slots[1024];
  guint n_words = 0;

  memset (slots, 0xff, sizeof slots);
  for (guint32 i = 0; i < count; i++)
    {
      guint slot = slot_of (values[i]);

      while (slots[slot] >= 0 && words[slots[slot]] != values[i])
        slot = (slot + 1) % G_N_ELEMENTS (slots);
      if (slots[slot] < 0)
        {
          if (n_words == DICTIONARY)
            return 0;
          slots[slot] = (gint16) n_words;
          words[n_words++] = values[i];
        }
      codes[i] = (guint64) slots[slot];
    }

  return n_words;
}

/* Encodings */

static void
put_two_streams (WeftColumnEncoder *self, const guint64 *first, guint32 n_first,
                 const guint64 *second, guint32 n_second, WeftPackedOrder order, GByteArray *out)
{
  guint64 n = n_first;

  g_byte_array_append (out, (const guint8 *) &n, sizeof n);
  weft_packed_encode (self->packer, first, n_first, WEFT_ORDER_UNSIGNED, out);
  weft_packed_encode (self->packer, second, n_second, order, out);
}

/* The first row from BEGIN on whose value is another one. */
WEFT_HOT static guint32
end_of_run (const guint64 *values, guint32 begin, guint32 count)
{
  guint64 value = values[begin];
  guint32 row = begin + 1;

  for (; row + RUN_STEP <= count; row += RUN_STEP)
    {
      guint64 other = 0;

      for (guint32 i = 0; i < RUN_STEP; i++)
        other |= values[row + i] ^ value;
      if (other != 0)
        break;
    }
  while (row < count && values[row] == value)
    row++;
  return row;
}

static void
put_runs (WeftColumnEncoder *self, const guint64 *values, guint32 count, GByteArray *out)
{
  guint32 n = 0;

  for (guint32 begin = 0, end; begin < count; begin = end)
    {
      end = end_of_run (values, begin, count);
      self->first[n] = end - begin;
      self->second[n++] = values[begin];
    }

  put_two_streams (self, self->first, n, self->second, n, WEFT_ORDER_UNSIGNED, out);
}

static gboolean
put_words (WeftColumnEncoder *self, const guint64 *values, guint32 count, guint64 estimate,
           GByteArray *out)
{
  guint64 words[DICTIONARY];
  guint64 n_words = 0;
  guint32 sample = MIN (count, 1024);

  if (estimate < count || estimate < 512)
    return FALSE;
  n_words = take_words (values, sample, words, self->first);
  if (n_words == 0 || n_words > MAX (sample / 4, 16))
    return FALSE;
  n_words = take_words (values, count, words, self->first);
  if (n_words == 0 || n_words * 8 + (guint64) count > estimate)
    return FALSE;

  g_byte_array_append (out, (const guint8 *) &n_words, sizeof n_words);
  g_byte_array_append (out, (const guint8 *) words, (guint) n_words * 8);
  weft_packed_encode (self->packer, self->first, count, WEFT_ORDER_UNSIGNED, out);
  return TRUE;
}

/* Of every sixteenth block, what the rows' distance to the last, or to its end, takes. */
static guint64
estimate_deltas (const guint64 *values, const guint64 *durations, guint32 count)
{
  guint64 sample[WEFT_PACKED_BLOCK];
  guint64 size = 0;
  guint32 n_sampled = 0;

  for (guint32 first = 1; first < count; first += 16 * WEFT_PACKED_BLOCK)
    {
      guint32 n = MIN (count - first, WEFT_PACKED_BLOCK);

      take_deltas (values + first - 1, n, sample);
      if (durations != NULL)
        for (guint32 i = 0; i < n; i++)
          sample[i] -= durations[first + i - 1];
      size += weft_packed_estimate (sample, n, WEFT_ORDER_SIGNED);
      n_sampled += n;
    }
  return n_sampled == 0 ? 0 : size * count / n_sampled;
}

static void
put_lanes (WeftColumnEncoder *self, const WeftColumnSource *source, GByteArray *out,
           WeftStreamEntry *entry)
{
  gboolean gaps = source->durations != NULL &&
                  estimate_deltas (source->values, source->durations, source->count) <
                      estimate_deltas (source->values, NULL, source->count);

  entry->base = source->values[0];
  entry->encoding = gaps ? WEFT_ENCODING_LANE_GAP : WEFT_ENCODING_LANE_DELTA;
  entry->partner = gaps ? source->duration_id : 0;
  take_lane_deltas (source, gaps, self->first, self->second);
  put_two_streams (self, source->lane_runs, source->n_lane_runs, self->second, source->n_lane_runs,
                   WEFT_ORDER_SIGNED, out);
  weft_packed_encode (self->packer, self->first, source->count, WEFT_ORDER_SIGNED, out);
}

static void
put_packed (WeftColumnEncoder *self, const guint64 *values, const WeftColumnSource *source,
            GByteArray *out, WeftStreamEntry *entry)
{
  WeftPackedOrder order = is_signed (source->type) ? WEFT_ORDER_SIGNED : WEFT_ORDER_UNSIGNED;
  guint64 packed;

  if (source->lane_runs != NULL)
    {
      put_lanes (self, source, out, entry);
      return;
    }

  packed = weft_packed_estimate (values, source->count, order);
  entry->encoding = WEFT_ENCODING_DICTIONARY;
  if (put_words (self, values, source->count, packed, out))
    return;

  if (!source->ranged && estimate_deltas (values, NULL, source->count) < packed - packed / 16)
    {
      entry->encoding = WEFT_ENCODING_DELTA;
      entry->base = values[0];
      self->first[0] = 0;
      take_deltas (values, source->count - 1, self->first + 1);
      weft_packed_encode (self->packer, self->first, source->count, WEFT_ORDER_SIGNED, out);
      return;
    }

  entry->encoding = WEFT_ENCODING_PACKED;
  weft_packed_encode (self->packer, values, source->count, order, out);
}

static void
put_values (WeftColumnEncoder *self, const guint64 *values, const WeftColumnSource *source,
            const Survey *survey, GByteArray *out, WeftStreamEntry *entry)
{
  guint32 count = source->count;

  entry->base = values[0];
  if (survey->n_changes == 0)
    entry->encoding = WEFT_ENCODING_CONSTANT;
  else if (survey->no_sequence == 0)
    entry->encoding = WEFT_ENCODING_SEQUENCE;
  else if (source->lane_runs == NULL && !source->ranged && survey->n_changes < count / 16)
    {
      entry->encoding = WEFT_ENCODING_RUNS;
      put_runs (self, values, count, out);
    }
  else
    put_packed (self, values, source, out, entry);
}

/* Compression */

static gsize
compress (WeftColumnEncoder *self, const guint8 *data, gsize size)
{
  gsize bound = ZSTD_compressBound (size);
  gsize compressed;

  if (self->compressed->len < bound)
    g_byte_array_set_size (self->compressed, (guint) bound);
  compressed = ZSTD_compressCCtx (self->zstd, self->compressed->data, bound, data, size, 1);
  return ZSTD_isError (compressed) ? G_MAXSIZE : compressed;
}

static gboolean
pays (gsize compressed, gsize size)
{
  return compressed < size - size / 10 && compressed >= size / WEFT_MAX_RATIO + 1;
}

/* Streams of a kind are alike from one chunk to the next: where compressing never pays, not even
 * trying is worth a tenth of the time that a chunk takes.
 */
static gboolean
may_pay (WeftColumnEncoder *self, guint16 kind)
{
  guint8 *refusals = &self->refusals[kind];

  if (kind == 0 || *refusals < REFUSALS)
    return TRUE;
  if (++*refusals < REFUSALS + RETRY)
    return FALSE;
  *refusals = REFUSALS - 1;
  return TRUE;
}

static gboolean
compress_in_place (WeftColumnEncoder *self, guint8 *data, gsize size, gsize *stored)
{
  gsize probe = MIN (size, PROBE);
  gsize compressed;

  if (!pays (compress (self, data + (size - probe) / 2, probe), probe))
    return FALSE;
  compressed = compress (self, data, size);
  if (!pays (compressed, size))
    return FALSE;
  memcpy (data, self->compressed->data, compressed);
  *stored = compressed;
  return TRUE;
}

static void
finish (WeftColumnEncoder *self, gsize begin, gboolean may_compress, guint16 kind, GByteArray *out,
        WeftStreamEntry *entry)
{
  gsize size = out->len - begin;
  static const guint8 zeros[8];

  entry->raw_size = size;
  entry->stored_size = size;
  if (may_compress && size >= 128 && may_pay (self, kind))
    {
      if (compress_in_place (self, out->data + begin, size, &entry->stored_size))
        {
          entry->compression = WEFT_COMPRESSION_ZSTD;
          g_byte_array_set_size (out, (guint) (begin + entry->stored_size));
          self->refusals[kind] = 0;
        }
      else if (kind != 0)
        self->refusals[kind]++;
    }

  entry->crc = weft_crc32c (out->data + begin, entry->stored_size);
  if (entry->stored_size % 8 != 0)
    g_byte_array_append (out, zeros, 8 - entry->stored_size % 8);
}

/* Rows without a value repeat the one before, which costs the least. */
static gboolean
fill_holes (WeftColumnEncoder *self, const WeftColumnSource *source)
{
  guint64 last = 0;
  gboolean holes = FALSE;

  for (guint32 i = 0; i < source->count && last == 0; i++)
    if (source->presence[i / 64] >> (i % 64) & 1)
      last = source->values[i];
  for (guint32 i = 0; i < source->count; i++)
    {
      if (source->presence[i / 64] >> (i % 64) & 1)
        last = source->values[i];
      else
        holes = TRUE;
      self->filled[i] = last;
    }

  return holes;
}

void
weft_column_encoder_add (WeftColumnEncoder *self, const WeftColumnSource *source, GByteArray *out,
                         WeftStreamEntry *entry)
{
  const guint64 *values = source->values;
  gsize begin = out->len;
  Survey survey;

  memset (entry, 0, sizeof *entry);
  entry->id = source->id;
  entry->type = (guint8) source->type;
  entry->count = source->count;
  if (source->count == 0)
    return;

  make_room (self, source->count);
  if (source->presence != NULL && fill_holes (self, source))
    {
      entry->flags = WEFT_STREAM_PRESENCE;
      values = self->filled;
      g_byte_array_append (out, (const guint8 *) source->presence, (source->count + 63) / 64 * 8);
    }
  take_survey (values, source->count, is_signed (source->type) ? 0 : SIGN, &survey);
  if (source->type == WEFT_STORE_TYPE_F64)
    find_zone_double (values, source->count, &survey.min, &survey.max);
  entry->min = survey.min;
  entry->max = survey.max;
  put_values (self, values, source, &survey, out, entry);
  finish (self, begin, !source->ranged, source->kind, out, entry);
}

void
weft_column_encoder_add_bytes (WeftColumnEncoder *self, guint16 id, const void *data, gsize size,
                               guint32 count, GByteArray *out, WeftStreamEntry *entry)
{
  gsize begin = out->len;

  memset (entry, 0, sizeof *entry);
  entry->id = id;
  entry->encoding = WEFT_ENCODING_BYTES;
  entry->count = count;
  g_byte_array_append (out, data, (guint) size);
  finish (self, begin, TRUE, 0, out, entry);
}
