/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-batch.h"
#include "weft-recording-private.h"

G_BEGIN_DECLS

#define WEFT_N_EVENT_KINDS 4

/* The table of kind 1 << POSITION. */
WeftTableId weft_event_table (guint position);

WeftBatch *weft_batch_new (WeftRecording *recording, WeftStore *store);
/* Takes PLACES, element type WeftPlace. */
void weft_batch_take_rows (WeftBatch *self, guint position, GArray *places, guint64 missed);

/* Rows as a table with all fields of the model. What cannot be read is null. */
WeftTable *weft_rows_to_table (WeftStore *store, WeftTableId table, const WeftPlace *places,
                               guint n);

G_END_DECLS
