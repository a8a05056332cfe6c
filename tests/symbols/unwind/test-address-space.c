/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <unistd.h>

#include "weft-address-space.h"

typedef struct
{
  WeftModuleSet *modules;
  WeftAddressSpace *space;
  WeftCodeModule *a;
  WeftCodeModule *b;
} Rig;

static Rig
rig_new (void)
{
  Rig rig = { weft_module_set_new (), weft_address_space_new (), NULL, NULL };

  /* Files that are not there: their offsets are those in the file. */
  rig.a = weft_module_set_get (rig.modules, &(WeftModuleFile){ .path = "/nowhere/a", .inode = 1 });
  rig.b = weft_module_set_get (rig.modules, &(WeftModuleFile){ .path = "/nowhere/b", .inode = 2 });
  g_assert_true (rig.a != rig.b);
  return rig;
}

static void
rig_clear (Rig *rig)
{
  weft_address_space_free (rig->space);
  weft_module_set_free (rig->modules);
}

static void
assert_at (WeftAddressSpace *space, guint64 address, WeftCodeModule *module, guint64 offset)
{
  WeftCodeFrame frame = { .flags = 77 };
  gboolean found = weft_address_space_locate (space, address, &frame);

  g_assert_true (found == (module != NULL));
  g_assert_true (found == weft_address_space_contains (space, address));
  g_assert_true (frame.module == module);
  g_assert_cmphex (frame.offset, ==, offset);
  g_assert_cmphex (frame.address, ==, address);
  g_assert_cmpuint (frame.flags, ==, 0);
}

static void
test_overlaps (void)
{
  Rig rig = rig_new ();

  weft_address_space_map (rig.space, 0x1000, 0x9000, 0, rig.a);
  assert_at (rig.space, 0xfff, NULL, 0xfff);
  assert_at (rig.space, 0x1000, rig.a, 0);
  assert_at (rig.space, 0x9fff, rig.a, 0x8fff);
  assert_at (rig.space, 0xa000, NULL, 0xa000);

  /* In the middle: what was there goes on behind it. */
  weft_address_space_map (rig.space, 0x3000, 0x1000, 0x500, rig.b);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), ==, 3);
  assert_at (rig.space, 0x2fff, rig.a, 0x1fff);
  assert_at (rig.space, 0x3001, rig.b, 0x501);
  assert_at (rig.space, 0x4000, rig.a, 0x3000);

  /* Over its end, and over all of it. */
  weft_address_space_map (rig.space, 0x9000, 0x2000, 0, rig.b);
  assert_at (rig.space, 0x8fff, rig.a, 0x7fff);
  assert_at (rig.space, 0xafff, rig.b, 0x1fff);
  weft_address_space_map (rig.space, 0x800, 0x20000, 0, rig.b);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), ==, 1);
  assert_at (rig.space, 0x4000, rig.b, 0x3800);

  weft_address_space_unmap (rig.space, 0x2000, 0x1000);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), ==, 2);
  assert_at (rig.space, 0x2800, NULL, 0x2800);
  weft_address_space_unmap (rig.space, 0, G_MAXUINT64);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), ==, 0);

  /* No length, and beyond the end of all addresses. */
  weft_address_space_map (rig.space, 0x1000, 0, 0, rig.a);
  weft_address_space_map (rig.space, G_MAXUINT64 - 10, 100, 0, rig.a);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), ==, 0);
  rig_clear (&rig);
}

/* At random beside a table of bytes. */
static void
test_random (void)
{
  Rig rig = rig_new ();
  WeftCodeModule *expected[512] = { NULL };

  for (guint round = 0; round < 20000; round++)
    {
      guint at = g_test_rand_int_range (0, 500);
      guint length = g_test_rand_int_range (1, 512 - at + 1);
      WeftCodeModule *module = g_test_rand_bit () ? rig.a : rig.b;

      if (length > 20 && round % 64 != 0)
        length = length % 20 + 1;
      if (round % 3 == 0)
        {
          weft_address_space_unmap (rig.space, at, length);
          module = NULL;
        }
      else
        weft_address_space_map (rig.space, at, length, at, module);
      for (guint i = at; i < at + length && i < 512; i++)
        expected[i] = module;
      for (guint i = 0; i < 8; i++)
        {
          guint address = g_test_rand_int_range (0, 512);

          assert_at (rig.space, address, expected[address], address);
        }
    }
  rig_clear (&rig);
}

/* A fork has its parent's mappings, and neither sees what the other maps afterwards. */
static void
test_fork_and_exec (void)
{
  Rig rig = rig_new ();
  WeftAddressSpace *child;

  weft_address_space_map (rig.space, 0x1000, 0x1000, 0, rig.a);
  child = weft_address_space_copy (rig.space);
  assert_at (child, 0x1000, rig.a, 0);
  weft_address_space_map (rig.space, 0x5000, 0x1000, 0, rig.b);
  assert_at (child, 0x5000, NULL, 0x5000);
  weft_address_space_map (child, 0x1800, 0x100, 0, rig.b);
  assert_at (rig.space, 0x1800, rig.a, 0x800);

  weft_address_space_clear (child);
  assert_at (child, 0x1000, NULL, 0x1000);
  assert_at (rig.space, 0x1000, rig.a, 0);
  weft_address_space_free (child);
  rig_clear (&rig);
}

