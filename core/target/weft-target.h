/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-target: report what your program's own execution lanes do.
 *
 * A lane is anything that runs work: a queue of a device, a pool of threads, a task runtime, a
 * stage of a pipeline, a main loop. The work it runs are dispatches, each of one routine.
 *
 *   static WeftTargetRoutine compress = WEFT_TARGET_ROUTINE ("compress");
 *   WeftTargetLane *lane = weft_target_lane_new ("worker 1", "pool.worker");
 *
 *   WeftTargetSpan span = weft_target_span_begin (lane, &compress);
 *   …
 *   weft_target_span_end (span);
 *
 * Nothing is allocated, no system call is made and no thread is started while no recorder, listener
 * or ring is active; with a recorder, a span is one 32-byte record in shared memory. No call ever
 * blocks on a recorder, and none aborts: whatever cannot be kept is counted
 * (weft_target_get_stats ()).
 *
 * All functions may be called from any thread. From signal handlers: spans, dispatches, metrics,
 * origins; a call that interrupts another call of this library is dropped and counted. All
 * pointers given are only read during the call. Strings are UTF-8; strings and lists are cut at the
 * caps that docs/producer-guide.md lists.
 *
 * Where a function takes a struct and a size, the size is sizeof of that struct as you compiled it.
 *
 * Times are ticks of a clock. The runtime's own clock is read with weft_target_now (); a lane may
 * have another (see WeftTargetLaneInfo.clock).
 */
#ifndef WEFT_TARGET_H
#define WEFT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEFT_TARGET_API __attribute__ ((visibility ("default")))
#define WEFT_TARGET_UNLIKELY(x) __builtin_expect (!!(x), 0)
#else
#define WEFT_TARGET_API
#define WEFT_TARGET_UNLIKELY(x) (x)
#endif

#define WEFT_TARGET_VERSION_MAJOR 0
#define WEFT_TARGET_VERSION_MINOR 1

/* "0.1.0 (wire 1.0)"; static. */
WEFT_TARGET_API const char *weft_target_version (void);

/* ---- Gate ---- */

/* Read-only for hosts. LOCAL: rings and listeners of this process. REMOTE points at the word by
 * which recorders announce themselves, or at a nought.
 */
typedef struct
{
  uint32_t local;
  uint32_t reserved;
  const uint32_t *remote;
} WeftTargetGate;

extern WEFT_TARGET_API WeftTargetGate weft_target_gate;

/* Whether anybody listens: a few loads and one branch. Calls check it themselves; use it to skip
 * work that only prepares a call.
 */
static inline bool
weft_target_enabled (void)
{
  return WEFT_TARGET_UNLIKELY (
      (__atomic_load_n (&weft_target_gate.local, __ATOMIC_RELAXED)
       | __atomic_load_n (__atomic_load_n (&weft_target_gate.remote, __ATOMIC_RELAXED), __ATOMIC_RELAXED))
      != 0);
}

/* ---- Lanes, queues, routines: kept for the life of the process ---- */

typedef struct _WeftTargetLane WeftTargetLane;

/* KIND is a namespaced word such as "pool.worker"; plugins describe kinds, no one guesses from
 * names. Never returns NULL: without resources the lane swallows its calls, and counts them.
 */
WEFT_TARGET_API WeftTargetLane *weft_target_lane_new (const char *name, const char *kind);

typedef struct
{
  const char *name;
  const char *kind;
  WeftTargetLane *parent; /* lane that this one is a part of, or NULL */
  uint32_t clock;         /* of START and END: WEFT_TARGET_CLOCK_… or weft_target_clock_new () */
} WeftTargetLaneInfo;

WEFT_TARGET_API WeftTargetLane *weft_target_lane_new_full (const WeftTargetLaneInfo *info,
                                                           size_t info_size);

/* The worker, queue or loop behind LANE ends now. The lane stays valid, for what arrives late. */
WEFT_TARGET_API void weft_target_lane_close (WeftTargetLane *lane);

/* A concrete queue behind a lane. Returns its number, 0 if there is no room. */
WEFT_TARGET_API uint32_t weft_target_queue_new (WeftTargetLane *lane, const char *name);

/* The named unit of code a dispatch runs. Static ones register themselves when first used. */
typedef struct
{
  const char *name;
  uint32_t id; /* atomic; the library's */
  uint32_t reserved;
} WeftTargetRoutine;

#define WEFT_TARGET_ROUTINE(name) { (name), 0, 0 }

