/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_TYPE_OPENCL_INSTRUMENT (weft_opencl_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WeftOpenclInstrument, weft_opencl_instrument, WEFT, OPENCL_INSTRUMENT,
                      WeftLibraryInstrument)

WeftInstrument *weft_opencl_instrument_new (const char *layer);

G_END_DECLS
