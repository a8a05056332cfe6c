/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-threadpool-diagnosis.h"

#include <string.h>

/* From here on a figure is worth looking at; below so many items none is. */
#define MIN_ITEMS 8
#define WAITING_SHARE 0.5
#define STARVED_SHARE 0.1
#define IMBALANCE 0.5
#define STOLEN_SHARE 0.5
/* Of the time in which items waited, how much may have passed with one worker at work. */
#define SERIAL_SHARE 0.9
/* Names in a sentence. */
#define MAX_NAMED 5
/* Parts of the time from the first change of a queue to the last one. */
#define N_QUARTERS 4

#define WORKERS "kind:threadpool.worker"
#define DEPTHS "kind:threadpool.* metric:queue.pending"

/* What is known of a pool, and of its workers together. */
typedef struct
{
  guint64 lane;
  char *name;
  guint64 n_workers;
  guint64 n_items;
  guint64 n_canceled;
  double run;  /* ns, of all items */
  double busy; /* ns, of all workers */
  double busiest;
  double wait; /* ns, of all items */
  double steals;
  GArray *depths;              /* element type Point: the depth of the queue */
  GArray *changes;             /* element type Point: +1 and -1, as items begin and end */
  double waiting;              /* ns with something in the queue */
  double serial;               /* ns of these with one item that runs */
  double quarters[N_QUARTERS]; /* mean depth */
} Pool;

typedef struct
{
  gint64 time;
  double value;
} Point;

typedef struct
{
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
  GPtrArray *pools;     /* element-type Pool */
  GHashTable *by_lane;  /* id → Pool, of pools and of their workers */
  GHashTable *by_depth; /* id of a metric → Pool: that of the depth of its queue */
} Diagnosis;

static void
pool_free (gpointer data)
{
  Pool *pool = data;

  g_free (pool->name);
  g_array_unref (pool->depths);
  g_array_unref (pool->changes);
  g_free (pool);
}

static void
diagnosis_clear (Diagnosis *self)
{
  g_clear_pointer (&self->pools, g_ptr_array_unref);
  g_clear_pointer (&self->by_lane, g_hash_table_unref);
  g_clear_pointer (&self->by_depth, g_hash_table_unref);
  g_clear_object (&self->findings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Diagnosis, diagnosis_clear)

/* ---- Questions to the recording ---- */

/* The main table of an answer with all of its rows. */
static WeftTable *
answer (Diagnosis *self, const char *kind, GError **error)
{
  g_autoptr (WeftAnalysis) analysis = weft_analysis_new (self->recording, kind, error);
  g_autoptr (WeftReport) report = NULL;

  if (analysis == NULL)
    return NULL;
  weft_analysis_set_limit (analysis, 0);
  report = weft_analysis_run (analysis, self->cancellable, error);
  return report != NULL ? g_object_ref (weft_report_get_main_table (report)) : NULL;
}

static WeftTable *
ask (Diagnosis *self, const char *table, const char *filter, const char *const *columns,
     GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);

  if (query == NULL || !weft_query_set_filter_text (query, filter, error))
    return NULL;
  for (guint i = 0; columns[i] != NULL; i++)
    if (!weft_query_select (query, columns[i], NULL, error))
      return NULL;
  weft_query_set_limit (query, 0);
  return weft_query_run (query, self->recording, self->cancellable, error);
}

static double
get_double (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  g_assert (column >= 0);
  return weft_table_is_null (table, (guint) column, row)
             ? 0
             : weft_table_get_double (table, (guint) column, row);
}

static guint64
get_number (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  g_assert (column >= 0);
  return weft_table_is_null (table, (guint) column, row)
             ? 0
             : weft_table_get_uint64 (table, (guint) column, row);
}

static const char *
get_string (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  g_assert (column >= 0);
  return weft_table_get_string (table, (guint) column, row);
}

static Pool *
find_pool (Diagnosis *self, guint64 lane)
{
  return g_hash_table_lookup (self->by_lane, GSIZE_TO_POINTER (lane));
}

/* ---- What there is ---- */

