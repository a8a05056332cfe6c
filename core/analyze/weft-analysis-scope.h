/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-catalog.h"
#include "weft-dispatch-stream.h"

G_BEGIN_DECLS

/* START + DURATION, or the end of time. */
static inline gint64
weft_time_after (gint64 start, guint64 duration)
{
  return duration > (guint64) G_MAXINT64 - (guint64) start ? G_MAXINT64
                                                           : (gint64) ((guint64) start + duration);
}

/* Whether something that runs from START to END is in the scope's range. What takes no time is in
 * the range that it begins in.
 */
static inline gboolean
weft_scope_overlaps (const WeftAnalysisScope *scope, gint64 start, gint64 end)
{
  return start < scope->end && (end > scope->begin || (start == end && start == scope->begin));
}

/* Time between START and END that lies within the scope's range. */
static inline guint64
weft_scope_clip (const WeftAnalysisScope *scope, gint64 start, gint64 end)
{
  start = MAX (start, scope->begin);
  end = MIN (end, scope->end);
  return end > start ? (guint64) end - (guint64) start : 0;
}

static inline gboolean
weft_scope_has_range (const WeftAnalysisScope *scope)
{
  return scope->begin != G_MININT64 || scope->end != G_MAXINT64;
}

/* From when to when the recording tells: from its start, or that of an earlier dispatch, to the
 * time its recorder ended it or, where that is not known, to the last end of a dispatch or the last
 * time that a thread was seen at.
 */
gboolean weft_scope_find_span (const WeftAnalysisScope *scope, gint64 *begin, gint64 *end,
                               GError **error);

/* The part of the span that the range leaves, or WEFT_ERROR_OUT_OF_RANGE where it leaves none. */
gboolean weft_scope_find_range (const WeftAnalysisScope *scope, gint64 *begin, gint64 *end,
                                GError **error);

/* Whether no dispatch of a chunk can overlap the scope's range, as far as its zones tell. */
gboolean weft_scope_skips_chunk (const WeftAnalysisScope *scope, guint chunk);

/* Passes columns of all dispatches to FUNC, chunk by chunk, kept nowhere. */
gboolean weft_scope_scan_dispatches (const WeftAnalysisScope *scope,
                                     const WeftColumnNumber *columns, guint n_columns,
                                     WeftScanFunc func, gpointer data, GError **error);

/* A point in time that was asked for lies in the span; default: its end. */
gboolean weft_scope_find_time (const WeftAnalysisScope *scope, gint64 *at, GError **error);

/* What the filter leaves of the dispatches; NULL in *SELECTION where there is none: all. */
gboolean weft_scope_select_dispatches (const WeftAnalysisScope *scope, WeftSelection **selection,
                                       GError **error);

/* Whether the filter speaks of lanes as a whole, and of nothing that is of their dispatches. */
gboolean weft_scope_filters_lanes_only (const WeftAnalysisScope *scope);

/* Then: the set of their ids; NULL in *LANES where there is no filter: all. */
gboolean weft_scope_select_lanes (const WeftAnalysisScope *scope, GHashTable **lanes,
                                  GError **error);

/* Why there is nothing to show of dispatches: nothing recorded, no lanes, none that ran, none that
 * the filter matches, and what each part of it matches alone. To be freed.
 */
char *weft_scope_explain_nothing (const WeftAnalysisScope *scope);
/* Tells it with BUILDER's table. */
void weft_scope_set_nothing (const WeftAnalysisScope *scope, WeftTableBuilder *builder);

G_END_DECLS
