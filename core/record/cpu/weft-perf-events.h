/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-perf-ring.h"
#include "weft-tracing.h"

G_BEGIN_DECLS

/*
 * Events of the kernel, on each CPU, with one ring for each CPU that all of its events write to.
 */
typedef struct _WeftPerfEvents WeftPerfEvents;

typedef enum
{
  WEFT_PERF_SAMPLES,       /* of who runs; and of maps, names, forks, exits, switches */
  WEFT_PERF_SWITCHES,      /* tracepoint: with the stack of who stops to run */
  WEFT_PERF_WAKINGS,       /* tracepoint: with the stack of who wakes somebody up */
  WEFT_PERF_OTHER_WAKINGS, /* tracepoint: without */
  WEFT_PERF_N_KINDS,
} WeftPerfKind;

typedef struct
{
  guint frequency;   /* Hz */
  guint stack_bytes; /* of samples */
  gsize ring_bytes;  /* of each CPU; a smaller one where no more is allowed */
  gboolean kernel;   /* samples in it, and its stacks */
  gboolean switches; /* records of them */
  gboolean inherit;  /* to new threads and processes */
  gboolean on_exec;  /* enabled once the process runs another program */
  gboolean counters; /* cycles and instructions, if there are any */
} WeftPerfSettings;

/* Whom events are of. */
typedef struct
{
  int id; /* of a thread; -1: of any; or a control group's descriptor */
  gboolean is_group;
} WeftPerfTarget;

WeftPerfEvents *weft_perf_events_new (const WeftPerfSettings *settings);

/* The rings as well, which MERGE holds. */
void weft_perf_events_free (WeftPerfEvents *self);

/* On each CPU; POINT and FILTER (may be NULL) for tracepoints. They are disabled. Returns 0, or an
 * errno: then none of them is left.
 */
int weft_perf_events_open (WeftPerfEvents *self, WeftPerfKind kind, const WeftPerfTarget *target,
                           const WeftTracepoint *point, const char *filter);

void weft_perf_events_set_enabled (WeftPerfEvents *self, WeftPerfKind kind, gboolean enabled);

WeftPerfMerge *weft_perf_events_get_merge (WeftPerfEvents *self);

/* FALSE: it is none of ours. */
gboolean weft_perf_events_identify (WeftPerfEvents *self, guint64 id, WeftPerfKind *kind,
                                    guint64 *sample_type);

/* Which counter it is: 0 cycles, 1 instructions; -1: none. */
int weft_perf_events_identify_counter (WeftPerfEvents *self, guint64 id);
gboolean weft_perf_events_has_counters (WeftPerfEvents *self);

/* Of each CPU; 0: there is none yet. */
gsize weft_perf_events_get_ring_bytes (WeftPerfEvents *self);

/* Until one of the rings is filling, DESCRIPTOR is readable, or the time (CLOCK_MONOTONIC ns) has
 * come.
 */
void weft_perf_events_wait (WeftPerfEvents *self, int descriptor, gint64 until);

/* How long (ns) the rings may be left alone while nothing ends that wait: they tell when they are
 * filling, but for those that are small for their rate, and those of which the kernel no longer
 * tells.
 */
gint64 weft_perf_events_get_drain_interval (WeftPerfEvents *self);

G_END_DECLS
