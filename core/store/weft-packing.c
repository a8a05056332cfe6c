/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-packing.h"

#include <string.h>

#include "weft-store-format.h"

#define BLOCK WEFT_PACKED_BLOCK
#define STRIDE 8 /* values side by side: neighbours share a shift, so one instruction moves all */

typedef struct
{
  guint64 reference; /* smallest base */
  guint32 size;      /* of the stream */
  guint8 base_bytes;
  guint8 reserved[3];
} StreamHeader;

typedef struct
{
  guint64 base;
  guint8 width;
  guint8 n_exceptions;
  guint8 log_bytes; /* of an exception: 1 << log_bytes */
  gboolean is_narrow;
} Block;

typedef guint32 Words __attribute__ ((vector_size (STRIDE * sizeof (guint32))));

/* Of a block's numbers from its base. */
typedef struct
{
  guint32 narrow[BLOCK]; /* cut to 32 bits */
  guint64 wide[BLOCK];   /* if that does not suffice */
} Offsets;

struct _WeftPacker
{
  Block *blocks;
  guint8 *packed;
  guint8 *exceptions;
  guint room; /* in blocks */
};

static inline gsize
align8 (gsize size)
{
  return (size + 7) & ~(gsize) 7;
}

static inline guint
bit_length (guint64 value)
{
  return value == 0 ? 0 : 64 - __builtin_clzll (value);
}

static inline guint
log_bytes_for (guint bits)
{
  return bits <= 8 ? 0 : bits <= 16 ? 1 : bits <= 32 ? 2 : 3;
}

/* Of one half (low or high 32 bits) of a block of N values. */
static inline gsize
half_size (guint n, guint width)
{
  guint groups = (n + STRIDE - 1) / STRIDE;

  return (groups * width + 31) / 32 * (STRIDE * 4);
}

static inline gsize
block_size (guint n, guint width)
{
  return width <= 32 ? half_size (n, width) : half_size (n, 32) + half_size (n, width - 32);
}

/* Encoding */

static inline guint64
smallest (const guint64 *values, guint n, guint64 flip)
{
  gint64 min = G_MAXINT64;

  for (guint i = 0; i < n; i++)
    {
      gint64 value = (gint64) (values[i] ^ flip);

      min = value < min ? value : min;
    }
  return (guint64) min ^ flip;
}

/* A few negative differences (a change of lane) would widen all the others: exceptions instead. */
static inline guint64
choose_base (const guint64 *values, guint n, WeftPackedOrder order)
{
  guint64 min;
  guint64 min_positive = G_MAXUINT64;
  guint negative = 0;

  if (order == WEFT_ORDER_UNSIGNED)
    return smallest (values, n, G_GUINT64_CONSTANT (1) << 63);

  min = smallest (values, n, 0);
  if ((gint64) min >= 0)
    return min;
  for (guint i = 0; i < n; i++)
    {
      negative += (gint64) values[i] < 0;
      min_positive = MIN (min_positive, values[i]);
    }
  return negative <= n / 24 ? min_positive : min;
}

static inline guint
count_above (const guint64 *offsets, guint n, guint64 limit)
{
  guint64 above = 0;

  for (guint i = 0; i < n; i++)
    above += offsets[i] > limit;
  return (guint) above;
}

static inline guint
count_above_narrow (const guint32 *offsets, guint32 limit)
{
  guint32 above = 0;

  for (guint i = 0; i < BLOCK; i++)
    above += offsets[i] > limit;
  return above;
}

/* A few changes of lane are wider than 32 bits by far: what is between them and the others need not
 * be tried. One more than the width of the others, or FULL if those are not a few.
 */
static inline guint
first_width (const guint64 *offsets, guint n, guint full)
{
  guint64 all = 0;
  guint64 above = 0;

  for (guint i = 0; i < n; i++)
    {
      guint64 is_above = offsets[i] > G_MAXUINT32;

      all |= offsets[i] & (is_above - 1);
      above += is_above;
    }
  return above > n / 8 ? full : bit_length (all) + 1;
}

