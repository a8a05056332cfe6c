/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-model.h"
#include "weft-recording.h"
#include "weft-row-orders.h"
#include "weft-store.h"

G_BEGIN_DECLS

/* The view of the file as of the last refresh; release with weft_store_unref (). An answer works
 * on one view from beginning to end. Any thread.
 */
WeftStore *weft_recording_ref_store (WeftRecording *self);

/* The row of TABLE, in a view of this recording, that has the id. */
gboolean weft_recording_find_row (WeftRecording *self, WeftStore *store, WeftTableId table,
                                  guint64 id, WeftPlace *place, GError **error);

/* See weft_row_orders_get (). */
GBytes *weft_recording_get_row_order (WeftRecording *self, WeftStore *store, WeftTableId table,
                                      guint chunk);

/* End of the last thing in STORE, in nanoseconds since the start of the recording. */
gint64 weft_recording_measure (WeftStore *store);

/* Turns the store's errors into those of WEFT_ERROR; others pass. Takes ERROR. */
void weft_propagate_store_error (GError **destination, GError *error);

G_END_DECLS
