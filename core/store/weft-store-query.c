/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <math.h>
#include <string.h>

#include "weft-store-parallel.h"

/* Groups by key, found by hashing. */
typedef struct
{
  GArray *groups; /* WeftGroupSummary */
  guint32 *slots; /* place in GROUPS + 1 */
  guint mask;
} GroupMap;

static void
group_map_init (GroupMap *self)
{
  self->groups = g_array_new (FALSE, TRUE, sizeof (WeftGroupSummary));
  self->mask = 255;
  self->slots = g_new0 (guint32, self->mask + 1);
}

static void
group_map_clear (GroupMap *self)
{
  g_clear_pointer (&self->groups, g_array_unref);
  g_free (self->slots);
}

static inline guint
group_slot (GroupMap *self, guint64 lane, guint64 routine)
{
  guint64 key = (lane << 32 | routine) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  return (guint) (key >> 32) & self->mask;
}

static void
group_map_grow (GroupMap *self)
{
  g_free (self->slots);
  self->mask = self->mask * 2 + 1;
  self->slots = g_new0 (guint32, self->mask + 1);
  for (guint i = 0; i < self->groups->len; i++)
    {
      const WeftGroupSummary *group = &g_array_index (self->groups, WeftGroupSummary, i);
      guint slot = group_slot (self, group->lane, group->routine);

      while (self->slots[slot] != 0)
        slot = (slot + 1) & self->mask;
      self->slots[slot] = i + 1;
    }
}

static WeftGroupSummary *
group_map_get (GroupMap *self, guint32 lane, guint32 routine)
{
  guint slot = group_slot (self, lane, routine);
  WeftGroupSummary *group;

  for (; self->slots[slot] != 0; slot = (slot + 1) & self->mask)
    {
      group = &g_array_index (self->groups, WeftGroupSummary, self->slots[slot] - 1);
      if (group->lane == lane && group->routine == routine)
        return group;
    }

  g_array_set_size (self->groups, self->groups->len + 1);
  group = &g_array_index (self->groups, WeftGroupSummary, self->groups->len - 1);
  group->lane = lane;
  group->routine = routine;
  group->min = G_MAXUINT64;
  self->slots[slot] = self->groups->len;
  if (self->groups->len > self->mask / 2)
    group_map_grow (self);
  return group;
}

static void
group_add (WeftGroupSummary *group, guint64 count, guint64 sum, guint64 min, guint64 max)
{
  group->count += count;
  group->sum = group->sum > G_MAXUINT64 - sum ? G_MAXUINT64 : group->sum + sum;
  group->min = MIN (group->min, min);
  group->max = MAX (group->max, max);
}

static int
compare_groups (gconstpointer a, gconstpointer b)
{
  const WeftGroupSummary *group_a = a;
  const WeftGroupSummary *group_b = b;

  if (group_a->lane != group_b->lane)
    return group_a->lane < group_b->lane ? -1 : 1;
  return group_a->routine < group_b->routine ? -1 : group_a->routine > group_b->routine;
}

/* Counts and sums */

/* FALSE if the chunk has no such grouping (that can be read): its rows tell. */
static gboolean
add_summary (WeftChunk *summary, guint first, guint skip, GroupMap *map)
{
  WeftStoreColumn columns[WEFT_N_GROUP_STREAMS];
  guint32 count;

  if (!weft_chunk_read_streams (summary, first, WEFT_N_GROUP_STREAMS, skip, columns, &count, NULL))
    return FALSE;
  for (guint i = 0; i < count; i++)
    group_add (group_map_get (map, (guint32) weft_store_column_get (&columns[WEFT_GROUP_LANE], i),
                              (guint32) weft_store_column_get (&columns[WEFT_GROUP_ROUTINE], i)),
               weft_store_column_get (&columns[WEFT_GROUP_COUNT], i),
               weft_store_column_get (&columns[WEFT_GROUP_SUM], i),
               weft_store_column_get (&columns[WEFT_GROUP_MIN], i),
               weft_store_column_get (&columns[WEFT_GROUP_MAX], i));
  for (guint i = 0; i < WEFT_N_GROUP_STREAMS; i++)
    weft_store_column_clear (&columns[i]);
  return TRUE;
}

