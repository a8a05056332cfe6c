/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which counters there are, whether they deliver values and why not, and what the values say. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-counter-figures.h"
#include "weft-counter-names.h"
#include "weft-dispatch-names.h"
#include "weft-enum-types.h"
#include "weft-ranking.h"

#include <string.h>

static const char *const groups[] = { "counter", "routine", "lane", "dispatch", NULL };

enum
{
  GROUP, /* only where grouped by a thing */
  GROUP_NAME,
  COUNTER,
  KIND = COUNTER + WEFT_ANSWER_N_COUNTER_COLUMNS,
  AGGREGATION,
  AVAILABILITY,
  REASON,
  SAMPLES,
  ERRORS,
  VALUE,
  TOTAL,
  MEAN,
  MIN_VALUE,
  MAX_VALUE,
  PER_SECOND,
  DISPATCHES,
  PER_DISPATCH,
  CHANGES,
  CHANGE_TOTAL,
  CHANGE_MEAN,
  CHANGE_MIN,
  CHANGE_MAX,
  N_COLUMNS
};

static const WeftAnswerColumn columns[] = {
  WEFT_ANSWER_COUNTER_COLUMNS,
  WEFT_ANSWER_ENUM ("kind", weft_metric_kind_get_type),
  WEFT_ANSWER_ENUM ("aggregation", weft_aggregation_get_type),
  WEFT_ANSWER_ENUM ("availability", weft_availability_get_type),
  WEFT_ANSWER_COLUMN ("reason", STRING),
  WEFT_ANSWER_UNIT ("samples", UINT64, "count"),
  WEFT_ANSWER_UNIT ("errors", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("value", DOUBLE),
  WEFT_ANSWER_COLUMN ("total", DOUBLE),
  WEFT_ANSWER_COLUMN ("mean", DOUBLE),
  WEFT_ANSWER_COLUMN ("min", DOUBLE),
  WEFT_ANSWER_COLUMN ("max", DOUBLE),
  WEFT_ANSWER_UNIT ("per_second", DOUBLE, "1/s"),
  WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("per_dispatch", DOUBLE),
  WEFT_ANSWER_UNIT ("changes", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("change_total", DOUBLE),
  WEFT_ANSWER_COLUMN ("change_mean", DOUBLE),
  WEFT_ANSWER_COLUMN ("change_min", DOUBLE),
  WEFT_ANSWER_COLUMN ("change_max", DOUBLE),
};

G_STATIC_ASSERT (G_N_ELEMENTS (columns) == N_COLUMNS - COUNTER);

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCountersBy by;
  WeftSelection *selection; /* NULL: all */
  WeftCounterNames names;
  WeftDispatchNames dispatches;
  GArray *figures; /* element type WeftCounterFigures */
} Counters;

static WeftTableBuilder *
begin_table (Counters *self)
{
  static const WeftAnswerColumn first[][2] = {
    [WEFT_COUNTERS_BY_ROUTINE] = { WEFT_ANSWER_ID ("routine", "r"),
                                   WEFT_ANSWER_COLUMN ("name", STRING) },
    [WEFT_COUNTERS_BY_LANE] = { WEFT_ANSWER_ID ("lane", "l"), WEFT_ANSWER_COLUMN ("name", STRING) },
    [WEFT_COUNTERS_BY_DISPATCH] = { WEFT_ANSWER_ID ("dispatch", "d"),
                                    WEFT_ANSWER_COLUMN ("name", STRING) },
  };
  WeftAnswerColumn all[N_COLUMNS];

  if (self->by == WEFT_COUNTERS_BY_COUNTER)
    return weft_answer_begin_table ("target-counters", columns, G_N_ELEMENTS (columns));
  memcpy (all, first[self->by], sizeof first[self->by]);
  memcpy (all + COUNTER, columns, sizeof columns);
  return weft_answer_begin_table ("target-counters", all, N_COLUMNS);
}

static void
set_group (Counters *self, WeftTableBuilder *builder, guint64 group)
{
  const char *name = NULL;

  if (self->by == WEFT_COUNTERS_BY_ROUTINE)
    name = weft_catalog_get_routine_name (self->dispatches.catalog, (guint32) group);
  else if (self->by == WEFT_COUNTERS_BY_LANE)
    name = weft_catalog_get_lane_name (self->dispatches.catalog, (guint32) group);
  else if (weft_dispatch_names_seek (&self->dispatches, group))
    name = weft_dispatch_names_get_name (&self->dispatches);
  weft_table_builder_set_uint64 (builder, GROUP, group);
  weft_table_builder_set_string (builder, GROUP_NAME, name);
}

static void
set_figures (WeftTableBuilder *builder, guint shift, const WeftCounterFigures *figures,
             guint64 kind, guint64 aggregation)
{
  weft_table_builder_set_uint64 (builder, SAMPLES - shift, figures->samples);
  weft_table_builder_set_uint64 (builder, ERRORS - shift, figures->errors);
  weft_table_builder_set_uint64 (builder, DISPATCHES - shift, figures->dispatches);
  weft_table_builder_set_uint64 (builder, CHANGES - shift, figures->delta.count);
  if (figures->stats.count == 0)
    return;
  weft_table_builder_set_double (builder, VALUE - shift,
                                 weft_counter_figures_get_value (figures, aggregation));
  weft_table_builder_set_double (builder, MEAN - shift,
                                 weft_value_stats_get_mean (&figures->stats));
  weft_table_builder_set_double (builder, MIN_VALUE - shift, figures->stats.min);
  weft_table_builder_set_double (builder, MAX_VALUE - shift, figures->stats.max);
  if (figures->delta.count > 0)
    {
      weft_table_builder_set_double (builder, CHANGE_TOTAL - shift, figures->delta.sum);
      weft_table_builder_set_double (builder, CHANGE_MEAN - shift,
                                     weft_value_stats_get_mean (&figures->delta));
      weft_table_builder_set_double (builder, CHANGE_MIN - shift, figures->delta.min);
      weft_table_builder_set_double (builder, CHANGE_MAX - shift, figures->delta.max);
    }
  /* The sum of a gauge's values means nothing. */
  if (kind == WEFT_METRIC_GAUGE)
    return;
  weft_table_builder_set_double (builder, TOTAL - shift, figures->stats.sum);
  if (figures->target_time > 0)
    weft_table_builder_set_double (builder, PER_SECOND - shift,
                                   figures->sum_of_dispatches * 1e9 /
                                       (double) figures->target_time);
  if (figures->dispatches > 0)
    weft_table_builder_set_double (builder, PER_DISPATCH - shift,
                                   figures->sum_of_dispatches / (double) figures->dispatches);
}

static void
add_row (Counters *self, WeftTableBuilder *builder, const WeftCounterFigures *figures, guint64 set)
{
  const guint shift = self->by == WEFT_COUNTERS_BY_COUNTER ? COUNTER : 0;
  const WeftSetState *state = weft_counter_names_get_state (&self->names, set);
  guint64 kind = weft_row_table_get (self->names.counters, WEFT_COUNTERS_KIND, figures->counter);
  guint64 aggregation =
      weft_row_table_get (self->names.counters, WEFT_COUNTERS_AGGREGATION, figures->counter);

  weft_table_builder_begin_row (builder);
  if (shift == 0)
    set_group (self, builder, figures->group);
  if (figures->counter != 0)
    {
      weft_counter_names_set (&self->names, builder, COUNTER - shift, figures->counter);
      weft_table_builder_set_uint64 (builder, KIND - shift, kind);
      weft_table_builder_set_uint64 (builder, AGGREGATION - shift, aggregation);
    }
  else
    {
      weft_table_builder_set_uint64 (builder, COUNTER - shift + 2, set);
      weft_table_builder_set_string (builder, COUNTER - shift + 3,
                                     weft_counter_names_get_set_name (&self->names, set));
    }
  if (state != NULL)
    {
      weft_table_builder_set_uint64 (builder, AVAILABILITY - shift, state->availability);
      weft_table_builder_set_string (builder, REASON - shift, state->reason);
    }
  set_figures (builder, shift, figures, kind, aggregation);
}

/* ---- What there is to list ---- */

static int
compare_counters (gconstpointer a, gconstpointer b)
{
  const WeftCounterFigures *left = a;
  const WeftCounterFigures *right = b;

  return left->counter < right->counter ? -1 : left->counter > right->counter;
}

static const WeftCounterFigures *
find_figures (Counters *self, guint64 counter)
{
  const WeftCounterFigures wanted = { .counter = counter };
  guint at;

  return g_array_binary_search (self->figures, &wanted, compare_counters, &at)
             ? &g_array_index (self->figures, WeftCounterFigures, at)
             : NULL;
}

/* Every counter, sampled or not, and sets that have none. */
static GArray *
list_all (Counters *self)
{
  GArray *all = g_array_new (FALSE, TRUE, sizeof (WeftCounterFigures));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->names.counters); i++)
    {
      WeftCounterFigures none = { .counter = weft_row_table_get_number (self->names.counters, i) };
      const WeftCounterFigures *figures = find_figures (self, none.counter);

      g_hash_table_add (seen,
                        GSIZE_TO_POINTER (weft_counter_names_get_set (&self->names, none.counter)));
      g_array_append_vals (all, figures ? figures : &none, 1);
    }
  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->names.sets); i++)
    {
      WeftCounterFigures none = { .group = weft_row_table_get_number (self->names.sets, i) };

      if (!g_hash_table_contains (seen, GSIZE_TO_POINTER (none.group)))
        g_array_append_val (all, none);
    }
  return all;
}

