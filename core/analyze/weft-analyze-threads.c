/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads, and lanes beside them: neither is part of the other. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-cpu-hints.h"
#include "weft-lane-figures.h"
#include "weft-row-scan.h"
#include "weft-thread-figures.h"
#include "weft-wait-columns.h"
#include "weft-waits.h"

#include <string.h>

/* So many lanes of a row are named. */
#define MAX_LANES 3

/* What a thread had to do with lanes: target time, which is never its own. */
typedef struct
{
  guint64 n_dispatched;
  guint64 n_waits;
  guint64 wait_time;
  gint64 waited_until;
  GHashTable *lanes; /* ids of those that it dispatched to or waited for */
  GString *names;
} ThreadFacts;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftLaneTable *figures;
  WeftCallchainReader *callchains; /* of a filter */
  WeftCpuFilter *filter;           /* or NULL */
  WeftThreadTable *cpu;
  WeftCpuHints facts;
  GHashTable *threads; /* id → ThreadFacts */
} Threads;

static void
facts_free (gpointer data)
{
  ThreadFacts *facts = data;

  g_hash_table_unref (facts->lanes);
  g_string_free (facts->names, TRUE);
  g_free (facts);
}

static void
threads_clear (Threads *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->figures, weft_lane_table_free);
  g_clear_pointer (&self->cpu, weft_thread_table_free);
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->threads, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Threads, threads_clear)

/* ---- Waits ---- */

static ThreadFacts *
get_facts (Threads *self, guint32 thread)
{
  ThreadFacts *facts = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread));

  if (facts == NULL)
    {
      facts = g_new0 (ThreadFacts, 1);
      facts->waited_until = G_MININT64;
      facts->lanes = g_hash_table_new (NULL, NULL);
      facts->names = g_string_new (NULL);
      g_hash_table_insert (self->threads, GUINT_TO_POINTER (thread), facts);
    }
  return facts;
}

static void
take_origin (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Threads *self = data;
  gint64 time = (gint64) values[2];

  if (values[0] == WEFT_ORIGIN_ROLE_DISPATCH && values[1] != 0 &&
      weft_scope_overlaps (self->scope, time, time))
    get_facts (self, (guint32) values[1])->n_dispatched++;
}

static int
compare_waits (gconstpointer a, gconstpointer b)
{
  const WeftWait *wait_a = a;
  const WeftWait *wait_b = b;

  return wait_a->begin < wait_b->begin ? -1 : wait_a->begin > wait_b->begin;
}

/* A thread that waits for several things at once waits once. */
static gboolean
read_waits (Threads *self, WeftProducerIds *ids, GError **error)
{
  g_autoptr (GArray) waits = NULL;

  waits = weft_waits_read (self->scope, ids, error);
  if (waits == NULL)
    return FALSE;
  g_array_sort (waits, compare_waits);
  for (guint i = 0; i < waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (waits, WeftWait, i);
      ThreadFacts *facts;

      if (wait->thread == 0 || !wait->has_begin || !wait->has_end ||
          !weft_scope_overlaps (self->scope, wait->begin, wait->end))
        continue;
      facts = get_facts (self, (guint32) wait->thread);
      facts->n_waits++;
      if (wait->end <= facts->waited_until)
        continue;
      facts->wait_time +=
          weft_scope_clip (self->scope, MAX (wait->begin, facts->waited_until), wait->end);
      facts->waited_until = wait->end;
    }
  return TRUE;
}

/* ---- Lanes ---- */

static void
add_lane_name (Threads *self, ThreadFacts *facts, guint32 lane)
{
  const char *name = weft_catalog_get_lane_name (self->catalog, lane);
  guint n = g_hash_table_size (facts->lanes);

  if (lane == 0 || !g_hash_table_add (facts->lanes, GUINT_TO_POINTER (lane)))
    return;
  if (n < MAX_LANES)
    g_string_append_printf (facts->names, "%s%s", n > 0 ? ", " : "", name != NULL ? name : "?");
  else if (n == MAX_LANES)
    g_string_append (facts->names, ", …");
}

