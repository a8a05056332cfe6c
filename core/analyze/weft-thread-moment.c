/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-thread-moment.h"

#include "weft-analysis-scope.h"
#include "weft-cpu-stream.h"
#include "weft-row-scan.h"
#include "weft-stack-weights.h"
#include "weft-table-builder.h"

typedef struct
{
  gboolean is_there;
  gint64 since; /* of what it did then */
  gint64 until;
  gboolean waits;
  WeftWaitReason reason;
  guint32 detail;
  gint64 sampled; /* the last sample before, or at, that point */
  guint64 sample; /* 0: there is none */
} Thread;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  gint64 at;
  GHashTable *threads; /* id → Thread */
} Moment;

static Thread *
get_thread (Moment *self, guint32 id)
{
  Thread *thread = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (id));

  if (thread == NULL)
    {
      thread = g_new0 (Thread, 1);
      g_hash_table_insert (self->threads, GUINT_TO_POINTER (id), thread);
    }
  return thread;
}

/* Of the rows of a thread the last counts: they come before its waits and samples are looked at. */
static void
take_time (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Moment *self = data;
  Thread *thread = get_thread (self, (guint32) values[0]);

  thread->since = (gint64) values[2];
  thread->until = (gint64) values[1];
  thread->is_there = thread->since <= self->at && self->at <= thread->until;
}

static gboolean
is_over (const WeftWaitRow *wait, gint64 at)
{
  return wait->is_open ? wait->row.end < at : wait->row.end <= at;
}

/* Between two waits it runs. */
static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  Moment *self = data;
  Thread *thread = get_thread (self, wait->row.thread);

  if (is_over (wait, self->at))
    thread->since = MAX (thread->since, wait->row.end);
  else if (wait->row.start > self->at)
    thread->until = MIN (thread->until, wait->row.start);
  else
    {
      thread->is_there = thread->waits = TRUE;
      thread->since = wait->row.start;
      thread->until = wait->row.end;
      thread->reason =
          wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN;
      thread->detail = wait->detail;
    }
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  Moment *self = data;
  Thread *thread = get_thread (self, sample->row.thread);

  if (sample->row.start > self->at || (thread->sample != 0 && sample->row.start < thread->sampled))
    return;
  thread->sampled = sample->row.start;
  thread->sample = sample->row.id;
}

static gboolean
read_rows (Moment *self, GError **error)
{
  static const WeftColumnNumber times[] = { WEFT_THREAD_TIMES_THREAD, WEFT_THREAD_TIMES_TIME,
                                            WEFT_THREAD_TIMES_START };
  const WeftAnalysisScope *scope = self->scope;

  return weft_scan_rows (scope->store, WEFT_TABLE_THREAD_TIMES, times, G_N_ELEMENTS (times),
                         take_time, self, scope->cancellable, error) &&
         weft_stream_waits (scope, NULL, NULL, take_wait, self, error) &&
         weft_stream_samples (scope, NULL, NULL, take_sample, self, error);
}

/* ---- The table ---- */

static const WeftTableColumn columns[] = {
  { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },  { "name", NULL, WEFT_VALUE_STRING },
  { "process", NULL, WEFT_VALUE_ID, NULL, "p" }, { "process_name", NULL, WEFT_VALUE_STRING },
  { "state", NULL, WEFT_VALUE_STRING },          { "reason", NULL, WEFT_VALUE_STRING },
  { "detail", NULL, WEFT_VALUE_STRING },         { "since", NULL, WEFT_VALUE_TIME },
  { "age", NULL, WEFT_VALUE_DURATION },          { "until", NULL, WEFT_VALUE_TIME },
  { "sampled", NULL, WEFT_VALUE_TIME },
};

static void
add_thread (Moment *self, WeftTableBuilder *builder, const WeftCatalogThread *row,
            const Thread *thread)
{
  const WeftCatalogProcess *process = weft_catalog_get_process (self->catalog, row->process);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, row->id);
  weft_table_builder_set_string (builder, 1, row->name);
  if (process != NULL)
    {
      weft_table_builder_set_uint64 (builder, 2, process->id);
      weft_table_builder_set_string (builder, 3, process->name);
    }
  weft_table_builder_set_string (builder, 4, thread->waits ? "waiting" : "running");
  if (thread->waits)
    weft_table_builder_set_string (builder, 5,
                                   weft_stack_state_get_name (WEFT_STACK_WAITS (thread->reason)));
  if (thread->waits && thread->detail != 0)
    weft_table_builder_set_string (builder, 6,
                                   weft_store_get_string (self->scope->store, thread->detail));
  weft_table_builder_set_int64 (builder, 7, thread->since);
  weft_table_builder_set_uint64 (builder, 8, (guint64) self->at - (guint64) thread->since);
  weft_table_builder_set_int64 (builder, 9, thread->until);
  if (thread->sample != 0)
    weft_table_builder_set_int64 (builder, 10, thread->sampled);
}

static WeftTable *
make_table (Moment *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("threads");

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    {
      const WeftCatalogThread *row = weft_catalog_get_nth_thread (self->catalog, i);
      const Thread *thread = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (row->id));

      if (thread != NULL && thread->is_there)
        add_thread (self, builder, row, thread);
    }
  return weft_table_builder_finish (builder);
}

gboolean
weft_thread_moment_read (const WeftAnalysisScope *scope, WeftCatalog *catalog, gint64 at,
                         WeftTable **table, GError **error)
{
  Moment self = { scope, catalog, at, NULL };
  g_autoptr (GHashTable) threads = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  *table = NULL;
  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_THREAD_TIMES) +
          weft_store_get_n_rows (scope->store, WEFT_TABLE_WAITS) ==
      0)
    return TRUE;
  self.threads = threads;
  if (!read_rows (&self, error))
    return FALSE;
  *table = make_table (&self);
  return TRUE;
}
