/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exact figures come from a query each for routines, lanes and sources; how far off they may be,
 * from one reading of the dispatches.
 */

#include "weft-analysis-scope.h"
#include "weft-compare-parts.h"
#include "weft-dispatch-noise.h"
#include "weft-row-scan.h"

#include <math.h>
#include <string.h>

/* The spread of medians between recordings of one program on a busy machine is some 1.5 %, of
 * means and of tails some 20 %: docs/compare.md.
 */
static const WeftFigure figures[WEFT_N_TIMES] = {
  [WEFT_TIME_TOTAL] = { "total", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .05, .25, 1, TRUE },
  [WEFT_TIME_COUNT] = { "count", "count", WEFT_POLARITY_NEUTRAL, WEFT_SCALE_RATIO, 0, .05, .5,
                        TRUE },
  [WEFT_TIME_MEAN] = { "mean", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .05, .25, .5, FALSE },
  [WEFT_TIME_P50] = { "p50", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .01, .03, 1, FALSE },
  [WEFT_TIME_P95] = { "p95", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .05, .25, .5, FALSE },
  [WEFT_TIME_P99] = { "p99", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .1, .5, .25, FALSE },
};

/* The part of all dispatches that a change of the figure is about. */
static const double parts[WEFT_N_TIMES] = { 1, 1, 1, 1, .05, .01 };

enum
{
  ROUTINE,
  LANE,
  SOURCE
};

typedef struct
{
  const char *scope;
  const char *groups[7]; /* expressions and names, NULL-terminated */
} Sort;

static const Sort sorts[WEFT_N_GROUP_SORTS] = {
  [ROUTINE] = { "routine",
                { "lane.kind", "kind", "lane.name", "lane", "routine.name", "name", NULL } },
  [LANE] = { "lane", { "lane.kind", "kind", "lane.name", "lane", NULL } },
  [SOURCE] = { "source", { "routine.source.path", "name", NULL } },
};

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftDispatchNoise *noise;
  WeftTable *tables[WEFT_N_GROUP_SORTS];
  guint first_group[WEFT_N_GROUP_SORTS];
  GHashTable *numbers[WEFT_N_GROUP_SORTS]; /* text of a group's key → its number */
  GHashTable *sources;                     /* routine → path of its source, of the store */
} Times;

static void
times_clear (Times *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->noise, weft_dispatch_noise_free);
  g_clear_pointer (&self->sources, g_hash_table_unref);
  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    {
      g_clear_object (&self->tables[sort]);
      g_clear_pointer (&self->numbers[sort], g_hash_table_unref);
    }
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Times, times_clear)

/* ---- Groups ---- */

static char *
make_key (const char *kind, const char *lane, const char *name)
{
  return g_strdup_printf ("%s\n%s\n%s", kind ? kind : "", lane ? lane : "", name ? name : "");
}

static gboolean
read_figures (Times *self, guint sort, GError **error)
{
  static const char *const selects[] = {
    "count",
    "count",
    "sum(duration)",
    "total",
    "mean(duration)",
    "mean",
    "p50(duration)",
    "p50",
    "p95(duration)",
    "p95",
    "p99(duration)",
    "p99",
    NULL,
  };
  WeftTable *table;

  if (sort == SOURCE && weft_store_get_n_rows (self->scope->store, WEFT_TABLE_SOURCES) == 0)
    return TRUE;
  table = weft_compare_query (self->scope, "dispatches", sorts[sort].groups, selects, error);
  if (table == NULL)
    return FALSE;
  self->tables[sort] = table;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      guint group = weft_dispatch_noise_add_group (
          self->noise, (guint64) weft_compare_get_number (table, "count", row));

      if (row == 0)
        self->first_group[sort] = group;
      g_hash_table_insert (self->numbers[sort],
                           make_key (weft_compare_get_text (table, "kind", row),
                                     weft_compare_get_text (table, "lane", row),
                                     weft_compare_get_text (table, "name", row)),
                           GUINT_TO_POINTER (group));
    }
  return TRUE;
}

static guint
find_group (Times *self, guint sort, const char *kind, const char *lane, const char *name)
{
  g_autofree char *key = make_key (kind, lane, name);
  gpointer group;

  return g_hash_table_lookup_extended (self->numbers[sort], key, NULL, &group)
             ? GPOINTER_TO_UINT (group)
             : G_MAXUINT;
}

static void
take_routine (guint64 id, const guint64 *values, guint32 present, gpointer data)
{
  Times *self = data;

  g_hash_table_insert (self->sources, GUINT_TO_POINTER ((guint) id),
                       GUINT_TO_POINTER ((guint) values[0]));
}

