/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-object.h"

G_BEGIN_DECLS

#define WEFT_TYPE_LIST (weft_list_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftList, weft_list, WEFT, LIST, GObject)

WEFT_API WeftRecording *weft_list_get_recording (WeftList *self);
WEFT_API char *weft_list_get_damage (WeftList *self);

WEFT_API WeftList *weft_recording_get_objects (WeftRecording *self, const char *table,
                                               GError **error);

G_END_DECLS
