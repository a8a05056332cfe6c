/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What is usual for a figure, and how far from it a value is, untroubled by the outliers among the
 * values themselves.
 *
 * The median is the value of nearest rank. The scale is 1.4826 times the median absolute deviation
 * from it, which of a normal distribution is its standard deviation, but at least 5 % of the median
 * and at least a floor that the asker knows: figures that hardly differ would make an outlier of
 * each that does.
 */
typedef struct
{
  guint64 n;
  double median;
  double scale;
} WeftTypical;

/* From so many values on a distribution is one. */
#define WEFT_TYPICAL_MIN_VALUES 8
/* From this distance on, in scales, a value stands out. */
#define WEFT_TYPICAL_DISTANCE 5.0

/* Puts VALUES into another order and then overwrites them. N is at least 1, FLOOR above 0. */
void weft_typical_init (WeftTypical *self, double *values, gsize n, double floor);

/* In scales; below 0 for a value below the median. */
double weft_typical_get_distance (const WeftTypical *self, double value);

/* The one of N values that has RANK, from 0, when they are in order. */
double weft_select_rank (double *values, gsize n, gsize rank);
guint64 weft_select_number (guint64 *values, gsize n, gsize rank);

G_END_DECLS
