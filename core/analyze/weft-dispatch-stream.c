/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-stream.h"

#include "weft-analysis-scope.h"

/* ---- Selections ---- */

#define PAGE_BITS 65536

/* Bitmaps of pages of ids: they are dense, but a damaged file may name any. */
struct _WeftSelection
{
  GHashTable *pages; /* number → PAGE_BITS / 8 bytes */
  guint64 n_dispatches;
};

WeftSelection *
weft_selection_new (void)
{
  WeftSelection *self = g_new0 (WeftSelection, 1);

  self->pages = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return self;
}

void
weft_selection_add (WeftSelection *self, guint64 id)
{
  guint64 number = id / PAGE_BITS;
  guint64 *page = g_hash_table_lookup (self->pages, &number);
  guint64 bit = G_GUINT64_CONSTANT (1) << (id % 64);

  if (page == NULL)
    {
      page = g_new0 (guint64, PAGE_BITS / 64);
      g_hash_table_insert (self->pages, g_memdup2 (&number, sizeof number), page);
    }
  page += id % PAGE_BITS / 64;
  if (!(*page & bit))
    self->n_dispatches++;
  *page |= bit;
}

gboolean
weft_selection_contains (const WeftSelection *self, guint64 id)
{
  guint64 number = id / PAGE_BITS;
  const guint64 *page = g_hash_table_lookup (self->pages, &number);

  return page != NULL && (page[id % PAGE_BITS / 64] >> (id % 64) & 1);
}

guint64
weft_selection_get_n_dispatches (const WeftSelection *self)
{
  return self->n_dispatches;
}

void
weft_selection_free (WeftSelection *self)
{
  g_hash_table_unref (self->pages);
  g_free (self);
}

/* ---- Streams ---- */

enum
{
  ID,
  LANE,
  ROUTINE,
  START,
  DURATION,
  DEPTH,
  CHILD_TIME,
  THREAD,
  STATUS,
  N_COLUMNS
};

static const WeftColumnNumber numbers[N_COLUMNS] = {
  [ID] = WEFT_DISPATCHES_ID,
  [LANE] = WEFT_DISPATCHES_LANE,
  [ROUTINE] = WEFT_DISPATCHES_ROUTINE,
  [START] = WEFT_DISPATCHES_START,
  [DURATION] = WEFT_DISPATCHES_DURATION,
  [DEPTH] = WEFT_DISPATCHES_DEPTH,
  [CHILD_TIME] = WEFT_DISPATCHES_CHILD_TIME,
  [THREAD] = WEFT_DISPATCHES_THREAD,
  [STATUS] = WEFT_DISPATCHES_STATUS,
};

/* A lane's rows that wait, and what is to come of it. */
typedef struct
{
  guint32 id;
  GArray *rows; /* element type WeftDispatchRow, in order but for those from N_SORTED on */
  guint n_sorted;
  GArray *coming; /* element type Coming, the nearest last */
} Lane;

/* The earliest start of a lane in this chunk or a later one. */
typedef struct
{
  guint chunk;
  gint64 start;
} Coming;

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftSelection *selection;
  WeftDispatchFunc func;
  gpointer data;
  GHashTable *lanes;  /* id → Lane */
  GPtrArray *touched; /* lanes of the chunk at hand */
  Lane *last;
  guint n_chunks;
  guint64 n_rows;
  guint64 n_done;
} Stream;

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_array_unref (lane->rows);
  g_array_unref (lane->coming);
  g_free (lane);
}

static Lane *
get_lane (Stream *self, guint32 id)
{
  Lane *lane = self->last;

  if (lane != NULL && lane->id == id)
    return lane;
  lane = g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (id));
  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      lane->id = id;
      lane->rows = g_array_new (FALSE, FALSE, sizeof (WeftDispatchRow));
      lane->coming = g_array_new (FALSE, FALSE, sizeof (Coming));
      g_hash_table_insert (self->lanes, GUINT_TO_POINTER (id), lane);
    }
  self->last = lane;
  return lane;
}

/* Of rows of one lane. */
static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const WeftDispatchRow *row_a = a;
  const WeftDispatchRow *row_b = b;

  if (row_a->start != row_b->start)
    return row_a->start < row_b->start ? -1 : 1;
  if (row_a->depth != row_b->depth)
    return row_a->depth < row_b->depth ? -1 : 1;
  /* What took no time came before what its thread began at the same time. */
  if (row_a->duration != row_b->duration)
    return row_a->duration < row_b->duration ? -1 : 1;
  return row_a->id < row_b->id ? -1 : row_a->id > row_b->id;
}

