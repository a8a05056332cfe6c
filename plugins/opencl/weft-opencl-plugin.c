/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-opencl-domain.h"
#include "weft-opencl-instrument.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autofree char *layer = g_build_filename (folder, "layer", "libweft-opencl.so", NULL);
  g_autoptr (WeftDomain) domain = weft_opencl_domain_new ();
  g_autoptr (WeftInstrument) instrument = weft_opencl_instrument_new (layer);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("opencl", WEFT_VERSION, "OpenCL's queues and kernels, of unmodified programs",
                    "LGPL-2.1-or-later", init)
