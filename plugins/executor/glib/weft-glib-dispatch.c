/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dispatches of sources: how long each took and had waited, which ones kept the loop from turning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft-glib-sources.h"

/* Of what blocks a loop, ms. */
#define DEFAULT_BLOCKED 50

/* A dispatch while it runs. */
struct GlibRun
{
  GlibRun *outer; /* whose loop this one runs in */
  GlibContext *context;
  GlibFacts facts;
  WeftTargetSpan span;
  uint64_t begin;
  uint64_t polled;    /* of the context, before */
  uint64_t resumed;   /* since when the loop has not turned */
  uint64_t blocked;   /* ns: the longest time that it did not */
  uint64_t wait;      /* ns */
  uint64_t submitted; /* ticks, or 0 */
  const char *ready;  /* how WAIT is known; NULL: it is not */
  const char *kind;   /* of source */
  int priority;
};

/* ---- Blocking ---- */

/* ns; the program's environment is asked once. */
static uint64_t
get_limit (void)
{
  static uint64_t limit;
  uint64_t known = __atomic_load_n (&limit, __ATOMIC_RELAXED);
  const char *text;
  char *end;

  if (known != 0)
    return known;
  text = getenv ("WEFT_GLIB_BLOCKED_MS");
  known = text != NULL ? strtoul (text, &end, 10) : 0;
  if (known == 0 || *end != '\0' || known > 86400000)
    known = DEFAULT_BLOCKED;
  known *= 1000000;
  __atomic_store_n (&limit, known, __ATOMIC_RELAXED);
  return known;
}

void
weft_glib_run_pauses (GlibRun *run)
{
  uint64_t time =
      weft_target_to_nanoseconds (weft_target_now ()) - weft_target_to_nanoseconds (run->resumed);

  if (time > run->blocked)
    run->blocked = time;
}

void
weft_glib_run_resumes (GlibRun *run)
{
  run->resumed = weft_target_now ();
}

static void
warn_blocked (const GlibRun *run, uint64_t id)
{
  WeftTargetWarning warning;
  char message[96];

  snprintf (message, sizeof message, "The main loop did not turn for %.0f ms",
            (double) run->blocked / 1e6);
  memset (&warning, 0, sizeof warning);
  warning.lane = run->context->lane;
  warning.severity = WEFT_TARGET_SEVERITY_WARNING;
  warning.code = "blocked";
  warning.message = message;
  warning.dispatch = id;
  warning.value = (double) run->blocked / 1e6;
  warning.threshold = (double) get_limit () / 1e6;
  weft_target_warn (&warning);
}

/* ---- Waiting ---- */

static void
wait_since (GlibRun *run, uint64_t ticks, const char *how)
{
  uint64_t from = weft_target_to_nanoseconds (ticks);
  uint64_t to = weft_target_to_nanoseconds (run->begin);

  run->wait = to > from ? to - from : 0;
  run->submitted = ticks;
  run->ready = how;
}

/* What is known for sure, and else the end of the poll that found it ready: it may have been ready
 * for longer.
 */
static void
find_wait (GlibRun *run, void *source, const char *kind)
{
  int64_t due = weft_glib.source_ready_time (source);
  int64_t now = (int64_t) weft_target_to_nanoseconds (run->begin);

  if (due > 0 && due * 1000 <= now)
    {
      run->wait = (uint64_t) (now - due * 1000);
      run->ready = "due";
    }
  else if (run->facts.ready != 0 && (due == 0 || strcmp (kind, "idle") == 0))
    wait_since (run, run->facts.ready, run->facts.again ? "again" : "queued");
  else if (run->polled != 0)
    wait_since (run, run->polled, "polled");
}

/* ---- A dispatch ---- */

