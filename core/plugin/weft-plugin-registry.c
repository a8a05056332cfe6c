/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin-registry.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-plugin-file.h"
#include "weft-plugin-private.h"
#include "weft-plugin-scan.h"

/* Milliseconds that a plugin has to be opened and initialised when it is tried out. */
#define TIME_LIMIT 10000

typedef enum
{
  DOMAINS,
  INSTRUMENTS,
  IMPORTERS,
  EXPORTERS,
  N_POINTS
} Point;

typedef char *(*GetName) (gpointer extension);
typedef GListModel *(*GetOfPlugin) (WeftPlugin *plugin);

/* The extension points, and how each is asked. */
static const struct
{
  const char *noun;
  GetName get_name;
  GetOfPlugin get_of_plugin;
} points[N_POINTS] = {
  [DOMAINS] = { "domain", (GetName) weft_domain_get_name, weft_plugin_get_domains },
  [INSTRUMENTS] = { "instrument", (GetName) weft_instrument_get_name, weft_plugin_get_instruments },
  [IMPORTERS] = { "importer", (GetName) weft_importer_get_name, weft_plugin_get_importers },
  [EXPORTERS] = { "exporter", (GetName) weft_exporter_get_name, weft_plugin_get_exporters },
};

/**
 * WeftPluginRegistry:
 *
 * Finds, tries out and loads plugins, and knows what they and the program itself bring.
 *
 * As a list model it consists of all [class@Plugin]s that were found, those that were refused with
 * the reason why. Loading never fails because of a plugin.
 *
 * Plugins are files `*.so` in the folders of `WEFT_PLUGIN_PATH` (separated by colons), in
 * `$XDG_DATA_HOME/weft/plugins` and in `weft-1/plugins` below the directory of libraries, in this
 * order; of several with the same name the first is used. A file not seen before is first loaded in
 * a process of its own, `weft-plugin-probe`; what that showed is kept in
 * `$XDG_CACHE_HOME/weft/plugins.json` until the file changes. `WEFT_PLUGIN_DISABLE` lists names of
 * plugins not to be used, separated by commas.
 *
 * A process with more rights than its user (set-uid, capabilities, sudo) uses no user's folder and
 * keeps no results; root loads no file that others than root could have written.
 *
 * A registry belongs to the main context: only [method@PluginRegistry.load_async] uses threads, and
 * even then plugins are initialised on the main context.
 *
 * Since: 0.1
 */
struct _WeftPluginRegistry
{
  GObject parent_instance;

  char **search_path;
  char *user_directory;
  guint probe_time_limit;
  GHashTable *disabled; /* names */
  GListStore *plugins;
  GListStore *extensions[N_POINTS];
  WeftVocabulary *vocabulary; /* of all domains; NULL: to be put together */
  gboolean is_loading;
};

enum
{
  PROP_0,
  PROP_SEARCH_PATH,
  PROP_PROBE_TIME_LIMIT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void weft_plugin_registry_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftPluginRegistry, weft_plugin_registry, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weft_plugin_registry_list_model_init))

static GType
weft_plugin_registry_get_item_type (GListModel *list)
{
  return WEFT_TYPE_PLUGIN;
}

static guint
weft_plugin_registry_get_n_items (GListModel *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (WEFT_PLUGIN_REGISTRY (list)->plugins));
}

static gpointer
weft_plugin_registry_get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (WEFT_PLUGIN_REGISTRY (list)->plugins), position);
}

static void
weft_plugin_registry_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weft_plugin_registry_get_item_type;
  interface->get_n_items = weft_plugin_registry_get_n_items;
  interface->get_item = weft_plugin_registry_get_item;
}

