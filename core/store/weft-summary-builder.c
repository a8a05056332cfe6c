/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-digest.h"

#include <string.h>

#define MAX_HISTOGRAMS 512 /* routines of a chunk; beyond, percentiles read the rows */
#define GROUP 64           /* rows whose longest is looked at first */
#define BUCKETS WEFT_N_HISTOGRAM_BUCKETS

typedef struct
{
  guint64 count, sum, min, max;
} Group;

/* One array a stream. */
typedef struct
{
  guint64 *streams[WEFT_N_GROUP_STREAMS];
  guint32 n;
  guint32 room;
} Groups;

struct _WeftSummaryBuilder
{
  Group *by_routine; /* of the lane at hand, by place of the routine */
  Group *totals;
  guint32 *touched;
  guint32 *histogram;
  guint64 *buckets; /* of each row */
  Groups pairs, routines, lanes;
  guint64 *cells[WEFT_N_HISTOGRAM_STREAMS];
  guint64 *first_starts; /* of each lane */
  guint64 *last_ends;
};

WeftSummaryBuilder *
weft_summary_builder_new (void)
{
  WeftSummaryBuilder *self = g_new0 (WeftSummaryBuilder, 1);

  self->by_routine = g_new0 (Group, WEFT_MAX_CHUNK_ROWS);
  self->totals = g_new0 (Group, WEFT_MAX_CHUNK_ROWS);
  self->touched = g_new (guint32, WEFT_MAX_CHUNK_ROWS);
  self->first_starts = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->last_ends = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->histogram = g_new0 (guint32, MAX_HISTOGRAMS * BUCKETS);
  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    self->cells[i] = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->buckets = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  return self;
}

static void
groups_clear (Groups *self)
{
  for (guint i = 0; i < WEFT_N_GROUP_STREAMS; i++)
    g_free (self->streams[i]);
}

void
weft_summary_builder_free (WeftSummaryBuilder *self)
{
  g_free (self->by_routine);
  g_free (self->totals);
  g_free (self->touched);
  g_free (self->first_starts);
  g_free (self->last_ends);
  g_free (self->histogram);
  groups_clear (&self->pairs);
  groups_clear (&self->routines);
  groups_clear (&self->lanes);
  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    g_free (self->cells[i]);
  g_free (self->buckets);
  g_free (self);
}

static void
groups_append (Groups *self, guint64 lane, guint64 routine, const Group *group)
{
  const guint64 values[WEFT_N_GROUP_STREAMS] = { lane,       routine,    group->count,
                                                 group->sum, group->min, group->max };

  if (self->n == self->room)
    {
      self->room = MAX (256, self->room * 2);
      for (guint i = 0; i < WEFT_N_GROUP_STREAMS; i++)
        self->streams[i] = g_renew (guint64, self->streams[i], self->room);
    }
  for (guint i = 0; i < WEFT_N_GROUP_STREAMS; i++)
    self->streams[i][self->n] = values[i];
  self->n++;
}

static void
groups_put (const Groups *self, guint first, guint skip, WeftChunkBuilder *chunk)
{
  for (guint i = 0; i < WEFT_N_GROUP_STREAMS; i++)
    if (i != skip)
      weft_chunk_builder_add_numbers (chunk, (guint16) (first + i), WEFT_STORE_TYPE_U64,
                                      self->streams[i], self->n);
}

static inline guint64
add_saturating (guint64 a, guint64 b)
{
  return a > G_MAXUINT64 - b ? G_MAXUINT64 : a + b;
}

static void
group_merge (Group *self, const Group *other)
{
  if (self->count == 0)
    *self = *other;
  else
    {
      self->count += other->count;
      self->sum = add_saturating (self->sum, other->sum);
      self->min = MIN (self->min, other->min);
      self->max = MAX (self->max, other->max);
    }
}

static int
compare_places (gconstpointer a, gconstpointer b)
{
  guint32 place_a = *(const guint32 *) a;
  guint32 place_b = *(const guint32 *) b;

  return place_a < place_b ? -1 : place_a > place_b;
}

#define EXACT_DOUBLE (G_GUINT64_CONSTANT (1) << 52)

typedef guint64 Numbers __attribute__ ((vector_size (32)));
typedef double Doubles __attribute__ ((vector_size (32)));

/* As weft_histogram_bucket (), by the exponent and the first bits of a double: no branches. A few
 * more than N are read and written.
 */
