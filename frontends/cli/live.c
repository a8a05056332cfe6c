/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Commands that talk to running recorders. */

#include "commands.h"

#include <stdio.h>
#include <weft.h>

#include "json.h"
#include "sampling.h"
#include "text.h"

#define POLL_US 50000

/* ---- status ---- */

static const char *
state_name (WeftRecorderStatus *status)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (WEFT_TYPE_RECORDER_STATE);

  return g_enum_get_value (states, weft_recorder_status_get_state (status))->value_nick;
}

static void
print_status (WeftSession *session, WeftRecorderStatus *status)
{
  g_autofree char *elapsed = text_duration ((guint64) weft_recorder_status_get_elapsed (status));
  g_autofree char *dispatches =
      text_counted (weft_recorder_status_get_dispatches (status), "dispatch", "dispatches");
  g_autofree char *lanes = text_counted (weft_recorder_status_get_lanes (status), "lane", "lanes");
  g_autofree char *runtimes =
      text_counted (weft_recorder_status_get_runtimes (status), "runtime", "runtimes");
  g_autofree char *size = text_bytes (weft_recorder_status_get_file_size (status));
  g_autofree char *cpu = text_duration (weft_recorder_status_get_cpu (status));
  g_autofree char *sampled = sampling_describe (status);

  text_print (stdout, "%s\n", weft_session_get_path (session));
  text_print (stdout, "  pid %d, %s for %s, %s written, own cost %s of CPU\n",
              weft_session_get_pid (session), state_name (status), elapsed, size, cpu);
  printf ("  %s on %s of %s; %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
          " rejected, %" G_GUINT64_FORMAT " pending\n",
          dispatches, lanes, runtimes, weft_recorder_status_get_lost (status),
          weft_recorder_status_get_rejected (status), weft_recorder_status_get_pending (status));
  if (sampled != NULL)
    text_print (stdout, "  CPUs (%s): %s\n", weft_recorder_status_get_sampler (status), sampled);
}

static void
add_status (JsonBuilder *builder, WeftSession *session, WeftRecorderStatus *status)
{
  json_builder_begin_object (builder);
  json_add_string (builder, "state", state_name (status));
  json_add_string (builder, "file", weft_session_get_path (session));
  json_add_number (builder, "pid", weft_session_get_pid (session));
  json_add_number (builder, "elapsed", weft_recorder_status_get_elapsed (status));
  json_add_count (builder, "dispatches", weft_recorder_status_get_dispatches (status));
  json_add_count (builder, "pending", weft_recorder_status_get_pending (status));
  json_add_count (builder, "rejected", weft_recorder_status_get_rejected (status));
  json_add_count (builder, "lost", weft_recorder_status_get_lost (status));
  json_add_count (builder, "sampled_out", weft_recorder_status_get_sampled_out (status));
  json_add_count (builder, "refused", weft_recorder_status_get_refused (status));
  json_add_count (builder, "lanes", weft_recorder_status_get_lanes (status));
  json_add_count (builder, "runtimes", weft_recorder_status_get_runtimes (status));
  json_add_count (builder, "runtimes_seen", weft_recorder_status_get_runtimes_seen (status));
  json_add_count (builder, "file_size", weft_recorder_status_get_file_size (status));
  json_add_count (builder, "cpu", weft_recorder_status_get_cpu (status));
  json_add_count (builder, "resident", weft_recorder_status_get_resident (status));
  sampling_add_json (builder, status);
  json_builder_end_object (builder);
}

static int
show_statuses (GListModel *sessions, gboolean json)
{
  JsonBuilder *builder = json ? json_answer_begin ("status", "rows") : NULL;
  guint n = g_list_model_get_n_items (sessions);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WeftSession) session = g_list_model_get_item (sessions, i);
      g_autoptr (WeftRecorderStatus) status = weft_session_get_status (session);

      if (json)
        add_status (builder, session, status);
      else
        print_status (session, status);
    }
  if (json)
    json_answer_end (builder, "rows");
  else if (n == 0)
    puts ("Nothing is being recorded. Start with “weft record -- PROGRAM”.");
  return EXIT_OK;
}

int
command_status (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GListModel) sessions = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options ("Tells what the running recorders do.", NULL, entries, &argc, &argv, &status))
    return status;
  sessions = weft_session_list (&error);
  if (sessions == NULL)
    return complain ("%s", error->message);
  return show_statuses (sessions, json);
}

/* ---- stop and wait: which one? ---- */

