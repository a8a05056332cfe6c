/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The latest CPU samples of all threads, and each thread's latest waits: origins come late. */
typedef struct _WeftSampleHistory WeftSampleHistory;

#define WEFT_SAMPLE_HISTORY_SAMPLES (1 << 20) /* of all threads together */
#define WEFT_SAMPLE_HISTORY_WAITS 64          /* of each thread */

WeftSampleHistory *weft_sample_history_new (guint max_samples);
void weft_sample_history_free (WeftSampleHistory *self);

void weft_sample_history_add (WeftSampleHistory *self, guint64 thread, gint64 time, guint64 sample,
                              guint64 callchain);
void weft_sample_history_add_wait (WeftSampleHistory *self, guint64 thread, gint64 start,
                                   gint64 end, guint64 callchain);

/* Samples of any thread up to here are known; G_MININT64 if there are none. */
gint64 weft_sample_history_get_latest (const WeftSampleHistory *self);

typedef struct
{
  guint64 sample; /* 0: a wait */
  guint64 callchain;
  gint64 distance;
} WeftSampleMatch;

/* The nearest sample of THREAD; of two as near, the earlier. FALSE if it has none. */
gboolean weft_sample_history_find (const WeftSampleHistory *self, guint64 thread, gint64 time,
                                   WeftSampleMatch *match);

/* Its nearest wait that has a stack: at a distance of 0 if TIME lies in it. */
gboolean weft_sample_history_find_wait (const WeftSampleHistory *self, guint64 thread, gint64 time,
                                        WeftSampleMatch *match);

G_END_DECLS
