/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-frameloop: what each tick of a loop did, over libweft-target.
 *
 * A loop runs ticks: frames, or fixed steps of a simulation. Each has a budget, phases, systems
 * that it runs, a queue of commands that it drains and channels of events that it fills. For each
 * tick an entry is kept in the process (a ring of 512, read with weft_frameloop_read ()), warnings
 * go to callbacks, and a recorder that listens gets a dispatch.
 *
 *   #define WEFT_FRAMELOOP_IMPLEMENTATION   // in exactly one file
 *   #include <weft-frameloop.h>
 *
 *   WeftFrameloopOptions options = { .name = "game", .step = 16666667 };
 *   WeftFrameloop *loop = weft_frameloop_new (&options, sizeof options);
 *   WeftFrameloopSystem *physics = weft_frameloop_system_new (loop, "physics");
 *
 *   WeftFrameloopTick tick = { .tick = n, .host_frame = frame, .accumulator = left };
 *   weft_frameloop_begin_tick (loop, &tick);
 *   weft_frameloop_begin_system (loop, physics);
 *   …
 *   weft_frameloop_end_system (loop, physics, NULL);
 *   weft_frameloop_end_tick (loop, left - step);
 *
 * While a loop is off (no ring, no listener, no recorder) each call is a branch, and nothing is
 * allocated. A loop's ticks are run by one thread at a time, and all calls of a tick by that
 * thread; weft_frameloop_queue_… (), _enqueue (), _enable (), _disable () and _read () may be
 * called by any. Names are kept by pointer, unless said otherwise: give literals.
 *
 * Times and durations are nanoseconds. Functions never abort, and leave errno alone.
 * C11 and C++17. Since: 0.1.
 */
#ifndef WEFT_FRAMELOOP_H
#define WEFT_FRAMELOOP_H

#include <weft-target.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _WeftFrameloop WeftFrameloop;
typedef struct _WeftFrameloopSystem WeftFrameloopSystem;

/* An error of a system: name and message, and optionally stack and cause, as texts. */
typedef WeftTargetErrorDetail WeftFrameloopError;

/* ---- Configuration ---- */

/* Nanoseconds that never go back. */
typedef uint64_t (*WeftFrameloopClock) (void *data);

/* What is left zero takes its default. */
typedef struct
{
  uint32_t capacity;              /* entries of the ring; 512, at most 65,536 */
  uint32_t max_phases;            /* of an entry; likewise runs of systems. 48, at most 1,024 */
  uint64_t slow_tick_budget;      /* a tick over it is warned of; the loop's step */
  uint64_t slow_system_threshold; /* a run of a system over it is slow; a quarter of the step */
  uint32_t slow_window;           /* of its own last runs (3, at most 32) … */
  uint32_t slow_count;            /* … so many must be slow before a warning: 2 */
  uint32_t starved_ticks;         /* ticks in a row that drain nothing of what is pending: 3 */
  double pressure;                /* use of a channel, 0 to 1, from which deltas are kept: 0.75 */
  WeftFrameloopClock clock;       /* of entries; NULL: the runtime's clock */
  void *clock_data;
} WeftFrameloopConfiguration;

typedef enum
{
  WEFT_FRAMELOOP_AUTO, /* on where the implementation is built without NDEBUG */
  WEFT_FRAMELOOP_ON,
  WEFT_FRAMELOOP_OFF,
} WeftFrameloopEnabled;

typedef struct
{
  const char *name;             /* of the lane; "loop" */
  const char *kind;             /* of the lane; "frameloop.loop" */
  const char *tick_name;        /* of the routine; "tick" */
  uint64_t step;                /* the budget of a tick; 100 ms */
  WeftFrameloopEnabled enabled; /* whether the ring is on from the start */
  WeftFrameloopConfiguration configuration;
} WeftFrameloopOptions;

/* Never NULL: a loop for which there is no memory swallows its calls. OPTIONS are copied, name,
 * kind and tick_name too; NULL means the defaults. SIZE is sizeof *options.
 */
WeftFrameloop *weft_frameloop_new (const WeftFrameloopOptions *options, size_t size);
void weft_frameloop_free (WeftFrameloop *loop);

/* The lane, for what else is to be reported on it. */
WeftTargetLane *weft_frameloop_get_lane (WeftFrameloop *loop);

/* The step of later ticks. Thresholds that were left to their defaults follow. */
void weft_frameloop_set_step (WeftFrameloop *loop, uint64_t step);

/* From the next tick on entries are kept; NULL keeps the configuration that was. The ring is made
 * anew: what was in it is dropped, the numbers of entries go on. FALSE if there is no memory.
 */
bool weft_frameloop_enable (WeftFrameloop *loop, const WeftFrameloopConfiguration *configuration,
                            size_t size);

/* No entries after the tick that is under way. What the ring holds can still be read. */
void weft_frameloop_disable (WeftFrameloop *loop);

/* ---- Ticks ---- */

typedef struct
{
  uint64_t tick;       /* the loop's own number of this step */
  uint64_t host_frame; /* what the host measured for the frame that this step belongs to */
  int64_t accumulator; /* time that is still to be simulated, this step included */
  uint64_t pending;    /* commands in the queue */
  uint64_t missed;     /* steps or frames that were due since the last one, and were not made */
  uint64_t start;      /* by weft_frameloop_now (), where it began earlier; 0: now */
} WeftFrameloopTick;

/* Read-only for programs; what the calls look at first. */
typedef struct
{
  uint32_t local;   /* ring, listeners */
  uint32_t in_tick; /* a tick that is seen is under way */
  uint64_t accepted;
  uint64_t rejected;
  uint64_t dropped;
  uint64_t drained;
} WeftFrameloopGate;

static inline bool
weft_frameloop_in_tick (const WeftFrameloop *loop)
{
  return WEFT_TARGET_UNLIKELY (((const WeftFrameloopGate *) (const void *) loop)->in_tick != 0);
}

/* Whether anybody wants to know of the next tick. */
static inline bool
weft_frameloop_active (const WeftFrameloop *loop)
{
  const WeftFrameloopGate *gate = (const WeftFrameloopGate *) (const void *) loop;

  return WEFT_TARGET_UNLIKELY (
      (__atomic_load_n (&gate->local, __ATOMIC_RELAXED) |
       __atomic_load_n (&weft_target_gate.local, __ATOMIC_RELAXED) |
       __atomic_load_n (__atomic_load_n (&weft_target_gate.remote, __ATOMIC_RELAXED),
                        __ATOMIC_RELAXED)) != 0);
}

void weft_frameloop_tick_open (WeftFrameloop *loop, const WeftFrameloopTick *tick, size_t size);
void weft_frameloop_tick_close (WeftFrameloop *loop, int64_t accumulator);
void weft_frameloop_phase_open (WeftFrameloop *loop, const char *name, WeftFrameloopSystem *system);
void weft_frameloop_phase_close (WeftFrameloop *loop);
void weft_frameloop_phase_add (WeftFrameloop *loop, const char *name, uint64_t start, uint64_t end);
void weft_frameloop_system_close (WeftFrameloop *loop, WeftFrameloopSystem *system,
                                  const WeftFrameloopError *error);

/* The clock of the loop: what its entries are measured with. Its unit is its own; see
 * weft_frameloop_to_nanoseconds ().
 */
uint64_t weft_frameloop_now (WeftFrameloop *loop);
uint64_t weft_frameloop_to_nanoseconds (WeftFrameloop *loop, uint64_t time);

static inline void
weft_frameloop_begin_tick (WeftFrameloop *loop, const WeftFrameloopTick *tick)
{
  if (weft_frameloop_active (loop))
    weft_frameloop_tick_open (loop, tick, sizeof *tick);
}

/* ACCUMULATOR: time that is still to be simulated after this step. Phases and systems that are
 * open end here.
 */
static inline void
weft_frameloop_end_tick (WeftFrameloop *loop, int64_t accumulator)
{
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_tick_close (loop, accumulator);
}

/* ---- Phases ---- */

/* What happens from here to end_phase (), in the tick. Phases may nest, 16 deep. The names that
 * tools know: "commands", "eventDispatchBeforeSystems", "eventDispatchAfterSystems", "publish".
 */
static inline void
weft_frameloop_begin_phase (WeftFrameloop *loop, const char *name)
{
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_phase_open (loop, name, NULL);
}

/* Ends the phase that began last. */
static inline void
weft_frameloop_end_phase (WeftFrameloop *loop)
{
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_phase_close (loop);
}

/* A phase that somebody else measured and that ends now. FALSE outside ticks that are seen. */
bool weft_frameloop_add_phase (WeftFrameloop *loop, const char *name, uint64_t duration);

/* Likewise, with its times by weft_frameloop_now (). */
static inline void
weft_frameloop_add_phase_between (WeftFrameloop *loop, const char *name, uint64_t start,
                                  uint64_t end)
{
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_phase_add (loop, name, start, end);
}

/* ---- Systems ---- */

/* Made once and kept by the loop; ID is copied. NULL is a system that nothing is told of. */
WeftFrameloopSystem *weft_frameloop_system_new (WeftFrameloop *loop, const char *id);

static inline void
weft_frameloop_begin_system (WeftFrameloop *loop, WeftFrameloopSystem *system)
{
  if (weft_frameloop_in_tick (loop) && system != NULL)
    weft_frameloop_phase_open (loop, NULL, system);
}

/* ERROR: what it failed with, which is copied, or NULL. */
static inline void
weft_frameloop_end_system (WeftFrameloop *loop, WeftFrameloopSystem *system,
                           const WeftFrameloopError *error)
{
  if (weft_frameloop_in_tick (loop) && system != NULL)
    weft_frameloop_system_close (loop, system, error);
}

/* Runs RUN between begin_system () and end_system (). RUN fills ERROR where it fails (it is all
 * NULL before). Returns what RUN returned: the error is the caller's to handle, as without us.
 */
int weft_frameloop_run_system (WeftFrameloop *loop, WeftFrameloopSystem *system,
                               int (*run) (void *data, WeftFrameloopError *error), void *data);

/* ---- The queue of commands ---- */

/* N commands entered the queue; were turned away at once; left it without being run; were taken
 * out to be run. Counts are those since the last tick ended.
 */
static inline void
weft_frameloop_queue_accepted (WeftFrameloop *loop, uint64_t n)
{
  if (weft_frameloop_active (loop))
    __atomic_fetch_add (&((WeftFrameloopGate *) (void *) loop)->accepted, n, __ATOMIC_RELAXED);
}

static inline void
weft_frameloop_queue_rejected (WeftFrameloop *loop, uint64_t n)
{
  if (weft_frameloop_active (loop))
    __atomic_fetch_add (&((WeftFrameloopGate *) (void *) loop)->rejected, n, __ATOMIC_RELAXED);
}

static inline void
weft_frameloop_queue_dropped (WeftFrameloop *loop, uint64_t n)
{
  if (weft_frameloop_active (loop))
    __atomic_fetch_add (&((WeftFrameloopGate *) (void *) loop)->dropped, n, __ATOMIC_RELAXED);
}

static inline void
weft_frameloop_queue_drained (WeftFrameloop *loop, uint64_t n)
{
  if (weft_frameloop_active (loop))
    __atomic_fetch_add (&((WeftFrameloopGate *) (void *) loop)->drained, n, __ATOMIC_RELAXED);
}

/* Who queued a command, and when: kept beside it in the queue. All zero while nobody listens. */
typedef struct
{
  WeftTargetOrigin origin;
  uint64_t submitted; /* ticks of the runtime's clock */
} WeftFrameloopTicket;

