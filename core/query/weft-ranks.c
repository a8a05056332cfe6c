/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Percentiles of groups: how the values spread tells the bucket that holds a rank; one more scan
 * collects the values of these buckets only, and the rank among them is the answer.
 */

#include <string.h>

#include "weft-error.h"
#include "weft-group-finder.h"
#include "weft-scan.h"
#include "weft-store-format.h"
#include "weft-store-parallel.h"

#define BUCKETS WEFT_N_HISTOGRAM_BUCKETS

/* One percentile of one group. */
typedef struct
{
  guint group;
  guint aggregate;
  guint slot;   /* of the bucket */
  guint64 rank; /* in it */
} Wanted;

typedef struct
{
  guint8 *ordinals; /* of each group and bucket: from 1, 0 is not wanted */
  guint *first;     /* of each group: the slot of ordinal 1 */
} Map;

typedef struct
{
  WeftGroups *total;
  WeftScan scan;
  Map *maps; /* by aggregate that has a spread */
  GArray *wanted;
  guint n_slots;
  WeftCollection found[WEFT_MAX_THREADS];
} Ranks;

/* ---- What is wanted ---- */

/* Leaves in RANK the rank within the bucket. */
static guint
find_bucket (const guint32 *counts, guint64 *rank)
{
  guint bucket = 0;

  for (; bucket < BUCKETS - 1 && counts[bucket] <= *rank; bucket++)
    *rank -= counts[bucket];
  return bucket;
}

static gboolean
is_exact (guint bucket)
{
  return bucket < BUCKETS - 1 &&
         weft_histogram_bucket_start (bucket + 1) - weft_histogram_bucket_start (bucket) == 1;
}

static void
want (Ranks *self, Map *map, guint group, guint aggregate, const guint32 *counts, guint64 n)
{
  double percentile = self->total->aggregates[aggregate]->aggregate.percentile;
  WeftGroupState *state = weft_groups_get_state (self->total, group, aggregate);
  Wanted wanted = { .group = group, .aggregate = aggregate };
  guint8 *ordinal;
  guint bucket;

  state->n = n;
  if (n == 0)
    return;
  wanted.rank = weft_nearest_rank (percentile, n) - 1;
  bucket = find_bucket (counts, &wanted.rank);
  state->order = weft_histogram_bucket_start (bucket);
  if (is_exact (bucket))
    return;
  ordinal = &map->ordinals[(gsize) group * BUCKETS + bucket];
  if (*ordinal == 0)
    *ordinal = (guint8) (++self->n_slots - map->first[group]);
  wanted.slot = map->first[group] + *ordinal - 1;
  g_array_append_val (self->wanted, wanted);
}

static void
want_all (Ranks *self, guint leader)
{
  WeftGroups *total = self->total;
  Map *map = &self->maps[leader];

  map->ordinals = g_new0 (guint8, (gsize) total->n_groups * BUCKETS + 1);
  map->first = g_new0 (guint, (gsize) total->n_groups + 1);
  for (guint group = 0; group < total->n_groups; group++)
    {
      static const guint32 none[BUCKETS];
      const guint32 *counts = group < total->spreads[leader].n_groups
                                  ? total->spreads[leader].counts + (gsize) group * BUCKETS
                                  : none;
      guint64 n = 0;

      for (guint i = 0; i < BUCKETS; i++)
        n += counts[i];
      map->first[group] = self->n_slots;
      for (guint a = leader; a < total->n_aggregates; a++)
        if (total->of_spreads[a] == leader)
          want (self, map, group, a, counts, n);
    }
}

/* ---- The scan ---- */

typedef struct
{
  Ranks *ranks;
  WeftGroupFinder finder;
  WeftCollection *found;
  guint32 *groups; /* of the total, by group of the chunk */
  guint n_groups;
} Pass;

static gboolean
set_changed (GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED, "The file changed while it was read");
  return FALSE;
}

static gboolean
learn_groups (Pass *self, GError **error)
{
  const WeftGroups *groups = self->finder.groups;

  if (self->n_groups == groups->n_groups)
    return TRUE;
  self->groups = g_renew (guint32, self->groups, groups->n_groups);
  for (; self->n_groups < groups->n_groups; self->n_groups++)
    {
      guint found =
          weft_groups_look_up (self->ranks->total, weft_groups_get_keys (groups, self->n_groups));

      if (found == G_MAXUINT)
        return set_changed (error);
      self->groups[self->n_groups] = found;
    }
  return TRUE;
}