static void
weft_plugin_registry_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftPluginRegistry *self = WEFT_PLUGIN_REGISTRY (object);

  switch (id)
    {
    case PROP_SEARCH_PATH:
      g_value_set_boxed (value, self->search_path);
      break;
    case PROP_PROBE_TIME_LIMIT:
      g_value_set_uint (value, self->probe_time_limit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_plugin_registry_set_property (GObject *object, guint id, const GValue *value,
                                   GParamSpec *pspec)
{
  WeftPluginRegistry *self = WEFT_PLUGIN_REGISTRY (object);

  switch (id)
    {
    case PROP_SEARCH_PATH:
      self->search_path = g_value_dup_boxed (value);
      break;
    case PROP_PROBE_TIME_LIMIT:
      if (self->probe_time_limit != g_value_get_uint (value))
        {
          self->probe_time_limit = g_value_get_uint (value);
          g_object_notify_by_pspec (object, pspec);
        }
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_plugin_registry_constructed (GObject *object)
{
  WeftPluginRegistry *self = WEFT_PLUGIN_REGISTRY (object);
  const char *disabled = g_getenv ("WEFT_PLUGIN_DISABLE");
  g_auto (GStrv) names = g_strsplit (disabled != NULL ? disabled : "", ",", -1);

  for (guint i = 0; names[i] != NULL; i++)
    if (*g_strstrip (names[i]) != '\0')
      g_hash_table_add (self->disabled, g_strdup (names[i]));
  if (self->search_path == NULL)
    self->search_path = weft_plugin_default_search_path ();
  if (weft_privilege_of_process () != WEFT_PRIVILEGE_ELEVATED)
    self->user_directory = weft_plugin_user_directory ();

  G_OBJECT_CLASS (weft_plugin_registry_parent_class)->constructed (object);
}

static void
weft_plugin_registry_finalize (GObject *object)
{
  WeftPluginRegistry *self = WEFT_PLUGIN_REGISTRY (object);

  g_strfreev (self->search_path);
  g_free (self->user_directory);
  g_hash_table_unref (self->disabled);
  g_object_unref (self->plugins);
  for (guint i = 0; i < N_POINTS; i++)
    g_object_unref (self->extensions[i]);
  g_clear_object (&self->vocabulary);

  G_OBJECT_CLASS (weft_plugin_registry_parent_class)->finalize (object);
}

static void
weft_plugin_registry_class_init (WeftPluginRegistryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = weft_plugin_registry_constructed;
  object_class->get_property = weft_plugin_registry_get_property;
  object_class->set_property = weft_plugin_registry_set_property;
  object_class->finalize = weft_plugin_registry_finalize;

  /**
   * WeftPluginRegistry:search-path:
   *
   * The folders that plugins are looked for in, in this order.
   *
   * Since: 0.1
   */
  properties[PROP_SEARCH_PATH] =
      g_param_spec_boxed ("search-path", NULL, NULL, G_TYPE_STRV,
                          G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * WeftPluginRegistry:probe-time-limit:
   *
   * How long a plugin may take to be opened and initialised when it is tried out, in milliseconds.
   *
   * Since: 0.1
   */
  properties[PROP_PROBE_TIME_LIMIT] =
      g_param_spec_uint ("probe-time-limit", NULL, NULL, 1, G_MAXINT, TIME_LIMIT,
                         G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
items_changed (GListModel *plugins, guint position, guint removed, guint added,
               WeftPluginRegistry *self)
{
  g_list_model_items_changed (G_LIST_MODEL (self), position, removed, added);
}

static void
weft_plugin_registry_init (WeftPluginRegistry *self)
{
  self->probe_time_limit = TIME_LIMIT;
  self->disabled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->plugins = g_list_store_new (WEFT_TYPE_PLUGIN);
  self->extensions[DOMAINS] = g_list_store_new (WEFT_TYPE_DOMAIN);
  self->extensions[INSTRUMENTS] = g_list_store_new (WEFT_TYPE_INSTRUMENT);
  self->extensions[IMPORTERS] = g_list_store_new (WEFT_TYPE_IMPORTER);
  self->extensions[EXPORTERS] = g_list_store_new (WEFT_TYPE_EXPORTER);
  g_signal_connect_object (self->plugins, "items-changed", G_CALLBACK (items_changed), self, 0);
}

/**
 * weft_plugin_registry_get_default:
 *
 * The registry of this program. It is empty until it is loaded.
 *
 * Returns: (transfer none): the registry
 *
 * Since: 0.1
 */
WeftPluginRegistry *
weft_plugin_registry_get_default (void)
{
  static WeftPluginRegistry *registry;

  if (g_once_init_enter (&registry))
    {
      WeftPluginRegistry *made = weft_plugin_registry_new (NULL);

      g_once_init_leave (&registry, made);
    }
  return registry;
}

/**
 * weft_plugin_registry_new:
 * @search_path: (nullable) (array zero-terminated=1): folders to look in, as absolute paths; %NULL
 *   for those that [class@PluginRegistry] names
 *
 * Returns: (transfer full): a registry apart from that of the program
 *
 * Since: 0.1
 */
WeftPluginRegistry *
weft_plugin_registry_new (const char *const *search_path)
{
  return g_object_new (WEFT_TYPE_PLUGIN_REGISTRY, "search-path", search_path, NULL);
}

/**
 * weft_plugin_registry_get_search_path:
 * @self: a registry
 *
 * Returns: (transfer none) (array zero-terminated=1): the folders that it looks in, in this order
 *
 * Since: 0.1
 */
const char *const *
weft_plugin_registry_get_search_path (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return (const char *const *) self->search_path;
}

/**
 * weft_plugin_registry_get_user_directory:
 * @self: a registry
 *
 * Returns: (transfer none) (nullable) (type filename): where plugins are installed to; %NULL in a
 *   process that has more rights than its user
 *
 * Since: 0.1
 */
const char *
weft_plugin_registry_get_user_directory (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return self->user_directory;
}

/**
 * weft_plugin_registry_disable:
 * @self: a registry
 * @name: name of a plugin
 *
 * Has a plugin not be loaded. One that is loaded already stays.
 *
 * Since: 0.1
 */
void
weft_plugin_registry_disable (WeftPluginRegistry *self, const char *name)
{
  g_return_if_fail (WEFT_IS_PLUGIN_REGISTRY (self));
  g_return_if_fail (name != NULL);

  g_hash_table_add (self->disabled, g_strdup (name));
}

/* ---- Extensions ---- */

static gpointer
find_extension (WeftPluginRegistry *self, Point point, const char *name)
{
  GListModel *list = G_LIST_MODEL (self->extensions[point]);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (GObject) extension = g_list_model_get_item (list, i);
      g_autofree char *own = points[point].get_name (extension);

      /* The list holds it. */
      if (g_str_equal (own, name))
        return extension;
    }
  return NULL;
}

static gboolean
check_free (WeftPluginRegistry *self, Point point, gpointer extension, GError **error)
{
  g_autofree char *name = points[point].get_name (extension);

  if (!weft_plugin_name_is_sound (name))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "“%s” is no name for the %s: a name begins with a letter and has lower case "
                   "letters, digits and dashes",
                   name, points[point].noun);
      return FALSE;
    }
  if (find_extension (self, point, name) != NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "There is %s %s “%s” already",
                   strchr ("aeiou", *points[point].noun) != NULL ? "an" : "a", points[point].noun,
                   name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
add_extension (WeftPluginRegistry *self, Point point, gpointer extension, GError **error)
{
  if (!check_free (self, point, extension, error))
    return FALSE;
  g_clear_object (&self->vocabulary);
  g_list_store_append (self->extensions[point], extension);
  return TRUE;
}

static void
remove_extensions_of (WeftPluginRegistry *self, WeftPlugin *plugin)
{
  for (Point point = 0; point < N_POINTS; point++)
    {
      GListModel *list = points[point].get_of_plugin (plugin);

      for (guint i = 0; i < g_list_model_get_n_items (list); i++)
        {
          g_autoptr (GObject) extension = g_list_model_get_item (list, i);
          guint position;

          if (g_list_store_find (self->extensions[point], extension, &position))
            g_list_store_remove (self->extensions[point], position);
        }
    }
  g_clear_object (&self->vocabulary);
}

/* All or nothing. */
static gboolean
add_extensions_of (WeftPluginRegistry *self, WeftPlugin *plugin, GError **error)
{
  for (Point point = 0; point < N_POINTS; point++)
    {
      GListModel *list = points[point].get_of_plugin (plugin);

      for (guint i = 0; i < g_list_model_get_n_items (list); i++)
        {
          g_autoptr (GObject) extension = g_list_model_get_item (list, i);

          if (!add_extension (self, point, extension, error))
            {
              remove_extensions_of (self, plugin);
              return FALSE;
            }
        }
    }
  return TRUE;
}

/* ---- Loading ---- */

static WeftPlugin *
find_loaded (WeftPluginRegistry *self, const char *name)
{
  WeftPlugin *plugin = weft_plugin_registry_find_plugin (self, name);

  return plugin != NULL && weft_plugin_get_state (plugin) == WEFT_PLUGIN_LOADED ? plugin : NULL;
}

static gboolean
load_plugin (WeftPluginRegistry *self, WeftPlugin *plugin, const char *identity, GError **error)
{
  const char *path = weft_plugin_get_path (plugin);
  const WeftPluginDescriptor *descriptor;
  g_autofree char *now = NULL;
  GModule *module;

  /* Nothing else than what was tried out. */
  now = weft_plugin_file_identify (path, error);
  if (now == NULL)
    return FALSE;
  if (!g_str_equal (now, identity))
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "It changed while it was being loaded; load it again");
      return FALSE;
    }
  module = weft_plugin_file_open (path, FALSE, error);
  if (module == NULL)
    return FALSE;
  descriptor = weft_plugin_file_describe (plugin, module, error);
  return descriptor != NULL && weft_plugin_initialize (plugin, descriptor, error) &&
         add_extensions_of (self, plugin, error);
}

/* Loads what is good, and lists all. */
static void
adopt (WeftPluginRegistry *self, WeftPluginCandidate *candidate)
{
  WeftPlugin *plugin = candidate->plugin;
  g_autoptr (GError) error = NULL;
  WeftPlugin *first;

  if (candidate->is_good)
    {
      first = find_loaded (self, weft_plugin_get_name (plugin));
      if (first != NULL)
        {
          const gboolean is_newer =
              g_str_equal (weft_plugin_get_path (plugin), weft_plugin_get_path (first));
          g_autofree char *reason = g_strdup_printf (
              is_newer ? "Version %s of it is in use until this program ends (“%s”)"
                       : "Another plugin of this name came first: version %s, “%s”",
              weft_plugin_get_version (first), weft_plugin_get_path (first));

          weft_plugin_refuse (plugin, reason);
        }
      else if (load_plugin (self, plugin, candidate->identity, &error))
        weft_plugin_set_loaded (plugin);
      else
        weft_plugin_refuse (plugin, error->message);
    }
  g_list_store_append (self->plugins, plugin);
}

static void
add_key (gpointer key, gpointer value, gpointer set)
{
  g_hash_table_add (set, g_strdup (key));
}

/* What is to be looked at: all but what is loaded. What was refused may have changed. */
static WeftPluginScan *
scan_new (WeftPluginRegistry *self)
{
  WeftPluginScan *scan = weft_plugin_scan_new ();

  scan->search_path = g_strdupv (self->search_path);
  scan->time_limit = self->probe_time_limit;
  scan->cache_path = weft_plugin_cache_default_path ();
  g_hash_table_foreach (self->disabled, add_key, scan->disabled);
  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->plugins)); i > 0; i--)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (self->plugins), i - 1);

      if (weft_plugin_get_state (plugin) == WEFT_PLUGIN_LOADED)
        g_hash_table_add (scan->known, g_strdup (weft_plugin_get_path (plugin)));
    }
  return scan;
}

