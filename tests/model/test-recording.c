/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recordings as a whole: what they say of themselves, files that are none, files that grow. */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rig.h"
#include "weft-crc32c.h"
#include "weft-store-format.h"

static void
add_dispatches (Rig *self, guint n, gint64 start, guint64 duration)
{
  for (guint i = 0; i < n; i++)
    {
      model_dispatch (self->model, 1, 1, start + i, duration);
      model_commit (self->model);
    }
}

static void
test_facts (Rig *self, gconstpointer data)
{
  g_autoptr (GFile) file = NULL;
  g_autoptr (GDateTime) start = NULL;
  g_autofree char *date = NULL;
  g_autofree char *host = NULL;
  g_autofree char *command_line = NULL;
  g_autofree char *processors = NULL;
  g_autofree char *damage = NULL;
  g_auto (GStrv) keys = NULL;
  WeftRecordingState state;
  gint64 start_monotonic, duration;
  guint64 size;
  gboolean live;
  struct stat status;

  rig_add_meta (self, "host", "machine", 0);
  rig_add_meta (self, "command-line", "program one two", 0);
  rig_add_meta (self, "processors", NULL, 12);
  rig_add_meta (self, "duration", NULL, 5000000000);
  add_dispatches (self, 3, 100, 50);
  rig_finish (self);
  g_object_get (self->recording, "file", &file, "state", &state, "live", &live, "damage", &damage,
                "size", &size, "start", &start, "start-monotonic", &start_monotonic, "duration",
                &duration, "host", &host, "command-line", &command_line, NULL);
  g_assert_true (file == weft_recording_get_file (self->recording));
  g_assert_cmpint (state, ==, WEFT_RECORDING_COMPLETE);
  g_assert_false (live);
  g_assert_null (damage);
  g_assert_cmpint (g_stat (self->model->path, &status), ==, 0);
  g_assert_cmpuint (size, ==, (guint64) status.st_size);
  date = g_date_time_format (start, "%Y-%m-%d %H:%M:%S.%f");
  g_assert_cmpstr (date, ==, "2023-11-14 22:13:20.123456");
  g_assert_cmpint (start_monotonic, ==, 123456789);
  g_assert_cmpint (duration, ==, 5000000000);
  g_assert_cmpstr (host, ==, "machine");
  g_assert_cmpstr (command_line, ==, "program one two");
  processors = weft_recording_get_meta (self->recording, "processors");
  g_assert_cmpstr (processors, ==, "12");
  g_assert_null (weft_recording_get_meta (self->recording, "no such fact"));
  keys = weft_recording_list_meta (self->recording);
  g_assert_cmpuint (g_strv_length (keys), ==, 4);
  g_assert_cmpuint (weft_recording_get_n_rows (self->recording, "dispatches"), ==, 3);
  g_assert_cmpuint (weft_recording_get_n_rows (self->recording, "no_such_table"), ==, 0);
}

/* Where no recorder said how long it was. */
static void
test_duration_of_rows (Rig *self, gconstpointer data)
{
  add_dispatches (self, 70000, 1000, 5); /* a sealed chunk and a journal */
  add_dispatches (self, 1, 0, 3000000);
  rig_finish (self);
  g_assert_cmpint (weft_recording_get_duration (self->recording), ==, 3000000);
}

static void
test_duration_of_others (Rig *self, gconstpointer data)
{
  add_dispatches (self, 3, 1000, 5);
  model_begin (self->model, WEFT_TABLE_METRIC_POINTS);
  model_set (self->model, WEFT_METRIC_POINTS_TIME, 7777);
  model_commit (self->model);
  rig_finish (self);
  g_assert_cmpint (weft_recording_get_duration (self->recording), ==, 7777);
}

/* Nothing was recorded: a recording all the same. */
static void
test_empty (Rig *self, gconstpointer data)
{
  g_autoptr (WeftList) dispatches = NULL;
  g_autoptr (GError) error = NULL;

  rig_finish (self);
  g_assert_cmpint (weft_recording_get_state (self->recording), ==, WEFT_RECORDING_COMPLETE);
  g_assert_cmpint (weft_recording_get_duration (self->recording), ==, 0);
  dispatches = weft_recording_get_dispatches (self->recording);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (dispatches)), ==, 0);
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (dispatches), 0));
  g_assert_null (weft_recording_find (self->recording, "d-1", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
  g_assert_null (weft_recording_get_host (self->recording));
}

/* The words of the file, those that make no sense left out. */
static void
test_vocabulary (Rig *self, gconstpointer data)
{
  static const char *const rows[][5] = {
    { "test", "kind", "test.lane", "label", "Test lane" },
    { "", "kind", "test.lane", "label", "nobody's" },
    { "test", "kind", "test.queue", "label", "Test queue" },
  };
  static const WeftColumnNumber columns[] = { WEFT_WORDS_DOMAIN, WEFT_WORDS_SCOPE,
                                              WEFT_WORDS_SUBJECT, WEFT_WORDS_KEY, WEFT_WORDS_TEXT };
  g_autoptr (WeftVocabulary) vocabulary = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      rig_begin_text (self, WEFT_TABLE_WORDS, columns[0], rows[i][0]);
      for (guint j = 1; j < G_N_ELEMENTS (columns); j++)
        model_set (self->model, columns[j],
                   weft_store_writer_string (self->model->writer, rows[i][j], -1));
      model_commit (self->model);
    }
  rig_finish (self);
  vocabulary = weft_recording_get_vocabulary (self->recording);
  g_assert_cmpuint (weft_vocabulary_get_n_rows (vocabulary), ==, 2);
  g_assert_cmpstr (weft_vocabulary_get_label (vocabulary, "test.lane"), ==, "Test lane");
  g_assert_cmpstr (weft_vocabulary_get_label (vocabulary, "test.queue"), ==, "Test queue");
}

