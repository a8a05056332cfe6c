/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs and recorders that come and go, in every order and every odd state. */

#include "record-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hand-producer.h"

static void
run (Rig *rig, const char *arguments, char **output)
{
  g_assert_cmpint (rig_wait (rig_produce (rig->runtime, arguments), output, NULL), ==, 0);
}

static gboolean
exists (gpointer path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- Order of coming and going ---- */

static void
test_late_recorder (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;
  RigProgram *program = rig_produce (rig->runtime, "threads=2 spans=200 sources=1 wait=1");

  g_usleep (200000);
  rig_start (rig);
  g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    RigCounts counts;

    rig_counts (store, "lane-0", &counts);
    g_assert_cmpuint (counts.completed, ==, 400);
    g_assert_cmpuint (counts.submitted, ==, 400);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_BLOBS), ==, 1);
  }
  rig_free (rig);
}

/* The program goes on while recorders come and go: no file lacks what it should have. */
static void
test_restarted_recorder (void)
{
  Rig *rig = rig_new ();
  g_autofree char *counters = g_build_filename (rig->folder, "counters", NULL);
  g_autofree char *arguments
      = g_strdup_printf ("threads=2 spans=-1 rate=2000 wait=1 sources=1 counters=%s", counters);
  g_autofree char *output = NULL;
  RigProgram *program;
  guint64 sum = 0, lost = 0, reported;

  rig_start (rig);
  program = rig_produce (rig->runtime, arguments);
  for (guint i = 0; i < 4; i++)
    {
      rig_wait_dispatches (rig, 300);
      if (i == 3)
        {
          kill (program->pid, SIGTERM);
          g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
          rig_wait_runtimes (rig, 0);
        }
      {
        g_autoptr (WeftStore) store = rig_stop (rig);
        RigCounts counts;

        rig_counts (store, "lane-0", &counts);
        sum += counts.completed;
        lost += counts.lost;
        g_assert_cmpuint (counts.rejected, ==, 0);
        g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), ==, 1);
        g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_SOURCES), ==, 1);
      }
      if (i < 3)
        rig_start (rig);
    }
  reported = rig_number (output, "lane:lane-0");
  g_assert_cmpuint (rig_number (output, "connections"), ==, 4);
  g_assert_cmpuint (sum, <=, reported);
  g_assert_cmpuint (rig_number (output, "no_room"), ==, 0);
  /* Between two recorders nobody asks; what was dropped while one did is told. */
  g_test_message ("reported %" G_GUINT64_FORMAT ", recorded %" G_GUINT64_FORMAT
                  ", lost %" G_GUINT64_FORMAT, reported, sum, lost);
  rig_free (rig);
}

static void
test_many (void)
{
  Rig *rig = rig_new ();
  RigProgram *programs[24];
  guint64 spans = 0;

  rig_start (rig);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      g_autofree char *arguments = g_strdup_printf (
          "threads=%u spans=%u dispatches=20 short=%u wait=1 lanes=%u tag=-%u", 1 + i % 5,
          100 * (1 + i % 3), 10 * (i % 4), 1 + i % 4, i);

      programs[i] = rig_produce (rig->runtime, arguments);
      spans += (1 + i % 5) * (100 * (1 + i % 3) + 20) + 10 * (i % 4);
      g_usleep (i % 7 * 3000);
    }
  {
    g_autofree char *outputs[G_N_ELEMENTS (programs)];
    g_autoptr (WeftStore) store = NULL;
    guint64 probes = 0;
    RigCounts counts;

    for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
      {
        g_autofree char *probe = g_strdup_printf ("lane:probe-%u", i);

        g_assert_cmpint (rig_wait (programs[i], &outputs[i], NULL), ==, 0);
        probes += rig_number (outputs[i], probe);
      }
    store = rig_stop (rig);
    for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
      {
        rig_check_lanes (store, outputs[i]);
        if (i > 0)
          g_free (outputs[i]);
      }
    rig_counts (store, NULL, &counts);
    g_assert_cmpuint (counts.completed, ==, spans + probes);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESSES), ==,
                      G_N_ELEMENTS (programs));
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESS_ENDS), ==,
                      G_N_ELEMENTS (programs));
  }
  rig_free (rig);
}

static void
test_second_recorder (void)
{
  Rig *rig = rig_new ();
  g_autofree char *file = g_build_filename (rig->folder, "second.weft", NULL);
  g_autofree char *own_pid = g_strdup_printf ("pid %d", (int) getpid ());
  WeftRecordEngineOptions options = { .output = file, .uid = geteuid () };
  g_autoptr (GError) error = NULL;

  rig_start (rig);
  options.runtime_directory = rig->runtime;
  g_assert_null (weft_record_engine_new (&options, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, own_pid));
  g_assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
  {
    g_autofree char *output = NULL;
    g_autoptr (WeftStore) store = NULL;

    run (rig, "spans=10 wait=1", &output); /* the first is unharmed */
    store = rig_stop (rig);
    rig_check_lanes (store, output);
  }
  rig_free (rig);
}

