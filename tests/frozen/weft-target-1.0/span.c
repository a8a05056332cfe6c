/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans: the shortest way into a block. What is not plain (no room, another generation, rings,
 * listeners, sampling, a device clock) goes the general way.
 */
#include "weft-target-private.h"

#include <string.h>

/* Four words, one after the other: the fields of WeftWireSpan as they lie in memory. */
static inline void
put_span (WftWriter *writer, uint64_t *words, uint32_t lane, uint32_t routine, uint64_t start,
          uint64_t end, uint16_t depth)
{
  const uint32_t cursor = writer->cursor + (uint32_t) sizeof (WeftWireSpan);
  WeftWireBlock *descriptor = writer->descriptor;

  words[0] = (uint64_t) lane << 32 | (sizeof (WeftWireSpan) / 8) << 16 | WEFT_WIRE_SPAN;
  words[1] = start;
  words[2] = end;
  words[3] = (uint64_t) depth << 32 | routine;
  WFT_STORE (&writer->cursor, cursor);
  WFT_STORE_RELEASE (&descriptor->committed, cursor);
  wft_open_room (writer);
}

void
weft_target_span_write (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                        uint64_t end)
{
  WftWriter *writer = wft_self;

  if (WFT_LIKELY (lane != NULL && routine != NULL))
    {
      uint32_t id = WFT_LOAD (&routine->id);
      uint64_t *words;

      if (WFT_LIKELY (id != 0 && lane->id != 0 && wft_ready (writer))
          && WFT_LIKELY ((words = wft_begin (writer, sizeof (WeftWireSpan))) != NULL))
        {
          put_span (writer, words, lane->id, id, start, end, 0);
          return;
        }
    }
  wft_span_general (lane, routine, start, end, 0, false);
}

void
weft_target_span_write_ids (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                            uint64_t end, const WeftTargetIds *ids)
{
  WftWriter *writer = wft_self;

  if (WFT_LIKELY (lane != NULL && routine != NULL))
    {
      uint32_t id = WFT_LOAD (&routine->id);
      uint64_t *words;

      if (WFT_LIKELY (id != 0 && lane->id != 0 && wft_ready (writer))
          && WFT_LIKELY ((words = wft_begin (writer, sizeof (WeftWireDispatch))) != NULL))
        {
          words[0] = (uint64_t) lane->id << 32 | (sizeof (WeftWireDispatch) / 8) << 16
                     | WEFT_WIRE_DISPATCH;
          words[1] = start;
          words[2] = end;
          words[3] = id;
          words[4] = ids->id;
          words[5] = ids->submission;
          words[6] = ids->trace;
          words[7] = ids->queue;
          wft_commit (writer, sizeof (WeftWireDispatch));
          wft_open_room (writer);
          return;
        }
    }
  wft_ids_general (lane, routine, start, end, ids);
}

/* ---- Scopes ---- */

/* The first span of a thread: it needs a writer to nest in. */
static WFT_COLD WftWriter *
begin_slow (void)
{
  WFT_KEEP_ERRNO;

  return wft_writer_slow ();
}

/* Spans of this thread were ended on others. */
static WFT_COLD void
forget_foreign (WftWriter *writer)
{
  uint32_t ends = __atomic_exchange_n (&writer->foreign_ends, 0, __ATOMIC_RELAXED);

  writer->depth -= ends < writer->depth ? ends : writer->depth;
}

/* Anything unusual: no writer yet, spans ended elsewhere, no TSC, too deep. */
static WFT_COLD WeftTargetOpened
open_slow (void)
{
  WftWriter *writer = wft_self;
  WeftTargetOpened opened = { 0, 0 };

  if (writer->nest == 0)
    writer = begin_slow ();
  if (writer != NULL)
    {
      forget_foreign (writer);
      writer->depth++;
      opened.nest = writer->nest | (writer->depth <= UINT16_MAX ? writer->depth : UINT16_MAX);
    }
  opened.start = wft_now ();
  return opened;
}

WeftTargetOpened
weft_target_span_open (void)
{
  WftWriter *writer = wft_self;
  const uint32_t depth = writer->depth + 1;
  WeftTargetOpened opened;

  if (WFT_UNLIKELY (writer->nest == 0 || WFT_LOAD (&writer->foreign_ends) != 0
                    || depth > UINT16_MAX || !wft_clock_is_tsc ()))
    return open_slow ();
  writer->depth = depth;
  opened.nest = writer->nest | depth;
  opened.start = wft_tsc ();
  return opened;
}

static WFT_COLD uint16_t
end_foreign (uint64_t nest)
{
  WftRuntime *runtime = wft_runtime;
  WftWriter *writer;

  if (nest == 0 || runtime == NULL)
    return 0;
  writer = &runtime->writers[(nest >> 16) & 0xffff];
  if (WFT_LOAD (&writer->nest) >> 16 == nest >> 16)
    WFT_ADD (&writer->foreign_ends, 1);
  return 0;
}

static inline uint16_t
end_nest (WftWriter *writer, uint64_t nest)
{
  if (WFT_UNLIKELY ((writer->nest ^ nest) >> 16 != 0))
    return end_foreign (nest);
  writer->depth -= writer->depth > 0;
  return (uint16_t) nest;
}

uint16_t
wft_span_depth (uint64_t nest)
{
  return end_nest (wft_self, nest);
}

static WFT_COLD void
close_slow (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start, uint64_t end,
            uint64_t nest)
{
  if (end == 0)
    end = wft_now ();
  wft_span_general (lane, routine, start, end, wft_span_depth (nest), true);
}

void
weft_target_span_close (WeftTargetLane *lane, WeftTargetRoutine *routine, uint64_t start,
                        uint64_t nest)
{
  WftWriter *writer = wft_self;
  uint64_t *words;
  uint32_t id;
  uint64_t end;

  if (WFT_UNLIKELY (!wft_clock_is_tsc () || lane == NULL || routine == NULL))
    {
      close_slow (lane, routine, start, 0, nest);
      return;
    }
  end = wft_tsc ();
  id = WFT_LOAD (&routine->id);
  if (WFT_UNLIKELY (id == 0 || lane->scoped_id == 0 || (writer->nest ^ nest) >> 16 != 0
                    || !wft_ready (writer)
                    || (words = wft_begin (writer, sizeof (WeftWireSpan))) == NULL))
    {
      close_slow (lane, routine, start, end, nest);
      return;
    }
  writer->depth -= writer->depth > 0;
  put_span (writer, words, lane->scoped_id, id, start, end, (uint16_t) nest);
}
