/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-cpu-rows.h"
#include "weft-process-info.h"

G_BEGIN_DECLS

/*
 * Rows on their way from the sampler's thread to the engine's: arrays of one kind each, in the
 * order in which one may refer to another. Numbers of processes and threads are the tracker's;
 * times are CLOCK_MONOTONIC ns. Texts are strings of the tracker's own table, told once.
 */
typedef struct
{
  guint32 number;
  gint64 image; /* since when it runs this program */
  WeftProcessInfo info;
} WeftCpuProcessRow;

typedef struct
{
  guint32 number;
  guint32 process;
  int tid;
  int namespace_tid;
  gint64 started; /* 0: not known */
  gint64 seen;
  char *name; /* or NULL */
} WeftCpuThreadRow;

typedef struct
{
  guint32 process;
  WeftCodeModule *module;
  gint64 time;
  guint64 address;
  guint64 length;
  guint64 offset;
} WeftCpuMappingRow;

typedef struct
{
  WeftCodeModule *module; /* or NULL */
  guint32 process;        /* of a module that belongs to one */
  guint32 flags;
  guint64 offset;
} WeftCpuFrameRow;

typedef struct
{
  guint32 parent;
  guint32 frame;
  guint32 depth;
} WeftCpuCallchainRow;

typedef struct
{
  guint32 thread;
  guint32 callchain;
  guint32 frame; /* the innermost */
  guint16 cpu;
  guint8 end;
  guint8 marks;
  gboolean has_counters;
  gint64 time;
  guint64 weight;
  guint64 cycles;
  guint64 instructions;
} WeftCpuSampleRow;

typedef struct
{
  gint64 time;
  guint32 waker; /* 0: an interrupt */
  guint32 wakee;
  guint32 callchain;
  guint8 end;
} WeftCpuWakeupRow;

typedef struct
{
  guint32 thread;
  guint32 callchain;
  gint64 start;
  gint64 stop;
  gint64 snapshot; /* 0: none */
  guint64 object;
  gint32 system_call;
  guint32 detail; /* 0: none */
  guint32 wakeup; /* place in the batch, from 1; 0: not known */
  guint8 reason;
  guint8 end;
  guint8 marks;
  guint8 has_system_call;
} WeftCpuWaitRow;

typedef struct
{
  guint32 thread;
  gboolean ended;
  gint64 time;
  gint64 start;
  guint64 on_cpu;
  guint64 off_cpu;
} WeftCpuThreadTimeRow;

typedef struct
{
  guint32 process;
  gint64 time;
} WeftCpuProcessEndRow;

typedef struct
{
  WeftLoss loss;
  gint64 time;
  guint64 count; /* so far */
} WeftCpuLossRow;

struct _WeftCpuBatch
{
  GArray *processes;         /* element-type WeftCpuProcessRow */
  GArray *threads;           /* element-type WeftCpuThreadRow */
  GArray *mappings;          /* element-type WeftCpuMappingRow */
  GArray *frames;            /* element-type WeftCpuFrameRow; ids go on from the last batch's */
  GArray *callchains;        /* element-type WeftCpuCallchainRow; likewise */
  GPtrArray *texts;          /* element-type utf8; numbers go on likewise */
  GArray *samples;           /* element-type WeftCpuSampleRow */
  GArray *wakeups;           /* element-type WeftCpuWakeupRow */
  GArray *waits;             /* element-type WeftCpuWaitRow */
  GArray *thread_times;      /* element-type WeftCpuThreadTimeRow */
  GArray *process_ends;      /* element-type WeftCpuProcessEndRow */
  GArray *losses;            /* element-type WeftCpuLossRow */
  guint32 frames_in_use;     /* if not 0: earlier ones will not be named again */
  guint32 callchains_in_use; /* likewise */
};

WeftCpuBatch *weft_cpu_batch_new (void);
void weft_cpu_batch_free (WeftCpuBatch *self);
gboolean weft_cpu_batch_is_empty (const WeftCpuBatch *self);
gsize weft_cpu_batch_get_size (const WeftCpuBatch *self); /* bytes, roughly */

G_END_DECLS
