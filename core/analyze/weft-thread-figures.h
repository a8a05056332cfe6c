/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-filter.h"
#include "weft-stack-weights.h"

G_BEGIN_DECLS

/* What a thread did at the end of what is known of it. */
typedef enum
{
  WEFT_THREAD_STATE_UNKNOWN,
  WEFT_THREAD_STATE_RUNNING,
  WEFT_THREAD_STATE_WAITING,
  WEFT_THREAD_STATE_ENDED,
} WeftThreadState;

/* Where a thread's time within the range went. */
typedef struct
{
  guint64 n_samples;
  guint64 sampled; /* ns that the samples stand for */
  guint64 n_waits;
  guint64 reasons[WEFT_N_WAIT_REASONS]; /* ns */
  guint64 waited;                       /* ns, of all reasons */
  gboolean has_times;                   /* the thread was watched: then ON_CPU + OFF_CPU = WALL */
  guint64 on_cpu;
  guint64 off_cpu;
  guint64 wall;
  gint64 start; /* since when it was watched */
  gint64 stop;  /* until when */
  WeftThreadState state;
  WeftWaitReason last_reason; /* of a thread that waits */
} WeftThreadFigures;

typedef struct _WeftThreadTable WeftThreadTable;

/* Of what FILTER allows (NULL: all), which looks at stacks of CALLCHAINS. Where it chooses more
 * than threads, samples alone tell how long they ran.
 */
WeftThreadTable *weft_thread_table_new (const WeftAnalysisScope *scope,
                                        const WeftCallchainReader *callchains,
                                        const WeftCpuFilter *filter, GError **error);
void weft_thread_table_free (WeftThreadTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftThreadTable, weft_thread_table_free)

/* NULL if nothing is known of what it did. */
const WeftThreadFigures *weft_thread_table_get (WeftThreadTable *self, guint32 thread);

/* The reason that took the most time; FALSE if it did not wait. */
gboolean weft_thread_figures_find_top (const WeftThreadFigures *self, WeftWaitReason *reason);

const char *weft_thread_state_get_name (WeftThreadState state);

G_END_DECLS
