/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-derived-rows.h"
#include "weft-linker.h"
#include "weft-sample-history.h"

G_BEGIN_DECLS

#define NS_PER_MS G_GINT64_CONSTANT (1000000)

/* Thresholds; README.md gives their reasons. */
#define WEFT_LINKER_VERSION 1
#define WEFT_LINKER_STALE (250 * NS_PER_MS)
#define WEFT_LINKER_FUTURE NS_PER_MS
#define WEFT_LINKER_UNKNOWN_END (60000 * NS_PER_MS)
#define WEFT_LINKER_SAMPLES_LAG (1000 * NS_PER_MS)
#define WEFT_LINKER_STRANGER_GRACE (2000 * NS_PER_MS)
#define WEFT_LINKER_WAIT_GRACE (1500 * NS_PER_MS)

/* Bounds. */
#define MAX_PENDING_ORIGINS (1 << 17)
#define MAX_DISPATCHES (1 << 17)
#define MAX_HELD 4096
#define MAX_STEPS 4096 /* back to the dispatch of an origin */
#define MAX_OBJECTS (1 << 16)
#define MAX_EVIDENCE 64 /* of an object */
#define MAX_STACKS (1 << 16)
#define MAX_CALLCHAINS (1 << 22)
#define MAX_FRAMES (1 << 22)
#define MAX_OWNERS (1 << 20)
#define MAX_BLOCKS 32

/* What origins are about: a dispatch, a submission, or a dispatch whose row has not come. */
typedef struct
{
  guint64 space; /* WEFT_LINKER_DISPATCHES, _SUBMISSIONS, or _PRODUCERS + the runtime */
  guint64 id;
} WeftLinkerKey;

#define WEFT_LINKER_DISPATCHES 0
#define WEFT_LINKER_SUBMISSIONS 1
#define WEFT_LINKER_PRODUCERS 2

/* Of a thread that is not known, but for its number. */
#define WEFT_LINKER_NO_THREAD (G_GUINT64_CONSTANT (1) << 63)

/* An origin, as proof of who queued or waited. */
typedef struct
{
  guint64 origin;
  guint64 thread; /* or, with the highest bit, a number that no thread is known of */
  gint64 time;
  guint64 callchain;
  guint role;
  gboolean linked;    /* CALLCHAIN is what it will be */
  gboolean by_sample; /* by the samples beside it, or would have been */
} WeftLinkerEvidence;

typedef struct
{
  WeftLinkerKey key;
  GArray *evidence; /* element type WeftLinkerEvidence */
  GList link;       /* in the order of their coming */
} WeftLinkerObject;

typedef struct
{
  WeftLinkerOrigin origin;
  guint64 thread;
  gint64 due; /* an older one is stale; G_MININT64: none is */
  gint64 arrived;
} WeftPendingOrigin;

typedef struct
{
  WeftLinkerDispatch dispatch;
  gint64 arrived;
} WeftPendingDispatch;

typedef struct
{
  guint64 parent;
  guint64 frame;
  guint depth;
} WeftLinkerCallchain;

typedef struct
{
  guint64 stack;
  guint64 callchain;
} WeftLinkerStack;

struct _WeftLinker
{
  WeftStoreWriter *store;
  WeftLinkerOptions options;
  gint64 now;
  gint64 end; /* of the recording; G_MAXINT64: not known */
  gint64 flushed;
  guint64 n_origins;
  guint64 n_dispatches;

  WeftSampleHistory *history;
  WeftLinkerStack *stacks; /* MAX_STACKS places */
  GArray *callchains;      /* element type WeftLinkerCallchain; id - 1 */
  GArray *functions;       /* element type guint64; frame - 1 */
  GHashTable *owners;      /* GINT tid → GArray of its threads */
  guint n_owners;
  guint n_owners_then; /* when all strangers were looked at */

  GQueue pending;   /* WeftPendingOrigin: wait for samples */
  GQueue strangers; /* likewise: wait for a thread of their number */
  WeftDerivedRows *origins;

  GHashTable *objects; /* WeftLinkerKey in WeftLinkerObject → it */
  GQueue object_order;
  WeftPendingDispatch *arrived; /* waits may come: a ring of ROOM, N from FIRST on */
  guint arrived_room;
  guint arrived_first;
  guint n_arrived;
  GQueue held; /* WeftPendingDispatch: something is open yet */
  WeftDerivedRows *dispatches;
};

/* -- weft-linker-evidence.c -- */
void weft_linker_evidence_init (WeftLinker *self);
void weft_linker_evidence_clear (WeftLinker *self);
void weft_linker_add_evidence (WeftLinker *self, const WeftLinkerOrigin *origin, guint64 thread);
void weft_linker_set_evidence (WeftLinker *self, const WeftLinkerOrigin *origin, guint64 thread,
                               guint64 callchain, gboolean by_sample);
const GArray *weft_linker_get_evidence (WeftLinker *self, guint64 space, guint64 id);
void weft_linker_drop_evidence (WeftLinker *self, guint64 space, guint64 id);

/* -- weft-linker-classify.c -- */

/* FALSE if something is open that may change the answer; never so with FORCE. */
gboolean weft_linker_classify (WeftLinker *self, const WeftLinkerDispatch *dispatch,
                               gboolean force);


G_END_DECLS
