/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every lane, what ran on it, and where the rest of what was handed over went. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-derived.h"
#include "weft-enum-types.h"
#include "weft-lane-figures.h"
#include "weft-row-scan.h"
#include "weft-vocabulary.h"

enum
{
  LANE,
  NAME,
  KIND,
  KIND_LABEL,
  ICON_NAME,
  COLOR,
  PARENT,
  PROCESS,
  PID,
  PROCESS_NAME,
  RUNTIME,
  RUNTIME_NAME,
  FIRST,
  LAST,
  DISPATCHES,
  TOTAL,
  BUSY,
  UTILISATION,
  SELF,
  MEAN,
  LONGEST,
  ERRORS,
  CANCELED,
  SUBMITTED,
  COMPLETED,
  PENDING,
  SAMPLED_OUT,
  REJECTED,
  LOST,
  ADDS_UP,
  CLOSED,
  QUEUES,
  WARNINGS,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [LANE] = { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  [NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [KIND] = { "kind", NULL, WEFT_VALUE_STRING },
  [KIND_LABEL] = { "kind_label", NULL, WEFT_VALUE_STRING },
  [ICON_NAME] = { "icon_name", NULL, WEFT_VALUE_STRING },
  [COLOR] = { "color", NULL, WEFT_VALUE_STRING },
  [PARENT] = { "parent", NULL, WEFT_VALUE_ID, NULL, "l" },
  [PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [PID] = { "pid", NULL, WEFT_VALUE_UINT64 },
  [PROCESS_NAME] = { "process_name", NULL, WEFT_VALUE_STRING },
  [RUNTIME] = { "runtime", NULL, WEFT_VALUE_ID, NULL, "rt" },
  [RUNTIME_NAME] = { "runtime_name", NULL, WEFT_VALUE_STRING },
  [FIRST] = { "first", NULL, WEFT_VALUE_TIME },
  [LAST] = { "last", NULL, WEFT_VALUE_TIME },
  [DISPATCHES] = { "dispatches", NULL, WEFT_VALUE_UINT64 },
  [TOTAL] = { "total", NULL, WEFT_VALUE_DURATION },
  [BUSY] = { "busy", NULL, WEFT_VALUE_DURATION },
  [UTILISATION] = { "utilisation", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [SELF] = { "self", NULL, WEFT_VALUE_DURATION },
  [MEAN] = { "mean", NULL, WEFT_VALUE_DURATION },
  [LONGEST] = { "longest", NULL, WEFT_VALUE_DURATION },
  [ERRORS] = { "errors", NULL, WEFT_VALUE_UINT64 },
  [CANCELED] = { "canceled", NULL, WEFT_VALUE_UINT64 },
  [SUBMITTED] = { "submitted", NULL, WEFT_VALUE_UINT64 },
  [COMPLETED] = { "completed", NULL, WEFT_VALUE_UINT64 },
  [PENDING] = { "pending", NULL, WEFT_VALUE_UINT64 },
  [SAMPLED_OUT] = { "sampled_out", NULL, WEFT_VALUE_UINT64 },
  [REJECTED] = { "rejected", NULL, WEFT_VALUE_UINT64 },
  [LOST] = { "lost", NULL, WEFT_VALUE_UINT64 },
  [ADDS_UP] = { "adds_up", NULL, WEFT_VALUE_BOOLEAN },
  [CLOSED] = { "closed", NULL, WEFT_VALUE_TIME },
  [QUEUES] = { "queues", NULL, WEFT_VALUE_UINT64 },
  [WARNINGS] = { "warnings", NULL, WEFT_VALUE_UINT64 },
};

/* What other tables say about a lane. */
typedef struct
{
  gboolean is_counted;
  guint64 counts[LOST - SUBMITTED + 1]; /* of the last row */
  gboolean is_closed;
  gint64 closed;
  guint64 n_queues;
  guint64 n_warnings;
} Facts;

/* What was lost of one lane for one reason. */
typedef struct
{
  guint32 lane;
  guint32 runtime;
  guint32 category;
  guint32 reason;
  guint64 count;
} Loss;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftLaneTable *figures;
  GHashTable *facts;        /* lane → Facts */
  GArray *losses;           /* element type Loss */
  GHashTable *wanted;       /* lanes, or NULL for all */
  WeftSelection *selection; /* of dispatches; NULL: all */
  WeftVocabulary *words;
  guint64 span; /* that the utilisation is of */
  WeftTableBuilder *builder;
  GHashTable *shown;
} Lanes;

static Facts *
get_facts (Lanes *self, guint64 lane)
{
  Facts *facts = g_hash_table_lookup (self->facts, GUINT_TO_POINTER ((guint) lane));

  if (facts == NULL)
    {
      facts = g_new0 (Facts, 1);
      g_hash_table_insert (self->facts, GUINT_TO_POINTER ((guint) lane), facts);
    }
  return facts;
}

/* ---- Facts ---- */

static void
take_counts (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Facts *facts = get_facts (data, values[0]);

  facts->is_counted = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (facts->counts); i++)
    facts->counts[i] = values[1 + i];
}

static void
take_end (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Facts *facts = get_facts (data, values[0]);

  facts->is_closed = TRUE;
  facts->closed = (gint64) values[1];
}

static void
take_queue (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  get_facts (data, values[0])->n_queues++;
}

static void
take_warning (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Lanes *self = data;
  gint64 time = (gint64) values[1];

  if (weft_scope_overlaps (self->scope, time, time))
    get_facts (self, values[0])->n_warnings++;
}

static void
take_loss (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Lanes *self = data;
  Loss loss = { (guint32) values[0], (guint32) values[1], (guint32) values[2], (guint32) values[3],
                values[4] };

  g_array_append_val (self->losses, loss);
}

static gboolean
read_facts (Lanes *self, GError **error)
{
  static const WeftColumnNumber counts[] = {
    WEFT_LANE_COUNTS_LANE,    WEFT_LANE_COUNTS_SUBMITTED,   WEFT_LANE_COUNTS_COMPLETED,
    WEFT_LANE_COUNTS_PENDING, WEFT_LANE_COUNTS_SAMPLED_OUT, WEFT_LANE_COUNTS_REJECTED,
    WEFT_LANE_COUNTS_LOST,
  };
  static const WeftColumnNumber ends[] = { WEFT_LANE_ENDS_LANE, WEFT_LANE_ENDS_TIME };
  static const WeftColumnNumber queues[] = { WEFT_QUEUES_LANE };
  static const WeftColumnNumber warnings[] = { WEFT_WARNINGS_LANE, WEFT_WARNINGS_TIME };
  static const WeftColumnNumber losses[] = { WEFT_LOSSES_LANE, WEFT_LOSSES_RUNTIME,
                                             WEFT_LOSSES_CATEGORY, WEFT_LOSSES_REASON,
                                             WEFT_LOSSES_COUNT };
  const struct
  {
    WeftTableId table;
    const WeftColumnNumber *columns;
    guint n_columns;
    WeftRowFunc take;
  } tables[] = {
    { WEFT_TABLE_LANE_COUNTS, counts, G_N_ELEMENTS (counts), take_counts },
    { WEFT_TABLE_LANE_ENDS, ends, G_N_ELEMENTS (ends), take_end },
    { WEFT_TABLE_QUEUES, queues, G_N_ELEMENTS (queues), take_queue },
    { WEFT_TABLE_WARNINGS, warnings, G_N_ELEMENTS (warnings), take_warning },
    { WEFT_TABLE_LOSSES, losses, G_N_ELEMENTS (losses), take_loss },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!weft_scan_rows (self->scope->store, tables[i].table, tables[i].columns,
                         tables[i].n_columns, tables[i].take, self, self->scope->cancellable,
                         error))
      return FALSE;
  return TRUE;
}

/* ---- Rows ---- */

/* What the domains that were in force when it was recorded say of the kind. */
static void
set_words (Lanes *self, const char *kind)
{
  if (kind == NULL)
    return;
  weft_table_builder_set_string (self->builder, KIND_LABEL,
                                 weft_vocabulary_get_label (self->words, kind));
  weft_table_builder_set_string (self->builder, ICON_NAME,
                                 weft_vocabulary_get_icon_name (self->words, kind));
  weft_table_builder_set_string (self->builder, COLOR,
                                 weft_vocabulary_get_color (self->words, kind));
}

static void
set_names (Lanes *self, const WeftCatalogLane *lane)
{
  const WeftCatalogRuntime *runtime = weft_catalog_get_runtime (self->catalog, lane->runtime);
  const WeftCatalogProcess *process = weft_catalog_get_lane_process (self->catalog, lane);

  weft_table_builder_set_uint64 (self->builder, LANE, lane->id);
  weft_table_builder_set_string (self->builder, NAME, lane->name);
  weft_table_builder_set_string (self->builder, KIND, lane->kind);
  set_words (self, lane->kind);
  weft_table_builder_set_uint64 (self->builder, PARENT, lane->parent);
  weft_table_builder_set_uint64 (self->builder, RUNTIME, lane->runtime);
  if (runtime != NULL)
    weft_table_builder_set_string (self->builder, RUNTIME_NAME, runtime->name);
  if (process == NULL)
    return;
  weft_table_builder_set_uint64 (self->builder, PROCESS, process->id);
  weft_table_builder_set_uint64 (self->builder, PID, process->pid);
  weft_table_builder_set_string (self->builder, PROCESS_NAME, process->name);
}

static void
set_figures (Lanes *self, const WeftLaneFigures *figures)
{
  static const WeftLaneFigures none;

  if (figures != NULL)
    {
      weft_table_builder_set_int64 (self->builder, FIRST, figures->first);
      weft_table_builder_set_int64 (self->builder, LAST, figures->last);
      weft_table_builder_set_uint64 (self->builder, MEAN,
                                     (guint64) (figures->sum / (double) figures->count + 0.5));
      weft_table_builder_set_uint64 (self->builder, LONGEST, figures->longest);
    }
  else
    figures = &none;
  weft_table_builder_set_uint64 (self->builder, DISPATCHES, figures->count);
  weft_table_builder_set_uint64 (self->builder, TOTAL, figures->total);
  weft_table_builder_set_uint64 (self->builder, BUSY, figures->busy);
  weft_table_builder_set_uint64 (self->builder, SELF, figures->self);
  weft_table_builder_set_uint64 (self->builder, ERRORS, figures->errors);
  weft_table_builder_set_uint64 (self->builder, CANCELED, figures->canceled);
  if (self->span > 0)
    weft_table_builder_set_double (self->builder, UTILISATION,
                                   100.0 * (double) figures->busy / (double) self->span);
}

static void
set_facts (Lanes *self, const Facts *facts)
{
  guint64 accounted = 0;

  weft_table_builder_set_uint64 (self->builder, QUEUES, facts == NULL ? 0 : facts->n_queues);
  weft_table_builder_set_uint64 (self->builder, WARNINGS, facts == NULL ? 0 : facts->n_warnings);
  if (facts != NULL && facts->is_closed)
    weft_table_builder_set_int64 (self->builder, CLOSED, facts->closed);
  if (facts == NULL || !facts->is_counted)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (facts->counts); i++)
    {
      weft_table_builder_set_uint64 (self->builder, SUBMITTED + i, facts->counts[i]);
      if (SUBMITTED + i != SUBMITTED)
        accounted += facts->counts[i];
    }
  weft_table_builder_set_uint64 (self->builder, ADDS_UP, facts->counts[0] == accounted);
}

static gboolean
is_wanted (Lanes *self, guint32 lane)
{
  return self->wanted == NULL || g_hash_table_contains (self->wanted, GUINT_TO_POINTER (lane));
}

static void
add_lane (Lanes *self, const WeftCatalogLane *lane)
{
  if (!is_wanted (self, lane->id))
    return;
  weft_table_builder_begin_row (self->builder);
  set_names (self, lane);
  set_figures (self, weft_lane_table_get (self->figures, lane->id));
  set_facts (self, g_hash_table_lookup (self->facts, GUINT_TO_POINTER (lane->id)));
}

/* Lanes by id, each followed by those that are parts of it: the next ones are pushed in reverse. A
 * hostile file may make circles of parents: what is shown is shown once.
 */
static void
add_family (Lanes *self, GHashTable *children, const WeftCatalogLane *lane)
{
  g_autoptr (GPtrArray) next = g_ptr_array_new ();

  g_ptr_array_add (next, (gpointer) lane);
  while (next->len > 0)
    {
      const WeftCatalogLane *at = g_ptr_array_steal_index (next, next->len - 1);
      const GPtrArray *parts = g_hash_table_lookup (children, GUINT_TO_POINTER (at->id));

      if (!g_hash_table_add (self->shown, GUINT_TO_POINTER (at->id)))
        continue;
      add_lane (self, at);
      for (guint i = parts == NULL ? 0 : parts->len; i-- > 0;)
        g_ptr_array_add (next, g_ptr_array_index (parts, i));
    }
}

static GHashTable *
find_children (WeftCatalog *catalog)
{
  GHashTable *children =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);

