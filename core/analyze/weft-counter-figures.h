/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-dispatch-stream.h"
#include "weft-row-table.h"
#include "weft-value-stats.h"

G_BEGIN_DECLS

/* What the samples of a counter say, for each of the things that they are grouped by. */
typedef struct
{
  guint64 group; /* id of the thing; 0: of none, or all in one */
  guint64 counter;
  guint64 samples;
  guint64 errors; /* of those: an error stands in the value's place */
  WeftValueStats stats;
  double last;
  double sum_of_dispatches; /* of the values that are of dispatches, not of submissions */
  guint64 dispatches;       /* that were sampled */
  guint64 target_time;      /* of those, ns */
  WeftValueStats delta;     /* value after minus value before, of dispatches that have both */
} WeftCounterFigures;

typedef enum
{
  WEFT_COUNTERS_BY_COUNTER,
  WEFT_COUNTERS_BY_ROUTINE,
  WEFT_COUNTERS_BY_LANE,
  WEFT_COUNTERS_BY_DISPATCH,
} WeftCountersBy;

/* By group, then by counter; element type WeftCounterFigures. Samples of submissions are in group 0
 * except by lane. DISPATCH: only its samples, or 0 for all that the scope and SELECTION (or NULL)
 * leave.
 */
GArray *weft_counter_figures_read (const WeftAnalysisScope *scope, const WeftSelection *selection,
                                   WeftCountersBy by, guint64 dispatch, GError **error);

/* The values combined as the producer wants it; of figures that have any. */
double weft_counter_figures_get_value (const WeftCounterFigures *figures, guint64 aggregation);

/* A counter's value as a number. */
double weft_counter_get_value (guint64 bits, guint64 value_type);
/* The same without loss; to be freed. */
char *weft_counter_get_text (guint64 bits, guint64 value_type);

G_END_DECLS
