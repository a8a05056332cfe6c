/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-stream.h"
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

/* A dispatch is in one group of each sort at most: of its routine, of its lane, of its source. */
#define WEFT_N_GROUP_SORTS 3

typedef struct _WeftDispatchNoise WeftDispatchNoise;

WeftDispatchNoise *weft_dispatch_noise_new (void);
void weft_dispatch_noise_free (WeftDispatchNoise *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftDispatchNoise, weft_dispatch_noise_free)

/* A group that N dispatches are in. Returns its number. */
guint weft_dispatch_noise_add_group (WeftDispatchNoise *self, guint64 n);
/* In which groups the dispatches of a routine on a lane are; G_MAXUINT: in none of that sort. */
void weft_dispatch_noise_add_pair (WeftDispatchNoise *self, guint32 lane, guint32 routine,
                                   const guint *groups);
/* Reads the dispatches that SELECTION (NULL: all) and the scope's range leave. */
gboolean weft_dispatch_noise_read (WeftDispatchNoise *self, const WeftAnalysisScope *scope,
                                   const WeftSelection *selection, GError **error);
/* Noise and degrees of a figure of a group; the value is left alone. */
void weft_dispatch_noise_get (WeftDispatchNoise *self, guint group, WeftTimeFigure figure,
                              WeftObservation *observation);

/* The noise of the median of N values that are in the order of their times. */
void weft_noise_of_values (const double *values, gsize n, WeftObservation *observation);

G_END_DECLS
