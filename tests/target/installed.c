/* SPDX-License-Identifier: BSD-2-Clause */
/* What the first page of the guide shows. */
#include <weft-target.h>

static WeftTargetRoutine compress = WEFT_TARGET_ROUTINE ("compress");

int
main (void)
{
  WeftTargetLane *lane = weft_target_lane_new ("worker 1", "threadpool.worker");

  for (int i = 0; i < 3; i++)
    {
      WeftTargetSpan span = weft_target_span_begin (lane, &compress);

      weft_target_span_end (span);
    }
  return 0;
}
