/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-times.h"
#include "weft-measures.h"

G_BEGIN_DECLS

/* How far off the figures of groups of dispatches may be for what happened within one recording. */

typedef enum
{
  WEFT_TIME_TOTAL,
  WEFT_TIME_COUNT,
  WEFT_TIME_MEAN,
  WEFT_TIME_P50,
  WEFT_TIME_P95,
  WEFT_TIME_P99,
  WEFT_N_TIMES
} WeftTimeFigure;

typedef struct _WeftDispatchNoise WeftDispatchNoise;

/* Reads the dispatches that SELECTION (NULL: all) and the scope's range leave; TIMES are those of
 * each group.
 */
WeftDispatchNoise *weft_dispatch_noise_read (const WeftDispatchGroups *groups,
                                             const WeftDispatchTimes *times,
                                             const WeftAnalysisScope *scope,
                                             const WeftSelection *selection, GError **error);
void weft_dispatch_noise_free (WeftDispatchNoise *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftDispatchNoise, weft_dispatch_noise_free)

/* Noise and degrees of a figure of a group; the value is left alone. */
void weft_dispatch_noise_get (WeftDispatchNoise *self, guint group, WeftTimeFigure figure,
                              WeftObservation *observation);

/* The noise of the median of N values that are in the order of their times. */
void weft_noise_of_values (const double *values, gsize n, WeftObservation *observation);

G_END_DECLS
