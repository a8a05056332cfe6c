/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* What is known of a clock's calibration. */
typedef struct
{
  guint64 id;
  const char *name; /* or NULL; belongs to the store */
  guint64 kind;
  guint64 runtime;
  double frequency; /* that the program stated, 1/s; 0: unknown */
  guint64 pairs;
  guint64 error_bound;   /* the largest of the pairs', ns */
  gboolean has_measured; /* two pairs apart in time */
  double measured;       /* frequency between the first and the last pair, 1/s */
  guint64 extrapolated;  /* dispatches whose times lie far from the next pair */
} WeftClockFacts;

/* By id; element type WeftClockFacts. */
GArray *weft_clock_facts_read (const WeftAnalysisScope *scope, GError **error);

/* How much faster it runs than stated, parts in a million; FALSE where that is not known. */
gboolean weft_clock_facts_get_drift (const WeftClockFacts *clock, double *drift);

G_END_DECLS
