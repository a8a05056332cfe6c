/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How all peers are measured: batches with pauses between, so that buffers of a sane size are
 * emptied; each line of output is `NAME VALUE UNIT`.
 */
#ifndef BATCHES_H
#define BATCHES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH 1000
#define N_BATCHES 2000
#define PAUSE_NS 200000

typedef void (*BatchFunc) (unsigned n);

static inline uint64_t
monotonic_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static inline int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Prints the median batch and the mean of all (NAME-paced), a call. */
static inline void
measure_batches (const char *name, BatchFunc func)
{
  static double each[N_BATCHES];
  const struct timespec pause = { 0, PAUSE_NS };
  double sum = 0;

  func (BATCH);
  for (unsigned i = 0; i < N_BATCHES; i++)
    {
      uint64_t from = monotonic_ns ();

      func (BATCH);
      each[i] = (double) (monotonic_ns () - from) / BATCH;
      sum += each[i];
      nanosleep (&pause, NULL);
    }
  qsort (each, N_BATCHES, sizeof each[0], compare_doubles);
  printf ("%s %.2f ns\n%s-paced %.2f ns\n", name, each[N_BATCHES / 2], name, sum / N_BATCHES);
  fflush (stdout);
}

#endif
