/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-flame-stacks.h"
#include "weft-flame-work.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  gboolean has_samples;
  gboolean has_waits;
  gboolean has_work;
  WeftFlameGroup group; /* if none is asked for */
} WeftFlameMode;

/* The flame graph of what threads did. */
gboolean weft_flame_run_threads (const WeftAnalysisScope *scope, const WeftFlameMode *mode,
                                 WeftReport *report, GError **error);

/* ---- One sample after another ---- */

/* What a thread did for a while. */
typedef struct
{
  guint32 thread;
  guint32 stack;
  guint32 cut;  /* as weft_flame_stacks_get_cut () */
  guint32 leaf; /* item that stands inside of the stack, or G_MAXUINT32 */
  WeftFlameTime time;
  gint64 start;
  gint64 stop;
  guint64 slack; /* ns of no news around it, through which a function is taken to go on */
  guint64 amount;
} WeftFlameMoment;

/* Adds the moments, of element type WeftFlameMoment, in the order of time, thread by thread. */
void weft_flame_add_moments (WeftFlameStacks *stacks, GArray *moments);

G_END_DECLS