  for (guint i = 0; i < weft_catalog_get_n_lanes (catalog); i++)
    {
      const WeftCatalogLane *lane = weft_catalog_get_nth_lane (catalog, i);
      GPtrArray *parts = g_hash_table_lookup (children, GUINT_TO_POINTER (lane->parent));

      if (parts == NULL)
        {
          parts = g_ptr_array_new ();
          g_hash_table_insert (children, GUINT_TO_POINTER (lane->parent), parts);
        }
      g_ptr_array_add (parts, (gpointer) lane);
    }
  return children;
}

static void
add_lanes (Lanes *self)
{
  g_autoptr (GHashTable) children = find_children (self->catalog);
  guint n_lanes = weft_catalog_get_n_lanes (self->catalog);

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < n_lanes; i++)
      {
        const WeftCatalogLane *lane = weft_catalog_get_nth_lane (self->catalog, i);

        /* In the end those that only a circle leads to. */
        if (pass == 1 || weft_catalog_get_lane (self->catalog, lane->parent) == NULL)
          add_family (self, children, lane);
      }
}

/* ---- Losses ---- */

static int
compare_losses (gconstpointer a, gconstpointer b)
{
  const guint32 *key_a = a;
  const guint32 *key_b = b;

  /* Lane, runtime, category, reason. */
  for (guint i = 0; i < 4; i++)
    if (key_a[i] != key_b[i])
      return key_a[i] < key_b[i] ? -1 : 1;
  return 0;
}

