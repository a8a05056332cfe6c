/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-version.h"
#include "weft-vocabulary.h"

G_BEGIN_DECLS

#define WEFT_TYPE_RECORDING (weft_recording_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRecording, weft_recording, WEFT, RECORDING, GObject)

WEFT_API WeftRecording *weft_recording_open (GFile *file, GCancellable *cancellable,
                                             GError **error);
WEFT_API void weft_recording_open_async (GFile *file, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftRecording *weft_recording_open_finish (GAsyncResult *result, GError **error);

WEFT_API gboolean weft_recording_refresh (WeftRecording *self, GCancellable *cancellable,
                                          GError **error);
WEFT_API void weft_recording_refresh_async (WeftRecording *self, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_recording_refresh_finish (WeftRecording *self, GAsyncResult *result,
                                                 GError **error);

WEFT_API guint weft_recording_get_follow (WeftRecording *self);
WEFT_API void weft_recording_set_follow (WeftRecording *self, guint interval);

WEFT_API GFile *weft_recording_get_file (WeftRecording *self);
WEFT_API WeftRecordingState weft_recording_get_state (WeftRecording *self);
WEFT_API gboolean weft_recording_get_live (WeftRecording *self);
WEFT_API char *weft_recording_get_damage (WeftRecording *self);
WEFT_API guint64 weft_recording_get_size (WeftRecording *self);
WEFT_API GDateTime *weft_recording_get_start (WeftRecording *self);
WEFT_API gint64 weft_recording_get_start_monotonic (WeftRecording *self);
WEFT_API gint64 weft_recording_get_duration (WeftRecording *self);
WEFT_API char *weft_recording_get_host (WeftRecording *self);
WEFT_API char *weft_recording_get_command_line (WeftRecording *self);
WEFT_API char *weft_recording_get_meta (WeftRecording *self, const char *key);
WEFT_API char **weft_recording_list_meta (WeftRecording *self);
WEFT_API guint64 weft_recording_get_n_rows (WeftRecording *self, const char *table);
WEFT_API WeftVocabulary *weft_recording_get_vocabulary (WeftRecording *self);
WEFT_API GBytes *weft_recording_get_source_text (WeftRecording *self, guint64 source,
                                                 GError **error);

G_END_DECLS
