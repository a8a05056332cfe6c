/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What took the most target time, ran most often, or was worst in another way. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-row-scan.h"
#include "weft-top-figures.h"
#include "weft-top-target.h"

#include <string.h>

#define DEFAULT_LIMIT 50
/* So many lanes of a row are named. */
#define MAX_LANES 3
/* And so many rows stand beside the functions. */
#define N_BESIDE 20

typedef struct
{
  const char *name;       /* of the group and of the first column */
  const char *expression; /* as queries know it; NULL: of origins, which they do not */
  WeftTableId table;      /* of the objects that rows stand for; WEFT_N_TABLES: they are texts */
  WeftColumnNumber text;  /* column of TABLE with their names */
} Group;

static const Group groups[] = {
  { "routine", "routine", WEFT_TABLE_ROUTINES, WEFT_ROUTINES_NAME },
  { "name", "name", WEFT_N_TABLES, 0 },
  { "lane", "lane", WEFT_TABLE_LANES, WEFT_LANES_NAME },
  { "kind", "lane.kind", WEFT_N_TABLES, 0 },
  { "source", "code_source", WEFT_TABLE_SOURCES, WEFT_SOURCES_PATH },
  { "origin", NULL, WEFT_TABLE_THREADS, WEFT_THREADS_NAME },
  { "submission", "submission", WEFT_TABLE_SUBMISSIONS, 0 },
  { "trace", "trace", WEFT_TABLE_TRACES, WEFT_TRACES_NAME },
  { "status", "status", WEFT_N_TABLES, 0 },
  { "queue", "queue", WEFT_TABLE_QUEUES, WEFT_QUEUES_NAME },
  { "tag", NULL, WEFT_N_TABLES, 0 },
};

typedef struct
{
  const WeftAnalysisScope *scope;
  const char *kind;
  const Group *group;
  char *expression;    /* what is grouped by, or NULL for origins */
  char *counter;       /* the expression of a counter, or NULL */
  const char *combine; /* how its values are combined */
  WeftTable *figures;  /* a row for each group: its key, then WEFT_TOP_N_FIGURES ones */
  double all;          /* ns of target time */
  GHashTable *names;   /* id → text of the store */
  GHashTable *lanes;   /* text of a key → GString of lane names */
  GHashTable *n_lanes; /* text of a key → number */
} Top;

static void
top_clear (Top *self)
{
  g_free (self->expression);
  g_free (self->counter);
  g_clear_object (&self->figures);
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_pointer (&self->lanes, g_hash_table_unref);
  g_clear_pointer (&self->n_lanes, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Top, top_clear)

/* ---- What is asked ---- */

static const Group *
find_group (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    if (strcmp (groups[i].name, name) == 0 ||
        (g_str_has_prefix (name, "tag:") && strcmp (groups[i].name, "tag") == 0))
      return &groups[i];
  g_return_val_if_reached (NULL);
}

typedef struct
{
  WeftStore *store;
  const char *name;
  gboolean is_found;
  guint64 aggregation;
  GString *others;
  GHashTable *told; /* names in OTHERS */
} CounterSearch;

static void
take_counter (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  CounterSearch *self = data;
  const char *name = weft_store_get_string (self->store, (guint32) values[0]);

  if (name == NULL || self->is_found)
    return;
  if (strcmp (name, self->name) == 0)
    {
      self->is_found = TRUE;
      self->aggregation = values[1];
    }
  else if (self->others->len < 200 && g_hash_table_add (self->told, (gpointer) name))
    g_string_append_printf (self->others, "%s%s", self->others->len > 0 ? ", " : "", name);
}

/* A counter's values are combined over dispatches as its producer wants it; what is the last of
 * many lanes is not told apart from any.
 */
static gboolean
find_counter (Top *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_COUNTERS_NAME, WEFT_COUNTERS_AGGREGATION };
  static const char *const combine[] = { [WEFT_AGGREGATION_SUM] = "sum",
                                         [WEFT_AGGREGATION_MEAN] = "mean",
                                         [WEFT_AGGREGATION_MIN] = "min",
                                         [WEFT_AGGREGATION_MAX] = "max",
                                         [WEFT_AGGREGATION_LAST] = "mean" };
  g_autoptr (GString) others = g_string_new (NULL);
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);
  CounterSearch search = { .store = self->scope->store, .others = others, .told = told };

  if (!g_str_has_prefix (self->scope->order_by, "counter:"))
    return TRUE;
  search.name = self->scope->order_by + strlen ("counter:");
  if (!weft_scan_rows (self->scope->store, WEFT_TABLE_COUNTERS, columns, 2, take_counter, &search,
                       self->scope->cancellable, error))
    return FALSE;
  if (!search.is_found)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   others->len > 0 ? "The recording has no counter “%s”; it has: %s"
                                   : "The recording has no counter “%s”, nor any other%s",
                   search.name, others->str);
      return FALSE;
    }
  self->counter = g_strdup (self->scope->order_by);
  self->combine = combine[MIN (search.aggregation, WEFT_AGGREGATION_LAST)];
  return TRUE;
}

