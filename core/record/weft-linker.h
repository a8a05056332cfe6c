/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-store-writer.h"

G_BEGIN_DECLS

/*
 * Which CPU stack an origin belongs to, and whether somebody provably waited for a dispatch.
 *
 * Told of rows as they are written; decides when nothing that comes later can change the answer,
 * and writes what it decided as derived chunks of the tables of origins and dispatches. README.md
 * beside this file has the rules and their thresholds. One thread: the engine's. Memory is bounded:
 * what does not fit is decided by what is known then.
 *
 * Ids are those of rows. Times are nanoseconds since the recording's start, as in the rows.
 */
typedef struct _WeftLinker WeftLinker;

typedef struct
{
  gint64 tolerance;    /* ns from an origin to a CPU sample; 0: WEFT_LINKER_TOLERANCE */
  gint64 highest_tid;  /* that the system gives to a thread; 0: WEFT_LINKER_HIGHEST_TID */
  gboolean no_samples; /* nobody takes CPU samples: nothing is waited for */
  gboolean no_waits;   /* nobody can tell of waits: that there is none says nothing */
} WeftLinkerOptions;

#define WEFT_LINKER_TOLERANCE (10 * G_GINT64_CONSTANT (1000000))
#define WEFT_LINKER_HIGHEST_TID (1 << 22) /* Linux's limit on 64-bit machines */

/* OPTIONS may be NULL. */
WeftLinker *weft_linker_new (WeftStoreWriter *store, const WeftLinkerOptions *options);

/* Decides what is left, and frees. The store stays. */
void weft_linker_free (WeftLinker *self);

void weft_linker_set_options (WeftLinker *self, const WeftLinkerOptions *options);

/* Samplers start after the recording, and may fail to. */
void weft_linker_set_no_samples (WeftLinker *self, gboolean no_samples);
void weft_linker_set_no_waits (WeftLinker *self, gboolean no_waits);

/* ---- From CPU sources, in order of time ---- */

void weft_linker_add_sample (WeftLinker *self, guint64 thread, gint64 time, guint64 sample,
                             guint64 callchain);

/* An interval off the CPU, with its blocking stack; CALLCHAIN 0: not known. */
void weft_linker_add_wait (WeftLinker *self, guint64 thread, gint64 start, gint64 end,
                           guint64 callchain);

/* Each row of the table of callchains: two stacks share what they have in common of it. */
void weft_linker_add_callchain (WeftLinker *self, guint64 callchain, guint64 parent, guint64 frame,
                                guint depth);

/* A number of the function that a frame is in, 0 if that is not known: two stacks that go on
 * differently from one function share its frame, though not the place in it.
 */
void weft_linker_add_frame (WeftLinker *self, guint64 frame, guint64 function);

/* ---- From ingest ---- */

/* Each row of the table of threads, and THREAD 0 for the first of each process; TID as the recorder
 * sees it.
 */
void weft_linker_add_thread (WeftLinker *self, guint64 process, gint64 tid, guint64 thread);

/* A copied stack and what came of it. */
void weft_linker_add_stack (WeftLinker *self, guint64 stack, guint64 callchain);

typedef struct
{
  guint64 origin;
  guint role; /* WeftOriginRole */
  guint64 dispatch;
  guint64 submission;
  guint64 runtime;
  guint64 producer_dispatch; /* names the dispatch where DISPATCH is 0 */
  guint64 process;
  guint64 thread;
  gint64 tid;               /* as the process told it */
  gboolean other_namespace; /* and as nobody else counts */
  gint64 time;
  gint64 now; /* no sound time lies after it; G_MAXINT64: not known yet */
  guint64 stack;
} WeftLinkerOrigin;

void weft_linker_add_origin (WeftLinker *self, const WeftLinkerOrigin *origin);

typedef struct
{
  guint64 dispatch;
  guint64 submission;
  guint64 runtime;
  guint64 producer_id;
  gint64 start;
  gint64 end;
  gint64 queued;      /* when it was handed over; START where nobody told */
  gint64 error_bound; /* of its times beside those of the origins, ns; G_MAXINT64: unbounded */
  gboolean never_ran;
} WeftLinkerDispatch;

/* Each dispatch that has a submission, an id or origins, before these; others need not be told. */
void weft_linker_add_dispatch (WeftLinker *self, const WeftLinkerDispatch *dispatch);

/* ---- From whoever has rows only ---- */

/* What a row leaves to others to say. */
typedef struct
{
  guint64 process; /* of an origin's runtime */
  guint64 runtime; /* of a dispatch's lane */
  gboolean has_submitted;
} WeftLinkerRowFacts;

/* VALUES are those of all columns of TABLE, nought where there is none. */
void weft_linker_add_row (WeftLinker *self, WeftTableId table, guint64 id, const guint64 *values,
                          const WeftLinkerRowFacts *facts);

/* ---- From the engine ---- */

/* Decides what can be decided at NOW, of dispatches up to N_DISPATCHES, the last row of that table;
 * hands it to the store about twice a second. To be called more often than that.
 */
void weft_linker_advance (WeftLinker *self, gint64 now, guint64 n_dispatches);

/* Hands what is decided to the store now. */
void weft_linker_flush (WeftLinker *self);

/* When the last dispatch ended, where the origins' NOW is not known. */
void weft_linker_set_end (WeftLinker *self, gint64 end);

G_END_DECLS
