/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sample-history.h"

#include <string.h>

#define MAX_THREAD (1 << 24) /* whose ids index an array */

typedef struct
{
  gint64 time;
  guint64 sample;
  guint64 callchain;
} Sample;

typedef struct
{
  gint64 start;
  gint64 end;
  guint64 callchain;
} Wait;

/* Samples are a ring that grows: of ROOM, N from FIRST on, in the order of time. */
typedef struct
{
  Sample *samples;
  guint room;
  guint first;
  guint n;
  Wait *waits; /* WEFT_SAMPLE_HISTORY_WAITS */
  guint n_waits;
} Thread;

struct _WeftSampleHistory
{
  GPtrArray *threads; /* by id */
  gint64 latest;

  /* The threads of the samples, in the order of their coming: the first goes first. */
  guint32 *order;
  guint max_samples;
  guint first;
  guint n;
};

static void
thread_free (gpointer data)
{
  Thread *self = data;

  if (self == NULL)
    return;
  g_free (self->samples);
  g_free (self->waits);
  g_free (self);
}

WeftSampleHistory *
weft_sample_history_new (guint max_samples)
{
  WeftSampleHistory *self = g_new0 (WeftSampleHistory, 1);

  self->threads = g_ptr_array_new_with_free_func (thread_free);
  self->latest = G_MININT64;
  self->max_samples = max_samples;
  return self;
}

void
weft_sample_history_free (WeftSampleHistory *self)
{
  g_ptr_array_unref (self->threads);
  g_free (self->order);
  g_free (self);
}

static Thread *
find_thread (const WeftSampleHistory *self, guint64 id)
{
  return id < self->threads->len ? g_ptr_array_index (self->threads, id) : NULL;
}

static Thread *
get_thread (WeftSampleHistory *self, guint64 id)
{
  if (id == 0 || id >= MAX_THREAD)
    return NULL;
  if (id >= self->threads->len)
    g_ptr_array_set_size (self->threads, (gint) id + 1);
  if (self->threads->pdata[id] == NULL)
    self->threads->pdata[id] = g_new0 (Thread, 1);
  return self->threads->pdata[id];
}

static Sample *
sample_at (const Thread *self, guint i)
{
  return &self->samples[(self->first + i) & (self->room - 1)];
}

static void
grow (Thread *self)
{
  guint room = MAX (16, self->room * 2);
  Sample *samples = g_new (Sample, room);

  for (guint i = 0; i < self->n; i++)
    samples[i] = *sample_at (self, i);
  g_free (self->samples);
  self->samples = samples;
  self->room = room;
  self->first = 0;
}

/* One that was sampled for long is not needed that large for ever. */
static void
forget_first (Thread *self)
{
  self->first = (self->first + 1) & (self->room - 1);
  if (--self->n > 0)
    return;
  g_clear_pointer (&self->samples, g_free);
  self->room = 0;
}

static void
make_room (WeftSampleHistory *self)
{
  if (self->order == NULL)
    self->order = g_new (guint32, self->max_samples);
  if (self->n < self->max_samples)
    return;
  forget_first (find_thread (self, self->order[self->first]));
  self->first = (self->first + 1) % self->max_samples;
  self->n--;
}

void
weft_sample_history_add (WeftSampleHistory *self, guint64 id, gint64 time, guint64 sample,
                         guint64 callchain)
{
  Thread *thread = get_thread (self, id);
  guint i;

  if (thread == NULL)
    return;
  make_room (self);
  self->order[(self->first + self->n++) % self->max_samples] = (guint32) id;
  self->latest = MAX (self->latest, time);
  if (thread->n == thread->room)
    grow (thread);
  for (i = thread->n++; i > 0 && sample_at (thread, i - 1)->time > time; i--)
    *sample_at (thread, i) = *sample_at (thread, i - 1);
  *sample_at (thread, i) = (Sample){ time, sample, callchain };
}

void
weft_sample_history_add_wait (WeftSampleHistory *self, guint64 id, gint64 start, gint64 end,
                              guint64 callchain)
{
  Thread *thread = callchain != 0 ? get_thread (self, id) : NULL;

  self->latest = MAX (self->latest, end);
  if (thread == NULL)
    return;
  if (thread->waits == NULL)
    thread->waits = g_new (Wait, WEFT_SAMPLE_HISTORY_WAITS);
  thread->waits[thread->n_waits++ % WEFT_SAMPLE_HISTORY_WAITS] = (Wait){ start, end, callchain };
}

gint64
weft_sample_history_get_latest (const WeftSampleHistory *self)
{
  return self->latest;
}

/* Times may be anything: the largest number stands for more. */
static gint64
distance_between (gint64 a, gint64 b)
{
  gint64 distance;

  if (__builtin_sub_overflow (MAX (a, b), MIN (a, b), &distance))
    return G_MAXINT64;
  return distance;
}

gboolean
weft_sample_history_find (const WeftSampleHistory *self, guint64 id, gint64 time,
                          WeftSampleMatch *match)
{
  const Thread *thread = find_thread (self, id);
  guint low = 0;
  guint high = thread == NULL ? 0 : thread->n;
  const Sample *nearest;

  if (high == 0)
    return FALSE;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (sample_at (thread, middle)->time < time)
        low = middle + 1;
      else
        high = middle;
    }
  nearest = sample_at (thread, MIN (low, thread->n - 1));
  if (low > 0 && distance_between (sample_at (thread, low - 1)->time, time) <=
                     distance_between (nearest->time, time))
    nearest = sample_at (thread, low - 1);
  *match = (WeftSampleMatch){ nearest->sample, nearest->callchain,
                              distance_between (nearest->time, time) };
  return TRUE;
}

static gint64
distance_to_wait (const Wait *wait, gint64 time)
{
  if (time < wait->start)
    return distance_between (wait->start, time);
  return time > wait->end ? distance_between (time, wait->end) : 0;
}

gboolean
weft_sample_history_find_wait (const WeftSampleHistory *self, guint64 id, gint64 time,
                               WeftSampleMatch *match)
{
  const Thread *thread = find_thread (self, id);
  const Wait *nearest = NULL;

  for (guint i = 0; thread != NULL && i < MIN (thread->n_waits, WEFT_SAMPLE_HISTORY_WAITS); i++)
    if (nearest == NULL ||
        distance_to_wait (&thread->waits[i], time) < distance_to_wait (nearest, time))
      nearest = &thread->waits[i];
  if (nearest == NULL)
    return FALSE;
  *match = (WeftSampleMatch){ 0, nearest->callchain, distance_to_wait (nearest, time) };
  return TRUE;
}
