/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-batch.h"
#include "weft-cpu-callchains.h"
#include "weft-cpu-tracker.h"
#include "weft-wait-primitive.h"
#include "weft-wait-reason.h"

G_BEGIN_DECLS

/* Bits of the column "marks" of waits. */
#define WEFT_WAIT_MARK_APPROXIMATE 1u
#define WEFT_WAIT_MARK_OPEN 2u

#define WEFT_STACK_BYTES 16384 /* that a look at a waiting thread reads */

/* One program of one process: what is mapped and what it is called end with an exec. */
typedef struct
{
  guint32 number; /* 0: no row refers to it yet */
  gboolean told;  /* its row is on its way */
  gboolean held;  /* it will be told */
  int pid;
  int parent;
  gint64 started;       /* ns, of the process; 0: not known */
  gint64 image;         /* ns: since when it runs this program, or was found to */
  gint64 read;          /* ns: when its mappings were read from /proc last; 0: never */
  guint n_threads;      /* that point here, ended ones too */
  guint n_live_threads; /* of them, those that have not ended */
  gboolean replaced;    /* by another program or process of that number */
  gboolean watched;     /* events tell of its mappings */
  gint64 child_ended;   /* ns: the last process that it started to end; 0: none did */
  guint32 last_child;   /* number of that one's thread */
  gboolean refused;     /* its threads are not ours to look at */
  char name[16];
  WeftProcessInfo info; /* once it was read */
  gboolean has_info;
  WeftAddressSpace *space;
  GArray *mappings; /* element-type WeftCpuMappingRow: those that are not told yet */
  WeftWaitDescriptors *descriptors;
} WeftCpuProcess;

typedef enum
{
  WEFT_CPU_THREAD_RUNNING,
  WEFT_CPU_THREAD_WAITING,
  WEFT_CPU_THREAD_ENDED,
} WeftCpuThreadState;

/* What a look at a waiting thread found. */
typedef struct
{
  gint64 begin; /* ns; 0: nobody looked */
  gint64 end;
  guint32 callchain;
  guint8 stack_end;
  guint8 reason;
  gboolean has_system_call;
  gint32 system_call;
  guint64 object;
  guint32 detail;
  int awaited;    /* the thread that has to end; 0: none */
  gboolean child; /* a process has to */
} WeftCpuLook;

typedef struct
{
  gboolean preempted;
  gboolean looked;    /* enough is known; no further look is needed */
  gboolean uncertain; /* that it began then */
  guint64 lost;       /* events that were missing when it began */
  WeftCpuLook look;
  WeftCpuLook at_switch; /* what came with its beginning */
  gboolean has_wakeup;
  WeftCpuWakeupRow wakeup;
} WeftCpuWait;

#define N_PLACES 4

typedef struct
{
  guint32 number; /* 0: no row refers to it yet */
  gboolean told;
  int tid;
  WeftCpuProcess *process;
  WeftCpuThreadState state;
  gint64 born;    /* ns; 0: before we came, not known */
  gint64 started; /* ns: since when it is watched */
  gint64 since;   /* ns: of the state */
  guint64 on_cpu; /* ns, up to SINCE */
  guint64 off_cpu;
  gboolean changed;    /* since its times were told */
  gboolean only_wakes; /* it is known as one that woke others only */
  char name[16];
  WeftCpuWait wait;
  WeftCpuLook early; /* a look that came after a wait that we know of, and may be of the next */
  GList link;        /* among those that wait for a look; data is the thread */
  gboolean queued;   /* so it is there */
  int descriptor;    /* of its system call in /proc, or -1 */
  guint32 places[N_PLACES]; /* callchains at which it waited for readiness */
  guint n_places;
} WeftCpuThread;

struct _WeftCpuTracker
{
  GMutex lock; /* of everything */
  WeftCpuTrackerOptions options;
  WeftModuleSet *modules;
  WeftCpuRows *rows;
  WeftCpuBatch *batch;
  gsize batched; /* samples, waits and wakeups in it */

  GHashTable *processes; /* GINT pid → WeftCpuProcess, the newest */
  GHashTable *threads;   /* GINT tid → WeftCpuThread, the newest */
  GPtrArray *untold_processes;
  GPtrArray *untold_threads;
  guint32 n_processes;
  guint32 n_threads;

  WeftCpuCallchains *callchains;
  WeftCodeFrame *frames; /* room for a stack being unwound */
  GHashTable *texts;     /* utf8 → GUINT number */

