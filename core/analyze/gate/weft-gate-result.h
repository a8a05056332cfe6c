/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-report.h"

G_BEGIN_DECLS

/**
 * WeftGateVerdict:
 * @WEFT_GATE_PASSED: everything that is demanded holds
 * @WEFT_GATE_FAILED: something that is demanded does not hold
 * @WEFT_GATE_CANNOT_JUDGE: the recordings do not say whether it does
 *
 * What comes of a gate, and of each of its thresholds. The values are the exit statuses of
 * `weft check`.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_GATE_PASSED,
  WEFT_GATE_FAILED,
  WEFT_GATE_CANNOT_JUDGE,
} WeftGateVerdict;

#define WEFT_TYPE_GATE_RESULT (weft_gate_result_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftGateResult, weft_gate_result, WEFT, GATE_RESULT, GObject)

WEFT_API WeftGateVerdict weft_gate_result_get_verdict (WeftGateResult *self);
WEFT_API guint weft_gate_result_count (WeftGateResult *self, WeftGateVerdict verdict);
WEFT_API WeftReport *weft_gate_result_get_report (WeftGateResult *self);
WEFT_API char *weft_gate_result_to_text (WeftGateResult *self);
WEFT_API char *weft_gate_result_to_markdown (WeftGateResult *self);
WEFT_API char *weft_gate_result_to_junit (WeftGateResult *self);

G_END_DECLS
