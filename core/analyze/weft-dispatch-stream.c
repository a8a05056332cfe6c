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

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftSelection *selection;
  WeftDispatchFunc func;
  gpointer data;
  GArray *waiting;      /* element type WeftDispatchRow */
  gint64 *first_starts; /* earliest start in this chunk or a later one */
  guint n_chunks;
  guint64 n_rows;
  guint64 n_done;
} Stream;

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const WeftDispatchRow *row_a = a;
  const WeftDispatchRow *row_b = b;

  if (row_a->lane != row_b->lane)
    return row_a->lane < row_b->lane ? -1 : 1;
  if (row_a->start != row_b->start)
    return row_a->start < row_b->start ? -1 : 1;
  if (row_a->depth != row_b->depth)
    return row_a->depth < row_b->depth ? -1 : 1;
  /* What took no time came before what its thread began at the same time. */
  if (row_a->duration != row_b->duration)
    return row_a->duration < row_b->duration ? -1 : 1;
  return row_a->id < row_b->id ? -1 : row_a->id > row_b->id;
}

static void
find_first_starts (Stream *self)
{
  WeftStore *store = self->scope->store;
  gint64 first = G_MAXINT64;

  self->n_chunks = weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES);
  self->first_starts = g_new (gint64, self->n_chunks + 1);
  self->first_starts[self->n_chunks] = G_MAXINT64;
  for (guint chunk = self->n_chunks; chunk-- > 0;)
    {
      guint64 min = 0;
      guint64 max = 0;

      /* Without a zone all of them are nought. */
      weft_store_get_zone (store, WEFT_TABLE_DISPATCHES, chunk, WEFT_DISPATCHES_START, &min, &max);
      first = MIN (first, (gint64) min);
      self->first_starts[chunk] = first;
    }
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
      g_array_append_val (self->waiting, row);
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

/* Chunks are in order already, but for the rows that begin at the same time. */
static void
sort_waiting (Stream *self)
{
  const WeftDispatchRow *rows = (const WeftDispatchRow *) (gconstpointer) self->waiting->data;

  for (guint i = 1; i < self->waiting->len; i++)
    if (compare_rows (&rows[i - 1], &rows[i]) > 0)
      {
        g_array_sort (self->waiting, compare_rows);
        return;
      }
}

/* Nothing that starts before UNTIL can come any more. */
static void
pass_rows (Stream *self, gint64 until)
{
  WeftDispatchRow *rows = (WeftDispatchRow *) (gpointer) self->waiting->data;
  guint n_kept = 0;

  sort_waiting (self);
  for (guint i = 0; i < self->waiting->len; i++)
    if (rows[i].start < until)
      self->func (&rows[i], self->data);
    else
      rows[n_kept++] = rows[i];
  g_array_set_size (self->waiting, n_kept);
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

static gboolean
run_stream (Stream *self, GError **error)
{
  for (guint chunk = 0; chunk < self->n_chunks; chunk++)
    {
      if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
        return FALSE;
      if (!weft_scope_skips_chunk (self->scope, chunk) && !read_chunk (self, chunk, error))
        return FALSE;
      pass_rows (self, self->first_starts[chunk + 1]);
      tell_progress (self, chunk);
    }
  /* What starts at the end of time. */
  if (self->waiting->len > 0)
    for (guint i = 0; i < self->waiting->len; i++)
      self->func (&g_array_index (self->waiting, WeftDispatchRow, i), self->data);
  return TRUE;
}

gboolean
weft_stream_dispatches (const WeftAnalysisScope *scope, const WeftSelection *selection,
                        WeftDispatchFunc func, gpointer data, GError **error)
{
  Stream self = { .scope = scope, .selection = selection, .func = func, .data = data };
  gboolean good;

  self.waiting = g_array_new (FALSE, FALSE, sizeof (WeftDispatchRow));
  self.n_rows = weft_store_get_n_rows (scope->store, WEFT_TABLE_DISPATCHES);
  find_first_starts (&self);
  good = run_stream (&self, error);
  g_free (self.first_starts);
  g_array_unref (self.waiting);
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