static void
adopt_all (WeftPluginRegistry *self, WeftPluginScan *scan)
{
  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->plugins)); i > 0; i--)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (self->plugins), i - 1);

      if (weft_plugin_get_state (plugin) != WEFT_PLUGIN_LOADED)
        g_list_store_remove (self->plugins, i - 1);
    }
  for (guint i = 0; i < scan->found->len; i++)
    adopt (self, g_ptr_array_index (scan->found, i));
}

static gboolean
begin_loading (WeftPluginRegistry *self, GError **error)
{
  if (self->is_loading)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING,
                           "Plugins are being loaded already; wait for that");
      return FALSE;
    }
  self->is_loading = TRUE;
  return TRUE;
}

/**
 * weft_plugin_registry_load:
 * @self: a registry
 * @cancellable: (nullable): a cancellable
 * @error: where to say that it was cancelled
 *
 * Finds plugins and loads those that can be. What came of each is told by the list; a plugin that
 * is refused is no error. Calling it again finds files that came since; what is loaded stays.
 *
 * Blocks while files not seen before are tried out, some milliseconds each. Call it on the main
 * context.
 *
 * Fails with %G_IO_ERROR_CANCELLED, or %G_IO_ERROR_PENDING if plugins are being loaded already.
 *
 * Returns: whether all were looked at
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_load (WeftPluginRegistry *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPluginScan) scan = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);

  if (!begin_loading (self, error))
    return FALSE;
  scan = scan_new (self);
  done = weft_plugin_scan_run (scan, cancellable, error);
  if (done)
    adopt_all (self, scan);
  self->is_loading = FALSE;
  return done;
}

static void
scan_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (weft_plugin_scan_run (data, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
scanned (GObject *source, GAsyncResult *result, gpointer data)
{
  WeftPluginRegistry *self = WEFT_PLUGIN_REGISTRY (source);
  g_autoptr (GTask) task = data;
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    adopt_all (self, g_task_get_task_data (G_TASK (result)));
  self->is_loading = FALSE;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * weft_plugin_registry_load_async:
 * @self: a registry
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when all were looked at
 * @user_data: (closure): for @callback
 *
 * Does what [method@PluginRegistry.load] does, but has files looked at and tried out in a thread.
 *
 * Since: 0.1
 */