static gboolean
add_rows (WeftChunk *chunk, WeftGroupBy by, GroupMap *map, GError **error)
{
  WEFT_AUTO_COLUMN lanes = { 0 };
  WEFT_AUTO_COLUMN routines = { 0 };
  WEFT_AUTO_COLUMN durations = { 0 };

  if (!weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (LANE), &lanes, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (ROUTINE), &routines, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (DURATION), &durations, error))
    return FALSE;
  for (guint i = 0; i < chunk->rows; i++)
    {
      guint64 lane = by & WEFT_GROUP_BY_LANE ? weft_store_column_get (&lanes, i) : 0;
      guint64 routine = by & WEFT_GROUP_BY_ROUTINE ? weft_store_column_get (&routines, i) : 0;
      guint64 duration = weft_store_column_get (&durations, i);

      group_add (group_map_get (map, (guint32) lane, (guint32) routine), 1, duration, duration,
                 duration);
    }
  return TRUE;
}

static WeftChunk *
get_summary (WeftStore *self, guint chunk)
{
  WeftChunk *summary = g_array_index (self->digests, WeftDigests, chunk).summary;
  const WeftChunkDirectory *directory =
      summary == NULL ? NULL : weft_chunk_get_directory (summary, NULL);

  return directory != NULL && directory->version == WEFT_SUMMARY_VERSION ? summary : NULL;
}

GArray *
weft_store_summarize (WeftStore *self, WeftGroupBy by, GError **error)
{
  guint first = by == WEFT_GROUP_BY_LANE      ? WEFT_SUMMARY_LANES
                : by == WEFT_GROUP_BY_ROUTINE ? WEFT_SUMMARY_ROUTINES
                                              : WEFT_SUMMARY_PAIRS;
  guint skip = by == WEFT_GROUP_BY_LANE      ? 1 << WEFT_GROUP_ROUTINE
               : by == WEFT_GROUP_BY_ROUTINE ? 1 << WEFT_GROUP_LANE
                                             : 0;
  gboolean good = TRUE;
  GArray *groups;
  GroupMap map;

  g_return_val_if_fail (by != 0, NULL);

  group_map_init (&map);
  for (guint i = 0; i < self->digests->len && good; i++)
    {
      WeftChunk *summary = get_summary (self, i);

      if (summary == NULL || !add_summary (summary, first, skip, &map))
        good = add_rows (weft_store_chunk (self, WEFT_TABLE_DISPATCHES, i), by, &map, error);
    }
  groups = good ? g_array_ref (map.groups) : NULL;
  group_map_clear (&map);
  if (groups != NULL)
    g_array_sort (groups, compare_groups);
  return groups;
}

/* ---- First starts ---- */

static gboolean
read_lane_starts (WeftChunk *summary, GArray *starts)
{
  guint32 n_lanes = 0, n_starts = 0;
  g_autofree guint64 *lanes = weft_chunk_read_numbers (summary, WEFT_SUMMARY_LANES, 0, &n_lanes);
  g_autofree guint64 *first =
      weft_chunk_read_numbers (summary, WEFT_SUMMARY_FIRST_START, n_lanes, &n_starts);

  if (lanes == NULL || first == NULL || n_starts != n_lanes)
    return FALSE;
  for (guint i = 0; i < n_lanes; i++)
    {
      WeftLaneStart start = { (guint32) lanes[i], (gint64) first[i] };

      g_array_append_val (starts, start);
    }
  return TRUE;
}

static gboolean
find_lane_starts (WeftChunk *chunk, GArray *starts, GError **error)
{
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL); /* lane → place in STARTS + 1 */
  WEFT_AUTO_COLUMN lanes = { 0 };
  WEFT_AUTO_COLUMN times = { 0 };

  if (!weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (LANE), &lanes, error) ||
      !weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (START), &times, error))
    return FALSE;
  for (guint i = 0; i < chunk->rows; i++)
    {
      WeftLaneStart start = { (guint32) weft_store_column_get (&lanes, i),
                              (gint64) weft_store_column_get (&times, i) };
      guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places, GUINT_TO_POINTER (start.lane)));

      if (place == 0)
        {
          g_array_append_val (starts, start);
          g_hash_table_insert (places, GUINT_TO_POINTER (start.lane),
                               GUINT_TO_POINTER (starts->len));
          continue;
        }
      g_array_index (starts, WeftLaneStart, place - 1).first =
          MIN (g_array_index (starts, WeftLaneStart, place - 1).first, start.first);
    }
  return TRUE;
}

