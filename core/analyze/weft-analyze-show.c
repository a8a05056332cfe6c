/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a recording holds. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-clock-facts.h"
#include "weft-enum-types.h"
#include "weft-loss-totals.h"
#include "weft-show-system.h"
#include "weft-vocabulary.h"

#include <string.h>

enum
{
  FILE_NAME,
  STATE,
  DAMAGE,
  FILE_SIZE,
  START,
  DURATION,
  HOST,
  SYSTEM,
  KERNEL,
  MACHINE,
  PROCESSORS,
  RECORDER,
  COMMAND_LINE,
  IMPORTED_FROM,
  EXIT_STATUS,
  PROCESSES,
  RUNTIMES,
  LANES,
  ROUTINES,
  DISPATCHES,
  LET_GO,
  KEPT_SINCE,
  NOT_KEPT,
  CLOCK_PAIRS,
  SAMPLER,
  SAMPLES,
  WAITS,
  OWN_CPU,
  OWN_RESIDENT,
  OWN_SAMPLER,
  OWN_SYMBOLIZER,
  OWN_PERTURBATION,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_COLUMN ("file", STRING),
  WEFT_ANSWER_ENUM ("state", weft_recording_state_get_type),
  WEFT_ANSWER_COLUMN ("damage", STRING),
  WEFT_ANSWER_UNIT ("file_size", UINT64, "bytes"),
  WEFT_ANSWER_UNIT ("start", INT64, "ns"),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("host", STRING),
  WEFT_ANSWER_COLUMN ("system", STRING),
  WEFT_ANSWER_COLUMN ("kernel", STRING),
  WEFT_ANSWER_COLUMN ("machine", STRING),
  WEFT_ANSWER_UNIT ("processors", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("recorder", STRING),
  WEFT_ANSWER_COLUMN ("command_line", STRING),
  WEFT_ANSWER_COLUMN ("imported_from", STRING),
  WEFT_ANSWER_COLUMN ("exit_status", INT64),
  WEFT_ANSWER_UNIT ("processes_recorded", UINT64, "count"),
  WEFT_ANSWER_UNIT ("runtimes_connected", UINT64, "count"),
  WEFT_ANSWER_UNIT ("lanes_reported", UINT64, "count"),
  WEFT_ANSWER_UNIT ("routines_reported", UINT64, "count"),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_UNIT ("dispatches_let_go", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("kept_since", TIME),
  WEFT_ANSWER_UNIT ("not_kept", UINT64, "count"),
  WEFT_ANSWER_UNIT ("clock_pairs", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("sampled_by", STRING),
  WEFT_ANSWER_UNIT ("cpu_samples", UINT64, "count"),
  WEFT_ANSWER_UNIT ("waits", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("own_cpu", DURATION),
  WEFT_ANSWER_UNIT ("own_resident", UINT64, "bytes"),
  WEFT_ANSWER_COLUMN ("own_sampler", DURATION),
  WEFT_ANSWER_COLUMN ("own_symbolizer", DURATION),
  WEFT_ANSWER_COLUMN ("own_perturbation", DURATION),
};

typedef struct
{
  guint64 dispatches;
  guint64 total;
  guint64 longest;
  guint64 counts[6]; /* submitted, completed, pending, sampled out, rejected, lost */
} Lane;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftReport *report;
  WeftCatalog *catalog;
  WeftVocabulary *words;
  GHashTable *lanes; /* id → Lane */
  guint64 not_kept;
} Show;

/* ---- The recording ---- */

static void
take_meta (WeftTableBuilder *builder, WeftRowCursor *meta)
{
  static const struct
  {
    const char *key;
    guint column;
  } facts[] = {
    { "host", HOST },
    { "system", SYSTEM },
    { "kernel", KERNEL },
    { "machine", MACHINE },
    { "recorder", RECORDER },
    { "sampler", SAMPLER },
    { "command-line", COMMAND_LINE },
    { "imported-from", IMPORTED_FROM },
    { "processors", PROCESSORS },
    { "exit-status", EXIT_STATUS },
  };
  const char *key = weft_row_cursor_get_string (meta, WEFT_META_KEY);
  gint64 number = weft_row_cursor_get_signed (meta, WEFT_META_NUMBER);

  for (guint i = 0; i < G_N_ELEMENTS (facts); i++)
    {
      if (g_strcmp0 (key, facts[i].key) != 0)
        continue;
      if (columns[facts[i].column].column.type == WEFT_VALUE_STRING)
        weft_answer_copy (builder, facts[i].column, meta, WEFT_META_TEXT);
      else if (!weft_row_cursor_has (meta, WEFT_META_NUMBER))
        continue;
      else if (facts[i].column == EXIT_STATUS)
        weft_table_builder_set_int64 (builder, EXIT_STATUS, number);
      else
        weft_table_builder_set_uint64 (builder, facts[i].column, (guint64) MAX (number, 0));
    }
}

static gboolean
set_cost (Show *self, WeftTableBuilder *builder, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_OWN_COST);
  static const struct
  {
    guint column;
    WeftColumnNumber number;
  } parts[] = {
    { OWN_SAMPLER, WEFT_OWN_COST_SAMPLER },
    { OWN_SYMBOLIZER, WEFT_OWN_COST_SYMBOLIZER },
    { OWN_PERTURBATION, WEFT_OWN_COST_PERTURBATION },
  };
  guint64 costs[G_N_ELEMENTS (parts)] = { 0 };
  guint64 cpu = 0;
  guint64 resident = 0;

  while (weft_row_cursor_next (rows))
    {
      cpu = weft_row_cursor_get (rows, WEFT_OWN_COST_CPU);
      resident = MAX (resident, weft_row_cursor_get (rows, WEFT_OWN_COST_RESIDENT));
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
        costs[i] = weft_row_cursor_get (rows, parts[i].number);
    }
  weft_table_builder_set_uint64 (builder, OWN_CPU, cpu);
  weft_table_builder_set_uint64 (builder, OWN_RESIDENT, resident);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (costs[i] > 0)
      weft_table_builder_set_uint64 (builder, parts[i].column, costs[i]);
  return weft_row_cursor_finish (rows, error);
}

/* What a recorder of the last seconds let go of. */
static gboolean
set_retention (Show *self, WeftTableBuilder *builder, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_RETENTION);
  gboolean any = FALSE;
  gint64 before = 0;
  guint64 n = 0;

  while (weft_row_cursor_next (rows))
    {
      any = TRUE;
      before = MAX (before, weft_row_cursor_get_signed (rows, WEFT_RETENTION_BEFORE));
      if (weft_row_cursor_get (rows, WEFT_RETENTION_OWNER_TABLE) == WEFT_TABLE_DISPATCHES)
        n += weft_row_cursor_get (rows, WEFT_RETENTION_ROWS);
    }
  if (any)
    {
      weft_table_builder_set_uint64 (builder, LET_GO, n);
      weft_table_builder_set_int64 (builder, KEPT_SINCE, before);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
add_main (Show *self, GError **error)
{
  static const struct
  {
    guint column;
    WeftTableId table;
  } counts[] = {
    { PROCESSES, WEFT_TABLE_PROCESSES },   { RUNTIMES, WEFT_TABLE_RUNTIMES },
    { ROUTINES, WEFT_TABLE_ROUTINES },
    { DISPATCHES, WEFT_TABLE_DISPATCHES }, { CLOCK_PAIRS, WEFT_TABLE_CLOCK_PAIRS },
    { SAMPLES, WEFT_TABLE_SAMPLES },       { WAITS, WEFT_TABLE_WAITS },
  };
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("show", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) meta = weft_row_cursor_new (self->scope, WEFT_TABLE_META);
  g_autofree char *path = g_file_get_parse_name (weft_recording_get_file (self->scope->recording));
  WeftStore *store = self->scope->store;
  gint64 begin, end;

  if (!weft_scope_find_span (self->scope, &begin, &end, error))
    return FALSE;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, FILE_NAME, path);
  /* Of the view that all figures are of: the file may have grown since. */
  weft_table_builder_set_uint64 (builder, STATE, (guint64) weft_store_get_state (store));
  weft_table_builder_set_string (builder, DAMAGE, weft_store_get_damage (store));
  weft_table_builder_set_uint64 (builder, FILE_SIZE, weft_store_get_file_size (store));
  weft_table_builder_set_int64 (builder, START, weft_store_get_start_realtime (store));
  weft_table_builder_set_uint64 (builder, DURATION, (guint64) MAX (end, 0));
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    weft_table_builder_set_uint64 (builder, counts[i].column,
                                   weft_store_get_n_rows (store, counts[i].table));
  weft_table_builder_set_uint64 (builder, LANES, weft_catalog_get_n_lanes (self->catalog));
  weft_table_builder_set_uint64 (builder, NOT_KEPT, self->not_kept);
  while (weft_row_cursor_next (meta))
    take_meta (builder, meta);
  if (!weft_row_cursor_finish (meta, error) || !set_cost (self, builder, error) ||
      !set_retention (self, builder, error))
    return FALSE;
  if (weft_catalog_get_n_lanes (self->catalog) == 0 &&
      weft_store_get_n_rows (store, WEFT_TABLE_SAMPLES) == 0)
    weft_table_builder_set_hint (builder,
                                 "No lane was reported: does the program use libweft-target? "
                                 "(docs/producer-guide.md)");
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- Lanes and routines ---- */

static Lane *
get_lane (Show *self, guint64 id)
{
  Lane *lane = g_hash_table_lookup (self->lanes, GSIZE_TO_POINTER (id));

  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      g_hash_table_insert (self->lanes, GSIZE_TO_POINTER (id), lane);
    }
  return lane;
}

static GArray *
summarize (Show *self, WeftGroupBy by, GError **error)
{
  GError *failure = NULL;
  GArray *groups = weft_store_summarize (self->scope->store, by, &failure);

  if (groups == NULL)
    weft_propagate_store_error (error, failure);
  return groups;
}

static gboolean
read_lanes (Show *self, GError **error)
{
  static const WeftColumnNumber numbers[] = {
    WEFT_LANE_COUNTS_SUBMITTED,   WEFT_LANE_COUNTS_COMPLETED, WEFT_LANE_COUNTS_PENDING,
    WEFT_LANE_COUNTS_SAMPLED_OUT, WEFT_LANE_COUNTS_REJECTED,  WEFT_LANE_COUNTS_LOST,
  };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_LANE_COUNTS);
  g_autoptr (GArray) groups = summarize (self, WEFT_GROUP_BY_LANE, error);
  GHashTableIter iter;
  gpointer value;

  if (groups == NULL)
    return FALSE;
  for (guint i = 0; i < groups->len; i++)
    {
      const WeftGroupSummary *summary = &g_array_index (groups, WeftGroupSummary, i);
      Lane *lane = get_lane (self, summary->lane);

      lane->dispatches = summary->count;
      lane->total = summary->sum;
      lane->longest = summary->max;
    }
  /* The last row of a lane holds. */
  while (weft_row_cursor_next (rows))
    {
      Lane *lane = get_lane (self, weft_row_cursor_get (rows, WEFT_LANE_COUNTS_LANE));

      for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
        lane->counts[i] = weft_row_cursor_get (rows, numbers[i]);
    }
  g_hash_table_iter_init (&iter, self->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (guint i = 2; i < G_N_ELEMENTS (numbers); i++)
      self->not_kept += ((Lane *) value)->counts[i];
  return weft_row_cursor_finish (rows, error);
}

static void
add_lanes (Show *self)
{
  static const WeftAnswerColumn lane_columns[] = {
    WEFT_ANSWER_ID ("lane", "l"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("kind", STRING),
    WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("total", DURATION),
    WEFT_ANSWER_COLUMN ("longest", DURATION),
    WEFT_ANSWER_UNIT ("submitted", UINT64, "count"),
    WEFT_ANSWER_UNIT ("completed", UINT64, "count"),
    WEFT_ANSWER_UNIT ("pending", UINT64, "count"),
    WEFT_ANSWER_UNIT ("sampled_out", UINT64, "count"),
    WEFT_ANSWER_UNIT ("rejected", UINT64, "count"),
    WEFT_ANSWER_UNIT ("lost", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("kind_label", STRING),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("lanes", lane_columns, G_N_ELEMENTS (lane_columns));

  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    {
      const WeftCatalogLane *found = weft_catalog_get_nth_lane (self->catalog, i);
      const Lane *lane = get_lane (self, found->id);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, found->id);
      weft_table_builder_set_string (builder, 1, found->name);
      weft_table_builder_set_string (builder, 2, found->kind);
      weft_table_builder_set_uint64 (builder, 3, lane->dispatches);
      weft_table_builder_set_uint64 (builder, 4, lane->total);
      weft_table_builder_set_uint64 (builder, 5, lane->longest);
      for (guint j = 0; j < G_N_ELEMENTS (lane->counts); j++)
        weft_table_builder_set_uint64 (builder, 6 + j, lane->counts[j]);
      if (found->kind != NULL)
        weft_table_builder_set_string (builder, 12,
                                       weft_vocabulary_get_label (self->words, found->kind));
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
}

static int
compare_totals (gconstpointer a, gconstpointer b)
{
  const WeftGroupSummary *left = a;
  const WeftGroupSummary *right = b;

  if (left->sum != right->sum)
    return left->sum < right->sum ? 1 : -1;
  return left->routine < right->routine ? -1 : left->routine > right->routine;
}

static gboolean
add_routines (Show *self, GError **error)
{
  static const WeftAnswerColumn routine_columns[] = {
    WEFT_ANSWER_ID ("routine", "r"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_UNIT ("count", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("total", DURATION),
    WEFT_ANSWER_COLUMN ("mean", DURATION),
    WEFT_ANSWER_COLUMN ("shortest", DURATION),
    WEFT_ANSWER_COLUMN ("longest", DURATION),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("routines", routine_columns, G_N_ELEMENTS (routine_columns));
  g_autoptr (GArray) groups = summarize (self, WEFT_GROUP_BY_ROUTINE, error);

  if (groups == NULL)
    return FALSE;
  g_array_sort (groups, compare_totals);
  for (guint i = 0; i < groups->len; i++)
    {
      const WeftGroupSummary *summary = &g_array_index (groups, WeftGroupSummary, i);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, summary->routine);
      weft_table_builder_set_string (
          builder, 1, weft_catalog_get_routine_name (self->catalog, summary->routine));
      weft_table_builder_set_uint64 (builder, 2, summary->count);
      weft_table_builder_set_uint64 (builder, 3, summary->sum);
      weft_table_builder_set_uint64 (builder, 4, summary->sum / MAX (summary->count, 1));
      weft_table_builder_set_uint64 (builder, 5, summary->min);
      weft_table_builder_set_uint64 (builder, 6, summary->max);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- The rest ---- */

static void
add_tables (Show *self)
{
  static const WeftAnswerColumn table_columns[] = {
    WEFT_ANSWER_COLUMN ("table", STRING),
    WEFT_ANSWER_UNIT ("rows", UINT64, "count"),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("tables", table_columns, G_N_ELEMENTS (table_columns));

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, weft_schema_table (i)->name);
      weft_table_builder_set_uint64 (builder, 1, weft_store_get_n_rows (self->scope->store, i));
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
}

static gboolean
add_losses (Show *self, GError **error)
{
  static const WeftAnswerColumn loss_columns[] = {
    WEFT_ANSWER_ID ("lane", "l"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_ID ("runtime", "rt"),
    WEFT_ANSWER_ENUM ("category", weft_loss_category_get_type),
    WEFT_ANSWER_COLUMN ("reason", STRING),
    WEFT_ANSWER_UNIT ("count", UINT64, "count"),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("losses", loss_columns, G_N_ELEMENTS (loss_columns));
  g_autoptr (GArray) totals = weft_loss_totals_read (self->scope, error);

  if (totals == NULL)
    return FALSE;
  for (guint i = 0; i < totals->len; i++)
    {
      const WeftLossTotal *total = &g_array_index (totals, WeftLossTotal, i);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, total->lane);
      weft_table_builder_set_string (
          builder, 1, weft_catalog_get_lane_name (self->catalog, (guint32) total->lane));
      weft_table_builder_set_uint64 (builder, 2, total->runtime);
      weft_table_builder_set_uint64 (builder, 3, total->category);
      weft_table_builder_set_string (builder, 4, total->reason);
      weft_table_builder_set_uint64 (builder, 5, total->count);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

static gboolean
add_clocks (Show *self, GError **error)
{
  static const WeftAnswerColumn clock_columns[] = {
    WEFT_ANSWER_ID ("clock", "k"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_ENUM ("kind", weft_clock_kind_get_type),
    WEFT_ANSWER_ID ("runtime", "rt"),
    WEFT_ANSWER_UNIT ("frequency", DOUBLE, "1/s"),
    WEFT_ANSWER_UNIT ("pairs", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("error_bound", DURATION),
    WEFT_ANSWER_UNIT ("drift", DOUBLE, "ppm"),
    WEFT_ANSWER_UNIT ("extrapolated", UINT64, "count"),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("clocks", clock_columns, G_N_ELEMENTS (clock_columns));
  g_autoptr (GArray) clocks = weft_clock_facts_read (self->scope, error);

  if (clocks == NULL)
    return FALSE;
  for (guint i = 0; i < clocks->len; i++)
    {
      const WeftClockFacts *clock = &g_array_index (clocks, WeftClockFacts, i);
      double drift;

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, clock->id);
      weft_table_builder_set_string (builder, 1, clock->name);
      weft_table_builder_set_uint64 (builder, 2, clock->kind);
      weft_table_builder_set_uint64 (builder, 3, clock->runtime);
      if (clock->frequency > 0)
        weft_table_builder_set_double (builder, 4, clock->frequency);
      weft_table_builder_set_uint64 (builder, 5, clock->pairs);
      if (clock->pairs > 0)
        weft_table_builder_set_uint64 (builder, 6, clock->error_bound);
      if (weft_clock_facts_get_drift (clock, &drift))
        weft_table_builder_set_double (builder, 7, drift);
      weft_table_builder_set_uint64 (builder, 8, clock->extrapolated);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

/* Tables that are shown as they are stored. */
typedef struct
{
  const char *name;
  WeftTableId table;
  guint n_columns;
  const WeftAnswerColumn *columns;
  const WeftColumnNumber *numbers; /* 0: the number of the row */
} Plain;

static gboolean
add_plain (Show *self, const Plain *plain, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table (plain->name, plain->columns, plain->n_columns);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, plain->table);

  while (weft_row_cursor_next (rows))
    {
      weft_table_builder_begin_row (builder);
      for (guint i = 0; i < plain->n_columns; i++)
        if (plain->numbers[i] == 0)
          weft_table_builder_set_uint64 (builder, i, weft_row_cursor_get_number (rows));
        else
          weft_answer_copy (builder, i, rows, plain->numbers[i]);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

static gboolean
add_plain_tables (Show *self, GError **error)
{
  static const WeftAnswerColumn process_columns[] = {
    WEFT_ANSWER_ID ("process", "p"),
    WEFT_ANSWER_COLUMN ("pid", UINT64),
    WEFT_ANSWER_COLUMN ("parent_pid", UINT64),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("command_line", STRING),
  };
  static const WeftColumnNumber processes[] = { 0, WEFT_PROCESSES_PID, WEFT_PROCESSES_PARENT_PID,
                                                WEFT_PROCESSES_NAME, WEFT_PROCESSES_COMMAND_LINE };
  static const WeftAnswerColumn runtime_columns[] = {
    WEFT_ANSWER_ID ("runtime", "rt"),          WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_ID ("process", "p"),           WEFT_ANSWER_COLUMN ("wire_major", UINT64),
    WEFT_ANSWER_COLUMN ("wire_minor", UINT64), WEFT_ANSWER_COLUMN ("attached", TIME),
  };
  static const WeftColumnNumber runtimes[] = {
    0,
    WEFT_RUNTIMES_NAME,
    WEFT_RUNTIMES_PROCESS,
    WEFT_RUNTIMES_WIRE_MAJOR,
    WEFT_RUNTIMES_WIRE_MINOR,
    WEFT_RUNTIMES_ATTACHED,
  };
  static const WeftAnswerColumn count_columns[] = {
    WEFT_ANSWER_ID ("runtime", "rt"),
    WEFT_ANSWER_COLUMN ("time", TIME),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_UNIT ("count", UINT64, "count"),
  };
  static const WeftColumnNumber counts[] = { WEFT_RUNTIME_STATS_RUNTIME, WEFT_RUNTIME_STATS_TIME,
                                             WEFT_RUNTIME_STATS_NAME, WEFT_RUNTIME_STATS_COUNT };
  static const WeftAnswerColumn cost_columns[] = {
    WEFT_ANSWER_COLUMN ("time", TIME),
    WEFT_ANSWER_COLUMN ("cpu", DURATION),
    WEFT_ANSWER_UNIT ("resident", UINT64, "bytes"),
    WEFT_ANSWER_UNIT ("written", UINT64, "bytes"),
  };
  static const WeftColumnNumber cost[] = { WEFT_OWN_COST_TIME, WEFT_OWN_COST_CPU,
                                           WEFT_OWN_COST_RESIDENT, WEFT_OWN_COST_WRITTEN };
  const WeftAnswerColumn diagnostic_columns[] = {
    WEFT_ANSWER_COLUMN ("time", TIME),
    WEFT_ANSWER_ENUM ("severity", weft_severity_get_type),
    WEFT_ANSWER_COLUMN ("code", STRING),
    WEFT_ANSWER_COLUMN ("message", STRING),
  };
  static const WeftColumnNumber diagnostics[] = { WEFT_DIAGNOSTICS_TIME, WEFT_DIAGNOSTICS_SEVERITY,
                                                  WEFT_DIAGNOSTICS_CODE, WEFT_DIAGNOSTICS_MESSAGE };
  static const WeftAnswerColumn plugin_columns[] = {
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("version", STRING),
    WEFT_ANSWER_COLUMN ("path", STRING),
  };
  static const WeftColumnNumber plugins[] = { WEFT_PLUGINS_NAME, WEFT_PLUGINS_VERSION,
                                              WEFT_PLUGINS_PATH };
  const Plain tables[] = {
    { "processes", WEFT_TABLE_PROCESSES, G_N_ELEMENTS (processes), process_columns, processes },
    { "runtimes", WEFT_TABLE_RUNTIMES, G_N_ELEMENTS (runtimes), runtime_columns, runtimes },
    { "program_counts", WEFT_TABLE_RUNTIME_STATS, G_N_ELEMENTS (counts), count_columns, counts },
    { "own_cost", WEFT_TABLE_OWN_COST, G_N_ELEMENTS (cost), cost_columns, cost },
    { "diagnostics", WEFT_TABLE_DIAGNOSTICS, G_N_ELEMENTS (diagnostics), diagnostic_columns,
      diagnostics },
    { "plugins", WEFT_TABLE_PLUGINS, G_N_ELEMENTS (plugins), plugin_columns, plugins },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!add_plain (self, &tables[i], error))
      return FALSE;
  return TRUE;
}

/* ---- Words ---- */

typedef struct
{
  guint64 n_rows;
  guint n_kinds;
  GString *kinds;
  const char *last_kind;
} Domain;

#define MAX_DOMAINS 1000 /* no sound recording comes near */
#define MAX_KINDS 32     /* that are named */

static void
domain_free (gpointer data)
{
  Domain *domain = data;

  g_string_free (domain->kinds, TRUE);
  g_free (domain);
}

static Domain *
get_domain (GHashTable *domains, const char *name)
{
  Domain *domain = g_hash_table_lookup (domains, name);

  if (domain != NULL || g_hash_table_size (domains) >= MAX_DOMAINS)
    return domain;
  domain = g_new0 (Domain, 1);
  domain->kinds = g_string_new (NULL);
  g_hash_table_insert (domains, (gpointer) name, domain);
  return domain;
}

/* The rows of a kind follow one another. */
static void
add_kind (Domain *domain, const char *kind)
{
  if (domain->last_kind != NULL && strcmp (domain->last_kind, kind) == 0)
    return;
  domain->last_kind = kind;
  if (domain->n_kinds++ < MAX_KINDS)
    g_string_append_printf (domain->kinds, "%s%s", domain->kinds->len > 0 ? ", " : "", kind);
}

static GHashTable *
count_words (WeftVocabulary *words)
{
  GHashTable *domains = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, domain_free);

  for (guint i = 0; i < weft_vocabulary_get_n_rows (words); i++)
    {
      const char *name, *scope, *subject, *key, *text;
      Domain *domain;

      weft_vocabulary_get_row (words, i, &name, &scope, &subject, &key, &text);
      domain = get_domain (domains, name);
      if (domain == NULL)
        continue;
      domain->n_rows++;
      if (strcmp (scope, "kind") == 0)
        add_kind (domain, subject);
    }
  return domains;
}

/* What domains were in force, and how much they say. */
static void
add_words (Show *self)
{
  static const WeftAnswerColumn word_columns[] = {
    WEFT_ANSWER_COLUMN ("domain", STRING),
    WEFT_ANSWER_COLUMN ("label", STRING),
    WEFT_ANSWER_COLUMN ("kinds", STRING),
    WEFT_ANSWER_UNIT ("words", UINT64, "count"),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("words", word_columns, G_N_ELEMENTS (word_columns));
  g_autoptr (GHashTable) domains = count_words (self->words);
  g_auto (GStrv) names = weft_vocabulary_get_domains (self->words);

  for (guint i = 0; names[i] != NULL; i++)
    {
      const Domain *domain = g_hash_table_lookup (domains, names[i]);

      if (domain == NULL)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, names[i]);
      weft_table_builder_set_string (builder, 1,
                                     weft_vocabulary_get_domain_label (self->words, names[i]));
      weft_table_builder_set_string (builder, 2, domain->kinds->str);
      weft_table_builder_set_uint64 (builder, 3, domain->n_rows);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (GHashTable) lanes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (WeftCatalog) catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (scope->recording);
  Show self = { scope, report, catalog, words, lanes, 0 };

  if (catalog == NULL || !read_lanes (&self, error) || !add_main (&self, error))
    return FALSE;
  add_lanes (&self);
  if (!add_routines (&self, error))
    return FALSE;
  add_tables (&self);
  if (!add_losses (&self, error) || !add_clocks (&self, error) || !add_plain_tables (&self, error))
    return FALSE;
  add_words (&self);
  return weft_show_add_system (scope, catalog, report, error);
}

G_STATIC_ASSERT ((int) WEFT_STORE_COMPLETE == (int) WEFT_RECORDING_COMPLETE);
G_STATIC_ASSERT ((int) WEFT_STORE_GROWING == (int) WEFT_RECORDING_UNFINISHED);
G_STATIC_ASSERT ((int) WEFT_STORE_PARTIAL == (int) WEFT_RECORDING_DAMAGED);

const WeftAnalysisKind weft_analyze_show = {
  .name = "show",
  .summary = "What the recording holds",
  .run = run,
  .single = TRUE,
};
