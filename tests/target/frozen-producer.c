/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A producer built from a frozen library. Usage: frozen-producer [SPANS]
 * Writes SPANS spans and a dispatch, and prints the state of its runtime.
 */
#include "weft-target.h"

#include <stdio.h>
#include <stdlib.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("frozen work");

int
main (int argc, char **argv)
{
  unsigned int n = argc > 1 ? (unsigned int) atoi (argv[1]) : 100;
  WeftTargetLane *lane = weft_target_lane_new ("frozen", "test.lane");
  const WeftTargetTag tag = { "build", WEFT_TARGET_VALUE_STRING, { .string = "frozen" } };
  WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .tags = &tag, .n_tags = 1 };
  WeftTargetStats stats;

  for (unsigned int i = 0; i < n; i++)
    {
      uint64_t now = weft_target_now ();

      weft_target_span (lane, &routine, now, now + 1000);
    }
  dispatch.id = weft_target_id_new ();
  dispatch.start = weft_target_now ();
  dispatch.end = weft_target_now ();
  weft_target_dispatch (&dispatch);
  weft_target_get_stats (&stats, sizeof stats);
  printf ("%s: state %d, %llu written\n", weft_target_version (), (int) stats.state,
          (unsigned long long) stats.queued);
  return 0;
}
