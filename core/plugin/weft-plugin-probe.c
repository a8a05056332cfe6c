/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin-probe.h"

#include <errno.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-plugin-file.h"

/* More than this no honest plugin tells. */
#define MAX_REPORT 65536
/* How often a process that has not told its end is looked after. */
#define PATIENCE_MS 20

static const char *const verdicts[] = {
  [WEFT_PROBE_GOOD] = "good",
  [WEFT_PROBE_BROKEN] = "broken",
  [WEFT_PROBE_FAILED] = "failed",
  [WEFT_PROBE_CRASH] = "crash",
};

const char *
weft_probe_verdict_to_text (WeftProbeVerdict verdict)
{
  return verdicts[verdict];
}

gboolean
weft_probe_verdict_from_text (const char *text, WeftProbeVerdict *verdict)
{
  for (guint i = 0; text != NULL && i < G_N_ELEMENTS (verdicts); i++)
    if (g_str_equal (text, verdicts[i]))
      {
        *verdict = i;
        return TRUE;
      }
  return FALSE;
}

WeftProbeResult *
weft_probe_result_new (WeftProbeVerdict verdict, const char *reason)
{
  WeftProbeResult *self = g_new0 (WeftProbeResult, 1);

  self->verdict = verdict;
  self->reason = g_strdup (reason);
  return self;
}

void
weft_probe_result_free (WeftProbeResult *self)
{
  g_free (self->name);
  g_free (self->version);
  g_free (self->description);
  g_free (self->licence);
  g_free (self->reason);
  g_free (self);
}

typedef struct
{
  pid_t pid;
  int fd;
  GString *report;
  gint64 deadline;
  guint time_limit;
  int wait_status;
  gboolean has_ended;
  gboolean is_late;
} Probe;

/* Whether more may come. */
static gboolean
read_report (Probe *probe)
{
  char buffer[4096];
  ssize_t n;

  do
    {
      n = read (probe->fd, buffer, sizeof buffer);
      if (n > 0 && probe->report->len < MAX_REPORT)
        g_string_append_len (probe->report, buffer, n);
    }
  while (n > 0 || (n < 0 && errno == EINTR));
  return n < 0 && errno == EAGAIN;
}

static gboolean
has_ended (Probe *probe)
{
  pid_t pid = waitpid (probe->pid, &probe->wait_status, WNOHANG);

  /* A host may have collected it already: then nobody knows how it ended. */
  if (pid < 0 && errno == ECHILD)
    probe->wait_status = 0;
  return pid == probe->pid || (pid < 0 && errno == ECHILD);
}

/* Until the process has ended, or its time is over. */
static gboolean
await_end (Probe *probe, GCancellable *cancellable, GError **error)
{
  gboolean is_open = TRUE;

  while (!probe->has_ended)
    {
      struct pollfd pollfd = { .fd = is_open ? probe->fd : -1, .events = POLLIN };

      poll (&pollfd, 1, PATIENCE_MS);
      /* Asked first: what it wrote before it ended is then there to be read. */
      probe->has_ended = has_ended (probe);
      is_open = read_report (probe);
      if (probe->has_ended)
        break;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      probe->is_late = g_get_monotonic_time () >= probe->deadline;
      if (probe->is_late)
        break;
    }
  return TRUE;
}

/* Nothing that it started is to stay: it leads a session, and so a group, of its own. */
static void
end (Probe *probe)
{
  kill (-probe->pid, SIGKILL);
  if (!probe->has_ended)
    {
      kill (probe->pid, SIGKILL);
      while (waitpid (probe->pid, &probe->wait_status, 0) < 0 && errno == EINTR)
        continue;
    }
  close (probe->fd);
  g_string_free (probe->report, TRUE);
}

static char *
dup_member (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_dup_string (node)
             : NULL;
}

static JsonNode *
last_line (const char *report)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);
  guint n = g_strv_length (lines);
  JsonNode *node;

  /* Behind the last line feed stands what was not finished. */
  if (n < 2)
    return NULL;
  node = json_from_string (lines[n - 2], NULL);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    g_clear_pointer (&node, json_node_unref);
  return node;
}

