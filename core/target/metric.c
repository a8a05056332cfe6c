/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything reported on its own: observations, warnings, submissions, waits, clock pairs.
 */
#include "weft-target-private.h"

#include <string.h>

/* ---- Metrics ---- */

typedef struct
{
  const WeftTargetMetric *metric;
  double value;
  uint64_t ticks;
  const WeftTargetTag *tags;
  size_t n_tags;
} Point;

static void
encode_point (WftBuffer *buffer, const void *data)
{
  const Point *point = data;
  WeftWireMetricPoint *record
      = wft_record (buffer, WEFT_WIRE_METRIC_POINT, point->metric->lane->id, sizeof *record);

  if (record == NULL)
    return;
  record->ticks = point->ticks;
  record->value = point->value;
  record->metric = point->metric->id;
  wft_record_end (buffer, record);
  wft_encode_tags (buffer, point->tags, point->n_tags);
}

static void
gauge_set (const WeftTargetMetric *metric, double value, uint64_t ticks)
{
  WeftWireCell *cells;
  uint64_t bits;

  if (!wft_session_ensure ())
    return;
  cells = wft_registry_cells ();
  if (cells == NULL)
    return;
  memcpy (&bits, &value, sizeof bits);
  WFT_STORE (&cells[metric->cell].gauge.bits, bits);
  WFT_STORE (&cells[metric->cell].gauge.ticks, ticks);
  WFT_ADD (&cells[metric->cell].gauge.count, 1);
}

static void
tell_point (const Point *point)
{
  WeftTargetEvent event = { .kind = WEFT_TARGET_EVENT_METRIC };

  event.time = weft_target_to_nanoseconds (point->ticks);
  event.data.metric.metric = point->metric;
  event.data.metric.lane = point->metric->lane;
  event.data.metric.name = point->metric->name;
  event.data.metric.kind = point->metric->kind;
  event.data.metric.value = point->value;
  event.data.metric.tags = point->tags;
  event.data.metric.n_tags = point->n_tags;
  wft_tell (&event);
}

void
weft_target_metric_report_full (WeftTargetMetric *metric, double value, uint64_t ticks,
                                const WeftTargetTag *tags, size_t n_tags)
{
  Point point = { metric, value, ticks, tags, n_tags };
  bool enabled = weft_target_enabled ();

  if (metric == NULL || metric->id == 0 || (!enabled && metric->cell == UINT32_MAX))
    return;
  if (point.ticks == 0)
    point.ticks = wft_now ();
  if (metric->cell != UINT32_MAX)
    gauge_set (metric, value, point.ticks);
  if (!enabled)
    return;
  wft_emit (NULL, encode_point, &point);
  if (wft_listened (WEFT_TARGET_EVENT_METRIC))
    {
      WFT_KEEP_ERRNO;
      tell_point (&point);
    }
}

void
weft_target_metric_report (WeftTargetMetric *metric, double value)
{
  weft_target_metric_report_full (metric, value, 0, NULL, 0);
}

void
weft_target_snapshot (void (*callback) (const WeftTargetGaugeState *state, void *data), void *data)
{
  WftRuntime *runtime = wft_runtime;
  const WeftWireCell *cells;
  WFT_KEEP_ERRNO;

  if (runtime == NULL || callback == NULL || !wft_session_ensure ())
    return;
  cells = wft_registry_cells ();
  for (const WeftTargetMetric *metric = WFT_LOAD_ACQUIRE (&runtime->metrics);
       metric != NULL && cells != NULL; metric = metric->next)
    {
      WeftTargetGaugeState state = { .lane = metric->lane, .lane_name = metric->lane->name,
                                     .name = metric->name };
      uint64_t bits;

      if (metric->cell == UINT32_MAX)
        continue;
      bits = WFT_LOAD (&cells[metric->cell].gauge.bits);
      memcpy (&state.value, &bits, sizeof bits);
      state.ticks = WFT_LOAD (&cells[metric->cell].gauge.ticks);
      state.count = WFT_LOAD (&cells[metric->cell].gauge.count);
      callback (&state, data);
    }
}

/* ---- Warnings ---- */

static void
encode_warning (WftBuffer *buffer, const void *data)
{
  const WeftTargetWarning *warning = data;
  WeftWireWarning *record
      = wft_record (buffer, WEFT_WIRE_WARNING, warning->lane->id, sizeof *record);

  if (record == NULL)
    return;
  record->ticks = warning->ticks;
  record->dispatch = warning->dispatch;
  record->value = warning->value;
  record->threshold = warning->threshold;
  record->severity = (uint8_t) warning->severity;
  wft_record_string (buffer, warning->code, WEFT_WIRE_MAX_STRING);
  wft_record_string (buffer, warning->message, WEFT_WIRE_MAX_TEXT);
  wft_record_end (buffer, record);
  wft_encode_tags (buffer, warning->tags, warning->n_tags);
}

