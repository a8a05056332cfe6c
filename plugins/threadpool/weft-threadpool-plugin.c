/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "openmp/weft-openmp-instrument.h"
#include "weft-threadpool-domain.h"

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  static const char *const domains[] = { "threadpool", NULL };
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autofree char *library = g_build_filename (folder, "preload", "libweft-gthreadpool.so", NULL);
  g_autofree char *openmp_folder = g_build_filename (folder, "openmp", "preload", NULL);
  g_autoptr (WeftDomain) domain = weft_threadpool_domain_new ();
  g_autoptr (WeftInstrument) openmp = weft_openmp_instrument_new (openmp_folder);
  g_autoptr (WeftInstrument) instrument =
      weft_library_instrument_new ("gthreadpool",
                                   "Tells of pools of threads made by GThreadPool, GTask's among "
                                   "them: who pushed what, how long "
                                   "it waited, which thread ran it, who waited for the pool",
                                   domains, library);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, instrument);
  weft_plugin_add_instrument (plugin, openmp);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("threadpool", WEFT_VERSION,
                    "Thread pools: queues, workers, who stole from whom", "LGPL-2.1-or-later", init)
