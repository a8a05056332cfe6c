/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-private.h"

#include <string.h>

#include "weft-store-parallel.h"

#define CANDIDATES 4 /* routines followed in each bucket for the busiest of them */
#define LEVEL_STEP 2

#define NO_STREAM G_MAXUINT
#define GAP 512 /* values between two lanes' that are rather read than a read be made of them */

/* Where the values of a lane are. */
typedef struct
{
  guint64 lane;
  guint32 segment;
  guint32 begin; /* in the segment */
  guint32 end;
} Run;

/* Values of the lanes that are asked for. */
typedef struct
{
  GArray *runs;     /* Run, by lane */
  GArray *segments; /* of WEFT_N_CELL_STREAMS columns each */
} Lanes;

/* What one chunk gives to the slice: cells of the coarsest level that is fine enough and the rows
 * that are too long for cells, or else rows.
 */
typedef struct
{
  guint shift;
  Lanes cells;
  Lanes rows;      /* of a chunk sorted by lane */
  guint32 n_mixed; /* the long rows, or all of a chunk that is not sorted */
  gboolean is_sorted;
  WeftStoreColumn mixed[WEFT_N_LONG_STREAMS];
} Part;

typedef struct
{
  gint64 start;
  gint64 end;
  guint64 duration;
  guint32 routine;
  gboolean is_error;
} Interval;

typedef struct
{
  guint32 routine;
  guint64 time;
} Candidate;

typedef struct
{
  WeftStore *store;
  gint64 begin;
  gint64 end;
  guint n_buckets;
  gint64 *edges;  /* n_buckets + 1 */
  double scale;   /* buckets a nanosecond */
  guint64 width;  /* of a bucket, rounded down */
  GArray *wanted; /* lanes, ascending */
  GArray *chunks;
  Part *parts;
  guint n_parts;
} Slice;

/* A lane's buckets being filled. */
typedef struct
{
  const Slice *slice;
  WeftTimelineBucket *buckets;
  Candidate *candidates; /* CANDIDATES of each bucket */
  GArray *intervals;
} Lane;

/* Where a time falls; it must lie within the slice. */
static inline guint
bucket_of (const Slice *slice, gint64 time)
{
  guint bucket = (guint) (((double) ((guint64) time - (guint64) slice->begin)) * slice->scale);

  bucket = MIN (bucket, slice->n_buckets - 1);
  while (slice->edges[bucket] > time)
    bucket--;
  while (bucket + 1 < slice->n_buckets && slice->edges[bucket + 1] <= time)
    bucket++;
  return bucket;
}

/* Lanes */

static inline void
vote (Lane *lane, guint bucket, guint32 routine, guint64 time)
{
  Candidate *candidates = &lane->candidates[bucket * CANDIDATES];
  guint least = 0;

  for (guint i = 0; i < CANDIDATES; i++)
    {
      if (candidates[i].routine == routine)
        {
          candidates[i].time += time;
          return;
        }
      if (candidates[i].time < candidates[least].time)
        least = i;
    }
  if (time > candidates[least].time)
    candidates[least] = (Candidate){ routine, time };
}

/* A cell lies in one bucket or in two: the first gets what begins in it, and both their share of
 * its time.
 */
static void
add_cell (Lane *lane, const WeftStoreColumn *cells, guint shift, guint32 i)
{
  const Slice *slice = lane->slice;
  gint64 bucket = (gint64) weft_store_column_get (&cells[WEFT_CELL_BUCKET], i);
  gint64 start = (gint64) ((guint64) bucket << shift);
  gint64 end = weft_time_add (start, G_GUINT64_CONSTANT (1) << shift);
  guint64 busy = weft_store_column_get (&cells[WEFT_CELL_BUSY], i);
  guint32 routine = (guint32) weft_store_column_get (&cells[WEFT_CELL_ROUTINE], i);
  gint64 from = MAX (start, slice->begin);
  gint64 to = MIN (end, slice->end);
  WeftTimelineBucket *into;
  guint first;

  if (from >= to || end <= start)
    return;
  first = bucket_of (slice, from);
  into = &lane->buckets[first];
  if (start >= slice->begin)
    {
      into->count += (guint32) weft_store_column_get (&cells[WEFT_CELL_COUNT], i);
      into->errors += (guint32) weft_store_column_get (&cells[WEFT_CELL_ERRORS], i);
      into->longest = MAX (into->longest, weft_store_column_get (&cells[WEFT_CELL_LONGEST], i));
    }
  for (; first < slice->n_buckets && slice->edges[first] < to; first++)
    {
      guint64 part_width =
          (guint64) MIN (to, slice->edges[first + 1]) - (guint64) MAX (from, slice->edges[first]);
      guint64 share = part_width == (guint64) (end - start)
                          ? busy
                          : (guint64) ((double) busy * (double) part_width /
                                       (double) ((guint64) end - (guint64) start));

      lane->buckets[first].busy += share;
      vote (lane, first, routine, share);
    }
}

