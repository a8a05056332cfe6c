/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-importer.h"

#include "weft-error.h"
#include "weft-plugin-private.h"

/* What a piece of work in a thread is given, and what it hands back. */
typedef struct
{
  GFile *input; /* or */
  GListModel *inputs;
  GFile *output;
  GVariant *options;
  WeftProgress *progress;
  char **losses;
} Work;

/**
 * WeftImporter:
 *
 * Makes recordings out of files of another format.
 *
 * It works in a thread of its own ([vfunc@Importer.import_file]), or without blocking if it brings
 * [vfunc@Importer.import_async] and [vfunc@Importer.import_finish] itself.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (WeftImporter, weft_importer, G_TYPE_OBJECT)

static void
work_free (Work *work)
{
  g_clear_object (&work->input);
  g_clear_object (&work->inputs);
  g_object_unref (work->output);
  g_clear_pointer (&work->options, g_variant_unref);
  g_clear_object (&work->progress);
  g_strfreev (work->losses);
  g_free (work);
}

static Work *
work_new (GFile *output, GVariant *options, WeftProgress *progress)
{
  Work *work = g_new0 (Work, 1);

  work->output = g_object_ref (output);
  if (options != NULL)
    work->options = g_variant_ref_sink (options);
  if (progress != NULL)
    work->progress = g_object_ref (progress);
  return work;
}

static void
run_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Work *work = data;
  GError *error = NULL;

  if (weft_importer_import_file (WEFT_IMPORTER (source), work->input, work->output, work->options,
                                 work->progress, cancellable, &work->losses, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
weft_importer_real_import_async (WeftImporter *self, GFile *input, GFile *output, GVariant *options,
                                 WeftProgress *progress, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Work *work = work_new (output, options, progress);

  g_task_set_source_tag (task, weft_importer_real_import_async);
  work->input = g_object_ref (input);
  g_task_set_task_data (task, work, (GDestroyNotify) work_free);
  g_task_run_in_thread (task, run_in_thread);
}

static gboolean
weft_importer_real_import_finish (WeftImporter *self, GAsyncResult *result, char ***losses,
                                  GError **error)
{
  Work *work;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  work = g_task_get_task_data (G_TASK (result));
  *losses = g_steal_pointer (&work->losses);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
weft_importer_default_init (WeftImporterInterface *interface)
{
  interface->import_async = weft_importer_real_import_async;
  interface->import_finish = weft_importer_real_import_finish;
}

/**
 * weft_importer_get_name:
 * @self: an importer
 *
 * Returns: (transfer full): its name
 *
 * Since: 0.1
 */
char *
weft_importer_get_name (WeftImporter *self)
{
  WeftImporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), NULL);

  interface = WEFT_IMPORTER_GET_IFACE (self);
  return weft_extension_text (self,
                              interface->get_name != NULL ? interface->get_name (self) : NULL);
}

/**
 * weft_importer_get_description:
 * @self: an importer
 *
 * Returns: (transfer full): a sentence, perhaps empty
 *
 * Since: 0.1
 */
char *
weft_importer_get_description (WeftImporter *self)
{
  WeftImporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), NULL);

  interface = WEFT_IMPORTER_GET_IFACE (self);
  return weft_extension_text (
      self, interface->get_description != NULL ? interface->get_description (self) : NULL);
}

/**
 * weft_importer_get_patterns:
 * @self: an importer
 *
 * Returns: (transfer full) (array zero-terminated=1): patterns of file names
 *
 * Since: 0.1
 */
char **
weft_importer_get_patterns (WeftImporter *self)
{
  WeftImporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), NULL);

  interface = WEFT_IMPORTER_GET_IFACE (self);
  return weft_extension_texts (
      self, interface->get_patterns != NULL ? interface->get_patterns (self) : NULL);
}

/**
 * weft_importer_get_mime_types:
 * @self: an importer
 *
 * Returns: (transfer full) (array zero-terminated=1): content types
 *
 * Since: 0.1
 */
char **
weft_importer_get_mime_types (WeftImporter *self)
{
  WeftImporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), NULL);

  interface = WEFT_IMPORTER_GET_IFACE (self);
  return weft_extension_texts (
      self, interface->get_mime_types != NULL ? interface->get_mime_types (self) : NULL);
}

static guint
match_patterns (WeftImporter *self, const char *filename)
{
  g_auto (GStrv) patterns = weft_importer_get_patterns (self);

  for (guint i = 0; filename != NULL && patterns[i] != NULL; i++)
    if (g_pattern_match_simple (patterns[i], filename))
      return 50;
  return 0;
}

/**
 * weft_importer_recognizes:
 * @self: an importer
 * @head: the first bytes of a file, 64 KiB or all it has
 * @filename: (nullable): name of the file, without its folder
 *
 * Asks whether a file is for this importer. One that does not look into files answers 50 where a
 * pattern fits @filename.
 *
 * Returns: how sure it is, from 0 (not at all) to 100 (it certainly is)
 *
 * Since: 0.1
 */