WEFT_HOT static void
find_buckets (const guint64 *durations, guint32 n, guint64 *buckets)
{
  const Doubles zero = (Doubles){ 0 } + (double) EXACT_DOUBLE;

  for (guint32 i = 0; i < n; i += 4)
    {
      Numbers duration, bucket, is_small;

      memcpy (&duration, durations + i, sizeof duration);
      bucket = (Numbers) ((Doubles) (duration | G_GUINT64_CONSTANT (0x4330000000000000)) - zero);
      bucket = (bucket >> 48) - (1023 * 16 + 48);
      is_small = (Numbers) ((duration >> 4) == 0);
      bucket = (duration & is_small) | (bucket & ~is_small);
      memcpy (buckets + i, &bucket, sizeof bucket);
    }
}

/* Durations below 2^48: no sum of a chunk wraps. */
static guint32
add_rows (WeftSummaryBuilder *self, const WeftDispatchColumns *columns, guint32 row, guint32 end)
{
  const guint16 *places = columns->routine_places;
  const guint64 *durations = columns->durations;
  guint32 n_touched = 0;

  for (; row < end; row++)
    {
      guint64 duration = durations[row];
      Group *group = &self->by_routine[places[row]];

      if (G_UNLIKELY (group->count++ == 0))
        {
          self->touched[n_touched++] = places[row];
          group->min = G_MAXUINT64;
        }
      group->sum += duration;
      if (G_UNLIKELY (duration < group->min))
        group->min = duration;
      if (G_UNLIKELY (duration > group->max))
        group->max = duration;
    }

  return n_touched;
}

static guint32
add_long_rows (WeftSummaryBuilder *self, const WeftDispatchColumns *columns, guint32 row,
               guint32 end)
{
  guint32 n_touched = 0;

  for (; row < end; row++)
    {
      guint64 duration = columns->durations[row];
      Group *group = &self->by_routine[columns->routine_places[row]];

      if (group->count++ == 0)
        {
          self->touched[n_touched++] = columns->routine_places[row];
          group->min = G_MAXUINT64;
        }
      group->sum = add_saturating (group->sum, duration);
      group->min = MIN (group->min, duration);
      group->max = MAX (group->max, duration);
    }

  return n_touched;
}

static void
fill_histogram (WeftSummaryBuilder *self, const WeftDispatchColumns *columns)
{
  const guint16 *places = columns->routine_places;
  const guint64 *buckets = self->buckets;

  if (columns->max_duration < EXACT_DOUBLE)
    find_buckets (columns->durations, columns->n_rows, self->buckets);
  else
    for (guint32 row = 0; row < columns->n_rows; row++)
      self->buckets[row] = weft_histogram_bucket (columns->durations[row]);
#pragma GCC unroll 4
  for (guint32 row = 0; row < columns->n_rows; row++)
    self->histogram[places[row] * BUCKETS + buckets[row]]++;
}

/* Looking at each routine is cheaper than sorting if most of them are there. */
static void
sort_touched (WeftSummaryBuilder *self, guint32 n_routines, guint32 n_touched)
{
  if (n_touched < n_routines / 8)
    {
      qsort (self->touched, n_touched, sizeof *self->touched, compare_places);
      return;
    }
  for (guint32 place = 0, n = 0; n < n_touched; place++)
    {
      self->touched[n] = place;
      n += self->by_routine[place].count > 0;
    }
}

static void
close_lane (WeftSummaryBuilder *self, const WeftDispatchColumns *columns, guint64 lane,
            guint32 n_touched)
{
  Group all = { 0 };

  sort_touched (self, columns->n_routines, n_touched);
  for (guint32 i = 0; i < n_touched; i++)
    {
      guint32 place = self->touched[i];
      Group *group = &self->by_routine[place];

      if (self->pairs.n <= columns->n_rows / 16 + 256)
        groups_append (&self->pairs, lane, columns->routine_names[place], group);
      group_merge (&self->totals[place], group);
      group_merge (&all, group);
      memset (group, 0, sizeof *group);
    }
  groups_append (&self->lanes, lane, 0, &all);
}

static void
put_histogram (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
               WeftChunkBuilder *chunk)
{
  guint n_buckets = weft_histogram_bucket (columns->max_duration) + 1;
  guint32 n = 0;

  fill_histogram (self, columns);
  for (guint32 place = 0; place < columns->n_routines; place++)
    for (guint bucket = 0; bucket < n_buckets; bucket++)
      {
        guint32 *count = &self->histogram[place * BUCKETS + bucket];

        if (*count == 0)
          continue;
        self->cells[WEFT_HISTOGRAM_ROUTINE][n] = columns->routine_names[place];
        self->cells[WEFT_HISTOGRAM_BUCKET][n] = bucket;
        self->cells[WEFT_HISTOGRAM_COUNT][n++] = *count;
        *count = 0;
      }

  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    weft_chunk_builder_add_numbers (chunk, (guint16) (WEFT_SUMMARY_HISTOGRAM + i),
                                    WEFT_STORE_TYPE_U64, self->cells[i], n);
}

