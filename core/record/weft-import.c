/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-import.h"

#include "weft-recording-private.h"
#include "weft-spool.h"
#include "weft-store.h"

/* ---- What was done ---- */

G_DEFINE_BOXED_TYPE (WeftImportSummary, weft_import_summary, weft_import_summary_copy,
                     weft_import_summary_free)
G_DEFINE_BOXED_TYPE (WeftRepairSummary, weft_repair_summary, weft_repair_summary_copy,
                     weft_repair_summary_free)

/**
 * weft_import_summary_copy:
 * @self: a summary
 *
 * Copies a summary.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
WeftImportSummary *
weft_import_summary_copy (const WeftImportSummary *self)
{
  return g_memdup2 (self, sizeof *self);
}

/**
 * weft_import_summary_free:
 * @self: a summary
 *
 * Frees a summary.
 *
 * Since: 0.1
 */
void
weft_import_summary_free (WeftImportSummary *self)
{
  g_free (self);
}

/**
 * weft_repair_summary_copy:
 * @self: a summary
 *
 * Copies a summary.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
WeftRepairSummary *
weft_repair_summary_copy (const WeftRepairSummary *self)
{
  return g_memdup2 (self, sizeof *self);
}

/**
 * weft_repair_summary_free:
 * @self: a summary
 *
 * Frees a summary.
 *
 * Since: 0.1
 */
void
weft_repair_summary_free (WeftRepairSummary *self)
{
  g_free (self);
}

/* ---- Work in a thread ---- */

typedef struct
{
  char **inputs;
  char *output;
  WeftProgress *progress; /* or NULL */
} Work;

static void
on_progress (guint64 done, guint64 total, gpointer data)
{
  if (data != NULL)
    weft_progress_report (data, total ? (double) done / (double) total : 1, NULL);
}

static void
work_free (gpointer data)
{
  Work *self = data;

  g_clear_object (&self->progress);
  g_strfreev (self->inputs);
  g_free (self->output);
  g_free (self);
}

/* Takes INPUTS. */
static void
run_in_thread (GTask *task, char **inputs, const char *output, WeftProgress *progress,
               GTaskThreadFunc func)
{
  Work *work = g_new (Work, 1);

  work->inputs = inputs;
  work->output = g_strdup (output);
  work->progress = progress ? g_object_ref (progress) : NULL;
  g_task_set_task_data (task, work, work_free);
  g_task_run_in_thread (task, func);
}

/* ---- Spools ---- */

static WeftImportSummary *
import_spool (const char *const *paths, const char *output, WeftProgress *progress,
              GCancellable *cancellable, GError **error)
{
  WeftSpoolResult result = { 0 };
  WeftImportSummary *summary;

  if (!weft_spool_import (paths, output, on_progress, progress, cancellable, &result, error))
    return NULL;
  summary = g_new (WeftImportSummary, 1);
  summary->dispatches = result.dispatches;
  summary->rejected = result.rejected;
  summary->lost = result.lost;
  summary->lanes = result.lanes;
  return summary;
}

/**
 * weft_import_spool:
 * @paths: (array zero-terminated=1) (element-type filename): spool files
 * @output: (type filename): the recording to make; it must not exist
 * @progress: (nullable): hears how far it has got
 * @cancellable: (nullable): a cancellable
 *
 * Makes one recording of spool files, which programs write with `WEFT_TARGET_SPOOL` set. All must
 * be of one boot of one machine. A spool that was cut short gives what it holds.
 *
 * Returns: (transfer full): what it brought; %NULL with [error@Gio.IOErrorEnum]: `INVALID_DATA`
 * where a file is no spool, `NOT_SUPPORTED` where it is of a later version, `EXISTS` and others of
 * the files, `CANCELLED`, which leaves no @output
 *
 * Since: 0.1
 */
WeftImportSummary *
weft_import_spool (const char *const *paths, const char *output, WeftProgress *progress,
                   GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (paths != NULL && output != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return import_spool (paths, output, progress, cancellable, error);
}

static void
import_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Work *work = data;
  GError *error = NULL;
  WeftImportSummary *summary = import_spool ((const char *const *) work->inputs, work->output,
                                             work->progress, cancellable, &error);

  if (summary != NULL)
    g_task_return_pointer (task, summary, (GDestroyNotify) weft_import_summary_free);
  else
    g_task_return_error (task, error);
}

