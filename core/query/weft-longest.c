/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The longest dispatches, which the summaries of chunks name with what matters most of them. */

#include "weft-plan.h"

#include "weft-cursor.h"
#include "weft-output.h"
#include "weft-recording-private.h"
#include "weft-sorter.h"

#define PLACE(NAME) (WEFT_DISPATCHES_##NAME - WEFT_COLUMN_BASE_DISPATCHES - 1)
#define BIT(NAME) (1u << PLACE (NAME))
#define NAMED (BIT (ID) | BIT (LANE) | BIT (ROUTINE) | BIT (START) | BIT (DURATION))

static gboolean
is_asked_for (const WeftPlan *plan)
{
  const WeftQuestion *question = plan->question;
  const WeftExpression *order;

  if (plan->table != WEFT_TABLE_DISPATCHES || plan->predicate != NULL || question->limit == 0 ||
      question->cursor != NULL || plan->orders->len != 1 || !WEFT_PLAN_ORDER (plan, 0)->descending)
    return FALSE;
  order = WEFT_PLAN_ITEM (plan, WEFT_PLAN_ORDER (plan, 0)->item)->expression;
  for (guint i = 0; i < plan->items->len; i++)
    if (weft_expression_get_places (WEFT_PLAN_ITEM (plan, i)->expression) & ~NAMED)
      return FALSE;
  return order->kind == WEFT_EXPRESSION_COLUMN && order->place == PLACE (DURATION);
}

/* Some of them as a batch of rows. */
static gboolean
take_batch (const WeftPlan *plan, const WeftLongDispatch *found, guint first, guint n,
            WeftOutput *output, GError **error)
{
  static const guint places[] = { PLACE (ID), PLACE (LANE), PLACE (ROUTINE), PLACE (START),
                                  PLACE (DURATION) };
  guint64 values[G_N_ELEMENTS (places)][WEFT_BATCH_ROWS];
  WeftStoreColumn columns[G_N_ELEMENTS (places)];
  WeftBatch batch = { .n = n };
  WeftVector vector;

  for (guint i = 0; i < n; i++)
    {
      values[0][i] = found[first + i].id;
      values[1][i] = found[first + i].lane;
      values[2][i] = found[first + i].routine;
      values[3][i] = (guint64) found[first + i].start;
      values[4][i] = found[first + i].duration;
    }
  for (guint c = 0; c < G_N_ELEMENTS (places); c++)
    {
      columns[c] = (WeftStoreColumn){ values[c], NULL, 0, n, sizeof (guint64), NULL };
      batch.columns[places[c]] = &columns[c];
    }
  for (guint c = 0; c < output->n_columns; c++)
    {
      if (!weft_expression_evaluate (WEFT_PLAN_ITEM (plan, c)->expression, &batch, &vector, error))
        return FALSE;
      for (guint i = 0; i < n; i++)
        {
          output->columns[c].values[first + i] = vector.values[i];
          output->columns[c].nulls[first + i] = vector.has_nulls && vector.nulls[i];
        }
    }
  return TRUE;
}

static char *
print_cursor (const WeftPlan *plan, const WeftLongDispatch *last)
{
  guint64 record[WEFT_SORTER_FIRST_KEY + 1] = { [WEFT_SORTER_NUMBER] = last->id };
  g_auto (WeftSorter) sorter = { 0 };

  weft_sorter_init (&sorter, plan, plan->question->limit);
  weft_sorter_set_key (&sorter, record, 0, last->duration, FALSE);
  return weft_cursor_print (&sorter, record);
}

gboolean
weft_longest_run (WeftPlan *plan, WeftTable **table, GError **error)
{
  g_auto (WeftOutput) output = { 0 };
  g_autoptr (GArray) found = NULL;
  g_autofree char *next = NULL;
  GError *local = NULL;

  *table = NULL;
  if (!is_asked_for (plan))
    return TRUE;
  found = weft_store_longest (plan->run->store, plan->question->limit, &local);
  if (found == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  if (!weft_output_init (&output, plan, found->len, error))
    return FALSE;
  for (guint i = 0; i < found->len; i += WEFT_BATCH_ROWS)
    if (!take_batch (plan, (const WeftLongDispatch *) (gpointer) found->data, i,
                     MIN (found->len - i, WEFT_BATCH_ROWS), &output, error))
      return FALSE;
  if (found->len == plan->question->limit)
    next = print_cursor (plan, &g_array_index (found, WeftLongDispatch, found->len - 1));
  weft_run_explain (plan->run, "rows: the longest, from summaries");
  *table = weft_output_finish (&output, next);
  return TRUE;
}
