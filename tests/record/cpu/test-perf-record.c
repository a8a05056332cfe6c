/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records of perf rings: read right, whatever their bytes are, wherever they lie in the ring, and
 * in the order of time whichever ring they come from. Bytes are made here, as the kernel makes
 * them.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weft-perf-record.h"
#include "weft-perf-ring.h"
#include "weft-tracing.h"

/* ---- Making records ---- */

typedef struct
{
  guint8 bytes[WEFT_PERF_MAX_RECORD] __attribute__ ((aligned (8)));
  gsize length;
} Bytes;

static void
put (Bytes *self, gconstpointer data, gsize length)
{
  memcpy (self->bytes + self->length, data, length);
  self->length += length;
}

static void
put_u64 (Bytes *self, guint64 value)
{
  put (self, &value, sizeof value);
}

static void
put_u32 (Bytes *self, guint32 value)
{
  put (self, &value, sizeof value);
}

static void
begin (Bytes *self, guint type, guint misc)
{
  struct perf_event_header header = { .type = type, .misc = (guint16) misc };

  self->length = 0;
  put (self, &header, sizeof header);
}

static void
finish (Bytes *self)
{
  ((struct perf_event_header *) (gpointer) self->bytes)->size = (guint16) self->length;
}

static void
put_trailer (Bytes *self, int pid, int tid, guint64 time, guint cpu, guint64 id)
{
  put_u32 (self, (guint32) pid);
  put_u32 (self, (guint32) tid);
  put_u64 (self, time);
  put_u32 (self, cpu);
  put_u32 (self, 0);
  put_u64 (self, id);
  finish (self);
}

static void
begin_sample (Bytes *self, guint64 id, int pid, int tid, guint64 time, guint cpu, guint64 period)
{
  begin (self, PERF_RECORD_SAMPLE, 0);
  put_u64 (self, id);
  put_u64 (self, 0x401000);
  put_u32 (self, (guint32) pid);
  put_u32 (self, (guint32) tid);
  put_u64 (self, time);
  put_u32 (self, cpu);
  put_u32 (self, 0);
  put_u64 (self, period);
}

static void
put_stack (Bytes *self, gsize size, gsize used)
{
  guint n = (guint) __builtin_popcountll (WEFT_PERF_REGISTERS);

  put_u64 (self, PERF_SAMPLE_REGS_ABI_64);
  for (guint i = 0; i < n; i++)
    put_u64 (self, 1000 + i);
  put_u64 (self, size);
  for (gsize i = 0; i < size; i++)
    put (self, &(guint8){ (guint8) i }, 1);
  put_u64 (self, used);
}

#define STACKED (WEFT_PERF_COMMON | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

/* ---- Reading them ---- */

static void
test_sample (void)
{
  g_autofree Bytes *bytes = g_new (Bytes, 1);
  WeftPerfRecord record;
  const guint64 type = STACKED | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_READ;

  begin_sample (bytes, 7, 10, 11, 123456789, 3, 1003009);
  put_u64 (bytes, 2);
  put_u64 (bytes, 500);
  put_u64 (bytes, 71);
  put_u64 (bytes, 600);
  put_u64 (bytes, 72);
  put_u64 (bytes, 4);
  put_u64 (bytes, PERF_CONTEXT_KERNEL);
  put_u64 (bytes, 0xffffffff81000010);
  put_u64 (bytes, 0xffffffff81000020);
  put_u64 (bytes, PERF_CONTEXT_USER);
  put_stack (bytes, 256, 200);
  finish (bytes);

  g_assert_cmpint (weft_perf_record_peek_time (bytes->bytes, bytes->length), ==, 123456789);
  g_assert_cmpuint (weft_perf_record_peek_id (bytes->bytes, bytes->length), ==, 7);
  g_assert_true (weft_perf_record_decode (bytes->bytes, bytes->length, type, &record));
  g_assert_cmpint (record.pid, ==, 10);
  g_assert_cmpint (record.tid, ==, 11);
  g_assert_cmpuint (record.cpu, ==, 3);
  g_assert_cmpuint (record.sample.period, ==, 1003009);
  g_assert_cmpuint (record.sample.n_counters, ==, 2);
  g_assert_cmpuint (record.sample.counters[1], ==, 600);
  g_assert_cmpuint (record.sample.counter_ids[1], ==, 72);
  g_assert_cmpuint (record.sample.n_kernel, ==, 2);
  g_assert_cmpuint (record.sample.kernel_chain[1], ==, 0xffffffff81000020);
  g_assert_true (record.sample.has_registers);
  g_assert_cmpuint (record.sample.stack_length, ==, 200);
  g_assert_cmpuint (record.sample.stack[199], ==, 199);
#if defined(__x86_64__)
  /* ax bx cx dx si di bp sp ip r8 … of perf; rdx, rcx, rbx of DWARF. */
  g_assert_cmpuint (record.sample.registers.values[1], ==, 1003);
  g_assert_cmpuint (record.sample.registers.values[3], ==, 1001);
  g_assert_cmpuint (record.sample.registers.values[8], ==, 1009);
  g_assert_cmpuint (record.sample.registers.sp, ==, 1007);
  g_assert_cmpuint (record.sample.registers.pc, ==, 1008);
#endif
}

