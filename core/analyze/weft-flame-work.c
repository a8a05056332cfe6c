/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-flame-work.h"

#include "weft-analysis-scope.h"
#include "weft-enum-types.h"
#include "weft-query.h"
#include "weft-waits.h"

/* A dispatch that its thread provably waited for. */
typedef struct
{
  guint64 id;
  guint64 submission;
  gint64 start;
  gint64 end;
  guint32 lane;
  guint32 routine;
  guint32 stack;
  guint64 thread; /* that queued it; 0: not known */
} Work;

struct _WeftFlameWork
{
  GArray *works;  /* element type Work, by id */
  GArray *pieces; /* element type WeftWorkPiece: by thread and start, none overlaps another */
};

static Work *
find_work (WeftFlameWork *self, guint64 id)
{
  guint low = 0;
  guint high = self->works->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      Work *work = &g_array_index (self->works, Work, middle);

      if (work->id == id)
        return work;
      if (work->id < id)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

static int
compare_works (gconstpointer a, gconstpointer b)
{
  const Work *left = a;
  const Work *right = b;

  return left->id < right->id ? -1 : left->id > right->id;
}

static gboolean
read_works (WeftFlameWork *self, const WeftAnalysisScope *scope,
            const WeftCallchainReader *callchains, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);

  weft_row_cursor_where (rows, WEFT_DISPATCHES_CLASSIFICATION, WEFT_CLASSIFICATION_SYNCHRONOUS);
  while (weft_row_cursor_next (rows))
    {
      Work work = {
        .id = weft_row_cursor_get_number (rows),
        .submission = weft_row_cursor_get (rows, WEFT_DISPATCHES_SUBMISSION),
        .start = weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_START),
        .lane = (guint32) weft_row_cursor_get (rows, WEFT_DISPATCHES_LANE),
        .routine = (guint32) weft_row_cursor_get (rows, WEFT_DISPATCHES_ROUTINE),
        .stack = weft_callchain_reader_find (
            callchains, weft_row_cursor_get (rows, WEFT_DISPATCHES_SHARED_CALLCHAIN)),
      };

      work.end = weft_time_after (work.start, weft_row_cursor_get (rows, WEFT_DISPATCHES_DURATION));
      if (work.stack != 0 && weft_scope_overlaps (scope, work.start, work.end))
        g_array_append_val (self->works, work);
    }
  g_array_sort (self->works, compare_works);
  return weft_row_cursor_finish (rows, error);
}

/* Which thread queued each. */
static gboolean
read_threads (WeftFlameWork *self, const WeftAnalysisScope *scope, WeftProducerIds *ids,
              GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ORIGINS);

  weft_row_cursor_where (rows, WEFT_ORIGINS_ROLE, WEFT_ORIGIN_ROLE_DISPATCH);
  while (weft_row_cursor_next (rows))
    {
      guint64 id =
          weft_producer_ids_get (ids, weft_row_cursor_get (rows, WEFT_ORIGINS_DISPATCH),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_RUNTIME),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_PRODUCER_DISPATCH));
      Work *work = find_work (self, id);

      if (work != NULL && work->thread == 0)
        work->thread = weft_row_cursor_get (rows, WEFT_ORIGINS_THREAD);
    }
  return weft_row_cursor_finish (rows, error);
}

/* ---- Pieces ---- */

static void
add_piece (WeftFlameWork *self, const Work *work, const WeftWait *wait)
{
  WeftWorkPiece piece = {
    .thread = (guint32) work->thread,
    .lane = work->lane,
    .routine = work->routine,
    .stack = work->stack,
    .start = MAX (work->start, wait->begin),
    .stop = MIN (work->end, wait->end),
    .dispatch = work->id,
  };

  if (work->thread == 0 || wait->thread != work->thread || !wait->has_begin || !wait->has_end ||
      piece.start >= piece.stop)
    return;
  g_array_append_val (self->pieces, piece);
}

