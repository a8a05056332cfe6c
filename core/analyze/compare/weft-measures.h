/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-comparison.h"

G_BEGIN_DECLS

/*
 * What is compared: figures ("p95") of things ("routine gemm of lane queue"), and what each recording
 * says of them.
 */

/* What a figure is of. Texts may be NULL: none. */
typedef struct
{
  const char *scope; /* "routine", "lane", "source", …: static */
  const char *kind;  /* of the lane, or of an attachment */
  const char *lane;
  const char *name;
} WeftSubject;

typedef enum
{
  WEFT_SCALE_RATIO, /* changes are told in per cent of what it was */
  WEFT_SCALE_SHARE, /* it is itself a number of per cent: changes are told in points */
} WeftScale;

typedef struct
{
  const char *name; /* static or of the vocabulary: interned */
  const char *unit; /* or NULL: interned */
  WeftPolarity polarity;
  WeftScale scale;
  /* How much two recordings of the same program differ at least, and how much they are taken to
   * differ where nothing tells: standard deviations of the difference, as parts or points.
   */
  double least_spread;
  double usual_spread;
  double weight;              /* of its tests among all: what matters more needs less evidence */
  gboolean is_zero_if_absent; /* a recording that does not tell it has none */
} WeftFigure;

/* What follows one another within a recording is alike: variances that are found as if it were not
 * count so many times.
 */
#define WEFT_NOISE_INFLATION 4.0

/* What one recording says. */
typedef struct
{
  double value;
  /* How far off it may be for what happened within the recording: variance of the logarithm (of a
   * share: of its points). NAN: not known.
   */
  double noise;
  double degrees; /* of freedom that NOISE was found with */
} WeftObservation;

typedef struct _WeftMeasure WeftMeasure;

struct _WeftMeasure
{
  WeftSubject subject; /* owned */
  const WeftFigure *figure;
  double weight;      /* how many nanoseconds a change by one part moves; 0: none */
  GArray *sides[2];   /* element type WeftObservation */
  guint n_samples[2]; /* that stand behind them */
  guint told[2];      /* number of the recording that told it last, from 1 */
  guint n_told[2];    /* how many did */
  const char *doubt;  /* why it cannot be judged, or NULL: static */

  /* What comes of it. */
  double values[2];  /* geometric mean of each side, or mean of shares */
  double difference; /* of logarithms, or of points */
  double spread;     /* its standard error */
  double degrees;
  double p; /* NAN: not tested */
  double q;
  gboolean has_other_source; /* its source is not the same on both sides */
  gboolean is_replicated;
  gboolean is_plain; /* DIFFERENCE is of plain values, as logarithms cannot be had */
  WeftComparisonVerdict verdict;
  const char *reason;      /* static, or NULL */
  const WeftMeasure *twin; /* whose test is that of this one, too; or NULL */
};

typedef struct
{
  GPtrArray *measures; /* WeftMeasure */
  GHashTable *index;
  GHashTable *figures; /* those that recordings name */
  guint n_runs[2];
  WeftComparisonSide side; /* that is being observed */
} WeftMeasures;

WeftMeasures *weft_measures_new (void);
void weft_measures_free (WeftMeasures *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMeasures, weft_measures_free)

/* FIGURE outlives SELF. Texts of SUBJECT are copied. N_SAMPLES stand behind the value. Twice for
 * the same recording: the later one is left out.
 */
WeftMeasure *weft_measures_observe (WeftMeasures *self, const WeftSubject *subject,
                                    const WeftFigure *figure, const WeftObservation *observation,
                                    guint64 n_samples);

/* The figure of MODEL's name in SCOPE, which is a copy of the first MODEL of that name. The
 * name and the unit are interned.
 */
const WeftFigure *weft_measures_take_figure (WeftMeasures *self, const char *scope,
                                             const WeftFigure *model);

static inline WeftMeasure *
weft_measures_get (const WeftMeasures *self, guint place)
{
  return g_ptr_array_index (self->measures, place);
}

G_END_DECLS