WeftFrameloopTicket weft_frameloop_ticket_new (void);

/* A command entered the queue: counts it as accepted, and tells a recorder who queued it. */
static inline WeftFrameloopTicket
weft_frameloop_enqueue (WeftFrameloop *loop)
{
  WeftFrameloopTicket ticket = { { 0, 0, 0, 0 }, 0 };

  weft_frameloop_queue_accepted (loop, 1);
  return weft_target_enabled () ? weft_frameloop_ticket_new () : ticket;
}

void weft_frameloop_command_open (WeftFrameloop *loop, WeftTargetRoutine *routine,
                                  const WeftFrameloopTicket *ticket);
void weft_frameloop_command_close (WeftFrameloop *loop, const WeftFrameloopError *error);

/* A command was taken out of the queue and runs from here to end_command (), in the tick: counts
 * it as drained. A recorder gets a dispatch of ROUTINE inside the tick, with who queued it and
 * how long it waited. Commands do not nest.
 */
static inline void
weft_frameloop_begin_command (WeftFrameloop *loop, WeftTargetRoutine *routine,
                              const WeftFrameloopTicket *ticket)
{
  weft_frameloop_queue_drained (loop, 1);
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_command_open (loop, routine, ticket);
}

static inline void
weft_frameloop_end_command (WeftFrameloop *loop, const WeftFrameloopError *error)
{
  if (weft_frameloop_in_tick (loop))
    weft_frameloop_command_close (loop, error);
}

/* ---- Channels of events ---- */

/* State of a channel: how much of it is in use, and counts since it was made. */
typedef struct
{
  uint64_t used;
  uint64_t published;
  uint64_t soft_limited;
  uint64_t overflowed;
} WeftFrameloopPressure;

typedef struct
{
  const char *name;
  uint64_t capacity;
  uint64_t (*used) (void *data);                                  /* asked after each system */
  void (*snapshot) (void *data, WeftFrameloopPressure *pressure); /* asked seldom */
  void *data;
} WeftFrameloopChannel;

/* CHANNEL is copied. FALSE: there are 16 already, or it has no functions. Between ticks only. */
bool weft_frameloop_add_channel (WeftFrameloop *loop, const WeftFrameloopChannel *channel,
                                 size_t size);

/* ---- Entries ---- */

#define WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET 1u /* the tick took longer than slow_tick_budget */
#define WEFT_FRAMELOOP_SYSTEM_SLOW 2u          /* a system took longer than its threshold */
#define WEFT_FRAMELOOP_QUEUE_STARVATION 4u     /* commands wait, and none was drained for long */
#define WEFT_FRAMELOOP_SYSTEM_FAILED 8u
#define WEFT_FRAMELOOP_EVENT_PRESSURE 16u /* a channel was used beyond the threshold */

typedef struct
{
  const char *name; /* "system:ID" of a system's run */
  uint64_t offset;  /* from the start of the tick */
  uint64_t duration;
  uint32_t flags; /* WEFT_TARGET_PHASE_… */
} WeftFrameloopPhase;

typedef struct
{
  const char *id;
  uint64_t duration;
  bool slow;
  bool failed;
  WeftFrameloopError error;
} WeftFrameloopRun;

typedef struct
{
  uint64_t pending_before;
  uint64_t drained;
  uint64_t accepted;
  uint64_t dropped;
  uint64_t rejected;
} WeftFrameloopQueue;

typedef struct
{
  const char *channel;
  uint64_t capacity;
  WeftFrameloopPressure before; /* before the first system of the tick */
  WeftFrameloopPressure final;  /* at the end of the tick */
} WeftFrameloopEvents;

/* After the run of a system that left a channel used beyond the threshold: what changed since
 * before the first system.
 */
typedef struct
{
  const char *system;
  const char *channel;
  uint64_t used;
  int64_t used_change;
  uint64_t published;
  uint64_t soft_limited;
  uint64_t overflowed;
} WeftFrameloopDelta;

typedef struct
{
  uint64_t sequence; /* from 1 */
  uint64_t tick;
  uint64_t step_budget;
  uint64_t host_frame;
  uint64_t lag_before; /* what was to be simulated beyond this step, before it */
  uint64_t lag_after;  /* and after it */
  uint64_t started_at; /* CLOCK_MONOTONIC, or the injected clock */
  uint64_t duration;
  uint64_t missed;
  WeftFrameloopQueue queue;
  const WeftFrameloopPhase *phases; /* in the order in which they began */
  size_t n_phases;
  const WeftFrameloopRun *systems;
  size_t n_systems;
  const WeftFrameloopEvents *events; /* one for each channel */
  size_t n_events;
  const WeftFrameloopDelta *deltas;
  size_t n_deltas;
  uint32_t warnings; /* WEFT_FRAMELOOP_… */
  uint32_t cut;      /* phases, runs and deltas for which there was no room */
} WeftFrameloopEntry;

/* Copies: nothing of it belongs to the loop. */
typedef struct
{
  WeftFrameloopEntry *entries; /* oldest first */
  size_t n_entries;
  uint64_t head;    /* number of the newest entry: give it to the next call */
  uint64_t dropped; /* entries after SINCE that are no more */
  bool enabled;
  uint64_t step;
  WeftFrameloopConfiguration configuration; /* as resolved */
} WeftFrameloopResult;

/* What came after SINCE; 0 is all there is. NULL if there is no memory. Free with
 * weft_frameloop_result_free (). A tick that ends meanwhile waits for the copy of one entry at
 * most.
 */
WeftFrameloopResult *weft_frameloop_read (WeftFrameloop *loop, uint64_t since);
void weft_frameloop_result_free (WeftFrameloopResult *result);

/* Writes an entry as lines for people into BUFFER, cut to SIZE with its nul. Returns the length
 * that it has in full.
 */
size_t weft_frameloop_format (const WeftFrameloopEntry *entry, char *buffer, size_t size);

/* ---- Listeners ---- */

typedef enum
{
  WEFT_FRAMELOOP_TICK_OVER_BUDGET,
  WEFT_FRAMELOOP_SLOW_SYSTEM,   /* of a system with slow_count slow runs among its last slow_window
                                 */
  WEFT_FRAMELOOP_QUEUE_STARVED, /* once, until something is drained again */
} WeftFrameloopWarningKind;

typedef struct
{
  WeftFrameloopWarningKind kind;
  uint64_t tick;
  const char *system; /* id, of SLOW_SYSTEM */
  uint64_t value;     /* duration; commands that are pending */
  uint64_t threshold; /* duration; ticks in a row */
} WeftFrameloopWarning;

/* Both optional; called when a tick ends, on its thread. What they are given is theirs to read
 * during the call. They run with no recorder and no ring, too.
 */
typedef struct
{
  void (*warning) (const WeftFrameloopWarning *warning, void *data);
  void (*tick) (const WeftFrameloopEntry *entry, void *data);
  void *data;
} WeftFrameloopListener;

/* By the thread of the ticks, between them. Returns a number for unlisten (), or 0: there are 8.
 */
uint32_t weft_frameloop_listen (WeftFrameloop *loop, const WeftFrameloopListener *listener,
                                size_t size);
void weft_frameloop_unlisten (WeftFrameloop *loop, uint32_t number);

/* ---- Prometheus ---- */

/* Counters of a loop's ticks and warnings, for a program that serves them. */
typedef struct _WeftFrameloopCounters WeftFrameloopCounters;

/* Listens from now on; NULL if there is no room. By the thread of the ticks, between them. */
WeftFrameloopCounters *weft_frameloop_counters_new (WeftFrameloop *loop);
void weft_frameloop_counters_free (WeftFrameloopCounters *counters);

/* From now on the system has a series of its own, with its id as a label; those that are not
 * added are counted together, so that labels stay few. By the thread of the ticks. FALSE if there
 * is no room (64).
 */
bool weft_frameloop_counters_add_system (WeftFrameloopCounters *counters, const char *id);

/* Writes all in the text exposition format, version 0.0.4, into BUFFER, cut to SIZE with its nul.
 * Returns the length that it has in full. May be called by any thread.
 */
size_t weft_frameloop_counters_write (WeftFrameloopCounters *counters, char *buffer, size_t size);

/* ---- Scopes ---- */

#if defined(__GNUC__)
static inline void
weft_frameloop_scope_end_ (WeftFrameloop **loop)
{
  weft_frameloop_end_phase (*loop);
}

/* A phase from here to the end of the enclosing block. */
#define WEFT_FRAMELOOP_PHASE(loop, name)                                                           \
  WeftFrameloop *WEFT_TARGET_PASTE (weft_phase_, __LINE__)                                         \
      __attribute__ ((cleanup (weft_frameloop_scope_end_), unused)) = (loop);                      \
  weft_frameloop_begin_phase ((loop), (name))
#endif

#ifdef __cplusplus
} /* extern "C" */

#include <exception>
#include <string>
#include <typeinfo>

namespace weft
{

/* The innermost of what an exception was thrown with (std::throw_with_nested ()), as a text. */
inline std::string
frameloop_cause (const std::exception &error)
{
  try
    {
      std::rethrow_if_nested (error);
    }
  catch (const std::exception &nested)
    {
      std::string inner = frameloop_cause (nested);

      return inner.empty () ? nested.what () : inner;
    }
  catch (...)
    {
      return "an exception of another type";
    }
  return std::string ();
}

/* Runs FUNCTION as SYSTEM. What it throws is annotated and goes on. */
template <typename Function>
auto
run_system (WeftFrameloop *loop, WeftFrameloopSystem *system, Function &&function)
    -> decltype (function ())
{
  struct Scope
  {
    WeftFrameloop *loop;
    WeftFrameloopSystem *system;
    ~Scope () { weft_frameloop_end_system (loop, system, nullptr); }
  };

  weft_frameloop_begin_system (loop, system);
  Scope scope{ loop, system };
  try
    {
      return function ();
    }
  catch (const std::exception &error)
    {
      std::string cause = frameloop_cause (error);
      WeftFrameloopError detail = { typeid (error).name (), error.what (), nullptr,
                                    cause.empty () ? nullptr : cause.c_str () };

      weft_frameloop_end_system (loop, system, &detail);
      throw;
    }
  catch (...)
    {
      WeftFrameloopError detail = { "exception", "an exception of another type", nullptr, nullptr };

      weft_frameloop_end_system (loop, system, &detail);
      throw;
    }
}

} /* namespace weft */
#endif

#endif /* WEFT_FRAMELOOP_H */

/* ---- Implementation ---- */

#if defined(WEFT_FRAMELOOP_IMPLEMENTATION) && !defined(WEFT_FRAMELOOP_IMPLEMENTED)
#define WEFT_FRAMELOOP_IMPLEMENTED

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_FRAMELOOP_DEPTH_ 16
#define WEFT_FRAMELOOP_CHANNELS_ 16
#define WEFT_FRAMELOOP_DELTAS_ 16
#define WEFT_FRAMELOOP_LISTENERS_ 8
#define WEFT_FRAMELOOP_SERIES_ 64
#define WEFT_FRAMELOOP_WIRE_PHASES_ 64
#define WEFT_FRAMELOOP_VALUES_ 9

#define WEFT_FRAMELOOP_RING_ 1u
#define WEFT_FRAMELOOP_HEARD_ 2u

#define WEFT_FRAMELOOP_COMMANDS_(verb)                                                             \
  __atomic_exchange_n (&loop->gate.verb, (uint64_t) 0, __ATOMIC_RELAXED)

