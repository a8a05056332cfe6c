/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of libweft-target share. Three kinds of state:
 *
 *  - the runtime: one a process, ordinary memory, inherited by forked children;
 *  - the session and the writers: pages that a forked child finds zeroed, so that it never holds
 *    its parent's locks, blocks or connection (MADV_WIPEONFORK);
 *  - statics of this copy of the library: the gate, the thread's writer, the runtime's address.
 */
#ifndef WEFT_TARGET_PRIVATE_H
#define WEFT_TARGET_PRIVATE_H

#include "weft-target.h"
#include "weft-wire.h"

#include <errno.h>
#include <sys/types.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* macOS has no memory files: what is written goes to spools. */
#if defined(__APPLE__) && !defined(WEFT_TARGET_NO_MEMFD)
#define WEFT_TARGET_NO_MEMFD
#endif

#define WFT_LIKELY(x) __builtin_expect (!!(x), 1)
#define WFT_UNLIKELY(x) __builtin_expect (!!(x), 0)
#define WFT_COLD __attribute__ ((cold, noinline))

#define WFT_LOAD(p) __atomic_load_n ((p), __ATOMIC_RELAXED)
#define WFT_STORE(p, v) __atomic_store_n ((p), (v), __ATOMIC_RELAXED)
#define WFT_LOAD_ACQUIRE(p) __atomic_load_n ((p), __ATOMIC_ACQUIRE)
#define WFT_STORE_RELEASE(p, v) __atomic_store_n ((p), (v), __ATOMIC_RELEASE)
#define WFT_ADD(p, v) __atomic_fetch_add ((p), (v), __ATOMIC_RELAXED)
#define WFT_SIGNAL_FENCE() __atomic_signal_fence (__ATOMIC_SEQ_CST)

static inline void
wft_errno_restore (const int *saved)
{
  errno = *saved;
}

/* Public functions that may make system calls begin with this. */
#define WFT_KEEP_ERRNO int saved_errno __attribute__ ((cleanup (wft_errno_restore), unused)) = errno

#define WFT_N_GATES 8
#define WFT_N_LISTENERS 16
#define WFT_MAX_LANES WEFT_WIRE_REGISTRY_CELLS
#define WFT_MAX_WRITERS 65536u
#define WFT_MAX_SESSION_SEGMENTS 1024u /* spools; a recorder gets WEFT_WIRE_MAX_SEGMENTS */
#define WFT_N_BUCKETS 1024u
#define WFT_RUNTIME_MAGIC UINT64_C (0x31454D4954544657)

/* Bits of WeftTargetGate.local. */
#define WFT_LOCAL_RING 1u
#define WFT_LOCAL_LISTENER 2u

typedef struct _WftRing WftRing;
typedef struct _WftWriter WftWriter;

struct _WeftTargetLane
{
  uint32_t id; /* 0: a lane that swallows its calls */
  uint32_t cell;
  uint32_t clock;
  uint32_t scoped_id;  /* ID if the lane is on the runtime's clock, else 0 */
  WftRing *ring;       /* atomic */
  const char *name;
  uint32_t ring_users; /* atomic */
  uint32_t reserved[7];
};

_Static_assert (sizeof (WeftTargetLane) == 64, "one line a lane");

struct _WeftTargetMetric
{
  uint32_t id;
  uint32_t cell; /* UINT32_MAX: no gauge */
  WeftTargetMetricKind kind;
  uint32_t reserved;
  WeftTargetLane *lane;
  const char *name;
  WeftTargetMetric *next;
};

/* A thread's private state. A child of a fork finds it zeroed: no room, no id. */
struct _WftWriter
{
  uint8_t *block;
  uint32_t cursor;     /* the block's size if there is none any more */
  uint32_t limit;      /* 0 without a block, and while a record is being written */
  uint32_t generation; /* that the fast paths may write for */
  uint32_t busy;       /* inside a call of the general way */
  uint64_t records;    /* committed before this block */
  WeftWireBlock *descriptor;
  uint64_t nest;         /* epoch << 32 | index << 16: what tokens of this thread carry */
  uint32_t depth;        /* of scoped spans */
  uint32_t foreign_ends; /* atomic: spans begun here that others ended */