/* ---- Figures ---- */

static gboolean
find_all (Top *self, GError **error)
{
  g_autoptr (WeftQuery) query = weft_top_query_new (self->scope, error);
  g_autoptr (WeftTable) table = NULL;

  if (query == NULL || !weft_query_select (query, "sum(duration)", NULL, error))
    return FALSE;
  table = weft_query_run (query, self->scope->recording, self->scope->cancellable, error);
  if (table == NULL)
    return FALSE;
  self->all = weft_table_is_null (table, 0, 0) ? 0 : weft_table_get_double (table, 0, 0);
  return TRUE;
}

static gboolean
find_figures (Top *self, GError **error)
{
  if (self->expression != NULL)
    self->figures =
        weft_top_query (self->scope, self->expression, self->counter, self->combine, error);
  else
    self->figures = weft_top_query_origins (self->scope, self->counter, self->combine, error);
  return self->figures != NULL && find_all (self, error);
}

/* ---- Names ---- */

static void
take_name (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Top *self = data;
  const char *text = weft_store_get_string (self->scope->store, (guint32) values[1]);
  guint64 id = values[0];

  if (text != NULL && g_hash_table_contains (self->names, &id))
    g_hash_table_insert (self->names, g_memdup2 (&id, sizeof id), (gpointer) text);
}

/* Of the objects on the page. */
static gboolean
find_names (Top *self, GError **error)
{
  /* The id is the first column of each of these tables. */
  WeftColumnNumber columns[2] = { 0, self->group->text };

  if (self->group->table == WEFT_N_TABLES || self->group->text == 0)
    return TRUE;
  columns[0] = weft_model_find_field (self->group->table, "id")->column;
  self->names = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < weft_table_get_n_rows (self->figures); i++)
    {
      guint64 id = weft_table_get_uint64 (self->figures, 0, i);

      g_hash_table_insert (self->names, g_memdup2 (&id, sizeof id), NULL);
    }
  return weft_scan_rows (self->scope->store, self->group->table, columns, 2, take_name, self,
                         self->scope->cancellable, error);
}

static void
add_lane (Top *self, WeftTable *table, guint row)
{
  g_autofree char *key = weft_table_get_text (table, 0, row);
  GString *lanes = g_hash_table_lookup (self->lanes, key);
  const char *name = weft_table_get_string (table, 1, row);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->n_lanes, key));

  if (lanes == NULL || weft_table_is_null (table, 1, row))
    return;
  if (n < MAX_LANES)
    g_string_append_printf (lanes, "%s%s", n > 0 ? ", " : "", name);
  else if (n == MAX_LANES)
    g_string_append (lanes, ", …");
  g_hash_table_replace (self->n_lanes, g_steal_pointer (&key), GUINT_TO_POINTER (n + 1));
}

static void
string_free (gpointer data)
{
  g_string_free (data, TRUE);
}

