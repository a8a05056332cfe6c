// SPDX-License-Identifier: BSD-2-Clause
// The header as a C++ program uses it.
#include "weft-target.h"

#include <thread>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("work");

int
main ()
{
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetDispatch dispatch = {};
  WeftTargetStats stats;

  {
    WEFT_TARGET_SCOPE (lane, "scope");
    std::thread ([lane] { weft_target_span (lane, &routine, 1, 2); }).join ();
  }
  dispatch.lane = lane;
  dispatch.routine = &routine;
  weft_target_dispatch (&dispatch);
  weft_target_get_stats (&stats, sizeof stats);
  return stats.state == WEFT_TARGET_STATE_IDLE && weft_target_lane_get_id (lane) == 1 ? 0 : 1;
}
