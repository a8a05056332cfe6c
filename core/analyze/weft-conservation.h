/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-catalog.h"
#include "weft-loss-totals.h"
#include "weft-table.h"

G_BEGIN_DECLS

/* The books of a lane: what was handed over, and what became of it. */
typedef struct
{
  guint64 lane;
  guint64 submitted;
  guint64 completed;
  guint64 pending;
  guint64 sampled_out;
  guint64 rejected;
  guint64 lost;
  guint64 rows;   /* dispatches that are in the recording */
  guint64 let_go; /* and those that retention took out of it */
} WeftLaneBooks;

/* Of all lanes that are not the core's, in the order of the catalog; element type WeftLaneBooks.
 * WORK says how many dispatches lanes and routines have in common: lane, routine, count.
 */
GArray *weft_conservation_read (const WeftAnalysisScope *scope, WeftCatalog *catalog,
                                WeftTable *work, GError **error);

/* Dispatches by lane and routine, as weft_conservation_read () wants them. */
WeftTable *weft_conservation_count_work (const WeftAnalysisScope *scope, GError **error);

/* Whether anything was counted at all. */
gboolean weft_lane_books_are_open (const WeftLaneBooks *self);
/* What the terms leave of what was handed over: 0, unless something is unexplained. */
gint64 weft_lane_books_get_missing (const WeftLaneBooks *self);
/* Whether all is explained; rows may be ahead of the counts while a file GROWS. */
gboolean weft_lane_books_hold (const WeftLaneBooks *self, gboolean grows);

G_END_DECLS
