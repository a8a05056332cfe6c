/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a recorder would learn of a module and of addresses in it, on the standard input: state and
 * reason in the first line, then the innermost function's name of each. For tests, and for figures:
 * with --time it says on the standard error how long that took.
 *
 *   frames MODE FILE|PID CACHE [--time]
 *
 * MODE is auto, debuginfod, or jit: then it is code that the process PID makes.
 */

#include <stdio.h>
#include <stdlib.h>

#include "weft-clock.h"
#include "weft-debuginfod.h"
#include "weft-symbol-module.h"

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

static const char *
innermost (const WeftSymbolFunction *function, guint64 address)
{
  const WeftSymbolRow *row;

  if (function == NULL || function->symbol == NULL)
    return "";
  row = weft_symbol_function_find_row (function, address);
  return row != NULL && row->scope != 0 ? function->scopes[row->scope - 1].symbol->name
                                        : function->symbol->name;
}

int
main (int argc, char **argv)
{
  g_autoptr (GArray) addresses = read_addresses ();
  g_autofree const WeftSymbolFunction **functions =
      g_new0 (const WeftSymbolFunction *, addresses->len + 1);
  WeftSymbolModuleState state = { 0 };
  WeftModuleSet *modules;
  WeftSymbolShared *shared;
  WeftSymbolModule *module;
  WeftSymbolizer *symbolizer;
  WeftDebuginfod *debuginfod;
  WeftCodeModule *code;
  gint64 begin;

  if (argc < 4)
    return 2;
  begin = weft_monotonic_now ();
  modules = weft_module_set_new ();
  shared = weft_symbol_shared_new (weft_symbol_cache_new (argv[3]));
  symbolizer = weft_symbolizer_new ();
  debuginfod = weft_debuginfod_new ();
  shared->asks_servers = g_str_equal (argv[1], "debuginfod");
  if (shared->asks_servers)
    weft_symbolizer_set_finder (symbolizer, weft_debuginfod_find, debuginfod);
  code = g_str_equal (argv[1], "jit")
             ? weft_module_set_get_jit (modules, atoi (argv[2]), 1)
             : weft_module_set_get (modules, &(WeftModuleFile){ .path = argv[2] });
  module = weft_symbol_module_new (shared, code);
  weft_symbol_module_resolve (module, symbolizer, (const guint64 *) (gconstpointer) addresses->data,
                              addresses->len, functions);
  if (argc > 4)
    g_printerr ("%u addresses: %.1f ms\n", addresses->len, (weft_monotonic_now () - begin) / 1e6);
  weft_symbol_module_get_state (module, &state);
  printf ("%u\t%s\n", state.state, state.reason);
  for (guint i = 0; i < addresses->len; i++)
    {
      guint64 address = g_array_index (addresses, guint64, i);

      printf ("%" G_GINT64_MODIFIER "x\t%s\n", address, innermost (functions[i], address));
    }
  weft_symbol_module_save (module);
  weft_symbol_module_state_clear (&state);
  weft_symbol_module_free (module);
  weft_symbolizer_free (symbolizer);
  weft_symbol_shared_free (shared);
  weft_debuginfod_free (debuginfod);
  weft_module_set_free (modules);
  return 0;
}
