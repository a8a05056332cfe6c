/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-error.h"
#include "weft-plugin-private.h"

/* A descriptor's texts are shown to people; longer ones are not meant well. */
#define MAX_TEXT 1024
#define MAX_NAME 64

/**
 * WeftPlugin:
 *
 * A file that was found where plugins are: what it says of itself, whether it is in use, and what
 * it brought.
 *
 * While a plugin is initialised it registers its objects with [method@Plugin.add_domain] and the
 * like.
 *
 * Since: 0.1
 */
struct _WeftPlugin
{
  GObject parent_instance;

  char *name;
  char *version;
  char *description;
  char *licence;
  char *path;
  WeftPluginState state;
  char *reason;

  GListStore *domains;
  GListStore *instruments;
  GListStore *importers;
  GListStore *exporters;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_VERSION,
  PROP_DESCRIPTION,
  PROP_LICENCE,
  PROP_PATH,
  PROP_STATE,
  PROP_REASON,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftPlugin, weft_plugin, G_TYPE_OBJECT)

static void
weft_plugin_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftPlugin *self = WEFT_PLUGIN (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_VERSION:
      g_value_set_string (value, self->version);
      break;
    case PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case PROP_LICENCE:
      g_value_set_string (value, self->licence);
      break;
    case PROP_PATH:
      g_value_set_string (value, self->path);
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_REASON:
      g_value_set_string (value, self->reason);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_plugin_finalize (GObject *object)
{
  WeftPlugin *self = WEFT_PLUGIN (object);

  g_free (self->name);
  g_free (self->version);
  g_free (self->description);
  g_free (self->licence);
  g_free (self->path);
  g_free (self->reason);
  g_object_unref (self->domains);
  g_object_unref (self->instruments);
  g_object_unref (self->importers);
  g_object_unref (self->exporters);

  G_OBJECT_CLASS (weft_plugin_parent_class)->finalize (object);
}

static void
weft_plugin_class_init (WeftPluginClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_plugin_get_property;
  object_class->finalize = weft_plugin_finalize;

  /**
   * WeftPlugin:name:
   *
   * Its name; that of the file if the plugin could not tell.
   *
   * Since: 0.1
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  /**
   * WeftPlugin:version:
   *
   * Its own version; %NULL if it could not tell.
   *
   * Since: 0.1
   */
  properties[PROP_VERSION] = g_param_spec_string ("version", NULL, NULL, NULL, flags);
  /**
   * WeftPlugin:description:
   *
   * A sentence; %NULL if it could not tell.
   *
   * Since: 0.1
   */
  properties[PROP_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, flags);
  /**
   * WeftPlugin:licence:
   *
   * Its licence, an SPDX expression; %NULL if it could not tell.
   *
   * Since: 0.1
   */
  properties[PROP_LICENCE] = g_param_spec_string ("licence", NULL, NULL, NULL, flags);
  /**
   * WeftPlugin:path:
   *
   * Its file.
   *
   * Since: 0.1
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  /**
   * WeftPlugin:state:
   *
   * Whether it is in use.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, WEFT_TYPE_PLUGIN_STATE, WEFT_PLUGIN_LOADED, flags);
  /**
   * WeftPlugin:reason:
   *
   * Why it is not in use, a sentence; %NULL if it is.
   *
   * Since: 0.1
   */
  properties[PROP_REASON] = g_param_spec_string ("reason", NULL, NULL, NULL, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_plugin_init (WeftPlugin *self)
{
  self->state = WEFT_PLUGIN_DISABLED;
  self->domains = g_list_store_new (WEFT_TYPE_DOMAIN);
  self->instruments = g_list_store_new (WEFT_TYPE_INSTRUMENT);
  self->importers = g_list_store_new (WEFT_TYPE_IMPORTER);
  self->exporters = g_list_store_new (WEFT_TYPE_EXPORTER);
}

/* ---- Answers of extensions ---- */

char *
weft_extension_text (gpointer extension, char *text)
{
  return text != NULL ? text : g_strdup ("");
}

char **
weft_extension_texts (gpointer extension, char **texts)
{
  return texts != NULL ? texts : g_new0 (char *, 1);
}

gboolean
weft_extension_succeeded (gpointer extension, const char *call, gboolean answered, GError *failure,
                          GError **error)
{
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (!answered)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "%s failed in “%s” and did not say why",
                 G_OBJECT_TYPE_NAME (extension), call);
  return answered;
}

/* ---- Making ---- */

WeftPlugin *
weft_plugin_new (const char *path)
{
  WeftPlugin *self = g_object_new (WEFT_TYPE_PLUGIN, NULL);

  self->path = g_strdup (path);
  self->name = g_path_get_basename (path);
  if (g_str_has_suffix (self->name, "." G_MODULE_SUFFIX))
    self->name[strlen (self->name) - strlen ("." G_MODULE_SUFFIX)] = '\0';
  return self;
}

static void
replace (WeftPlugin *self, char **field, const char *text, guint property)
{
  g_autofree char *old = g_steal_pointer (field);

  *field = g_strdup (text);
  if (g_strcmp0 (old, text) != 0)
    g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

void
weft_plugin_set_path (WeftPlugin *self, const char *path)
{
  replace (self, &self->path, path, PROP_PATH);
}

void
weft_plugin_describe (WeftPlugin *self, const char *name, const char *version,
                      const char *description, const char *licence)
{
  if (weft_plugin_name_is_sound (name))
    replace (self, &self->name, name, PROP_NAME);
  replace (self, &self->version, version, PROP_VERSION);
  replace (self, &self->description, description, PROP_DESCRIPTION);
  replace (self, &self->licence, licence, PROP_LICENCE);
}

static void
set_state (WeftPlugin *self, WeftPluginState state, const char *reason)
{
  gboolean changed = self->state != state;

  self->state = state;
  replace (self, &self->reason, reason, PROP_REASON);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

void
weft_plugin_refuse (WeftPlugin *self, const char *reason)
{
  /* What it registered before it failed must not be found. */
  g_list_store_remove_all (self->domains);
  g_list_store_remove_all (self->instruments);
  g_list_store_remove_all (self->importers);
  g_list_store_remove_all (self->exporters);
  set_state (self, WEFT_PLUGIN_REFUSED, reason);
}

void
weft_plugin_disable (WeftPlugin *self, const char *reason)
{
  set_state (self, WEFT_PLUGIN_DISABLED, reason);
}

void
weft_plugin_set_loaded (WeftPlugin *self)
{
  set_state (self, WEFT_PLUGIN_LOADED, NULL);
}

gboolean
weft_plugin_name_is_sound (const char *name)
{
  if (name == NULL || !g_ascii_islower (*name))
    return FALSE;
  for (const char *c = name; *c != '\0'; c++)
    if ((!g_ascii_islower (*c) && !g_ascii_isdigit (*c) && *c != '-') || c - name >= MAX_NAME)
      return FALSE;
  return TRUE;
}

/* ---- The descriptor ---- */

static gboolean
text_is_sound (const char *text)
{
  return text != NULL && *text != '\0' && memchr (text, '\0', MAX_TEXT) != NULL &&
         g_utf8_validate (text, -1, NULL);
}

static gboolean
check_abi (const WeftPluginDescriptor *descriptor, GError **error)
{
  const gboolean too_old = descriptor->abi_major < WEFT_PLUGIN_ABI_MAJOR;

  if (descriptor->abi_major == WEFT_PLUGIN_ABI_MAJOR &&
      descriptor->abi_minor <= WEFT_PLUGIN_ABI_MINOR)
    return TRUE;
  g_set_error (error, WEFT_ERROR, too_old ? WEFT_ERROR_PLUGIN : WEFT_ERROR_TOO_NEW,
               "It is too %s: it was built for plugin ABI %u.%u, this is %u.%u. %s",
               too_old ? "old" : "new", descriptor->abi_major, descriptor->abi_minor,
               WEFT_PLUGIN_ABI_MAJOR, WEFT_PLUGIN_ABI_MINOR,
               too_old ? "Build it anew" : "Install a later Weft, or an earlier plugin");
  return FALSE;
}

gboolean
weft_plugin_check_descriptor (WeftPlugin *self, const WeftPluginDescriptor *descriptor,
                              GError **error)
{
  if (descriptor->magic != WEFT_PLUGIN_MAGIC)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "Its descriptor is garbled: it does not begin as one made by "
                           "WEFT_PLUGIN_DEFINE");
      return FALSE;
    }
  /* Before the rest is believed: another ABI may have laid it out differently. */
  if (!check_abi (descriptor, error))
    return FALSE;
  if (descriptor->size < sizeof *descriptor || descriptor->init == NULL ||
      !text_is_sound (descriptor->version) || !text_is_sound (descriptor->description) ||
      !text_is_sound (descriptor->licence))
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "Its descriptor is garbled: it must have a version, a description, a "
                           "licence and an init function, all made by WEFT_PLUGIN_DEFINE");
      return FALSE;
    }
  if (!weft_plugin_name_is_sound (descriptor->name))
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                           "Its name is not one: a name begins with a letter and has lower case "
                           "letters, digits and dashes, at most 64");
      return FALSE;
    }
  weft_plugin_describe (self, descriptor->name, descriptor->version, descriptor->description,
                        descriptor->licence);
  return TRUE;
}

