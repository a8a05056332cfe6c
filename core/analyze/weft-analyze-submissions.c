/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was handed over together: its target work, how long it waited in the queue, and who waited
 * for it.
 */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-dispatch-rows.h"
#include "weft-enum-types.h"
#include "weft-intervals.h"
#include "weft-ranking.h"
#include "weft-row-table.h"
#include "weft-vocabulary.h"
#include "weft-waits.h"

#include <string.h>

static const char *const orders[] = { "start", "time", "queue", "wait", "count", NULL };

enum
{
  HANDLE,
  LANE,
  LANE_NAME,
  QUEUE,
  QUEUE_NAME,
  DISPATCHES,
  TARGET_TIME,
  FIRST,
  LAST,
  SPAN,
  BEGUN,
  COMMITTED,
  COMPLETED,
  QUEUE_TIME,
  WAITS,
  WAIT_TIME,
  STATUS,
  FAULT,
  ERROR,
  SUBMISSION_WORD,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("submission", "s"),
  WEFT_ANSWER_ID ("lane", "l"),
  WEFT_ANSWER_COLUMN ("lane_name", STRING),
  WEFT_ANSWER_ID ("queue", "q"),
  WEFT_ANSWER_COLUMN ("queue_name", STRING),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("target_time", DURATION),
  WEFT_ANSWER_COLUMN ("first", TIME),
  WEFT_ANSWER_COLUMN ("last", TIME),
  WEFT_ANSWER_COLUMN ("span", DURATION),
  WEFT_ANSWER_COLUMN ("begun", TIME),
  WEFT_ANSWER_COLUMN ("committed", TIME),
  WEFT_ANSWER_COLUMN ("completed", TIME),
  WEFT_ANSWER_COLUMN ("queue_time", DURATION),
  WEFT_ANSWER_UNIT ("waits", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("wait_time", DURATION),
  WEFT_ANSWER_ENUM ("status", weft_status_get_type),
  WEFT_ANSWER_COLUMN ("fault", BOOLEAN),
  WEFT_ANSWER_COLUMN ("error", STRING),
  WEFT_ANSWER_COLUMN ("submission_word", STRING),
};

typedef struct
{
  guint64 dispatches;
  guint64 total;
  gint64 first; /* of all its dispatches, in the range or not */
  gint64 last;
  gboolean has_dispatches;
  gint64 events[WEFT_SUBMISSION_EVENT_FAULT + 1];
  guint8 has_event; /* a bit for each kind */
  guint8 status;
  guint64 error;
  guint64 waits;
  guint64 wait_time;
  gboolean in_range;
} Submission;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftProducerIds *ids;
  WeftVocabulary *words;
  WeftRowTable *rows;
  Submission *submissions;  /* by the index of ROWS */
  GArray *waits;            /* element type WeftWait */
  WeftSelection *selection; /* NULL: all */
  guint64 wanted;           /* 0: all */
} Submissions;

static Submission *
find_submission (Submissions *self, guint64 id)
{
  guint64 index;

  if (id == 0 || !weft_row_table_get_index (self->rows, id, &index))
    return NULL;
  return &self->submissions[index];
}

/* ---- Reading ---- */

static gboolean
read_dispatches (Submissions *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);

  while (weft_row_cursor_next (rows))
    {
      gint64 start = weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_START);
      gint64 end = weft_time_after (start, weft_row_cursor_get (rows, WEFT_DISPATCHES_DURATION));
      Submission *submission =
          find_submission (self, weft_row_cursor_get (rows, WEFT_DISPATCHES_SUBMISSION));

      if (submission == NULL)
        continue;
      submission->first = submission->has_dispatches ? MIN (submission->first, start) : start;
      submission->last = submission->has_dispatches ? MAX (submission->last, end) : end;
      submission->has_dispatches = TRUE;
      if (!weft_selection_allows (self->selection, weft_row_cursor_get_number (rows)) ||
          !weft_scope_overlaps (self->scope, start, end))
        continue;
      submission->dispatches++;
      submission->total += weft_scope_clip (self->scope, start, end);
      submission->in_range = TRUE;
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
read_events (Submissions *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SUBMISSION_EVENTS);

  while (weft_row_cursor_next (rows))
    {
      guint64 kind = weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_KIND);
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_SUBMISSION_EVENTS_TIME);
      guint64 status = weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_STATUS);
      Submission *submission =
          find_submission (self, weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_SUBMISSION));

      if (submission == NULL || kind >= G_N_ELEMENTS (submission->events))
        continue;
      submission->events[kind] = time;
      submission->has_event |= (guint8) (1 << kind);
      if (status != WEFT_STATUS_OK)
        submission->status = (guint8) MIN (status, G_MAXUINT8);
      if (weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_ERROR) != 0)
        submission->error = weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_ERROR);
      if (self->selection == NULL && weft_scope_overlaps (self->scope, time, time))
        submission->in_range = TRUE;
    }
  return weft_row_cursor_finish (rows, error);
}