void
weft_plugin_registry_load_async (WeftPluginRegistry *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GTask) scanning = NULL;
  GError *error = NULL;

  g_return_if_fail (WEFT_IS_PLUGIN_REGISTRY (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_plugin_registry_load_async);
  if (!begin_loading (self, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  scanning = g_task_new (self, cancellable, scanned, g_steal_pointer (&task));
  g_task_set_task_data (scanning, scan_new (self), (GDestroyNotify) weft_plugin_scan_free);
  g_task_run_in_thread (scanning, scan_in_thread);
}

/**
 * weft_plugin_registry_load_finish:
 * @self: a registry
 * @result: what the callback got
 * @error: where to say that it was cancelled
 *
 * Ends [method@PluginRegistry.load_async].
 *
 * Returns: whether all were looked at
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_load_finish (WeftPluginRegistry *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Asking ---- */

/**
 * weft_plugin_registry_find_plugin:
 * @self: a registry
 * @name: name of a plugin
 *
 * Returns: (transfer none) (nullable): the plugin of this name that is loaded, else the first that
 *   was found
 *
 * Since: 0.1
 */
WeftPlugin *
weft_plugin_registry_find_plugin (WeftPluginRegistry *self, const char *name)
{
  WeftPlugin *found = NULL;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->plugins)); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (self->plugins), i);

      if (!g_str_equal (weft_plugin_get_name (plugin), name))
        continue;
      if (weft_plugin_get_state (plugin) == WEFT_PLUGIN_LOADED)
        return plugin;
      if (found == NULL)
        found = plugin;
    }
  return found;
}

