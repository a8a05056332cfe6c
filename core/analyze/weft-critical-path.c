/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path.h"

#include "weft-enums.h"

/* Who was asked at one moment, on the way from one to another that waits for it at that moment. */
#define MAX_ASKED 64

typedef struct
{
  const WeftPathQuestion *question;
  const WeftPathHistory *history;
  GArray *segments; /* the last first */
  gint64 time;
  gint64 forecast;   /* the time at which the path would be here */
  guint32 thread;    /* where it is: index, or WEFT_PATH_NONE */
  guint32 dispatch;  /* then */
  guint32 came_from; /* zone by which it came to the dispatch, or WEFT_PATH_NONE */
  WeftPathLink link; /* of the next segment */
  guint32 linked;    /* wait that this link ended */
  gboolean is_assumed;
  guint64 asked[MAX_ASKED];
  guint n_asked;
} Walk;

/* ---- Names ---- */

const char *
weft_path_kind_get_name (WeftPathKind kind)
{
  static const char *const names[] = {
    "run",        "preempted", "runnable", "device",    "queue",
    "completion", "io",        "sleep",    "interrupt", "unknown"
  };

  return names[kind];
}

const char *
weft_path_link_get_name (WeftPathLink link)
{
  static const char *const names[] = { NULL,       "woke", "queued",  "completed",
                                       "followed", "made", "returned" };

  return names[link];
}

const char *
weft_path_confidence_get_name (WeftPathConfidence confidence)
{
  static const char *const names[] = { "proven", "approximate", "assumed", "unknown" };

  return names[confidence];
}

const char *
weft_path_cause_explain (WeftPathCause cause)
{
  static const char *const texts[] = {
    NULL,
    "nothing tells what ended this wait",
    "who ended this wait is known, but not what that thread did",
    "the wait and the work ended closer together than their clocks can tell",
    "nobody watched this thread",
    "the thread had not begun, and nothing tells who made it",
    "nothing tells which thread queued this work, or that thread was not watched",
    "the threads waited for one another",
    "the work was over, and nothing tells what came of it",
  };

  return texts[cause];
}

/* ---- Steps ---- */

static gint64
get_forecast (const Walk *self, guint32 thread, guint32 dispatch, gint64 time)
{
  const WeftPathForecast *forecast = self->question->forecast;

  if (forecast == NULL || time <= self->question->begin)
    return time;
  if (thread != WEFT_PATH_NONE)
    return weft_path_forecast_get_thread_time (forecast, thread, time);
  return weft_path_forecast_get_dispatch_time (forecast, dispatch, time);
}

/* SEGMENT reaches from START to where the path is; it would have begun at WHEN. */
static void
add_until (Walk *self, WeftPathSegment segment, gint64 start, gint64 when)
{
  segment.start = start;
  segment.stop = self->time;
  when = CLAMP (when, self->question->begin, MAX (self->forecast, self->question->begin));
  segment.forecast = (guint64) (self->forecast - when);
  segment.link = self->link;
  segment.linked = self->linked;
  if (segment.kind == WEFT_PATH_UNKNOWN)
    segment.confidence = WEFT_PATH_NOT_KNOWN;
  else if (self->is_assumed)
    segment.confidence = WEFT_PATH_ASSUMED;
  else if (self->question->is_approximate && segment.thread != WEFT_PATH_NONE)
    segment.confidence = WEFT_PATH_APPROXIMATE;
  if (self->question->forecast == NULL || segment.forecast > 0)
    g_array_append_val (self->segments, segment);
  self->time = start;
  self->forecast = when;
  self->link = WEFT_PATH_STAYS;
  self->linked = WEFT_PATH_NONE;
  self->n_asked = 0;
}

static WeftPathSegment
describe (WeftPathKind kind, guint32 thread)
{
  return (WeftPathSegment){ .kind = kind,
                            .thread = thread,
                            .dispatch = WEFT_PATH_NONE,
                            .before = WEFT_PATH_NONE,
                            .wait = WEFT_PATH_NONE,
                            .zone = WEFT_PATH_NONE };
}

static void
add_of_thread (Walk *self, WeftPathSegment segment, gint64 start)
{
  add_until (self, segment, start, get_forecast (self, segment.thread, WEFT_PATH_NONE, start));
}