static void
test_unusable_directory (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *file = g_build_filename (folder, "x.weft", NULL);
  g_autofree char *open_to_all = g_build_filename (folder, "open", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_autofree char *absent = g_build_filename (folder, "no", "such", NULL);
  const char *directories[] = { open_to_all, link, absent, "/proc/nothing" };
  WeftRecordEngineOptions options = { .output = file, .uid = geteuid () };

  g_mkdir (open_to_all, 0777);
  g_chmod (open_to_all, 0777);
  g_assert_cmpint (symlink (folder, link), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (directories); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *output = NULL;

      options.runtime_directory = directories[i];
      g_assert_null (weft_record_engine_new (&options, &error));
      g_assert_nonnull (error);
      g_assert_false (g_file_test (file, G_FILE_TEST_EXISTS));
      /* A program is not harmed by it. */
      g_assert_cmpint (rig_wait (rig_produce (directories[i], "spans=10"), &output, NULL), ==, 0);
      g_assert_cmpuint (rig_number (output, "queued"), ==, 0);
    }
  rig_remove_folder (g_steal_pointer (&folder));
}

/* ---- Odd programs ---- */

static void
test_odd (gconstpointer arguments)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  run (rig, arguments, &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
  }
  rig_free (rig);
}

static void
test_signals (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;
  RigCounts counts;

  rig_start (rig);
  run (rig, "threads=2 spans=20000 nest=4 signals=1 wait=1", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_counts (store, "lane-0", &counts);
    g_assert_cmpuint (counts.completed, ==, 40008);
    rig_counts (store, "signal", &counts);
    g_assert_cmpuint (counts.submitted, ==, rig_number (output, "lane:signal"));
    g_assert_cmpuint (counts.completed + counts.lost, ==, counts.submitted);
    g_assert_cmpuint (counts.lost, ==, rig_loss (store, "reentrant"));
  }
  rig_free (rig);
}

/* A forked child is a process of its own, with all names of its parent. */
static void
test_fork (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;
  RigCounts counts;

  rig_start (rig);
  run (rig, "threads=2 spans=100 fork=3 wait=1", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    g_autoptr (Rows) threads = rows_read (store, WEFT_TABLE_THREADS);

    rig_counts (store, "lane-0", &counts);
    g_assert_cmpuint (counts.submitted, ==, 800);
    g_assert_cmpuint (counts.completed, ==, 800);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESSES), ==, 4);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), ==, 4);
    g_assert_cmpuint (threads->n, ==, 9); /* two each, and the main one that waited */
  }
  rig_free (rig);
}

/* The same process number, another program. */
static void
test_exec (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;
  RigCounts counts;

  rig_start (rig);
  run (rig, "threads=1 spans=50 wait=1 exec=2", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_counts (store, "lane-0", &counts);
    g_assert_cmpuint (counts.submitted, ==, 150);
    g_assert_cmpuint (counts.completed, ==, 150);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), ==, 3);
  }
  rig_free (rig);
}

static void
test_no_recorder (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *output = NULL;

  g_assert_cmpint (rig_wait (rig_produce (folder, "threads=3 spans=1000 full=1 metrics=9"), &output,
                             NULL), ==, 0);
  g_assert_cmpuint (rig_number (output, "queued"), ==, 0);
  g_assert_cmpuint (rig_number (output, "dropped"), ==, 0);
  rig_remove_folder (g_steal_pointer (&folder));
}

/* ---- Threads ---- */

static void
test_thread_rows (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  run (rig, "threads=8 spans=20 short=64 wait=1", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);
    g_autoptr (Rows) t = rows_read (store, WEFT_TABLE_THREADS);

    rig_check_lanes (store, output);
    for (guint64 i = 0; i < d->n; i++)
      g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_THREAD), !=, 0);
    g_assert_cmpuint (t->n, >=, 10);
  }
  rig_free (rig);
}

/* ---- Users and namespaces ---- */

static gboolean
needs_root (void)
{
  if (geteuid () == 0)
    return TRUE;
  g_test_skip ("needs root");
  return FALSE;
}

static void
test_foreign_user (void)
{
  Rig *rig;
  g_autofree char *gate = NULL, *socket = NULL, *output = NULL;
  RigProgram *program;

  if (!needs_root ())
    return;
  rig = rig_new ();
  rig_start (rig);
  /* Left open by mistake: the credentials still tell. */
  gate = g_build_filename (rig->runtime, "gate", NULL);
  socket = g_build_filename (rig->runtime, WEFT_WIRE_SOCKET_NAME, NULL);
  g_chmod (rig->runtime, 0755);
  g_chmod (gate, 0644);
  g_chmod (socket, 0777);
  program = rig_produce (rig->runtime, "uid=12345 spans=10 milliseconds=300");
  g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), ==, 0);
    g_assert_true (rig_has_diagnostic (store, "producer-foreign"));
  }
  rig_free (rig);
}

