/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hand-producer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

guint64
hand_now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (guint64) t.tv_sec * 1000000000 + (guint64) t.tv_nsec;
}

int
hand_memfd (gsize size, guint seals)
{
  int fd = memfd_create ("hand", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, (off_t) size), ==, 0);
  if (seals != 0)
    g_assert_cmpint (fcntl (fd, F_ADD_SEALS, seals), ==, 0);
  return fd;
}

static gpointer
map (int fd, gsize size)
{
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  g_assert_true (memory != MAP_FAILED);
  return memory;
}

static void
fill_registry (Hand *hand)
{
  WeftWireRegistry *r = hand->registry;

  r->magic = WEFT_WIRE_REGISTRY_MAGIC;
  r->major = WEFT_WIRE_MAJOR;
  r->minor = WEFT_WIRE_MINOR;
  r->header_size = sizeof *r;
  r->size = WEFT_WIRE_REGISTRY_SIZE;
  r->runtime_id = hand->hello.runtime_id;
  r->pid = getpid ();
  r->clock = WEFT_WIRE_CLOCK_MONOTONIC;
  r->start_ticks = r->start_monotonic = hand_now ();
  r->cells_offset = WEFT_WIRE_REGISTRY_HEADER;
  r->n_cells = 1024;
  r->log_offset = WEFT_WIRE_REGISTRY_HEADER + 1024 * sizeof (WeftWireCell);
  g_strlcpy (r->name, "hand", sizeof r->name);
  hand->log = (guint8 *) r + r->log_offset;
}

static void
fill_segment (Hand *hand)
{
  WeftWireSegment *s = hand->segment;

  s->magic = WEFT_WIRE_SEGMENT_MAGIC;
  s->major = WEFT_WIRE_MAJOR;
  s->minor = WEFT_WIRE_MINOR;
  s->header_size = sizeof *s;
  s->size = WEFT_WIRE_SEGMENT_SIZE;
  s->runtime_id = hand->hello.runtime_id;
  s->block_size = WEFT_WIRE_BLOCK_SIZE;
  s->n_blocks = WEFT_WIRE_SEGMENT_BLOCKS;
  s->descriptors_offset = WEFT_WIRE_SEGMENT_HEADER;
  s->blocks_offset
      = WEFT_WIRE_SEGMENT_HEADER + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock);
  hand->blocks = (WeftWireBlock *) ((guint8 *) s + s->descriptors_offset);
  hand->data = (guint8 *) s + s->blocks_offset;
}

Hand *
hand_new (void)
{
  static guint16 instance = 100;
  static guint64 serial;
  Hand *hand = g_new0 (Hand, 1);
  guint seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

  hand->socket = -1;
  hand->hello = (WeftWireMessage){ .type = WEFT_WIRE_HELLO,
                                   .major = WEFT_WIRE_MAJOR,
                                   .minor = WEFT_WIRE_MINOR,
                                   .instance = instance++,
                                   .generation = 1,
                                   .pid = getpid (),
                                   .runtime_id = ((guint64) getpid () << 32) + ++serial,
                                   .size = WEFT_WIRE_SEGMENT_SIZE,
                                   .registry_size = WEFT_WIRE_REGISTRY_SIZE };
  hand->registry_fd = hand_memfd (WEFT_WIRE_REGISTRY_SIZE, seals);
  hand->segment_fd = hand_memfd (WEFT_WIRE_SEGMENT_SIZE, seals);
  hand->registry = map (hand->registry_fd, WEFT_WIRE_REGISTRY_SIZE);
  hand->segment = map (hand->segment_fd, WEFT_WIRE_SEGMENT_SIZE);
  fill_registry (hand);
  fill_segment (hand);
  return hand;
}

int
hand_dial (const char *runtime)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/" WEFT_WIRE_SOCKET_NAME, runtime);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

gboolean
hand_send (int fd, gconstpointer message, gsize length, int fd_1, int fd_2)
{
  struct iovec vector = { (gpointer) message, length };
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (2 * sizeof (int))];
  } control = { 0 };
  struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
  int fds[2];
  guint n = 0;

  if (fd_1 >= 0)
    fds[n++] = fd_1;
  if (fd_2 >= 0)
    fds[n++] = fd_2;
  if (n > 0)
    {
      struct cmsghdr *c;

      header.msg_control = &control;
      header.msg_controllen = CMSG_SPACE (n * sizeof (int));
      c = CMSG_FIRSTHDR (&header);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN (n * sizeof (int));
      memcpy (CMSG_DATA (c), fds, n * sizeof (int));
    }
  return sendmsg (fd, &header, MSG_NOSIGNAL) == (ssize_t) length;
}

