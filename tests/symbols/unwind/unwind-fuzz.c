/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with damaged headers, sections and tables, and stacks and registers without sense: whatever
 * they are, unwinding ends, within its bounds, and stays within memory.
 */

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "weft-unwind-table.h"
#include "weft-unwinder.h"

#define STACK 4096
#define CODE G_GUINT64_CONSTANT (0x10000000)

typedef struct
{
  guint8 *whole; /* of the file */
  gsize size;
  gsize frames; /* where .eh_frame is */
  gsize frames_size;
  gsize index;
  gsize index_size;
} Original;

static void
original_init (Original *self, const char *path)
{
  int descriptor;
  g_autoptr (WeftElfImage) image = NULL;
  WeftElfFrames frames;
  FILE *file = fopen (path, "rb");

  g_assert_nonnull (file);
  descriptor = fileno (file);
  image = weft_elf_image_new (descriptor);
  g_assert_nonnull (image);
  g_assert_true (weft_elf_image_find_frames (image, descriptor, &frames));
  self->size = weft_elf_image_get_size (image);
  self->whole = weft_elf_image_read (image, descriptor, 0, self->size);
  self->frames = frames.offset;
  self->frames_size = frames.size;
  self->index = frames.index_offset;
  self->index_size = frames.index_size;
  fclose (file);
}

static guint8
strange_byte (void)
{
  static const guint8 bytes[] = {
    0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x0a, 0x0b, 0x0f, 0x10, 0x16, 0x40
  };

  return g_test_rand_bit () ? bytes[g_test_rand_int_range (0, G_N_ELEMENTS (bytes))]
                            : (guint8) g_test_rand_int ();
}

static void
damage (guint8 *bytes, gsize begin, gsize size, guint n)
{
  for (guint i = 0; i < n && size > 0; i++)
    {
      gsize at = begin + (guint) g_test_rand_int () % size;

      if (g_test_rand_int_range (0, 4) == 0)
        bytes[at] ^= (guint8) (1u << g_test_rand_int_range (0, 8));
      else
        bytes[at] = strange_byte ();
    }
}

/* A file like ORIGINAL, damaged here and there, and maybe cut. */
static int
make_damaged (const Original *original, guint round)
{
  g_autofree guint8 *bytes = g_memdup2 (original->whole, original->size);
  gsize size = original->size;
  int descriptor = memfd_create ("damaged", MFD_CLOEXEC);

  if (round % 5 == 0)
    damage (bytes, 0, 64 + 13 * 56, 1 + round % 7);
  if (round % 2 == 0)
    damage (bytes, original->index, original->index_size, 1 + round % 50);
  if (round % 3 != 0)
    damage (bytes, original->frames, original->frames_size, 1 + round % 2000);
  if (round % 11 == 0)
    damage (bytes, 0, size, 1000);
  if (round % 13 == 0)
    size = (guint) g_test_rand_int () % size;
  g_assert_cmpint (descriptor, >=, 0);
  g_assert_cmpint (write (descriptor, bytes, size), ==, (gssize) size);
  return descriptor;
}

static void
count_rows (const WeftUnwindFde *fde, const WeftUnwindCie *cie, guint64 begin, guint64 end,
            const WeftUnwindRow *row, gpointer data)
{
  g_assert_cmphex (begin, >=, fde->begin);
  g_assert_cmphex (end, <=, fde->end);
  ++*(guint64 *) data;
}

static void
check_table (int descriptor)
{
  g_autoptr (WeftElfImage) image = weft_elf_image_new (descriptor);
  WeftUnwindTable *table = image != NULL ? weft_unwind_table_new (image, descriptor) : NULL;
  WeftUnwindTableSize size;
  guint64 rows = 0;
  guint64 begin, end;

  if (table == NULL)
    return;
  weft_unwind_table_foreach (table, count_rows, &rows);
  if (weft_elf_image_get_code (image, &begin, &end))
    for (guint i = 0; i < 500; i++)
      weft_unwind_table_lookup (table, begin + g_test_rand_int () % MIN (end - begin, 1 << 22));
  weft_unwind_table_get_size (table, &size);
  g_assert_cmpuint (size.n_rules, <=, 65536);
  weft_unwind_table_free (table);
}

static gsize
read_nonsense (guint64 address, void *buffer, gsize length, gpointer data)
{
  guint64 *words = buffer;

  /* The end of the copy still agrees in one of two cases. */
  for (gsize i = 0; i < length / 8; i++)
    words[i] = CODE + g_test_rand_int () % (1 << 20);
  if (data != NULL && length >= 512)
    memcpy (buffer, (guint8 *) data + STACK - 512, 512);
  return g_test_rand_bit () ? length : length / 3;
}

static void
fill_nonsense (guint8 *bytes, guint64 address)
{
  for (guint i = 0; i < STACK; i += 8)
    {
      guint kind = g_test_rand_int_range (0, 4);
      guint64 word = kind == 0   ? CODE + g_test_rand_int () % (1 << 20)
                     : kind == 1 ? address + (guint) g_test_rand_int_range (0, STACK)
                     : kind == 2 ? (guint64) g_test_rand_int () << g_test_rand_int_range (0, 33)
                                 : 0;

      memcpy (bytes + i, &word, sizeof word);
    }
}

