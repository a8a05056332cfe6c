/* SPDX-License-Identifier: BSD-2-Clause */
/* A plugin with a copy of the library of its own; see test-copies.c. */
#include "weft-target.h"

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("in the plugin");

__attribute__ ((visibility ("default"))) void plugin_run (unsigned int n);
__attribute__ ((visibility ("default"))) WeftTargetGate *plugin_gate (void);

void
plugin_run (unsigned int n)
{
  static WeftTargetLane *lane;

  if (lane == NULL)
    lane = weft_target_lane_new ("plugin", "test.lane");
  for (unsigned int i = 0; i < n; i++)
    weft_target_span (lane, &routine, i, i + 1);
}

WeftTargetGate *
plugin_gate (void)
{
  return &weft_target_gate;
}