static void
add_unknown (Walk *self, WeftPathCause cause, guint32 wait, gint64 start)
{
  WeftPathSegment segment = describe (WEFT_PATH_UNKNOWN, self->thread);

  segment.cause = cause;
  segment.wait = wait;
  segment.dispatch = self->dispatch;
  if (self->thread != WEFT_PATH_NONE)
    add_of_thread (self, segment, start);
  else
    add_until (self, segment, start, self->forecast - (self->time - start));
}

/* Whether the path is the first time here at this moment. */
static gboolean
ask (Walk *self, guint32 thread, guint32 dispatch)
{
  guint64 key = (guint64) thread << 32 | dispatch;

  if (self->n_asked == 0)
    self->asked[self->n_asked++] = (guint64) self->thread << 32 | self->dispatch;
  for (guint i = 0; i < self->n_asked; i++)
    if (self->asked[i] == key)
      return FALSE;
  if (self->n_asked == MAX_ASKED)
    return FALSE;
  self->asked[self->n_asked++] = key;
  return TRUE;
}

static void
go (Walk *self, guint32 thread, guint32 dispatch, WeftPathLink link, guint32 linked)
{
  self->thread = thread;
  self->dispatch = dispatch;
  self->link = link;
  self->linked = linked;
}

static gboolean
is_watched (const Walk *self, guint32 thread)
{
  const WeftPathThread *row;

  if (thread == WEFT_PATH_NONE)
    return FALSE;
  row = weft_path_thread (self->history, thread);
  return row->has_life && row->born < self->time && self->time <= row->died;
}

/* Of a thread that nobody watched at all nothing is known but what it told itself. */
static gboolean
is_told_of (const Walk *self, guint32 thread)
{
  return is_watched (self, thread) ||
         (thread != WEFT_PATH_NONE && !weft_path_thread (self->history, thread)->has_life);
}

/* ---- Dispatches ---- */

/* Nothing tells how it came to be queued: what waited for it goes on as it did. */
static void
leave_dispatch (Walk *self)
{
  const WeftPathZone *zone =
      self->came_from != WEFT_PATH_NONE ? weft_path_zone (self->history, self->came_from) : NULL;
  gint64 begin = self->question->begin;

  if (zone == NULL)
    {
      add_unknown (self, WEFT_PATH_QUEUING_UNKNOWN, WEFT_PATH_NONE, begin);
      return;
    }
  self->thread = zone->thread;
  if (zone->start < self->time)
    add_unknown (self, WEFT_PATH_QUEUING_UNKNOWN, WEFT_PATH_NONE, MAX (zone->start, begin));
  else
    self->link = WEFT_PATH_RETURNED;
  self->is_assumed = zone->start >= self->time || self->is_assumed;
  self->dispatch = WEFT_PATH_NONE;
}

/* Where the lane was idle, or did something else, since when: not before LEAST. WHEN: by forecast.
 */
static gint64
find_queue_start (const Walk *self, guint32 before, gint64 least, guint32 *behind, gint64 *when)
{
  const WeftPathDispatch *other;
  gboolean is_idle;
  gint64 start;

  *behind = WEFT_PATH_NONE;
  if (before == WEFT_PATH_NONE)
    return least;
  other = weft_path_dispatch (self->history, before);
  is_idle = other->end < self->time;
  start = MAX (least, is_idle ? other->end : other->start);
  /* One that takes no time is no reason to queue. */
  if (start >= self->time)
    return least;
  *behind = is_idle ? WEFT_PATH_NONE : before;
  *when = get_forecast (self, WEFT_PATH_NONE, before, start);
  return start;
}

static void
add_queue (Walk *self, const WeftPathDispatch *dispatch)
{
  WeftPathSegment segment = describe (WEFT_PATH_QUEUE, WEFT_PATH_NONE);
  gint64 least = MAX (dispatch->queued, self->question->begin);
  gint64 until = MIN (self->time, dispatch->start);
  guint32 before = weft_path_history_find_before (self->history, self->dispatch, until);
  guint32 queuer = weft_path_history_find_thread (self->history, dispatch->thread);
  gint64 when = 0;
  gint64 start = find_queue_start (self, before, least, &segment.before, &when);

  if (start == least)
    when = queuer != WEFT_PATH_NONE ? get_forecast (self, queuer, WEFT_PATH_NONE, start)
                                    : self->forecast - (self->time - start);
  segment.dispatch = self->dispatch;
  segment.zone = self->came_from;
  add_until (self, segment, start, when);
}

