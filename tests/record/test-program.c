/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Launching programs: held until they are let go, as if started by themselves, and what keeps one
 * from running.
 */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record-rig.h"
#include "weft-program.h"

static WeftProgram *
launch (const char *const *argv, const char *directory)
{
  g_autoptr (GError) error = NULL;
  WeftProgram *program = weft_program_new (argv, NULL, directory, &error);

  g_assert_no_error (error);
  return program;
}

static int
wait_for (WeftProgram *program)
{
  struct pollfd end = { .fd = weft_program_get_descriptor (program), .events = POLLIN };

  g_assert_cmpint (poll (&end, 1, 20000), ==, 1);
  g_assert_false (weft_program_is_running (program));
  return weft_program_get_exit_status (program);
}

static int
run_script (const char *script)
{
  const char *const argv[] = { "sh", "-c", script, NULL };
  g_autoptr (WeftProgram) program = launch (argv, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_program_release (program, &error));
  g_assert_no_error (error);
  return wait_for (program);
}

static void
test_run (void)
{
  g_assert_cmpint (run_script ("exit 0"), ==, 0);
  g_assert_cmpint (run_script ("exit 42"), ==, 42);
  g_assert_cmpint (run_script ("kill -TERM $$"), ==, 128 + SIGTERM);
}

/* Nothing of it runs before. */
static void
test_held (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *mark = g_build_filename (folder, "mark", NULL);
  const char *const argv[] = { "touch", mark, NULL };
  g_autoptr (WeftProgram) program = launch (argv, NULL);

  g_usleep (50000);
  g_assert_false (g_file_test (mark, G_FILE_TEST_EXISTS));
  g_assert_true (weft_program_is_running (program));
  g_assert_cmpint (weft_program_get_exit_status (program), ==, -1);
  g_assert_true (g_str_has_suffix (weft_program_get_path (program), "/touch"));
  g_assert_true (weft_program_release (program, NULL));
  g_assert_cmpint (wait_for (program), ==, 0);
  g_assert_true (g_file_test (mark, G_FILE_TEST_EXISTS));
  rig_remove_folder (g_steal_pointer (&folder));
}

static gboolean
is_gone (gpointer data)
{
  return kill (GPOINTER_TO_INT (data), 0) != 0;
}

/* Who was not let go never runs; who was, goes on, and is waited for by somebody. */
static void
test_left (void)
{
  const char *const argv[] = { "sleep", "0.2", NULL };
  WeftProgram *program = launch (argv, NULL);
  int pid = weft_program_get_pid (program);

  weft_program_unref (program);
  g_assert_true (is_gone (GINT_TO_POINTER (pid)));

  program = launch (argv, NULL);
  pid = weft_program_get_pid (program);
  g_assert_true (weft_program_release (program, NULL));
  weft_program_unref (program);
  g_assert_false (is_gone (GINT_TO_POINTER (pid)));
  g_assert_true (rig_until (is_gone, GINT_TO_POINTER (pid), 10));
}

static void
check_error (const char *name, const char *directory, int code)
{
  const char *const argv[] = { name, NULL };
  g_autoptr (WeftProgram) program = launch (argv, directory);
  g_autoptr (GError) error = NULL;

  g_assert_false (weft_program_release (program, &error));
  g_assert_error (error, G_SPAWN_ERROR, code);
}

static void
test_errors (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *text = g_build_filename (folder, "text", NULL);

  g_assert_true (g_file_set_contents (text, "#!/no/such/interpreter\n", -1, NULL));
  check_error ("no-such-program-at-all", NULL, G_SPAWN_ERROR_NOENT);
  check_error ("/no/such/program", NULL, G_SPAWN_ERROR_NOENT);
  check_error ("", NULL, G_SPAWN_ERROR_NOENT);
  check_error (text, NULL, G_SPAWN_ERROR_ACCES);
  check_error (folder, NULL, G_SPAWN_ERROR_ACCES);
  check_error ("true", "/no/such/folder", G_SPAWN_ERROR_CHDIR);
  g_assert_cmpint (g_chmod (text, 0755), ==, 0);
  check_error (text, NULL, G_SPAWN_ERROR_NOENT);
  rig_remove_folder (g_steal_pointer (&folder));
}

/* As a shell does with one that does not say what it is. */
static void
test_script (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *script = g_build_filename (folder, "script", NULL);
  const char *const argv[] = { "./script", "a", "b", NULL };
  g_autoptr (WeftProgram) program = NULL;

  g_assert_true (g_file_set_contents (script, "test \"$1$2\" = ab && exit 5\n", -1, NULL));
  g_assert_cmpint (g_chmod (script, 0755), ==, 0);
  program = launch (argv, folder);
  g_assert_true (weft_program_release (program, NULL));
  g_assert_cmpint (wait_for (program), ==, 5);
  rig_remove_folder (g_steal_pointer (&folder));
}

/* What we ignore is not ignored by programs. */
static void
test_signals (void)
{
  const char *const argv[] = { "sleep", "30", NULL };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  struct sigaction old;
  g_autoptr (WeftProgram) program = NULL;

  sigaction (SIGPIPE, &ignore, &old);
  program = launch (argv, NULL);
  sigaction (SIGPIPE, &old, NULL);
  g_assert_true (weft_program_release (program, NULL));
  weft_program_send_signal (program, SIGPIPE);
  g_assert_cmpint (wait_for (program), ==, 128 + SIGPIPE);
}

/* It gets three descriptors. */
static void
test_descriptors (void)
{
  int fd = open ("/dev/null", O_RDONLY);

  g_assert_cmpint (fd, >, 2);
  g_assert_cmpint (run_script ("for fd in /proc/self/fd/*; do case ${fd##*/} in 0|1|2) ;; *) "
                               "readlink $fd | grep -q /dev/null && exit 9 ;; esac; done; exit 0"),
                   ==, 0);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/program/run", test_run);
  g_test_add_func ("/program/held", test_held);
  g_test_add_func ("/program/left", test_left);
  g_test_add_func ("/program/errors", test_errors);
  g_test_add_func ("/program/script", test_script);
  g_test_add_func ("/program/signals", test_signals);
  g_test_add_func ("/program/descriptors", test_descriptors);
  return g_test_run ();
}
