/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dispatches of one run are no independent observations: what disturbs one disturbs its neighbours.
 * So a group's dispatches are divided, in the order of their times, into batches that are long
 * enough to differ on their own, and what the batches differ by tells the noise. Where a percentile
 * stands at a cliff of the distribution, which all batches may fall off alike, the values around
 * its rank tell.
 */

#include "weft-dispatch-noise.h"

#include <math.h>

#include "weft-recording-private.h"
#include "weft-store-parallel.h"
#include "weft-typical.h"

#define N_BATCHES 16
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
  guint32 stride; /* one in so many is kept */
  GArray *kept;   /* element type Kept; in the order of time once all is read */
  WeftObservation noise[WEFT_N_TIMES];
} Group;

typedef struct
{
  guint32 group;
  Kept kept;
} Found;

struct _WeftDispatchNoise
{
  GArray *groups; /* element type Group */
  WeftPairedScan scan;
  GArray **chunks; /* of each chunk: element type Found */
};

typedef struct
{
  const WeftDispatchNoise *self;
  GArray *found;
} Pass;

static void
group_clear (gpointer data)
{
  Group *group = data;

  g_clear_pointer (&group->kept, g_array_unref);
}

static WeftDispatchNoise *
noise_new (const WeftDispatchTimes *times, guint n)
{
  WeftDispatchNoise *self = g_new0 (WeftDispatchNoise, 1);

  self->groups = g_array_sized_new (FALSE, TRUE, sizeof (Group), n);
  g_array_set_clear_func (self->groups, group_clear);
  for (guint i = 0; i < n; i++)
    {
      Group group = { .stride = (guint32) MIN (times[i].count / MAX_KEPT + 1, G_MAXUINT32) };

      group.kept = g_array_new (FALSE, FALSE, sizeof (Kept));
      g_array_append_val (self->groups, group);
    }
  return self;
}

