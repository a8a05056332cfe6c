/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Single dispatches, in an order. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-dispatch-rows.h"
#include "weft-ranking.h"

#include <string.h>

static const char *const orders[] = { "start", "duration", "end", "queue_wait", "self", NULL };

typedef enum
{
  BY_START,
  BY_DURATION,
  BY_END,
  BY_QUEUE_WAIT,
  BY_SELF,
} Order;

static Order
find_order (const char *word)
{
  for (guint i = 0; orders[i] != NULL; i++)
    if (strcmp (orders[i], word) == 0)
      return (Order) i;
  g_assert_not_reached ();
}

static gint64
get_key (WeftRowCursor *row, Order order)
{
  gint64 start = weft_row_cursor_get_signed (row, WEFT_DISPATCHES_START);
  guint64 duration = weft_row_cursor_get (row, WEFT_DISPATCHES_DURATION);

  switch (order)
    {
    case BY_DURATION:
      return weft_rank_key (duration);
    case BY_END:
      return weft_time_after (start, duration);
    case BY_QUEUE_WAIT:
      return weft_row_cursor_has (row, WEFT_DISPATCHES_QUEUE_WAIT)
                 ? weft_rank_key (weft_row_cursor_get (row, WEFT_DISPATCHES_QUEUE_WAIT))
                 : WEFT_RANK_LAST;
    case BY_SELF:
      return weft_rank_key (weft_dispatch_row_get_self (row));
    default:
      return start;
    }
}

static gboolean
rank_dispatches (const WeftAnalysisScope *scope, const WeftSelection *selection,
                 WeftRanking *ranking, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);
  Order order = find_order (scope->order_by);

  while (weft_row_cursor_next (rows))
    {
      gint64 start = weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_START);

      if (weft_selection_allows (selection, weft_row_cursor_get_number (rows)) &&
          weft_scope_overlaps (
              scope, start,
              weft_time_after (start, weft_row_cursor_get (rows, WEFT_DISPATCHES_DURATION))))
        weft_ranking_add (ranking, get_key (rows, order), weft_row_cursor_get_number (rows), NULL);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  gboolean ascending =
      strcmp (scope->order_by, "start") == 0 || strcmp (scope->order_by, "end") == 0;
  g_autoptr (WeftTableBuilder) builder = weft_dispatch_rows_begin ("target-dispatches");
  g_autoptr (WeftRanking) ranking = NULL;
  g_autoptr (WeftSelection) selection = NULL;
  g_auto (WeftDispatchRows) rows = { 0 };
  g_autofree char *hint = NULL;
  gint64 begin, end;
  guint n_rows;

  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_scope_select_dispatches (scope, &selection, error) ||
      !(ranking = weft_ranking_new (scope, "target-dispatches", ascending, error)) ||
      !rank_dispatches (scope, selection, ranking, error) ||
      !weft_dispatch_rows_init (&rows, scope, error))
    return FALSE;
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    weft_dispatch_rows_add (&rows, builder, weft_ranking_get (ranking, i)->id);
  if (!weft_dispatch_rows_finish (&rows, error))
    return FALSE;
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    {
      hint = weft_scope_explain_nothing (scope);
      weft_table_builder_set_hint (builder, hint);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

const WeftAnalysisKind weft_analyze_dispatches = {
  .name = "target-dispatches",
  .summary = "Single dispatches, with what became of each",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR,
  .orders = orders,
  .default_limit = 100,
};
