/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A recording that another process writes: WEFT_TEST_WEFT records WEFT_TEST_PRODUCER. */

#include <glib/gstdio.h>

#include <weft.h>

#define N_ROWS 1500
#define RATE 500
#define NS_PER_S G_GINT64_CONSTANT (1000000000)

typedef struct
{
  char *directory;
  char *path;
  GSubprocess *recorder;
  WeftRecording *recording;
} Rig;

static gint64
now (void)
{
  return g_get_monotonic_time () * 1000;
}

static void
set_up (Rig *self, gconstpointer data)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autofree char *spans = g_strdup_printf ("spans=%d", N_ROWS);
  g_autofree char *rate = g_strdup_printf ("rate=%d", RATE);
  g_autoptr (GFile) file = NULL;
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  self->directory = g_dir_make_tmp ("weft-live-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->directory, "live.weft", NULL);
  g_subprocess_launcher_setenv (launcher, "WEFT_RUNTIME_DIR", self->directory, TRUE);
  self->recorder = g_subprocess_launcher_spawn (launcher, &error, g_getenv ("WEFT_TEST_WEFT"),
                                                "record", "--quiet", "--output", self->path, "--",
                                                g_getenv ("WEFT_TEST_PRODUCER"), spans, rate, NULL);
  g_assert_no_error (error);
  while (g_stat (self->path, &status) != 0 || status.st_size == 0)
    g_usleep (1000);
  file = g_file_new_for_path (self->path);
  self->recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (Rig *self, gconstpointer data)
{
  g_autoptr (GDir) entries = NULL;
  const char *name;

  g_assert_true (g_subprocess_wait (self->recorder, NULL, NULL));
  g_assert_true (g_subprocess_get_successful (self->recorder));
  g_object_unref (self->recorder);
  g_object_unref (self->recording);
  entries = g_dir_open (self->directory, 0, NULL);
  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->directory, name, NULL);

      g_remove (path);
    }
  g_rmdir (self->directory);
  g_free (self->path);
  g_free (self->directory);
}

/* What a batch says is at most a second old, by the clock of the recording; some more on a busy
 * machine. Batches come while the program still runs.
 */
static void
test_age (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) subscription =
      weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  gint64 youngest = G_MAXINT64;
  guint n_batches = 0, n_rows = 0;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftBatch) batch = weft_subscription_read (subscription, 100000, NULL, &error);
      WeftTable *table;
      guint n;
      gint64 end;

      g_assert_no_error (error);
      if (batch == NULL)
        break;
      table = weft_batch_get_table (batch, WEFT_EVENT_DISPATCH);
      n = weft_table_get_n_rows (table);
      end = weft_table_get_int64 (table, (guint) weft_table_find_column (table, "end"), n - 1);
      youngest =
          MIN (youngest, now () - weft_recording_get_start_monotonic (self->recording) - end);
      n_batches++;
      n_rows += n;
    }
  g_assert_cmpuint (n_rows, ==, N_ROWS);
  g_assert_cmpuint (n_batches, >, 1);
  g_assert_cmpint (youngest, >, 0);
  g_assert_cmpint (youngest, <, 2 * NS_PER_S);
}

/* A reader that takes a batch and never comes back, and one that is slow: neither the recorder nor
 * the third notices.
 */
static void
test_readers (Rig *self, gconstpointer data)
{
  g_autoptr (WeftSubscription) gone = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  g_autoptr (WeftSubscription) slow = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  g_autoptr (WeftSubscription) fast = weft_subscription_new (self->recording, WEFT_EVENT_DISPATCH);
  g_autoptr (GError) error = NULL;
  guint n_fast = 0, n_slow = 0;
  WeftBatch *batch;

  batch = weft_subscription_read (gone, 1, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (batch);
  while ((batch = weft_subscription_read (fast, 100, NULL, &error)) != NULL)
    {
      n_fast += weft_batch_get_n_rows (batch, WEFT_EVENT_DISPATCH);
      g_object_unref (batch);
      batch = weft_subscription_read (slow, 10, NULL, &error);
      n_slow += batch ? weft_batch_get_n_rows (batch, WEFT_EVENT_DISPATCH) : 0;
      g_clear_object (&batch);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (n_fast, ==, N_ROWS);
  g_assert_cmpuint (n_slow, <, N_ROWS);
  while ((batch = weft_subscription_read (slow, 10, NULL, &error)) != NULL)
    {
      n_slow += weft_batch_get_n_rows (batch, WEFT_EVENT_DISPATCH);
      g_object_unref (batch);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (n_slow, ==, N_ROWS);
}

/* A recorder that is killed leaves a recording that is not live, and a subscription that ends. */
static void
test_killed (void)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autofree char *directory = g_dir_make_tmp ("weft-live-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "killed.weft", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GSubprocess) recorder = NULL;
  g_autoptr (WeftRecording) recording = NULL;
  g_autoptr (WeftSubscription) subscription = NULL;
  g_autoptr (GError) error = NULL;
  WeftBatch *batch;
  GStatBuf status;

  g_subprocess_launcher_setenv (launcher, "WEFT_RUNTIME_DIR", directory, TRUE);
  recorder = g_subprocess_launcher_spawn (launcher, &error, g_getenv ("WEFT_TEST_WEFT"), "record",
                                          "--quiet", "--duration", "20", "--output", path, NULL);
  g_assert_no_error (error);
  while (g_stat (path, &status) != 0 || status.st_size == 0)
    g_usleep (1000);
  recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (weft_recording_get_live (recording));
  g_subprocess_force_exit (recorder);
  g_subprocess_wait (recorder, NULL, NULL);
  g_assert_false (weft_recording_get_live (recording));
  subscription = weft_subscription_new (recording, WEFT_EVENT_DISPATCH);
  batch = weft_subscription_read (subscription, 100, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (batch);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/model/live/age", Rig, NULL, set_up, test_age, tear_down);
  g_test_add ("/model/live/readers", Rig, NULL, set_up, test_readers, tear_down);
  g_test_add_func ("/model/live/killed", test_killed);

  return g_test_run ();
}
