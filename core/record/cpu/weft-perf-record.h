/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/perf_event.h>

#include "weft-unwinder.h"

G_BEGIN_DECLS

/*
 * One record of a perf ring, read. All events have the fields of WEFT_PERF_COMMON, so that who it
 * is from and when it was are at the same place in the records of all.
 */
#define WEFT_PERF_COMMON                                                                           \
  (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                  \
   PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD)

/* The user's registers that unwinding needs, as perf counts them. */
#if defined(__x86_64__)
#define WEFT_PERF_REGISTERS G_GUINT64_CONSTANT (0xff01ff)
#elif defined(__aarch64__)
#define WEFT_PERF_REGISTERS G_GUINT64_CONSTANT (0x1ffffffff)
#else
#define WEFT_PERF_REGISTERS G_GUINT64_CONSTANT (0)
#endif

#define WEFT_PERF_MAX_RECORD 65536 /* bytes; its size has 16 bits */
#define WEFT_PERF_MAX_COUNTERS 4

typedef struct
{
  guint64 address;
  guint64 length;
  guint64 offset;
  guint64 device;
  guint64 inode;
  const guint8 *build_id;
  gsize build_id_length;
  guint protection;
  const char *path;
} WeftPerfMapping;

typedef struct
{
  guint64 program_counter;
  guint64 period;
  gboolean has_registers; /* of a 64-bit program */
  WeftRegisters registers;
  const guint8 *stack;
  gsize stack_length;
  const guint64 *kernel_chain; /* innermost first */
  guint n_kernel;
  const guint8 *raw; /* of a tracepoint */
  gsize raw_length;
  guint n_counters;
  guint64 counters[WEFT_PERF_MAX_COUNTERS];
  guint64 counter_ids[WEFT_PERF_MAX_COUNTERS];
} WeftPerfSample;

typedef struct
{
  guint type; /* PERF_RECORD_… */
  guint misc;
  guint64 id; /* of the event */
  gint64 time;
  guint cpu;
  int pid; /* whom it is about, by the kind of record */
  int tid;
  int parent_pid;
  int parent_tid;
  guint64 lost;
  const char *name;
  WeftPerfMapping mapping;
  WeftPerfSample sample;
} WeftPerfRecord;

/* When it was, without a look at the rest; 0 if it is too short to tell. */
gint64 weft_perf_record_peek_time (const guint8 *bytes, gsize length);

/* The event that it is from; 0 if it is too short to tell. */
guint64 weft_perf_record_peek_id (const guint8 *bytes, gsize length);

/* SAMPLE_TYPE: of the event that it is from. RECORD points into BYTES, which are aligned to 8.
 * FALSE if they are not what they should be.
 */
gboolean weft_perf_record_decode (const guint8 *bytes, gsize length, guint64 sample_type,
                                  WeftPerfRecord *record);

G_END_DECLS