static void
add_pool (Diagnosis *self, WeftTable *lanes, guint row)
{
  Pool *pool = g_new0 (Pool, 1);

  pool->lane = get_number (lanes, "lane", row);
  pool->name = g_strdup (get_string (lanes, "name", row));
  pool->n_canceled = get_number (lanes, "canceled", row);
  pool->depths = g_array_new (FALSE, FALSE, sizeof (Point));
  pool->changes = g_array_new (FALSE, FALSE, sizeof (Point));
  g_ptr_array_add (self->pools, pool);
  g_hash_table_insert (self->by_lane, GSIZE_TO_POINTER (pool->lane), pool);
}

static void
add_worker (Diagnosis *self, WeftTable *lanes, guint row)
{
  Pool *pool = find_pool (self, get_number (lanes, "parent", row));
  double busy = get_double (lanes, "busy", row);

  if (pool == NULL)
    return;
  pool->n_workers++;
  pool->n_items += get_number (lanes, "dispatches", row);
  pool->run += get_double (lanes, "total", row);
  pool->busy += busy;
  pool->busiest = MAX (pool->busiest, busy);
  g_hash_table_insert (self->by_lane, GSIZE_TO_POINTER (get_number (lanes, "lane", row)), pool);
}

static gboolean
read_lanes (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) lanes = answer (self, "target-lanes", error);
  guint n_rows = lanes != NULL ? weft_table_get_n_rows (lanes) : 0;

  for (guint row = 0; row < n_rows; row++)
    if (g_strcmp0 (get_string (lanes, "kind", row), "threadpool.pool") == 0)
      add_pool (self, lanes, row);
  for (guint row = 0; row < n_rows; row++)
    if (g_strcmp0 (get_string (lanes, "kind", row), "threadpool.worker") == 0)
      add_worker (self, lanes, row);
  return lanes != NULL;
}

static gboolean
read_metrics (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) metrics = answer (self, "metrics", error);

  for (guint row = 0; metrics != NULL && row < weft_table_get_n_rows (metrics); row++)
    {
      Pool *pool = find_pool (self, get_number (metrics, "lane", row));
      const char *name = get_string (metrics, "name", row);

      if (pool == NULL)
        continue;
      if (g_strcmp0 (name, "queue.wait_ms") == 0)
        pool->wait += 1e6 * get_double (metrics, "total", row);
      else if (g_strcmp0 (name, "steal.total") == 0)
        pool->steals += get_double (metrics, "total", row);
      else if (g_strcmp0 (name, "queue.pending") == 0)
        g_hash_table_insert (self->by_depth, GSIZE_TO_POINTER (get_number (metrics, "metric", row)),
                             pool);
    }
  return metrics != NULL;
}

static void
add_point (GArray *points, gint64 time, double value)
{
  g_array_append_val (points, ((Point){ time, value }));
}

static gboolean
read_depths (Diagnosis *self, GError **error)
{
  static const char *const columns[] = { "metric", "time", "value", NULL };
  g_autoptr (WeftTable) points = ask (self, "metric_points", DEPTHS, columns, error);

  for (guint row = 0; points != NULL && row < weft_table_get_n_rows (points); row++)
    {
      Pool *pool = g_hash_table_lookup (self->by_depth,
                                        GSIZE_TO_POINTER (weft_table_get_uint64 (points, 0, row)));

      if (pool != NULL)
        add_point (pool->depths, weft_table_get_int64 (points, 1, row),
                   weft_table_get_double (points, 2, row));
    }
  return points != NULL;
}

static gboolean
read_items (Diagnosis *self, GError **error)
{
  static const char *const columns[] = { "lane", "start", "duration", NULL };
  g_autoptr (WeftTable) items = ask (self, "dispatches", WORKERS, columns, error);

  for (guint row = 0; items != NULL && row < weft_table_get_n_rows (items); row++)
    {
      Pool *pool = find_pool (self, weft_table_get_uint64 (items, 0, row));
      gint64 start = weft_table_get_int64 (items, 1, row);

      if (pool == NULL)
        continue;
      add_point (pool->changes, start, 1);
      add_point (pool->changes, start + (gint64) weft_table_get_uint64 (items, 2, row), -1);
    }
  return items != NULL;
}

/* ---- Depth of the queue, beside what runs ---- */

static int
compare_points (gconstpointer a, gconstpointer b)
{
  const Point *left = a, *right = b;

  return left->time < right->time ? -1 : left->time > right->time;
}

