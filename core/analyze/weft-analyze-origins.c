/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which threads queued target work, waited for it, and heard of its end: provenance, never
 * containment.
 */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-enum-types.h"
#include "weft-origin-rows.h"
#include "weft-ranking.h"
#include "weft-row-table.h"
#include "weft-waits.h"

#include <string.h>

static const char *const groups[] = { "origin", "thread", "role", "status", NULL };

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftSelection *selection; /* NULL: all */
  WeftProducerIds *ids;
  guint64 dispatch; /* of the object that is asked about */
  guint64 submission;
} Origins;

static guint64
get_dispatch (Origins *self, WeftRowCursor *origin)
{
  return weft_producer_ids_get (self->ids, weft_row_cursor_get (origin, WEFT_ORIGINS_DISPATCH),
                                weft_row_cursor_get (origin, WEFT_ORIGINS_RUNTIME),
                                weft_row_cursor_get (origin, WEFT_ORIGINS_PRODUCER_DISPATCH));
}

static gboolean
is_wanted (Origins *self, WeftRowCursor *origin, guint64 dispatch)
{
  guint64 submission = weft_row_cursor_get (origin, WEFT_ORIGINS_SUBMISSION);

  if (!weft_selection_allows (self->selection, dispatch))
    return FALSE;
  if (self->dispatch == 0 && self->submission == 0)
    return TRUE;
  if (self->dispatch != 0 && dispatch == self->dispatch)
    return TRUE;
  /* What concerns a dispatch's submission concerns it, but not what concerns its neighbours. */
  return self->submission != 0 && submission == self->submission &&
         (self->dispatch == 0 || dispatch == 0);
}

/* ---- One by one ---- */

static gboolean
rank_origins (Origins *self, WeftRanking *ranking, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);

  while (weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_ORIGINS_TIME);

      if (weft_scope_overlaps (self->scope, time, time) &&
          is_wanted (self, rows, get_dispatch (self, rows)))
        weft_ranking_add (ranking, time, weft_row_cursor_get_number (rows), NULL);
    }
  return weft_row_cursor_finish (rows, error);
}

static const char *
explain_nothing (Origins *self)
{
  if (self->dispatch != 0 || self->submission != 0)
    return "Nothing tells which thread queued this or waited for it: the program captures no "
           "origin there (docs/producer-guide.md)";
  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ORIGINS) > 0)
    return "No origin fits what was asked for";
  return "No origin was reported: a program captures one where it queues work, with "
         "weft_target_origin () (docs/producer-guide.md)";
}

static gboolean
list_origins (Origins *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_origin_rows_begin ("target-origins");
  g_autoptr (WeftRowCursor) origins = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "target-origins", TRUE, error);
  g_auto (WeftDispatchNames) names = { 0 };
  g_auto (WeftOriginStacks) stacks = { 0 };
  guint n_rows;

  if (ranking == NULL || !weft_dispatch_names_init (&names, self->scope, error) ||
      !weft_origin_stacks_init (&stacks, self->scope, error) ||
      !rank_origins (self, ranking, error))
    return FALSE;
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    if (weft_row_cursor_seek (origins, weft_ranking_get (ranking, i)->id))
      {
        guint64 dispatch = get_dispatch (self, origins);

        weft_origin_rows_add (builder, &names, &stacks, origins,
                              dispatch ? dispatch : self->dispatch);
      }
  if (!weft_row_cursor_finish (origins, error) ||
      !weft_row_cursor_finish (names.dispatches, error) ||
      !weft_origin_stacks_finish (&stacks, error))
    return FALSE;
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (builder, explain_nothing (self));
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- By thread ---- */

typedef struct
{
  guint64 thread; /* or, with the highest bit, a number that no thread is known of */
  guint64 counts[WEFT_ORIGIN_ROLE_FAULT + 1];
  guint64 dispatches;
  guint64 total; /* ns of the dispatches that it queued */
} ThreadWork;

#define NO_THREAD (G_GUINT64_CONSTANT (1) << 63)

