/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-debuginfod.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "debuginfod-find"
#define TIME_LIMIT_MS 60000
/* Once servers have taken this long altogether, they are asked no more. */
#define MAX_WAIT_US (G_GINT64_CONSTANT (180) * 1000000)
#define MAX_OUTPUT 4096

struct _WeftDebuginfod
{
  GMutex lock;
  gint64 waited; /* us */
};

WeftDebuginfod *
weft_debuginfod_new (void)
{
  WeftDebuginfod *self = g_new0 (WeftDebuginfod, 1);

  g_mutex_init (&self->lock);
  return self;
}

void
weft_debuginfod_free (WeftDebuginfod *self)
{
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* What it prints, until it ends or its time is over. */
static char *
read_output (int descriptor, gint64 deadline, gboolean *is_late)
{
  g_autoptr (GString) output = g_string_new (NULL);

  *is_late = FALSE;
  while (output->len < MAX_OUTPUT)
    {
      struct pollfd pollfd = { .fd = descriptor, .events = POLLIN };
      gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
      char buffer[512];
      ssize_t n;

      *is_late = left <= 0;
      if (*is_late || (poll (&pollfd, 1, (int) left) < 0 && errno != EINTR))
        break;
      if (pollfd.revents == 0)
        continue;
      n = read (descriptor, buffer, sizeof buffer);
      if (n == 0 || (n < 0 && errno != EINTR))
        break;
      g_string_append_len (output, buffer, MAX (n, 0));
    }
  g_strchomp (output->str);
  return g_strdup (output->str);
}

static char *
run (const char *build_id, char **reason)
{
  const char *const argv[] = { PROGRAM, "debuginfo", build_id, NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  gboolean is_late;
  int output, status;
  GPid pid;

  if (!g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                     G_SPAWN_STDERR_TO_DEV_NULL,
                                 NULL, NULL, &pid, NULL, &output, NULL, &error))
    {
      *reason = g_strdup ("servers cannot be asked for its debugging information: debuginfod-find "
                          "is not installed (package debuginfod)");
      return NULL;
    }
  path = read_output (output, g_get_monotonic_time () + TIME_LIMIT_MS * 1000, &is_late);
  close (output);
  if (is_late)
    kill (pid, SIGKILL);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (path[0] == '/')
    return g_steal_pointer (&path);
  *reason = is_late
                ? g_strdup_printf ("servers took longer than %d s for its debugging information",
                                   TIME_LIMIT_MS / 1000)
                : g_strdup ("no server has its debugging information");
  return NULL;
}

char *
weft_debuginfod_find (const char *build_id, char **reason, gpointer debuginfod)
{
  WeftDebuginfod *self = debuginfod;
  const char *servers = g_getenv ("DEBUGINFOD_URLS");
  g_autofree char *why = NULL;
  char *path = NULL;
  gint64 begin;

  if (servers == NULL || servers[0] == '\0')
    why = g_strdup ("DEBUGINFOD_URLS names no server that could have its debugging information");
  else
    {
      /* One at a time: it keeps what it gets, and asks nobody twice. */
      g_mutex_lock (&self->lock);
      begin = g_get_monotonic_time ();
      if (self->waited < MAX_WAIT_US)
        path = run (build_id, &why);
      else
        why = g_strdup ("servers have taken too long to be asked for more");
      self->waited += g_get_monotonic_time () - begin;
      g_mutex_unlock (&self->lock);
    }
  if (path == NULL && reason != NULL)
    *reason = g_steal_pointer (&why);
  return path;
}
