/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../record-rig.h"
#include "weft-cpu-tracker.h"

/* A tracker with a file behind it, and no source: tests tell it what happens. Times of events are
 * in nanoseconds since START.
 */
typedef struct
{
  char *folder;
  char *file;
  gint64 start;
  WeftStoreWriter *writer;
  WeftIngest *ingest;
  WeftModuleSet *modules;
  GMainContext *context;
  WeftCpuRows *rows;
  WeftCpuTracker *tracker;
} CpuRig;

CpuRig *cpu_rig_new (const WeftCpuTrackerOptions *options);
WeftStore *cpu_rig_stop (CpuRig *rig, gint64 end); /* the finished file */
void cpu_rig_free (CpuRig *rig);

/* Row of the first thread of that name (or number) in a recording; G_MAXUINT64 if there is none. */
guint64 cpu_rig_thread_id (WeftStore *store, const char *name);
