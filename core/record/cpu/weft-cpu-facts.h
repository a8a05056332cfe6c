/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-enums.h"

G_BEGIN_DECLS

/* What a recording should know of how its CPU events came about. */
typedef struct
{
  const char *sampler;   /* "perf-cgroup", "perf", "perf-user", "ptrace", "off" */
  const char *wait_mode; /* "exact", "approximate", "off" */
  guint frequency;       /* Hz */
  guint stack_bytes;
  gsize ring_bytes; /* for the events of one CPU */
  gboolean kernel_stacks;
  gboolean counters;
  gboolean tracepoints;
  GString *missing; /* sentences: what is missing, and how to get it */
} WeftCpuFacts;

/* Something that somebody who reads the recording should know. */
typedef struct
{
  WeftSeverity severity;
  const char *code;
  char *message;
} WeftCpuNote;

WeftCpuFacts *weft_cpu_facts_new (void);
void weft_cpu_facts_free (WeftCpuFacts *self);

/* Once for each sentence. */
void weft_cpu_facts_add_missing (WeftCpuFacts *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Takes MESSAGE. */
WeftCpuNote *weft_cpu_note_new (WeftSeverity severity, const char *code, char *message);
void weft_cpu_note_free (WeftCpuNote *self);

G_END_DECLS