WEFT_HOT static gint64
latest (const gint64 *times, guint32 n)
{
  gint64 last = G_MININT64;

  for (guint32 i = 0; i < n; i++)
    last = times[i] > last ? times[i] : last;
  return last;
}

static void
put_lane_times (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
                WeftChunkBuilder *chunk)
{
  guint32 row = 0;

  for (guint32 i = 0; i < columns->n_lanes; i++)
    {
      self->first_starts[i] = columns->starts[row];
      self->last_ends[i] = (guint64) latest (columns->ends + row, (guint32) columns->lane_rows[i]);
      row += (guint32) columns->lane_rows[i];
    }
  weft_chunk_builder_add_numbers (chunk, WEFT_SUMMARY_FIRST_START, WEFT_STORE_TYPE_TIME,
                                  self->first_starts, columns->n_lanes);
  weft_chunk_builder_add_numbers (chunk, WEFT_SUMMARY_LAST_END, WEFT_STORE_TYPE_TIME,
                                  self->last_ends, columns->n_lanes);
}

typedef struct
{
  guint64 duration;
  guint64 id;
  guint32 row;
} Long;

static int
compare_long (gconstpointer a, gconstpointer b)
{
  const Long *long_a = a;
  const Long *long_b = b;

  if (long_a->duration != long_b->duration)
    return long_a->duration > long_b->duration ? -1 : 1;
  return long_a->id < long_b->id ? -1 : long_a->id > long_b->id;
}

static int
compare_maxima (gconstpointer a, gconstpointer b)
{
  guint64 max_a = *(const guint64 *) a;
  guint64 max_b = *(const guint64 *) b;

  return max_a > max_b ? -1 : max_a < max_b;
}

WEFT_HOT static void
find_maxima (const guint64 *durations, guint32 n_groups, guint64 *maxima)
{
  for (guint32 group = 0; group < n_groups; group++)
    {
      guint64 max = 0;

      for (guint i = 0; i < GROUP; i++)
        max = durations[group * GROUP + i] > max ? durations[group * GROUP + i] : max;
      maxima[group] = max;
    }
}

/* So many groups of rows have a maximum that reaches the bar, so at least as many rows do. Fills a
 * buffer with these; when it is full, the bar rises.
 */
static guint
find_longest (const WeftDispatchColumns *columns, Long *rows)
{
  guint64 maxima[WEFT_MAX_CHUNK_ROWS / GROUP];
  guint64 sorted[WEFT_MAX_CHUNK_ROWS / GROUP];
  guint32 n_groups = columns->n_rows / GROUP;
  guint64 bar = 0;
  guint n = 0;

  find_maxima (columns->durations, n_groups, maxima);
  memcpy (sorted, maxima, n_groups * sizeof maxima[0]);
  qsort (sorted, n_groups, sizeof sorted[0], compare_maxima);
  if (n_groups >= WEFT_MAX_LONGEST)
    bar = sorted[WEFT_MAX_LONGEST - 1];

  for (guint32 row = 0; row < columns->n_rows; row++)
    {
      if (row % GROUP == 0 && row / GROUP < n_groups && maxima[row / GROUP] < bar)
        row += GROUP - 1;
      else if (columns->durations[row] >= bar)
        rows[n++] = (Long){ columns->durations[row], columns->ids[row], row };
      if (n == 8 * WEFT_MAX_LONGEST)
        {
          qsort (rows, n, sizeof *rows, compare_long);
          n = WEFT_MAX_LONGEST;
          bar = rows[n - 1].duration;
        }
    }

  qsort (rows, n, sizeof *rows, compare_long);
  return MIN (n, WEFT_MAX_LONGEST);
}

static guint32
find_lane (const WeftDispatchColumns *columns, guint32 row)
{
  guint32 lane = 0;

  for (guint64 end = columns->lane_rows[0]; end <= row; end += columns->lane_rows[lane])
    lane++;
  return lane;
}

