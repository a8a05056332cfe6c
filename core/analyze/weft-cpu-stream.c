/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-stream.h"

#include "weft-analysis-scope.h"

#define MARK_APPROXIMATE 1
#define MARK_OPEN 2

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftCallchainReader *callchains;
  const WeftCpuFilter *filter;
  WeftSampleFunc sample;
  WeftWaitFunc wait;
  gpointer data;
} Stream;

enum
{
  SAMPLE_TIME,
  SAMPLE_THREAD,
  SAMPLE_CALLCHAIN,
  SAMPLE_WEIGHT,
  SAMPLE_CPU,
  SAMPLE_END,
  SAMPLE_MARKS,
  SAMPLE_CYCLES,
  SAMPLE_INSTRUCTIONS,
  N_SAMPLE_COLUMNS
};

static const WeftColumnNumber sample_columns[N_SAMPLE_COLUMNS] = {
  [SAMPLE_TIME] = WEFT_SAMPLES_TIME,
  [SAMPLE_THREAD] = WEFT_SAMPLES_THREAD,
  [SAMPLE_CALLCHAIN] = WEFT_SAMPLES_CALLCHAIN,
  [SAMPLE_WEIGHT] = WEFT_SAMPLES_WEIGHT,
  [SAMPLE_CPU] = WEFT_SAMPLES_CPU,
  [SAMPLE_END] = WEFT_SAMPLES_END,
  [SAMPLE_MARKS] = WEFT_SAMPLES_MARKS,
  [SAMPLE_CYCLES] = WEFT_SAMPLES_CYCLES,
  [SAMPLE_INSTRUCTIONS] = WEFT_SAMPLES_INSTRUCTIONS,
};

enum
{
  WAIT_START,
  WAIT_DURATION,
  WAIT_THREAD,
  WAIT_CALLCHAIN,
  WAIT_REASON,
  WAIT_END,
  WAIT_MARKS,
  WAIT_SYSTEM_CALL,
  WAIT_OBJECT,
  WAIT_DETAIL,
  WAIT_WAKER,
  WAIT_WAKEUP,
  N_WAIT_COLUMNS
};

static const WeftColumnNumber wait_columns[N_WAIT_COLUMNS] = {
  [WAIT_START] = WEFT_WAITS_START,   [WAIT_DURATION] = WEFT_WAITS_DURATION,
  [WAIT_THREAD] = WEFT_WAITS_THREAD, [WAIT_CALLCHAIN] = WEFT_WAITS_CALLCHAIN,
  [WAIT_REASON] = WEFT_WAITS_REASON, [WAIT_END] = WEFT_WAITS_END,
  [WAIT_MARKS] = WEFT_WAITS_MARKS,   [WAIT_SYSTEM_CALL] = WEFT_WAITS_SYSTEM_CALL,
  [WAIT_OBJECT] = WEFT_WAITS_OBJECT, [WAIT_DETAIL] = WEFT_WAITS_DETAIL,
  [WAIT_WAKER] = WEFT_WAITS_WAKER,   [WAIT_WAKEUP] = WEFT_WAITS_WAKEUP,
};

#define MAX_COLUMNS 16

static guint32
find_node (const Stream *self, guint64 callchain)
{
  return self->callchains == NULL ? 0 : weft_callchain_reader_find (self->callchains, callchain);
}

/* Of an enumeration; one that is not known is larger than all that are. */
static guint8
get_word (const WeftStoreColumn *column, guint row)
{
  return (guint8) MIN (weft_store_column_get (column, row), G_MAXUINT8);
}

static void
pass_samples (const Stream *self, const WeftChunkInfo *info, const WeftStoreColumn *columns)
{
  for (guint i = 0; i < info->n_rows; i++)
    {
      gint64 time = (gint64) weft_store_column_get (&columns[SAMPLE_TIME], i);
      WeftSampleRow sample = {
        .row = { .id = info->first_row + i,
                 .start = time,
                 .end = time,
                 .thread = (guint32) weft_store_column_get (&columns[SAMPLE_THREAD], i),
                 .cpu = (guint32) weft_store_column_get (&columns[SAMPLE_CPU], i) },
        .weight = weft_store_column_get (&columns[SAMPLE_WEIGHT], i),
        .end = get_word (&columns[SAMPLE_END], i),
      };

      if (time < self->scope->begin || time >= self->scope->end)
        continue;
      sample.row.node = find_node (self, weft_store_column_get (&columns[SAMPLE_CALLCHAIN], i));
      if (!weft_cpu_filter_allows (self->filter, &sample.row))
        continue;
      sample.is_approximate =
          (weft_store_column_get (&columns[SAMPLE_MARKS], i) & MARK_APPROXIMATE) != 0;
      sample.has_counters = weft_store_column_has (&columns[SAMPLE_CYCLES], i) &&
                            weft_store_column_has (&columns[SAMPLE_INSTRUCTIONS], i);
      sample.cycles = weft_store_column_get (&columns[SAMPLE_CYCLES], i);
      sample.instructions = weft_store_column_get (&columns[SAMPLE_INSTRUCTIONS], i);
      self->sample (&sample, self->data);
    }
}

