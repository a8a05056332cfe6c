/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-crc32c.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u
#define STRIPE 1024 /* bytes of each of the three interleaved parts */

static guint32 bytes[256];
/* Tables that move a CRC over STRIPE zero bytes, one per byte of the CRC. */
static guint32 shifts[4][256];

static guint32
crc_by_bytes (guint32 crc, const guint8 *data, gsize size)
{
  for (gsize i = 0; i < size; i++)
    crc = (crc >> 8) ^ bytes[(crc ^ data[i]) & 0xff];
  return crc;
}

static void
fill_tables (void)
{
  static const guint8 zeros[STRIPE];

  for (guint i = 0; i < 256; i++)
    {
      guint32 crc = i;

      for (guint bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
      bytes[i] = crc;
    }

  /* What a byte does is the sum of what its bits do. */
  for (guint place = 0; place < 4; place++)
    for (guint i = 1; i < 256; i++)
      if ((i & (i - 1)) == 0)
        shifts[place][i] = crc_by_bytes (i << (8 * place), zeros, STRIPE);
      else
        shifts[place][i] = shifts[place][i & (i - 1)] ^ shifts[place][i & -i];
}

static void
ensure_tables (void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once (&once, fill_tables);
}

#if defined(__x86_64__)

static inline guint32
shift_stripe (guint32 crc)
{
  return shifts[0][crc & 0xff] ^ shifts[1][(crc >> 8) & 0xff] ^ shifts[2][(crc >> 16) & 0xff] ^
         shifts[3][crc >> 24];
}

static inline guint64
load (const guint8 *data)
{
  guint64 word;

  memcpy (&word, data, 8);
  return word;
}

/* The instruction takes three cycles but one can begin in each: three stripes at once. */
__attribute__ ((target ("sse4.2"))) static guint32
crc_by_instruction (guint32 crc, const guint8 *data, gsize size)
{
  for (; size >= 3 * STRIPE; data += 3 * STRIPE, size -= 3 * STRIPE)
    {
      guint64 a = crc, b = 0, c = 0;

      for (guint i = 0; i < STRIPE; i += 8)
        {
          a = __builtin_ia32_crc32di (a, load (data + i));
          b = __builtin_ia32_crc32di (b, load (data + STRIPE + i));
          c = __builtin_ia32_crc32di (c, load (data + 2 * STRIPE + i));
        }
      crc = shift_stripe (shift_stripe ((guint32) a) ^ (guint32) b) ^ (guint32) c;
    }

  for (; size >= 8; data += 8, size -= 8)
    crc = (guint32) __builtin_ia32_crc32di (crc, load (data));
  for (; size > 0; data++, size--)
    crc = __builtin_ia32_crc32qi (crc, *data);

  return crc;
}

#endif

guint32
weft_crc32c (const void *data, gsize size)
{
  ensure_tables ();

#if defined(__x86_64__)
  if (__builtin_cpu_supports ("sse4.2"))
    return ~crc_by_instruction (~0u, data, size);
#endif

  return ~crc_by_bytes (~0u, data, size);
}
