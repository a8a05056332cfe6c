/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

#include "weft-metal-library.h"

G_BEGIN_DECLS

/* Rows for what a library tells. NAME is that of its file. */
typedef struct _WeftMetalLibraryRows WeftMetalLibraryRows;

/* Adds the library itself and its sources. NULL with an error of the builder. */
WeftMetalLibraryRows *weft_metal_library_rows_new (const WeftMetalLibrary *library,
                                                   const char *path, WeftRecordingBuilder *builder,
                                                   GError **error);
void weft_metal_library_rows_free (WeftMetalLibraryRows *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetalLibraryRows, weft_metal_library_rows_free)

/* Source and lines of a function, as fields of the row of a routine. */
void weft_metal_library_rows_set_source (WeftMetalLibraryRows *self, guint function,
                                         GVariantDict *routine);

/* A routine for a function that none was recorded for. */
gboolean weft_metal_library_rows_add_routine (WeftMetalLibraryRows *self, guint function,
                                              GError **error);

/* What else is known of a function: to be told of the routine that it is. HAS_LIBRARY: that has the
 * tag metal.library already.
 */
gboolean weft_metal_library_rows_describe (WeftMetalLibraryRows *self, guint function,
                                           guint64 routine, gboolean has_library, GError **error);

G_END_DECLS