static inline gsize
choose_width (const Offsets *offsets, guint n, guint full, Block *block)
{
  gsize best = block_size (n, full);

  block->width = (guint8) full;
  block->n_exceptions = 0;
  block->log_bytes = 0;
  for (guint width = full <= 32 ? full : first_width (offsets->wide, n, full); width-- > 0;)
    {
      guint64 limit = (G_GUINT64_CONSTANT (1) << width) - 1;
      guint above = full <= 32 ? count_above_narrow (offsets->narrow, (guint32) limit)
                               : count_above (offsets->wide, n, limit);
      guint log_bytes = log_bytes_for (full - width);
      gsize size = block_size (n, width) + above * (1 + (gsize) (1 << log_bytes));

      if (above > n / 8 || above > 255)
        break;
      if (size < best)
        {
          best = size;
          block->width = (guint8) width;
          block->n_exceptions = (guint8) above;
          block->log_bytes = (guint8) log_bytes;
        }
    }

  return best;
}

/* Fills OFFSETS: the narrow ones if all fit 32 bits, else both. Beyond N they are 0. */
WEFT_HOT static gsize
plan_block (const guint64 *values, guint n, WeftPackedOrder order, Offsets *offsets, Block *block)
{
  guint64 base = choose_base (values, n, order);
  guint64 all = 0;

  for (guint i = 0; i < n; i++)
    {
      all |= values[i] - base;
      offsets->narrow[i] = (guint32) (values[i] - base);
    }
  if (n < BLOCK)
    memset (offsets->narrow + n, 0, (BLOCK - n) * sizeof offsets->narrow[0]);
  if (all > G_MAXUINT32)
    {
      for (guint i = 0; i < n; i++)
        offsets->wide[i] = values[i] - base;
      memset (offsets->wide + n, 0, (BLOCK - n) * sizeof offsets->wide[0]);
    }
  block->base = base;
  block->is_narrow = all <= G_MAXUINT32;
  return choose_width (offsets, n, bit_length (all), block);
}

/* Each of the STRIDE lanes is a stream of bits of its own. */
static inline void
pack_half (const guint32 *values, guint n, guint width, guint8 *out)
{
  Words mask = (Words){ 0 } + (width == 32 ? ~0u : (1u << width) - 1);
  Words word = { 0 };
  guint groups = (n + STRIDE - 1) / STRIDE;
  guint filled = 0;

  for (guint i = 0; i < groups; i++)
    {
      Words value;

      memcpy (&value, values + i * STRIDE, sizeof value);
      value &= mask;
      word |= value << filled;
      filled += width;
      if (filled < 32)
        continue;
      memcpy (out, &word, sizeof word);
      out += sizeof word;
      filled -= 32;
      word = filled == 0 ? (Words){ 0 } : value >> (width - filled);
    }
  if (filled > 0)
    memcpy (out, &word, sizeof word);
}

WEFT_HOT static void
pack_block (const Offsets *offsets, guint n, guint width, guint8 *out)
{
  guint32 high[BLOCK];

  if (width > 0)
    pack_half (offsets->narrow, n, MIN (width, 32), out);
  if (width <= 32)
    return;
  for (guint i = 0; i < BLOCK; i++)
    high[i] = (guint32) (offsets->wide[i] >> 32);
  pack_half (high, n, width - 32, out + half_size (n, 32));
}

static inline guint8 *
put_exception (guint place, guint64 high, guint bytes, guint8 **places, guint8 *highs)
{
  *(*places)++ = (guint8) place;
  memcpy (highs, &high, bytes);
  return highs + bytes;
}

static guint8 *
put_wide_exceptions (const guint64 *offsets, guint n, const Block *block, guint8 *out)
{
  guint bytes = 1u << block->log_bytes;
  guint8 *highs = out + block->n_exceptions;

  for (guint i = 0; i < n; i++)
    if (offsets[i] >> block->width != 0)
      highs = put_exception (i, offsets[i] >> block->width, bytes, &out, highs);
  return highs;
}

