/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which functions ran and waited: CPU time, with target work in a table of its own. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-cpu-hints.h"
#include "weft-cpu-stacks.h"
#include "weft-ranking.h"
#include "weft-top-target.h"
#include "weft-wait-columns.h"

#include <string.h>

#define DEFAULT_LIMIT 50

/* A row of the answer. */
typedef struct
{
  guint32 key; /* number of a name, or id of a thread or process */
  const WeftStackFigure *self;
  const WeftStackFigure *total;
} Row;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCpuStacks stacks;
  WeftCpuHints facts;
  WeftStackPlan plan;
  WeftStackSums sums;       /* by name */
  WeftStackFigure *by_root; /* by thread or process */
  WeftStackFigure whole[2]; /* of what ran, and of all waits */
  GArray *rows;             /* element type Row */
  char *refusal;            /* the filter is not about samples, and why */
} Functions;

static void
functions_clear (Functions *self)
{
  weft_cpu_stacks_clear (&self->stacks);
  weft_stack_sums_clear (&self->sums);
  g_free (self->by_root);
  g_clear_pointer (&self->rows, g_array_unref);
  g_free (self->refusal);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Functions, functions_clear)

/* ---- What is asked ---- */

static const struct
{
  const char *name;
  WeftFrameGroup group;
  WeftStackRoot root;
} groups[] = {
  { "function", WEFT_FRAME_GROUP_FUNCTION, WEFT_STACK_ROOT_NONE },
  { "module", WEFT_FRAME_GROUP_MODULE, WEFT_STACK_ROOT_NONE },
  { "file", WEFT_FRAME_GROUP_FILE, WEFT_STACK_ROOT_NONE },
  { "line", WEFT_FRAME_GROUP_LINE, WEFT_STACK_ROOT_NONE },
  { "thread", WEFT_FRAME_GROUP_FUNCTION, WEFT_STACK_ROOT_THREAD },
  { "process", WEFT_FRAME_GROUP_FUNCTION, WEFT_STACK_ROOT_PROCESS },
};

static guint
find_group (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (strcmp (groups[i].name, name) == 0)
      return i;
  g_return_val_if_reached (0);
}

/* ---- Figures ---- */

static guint64
sum_waits (const Functions *self, const WeftStackFigure *figures, gboolean count)
{
  guint64 sum = 0;

  for (guint c = 1; c < self->plan.n_columns; c++)
    sum += count ? figures[c].count : figures[c].time;
  return sum;
}

static void
add_row (Functions *self, guint32 key, const WeftStackFigure *selves, const WeftStackFigure *totals)
{
  const Row row = { key, selves, totals };

  for (guint c = 0; c < self->plan.n_columns; c++)
    if (totals[c].count > 0)
      {
        g_array_append_val (self->rows, row);
        return;
      }
}

/* Threads and processes hold nothing but themselves. */
static void
sum_roots (Functions *self)
{
  GArray *weights = self->stacks.weights;
  guint n_roots = 0;

  for (guint i = 0; i < weights->len; i++)
    n_roots += i == 0 || g_array_index (weights, WeftStackWeight, i).root !=
                             g_array_index (weights, WeftStackWeight, i - 1).root;
  self->by_root = g_new0 (WeftStackFigure, (gsize) n_roots * self->plan.n_columns);
  for (guint i = 0, n = 0; i < weights->len; n++)
    {
      guint32 root = g_array_index (weights, WeftStackWeight, i).root;
      WeftStackFigure *figures = self->by_root + (gsize) n * self->plan.n_columns;

      for (; i < weights->len && g_array_index (weights, WeftStackWeight, i).root == root; i++)
        {
          const WeftStackWeight *weight = &g_array_index (weights, WeftStackWeight, i);
          WeftStackFigure *figure = &figures[(guint) self->plan.columns[weight->state]];

          figure->count += weight->count;
          figure->time += weight->time;
        }
      add_row (self, root, figures, figures);
    }
}

static gboolean
sum_names (Functions *self, GError **error)
{
  guint32 n_names = weft_frame_names_get_n_names (self->stacks.names);

  if (!weft_stack_sums_init (&self->sums, self->scope, self->stacks.callchains, self->stacks.names,
                             self->stacks.weights, &self->plan, error))
    return FALSE;
  for (guint32 name = 1; name <= n_names; name++)
    add_row (self, name, self->sums.selves + (gsize) name * self->plan.n_columns,
             self->sums.totals + (gsize) name * self->plan.n_columns);
  return TRUE;
}

