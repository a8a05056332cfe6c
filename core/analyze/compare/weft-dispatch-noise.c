/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dispatches of one run are no independent observations: what disturbs one disturbs its neighbours.
 * So a group's dispatches are divided, in the order of their times, into batches that are long
 * enough to differ on their own, and what the batches differ by tells the noise. Where a percentile
 * stands at a cliff of the distribution, which all batches may fall off alike, the values around
 * its rank tell.
 */

#include "weft-dispatch-noise.h"

#include <math.h>
#include <stdlib.h>

#include "weft-analysis-scope.h"
#include "weft-key-map.h"
#include "weft-recording-private.h"
#include "weft-store-parallel.h"
#include "weft-typical.h"

#define N_BATCHES 16
/* Batches that follow one another are still alike: variances count so many times. */
#define INFLATION 4.0
/* So many dispatches of a group are looked at, evenly chosen, and so many batches there are at
 * least.
 */
#define MAX_KEPT 16384
#define MIN_BATCHES 4
/* Values beyond a percentile from which on it can be told how far off it is. */
#define MIN_BEYOND 5

typedef struct
{
  gint64 start;
  guint64 duration;
} Kept;

typedef struct
{
  guint64 n;
  guint32 stride; /* one in so many is kept */
  GArray *kept;   /* element type Kept */
  double *values; /* durations in the order of time, ascending in SORTED; from the first look on */
  double *sorted;
} Group;

typedef struct
{
  guint32 group;
  Kept kept;
} Found;

struct _WeftDispatchNoise
{
  GArray *groups; /* element type Group */
  WeftKeyMap pairs;
  GArray *of_pairs; /* guint[WEFT_N_GROUP_SORTS] of each pair */
  const WeftAnalysisScope *scope;
  const WeftSelection *selection;
  GArray **chunks; /* of each chunk: element type Found */
};

typedef struct
{
  WeftDispatchNoise *self;
  GArray *found;
  guint64 row; /* number of the next row */
  guint32 lane;
  guint32 routine;
  const guint *groups; /* of that pair, or NULL */
} Scan;

enum
{
  LANE,
  ROUTINE,
  START,
  DURATION,
  ID,
  N_COLUMNS
};

static void
group_clear (gpointer data)
{
  Group *group = data;

  g_clear_pointer (&group->kept, g_array_unref);
  g_free (group->values);
  g_free (group->sorted);
}

WeftDispatchNoise *
weft_dispatch_noise_new (void)
{
  WeftDispatchNoise *self = g_new0 (WeftDispatchNoise, 1);

  self->groups = g_array_new (FALSE, TRUE, sizeof (Group));
  g_array_set_clear_func (self->groups, group_clear);
  self->of_pairs = g_array_new (FALSE, FALSE, sizeof (guint) * WEFT_N_GROUP_SORTS);
  weft_key_map_init (&self->pairs);
  return self;
}

void
weft_dispatch_noise_free (WeftDispatchNoise *self)
{
  g_array_unref (self->groups);
  g_array_unref (self->of_pairs);
  weft_key_map_clear (&self->pairs);
  g_free (self);
}

guint
weft_dispatch_noise_add_group (WeftDispatchNoise *self, guint64 n)
{
  Group group = { .n = n, .stride = (guint32) MIN (n / MAX_KEPT + 1, G_MAXUINT32) };

  group.kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  g_array_append_val (self->groups, group);
  return self->groups->len - 1;
}

static guint64
make_key (guint32 lane, guint32 routine)
{
  return (guint64) lane << 32 | routine;
}

void
weft_dispatch_noise_add_pair (WeftDispatchNoise *self, guint32 lane, guint32 routine,
                              const guint *groups)
{
  if (weft_key_map_add (&self->pairs, make_key (lane, routine), self->of_pairs->len) ==
      self->of_pairs->len)
    g_array_append_vals (self->of_pairs, groups, 1);
}

/* ---- Reading ---- */

/* An even choice that does not follow the rhythm of the program; the same each time. */
static guint32
scramble (guint64 row)
{
  row ^= row >> 33;
  row *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  row ^= row >> 33;
  row *= G_GUINT64_CONSTANT (0xc4ceb9fe1a85ec53);
  return (guint32) (row >> 32);
}

static void
look_up_pair (Scan *scan, guint32 lane, guint32 routine)
{
  WeftDispatchNoise *self = scan->self;
  guint32 pair;

  scan->lane = lane;
  scan->routine = routine;
  scan->groups = weft_key_map_find (&self->pairs, make_key (lane, routine), &pair)
                     ? &((const guint *) (gpointer) self->of_pairs->data)[pair * WEFT_N_GROUP_SORTS]
                     : NULL;
}

