/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-query.h"

G_BEGIN_DECLS

/* What is told of a group of dispatches. */
typedef enum
{
  WEFT_TOP_COUNT,
  WEFT_TOP_TOTAL, /* clipped to the range; all others are of whole dispatches */
  WEFT_TOP_SELF,
  WEFT_TOP_MEAN,
  WEFT_TOP_P50,
  WEFT_TOP_P95,
  WEFT_TOP_P99,
  WEFT_TOP_MAX,
  WEFT_TOP_MIN,
  WEFT_TOP_STDDEV,
  WEFT_TOP_ERRORS,
  WEFT_TOP_QUEUE_WAIT,
  WEFT_TOP_N_FIGURES
} WeftTopFigure;

typedef struct
{
  const char *name;
  const char *expression; /* of a query for dispatches */
  WeftValueType type;
} WeftTopColumn;

extern const WeftTopColumn weft_top_columns[WEFT_TOP_N_FIGURES];

/* Groups that rows of the answer stand for: a column with the key, the figures, and "counter" where
 * COUNTER is not NULL: the values of that expression, combined by the aggregate COMBINE. In the
 * scope's order, the page that it asks for.
 */
WeftTable *weft_top_query (const WeftAnalysisScope *scope, const char *key, const char *counter,
                           const char *combine, GError **error);

/* The same by the thread that queued each dispatch, which is not a field of dispatches. */
WeftTable *weft_top_query_origins (const WeftAnalysisScope *scope, const char *counter,
                                   const char *combine, GError **error);

/* A query for the dispatches that the scope leaves. */
WeftQuery *weft_top_query_new (const WeftAnalysisScope *scope, GError **error);

G_END_DECLS