static void
sum_whole (Functions *self)
{
  for (guint i = 0; i < self->stacks.weights->len; i++)
    {
      const WeftStackWeight *weight = &g_array_index (self->stacks.weights, WeftStackWeight, i);
      WeftStackFigure *whole = &self->whole[weight->state == WEFT_STACK_ON_CPU ? 0 : 1];

      whole->count += weight->count;
      whole->time += weight->time;
    }
}

/* A filter that speaks of lanes may be one for the table of target work. */
static gboolean
find_figures (Functions *self, guint group, GError **error)
{
  g_autoptr (GError) failure = NULL;

  self->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  if (!weft_cpu_stacks_init (&self->stacks, self->scope, groups[group].group, groups[group].root,
                             &failure))
    {
      if (self->scope->filter == NULL ||
          !g_error_matches (failure, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      self->refusal = g_strdup (failure->message);
      return TRUE;
    }
  weft_stack_plan_init (&self->plan, self->stacks.weights);
  sum_whole (self);
  if (groups[group].root == WEFT_STACK_ROOT_NONE)
    return sum_names (self, error);
  sum_roots (self);
  return TRUE;
}

/* ---- Order ---- */

static guint64
get_key (const Functions *self, const Row *row)
{
  const char *order = self->scope->order_by;
  WeftWaitReason reason;

  if (strcmp (order, "self") == 0)
    return row->self[0].time;
  if (strcmp (order, "total") == 0)
    return row->total[0].time;
  if (strcmp (order, "samples") == 0)
    return row->total[0].count;
  if (strcmp (order, "off_cpu_self") == 0)
    return sum_waits (self, row->self, FALSE);
  if (strcmp (order, "waits") == 0)
    return sum_waits (self, row->total, TRUE);
  if (weft_wait_columns_find (order, &reason))
    {
      gint8 column = self->plan.columns[WEFT_STACK_WAITS (reason)];

      return column < 0 ? 0 : row->total[column].time;
    }
  return sum_waits (self, row->total, FALSE);
}

/* What is equal in that stands in the order of what else it did. */
static int
compare_rows (gconstpointer a, gconstpointer b, gpointer data)
{
  const Functions *self = data;
  const Row *row_a = a;
  const Row *row_b = b;
  const guint64 keys_a[] = { get_key (self, row_a), row_a->self[0].time, row_a->total[0].time,
                             sum_waits (self, row_a->self, FALSE),
                             sum_waits (self, row_a->total, FALSE) };
  const guint64 keys_b[] = { get_key (self, row_b), row_b->self[0].time, row_b->total[0].time,
                             sum_waits (self, row_b->self, FALSE),
                             sum_waits (self, row_b->total, FALSE) };

  for (guint i = 0; i < G_N_ELEMENTS (keys_a); i++)
    if (keys_a[i] != keys_b[i])
      return keys_a[i] > keys_b[i] ? -1 : 1;
  return row_a->key < row_b->key ? -1 : row_a->key > row_b->key;
}

/* ---- Rows ---- */

enum
{
  SYMBOL,
  THREAD,
  PROCESS,
  NAME,
  MODULE,
  MODULE_NAME,
  SELF,
  SELF_SHARE,
  TOTAL,
  TOTAL_SHARE,
  SAMPLES_SELF,
  SAMPLES,
  OFF_CPU_SELF,
  OFF_CPU,
  OFF_CPU_SHARE,
  WAITS,
  TOP_REASON,
  KERNEL,
  FILE_NAME,
  LINE,
  TIME_KIND,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [SYMBOL] = { "symbol", NULL, WEFT_VALUE_ID, NULL, "sym" },
  [THREAD] = { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },
  [PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [MODULE] = { "module", NULL, WEFT_VALUE_ID, NULL, "mod" },
  [MODULE_NAME] = { "module_name", NULL, WEFT_VALUE_STRING },
  [SELF] = { "self", NULL, WEFT_VALUE_DURATION },
  [SELF_SHARE] = { "self_share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [TOTAL] = { "total", NULL, WEFT_VALUE_DURATION },
  [TOTAL_SHARE] = { "total_share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [SAMPLES_SELF] = { "samples_self", NULL, WEFT_VALUE_UINT64 },
  [SAMPLES] = { "samples", NULL, WEFT_VALUE_UINT64 },
  [OFF_CPU_SELF] = { "off_cpu_self", NULL, WEFT_VALUE_DURATION },
  [OFF_CPU] = { "off_cpu", NULL, WEFT_VALUE_DURATION },
  [OFF_CPU_SHARE] = { "off_cpu_share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [WAITS] = { "waits", NULL, WEFT_VALUE_UINT64 },
  [TOP_REASON] = { "top_reason", NULL, WEFT_VALUE_STRING },
  [KERNEL] = { "kernel", NULL, WEFT_VALUE_BOOLEAN },
  [FILE_NAME] = { "file", NULL, WEFT_VALUE_STRING },
  [LINE] = { "line", NULL, WEFT_VALUE_UINT64 },
  [TIME_KIND] = { "time_kind", NULL, WEFT_VALUE_STRING },
};

static void
set_thread (Functions *self, WeftTableBuilder *builder, guint32 id)
{
  const WeftCatalogThread *thread = weft_catalog_get_thread (self->stacks.catalog, id);

  weft_table_builder_set_uint64 (builder, THREAD, id);
  if (thread == NULL)
    return;
  weft_table_builder_set_string (builder, NAME, thread->name);
  weft_table_builder_set_uint64 (builder, PROCESS, thread->process);
}

static void
set_process (Functions *self, WeftTableBuilder *builder, guint32 id)
{
  const WeftCatalogProcess *process = weft_catalog_get_process (self->stacks.catalog, id);

  weft_table_builder_set_uint64 (builder, PROCESS, id);
  if (process != NULL)
    weft_table_builder_set_string (builder, NAME, process->name);
}

static void
set_name (Functions *self, WeftTableBuilder *builder, guint32 key)
{
  const WeftFrameName *name = weft_frame_names_get (self->stacks.names, key);

  weft_table_builder_set_uint64 (builder, SYMBOL, name->symbol);
  weft_table_builder_set_string (builder, NAME, name->name);
  weft_table_builder_set_uint64 (builder, MODULE, name->module_id);
  weft_table_builder_set_string (builder, MODULE_NAME, name->module);
  weft_table_builder_set_uint64 (builder, KERNEL, name->is_kernel);
  weft_table_builder_set_string (builder, FILE_NAME, name->file);
  if (name->line > 0)
    weft_table_builder_set_uint64 (builder, LINE, name->line);
}

static void
set_waits (Functions *self, WeftTableBuilder *builder, const Row *row)
{
  guint64 off_cpu = sum_waits (self, row->total, FALSE);
  guint64 most = 0;

  if (self->whole[1].count == 0)
    return;
  weft_table_builder_set_uint64 (builder, OFF_CPU_SELF, sum_waits (self, row->self, FALSE));
  weft_table_builder_set_uint64 (builder, OFF_CPU, off_cpu);
  weft_answer_set_share (builder, OFF_CPU_SHARE, off_cpu, self->whole[1].time);
  weft_table_builder_set_uint64 (builder, WAITS, sum_waits (self, row->total, TRUE));
  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    {
      gint8 column = self->plan.columns[WEFT_STACK_WAITS (i)];
      guint64 time = column < 0 ? 0 : row->total[column].time;

      if (time == 0)
        continue;
      weft_table_builder_set_uint64 (builder, N_COLUMNS + i, time);
      if (time <= most)
        continue;
      most = time;
      weft_table_builder_set_string (builder, TOP_REASON,
                                     weft_stack_state_get_name (WEFT_STACK_WAITS (i)));
    }
}

static void
write_row (Functions *self, WeftTableBuilder *builder, WeftStackRoot root, const Row *row)
{
  weft_table_builder_begin_row (builder);
  if (root == WEFT_STACK_ROOT_THREAD)
    set_thread (self, builder, row->key);
  else if (root == WEFT_STACK_ROOT_PROCESS)
    set_process (self, builder, row->key);
  else
    set_name (self, builder, row->key);
  weft_table_builder_set_string (builder, TIME_KIND, "cpu");
  weft_table_builder_set_uint64 (builder, SELF, row->self[0].time);
  weft_answer_set_share (builder, SELF_SHARE, row->self[0].time, self->whole[0].time);
  weft_table_builder_set_uint64 (builder, TOTAL, row->total[0].time);
  weft_answer_set_share (builder, TOTAL_SHARE, row->total[0].time, self->whole[0].time);
  weft_table_builder_set_uint64 (builder, SAMPLES_SELF, row->self[0].count);
  weft_table_builder_set_uint64 (builder, SAMPLES, row->total[0].count);
  set_waits (self, builder, row);
}

static void
set_hint (Functions *self, WeftTableBuilder *builder)
{
  g_autofree char *hint = g_steal_pointer (&self->refusal);

  if (hint == NULL && self->whole[0].count == 0)
    hint = weft_cpu_hints_explain_parallel (self->scope);
  if (hint == NULL && weft_table_builder_get_n_rows (builder) == 0)
    hint = weft_cpu_hints_explain_nothing (&self->facts, self->scope);
  else if (hint == NULL && self->facts.n_samples == 0)
    hint = weft_cpu_hints_explain_no_samples (&self->facts);
  weft_table_builder_set_hint (builder, hint);
}

static WeftTable *
make_table (Functions *self, WeftStackRoot root, GError **error)
{
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "top", FALSE, error);
  WeftTableBuilder *builder;

  if (ranking == NULL)
    return NULL;
  g_array_sort_with_data (self->rows, compare_rows, self);
  for (guint i = 0; i < self->rows->len; i++)
    {
      Row *row = &g_array_index (self->rows, Row, i);

      weft_ranking_add (ranking, weft_rank_key (get_key (self, row)), i, row);
    }
  builder = weft_table_builder_new ("top");
  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  weft_wait_columns_add (builder);
  for (guint i = 0, n = weft_ranking_finish (ranking); i < n; i++)
    write_row (self, builder, root, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (self->scope->cursor == NULL)
    set_hint (self, builder);
  return weft_table_builder_finish (builder);
}

/* What the shares are shares of. */
static WeftTable *
make_whole (Functions *self)
{
  static const WeftTableColumn whole[] = {
    { "samples", NULL, WEFT_VALUE_UINT64 },
    { "cpu_time", NULL, WEFT_VALUE_DURATION },
    { "waits", NULL, WEFT_VALUE_UINT64 },
    { "off_cpu", NULL, WEFT_VALUE_DURATION },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("whole");

  weft_table_builder_add_columns (builder, whole, G_N_ELEMENTS (whole));
  if (self->rows->len > 0)
    {
      weft_table_builder_begin_row (builder);
      for (guint i = 0; i < 2; i++)
        {
          weft_table_builder_set_uint64 (builder, 2 * i, self->whole[i].count);
          weft_table_builder_set_uint64 (builder, 2 * i + 1, self->whole[i].time);
        }
    }
  return weft_table_builder_finish (builder);
}

static gboolean
run_top (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Functions) self = { .scope = scope };
  guint group = find_group (scope->group_by);
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (WeftTable) whole = NULL;
  gint64 begin, end;

  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) || !find_figures (&self, group, error))
    return FALSE;
  whole = make_whole (&self);
  table = make_table (&self, groups[group].root, error);
  if (table == NULL)
    return FALSE;
  weft_report_append (report, table);
  weft_report_append (report, whole);
  return weft_top_target_add (scope, report, error);
}

static const char *const group_words[] = { "function", "module",  "file", "line",
                                           "thread",   "process", NULL };

static const char *const order_words[] = {
  "self",    "total",      "samples",   "off_cpu", "off_cpu_self", "waits",     "idle",
  "lock",    "semaphore",  "ipc",       "io_read", "io_write",     "readiness", "sleep",
  "connect", "page_fault", "preempted", "other",   "unknown",      NULL,
};

const WeftAnalysisKind weft_analyze_top = {
  .name = "top",
  .summary = "Which functions ran, and which waited; target work apart",
  .run = run_top,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR |
             WEFT_ANALYSIS_OPTION_EXCLUDED | WEFT_ANALYSIS_OPTION_INLINES |
             WEFT_ANALYSIS_OPTION_REASONS,
  .groups = group_words,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
