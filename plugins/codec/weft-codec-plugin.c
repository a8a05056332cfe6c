/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-codec-domain.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_codec_domain_new ();

  weft_plugin_add_domain (plugin, domain);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("codec", WEFT_VERSION, "Codecs and media pipelines", "LGPL-2.1-or-later", init)
