/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-groups.h"

G_BEGIN_DECLS

#define WEFT_N_TIME_RANKS 3

/* What the dispatches of a group took, in nanoseconds. */
typedef struct
{
  guint64 count;
  guint64 sum;                      /* no more than G_MAXUINT64, as is TOTAL */
  guint64 total;                    /* each clipped to the scope's range */
  guint64 ranks[WEFT_N_TIME_RANKS]; /* p50, p95, p99: of nearest rank */
} WeftDispatchTimes;

/* Those of each group, in one array to be freed, from two readings of the dispatches for all. */
WeftDispatchTimes *weft_dispatch_times_read (const WeftDispatchGroups *groups,
                                             const WeftAnalysisScope *scope,
                                             const WeftSelection *selection, GError **error);

G_END_DECLS
