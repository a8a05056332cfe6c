/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Makes programs that use OpenMP report: a library in front of GCC's runtime, a tool for LLVM's. */
#define WEFT_OPENMP_TYPE_INSTRUMENT (weft_openmp_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WeftOpenmpInstrument, weft_openmp_instrument, WEFT_OPENMP, INSTRUMENT,
                      WeftLibraryInstrument)

/* FOLDER: where the libraries lie. */
WeftInstrument *weft_openmp_instrument_new (const char *folder);

G_END_DECLS
