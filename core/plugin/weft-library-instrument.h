/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-instrument.h"

G_BEGIN_DECLS

#define WEFT_TYPE_LIBRARY_INSTRUMENT (weft_library_instrument_get_type ())
WEFT_API
G_DECLARE_DERIVABLE_TYPE (WeftLibraryInstrument, weft_library_instrument, WEFT, LIBRARY_INSTRUMENT,
                          GObject)

struct _WeftLibraryInstrumentClass
{
  GObjectClass parent_class;

  /*< private >*/
  gpointer _reserved[8];
};

WEFT_API WeftInstrument *weft_library_instrument_new (const char *name, const char *description,
                                                      const char *const *domains,
                                                      const char *library);
WEFT_API const char *weft_library_instrument_get_library (WeftLibraryInstrument *self);

G_END_DECLS
