/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_NS UINT64_C (10000000)
#define UNSUPPORTED_RETRY_NS UINT64_C (1000000000)
#define LOOK_NS UINT64_C (1000000)

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* ---- Gate ---- */

static bool
is_trusted (const struct stat *status)
{
  return (status->st_uid == geteuid () || status->st_uid == 0) && (status->st_mode & 022) == 0;
}

static int
open_directory (const char *path)
{
  struct stat status;
  int fd;

  if (mkdir (path, 0700) != 0 && errno != EEXIST)
    return -1;
  fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && fstat (fd, &status) == 0 && is_trusted (&status))
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

static int
open_gate (int directory)
{
  const int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  int fd = openat (directory, WEFT_WIRE_GATE_NAME, O_RDWR | O_CREAT | flags, 0600);

  return fd >= 0 ? fd : openat (directory, WEFT_WIRE_GATE_NAME, O_RDONLY | flags);
}

/* Fills a page that was just created; another creator does the same. */
static bool
gate_complete (int fd)
{
  const uint64_t magic = WEFT_WIRE_GATE_MAGIC;
  struct stat status;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode) || !is_trusted (&status))
    return false;
  if (status.st_size == 0)
    {
      if (!wft_size_allowed (WEFT_WIRE_GATE_SIZE) || ftruncate (fd, WEFT_WIRE_GATE_SIZE) != 0
          || pwrite (fd, &magic, sizeof magic, 0) != (ssize_t) sizeof magic
          || fstat (fd, &status) != 0)
        return false;
    }
  return status.st_size >= WEFT_WIRE_GATE_SIZE;
}

