/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls: what was taken or given, when, and what came of it. */

#include "weft-ffmpeg.h"

#include <pthread.h>
#include <string.h>

/* ---- What a call took or gave ---- */

void
ff_item_init_packet (FfItem *item, const AVPacket *packet)
{
  *item = (FfItem){ .kind = "packet",
                    .pts = packet->pts,
                    .dts = packet->dts,
                    .duration = packet->duration,
                    .size = packet->size > 0 ? (uint64_t) packet->size : 0,
                    .stream = packet->stream_index,
                    .is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0,
                    .is_corrupted = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0 };
}

static const char *
picture_type (enum AVPictureType type)
{
  switch (type)
    {
    case AV_PICTURE_TYPE_I:
      return "I";
    case AV_PICTURE_TYPE_P:
      return "P";
    case AV_PICTURE_TYPE_B:
      return "B";
    default:
      return NULL;
    }
}

static uint64_t
frame_size (const AVFrame *frame)
{
  uint64_t size = 0;

  for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i] != NULL; i++)
    size += (uint64_t) frame->buf[i]->size;
  for (int i = 0; i < frame->nb_extended_buf; i++)
    size += (uint64_t) frame->extended_buf[i]->size;
  return size != 0 ? size : WEFT_TARGET_UNKNOWN_SIZE;
}