  uint32_t epoch; /* grows as the place is given to other threads; from 1 */
  uint32_t id;    /* in the registry, 0 while it has written nothing */
  uint32_t excess; /* bytes of the block beyond 32 a record: what is left tells their number */
  uint32_t padding;
  uint64_t id_next;
  uint64_t id_end;
  uintptr_t stack_low;
  uintptr_t stack_high;
  uint32_t stack_tries;
  uint32_t session; /* epoch of the segments that the block is from */
  int32_t tid;
  uint32_t used;
  uint32_t listening; /* inside a listener */
  uint32_t listener;  /* its number */
  uint64_t random;
  WftWriter *next;
} __attribute__ ((aligned (64)));

typedef struct
{
  WeftWireSegment *header;
  int fd;
  dev_t device;
  ino_t inode;
} WftSegment;

/* Wiped in a forked child. LOCK guards everything here but what is marked atomic. */
typedef struct
{
  uint32_t alive; /* atomic */
  uint32_t lock;  /* atomic */
  const void *lock_owner;
  int lock_cancel;
  uint32_t epoch;      /* atomic: of the segments */
  uint32_t answered;   /* atomic: gate generation that was answered */
  uint32_t connected;  /* atomic */
  uint32_t refused;    /* atomic: generation that does not read our version */
  uint32_t state;      /* atomic: WeftTargetState */
  uint64_t retry_at;   /* atomic: CLOCK_MONOTONIC ns */
  uint64_t look_at;    /* atomic: when to look again whether the recorder is gone */
  int socket;
  dev_t socket_device;
  ino_t socket_inode;
  uint32_t n_segments; /* atomic */
  uint32_t takes;      /* atomic */
  uint32_t restarts;
  uint32_t spooling; /* atomic */
  int spool_fd;
  uint64_t spool_size;    /* bytes allocated */
  uint64_t spool_maximum;
  uint64_t stack_time;   /* atomic: virtual time of the stack budget, ns */
  uint32_t next_writer;
  WftWriter *free_writers;
  WftSegment segments[WFT_MAX_SESSION_SEGMENTS];
} WftSession;

typedef struct
{
  WeftWireRegistry *header; /* atomic */
  int fd;
  dev_t device;
  ino_t inode;
  uint64_t reserved_cells; /* bytes known to be backed by storage; all, but in a spool */
  uint64_t reserved_log;
} WftRegistry;

typedef struct
{
  WeftTargetListener function; /* atomic */
  void *data;
  uint32_t kinds;  /* atomic; 0: free */
  uint32_t users;  /* atomic */
  uint32_t number; /* 0: never used */
  uint32_t reserved;
} WftListenerSlot;

typedef struct _WftRoutineNode WftRoutineNode;

/* Copies of the library that find each other share this: its layout goes with the name of the
 * symbol weft_target_runtime_1.
 */
typedef struct
{
  uint64_t magic;
  uint32_t size;
  uint16_t instance;
  uint16_t clock;
  uint64_t start_ticks;
  uint64_t start_monotonic;
  uint64_t runtime_id;
  uint32_t disabled;
  uint32_t unsupported; /* no shared memory to be had */
  uint32_t gate_mapped;
  uint32_t wanted_spool;
  uint32_t spool_word; /* what the gate points at while a spool is wanted */
  uint32_t nought;
  const WeftWireGate *gate;
  WeftTargetGate *gates[WFT_N_GATES];
  uint32_t local;    /* atomic */
  uint32_t sampling; /* atomic: 0 if everything is recorded */
  uint64_t threshold; /* atomic: of 2^32 */
  uint64_t next_id;  /* atomic */
  WftSession *session;
  WftWriter *writers;
  uint32_t first_writer; /* below: an ancestor's, maybe still pointed at by a thread */
  uint32_t pid_seen;
  WftRegistry registry;
  uint32_t ids[32]; /* last given, by entry type */
  WeftTargetLane *lanes;
  char *arena;
  size_t arena_left;
  WftRoutineNode *routines[WFT_N_BUCKETS];
  WeftTargetMetric *metrics;
  WftListenerSlot listeners[WFT_N_LISTENERS];
  uint64_t calibration_ticks; /* atomic: the later end of the pair in use */
  double calibration_rate;
  uint64_t listener_number;
  char directory[512];
  char spool_directory[512];
  char name[64];
} WftRuntime;