/* Before it on its lane comes another that the same thread waited for, too. */
static gboolean
follow_fellow (Walk *self, const WeftPathDispatch *dispatch)
{
  guint32 fellow = weft_path_history_find_fellow (self->history, self->came_from, self->dispatch,
                                                  MIN (self->time, dispatch->start));

  if (fellow == WEFT_PATH_NONE || weft_path_dispatch (self->history, fellow)->end != self->time ||
      !ask (self, WEFT_PATH_NONE, fellow))
    return FALSE;
  go (self, WEFT_PATH_NONE, fellow, WEFT_PATH_FOLLOWED, WEFT_PATH_NONE);
  return TRUE;
}

static void
walk_dispatch (Walk *self)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (self->history, self->dispatch);
  guint32 queuer = weft_path_history_find_thread (self->history, dispatch->thread);

  if (self->time > dispatch->start)
    {
      WeftPathSegment segment = describe (WEFT_PATH_DEVICE, WEFT_PATH_NONE);
      gint64 start = MAX (dispatch->start, self->question->begin);

      segment.dispatch = self->dispatch;
      segment.zone = self->came_from;
      add_until (self, segment, start, get_forecast (self, WEFT_PATH_NONE, self->dispatch, start));
    }
  else if (dispatch->has_queued && self->time > dispatch->queued)
    {
      if (!follow_fellow (self, dispatch))
        add_queue (self, dispatch);
    }
  else if (is_told_of (self, queuer) && ask (self, queuer, WEFT_PATH_NONE))
    go (self, queuer, WEFT_PATH_NONE, WEFT_PATH_QUEUED, WEFT_PATH_NONE);
  else
    leave_dispatch (self);
}

/* ---- Threads ---- */

static gboolean
is_approximate (const Walk *self, guint32 wait)
{
  return wait != WEFT_PATH_NONE && weft_path_wait (self->history, wait)->is_approximate;
}

static WeftPathSegment
describe_wait (const Walk *self, WeftPathKind kind, guint32 wait)
{
  WeftPathSegment segment = describe (kind, self->thread);

  segment.wait = wait;
  if (is_approximate (self, wait))
    segment.confidence = WEFT_PATH_APPROXIMATE;
  return segment;
}

/* Who made it, else back to the thread that was asked about. */
static void
leave_unborn (Walk *self, gint64 least)
{
  const WeftPathThread *thread = weft_path_thread (self->history, self->thread);
  guint32 first = weft_path_history_find_wait (self->history, self->thread, thread->born + 1);
  const WeftPathWait *wait = first != WEFT_PATH_NONE ? weft_path_wait (self->history, first) : NULL;
  guint32 maker = WEFT_PATH_NONE;
  guint32 root = self->question->thread;

  if (wait != NULL && wait->waker != 0 && wait->woken <= self->time)
    maker = weft_path_history_find_thread (self->history, wait->waker);
  if (is_watched (self, maker) && ask (self, maker, WEFT_PATH_NONE))
    go (self, maker, WEFT_PATH_NONE, WEFT_PATH_MADE, first);
  else if (self->thread != root && is_watched (self, root) && ask (self, root, WEFT_PATH_NONE))
    {
      go (self, root, WEFT_PATH_NONE, WEFT_PATH_RETURNED, WEFT_PATH_NONE);
      self->is_assumed = TRUE;
    }
  else
    add_unknown (self, WEFT_PATH_NOT_YET, WEFT_PATH_NONE, least);
}

/* Nobody watched it then; what is known of it comes before LEAST. */
static void
walk_unwatched (Walk *self, gint64 least)
{
  const WeftPathThread *thread = weft_path_thread (self->history, self->thread);

  if (thread->has_life && self->time <= thread->born)
    leave_unborn (self, least);
  else
    add_unknown (self, WEFT_PATH_UNWATCHED, WEFT_PATH_NONE,
                 thread->has_life ? MAX (least, thread->died) : least);
}

