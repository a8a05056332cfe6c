/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- The folder ---- */

static int
mount_nowhere (void)
{
  int context = (int) syscall (SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
  int mount = -1;
  int error;

  if (context < 0)
    return -1;
  if (syscall (SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    mount = (int) syscall (SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
  error = errno;
  close (context);
  errno = error;
  return mount;
}

int
weft_tracing_open (void)
{
  static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      int folder = open (places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

      if (folder >= 0 && faccessat (folder, "events", R_OK | X_OK, AT_EACCESS) == 0)
        return folder;
      if (folder >= 0)
        close (folder);
    }
  return mount_nowhere ();
}

/* ---- An event ---- */

/* NULL with errno set. */
static char *
read_text (int folder, const char *event, const char *name)
{
  g_autofree char *path = g_strdup_printf ("events/sched/%s/%s", event, name);
  int fd = openat (folder, path, O_RDONLY | O_CLOEXEC);
  char text[8192];
  ssize_t n;

  if (fd < 0)
    return NULL;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  if (n < 0)
    return NULL;
  text[n] = '\0';
  return g_strdup (text);
}

/* As in "	field:int prev_prio;	offset:28;	size:4;	signed:1;". */
static gboolean
find_field (char **lines, const char *name, guint *offset, guint *size)
{
  g_autofree char *end = g_strdup_printf (" %s", name);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *semicolon = strchr (lines[i], ';');
      g_autofree char *declaration = NULL;

      if (!g_str_has_prefix (lines[i], "\tfield:") || semicolon == NULL)
        continue;
      declaration = g_strndup (lines[i], (gsize) (semicolon - lines[i]));
      if (g_str_has_suffix (declaration, end))
        return sscanf (semicolon + 1, " offset:%u; size:%u;", offset, size) == 2;
    }
  return FALSE;
}

gboolean
weft_tracing_parse_format (const char *format, const char *value, WeftTracepoint *tracepoint)
{
  g_auto (GStrv) lines = g_strsplit (format, "\n", -1);
  guint size;

  return find_field (lines, "common_flags", &tracepoint->flags_offset, &size) && size == 1 &&
         find_field (lines, value, &tracepoint->value_offset, &tracepoint->value_size) &&
         (tracepoint->value_size == 4 || tracepoint->value_size == 8);
}

gboolean
weft_tracing_find (int folder, const char *event, const char *value, WeftTracepoint *tracepoint)
{
  g_autofree char *id = read_text (folder, event, "id");
  g_autofree char *format = id ? read_text (folder, event, "format") : NULL;

  if (format == NULL)
    return FALSE;
  tracepoint->id = g_ascii_strtoull (id, NULL, 10);
  errno = ENOTSUP;
  return weft_tracing_parse_format (format, value, tracepoint);
}

gboolean
weft_tracepoint_read (const WeftTracepoint *self, const guint8 *raw, gsize length, gint64 *value,
                      guint *flags)
{
  gint32 narrow;

  if (self->flags_offset >= length || self->value_size > length ||
      self->value_offset > length - self->value_size)
    return FALSE;
  *flags = raw[self->flags_offset];
  if (self->value_size == sizeof *value)
    memcpy (value, raw + self->value_offset, sizeof *value);
  else
    {
      memcpy (&narrow, raw + self->value_offset, sizeof narrow);
      *value = narrow;
    }
  return TRUE;
}
