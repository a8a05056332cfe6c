/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program to be garbled: with inlined calls, lines and a few functions. */

#include <stdio.h>
#include <stdlib.h>

static inline int
square (int x)
{
  return x * x;
}

static inline int
cube (int x)
{
  return square (x) * x;
}

static int
compare (const void *a, const void *b)
{
  return *(const int *) a - *(const int *) b;
}

int
main (int argc, char **argv)
{
  int numbers[16];

  for (int i = 0; i < 16; i++)
    numbers[i] = cube (argc - i) + square (i);
  qsort (numbers, 16, sizeof numbers[0], compare);
  return printf ("%d\n", numbers[0]) < 0;
}
