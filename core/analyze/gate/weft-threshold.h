/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-gate-result.h"

G_BEGIN_DECLS

/* One line of what a gate demands: "NAME: FIGURE [FILTER] COMPARISON VALUE". */

typedef enum
{
  WEFT_THRESHOLD_BELOW,
  WEFT_THRESHOLD_AT_MOST,
  WEFT_THRESHOLD_ABOVE,
  WEFT_THRESHOLD_AT_LEAST,
  WEFT_THRESHOLD_EQUAL,
} WeftThresholdComparison;

/* What a number counts, as far as it can be said. */
typedef enum
{
  WEFT_THRESHOLD_PLAIN,
  WEFT_THRESHOLD_TIME,  /* ns */
  WEFT_THRESHOLD_SHARE, /* percent */
} WeftThresholdUnit;

/* How a figure is found. */
typedef enum
{
  WEFT_THRESHOLD_QUERY,      /* EXPRESSION of TABLE */
  WEFT_THRESHOLD_COVERAGE,   /* per cent of the dispatches that EXPRESSION, a filter, leaves */
  WEFT_THRESHOLD_LINKED,     /* per cent of the origins of queuing that are linked */
  WEFT_THRESHOLD_CPU_TIME,   /* of samples */
  WEFT_THRESHOLD_CPU_SHARE,  /* of all samples */
  WEFT_THRESHOLD_BOOKS,      /* column EXPRESSION of conservation, added up */
  WEFT_THRESHOLD_FINDINGS,   /* with the verdict EXPRESSION */
  WEFT_THRESHOLD_WALL,       /* from begin to end */
  WEFT_THRESHOLD_REGRESSION, /* figures that got worse than those of the baseline */
} WeftThresholdSource;

typedef struct
{
  char *text;  /* as it was given, without the name */
  char *label; /* its name; its text if it has none */
  char *figure;
  char *filter; /* or NULL */
  char *value;
  WeftThresholdSource source;
  char *table;
  char *expression;
  WeftThresholdComparison comparison;
  double limit;           /* ns, percent or plain; of a relative one: parts of the baseline's */
  gboolean is_relative;   /* +10%, -5% */
  WeftThresholdUnit unit; /* that VALUE was given in */
} WeftThreshold;

/* Fails with WEFT_ERROR_INVALID_QUERY or WEFT_ERROR_INVALID_FILTER, and says what to write. */
WeftThreshold *weft_threshold_parse (const char *text, GError **error);
void weft_threshold_free (WeftThreshold *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftThreshold, weft_threshold_free)

/* Whether VALUE is as it must be, where LIMIT is absolute. */
gboolean weft_threshold_holds (const WeftThreshold *self, double value, double limit);

/* "1.50 ms", "5 %", "12"; to be freed. */
char *weft_threshold_format (double value, WeftThresholdUnit unit);

G_END_DECLS
