/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether what differs between two sides differs by more than recordings of the same program do.
 *
 * The unit of replication is the recording, for what happens within one is correlated. Where there
 * are several, their spread is what counts. Where there is one on each side, its noise within
 * itself and how much the other things of the same two recordings moved stand for it.
 */

#include "weft-judgement.h"

#include <math.h>

#include "weft-statistics.h"
#include "weft-typical.h"

/* What the spread of all things counts beside that of one: as so many recordings more. */
#define PRIOR_DEGREES 4
/* Things of the same recordings that tell how much recordings differ; fewer are helped out. */
#define MIN_NEIGHBOURS 3

/* Whether it is one of the tests that are corrected for. What is equal everywhere needs none. */
static gboolean
is_tested (const WeftMeasure *measure)
{
  return !isnan (measure->p) && measure->twin == NULL && measure->difference != 0;
}

/* ---- What a side says ---- */

static gboolean
is_plain (const WeftMeasure *measure)
{
  if (measure->figure->scale == WEFT_SCALE_SHARE)
    return TRUE;
  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < measure->sides[side]->len; i++)
      if (!(g_array_index (measure->sides[side], WeftObservation, i).value > 0))
        return TRUE;
  return FALSE;
}

static double
get_value (const WeftMeasure *measure, guint side, guint i)
{
  double value = g_array_index (measure->sides[side], WeftObservation, i).value;

  return measure->is_plain ? value : log (value);
}

static double
get_mean (const WeftMeasure *measure, guint side)
{
  double sum = 0;

  for (guint i = 0; i < measure->sides[side]->len; i++)
    sum += get_value (measure, side, i);
  return sum / measure->sides[side]->len;
}

/* From parts to the scale of the test. */
static double
get_factor (const WeftMeasure *measure)
{
  if (!measure->is_plain || measure->figure->scale == WEFT_SCALE_SHARE)
    return 1;
  return fmax (fabs (measure->values[0]), fabs (measure->values[1]));
}

static gboolean
has_both (const WeftMeasure *measure)
{
  return measure->sides[0]->len > 0 && measure->sides[1]->len > 0;
}

static void
describe (WeftMeasure *measure)
{
  measure->p = measure->q = measure->spread = NAN;
  measure->is_plain = is_plain (measure);
  for (guint side = 0; side < 2; side++)
    if (measure->sides[side]->len > 0)
      {
        double mean = get_mean (measure, side);

        measure->values[side] = measure->is_plain ? mean : exp (mean);
      }
  if (!has_both (measure))
    return;
  measure->difference = get_mean (measure, 1) - get_mean (measure, 0);
  measure->is_replicated = measure->sides[0]->len + measure->sides[1]->len > 2;
}

/* ---- Noise ---- */

/* The mean variance of one recording for what happens within it; NAN if any is not known. DEGREES
 * by Welch and Satterthwaite.
 */
static double
get_noise (const WeftMeasure *measure, double *degrees)
{
  double sum = 0, weights = 0;
  guint n = 0;

  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < measure->sides[side]->len; i++)
      {
        const WeftObservation *seen = &g_array_index (measure->sides[side], WeftObservation, i);

        sum += seen->noise;
        weights += seen->noise * seen->noise / fmax (seen->degrees, 1);
        n++;
      }
  *degrees = weights > 0 ? sum * sum / weights : 1;
  return sum / n * pow (get_factor (measure), measure->is_plain ? 2 : 0);
}

/* Variance between the recordings of the sides, pooled. */
static double
get_variance (const WeftMeasure *measure, double *degrees)
{
  double squares = 0;

  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < measure->sides[side]->len; i++)
      squares += pow (get_value (measure, side, i) - get_mean (measure, side), 2);
  *degrees = measure->sides[0]->len + measure->sides[1]->len - 2.0;
  return squares / *degrees;
}

/* ---- The same figure of other things ---- */

/* Whether what one tells of the spread of recordings holds for the other. */
static gboolean
are_akin (const WeftMeasure *a, const WeftMeasure *b)
{
  return g_str_equal (a->subject.scope, b->subject.scope) &&
         g_str_equal (a->figure->name, b->figure->name);
}

