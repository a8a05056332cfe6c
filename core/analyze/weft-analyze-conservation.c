/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lane by lane, whether everything that was handed over is accounted for, with all terms. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-conservation.h"
#include "weft-enum-types.h"

enum
{
  LANE,
  NAME,
  KIND,
  SUBMITTED,
  COMPLETED,
  PENDING,
  SAMPLED_OUT,
  REJECTED,
  LOST,
  MISSING,
  ROWS,
  LET_GO,
  HOLDS,
  REASONS,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("lane", "l"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("kind", STRING),
  WEFT_ANSWER_COLUMN ("submitted", UINT64),
  WEFT_ANSWER_COLUMN ("completed", UINT64),
  WEFT_ANSWER_COLUMN ("pending", UINT64),
  WEFT_ANSWER_COLUMN ("sampled_out", UINT64),
  WEFT_ANSWER_COLUMN ("rejected", UINT64),
  WEFT_ANSWER_COLUMN ("lost", UINT64),
  WEFT_ANSWER_COLUMN ("missing", INT64),
  WEFT_ANSWER_COLUMN ("in_file", UINT64),
  WEFT_ANSWER_COLUMN ("let_go", UINT64),
  WEFT_ANSWER_COLUMN ("holds", BOOLEAN),
  WEFT_ANSWER_COLUMN ("reasons", STRING),
};

/* "times-reversed 3, no-room 5": of what was rejected or lost on a lane. */
static char *
list_reasons (GArray *losses, guint64 lane)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < losses->len; i++)
    {
      const WeftLossTotal *loss = &g_array_index (losses, WeftLossTotal, i);

      if (loss->lane != lane || loss->count == 0 ||
          (loss->category != WEFT_LOSS_CATEGORY_REJECTED &&
           loss->category != WEFT_LOSS_CATEGORY_LOST))
        continue;
      g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT, text->len > 0 ? ", " : "",
                              loss->reason, loss->count);
    }
  return text->len > 0 ? g_strdup (text->str) : NULL;
}

static void
add_row (WeftTableBuilder *builder, const WeftCatalogLane *lane, const WeftLaneBooks *books,
         gboolean grows, GArray *losses)
{
  g_autofree char *reasons = list_reasons (losses, books->lane);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, LANE, books->lane);
  weft_table_builder_set_string (builder, NAME, lane->name);
  weft_table_builder_set_string (builder, KIND, lane->kind);
  weft_table_builder_set_uint64 (builder, SUBMITTED, books->submitted);
  weft_table_builder_set_uint64 (builder, COMPLETED, books->completed);
  weft_table_builder_set_uint64 (builder, PENDING, books->pending);
  weft_table_builder_set_uint64 (builder, SAMPLED_OUT, books->sampled_out);
  weft_table_builder_set_uint64 (builder, REJECTED, books->rejected);
  weft_table_builder_set_uint64 (builder, LOST, books->lost);
  weft_table_builder_set_int64 (builder, MISSING, weft_lane_books_get_missing (books));
  weft_table_builder_set_uint64 (builder, ROWS, books->rows);
  weft_table_builder_set_uint64 (builder, LET_GO, books->let_go);
  weft_table_builder_set_uint64 (builder, HOLDS, weft_lane_books_hold (books, grows));
  weft_table_builder_set_string (builder, REASONS, reasons);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-conservation", columns, N_COLUMNS);
  g_autoptr (WeftCatalog) catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  g_autoptr (WeftTable) work = catalog ? weft_conservation_count_work (scope, error) : NULL;
  g_autoptr (GArray) books = work ? weft_conservation_read (scope, catalog, work, error) : NULL;
  g_autoptr (GArray) losses = books ? weft_loss_totals_read (scope, error) : NULL;
  g_autoptr (GHashTable) chosen = NULL;
  gboolean grows = weft_store_get_state (scope->store) != WEFT_STORE_COMPLETE;
  gboolean any = FALSE;

  if (losses == NULL || !weft_scope_select_lanes (scope, &chosen, error))
    return FALSE;
  for (guint i = 0; i < books->len; i++)
    {
      const WeftLaneBooks *lane = &g_array_index (books, WeftLaneBooks, i);

      if (chosen != NULL && !g_hash_table_contains (chosen, GUINT_TO_POINTER ((guint) lane->lane)))
        continue;
      any |= weft_lane_books_are_open (lane);
      add_row (builder, weft_catalog_get_lane (catalog, (guint32) lane->lane), lane, grows, losses);
    }
  if (weft_table_builder_get_n_rows (builder) == 0)
    weft_scope_set_nothing (scope, builder);
  else if (!any)
    weft_table_builder_set_hint (builder, "Nothing was counted: no lane was used, or the recording "
                                          "is an import, whose files do not count");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

const WeftAnalysisKind weft_analyze_conservation = {
  .name = "target-conservation",
  .summary = "Whether everything that was handed over is accounted for, lane by lane: submitted = "
             "completed + pending + sampled out + rejected + lost",
  .options = WEFT_ANALYSIS_OPTION_FILTER,
  .run = run,
};