/* Which lanes threads dispatched to, or waited for. */
static gboolean
read_lanes (Threads *self, WeftProducerIds *ids, GError **error)
{
  g_autoptr (WeftRowCursor) origins = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);
  g_autoptr (WeftRowCursor) dispatches = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  g_autoptr (WeftRowCursor) submissions = weft_row_cursor_new (self->scope, WEFT_TABLE_SUBMISSIONS);

  while (weft_row_cursor_next (origins))
    {
      guint64 role = weft_row_cursor_get (origins, WEFT_ORIGINS_ROLE);
      guint64 thread = weft_row_cursor_get (origins, WEFT_ORIGINS_THREAD);
      gint64 time = weft_row_cursor_get_signed (origins, WEFT_ORIGINS_TIME);
      guint64 submission = weft_row_cursor_get (origins, WEFT_ORIGINS_SUBMISSION);
      guint64 dispatch;

      if (thread == 0 || !weft_scope_overlaps (self->scope, time, time) ||
          (role != WEFT_ORIGIN_ROLE_DISPATCH && role != WEFT_ORIGIN_ROLE_WAIT_BEGIN))
        continue;
      dispatch =
          weft_producer_ids_get (ids, weft_row_cursor_get (origins, WEFT_ORIGINS_DISPATCH),
                                 weft_row_cursor_get (origins, WEFT_ORIGINS_RUNTIME),
                                 weft_row_cursor_get (origins, WEFT_ORIGINS_PRODUCER_DISPATCH));
      if (dispatch != 0 && weft_row_cursor_seek (dispatches, dispatch))
        add_lane_name (self, get_facts (self, (guint32) thread),
                       (guint32) weft_row_cursor_get (dispatches, WEFT_DISPATCHES_LANE));
      else if (submission != 0 && weft_row_cursor_seek (submissions, submission))
        add_lane_name (self, get_facts (self, (guint32) thread),
                       (guint32) weft_row_cursor_get (submissions, WEFT_SUBMISSIONS_LANE));
    }
  return weft_row_cursor_finish (origins, error) && weft_row_cursor_finish (dispatches, error) &&
         weft_row_cursor_finish (submissions, error);
}

/* ---- Rows ---- */

enum
{
  THREAD_ID,
  NAME,
  PROCESS,
  PID,
  PROCESS_NAME,
  TID,
  FIRST_SEEN,
  CPU_TIME,
  OFF_CPU,
  WALL,
  SAMPLES,
  CPU_WAITS,
  TOP_REASON,
  STATE,
  DISPATCHED,
  WAITS,
  WAIT_TIME,
  LANES,
  LANE_NAMES,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [THREAD_ID] = { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },
  [NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [PID] = { "pid", NULL, WEFT_VALUE_UINT64 },
  [PROCESS_NAME] = { "process_name", NULL, WEFT_VALUE_STRING },
  [TID] = { "tid", NULL, WEFT_VALUE_UINT64 },
  [FIRST_SEEN] = { "first_seen", NULL, WEFT_VALUE_TIME },
  [CPU_TIME] = { "cpu_time", NULL, WEFT_VALUE_DURATION },
  [OFF_CPU] = { "off_cpu", NULL, WEFT_VALUE_DURATION },
  [WALL] = { "wall", NULL, WEFT_VALUE_DURATION },
  [SAMPLES] = { "samples", NULL, WEFT_VALUE_UINT64 },
  [CPU_WAITS] = { "waits", NULL, WEFT_VALUE_UINT64 },
  [TOP_REASON] = { "top_reason", NULL, WEFT_VALUE_STRING },
  [STATE] = { "state", NULL, WEFT_VALUE_STRING },
  [DISPATCHED] = { "dispatched", NULL, WEFT_VALUE_UINT64 },
  [WAITS] = { "target_waits", NULL, WEFT_VALUE_UINT64 },
  [WAIT_TIME] = { "target_wait_time", NULL, WEFT_VALUE_DURATION },
  [LANES] = { "lanes", NULL, WEFT_VALUE_UINT64 },
  [LANE_NAMES] = { "lane_names", NULL, WEFT_VALUE_STRING },
};

static void
set_process (WeftTableBuilder *builder, const WeftCatalogProcess *process)
{
  if (process == NULL)
    return;
  weft_table_builder_set_uint64 (builder, PROCESS, process->id);
  weft_table_builder_set_uint64 (builder, PID, process->pid);
  weft_table_builder_set_string (builder, PROCESS_NAME, process->name);
}

/* Where it was not watched, its samples tell how long it ran, roughly. */
static void
set_cpu (WeftTableBuilder *builder, const WeftThreadFigures *figures)
{
  WeftWaitReason reason;

  if (figures == NULL)
    return;
  weft_table_builder_set_uint64 (builder, CPU_TIME,
                                 figures->has_times ? figures->on_cpu : figures->sampled);
  if (figures->has_times || figures->n_waits > 0)
    weft_table_builder_set_uint64 (builder, OFF_CPU,
                                   figures->has_times ? figures->off_cpu : figures->waited);
  if (figures->has_times)
    weft_table_builder_set_uint64 (builder, WALL, figures->wall);
  weft_table_builder_set_uint64 (builder, SAMPLES, figures->n_samples);
  weft_table_builder_set_uint64 (builder, CPU_WAITS, figures->n_waits);
  if (weft_thread_figures_find_top (figures, &reason))
    weft_table_builder_set_string (builder, TOP_REASON,
                                   weft_stack_state_get_name (WEFT_STACK_WAITS (reason)));
  weft_table_builder_set_string (builder, STATE, weft_thread_state_get_name (figures->state));
  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    if (figures->reasons[i] > 0)
      weft_table_builder_set_uint64 (builder, N_COLUMNS + i, figures->reasons[i]);
}

static void
set_lanes (WeftTableBuilder *builder, const ThreadFacts *facts)
{
  weft_table_builder_set_uint64 (builder, DISPATCHED, facts == NULL ? 0 : facts->n_dispatched);
  weft_table_builder_set_uint64 (builder, WAITS, facts == NULL ? 0 : facts->n_waits);
  weft_table_builder_set_uint64 (builder, WAIT_TIME, facts == NULL ? 0 : facts->wait_time);
  if (facts == NULL || g_hash_table_size (facts->lanes) == 0)
    return;
  weft_table_builder_set_uint64 (builder, LANES, g_hash_table_size (facts->lanes));
  weft_table_builder_set_string (builder, LANE_NAMES, facts->names->str);
}

static void
add_thread (Threads *self, WeftTableBuilder *builder, const WeftCatalogThread *thread)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, THREAD_ID, thread->id);
  weft_table_builder_set_string (builder, NAME, thread->name);
  set_process (builder, weft_catalog_get_process (self->catalog, thread->process));
  weft_table_builder_set_uint64 (builder, TID, thread->tid);
  weft_table_builder_set_int64 (builder, FIRST_SEEN, thread->first_seen);
  set_cpu (builder, weft_thread_table_get (self->cpu, thread->id));
  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ORIGINS) > 0)
    set_lanes (builder, g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread->id)));
}

