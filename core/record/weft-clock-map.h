/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Ticks of some clock as CLOCK_MONOTONIC nanoseconds, by straight lines between calibration pairs.
 */
typedef struct
{
  guint64 ticks;
  gint64 time;        /* ns, CLOCK_MONOTONIC */
  gint64 error_bound; /* ns */
} WeftClockPair;

typedef struct
{
  GArray *pairs; /* element-type WeftClockPair, by ticks */

  /* The interval used last. */
  guint64 low;
  guint64 width; /* ticks; 0: none yet */
  gint64 base;   /* ns at LOW */
  double slope;  /* ns a tick */
} WeftClockMap;

/* How far a time may lie from the nearest pair before it counts as extrapolated. */
#define WEFT_CLOCK_MAP_REACH (2 * G_GINT64_CONSTANT (1000000000))

void weft_clock_map_init (WeftClockMap *self);
void weft_clock_map_clear (WeftClockMap *self);

/* Pairs may come a little out of order; those by which one of the clocks would go backwards are
 * refused: FALSE.
 */
gboolean weft_clock_map_add (WeftClockMap *self, guint64 ticks, gint64 time, gint64 error_bound);

/* FALSE if there is no pair at all. EXTRAPOLATED tells that no two pairs stand around TICKS and
 * the nearest is further away than WEFT_CLOCK_MAP_REACH.
 */
gboolean weft_clock_map_convert (WeftClockMap *self, guint64 ticks, gint64 *time,
                                 gboolean *extrapolated);

/* The same where TICKS lie between the two pairs used last, which is nearly always; FALSE if not.
 */
static inline gboolean
weft_clock_map_convert_near (const WeftClockMap *self, guint64 ticks, gint64 *time)
{
  guint64 offset = ticks - self->low;

  if (G_UNLIKELY (offset >= self->width))
    return FALSE;
  *time = self->base + (gint64) ((double) (gint64) offset * self->slope + 0.5);
  return TRUE;
}

/* What the time of TICKS may be wrong by: as much as those of the pairs around it; G_MAXINT64 where
 * none stand around it.
 */
gint64 weft_clock_map_get_error (const WeftClockMap *self, guint64 ticks);

/* Whether a pair at or after TICKS is known. */
gboolean weft_clock_map_covers (const WeftClockMap *self, guint64 ticks);

G_END_DECLS