static void
begin_run (GlibRun *run, void *source, GlibCallback callback, const GlibSourceFuncs *original,
           const char *kind)
{
  GlibContext *context = weft_glib_watch_context (weft_glib.source_context (source));
  GlibCallback function = callback;
  WeftTargetRoutine *routine;

  if (function == NULL)
    memcpy (&function, &original->dispatch, sizeof function);
  run->context = context;
  weft_glib_need_lane (context);
  run->facts = weft_glib_source_facts (source);
  run->kind = kind;
  run->priority = weft_glib.source_priority (source);
  routine = weft_glib_routine (weft_glib.source_name (source), kind, function);
  run->begin = run->resumed = weft_target_now ();
  if (!context->is_shared)
    {
      run->polled = context->polled;
      run->outer = context->running;
      if (run->outer != NULL)
        weft_glib_run_pauses (run->outer);
      context->running = run;
    }
  find_wait (run, source, kind);
  run->span = weft_target_span_begin (context->lane, routine);
}

/* The name may have been given within the dispatch. */
static WeftTargetRoutine *
get_routine (const GlibRun *run, void *source, GlibCallback callback, const char *kind)
{
  const char *name = weft_glib.source_name (source);

  return name == NULL ? run->span.routine : weft_glib_routine (name, kind, callback);
}

static size_t
collect_tags (const GlibRun *run, WeftTargetTag *tags)
{
  size_t n = 0;

  tags[n].key = "source";
  tags[n].type = WEFT_TARGET_VALUE_STRING;
  tags[n++].value.string = run->kind;
  tags[n].key = "priority";
  tags[n].type = WEFT_TARGET_VALUE_I64;
  tags[n++].value.i64 = run->priority;
  if (run->ready == NULL)
    return n;
  tags[n].key = "ready";
  tags[n].type = WEFT_TARGET_VALUE_STRING;
  tags[n++].value.string = run->ready;
  return n;
}

static void
tell (const GlibRun *run, WeftTargetRoutine *routine, uint64_t end)
{
  const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_DISPATCH,
                                        run->facts.task != NULL
                                            ? weft_glib_task_origin (run->facts.task)
                                            : run->facts.origin };
  bool is_blocked = run->blocked > get_limit ();
  WeftTargetDispatch dispatch;
  WeftTargetTag tags[3];

  memset (&dispatch, 0, sizeof dispatch);
  dispatch.lane = run->context->lane;
  dispatch.routine = routine;
  dispatch.span = &run->span;
  dispatch.end = end;
  dispatch.id = is_blocked ? weft_target_id_new () : 0;
  dispatch.trace = run->facts.task != NULL ? weft_glib_task_trace (run->facts.task) : NULL;
  dispatch.has_queue_wait = run->ready != NULL;
  dispatch.queue_wait = dispatch.queue_wait_last = run->wait;
  dispatch.submitted = run->submitted;
  dispatch.origins = &origin;
  dispatch.n_origins = origin.origin.ticks != 0;
  dispatch.tags = tags;
  dispatch.n_tags = collect_tags (run, tags);
  weft_target_dispatch (&dispatch);
  if (run->ready != NULL)
    weft_target_metric_report (run->context->wait, (double) run->wait);
  if (is_blocked)
    warn_blocked (run, dispatch.id);
}

static void
end_run (GlibRun *run, void *source, GlibCallback callback, const GlibSourceFuncs *original,
         const char *kind)
{
  GlibContext *context = run->context;
  uint64_t end = weft_target_now ();

  if (callback == NULL)
    memcpy (&callback, &original->dispatch, sizeof callback);
  weft_glib_run_pauses (run);
  if (!context->is_shared)
    {
      context->running = run->outer;
      context->polled = run->polled;
      if (run->outer != NULL)
        weft_glib_run_resumes (run->outer);
    }
  tell (run, get_routine (run, source, callback, kind), end);
  weft_glib_source_dispatched (source, run->begin, end);
  if (run->facts.task != NULL)
    {
      weft_glib_source_forget_task (source);
      weft_glib_task_completed (run->facts.task, true);
    }
}

int
weft_glib_dispatch (void *source, GlibCallback callback, void *data,
                    const GlibSourceFuncs *original, const char *kind)
{
  int saved = errno, again;
  GlibRun run;

  memset (&run, 0, sizeof run);
  begin_run (&run, source, callback, original, kind);
  errno = saved;
  again = original->dispatch (source, callback, data);
  saved = errno;
  end_run (&run, source, callback, original, kind);
  errno = saved;
  return again;
}
