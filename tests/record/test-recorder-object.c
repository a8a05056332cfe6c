/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recording by way of the public objects only; what is in the file is looked at by way of the
 * store. */

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weft.h>

#include "record-rig.h"

typedef struct
{
  char *folder;
  char *file;
  WeftRecorder *recorder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *runtime = NULL;

  fixture->folder = rig_make_folder ();
  fixture->file = g_build_filename (fixture->folder, "x.weft", NULL);
  runtime = g_build_filename (fixture->folder, "run", NULL);
  g_setenv ("WEFT_RUNTIME_DIR", runtime, TRUE);
  g_setenv ("WEFT_RECORDINGS", fixture->folder, TRUE);
  fixture->recorder = weft_recorder_new ();
  weft_recorder_set_output (fixture->recorder, fixture->file);
}

static gboolean
is_gone (gpointer data)
{
  return g_atomic_pointer_get ((gpointer *) data) == NULL;
}

/* Threads of asynchronous calls may hold it a moment longer than the answer takes. */
static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gpointer weak = fixture->recorder;

  g_object_add_weak_pointer (G_OBJECT (fixture->recorder), &weak);
  g_object_unref (fixture->recorder);
  g_assert_true (rig_until (is_gone, &weak, 5));
  rig_remove_folder (g_steal_pointer (&fixture->folder));
  g_free (fixture->file);
}

/* The producer, quiet: its words would stand between ours. */
static void
set_producer (Fixture *fixture, const char *arguments)
{
  g_autofree char *script = g_strdup_printf ("exec '%s' %s >/dev/null", rig_producer (), arguments);
  const char *const argv[] = { "sh", "-c", script, NULL };

  weft_recorder_set_argv (fixture->recorder, argv);
}

static void
start (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_recorder_start (fixture->recorder, NULL, &error));
  g_assert_no_error (error);
}

static WeftRecorderStatus *
stop (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  WeftRecorderStatus *status = weft_recorder_stop (fixture->recorder, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (status);
  return status;
}

static WeftStore *
open_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store = weft_store_open (path, &error);

  g_assert_no_error (error);
  return store;
}

static gboolean
has_dispatches (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (WeftRecorderStatus) status = weft_recorder_get_status (fixture->recorder);

  return weft_recorder_status_get_dispatches (status) >= 100;
}

/* ---- A run ---- */

static void
test_run (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (WeftStore) store = NULL;
  struct stat st;

  set_producer (fixture, "spans=100 threads=2 wait=1");
  start (fixture);
  g_assert_cmpint (weft_recorder_get_state (fixture->recorder), ==, WEFT_RECORDER_RECORDING);
  g_assert_cmpint (weft_recorder_get_pid (fixture->recorder), >, 0);
  g_assert_true (weft_recorder_wait (fixture->recorder, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (weft_recorder_get_end (fixture->recorder), ==, WEFT_RECORDER_END_PROGRAM);
  g_assert_false (weft_recorder_is_program_running (fixture->recorder));
  g_assert_cmpint (weft_recorder_get_exit_status (fixture->recorder), ==, 0);

  status = stop (fixture);
  g_assert_cmpint (weft_recorder_get_state (fixture->recorder), ==, WEFT_RECORDER_FINISHED);
  g_assert_cmpint (weft_recorder_status_get_state (status), ==, WEFT_RECORDER_FINISHED);
  g_assert_cmpuint (weft_recorder_status_get_dispatches (status), >=, 200);
  g_assert_cmpuint (weft_recorder_status_get_runtimes_seen (status), ==, 1);
  g_assert_cmpint (stat (fixture->file, &st), ==, 0);
  g_assert_cmpuint (weft_recorder_status_get_file_size (status), ==, (guint64) st.st_size);

  store = open_file (fixture->file);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_DISPATCHES), ==,
                    weft_recorder_status_get_dispatches (status));
  rig_check_conservation (store);
}

