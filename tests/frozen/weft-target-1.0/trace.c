/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>

/* ---- Sampling ---- */

void
weft_target_set_sampling (double rate)
{
  WftRuntime *runtime;
  WFT_KEEP_ERRNO;

  runtime = wft_runtime_ensure ();
  if (runtime == NULL)
    return;
  if (!(rate > 0.0))
    rate = 0.0;
  WFT_STORE (&runtime->threshold, rate >= 1.0 ? UINT64_C (1) << 32 : (uint64_t) (rate * 4294967296.0));
  WFT_STORE (&runtime->sampling, rate < 1.0);
  wft_gates_update ();
}

bool
wft_sample (void)
{
  static uint64_t shared = UINT64_C (0x853C49E6748FEA9B);
  WftWriter *writer = wft_self;
  uint64_t *state = writer->used ? &writer->random : &shared;
  uint64_t x = WFT_LOAD (state);

  if (WFT_LOAD (&wft_runtime->sampling) == 0)
    return true;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  WFT_STORE (state, x);
  return (x * UINT64_C (0x2545F4914F6CDD1D)) >> 32 < WFT_LOAD (&wft_runtime->threshold);
}

/* ---- Traces ---- */

typedef struct
{
  const WeftTargetTrace *trace;
  uint64_t ticks;
  const char *name;
  WeftTargetStatus status;
  WeftTargetErrorKind error_kind;
  const WeftTargetErrorDetail *error;
} TraceEvent;

static void
encode_begin (WftBuffer *buffer, const void *data)
{
  const TraceEvent *event = data;
  WeftWireTraceBegin *record = wft_record (buffer, WEFT_WIRE_TRACE_BEGIN, 0, sizeof *record);

  if (record == NULL)
    return;
  record->trace = event->trace->id;
  record->ticks = event->ticks;
  wft_record_string (buffer, event->name, WEFT_WIRE_MAX_STRING);
  wft_record_end (buffer, record);
}

static void
encode_end (WftBuffer *buffer, const void *data)
{
  const TraceEvent *event = data;
  WeftWireTraceEnd *record = wft_record (buffer, WEFT_WIRE_TRACE_END, 0, sizeof *record);

  if (record == NULL)
    return;
  record->trace = event->trace->id;
  record->ticks = event->ticks;
  record->status = (uint8_t) event->status;
  record->error_kind = (uint8_t) event->error_kind;
  wft_record_end (buffer, record);
  wft_encode_error (buffer, event->error);
}

WeftTargetTrace
weft_target_trace_new (const char *name)
{
  WeftTargetTrace trace = { 0, 0, false };
  TraceEvent event = { .trace = &trace, .name = name };
  WFT_KEEP_ERRNO;

  if (!weft_target_enabled () || wft_runtime == NULL)
    return trace;
  trace.id = weft_target_id_new ();
  trace.start = event.ticks = wft_now ();
  trace.sampled = wft_sample ();
  if (trace.sampled)
    wft_emit (NULL, encode_begin, &event);
  return trace;
}

void
weft_target_trace_end (const WeftTargetTrace *trace, const char *name, WeftTargetStatus status,
                       WeftTargetErrorKind error_kind, const WeftTargetErrorDetail *error)
{
  TraceEvent record = { trace, 0, name, status, error_kind, error };
  WFT_KEEP_ERRNO;

  if (trace == NULL || trace->id == 0 || !weft_target_enabled ())
    return;
  record.ticks = wft_now ();
  if (trace->sampled)
    wft_emit (NULL, encode_end, &record);
  if (wft_listened (WEFT_TARGET_EVENT_TRACE))
    {
      WeftTargetEvent event = { .kind = WEFT_TARGET_EVENT_TRACE };

      event.time = weft_target_to_nanoseconds (record.ticks);
      event.data.trace.trace = trace;
      event.data.trace.name = name;
      event.data.trace.duration = event.time - weft_target_to_nanoseconds (trace->start);
      event.data.trace.status = status;
      event.data.trace.error_kind = error_kind;
      event.data.trace.error = error;
      wft_tell (&event);
    }
}