void
ff_item_init_frame (FfItem *item, const AVFrame *frame, enum AVMediaType type)
{
  *item = (FfItem){ .kind = "frame",
                    .pts = frame->pts,
                    .dts = AV_NOPTS_VALUE,
                    .duration = frame->pkt_duration,
                    .size = frame_size (frame),
                    .stream = -1,
                    .is_key = frame->key_frame != 0,
                    .is_corrupted = (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 ||
                                    frame->decode_error_flags != 0 };
  if (type == AVMEDIA_TYPE_VIDEO)
    {
      item->format = ff_pixel_format_name (frame->format);
      item->type = picture_type (frame->pict_type);
      snprintf (item->shape, sizeof item->shape, "%d×%d", frame->width, frame->height);
    }
  else if (type == AVMEDIA_TYPE_AUDIO)
    {
      item->format = ff_sample_format_name (frame->format);
      snprintf (item->shape, sizeof item->shape, "%d×%d", frame->nb_samples,
                frame->ch_layout.nb_channels);
    }
}

/* ---- How it is told ---- */

#define N_TAGS 8

typedef struct
{
  WeftTargetTag tags[N_TAGS];
  size_t n_tags;
  WeftTargetAttachment attachment;
  WeftTargetRoleOrigin origins[4];
  WeftTargetErrorDetail error;
  char message[AV_ERROR_MAX_STRING_SIZE];
  WeftTargetCounterValue time;
  WeftTargetCounterSample sample;
} Report;

static void
add_tag (Report *report, WeftTargetTag tag)
{
  report->tags[report->n_tags++] = tag;
}

/* Nanoseconds; TIME as it is where nobody said what it counts. */
static int64_t
scale (int64_t time, AVRational base)
{
  if (time == AV_NOPTS_VALUE || base.num <= 0 || base.den <= 0)
    return time;
  return (int64_t) ((__int128) time * base.num * 1000000000 / base.den);
}

static void
add_time (Report *report, const char *key, int64_t time, AVRational base)
{
  if (time == AV_NOPTS_VALUE || base.num <= 0 || base.den <= 0)
    return;
  add_tag (report, (WeftTargetTag){ .key = key,
                                    .type = WEFT_TARGET_VALUE_I64,
                                    .value.i64 = scale (time, base) });
}

static void
add_item (Report *report, WeftTargetDispatch *dispatch, const FfItem *item, FfDirection direction,
          AVRational base)
{
  report->attachment =
      (WeftTargetAttachment){ .kind = item->kind,
                              .label = item->kind,
                              .element_type = item->format,
                              .shape = item->shape[0] != '\0' ? item->shape : NULL,
                              .slot = item->stream >= 0 ? item->stream : WEFT_TARGET_NO_SLOT,
                              .access = direction == FF_OUT ? WEFT_TARGET_ACCESS_WRITE
                                                            : WEFT_TARGET_ACCESS_READ,
                              .size = item->size };
  dispatch->attachments = &report->attachment;
  dispatch->n_attachments = 1;
  add_time (report, "pts", item->pts, base);
  add_time (report, "dts", item->dts, base);
  if (item->duration > 0)
    add_time (report, "duration", item->duration, base);
  if (item->stream >= 0)
    add_tag (report, (WeftTargetTag){ .key = "stream",
                                      .type = WEFT_TARGET_VALUE_U64,
                                      .value.u64 = (uint64_t) item->stream });
  if (item->type != NULL)
    add_tag (report, (WeftTargetTag){ .key = "frame.type",
                                      .type = WEFT_TARGET_VALUE_STRING,
                                      .value.string = item->type });
  if (item->is_key || item->is_corrupted)
    add_tag (report, (WeftTargetTag){ .key = "frame.flags",
                                      .type = WEFT_TARGET_VALUE_STRING,
                                      .value.string = !item->is_corrupted ? "key"
                                                      : item->is_key      ? "key corrupted"
                                                                          : "corrupted" });
}

static void
add_error (Report *report, WeftTargetDispatch *dispatch, int result)
{
  report->error.name = result == AVERROR_INVALIDDATA ? "invalid-data" : "error";
  report->error.message = ff_error_text (result, report->message, sizeof report->message);
  weft_target_warn (&(WeftTargetWarning){ .lane = dispatch->lane,
                                          .severity = WEFT_TARGET_SEVERITY_ERROR,
                                          .code = "error",
                                          .message = report->error.message });
  dispatch->status = WEFT_TARGET_ERROR;
  dispatch->error_kind = WEFT_TARGET_ERROR_EXCEPTION;
  dispatch->error = &report->error;
}

/* ---- Counters of the stage's threads ---- */

static uint32_t thread_counters;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
define_counters (void)
{
  static const WeftTargetCounter counters[] = {
    { .name = "codec.thread_time",
      .unit = WEFT_TARGET_UNIT_NANOSECONDS,
      .kind = WEFT_TARGET_COUNTER,
      .aggregation = WEFT_TARGET_AGGREGATE_SUM,
      .value_type = WEFT_TARGET_VALUE_U64 },
  };
  static const WeftTargetCounterState state = {
    .availability = WEFT_TARGET_PRESENT,
    .overhead_text = "a system call for each thread of the codec",
  };

  thread_counters = weft_target_counter_set_new ("codec threads", counters, 1, &state);
}

static void
add_thread_time (Report *report, WeftTargetDispatch *dispatch, FfStage *stage)
{
  pthread_once (&once, define_counters);
  report->time.value.u64 = ff_stage_take_thread_time (stage);
  report->sample = (WeftTargetCounterSample){ .set = thread_counters,
                                              .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                              .values = &report->time,
                                              .n_values = 1 };
  dispatch->samples = &report->sample;
  dispatch->n_samples = 1;
}

/* ---- In and out ---- */

static void
count (FfStage *stage, const FfItem *item, FfMetric frames, FfMetric bytes)
{
  ff_stage_report (stage, frames, 1);
  if (item->size != WEFT_TARGET_UNKNOWN_SIZE)
    ff_stage_report (stage, bytes, (double) item->size);
}

static void
tell_submission (FfStage *stage, const FfInput *input, WeftTargetSubmissionKind kind)
{
  const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_DISPATCH, input->origin };

  weft_target_submission (
      &(WeftTargetSubmissionEvent){ .lane = stage->lane,
                                    .submission = input->submission,
                                    .kind = kind,
                                    .origins = &origin,
                                    .n_origins = kind == WEFT_TARGET_SUBMISSION_COMMIT ? 1 : 0 });
}

/* It is handed over, and comes out, or what is made of it, under the same time. */
static void
take_in (FfCall *call, WeftTargetDispatch *dispatch, Report *report, FfDirection direction,
         const FfItem *item)
{
  FfInput input = { .pts = scale (item->pts, call->stage->time_base),
                    .entered = dispatch->end,
                    .submission = weft_target_id_new (),
                    .origin = call->origin };

  count (call->stage, item, FF_FRAMES_IN, FF_BYTES_IN);
  report->origins[dispatch->n_origins++] =
      (WeftTargetRoleOrigin){ WEFT_TARGET_ROLE_DISPATCH, call->origin };
  if (direction == FF_AWAY)
    return;
  tell_submission (call->stage, &input, WEFT_TARGET_SUBMISSION_COMMIT);
  if (item->pts != AV_NOPTS_VALUE)
    ff_stage_put_in (call->stage, &input);
  dispatch->submission = input.submission;
}

