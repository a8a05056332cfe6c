/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "weft-clock.h"

#define NEEDED_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PUSH_TRIES 1000
#define MAX_WAITS 3
#define MAX_LOOKS 16              /* for threads of another namespace, at a time */
#define MAX_TURN_BYTES (8u << 20) /* of one peer, before the next has its turn */
#define MAX_LAST_TURNS                                                                             \
  (4 + (guint) ((WEFT_WIRE_REGISTRY_SIZE + WEFT_WIRE_MAX_SEGMENTS * WEFT_WIRE_SEGMENT_SIZE) /      \
                MAX_TURN_BYTES))
#define PAIR_TRIES 8
#define GOOD_PAIR_NS 200

typedef struct
{
  WeftWireSegment *header;
  WeftWireBlock *blocks;
  guint8 *data;
  guint32 *drained;   /* of each block: our own truth */
  gboolean *returned; /* drained and FULL, but not yet pushed to the free list */
  guint8 *waited;     /* drains that a block waited for the one before it */
} Segment;

/* A block as it was when the heads were read. */
typedef struct
{
  Segment *segment;
  guint32 index;
  guint32 committed;
  guint32 writer;
  gboolean full;
  guint64 sequence;
} Head;

struct _WeftPeer
{
  WeftIngestRuntime *runtime;
  guint64 runtime_id;
  guint64 process;
  int pid;
  guint instance;
  gboolean other_pid_namespace;
  gboolean is_tsc;
  WeftWireRegistry *registry;
  guint64 log_offset;
  guint64 log_seen;
  gboolean log_broken;
  GPtrArray *segments; /* element-type Segment */
  GArray *heads;       /* element-type Head */
  guint n_waiting;     /* blocks that the last drain left for the next */
  gboolean has_more;   /* the last drain ended with its share, not with the data */
  guint8 *copy;        /* one block */
};

/* ---- Descriptors: nothing that can shrink, grow, or fault us ---- */

static gpointer
map_sealed (int fd, guint64 size, const char *what, GError **error)
{
  struct stat st;
  struct statfs fs;
  int seals = fcntl (fd, F_GET_SEALS);
  gpointer memory;

  if (seals < 0 || (seals & NEEDED_SEALS) != NEEDED_SEALS || fstatfs (fd, &fs) != 0 ||
      fs.f_type != TMPFS_MAGIC || fstat (fd, &st) != 0 || (guint64) st.st_size != size)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "The %s is no sealed memory file of the right size", what);
      return NULL;
    }

  memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot map the %s: %s", what,
                   g_strerror (errno));
      return NULL;
    }
  madvise (memory, size, MADV_DONTDUMP);
  return memory;
}

static gboolean
check_registry (WeftPeer *self, const WeftWireRegistry *header, const WeftWireMessage *hello,
                GError **error)
{
  guint64 cells_end = header->cells_offset + (guint64) header->n_cells * sizeof (WeftWireCell);

  if (header->magic != WEFT_WIRE_REGISTRY_MAGIC || header->major != WEFT_WIRE_MAJOR ||
      header->size != hello->registry_size || header->runtime_id != hello->runtime_id ||
      header->cells_offset % 64 != 0 || header->cells_offset < sizeof *header ||
      header->n_cells > WEFT_WIRE_REGISTRY_CELLS || cells_end > header->size ||
      header->log_offset % 8 != 0 || header->log_offset < cells_end ||
      header->log_offset > header->size)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "The registry's header makes no sense");
      return FALSE;
    }
  return TRUE;
}

static void
segment_free (gpointer data)
{
  Segment *segment = data;

  munmap (segment->header, WEFT_WIRE_SEGMENT_SIZE);
  g_free (segment->drained);
  g_free (segment->returned);
  g_free (segment->waited);
  g_free (segment);
}