typedef struct
{
  const char *name;    /* as the code calls it */
  const char *label;   /* for people, or NULL */
  const char *flavour; /* build flavour, variant, pipeline, or NULL */
  uint32_t source;     /* weft_target_source_new (), or 0 */
  uint32_t first_line; /* of the source, from 1; 0 unknown */
  uint32_t last_line;
} WeftTargetRoutineInfo;

/* Equal infos give the same routine. Lives as long as the process; never NULL. */
WEFT_TARGET_API WeftTargetRoutine *weft_target_routine_new (const char *name);
WEFT_TARGET_API WeftTargetRoutine *weft_target_routine_new_full (const WeftTargetRoutineInfo *info,
                                                                 size_t info_size);

/* The function of this process that ADDRESS lies in: by the name that the symbol tables of its file
 * give it, else by file and offset. It reads that file, so call it once and keep the routine, for
 * functions that others hand to you; CPU samples in it belong to its dispatches. Since 0.1.
 */
WEFT_TARGET_API WeftTargetRoutine *weft_target_routine_for_code (const void *address);

/* The same with a flavour, where a function is code of several: NULL is the file's name. Since 0.1. */
WEFT_TARGET_API WeftTargetRoutine *weft_target_routine_for_code_full (const void *address,
                                                                      const char *flavour);

/* ---- Clocks ---- */

#define WEFT_TARGET_CLOCK_RUNTIME 0u   /* weft_target_now () */
#define WEFT_TARGET_CLOCK_MONOTONIC 1u /* CLOCK_MONOTONIC, nanoseconds */

/* Ticks of the runtime's clock: the invariant TSC where the kernel trusts it, else CLOCK_MONOTONIC
 * nanoseconds.
 */
WEFT_TARGET_API uint64_t weft_target_now (void);

/* Ticks of the runtime's clock as CLOCK_MONOTONIC nanoseconds, by the library's own calibration. */
WEFT_TARGET_API uint64_t weft_target_to_nanoseconds (uint64_t ticks);

/* A device's clock; FREQUENCY in ticks a second, 0 if unknown. Its number, 0 if there is no room. */
WEFT_TARGET_API uint32_t weft_target_clock_new (const char *name, double frequency);

/* The device showed DEVICE somewhere between BEFORE and AFTER of weft_target_now (). Call it again
 * and again: recorders convert only between two pairs, and mark what lies further than 2 s off.
 */
WEFT_TARGET_API void weft_target_clock_calibrate (uint32_t clock, uint64_t device, uint64_t before,
                                                  uint64_t after);

/* ---- Spans ---- */

/* What began; a value to be copied, handed to other threads, ended once. All zero: nothing. */
typedef struct
{
  WeftTargetLane *lane;
  WeftTargetRoutine *routine;
  uint64_t start; /* ticks of the runtime's clock */
  uint64_t nest;  /* the library's: thread and depth */
} WeftTargetSpan;

/* START and NEST of a span: small enough to come back in registers. */
typedef struct
{
  uint64_t start;
  uint64_t nest;
} WeftTargetOpened;

WEFT_TARGET_API void weft_target_span_write (WeftTargetLane *lane, WeftTargetRoutine *routine,
                                             uint64_t start, uint64_t end);
WEFT_TARGET_API WeftTargetOpened weft_target_span_open (void);
WEFT_TARGET_API void weft_target_span_close (WeftTargetLane *lane, WeftTargetRoutine *routine,
                                             uint64_t start, uint64_t nest);

/* A span whose times are known, in the lane's clock. */
static inline void
weft_target_span (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start, uint64_t end)
{
  if (weft_target_enabled ())
    weft_target_span_write (lane, routine, start, end);
}

/* A span that begins now, on the runtime's clock. Spans of a thread nest; one that is ended on
 * another thread keeps its times and loses its depth.
 */
static inline WeftTargetSpan
weft_target_span_begin (WeftTargetLane *lane, WeftTargetRoutine *routine)
{
  WeftTargetSpan span = { lane, routine, 0, 0 };

  if (weft_target_enabled ())
    {
      WeftTargetOpened opened = weft_target_span_open ();

      span.start = opened.start;
      span.nest = opened.nest;
    }
  return span;
}

static inline void
weft_target_span_end (WeftTargetSpan span)
{
  if (WEFT_TARGET_UNLIKELY (span.start != 0))
    weft_target_span_close (span.lane, span.routine, span.start, span.nest);
}

/* What a span may carry without becoming a full dispatch; see WeftTargetDispatch. */
typedef struct
{
  uint64_t id;
  uint64_t submission;
  uint64_t trace; /* WeftTargetTrace.id of a sampled one, or 0 */
  uint32_t queue;
} WeftTargetIds;