static uint64_t
nanoseconds_between (uint64_t begin, uint64_t end)
{
  return end > begin ? weft_target_to_nanoseconds (end) - weft_target_to_nanoseconds (begin) : 0;
}

static void
give_out (FfCall *call, WeftTargetDispatch *dispatch, Report *report, const FfItem *item)
{
  FfStage *stage = call->stage;
  FfInput input;

  count (stage, item, FF_FRAMES_OUT, FF_BYTES_OUT);
  if (!ff_stage_take_out (stage, scale (item->pts, stage->time_base), &input))
    return;
  dispatch->submission = input.submission;
  dispatch->submitted = input.origin.ticks;
  dispatch->has_queue_wait = true;
  dispatch->queue_wait = dispatch->queue_wait_last =
      nanoseconds_between (input.entered, dispatch->start);
  ff_stage_report (stage, FF_QUEUE_WAIT, (double) dispatch->queue_wait);
  report->origins[dispatch->n_origins++] =
      (WeftTargetRoleOrigin){ WEFT_TARGET_ROLE_DISPATCH, input.origin };
  tell_submission (stage, &input, WEFT_TARGET_SUBMISSION_COMPLETED);
}

/* Who gave its CPU away in the call of a codec with threads waited for them. */
static void
add_wait (FfCall *call, WeftTargetDispatch *dispatch, Report *report)
{
  WeftTargetOrigin end = call->origin;

  if (ff_count_rests () == call->n_rests)
    return;
  end.ticks = dispatch->end;
  end.stack = 0;
  report->origins[dispatch->n_origins++] =
      (WeftTargetRoleOrigin){ WEFT_TARGET_ROLE_WAIT_BEGIN, call->origin };
  report->origins[dispatch->n_origins++] = (WeftTargetRoleOrigin){ WEFT_TARGET_ROLE_WAIT_END, end };
}

/* ---- Calls ---- */

static WeftTargetRoutine *
find_routine (FfStage *stage, const char *operation)
{
  char name[sizeof stage->name + 32];
  uint32_t i = 0;

  while (i < FF_N_OPERATIONS - 1 && stage->operations[i].name != NULL &&
         stage->operations[i].name != operation)
    i++;
  if (stage->operations[i].name != operation)
    {
      snprintf (name, sizeof name, "%s: %s", stage->name, operation);
      stage->operations[i].routine = weft_target_routine_new (name);
      stage->operations[i].name = operation;
    }
  return stage->operations[i].routine;
}

static void
fill_in (FfCall *call, WeftTargetDispatch *dispatch, Report *report, FfDirection direction,
         const FfItem *item, int result)
{
  FfStage *stage = call->stage;

  if (item != NULL && item->kind != NULL)
    add_item (report, dispatch, item, direction, stage->time_base);
  if (result < 0)
    {
      ff_stage_report (stage, FF_ERRORS, 1);
      add_error (report, dispatch, result);
    }
  else if (direction == FF_OUT)
    give_out (call, dispatch, report, item);
  else if (direction != FF_WORK)
    take_in (call, dispatch, report, direction, item);
  if (stage->n_clocks == 0)
    return;
  if (call->n_rests >= 0)
    add_wait (call, dispatch, report);
  if (direction != FF_IN)
    add_thread_time (report, dispatch, stage);
}

void
ff_call_end (FfCall *call, const char *operation, FfDirection direction, const FfItem *item,
             int result)
{
  const int saved = errno;
  FfStage *stage = call->stage;
  WeftTargetDispatch dispatch = { .start = call->origin.ticks, .end = weft_target_now () };
  Report report;

  if (stage == NULL)
    return;
  ff_stage_leave (call->before);
  /* Nobody listened when it began. */
  if (dispatch.start == 0 || result == AVERROR (EAGAIN) || result == AVERROR_EOF)
    return;
  memset (&report, 0, sizeof report);
  dispatch.lane = ff_stage_get_lane (stage);
  dispatch.routine = find_routine (stage, operation);
  dispatch.origins = report.origins;
  fill_in (call, &dispatch, &report, direction, item, result);
  dispatch.tags = report.tags;
  dispatch.n_tags = report.n_tags;
  weft_target_dispatch (&dispatch);
  errno = saved;
}