/* Most are none: eight at a time are passed over. */
WEFT_HOT static guint8 *
put_narrow_exceptions (const guint32 *offsets, const Block *block, guint8 *out)
{
  guint32 limit = (1u << block->width) - 1;
  guint bytes = 1u << block->log_bytes;
  guint8 *highs = out + block->n_exceptions;
  guint8 above[BLOCK];

  for (guint i = 0; i < BLOCK; i++)
    above[i] = offsets[i] > limit;
  for (guint i = 0; i < BLOCK; i += 8)
    {
      guint64 eight;

      for (memcpy (&eight, above + i, 8); eight != 0; eight &= eight - 1)
        {
          guint place = i + (guint) __builtin_ctzll (eight) / 8;

          highs = put_exception (place, offsets[place] >> block->width, bytes, &out, highs);
        }
    }
  return highs;
}

static guint
choose_base_bytes (const Block *blocks, guint n_blocks, WeftPackedOrder order, guint64 *reference)
{
  guint64 flip = order == WEFT_ORDER_SIGNED ? G_GUINT64_CONSTANT (1) << 63 : 0;
  guint64 low = G_MAXUINT64;
  guint64 high = 0;

  for (guint i = 0; i < n_blocks; i++)
    {
      low = MIN (low, blocks[i].base ^ flip);
      high = MAX (high, blocks[i].base ^ flip);
    }
  *reference = low ^ flip;
  return low >= high ? 0 : 1u << log_bytes_for (bit_length (high - low));
}

static guint8 *
put_headers (const Block *blocks, guint n_blocks, guint base_bytes, guint64 reference, guint8 *out)
{
  guint8 *bases = out + align8 (3 * (gsize) n_blocks);

  for (guint i = 0; i < n_blocks; i++)
    {
      guint64 base = blocks[i].base - reference;

      out[i] = blocks[i].width;
      out[n_blocks + i] = blocks[i].n_exceptions;
      out[2 * n_blocks + i] = blocks[i].log_bytes;
      memcpy (bases + (gsize) i * base_bytes, &base, base_bytes);
    }

  return bases + align8 ((gsize) n_blocks * base_bytes);
}

/* Packs all blocks to PACKED and their exceptions to EXCEPTIONS; both are moved to their ends. */
static void
put_blocks (const guint64 *values, guint32 count, WeftPackedOrder order, Block *blocks,
            guint8 **packed, guint8 **exceptions)
{
  Offsets offsets;

  for (guint32 i = 0, first = 0; first < count; i++, first += BLOCK)
    {
      guint n = MIN (count - first, BLOCK);
      Block *block = &blocks[i];

      plan_block (values + first, n, order, &offsets, block);
      pack_block (&offsets, n, block->width, *packed);
      *packed += block_size (n, block->width);
      if (block->n_exceptions > 0 && block->is_narrow)
        *exceptions = put_narrow_exceptions (offsets.narrow, block, *exceptions);
      else if (block->n_exceptions > 0)
        *exceptions = put_wide_exceptions (offsets.wide, n, block, *exceptions);
    }
}

WeftPacker *
weft_packer_new (void)
{
  return g_new0 (WeftPacker, 1);
}

void
weft_packer_free (WeftPacker *self)
{
  g_free (self->blocks);
  g_free (self->packed);
  g_free (self->exceptions);
  g_free (self);
}

static void
make_room (WeftPacker *self, guint n_blocks)
{
  if (n_blocks <= self->room)
    return;
  self->room = n_blocks;
  self->blocks = g_renew (Block, self->blocks, n_blocks);
  self->packed = g_realloc (self->packed, (gsize) n_blocks * BLOCK * 8);
  self->exceptions = g_realloc (self->exceptions, (gsize) n_blocks * BLOCK / 8 * 9);
}