/* ---- Order ---- */

static guint64
get_key (Threads *self, guint32 thread)
{
  const WeftThreadFigures *figures = weft_thread_table_get (self->cpu, thread);
  const ThreadFacts *facts = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread));
  const char *order = self->scope->order_by;
  WeftWaitReason reason;

  if (strcmp (order, "dispatched") == 0)
    return facts == NULL ? 0 : facts->n_dispatched;
  if (figures == NULL)
    return 0;
  if (strcmp (order, "off_cpu") == 0)
    return figures->has_times ? figures->off_cpu : figures->waited;
  if (strcmp (order, "wall") == 0)
    return figures->wall;
  if (strcmp (order, "samples") == 0)
    return figures->n_samples;
  if (weft_wait_columns_find (order, &reason))
    return figures->reasons[reason];
  return figures->has_times ? figures->on_cpu : figures->sampled;
}

static int
compare_threads (gconstpointer a, gconstpointer b, gpointer data)
{
  const WeftCatalogThread *thread_a = *(const WeftCatalogThread *const *) a;
  const WeftCatalogThread *thread_b = *(const WeftCatalogThread *const *) b;
  guint64 key_a = get_key (data, thread_a->id);
  guint64 key_b = get_key (data, thread_b->id);

  if (key_a != key_b)
    return key_a > key_b ? -1 : 1;
  return thread_a->id < thread_b->id ? -1 : thread_a->id > thread_b->id;
}

/* Threads that a filter chooses, or of whose samples and waits it leaves any. */
static gboolean
is_shown (Threads *self, const WeftCatalogThread *thread)
{
  const WeftCpuRow any = { .thread = thread->id };
  const WeftThreadFigures *figures;

  if (self->filter == NULL)
    return TRUE;
  if (weft_cpu_filter_is_of_threads (self->filter))
    return weft_cpu_filter_allows (self->filter, &any);
  figures = weft_thread_table_get (self->cpu, thread->id);
  return figures != NULL && figures->n_samples + figures->n_waits > 0;
}

static void
add_threads (Threads *self, WeftTableBuilder *builder)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();

  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    {
      const WeftCatalogThread *thread = weft_catalog_get_nth_thread (self->catalog, i);

      if (is_shown (self, thread))
        g_ptr_array_add (threads, (gpointer) thread);
    }
  if (strcmp (self->scope->order_by, "first_seen") != 0)
    g_ptr_array_sort_with_data (threads, compare_threads, self);
  for (guint i = 0; i < threads->len; i++)
    add_thread (self, builder, g_ptr_array_index (threads, i));
}

static void
set_hint (Threads *self, WeftTableBuilder *builder)
{
  g_autofree char *hint = NULL;

  if (weft_table_builder_get_n_rows (builder) == 0)
    weft_scope_set_nothing (self->scope, builder);
  else if (self->facts.n_samples == 0 && self->facts.n_waits == 0)
    {
      hint = weft_cpu_hints_explain_no_samples (&self->facts);
      weft_table_builder_set_hint (builder, hint);
    }
}

/* ---- Lanes beside them ---- */

enum
{
  LANE,
  LANE_NAME,
  LANE_KIND,
  LANE_PROCESS,
  LANE_PROCESS_NAME,
  LANE_RAN,
  LANE_TARGET_TIME,
  LANE_BUSY,
  LANE_TIME_KIND,
  N_LANE_COLUMNS
};