static void
collect (Pass *self, const Map *map, const WeftVector *vector, guint n)
{
  const guint32 *of_rows = self->finder.of_rows;
  guint32 *slots;
  guint64 *values;
  guint kept = 0;

  weft_collection_begin (self->found, n, &slots, &values);
  for (guint i = 0; i < n; i++)
    {
      guint group = self->groups[of_rows[i]];
      guint64 value = vector->values[i];
      guint8 ordinal = map->ordinals[(gsize) group * BUCKETS + weft_histogram_bucket (value)];

      slots[kept] = map->first[group] + ordinal - 1;
      values[kept] = value;
      kept += ordinal != 0 && !(vector->has_nulls && vector->nulls[i]);
    }
  weft_collection_end (self->found, n, kept);
}

static gboolean
take_batch (const WeftBatch *batch, guint first, gpointer data, GError **error)
{
  Pass *self = data;
  const WeftGroups *total = self->ranks->total;
  WeftVector vector;

  if (!weft_group_finder_find (&self->finder, batch, error) || !learn_groups (self, error))
    return FALSE;
  for (guint a = 0; a < total->n_aggregates; a++)
    {
      if (total->of_spreads[a] != a)
        continue;
      if (!weft_expression_evaluate (total->aggregates[a]->expression, batch, &vector, error))
        return FALSE;
      collect (self, &self->ranks->maps[a], &vector, batch->n);
    }
  return TRUE;
}

static gboolean
scan_chunk (guint thread, guint item, gpointer data, GError **error)
{
  Ranks *self = data;
  g_autoptr (WeftGroups) groups = weft_groups_new (self->total->plan, FALSE);
  g_autofree Pass *pass = g_new0 (Pass, 1);
  guint before = self->found[thread].groups->len;
  gboolean good;

  pass->ranks = self;
  pass->found = &self->found[thread];
  weft_group_finder_init (&pass->finder, groups, item);
  good = weft_scan_chunk (&self->scan, item, take_batch, pass, error) &&
         weft_run_hold (self->scan.run,
                        (guint64) (pass->found->groups->len - before) *
                            (sizeof (guint32) + sizeof (guint64)),
                        error);
  weft_group_finder_clear (&pass->finder);
  g_free (pass->groups);
  weft_run_advance (self->scan.run, 1);
  return good;
}

/* ---- The answer ---- */

static gboolean
choose (Ranks *self, GError **error)
{
  g_autofree guint32 *same = g_new (guint32, (gsize) self->n_slots + 1);
  WeftCollection *all = &self->found[0];

  for (guint i = 0; i < self->n_slots; i++)
    same[i] = i;
  for (guint i = 1; i < WEFT_MAX_THREADS; i++)
    {
      if (!weft_collection_merge (all, &self->found[i], same, self->scan.run, error))
        return FALSE;
      weft_collection_clear (&self->found[i]);
    }
  weft_collection_settle (all, self->n_slots);
  for (guint i = 0; i < self->wanted->len; i++)
    {
      const Wanted *wanted = &g_array_index (self->wanted, Wanted, i);

      if (wanted->rank >= weft_collection_get_n (all, wanted->slot))
        return set_changed (error);
      weft_groups_get_state (self->total, wanted->group, wanted->aggregate)->order =
          weft_collection_get_rank (all, wanted->slot, wanted->rank);
    }
  return TRUE;
}

static gboolean
scan_all (Ranks *self, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (self->scan.run->store, self->scan.table);
  gboolean good;

  weft_run_expect (self->scan.run, n_chunks);
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    weft_collection_init (&self->found[i], 1);
  good = weft_parallel_run (n_chunks, scan_chunk, self, error) && choose (self, error);
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    weft_collection_clear (&self->found[i]);
  weft_run_explain (self->scan.run, "percentiles: by histograms and one more scan");
  return good;
}

static guint32
get_places (const WeftGroups *total)
{
  guint32 places = 0;

  for (guint k = 0; k < total->n_keys; k++)
    places |= weft_expression_get_places (WEFT_PLAN_KEY (total->plan, k)->expression);
  for (guint a = 0; a < total->n_aggregates; a++)
    if (total->of_spreads[a] == a)
      places |= weft_expression_get_places (total->aggregates[a]->expression);
  return places;
}

gboolean
weft_groups_find_ranks (WeftGroups *self, GError **error)
{
  const WeftPlan *plan = self->plan;
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (Wanted));
  Ranks ranks = {
    .total = self,
    .scan = { plan->run, plan->table, plan->predicate, get_places (self) },
    .maps = g_new0 (Map, self->n_aggregates + 1),
    .wanted = wanted,
  };
  gboolean good;

  for (guint a = 0; a < self->n_aggregates; a++)
    if (self->of_spreads[a] == a)
      want_all (&ranks, a);
  good = wanted->len == 0 || scan_all (&ranks, error);
  for (guint a = 0; a < self->n_aggregates; a++)
    {
      g_free (ranks.maps[a].ordinals);
      g_free (ranks.maps[a].first);
    }
  g_free (ranks.maps);
  return good;
}
