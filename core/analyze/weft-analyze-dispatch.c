/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything that is known of one dispatch. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-argument-rows.h"
#include "weft-attachment-rows.h"
#include "weft-counter-figures.h"
#include "weft-counter-names.h"
#include "weft-dispatch-rows.h"
#include "weft-enum-types.h"
#include "weft-origin-rows.h"
#include "weft-row-table.h"
#include "weft-tag-text.h"
#include "weft-vocabulary.h"
#include "weft-waits.h"

#include <string.h>

enum
{
  HANDLE,
  NAME,
  LANE,
  LANE_NAME,
  LANE_KIND,
  LABEL,
  ROUTINE,
  ROUTINE_NAME,
  ROUTINE_LABEL,
  FLAVOUR,
  SOURCE,
  SOURCE_PATH,
  LANGUAGE,
  FIRST_LINE,
  LAST_LINE,
  HAS_TEXT,
  START,
  END,
  DURATION,
  SELF,
  DEPTH,
  STATUS,
  ERROR_KIND,
  ERROR_NAME,
  ERROR_MESSAGE,
  ERROR_STACK,
  ERROR_CAUSE,
  ATTEMPTS,
  SUBMITTED,
  QUEUE_DELAY,
  QUEUE_WAIT,
  QUEUE_WAIT_LAST,
  QUEUE,
  QUEUE_NAME,
  SUBMISSION,
  TRACE,
  TRACE_NAME,
  RUNTIME,
  RUNTIME_NAME,
  THREAD,
  PRODUCER_ID = THREAD + WEFT_ANSWER_N_THREAD_COLUMNS,
  START_TICKS,
  END_TICKS,
  EXTRAPOLATED,
  LIST_CUT,
  UNRESERVED,
  CLASSIFICATION,
  EVIDENCE,
  LANE_KIND_LABEL,
  DISPATCH_WORD,
  ROUTINE_WORD,
  SUBMISSION_WORD,
  CLASSIFICATION_REASON,
  SHARED_CALLCHAIN,
  SHARED_FUNCTIONS,
  N_COLUMNS
};

static const WeftAnswerColumn columns[] = {
  WEFT_ANSWER_ID ("dispatch", "d"),
  WEFT_ANSWER_DISPATCH_COLUMNS,
  WEFT_ANSWER_COLUMN ("lane_kind", STRING),
  WEFT_ANSWER_COLUMN ("label", STRING),
  WEFT_ANSWER_ID ("routine", "r"),
  WEFT_ANSWER_COLUMN ("routine_name", STRING),
  WEFT_ANSWER_COLUMN ("routine_label", STRING),
  WEFT_ANSWER_COLUMN ("flavour", STRING),
  WEFT_ANSWER_ID ("source", "src"),
  WEFT_ANSWER_COLUMN ("source_path", STRING),
  WEFT_ANSWER_COLUMN ("language", STRING),
  WEFT_ANSWER_COLUMN ("first_line", UINT64),
  WEFT_ANSWER_COLUMN ("last_line", UINT64),
  WEFT_ANSWER_COLUMN ("has_text", BOOLEAN),
  WEFT_ANSWER_COLUMN ("start", TIME),
  WEFT_ANSWER_COLUMN ("end", TIME),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("self", DURATION),
  WEFT_ANSWER_COLUMN ("depth", UINT64),
  WEFT_ANSWER_ENUM ("status", weft_status_get_type),
  WEFT_ANSWER_ENUM ("error_kind", weft_error_kind_get_type),
  WEFT_ANSWER_COLUMN ("error_name", STRING),
  WEFT_ANSWER_COLUMN ("error_message", STRING),
  WEFT_ANSWER_COLUMN ("error_stack", STRING),
  WEFT_ANSWER_COLUMN ("error_cause", STRING),
  WEFT_ANSWER_COLUMN ("attempts", UINT64),
  WEFT_ANSWER_COLUMN ("submitted", TIME),
  WEFT_ANSWER_COLUMN ("queue_delay", DURATION),
  WEFT_ANSWER_COLUMN ("queue_wait", DURATION),
  WEFT_ANSWER_COLUMN ("queue_wait_last", DURATION),
  WEFT_ANSWER_ID ("queue", "q"),
  WEFT_ANSWER_COLUMN ("queue_name", STRING),
  WEFT_ANSWER_ID ("submission", "s"),
  WEFT_ANSWER_ID ("trace", "tr"),
  WEFT_ANSWER_COLUMN ("trace_name", STRING),
  WEFT_ANSWER_ID ("runtime", "rt"),
  WEFT_ANSWER_COLUMN ("runtime_name", STRING),
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_COLUMN ("producer_id", UINT64),
  WEFT_ANSWER_UNIT ("start_ticks", UINT64, "ticks"),
  WEFT_ANSWER_UNIT ("end_ticks", UINT64, "ticks"),
  WEFT_ANSWER_COLUMN ("extrapolated", BOOLEAN),
  WEFT_ANSWER_COLUMN ("list_cut", BOOLEAN),
  WEFT_ANSWER_COLUMN ("unreserved", BOOLEAN),
  WEFT_ANSWER_ENUM ("classification", weft_classification_get_type),
  WEFT_ANSWER_COLUMN ("evidence", STRING),
  WEFT_ANSWER_COLUMN ("lane_kind_label", STRING),
  WEFT_ANSWER_COLUMN ("dispatch_word", STRING),
  WEFT_ANSWER_COLUMN ("routine_word", STRING),
  WEFT_ANSWER_COLUMN ("submission_word", STRING),
  WEFT_ANSWER_ENUM ("classification_reason", weft_classification_reason_get_type),
  WEFT_ANSWER_ID ("shared_callchain", "cc"),
  WEFT_ANSWER_COLUMN ("shared_functions", STRING),
};

