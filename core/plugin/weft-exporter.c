/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-exporter.h"

#include "weft-error.h"
#include "weft-plugin-private.h"

/* What a piece of work in a thread is given, and what it hands back. */
typedef struct
{
  WeftRecording *recording;
  GOutputStream *stream;
  GVariant *options;
  WeftProgress *progress;
  char **losses;
} Work;

/**
 * WeftExporter:
 *
 * Writes recordings in another format.
 *
 * It works in a thread of its own ([vfunc@Exporter.export_recording]), or without blocking if it
 * brings [vfunc@Exporter.export_async] and [vfunc@Exporter.export_finish] itself.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (WeftExporter, weft_exporter, G_TYPE_OBJECT)

static void
work_free (Work *work)
{
  g_object_unref (work->recording);
  g_object_unref (work->stream);
  g_clear_pointer (&work->options, g_variant_unref);
  g_clear_object (&work->progress);
  g_strfreev (work->losses);
  g_free (work);
}

static void
run_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Work *work = data;
  GError *error = NULL;

  if (weft_exporter_export_recording (WEFT_EXPORTER (source), work->recording, work->stream,
                                      work->options, work->progress, cancellable, &work->losses,
                                      &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
weft_exporter_real_export_async (WeftExporter *self, WeftRecording *recording,
                                 GOutputStream *stream, GVariant *options, WeftProgress *progress,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Work *work = g_new0 (Work, 1);

  g_task_set_source_tag (task, weft_exporter_real_export_async);
  work->recording = g_object_ref (recording);
  work->stream = g_object_ref (stream);
  if (options != NULL)
    work->options = g_variant_ref_sink (options);
  if (progress != NULL)
    work->progress = g_object_ref (progress);
  g_task_set_task_data (task, work, (GDestroyNotify) work_free);
  g_task_run_in_thread (task, run_in_thread);
}

static gboolean
weft_exporter_real_export_finish (WeftExporter *self, GAsyncResult *result, char ***losses,
                                  GError **error)
{
  Work *work;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  work = g_task_get_task_data (G_TASK (result));
  *losses = g_steal_pointer (&work->losses);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
weft_exporter_default_init (WeftExporterInterface *interface)
{
  interface->export_async = weft_exporter_real_export_async;
  interface->export_finish = weft_exporter_real_export_finish;
}

/**
 * weft_exporter_get_name:
 * @self: an exporter
 *
 * Returns: (transfer full): name of the format
 *
 * Since: 0.1
 */
char *
weft_exporter_get_name (WeftExporter *self)
{
  WeftExporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_EXPORTER (self), NULL);

  interface = WEFT_EXPORTER_GET_IFACE (self);
  return weft_extension_text (self,
                              interface->get_name != NULL ? interface->get_name (self) : NULL);
}

/**
 * weft_exporter_get_description:
 * @self: an exporter
 *
 * Returns: (transfer full): a sentence, perhaps empty
 *
 * Since: 0.1
 */
char *
weft_exporter_get_description (WeftExporter *self)
{
  WeftExporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_EXPORTER (self), NULL);

  interface = WEFT_EXPORTER_GET_IFACE (self);
  return weft_extension_text (
      self, interface->get_description != NULL ? interface->get_description (self) : NULL);
}

/**
 * weft_exporter_get_suffix:
 * @self: an exporter
 *
 * Returns: (transfer full): end of file names, perhaps empty
 *
 * Since: 0.1
 */
char *
weft_exporter_get_suffix (WeftExporter *self)
{
  WeftExporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_EXPORTER (self), NULL);

  interface = WEFT_EXPORTER_GET_IFACE (self);
  return weft_extension_text (self,
                              interface->get_suffix != NULL ? interface->get_suffix (self) : NULL);
}

/**
 * weft_exporter_export_recording:
 * @self: an exporter
 * @recording: a recording
 * @stream: where to write; it is not closed
 * @options: (nullable): a dictionary, type `a{sv}` of what the exporter understands:
 *   `filter` (s, in the filter language), `begin` and `end` (x, nanoseconds), and its own; it fails
 *   on what it does not
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Writes a recording in another format. Blocks; may be called on any thread.
 *
 * Fails with %WEFT_ERROR_PLUGIN, with %G_IO_ERROR_CANCELLED, or as the exporter says.
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_exporter_export_recording (WeftExporter *self, WeftRecording *recording, GOutputStream *stream,
                                GVariant *options, WeftProgress *progress,
                                GCancellable *cancellable, char ***losses, GError **error)
{
  WeftExporterInterface *interface;
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_EXPORTER (self), FALSE);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT),
                        FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  interface = WEFT_EXPORTER_GET_IFACE (self);
  if (interface->export_recording == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "The exporter %s works without blocking only", G_OBJECT_TYPE_NAME (self));
      return FALSE;
    }
  done = interface->export_recording (self, recording, stream, options, progress, cancellable,
                                      &told, &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "export_recording", done, failure, error);
}

/**
 * weft_exporter_export_async:
 * @self: an exporter
 * @recording: a recording
 * @stream: where to write; it is not closed
 * @options: (nullable): a dictionary, type `a{sv}`; see [method@Exporter.export_recording]
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: (closure): for @callback
 *
 * Writes a recording in another format.
 *
 * Since: 0.1
 */
void
weft_exporter_export_async (WeftExporter *self, WeftRecording *recording, GOutputStream *stream,
                            GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;

  g_return_if_fail (WEFT_IS_EXPORTER (self));
  g_return_if_fail (WEFT_IS_RECORDING (recording));
  g_return_if_fail (G_IS_OUTPUT_STREAM (stream));
  g_return_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT));

  WEFT_EXPORTER_GET_IFACE (self)->export_async (self, recording, stream, options, progress,
                                                cancellable, callback, user_data);
}

/**
 * weft_exporter_export_finish:
 * @self: an exporter
 * @result: what the callback got
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Ends [method@Exporter.export_async].
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_exporter_export_finish (WeftExporter *self, GAsyncResult *result, char ***losses,
                             GError **error)
{
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_EXPORTER (self), FALSE);
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);

  done = WEFT_EXPORTER_GET_IFACE (self)->export_finish (self, result, &told, &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "export_finish", done, failure, error);
}