gboolean
hand_connect (Hand *hand, const char *runtime)
{
  hand->socket = hand_dial (runtime);
  return hand->socket >= 0 && hand_send (hand->socket, &hand->hello, sizeof hand->hello,
                                         hand->registry_fd, hand->segment_fd);
}

gboolean
hand_is_refused (int socket)
{
  struct pollfd poller = { socket, POLLIN, 0 };
  char byte;

  if (poll (&poller, 1, 2000) <= 0)
    return FALSE;
  return recv (socket, &byte, 1, MSG_DONTWAIT) <= 0;
}

void
hand_free (Hand *hand)
{
  if (hand->socket >= 0)
    close (hand->socket);
  munmap (hand->registry, WEFT_WIRE_REGISTRY_SIZE);
  munmap (hand->segment, WEFT_WIRE_SEGMENT_SIZE);
  close (hand->registry_fd);
  close (hand->segment_fd);
  g_free (hand);
}

/* ---- Entries ---- */

static guint8 *
add_string (guint8 *at, const char *text)
{
  WeftWireString head = { (guint32) strlen (text), 0 };

  memcpy (at, &head, sizeof head);
  memcpy (at + sizeof head, text, head.length);
  return at + sizeof head + ((head.length + 7) & ~7u);
}

void
hand_entry (Hand *hand, guint type, gpointer fixed, gsize size, ...)
{
  guint64 head = hand->registry->log_head;
  guint8 *start = hand->log + head, *at = start + size;
  WeftWireEntry *entry = fixed;
  const char *text;
  va_list strings;

  va_start (strings, size);
  while ((text = va_arg (strings, const char *)) != NULL)
    at = add_string (at, text);
  va_end (strings);
  entry->type = (guint16) type;
  entry->fixed = (guint16) size;
  entry->size = (guint32) (at - start);
  memcpy (start, fixed, size);
  __atomic_store_n (&hand->registry->log_head, head + entry->size, __ATOMIC_RELEASE);
}

void
hand_lane (Hand *hand, guint id, const char *name, guint clock)
{
  WeftWireLaneEntry entry = { .id = id, .cell = id, .clock = clock };

  hand_entry (hand, WEFT_WIRE_ENTRY_LANE, &entry, sizeof entry, name, "hand.lane", NULL);
}

void
hand_routine (Hand *hand, guint id, const char *name)
{
  WeftWireRoutineEntry entry = { .id = id };

  hand_entry (hand, WEFT_WIRE_ENTRY_ROUTINE, &entry, sizeof entry, name, "", "", NULL);
}

void
hand_clock (Hand *hand, guint id)
{
  WeftWireClockEntry entry = { .id = id, .frequency = 1e9 };

  hand_entry (hand, WEFT_WIRE_ENTRY_CLOCK, &entry, sizeof entry, "device", NULL);
}

void
hand_writer (Hand *hand, guint id, int tid)
{
  WeftWireWriterEntry entry = { .id = id, .tid = tid, .ticks = hand_now () };

  hand_entry (hand, WEFT_WIRE_ENTRY_WRITER, &entry, sizeof entry, "hand", NULL);
}

/* ---- Records ---- */

static void
take_block (Hand *hand)
{
  WeftWireBlock *block = &hand->blocks[hand->block];

  block->writer = 1;
  block->sequence = hand->records;
  block->committed = block->drained = 0;
  __atomic_store_n (&block->state, WEFT_WIRE_BLOCK_OWNED, __ATOMIC_RELEASE);
  __atomic_store_n (&hand->segment->fresh, hand->block + 1, __ATOMIC_RELEASE);
}

void
hand_commit (Hand *hand, gconstpointer data, gsize length)
{
  WeftWireBlock *block = &hand->blocks[hand->block];

  if (hand->cursor == 0)
    take_block (hand);
  g_assert_cmpuint (hand->cursor + length, <=, WEFT_WIRE_BLOCK_SIZE);
  memcpy (hand->data + (gsize) hand->block * WEFT_WIRE_BLOCK_SIZE + hand->cursor, data, length);
  hand->cursor += (guint32) length;
  hand->records++;
  __atomic_store_n (&block->committed, hand->cursor, __ATOMIC_RELEASE);
}

void
hand_full (Hand *hand)
{
  __atomic_store_n (&hand->blocks[hand->block].state, WEFT_WIRE_BLOCK_FULL, __ATOMIC_RELEASE);
  hand->block++;
  hand->cursor = 0;
}

void
hand_span (Hand *hand, guint lane, guint routine, guint64 start, guint64 end)
{
  WeftWireSpan span = { { WEFT_WIRE_SPAN, sizeof span / 8, lane }, start, end, routine, 0, 0 };

  hand_commit (hand, &span, sizeof span);
}