guint
weft_importer_recognizes (WeftImporter *self, GBytes *head, const char *filename)
{
  WeftImporterInterface *interface;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), 0);
  g_return_val_if_fail (head != NULL, 0);

  interface = WEFT_IMPORTER_GET_IFACE (self);
  if (interface->recognizes == NULL)
    return match_patterns (self, filename);
  return MIN (interface->recognizes (self, head, filename), 100);
}

/**
 * weft_importer_import_file:
 * @self: an importer
 * @input: what to read
 * @output: where to write the recording
 * @options: (nullable): a dictionary, type `a{sv}` of what the importer understands;
 *   it fails on what it does not
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Makes a recording out of a file of another format. Blocks; may be called on any thread.
 *
 * Fails with %WEFT_ERROR_PLUGIN, with %G_IO_ERROR_CANCELLED, or as the importer says.
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_importer_import_file (WeftImporter *self, GFile *input, GFile *output, GVariant *options,
                           WeftProgress *progress, GCancellable *cancellable, char ***losses,
                           GError **error)
{
  WeftImporterInterface *interface;
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (input), FALSE);
  g_return_val_if_fail (G_IS_FILE (output), FALSE);
  g_return_val_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT),
                        FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  interface = WEFT_IMPORTER_GET_IFACE (self);
  if (interface->import_file == NULL && interface->import_files != NULL)
    {
      g_autoptr (GListStore) inputs = g_list_store_new (G_TYPE_FILE);

      g_list_store_append (inputs, input);
      return weft_importer_import_files (self, G_LIST_MODEL (inputs), output, options, progress,
                                         cancellable, losses, error);
    }
  if (interface->import_file == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "The importer %s works without blocking only", G_OBJECT_TYPE_NAME (self));
      return FALSE;
    }
  done =
      interface->import_file (self, input, output, options, progress, cancellable, &told, &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "import_file", done, failure, error);
}

/**
 * weft_importer_import_async:
 * @self: an importer
 * @input: what to read
 * @output: where to write the recording
 * @options: (nullable): a dictionary, type `a{sv}`; see [method@Importer.import_file]
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: (closure): for @callback
 *
 * Makes a recording out of a file of another format.
 *
 * Since: 0.1
 */
void
weft_importer_import_async (WeftImporter *self, GFile *input, GFile *output, GVariant *options,
                            WeftProgress *progress, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;

  g_return_if_fail (WEFT_IS_IMPORTER (self));
  g_return_if_fail (G_IS_FILE (input));
  g_return_if_fail (G_IS_FILE (output));
  g_return_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT));

  WEFT_IMPORTER_GET_IFACE (self)->import_async (self, input, output, options, progress, cancellable,
                                                callback, user_data);
}

/**
 * weft_importer_import_finish:
 * @self: an importer
 * @result: what the callback got
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Ends [method@Importer.import_async].
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_importer_import_finish (WeftImporter *self, GAsyncResult *result, char ***losses,
                             GError **error)
{
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);

  done = WEFT_IMPORTER_GET_IFACE (self)->import_finish (self, result, &told, &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "import_finish", done, failure, error);
}

/* ---- Several files ---- */

static gboolean
import_only_file (WeftImporter *self, GListModel *inputs, GFile *output, GVariant *options,
                  WeftProgress *progress, GCancellable *cancellable, char ***losses, GError **error)
{
  g_autofree char *name = weft_importer_get_name (self);
  g_autoptr (GFile) input = g_list_model_get_item (inputs, 0);

  if (g_list_model_get_n_items (inputs) == 1)
    return weft_importer_import_file (self, input, output, options, progress, cancellable, losses,
                                      error);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
               "The importer “%s” makes a recording of one file, not of %u", name,
               g_list_model_get_n_items (inputs));
  return FALSE;
}

