/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-producer-source.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-peer.h"

#define DRAIN_INTERVAL_MS 10
#define IDLE_INTERVAL_MS 50
#define IDLE_DRAINS 10
#define MAX_CONNECTIONS 8192
#define MAX_PEERS 4096
#define MAX_PEERS_OF_PROCESS 16
#define ACCEPTS_A_TURN 64

/* A connection: from accept to end of file. Its peer may outlive it, for hosts close descriptors
 * they do not know.
 */
typedef struct
{
  WeftProducerSource *source;
  int fd;
  struct ucred credentials;
  GSource *readable;
  WeftPeer *peer; /* NULL before the hello */
} Connection;

/* A process with at least one peer. */
typedef struct
{
  WeftProducerSource *source;
  int pid;
  int pidfd;
  GSource *death;
} Process;

struct _WeftProducerSource
{
  WeftIngest *ingest;
  GMainContext *context;
  guint own_uid;
  gboolean any_uid;
  int fd;
  GSource *acceptable;
  GSource *timer;
  guint idle_drains;
  gboolean has_more;
  gboolean starved; /* of descriptors, and that was told */
  guint64 refused;
  GPtrArray *connections; /* element-type Connection */
  GPtrArray *peers;       /* element-type WeftPeer, owned */
  GHashTable *processes;  /* pid → Process */
};

static gboolean on_acceptable (int fd, GIOCondition condition, gpointer data);
static gboolean on_readable (int fd, GIOCondition condition, gpointer data);

static GSource *
watch_fd (WeftProducerSource *self, int fd, GUnixFDSourceFunc callback, gpointer data)
{
  GSource *source = g_unix_fd_source_new (fd, G_IO_IN | G_IO_HUP | G_IO_ERR);

  g_source_set_callback (source, G_SOURCE_FUNC (callback), data, NULL);
  g_source_attach (source, self->context);
  return source;
}

