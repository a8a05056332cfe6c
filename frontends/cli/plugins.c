/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The plugins that are installed, what they bring, and why some are refused. */

#include "plugins.h"

#include <stdio.h>

#include "commands.h"
#include "json.h"
#include "text.h"

WeftPluginRegistry *
plugins_load (void)
{
  WeftPluginRegistry *registry = weft_plugin_registry_get_default ();

  /* Fails only if it is cancelled. */
  weft_plugin_registry_load (registry, NULL, NULL);
  return registry;
}

/* ---- What a plugin brings ---- */

typedef char *(*GetName) (gpointer extension);

static const struct
{
  const char *noun;
  const char *member;
  GListModel *(*get_list) (WeftPlugin *plugin);
  GetName get_name;
} points[] = {
  { "domain", "domains", weft_plugin_get_domains, (GetName) weft_domain_get_name },
  { "instrument", "instruments", weft_plugin_get_instruments, (GetName) weft_instrument_get_name },
  { "importer", "importers", weft_plugin_get_importers, (GetName) weft_importer_get_name },
  { "exporter", "exporters", weft_plugin_get_exporters, (GetName) weft_exporter_get_name },
};

/* Names of what PLUGIN brings at POINT. */
static GStrv
list_brought (WeftPlugin *plugin, gsize point)
{
  GListModel *list = points[point].get_list (plugin);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (GObject) extension = g_list_model_get_item (list, i);
      g_autofree char *name = points[point].get_name (extension);

      g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}

/* "domain executor, instrument preload" */
static char *
describe_brought (WeftPlugin *plugin)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize point = 0; point < G_N_ELEMENTS (points); point++)
    {
      g_auto (GStrv) names = list_brought (plugin, point);

      for (guint i = 0; names[i] != NULL; i++)
        g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", points[point].noun,
                                names[i]);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const char *
name_of_state (WeftPlugin *plugin)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (WEFT_TYPE_PLUGIN_STATE);

  return g_enum_get_value (states, weft_plugin_get_state (plugin))->value_nick;
}

/* ---- plugins ---- */

static void
print_plugin (WeftPlugin *plugin)
{
  const char *version = weft_plugin_get_version (plugin);
  const char *description = weft_plugin_get_description (plugin);
  const char *reason = weft_plugin_get_reason (plugin);
  g_autofree char *brought = describe_brought (plugin);

  text_print (stdout, "%s %s, %s\n", weft_plugin_get_name (plugin), version ? version : "?",
              name_of_state (plugin));
  if (description != NULL)
    text_wrap (stdout, 2, description);
  if (*brought != '\0')
    {
      g_autofree char *line = g_strconcat ("Brings ", brought, NULL);

      text_wrap (stdout, 2, line);
    }
  if (reason != NULL)
    text_wrap (stdout, 2, reason);
  text_print (stdout, "  %s\n", weft_plugin_get_path (plugin));
}

static void
add_plugin (JsonBuilder *builder, WeftPlugin *plugin)
{
  json_builder_begin_object (builder);
  json_add_string (builder, "name", weft_plugin_get_name (plugin));
  json_add_string (builder, "version", weft_plugin_get_version (plugin));
  json_add_string (builder, "state", name_of_state (plugin));
  json_add_string (builder, "reason", weft_plugin_get_reason (plugin));
  json_add_string (builder, "path", weft_plugin_get_path (plugin));
  json_add_string (builder, "description", weft_plugin_get_description (plugin));
  json_add_string (builder, "licence", weft_plugin_get_licence (plugin));
  for (gsize point = 0; point < G_N_ELEMENTS (points); point++)
    {
      g_auto (GStrv) names = list_brought (plugin, point);

      json_builder_set_member_name (builder, points[point].member);
      json_builder_begin_array (builder);
      for (guint i = 0; names[i] != NULL; i++)
        json_builder_add_string_value (builder, names[i]);
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
}

static void
print_none (WeftPluginRegistry *registry)
{
  const char *const *folders = weft_plugin_registry_get_search_path (registry);

  text_print (stdout, "No plugin is installed. Looked in:\n");
  for (guint i = 0; folders[i] != NULL; i++)
    text_print (stdout, "  %s\n", folders[i]);
}

int
command_plugins (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  JsonBuilder *builder;
  GListModel *plugins;
  int status;

  if (!parse_options ("Lists the plugins that are installed, what they bring, and why some are "
                      "refused.",
                      NULL, entries, &argc, &argv, &status))
    return status;
  plugins = G_LIST_MODEL (plugins_load ());
  builder = json ? json_answer_begin ("plugins", "rows") : NULL;
  for (guint i = 0; i < g_list_model_get_n_items (plugins); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (plugins, i);

      if (json)
        add_plugin (builder, plugin);
      else
        print_plugin (plugin);
    }
  if (json)
    json_answer_end (builder, "rows");
  else if (g_list_model_get_n_items (plugins) == 0)
    print_none (weft_plugin_registry_get_default ());
  return EXIT_OK;
}

/* ---- plugins install, plugins remove ---- */

/* The one word that is left; NULL after telling that there is another number of them. */
static const char *
parse_word (const char *summary, const char *word, int *argc, char ***argv, int *status)
{
  const GOptionEntry entries[] = { { NULL } };

  if (!parse_options (summary, word, entries, argc, argv, status))
    return NULL;
  if (*argc == 2)
    return (*argv)[1];
  complain ("name one %s (see “%s --help”)", g_str_equal (word, "FILE") ? "file" : "plugin",
            g_get_prgname ());
  *status = EXIT_USAGE;
  return NULL;
}

int
command_plugins_install (int argc, char **argv)
{
  int status;
  const char *path =
      parse_word ("Copies a plugin to the user's folder of plugins, if it can be loaded.", "FILE",
                  &argc, &argv, &status);
  g_autoptr (WeftPlugin) plugin = NULL;
  g_autoptr (GFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return status;
  file = g_file_new_for_commandline_arg (path);
  plugin = weft_plugin_registry_install (plugins_load (), file, NULL, &error);
  if (plugin == NULL)
    return complain ("%s", error->message);
  print_plugin (plugin);
  return EXIT_OK;
}

int
command_plugins_remove (int argc, char **argv)
{
  int status;
  const char *name = parse_word ("Deletes a plugin from the user's folder of plugins.", "NAME",
                                 &argc, &argv, &status);
  g_autoptr (GError) error = NULL;

  if (name == NULL)
    return status;
  if (!weft_plugin_registry_remove (plugins_load (), name, &error))
    return complain ("%s", error->message);
  return EXIT_OK;
}