G_STATIC_ASSERT (G_N_ELEMENTS (columns) == N_COLUMNS);

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftReport *report;
  guint64 id;
  WeftDispatchRows rows; /* at the dispatch, unless neighbours are looked at */
  WeftProducerIds *ids;
  WeftVocabulary *words;
  const char *kind; /* of its lane, or NULL */
  guint64 lane;
  guint64 routine;
  guint64 submission;
  guint64 runtime;
  guint64 producer;
  gint64 start;
  gint64 end;
  GArray *queued_by; /* element type guint64: keys of the threads that queued it */
  GArray *waits;     /* element type WeftWait: those that concern it */
  WeftOriginStacks stacks;
} One;

/* Goes through the rows of a side table that concern the dispatch: those that name it, then those
 * that came before it and tell its number.
 */
typedef void (*SideFunc) (One *self, WeftRowCursor *row, gpointer data);

static gboolean
each_side (One *self, WeftTableId table, WeftColumnNumber dispatch, WeftColumnNumber runtime,
           WeftColumnNumber producer, SideFunc func, gpointer data, GError **error)
{
  g_autoptr (WeftRowCursor) named = weft_row_cursor_new (self->scope, table);
  g_autoptr (WeftRowCursor) early = weft_row_cursor_new (self->scope, table);

  weft_row_cursor_where (named, dispatch, self->id);
  while (weft_row_cursor_next (named))
    func (self, named, data);
  if (producer != 0 && self->producer != 0)
    {
      weft_row_cursor_where (early, producer, self->producer);
      weft_row_cursor_where (early, dispatch, 0);
      while (weft_row_cursor_next (early))
        if (runtime == 0 || weft_row_cursor_get (early, runtime) == self->runtime)
          func (self, early, data);
    }
  return weft_row_cursor_finish (named, error) && weft_row_cursor_finish (early, error);
}

/* ---- The dispatch itself ---- */

static gboolean
find_dispatch (One *self, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_DISPATCHES };
  const WeftCatalogLane *lane;
  WeftRowCursor *row;
  WeftTableId table;

  if (!weft_answer_find_object (self->scope, tables, 1, &table, &self->id, error) ||
      !weft_dispatch_rows_init (&self->rows, self->scope, error))
    return FALSE;
  row = self->rows.names.dispatches;
  weft_row_cursor_seek (row, self->id);
  self->lane = weft_row_cursor_get (row, WEFT_DISPATCHES_LANE);
  self->routine = weft_row_cursor_get (row, WEFT_DISPATCHES_ROUTINE);
  self->submission = weft_row_cursor_get (row, WEFT_DISPATCHES_SUBMISSION);
  self->producer = weft_row_cursor_get (row, WEFT_DISPATCHES_PRODUCER_ID);
  self->start = weft_dispatch_names_get_start (&self->rows.names);
  self->end = weft_dispatch_names_get_end (&self->rows.names);
  lane = weft_catalog_get_lane (self->rows.names.catalog, (guint32) self->lane);
  self->runtime = lane ? lane->runtime : 0;
  self->kind = lane ? lane->kind : NULL;
  return weft_row_cursor_finish (row, error);
}

