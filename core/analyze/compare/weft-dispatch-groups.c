/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-groups.h"

#include <string.h>

#include "weft-analysis-scope.h"

#define N_REMEMBERED 512

void
weft_dispatch_groups_init (WeftDispatchGroups *self)
{
  self->pairs = g_array_new (FALSE, FALSE, sizeof (WeftDispatchPair));
  weft_key_map_init (&self->numbers);
  self->n_groups = 0;
}

void
weft_dispatch_groups_clear (WeftDispatchGroups *self)
{
  g_array_unref (self->pairs);
  weft_key_map_clear (&self->numbers);
}

static guint64
make_key (guint32 lane, guint32 routine)
{
  return (guint64) lane << 32 | routine;
}

void
weft_dispatch_groups_add_pair (WeftDispatchGroups *self, guint32 lane, guint32 routine,
                               const WeftDispatchPair *pair)
{
  if (weft_key_map_add (&self->numbers, make_key (lane, routine), self->pairs->len) ==
      self->pairs->len)
    g_array_append_vals (self->pairs, pair, 1);
}

/* ---- Scans ---- */

enum
{
  LANE,
  ROUTINE,
  DURATION,
  START,
  ID,
  N_COLUMNS
};

/* The pairs of a chunk are few: most rows find theirs among those met lately. */
typedef struct
{
  const WeftPairedScan *scan;
  WeftPairedFunc func;
  gpointer data;
  gboolean has_range;
  guint64 row;
  guint64 keys[N_REMEMBERED];
  guint32 pairs[N_REMEMBERED];
} Pass;

static inline guint32
find_pair (Pass *self, guint32 lane, guint32 routine)
{
  guint64 key = make_key (lane, routine);
  guint place = (routine + lane * 67) % N_REMEMBERED;

  if (G_UNLIKELY (self->keys[place] != key))
    {
      self->keys[place] = key;
      if (!weft_key_map_find (&self->scan->groups->numbers, key, &self->pairs[place]))
        self->pairs[place] = G_MAXUINT32;
    }
  return self->pairs[place];
}

/* FALSE: it lies without. */
static gboolean
clip (const WeftAnalysisScope *scope, WeftPairedDispatch *dispatch)
{
  gint64 end = weft_time_after (dispatch->start, dispatch->duration);

  dispatch->inside = weft_scope_clip (scope, dispatch->start, end);
  return weft_scope_overlaps (scope, dispatch->start, end);
}

static void
take_rows (const WeftStoreColumn *columns, gpointer data)
{
  Pass *self = data;
  const WeftPairedScan *scan = self->scan;
  gboolean has_start = self->has_range || scan->needs_start;

  for (guint i = 0; i < columns[LANE].n_rows; i++)
    {
      WeftPairedDispatch found = {
        .pair = find_pair (self, (guint32) weft_store_column_get (&columns[LANE], i),
                           (guint32) weft_store_column_get (&columns[ROUTINE], i)),
        .start = has_start ? (gint64) weft_store_column_get (&columns[START], i) : 0,
        .duration = weft_store_column_get (&columns[DURATION], i),
        .row = ++self->row,
      };

      found.inside = found.duration;
      if (found.pair == G_MAXUINT32 || (self->has_range && !clip (scan->scope, &found)) ||
          (scan->selection != NULL &&
           !weft_selection_contains (scan->selection, weft_store_column_get (&columns[ID], i))))
        continue;
      self->func (&found, self->data);
    }
}

gboolean
weft_paired_scan_chunk (const WeftPairedScan *self, guint chunk, WeftPairedFunc func, gpointer data,
                        GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_LANE, WEFT_DISPATCHES_ROUTINE,
                                              WEFT_DISPATCHES_DURATION, WEFT_DISPATCHES_START,
                                              WEFT_DISPATCHES_ID };
  Pass pass = { self, func, data, weft_scope_has_range (self->scope) };
  guint n_columns = self->needs_start || pass.has_range ? ID : START;
  WeftChunkInfo info;

  if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
    return FALSE;
  if (weft_scope_skips_chunk (self->scope, chunk))
    return TRUE;
  weft_store_get_chunk (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, &info);
  pass.row = info.first_row;
  memset (pass.keys, 0xff, sizeof pass.keys);
  memset (pass.pairs, 0xff, sizeof pass.pairs);
  return weft_store_scan_columns (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, columns,
                                  self->selection != NULL ? N_COLUMNS : n_columns, take_rows, &pass,
                                  error);
}
