/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin brings. */

#include <weft.h>

#include "weft-codec-domain.h"
#include "weft-gstreamer-instrument.h"

static WeftInstrument *
ffmpeg_instrument_new (const char *folder)
{
  static const char *const domains[] = { "codec", NULL };
  g_autofree char *library = g_build_filename (folder, "ffmpeg", "libweft-ffmpeg.so", NULL);

  return weft_library_instrument_new ("ffmpeg",
                                      "Tells what demuxers, decoders, filters, encoders and muxers "
                                      "of FFmpeg's libraries do with each packet and frame",
                                      domains, library);
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));
  g_autoptr (WeftDomain) domain = weft_codec_domain_new ();
  g_autoptr (WeftInstrument) gstreamer = weft_gstreamer_instrument_new (folder);
  g_autoptr (WeftInstrument) ffmpeg = ffmpeg_instrument_new (folder);

  weft_plugin_add_domain (plugin, domain);
  weft_plugin_add_instrument (plugin, gstreamer);
  weft_plugin_add_instrument (plugin, ffmpeg);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("codec", WEFT_VERSION, "Codecs and media pipelines", "LGPL-2.1-or-later", init)