typedef char *(*GetName) (gpointer extension);

static gboolean
check_names (GListStore *extensions, const char *what, GetName get_name, GError **error)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (extensions)); i++)
    {
      g_autoptr (GObject) extension = g_list_model_get_item (G_LIST_MODEL (extensions), i);
      g_autofree char *name = get_name (extension);

      if (weft_plugin_name_is_sound (name))
        continue;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "It registers %s called “%s”; a name begins with a letter and has lower case "
                   "letters, digits and dashes",
                   what, name);
      return FALSE;
    }
  return TRUE;
}

/* Asks all that is asked at every start, so that what cannot answer is found out here. */
static gboolean
check_extensions (WeftPlugin *self, GError **error)
{
  if (!check_names (self->domains, "a domain", (GetName) weft_domain_get_name, error) ||
      !check_names (self->instruments, "an instrument", (GetName) weft_instrument_get_name,
                    error) ||
      !check_names (self->importers, "an importer", (GetName) weft_importer_get_name, error) ||
      !check_names (self->exporters, "an exporter", (GetName) weft_exporter_get_name, error))
    return FALSE;
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->domains)); i++)
    {
      g_autoptr (WeftDomain) domain = g_list_model_get_item (G_LIST_MODEL (self->domains), i);

      g_object_unref (weft_domain_get_vocabulary (domain));
    }
  return TRUE;
}