void
wft_gate_map (WftRuntime *runtime)
{
  int directory, fd = -1;
  void *page = MAP_FAILED;

  if (runtime->gate != NULL || runtime->gate_mapped >= 16 || runtime->disabled)
    return;
  runtime->gate_mapped++;
  directory = open_directory (runtime->directory);
  if (directory >= 0)
    {
      fd = open_gate (directory);
      close (directory);
    }
  if (fd >= 0)
    {
      if (gate_complete (fd))
        page = mmap (NULL, WEFT_WIRE_GATE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
      close (fd);
    }
  if (page != MAP_FAILED)
    runtime->gate = page;
  if (runtime->wanted_spool)
    wft_gates_remote (&runtime->spool_word);
  else if (runtime->gate != NULL)
    wft_gates_remote (&runtime->gate->active);
}

/* ---- Messages ---- */

static bool
send_message (WeftWireMessage *message, const int *fds, size_t n_fds)
{
  WftSession *session = wft_runtime->session;
  union
  {
    struct cmsghdr head;
    char bytes[CMSG_SPACE (2 * sizeof (int))];
  } control = { 0 };
  struct iovec part = { message, sizeof *message };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

  if (!wft_fd_is (session->socket, session->socket_device, session->socket_inode))
    return false;
  if (n_fds > 0)
    {
      header.msg_control = control.bytes;
      header.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
      control.head.cmsg_level = SOL_SOCKET;
      control.head.cmsg_type = SCM_RIGHTS;
      control.head.cmsg_len = CMSG_LEN (n_fds * sizeof (int));
      memcpy (CMSG_DATA (&control.head), fds, n_fds * sizeof (int));
    }
  message->major = WEFT_WIRE_MAJOR;
  message->minor = WEFT_WIRE_MINOR;
  message->instance = wft_runtime->instance;
  message->generation = WFT_LOAD (&session->answered);
  message->pid = (int32_t) getpid ();
  message->runtime_id = wft_runtime->runtime_id;
  return sendmsg (session->socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL)
         == (ssize_t) sizeof *message;
}

bool
wft_send_segment (const WftSegment *segment)
{
  WeftWireMessage message = { .type = WEFT_WIRE_ADD_SEGMENT, .size = WEFT_WIRE_SEGMENT_SIZE };

  return wft_fd_is (segment->fd, segment->device, segment->inode)
         && send_message (&message, &segment->fd, 1);
}

void
wft_send_wake (void)
{
  WeftWireMessage message = { .type = WEFT_WIRE_WAKE };

  if (!WFT_LOAD (&wft_runtime->session->spooling))
    send_message (&message, NULL, 0);
}

static bool
send_hello (uint32_t generation)
{
  WftRuntime *runtime = wft_runtime;
  WftSession *session = runtime->session;
  const int fds[2] = { runtime->registry.fd, session->segments[0].fd };
  WeftWireMessage message = { .type = WEFT_WIRE_HELLO,
                              .size = WEFT_WIRE_SEGMENT_SIZE,
                              .registry_size = WEFT_WIRE_REGISTRY_SIZE };
  uint32_t before = WFT_LOAD (&session->answered);

  WFT_STORE (&session->answered, generation);
  if (!send_message (&message, fds, 2))
    {
      WFT_STORE (&session->answered, before);
      return false;
    }
  for (uint32_t i = 1; i < session->n_segments; i++)
    wft_send_segment (&session->segments[i]);
  return true;
}

/* ---- Connection ---- */

static void
close_socket (WftSession *session)
{
  if (wft_fd_is (session->socket, session->socket_device, session->socket_inode))
    close (session->socket);
  session->socket = -1;
}

static int
make_socket (void)
{
#ifdef SOCK_NONBLOCK
  return wft_fd_high (socket (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
#else
  int fd = wft_fd_high (socket (AF_UNIX, SOCK_SEQPACKET, 0));

  if (fd >= 0 && fcntl (fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl (fd, F_SETFL, O_NONBLOCK) == 0)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
#endif
}

static bool
open_socket (WftSession *session)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct stat status;
  int length, fd;

  close_socket (session);
  length = snprintf (address.sun_path, sizeof address.sun_path, "%s/" WEFT_WIRE_SOCKET_NAME,
                     wft_runtime->directory);
  if (length < 0 || (size_t) length >= sizeof address.sun_path)
    return false;
  fd = make_socket ();
  if (fd < 0)
    return false;
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) != 0
      || fstat (fd, &status) != 0)
    {
      close (fd);
      return false;
    }
  session->socket = fd;
  session->socket_device = status.st_dev;
  session->socket_inode = status.st_ino;
  return true;
}

/* Hosts close descriptors that are not theirs. What is mapped stays; the rest is made anew, with
 * another runtime id, for what the recorder knows by the old one has no more data to come.
 */
static bool
descriptors_ensure (WftRuntime *runtime)
{
  WftSession *session = runtime->session;
  bool whole = wft_fd_is (runtime->registry.fd, runtime->registry.device, runtime->registry.inode);
  WeftWireRegistry *old = runtime->registry.header;

  for (uint32_t i = 0; i < session->n_segments; i++)
    whole = whole
            && wft_fd_is (session->segments[i].fd, session->segments[i].device,
                          session->segments[i].inode);
  if (!whole)
    {
      if (session->restarts >= 16)
        return false;
      session->restarts++;
      runtime->unsupported = 0;
      runtime->runtime_id += UINT64_C (0x9E3779B97F4A7C15);
      WFT_STORE (&session->n_segments, 0);
      WFT_ADD (&session->epoch, 1);
      wft_registry_inherit (true);
      for (unsigned int i = 0; i < WEFT_WIRE_N_STATS; i++)
        WFT_STORE (&runtime->registry.header->stats[i], WFT_LOAD (&old->stats[i]));
      if (runtime->registry.fd < 0)
        return false;
    }
  if (session->n_segments == 0)
    {
      if (!wft_segment_init (&session->segments[0], 0))
        return false;
      WFT_STORE_RELEASE (&session->n_segments, 1);
    }
  return true;
}

static bool
refuse_unsupported (uint64_t retry_ns)
{
  WftSession *session = wft_runtime->session;

  WFT_STORE (&session->retry_at, wft_monotonic () + retry_ns);
  WFT_STORE (&session->state, WEFT_TARGET_STATE_UNSUPPORTED);
  return false;
}

static bool
reach_recorder (const WeftWireGate *gate, uint32_t active)
{
  WftRuntime *runtime = wft_runtime;
  WftSession *session = runtime->session;

  if (gate->magic != WEFT_WIRE_GATE_MAGIC || gate->major_min > WEFT_WIRE_MAJOR
      || gate->major_max < WEFT_WIRE_MAJOR)
    {
      WFT_STORE (&session->refused, active);
      WFT_STORE (&session->state, WEFT_TARGET_STATE_SCHEMA_MISMATCH);
      wft_stat_add (WEFT_WIRE_STAT_SCHEMA_MISMATCH, 1);
      return false;
    }
  WFT_STORE (&session->connected, 0);
  if (!open_socket (session))
    {
      WFT_STORE (&session->retry_at, wft_monotonic () + RETRY_NS);
      WFT_STORE (&session->state, WEFT_TARGET_STATE_DISCONNECTED);
      return false;
    }
  if (!descriptors_ensure (runtime))
    {
      close_socket (session);
      return refuse_unsupported (UNSUPPORTED_RETRY_NS);
    }
  if (!send_hello (active))
    {
      close_socket (session);
      WFT_STORE (&session->retry_at, wft_monotonic () + RETRY_NS);
      return false;
    }
  WFT_STORE (&session->state, WEFT_TARGET_STATE_CONNECTED);
  WFT_STORE (&session->look_at, 0);
  WFT_STORE_RELEASE (&session->connected, 1);
  wft_stat_add (WEFT_WIRE_STAT_CONNECTIONS, 1);
  return true;
}

bool
wft_connect (uint32_t active)
{
  WftRuntime *runtime = wft_runtime;
  WftSession *session = runtime->session;
  uint32_t announced = runtime->gate != NULL ? WFT_LOAD_ACQUIRE (&runtime->gate->active) : 0;

  if (session->spooling)
    return true;
  if (announced != 0 && reach_recorder (runtime->gate, announced))
    {
      wft_gates_remote (&runtime->gate->active);
      return true;
    }
  if (WFT_LOAD (&weft_target_gate.remote) != &runtime->spool_word)
    return false;
  if (wft_spool_start ())
    {
      WFT_STORE (&session->state, WEFT_TARGET_STATE_SPOOLING);
      WFT_STORE (&session->connected, 1);
      WFT_STORE_RELEASE (&session->answered, active);
      return true;
    }
  return refuse_unsupported (UNSUPPORTED_RETRY_NS);
}

void
wft_look (void)
{
  WftSession *session = wft_runtime->session;
  uint64_t now = wft_monotonic ();
  uint64_t due = WFT_LOAD (&session->look_at);
  ssize_t n;
  char byte;

  if (session->spooling || now < due
      || !__atomic_compare_exchange_n (&session->look_at, &due, now + LOOK_NS, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    return;
  if (wft_fd_is (session->socket, session->socket_device, session->socket_inode))
    {
      n = recv (session->socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
      if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
        return;
    }
  WFT_STORE (&session->connected, 0);
  WFT_STORE (&session->state, WEFT_TARGET_STATE_DISCONNECTED);
}
