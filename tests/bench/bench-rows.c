/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-rows.h"

static guint64 state = G_GUINT64_CONSTANT (88172645463325252);

void
bench_seed (guint64 seed)
{
  state = G_GUINT64_CONSTANT (88172645463325252) ^ seed * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
}

guint64
bench_random (void)
{
  state ^= state << 7;
  state ^= state >> 9;
  return state;
}

/* Lanes are a heap by the end of their last row, so that rows come in order of completion. */
static void
sift (gint64 *ends, guint16 *lanes, guint n)
{
  for (guint i = 0;;)
    {
      guint least = i;

      for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
        if (ends[child] < ends[least])
          least = child;
      if (least == i)
        return;
      gint64 end = ends[i];
      guint16 lane = lanes[i];

      ends[i] = ends[least];
      lanes[i] = lanes[least];
      ends[least] = end;
      lanes[least] = lane;
      i = least;
    }
}

void
bench_rows_init (BenchRows *self, guint64 n, guint n_lanes)
{
  g_autofree gint64 *ends = g_new (gint64, n_lanes);
  g_autofree guint16 *lanes = g_new (guint16, n_lanes);

  self->n = n;
  self->n_lanes = n_lanes;
  self->starts = g_new (gint64, n);
  self->durations = g_new (guint32, n);
  self->lanes = g_new (guint16, n);
  self->routines = g_new (guint8, n);
  for (guint i = 0; i < n_lanes; i++)
    {
      ends[i] = i;
      lanes[i] = (guint16) (i + 1);
    }
  for (guint64 i = 0; i < n; i++)
    {
      guint routine =
          (guint) ((bench_random () % BENCH_ROUTINES + bench_random () % BENCH_ROUTINES) / 2);
      guint64 base = 2000 + (guint64) routine * routine * 300;
      guint64 duration = base / 2 + bench_random () % (base + 1);

      if (bench_random () % 100 == 0)
        duration *= 10;
      self->starts[i] = ends[0] + 100 + (gint64) (bench_random () % 2000);
      self->durations[i] = (guint32) duration;
      self->lanes[i] = lanes[0];
      self->routines[i] = (guint8) routine;
      ends[0] = self->starts[i] + (gint64) duration;
      self->end = MAX (self->end, ends[0]);
      sift (ends, lanes, n_lanes);
    }
}

void
bench_rows_clear (BenchRows *self)
{
  g_free (self->starts);
  g_free (self->durations);
  g_free (self->lanes);
  g_free (self->routines);
}
