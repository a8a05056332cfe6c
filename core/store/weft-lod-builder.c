/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-digest.h"

#include <string.h>

#define SAMPLES 64
#define MAX_SHIFT 56
#define LEVEL_STEP 2 /* levels are a factor of 1 << this apart */

typedef struct
{
  guint64 values[WEFT_N_CELL_STREAMS];
} Cell;

typedef struct
{
  guint64 values[WEFT_N_LONG_STREAMS];
} LongRow;

/* A row that goes on beyond the bucket at hand. */
typedef struct
{
  gint64 end;
  guint32 place;
} Active;

/* What a routine takes of a bucket: of that at hand, if it was the NUMBER-th to be opened. */
typedef struct
{
  guint64 number;
  guint64 time;
} Spent;

struct _WeftLodBuilder
{
  const WeftDispatchColumns *columns;
  GArray *cells;
  GArray *coarse;
  GArray *long_rows;
  GArray *stream;
  guint64 *lanes; /* of a level */
  guint64 *lane_cells;
  Active *active; /* plain arrays: calls for each row would be a tenth of the cost of sealing */
  guint n_active;
  Spent *spent;     /* by place of the routine */
  guint64 n_opened; /* buckets, in all */
  Cell cell;
  guint64 most; /* that a routine runs in the bucket at hand */
  guint32 most_place;
  gint64 until; /* the lane is covered up to here */
  guint shift;  /* buckets are 1 << shift nanoseconds */
  guint32 max_cells;
};

WeftLodBuilder *
weft_lod_builder_new (void)
{
  WeftLodBuilder *self = g_new0 (WeftLodBuilder, 1);

  self->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  self->coarse = g_array_new (FALSE, FALSE, sizeof (Cell));
  self->long_rows = g_array_new (FALSE, FALSE, sizeof (LongRow));
  self->lanes = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->lane_cells = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->active = g_new (Active, WEFT_MAX_CHUNK_ROWS);
  self->stream = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->spent = g_new0 (Spent, WEFT_MAX_CHUNK_ROWS);
  return self;
}

void
weft_lod_builder_free (WeftLodBuilder *self)
{
  g_array_unref (self->cells);
  g_array_unref (self->coarse);
  g_array_unref (self->long_rows);
  g_array_unref (self->stream);
  g_free (self->lanes);
  g_free (self->lane_cells);
  g_free (self->active);
  g_free (self->spent);
  g_free (self);
}

/* The bucket at hand */

static inline void
spend (WeftLodBuilder *self, guint32 place, guint64 time)
{
  Spent *spent = &self->spent[place];

  spent->time = spent->number == self->n_opened ? spent->time + time : time;
  spent->number = self->n_opened;
  if (spent->time > self->most)
    {
      self->most = spent->time;
      self->most_place = place;
    }
}

static void
close_cell (WeftLodBuilder *self)
{
  if (self->cell.values[WEFT_CELL_COUNT] == 0 && self->cell.values[WEFT_CELL_BUSY] == 0)
    return;
  if (self->most > 0)
    self->cell.values[WEFT_CELL_ROUTINE] = self->columns->routine_names[self->most_place];
  g_array_append_val (self->cells, self->cell);
}

static void
open_cell (WeftLodBuilder *self, guint64 lane, gint64 bucket)
{
  memset (&self->cell, 0, sizeof self->cell);
  self->cell.values[WEFT_CELL_LANE] = lane;
  self->cell.values[WEFT_CELL_BUCKET] = (guint64) bucket;
  self->n_opened++;
  self->most = 0;
}

static inline gint64
bucket_start (WeftLodBuilder *self, gint64 bucket)
{
  return (gint64) ((guint64) bucket << self->shift);
}

static inline gint64
bucket_end (WeftLodBuilder *self, gint64 bucket)
{
  return weft_time_add (bucket_start (self, bucket), G_GUINT64_CONSTANT (1) << self->shift);
}

/* What began in earlier buckets goes on in this one. */
static void
carry_over (WeftLodBuilder *self, gint64 bucket)
{
  gint64 start = bucket_start (self, bucket);
  gint64 end = bucket_end (self, bucket);
  guint kept = 0;

  if (self->until > start)
    self->cell.values[WEFT_CELL_BUSY] = (guint64) (MIN (self->until, end) - start);
  for (guint i = 0; i < self->n_active; i++)
    {
      Active row = self->active[i];

      spend (self, row.place, (guint64) (MIN (row.end, end) - start));
      if (row.end > end)
        self->active[kept++] = row;
    }
  self->n_active = kept;
}

