/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-progress.h"
#include "weft-recording.h"

G_BEGIN_DECLS

#define WEFT_TYPE_EXPORTER (weft_exporter_get_type ())
WEFT_API
G_DECLARE_INTERFACE (WeftExporter, weft_exporter, WEFT, EXPORTER, GObject)

/**
 * WeftExporterInterface:
 * @parent_interface: the parent
 * @get_name: name of the format, as `weft export` takes it: lower case letters, digits and dashes
 * @get_description: a sentence; may be left out
 * @get_suffix: end of file names, such as `.json`; may be left out
 * @export_recording: writes a recording to a stream; runs in a thread of its own
 * @export_async: the same without blocking; by default @export_recording in a thread
 * @export_finish: ends @export_async
 *
 * What an exporter does. Strings are handed over to the caller. @export_recording or both of
 * @export_async and @export_finish must be there.
 *
 * Since: 0.1
 */
struct _WeftExporterInterface
{
  GTypeInterface parent_interface;

  char *(*get_name) (WeftExporter *self);
  char *(*get_description) (WeftExporter *self);
  char *(*get_suffix) (WeftExporter *self);
  gboolean (*export_recording) (WeftExporter *self, WeftRecording *recording, GOutputStream *stream,
                                GVariant *options, WeftProgress *progress,
                                GCancellable *cancellable, char ***losses, GError **error);
  void (*export_async) (WeftExporter *self, WeftRecording *recording, GOutputStream *stream,
                        GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data);
  gboolean (*export_finish) (WeftExporter *self, GAsyncResult *result, char ***losses,
                             GError **error);

  /*< private >*/
  gpointer _reserved[8];
};

WEFT_API char *weft_exporter_get_name (WeftExporter *self);
WEFT_API char *weft_exporter_get_description (WeftExporter *self);
WEFT_API char *weft_exporter_get_suffix (WeftExporter *self);
WEFT_API gboolean weft_exporter_export_recording (WeftExporter *self, WeftRecording *recording,
                                                  GOutputStream *stream, GVariant *options,
                                                  WeftProgress *progress, GCancellable *cancellable,
                                                  char ***losses, GError **error);
WEFT_API void weft_exporter_export_async (WeftExporter *self, WeftRecording *recording,
                                          GOutputStream *stream, GVariant *options,
                                          WeftProgress *progress, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_exporter_export_finish (WeftExporter *self, GAsyncResult *result,
                                               char ***losses, GError **error);

G_END_DECLS