static guint64
submission_of_wait (Submissions *self, WeftRowCursor *dispatches, const WeftWait *wait)
{
  if (wait->submission != 0 || wait->dispatch == 0)
    return wait->submission;
  return weft_row_cursor_seek (dispatches, wait->dispatch)
             ? weft_row_cursor_get (dispatches, WEFT_DISPATCHES_SUBMISSION)
             : 0;
}

/* A thread that waits for two things of a submission at a time waits once: waits are united by
 * submission and thread.
 */
typedef struct
{
  guint64 submission;
  guint64 thread;
  WeftInterval interval;
} WaitedFor;

static int
compare_waited (gconstpointer a, gconstpointer b)
{
  const WaitedFor *left = a;
  const WaitedFor *right = b;

  if (left->submission != right->submission)
    return left->submission < right->submission ? -1 : 1;
  return left->thread < right->thread ? -1 : left->thread > right->thread;
}

static void
add_wait_times (Submissions *self, GArray *waited)
{
  g_autoptr (GArray) intervals = g_array_new (FALSE, FALSE, sizeof (WeftInterval));

  g_array_sort (waited, compare_waited);
  for (guint i = 0; i < waited->len; i++)
    {
      WaitedFor *one = &g_array_index (waited, WaitedFor, i);

      /* One owner for each pair: the first of its elements. */
      one->interval.owner =
          i > 0 && compare_waited (one - 1, one) == 0 ? (one - 1)->interval.owner : i;
      g_array_append_val (intervals, one->interval);
    }
  weft_intervals_sort (intervals);
  for (guint i = 0, n; i < intervals->len; i += n)
    {
      const WeftInterval *interval = &g_array_index (intervals, WeftInterval, i);
      guint64 id = g_array_index (waited, WaitedFor, interval->owner).submission;

      n = weft_intervals_count (intervals, i);
      find_submission (self, id)->wait_time += weft_intervals_get_union (interval, n);
    }
}

static gboolean
read_waits (Submissions *self, GError **error)
{
  g_autoptr (WeftRowCursor) dispatches = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  g_autoptr (GArray) waited = g_array_new (FALSE, FALSE, sizeof (WaitedFor));

  self->waits = weft_waits_read (self->scope, self->ids, error);
  if (self->waits == NULL)
    return FALSE;
  for (guint i = 0; i < self->waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (self->waits, WeftWait, i);
      WaitedFor one = { submission_of_wait (self, dispatches, wait),
                        weft_thread_key (wait->thread, wait->tid),
                        { 0, MAX (wait->begin, self->scope->begin),
                          MIN (wait->end, self->scope->end) } };
      Submission *submission = find_submission (self, one.submission);

      if (submission == NULL)
        continue;
      submission->waits++;
      if (wait->has_begin && wait->has_end && one.interval.end > one.interval.start)
        g_array_append_val (waited, one);
    }
  add_wait_times (self, waited);
  return weft_row_cursor_finish (dispatches, error);
}

/* ---- Rows ---- */

static gboolean
has_event (const Submission *submission, WeftSubmissionEventKind kind)
{
  return submission->has_event >> kind & 1;
}

static gboolean
get_queue_time (const Submission *submission, guint64 *time)
{
  gint64 commit = submission->events[WEFT_SUBMISSION_EVENT_COMMIT];

  if (!has_event (submission, WEFT_SUBMISSION_EVENT_COMMIT) || !submission->has_dispatches)
    return FALSE;
  *time = submission->first > commit ? (guint64) submission->first - (guint64) commit : 0;
  return TRUE;
}

static gint64
get_begin (const Submission *submission)
{
  gint64 begin = submission->has_dispatches ? submission->first : G_MAXINT64;

  for (guint i = 0; i < G_N_ELEMENTS (submission->events); i++)
    if (has_event (submission, (WeftSubmissionEventKind) i))
      begin = MIN (begin, submission->events[i]);
  return begin;
}

