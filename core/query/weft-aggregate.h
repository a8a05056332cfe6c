/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"

G_BEGIN_DECLS

typedef enum
{
  WEFT_AGGREGATE_NONE,
  WEFT_AGGREGATE_COUNT,
  WEFT_AGGREGATE_COUNT_DISTINCT,
  WEFT_AGGREGATE_SUM,
  WEFT_AGGREGATE_MIN,
  WEFT_AGGREGATE_MAX,
  WEFT_AGGREGATE_MEAN,
  WEFT_AGGREGATE_STDDEV,
  WEFT_AGGREGATE_PERCENTILE,
  WEFT_AGGREGATE_BUSY,
} WeftAggregateKind;

typedef struct
{
  WeftAggregateKind kind;
  double percentile;
} WeftAggregate;

/* Reads “sum(duration)”. ARGUMENT is NULL where there is none; of a text that is no aggregate it
 * is the text. “count” is the field, where the table has one. Fails with WEFT_ERROR_INVALID_QUERY.
 */
gboolean weft_aggregate_parse (WeftTableId table, const char *text, WeftAggregate *aggregate,
                               char **argument, GError **error);

/* Whether values of EXPRESSION, where its type is known, can be aggregated so. */
gboolean weft_aggregate_check (const WeftAggregate *self, const char *text,
                               const WeftExpression *expression, GError **error);

/* Type of the result. */
WeftValueType weft_aggregate_get_type (const WeftAggregate *self, const WeftExpression *expression);

G_END_DECLS
