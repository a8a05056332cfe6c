/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of dispatches that follow from the summaries of chunks: each stands for many rows. */

#include "weft-groups.h"
#include "weft-recording-private.h"

#define PLACE(NAME) (WEFT_DISPATCHES_##NAME - WEFT_COLUMN_BASE_DISPATCHES - 1)
#define LANE_BIT (1u << PLACE (LANE))
#define ROUTINE_BIT (1u << PLACE (ROUTINE))

/* ---- Whether they suffice ---- */

static gboolean
is_of_duration (const WeftItem *item)
{
  return item->expression != NULL && item->expression->kind == WEFT_EXPRESSION_COLUMN &&
         item->expression->place == PLACE (DURATION);
}

static gboolean
is_summarized (const WeftItem *item)
{
  switch (item->aggregate.kind)
    {
    case WEFT_AGGREGATE_COUNT:
      return item->expression == NULL || is_of_duration (item);
    case WEFT_AGGREGATE_SUM:
    case WEFT_AGGREGATE_MIN:
    case WEFT_AGGREGATE_MAX:
    case WEFT_AGGREGATE_MEAN:
    case WEFT_AGGREGATE_PERCENTILE:
      return is_of_duration (item);
    default:
      return FALSE;
    }
}

static gboolean
has_percentiles (const WeftGroups *self)
{
  for (guint a = 0; a < self->n_aggregates; a++)
    if (self->aggregates[a]->aggregate.kind == WEFT_AGGREGATE_PERCENTILE)
      return TRUE;
  return FALSE;
}

/* What rows must be told apart by; FALSE: by more than summaries know. */
static gboolean
choose_grouping (const WeftGroups *self, WeftGroupBy *by)
{
  const WeftPlan *plan = self->plan;
  guint32 places = plan->predicate != NULL ? weft_predicate_get_places (plan->predicate) : 0;

  if (plan->table != WEFT_TABLE_DISPATCHES || plan->question->has_range)
    return FALSE;
  for (guint a = 0; a < self->n_aggregates; a++)
    if (!is_summarized (self->aggregates[a]))
      return FALSE;
  for (guint k = 0; k < self->n_keys; k++)
    places |= weft_expression_get_places (WEFT_PLAN_KEY (plan, k)->expression);
  *by = (places & LANE_BIT ? WEFT_GROUP_BY_LANE : 0) |
        (places & ROUTINE_BIT ? WEFT_GROUP_BY_ROUTINE : 0);
  if (*by == 0)
    *by = WEFT_GROUP_BY_LANE;
  return (places & ~(LANE_BIT | ROUTINE_BIT)) == 0 &&
         (!has_percentiles (self) || *by == WEFT_GROUP_BY_ROUTINE);
}

/* ---- Taking them ---- */

static void
take_summary (WeftGroups *self, guint group, const WeftGroupSummary *summary)
{
  for (guint a = 0; a < self->n_aggregates; a++)
    {
      WeftGroupState *state = weft_groups_get_state (self, group, a);

      switch (self->aggregates[a]->aggregate.kind)
        {
        case WEFT_AGGREGATE_SUM:
        case WEFT_AGGREGATE_MEAN:
          state->sum += summary->sum;
          break;
        case WEFT_AGGREGATE_MIN:
          state->order = state->n == 0 ? summary->min : MIN (state->order, summary->min);
          break;
        case WEFT_AGGREGATE_MAX:
          state->order = MAX (state->order, summary->max);
          break;
        default:
          break;
        }
      state->n += summary->count;
    }
}

