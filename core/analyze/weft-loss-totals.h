/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* What was not kept, in the end: the stored counts are running totals. */
typedef struct
{
  guint64 lane; /* 0: of no lane */
  guint64 runtime;
  guint64 category;
  const char *reason; /* belongs to the store */
  guint64 count;
} WeftLossTotal;

/* By lane, runtime, category and reason; element type WeftLossTotal. */
GArray *weft_loss_totals_read (const WeftAnalysisScope *scope, GError **error);

G_END_DECLS
