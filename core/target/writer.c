/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's writer, and the blocks it fills. Blocks are taken from the segment's free list, last
 * in first out, so that few of them stay warm.
 */
#include "weft-target-private.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u
#define LOOK_FOR_WAKE 16u

#if defined(__linux__) && !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

WftWriter wft_nobody;
__thread WftWriter *wft_self = &wft_nobody;

static pthread_key_t key;
static bool has_key;

/* ---- Counting ---- */

void
wft_stat_add (unsigned int stat, uint64_t n)
{
  WftRuntime *runtime = wft_runtime;
  WeftWireRegistry *registry
      = runtime != NULL ? WFT_LOAD_ACQUIRE (&runtime->registry.header) : NULL;

  if (registry != NULL)
    WFT_ADD (&registry->stats[stat], n);
}

void
wft_drop (WeftTargetLane *lane, unsigned int reason)
{
  if (lane == &wft_dead_lane)
    return;
  if (lane != NULL && lane->id != 0)
    {
      WeftWireCell *cells = wft_registry_cells ();

      if (cells != NULL)
        WFT_ADD (&cells[lane->cell].drops[reason], 1);
    }
  if (reason == WEFT_WIRE_DROP_SAMPLED_OUT)
    return;
  wft_stat_add (WEFT_WIRE_STAT_DROPPED, 1);
  if (reason == WEFT_WIRE_DROP_DISCONNECTED)
    wft_stat_add (WEFT_WIRE_STAT_DISCONNECTED, 1);
}

/* ---- Segments ---- */

static WeftWireBlock *
descriptors (const WftSegment *segment)
{
  return (WeftWireBlock *) ((uint8_t *) segment->header + WEFT_WIRE_SEGMENT_HEADER);
}

static uint8_t *
block_data (const WftSegment *segment, uint32_t index)
{
  return (uint8_t *) segment->header + WEFT_WIRE_SEGMENT_HEADER
         + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock)
         + (size_t) index * WEFT_WIRE_BLOCK_SIZE;
}

static void
segment_head (WeftWireSegment *header, uint32_t index)
{
  header->major = WEFT_WIRE_MAJOR;
  header->minor = WEFT_WIRE_MINOR;
  header->header_size = sizeof *header;
  header->size = WEFT_WIRE_SEGMENT_SIZE;
  header->runtime_id = wft_runtime->runtime_id;
  header->index = index;
  header->block_size = WEFT_WIRE_BLOCK_SIZE;
  header->n_blocks = WEFT_WIRE_SEGMENT_BLOCKS;
  header->descriptors_offset = WEFT_WIRE_SEGMENT_HEADER;
  header->blocks_offset
      = WEFT_WIRE_SEGMENT_HEADER + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock);
  WFT_STORE_RELEASE (&header->magic, WEFT_WIRE_SEGMENT_MAGIC);
}

static bool
segment_map (WftSegment *segment, int fd, uint64_t offset)
{
  struct stat status;
  void *memory;

  if (fstat (fd, &status) != 0)
    return false;
  memory = mmap (NULL, WEFT_WIRE_SEGMENT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                 (off_t) offset);
  if (memory == MAP_FAILED)
    return false;
#ifdef MADV_DONTFORK
  madvise (memory, WEFT_WIRE_SEGMENT_SIZE, MADV_DONTFORK);
#endif
#ifdef MADV_DONTDUMP
  madvise (memory, WEFT_WIRE_SEGMENT_SIZE, MADV_DONTDUMP);
#endif
  segment->header = memory;
  segment->fd = fd;
  segment->device = status.st_dev;
  segment->inode = status.st_ino;
  return true;
}

bool
wft_segment_init (WftSegment *segment, uint32_t index)
{
  WftSession *session = wft_runtime->session;
  uint64_t offset = 0;
  int fd;

  if (session->spooling)
    {
      offset = WEFT_WIRE_REGISTRY_SIZE + index * WEFT_WIRE_SEGMENT_SIZE;
      fd = session->spool_fd;
      if (!wft_spool_reserve (offset, WEFT_WIRE_SEGMENT_HEADER
                                          + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock)))
        return false;
    }
  else
    fd = wft_memfd ("segment", index, WEFT_WIRE_SEGMENT_SIZE);
  if (fd < 0)
    return false;
  if (!segment_map (segment, fd, offset))
    {
      if (!session->spooling)
        close (fd);
      return false;
    }
  segment_head (segment->header, index);
  return true;
}