/* THREAD queued DISPATCH, perhaps told more than once. */
typedef struct
{
  guint64 thread;
  guint64 dispatch;
} Queued;

typedef struct
{
  Origins *origins;
  GHashTable *threads;     /* ThreadWork → itself */
  GArray *queued;          /* element type Queued */
  GHashTable *submissions; /* id → GArray of threads that queued it */
} ByThread;

static ThreadWork *
get_work (ByThread *self, guint64 thread)
{
  ThreadWork *work = g_hash_table_lookup (self->threads, &thread);

  if (work == NULL)
    {
      work = g_new0 (ThreadWork, 1);
      work->thread = thread;
      g_hash_table_add (self->threads, work);
    }
  return work;
}

static void
add_submission (ByThread *self, guint64 submission, guint64 thread)
{
  GArray *threads = g_hash_table_lookup (self->submissions, GSIZE_TO_POINTER (submission));

  if (threads == NULL)
    {
      threads = g_array_new (FALSE, FALSE, sizeof (guint64));
      g_hash_table_insert (self->submissions, GSIZE_TO_POINTER (submission), threads);
    }
  g_array_append_val (threads, thread);
}

static void
take_origin (ByThread *self, WeftRowCursor *origin)
{
  guint64 role = weft_row_cursor_get (origin, WEFT_ORIGINS_ROLE);
  guint64 submission = weft_row_cursor_get (origin, WEFT_ORIGINS_SUBMISSION);
  Queued queued = { weft_thread_key (weft_row_cursor_get (origin, WEFT_ORIGINS_THREAD),
                                     weft_row_cursor_get (origin, WEFT_ORIGINS_TID)),
                    get_dispatch (self->origins, origin) };
  ThreadWork *work = get_work (self, queued.thread);

  if (role < G_N_ELEMENTS (work->counts))
    work->counts[role]++;
  if (role != WEFT_ORIGIN_ROLE_DISPATCH)
    return;
  if (queued.dispatch != 0)
    g_array_append_val (self->queued, queued);
  else if (submission != 0)
    add_submission (self, submission, queued.thread);
}

static gboolean
take_submissions (ByThread *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = NULL;

  if (g_hash_table_size (self->submissions) == 0)
    return TRUE;
  rows = weft_row_cursor_new (self->origins->scope, WEFT_TABLE_DISPATCHES);
  while (weft_row_cursor_next (rows))
    {
      guint64 submission = weft_row_cursor_get (rows, WEFT_DISPATCHES_SUBMISSION);
      const GArray *threads =
          submission ? g_hash_table_lookup (self->submissions, GSIZE_TO_POINTER (submission))
                     : NULL;

      if (!weft_selection_allows (self->origins->selection, weft_row_cursor_get_number (rows)))
        continue;
      for (guint i = 0; threads != NULL && i < threads->len; i++)
        {
          Queued queued = { g_array_index (threads, guint64, i),
                            weft_row_cursor_get_number (rows) };

          g_array_append_val (self->queued, queued);
        }
    }
  return weft_row_cursor_finish (rows, error);
}

static int
compare_queued (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Queued));
}

static gboolean
add_times (ByThread *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION };
  const WeftAnalysisScope *scope = self->origins->scope;
  g_autoptr (WeftRowTable) dispatches = NULL;
  Queued last = { 0, 0 };

  if (self->queued->len == 0)
    return TRUE;
  dispatches = weft_row_table_new (scope, WEFT_TABLE_DISPATCHES, columns, 2, error);
  if (dispatches == NULL)
    return FALSE;
  g_array_sort (self->queued, compare_queued);
  for (guint i = 0; i < self->queued->len; i++)
    {
      const Queued *queued = &g_array_index (self->queued, Queued, i);
      gint64 start = (gint64) weft_row_table_get (dispatches, columns[0], queued->dispatch);
      gint64 end =
          weft_time_after (start, weft_row_table_get (dispatches, columns[1], queued->dispatch));
      ThreadWork *work = get_work (self, queued->thread);

      if (compare_queued (queued, &last) == 0 || !weft_scope_overlaps (scope, start, end))
        continue;
      last = *queued;
      work->dispatches++;
      work->total += weft_scope_clip (scope, start, end);
    }
  return TRUE;
}