static void
assert_refused (const char *path, GQuark domain, int code, const char *text)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_recording_open (file, NULL, &error));
  g_assert_error (error, domain, code);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s” does not say “%s”", error->message, text);
}

static void
test_refused (Rig *self, gconstpointer data)
{
  g_autofree char *empty = g_build_filename (self->directory, "empty", NULL);
  g_autofree char *text = g_build_filename (self->directory, "text", NULL);
  g_autofree char *fifo = g_build_filename (self->directory, "fifo", NULL);
  g_autofree char *missing = g_build_filename (self->directory, "missing", NULL);

  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  g_assert_true (g_file_set_contents (text, "no recording at all\n", -1, NULL));
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);

  assert_refused (empty, WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING, "is empty");
  assert_refused (text, WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING, "is no Weft recording");
  assert_refused (fifo, WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING, "is not a regular file");
  assert_refused ("/dev/zero", WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING, "is not a regular file");
  assert_refused (self->directory, WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING, "is not a regular file");
  assert_refused (missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, missing);
  assert_refused ("https://example.org/a.weft", G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                  "is no local file");
}

static void
test_damaged_header (Rig *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "changed", NULL);
  g_autofree char *contents = NULL;
  gsize length;

  rig_finish (self);
  g_assert_true (g_file_get_contents (self->model->path, &contents, &length, NULL));
  contents[9] ^= 1;
  g_assert_true (g_file_set_contents (path, contents, (gssize) length, NULL));
  assert_refused (path, WEFT_ERROR, WEFT_ERROR_DAMAGED, "checksum");
}

static void
test_newer (Rig *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "newer", NULL);
  g_autofree char *contents = NULL;
  WeftFileHeader header;
  gsize length;

  rig_finish (self);
  g_assert_true (g_file_get_contents (self->model->path, &contents, &length, NULL));
  memcpy (&header, contents, sizeof header);
  header.major++;
  header.crc = weft_crc32c (&header, G_STRUCT_OFFSET (WeftFileHeader, crc));
  memcpy (contents, &header, sizeof header);
  g_assert_true (g_file_set_contents (path, contents, (gssize) length, NULL));
  assert_refused (path, WEFT_ERROR, WEFT_ERROR_TOO_NEW, "open it with a later Weft");
}

