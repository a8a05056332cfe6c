/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-jit-map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (64u << 10) /* and so the longest line */
#define MAX_READ (256u << 20)

struct _WeftJitMap
{
  int descriptor;
  guint64 position;
  guint64 n_refused;
  char buffer[BUFFER];
};

int
weft_jit_namespace_pid (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *text = NULL;
  const char *line;
  const char *last;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return pid;
  line = strstr (text, "\nNSpid:");
  if (line == NULL)
    return pid;
  line += strlen ("\nNSpid:");
  last = strchrnul (line, '\n');
  /* One for each namespace, the innermost last. */
  while (last > line && g_ascii_isdigit (last[-1]))
    last--;
  return atoi (last) > 0 ? atoi (last) : pid;
}

WeftJitMap *
weft_jit_map_new (int descriptor)
{
  WeftJitMap *self = g_new0 (WeftJitMap, 1);

  self->descriptor = descriptor;
  return self;
}

void
weft_jit_map_free (WeftJitMap *self)
{
  close (self->descriptor);
  g_free (self);
}

WeftJitMap *
weft_jit_map_open (int pid, char **reason)
{
  g_autofree char *process = g_strdup_printf ("/proc/%d", pid);
  g_autofree char *path =
      g_strdup_printf ("/proc/%d/root/tmp/perf-%d.map", pid, weft_jit_namespace_pid (pid));
  struct stat owner, status;
  int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);

  if (descriptor < 0)
    return NULL;
  if (stat (process, &owner) == 0 && fstat (descriptor, &status) == 0 && S_ISREG (status.st_mode) &&
      (status.st_uid == owner.st_uid || status.st_uid == 0))
    return weft_jit_map_new (descriptor);
  close (descriptor);
  *reason = g_strdup_printf ("“/tmp/perf-%d.map” is not its own: it belongs to another user, or is "
                             "no plain file",
                             weft_jit_namespace_pid (pid));
  return NULL;
}

static gboolean
parse_line (char *line, WeftSymbolNames *names)
{
  char *end;
  guint64 start, size;

  if (!g_ascii_isxdigit (line[0]))
    return FALSE;
  start = g_ascii_strtoull (line, &end, 16);
  if (end[0] != ' ' || !g_ascii_isxdigit (end[1]))
    return FALSE;
  size = g_ascii_strtoull (end + 1, &end, 16);
  if (end[0] != ' ')
    return FALSE;
  return weft_symbol_names_add (
      names, &(WeftSymbolNamed){
                 .start = start, .size = size, .name = end + 1, .file_offset = G_MAXUINT64 });
}

/* Whole lines of the LENGTH bytes in the buffer; returns how many bytes those are. */
static gsize
parse (WeftJitMap *self, gsize length, WeftSymbolNames *names)
{
  char *line = self->buffer;
  char *end = self->buffer + length;
  char *next;

  while (line < end && (next = memchr (line, '\n', end - line)) != NULL)
    {
      *next = '\0';
      if (!parse_line (line, names))
        self->n_refused++;
      line = next + 1;
    }
  return line - self->buffer;
}

void
weft_jit_map_read (WeftJitMap *self, WeftSymbolNames *names)
{
  while (self->position < MAX_READ)
    {
      ssize_t n = pread (self->descriptor, self->buffer, sizeof self->buffer, self->position);
      gsize used;

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      used = parse (self, n, names);
      /* No line is as long: it is passed over piece by piece. */
      if (used == 0 && n == (ssize_t) sizeof self->buffer)
        {
          self->n_refused++;
          used = n;
        }
      if (used == 0)
        return;
      self->position += used;
    }
}

guint64
weft_jit_map_get_n_refused (WeftJitMap *self)
{
  return self->n_refused;
}