/* setpriv or unshare in front of the producer; NULL if they cannot. */
static RigProgram *
produce_by_way_of (Rig *rig, const char *way, const char *arguments)
{
  g_autofree char *check = g_strdup_printf ("%s true 2>/dev/null", way);
  g_autofree char *line
      = g_strdup_printf ("%s %s %s", way, rig_producer (), arguments);
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);

  if (system (check) != 0)
    return NULL;
  return rig_spawn (rig->runtime, argv);
}

static void
test_pid_namespace (void)
{
  Rig *rig;
  RigProgram *program;
  g_autofree char *output = NULL;

  if (!needs_root ())
    return;
  rig = rig_new ();
  rig_start (rig);
  program = produce_by_way_of (rig, "unshare -p -f",
                               "threads=3 spans=50 full=1 wait=1 milliseconds=200");
  if (program == NULL)
    {
      g_test_skip ("unshare -p is not permitted");
      rig_free (rig);
      return;
    }
  g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    g_autoptr (Rows) t = rows_read (store, WEFT_TABLE_THREADS);
    g_autoptr (Rows) p = rows_read (store, WEFT_TABLE_PROCESSES);
    guint64 main_thread = rows_find (t, WEFT_THREADS_NAMESPACE_TID, 1, 0);

    rig_check_lanes (store, output);
    g_assert_cmpuint (rig_number (output, "pid"), ==, 1);
    g_assert_cmpuint (main_thread, !=, G_MAXUINT64);
    g_assert_cmpuint (rows_get (p, 0, WEFT_PROCESSES_PID), !=, 1);
    g_assert_cmpuint (rows_get (t, main_thread, WEFT_THREADS_TID), ==,
                      rows_get (p, 0, WEFT_PROCESSES_PID));
  }
  rig_free (rig);
}

static void
test_time_namespace (void)
{
  Rig *rig;
  RigProgram *program;
  g_autofree char *output = NULL;

  if (!needs_root ())
    return;
  rig = rig_new ();
  rig_start (rig);
  program = produce_by_way_of (rig, "unshare -T -f --monotonic 86400",
                               "spans=50 device=5 full=1 wait=1");
  if (program == NULL)
    {
      g_test_skip ("unshare -T is not permitted");
      rig_free (rig);
      return;
    }
  g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
  }
  rig_free (rig);
}

static void
test_user_namespace (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  run (rig, "spans=50 wait=1 unshare=1", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
    if (strstr (output, "NOTE unshare") != NULL)
      g_test_skip ("unshare (CLONE_NEWUSER) is not permitted");
  }
  rig_free (rig);
}

/* Everything as nobody: recorder and program. */
static void
test_unprivileged (void)
{
  g_autofree char *folder = NULL, *own = NULL, *file = NULL, *out = NULL, *errors = NULL;
  g_autofree char *line = NULL;
  g_auto (GStrv) argv = NULL;
  RigProgram *program;

  if (!needs_root ())
    return;
  folder = rig_make_folder ();
  own = g_build_filename (folder, "own", NULL);
  file = g_build_filename (own, "x.weft", NULL);
  g_mkdir (own, 0700);
  g_assert_cmpint (chown (own, 12345, 12345), ==, 0);
  line = g_strdup_printf ("setpriv --reuid=12345 --regid=12345 --clear-groups %s record -o %s -- %s "
                          "threads=2 spans=500 nest=3 full=1 wait=1",
                          rig_weft (), file, rig_producer ());
  argv = g_strsplit (line, " ", -1);
  if (system ("setpriv --reuid=12345 --regid=12345 --clear-groups true 2>/dev/null") != 0)
    {
      g_test_skip ("setpriv is not there or not permitted");
      rig_remove_folder (g_steal_pointer (&folder));
      return;
    }
  {
    g_autofree char *probe
        = g_strdup_printf ("setpriv --reuid=12345 --regid=12345 --clear-groups test -x %s", rig_weft ());

    if (system (probe) != 0)
      {
        g_test_skip ("the build folder is closed to other users");
        rig_remove_folder (g_steal_pointer (&folder));
        return;
      }
  }
  program = rig_spawn (own, argv);
  g_assert_cmpint (rig_wait (program, &out, &errors), ==, 0);
  {
    g_autoptr (GError) error = NULL;
    g_autoptr (WeftStore) store = weft_store_open (file, &error);

    g_assert_no_error (error);
    rig_check_conservation (store);
    rig_check_lanes (store, out);
  }
  rig_remove_folder (g_steal_pointer (&folder));
}