extern __thread WftWriter *wft_self
    __attribute__ ((tls_model ("initial-exec"), visibility ("hidden")));
#pragma GCC visibility push(hidden)

extern WftWriter wft_nobody; /* all zero: what a thread has before its first call */
extern WftRuntime *wft_runtime; /* of this copy; NULL before the first registration */
extern uint32_t wft_clock;      /* WEFT_WIRE_CLOCK_…; 0: not chosen yet */
extern WeftTargetLane wft_dead_lane; /* swallows; as a lane of wft_drop (): counts nothing */
extern WeftTargetRoutine wft_dead_routine;

/* ---- runtime.c ---- */

WftRuntime *wft_runtime_ensure (void);
void wft_runtime_unsupported (void);
void *wft_arena (size_t size); /* zeroed, for ever; under the lock; NULL without memory */
const char *wft_arena_string (const char *string);
void wft_gates_update (void);
void wft_gates_remote (const uint32_t *word);
void wft_local_set (uint32_t bit, bool on);

/* Bounded; false where the interrupted call of this very thread holds it. */
bool wft_lock (void);
void wft_unlock (void);

/* Starts anew in a forked child. True if the session is ours. */
bool wft_session_ensure (void);

void wft_stat_add (unsigned int stat, uint64_t n);
void wft_drop (WeftTargetLane *lane, unsigned int reason);

int32_t wft_tid (void);
void *wft_map_wiped (size_t size);
int wft_fd_high (int fd);
bool wft_fd_is (int fd, dev_t device, ino_t inode);
bool wft_size_allowed (uint64_t size);
int wft_memfd (const char *what, uint32_t index, uint64_t size);

/* ---- clock.c ---- */

void wft_clock_choose (void);
uint64_t wft_monotonic (void);
uint64_t wft_now_slow (void);

static inline bool
wft_clock_is_tsc (void)
{
#if defined(__x86_64__)
  return WFT_LIKELY (WFT_LOAD (&wft_clock) == WEFT_WIRE_CLOCK_TSC);
#else
  return false;
#endif
}

/* To be called where wft_clock_is_tsc () only. */
static inline uint64_t
wft_tsc (void)
{
#if defined(__x86_64__)
  return __rdtsc ();
#else
  return 0;
#endif
}

static inline uint64_t
wft_now (void)
{
  return wft_clock_is_tsc () ? wft_tsc () : wft_now_slow ();
}

/* ---- registry.c: under the lock ---- */

/* One entry being written. */
typedef struct
{
  uint8_t *at; /* NULL: no room */
  uint8_t *start;
  uint8_t *end;
} WftAppend;

bool wft_registry_create (WftRegistry *registry, bool shared);
bool wft_registry_inherit (bool shared);
bool wft_registry_to_file (int fd);
/* SIZE: an upper bound. The entry's head and ids are the caller's. */
bool wft_registry_begin (WftAppend *append, size_t size);
void *wft_registry_fixed (WftAppend *append, unsigned int type, size_t fixed);
void wft_registry_string (WftAppend *append, const char *string, size_t cap);
void wft_registry_text (WftAppend *append, const char *text, size_t length, size_t cap);
void wft_registry_publish (WftAppend *append);
uint32_t wft_registry_cell (void); /* UINT32_MAX: none left */
uint32_t wft_registry_next_id (unsigned int type);
WeftWireCell *wft_registry_cells (void);

