/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings: a library that tells of hand-overs. */

#include <weft.h>

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autofree char *library = g_build_filename (folder, "preload", "libweft-waits.so", NULL);
  g_autoptr (WeftInstrument) instrument = weft_library_instrument_new (
      "waits",
      "Tells who ended whose wait, by the program's own calls of mutexes, conditions, semaphores, "
      "barriers and futexes",
      NULL, library);

  weft_plugin_add_instrument (plugin, instrument);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("waits", WEFT_VERSION, "Who ended whose wait, without privileges",
                    "LGPL-2.1-or-later", init)