static WeftProbeResult *
judge_end (Probe *probe, const char *stage)
{
  const char *when = g_strcmp0 (stage, "init") == 0 ? "in its init" : "while it was being opened";
  const int status = probe->wait_status;
  WeftProbeResult *result = weft_probe_result_new (WEFT_PROBE_CRASH, NULL);

  if (probe->is_late || (WIFSIGNALED (status) && WTERMSIG (status) == SIGXCPU))
    result->reason = g_strdup_printf ("It hung: it had not come back after %.1f s, %s. Replace it, "
                                      "or touch the file to have it tried again",
                                      probe->time_limit / 1000.0, when);
  else if (WIFSIGNALED (status))
    result->reason = g_strdup_printf ("It crashed (%s) %s. Replace it, or touch the file to have "
                                      "it tried again",
                                      g_strsignal (WTERMSIG (status)), when);
  else
    result->reason = g_strdup_printf ("It ended the process (exit status %d) %s. Replace it, or "
                                      "touch the file to have it tried again",
                                      WEXITSTATUS (status), when);
  return result;
}

static WeftProbeResult *
judge (Probe *probe)
{
  g_autoptr (JsonNode) node = last_line (probe->report->str);
  JsonObject *object = node != NULL ? json_node_get_object (node) : NULL;
  g_autofree char *verdict = object != NULL ? dup_member (object, "verdict") : NULL;
  g_autofree char *stage = object != NULL ? dup_member (object, "stage") : NULL;
  WeftProbeResult *result;

  result = weft_probe_result_new (WEFT_PROBE_GOOD, NULL);
  if (!weft_probe_verdict_from_text (verdict, &result->verdict))
    {
      weft_probe_result_free (result);
      return judge_end (probe, stage);
    }
  result->name = dup_member (object, "name");
  result->version = dup_member (object, "version");
  result->description = dup_member (object, "description");
  result->licence = dup_member (object, "licence");
  result->reason = dup_member (object, "reason");
  return result;
}

/* It reports before it opens the plugin: one that has said nothing was stopped by what is not the
 * plugin's fault, such as a library that the loader did not find, and may go well next time.
 */
static gboolean
check_began (Probe *probe, const char *program, GError **error)
{
  if (probe->report->len > 0 || probe->is_late)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
               "It could not be tried out first: “%s” ended before it began (%s %d). Install Weft "
               "whole, or say in WEFT_PLUGIN_PROBE where the program is",
               program, WIFSIGNALED (probe->wait_status) ? "signal" : "exit status",
               WIFSIGNALED (probe->wait_status) ? WTERMSIG (probe->wait_status)
                                                : WEXITSTATUS (probe->wait_status));
  return FALSE;
}

WeftProbeResult *
weft_plugin_probe_run (const char *path, guint time_limit, GCancellable *cancellable,
                       GError **error)
{
  g_autofree char *program = weft_plugin_find_probe ();
  g_autofree char *seconds = g_strdup_printf ("%u", (time_limit + 999) / 1000);
  const char *const argv[] = { program, path, seconds, NULL };
  g_autoptr (GError) failure = NULL;
  WeftProbeResult *result = NULL;
  Probe probe = { .time_limit = time_limit };

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (!g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                                 &probe.pid, NULL, &probe.fd, NULL, &failure))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "It could not be tried out first: %s. Install Weft whole, or say in "
                   "WEFT_PLUGIN_PROBE where the program is",
                   failure->message);
      return NULL;
    }
  g_unix_set_fd_nonblocking (probe.fd, TRUE, NULL);
  probe.deadline = g_get_monotonic_time () + (gint64) time_limit * 1000;
  probe.report = g_string_new (NULL);
  if (await_end (&probe, cancellable, error) && check_began (&probe, program, error))
    result = judge (&probe);
  end (&probe);
  return result;
}
