/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "rig.h"

void
rig_set_up (Rig *self, gconstpointer data)
{
  self->directory = model_directory_new ();
  self->model = model_new (self->directory, &(WeftStoreOptions){
                                                .flush_interval_ms = 60000,
                                                .start_monotonic = 123456789,
                                                .start_realtime = 1700000000123456789,
                                            });
}

void
rig_tear_down (Rig *self, gconstpointer data)
{
  g_clear_object (&self->recording);
  model_free (self->model);
  model_directory_free (self->directory);
}

void
rig_open (Rig *self)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->model->path);
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_store_writer_flush (self->model->writer, &error));
  g_assert_no_error (error);
  self->recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
}

void
rig_finish (Rig *self)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->model->path);
  g_autoptr (GError) error = NULL;

  weft_store_unref (model_close (self->model));
  if (self->recording == NULL)
    self->recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
}

void
rig_begin_text (Rig *self, WeftTableId table, WeftColumnNumber column, const char *text)
{
  model_begin (self->model, table);
  model_set (self->model, column, weft_store_writer_string (self->model->writer, text, -1));
}

void
rig_add_meta (Rig *self, const char *key, const char *text, gint64 number)
{
  rig_begin_text (self, WEFT_TABLE_META, WEFT_META_KEY, key);
  if (text != NULL)
    model_set (self->model, WEFT_META_TEXT,
               weft_store_writer_string (self->model->writer, text, -1));
  else
    model_set (self->model, WEFT_META_NUMBER, (guint64) number);
  model_commit (self->model);
}
