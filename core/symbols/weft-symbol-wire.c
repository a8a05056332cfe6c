/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

void
weft_symbol_put_number (GByteArray *bytes, guint64 number)
{
  guint8 digits[10];
  guint n = 0;

  do
    {
      digits[n] = (number & 0x7f) | (number > 0x7f ? 0x80 : 0);
      number >>= 7;
      n++;
    }
  while (number != 0);
  g_byte_array_append (bytes, digits, n);
}

void
weft_symbol_put_text (GByteArray *bytes, const char *text, gssize length)
{
  gsize n = text == NULL ? 0 : length < 0 ? strlen (text) : (gsize) length;

  n = MIN (n, WEFT_SYMBOL_MAX_TEXT);
  weft_symbol_put_number (bytes, n);
  if (n > 0)
    g_byte_array_append (bytes, (const guint8 *) text, n);
}

void
weft_symbol_reader_init (WeftSymbolReader *self, const guint8 *bytes, gsize length)
{
  self->at = bytes;
  self->end = bytes + length;
  self->failed = FALSE;
}

static guint64
fail (WeftSymbolReader *self)
{
  self->failed = TRUE;
  self->at = self->end;
  return 0;
}

guint64
weft_symbol_get_number (WeftSymbolReader *self)
{
  guint64 number = 0;

  for (guint shift = 0; shift < 64; shift += 7)
    {
      guint8 byte;

      if (self->at == self->end)
        return fail (self);
      byte = *self->at++;
      number |= (guint64) (byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return number;
    }
  return fail (self);
}

guint64
weft_symbol_get_number_below (WeftSymbolReader *self, guint64 limit)
{
  guint64 number = weft_symbol_get_number (self);

  return number < limit ? number : fail (self);
}

char *
weft_symbol_get_text (WeftSymbolReader *self)
{
  guint64 length = weft_symbol_get_number (self);
  char *text;

  if (length > WEFT_SYMBOL_MAX_TEXT || length > (gsize) (self->end - self->at))
    {
      fail (self);
      return g_strdup ("");
    }
  text = g_utf8_make_valid ((const char *) self->at, length);
  self->at += length;
  return text;
}

gboolean
weft_symbol_reader_can_hold (WeftSymbolReader *self, guint64 n, gsize size)
{
  if (n > (gsize) (self->end - self->at) / size)
    fail (self);
  return !self->failed;
}

gboolean
weft_symbol_send (int socket, guint32 type, const GByteArray *body, int descriptor)
{
  WeftSymbolHeader header = { type, body != NULL ? body->len : 0 };
  struct iovec parts[2] = { { &header, sizeof header },
                            { body != NULL ? body->data : NULL, header.length } };
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

  if (descriptor >= 0)
    {
      message.msg_control = &control;
      message.msg_controllen = sizeof control;
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (sizeof (int));
      memcpy (CMSG_DATA (&control.header), &descriptor, sizeof descriptor);
    }
  while (message.msg_iovlen > 0)
    {
      ssize_t n = sendmsg (socket, &message, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      message.msg_control = NULL;
      message.msg_controllen = 0;
      while (message.msg_iovlen > 0 && (gsize) n >= message.msg_iov->iov_len)
        {
          n -= message.msg_iov->iov_len;
          message.msg_iov++;
          message.msg_iovlen--;
        }
      if (message.msg_iovlen > 0)
        {
          message.msg_iov->iov_base = (char *) message.msg_iov->iov_base + n;
          message.msg_iov->iov_len -= n;
        }
    }
  return TRUE;
}

static int
milliseconds_until (gint64 deadline)
{
  struct timespec now;
  gint64 left;

  if (deadline == 0)
    return -1;
  clock_gettime (CLOCK_MONOTONIC, &now);
  left = deadline - (now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec);
  return left <= 0 ? 0 : (int) MIN (left / 1000000 + 1, 60000);
}

/* Takes the first descriptor of MESSAGE; others are closed. */
static void
take_descriptors (struct msghdr *message, int *descriptor)
{
  for (struct cmsghdr *c = CMSG_FIRSTHDR (message); c != NULL; c = CMSG_NXTHDR (message, c))
    {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        continue;
      for (gsize i = 0; CMSG_LEN ((i + 1) * sizeof (int)) <= c->cmsg_len; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (c) + i * sizeof fd, sizeof fd);
          if (descriptor != NULL && *descriptor < 0)
            *descriptor = fd;
          else
            close (fd);
        }
    }
}

static gboolean
receive_bytes (int socket, gint64 deadline, void *buffer, gsize length, int *descriptor)
{
  for (gsize done = 0; done < length;)
    {
      char control[CMSG_SPACE (4 * sizeof (int))];
      struct iovec part = { (char *) buffer + done, length - done };
      struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
      };
      struct pollfd pollfd = { .fd = socket, .events = POLLIN };
      int wait = milliseconds_until (deadline);
      int ready = poll (&pollfd, 1, wait);
      ssize_t n;

      if (ready == 0 && wait == 0)
        {
          errno = ETIMEDOUT;
          return FALSE;
        }
      if (ready <= 0)
        {
          if (ready < 0 && errno != EINTR)
            return FALSE;
          continue;
        }
      n = recvmsg (socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n > 0)
        take_descriptors (&message, descriptor);
      if (n == 0)
        errno = ECONNRESET;
      if (n <= 0)
        return FALSE;
      done += n;
    }
  return TRUE;
}

gboolean
weft_symbol_receive (int socket, gint64 deadline, guint32 *type, GByteArray *body, int *descriptor)
{
  WeftSymbolHeader header;

  g_byte_array_set_size (body, 0);
  if (descriptor != NULL)
    *descriptor = -1;
  if (!receive_bytes (socket, deadline, &header, sizeof header, descriptor))
    return FALSE;
  if (header.length > WEFT_SYMBOL_MAX_MESSAGE)
    {
      errno = EPROTO;
      return FALSE;
    }
  *type = header.type;
  g_byte_array_set_size (body, header.length);
  return receive_bytes (socket, deadline, body->data, header.length, descriptor);
}
