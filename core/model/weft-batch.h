/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-object.h"
#include "weft-table.h"

G_BEGIN_DECLS

/**
 * WeftEventKinds:
 * @WEFT_EVENT_DISPATCH: dispatches that ended: rows of `dispatches`
 * @WEFT_EVENT_METRIC: observations of metrics: rows of `metric_points`
 * @WEFT_EVENT_TRACE: traces that ended: rows of `traces`
 * @WEFT_EVENT_WARNING: warnings of programs: rows of `warnings`
 *
 * What a [class@Subscription] delivers.
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/
{
  WEFT_EVENT_DISPATCH = 1 << 0,
  WEFT_EVENT_METRIC = 1 << 1,
  WEFT_EVENT_TRACE = 1 << 2,
  WEFT_EVENT_WARNING = 1 << 3,
} WeftEventKinds;

#define WEFT_TYPE_BATCH (weft_batch_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftBatch, weft_batch, WEFT, BATCH, GObject)

WEFT_API guint weft_batch_get_n_rows (WeftBatch *self, WeftEventKinds kinds);
WEFT_API guint64 weft_batch_get_missed (WeftBatch *self, WeftEventKinds kinds);
WEFT_API WeftTable *weft_batch_get_table (WeftBatch *self, WeftEventKinds kind);
WEFT_API GListModel *weft_batch_get_objects (WeftBatch *self, WeftEventKinds kind);

G_END_DECLS
