/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_GSTREAMER_TYPE_INSTRUMENT (weft_gstreamer_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WeftGstreamerInstrument, weft_gstreamer_instrument, WEFT_GSTREAMER,
                      INSTRUMENT, WeftLibraryInstrument)

/* “gstreamer”: programs tell what elements of their pipelines do. FOLDER: where the plugin lies. */
WeftInstrument *weft_gstreamer_instrument_new (const char *folder);

G_END_DECLS
