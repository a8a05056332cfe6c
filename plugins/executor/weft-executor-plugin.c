/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-executor-domain.h"
#include "weft-executor-instrument.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_executor_domain_new ();
  g_autoptr (WeftInstrument) instrument = weft_executor_instrument_new ();

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("executor", WEFT_VERSION, "Words and checks for task runtimes",
                    "LGPL-2.1-or-later", init)