static const WeftTableColumn lane_columns[N_LANE_COLUMNS] = {
  [LANE] = { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  [LANE_NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [LANE_KIND] = { "kind", NULL, WEFT_VALUE_STRING },
  [LANE_PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [LANE_PROCESS_NAME] = { "process_name", NULL, WEFT_VALUE_STRING },
  [LANE_RAN] = { "ran", NULL, WEFT_VALUE_UINT64 },
  [LANE_TARGET_TIME] = { "target_time", NULL, WEFT_VALUE_DURATION },
  [LANE_BUSY] = { "busy", NULL, WEFT_VALUE_DURATION },
  [LANE_TIME_KIND] = { "time_kind", NULL, WEFT_VALUE_STRING },
};

static void
add_lane (Threads *self, WeftTableBuilder *builder, const WeftCatalogLane *lane)
{
  const WeftLaneFigures *figures = weft_lane_table_get (self->figures, lane->id);
  const WeftCatalogProcess *process = weft_catalog_get_lane_process (self->catalog, lane);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, LANE, lane->id);
  weft_table_builder_set_string (builder, LANE_NAME, lane->name);
  weft_table_builder_set_string (builder, LANE_KIND, lane->kind);
  if (process != NULL)
    {
      weft_table_builder_set_uint64 (builder, LANE_PROCESS, process->id);
      weft_table_builder_set_string (builder, LANE_PROCESS_NAME, process->name);
    }
  weft_table_builder_set_uint64 (builder, LANE_RAN, figures == NULL ? 0 : figures->count);
  weft_table_builder_set_uint64 (builder, LANE_TARGET_TIME, figures == NULL ? 0 : figures->total);
  weft_table_builder_set_uint64 (builder, LANE_BUSY, figures == NULL ? 0 : figures->busy);
  weft_table_builder_set_string (builder, LANE_TIME_KIND, "target");
}

static WeftTable *
make_lanes (Threads *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("lanes");

  weft_table_builder_add_columns (builder, lane_columns, N_LANE_COLUMNS);
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    add_lane (self, builder, weft_catalog_get_nth_lane (self->catalog, i));
  return weft_table_builder_finish (builder);
}

static WeftTable *
make_table (Threads *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("threads");

  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  weft_wait_columns_add (builder);
  add_threads (self, builder);
  set_hint (self, builder);
  return weft_table_builder_finish (builder);
}

static gboolean
read_target (Threads *self, GError **error)
{
  static const WeftColumnNumber origins[] = { WEFT_ORIGINS_ROLE, WEFT_ORIGINS_THREAD,
                                              WEFT_ORIGINS_TIME };
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();

  if (!weft_producer_ids_want_table (ids, self->scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                     WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) ||
      !weft_producer_ids_resolve (ids, self->scope, error))
    return FALSE;
  return weft_scan_rows (self->scope->store, WEFT_TABLE_ORIGINS, origins, G_N_ELEMENTS (origins),
                         take_origin, self, self->scope->cancellable, error) &&
         read_waits (self, ids, error) && read_lanes (self, ids, error);
}

static gboolean
read_cpu (Threads *self, GError **error)
{
  if (self->scope->filter != NULL)
    {
      self->callchains = weft_callchain_reader_new (self->scope, error);
      if (self->callchains == NULL ||
          !weft_cpu_filter_new (self->scope, self->callchains, self->catalog, &self->filter, error))
        return FALSE;
    }
  self->cpu = weft_thread_table_new (self->scope, self->callchains, self->filter, error);
  return self->cpu != NULL;
}

static gboolean
run_threads (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Threads) self = { .scope = scope };
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (WeftTable) lanes = NULL;
  gint64 begin, end;

  self.threads = g_hash_table_new_full (NULL, NULL, NULL, facts_free);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL || !weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) || !read_target (&self, error))
    return FALSE;
  self.figures = weft_lane_table_new (scope, NULL, error);
  if (self.figures == NULL || !read_cpu (&self, error))
    return FALSE;
  table = make_table (&self);
  lanes = make_lanes (&self);
  weft_report_append (report, table);
  weft_report_append (report, lanes);
  return TRUE;
}

static const char *const orders[] = {
  "cpu_time", "off_cpu",    "wall",      "samples", "dispatched", "first_seen", "idle",
  "lock",     "semaphore",  "ipc",       "io_read", "io_write",   "readiness",  "sleep",
  "connect",  "page_fault", "preempted", "other",   "unknown",    NULL,
};

const WeftAnalysisKind weft_analyze_threads = {
  .name = "threads",
  .summary = "Where the time of threads went, and lanes beside them",
  .run = run_threads,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER,
  .orders = orders,
};
