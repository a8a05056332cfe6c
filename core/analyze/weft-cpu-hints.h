/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* What the recorder said of its CPU side. Texts belong to the store; NULL where nothing was said.
 */
typedef struct
{
  WeftStore *store;
  const char *sampler; /* the mode: "perf", "ptrace", "off", … */
  const char *missing; /* what it could not do, and how to get it */
  const char *kernel_stacks;
  const char *wait_mode;
  const char *counters; /* "yes" or "no": cycles and instructions */
  gint64 frequency; /* 0: not said */
  guint64 n_samples;
  guint64 n_waits;
  guint64 n_wakeups;
} WeftCpuHints;

gboolean weft_cpu_hints_read (WeftCpuHints *self, const WeftAnalysisScope *scope, GError **error);

gboolean weft_cpu_hints_is_off (const WeftCpuHints *self);

/* Why there are no samples or waits at all, and what to do; to be freed. */
char *weft_cpu_hints_explain_no_samples (const WeftCpuHints *self);
char *weft_cpu_hints_explain_no_waits (const WeftCpuHints *self);

/* Where the filter leaves threads that did not run for as long as a sample, but queued target work:
 * that this is no time of theirs. To be freed; NULL where there is nothing to say.
 */
char *weft_cpu_hints_explain_parallel (const WeftAnalysisScope *scope);

/* Why an answer about samples and waits is empty: there are none, or the range or the filter leaves
 * none. To be freed.
 */
char *weft_cpu_hints_explain_nothing (const WeftCpuHints *self, const WeftAnalysisScope *scope);

G_END_DECLS