static gboolean
find_what_comes (Stream *self, GError **error)
{
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (WeftLaneStart));
  GError *failure = NULL;

  for (guint chunk = self->n_chunks; chunk-- > 0;)
    {
      if (!weft_store_get_lane_starts (self->scope->store, chunk, starts, &failure))
        {
          weft_propagate_store_error (error, failure);
          return FALSE;
        }
      for (guint i = 0; i < starts->len; i++)
        {
          const WeftLaneStart *start = &g_array_index (starts, WeftLaneStart, i);
          GArray *coming = get_lane (self, start->lane)->coming;
          Coming next = { chunk, start->first };

          if (coming->len > 0)
            next.start = MIN (next.start, g_array_index (coming, Coming, coming->len - 1).start);
          g_array_append_val (coming, next);
        }
    }
  return TRUE;
}

static void
take_row (Stream *self, const WeftDispatchRow *row)
{
  Lane *lane = get_lane (self, row->lane);

  if (lane->rows->len == lane->n_sorted)
    g_ptr_array_add (self->touched, lane);
  g_array_append_vals (lane->rows, row, 1);
}

static void
take_rows (Stream *self, const WeftStoreColumn *columns)
{
  for (guint i = 0; i < columns[ID].n_rows; i++)
    {
      WeftDispatchRow row = {
        .id = weft_store_column_get (&columns[ID], i),
        .start = (gint64) weft_store_column_get (&columns[START], i),
        .duration = weft_store_column_get (&columns[DURATION], i),
        .child_time = weft_store_column_get (&columns[CHILD_TIME], i),
        .lane = (guint32) weft_store_column_get (&columns[LANE], i),
        .routine = (guint32) weft_store_column_get (&columns[ROUTINE], i),
        .thread = (guint32) weft_store_column_get (&columns[THREAD], i),
        .depth = (guint32) weft_store_column_get (&columns[DEPTH], i),
        .status = (guint8) MIN (weft_store_column_get (&columns[STATUS], i), G_MAXUINT8),
      };

      row.end = weft_time_after (row.start, row.duration);
      if (!weft_scope_overlaps (self->scope, row.start, row.end))
        continue;
      row.is_selected =
          self->selection == NULL || weft_selection_contains (self->selection, row.id);
      take_row (self, &row);
    }
}

static gboolean
read_chunk (Stream *self, guint chunk, GError **error)
{
  WeftStoreColumn columns[N_COLUMNS] = { 0 };
  GError *failure = NULL;

  for (guint i = 0; i < N_COLUMNS && failure == NULL; i++)
    weft_store_read_column (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, numbers[i],
                            &columns[i], &failure);
  if (failure == NULL)
    take_rows (self, columns);
  for (guint i = 0; i < N_COLUMNS; i++)
    weft_store_column_clear (&columns[i]);
  if (failure != NULL)
    weft_propagate_store_error (error, failure);
  return failure == NULL;
}

static gboolean
is_sorted (const WeftDispatchRow *rows, guint first, guint n)
{
  for (guint i = MAX (first, 1); i < n; i++)
    if (compare_rows (&rows[i - 1], &rows[i]) > 0)
      return FALSE;
  return TRUE;
}

/* What came last is in order by itself, but for rows that begin at the same time. */
static void
sort_lane (Lane *lane)
{
  WeftDispatchRow *rows = (WeftDispatchRow *) (gpointer) lane->rows->data;
  guint n = lane->rows->len;
  guint n_new = n - lane->n_sorted;
  g_autofree WeftDispatchRow *fresh = NULL;
  guint old = lane->n_sorted;

  if (!is_sorted (rows, lane->n_sorted + 1, n))
    qsort (rows + lane->n_sorted, n_new, sizeof *rows, compare_rows);
  if (!is_sorted (rows, lane->n_sorted, MIN (lane->n_sorted + 1, n)))
    {
      /* Merged from the end, where there is room. */
      fresh = g_memdup2 (rows + lane->n_sorted, n_new * sizeof *rows);
      for (guint at = n; n_new > 0;)
        if (old > 0 && compare_rows (&rows[old - 1], &fresh[n_new - 1]) > 0)
          rows[--at] = rows[--old];
        else
          rows[--at] = fresh[--n_new];
    }
  lane->n_sorted = n;
}

/* Nothing of the lane that starts before UNTIL can come any more. */
static void
pass_rows (Stream *self, Lane *lane, gint64 until)
{
  const WeftDispatchRow *rows = (const WeftDispatchRow *) (gconstpointer) lane->rows->data;
  guint n = 0;

  sort_lane (lane);
  for (; n < lane->rows->len && rows[n].start < until; n++)
    self->func (&rows[n], self->data);
  if (n > 0)
    g_array_remove_range (lane->rows, 0, n);
  lane->n_sorted = lane->rows->len;
}

