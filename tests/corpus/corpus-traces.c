/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows across lanes, and what sampling leaves out. */

#include "corpus.h"

#define SAMPLED_OUT 25
#define SHARED 400

static CorpusLane *
lane (const char *name)
{
  return corpus_lane (name, "executor.worker");
}

/* Two dispatches on each of two lanes. */
static void
work_for (const WeftTargetTrace *trace, const char *name, uint64_t start)
{
  for (uint64_t i = 0; i < 4; i++)
    {
      CorpusLane *on = lane (i % 2 == 0 ? "workflow front" : "workflow back");
      WeftTargetDispatch dispatch = corpus_dispatch (on, name, start + i * 2 * MS, MS);

      dispatch.trace = trace;
      corpus_emit (on, &dispatch);
    }
}

static void
trace_ok (void)
{
  WeftTargetTrace trace = weft_target_trace_new ("trace-ok");

  work_for (&trace, "trace-ok", 10 * MS);
  corpus_sleep (MS);
  weft_target_trace_end (&trace, "trace-ok", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, NULL);
}

static void
trace_error (void)
{
  static const WeftTargetErrorDetail error = { "StepFailed", "the second step failed", NULL,
                                               "no input" };
  WeftTargetTrace trace = weft_target_trace_new ("trace-error");

  work_for (&trace, "trace-error", 20 * MS);
  weft_target_trace_end (&trace, "trace-error", WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_EXCEPTION,
                         &error);
}

static void
trace_canceled (void)
{
  WeftTargetTrace trace = weft_target_trace_new ("trace-canceled");

  weft_target_trace_end (&trace, "trace-canceled", WEFT_TARGET_CANCELED, WEFT_TARGET_ERROR_NONE,
                         NULL);
}

static void
trace_open (void)
{
  WeftTargetTrace trace = weft_target_trace_new ("trace-open");

  work_for (&trace, "trace-open", 40 * MS);
}

static void
trace_unsampled (void)
{
  WeftTargetTrace trace;

  weft_target_set_sampling (0);
  trace = weft_target_trace_new ("trace-unsampled");
  work_for (&trace, "trace-unsampled", 50 * MS);
  weft_target_trace_end (&trace, "trace-unsampled", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, NULL);
  weft_target_set_sampling (1);
}

static void
sampling_none (void)
{
  CorpusLane *sampled = lane ("sampled");

  corpus_span (sampled, "sampling-none", 60 * MS, MS);
  weft_target_set_sampling (0);
  for (uint64_t i = 0; i < SAMPLED_OUT; i++)
    corpus_span (sampled, "sampling-none", (61 + i) * MS, MS);
  weft_target_set_sampling (1);
}

static void
sampling_share (void)
{
  CorpusLane *shared = lane ("sampled by share");

  weft_target_set_sampling (0.25);
  for (uint64_t i = 0; i < SHARED; i++)
    corpus_span (shared, "sampling-share", i * 900 * US, 500 * US);
  weft_target_set_sampling (1);
}

static const CorpusCase cases[] = {
  { "trace-ok", "a workflow over two lanes that goes well",
    "status ok, a duration; 2 dispatches on each of `workflow front` and `workflow back`",
    trace_ok },
  { "trace-error", "a workflow that fails",
    "status error, kind exception, with detail; 4 "
    "dispatches",
    trace_error },
  { "trace-canceled", "a workflow that is canceled at once", "status canceled, no dispatch",
    trace_canceled },
  { "trace-open", "a workflow that never ends", "a start and no duration; 4 dispatches",
    trace_open },
  { "trace-unsampled", "a workflow that is not sampled",
    "no trace, no dispatch; 2 sampled out on each of its lanes", trace_unsampled },
  { "sampling-none", "25 dispatches while none is sampled",
    "lane `sampled`: 1 dispatch, 25 sampled out", sampling_none },
  { "sampling-share", "400 dispatches while a quarter is sampled, by chance",
    "lane `sampled by share`: completed and sampled out are 400", sampling_share, .varies = true },
};

const CorpusGroup corpus_traces = { "traces", cases, N_ELEMENTS (cases) };
