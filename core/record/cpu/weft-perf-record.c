/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-perf-record.h"

#include <string.h>
#include <sys/sysmacros.h>

/* Where the common fields are: at the begin of samples, at the end of all others. */
#define HEADER sizeof (struct perf_event_header)
#define SAMPLE_ID (HEADER)
#define SAMPLE_TIME (HEADER + 24)
#define TRAILER 32 /* pid and tid, time, CPU, id */

typedef struct
{
  const guint8 *bytes;
  gsize left;
  gboolean failed;
} Cursor;

static const guint8 *
take (Cursor *self, gsize length)
{
  const guint8 *bytes = self->bytes;

  if (length > self->left)
    {
      self->failed = TRUE;
      return NULL;
    }
  self->bytes += length;
  self->left -= length;
  return bytes;
}

static guint64
take_u64 (Cursor *self)
{
  const guint8 *bytes = take (self, sizeof (guint64));
  guint64 value = 0;

  if (bytes != NULL)
    memcpy (&value, bytes, sizeof value);
  return value;
}

static guint32
take_u32 (Cursor *self)
{
  const guint8 *bytes = take (self, sizeof (guint32));
  guint32 value = 0;

  if (bytes != NULL)
    memcpy (&value, bytes, sizeof value);
  return value;
}

static gint64
take_time (Cursor *self)
{
  guint64 time = take_u64 (self);

  return (gint64) MIN (time, (guint64) G_MAXINT64);
}

static const char *
take_string (Cursor *self)
{
  const char *text = (const char *) self->bytes;

  if (memchr (text, '\0', self->left) != NULL)
    return text;
  self->failed = TRUE;
  return "";
}

static guint
get_type (const guint8 *bytes)
{
  return ((const struct perf_event_header *) (gconstpointer) bytes)->type;
}

static guint64
peek (const guint8 *bytes, gsize length, gsize at_begin, gsize at_end)
{
  guint64 value;
  gsize at;

  if (length < HEADER + TRAILER)
    return 0;
  at = get_type (bytes) == PERF_RECORD_SAMPLE ? at_begin : length - at_end;
  memcpy (&value, bytes + at, sizeof value);
  return value;
}

gint64
weft_perf_record_peek_time (const guint8 *bytes, gsize length)
{
  guint64 time = peek (bytes, length, SAMPLE_TIME, TRAILER - 8);

  return (gint64) MIN (time, (guint64) G_MAXINT64);
}

guint64
weft_perf_record_peek_id (const guint8 *bytes, gsize length)
{
  return peek (bytes, length, SAMPLE_ID, 8);
}

/* ---- Samples ---- */

#if defined(__x86_64__)
static void
set_registers (WeftRegisters *registers, const guint64 *values)
{
  /* As perf has them: ax bx cx dx si di bp sp ip r8 … r15. */
  static const guint8 dwarf[] = { 0, 3, 2, 1, 4, 5, 6, 7 };

  for (guint i = 0; i < G_N_ELEMENTS (dwarf); i++)
    registers->values[dwarf[i]] = values[i];
  for (guint i = 8; i < 16; i++)
    registers->values[i] = values[i + 1];
  registers->sp = values[7];
  registers->pc = values[8];
}
#else
static void
set_registers (WeftRegisters *registers, const guint64 *values)
{
  for (guint i = 0; i < 32; i++)
    registers->values[i] = values[i];
  registers->sp = values[31];
  registers->pc = values[32];
}
#endif

static void
take_registers (Cursor *cursor, WeftPerfSample *sample)
{
  guint64 values[64];
  guint64 abi = take_u64 (cursor);
  guint n = (guint) __builtin_popcountll (WEFT_PERF_REGISTERS);
  const guint8 *bytes;

  if (abi == PERF_SAMPLE_REGS_ABI_NONE)
    return;
  bytes = take (cursor, n * sizeof *values);
  if (bytes == NULL || abi != PERF_SAMPLE_REGS_ABI_64)
    return;
  memcpy (values, bytes, n * sizeof *values);
  sample->registers = (WeftRegisters){ 0 };
  set_registers (&sample->registers, values);
  sample->has_registers = TRUE;
}

static void
take_stack (Cursor *cursor, WeftPerfSample *sample)
{
  guint64 size = take_u64 (cursor);
  guint64 used;

  if (size == 0)
    return;
  sample->stack = take (cursor, size);
  used = take_u64 (cursor);
  if (!cursor->failed)
    sample->stack_length = MIN (used, size);
}

/* Ends with the first mark of what is not the kernel's. */
static void
take_callchain (Cursor *cursor, WeftPerfSample *sample)
{
  guint64 n = take_u64 (cursor);
  const guint64 *addresses;
  guint first = 0;

  if (n > cursor->left / sizeof *addresses)
    {
      cursor->failed = TRUE;
      return;
    }
  addresses = (const guint64 *) (gconstpointer) take (cursor, n * sizeof *addresses);
  if (n > 0 && addresses[0] == PERF_CONTEXT_KERNEL)
    first = 1;
  while (first + sample->n_kernel < n && addresses[first + sample->n_kernel] < PERF_CONTEXT_MAX)
    sample->n_kernel++;
  sample->kernel_chain = addresses + first;
}