static void
set_own (One *self, WeftTableBuilder *builder)
{
  static const struct
  {
    guint column;
    WeftColumnNumber number;
  } copied[] = {
    { LABEL, WEFT_DISPATCHES_LABEL },
    { ROUTINE, WEFT_DISPATCHES_ROUTINE },
    { START, WEFT_DISPATCHES_START },
    { DURATION, WEFT_DISPATCHES_DURATION },
    { DEPTH, WEFT_DISPATCHES_DEPTH },
    { STATUS, WEFT_DISPATCHES_STATUS },
    { ERROR_KIND, WEFT_DISPATCHES_ERROR_KIND },
    { ATTEMPTS, WEFT_DISPATCHES_ATTEMPTS },
    { SUBMITTED, WEFT_DISPATCHES_SUBMITTED },
    { QUEUE_WAIT, WEFT_DISPATCHES_QUEUE_WAIT },
    { QUEUE_WAIT_LAST, WEFT_DISPATCHES_QUEUE_WAIT_LAST },
    { QUEUE, WEFT_DISPATCHES_QUEUE },
    { SUBMISSION, WEFT_DISPATCHES_SUBMISSION },
    { TRACE, WEFT_DISPATCHES_TRACE },
    { START_TICKS, WEFT_DISPATCHES_START_TICKS },
    { END_TICKS, WEFT_DISPATCHES_END_TICKS },
    { CLASSIFICATION, WEFT_DISPATCHES_CLASSIFICATION },
    { CLASSIFICATION_REASON, WEFT_DISPATCHES_CLASSIFICATION_REASON },
    { SHARED_CALLCHAIN, WEFT_DISPATCHES_SHARED_CALLCHAIN },
  };
  WeftRowCursor *row = self->rows.names.dispatches;
  guint64 marks = weft_row_cursor_get (row, WEFT_DISPATCHES_MARKS);
  guint64 delay;

  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    weft_answer_copy (builder, copied[i].column, row, copied[i].number);
  weft_table_builder_set_int64 (builder, END, self->end);
  weft_table_builder_set_uint64 (builder, SELF, weft_dispatch_row_get_self (row));
  if (weft_dispatch_row_get_queue_delay (row, &delay))
    weft_table_builder_set_uint64 (builder, QUEUE_DELAY, delay);
  if (self->producer != 0)
    weft_table_builder_set_uint64 (builder, PRODUCER_ID, self->producer);
  weft_table_builder_set_uint64 (builder, EXTRAPOLATED, marks & 1);
  weft_table_builder_set_uint64 (builder, LIST_CUT, marks >> 1 & 1);
  weft_table_builder_set_uint64 (builder, UNRESERVED, marks >> 2 & 1);
}

static gboolean
set_error (One *self, WeftTableBuilder *builder, GError **error)
{
  WeftRowCursor *errors = self->rows.errors;
  guint64 id = weft_row_cursor_get (self->rows.names.dispatches, WEFT_DISPATCHES_ERROR);

  if (id != 0 && weft_row_cursor_seek (errors, id))
    {
      weft_answer_copy (builder, ERROR_NAME, errors, WEFT_ERRORS_NAME);
      weft_answer_copy (builder, ERROR_MESSAGE, errors, WEFT_ERRORS_MESSAGE);
      weft_answer_copy (builder, ERROR_STACK, errors, WEFT_ERRORS_STACK);
      weft_answer_copy (builder, ERROR_CAUSE, errors, WEFT_ERRORS_CAUSE);
    }
  return weft_row_cursor_finish (errors, error);
}

/* Its own source and lines, or those of its routine. */
static gboolean
set_code (One *self, WeftTableBuilder *builder, GError **error)
{
  WeftRowCursor *row = self->rows.names.dispatches;
  g_autoptr (WeftRowCursor) routine = weft_row_cursor_new (self->scope, WEFT_TABLE_ROUTINES);
  g_autoptr (WeftRowCursor) source = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  guint64 id = weft_row_cursor_get (row, WEFT_DISPATCHES_SOURCE);
  guint64 first = weft_row_cursor_get (row, WEFT_DISPATCHES_FIRST_LINE);
  guint64 last = weft_row_cursor_get (row, WEFT_DISPATCHES_LAST_LINE);

  if (self->routine != 0 && weft_row_cursor_seek (routine, self->routine))
    {
      weft_answer_copy (builder, ROUTINE_NAME, routine, WEFT_ROUTINES_NAME);
      weft_answer_copy (builder, ROUTINE_LABEL, routine, WEFT_ROUTINES_LABEL);
      weft_answer_copy (builder, FLAVOUR, routine, WEFT_ROUTINES_FLAVOUR);
      if (id == 0 && first == 0)
        {
          first = weft_row_cursor_get (routine, WEFT_ROUTINES_FIRST_LINE);
          last = weft_row_cursor_get (routine, WEFT_ROUTINES_LAST_LINE);
        }
      if (id == 0)
        id = weft_row_cursor_get (routine, WEFT_ROUTINES_SOURCE);
    }
  weft_table_builder_set_uint64 (builder, SOURCE, id);
  if (first != 0)
    {
      weft_table_builder_set_uint64 (builder, FIRST_LINE, first);
      weft_table_builder_set_uint64 (builder, LAST_LINE, last);
    }
  if (id != 0 && weft_row_cursor_seek (source, id))
    {
      weft_answer_copy (builder, SOURCE_PATH, source, WEFT_SOURCES_PATH);
      weft_answer_copy (builder, LANGUAGE, source, WEFT_SOURCES_LANGUAGE);
      weft_table_builder_set_uint64 (builder, HAS_TEXT,
                                     weft_row_cursor_get (source, WEFT_SOURCES_TEXT) != 0);
    }
  return weft_row_cursor_finish (routine, error) && weft_row_cursor_finish (source, error);
}