/**
 * weft_plugin_registry_get_domains:
 * @self: a registry
 *
 * Returns: (transfer none): all [iface@Domain]s, of plugins and of the program
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_registry_get_domains (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return G_LIST_MODEL (self->extensions[DOMAINS]);
}

/**
 * weft_plugin_registry_get_instruments:
 * @self: a registry
 *
 * Returns: (transfer none): all [iface@Instrument]s, of plugins and of the program
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_registry_get_instruments (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return G_LIST_MODEL (self->extensions[INSTRUMENTS]);
}

/**
 * weft_plugin_registry_get_importers:
 * @self: a registry
 *
 * Returns: (transfer none): all [iface@Importer]s, of plugins and of the program
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_registry_get_importers (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return G_LIST_MODEL (self->extensions[IMPORTERS]);
}

/**
 * weft_plugin_registry_get_exporters:
 * @self: a registry
 *
 * Returns: (transfer none): all [iface@Exporter]s, of plugins and of the program
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_registry_get_exporters (WeftPluginRegistry *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  return G_LIST_MODEL (self->extensions[EXPORTERS]);
}

/**
 * weft_plugin_registry_find_domain:
 * @self: a registry
 * @name: name of a domain
 *
 * Returns: (transfer none) (nullable): the domain of this name
 *
 * Since: 0.1
 */
WeftDomain *
weft_plugin_registry_find_domain (WeftPluginRegistry *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return find_extension (self, DOMAINS, name);
}

/**
 * weft_plugin_registry_find_instrument:
 * @self: a registry
 * @name: name of an instrument
 *
 * Returns: (transfer none) (nullable): the instrument of this name
 *
 * Since: 0.1
 */
WeftInstrument *
weft_plugin_registry_find_instrument (WeftPluginRegistry *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return find_extension (self, INSTRUMENTS, name);
}

/**
 * weft_plugin_registry_find_importer:
 * @self: a registry
 * @name: name of an importer
 *
 * Returns: (transfer none) (nullable): the importer of this name
 *
 * Since: 0.1
 */
WeftImporter *
weft_plugin_registry_find_importer (WeftPluginRegistry *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return find_extension (self, IMPORTERS, name);
}

/**
 * weft_plugin_registry_find_exporter:
 * @self: a registry
 * @name: name of an exporter
 *
 * Returns: (transfer none) (nullable): the exporter of this name
 *
 * Since: 0.1
 */
WeftExporter *
weft_plugin_registry_find_exporter (WeftPluginRegistry *self, const char *name)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return find_extension (self, EXPORTERS, name);
}

static WeftVocabulary *
own_vocabulary (WeftPluginRegistry *self)
{
  GListModel *domains = G_LIST_MODEL (self->extensions[DOMAINS]);

  if (self->vocabulary != NULL)
    return self->vocabulary;
  self->vocabulary = weft_vocabulary_new (NULL);
  for (guint i = 0; i < g_list_model_get_n_items (domains); i++)
    {
      g_autoptr (WeftDomain) domain = g_list_model_get_item (domains, i);
      g_autoptr (WeftVocabulary) words = weft_domain_get_vocabulary (domain);

      weft_vocabulary_merge (self->vocabulary, words);
    }
  return self->vocabulary;
}

