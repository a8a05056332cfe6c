/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The rows that benches write: lanes that are busy for the most part, names of which some are long
 * and some short, and one row in a hundred that took ten times as long. In order of completion.
 */

#define BENCH_ROUTINES 40

typedef struct
{
  guint64 n;
  gint64 *starts;
  guint32 *durations;
  guint16 *lanes;
  guint8 *routines;
  guint n_lanes;
  gint64 end;
} BenchRows;

/* What is drawn from here on depends on SEED alone; 0 is what is drawn unless one says. */
void bench_seed (guint64 seed);
guint64 bench_random (void);

/* Every time the same, as long as nothing else was drawn from bench_random (). */
void bench_rows_init (BenchRows *self, guint64 n, guint n_lanes);
void bench_rows_clear (BenchRows *self);

G_END_DECLS