/* Closes buckets up to BUCKET; those in which nothing runs do not exist. */
static void
advance (WeftLodBuilder *self, gint64 bucket)
{
  guint64 lane = self->cell.values[WEFT_CELL_LANE];
  gint64 at = (gint64) self->cell.values[WEFT_CELL_BUCKET];

  while (at < bucket && self->cells->len <= self->max_cells)
    {
      close_cell (self);
      at = self->n_active > 0 ? at + 1 : bucket;
      open_cell (self, lane, at);
      carry_over (self, at);
    }
}

static void
finish_lane (WeftLodBuilder *self)
{
  advance (self, (gint64) self->cell.values[WEFT_CELL_BUCKET] + 1);
  while (self->n_active > 0 && self->cells->len <= self->max_cells)
    advance (self, (gint64) self->cell.values[WEFT_CELL_BUCKET] + 1);
  if (self->cell.values[WEFT_CELL_BUSY] > 0)
    close_cell (self);
  self->n_active = 0;
}

static inline gboolean
is_error (const WeftDispatchColumns *columns, guint32 row)
{
  return columns->statuses != NULL && columns->statuses[row] != 0;
}

static void
add_row (WeftLodBuilder *self, guint32 row)
{
  gint64 start = (gint64) self->columns->starts[row];
  guint64 duration = self->columns->durations[row];
  gint64 end = self->columns->ends[row];
  gint64 stop = bucket_end (self, start >> self->shift);
  guint32 place = self->columns->routine_places[row];

  advance (self, start >> self->shift);
  self->cell.values[WEFT_CELL_COUNT]++;
  self->cell.values[WEFT_CELL_ERRORS] += is_error (self->columns, row);
  self->cell.values[WEFT_CELL_LONGEST] = MAX (self->cell.values[WEFT_CELL_LONGEST], duration);
  if (end > start)
    spend (self, place, (guint64) (MIN (end, stop) - start));
  if (MIN (end, stop) > MAX (start, self->until))
    self->cell.values[WEFT_CELL_BUSY] += (guint64) (MIN (end, stop) - MAX (start, self->until));
  self->until = MAX (self->until, end);
  if (end > stop)
    self->active[self->n_active++] = (Active){ end, place };
}

/* The rows from ROW on that begin and end in the bucket at hand; returns the first other one. All
 * is kept in registers, for this is where nearly all rows pass.
 */
static guint32
add_rows_within (WeftLodBuilder *self, guint32 row, guint32 end)
{
  const gint64 *restrict starts = (const gint64 *) self->columns->starts;
  const gint64 *restrict ends = self->columns->ends;
  const guint64 *restrict durations = self->columns->durations;
  const guint16 *restrict places = self->columns->routine_places;
  Spent *restrict all_spent = self->spent;
  gint64 stop = bucket_end (self, (gint64) self->cell.values[WEFT_CELL_BUCKET]);
  guint64 number = self->n_opened;
  guint64 busy = self->cell.values[WEFT_CELL_BUSY];
  guint64 longest = self->cell.values[WEFT_CELL_LONGEST];
  guint64 most = self->most;
  guint32 most_place = self->most_place;
  gint64 until = self->until;
  guint32 first = row;

  for (; row < end && ends[row] <= stop && starts[row] < stop; row++)
    {
      guint64 duration = durations[row];
      gint64 from = MAX (starts[row], until);
      Spent *spent = &all_spent[places[row]];

      longest = MAX (longest, duration);
      if (ends[row] > from)
        {
          busy += (guint64) (ends[row] - from);
          until = ends[row];
        }
      spent->time = spent->number == number ? spent->time + duration : duration;
      spent->number = number;
      if (spent->time > most)
        {
          most = spent->time;
          most_place = places[row];
        }
    }

  if (self->columns->statuses != NULL)
    for (guint32 i = first; i < row; i++)
      self->cell.values[WEFT_CELL_ERRORS] += self->columns->statuses[i] != 0;
  self->cell.values[WEFT_CELL_COUNT] += row - first;
  self->cell.values[WEFT_CELL_BUSY] = busy;
  self->cell.values[WEFT_CELL_LONGEST] = longest;
  self->most = most;
  self->most_place = most_place;
  self->until = until;
  return row;
}