static const WeftAnswerColumn thread_columns[] = {
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_UNIT ("queued", UINT64, "count"),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("target_time", DURATION),
  WEFT_ANSWER_UNIT ("waits", UINT64, "count"),
  WEFT_ANSWER_UNIT ("completions", UINT64, "count"),
  WEFT_ANSWER_UNIT ("faults", UINT64, "count"),
};

static void
add_thread_row (WeftTableBuilder *builder, WeftCatalog *catalog, const ThreadWork *work)
{
  guint column = WEFT_ANSWER_N_THREAD_COLUMNS;
  gboolean known = !(work->thread & NO_THREAD);

  weft_table_builder_begin_row (builder);
  weft_answer_set_thread (builder, 0, catalog, known ? work->thread : 0,
                          known ? 0 : work->thread & ~NO_THREAD);
  weft_table_builder_set_uint64 (builder, column++, work->counts[WEFT_ORIGIN_ROLE_DISPATCH]);
  weft_table_builder_set_uint64 (builder, column++, work->dispatches);
  weft_table_builder_set_uint64 (builder, column++, work->total);
  weft_table_builder_set_uint64 (builder, column++, work->counts[WEFT_ORIGIN_ROLE_WAIT_BEGIN]);
  weft_table_builder_set_uint64 (builder, column++, work->counts[WEFT_ORIGIN_ROLE_COMPLETION]);
  weft_table_builder_set_uint64 (builder, column, work->counts[WEFT_ORIGIN_ROLE_FAULT]);
}

