/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-ingest.h"

G_BEGIN_DECLS

/* Bounds on what one runtime may make the recorder remember. */
#define MAX_LANES 65536
#define MAX_ROUTINES (1 << 20)
#define MAX_WRITERS (1 << 20)
#define MAX_PENDING (1 << 20)
#define MAX_PENDING_BYTES (64 << 20)
#define MAX_DEFERRED_BYTES (16 << 20)
#define MAX_LATE_ORIGINS 4096
#define MAX_TRACES (1 << 20)
#define MAX_THREADS (1 << 20)
#define MAX_STRING_BYTES (128 << 20)                        /* of strings that nobody said before */
#define MAX_ALL_STRING_BYTES (G_GUINT64_CONSTANT (1) << 30) /* of all runtimes */
#define RECENT_IDS 65536
#define MAX_SCOPES 256

/* Bits of the column "marks" of a dispatch. */
#define WEFT_MARK_EXTRAPOLATED 1u
#define WEFT_MARK_LIST_CUT 2u
#define WEFT_MARK_NOT_RESERVED 4u

typedef struct
{
  guint32 id;
  guint32 clock;
  guint32 cell;
  gboolean dirty;
  guint64 completed;
  guint64 pending;
  guint64 losses[WEFT_N_LOSSES];
  guint64 written[WEFT_N_LOSSES];
  guint64 base[WEFT_WIRE_N_DROPS]; /* the cell when we attached */
} WeftIngestLane;

/* Time of inner spans that an outer one will subtract. */
typedef struct
{
  guint32 lane;
  guint32 depth;
  guint64 time;
} WeftIngestScope;

typedef struct
{
  int tid; /* in the producer's namespace */
  char *name;
  gboolean resolved; /* THREAD is known: with its first record, for forked children inherit the
                        entries of threads that they do not have */
  guint64 thread;
  gint64 registered; /* ns */
  guint64 first;     /* sequence number that SEEN counts from */
  guint64 seen;
  gboolean started;
  guint n_scopes;
  WeftIngestScope *scopes;
} WeftIngestWriter;

typedef struct
{
  guint64 id;
  guint32 n_counters;
  guint64 first_counter;
} WeftIngestCounterSet;

typedef struct
{
  guint64 producer;
  guint64 id;
} WeftIngestRecent;

typedef struct
{
  guint64 id;
  WeftClockMap map; /* to ns */
  GQueue deferred;  /* element-type WeftIngestGroup: waiting for a pair */
} WeftIngestClock;

/* A record with its side records. */
typedef struct
{
  guint64 thread;
  gint64 arrived;
  gboolean noted; /* a reservation: it stands in the table of them */
  gsize length;
  guint64 data[];
} WeftIngestGroup;

typedef struct
{
  WeftIngest *ingest;
  WeftWireOrigin origin;
  guint64 dispatch;
  guint64 submission;
  guint drains; /* that it has waited for its stack */
} WeftIngestLateOrigin;

typedef struct
{
  guint64 id;
  guint32 name;
  gboolean has_start;
  gint64 ended; /* ns, CLOCK_MONOTONIC; 0: it has not */
  gint64 start;
} WeftIngestTrace;

struct _WeftIngest
{
  WeftStoreWriter *store;
  WeftTableWriter *tables[WEFT_N_TABLES];
  gint64 start;
  guint64 n_rows[WEFT_N_TABLES]; /* of the tables with a KEY: the last id */
  guint64 n_traces;
  guint32 last_string;  /* the highest number given out */
  guint64 string_bytes; /* of what producers said first */
  GPtrArray *runtimes;
  GPtrArray *processes;         /* by row; see weft-ingest-identity.c */
  GHashTable *newest_processes; /* GINT pid → GArray of places there */
  guint n_forgotten; /* processes: so many, from the first on, are gone */
  WeftIngestTotals ended;
  WeftUnwindFunc unwind;
  gpointer unwind_data;
  WeftProcessSeenFunc process_seen;
  gpointer process_data;
  WeftLinker *linker; /* or NULL */
  gint64 last_end;    /* of a dispatch, since START */
  WeftHandoverFunc handover;
  gpointer handover_data;
  WeftKindFunc kind_seen;
  gpointer kind_data;
  guint32 last_kind; /* the string of the last lane's */
};