/* Texts of an error, in one piece; those of a slot are freed when it is used again. */
typedef struct WeftFrameloopText_
{
  struct WeftFrameloopText_ *next;
} WeftFrameloopText_;

/* An entry with room for all that it may hold. Until the tick ends, offset and duration of phases
 * and runs hold times of their begin and end.
 */
typedef struct
{
  WeftFrameloopEntry entry;
  WeftFrameloopPhase *phases;
  WeftFrameloopRun *runs;
  WeftFrameloopSystem **systems; /* of the runs */
  uint32_t *run_of;              /* of each phase: place + 1 of its run */
  WeftFrameloopEvents *events;
  WeftFrameloopDelta *deltas;
  WeftFrameloopText_ *texts;
} WeftFrameloopSlot_;

/* One slot more than entries are kept: that of the tick which is under way. */
typedef struct
{
  WeftFrameloopConfiguration asked;
  WeftFrameloopConfiguration configuration;
  uint32_t n_slots;
  WeftFrameloopSlot_ *slots;
  char *memory;
} WeftFrameloopRing_;

typedef struct
{
  WeftFrameloopSystem *system;
  uint32_t phase; /* place + 1, or 0 */
  uint32_t run;
  WeftTargetSpan span;
} WeftFrameloopOpen_;

typedef struct
{
  WeftTargetSpan span;
  WeftTargetRoutine *routine;
  WeftFrameloopTicket ticket;
} WeftFrameloopCommand_;

struct _WeftFrameloopSystem
{
  WeftFrameloopSystem *next;
  char *phase; /* "system:ID" */
  const char *id;
  WeftTargetRoutine *routine;
  uint32_t history; /* a bit for each of its last runs, the newest lowest: slow */
};

struct _WeftFrameloop
{
  WeftFrameloopGate gate;
  pthread_mutex_t mutex; /* of what readers see: rings, head, first, enabled, configuration */
  char *name;
  WeftTargetLane *lane;
  WeftTargetRoutine *routine;
  WeftTargetMetric *jitter, *lag, *pending, *over_budget, *slow, *failed, *missed;
  bool dead;

  uint64_t step;
  uint64_t next_step;
  WeftFrameloopConfiguration asked;
  WeftFrameloopConfiguration configuration;
  WeftFrameloopRing_ *ring;
  WeftFrameloopRing_ *wanted;
  WeftFrameloopRing_ *scratch; /* of one slot, where no ring is on */
  bool enabled;
  uint64_t head;
  uint64_t first; /* the newest entry that is not of this ring */

  WeftFrameloopSystem *systems;
  WeftFrameloopChannel channels[WEFT_FRAMELOOP_CHANNELS_];
  uint32_t n_channels;
  WeftFrameloopListener listeners[WEFT_FRAMELOOP_LISTENERS_];

  /* The tick that is under way. */
  WeftFrameloopSlot_ *slot;
  const WeftFrameloopConfiguration *rules;
  bool kept;
  bool has_before;
  uint64_t start;
  WeftTargetSpan span;
  WeftFrameloopOpen_ open[WEFT_FRAMELOOP_DEPTH_];
  uint32_t depth;
  uint32_t too_deep;
  WeftFrameloopCommand_ command;

  /* Of ticks before. */
  bool has_last;
  uint64_t last_duration;
  uint32_t starved;
  uint32_t remote; /* word of the recorder that was there */
};

/* Swallows everything, for want of memory. */
static WeftFrameloop weft_frameloop_none_;

/* ---- Time ---- */

uint64_t
weft_frameloop_now (WeftFrameloop *loop)
{
  const WeftFrameloopConfiguration *rules = loop->rules;

  if (rules == NULL)
    rules = &loop->configuration;
  return rules->clock != NULL ? rules->clock (rules->clock_data) : weft_target_now ();
}

uint64_t
weft_frameloop_to_nanoseconds (WeftFrameloop *loop, uint64_t time)
{
  const WeftFrameloopConfiguration *rules = loop->rules;

  if (rules == NULL)
    rules = &loop->configuration;
  return rules->clock != NULL ? time : weft_target_to_nanoseconds (time);
}

/* ---- Configuration ---- */

static WeftFrameloopConfiguration
weft_frameloop_resolve_ (const WeftFrameloopConfiguration *asked, uint64_t step)
{
  WeftFrameloopConfiguration rules = *asked;

  rules.capacity = rules.capacity == 0 ? 512 : rules.capacity > 65536 ? 65536 : rules.capacity;
  rules.max_phases = rules.max_phases == 0 ? 48 : rules.max_phases > 1024 ? 1024 : rules.max_phases;
  if (rules.slow_tick_budget == 0)
    rules.slow_tick_budget = step;
  if (rules.slow_system_threshold == 0)
    rules.slow_system_threshold = step / 4;
  rules.slow_window = rules.slow_window == 0 ? 3 : rules.slow_window > 32 ? 32 : rules.slow_window;
  if (rules.slow_count == 0)
    rules.slow_count = 2;
  if (rules.slow_count > rules.slow_window)
    rules.slow_count = rules.slow_window;
  if (rules.starved_ticks == 0)
    rules.starved_ticks = 3;
  if (!(rules.pressure > 0) || rules.pressure > 1)
    rules.pressure = 0.75;
  return rules;
}

/* As much of a struct of SIZE as both sides know. */
static void
weft_frameloop_take_ (void *into, size_t room, const void *from, size_t size)
{
  memset (into, 0, room);
  if (from != NULL)
    memcpy (into, from, size < room ? size : room);
}

/* ---- Rings ---- */

static void
weft_frameloop_forget_texts_ (WeftFrameloopSlot_ *slot)
{
  while (slot->texts != NULL)
    {
      WeftFrameloopText_ *next = slot->texts->next;

      free (slot->texts);
      slot->texts = next;
    }
}

static void
weft_frameloop_ring_free_ (WeftFrameloopRing_ *ring)
{
  if (ring == NULL)
    return;
  for (uint32_t i = 0; i < ring->n_slots; i++)
    weft_frameloop_forget_texts_ (&ring->slots[i]);
  free (ring->memory);
  free (ring->slots);
  free (ring);
}

static void
weft_frameloop_slot_init_ (WeftFrameloopSlot_ *slot, char *memory, size_t n)
{
  slot->runs = (WeftFrameloopRun *) (void *) memory;
  memory += n * sizeof (WeftFrameloopRun);
  slot->phases = (WeftFrameloopPhase *) (void *) memory;
  memory += n * sizeof (WeftFrameloopPhase);
  slot->systems = (WeftFrameloopSystem **) (void *) memory;
  memory += n * sizeof (WeftFrameloopSystem *);
  slot->events = (WeftFrameloopEvents *) (void *) memory;
  memory += WEFT_FRAMELOOP_CHANNELS_ * sizeof (WeftFrameloopEvents);
  slot->deltas = (WeftFrameloopDelta *) (void *) memory;
  memory += WEFT_FRAMELOOP_DELTAS_ * sizeof (WeftFrameloopDelta);
  slot->run_of = (uint32_t *) (void *) memory;
}

/* Touches its memory, so that ticks do not have to. */
static WeftFrameloopRing_ *
weft_frameloop_ring_new_ (const WeftFrameloopConfiguration *asked, uint64_t step, bool is_scratch)
{
  WeftFrameloopRing_ *ring = (WeftFrameloopRing_ *) calloc (1, sizeof *ring);
  size_t n, each;

  if (ring == NULL)
    return NULL;
  ring->asked = *asked;
  ring->configuration = weft_frameloop_resolve_ (asked, step);
  n = ring->configuration.max_phases;
  n += n & 1;
  each = n * (sizeof (WeftFrameloopRun) + sizeof (WeftFrameloopPhase) +
              sizeof (WeftFrameloopSystem *) + sizeof (uint32_t)) +
         WEFT_FRAMELOOP_CHANNELS_ * sizeof (WeftFrameloopEvents) +
         WEFT_FRAMELOOP_DELTAS_ * sizeof (WeftFrameloopDelta);
  ring->n_slots = is_scratch ? 1 : ring->configuration.capacity + 1;
  ring->slots = (WeftFrameloopSlot_ *) calloc (ring->n_slots, sizeof *ring->slots);
  ring->memory = (char *) malloc (ring->n_slots * each);
  if (ring->slots == NULL || ring->memory == NULL)
    {
      free (ring->slots);
      free (ring->memory);
      free (ring);
      return NULL;
    }
  memset (ring->memory, 0, ring->n_slots * each);
  for (uint32_t i = 0; i < ring->n_slots; i++)
    weft_frameloop_slot_init_ (&ring->slots[i], ring->memory + i * each, n);
  return ring;
}

/* ---- Loops ---- */

static char *
weft_frameloop_copy_ (const char *text)
{
  size_t size = strlen (text) + 1;
  char *copy = (char *) malloc (size);

  if (copy != NULL)
    memcpy (copy, text, size);
  return copy;
}

static WeftTargetMetric *
weft_frameloop_metric_ (WeftFrameloop *loop, WeftTargetMetricKind kind, const char *name,
                        WeftTargetUnit unit)
{
  return weft_target_metric_new (loop->lane, kind, name, unit, NULL, NULL, 0);
}

static void
weft_frameloop_register_ (WeftFrameloop *loop, const WeftFrameloopOptions *options)
{
  const char *kind = options->kind != NULL ? options->kind : "frameloop.loop";

  loop->lane = weft_target_lane_new (loop->name, kind);
  loop->routine =
      weft_target_routine_new (options->tick_name != NULL ? options->tick_name : "tick");
  loop->jitter = weft_frameloop_metric_ (loop, WEFT_TARGET_HISTOGRAM, "tick.jitter",
                                         WEFT_TARGET_UNIT_NANOSECONDS);
  loop->lag = weft_frameloop_metric_ (loop, WEFT_TARGET_GAUGE, "lag", WEFT_TARGET_UNIT_NANOSECONDS);
  loop->over_budget = weft_frameloop_metric_ (loop, WEFT_TARGET_COUNTER, "ticks.over_budget",
                                              WEFT_TARGET_UNIT_COUNT);
  loop->missed =
      weft_frameloop_metric_ (loop, WEFT_TARGET_COUNTER, "ticks.missed", WEFT_TARGET_UNIT_COUNT);
}

static bool
weft_frameloop_wants_ring_ (WeftFrameloopEnabled enabled)
{
#ifdef NDEBUG
  return enabled == WEFT_FRAMELOOP_ON;
#else
  return enabled != WEFT_FRAMELOOP_OFF;
#endif
}

WeftFrameloop *
weft_frameloop_new (const WeftFrameloopOptions *options, size_t size)
{
  WeftFrameloop *loop = (WeftFrameloop *) calloc (1, sizeof *loop);
  WeftFrameloopOptions asked;

  weft_frameloop_take_ (&asked, sizeof asked, options, size);
  if (loop != NULL)
    loop->name = weft_frameloop_copy_ (asked.name != NULL ? asked.name : "loop");
  if (loop == NULL || loop->name == NULL)
    {
      free (loop);
      weft_frameloop_none_.dead = true;
      return &weft_frameloop_none_;
    }
  pthread_mutex_init (&loop->mutex, NULL);
  loop->step = loop->next_step = asked.step != 0 ? asked.step : 100000000;
  loop->asked = asked.configuration;
  loop->configuration = weft_frameloop_resolve_ (&loop->asked, loop->step);
  weft_frameloop_register_ (loop, &asked);
  if (weft_frameloop_wants_ring_ (asked.enabled))
    weft_frameloop_enable (loop, NULL, 0);
  return loop;
}

