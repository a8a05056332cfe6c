/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-clock-map.h"
#include "weft-linker.h"
#include "weft-losses.h"
#include "weft-process-info.h"
#include "weft-store-writer.h"
#include "weft-wire.h"

G_BEGIN_DECLS

/*
 * From bytes that producers wrote to rows of the store: validation, translation of ids and times,
 * joins of what arrives in parts, and the count of what was not kept. One thread.
 *
 * Bytes given here are private copies: a producer cannot change them any more. Everything in them
 * is distrusted.
 */
typedef struct _WeftIngest WeftIngest;
typedef struct _WeftIngestRuntime WeftIngestRuntime;

/* Turns a copied stack into frames; the bytes are gone afterwards and reach no disk. Returns how
 * the stack ended (a value of the column "end" of the stacks table), and the id of its callchain, 0
 * if there is none.
 */
typedef guint (*WeftUnwindFunc) (const WeftWireStack *stack, const guint8 *bytes, int pid,
                                 guint64 *callchain, gpointer data);

typedef struct
{
  guint64 dispatches;
  guint64 pending;
  guint64 rejected;
  guint64 lost;
  guint64 sampled_out;
  guint runtimes; /* attached now */
  guint runtimes_seen;
  guint lanes;
} WeftIngestTotals;

/* START is time zero of the recording, CLOCK_MONOTONIC ns. */
WeftIngest *weft_ingest_new (WeftStoreWriter *store, gint64 start);
void weft_ingest_free (WeftIngest *self);
void weft_ingest_set_unwinder (WeftIngest *self, WeftUnwindFunc unwind, gpointer data);

/* Told of each process that begins to report, and of one that does again. */
typedef void (*WeftProcessSeenFunc) (int pid, gpointer data);
void weft_ingest_set_process_seen (WeftIngest *self, WeftProcessSeenFunc seen, gpointer data);

/* Hears of threads, stacks, origins and dispatches as their rows are written. It may be NULL. */
void weft_ingest_set_linker (WeftIngest *self, WeftLinker *linker);

/* Of a dispatch, ns since the recording's start. */
gint64 weft_ingest_get_last_end (WeftIngest *self);

/* Told of the kind of each lane as it comes. */
typedef void (*WeftKindFunc) (const char *kind, gpointer data);
void weft_ingest_set_kind_seen (WeftIngest *self, WeftKindFunc seen, gpointer data);

/* What threads wait for changed hands. Times are those of rows. */
typedef struct
{
  guint64 process; /* rows */
  guint64 thread;
  gboolean waited; /* from BEGIN to END; else it gave OBJECT away at BEGIN */
  gboolean expired; /* and gave up at END */
  guint64 object;
  guint64 also; /* that the wait may have gone on with; 0: none */
  gint64 begin;
  gint64 end;
} WeftIngestHandover;

/* Told of each. */
typedef void (*WeftHandoverFunc) (const WeftIngestHandover *handover, gpointer data);
void weft_ingest_set_handover (WeftIngest *self, WeftHandoverFunc handover, gpointer data);

void weft_ingest_get_totals (WeftIngest *self, WeftIngestTotals *totals);

/* Adds to IDS (of element type guint32) the strings that rows to come will name. */
void weft_ingest_hold_strings (WeftIngest *self, GArray *ids);

/* What the recorder itself has to tell: lanes without a runtime, metrics on them, and what these
 * are. KIND and UNIT as in the metrics table.
 */
guint64 weft_ingest_add_core_lane (WeftIngest *self, const char *name, const char *kind);
guint64 weft_ingest_add_core_metric (WeftIngest *self, guint64 lane, const char *name, guint kind,
                                     guint unit);
void weft_ingest_add_core_point (WeftIngest *self, guint64 metric, gint64 now, double value);
void weft_ingest_add_core_tag (WeftIngest *self, guint64 lane, const char *key, guint64 number);

/* The processes that have not ended, as far as is known. IS_NEW: it began after the recording. */
typedef void (*WeftProcessFunc) (guint64 id, int pid, gboolean is_new, gpointer data);
void weft_ingest_each_process (WeftIngest *self, WeftProcessFunc func, gpointer data);
gboolean weft_ingest_has_process (WeftIngest *self, int pid);

/* For recordings without end: lets go of what ended BEFORE (ns, CLOCK_MONOTONIC) and is remembered
 * only in case that it comes up again. STRINGS: bytes that the store's dictionary has now.
 */
void weft_ingest_forget (WeftIngest *self, gint64 before, guint64 strings);
void weft_ingest_add_meta (WeftIngest *self, const char *key, const char *text);
void weft_ingest_add_meta_number (WeftIngest *self, const char *key, gint64 number);
void weft_ingest_add_diagnostic (WeftIngest *self, guint severity, const char *code,
                                 const char *message);
