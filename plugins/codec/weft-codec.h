/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-codec: what the stages of a media pipeline do to each frame, over libweft-target.
 *
 * A pipeline has stages (sources, decoders, filters, encoders, sinks) and queues between them. A
 * stage that hands its frame on calls the next one, which calls the one behind it; a queue gives
 * the frame to another thread. For each frame a recorder gets a dispatch on the lane of each stage:
 * the time that the stage worked itself, without the stages that it called and without its waits.
 *
 *   #define WEFT_CODEC_IMPLEMENTATION   // in exactly one file
 *   #include <weft-codec.h>
 *
 *   WeftCodecPipeline *pipeline = weft_codec_pipeline_new ("player");
 *   WeftCodecStage *decoder = weft_codec_stage_new (&info, sizeof info);
 *
 *   WeftCodecFrame frame = WEFT_CODEC_FRAME;
 *   frame.time = frame.pts = 40000000;
 *   weft_codec_begin (decoder, &frame);
 *   …                                   // calls of other stages nest
 *   weft_codec_end (decoder, WEFT_CODEC_DONE, NULL);
 *
 * While nobody listens a call is a branch, and nothing is allocated. Pipelines and stages may be
 * used by any thread; begin and end of a frame, and waits in between, belong to one thread. Strings
 * of frames are only read during the work that they are given to, and must be there until its end;
 * other strings are copied. Functions never abort, and leave errno alone.
 *
 * Media times and durations are nanoseconds, moments are ticks of weft_target_now (). C11 and
 * C++17. Since: 0.1.
 */
#ifndef WEFT_CODEC_H
#define WEFT_CODEC_H

#include <weft-target.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_CODEC_NO_TIME UINT64_MAX

typedef struct _WeftCodecPipeline WeftCodecPipeline;
typedef struct _WeftCodecStage WeftCodecStage;
typedef struct _WeftCodecThread WeftCodecThread;

/* ---- Frames: metadata, never contents ---- */

#define WEFT_CODEC_FRAME_KEY 1u
#define WEFT_CODEC_FRAME_DISCONT 2u
#define WEFT_CODEC_FRAME_CORRUPTED 4u
#define WEFT_CODEC_FRAME_GAP 8u
#define WEFT_CODEC_FRAME_HEADER 16u

/* Begin with WEFT_CODEC_FRAME, which is a frame of which nothing is known. */
typedef struct
{
  uint64_t time; /* by which the pipeline knows it from source to sink */
  uint64_t pts;  /* as its stream counts */
  uint64_t dts;
  uint64_t duration;
  uint64_t size;      /* bytes */
  uint64_t sources;   /* bits of the sources that it may come from; 0: any */
  const char *media;  /* "video/x-raw", name of the codec */
  const char *format; /* "I420" */
  const char *shape;  /* "320×240" */
  const char *memory; /* allocator */
  const char *type;   /* "I", "P", "B" */
  uint32_t flags;     /* WEFT_CODEC_FRAME_… */
  uint32_t n_frames;  /* of a list; 0: none, but work for the end of the stream */
} WeftCodecFrame;

#define WEFT_CODEC_FRAME                                                                           \
  {                                                                                                \
    WEFT_CODEC_NO_TIME, WEFT_CODEC_NO_TIME, WEFT_CODEC_NO_TIME, WEFT_CODEC_NO_TIME,                \
        WEFT_TARGET_UNKNOWN_SIZE, 0, NULL, NULL, NULL, NULL, NULL, 0, 1                            \
  }

/* ---- Pipelines, stages, threads ---- */

/* Never NULL is needed: all functions take NULL, and do nothing. NULL without memory. */
WeftCodecPipeline *weft_codec_pipeline_new (const char *name);

/* After all its stages. Lanes are closed. */
void weft_codec_pipeline_free (WeftCodecPipeline *pipeline);
WeftTargetLane *weft_codec_pipeline_get_lane (const WeftCodecPipeline *pipeline);

typedef struct
{
  const char *name;
  const char *kind; /* "codec.decoder", "codec.sink", …; NULL: "codec.element" */
  const char *type; /* what made it: an element's factory, a codec; or NULL */
  WeftCodecPipeline *pipeline;
  WeftTargetLane *parent; /* NULL: the pipeline's */
} WeftCodecStageInfo;

WeftCodecStage *weft_codec_stage_new (const WeftCodecStageInfo *info, size_t size);
void weft_codec_stage_free (WeftCodecStage *stage);
WeftTargetLane *weft_codec_stage_get_lane (const WeftCodecStage *stage);

/* Bit of this stage in WeftCodecFrame.sources, set once frames begin at it; 0 before, and where
 * there are more than 63 sources.
 */
uint64_t weft_codec_stage_get_source (const WeftCodecStage *stage);

/* What carries frames from one queue to the next; its lane shows the stages that it runs. */
WeftCodecThread *weft_codec_thread_new (WeftCodecPipeline *pipeline, const char *name);
void weft_codec_thread_free (WeftCodecThread *thread);

/* ---- Work ---- */

typedef enum
{
  WEFT_CODEC_DONE,
  WEFT_CODEC_FAILED,
  WEFT_CODEC_CANCELED, /* thrown away as the pipeline stops or seeks, or as a later stage failed
                        */
} WeftCodecOutcome;

typedef enum
{
  WEFT_CODEC_WAIT_CLOCK,   /* for the time to show the frame */
  WEFT_CODEC_WAIT_PREROLL, /* with the first frame, until the pipeline plays */
  WEFT_CODEC_WAIT_ROOM,    /* for a queue to take the frame: the queue counts it, too */
} WeftCodecWait;

extern __thread uint32_t weft_codec_depth_; /* what is under way on this thread */

void weft_codec_begin_ (WeftCodecStage *stage, const WeftCodecFrame *frame);
void weft_codec_end_ (WeftCodecStage *stage, WeftCodecOutcome outcome, const char *flow);
void weft_codec_run_begin_ (WeftCodecThread *thread, const WeftCodecFrame *frame);
void weft_codec_run_end_ (WeftCodecThread *thread);
void weft_codec_made_ (WeftCodecStage *stage, const WeftCodecFrame *frame, uint64_t begin);
void weft_codec_depart_ (WeftCodecStage *stage, const WeftCodecFrame *frame);
void weft_codec_worked_ (WeftCodecStage *stage, uint64_t begin);
void weft_codec_wait_ (WeftCodecWait reason, uint64_t begin, uint64_t end);

