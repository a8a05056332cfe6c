/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-cpu-rows.h"
#include "weft-unwinder.h"

G_BEGIN_DECLS

/*
 * What happens on the CPUs, by process and thread: who runs, who waits and for what, and where.
 *
 * Sources of CPU events tell of them in the order of their times (CLOCK_MONOTONIC ns). The tracker
 * follows forks, execs and exits, knows each process's mappings, unwinds each stack while the
 * memory that it is in is known, keeps each distinct frame and stack once, reads the stacks of
 * threads that wait, and hands rows over for the file.
 *
 * Every function may be called on any thread, for all take the tracker's lock; the events come from
 * one, the sampler's.
 */
typedef struct _WeftCpuTracker WeftCpuTracker;

typedef struct
{
  gint64 snapshot_interval; /* ns between looks at waiting threads; 0: they are not looked at */
  guint snapshot_share;     /* of one CPU that looks may cost, in thousandths; 0: 50 */
  guint max_frames;         /* of a stack; 0: 1024 */
  gboolean approximate;     /* times of switches are the source's guesses: waits are marked so */
} WeftCpuTrackerOptions;

/* Bits of WeftCpuSample.marks and of the column "marks" of samples. */
#define WEFT_CPU_MARK_APPROXIMATE 1u
#define WEFT_CPU_MARK_EXTENDED 2u

/* ROWS and MODULES outlive it. OPTIONS may be NULL. */
WeftCpuTracker *weft_cpu_tracker_new (const WeftCpuTrackerOptions *options, WeftModuleSet *modules,
                                      WeftCpuRows *rows);
void weft_cpu_tracker_free (WeftCpuTracker *self);

/* Sources know what they can do only once they have tried: before the first event. */
void weft_cpu_tracker_set_options (WeftCpuTracker *self, const WeftCpuTrackerOptions *options);

/* For recordings without end: once there are more than MAX callchains, all are forgotten, and those
 * that come again get new ids. Before the first event.
 */
void weft_cpu_tracker_set_max_callchains (WeftCpuTracker *self, guint max);

typedef struct
{
  gint64 time;
  int pid;
  guint64 address;
  guint64 length;
  guint64 offset; /* in the file */
  guint64 device; /* 0: not known */
  guint64 inode;
  const guint8 *build_id; /* or NULL */
  gsize build_id_length;
  const char *path; /* as the process sees it; "[vdso]", "//anon", … */
} WeftCpuMap;

typedef struct
{
  gint64 time;
  int pid;
  int tid;
  guint cpu;
  guint64 weight; /* ns of CPU time that it stands for */
  guint marks;
  const WeftRegisters *registers; /* NULL: no user stack */
  const guint8 *stack;            /* from the stack pointer on */
  gsize stack_length;
  const guint64 *kernel_chain; /* innermost first */
  guint n_kernel;
  gboolean has_counters;
  guint64 cycles;
  guint64 instructions;
  WeftReadStackFunc more; /* reads beyond the copy; or NULL */
  gpointer more_data;
} WeftCpuSample;

/* An executable mapping. */
void weft_cpu_tracker_map (WeftCpuTracker *self, const WeftCpuMap *map);

/* IS_EXEC: the process has begun another program, under this name. */
void weft_cpu_tracker_name (WeftCpuTracker *self, gint64 time, int pid, int tid, const char *name,
                            gboolean is_exec);

/* A new thread, of the same process as PARENT_PID or of a forked one. */
void weft_cpu_tracker_start (WeftCpuTracker *self, gint64 time, int pid, int tid, int parent_pid,
                             int parent_tid);
void weft_cpu_tracker_exit (WeftCpuTracker *self, gint64 time, int pid, int tid);
void weft_cpu_tracker_sample (WeftCpuTracker *self, const WeftCpuSample *sample);

/* PREEMPTED: it could have gone on. STATE is the kernel's; 0: not known. STACK: where it was, where
 * that is told, or NULL.
 */
void weft_cpu_tracker_switch_out (WeftCpuTracker *self, gint64 time, int pid, int tid,
                                  gboolean preempted, guint state, const WeftCpuSample *stack);
void weft_cpu_tracker_switch_in (WeftCpuTracker *self, gint64 time, int pid, int tid, guint cpu);

/* IN_INTERRUPT: the waker was interrupted to do it, and has no part in it. */
void weft_cpu_tracker_wakeup (WeftCpuTracker *self, gint64 time, int waker_pid, int waker_tid,
                              int wakee_tid, gboolean in_interrupt, const WeftCpuSample *stack);

/* COUNT events did not arrive. */
void weft_cpu_tracker_lost (WeftCpuTracker *self, gint64 time, guint cpu, guint64 count);

/* A process that runs already: its threads, name and mappings are read from /proc. Harmless if it
 * is known. FALSE: there is no such process, or it is none of ours to look at.
 */
gboolean weft_cpu_tracker_attach (WeftCpuTracker *self, gint64 time, int pid);

/* Looks at the threads that wait, and hands rows over. After all events up to NOW were told.
 * Returns when to call again.
 */
gint64 weft_cpu_tracker_tick (WeftCpuTracker *self, gint64 now);

/* Hands over at once what was told so far. */
void weft_cpu_tracker_hand_over (WeftCpuTracker *self, gint64 now);

/* Ends what is still open: after the last event. */
void weft_cpu_tracker_finish (WeftCpuTracker *self, gint64 now);

/* A process of which stacks may come that somebody else copies: its mappings are read now, unless
 * events tell of them, for it may have ended by then. As often as it begins to report.
 */
void weft_cpu_tracker_prepare (WeftCpuTracker *self, int pid);

/* A stack that somebody else copied, of a process whether sampled or not. Returns the id of its
 * callchain (rows come with the next tick); 0: none.
 */
guint64 weft_cpu_tracker_unwind (WeftCpuTracker *self, int pid, const WeftRegisters *registers,
                                 const WeftStackCopy *stack, WeftStackEnd *end, gboolean *extended);

typedef struct
{
  guint64 samples;
  guint64 stacks_complete; /* of them */
  guint64 waits;
  guint64 wait_time;    /* ns; all waits that have ended */
  guint64 covered_time; /* of it: preempted, or with a stack */
  guint64 snapshots;
  guint64 snapshots_discarded; /* the thread ran meanwhile */
  guint64 snapshots_refused;   /* /proc is closed to us */
  guint64 snapshots_skipped;   /* waits that ended before their turn came, for the cost is capped */
  guint64 snapshot_cpu;        /* ns */
  guint64 wakers_known;        /* waits whose waker is known; interrupts count as known */
  guint64 lost;                /* events that did not arrive */
  guint64 behind;              /* rows that could not be handed over */
  guint64 frames;
  guint64 callchains;
} WeftCpuTrackerStatus;

void weft_cpu_tracker_get_status (WeftCpuTracker *self, WeftCpuTrackerStatus *status);

G_END_DECLS
