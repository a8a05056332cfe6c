/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-typical.h"

G_BEGIN_DECLS

/* A dispatch that stands out. */
typedef struct
{
  guint64 id;
  guint32 lane;
  guint32 routine;
  guint32 depth;
  gint64 start;
  gint64 end;
  double distance;
} WeftOutlier;

typedef enum
{
  WEFT_REASON_QUEUE_DELAY,
  WEFT_REASON_ATTACHMENTS,
  WEFT_REASON_COUNTER,
  WEFT_REASON_PHASE,
  WEFT_REASON_NESTED,
  WEFT_REASON_SAME_LANE,
  WEFT_REASON_OTHER_LANES,
  WEFT_REASON_FIRST,
  WEFT_REASON_ATTEMPTS,
  WEFT_REASON_STATUS,
  WEFT_N_REASONS
} WeftReasonKind;

/* What was different about it. Figures are told with what is typical of the routine. */
typedef struct
{
  WeftReasonKind kind;
  guint outlier; /* its place */
  double value;
  double typical;
  double distance; /* in scales; 0 where nothing was measured */
  char *counter;   /* name, of COUNTER */
  char *text;
} WeftReason;

const char *weft_reason_get_name (WeftReasonKind kind);

/* Of OUTLIERS (element type WeftOutlier): element type WeftReason, by outlier, the figure furthest
 * from what is typical first, then what is no figure.
 */
GArray *weft_outlier_reasons_new (const WeftAnalysisScope *scope, GArray *outliers, GError **error);

G_END_DECLS
