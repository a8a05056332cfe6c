/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-batch.h"

G_BEGIN_DECLS

#define WEFT_TYPE_SUBSCRIPTION (weft_subscription_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftSubscription, weft_subscription, WEFT, SUBSCRIPTION, GObject)

WEFT_API WeftSubscription *weft_subscription_new (WeftRecording *recording, WeftEventKinds kinds);

WEFT_API WeftRecording *weft_subscription_get_recording (WeftSubscription *self);
WEFT_API WeftEventKinds weft_subscription_get_kinds (WeftSubscription *self);
WEFT_API guint64 weft_subscription_get_bound (WeftSubscription *self);
WEFT_API void weft_subscription_set_bound (WeftSubscription *self, guint64 bound);
WEFT_API guint64 weft_subscription_get_missed (WeftSubscription *self);
WEFT_API void weft_subscription_skip (WeftSubscription *self);

WEFT_API WeftBatch *weft_subscription_read (WeftSubscription *self, guint max_rows,
                                            GCancellable *cancellable, GError **error);
WEFT_API void weft_subscription_read_async (WeftSubscription *self, guint max_rows,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
WEFT_API WeftBatch *weft_subscription_read_finish (WeftSubscription *self, GAsyncResult *result,
                                                   GError **error);

G_END_DECLS