void
weft_dispatch_noise_free (WeftDispatchNoise *self)
{
  g_array_unref (self->groups);
  g_free (self);
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
keep (const WeftPairedDispatch *dispatch, gpointer data)
{
  const Pass *pass = data;
  const guint *groups =
      weft_dispatch_groups_get_pair (pass->self->scan.groups, dispatch->pair)->groups;
  guint32 chance = scramble (dispatch->row);

  for (guint sort = 0; sort < WEFT_N_GROUP_SORTS; sort++)
    if (groups[sort] != G_MAXUINT)
      {
        const Group *group = &g_array_index (pass->self->groups, Group, groups[sort]);
        Found found = { groups[sort], { dispatch->start, dispatch->duration } };

        if (((guint64) chance * group->stride) >> 32 == 0)
          g_array_append_val (pass->found, found);
      }
}

static gboolean
read_chunk (guint thread, guint chunk, gpointer data, GError **error)
{
  WeftDispatchNoise *self = data;
  Pass pass = { self, g_array_new (FALSE, FALSE, sizeof (Found)) };

  self->chunks[chunk] = pass.found;
  return weft_paired_scan_chunk (&self->scan, chunk, keep, &pass, error);
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
}

/* ---- Noise ---- */

static gboolean
is_in_order (GArray *kept)
{
  for (guint i = 1; i < kept->len; i++)
    if (compare_kept (&g_array_index (kept, Kept, i - 1), &g_array_index (kept, Kept, i)) > 0)
      return FALSE;
  return TRUE;
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
  return WEFT_NOISE_INFLATION * squares / *degrees / (double) n_batches;
}

/* By the values around the rank: its place is known as well as N allow. Puts VALUES into another
 * order.
 */
static double
get_rank_noise (double *values, gsize n, double percentile)
{
  double part = percentile / 100;
  double off = sqrt (part * (1 - part) * WEFT_NOISE_INFLATION / (double) n);
  gsize low = (gsize) fmax (ceil ((part - off) * (double) n) - 1, 0);
  gsize high = (gsize) fmin (ceil ((part + off) * (double) n) - 1, (double) n - 1);
  double width = log (fmax (weft_select_rank (values, n, high), 1)) -
                 log (fmax (weft_select_rank (values, n, low), 1));

  return width * width / 4;
}

static void
get_percentile_noise (const double *values, gsize n, double percentile,
                      WeftObservation *observation)
{
  g_autofree double *copy = NULL;

  if ((double) n * (100 - percentile) < 100 * MIN_BEYOND)
    return;
  copy = g_memdup2 (values, n * sizeof (double));
  observation->noise =
      fmax (get_batch_noise (values, n, take_percentile, percentile, &observation->degrees),
            get_rank_noise (copy, n, percentile));
}

/* Times of a file may lie further apart than a signed number says. */
static double
get_distance (gint64 from, gint64 to)
{
  return (double) ((guint64) to - (guint64) from);
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
  double span = get_distance (first, g_array_index (group->kept, Kept, n - 1).start) + 1;
  double mean = (double) n / N_BATCHES, squares = 0;

  for (gsize i = 0; i < n; i++)
    {
      double place = get_distance (first, g_array_index (group->kept, Kept, i).start) / span;

      counts[MIN ((guint) (place * N_BATCHES), N_BATCHES - 1)]++;
    }
  for (guint i = 0; i < N_BATCHES; i++)
    squares += pow ((double) counts[i] - mean, 2);
  *degrees = N_BATCHES - 1;
  return WEFT_NOISE_INFLATION * squares / (N_BATCHES - 1) / N_BATCHES / (mean * mean);
}

static gboolean
find_noise (guint thread, guint number, gpointer data, GError **error)
{
  Group *group = &g_array_index (((WeftDispatchNoise *) data)->groups, Group, number);
  gsize n = group->kept->len;
  g_autofree double *values = g_new (double, n + 1);
  WeftObservation *noise = group->noise;

  for (guint i = 0; i < WEFT_N_TIMES; i++)
    noise[i] = (WeftObservation){ 0, NAN, 1 };
  if (n < 2 * MIN_BATCHES)
    return TRUE;
  if (!is_in_order (group->kept))
    g_array_sort (group->kept, compare_kept);
  for (gsize i = 0; i < n; i++)
    values[i] = (double) g_array_index (group->kept, Kept, i).duration;
  noise[WEFT_TIME_MEAN].noise =
      get_batch_noise (values, n, take_mean, 0, &noise[WEFT_TIME_MEAN].degrees);
  noise[WEFT_TIME_COUNT].noise = get_count_noise (group, &noise[WEFT_TIME_COUNT].degrees);
  noise[WEFT_TIME_TOTAL] = noise[WEFT_TIME_MEAN];
  noise[WEFT_TIME_TOTAL].noise += noise[WEFT_TIME_COUNT].noise;
  noise[WEFT_TIME_COUNT].noise =
      fmax (noise[WEFT_TIME_COUNT].noise, WEFT_NOISE_INFLATION / (double) n);
  get_percentile_noise (values, n, 50, &noise[WEFT_TIME_P50]);
  get_percentile_noise (values, n, 95, &noise[WEFT_TIME_P95]);
  get_percentile_noise (values, n, 99, &noise[WEFT_TIME_P99]);
  g_clear_pointer (&group->kept, g_array_unref);
  return TRUE;
}

WeftDispatchNoise *
weft_dispatch_noise_read (const WeftDispatchGroups *groups, const WeftDispatchTimes *times,
                          const WeftAnalysisScope *scope, const WeftSelection *selection,
                          GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (scope->store, WEFT_TABLE_DISPATCHES);
  g_autofree GArray **chunks = g_new0 (GArray *, n_chunks + 1);
  g_autoptr (WeftDispatchNoise) self = noise_new (times, groups->n_groups);
  GError *failure = NULL;
  gboolean is_read;

  self->scan = (WeftPairedScan){ groups, scope, selection, TRUE };
  self->chunks = chunks;
  is_read = weft_parallel_run (n_chunks, read_chunk, self, &failure);
  collect (self, n_chunks);
  self->chunks = NULL;
  if (!is_read)
    weft_propagate_store_error (error, failure);
  if (!is_read || !weft_parallel_run (self->groups->len, find_noise, self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weft_dispatch_noise_get (WeftDispatchNoise *self, guint group, WeftTimeFigure figure,
                         WeftObservation *observation)
{
  const WeftObservation *noise = &g_array_index (self->groups, Group, group).noise[figure];

  observation->noise = noise->noise;
  observation->degrees = noise->degrees;
}

void
weft_noise_of_values (const double *values, gsize n, WeftObservation *observation)
{
  observation->noise = get_batch_noise (values, n, take_percentile, 50, &observation->degrees);
}