/* setuid after the connection: memory is held already, so nothing is lost. */
static void
test_setuid (void)
{
  Rig *rig;
  g_autofree char *output = NULL;

  if (!needs_root ())
    return;
  rig = rig_new ();
  rig_start (rig);
  run (rig, "spans=10 wait=1 drop=12345", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
  }
  rig_free (rig);
}

static void
test_frozen_library (void)
{
  const char *frozen = g_getenv ("WEFT_TEST_FROZEN_PRODUCER");
  Rig *rig;
  g_autofree char *output = NULL;

  if (frozen == NULL || !exists ((gpointer) frozen))
    {
      g_test_skip ("WEFT_TEST_FROZEN_PRODUCER names no program");
      return;
    }
  rig = rig_new ();
  rig_start (rig);
  {
    char *argv[] = { (char *) frozen, (char *) "250", NULL };

    g_assert_cmpint (rig_wait (rig_spawn (rig->runtime, argv), &output, NULL), ==, 0);
  }
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    g_autoptr (Rows) tags = rows_read (store, WEFT_TABLE_TAGS);
    RigCounts counts;

    rig_counts (store, "frozen", &counts);
    g_assert_cmpuint (counts.completed, ==, 251);
    g_assert_cmpuint (counts.submitted, ==, 251);
    g_assert_cmpstr (rows_text (tags, 0, WEFT_TAGS_TEXT), ==, "frozen");
  }
  rig_free (rig);
}

/* ---- What ends a runtime ---- */

static void
test_socket_closed (void)
{
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  run (rig, "threads=4 spans=3000 wait=1 close=1", &output);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
  }
  rig_free (rig);
}

/* ---- A recorder without descriptors ---- */

static guint64
own_cpu (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * G_GUINT64_CONSTANT (1000000000) + t.tv_nsec;
}

/* Whoever knocks meanwhile waits, which costs nothing; then it is recorded, and the user told. */
static void
test_no_descriptors (void)
{
  Rig *rig = rig_new ();
  struct rlimit limit;
  guint64 cpu;
  pid_t pid;
  int status;

  rig_start (rig);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &(struct rlimit){ 3, limit.rlim_max }), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      setrlimit (RLIMIT_NOFILE, &limit);
      dup2 (STDERR_FILENO, STDOUT_FILENO);
      setenv ("WEFT_RUNTIME_DIR", rig->runtime, 1);
      execl (rig_producer (), rig_producer (), "spans=100", NULL);
      _exit (127);
    }
  g_usleep (100000);
  cpu = own_cpu ();
  g_usleep (400000);
  cpu = own_cpu () - cpu;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpuint (cpu, <, 200000000);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  rig_wait_dispatches (rig, 100);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);
    RigCounts counts;

    rig_counts (store, "lane-0", &counts);
    g_assert_cmpuint (counts.completed, ==, 100);
    g_assert_true (rig_has_diagnostic (store, "producer-waits"));
  }
  rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sessions/late-recorder", test_late_recorder);
  g_test_add_func ("/sessions/restarted-recorder", test_restarted_recorder);
  g_test_add_func ("/sessions/many", test_many);
  g_test_add_func ("/sessions/second-recorder", test_second_recorder);
  g_test_add_func ("/sessions/unusable-directory", test_unusable_directory);
  g_test_add_data_func ("/sessions/odd/short-threads", "short=400 wait=1", test_odd);
  g_test_add_data_func ("/sessions/odd/without-waiting", "threads=3 spans=40 nest=2", test_odd);
  g_test_add_data_func ("/sessions/odd/64-threads", "threads=64 spans=50 wait=1 lanes=7", test_odd);
  g_test_add_data_func ("/sessions/odd/burst", "threads=1 spans=200000 wait=1", test_odd);
  g_test_add_func ("/sessions/closed-descriptors", test_socket_closed);
  g_test_add_func ("/sessions/no-descriptors", test_no_descriptors);
  g_test_add_func ("/sessions/signals", test_signals);
  g_test_add_func ("/sessions/fork", test_fork);
  g_test_add_func ("/sessions/exec", test_exec);
  g_test_add_func ("/sessions/no-recorder", test_no_recorder);
  g_test_add_func ("/sessions/threads", test_thread_rows);
  g_test_add_func ("/sessions/foreign-user", test_foreign_user);
  g_test_add_func ("/sessions/pid-namespace", test_pid_namespace);
  g_test_add_func ("/sessions/time-namespace", test_time_namespace);
  g_test_add_func ("/sessions/user-namespace", test_user_namespace);
  g_test_add_func ("/sessions/unprivileged", test_unprivileged);
  g_test_add_func ("/sessions/setuid", test_setuid);
  g_test_add_func ("/sessions/frozen-library", test_frozen_library);
  return g_test_run ();
}
