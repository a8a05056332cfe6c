/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-system-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
weft_system_file_open (WeftSystemFile *self, const char *path)
{
  self->fd = open (path, O_RDONLY | O_CLOEXEC);
}

void
weft_system_file_clear (WeftSystemFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

gboolean
weft_system_file_read (WeftSystemFile *self, char *buffer, gsize size)
{
  gssize n = -1;

  do
    if (self->fd >= 0)
      n = pread (self->fd, buffer, size - 1, 0);
  while (n < 0 && self->fd >= 0 && errno == EINTR);
  buffer[MAX (n, 0)] = '\0';
  return n > 0;
}

gboolean
weft_system_file_find (const char *text, const char *label, guint64 *number)
{
  gsize length = strlen (label);

  for (const char *at = strstr (text, label); at != NULL; at = strstr (at + 1, label))
    if (at == text || at[-1] == '\n' || at[-1] == ' ')
      return weft_system_file_numbers (at + length, number, 1) == 1;
  return FALSE;
}

guint
weft_system_file_numbers (const char *text, guint64 *numbers, guint max)
{
  guint n = 0;

  while (n < max)
    {
      while (*text == ' ' || *text == '\t')
        text++;
      if (!g_ascii_isdigit (*text))
        break;
      numbers[n] = 0;
      for (; g_ascii_isdigit (*text); text++)
        numbers[n] = numbers[n] * 10 + (guint64) (*text - '0');
      n++;
    }
  return n;
}
