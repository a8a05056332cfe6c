/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin.h"

G_BEGIN_DECLS

#define WEFT_TYPE_PLUGIN_REGISTRY (weft_plugin_registry_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftPluginRegistry, weft_plugin_registry, WEFT, PLUGIN_REGISTRY, GObject)

WEFT_API WeftPluginRegistry *weft_plugin_registry_get_default (void);
WEFT_API WeftPluginRegistry *weft_plugin_registry_new (const char *const *search_path);
WEFT_API const char *const *weft_plugin_registry_get_search_path (WeftPluginRegistry *self);
WEFT_API const char *weft_plugin_registry_get_user_directory (WeftPluginRegistry *self);
WEFT_API void weft_plugin_registry_disable (WeftPluginRegistry *self, const char *name);

WEFT_API gboolean weft_plugin_registry_load (WeftPluginRegistry *self, GCancellable *cancellable,
                                             GError **error);
WEFT_API void weft_plugin_registry_load_async (WeftPluginRegistry *self, GCancellable *cancellable,
                                               GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_plugin_registry_load_finish (WeftPluginRegistry *self, GAsyncResult *result,
                                                    GError **error);

WEFT_API WeftPlugin *weft_plugin_registry_find_plugin (WeftPluginRegistry *self, const char *name);
WEFT_API GListModel *weft_plugin_registry_get_domains (WeftPluginRegistry *self);
WEFT_API GListModel *weft_plugin_registry_get_instruments (WeftPluginRegistry *self);
WEFT_API GListModel *weft_plugin_registry_get_importers (WeftPluginRegistry *self);
WEFT_API GListModel *weft_plugin_registry_get_exporters (WeftPluginRegistry *self);
WEFT_API WeftVocabulary *weft_plugin_registry_get_vocabulary (WeftPluginRegistry *self);

WEFT_API WeftDomain *weft_plugin_registry_find_domain (WeftPluginRegistry *self, const char *name);
WEFT_API WeftDomain *weft_plugin_registry_find_domain_for_kind (WeftPluginRegistry *self,
                                                                const char *kind);
WEFT_API WeftInstrument *weft_plugin_registry_find_instrument (WeftPluginRegistry *self,
                                                               const char *name);
WEFT_API WeftImporter *weft_plugin_registry_find_importer (WeftPluginRegistry *self,
                                                           const char *name);
WEFT_API WeftExporter *weft_plugin_registry_find_exporter (WeftPluginRegistry *self,
                                                           const char *name);
WEFT_API WeftImporter *weft_plugin_registry_recognize (WeftPluginRegistry *self, GBytes *head,
                                                       const char *filename);
WEFT_API WeftImporter *weft_plugin_registry_recognize_file (WeftPluginRegistry *self, GFile *file,
                                                            GCancellable *cancellable,
                                                            GError **error);

WEFT_API gboolean weft_plugin_registry_register_domain (WeftPluginRegistry *self,
                                                        WeftDomain *domain, GError **error);
WEFT_API gboolean weft_plugin_registry_register_instrument (WeftPluginRegistry *self,
                                                            WeftInstrument *instrument,
                                                            GError **error);
WEFT_API gboolean weft_plugin_registry_register_importer (WeftPluginRegistry *self,
                                                          WeftImporter *importer, GError **error);
WEFT_API gboolean weft_plugin_registry_register_exporter (WeftPluginRegistry *self,
                                                          WeftExporter *exporter, GError **error);

WEFT_API WeftPlugin *weft_plugin_registry_install (WeftPluginRegistry *self, GFile *file,
                                                   GCancellable *cancellable, GError **error);
WEFT_API gboolean weft_plugin_registry_remove (WeftPluginRegistry *self, const char *name,
                                               GError **error);

G_END_DECLS