static int
compare_submissions (gconstpointer a, gconstpointer b)
{
  const Work *left = *(Work *const *) a;
  const Work *right = *(Work *const *) b;

  if (left->submission != right->submission)
    return left->submission < right->submission ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

/* element type Work *, those of a submission together */
static GPtrArray *
order_by_submission (WeftFlameWork *self)
{
  GPtrArray *works = g_ptr_array_sized_new (self->works->len);

  for (guint i = 0; i < self->works->len; i++)
    g_ptr_array_add (works, &g_array_index (self->works, Work, i));
  g_ptr_array_sort (works, compare_submissions);
  return works;
}

static guint
find_submission (const GPtrArray *works, guint64 submission)
{
  guint low = 0;
  guint high = works->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (((const Work *) g_ptr_array_index (works, middle))->submission < submission)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
add_pieces (WeftFlameWork *self, const GArray *waits)
{
  g_autoptr (GPtrArray) works = order_by_submission (self);

  for (guint i = 0; i < waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (waits, WeftWait, i);
      const Work *work = wait->dispatch != 0 ? find_work (self, wait->dispatch) : NULL;

      if (work != NULL)
        add_piece (self, work, wait);
      for (guint w = find_submission (works, wait->submission);
           wait->dispatch == 0 && wait->submission != 0 && w < works->len; w++)
        {
          work = g_ptr_array_index (works, w);
          if (work->submission != wait->submission)
            break;
          add_piece (self, work, wait);
        }
    }
}

static int
compare_ends (gconstpointer a, gconstpointer b)
{
  const WeftWorkPiece *left = a;
  const WeftWorkPiece *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  if (left->stop != right->stop)
    return left->stop > right->stop ? -1 : 1;
  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  return left->dispatch < right->dispatch ? -1 : left->dispatch > right->dispatch;
}

static int
compare_starts (gconstpointer a, gconstpointer b)
{
  const WeftWorkPiece *left = a;
  const WeftWorkPiece *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  return left->start < right->start ? -1 : left->start > right->start;
}

/* From the last end backwards: what a piece has of time that later ends left. */
static void
part_pieces (WeftFlameWork *self)
{
  guint n = 0;
  guint32 thread = 0;
  gint64 left = G_MAXINT64;

  g_array_sort (self->pieces, compare_ends);
  for (guint i = 0; i < self->pieces->len; i++)
    {
      WeftWorkPiece piece = g_array_index (self->pieces, WeftWorkPiece, i);

      if (piece.thread != thread)
        left = G_MAXINT64;
      thread = piece.thread;
      piece.stop = MIN (piece.stop, left);
      if (piece.start >= piece.stop)
        continue;
      left = piece.start;
      g_array_index (self->pieces, WeftWorkPiece, n++) = piece;
    }
  g_array_set_size (self->pieces, n);
  g_array_sort (self->pieces, compare_starts);
}

WeftFlameWork *
weft_flame_work_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                     GError **error)
{
  g_autoptr (WeftFlameWork) self = g_new0 (WeftFlameWork, 1);
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  g_autoptr (GArray) waits = NULL;

  self->works = g_array_new (FALSE, FALSE, sizeof (Work));
  self->pieces = g_array_new (FALSE, FALSE, sizeof (WeftWorkPiece));
  if (!read_works (self, scope, callchains, error))
    return NULL;
  if (self->works->len == 0)
    return g_steal_pointer (&self);
  if (!weft_producer_ids_want_table (ids, scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                     WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) ||
      !weft_producer_ids_resolve (ids, scope, error) || !read_threads (self, scope, ids, error))
    return NULL;
  waits = weft_waits_read (scope, ids, error);
  if (waits == NULL)
    return NULL;
  add_pieces (self, waits);
  part_pieces (self);
  return g_steal_pointer (&self);
}

void
weft_flame_work_free (WeftFlameWork *self)
{
  g_array_unref (self->works);
  g_array_unref (self->pieces);
  g_free (self);
}

/* ---- Waits in parts ---- */

/* The first piece of THREAD that ends after TIME. */
static guint
find_piece (const WeftFlameWork *self, guint32 thread, gint64 time)
{
  guint low = 0;
  guint high = self->pieces->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftWorkPiece *piece = &g_array_index (self->pieces, WeftWorkPiece, middle);

      if (piece->thread < thread || (piece->thread == thread && piece->stop <= time))
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
weft_flame_work_split (const WeftFlameWork *self, guint32 thread, gint64 start, gint64 stop,
                       WeftWorkFunc func, gpointer data)
{
  for (guint i = find_piece (self, thread, start); i < self->pieces->len; i++)
    {
      const WeftWorkPiece *piece = &g_array_index (self->pieces, WeftWorkPiece, i);

      if (piece->thread != thread || piece->start >= stop)
        break;
      if (piece->start > start)
        func (start, piece->start, NULL, data);
      func (MAX (start, piece->start), MIN (stop, piece->stop), piece, data);
      start = MIN (stop, piece->stop);
    }
  if (start < stop)
    func (start, stop, NULL, data);
}

/* ---- What is shown, and what not ---- */

enum
{
  CLASSIFICATION,
  REASON,
  DISPATCHES,
  TARGET_TIME,
  SHOWN,
  WAITED,
  N_COLUMNS
};

static const WeftAnswerColumn columns[] = {
  [CLASSIFICATION] = WEFT_ANSWER_ENUM ("classification", weft_classification_get_type),
  [REASON] = WEFT_ANSWER_ENUM ("reason", weft_classification_reason_get_type),
  [DISPATCHES] = WEFT_ANSWER_COLUMN ("dispatches", UINT64),
  [TARGET_TIME] = WEFT_ANSWER_COLUMN ("target_time", DURATION),
  [SHOWN] = WEFT_ANSWER_COLUMN ("shown", UINT64),
  [WAITED] = WEFT_ANSWER_COLUMN ("waited", DURATION),
};

static WeftTable *
count_classes (const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", error);

  if (query == NULL || !weft_query_group_by (query, "classification", NULL, error) ||
      !weft_query_group_by (query, "classification_reason", NULL, error) ||
      !weft_query_select (query, "count", "n", error) ||
      !weft_query_select (query, "sum(duration)", "time", error) ||
      !weft_query_order_by (query, "n", TRUE, error))
    return NULL;
  if (weft_scope_has_range (scope))
    weft_query_set_range (query, scope->begin, scope->end);
  return weft_query_run (query, scope->recording, scope->cancellable, error);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  const guint64 left = *(const guint64 *) a;
  const guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

static void
sum_pieces (const WeftFlameWork *self, guint64 *n_dispatches, guint64 *time)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));

  *n_dispatches = *time = 0;
  for (guint i = 0; i < self->pieces->len; i++)
    {
      const WeftWorkPiece *piece = &g_array_index (self->pieces, WeftWorkPiece, i);

      g_array_append_val (ids, piece->dispatch);
      *time += (guint64) piece->stop - (guint64) piece->start;
    }
  g_array_sort (ids, compare_ids);
  for (guint i = 0; i < ids->len; i++)
    *n_dispatches +=
        i == 0 || g_array_index (ids, guint64, i) != g_array_index (ids, guint64, i - 1);
}