static void
add_run (Walk *self, guint32 last_wait, gint64 least)
{
  const WeftPathThread *thread = weft_path_thread (self->history, self->thread);
  WeftPathSegment segment = describe (WEFT_PATH_RUN, self->thread);
  guint32 next = last_wait == WEFT_PATH_NONE ? thread->first_wait : last_wait + 1;

  least = MAX (least, thread->born);
  if (last_wait != WEFT_PATH_NONE)
    least = MAX (least, weft_path_wait (self->history, last_wait)->end);
  if (is_approximate (self, last_wait) ||
      (next < thread->first_wait + thread->n_waits && is_approximate (self, next)))
    segment.confidence = WEFT_PATH_APPROXIMATE;
  add_of_thread (self, segment, least);
}

/* What it waited for, where nobody tells who ended it. */
static WeftPathKind
get_kind_of_lone_wait (const WeftPathWait *wait)
{
  switch (wait->reason)
    {
    case WEFT_WAIT_REASON_IO_READ:
    case WEFT_WAIT_REASON_IO_WRITE:
    case WEFT_WAIT_REASON_PAGE_FAULT:
      return WEFT_PATH_IO;
    case WEFT_WAIT_REASON_SLEEP:
      return WEFT_PATH_SLEEP;
    case WEFT_WAIT_REASON_READINESS:
    case WEFT_WAIT_REASON_CONNECT:
    case WEFT_WAIT_REASON_IPC:
      return wait->wakeup != 0 ? WEFT_PATH_IO : WEFT_PATH_UNKNOWN;
    case WEFT_WAIT_REASON_UNKNOWN:
    case WEFT_WAIT_REASON_OTHER:
      return wait->wakeup != 0 ? WEFT_PATH_INTERRUPT : WEFT_PATH_UNKNOWN;
    default:
      /* No interrupt gives a lock away: the time was over. */
      return wait->wakeup != 0 ? WEFT_PATH_SLEEP : WEFT_PATH_UNKNOWN;
    }
}

static gboolean
is_too_close (const Walk *self, const WeftPathWait *wait)
{
  guint32 zone = weft_path_history_find_zone (self->history, self->thread, wait->end);

  return zone != WEFT_PATH_NONE && !weft_path_zone (self->history, zone)->is_proven &&
         weft_path_zone (self->history, zone)->end > wait->start;
}

/* No thread is known to have ended it. */
static void
add_lone_wait (Walk *self, guint32 index, gint64 least)
{
  const WeftPathWait *wait = weft_path_wait (self->history, index);
  WeftPathKind kind = get_kind_of_lone_wait (wait);

  if (kind != WEFT_PATH_UNKNOWN)
    add_of_thread (self, describe_wait (self, kind, index), least);
  else
    add_unknown (self, is_too_close (self, wait) ? WEFT_PATH_CLOCK_ERROR : WEFT_PATH_WAKER_UNKNOWN,
                 index, least);
}

static void
follow_waker (Walk *self, guint32 index, gint64 least)
{
  guint32 waker =
      weft_path_history_find_thread (self->history, weft_path_wait (self->history, index)->waker);

  if (waker == self->thread || !is_watched (self, waker))
    add_unknown (self, WEFT_PATH_WAKER_UNWATCHED, index, least);
  else if (ask (self, waker, WEFT_PATH_NONE))
    go (self, waker, WEFT_PATH_NONE, WEFT_PATH_WOKE, index);
  else
    add_unknown (self, WEFT_PATH_CYCLE, index, least);
}

/* It waits yet for what has ended. */
static void
add_completion (Walk *self, guint32 wait, guint32 zone, gint64 least)
{
  WeftPathSegment segment = describe_wait (self, WEFT_PATH_COMPLETION, wait);

  segment.dispatch = weft_path_zone (self->history, zone)->dispatch;
  segment.zone = zone;
  add_of_thread (self, segment, least);
}

static void
walk_wait (Walk *self, guint32 index, const WeftPathZone *zone, guint32 zone_index, gint64 least)
{
  const WeftPathWait *wait = weft_path_wait (self->history, index);
  gboolean is_dropped = self->question->forecast != NULL && zone == NULL &&
                        weft_path_forecast_drops_wait (self->question->forecast, index);

  least = MAX (least, wait->start);
  if (is_dropped)
    add_of_thread (self, describe_wait (self, WEFT_PATH_RUNNABLE, index), least);
  else if (wait->reason == WEFT_WAIT_REASON_PREEMPTED)
    add_of_thread (self, describe_wait (self, WEFT_PATH_PREEMPTED, index), least);
  else if (wait->wakeup != 0 && wait->woken < self->time)
    add_of_thread (self, describe_wait (self, WEFT_PATH_RUNNABLE, index), MAX (least, wait->woken));
  else if (zone != NULL)
    add_completion (self, index, zone_index, least);
  else if (wait->waker != 0)
    follow_waker (self, index, least);
  else
    add_lone_wait (self, index, least);
}

