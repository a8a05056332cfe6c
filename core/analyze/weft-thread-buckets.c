/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-thread-buckets.h"

#include "weft-analysis-scope.h"
#include "weft-cpu-stream.h"
#include "weft-lane-buckets.h"
#include "weft-row-scan.h"
#include "weft-stack-weights.h"
#include "weft-table-builder.h"

/* Threads times buckets of one answer. */
#define MAX_CELLS (1u << 21)

typedef struct
{
  guint64 there;   /* ns that it was watched */
  guint64 waited;  /* ns */
  guint64 sampled; /* ns that its samples stand for */
  guint64 longest; /* ns of the reason's longest wait */
  guint32 n_samples;
  guint8 reason;
} Bucket;

typedef struct
{
  gint64 start; /* since when, and until when, it was watched */
  gint64 stop;
  gboolean has_times;
  gboolean is_shown;
  guint64 n_waits;
  Bucket *buckets;
} Thread;

struct _WeftThreadBuckets
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftCpuFilter *filter; /* or NULL: all */
  gboolean is_whole;     /* what a thread did besides waiting, it ran */
  GHashTable *threads;   /* id → Thread */
};

static void
thread_free (gpointer data)
{
  Thread *thread = data;

  g_free (thread->buckets);
  g_free (thread);
}

void
weft_thread_buckets_free (WeftThreadBuckets *self)
{
  g_clear_pointer (&self->threads, g_hash_table_unref);
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_free (self);
}

/* ---- Where what lies ---- */

static gint64
get_edge (const WeftThreadBuckets *self, guint i)
{
  return weft_bucket_edge (self->scope->begin, self->scope->end, self->scope->n_buckets, i);
}

static guint
find_bucket (const WeftThreadBuckets *self, gint64 time)
{
  guint64 span = (guint64) self->scope->end - (guint64) self->scope->begin;
  guint64 at = (guint64) time - (guint64) self->scope->begin;
  guint i = (guint) MIN ((unsigned __int128) at * self->scope->n_buckets / span,
                         self->scope->n_buckets - 1);

  while (i + 1 < self->scope->n_buckets && get_edge (self, i + 1) <= time)
    i++;
  return i;
}

static Thread *
get_thread (WeftThreadBuckets *self, guint32 id)
{
  Thread *thread = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (id));

  if (thread == NULL)
    {
      thread = g_new0 (Thread, 1);
      g_hash_table_insert (self->threads, GUINT_TO_POINTER (id), thread);
    }
  return thread;
}

static Bucket *
get_buckets (WeftThreadBuckets *self, Thread *thread)
{
  if (thread->buckets == NULL)
    thread->buckets = g_new0 (Bucket, self->scope->n_buckets);
  return thread->buckets;
}

typedef void (*PartFunc) (Bucket *bucket, guint64 length, guint reason);

static void
spread (WeftThreadBuckets *self, Thread *thread, gint64 start, gint64 end, PartFunc add,
        guint reason)
{
  Bucket *buckets = get_buckets (self, thread);

  start = MAX (start, self->scope->begin);
  end = MIN (end, self->scope->end);
  if (start >= end)
    return;
  for (guint i = find_bucket (self, start); i < self->scope->n_buckets; i++)
    {
      gint64 from = MAX (start, get_edge (self, i));
      gint64 to = MIN (end, get_edge (self, i + 1));

      if (from < to)
        add (&buckets[i], (guint64) to - (guint64) from, reason);
      if (to >= end)
        return;
    }
}

/* ---- Rows ---- */

static void
add_wait (Bucket *bucket, guint64 length, guint reason)
{
  bucket->waited += length;
  if (length <= bucket->longest)
    return;
  bucket->longest = length;
  bucket->reason = (guint8) reason;
}

static void
add_presence (Bucket *bucket, guint64 length, guint reason)
{
  bucket->there += length;
}

