/* SPDX-License-Identifier: BSD-2-Clause */
#include "test-recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

TestRecorder *
test_recorder_new (void)
{
  TestRecorder *recorder = calloc (1, sizeof *recorder);
  char path[300];
  int fd;

  strcpy (recorder->directory, "/tmp/weft-test-XXXXXX");
  if (mkdtemp (recorder->directory) == NULL)
    abort ();
  setenv ("WEFT_RUNTIME_DIR", recorder->directory, 1);
  snprintf (path, sizeof path, "%s/" WEFT_WIRE_GATE_NAME, recorder->directory);
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate (fd, WEFT_WIRE_GATE_SIZE) != 0)
    abort ();
  recorder->gate = mmap (NULL, WEFT_WIRE_GATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  recorder->gate->magic = WEFT_WIRE_GATE_MAGIC;
  recorder->listener = -1;
  recorder->keep = true;
  return recorder;
}

static void
peer_free (TestPeer *peer)
{
  if (peer->socket >= 0)
    close (peer->socket);
  for (size_t i = 0; i < peer->n_segments; i++)
    munmap (peer->segments[i], WEFT_WIRE_SEGMENT_SIZE);
  if (peer->registry != NULL)
    munmap (peer->registry, WEFT_WIRE_REGISTRY_SIZE);
  for (size_t i = 0; peer->hello && i <= peer->n_segments; i++)
    close (peer->fds[i]);
  free (peer->writers);
  free (peer->bytes);
  free (peer);
}

static void
forget_peers (TestRecorder *recorder)
{
  while (recorder->peers != NULL)
    {
      TestPeer *peer = recorder->peers;

      recorder->peers = peer->next;
      peer_free (peer);
    }
  recorder->n_peers = 0;
}

void
test_recorder_free (TestRecorder *recorder)
{
  char command[320];

  test_recorder_stop (recorder);
  forget_peers (recorder);
  munmap (recorder->gate, WEFT_WIRE_GATE_SIZE);
  snprintf (command, sizeof command, "rm -rf '%s'", recorder->directory);
  if (system (command) != 0)
    abort ();
  free (recorder);
}

void
test_recorder_start_versions (TestRecorder *recorder, unsigned int minimum, unsigned int maximum)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  snprintf (address.sun_path, sizeof address.sun_path, "%.90s/" WEFT_WIRE_SOCKET_NAME,
            recorder->directory);
  unlink (address.sun_path);
  recorder->listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind (recorder->listener, (struct sockaddr *) &address, sizeof address) != 0
      || listen (recorder->listener, 64) != 0)
    abort ();
  chmod (address.sun_path, 0666);
  recorder->gate->recorder_pid = (uint32_t) getpid ();
  recorder->gate->major_min = (uint16_t) minimum;
  recorder->gate->major_max = (uint16_t) maximum;
  recorder->gate->generation++;
  __atomic_store_n (&recorder->gate->active, recorder->gate->generation, __ATOMIC_RELEASE);
}

void
test_recorder_start (TestRecorder *recorder)
{
  test_recorder_start_versions (recorder, 1, WEFT_WIRE_MAJOR);
}

void
test_recorder_stop (TestRecorder *recorder)
{
  __atomic_store_n (&recorder->gate->active, 0, __ATOMIC_RELEASE);
  if (recorder->listener >= 0)
    close (recorder->listener);
  recorder->listener = -1;
}

void
test_recorder_die (TestRecorder *recorder)
{
  if (recorder->listener >= 0)
    close (recorder->listener);
  recorder->listener = -1;
  forget_peers (recorder);
}

/* ---- Messages ---- */