static gboolean
set_others (One *self, WeftTableBuilder *builder, GError **error)
{
  WeftRowCursor *row = self->rows.names.dispatches;
  WeftCatalog *catalog = self->rows.names.catalog;
  const WeftCatalogLane *lane = weft_catalog_get_lane (catalog, (guint32) self->lane);
  const WeftCatalogRuntime *runtime = weft_catalog_get_runtime (catalog, (guint32) self->runtime);
  g_autoptr (WeftRowCursor) queue = weft_row_cursor_new (self->scope, WEFT_TABLE_QUEUES);
  g_autoptr (WeftRowCursor) trace = weft_row_cursor_new (self->scope, WEFT_TABLE_TRACES);
  guint64 queue_id = weft_row_cursor_get (row, WEFT_DISPATCHES_QUEUE);
  guint64 trace_id = weft_row_cursor_get (row, WEFT_DISPATCHES_TRACE);

  if (lane != NULL)
    weft_table_builder_set_string (builder, LANE_KIND, lane->kind);
  weft_table_builder_set_uint64 (builder, RUNTIME, self->runtime);
  if (runtime != NULL)
    weft_table_builder_set_string (builder, RUNTIME_NAME, runtime->name);
  weft_answer_set_thread (builder, THREAD, catalog,
                          weft_row_cursor_get (row, WEFT_DISPATCHES_THREAD), 0);
  if (queue_id != 0 && weft_row_cursor_seek (queue, queue_id))
    weft_answer_copy (builder, QUEUE_NAME, queue, WEFT_QUEUES_NAME);
  weft_row_cursor_where (trace, WEFT_TRACES_ID, trace_id);
  if (trace_id != 0 && weft_row_cursor_next (trace))
    weft_answer_copy (builder, TRACE_NAME, trace, WEFT_TRACES_NAME);
  return weft_row_cursor_finish (queue, error) && weft_row_cursor_finish (trace, error);
}

/* What the domain of its lane calls it. */
static void
set_words (One *self, WeftTableBuilder *builder)
{
  static const struct
  {
    guint column;
    const char *word;
  } words[] = {
    { DISPATCH_WORD, "dispatch" },
    { ROUTINE_WORD, "routine" },
    { SUBMISSION_WORD, "submission" },
  };

  if (self->kind != NULL)
    weft_table_builder_set_string (builder, LANE_KIND_LABEL,
                                   weft_vocabulary_get_label (self->words, self->kind));
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    weft_table_builder_set_string (
        builder, words[i].column,
        weft_vocabulary_get_word (self->words, self->kind, words[i].word, FALSE));
}

/* What waits alone can tell; it decides nothing. */
static const char *
get_evidence (One *self)
{
  guint64 reason =
      weft_row_cursor_get (self->rows.names.dispatches, WEFT_DISPATCHES_CLASSIFICATION_REASON);
  gboolean own = FALSE;

  if (reason != WEFT_CLASSIFICATION_REASON_UNDECIDED)
    return weft_classification_reason_explain ((WeftClassificationReason) reason);
  if (self->waits->len == 0)
    return "No wait for it or its submission was reported: nothing proves that a thread waited";
  for (guint i = 0; i < self->waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (self->waits, WeftWait, i);

      if (!weft_wait_is_by (wait, self->queued_by))
        continue;
      own = TRUE;
      if (weft_wait_covers_end (wait, self->start, self->end))
        return "The thread that queued it waited for it past its end";
    }
  return own ? "The thread that queued it waited for it, but not past its end"
             : "Only threads that did not queue it waited for it";
}

static void
set_shared (One *self, WeftTableBuilder *builder)
{
  g_autofree char *functions = weft_origin_stacks_describe (
      &self->stacks,
      weft_row_cursor_get (self->rows.names.dispatches, WEFT_DISPATCHES_SHARED_CALLCHAIN));

  weft_table_builder_set_string (builder, SHARED_FUNCTIONS, functions);
}