static guint64
set_of (Counters *self, const WeftCounterFigures *figures)
{
  return figures->counter ? weft_counter_names_get_set (&self->names, figures->counter)
                          : figures->group;
}

static const char *
explain_nothing (Counters *self)
{
  if (weft_row_table_get_n_rows (self->names.sets) == 0)
    return "No counter set was defined; a program that can count tells which counters it has, or "
           "why not, with weft_target_counter_set_new () (docs/producer-guide.md)";
  return "Counters are defined, but no sample fits what was asked for: “weft diagnose” tells which "
         "sets "
         "are disabled, unsupported or failing";
}

static gboolean
list_counters (Counters *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = begin_table (self);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "target-counters", TRUE, error);
  g_autoptr (GArray) all =
      self->by == WEFT_COUNTERS_BY_COUNTER ? list_all (self) : g_array_ref (self->figures);
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  for (guint i = 0; i < all->len; i++)
    weft_ranking_add (ranking, i, i, &g_array_index (all, WeftCounterFigures, i));
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    add_row (self, builder, weft_ranking_get (ranking, i)->data,
             set_of (self, weft_ranking_get (ranking, i)->data));
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (builder, explain_nothing (self));
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (self->dispatches.dispatches, error);
}

/* ---- Sets ---- */

enum
{
  SET_HANDLE,
  SET_NAME,
  SET_AVAILABILITY,
  SET_REASON,
  SET_PROBE,
  SET_OVERHEAD,
  SET_OVERHEAD_TEXT,
  SET_SINCE,
  SET_STATES,
  SET_COUNTERS,
  SET_SAMPLES,
  N_SET_COLUMNS
};