static void
take_source (guint64 id, const guint64 *values, guint32 present, gpointer data)
{
  g_hash_table_insert (data, GUINT_TO_POINTER ((guint) id), GUINT_TO_POINTER ((guint) values[0]));
}

/* Replaces the source of each routine by the id of its path. */
static gboolean
read_sources (Times *self, GError **error)
{
  static const WeftColumnNumber source[] = { WEFT_ROUTINES_SOURCE };
  static const WeftColumnNumber path[] = { WEFT_SOURCES_PATH };
  g_autoptr (GHashTable) paths = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer value;

  self->sources = g_hash_table_new (NULL, NULL);
  if (!weft_scan_rows (self->scope->store, WEFT_TABLE_ROUTINES, source, 1, take_routine, self,
                       self->scope->cancellable, error) ||
      !weft_scan_rows (self->scope->store, WEFT_TABLE_SOURCES, path, 1, take_source, paths,
                       self->scope->cancellable, error))
    return FALSE;
  g_hash_table_iter_init (&iter, self->sources);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_hash_table_iter_replace (&iter, g_hash_table_lookup (paths, value));
  return TRUE;
}

static void
add_pair (Times *self, const WeftGroupSummary *pair)
{
  const WeftCatalogLane *lane = weft_catalog_get_lane (self->catalog, pair->lane);
  guint32 path =
      GPOINTER_TO_UINT (g_hash_table_lookup (self->sources, GUINT_TO_POINTER (pair->routine)));
  const char *kind = lane ? lane->kind : NULL, *name = lane ? lane->name : NULL;
  guint groups[WEFT_N_GROUP_SORTS] = {
    find_group (self, ROUTINE, kind, name,
                weft_catalog_get_routine_name (self->catalog, pair->routine)),
    find_group (self, LANE, kind, name, NULL),
    find_group (self, SOURCE, NULL, NULL,
                path ? weft_store_get_string (self->scope->store, path) : NULL),
  };

  weft_dispatch_noise_add_pair (self->noise, pair->lane, pair->routine, groups);
}

static gboolean
read_noise (Times *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (GArray) pairs = weft_store_summarize (
      self->scope->store, WEFT_GROUP_BY_LANE | WEFT_GROUP_BY_ROUTINE, &failure);
  g_autoptr (WeftSelection) selection = NULL;
  gboolean is_read;

  if (pairs == NULL)
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  if (!read_sources (self, error) || !weft_scope_select_dispatches (self->scope, &selection, error))
    return FALSE;
  for (guint i = 0; i < pairs->len; i++)
    add_pair (self, &g_array_index (pairs, WeftGroupSummary, i));
  is_read = weft_dispatch_noise_read (self->noise, self->scope, selection, error);
  return is_read;
}

/* ---- Observations ---- */

static void
observe_row (Times *self, WeftMeasures *measures, guint sort, guint row)
{
  WeftTable *table = self->tables[sort];
  const WeftSubject subject = { sorts[sort].scope, weft_compare_get_text (table, "kind", row),
                                weft_compare_get_text (table, "lane", row),
                                weft_compare_get_text (table, "name", row) };
  double count = weft_compare_get_number (table, "count", row);

  for (guint i = 0; i < WEFT_N_TIMES; i++)
    {
      WeftObservation seen = { .value = weft_compare_get_number (table, figures[i].name, row) };
      WeftMeasure *measure;

      weft_dispatch_noise_get (self->noise, self->first_group[sort] + row, i, &seen);
      measure = weft_measures_observe (measures, &subject, &figures[i], &seen, (guint64) count);
      measure->weight = fmax (measure->weight, i == WEFT_TIME_TOTAL || i == WEFT_TIME_COUNT
                                                   ? weft_compare_get_number (table, "total", row)
                                                   : parts[i] * count * seen.value);
    }
}

static gboolean
is_of_none (Times *self, guint sort, guint row)
{
  const char *name = weft_compare_get_text (self->tables[sort], "name", row);

  return strcmp (sorts[sort].scope, "source") == 0 && (name == NULL || *name == '\0');
}

gboolean
weft_compare_dispatches (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  g_auto (Times) self = { .scope = scope };

  self.noise = weft_dispatch_noise_new ();
  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    self.numbers[sort] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL)
    return FALSE;
  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    if (!read_figures (&self, sort, error))
      return FALSE;
  if (!read_noise (&self, error))
    return FALSE;
  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    for (guint row = 0;
         self.tables[sort] != NULL && row < weft_table_get_n_rows (self.tables[sort]); row++)
      if (!is_of_none (&self, sort, row))
        observe_row (&self, measures, sort, row);
  return TRUE;
}