/* Some summaries as a batch of rows that have a lane and a routine. */
static gboolean
take_batch (WeftGroups *self, const WeftGroupSummary *summaries, guint n, guint32 *groups,
            GError **error)
{
  const WeftPlan *plan = self->plan;
  g_autofree WeftVector *vectors = g_new (WeftVector, self->n_keys + 1);
  guint32 lanes[WEFT_BATCH_ROWS];
  guint32 routines[WEFT_BATCH_ROWS];
  guint32 found[WEFT_BATCH_ROWS];
  guint16 rows[WEFT_BATCH_ROWS];
  WeftStoreColumn lane = { lanes, NULL, 0, n, sizeof lanes[0], NULL };
  WeftStoreColumn routine = { routines, NULL, 0, n, sizeof routines[0], NULL };
  WeftBatch batch = { .n = n };

  batch.columns[PLACE (LANE)] = &lane;
  batch.columns[PLACE (ROUTINE)] = &routine;
  for (guint i = 0; i < n; i++)
    {
      lanes[i] = summaries[i].lane;
      routines[i] = summaries[i].routine;
      groups[i] = G_MAXUINT32;
    }
  if (plan->predicate != NULL)
    {
      if (!weft_predicate_select (plan->predicate, plan->run->store, &batch, rows, &batch.n, error))
        return FALSE;
      batch.rows = rows;
    }
  if (!weft_groups_find_rows (self, &batch, vectors, found, error))
    return FALSE;
  for (guint i = 0; i < batch.n; i++)
    {
      guint row = batch.rows != NULL ? rows[i] : i;

      groups[row] = found[i];
      take_summary (self, found[i], &summaries[row]);
    }
  return TRUE;
}

static gboolean
is_saturated (GArray *summaries)
{
  for (guint i = 0; i < summaries->len; i++)
    if (g_array_index (summaries, WeftGroupSummary, i).sum == G_MAXUINT64)
      return TRUE;
  return FALSE;
}

/* ---- Percentiles: where each group is one routine ---- */

static gboolean
take_percentile (WeftGroups *self, guint aggregate, const guint32 *groups, GError **error)
{
  double percentile = self->aggregates[aggregate]->aggregate.percentile;
  g_autoptr (GArray) found = NULL;
  GError *local = NULL;

  found = weft_store_percentile (self->plan->run->store, percentile, &local);
  if (found == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  for (guint i = 0; i < found->len; i++)
    if (groups[i] != G_MAXUINT32)
      weft_groups_get_state (self, groups[i], aggregate)->order =
          g_array_index (found, WeftGroupSummary, i).sum;
  return TRUE;
}

static gboolean
is_one_to_one (const WeftGroups *self, const guint32 *groups, guint n)
{
  g_autofree guint8 *seen = g_new0 (guint8, (gsize) self->n_groups + 1);

  for (guint i = 0; i < n; i++)
    if (groups[i] != G_MAXUINT32 && seen[groups[i]]++)
      return FALSE;
  return TRUE;
}

/* Forgets what was found. */
static void
start_over (WeftGroups *self)
{
  for (guint i = 0; i < self->n_groups; i++)
    for (guint a = 0; a < self->n_aggregates; a++)
      *weft_groups_get_state (self, i, a) = (WeftGroupState){ 0 };
}

gboolean
weft_groups_summarize (WeftGroups *self, gboolean *answered, GError **error)
{
  g_autoptr (GArray) summaries = NULL;
  g_autofree guint32 *groups = NULL;
  GError *local = NULL;
  WeftGroupBy by;

  *answered = FALSE;
  if (!choose_grouping (self, &by))
    return TRUE;
  summaries = weft_store_summarize (self->plan->run->store, by, &local);
  if (summaries == NULL)
    {
      weft_propagate_store_error (error, local);
      return FALSE;
    }
  if (is_saturated (summaries))
    return TRUE;
  groups = g_new (guint32, (gsize) summaries->len + 1);
  for (guint i = 0; i < summaries->len; i += WEFT_BATCH_ROWS)
    if (!take_batch (self, &g_array_index (summaries, WeftGroupSummary, i),
                     MIN (summaries->len - i, WEFT_BATCH_ROWS), groups + i, error))
      return FALSE;
  self->has_percentiles = has_percentiles (self);
  if (self->has_percentiles && !is_one_to_one (self, groups, summaries->len))
    {
      self->has_percentiles = FALSE;
      start_over (self);
      return TRUE;
    }
  for (guint a = 0; a < self->n_aggregates; a++)
    if (self->aggregates[a]->aggregate.kind == WEFT_AGGREGATE_PERCENTILE &&
        !take_percentile (self, a, groups, error))
      return FALSE;
  weft_run_explain (self->plan->run, "groups: from summaries%s",
                    self->has_percentiles ? "; percentiles by histograms and a scan" : "");
  *answered = TRUE;
  return TRUE;
}