static void
test_others (void)
{
  static const guint8 id[24] = { 20, 0, 0, 0, 0xab, 0xcd };
  g_autofree Bytes *bytes = g_new (Bytes, 1);
  WeftPerfRecord record;

  begin (bytes, PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID);
  put_u32 (bytes, 20);
  put_u32 (bytes, 21);
  put_u64 (bytes, 0x7f0000000000);
  put_u64 (bytes, 0x1000);
  put_u64 (bytes, 0x2000);
  put (bytes, id, sizeof id);
  put_u32 (bytes, 5);
  put_u32 (bytes, 0);
  put (bytes, "/lib/a.so\0\0\0\0\0\0", 16);
  put_trailer (bytes, 20, 21, 99, 1, 5);
  g_assert_true (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));
  g_assert_cmpstr (record.mapping.path, ==, "/lib/a.so");
  g_assert_cmpuint (record.mapping.build_id_length, ==, 20);
  g_assert_cmpuint (record.mapping.build_id[1], ==, 0xcd);
  g_assert_cmpuint (record.mapping.offset, ==, 0x2000);
  g_assert_cmpint (record.time, ==, 99);

  begin (bytes, PERF_RECORD_FORK, 0);
  put_u32 (bytes, 31);
  put_u32 (bytes, 30);
  put_u32 (bytes, 32);
  put_u32 (bytes, 30);
  put_u64 (bytes, 5);
  put_trailer (bytes, 30, 30, 100, 0, 5);
  g_assert_true (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));
  g_assert_cmpint (record.pid, ==, 31);
  g_assert_cmpint (record.tid, ==, 32);
  g_assert_cmpint (record.parent_pid, ==, 30);

  begin (bytes, PERF_RECORD_LOST, 0);
  put_u64 (bytes, 5);
  put_u64 (bytes, 17);
  put_trailer (bytes, 0, 0, 101, 1, 5);
  g_assert_true (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));
  g_assert_cmpuint (record.lost, ==, 17);
}

/* What is not as it says is refused, and nothing is read beyond it. */
static void
test_damaged (void)
{
  g_autofree Bytes *bytes = g_new (Bytes, 1);
  WeftPerfRecord record;

  begin_sample (bytes, 7, 1, 1, 5, 0, 1);
  put_u64 (bytes, G_MAXUINT64 / 4); /* so many callers */
  finish (bytes);
  g_assert_false (weft_perf_record_decode (bytes->bytes, bytes->length,
                                           WEFT_PERF_COMMON | PERF_SAMPLE_CALLCHAIN, &record));

  begin_sample (bytes, 7, 1, 1, 5, 0, 1);
  put_stack (bytes, 64, 64);
  memset (bytes->bytes + bytes->length - 80, 0xff, 8); /* the size of the stack */
  finish (bytes);
  g_assert_false (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));

  /* More used than copied: what was copied. */
  begin_sample (bytes, 7, 1, 1, 5, 0, 1);
  put_stack (bytes, 64, 1 << 20);
  finish (bytes);
  g_assert_true (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));
  g_assert_cmpuint (record.sample.stack_length, ==, 64);

  begin (bytes, PERF_RECORD_COMM, 0);
  put_u32 (bytes, 1);
  put_u32 (bytes, 1);
  put (bytes, "unended!", 8);
  memset (bytes->bytes + bytes->length, 0xff, 32);
  bytes->length += 32;
  finish (bytes);
  g_assert_false (weft_perf_record_decode (bytes->bytes, bytes->length, STACKED, &record));
  g_assert_false (weft_perf_record_decode (bytes->bytes, 16, STACKED, &record));
}

static guint64
touch (const guint8 *bytes, gsize length)
{
  guint64 sum = 0;

  for (gsize i = 0; i < length; i++)
    sum += bytes[i];
  return sum;
}

