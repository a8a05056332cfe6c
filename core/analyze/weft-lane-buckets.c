/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-lane-buckets.h"

#include <string.h>

#include "weft-analysis-scope.h"

#define CANDIDATES 4 /* routines followed in each bucket for the busiest of them */

typedef struct
{
  guint32 routine;
  guint64 time;
} Candidate;

typedef struct
{
  const WeftAnalysisScope *scope;
  const guint32 *lanes;
  guint n_lanes;
  guint n_buckets;
  WeftTimelineBucket *buckets;
  gint64 *edges; /* N_BUCKETS + 1 */

  /* Of each lane: */
  Candidate *candidates; /* CANDIDATES of each bucket */
  gint64 *until;         /* when it has been busy */
  guint lane;            /* the one found last */
} Fill;

static gboolean
find_lane (Fill *self, guint32 id)
{
  guint low = 0;
  guint high = self->n_lanes;

  if (self->lane < self->n_lanes && self->lanes[self->lane] == id)
    return TRUE;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (self->lanes[middle] < id)
        low = middle + 1;
      else
        high = middle;
    }
  self->lane = low;
  return low < self->n_lanes && self->lanes[low] == id;
}

static guint
find_bucket (const Fill *self, gint64 time)
{
  guint low = 0;
  guint high = self->n_buckets;

  /* The last one that does not begin after TIME. */
  while (high - low > 1)
    {
      guint middle = low + (high - low) / 2;

      if (self->edges[middle] <= time)
        low = middle;
      else
        high = middle;
    }
  return low;
}

static void
vote (Candidate *candidates, guint32 routine, guint64 time)
{
  guint least = 0;

  for (guint i = 0; i < CANDIDATES; i++)
    {
      if (candidates[i].time > 0 && candidates[i].routine == routine)
        {
          candidates[i].time += time;
          return;
        }
      if (candidates[i].time < candidates[least].time)
        least = i;
    }
  if (time > candidates[least].time)
    candidates[least] = (Candidate){ routine, time };
}

static void
add_row (const WeftDispatchRow *row, gpointer data)
{
  Fill *self = data;
  gint64 end = MIN (row->end, self->scope->end);
  WeftTimelineBucket *buckets;
  guint at;

  if (!row->is_selected || !find_lane (self, row->lane))
    return;
  buckets = self->buckets + (gsize) self->lane * self->n_buckets;
  at = find_bucket (self, MAX (row->start, self->scope->begin));
  if (row->start >= self->scope->begin)
    {
      buckets[at].count++;
      buckets[at].errors += row->status != WEFT_STATUS_OK;
      buckets[at].longest = MAX (buckets[at].longest, row->duration);
    }
  for (; at < self->n_buckets && self->edges[at] < end; at++)
    {
      gint64 from = MAX (row->start, self->edges[at]);
      gint64 to = MIN (end, self->edges[at + 1]);
      gint64 busy_from = MAX (from, self->until[self->lane]);

      if (to > from)
        vote (&self->candidates[((gsize) self->lane * self->n_buckets + at) * CANDIDATES],
              row->routine, (guint64) to - (guint64) from);
      if (to > busy_from)
        buckets[at].busy += (guint64) to - (guint64) busy_from;
    }
  self->until[self->lane] = MAX (self->until[self->lane], end);
}

static void
elect (Fill *self)
{
  for (gsize i = 0; i < (gsize) self->n_lanes * self->n_buckets; i++)
    {
      const Candidate *candidates = &self->candidates[i * CANDIDATES];
      const Candidate *best = &candidates[0];

      for (guint j = 1; j < CANDIDATES; j++)
        if (candidates[j].time > best->time)
          best = &candidates[j];
      self->buckets[i].routine = best->time > 0 ? best->routine : 0;
    }
}

gboolean
weft_fill_lane_buckets (const WeftAnalysisScope *scope, const WeftSelection *selection,
                        const guint32 *lanes, guint n_lanes, guint n_buckets,
                        WeftTimelineBucket *buckets, GError **error)
{
  gsize n_cells = (gsize) n_lanes * n_buckets;
  g_autofree Candidate *candidates = g_new0 (Candidate, n_cells * CANDIDATES);
  g_autofree gint64 *edges = g_new (gint64, (gsize) n_buckets + 1);
  g_autofree gint64 *until = g_new (gint64, n_lanes);
  Fill self = { scope, lanes, n_lanes, n_buckets, buckets, edges, candidates, until, 0 };

  memset (buckets, 0, sizeof *buckets * n_cells);
  for (guint i = 0; i <= n_buckets; i++)
    edges[i] = weft_bucket_edge (scope->begin, scope->end, n_buckets, i);
  for (guint i = 0; i < n_lanes; i++)
    until[i] = G_MININT64;
  if (!weft_stream_dispatches (scope, selection, add_row, &self, error))
    return FALSE;
  elect (&self);
  return TRUE;
}
