/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real work of several routines on two lanes, with a knob: one of them can be made slower.
 *
 *   compare-program ROUNDS [ROUTINE PERCENT]
 *
 * It sorts, multiplies matrices, hashes and filters, on data of sizes that vary as real ones do.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft-target.h"

#define N_VALUES 4096
#define N_MATRIX 40

static uint32_t values[N_VALUES];
static float left[N_MATRIX][N_MATRIX], right[N_MATRIX][N_MATRIX], product[N_MATRIX][N_MATRIX];
static volatile uint64_t sink;

static uint32_t
next (uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static int
compare (const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

  return (x > y) - (x < y);
}

static void
sort (unsigned work, uint32_t *state)
{
  unsigned n = work * 12;

  for (unsigned i = 0; i < n && i < N_VALUES; i++)
    values[i] = next (state);
  qsort (values, n < N_VALUES ? n : N_VALUES, sizeof *values, compare);
  sink += values[0];
}

static void
multiply (unsigned work, uint32_t *state)
{
  unsigned rows = work % N_MATRIX + 1;

  left[rows - 1][0] = (float) next (state);
  for (unsigned again = 0; again <= work / N_MATRIX; again++)
    for (unsigned i = 0; i < (again < work / N_MATRIX ? N_MATRIX : rows); i++)
      for (unsigned j = 0; j < N_MATRIX; j++)
        {
          float sum = 0;

          for (unsigned k = 0; k < N_MATRIX; k++)
            sum += left[i][k] * right[k][j];
          product[i][j] = sum;
        }
  sink += (uint64_t) product[0][0];
}

static void
hash (unsigned work, uint32_t *state)
{
  uint64_t sum = next (state);

  for (unsigned i = 0; i < work * 300; i++)
    sum = (sum ^ i) * 0x100000001b3u;
  sink += sum;
}

static void
smooth (unsigned work, uint32_t *state)
{
  values[0] = next (state);
  for (unsigned pass = 0; pass < work; pass++)
    for (unsigned i = 1; i < 600; i++)
      values[i] = (values[i - 1] + 2 * values[i] + values[i + 1]) / 4;
  sink += values[1];
}

static const struct
{
  const char *name;
  unsigned lane;
  void (*run) (unsigned work, uint32_t *state);
  unsigned work;
} routines[] = {
  { "sort", 0, sort, 60 },
  { "multiply", 0, multiply, 60 },
  { "hash", 1, hash, 100 },
  { "smooth", 1, smooth, 60 },
};

#define N_ROUTINES (sizeof routines / sizeof *routines)

int
main (int argc, char **argv)
{
  unsigned rounds = argc > 1 ? (unsigned) strtoul (argv[1], NULL, 10) : 1000;
  unsigned percent = argc > 3 ? (unsigned) strtoul (argv[3], NULL, 10) : 0;
  WeftTargetLane *lanes[] = { weft_target_lane_new ("first", "test.worker"),
                              weft_target_lane_new ("second", "test.worker") };
  WeftTargetRoutine *names[N_ROUTINES];
  uint32_t state = 7;

  for (unsigned r = 0; r < N_ROUTINES; r++)
    names[r] = weft_target_routine_new (routines[r].name);
  for (unsigned i = 0; i < rounds; i++)
    for (unsigned r = 0; r < N_ROUTINES; r++)
      {
        unsigned work = routines[r].work * (75 + next (&state) % 50) / 100;
        WeftTargetSpan span;

        if (percent > 0 && strcmp (argv[2], routines[r].name) == 0)
          work = (work * (100 + percent) + 50) / 100;
        span = weft_target_span_begin (lanes[routines[r].lane], names[r]);
        routines[r].run (work, &state);
        weft_target_span_end (span);
      }
  printf ("%u rounds\n", rounds);
  return 0;
}
