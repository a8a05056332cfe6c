/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_DETAIL (weft_detail_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftDetail, weft_detail, WEFT, DETAIL, GObject)

WEFT_API WeftDetail *weft_detail_new (const char *section, const char *label, const char *text,
                                      const char *handle);
WEFT_API const char *weft_detail_get_section (WeftDetail *self);
WEFT_API const char *weft_detail_get_label (WeftDetail *self);
WEFT_API const char *weft_detail_get_text (WeftDetail *self);
WEFT_API const char *weft_detail_get_handle (WeftDetail *self);

G_END_DECLS
