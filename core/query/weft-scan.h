/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-predicate.h"
#include "weft-run.h"

G_BEGIN_DECLS

/* Passes the rows of a chunk that fit a predicate to a function, batch by batch. Batches' rows are
 * counted from FIRST, the row of the chunk at which its columns begin.
 */
typedef gboolean (*WeftBatchFunc) (const WeftBatch *batch, guint first, gpointer data,
                                   GError **error);

typedef struct
{
  WeftRun *run;
  WeftTableId table;
  const WeftPredicate *predicate; /* or NULL */
  guint32 places;                 /* columns that FUNC needs */
} WeftScan;

/* FUNC is not called for batches in which no row fits. */
gboolean weft_scan_chunk (const WeftScan *self, guint chunk, WeftBatchFunc func, gpointer data,
                          GError **error);

G_END_DECLS
