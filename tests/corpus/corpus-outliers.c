/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Routines that take the same time but for once, and what was different then. */

#include "corpus.h"

#define COUNT 60
#define ODD_ONE 41
#define USUAL (1000 * US)
#define UNUSUAL (9 * MS)
#define USUAL_DELAY (50 * US)
#define UNUSUAL_DELAY (25 * MS)
#define USUAL_SIZE (UINT64_C (1) << 20)
#define UNUSUAL_SIZE (UINT64_C (64) << 20)
#define USUAL_MISSES 1000
#define UNUSUAL_MISSES 90000

/* Within 1 %, always in the same order. */
static uint64_t
jitter (uint64_t i)
{
  return i * 7919 % 21 * (US / 2);
}

/* On a lane of the same name. */
static CorpusLane *
lane (const char *name)
{
  return corpus_lane (name, "metal.queue");
}

static WeftTargetDispatch
nth (const char *name, uint64_t i)
{
  return corpus_dispatch (lane (name), name, i * 6 * MS + 30 * MS,
                          i == ODD_ONE ? UNUSUAL : USUAL + jitter (i));
}

static void
outlier_queue_delay (void)
{
  for (uint64_t i = 0; i < COUNT; i++)
    {
      WeftTargetDispatch dispatch = nth ("outlier-queue-delay", i);
      uint64_t delay = i == ODD_ONE ? UNUSUAL_DELAY : USUAL_DELAY;

      dispatch.submitted = corpus_ticks (dispatch.start - delay);
      dispatch.has_queue_wait = true;
      dispatch.queue_wait = dispatch.queue_wait_last = delay;
      corpus_emit (lane ("outlier-queue-delay"), &dispatch);
    }
}

static void
outlier_size (void)
{
  for (uint64_t i = 0; i < COUNT; i++)
    {
      WeftTargetDispatch dispatch = nth ("outlier-size", i);
      const WeftTargetAttachment input = { .kind = "tensor",
                                           .label = "activations",
                                           .role = "input",
                                           .slot = 0,
                                           .access = WEFT_TARGET_ACCESS_READ,
                                           .size = i == ODD_ONE ? UNUSUAL_SIZE : USUAL_SIZE };

      dispatch.attachments = &input;
      dispatch.n_attachments = 1;
      corpus_emit (lane ("outlier-size"), &dispatch);
    }
}

static void
outlier_counter (void)
{
  static const WeftTargetCounter counter = { .name = "cache misses",
                                             .unit = WEFT_TARGET_UNIT_COUNT,
                                             .kind = WEFT_TARGET_COUNTER };
  static const WeftTargetCounterState present = { .availability = WEFT_TARGET_PRESENT };
  uint32_t set = weft_target_counter_set_new ("cache", &counter, 1, &present);

  for (uint64_t i = 0; i < COUNT; i++)
    {
      WeftTargetDispatch dispatch = nth ("outlier-counter", i);
      const WeftTargetCounterValue misses = { .value.u64 = i == ODD_ONE ? UNUSUAL_MISSES
                                                                        : USUAL_MISSES + i % 7 };
      const WeftTargetCounterSample sample = { .set = set,
                                               .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                               .ticks = corpus_ticks (dispatch.end),
                                               .values = &misses,
                                               .n_values = 1 };

      dispatch.samples = &sample;
      dispatch.n_samples = 1;
      corpus_emit (lane ("outlier-counter"), &dispatch);
    }
}

/* Ticks of a loop, of which one of the systems is slow once. */
static void
outlier_phase (void)
{
  CorpusLane *loop = corpus_lane ("outlier-phase", "frameloop.loop");

  for (uint64_t i = 0; i < COUNT; i++)
    {
      const uint64_t usual = USUAL + jitter (i), longer = i == ODD_ONE ? UNUSUAL - usual : 0;
      WeftTargetDispatch dispatch =
          corpus_dispatch (loop, "outlier-phase", i * 6 * MS + 30 * MS, usual + longer);
      const WeftTargetPhase phases[] = {
        { .name = "commands", .duration = 100 * US },
        { .name = "system:physics",
          .offset = 100 * US,
          .duration = 500 * US + longer,
          .flags = i == ODD_ONE ? WEFT_TARGET_PHASE_SLOW : 0 },
        { .name = "system:ai", .offset = 600 * US + longer, .duration = 300 * US },
      };
      const WeftTargetTag tick = { .key = "tick",
                                   .type = WEFT_TARGET_VALUE_U64,
                                   .value.u64 = i + 1 };

      dispatch.phases = phases;
      dispatch.n_phases = N_ELEMENTS (phases);
      dispatch.tags = &tick;
      dispatch.n_tags = 1;
      corpus_emit (loop, &dispatch);
    }
}

/* Nothing tells why. */
static void
outlier_unexplained (void)
{
  for (uint64_t i = 0; i < COUNT; i++)
    {
      WeftTargetDispatch dispatch = nth ("outlier-unexplained", i);

      corpus_emit (lane ("outlier-unexplained"), &dispatch);
    }
}

static const CorpusCase cases[] = {
  { "outlier-queue-delay", "59 dispatches of 1 ms ± 1 %, one of 9 ms that waited 25 ms",
    "lane and routine `outlier-queue-delay`: the 42nd takes 9 ms; queue wait 25 ms, 50 µs of the "
    "others",
    outlier_queue_delay },
  { "outlier-size", "59 dispatches of 1 ms ± 1 %, one of 9 ms with a large input",
    "lane and routine `outlier-size`: the 42nd takes 9 ms; attachment of 64 MiB, 1 MiB of the "
    "others",
    outlier_size },
  { "outlier-counter", "59 dispatches of 1 ms ± 1 %, one of 9 ms that missed the cache",
    "lane and routine `outlier-counter`: the 42nd takes 9 ms; 90,000 cache misses, 1000 to 1006 of "
    "the others",
    outlier_counter },
  { "outlier-phase", "59 ticks of 1 ms ± 1 %, one of 9 ms in which a system was slow",
    "lane of kind `frameloop.loop` and routine `outlier-phase`: the 42nd takes 9 ms, of which "
    "phase "
    "`system:physics` has all but 0.5 ms, 0.5 ms of the others; tag `tick` from 1",
    outlier_phase },
  { "outlier-unexplained", "59 dispatches of 1 ms ± 1 %, one of 9 ms, for no reason told",
    "lane and routine `outlier-unexplained`: the 42nd takes 9 ms", outlier_unexplained },
};

const CorpusGroup corpus_outliers = { "outliers", cases, N_ELEMENTS (cases) };
