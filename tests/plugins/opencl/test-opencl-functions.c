/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that the layer finds in texts of OpenCL C. */

#include <glib.h>

#include "weft-opencl-layer.h"

#define N_MOST 16

const char *
ocl_intern (const char *string)
{
  return g_intern_string (string);
}

/* "name 1-3, other 5-6" */
static char *
scan (const char *text, gsize length)
{
  g_autofree char *copy = g_memdup2 (text, length);
  GString *found = g_string_new (NULL);
  OclFunction functions[N_MOST];
  size_t n = ocl_functions_scan (copy, length, functions, N_MOST);

  g_assert_cmpuint (n, <=, N_MOST);
  for (size_t i = 0; i < n; i++)
    {
      g_assert_cmpuint (functions[i].first_line, <=, functions[i].last_line);
      g_string_append_printf (found, "%s%s %u-%u", i > 0 ? ", " : "", functions[i].name,
                              functions[i].first_line, functions[i].last_line);
    }
  return g_string_free (found, FALSE);
}

static void
test_texts (void)
{
  static const struct
  {
    const char *text;
    const char *found;
  } cases[] = {
    { "", "" },
    { "__kernel void k (__global int *a)\n{\n  a[0] = 1;\n}\n", "k 1-4" },
    { "kernel void a () { }\n\n\nvoid b (int c)\n{ if (c) { a (); } }", "a 1-1, b 4-5" },
    { "__kernel\nvoid\nk (\n  int a\n)\n{\n}\n", "k 1-7" },
    { "__attribute__ ((reqd_work_group_size (8, 1, 1)))\n__kernel void k (int a) { }", "k 1-2" },
    { "__kernel void k (int a) __attribute__ ((weak));\nint x;", "" },
    { "KERNEL_FQ void m00000_m04 (KERN_ATTR_RULES ())\n{\n}\n", "m00000_m04 1-3" },
    { "/* void no (int) { } */ // void no2 () {\nvoid yes () { char c = '{'; }", "yes 2-2" },
    { "#define BODY \\\n  {\n#if 0 /*\n#endif\nvoid f () { }", "f 5-5" },
    { "const char *s = \"void f () { \\\" }\";\nvoid g () { }", "g 2-2" },
    { "struct s { int a; };\nvoid f (struct s *s) { }", "f 2-2" },
    { "__constant int t[2] = { f (1), 2 };\nvoid f () { }", "f 2-2" },
    { "int h (void);\nint h (void)\n{ return 1; }", "h 2-3" },
    { "#ifdef A\nvoid f () { }\n#else\nvoid f () { }\n#endif\nvoid g () { }", "f 0-0, g 6-6" },
    { "void f () {\n#ifdef A\nif (a) {\n#else\nif (b) {\n#endif\n} }\nvoid g () { }", "" },
    { "void f () { }\n}\nvoid g () { }", "" },
    { "void f (", "" },
    { "void f () {", "" },
    { "/* never closed", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *found = scan (cases[i].text, strlen (cases[i].text));

      g_assert_cmpstr (found, ==, cases[i].found);
    }
}

static void
test_many (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  OclFunction functions[N_MOST];

  for (int i = 0; i < 3 * N_MOST; i++)
    g_string_append_printf (text, "void f%d () { }\n", i);
  g_assert_cmpuint (ocl_functions_scan (text->str, text->len, functions, N_MOST), ==, N_MOST);
  g_assert_cmpstr (functions[N_MOST - 1].name, ==, "f15");
  g_assert_cmpuint (functions[N_MOST - 1].first_line, ==, 16);
}

/* Each is a block of its own, so that a look past its end is seen. */
static void
test_hostile (void)
{
  static const char text[] = "/* a */ __kernel __attribute__ ((x (1))) void k (__local int *l)\n{\n"
                             "  char c = '\\'', *s = \"\\\\\"; // b \\\n c\n#define D \\\n {\n}\n";
  static const char letters[] = "a{}()\"'\\/*\n#; =_";
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (gsize length = 0; length < sizeof text; length++)
    g_free (scan (text, length));
  for (int round = 0; round < 20000; round++)
    {
      char noise[48];
      gsize length = g_rand_int_range (random, 0, sizeof noise);

      for (gsize i = 0; i < length; i++)
        noise[i] = letters[g_rand_int_range (random, 0, sizeof letters - 1)];
      g_free (scan (noise, length));
    }
}

static void
test_long_name (void)
{
  g_autofree char *name = g_strnfill (5000, 'n');
  g_autofree char *text = g_strdup_printf ("void %s () { }", name);
  OclFunction functions[N_MOST];

  g_assert_cmpuint (ocl_functions_scan (text, strlen (text), functions, N_MOST), ==, 1);
  g_assert_cmpuint (strlen (functions[0].name), <, 256);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/opencl/functions/texts", test_texts);
  g_test_add_func ("/opencl/functions/many", test_many);
  g_test_add_func ("/opencl/functions/hostile", test_hostile);
  g_test_add_func ("/opencl/functions/long-name", test_long_name);
  return g_test_run ();
}
