/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-frameloop-domain.h"
#include "weft-frameloop-instrument.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autoptr (WeftDomain) domain = weft_frameloop_domain_new ();
  g_autoptr (WeftInstrument) instrument = weft_frameloop_instrument_new (folder);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("frameloop", WEFT_VERSION, "Frame loops, and the frames of GTK windows",
                    "LGPL-2.1-or-later", init)
