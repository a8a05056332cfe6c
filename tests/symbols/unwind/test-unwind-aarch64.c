/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks of AArch64, made by hand, by the rules of a file that a cross compiler made. */

#include <elf.h>
#include <string.h>

#include "weft-unwinder.h"

#define BASE G_GUINT64_CONSTANT (0x40000000)
#define STACK G_GUINT64_CONSTANT (0x7fff0000)
#define SIGNATURE G_GUINT64_CONSTANT (0x00a5000000000000)

typedef struct
{
  WeftModuleSet *modules;
  WeftAddressSpace *space;
  WeftCodeFrame frames[16];
  guint n;
  WeftStackEnd end;
} Rig;

static gboolean
rig_init (Rig *self)
{
  const char *path = g_getenv ("WEFT_TEST_FRAMES_AARCH64");
  WeftCodeModule *module;

  if (path == NULL || *path == '\0')
    {
      g_test_skip ("no aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)");
      return FALSE;
    }
  self->modules = weft_module_set_new ();
  self->space = weft_address_space_new ();
  module = weft_module_set_get (self->modules, &(WeftModuleFile){ .path = path });
  g_assert_cmpuint (weft_code_module_get_machine (module), ==, EM_AARCH64);
  weft_address_space_map (self->space, BASE + 0x10000, 0x1000, 0x10000, module);
  return TRUE;
}

static void
rig_clear (Rig *self)
{
  weft_address_space_free (self->space);
  weft_module_set_free (self->modules);
}

static void
unwind (Rig *self, guint64 pc, guint64 link, const guint64 *words, guint n_words)
{
  WeftRegisters registers = { .pc = BASE + pc, .sp = STACK };
  WeftStackCopy stack = { STACK, (const guint8 *) words, n_words * 8, NULL, NULL };

  registers.values[30] = link;
  self->n = weft_unwind (self->space, &registers, &stack, self->frames, 16, &self->end, NULL);
}

static void
check (Rig *self, guint n, const guint64 *offsets)
{
  g_assert_cmpint (self->end, ==, WEFT_STACK_END_COMPLETE);
  g_assert_cmpuint (self->n, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmphex (self->frames[i].address, ==, BASE + offsets[i]);
      g_assert_cmphex (self->frames[i].offset, ==, offsets[i]);
      g_assert_cmpuint (self->frames[i].flags, ==, i == 0 ? 0 : WEFT_FRAME_RETURN_ADDRESS);
    }
}

/* From a function that keeps its return address in a register, over one that signed its own. */
static void
test_leaf (void)
{
  Rig rig;
  const guint64 words[] = { 1, (BASE + 0x10014) | SIGNATURE, 2, BASE + 0x10004, 3, 4, 0, 0 };
  static const guint64 offsets[] = { 0x10038, 0x1002c, 0x10014, 0x10004 };

  if (!rig_init (&rig))
    return;
  unwind (&rig, 0x10038, BASE + 0x1002c, words, G_N_ELEMENTS (words));
  check (&rig, 4, offsets);
  rig_clear (&rig);
}

/* Before it has stored anything, and at its end. */
static void
test_signed (void)
{
  Rig rig;
  const guint64 words[] = { 2, BASE + 0x10004, 3, 4, 0, 0 };
  static const guint64 begin[] = { 0x10024, 0x10014, 0x10004 };
  static const guint64 end[] = { 0x10034, 0x10014, 0x10004 };

  if (!rig_init (&rig))
    return;
  unwind (&rig, 0x10024, (BASE + 0x10014) | SIGNATURE, words, G_N_ELEMENTS (words));
  check (&rig, 3, begin);
  unwind (&rig, 0x10034, BASE + 0x10014, words, G_N_ELEMENTS (words));
  check (&rig, 3, end);
  rig_clear (&rig);
}

/* A function that returns to itself would go on for ever. */
static void
test_stuck (void)
{
  Rig rig;
  const guint64 words[] = { 0, 0, 0, 0 };

  if (!rig_init (&rig))
    return;
  unwind (&rig, 0x10038, BASE + 0x1003c, words, G_N_ELEMENTS (words));
  g_assert_cmpint (rig.end, ==, WEFT_STACK_END_STUCK);
  unwind (&rig, 0x10014, 0, words, 1);
  g_assert_cmpint (rig.end, ==, WEFT_STACK_END_TRUNCATED);
  rig_clear (&rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/unwind-aarch64/leaf", test_leaf);
  g_test_add_func ("/unwind-aarch64/signed", test_signed);
  g_test_add_func ("/unwind-aarch64/stuck", test_stuck);
  return g_test_run ();
}