static void
pass_chunk (Stream *self, guint chunk)
{
  for (guint i = 0; i < self->touched->len; i++)
    {
      Lane *lane = g_ptr_array_index (self->touched, i);
      GArray *coming = lane->coming;

      while (coming->len > 0 && g_array_index (coming, Coming, coming->len - 1).chunk <= chunk)
        g_array_set_size (coming, coming->len - 1);
      pass_rows (self, lane,
                 coming->len > 0 ? g_array_index (coming, Coming, coming->len - 1).start
                                 : G_MAXINT64);
    }
  g_ptr_array_set_size (self->touched, 0);
}

static void
tell_progress (Stream *self, guint chunk)
{
  WeftChunkInfo info;

  weft_store_get_chunk (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, &info);
  self->n_done += info.n_rows;
  if (self->scope->progress != NULL)
    self->scope->progress ((goffset) self->n_done, (goffset) self->n_rows,
                           self->scope->progress_data);
}

static int
compare_lanes (gconstpointer a, gconstpointer b)
{
  const Lane *lane_a = a;
  const Lane *lane_b = b;

  return lane_a->id < lane_b->id ? -1 : lane_a->id > lane_b->id;
}

/* What still waits: rows of lanes whose other rows lie outside the range, or at the end of time. */
static void
pass_rest (Stream *self)
{
  g_autoptr (GList) lanes = g_list_sort (g_hash_table_get_values (self->lanes), compare_lanes);

  for (GList *at = lanes; at != NULL; at = at->next)
    {
      const Lane *lane = at->data;

      for (guint row = 0; row < lane->rows->len; row++)
        self->func (&g_array_index (lane->rows, WeftDispatchRow, row), self->data);
    }
}

static gboolean
run_stream (Stream *self, GError **error)
{
  if (!find_what_comes (self, error))
    return FALSE;
  for (guint chunk = 0; chunk < self->n_chunks; chunk++)
    {
      if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
        return FALSE;
      if (!weft_scope_skips_chunk (self->scope, chunk) && !read_chunk (self, chunk, error))
        return FALSE;
      pass_chunk (self, chunk);
      tell_progress (self, chunk);
    }
  pass_rest (self);
  return TRUE;
}

gboolean
weft_stream_dispatches (const WeftAnalysisScope *scope, const WeftSelection *selection,
                        WeftDispatchFunc func, gpointer data, GError **error)
{
  Stream self = { .scope = scope, .selection = selection, .func = func, .data = data };
  gboolean good;

  self.lanes = g_hash_table_new_full (NULL, NULL, NULL, lane_free);
  self.touched = g_ptr_array_new ();
  self.n_rows = weft_store_get_n_rows (scope->store, WEFT_TABLE_DISPATCHES);
  self.n_chunks = weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES);
  good = run_stream (&self, error);
  g_hash_table_unref (self.lanes);
  g_ptr_array_unref (self.touched);
  return good;
}

/* ---- Nesting ---- */

typedef struct
{
  gint64 end;
  guint32 depth;
  guint32 tag;
} Open;

/* The open dispatches of a thread on a lane, the outermost first. */
typedef struct
{
  guint64 key;
  GArray *open; /* element type Open */
} Scopes;

struct _WeftNesting
{
  GHashTable *threads; /* (lane, thread) → Scopes */
};

static void
scopes_free (gpointer data)
{
  Scopes *scopes = data;

  g_array_unref (scopes->open);
  g_free (scopes);
}

WeftNesting *
weft_nesting_new (void)
{
  WeftNesting *self = g_new0 (WeftNesting, 1);

  self->threads = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, scopes_free);
  return self;
}

void
weft_nesting_free (WeftNesting *self)
{
  g_hash_table_unref (self->threads);
  g_free (self);
}

static Scopes *
get_scopes (WeftNesting *self, const WeftDispatchRow *row)
{
  guint64 key = (guint64) row->lane << 32 | row->thread;
  Scopes *scopes = g_hash_table_lookup (self->threads, &key);

  if (scopes == NULL)
    {
      scopes = g_new0 (Scopes, 1);
      scopes->key = key;
      scopes->open = g_array_new (FALSE, FALSE, sizeof (Open));
      g_hash_table_insert (self->threads, &scopes->key, scopes);
    }
  return scopes;
}

gboolean
weft_nesting_get_outer (WeftNesting *self, const WeftDispatchRow *row, guint32 *tag)
{
  GArray *open;

  if (row->depth == 0)
    return FALSE;
  for (open = get_scopes (self, row)->open; open->len > 0; g_array_set_size (open, open->len - 1))
    {
      const Open *last = &g_array_index (open, Open, open->len - 1);

      if (last->depth < row->depth && last->end >= row->end)
        {
          *tag = last->tag;
          return TRUE;
        }
    }
  return FALSE;
}

void
weft_nesting_enter (WeftNesting *self, const WeftDispatchRow *row, guint32 tag)
{
  Open open = { row->end, row->depth, tag };

  if (row->depth > 0)
    g_array_append_val (get_scopes (self, row)->open, open);
}