void
weft_target_warning_write (const WeftTargetWarning *warning, size_t size)
{
  WeftTargetWarning timed;
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetWarning, warning, size)

  if (warning->lane == NULL || warning->lane->id == 0)
    {
      wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
      return;
    }
  timed = *warning;
  if (timed.ticks == 0)
    timed.ticks = wft_now ();
  wft_emit (NULL, encode_warning, &timed);
  if (wft_listened (WEFT_TARGET_EVENT_WARNING))
    {
      WeftTargetEvent event = { .kind = WEFT_TARGET_EVENT_WARNING };

      event.time = weft_target_to_nanoseconds (timed.ticks);
      event.data.warning = &timed;
      wft_tell (&event);
    }
}

/* ---- Submissions ---- */

static void
encode_submission (WftBuffer *buffer, const void *data)
{
  const WeftTargetSubmissionEvent *event = data;
  WeftWireSubmissionEvent *record
      = wft_record (buffer, WEFT_WIRE_SUBMISSION_EVENT, event->lane->id, sizeof *record);

  if (record == NULL)
    return;
  record->submission = event->submission;
  record->ticks = event->ticks;
  record->queue = event->queue;
  record->kind = (uint8_t) event->kind;
  record->status = (uint8_t) event->status;
  wft_record_end (buffer, record);
  wft_encode_error (buffer, event->error);
  wft_encode_origins (buffer, event->origins, event->n_origins);
  wft_encode_samples (buffer, event->samples, event->n_samples);
  wft_encode_tags (buffer, event->tags, event->n_tags);
  wft_encode_artifacts (buffer, event->artifacts, event->n_artifacts);
}

void
weft_target_submission_write (const WeftTargetSubmissionEvent *event, size_t size)
{
  WeftTargetSubmissionEvent timed;
  WFT_FULL (WeftTargetSubmissionEvent, event, size)

  if (event->lane == NULL || event->lane->id == 0 || event->submission == 0)
    {
      wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
      return;
    }
  timed = *event;
  if (timed.ticks == 0)
    timed.ticks = wft_now ();
  wft_emit (NULL, encode_submission, &timed);
}

/* ---- Waits, completions, samples ---- */

typedef struct
{
  WeftTargetLane *lane;
  uint64_t dispatch;
  uint64_t submission;
  WeftTargetRole role;
  WeftTargetOrigin origin;
  const WeftTargetCounterSample *samples;
  size_t n_samples;
} Late;

static void
encode_origin (WftBuffer *buffer, const void *data)
{
  const Late *late = data;
  WeftWireOrigin *record
      = wft_record (buffer, WEFT_WIRE_ORIGIN_EVENT, late->lane->id, sizeof *record);

  if (record == NULL)
    return;
  record->dispatch = late->dispatch;
  record->submission = late->submission;
  record->ticks = late->origin.ticks;
  record->stack = late->origin.stack;
  record->tid = late->origin.tid;
  record->role = (uint8_t) late->role;
  wft_record_end (buffer, record);
}

static void
encode_late_samples (WftBuffer *buffer, const void *data)
{
  const Late *late = data;
  WeftWireCounterEvent *record
      = wft_record (buffer, WEFT_WIRE_COUNTER_EVENT, late->lane->id, sizeof *record);

  if (record == NULL)
    return;
  record->dispatch = late->dispatch;
  record->submission = late->submission;
  wft_record_end (buffer, record);
  wft_encode_samples (buffer, late->samples, late->n_samples);
}

static void
emit_late (const Late *late, WftEncode encode)
{
  if (!wft_recording ())
    return;
  if (late->lane == NULL || late->lane->id == 0 || (late->dispatch == 0 && late->submission == 0))
    wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
  else
    wft_emit (NULL, encode, late);
}

void
weft_target_report_origin (WeftTargetLane *lane, WeftTargetRole role, uint64_t dispatch,
                           uint64_t submission, WeftTargetOrigin origin)
{
  const Late late = { .lane = lane, .dispatch = dispatch, .submission = submission, .role = role,
                      .origin = origin };

  if (origin.ticks != 0)
    emit_late (&late, encode_origin);
}

void
weft_target_report_samples (WeftTargetLane *lane, uint64_t dispatch, uint64_t submission,
                            const WeftTargetCounterSample *samples, size_t n_samples)
{
  const Late late = { .lane = lane, .dispatch = dispatch, .submission = submission,
                      .samples = samples, .n_samples = n_samples };

  if (samples != NULL && n_samples > 0)
    emit_late (&late, encode_late_samples);
}

/* ---- Device clocks ---- */

static void
encode_pair (WftBuffer *buffer, const void *data)
{
  const WeftWireClockPair *pair = data;
  WeftWireClockPair *record = wft_record (buffer, WEFT_WIRE_CLOCK_PAIR, 0, sizeof *record);

  if (record == NULL)
    return;
  record->clock = pair->clock;
  record->device = pair->device;
  record->before = pair->before;
  record->after = pair->after;
  wft_record_end (buffer, record);
}

void
weft_target_clock_calibrate (uint32_t clock, uint64_t device, uint64_t before, uint64_t after)
{
  const WeftWireClockPair pair
      = { .clock = clock, .device = device, .before = before, .after = after };

  if (clock > WEFT_WIRE_CLOCK_ID_MONOTONIC && wft_recording ())
    wft_emit (NULL, encode_pair, &pair);
}
