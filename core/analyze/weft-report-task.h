/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-report.h"

G_BEGIN_DECLS

/* Whom to tell how far something is; on any thread. */
typedef struct
{
  GFileProgressCallback callback; /* or NULL */
  gpointer data;
  GDestroyNotify destroy;
} WeftReportProgress;

/* PROGRESS may be NULL. */
typedef WeftReport *(*WeftReportFunc) (gpointer self, const WeftReportProgress *progress,
                                       GCancellable *cancellable, GError **error);

/* Has a thread make the report of SELF, by RUN; takes what PROGRESS holds. */
void weft_report_task_run (gpointer self, WeftReportFunc run, WeftReportProgress progress,
                           GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
WeftReport *weft_report_task_finish (gpointer self, GAsyncResult *result, GError **error);

G_END_DECLS
