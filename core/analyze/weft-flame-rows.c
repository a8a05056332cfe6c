/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-flame-rows.h"

#include <string.h>

#include "weft-answer.h"

static const WeftAnswerColumn columns[] = {
  [WEFT_FLAME_DEPTH] = WEFT_ANSWER_COLUMN ("depth", UINT64),
  [WEFT_FLAME_PARENT] = WEFT_ANSWER_COLUMN ("parent", UINT64),
  [WEFT_FLAME_KIND] = WEFT_ANSWER_COLUMN ("kind", STRING),
  [WEFT_FLAME_NAME] = WEFT_ANSWER_COLUMN ("name", STRING),
  [WEFT_FLAME_PROCESS] = WEFT_ANSWER_ID ("process", "p"),
  [WEFT_FLAME_THREAD] = WEFT_ANSWER_ID ("thread", "t"),
  [WEFT_FLAME_LANE] = WEFT_ANSWER_ID ("lane", "l"),
  [WEFT_FLAME_ROUTINE] = WEFT_ANSWER_ID ("routine", "r"),
  [WEFT_FLAME_SYMBOL] = WEFT_ANSWER_ID ("symbol", "sym"),
  [WEFT_FLAME_MODULE] = WEFT_ANSWER_ID ("module", "mod"),
  [WEFT_FLAME_MODULE_NAME] = WEFT_ANSWER_COLUMN ("module_name", STRING),
  [WEFT_FLAME_REASON] = WEFT_ANSWER_COLUMN ("reason", STRING),
  [WEFT_FLAME_INLINED] = WEFT_ANSWER_COLUMN ("inlined", BOOLEAN),
  [WEFT_FLAME_KERNEL] = WEFT_ANSWER_COLUMN ("kernel", BOOLEAN),
  [WEFT_FLAME_COUNT] = WEFT_ANSWER_COLUMN ("count", UINT64),
  [WEFT_FLAME_TOTAL] = WEFT_ANSWER_COLUMN ("total", DURATION),
  [WEFT_FLAME_SELF] = WEFT_ANSWER_COLUMN ("self", DURATION),
  [WEFT_FLAME_WAITING] = WEFT_ANSWER_COLUMN ("waiting", DURATION),
  [WEFT_FLAME_TARGET] = WEFT_ANSWER_COLUMN ("target", DURATION),
  [WEFT_FLAME_ERRORS] = WEFT_ANSWER_COLUMN ("errors", UINT64),
  [WEFT_FLAME_START] = WEFT_ANSWER_COLUMN ("start", TIME),
  [WEFT_FLAME_STOP] = WEFT_ANSWER_COLUMN ("stop", TIME),
  [WEFT_FLAME_TIME_KIND] = WEFT_ANSWER_COLUMN ("time_kind", STRING),
};

WeftTableBuilder *
weft_flame_rows_begin (void)
{
  return weft_answer_begin_table ("flame", columns, G_N_ELEMENTS (columns));
}

gboolean
weft_flame_rows_are_in (WeftTable *table)
{
  if (strcmp (weft_table_get_name (table), "flame") != 0 ||
      weft_table_get_n_columns (table) != G_N_ELEMENTS (columns))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    if (strcmp (weft_table_get_column_name (table, i), columns[i].column.name) != 0 ||
        weft_table_get_column_type (table, i) != columns[i].column.type)
      return FALSE;
  return TRUE;
}
