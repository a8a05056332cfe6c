/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-model.h"
#include "weft-recording.h"
#include "weft-store.h"

G_BEGIN_DECLS

/* The view of the file as of the last refresh; release with weft_store_unref (). An answer works
 * on one view from beginning to end. Any thread.
 */
WeftStore *weft_recording_ref_store (WeftRecording *self);

/* Turns the store's errors into those of WEFT_ERROR; others pass. Takes ERROR. */
void weft_propagate_store_error (GError **destination, GError *error);

G_END_DECLS
