/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-callchain-reader.h"
#include "weft-key-map.h"

G_BEGIN_DECLS

/*
 * What threads and lanes did, laid out to be walked backwards: of each thread its waits, and in
 * which of its time it waited for which dispatch; of each dispatch when it was handed over, by
 * whom, and what its lane did before.
 *
 * What a file says that cannot be is left out: waits that overlap are cut, references that lead
 * nowhere are none.
 */

#define WEFT_PATH_NONE G_MAXUINT32

/* Times beyond are as if they were there, so that sums of some of them hold. */
#define WEFT_PATH_MAX_TIME (G_GINT64_CONSTANT (1) << 60)

static inline gint64
weft_path_bound_time (gint64 time)
{
  return CLAMP (time, -WEFT_PATH_MAX_TIME, WEFT_PATH_MAX_TIME);
}

/* A thread off the CPU. */
typedef struct
{
  gint64 start;
  gint64 end;
  gint64 woken; /* when it was made runnable; only with WAKEUP */
  guint64 id;
  guint64 wakeup; /* 0: nothing tells what ended it */
  guint32 waker;  /* id of the thread; 0 with a wakeup: an interrupt, or the time was over */
  guint32 stack;  /* node of the callchain reader */
  guint8 reason;  /* WeftWaitReason */
  guint8 stack_end;
  gboolean is_approximate;
} WeftPathWait;

typedef struct
{
  guint64 id;
  guint64 submission;
  guint64 origin; /* that tells who queued it, and by that when, if nothing else does */
  gint64 start;
  gint64 end;
  gint64 queued; /* not after START */
  gint64 error;  /* how wrong its times may be beside those of threads; G_MAXINT64: not known */
  guint32 lane;
  guint32 routine;
  guint32 trace;
  guint32 thread;    /* id of the one that queued it; 0: not known */
  guint32 stack;     /* shared by those who queued and waited, of a synchronous one */
  gboolean is_inner; /* inside of another of its lane */
  gboolean has_queued;
  gboolean is_synchronous;
} WeftPathDispatch;

/* A thread waited for a dispatch, as its program tells. Zones of one thread do not overlap: where
 * it waited for several, each moment belongs to the one that ended last.
 */
typedef struct
{
  gint64 start;
  gint64 end;
  gint64 release;   /* end of the dispatch */
  guint32 thread;   /* index */
  guint32 dispatch; /* index */
  guint64 begin_origin;
  guint64 end_origin;
  gboolean is_group;  /* it waited for a whole submission */
  gboolean is_proven; /* else the two ends are closer than the clocks can tell */
} WeftPathZone;

typedef struct
{
  guint32 id;
  gboolean has_life; /* watched from BORN to DIED: what is no wait then, it ran */
  gint64 born;
  gint64 died;
  guint first_wait;
  guint n_waits;
  guint first_zone;
  guint n_zones;
} WeftPathThread;

typedef struct
{
  gboolean is_serial; /* none of its dispatches began before its predecessor had ended */
  guint first;        /* in BY_LANE */
  guint n;
} WeftPathLane;

typedef struct
{
  const WeftAnalysisScope *scope;
  GArray *threads;           /* element type WeftPathThread */
  GArray *waits;             /* element type WeftPathWait: by thread and start */
  GArray *zones;             /* element type WeftPathZone: likewise */
  GArray *dispatches;        /* element type WeftPathDispatch, by id */
  GArray *by_lane;           /* element type guint32: outermost dispatches by lane and end */
  GArray *lanes;             /* element type WeftPathLane */
  WeftKeyMap thread_numbers; /* id → index */
  WeftKeyMap lane_numbers;
} WeftPathHistory;

/* Reads threads and target work; all of the latter if ALL_DISPATCHES, else only if some thread
 * waited for any. CALLCHAINS may be NULL where stacks do not matter.
 */
gboolean weft_path_history_init (WeftPathHistory *self, const WeftAnalysisScope *scope,
                                 const WeftCallchainReader *callchains, gboolean all_dispatches,
                                 GError **error);
/* Then, once it is known from when to when. */
gboolean weft_path_history_read_waits (WeftPathHistory *self, const WeftCallchainReader *callchains,
                                       gint64 begin, gint64 end, GError **error);
void weft_path_history_clear (WeftPathHistory *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftPathHistory, weft_path_history_clear)

/* Indexes by ids, or WEFT_PATH_NONE. */
guint32 weft_path_history_find_thread (const WeftPathHistory *self, guint32 id);
guint32 weft_path_history_find_dispatch (const WeftPathHistory *self, guint64 id);

static inline WeftPathThread *
weft_path_thread (const WeftPathHistory *self, guint32 index)
{
  return &g_array_index (self->threads, WeftPathThread, index);
}

static inline const WeftPathDispatch *
weft_path_dispatch (const WeftPathHistory *self, guint32 index)
{
  return &g_array_index (self->dispatches, WeftPathDispatch, index);
}

static inline const WeftPathWait *
weft_path_wait (const WeftPathHistory *self, guint32 index)
{
  return &g_array_index (self->waits, WeftPathWait, index);
}

static inline const WeftPathZone *
weft_path_zone (const WeftPathHistory *self, guint32 index)
{
  return &g_array_index (self->zones, WeftPathZone, index);
}

/* The last wait, or zone, of a thread that begins before TIME, or WEFT_PATH_NONE. */
guint32 weft_path_history_find_wait (const WeftPathHistory *self, guint32 thread, gint64 time);
guint32 weft_path_history_find_zone (const WeftPathHistory *self, guint32 thread, gint64 time);

/* Of a lane that does one after another: the one that was over last when TIME came, before
 * DISPATCH; else WEFT_PATH_NONE.
 */
guint32 weft_path_history_find_before (const WeftPathHistory *self, guint32 dispatch, gint64 time);

/* Likewise, where the thread that waited in ZONE (an index, or WEFT_PATH_NONE) waited for that one,
 * too.
 */
guint32 weft_path_history_find_fellow (const WeftPathHistory *self, guint32 zone, guint32 dispatch,
                                       gint64 time);

G_END_DECLS