static gint64
get_key (const Submission *submission, const char *order)
{
  guint64 time;

  if (strcmp (order, "time") == 0)
    return weft_rank_key (submission->total);
  if (strcmp (order, "queue") == 0)
    return get_queue_time (submission, &time) ? weft_rank_key (time) : WEFT_RANK_LAST;
  if (strcmp (order, "wait") == 0)
    return weft_rank_key (submission->wait_time);
  if (strcmp (order, "count") == 0)
    return weft_rank_key (submission->dispatches);
  return get_begin (submission);
}

static void
set_events (WeftTableBuilder *builder, const Submission *submission)
{
  static const struct
  {
    guint column;
    WeftSubmissionEventKind kind;
  } times[] = {
    { BEGUN, WEFT_SUBMISSION_EVENT_BEGIN },
    { COMMITTED, WEFT_SUBMISSION_EVENT_COMMIT },
    { COMPLETED, WEFT_SUBMISSION_EVENT_FAULT },
    { COMPLETED, WEFT_SUBMISSION_EVENT_COMPLETED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    if (has_event (submission, times[i].kind))
      weft_table_builder_set_int64 (builder, times[i].column, submission->events[times[i].kind]);
  if (has_event (submission, WEFT_SUBMISSION_EVENT_COMPLETED) ||
      has_event (submission, WEFT_SUBMISSION_EVENT_FAULT))
    weft_table_builder_set_uint64 (builder, STATUS, submission->status);
  weft_table_builder_set_uint64 (builder, FAULT,
                                 has_event (submission, WEFT_SUBMISSION_EVENT_FAULT));
}

static void
set_queue (WeftTableBuilder *builder, WeftRowCursor *queues, guint64 queue)
{
  weft_table_builder_set_uint64 (builder, QUEUE, queue);
  if (queue != 0 && weft_row_cursor_seek (queues, queue))
    weft_answer_copy (builder, QUEUE_NAME, queues, WEFT_QUEUES_NAME);
}

static void
add_row (Submissions *self, WeftTableBuilder *builder, WeftCatalog *catalog, WeftRowCursor *queues,
         WeftRowCursor *errors, guint64 id)
{
  const Submission *submission = find_submission (self, id);
  guint64 lane = weft_row_table_get (self->rows, WEFT_SUBMISSIONS_LANE, id);
  guint64 time;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, id);
  weft_table_builder_set_uint64 (builder, LANE, lane);
  weft_table_builder_set_string (builder, LANE_NAME,
                                 weft_catalog_get_lane_name (catalog, (guint32) lane));
  set_queue (builder, queues, weft_row_table_get (self->rows, WEFT_SUBMISSIONS_QUEUE, id));
  weft_table_builder_set_uint64 (builder, DISPATCHES, submission->dispatches);
  weft_table_builder_set_uint64 (builder, TARGET_TIME, submission->total);
  if (submission->has_dispatches)
    {
      weft_table_builder_set_int64 (builder, FIRST, submission->first);
      weft_table_builder_set_int64 (builder, LAST, submission->last);
      weft_table_builder_set_uint64 (builder, SPAN,
                                     (guint64) submission->last - (guint64) submission->first);
    }
  set_events (builder, submission);
  if (get_queue_time (submission, &time))
    weft_table_builder_set_uint64 (builder, QUEUE_TIME, time);
  weft_table_builder_set_uint64 (builder, WAITS, submission->waits);
  weft_table_builder_set_uint64 (builder, WAIT_TIME, submission->wait_time);
  weft_table_builder_set_string (builder, ERROR, weft_answer_get_error (errors, submission->error));
  weft_table_builder_set_string (
      builder, SUBMISSION_WORD,
      weft_vocabulary_get_word (self->words, weft_catalog_get_lane_kind (catalog, (guint32) lane),
                                "submission", FALSE));
}

static void
rank_submissions (Submissions *self, WeftRanking *ranking)
{
  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->rows); i++)
    {
      guint64 id = weft_row_table_get_number (self->rows, i);
      const Submission *submission = &self->submissions[i];

      if ((self->wanted == 0 || self->wanted == id) &&
          (submission->in_range ||
           (self->selection == NULL && !weft_scope_has_range (self->scope))))
        weft_ranking_add (ranking, get_key (submission, self->scope->order_by), id, NULL);
    }
}

static gboolean
list_submissions (Submissions *self, WeftCatalog *catalog, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-submissions", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) queues = weft_row_cursor_new (self->scope, WEFT_TABLE_QUEUES);
  g_autoptr (WeftRowCursor) errors = weft_row_cursor_new (self->scope, WEFT_TABLE_ERRORS);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (
      self->scope, "target-submissions", strcmp (self->scope->order_by, "start") == 0, error);
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  rank_submissions (self, ranking);
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    add_row (self, builder, catalog, queues, errors, weft_ranking_get (ranking, i)->id);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder,
        weft_row_table_get_n_rows (self->rows) > 0
            ? "No submission has anything that fits what was asked for"
            : "No dispatch told which submission it was part of; a program gives those that it "
              "hands over together one number, and tells when it commits them, with "
              "weft_target_submission () (docs/producer-guide.md)");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (queues, error) && weft_row_cursor_finish (errors, error);
}