/**
 * weft_plugin_registry_get_vocabulary:
 * @self: a registry
 *
 * Returns: (transfer full): the words of all domains, as a copy
 *
 * Since: 0.1
 */
WeftVocabulary *
weft_plugin_registry_get_vocabulary (WeftPluginRegistry *self)
{
  WeftVocabulary *copy;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);

  copy = weft_vocabulary_new (NULL);
  weft_vocabulary_merge (copy, own_vocabulary (self));
  return copy;
}

/**
 * weft_plugin_registry_find_domain_for_kind:
 * @self: a registry
 * @kind: a lane kind
 *
 * Returns: (transfer none) (nullable): the domain that describes @kind most closely
 *
 * Since: 0.1
 */
WeftDomain *
weft_plugin_registry_find_domain_for_kind (WeftPluginRegistry *self, const char *kind)
{
  g_autofree char *first_word = NULL;
  const char *name;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  name = weft_vocabulary_find_domain (own_vocabulary (self), kind);
  first_word = g_strndup (kind, strcspn (kind, "."));
  return find_extension (self, DOMAINS, name != NULL ? name : first_word);
}

/* Of those that read several files, if ONLY_FILES is set. */
static void
find_surest (WeftPluginRegistry *self, GBytes *head, const char *filename, gboolean only_files,
             WeftImporter **best, guint *most)
{
  GListModel *importers = G_LIST_MODEL (self->extensions[IMPORTERS]);

  for (guint i = 0; i < g_list_model_get_n_items (importers); i++)
    {
      g_autoptr (WeftImporter) importer = g_list_model_get_item (importers, i);
      guint sure = 0;

      if (!only_files || WEFT_IMPORTER_GET_IFACE (importer)->import_files != NULL)
        sure = weft_importer_recognizes (importer, head, filename);
      if (sure > *most)
        {
          *most = sure;
          *best = importer;
        }
    }
}

/**
 * weft_plugin_registry_recognize:
 * @self: a registry
 * @head: the first bytes of a file, 64 KiB or all it has
 * @filename: (nullable): name of the file, without its folder
 *
 * Returns: (transfer none) (nullable): the importer that is most sure that the file is for it
 *
 * Since: 0.1
 */
WeftImporter *
weft_plugin_registry_recognize (WeftPluginRegistry *self, GBytes *head, const char *filename)
{
  WeftImporter *best = NULL;
  guint most = 0;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (head != NULL, NULL);

  find_surest (self, head, filename, FALSE, &best, &most);
  return best;
}

#define HEAD_SIZE 65536
#define MAX_FILES 4096 /* of a folder that are looked at */

static GBytes *
read_head (GFile *file, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autofree char *head = g_malloc (HEAD_SIZE);
  gsize n;

  if (stream == NULL ||
      !g_input_stream_read_all (G_INPUT_STREAM (stream), head, HEAD_SIZE, &n, cancellable, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&head), n);
}

/* The importer that is most sure of one of the regular files in a folder. */
static WeftImporter *
recognize_folder (WeftPluginRegistry *self, GFile *folder, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (GFileEnumerator) children = g_file_enumerate_children (
      folder, "standard::name,standard::type", G_FILE_QUERY_INFO_NONE, cancellable, error);
  WeftImporter *best = NULL;
  guint most = 0;

  for (guint i = 0; children != NULL && i < MAX_FILES; i++)
    {
      g_autoptr (GBytes) head = NULL;
      GFileInfo *info;
      GFile *child;

      if (!g_file_enumerator_iterate (children, &info, &child, cancellable, error))
        return NULL;
      if (info == NULL)
        break;
      if (g_file_info_get_file_type (info) == G_FILE_TYPE_REGULAR)
        head = read_head (child, cancellable, NULL);
      if (head != NULL)
        find_surest (self, head, g_file_info_get_name (info), TRUE, &best, &most);
    }
  return best;
}

/**
 * weft_plugin_registry_recognize_file:
 * @self: a registry
 * @file: a file, or a folder of files
 * @cancellable: (nullable): a cancellable
 * @error: where to say why it cannot be read
 *
 * Looks at a file: at its first 64 KiB and its name. A folder is for the importer that is most sure
 * of one of the files in it; only importers that read several files take folders.
 *
 * Returns: (transfer none) (nullable): the importer that is most sure that the file is for it;
 * %NULL without an error if there is none
 *
 * Since: 0.1
 */