void
weft_frameloop_free (WeftFrameloop *loop)
{
  if (loop == NULL || loop->dead)
    return;
  weft_target_lane_close (loop->lane);
  weft_frameloop_ring_free_ (loop->ring);
  weft_frameloop_ring_free_ (loop->wanted);
  weft_frameloop_ring_free_ (loop->scratch);
  while (loop->systems != NULL)
    {
      WeftFrameloopSystem *next = loop->systems->next;

      free (loop->systems->phase);
      free (loop->systems);
      loop->systems = next;
    }
  pthread_mutex_destroy (&loop->mutex);
  free (loop->name);
  free (loop);
}

WeftTargetLane *
weft_frameloop_get_lane (WeftFrameloop *loop)
{
  return loop->lane;
}

void
weft_frameloop_set_step (WeftFrameloop *loop, uint64_t step)
{
  if (step != 0)
    __atomic_store_n (&loop->next_step, step, __ATOMIC_RELAXED);
}

/* Counts that were begun while nobody kept them up are of no tick. */
static void
weft_frameloop_forget_counts_ (WeftFrameloop *loop)
{
  WEFT_FRAMELOOP_COMMANDS_ (accepted);
  WEFT_FRAMELOOP_COMMANDS_ (rejected);
  WEFT_FRAMELOOP_COMMANDS_ (dropped);
  WEFT_FRAMELOOP_COMMANDS_ (drained);
}

static void
weft_frameloop_set_local_ (WeftFrameloop *loop, uint32_t bit, bool on)
{
  if (on)
    __atomic_fetch_or (&loop->gate.local, bit, __ATOMIC_RELEASE);
  else
    __atomic_fetch_and (&loop->gate.local, ~bit, __ATOMIC_RELEASE);
}

bool
weft_frameloop_enable (WeftFrameloop *loop, const WeftFrameloopConfiguration *configuration,
                       size_t size)
{
  WeftFrameloopConfiguration asked;
  WeftFrameloopRing_ *ring;

  if (loop->dead)
    return false;
  pthread_mutex_lock (&loop->mutex);
  asked = loop->wanted != NULL ? loop->wanted->asked : loop->asked;
  pthread_mutex_unlock (&loop->mutex);
  if (configuration != NULL)
    weft_frameloop_take_ (&asked, sizeof asked, configuration, size);
  ring = weft_frameloop_ring_new_ (&asked, __atomic_load_n (&loop->next_step, __ATOMIC_RELAXED),
                                   false);
  if (ring == NULL)
    return false;
  if (!weft_frameloop_active (loop))
    weft_frameloop_forget_counts_ (loop);
  pthread_mutex_lock (&loop->mutex);
  weft_frameloop_ring_free_ (loop->wanted);
  __atomic_store_n (&loop->wanted, ring, __ATOMIC_RELEASE);
  loop->enabled = true;
  weft_frameloop_set_local_ (loop, WEFT_FRAMELOOP_RING_, true);
  pthread_mutex_unlock (&loop->mutex);
  return true;
}

void
weft_frameloop_disable (WeftFrameloop *loop)
{
  if (loop->dead)
    return;
  pthread_mutex_lock (&loop->mutex);
  loop->enabled = false;
  weft_frameloop_set_local_ (loop, WEFT_FRAMELOOP_RING_, false);
  pthread_mutex_unlock (&loop->mutex);
}

/* ---- Ticks ---- */

/* Where only a recorder asks, counting begins with it. */
static void
weft_frameloop_notice_recorder_ (WeftFrameloop *loop)
{
  uint32_t remote = __atomic_load_n (weft_target_gate.remote, __ATOMIC_RELAXED);

  if (remote != loop->remote && __atomic_load_n (&loop->gate.local, __ATOMIC_RELAXED) == 0)
    weft_frameloop_forget_counts_ (loop);
  loop->remote = remote;
}

/* What was asked for since the last tick. */
static void
weft_frameloop_adopt_ (WeftFrameloop *loop)
{
  uint64_t step = __atomic_load_n (&loop->next_step, __ATOMIC_RELAXED);

  if (__atomic_load_n (&loop->wanted, __ATOMIC_ACQUIRE) == NULL && step == loop->step)
    return;
  pthread_mutex_lock (&loop->mutex);
  if (loop->wanted != NULL)
    {
      weft_frameloop_ring_free_ (loop->ring);
      loop->ring = loop->wanted;
      loop->wanted = NULL;
      loop->asked = loop->ring->asked;
      loop->first = loop->head;
    }
  loop->step = step;
  loop->configuration = weft_frameloop_resolve_ (&loop->asked, step);
  pthread_mutex_unlock (&loop->mutex);
}

/* NULL if there is no memory. */
static WeftFrameloopSlot_ *
weft_frameloop_take_slot_ (WeftFrameloop *loop)
{
  bool enabled =
      (__atomic_load_n (&loop->gate.local, __ATOMIC_ACQUIRE) & WEFT_FRAMELOOP_RING_) != 0;

  loop->kept = enabled && loop->ring != NULL;
  if (loop->kept)
    return &loop->ring->slots[loop->head % loop->ring->n_slots];
  if (loop->scratch == NULL)
    loop->scratch = weft_frameloop_ring_new_ (&loop->asked, loop->step, true);
  return loop->scratch != NULL ? &loop->scratch->slots[0] : NULL;
}

static void
weft_frameloop_clear_ (WeftFrameloop *loop, const WeftFrameloopTick *tick)
{
  WeftFrameloopSlot_ *slot = loop->slot;
  WeftFrameloopEntry *entry = &slot->entry;
  int64_t ahead = tick->accumulator - (int64_t) loop->step;

  weft_frameloop_forget_texts_ (slot);
  memset (entry, 0, sizeof *entry);
  entry->tick = tick->tick;
  entry->step_budget = loop->step;
  entry->host_frame = tick->host_frame;
  entry->lag_before = ahead > 0 ? (uint64_t) ahead : 0;
  entry->missed = tick->missed;
  entry->queue.pending_before = tick->pending;
  entry->phases = slot->phases;
  entry->systems = slot->runs;
  entry->events = slot->events;
  entry->deltas = slot->deltas;
  loop->has_before = false;
  loop->depth = loop->too_deep = 0;
  loop->command.span.start = 0;
}

void
weft_frameloop_tick_open (WeftFrameloop *loop, const WeftFrameloopTick *tick, size_t size)
{
  WeftFrameloopTick given;
  int saved = errno;

  if (loop->dead)
    return;
  if (loop->gate.in_tick)
    weft_frameloop_tick_close (loop, 0);
  weft_frameloop_take_ (&given, sizeof given, tick, size);
  weft_frameloop_notice_recorder_ (loop);
  weft_frameloop_adopt_ (loop);
  loop->slot = weft_frameloop_take_slot_ (loop);
  if (loop->slot != NULL)
    {
      loop->rules = &loop->configuration;
      weft_frameloop_clear_ (loop, &given);
      loop->span = weft_target_span_begin (loop->lane, loop->routine);
      if (loop->rules->clock != NULL || loop->span.start == 0)
        loop->start = given.start != 0 ? given.start : weft_frameloop_now (loop);
      else
        loop->start = loop->span.start = given.start != 0 ? given.start : loop->span.start;
      loop->gate.in_tick = 1;
    }
  errno = saved;
}

/* ---- Phases and systems ---- */

static void
weft_frameloop_begin_ (WeftFrameloop *loop, WeftFrameloopOpen_ *open, const char *name,
                       uint64_t now)
{
  WeftFrameloopSlot_ *slot = loop->slot;
  WeftFrameloopEntry *entry = &slot->entry;

  if (entry->n_phases < loop->rules->max_phases)
    {
      WeftFrameloopPhase *phase = &slot->phases[entry->n_phases];

      slot->run_of[entry->n_phases] = 0;
      open->phase = (uint32_t) ++entry->n_phases;
      phase->name = name;
      phase->offset = phase->duration = now;
      phase->flags = 0;
    }
  else
    entry->cut++;
  if (open->system != NULL && entry->n_systems < loop->rules->max_phases)
    {
      WeftFrameloopRun *run = &slot->runs[entry->n_systems];

      memset (run, 0, sizeof *run);
      slot->systems[entry->n_systems] = open->system;
      open->run = (uint32_t) ++entry->n_systems;
      run->id = open->system->id;
      if (open->phase != 0)
        slot->run_of[open->phase - 1] = open->run;
    }
  else if (open->system != NULL)
    entry->cut++;
}

static void
weft_frameloop_snapshot_before_ (WeftFrameloop *loop)
{
  WeftFrameloopEntry *entry = &loop->slot->entry;

  loop->has_before = true;
  entry->n_events = loop->n_channels;
  for (uint32_t i = 0; i < loop->n_channels; i++)
    {
      WeftFrameloopEvents *events = &loop->slot->events[i];

      memset (events, 0, sizeof *events);
      events->channel = loop->channels[i].name;
      events->capacity = loop->channels[i].capacity;
      loop->channels[i].snapshot (loop->channels[i].data, &events->before);
    }
}

void
weft_frameloop_phase_open (WeftFrameloop *loop, const char *name, WeftFrameloopSystem *system)
{
  WeftFrameloopOpen_ *open;
  uint64_t now;

  if (loop->depth == WEFT_FRAMELOOP_DEPTH_)
    {
      loop->too_deep++;
      loop->slot->entry.cut++;
      return;
    }
  if (system != NULL && !loop->has_before)
    weft_frameloop_snapshot_before_ (loop);
  open = &loop->open[loop->depth++];
  memset (open, 0, sizeof *open);
  open->system = system;
  if (system != NULL && loop->span.start != 0)
    open->span = weft_target_span_begin (loop->lane, system->routine);
  now = open->span.start != 0 && loop->rules->clock == NULL ? open->span.start
                                                            : weft_frameloop_now (loop);
  weft_frameloop_begin_ (loop, open, system != NULL ? system->phase : name, now);
}

static const char *
weft_frameloop_append_ (char **at, const char *text)
{
  char *copy = *at;

  if (text == NULL)
    return NULL;
  *at = stpcpy (copy, text) + 1;
  return copy;
}

static size_t
weft_frameloop_text_size_ (const char *text)
{
  return text != NULL ? strlen (text) + 1 : 0;
}

/* Where there is no memory the run has failed without saying why. */
static void
weft_frameloop_annotate_ (WeftFrameloopSlot_ *slot, WeftFrameloopRun *run,
                          const WeftFrameloopError *error)
{
  size_t size = weft_frameloop_text_size_ (error->name) +
                weft_frameloop_text_size_ (error->message) +
                weft_frameloop_text_size_ (error->stack) + weft_frameloop_text_size_ (error->cause);
  WeftFrameloopText_ *text = (WeftFrameloopText_ *) malloc (sizeof *text + size);
  char *at = (char *) (text + 1);

  run->failed = true;
  if (text == NULL)
    return;
  text->next = slot->texts;
  slot->texts = text;
  run->error.name = weft_frameloop_append_ (&at, error->name);
  run->error.message = weft_frameloop_append_ (&at, error->message);
  run->error.stack = weft_frameloop_append_ (&at, error->stack);
  run->error.cause = weft_frameloop_append_ (&at, error->cause);
}

