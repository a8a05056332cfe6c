/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-clock-map.h"

#include <math.h>

/* Recent pairs are kept as they came; older ones are thinned to about one a second. */
#define RECENT_PAIRS 1024
#define MAX_PAIRS 65536
/* Pairs that several threads told reach us in the order of their threads. */
#define MAX_LATE_PAIRS 64
#define THINNED_SPACING G_GINT64_CONSTANT (1000000000)

void
weft_clock_map_init (WeftClockMap *self)
{
  self->pairs = g_array_new (FALSE, FALSE, sizeof (WeftClockPair));
  self->width = 0;
}

void
weft_clock_map_clear (WeftClockMap *self)
{
  g_clear_pointer (&self->pairs, g_array_unref);
}

static const WeftClockPair *
pair_at (const WeftClockMap *self, guint index)
{
  return &g_array_index (self->pairs, WeftClockPair, index);
}

static void
thin (WeftClockMap *self)
{
  guint n = self->pairs->len;
  guint candidate;

  if (n <= RECENT_PAIRS)
    return;

  candidate = n - RECENT_PAIRS;
  if (candidate >= 1 &&
      pair_at (self, candidate + 1)->time - pair_at (self, candidate - 1)->time < THINNED_SPACING)
    g_array_remove_index (self->pairs, candidate);
  else if (n > MAX_PAIRS)
    g_array_remove_index (self->pairs, 1);
}

gboolean
weft_clock_map_add (WeftClockMap *self, guint64 ticks, gint64 time, gint64 error_bound)
{
  WeftClockPair pair = { ticks, time, error_bound };
  guint n = self->pairs->len, at = n;

  while (at > 0 && n - at < MAX_LATE_PAIRS && pair_at (self, at - 1)->ticks > ticks)
    at--;
  if ((at > 0 && (pair_at (self, at - 1)->ticks >= ticks || pair_at (self, at - 1)->time >= time)) ||
      (at < n && pair_at (self, at)->time <= time))
    return FALSE;

  g_array_insert_val (self->pairs, at, pair);
  if (at < n)
    self->width = 0;
  else
    thin (self);
  return TRUE;
}

gboolean
weft_clock_map_covers (const WeftClockMap *self, guint64 ticks)
{
  return self->pairs->len > 0 && pair_at (self, self->pairs->len - 1)->ticks >= ticks;
}

/* The interval [i, i + 1] to use for TICKS: the one around it, or the nearest. */
static guint
find_interval (const WeftClockMap *self, guint64 ticks)
{
  guint low = 0, high = self->pairs->len - 1;

  while (high - low > 1)
    {
      guint middle = low + (high - low) / 2;

      if (pair_at (self, middle)->ticks <= ticks)
        low = middle;
      else
        high = middle;
    }
  return low;
}

gint64
weft_clock_map_get_error (const WeftClockMap *self, guint64 ticks)
{
  const WeftClockPair *a;

  if (self->pairs->len < 2 || ticks < pair_at (self, 0)->ticks ||
      ticks > pair_at (self, self->pairs->len - 1)->ticks)
    return G_MAXINT64;
  a = pair_at (self, find_interval (self, ticks));
  return MAX (a->error_bound, a[1].error_bound);
}

static gint64
clamp_to_time (double value)
{
  if (value >= (double) (G_MAXINT64 / 2))
    return G_MAXINT64 / 2;
  if (value <= (double) (G_MININT64 / 2))
    return G_MININT64 / 2;
  return llrint (value);
}

static gboolean
is_out_of_reach (const WeftClockMap *self, guint64 ticks, gint64 time)
{
  const WeftClockPair *first = pair_at (self, 0);
  const WeftClockPair *newest = pair_at (self, self->pairs->len - 1);

  if (ticks < first->ticks)
    return first->time - time > WEFT_CLOCK_MAP_REACH;
  if (ticks > newest->ticks)
    return time - newest->time > WEFT_CLOCK_MAP_REACH;
  return FALSE;
}

/* Remembers the interval of TICKS for those that follow. */
static void
choose_interval (WeftClockMap *self, guint64 ticks)
{
  const WeftClockPair *a = pair_at (self, find_interval (self, ticks));
  const WeftClockPair *b = a + 1;

  self->low = a->ticks;
  self->width = b->ticks - a->ticks;
  self->base = a->time;
  self->slope = (double) (b->time - a->time) / (double) (b->ticks - a->ticks);
}

gboolean
weft_clock_map_convert (WeftClockMap *self, guint64 ticks, gint64 *time, gboolean *extrapolated)
{
  *extrapolated = FALSE;
  if (weft_clock_map_convert_near (self, ticks, time))
    return TRUE;
  if (self->pairs->len == 0)
    return FALSE;

  if (self->pairs->len == 1)
    {
      *time = pair_at (self, 0)->time;
      *extrapolated = ticks != pair_at (self, 0)->ticks;
      return TRUE;
    }

  choose_interval (self, ticks);
  if (weft_clock_map_convert_near (self, ticks, time))
    return TRUE;
  *time = self->base + clamp_to_time ((double) (gint64) (ticks - self->low) * self->slope);
  *extrapolated = is_out_of_reach (self, ticks, *time);
  return TRUE;
}