void
weft_packed_encode (WeftPacker *self, const guint64 *values, guint32 count, WeftPackedOrder order,
                    GByteArray *out)
{
  guint n_blocks = (count + BLOCK - 1) / BLOCK;
  StreamHeader header = { 0 };
  guint8 *packed, *exceptions, *put;
  gsize begin = out->len;
  gsize head, size;

  make_room (self, n_blocks);
  packed = self->packed;
  exceptions = self->exceptions;
  put_blocks (values, count, order, self->blocks, &packed, &exceptions);

  header.base_bytes = (guint8) choose_base_bytes (self->blocks, n_blocks, order, &header.reference);
  head =
      sizeof header + align8 (3 * (gsize) n_blocks) + align8 ((gsize) n_blocks * header.base_bytes);
  size = head + (gsize) (packed - self->packed) + (gsize) (exceptions - self->exceptions);
  header.size = (guint32) align8 (size);
  g_byte_array_set_size (out, (guint) begin + header.size);

  put = out->data + begin;
  memset (put, 0, head);
  memset (put + size, 0, header.size - size);
  memcpy (put, &header, sizeof header);
  put = put_headers (self->blocks, n_blocks, header.base_bytes, header.reference,
                     put + sizeof header);
  if (n_blocks == 0)
    return;
  memcpy (put, self->packed, (gsize) (packed - self->packed));
  memcpy (put + (packed - self->packed), self->exceptions, (gsize) (exceptions - self->exceptions));
}

guint64
weft_packed_estimate (const guint64 *values, guint32 count, WeftPackedOrder order)
{
  guint64 size = 0;
  guint64 sampled = 0;
  Offsets offsets;
  Block block;

  for (guint32 first = 0; first < count; first += 16 * BLOCK)
    {
      guint n = MIN (count - first, BLOCK);

      size += plan_block (values + first, n, order, &offsets, &block);
      sampled += n;
    }

  return sampled == 0 ? 0 : size * count / sampled;
}

/* Decoding */

static inline void
unpack_half (const guint8 *in, guint n, guint width, guint32 *out)
{
  Words mask = (Words){ 0 } + (width == 32 ? ~0u : (1u << width) - 1);
  guint groups = (n + STRIDE - 1) / STRIDE;
  guint taken = 0;
  Words word;

  memcpy (&word, in, sizeof word);
  for (guint i = 0; i < groups; i++)
    {
      Words value = word >> taken;

      taken += width;
      if (taken >= 32)
        {
          taken -= 32;
          in += sizeof word;
          if (taken > 0 || i + 1 < groups)
            memcpy (&word, in, sizeof word);
          if (taken > 0)
            value |= word << (width - taken);
        }
      value &= mask;
      memcpy (out + i * STRIDE, &value, sizeof value);
    }
}

/* Arithmetic modulo the width of the result, which by its zone the result fits. */
WEFT_HOT static void
unpack_block (const guint8 *in, guint n, guint width, guint64 add, guint bytes, void *out)
{
  guint32 low[BLOCK];
  guint32 high[BLOCK];

  if (width == 0 || n < BLOCK)
    memset (low, 0, sizeof low);
  if (width > 0)
    unpack_half (in, n, MIN (width, 32), low);
  if (bytes == 1)
    for (guint i = 0; i < BLOCK; i++)
      ((guint8 *) out)[i] = (guint8) (low[i] + add);
  else if (bytes == 2)
    for (guint i = 0; i < BLOCK; i++)
      ((guint16 *) out)[i] = (guint16) (low[i] + add);
  else if (bytes == 4)
    for (guint i = 0; i < BLOCK; i++)
      ((guint32 *) out)[i] = low[i] + (guint32) add;
  else if (width <= 32)
    for (guint i = 0; i < BLOCK; i++)
      ((guint64 *) out)[i] = low[i] + add;
  else
    {
      memset (high, 0, sizeof high);
      unpack_half (in + half_size (n, 32), n, width - 32, high);
      for (guint i = 0; i < BLOCK; i++)
        ((guint64 *) out)[i] = (((guint64) high[i] << 32) | low[i]) + add;
    }
}

static inline void
patch (void *out, guint bytes, guint position, guint64 add)
{
  if (bytes == 1)
    ((guint8 *) out)[position] += (guint8) add;
  else if (bytes == 2)
    ((guint16 *) out)[position] += (guint16) add;
  else if (bytes == 4)
    ((guint32 *) out)[position] += (guint32) add;
  else
    ((guint64 *) out)[position] += add;
}