static int
compare_kin (gconstpointer a, gconstpointer b)
{
  const WeftMeasure *left = *(WeftMeasure *const *) a, *right = *(WeftMeasure *const *) b;
  int order = g_strcmp0 (left->subject.scope, right->subject.scope);

  return order != 0 ? order : g_strcmp0 (left->figure->name, right->figure->name);
}

/* In parts, or in points. */
static double
get_relative (const WeftMeasure *measure, double value)
{
  double factor = get_factor (measure);

  return factor > 0 ? value / factor : 0;
}

static void
test_with (WeftMeasure *measure, double variance, double degrees)
{
  measure->spread = sqrt (variance);
  measure->degrees = degrees;
  measure->p = measure->difference == 0
                   ? 1
                   : weft_student_get_p (measure->difference / measure->spread, degrees);
}

/* One recording on each side: OTHERS is the sum of squares of how N other things differ. */
static void
test_single (WeftMeasure *measure, double others, guint n)
{
  const WeftFigure *figure = measure->figure;
  double factor = get_factor (measure);
  guint known = MAX (n, MIN_NEIGHBOURS);
  double usual = (double) (known - n) * figure->usual_spread * figure->usual_spread;
  double between = fmax ((others + usual) / known, figure->least_spread * figure->least_spread);
  double degrees, variance;
  double noise = 2 * get_noise (measure, &degrees);

  if (isnan (noise))
    {
      measure->reason = "one recording on each side cannot tell: give several";
      return;
    }
  between *= factor * factor;
  variance = noise + between;
  degrees = variance * variance / (noise * noise / degrees + between * between / known);
  test_with (measure, variance, degrees);
}

/* Several recordings: PRIOR is what is usual for the variance between them; NAN: not known. */
static void
test_replicated (WeftMeasure *measure, double prior)
{
  double factor = get_factor (measure);
  double least = pow (measure->figure->least_spread * factor, 2) / 4;
  double degrees, within, variance = get_variance (measure, &degrees);
  double noise = get_noise (measure, &within);
  double moderated = variance;

  if (!isnan (prior))
    {
      moderated = (PRIOR_DEGREES * prior * factor * factor + degrees * variance) /
                  (PRIOR_DEGREES + degrees);
      degrees += PRIOR_DEGREES;
    }
  variance = fmax (fmax (variance, moderated), least);
  /* That neighbours are alike shows between the recordings. */
  if (!isnan (noise))
    variance = fmax (variance, noise / WEFT_NOISE_INFLATION);
  test_with (measure, variance * (1.0 / measure->sides[0]->len + 1.0 / measure->sides[1]->len),
             degrees);
}

/* The median of what the N say of the variance between recordings, in parts. */
static double
get_prior (WeftMeasure **kin, guint n)
{
  g_autofree double *variances = g_new (double, n);
  double degrees;

  if (n < MIN_NEIGHBOURS)
    return NAN;
  for (guint i = 0; i < n; i++)
    {
      double factor = get_factor (kin[i]);

      variances[i] = factor > 0 ? get_variance (kin[i], &degrees) / (factor * factor) : 0;
    }
  return weft_select_rank (variances, n, n / 2);
}

static void
test_kin (WeftMeasure **kin, guint n)
{
  double prior = kin[0]->is_replicated ? get_prior (kin, n) : NAN;
  double squares = 0;

  for (guint i = 0; i < n; i++)
    squares += pow (get_relative (kin[i], kin[i]->difference), 2);
  for (guint i = 0; i < n; i++)
    {
      double own = pow (get_relative (kin[i], kin[i]->difference), 2);

      if (kin[i]->is_replicated)
        test_replicated (kin[i], prior);
      else
        test_single (kin[i], fmax (squares - own, 0), n - 1);
    }
}

static void
test_all (GPtrArray *tested)
{
  guint begin = 0;

  g_ptr_array_sort (tested, compare_kin);
  for (guint i = 1; i <= tested->len; i++)
    {
      WeftMeasure *first = g_ptr_array_index (tested, begin);

      if (i < tested->len && are_akin (first, g_ptr_array_index (tested, i)))
        continue;
      test_kin ((WeftMeasure **) tested->pdata + begin, i - begin);
      begin = i;
    }
}