WeftImporter *
weft_plugin_registry_recognize_file (WeftPluginRegistry *self, GFile *file,
                                     GCancellable *cancellable, GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (GBytes) head = NULL;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (G_IS_FILE (file), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, cancellable) == G_FILE_TYPE_DIRECTORY)
    return recognize_folder (self, file, cancellable, error);
  head = read_head (file, cancellable, error);
  name = g_file_get_basename (file);
  return head != NULL ? weft_plugin_registry_recognize (self, head, name) : NULL;
}

/* ---- Registering what the program itself brings ---- */

/**
 * weft_plugin_registry_register_domain:
 * @self: a registry
 * @domain: (transfer none): what the program brings
 * @error: where to say why not
 *
 * Adds a domain that comes from the program itself, such as one written in Python.
 *
 * Fails with %WEFT_ERROR_PLUGIN if its name is taken or none.
 *
 * Returns: whether it was added
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_register_domain (WeftPluginRegistry *self, WeftDomain *domain, GError **error)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (WEFT_IS_DOMAIN (domain), FALSE);

  return add_extension (self, DOMAINS, domain, error);
}

/**
 * weft_plugin_registry_register_instrument:
 * @self: a registry
 * @instrument: (transfer none): what the program brings
 * @error: where to say why not
 *
 * Adds an instrument that comes from the program itself, such as one written in Python.
 *
 * Fails with %WEFT_ERROR_PLUGIN if its name is taken or none.
 *
 * Returns: whether it was added
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_register_instrument (WeftPluginRegistry *self, WeftInstrument *instrument,
                                          GError **error)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (WEFT_IS_INSTRUMENT (instrument), FALSE);

  return add_extension (self, INSTRUMENTS, instrument, error);
}

/**
 * weft_plugin_registry_register_importer:
 * @self: a registry
 * @importer: (transfer none): what the program brings
 * @error: where to say why not
 *
 * Adds an importer that comes from the program itself, such as one written in Python.
 *
 * Fails with %WEFT_ERROR_PLUGIN if its name is taken or none.
 *
 * Returns: whether it was added
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_register_importer (WeftPluginRegistry *self, WeftImporter *importer,
                                        GError **error)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (WEFT_IS_IMPORTER (importer), FALSE);

  return add_extension (self, IMPORTERS, importer, error);
}

/**
 * weft_plugin_registry_register_exporter:
 * @self: a registry
 * @exporter: (transfer none): what the program brings
 * @error: where to say why not
 *
 * Adds an exporter that comes from the program itself, such as one written in Python.
 *
 * Fails with %WEFT_ERROR_PLUGIN if its name is taken or none.
 *
 * Returns: whether it was added
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_register_exporter (WeftPluginRegistry *self, WeftExporter *exporter,
                                        GError **error)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (WEFT_IS_EXPORTER (exporter), FALSE);

  return add_extension (self, EXPORTERS, exporter, error);
}

/* ---- Installing and removing ---- */

static gboolean
check_user_directory (WeftPluginRegistry *self, GError **error)
{
  if (self->user_directory == NULL)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "A process with more rights than its user changes no plugins; do it as "
                           "the user, without sudo");
      return FALSE;
    }
  return TRUE;
}

/* A copy that nobody finds yet: names that begin with a dot are not looked at. */
static char *
copy_to_user_directory (WeftPluginRegistry *self, GFile *file, GCancellable *cancellable,
                        GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GFile) copy = NULL;
  int fd;

  if (g_mkdir_with_parents (self->user_directory, 0755) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot make “%s”: %s",
                   self->user_directory, g_strerror (errno));
      return NULL;
    }
  path = g_build_filename (self->user_directory, ".incoming-XXXXXX", NULL);
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot write to “%s”: %s",
                   self->user_directory, g_strerror (errno));
      return NULL;
    }
  copy = g_file_new_for_path (path);
  if (!g_file_copy (file, copy, G_FILE_COPY_OVERWRITE | G_FILE_COPY_TARGET_DEFAULT_PERMS,
                    cancellable, NULL, NULL, error))
    {
      close (fd);
      g_unlink (path);
      return NULL;
    }
  close (fd);
  g_chmod (path, 0644);
  return g_steal_pointer (&path);
}

static gboolean
move_into_place (WeftPluginCandidate *candidate, const char *path, GError **error)
{
  if (g_rename (weft_plugin_get_path (candidate->plugin), path) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot write “%s”: %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  weft_plugin_set_path (candidate->plugin, path);
  return TRUE;
}

/* What the list says of PATH holds no longer; what is loaded stays in use. */
static void
forget_file (WeftPluginRegistry *self, const char *path)
{
  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->plugins)); i > 0; i--)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (self->plugins), i - 1);

      if (weft_plugin_get_state (plugin) != WEFT_PLUGIN_LOADED &&
          g_strcmp0 (weft_plugin_get_path (plugin), path) == 0)
        g_list_store_remove (self->plugins, i - 1);
    }
}