static void
check_stacks (int descriptor)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  WeftModuleSet *modules = weft_module_set_new ();
  WeftAddressSpace *space = weft_address_space_new ();
  WeftCodeModule *module = weft_module_set_get (modules, &(WeftModuleFile){ .path = path });
  g_autofree WeftCodeFrame *frames = g_new (WeftCodeFrame, WEFT_UNWIND_MAX_FRAMES + 8);
  g_autofree guint8 *bytes = g_malloc (STACK);

  weft_address_space_map (space, CODE, 1 << 20, 0, module);
  weft_address_space_map (space, CODE + (1 << 20), 4096, 0,
                          weft_module_set_get_jit (modules, 1, 1));
  for (guint i = 0; i < 60; i++)
    {
      WeftRegisters registers = { .pc = CODE + g_test_rand_int () % (1 << 20) };
      WeftStackCopy stack = { .bytes = bytes, .length = g_test_rand_int_range (0, STACK + 1) };
      WeftStackEnd end = WEFT_STACK_END_NOT_UNWOUND;
      guint n;

      stack.address = g_test_rand_int_range (0, 8) == 0 ? (guint64) -g_test_rand_int_range (0, 5000)
                                                        : (guint64) g_test_rand_int () << 12;
      registers.sp = stack.address + (guint) g_test_rand_int_range (0, 64);
      fill_nonsense (bytes, stack.address);
      for (guint r = 0; r < G_N_ELEMENTS (registers.values); r++)
        registers.values[r] = stack.address + (guint64) g_test_rand_int_range (-200, STACK);
      registers.known = g_test_rand_bit () ? 0 : (guint64) g_test_rand_int () << 8 | 1;
      stack.more = i % 3 == 0 ? read_nonsense : NULL;
      stack.data = i % 2 == 0 ? bytes : NULL;
      n = weft_unwind (space, &registers, &stack, frames, 2000, &end, NULL);
      g_assert_cmpuint (n, >=, 1);
      g_assert_cmpuint (n, <=, WEFT_UNWIND_MAX_FRAMES);
      g_assert_cmpuint (end, >=, WEFT_STACK_END_COMPLETE);
      g_assert_cmpuint (end, <=, WEFT_STACK_END_DEPTH);
    }
  weft_address_space_free (space);
  weft_module_set_free (modules);
}

/* At least so many rounds, and for as long as WEFT_FUZZ_SECONDS says. */
static gboolean
goes_on (guint round, guint n_rounds, gint64 start)
{
  const char *seconds = g_getenv ("WEFT_FUZZ_SECONDS");

  return round < n_rounds ||
         (seconds != NULL &&
          g_get_monotonic_time () - start < g_ascii_strtoll (seconds, NULL, 10) * G_USEC_PER_SEC);
}

static void
test_damaged (gconstpointer path)
{
  Original original;
  gint64 start = g_get_monotonic_time ();
  struct rusage usage;
  guint round;

  original_init (&original, path);
  for (round = 0; goes_on (round, 400, start); round++)
    {
      int descriptor = make_damaged (&original, round);

      check_table (descriptor);
      check_stacks (descriptor);
      close (descriptor);
    }
  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  g_test_message ("%u files, at most %ld KiB of memory", round, usage.ru_maxrss);
  g_free (original.whole);
}

static gboolean
take_any (guint64 begin, guint64 end, const WeftUnwindRow *row, gpointer data)
{
  g_assert_cmphex (begin, <, end);
  return ++*(guint64 *) data < 100;
}

/* Nothing but noise, framed as entries. */
static void
test_noise (void)
{
  gint64 start = g_get_monotonic_time ();

  for (guint round = 0; goes_on (round, 5000, start); round++)
    {
      guint8 bytes[256];
      WeftUnwindSection section = { bytes, sizeof bytes, 0x1000, round % 2 == 0 };
      WeftUnwindCie cie;
      gsize next;

      for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = strange_byte ();
      for (gsize offset = 0; offset < sizeof bytes; offset = next)
        {
          WeftUnwindFde fde;
          guint64 rows = 0;
          gsize where;

          if (offset + 4 <= sizeof bytes)
            bytes[offset] = 60, bytes[offset + 1] = bytes[offset + 2] = bytes[offset + 3] = 0;
          weft_unwind_section_next (&section, offset, &next);
          g_assert_cmpuint (next, >, offset);
          weft_unwind_section_read_cie (&section, offset, &cie);
          if (weft_unwind_section_find_cie (&section, offset, &where) &&
              weft_unwind_section_read_fde (&section, offset, &cie, &fde))
            weft_unwind_section_run (&section, &cie, &fde, take_any, &rows);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/unwind-fuzz/program", g_getenv ("WEFT_TEST_SHAPES"), test_damaged);
  g_test_add_data_func ("/unwind-fuzz/library", g_getenv ("WEFT_TEST_LIBRARY"), test_damaged);
  g_test_add_func ("/unwind-fuzz/noise", test_noise);
  return g_test_run ();
}
