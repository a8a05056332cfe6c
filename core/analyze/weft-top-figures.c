/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-top-figures.h"

#include <math.h>
#include <string.h>

#include "weft-analysis-scope.h"
#include "weft-producer-ids.h"
#include "weft-ranking.h"
#include "weft-row-scan.h"

const WeftTopColumn weft_top_columns[WEFT_TOP_N_FIGURES] = {
  [WEFT_TOP_COUNT] = { "count", "count", WEFT_VALUE_UINT64 },
  [WEFT_TOP_TOTAL] = { "total", "sum(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_SELF] = { "self", "sum(self_time)", WEFT_VALUE_DURATION },
  [WEFT_TOP_MEAN] = { "mean", "mean(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_P50] = { "p50", "p50(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_P95] = { "p95", "p95(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_P99] = { "p99", "p99(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_MAX] = { "max", "max(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_MIN] = { "min", "min(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_STDDEV] = { "stddev", "stddev(duration)", WEFT_VALUE_DURATION },
  [WEFT_TOP_ERRORS] = { "errors", "sum(failed)", WEFT_VALUE_UINT64 },
  [WEFT_TOP_QUEUE_WAIT] = { "queue_wait", "mean(queue_wait)", WEFT_VALUE_DURATION },
};

/* Column that an order of the answer means. */
static const char *
get_order_column (const char *order)
{
  if (g_str_has_prefix (order, "counter:"))
    return "counter";
  return strcmp (order, "time") == 0 ? "total" : order;
}

WeftQuery *
weft_top_query_new (const WeftAnalysisScope *scope, GError **error)
{
  WeftQuery *query = weft_query_new ("dispatches", error);

  if (query == NULL)
    return NULL;
  weft_query_set_filter (query, scope->filter);
  if (weft_scope_has_range (scope))
    weft_query_set_range (query, scope->begin, scope->end);
  return query;
}

WeftTable *
weft_top_query (const WeftAnalysisScope *scope, const char *key, const char *counter,
                const char *combine, GError **error)
{
  g_autoptr (WeftQuery) query = weft_top_query_new (scope, error);
  g_autofree char *combined = g_strdup_printf ("%s(%s)", combine, counter);

  if (query == NULL || !weft_query_group_by (query, key, "key", error))
    return NULL;
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    if (!weft_query_select (query, weft_top_columns[i].expression, weft_top_columns[i].name, error))
      return NULL;
  if ((counter != NULL && !weft_query_select (query, combined, "counter", error)) ||
      !weft_query_order_by (query, get_order_column (scope->order_by), TRUE, error))
    return NULL;
  weft_query_set_limit (query, scope->limit);
  weft_query_set_cursor (query, scope->cursor);
  return weft_query_run (query, scope->recording, scope->cancellable, error);
}

/* ---- By origin ---- */

/* Columns of the dispatches. */
enum
{
  ID,
  START,
  DURATION,
  SELF,
  FAILED,
  QUEUE_WAIT,
  COUNTER
};

typedef struct
{
  guint64 thread;
  GArray *durations; /* element type double */
  guint64 total;
  guint64 self;
  guint64 errors;
  double queue_wait;
  guint64 n_queue_waits;
  double counter; /* as COMBINE says; a sum for a mean */
  guint64 n_counters;
} Thread;

typedef struct
{
  const WeftAnalysisScope *scope;
  const char *combine;
  WeftProducerIds *ids;
  GHashTable *origins; /* id of a dispatch → thread that queued it */
  GHashTable *threads; /* id → Thread */
} Origins;

static void
thread_free (gpointer data)
{
  Thread *thread = data;

  g_array_unref (thread->durations);
  g_free (thread);
}

static void
origins_clear (Origins *self)
{
  g_clear_pointer (&self->ids, weft_producer_ids_free);
  g_clear_pointer (&self->origins, g_hash_table_unref);
  g_clear_pointer (&self->threads, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Origins, origins_clear)

static void
take_origin (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Origins *self = data;
  guint64 dispatch;

  if (values[0] != WEFT_ORIGIN_ROLE_DISPATCH)
    return;
  dispatch = weft_producer_ids_get (self->ids, values[2], values[3], values[4]);
  /* The first one that was told. */
  if (dispatch != 0 && !g_hash_table_contains (self->origins, &dispatch))
    g_hash_table_insert (self->origins, g_memdup2 (&dispatch, sizeof dispatch),
                         GUINT_TO_POINTER ((guint) values[1]));
}

static gboolean
read_origins (Origins *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_ORIGINS_ROLE, WEFT_ORIGINS_THREAD,
                                              WEFT_ORIGINS_DISPATCH, WEFT_ORIGINS_RUNTIME,
                                              WEFT_ORIGINS_PRODUCER_DISPATCH };

  self->ids = weft_producer_ids_new ();
  self->origins = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return weft_producer_ids_want_table (self->ids, self->scope, WEFT_TABLE_ORIGINS, columns[2],
                                       columns[3], columns[4], error) &&
         weft_producer_ids_resolve (self->ids, self->scope, error) &&
         weft_scan_rows (self->scope->store, WEFT_TABLE_ORIGINS, columns, G_N_ELEMENTS (columns),
                         take_origin, self, self->scope->cancellable, error);
}

static Thread *
get_thread (Origins *self, guint64 dispatch)
{
  gpointer id = g_hash_table_lookup (self->origins, &dispatch);
  Thread *thread = g_hash_table_lookup (self->threads, id);

  if (thread == NULL)
    {
      thread = g_new0 (Thread, 1);
      thread->thread = GPOINTER_TO_UINT (id);
      thread->durations = g_array_new (FALSE, FALSE, sizeof (double));
      g_hash_table_insert (self->threads, id, thread);
    }
  return thread;
}

static void
combine (Thread *thread, const char *how, double value)
{
  if (thread->n_counters++ == 0)
    thread->counter = value;
  else if (strcmp (how, "min") == 0)
    thread->counter = MIN (thread->counter, value);
  else if (strcmp (how, "max") == 0)
    thread->counter = MAX (thread->counter, value);
  else
    thread->counter += value;
}

static void
add_dispatch (Origins *self, WeftTable *table, guint row)
{
  Thread *thread = get_thread (self, weft_table_get_uint64 (table, ID, row));
  gint64 start = weft_table_get_int64 (table, START, row);
  double duration = weft_table_get_double (table, DURATION, row);

  g_array_append_val (thread->durations, duration);
  thread->total += weft_scope_clip (
      self->scope, start, weft_time_after (start, weft_table_get_uint64 (table, DURATION, row)));
  thread->self += weft_table_get_uint64 (table, SELF, row);
  thread->errors += weft_table_get_boolean (table, FAILED, row);
  if (!weft_table_is_null (table, QUEUE_WAIT, row))
    {
      thread->queue_wait += weft_table_get_double (table, QUEUE_WAIT, row);
      thread->n_queue_waits++;
    }
  if (self->combine != NULL && !weft_table_is_null (table, COUNTER, row))
    combine (thread, self->combine, weft_table_get_double (table, COUNTER, row));
}

static gboolean
read_dispatches (Origins *self, const char *counter, GError **error)
{
  static const char *const columns[] = { "id",        "start",  "duration",
                                         "self_time", "failed", "queue_wait" };
  g_autoptr (WeftQuery) query = weft_top_query_new (self->scope, error);
  g_autoptr (WeftTable) table = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (query == NULL || !weft_query_select (query, columns[i], NULL, error))
      return FALSE;
  if (counter != NULL && !weft_query_select (query, counter, "counter", error))
    return FALSE;
  table = weft_query_run (query, self->scope->recording, self->scope->cancellable, error);
  if (table == NULL)
    return FALSE;
  self->threads = g_hash_table_new_full (NULL, NULL, NULL, thread_free);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    add_dispatch (self, table, i);
  return TRUE;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return left < right ? -1 : left > right;
}

/* Of nearest rank, in order. */
static double
get_percentile (const GArray *values, double percentile)
{
  guint64 rank = weft_nearest_rank (percentile, values->len);

  return g_array_index (values, double, rank - 1);
}

/* NAN where there is none. */
static void
find_figures (Thread *thread, double *figures)
{
  GArray *durations = thread->durations;
  double sum = 0;
  double squares = 0;
  double mean;

  g_array_sort (durations, compare_doubles);
  for (guint i = 0; i < durations->len; i++)
    sum += g_array_index (durations, double, i);
  mean = sum / durations->len;
  for (guint i = 0; i < durations->len; i++)
    squares += (g_array_index (durations, double, i) - mean) *
               (g_array_index (durations, double, i) - mean);
  figures[WEFT_TOP_COUNT] = durations->len;
  figures[WEFT_TOP_TOTAL] = (double) thread->total;
  figures[WEFT_TOP_SELF] = (double) thread->self;
  figures[WEFT_TOP_MEAN] = mean;
  figures[WEFT_TOP_P50] = get_percentile (durations, 50);
  figures[WEFT_TOP_P95] = get_percentile (durations, 95);
  figures[WEFT_TOP_P99] = get_percentile (durations, 99);
  figures[WEFT_TOP_MAX] = g_array_index (durations, double, durations->len - 1);
  figures[WEFT_TOP_MIN] = g_array_index (durations, double, 0);
  figures[WEFT_TOP_STDDEV] =
      durations->len < 2 ? (double) NAN : sqrt (squares / (durations->len - 1));
  figures[WEFT_TOP_ERRORS] = (double) thread->errors;
  figures[WEFT_TOP_QUEUE_WAIT] = thread->n_queue_waits == 0
                                     ? (double) NAN
                                     : thread->queue_wait / (double) thread->n_queue_waits;
}

static double
get_counter (const Origins *self, const Thread *thread)
{
  if (thread->n_counters == 0)
    return (double) NAN;
  return g_strcmp0 (self->combine, "mean") == 0 ? thread->counter / (double) thread->n_counters
                                                : thread->counter;
}

static double
get_order (Origins *self, Thread *thread)
{
  const char *column = get_order_column (self->scope->order_by);
  double figures[WEFT_TOP_N_FIGURES];

  if (strcmp (column, "counter") == 0)
    return get_counter (self, thread);
  find_figures (thread, figures);
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    if (strcmp (weft_top_columns[i].name, column) == 0)
      return figures[i];
  g_return_val_if_reached (0);
}

static void
write_thread (Origins *self, WeftTableBuilder *builder, Thread *thread)
{
  double figures[WEFT_TOP_N_FIGURES];
  double counter = get_counter (self, thread);

  find_figures (thread, figures);
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, thread->thread);
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    if (!isnan (figures[i]))
      weft_table_builder_set_double (builder, 1 + i, figures[i]);
  if (self->combine != NULL && !isnan (counter))
    weft_table_builder_set_double (builder, 1 + WEFT_TOP_N_FIGURES, counter);
}

static WeftTable *
make_page (Origins *self, WeftRanking *ranking)
{
  WeftTableBuilder *builder = weft_table_builder_new ("origins");
  GHashTableIter iter;
  gpointer value;
  guint n;

  weft_table_builder_add_column (builder,
                                 &(WeftTableColumn){ "key", NULL, WEFT_VALUE_ID, NULL, "t" });
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    weft_table_builder_add_column (
        builder, &(WeftTableColumn){ weft_top_columns[i].name, NULL, WEFT_VALUE_DOUBLE });
  if (self->combine != NULL)
    weft_table_builder_add_column (builder,
                                   &(WeftTableColumn){ "counter", NULL, WEFT_VALUE_DOUBLE });
  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Thread *thread = value;
      double order = get_order (self, thread);

      weft_ranking_add (ranking, isnan (order) ? WEFT_RANK_LAST : (gint64) MIN (order, 9e18),
                        thread->thread, thread);
    }
  n = weft_ranking_finish (ranking);
  for (guint i = 0; i < n; i++)
    write_thread (self, builder, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  return weft_table_builder_finish (builder);
}

WeftTable *
weft_top_query_origins (const WeftAnalysisScope *scope, const char *counter, const char *combine,
                        GError **error)
{
  g_auto (Origins) self = { .scope = scope, .combine = counter == NULL ? NULL : combine };
  g_autoptr (WeftRanking) ranking = weft_ranking_new (scope, "target-top", FALSE, error);

  if (ranking == NULL || !read_origins (&self, error) || !read_dispatches (&self, counter, error))
    return NULL;
  return make_page (&self, ranking);
}
