/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Routines, lanes and sources are groups of the same dispatches, which are read for all of them at
 * once: what they took, and how far off that may be.
 */

#include "weft-analysis-scope.h"
#include "weft-catalog.h"
#include "weft-compare-parts.h"
#include "weft-dispatch-noise.h"
#include "weft-row-scan.h"

#include <math.h>

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

static const char *const scopes[WEFT_N_GROUP_SORTS] = {
  [ROUTINE] = "routine",
  [LANE] = "lane",
  [SOURCE] = "source",
};

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftDispatchGroups groups;
  GArray *subjects;    /* WeftSubject of each group; texts of the catalog and the store */
  GHashTable *numbers; /* text of a group's key → its number */
  GHashTable *sources; /* routine → path of its source */
  WeftDispatchTimes *times;
  WeftDispatchNoise *noise;
} Times;

static void
times_clear (Times *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  weft_dispatch_groups_clear (&self->groups);
  g_array_unref (self->subjects);
  g_hash_table_unref (self->numbers);
  g_clear_pointer (&self->sources, g_hash_table_unref);
  g_free (self->times);
  g_clear_pointer (&self->noise, weft_dispatch_noise_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Times, times_clear)

/* ---- Groups ---- */

static guint
take_group (Times *self, guint sort, const char *kind, const char *lane, const char *name)
{
  const WeftSubject subject = { scopes[sort], kind, lane, name };
  char *key = g_strdup_printf ("%u\n%s\n%s\n%s", sort, kind ? kind : "", lane ? lane : "",
                               name ? name : "");
  gpointer group;

  if (g_hash_table_lookup_extended (self->numbers, key, NULL, &group))
    {
      g_free (key);
      return GPOINTER_TO_UINT (group);
    }
  g_hash_table_insert (self->numbers, key, GUINT_TO_POINTER (self->groups.n_groups));
  g_array_append_val (self->subjects, subject);
  return self->groups.n_groups++;
}

static void
add_pair (Times *self, const WeftGroupSummary *summary)
{
  const WeftCatalogLane *lane = weft_catalog_get_lane (self->catalog, summary->lane);
  const char *kind = lane ? lane->kind : NULL, *name = lane ? lane->name : NULL;
  const char *source =
      g_hash_table_lookup (self->sources, GUINT_TO_POINTER ((guint) summary->routine));
  WeftDispatchPair pair = { .n = summary->count };

  pair.groups[ROUTINE] = take_group (
      self, ROUTINE, kind, name, weft_catalog_get_routine_name (self->catalog, summary->routine));
  pair.groups[LANE] = take_group (self, LANE, kind, name, NULL);
  pair.groups[SOURCE] =
      source != NULL && *source != '\0' ? take_group (self, SOURCE, NULL, NULL, source) : G_MAXUINT;
  weft_dispatch_groups_add_pair (&self->groups, summary->lane, summary->routine, &pair);
}

static gboolean
find_groups (Times *self, GError **error)
{
  GError *failure = NULL;
  g_autoptr (GArray) pairs = NULL;

  self->catalog = weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  if (self->catalog == NULL)
    return FALSE;
  self->sources = weft_compare_read_sources (self->scope, error);
  if (self->sources == NULL)
    return FALSE;
  pairs = weft_store_summarize (self->scope->store, WEFT_GROUP_BY_LANE | WEFT_GROUP_BY_ROUTINE,
                                &failure);
  if (pairs == NULL)
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  for (guint i = 0; i < pairs->len; i++)
    add_pair (self, &g_array_index (pairs, WeftGroupSummary, i));
  return TRUE;
}

static gboolean
read_dispatches (Times *self, GError **error)
{
  g_autoptr (WeftSelection) selection = NULL;

  if (!weft_scope_select_dispatches (self->scope, &selection, error))
    return FALSE;
  self->times = weft_dispatch_times_read (&self->groups, self->scope, selection, error);
  if (self->times == NULL)
    return FALSE;
  self->noise =
      weft_dispatch_noise_read (&self->groups, self->times, self->scope, selection, error);
  return self->noise != NULL;
}

/* ---- Observations ---- */

static double
get_figure (const WeftDispatchTimes *times, WeftTimeFigure figure)
{
  switch (figure)
    {
    case WEFT_TIME_TOTAL:
      return (double) times->total;
    case WEFT_TIME_COUNT:
      return (double) times->count;
    case WEFT_TIME_MEAN:
      return (double) times->sum / (double) times->count;
    case WEFT_TIME_P50:
    case WEFT_TIME_P95:
    case WEFT_TIME_P99:
    default:
      return (double) times->ranks[figure - WEFT_TIME_P50];
    }
}

static void
observe_group (Times *self, WeftMeasures *measures, guint group)
{
  const WeftDispatchTimes *times = &self->times[group];

  for (guint i = 0; i < WEFT_N_TIMES; i++)
    {
      WeftObservation seen = { .value = get_figure (times, i) };
      WeftMeasure *measure;

      weft_dispatch_noise_get (self->noise, group, i, &seen);
      measure =
          weft_measures_observe (measures, &g_array_index (self->subjects, WeftSubject, group),
                                 &figures[i], &seen, times->count);
      measure->weight = fmax (measure->weight, i == WEFT_TIME_TOTAL || i == WEFT_TIME_COUNT
                                                   ? (double) times->total
                                                   : parts[i] * (double) times->count * seen.value);
    }
}

gboolean
weft_compare_dispatches (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  g_auto (Times) self = {
    .scope = scope,
    .subjects = g_array_new (FALSE, FALSE, sizeof (WeftSubject)),
    .numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
  };

  weft_dispatch_groups_init (&self.groups);
  if (!find_groups (&self, error) || !read_dispatches (&self, error))
    return FALSE;
  for (guint group = 0; group < self.groups.n_groups; group++)
    if (self.times[group].count > 0)
      observe_group (&self, measures, group);
  return TRUE;
}