static gboolean
is_wanted (const Scan *scan, const WeftStoreColumn *columns, guint i, gint64 start,
           guint64 duration)
{
  const WeftDispatchNoise *self = scan->self;

  return weft_scope_overlaps (self->scope, start, weft_time_after (start, duration)) &&
         (self->selection == NULL ||
          weft_selection_contains (self->selection, weft_store_column_get (&columns[ID], i)));
}

static void
keep (Scan *scan, guint64 row, gint64 start, guint64 duration)
{
  guint32 chance = scramble (row);

  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    if (scan->groups[sort] != G_MAXUINT)
      {
        const Group *group = &g_array_index (scan->self->groups, Group, scan->groups[sort]);
        Found found = { scan->groups[sort], { start, duration } };

        if (((guint64) chance * group->stride) >> 32 == 0)
          g_array_append_val (scan->found, found);
      }
}

static void
take_rows (const WeftStoreColumn *columns, gpointer data)
{
  Scan *scan = data;

  for (guint i = 0; i < columns[LANE].n_rows; i++)
    {
      guint32 lane = (guint32) weft_store_column_get (&columns[LANE], i);
      guint32 routine = (guint32) weft_store_column_get (&columns[ROUTINE], i);
      gint64 start = (gint64) weft_store_column_get (&columns[START], i);
      guint64 duration = weft_store_column_get (&columns[DURATION], i);

      scan->row++;
      if (lane != scan->lane || routine != scan->routine)
        look_up_pair (scan, lane, routine);
      if (scan->groups != NULL && is_wanted (scan, columns, i, start, duration))
        keep (scan, scan->row, start, duration);
    }
}

static gboolean
read_chunk (guint thread, guint chunk, gpointer data, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_LANE, WEFT_DISPATCHES_ROUTINE,
                                              WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION,
                                              WEFT_DISPATCHES_ID };
  WeftDispatchNoise *self = data;
  WeftChunkInfo info;
  Scan scan = { .self = self, .lane = G_MAXUINT32, .routine = G_MAXUINT32 };

  if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error))
    return FALSE;
  scan.found = self->chunks[chunk] = g_array_new (FALSE, FALSE, sizeof (Found));
  weft_store_get_chunk (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, &info);
  scan.row = info.first_row;
  if (weft_scope_skips_chunk (self->scope, chunk))
    return TRUE;
  return weft_store_scan_columns (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, columns,
                                  self->selection != NULL ? N_COLUMNS : ID, take_rows, &scan,
                                  error);
}

static int
compare_kept (gconstpointer a, gconstpointer b)
{
  const Kept *left = a, *right = b;

  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  return left->duration < right->duration ? -1 : left->duration > right->duration;
}

/* In the order of the chunks, which does not depend on who is faster. */
static void
collect (WeftDispatchNoise *self, guint n_chunks)
{
  for (guint chunk = 0; chunk < n_chunks; chunk++)
    {
      GArray *found = self->chunks[chunk];

      for (guint i = 0; found != NULL && i < found->len; i++)
        {
          const Found *one = &g_array_index (found, Found, i);

          g_array_append_val (g_array_index (self->groups, Group, one->group).kept, one->kept);
        }
      g_clear_pointer (&self->chunks[chunk], g_array_unref);
    }
  for (guint i = 0; i < self->groups->len; i++)
    g_array_sort (g_array_index (self->groups, Group, i).kept, compare_kept);
}

gboolean
weft_dispatch_noise_read (WeftDispatchNoise *self, const WeftAnalysisScope *scope,
                          const WeftSelection *selection, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES);
  g_autofree GArray **chunks = g_new0 (GArray *, n_chunks);
  GError *failure = NULL;
  gboolean is_read;

  self->scope = scope;
  self->selection = selection;
  self->chunks = chunks;
  is_read = weft_parallel_run (n_chunks, read_chunk, self, &failure);
  collect (self, n_chunks);
  self->chunks = NULL;
  if (!is_read)
    weft_propagate_store_error (error, failure);
  return is_read;
}

/* ---- Noise ---- */

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

static void
prepare (Group *group)
{
  gsize n = group->kept->len;

  if (group->values != NULL)
    return;
  group->values = g_new (double, n + 1);
  for (gsize i = 0; i < n; i++)
    group->values[i] = (double) g_array_index (group->kept, Kept, i).duration;
  group->sorted = g_memdup2 (group->values, (n + 1) * sizeof (double));
  qsort (group->sorted, n, sizeof (double), compare_doubles);
}

/* What stands for a batch; its logarithm, where there is one. */
typedef double (*Summarize) (double *values, gsize n, double percentile);

static double
take_mean (double *values, gsize n, double percentile)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += values[i];
  return sum / (double) n;
}