static void
unwatch (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* Drains soon; not while it is being freed. */
static void
go_on (WeftProducerSource *self)
{
  if (self->timer != NULL)
    g_source_set_ready_time (self->timer, 0);
}

static void
refuse (WeftProducerSource *self, const char *code, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
refuse (WeftProducerSource *self, const char *code, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  self->refused++;
  /* The first of them tell the story; a flood would only fill the file. */
  if (self->refused > 100)
    return;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  weft_ingest_add_diagnostic (self->ingest, WEFT_WIRE_SEVERITY_WARNING, code, message);
}

/* ---- Processes ---- */

static void
process_free (gpointer data)
{
  Process *process = data;

  unwatch (&process->death);
  if (process->pidfd >= 0)
    close (process->pidfd);
  g_free (process);
}

static void
drop_peer (WeftProducerSource *self, WeftPeer *peer, const char *reason)
{
  for (guint i = 0; i < self->connections->len; i++)
    {
      Connection *connection = g_ptr_array_index (self->connections, i);

      if (connection->peer == peer)
        connection->peer = NULL;
    }
  g_ptr_array_remove (self->peers, peer);
  weft_peer_end (peer, reason);
}

static void
end_process (WeftProducerSource *self, int pid)
{
  guint64 row = 0;

  for (guint i = self->peers->len; i-- > 0;)
    {
      WeftPeer *peer = g_ptr_array_index (self->peers, i);

      if (weft_peer_get_pid (peer) != pid)
        continue;
      row = weft_peer_get_process (peer);
      drop_peer (self, peer, "process ended");
    }
  if (row != 0)
    weft_ingest_end_process (self->ingest, row, weft_monotonic_now (), FALSE, 0);
  g_hash_table_remove (self->processes, GINT_TO_POINTER (pid));
}

/* A dying process may have said hello a moment ago: that hello is still in its socket. */
static gboolean
on_death (int fd, GIOCondition condition, gpointer data)
{
  Process *process = data;
  WeftProducerSource *self = process->source;
  int pid = process->pid;

  on_acceptable (self->fd, G_IO_IN, self);
  for (guint i = self->connections->len; i-- > 0;)
    {
      Connection *connection = g_ptr_array_index (self->connections, i);

      if (connection->credentials.pid == pid)
        on_readable (connection->fd, G_IO_IN, connection);
    }
  end_process (self, pid);
  return G_SOURCE_REMOVE;
}

static gboolean
is_watched (WeftProducerSource *self, int pid)
{
  const Process *process = g_hash_table_lookup (self->processes, GINT_TO_POINTER (pid));

  return process != NULL && process->pidfd >= 0;
}

/* Who has died a moment ago has ended, though nobody was told yet. */
static void
end_if_dead (WeftProducerSource *self, int pid)
{
  const Process *process = g_hash_table_lookup (self->processes, GINT_TO_POINTER (pid));
  struct pollfd poller = { process ? process->pidfd : -1, POLLIN, 0 };

  if (poller.fd >= 0 && poll (&poller, 1, 0) > 0)
    end_process (self, pid);
}

static void
watch_process (WeftProducerSource *self, int pid)
{
  Process *process;

  if (g_hash_table_contains (self->processes, GINT_TO_POINTER (pid)))
    return;
  process = g_new0 (Process, 1);
  process->source = self;
  process->pid = pid;
  process->pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  if (process->pidfd >= 0)
    process->death = watch_fd (self, process->pidfd, on_death, process);
  g_hash_table_insert (self->processes, GINT_TO_POINTER (pid), process);
}

/* ---- Connections ---- */

static void
connection_free (gpointer data)
{
  Connection *connection = data;

  unwatch (&connection->readable);
  close (connection->fd);
  g_free (connection);
}

static WeftPeer *
find_peer (WeftProducerSource *self, int pid, guint64 runtime_id)
{
  for (guint i = 0; i < self->peers->len; i++)
    {
      WeftPeer *peer = g_ptr_array_index (self->peers, i);

      if (weft_peer_get_pid (peer) == pid && weft_peer_get_runtime_id (peer) == runtime_id)
        return peer;
    }
  return NULL;
}

/* Another runtime in the place of an old one: the process has executed another program. */
static void
drop_replaced (WeftProducerSource *self, int pid, guint instance)
{
  for (guint i = self->peers->len; i-- > 0;)
    {
      WeftPeer *peer = g_ptr_array_index (self->peers, i);

      if (weft_peer_get_pid (peer) == pid && weft_peer_get_instance (peer) == instance)
        drop_peer (self, peer, "program replaced");
    }
}

static gboolean
has_room_for (WeftProducerSource *self, int pid)
{
  guint n = 0;

  for (guint i = 0; i < self->peers->len; i++)
    n += weft_peer_get_pid (g_ptr_array_index (self->peers, i)) == pid;
  return self->peers->len < MAX_PEERS && n < MAX_PEERS_OF_PROCESS;
}

static void
close_fds (const int *fds, guint n)
{
  for (guint i = 0; i < n; i++)
    close (fds[i]);
}

static void
on_hello (WeftProducerSource *self, Connection *connection, const WeftWireMessage *hello,
          const int *fds)
{
  g_autoptr (GError) error = NULL;
  WeftProcessInfo info;
  int pid = connection->credentials.pid;

  connection->peer = find_peer (self, pid, hello->runtime_id);
  if (connection->peer != NULL)
    {
      close_fds (fds, 2);
      return;
    }
  /* Its number may have been another's, whose end we have not yet heard of. */
  end_if_dead (self, pid);
  drop_replaced (self, pid, hello->instance);
  if (!has_room_for (self, pid))
    {
      refuse (self, "producer-refused", "Process %d: too many runtimes", pid);
      close_fds (fds, 2);
      return;
    }

  /* Watched before its memory is read: a number cannot be given away in between. */
  watch_process (self, pid);
  weft_process_info_read (&info, pid);
  connection->peer
      = weft_peer_new (self->ingest, &info, hello, fds[0], fds[1], weft_monotonic_now (), &error);
  if (connection->peer != NULL)
    {
      g_ptr_array_add (self->peers, connection->peer);
      go_on (self);
    }
  else
    refuse (self, "producer-refused", "Process %d (%s): %s", pid, info.name ? info.name : "?",
            error->message);
  weft_process_info_clear (&info);
}

static gboolean
check_version (WeftProducerSource *self, Connection *connection, const WeftWireMessage *message)
{
  if (message->major == WEFT_WIRE_MAJOR)
    return TRUE;
  refuse (self, "producer-version",
          "Process %d speaks wire version %u.%u; this recorder reads %u.x: rebuild the program with "
          "this version's libweft-target, or use the recorder that came with it",
          connection->credentials.pid, message->major, message->minor, WEFT_WIRE_MAJOR);
  return FALSE;
}

/* FALSE closes the connection. Takes over the descriptors. */
static gboolean
on_message (WeftProducerSource *self, Connection *connection, const WeftWireMessage *message,
            const int *fds, guint n_fds)
{
  g_autoptr (GError) error = NULL;

  if (!check_version (self, connection, message))
    {
      close_fds (fds, n_fds);
      return FALSE;
    }
  if (message->type == WEFT_WIRE_HELLO && n_fds == 2 && connection->peer == NULL)
    {
      on_hello (self, connection, message, fds);
      return connection->peer != NULL;
    }
  if (message->type == WEFT_WIRE_ADD_SEGMENT && n_fds == 1 && connection->peer != NULL)
    {
      if (weft_peer_add_segment (connection->peer, fds[0], &error))
        return TRUE;
      refuse (self, "segment-refused", "Process %d: %s", connection->credentials.pid,
              error->message);
      return FALSE;
    }
  close_fds (fds, n_fds);
  if (message->type == WEFT_WIRE_WAKE && connection->peer != NULL)
    {
      /* The timer goes on where one turn is not enough, and no flood multiplies it. */
      go_on (self);
      return TRUE;
    }
  refuse (self, "message-refused", "Process %d sent a message of type %u out of turn",
          connection->credentials.pid, message->type);
  return FALSE;
}

static guint
collect_fds (struct msghdr *header, int *fds, guint max)
{
  guint n = 0;

  for (struct cmsghdr *c = CMSG_FIRSTHDR (header); c != NULL; c = CMSG_NXTHDR (header, c))
    {
      guint count = (guint) ((c->cmsg_len - CMSG_LEN (0)) / sizeof (int));

      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        continue;
      for (guint i = 0; i < count; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (c) + i * sizeof (int), sizeof fd);
          if (n < max)
            fds[n++] = fd;
          else
            close (fd);
        }
    }
  return n;
}

/* One message. FALSE if the connection is to be closed. */
static gboolean
receive (WeftProducerSource *self, Connection *connection, gboolean *again)
{
  WeftWireMessage message = { 0 };
  struct iovec vector = { &message, sizeof message };
  union
  {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (4 * sizeof (int))];
  } control;
  struct msghdr header = { .msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control };
  int fds[4];
  guint n_fds;
  ssize_t n = recvmsg (connection->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

  *again = FALSE;
  if (n < 0)
    return errno == EAGAIN || errno == EINTR;
  n_fds = collect_fds (&header, fds, G_N_ELEMENTS (fds));
  if (n == 0)
    {
      close_fds (fds, n_fds);
      return FALSE;
    }
  if (header.msg_flags & MSG_CTRUNC)
    {
      close_fds (fds, n_fds);
      refuse (self, "producer-refused",
              "Process %d: its descriptors could not all be taken; if the recorder has none left, "
              "raise the limit of open files (ulimit -n)",
              connection->credentials.pid);
      return FALSE;
    }
  if (n < (ssize_t) sizeof message)
    {
      close_fds (fds, n_fds);
      refuse (self, "message-refused", "Process %d sent a message of %zd bytes",
              connection->credentials.pid, n);
      return FALSE;
    }
  *again = TRUE;
  return on_message (self, connection, &message, fds, n_fds);
}

/* The peer stays as long as its process: hosts close descriptors that they do not know. Only where
 * the process was gone before we could watch it is this its end.
 */
static void
close_connection (WeftProducerSource *self, Connection *connection)
{
  int pid = connection->credentials.pid;
  gboolean orphaned = connection->peer != NULL && !is_watched (self, pid);

  g_ptr_array_remove_fast (self->connections, connection);
  if (orphaned)
    end_process (self, pid);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  Connection *connection = data;
  WeftProducerSource *self = connection->source;
  gboolean again = TRUE;

  for (guint i = 0; again && i < ACCEPTS_A_TURN; i++)
    if (!receive (self, connection, &again))
      {
        close_connection (self, connection);
        return G_SOURCE_REMOVE;
      }
  return G_SOURCE_CONTINUE;
}

static gboolean
is_welcome (WeftProducerSource *self, const struct ucred *credentials)
{
  if (self->any_uid || credentials->uid == self->own_uid || credentials->uid == geteuid ())
    return TRUE;
  refuse (self, "producer-foreign",
          "Process %d belongs to user %u, not to the recorded user %u: it was not let in",
          credentials->pid, credentials->uid, self->own_uid);
  return FALSE;
}

static void
accept_one (WeftProducerSource *self, int fd)
{
  Connection *connection;
  struct ucred credentials = { 0 };
  socklen_t length = sizeof credentials;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
      credentials.pid <= 0 || !is_welcome (self, &credentials))
    {
      close (fd);
      return;
    }
  if (self->connections->len >= MAX_CONNECTIONS)
    {
      refuse (self, "producer-refused", "Process %d: there are %d connections already",
              credentials.pid, MAX_CONNECTIONS);
      close (fd);
      return;
    }
  connection = g_new0 (Connection, 1);
  connection->source = self;
  connection->fd = fd;
  connection->credentials = credentials;
  connection->readable = watch_fd (self, fd, on_readable, connection);
  g_ptr_array_add (self->connections, connection);
}