static void
add_long_row (WeftLodBuilder *self, guint64 lane, guint32 row)
{
  LongRow long_row = { { lane, self->columns->starts[row], self->columns->durations[row],
                         self->columns->routines[row], is_error (self->columns, row) } };

  g_array_append_val (self->long_rows, long_row);
}

/* Levels */

/* FALSE if the buckets are too narrow: too many cells or long rows. */
static gboolean
make_cells (WeftLodBuilder *self)
{
  const WeftDispatchColumns *columns = self->columns;
  guint64 limit = (guint64) WEFT_LOD_LONG_BUCKETS << self->shift;
  guint32 row = 0;

  g_array_set_size (self->cells, 0);
  g_array_set_size (self->long_rows, 0);
  for (guint32 i = 0; i < columns->n_lanes; i++)
    {
      guint32 end = row + (guint32) columns->lane_rows[i];

      self->until = G_MININT64;
      open_cell (self, columns->lanes[i], (gint64) columns->starts[row] >> self->shift);
      while (row < end && self->cells->len <= self->max_cells)
        {
          if (columns->durations[row] > limit)
            add_long_row (self, columns->lanes[i], row);
          else
            add_row (self, row);
          row = add_rows_within (self, row + 1, end);
        }
      row = end;
      finish_lane (self);
    }

  return self->cells->len <= self->max_cells && self->long_rows->len <= columns->n_rows / 16 + 16;
}

static int
compare_ends (gconstpointer a, gconstpointer b)
{
  gint64 end_a = *(const gint64 *) a;
  gint64 end_b = *(const gint64 *) b;

  return end_a < end_b ? -1 : end_a > end_b;
}

/* The time that the bulk of the rows takes up; a few that are late or long do not count. */
static guint64
typical_span (const WeftDispatchColumns *columns)
{
  gint64 ends[SAMPLES];

  for (guint i = 0; i < SAMPLES; i++)
    {
      guint32 row = (guint32) ((guint64) columns->n_rows * i / SAMPLES);

      ends[i] = columns->ends[row];
    }
  qsort (ends, SAMPLES, sizeof ends[0], compare_ends);
  return ((guint64) ends[SAMPLES - 6] - (guint64) ends[5]) / 10 * 12 + 1;
}

static void
choose_shift (WeftLodBuilder *self)
{
  const WeftDispatchColumns *columns = self->columns;
  guint64 wanted = MAX (columns->n_rows / 16, 16 * columns->n_lanes);
  guint64 width;

  wanted = CLAMP (wanted, 16, columns->n_rows / 4 + 16);
  self->max_cells = (guint32) wanted * 4 + 256;
  width = typical_span (columns) / (wanted / columns->n_lanes + 1);
  self->shift = width <= 1 ? 0 : 63 - __builtin_clzll (width);
  self->shift = MIN (self->shift, MAX_SHIFT);
}

static void
coarsen (WeftLodBuilder *self)
{
  guint64 most = 0;
  GArray *cells;

  g_array_set_size (self->coarse, 0);
  for (guint i = 0; i < self->cells->len; i++)
    {
      Cell cell = g_array_index (self->cells, Cell, i);
      Cell *last = self->coarse->len == 0
                       ? NULL
                       : &g_array_index (self->coarse, Cell, self->coarse->len - 1);

      cell.values[WEFT_CELL_BUCKET] =
          (guint64) ((gint64) cell.values[WEFT_CELL_BUCKET] >> LEVEL_STEP);
      if (last == NULL || last->values[WEFT_CELL_LANE] != cell.values[WEFT_CELL_LANE] ||
          last->values[WEFT_CELL_BUCKET] != cell.values[WEFT_CELL_BUCKET])
        {
          most = cell.values[WEFT_CELL_BUSY];
          g_array_append_val (self->coarse, cell);
          continue;
        }
      if (cell.values[WEFT_CELL_BUSY] > most)
        {
          most = cell.values[WEFT_CELL_BUSY];
          last->values[WEFT_CELL_ROUTINE] = cell.values[WEFT_CELL_ROUTINE];
        }
      last->values[WEFT_CELL_BUSY] += cell.values[WEFT_CELL_BUSY];
      last->values[WEFT_CELL_COUNT] += cell.values[WEFT_CELL_COUNT];
      last->values[WEFT_CELL_ERRORS] += cell.values[WEFT_CELL_ERRORS];
      last->values[WEFT_CELL_LONGEST] =
          MAX (last->values[WEFT_CELL_LONGEST], cell.values[WEFT_CELL_LONGEST]);
    }

  cells = self->cells;
  self->cells = self->coarse;
  self->coarse = cells;
}

