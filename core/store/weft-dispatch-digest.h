/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-chunk-builder.h"

G_BEGIN_DECLS

/* The columns of one chunk of dispatches, sorted by (lane, start), that what is derived from it
 * is made of.
 */
typedef struct
{
  guint32 n_rows;
  guint32 n_lanes;
  const guint64 *ids;
  const guint64 *lanes;
  const guint64 *lane_rows;
  const guint64 *starts;
  const guint64 *durations;
  const guint64 *routines;
  const guint64 *statuses; /* NULL: all ok */
  guint64 min_routine;
  guint64 max_routine;
  guint64 max_duration;
  guint32 n_routines;
  guint64 *routine_names;  /* the routines, ascending */
  guint16 *routine_places; /* of each row */
  gint64 *ends;            /* of each row */
} WeftDispatchColumns;

/* Fills n_routines and what follows it (arrays have room for a chunk's rows). */
void weft_dispatch_columns_prepare (WeftDispatchColumns *self);

/* Count, sum, min and max by lane and routine, and a histogram by routine. */
typedef struct _WeftSummaryBuilder WeftSummaryBuilder;

WeftSummaryBuilder *weft_summary_builder_new (void);
void weft_summary_builder_free (WeftSummaryBuilder *self);
void weft_summary_builder_add (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
                               WeftChunkBuilder *chunk);

/* Cells of (lane, bucket of time) at several widths; FALSE if the rows defy that. */
typedef struct _WeftLodBuilder WeftLodBuilder;

WeftLodBuilder *weft_lod_builder_new (void);
void weft_lod_builder_free (WeftLodBuilder *self);
gboolean weft_lod_builder_add (WeftLodBuilder *self, const WeftDispatchColumns *columns,
                               WeftChunkBuilder *chunk);

G_END_DECLS
