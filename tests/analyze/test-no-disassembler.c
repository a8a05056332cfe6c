/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a build without Capstone makes of code. */

#include "weft-disassemble.h"

#include <string.h>

static const guint8 code[] = { 0x55, 0x48, 0x89, 0xe5, 0xe8, 0xf7, 0x0f, 0x00, 0x00, 0x48, 0xc3 };

static void
test_bytes (void)
{
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (guint64));
  static const guint64 addresses[] = { 0xff0, 0x1000, 0x1009, 0x1009, 0x2000 };
  static const guint32 sizes[] = { 8, 1, 2 };
  g_autoptr (GArray) rows = NULL;
  const char *reason;
  guint64 next = 0x1000;

  g_array_append_vals (marks, addresses, G_N_ELEMENTS (addresses));
  g_assert_false (weft_disassemble_is_possible ("x86_64", &reason));
  g_assert_nonnull (strstr (reason, "without Capstone"));
  rows = weft_disassemble ("x86_64", code, sizeof code, 0x1000, marks);
  g_assert_cmpuint (rows->len, ==, G_N_ELEMENTS (sizes));
  for (guint i = 0; i < rows->len; i++)
    {
      const WeftInstruction *row = &g_array_index (rows, WeftInstruction, i);

      g_assert_cmpuint (row->address, ==, next);
      g_assert_cmpuint (row->size, ==, sizes[i]);
      g_assert_null (row->text);
      g_assert_false (row->has_target);
      next += row->size;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/no-disassembler/bytes", test_bytes);
  return g_test_run ();
}
