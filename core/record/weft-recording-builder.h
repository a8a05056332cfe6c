/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-recording.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_RECORDING_BUILDER (weft_recording_builder_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRecordingBuilder, weft_recording_builder, WEFT, RECORDING_BUILDER,
                      GObject)

WEFT_API WeftRecordingBuilder *weft_recording_builder_new (const char *path, GError **error);

WEFT_API const char *weft_recording_builder_get_path (WeftRecordingBuilder *self);
WEFT_API gboolean weft_recording_builder_set_start (WeftRecordingBuilder *self, gint64 monotonic,
                                                    gint64 realtime, GError **error);
WEFT_API void weft_recording_builder_set_recorder_name (WeftRecordingBuilder *self,
                                                        const char *name);
WEFT_API void weft_recording_builder_add_origin (WeftRecordingBuilder *self, const char *origin);
WEFT_API void weft_recording_builder_set_end (WeftRecordingBuilder *self, gint64 end);
WEFT_API void weft_recording_builder_set_waits_known (WeftRecordingBuilder *self,
                                                      gboolean waits_known);

WEFT_API gboolean weft_recording_builder_add_row (WeftRecordingBuilder *self, const char *table,
                                                  GVariant *values, guint64 *id, GError **error);
WEFT_API gboolean weft_recording_builder_add_values (
    WeftRecordingBuilder *self, const char *table, const char *const *number_fields,
    const guint64 *numbers, gsize n_numbers, const char *const *text_fields,
    const char *const *texts, guint64 *id, GError **error);
WEFT_API gboolean weft_recording_builder_add_dispatch (WeftRecordingBuilder *self, guint lane,
                                                       guint routine, gint64 start,
                                                       guint64 duration, guint thread,
                                                       WeftStatus status, guint64 *id,
                                                       GError **error);
WEFT_API gboolean weft_recording_builder_add_dispatches (WeftRecordingBuilder *self, GBytes *lanes,
                                                         GBytes *routines, GBytes *starts,
                                                         GBytes *durations, GBytes *threads,
                                                         GBytes *statuses, guint64 *first_id,
                                                         GError **error);
WEFT_API gboolean weft_recording_builder_copy_table (WeftRecordingBuilder *self,
                                                     WeftRecording *recording, const char *table,
                                                     GError **error);
WEFT_API guint64 weft_recording_builder_get_n_rows (WeftRecordingBuilder *self, const char *table);

WEFT_API gboolean weft_recording_builder_flush (WeftRecordingBuilder *self,
                                                GCancellable *cancellable, GError **error);
WEFT_API gboolean weft_recording_builder_finish (WeftRecordingBuilder *self,
                                                 GCancellable *cancellable, GError **error);
WEFT_API void weft_recording_builder_finish_async (WeftRecordingBuilder *self,
                                                   GCancellable *cancellable,
                                                   GAsyncReadyCallback callback,
                                                   gpointer user_data);
WEFT_API gboolean weft_recording_builder_finish_finish (WeftRecordingBuilder *self,
                                                        GAsyncResult *result, GError **error);

G_END_DECLS
