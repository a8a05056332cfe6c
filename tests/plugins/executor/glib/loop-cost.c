/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * So many dispatches of an idle function, or tasks that run in a thread and return, and what each
 * of them took of CPU time in all threads.
 */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int left;

static gboolean
on_idle (gpointer loop)
{
  if (--left == 0)
    g_main_loop_quit (loop);
  return left > 0;
}

static void
work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void start_task (GMainLoop *loop);

static void
on_task (GObject *source, GAsyncResult *result, gpointer loop)
{
  if (--left == 0)
    g_main_loop_quit (loop);
  else
    start_task (loop);
}

static void
start_task (GMainLoop *loop)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_task, loop);

  g_task_run_in_thread (task, work);
}

static double
cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}

int
main (int argc, char **argv)
{
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);
  const int n = argc == 3 ? atoi (argv[2]) : 0;
  double before;

  if (n < 1)
    return 2;
  left = n;
  before = cpu_time ();
  if (strcmp (argv[1], "dispatch") == 0)
    g_idle_add (on_idle, loop);
  else
    start_task (loop);
  g_main_loop_run (loop);
  g_printerr ("cost %.1f\n", (cpu_time () - before) / n);
  g_main_loop_unref (loop);
  return 0;
}