/* The rows of a lane in a column of lanes that ascend. */
static guint32
lower_bound (const WeftStoreColumn *lanes, guint32 n, guint64 lane)
{
  guint32 low = 0;

  while (low < n)
    {
      guint32 middle = low + (n - low) / 2;

      if (weft_store_column_get (lanes, middle) < lane)
        low = middle + 1;
      else
        n = middle;
    }
  return low;
}

static inline void
take_row (Lane *lane, const WeftStoreColumn *rows, guint32 row)
{
  guint64 duration = weft_store_column_get (&rows[WEFT_LONG_DURATION], row);
  gint64 start = (gint64) weft_store_column_get (&rows[WEFT_LONG_START], row);
  Interval interval = { .start = start,
                        .end = weft_time_add (start, duration),
                        .duration = duration,
                        .routine =
                            (guint32) weft_store_column_get (&rows[WEFT_LONG_ROUTINE], row) };

  if (start >= lane->slice->end || interval.end < lane->slice->begin)
    return;
  interval.is_error = weft_store_column_get (&rows[WEFT_LONG_ERROR], row) != 0;
  g_array_append_val (lane->intervals, interval);
}

/* The first of the rows of a lane that starts at or after TIME. */
static guint32
first_start (const WeftStoreColumn *starts, guint32 low, guint32 high, gint64 time)
{
  while (low < high)
    {
      guint32 middle = low + (high - low) / 2;

      if ((gint64) weft_store_column_get (starts, middle) < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
add_mixed_rows (Lane *lane, const Part *part, guint32 id)
{
  const WeftStoreColumn *lanes = &part->mixed[WEFT_LONG_LANE];
  guint32 begin = 0;
  guint32 end = part->n_mixed;

  if (part->is_sorted)
    {
      begin = lower_bound (lanes, part->n_mixed, id);
      end = lower_bound (lanes, part->n_mixed, (guint64) id + 1);
    }
  for (guint32 row = begin; row < end; row++)
    if (weft_store_column_get (lanes, row) == id)
      take_row (lane, part->mixed, row);
}

/* The columns and the place in them of a lane's values; NULL if there are none. */
static const WeftStoreColumn *
find_run (const Lanes *lanes, guint32 id, const Run **found)
{
  const Run *runs = (const Run *) (gconstpointer) lanes->runs->data;
  guint low = 0;
  guint high = lanes->runs->len;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (runs[middle].lane < id)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == lanes->runs->len || runs[low].lane != id)
    return NULL;
  *found = &runs[low];
  return &g_array_index (lanes->segments, WeftStoreColumn, runs[low].segment * WEFT_N_CELL_STREAMS);
}

static void
add_sorted_rows (Lane *lane, const Part *part, guint32 id)
{
  const Run *run;
  const WeftStoreColumn *rows = find_run (&part->rows, id, &run);
  guint32 end;

  if (rows == NULL)
    return;
  end = first_start (&rows[WEFT_LONG_START], run->begin, run->end, lane->slice->end);
  for (guint32 row = run->begin; row < end; row++)
    take_row (lane, rows, row);
}

static void
add_cells (Lane *lane, const Part *part, guint32 id)
{
  const Run *run;
  const WeftStoreColumn *cells = find_run (&part->cells, id, &run);
  gint64 last = (lane->slice->end - 1) >> part->shift;
  guint32 i;

  if (cells == NULL)
    return;
  i = first_start (&cells[WEFT_CELL_BUCKET], run->begin, run->end,
                   lane->slice->begin >> part->shift);
  for (; i < run->end && (gint64) weft_store_column_get (&cells[WEFT_CELL_BUCKET], i) <= last; i++)
    add_cell (lane, cells, part->shift, i);
}

static int
compare_intervals (gconstpointer a, gconstpointer b)
{
  const Interval *interval_a = a;
  const Interval *interval_b = b;

  return interval_a->start < interval_b->start ? -1 : interval_a->start > interval_b->start;
}

/* Chunks follow one another in time but for a few rows: what comes nearly in order is not worth a
 * real sort.
 */
static void
sort_intervals (GArray *intervals)
{
  Interval *interval = (Interval *) (gpointer) intervals->data;
  guint64 moves = 0;

  for (guint i = 1; i < intervals->len; i++)
    {
      Interval moved = interval[i];
      guint to = i;

      for (; to > 0 && interval[to - 1].start > moved.start; to--)
        interval[to] = interval[to - 1];
      interval[to] = moved;
      moves += i - to;
      if (moves > 16 * (guint64) intervals->len + 4096)
        {
          g_array_sort (intervals, compare_intervals);
          return;
        }
    }
}

static void
add_interval (Lane *lane, const Interval *interval, guint bucket, gint64 until)
{
  const Slice *slice = lane->slice;
  gint64 from = MAX (interval->start, slice->begin);
  gint64 to = MIN (interval->end, slice->end);

  if (interval->start >= slice->begin)
    {
      lane->buckets[bucket].count++;
      lane->buckets[bucket].errors += interval->is_error;
      lane->buckets[bucket].longest = MAX (lane->buckets[bucket].longest, interval->duration);
    }
  for (; bucket < slice->n_buckets && slice->edges[bucket] < to; bucket++)
    {
      gint64 begin = MAX (from, slice->edges[bucket]);
      gint64 end = MIN (to, slice->edges[bucket + 1]);

      if (end <= begin)
        continue;
      vote (lane, bucket, interval->routine, (guint64) end - (guint64) begin);
      if (end > MAX (begin, until))
        lane->buckets[bucket].busy += (guint64) end - (guint64) MAX (begin, until);
    }
}

static void
add_intervals (Lane *lane)
{
  const Slice *slice = lane->slice;
  const Interval *intervals = (const Interval *) (gconstpointer) lane->intervals->data;
  gint64 until = G_MININT64;
  guint bucket = 0;

  sort_intervals (lane->intervals);
  for (guint i = 0; i < lane->intervals->len; i++)
    {
      while (bucket + 1 < slice->n_buckets && slice->edges[bucket + 1] <= intervals[i].start)
        bucket++;
      add_interval (lane, &intervals[i], bucket, until);
      until = MAX (until, intervals[i].end);
    }
}

static void
finish_lane (Lane *lane)
{
  const Slice *slice = lane->slice;

  for (guint bucket = 0; bucket < slice->n_buckets; bucket++)
    {
      const Candidate *candidates = &lane->candidates[bucket * CANDIDATES];
      guint best = 0;

      for (guint i = 1; i < CANDIDATES; i++)
        if (candidates[i].time > candidates[best].time)
          best = i;
      if (candidates[best].time > 0)
        lane->buckets[bucket].routine = candidates[best].routine;
      lane->buckets[bucket].busy =
          MIN (lane->buckets[bucket].busy,
               (guint64) slice->edges[bucket + 1] - (guint64) slice->edges[bucket]);
    }
}

static void
fill_lane (Lane *lane, guint32 id)
{
  memset (lane->candidates, 0, sizeof (Candidate) * CANDIDATES * lane->slice->n_buckets);
  g_array_set_size (lane->intervals, 0);
  for (guint i = 0; i < lane->slice->n_parts; i++)
    {
      const Part *part = &lane->slice->parts[i];

      add_cells (lane, part, id);
      add_sorted_rows (lane, part, id);
      add_mixed_rows (lane, part, id);
    }
  add_intervals (lane);
  finish_lane (lane);
}

/* Parts */

/* When the first row of a chunk starts and the last one ends, if that can be told for nothing. */
static void
chunk_times (WeftStore *self, guint chunk, gint64 *first, gint64 *last)
{
  WeftChunk *summary = g_array_index (self->digests, WeftDigests, chunk).summary;
  const WeftChunkDirectory *directory =
      summary == NULL ? NULL : weft_chunk_get_directory (summary, NULL);
  const WeftStreamEntry *starts =
      directory == NULL ? NULL : weft_chunk_find_stream (directory, WEFT_SUMMARY_FIRST_START);
  const WeftStreamEntry *ends =
      directory == NULL ? NULL : weft_chunk_find_stream (directory, WEFT_SUMMARY_LAST_END);

  *first = starts == NULL ? G_MININT64 : (gint64) starts->min;
  *last = ends == NULL ? G_MAXINT64 : (gint64) ends->max;
}

static void
choose_chunks (Slice *slice)
{
  slice->chunks = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < slice->store->digests->len; i++)
    {
      gint64 first, last;

      chunk_times (slice->store, i, &first, &last);
      if (first < slice->end && last >= slice->begin)
        g_array_append_val (slice->chunks, i);
    }
}

/* Picks from a chunk's LANES, which have so many (LENGTHS) values each, those that are asked for.
 * FALSE if they are not in order, or have not COUNT values in all.
 */
static gboolean
choose_lanes (const Slice *slice, const guint64 *lanes, const guint64 *lengths, guint32 n,
              guint32 count, Lanes *chosen)
{
  guint64 row = 0;
  guint wanted = 0;

  for (guint32 i = 0; i < n; i++)
    {
      Run run = { .lane = lanes[i], .begin = (guint32) row };

      if ((i > 0 && lanes[i] <= lanes[i - 1]) || lengths[i] == 0 || lengths[i] > count - row)
        return FALSE;
      row += lengths[i];
      run.end = (guint32) row;
      while (wanted < slice->wanted->len &&
             g_array_index (slice->wanted, guint32, wanted) < run.lane)
        wanted++;
      if (wanted < slice->wanted->len && g_array_index (slice->wanted, guint32, wanted) == run.lane)
        g_array_append_val (chosen->runs, run);
    }
  return row == count;
}

/* Reads what is chosen of N streams in as few pieces as are worth it. */
static gboolean
read_lanes (WeftChunk *chunk, const guint *streams, guint n, Lanes *lanes, GError **error)
{
  for (guint i = 0; i < lanes->runs->len;)
    {
      WeftStoreColumn columns[WEFT_N_CELL_STREAMS] = { 0 };
      guint32 begin = g_array_index (lanes->runs, Run, i).begin;
      guint32 end = g_array_index (lanes->runs, Run, i).end;
      guint32 segment = lanes->segments->len / WEFT_N_CELL_STREAMS;

      for (; i < lanes->runs->len; i++)
        {
          Run *run = &g_array_index (lanes->runs, Run, i);

          if (run->begin > end + GAP)
            break;
          end = run->end;
          run->begin -= begin;
          run->end -= begin;
          run->segment = segment;
        }
      for (guint stream = 0; stream < n; stream++)
        if (streams[stream] != NO_STREAM &&
            !weft_chunk_read_range (chunk, streams[stream], begin, end, &columns[stream], error))
          {
            for (guint j = 0; j < n; j++)
              weft_store_column_clear (&columns[j]);
            return FALSE;
          }
      g_array_append_vals (lanes->segments, columns, WEFT_N_CELL_STREAMS);
    }
  return TRUE;
}

static const guint row_places[WEFT_N_LONG_STREAMS] = {
  [WEFT_LONG_LANE] = WEFT_DISPATCH_PLACE (LANE),
  [WEFT_LONG_START] = WEFT_DISPATCH_PLACE (START),
  [WEFT_LONG_DURATION] = WEFT_DISPATCH_PLACE (DURATION),
  [WEFT_LONG_ROUTINE] = WEFT_DISPATCH_PLACE (ROUTINE),
  [WEFT_LONG_ERROR] = WEFT_DISPATCH_PLACE (STATUS),
};

static gboolean
read_mixed_rows (WeftChunk *chunk, Part *part, GError **error)
{
  part->is_sorted = FALSE;
  part->n_mixed = chunk->rows;
  for (guint i = 0; i < WEFT_N_LONG_STREAMS; i++)
    if (!weft_store_read_chunk_column (chunk, row_places[i], &part->mixed[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
read_rows (const Slice *slice, WeftChunk *chunk, Part *part, GError **error)
{
  g_autofree guint64 *lanes = NULL;
  g_autofree guint64 *lengths = NULL;
  guint streams[WEFT_N_LONG_STREAMS] = { [WEFT_LONG_LANE] = NO_STREAM };
  guint32 n;

  if (chunk->flags & WEFT_CHUNK_SORTED)
    lanes = weft_chunk_read_runs (chunk, WEFT_DISPATCH_PLACE (LANE), &lengths, &n);
  if (lanes == NULL || !choose_lanes (slice, lanes, lengths, n, chunk->rows, &part->rows))
    {
      g_array_set_size (part->rows.runs, 0);
      return read_mixed_rows (chunk, part, error);
    }

  for (guint i = WEFT_LONG_START; i < WEFT_N_LONG_STREAMS; i++)
    streams[i] = weft_chunk_has_stream (chunk, row_places[i]) ? row_places[i] : NO_STREAM;
  return read_lanes (chunk, streams, WEFT_N_LONG_STREAMS, &part->rows, error);
}

static gboolean
read_long_rows (WeftChunk *lod, Part *part)
{
  part->is_sorted = TRUE;
  return weft_chunk_read_streams (lod, WEFT_LOD_LONG, WEFT_N_LONG_STREAMS, 0, part->mixed,
                                  &part->n_mixed, NULL);
}

static gboolean
read_level (const Slice *slice, WeftChunk *lod, guint level, Part *part)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (lod, NULL);
  guint first = level * WEFT_LOD_STREAMS_PER_LEVEL;
  const WeftStreamEntry *buckets = weft_chunk_find_stream (directory, first + WEFT_CELL_BUCKET);
  guint streams[WEFT_N_CELL_STREAMS] = { [WEFT_CELL_LANE] = NO_STREAM };
  g_autofree guint64 *lanes = NULL;
  g_autofree guint64 *lengths = NULL;
  guint32 n;

  if (buckets == NULL ||
      (lanes = weft_chunk_read_numbers (lod, first + WEFT_CELL_LANE, 0, &n)) == NULL ||
      (lengths = weft_chunk_read_numbers (lod, first + WEFT_CELL_LANE_CELLS, n, &n)) == NULL ||
      !choose_lanes (slice, lanes, lengths, n, buckets->count, &part->cells))
    return FALSE;
  for (guint i = WEFT_CELL_BUCKET; i < WEFT_N_CELL_STREAMS; i++)
    streams[i] = first + i;
  return read_lanes (lod, streams, WEFT_N_CELL_STREAMS, &part->cells, NULL);
}

/* Whether any but the long rows of a chunk lie in the slice. */
static gboolean
cells_overlap (const Slice *slice, const WeftChunkDirectory *directory)
{
  const WeftStreamEntry *buckets = weft_chunk_find_stream (directory, WEFT_CELL_BUCKET);
  gint64 first, last;

  if (buckets == NULL || buckets->count == 0)
    return FALSE;
  first = (gint64) (buckets->min << directory->extra);
  last = weft_time_add ((gint64) (buckets->max << directory->extra), G_GUINT64_CONSTANT (1)
                                                                         << directory->extra);
  return first < slice->end && last > slice->begin;
}

/* FALSE if there is no level that is fine enough. */
static gboolean
read_cells (const Slice *slice, WeftChunk *lod, Part *part)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (lod, NULL);
  guint level;

  if (directory == NULL || directory->version != WEFT_LOD_VERSION || directory->extra > 62)
    return FALSE;
  if (!cells_overlap (slice, directory))
    return read_long_rows (lod, part);
  if (slice->width >> directory->extra == 0)
    return FALSE;
  level = (63 - (guint) __builtin_clzll (slice->width) - (guint) directory->extra) / LEVEL_STEP;
  level = MIN (level, WEFT_LOD_MAX_LEVELS - 1);
  while (level > 0 && !weft_chunk_has_stream (lod, level * WEFT_LOD_STREAMS_PER_LEVEL))
    level--;

  part->shift = (guint) directory->extra + level * LEVEL_STEP;
  return part->shift < 63 && read_level (slice, lod, level, part) && read_long_rows (lod, part);
}

static void
lanes_init (Lanes *self)
{
  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  self->segments = g_array_new (FALSE, FALSE, sizeof (WeftStoreColumn));
}

static void
lanes_clear (Lanes *self)
{
  for (guint i = 0; i < self->segments->len; i++)
    weft_store_column_clear (&g_array_index (self->segments, WeftStoreColumn, i));
  g_array_set_size (self->segments, 0);
  g_array_set_size (self->runs, 0);
}

static void
part_clear (Part *part)
{
  lanes_clear (&part->cells);
  lanes_clear (&part->rows);
  for (guint i = 0; i < WEFT_N_LONG_STREAMS; i++)
    weft_store_column_clear (&part->mixed[i]);
  part->n_mixed = 0;
}

static gboolean
read_part (guint thread, guint item, gpointer data, GError **error)
{
  Slice *slice = data;
  guint chunk = g_array_index (slice->chunks, guint, item);
  WeftChunk *lod = g_array_index (slice->store->digests, WeftDigests, chunk).lod;
  Part *part = &slice->parts[item];

  if (lod != NULL && read_cells (slice, lod, part))
    return TRUE;
  part_clear (part);
  return read_rows (slice, weft_store_chunk (slice->store, WEFT_TABLE_DISPATCHES, chunk), part,
                    error);
}

/* Slices */

static void
slice_init (Slice *slice, WeftStore *store, gint64 begin, gint64 end, guint n_buckets)
{
  guint64 span = (guint64) end - (guint64) begin;

  memset (slice, 0, sizeof *slice);
  slice->store = store;
  slice->begin = begin;
  slice->end = end;
  slice->n_buckets = n_buckets;
  slice->width = span / n_buckets;
  slice->scale = (double) n_buckets / (double) span;
  slice->edges = g_new (gint64, n_buckets + 1);
  for (guint i = 0; i <= n_buckets; i++)
    slice->edges[i] =
        (gint64) ((guint64) begin + (guint64) ((unsigned __int128) span * i / n_buckets));
}

static void
slice_clear (Slice *slice)
{
  for (guint i = 0; i < slice->n_parts; i++)
    {
      part_clear (&slice->parts[i]);
      g_array_unref (slice->parts[i].cells.runs);
      g_array_unref (slice->parts[i].cells.segments);
      g_array_unref (slice->parts[i].rows.runs);
      g_array_unref (slice->parts[i].rows.segments);
    }
  g_free (slice->parts);
  g_free (slice->edges);
  g_array_unref (slice->wanted);
  g_array_unref (slice->chunks);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  guint32 id_a = *(const guint32 *) a;
  guint32 id_b = *(const guint32 *) b;

  return id_a < id_b ? -1 : id_a > id_b;
}

static void
choose_parts (Slice *slice, const guint32 *lanes, guint n_lanes)
{
  slice->wanted = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_vals (slice->wanted, lanes, n_lanes);
  g_array_sort (slice->wanted, compare_ids);
  choose_chunks (slice);
  slice->n_parts = slice->chunks->len;
  slice->parts = g_new0 (Part, slice->n_parts);
  for (guint i = 0; i < slice->n_parts; i++)
    {
      lanes_init (&slice->parts[i].cells);
      lanes_init (&slice->parts[i].rows);
    }
}

/* What a thread fills lanes with. */
typedef struct
{
  const Slice *slice;
  const guint32 *lanes;
  WeftTimelineBucket *buckets;
  Lane threads[WEFT_MAX_THREADS];
} Fill;

static gboolean
fill_item (guint thread, guint item, gpointer data, GError **error)
{
  Fill *fill = data;
  Lane *lane = &fill->threads[thread];

  if (lane->candidates == NULL)
    {
      lane->slice = fill->slice;
      lane->candidates = g_new (Candidate, (gsize) CANDIDATES * fill->slice->n_buckets);
      lane->intervals = g_array_new (FALSE, FALSE, sizeof (Interval));
    }
  lane->buckets = fill->buckets + (gsize) item * fill->slice->n_buckets;
  fill_lane (lane, fill->lanes[item]);
  return TRUE;
}

gboolean
weft_store_timeline (WeftStore *self, const guint32 *lanes, guint n_lanes, gint64 begin, gint64 end,
                     guint n_buckets, WeftTimelineBucket *buckets, GError **error)
{
  gboolean good;
  Slice slice;
  Fill fill = { .slice = &slice, .lanes = lanes, .buckets = buckets };

  g_return_val_if_fail (begin < end && n_buckets > 0, FALSE);

  memset (buckets, 0, sizeof *buckets * n_lanes * n_buckets);
  slice_init (&slice, self, begin, end, n_buckets);
  choose_parts (&slice, lanes, n_lanes);
  good = weft_parallel_run (slice.n_parts, read_part, &slice, error) &&
         weft_parallel_run (n_lanes, fill_item, &fill, error);

  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    {
      g_free (fill.threads[i].candidates);
      g_clear_pointer (&fill.threads[i].intervals, g_array_unref);
    }
  slice_clear (&slice);
  return good;
}