/* A successor of a recorder that died goes on where that one was. */
static void
adopt (Segment *segment)
{
  for (guint i = 0; i < WEFT_WIRE_SEGMENT_BLOCKS; i++)
    {
      guint32 committed = __atomic_load_n (&segment->blocks[i].committed, __ATOMIC_ACQUIRE);

      if (__atomic_load_n (&segment->blocks[i].state, __ATOMIC_RELAXED) != WEFT_WIRE_BLOCK_FREE)
        segment->drained[i] = MIN (segment->blocks[i].drained, committed) & ~7u;
    }
}

gboolean
weft_peer_add_segment (WeftPeer *self, int fd, GError **error)
{
  WeftWireSegment header;
  Segment *segment;
  gpointer memory = NULL;

  if (self->segments->len >= WEFT_WIRE_MAX_SEGMENTS)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "Too many segments");
  else
    memory = map_sealed (fd, WEFT_WIRE_SEGMENT_SIZE, "segment", error);
  close (fd);
  if (memory == NULL)
    return FALSE;

  memcpy (&header, memory, sizeof header);
  if (header.magic != WEFT_WIRE_SEGMENT_MAGIC || header.major != WEFT_WIRE_MAJOR ||
      header.size != WEFT_WIRE_SEGMENT_SIZE || header.runtime_id != self->runtime_id ||
      header.block_size != WEFT_WIRE_BLOCK_SIZE || header.n_blocks != WEFT_WIRE_SEGMENT_BLOCKS ||
      header.descriptors_offset != WEFT_WIRE_SEGMENT_HEADER ||
      header.blocks_offset !=
          WEFT_WIRE_SEGMENT_HEADER + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock))
    {
      munmap (memory, WEFT_WIRE_SEGMENT_SIZE);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "The segment's header makes no sense");
      return FALSE;
    }

  segment = g_new0 (Segment, 1);
  segment->header = memory;
  segment->blocks = (WeftWireBlock *) ((guint8 *) memory + header.descriptors_offset);
  segment->data = (guint8 *) memory + header.blocks_offset;
  segment->drained = g_new0 (guint32, WEFT_WIRE_SEGMENT_BLOCKS);
  segment->returned = g_new0 (gboolean, WEFT_WIRE_SEGMENT_BLOCKS);
  segment->waited = g_new0 (guint8, WEFT_WIRE_SEGMENT_BLOCKS);
  adopt (segment);
  g_ptr_array_add (self->segments, segment);
  return TRUE;
}

static void
peer_free (WeftPeer *self)
{
  g_ptr_array_unref (self->segments);
  g_array_unref (self->heads);
  if (self->registry != NULL)
    munmap (self->registry, WEFT_WIRE_REGISTRY_SIZE);
  g_free (self->copy);
  g_free (self);
}

WeftPeer *
weft_peer_new (WeftIngest *ingest, const WeftProcessInfo *info, const WeftWireMessage *hello,
               int registry_fd, int segment_fd, gint64 now, GError **error)
{
  WeftPeer *self = g_new0 (WeftPeer, 1);
  WeftWireRegistry header;

  self->pid = info->pid;
  self->other_pid_namespace = info->other_pid_namespace;
  self->runtime_id = hello->runtime_id;
  self->instance = hello->instance;
  self->segments = g_ptr_array_new_with_free_func (segment_free);
  self->heads = g_array_new (FALSE, FALSE, sizeof (Head));
  self->copy = g_malloc (WEFT_WIRE_BLOCK_SIZE);
  if (hello->registry_size == WEFT_WIRE_REGISTRY_SIZE)
    self->registry = map_sealed (registry_fd, hello->registry_size, "registry", error);
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "The registry has not the size that there is");
  close (registry_fd);
  if (self->registry == NULL)
    {
      close (segment_fd);
      peer_free (self);
      return NULL;
    }

  memcpy (&header, self->registry, sizeof header);
  if (!check_registry (self, &header, hello, error))
    {
      close (segment_fd);
      peer_free (self);
      return NULL;
    }
  if (!weft_peer_add_segment (self, segment_fd, error))
    {
      peer_free (self);
      return NULL;
    }

  self->log_offset = header.log_offset;
  self->is_tsc = header.clock == WEFT_WIRE_CLOCK_TSC;
  self->process = weft_ingest_add_process (ingest, info);
  self->runtime = weft_ingest_attach (
      ingest, info, self->process, &header,
      (const WeftWireCell *) ((const guint8 *) self->registry + header.cells_offset),
      header.n_cells, now);
  return self;
}

