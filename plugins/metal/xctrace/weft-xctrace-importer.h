/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_XCTRACE_TYPE_IMPORTER (weft_xctrace_importer_get_type ())
G_DECLARE_FINAL_TYPE (WeftXctraceImporter, weft_xctrace_importer, WEFT_XCTRACE, IMPORTER, GObject)

/* Imports what Instruments recorded, as `xctrace export` writes it. */
WeftImporter *weft_xctrace_importer_new (void);

G_END_DECLS
