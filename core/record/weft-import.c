/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-import.h"

#include "weft-error.h"
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

/* ---- Work in a thread, progress in the caller's context ---- */

/* Belongs to the work and to the source that tells of it, which may be busy when the work is done.
 */
typedef struct
{
  GSource *teller;
  WeftProgressFunc progress;
  gpointer progress_data;
  GDestroyNotify progress_destroy;
  GMutex lock; /* of what follows */
  guint64 done;
  guint64 total;
} Listener;

typedef struct
{
  char **inputs;
  char *output;
  Listener *listener; /* or NULL */
} Work;

static gboolean
teller_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_ready_time (source, -1);
  return callback (data);
}

static GSourceFuncs teller_funcs = { NULL, NULL, teller_dispatch, NULL, NULL, NULL };

static gboolean
tell (gpointer data)
{
  Listener *listener = data;
  guint64 done, total;

  g_mutex_lock (&listener->lock);
  done = listener->done;
  total = listener->total;
  g_mutex_unlock (&listener->lock);
  listener->progress (done, total, listener->progress_data);
  return G_SOURCE_CONTINUE;
}

static void
listener_clear (gpointer data)
{
  Listener *self = data;

  if (self->progress_destroy != NULL)
    self->progress_destroy (self->progress_data);
  g_mutex_clear (&self->lock);
}

static void
listener_release (gpointer data)
{
  g_atomic_rc_box_release_full (data, listener_clear);
}

static Listener *
listener_new (WeftProgressFunc progress, gpointer data, GDestroyNotify destroy)
{
  Listener *self;

  if (progress == NULL)
    return NULL;
  self = g_atomic_rc_box_new0 (Listener);
  g_mutex_init (&self->lock);
  self->progress = progress;
  self->progress_data = data;
  self->progress_destroy = destroy;
  self->teller = g_source_new (&teller_funcs, sizeof (GSource));
  g_source_set_static_name (self->teller, "weft-progress");
  g_source_set_callback (self->teller, tell, g_atomic_rc_box_acquire (self), listener_release);
  g_source_attach (self->teller, g_main_context_get_thread_default ());
  return self;
}

static void
on_progress (guint64 done, guint64 total, gpointer data)
{
  Listener *self = data;

  if (self == NULL)
    return;
  g_mutex_lock (&self->lock);
  self->done = done;
  self->total = total;
  g_mutex_unlock (&self->lock);
  g_source_set_ready_time (self->teller, 0);
}

static Work *
work_new (const char *const *inputs, const char *output, Listener *listener)
{
  Work *self = g_new0 (Work, 1);

  self->inputs = g_strdupv ((char **) inputs);
  self->output = g_strdup (output);
  self->listener = listener;
  return self;
}

static void
work_free (gpointer data)
{
  Work *self = data;

  if (self->listener != NULL)
    {
      GSource *teller = g_steal_pointer (&self->listener->teller);

      g_source_destroy (teller);
      g_source_unref (teller);
      listener_release (self->listener);
    }
  g_strfreev (self->inputs);
  g_free (self->output);
  g_free (self);
}

/* ---- Spools ---- */

