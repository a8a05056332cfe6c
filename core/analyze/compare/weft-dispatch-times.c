/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exact sums and percentiles of groups that overlap. A first reading counts, of each pair of lane
 * and routine, the durations by buckets: those of a group are the sum of its pairs', and tell the
 * buckets that its ranks are in. A second reading collects what is in these buckets only. Of pairs
 * with fewer dispatches than there are buckets the first one keeps the durations themselves, so
 * that no recording makes this take more memory than a few times its own columns.
 */

#include "weft-dispatch-times.h"

#include <string.h>

#include "weft-error.h"
#include "weft-store-format.h"
#include "weft-store-parallel.h"
#include "weft-typical.h"

#define N_BUCKETS WEFT_N_HISTOGRAM_BUCKETS

static const double percentiles[WEFT_N_TIME_RANKS] = { 50, 95, 99 };

typedef struct
{
  guint32 slot;
  guint64 duration;
} Found;

/* Durations by slot. */
typedef struct
{
  guint64 *values;
  guint64 *ends; /* of each slot */
} Collection;

/* What one thread found. */
typedef struct
{
  guint32 *counts; /* of each bucket of each histogram */
  guint64 *sums;   /* of each pair */
  guint64 *totals; /* of each pair, clipped */
  GArray *found;   /* element type Found */
} Part;

typedef struct
{
  guint bucket;
  guint64 rank; /* in it */
} Wanted;

typedef struct
{
  WeftPairedScan scan;
  guint n_pairs;
  guint *histograms; /* of each pair: its number, or G_MAXUINT */
  gsize n_counts;
  Part parts[WEFT_MAX_THREADS];
  guint32 *slots;   /* of each bucket of each histogram: from 1, 0 is not wanted */
  guint *first;     /* of each group, and after the last: its first place in MEMBERS */
  guint *members;   /* pairs, by group */
  Wanted *wanted;   /* WEFT_N_TIME_RANKS of each group */
  Collection few;   /* by pair */
  Collection found; /* by slot */
  WeftDispatchTimes *times;
} Reading;