static gboolean
report_threads (ByThread *self, WeftReport *report, GError **error)
{
  const WeftAnalysisScope *scope = self->origins->scope;
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-origins", thread_columns, G_N_ELEMENTS (thread_columns));
  g_autoptr (WeftRanking) ranking = weft_ranking_new (scope, "target-origins", FALSE, error);
  g_autoptr (WeftCatalog) catalog = NULL;
  GHashTableIter iter;
  gpointer work;
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (catalog == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, &work, NULL))
    weft_ranking_add (ranking, weft_rank_key (((ThreadWork *) work)->total),
                      ((ThreadWork *) work)->thread, work);
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    add_thread_row (builder, catalog, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (builder, explain_nothing (self->origins));
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

static gboolean
group_by_thread (Origins *origins, WeftReport *report, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (origins->scope, WEFT_TABLE_ORIGINS);
  ByThread self = { .origins = origins };
  gboolean good;

  self.threads = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self.queued = g_array_new (FALSE, FALSE, sizeof (Queued));
  self.submissions = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  while (weft_row_cursor_next (rows))
    if (is_wanted (origins, rows, get_dispatch (origins, rows)))
      take_origin (&self, rows);
  good = weft_row_cursor_finish (rows, error) && take_submissions (&self, error) &&
         add_times (&self, error) && report_threads (&self, report, error);
  g_hash_table_unref (self.threads);
  g_array_unref (self.queued);
  g_hash_table_unref (self.submissions);
  return good;
}

/* ---- By role and by status ---- */

typedef struct
{
  guint64 origins;
  guint64 with_stack;
  guint64 without_thread;
} Share;

#define MAX_SHARES 256

static const WeftAnswerColumn share_columns[] = {
  WEFT_ANSWER_UNIT ("origins", UINT64, "count"),
  WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  WEFT_ANSWER_UNIT ("with_stack", UINT64, "count"),
  WEFT_ANSWER_UNIT ("without_thread", UINT64, "count"),
};

static gboolean
count_shares (Origins *self, WeftColumnNumber by, Share *shares, guint64 *total, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);

  while (weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_ORIGINS_TIME);
      Share *share = &shares[MIN (weft_row_cursor_get (rows, by), MAX_SHARES - 1)];

      if (!weft_scope_overlaps (self->scope, time, time) ||
          !is_wanted (self, rows, get_dispatch (self, rows)))
        continue;
      (*total)++;
      share->origins++;
      share->with_stack += weft_row_cursor_get (rows, WEFT_ORIGINS_STACK) != 0;
      share->without_thread += weft_row_cursor_get (rows, WEFT_ORIGINS_THREAD) == 0;
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
group_by_enum (Origins *self, gboolean by_role, WeftReport *report, GError **error)
{
  const WeftAnswerColumn first = {
    { by_role ? "role" : "link_status", NULL, WEFT_VALUE_ENUM, NULL, NULL },
    by_role ? weft_origin_role_get_type : weft_link_status_get_type,
  };
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("target-origins", &first, 1);
  Share shares[MAX_SHARES] = { 0 };
  guint64 total = 0;

  for (guint i = 0; i < G_N_ELEMENTS (share_columns); i++)
    weft_table_builder_add_column (builder, &share_columns[i].column);
  if (!by_role)
    weft_table_builder_add_column (
        builder, &(WeftTableColumn){ "reason", NULL, WEFT_VALUE_STRING, NULL, NULL });
  if (!count_shares (self, by_role ? WEFT_ORIGINS_ROLE : WEFT_ORIGINS_LINK_STATUS, shares, &total,
                     error))
    return FALSE;
  for (guint i = 0; i < MAX_SHARES; i++)
    {
      if (shares[i].origins == 0)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, i);
      weft_table_builder_set_uint64 (builder, 1, shares[i].origins);
      weft_answer_set_share (builder, 2, shares[i].origins, total);
      weft_table_builder_set_uint64 (builder, 3, shares[i].with_stack);
      weft_table_builder_set_uint64 (builder, 4, shares[i].without_thread);
      if (!by_role)
        weft_table_builder_set_string (builder, 5, weft_link_status_explain ((WeftLinkStatus) i));
    }
  if (total == 0)
    weft_table_builder_set_hint (builder, explain_nothing (self));
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- The kind ---- */

static gboolean
find_object (Origins *self, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_DISPATCHES, WEFT_TABLE_SUBMISSIONS };
  g_autoptr (WeftRowCursor) rows = NULL;
  WeftTableId table;
  guint64 id;

  if (self->scope->handle == NULL)
    return TRUE;
  if (!weft_answer_find_object (self->scope, tables, 2, &table, &id, error))
    return FALSE;
  if (table == WEFT_TABLE_SUBMISSIONS)
    {
      self->submission = id;
      return TRUE;
    }
  self->dispatch = id;
  rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  if (weft_row_cursor_seek (rows, id))
    self->submission = weft_row_cursor_get (rows, WEFT_DISPATCHES_SUBMISSION);
  return weft_row_cursor_finish (rows, error);
}

static gboolean
answer (Origins *self, WeftReport *report, GError **error)
{
  const char *group = self->scope->group_by;

  if (strcmp (group, "thread") == 0)
    return group_by_thread (self, report, error);
  if (strcmp (group, "origin") == 0)
    return list_origins (self, report, error);
  return group_by_enum (self, strcmp (group, "role") == 0, report, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  Origins self = { .scope = scope, .ids = ids };
  gint64 begin, end;
  gboolean good;

  good =
      weft_scope_find_range (scope, &begin, &end, error) && find_object (&self, error) &&
      weft_scope_select_dispatches (scope, &self.selection, error) &&
      weft_producer_ids_want_table (ids, scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                    WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) &&
      weft_producer_ids_resolve (ids, scope, error) && answer (&self, report, error);
  g_clear_pointer (&self.selection, weft_selection_free);
  return good;
}

const WeftAnalysisKind weft_analyze_origins = {
  .name = "target-origins",
  .summary = "Which threads queued target work, waited for it and heard of its end",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_HANDLE,
  .groups = groups,
  .default_limit = 100,
};