/* Diffs with what was before the systems, of channels that are used beyond the threshold. */
static void
weft_frameloop_look_at_channels_ (WeftFrameloop *loop, const WeftFrameloopSystem *system)
{
  WeftFrameloopEntry *entry = &loop->slot->entry;

  for (uint32_t i = 0; i < loop->n_channels; i++)
    {
      const WeftFrameloopChannel *channel = &loop->channels[i];
      const WeftFrameloopPressure *before = &loop->slot->events[i].before;
      WeftFrameloopPressure now = { 0, 0, 0, 0 };
      WeftFrameloopDelta *delta;
      uint64_t used = channel->used (channel->data);

      if (channel->capacity == 0 ||
          (double) used < loop->rules->pressure * (double) channel->capacity)
        continue;
      entry->warnings |= WEFT_FRAMELOOP_EVENT_PRESSURE;
      if (entry->n_deltas == WEFT_FRAMELOOP_DELTAS_)
        {
          entry->cut++;
          continue;
        }
      channel->snapshot (channel->data, &now);
      delta = &loop->slot->deltas[entry->n_deltas++];
      delta->system = system->id;
      delta->channel = channel->name;
      delta->used = now.used;
      delta->used_change = (int64_t) (now.used - before->used);
      delta->published = now.published - before->published;
      delta->soft_limited = now.soft_limited - before->soft_limited;
      delta->overflowed = now.overflowed - before->overflowed;
    }
}

static void
weft_frameloop_report_system_ (WeftFrameloop *loop, const WeftFrameloopOpen_ *open,
                               const WeftFrameloopError *error)
{
  WeftTargetDispatch dispatch;

  if (error == NULL)
    {
      weft_target_span_end (open->span);
      return;
    }
  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = loop->lane;
  dispatch.routine = open->system->routine;
  dispatch.span = &open->span;
  dispatch.status = WEFT_TARGET_ERROR;
  dispatch.error_kind = WEFT_TARGET_ERROR_EXCEPTION;
  dispatch.error = error;
  weft_target_dispatch (&dispatch);
}

/* Ends what was opened last. */
static void
weft_frameloop_pop_ (WeftFrameloop *loop, uint64_t now, const WeftFrameloopError *error)
{
  WeftFrameloopSlot_ *slot = loop->slot;
  WeftFrameloopOpen_ *open = &loop->open[--loop->depth];

  if (open->phase != 0)
    {
      slot->phases[open->phase - 1].duration = now;
      if (error != NULL)
        slot->phases[open->phase - 1].flags |= WEFT_TARGET_PHASE_ERROR;
    }
  if (open->system == NULL)
    return;
  if (open->span.start != 0)
    weft_frameloop_report_system_ (loop, open, error);
  if (error != NULL)
    slot->entry.warnings |= WEFT_FRAMELOOP_SYSTEM_FAILED;
  if (open->run != 0 && error != NULL)
    weft_frameloop_annotate_ (slot, &slot->runs[open->run - 1], error);
  if (open->run != 0)
    slot->runs[open->run - 1].duration =
        now - (open->phase != 0 ? slot->phases[open->phase - 1].offset : now);
  weft_frameloop_look_at_channels_ (loop, open->system);
}

void
weft_frameloop_phase_close (WeftFrameloop *loop)
{
  if (loop->too_deep > 0)
    loop->too_deep--;
  else if (loop->depth > 0 && loop->open[loop->depth - 1].system == NULL)
    weft_frameloop_pop_ (loop, weft_frameloop_now (loop), NULL);
}

void
weft_frameloop_system_close (WeftFrameloop *loop, WeftFrameloopSystem *system,
                             const WeftFrameloopError *error)
{
  uint32_t depth = loop->depth;
  uint64_t now;
  int saved = errno;

  while (depth > 0 && loop->open[depth - 1].system != system)
    depth--;
  if (depth == 0)
    {
      loop->too_deep -= loop->too_deep > 0;
      return;
    }
  now = weft_frameloop_now (loop);
  loop->too_deep = 0;
  while (loop->depth > depth)
    weft_frameloop_pop_ (loop, now, NULL);
  weft_frameloop_pop_ (loop, now, error);
  errno = saved;
}

void
weft_frameloop_phase_add (WeftFrameloop *loop, const char *name, uint64_t start, uint64_t end)
{
  WeftFrameloopOpen_ open;

  memset (&open, 0, sizeof open);
  if (start < loop->start)
    start = loop->start;
  weft_frameloop_begin_ (loop, &open, name, start);
  if (open.phase != 0)
    loop->slot->phases[open.phase - 1].duration = end > start ? end : start;
}

bool
weft_frameloop_add_phase (WeftFrameloop *loop, const char *name, uint64_t duration)
{
  uint64_t now, ticks = duration;

  if (!weft_frameloop_in_tick (loop))
    return false;
  now = weft_frameloop_now (loop);
  if (loop->rules->clock == NULL)
    {
      /* The rate of the runtime's clock, from a second of it. */
      uint64_t rate =
          weft_target_to_nanoseconds (now + 1000000000u) - weft_target_to_nanoseconds (now);

      ticks = (uint64_t) ((double) duration * 1e9 / (double) rate);
    }
  weft_frameloop_phase_add (loop, name, ticks < now ? now - ticks : 0, now);
  return true;
}

WeftFrameloopSystem *
weft_frameloop_system_new (WeftFrameloop *loop, const char *id)
{
  static const char prefix[] = "system:";
  WeftFrameloopSystem *system;

  if (loop->dead || id == NULL)
    return NULL;
  system = (WeftFrameloopSystem *) calloc (1, sizeof *system);
  if (system != NULL)
    system->phase = (char *) malloc (sizeof prefix + strlen (id));
  if (system == NULL || system->phase == NULL)
    {
      free (system);
      return NULL;
    }
  memcpy (system->phase, prefix, sizeof prefix - 1);
  strcpy (system->phase + sizeof prefix - 1, id);
  system->id = system->phase + sizeof prefix - 1;
  system->routine = weft_target_routine_new (system->phase);
  if (loop->systems == NULL)
    {
      loop->slow = weft_frameloop_metric_ (loop, WEFT_TARGET_COUNTER, "systems.slow",
                                           WEFT_TARGET_UNIT_COUNT);
      loop->failed = weft_frameloop_metric_ (loop, WEFT_TARGET_COUNTER, "systems.failed",
                                             WEFT_TARGET_UNIT_COUNT);
    }
  system->next = loop->systems;
  loop->systems = system;
  return system;
}

int
weft_frameloop_run_system (WeftFrameloop *loop, WeftFrameloopSystem *system,
                           int (*run) (void *data, WeftFrameloopError *error), void *data)
{
  WeftFrameloopError error = { NULL, NULL, NULL, NULL };
  int result;

  weft_frameloop_begin_system (loop, system);
  result = run (data, &error);
  weft_frameloop_end_system (loop, system,
                             error.name != NULL || error.message != NULL ? &error : NULL);
  return result;
}

/* ---- Commands ---- */

WeftFrameloopTicket
weft_frameloop_ticket_new (void)
{
  WeftFrameloopTicket ticket;

  ticket.origin = weft_target_origin_with_stack ();
  ticket.submitted = weft_target_now ();
  return ticket;
}

void
weft_frameloop_command_open (WeftFrameloop *loop, WeftTargetRoutine *routine,
                             const WeftFrameloopTicket *ticket)
{
  if (loop->span.start == 0 || loop->command.span.start != 0)
    return;
  loop->command.routine = routine;
  memset (&loop->command.ticket, 0, sizeof loop->command.ticket);
  if (ticket != NULL)
    loop->command.ticket = *ticket;
  loop->command.span = weft_target_span_begin (loop->lane, routine);
}

void
weft_frameloop_command_close (WeftFrameloop *loop, const WeftFrameloopError *error)
{
  WeftFrameloopCommand_ *command = &loop->command;
  WeftTargetRoleOrigin origin;
  WeftTargetDispatch dispatch;

  if (command->span.start == 0)
    return;
  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = loop->lane;
  dispatch.routine = command->routine;
  dispatch.span = &command->span;
  dispatch.error = error;
  if (error != NULL)
    {
      dispatch.status = WEFT_TARGET_ERROR;
      dispatch.error_kind = WEFT_TARGET_ERROR_EXCEPTION;
    }
  if (command->ticket.submitted != 0)
    {
      dispatch.submitted = command->ticket.submitted;
      dispatch.has_queue_wait = true;
      dispatch.queue_wait = weft_target_to_nanoseconds (command->span.start) -
                            weft_target_to_nanoseconds (command->ticket.submitted);
      dispatch.queue_wait_last = dispatch.queue_wait;
      origin.role = WEFT_TARGET_ROLE_DISPATCH;
      origin.origin = command->ticket.origin;
      dispatch.origins = &origin;
      dispatch.n_origins = 1;
    }
  weft_target_dispatch (&dispatch);
  command->span.start = 0;
}

/* ---- Channels ---- */

bool
weft_frameloop_add_channel (WeftFrameloop *loop, const WeftFrameloopChannel *channel, size_t size)
{
  WeftFrameloopChannel *place = &loop->channels[loop->n_channels];

  if (loop->dead || loop->gate.in_tick || loop->n_channels == WEFT_FRAMELOOP_CHANNELS_)
    return false;
  weft_frameloop_take_ (place, sizeof *place, channel, size);
  if (place->used == NULL || place->snapshot == NULL || place->name == NULL)
    return false;
  loop->n_channels++;
  return true;
}

/* ---- The end of a tick ---- */

/* Turns times into nanoseconds from the start of the tick. */
static void
weft_frameloop_measure_ (WeftFrameloop *loop, uint64_t end)
{
  WeftFrameloopSlot_ *slot = loop->slot;
  WeftFrameloopEntry *entry = &slot->entry;
  uint64_t first = weft_frameloop_to_nanoseconds (loop, loop->start);
  uint64_t last = weft_frameloop_to_nanoseconds (loop, end);
  double rate = end > loop->start ? (double) (last - first) / (double) (end - loop->start) : 0;
  bool is_same = last - first == end - loop->start;

  entry->started_at = first;
  entry->duration = last - first;
  for (size_t i = 0; i < entry->n_phases; i++)
    {
      WeftFrameloopPhase *phase = &slot->phases[i];
      uint64_t offset = phase->offset - loop->start, length = phase->duration - phase->offset;

      phase->offset = is_same ? offset : (uint64_t) ((double) offset * rate);
      phase->duration = is_same ? length : (uint64_t) ((double) length * rate);
    }
  for (size_t i = 0; i < entry->n_systems && !is_same; i++)
    slot->runs[i].duration = (uint64_t) ((double) slot->runs[i].duration * rate);
}

static void
weft_frameloop_mark_slow_ (WeftFrameloop *loop)
{
  WeftFrameloopSlot_ *slot = loop->slot;
  WeftFrameloopEntry *entry = &slot->entry;

  for (size_t i = 0; i < entry->n_systems; i++)
    {
      WeftFrameloopRun *run = &slot->runs[i];

      run->slow = run->duration > loop->rules->slow_system_threshold;
      slot->systems[i]->history = slot->systems[i]->history << 1 | run->slow;
      if (run->slow)
        entry->warnings |= WEFT_FRAMELOOP_SYSTEM_SLOW;
    }
  for (size_t i = 0; i < entry->n_phases; i++)
    if (slot->run_of[i] != 0 && slot->runs[slot->run_of[i] - 1].slow)
      slot->phases[i].flags |= WEFT_TARGET_PHASE_SLOW;
}

