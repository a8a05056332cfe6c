/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-table.h"

G_BEGIN_DECLS

#define WEFT_TYPE_FILTER (weft_filter_get_type ())

typedef struct _WeftFilter WeftFilter;

WEFT_API GType weft_filter_get_type (void);

WEFT_API WeftFilter *weft_filter_new (const char *text, GError **error);
WEFT_API WeftFilter *weft_filter_ref (WeftFilter *self);
WEFT_API void weft_filter_unref (WeftFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFilter, weft_filter_unref)

WEFT_API char *weft_filter_to_string (WeftFilter *self);
WEFT_API WeftFilter *weft_filter_and (WeftFilter *self, WeftFilter *other);
WEFT_API gboolean weft_filter_equal (WeftFilter *self, WeftFilter *other);
WEFT_API gboolean weft_filter_is_empty (WeftFilter *self);

WEFT_API gboolean weft_filter_check (const char *text, char **message, guint *byte_offset,
                                     guint *character_offset);
WEFT_API WeftTable *weft_filter_list_fields (void);

G_END_DECLS
