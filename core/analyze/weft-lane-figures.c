/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-lane-figures.h"

#include "weft-analysis-scope.h"

/* A lane's figures and what its next dispatch meets. */
typedef struct
{
  WeftLaneFigures figures;
  gint64 busy_until;
  GArray *running; /* ends (gint64) of what runs: a heap, the earliest first */
} Lane;

/* Of a dispatch that other ones may be nested in: whether the range cuts it, so that its self time
 * is to be found from them.
 */
enum
{
  WHOLE,
  CUT
};

struct _WeftLaneTable
{
  const WeftAnalysisScope *scope;
  GHashTable *lanes; /* id → Lane */
  Lane *last;
  WeftNesting *nesting;
};

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_array_unref (lane->running);
  g_free (lane);
}

static Lane *
get_lane (WeftLaneTable *self, guint32 id)
{
  Lane *lane;

  if (self->last != NULL && self->last->figures.lane == id)
    return self->last;
  lane = g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (id));
  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      lane->figures.lane = id;
      lane->figures.first = G_MAXINT64;
      lane->figures.last = G_MININT64;
      lane->busy_until = G_MININT64;
      lane->running = g_array_new (FALSE, FALSE, sizeof (gint64));
      g_hash_table_insert (self->lanes, GUINT_TO_POINTER (id), lane);
    }
  self->last = lane;
  return lane;
}

/* ---- Heap ---- */

static void
push_end (GArray *heap, gint64 end)
{
  gint64 *ends;
  guint at = heap->len;

  g_array_append_val (heap, end);
  ends = (gint64 *) (gpointer) heap->data;
  for (; at > 0 && ends[(at - 1) / 2] > end; at = (at - 1) / 2)
    ends[at] = ends[(at - 1) / 2];
  ends[at] = end;
}

static void
pop_end (GArray *heap)
{
  gint64 *ends = (gint64 *) (gpointer) heap->data;
  guint n = heap->len - 1;
  gint64 end = ends[n];
  guint at = 0;

  while (2 * at + 1 < n)
    {
      guint child = 2 * at + 1;

      if (child + 1 < n && ends[child + 1] < ends[child])
        child++;
      if (ends[child] >= end)
        break;
      ends[at] = ends[child];
      at = child;
    }
  ends[at] = end;
  g_array_set_size (heap, n);
}

/* ---- Dispatches ---- */

static void
add_time (WeftLaneTable *self, Lane *lane, const WeftDispatchRow *row)
{
  WeftLaneFigures *figures = &lane->figures;

  figures->total += weft_scope_clip (self->scope, row->start, row->end);
  if (row->end > lane->busy_until)
    {
      figures->busy += weft_scope_clip (self->scope, MAX (row->start, lane->busy_until), row->end);
      lane->busy_until = row->end;
    }
  while (lane->running->len > 0 && g_array_index (lane->running, gint64, 0) <= row->start)
    pop_end (lane->running);
  push_end (lane->running, row->end);
  figures->tracks = MAX (figures->tracks, lane->running->len);
}

static void
add_row (const WeftDispatchRow *row, gpointer data)
{
  WeftLaneTable *self = data;
  Lane *lane = get_lane (self, row->lane);
  guint64 clipped = weft_scope_clip (self->scope, row->start, row->end);
  gboolean is_cut = row->start < self->scope->begin || row->end > self->scope->end;
  guint32 outer;

  /* Of a dispatch within the range the file knows the time of what is nested in it; of one that is
   * cut, the nested ones' own parts in the range are taken off one by one.
   */
  if (weft_nesting_get_outer (self->nesting, row, &outer) && outer == CUT)
    lane->figures.self -= MIN (lane->figures.self, clipped);
  weft_nesting_enter (self->nesting, row, is_cut && row->is_selected ? CUT : WHOLE);
  if (!row->is_selected)
    return;

  add_time (self, lane, row);
  lane->figures.self += is_cut ? clipped : row->duration - MIN (row->duration, row->child_time);
  lane->figures.first = MIN (lane->figures.first, row->start);
  lane->figures.last = MAX (lane->figures.last, row->end);
  lane->figures.count++;
  lane->figures.sum += (double) row->duration;
  lane->figures.longest = MAX (lane->figures.longest, row->duration);
  lane->figures.errors += row->status == WEFT_STATUS_ERROR;
  lane->figures.canceled += row->status == WEFT_STATUS_CANCELED;
}

WeftLaneTable *
weft_lane_table_new (const WeftAnalysisScope *scope, const WeftSelection *selection, GError **error)
{
  g_autoptr (WeftLaneTable) self = g_new0 (WeftLaneTable, 1);

  self->scope = scope;
  self->lanes = g_hash_table_new_full (NULL, NULL, NULL, lane_free);
  self->nesting = weft_nesting_new ();
  if (!weft_stream_dispatches (scope, selection, add_row, self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weft_lane_table_free (WeftLaneTable *self)
{
  g_hash_table_unref (self->lanes);
  weft_nesting_free (self->nesting);
  g_free (self);
}

const WeftLaneFigures *
weft_lane_table_get (WeftLaneTable *self, guint32 lane)
{
  const Lane *found = g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (lane));

  return found == NULL || found->figures.count == 0 ? NULL : &found->figures;
}