static void
put_longest (const WeftDispatchColumns *columns, WeftChunkBuilder *chunk)
{
  Long rows[8 * WEFT_MAX_LONGEST];
  guint64 values[WEFT_N_LONGEST_STREAMS][WEFT_MAX_LONGEST];
  guint n = find_longest (columns, rows);

  for (guint i = 0; i < n; i++)
    {
      values[WEFT_LONGEST_ID][i] = rows[i].id;
      values[WEFT_LONGEST_LANE][i] = columns->lanes[find_lane (columns, rows[i].row)];
      values[WEFT_LONGEST_ROUTINE][i] = columns->routines[rows[i].row];
      values[WEFT_LONGEST_START][i] = columns->starts[rows[i].row];
      values[WEFT_LONGEST_DURATION][i] = rows[i].duration;
    }
  for (guint i = 0; i < WEFT_N_LONGEST_STREAMS; i++)
    weft_chunk_builder_add_numbers (
        chunk, (guint16) (WEFT_SUMMARY_LONGEST + i),
        i == WEFT_LONGEST_START ? WEFT_STORE_TYPE_TIME : WEFT_STORE_TYPE_U64, values[i], n);
}

void
weft_summary_builder_add (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
                          WeftChunkBuilder *chunk)
{
  gboolean histogram = columns->n_routines <= MAX_HISTOGRAMS;
  gboolean is_long = columns->max_duration >> 47 != 0;
  guint32 row = 0;

  self->pairs.n = self->routines.n = self->lanes.n = 0;
  for (guint32 i = 0; i < columns->n_lanes; i++)
    {
      guint32 end = row + (guint32) columns->lane_rows[i];
      guint32 n_touched =
          is_long ? add_long_rows (self, columns, row, end) : add_rows (self, columns, row, end);

      close_lane (self, columns, columns->lanes[i], n_touched);
      row = end;
    }
  for (guint32 place = 0; place < columns->n_routines; place++)
    {
      groups_append (&self->routines, 0, columns->routine_names[place], &self->totals[place]);
      memset (&self->totals[place], 0, sizeof self->totals[place]);
    }

  groups_put (&self->routines, WEFT_SUMMARY_ROUTINES, WEFT_GROUP_LANE, chunk);
  groups_put (&self->lanes, WEFT_SUMMARY_LANES, WEFT_GROUP_ROUTINE, chunk);
  put_lane_times (self, columns, chunk);
  put_longest (columns, chunk);
  if (self->pairs.n <= columns->n_rows / 16 + 256)
    groups_put (&self->pairs, WEFT_SUMMARY_PAIRS, WEFT_N_GROUP_STREAMS, chunk);
  if (histogram)
    put_histogram (self, columns, chunk);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  guint64 name_a = *(const guint64 *) a;
  guint64 name_b = *(const guint64 *) b;

  return name_a < name_b ? -1 : name_a > name_b;
}

static void
number_by_searching (WeftDispatchColumns *self)
{
  guint32 n = 0;

  memcpy (self->routine_names, self->routines, self->n_rows * sizeof (guint64));
  qsort (self->routine_names, self->n_rows, sizeof (guint64), compare_names);
  for (guint32 i = 0; i < self->n_rows; i++)
    if (i == 0 || self->routine_names[i] != self->routine_names[n - 1])
      self->routine_names[n++] = self->routine_names[i];
  self->n_routines = n;

  for (guint32 i = 0; i < self->n_rows; i++)
    {
      const guint64 *found =
          bsearch (&self->routines[i], self->routine_names, n, sizeof (guint64), compare_names);

      self->routine_places[i] = (guint16) (found - self->routine_names);
    }
}

static void
number_routines (WeftDispatchColumns *self)
{
  guint16 places[8192] = { 0 };
  const guint64 *routines = self->routines;
  guint16 *routine_places = self->routine_places;
  guint64 first = self->min_routine;
  guint64 last = self->max_routine;

  if (last - first >= G_N_ELEMENTS (places))
    {
      number_by_searching (self);
      return;
    }

#pragma GCC unroll 4
  for (guint32 i = 0; i < self->n_rows; i++)
    places[routines[i] - first] = 1;
  self->n_routines = 0;
  for (guint32 i = 0; i <= last - first; i++)
    if (places[i] != 0)
      {
        self->routine_names[self->n_routines] = first + i;
        places[i] = (guint16) self->n_routines++;
      }
#pragma GCC unroll 4
  for (guint32 i = 0; i < self->n_rows; i++)
    routine_places[i] = places[routines[i] - first];
}

WEFT_HOT static void
find_ends (const guint64 *restrict starts, const guint64 *restrict durations, guint32 n,
           gint64 *restrict ends)
{
  for (guint32 i = 0; i < n; i++)
    {
      gint64 end = (gint64) (starts[i] + durations[i]);

      ends[i] = durations[i] > G_MAXINT64 || end < (gint64) starts[i] ? G_MAXINT64 : end;
    }
}

void
weft_dispatch_columns_prepare (WeftDispatchColumns *self)
{
  number_routines (self);
  find_ends (self->starts, self->durations, self->n_rows, self->ends);
}
