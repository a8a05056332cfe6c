/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much of the work on a lane can be told where it came from, and what code it was. */

#include <math.h>

#include "weft-catalog.h"
#include "weft-compare-parts.h"
#include "weft-enum-types.h"

typedef enum
{
  LINKED,
  STALE,
  WITHOUT_ORIGIN,
  WITH_SOURCE,
  WITH_COUNTERS,
  N_SHARES
} Share;

/* Whether a dispatch has something hangs on its neighbours even more than its time does. */
#define INFLATION (4 * WEFT_NOISE_INFLATION)

#define SHARE(name, polarity)                                                                      \
  {                                                                                                \
    name, "percent", WEFT_POLARITY_##polarity, WEFT_SCALE_SHARE, 0.5, 5, .25, FALSE                \
  }

static const WeftFigure figures[N_SHARES] = {
  [LINKED] = SHARE ("linked", HIGHER),
  [STALE] = SHARE ("stale", LOWER),
  [WITHOUT_ORIGIN] = SHARE ("without-origin", LOWER),
  [WITH_SOURCE] = SHARE ("with-source", HIGHER),
  [WITH_COUNTERS] = SHARE ("with-counters", HIGHER),
};

typedef struct
{
  char *kind;
  char *lane;
  double dispatches;
  double parts[N_SHARES];
  double origins;
} Lane;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  GPtrArray *lanes;  /* Lane */
  GHashTable *index; /* "kind\nlane" → Lane */
} Coverage;

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_free (lane->kind);
  g_free (lane->lane);
  g_free (lane);
}

static void
coverage_clear (Coverage *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_ptr_array_unref (self->lanes);
  g_hash_table_unref (self->index);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Coverage, coverage_clear)

/* NULL: the row is of none. */
static Lane *
take_lane (Coverage *self, WeftTable *table, guint row)
{
  guint32 id = (guint32) weft_compare_get_number (table, "lane", row);
  const WeftCatalogLane *found = weft_catalog_get_lane (self->catalog, id);
  const char *kind = found != NULL ? found->kind : NULL;
  const char *name = found != NULL ? found->name : NULL;
  g_autofree char *key = g_strdup_printf ("%s\n%s", kind ? kind : "", name ? name : "");
  Lane *lane = g_hash_table_lookup (self->index, key);

  if (found == NULL)
    return NULL;
  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      lane->kind = g_strdup (kind);
      lane->lane = g_strdup (name);
      g_ptr_array_add (self->lanes, lane);
      g_hash_table_insert (self->index, g_steal_pointer (&key), lane);
    }
  return lane;
}

static gboolean
read_sources (Coverage *self, GError **error)
{
  static const char *const groups[] = { "lane", "lane", "routine", "routine", NULL };
  static const char *const selects[] = { "count", "count", NULL };
  g_autoptr (GHashTable) sources = weft_compare_read_sources (self->scope, error);
  g_autoptr (WeftTable) table = NULL;

  if (sources == NULL)
    return FALSE;
  table = weft_compare_query (self->scope, "dispatches", groups, selects, error);
  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      Lane *lane = take_lane (self, table, row);
      guint routine = (guint) weft_compare_get_number (table, "routine", row);
      double count = weft_compare_get_number (table, "count", row);

      if (lane == NULL)
        continue;
      lane->dispatches += count;
      lane->parts[WITH_SOURCE] +=
          g_hash_table_contains (sources, GUINT_TO_POINTER (routine)) ? count : 0;
    }
  return table != NULL;
}

/* Of origins that say what queued a dispatch: how many, and how they are linked. */
static gboolean
read_origins (Coverage *self, GError **error)
{
  static const char *const groups[] = { "dispatch.lane", "lane", "link_status", "status",
                                        "role",          "role", NULL };
  static const char *const selects[] = { "count", "count", NULL };
  g_autoptr (WeftTable) table = NULL;

  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ORIGINS) == 0)
    return TRUE;
  table = weft_compare_query (self->scope, "origins", groups, selects, error);
  if (table == NULL)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      guint64 status = (guint64) weft_compare_get_number (table, "status", row);
      double count = weft_compare_get_number (table, "count", row);
      Lane *lane = take_lane (self, table, row);

      if (lane == NULL || weft_compare_get_number (table, "role", row) != WEFT_ORIGIN_ROLE_DISPATCH)
        continue;
      lane->origins += count;
      if (status == WEFT_LINK_STATUS_LINKED_EXACT || status == WEFT_LINK_STATUS_LINKED)
        lane->parts[LINKED] += count;
      else if (status == WEFT_LINK_STATUS_STALE)
        lane->parts[STALE] += count;
    }
  return TRUE;
}

static gboolean
read_counters (Coverage *self, GError **error)
{
  static const char *const groups[] = { "dispatch.lane", "lane", NULL };
  static const char *const selects[] = { "count_distinct(dispatch)", "count", NULL };
  g_autoptr (WeftTable) table = NULL;

  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_COUNTER_SAMPLES) == 0)
    return TRUE;
  table = weft_compare_query (self->scope, "counter_samples", groups, selects, error);
  if (table == NULL)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      Lane *lane = take_lane (self, table, row);

      if (lane != NULL)
        lane->parts[WITH_COUNTERS] += weft_compare_get_number (table, "count", row);
    }
  return TRUE;
}

static void
observe_lane (const Lane *lane, WeftMeasures *measures)
{
  const WeftSubject subject = { "coverage", lane->kind, lane->lane, NULL };

  for (guint i = 0; i < N_SHARES; i++)
    {
      double part = CLAMP (lane->parts[i] / lane->dispatches, 0, 1);
      WeftObservation seen = { .degrees = fmax (lane->dispatches - 1, 1) };

      if (i == WITHOUT_ORIGIN)
        part = CLAMP (1 - lane->origins / lane->dispatches, 0, 1);
      seen.value = 100 * part;
      seen.noise = 1e4 * INFLATION * part * (1 - part) / lane->dispatches;
      weft_measures_observe (measures, &subject, &figures[i], &seen, (guint64) lane->dispatches);
    }
}

gboolean
weft_compare_coverage (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  g_auto (Coverage) self = {
    .scope = scope,
    .catalog = weft_catalog_new (scope->store, scope->cancellable, error),
    .lanes = g_ptr_array_new_with_free_func (lane_free),
    .index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
  };

  if (self.catalog == NULL || !read_sources (&self, error) || !read_origins (&self, error) ||
      !read_counters (&self, error))
    return FALSE;
  for (guint i = 0; i < self.lanes->len; i++)
    {
      const Lane *lane = g_ptr_array_index (self.lanes, i);

      if (lane->dispatches > 0)
        observe_lane (lane, measures);
    }
  return TRUE;
}
