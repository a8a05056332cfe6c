/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc tells of a process, at times when it does not tell all. */

#include "weft-process-info.h"
#include "weft-process-tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_running (void)
{
  WeftProcessInfo info;
  g_autofree char *executable = g_file_read_link ("/proc/self/exe", NULL);

  weft_process_info_read (&info, getpid ());
  g_assert_cmpint (info.pid, ==, getpid ());
  g_assert_cmpint (info.parent, ==, getppid ());
  g_assert_cmpint (info.started, !=, 0);
  g_assert_cmpstr (info.executable, ==, executable);
  g_assert_nonnull (info.command_line);
  weft_process_info_clear (&info);
}

/* It has a start and a name, but its command line is gone with its memory: that is not the same as
 * having an empty one, by which it would be taken for another process.
 */
static void
test_ended (void)
{
  WeftProcessInfo info;
  siginfo_t end;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitid (P_PID, (id_t) pid, &end, WEXITED | WNOWAIT), ==, 0);
  weft_process_info_read (&info, pid);
  g_assert_cmpint (info.started, !=, 0);
  g_assert_nonnull (info.name);
  g_assert_null (info.command_line);
  g_assert_null (info.executable);
  weft_process_info_clear (&info);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
test_gone (void)
{
  WeftProcessInfo info;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  weft_process_info_read (&info, pid);
  g_assert_cmpint (info.started, ==, 0);
  g_assert_null (info.command_line);
  weft_process_info_clear (&info);
}

/* A child and its child; whether the kernel keeps lists of children or not. */
static void
test_family (void)
{
  const int self = getpid ();
  g_autoptr (GArray) family = NULL, all = NULL, none = NULL;
  int told[2];
  int grandchild = 0;
  pid_t child;

  g_assert_cmpint (pipe (told), ==, 0);
  child = fork ();
  if (child == 0)
    {
      grandchild = fork ();
      if (grandchild != 0 && write (told[1], &grandchild, sizeof grandchild) < 0)
        _exit (1);
      for (;;)
        pause ();
    }
  g_assert_cmpint (read (told[0], &grandchild, sizeof grandchild), ==, sizeof grandchild);
  family = weft_process_tree_list_family (self);
  all = weft_process_tree_list_below (&self, 1);
  kill (grandchild, SIGKILL);
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  none = weft_process_tree_list_family (child);
  close (told[0]);
  close (told[1]);

  g_assert_cmpuint (family->len, ==, 3);
  g_assert_cmpint (g_array_index (family, int, 0), ==, self);
  g_assert_cmpint (g_array_index (family, int, 1), ==, child);
  g_assert_cmpint (g_array_index (family, int, 2), ==, grandchild);
  g_assert_cmpmem (family->data, 3 * sizeof (int), all->data, all->len * sizeof (int));
  g_assert_cmpuint (none->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process-info/running", test_running);
  g_test_add_func ("/process-info/ended", test_ended);
  g_test_add_func ("/process-info/gone", test_gone);
  g_test_add_func ("/process-info/family", test_family);
  return g_test_run ();
}
