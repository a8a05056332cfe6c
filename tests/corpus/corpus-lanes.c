/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lanes of many kinds, told apart by nothing but the kind that they were given. */

#include "corpus.h"

#include <stdio.h>

#define MAX_ROUTINES 4
#define SETTLE_EVERY 65536

/* COUNT dispatches, one each PERIOD; each takes SHORTEST and up to SPREAD more, by a fixed
 * sequence. The routines take turns.
 */
typedef struct
{
  const char *name;
  const char *kind;
  const char *routines[MAX_ROUTINES];
  uint32_t n_routines;
  uint32_t count;
  uint64_t period;
  uint64_t shortest;
  uint64_t spread;
} Traffic;

/* With a scale of N, there are N times as many in the same time. */
static void
flow (const Traffic *traffic, CorpusLane *parent)
{
  CorpusLane *lane =
      corpus_lane_full (traffic->name, traffic->kind, parent, WEFT_TARGET_CLOCK_MONOTONIC);
  WeftTargetRoutine *routines[MAX_ROUTINES];
  uint64_t random = 20260101 + traffic->count;
  uint64_t n = traffic->count * corpus_scale;

  for (uint32_t i = 0; i < traffic->n_routines; i++)
    routines[i] = weft_target_routine_new (traffic->routines[i]);
  for (uint64_t i = 0; i < n; i++)
    {
      uint64_t start = corpus_time (i * traffic->period / corpus_scale), duration;

      random = random * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
      duration = (traffic->shortest + (random >> 33) % traffic->spread) / corpus_scale;
      weft_target_span (lane->lane, routines[i % traffic->n_routines], start, start + duration);
      if (i % SETTLE_EVERY == SETTLE_EVERY - 1)
        corpus_settle ();
    }
  corpus_count (lane, n);
}

static void
lane_metal (void)
{
  flow (&(Traffic){ .name = "GPU queue 0",
                    .kind = "metal.queue",
                    .routines = { "gemm_q4", "rms_norm", "softmax", "rope" },
                    .n_routines = 4,
                    .count = 80,
                    .period = 5 * MS,
                    .shortest = 800 * US,
                    .spread = 3 * MS },
        NULL);
}

static void
lane_model (void)
{
  flow (&(Traffic){ .name = "language model",
                    .kind = "model.operator",
                    .routines = { "attention", "feed_forward", "layer_norm" },
                    .n_routines = 3,
                    .count = 60,
                    .period = 6 * MS,
                    .shortest = 1500 * US,
                    .spread = 4 * MS },
        NULL);
}

static void
lane_database (void)
{
  flow (&(Traffic){ .name = "orders database",
                    .kind = "database.query",
                    .routines = { "SELECT orders", "UPDATE stock", "INSERT audit" },
                    .n_routines = 3,
                    .count = 40,
                    .period = 10 * MS,
                    .shortest = 200 * US,
                    .spread = 8 * MS },
        NULL);
}

static void
lane_jit (void)
{
  flow (&(Traffic){ .name = "script engine",
                    .kind = "jit.stage",
                    .routines = { "parse", "baseline", "optimize", "deoptimize" },
                    .n_routines = 4,
                    .count = 24,
                    .period = 15 * MS,
                    .shortest = 100 * US,
                    .spread = 12 * MS },
        NULL);
}

static void
lane_storage (void)
{
  flow (&(Traffic){ .name = "nvme0n1",
                    .kind = "storage.request",
                    .routines = { "read", "write", "flush" },
                    .n_routines = 3,
                    .count = 64,
                    .period = 6 * MS,
                    .shortest = 80 * US,
                    .spread = 900 * US },
        NULL);
}

static void
lane_network (void)
{
  flow (&(Traffic){ .name = "api.example",
                    .kind = "network.request",
                    .routines = { "GET /orders", "POST /payments" },
                    .n_routines = 2,
                    .count = 32,
                    .period = 12 * MS,
                    .shortest = 2 * MS,
                    .spread = 9 * MS },
        NULL);
}

static void
lane_executor (void)
{
  CorpusLane *pool = corpus_lane ("worker pool", "executor.pool");

  for (uint32_t i = 0; i < 4; i++)
    {
      char name[32];

      snprintf (name, sizeof name, "worker %u", i);
      flow (&(Traffic){ .name = name,
                        .kind = "executor.worker",
                        .routines = { "fetch", "decode", "store" },
                        .n_routines = 3,
                        .count = 25 + i,
                        .period = 14 * MS,
                        .shortest = 500 * US,
                        .spread = 12 * MS },
            pool);
    }
}

static void
lane_codec (void)
{
  flow (&(Traffic){ .name = "video decoder",
                    .kind = "codec.element",
                    .routines = { "decode_slice", "deblock", "scale_frame" },
                    .n_routines = 3,
                    .count = 48,
                    .period = 8 * MS,
                    .shortest = 900 * US,
                    .spread = 5 * MS },
        NULL);
}

static void
lane_frames (void)
{
  flow (&(Traffic){ .name = "frame loop",
                    .kind = "frameloop.loop",
                    .routines = { "frame" },
                    .n_routines = 1,
                    .count = 24,
                    .period = 16666667,
                    .shortest = 6 * MS,
                    .spread = 10 * MS },
        NULL);
}

static const CorpusCase cases[] = {
  { "lane-metal", "a queue of a GPU",
    "lane `GPU queue 0` of kind `metal.queue`, 80 dispatches of "
    "4 routines, in turns",
    lane_metal },
  { "lane-model", "the operators of a model runtime",
    "lane `language model` of kind `model.operator`, 60 dispatches of 3 routines", lane_model },
  { "lane-database", "queries of a database",
    "lane `orders database` of kind `database.query`, 40 dispatches of 3 routines", lane_database },
  { "lane-jit", "stages of a just-in-time compiler",
    "lane `script engine` of kind `jit.stage`, 24 dispatches of 4 routines", lane_jit },
  { "lane-storage", "requests to a disk",
    "lane `nvme0n1` of kind `storage.request`, 64 dispatches of 3 routines", lane_storage },
  { "lane-network", "requests over the network",
    "lane `api.example` of kind `network.request`, 32 dispatches of 2 routines", lane_network },
  { "lane-executor", "a pool of four workers, each a lane of its own",
    "lane `worker pool` of kind `executor.pool` without dispatches, parent of `worker 0` to "
    "`worker "
    "3` of kind `executor.worker` with 25, 26, 27 and 28",
    lane_executor },
  { "lane-codec", "an element of a video pipeline",
    "lane `video decoder` of kind `codec.element`, 48 dispatches of 3 routines", lane_codec },
  { "lane-frames", "a frame loop",
    "lane `frame loop` of kind `frameloop.loop`, 24 dispatches of `frame`, one each 16.67 ms",
    lane_frames },
};

const CorpusGroup corpus_lanes = { "lanes", cases, N_ELEMENTS (cases) };
