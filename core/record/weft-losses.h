/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What was not kept, and why. Conservation of a lane:
 * submitted = completed + pending + sampled out + rejected + lost.
 */
typedef enum
{
  WEFT_LOSS_REJECTED,    /* a record was refused */
  WEFT_LOSS_LOST,        /* a record never arrived, or had to be let go */
  WEFT_LOSS_SAMPLED_OUT, /* by the producer's decision */
  WEFT_LOSS_REPAIRED,    /* kept, with a string cut or mended: not part of the sum */
} WeftLossClass;

typedef enum
{
  /* Rejected. */
  WEFT_LOSS_TIMES_REVERSED,
  WEFT_LOSS_OUT_OF_RANGE,
  WEFT_LOSS_BEFORE_RECORDING,
  WEFT_LOSS_UNKNOWN_LANE,
  WEFT_LOSS_UNKNOWN_ROUTINE,
  WEFT_LOSS_UNKNOWN_ID,
  WEFT_LOSS_DUPLICATE_ID,
  WEFT_LOSS_MALFORMED,
  WEFT_LOSS_UNKNOWN_TYPE,
  WEFT_LOSS_NO_CLOCK,
  WEFT_LOSS_INVALID,
  /* Lost. */
  WEFT_LOSS_NO_ROOM,
  WEFT_LOSS_REENTRANT,
  WEFT_LOSS_DISCONNECTED,
  WEFT_LOSS_TOO_LARGE,
  WEFT_LOSS_SEQUENCE_GAP,
  WEFT_LOSS_TOO_MANY_PENDING,
  WEFT_LOSS_TOO_MANY_REGISTERED,
  WEFT_LOSS_STACK_SKIPPED,
  WEFT_LOSS_SAMPLE_LOST,    /* an event of a CPU source, for want of room in the kernel's buffer */
  WEFT_LOSS_SAMPLER_BEHIND, /* a sample or wait, for the file's thread did not keep up */
  /* Sampled out. */
  WEFT_LOSS_BY_SAMPLING,
  WEFT_LOSS_SNAPSHOT_SKIPPED, /* the stack of a wait, for looking costs no more than allowed */
  /* Repaired. */
  WEFT_LOSS_STRING_CUT,
  WEFT_LOSS_LIST_CUT,
  WEFT_LOSS_INVALID_UTF8,
  WEFT_N_LOSSES,
} WeftLoss;

const char *weft_loss_get_name (WeftLoss loss);
WeftLossClass weft_loss_get_category (WeftLoss loss);

/* Whether the loss is one of a lane's records, so that it belongs into the lane's sum. */
gboolean weft_loss_is_of_record (WeftLoss loss);

G_END_DECLS
