/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The asynchronous forms: a table never changes, so a thread can write it. */

#include "weft-table.h"

static void
write_csv_in_thread (GTask *task, gpointer source, gpointer stream, GCancellable *cancellable)
{
  GError *error = NULL;

  if (weft_table_write_csv (source, stream, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
write_arrow_in_thread (GTask *task, gpointer source, gpointer stream, GCancellable *cancellable)
{
  GError *error = NULL;

  if (weft_table_write_arrow (source, stream, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
run_in_thread (GTask *task, GOutputStream *stream, int io_priority, GTaskThreadFunc function)
{
  g_task_set_priority (task, io_priority);
  g_task_set_task_data (task, g_object_ref (stream), g_object_unref);
  g_task_run_in_thread (task, function);
  g_object_unref (task);
}

/**
 * weft_table_write_csv_async:
 * @self: a table
 * @stream: where to write it; used by nobody else until the callback is called
 * @io_priority: priority of the callback
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: data for @callback
 *
 * Does [method@Table.write_csv] in another thread.
 *
 * Since: 0.1
 */
void
weft_table_write_csv_async (WeftTable *self, GOutputStream *stream, int io_priority,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WEFT_IS_TABLE (self));
  g_return_if_fail (G_IS_OUTPUT_STREAM (stream));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_table_write_csv_async);
  run_in_thread (task, stream, io_priority, write_csv_in_thread);
}

/**
 * weft_table_write_csv_finish:
 * @self: a table
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: whether all of it was written
 *
 * Since: 0.1
 */
gboolean
weft_table_write_csv_finish (WeftTable *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * weft_table_write_arrow_async:
 * @self: a table
 * @stream: where to write it; used by nobody else until the callback is called
 * @io_priority: priority of the callback
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: data for @callback
 *
 * Does [method@Table.write_arrow] in another thread.
 *
 * Since: 0.1
 */
void
weft_table_write_arrow_async (WeftTable *self, GOutputStream *stream, int io_priority,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WEFT_IS_TABLE (self));
  g_return_if_fail (G_IS_OUTPUT_STREAM (stream));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_table_write_arrow_async);
  run_in_thread (task, stream, io_priority, write_arrow_in_thread);
}

/**
 * weft_table_write_arrow_finish:
 * @self: a table
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: whether all of it was written
 *
 * Since: 0.1
 */
gboolean
weft_table_write_arrow_finish (WeftTable *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