static guint64
use (const WeftPerfRecord *record)
{
  if (record->type == PERF_RECORD_SAMPLE)
    return touch (record->sample.stack, record->sample.stack_length) +
           touch ((const guint8 *) record->sample.kernel_chain,
                  record->sample.n_kernel * sizeof (guint64)) +
           touch (record->sample.raw, record->sample.raw_length);
  if (record->type == PERF_RECORD_MMAP2)
    return strlen (record->mapping.path) +
           touch (record->mapping.build_id, record->mapping.build_id_length);
  return record->type == PERF_RECORD_COMM ? strlen (record->name) : 0;
}

/* Any bytes, in memory of just their length: a sanitizer sees what is read beside it. */
static void
test_fuzz (void)
{
  const guint64 types[] = { WEFT_PERF_COMMON, STACKED, STACKED | PERF_SAMPLE_CALLCHAIN,
                            STACKED | PERF_SAMPLE_READ | PERF_SAMPLE_RAW | PERF_SAMPLE_CALLCHAIN };
  guint n_good = 0;
  volatile guint64 sink = 0;

  for (guint round = 0; round < 200000; round++)
    {
      gsize length = (gsize) g_test_rand_int_range (1, 64) * 8;
      g_autofree guint8 *bytes = g_malloc (length);
      struct perf_event_header *header = (gpointer) bytes;
      WeftPerfRecord record;

      for (gsize i = 0; i < length; i++)
        bytes[i] = (guint8) (g_test_rand_bit () ? 0 : g_test_rand_int ());
      header->type = (guint32) g_test_rand_int_range (0, 24);
      header->size = (guint16) length;
      sink += (guint64) weft_perf_record_peek_time (bytes, length);
      if (weft_perf_record_decode (bytes, length, types[round % G_N_ELEMENTS (types)], &record))
        {
          n_good++;
          sink += use (&record);
        }
    }
  g_assert_cmpuint (n_good, >, 1000);
  (void) sink;
}

/* ---- Rings ---- */

#define RING_SIZE 4096

typedef struct
{
  guint8 *memory;
  gsize page;
} Memory;

