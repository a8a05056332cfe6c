/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-typical.h"

#include <math.h>

#define RELATIVE_FLOOR 0.05
#define DEVIATION_TO_SCALE 1.4826

/* Moves values below PIVOT to the front and those above it to the end. Pivots are of no order that
 * a file could be made to fit.
 */
#define SELECT(Number, values, n, rank)                                                            \
  gsize low = 0;                                                                                   \
  gsize high = (n);                                                                                \
  guint32 state = 2463534242u;                                                                     \
                                                                                                   \
  while (high - low > 1)                                                                           \
    {                                                                                              \
      gsize below = low;                                                                           \
      gsize above = high;                                                                          \
      gsize at = low;                                                                              \
      Number pivot;                                                                                \
                                                                                                   \
      state ^= state << 13;                                                                        \
      state ^= state >> 17;                                                                        \
      state ^= state << 5;                                                                         \
      pivot = (values)[low + state % (high - low)];                                                \
      while (at < above)                                                                           \
        {                                                                                          \
          Number value = (values)[at];                                                             \
                                                                                                   \
          if (value < pivot)                                                                       \
            {                                                                                      \
              (values)[at++] = (values)[below];                                                    \
              (values)[below++] = value;                                                           \
            }                                                                                      \
          else if (value > pivot)                                                                  \
            {                                                                                      \
              (values)[at] = (values)[--above];                                                    \
              (values)[above] = value;                                                             \
            }                                                                                      \
          else                                                                                     \
            at++;                                                                                  \
        }                                                                                          \
      if ((rank) < below)                                                                          \
        high = below;                                                                              \
      else if ((rank) >= above)                                                                    \
        low = above;                                                                               \
      else                                                                                         \
        return pivot;                                                                              \
    }                                                                                              \
  return (values)[low]

double
weft_select_rank (double *values, gsize n, gsize rank)
{
  SELECT (double, values, n, rank);
}

guint64
weft_select_number (guint64 *values, gsize n, gsize rank)
{
  SELECT (guint64, values, n, rank);
}

void
weft_typical_init (WeftTypical *self, double *values, gsize n, double floor)
{
  gsize middle = (n - 1) / 2;

  self->n = n;
  self->median = weft_select_rank (values, n, middle);
  for (gsize i = 0; i < n; i++)
    values[i] = fabs (values[i] - self->median);
  self->scale = DEVIATION_TO_SCALE * weft_select_rank (values, n, middle);
  self->scale = MAX (self->scale, RELATIVE_FLOOR * fabs (self->median));
  self->scale = MAX (self->scale, floor);
}

double
weft_typical_get_distance (const WeftTypical *self, double value)
{
  return (value - self->median) / self->scale;
}