/* ---- register.c ---- */

uint32_t wft_routine_register (WeftTargetRoutine *routine);

static inline uint32_t
wft_routine_id (WeftTargetRoutine *routine)
{
  uint32_t id = WFT_LOAD (&routine->id);

  return WFT_LIKELY (id != 0) ? id : wft_routine_register (routine);
}

/* ---- connect.c ---- */

void wft_gate_map (WftRuntime *runtime);
/* Makes the session answer the gate's generation ACTIVE. */
bool wft_connect (uint32_t active);
bool wft_send_segment (const WftSegment *segment);
void wft_send_wake (void);
void wft_look (void); /* whether the recorder is gone */

/* ---- spool.c ---- */

bool wft_spool_start (void);
bool wft_spool_reserve (uint64_t offset, uint64_t size);

/* ---- writer.c ---- */

WftWriter *wft_writer_slow (void);
WftWriter *wft_writer_introduce (void);
bool wft_segment_init (WftSegment *segment, uint32_t index);
void wft_writer_key (void);

/* A call of ours begins: NULL, and counted, if it interrupts another on this thread. */
WftWriter *wft_enter (WeftTargetLane *lane);

static inline bool
wft_is_busy (const WftWriter *writer)
{
  return WFT_LOAD (&writer->busy) != 0
         || (writer->descriptor != NULL && WFT_LOAD (&writer->limit) == 0);
}

static inline void
wft_leave (WftWriter *writer)
{
  WFT_SIGNAL_FENCE ();
  WFT_STORE (&writer->limit, writer->descriptor != NULL ? WEFT_WIRE_BLOCK_SIZE : 0);
  WFT_STORE (&writer->busy, 0);
}

static inline uint32_t
wft_room (const WftWriter *writer)
{
  return writer->descriptor != NULL ? WEFT_WIRE_BLOCK_SIZE - writer->cursor : 0;
}

/* Records in the writer's block. */
static inline uint32_t
wft_block_records (const WftWriter *writer)
{
  return (WFT_LOAD (&writer->cursor) - WFT_LOAD (&writer->excess)) / sizeof (WeftWireSpan);
}

/* Whether records can be written now; counts for LANE (or NULL) if not. */
bool wft_open (WftWriter *writer, WeftTargetLane *lane);
bool wft_take_block (WftWriter *writer, WeftTargetLane *lane);

static inline void
wft_commit (WftWriter *writer, uint32_t size)
{
  uint32_t cursor = writer->cursor + size;

  WFT_STORE (&writer->excess, writer->excess + size - (uint32_t) sizeof (WeftWireSpan));
  WFT_STORE (&writer->cursor, cursor);
  WFT_STORE_RELEASE (&writer->descriptor->committed, cursor);
}

/* No rings, listeners or sampling; the generation that WRITER answered; a block, and not inside
 * another call. Without a block the limit is 0, so generation 0 never passes.
 */
static inline bool
wft_ready (const WftWriter *writer)
{
  const uint64_t special = WFT_LOAD ((const uint64_t *) &weft_target_gate);
  const uint32_t active = WFT_LOAD (WFT_LOAD (&weft_target_gate.remote));

  return WFT_LIKELY ((special | (writer->generation ^ active)) == 0
                     && WFT_LOAD (&writer->limit) != 0);
}

static inline void
wft_close_room (WftWriter *writer)
{
  WFT_STORE (&writer->limit, 0);
  WFT_SIGNAL_FENCE ();
}

static inline void
wft_open_room (WftWriter *writer)
{
  WFT_SIGNAL_FENCE ();
  WFT_STORE (&writer->limit, WEFT_WIRE_BLOCK_SIZE);
}

/* A fast path begins to write SIZE bytes: NULL if they do not fit. Where to is looked at only now,
 * for a signal handler may have written, or lost the block, since wft_ready ().
 */