static void *
map_checked (TestRecorder *recorder, int fd, uint64_t size)
{
  struct stat status;
  void *memory;

  if (fstat (fd, &status) != 0 || (uint64_t) status.st_size != size)
    recorder->fault = "wrong size";
  if (fcntl (fd, F_GET_SEALS) != (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
    recorder->fault = "wrong seals";
  memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static void
take_segment (TestRecorder *recorder, TestPeer *peer, int fd)
{
  WeftWireSegment *segment = map_checked (recorder, fd, WEFT_WIRE_SEGMENT_SIZE);

  if (segment == NULL || peer->n_segments == TEST_MAX_SEGMENTS)
    {
      recorder->fault = "too many segments";
      return;
    }
  if (segment->magic != WEFT_WIRE_SEGMENT_MAGIC || segment->index != peer->n_segments
      || segment->runtime_id != peer->registry->runtime_id)
    recorder->fault = "wrong segment";
  peer->fds[1 + peer->n_segments] = fd;
  peer->segments[peer->n_segments++] = segment;
}

static void
handle (TestRecorder *recorder, TestPeer *peer, const WeftWireMessage *message, const int *fds,
        size_t n_fds)
{
  switch (message->type)
    {
    case WEFT_WIRE_HELLO:
      if (n_fds != 2 || peer->hello)
        {
          recorder->fault = "bad hello";
          return;
        }
      peer->hello = true;
      peer->message = *message;
      peer->registry = map_checked (recorder, fds[0], WEFT_WIRE_REGISTRY_SIZE);
      peer->fds[0] = fds[0];
      if (peer->registry == NULL || peer->registry->magic != WEFT_WIRE_REGISTRY_MAGIC
          || peer->registry->runtime_id != message->runtime_id)
        recorder->fault = "wrong registry";
      take_segment (recorder, peer, fds[1]);
      break;
    case WEFT_WIRE_ADD_SEGMENT:
      if (n_fds == 1)
        take_segment (recorder, peer, fds[0]);
      break;
    case WEFT_WIRE_WAKE:
      peer->wakes++;
      break;
    default:
      recorder->fault = "unknown message";
    }
}

static bool
receive (TestRecorder *recorder, TestPeer *peer)
{
  WeftWireMessage message;
  union
  {
    struct cmsghdr head;
    char bytes[CMSG_SPACE (2 * sizeof (int)) + CMSG_SPACE (sizeof (struct ucred))];
  } control;
  struct iovec part = { &message, sizeof message };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes };
  ssize_t n = recvmsg (peer->socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  int fds[2];
  size_t n_fds = 0;

  if (n <= 0)
    {
      peer->gone = n == 0 || (errno != EAGAIN && errno != EINTR);
      return false;
    }
  for (struct cmsghdr *c = CMSG_FIRSTHDR (&header); c != NULL; c = CMSG_NXTHDR (&header, c))
    if (c->cmsg_type == SCM_RIGHTS)
      {
        n_fds = (c->cmsg_len - CMSG_LEN (0)) / sizeof (int);
        memcpy (fds, CMSG_DATA (c), n_fds * sizeof (int));
      }
  if (n == sizeof message)
    handle (recorder, peer, &message, fds, n_fds);
  return true;
}

static void
accept_all (TestRecorder *recorder)
{
  int fd;

  while (recorder->listener >= 0
         && (fd = accept4 (recorder->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
    {
      TestPeer *peer = calloc (1, sizeof *peer);
      struct ucred credentials;
      socklen_t size = sizeof credentials;

      if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
        peer->pid = credentials.pid;
      peer->socket = fd;
      peer->keep = recorder->keep;
      peer->next = recorder->peers;
      recorder->peers = peer;
      recorder->n_peers++;
    }
}

/* ---- Records ---- */

static void
keep (TestPeer *peer, const uint8_t *bytes, size_t n)
{
  if (!peer->keep)
    return;
  if (peer->n_bytes + n > peer->room)
    {
      peer->room = (peer->n_bytes + n) * 2;
      peer->bytes = realloc (peer->bytes, peer->room);
    }
  memcpy (peer->bytes + peer->n_bytes, bytes, n);
  peer->n_bytes += n;
}

static size_t
count_records (TestRecorder *recorder, const uint8_t *bytes, size_t n)
{
  size_t records = 0;

  for (size_t at = 0; at < n;)
    {
      const WeftWireRecord *record = (const WeftWireRecord *) (bytes + at);

      if (record->words == 0 || at + record->words * 8u > n)
        {
          recorder->fault = "broken record";
          break;
        }
      records += record->type < WEFT_WIRE_SIDE;
      at += record->words * 8u;
    }
  return records;
}

/* A writer may hand a block over and take the next between two looks of one snapshot: what is
 * claimed and what was seen agree only once all is drained.
 */
static void
check_sequence (TestPeer *peer, const WeftWireBlock *block, uint32_t drained, size_t records)
{
  uint32_t writer = block->writer;

  if (writer >= peer->n_writers)
    {
      size_t n = writer * 2 + 64;

      peer->writers = realloc (peer->writers, n * sizeof *peer->writers);
      memset (peer->writers + peer->n_writers, 0, (n - peer->n_writers) * sizeof *peer->writers);
      peer->n_writers = n;
    }
  if (drained == 0 && block->sequence > peer->writers[writer].claimed)
    peer->writers[writer].claimed = block->sequence;
  peer->writers[writer].seen += records;
}

uint64_t
test_peer_gaps (const TestPeer *peer)
{
  uint64_t gaps = 0;

  for (size_t i = 0; i < peer->n_writers; i++)
    if (peer->writers[i].claimed > peer->writers[i].seen)
      gaps += peer->writers[i].claimed - peer->writers[i].seen;
  return gaps;
}

static void
push_free (WeftWireSegment *segment, WeftWireBlock *blocks, uint32_t index)
{
  uint64_t old = __atomic_load_n (&segment->free_list, __ATOMIC_ACQUIRE), next;

  do
    {
      __atomic_store_n (&blocks[index].next, (uint32_t) old, __ATOMIC_RELAXED);
      next = ((old >> 32) + 1) << 32 | (index + 1);
    }
  while (!__atomic_compare_exchange_n (&segment->free_list, &old, next, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE));
}

typedef struct
{
  WeftWireSegment *segment;
  WeftWireBlock *blocks;
  uint32_t index;
  uint32_t state;
  uint32_t committed;
} Found;

static int
by_sequence (const void *a, const void *b)
{
  const Found *left = a, *right = b;
  const WeftWireBlock *l = &left->blocks[left->index], *r = &right->blocks[right->index];

  if (l->writer != r->writer)
    return l->writer < r->writer ? -1 : 1;
  return l->sequence < r->sequence ? -1 : l->sequence > r->sequence;
}

static size_t
snapshot (TestPeer *peer, Found *found)
{
  size_t n = 0;

  for (size_t i = 0; i < peer->n_segments; i++)
    {
      WeftWireSegment *segment = peer->segments[i];
      WeftWireBlock *blocks
          = (WeftWireBlock *) ((uint8_t *) segment + segment->descriptors_offset);
      uint32_t fresh = __atomic_load_n (&segment->fresh, __ATOMIC_ACQUIRE);

      for (uint32_t j = 0; j < fresh; j++)
        {
          uint32_t state = __atomic_load_n (&blocks[j].state, __ATOMIC_ACQUIRE);

          if (state != WEFT_WIRE_BLOCK_FREE)
            found[n++] = (Found) { segment, blocks, j, state,
                                   __atomic_load_n (&blocks[j].committed, __ATOMIC_ACQUIRE) };
        }
    }
  qsort (found, n, sizeof *found, by_sequence);
  return n;
}

static size_t
drain_block (TestRecorder *recorder, TestPeer *peer, const Found *found)
{
  WeftWireBlock *block = &found->blocks[found->index];
  uint32_t drained = block->drained, n = found->committed - drained;
  const uint8_t *bytes = (const uint8_t *) found->segment + found->segment->blocks_offset
                         + (size_t) found->index * WEFT_WIRE_BLOCK_SIZE + drained;
  size_t records;

  if (found->committed > WEFT_WIRE_BLOCK_SIZE || drained > found->committed)
    {
      recorder->fault = "broken block";
      return 0;
    }
  records = count_records (recorder, bytes, n);
  check_sequence (peer, block, drained, records);
  keep (peer, bytes, n);
  block->drained = found->committed;
  __atomic_fetch_add (&found->segment->sent, records, __ATOMIC_RELAXED);
  if (found->state == WEFT_WIRE_BLOCK_FULL)
    {
      __atomic_store_n (&block->state, WEFT_WIRE_BLOCK_FREE, __ATOMIC_RELEASE);
      push_free (found->segment, found->blocks, found->index);
    }
  return records;
}

static size_t
drain_peer (TestRecorder *recorder, TestPeer *peer)
{
  static Found found[TEST_MAX_SEGMENTS * WEFT_WIRE_SEGMENT_BLOCKS];
  size_t records = 0, n;

  while (receive (recorder, peer))
    continue;
  if (!peer->hello)
    return 0;
  n = snapshot (peer, found);
  for (size_t i = 0; i < n; i++)
    records += drain_block (recorder, peer, &found[i]);
  for (size_t i = 0; i < peer->n_segments; i++)
    __atomic_store_n (&peer->segments[i]->wake, 0, __ATOMIC_RELEASE);
  peer->n_records += records;
  return records;
}

size_t
test_recorder_drain (TestRecorder *recorder)
{
  size_t records = 0;

  accept_all (recorder);
  for (TestPeer *peer = recorder->peers; peer != NULL; peer = peer->next)
    records += drain_peer (recorder, peer);
  return records;
}

TestPeer *
test_recorder_peer (TestRecorder *recorder, pid_t pid)
{
  for (TestPeer *peer = recorder->peers; peer != NULL; peer = peer->next)
    if (peer->hello && peer->pid == pid)
      return peer;
  return NULL;
}

/* ---- Looking ---- */

static const WeftWireRecord *
next_record (const TestPeer *peer, const void *after)
{
  const uint8_t *at = peer->bytes;

  if (after != NULL)
    at = (const uint8_t *) after + ((const WeftWireRecord *) after)->words * 8u;
  return at < peer->bytes + peer->n_bytes ? (const WeftWireRecord *) at : NULL;
}

const WeftWireRecord *
test_peer_find (const TestPeer *peer, unsigned int type, const void *after)
{
  const WeftWireRecord *record = after;

  while ((record = next_record (peer, record)) != NULL)
    if (record->type == type)
      return record;
  return NULL;
}

size_t
test_peer_count (const TestPeer *peer, unsigned int type)
{
  const WeftWireRecord *record = NULL;
  size_t n = 0;

  while ((record = test_peer_find (peer, type, record)) != NULL)
    n++;
  return n;
}

void
test_peer_forget (TestPeer *peer)
{
  peer->n_bytes = 0;
}

const WeftWireRecord *
test_side_find (const TestPeer *peer, const void *owner, unsigned int type, const void *after)
{
  const WeftWireRecord *record = after != NULL ? after : owner;

  while ((record = next_record (peer, record)) != NULL && record->type >= WEFT_WIRE_SIDE)
    if (record->type == type)
      return record;
  return NULL;
}

const char *
test_string (const void *fixed, size_t size, unsigned int index)
{
  static char results[4][WEFT_WIRE_MAX_TEXT + 1];
  static unsigned int turn;
  const WeftWireString *string = (const WeftWireString *) ((const uint8_t *) fixed + size);
  char *result = results[turn++ % 4];

  for (unsigned int i = 0; i < index; i++)
    string = (const WeftWireString *) ((const uint8_t *) (string + 1)
                                       + ((string->length + 7u) & ~7u));
  memcpy (result, string + 1, string->length < WEFT_WIRE_MAX_TEXT ? string->length
                                                                   : WEFT_WIRE_MAX_TEXT);
  result[string->length < WEFT_WIRE_MAX_TEXT ? string->length : WEFT_WIRE_MAX_TEXT] = '\0';
  return result;
}

const WeftWireEntry *
test_entry_find (const WeftWireRegistry *registry, unsigned int type, const void *after)
{
  const uint8_t *log = (const uint8_t *) registry + registry->log_offset;
  uint64_t head = __atomic_load_n (&registry->log_head, __ATOMIC_ACQUIRE);
  const WeftWireEntry *entry = after;

  for (;;)
    {
      const uint8_t *at = entry != NULL ? (const uint8_t *) entry + entry->size : log;

      if (at >= log + head)
        return NULL;
      entry = (const WeftWireEntry *) at;
      if (entry->type == type)
        return entry;
    }
}

const char *
test_entry_string (const WeftWireEntry *entry, unsigned int index)
{
  size_t extra = entry->type == WEFT_WIRE_ENTRY_COUNTER_SET
                     ? ((const WeftWireCounterSetEntry *) entry)->n_counters
                           * sizeof (WeftWireCounter)
                     : 0;

  return test_string (entry, entry->fixed + extra, index);
}

WeftWireCell *
test_cell (const WeftWireRegistry *registry, uint32_t cell)
{
  return (WeftWireCell *) ((uintptr_t) registry + registry->cells_offset) + cell;
}
