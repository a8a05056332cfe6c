/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Subscriptions to files that are finished, and to files that grow. */

#include "rig.h"

#define ALL (WEFT_EVENT_DISPATCH | WEFT_EVENT_METRIC | WEFT_EVENT_TRACE | WEFT_EVENT_WARNING)

static void
add_dispatches (Rig *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      guint64 id = self->model->tables[WEFT_TABLE_DISPATCHES]->len + 1;

      model_dispatch (self->model, id % 5 + 1, 1, 10 * (gint64) id, id % 7);
      model_commit (self->model);
    }
}

static void
add_others (Rig *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      model_begin (self->model, WEFT_TABLE_METRIC_POINTS);
      model_set (self->model, WEFT_METRIC_POINTS_TIME, i);
      model_commit (self->model);
      model_begin (self->model, WEFT_TABLE_TRACES);
      model_set (self->model, WEFT_TRACES_ID, i + 1000);
      model_commit (self->model);
      rig_begin_text (self, WEFT_TABLE_WARNINGS, WEFT_WARNINGS_CODE, i % 2 ? "odd" : "even");
      model_commit (self->model);
    }
}

/* Reads to the end; rows of a batch are those that follow the last one's. */
static guint64
read_dispatches (WeftSubscription *subscription, guint max_rows, guint64 first)
{
  g_autoptr (GError) error = NULL;
  guint64 next = first;

  for (;;)
    {
      g_autoptr (WeftBatch) batch = weft_subscription_read (subscription, max_rows, NULL, &error);
      WeftTable *table;
      guint n, id, start;

      g_assert_no_error (error);
      if (batch == NULL)
        return next - 1;
      n = weft_batch_get_n_rows (batch, WEFT_EVENT_DISPATCH);
      g_assert_cmpuint (n, <=, max_rows);
      table = weft_batch_get_table (batch, WEFT_EVENT_DISPATCH);
      g_assert_cmpuint (weft_table_get_n_rows (table), ==, n);
      id = (guint) weft_table_find_column (table, "id");
      start = (guint) weft_table_find_column (table, "start");
      next += weft_batch_get_missed (batch, WEFT_EVENT_DISPATCH);
      for (guint i = 0; i < n; i++, next++)
        {
          g_assert_cmpuint (weft_table_get_uint64 (table, id, i), ==, next);
          g_assert_cmpint (weft_table_get_int64 (table, start, i), ==, 10 * (gint64) next);
        }
    }
}