gboolean
weft_plugin_initialize (WeftPlugin *self, const WeftPluginDescriptor *descriptor, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (!descriptor->init (self, &failure))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "Its init failed: %s",
                   failure != NULL ? failure->message : "it did not say why");
      return FALSE;
    }
  return check_extensions (self, error);
}

/* ---- Asking ---- */

/**
 * weft_plugin_get_name:
 * @self: a plugin
 *
 * Returns: (transfer none): its name; that of the file if the plugin could not tell
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_name (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->name;
}

/**
 * weft_plugin_get_version:
 * @self: a plugin
 *
 * Returns: (transfer none) (nullable): its own version; %NULL if it could not tell
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_version (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->version;
}

/**
 * weft_plugin_get_description:
 * @self: a plugin
 *
 * Returns: (transfer none) (nullable): a sentence; %NULL if it could not tell
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_description (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->description;
}

/**
 * weft_plugin_get_licence:
 * @self: a plugin
 *
 * Returns: (transfer none) (nullable): its licence, an SPDX expression; %NULL if it could not tell
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_licence (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->licence;
}

/**
 * weft_plugin_get_path:
 * @self: a plugin
 *
 * A plugin finds what it brings along beside this file.
 *
 * Returns: (transfer none) (type filename): its file
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_path (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->path;
}

/**
 * weft_plugin_get_state:
 * @self: a plugin
 *
 * Returns: whether it is in use
 *
 * Since: 0.1
 */