static double
take_percentile (double *values, gsize n, double percentile)
{
  return weft_select_rank (values, n, weft_nearest_rank (percentile, n) - 1);
}

/* Variance of the logarithm of what batches say, for the whole; NAN where there are too few. */
static double
get_batch_noise (const double *values, gsize n, Summarize summarize, double percentile,
                 double *degrees)
{
  gsize n_batches = MIN (N_BATCHES, n / 2);
  g_autofree double *copy = g_memdup2 (values, n * sizeof (double));
  double mean = 0, squares = 0;

  if (n_batches < MIN_BATCHES)
    return NAN;
  for (gsize i = 0; i < n_batches; i++)
    {
      gsize begin = i * n / n_batches, end = (i + 1) * n / n_batches;
      double batch = log (fmax (summarize (copy + begin, end - begin, percentile), 1e-300));
      double step = batch - mean;

      mean += step / (double) (i + 1);
      squares += step * (batch - mean);
    }
  *degrees = (double) n_batches - 1;
  return INFLATION * squares / *degrees / (double) n_batches;
}

/* By the values around the rank: its place is known as well as N allow. */
static double
get_rank_noise (const double *sorted, gsize n, double percentile)
{
  double part = percentile / 100;
  double off = sqrt (part * (1 - part) * INFLATION / (double) n);
  gsize low = (gsize) fmax (ceil ((part - off) * (double) n) - 1, 0);
  gsize high = (gsize) fmin (ceil ((part + off) * (double) n) - 1, (double) n - 1);
  double width = log (fmax (sorted[high], 1)) - log (fmax (sorted[low], 1));

  return width * width / 4;
}

static void
get_percentile_noise (const Group *group, double percentile, WeftObservation *observation)
{
  gsize n = group->kept->len;

  observation->noise = NAN;
  if ((double) n * (100 - percentile) < 100 * MIN_BEYOND)
    return;
  observation->noise =
      fmax (get_batch_noise (group->values, n, take_percentile, percentile, &observation->degrees),
            get_rank_noise (group->sorted, n, percentile));
}

/* How evenly dispatches come: the variance of their number in slices of the time, as a part of the
 * mean number, squared.
 */
static double
get_count_noise (const Group *group, double *degrees)
{
  guint64 counts[N_BATCHES] = { 0 };
  gsize n = group->kept->len;
  gint64 first = g_array_index (group->kept, Kept, 0).start;
  double span = (double) (g_array_index (group->kept, Kept, n - 1).start - first) + 1;
  double mean = (double) n / N_BATCHES, squares = 0;

  for (gsize i = 0; i < n; i++)
    counts[(guint) ((double) (g_array_index (group->kept, Kept, i).start - first) / span *
                    N_BATCHES)]++;
  for (guint i = 0; i < N_BATCHES; i++)
    squares += pow ((double) counts[i] - mean, 2);
  *degrees = N_BATCHES - 1;
  return INFLATION * squares / (N_BATCHES - 1) / N_BATCHES / (mean * mean);
}

static void
get_total_noise (const Group *group, WeftObservation *observation)
{
  double degrees, mean;

  mean = get_batch_noise (group->values, group->kept->len, take_mean, 0, &observation->degrees);
  observation->noise = mean + get_count_noise (group, &degrees);
}

void
weft_dispatch_noise_get (WeftDispatchNoise *self, guint number, WeftTimeFigure figure,
                         WeftObservation *observation)
{
  Group *group = &g_array_index (self->groups, Group, number);
  gsize n = group->kept->len;

  *observation = (WeftObservation){ observation->value, NAN, 1 };
  if (n < 2 * MIN_BATCHES)
    return;
  prepare (group);
  switch (figure)
    {
    case WEFT_TIME_TOTAL:
      get_total_noise (group, observation);
      break;
    case WEFT_TIME_COUNT:
      observation->noise =
          fmax (get_count_noise (group, &observation->degrees), INFLATION / (double) n);
      break;
    case WEFT_TIME_MEAN:
      observation->noise = get_batch_noise (group->values, n, take_mean, 0, &observation->degrees);
      break;
    case WEFT_TIME_P50:
      get_percentile_noise (group, 50, observation);
      break;
    case WEFT_TIME_P95:
      get_percentile_noise (group, 95, observation);
      break;
    case WEFT_TIME_P99:
      get_percentile_noise (group, 99, observation);
      break;
    case WEFT_N_TIMES:
    default:
      g_return_if_reached ();
    }
}

void
weft_noise_of_values (const double *values, gsize n, WeftObservation *observation)
{
  observation->noise = get_batch_noise (values, n, take_mean, 0, &observation->degrees);
}
