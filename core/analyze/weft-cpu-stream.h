/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-filter.h"

G_BEGIN_DECLS

/* Samples and waits of the scope's range, waits of its reasons, that FILTER allows (NULL: all), in
 * the order of arrival. What a file says of stacks that it does not have is as if there was none.
 */
typedef struct
{
  WeftCpuRow row;
  guint64 weight; /* ns of CPU time that it stands for */
  guint8 end;     /* WeftStackEnd */
  gboolean is_approximate;
  gboolean has_counters;
  guint64 cycles;
  guint64 instructions;
} WeftSampleRow;

typedef struct
{
  WeftCpuRow row;
  guint64 clipped; /* ns of it within the range */
  guint8 end;      /* WeftStackEnd */
  gboolean is_approximate;
  gboolean is_open; /* it had not ended when the recording did */
  gboolean has_system_call;
  gint64 system_call;
  guint64 object;
  guint32 detail; /* in the store's dictionary */
  guint32 waker;  /* thread; 0: not known, or none */
  guint64 wakeup;
} WeftWaitRow;

typedef void (*WeftSampleFunc) (const WeftSampleRow *sample, gpointer data);
typedef void (*WeftWaitFunc) (const WeftWaitRow *wait, gpointer data);

/* CALLCHAINS may be NULL where stacks do not matter: nodes are 0. Chunks that lie outside the range
 * are not read.
 */
gboolean weft_stream_samples (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                              const WeftCpuFilter *filter, WeftSampleFunc func, gpointer data,
                              GError **error);
gboolean weft_stream_waits (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                            const WeftCpuFilter *filter, WeftWaitFunc func, gpointer data,
                            GError **error);

G_END_DECLS