static void
patch_block (const guint8 *in, guint count, guint log_bytes, guint width, guint bytes, void *out)
{
  const guint8 *highs = in + count;

  for (guint i = 0; i < count; i++)
    {
      guint64 high = 0;

      memcpy (&high, highs + ((gsize) i << log_bytes), (gsize) 1 << log_bytes);
      patch (out, bytes, in[i], width >= 64 ? 0 : high << width);
    }
}

/* Checks that all parts lie within the stream, so that decoding need not. */
gboolean
weft_packed_open (WeftPackedCursor *self, const guint8 *data, gsize size, guint32 count)
{
  StreamHeader header;
  gsize blocks = 0;
  gsize exceptions = 0;
  gsize head;

  if (size < sizeof header)
    return FALSE;
  memcpy (&header, data, sizeof header);
  self->count = count;
  self->n_blocks = count / BLOCK + (count % BLOCK != 0);
  self->block = 0;
  head = sizeof header + align8 (3 * (gsize) self->n_blocks) +
         align8 ((gsize) self->n_blocks * header.base_bytes);
  if (header.base_bytes > 8 || header.size > size || head > header.size)
    return FALSE;

  self->reference = header.reference;
  self->size = header.size;
  self->base_bytes = header.base_bytes;
  self->widths = data + sizeof header;
  self->counts = self->widths + self->n_blocks;
  self->logs = self->counts + self->n_blocks;
  self->bases = self->widths + align8 (3 * (gsize) self->n_blocks);
  for (guint i = 0; i < self->n_blocks; i++)
    {
      if (self->widths[i] > 64 || self->logs[i] > 3)
        return FALSE;
      blocks += block_size (MIN (count - i * BLOCK, BLOCK), self->widths[i]);
      exceptions += (gsize) self->counts[i] * (1 + ((gsize) 1 << self->logs[i]));
    }
  self->in = data + head;
  self->exceptions = data + head + blocks;
  return head + blocks + exceptions <= header.size;
}

static inline void
next_block (WeftPackedCursor *self)
{
  guint i = self->block++;

  self->exceptions += (gsize) self->counts[i] * (1 + ((gsize) 1 << self->logs[i]));
  self->in += block_size (MIN (self->count - i * BLOCK, BLOCK), self->widths[i]);
}

void
weft_packed_take (WeftPackedCursor *self, guint n_blocks, guint64 base, guint width, void *out)
{
  guint8 *to = out;

  for (; n_blocks > 0 && self->block < self->n_blocks; n_blocks--)
    {
      guint i = self->block;
      guint64 add = 0;

      memcpy (&add, self->bases + (gsize) i * self->base_bytes, self->base_bytes);
      unpack_block (self->in, MIN (self->count - i * BLOCK, BLOCK), self->widths[i],
                    add + self->reference - base, width, to);
      if (self->counts[i] > 0)
        patch_block (self->exceptions, self->counts[i], self->logs[i], self->widths[i], width, to);
      to += (gsize) BLOCK * width;
      next_block (self);
    }
}

static void
packed_skip (WeftPackedCursor *self, guint n_blocks)
{
  for (; n_blocks > 0 && self->block < self->n_blocks; n_blocks--)
    next_block (self);
}

gboolean
weft_packed_decode (const guint8 *data, gsize size, guint32 count, guint64 base, guint width,
                    void *out, gsize *used)
{
  return weft_packed_decode_range (data, size, count, 0, count, base, width, out, used);
}

gboolean
weft_packed_decode_range (const guint8 *data, gsize size, guint32 count, guint32 begin, guint32 end,
                          guint64 base, guint width, void *out, gsize *used)
{
  WeftPackedCursor cursor;

  if (!weft_packed_open (&cursor, data, size, count))
    return FALSE;
  packed_skip (&cursor, begin / BLOCK);
  weft_packed_take (&cursor, (end + BLOCK - 1) / BLOCK - begin / BLOCK, base, width, out);
  if (used != NULL)
    *used = cursor.size;
  return TRUE;
}