static Memory
memory_new (void)
{
  Memory self = { .page = (gsize) sysconf (_SC_PAGESIZE) };

  self.memory = mmap (NULL, self.page + RING_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (self.memory != MAP_FAILED);
  return self;
}

/* As the kernel does. */
static void
write_bytes (Memory *self, const guint8 *bytes, gsize length)
{
  struct perf_event_mmap_page *page = (gpointer) self->memory;
  guint64 head = page->data_head;

  g_assert_cmpuint (head - page->data_tail + length, <=, RING_SIZE);
  for (gsize i = 0; i < length; i++)
    self->memory[self->page + ((head + i) & (RING_SIZE - 1))] = bytes[i];
  page->data_head = head + length;
}

static void
write_sample (Memory *self, guint64 time, int tid)
{
  g_autofree Bytes *bytes = g_new (Bytes, 1);

  begin_sample (bytes, 1, tid, tid, time, 0, 1);
  put_stack (bytes, 104, 104);
  finish (bytes);
  write_bytes (self, bytes->bytes, bytes->length);
}

static void
test_wrap (void)
{
  Memory memory = memory_new ();
  WeftPerfRing *ring = weft_perf_ring_new_for_memory (memory.memory, RING_SIZE);

  for (guint64 i = 1; i <= 1000; i++)
    {
      WeftPerfRecord record;
      const guint8 *bytes;
      gsize length;

      write_sample (&memory, i, (int) i);
      weft_perf_ring_update (ring);
      bytes = weft_perf_ring_peek (ring, &length);
      g_assert_nonnull (bytes);
      g_assert_true (weft_perf_record_decode (bytes, length, STACKED, &record));
      g_assert_cmpint (record.time, ==, (gint64) i);
      g_assert_cmpuint (record.sample.stack_length, ==, 104);
      g_assert_cmpuint (record.sample.stack[103], ==, 103);
      weft_perf_ring_pop (ring);
      g_assert_null (weft_perf_ring_peek (ring, &length));
    }
  g_assert_cmpuint (weft_perf_ring_get_unreadable (ring), ==, 0);
  weft_perf_ring_free (ring);
  munmap (memory.memory, memory.page + RING_SIZE);
}

/* Where no record can be, what follows cannot be found: it is left out, and counted. */
static void
test_unreadable (void)
{
  static const guint8 zeros[64] = { 0 };
  Memory memory = memory_new ();
  WeftPerfRing *ring = weft_perf_ring_new_for_memory (memory.memory, RING_SIZE);
  gsize length;

  write_bytes (&memory, zeros, sizeof zeros);
  weft_perf_ring_update (ring);
  g_assert_null (weft_perf_ring_peek (ring, &length));
  g_assert_cmpuint (weft_perf_ring_get_unreadable (ring), ==, sizeof zeros);
  write_sample (&memory, 5, 5);
  weft_perf_ring_update (ring);
  g_assert_nonnull (weft_perf_ring_peek (ring, &length));
  weft_perf_ring_free (ring);
  munmap (memory.memory, memory.page + RING_SIZE);
}

typedef struct
{
  GArray *times;
  gint64 last;
} Merged;

static void
on_merged (const guint8 *bytes, gsize length, gint64 time, gpointer data)
{
  Merged *merged = data;

  g_assert_cmpint (time, >=, merged->last);
  merged->last = time;
  time = weft_perf_record_peek_time (bytes, length);
  g_array_append_val (merged->times, time);
}

static void
test_merge (void)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  Merged merged = { times, 0 };
  WeftPerfMerge *merge = weft_perf_merge_new ();
  Memory memories[5];
  gint64 written = 0;
  guint n_written = 0;

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    {
      memories[i] = memory_new ();
      weft_perf_merge_add (merge, weft_perf_ring_new_for_memory (memories[i].memory, RING_SIZE));
    }
  for (guint round = 0; round < 400; round++)
    {
      guint n = (guint) g_test_rand_int_range (0, 10);

      for (guint i = 0; i < n; i++, n_written++)
        {
          written += g_test_rand_int_range (0, 50);
          write_sample (&memories[g_test_rand_int_range (0, G_N_ELEMENTS (memories))],
                        (guint64) written, 1);
        }
      weft_perf_merge_drain (merge, written - 100, on_merged, &merged);
      g_assert_cmpint (merged.last, <=, MAX (written - 100, 0));
    }
  weft_perf_merge_drain (merge, G_MAXINT64, on_merged, &merged);
  g_assert_cmpuint (times->len, ==, n_written);
  for (guint i = 1; i < times->len; i++)
    g_assert_cmpint (g_array_index (times, gint64, i), >=, g_array_index (times, gint64, i - 1));
  g_assert_cmpuint (weft_perf_merge_get_late (merge), ==, 0);

  /* One that comes late is told as of now, and counted. */
  g_assert_cmpint (written, >, 20000);
  write_sample (&memories[0], 1, 1);
  weft_perf_merge_drain (merge, G_MAXINT64, on_merged, &merged);
  g_assert_cmpuint (weft_perf_merge_get_late (merge), ==, 1);
  weft_perf_merge_free (merge);
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    munmap (memories[i].memory, memories[i].page + RING_SIZE);
}

/* ---- Tracepoints ---- */

static const char format[] = "name: sched_switch\nID: 300\nformat:\n"
                             "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                             "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
                             "\n"
                             "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
                             "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
                             "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n";

static void
test_tracepoint (void)
{
  WeftTracepoint point = { 0 };
  guint8 raw[40] = { 0 };
  gint64 value;
  guint flags;

  g_assert_true (weft_tracing_parse_format (format, "prev_state", &point));
  raw[2] = 0x08;
  raw[33] = 1;
  g_assert_true (weft_tracepoint_read (&point, raw, sizeof raw, &value, &flags));
  g_assert_cmpint (value, ==, 0x100);
  g_assert_true ((flags & WEFT_TRACE_IN_INTERRUPT) != 0);
  g_assert_false (weft_tracepoint_read (&point, raw, 39, &value, &flags));
  g_assert_true (weft_tracing_parse_format (format, "prev_pid", &point));
  g_assert_false (weft_tracing_parse_format (format, "prev_comm[16]", &point));
  g_assert_false (weft_tracing_parse_format (format, "state", &point));
  g_assert_false (weft_tracing_parse_format ("", "prev_state", &point));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/perf-record/sample", test_sample);
  g_test_add_func ("/perf-record/others", test_others);
  g_test_add_func ("/perf-record/damaged", test_damaged);
  g_test_add_func ("/perf-record/fuzz", test_fuzz);
  g_test_add_func ("/perf-ring/wrap", test_wrap);
  g_test_add_func ("/perf-ring/unreadable", test_unreadable);
  g_test_add_func ("/perf-ring/merge", test_merge);
  g_test_add_func ("/tracing/tracepoint", test_tracepoint);
  return g_test_run ();
}