static WeftPlugin *
install_copy (WeftPluginRegistry *self, const char *copy, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPluginScan) scan = scan_new (self);
  g_autoptr (WeftPluginCache) cache = weft_plugin_cache_new (scan->cache_path);
  g_autofree char *name = NULL, *path = NULL;
  WeftPluginCandidate *candidate;

  if (!weft_plugin_scan_file (scan, cache, copy, cancellable, error))
    return NULL;
  candidate = g_ptr_array_index (scan->found, 0);
  if (weft_plugin_get_state (candidate->plugin) == WEFT_PLUGIN_REFUSED)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "The plugin was not installed. %s",
                   weft_plugin_get_reason (candidate->plugin));
      return NULL;
    }
  name = g_strconcat (weft_plugin_get_name (candidate->plugin), ".so", NULL);
  path = g_build_filename (self->user_directory, name, NULL);
  if (!move_into_place (candidate, path, error))
    return NULL;
  weft_plugin_cache_save (cache);
  forget_file (self, path);
  adopt (self, candidate);
  return g_object_ref (candidate->plugin);
}

/**
 * weft_plugin_registry_install:
 * @self: a registry
 * @file: a plugin
 * @cancellable: (nullable): a cancellable
 * @error: where to say why not
 *
 * Copies a plugin to the user's directory, as `NAME.so`, if it can be loaded, and loads it. A
 * plugin of the same name that is in use stays so until the program ends.
 *
 * Fails with %WEFT_ERROR_PLUGIN if the plugin was refused, or as files do.
 *
 * Returns: (transfer full): the plugin as it is listed now
 *
 * Since: 0.1
 */
WeftPlugin *
weft_plugin_registry_install (WeftPluginRegistry *self, GFile *file, GCancellable *cancellable,
                              GError **error)
{
  g_autofree char *copy = NULL;
  WeftPlugin *plugin;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), NULL);
  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (!check_user_directory (self, error))
    return NULL;
  copy = copy_to_user_directory (self, file, cancellable, error);
  if (copy == NULL)
    return NULL;
  plugin = install_copy (self, copy, cancellable, error);
  if (plugin == NULL)
    g_unlink (copy);
  return plugin;
}

static gboolean
is_users (WeftPluginRegistry *self, WeftPlugin *plugin)
{
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));

  return g_str_equal (folder, self->user_directory);
}

/* The listed plugin called NAME in the user's directory. */
static WeftPlugin *
find_users (WeftPluginRegistry *self, const char *name)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->plugins)); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (self->plugins), i);

      /* The list holds it. */
      if (g_str_equal (weft_plugin_get_name (plugin), name) && is_users (self, plugin))
        return plugin;
    }
  return NULL;
}

/**
 * weft_plugin_registry_remove:
 * @self: a registry
 * @name: name of a plugin
 * @error: where to say why not
 *
 * Deletes a plugin from the user's directory, and what it brought from the lists. Plugins elsewhere
 * are never touched.
 *
 * Fails with %WEFT_ERROR_PLUGIN if the user's directory has no plugin of this name, or as files do.
 *
 * Returns: whether it was removed
 *
 * Since: 0.1
 */
gboolean
weft_plugin_registry_remove (WeftPluginRegistry *self, const char *name, GError **error)
{
  g_autofree char *path = NULL;
  WeftPlugin *plugin, *other;

  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (self), FALSE);
  g_return_val_if_fail (name != NULL && strchr (name, G_DIR_SEPARATOR) == NULL, FALSE);

  if (!check_user_directory (self, error))
    return FALSE;
  plugin = find_users (self, name);
  path = plugin != NULL ? g_strdup (weft_plugin_get_path (plugin))
                        : g_strdup_printf ("%s/%s.so", self->user_directory, name);
  if (g_unlink (path) != 0)
    {
      const int failure = errno;

      other = weft_plugin_registry_find_plugin (self, name);
      if (failure == ENOENT && other != NULL && plugin == NULL)
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                     "“%s” is “%s”, outside your own folder; remove it the way it came there", name,
                     weft_plugin_get_path (other));
      else
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "Cannot remove “%s”: %s", path,
                     g_strerror (failure));
      return FALSE;
    }
  if (plugin != NULL)
    {
      guint position;

      remove_extensions_of (self, plugin);
      if (g_list_store_find (self->plugins, plugin, &position))
        g_list_store_remove (self->plugins, position);
    }
  return TRUE;
}
