/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recordings whose noise is known: made with a seed, of routines whose times are drawn. */
#pragma once

#include <weft.h>

typedef struct
{
  guint seed;
  guint n_rounds;       /* each runs every routine once */
  guint n_routines;     /* on two lanes in turns */
  guint slow;           /* number of the routine that is slower, from 1; 0: none */
  double slower;        /* 0.1: by a tenth */
  double drift;         /* how much recordings differ as a whole, and half as much each routine */
  guint left_out;       /* number of a routine that is not run, from 1; 0: none */
  const char *source;   /* text of the source of all routines, or NULL */
  const char *sequence; /* word of the vocabulary by which rounds are numbered, or NULL */
} Run;

/* The file is in DIRECTORY. */
WeftRecording *compare_rows_make (const char *directory, const Run *run);
