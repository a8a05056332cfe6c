/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, tells what the libraries of FFmpeg do for it: which packets and frames
 * go into demuxers, decoders, filters, encoders and muxers, and which come out of them.
 *
 * A stage is one object of FFmpeg that packets or frames go through, and has a lane. Each call that
 * takes or gives a packet or frame is a dispatch; one that only says “not yet” is none.
 */
#pragma once

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <weft-target.h>

#define FF_INLINE inline __attribute__ ((always_inline))
#define FF_PUBLIC __attribute__ ((visibility ("default")))

/* ---- FFmpeg's own functions ---- */

#define FF_FUNCTIONS(F)                                                                            \
  F (AVCODEC, avcodec_open2)                                                                       \
  F (AVCODEC, avcodec_close)                                                                       \
  F (AVCODEC, avcodec_free_context)                                                                \
  F (AVCODEC, avcodec_flush_buffers)                                                               \
  F (AVCODEC, avcodec_send_packet)                                                                 \
  F (AVCODEC, avcodec_receive_frame)                                                               \
  F (AVCODEC, avcodec_send_frame)                                                                  \
  F (AVCODEC, avcodec_receive_packet)                                                              \
  F (AVCODEC, avcodec_decode_subtitle2)                                                            \
  F (AVCODEC, avcodec_encode_subtitle)                                                             \
  F (AVFORMAT, avformat_open_input)                                                                \
  F (AVFORMAT, avformat_find_stream_info)                                                          \
  F (AVFORMAT, av_read_frame)                                                                      \
  F (AVFORMAT, avformat_close_input)                                                               \
  F (AVFORMAT, avformat_write_header)                                                              \
  F (AVFORMAT, av_write_frame)                                                                     \
  F (AVFORMAT, av_interleaved_write_frame)                                                         \
  F (AVFORMAT, av_write_trailer)                                                                   \
  F (AVFORMAT, avformat_free_context)                                                              \
  F (AVFILTER, avfilter_graph_config)                                                              \
  F (AVFILTER, avfilter_graph_request_oldest)                                                      \
  F (AVFILTER, avfilter_graph_free)                                                                \
  F (AVFILTER, av_buffersrc_add_frame)                                                             \
  F (AVFILTER, av_buffersrc_add_frame_flags)                                                       \
  F (AVFILTER, av_buffersrc_write_frame)                                                           \
  F (AVFILTER, av_buffersink_get_frame)                                                            \
  F (AVFILTER, av_buffersink_get_frame_flags)                                                      \
  F (AVFILTER, av_buffersink_get_samples)

typedef enum
{
#define F(library, name) FF_##name,
  FF_FUNCTIONS (F)
#undef F
      FF_N_FUNCTIONS
} FfName;

typedef struct
{
  void *call;    /* NULL: nobody has it */
  bool is_known; /* of the version whose structures are known here */
} FfFunction;

/* The function that the code at CALLER is linked to. */
FfFunction ff_function_find (FfName name, const void *caller);

