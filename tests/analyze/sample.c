/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

Sample *
sample_new (void)
{
  Sample *self = g_new0 (Sample, 1);

  self->directory = model_directory_new ();
  self->model = model_new (self->directory, &(WeftStoreOptions){ .flush_interval_ms = 60000 });

  model_begin (self->model, WEFT_TABLE_PROCESSES);
  model_set (self->model, WEFT_PROCESSES_PID, 100);
  model_set (self->model, WEFT_PROCESSES_NAME, model_string (self->model, "program"));
  model_commit (self->model);
  model_begin (self->model, WEFT_TABLE_RUNTIMES);
  model_set (self->model, WEFT_RUNTIMES_PROCESS, 1);
  model_set (self->model, WEFT_RUNTIMES_NAME, model_string (self->model, "runtime"));
  model_commit (self->model);
  sample_thread (self, 101, "main");
  return self;
}

void
sample_free (Sample *self)
{
  g_clear_object (&self->recording);
  model_free (self->model);
  model_directory_free (self->directory);
  g_free (self);
}

guint64
sample_thread (Sample *self, guint64 tid, const char *name)
{
  model_begin (self->model, WEFT_TABLE_THREADS);
  model_set (self->model, WEFT_THREADS_PROCESS, 1);
  model_set (self->model, WEFT_THREADS_TID, tid);
  model_set (self->model, WEFT_THREADS_NAME, model_string (self->model, name));
  return model_commit (self->model);
}

guint64
sample_lane (Sample *self, const char *name, const char *kind, guint64 parent)
{
  model_begin (self->model, WEFT_TABLE_LANES);
  model_set (self->model, WEFT_LANES_RUNTIME, 1);
  model_set (self->model, WEFT_LANES_NAME, model_string (self->model, name));
  model_set (self->model, WEFT_LANES_KIND, model_string (self->model, kind));
  model_set (self->model, WEFT_LANES_PARENT, parent);
  return model_commit (self->model);
}

guint64
sample_routine (Sample *self, const char *name)
{
  model_begin (self->model, WEFT_TABLE_ROUTINES);
  model_set (self->model, WEFT_ROUTINES_RUNTIME, 1);
  model_set (self->model, WEFT_ROUTINES_NAME, model_string (self->model, name));
  return model_commit (self->model);
}

void
sample_begin (Sample *self, guint64 lane, guint64 routine, gint64 start, guint64 duration)
{
  model_dispatch (self->model, lane, routine, start, duration);
}

guint64
sample_dispatch (Sample *self, guint64 lane, guint64 routine, gint64 start, guint64 duration)
{
  sample_begin (self, lane, routine, start, duration);
  return model_commit (self->model);
}

guint64
sample_span (Sample *self, guint64 lane, guint64 routine, gint64 start, guint64 duration,
             guint64 depth, guint64 child_time)
{
  sample_begin (self, lane, routine, start, duration);
  model_set (self->model, WEFT_DISPATCHES_THREAD, 1);
  model_set (self->model, WEFT_DISPATCHES_DEPTH, depth);
  model_set (self->model, WEFT_DISPATCHES_CHILD_TIME, child_time);
  return model_commit (self->model);
}

void
sample_meta_number (Sample *self, const char *key, gint64 number)
{
  model_begin (self->model, WEFT_TABLE_META);
  model_set (self->model, WEFT_META_KEY, model_string (self->model, key));
  model_set (self->model, WEFT_META_NUMBER, (guint64) number);
  model_commit (self->model);
}

WeftAnalysis *
sample_analysis (Sample *self, const char *kind)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis;

  if (self->recording == NULL)
    {
      g_autoptr (GFile) file = g_file_new_for_path (self->model->path);

      weft_store_unref (model_close (self->model));
      self->recording = weft_recording_open (file, NULL, &error);
      g_assert_no_error (error);
    }
  analysis = weft_analysis_new (self->recording, kind, &error);
  g_assert_no_error (error);
  return analysis;
}

WeftReport *
sample_run (WeftAnalysis *analysis)
{
  g_autoptr (GError) error = NULL;
  WeftReport *report = weft_analysis_run (analysis, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (weft_report_get_name (report), ==, weft_analysis_get_kind (analysis));
  g_assert_cmpstr (weft_table_get_name (weft_report_get_main_table (report)), ==,
                   weft_analysis_get_kind (analysis));
  g_object_unref (analysis);
  return report;
}

void
sample_fails (WeftAnalysis *analysis, WeftError code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftReport) report = weft_analysis_run (analysis, NULL, &error);

  g_assert_null (report);
  g_assert_error (error, WEFT_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s” is not in “%s”", text, error->message);
  g_object_unref (analysis);
}

static void
add_cell (GString *text, WeftTable *table, guint column, guint row)
{
  g_autofree char *cell = NULL;

  if (weft_table_is_null (table, column, row))
    {
      g_string_append_c (text, '-');
      return;
    }
  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_DURATION:
      g_string_append_printf (text, "%" G_GUINT64_FORMAT,
                              weft_table_get_uint64 (table, column, row));
      return;
    case WEFT_VALUE_TIME:
      g_string_append_printf (text, "%" G_GINT64_FORMAT, weft_table_get_int64 (table, column, row));
      return;
    case WEFT_VALUE_DOUBLE:
      g_string_append_printf (text, "%.2f", weft_table_get_double (table, column, row));
      return;
    case WEFT_VALUE_BOOLEAN:
      g_string_append (text, weft_table_get_boolean (table, column, row) ? "yes" : "no");
      return;
    default:
      cell = weft_table_get_text (table, column, row);
      g_string_append (text, cell);
    }
}

char *
sample_text (WeftTable *table, const char *columns)
{
  g_auto (GStrv) names = g_strsplit (columns, " ", -1);
  GString *text = g_string_new (NULL);

  g_assert_nonnull (table);
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    for (guint i = 0; names[i] != NULL; i++)
      {
        int column = weft_table_find_column (table, names[i]);

        if (column < 0)
          g_error ("%s has no column %s", weft_table_get_name (table), names[i]);
        add_cell (text, table, (guint) column, row);
        g_string_append_c (text, names[i + 1] == NULL ? '\n' : ' ');
      }
  return g_string_free (text, FALSE);
}
