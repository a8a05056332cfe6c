/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Metal libraries that were cut or altered: each is read or refused with a message, and nothing
 * else happens. Run under the sanitizers, this is the proof that the reader keeps within its file.
 *
 *   metal-library-fuzz LIBRARY [ROUNDS]
 */

#include <stdlib.h>
#include <string.h>

#include "weft-metal-archive.h"
#include "weft-metal-bitcode.h"
#include "weft-metal-library.h"

#define ROUNDS 3000

static guint8 *data;
static gsize size;
static guint rounds = ROUNDS;

/* In a block of its own size, so that a byte too many is noticed. Whether it was read. */
static gboolean
try_library (const guint8 *bytes, gsize length)
{
  g_autoptr (GBytes) file = g_bytes_new (bytes, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftMetalLibrary) library = weft_metal_library_read (file, &error);

  if (library != NULL)
    {
      g_assert_no_error (error);
      return TRUE;
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpuint (strlen (error->message), >, 20);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  return FALSE;
}

static void
put_number (guint8 *bytes, guint64 number, guint width)
{
  for (guint i = 0; i < width; i++)
    bytes[i] = (guint8) (number >> (8 * i));
}

static void
test_whole (void)
{
  g_assert_true (try_library (data, size));
}

/* Each length there is: as it is, and with a header that says so. */
static void
test_cuts (void)
{
  const gsize step = MAX (size / 8192, 1);
  g_autofree guint8 *cut = g_memdup2 (data, size);

  for (gsize length = 0; length < size; length += step)
    {
      g_assert_false (try_library (data, length));
      if (length < 24)
        continue;
      put_number (cut + 16, length, 8);
      try_library (cut, length);
    }
}

/* What a number may be that was chosen to harm. */
static guint64
choose_number (GRand *rand)
{
  static const guint64 numbers[] = {
    0,           1,          G_MAXUINT8,  G_MAXUINT16,      G_MAXINT32,
    G_MAXUINT32, G_MAXINT64, G_MAXUINT64, G_MAXUINT64 - 88, G_GUINT64_CONSTANT (1) << 63
  };

  return numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))];
}

static void
alter (GRand *rand, guint8 *bytes, gsize length)
{
  const gint n = g_rand_int_range (rand, 1, 6);

  for (gint i = 0; i < n; i++)
    {
      gsize at = (gsize) g_rand_int_range (rand, 0, (gint) length);
      guint width = 1u << g_rand_int_range (rand, 0, 4);

      if (g_rand_boolean (rand))
        bytes[at] ^= (guint8) (1u << g_rand_int_range (rand, 0, 8));
      else if (at + width <= length)
        put_number (bytes + at, choose_number (rand), width);
    }
}

static void
test_corruptions (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (26);
  guint n_read = 0;

  for (guint i = 0; i < rounds; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, size);

      alter (rand, copy, size);
      n_read += try_library (copy, size);
    }
  g_test_message ("%u of %u altered libraries could be read", n_read, rounds);
  g_assert_cmpuint (n_read, <, rounds);
}

/* ---- Bitcode by itself ---- */

/* The first in the library. */
static const guint8 *
find_bitcode (gsize *length)
{
  for (gsize at = 0; at + 20 < size; at++)
    if (memcmp (data + at, "\xde\xc0\x17\x0b", 4) == 0)
      {
        guint32 offset, inner;

        memcpy (&offset, data + at + 8, 4);
        memcpy (&inner, data + at + 12, 4);
        *length = GUINT32_FROM_LE (offset) + GUINT32_FROM_LE (inner);
        g_assert_cmpuint (at + *length, <=, size);
        return data + at;
      }
  g_assert_not_reached ();
}

static void
try_bitcode (const guint8 *bytes, gsize length)
{
  g_autofree guint8 *copy = g_memdup2 (bytes, length);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftMetalModule) module = weft_metal_module_read (copy, length, "shade", &error);

  if (module == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
}

static void
test_bitcode_cuts (void)
{
  gsize length;
  const guint8 *code = find_bitcode (&length);
  g_autofree guint8 *copy = g_memdup2 (code, length);

  for (gsize cut = 0; cut < length; cut++)
    {
      try_bitcode (code, cut);
      if (cut < 20)
        continue;
      put_number (copy + 12, cut - 20, 4);
      try_bitcode (copy, cut);
    }
}

/* Every bit of a stream whose meaning hangs on the bits before. */
static void
test_bitcode_bits (void)
{
  gsize length;
  const guint8 *code = find_bitcode (&length);
  g_autofree guint8 *copy = g_memdup2 (code, length);

  for (gsize bit = 0; bit < length * 8; bit++)
    {
      copy[bit / 8] ^= (guint8) (1u << (bit % 8));
      try_bitcode (copy, length);
      copy[bit / 8] ^= (guint8) (1u << (bit % 8));
    }
}

/* A few bits that stand for billions of operands, or for endless nesting. */
static void
test_bitcode_bombs (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (27);

  for (guint i = 0; i < rounds; i++)
    {
      guint8 bytes[512];

      memcpy (bytes, "BC\xc0\xde", 4);
      for (guint k = 4; k < sizeof bytes; k++)
        bytes[k] = (guint8) g_rand_int_range (rand, 0, 256);
      /* Many begin a block that is as long as all. */
      if (i % 2 == 0)
        put_number (bytes + 8, (sizeof bytes - 12) / 4, 4);
      if (i % 2 == 0)
        put_number (bytes + 4, 0x0c21, 4);
      try_bitcode (bytes, sizeof bytes);
    }
}

/* ---- Archives ---- */

static void
test_archives (void)
{
  const guint8 *found = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (28);
  gsize length;

  for (gsize at = 0; at + 4 < size && found == NULL; at++)
    if (memcmp (data + at, "BZh9", 4) == 0)
      found = data + at;
  g_assert_nonnull (found);
  length = MIN (size - (gsize) (found - data), 4096);
  for (guint i = 0; i < rounds; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (found, length);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) files = NULL;

      alter (rand, copy, length);
      files = weft_metal_archive_read (copy, length, 1 << 20, &error);
      if (files == NULL)
        g_assert_nonnull (error);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *contents = NULL;

  g_test_init (&argc, &argv, NULL);
  if (argc < 2 || !g_file_get_contents (argv[1], &contents, &size, NULL))
    {
      g_printerr ("%s LIBRARY [ROUNDS]\n", argv[0]);
      return EXIT_FAILURE;
    }
  data = (guint8 *) contents;
  if (argc > 2)
    rounds = (guint) strtoul (argv[2], NULL, 10);
  g_test_add_func ("/metal/library/whole", test_whole);
  g_test_add_func ("/metal/library/cuts", test_cuts);
  g_test_add_func ("/metal/library/corruptions", test_corruptions);
  g_test_add_func ("/metal/bitcode/cuts", test_bitcode_cuts);
  g_test_add_func ("/metal/bitcode/bits", test_bitcode_bits);
  g_test_add_func ("/metal/bitcode/bombs", test_bitcode_bombs);
  g_test_add_func ("/metal/archive/corruptions", test_archives);
  return g_test_run ();
}