static inline bool
weft_codec_active (void)
{
  return WEFT_TARGET_UNLIKELY (weft_codec_depth_ != 0) || weft_target_enabled ();
}

/* STAGE takes FRAME. The stage that called it, if any, rests until the end. 64 deep at most. */
static inline void
weft_codec_begin (WeftCodecStage *stage, const WeftCodecFrame *frame)
{
  if (weft_codec_active ())
    weft_codec_begin_ (stage, frame);
}

/* FLOW: what it answered, where that is not that all is well; a word, or NULL. */
static inline void
weft_codec_end (WeftCodecStage *stage, WeftCodecOutcome outcome, const char *flow)
{
  if (WEFT_TARGET_UNLIKELY (weft_codec_depth_ != 0))
    weft_codec_end_ (stage, outcome, flow);
}

/* THREAD begins to carry FRAME through the stages that begin and end before run_end (). */
static inline void
weft_codec_run_begin (WeftCodecThread *thread, const WeftCodecFrame *frame)
{
  if (weft_codec_active ())
    weft_codec_run_begin_ (thread, frame);
}

static inline void
weft_codec_run_end (WeftCodecThread *thread)
{
  if (WEFT_TARGET_UNLIKELY (weft_codec_depth_ != 0))
    weft_codec_run_end_ (thread);
}

/* STAGE made FRAME on its own, on a thread of its own: a source, a muxer. It was at it from BEGIN
 * (0: not known) until now. Where frame->sources is 0, the frame's way to the sink begins here.
 */
static inline void
weft_codec_made (WeftCodecStage *stage, const WeftCodecFrame *frame, uint64_t begin)
{
  if (weft_target_enabled ())
    weft_codec_made_ (stage, frame, begin);
}

/* The way of FRAME begins at STAGE, which makes it of what it was given: bytes without times. */
static inline void
weft_codec_depart (WeftCodecStage *stage, const WeftCodecFrame *frame)
{
  if (weft_target_enabled ())
    weft_codec_depart_ (stage, frame);
}

/* STAGE was at work from BEGIN until now, for no one frame, on a thread of its own. */
static inline void
weft_codec_worked (WeftCodecStage *stage, uint64_t begin)
{
  if (weft_target_enabled ())
    weft_codec_worked_ (stage, begin);
}

/* The stage that is under way on this thread waited. */
static inline void
weft_codec_wait (WeftCodecWait reason, uint64_t begin, uint64_t end)
{
  if (WEFT_TARGET_UNLIKELY (weft_codec_depth_ != 0))
    weft_codec_wait_ (reason, begin, end);
}

/* ---- Queues: stages of the kind "codec.queue" ---- */

/* A frame in a queue: a value that the queue keeps with it. */
typedef struct
{
  uint64_t entered; /* ticks; 0: nobody listened */
  uint64_t blocked; /* ticks from which it waited for room, or 0 */
  uint64_t size;
  uint64_t duration;
  uint64_t time;
  uint64_t pts;
  uint64_t sources;
  WeftTargetOrigin origin;
} WeftCodecTicket;

void weft_codec_enqueue_ (WeftCodecStage *queue, const WeftCodecFrame *frame,
                          WeftCodecTicket *ticket);
void weft_codec_admit_ (WeftCodecStage *queue, WeftCodecTicket *ticket);
void weft_codec_dequeue_ (WeftCodecStage *queue, const WeftCodecTicket *ticket, uint64_t idle);
void weft_codec_discard_ (WeftCodecStage *queue, const WeftCodecTicket *ticket, bool is_drop);

/* FRAME enters QUEUE now, or begins to wait for room in it: then admit () tells when it got in.
 */
static inline void
weft_codec_enqueue (WeftCodecStage *queue, const WeftCodecFrame *frame, WeftCodecTicket *ticket)
{
  ticket->entered = 0;
  if (weft_target_enabled ())
    weft_codec_enqueue_ (queue, frame, ticket);
}

static inline void
weft_codec_admit (WeftCodecStage *queue, WeftCodecTicket *ticket)
{
  if (WEFT_TARGET_UNLIKELY (ticket->entered != 0))
    weft_codec_admit_ (queue, ticket);
}

/* It leaves QUEUE now. IDLE: since when the thread that takes it waited for a frame; 0 if it did
 * not.
 */
static inline void
weft_codec_dequeue (WeftCodecStage *queue, const WeftCodecTicket *ticket, uint64_t idle)
{
  if (WEFT_TARGET_UNLIKELY (ticket->entered != 0))
    weft_codec_dequeue_ (queue, ticket, idle);
}

/* It is thrown away (IS_DROP), or flushed out. */
static inline void
weft_codec_discard (WeftCodecStage *queue, const WeftCodecTicket *ticket, bool is_drop)
{
  if (WEFT_TARGET_UNLIKELY (ticket->entered != 0))
    weft_codec_discard_ (queue, ticket, is_drop);
}

/* For how many frames it has room; reported where it changes. */
void weft_codec_set_capacity (WeftCodecStage *queue, uint64_t frames);

/* ---- Quality ---- */

/* STAGE handed N frames on. */
void weft_codec_put_out (WeftCodecStage *stage, uint64_t n);

/* It threw N away. */
void weft_codec_dropped (WeftCodecStage *stage, uint64_t n);

/* A frame came JITTER nanoseconds late to be shown (below nought: early); PROPORTION: time that
 * frames take, of the time that they are shown for, or 0.
 */
void weft_codec_quality (WeftCodecStage *stage, int64_t jitter, double proportion);

/* The stage tells of an error: the frame that it has under way on this thread, if any, failed. */
void weft_codec_error (WeftCodecStage *stage, const WeftTargetErrorDetail *error);

#ifdef __cplusplus
}
#endif

#endif /* WEFT_CODEC_H */

#if defined(WEFT_CODEC_IMPLEMENTATION) && !defined(WEFT_CODEC_IMPLEMENTED)
#define WEFT_CODEC_IMPLEMENTED

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Metrics: made when they are first needed ---- */

