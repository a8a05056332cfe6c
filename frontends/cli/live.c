/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Commands that talk to running recorders. */

#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "text.h"
#include "weft-control.h"

#define POLL_US 50000

static JsonObject *
ask (const char *directory, const char *command, JsonParser *parser, GError **error)
{
  g_autofree char *line = weft_control_ask (directory, command, error);
  JsonNode *root;
  JsonObject *object;

  if (line == NULL || !json_parser_load_from_data (parser, line, -1, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    {
      object = json_node_get_object (root);
      if (json_object_has_member (object, "value") &&
          JSON_NODE_HOLDS_OBJECT (json_object_get_member (object, "value")))
        return json_object_get_object_member (object, "value");
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "The recorder's answer makes no sense");
  return NULL;
}

static guint64
count_of (JsonObject *value, const char *name)
{
  return (guint64) json_object_get_int_member_with_default (value, name, 0);
}

/* ---- status ---- */

static void
print_status (JsonObject *value)
{
  g_autofree char *elapsed = text_duration (count_of (value, "elapsed"));
  g_autofree char *dispatches = text_count (count_of (value, "dispatches"));
  g_autofree char *size = text_bytes (count_of (value, "file_size"));
  g_autofree char *cpu = text_duration (count_of (value, "cpu"));

  text_print (stdout, "%s\n", json_object_get_string_member_with_default (value, "file", "?"));
  text_print (stdout, "  pid %" G_GUINT64_FORMAT ", %s for %s, %s written, own cost %s of CPU\n",
              count_of (value, "pid"),
              json_object_get_string_member_with_default (value, "state", "?"), elapsed, size, cpu);
  printf ("  %s dispatches on %" G_GUINT64_FORMAT " lanes of %" G_GUINT64_FORMAT
          " runtimes; %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " rejected, %" G_GUINT64_FORMAT
          " pending\n",
          dispatches, count_of (value, "lanes"), count_of (value, "runtimes"),
          count_of (value, "lost"), count_of (value, "rejected"), count_of (value, "pending"));
}

static int
show_statuses (char **directories, gboolean json)
{
  JsonBuilder *builder = json ? json_answer_begin ("status", "rows") : NULL;
  guint n = 0;

  for (char **d = directories; *d != NULL; d++)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      JsonObject *value = ask (*d, "status", parser, NULL);

      if (value == NULL)
        continue;
      n++;
      if (json)
        {
          JsonNode *node = json_node_alloc ();

          json_node_init_object (node, value);
          json_builder_add_value (builder, node);
        }
      else
        print_status (value);
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
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_auto (GStrv) directories = NULL;
  int status;

  if (!parse_options ("Tells what the running recorders do.", NULL, entries, &argc, &argv, &status))
    return status;
  directories = weft_control_find ();
  return show_statuses (directories, json);
}

/* ---- stop and wait: which one? ---- */

/* The status of the recorder with PID. NULL if it did not answer now, for it may be busy; with ENDED
 * set, if it is no more: its socket goes when its file is whole.
 */
static JsonObject *
ask_status (const char *directory, int pid, JsonParser *parser, gboolean *ended)
{
  g_autoptr (GError) error = NULL;
  JsonObject *value = ask (directory, "status", parser, &error);

  *ended = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
           (value != NULL && count_of (value, "pid") != (guint64) pid);
  return *ended ? NULL : value;
}

/* The directory of the only recorder, or of the one with PID, which is set. Newly allocated; NULL
 * after telling what is wrong.
 */
static char *
choose (int *pid)
{
  g_auto (GStrv) directories = weft_control_find ();
  char *found = NULL;
  int only = 0;

  for (char **d = directories; *d != NULL; d++)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      JsonObject *value = ask (*d, "status", parser, NULL);

      if (value == NULL || (*pid != 0 && count_of (value, "pid") != (guint64) *pid))
        continue;
      if (found != NULL)
        {
          complain ("several recorders are running; name one with --pid (see “weft status”)");
          g_free (found);
          return NULL;
        }
      found = g_strdup (*d);
      only = (int) count_of (value, "pid");
    }
  if (found == NULL && *pid != 0)
    complain ("no recorder with pid %d is running (see “weft status”)", *pid);
  else if (found == NULL)
    complain ("nothing is being recorded");
  *pid = only;
  return found;
}

int
command_stop (int argc, char **argv)
{
  gboolean json = FALSE;
  int pid = 0;
  const GOptionEntry entries[] = {
    { "pid", 'p', 0, G_OPTION_ARG_INT, &pid, "The recorder to stop", "PID" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = NULL;
  JsonObject *value;
  int status;

  if (!parse_options ("Stops a running recorder, which saves its file.", NULL, entries, &argc,
                      &argv, &status))
    return status;
  directory = choose (&pid);
  if (directory == NULL)
    return EXIT_FAILED;
  value = ask (directory, "stop", parser, &error);
  if (value == NULL)
    return complain ("%s", error->message);

  for (gboolean ended = FALSE; !ended; g_usleep (ended ? 0 : POLL_US))
    {
      g_autoptr (JsonParser) later = json_parser_new ();

      ask_status (directory, pid, later, &ended);
    }
  if (json)
    {
      JsonBuilder *builder = json_answer_begin ("stop", "value");

      json_add_string (builder, "file",
                       json_object_get_string_member_with_default (value, "file", NULL));
      json_answer_end (builder, "value");
    }
  else
    text_print (stdout, "%s\n",
                json_object_get_string_member_with_default (value, "file", "?"));
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
is_reached (const Goal *goal, JsonObject *value)
{
  if (goal->end)
    return FALSE;
  return count_of (value, "dispatches") >= (guint64) goal->dispatches &&
         count_of (value, "lanes") >= (guint64) goal->lanes &&
         (double) count_of (value, "elapsed") >= goal->seconds * 1e9;
}

static int
wait_for (const char *directory, int pid, const Goal *goal)
{
  gint64 deadline = g_get_monotonic_time () + (gint64) (goal->timeout * 1e6);

  for (;;)
    {
      g_autoptr (JsonParser) parser = json_parser_new ();
      gboolean ended;
      JsonObject *value = ask_status (directory, pid, parser, &ended);

      if (ended)
        return goal->end ? EXIT_OK : complain ("the recorder ended before it got so far");
      if (value != NULL && is_reached (goal, value))
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
  g_autofree char *directory = NULL;
  int status;

  if (!parse_options ("Waits until a running recorder has got so far.", NULL, entries, &argc, &argv,
                      &status))
    return status;
  if (goal.dispatches <= 0 && goal.lanes <= 0 && goal.seconds <= 0 && !goal.end)
    {
      complain ("say what to wait for: --for-dispatches, --for-lanes, --for-seconds or --until-end");
      return EXIT_USAGE;
    }
  directory = choose (&pid);
  return directory ? wait_for (directory, pid, &goal) : EXIT_FAILED;
}
