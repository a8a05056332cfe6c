/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What producers found worth telling. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-dispatch-names.h"
#include "weft-enum-types.h"
#include "weft-producer-ids.h"
#include "weft-ranking.h"
#include "weft-row-table.h"

#include <string.h>

static const char *const orders[] = { "time", "severity", NULL };

enum
{
  HANDLE,
  TIME,
  SEVERITY,
  CODE,
  MESSAGE,
  VALUE,
  THRESHOLD,
  LANE,
  LANE_NAME,
  DISPATCH,
  NAME,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("warning", "w"),
  WEFT_ANSWER_COLUMN ("time", TIME),
  WEFT_ANSWER_ENUM ("severity", weft_severity_get_type),
  WEFT_ANSWER_COLUMN ("code", STRING),
  WEFT_ANSWER_COLUMN ("message", STRING),
  WEFT_ANSWER_COLUMN ("value", DOUBLE),
  WEFT_ANSWER_COLUMN ("threshold", DOUBLE),
  WEFT_ANSWER_ID ("lane", "l"),
  WEFT_ANSWER_COLUMN ("lane_name", STRING),
  WEFT_ANSWER_ID ("dispatch", "d"),
  WEFT_ANSWER_COLUMN ("name", STRING),
};

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftProducerIds *ids;
  WeftRowTable *lanes;
} Warnings;

static guint64
get_runtime (Warnings *self, WeftRowCursor *row)
{
  return weft_row_table_get (self->lanes, WEFT_LANES_RUNTIME,
                             weft_row_cursor_get (row, WEFT_WARNINGS_LANE));
}

/* Those that came before their dispatch. */
static gboolean
find_dispatches (Warnings *self, GError **error)
{
  static const WeftColumnNumber lanes[] = { WEFT_LANES_RUNTIME };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_WARNINGS);

  self->lanes = weft_row_table_new (self->scope, WEFT_TABLE_LANES, lanes, 1, error);
  if (self->lanes == NULL)
    return FALSE;
  weft_row_cursor_where (rows, WEFT_WARNINGS_DISPATCH, 0);
  while (weft_row_cursor_next (rows))
    weft_producer_ids_want (self->ids, get_runtime (self, rows),
                            weft_row_cursor_get (rows, WEFT_WARNINGS_PRODUCER_DISPATCH));
  return weft_row_cursor_finish (rows, error) &&
         weft_producer_ids_resolve (self->ids, self->scope, error);
}

static void
add_row (Warnings *self, WeftTableBuilder *builder, WeftDispatchNames *names, WeftRowCursor *row)
{
  static const WeftColumnNumber copied[] = {
    [TIME] = WEFT_WARNINGS_TIME,   [SEVERITY] = WEFT_WARNINGS_SEVERITY,
    [CODE] = WEFT_WARNINGS_CODE,   [MESSAGE] = WEFT_WARNINGS_MESSAGE,
    [VALUE] = WEFT_WARNINGS_VALUE, [THRESHOLD] = WEFT_WARNINGS_THRESHOLD,
    [LANE] = WEFT_WARNINGS_LANE,
  };
  guint64 dispatch = weft_producer_ids_get (
      self->ids, weft_row_cursor_get (row, WEFT_WARNINGS_DISPATCH), get_runtime (self, row),
      weft_row_cursor_get (row, WEFT_WARNINGS_PRODUCER_DISPATCH));

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, weft_row_cursor_get_number (row));
  for (guint i = TIME; i < G_N_ELEMENTS (copied); i++)
    weft_answer_copy (builder, i, row, copied[i]);
  weft_table_builder_set_string (
      builder, LANE_NAME,
      weft_catalog_get_lane_name (names->catalog,
                                  (guint32) weft_row_cursor_get (row, WEFT_WARNINGS_LANE)));
  weft_table_builder_set_uint64 (builder, DISPATCH, dispatch);
  if (weft_dispatch_names_seek (names, dispatch))
    weft_table_builder_set_string (builder, NAME, weft_dispatch_names_get_name (names));
}

static gboolean
rank_warnings (Warnings *self, WeftRanking *ranking, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_WARNINGS);
  gboolean by_severity = strcmp (self->scope->order_by, "severity") == 0;

  while (weft_row_cursor_next (rows))
    {
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_WARNINGS_TIME);
      guint64 severity = weft_row_cursor_get (rows, WEFT_WARNINGS_SEVERITY);

      if (weft_scope_overlaps (self->scope, time, time))
        weft_ranking_add (ranking, by_severity ? weft_rank_key (severity) : time,
                          weft_row_cursor_get_number (rows), NULL);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
answer (Warnings *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("warnings", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_WARNINGS);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (
      self->scope, "warnings", strcmp (self->scope->order_by, "time") == 0, error);
  g_auto (WeftDispatchNames) names = { 0 };
  guint n_rows;

  if (ranking == NULL || !rank_warnings (self, ranking, error) ||
      !weft_dispatch_names_init (&names, self->scope, error))
    return FALSE;
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    if (weft_row_cursor_seek (rows, weft_ranking_get (ranking, i)->id))
      add_row (self, builder, &names, rows);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder, weft_scope_has_range (self->scope)
                     ? "No program warned of anything in this range of time"
                     : "No program warned of anything; programs tell what is slow, over its "
                       "budget or starving with weft_target_warn ()");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (names.dispatches, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  Warnings self = { .scope = scope, .ids = ids };
  gint64 begin, end;
  gboolean good = weft_scope_find_range (scope, &begin, &end, error) &&
                  find_dispatches (&self, error) && answer (&self, report, error);

  g_clear_pointer (&self.lanes, weft_row_table_free);
  return good;
}

const WeftAnalysisKind weft_analyze_warnings = {
  .name = "warnings",
  .summary = "What programs warned of",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT |
             WEFT_ANALYSIS_OPTION_CURSOR,
  .orders = orders,
  .default_limit = 100,
};