static WeftTable *
make_losses (Lanes *self)
{
  static const WeftTableColumn loss_columns[] = {
    { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
    { "name", NULL, WEFT_VALUE_STRING },
    { "runtime", NULL, WEFT_VALUE_ID, NULL, "rt" },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("losses");
  const Loss *losses = (const Loss *) (gconstpointer) self->losses->data;

  weft_table_builder_add_columns (builder, loss_columns, G_N_ELEMENTS (loss_columns));
  weft_table_builder_add_enum (builder, &(WeftTableColumn){ "category", NULL, WEFT_VALUE_ENUM },
                               WEFT_TYPE_LOSS_CATEGORY);
  weft_table_builder_add_column (builder, &(WeftTableColumn){ "reason", NULL, WEFT_VALUE_STRING });
  weft_table_builder_add_column (builder, &(WeftTableColumn){ "count", NULL, WEFT_VALUE_UINT64 });

  g_array_sort (self->losses, compare_losses);
  for (guint i = 0; i < self->losses->len;)
    {
      const Loss *loss = &losses[i];
      guint64 count = 0;

      for (; i < self->losses->len && compare_losses (loss, &losses[i]) == 0; i++)
        count += losses[i].count;
      if (!is_wanted (self, loss->lane))
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, loss->lane);
      weft_table_builder_set_string (builder, 1,
                                     weft_catalog_get_lane_name (self->catalog, loss->lane));
      weft_table_builder_set_uint64 (builder, 2, loss->runtime);
      weft_table_builder_set_uint64 (builder, 3, loss->category);
      weft_table_builder_set_string (builder, 4,
                                     weft_store_get_string (self->scope->store, loss->reason));
      weft_table_builder_set_uint64 (builder, 5, count);
    }
  return weft_table_builder_finish (builder);
}

static WeftTable *
make_lanes (Lanes *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("target-lanes");

  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  self->builder = builder;
  add_lanes (self);
  if (weft_table_builder_get_n_rows (builder) == 0)
    weft_scope_set_nothing (self->scope, builder);
  return weft_table_builder_finish (builder);
}

static const char *
get_kind (guint64 id, gpointer data)
{
  return weft_catalog_get_lane_kind (((Lanes *) data)->catalog, (guint32) id);
}

/* A filter that is about lanes chooses lanes; one that is about dispatches leaves those lanes of
 * which it leaves any, and figures of what it leaves.
 */
static gboolean
find_figures (Lanes *self, GError **error)
{
  if (weft_scope_filters_lanes_only (self->scope))
    {
      if (!weft_scope_select_lanes (self->scope, &self->wanted, error))
        return FALSE;
    }
  else if (!weft_scope_select_dispatches (self->scope, &self->selection, error))
    return FALSE;
  self->figures = weft_lane_table_new (self->scope, self->selection, error);
  if (self->figures == NULL || self->selection == NULL)
    return self->figures != NULL;

  self->wanted = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_catalog_get_n_lanes (self->catalog); i++)
    {
      guint32 lane = weft_catalog_get_nth_lane (self->catalog, i)->id;

      if (weft_lane_table_get (self->figures, lane) != NULL)
        g_hash_table_add (self->wanted, GUINT_TO_POINTER (lane));
    }
  return TRUE;
}

