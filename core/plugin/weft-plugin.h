/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-domain.h"
#include "weft-exporter.h"
#include "weft-importer.h"
#include "weft-instrument.h"

G_BEGIN_DECLS

/**
 * WEFT_PLUGIN_ABI_MAJOR:
 *
 * Changes when plugins built before can no longer be used.
 *
 * Since: 0.1
 */
#define WEFT_PLUGIN_ABI_MAJOR 1
/**
 * WEFT_PLUGIN_ABI_MINOR:
 *
 * Grows when something is added that new plugins may need.
 *
 * Since: 0.1
 */
#define WEFT_PLUGIN_ABI_MINOR 0

/**
 * WeftPluginState:
 * @WEFT_PLUGIN_LOADED: in use
 * @WEFT_PLUGIN_REFUSED: not in use; the reason says why
 * @WEFT_PLUGIN_DISABLED: not in use because it was asked so
 *
 * What became of a plugin's file.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_PLUGIN_LOADED,
  WEFT_PLUGIN_REFUSED,
  WEFT_PLUGIN_DISABLED,
} WeftPluginState;

#define WEFT_TYPE_PLUGIN (weft_plugin_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftPlugin, weft_plugin, WEFT, PLUGIN, GObject)

WEFT_API const char *weft_plugin_get_name (WeftPlugin *self);
WEFT_API const char *weft_plugin_get_version (WeftPlugin *self);
WEFT_API const char *weft_plugin_get_description (WeftPlugin *self);
WEFT_API const char *weft_plugin_get_licence (WeftPlugin *self);
WEFT_API const char *weft_plugin_get_path (WeftPlugin *self);
WEFT_API WeftPluginState weft_plugin_get_state (WeftPlugin *self);
WEFT_API const char *weft_plugin_get_reason (WeftPlugin *self);

WEFT_API void weft_plugin_add_domain (WeftPlugin *self, WeftDomain *domain);
WEFT_API void weft_plugin_add_instrument (WeftPlugin *self, WeftInstrument *instrument);
WEFT_API void weft_plugin_add_importer (WeftPlugin *self, WeftImporter *importer);
WEFT_API void weft_plugin_add_exporter (WeftPlugin *self, WeftExporter *exporter);

WEFT_API GListModel *weft_plugin_get_domains (WeftPlugin *self);
WEFT_API GListModel *weft_plugin_get_instruments (WeftPlugin *self);
WEFT_API GListModel *weft_plugin_get_importers (WeftPlugin *self);
WEFT_API GListModel *weft_plugin_get_exporters (WeftPlugin *self);

/* ---- What a plugin exports; for C only ---- */

#ifndef __GI_SCANNER__

#define WEFT_PLUGIN_MAGIC 0x54464557u /* "WEFT" in memory of little-endian machines */

typedef gboolean (*WeftPluginInit) (WeftPlugin *plugin, GError **error);

/* Only ever grows, at its end; SIZE says how much of it the plugin has. */
typedef struct
{
  guint32 magic;
  guint32 size;
  guint32 abi_major;
  guint32 abi_minor;
  const char *name;
  const char *version;
  const char *description;
  const char *licence;
  WeftPluginInit init;
} WeftPluginDescriptor;

#define WEFT_PLUGIN_SYMBOL "weft_plugin_descriptor"

/*
 * Makes a shared library a plugin. NAME: lower case letters, digits and dashes; LICENCE: an SPDX
 * expression; INIT: called once, on the main context, to register what the plugin brings.
 */
#define WEFT_PLUGIN_DEFINE(name_, version_, description_, licence_, init_)                         \
  G_BEGIN_DECLS                                                                                    \
  extern __attribute__ ((visibility ("default")))                                                  \
  const WeftPluginDescriptor weft_plugin_descriptor;                                               \
  __attribute__ ((visibility ("default")))                                                         \
  const WeftPluginDescriptor weft_plugin_descriptor = { WEFT_PLUGIN_MAGIC,                         \
                                                        sizeof (WeftPluginDescriptor),             \
                                                        WEFT_PLUGIN_ABI_MAJOR,                     \
                                                        WEFT_PLUGIN_ABI_MINOR,                     \
                                                        name_,                                     \
                                                        version_,                                  \
                                                        description_,                              \
                                                        licence_,                                  \
                                                        init_ };                                   \
  G_END_DECLS

#endif

G_END_DECLS