guint64
weft_peer_get_runtime_id (const WeftPeer *self)
{
  return self->runtime_id;
}

guint
weft_peer_get_instance (const WeftPeer *self)
{
  return self->instance;
}

int
weft_peer_get_pid (const WeftPeer *self)
{
  return self->pid;
}

guint64
weft_peer_get_process (const WeftPeer *self)
{
  return self->process;
}

/* ---- Drain ---- */

static void
read_heads_of (WeftPeer *self, Segment *segment)
{
  guint32 fresh = __atomic_load_n (&segment->header->fresh, __ATOMIC_ACQUIRE);

  for (guint32 i = 0; i < MIN (fresh, WEFT_WIRE_SEGMENT_BLOCKS); i++)
    {
      WeftWireBlock *block = &segment->blocks[i];
      guint32 state = __atomic_load_n (&block->state, __ATOMIC_ACQUIRE);
      Head head;

      if (state == WEFT_WIRE_BLOCK_FREE || segment->returned[i])
        continue;
      head.committed = __atomic_load_n (&block->committed, __ATOMIC_ACQUIRE);
      if (head.committed == segment->drained[i] && state != WEFT_WIRE_BLOCK_FULL)
        continue;
      head.segment = segment;
      head.index = i;
      head.writer = __atomic_load_n (&block->writer, __ATOMIC_RELAXED);
      head.sequence = __atomic_load_n (&block->sequence, __ATOMIC_RELAXED);
      head.full = state == WEFT_WIRE_BLOCK_FULL;
      g_array_append_val (self->heads, head);
    }
}

static int
compare_heads (gconstpointer a, gconstpointer b)
{
  const Head *left = a, *right = b;

  if (left->writer != right->writer)
    return left->writer < right->writer ? -1 : 1;
  if (left->sequence != right->sequence)
    return left->sequence < right->sequence ? -1 : 1;
  return 0;
}

static void
break_log (WeftPeer *self)
{
  weft_ingest_runtime_count (self->runtime, 0, WEFT_LOSS_MALFORMED, 1);
  self->log_broken = TRUE;
}

/* A turn's share of the registry's log. FALSE if there is more: then no data may be read yet, for
 * it may name what stands there.
 */
static gboolean
read_log (WeftPeer *self)
{
  guint64 head = __atomic_load_n (&self->registry->log_head, __ATOMIC_ACQUIRE);
  g_autofree guint8 *copy = NULL;
  gsize length, consumed = 0;

  if (self->log_broken || head == self->log_seen)
    return TRUE;
  if (head < self->log_seen || head > WEFT_WIRE_REGISTRY_SIZE - self->log_offset || head % 8 != 0)
    {
      break_log (self);
      return TRUE;
    }
  length = MIN (head - self->log_seen, MAX_TURN_BYTES);
  copy = g_memdup2 ((const guint8 *) self->registry + self->log_offset + self->log_seen, length);
  if (!weft_ingest_runtime_read_log (self->runtime, copy, length, &consumed))
    self->log_broken = TRUE;
  else if (consumed == 0)
    break_log (self);
  self->log_seen += consumed;
  return self->log_broken || self->log_seen >= head;
}

/* Onto the free list. A hostile producer can make this fail, to its own harm only: then again at
 * the next drain.
 */