/* Shares DEPTH, which held from BEGIN to END, out to the quarters of FIRST to LAST. */
static void
add_to_quarters (Pool *pool, gint64 first, gint64 last, const Point *depth, gint64 end)
{
  double length = (double) (last - first) / N_QUARTERS;

  for (guint i = 0; i < N_QUARTERS && length > 0; i++)
    {
      double from = MAX ((double) (depth->time - first), length * i);
      double to = MIN ((double) (end - first), length * (i + 1));

      if (to > from)
        pool->quarters[i] += depth->value * (to - from) / length;
    }
}

/* From one change of the queue to the next one, how long a single item ran. */
static void
add_to_serial (Pool *pool, guint *change, double *running, const Point *depth, gint64 end)
{
  gint64 at = depth->time;

  while (at < end)
    {
      const Point *next = &g_array_index (pool->changes, Point, *change);
      gint64 until = *change < pool->changes->len ? MIN (next->time, end) : end;

      if (depth->value > 0 && until > at)
        {
          pool->waiting += (double) (until - at);
          pool->serial += *running == 1 ? (double) (until - at) : 0;
        }
      at = MAX (at, until);
      while (*change < pool->changes->len &&
             g_array_index (pool->changes, Point, *change).time <= at)
        *running += g_array_index (pool->changes, Point, (*change)++).value;
    }
}

static void
follow_queue (Pool *pool)
{
  const Point *depths = (const Point *) (gpointer) pool->depths->data;
  guint n = pool->depths->len, change = 0;
  double running = 0;

  g_array_sort (pool->depths, compare_points);
  g_array_sort (pool->changes, compare_points);
  for (guint i = 0; i + 1 < n; i++)
    {
      add_to_quarters (pool, depths[0].time, depths[n - 1].time, &depths[i], depths[i + 1].time);
      add_to_serial (pool, &change, &running, &depths[i], depths[i + 1].time);
    }
}

/* ---- Findings ---- */

typedef gboolean (*Applies) (const Pool *pool);

static char *
name_pools (Diagnosis *self, Applies applies, GStrvBuilder *handles, guint *n)
{
  GString *text = g_string_new (NULL);

  *n = 0;
  for (guint i = 0; i < self->pools->len; i++)
    {
      const Pool *pool = self->pools->pdata[i];
      g_autofree char *handle = g_strdup_printf ("l-%" G_GUINT64_FORMAT, pool->lane);

      if (!applies (pool))
        continue;
      g_strv_builder_add (handles, handle);
      if ((*n)++ < MAX_NAMED)
        g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", pool->name);
    }
  if (*n > MAX_NAMED)
    g_string_append_printf (text, " and %u more", *n - MAX_NAMED);
  return g_string_free (text, FALSE);
}

/* GOOD where no pool shows the fault; else the pools' names before what SAYS. */
static void
add_finding (Diagnosis *self, const char *check, const char *question, Applies applies,
             const char *good, const char *says, const char *advice)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n;
  g_autofree char *names = name_pools (self, applies, builder, &n);
  g_auto (GStrv) handles = g_strv_builder_end (builder);
  g_autofree char *evidence = n == 0 ? g_strdup (good) : g_strdup_printf ("%s: %s", names, says);
  g_autoptr (WeftFinding) finding =
      weft_finding_new (check, question, n == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
                        evidence, n == 0 ? NULL : advice, (const char *const *) handles);

  g_list_store_append (self->findings, finding);
}

static gboolean
is_worth (const Pool *pool)
{
  return pool->n_items >= MIN_ITEMS;
}

static gboolean
grows (const Pool *pool)
{
  for (guint i = 0; i + 1 < N_QUARTERS; i++)
    if (pool->quarters[i + 1] <= pool->quarters[i])
      return FALSE;
  return is_worth (pool) && pool->quarters[N_QUARTERS - 1] > 2 * pool->quarters[0] &&
         pool->quarters[N_QUARTERS - 1] > (double) pool->n_workers;
}

static gboolean
is_serial (const Pool *pool)
{
  return is_worth (pool) && pool->n_workers > 1 && pool->waiting > 0 &&
         pool->serial > SERIAL_SHARE * pool->waiting;
}

