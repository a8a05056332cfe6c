/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sched.h>
#include <time.h>

#include "weft-ptrace-place.h"
#include "weft-ptrace-source.h"

G_BEGIN_DECLS

typedef struct
{
  int pid;
  guint n_threads;
  GHashTable *mappings; /* lines of /proc/PID/maps that were told */
  GArray *ranges;       /* element-type guint64: begin and end of code, in pairs */
  gint64 read;          /* when the mappings were read last */
  gint64 read_interval; /* grows while nothing happens */
  int memory;           /* /proc/PID/mem; -1: not needed */
} WeftTracedProcess;

typedef struct
{
  int tid;
  WeftTracedProcess *process;
  int descriptor;    /* /proc/…/syscall; -1: it is closed to us */
  int runtime;       /* /proc/…/schedstat; -1: there is none */
  guint64 ran;       /* ns of CPU time at the last sample */
  gboolean is_asked; /* to stop */
  gboolean is_held;  /* it has not run its program yet */
  gboolean is_group_stopped;
  gboolean is_waiting; /* at the last look */
  gint64 looked;       /* when; for the weight of its next sample */
  guint64 weight;      /* ns since the last look, where its CPU time is not known */
  guint64 cpu_address; /* where the program keeps the number of its CPU; 0: nowhere */
} WeftTracedThread;

struct _WeftPtraceSource
{
  WeftCpuTracker *tracker;
  WeftProgram *program; /* or NULL */
  gint64 period;        /* ns */
  guint stack_bytes;
  gboolean no_waits;
  GHashTable *threads;   /* by tid */
  GHashTable *processes; /* by pid */
  GArray *order;         /* of tids: whom to look at in turn */
  guint next;
  timer_t timer;
  gboolean has_timer;
  gint64 due;       /* the next look */
  gint64 look_cost; /* ns, of one */
  WeftPtracePlace place;
  cpu_set_t anywhere; /* where the thread was allowed to run at first */
  guint8 *stack;
  guint64 n_samples;
  guint64 stopped; /* ns */
  GPtrArray *notes;
};

/* ---- weft-ptrace-threads.c: what there is, by /proc ---- */

/* Also tells the tracker: of a process that is new, of a thread that is new. */
WeftTracedThread *weft_ptrace_add_thread (WeftPtraceSource *self, int pid, int tid, gint64 now);
void weft_ptrace_remove_thread (WeftPtraceSource *self, WeftTracedThread *thread);
WeftTracedThread *weft_ptrace_find_thread (WeftPtraceSource *self, int tid);

/* The process of TID, and the one that started it; 0: it is gone. */
int weft_ptrace_find_process (int tid, int *parent);

typedef enum
{
  WEFT_TRACED_GONE,
  WEFT_TRACED_RUNNING,
  WEFT_TRACED_WAITING,
} WeftTracedState;

WeftTracedState weft_ptrace_look (WeftTracedThread *thread);

/* ns of CPU time since the last call or the thread's begin; exact while it stands still. FALSE if
 * that is not told.
 */
gboolean weft_ptrace_take_runtime (WeftTracedThread *thread, guint64 *passed);

/* A process runs another program. */
void weft_ptrace_begin_program (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now);

/* Tells of code that was mapped since the last time; CODE: an address that it is about. */
void weft_ptrace_update_mappings (WeftPtraceSource *self, WeftTracedProcess *process, guint64 code,
                                  gint64 now);

/* Returns how many bytes could be read. */
gsize weft_ptrace_read_memory (WeftTracedProcess *process, guint64 address, void *buffer,
                               gsize length);

G_END_DECLS
