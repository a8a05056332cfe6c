/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cases of weft-corpus share.
 *
 * Cases run one after the other on the main thread. Where another thread reports, it does so while
 * the main thread waits and with everything before it drained (corpus_thread_run ()), so that the
 * rows of each recording are in the same order.
 *
 * Times of dispatches are nanoseconds since the corpus's base, a moment shortly after its start.
 * They lie in its first 400 ms, which are over before the first of them is told.
 */
#pragma once

#include "weft-target.h"

#define N_ELEMENTS(array) (sizeof (array) / sizeof (array)[0])

#define US UINT64_C (1000)
#define MS UINT64_C (1000000)
#define WINDOW (400 * MS)

typedef struct
{
  const char *name;
  const char *summary;     /* what it is */
  const char *expectation; /* what must be seen in a recording */
  void (*run) (void);
  bool varies; /* counts differ between runs: left out with --no-drops */
} CorpusCase;

typedef struct
{
  const char *name;
  const CorpusCase *cases;
  size_t n_cases;
} CorpusGroup;

extern const CorpusGroup corpus_artifacts, corpus_attachments, corpus_clocks, corpus_counters,
    corpus_hostile, corpus_lanes, corpus_metrics, corpus_origins, corpus_outcomes, corpus_outliers,
    corpus_processes, corpus_refusals, corpus_sources, corpus_spans, corpus_submissions,
    corpus_threads, corpus_traces, corpus_waits;

/* ---- Options ---- */

extern uint64_t corpus_scale; /* times the usual number of dispatches; 1 */

/* ---- Times ---- */

void corpus_clock_start (void);

/* CLOCK_MONOTONIC of a moment given in nanoseconds since the base. */
uint64_t corpus_time (uint64_t since_base);

/* Ticks of the runtime's clock of a moment of CLOCK_MONOTONIC. */
uint64_t corpus_ticks (uint64_t monotonic);

uint64_t corpus_monotonic (void);
void corpus_sleep_until (uint64_t monotonic);
void corpus_sleep (uint64_t nanoseconds);

/* CLOCK_MONOTONIC of the start of this process, as the kernel tells it (to 10 ms). */
uint64_t corpus_process_started (void);

/* ---- Lanes, and what is handed to the library for them ---- */

typedef struct
{
  char name[400];
  uint64_t submitted; /* dispatches, spans and reservations handed over */
  int32_t pid;        /* the process whose lane it is */
  uint32_t clock;
  WeftTargetLane *lane; /* of that process */
} CorpusLane;

/* The lane of that name, made when first asked for; its times are CLOCK_MONOTONIC. */
CorpusLane *corpus_lane (const char *name, const char *kind);
CorpusLane *corpus_lane_full (const char *name, const char *kind, CorpusLane *parent,
                              uint32_t clock);

/* Writes lines "PID, tab, SUBMITTED, tab, NAME" (JSON string) of all lanes of all processes. */
bool corpus_write_counts (const char *path);

/* A dispatch to fill up and hand over; START since the base. */
WeftTargetDispatch corpus_dispatch (CorpusLane *lane, const char *routine, uint64_t start,
                                    uint64_t duration);
void corpus_emit (CorpusLane *lane, const WeftTargetDispatch *dispatch);
uint64_t corpus_reserve (CorpusLane *lane, const WeftTargetDispatch *dispatch);
void corpus_span (CorpusLane *lane, const char *routine, uint64_t start, uint64_t duration);

/* Counts what a case handed to the library itself. */
void corpus_count (CorpusLane *lane, uint64_t n);

/* Returns when a recorder has taken all that was written, if there is one. What is registered comes
 * to it before what is written, so this stands before tags and links of registered things: their
 * tables have rows of both.
 */
void corpus_settle (void);

WeftTargetOrigin corpus_origin (int32_t tid, uint64_t monotonic);
WeftTargetTag corpus_tag (const char *key, const char *value);

/* ---- Threads ---- */

typedef struct _CorpusThread CorpusThread;
typedef void (*CorpusJob) (void *data);

CorpusThread *corpus_thread_new (const char *name);
int32_t corpus_thread_tid (CorpusThread *thread);
void corpus_thread_begin (CorpusThread *thread, CorpusJob job, void *data);
void corpus_thread_wait (CorpusThread *thread);
void corpus_thread_run (CorpusThread *thread, CorpusJob job, void *data);
void corpus_thread_free (CorpusThread *thread);

/* Threads that are there from the base on. */
typedef enum
{
  CORPUS_CRUNCH,  /* on the CPU for 300 ms */
  CORPUS_BRIEF,   /* on the CPU for 30 ms, then idle */
  CORPUS_DORMANT, /* idle */
  CORPUS_N_RESIDENTS,
} CorpusResident;

void corpus_residents_start (void);
void corpus_residents_end (void);
CorpusThread *corpus_resident (CorpusResident which);

/* ---- Processes ---- */

/* A child that reports on a lane of its own; started when first asked for. */
int32_t corpus_child (void);
void corpus_child_end (void);