static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  WeftThreadBuckets *self = data;
  Thread *thread = get_thread (self, wait->row.thread);

  thread->is_shown = TRUE;
  thread->n_waits++;
  spread (self, thread, wait->row.start, wait->row.end, add_wait,
          wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN);
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  WeftThreadBuckets *self = data;
  Thread *thread = get_thread (self, sample->row.thread);
  Bucket *bucket;

  if (sample->row.start < self->scope->begin || sample->row.start >= self->scope->end)
    return;
  thread->is_shown = TRUE;
  bucket = &get_buckets (self, thread)[find_bucket (self, sample->row.start)];
  bucket->n_samples++;
  bucket->sampled += sample->weight;
}

/* Of the rows of a thread the last counts. */
static void
take_time (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Thread *thread = get_thread (data, (guint32) values[0]);

  thread->stop = (gint64) values[1];
  thread->start = (gint64) values[2];
  thread->has_times = thread->start <= thread->stop;
}

static void
note_presence (WeftThreadBuckets *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Thread *thread = value;

      if (!thread->has_times || thread->start >= self->scope->end ||
          thread->stop <= self->scope->begin)
        continue;
      thread->is_shown = thread->is_shown || self->filter == NULL;
      if (thread->is_shown)
        spread (self, thread, thread->start, thread->stop, add_presence, 0);
    }
}

static gboolean
check_size (WeftThreadBuckets *self, GError **error)
{
  guint n = weft_catalog_get_n_threads (self->catalog);

  if ((guint64) n * self->scope->n_buckets <= MAX_CELLS)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
               "%u threads in %u buckets are too much for one answer; ask for fewer buckets", n,
               self->scope->n_buckets);
  return FALSE;
}

static gboolean
read_rows (WeftThreadBuckets *self, GError **error)
{
  static const WeftColumnNumber times[] = { WEFT_THREAD_TIMES_THREAD, WEFT_THREAD_TIMES_TIME,
                                            WEFT_THREAD_TIMES_START };
  const WeftAnalysisScope *scope = self->scope;

  if (!check_size (self, error) ||
      !weft_stream_samples (scope, self->callchains, self->filter, take_sample, self, error) ||
      !weft_stream_waits (scope, self->callchains, self->filter, take_wait, self, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_THREAD_TIMES, times, G_N_ELEMENTS (times),
                       take_time, self, scope->cancellable, error))
    return FALSE;
  note_presence (self);
  return TRUE;
}

static gboolean
knows_threads (const WeftAnalysisScope *scope)
{
  return scope->begin < scope->end &&
         weft_store_get_n_rows (scope->store, WEFT_TABLE_SAMPLES) +
                 weft_store_get_n_rows (scope->store, WEFT_TABLE_WAITS) +
                 weft_store_get_n_rows (scope->store, WEFT_TABLE_THREAD_TIMES) >
             0;
}