WEFT_TARGET_API void weft_target_span_write_ids (WeftTargetLane *lane, WeftTargetRoutine *routine,
                                                 uint64_t start, uint64_t end,
                                                 const WeftTargetIds *ids);

/* A dispatch of which only ids and times are told: the cheapest there is. */
static inline void
weft_target_span_with_ids (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                           uint64_t end, const WeftTargetIds *ids)
{
  if (weft_target_enabled ())
    weft_target_span_write_ids (lane, routine, start, end, ids);
}

#if defined(__GNUC__)
static inline void
weft_target_scope_end_ (WeftTargetSpan *span)
{
  weft_target_span_end (*span);
}

#define WEFT_TARGET_PASTE_(a, b) a##b
#define WEFT_TARGET_PASTE(a, b) WEFT_TARGET_PASTE_ (a, b)

#define WEFT_TARGET_SCOPE_(lane, name, number)                                                     \
  static WeftTargetRoutine WEFT_TARGET_PASTE (weft_routine_, number)                               \
      = WEFT_TARGET_ROUTINE (name);                                                                \
  WeftTargetSpan WEFT_TARGET_PASTE (weft_span_, number)                                            \
      __attribute__ ((cleanup (weft_target_scope_end_), unused))                                   \
      = weft_target_span_begin ((lane), &WEFT_TARGET_PASTE (weft_routine_, number))

/* A span from here to the end of the enclosing block. */
#define WEFT_TARGET_SCOPE(lane, name) WEFT_TARGET_SCOPE_ (lane, name, __COUNTER__)
#endif

/* ---- Origins: which thread, when, and on what stack ---- */

typedef struct
{
  uint64_t ticks;
  uint64_t stack; /* 0: not copied */
  int32_t tid;
  uint32_t reserved;
} WeftTargetOrigin;

/* Thread and time of the call. All zero while nobody listens. */
WEFT_TARGET_API WeftTargetOrigin weft_target_origin (void);

/* The same with registers and at most 8 KiB of the stack, for a recorder to unwind. Over 20,000
 * stacks a second, or without room, the stack is left out and counted.
 */
WEFT_TARGET_API WeftTargetOrigin weft_target_origin_with_stack (void);

/* ---- Dispatches ---- */

typedef enum
{
  WEFT_TARGET_OK,
  WEFT_TARGET_ERROR,
  WEFT_TARGET_CANCELED,
} WeftTargetStatus;

typedef enum
{
  WEFT_TARGET_ERROR_NONE,
  WEFT_TARGET_ERROR_ABORT,
  WEFT_TARGET_ERROR_QUEUE,
  WEFT_TARGET_ERROR_CRASH,
  WEFT_TARGET_ERROR_EXCEPTION,
  WEFT_TARGET_ERROR_FAULT,
  WEFT_TARGET_ERROR_TIMEOUT,
} WeftTargetErrorKind;

typedef struct
{
  const char *name;
  const char *message;
  const char *stack;
  const char *cause;
} WeftTargetErrorDetail;

#define WEFT_TARGET_PHASE_SLOW 1u
#define WEFT_TARGET_PHASE_ERROR 2u

typedef struct
{
  const char *name;
  uint64_t offset;   /* ns from the dispatch's start */
  uint64_t duration; /* ns */
  uint32_t flags;    /* WEFT_TARGET_PHASE_… */
  const char *error; /* message, or NULL */
} WeftTargetPhase;

typedef enum
{
  WEFT_TARGET_ROLE_DISPATCH,
  WEFT_TARGET_ROLE_WAIT_BEGIN,
  WEFT_TARGET_ROLE_WAIT_END,
  WEFT_TARGET_ROLE_COMPLETION,
  WEFT_TARGET_ROLE_FAULT,
} WeftTargetRole;

typedef struct
{
  WeftTargetRole role;
  WeftTargetOrigin origin;
} WeftTargetRoleOrigin;

typedef enum
{
  WEFT_TARGET_VALUE_U64,
  WEFT_TARGET_VALUE_I64,
  WEFT_TARGET_VALUE_F64,
  WEFT_TARGET_VALUE_BOOL,
  WEFT_TARGET_VALUE_STRING,
} WeftTargetValueType;

typedef struct
{
  const char *key;
  WeftTargetValueType type;
  union
  {
    uint64_t u64;
    int64_t i64;
    double f64;
    bool boolean;
    const char *string;
  } value;
} WeftTargetTag;

