/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-stream.h"

G_BEGIN_DECLS

/* The same as weft_store_timeline () over the scope's range, which must not be empty, but exactly,
 * from each row, and of what is selected only. LANES ascend.
 */
gboolean weft_fill_lane_buckets (const WeftAnalysisScope *scope, const WeftSelection *selection,
                                 const guint32 *lanes, guint n_lanes, guint n_buckets,
                                 WeftTimelineBucket *buckets, GError **error);

/* Where bucket I of N between BEGIN and END begins. */
static inline gint64
weft_bucket_edge (gint64 begin, gint64 end, guint n, guint i)
{
  guint64 span = (guint64) end - (guint64) begin;

  return (gint64) ((guint64) begin + (guint64) ((unsigned __int128) span * i / n));
}

G_END_DECLS