/* FALSE if nobody else is to be let in now. */
static gboolean
accept_next (WeftProducerSource *self)
{
  int fd = accept4 (self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd >= 0)
    {
      self->starved = FALSE;
      accept_one (self, fd);
      return TRUE;
    }
  if (errno == EINTR || errno == ECONNABORTED)
    return TRUE;
  if (errno == EAGAIN)
    return FALSE;

  if (!self->starved)
    refuse (self, "producer-waits",
            "Cannot let a producer in: %s; it waits until that is over (see ulimit -n)",
            g_strerror (errno));
  self->starved = TRUE;
  /* Who waits would wake us without end: housekeeping looks again. */
  unwatch (&self->acceptable);
  return FALSE;
}

static gboolean
on_acceptable (int fd, GIOCondition condition, gpointer data)
{
  WeftProducerSource *self = data;

  for (guint i = 0; i < ACCEPTS_A_TURN && accept_next (self); i++)
    ;
  return self->acceptable != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* ---- Drain ---- */

void
weft_producer_source_drain (WeftProducerSource *self)
{
  gsize bytes = 0;

  self->has_more = FALSE;
  for (guint i = 0; i < self->peers->len; i++)
    {
      WeftPeer *peer = g_ptr_array_index (self->peers, i);

      bytes += weft_peer_drain (peer);
      self->has_more |= weft_peer_has_more (peer);
    }
  self->idle_drains = bytes > 0 ? 0 : self->idle_drains + 1;
}

/* As long as there is nobody to drain, nothing wakes. */
static gboolean
on_timer (gpointer data)
{
  WeftProducerSource *self = data;
  gint64 interval;

  if (self->peers->len == 0)
    {
      g_source_set_ready_time (self->timer, -1);
      return G_SOURCE_CONTINUE;
    }
  weft_producer_source_drain (self);
  interval = self->idle_drains > IDLE_DRAINS ? IDLE_INTERVAL_MS : DRAIN_INTERVAL_MS;
  if (self->has_more)
    interval = 0;
  g_source_set_ready_time (self->timer, g_get_monotonic_time () + interval * 1000);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

void
weft_producer_source_housekeep (WeftProducerSource *self, gint64 now)
{
  if (self->acceptable == NULL)
    self->acceptable = watch_fd (self, self->fd, on_acceptable, self);
  for (guint i = 0; i < self->peers->len; i++)
    {
      WeftPeer *peer = g_ptr_array_index (self->peers, i);

      weft_peer_write_counts (peer, now);
      weft_peer_reclaim (peer);
    }
}

guint64
weft_producer_source_get_refused (WeftProducerSource *self)
{
  return self->refused;
}

WeftProducerSource *
weft_producer_source_new (WeftIngest *ingest, WeftRuntimeDirectory *directory, GMainContext *context,
                        guint own_uid, gboolean any_uid, GError **error)
{
  int fd = weft_runtime_directory_listen (directory, WEFT_WIRE_SOCKET_NAME, SOCK_SEQPACKET, error);
  WeftProducerSource *self;

  if (fd < 0)
    return NULL;

  self = g_new0 (WeftProducerSource, 1);
  self->ingest = ingest;
  self->context = g_main_context_ref (context);
  self->own_uid = own_uid;
  self->any_uid = any_uid;
  self->fd = fd;
  self->connections = g_ptr_array_new_with_free_func (connection_free);
  self->peers = g_ptr_array_new ();
  self->processes = g_hash_table_new_full (NULL, NULL, NULL, process_free);
  self->acceptable = watch_fd (self, fd, on_acceptable, self);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_set_ready_time (self->timer, 0);
  g_source_attach (self->timer, context);
  return self;
}

static void
end_the_dead (WeftProducerSource *self)
{
  g_autoptr (GList) pids = g_hash_table_get_keys (self->processes);

  for (GList *l = pids; l != NULL; l = l->next)
    end_if_dead (self, GPOINTER_TO_INT (l->data));
}

void
weft_producer_source_free (WeftProducerSource *self)
{
  unwatch (&self->timer);
  /* Whoever said hello before the gate closed is let in, so that nothing of theirs is lost. */
  for (guint i = 0; i < MAX_CONNECTIONS && accept_next (self); i++)
    ;
  for (guint i = self->connections->len; i-- > 0;)
    on_readable (-1, G_IO_IN, g_ptr_array_index (self->connections, i));

  unwatch (&self->acceptable);
  close (self->fd);
  end_the_dead (self);
  while (self->peers->len > 0)
    drop_peer (self, g_ptr_array_index (self->peers, self->peers->len - 1), "recording ended");
  g_ptr_array_unref (self->connections);
  g_ptr_array_unref (self->peers);
  g_hash_table_unref (self->processes);
  g_main_context_unref (self->context);
  g_free (self);
}
