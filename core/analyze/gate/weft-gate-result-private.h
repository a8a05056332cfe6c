/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-gate-result.h"
#include "weft-threshold.h"

G_BEGIN_DECLS

/* What came of one threshold. */
typedef struct
{
  const WeftThreshold *threshold;
  WeftGateVerdict verdict;
  double value;
  double limit;
  double baseline;
  gboolean has_value;
  gboolean has_limit;
  gboolean has_baseline;
  WeftThresholdUnit unit;
  const char *reason; /* why it cannot be judged, or what failed; or NULL */
} WeftGateJudgement;

WeftGateResult *weft_gate_result_new (void);
void weft_gate_result_add (WeftGateResult *self, const WeftGateJudgement *judgement);

G_END_DECLS