static void
lanes_clear (Lanes *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->figures, weft_lane_table_free);
  g_clear_pointer (&self->facts, g_hash_table_unref);
  g_clear_pointer (&self->losses, g_array_unref);
  g_clear_pointer (&self->wanted, g_hash_table_unref);
  g_clear_pointer (&self->selection, weft_selection_free);
  g_clear_object (&self->words);
  g_clear_pointer (&self->shown, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lanes, lanes_clear)

static gboolean
run_lanes (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Lanes) self = { .scope = scope };
  g_autoptr (WeftTable) lanes = NULL;
  g_autoptr (WeftTable) losses = NULL;
  gint64 begin, end;

  self.facts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self.losses = g_array_new (FALSE, FALSE, sizeof (Loss));
  self.shown = g_hash_table_new (NULL, NULL);
  self.words = weft_recording_get_vocabulary (scope->recording);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL || !weft_scope_find_range (scope, &begin, &end, error) ||
      !read_facts (&self, error))
    return FALSE;
  self.span = (guint64) end - (guint64) begin;
  if (!find_figures (&self, error))
    return FALSE;
  lanes = make_lanes (&self);
  losses = make_losses (&self);
  weft_report_append (report, lanes);
  weft_report_append (report, losses);
  return weft_derived_add_table (scope, self.selection, WEFT_COUNTERS_BY_LANE, lanes, get_kind,
                                 &self, report, error);
}

const WeftAnalysisKind weft_analyze_lanes = {
  .name = "target-lanes",
  .summary = "Every lane, how busy it was, and where what was handed to it went",
  .run = run_lanes,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE,
};
