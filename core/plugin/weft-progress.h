/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_PROGRESS (weft_progress_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftProgress, weft_progress, WEFT, PROGRESS, GObject)

WEFT_API WeftProgress *weft_progress_new (void);
WEFT_API void weft_progress_report (WeftProgress *self, double fraction, const char *text);
WEFT_API double weft_progress_get_fraction (WeftProgress *self);
WEFT_API char *weft_progress_dup_text (WeftProgress *self);

G_END_DECLS