gboolean
weft_thread_buckets_new (const WeftAnalysisScope *range, WeftCatalog *catalog,
                         WeftThreadBuckets **buckets, GError **error)
{
  g_autoptr (WeftThreadBuckets) self = g_new0 (WeftThreadBuckets, 1);
  g_autoptr (GError) failure = NULL;

  *buckets = NULL;
  self->scope = range;
  self->catalog = catalog;
  self->threads = g_hash_table_new_full (NULL, NULL, NULL, thread_free);
  if (!knows_threads (range))
    return TRUE;
  self->callchains = weft_callchain_reader_new (range, error);
  if (self->callchains == NULL)
    return FALSE;
  if (!weft_cpu_filter_new (range, self->callchains, catalog, &self->filter, &failure))
    {
      if (g_error_matches (failure, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  self->is_whole = self->filter == NULL || weft_cpu_filter_is_of_threads (self->filter);
  if (!read_rows (self, error))
    return FALSE;
  *buckets = g_steal_pointer (&self);
  return TRUE;
}

/* ---- Tables ---- */

/* ns that it ran. */
static guint64
get_running (const WeftThreadBuckets *self, const Thread *thread, const Bucket *bucket)
{
  if (!self->is_whole || !thread->has_times)
    return bucket->sampled;
  return bucket->there > bucket->waited ? bucket->there - bucket->waited : 0;
}

static const WeftTableColumn thread_columns[] = {
  { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },
  { "name", NULL, WEFT_VALUE_STRING },
  { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  { "process_name", NULL, WEFT_VALUE_STRING },
  { "begin", NULL, WEFT_VALUE_TIME },
  { "end", NULL, WEFT_VALUE_TIME },
  { "running", NULL, WEFT_VALUE_DURATION },
  { "waiting", NULL, WEFT_VALUE_DURATION },
  { "samples", NULL, WEFT_VALUE_UINT64 },
  { "waits", NULL, WEFT_VALUE_UINT64 },
};

static const WeftTableColumn bucket_columns[] = {
  { "thread", NULL, WEFT_VALUE_ID, NULL, "t" }, { "bucket", NULL, WEFT_VALUE_UINT64 },
  { "begin", NULL, WEFT_VALUE_TIME },           { "running", NULL, WEFT_VALUE_DURATION },
  { "waiting", NULL, WEFT_VALUE_DURATION },     { "reason", NULL, WEFT_VALUE_STRING },
  { "samples", NULL, WEFT_VALUE_UINT64 },
};

typedef void (*ThreadFunc) (WeftThreadBuckets *self, WeftTableBuilder *builder,
                            const WeftCatalogThread *row, const Thread *thread);

static void
write_thread (WeftThreadBuckets *self, WeftTableBuilder *builder, const WeftCatalogThread *row,
              const Thread *thread)
{
  const WeftCatalogProcess *process = weft_catalog_get_process (self->catalog, row->process);
  guint64 running = 0, waiting = 0, samples = 0;

  for (guint i = 0; i < self->scope->n_buckets; i++)
    {
      running += get_running (self, thread, &thread->buckets[i]);
      waiting += thread->buckets[i].waited;
      samples += thread->buckets[i].n_samples;
    }
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, row->id);
  weft_table_builder_set_string (builder, 1, row->name);
  if (process != NULL)
    {
      weft_table_builder_set_uint64 (builder, 2, process->id);
      weft_table_builder_set_string (builder, 3, process->name);
    }
  weft_table_builder_set_int64 (builder, 4, self->scope->begin);
  weft_table_builder_set_int64 (builder, 5, self->scope->end);
  weft_table_builder_set_uint64 (builder, 6, running);
  weft_table_builder_set_uint64 (builder, 7, waiting);
  weft_table_builder_set_uint64 (builder, 8, samples);
  weft_table_builder_set_uint64 (builder, 9, thread->n_waits);
}

static void
write_buckets (WeftThreadBuckets *self, WeftTableBuilder *builder, const WeftCatalogThread *row,
               const Thread *thread)
{
  for (guint i = 0; i < self->scope->n_buckets; i++)
    {
      const Bucket *bucket = &thread->buckets[i];

      if (bucket->there == 0 && bucket->waited == 0 && bucket->n_samples == 0)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, row->id);
      weft_table_builder_set_uint64 (builder, 1, i);
      weft_table_builder_set_int64 (builder, 2, get_edge (self, i));
      weft_table_builder_set_uint64 (builder, 3, get_running (self, thread, bucket));
      weft_table_builder_set_uint64 (builder, 4, bucket->waited);
      if (bucket->waited > 0)
        weft_table_builder_set_string (
            builder, 5, weft_stack_state_get_name (WEFT_STACK_WAITS (bucket->reason)));
      weft_table_builder_set_uint64 (builder, 6, bucket->n_samples);
    }
}

static WeftTable *
make_table (WeftThreadBuckets *self, const char *name, const WeftTableColumn *columns,
            guint n_columns, ThreadFunc write)
{
  WeftTableBuilder *builder = weft_table_builder_new (name);

  weft_table_builder_add_columns (builder, columns, n_columns);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    {
      const WeftCatalogThread *row = weft_catalog_get_nth_thread (self->catalog, i);
      const Thread *thread = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (row->id));

      if (thread != NULL && thread->is_shown && thread->buckets != NULL)
        write (self, builder, row, thread);
    }
  return weft_table_builder_finish (builder);
}

WeftTable *
weft_thread_buckets_make_threads (WeftThreadBuckets *self)
{
  return make_table (self, "threads", thread_columns, G_N_ELEMENTS (thread_columns), write_thread);
}

WeftTable *
weft_thread_buckets_make_buckets (WeftThreadBuckets *self)
{
  return make_table (self, "thread-buckets", bucket_columns, G_N_ELEMENTS (bucket_columns),
                     write_buckets);
}
