/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the symbolizer says of addresses on the standard input, in the form of addr2line -a -i -f;
 * in the first line how it knows. For tests that compare.
 *
 *   symbolize FILE [BUILD-ID]
 */

#include <stdio.h>
#include <stdlib.h>

#include "weft-debug-files.h"
#include "weft-symbolizer.h"

static GArray *
read_addresses (void)
{
  GArray *addresses = g_array_new (FALSE, FALSE, sizeof (guint64));
  char line[64];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      guint64 address = g_ascii_strtoull (line, NULL, 16);

      g_array_append_val (addresses, address);
    }
  return addresses;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static int
compare_starts (gconstpointer a, gconstpointer b)
{
  const WeftSymbolFunction *x = *(const WeftSymbolFunction *const *) a;
  const WeftSymbolFunction *y = *(const WeftSymbolFunction *const *) b;

  return x->start < y->start ? -1 : x->start > y->start;
}

static GPtrArray *
gather_functions (WeftSymbolAnswer *answer)
{
  GPtrArray *functions = g_ptr_array_new ();

  for (guint i = 0; i < answer->blocks->len; i++)
    {
      WeftSymbolBlock *block = answer->blocks->pdata[i];

      for (guint j = 0; j < block->functions->len; j++)
        g_ptr_array_add (functions, &g_array_index (block->functions, WeftSymbolFunction, j));
    }
  g_ptr_array_sort (functions, compare_starts);
  return functions;
}

static const WeftSymbolFunction *
find (GPtrArray *functions, guint64 address)
{
  guint low = 0;
  guint high = functions->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftSymbolFunction *function = functions->pdata[middle];

      if (function->start <= address)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low; i > 0 && i + 4 > low; i--)
    {
      const WeftSymbolFunction *function = functions->pdata[i - 1];

      if (address - function->start < function->size)
        return function;
    }
  return NULL;
}

static void
print_place (const char *name, const char *file, guint line)
{
  printf ("%s\n%s:%u\n", name, file != NULL ? file : "??", line);
}

static void
print_address (const WeftSymbolFunction *function, guint64 address)
{
  const WeftSymbolRow *row = NULL;
  const char *file;
  guint32 scope, line;

  printf ("0x%" G_GINT64_MODIFIER "x\n", address);
  if (function == NULL || function->symbol == NULL)
    {
      print_place ("??", NULL, 0);
      return;
    }
  row = weft_symbol_function_find_row (function, address);
  file = row != NULL ? row->file : NULL;
  line = row != NULL ? row->line : 0;
  for (scope = row != NULL ? row->scope : 0; scope != 0;)
    {
      const WeftSymbolScope *s = &function->scopes[scope - 1];

      print_place (s->symbol->name, file, line);
      file = s->file;
      line = s->line;
      scope = s->parent;
    }
  print_place (function->symbol->name, file, line);
}

int
main (int argc, char **argv)
{
  g_autoptr (GArray) addresses = read_addresses ();
  g_autoptr (GArray) sorted = g_array_copy (addresses);
  g_autoptr (WeftSymbolAnswer) answer = NULL;
  g_autoptr (GPtrArray) functions = NULL;
  WeftSymbolizer *symbolizer;
  int descriptor;

  if (argc < 2 || (descriptor = weft_debug_files_open (argv[1])) < 0)
    {
      g_printerr ("symbolize FILE [BUILD-ID] <ADDRESSES\n");
      return 2;
    }
  symbolizer = weft_symbolizer_new ();
  g_array_sort (sorted, compare);
  answer =
      weft_symbolizer_resolve_file (symbolizer, 1, argv[1], argc > 2 ? argv[2] : NULL, descriptor,
                                    (const guint64 *) (gconstpointer) sorted->data, sorted->len);
  printf ("%u\t%" G_GUINT64_FORMAT "\t%s\t%s\n", answer->state, answer->n_symbols,
          answer->debug_file, answer->reason);
  functions = gather_functions (answer);
  for (guint i = 0; i < addresses->len; i++)
    {
      guint64 address = g_array_index (addresses, guint64, i);

      print_address (find (functions, address), address);
    }
  weft_symbolizer_free (symbolizer);
  return 0;
}