static gboolean
add_main (One *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-dispatch", columns, N_COLUMNS);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, self->id);
  weft_row_cursor_seek (self->rows.names.dispatches, self->id);
  weft_dispatch_names_set (&self->rows.names, builder, NAME);
  set_own (self, builder);
  set_words (self, builder);
  weft_table_builder_set_string (builder, EVIDENCE, get_evidence (self));
  set_shared (self, builder);
  if (!set_error (self, builder, error) || !set_code (self, builder, error) ||
      !set_others (self, builder, error))
    return FALSE;
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- Origins and waits ---- */

static gboolean
concerns (One *self, guint64 dispatch, guint64 submission)
{
  return dispatch == self->id ||
         (dispatch == 0 && submission != 0 && submission == self->submission);
}

static gboolean
read_waits (One *self, GError **error)
{
  g_autoptr (GArray) all = NULL;

  if (self->producer != 0)
    weft_producer_ids_want (self->ids, self->runtime, self->producer);
  if (!weft_producer_ids_resolve (self->ids, self->scope, error))
    return FALSE;
  all = weft_waits_read (self->scope, self->ids, error);
  if (all == NULL)
    return FALSE;
  for (guint i = 0; i < all->len; i++)
    {
      const WeftWait *wait = &g_array_index (all, WeftWait, i);

      if (concerns (self, wait->dispatch, wait->submission))
        g_array_append_vals (self->waits, wait, 1);
    }
  return TRUE;
}

static guint64
get_origin_dispatch (One *self, WeftRowCursor *origin)
{
  return weft_producer_ids_get (self->ids, weft_row_cursor_get (origin, WEFT_ORIGINS_DISPATCH),
                                weft_row_cursor_get (origin, WEFT_ORIGINS_RUNTIME),
                                weft_row_cursor_get (origin, WEFT_ORIGINS_PRODUCER_DISPATCH));
}

static gboolean
add_origins (One *self, WeftTableBuilder *builder, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);

  while (weft_row_cursor_next (rows))
    {
      guint64 thread = weft_thread_key (weft_row_cursor_get (rows, WEFT_ORIGINS_THREAD),
                                        weft_row_cursor_get (rows, WEFT_ORIGINS_TID));

      if (!concerns (self, get_origin_dispatch (self, rows),
                     weft_row_cursor_get (rows, WEFT_ORIGINS_SUBMISSION)))
        continue;
      weft_origin_rows_add (builder, &self->rows.names, &self->stacks, rows, self->id);
      if (weft_row_cursor_get (rows, WEFT_ORIGINS_ROLE) == WEFT_ORIGIN_ROLE_DISPATCH)
        g_array_append_val (self->queued_by, thread);
    }
  return weft_row_cursor_finish (rows, error);
}

static WeftTableBuilder *
list_waits (One *self)
{
  WeftTableBuilder *builder = weft_wait_rows_begin ("waits");

  for (guint i = 0; i < self->waits->len; i++)
    weft_wait_rows_add (builder, self->rows.names.catalog,
                        &g_array_index (self->waits, WeftWait, i), self->start, self->end,
                        self->queued_by);
  return builder;
}

/* ---- What hangs on it ---- */

static const WeftAnswerColumn phase_columns[] = {
  WEFT_ANSWER_COLUMN ("name", STRING),     WEFT_ANSWER_COLUMN ("start", TIME),
  WEFT_ANSWER_COLUMN ("offset", DURATION), WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("slow", BOOLEAN),    WEFT_ANSWER_COLUMN ("failed", BOOLEAN),
  WEFT_ANSWER_COLUMN ("error", STRING),
};

static void
add_phase (One *self, WeftRowCursor *row, gpointer data)
{
  WeftTableBuilder *builder = data;
  guint64 flags = weft_row_cursor_get (row, WEFT_PHASES_FLAGS);

  weft_table_builder_begin_row (builder);
  weft_answer_copy (builder, 0, row, WEFT_PHASES_NAME);
  weft_table_builder_set_int64 (
      builder, 1, weft_time_after (self->start, weft_row_cursor_get (row, WEFT_PHASES_OFFSET)));
  weft_answer_copy (builder, 2, row, WEFT_PHASES_OFFSET);
  weft_answer_copy (builder, 3, row, WEFT_PHASES_DURATION);
  weft_table_builder_set_uint64 (builder, 4, flags & 1);
  weft_table_builder_set_uint64 (builder, 5, flags >> 1 & 1);
  weft_table_builder_set_string (
      builder, 6,
      weft_answer_get_error (self->rows.errors, weft_row_cursor_get (row, WEFT_PHASES_ERROR)));
}

static const WeftAnswerColumn counter_columns[] = {
  WEFT_ANSWER_COUNTER_COLUMNS,
  WEFT_ANSWER_ENUM ("point", weft_sample_point_get_type),
  WEFT_ANSWER_COLUMN ("point_name", STRING),
  WEFT_ANSWER_COLUMN ("time", TIME),
  WEFT_ANSWER_COLUMN ("value", DOUBLE),
  WEFT_ANSWER_COLUMN ("exact", STRING),
  WEFT_ANSWER_COLUMN ("error", BOOLEAN),
};

typedef struct
{
  WeftTableBuilder *builder;
  WeftCounterNames names;
  GError *error;
} CounterRows;