/**
 * weft_import_spool_async:
 * @paths: (array zero-terminated=1) (element-type filename): spool files
 * @output: (type filename): the recording to make; it must not exist
 * @progress: (nullable): hears how far it has got
 * @cancellable: (nullable): a cancellable
 * @callback: called when the recording is made
 * @user_data: data for @callback
 *
 * Makes one recording of spool files; see [func@import_spool].
 *
 * Since: 0.1
 */
void
weft_import_spool_async (const char *const *paths, const char *output, WeftProgress *progress,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (paths != NULL && output != NULL);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_import_spool_async);
  run_in_thread (task, g_strdupv ((char **) paths), output, progress, import_thread);
}

/**
 * weft_import_spool_finish:
 * @result: what the callback got
 *
 * Ends [func@import_spool_async].
 *
 * Returns: (transfer full): what it brought, or %NULL
 *
 * Since: 0.1
 */
WeftImportSummary *
weft_import_spool_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- Repair ---- */

static WeftRepairSummary *
repair (const char *path, const char *output, WeftProgress *progress, GCancellable *cancellable,
        GError **error)
{
  WeftStoreReport report = { 0 };
  GError *local = NULL;
  WeftRepairSummary *summary;

  if (!weft_store_repair (path, output, on_progress, progress, cancellable, &report, &local))
    {
      weft_propagate_store_error (error, local);
      return NULL;
    }
  summary = g_new (WeftRepairSummary, 1);
  summary->chunks = report.chunks;
  summary->rows = report.rows;
  summary->damaged_chunks = report.damaged_chunks;
  summary->unknown_chunks = report.unknown_chunks;
  summary->missing_bytes = report.missing_bytes;
  return summary;
}

/**
 * weft_repair:
 * @path: (type filename): a damaged or unfinished recording
 * @output: (type filename): the recording to make; it must not exist
 * @progress: (nullable): hears how far it has got
 * @cancellable: (nullable): a cancellable
 *
 * Saves the intact part of a recording as a new one. @path itself is not touched.
 *
 * Returns: (transfer full): what was saved; %NULL with [error@Error] (`NOT_A_RECORDING`, `TOO_NEW`,
 *   `DAMAGED` where nothing can be saved, `TOO_LARGE`) or [error@Gio.IOErrorEnum], of which
 *   `CANCELLED` leaves no @output
 *
 * Since: 0.1
 */
WeftRepairSummary *
weft_repair (const char *path, const char *output, WeftProgress *progress,
             GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL && output != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return repair (path, output, progress, cancellable, error);
}

static void
repair_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Work *work = data;
  GError *error = NULL;
  WeftRepairSummary *summary =
      repair (work->inputs[0], work->output, work->progress, cancellable, &error);

  if (summary != NULL)
    g_task_return_pointer (task, summary, (GDestroyNotify) weft_repair_summary_free);
  else
    g_task_return_error (task, error);
}

/**
 * weft_repair_async:
 * @path: (type filename): a damaged or unfinished recording
 * @output: (type filename): the recording to make; it must not exist
 * @progress: (nullable): hears how far it has got
 * @cancellable: (nullable): a cancellable
 * @callback: called when it is saved
 * @user_data: data for @callback
 *
 * Saves the intact part of a recording as a new one; see [func@repair].
 *
 * Since: 0.1
 */
void
weft_repair_async (const char *path, const char *output, WeftProgress *progress,
                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (path != NULL && output != NULL);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_repair_async);
  run_in_thread (task, g_strdupv ((char *[]){ (char *) path, NULL }), output, progress,
                 repair_thread);
}

/**
 * weft_repair_finish:
 * @result: what the callback got
 *
 * Ends [func@repair_async].
 *
 * Returns: (transfer full): what was saved, or %NULL
 *
 * Since: 0.1
 */
WeftRepairSummary *
weft_repair_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