/* Under the lock. */
static bool
segment_add (uint32_t seen)
{
  WftSession *session = wft_runtime->session;
  uint32_t n = session->n_segments;
  uint32_t maximum = session->spooling ? WFT_MAX_SESSION_SEGMENTS : WEFT_WIRE_MAX_SEGMENTS;

  if (n != seen)
    return true;
  if (n >= maximum || !wft_segment_init (&session->segments[n], n))
    return false;
  if (!session->spooling && !wft_send_segment (&session->segments[n]))
    {
      munmap (session->segments[n].header, WEFT_WIRE_SEGMENT_SIZE);
      close (session->segments[n].fd);
      return false;
    }
  WFT_STORE_RELEASE (&session->n_segments, n + 1);
  return true;
}

/* ---- Blocks ---- */

/* An index, or -1. What the recorder wrote is checked: it shall not be able to crash us. */
static int
pop_free (const WftSegment *segment)
{
  uint64_t old = WFT_LOAD_ACQUIRE (&segment->header->free_list);

  for (int i = 0; i < 10000; i++)
    {
      uint32_t index = (uint32_t) old;
      uint64_t next;

      if (index == 0 || index > WEFT_WIRE_SEGMENT_BLOCKS)
        return -1;
      next = ((old >> 32) + 1) << 32 | WFT_LOAD (&descriptors (segment)[index - 1].next);
      if (__atomic_compare_exchange_n (&segment->header->free_list, &old, next, true,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (int) index - 1;
    }
  return -1;
}

static void
populate (uint8_t *block)
{
#ifdef MADV_POPULATE_WRITE
  if (madvise (block, WEFT_WIRE_BLOCK_SIZE, MADV_POPULATE_WRITE) == 0)
    return;
#endif
  for (uint32_t at = 0; at < WEFT_WIRE_BLOCK_SIZE; at += PAGE)
    *(volatile uint8_t *) (block + at) = 0;
}

static int
take_fresh (WftSegment *segment)
{
  uint32_t fresh = WFT_LOAD (&segment->header->fresh);

  do
    if (fresh >= WEFT_WIRE_SEGMENT_BLOCKS)
      return -1;
  while (!__atomic_compare_exchange_n (&segment->header->fresh, &fresh, fresh + 1, true,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  if (WFT_LOAD (&wft_runtime->session->spooling)
      && !wft_spool_reserve ((uint64_t) (WEFT_WIRE_REGISTRY_SIZE)
                                 + segment->header->index * WEFT_WIRE_SEGMENT_SIZE
                                 + (uint64_t) (block_data (segment, fresh)
                                               - (uint8_t *) segment->header),
                             WEFT_WIRE_BLOCK_SIZE))
    return -1;
  populate (block_data (segment, fresh));
  return (int) fresh;
}

/* Blocks in use are counted only once half of them were used at all, and then now and again. */
static void
wake_if_half (WftSegment *segment)
{
  WeftWireSegment *header = segment->header;
  uint32_t used = 0;

  if (WFT_LOAD (&header->fresh) <= WEFT_WIRE_SEGMENT_BLOCKS / 2 || WFT_LOAD (&header->wake) != 0
      || WFT_ADD (&wft_runtime->session->takes, 1) % LOOK_FOR_WAKE != 0)
    return;
  for (uint32_t i = 0; i < WEFT_WIRE_SEGMENT_BLOCKS; i++)
    used += WFT_LOAD (&descriptors (segment)[i].state) != WEFT_WIRE_BLOCK_FREE;
  if (used > WEFT_WIRE_SEGMENT_BLOCKS / 2
      && __atomic_exchange_n (&header->wake, 1, __ATOMIC_ACQ_REL) == 0)
    wft_send_wake ();
}

static void
own_block (WftWriter *writer, WftSegment *segment, uint32_t index)
{
  WeftWireBlock *block = &descriptors (segment)[index];
  WftSession *session = wft_runtime->session;

  /* Its state tells that the writer before is done with the block. The list that it came from is
   * the recorder's word, which orders nothing between two of our threads.
   */
  (void) WFT_LOAD_ACQUIRE (&block->state);
  block->writer = writer->id;
  block->sequence = writer->records;
  WFT_STORE (&block->committed, 0);
  block->drained = 0;
  if (session->spooling)
    {
      block->pair_monotonic = wft_monotonic ();
      block->pair_ticks = wft_now ();
    }
  WFT_STORE_RELEASE (&block->state, WEFT_WIRE_BLOCK_OWNED);
  writer->descriptor = block;
  writer->block = block_data (segment, index);
  writer->session = WFT_LOAD (&session->epoch);
  WFT_STORE (&writer->cursor, 0);
  WFT_STORE (&writer->excess, 0);
}

static bool
take_from_segments (WftWriter *writer)
{
  WftSession *session = wft_runtime->session;
  uint32_t n = WFT_LOAD_ACQUIRE (&session->n_segments);

  for (uint32_t i = 0; i < n; i++)
    {
      int index = pop_free (&session->segments[i]);

      if (index < 0)
        index = take_fresh (&session->segments[i]);
      if (index >= 0)
        {
          own_block (writer, &session->segments[i], (uint32_t) index);
          wake_if_half (&session->segments[i]);
          return true;
        }
    }
  return false;
}

static void
hand_over (WftWriter *writer)
{
  uint64_t records = wft_block_records (writer);

  WFT_STORE (&writer->records, writer->records + records);
  WFT_STORE (&writer->excess, WEFT_WIRE_BLOCK_SIZE);
  WFT_STORE (&writer->cursor, WEFT_WIRE_BLOCK_SIZE);
  if (writer->descriptor == NULL)
    return;
  wft_stat_add (WEFT_WIRE_STAT_QUEUED, records);
  if (writer->session == WFT_LOAD (&wft_runtime->session->epoch))
    WFT_STORE_RELEASE (&writer->descriptor->state, WEFT_WIRE_BLOCK_FULL);
  writer->descriptor = NULL;
}

/* ---- Writers ---- */

static void
thread_name (char *name, size_t size)
{
  ssize_t n = 0;
  int fd = open ("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC);

  if (fd >= 0)
    {
      n = read (fd, name, size - 1);
      close (fd);
    }
  if (n > 0 && name[n - 1] == '\n')
    n--;
  name[n > 0 ? n : 0] = '\0';
}

static bool
writer_register (WftWriter *writer)
{
  WftAppend append;
  char name[32];
  bool done = false;

  thread_name (name, sizeof name);
  if (!wft_lock ())
    return false;
  if (wft_registry_begin (&append, sizeof (WeftWireWriterEntry) + 64))
    {
      WeftWireWriterEntry *entry
          = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_WRITER, sizeof *entry);

      entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_WRITER);
      entry->tid = writer->tid;
      entry->ticks = wft_now ();
      wft_registry_string (&append, name, WEFT_WIRE_MAX_STRING);
      wft_registry_publish (&append);
      writer->id = entry->id;
      done = true;
    }
  wft_unlock ();
  return done;
}

bool
wft_take_block (WftWriter *writer, WeftTargetLane *lane)
{
  WftSession *session = wft_runtime->session;
  uint32_t seen = WFT_LOAD_ACQUIRE (&session->n_segments);
  bool taken;

  hand_over (writer);
  if (writer->id == 0 && !writer_register (writer))
    {
      wft_drop (lane, WEFT_WIRE_DROP_NO_ROOM);
      return false;
    }
  taken = take_from_segments (writer);
  if (!taken && WFT_LOAD (&session->connected) && wft_lock ())
    {
      bool more = segment_add (seen);

      wft_unlock ();
      taken = more && take_from_segments (writer);
    }
  if (!taken)
    {
      wft_look ();
      wft_drop (lane, WFT_LOAD (&session->connected) ? WEFT_WIRE_DROP_NO_ROOM
                                                     : WEFT_WIRE_DROP_DISCONNECTED);
    }
  return taken;
}

static void
thread_ends (void *data)
{
  WftRuntime *runtime = wft_runtime;
  WftWriter *writer = data;
  uint32_t epoch;

  if (runtime == NULL || writer != wft_self || !writer->used)
    return;
  writer->busy = 1;
  wft_close_room (writer);
  hand_over (writer);
  wft_self = &wft_nobody;
  if (!wft_lock ())
    return;
  epoch = writer->epoch;
  memset (writer, 0, sizeof *writer);
  writer->epoch = epoch;
  writer->next = runtime->session->free_writers;
  runtime->session->free_writers = writer;
  wft_unlock ();
}

void
wft_writer_key (void)
{
  has_key = pthread_key_create (&key, thread_ends) == 0;
}

static WftWriter *
writer_claim (WftRuntime *runtime)
{
  WftSession *session = runtime->session;
  WftWriter *writer = session->free_writers;

  if (writer != NULL)
    session->free_writers = writer->next;
  else if (session->next_writer < WFT_MAX_WRITERS)
    {
      writer = &runtime->writers[session->next_writer++];
      runtime->first_writer = session->next_writer;
    }
  return writer;
}

WFT_COLD WftWriter *
wft_writer_slow (void)
{
  WftRuntime *runtime = wft_runtime;
  WftWriter *writer;

  if (runtime == NULL || !wft_session_ensure ())
    return NULL;
  if (!wft_lock ())
    return NULL;
  writer = writer_claim (runtime);
  if (writer != NULL)
    {
      writer->next = NULL;
      writer->tid = wft_tid ();
      writer->random = wft_now () ^ (uintptr_t) writer * UINT64_C (0x9E3779B97F4A7C15);
      writer->random |= 1;
      writer->epoch++;
      WFT_STORE (&writer->nest,
                 (uint64_t) writer->epoch << 32 | (uint64_t) (writer - runtime->writers) << 16);
      writer->used = 1;
      WFT_SIGNAL_FENCE ();
      wft_self = writer;
    }
  wft_unlock ();
  if (writer != NULL && has_key)
    pthread_setspecific (key, writer);
  return writer;
}

/* A thread whose origin travels may end before it writes anything itself: it is registered now. */
WFT_COLD WftWriter *
wft_writer_introduce (void)
{
  WftWriter *writer = wft_self;
  WFT_KEEP_ERRNO;

  if (!writer->used)
    writer = wft_writer_slow ();
  if (writer == NULL || wft_is_busy (writer) || !wft_recording ())
    return writer;
  WFT_STORE (&writer->busy, 1);
  writer_register (writer);
  WFT_STORE (&writer->busy, 0);
  return writer;
}

WftWriter *
wft_enter (WeftTargetLane *lane)
{
  WftWriter *writer = wft_self;

  if (WFT_UNLIKELY (!writer->used))
    {
      writer = wft_writer_slow ();
      if (writer == NULL)
        {
          wft_drop (lane, WEFT_WIRE_DROP_REENTRANT);
          return NULL;
        }
    }
  if (WFT_UNLIKELY (wft_is_busy (writer)))
    {
      wft_drop (lane, WEFT_WIRE_DROP_REENTRANT);
      return NULL;
    }
  WFT_STORE (&writer->busy, 1);
  wft_close_room (writer);
  return writer;
}

/* ---- Whether to write ---- */

static bool
answer (WftSession *session, WeftTargetLane *lane, uint32_t active)
{
  bool tried = false;

  if (wft_monotonic () >= WFT_LOAD (&session->retry_at) && wft_lock ())
    {
      if (session->answered != active && session->refused != active)
        tried = wft_connect (active);
      else
        tried = true;
      wft_unlock ();
    }
  if (!tried && WFT_LOAD (&session->refused) != active)
    {
      if (WFT_LOAD (&session->state) == WEFT_TARGET_STATE_UNSUPPORTED)
        wft_stat_add (WEFT_WIRE_STAT_UNSUPPORTED, 1);
      wft_drop (lane, WEFT_WIRE_DROP_DISCONNECTED);
    }
  return tried;
}

bool
wft_open (WftWriter *writer, WeftTargetLane *lane)
{
  WftRuntime *runtime = wft_runtime;
  WftSession *session = runtime->session;

  for (int i = 0; i < 3; i++)
    {
      uint32_t active = WFT_LOAD_ACQUIRE (WFT_LOAD (&weft_target_gate.remote));

      if (active == 0 || active == WFT_LOAD (&session->refused))
        return false;
      if (active == WFT_LOAD_ACQUIRE (&session->answered))
        {
          if (!WFT_LOAD (&session->connected) && writer->descriptor == NULL)
            {
              wft_drop (lane, WEFT_WIRE_DROP_DISCONNECTED);
              return false;
            }
          if (writer->descriptor != NULL && writer->session != WFT_LOAD (&session->epoch))
            hand_over (writer);
          WFT_STORE (&writer->generation, active);
          return true;
        }
      if (!answer (session, lane, active))
        return false;
    }
  wft_drop (lane, WEFT_WIRE_DROP_DISCONNECTED);
  return false;
}