typedef struct
{
  guint n;
  guint64 length;
} Told;

static void
tell (guint64 address, guint64 length, guint64 file_offset, WeftCodeModule *module, gpointer data)
{
  Told *told = data;

  told->n++;
  told->length += length;
}

static void
parse (Rig *rig, const char *text, Told *told)
{
  *told = (Told){ 0 };
  weft_address_space_parse (rig->space, rig->modules, 0, text, strlen (text), tell, told);
}

/* As the kernel writes them, and as somebody could wish that it did. */
static void
test_hostile_maps (void)
{
  Rig rig = rig_new ();
  Told told;
  WeftCodeFrame frame;

  parse (&rig,
         "00001000-00002000 r-xp 00000500 08:01 77   /a name\\012with spaces and (deleted)\n"
         "00002000-00003000 rw-p 00000000 08:01 77   /not code\n"
         "00003000-00004000 r-xp 00000000 00:00 0 \n"
         "00005000-00006000 --xp 00000000 08:01 78 /gone (deleted)\n",
         &told);
  g_assert_cmpuint (told.n, ==, 3);
  g_assert_true (weft_address_space_locate (rig.space, 0x1010, &frame));
  g_assert_cmpstr (weft_code_module_get_path (frame.module), ==, "/a name\nwith spaces and");
  g_assert_cmphex (frame.offset, ==, 0x510);
  g_assert_false (weft_address_space_contains (rig.space, 0x2000));
  g_assert_true (weft_address_space_locate (rig.space, 0x3004, &frame));
  g_assert_cmpint (weft_code_module_get_kind (frame.module), ==, WEFT_MODULE_KIND_JIT);
  g_assert_cmphex (frame.offset, ==, 0x3004);
  g_assert_true (weft_address_space_locate (rig.space, 0x5004, &frame));
  g_assert_cmpstr (weft_code_module_get_path (frame.module), ==, "/gone");
  g_assert_false (weft_code_module_has_contents (frame.module));

  parse (
      &rig,
      "\n\n-\n1000\n1000-\n1000-2000\n1000-2000 \n1000-2000 r-x\n1000-2000 r-xp\n1000-2000 r-xp 0\n"
      "1000-2000 r-xp 0 8\n1000-2000 r-xp 0 8:1\n2000-1000 r-xp 0 8:1 5 /x\nzz-yy r-xp 0 8:1 5 /x\n"
      "fffffffffffff000-ffffffffffffffff r-xp 0 8:1 5 /x\n 1000-2000 r-xp 0 8:1 5 /x\n"
      "99999999999999999999999-999999999999999999999999 r-xp 0 8:1 5 /x",
      &told);
  g_assert_cmpuint (told.n, ==, 1);
  rig_clear (&rig);
}

static void
test_garbled_maps (void)
{
  Rig rig = rig_new ();
  static const char text[] = "55d0c0a00000-55d0c0a21000 r-xp 00001000 fd:01 1234 /usr/bin/thing\n";
  Told told;

  for (guint round = 0; round < 20000; round++)
    {
      char garbled[sizeof text];

      memcpy (garbled, text, sizeof text);
      for (guint i = 0; i < 1 + round % 4; i++)
        garbled[g_test_rand_int_range (0, sizeof text - 1)] = (char) g_test_rand_int_range (1, 128);
      told = (Told){ 0 };
      weft_address_space_parse (rig.space, rig.modules, 0, garbled, sizeof text - 1, tell, &told);
      g_assert_cmpuint (told.n, <=, 2);
    }
  rig_clear (&rig);
}

static void
test_own_maps (void)
{
  Rig rig = rig_new ();
  Told told = { 0 };
  WeftCodeFrame frame;

  g_assert_true (weft_address_space_read (rig.space, rig.modules, getpid (), tell, &told));
  g_assert_cmpuint (told.n, >=, 3);
  g_assert_cmpuint (weft_address_space_get_n_mappings (rig.space), <=, told.n);
  g_assert_true (weft_address_space_locate (rig.space, (guint64) (gsize) test_own_maps, &frame));
  g_assert_true (weft_code_module_has_contents (frame.module));
  g_assert_nonnull (weft_code_module_get_build_id (frame.module));

  /* Nothing changes where there is nothing to read. */
  g_assert_false (weft_address_space_read (rig.space, rig.modules, G_MAXINT, NULL, NULL));
  g_assert_true (weft_address_space_contains (rig.space, (guint64) (gsize) test_own_maps));
  rig_clear (&rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address-space/overlaps", test_overlaps);
  g_test_add_func ("/address-space/random", test_random);
  g_test_add_func ("/address-space/fork-and-exec", test_fork_and_exec);
  g_test_add_func ("/address-space/hostile-maps", test_hostile_maps);
  g_test_add_func ("/address-space/garbled-maps", test_garbled_maps);
  g_test_add_func ("/address-space/own-maps", test_own_maps);
  return g_test_run ();
}