typedef enum
{
  WEFT_TARGET_ACCESS_UNKNOWN,
  WEFT_TARGET_ACCESS_READ,
  WEFT_TARGET_ACCESS_WRITE,
  WEFT_TARGET_ACCESS_READ_WRITE,
} WeftTargetAccess;

typedef enum
{
  WEFT_TARGET_PRIVACY_METADATA, /* what is given here, never contents */
  WEFT_TARGET_PRIVACY_REDACTED, /* label and ranges are withheld by the library */
} WeftTargetPrivacy;

/* A named range of an attachment: layer, head, token, batch, … */
typedef struct
{
  const char *name;
  int64_t first;
  uint64_t count;
} WeftTargetRange;

#define WEFT_TARGET_NO_SLOT INT32_MIN
#define WEFT_TARGET_UNKNOWN_SIZE UINT64_MAX

/* A thing that a dispatch touched: metadata only. */
typedef struct
{
  const char *kind;  /* "buffer", "tensor", "file", … */
  const char *label; /* stable */
  const char *role;
  const char *element_type;
  const char *shape; /* "8×128×64" */
  int32_t slot;      /* or WEFT_TARGET_NO_SLOT */
  WeftTargetAccess access;
  uint64_t offset; /* bytes */
  uint64_t size;   /* bytes, or WEFT_TARGET_UNKNOWN_SIZE */
  WeftTargetPrivacy privacy;
  const WeftTargetRange *ranges;
  size_t n_ranges;
} WeftTargetAttachment;

typedef enum
{
  WEFT_TARGET_POINT_BEFORE_DISPATCH,
  WEFT_TARGET_POINT_AFTER_DISPATCH,
  WEFT_TARGET_POINT_SUBMISSION_BEGIN,
  WEFT_TARGET_POINT_SUBMISSION_END,
  WEFT_TARGET_POINT_WAIT_BEGIN,
  WEFT_TARGET_POINT_WAIT_END,
  WEFT_TARGET_POINT_STATE_CHANGE,
  WEFT_TARGET_POINT_NAMED,
} WeftTargetSamplePoint;

typedef struct
{
  union
  {
    uint64_t u64;
    int64_t i64;
    double f64;
  } value;       /* typed by the counter's definition */
  bool is_error; /* the counter resolved to an error value */
} WeftTargetCounterValue;

typedef struct
{
  uint32_t set;
  WeftTargetSamplePoint point;
  const char *point_name; /* with WEFT_TARGET_POINT_NAMED */
  uint64_t ticks;         /* runtime clock; 0 if unknown */
  const WeftTargetCounterValue *values;
  size_t n_values;
} WeftTargetCounterSample;

/* Made by weft_target_trace_new (); a value to be copied. */
typedef struct
{
  uint64_t id;
  uint64_t start;
  bool sampled;
} WeftTargetTrace;

/* One work item. What is left zero is left out. */
typedef struct
{
  WeftTargetLane *lane;
  WeftTargetRoutine *routine;
  uint64_t start; /* ticks of the lane's clock */
  uint64_t end;
  uint64_t id;         /* weft_target_id_new (); 0: none needed */
  uint64_t submission; /* weft_target_id_new () */
  uint32_t queue;
  const WeftTargetTrace *trace;
  const WeftTargetSpan *span; /* takes start, nesting and – where END is 0 – the end from a span */
  const char *label;          /* display name, where it is not the routine's */
  WeftTargetStatus status;
  WeftTargetErrorKind error_kind;
  const WeftTargetErrorDetail *error;
  bool has_attempts; /* tells no attempts from unknown */
  uint32_t attempts;
  bool has_queue_wait;
  uint64_t queue_wait;      /* ns, sum over the attempts */
  uint64_t queue_wait_last; /* ns, of the last attempt */
  uint64_t submitted;       /* ticks of the runtime clock; 0 unknown */
  uint32_t source;          /* where it differs from the routine's */
  uint32_t first_line;
  uint32_t last_line;
  const WeftTargetPhase *phases;
  size_t n_phases;
  const WeftTargetRoleOrigin *origins;
  size_t n_origins;
  const WeftTargetAttachment *attachments;
  size_t n_attachments;
  const WeftTargetCounterSample *samples;
  size_t n_samples;
  const uint32_t *artifacts;
  size_t n_artifacts;
  const WeftTargetTag *tags;
  size_t n_tags;
} WeftTargetDispatch;

/* A number unique in this process, never 0: for dispatches and submissions. */
WEFT_TARGET_API uint64_t weft_target_id_new (void);

