/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-losses.h"

static const char *const names[WEFT_N_LOSSES] = {
  [WEFT_LOSS_TIMES_REVERSED] = "times-reversed",
  [WEFT_LOSS_OUT_OF_RANGE] = "out-of-range",
  [WEFT_LOSS_BEFORE_RECORDING] = "before-recording",
  [WEFT_LOSS_UNKNOWN_LANE] = "unknown-lane",
  [WEFT_LOSS_UNKNOWN_ROUTINE] = "unknown-routine",
  [WEFT_LOSS_UNKNOWN_ID] = "unknown-id",
  [WEFT_LOSS_DUPLICATE_ID] = "duplicate-id",
  [WEFT_LOSS_MALFORMED] = "malformed",
  [WEFT_LOSS_UNKNOWN_TYPE] = "unknown-type",
  [WEFT_LOSS_NO_CLOCK] = "no-clock",
  [WEFT_LOSS_INVALID] = "invalid",
  [WEFT_LOSS_NO_ROOM] = "no-room",
  [WEFT_LOSS_REENTRANT] = "reentrant",
  [WEFT_LOSS_DISCONNECTED] = "disconnected",
  [WEFT_LOSS_TOO_LARGE] = "too-large",
  [WEFT_LOSS_SEQUENCE_GAP] = "sequence-gap",
  [WEFT_LOSS_TOO_MANY_PENDING] = "too-many-pending",
  [WEFT_LOSS_TOO_MANY_REGISTERED] = "too-many-registered",
  [WEFT_LOSS_STACK_SKIPPED] = "stack-skipped",
  [WEFT_LOSS_SAMPLE_LOST] = "sample-lost",
  [WEFT_LOSS_SAMPLER_BEHIND] = "sampler-behind",
  [WEFT_LOSS_BY_SAMPLING] = "by-sampling",
  [WEFT_LOSS_SNAPSHOT_SKIPPED] = "snapshot-skipped",
  [WEFT_LOSS_STRING_CUT] = "string-cut",
  [WEFT_LOSS_LIST_CUT] = "list-cut",
  [WEFT_LOSS_INVALID_UTF8] = "invalid-utf8",
};

const char *
weft_loss_get_name (WeftLoss loss)
{
  return names[loss];
}

WeftLossClass
weft_loss_get_category (WeftLoss loss)
{
  if (loss <= WEFT_LOSS_INVALID)
    return WEFT_LOSS_REJECTED;
  if (loss <= WEFT_LOSS_SAMPLER_BEHIND)
    return WEFT_LOSS_LOST;
  if (loss <= WEFT_LOSS_SNAPSHOT_SKIPPED)
    return WEFT_LOSS_SAMPLED_OUT;
  return WEFT_LOSS_REPAIRED;
}

gboolean
weft_loss_is_of_record (WeftLoss loss)
{
  return loss != WEFT_LOSS_STACK_SKIPPED && loss != WEFT_LOSS_TOO_MANY_REGISTERED &&
         loss != WEFT_LOSS_SAMPLE_LOST && loss != WEFT_LOSS_SAMPLER_BEHIND &&
         loss != WEFT_LOSS_SNAPSHOT_SKIPPED && weft_loss_get_category (loss) != WEFT_LOSS_REPAIRED;
}
