/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-waits.h"

/* One end of a wait. */
typedef struct
{
  WeftWait wait;
  gint64 time;
  gboolean is_end;
  guint64 id;
} WaitEnd;

guint64
weft_thread_key (guint64 thread, guint64 tid)
{
  return thread ? thread : G_GUINT64_CONSTANT (1) << 63 | tid;
}

static int
compare_objects (const WaitEnd *a, const WaitEnd *b)
{
  const guint64 left[] = { weft_thread_key (a->wait.thread, a->wait.tid), a->wait.dispatch,
                           a->wait.submission };
  const guint64 right[] = { weft_thread_key (b->wait.thread, b->wait.tid), b->wait.dispatch,
                            b->wait.submission };

  for (guint i = 0; i < G_N_ELEMENTS (left); i++)
    if (left[i] != right[i])
      return left[i] < right[i] ? -1 : 1;
  return 0;
}

static int
compare_ends (gconstpointer a, gconstpointer b)
{
  const WaitEnd *left = a;
  const WaitEnd *right = b;
  int order = compare_objects (left, right);

  if (order != 0)
    return order;
  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  if (left->is_end != right->is_end)
    return left->is_end ? 1 : -1;
  return left->id < right->id ? -1 : left->id > right->id;
}

static gboolean
read_ends (const WeftAnalysisScope *scope, WeftProducerIds *ids, WeftOriginRole role, GArray *ends,
           GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ORIGINS);

  weft_row_cursor_where (rows, WEFT_ORIGINS_ROLE, role);
  while (weft_row_cursor_next (rows))
    {
      WaitEnd end = {
        .wait = { .thread = weft_row_cursor_get (rows, WEFT_ORIGINS_THREAD),
                  .tid = weft_row_cursor_get (rows, WEFT_ORIGINS_TID),
                  .submission = weft_row_cursor_get (rows, WEFT_ORIGINS_SUBMISSION) },
        .time = weft_row_cursor_get_signed (rows, WEFT_ORIGINS_TIME),
        .is_end = role == WEFT_ORIGIN_ROLE_WAIT_END,
        .id = weft_row_cursor_get_number (rows),
      };

      end.wait.dispatch =
          weft_producer_ids_get (ids, weft_row_cursor_get (rows, WEFT_ORIGINS_DISPATCH),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_RUNTIME),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_PRODUCER_DISPATCH));
      g_array_append_val (ends, end);
    }
  return weft_row_cursor_finish (rows, error);
}

/* An end belongs to the last begin before it that has none; of the same thread and object. */
static GArray *
pair_ends (const GArray *ends)
{
  GArray *waits = g_array_new (FALSE, FALSE, sizeof (WeftWait));

  for (guint i = 0; i < ends->len; i++)
    {
      const WaitEnd *end = &g_array_index (ends, WaitEnd, i);
      const WaitEnd *before = i > 0 ? end - 1 : NULL;
      WeftWait wait = end->wait;

      if (end->is_end && before != NULL && !before->is_end && compare_objects (before, end) == 0)
        {
          WeftWait *open = &g_array_index (waits, WeftWait, waits->len - 1);

          open->end = end->time;
          open->has_end = TRUE;
          open->end_origin = end->id;
          continue;
        }
      wait.has_begin = !end->is_end;
      wait.has_end = end->is_end;
      wait.begin = end->is_end ? 0 : end->time;
      wait.end = end->is_end ? end->time : 0;
      wait.begin_origin = end->is_end ? 0 : end->id;
      wait.end_origin = end->is_end ? end->id : 0;
      g_array_append_val (waits, wait);
    }
  return waits;
}

GArray *
weft_waits_read (const WeftAnalysisScope *scope, WeftProducerIds *ids, GError **error)
{
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (WaitEnd));

  if (!read_ends (scope, ids, WEFT_ORIGIN_ROLE_WAIT_BEGIN, ends, error) ||
      !read_ends (scope, ids, WEFT_ORIGIN_ROLE_WAIT_END, ends, error))
    return NULL;
  g_array_sort (ends, compare_ends);
  return pair_ends (ends);
}

gboolean
weft_wait_is_by (const WeftWait *wait, const GArray *queued_by)
{
  for (guint i = 0; queued_by != NULL && i < queued_by->len; i++)
    if (g_array_index (queued_by, guint64, i) == weft_thread_key (wait->thread, wait->tid))
      return TRUE;
  return FALSE;
}

gboolean
weft_wait_covers_end (const WeftWait *wait, gint64 start, gint64 end)
{
  return wait->has_begin && wait->has_end && wait->begin <= end && wait->end >= end &&
         wait->end >= start;
}

/* ---- Rows ---- */

enum
{
  DISPATCH = WEFT_ANSWER_N_THREAD_COLUMNS,
  SUBMISSION,
  BEGIN,
  END,
  DURATION,
  OVERLAP,
  COVERS_END,
  SAME_THREAD,
  N_COLUMNS
};

static const WeftAnswerColumn columns[] = {
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_ID ("dispatch", "d"),
  WEFT_ANSWER_ID ("submission", "s"),
  WEFT_ANSWER_COLUMN ("begin", TIME),
  WEFT_ANSWER_COLUMN ("end", TIME),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("overlap", DURATION),
  WEFT_ANSWER_COLUMN ("covers_end", BOOLEAN),
  WEFT_ANSWER_COLUMN ("same_thread", BOOLEAN),
};

G_STATIC_ASSERT (G_N_ELEMENTS (columns) == N_COLUMNS);

WeftTableBuilder *
weft_wait_rows_begin (const char *name)
{
  return weft_answer_begin_table (name, columns, N_COLUMNS);
}

void
weft_wait_rows_add (WeftTableBuilder *builder, WeftCatalog *catalog, const WeftWait *wait,
                    gint64 start, gint64 end, const GArray *queued_by)
{
  gint64 from = MAX (wait->begin, start);
  gint64 to = MIN (wait->end, end);

  weft_table_builder_begin_row (builder);
  weft_answer_set_thread (builder, 0, catalog, wait->thread, wait->tid);
  weft_table_builder_set_uint64 (builder, DISPATCH, wait->dispatch);
  weft_table_builder_set_uint64 (builder, SUBMISSION, wait->submission);
  if (wait->has_begin)
    weft_table_builder_set_int64 (builder, BEGIN, wait->begin);
  if (wait->has_end)
    weft_table_builder_set_int64 (builder, END, wait->end);
  if (wait->has_begin && wait->has_end)
    {
      weft_table_builder_set_uint64 (builder, DURATION,
                                     (guint64) wait->end - (guint64) wait->begin);
      weft_table_builder_set_uint64 (builder, OVERLAP,
                                     to > from ? (guint64) to - (guint64) from : 0);
      weft_table_builder_set_uint64 (builder, COVERS_END, weft_wait_covers_end (wait, start, end));
    }
  if (queued_by != NULL && queued_by->len > 0)
    weft_table_builder_set_uint64 (builder, SAME_THREAD, weft_wait_is_by (wait, queued_by));
}
