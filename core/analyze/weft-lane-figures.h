/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-stream.h"

G_BEGIN_DECLS

/* What ran on a lane within the range. */
typedef struct
{
  guint32 lane;
  gint64 first; /* start of the first dispatch */
  gint64 last;  /* end of the last one to end */
  guint64 count;
  guint64 total; /* of all, each clipped to the range: may exceed the wall time */
  guint64 busy;  /* in which at least one ran */
  guint64 self;  /* TOTAL without what ran nested in others of the same lane */
  double sum;    /* of the durations, not clipped */
  guint64 longest;
  guint64 errors;
  guint64 canceled;
  guint tracks; /* most dispatches that ran at once */
} WeftLaneFigures;

typedef struct _WeftLaneTable WeftLaneTable;

WeftLaneTable *weft_lane_table_new (const WeftAnalysisScope *scope, const WeftSelection *selection,
                                    GError **error);
void weft_lane_table_free (WeftLaneTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftLaneTable, weft_lane_table_free)

/* NULL if nothing that is selected ran there. */
const WeftLaneFigures *weft_lane_table_get (WeftLaneTable *self, guint32 lane);

G_END_DECLS