static gboolean
push_free (Segment *segment, guint32 index)
{
  WeftWireSegment *header = segment->header;
  WeftWireBlock *block = &segment->blocks[index];
  guint64 old = __atomic_load_n (&header->free_list, __ATOMIC_RELAXED);

  /* In this order, for whoever dies in between leaves it to a successor, which must not find the
   * same bytes undrained.
   */
  segment->drained[index] = 0;
  __atomic_store_n (&block->committed, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&block->drained, 0, __ATOMIC_RELEASE);
  __atomic_store_n (&block->state, WEFT_WIRE_BLOCK_FREE, __ATOMIC_RELEASE);
  for (guint i = 0; i < PUSH_TRIES; i++)
    {
      guint64 new = ((old >> 32) + 1) << 32 | (index + 1);

      __atomic_store_n (&block->next, (guint32) old, __ATOMIC_RELAXED);
      if (__atomic_compare_exchange_n (&header->free_list, &old, new, FALSE, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED))
        return TRUE;
    }
  return FALSE;
}

/* Heads are read one after the other, so a writer may have filled and left a block unseen before
 * the one that was seen. The later one waits for it; what does not come was lost.
 */
static gboolean
must_wait (WeftPeer *self, const Head *head)
{
  guint8 *waited = &head->segment->waited[head->index];

  if (head->segment->drained[head->index] > 0 || *waited >= MAX_WAITS ||
      weft_ingest_runtime_is_next (self->runtime, head->writer, head->sequence))
    {
      *waited = 0;
      return FALSE;
    }
  (*waited)++;
  self->n_waiting++;
  return TRUE;
}

static gsize
drain_block (WeftPeer *self, const Head *head)
{
  Segment *segment = head->segment;
  guint32 from = segment->drained[head->index];
  gsize length;
  guint n;

  if (must_wait (self, head))
    return 0;

  if (head->committed < from || head->committed > WEFT_WIRE_BLOCK_SIZE || head->committed % 8 != 0)
    {
      weft_ingest_runtime_count (self->runtime, 0, WEFT_LOSS_MALFORMED, 1);
      length = 0;
    }
  else
    length = head->committed - from;

  if (length > 0)
    {
      memcpy (self->copy, segment->data + (gsize) head->index * WEFT_WIRE_BLOCK_SIZE + from,
              length);
      n = weft_ingest_runtime_read_records (self->runtime, head->writer, head->sequence, from == 0,
                                            self->copy, length);
      segment->drained[head->index] = head->committed;
      __atomic_store_n (&segment->blocks[head->index].drained, head->committed, __ATOMIC_RELAXED);
      __atomic_fetch_add (&segment->header->sent, n, __ATOMIC_RELAXED);
    }
  if (head->full)
    segment->returned[head->index] = !push_free (segment, head->index);
  return length;
}

static void
retry_returns (Segment *segment)
{
  for (guint32 i = 0; i < WEFT_WIRE_SEGMENT_BLOCKS; i++)
    if (segment->returned[i])
      segment->returned[i] = !push_free (segment, i);
}

/* The narrowest of a few, for we may be interrupted between two clocks. */
static WeftClockPair
take_pair (WeftPeer *self)
{
  WeftClockPair best = { 0, weft_monotonic_now (), 0 };

#ifdef __x86_64__
  for (guint i = 0; self->is_tsc && i < PAIR_TRIES; i++)
    {
      gint64 before = weft_monotonic_now ();
      guint64 ticks = __rdtsc ();
      gint64 width = weft_monotonic_now () - before;

      if (i == 0 || width / 2 < best.error_bound)
        best = (WeftClockPair){ ticks, before + width / 2, width / 2 };
      if (width < GOOD_PAIR_NS)
        break;
    }
#endif
  return best;
}

