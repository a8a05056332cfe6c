/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-summaries.h"

#include <string.h>

#include "weft-aggregate.h"
#include "weft-query.h"
#include "weft-sql-columns.h"

static const WeftSqlSummary summaries[] = {
  { "lane_summary",
    "Dispatches by lane.",
    "dispatches",
    { "lane=lane", "name=lane.name", "kind=lane.kind", "count=count", "total=sum(duration)",
      "shortest=min(duration)", "longest=max(duration)", "mean=mean(duration)" },
    3 },
  { "routine_summary",
    "Dispatches by routine.",
    "dispatches",
    { "routine=routine", "name=routine.name", "count=count", "total=sum(duration)",
      "shortest=min(duration)", "longest=max(duration)", "mean=mean(duration)", "p50=p50(duration)",
      "p95=p95(duration)", "p99=p99(duration)" },
    2 },
  { "lane_routine_summary",
    "Dispatches by lane and routine.",
    "dispatches",
    { "lane=lane", "lane_name=lane.name", "routine=routine", "routine_name=routine.name",
      "count=count", "total=sum(duration)", "shortest=min(duration)", "longest=max(duration)",
      "mean=mean(duration)" },
    4 },
  { "sample_summary",
    "Samples by thread.",
    "samples",
    { "thread=thread", "name=thread.name", "count=count", "total=sum(weight)" },
    2 },
  { "wait_summary",
    "Waits by thread and reason.",
    "waits",
    { "thread=thread", "name=thread.name", "reason=reason", "count=count", "total=sum(duration)",
      "longest=max(duration)", "p95=p95(duration)" },
    3 },
};

const WeftSqlSummary *
weft_sql_summaries_get (guint *n)
{
  *n = G_N_ELEMENTS (summaries);
  return summaries;
}

static gboolean
add_column (WeftQuery *query, const char *text, gboolean is_key, GError **error)
{
  const char *expression = strchr (text, '=') + 1;
  g_autofree char *name = g_strndup (text, (gsize) (expression - 1 - text));

  return is_key ? weft_query_group_by (query, expression, name, error)
                : weft_query_select (query, expression, name, error);
}

/* What the values of a key or an aggregate are. */
static const char *
declare (WeftTableId table, const char *expression)
{
  g_autoptr (WeftExpression) of = NULL;
  g_autofree char *argument = NULL;
  WeftAggregate aggregate;

  weft_aggregate_parse (table, expression, &aggregate, &argument, NULL);
  of = argument != NULL ? weft_expression_new (table, argument, NULL) : NULL;
  if (aggregate.kind == WEFT_AGGREGATE_NONE)
    return weft_sql_type_declare (of->type, of->prefix);
  if (aggregate.kind == WEFT_AGGREGATE_MEAN)
    return WEFT_SQL_MEAN_TIME;
  return weft_sql_type_declare (weft_aggregate_get_type (&aggregate, of), NULL);
}

static GArray *
list_columns (const WeftSqlSummary *summary)
{
  GArray *columns = weft_sql_answer_columns_new ();
  WeftTableId table = weft_model_find_table (summary->table);

  for (guint i = 0; summary->columns[i] != NULL; i++)
    {
      const char *expression = strchr (summary->columns[i], '=') + 1;
      g_autofree char *name =
          g_strndup (summary->columns[i], (gsize) (expression - 1 - summary->columns[i]));

      weft_sql_answer_columns_add (columns, name, declare (table, expression), i, -1, FALSE);
    }
  return columns;
}

static WeftSqlAnswer *
make_answer (WeftSqlSource *source, gconstpointer data, GError **error)
{
  const WeftSqlSummary *summary = data;
  g_autoptr (WeftQuery) query = weft_query_new (summary->table, error);
  WeftSqlAnswer *answer;
  WeftTable *table;

  for (guint i = 0; summary->columns[i] != NULL; i++)
    if (!add_column (query, summary->columns[i], i < summary->n_keys, error))
      return NULL;
  table = weft_query_run (query, source->recording, source->cancellable, error);
  if (table == NULL)
    return NULL;
  answer = weft_sql_answer_new (table);
  g_array_unref (answer->columns);
  answer->columns = list_columns (summary);
  return answer;
}

WeftSqlAnswerTable *
weft_sql_summary_table_new (WeftSqlSource *source, const WeftSqlSummary *summary)
{
  return weft_sql_answer_table_new_made (source, list_columns (summary), make_answer, summary);
}
