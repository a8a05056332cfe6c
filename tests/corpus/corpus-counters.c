/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counter sets, whether they can be had, and their samples. */

#include "corpus.h"

static CorpusLane *
lane (void)
{
  return corpus_lane ("counters", "metal.queue");
}

static const WeftTargetCounter statistics[] = {
  { .name = "cycles",
    .unit = WEFT_TARGET_UNIT_CYCLES,
    .kind = WEFT_TARGET_COUNTER,
    .aggregation = WEFT_TARGET_AGGREGATE_SUM,
    .value_type = WEFT_TARGET_VALUE_U64 },
  { .name = "clock drift",
    .unit = WEFT_TARGET_UNIT_NANOSECONDS,
    .kind = WEFT_TARGET_GAUGE,
    .aggregation = WEFT_TARGET_AGGREGATE_LAST,
    .value_type = WEFT_TARGET_VALUE_I64 },
  { .name = "occupancy",
    .unit = WEFT_TARGET_UNIT_PERCENT,
    .kind = WEFT_TARGET_HISTOGRAM,
    .aggregation = WEFT_TARGET_AGGREGATE_MEAN,
    .value_type = WEFT_TARGET_VALUE_F64 },
};

#define N_STATISTICS N_ELEMENTS (statistics)

/* The same one each time. */
static uint32_t
statistics_set (void)
{
  static const WeftTargetCounterState present = { .availability = WEFT_TARGET_PRESENT,
                                                  .probe =
                                                      "sampled a dispatch of one thread: 3 values",
                                                  .overhead_text = "two reads of a register",
                                                  .has_overhead = true,
                                                  .overhead = 250 };
  static uint32_t set;

  if (set == 0)
    set = weft_target_counter_set_new ("statistics", statistics, N_STATISTICS, &present);
  return set;
}

static void
fill (WeftTargetCounterValue *values, uint64_t cycles, int64_t drift, double occupancy)
{
  values[0] = (WeftTargetCounterValue){ .value.u64 = cycles };
  values[1] = (WeftTargetCounterValue){ .value.i64 = drift };
  values[2] = (WeftTargetCounterValue){ .value.f64 = occupancy };
}

static void
emit (const char *name, uint64_t start, const WeftTargetCounterSample *samples, size_t n)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, start, MS);

  dispatch.samples = samples;
  dispatch.n_samples = n;
  corpus_emit (lane (), &dispatch);
}

/* ---- Availability ---- */

static void
counter_types (void)
{
  WeftTargetCounterValue values[N_STATISTICS];
  const WeftTargetCounterSample sample = { .set = statistics_set (),
                                           .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                           .ticks = corpus_ticks (corpus_time (11 * MS)),
                                           .values = values,
                                           .n_values = N_STATISTICS };

  fill (values, UINT64_MAX, -1500, 62.5);
  emit ("counter-types", 10 * MS, &sample, 1);
}

static void
counter_availability (void)
{
  static const WeftTargetCounterState states[] = {
    { .availability = WEFT_TARGET_DISABLED,
      .reason = "the user left it out",
      .probe = "not tried" },
    { .availability = WEFT_TARGET_UNSUPPORTED,
      .reason = "the device has no counters of its stages",
      .probe = "asked for counter sets: found statistics only" },
    { .availability = WEFT_TARGET_FAILING,
      .reason = "sample buffer could not be made",
      .probe = "error 12: out of memory",
      .overhead_text = "unknown" }
  };
  static const char *const names[] = { "counter-disabled", "counter-unsupported",
                                       "counter-failing" };

  for (size_t i = 0; i < N_ELEMENTS (states); i++)
    weft_target_counter_set_new (names[i], statistics, 1, &states[i]);
}

static void
counter_changes (void)
{
  static const WeftTargetCounterState failing = { .availability = WEFT_TARGET_FAILING,
                                                  .reason = "another tool holds the counters" };
  static const WeftTargetCounterState back = { .availability = WEFT_TARGET_PRESENT,
                                               .reason = "the other tool ended" };
  uint32_t set = weft_target_counter_set_new ("counter-changes", statistics, 1, &failing);

  weft_target_counter_set_update (set, &back);
}

static void
counter_units (void)
{
  static const char *const names[] = { "plain",   "ticks", "cycles",      "invocations", "bytes",
                                       "percent", "count", "nanoseconds", "watts" };
  WeftTargetCounter counters[WEFT_TARGET_UNIT_NAMED + 1];
  WeftTargetCounterValue values[WEFT_TARGET_UNIT_NAMED + 1];
  const WeftTargetCounterState present = { .availability = WEFT_TARGET_PRESENT };
  WeftTargetCounterSample sample = { .values = values, .n_values = N_ELEMENTS (values) };

  for (size_t i = 0; i < N_ELEMENTS (counters); i++)
    {
      counters[i] = (WeftTargetCounter){
        .name = names[i],
        .unit = (WeftTargetUnit) i,
        .unit_name = i == WEFT_TARGET_UNIT_NAMED ? "W" : NULL,
        .kind = (WeftTargetMetricKind) (i % 3),
        .aggregation = (WeftTargetAggregation) (i % 5),
      };
      values[i] = (WeftTargetCounterValue){ .value.u64 = 100 + i };
    }
  sample.set =
      weft_target_counter_set_new ("counter-units", counters, N_ELEMENTS (counters), &present);
  emit ("counter-units", 20 * MS, &sample, 1);
}