enum
{
  WEFT_CODEC_FRAMES_IN_,
  WEFT_CODEC_FRAMES_OUT_,
  WEFT_CODEC_FRAMES_DROPPED_,
  WEFT_CODEC_FRAMES_LATE_,
  WEFT_CODEC_ERRORS_,
  WEFT_CODEC_LEVEL_,
  WEFT_CODEC_LEVEL_BYTES_,
  WEFT_CODEC_LEVEL_TIME_,
  WEFT_CODEC_CAPACITY_,
  WEFT_CODEC_QUEUE_WAIT_,
  WEFT_CODEC_QUEUE_FULL_,
  WEFT_CODEC_QUEUE_EMPTY_,
  WEFT_CODEC_CLOCK_,
  WEFT_CODEC_PREROLL_,
  WEFT_CODEC_JITTER_,
  WEFT_CODEC_PROPORTION_,
  WEFT_CODEC_LATENCY_,
  WEFT_CODEC_N_METRICS_
};

typedef struct
{
  const char *name;
  WeftTargetMetricKind kind;
  WeftTargetUnit unit;
} WeftCodecMetric_;

static const WeftCodecMetric_ weft_codec_metrics_[WEFT_CODEC_N_METRICS_] = {
  { "frames.in", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  { "frames.out", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  { "frames.dropped", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  { "frames.late", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  { "errors", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_COUNT },
  { "queue.level", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_COUNT },
  { "queue.level_bytes", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_BYTES },
  { "queue.level_time", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_NANOSECONDS },
  { "queue.capacity", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_COUNT },
  { "queue.wait", WEFT_TARGET_HISTOGRAM, WEFT_TARGET_UNIT_NANOSECONDS },
  { "queue.full", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_NANOSECONDS },
  { "queue.empty", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_NANOSECONDS },
  { "wait.clock", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_NANOSECONDS },
  { "wait.preroll", WEFT_TARGET_COUNTER, WEFT_TARGET_UNIT_NANOSECONDS },
  { "qos.jitter", WEFT_TARGET_HISTOGRAM, WEFT_TARGET_UNIT_NANOSECONDS },
  { "qos.proportion", WEFT_TARGET_GAUGE, WEFT_TARGET_UNIT_NONE },
  { "latency", WEFT_TARGET_HISTOGRAM, WEFT_TARGET_UNIT_NANOSECONDS },
};

struct _WeftCodecStage
{
  WeftCodecPipeline *pipeline;
  WeftTargetLane *lane;
  WeftTargetRoutine *routine;
  WeftTargetRoutine *rest; /* what it works in other parts of the same frame */
  char *name;
  bool is_sink;
  uint64_t source;
  uint64_t level; /* of a queue */
  uint64_t level_bytes;
  uint64_t level_time;
  uint64_t capacity;
  WeftTargetMetric *metrics[WEFT_CODEC_N_METRICS_];
};

static pthread_mutex_t weft_codec_metrics_lock_ = PTHREAD_MUTEX_INITIALIZER;

static void
weft_codec_report_ (WeftCodecStage *stage, int number, double value)
{
  const WeftCodecMetric_ *info = &weft_codec_metrics_[number];
  WeftTargetMetric *metric = __atomic_load_n (&stage->metrics[number], __ATOMIC_ACQUIRE);

  if (metric == NULL)
    {
      pthread_mutex_lock (&weft_codec_metrics_lock_);
      metric = stage->metrics[number];
      if (metric == NULL)
        metric =
            weft_target_metric_new (stage->lane, info->kind, info->name, info->unit, NULL, NULL, 0);
      __atomic_store_n (&stage->metrics[number], metric, __ATOMIC_RELEASE);
      pthread_mutex_unlock (&weft_codec_metrics_lock_);
    }
  weft_target_metric_report (metric, value);
}

static double
weft_codec_nanoseconds_ (uint64_t begin, uint64_t end)
{
  return end > begin
             ? (double) (weft_target_to_nanoseconds (end) - weft_target_to_nanoseconds (begin))
             : 0;
}

/* ---- Pipelines: which frames are on their way ---- */

#define WEFT_CODEC_N_WAYS_ 2048u
#define WEFT_CODEC_PROBES_ 8u

typedef struct
{
  uint64_t time;
  uint64_t source; /* bit; 0: free */
  bool ended;      /* at one sink, of several perhaps */
  WeftTargetTrace trace;
} WeftCodecWay_;

struct _WeftCodecPipeline
{
  WeftTargetLane *lane;
  pthread_mutex_t lock;
  uint32_t n_sources;
  WeftCodecWay_ ways[WEFT_CODEC_N_WAYS_];
};

WeftCodecPipeline *
weft_codec_pipeline_new (const char *name)
{
  int saved = errno;
  WeftCodecPipeline *pipeline = (WeftCodecPipeline *) calloc (1, sizeof *pipeline);

  if (pipeline != NULL)
    {
      pipeline->lane = weft_target_lane_new (name != NULL ? name : "pipeline", "codec.pipeline");
      pthread_mutex_init (&pipeline->lock, NULL);
    }
  errno = saved;
  return pipeline;
}

void
weft_codec_pipeline_free (WeftCodecPipeline *pipeline)
{
  if (pipeline == NULL)
    return;
  weft_target_lane_close (pipeline->lane);
  pthread_mutex_destroy (&pipeline->lock);
  free (pipeline);
}

WeftTargetLane *
weft_codec_pipeline_get_lane (const WeftCodecPipeline *pipeline)
{
  return pipeline != NULL ? pipeline->lane : NULL;
}

static uint32_t
weft_codec_hash_ (uint64_t time)
{
  return (uint32_t) ((time * UINT64_C (0x9e3779b97f4a7c15)) >> 40);
}

static uint64_t
weft_codec_take_source_ (WeftCodecStage *stage)
{
  WeftCodecPipeline *pipeline = stage->pipeline;

  if (stage->source == 0 && pipeline->n_sources < 63)
    __atomic_store_n (&stage->source, UINT64_C (1) << pipeline->n_sources++, __ATOMIC_RELAXED);
  return stage->source;
}

/* A frame begins at STAGE; what was on the oldest of its places is forgotten. */
static WeftTargetTrace
weft_codec_set_out_ (WeftCodecStage *stage, uint64_t time)
{
  WeftTargetTrace trace = weft_target_trace_new (stage->name);
  WeftCodecPipeline *pipeline = stage->pipeline;
  WeftCodecWay_ *place = NULL;
  uint32_t at = weft_codec_hash_ (time);
  uint64_t source;

  pthread_mutex_lock (&pipeline->lock);
  source = weft_codec_take_source_ (stage);
  for (uint32_t i = 0; i < WEFT_CODEC_PROBES_; i++)
    {
      WeftCodecWay_ *way = &pipeline->ways[(at + i) % WEFT_CODEC_N_WAYS_];

      if (way->source == source && way->time == time)
        {
          place = way;
          break;
        }
      if (place == NULL || way->trace.start < place->trace.start)
        place = way;
    }
  if (source != 0)
    {
      place->time = time;
      place->source = source;
      place->ended = false;
      place->trace = trace;
    }
  pthread_mutex_unlock (&pipeline->lock);
  return trace;
}

/* Its trace has the id 0 where it is not known. */
static WeftTargetTrace
weft_codec_find_way_ (WeftCodecPipeline *pipeline, uint64_t time, uint64_t sources)
{
  WeftTargetTrace trace = { 0, 0, false };
  uint32_t at = weft_codec_hash_ (time);

  if (pipeline == NULL || time == WEFT_CODEC_NO_TIME)
    return trace;
  pthread_mutex_lock (&pipeline->lock);
  for (uint32_t i = 0; i < WEFT_CODEC_PROBES_ && trace.id == 0; i++)
    {
      const WeftCodecWay_ *way = &pipeline->ways[(at + i) % WEFT_CODEC_N_WAYS_];

      if (way->source != 0 && way->time == time && (sources == 0 || (way->source & sources) != 0))
        trace = way->trace;
    }
  pthread_mutex_unlock (&pipeline->lock);
  return trace;
}

/* ---- Stages and threads ---- */

static WeftTargetLane *
weft_codec_lane_new_ (const char *name, const char *kind, WeftTargetLane *parent)
{
  WeftTargetLaneInfo info;

  memset (&info, 0, sizeof info);
  info.name = name;
  info.kind = kind;
  info.parent = parent;
  return weft_target_lane_new_full (&info, sizeof info);
}

static void
weft_codec_tag_type_ (const WeftCodecStage *stage, const char *type)
{
  WeftTargetTag tag;

  if (type == NULL)
    return;
  memset (&tag, 0, sizeof tag);
  tag.key = "element";
  tag.type = WEFT_TARGET_VALUE_STRING;
  tag.value.string = type;
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (stage->lane), &tag);
}

WeftCodecStage *
weft_codec_stage_new (const WeftCodecStageInfo *info, size_t size)
{
  int saved = errno;
  WeftCodecStageInfo full;
  WeftCodecStage *stage = (WeftCodecStage *) calloc (1, sizeof *stage);
  char rest[256];

  memset (&full, 0, sizeof full);
  if (info != NULL)
    memcpy (&full, info, size < sizeof full ? size : sizeof full);
  if (full.name == NULL)
    full.name = "stage";
  if (full.kind == NULL)
    full.kind = "codec.element";
  if (stage != NULL)
    {
      snprintf (rest, sizeof rest, "%s, rest", full.name);
      stage->pipeline = full.pipeline;
      stage->name = strdup (full.name);
      stage->lane = weft_codec_lane_new_ (
          full.name, full.kind,
          full.parent != NULL ? full.parent : weft_codec_pipeline_get_lane (full.pipeline));
      stage->routine = weft_target_routine_new (full.name);
      stage->rest = weft_target_routine_new (rest);
      stage->is_sink = strcmp (full.kind, "codec.sink") == 0;
      weft_codec_tag_type_ (stage, full.type);
    }
  errno = saved;
  return stage;
}

void
weft_codec_stage_free (WeftCodecStage *stage)
{
  if (stage == NULL)
    return;
  weft_target_lane_close (stage->lane);
  free (stage->name);
  free (stage);
}

WeftTargetLane *
weft_codec_stage_get_lane (const WeftCodecStage *stage)
{
  return stage != NULL ? stage->lane : NULL;
}

uint64_t
weft_codec_stage_get_source (const WeftCodecStage *stage)
{
  return stage != NULL ? __atomic_load_n (&stage->source, __ATOMIC_RELAXED) : 0;
}

struct _WeftCodecThread
{
  WeftTargetLane *lane;
  WeftTargetRoutine *routine;
};

WeftCodecThread *
weft_codec_thread_new (WeftCodecPipeline *pipeline, const char *name)
{
  int saved = errno;
  WeftCodecThread *thread = (WeftCodecThread *) calloc (1, sizeof *thread);

  if (thread != NULL)
    {
      thread->lane = weft_codec_lane_new_ (name != NULL ? name : "thread", "codec.thread",
                                           weft_codec_pipeline_get_lane (pipeline));
      thread->routine = weft_target_routine_new ("run");
    }
  errno = saved;
  return thread;
}

void
weft_codec_thread_free (WeftCodecThread *thread)
{
  if (thread != NULL)
    weft_target_lane_close (thread->lane);
  free (thread);
}

/* ---- Work under way, of each thread ---- */

#define WEFT_CODEC_DEPTH_ 64u
#define WEFT_CODEC_PARTS_ 8u
#define WEFT_CODEC_WAITS_ 4u
#define WEFT_CODEC_PHASES_ 64u

typedef struct
{
  uint64_t begin;
  uint64_t end;
} WeftCodecInterval_;

typedef struct
{
  WeftCodecStage *stage;
  WeftCodecFrame frame;
  WeftTargetTrace trace;
  uint64_t since; /* it works itself since then; 0: it rests */
  uint32_t n_parts;
  uint32_t n_waits;
  bool inner_failed; /* a stage that it called did, or threw the frame away */
  bool has_error;
  char error_name[64];
  char error_message[256];
  WeftCodecInterval_ parts[WEFT_CODEC_PARTS_];
  WeftCodecInterval_ waits[WEFT_CODEC_WAITS_];
} WeftCodecWork_;

typedef struct
{
  WeftCodecThread *carrier;
  uint64_t begin;
  uint64_t pts;
  WeftTargetTrace trace;
  uint32_t n_phases;
  WeftTargetPhase phases[WEFT_CODEC_PHASES_];
  uint32_t depth;
  WeftCodecWork_ work[WEFT_CODEC_DEPTH_];
} WeftCodecState_;

__thread uint32_t weft_codec_depth_; /* of work, and one more in a run */
static __thread WeftCodecState_ *weft_codec_state_;
static pthread_key_t weft_codec_key_;
static pthread_once_t weft_codec_once_ = PTHREAD_ONCE_INIT;

static void
weft_codec_forget_ (void *state)
{
  weft_codec_depth_ = 0;
  weft_codec_state_ = NULL;
  free (state);
}

static void
weft_codec_make_key_ (void)
{
  pthread_key_create (&weft_codec_key_, weft_codec_forget_);
}

static WeftCodecState_ *
weft_codec_get_state_ (void)
{
  int saved = errno;

  if (weft_codec_state_ == NULL)
    {
      pthread_once (&weft_codec_once_, weft_codec_make_key_);
      weft_codec_state_ = (WeftCodecState_ *) calloc (1, sizeof *weft_codec_state_);
      pthread_setspecific (weft_codec_key_, weft_codec_state_);
    }
  errno = saved;
  return weft_codec_state_;
}

/* The last phase of that name gets what there is no place for. */
static void
weft_codec_extend_phase_ (WeftCodecState_ *state, const char *name, uint64_t duration)
{
  for (uint32_t i = state->n_phases; i > 0; i--)
    if (strcmp (state->phases[i - 1].name, name) == 0)
      {
        state->phases[i - 1].duration += duration;
        return;
      }
}

/* What happened from BEGIN to END of the run, on its lane. */
static void
weft_codec_add_phase_ (WeftCodecState_ *state, const char *name, uint64_t begin, uint64_t end)
{
  WeftTargetPhase *phase;

  if (state->carrier == NULL || end <= begin || begin < state->begin)
    return;
  if (state->n_phases == WEFT_CODEC_PHASES_)
    {
      weft_codec_extend_phase_ (state, name, (uint64_t) weft_codec_nanoseconds_ (begin, end));
      return;
    }
  phase = &state->phases[state->n_phases++];
  memset (phase, 0, sizeof *phase);
  phase->name = name;
  phase->offset = (uint64_t) weft_codec_nanoseconds_ (state->begin, begin);
  phase->duration = (uint64_t) weft_codec_nanoseconds_ (begin, end);
}

/* The work rests from NOW on. */
static void
weft_codec_rest_ (WeftCodecState_ *state, WeftCodecWork_ *work, uint64_t now)
{
  if (work->since == 0)
    return;
  if (now > work->since)
    {
      weft_codec_add_phase_ (state, work->stage->name, work->since, now);
      if (work->n_parts < WEFT_CODEC_PARTS_)
        {
          work->parts[work->n_parts].begin = work->since;
          work->parts[work->n_parts++].end = now;
        }
      else
        weft_target_span (work->stage->lane, work->stage->rest, work->since, now);
    }
  work->since = 0;
}

static WeftCodecWork_ *
weft_codec_get_top_ (WeftCodecState_ *state)
{
  return state->depth > 0 && state->depth <= WEFT_CODEC_DEPTH_ ? &state->work[state->depth - 1]
                                                               : NULL;
}

void
weft_codec_begin_ (WeftCodecStage *stage, const WeftCodecFrame *frame)
{
  WeftCodecState_ *state = weft_codec_get_state_ ();
  WeftCodecWork_ *outer, *work;
  uint64_t now;

  if (state == NULL)
    return;
  now = weft_target_now ();
  outer = weft_codec_get_top_ (state);
  if (outer != NULL)
    weft_codec_rest_ (state, outer, now);
  weft_codec_depth_++;
  if (state->depth++ >= WEFT_CODEC_DEPTH_)
    return;
  work = &state->work[state->depth - 1];
  work->stage = stage;
  work->since = stage != NULL ? now : 0;
  work->n_parts = work->n_waits = 0;
  work->inner_failed = work->has_error = false;
  if (stage == NULL)
    return;
  work->frame = *frame;
  work->trace = weft_codec_find_way_ (stage->pipeline, frame->time, frame->sources);
  if (frame->n_frames > 0)
    weft_codec_report_ (stage, WEFT_CODEC_FRAMES_IN_, frame->n_frames);
  if (stage->is_sink && work->trace.id != 0)
    weft_codec_report_ (stage, WEFT_CODEC_LATENCY_,
                        weft_codec_nanoseconds_ (work->trace.start, now));
}

/* ---- Dispatches ---- */

static void
weft_codec_add_text_ (WeftTargetTag *tags, size_t *n, const char *key, const char *text)
{
  if (text == NULL)
    return;
  memset (&tags[*n], 0, sizeof *tags);
  tags[*n].key = key;
  tags[*n].type = WEFT_TARGET_VALUE_STRING;
  tags[(*n)++].value.string = text;
}

static void
weft_codec_add_number_ (WeftTargetTag *tags, size_t *n, const char *key, uint64_t value)
{
  if (value == UINT64_MAX)
    return;
  memset (&tags[*n], 0, sizeof *tags);
  tags[*n].key = key;
  tags[*n].type = WEFT_TARGET_VALUE_U64;
  tags[(*n)++].value.u64 = value;
}

static const char *
weft_codec_describe_flags_ (uint32_t flags, char *text, size_t size)
{
  static const char *const words[] = { "key", "discont", "corrupted", "gap", "header" };
  size_t used = 0;

  if (flags == 0)
    return NULL;
  text[0] = '\0';
  for (unsigned i = 0; i < 5; i++)
    if ((flags & (1u << i)) != 0 && used + 16 < size)
      used += (size_t) snprintf (text + used, size - used, "%s%s", used > 0 ? " " : "", words[i]);
  return text;
}

/* RANGES: room for two. */
static void
weft_codec_fill_attachment_ (const WeftCodecFrame *frame, WeftTargetAttachment *attachment,
                             WeftTargetRange *ranges)
{
  memset (attachment, 0, sizeof *attachment);
  attachment->kind = "buffer";
  attachment->label = frame->media;
  attachment->role = frame->memory;
  attachment->element_type = frame->format;
  attachment->shape = frame->shape;
  attachment->slot = WEFT_TARGET_NO_SLOT;
  attachment->access = WEFT_TARGET_ACCESS_READ;
  attachment->size = frame->size;
  attachment->ranges = ranges;
  if (frame->pts != WEFT_CODEC_NO_TIME)
    {
      ranges[attachment->n_ranges].name = "pts";
      ranges[attachment->n_ranges].first = (int64_t) frame->pts;
      ranges[attachment->n_ranges++].count =
          frame->duration != WEFT_CODEC_NO_TIME ? frame->duration : 0;
    }
  if (frame->dts != WEFT_CODEC_NO_TIME)
    {
      ranges[attachment->n_ranges].name = "dts";
      ranges[attachment->n_ranges].first = (int64_t) frame->dts;
      ranges[attachment->n_ranges++].count = 0;
    }
}

static void
weft_codec_add_wait_ (WeftTargetRoleOrigin *origins, size_t *n, uint64_t begin, uint64_t end,
                      int32_t tid)
{
  memset (&origins[*n], 0, 2 * sizeof *origins);
  origins[*n].role = WEFT_TARGET_ROLE_WAIT_BEGIN;
  origins[*n].origin.ticks = begin;
  origins[(*n)++].origin.tid = tid;
  origins[*n].role = WEFT_TARGET_ROLE_WAIT_END;
  origins[*n].origin.ticks = end;
  origins[(*n)++].origin.tid = tid;
}

/* A frame's dispatch is the longest part of its work; the other parts are spans. NULL: no frame. */
static const WeftCodecInterval_ *
weft_codec_write_parts_ (const WeftCodecWork_ *work)
{
  const WeftCodecStage *stage = work->stage;
  const WeftCodecInterval_ *longest = work->frame.n_frames > 0 ? &work->parts[0] : NULL;
  WeftTargetIds ids;

  memset (&ids, 0, sizeof ids);
  ids.trace = work->trace.sampled ? work->trace.id : 0;
  for (uint32_t i = 1; longest != NULL && i < work->n_parts; i++)
    if (work->parts[i].end - work->parts[i].begin > longest->end - longest->begin)
      longest = &work->parts[i];
  for (uint32_t i = 0; i < work->n_parts; i++)
    if (&work->parts[i] != longest)
      weft_target_span_with_ids (stage->lane, stage->rest, work->parts[i].begin, work->parts[i].end,
                                 &ids);
  return longest;
}

typedef struct
{
  WeftTargetDispatch dispatch;
  WeftTargetErrorDetail error;
  WeftTargetAttachment attachment;
  WeftTargetRange ranges[2];
  WeftTargetTag tags[6];
  WeftTargetRoleOrigin origins[2 * WEFT_CODEC_WAITS_];
  char flags[64];
} WeftCodecRecord_;

static void
weft_codec_fill_outcome_ (WeftCodecRecord_ *record, const WeftCodecWork_ *work,
                          WeftCodecOutcome outcome, const char *flow)
{
  WeftTargetDispatch *dispatch = &record->dispatch;

  if (work->has_error || (outcome == WEFT_CODEC_FAILED && !work->inner_failed))
    {
      memset (&record->error, 0, sizeof record->error);
      record->error.name = work->has_error ? work->error_name : flow;
      record->error.message = work->has_error ? work->error_message : flow;
      dispatch->status = WEFT_TARGET_ERROR;
      dispatch->error_kind = WEFT_TARGET_ERROR_EXCEPTION;
      dispatch->error = &record->error;
    }
  else if (outcome != WEFT_CODEC_DONE)
    {
      dispatch->status = WEFT_TARGET_CANCELED;
      dispatch->error_kind = WEFT_TARGET_ERROR_ABORT;
    }
}

static void
weft_codec_write_work_ (const WeftCodecWork_ *work, WeftCodecOutcome outcome, const char *flow)
{
  const WeftCodecFrame *frame = &work->frame;
  const WeftCodecInterval_ *part = weft_codec_write_parts_ (work);
  WeftCodecRecord_ record;
  WeftTargetDispatch *dispatch = &record.dispatch;

  if (part == NULL)
    return;
  memset (dispatch, 0, sizeof *dispatch);
  dispatch->lane = work->stage->lane;
  dispatch->routine = work->stage->routine;
  dispatch->start = part->begin;
  dispatch->end = part->end;
  dispatch->trace = work->trace.id != 0 ? &work->trace : NULL;
  weft_codec_fill_outcome_ (&record, work, outcome, flow);
  weft_codec_fill_attachment_ (frame, &record.attachment, record.ranges);
  dispatch->attachments = &record.attachment;
  dispatch->n_attachments = 1;
  dispatch->tags = record.tags;
  weft_codec_add_number_ (record.tags, &dispatch->n_tags, "pts", frame->pts);
  weft_codec_add_text_ (record.tags, &dispatch->n_tags, "frame.type", frame->type);
  weft_codec_add_text_ (
      record.tags, &dispatch->n_tags, "frame.flags",
      weft_codec_describe_flags_ (frame->flags, record.flags, sizeof record.flags));
  weft_codec_add_text_ (record.tags, &dispatch->n_tags, "flow", flow);
  dispatch->origins = record.origins;
  if (work->n_waits > 0)
    {
      int32_t tid = weft_target_origin ().tid;

      dispatch->id = weft_target_id_new ();
      for (uint32_t i = 0; i < work->n_waits; i++)
        weft_codec_add_wait_ (record.origins, &dispatch->n_origins, work->waits[i].begin,
                              work->waits[i].end, tid);
    }
  weft_target_dispatch (dispatch);
}

/* TRUE the first time. */
static bool
weft_codec_end_way_ (const WeftCodecWork_ *work)
{
  WeftCodecPipeline *pipeline = work->stage->pipeline;
  uint32_t at = weft_codec_hash_ (work->frame.time);
  bool is_first = false;

  pthread_mutex_lock (&pipeline->lock);
  for (uint32_t i = 0; i < WEFT_CODEC_PROBES_; i++)
    {
      WeftCodecWay_ *way = &pipeline->ways[(at + i) % WEFT_CODEC_N_WAYS_];

      if (way->trace.id != work->trace.id || way->ended)
        continue;
      way->ended = is_first = true;
      break;
    }
  pthread_mutex_unlock (&pipeline->lock);
  return is_first;
}

/* Ends the innermost work, whose stage did not say so itself where OUTCOME is not its own. */
static void
weft_codec_pop_ (WeftCodecState_ *state, WeftCodecOutcome outcome, const char *flow)
{
  uint64_t now = weft_target_now ();
  WeftCodecWork_ *work = weft_codec_get_top_ (state), *outer;
  bool failed = outcome == WEFT_CODEC_FAILED;

  if (work != NULL && work->stage != NULL)
    {
      weft_codec_rest_ (state, work, now);
      if (work->n_parts == 0)
        {
          work->parts[0].begin = work->parts[0].end = now;
          work->n_parts = 1;
        }
      weft_codec_write_work_ (work, outcome, flow);
      if (work->stage->is_sink && work->trace.id != 0 && weft_codec_end_way_ (work))
        weft_target_trace_end (&work->trace, work->stage->name,
                               failed ? WEFT_TARGET_ERROR : WEFT_TARGET_OK,
                               failed ? WEFT_TARGET_ERROR_EXCEPTION : WEFT_TARGET_ERROR_NONE, NULL);
    }
  failed |= work != NULL && (work->has_error || work->inner_failed);
  state->depth--;
  weft_codec_depth_--;
  outer = weft_codec_get_top_ (state);
  if (outer != NULL && outer->stage != NULL)
    outer->since = now;
  if (outer != NULL)
    outer->inner_failed |= failed;
}

/* Whether STAGE began and did not end; deeper than is kept, nobody knows. */
static bool
weft_codec_is_open_ (const WeftCodecState_ *state, const WeftCodecStage *stage)
{
  for (uint32_t i = state->depth; i > 0; i--)
    if (i > WEFT_CODEC_DEPTH_ || state->work[i - 1].stage == stage)
      return true;
  return false;
}

void
weft_codec_end_ (WeftCodecStage *stage, WeftCodecOutcome outcome, const char *flow)
{
  int saved = errno;
  WeftCodecState_ *state = weft_codec_state_;

  if (state == NULL || !weft_codec_is_open_ (state, stage))
    return;
  /* What a stage left open that did not come to its end, a longjmp perhaps. */
  while (state->depth > 1 && state->depth <= WEFT_CODEC_DEPTH_ &&
         state->work[state->depth - 1].stage != stage)
    weft_codec_pop_ (state, WEFT_CODEC_CANCELED, NULL);
  weft_codec_pop_ (state, outcome, flow);
  errno = saved;
}

/* The stage does not work, and says so in its metrics and its dispatch. */
static void
weft_codec_suspend_ (WeftCodecState_ *state, WeftCodecWork_ *work, WeftCodecWait reason,
                     uint64_t begin, uint64_t end)
{
  weft_codec_rest_ (state, work, begin);
  work->since = end;
  if (reason != WEFT_CODEC_WAIT_ROOM)
    weft_codec_report_ (work->stage,
                        reason == WEFT_CODEC_WAIT_CLOCK ? WEFT_CODEC_CLOCK_ : WEFT_CODEC_PREROLL_,
                        weft_codec_nanoseconds_ (begin, end));
  if (work->n_waits < WEFT_CODEC_WAITS_)
    {
      work->waits[work->n_waits].begin = begin;
      work->waits[work->n_waits++].end = end;
    }
}

void
weft_codec_wait_ (WeftCodecWait reason, uint64_t begin, uint64_t end)
{
  static const char *const names[] = { "wait for the clock", "wait for the start",
                                       "wait for room" };
  WeftCodecState_ *state = weft_codec_state_;
  WeftCodecWork_ *work = state != NULL ? weft_codec_get_top_ (state) : NULL;

  if (state == NULL)
    return;
  if (work != NULL && work->since > begin)
    begin = work->since;
  if (end <= begin)
    return;
  if (work != NULL && work->stage != NULL && work->since != 0)
    weft_codec_suspend_ (state, work, reason, begin, end);
  weft_codec_add_phase_ (state, names[reason], begin, end);
}

/* ---- Runs of a thread ---- */

void
weft_codec_run_begin_ (WeftCodecThread *thread, const WeftCodecFrame *frame)
{
  WeftCodecState_ *state = weft_codec_get_state_ ();

  if (state == NULL || thread == NULL || state->carrier != NULL)
    return;
  weft_codec_depth_++;
  state->carrier = thread;
  state->begin = weft_target_now ();
  state->pts = frame->pts;
  state->n_phases = 0;
}

void
weft_codec_run_end_ (WeftCodecThread *thread)
{
  int saved = errno;
  WeftCodecState_ *state = weft_codec_state_;
  WeftTargetDispatch dispatch;
  WeftTargetTag tag;
  size_t n_tags = 0;

  if (state == NULL || state->carrier != thread || thread == NULL)
    return;
  while (state->depth > 0)
    weft_codec_pop_ (state, WEFT_CODEC_CANCELED, NULL);
  memset (&dispatch, 0, sizeof dispatch);
  weft_codec_add_number_ (&tag, &n_tags, "pts", state->pts);
  dispatch.lane = thread->lane;
  dispatch.routine = thread->routine;
  dispatch.start = state->begin;
  dispatch.end = weft_target_now ();
  dispatch.phases = state->phases;
  dispatch.n_phases = state->n_phases;
  dispatch.tags = &tag;
  dispatch.n_tags = n_tags;
  weft_target_dispatch (&dispatch);
  state->carrier = NULL;
  weft_codec_depth_--;
  errno = saved;
}

/* ---- Sources ---- */

void
weft_codec_made_ (WeftCodecStage *stage, const WeftCodecFrame *frame, uint64_t begin)
{
  int saved = errno;
  WeftCodecWork_ work;
  uint64_t now = weft_target_now ();

  if (stage == NULL)
    return;
  memset (&work, 0, offsetof (WeftCodecWork_, parts));
  work.stage = stage;
  work.frame = *frame;
  work.parts[0].begin = begin != 0 && begin < now ? begin : now;
  work.parts[0].end = now;
  work.n_parts = 1;
  if (frame->sources != 0)
    work.trace = weft_codec_find_way_ (stage->pipeline, frame->time, frame->sources);
  else if (frame->time != WEFT_CODEC_NO_TIME && stage->pipeline != NULL)
    work.trace = weft_codec_set_out_ (stage, frame->time);
  weft_codec_write_work_ (&work, WEFT_CODEC_DONE, NULL);
  errno = saved;
}

void
weft_codec_depart_ (WeftCodecStage *stage, const WeftCodecFrame *frame)
{
  if (stage != NULL && stage->pipeline != NULL && frame->time != WEFT_CODEC_NO_TIME)
    weft_codec_set_out_ (stage, frame->time);
}

void
weft_codec_worked_ (WeftCodecStage *stage, uint64_t begin)
{
  uint64_t now = weft_target_now ();

  if (stage != NULL && begin != 0 && begin < now)
    weft_target_span (stage->lane, stage->rest, begin, now);
}

/* ---- Queues ---- */

static void
weft_codec_change_level_ (WeftCodecStage *queue, const WeftCodecTicket *ticket, bool is_entry)
{
  uint64_t one = is_entry ? 1 : UINT64_MAX;
  uint64_t size = ticket->size != WEFT_TARGET_UNKNOWN_SIZE ? ticket->size : 0;
  uint64_t time = ticket->duration != WEFT_CODEC_NO_TIME ? ticket->duration : 0;

  if (!is_entry)
    {
      size = 0 - size;
      time = 0 - time;
    }
  weft_codec_report_ (queue, WEFT_CODEC_LEVEL_,
                      (double) __atomic_add_fetch (&queue->level, one, __ATOMIC_RELAXED));
  weft_codec_report_ (queue, WEFT_CODEC_LEVEL_BYTES_,
                      (double) __atomic_add_fetch (&queue->level_bytes, size, __ATOMIC_RELAXED));
  if (time != 0)
    weft_codec_report_ (queue, WEFT_CODEC_LEVEL_TIME_,
                        (double) __atomic_add_fetch (&queue->level_time, time, __ATOMIC_RELAXED));
}

void
weft_codec_enqueue_ (WeftCodecStage *queue, const WeftCodecFrame *frame, WeftCodecTicket *ticket)
{
  if (queue == NULL)
    return;
  ticket->origin = weft_target_origin_with_stack ();
  ticket->entered = ticket->origin.ticks;
  ticket->blocked = 0;
  ticket->size = frame->size;
  ticket->duration = frame->duration;
  ticket->time = frame->time;
  ticket->pts = frame->pts;
  ticket->sources = frame->sources;
  weft_codec_report_ (queue, WEFT_CODEC_FRAMES_IN_, frame->n_frames);
  weft_codec_change_level_ (queue, ticket, true);
}

void
weft_codec_admit_ (WeftCodecStage *queue, WeftCodecTicket *ticket)
{
  if (queue == NULL)
    return;
  ticket->blocked = ticket->entered;
  ticket->entered = weft_target_now ();
  weft_codec_report_ (queue, WEFT_CODEC_QUEUE_FULL_,
                      weft_codec_nanoseconds_ (ticket->blocked, ticket->entered));
}

/* The dispatch is the moment at which it leaves. */
void
weft_codec_dequeue_ (WeftCodecStage *queue, const WeftCodecTicket *ticket, uint64_t idle)
{
  WeftTargetOrigin here = weft_target_origin ();
  uint64_t now = here.ticks != 0 ? here.ticks : weft_target_now ();
  WeftTargetTrace trace = weft_codec_find_way_ (queue->pipeline, ticket->time, ticket->sources);
  WeftTargetDispatch dispatch;
  WeftTargetRoleOrigin origins[5];
  WeftTargetTag tag;

  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = queue->lane;
  dispatch.routine = queue->routine;
  dispatch.start = dispatch.end = now;
  dispatch.id = weft_target_id_new ();
  dispatch.trace = trace.id != 0 ? &trace : NULL;
  dispatch.submitted = ticket->entered;
  dispatch.has_queue_wait = true;
  dispatch.queue_wait = dispatch.queue_wait_last =
      (uint64_t) weft_codec_nanoseconds_ (ticket->entered, now);
  origins[0].role = WEFT_TARGET_ROLE_DISPATCH;
  origins[0].origin = ticket->origin;
  dispatch.origins = origins;
  dispatch.n_origins = 1;
  if (ticket->blocked != 0)
    weft_codec_add_wait_ (origins, &dispatch.n_origins, ticket->blocked, ticket->entered,
                          ticket->origin.tid);
  if (idle != 0 && idle < now)
    {
      weft_codec_add_wait_ (origins, &dispatch.n_origins, idle, now, here.tid);
      weft_codec_report_ (queue, WEFT_CODEC_QUEUE_EMPTY_, weft_codec_nanoseconds_ (idle, now));
    }
  weft_codec_add_number_ (&tag, &dispatch.n_tags, "pts", ticket->pts);
  dispatch.tags = &tag;
  weft_target_dispatch (&dispatch);
  weft_codec_report_ (queue, WEFT_CODEC_QUEUE_WAIT_, (double) dispatch.queue_wait);
  weft_codec_change_level_ (queue, ticket, false);
}

void
weft_codec_discard_ (WeftCodecStage *queue, const WeftCodecTicket *ticket, bool is_drop)
{
  if (queue == NULL)
    return;
  if (is_drop)
    weft_codec_dropped (queue, 1);
  weft_codec_change_level_ (queue, ticket, false);
}

void
weft_codec_set_capacity (WeftCodecStage *queue, uint64_t frames)
{
  if (queue != NULL && __atomic_exchange_n (&queue->capacity, frames, __ATOMIC_RELAXED) != frames)
    weft_codec_report_ (queue, WEFT_CODEC_CAPACITY_, (double) frames);
}

/* ---- Quality ---- */

void
weft_codec_put_out (WeftCodecStage *stage, uint64_t n)
{
  if (stage != NULL && weft_target_enabled ())
    weft_codec_report_ (stage, WEFT_CODEC_FRAMES_OUT_, (double) n);
}

void
weft_codec_dropped (WeftCodecStage *stage, uint64_t n)
{
  if (stage != NULL && n > 0 && weft_target_enabled ())
    weft_codec_report_ (stage, WEFT_CODEC_FRAMES_DROPPED_, (double) n);
}

void
weft_codec_quality (WeftCodecStage *stage, int64_t jitter, double proportion)
{
  if (stage == NULL || !weft_target_enabled ())
    return;
  weft_codec_report_ (stage, WEFT_CODEC_JITTER_, (double) jitter);
  if (proportion > 0)
    weft_codec_report_ (stage, WEFT_CODEC_PROPORTION_, proportion);
  if (jitter > 0)
    weft_codec_report_ (stage, WEFT_CODEC_FRAMES_LATE_, 1);
}

void
weft_codec_error (WeftCodecStage *stage, const WeftTargetErrorDetail *error)
{
  WeftCodecState_ *state = weft_codec_state_;
  WeftTargetWarning warning;

  if (stage == NULL || !weft_target_enabled ())
    return;
  memset (&warning, 0, sizeof warning);
  warning.lane = stage->lane;
  warning.severity = WEFT_TARGET_SEVERITY_ERROR;
  warning.code = "error";
  warning.message = error->message;
  weft_target_warn (&warning);
  weft_codec_report_ (stage, WEFT_CODEC_ERRORS_, 1);
  for (uint32_t i = state != NULL ? state->depth : 0; i > 0; i--)
    {
      WeftCodecWork_ *work = i <= WEFT_CODEC_DEPTH_ ? &state->work[i - 1] : NULL;

      if (work == NULL || work->stage != stage)
        continue;
      work->has_error = true;
      snprintf (work->error_name, sizeof work->error_name, "%s",
                error->name != NULL ? error->name : "error");
      snprintf (work->error_message, sizeof work->error_message, "%s",
                error->message != NULL ? error->message : "");
      return;
    }
}

#ifdef __cplusplus
}
#endif

#endif /* WEFT_CODEC_IMPLEMENTATION */
