/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-report.h"

G_BEGIN_DECLS

WEFT_API char *weft_flame_to_svg (WeftReport *report, const char *title, GError **error);
WEFT_API gboolean weft_flame_write_svg (WeftReport *report, const char *title,
                                        GOutputStream *stream, GCancellable *cancellable,
                                        GError **error);

G_END_DECLS
