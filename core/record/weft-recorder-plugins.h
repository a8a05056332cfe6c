/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin-registry.h"
#include "weft-recorder.h"

G_BEGIN_DECLS

WEFT_API gboolean weft_recorder_add_plugins (WeftRecorder *self, WeftPluginRegistry *registry,
                                             const char *const *always, GError **error);

WEFT_API gboolean weft_recorder_add_domain_findings (WeftRecorder *self,
                                                     WeftPluginRegistry *registry, guint timeout,
                                                     GCancellable *cancellable, GError **error);
WEFT_API void weft_recorder_add_domain_findings_async (WeftRecorder *self,
                                                       WeftPluginRegistry *registry, guint timeout,
                                                       GCancellable *cancellable,
                                                       GAsyncReadyCallback callback,
                                                       gpointer user_data);
WEFT_API gboolean weft_recorder_add_domain_findings_finish (WeftRecorder *self,
                                                            GAsyncResult *result, GError **error);

G_END_DECLS
