/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-statistics.h"

#include <math.h>
#include <stdlib.h>

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double
beta_fraction (double a, double b, double x)
{
  const double tiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  double value;

  d = 1 / (fabs (d) < tiny ? tiny : d);
  value = d;
  for (int m = 1; m < 500; m++)
    {
      double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      double change;

      d = 1 / fmax (1 + even * d, tiny);
      c = 1 + even / c;
      value *= d * c;
      d = 1 + odd * d;
      d = 1 / (fabs (d) < tiny ? tiny : d);
      c = 1 + odd / c;
      if (fabs (c) < tiny)
        c = tiny;
      change = d * c;
      value *= change;
      if (fabs (change - 1) < 1e-14)
        break;
    }
  return value;
}

/* The regularised incomplete beta function. */
static double
incomplete_beta (double a, double b, double x)
{
  double front;

  if (x <= 0)
    return 0;
  if (x >= 1)
    return 1;
  front = exp (lgamma (a + b) - lgamma (a) - lgamma (b) + a * log (x) + b * log1p (-x));
  if (x < (a + 1) / (a + b + 2))
    return front * beta_fraction (a, b, x) / a;
  return 1 - front * beta_fraction (b, a, 1 - x) / b;
}

double
weft_student_get_p (double t, double df)
{
  return incomplete_beta (df / 2, 0.5, df / (df + t * t));
}

/* The density at T, of both ends. */
static double
get_density (double t, double df)
{
  return 2 * exp (lgamma ((df + 1) / 2) - lgamma (df / 2) - 0.5 * log (df * G_PI) -
                  (df + 1) / 2 * log1p (t * t / df));
}

/* Newton's steps, and halves of what is left where one would leave it. */
double
weft_student_get_t (double p, double df)
{
  double low = 0, high = 1, t;

  while (weft_student_get_p (high, df) > p && high < 1e12)
    high *= 2;
  t = high;
  for (int i = 0; i < 100; i++)
    {
      double off = weft_student_get_p (t, df) - p, next;

      if (off > 0)
        low = t;
      else
        high = t;
      next = t + off / get_density (t, df);
      if (!(next > low && next < high))
        next = (low + high) / 2;
      if (fabs (next - t) <= 1e-13 * t)
        break;
      t = next;
    }
  return t;
}

static int
compare_places (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *p = data;
  guint left = *(const guint *) a, right = *(const guint *) b;

  if (p[left] != p[right])
    return p[left] < p[right] ? -1 : 1;
  return left < right ? -1 : left > right;
}

void
weft_adjust_p_values (double *p, const double *weights, gsize n)
{
  g_autofree guint *places = g_new (guint, n + 1);
  double least = 1, all = 0;

  for (gsize i = 0; i < n; i++)
    {
      places[i] = (guint) i;
      p[i] /= weights[i];
      all += weights[i];
    }
  g_qsort_with_data (places, (int) n, sizeof *places, compare_places, p);
  for (gsize rank = n; rank > 0; rank--)
    {
      least = fmin (least, p[places[rank - 1]] * all / (double) rank);
      p[places[rank - 1]] = least;
    }
}