gboolean
weft_store_get_lane_starts (WeftStore *self, guint chunk, GArray *starts, GError **error)
{
  WeftChunk *summary = get_summary (self, chunk);

  g_array_set_size (starts, 0);
  return (summary != NULL && read_lane_starts (summary, starts)) ||
         find_lane_starts (weft_store_chunk (self, WEFT_TABLE_DISPATCHES, chunk), starts, error);
}

/* Percentiles: a histogram by routine names the bucket that holds the rank; a pass over the rows
 * collects the bucket's values; the rank among these is the answer. Routines are taken a batch at
 * a time, so that memory is bounded.
 */
#define BATCH 1024
#define BUCKETS WEFT_N_HISTOGRAM_BUCKETS

typedef struct
{
  guint64 low;  /* durations from here */
  guint64 span; /* and this many on are wanted; 0: none */
} Range;

typedef struct
{
  guint16 place; /* of the routine in the batch */
  guint64 duration;
} Found;

typedef struct
{
  WeftStore *store;
  WeftGroupSummary *routines; /* of this batch, ascending */
  guint n_routines;
  guint64 *histograms;
  Range ranges[BATCH];
  GArray *found[WEFT_MAX_THREADS]; /* Found */
} Percentile;

static gboolean
find_routine (const Percentile *self, guint64 routine, guint *place)
{
  guint low = 0;
  guint high = self->n_routines;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (self->routines[middle].routine < routine)
        low = middle + 1;
      else
        high = middle;
    }
  *place = low;
  return low < self->n_routines && self->routines[low].routine == routine;
}

static gboolean
add_histogram (Percentile *self, WeftChunk *summary)
{
  WeftStoreColumn columns[WEFT_N_HISTOGRAM_STREAMS];
  guint place = 0;
  guint32 count;

  if (!weft_chunk_read_streams (summary, WEFT_SUMMARY_HISTOGRAM, WEFT_N_HISTOGRAM_STREAMS, 0,
                                columns, &count, NULL))
    return FALSE;
  for (guint i = 0; i < count; i++)
    {
      guint64 routine = weft_store_column_get (&columns[WEFT_HISTOGRAM_ROUTINE], i);
      guint64 bucket = weft_store_column_get (&columns[WEFT_HISTOGRAM_BUCKET], i);

      if ((place < self->n_routines && self->routines[place].routine == routine) ||
          find_routine (self, routine, &place))
        if (bucket < BUCKETS)
          self->histograms[place * BUCKETS + bucket] +=
              weft_store_column_get (&columns[WEFT_HISTOGRAM_COUNT], i);
    }
  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    weft_store_column_clear (&columns[i]);
  return TRUE;
}

static gboolean
read_two (WeftChunk *chunk, WeftStoreColumn *routines, WeftStoreColumn *durations, GError **error)
{
  return weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (ROUTINE), routines, error) &&
         weft_store_read_chunk_column (chunk, WEFT_DISPATCH_PLACE (DURATION), durations, error);
}

static gboolean
add_row_histogram (Percentile *self, WeftChunk *chunk, GError **error)
{
  WEFT_AUTO_COLUMN routines = { 0 };
  WEFT_AUTO_COLUMN durations = { 0 };
  guint place = 0;

  if (!read_two (chunk, &routines, &durations, error))
    return FALSE;
  for (guint i = 0; i < chunk->rows; i++)
    if (find_routine (self, weft_store_column_get (&routines, i), &place))
      self->histograms[place * BUCKETS +
                       weft_histogram_bucket (weft_store_column_get (&durations, i))]++;
  return TRUE;
}

static gboolean
fill_histograms (Percentile *self, GError **error)
{
  memset (self->histograms, 0, sizeof (guint64) * BUCKETS * self->n_routines);
  for (guint i = 0; i < self->store->digests->len; i++)
    {
      WeftChunk *summary = get_summary (self->store, i);

      if (summary != NULL && add_histogram (self, summary))
        continue;
      if (!add_row_histogram (self, weft_store_chunk (self->store, WEFT_TABLE_DISPATCHES, i),
                              error))
        return FALSE;
    }
  return TRUE;
}

/* Where the rank of each routine lies; leaves in SUM the rank within the bucket. */
static void
choose_ranges (Percentile *self, double percentile)
{
  for (guint place = 0; place < self->n_routines; place++)
    {
      WeftGroupSummary *group = &self->routines[place];
      guint64 rank = weft_nearest_rank (percentile, group->count);
      guint bucket = 0;

      for (; bucket < BUCKETS - 1 && self->histograms[place * BUCKETS + bucket] < rank; bucket++)
        rank -= self->histograms[place * BUCKETS + bucket];
      group->sum = rank;
      self->ranges[place].low = weft_histogram_bucket_start (bucket);
      self->ranges[place].span =
          (bucket + 1 < BUCKETS ? weft_histogram_bucket_start (bucket + 1) : 0) -
          self->ranges[place].low;
    }
}

