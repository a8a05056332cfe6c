/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>

#define ID_RANGE 1024u

uint64_t
weft_target_id_new (void)
{
  WftWriter *writer = wft_self;
  WftRuntime *runtime = wft_runtime;
  uint64_t id;

  if (WFT_UNLIKELY (runtime == NULL))
    {
      WFT_KEEP_ERRNO;
      runtime = wft_runtime_ensure ();
    }
  if (WFT_UNLIKELY (runtime == NULL))
    {
      static uint64_t lonely;

      return WFT_ADD (&lonely, 1) + 1;
    }
  if (!writer->used || wft_is_busy (writer))
    return WFT_ADD (&runtime->next_id, ID_RANGE) + 1;
  WFT_STORE (&writer->busy, 1);
  wft_close_room (writer);
  if (writer->id_next == writer->id_end)
    {
      writer->id_next = WFT_ADD (&runtime->next_id, ID_RANGE) + 1;
      writer->id_end = writer->id_next + ID_RANGE;
    }
  id = writer->id_next++;
  wft_leave (writer);
  return id;
}

/* ---- Encoding ---- */

static void
encode_times (WftBuffer *buffer, const WeftTargetDispatch *dispatch)
{
  WeftWireTimes *side;

  if (!dispatch->has_attempts && !dispatch->has_queue_wait && dispatch->submitted == 0)
    return;
  side = wft_record (buffer, WEFT_WIRE_SIDE_TIMES, 0, sizeof *side);
  if (side != NULL)
    {
      side->attempts = dispatch->attempts;
      side->queue_wait = dispatch->queue_wait;
      side->queue_wait_last = dispatch->queue_wait_last;
      side->submitted = dispatch->submitted;
      side->has = (dispatch->has_attempts ? WEFT_WIRE_HAS_ATTEMPTS : 0)
                  | (dispatch->has_queue_wait ? WEFT_WIRE_HAS_QUEUE_WAIT : 0)
                  | (dispatch->submitted != 0 ? WEFT_WIRE_HAS_SUBMITTED : 0);
    }
  wft_record_end (buffer, side);
}

static void
encode_label (WftBuffer *buffer, unsigned int type, const char *text)
{
  WeftWireLabel *side;

  if (text == NULL)
    return;
  side = wft_record (buffer, type, 0, sizeof *side);
  if (side != NULL)
    wft_record_string (buffer, text, WEFT_WIRE_MAX_STRING);
  wft_record_end (buffer, side);
}

static void
encode_source (WftBuffer *buffer, const WeftTargetDispatch *dispatch)
{
  WeftWireSourceSide *side;

  if (dispatch->source == 0 && dispatch->first_line == 0)
    return;
  side = wft_record (buffer, WEFT_WIRE_SIDE_SOURCE, 0, sizeof *side);
  if (side != NULL)
    {
      side->source = dispatch->source;
      side->first_line = dispatch->first_line;
      side->last_line = dispatch->last_line;
    }
  wft_record_end (buffer, side);
}

static inline void
fill_dispatch (WeftWireDispatch *record, const WftDispatch *what)
{
  const WeftTargetDispatch *dispatch = what->dispatch;

  record->record.type = (uint16_t) what->type;
  record->record.words = sizeof *record / 8;
  record->record.lane = dispatch->lane->id;
  record->start = what->start;
  record->end = what->end;
  record->routine = what->routine;
  record->depth = what->depth;
  record->flags = (uint16_t) what->flags;
  record->id = what->id;
  record->submission = dispatch->submission;
  record->trace = dispatch->trace != NULL ? dispatch->trace->id : 0;
  record->queue = dispatch->queue;
  record->status = (uint8_t) dispatch->status;
  record->error_kind = (uint8_t) dispatch->error_kind;
  record->clock = what->clock;
}

void
wft_encode_dispatch (WftBuffer *buffer, const void *data)
{
  const WftDispatch *what = data;
  const WeftTargetDispatch *dispatch = what->dispatch;
  WeftWireDispatch *record
      = wft_record (buffer, what->type, dispatch->lane->id, sizeof (WeftWireDispatch));

  if (record == NULL)
    return;
  fill_dispatch (record, what);
  if (what->named)
    encode_label (buffer, WFT_RING_ROUTINE,
                  dispatch->routine != NULL ? dispatch->routine->name : NULL);
  encode_times (buffer, dispatch);
  encode_label (buffer, WEFT_WIRE_SIDE_LABEL, dispatch->label);
  encode_source (buffer, dispatch);
  wft_encode_error (buffer, dispatch->error);
  wft_encode_origins (buffer, dispatch->origins, dispatch->n_origins);
  wft_encode_samples (buffer, dispatch->samples, dispatch->n_samples);
  wft_encode_tags (buffer, dispatch->tags, dispatch->n_tags);
  wft_encode_artifacts (buffer, dispatch->artifacts, dispatch->n_artifacts);
  wft_encode_phases (buffer, dispatch->phases, dispatch->n_phases);
  wft_encode_attachments (buffer, dispatch->attachments, dispatch->n_attachments);
  if (buffer->cut)
    record->flags |= WEFT_WIRE_FLAG_CUT;
}