/* ---- Verdicts ---- */

/* Lanes and sources are made of routines, which are what one wants to know of first. */
static double
get_weight (const WeftMeasure *measure)
{
  gboolean is_sum = g_str_equal (measure->subject.scope, "lane") ||
                    g_str_equal (measure->subject.scope, "source");

  return measure->figure->weight * (is_sum ? 0.25 : 1);
}

static void
adjust (const WeftMeasures *measures)
{
  g_autoptr (GArray) p = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (double));
  guint n = 0;

  for (guint i = 0; i < measures->measures->len; i++)
    if (is_tested (weft_measures_get (measures, i)))
      {
        double weight = get_weight (weft_measures_get (measures, i));

        g_array_append_val (p, weft_measures_get (measures, i)->p);
        g_array_append_val (weights, weight);
      }
  weft_adjust_p_values ((double *) (gpointer) p->data, (double *) (gpointer) weights->data, p->len);
  for (guint i = 0; i < measures->measures->len; i++)
    if (is_tested (weft_measures_get (measures, i)))
      weft_measures_get (measures, i)->q = g_array_index (p, double, n++);
}

/* The mean of a fixed number of dispatches is their total, and a lane with one routine is that
 * routine: one test does for both.
 */
static gboolean
is_twin (const WeftMeasure *measure, const WeftMeasure *other)
{
  for (guint side = 0; side < 2; side++)
    {
      double ratio = 0;

      if (measure->sides[side]->len != other->sides[side]->len)
        return FALSE;
      for (guint i = 0; i < measure->sides[side]->len; i++)
        {
          double value = g_array_index (measure->sides[side], WeftObservation, i).value;
          double of_other = g_array_index (other->sides[side], WeftObservation, i).value;

          if (i > 0 && fabs (value - ratio * of_other) > 1e-9 * fabs (value))
            return FALSE;
          ratio = i == 0 && of_other != 0 ? value / of_other : ratio;
        }
    }
  return fabs (measure->difference - other->difference) < 1e-9;
}

static guint
twin_hash (gconstpointer key)
{
  const WeftMeasure *measure = key;
  double rounded = round (measure->difference * 1e8);

  return g_double_hash (&rounded);
}

static gboolean
twin_equal (gconstpointer a, gconstpointer b)
{
  return is_twin (a, b);
}

/* Those of routines come before those of lanes, and totals before means. */
static void
find_twins (GPtrArray *tested)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (twin_hash, twin_equal);

  for (guint i = 0; i < tested->len; i++)
    {
      WeftMeasure *measure = g_ptr_array_index (tested, i);

      if (measure->is_plain || measure->difference == 0)
        continue;
      measure->twin = g_hash_table_lookup (seen, measure);
      if (measure->twin == NULL)
        g_hash_table_add (seen, measure);
    }
}

static void
take_after_twin (WeftMeasure *measure)
{
  if (measure->twin == NULL)
    return;
  measure->spread = measure->twin->spread;
  measure->degrees = measure->twin->degrees;
  measure->p = measure->twin->p;
  measure->q = measure->twin->q;
  measure->reason = measure->twin->reason;
}

static WeftComparisonVerdict
judge_change (const WeftMeasure *measure, const WeftJudgementOptions *options)
{
  double least = options->min_change * (measure->figure->scale == WEFT_SCALE_SHARE ? 100 : 1);

  if (measure->difference == 0)
    return WEFT_COMPARISON_VERDICT_NO_CHANGE;
  if (isnan (measure->q))
    return WEFT_COMPARISON_VERDICT_CANNOT_JUDGE;
  if (measure->q > options->false_alarms || fabs (weft_measure_get_change (measure)) < least)
    return WEFT_COMPARISON_VERDICT_NO_CHANGE;
  if (measure->figure->polarity == WEFT_POLARITY_NEUTRAL)
    return WEFT_COMPARISON_VERDICT_CHANGED;
  return (measure->difference > 0) == (measure->figure->polarity == WEFT_POLARITY_HIGHER)
             ? WEFT_COMPARISON_VERDICT_IMPROVED
             : WEFT_COMPARISON_VERDICT_REGRESSED;
}