/* By offset of the routine from the column's base; those of other batches want nothing. */
static gboolean
make_table (const Percentile *self, const WeftStoreColumn *routines, guint64 duration_base,
            Range *table, guint16 *places)
{
  gboolean any = FALSE;

  if (routines->width > 1)
    return TRUE;
  for (guint i = 0; i < 256; i++)
    {
      guint place;

      table[i] = (Range){ 0, 0 };
      places[i] = 0;
      if (!find_routine (self, routines->base + i, &place))
        continue;
      table[i] = self->ranges[place];
      table[i].low -= duration_base;
      places[i] = (guint16) place;
      any = TRUE;
    }
  return any;
}

/* The common shape: few routines, durations of 32 bits. Rows are written always and kept if they
 * are wanted, for that cannot be predicted.
 */
static guint
collect_narrow (const WeftStoreColumn *routines, const WeftStoreColumn *durations,
                const Range *table, const guint16 *places, Found *out)
{
  const guint8 *routine = routines->data;
  const guint32 *duration = durations->data;
  guint n = 0;

  for (guint i = 0; i < durations->n_rows; i++)
    {
      const Range *range = &table[routine[i]];

      out[n].place = places[routine[i]];
      out[n].duration = duration[i] + durations->base;
      n += duration[i] - range->low < range->span;
    }
  return n;
}

static guint
collect_any (const Percentile *self, const WeftStoreColumn *routines,
             const WeftStoreColumn *durations, Found *out)
{
  guint n = 0;
  guint place = 0;

  for (guint i = 0; i < durations->n_rows; i++)
    {
      guint64 routine = weft_store_column_get (routines, i);
      guint64 duration = weft_store_column_get (durations, i);

      if ((place >= self->n_routines || self->routines[place].routine != routine) &&
          !find_routine (self, routine, &place))
        continue;
      out[n].place = (guint16) place;
      out[n].duration = duration;
      n += duration - self->ranges[place].low < self->ranges[place].span;
    }
  return n;
}

typedef struct
{
  const Percentile *percentile;
  GArray *found;
  gboolean is_table_made;
  gboolean any;
  Range table[256];
  guint16 places[256];
} Collect;

static void
collect_piece (const WeftStoreColumn *columns, gpointer data)
{
  Collect *self = data;
  const WeftStoreColumn *routines = &columns[0];
  const WeftStoreColumn *durations = &columns[1];
  guint before = self->found->len;
  Found *out;
  guint n;

  if (!self->is_table_made)
    self->any = make_table (self->percentile, routines, durations->base, self->table, self->places);
  self->is_table_made = TRUE;
  if (!self->any)
    return;

  g_array_set_size (self->found, before + durations->n_rows + 1);
  out = &g_array_index (self->found, Found, before);
  if (routines->width == 1 && durations->width == 4)
    n = collect_narrow (routines, durations, self->table, self->places, out);
  else
    n = collect_any (self->percentile, routines, durations, out);
  g_array_set_size (self->found, before + n);
}

static gboolean
collect_chunk (guint thread, guint item, gpointer data, GError **error)
{
  static const guint places[] = { WEFT_DISPATCH_PLACE (ROUTINE), WEFT_DISPATCH_PLACE (DURATION) };
  Percentile *percentile = data;
  Collect collect = { .percentile = percentile, .found = percentile->found[thread] };

  return weft_store_scan_chunk_columns (
      weft_store_chunk (percentile->store, WEFT_TABLE_DISPATCHES, item), NULL, places,
      G_N_ELEMENTS (places), collect_piece, &collect, error);
}

static guint64
select_rank (guint64 *values, guint64 n, guint64 rank)
{
  guint64 low = 0;
  guint64 high = n - 1;

  while (low < high)
    {
      guint64 pivot = values[low + (high - low) / 2];
      guint64 i = low;
      guint64 j = high;

      while (i <= j)
        {
          while (values[i] < pivot)
            i++;
          while (values[j] > pivot)
            j--;
          if (i <= j)
            {
              guint64 value = values[i];

              values[i++] = values[j];
              values[j] = value;
              if (j == 0)
                break;
              j--;
            }
        }
      if (rank <= j)
        high = j;
      else if (rank >= i)
        low = i;
      else
        break;
    }
  return values[rank];
}

