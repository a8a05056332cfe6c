/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path-forecast.h"

#include <math.h>

#include "weft-error.h"

/* From TIME on a thread does everything so much earlier. */
typedef struct
{
  gint64 time;
  gint64 shift;
} Step;

typedef enum
{
  EVENT_BORN,
  EVENT_DISPATCH, /* it began; its end follows from that */
  EVENT_WAIT,
  EVENT_ZONE
} EventKind;

typedef struct
{
  gint64 time;
  guint32 index;
  guint32 thread;
  EventKind kind;
} Event;

typedef struct
{
  gint64 start;
  gint64 end;
} Times;

struct _WeftPathForecast
{
  const WeftPathHistory *history;
  const double *factors;
  gint64 begin;
  gint64 end;
  GArray **steps; /* of each thread; element type Step, or NULL */
  Times *dispatches;
  guint8 *dropped_waits; /* booleans */
  guint8 *dropped_zones;
};

/* ---- Times ---- */

gint64
weft_path_forecast_get_thread_time (const WeftPathForecast *self, guint32 thread, gint64 time)
{
  const GArray *steps = self->steps[thread];
  guint low = 0;
  guint high = steps != NULL ? steps->len : 0;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (steps, Step, middle).time <= time)
        low = middle + 1;
      else
        high = middle;
    }
  return low == 0 ? time : time - g_array_index (steps, Step, low - 1).shift;
}

gint64
weft_path_forecast_get_dispatch_time (const WeftPathForecast *self, guint32 dispatch, gint64 time)
{
  const WeftPathDispatch *then = weft_path_dispatch (self->history, dispatch);
  const Times *times = &self->dispatches[dispatch];
  double length = (double) (then->end - then->start);

  if (time <= then->start)
    return times->start - (then->start - time);
  if (time >= then->end)
    return times->end + (time - then->end);
  return times->start +
         llround ((double) (times->end - times->start) * ((double) (time - then->start) / length));
}

gboolean
weft_path_forecast_drops_wait (const WeftPathForecast *self, guint32 wait)
{
  return self->dropped_waits[wait];
}

gboolean
weft_path_forecast_drops_zone (const WeftPathForecast *self, guint32 zone)
{
  return self->dropped_zones[zone];
}

/* From TIME on the thread is where it would be at WHEN. */
static void
add_step (WeftPathForecast *self, guint32 thread, gint64 time, gint64 when)
{
  Step step = { time, time - weft_path_bound_time (when) };
  GArray *steps = self->steps[thread];

  if (steps == NULL)
    steps = self->steps[thread] = g_array_new (FALSE, FALSE, sizeof (Step));
  if (steps->len > 0 && g_array_index (steps, Step, steps->len - 1).time >= time)
    g_array_index (steps, Step, steps->len - 1).shift = step.shift;
  else if (steps->len == 0 ? step.shift != 0
                           : g_array_index (steps, Step, steps->len - 1).shift != step.shift)
    g_array_append_val (steps, step);
}

/* ---- What depends on what ---- */

static gint64
scale (gint64 length, double factor)
{
  double scaled = (double) length / factor;

  return factor == 1 ? length : llround (MIN (scaled, (double) WEFT_PATH_MAX_TIME));
}

static void
begin_dispatch (WeftPathForecast *self, guint32 index)
{
  const WeftPathHistory *history = self->history;
  const WeftPathDispatch *dispatch = weft_path_dispatch (history, index);
  guint32 thread = weft_path_history_find_thread (history, dispatch->thread);
  guint32 before = weft_path_history_find_before (history, index, dispatch->start);
  Times *times = &self->dispatches[index];
  gint64 since = dispatch->queued;
  gint64 length = dispatch->end - dispatch->start;
  gint64 kept = CLAMP (self->begin - dispatch->start, 0, length);

  times->start = thread != WEFT_PATH_NONE && dispatch->has_queued && since > self->begin
                     ? weft_path_forecast_get_thread_time (self, thread, since)
                     : since;
  if (before != WEFT_PATH_NONE && weft_path_dispatch (history, before)->end > since)
    {
      since = weft_path_dispatch (history, before)->end;
      times->start = MAX (times->start, self->dispatches[before].end);
    }
  times->start = weft_path_bound_time (times->start + dispatch->start - since);
  times->end =
      weft_path_bound_time (times->start + kept + scale (length - kept, self->factors[index]));
}

static void
end_wait (WeftPathForecast *self, guint32 thread, guint32 index)
{
  const WeftPathWait *wait = weft_path_wait (self->history, index);
  guint32 waker = wait->wakeup != 0 && wait->reason != WEFT_WAIT_REASON_PREEMPTED
                      ? weft_path_history_find_thread (self->history, wait->waker)
                      : WEFT_PATH_NONE;
  gint64 since = MAX (wait->start, self->begin);
  gint64 arrived = weft_path_forecast_get_thread_time (self, thread, since);
  gint64 woken;

  if (wait->waker == 0 || waker == WEFT_PATH_NONE || waker == thread || wait->woken <= since ||
      !weft_path_thread (self->history, waker)->has_life)
    return;
  woken = weft_path_forecast_get_thread_time (self, waker, wait->woken);
  self->dropped_waits[index] = woken <= arrived;
  add_step (self, thread, wait->woken,
            woken <= arrived ? arrived - (wait->end - wait->woken) : woken);
}