/* Which lanes the groups on the page ran on, those of the most dispatches first. */
static gboolean
find_lanes (Top *self, GError **error)
{
  g_autoptr (WeftQuery) query = weft_top_query_new (self->scope, error);
  g_autoptr (WeftTable) table = NULL;

  self->lanes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, string_free);
  self->n_lanes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (self->expression == NULL)
    return query != NULL;
  for (guint i = 0; i < weft_table_get_n_rows (self->figures); i++)
    g_hash_table_insert (self->lanes, weft_table_get_text (self->figures, 0, i),
                         g_string_new (NULL));
  if (query == NULL || !weft_query_group_by (query, self->expression, "key", error) ||
      !weft_query_group_by (query, "lane.name", "lane_name", error) ||
      !weft_query_select (query, "count", NULL, error) ||
      !weft_query_order_by (query, "count", TRUE, error))
    return FALSE;
  table = weft_query_run (query, self->scope->recording, self->scope->cancellable, error);
  if (table == NULL)
    return FALSE;
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    add_lane (self, table, i);
  return TRUE;
}

/* ---- Rows ---- */

enum
{
  KEY,
  NAME,
  SHARE,
  LANES,
  LANE_NAMES,
  TIME_KIND,
  N_COLUMNS
};

/* Where the columns of an answer are; not all answers have all of them. */
typedef struct
{
  guint places[N_COLUMNS];
  guint figures[WEFT_TOP_N_FIGURES];
  guint counter;
} Layout;

static guint
add_counter (Top *self, WeftTableBuilder *builder)
{
  return weft_table_builder_add_column (
      builder,
      &(WeftTableColumn){ "counter", self->counter + strlen ("counter:"), WEFT_VALUE_DOUBLE,
                          weft_table_get_column_unit (self->figures, 1 + WEFT_TOP_N_FIGURES) });
}