static void
take_stream (WeftLodBuilder *self, const GArray *rows, guint n_streams, guint stream)
{
  const guint64 *values = (const guint64 *) (gconstpointer) rows->data;

  guint64 *out;

  g_array_set_size (self->stream, rows->len);
  out = (guint64 *) (gpointer) self->stream->data;
  for (guint i = 0; i < rows->len; i++)
    out[i] = values[(gsize) i * n_streams + stream];
}

static void
put_long_rows (WeftLodBuilder *self, WeftChunkBuilder *chunk)
{
  for (guint i = 0; i < WEFT_N_LONG_STREAMS; i++)
    {
      take_stream (self, self->long_rows, WEFT_N_LONG_STREAMS, i);
      weft_chunk_builder_add_numbers (chunk, (guint16) (WEFT_LOD_LONG + i), WEFT_STORE_TYPE_I64,
                                      (const guint64 *) (gpointer) self->stream->data,
                                      self->long_rows->len);
    }
}

/* Fills LANES and LANE_CELLS; returns how many these are. */
static guint32
find_cell_lanes (WeftLodBuilder *self)
{
  guint32 n = 0;

  for (guint i = 0; i < self->cells->len; i++)
    {
      guint64 lane = g_array_index (self->cells, Cell, i).values[WEFT_CELL_LANE];

      if (n == 0 || self->lanes[n - 1] != lane)
        {
          self->lanes[n] = lane;
          self->lane_cells[n++] = 0;
        }
      self->lane_cells[n - 1]++;
    }
  return n;
}

/* A level's lanes tell where each one's cells are, so that those of a few lanes can be read. */
static void
put_level (WeftLodBuilder *self, guint level, WeftChunkBuilder *chunk)
{
  guint first = level * WEFT_LOD_STREAMS_PER_LEVEL;
  guint32 n_lanes = find_cell_lanes (self);

  weft_chunk_builder_add_numbers (chunk, (guint16) (first + WEFT_CELL_LANE), WEFT_STORE_TYPE_I64,
                                  self->lanes, n_lanes);
  weft_chunk_builder_add_numbers (chunk, (guint16) (first + WEFT_CELL_LANE_CELLS),
                                  WEFT_STORE_TYPE_I64, self->lane_cells, n_lanes);
  for (guint i = WEFT_CELL_BUCKET; i < WEFT_N_CELL_STREAMS; i++)
    {
      WeftColumnSource source = { .id = (guint16) (first + i),
                                  .type = WEFT_STORE_TYPE_I64,
                                  .count = self->cells->len,
                                  .ranged = TRUE };

      take_stream (self, self->cells, WEFT_N_CELL_STREAMS, i);
      source.values = (const guint64 *) (gpointer) self->stream->data;
      if (i == WEFT_CELL_BUCKET)
        {
          source.lane_runs = self->lane_cells;
          source.n_lane_runs = n_lanes;
        }
      weft_chunk_builder_add (chunk, &source);
    }
}

gboolean
weft_lod_builder_add (WeftLodBuilder *self, const WeftDispatchColumns *columns,
                      WeftChunkBuilder *chunk)
{
  guint before = G_MAXUINT;

  self->columns = columns;
  choose_shift (self);
  while (!make_cells (self))
    {
      if (self->shift == MAX_SHIFT)
        return FALSE;
      self->shift = MIN (self->shift + LEVEL_STEP, MAX_SHIFT);
    }

  chunk->header.version = WEFT_LOD_VERSION;
  chunk->header.extra = self->shift;
  put_long_rows (self, chunk);
  for (guint level = 0; level < WEFT_LOD_MAX_LEVELS; level++)
    {
      if (level > 0 && (self->cells->len > before / 4 * 3 || self->cells->len <= columns->n_lanes))
        break;
      if (self->shift + level * LEVEL_STEP > MAX_SHIFT)
        break;
      before = self->cells->len;
      put_level (self, level, chunk);
      coarsen (self);
    }

  return TRUE;
}
