/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports that are made on a thread of their own. */

#include "weft-report-task.h"

typedef struct
{
  WeftReportFunc run;
  WeftReportProgress progress;
} Work;

static void
work_free (gpointer data)
{
  Work *work = data;

  if (work->progress.destroy != NULL)
    work->progress.destroy (work->progress.data);
  g_free (work);
}

static void
run_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Work *work = data;
  GError *error = NULL;
  WeftReport *report = work->run (source, &work->progress, cancellable, &error);

  if (report != NULL)
    g_task_return_pointer (task, report, g_object_unref);
  else
    g_task_return_error (task, error);
}

void
weft_report_task_run (gpointer self, WeftReportFunc run, WeftReportProgress progress,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Work *work = g_new (Work, 1);

  *work = (Work){ run, progress };
  g_task_set_source_tag (task, weft_report_task_run);
  g_task_set_task_data (task, work, work_free);
  g_task_run_in_thread (task, run_in_thread);
}

WeftReport *
weft_report_task_finish (gpointer self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
