/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads and lanes side by side: neither is part of the other. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-lane-figures.h"
#include "weft-row-scan.h"
#include "weft-waits.h"

typedef struct
{
  guint64 n_dispatched;
  guint64 n_waits;
  guint64 wait_time;
  gint64 waited_until;
} ThreadFacts;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftLaneTable *figures;
  GHashTable *threads; /* id → ThreadFacts */
} Threads;

static void
threads_clear (Threads *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->figures, weft_lane_table_free);
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
read_waits (Threads *self, GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  g_autoptr (GArray) waits = NULL;

  if (!weft_producer_ids_want_table (ids, self->scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                     WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) ||
      !weft_producer_ids_resolve (ids, self->scope, error))
    return FALSE;
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

/* ---- Rows ---- */

enum
{
  WHAT,
  THREAD_ID,
  LANE_ID,
  NAME,
  KIND,
  PROCESS,
  PID,
  PROCESS_NAME,
  TID,
  FIRST_SEEN,
  DISPATCHED,
  WAITS,
  WAIT_TIME,
  RAN,
  TARGET_TIME,
  BUSY,
  CPU_TIME,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [WHAT] = { "what", NULL, WEFT_VALUE_STRING },
  [THREAD_ID] = { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },
  [LANE_ID] = { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  [NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [KIND] = { "kind", NULL, WEFT_VALUE_STRING },
  [PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [PID] = { "pid", NULL, WEFT_VALUE_UINT64 },
  [PROCESS_NAME] = { "process_name", NULL, WEFT_VALUE_STRING },
  [TID] = { "tid", NULL, WEFT_VALUE_UINT64 },
  [FIRST_SEEN] = { "first_seen", NULL, WEFT_VALUE_TIME },
  [DISPATCHED] = { "dispatched", NULL, WEFT_VALUE_UINT64 },
  [WAITS] = { "waits", NULL, WEFT_VALUE_UINT64 },
  [WAIT_TIME] = { "wait_time", NULL, WEFT_VALUE_DURATION },
  [RAN] = { "ran", NULL, WEFT_VALUE_UINT64 },
  [TARGET_TIME] = { "target_time", NULL, WEFT_VALUE_DURATION },
  [BUSY] = { "busy", NULL, WEFT_VALUE_DURATION },
  [CPU_TIME] = { "cpu_time", NULL, WEFT_VALUE_DURATION },
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

static void
add_thread (Threads *self, WeftTableBuilder *builder, const WeftCatalogThread *thread)
{
  const ThreadFacts *facts = g_hash_table_lookup (self->threads, GUINT_TO_POINTER (thread->id));

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, WHAT, "thread");
  weft_table_builder_set_uint64 (builder, THREAD_ID, thread->id);
  weft_table_builder_set_string (builder, NAME, thread->name);
  set_process (builder, weft_catalog_get_process (self->catalog, thread->process));
  weft_table_builder_set_uint64 (builder, TID, thread->tid);
  weft_table_builder_set_int64 (builder, FIRST_SEEN, thread->first_seen);
  weft_table_builder_set_uint64 (builder, DISPATCHED, facts == NULL ? 0 : facts->n_dispatched);
  weft_table_builder_set_uint64 (builder, WAITS, facts == NULL ? 0 : facts->n_waits);
  weft_table_builder_set_uint64 (builder, WAIT_TIME, facts == NULL ? 0 : facts->wait_time);
}

static void
add_lane (Threads *self, WeftTableBuilder *builder, const WeftCatalogLane *lane)
{
  const WeftLaneFigures *figures = weft_lane_table_get (self->figures, lane->id);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, WHAT, "lane");
  weft_table_builder_set_uint64 (builder, LANE_ID, lane->id);
  weft_table_builder_set_string (builder, NAME, lane->name);
  weft_table_builder_set_string (builder, KIND, lane->kind);
  set_process (builder, weft_catalog_get_lane_process (self->catalog, lane));
  if (figures != NULL)
    weft_table_builder_set_int64 (builder, FIRST_SEEN, figures->first);
  weft_table_builder_set_uint64 (builder, RAN, figures == NULL ? 0 : figures->count);
  weft_table_builder_set_uint64 (builder, TARGET_TIME, figures == NULL ? 0 : figures->total);
  weft_table_builder_set_uint64 (builder, BUSY, figures == NULL ? 0 : figures->busy);
}

static WeftTable *
make_table (Threads *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("threads");

  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    add_thread (self, builder, weft_catalog_get_nth_thread (self->catalog, i));
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    add_lane (self, builder, weft_catalog_get_nth_lane (self->catalog, i));
  if (weft_table_builder_get_n_rows (builder) > 0)
    weft_table_builder_set_hint (builder, WEFT_HINT_NO_CPU);
  else
    weft_scope_set_nothing (self->scope, builder);
  return weft_table_builder_finish (builder);
}

static gboolean
run_threads (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static const WeftColumnNumber origins[] = { WEFT_ORIGINS_ROLE, WEFT_ORIGINS_THREAD,
                                              WEFT_ORIGINS_TIME };
  g_auto (Threads) self = { .scope = scope };
  g_autoptr (WeftTable) table = NULL;
  gint64 begin, end;

  self.threads = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL || !weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_ORIGINS, origins, G_N_ELEMENTS (origins),
                       take_origin, &self, scope->cancellable, error) ||
      !read_waits (&self, error))
    return FALSE;
  self.figures = weft_lane_table_new (scope, NULL, error);
  if (self.figures == NULL)
    return FALSE;
  table = make_table (&self);
  weft_report_append (report, table);
  return TRUE;
}

const WeftAnalysisKind weft_analyze_threads = {
  .name = "threads",
  .summary = "Threads and lanes side by side",
  .run = run_threads,
  .options = WEFT_ANALYSIS_OPTION_RANGE,
};