  GQueue waiting;      /* element-type WeftCpuThread: the longest first */
  gint64 budget;       /* ns of CPU time that looks may cost now */
  gint64 last_refill;  /* ns */
  gint64 last_wait;    /* ns: of any thread; preemption is none */
  guint n_descriptors; /* open ones of threads */
  guint8 *stack;       /* WEFT_STACK_BYTES */
  WeftWaitPrimitives *primitives;
  GHashTable *places;       /* Place → GUINT thread: who waits for work there */
  GHashTable *system_calls; /* GUINT frame → GINT system call after which it is */

  gint64 last_fleeting; /* when something was seen last that memory or /proc had to complete */
  gint64 last_hand_over;
  guint32 max_callchains; /* 0: no bound */
  guint32 frames_since;   /* first ids since callchains were forgotten last */
  guint32 callchains_since;
  gint64 last_times;
  guint64 told_lost;
  guint64 told_behind;
  guint64 told_skipped;
  WeftCpuTrackerStatus status;
};

/* All below want the lock held. */

/* -- weft-cpu-tracker-threads.c: who is there -- */
void weft_cpu_process_read_info (WeftCpuProcess *process);
WeftCpuProcess *weft_cpu_tracker_get_process (WeftCpuTracker *self, int pid, gint64 time);
WeftCpuThread *weft_cpu_tracker_find_thread (WeftCpuTracker *self, int tid);
WeftCpuThread *weft_cpu_tracker_get_thread (WeftCpuTracker *self, int pid, int tid, gint64 time);
WeftCpuThread *weft_cpu_tracker_new_thread (WeftCpuTracker *self, WeftCpuProcess *process, int tid,
                                            gint64 time, WeftCpuThreadState state);
WeftCpuProcess *weft_cpu_tracker_new_process (WeftCpuTracker *self, int pid, gint64 time);
void weft_cpu_tracker_end_thread (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time);
void weft_cpu_tracker_forget_ended (WeftCpuTracker *self, gint64 before);
void weft_cpu_tracker_clear_threads (WeftCpuTracker *self);
void weft_cpu_tracker_read_mappings (WeftCpuTracker *self, WeftCpuProcess *process, gint64 time);
void weft_cpu_tracker_add_mapping (WeftCpuTracker *self, WeftCpuProcess *process,
                                   const WeftCpuMappingRow *mapping);

/* Their numbers for rows: from the first on they will be told. */
guint32 weft_cpu_tracker_refer_process (WeftCpuTracker *self, WeftCpuProcess *process);
guint32 weft_cpu_tracker_refer_thread (WeftCpuTracker *self, WeftCpuThread *thread);
void weft_cpu_tracker_tell_identities (WeftCpuTracker *self);

/* -- weft-cpu-tracker-stacks.c -- */
/* The callchain of a sample's stacks; its N_FRAMES user frames are in self->frames after it. */
guint32 weft_cpu_tracker_add_stack (WeftCpuTracker *self, WeftCpuProcess *process,
                                    const WeftCpuSample *sample, WeftStackEnd *end,
                                    gboolean *extended, guint *n_frames);

/* Likewise of user frames alone. */
guint32 weft_cpu_tracker_add_user_stack (WeftCpuTracker *self, WeftCpuProcess *process,
                                         const WeftRegisters *registers, const WeftStackCopy *stack,
                                         WeftStackEnd *end, gboolean *extended, guint *n_frames);
guint32 weft_cpu_tracker_add_text (WeftCpuTracker *self, const char *text);

/* -- weft-cpu-tracker-waits.c: who runs and who waits -- */
void weft_cpu_tracker_begin_wait (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time,
                                  gboolean preempted);
void weft_cpu_tracker_end_wait (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time,
                                guint marks);
void weft_cpu_tracker_account (WeftCpuThread *thread, gint64 time);
void weft_cpu_tracker_tell_times (WeftCpuTracker *self, WeftCpuThread *thread, gint64 time);
gboolean weft_cpu_tracker_may_add (WeftCpuTracker *self);

/* -- weft-wait-snapshot.c: looks at those who wait -- */
void weft_cpu_tracker_look_around (WeftCpuTracker *self, gint64 now);
gboolean weft_cpu_tracker_take_turn (WeftCpuTracker *self);
void weft_cpu_tracker_look_at_switch (WeftCpuTracker *self, WeftCpuThread *thread,
                                      const WeftCpuSample *sample);
void weft_cpu_thread_close_descriptor (WeftCpuTracker *self, WeftCpuThread *thread);

G_END_DECLS