struct _WeftIngestRuntime
{
  WeftIngest *ingest;
  guint64 id;
  guint64 process;
  int pid;
  gboolean other_pid_namespace;
  int namespace_pid;
  gboolean attached; /* the log that was there when we came is read */
  gboolean gone;
  gint64 monotonic_offset;
  gint64 since;    /* ns: when we attached */
  gint64 born;     /* ns: the process's start, to 10 ms; 0 unknown */
  gint64 earliest; /* ns: nothing of this process can be older */
  gint64 now;      /* ns: nothing drained now can be later */
  guint clock;
  const WeftWireCell *cells;
  guint n_cells;
  WeftWireCell *base; /* the cells when we came, until the log that was there is read; or NULL */
  guint n_base;

  GArray *lanes;              /* element-type WeftIngestLane; producer id - 1 */
  GArray *routines;           /* element-type guint64 */
  GArray *queues;             /* element-type guint64 */
  GArray *queue_lanes;        /* element-type guint64; the row of each queue's lane */
  GArray *sources;            /* element-type guint64 */
  GArray *metrics;            /* element-type guint64 */
  GArray *artifacts;          /* element-type guint64 */
  GArray *counter_sets;       /* element-type WeftIngestCounterSet */
  GArray *writers;            /* element-type WeftIngestWriter */
  GPtrArray *clocks;          /* element-type WeftIngestClock; number - 2 */
  GHashTable *newest_writers; /* GINT tid → GUINT writer */
  GHashTable *threads; /* GINT tid → KnownThread; of id 0 if the process had no such thread */

  WeftClockMap map; /* of the runtime's own clock */
  gint64 last_stored_pair;
  guint64 clock_id;

  WeftIngestRecent *dispatches; /* RECENT_IDS, allocated when first needed */
  WeftIngestRecent *submissions;
  WeftIngestRecent *stacks;
  GHashTable *pending; /* guint64 producer id (in the group) → WeftIngestGroup */
  gsize pending_bytes;
  guint n_unnoted; /* reservations that came since they were noted last */
  gsize deferred_bytes;
  gsize string_bytes;  /* of strings that it said first */
  GQueue late_origins; /* element-type WeftIngestLateOrigin */
  GHashTable *traces;  /* guint64 producer id → WeftIngestTrace */
  gint64 started;      /* of the dispatch at hand */
  gint64 queued;       /* likewise: when it was handed over */

  guint64 losses[WEFT_N_LOSSES]; /* of no lane */
  guint64 written[WEFT_N_LOSSES];
  guint64 stats_base[WEFT_WIRE_N_STATS];
};

/* -- weft-ingest-identity.c -- */
void weft_ingest_identity_init (WeftIngest *self);
void weft_ingest_identity_clear (WeftIngest *self);
void weft_ingest_forget_processes (WeftIngest *self, gint64 before);
guint32 weft_ingest_intern_untrusted (WeftIngest *self, const char *text); /* mends what is no UTF-8 */

/* Reads numbers and strings off a record or entry; BAD once something did not fit. */
typedef struct
{
  const guint8 *at;
  const guint8 *end;
  gboolean bad;
} WeftCursor;

/* -- weft-ingest.c -- */
guint64 weft_ingest_commit (WeftIngest *self, WeftTableId table);
guint32 weft_ingest_runtime_intern (WeftIngestRuntime *self, const char *text, gsize length,
                                    guint lane);
guint32 weft_ingest_runtime_read_string (WeftIngestRuntime *self, WeftCursor *cursor, guint lane);
char *weft_ingest_runtime_read_text (WeftIngestRuntime *self, WeftCursor *cursor, guint lane,
                                     gsize *length);
guint64 weft_ingest_runtime_find_thread (WeftIngestRuntime *self, int tid);
WeftIngestLane *weft_ingest_runtime_get_lane (WeftIngestRuntime *self, guint lane);
guint64 weft_ingest_runtime_lookup (const GArray *ids, guint number);
void weft_ingest_add_tag (WeftIngest *self, WeftTableId owner_table, guint64 owner, guint32 key,
                          guint type, guint32 text, guint64 bits);