static void
add_value (CounterRows *rows, WeftRowCursor *sample, WeftRowCursor *value)
{
  guint column = WEFT_ANSWER_N_COUNTER_COLUMNS;
  guint64 counter = weft_row_cursor_get (value, WEFT_COUNTER_VALUES_COUNTER);
  guint64 type = weft_row_table_get (rows->names.counters, WEFT_COUNTERS_VALUE_TYPE, counter);
  guint64 bits = weft_row_cursor_get (value, WEFT_COUNTER_VALUES_BITS);
  gboolean is_error = weft_row_cursor_get (value, WEFT_COUNTER_VALUES_IS_ERROR) != 0;
  g_autofree char *text = weft_counter_get_text (bits, type);

  weft_table_builder_begin_row (rows->builder);
  weft_counter_names_set (&rows->names, rows->builder, 0, counter);
  weft_answer_copy (rows->builder, column, sample, WEFT_COUNTER_SAMPLES_POINT);
  weft_answer_copy (rows->builder, column + 1, sample, WEFT_COUNTER_SAMPLES_POINT_NAME);
  weft_answer_copy (rows->builder, column + 2, sample, WEFT_COUNTER_SAMPLES_TIME);
  weft_table_builder_set_uint64 (rows->builder, column + 5, is_error);
  if (is_error)
    return;
  weft_table_builder_set_double (rows->builder, column + 3, weft_counter_get_value (bits, type));
  weft_table_builder_set_string (rows->builder, column + 4, text);
}

static void
add_sample (One *self, WeftRowCursor *sample, gpointer data)
{
  CounterRows *rows = data;
  g_autoptr (WeftRowCursor) values = weft_row_cursor_new (self->scope, WEFT_TABLE_COUNTER_VALUES);

  weft_row_cursor_where (values, WEFT_COUNTER_VALUES_SAMPLE, weft_row_cursor_get_number (sample));
  while (weft_row_cursor_next (values))
    add_value (rows, sample, values);
  if (rows->error == NULL)
    weft_row_cursor_finish (values, &rows->error);
}

static gboolean
add_counters (One *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("counters", counter_columns, G_N_ELEMENTS (counter_columns));
  CounterRows rows = { .builder = builder };
  gboolean good = weft_counter_names_init (&rows.names, self->scope, error) &&
                  each_side (self, WEFT_TABLE_COUNTER_SAMPLES, WEFT_COUNTER_SAMPLES_DISPATCH,
                             WEFT_COUNTER_SAMPLES_RUNTIME, WEFT_COUNTER_SAMPLES_PRODUCER_DISPATCH,
                             add_sample, &rows, error);

  weft_counter_names_clear (&rows.names);
  if (rows.error != NULL)
    {
      if (good)
        g_propagate_error (error, rows.error);
      else
        g_error_free (rows.error);
      return FALSE;
    }
  if (good)
    weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return good;
}

static void
describe_tag (One *self, WeftTableBuilder *builder, const char *key)
{
  g_autoptr (WeftTerm) term = NULL;

  if (key == NULL)
    return;
  term = weft_vocabulary_get_attribute (self->words, self->kind, key);
  weft_table_builder_set_string (builder, 3, weft_term_get_label (term));
  weft_table_builder_set_string (builder, 4, weft_term_get_unit (term));
}

