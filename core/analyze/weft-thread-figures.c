/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-thread-figures.h"

#include "weft-analysis-scope.h"
#include "weft-row-scan.h"

struct _WeftThreadTable
{
  const WeftAnalysisScope *scope;
  const WeftCallchainReader *callchains;
  const WeftCpuFilter *filter;
  GHashTable *threads; /* id → WeftThreadFigures */
  guint32 last_id;
  WeftThreadFigures *last;
};

static WeftThreadFigures *
get_figures (WeftThreadTable *self, guint32 thread)
{
  if (self->last == NULL || self->last_id != thread)
    {
      self->last_id = thread;
      self->last = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread));
      if (self->last == NULL)
        {
          self->last = g_new0 (WeftThreadFigures, 1);
          g_hash_table_insert (self->threads, GUINT_TO_POINTER (thread), self->last);
        }
    }
  return self->last;
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  WeftThreadFigures *figures = get_figures (data, sample->row.thread);

  figures->n_samples++;
  figures->sampled += sample->weight;
}

static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  WeftThreadFigures *figures = get_figures (data, wait->row.thread);
  guint reason =
      wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN;

  figures->n_waits++;
  figures->reasons[reason] += wait->clipped;
  figures->waited += wait->clipped;
  if (wait->is_open)
    {
      figures->state = WEFT_THREAD_STATE_WAITING;
      figures->last_reason = reason;
    }
}

/* Of the rows of a thread the last counts. */
static void
take_time (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftThreadTable *self = data;
  WeftThreadFigures *figures = get_figures (self, (guint32) values[0]);

  figures->stop = (gint64) values[1];
  figures->start = (gint64) values[2];
  figures->on_cpu = values[3];
  figures->off_cpu = values[4];
  figures->has_times = figures->start <= figures->stop;
  if (values[5] != 0)
    figures->state = WEFT_THREAD_STATE_ENDED;
  else if (figures->state == WEFT_THREAD_STATE_ENDED)
    figures->state = WEFT_THREAD_STATE_UNKNOWN;
}

/* The whole of a thread's time is counted as it goes by; of a part the waits tell. What waits do
 * not explain, because they were lost, has no known reason.
 */
static void
divide (WeftThreadTable *self, WeftThreadFigures *figures)
{
  gboolean is_whole = self->scope->begin <= figures->start && self->scope->end >= figures->stop;

  if (self->filter != NULL && !weft_cpu_filter_is_of_threads (self->filter))
    figures->has_times = FALSE;
  if (!figures->has_times)
    return;
  figures->wall = weft_scope_clip (self->scope, figures->start, figures->stop);
  if (is_whole)
    {
      figures->wall = figures->on_cpu + figures->off_cpu;
      if (figures->off_cpu > figures->waited)
        figures->reasons[WEFT_WAIT_REASON_UNKNOWN] += figures->off_cpu - figures->waited;
      return;
    }
  figures->off_cpu = MIN (figures->waited, figures->wall);
  figures->on_cpu = figures->wall - figures->off_cpu;
}

static gboolean
read_rows (WeftThreadTable *self, GError **error)
{
  static const WeftColumnNumber times[] = { WEFT_THREAD_TIMES_THREAD,  WEFT_THREAD_TIMES_TIME,
                                            WEFT_THREAD_TIMES_START,   WEFT_THREAD_TIMES_ON_CPU,
                                            WEFT_THREAD_TIMES_OFF_CPU, WEFT_THREAD_TIMES_ENDED };

  return weft_stream_samples (self->scope, self->callchains, self->filter, take_sample, self,
                              error) &&
         weft_stream_waits (self->scope, self->callchains, self->filter, take_wait, self, error) &&
         weft_scan_rows (self->scope->store, WEFT_TABLE_THREAD_TIMES, times, G_N_ELEMENTS (times),
                         take_time, self, self->scope->cancellable, error);
}

WeftThreadTable *
weft_thread_table_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                       const WeftCpuFilter *filter, GError **error)
{
  g_autoptr (WeftThreadTable) self = g_new0 (WeftThreadTable, 1);
  gboolean is_over = weft_store_get_state (scope->store) == WEFT_STORE_COMPLETE;
  GHashTableIter iter;
  gpointer figures;

  self->scope = scope;
  self->callchains = callchains;
  self->filter = filter;
  self->threads = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (!read_rows (self, error))
    return NULL;
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &figures))
    {
      WeftThreadFigures *of = figures;

      divide (self, of);
      /* Waits that go on are told of when they, or the recording, end. */
      if (of->has_times && is_over && scope->end >= of->stop &&
          of->state == WEFT_THREAD_STATE_UNKNOWN)
        of->state = WEFT_THREAD_STATE_RUNNING;
    }
  return g_steal_pointer (&self);
}

void
weft_thread_table_free (WeftThreadTable *self)
{
  g_hash_table_unref (self->threads);
  g_free (self);
}

const WeftThreadFigures *
weft_thread_table_get (WeftThreadTable *self, guint32 thread)
{
  return g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread));
}

gboolean
weft_thread_figures_find_top (const WeftThreadFigures *self, WeftWaitReason *reason)
{
  *reason = WEFT_WAIT_REASON_UNKNOWN;
  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    if (self->reasons[i] > self->reasons[*reason])
      *reason = i;
  return self->reasons[*reason] > 0;
}

const char *
weft_thread_state_get_name (WeftThreadState state)
{
  static const char *const names[] = { NULL, "running", "waiting", "ended" };

  return names[state];
}
