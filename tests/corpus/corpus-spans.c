/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Spans: plain, with ids, nested, ended elsewhere. */

#include "corpus.h"

static CorpusLane *
lane (void)
{
  return corpus_lane ("spans", "threadpool.worker");
}

static void
span_plain (void)
{
  corpus_span (lane (), "span-plain", 10 * MS, 2 * MS);
}

static void
span_ids (void)
{
  const WeftTargetIds ids = { .id = weft_target_id_new (), .submission = weft_target_id_new () };
  uint64_t start = corpus_time (20 * MS);

  weft_target_span_with_ids (lane ()->lane, weft_target_routine_new ("span-ids"), start,
                             start + 2 * MS, &ids);
  corpus_count (lane (), 1);
}

/* The shortest, and one of nearly the whole window. */
static void
span_extremes (void)
{
  static const uint64_t durations[] = { 0, 1, 390 * MS };
  CorpusLane *extremes = corpus_lane ("extremes", "threadpool.worker");

  for (size_t i = 0; i < N_ELEMENTS (durations); i++)
    corpus_span (extremes, "span-extremes", i * MS, durations[i]);
}

static void
span_overlapping (void)
{
  CorpusLane *overlapping = corpus_lane ("overlapping", "network.request");

  for (uint64_t i = 0; i < 5; i++)
    corpus_span (overlapping, "span-overlapping", (10 + 2 * i) * MS, 7 * MS);
}

/* ---- Nested, with times that are the same each time ---- */

typedef struct
{
  const char *name;
  uint64_t start;
  uint64_t duration;
  int depth;
} Nested;

/* Begun in order, ended inner first: as a program does, but with times of our own. */
static void
span_nested (void)
{
  static const Nested spans[] = { { "span-nested", 30 * MS, 20 * MS, 1 },
                                  { "span-nested-child", 32 * MS, 10 * MS, 2 },
                                  { "span-nested-leaf", 34 * MS, 3 * MS, 3 },
                                  { "span-nested-leaf", 38 * MS, 2 * MS, 3 },
                                  { "span-nested-child", 44 * MS, 4 * MS, 2 } };
  CorpusLane *nested =
      corpus_lane_full ("nested spans", "threadpool.worker", NULL, WEFT_TARGET_CLOCK_RUNTIME);
  WeftTargetSpan open[4];
  const Nested *what[4];
  int depth = 0;

  for (size_t i = 0; i <= N_ELEMENTS (spans); i++)
    {
      while (depth > 0 && (i == N_ELEMENTS (spans) || spans[i].depth <= depth))
        {
          WeftTargetDispatch dispatch = corpus_dispatch (nested, what[depth]->name,
                                                         what[depth]->start, what[depth]->duration);

          open[depth].start = dispatch.start;
          dispatch.span = &open[depth--];
          corpus_emit (nested, &dispatch);
        }
      if (i == N_ELEMENTS (spans))
        break;
      open[++depth] =
          weft_target_span_begin (nested->lane, weft_target_routine_new (spans[i].name));
      what[depth] = &spans[i];
    }
}

/* ---- As programs do it ---- */

static CorpusLane *
scoped_lane (void)
{
  return corpus_lane_full ("scoped spans", "threadpool.worker", NULL, WEFT_TARGET_CLOCK_RUNTIME);
}

static void
inner_scope (void)
{
  WEFT_TARGET_SCOPE (scoped_lane ()->lane, "span-scope-inner");

  corpus_sleep (MS);
}

static void
span_scope (void)
{
  CorpusLane *scoped = scoped_lane ();

  {
    WEFT_TARGET_SCOPE (scoped->lane, "span-scope");

    inner_scope ();
    inner_scope ();
  }
  corpus_count (scoped, 3);
}

static void
end_span (void *data)
{
  weft_target_span_end (*(WeftTargetSpan *) data);
}

static void
span_foreign_end (void)
{
  static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("span-foreign-end");
  CorpusLane *scoped = scoped_lane ();
  CorpusThread *thread = corpus_thread_new ("finisher");
  WeftTargetSpan span = weft_target_span_begin (scoped->lane, &routine);

  corpus_sleep (MS);
  corpus_thread_run (thread, end_span, &span);
  corpus_thread_free (thread);
  corpus_count (scoped, 1);
}

static const CorpusCase cases[] = {
  { "span-plain", "times, lane and routine only", "lane `spans`: 2 ms, depth 0, no ids",
    span_plain },
  { "span-ids", "a span with an id and a submission", "2 ms, with a producer id and a submission",
    span_ids },
  { "span-extremes", "nothing, a nanosecond, and most of the run",
    "lane `extremes`: 0 ns, 1 ns and 390 ms", span_extremes },
  { "span-overlapping", "work of one lane that overlaps, without nesting",
    "lane `overlapping`: 5 × 7 ms, 2 ms apart, depth 0: busy for 15 ms", span_overlapping },
  { "span-nested", "three levels: 20 ms hold 10 and 4 ms, of which the 10 hold 3 and 2",
    "lane `nested spans`: depths 1, 2, 3, 3, 2; child times 14, 5, 0, 0 and 0 ms", span_nested },
  { "span-scope", "scopes of a function and of the one it calls twice",
    "lane `scoped spans`: depth 1 with two of depth 2, whose durations are its child time",
    span_scope },
  { "span-foreign-end", "a span begun on the main thread and ended on `finisher`",
    "lane `scoped spans`: depth 0, on thread `finisher`, at least 1 ms", span_foreign_end },
};

const CorpusGroup corpus_spans = { "spans", cases, N_ELEMENTS (cases) };