gboolean
weft_flame_work_tell (const WeftFlameWork *self, const WeftAnalysisScope *scope, WeftReport *report,
                      GError **error)
{
  g_autoptr (WeftTable) classes = count_classes (scope, error);
  WeftTableBuilder *builder;
  guint64 n_shown, waited;

  if (classes == NULL)
    return FALSE;
  sum_pieces (self, &n_shown, &waited);
  builder = weft_answer_begin_table ("target_work", columns, N_COLUMNS);
  for (guint row = 0; row < weft_table_get_n_rows (classes); row++)
    {
      guint64 class = weft_table_get_uint64 (classes, 0, row);
      gboolean is_proven = class == WEFT_CLASSIFICATION_SYNCHRONOUS;

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, CLASSIFICATION, class);
      weft_table_builder_set_uint64 (builder, REASON, weft_table_get_uint64 (classes, 1, row));
      weft_table_builder_set_uint64 (builder, DISPATCHES, weft_table_get_uint64 (classes, 2, row));
      weft_table_builder_set_uint64 (builder, TARGET_TIME, weft_table_get_uint64 (classes, 3, row));
      weft_table_builder_set_uint64 (builder, SHOWN, is_proven ? n_shown : 0);
      weft_table_builder_set_uint64 (builder, WAITED, is_proven ? waited : 0);
    }
  weft_answer_add_table (report, builder);
  return TRUE;
}