/* Of a group, each with its id. */
static void
take_counters (Cursor *cursor, WeftPerfSample *sample)
{
  guint64 n = take_u64 (cursor);

  if (n > cursor->left / 16)
    {
      cursor->failed = TRUE;
      return;
    }
  for (guint64 i = 0; i < n; i++)
    {
      guint64 value = take_u64 (cursor);
      guint64 id = take_u64 (cursor);

      if (sample->n_counters >= WEFT_PERF_MAX_COUNTERS)
        continue;
      sample->counters[sample->n_counters] = value;
      sample->counter_ids[sample->n_counters++] = id;
    }
}

static void
take_sample (Cursor *cursor, guint64 sample_type, WeftPerfRecord *record)
{
  WeftPerfSample *sample = &record->sample;

  *sample = (WeftPerfSample){ 0 };
  record->id = take_u64 (cursor);
  sample->program_counter = take_u64 (cursor);
  record->pid = (int) take_u32 (cursor);
  record->tid = (int) take_u32 (cursor);
  record->time = take_time (cursor);
  record->cpu = take_u32 (cursor);
  take_u32 (cursor);
  sample->period = take_u64 (cursor);
  if (sample_type & PERF_SAMPLE_READ)
    take_counters (cursor, sample);
  if (sample_type & PERF_SAMPLE_CALLCHAIN)
    take_callchain (cursor, sample);
  if (sample_type & PERF_SAMPLE_RAW)
    {
      sample->raw_length = take_u32 (cursor);
      sample->raw = take (cursor, sample->raw_length);
    }
  if (sample_type & PERF_SAMPLE_REGS_USER)
    take_registers (cursor, sample);
  if (sample_type & PERF_SAMPLE_STACK_USER)
    take_stack (cursor, sample);
}

/* ---- The others ---- */

static void
take_trailer (Cursor *cursor, WeftPerfRecord *record)
{
  Cursor trailer = { cursor->bytes + cursor->left - TRAILER, TRAILER, FALSE };

  cursor->left -= TRAILER;
  record->pid = (int) take_u32 (&trailer);
  record->tid = (int) take_u32 (&trailer);
  record->time = take_time (&trailer);
  record->cpu = take_u32 (&trailer);
  take_u32 (&trailer);
  record->id = take_u64 (&trailer);
}

static void
take_build_id (Cursor *cursor, WeftPerfMapping *mapping)
{
  const guint8 *bytes = take (cursor, 24);

  if (bytes == NULL)
    return;
  mapping->build_id = bytes + 4;
  mapping->build_id_length = MIN (bytes[0], 20);
}

static void
take_mapping (Cursor *cursor, WeftPerfRecord *record)
{
  WeftPerfMapping *mapping = &record->mapping;

  *mapping = (WeftPerfMapping){ 0 };
  record->pid = (int) take_u32 (cursor);
  record->tid = (int) take_u32 (cursor);
  mapping->address = take_u64 (cursor);
  mapping->length = take_u64 (cursor);
  mapping->offset = take_u64 (cursor);
  if (record->misc & PERF_RECORD_MISC_MMAP_BUILD_ID)
    take_build_id (cursor, mapping);
  else
    {
      guint major_number = take_u32 (cursor);
      guint minor_number = take_u32 (cursor);

      mapping->device = makedev (major_number, minor_number);
      mapping->inode = take_u64 (cursor);
      take_u64 (cursor);
    }
  mapping->protection = take_u32 (cursor);
  take_u32 (cursor);
  mapping->path = take_string (cursor);
}

static void
take_task (Cursor *cursor, WeftPerfRecord *record)
{
  record->pid = (int) take_u32 (cursor);
  record->parent_pid = (int) take_u32 (cursor);
  record->tid = (int) take_u32 (cursor);
  record->parent_tid = (int) take_u32 (cursor);
}

static void
take_body (Cursor *cursor, WeftPerfRecord *record)
{
  switch (record->type)
    {
    case PERF_RECORD_MMAP2:
      take_mapping (cursor, record);
      break;
    case PERF_RECORD_COMM:
      record->pid = (int) take_u32 (cursor);
      record->tid = (int) take_u32 (cursor);
      record->name = take_string (cursor);
      break;
    case PERF_RECORD_FORK:
    case PERF_RECORD_EXIT:
      take_task (cursor, record);
      break;
    case PERF_RECORD_LOST:
      take_u64 (cursor);
      record->lost = take_u64 (cursor);
      break;
    case PERF_RECORD_LOST_SAMPLES:
      record->lost = take_u64 (cursor);
      break;
    default:
      break;
    }
}

gboolean
weft_perf_record_decode (const guint8 *bytes, gsize length, guint64 sample_type,
                         WeftPerfRecord *record)
{
  const struct perf_event_header *header = (gconstpointer) bytes;
  Cursor cursor = { bytes + HEADER, length - HEADER, FALSE };

  if (length < HEADER + TRAILER || header->size != length)
    return FALSE;
  record->type = header->type;
  record->misc = header->misc;
  record->lost = 0;
  if (record->type == PERF_RECORD_SAMPLE)
    take_sample (&cursor, sample_type, record);
  else
    {
      take_trailer (&cursor, record);
      take_body (&cursor, record);
    }
  return !cursor.failed;
}
