/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-version.h"

G_BEGIN_DECLS

WEFT_API char *weft_recordings_get_folder (void);
WEFT_API char *weft_recordings_new_path (const char *program, GError **error);
WEFT_API gboolean weft_recordings_set_latest (const char *path, GError **error);
WEFT_API char *weft_recordings_resolve (const char *file, GError **error);

#define WEFT_TYPE_RECORDING_INFO (weft_recording_info_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRecordingInfo, weft_recording_info, WEFT, RECORDING_INFO, GObject)

WEFT_API GListModel *weft_recordings_list (GCancellable *cancellable, GError **error);

WEFT_API const char *weft_recording_info_get_path (WeftRecordingInfo *self);
WEFT_API gint64 weft_recording_info_get_start (WeftRecordingInfo *self);
WEFT_API guint64 weft_recording_info_get_size (WeftRecordingInfo *self);
WEFT_API guint64 weft_recording_info_get_dispatches (WeftRecordingInfo *self);
WEFT_API gboolean weft_recording_info_is_readable (WeftRecordingInfo *self);
WEFT_API WeftRecordingState weft_recording_info_get_state (WeftRecordingInfo *self);

G_END_DECLS