static const WeftAnswerColumn set_columns[N_SET_COLUMNS] = {
  WEFT_ANSWER_ID ("set", "cs"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_ENUM ("availability", weft_availability_get_type),
  WEFT_ANSWER_COLUMN ("reason", STRING),
  WEFT_ANSWER_COLUMN ("probe", STRING),
  WEFT_ANSWER_COLUMN ("overhead", DURATION),
  WEFT_ANSWER_COLUMN ("overhead_text", STRING),
  WEFT_ANSWER_COLUMN ("since", TIME),
  WEFT_ANSWER_UNIT ("states", UINT64, "count"),
  WEFT_ANSWER_UNIT ("counters", UINT64, "count"),
  WEFT_ANSWER_UNIT ("samples", UINT64, "count"),
};

/* set → how many */
static GHashTable *
count_counters (Counters *self)
{
  GHashTable *counts = g_hash_table_new (NULL, NULL);

  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->names.counters); i++)
    {
      guint64 counter = weft_row_table_get_number (self->names.counters, i);
      gpointer set = GSIZE_TO_POINTER (weft_counter_names_get_set (&self->names, counter));
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, set));

      g_hash_table_insert (counts, set, GUINT_TO_POINTER (count + 1));
    }
  return counts;
}

static gboolean
list_sets (Counters *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("sets", set_columns, N_SET_COLUMNS);
  g_autoptr (GHashTable) counts = count_counters (self);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_COUNTER_SET_STATES);

  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->names.sets); i++)
    {
      guint64 set = weft_row_table_get_number (self->names.sets, i);
      const WeftSetState *state = weft_counter_names_get_state (&self->names, set);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, SET_HANDLE, set);
      weft_table_builder_set_string (builder, SET_NAME,
                                     weft_counter_names_get_set_name (&self->names, set));
      weft_table_builder_set_uint64 (
          builder, SET_COUNTERS,
          GPOINTER_TO_UINT (g_hash_table_lookup (counts, GSIZE_TO_POINTER (set))));
      if (state == NULL || !weft_row_cursor_seek (rows, state->row))
        continue;
      weft_answer_copy (builder, SET_AVAILABILITY, rows, WEFT_COUNTER_SET_STATES_AVAILABILITY);
      weft_answer_copy (builder, SET_REASON, rows, WEFT_COUNTER_SET_STATES_REASON);
      weft_answer_copy (builder, SET_PROBE, rows, WEFT_COUNTER_SET_STATES_PROBE);
      weft_answer_copy (builder, SET_OVERHEAD, rows, WEFT_COUNTER_SET_STATES_OVERHEAD);
      weft_answer_copy (builder, SET_OVERHEAD_TEXT, rows, WEFT_COUNTER_SET_STATES_OVERHEAD_TEXT);
      weft_answer_copy (builder, SET_SINCE, rows, WEFT_COUNTER_SET_STATES_TIME);
      weft_table_builder_set_uint64 (builder, SET_STATES, state->n_states);
      weft_table_builder_set_uint64 (builder, SET_SAMPLES, state->n_samples);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