WEFT_TARGET_API void weft_target_dispatch_write (const WeftTargetDispatch *dispatch, size_t size);
WEFT_TARGET_API uint64_t weft_target_reserve_write (const WeftTargetDispatch *dispatch, size_t size);
WEFT_TARGET_API void weft_target_complete_write (const WeftTargetDispatch *dispatch, size_t size);

/* A dispatch that is over. */
static inline void
weft_target_dispatch (const WeftTargetDispatch *dispatch)
{
  if (weft_target_enabled ())
    weft_target_dispatch_write (dispatch, sizeof *dispatch);
}

/* A dispatch that was handed over and whose times arrive later. Returns the id to complete it
 * with: the one given, else a new one; 0 while nobody listens, and if it is not sampled or was
 * lost: then there is nothing to complete.
 */
static inline uint64_t
weft_target_reserve (const WeftTargetDispatch *dispatch)
{
  return weft_target_enabled () ? weft_target_reserve_write (dispatch, sizeof *dispatch) : 0;
}

/* Completes the reservation of DISPATCH->id, with everything that was not said before; nothing
 * happens where the id is 0. Completion and reservation may be written in either order. Rings and
 * listeners get the completion, not the reservation.
 */
static inline void
weft_target_complete (const WeftTargetDispatch *dispatch)
{
  if (WEFT_TARGET_UNLIKELY (dispatch->id != 0) && weft_target_enabled ())
    weft_target_complete_write (dispatch, sizeof *dispatch);
}

/* ---- Submissions, waits, completions ---- */

typedef enum
{
  WEFT_TARGET_SUBMISSION_BEGIN,
  WEFT_TARGET_SUBMISSION_COMMIT,
  WEFT_TARGET_SUBMISSION_COMPLETED,
  WEFT_TARGET_SUBMISSION_FAULT,
} WeftTargetSubmissionKind;

typedef struct
{
  WeftTargetLane *lane;
  uint64_t submission;
  uint32_t queue;
  WeftTargetSubmissionKind kind;
  WeftTargetStatus status;
  uint64_t ticks; /* runtime clock; 0 is now */
  const WeftTargetErrorDetail *error;
  const WeftTargetRoleOrigin *origins;
  size_t n_origins;
  const WeftTargetCounterSample *samples;
  size_t n_samples;
  const uint32_t *artifacts;
  size_t n_artifacts;
  const WeftTargetTag *tags;
  size_t n_tags;
} WeftTargetSubmissionEvent;

WEFT_TARGET_API void weft_target_submission_write (const WeftTargetSubmissionEvent *event,
                                                   size_t size);

static inline void
weft_target_submission (const WeftTargetSubmissionEvent *event)
{
  if (weft_target_enabled ())
    weft_target_submission_write (event, sizeof *event);
}

/* Something happened to a dispatch or submission (the other is 0) of LANE on the thread of ORIGIN:
 * a wait for it began or ended, it completed, it faulted.
 */
WEFT_TARGET_API void weft_target_report_origin (WeftTargetLane *lane, WeftTargetRole role,
                                                uint64_t dispatch, uint64_t submission,
                                                WeftTargetOrigin origin);

/* Counter values of a dispatch or submission that arrive on their own. */
WEFT_TARGET_API void weft_target_report_samples (WeftTargetLane *lane, uint64_t dispatch,
                                                 uint64_t submission,
                                                 const WeftTargetCounterSample *samples,
                                                 size_t n_samples);

/* ---- Sources, counter sets, artifacts: kept regardless of recorders ---- */

typedef struct
{
  uint64_t offset; /* in the compiled code */
  uint32_t line;
  uint32_t column;
} WeftTargetLine;

typedef struct
{
  const char *language;
  const char *path;  /* or NULL */
  const char *hash;  /* of the contents, where the text is not given */
  const char *text;  /* or NULL */
  size_t text_length; /* bytes; 0: nul-terminated */
  const char *flavour;
  const char *build_flags;
  const WeftTargetLine *lines;
  size_t n_lines;
} WeftTargetSource;

/* Their numbers; 0 if there is no room (counted). */
WEFT_TARGET_API uint32_t weft_target_source_new (const WeftTargetSource *source, size_t source_size);
WEFT_TARGET_API void weft_target_source_map (uint32_t source, WeftTargetRoutine *routine,
                                             uint32_t first_line, uint32_t last_line);