/**
 * weft_importer_import_files:
 * @self: an importer
 * @inputs: what to read: [iface@Gio.File]s that belong together; an importer that reads several
 *   files also takes a folder for the files in it
 * @output: where to write the recording
 * @options: (nullable): a dictionary, type `a{sv}` of what the importer understands;
 *   it fails on what it does not
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Makes one recording out of files of another format. Blocks; may be called on any thread. An
 * importer that reads single files is handed the only one.
 *
 * Fails with %WEFT_ERROR_PLUGIN if the importer reads one file at a time and there are more or
 * none, with %G_IO_ERROR_CANCELLED, or as the importer says.
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_importer_import_files (WeftImporter *self, GListModel *inputs, GFile *output,
                            GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                            char ***losses, GError **error)
{
  WeftImporterInterface *interface;
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);
  g_return_val_if_fail (G_IS_LIST_MODEL (inputs), FALSE);
  g_return_val_if_fail (g_type_is_a (g_list_model_get_item_type (inputs), G_TYPE_FILE), FALSE);
  g_return_val_if_fail (G_IS_FILE (output), FALSE);
  g_return_val_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT),
                        FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  interface = WEFT_IMPORTER_GET_IFACE (self);
  if (interface->import_files == NULL)
    return import_only_file (self, inputs, output, options, progress, cancellable, losses, error);
  done = interface->import_files (self, inputs, output, options, progress, cancellable, &told,
                                  &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "import_files", done, failure, error);
}

static void
run_files_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Work *work = data;
  GError *error = NULL;

  if (weft_importer_import_files (WEFT_IMPORTER (source), work->inputs, work->output, work->options,
                                  work->progress, cancellable, &work->losses, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_importer_import_files_async:
 * @self: an importer
 * @inputs: what to read, not to be changed until @callback is called; see
 *   [method@Importer.import_files]
 * @output: where to write the recording
 * @options: (nullable): a dictionary, type `a{sv}`
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: (closure): for @callback
 *
 * Makes one recording out of files of another format, in a thread.
 *
 * Since: 0.1
 */
void
weft_importer_import_files_async (WeftImporter *self, GListModel *inputs, GFile *output,
                                  GVariant *options, WeftProgress *progress,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Work *work;

  g_return_if_fail (WEFT_IS_IMPORTER (self));
  g_return_if_fail (G_IS_LIST_MODEL (inputs));
  g_return_if_fail (G_IS_FILE (output));
  g_return_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_importer_import_files_async);
  work = work_new (output, options, progress);
  work->inputs = g_object_ref (inputs);
  g_task_set_task_data (task, work, (GDestroyNotify) work_free);
  g_task_run_in_thread (task, run_files_in_thread);
}

/**
 * weft_importer_import_files_finish:
 * @self: an importer
 * @result: what the callback got
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over
 * @error: where to say what went wrong
 *
 * Ends [method@Importer.import_files_async].
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_importer_import_files_finish (WeftImporter *self, GAsyncResult *result, char ***losses,
                                   GError **error)
{
  Work *work;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  work = g_task_get_task_data (G_TASK (result));
  if (losses != NULL)
    *losses = g_steal_pointer (&work->losses);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- More about what is recorded ---- */

/**
 * weft_importer_can_join:
 * @self: an importer
 *
 * Tells whether its files tell more about what is recorded, so that they can be added to a
 * recording. Such a file may be imported by itself, too.
 *
 * Returns: whether [method@Importer.join] is of use
 *
 * Since: 0.1
 */
gboolean
weft_importer_can_join (WeftImporter *self)
{
  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);

  return WEFT_IMPORTER_GET_IFACE (self)->join != NULL;
}

/**
 * weft_importer_join:
 * @self: an importer that can join
 * @recording: the recording that its file tells more about; it is not changed
 * @input: what to read
 * @output: where to write a recording that has both
 * @options: (nullable): a dictionary, type `a{sv}`; see [method@Importer.import_file]
 * @progress: (nullable): where to tell how far it is
 * @cancellable: (nullable): a cancellable
 * @losses: (out) (optional) (transfer full) (array zero-terminated=1): sentences about what could
 *   not be carried over, or not be joined
 * @error: where to say what went wrong
 *
 * Makes a recording out of another one and a file that tells more about it, such as the sources of
 * what ran. Blocks; may be called on any thread.
 *
 * Fails with %WEFT_ERROR_PLUGIN, with %G_IO_ERROR_CANCELLED, or as the importer says.
 *
 * Returns: whether it is written
 *
 * Since: 0.1
 */
gboolean
weft_importer_join (WeftImporter *self, GFile *recording, GFile *input, GFile *output,
                    GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                    char ***losses, GError **error)
{
  g_autoptr (GVariant) held = options != NULL ? g_variant_ref_sink (options) : NULL;
  g_auto (GStrv) told = NULL;
  GError *failure = NULL;
  gboolean done;

  g_return_val_if_fail (WEFT_IS_IMPORTER (self), FALSE);
  g_return_val_if_fail (G_IS_FILE (recording) && G_IS_FILE (input) && G_IS_FILE (output), FALSE);
  g_return_val_if_fail (options == NULL || g_variant_is_of_type (options, G_VARIANT_TYPE_VARDICT),
                        FALSE);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (!weft_importer_can_join (self))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN,
                   "What the importer %s reads cannot be added to a recording",
                   G_OBJECT_TYPE_NAME (self));
      return FALSE;
    }
  done = WEFT_IMPORTER_GET_IFACE (self)->join (self, recording, input, output, options, progress,
                                               cancellable, &told, &failure);
  if (losses != NULL)
    *losses = weft_extension_texts (self, g_steal_pointer (&told));
  return weft_extension_succeeded (self, "join", done, failure, error);
}
