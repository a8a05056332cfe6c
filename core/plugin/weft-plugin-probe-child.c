/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process that tries a plugin out. It says what it is about to do before it does it, one JSON
 * object a line; the last line tells how it went, or where the process ended.
 */

#include "weft-plugin-probe.h"

#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-plugin-file.h"
#include "weft-plugin-private.h"

#define MEMORY_LIMIT (8ull << 30)

static void
add_member (JsonBuilder *builder, const char *name, const char *text)
{
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
write_line (int fd, JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *json = json_to_string (root, FALSE);
  g_autofree char *line = g_strconcat (json, "\n", NULL);
  gsize length = strlen (line);

  for (gsize done = 0; done < length;)
    {
      ssize_t n = write (fd, line + done, length - done);

      if (n <= 0)
        _exit (EXIT_FAILURE);
      done += n;
    }
}

static void
tell_stage (int fd, const char *stage)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_member (builder, "stage", stage);
  json_builder_end_object (builder);
  write_line (fd, builder);
}

static void
tell_result (int fd, WeftPlugin *plugin, WeftProbeVerdict verdict, const GError *error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_member (builder, "verdict", weft_probe_verdict_to_text (verdict));
  add_member (builder, "name", weft_plugin_get_name (plugin));
  add_member (builder, "version", weft_plugin_get_version (plugin));
  add_member (builder, "description", weft_plugin_get_description (plugin));
  add_member (builder, "licence", weft_plugin_get_licence (plugin));
  add_member (builder, "reason", error != NULL ? error->message : NULL);
  json_builder_end_object (builder);
  write_line (fd, builder);
}

static void
limit (int resource, rlim_t most)
{
  struct rlimit old;

  if (getrlimit (resource, &old) == 0 && (old.rlim_max == RLIM_INFINITY || most < old.rlim_max))
    setrlimit (resource, &(struct rlimit){ most, most });
}

static void
confine (guint seconds)
{
  static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGXCPU };

  /* Whoever tries it out must see it crash, also where a sanitizer catches that. */
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], SIG_DFL);
  setsid ();
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit (RLIMIT_CORE, 0);
  limit (RLIMIT_CPU, seconds + 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit (RLIMIT_AS, MEMORY_LIMIT);
#endif
}

/* Where the report goes. What the plugin prints goes where errors go. */
static int
take_output (void)
{
  int fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);

  if (fd < 0 || dup2 (STDERR_FILENO, STDOUT_FILENO) < 0)
    _exit (EXIT_FAILURE);
  return fd;
}

static WeftProbeVerdict
try_out (int fd, WeftPlugin *plugin, const char *path, GError **error)
{
  const WeftPluginDescriptor *descriptor;
  GModule *module;

  tell_stage (fd, "open");
  module = weft_plugin_file_open (path, TRUE, error);
  if (module == NULL)
    return WEFT_PROBE_FAILED;
  descriptor = weft_plugin_file_describe (plugin, module, error);
  if (descriptor == NULL)
    return WEFT_PROBE_BROKEN;
  tell_stage (fd, "init");
  return weft_plugin_initialize (plugin, descriptor, error) ? WEFT_PROBE_GOOD : WEFT_PROBE_FAILED;
}

int
weft_plugin_probe_main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  WeftPlugin *plugin;
  WeftProbeVerdict verdict;
  int fd;

  if (argc != 3)
    {
      g_printerr ("Usage: weft-plugin-probe FILE SECONDS\n"
                  "Tries a plugin out; Weft runs it for each file that it has not seen before.\n");
      return 2;
    }
  fd = take_output ();
  confine (atoi (argv[2]));
  plugin = weft_plugin_new (argv[1]);
  verdict = try_out (fd, plugin, argv[1], &error);
  tell_result (fd, plugin, verdict, error);

  /* What it would do at exit is not asked. */
  _exit (EXIT_SUCCESS);
}
