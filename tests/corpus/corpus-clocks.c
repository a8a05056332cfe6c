/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes whose times are of other clocks. */

#include "corpus.h"

#define FREQUENCY 24e6
#define DRIFT 1.0001 /* a tenth of a millisecond each second */

static uint64_t
device_ticks (uint64_t monotonic)
{
  uint64_t since = monotonic - corpus_time (0);

  return 1000000 + (uint64_t) ((double) since * (FREQUENCY / 1e9) * DRIFT);
}

/* The device was read within 2 µs. */
static void
calibrate (uint32_t clock, uint64_t since_base)
{
  uint64_t time = corpus_time (since_base);

  weft_target_clock_calibrate (clock, device_ticks (time), corpus_ticks (time - US),
                               corpus_ticks (time + US));
}

static void
emit (CorpusLane *lane, const char *name, uint64_t start, uint64_t duration)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane, name, start, duration);

  dispatch.start = device_ticks (corpus_time (start));
  dispatch.end = device_ticks (corpus_time (start + duration));
  corpus_emit (lane, &dispatch);
}

/* Pairs before, between and after the dispatches. */
static void
clock_device (void)
{
  uint32_t clock = weft_target_clock_new ("device", FREQUENCY);
  CorpusLane *lane = corpus_lane_full ("device queue", "metal.queue", NULL, clock);

  for (uint64_t part = 0; part < 4; part++)
    {
      calibrate (clock, part * 100 * MS);
      corpus_settle ();
      for (uint64_t i = 0; i < 10; i++)
        emit (lane, "clock-device", (part * 100 + i * 10) * MS, 5 * MS);
    }
  calibrate (clock, 400 * MS);
  corpus_settle ();
}

/* With one pair there is no line to convert by. */
static void
clock_one_pair (void)
{
  uint32_t clock = weft_target_clock_new ("calibrated once", FREQUENCY);
  CorpusLane *lane = corpus_lane_full ("once calibrated queue", "metal.queue", NULL, clock);

  calibrate (clock, 100 * MS);
  for (uint64_t i = 0; i < 3; i++)
    emit (lane, "clock-one-pair", (90 + i * 10) * MS, 5 * MS);
}

static void
clock_uncalibrated (void)
{
  uint32_t clock = weft_target_clock_new ("never calibrated", 0);
  CorpusLane *lane = corpus_lane_full ("uncalibrated queue", "metal.queue", NULL, clock);

  for (uint64_t i = 0; i < 5; i++)
    emit (lane, "clock-uncalibrated", i * 10 * MS, 5 * MS);
}

static void
clock_runtime (void)
{
  CorpusLane *lane =
      corpus_lane_full ("runtime clock", "frameloop.loop", NULL, WEFT_TARGET_CLOCK_RUNTIME);

  for (uint64_t i = 0; i < 5; i++)
    corpus_span (lane, "clock-runtime", i * 10 * MS, 5 * MS);
}

static const CorpusCase cases[] = {
  { "clock-device", "a device's clock of 24 MHz that runs fast by a ten thousandth; five pairs",
    "lane `device queue`: 40 × 5 ms (± 50 ns) with their ticks, 10 ms apart; 5 clock pairs",
    clock_device },
  { "clock-one-pair", "a device's clock with a single pair",
    "lane `once calibrated queue`: 3 dispatches at the pair's time, without duration, with their "
    "ticks and the mark extrapolated",
    clock_one_pair },
  { "clock-uncalibrated", "a device's clock without any pair",
    "lane `uncalibrated queue`: no dispatch, 5 rejected as no-clock", clock_uncalibrated },
  { "clock-runtime", "the clock of the library", "lane `runtime clock`: 5 × 5 ms, 10 ms apart",
    clock_runtime },
};

const CorpusGroup corpus_clocks = { "clocks", cases, N_ELEMENTS (cases) };
