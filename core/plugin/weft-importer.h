/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-progress.h"

G_BEGIN_DECLS

#define WEFT_TYPE_IMPORTER (weft_importer_get_type ())
WEFT_API
G_DECLARE_INTERFACE (WeftImporter, weft_importer, WEFT, IMPORTER, GObject)

/**
 * WeftImporterInterface:
 * @parent_interface: the parent
 * @get_name: its name: lower case letters, digits and dashes
 * @get_description: a sentence; may be left out
 * @get_patterns: patterns of file names such as `*.json`; may be left out
 * @get_mime_types: content types; may be left out
 * @recognizes: how sure it is that a file is for it, from 0 to 100; may be left out where patterns
 *   tell enough
 * @import_file: reads a file and writes a recording; runs in a thread of its own
 * @import_async: the same without blocking; by default @import_file in a thread
 * @import_finish: ends @import_async
 * @import_files: reads several files, and folders of them, and writes one recording; runs in a
 *   thread of its own; may be left out
 * @join: reads a file that tells more about what is recorded, and writes a recording that has both;
 *   may be left out
 *
 * What an importer does. Strings are handed over to the caller. @import_file, or @import_files, or
 * both of @import_async and @import_finish must be there.
 *
 * Since: 0.1
 */
struct _WeftImporterInterface
{
  GTypeInterface parent_interface;

  char *(*get_name) (WeftImporter *self);
  char *(*get_description) (WeftImporter *self);
  char **(*get_patterns) (WeftImporter *self);
  char **(*get_mime_types) (WeftImporter *self);
  guint (*recognizes) (WeftImporter *self, GBytes *head, const char *filename);
  gboolean (*import_file) (WeftImporter *self, GFile *input, GFile *output, GVariant *options,
                           WeftProgress *progress, GCancellable *cancellable, char ***losses,
                           GError **error);
  void (*import_async) (WeftImporter *self, GFile *input, GFile *output, GVariant *options,
                        WeftProgress *progress, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);
  gboolean (*import_finish) (WeftImporter *self, GAsyncResult *result, char ***losses,
                             GError **error);
  gboolean (*import_files) (WeftImporter *self, GListModel *inputs, GFile *output,
                            GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                            char ***losses, GError **error);
  gboolean (*join) (WeftImporter *self, GFile *recording, GFile *input, GFile *output,
                    GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                    char ***losses, GError **error);

  /*< private >*/
  gpointer _reserved[6];
};

WEFT_API char *weft_importer_get_name (WeftImporter *self);
WEFT_API char *weft_importer_get_description (WeftImporter *self);
WEFT_API char **weft_importer_get_patterns (WeftImporter *self);
WEFT_API char **weft_importer_get_mime_types (WeftImporter *self);
WEFT_API guint weft_importer_recognizes (WeftImporter *self, GBytes *head, const char *filename);
WEFT_API gboolean weft_importer_import_file (WeftImporter *self, GFile *input, GFile *output,
                                             GVariant *options, WeftProgress *progress,
                                             GCancellable *cancellable, char ***losses,
                                             GError **error);
WEFT_API void weft_importer_import_async (WeftImporter *self, GFile *input, GFile *output,
                                          GVariant *options, WeftProgress *progress,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
WEFT_API gboolean weft_importer_import_finish (WeftImporter *self, GAsyncResult *result,
                                               char ***losses, GError **error);
WEFT_API gboolean weft_importer_import_files (WeftImporter *self, GListModel *inputs, GFile *output,
                                              GVariant *options, WeftProgress *progress,
                                              GCancellable *cancellable, char ***losses,
                                              GError **error);
WEFT_API void weft_importer_import_files_async (WeftImporter *self, GListModel *inputs,
                                                GFile *output, GVariant *options,
                                                WeftProgress *progress, GCancellable *cancellable,
                                                GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_importer_import_files_finish (WeftImporter *self, GAsyncResult *result,
                                                     char ***losses, GError **error);
WEFT_API gboolean weft_importer_can_join (WeftImporter *self);
WEFT_API gboolean weft_importer_join (WeftImporter *self, GFile *recording, GFile *input,
                                      GFile *output, GVariant *options, WeftProgress *progress,
                                      GCancellable *cancellable, char ***losses, GError **error);

G_END_DECLS
