/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-tracker.h"

G_BEGIN_DECLS

/* In the tracker's place: keeps what sources of CPU events tell. */

typedef enum
{
  TOLD_MAP,
  TOLD_NAME,
  TOLD_EXEC,
  TOLD_START,
  TOLD_EXIT,
  TOLD_SAMPLE,
  TOLD_OUT,
  TOLD_IN,
  TOLD_WAKEUP,
  TOLD_LOST,
  TOLD_ATTACH,
} ToldKind;

typedef struct
{
  ToldKind kind;
  gint64 time;
  int pid;
  int tid;
  int other;      /* parent's or wakee's tid */
  guint64 number; /* weight, address, state, count */
  gsize stack;    /* bytes */
  guint n_kernel;
  guint cpu;
  gboolean flag; /* preempted, in an interrupt */
  gboolean has_registers;
  guint64 pc;
  char name[32]; /* of a thread, or the end of a path */
} Told;

WeftCpuTracker *told_new (void);

/* All that was told, in order; element-type Told. */
GArray *told_get (WeftCpuTracker *self);
guint told_count (WeftCpuTracker *self, ToldKind kind);

G_END_DECLS