void weft_ingest_add_plugin (WeftIngest *self, const char *name, const char *version,
                             const char *path);

/* What a domain found; texts may be empty. */
typedef struct
{
  const char *domain;
  const char *check;
  const char *question;
  guint verdict;
  const char *evidence;
  const char *advice;
  const char *handles; /* with blanks between */
} WeftIngestFinding;

void weft_ingest_add_finding (WeftIngest *self, const WeftIngestFinding *finding);

/* What recording cost so far; times in ns, sizes in bytes. */
typedef struct
{
  guint64 cpu;
  guint64 resident;
  guint64 written;
  guint64 sampler;
  guint64 symbolizer;
  guint64 perturbation;
} WeftOwnCost;

void weft_ingest_add_own_cost (WeftIngest *self, gint64 now, const WeftOwnCost *cost);

/* A process is one row per program that it runs, however often and by whomever it is told of. */
guint64 weft_ingest_add_process (WeftIngest *self, const WeftProcessInfo *info);

/* Likewise, for one who tells of each program of each process just once. */
guint64 weft_ingest_add_watched_process (WeftIngest *self, const WeftProcessInfo *info);

/* Once; later calls have no effect. */
void weft_ingest_end_process (WeftIngest *self, guint64 process, gint64 now, gboolean has_status,
                              int status);

typedef struct
{
  int tid;           /* as the recorder sees it; 0: not known */
  int namespace_tid; /* what it calls itself */
  gint64 started;    /* ns, CLOCK_MONOTONIC, to 10 ms; 0: not known */
  gint64 seen;       /* ns: it was there then */
  const char *name;
  guint64 runtime; /* that tells of it; 0: a source of CPU events does, once a thread */
} WeftIngestThread;

/* A thread is (process, number, start), for numbers come again. One row, whoever tells of it first;
 * the caller knows that it was there. Returns 0 if the process has too many.
 */
guint64 weft_ingest_add_thread (WeftIngest *self, guint64 process, const WeftIngestThread *thread);
void weft_ingest_end_thread (WeftIngest *self, guint64 process, int tid, guint64 thread,
                             gint64 now);

/* HEADER is a checked copy; CELLS the shared ones, read but never trusted, alive until the runtime
 * ends. PROCESS as from weft_ingest_add_process ().
 */
WeftIngestRuntime *weft_ingest_attach (WeftIngest *self, const WeftProcessInfo *info,
                                       guint64 process, const WeftWireRegistry *header,
                                       const WeftWireCell *cells, guint n_cells, gint64 now);

/* Entries of the log; the last may be cut off. CONSUMED gets the length of the whole ones. FALSE if
 * they are malformed beyond use: read no more of this log.
 */
gboolean weft_ingest_runtime_read_log (WeftIngestRuntime *self, const guint8 *data, gsize length,
                                       gsize *consumed);

/* A pair of the runtime's own clock (TICKS are 0 where that is CLOCK_MONOTONIC), taken after the
 * heads were read: all times that the next records may rightly have lie before it.
 */
void weft_ingest_runtime_begin_drain (WeftIngestRuntime *self, const WeftClockPair *pair);

/* Whether a block that begins at SEQUENCE follows what was read of its writer. */
gboolean weft_ingest_runtime_is_next (WeftIngestRuntime *self, guint writer, guint64 sequence);

/* Whole records of one block. SEQUENCE is the block's, FRESH whether this is its beginning.
 * Returns the number of records (side records not counted).
 */
guint weft_ingest_runtime_read_records (WeftIngestRuntime *self, guint writer, guint64 sequence,
                                        gboolean fresh, const guint8 *data, gsize length);

/* Lets go of what waited too long for its other half. */
void weft_ingest_runtime_end_drain (WeftIngestRuntime *self);

void weft_ingest_runtime_count (WeftIngestRuntime *self, guint lane, WeftLoss loss, guint64 n);

/* The recorder's number of a writer's thread, in the producer's namespace; 0 if unknown. */
int weft_ingest_runtime_get_writer_tid (WeftIngestRuntime *self, guint writer);

/* Writes conservation counters that changed since the last call. */
void weft_ingest_runtime_write_counts (WeftIngestRuntime *self, gint64 now);
void weft_ingest_runtime_write_stats (WeftIngestRuntime *self, const guint64 *stats, gint64 now);

/* Completes what can be completed, writes the last counters, and frees. */
void weft_ingest_runtime_end (WeftIngestRuntime *self, const char *reason, gint64 now);

G_END_DECLS