static inline uint64_t *
wft_begin (WftWriter *writer, uint32_t size)
{
  wft_close_room (writer);
  if (WFT_LIKELY (writer->cursor <= WEFT_WIRE_BLOCK_SIZE - size))
    return (uint64_t *) (writer->block + writer->cursor);
  wft_leave (writer);
  return NULL;
}

/* ---- encode.c: record groups ---- */

typedef struct
{
  uint8_t *start;
  uint8_t *at;
  uint8_t *end;
  bool overflow;
  bool lenient; /* leave out what does not fit, and say so */
  bool cut;
  uint32_t truncated;
} WftBuffer;

typedef void (*WftEncode) (WftBuffer *buffer, const void *what);

size_t wft_string_length (const char *string, size_t cap, bool *cut);
/* Zeroed room for a record; NULL if there is none. Close it with wft_record_end (). */
void *wft_record (WftBuffer *buffer, unsigned int type, uint32_t lane, size_t size);
void wft_record_string (WftBuffer *buffer, const char *string, size_t cap);
void wft_record_end (WftBuffer *buffer, void *record);
/* As many of N as CAP allows, noting a cut. */
size_t wft_cap (WftBuffer *buffer, const void *list, size_t n, size_t cap);

void wft_encode_tags (WftBuffer *buffer, const WeftTargetTag *tags, size_t n);
void wft_encode_error (WftBuffer *buffer, const WeftTargetErrorDetail *error);
void wft_encode_origins (WftBuffer *buffer, const WeftTargetRoleOrigin *origins, size_t n);
void wft_encode_samples (WftBuffer *buffer, const WeftTargetCounterSample *samples, size_t n);
void wft_encode_artifacts (WftBuffer *buffer, const uint32_t *artifacts, size_t n);
void wft_encode_phases (WftBuffer *buffer, const WeftTargetPhase *phases, size_t n);
void wft_encode_attachments (WftBuffer *buffer, const WeftTargetAttachment *attachments, size_t n);

/* Writes one record with its side records, or counts why not: for LANE if it is one of the lane's
 * dispatches, else (NULL) for the runtime alone.
 */
bool wft_emit (WeftTargetLane *lane, WftEncode encode, const void *what);

/* ---- dispatch.c ---- */

typedef struct
{
  const WeftTargetDispatch *dispatch;
  uint32_t type;
  uint32_t routine;
  uint64_t id;
  uint64_t start;
  uint64_t end;
  uint32_t flags;
  uint16_t clock;
  uint16_t depth;
  bool named; /* say the routine's name: in rings */
} WftDispatch;

void wft_encode_dispatch (WftBuffer *buffer, const void *what);
void wft_dispatch_local (const WftDispatch *what);
bool wft_dispatch_sampled (WeftTargetLane *lane, const WeftTargetTrace *trace);
void wft_span_general (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                       uint64_t end, uint16_t depth, bool runtime_clock);
void wft_ids_general (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                      uint64_t end, const WeftTargetIds *ids);
uint16_t wft_span_depth (uint64_t nest);

/* ---- trace.c ---- */

bool wft_sample (void);

/* ---- listener.c ---- */

bool wft_listened (uint32_t kind);
void wft_tell (const WeftTargetEvent *event);

/* ---- ring.c ---- */

void wft_ring_push (WeftTargetLane *lane, const WftDispatch *what);
void wft_rings_recover (void);

#define WFT_RING_ROUTINE 1000 /* record type, in rings only. Strings: the routine's name. */

#pragma GCC visibility pop

static inline bool
wft_recording (void)
{
  return WFT_LOAD (WFT_LOAD (&weft_target_gate.remote)) != 0;
}

#define WFT_FULL(type, argument, size)                                                             \
  type full_;                                                                                      \
  if (WFT_UNLIKELY ((size) < sizeof full_))                                                        \
    {                                                                                              \
      memset (&full_, 0, sizeof full_);                                                            \
      memcpy (&full_, (argument), (size));                                                         \
      (argument) = &full_;                                                                         \
    }

#endif /* WEFT_TARGET_PRIVATE_H */
