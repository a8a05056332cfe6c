/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "metallib/weft-metal-library-importer.h"
#include "weft-metal-domain.h"
#include "xctrace/weft-xctrace-importer.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_metal_domain_new ();
  g_autoptr (WeftImporter) library = weft_metal_library_importer_new ();
  g_autoptr (WeftImporter) xctrace = weft_xctrace_importer_new ();

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_importer (plugin, library);
  weft_plugin_add_importer (plugin, xctrace);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("metal", WEFT_VERSION, "Words and files of Metal", "LGPL-2.1-or-later", init)