static gboolean
add_tags (One *self, GError **error)
{
  static const WeftAnswerColumn tag_columns[] = {
    WEFT_ANSWER_COLUMN ("key", STRING),   WEFT_ANSWER_ENUM ("type", weft_number_type_get_type),
    WEFT_ANSWER_COLUMN ("value", STRING), WEFT_ANSWER_COLUMN ("label", STRING),
    WEFT_ANSWER_COLUMN ("unit", STRING),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("tags", tag_columns, G_N_ELEMENTS (tag_columns));
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_TAGS);

  weft_row_cursor_where (rows, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  weft_row_cursor_where (rows, WEFT_TAGS_OWNER, self->id);
  while (weft_row_cursor_next (rows))
    {
      g_autofree char *text = weft_tag_text_new (rows);

      weft_table_builder_begin_row (builder);
      weft_answer_copy (builder, 0, rows, WEFT_TAGS_KEY);
      weft_answer_copy (builder, 1, rows, WEFT_TAGS_TYPE);
      weft_table_builder_set_string (builder, 2, text);
      describe_tag (self, builder, weft_row_cursor_get_string (rows, WEFT_TAGS_KEY));
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

static const WeftAnswerColumn warning_columns[] = {
  WEFT_ANSWER_ID ("warning", "w"),
  WEFT_ANSWER_COLUMN ("time", TIME),
  WEFT_ANSWER_ENUM ("severity", weft_severity_get_type),
  WEFT_ANSWER_COLUMN ("code", STRING),
  WEFT_ANSWER_COLUMN ("message", STRING),
  WEFT_ANSWER_COLUMN ("value", DOUBLE),
  WEFT_ANSWER_COLUMN ("threshold", DOUBLE),
};

static void
add_warning (One *self, WeftRowCursor *row, gpointer data)
{
  static const WeftColumnNumber copied[] = {
    WEFT_WARNINGS_TIME,    WEFT_WARNINGS_SEVERITY, WEFT_WARNINGS_CODE,
    WEFT_WARNINGS_MESSAGE, WEFT_WARNINGS_VALUE,    WEFT_WARNINGS_THRESHOLD,
  };
  WeftTableBuilder *builder = data;
  const WeftCatalogLane *lane = weft_catalog_get_lane (
      self->rows.names.catalog, (guint32) weft_row_cursor_get (row, WEFT_WARNINGS_LANE));

  if (lane == NULL || lane->runtime != self->runtime)
    return;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, weft_row_cursor_get_number (row));
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    weft_answer_copy (builder, i + 1, row, copied[i]);
}

static gboolean
add_artifacts (One *self, GError **error)
{
  static const WeftAnswerColumn artifact_columns[] = {
    WEFT_ANSWER_ID ("artifact", "f"),           WEFT_ANSWER_COLUMN ("kind", STRING),
    WEFT_ANSWER_COLUMN ("path", STRING),        WEFT_ANSWER_COLUMN ("label", STRING),
    WEFT_ANSWER_UNIT ("size", UINT64, "bytes"), WEFT_ANSWER_COLUMN ("covers", STRING),
  };
  const struct
  {
    WeftTableId table;
    guint64 id;
    const char *name;
  } owners[] = {
    { WEFT_TABLE_DISPATCHES, self->id, "dispatch" },
    { WEFT_TABLE_SUBMISSIONS, self->submission, "submission" },
    { WEFT_TABLE_ROUTINES, self->routine, "routine" },
    { WEFT_TABLE_LANES, self->lane, "lane" },
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("artifacts", artifact_columns, G_N_ELEMENTS (artifact_columns));
  g_autoptr (WeftRowCursor) artifacts = weft_row_cursor_new (self->scope, WEFT_TABLE_ARTIFACTS);

  for (guint i = 0; i < G_N_ELEMENTS (owners); i++)
    {
      g_autoptr (WeftRowCursor) links =
          weft_row_cursor_new (self->scope, WEFT_TABLE_ARTIFACT_LINKS);

      weft_row_cursor_where (links, WEFT_ARTIFACT_LINKS_OWNER_TABLE, owners[i].table);
      weft_row_cursor_where (links, WEFT_ARTIFACT_LINKS_OWNER, owners[i].id);
      while (owners[i].id != 0 && weft_row_cursor_next (links))
        {
          guint64 id = weft_row_cursor_get (links, WEFT_ARTIFACT_LINKS_ARTIFACT);

          if (!weft_row_cursor_seek (artifacts, id))
            continue;
          weft_table_builder_begin_row (builder);
          weft_table_builder_set_uint64 (builder, 0, id);
          weft_answer_copy (builder, 1, artifacts, WEFT_ARTIFACTS_KIND);
          weft_answer_copy (builder, 2, artifacts, WEFT_ARTIFACTS_PATH);
          weft_answer_copy (builder, 3, artifacts, WEFT_ARTIFACTS_LABEL);
          weft_answer_copy (builder, 4, artifacts, WEFT_ARTIFACTS_SIZE);
          weft_table_builder_set_string (builder, 5, owners[i].name);
        }
      if (!weft_row_cursor_finish (links, error))
        return FALSE;
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (artifacts, error);
}

static gboolean
add_events (One *self, GError **error)
{
  static const WeftAnswerColumn event_columns[] = {
    WEFT_ANSWER_ID ("submission", "s"),
    WEFT_ANSWER_ENUM ("kind", weft_submission_event_kind_get_type),
    WEFT_ANSWER_COLUMN ("time", TIME),
    WEFT_ANSWER_ENUM ("status", weft_status_get_type),
    WEFT_ANSWER_COLUMN ("error", STRING),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("events", event_columns, G_N_ELEMENTS (event_columns));
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SUBMISSION_EVENTS);

  weft_row_cursor_where (rows, WEFT_SUBMISSION_EVENTS_SUBMISSION, self->submission);
  while (self->submission != 0 && weft_row_cursor_next (rows))
    {
      weft_table_builder_begin_row (builder);
      weft_answer_copy (builder, 0, rows, WEFT_SUBMISSION_EVENTS_SUBMISSION);
      weft_answer_copy (builder, 1, rows, WEFT_SUBMISSION_EVENTS_KIND);
      weft_answer_copy (builder, 2, rows, WEFT_SUBMISSION_EVENTS_TIME);
      weft_answer_copy (builder, 3, rows, WEFT_SUBMISSION_EVENTS_STATUS);
      weft_table_builder_set_string (
          builder, 4,
          weft_answer_get_error (self->rows.errors,
                                 weft_row_cursor_get (rows, WEFT_SUBMISSION_EVENTS_ERROR)));
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

/* ---- Neighbours ---- */

typedef struct
{
  guint64 before; /* the one that ends last of those that end before it starts; 0: none */
  gint64 before_end;
  guint64 after; /* the one that starts first of those that start after it ends */
  gint64 after_start;
} Neighbours;

static void
take_neighbour (One *self, Neighbours *found, WeftRowCursor *row)
{
  gint64 start = weft_row_cursor_get_signed (row, WEFT_DISPATCHES_START);
  gint64 end = weft_time_after (start, weft_row_cursor_get (row, WEFT_DISPATCHES_DURATION));
  guint64 id = weft_row_cursor_get_number (row);

  if (id == self->id)
    return;
  if (end <= self->start && start < self->end && (found->before == 0 || end > found->before_end))
    {
      found->before = id;
      found->before_end = end;
    }
  else if (start >= self->end && (found->after == 0 || start < found->after_start))
    {
      found->after = id;
      found->after_start = start;
    }
}

static void
add_neighbour (One *self, WeftTableBuilder *builder, guint64 id, const char *relation, guint64 gap)
{
  WeftDispatchNames *names = &self->rows.names;

  if (!weft_dispatch_names_seek (names, id))
    return;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, id);
  weft_table_builder_set_string (builder, 1, relation);
  weft_table_builder_set_string (builder, 2, weft_dispatch_names_get_name (names));
  weft_answer_copy (builder, 3, names->dispatches, WEFT_DISPATCHES_START);
  weft_answer_copy (builder, 4, names->dispatches, WEFT_DISPATCHES_DURATION);
  weft_table_builder_set_uint64 (builder, 5, gap);
}

static gboolean
add_neighbours (One *self, GError **error)
{
  static const WeftAnswerColumn neighbour_columns[] = {
    WEFT_ANSWER_ID ("dispatch", "d"),          WEFT_ANSWER_COLUMN ("relation", STRING),
    WEFT_ANSWER_COLUMN ("name", STRING),       WEFT_ANSWER_COLUMN ("start", TIME),
    WEFT_ANSWER_COLUMN ("duration", DURATION), WEFT_ANSWER_COLUMN ("gap", DURATION),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("neighbours", neighbour_columns, G_N_ELEMENTS (neighbour_columns));
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  Neighbours found = { 0 };

  weft_row_cursor_where (rows, WEFT_DISPATCHES_LANE, self->lane);
  while (weft_row_cursor_next (rows))
    take_neighbour (self, &found, rows);
  if (!weft_row_cursor_finish (rows, error))
    return FALSE;
  if (found.before != 0)
    add_neighbour (self, builder, found.before, "before",
                   (guint64) self->start - (guint64) found.before_end);
  if (found.after != 0)
    add_neighbour (self, builder, found.after, "after",
                   (guint64) found.after_start - (guint64) self->end);
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (self->rows.names.dispatches, error);
}

/* ---- The kind ---- */

static gboolean
add_phases (One *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("phases", phase_columns, G_N_ELEMENTS (phase_columns));

  if (!each_side (self, WEFT_TABLE_PHASES, WEFT_PHASES_DISPATCH, 0, 0, add_phase, builder, error))
    return FALSE;
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

static gboolean
add_warnings (One *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("warnings", warning_columns, G_N_ELEMENTS (warning_columns));

  if (!each_side (self, WEFT_TABLE_WARNINGS, WEFT_WARNINGS_DISPATCH, 0,
                  WEFT_WARNINGS_PRODUCER_DISPATCH, add_warning, builder, error))
    return FALSE;
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

/* What its routine takes. */
static gboolean
add_arguments (One *self, GError **error)
{
  g_autoptr (GHashTable) routines = g_hash_table_new (NULL, NULL);

  g_hash_table_add (routines, GSIZE_TO_POINTER (self->routine));
  return weft_argument_rows_add_table (self->scope, self->report, routines, error);
}

static gboolean
answer (One *self, GError **error)
{
  g_autoptr (WeftTableBuilder) origins = weft_origin_rows_begin ("origins");

  if (!weft_origin_stacks_init (&self->stacks, self->scope, error) ||
      !find_dispatch (self, error) || !read_waits (self, error) ||
      !add_origins (self, origins, error) || !add_main (self, error) || !add_phases (self, error))
    return FALSE;
  weft_answer_add_table (self->report, g_steal_pointer (&origins));
  weft_answer_add_table (self->report, list_waits (self));
  return weft_attachment_rows_add_table (self->scope, self->report, "attachments", self->id,
                                         error) &&
         add_arguments (self, error) && add_counters (self, error) && add_tags (self, error) && add_warnings (self, error) &&
         add_artifacts (self, error) && add_events (self, error) && add_neighbours (self, error) &&
         weft_origin_stacks_finish (&self->stacks, error) &&
         weft_dispatch_rows_finish (&self->rows, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  One self = { .scope = scope, .report = report, .ids = ids };
  gboolean good;

  self.words = weft_recording_get_vocabulary (scope->recording);
  self.queued_by = g_array_new (FALSE, FALSE, sizeof (guint64));
  self.waits = g_array_new (FALSE, FALSE, sizeof (WeftWait));
  good = answer (&self, error);
  weft_origin_stacks_clear (&self.stacks);
  weft_dispatch_rows_clear (&self.rows);
  g_object_unref (self.words);
  g_array_unref (self.queued_by);
  g_array_unref (self.waits);
  return good;
}

const WeftAnalysisKind weft_analyze_dispatch = {
  .name = "target-dispatch",
  .summary = "Everything that is known of one dispatch",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_HANDLE,
  .single = TRUE,
};