static void
weft_frameloop_flush_queue_ (WeftFrameloop *loop)
{
  WeftFrameloopQueue *queue = &loop->slot->entry.queue;

  queue->drained = WEFT_FRAMELOOP_COMMANDS_ (drained);
  queue->accepted = WEFT_FRAMELOOP_COMMANDS_ (accepted);
  queue->dropped = WEFT_FRAMELOOP_COMMANDS_ (dropped);
  queue->rejected = WEFT_FRAMELOOP_COMMANDS_ (rejected);
  loop->starved = queue->pending_before > 0 && queue->drained == 0 ? loop->starved + 1 : 0;
  if (loop->starved >= loop->rules->starved_ticks)
    loop->slot->entry.warnings |= WEFT_FRAMELOOP_QUEUE_STARVATION;
}

static void
weft_frameloop_snapshot_final_ (WeftFrameloop *loop)
{
  if (!loop->has_before)
    weft_frameloop_snapshot_before_ (loop);
  for (uint32_t i = 0; i < loop->n_channels; i++)
    loop->channels[i].snapshot (loop->channels[i].data, &loop->slot->events[i].final);
}

/* ---- For a recorder ---- */

static pthread_once_t weft_frameloop_once_ = PTHREAD_ONCE_INIT;
static uint32_t weft_frameloop_set_;

static void
weft_frameloop_make_set_ (void)
{
  static const struct
  {
    const char *name;
    WeftTargetUnit unit;
    WeftTargetAggregation aggregation;
  } words[WEFT_FRAMELOOP_VALUES_] = {
    { "step_budget", WEFT_TARGET_UNIT_NANOSECONDS, WEFT_TARGET_AGGREGATE_SUM },
    { "host_frame", WEFT_TARGET_UNIT_NANOSECONDS, WEFT_TARGET_AGGREGATE_MEAN },
    { "lag_before", WEFT_TARGET_UNIT_NANOSECONDS, WEFT_TARGET_AGGREGATE_MAX },
    { "lag_after", WEFT_TARGET_UNIT_NANOSECONDS, WEFT_TARGET_AGGREGATE_MAX },
    { "queue.pending_before", WEFT_TARGET_UNIT_COUNT, WEFT_TARGET_AGGREGATE_MAX },
    { "queue.drained", WEFT_TARGET_UNIT_COUNT, WEFT_TARGET_AGGREGATE_SUM },
    { "queue.accepted", WEFT_TARGET_UNIT_COUNT, WEFT_TARGET_AGGREGATE_SUM },
    { "queue.dropped", WEFT_TARGET_UNIT_COUNT, WEFT_TARGET_AGGREGATE_SUM },
    { "queue.rejected", WEFT_TARGET_UNIT_COUNT, WEFT_TARGET_AGGREGATE_SUM },
  };
  WeftTargetCounter counters[WEFT_FRAMELOOP_VALUES_];
  WeftTargetCounterState present;

  memset (counters, 0, sizeof counters);
  memset (&present, 0, sizeof present);
  present.availability = WEFT_TARGET_PRESENT;
  for (int i = 0; i < WEFT_FRAMELOOP_VALUES_; i++)
    {
      counters[i].name = words[i].name;
      counters[i].unit = words[i].unit;
      counters[i].kind = words[i].aggregation == WEFT_TARGET_AGGREGATE_SUM ? WEFT_TARGET_COUNTER
                                                                           : WEFT_TARGET_GAUGE;
      counters[i].aggregation = words[i].aggregation;
      counters[i].value_type = WEFT_TARGET_VALUE_U64;
    }
  weft_frameloop_set_ =
      weft_target_counter_set_new ("tick", counters, WEFT_FRAMELOOP_VALUES_, &present);
}

static void
weft_frameloop_fill_values_ (const WeftFrameloopEntry *entry, WeftTargetCounterValue *values)
{
  const uint64_t figures[WEFT_FRAMELOOP_VALUES_] = {
    entry->step_budget,    entry->host_frame,           entry->lag_before,
    entry->lag_after,      entry->queue.pending_before, entry->queue.drained,
    entry->queue.accepted, entry->queue.dropped,        entry->queue.rejected
  };

  for (int i = 0; i < WEFT_FRAMELOOP_VALUES_; i++)
    {
      values[i].value.u64 = figures[i];
      values[i].is_error = false;
    }
}

static size_t
weft_frameloop_fill_phases_ (const WeftFrameloopSlot_ *slot, WeftTargetPhase *phases)
{
  size_t n = slot->entry.n_phases;

  if (n > WEFT_FRAMELOOP_WIRE_PHASES_)
    n = WEFT_FRAMELOOP_WIRE_PHASES_;
  for (size_t i = 0; i < n; i++)
    {
      phases[i].name = slot->phases[i].name;
      phases[i].offset = slot->phases[i].offset;
      phases[i].duration = slot->phases[i].duration;
      phases[i].flags = slot->phases[i].flags;
      phases[i].error = slot->run_of[i] != 0 ? slot->runs[slot->run_of[i] - 1].error.message : NULL;
    }
  return n;
}

/* Of loops that have a queue, from when something was in it. */
static void
weft_frameloop_report_pending_ (WeftFrameloop *loop, uint64_t now)
{
  const WeftFrameloopQueue *queue = &loop->slot->entry.queue;

  if (loop->pending == NULL && (queue->pending_before | queue->accepted | queue->drained) != 0)
    loop->pending =
        weft_frameloop_metric_ (loop, WEFT_TARGET_GAUGE, "queue.pending", WEFT_TARGET_UNIT_COUNT);
  if (loop->pending != NULL)
    weft_target_metric_report_full (loop->pending, (double) queue->pending_before, now, NULL, 0);
}

/* As of the end of the tick, by the runtime's clock. */
static void
weft_frameloop_report_metrics_ (WeftFrameloop *loop, uint64_t end)
{
  const WeftFrameloopEntry *entry = &loop->slot->entry;
  uint64_t now = loop->rules->clock == NULL ? end : weft_target_now ();
  uint64_t slow = 0, failed = 0;

  for (size_t i = 0; i < entry->n_systems; i++)
    {
      slow += entry->systems[i].slow;
      failed += entry->systems[i].failed;
    }
  if (loop->has_last)
    {
      uint64_t last = loop->last_duration;
      uint64_t jitter = last > entry->duration ? last - entry->duration : entry->duration - last;

      weft_target_metric_report_full (loop->jitter, (double) jitter, now, NULL, 0);
    }
  weft_target_metric_report_full (loop->lag, (double) entry->lag_after, now, NULL, 0);
  weft_frameloop_report_pending_ (loop, now);
  if (entry->warnings & WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET)
    weft_target_metric_report_full (loop->over_budget, 1, now, NULL, 0);
  if (slow > 0)
    weft_target_metric_report_full (loop->slow, (double) slow, now, NULL, 0);
  if (failed > 0)
    weft_target_metric_report_full (loop->failed, (double) failed, now, NULL, 0);
  if (entry->missed > 0)
    weft_target_metric_report_full (loop->missed, (double) entry->missed, now, NULL, 0);
}

static void
weft_frameloop_report_ (WeftFrameloop *loop, uint64_t id, uint64_t end)
{
  const WeftFrameloopEntry *entry = &loop->slot->entry;
  WeftTargetPhase phases[WEFT_FRAMELOOP_WIRE_PHASES_];
  WeftTargetCounterValue values[WEFT_FRAMELOOP_VALUES_];
  WeftTargetCounterSample sample;
  WeftTargetDispatch dispatch;
  WeftTargetTag tag;

  pthread_once (&weft_frameloop_once_, weft_frameloop_make_set_);
  memset (&dispatch, 0, sizeof dispatch);
  memset (&sample, 0, sizeof sample);
  dispatch.lane = loop->lane;
  dispatch.routine = loop->routine;
  dispatch.span = &loop->span;
  dispatch.end = loop->rules->clock == NULL ? end : 0;
  dispatch.id = id;
  dispatch.phases = phases;
  dispatch.n_phases = weft_frameloop_fill_phases_ (loop->slot, phases);
  for (size_t i = 0; i < entry->n_systems && dispatch.error == NULL; i++)
    if (entry->systems[i].failed)
      {
        dispatch.status = WEFT_TARGET_ERROR;
        dispatch.error_kind = WEFT_TARGET_ERROR_EXCEPTION;
        dispatch.error = &entry->systems[i].error;
      }
  tag.key = "tick";
  tag.type = WEFT_TARGET_VALUE_U64;
  tag.value.u64 = entry->tick;
  dispatch.tags = &tag;
  dispatch.n_tags = 1;
  weft_frameloop_fill_values_ (entry, values);
  sample.set = weft_frameloop_set_;
  sample.point = WEFT_TARGET_POINT_AFTER_DISPATCH;
  sample.values = values;
  sample.n_values = WEFT_FRAMELOOP_VALUES_;
  dispatch.samples = &sample;
  dispatch.n_samples = weft_frameloop_set_ != 0;
  weft_target_dispatch (&dispatch);
  weft_frameloop_report_metrics_ (loop, end);
}

/* ---- Warnings ---- */

static void
weft_frameloop_report_warning_ (WeftFrameloop *loop, const WeftFrameloopWarning *warning,
                                uint64_t id)
{
  static const char *const codes[] = { "over-budget", "slow", "starving" };
  WeftTargetWarning record;
  WeftTargetTag tags[2];
  char text[256];

  if (warning->kind == WEFT_FRAMELOOP_TICK_OVER_BUDGET)
    snprintf (text, sizeof text, "tick %llu took %.3f ms, its budget is %.3f ms",
              (unsigned long long) warning->tick, (double) warning->value / 1e6,
              (double) warning->threshold / 1e6);
  else if (warning->kind == WEFT_FRAMELOOP_SLOW_SYSTEM)
    snprintf (text, sizeof text, "system %.100s took %.3f ms, slow is more than %.3f ms",
              warning->system, (double) warning->value / 1e6, (double) warning->threshold / 1e6);
  else
    snprintf (text, sizeof text, "%llu commands are pending, and none was drained in %llu ticks",
              (unsigned long long) warning->value, (unsigned long long) warning->threshold);
  memset (&record, 0, sizeof record);
  record.lane = loop->lane;
  record.severity = WEFT_TARGET_SEVERITY_WARNING;
  record.code = codes[warning->kind];
  record.message = text;
  record.dispatch = id;
  record.value = (double) warning->value;
  record.threshold = (double) warning->threshold;
  tags[0].key = "tick";
  tags[0].type = WEFT_TARGET_VALUE_U64;
  tags[0].value.u64 = warning->tick;
  tags[1].key = "system";
  tags[1].type = WEFT_TARGET_VALUE_STRING;
  tags[1].value.string = warning->system;
  record.tags = tags;
  record.n_tags = warning->system != NULL ? 2 : 1;
  weft_target_warn (&record);
}

static void
weft_frameloop_warn_ (WeftFrameloop *loop, WeftFrameloopWarningKind kind, const char *system,
                      uint64_t value, uint64_t threshold, uint64_t id)
{
  WeftFrameloopWarning warning = { kind, loop->slot->entry.tick, system, value, threshold };

  if (weft_target_enabled ())
    weft_frameloop_report_warning_ (loop, &warning, id);
  for (int i = 0; i < WEFT_FRAMELOOP_LISTENERS_; i++)
    if (loop->listeners[i].warning != NULL)
      loop->listeners[i].warning (&warning, loop->listeners[i].data);
}

/* Of a system whose last run was slow, whether enough of its own last runs were. */
static bool
weft_frameloop_is_often_slow_ (const WeftFrameloopConfiguration *rules,
                               const WeftFrameloopSystem *system)
{
  uint32_t window = rules->slow_window == 32 ? UINT32_MAX : (1u << rules->slow_window) - 1;

  return (uint32_t) __builtin_popcount (system->history & window) >= rules->slow_count;
}

