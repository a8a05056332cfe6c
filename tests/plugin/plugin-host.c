/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that uses plugins:
 *
 *   plugin-host [--async] [--twice] [--limit=MS] list|install FILE|remove NAME|kind KIND…
 *
 * Each plugin is a line of fields with tabs between: name, state, version, path, reason. Then come
 * the extensions, one a line.
 */

#include <locale.h>
#include <weft.h>

static void
print_names (GListModel *list, const char *noun, char *(*get_name) (gpointer))
{
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (GObject) extension = g_list_model_get_item (list, i);
      g_autofree char *name = get_name (extension);

      g_print ("%s\t%s\n", noun, name);
    }
}

static void
print_registry (WeftPluginRegistry *registry)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (registry)); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (registry), i);
      GEnumClass *states = g_type_class_ref (WEFT_TYPE_PLUGIN_STATE);
      const char *state = g_enum_get_value (states, weft_plugin_get_state (plugin))->value_nick;
      const char *version = weft_plugin_get_version (plugin);
      const char *reason = weft_plugin_get_reason (plugin);

      g_print ("plugin\t%s\t%s\t%s\t%s\t%s\n", weft_plugin_get_name (plugin), state,
               version != NULL ? version : "", weft_plugin_get_path (plugin),
               reason != NULL ? reason : "");
      g_type_class_unref (states);
    }
  print_names (weft_plugin_registry_get_domains (registry), "domain",
               (char *(*) (gpointer)) weft_domain_get_name);
  print_names (weft_plugin_registry_get_instruments (registry), "instrument",
               (char *(*) (gpointer)) weft_instrument_get_name);
  print_names (weft_plugin_registry_get_importers (registry), "importer",
               (char *(*) (gpointer)) weft_importer_get_name);
  print_names (weft_plugin_registry_get_exporters (registry), "exporter",
               (char *(*) (gpointer)) weft_exporter_get_name);
}

typedef struct
{
  GMainLoop *loop;
  gboolean done;
} Waiting;

static void
loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  Waiting *waiting = data;
  g_autoptr (GError) error = NULL;

  waiting->done = weft_plugin_registry_load_finish (WEFT_PLUGIN_REGISTRY (source), result, &error);
  g_assert_no_error (error);
  g_main_loop_quit (waiting->loop);
}

static void
refused_twice (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (weft_plugin_registry_load_finish (WEFT_PLUGIN_REGISTRY (source), result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
}

static void
load (WeftPluginRegistry *registry, gboolean is_async)
{
  g_autoptr (GError) error = NULL;
  Waiting waiting = { .loop = g_main_loop_new (NULL, FALSE) };

  if (is_async)
    {
      weft_plugin_registry_load_async (registry, NULL, loaded, &waiting);
      weft_plugin_registry_load_async (registry, NULL, refused_twice, NULL);
      g_main_loop_run (waiting.loop);
    }
  else
    waiting.done = weft_plugin_registry_load (registry, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (waiting.done);
  g_main_loop_unref (waiting.loop);
}

static void
print_kinds (WeftPluginRegistry *registry, char **kinds)
{
  g_autoptr (WeftVocabulary) words = weft_plugin_registry_get_vocabulary (registry);

  for (; *kinds != NULL; kinds++)
    {
      WeftDomain *domain = weft_plugin_registry_find_domain_for_kind (registry, *kinds);
      g_autofree char *name = domain != NULL ? weft_domain_get_name (domain) : g_strdup ("none");

      g_print ("%s\t%s\t%s\t%s\n", *kinds, name, weft_vocabulary_get_label (words, *kinds),
               weft_vocabulary_get_word (words, *kinds, "submission", TRUE));
    }
}

int
main (int argc, char **argv)
{
  gboolean is_async = FALSE, twice = FALSE;
  int limit = 0;
  const GOptionEntry entries[] = {
    { "async", 0, 0, G_OPTION_ARG_NONE, &is_async, "Do not block", NULL },
    { "twice", 0, 0, G_OPTION_ARG_NONE, &twice, "Look again", NULL },
    { "limit", 0, 0, G_OPTION_ARG_INT, &limit, "For each plugin", "MS" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("COMMAND");
  g_autoptr (WeftPluginRegistry) registry = NULL;
  g_autoptr (GError) error = NULL;
  const char *command;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_parse (options, &argc, &argv, &error);
  g_assert_no_error (error);
  g_assert_cmpint (argc, >, 1);
  command = argv[1];

  registry = weft_plugin_registry_new (NULL);
  if (limit > 0)
    g_object_set (registry, "probe-time-limit", limit, NULL);
  load (registry, is_async);
  if (twice)
    load (registry, is_async);
  if (g_str_equal (command, "kind"))
    print_kinds (registry, argv + 2);
  else if (g_str_equal (command, "install"))
    {
      g_autoptr (GFile) file = g_file_new_for_commandline_arg (argv[2]);
      g_autoptr (WeftPlugin) plugin = weft_plugin_registry_install (registry, file, NULL, &error);
    }
  else if (g_str_equal (command, "remove"))
    weft_plugin_registry_remove (registry, argv[2], &error);
  if (error != NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  if (!g_str_equal (command, "kind"))
    print_registry (registry);
  return 0;
}
