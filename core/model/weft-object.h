/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recording.h"

G_BEGIN_DECLS

#define WEFT_TYPE_OBJECT (weft_object_get_type ())
WEFT_API
G_DECLARE_DERIVABLE_TYPE (WeftObject, weft_object, WEFT, OBJECT, GObject)

/**
 * WeftObjectClass:
 *
 * Class of [class@Object].
 *
 * Since: 0.1
 */
struct _WeftObjectClass
{
  GObjectClass parent_class;

  /*< private >*/
  guint table;
  gpointer _reserved[7];
};

WEFT_API WeftRecording *weft_object_get_recording (WeftObject *self);
WEFT_API guint64 weft_object_get_id (WeftObject *self);
WEFT_API char *weft_object_get_handle (WeftObject *self);
WEFT_API const char *weft_object_get_table (WeftObject *self);
WEFT_API char **weft_object_list_fields (WeftObject *self);
WEFT_API GVariant *weft_object_get_value (WeftObject *self, const char *field);
WEFT_API gboolean weft_object_check (WeftObject *self, GError **error);
WEFT_API gboolean weft_object_equal (WeftObject *self, WeftObject *other);
WEFT_API guint weft_object_hash (WeftObject *self);

WEFT_API WeftObject *weft_recording_find (WeftRecording *self, const char *handle, GError **error);

G_END_DECLS
