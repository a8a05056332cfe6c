/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Makes recordings of Metal libraries, and joins them to recordings of programs that ran them. */
#define WEFT_METAL_TYPE_LIBRARY_IMPORTER (weft_metal_library_importer_get_type ())
G_DECLARE_FINAL_TYPE (WeftMetalLibraryImporter, weft_metal_library_importer, WEFT_METAL,
                      LIBRARY_IMPORTER, GObject)

WeftImporter *weft_metal_library_importer_new (void);

G_END_DECLS