/* ---- One of them ---- */

static gboolean
add_events (Submissions *self, WeftReport *report, GError **error)
{
  static const WeftAnswerColumn event_columns[] = {
    WEFT_ANSWER_ENUM ("kind", weft_submission_event_kind_get_type),
    WEFT_ANSWER_COLUMN ("time", TIME),
    WEFT_ANSWER_ENUM ("status", weft_status_get_type),
    WEFT_ANSWER_COLUMN ("error", STRING),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("events", event_columns, G_N_ELEMENTS (event_columns));
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SUBMISSION_EVENTS);
  g_autoptr (WeftRowCursor) errors = weft_row_cursor_new (self->scope, WEFT_TABLE_ERRORS);

  weft_row_cursor_where (rows, WEFT_SUBMISSION_EVENTS_SUBMISSION, self->wanted);
  while (weft_row_cursor_next (rows))
    {
      weft_table_builder_begin_row (builder);
      weft_answer_copy (builder, 0, rows, WEFT_SUBMISSION_EVENTS_KIND);
      weft_answer_copy (builder, 1, rows, WEFT_SUBMISSION_EVENTS_TIME);
      weft_answer_copy (builder, 2, rows, WEFT_SUBMISSION_EVENTS_STATUS);
      weft_table_builder_set_string (
          builder, 3,
          weft_answer_get_error (errors, weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_ERROR)));
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (errors, error);
}

static gboolean
add_waits (Submissions *self, WeftCatalog *catalog, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_wait_rows_begin ("waits");
  g_autoptr (WeftRowCursor) dispatches = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  const Submission *submission = find_submission (self, self->wanted);

  for (guint i = 0; i < self->waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (self->waits, WeftWait, i);

      if (submission_of_wait (self, dispatches, wait) == self->wanted)
        weft_wait_rows_add (builder, catalog, wait, submission->first, submission->last, NULL);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (dispatches, error);
}

/* ---- The kind ---- */

static gboolean
answer (Submissions *self, WeftReport *report, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_SUBMISSIONS_LANE, WEFT_SUBMISSIONS_QUEUE };
  g_autoptr (WeftCatalog) catalog =
      weft_catalog_new (self->scope->store, self->scope->cancellable, error);

  if (catalog == NULL)
    return FALSE;
  self->words = weft_recording_get_vocabulary (self->scope->recording);
  self->rows = weft_row_table_new (self->scope, WEFT_TABLE_SUBMISSIONS, numbers,
                                   G_N_ELEMENTS (numbers), error);
  if (self->rows == NULL)
    return FALSE;
  self->submissions = g_new0 (Submission, weft_row_table_get_n_rows (self->rows));
  return read_dispatches (self, error) && read_events (self, error) && read_waits (self, error) &&
         list_submissions (self, catalog, report, error) &&
         (self->wanted == 0 ||
          (add_events (self, report, error) && add_waits (self, catalog, report, error) &&
           weft_dispatch_rows_add_table (self->scope, report, WEFT_DISPATCHES_SUBMISSION,
                                         self->wanted, error)));
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_SUBMISSIONS };
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  Submissions self = { .scope = scope, .ids = ids };
  WeftTableId table;
  gint64 begin, end;
  gboolean good;

  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      (scope->handle != NULL &&
       !weft_answer_find_object (scope, tables, 1, &table, &self.wanted, error)))
    return FALSE;
  good =
      weft_scope_select_dispatches (scope, &self.selection, error) &&
      weft_producer_ids_want_table (ids, scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                    WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) &&
      weft_producer_ids_resolve (ids, scope, error) && answer (&self, report, error);
  g_clear_object (&self.words);
  g_clear_pointer (&self.rows, weft_row_table_free);
  g_clear_pointer (&self.waits, g_array_unref);
  g_clear_pointer (&self.selection, weft_selection_free);
  g_free (self.submissions);
  return good;
}

const WeftAnalysisKind weft_analyze_submissions = {
  .name = "target-submissions",
  .summary = "What was handed over together, how long it waited, and who waited for it",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_HANDLE,
  .orders = orders,
  .default_limit = 100,
};