/* A plain span of the general way still takes 32 bytes. */
static void
encode_span (WftBuffer *buffer, const void *data)
{
  const WftDispatch *what = data;
  WeftWireSpan *span
      = wft_record (buffer, WEFT_WIRE_SPAN, what->dispatch->lane->id, sizeof *span);

  if (span == NULL)
    return;
  span->record.words = sizeof *span / 8;
  span->start = what->start;
  span->end = what->end;
  span->routine = what->routine;
  span->depth = what->depth;
}

/* ---- In the process: rings and listeners ---- */

void
wft_dispatch_local (const WftDispatch *what)
{
  uint32_t local = WFT_LOAD (&weft_target_gate.local);

  if (WFT_LIKELY (local == 0))
    return;
  if (local & WFT_LOCAL_RING)
    wft_ring_push (what->dispatch->lane, what);
  if ((local & WFT_LOCAL_LISTENER) && wft_listened (WEFT_TARGET_EVENT_DISPATCH))
    {
      WeftTargetDispatch full = *what->dispatch;
      WeftTargetEvent event = { .kind = WEFT_TARGET_EVENT_DISPATCH };

      full.start = what->start;
      full.end = what->end;
      full.id = what->id;
      event.time = wft_monotonic ();
      if (full.lane->clock == WEFT_WIRE_CLOCK_ID_MONOTONIC)
        event.time = what->end;
      else if (full.lane->clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
        event.time = weft_target_to_nanoseconds (what->end);
      event.data.dispatch = &full;
      wft_tell (&event);
    }
}

/* ---- Spans, the general way ---- */

void
wft_span_general (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start, uint64_t end,
                  uint16_t depth, bool runtime_clock)
{
  WeftTargetDispatch dispatch = { .lane = lane, .routine = routine };
  WftDispatch what = { .dispatch = &dispatch, .type = WEFT_WIRE_DISPATCH, .start = start,
                       .end = end, .depth = depth };
  bool foreign;
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0)
    {
      wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
      return;
    }
  foreign = runtime_clock && lane->clock != WEFT_WIRE_CLOCK_ID_RUNTIME;
  if (routine == NULL)
    {
      wft_drop (lane, WEFT_WIRE_DROP_INVALID);
      return;
    }
  if (!wft_dispatch_sampled (lane, NULL))
    return;
  what.routine = wft_routine_id (routine);
  what.flags = foreign ? WEFT_WIRE_FLAG_CLOCK : 0;
  wft_emit (lane, foreign ? wft_encode_dispatch : encode_span, &what);
  wft_dispatch_local (&what);
}

/* ---- Dispatches ---- */

/* False: not to be recorded, and counted. */
bool
wft_dispatch_sampled (WeftTargetLane *lane, const WeftTargetTrace *trace)
{
  bool sampled;

  if (WFT_LIKELY (trace == NULL && WFT_LOAD (&weft_target_gate.reserved) == 0))
    return true;
  sampled = trace != NULL ? trace->sampled : wft_sample ();
  if (!sampled)
    wft_drop (lane, WEFT_WIRE_DROP_SAMPLED_OUT);
  return sampled;
}

static bool
is_valid (const WeftTargetDispatch *dispatch)
{
  if (WFT_LIKELY (dispatch->lane != NULL && dispatch->lane->id != 0))
    return true;
  wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
  return false;
}

static inline bool
has_sides (const WeftTargetDispatch *dispatch)
{
  return (dispatch->n_phases | dispatch->n_origins | dispatch->n_attachments | dispatch->n_samples
          | dispatch->n_artifacts | dispatch->n_tags | dispatch->submitted | dispatch->source
          | dispatch->first_line | (uintptr_t) dispatch->label | (uintptr_t) dispatch->error
          | (uintptr_t) dispatch->span | dispatch->has_attempts | dispatch->has_queue_wait)
         != 0;
}

