/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-digest.h"

#include <string.h>

#define MAX_HISTOGRAMS 512 /* routines of a chunk; beyond, percentiles read the rows */
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
  Groups pairs, routines, lanes;
  GArray *cells[WEFT_N_HISTOGRAM_STREAMS];
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
    self->cells[i] = g_array_new (FALSE, FALSE, sizeof (guint64));
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
    g_array_unref (self->cells[i]);
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
      weft_chunk_builder_add_numbers (chunk, (guint16) (first + i), WEFT_TYPE_U64, self->streams[i],
                                      self->n);
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

/* Sums of a row's worth of durations do not wrap unless one of them is absurd. */
static guint32
add_rows (WeftSummaryBuilder *self, const WeftDispatchColumns *columns, guint32 row, guint32 end,
          gboolean histogram)
{
  guint32 n_touched = 0;

  for (; row < end; row++)
    {
      guint32 place = columns->routine_places[row];
      guint64 duration = columns->durations[row];
      Group *group = &self->by_routine[place];

      if (group->count++ == 0)
        {
          self->touched[n_touched++] = place;
          group->min = G_MAXUINT64;
        }
      group->sum = add_saturating (group->sum, duration);
      group->min = MIN (group->min, duration);
      group->max = MAX (group->max, duration);
      if (histogram)
        self->histogram[place * BUCKETS + weft_histogram_bucket (duration)]++;
    }

  return n_touched;
}

static void
close_lane (WeftSummaryBuilder *self, const WeftDispatchColumns *columns, guint64 lane,
            guint32 n_touched)
{
  Group all = { 0 };

  qsort (self->touched, n_touched, sizeof *self->touched, compare_places);
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
  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    g_array_set_size (self->cells[i], 0);

  for (guint32 place = 0; place < columns->n_routines; place++)
    for (guint bucket = 0; bucket < BUCKETS; bucket++)
      {
        guint32 *count = &self->histogram[place * BUCKETS + bucket];
        const guint64 values[] = { columns->routine_names[place], bucket, *count };

        if (*count == 0)
          continue;
        for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
          g_array_append_val (self->cells[i], values[i]);
        *count = 0;
      }

  for (guint i = 0; i < WEFT_N_HISTOGRAM_STREAMS; i++)
    weft_chunk_builder_add_numbers (chunk, (guint16) (WEFT_SUMMARY_HISTOGRAM + i), WEFT_TYPE_U64,
                                    (const guint64 *) (gpointer) self->cells[i]->data,
                                    self->cells[i]->len);
}

static void
put_lane_times (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
                WeftChunkBuilder *chunk)
{
  guint32 row = 0;

  for (guint32 i = 0; i < columns->n_lanes; i++)
    {
      guint32 end = row + (guint32) columns->lane_rows[i];
      gint64 last = G_MININT64;

      self->first_starts[i] = columns->starts[row];
      for (; row < end; row++)
        last = MAX (last, weft_time_add ((gint64) columns->starts[row], columns->durations[row]));
      self->last_ends[i] = (guint64) last;
    }
  weft_chunk_builder_add_numbers (chunk, WEFT_SUMMARY_FIRST_START, WEFT_TYPE_TIME,
                                  self->first_starts, columns->n_lanes);
  weft_chunk_builder_add_numbers (chunk, WEFT_SUMMARY_LAST_END, WEFT_TYPE_TIME, self->last_ends,
                                  columns->n_lanes);
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

/* Fills a buffer with all that reach the bar; when it is full, the bar rises. */
static guint
find_longest (const WeftDispatchColumns *columns, Long *rows)
{
  guint64 bar = 0;
  guint n = 0;

  for (guint32 row = 0; row < columns->n_rows; row++)
    {
      if (columns->durations[row] < bar)
        continue;
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
    weft_chunk_builder_add_numbers (chunk, (guint16) (WEFT_SUMMARY_LONGEST + i),
                                    i == WEFT_LONGEST_START ? WEFT_TYPE_TIME : WEFT_TYPE_U64,
                                    values[i], n);
}

void
weft_summary_builder_add (WeftSummaryBuilder *self, const WeftDispatchColumns *columns,
                          WeftChunkBuilder *chunk)
{
  gboolean histogram = columns->n_routines <= MAX_HISTOGRAMS;
  guint32 row = 0;

  self->pairs.n = self->routines.n = self->lanes.n = 0;
  for (guint32 i = 0; i < columns->n_lanes; i++)
    {
      guint32 end = row + (guint32) columns->lane_rows[i];

      close_lane (self, columns, columns->lanes[i], add_rows (self, columns, row, end, histogram));
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

      self->routine_places[i] = (guint32) (found - self->routine_names);
    }
}

void
weft_dispatch_columns_number_routines (WeftDispatchColumns *self)
{
  guint32 places[8192] = { 0 };
  guint64 first = G_MAXUINT64;
  guint64 last = 0;

  for (guint32 i = 0; i < self->n_rows; i++)
    {
      first = MIN (first, self->routines[i]);
      last = MAX (last, self->routines[i]);
    }
  if (last - first >= G_N_ELEMENTS (places))
    {
      number_by_searching (self);
      return;
    }

  for (guint32 i = 0; i < self->n_rows; i++)
    places[self->routines[i] - first] = 1;
  self->n_routines = 0;
  for (guint32 i = 0; i <= last - first; i++)
    if (places[i] != 0)
      {
        self->routine_names[self->n_routines] = first + i;
        places[i] = self->n_routines++;
      }
  for (guint32 i = 0; i < self->n_rows; i++)
    self->routine_places[i] = places[self->routines[i] - first];
}