/* Rows go missing; the rest is served, and says so. */
static void
test_damaged (Rig *self, gconstpointer data)
{
  g_autofree char *contents = NULL;
  g_autofree char *damage = NULL;
  g_autoptr (WeftRecording) damaged = NULL;
  g_autoptr (WeftList) dispatches = NULL;
  g_autoptr (GFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (self->directory, "cut", NULL);
  guint n_readable = 0, n;
  gsize length;

  add_dispatches (self, 200000, 10, 5);
  rig_finish (self);
  g_assert_true (g_file_get_contents (self->model->path, &contents, &length, NULL));
  memset (contents + length / 2, 0xa5, 4096);
  g_assert_true (g_file_set_contents (path, contents, (gssize) length, NULL));
  file = g_file_new_for_path (path);
  damaged = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  dispatches = weft_recording_get_dispatches (damaged);
  n = g_list_model_get_n_items (G_LIST_MODEL (dispatches));
  for (guint i = 0; i < n; i += 500)
    {
      g_autoptr (WeftDispatch) dispatch = g_list_model_get_item (G_LIST_MODEL (dispatches), i);
      g_autoptr (GError) unreadable = NULL;

      g_assert_nonnull (dispatch);
      if (weft_object_check (WEFT_OBJECT (dispatch), &unreadable))
        n_readable++;
      else
        g_assert_error (unreadable, WEFT_ERROR, WEFT_ERROR_DAMAGED);
    }
  g_assert_cmpuint (n_readable, >, 0);
  g_assert_cmpuint (n_readable, <, 400);

  g_assert_true (g_file_set_contents (path, contents, (gssize) length / 2, NULL));
  g_clear_object (&damaged);
  damaged = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_recording_get_state (damaged), !=, WEFT_RECORDING_COMPLETE);
  g_assert_false (weft_recording_get_live (damaged));
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
test_open_async (Rig *self, gconstpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->model->path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GError) error = NULL;

  weft_store_unref (model_close (self->model));
  weft_recording_open_async (file, NULL, on_opened, &result);
  rig_wait_for (result != NULL);
  self->recording = weft_recording_open_finish (result, &error);
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  weft_recording_open_async (file, cancellable, on_opened, &cancelled);
  rig_wait_for (cancelled != NULL);
  g_assert_null (weft_recording_open_finish (cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
count_up (gpointer object, gpointer data)
{
  ++*(guint *) data;
}

static void
count_notify (gpointer object, GParamSpec *pspec, gpointer data)
{
  ++*(guint *) data;
}

/* It follows by itself, and stops when there is nothing to follow. */
static void
test_follow (Rig *self, gconstpointer data)
{
  guint n_changes = 0, n_states = 0, n_lives = 0;

  rig_open (self);
  g_assert_true (weft_recording_get_live (self->recording));
  g_signal_connect (self->recording, "changed", G_CALLBACK (count_up), &n_changes);
  g_signal_connect (self->recording, "notify::state", G_CALLBACK (count_notify), &n_states);
  g_signal_connect (self->recording, "notify::live", G_CALLBACK (count_notify), &n_lives);
  weft_recording_set_follow (self->recording, 5);
  g_assert_cmpuint (weft_recording_get_follow (self->recording), ==, 5);
  for (guint i = 1; i <= 3; i++)
    {
      add_dispatches (self, 10, 10, 5);
      g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
      rig_wait_for (weft_recording_get_n_rows (self->recording, "dispatches") == 10 * i);
      rig_wait_for (n_changes >= i);
    }
  rig_finish (self);
  rig_wait_for (weft_recording_get_follow (self->recording) == 0);
  g_assert_cmpint (weft_recording_get_state (self->recording), ==, WEFT_RECORDING_COMPLETE);
  g_assert_cmpuint (n_states, >, 0);
  g_assert_cmpuint (n_lives, ==, 1);
  weft_recording_set_follow (self->recording, 5);
  g_assert_cmpuint (weft_recording_get_follow (self->recording), ==, 0);
}

/* A recording that is let go while it follows. */
static void
test_follow_no_more (Rig *self, gconstpointer data)
{
  rig_open (self);
  weft_recording_set_follow (self->recording, 1);
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  g_object_add_weak_pointer (G_OBJECT (self->recording), (gpointer *) &self->recording);
  g_object_unref (self->recording);
  rig_wait_for (self->recording == NULL);
}

#define N_ROWS 300000

static gpointer
read_all_the_time (gpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_path (data);
  g_autoptr (WeftRecording) recording = weft_recording_open (file, NULL, NULL);
  guint n_seen = 0;

  g_assert_nonnull (recording);
  while (weft_recording_get_state (recording) != WEFT_RECORDING_COMPLETE)
    {
      g_autoptr (WeftList) list = NULL;
      g_autoptr (WeftDispatch) last = NULL;
      g_autoptr (GError) error = NULL;
      guint n;

      weft_recording_refresh (recording, NULL, &error);
      g_assert_no_error (error);
      list = weft_recording_get_dispatches (recording);
      n = g_list_model_get_n_items (G_LIST_MODEL (list));
      g_assert_cmpuint (n, >=, n_seen);
      n_seen = n;
      if (n == 0)
        continue;
      last = g_list_model_get_item (G_LIST_MODEL (list), n - 1);
      g_assert_cmpuint (weft_object_get_id (WEFT_OBJECT (last)), ==, n);
      g_assert_cmpint (weft_dispatch_get_start (last), ==, 3 * (gint64) n);
      g_assert_cmpuint (weft_dispatch_get_duration (last), ==, n % 100);
    }
  g_assert_cmpuint (n_seen, ==, N_ROWS);
  return NULL;
}

/* Two readers and a writer at once; a third thread asks objects of another's recording. */
static void
test_readers (Rig *self, gconstpointer data)
{
  GThread *readers[2];

  rig_open (self);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    readers[i] = g_thread_new ("reader", read_all_the_time, self->model->path);
  for (guint i = 1; i <= N_ROWS; i++)
    {
      model_dispatch (self->model, i % 4 + 1, 1, 3 * (gint64) i, i % 100);
      model_commit (self->model);
      if (i % 20000 == 0)
        g_assert_true (weft_store_writer_flush (self->model->writer, NULL));
    }
  rig_finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_thread_join (readers[i]);
}

#define CASE(path, function) g_test_add (path, Rig, NULL, rig_set_up, function, rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  CASE ("/model/recording/facts", test_facts);
  CASE ("/model/recording/duration-of-rows", test_duration_of_rows);
  CASE ("/model/recording/duration-of-others", test_duration_of_others);
  CASE ("/model/recording/empty", test_empty);
  CASE ("/model/recording/vocabulary", test_vocabulary);
  CASE ("/model/recording/refused", test_refused);
  CASE ("/model/recording/damaged-header", test_damaged_header);
  CASE ("/model/recording/newer", test_newer);
  CASE ("/model/recording/damaged", test_damaged);
  CASE ("/model/recording/open-async", test_open_async);
  CASE ("/model/recording/follow", test_follow);
  CASE ("/model/recording/follow-no-more", test_follow_no_more);
  CASE ("/model/recording/readers", test_readers);

  return g_test_run ();
}