/* What only some recordings of a side tell is chance, or would be in another one. */
static void
judge_single_side (const WeftMeasures *measures, WeftMeasure *measure)
{
  guint side = measure->sides[0]->len == 0 ? 1 : 0;

  measure->verdict = side == 1 ? WEFT_COMPARISON_VERDICT_NEW : WEFT_COMPARISON_VERDICT_VANISHED;
  if (measure->n_told[side] < measures->n_runs[side])
    {
      measure->verdict = WEFT_COMPARISON_VERDICT_CANNOT_JUDGE;
      measure->reason = "only in some recordings of one side";
    }
}

static void
judge (const WeftMeasures *measures, WeftMeasure *measure, const WeftJudgementOptions *options)
{
  if (measure->doubt != NULL && !(has_both (measure) && measure->difference == 0))
    {
      measure->reason = measure->doubt;
      measure->verdict = WEFT_COMPARISON_VERDICT_CANNOT_JUDGE;
    }
  else if (!has_both (measure))
    judge_single_side (measures, measure);
  else
    measure->verdict = judge_change (measure, options);
  if (measure->verdict == WEFT_COMPARISON_VERDICT_NO_CHANGE && measure->q <= options->false_alarms)
    measure->reason = "significant, but too small to matter";
}

/* Recordings that end before the last one told a thing have none of it. */
static void
complete_sides (const WeftMeasures *measures, WeftMeasure *measure)
{
  for (guint side = 0; side < 2; side++)
    while (measure->figure->is_zero_if_absent && measure->sides[side]->len > 0 &&
           measure->sides[side]->len < measures->n_runs[side])
      g_array_append_vals (measure->sides[side], &(WeftObservation){ 0, NAN, 1 }, 1);
}

void
weft_judge_measures (WeftMeasures *measures, const WeftJudgementOptions *options)
{
  g_autoptr (GPtrArray) tested = g_ptr_array_new ();

  for (guint i = 0; i < measures->measures->len; i++)
    {
      WeftMeasure *measure = weft_measures_get (measures, i);

      complete_sides (measures, measure);
      describe (measure);
      if (has_both (measure) && measure->doubt == NULL)
        g_ptr_array_add (tested, measure);
    }
  find_twins (tested);
  test_all (tested);
  adjust (measures);
  for (guint i = 0; i < tested->len; i++)
    take_after_twin (g_ptr_array_index (tested, i));
  for (guint i = 0; i < measures->measures->len; i++)
    judge (measures, weft_measures_get (measures, i), options);
}

/* ---- What to tell ---- */

static double
to_change (const WeftMeasure *measure, double difference)
{
  if (measure->figure->scale == WEFT_SCALE_SHARE)
    return difference;
  if (!measure->is_plain)
    return expm1 (difference);
  return measure->values[0] != 0 ? difference / fabs (measure->values[0]) : NAN;
}

double
weft_measure_get_change (const WeftMeasure *self)
{
  return to_change (self, self->difference);
}

void
weft_measure_get_interval (const WeftMeasure *self, double *low, double *high)
{
  double width =
      isnan (self->spread) ? NAN : weft_student_get_t (0.05, self->degrees) * self->spread;

  *low = to_change (self, self->difference - width);
  *high = to_change (self, self->difference + width);
}

double
weft_measure_get_resolution (const WeftMeasure *self, double bar)
{
  double p = fmin (bar * get_weight (self), 0.9);

  if (isnan (self->spread))
    return NAN;
  return to_change (self, weft_student_get_t (p, self->degrees) * self->spread);
}

double
weft_judgement_get_bar (const WeftMeasures *measures, double false_alarms)
{
  double all = 0;
  guint n_changes = 0;

  for (guint i = 0; i < measures->measures->len; i++)
    {
      const WeftMeasure *measure = weft_measures_get (measures, i);

      if (!is_tested (measure))
        continue;
      all += get_weight (measure);
      n_changes += measure->q <= false_alarms;
    }
  return all > 0 ? fmin (false_alarms * MAX (n_changes, 1) / all, 0.5) : false_alarms;
}