static gboolean
waits (const Pool *pool)
{
  return is_worth (pool) && pool->wait > WAITING_SHARE * (pool->wait + pool->run) &&
         !is_serial (pool);
}

/* From the first change of the queue to the last one, workers had next to nothing to do. */
static gboolean
starves (const Pool *pool)
{
  guint n = pool->depths->len;
  double time;

  if (!is_worth (pool) || pool->n_workers < 2 || n < 2)
    return FALSE;
  time = (double) (g_array_index (pool->depths, Point, n - 1).time -
                   g_array_index (pool->depths, Point, 0).time);
  return pool->busy < STARVED_SHARE * time * (double) pool->n_workers;
}

static gboolean
is_uneven (const Pool *pool)
{
  double mean = pool->n_workers > 0 ? pool->busy / (double) pool->n_workers : 0;

  return is_worth (pool) && pool->n_items >= 2 * pool->n_workers && pool->n_workers > 1 &&
         pool->busiest - mean > IMBALANCE * pool->busiest;
}

static gboolean
drops (const Pool *pool)
{
  return pool->n_canceled > 0;
}

static gboolean
steals (const Pool *pool)
{
  return is_worth (pool) && pool->steals > STOLEN_SHARE * (double) pool->n_items;
}

static void
check_queues (Diagnosis *self)
{
  add_finding (self, "threadpool.growth", "Do pools keep up with what is pushed?", grows,
               "They do: no queue grew all the time",
               "the queue grew from the first quarter of its time to the last",
               "Push less, or let whoever pushes wait; more threads help as long as there are "
               "processors for them: “weft state --at TIME” shows the depth");
  add_finding (self, "threadpool.queue-wait", "Do items wait longer than they run?", waits,
               "They do not", "more than half of the time of items was spent in the queue",
               "Allow more threads, or shorten what items do: “weft target dispatches --by "
               "queue_wait” shows who waited longest");
  add_finding (self, "threadpool.serialised", "Do workers run side by side?", is_serial,
               "They do where there is more than one",
               "a single item ran nearly all the time, while others waited and there were more "
               "workers",
               "Look for what holds the others back: threads that wait for each other (“weft "
               "waits”), a bound on threads that was set low, a machine with one processor");
}

static void
check_workers (Diagnosis *self)
{
  add_finding (self, "threadpool.starved", "Do workers have enough to do?", starves,
               "They do, or they are few", "workers ran something in less than a tenth of the time",
               "Fewer threads would do; or items come too slowly: “weft target origins” tells who "
               "pushes");
  add_finding (self, "threadpool.imbalance", "Is work shared out evenly?", is_uneven, "It is",
               "workers were on average less than half as busy as the busiest one",
               "Make items smaller, or push the long ones first: “weft target top” tells which "
               "are long");
  add_finding (self, "threadpool.steals", "Does work stay where it was put?", steals, "Most of it",
               "there were more than half as many steals as items",
               "Spread items over the workers as they are pushed, or steal several at once: "
               "“weft target dispatches --filter tag:stolen.from” lists them");
  add_finding (self, "threadpool.dropped", "Did all items run?", drops, "None was dropped",
               "pools were closed at once, with items in the queue that never ran",
               "Nothing is wrong if that is meant; “weft target dispatches --filter "
               "status:canceled” lists them with who pushed them");
}

GListModel *
weft_threadpool_diagnose (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_auto (Diagnosis) self = { .recording = recording, .cancellable = cancellable };

  self.findings = g_list_store_new (WEFT_TYPE_FINDING);
  self.pools = g_ptr_array_new_with_free_func (pool_free);
  self.by_lane = g_hash_table_new (NULL, NULL);
  self.by_depth = g_hash_table_new (NULL, NULL);
  if (!read_lanes (&self, error))
    return NULL;
  if (self.pools->len == 0)
    return G_LIST_MODEL (g_steal_pointer (&self.findings));
  if (!read_metrics (&self, error) || !read_depths (&self, error) || !read_items (&self, error))
    return NULL;
  g_ptr_array_foreach (self.pools, (GFunc) (void (*) (void)) follow_queue, NULL);
  check_queues (&self);
  check_workers (&self);
  return G_LIST_MODEL (g_steal_pointer (&self.findings));
}