static void
select_values (Percentile *self)
{
  g_autofree guint64 *ends = g_new0 (guint64, self->n_routines + 1);
  g_autofree guint64 *values = NULL;
  guint64 n = 0;

  for (guint t = 0; t < WEFT_MAX_THREADS; t++)
    for (guint i = 0; i < self->found[t]->len; i++)
      ends[g_array_index (self->found[t], Found, i).place]++;
  for (guint i = 0; i < self->n_routines; i++)
    {
      n += ends[i];
      ends[i] = n - ends[i];
    }
  values = g_new (guint64, n + 1);
  for (guint t = 0; t < WEFT_MAX_THREADS; t++)
    for (guint i = 0; i < self->found[t]->len; i++)
      {
        const Found *found = &g_array_index (self->found[t], Found, i);

        values[ends[found->place]++] = found->duration;
      }

  for (guint i = 0; i < self->n_routines; i++)
    {
      guint64 begin = i == 0 ? 0 : ends[i - 1];
      guint64 count = ends[i] - begin;

      /* A hostile summary may promise more than there is. */
      self->routines[i].sum =
          count == 0 ? 0
                     : select_rank (values + begin, count, MIN (self->routines[i].sum, count) - 1);
    }
}

static gboolean
run_batch (Percentile *self, double percentile, GError **error)
{
  if (!fill_histograms (self, error))
    return FALSE;
  choose_ranges (self, percentile);
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    g_array_set_size (self->found[i], 0);
  if (!weft_parallel_run (self->store->digests->len, collect_chunk, self, error))
    return FALSE;
  select_values (self);
  return TRUE;
}

GArray *
weft_store_percentile (WeftStore *self, double percentile, GError **error)
{
  g_autoptr (GArray) groups = NULL;
  g_autofree Percentile *run = NULL;
  gboolean good = TRUE;

  g_return_val_if_fail (percentile > 0 && percentile <= 100, NULL);

  groups = weft_store_summarize (self, WEFT_GROUP_BY_ROUTINE, error);
  if (groups == NULL)
    return NULL;
  run = g_new0 (Percentile, 1);
  run->store = self;
  run->histograms = g_new (guint64, BUCKETS * MIN (groups->len, BATCH) + 1);
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    run->found[i] = g_array_new (FALSE, FALSE, sizeof (Found));
  for (guint first = 0; first < groups->len && good; first += BATCH)
    {
      run->routines = &g_array_index (groups, WeftGroupSummary, first);
      run->n_routines = MIN (groups->len - first, BATCH);
      good = run_batch (run, percentile, error);
    }
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    g_array_unref (run->found[i]);
  g_free (run->histograms);
  return good ? g_steal_pointer (&groups) : NULL;
}

/* The longest: of each chunk, its summary names some; the rows are read where that is not enough.
 */

typedef struct
{
  guint64 longest;
  guint chunk;
} Bound;

static int
compare_bounds (gconstpointer a, gconstpointer b)
{
  const Bound *bound_a = a;
  const Bound *bound_b = b;

  return bound_a->longest > bound_b->longest ? -1 : bound_a->longest < bound_b->longest;
}

static int
compare_long (gconstpointer a, gconstpointer b)
{
  const WeftLongDispatch *long_a = a;
  const WeftLongDispatch *long_b = b;

  if (long_a->duration != long_b->duration)
    return long_a->duration > long_b->duration ? -1 : 1;
  return long_a->id < long_b->id ? -1 : long_a->id > long_b->id;
}

typedef struct
{
  GArray *rows; /* WeftLongDispatch; sorted and cut to N when it has doubled */
  guint n;
  guint64 bar; /* shorter ones are not among the N */
} Longest;

static void
longest_cut (Longest *self)
{
  g_array_sort (self->rows, compare_long);
  if (self->rows->len < self->n)
    return;
  g_array_set_size (self->rows, self->n);
  self->bar = g_array_index (self->rows, WeftLongDispatch, self->n - 1).duration;
}

