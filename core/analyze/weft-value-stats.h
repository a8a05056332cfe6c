/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Figures of numbers that come one after the other. */
typedef struct
{
  guint64 count;
  double sum;
  double correction; /* of SUM: so that the order hardly matters */
  double min;
  double max;
} WeftValueStats;

static inline void
weft_value_stats_add (WeftValueStats *self, double value)
{
  double corrected = value - self->correction;
  double sum = self->sum + corrected;

  self->correction = (sum - self->sum) - corrected;
  self->sum = sum;
  self->min = self->count == 0 ? value : MIN (self->min, value);
  self->max = self->count == 0 ? value : MAX (self->max, value);
  self->count++;
}

static inline double
weft_value_stats_get_mean (const WeftValueStats *self)
{
  return self->count == 0 ? 0 : self->sum / (double) self->count;
}

G_END_DECLS