/* ---- The kind ---- */

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_DISPATCHES };
  Counters self = { .scope = scope };
  WeftTableId table;
  guint64 dispatch = 0;
  gint64 begin, end;
  gboolean good;

  while (strcmp (groups[self.by], scope->group_by) != 0)
    self.by++;
  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      (scope->handle != NULL &&
       !weft_answer_find_object (scope, tables, 1, &table, &dispatch, error)))
    return FALSE;
  good = weft_scope_select_dispatches (scope, &self.selection, error) &&
         weft_counter_names_init (&self.names, scope, error) &&
         weft_dispatch_names_init (&self.dispatches, scope, error) &&
         (self.figures =
              weft_counter_figures_read (scope, self.selection, self.by, dispatch, error)) &&
         list_counters (&self, report, error) && list_sets (&self, report, error);
  g_clear_pointer (&self.selection, weft_selection_free);
  weft_counter_names_clear (&self.names);
  weft_dispatch_names_clear (&self.dispatches);
  g_clear_pointer (&self.figures, g_array_unref);
  return good;
}

const WeftAnalysisKind weft_analyze_counters = {
  .name = "target-counters",
  .summary = "Counters: whether they deliver values, why not, and what the values say",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_HANDLE,
  .groups = groups,
  .default_limit = 100,
};
