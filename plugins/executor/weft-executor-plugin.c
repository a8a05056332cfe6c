/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-executor-domain.h"
#include "weft-executor-instrument.h"

static WeftInstrument *
glib_instrument_new (WeftPlugin *plugin)
{
  static const char *const domains[] = { "executor", NULL };
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autofree char *library = g_build_filename (folder, "glib", "libweft-glib.so", NULL);

  return weft_library_instrument_new ("glib",
                                      "Tells what GLib main loops dispatch, how long they slept, "
                                      "what blocked them, and tasks of GIO from start to return",
                                      domains, library);
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_executor_domain_new ();
  g_autoptr (WeftInstrument) instrument = weft_executor_instrument_new ();
  g_autoptr (WeftInstrument) glib = glib_instrument_new (plugin);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  weft_plugin_add_instrument (plugin, glib);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("executor", WEFT_VERSION, "Words and checks for task runtimes",
                    "LGPL-2.1-or-later", init)