typedef enum
{
  WEFT_TARGET_UNIT_NONE,
  WEFT_TARGET_UNIT_TICKS,
  WEFT_TARGET_UNIT_CYCLES,
  WEFT_TARGET_UNIT_INVOCATIONS,
  WEFT_TARGET_UNIT_BYTES,
  WEFT_TARGET_UNIT_PERCENT,
  WEFT_TARGET_UNIT_COUNT,
  WEFT_TARGET_UNIT_NANOSECONDS,
  WEFT_TARGET_UNIT_NAMED,
} WeftTargetUnit;

typedef enum
{
  WEFT_TARGET_COUNTER,
  WEFT_TARGET_GAUGE,
  WEFT_TARGET_HISTOGRAM,
} WeftTargetMetricKind;

typedef enum
{
  WEFT_TARGET_AGGREGATE_SUM,
  WEFT_TARGET_AGGREGATE_MEAN,
  WEFT_TARGET_AGGREGATE_MIN,
  WEFT_TARGET_AGGREGATE_MAX,
  WEFT_TARGET_AGGREGATE_LAST,
} WeftTargetAggregation;

typedef enum
{
  WEFT_TARGET_PRESENT,
  WEFT_TARGET_DISABLED,
  WEFT_TARGET_UNSUPPORTED,
  WEFT_TARGET_FAILING,
} WeftTargetAvailability;

typedef struct
{
  const char *name;
  WeftTargetUnit unit;
  const char *unit_name; /* with WEFT_TARGET_UNIT_NAMED */
  WeftTargetMetricKind kind;
  WeftTargetAggregation aggregation;
  WeftTargetValueType value_type; /* U64, I64 or F64 */
} WeftTargetCounter;

typedef struct
{
  WeftTargetAvailability availability;
  const char *reason;
  const char *probe;         /* what was tried and what came of it */
  const char *overhead_text; /* of sampling, in words */
  bool has_overhead;
  uint64_t overhead; /* ns a sample */
} WeftTargetCounterState;

WEFT_TARGET_API uint32_t weft_target_counter_set_new (const char *name,
                                                      const WeftTargetCounter *counters,
                                                      size_t n_counters,
                                                      const WeftTargetCounterState *state);
WEFT_TARGET_API void weft_target_counter_set_update (uint32_t set,
                                                     const WeftTargetCounterState *state);

WEFT_TARGET_API uint32_t weft_target_artifact_new (const char *kind, const char *path,
                                                   const char *label, uint64_t size);

typedef enum
{
  WEFT_TARGET_OWNER_RUNTIME, /* number 0 */
  WEFT_TARGET_OWNER_LANE,    /* weft_target_lane_get_id () */
  WEFT_TARGET_OWNER_QUEUE,
  WEFT_TARGET_OWNER_ROUTINE, /* weft_target_routine_get_id () */
  WEFT_TARGET_OWNER_SOURCE,
} WeftTargetOwner;

/* Key of a tag of a routine whose work runs on CPUs of its own process: the name of a function there
 * that is its code, as the symbol table or the debugging information calls it; several functions are
 * several tags. CPU samples in it belong to the dispatch of the routine that runs at the time.
 * Since 0.1.
 */
#define WEFT_TARGET_TAG_CODE "code.function"

WEFT_TARGET_API uint32_t weft_target_lane_get_id (const WeftTargetLane *lane);
WEFT_TARGET_API uint32_t weft_target_routine_get_id (WeftTargetRoutine *routine);
WEFT_TARGET_API void weft_target_artifact_link (uint32_t artifact, WeftTargetOwner owner,
                                                uint32_t number);
WEFT_TARGET_API void weft_target_tag (WeftTargetOwner owner, uint32_t number,
                                      const WeftTargetTag *tag);

/* ---- Metrics and warnings ---- */

typedef struct _WeftTargetMetric WeftTargetMetric;

/* TAGS are the attributes of every observation. Never NULL. */
WEFT_TARGET_API WeftTargetMetric *weft_target_metric_new (WeftTargetLane *lane,
                                                          WeftTargetMetricKind kind,
                                                          const char *name, WeftTargetUnit unit,
                                                          const char *unit_name,
                                                          const WeftTargetTag *tags, size_t n_tags);

/* Adds to a counter, sets a gauge, observes a histogram. A gauge keeps its last value even while
 * nobody listens. Never sampled, never aggregated.
 */
WEFT_TARGET_API void weft_target_metric_report (WeftTargetMetric *metric, double value);
WEFT_TARGET_API void weft_target_metric_report_full (WeftTargetMetric *metric, double value,
                                                     uint64_t ticks, const WeftTargetTag *tags,
                                                     size_t n_tags);

