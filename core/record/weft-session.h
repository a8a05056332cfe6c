/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-recorder-status.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_SESSION (weft_session_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftSession, weft_session, WEFT, SESSION, GObject)

WEFT_API GListModel *weft_session_list (GError **error);
WEFT_API void weft_session_list_async (GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
WEFT_API GListModel *weft_session_list_finish (GAsyncResult *result, GError **error);

WEFT_API int weft_session_get_pid (WeftSession *self);
WEFT_API const char *weft_session_get_path (WeftSession *self);
WEFT_API const char *weft_session_get_command_line (WeftSession *self);
WEFT_API const char *weft_session_get_runtime_directory (WeftSession *self);
WEFT_API WeftRecorderStatus *weft_session_get_status (WeftSession *self);
WEFT_API gboolean weft_session_is_running (WeftSession *self);

WEFT_API gboolean weft_session_refresh (WeftSession *self, GCancellable *cancellable,
                                        GError **error);
WEFT_API void weft_session_refresh_async (WeftSession *self, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_session_refresh_finish (WeftSession *self, GAsyncResult *result,
                                               GError **error);

WEFT_API gboolean weft_session_stop (WeftSession *self, GCancellable *cancellable, GError **error);
WEFT_API void weft_session_stop_async (WeftSession *self, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_session_stop_finish (WeftSession *self, GAsyncResult *result,
                                            GError **error);

G_END_DECLS
