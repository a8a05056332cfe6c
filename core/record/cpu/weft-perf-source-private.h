/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cgroup.h"
#include "weft-perf-events.h"
#include "weft-perf-record.h"
#include "weft-perf-source.h"

G_BEGIN_DECLS

/* Events that carry stacks are paused once they cost too much, counted in windows of time. */
typedef struct
{
  WeftPerfKind kind;
  guint limit; /* events in one window */
  guint n;     /* in this window */
  gboolean is_paused;
  guint64 n_paused; /* windows */
} WeftPerfBrake;

struct _WeftPerfSource
{
  WeftCpuTracker *tracker;
  WeftPerfEvents *events;
  WeftCgroup *cgroup; /* or NULL */
  int held;           /* pid that has not run its program yet; 0: none */
  int self_pid;
  gboolean whole_system;     /* what is the recorder's own is left out */
  gboolean frozen_at_setuid; /* the kernel takes events away from programs with others' rights */
  GHashTable *only;          /* pids; NULL: all that comes */
  GHashTable
      *threads; /* tids that were heard of, for wake-ups by others; NULL: those are not had */

  gboolean tracepoints;
  WeftTracepoint switch_point;
  WeftTracepoint waking_point;
  GArray *told_switches; /* by CPU: tid whose switch was told by the tracepoint */
  WeftPerfBrake brakes[3];
  gint64 window; /* its end */
  guint64 n_windows;

  GHashTable *counters; /* last values by CPU, or by tid where events are inherited */
  gboolean counters_by_thread;

  WeftPerfRecord record; /* being told */
  guint64 n_events;
  guint64 n_samples;
  guint64 n_switches; /* records of them */
  guint64 n_stacks;   /* of tracepoints */
  guint64 lost;
  guint64 throttled;
  guint64 malformed;
  guint64 told_lost; /* of what notes were taken */
  GPtrArray *notes;
};

/* Opens what the options ask for. */
gboolean weft_perf_source_open (WeftPerfSource *self, const WeftCpuSourceOptions *options,
                                WeftCpuFacts *facts, GError **error);

G_END_DECLS