void weft_ingest_remember (WeftIngestRecent **table, guint64 producer, guint64 id);
guint64 weft_ingest_recall (const WeftIngestRecent *table, guint64 producer); /* 0: not known */

void weft_ingest_register_writer (WeftIngestRuntime *self, int tid, guint64 ticks,
                                  const char *name);
guint64 weft_ingest_register_clock (WeftIngestRuntime *self, guint32 name, double frequency);
void weft_ingest_store_pair (WeftIngestRuntime *self, guint64 clock, guint64 ticks, gint64 time,
                             gint64 error_bound);

/* Time relative to the recording; FALSE if the clock cannot tell. */
gboolean weft_ingest_runtime_convert (WeftIngestRuntime *self, guint clock, guint64 ticks,
                                      gint64 *time, gboolean *extrapolated);

/* -- weft-ingest-dispatch.c -- */
void weft_ingest_runtime_read_span (WeftIngestRuntime *self, WeftIngestWriter *writer,
                                    const WeftWireSpan *span);
void weft_ingest_runtime_read_dispatch (WeftIngestRuntime *self, WeftIngestWriter *writer,
                                        const guint8 *group, gsize length);
void weft_ingest_runtime_release_deferred (WeftIngestRuntime *self, WeftIngestClock *clock,
                                           gboolean all);
void weft_ingest_runtime_release_pending (WeftIngestRuntime *self);
void weft_ingest_runtime_note_reservations (WeftIngestRuntime *self);

/* -- weft-ingest-sides.c -- */
typedef struct
{
  guint64 dispatch; /* row, or 0 */
  guint64 submission;
  guint64 producer_dispatch; /* the producer's id, where the row is not known (yet) */
  guint lane;
} WeftSideOwner;

guint64 weft_ingest_runtime_read_error (WeftIngestRuntime *self, const guint8 *record, gsize length,
                                        guint lane);
void weft_ingest_runtime_read_sides (WeftIngestRuntime *self, const WeftSideOwner *owner,
                                     const guint8 *group, gsize length);
void weft_ingest_runtime_read_tags (WeftIngestRuntime *self, WeftTableId owner_table, guint64 owner,
                                    const guint8 *group, gsize length, guint lane);
void weft_ingest_runtime_add_origin (WeftIngestRuntime *self, const WeftWireOrigin *origin,
                                     guint64 dispatch, guint64 submission);
void weft_ingest_runtime_release_late_origins (WeftIngestRuntime *self, gboolean all);

/* -- weft-ingest-events.c -- */
guint64 weft_ingest_runtime_get_submission (WeftIngestRuntime *self, guint64 producer, guint lane,
                                            guint queue);
guint64 weft_ingest_runtime_get_trace (WeftIngestRuntime *self, guint64 producer);
gboolean weft_ingest_runtime_read_event (WeftIngestRuntime *self, WeftIngestWriter *writer,
                                         const guint8 *group, gsize length);
void weft_ingest_runtime_end_traces (WeftIngestRuntime *self);
void weft_ingest_runtime_hold_strings (WeftIngestRuntime *self, GArray *ids);
void weft_ingest_runtime_forget_traces (WeftIngestRuntime *self, gint64 before);

/* The record at OFFSET of a group, or NULL at its end. Groups were checked when they were cut. */
static inline const WeftWireRecord *
weft_group_next (const guint8 *group, gsize length, gsize *offset, gsize *size)
{
  const WeftWireRecord *record = (const void *) (group + *offset);

  if (*offset >= length)
    return NULL;
  *size = record->words * (gsize) 8;
  *offset += *size;
  return record;
}

/* Copies the fixed part of a record or entry; what it lacks reads as nought. */
static inline void
weft_copy_fixed (gpointer to, gsize to_size, gconstpointer from, gsize from_size)
{
  gsize n = MIN (to_size, from_size);

  memcpy (to, from, n);
  memset ((guint8 *) to + n, 0, to_size - n);
}

static inline void
weft_cursor_init (WeftCursor *cursor, gconstpointer record, gsize fixed, gsize size)
{
  cursor->bad = fixed > size;
  cursor->at = (const guint8 *) record + MIN (fixed, size);
  cursor->end = (const guint8 *) record + size;
}

G_END_DECLS
