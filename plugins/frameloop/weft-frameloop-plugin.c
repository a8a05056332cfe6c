/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-frameloop-domain.h"

static WeftInstrument *
gtk_instrument_new (WeftPlugin *plugin)
{
  static const char *const domains[] = { "frameloop", NULL };
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autofree char *library = g_build_filename (folder, "preload", "libweft-gtk-frames.so", NULL);

  return weft_library_instrument_new ("gtk",
                                      "Tells of the frames of GTK windows: phases of the frame "
                                      "clock, missed frames, a lane for each window",
                                      domains, library);
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_frameloop_domain_new ();
  g_autoptr (WeftInstrument) instrument = gtk_instrument_new (plugin);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("frameloop", WEFT_VERSION, "Frame loops, and the frames of GTK windows",
                    "LGPL-2.1-or-later", init)