static void
test_finished (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;

  add_dispatches (self, 150000);
  rig_finish (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  weft_subscription_set_bound (subscription, 10); /* only while it grows */
  g_assert_cmpuint (read_dispatches (subscription, 4099, 1), ==, 150000);
  g_assert_cmpuint (weft_subscription_get_missed (subscription), ==, 0);
}

static void
test_kinds (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (GError) error = NULL;
  guint n[4] = { 0 };

  add_dispatches (self, 1000);
  add_others (self, 300);
  rig_finish (self);
  subscription = weft_subscription_new (self->recording, ALL);
  for (;;)
    {
      g_autoptr (WeftBatch) batch = weft_subscription_read (subscription, 100, NULL, &error);

      g_assert_no_error (error);
      if (batch == NULL)
        break;
      g_assert_cmpuint (weft_batch_get_n_rows (batch, ALL), <=, 100);
      for (guint i = 0; i < 4; i++)
        n[i] += weft_batch_get_n_rows (batch, 1u << i);
    }
  g_assert_cmpuint (n[0], ==, 1000);
  g_assert_cmpuint (n[1], ==, 300);
  g_assert_cmpuint (n[2], ==, 300);
  g_assert_cmpuint (n[3], ==, 300);
}

static void
test_contents (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (WeftBatch) batch = NULL;
  g_autoptr (GListModel) traces = NULL;
  g_autoptr (WeftObject) trace = NULL;
  g_autoptr (WeftObject) same = NULL;
  g_autofree char *handle = NULL;
  g_autoptr (GError) error = NULL;
  WeftTable *warnings, *table;
  guint code;

  add_others (self, 3);
  rig_finish (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_TRACE | WEFT_EVENT_WARNING);
  batch = weft_subscription_read (subscription, 100, NULL, NULL);
  traces = weft_batch_get_objects (batch, WEFT_EVENT_TRACE);
  g_assert_true (g_list_model_get_item_type (traces) == WEFT_TYPE_TRACE);
  g_assert_cmpuint (g_list_model_get_n_items (traces), ==, 3);
  trace = g_list_model_get_item (traces, 2);
  handle = weft_object_get_handle (trace);
  g_assert_cmpstr (handle, ==, "tr-1002");
  g_assert_null (g_list_model_get_item (traces, 3));
  table = weft_batch_get_table (batch, WEFT_EVENT_TRACE);
  same = weft_table_get_object (table, self->recording,
                                (guint) weft_table_find_column (table, "id"), 2, &error);
  g_assert_no_error (error);
  g_assert_true (weft_object_equal (trace, same));
  g_assert_null (weft_table_get_object (
      table, self->recording, (guint) weft_table_find_column (table, "error"), 2, &error));
  g_assert_no_error (error);
  warnings = weft_batch_get_table (batch, WEFT_EVENT_WARNING);
  code = (guint) weft_table_find_column (warnings, "code");
  g_assert_cmpstr (weft_table_get_string (warnings, code, 0), ==, "even");
  g_assert_cmpstr (weft_table_get_string (warnings, code, 1), ==, "odd");
  g_assert_cmpuint (weft_table_get_n_rows (weft_batch_get_table (batch, WEFT_EVENT_DISPATCH)), ==,
                    0);
}

/* A table has the values that objects have, of every type, null or not. */
static void
test_columns (Rig *self, gconstpointer data)
{
  const ModelShape shape = { .n_rows = 3000, .n_lanes = 3, .n_routines = 2, .extras = TRUE };
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (WeftBatch) batch = NULL;
  g_autoptr (GListModel) objects = NULL;
  WeftTable *table;

  model_fill (self->model, &shape, 3);
  rig_finish (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  batch = weft_subscription_read (subscription, 3000, NULL, NULL);
  table = weft_batch_get_table (batch, WEFT_EVENT_DISPATCH);
  objects = weft_batch_get_objects (batch, WEFT_EVENT_DISPATCH);
  for (guint row = 0; row < 3000; row += 7)
    {
      g_autoptr (WeftObject) object = g_list_model_get_item (objects, row);

      for (guint column = 0; column < weft_table_get_n_columns (table); column++)
        {
          const char *name = weft_table_get_column_name (table, column);
          g_autoptr (GVariant) in_table = weft_table_get_variant (table, column, row);
          g_autoptr (GVariant) in_object = weft_object_get_value (object, name);

          g_assert_cmpint (in_table == NULL, ==, in_object == NULL);
          if (in_table != NULL)
            g_assert_cmpvariant (in_table, in_object);
        }
    }
}

typedef struct
{
  WeftSubscription *subscription;
  guint64 last;
} Reader;

static gpointer
read_along (gpointer data)
{
  Reader *reader = data;

  reader->last = read_dispatches (reader->subscription, 5000, 1);
  return NULL;
}

/* Several readers of one recording, one of whom reads a single batch, while it is written. */
static void
test_growing (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) idle = NULL;
  g_autoptr (WeftBatch) batch = NULL;
  Reader readers[3] = { 0 };
  GThread *threads[3];

  add_dispatches (self, 100);
  rig_open (self);
  idle = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  batch = weft_subscription_read (idle, 10, NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      readers[i].subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
      threads[i] = g_thread_new ("reader", read_along, &readers[i]);
    }
  for (guint i = 0; i < 15; i++)
    {
      add_dispatches (self, 10000);
      g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
      g_usleep (20000);
    }
  rig_finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    {
      g_thread_join (threads[i]);
      g_assert_cmpuint (readers[i].last, ==, 150100);
      g_assert_cmpuint (weft_subscription_get_missed (readers[i].subscription), ==, 0);
      g_object_unref (readers[i].subscription);
    }
  g_assert_cmpuint (read_dispatches (idle, 100000, 11), ==, 150100);
}

/* Further behind than the bound: it goes on that many before the end, and says what it missed. */
static void
test_bound (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (WeftBatch) first = NULL;
  g_autoptr (WeftBatch) second = NULL;

  add_dispatches (self, 500);
  rig_open (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  weft_subscription_set_bound (subscription, 500);
  first = weft_subscription_read (subscription, 100, NULL, NULL);
  g_assert_cmpuint (weft_batch_get_missed (first, ALL), ==, 0);
  add_dispatches (self, 10000);
  g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
  second = weft_subscription_read (subscription, 100, NULL, NULL);
  g_assert_cmpuint (weft_batch_get_missed (second, WEFT_EVENT_DISPATCH), ==, 10500 - 100 - 500);
  g_assert_cmpuint (weft_batch_get_missed (second, WEFT_EVENT_TRACE), ==, 0);
  g_assert_cmpuint (weft_subscription_get_missed (subscription), ==, 10500 - 100 - 500);
  rig_finish (self);
  g_assert_cmpuint (read_dispatches (subscription, 1000, 10101), ==, 10500);
}

static void
test_skip (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;

  add_dispatches (self, 500);
  rig_open (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  weft_subscription_skip (subscription);
  add_dispatches (self, 70000);
  rig_finish (self);
  g_assert_cmpuint (read_dispatches (subscription, 1000, 501), ==, 70500);
  g_assert_cmpuint (weft_subscription_get_missed (subscription), ==, 0);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
test_async (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) pending = NULL;
  g_autoptr (GAsyncResult) ended = NULL;
  g_autoptr (WeftBatch) batch = NULL;
  g_autoptr (GError) error = NULL;

  rig_open (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  weft_subscription_read_async (subscription, 10, NULL, on_done, &result);
  weft_subscription_read_async (subscription, 10, NULL, on_done, &pending);
  rig_wait_for (pending != NULL);
  g_assert_null (weft_subscription_read_finish (subscription, pending, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);
  for (guint i = 0; i < 100; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (result);
  add_dispatches (self, 5);
  g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
  rig_wait_for (result != NULL);
  batch = weft_subscription_read_finish (subscription, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (weft_batch_get_n_rows (batch, ALL), ==, 5);

  weft_subscription_read_async (subscription, 10, NULL, on_done, &ended);
  rig_finish (self);
  rig_wait_for (ended != NULL);
  g_assert_null (weft_subscription_read_finish (subscription, ended, &error));
  g_assert_no_error (error);
}

static void
test_cancel (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WeftBatch) batch = NULL;
  g_autoptr (GError) error = NULL;

  rig_open (self);
  subscription = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  weft_subscription_read_async (subscription, 10, cancellable, on_done, &result);
  for (guint i = 0; i < 20; i++)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  g_cancellable_cancel (cancellable);
  rig_wait_for (result != NULL);
  g_assert_null (weft_subscription_read_finish (subscription, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (weft_subscription_read (subscription, 10, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  add_dispatches (self, 5);
  g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
  batch = weft_subscription_read (subscription, 10, NULL, NULL);
  g_assert_cmpuint (weft_batch_get_n_rows (batch, ALL), ==, 5);
}

#define CASE(path, function) g_test_add (path, Rig, NULL, rig_set_up, function, rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  CASE ("/model/subscription/finished", test_finished);
  CASE ("/model/subscription/kinds", test_kinds);
  CASE ("/model/subscription/contents", test_contents);
  CASE ("/model/subscription/columns", test_columns);
  CASE ("/model/subscription/growing", test_growing);
  CASE ("/model/subscription/bound", test_bound);
  CASE ("/model/subscription/skip", test_skip);
  CASE ("/model/subscription/async", test_async);
  CASE ("/model/subscription/cancel", test_cancel);

  return g_test_run ();
}