static void
longest_add (Longest *self, const WeftStoreColumn columns[], guint row)
{
  WeftLongDispatch dispatch;

  dispatch.id = weft_store_column_get (&columns[WEFT_LONGEST_ID], row);
  dispatch.lane = (guint32) weft_store_column_get (&columns[WEFT_LONGEST_LANE], row);
  dispatch.routine = (guint32) weft_store_column_get (&columns[WEFT_LONGEST_ROUTINE], row);
  dispatch.start = (gint64) weft_store_column_get (&columns[WEFT_LONGEST_START], row);
  dispatch.duration = weft_store_column_get (&columns[WEFT_LONGEST_DURATION], row);
  g_array_append_val (self->rows, dispatch);
  if (self->rows->len >= self->n + 1024)
    longest_cut (self);
}

/* FALSE if rows that the summary does not name may belong to the longest. */
static gboolean
add_named (Longest *self, WeftChunk *summary, guint32 n_rows)
{
  WeftStoreColumn columns[WEFT_N_LONGEST_STREAMS];
  guint32 count;
  gboolean enough;

  if (!weft_chunk_read_streams (summary, WEFT_SUMMARY_LONGEST, WEFT_N_LONGEST_STREAMS, 0, columns,
                                &count, NULL))
    return FALSE;
  enough =
      count > 0 && (count >= n_rows || count >= self->n ||
                    weft_store_column_get (&columns[WEFT_LONGEST_DURATION], count - 1) < self->bar);
  for (guint i = 0; i < count && enough; i++)
    if (weft_store_column_get (&columns[WEFT_LONGEST_DURATION], i) >= self->bar)
      longest_add (self, columns, i);
  for (guint i = 0; i < WEFT_N_LONGEST_STREAMS; i++)
    weft_store_column_clear (&columns[i]);
  return enough;
}

static gboolean
add_long_rows (Longest *self, WeftChunk *chunk, GError **error)
{
  static const guint places[WEFT_N_LONGEST_STREAMS] = {
    [WEFT_LONGEST_ID] = WEFT_DISPATCH_PLACE (ID),
    [WEFT_LONGEST_LANE] = WEFT_DISPATCH_PLACE (LANE),
    [WEFT_LONGEST_ROUTINE] = WEFT_DISPATCH_PLACE (ROUTINE),
    [WEFT_LONGEST_START] = WEFT_DISPATCH_PLACE (START),
    [WEFT_LONGEST_DURATION] = WEFT_DISPATCH_PLACE (DURATION),
  };
  WeftStoreColumn columns[WEFT_N_LONGEST_STREAMS] = { 0 };
  gboolean good = TRUE;

  for (guint i = 0; i < WEFT_N_LONGEST_STREAMS && good; i++)
    good = weft_store_read_chunk_column (chunk, places[i], &columns[i], error);
  for (guint i = 0; i < chunk->rows && good; i++)
    if (weft_store_column_get (&columns[WEFT_LONGEST_DURATION], i) >= self->bar)
      longest_add (self, columns, i);
  for (guint i = 0; i < WEFT_N_LONGEST_STREAMS; i++)
    weft_store_column_clear (&columns[i]);
  return good;
}

static GArray *
bound_chunks (WeftStore *self)
{
  GArray *bounds = g_array_new (FALSE, FALSE, sizeof (Bound));

  for (guint i = 0; i < self->digests->len; i++)
    {
      Bound bound = { 0, i };
      guint64 min;

      if (!weft_store_get_zone (self, WEFT_TABLE_DISPATCHES, i, WEFT_DISPATCHES_DURATION, &min,
                                &bound.longest))
        bound.longest = 0;
      g_array_append_val (bounds, bound);
    }
  g_array_sort (bounds, compare_bounds);
  return bounds;
}

GArray *
weft_store_longest (WeftStore *self, guint n, GError **error)
{
  g_autoptr (GArray) bounds = bound_chunks (self);
  Longest longest = { g_array_new (FALSE, FALSE, sizeof (WeftLongDispatch)), n, 0 };
  gboolean good = TRUE;

  for (guint i = 0; i < bounds->len && good && n > 0; i++)
    {
      const Bound *bound = &g_array_index (bounds, Bound, i);
      WeftChunk *chunk = weft_store_chunk (self, WEFT_TABLE_DISPATCHES, bound->chunk);
      WeftChunk *summary = get_summary (self, bound->chunk);

      if (bound->longest < longest.bar)
        break;
      if (summary == NULL || !add_named (&longest, summary, chunk->rows))
        good = add_long_rows (&longest, chunk, error);
      longest_cut (&longest);
    }
  if (!good)
    g_clear_pointer (&longest.rows, g_array_unref);
  return longest.rows;
}