static void
test_stop_twice (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftRecorderStatus) first = NULL;
  g_autoptr (WeftRecorderStatus) second = NULL;
  g_autoptr (GError) error = NULL;

  start (fixture);
  first = stop (fixture);
  second = stop (fixture);
  g_assert_cmpint (weft_recorder_status_get_elapsed (first), ==,
                   weft_recorder_status_get_elapsed (second));
  g_assert_cmpint (weft_recorder_get_end (fixture->recorder), ==, WEFT_RECORDER_END_STOPPED);
  g_assert_false (weft_recorder_start (fixture->recorder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

static void
test_not_started (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_recorder_stop (fixture->recorder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
  g_clear_error (&error);
  g_assert_false (weft_recorder_wait (fixture->recorder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
  g_clear_error (&error);
  g_assert_false (weft_recorder_flush (fixture->recorder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

static void
test_exit_statuses (Fixture *fixture, gconstpointer data)
{
  const char *const scripts[] = { "exit 42", "kill -9 $$" };
  const int statuses[] = { 42, 128 + 9 };

  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    {
      const char *const argv[] = { "sh", "-c", scripts[i], NULL };
      g_autofree char *file = g_strdup_printf ("%s/%u.weft", fixture->folder, i);
      g_autoptr (WeftRecorder) recorder = weft_recorder_new ();
      g_autoptr (WeftStore) store = NULL;
      g_autoptr (Rows) meta = NULL;
      g_autoptr (WeftRecorderStatus) status = NULL;

      weft_recorder_set_output (recorder, file);
      weft_recorder_set_argv (recorder, argv);
      g_assert_true (weft_recorder_start (recorder, NULL, NULL));
      g_assert_true (weft_recorder_wait (recorder, NULL, NULL));
      g_assert_cmpint (weft_recorder_get_exit_status (recorder), ==, statuses[i]);
      status = weft_recorder_stop (recorder, NULL, NULL);
      store = open_file (file);
      meta = rows_read (store, WEFT_TABLE_META);
      g_assert_cmpint ((gint64) rows_get (meta,
                                          rows_find_text (meta, WEFT_META_KEY, "exit-status", 0),
                                          WEFT_META_NUMBER),
                       ==, statuses[i]);
    }
}

static void
test_duration (Fixture *fixture, gconstpointer data)
{
  const char *const argv[] = { "sleep", "60", NULL };
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (GError) error = NULL;

  weft_recorder_set_argv (fixture->recorder, argv);
  weft_recorder_set_duration (fixture->recorder, 200 * 1000000);
  start (fixture);
  g_assert_true (weft_recorder_wait (fixture->recorder, NULL, &error));
  g_assert_cmpint (weft_recorder_get_end (fixture->recorder), ==, WEFT_RECORDER_END_DURATION);
  status = stop (fixture);
  g_assert_cmpint (weft_recorder_status_get_elapsed (status), >=, 200 * 1000000);
  g_assert_true (weft_recorder_is_program_running (fixture->recorder));
  weft_recorder_send_signal (fixture->recorder, SIGKILL);
}

/* Whoever lets go of a recorder saves. */
static void
test_let_go (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = g_build_filename (fixture->folder, "gone.weft", NULL);
  WeftRecorder *recorder = weft_recorder_new ();
  g_autoptr (WeftStore) store = NULL;

  weft_recorder_set_output (recorder, file);
  weft_recorder_set_private (recorder, TRUE);
  g_assert_true (weft_recorder_start (recorder, NULL, NULL));
  g_assert_finalize_object (recorder);
  store = open_file (file);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
}

/* Programs that somebody else launches. */
static void
test_private (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftRecorderStatus) status = NULL;
  RigProgram *program;

  weft_recorder_set_private (fixture->recorder, TRUE);
  weft_recorder_set_command_line (fixture->recorder, "by hand");
  start (fixture);
  program =
      rig_produce (weft_recorder_get_runtime_directory (fixture->recorder), "spans=100 wait=1");
  g_assert_cmpint (rig_wait (program, NULL, NULL), ==, 0);
  weft_recorder_set_exit_status (fixture->recorder, 7);
  status = stop (fixture);
  g_assert_cmpuint (weft_recorder_status_get_dispatches (status), >=, 100);
  g_assert_cmpint (weft_recorder_get_exit_status (fixture->recorder), ==, 7);
}

/* ---- Notifications ---- */

typedef struct
{
  GMainLoop *loop;
  GThread *thread;
  guint states;
  guint statuses;
  guint ends;
} Heard;

static void
on_state (GObject *object, GParamSpec *spec, gpointer data)
{
  Heard *heard = data;

  g_assert_true (g_thread_self () == heard->thread);
  heard->states++;
}

static void
on_status (GObject *object, GParamSpec *spec, gpointer data)
{
  Heard *heard = data;

  g_assert_true (g_thread_self () == heard->thread);
  heard->statuses++;
}

static void
on_stopped (GObject *object, GAsyncResult *result, gpointer data)
{
  Heard *heard = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecorderStatus) status =
      weft_recorder_stop_finish (WEFT_RECORDER (object), result, &error);

  g_assert_no_error (error);
  g_assert_true (g_thread_self () == heard->thread);
  g_assert_cmpuint (weft_recorder_status_get_dispatches (status), >=, 100);
  g_main_loop_quit (heard->loop);
}

static void
on_end (GObject *object, GParamSpec *spec, gpointer data)
{
  Heard *heard = data;

  g_assert_true (g_thread_self () == heard->thread);
  if (heard->ends++ == 0)
    weft_recorder_stop_async (WEFT_RECORDER (object), NULL, on_stopped, heard);
}

static void
on_started (GObject *object, GAsyncResult *result, gpointer data)
{
  Heard *heard = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_recorder_start_finish (WEFT_RECORDER (object), result, &error));
  g_assert_no_error (error);
  g_assert_true (g_thread_self () == heard->thread);
}

/* As a program with a main loop records: nothing blocks, all comes in its own context. */
static gpointer
run_loop (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  Heard heard = { .thread = g_thread_self () };

  g_main_context_push_thread_default (context);
  heard.loop = g_main_loop_new (context, FALSE);
  g_signal_connect (fixture->recorder, "notify::state", G_CALLBACK (on_state), &heard);
  g_signal_connect (fixture->recorder, "notify::status", G_CALLBACK (on_status), &heard);
  g_signal_connect (fixture->recorder, "notify::end", G_CALLBACK (on_end), &heard);
  weft_recorder_start_async (fixture->recorder, NULL, on_started, &heard);
  g_main_loop_run (heard.loop);
  while (g_main_context_iteration (context, FALSE))
    continue;
  g_signal_handlers_disconnect_by_data (fixture->recorder, &heard);
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (heard.states, >=, 2);
  g_assert_cmpuint (heard.statuses, >=, 3);
  g_assert_cmpuint (heard.ends, ==, 1);
  g_main_loop_unref (heard.loop);
  return NULL;
}

static void
test_notify (Fixture *fixture, gconstpointer data)
{
  set_producer (fixture, "spans=100 wait=1");
  weft_recorder_set_status_interval (fixture->recorder, 20);
  g_thread_join (g_thread_new ("owner", run_loop, fixture));
  g_assert_cmpint (weft_recorder_get_state (fixture->recorder), ==, WEFT_RECORDER_FINISHED);
}

/* ---- Cancelling ---- */

typedef struct
{
  gboolean done;
  GError *error;
} Answer;

static void
on_wait (GObject *object, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  weft_recorder_wait_finish (WEFT_RECORDER (object), result, &answer->error);
  answer->done = TRUE;
}

static void
iterate_until (gboolean *done)
{
  while (!*done)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (GError) error = NULL;
  Answer waited = { 0 };
  Answer other = { 0 };

  g_cancellable_cancel (cancellable);
  g_assert_false (weft_recorder_start (fixture->recorder, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
  g_cancellable_reset (cancellable);

  start (fixture);
  weft_recorder_wait_async (fixture->recorder, cancellable, on_wait, &waited);
  weft_recorder_wait_async (fixture->recorder, NULL, on_wait, &other);
  g_cancellable_cancel (cancellable);
  iterate_until (&waited.done);
  g_assert_error (waited.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (other.done);
  g_assert_false (weft_recorder_wait (fixture->recorder, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (weft_recorder_stop (fixture->recorder, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (weft_recorder_get_state (fixture->recorder), ==, WEFT_RECORDER_RECORDING);
  status = stop (fixture);
  iterate_until (&other.done);
  g_assert_no_error (other.error);
  g_clear_error (&waited.error);
}

/* ---- What can be wrong ---- */

static void
check_start_fails (Fixture *fixture, GQuark domain, int code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (weft_recorder_start (fixture->recorder, NULL, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, words));
  g_assert_cmpint (weft_recorder_get_state (fixture->recorder), ==, WEFT_RECORDER_NEW);
}

static void
test_output_exists (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_set_contents (fixture->file, "mine", -1, NULL));
  check_start_fails (fixture, G_IO_ERROR, G_IO_ERROR_EXISTS, "x.weft");
  g_assert_true (g_file_get_contents (fixture->file, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "mine");
}

static void
test_no_folder (Fixture *fixture, gconstpointer data)
{
  weft_recorder_set_output (fixture->recorder, "/no/such/folder/x.weft");
  check_start_fails (fixture, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "/no/such/folder");
}

/* Whether this thread, if it is root's, may write where a folder's mode forbids it. */
static void
set_override (gboolean granted)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct sets[2];

  g_assert_cmpint (syscall (SYS_capget, &header, sets), ==, 0);
  sets[0].effective &= ~(1u << CAP_DAC_OVERRIDE);
  if (granted)
    sets[0].effective |= sets[0].permitted & (1u << CAP_DAC_OVERRIDE);
  g_assert_cmpint (syscall (SYS_capset, &header, sets), ==, 0);
}

static void
test_no_permission (Fixture *fixture, gconstpointer data)
{
  g_autofree char *closed = g_build_filename (fixture->folder, "closed", NULL);
  g_autofree char *file = g_build_filename (closed, "x.weft", NULL);

  g_assert_cmpint (g_mkdir (closed, 0500), ==, 0);
  weft_recorder_set_output (fixture->recorder, file);
  set_override (FALSE);
  check_start_fails (fixture, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "closed");
  set_override (TRUE);
}

static void
test_open_runtime_directory (Fixture *fixture, gconstpointer data)
{
  const char *runtime = g_getenv ("WEFT_RUNTIME_DIR");

  g_assert_cmpint (g_mkdir (runtime, 0700), ==, 0);
  g_assert_cmpint (g_chmod (runtime, 0777), ==, 0);
  check_start_fails (fixture, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "WEFT_RUNTIME_DIR");
  g_assert_false (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
}

static void
test_busy (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = g_build_filename (fixture->folder, "second.weft", NULL);
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autoptr (WeftRecorder) second = weft_recorder_new ();
  g_autoptr (GError) error = NULL;

  start (fixture);
  weft_recorder_set_output (second, file);
  g_assert_false (weft_recorder_start (second, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, pid));
  g_assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
}

static void
test_no_program (Fixture *fixture, gconstpointer data)
{
  const char *const missing[] = { "no-such-program-at-all", NULL };
  const char *const folder[] = { fixture->folder, NULL };
  g_autoptr (WeftRecorderStatus) status = NULL;

  weft_recorder_set_argv (fixture->recorder, missing);
  check_start_fails (fixture, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, "no-such-program-at-all");
  g_assert_false (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
  weft_recorder_set_argv (fixture->recorder, folder);
  check_start_fails (fixture, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES, fixture->folder);

  /* One that failed may try again. */
  weft_recorder_set_argv (fixture->recorder, NULL);
  start (fixture);
  status = stop (fixture);
}

/* ---- Reading while it records ---- */

static void
on_flushed (GObject *object, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  g_assert_true (weft_recorder_flush_finish (WEFT_RECORDER (object), result, &answer->error));
  answer->done = TRUE;
}

static void
test_flush (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (WeftStore) live = NULL;
  g_autoptr (WeftStore) later = NULL;
  Answer answer = { 0 };

  set_producer (fixture, "spans=100 wait=1 sleep=1");
  weft_recorder_set_flush_interval (fixture->recorder, 3600 * 1000);
  start (fixture);
  g_assert_true (rig_until (has_dispatches, fixture, 20));
  live = open_file (fixture->file);
  g_assert_cmpuint (weft_store_get_n_rows (live, WEFT_TABLE_DISPATCHES), ==, 0);
  g_assert_true (weft_recorder_flush (fixture->recorder, NULL, NULL));
  later = weft_store_refresh (live, NULL);
  g_assert_cmpuint (weft_store_get_n_rows (later, WEFT_TABLE_DISPATCHES), >=, 100);
  g_assert_cmpint (weft_store_get_state (later), ==, WEFT_STORE_GROWING);
  weft_recorder_flush_async (fixture->recorder, NULL, on_flushed, &answer);
  iterate_until (&answer.done);
  g_assert_no_error (answer.error);
  weft_recorder_send_signal (fixture->recorder, SIGTERM);
  g_assert_true (weft_recorder_wait (fixture->recorder, NULL, NULL));
  status = stop (fixture);
}

static gpointer
flush_always (gpointer data)
{
  WeftRecorder *recorder = data;
  guint n = 0;

  while (weft_recorder_flush (recorder, NULL, NULL))
    n++;
  return GUINT_TO_POINTER (n);
}

/* A stop waits for those who flush, and they for nobody. */
static void
test_flush_and_stop (Fixture *fixture, gconstpointer data)
{
  GThread *threads[3];
  g_autoptr (WeftRecorderStatus) status = NULL;

  start (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("flush", flush_always, fixture->recorder);
  g_usleep (100000);
  status = stop (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (threads[i])), >, 0);
}

/* ---- Words, plugins, findings ---- */

static GVariant *
make_words (const char *domain, const char *pattern)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sssss)"));
  g_variant_builder_add (&builder, "(sssss)", domain, "kind", pattern, "label", "Lane of a test");
  g_variant_builder_add (&builder, "(sssss)", domain, "word", "dispatch", "plural", "jobs");
  return g_variant_builder_end (&builder);
}

static guint
count_domain (const Rows *words, const char *domain)
{
  guint n = 0;

  for (guint64 i = 0; (i = rows_find_text (words, WEFT_WORDS_DOMAIN, domain, i)) != G_MAXUINT64;
       i++)
    n++;
  return n;
}

static void
test_words (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) words = NULL;
  g_autoptr (GError) error = NULL;
  WeftRecorder *recorder = fixture->recorder;

  set_producer (fixture, "spans=100 wait=1 sleep=1");
  g_assert_true (weft_recorder_add_words (recorder, make_words ("early", "test.*"), FALSE, &error));
  g_assert_true (
      weft_recorder_add_words (recorder, make_words ("other", "toast.*"), FALSE, &error));
  g_assert_true (
      weft_recorder_add_words (recorder, make_words ("always", "toast.*"), TRUE, &error));
  start (fixture);
  g_assert_true (rig_until (has_dispatches, fixture, 20));
  g_assert_true (
      weft_recorder_add_words (recorder, make_words ("late", "test.la?e"), FALSE, &error));
  g_assert_true (
      weft_recorder_add_words (recorder, make_words ("late", "test.la?e"), FALSE, &error));
  g_assert_true (
      weft_recorder_add_words (recorder, make_words ("never", "test.la?"), FALSE, &error));
  g_assert_no_error (error);
  weft_recorder_send_signal (recorder, SIGTERM);
  status = stop (fixture);

  store = open_file (fixture->file);
  words = rows_read (store, WEFT_TABLE_WORDS);
  g_assert_cmpuint (count_domain (words, "early"), ==, 2);
  g_assert_cmpuint (count_domain (words, "late"), ==, 2);
  g_assert_cmpuint (count_domain (words, "always"), ==, 2);
  g_assert_cmpuint (count_domain (words, "other"), ==, 0);
  g_assert_cmpuint (count_domain (words, "never"), ==, 0);
  g_assert_cmpstr (
      rows_text (words, rows_find_text (words, WEFT_WORDS_DOMAIN, "early", 0), WEFT_WORDS_TEXT), ==,
      "Lane of a test");

  g_assert_false (weft_recorder_add_words (recorder, make_words ("x", "y"), TRUE, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
  g_clear_error (&error);
  g_assert_false (weft_recorder_add_words (recorder, g_variant_new_string ("x"), TRUE, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

static void
test_plugins_and_diagnostics (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) plugins = NULL;
  g_autoptr (Rows) diagnostics = NULL;
  g_autoptr (GError) error = NULL;
  WeftRecorder *recorder = fixture->recorder;

  g_assert_true (weft_recorder_add_plugin (recorder, "first", "1.2", "/a/first.so", &error));
  start (fixture);
  g_assert_true (weft_recorder_add_plugin (recorder, "second", NULL, NULL, &error));
  g_assert_true (weft_recorder_add_diagnostic (recorder, WEFT_SEVERITY_WARNING, "test-\xff",
                                               "say \xff", &error));
  g_assert_no_error (error);
  status = stop (fixture);

  store = open_file (fixture->file);
  plugins = rows_read (store, WEFT_TABLE_PLUGINS);
  g_assert_cmpuint (plugins->n, ==, 2);
  g_assert_cmpstr (rows_text (plugins, 0, WEFT_PLUGINS_VERSION), ==, "1.2");
  g_assert_cmpstr (rows_text (plugins, 0, WEFT_PLUGINS_PATH), ==, "/a/first.so");
  g_assert_cmpstr (rows_text (plugins, 1, WEFT_PLUGINS_NAME), ==, "second");
  diagnostics = rows_read (store, WEFT_TABLE_DIAGNOSTICS);
  g_assert_cmpuint (diagnostics->n, ==, 1);
  g_assert_cmpuint (rows_get (diagnostics, 0, WEFT_DIAGNOSTICS_SEVERITY), ==,
                    WEFT_SEVERITY_WARNING);
  g_assert_cmpstr (rows_text (diagnostics, 0, WEFT_DIAGNOSTICS_MESSAGE), ==, "say \uFFFD");
  g_assert_false (weft_recorder_add_diagnostic (recorder, WEFT_SEVERITY_INFO, "a", "b", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

/* ---- Sessions ---- */

static WeftSession *
find_session (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) sessions = weft_session_list (&error);

  g_assert_no_error (error);
  for (guint i = 0; i < g_list_model_get_n_items (sessions); i++)
    {
      g_autoptr (WeftSession) session = g_list_model_get_item (sessions, i);

      if (g_str_equal (weft_session_get_path (session), path))
        return g_steal_pointer (&session);
    }
  return NULL;
}

static gpointer
stop_session (gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_session_stop (data, NULL, &error));
  g_assert_no_error (error);
  return NULL;
}

static void
test_session (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftSession) session = NULL;
  g_autoptr (WeftRecorderStatus) seen = NULL;
  g_autoptr (WeftRecorderStatus) saved = NULL;
  g_autoptr (GError) error = NULL;
  GThread *stopper;

  g_assert_null (find_session (fixture->file));
  set_producer (fixture, "spans=100 wait=1 sleep=1");
  weft_recorder_set_command_line (fixture->recorder, "a \"test\" \xff");
  start (fixture);
  g_assert_true (rig_until (has_dispatches, fixture, 20));
  session = find_session (fixture->file);
  g_assert_nonnull (session);
  g_assert_cmpint (weft_session_get_pid (session), ==, (int) getpid ());
  g_assert_cmpstr (weft_session_get_command_line (session), ==, "a \"test\" \uFFFD");
  g_assert_cmpstr (weft_session_get_runtime_directory (session), ==,
                   weft_recorder_get_runtime_directory (fixture->recorder));
  g_assert_true (weft_session_refresh (session, NULL, &error));
  seen = weft_session_get_status (session);
  g_assert_cmpuint (weft_recorder_status_get_dispatches (seen), >=, 100);
  g_assert_cmpint (weft_recorder_status_get_state (seen), ==, WEFT_RECORDER_RECORDING);

  stopper = g_thread_new ("stopper", stop_session, session);
  g_assert_true (weft_recorder_wait (fixture->recorder, NULL, &error));
  g_assert_cmpint (weft_recorder_get_end (fixture->recorder), ==, WEFT_RECORDER_END_REQUESTED);
  saved = stop (fixture);
  g_thread_join (stopper);
  g_assert_false (weft_session_is_running (session));
  g_assert_true (weft_session_refresh (session, NULL, &error));
  g_assert_false (weft_session_is_running (session));
  g_assert_false (weft_session_stop (session, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  weft_recorder_send_signal (fixture->recorder, SIGTERM);
}

/* ---- The recordings folder ---- */

static void
test_recordings (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = NULL;
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (WeftRecordingInfo) info = NULL;
  g_autofree char *latest = NULL;
  g_autofree char *folder = weft_recordings_get_folder ();

  g_assert_cmpstr (folder, ==, fixture->folder);
  g_assert_null (weft_recordings_resolve (NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);

  weft_recorder_set_output (fixture->recorder, NULL);
  start (fixture);
  status = stop (fixture);
  g_assert_true (g_str_has_prefix (weft_recorder_get_output (fixture->recorder), folder));
  g_assert_true (weft_recordings_set_latest (weft_recorder_get_output (fixture->recorder), &error));
  latest = weft_recordings_resolve ("latest", &error);
  g_assert_no_error (error);
  g_assert_true (g_file_test (latest, G_FILE_TEST_IS_REGULAR));

  g_assert_true (g_file_set_contents (fixture->file, "no recording", -1, NULL));
  list = weft_recordings_list (NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 2);
  info = g_list_model_get_item (list, 0);
  g_assert_true (weft_recording_info_is_readable (info));
  g_assert_cmpint (weft_recording_info_get_state (info), ==, WEFT_RECORDING_COMPLETE);
  g_assert_cmpuint (weft_recording_info_get_size (info), ==,
                    weft_recorder_status_get_file_size (status));
  g_clear_object (&info);
  info = g_list_model_get_item (list, 1);
  g_assert_false (weft_recording_info_is_readable (info));
  g_assert_cmpstr (weft_recording_info_get_path (info), ==, fixture->file);
}

/* ---- Repair ---- */

typedef struct
{
  gboolean done;
  WeftRepairSummary *summary;
  GError *error;
} Repaired;

static void
on_repaired (GObject *object, GAsyncResult *result, gpointer data)
{
  Repaired *repaired = data;

  repaired->summary = weft_repair_finish (result, &repaired->error);
  repaired->done = TRUE;
}

static void
test_repair (Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = g_build_filename (fixture->folder, "out.weft", NULL);
  g_autoptr (WeftProgress) progress = weft_progress_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (WeftRecorderStatus) status = NULL;
  g_autoptr (GError) error = NULL;
  Repaired repaired = { 0 };

  g_cancellable_cancel (cancellable);
  start (fixture);
  status = stop (fixture);
  g_assert_null (weft_repair (fixture->file, out, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (out, G_FILE_TEST_EXISTS));
  weft_repair_async (fixture->file, out, progress, NULL, on_repaired, &repaired);
  iterate_until (&repaired.done);
  g_assert_no_error (repaired.error);
  g_assert_cmpuint (repaired.summary->rows, >, 0);
  g_assert_cmpuint (repaired.summary->damaged_chunks, ==, 0);
  g_assert_cmpfloat (weft_progress_get_fraction (progress), ==, 1);
  weft_repair_summary_free (repaired.summary);

  g_clear_error (&error);
  g_assert_true (g_file_set_contents (fixture->file, "no recording", -1, NULL));
  g_assert_null (weft_repair (fixture->file, "/no/where", NULL, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NOT_A_RECORDING);
}

typedef void (*Test) (Fixture *fixture, gconstpointer data);

static void
add (const char *name, Test test)
{
  g_autofree char *path = g_strconcat ("/recorder/", name, NULL);

  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("run", test_run);
  add ("stop-twice", test_stop_twice);
  add ("not-started", test_not_started);
  add ("exit-statuses", test_exit_statuses);
  add ("duration", test_duration);
  add ("let-go", test_let_go);
  add ("private", test_private);
  add ("notify", test_notify);
  add ("cancel", test_cancel);
  add ("output-exists", test_output_exists);
  add ("no-folder", test_no_folder);
  add ("no-permission", test_no_permission);
  add ("open-runtime-directory", test_open_runtime_directory);
  add ("busy", test_busy);
  add ("no-program", test_no_program);
  add ("flush", test_flush);
  add ("flush-and-stop", test_flush_and_stop);
  add ("words", test_words);
  add ("plugins-and-diagnostics", test_plugins_and_diagnostics);
  add ("session", test_session);
  add ("recordings", test_recordings);
  add ("repair", test_repair);
  return g_test_run ();
}
