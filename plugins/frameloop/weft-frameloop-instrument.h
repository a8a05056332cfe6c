/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_FRAMELOOP_TYPE_INSTRUMENT (weft_frameloop_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WeftFrameloopInstrument, weft_frameloop_instrument, WEFT_FRAMELOOP,
                      INSTRUMENT, GObject)

/* “gtk”: programs tell of the frames of their windows. FOLDER: where the plugin lies. */
WeftInstrument *weft_frameloop_instrument_new (const char *folder);

G_END_DECLS