/* Within a wait for a dispatch what the thread itself does matters after its end only. Returns
 * whether the path has gone on.
 */
static gboolean
walk_zone (Walk *self, guint32 index)
{
  const WeftPathZone *zone = weft_path_zone (self->history, index);
  gboolean is_dropped = self->question->forecast != NULL &&
                        weft_path_forecast_drops_zone (self->question->forecast, index);

  if (is_dropped)
    {
      add_of_thread (self, describe (WEFT_PATH_RUNNABLE, self->thread),
                     MAX (zone->start, self->question->begin));
      return TRUE;
    }
  if (self->time > zone->release)
    return FALSE;
  self->came_from = index;
  if (ask (self, WEFT_PATH_NONE, zone->dispatch))
    go (self, WEFT_PATH_NONE, zone->dispatch, WEFT_PATH_COMPLETED, WEFT_PATH_NONE);
  else
    add_unknown (self, WEFT_PATH_CYCLE, WEFT_PATH_NONE, MAX (zone->start, self->question->begin));
  return TRUE;
}

static void
walk_thread (Walk *self)
{
  guint32 zone_index = weft_path_history_find_zone (self->history, self->thread, self->time);
  guint32 wait_index = weft_path_history_find_wait (self->history, self->thread, self->time);
  const WeftPathZone *zone =
      zone_index != WEFT_PATH_NONE ? weft_path_zone (self->history, zone_index) : NULL;
  const WeftPathWait *wait =
      wait_index != WEFT_PATH_NONE ? weft_path_wait (self->history, wait_index) : NULL;
  gint64 least = self->question->begin;
  gboolean is_within;

  while (zone != NULL && !zone->is_proven)
    {
      gboolean is_first = zone_index == weft_path_thread (self->history, self->thread)->first_zone;

      zone = is_first ? NULL : weft_path_zone (self->history, --zone_index);
    }
  is_within = zone != NULL && self->time <= zone->end;
  if (is_within && walk_zone (self, zone_index))
    return;
  if (zone != NULL)
    least = MAX (least, is_within ? zone->release : zone->end);
  if (wait != NULL && self->time <= wait->end)
    walk_wait (self, wait_index, is_within ? zone : NULL, zone_index, least);
  else if (is_watched (self, self->thread))
    add_run (self, wait_index, least);
  else if (is_within)
    add_completion (self, WEFT_PATH_NONE, zone_index, least);
  else
    walk_unwatched (self, wait != NULL ? MAX (least, wait->end) : least);
}

GArray *
weft_path_walk (const WeftPathQuestion *question, guint64 *total, GError **error)
{
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (WeftPathSegment));
  Walk self = { .question = question,
                .history = question->history,
                .segments = segments,
                .time = question->end,
                .thread = question->thread,
                .dispatch = question->dispatch,
                .came_from = WEFT_PATH_NONE,
                .linked = WEFT_PATH_NONE };

  self.forecast =
      MAX (get_forecast (&self, self.thread, self.dispatch, question->end), question->begin);
  *total = (guint64) (self.forecast - question->begin);
  for (guint n = 0; self.time > question->begin; n++)
    {
      if (n % 65536 == 0 && g_cancellable_set_error_if_cancelled (question->cancellable, error))
        return NULL;
      if (self.thread != WEFT_PATH_NONE)
        walk_thread (&self);
      else if (self.dispatch != WEFT_PATH_NONE)
        walk_dispatch (&self);
      else
        add_unknown (&self, WEFT_PATH_UNWATCHED, WEFT_PATH_NONE, question->begin);
    }
  for (guint i = 0; i < segments->len / 2; i++)
    {
      WeftPathSegment *one = &g_array_index (segments, WeftPathSegment, i);
      WeftPathSegment *other = &g_array_index (segments, WeftPathSegment, segments->len - 1 - i);
      WeftPathSegment kept = *one;

      *one = *other;
      *other = kept;
    }
  return g_steal_pointer (&segments);
}