static void
weft_frameloop_warn_all_ (WeftFrameloop *loop, uint64_t id)
{
  const WeftFrameloopEntry *entry = &loop->slot->entry;
  const WeftFrameloopConfiguration *rules = loop->rules;

  if (entry->warnings & WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET)
    weft_frameloop_warn_ (loop, WEFT_FRAMELOOP_TICK_OVER_BUDGET, NULL, entry->duration,
                          rules->slow_tick_budget, id);
  for (size_t i = 0; i < entry->n_systems; i++)
    if (entry->systems[i].slow && weft_frameloop_is_often_slow_ (rules, loop->slot->systems[i]))
      weft_frameloop_warn_ (loop, WEFT_FRAMELOOP_SLOW_SYSTEM, entry->systems[i].id,
                            entry->systems[i].duration, rules->slow_system_threshold, id);
  if (loop->starved == rules->starved_ticks)
    weft_frameloop_warn_ (loop, WEFT_FRAMELOOP_QUEUE_STARVED, NULL, entry->queue.pending_before,
                          rules->starved_ticks, id);
}

static void
weft_frameloop_tell_ (WeftFrameloop *loop)
{
  for (int i = 0; i < WEFT_FRAMELOOP_LISTENERS_; i++)
    if (loop->listeners[i].tick != NULL)
      loop->listeners[i].tick (&loop->slot->entry, loop->listeners[i].data);
}

static void
weft_frameloop_seal_ (WeftFrameloop *loop, uint64_t end)
{
  WeftFrameloopEntry *entry = &loop->slot->entry;

  weft_frameloop_measure_ (loop, end);
  weft_frameloop_mark_slow_ (loop);
  weft_frameloop_flush_queue_ (loop);
  if (entry->duration > loop->rules->slow_tick_budget)
    entry->warnings |= WEFT_FRAMELOOP_EXCEEDED_STEP_BUDGET;
  entry->sequence = loop->head + loop->kept;
  if (loop->kept)
    {
      pthread_mutex_lock (&loop->mutex);
      loop->head++;
      pthread_mutex_unlock (&loop->mutex);
    }
}

void
weft_frameloop_tick_close (WeftFrameloop *loop, int64_t accumulator)
{
  uint64_t end, id;
  int saved = errno;

  weft_frameloop_command_close (loop, NULL);
  end = weft_frameloop_now (loop);
  while (loop->depth > 0)
    weft_frameloop_pop_ (loop, end, NULL);
  weft_frameloop_snapshot_final_ (loop);
  loop->slot->entry.lag_after = accumulator > 0 ? (uint64_t) accumulator : 0;
  weft_frameloop_seal_ (loop, end);
  id = loop->span.start != 0 ? weft_target_id_new () : 0;
  if (loop->span.start != 0)
    weft_frameloop_report_ (loop, id, end);
  weft_frameloop_tell_ (loop);
  weft_frameloop_warn_all_ (loop, id);
  loop->has_last = true;
  loop->last_duration = loop->slot->entry.duration;
  loop->gate.in_tick = 0;
  loop->rules = NULL;
  errno = saved;
}

/* ---- Listeners ---- */

uint32_t
weft_frameloop_listen (WeftFrameloop *loop, const WeftFrameloopListener *listener, size_t size)
{
  WeftFrameloopListener given;

  weft_frameloop_take_ (&given, sizeof given, listener, size);
  if (loop->dead || (given.warning == NULL && given.tick == NULL))
    return 0;
  for (uint32_t i = 0; i < WEFT_FRAMELOOP_LISTENERS_; i++)
    if (loop->listeners[i].warning == NULL && loop->listeners[i].tick == NULL)
      {
        if (!weft_frameloop_active (loop))
          weft_frameloop_forget_counts_ (loop);
        loop->listeners[i] = given;
        weft_frameloop_set_local_ (loop, WEFT_FRAMELOOP_HEARD_, true);
        return i + 1;
      }
  return 0;
}

void
weft_frameloop_unlisten (WeftFrameloop *loop, uint32_t number)
{
  bool heard = false;

  if (loop->dead || number == 0 || number > WEFT_FRAMELOOP_LISTENERS_)
    return;
  memset (&loop->listeners[number - 1], 0, sizeof loop->listeners[number - 1]);
  for (int i = 0; i < WEFT_FRAMELOOP_LISTENERS_; i++)
    heard |= loop->listeners[i].warning != NULL || loop->listeners[i].tick != NULL;
  weft_frameloop_set_local_ (loop, WEFT_FRAMELOOP_HEARD_, heard);
}

/* ---- Reading ---- */

/* Lays things behind each other, or with no BASE only counts what they take. */
typedef struct
{
  char *base;
  size_t used;
} WeftFrameloopPacker_;

static void *
weft_frameloop_pack_ (WeftFrameloopPacker_ *packer, const void *data, size_t size)
{
  char *place;

  packer->used = (packer->used + 7) & ~(size_t) 7;
  place = packer->base + packer->used;
  packer->used += size;
  if (packer->base == NULL)
    return NULL;
  memcpy (place, data, size);
  return place;
}

static const char *
weft_frameloop_pack_text_ (WeftFrameloopPacker_ *packer, const char *text)
{
  size_t size = weft_frameloop_text_size_ (text);
  char *place = packer->base + packer->used;

  packer->used += size;
  if (packer->base == NULL || text == NULL)
    return NULL;
  memcpy (place, text, size);
  return place;
}

static void
weft_frameloop_pack_systems_ (WeftFrameloopPacker_ *packer, const WeftFrameloopEntry *entry,
                              WeftFrameloopEntry *copy)
{
  WeftFrameloopRun *runs = (WeftFrameloopRun *) weft_frameloop_pack_ (
      packer, entry->systems, entry->n_systems * sizeof *runs);

  for (size_t i = 0; i < entry->n_systems; i++)
    {
      WeftFrameloopRun run = entry->systems[i];

      run.id = weft_frameloop_pack_text_ (packer, run.id);
      run.error.name = weft_frameloop_pack_text_ (packer, run.error.name);
      run.error.message = weft_frameloop_pack_text_ (packer, run.error.message);
      run.error.stack = weft_frameloop_pack_text_ (packer, run.error.stack);
      run.error.cause = weft_frameloop_pack_text_ (packer, run.error.cause);
      if (runs != NULL)
        runs[i] = run;
    }
  copy->systems = runs;
}

static void
weft_frameloop_pack_events_ (WeftFrameloopPacker_ *packer, const WeftFrameloopEntry *entry,
                             WeftFrameloopEntry *copy)
{
  WeftFrameloopEvents *events = (WeftFrameloopEvents *) weft_frameloop_pack_ (
      packer, entry->events, entry->n_events * sizeof *events);
  WeftFrameloopDelta *deltas = (WeftFrameloopDelta *) weft_frameloop_pack_ (
      packer, entry->deltas, entry->n_deltas * sizeof *deltas);

  for (size_t i = 0; i < entry->n_events; i++)
    {
      const char *channel = weft_frameloop_pack_text_ (packer, entry->events[i].channel);

      if (events != NULL)
        events[i].channel = channel;
    }
  for (size_t i = 0; i < entry->n_deltas; i++)
    {
      const char *channel = weft_frameloop_pack_text_ (packer, entry->deltas[i].channel);
      const char *system = weft_frameloop_pack_text_ (packer, entry->deltas[i].system);

      if (deltas == NULL)
        continue;
      deltas[i].channel = channel;
      deltas[i].system = system;
    }
  copy->events = events;
  copy->deltas = deltas;
}

static void
weft_frameloop_pack_entry_ (WeftFrameloopPacker_ *packer, const WeftFrameloopEntry *entry,
                            WeftFrameloopEntry *copy)
{
  WeftFrameloopPhase *phases;

  *copy = *entry;
  phases = (WeftFrameloopPhase *) weft_frameloop_pack_ (packer, entry->phases,
                                                        entry->n_phases * sizeof *phases);
  for (size_t i = 0; i < entry->n_phases; i++)
    {
      const char *name = weft_frameloop_pack_text_ (packer, entry->phases[i].name);

      if (phases != NULL)
        phases[i].name = name;
    }
  copy->phases = phases;
  weft_frameloop_pack_systems_ (packer, entry, copy);
  weft_frameloop_pack_events_ (packer, entry, copy);
}

/* FALSE if there is no memory. PHASES, of all that is packed, is the place of the block. */
static bool
weft_frameloop_copy_entry_ (const WeftFrameloopEntry *entry, WeftFrameloopEntry *copy)
{
  WeftFrameloopPacker_ packer = { NULL, 0 };

  weft_frameloop_pack_entry_ (&packer, entry, copy);
  packer.base = (char *) malloc (packer.used + 1);
  packer.used = 0;
  if (packer.base == NULL)
    return false;
  weft_frameloop_pack_entry_ (&packer, entry, copy);
  return true;
}

/* The oldest entry there is, and how many: with the mutex held. */
static uint64_t
weft_frameloop_oldest_ (const WeftFrameloop *loop)
{
  uint64_t capacity = loop->ring != NULL ? loop->ring->n_slots - 1 : 0;

  if (loop->wanted != NULL || loop->ring == NULL)
    return loop->head + 1;
  return (loop->head - loop->first > capacity ? loop->head - capacity : loop->first) + 1;
}

/* Copies the entry NUMBER, or a later one if that has gone. False: there is none, or no memory.
 */
static bool
weft_frameloop_read_one_ (WeftFrameloop *loop, uint64_t *number, uint64_t last,
                          WeftFrameloopResult *result, bool *failed)
{
  uint64_t oldest;
  bool found;

  pthread_mutex_lock (&loop->mutex);
  oldest = weft_frameloop_oldest_ (loop);
  if (*number < oldest)
    {
      result->dropped += (oldest <= last ? oldest : last + 1) - *number;
      *number = oldest;
    }
  found = *number <= last;
  if (found)
    *failed =
        !weft_frameloop_copy_entry_ (&loop->ring->slots[(*number - 1) % loop->ring->n_slots].entry,
                                     &result->entries[result->n_entries]);
  pthread_mutex_unlock (&loop->mutex);
  result->n_entries += found && !*failed;
  ++*number;
  return found && !*failed;
}

WeftFrameloopResult *
weft_frameloop_read (WeftFrameloop *loop, uint64_t since)
{
  WeftFrameloopResult *result = (WeftFrameloopResult *) calloc (1, sizeof *result);
  uint64_t number = since + 1, oldest;
  bool failed = false;

  if (result == NULL || loop->dead)
    return result;
  pthread_mutex_lock (&loop->mutex);
  result->head = loop->head;
  result->enabled = loop->enabled;
  result->step = __atomic_load_n (&loop->next_step, __ATOMIC_RELAXED);
  result->configuration = weft_frameloop_resolve_ (
      loop->wanted != NULL ? &loop->wanted->asked : &loop->asked, result->step);
  oldest = weft_frameloop_oldest_ (loop);
  pthread_mutex_unlock (&loop->mutex);
  if (since >= result->head)
    return result;
  if (oldest < number)
    oldest = number;
  result->entries = (WeftFrameloopEntry *) calloc ((size_t) (result->head + 1 - oldest) + 1,
                                                   sizeof *result->entries);
  failed = result->entries == NULL;
  while (!failed && weft_frameloop_read_one_ (loop, &number, result->head, result, &failed))
    ;
  if (!failed)
    return result;
  weft_frameloop_result_free (result);
  return NULL;
}