/* ---- Samples ---- */

static void
counter_points (void)
{
  WeftTargetCounterValue values[WEFT_TARGET_POINT_NAMED + 1][N_STATISTICS];
  WeftTargetCounterSample samples[WEFT_TARGET_POINT_NAMED + 1];

  for (size_t i = 0; i < N_ELEMENTS (samples); i++)
    {
      fill (values[i], i, (int64_t) i, (double) i);
      samples[i] = (WeftTargetCounterSample){
        .set = statistics_set (),
        .point = (WeftTargetSamplePoint) i,
        .point_name = i == WEFT_TARGET_POINT_NAMED ? "after tile 3" : NULL,
        .ticks = corpus_ticks (corpus_time (30 * MS + i * 100 * US)),
        .values = values[i],
        .n_values = N_STATISTICS,
      };
    }
  emit ("counter-points", 30 * MS, samples, N_ELEMENTS (samples));
}

static void
counter_errors (void)
{
  WeftTargetCounterValue values[N_STATISTICS];
  const WeftTargetCounterSample sample = { .set = statistics_set (),
                                           .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                           .values = values,
                                           .n_values = N_STATISTICS };

  fill (values, 0, 0, 0);
  values[0].is_error = values[2].is_error = true;
  emit ("counter-errors", 40 * MS, &sample, 1);
}

static void
counter_late (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "counter-late", 50 * MS, MS);
  WeftTargetCounterValue values[N_STATISTICS];
  const WeftTargetCounterSample sample = { .set = statistics_set (),
                                           .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
                                           .ticks = corpus_ticks (corpus_time (55 * MS)),
                                           .values = values,
                                           .n_values = N_STATISTICS };

  dispatch.id = weft_target_id_new ();
  corpus_emit (lane (), &dispatch);
  fill (values, 777, -7, 7.75);
  weft_target_report_samples (lane ()->lane, dispatch.id, 0, &sample, 1);
}

static void
counter_submission (void)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "counter-submission", 60 * MS, MS);
  WeftTargetCounterValue values[2][N_STATISTICS];
  WeftTargetCounterSample samples[2];

  for (size_t i = 0; i < 2; i++)
    {
      fill (values[i], 1000 * (i + 1), 0, 50);
      samples[i] = (WeftTargetCounterSample){
        .set = statistics_set (),
        .point = i == 0 ? WEFT_TARGET_POINT_SUBMISSION_BEGIN : WEFT_TARGET_POINT_SUBMISSION_END,
        .ticks = corpus_ticks (corpus_time ((60 + i) * MS)),
        .values = values[i],
        .n_values = N_STATISTICS,
      };
    }
  dispatch.submission = weft_target_id_new ();
  corpus_emit (lane (), &dispatch);
  weft_target_submission (
      &(WeftTargetSubmissionEvent){ .lane = lane ()->lane,
                                    .submission = dispatch.submission,
                                    .kind = WEFT_TARGET_SUBMISSION_COMPLETED,
                                    .ticks = corpus_ticks (corpus_time (61 * MS)),
                                    .samples = samples,
                                    .n_samples = 2 });
}

static const CorpusCase cases[] = {
  { "counter-types", "a present set, with a value of each type",
    "set `statistics`, present, 250 ns a sample; u64 2⁶⁴ − 1, i64 −1500, f64 62.5", counter_types },
  { "counter-availability", "sets that are disabled, unsupported and failing",
    "sets `counter-disabled`, `counter-unsupported`, `counter-failing` with reason and probe, no "
    "overhead, no samples",
    counter_availability },
  { "counter-changes", "a set that fails and then is there",
    "set `counter-changes` with two states, failing and present", counter_changes },
  { "counter-units", "a counter of each unit, kind and aggregation",
    "set `counter-units` of 9 counters with values 100 to 108; the last in `W`", counter_units },
  { "counter-points", "a sample at each point",
    "8 samples, points 0 to 7, the last named `after tile 3`, 100 µs apart", counter_points },
  { "counter-errors", "values that resolved to errors", "is_error 1, 0, 1; no time",
    counter_errors },
  { "counter-late", "a sample that is reported after its dispatch",
    "777, −7, 7.75 joined with the dispatch", counter_late },
  { "counter-submission", "samples of a submission",
    "2 samples of the dispatch's submission, 1000 and 2000 cycles, of no dispatch",
    counter_submission },
};

const CorpusGroup corpus_counters = { "counters", cases, N_ELEMENTS (cases) };