typedef struct
{
  const WeftTargetLane *lane;
  const char *lane_name;
  const char *name;
  double value;
  uint64_t ticks; /* runtime clock; 0 if never set */
  uint64_t count; /* times set */
} WeftTargetGaugeState;

/* Calls CALLBACK for every gauge there is: the state of now. */
WEFT_TARGET_API void weft_target_snapshot (void (*callback) (const WeftTargetGaugeState *state,
                                                             void *data),
                                           void *data);

typedef enum
{
  WEFT_TARGET_SEVERITY_INFO,
  WEFT_TARGET_SEVERITY_WARNING,
  WEFT_TARGET_SEVERITY_ERROR,
} WeftTargetSeverity;

typedef struct
{
  WeftTargetLane *lane;
  WeftTargetSeverity severity;
  const char *code; /* "over-budget", "slow", "starving", … */
  const char *message;
  uint64_t dispatch;
  uint64_t ticks; /* 0 is now */
  double value;
  double threshold;
  const WeftTargetTag *tags;
  size_t n_tags;
} WeftTargetWarning;

WEFT_TARGET_API void weft_target_warning_write (const WeftTargetWarning *warning, size_t size);

static inline void
weft_target_warn (const WeftTargetWarning *warning)
{
  if (weft_target_enabled ())
    weft_target_warning_write (warning, sizeof *warning);
}

/* ---- Hand-overs ---- */

/* From now on a recorder is heard of. The first lane does the same; this is for a program that tells
 * of hand-overs only.
 */
WEFT_TARGET_API void weft_target_start (void);

typedef enum
{
  WEFT_TARGET_HANDOVER_RELEASED, /* the thread gave the object away at BEGIN; END is not used */
  WEFT_TARGET_HANDOVER_WAITED,   /* it waited for it from BEGIN to END */
  WEFT_TARGET_HANDOVER_EXPIRED,  /* likewise, and gave up, for the time was over */
} WeftTargetHandoverKind;

/* What threads wait for changes hands: a lock, a condition, a semaphore of the program's own making,
 * or of a library whose calls are watched. OBJECT is its address, ALSO that of another which the wait
 * may have gone on with (the mutex of a condition), or 0. Times are of weft_target_now (). A recorder
 * that samples the program's threads tells by this who ended whose wait. Since 0.1.
 */
typedef struct
{
  WeftTargetHandoverKind kind;
  uint64_t object;
  uint64_t also;
  uint64_t begin;
  uint64_t end;
} WeftTargetHandover;

WEFT_TARGET_API void weft_target_handover_write (const WeftTargetHandover *handover, size_t size);

static inline void
weft_target_handover (const WeftTargetHandover *handover)
{
  if (weft_target_enabled ())
    weft_target_handover_write (handover, sizeof *handover);
}

/* ---- Traces and sampling ---- */

/* Share of traces, and of dispatches without a trace, that are recorded: 0 to 1 (default). */
WEFT_TARGET_API void weft_target_set_sampling (double rate);

/* Decides about sampling once, for all that is attached to the trace. */
WEFT_TARGET_API WeftTargetTrace weft_target_trace_new (const char *name);

/* NAME as before, for listeners, who hear of every trace's end, sampled or not. */
WEFT_TARGET_API void weft_target_trace_end (const WeftTargetTrace *trace, const char *name,
                                            WeftTargetStatus status, WeftTargetErrorKind error_kind,
                                            const WeftTargetErrorDetail *error);

/* ---- Listeners ---- */

#define WEFT_TARGET_EVENT_DISPATCH 1u
#define WEFT_TARGET_EVENT_METRIC 2u
#define WEFT_TARGET_EVENT_TRACE 4u
#define WEFT_TARGET_EVENT_WARNING 8u

typedef struct
{
  uint32_t kind;
  uint64_t time; /* CLOCK_MONOTONIC ns of its end */
  union
  {
    const WeftTargetDispatch *dispatch; /* times in ticks, as reported */
    struct
    {
      const WeftTargetMetric *metric;
      const WeftTargetLane *lane;
      const char *name;
      WeftTargetMetricKind kind;
      double value;
      const WeftTargetTag *tags; /* of this observation */
      size_t n_tags;
    } metric;
    struct
    {
      const WeftTargetTrace *trace;
      const char *name;
      uint64_t duration; /* ns */
      WeftTargetStatus status;
      WeftTargetErrorKind error_kind;
      const WeftTargetErrorDetail *error;
    } trace;
    const WeftTargetWarning *warning;
  } data;
} WeftTargetEvent;

/* Returns 0, or an error, which is counted and otherwise ignored. Called synchronously, best
 * effort, on the reporting thread; what it reports itself reaches no listener.
 */