/* Sets FUNCTION, REAL and LISTENS: whether somebody wants to hear of the call. */
#define FF_REAL(name)                                                                              \
  const FfFunction function = ff_function_find (FF_##name, __builtin_return_address (0));          \
  __typeof__ (&name) const real = (__typeof__ (&name)) function.call;                              \
  const bool listens __attribute__ ((unused)) = function.is_known && weft_target_enabled ()

/* The same, and goes on only if somebody listens. */
#define FF_PASS(name, ...)                                                                         \
  FF_REAL (name);                                                                                  \
  if (real == NULL)                                                                                \
    return AVERROR (ENOSYS);                                                                       \
  if (!listens)                                                                                    \
  return real (__VA_ARGS__)

/* Helpers of the library that FFmpeg's libraries share; NULL where it has none. */
const char *ff_pixel_format_name (int format);
const char *ff_sample_format_name (int format);
const char *ff_error_text (int result, char *text, size_t size);
bool ff_codec_is_decoder (const AVCodec *codec);

/* ---- Stages ---- */

#define FF_N_INPUTS 256u
#define FF_N_CLOCKS 64u
#define FF_N_OPERATIONS 4u

/* What went in and may come out. */
typedef struct
{
  int64_t pts;
  uint64_t entered; /* ticks; 0: free */
  uint64_t submission;
  WeftTargetOrigin origin;
} FfInput;

typedef enum
{
  FF_FRAMES_IN,
  FF_FRAMES_OUT,
  FF_BYTES_IN,
  FF_BYTES_OUT,
  FF_ERRORS,
  FF_LEVEL,
  FF_QUEUE_WAIT,
  FF_N_METRICS
} FfMetric;

typedef struct FfStage
{
  struct FfStage *next;
  const void *key;   /* the object */
  const void *what;  /* what it is of: another one at the same address is another stage */
  const void *owner; /* object with which it goes, or NULL */
  const char *kind;
  char name[128];
  AVRational time_base;
  WeftTargetLane *lane; /* made when there is something to tell */
  WeftTargetMetric *metrics[FF_N_METRICS];
  struct
  {
    const char *name; /* static */
    WeftTargetRoutine *routine;
  } operations[FF_N_OPERATIONS];
  FfInput *inputs; /* FF_N_INPUTS, or NULL */
  uint32_t next_input;
  uint32_t n_inside;
  uint32_t n_clocks;
  int clocks[FF_N_CLOCKS]; /* of the CPU time of the stage's own threads */
  uint64_t thread_time;    /* ns, that was told already */
} FfStage;

typedef struct
{
  const void *key;
  const void *what;
  const void *owner;
  const char *kind; /* static */
  AVRational time_base;
} FfStageInfo;

/* Finds the stage of INFO->key, or makes it; then NAME (FORMAT, …) is what it is called. NULL
 * without memory. The caller is the only one who uses the object, as FFmpeg wants it.
 */
FfStage *ff_stage_get (const FfStageInfo *info, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

/* The object, and what goes with it, is about to be freed. */
void ff_stage_forget (const void *key);

/* The stage in whose call this thread is; NULL if it is in none. Enter returns the one before. */
FfStage *ff_stage_enter (FfStage *stage);
void ff_stage_leave (FfStage *before);
FfStage *ff_stage_current (void);

WeftTargetLane *ff_stage_get_lane (FfStage *stage);
void ff_stage_report (FfStage *stage, FfMetric metric, double value);

/* What went in; it is found again by its time. FALSE if it is not there. */
void ff_stage_put_in (FfStage *stage, const FfInput *input);
bool ff_stage_take_out (FfStage *stage, int64_t pts, FfInput *input);
void ff_stage_flush (FfStage *stage);

/* CPU time of the stage's own threads since the last call, ns. */
uint64_t ff_stage_take_thread_time (FfStage *stage);

/* ---- Calls ---- */

/* What a call took or gave. */
typedef struct
{
  const char *kind; /* "packet", "frame"; NULL: nothing */
  int64_t pts;
  int64_t dts;
  int64_t duration;
  uint64_t size;
  int stream; /* -1: unknown */
  const char *format;
  const char *type; /* "I", … */
  char shape[32];
  bool is_key;
  bool is_corrupted;
} FfItem;

void ff_item_init_packet (FfItem *item, const AVPacket *packet);
void ff_item_init_frame (FfItem *item, const AVFrame *frame, enum AVMediaType type);

typedef enum
{
  FF_WORK, /* neither */
  FF_IN,
  FF_AWAY, /* in, and nothing comes of it */
  FF_OUT,
} FfDirection;

typedef struct
{
  FfStage *stage; /* NULL: nothing is told */
  FfStage *before;
  WeftTargetOrigin origin;
  long n_rests; /* -1: its stage has no threads */
} FfCall;

/* How often this thread gave its CPU away of its own accord. */
long ff_count_rests (void);

/* STAGE may be NULL. A part of its caller, so that stacks begin at FFmpeg's function that the
 * program called. Stacks cost: those of calls that only take what is there are not asked for.
 */
static FF_INLINE FfCall
ff_call_begin (FfStage *stage, FfDirection direction)
{
  const int saved = errno;
  FfCall call = { .stage = stage, .n_rests = -1 };

  if (stage == NULL)
    return call;
  call.before = ff_stage_enter (stage);
  if (stage->n_clocks != 0)
    call.n_rests = ff_count_rests ();
  call.origin = direction == FF_OUT && stage->n_clocks == 0 ? weft_target_origin ()
                                                            : weft_target_origin_with_stack ();
  errno = saved;
  return call;
}

/* OPERATION: what was done, a static word; RESULT: what FFmpeg answered. ITEM may be NULL. That
 * there is nothing to do yet, or any more, is no dispatch.
 */
void ff_call_end (FfCall *call, const char *operation, FfDirection direction, const FfItem *item,
                  int result);