static WeftImportSummary *
import_spool (const char *const *paths, const char *output, Listener *listener,
              GCancellable *cancellable, GError **error)
{
  WeftSpoolResult result = { 0 };
  WeftImportSummary *summary;

  if (!weft_spool_import (paths, output, on_progress, listener, cancellable, &result, error))
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
weft_import_spool (const char *const *paths, const char *output, GCancellable *cancellable,
                   GError **error)
{
  g_return_val_if_fail (paths != NULL && output != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return import_spool (paths, output, NULL, cancellable, error);
}

static void
import_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Work *work = data;
  GError *error = NULL;
  WeftImportSummary *summary = import_spool ((const char *const *) work->inputs, work->output,
                                             work->listener, cancellable, &error);

  if (summary != NULL)
    g_task_return_pointer (task, summary, (GDestroyNotify) weft_import_summary_free);
  else
    g_task_return_error (task, error);
}

/**
 * weft_import_spool_async:
 * @paths: (array zero-terminated=1) (element-type filename): spool files
 * @output: (type filename): the recording to make; it must not exist
 * @cancellable: (nullable): a cancellable
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): hears
 * how far it has got
 * @progress_data: data for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @callback: (scope async): called when the recording is made
 * @user_data: data for @callback
 *
 * Makes one recording of spool files; see [func@import_spool].
 *
 * Since: 0.1
 */
void
weft_import_spool_async (const char *const *paths, const char *output, GCancellable *cancellable,
                         WeftProgressFunc progress, gpointer progress_data,
                         GDestroyNotify progress_destroy, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Listener *listener;

  g_return_if_fail (paths != NULL && output != NULL);

  listener = listener_new (progress, progress_data, progress_destroy);
  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_import_spool_async);
  g_task_set_task_data (task, work_new (paths, output, listener), work_free);
  g_task_run_in_thread (task, import_thread);
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

/* Errors of the store under their public names. */
static void
propagate (GError **destination, GError *error)
{
  static const WeftError codes[] = {
    [WEFT_STORE_ERROR_NOT_WEFT] = WEFT_ERROR_NOT_A_RECORDING,
    [WEFT_STORE_ERROR_TOO_NEW] = WEFT_ERROR_TOO_NEW,
    [WEFT_STORE_ERROR_DAMAGED] = WEFT_ERROR_DAMAGED,
    [WEFT_STORE_ERROR_TOO_LARGE] = WEFT_ERROR_TOO_LARGE,
    [WEFT_STORE_ERROR_NO_SUCH_ROW] = WEFT_ERROR_NO_SUCH_OBJECT,
  };

  if (error->domain == WEFT_STORE_ERROR)
    {
      error->domain = WEFT_ERROR;
      error->code = codes[error->code];
    }
  g_propagate_error (destination, error);
}

static WeftRepairSummary *
repair (const char *path, const char *output, Listener *listener, GCancellable *cancellable,
        GError **error)
{
  WeftStoreReport report = { 0 };
  GError *local = NULL;
  WeftRepairSummary *summary;

  if (!weft_store_repair (path, output, on_progress, listener, cancellable, &report, &local))
    {
      propagate (error, local);
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
weft_repair (const char *path, const char *output, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (path != NULL && output != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return repair (path, output, NULL, cancellable, error);
}

static void
repair_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Work *work = data;
  GError *error = NULL;
  WeftRepairSummary *summary =
      repair (work->inputs[0], work->output, work->listener, cancellable, &error);

  if (summary != NULL)
    g_task_return_pointer (task, summary, (GDestroyNotify) weft_repair_summary_free);
  else
    g_task_return_error (task, error);
}

/**
 * weft_repair_async:
 * @path: (type filename): a damaged or unfinished recording
 * @output: (type filename): the recording to make; it must not exist
 * @cancellable: (nullable): a cancellable
 * @progress: (nullable) (scope notified) (closure progress_data) (destroy progress_destroy): hears
 * how far it has got
 * @progress_data: data for @progress
 * @progress_destroy: (nullable): frees @progress_data
 * @callback: (scope async): called when it is saved
 * @user_data: data for @callback
 *
 * Saves the intact part of a recording as a new one; see [func@repair].
 *
 * Since: 0.1
 */
void
weft_repair_async (const char *path, const char *output, GCancellable *cancellable,
                   WeftProgressFunc progress, gpointer progress_data,
                   GDestroyNotify progress_destroy, GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Listener *listener;

  g_return_if_fail (path != NULL && output != NULL);

  listener = listener_new (progress, progress_data, progress_destroy);
  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_repair_async);
  g_task_set_task_data (task, work_new ((const char *const[]){ path, NULL }, output, listener),
                        work_free);
  g_task_run_in_thread (task, repair_thread);
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
