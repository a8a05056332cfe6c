/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "path-rows.h"

void
path_life (Sample *sample, guint64 thread, gint64 born, gint64 died)
{
  model_begin (sample->model, WEFT_TABLE_THREAD_TIMES);
  model_set (sample->model, WEFT_THREAD_TIMES_THREAD, thread);
  model_set (sample->model, WEFT_THREAD_TIMES_START, (guint64) born);
  model_set (sample->model, WEFT_THREAD_TIMES_TIME, (guint64) died);
  model_commit (sample->model);
}

guint64
path_wait (Sample *sample, guint64 thread, gint64 start, gint64 end, WeftWaitReason reason,
           guint64 waker, gint64 woken)
{
  Model *model = sample->model;
  guint64 wakeup;

  model_begin (model, WEFT_TABLE_WAKEUPS);
  model_set (model, WEFT_WAKEUPS_TIME, (guint64) woken);
  model_set (model, WEFT_WAKEUPS_WAKER, waker);
  model_set (model, WEFT_WAKEUPS_WAKEE, thread);
  wakeup = model_commit (model);
  cpu_begin_wait (model, thread, start, (guint64) (end - start), reason, 0);
  model_set (model, WEFT_WAITS_WAKER, waker);
  model_set (model, WEFT_WAITS_WAKEUP, wakeup);
  return model_commit (model);
}

void
path_origin (Sample *sample, WeftOriginRole role, gint64 time, guint64 thread, guint64 dispatch,
             guint64 submission)
{
  model_begin (sample->model, WEFT_TABLE_ORIGINS);
  model_set (sample->model, WEFT_ORIGINS_ROLE, role);
  model_set (sample->model, WEFT_ORIGINS_TIME, (guint64) time);
  model_set (sample->model, WEFT_ORIGINS_THREAD, thread);
  model_set (sample->model, WEFT_ORIGINS_DISPATCH, dispatch);
  model_set (sample->model, WEFT_ORIGINS_SUBMISSION, submission);
  model_commit (sample->model);
}

guint64
path_dispatch (Sample *sample, guint64 lane, guint64 routine, gint64 queued, gint64 start,
               gint64 end, guint64 thread, guint64 submission)
{
  guint64 id;

  sample_begin (sample, lane, routine, start, (guint64) (end - start));
  model_set (sample->model, WEFT_DISPATCHES_SUBMITTED, (guint64) queued);
  model_set (sample->model, WEFT_DISPATCHES_SUBMISSION, submission);
  id = model_commit (sample->model);
  path_origin (sample, WEFT_ORIGIN_ROLE_DISPATCH, queued, thread, id, 0);
  return id;
}

void
path_await (Sample *sample, guint64 thread, gint64 begin, gint64 end, guint64 dispatch,
            guint64 submission)
{
  path_origin (sample, WEFT_ORIGIN_ROLE_WAIT_BEGIN, begin, thread, dispatch, submission);
  path_origin (sample, WEFT_ORIGIN_ROLE_WAIT_END, end, thread, dispatch, submission);
}

WeftReport *
path_ask (Sample *sample, const char *handle, gint64 begin, gint64 end, const char *mode,
          const char *what_if)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftAnalysis) analysis = sample_analysis (sample, "critical-path");
  WeftReport *report;

  weft_analysis_set_handle (analysis, handle);
  weft_analysis_set_limit (analysis, 0);
  if (end != 0)
    weft_analysis_set_range (analysis, begin, end);
  g_assert_true (mode == NULL || weft_analysis_set_mode (analysis, mode, &error));
  g_assert_true (weft_analysis_set_what_if (analysis, what_if, &error));
  report = weft_analysis_run (analysis, NULL, &error);
  g_assert_no_error (error);
  return report;
}

guint64
path_number (WeftReport *report, const char *table, const char *column, guint row)
{
  WeftTable *found = weft_report_get_table (report, table);

  g_assert_nonnull (found);
  g_assert_cmpuint (row, <, weft_table_get_n_rows (found));
  return weft_table_get_uint64 (found, (guint) weft_table_find_column (found, column), row);
}