void
weft_frameloop_result_free (WeftFrameloopResult *result)
{
  if (result == NULL)
    return;
  for (size_t i = 0; i < result->n_entries; i++)
    free ((void *) (uintptr_t) result->entries[i].phases);
  free (result->entries);
  free (result);
}

/* ---- For people ---- */

typedef struct
{
  char *buffer;
  size_t size;
  size_t length;
} WeftFrameloopWriter_;

__attribute__ ((format (printf, 2, 3))) static void
weft_frameloop_print_ (WeftFrameloopWriter_ *writer, const char *format, ...)
{
  size_t left = writer->length < writer->size ? writer->size - writer->length : 0;
  va_list arguments;
  int length;

  va_start (arguments, format);
  length = vsnprintf (left > 0 ? writer->buffer + writer->length : NULL, left, format, arguments);
  va_end (arguments);
  if (length > 0)
    writer->length += (size_t) length;
}

static double
weft_frameloop_ms_ (uint64_t nanoseconds)
{
  return (double) nanoseconds / 1e6;
}

static void
weft_frameloop_print_warnings_ (WeftFrameloopWriter_ *writer, uint32_t warnings)
{
  static const char *const words[] = { "over budget", "system slow", "queue starving",
                                       "system failed", "event pressure" };

  for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
    if (warnings & 1u << i)
      weft_frameloop_print_ (writer, " [%s]", words[i]);
}

static void
weft_frameloop_print_systems_ (WeftFrameloopWriter_ *writer, const WeftFrameloopEntry *entry)
{
  for (size_t i = 0; i < entry->n_systems; i++)
    {
      const WeftFrameloopRun *run = &entry->systems[i];
      const WeftFrameloopError *error = &run->error;

      if (!run->failed)
        continue;
      weft_frameloop_print_ (writer, "  system %s failed: %s: %s", run->id,
                             error->name != NULL ? error->name : "error",
                             error->message != NULL ? error->message : "no message");
      if (error->cause != NULL)
        weft_frameloop_print_ (writer, " (because of %s)", error->cause);
      weft_frameloop_print_ (writer, "\n");
    }
}

static void
weft_frameloop_print_events_ (WeftFrameloopWriter_ *writer, const WeftFrameloopEntry *entry)
{
  for (size_t i = 0; i < entry->n_events; i++)
    {
      const WeftFrameloopEvents *events = &entry->events[i];

      weft_frameloop_print_ (
          writer, "  events %s: %llu of %llu used, %llu published, %llu overflowed\n",
          events->channel, (unsigned long long) events->final.used,
          (unsigned long long) events->capacity,
          (unsigned long long) (events->final.published - events->before.published),
          (unsigned long long) (events->final.overflowed - events->before.overflowed));
    }
  for (size_t i = 0; i < entry->n_deltas; i++)
    weft_frameloop_print_ (writer, "  after %s: %s %+lld, %llu of it used\n",
                           entry->deltas[i].system, entry->deltas[i].channel,
                           (long long) entry->deltas[i].used_change,
                           (unsigned long long) entry->deltas[i].used);
}

size_t
weft_frameloop_format (const WeftFrameloopEntry *entry, char *buffer, size_t size)
{
  WeftFrameloopWriter_ writer = { buffer, size, 0 };

  weft_frameloop_print_ (&writer, "tick %llu: %.3f ms of %.3f", (unsigned long long) entry->tick,
                         weft_frameloop_ms_ (entry->duration),
                         weft_frameloop_ms_ (entry->step_budget));
  weft_frameloop_print_ (
      &writer, ", frame %.3f ms, lag %.3f → %.3f ms", weft_frameloop_ms_ (entry->host_frame),
      weft_frameloop_ms_ (entry->lag_before), weft_frameloop_ms_ (entry->lag_after));
  weft_frameloop_print_warnings_ (&writer, entry->warnings);
  weft_frameloop_print_ (
      &writer,
      "\n  queue: %llu pending, %llu drained, %llu accepted, "
      "%llu dropped, %llu rejected\n",
      (unsigned long long) entry->queue.pending_before, (unsigned long long) entry->queue.drained,
      (unsigned long long) entry->queue.accepted, (unsigned long long) entry->queue.dropped,
      (unsigned long long) entry->queue.rejected);
  for (size_t i = 0; i < entry->n_phases; i++)
    weft_frameloop_print_ (&writer, "  %10.3f ms %10.3f ms  %s%s\n",
                           weft_frameloop_ms_ (entry->phases[i].offset),
                           weft_frameloop_ms_ (entry->phases[i].duration), entry->phases[i].name,
                           entry->phases[i].flags & WEFT_TARGET_PHASE_SLOW ? "  slow" : "");
  weft_frameloop_print_systems_ (&writer, entry);
  weft_frameloop_print_events_ (&writer, entry);
  return writer.length;
}

/* ---- Prometheus ---- */

struct _WeftFrameloopCounters
{
  WeftFrameloop *loop;
  uint32_t listener;
  pthread_mutex_t mutex;
  uint64_t ticks, over_budget, failed, missed, slow; /* SLOW: of systems without a label */
  WeftFrameloopQueue queue;
  uint32_t n_series;
  struct
  {
    char *id;
    uint64_t slow;
  } series[WEFT_FRAMELOOP_SERIES_];
};

static void
weft_frameloop_count_tick_ (const WeftFrameloopEntry *entry, void *data)
{
  WeftFrameloopCounters *counters = (WeftFrameloopCounters *) data;

  pthread_mutex_lock (&counters->mutex);
  counters->ticks++;
  counters->missed += entry->missed;
  counters->queue.drained += entry->queue.drained;
  counters->queue.accepted += entry->queue.accepted;
  counters->queue.dropped += entry->queue.dropped;
  counters->queue.rejected += entry->queue.rejected;
  for (size_t i = 0; i < entry->n_systems; i++)
    counters->failed += entry->systems[i].failed;
  pthread_mutex_unlock (&counters->mutex);
}

static void
weft_frameloop_count_warning_ (const WeftFrameloopWarning *warning, void *data)
{
  WeftFrameloopCounters *counters = (WeftFrameloopCounters *) data;
  uint64_t *count = NULL;

  pthread_mutex_lock (&counters->mutex);
  if (warning->kind == WEFT_FRAMELOOP_TICK_OVER_BUDGET)
    count = &counters->over_budget;
  else if (warning->kind == WEFT_FRAMELOOP_SLOW_SYSTEM)
    {
      count = &counters->slow;
      for (uint32_t i = 0; i < counters->n_series; i++)
        if (strcmp (counters->series[i].id, warning->system) == 0)
          count = &counters->series[i].slow;
    }
  if (count != NULL)
    ++*count;
  pthread_mutex_unlock (&counters->mutex);
}

WeftFrameloopCounters *
weft_frameloop_counters_new (WeftFrameloop *loop)
{
  WeftFrameloopCounters *counters = (WeftFrameloopCounters *) calloc (1, sizeof *counters);
  WeftFrameloopListener listener = { weft_frameloop_count_warning_, weft_frameloop_count_tick_,
                                     counters };

  if (counters == NULL)
    return NULL;
  pthread_mutex_init (&counters->mutex, NULL);
  counters->loop = loop;
  counters->listener = weft_frameloop_listen (loop, &listener, sizeof listener);
  if (counters->listener != 0)
    return counters;
  weft_frameloop_counters_free (counters);
  return NULL;
}

void
weft_frameloop_counters_free (WeftFrameloopCounters *counters)
{
  if (counters == NULL)
    return;
  weft_frameloop_unlisten (counters->loop, counters->listener);
  for (uint32_t i = 0; i < counters->n_series; i++)
    free (counters->series[i].id);
  pthread_mutex_destroy (&counters->mutex);
  free (counters);
}

bool
weft_frameloop_counters_add_system (WeftFrameloopCounters *counters, const char *id)
{
  char *copy = id != NULL ? weft_frameloop_copy_ (id) : NULL;
  bool added = false;

  if (copy == NULL)
    return false;
  pthread_mutex_lock (&counters->mutex);
  if (counters->n_series < WEFT_FRAMELOOP_SERIES_)
    {
      counters->series[counters->n_series].slow = 0;
      counters->series[counters->n_series++].id = copy;
      added = true;
    }
  pthread_mutex_unlock (&counters->mutex);
  if (!added)
    free (copy);
  return added;
}

/* As a label's value. */
static void
weft_frameloop_print_label_ (WeftFrameloopWriter_ *writer, const char *name, const char *value)
{
  weft_frameloop_print_ (writer, "%s=\"", name);
  for (; *value != '\0'; value++)
    if (*value == '\n')
      weft_frameloop_print_ (writer, "\\n");
    else if (*value == '"' || *value == '\\')
      weft_frameloop_print_ (writer, "\\%c", *value);
    else
      weft_frameloop_print_ (writer, "%c", *value);
  weft_frameloop_print_ (writer, "\"");
}

static void
weft_frameloop_print_series_ (WeftFrameloopWriter_ *writer, const char *name, const char *loop,
                              const char *system, uint64_t value)
{
  weft_frameloop_print_ (writer, "%s{", name);
  weft_frameloop_print_label_ (writer, "loop", loop);
  if (system != NULL)
    {
      weft_frameloop_print_ (writer, ",");
      weft_frameloop_print_label_ (writer, "system", system);
    }
  weft_frameloop_print_ (writer, "} %llu\n", (unsigned long long) value);
}

static void
weft_frameloop_print_counter_ (WeftFrameloopWriter_ *writer, const char *name, const char *help)
{
  weft_frameloop_print_ (writer, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
}

size_t
weft_frameloop_counters_write (WeftFrameloopCounters *counters, char *buffer, size_t size)
{
  WeftFrameloopWriter_ writer = { buffer, size, 0 };
  const char *loop = counters->loop->name;
  const char *slow = "runtime_system_slow_total";
  const struct
  {
    const char *name;
    const char *help;
    const uint64_t *value;
  } plain[] = {
    { "runtime_ticks_total", "Ticks that were run.", &counters->ticks },
    { "runtime_ticks_over_budget_total", "Ticks that took longer than their budget.",
      &counters->over_budget },
    { "runtime_ticks_missed_total", "Ticks that were due and not made.", &counters->missed },
    { "runtime_system_failed_total", "Runs of systems that failed.", &counters->failed },
    { "runtime_commands_accepted_total", "Commands that entered the queue.",
      &counters->queue.accepted },
    { "runtime_commands_drained_total", "Commands that were taken out to be run.",
      &counters->queue.drained },
    { "runtime_commands_dropped_total", "Commands that left the queue without being run.",
      &counters->queue.dropped },
    { "runtime_commands_rejected_total", "Commands that were turned away.",
      &counters->queue.rejected },
  };

  pthread_mutex_lock (&counters->mutex);
  for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
    {
      weft_frameloop_print_counter_ (&writer, plain[i].name, plain[i].help);
      weft_frameloop_print_series_ (&writer, plain[i].name, loop, NULL, *plain[i].value);
    }
  weft_frameloop_print_counter_ (&writer, slow,
                                 "Warnings of systems that were slow again and again.");
  weft_frameloop_print_series_ (&writer, slow, loop, NULL, counters->slow);
  for (uint32_t i = 0; i < counters->n_series; i++)
    weft_frameloop_print_series_ (&writer, slow, loop, counters->series[i].id,
                                  counters->series[i].slow);
  pthread_mutex_unlock (&counters->mutex);
  return writer.length;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* WEFT_FRAMELOOP_IMPLEMENTATION */