/* The only recorder, or the one with PID, if that is not 0. NULL after telling what is wrong. */
static WeftSession *
choose (int pid)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) sessions = weft_session_list (&error);
  g_autoptr (WeftSession) found = NULL;

  if (sessions == NULL)
    {
      complain ("%s", error->message);
      return NULL;
    }
  for (guint i = 0; i < g_list_model_get_n_items (sessions); i++)
    {
      g_autoptr (WeftSession) session = g_list_model_get_item (sessions, i);

      if (pid != 0 && weft_session_get_pid (session) != pid)
        continue;
      if (found != NULL)
        {
          complain ("several recorders are running; name one with --pid (see “weft status”)");
          return NULL;
        }
      found = g_steal_pointer (&session);
    }
  if (found == NULL && pid != 0)
    complain ("no recorder with pid %d is running (see “weft status”)", pid);
  else if (found == NULL)
    complain ("nothing is being recorded");
  return g_steal_pointer (&found);
}

int
command_stop (int argc, char **argv)
{
  gboolean json = FALSE;
  int pid = 0;
  const GOptionEntry entries[] = {
    { "pid", 'p', 0, G_OPTION_ARG_INT, &pid, "The recorder to stop", "PID" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (WeftSession) session = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options ("Stops a running recorder, which saves its file.", NULL, entries, &argc,
                      &argv, &status))
    return status;
  session = choose (pid);
  if (session == NULL)
    return EXIT_FAILED;
  if (!weft_session_stop (session, NULL, &error))
    return complain ("%s", error->message);
  if (json)
    {
      JsonBuilder *builder = json_answer_begin ("stop", "value");

      json_add_string (builder, "file", weft_session_get_path (session));
      json_answer_end (builder, "value");
    }
  else
    text_print (stdout, "%s\n", weft_session_get_path (session));
  return EXIT_OK;
}

typedef struct
{
  gint64 dispatches;
  gint64 lanes;
  double seconds;
  gboolean end;
  double timeout;
} Goal;

static gboolean
is_reached (const Goal *goal, WeftSession *session)
{
  g_autoptr (WeftRecorderStatus) status = weft_session_get_status (session);

  if (goal->end)
    return FALSE;
  return weft_recorder_status_get_dispatches (status) >= (guint64) goal->dispatches &&
         weft_recorder_status_get_lanes (status) >= (guint64) goal->lanes &&
         (double) weft_recorder_status_get_elapsed (status) >= goal->seconds * 1e9;
}

static int
wait_for (WeftSession *session, const Goal *goal)
{
  gint64 deadline = g_get_monotonic_time () + (gint64) (goal->timeout * 1e6);

  for (;;)
    {
      /* One that does not answer now is busy. */
      gboolean answered = weft_session_refresh (session, NULL, NULL);

      if (!weft_session_is_running (session))
        return goal->end ? EXIT_OK : complain ("the recorder ended before it got so far");
      if (answered && is_reached (goal, session))
        return EXIT_OK;
      if (goal->timeout > 0 && g_get_monotonic_time () > deadline)
        return complain ("not reached within %g s", goal->timeout);
      g_usleep (POLL_US);
    }
}

int
command_wait (int argc, char **argv)
{
  Goal goal = { 0 };
  int pid = 0;
  const GOptionEntry entries[] = {
    { "pid", 'p', 0, G_OPTION_ARG_INT, &pid, "The recorder to wait for", "PID" },
    { "for-dispatches", 0, 0, G_OPTION_ARG_INT64, &goal.dispatches, "Until so many are recorded",
      "N" },
    { "for-lanes", 0, 0, G_OPTION_ARG_INT64, &goal.lanes, "Until so many lanes are known", "N" },
    { "for-seconds", 0, 0, G_OPTION_ARG_DOUBLE, &goal.seconds, "Until it has run so long", "N" },
    { "until-end", 0, 0, G_OPTION_ARG_NONE, &goal.end, "Until it has ended", NULL },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &goal.timeout, "Fail after so long", "SECONDS" },
    { NULL },
  };
  g_autoptr (WeftSession) session = NULL;
  int status;

  if (!parse_options ("Waits until a running recorder has got so far.", NULL, entries, &argc, &argv,
                      &status))
    return status;
  if (goal.dispatches <= 0 && goal.lanes <= 0 && goal.seconds <= 0 && !goal.end)
    {
      complain (
          "say what to wait for: --for-dispatches, --for-lanes, --for-seconds or --until-end");
      return EXIT_USAGE;
    }
  session = choose (pid);
  return session ? wait_for (session, &goal) : EXIT_FAILED;
}
