/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-measures.h"

G_BEGIN_DECLS

typedef struct
{
  double false_alarms; /* of what is called a change, at most so many are none */
  double min_change;   /* smaller changes do not matter: a part, and that many hundred points */
} WeftJudgementOptions;

/* Decides of each measure whether and how the sides differ. The method is that of docs/compare.md.
 */
void weft_judge_measures (WeftMeasures *measures, const WeftJudgementOptions *options);

/* The change that would just have been significant: as a part, or in points. NAN: not known. BAR:
 * that of the judgement.
 */
double weft_measure_get_resolution (const WeftMeasure *self, double bar);

/* The p below which a test of weight 1 tells a change, after the correction for all of them. */
double weft_judgement_get_bar (const WeftMeasures *measures, double false_alarms);

/* The difference and the ends of its 95 % interval, as parts of what it was, or in points. */
double weft_measure_get_change (const WeftMeasure *self);
void weft_measure_get_interval (const WeftMeasure *self, double *low, double *high);

G_END_DECLS