typedef int (*WeftTargetListener) (const WeftTargetEvent *event, void *data);

/* KINDS: WEFT_TARGET_EVENT_… Returns a number for weft_target_unlisten (), 0 if there is no room
 * (16 at a time). After unlisten returns, the listener is not running and will not run, unless it
 * is called from within the listener itself.
 */
WEFT_TARGET_API uint32_t weft_target_listen (uint32_t kinds, WeftTargetListener listener,
                                             void *data);
WEFT_TARGET_API void weft_target_unlisten (uint32_t number);

/* ---- Ring: the recent dispatches of a lane, readable in the process ---- */

typedef uint64_t (*WeftTargetClockFunc) (void *data); /* nanoseconds */

typedef struct
{
  uint32_t capacity;        /* entries; 0 is 512 */
  uint32_t entry_size;      /* bytes kept of each, side data included; 0 is 1024 */
  WeftTargetClockFunc clock; /* stamps entries; NULL: the runtime's clock */
  void *clock_data;
} WeftTargetRingConfiguration;

/* Turns the lane's ring on, or changes it (which empties it); works without a recorder. NULL means
 * the defaults; there are at most 65,536 entries, of 128 to 32,768 bytes. FALSE if there is no
 * memory.
 */
WEFT_TARGET_API bool weft_target_ring_enable (WeftTargetLane *lane,
                                              const WeftTargetRingConfiguration *configuration,
                                              size_t configuration_size);
WEFT_TARGET_API void weft_target_ring_disable (WeftTargetLane *lane);

/* A copy: DISPATCH and everything it points to belong to the result. */
typedef struct
{
  uint64_t sequence;
  uint64_t time;     /* ns when written, by the ring's clock */
  uint64_t start_ns; /* CLOCK_MONOTONIC; 0 where the lane has a device clock */
  uint64_t end_ns;
  bool cut; /* did not fit into the entry: side data are missing */
  WeftTargetDispatch dispatch;
} WeftTargetRingEntry;

typedef struct
{
  WeftTargetRingEntry *entries; /* oldest first */
  size_t n_entries;
  uint64_t head;    /* give it to the next call */
  uint64_t dropped; /* entries after SINCE that were overwritten before this read */
  bool enabled;
  WeftTargetRingConfiguration configuration; /* as resolved */
} WeftTargetRingDelta;

/* What came after SINCE (0: all there is). NULL if there is no memory. Free with
 * weft_target_ring_delta_free ().
 */
WEFT_TARGET_API WeftTargetRingDelta *weft_target_ring_read (WeftTargetLane *lane, uint64_t since);
WEFT_TARGET_API void weft_target_ring_delta_free (WeftTargetRingDelta *delta);

/* ---- Stats ---- */

typedef enum
{
  WEFT_TARGET_STATE_IDLE,            /* no lane was made, or no recorder asks */
  WEFT_TARGET_STATE_CONNECTED,
  WEFT_TARGET_STATE_DISCONNECTED,    /* a recorder is announced but not reachable */
  WEFT_TARGET_STATE_SPOOLING,
  WEFT_TARGET_STATE_DISABLED,        /* WEFT_TARGET_DISABLE is set */
  WEFT_TARGET_STATE_UNSUPPORTED,     /* no shared memory to be had */
  WEFT_TARGET_STATE_SCHEMA_MISMATCH, /* the recorder does not read this library's version */
} WeftTargetState;

/* DROPPED and DROPPED_DISCONNECTED count all records; the other reasons those that are a lane's:
 * spans, dispatches, reservations.
 */
typedef struct
{
  WeftTargetState state;
  uint64_t queued;          /* records written */
  uint64_t sent;            /* of those, taken by a recorder */
  uint64_t dropped;         /* records not written, by all reasons but sampling */
  uint64_t dropped_no_room;
  uint64_t dropped_reentrant;
  uint64_t dropped_disconnected;
  uint64_t dropped_too_large;
  uint64_t dropped_invalid;
  uint64_t sampled_out;
  uint64_t disabled;        /* calls refused as the runtime is disabled */
  uint64_t unsupported;
  uint64_t schema_mismatch; /* recorders of another version met */
  uint64_t stacks_skipped;
  uint64_t registry_full;   /* registrations refused */
  uint64_t truncated;       /* strings and lists cut */
  uint64_t listener_errors;
  uint64_t connections;
} WeftTargetStats;

WEFT_TARGET_API void weft_target_get_stats (WeftTargetStats *stats, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* WEFT_TARGET_H */