WeftPluginState
weft_plugin_get_state (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), WEFT_PLUGIN_REFUSED);

  return self->state;
}

/**
 * weft_plugin_get_reason:
 * @self: a plugin
 *
 * Returns: (transfer none) (nullable): why it is not in use, a sentence; %NULL if it is
 *
 * Since: 0.1
 */
const char *
weft_plugin_get_reason (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return self->reason;
}

/* ---- Registering ---- */

/**
 * weft_plugin_add_domain:
 * @self: the plugin that is being initialised
 * @domain: (transfer none): what it brings
 *
 * Registers a domain. To be called from the plugin's init function.
 *
 * Since: 0.1
 */
void
weft_plugin_add_domain (WeftPlugin *self, WeftDomain *domain)
{
  g_return_if_fail (WEFT_IS_PLUGIN (self));
  g_return_if_fail (WEFT_IS_DOMAIN (domain));

  g_list_store_append (self->domains, domain);
}

/**
 * weft_plugin_add_instrument:
 * @self: the plugin that is being initialised
 * @instrument: (transfer none): what it brings
 *
 * Registers an instrument. To be called from the plugin's init function.
 *
 * Since: 0.1
 */
void
weft_plugin_add_instrument (WeftPlugin *self, WeftInstrument *instrument)
{
  g_return_if_fail (WEFT_IS_PLUGIN (self));
  g_return_if_fail (WEFT_IS_INSTRUMENT (instrument));

  g_list_store_append (self->instruments, instrument);
}

/**
 * weft_plugin_add_importer:
 * @self: the plugin that is being initialised
 * @importer: (transfer none): what it brings
 *
 * Registers an importer. To be called from the plugin's init function.
 *
 * Since: 0.1
 */
void
weft_plugin_add_importer (WeftPlugin *self, WeftImporter *importer)
{
  g_return_if_fail (WEFT_IS_PLUGIN (self));
  g_return_if_fail (WEFT_IS_IMPORTER (importer));

  g_list_store_append (self->importers, importer);
}

/**
 * weft_plugin_add_exporter:
 * @self: the plugin that is being initialised
 * @exporter: (transfer none): what it brings
 *
 * Registers an exporter. To be called from the plugin's init function.
 *
 * Since: 0.1
 */
void
weft_plugin_add_exporter (WeftPlugin *self, WeftExporter *exporter)
{
  g_return_if_fail (WEFT_IS_PLUGIN (self));
  g_return_if_fail (WEFT_IS_EXPORTER (exporter));

  g_list_store_append (self->exporters, exporter);
}

/**
 * weft_plugin_get_domains:
 * @self: a plugin
 *
 * Returns: (transfer none): the [iface@Domain]s that it brought
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_get_domains (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return G_LIST_MODEL (self->domains);
}

/**
 * weft_plugin_get_instruments:
 * @self: a plugin
 *
 * Returns: (transfer none): the [iface@Instrument]s that it brought
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_get_instruments (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return G_LIST_MODEL (self->instruments);
}

/**
 * weft_plugin_get_importers:
 * @self: a plugin
 *
 * Returns: (transfer none): the [iface@Importer]s that it brought
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_get_importers (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return G_LIST_MODEL (self->importers);
}

/**
 * weft_plugin_get_exporters:
 * @self: a plugin
 *
 * Returns: (transfer none): the [iface@Exporter]s that it brought
 *
 * Since: 0.1
 */
GListModel *
weft_plugin_get_exporters (WeftPlugin *self)
{
  g_return_val_if_fail (WEFT_IS_PLUGIN (self), NULL);

  return G_LIST_MODEL (self->exporters);
}