/* Ids and times only, and room for them: nearly as short a way as a span's. */
static inline bool
put_plain (const WeftTargetDispatch *dispatch)
{
  const WeftTargetLane *lane = dispatch->lane;
  const WeftTargetTrace *trace = dispatch->trace;
  WftWriter *writer = wft_self;
  uint32_t routine;
  uint64_t *words;

  if (WFT_UNLIKELY (lane == NULL || dispatch->routine == NULL || has_sides (dispatch)
                    || (trace != NULL && !trace->sampled)))
    return false;
  routine = WFT_LOAD (&dispatch->routine->id);
  if (lane->id == 0 || routine == 0 || !wft_ready (writer)
      || (words = wft_begin (writer, sizeof (WeftWireDispatch))) == NULL)
    return false;
  words[0] = (uint64_t) lane->id << 32 | (sizeof (WeftWireDispatch) / 8) << 16 | WEFT_WIRE_DISPATCH;
  words[1] = dispatch->start;
  words[2] = dispatch->end;
  words[3] = routine;
  words[4] = dispatch->id;
  words[5] = dispatch->submission;
  words[6] = trace != NULL ? trace->id : 0;
  words[7] = (uint64_t) (uint8_t) dispatch->error_kind << 40
             | (uint64_t) (uint8_t) dispatch->status << 32 | dispatch->queue;
  wft_commit (writer, sizeof (WeftWireDispatch));
  wft_open_room (writer);
  return true;
}

static void
prepare (WftDispatch *what, const WeftTargetDispatch *dispatch, unsigned int type)
{
  what->dispatch = dispatch;
  what->type = type;
  what->routine = dispatch->routine != NULL ? wft_routine_id (dispatch->routine) : 0;
  what->id = dispatch->id;
  what->start = dispatch->start;
  what->end = dispatch->end;
  if (dispatch->span != NULL && dispatch->span->start != 0)
    {
      what->start = dispatch->span->start;
      if (what->end == 0)
        what->end = wft_now ();
      what->depth = wft_span_depth (dispatch->span->nest);
      if (dispatch->lane->clock != WEFT_WIRE_CLOCK_ID_RUNTIME)
        what->flags |= WEFT_WIRE_FLAG_CLOCK;
    }
}

static void
write_general (const WeftTargetDispatch *dispatch, unsigned int type)
{
  WftDispatch what = { 0 };
  WFT_KEEP_ERRNO;

  if (!is_valid (dispatch))
    return;
  if (type == WEFT_WIRE_DISPATCH && !wft_dispatch_sampled (dispatch->lane, dispatch->trace))
    {
      if (dispatch->span != NULL)
        wft_span_depth (dispatch->span->nest);
      return;
    }
  prepare (&what, dispatch, type);
  /* A completion that is lost leaves its reservation pending: it is no second loss of the lane. */
  wft_emit (type == WEFT_WIRE_COMPLETE ? NULL : dispatch->lane, wft_encode_dispatch, &what);
  wft_dispatch_local (&what);
}

void
weft_target_dispatch_write (const WeftTargetDispatch *dispatch, size_t size)
{
  WFT_FULL (WeftTargetDispatch, dispatch, size)

  if (WFT_LIKELY (put_plain (dispatch)))
    return;
  write_general (dispatch, WEFT_WIRE_DISPATCH);
}

void
wft_ids_general (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start, uint64_t end,
                 const WeftTargetIds *ids)
{
  const WeftTargetTrace trace = { ids->trace, 0, true };
  const WeftTargetDispatch dispatch = { .lane = lane, .routine = routine, .start = start,
                                        .end = end, .id = ids->id, .submission = ids->submission,
                                        .queue = ids->queue,
                                        .trace = ids->trace != 0 ? &trace : NULL };

  write_general (&dispatch, WEFT_WIRE_DISPATCH);
}

uint64_t
weft_target_reserve_write (const WeftTargetDispatch *dispatch, size_t size)
{
  WftDispatch what = { 0 };
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetDispatch, dispatch, size)

  if (!is_valid (dispatch) || !wft_dispatch_sampled (dispatch->lane, dispatch->trace))
    return 0;
  prepare (&what, dispatch, WEFT_WIRE_RESERVE);
  if (what.id == 0)
    what.id = weft_target_id_new ();
  if (what.start == 0)
    {
      what.start = dispatch->submitted != 0 ? dispatch->submitted : wft_now ();
      if (dispatch->lane->clock != WEFT_WIRE_CLOCK_ID_RUNTIME)
        what.flags |= WEFT_WIRE_FLAG_CLOCK;
    }
  if (!wft_emit (dispatch->lane, wft_encode_dispatch, &what) && wft_recording ())
    return 0;
  return what.id;
}

void
weft_target_complete_write (const WeftTargetDispatch *dispatch, size_t size)
{
  WFT_FULL (WeftTargetDispatch, dispatch, size)

  if (dispatch->id != 0)
    write_general (dispatch, WEFT_WIRE_COMPLETE);
}
