/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processor time of functions, by samples. */

#include "weft-compare-parts.h"

/* A function with fewer samples than that says nothing yet. */
#define MIN_SAMPLES 20
/* And a metric with fewer observations, such as one that is told each second. */
#define MIN_POINTS 8

static const WeftFigure self_time = { "self", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .05, .25,
                                      .25,    TRUE };

gboolean
weft_compare_functions (const WeftAnalysisScope *scope, WeftMeasures *measures, GError **error)
{
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;

  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_SAMPLES) == 0 || scope->filter != NULL)
    return TRUE;
  report = weft_compare_ask (scope, "top", error);
  if (report == NULL)
    return FALSE;
  table = weft_report_get_main_table (report);
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const WeftSubject subject = { "function", weft_compare_get_text (table, "module_name", row),
                                    NULL, weft_compare_get_text (table, "name", row) };
      double samples = weft_compare_get_number (table, "samples_self", row);
      double time = weft_compare_get_number (table, "self", row);
      const WeftObservation seen = { time, WEFT_NOISE_INFLATION / MAX (samples, 1),
                                     MAX (samples - 1, 1) };
      WeftMeasure *measure;

      if (subject.name == NULL || samples == 0)
        continue;
      measure = weft_measures_observe (measures, &subject, &self_time, &seen, (guint64) samples);
      measure->weight = MAX (measure->weight, time);
    }
  return TRUE;
}

/* So many things of a sort a measure must stand on. */
static guint
get_least (const WeftMeasure *measure)
{
  if (measure->figure == &self_time)
    return MIN_SAMPLES;
  return g_str_equal (measure->subject.scope, "metric") ? MIN_POINTS : 0;
}

void
weft_compare_doubt_measures (WeftMeasures *measures)
{
  for (guint i = 0; i < measures->measures->len; i++)
    {
      WeftMeasure *measure = weft_measures_get (measures, i);

      if (MAX (measure->n_samples[0], measure->n_samples[1]) < get_least (measure))
        measure->doubt = "too few samples";
    }
}
