/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers over time, and warnings. */

#include "corpus.h"

#define POINTS 10

static CorpusLane *
lane (void)
{
  return corpus_lane ("metrics", "executor.pool");
}

/* A point each 10 ms. */
static void
report (WeftTargetMetric *metric, const double *values, const WeftTargetTag *tags, size_t n_tags)
{
  for (uint64_t i = 0; i < POINTS; i++)
    weft_target_metric_report_full (metric, values[i],
                                    corpus_ticks (corpus_time ((10 + i * 10) * MS)), tags, n_tags);
}

static void
metric_counter (void)
{
  static const double values[POINTS] = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55 };
  const WeftTargetTag tag = corpus_tag ("pool", "north");

  corpus_settle ();
  report (weft_target_metric_new (lane ()->lane, WEFT_TARGET_COUNTER, "metric-counter",
                                  WEFT_TARGET_UNIT_INVOCATIONS, NULL, &tag, 1),
          values, NULL, 0);
}

static void
metric_gauge (void)
{
  static const double values[POINTS] = { 0, 4, 9, 3, -1, 0, 0, 12, 7, 2.5 };

  report (weft_target_metric_new (lane ()->lane, WEFT_TARGET_GAUGE, "metric-gauge",
                                  WEFT_TARGET_UNIT_NAMED, "tasks", NULL, 0),
          values, NULL, 0);
}

/* Each observation says more of itself. */
static void
metric_histogram (void)
{
  static const double values[POINTS] = { 1.5, 2, 2, 2.25, 3, 3, 4, 8, 16, 120 };
  const WeftTargetTag tags[] = { corpus_tag ("region", "eu"),
                                 { "retry", WEFT_TARGET_VALUE_BOOL, { .boolean = true } } };

  report (weft_target_metric_new (lane ()->lane, WEFT_TARGET_HISTOGRAM, "metric-histogram",
                                  WEFT_TARGET_UNIT_NANOSECONDS, NULL, NULL, 0),
          values, tags, N_ELEMENTS (tags));
}

static void
metric_units (void)
{
  static const char *const names[] = { "metric-plain",       "metric-ticks",       "metric-cycles",
                                       "metric-invocations", "metric-bytes",       "metric-percent",
                                       "metric-count",       "metric-nanoseconds", "metric-named" };

  for (size_t i = 0; i < N_ELEMENTS (names); i++)
    weft_target_metric_report_full (
        weft_target_metric_new (lane ()->lane, WEFT_TARGET_GAUGE, names[i], (WeftTargetUnit) i,
                                i == WEFT_TARGET_UNIT_NAMED ? "km/h" : NULL, NULL, 0),
        (double) i, corpus_ticks (corpus_time (10 * MS)), NULL, 0);
}

static void
warning_severities (void)
{
  static const char *const codes[] = { "cold-cache", "over-budget", "starving" };
  static const char *const messages[] = { "the first frame compiles its pipelines",
                                          "a frame took more than its budget",
                                          "no worker took a task for long" };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "warning-severities", 110 * MS, 24 * MS);
  const WeftTargetTag tag = corpus_tag ("frame", "17");

  dispatch.id = weft_target_id_new ();
  corpus_emit (lane (), &dispatch);
  for (size_t i = 0; i < N_ELEMENTS (codes); i++)
    weft_target_warn (&(WeftTargetWarning){ .lane = lane ()->lane,
                                            .severity = (WeftTargetSeverity) i,
                                            .code = codes[i],
                                            .message = messages[i],
                                            .dispatch = i == 1 ? dispatch.id : 0,
                                            .ticks = corpus_ticks (corpus_time ((134 + i) * MS)),
                                            .value = 24 * (double) i,
                                            .threshold = 16.667,
                                            .tags = &tag,
                                            .n_tags = i == 1 });
}

static const CorpusCase cases[] = {
  { "metric-counter", "a counter that is added to each 10 ms, with a tag",
    "lane `metrics`: 10 points, 143 in all, invocations; tag `pool` of the metric",
    metric_counter },
  { "metric-gauge", "a gauge in a unit of its own, negative once",
    "10 points, −1 to 12, in `tasks`", metric_gauge },
  { "metric-histogram", "observations with tags of their own",
    "10 points, 1.5 to 120, nanoseconds; `region` and `retry` of each", metric_histogram },
  { "metric-units", "a gauge of each unit",
    "9 gauges `metric-…`, one point each, units 0 to 8, the "
    "last in `km/h`",
    metric_units },
  { "warning-severities", "a warning of each severity, one about a dispatch",
    "3 warnings, severities 0 to 2, values 0, 24, 48 against 16.667; the second names the dispatch "
    "and has a tag",
    warning_severities },
};

const CorpusGroup corpus_metrics = { "metrics", cases, N_ELEMENTS (cases) };