static void
fill_wait (WeftWaitRow *wait, const WeftStoreColumn *columns, guint i)
{
  guint64 marks = weft_store_column_get (&columns[WAIT_MARKS], i);

  wait->end = get_word (&columns[WAIT_END], i);
  wait->is_approximate = (marks & MARK_APPROXIMATE) != 0;
  wait->is_open = (marks & MARK_OPEN) != 0;
  wait->has_system_call = weft_store_column_has (&columns[WAIT_SYSTEM_CALL], i);
  wait->system_call = (gint64) weft_store_column_get (&columns[WAIT_SYSTEM_CALL], i);
  wait->object = weft_store_column_get (&columns[WAIT_OBJECT], i);
  wait->detail = (guint32) weft_store_column_get (&columns[WAIT_DETAIL], i);
  wait->waker = (guint32) weft_store_column_get (&columns[WAIT_WAKER], i);
  wait->wakeup = weft_store_column_get (&columns[WAIT_WAKEUP], i);
}

static gboolean
is_reason_wanted (const WeftAnalysisScope *scope, guint reason)
{
  return scope->reasons == 0 || (reason < 32 && (scope->reasons >> reason & 1));
}

static void
pass_waits (const Stream *self, const WeftChunkInfo *info, const WeftStoreColumn *columns)
{
  for (guint i = 0; i < info->n_rows; i++)
    {
      gint64 start = (gint64) weft_store_column_get (&columns[WAIT_START], i);
      WeftWaitRow wait = {
        .row = { .id = info->first_row + i,
                 .start = start,
                 .end = weft_time_after (start, weft_store_column_get (&columns[WAIT_DURATION], i)),
                 .thread = (guint32) weft_store_column_get (&columns[WAIT_THREAD], i),
                 .reason = get_word (&columns[WAIT_REASON], i),
                 .is_wait = TRUE },
      };

      if (!weft_scope_overlaps (self->scope, start, wait.row.end) ||
          !is_reason_wanted (self->scope, wait.row.reason))
        continue;
      wait.row.node = find_node (self, weft_store_column_get (&columns[WAIT_CALLCHAIN], i));
      if (!weft_cpu_filter_allows (self->filter, &wait.row))
        continue;
      wait.clipped = weft_scope_clip (self->scope, start, wait.row.end);
      fill_wait (&wait, columns, i);
      self->wait (&wait, self->data);
    }
}

/* By the zones of the chunk; waits begin at START and last for DURATION at most. */
static gboolean
is_outside (const Stream *self, WeftTableId table, guint chunk)
{
  guint64 first = 0;
  guint64 last = 0;
  guint64 shortest = 0;
  guint64 longest = 0;

  weft_store_get_zone (self->scope->store, table, chunk,
                       table == WEFT_TABLE_WAITS ? WEFT_WAITS_START : WEFT_SAMPLES_TIME, &first,
                       &last);
  if (table == WEFT_TABLE_WAITS)
    weft_store_get_zone (self->scope->store, table, chunk, WEFT_WAITS_DURATION, &shortest,
                         &longest);
  return (gint64) first >= self->scope->end ||
         weft_time_after ((gint64) last, longest) < self->scope->begin;
}

static gboolean
pass_chunk (const Stream *self, WeftTableId table, guint chunk, GError **error)
{
  gboolean is_waits = table == WEFT_TABLE_WAITS;
  const WeftColumnNumber *numbers = is_waits ? wait_columns : sample_columns;
  guint n_columns = is_waits ? N_WAIT_COLUMNS : N_SAMPLE_COLUMNS;
  WeftStoreColumn columns[MAX_COLUMNS] = { 0 };
  WeftChunkInfo info;
  GError *failure = NULL;

  weft_store_get_chunk (self->scope->store, table, chunk, &info);
  for (guint i = 0; i < n_columns && failure == NULL; i++)
    weft_store_read_column (self->scope->store, table, chunk, numbers[i], &columns[i], &failure);
  if (failure == NULL && is_waits)
    pass_waits (self, &info, columns);
  else if (failure == NULL)
    pass_samples (self, &info, columns);
  for (guint i = 0; i < n_columns; i++)
    weft_store_column_clear (&columns[i]);
  if (failure != NULL)
    weft_propagate_store_error (error, failure);
  return failure == NULL;
}

static gboolean
run (const Stream *self, WeftTableId table, GError **error)
{
  for (guint i = 0; i < weft_store_get_n_chunks (self->scope->store, table); i++)
    {
      if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
        return FALSE;
      if (!is_outside (self, table, i) && !pass_chunk (self, table, i, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_stream_samples (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                     const WeftCpuFilter *filter, WeftSampleFunc func, gpointer data,
                     GError **error)
{
  const Stream self = { scope, callchains, filter, func, NULL, data };

  return run (&self, WEFT_TABLE_SAMPLES, error);
}

gboolean
weft_stream_waits (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                   const WeftCpuFilter *filter, WeftWaitFunc func, gpointer data, GError **error)
{
  const Stream self = { scope, callchains, filter, NULL, func, data };

  return run (&self, WEFT_TABLE_WAITS, error);
}
