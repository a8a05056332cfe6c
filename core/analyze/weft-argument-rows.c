/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-argument-rows.h"

#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-row-cursor.h"

static const WeftAnswerColumn columns[] = {
  WEFT_ANSWER_ID ("routine", "r"),
  WEFT_ANSWER_COLUMN ("routine_name", STRING),
  WEFT_ANSWER_COLUMN ("slot", INT64),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("type", STRING),
  WEFT_ANSWER_ENUM ("access", weft_access_get_type),
  WEFT_ANSWER_UNIT ("size", UINT64, "bytes"),
  WEFT_ANSWER_COLUMN ("kind", STRING),
  WEFT_ANSWER_COLUMN ("space", STRING),
  WEFT_ANSWER_COLUMN ("position", UINT64),
  WEFT_ANSWER_COLUMN ("slots", UINT64),
};

/* Of the columns after the name of the routine. */
static const WeftColumnNumber sources[] = {
  WEFT_ROUTINE_ARGUMENTS_SLOT,   WEFT_ROUTINE_ARGUMENTS_NAME,     WEFT_ROUTINE_ARGUMENTS_TYPE,
  WEFT_ROUTINE_ARGUMENTS_ACCESS, WEFT_ROUTINE_ARGUMENTS_SIZE,     WEFT_ROUTINE_ARGUMENTS_KIND,
  WEFT_ROUTINE_ARGUMENTS_SPACE,  WEFT_ROUTINE_ARGUMENTS_POSITION, WEFT_ROUTINE_ARGUMENTS_N_SLOTS,
};

static void
add_row (WeftTableBuilder *builder, WeftRowCursor *row, WeftRowCursor *routines)
{
  guint64 routine = weft_row_cursor_get (row, WEFT_ROUTINE_ARGUMENTS_ROUTINE);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, routine);
  if (weft_row_cursor_seek (routines, routine))
    weft_answer_copy (builder, 1, routines, WEFT_ROUTINES_NAME);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    weft_answer_copy (builder, 2 + i, row, sources[i]);
}

gboolean
weft_argument_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                              GHashTable *routines, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = NULL;
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ROUTINE_ARGUMENTS);
  g_autoptr (WeftRowCursor) names = weft_row_cursor_new (scope, WEFT_TABLE_ROUTINES);

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_ROUTINE_ARGUMENTS) == 0)
    return TRUE;
  builder = weft_answer_begin_table ("arguments", columns, G_N_ELEMENTS (columns));
  while (weft_row_cursor_next (rows))
    {
      guint64 routine = weft_row_cursor_get (rows, WEFT_ROUTINE_ARGUMENTS_ROUTINE);

      if (g_hash_table_contains (routines, GSIZE_TO_POINTER (routine)))
        add_row (builder, rows, names);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (names, error);
}