static void
reading_clear (Reading *self)
{
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    {
      g_free (self->parts[i].counts);
      g_free (self->parts[i].sums);
      g_free (self->parts[i].totals);
      g_clear_pointer (&self->parts[i].found, g_array_unref);
    }
  g_free (self->histograms);
  g_free (self->slots);
  g_free (self->first);
  g_free (self->members);
  g_free (self->wanted);
  g_free (self->few.values);
  g_free (self->few.ends);
  g_free (self->found.values);
  g_free (self->found.ends);
  g_free (self->times);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

/* ---- Groups ---- */

/* By groups, as they come. */
static void
find_members (Reading *self)
{
  const WeftDispatchGroups *groups = self->scan.groups;
  guint n = groups->n_groups;
  g_autofree guint *next = g_new0 (guint, n + 2);

  for (guint pair = 0; pair < self->n_pairs; pair++)
    for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
      if (weft_dispatch_groups_get_pair (groups, pair)->groups[sort] != G_MAXUINT)
        next[weft_dispatch_groups_get_pair (groups, pair)->groups[sort] + 1]++;
  for (guint i = 0; i < n; i++)
    next[i + 1] += next[i];
  self->first = g_memdup2 (next, (n + 1) * sizeof *next);
  self->members = g_new (guint, next[n] + 1);
  for (guint pair = 0; pair < self->n_pairs; pair++)
    for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
      if (weft_dispatch_groups_get_pair (groups, pair)->groups[sort] != G_MAXUINT)
        self->members[next[weft_dispatch_groups_get_pair (groups, pair)->groups[sort]]++] = pair;
}

static void
choose_histograms (Reading *self)
{
  guint n = 0;

  self->histograms = g_new (guint, self->n_pairs + 1);
  for (guint pair = 0; pair < self->n_pairs; pair++)
    self->histograms[pair] =
        weft_dispatch_groups_get_pair (self->scan.groups, pair)->n < N_BUCKETS ? G_MAXUINT : n++;
  self->n_counts = (gsize) n * N_BUCKETS;
}

static gsize
get_place (const Reading *self, guint pair, guint bucket)
{
  return (gsize) self->histograms[pair] * N_BUCKETS + bucket;
}

/* ---- Readings ---- */

typedef struct
{
  const Reading *reading;
  Part *part;
} Pass;

static guint64
add_times (guint64 a, guint64 b)
{
  return a > G_MAXUINT64 - b ? G_MAXUINT64 : a + b;
}

static void
count (const WeftPairedDispatch *dispatch, gpointer data)
{
  Pass *pass = data;
  Part *part = pass->part;

  part->sums[dispatch->pair] = add_times (part->sums[dispatch->pair], dispatch->duration);
  part->totals[dispatch->pair] = add_times (part->totals[dispatch->pair], dispatch->inside);
  if (pass->reading->histograms[dispatch->pair] != G_MAXUINT)
    part->counts[get_place (pass->reading, dispatch->pair,
                            weft_histogram_bucket (dispatch->duration))]++;
  else
    g_array_append_vals (part->found, &(Found){ dispatch->pair, dispatch->duration }, 1);
}

static void
collect (const WeftPairedDispatch *dispatch, gpointer data)
{
  Pass *pass = data;
  guint32 slot;

  if (pass->reading->histograms[dispatch->pair] == G_MAXUINT)
    return;
  slot = pass->reading->slots[get_place (pass->reading, dispatch->pair,
                                         weft_histogram_bucket (dispatch->duration))];
  if (slot != 0)
    g_array_append_vals (pass->part->found, &(Found){ slot - 1, dispatch->duration }, 1);
}

static void
part_init (Part *part, const Reading *reading)
{
  part->counts = g_new0 (guint32, reading->n_counts + 1);
  part->sums = g_new0 (guint64, reading->n_pairs + 1);
  part->totals = g_new0 (guint64, reading->n_pairs + 1);
}

/* The second one where SLOTS are known. */
static gboolean
read_chunk (guint thread, guint chunk, gpointer data, GError **error)
{
  Reading *self = data;
  Part *part = &self->parts[thread];
  Pass pass = { self, part };

  if (part->found == NULL)
    part->found = g_array_new (FALSE, FALSE, sizeof (Found));
  if (part->counts == NULL)
    part_init (part, self);
  return weft_paired_scan_chunk (&self->scan, chunk, self->slots != NULL ? collect : count, &pass,
                                 error);
}

static void
settle (Reading *self, Collection *collection, guint n_slots)
{
  guint64 *ends = collection->ends = g_new0 (guint64, (gsize) n_slots + 1);
  gsize n = 0;

  for (guint t = 0; t < WEFT_MAX_THREADS; t++)
    for (guint i = 0; self->parts[t].found != NULL && i < self->parts[t].found->len; i++, n++)
      ends[g_array_index (self->parts[t].found, Found, i).slot + 1]++;
  for (guint i = 0; i < n_slots; i++)
    ends[i + 1] += ends[i];
  collection->values = g_new (guint64, n + 1);
  /* Each slot's first place moves on to its end, where the next one's begins. */
  for (guint t = 0; t < WEFT_MAX_THREADS; t++)
    {
      for (guint i = 0; self->parts[t].found != NULL && i < self->parts[t].found->len; i++)
        {
          const Found *found = &g_array_index (self->parts[t].found, Found, i);

          collection->values[ends[found->slot]++] = found->duration;
        }
      g_clear_pointer (&self->parts[t].found, g_array_unref);
    }
}

static const guint64 *
get_values (const Collection *collection, guint slot, guint64 *n)
{
  guint64 begin = slot == 0 ? 0 : collection->ends[slot - 1];

  *n = collection->ends[slot] - begin;
  return collection->values + begin;
}

static gboolean
read_all (Reading *self, Collection *collection, guint n_slots, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (self->scan.scope->store, WEFT_TABLE_DISPATCHES);
  GError *failure = NULL;

  if (!weft_parallel_run (n_chunks, read_chunk, self, &failure))
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  settle (self, collection, n_slots);
  return TRUE;
}

/* ---- Ranks ---- */

static void
add_up_parts (Reading *self)
{
  Part *all = &self->parts[0];

  for (guint t = 1; t < WEFT_MAX_THREADS; t++)
    {
      const Part *part = &self->parts[t];

      if (part->counts == NULL)
        continue;
      for (gsize i = 0; i < self->n_counts; i++)
        all->counts[i] += part->counts[i];
      for (guint i = 0; i < self->n_pairs; i++)
        {
          all->sums[i] = add_times (all->sums[i], part->sums[i]);
          all->totals[i] = add_times (all->totals[i], part->totals[i]);
        }
    }
}

static void
spread_pair (const Reading *self, guint pair, guint64 *counts)
{
  guint64 n;
  const guint64 *values = get_values (&self->few, pair, &n);

  if (self->histograms[pair] != G_MAXUINT)
    for (guint i = 0; i < N_BUCKETS; i++)
      counts[i] += self->parts[0].counts[get_place (self, pair, i)];
  for (guint64 i = 0; i < n; i++)
    counts[weft_histogram_bucket (values[i])]++;
}

/* What it took in all, and where its ranks are. */
static gboolean
describe_group (guint thread, guint group, gpointer data, GError **error)
{
  Reading *self = data;
  WeftDispatchTimes *times = &self->times[group];
  g_autofree guint64 *counts = g_new0 (guint64, N_BUCKETS);

  for (guint i = self->first[group]; i < self->first[group + 1]; i++)
    {
      guint pair = self->members[i];

      spread_pair (self, pair, counts);
      times->sum = add_times (times->sum, self->parts[0].sums[pair]);
      times->total = add_times (times->total, self->parts[0].totals[pair]);
    }
  for (guint i = 0; i < N_BUCKETS; i++)
    times->count += counts[i];
  for (guint i = 0; i < WEFT_N_TIME_RANKS && times->count > 0; i++)
    {
      Wanted *wanted = &self->wanted[group * WEFT_N_TIME_RANKS + i];

      wanted->rank = weft_nearest_rank (percentiles[i], times->count) - 1;
      while (counts[wanted->bucket] <= wanted->rank)
        wanted->rank -= counts[wanted->bucket++];
    }
  return TRUE;
}

static guint
choose_slots (Reading *self)
{
  guint n_slots = 0;

  self->slots = g_new0 (guint32, self->n_counts + 1);
  for (guint group = 0; group < self->scan.groups->n_groups; group++)
    for (guint i = self->first[group]; i < self->first[group + 1]; i++)
      for (guint r = 0; r < WEFT_N_TIME_RANKS; r++)
        {
          guint pair = self->members[i];
          guint bucket = self->wanted[group * WEFT_N_TIME_RANKS + r].bucket;
          gsize place = get_place (self, pair, bucket);

          if (self->histograms[pair] != G_MAXUINT && self->slots[place] == 0)
            self->slots[place] = ++n_slots;
        }
  return n_slots;
}

static void
gather_pair (const Reading *self, guint pair, guint bucket, GArray *gathered)
{
  guint32 slot =
      self->histograms[pair] != G_MAXUINT ? self->slots[get_place (self, pair, bucket)] : 0;
  const guint64 *values;
  guint64 n;

  if (slot != 0)
    {
      values = get_values (&self->found, slot - 1, &n);
      g_array_append_vals (gathered, values, (guint) n);
    }
  values = get_values (&self->few, pair, &n);
  for (guint64 i = 0; i < n; i++)
    if (weft_histogram_bucket (values[i]) == bucket)
      g_array_append_val (gathered, values[i]);
}

static gboolean
choose_ranks (guint thread, guint group, gpointer data, GError **error)
{
  Reading *self = data;
  g_autoptr (GArray) gathered = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint r = 0; r < WEFT_N_TIME_RANKS && self->times[group].count > 0; r++)
    {
      const Wanted *wanted = &self->wanted[group * WEFT_N_TIME_RANKS + r];

      g_array_set_size (gathered, 0);
      for (guint i = self->first[group]; i < self->first[group + 1]; i++)
        gather_pair (self, self->members[i], wanted->bucket, gathered);
      if (wanted->rank >= gathered->len)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED, "The file changed while it was read");
          return FALSE;
        }
      self->times[group].ranks[r] = weft_select_number ((guint64 *) (gpointer) gathered->data,
                                                        gathered->len, (gsize) wanted->rank);
    }
  return TRUE;
}

WeftDispatchTimes *
weft_dispatch_times_read (const WeftDispatchGroups *groups, const WeftAnalysisScope *scope,
                          const WeftSelection *selection, GError **error)
{
  guint n = groups->n_groups;
  g_auto (Reading) self = { .scan = { groups, scope, selection, FALSE },
                            .n_pairs = groups->pairs->len,
                            .wanted = g_new0 (Wanted, (gsize) n * WEFT_N_TIME_RANKS + 1),
                            .times = g_new0 (WeftDispatchTimes, (gsize) n + 1) };

  find_members (&self);
  choose_histograms (&self);
  part_init (&self.parts[0], &self);
  if (!read_all (&self, &self.few, self.n_pairs, error))
    return NULL;
  add_up_parts (&self);
  if (!weft_parallel_run (n, describe_group, &self, error) ||
      !read_all (&self, &self.found, choose_slots (&self), error) ||
      !weft_parallel_run (n, choose_ranks, &self, error))
    return NULL;
  return g_steal_pointer (&self.times);
}