static void
add_columns (Top *self, WeftTableBuilder *builder, Layout *layout)
{
  gboolean has_objects = self->group->table != WEFT_N_TABLES;
  const WeftTableColumn columns[N_COLUMNS] = {
    [KEY] = { self->group->name, NULL, has_objects ? WEFT_VALUE_ID : WEFT_VALUE_STRING, NULL,
              has_objects ? weft_model_get_table (self->group->table)->prefix : NULL },
    [NAME] = { "name", NULL, WEFT_VALUE_STRING },
    [TIME_KIND] = { "time_kind", NULL, WEFT_VALUE_STRING },
    [LANES] = { "lanes", NULL, WEFT_VALUE_UINT64 },
    [LANE_NAMES] = { "lane_names", NULL, WEFT_VALUE_STRING },
    [SHARE] = { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  };

  for (guint i = KEY; i <= NAME; i++)
    if (i != NAME || has_objects)
      layout->places[i] = weft_table_builder_add_column (builder, &columns[i]);
  if (self->counter != NULL)
    layout->counter = add_counter (self, builder);
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    {
      layout->figures[i] = weft_table_builder_add_column (
          builder, &(WeftTableColumn){ weft_top_columns[i].name, NULL, weft_top_columns[i].type });
      if (i == WEFT_TOP_TOTAL)
        layout->places[SHARE] = weft_table_builder_add_column (builder, &columns[SHARE]);
    }
  for (guint i = SHARE + 1; i < N_COLUMNS; i++)
    layout->places[i] = weft_table_builder_add_column (builder, &columns[i]);
}

static void
write_figures (Top *self, WeftTableBuilder *builder, const Layout *layout, guint row)
{
  for (guint i = 0; i < WEFT_TOP_N_FIGURES; i++)
    if (!weft_table_is_null (self->figures, 1 + i, row))
      weft_table_builder_set_uint64 (
          builder, layout->figures[i],
          weft_table_get_column_type (self->figures, 1 + i) == WEFT_VALUE_DOUBLE
              ? (guint64) (weft_table_get_double (self->figures, 1 + i, row) + 0.5)
              : weft_table_get_uint64 (self->figures, 1 + i, row));
  if (self->counter != NULL && !weft_table_is_null (self->figures, 1 + WEFT_TOP_N_FIGURES, row))
    weft_table_builder_set_double (
        builder, layout->counter,
        weft_table_get_double (self->figures, 1 + WEFT_TOP_N_FIGURES, row));
}

static void
write_row (Top *self, WeftTableBuilder *builder, const Layout *layout, guint row)
{
  g_autofree char *key = weft_table_get_text (self->figures, 0, row);
  gboolean has_key = !weft_table_is_null (self->figures, 0, row);
  const GString *lanes = g_hash_table_lookup (self->lanes, key);
  double total = weft_table_get_double (self->figures, 1 + WEFT_TOP_TOTAL, row);

  weft_table_builder_begin_row (builder);
  if (self->group->table != WEFT_N_TABLES)
    {
      guint64 id = has_key ? weft_table_get_uint64 (self->figures, 0, row) : 0;

      weft_table_builder_set_uint64 (builder, layout->places[KEY], id);
      if (self->names != NULL)
        weft_table_builder_set_string (builder, layout->places[NAME],
                                       g_hash_table_lookup (self->names, &id));
    }
  else if (has_key)
    weft_table_builder_set_string (builder, layout->places[KEY], key);
  weft_table_builder_set_string (builder, layout->places[TIME_KIND], "target");
  if (lanes != NULL)
    {
      weft_table_builder_set_uint64 (builder, layout->places[LANES],
                                     GPOINTER_TO_UINT (g_hash_table_lookup (self->n_lanes, key)));
      weft_table_builder_set_string (builder, layout->places[LANE_NAMES], lanes->str);
    }
  if (self->all > 0)
    weft_table_builder_set_double (builder, layout->places[SHARE], 100.0 * total / self->all);
  write_figures (self, builder, layout, row);
}

static WeftTable *
make_table (Top *self)
{
  WeftTableBuilder *builder = weft_table_builder_new (self->kind);
  Layout layout = { 0 };

  add_columns (self, builder, &layout);
  for (guint i = 0; i < weft_table_get_n_rows (self->figures); i++)
    write_row (self, builder, &layout, i);
  weft_table_builder_set_cursor (builder, weft_table_get_cursor (self->figures));
  if (weft_table_get_n_rows (self->figures) == 0 && self->scope->cursor == NULL)
    weft_scope_set_nothing (self->scope, builder);
  return weft_table_builder_finish (builder);
}

static gboolean
run_kind (const WeftAnalysisScope *scope, const char *kind, const char *group, WeftReport *report,
          GError **error)
{
  g_auto (Top) self = { .scope = scope, .kind = kind, .group = find_group (group) };
  g_autoptr (WeftTable) table = NULL;
  gint64 begin, end;

  self.expression = g_strdup (g_str_has_prefix (group, "tag:") ? group : self.group->expression);
  if (!weft_scope_find_range (scope, &begin, &end, error) || !find_counter (&self, error) ||
      !find_figures (&self, error) || !find_names (&self, error) || !find_lanes (&self, error))
    return FALSE;
  table = make_table (&self);
  weft_report_append (report, table);
  return TRUE;
}

static gboolean
run_target_top (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  return run_kind (scope, "target-top", scope->group_by, report, error);
}

gboolean
weft_top_target_add (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  WeftAnalysisScope target = *scope;
  g_autoptr (GError) failure = NULL;

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_DISPATCHES) == 0 || scope->cursor != NULL)
    return TRUE;
  target.order_by = "time";
  target.limit = N_BESIDE;
  if (run_kind (&target, "target", "name", report, &failure))
    return TRUE;
  if (scope->filter != NULL && g_error_matches (failure, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static const char *const group_words[] = { "routine", "name",   "lane",       "kind",
                                           "source",  "origin", "submission", "trace",
                                           "status",  "queue",  "tag:",       NULL };

static const char *const order_words[] = { "time",   "self",       "count",    "mean",
                                           "p50",    "p95",        "p99",      "max",
                                           "errors", "queue_wait", "counter:", NULL };

const WeftAnalysisKind weft_analyze_target_top = {
  .name = "target-top",
  .summary = "What took the most target time, or was first in another way",
  .run = run_target_top,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR,
  .groups = group_words,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
