/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans: the shortest way into a block. What is not plain (no room, another generation, rings,
 * listeners, sampling, a device clock) goes the general way.
 */
#include "weft-target-private.h"

#include <string.h>

static inline bool
is_ready (const WftWriter *writer, uint32_t active, uint32_t size)
{
  return WFT_LIKELY ((wft_special () | (writer->generation ^ active) | WFT_LOAD (&writer->busy)) == 0
                     && writer->cursor + size <= writer->limit && active != 0);
}

static inline void
put_span (WftWriter *writer, uint32_t lane, uint32_t routine, uint64_t start, uint64_t end,
          uint16_t depth)
{
  WeftWireSpan *span = (WeftWireSpan *) (writer->block + writer->cursor);

  WFT_STORE (&writer->busy, 1);
  WFT_SIGNAL_FENCE ();
  span->record.type = WEFT_WIRE_SPAN;
  span->record.words = sizeof *span / 8;
  span->record.lane = lane;
  span->start = start;
  span->end = end;
  span->routine = routine;
  span->depth = depth;
  span->flags = 0;
  wft_commit (writer, sizeof *span);
  wft_leave (writer);
}

void
weft_target_span_write (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                        uint64_t end)
{
  WftWriter *writer = wft_self;
  uint32_t active = WFT_LOAD (WFT_LOAD (&weft_target_gate.remote));

  if (WFT_LIKELY (lane != NULL && routine != NULL))
    {
      uint32_t id = WFT_LOAD (&routine->id);

      if (WFT_LIKELY (id != 0 && lane->id != 0) && is_ready (writer, active, sizeof (WeftWireSpan)))
        {
          put_span (writer, lane->id, id, start, end, 0);
          return;
        }
    }
  wft_span_general (lane, routine, start, end, 0, false);
}

/* The first span of a thread: it needs a writer to nest in. */
static WFT_COLD WftWriter *
begin_slow (void)
{
  WFT_KEEP_ERRNO;

  return wft_writer_slow ();
}

WeftTargetSpan
weft_target_span_open (WeftTargetLane *lane, WeftTargetRoutine *routine)
{
  WftWriter *writer = wft_self;
  WeftTargetSpan span;

  if (WFT_UNLIKELY (!writer->used))
    writer = begin_slow ();
  span.lane = lane;
  span.routine = routine;
  span.writer = writer;
  span.depth = 0;
  span.epoch = 0;
  if (WFT_LIKELY (writer != NULL))
    {
      if (WFT_UNLIKELY (WFT_LOAD (&writer->foreign_ends) != 0))
        {
          uint32_t ends = __atomic_exchange_n (&writer->foreign_ends, 0, __ATOMIC_RELAXED);

          writer->depth -= ends < writer->depth ? ends : writer->depth;
        }
      span.depth = ++writer->depth;
      span.epoch = writer->epoch;
    }
  span.start = wft_now ();
  return span;
}

uint16_t
wft_span_depth (const WeftTargetSpan *span)
{
  WftWriter *begun = span->writer;

  if (begun == NULL || WFT_LOAD (&begun->epoch) != span->epoch)
    return 0;
  if (WFT_UNLIKELY (begun != wft_self))
    {
      if (WFT_LOAD (&begun->used))
        WFT_ADD (&begun->foreign_ends, 1);
      return 0;
    }
  if (begun->depth > 0)
    begun->depth--;
  return span->depth <= UINT16_MAX ? (uint16_t) span->depth : UINT16_MAX;
}

void
weft_target_span_close (const WeftTargetSpan *span)
{
  uint64_t end = wft_now ();
  WftWriter *writer = wft_self;
  uint32_t active = WFT_LOAD (WFT_LOAD (&weft_target_gate.remote));
  WeftTargetLane *lane = span->lane;
  WeftTargetRoutine *routine = span->routine;
  uint16_t depth = wft_span_depth (span);

  if (WFT_LIKELY (lane != NULL && routine != NULL))
    {
      uint32_t id = WFT_LOAD (&routine->id);

      if (WFT_LIKELY (id != 0 && lane->id != 0 && lane->clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
          && is_ready (writer, active, sizeof (WeftWireSpan)))
        {
          put_span (writer, lane->id, id, span->start, end, depth);
          return;
        }
    }
  wft_span_general (lane, routine, span->start, end, depth, true);
}