static void
end_zone (WeftPathForecast *self, guint32 thread, guint32 index)
{
  const WeftPathZone *zone = weft_path_zone (self->history, index);
  gint64 arrived =
      weft_path_forecast_get_thread_time (self, thread, MAX (zone->start, self->begin));
  gint64 released;

  if (zone->release <= self->begin)
    return;
  released = weft_path_forecast_get_dispatch_time (self, zone->dispatch, zone->release);
  self->dropped_zones[index] = released <= arrived;
  add_step (self, thread, zone->release,
            released <= arrived ? arrived - (zone->end - zone->release) : released);
}

/* A thread is where it is made. */
static void
begin_thread (WeftPathForecast *self, guint32 index)
{
  const WeftPathThread *thread = weft_path_thread (self->history, index);
  guint32 first = weft_path_history_find_wait (self->history, index, thread->born + 1);
  const WeftPathWait *wait = first != WEFT_PATH_NONE ? weft_path_wait (self->history, first) : NULL;
  guint32 maker = WEFT_PATH_NONE;

  if (wait != NULL && wait->waker != 0 && wait->woken <= thread->born)
    maker = weft_path_history_find_thread (self->history, wait->waker);
  if (maker != WEFT_PATH_NONE && maker != index)
    add_step (self, index, thread->born,
              weft_path_forecast_get_thread_time (self, maker, thread->born));
}

/* ---- In the order of time ---- */

static int
compare_events (gconstpointer a, gconstpointer b)
{
  const Event *left = a;
  const Event *right = b;

  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  if (left->kind != right->kind)
    return left->kind < right->kind ? -1 : 1;
  return left->index < right->index ? -1 : left->index > right->index;
}

static void
add_event (const WeftPathForecast *self, GArray *events, EventKind kind, gint64 time,
           guint32 thread, guint32 index)
{
  Event event = { time, index, thread, kind };

  if (time > self->begin && time <= self->end)
    g_array_append_val (events, event);
}

/* What a thread does while it waits for a dispatch depends on that. */
static gboolean
is_in_zone (const WeftPathHistory *history, guint32 thread, const WeftPathWait *wait)
{
  guint32 zone = weft_path_history_find_zone (history, thread, wait->end);

  return zone != WEFT_PATH_NONE && weft_path_zone (history, zone)->is_proven &&
         wait->end <= weft_path_zone (history, zone)->end;
}

static void
add_events_of_thread (const WeftPathForecast *self, GArray *events, guint32 index)
{
  const WeftPathThread *thread = weft_path_thread (self->history, index);

  if (thread->has_life)
    add_event (self, events, EVENT_BORN, thread->born, index, index);
  for (guint i = thread->first_wait; i < thread->first_wait + thread->n_waits; i++)
    {
      const WeftPathWait *wait = weft_path_wait (self->history, i);

      if (wait->waker != 0 && !is_in_zone (self->history, index, wait))
        add_event (self, events, EVENT_WAIT, wait->end, index, i);
    }
  for (guint i = thread->first_zone; i < thread->first_zone + thread->n_zones; i++)
    if (weft_path_zone (self->history, i)->is_proven)
      add_event (self, events, EVENT_ZONE, weft_path_zone (self->history, i)->end, index, i);
}

static GArray *
list_events (const WeftPathForecast *self)
{
  GArray *events = g_array_new (FALSE, FALSE, sizeof (Event));

  for (guint32 i = 0; i < self->history->threads->len; i++)
    add_events_of_thread (self, events, i);
  for (guint32 i = 0; i < self->history->dispatches->len; i++)
    {
      const WeftPathDispatch *dispatch = weft_path_dispatch (self->history, i);

      if (dispatch->end > self->begin)
        g_array_append_vals (events, &(Event){ dispatch->start, i, 0, EVENT_DISPATCH }, 1);
    }
  g_array_sort (events, compare_events);
  return events;
}

static void
play (WeftPathForecast *self, const Event *event)
{
  switch (event->kind)
    {
    case EVENT_BORN:
      begin_thread (self, event->index);
      break;
    case EVENT_DISPATCH:
      begin_dispatch (self, event->index);
      break;
    case EVENT_WAIT:
      end_wait (self, event->thread, event->index);
      break;
    default:
      end_zone (self, event->thread, event->index);
    }
}

WeftPathForecast *
weft_path_forecast_new (const WeftPathHistory *history, const double *factors, gint64 begin,
                        gint64 end, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPathForecast) self = g_new0 (WeftPathForecast, 1);
  g_autoptr (GArray) events = NULL;

  self->history = history;
  self->factors = factors;
  self->begin = begin;
  self->end = end;
  self->steps = g_new0 (GArray *, history->threads->len + 1);
  self->dispatches = g_new (Times, history->dispatches->len + 1);
  self->dropped_waits = g_new0 (guint8, history->waits->len + 1);
  self->dropped_zones = g_new0 (guint8, history->zones->len + 1);
  for (guint32 i = 0; i < history->dispatches->len; i++)
    self->dispatches[i] =
        (Times){ weft_path_dispatch (history, i)->start, weft_path_dispatch (history, i)->end };
  events = list_events (self);
  for (guint i = 0; i < events->len; i++)
    {
      if (i % 65536 == 0 && g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      play (self, &g_array_index (events, Event, i));
    }
  return g_steal_pointer (&self);
}

void
weft_path_forecast_free (WeftPathForecast *self)
{
  for (guint i = 0; self->steps != NULL && i < self->history->threads->len; i++)
    g_clear_pointer (&self->steps[i], g_array_unref);
  g_free (self->steps);
  g_free (self->dispatches);
  g_free (self->dropped_waits);
  g_free (self->dropped_zones);
  g_free (self);
}