gsize
weft_peer_drain (WeftPeer *self)
{
  gsize bytes = 0;
  WeftClockPair pair;

  g_array_set_size (self->heads, 0);
  self->n_waiting = 0;
  for (guint i = 0; i < self->segments->len; i++)
    {
      Segment *segment = g_ptr_array_index (self->segments, i);

      __atomic_store_n (&segment->header->wake, 0, __ATOMIC_RELAXED);
      retry_returns (segment);
      read_heads_of (self, segment);
    }

  pair = take_pair (self);
  weft_ingest_runtime_begin_drain (self->runtime, &pair);
  self->has_more = !read_log (self);
  if (self->has_more)
    return MAX_TURN_BYTES;

  g_array_sort (self->heads, compare_heads);
  for (guint i = 0; i < self->heads->len && !self->has_more; i++)
    {
      bytes += drain_block (self, &g_array_index (self->heads, Head, i));
      self->has_more = bytes >= MAX_TURN_BYTES;
    }
  weft_ingest_runtime_end_drain (self->runtime);
  return bytes;
}

gboolean
weft_peer_has_more (const WeftPeer *self)
{
  return self->has_more;
}

/* A block is taken away only from a thread that is certainly gone. In another namespace each look
 * reads as many files as there are threads: THREADS, made when needed, spares most of them.
 */
static gboolean
is_gone (WeftPeer *self, int tid, GHashTable **threads, guint *n_looks)
{
  if (self->other_pid_namespace)
    {
      if (*threads == NULL)
        *threads = weft_process_list_threads (self->pid);
      if (g_hash_table_contains (*threads, GINT_TO_POINTER (tid)) || (*n_looks)++ >= MAX_LOOKS)
        return FALSE;
    }
  return weft_process_lacks_thread (self->pid, tid, self->other_pid_namespace);
}

static void
reclaim_of (WeftPeer *self, Segment *segment, GHashTable **threads, guint *n_looks)
{
  guint32 fresh = __atomic_load_n (&segment->header->fresh, __ATOMIC_RELAXED);

  for (guint32 i = 0; i < MIN (fresh, WEFT_WIRE_SEGMENT_BLOCKS); i++)
    {
      WeftWireBlock *block = &segment->blocks[i];
      guint32 owned = WEFT_WIRE_BLOCK_OWNED;
      int tid;

      if (__atomic_load_n (&block->state, __ATOMIC_ACQUIRE) != owned ||
          __atomic_load_n (&block->committed, __ATOMIC_RELAXED) != segment->drained[i])
        continue;
      tid = weft_ingest_runtime_get_writer_tid (self->runtime, block->writer);
      if (tid > 0 && is_gone (self, tid, threads, n_looks))
        __atomic_compare_exchange_n (&block->state, &owned, WEFT_WIRE_BLOCK_FULL, FALSE,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
}

void
weft_peer_reclaim (WeftPeer *self)
{
  g_autoptr (GHashTable) threads = NULL;
  guint n_looks = 0;

  for (guint s = 0; s < self->segments->len; s++)
    reclaim_of (self, g_ptr_array_index (self->segments, s), &threads, &n_looks);
}

void
weft_peer_write_counts (WeftPeer *self, gint64 now)
{
  weft_ingest_runtime_write_counts (self->runtime, now);
}

static void
write_stats (WeftPeer *self, gint64 now)
{
  guint64 stats[WEFT_WIRE_N_STATS];

  for (guint i = 0; i < WEFT_WIRE_N_STATS; i++)
    stats[i] = __atomic_load_n (&self->registry->stats[i], __ATOMIC_RELAXED);
  weft_ingest_runtime_write_stats (self->runtime, stats, now);
}

void
weft_peer_end (WeftPeer *self, const char *reason)
{
  gint64 now;

  /* All that can be there, but no more: a hostile producer would go on for ever. */
  for (guint i = 0; i < MAX_LAST_TURNS && (i == 0 || self->n_waiting > 0 || self->has_more); i++)
    weft_peer_drain (self);
  now = weft_monotonic_now ();
  write_stats (self, now);
  weft_ingest_runtime_end (self->runtime, reason, now);
  peer_free (self);
}
