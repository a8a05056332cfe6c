/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program with main loops of all sorts that keeps books of what they dispatched, and prints them:
 * lines of a name and a number. It knows nothing of recorders.
 */
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_IDLE 20
#define N_TIMEOUT 5
#define N_READ 10
#define N_CUSTOM 12
#define N_QUEUED 15 /* by another thread, of each sort */
#define N_TASKS 30
#define N_SYNC 5
#define N_READERS 3
#define N_ROUNDS 10

static GMainLoop *loop;
static int left; /* atomic: dispatches until the loop ends */
static int polled;

static void
expect (int n)
{
  g_atomic_int_add (&left, n);
}

static void
arrived (void)
{
  if (g_atomic_int_dec_and_test (&left))
    g_main_loop_quit (loop);
}

static gboolean
fail_unless (gboolean good, const char *what)
{
  if (good)
    return TRUE;
  g_print ("wrong: %s\n", what);
  exit (3);
}

/* ---- Sources of GLib's own kinds ---- */

static GThread *queuing;
static gpointer queue_things (gpointer fd);
static int n_idle, n_timeout, n_read, n_destroyed, n_late, n_once;

/* Things are queued from outside once the loop runs. */
static gboolean
on_idle (gpointer fd)
{
  if (n_idle == 0)
    queuing = g_thread_new ("queuing", queue_things, fd);
  arrived ();
  return ++n_idle < N_IDLE;
}

static gboolean
on_timeout (gpointer data)
{
  arrived ();
  return ++n_timeout < N_TIMEOUT;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  char byte;

  fail_unless (read (fd, &byte, 1) == 1, "nothing to read");
  arrived ();
  return ++n_read < N_READ;
}

/* Says to go on, though it is gone. */
static gboolean
on_destroyed (gpointer data)
{
  n_destroyed++;
  arrived ();
  g_source_destroy (g_main_current_source ());
  return G_SOURCE_CONTINUE;
}

static gboolean
on_late (gpointer data)
{
  n_late++;
  arrived ();
  g_source_set_name (g_main_current_source (), "named late");
  return G_SOURCE_REMOVE;
}

static void
on_once (gpointer data)
{
  n_once++;
  arrived ();
}

/* ---- A source of the program's own, whose table is constant ---- */

static int n_custom, n_finalized;

static gboolean
custom_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return n_custom < N_CUSTOM;
}

static gboolean
custom_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  n_custom++;
  arrived ();
  return G_SOURCE_CONTINUE;
}

static void
custom_finalize (GSource *source)
{
  n_finalized++;
}

static const GSourceFuncs custom_funcs = { .prepare = custom_prepare,
                                           .dispatch = custom_dispatch,
                                           .finalize = custom_finalize };

static void
add_custom (void)
{
  GSource *source = g_source_new ((GSourceFuncs *) &custom_funcs, sizeof *source);

  g_source_set_name (source, "custom");
  g_source_set_callback (source, NULL, &n_custom, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
}

static void
remove_custom (void)
{
  GSourceFuncs *funcs = (GSourceFuncs *) &custom_funcs;

  fail_unless (g_main_context_find_source_by_funcs_user_data (NULL, funcs, &n_custom) != NULL,
               "the source is not found by its table");
  fail_unless (g_source_remove_by_funcs_user_data (funcs, &n_custom), "it is not removed by it");
  fail_unless (n_finalized == 1, "it was not finalized");
}

/* ---- A loop within a dispatch ---- */

static int n_outer, n_inner;

static gboolean
on_inner (gpointer nested)
{
  if (++n_inner % 3 == 0)
    g_main_loop_quit (nested);
  return n_inner % 3 != 0;
}

static gboolean
on_outer (gpointer data)
{
  GMainLoop *nested = g_main_loop_new (NULL, FALSE);

  g_timeout_add (30, on_inner, nested);
  g_main_loop_run (nested);
  g_main_loop_unref (nested);
  n_outer++;
  arrived ();
  return G_SOURCE_REMOVE;
}

/* ---- What blocks ---- */

static int n_blocked;

/* So much time of a CPU, however busy it is with others. */
static __attribute__ ((noinline)) void
burn_time (void)
{
  const clock_t end = clock () + 120 * (CLOCKS_PER_SEC / 1000);

  while (clock () < end)
    ;
}

static gboolean
on_burning (gpointer data)
{
  burn_time ();
  n_blocked++;
  arrived ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_sleeping (gpointer data)
{
  g_usleep (90000);
  n_blocked++;
  arrived ();
  return G_SOURCE_REMOVE;
}

/* ---- Other threads ---- */

static int n_queued, n_invoked;

static gboolean
on_queued (gpointer data)
{
  n_queued++;
  arrived ();
  return G_SOURCE_REMOVE;
}

static gboolean
on_invoked (gpointer data)
{
  n_invoked++;
  arrived ();
  return G_SOURCE_REMOVE;
}

static gpointer
queue_things (gpointer fd)
{
  for (int i = 0; i < N_QUEUED; i++)
    {
      g_idle_add (on_queued, NULL);
      g_main_context_invoke (NULL, on_invoked, NULL);
      if (i < N_READ)
        fail_unless (write (GPOINTER_TO_INT (fd), "x", 1) == 1, "nothing is written");
    }
  return NULL;
}

/* Each has a context of its own, in which it runs so many idle functions as it has tasks. */
static int n_read_by_readers;

static int
count_poll (GPollFD *fds, guint n, int timeout)
{
  g_atomic_int_inc (&polled);
  return g_poll (fds, n, timeout);
}

static gboolean
on_reader (gpointer mine)
{
  static GPrivate n;
  int done = GPOINTER_TO_INT (g_private_get (&n)) + 1;

  g_private_set (&n, GINT_TO_POINTER (done));
  g_atomic_int_inc (&n_read_by_readers);
  if (done == N_IDLE)
    g_main_loop_quit (mine);
  return done < N_IDLE;
}

static gpointer
run_reader (gpointer data)
{
  GMainContext *context = g_main_context_new ();
  GMainLoop *mine = g_main_loop_new (context, FALSE);
  GSource *source = g_idle_source_new ();

  g_main_context_set_poll_func (context, count_poll);
  fail_unless (g_main_context_get_poll_func (context) == count_poll, "not the poll that was set");
  g_main_context_push_thread_default (context);
  g_source_set_callback (source, on_reader, mine, NULL);
  g_source_attach (source, context);
  g_main_loop_run (mine);
  g_source_unref (source);
  g_main_context_pop_thread_default (context);
  g_main_loop_unref (mine);
  g_main_context_unref (context);
  return NULL;
}

/* ---- Tasks ---- */

static int n_tasks_run, n_tasks_done, n_failed;

static void
work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_atomic_int_inc (&n_tasks_run);
  if (GPOINTER_TO_INT (data) % 10 == 3)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");
  else
    g_task_return_int (task, GPOINTER_TO_INT (data));
}

static void
on_task (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  n_tasks_done++;
  if (g_task_propagate_int (G_TASK (result), &error) < 0)
    n_failed++;
  arrived ();
}

static void
start_tasks (void)
{
  for (int i = 0; i < N_TASKS; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, on_task, NULL);

      g_task_set_name (task, "cut slices");
      g_task_set_task_data (task, GINT_TO_POINTER (i), NULL);
      g_task_run_in_thread (task, work);
    }
}

static void
run_sync_tasks (void)
{
  for (int i = 0; i < N_SYNC; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

      g_task_set_name (task, "wait for slices");
      g_task_run_in_thread_sync (task, work);
      fail_unless (g_task_propagate_int (task, NULL) == 0, "another result");
    }
}

/* ---- A context that is polled by the program itself ---- */

static int n_by_hand;

static gboolean
on_by_hand (gpointer data)
{
  n_by_hand++;
  return G_SOURCE_CONTINUE;
}

static void
run_by_hand (void)
{
  GMainContext *context = g_main_context_new ();
  GSource *source = g_idle_source_new ();
  GPollFD fds[8];
  int priority, timeout, n;

  g_source_set_name (source, "by hand");
  g_source_set_callback (source, on_by_hand, NULL, NULL);
  g_source_attach (source, context);
  fail_unless (g_main_context_acquire (context), "the context is not mine");
  for (int i = 0; i < N_ROUNDS; i++)
    {
      g_main_context_prepare (context, &priority);
      n = g_main_context_query (context, priority, &timeout, fds, G_N_ELEMENTS (fds));
      g_poll (fds, (guint) n, timeout);
      g_main_context_check (context, priority, fds, n);
      g_main_context_dispatch (context);
    }
  g_main_context_release (context);
  g_source_destroy (source);
  g_source_unref (source);
  g_main_context_unref (context);
}

/* ---- A child that goes on ---- */

static gboolean
on_child (gpointer data)
{
  int *n = data;

  return ++*n < 7;
}

static void
run_child (void)
{
  GMainContext *context;
  GSource *source;
  int status, n = 0;
  pid_t child = fork ();

  if (child != 0)
    {
      fail_unless (waitpid (child, &status, 0) == child && status == 0, "the child failed");
      return;
    }
  context = g_main_context_new ();
  source = g_idle_source_new ();
  g_source_set_name (source, "in the child");
  g_source_set_callback (source, on_child, &n, NULL);
  g_source_attach (source, context);
  while (n < 7)
    g_main_context_iteration (context, TRUE);
  _exit (0);
}

static void
add_sources (int from, int to)
{
  GSource *source = g_idle_source_new ();

  expect (N_IDLE + N_TIMEOUT + N_READ + N_CUSTOM + 1 + 1 + 1 + 1 + 2 + 2 * N_QUEUED + N_TASKS);
  g_source_set_name_by_id (g_idle_add (on_idle, GINT_TO_POINTER (to)), "by idle");
  g_source_set_name_by_id (g_timeout_add_full (G_PRIORITY_HIGH, 1, on_timeout, NULL, NULL),
                           "by time");
  g_source_set_name_by_id (g_unix_fd_add (from, G_IO_IN, on_readable, NULL), "by pipe");
  add_custom ();
  g_idle_add (on_outer, NULL);
  g_idle_add (on_destroyed, NULL);
  g_timeout_add_once (1, on_once, NULL);
  g_source_set_callback (source, on_late, NULL, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
  g_idle_add_full (G_PRIORITY_LOW, on_burning, NULL, NULL);
  g_idle_add_full (G_PRIORITY_LOW, on_sleeping, NULL, NULL);
  start_tasks ();
}

static void
print_books (void)
{
  const struct
  {
    const char *name;
    int count;
  } books[] = {
    { "idle", n_idle },           { "timeout", n_timeout },
    { "read", n_read },           { "custom", n_custom },
    { "outer", n_outer },         { "inner", n_inner },
    { "late", n_late },           { "destroyed", n_destroyed },
    { "once", n_once },           { "queued", n_queued },
    { "invoked", n_invoked },     { "blocked", n_blocked },
    { "tasks-run", n_tasks_run }, { "tasks-done", n_tasks_done },
    { "tasks-failed", n_failed }, { "readers", n_read_by_readers },
    { "polls", polled },          { "by-hand", n_by_hand },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (books); i++)
    g_print ("%s %d\n", books[i].name, books[i].count);
}

int
main (void)
{
  GThread *threads[N_READERS];
  int fds[2];

  fail_unless (pipe (fds) == 0, "no pipe");
  loop = g_main_loop_new (NULL, FALSE);
  run_sync_tasks ();
  add_sources (fds[0], fds[1]);
  for (int i = 0; i < N_READERS; i++)
    threads[i] = g_thread_new ("reader", run_reader, NULL);
  g_main_loop_run (loop);
  remove_custom ();
  g_thread_join (queuing);
  for (int i = 0; i < N_READERS; i++)
    g_thread_join (threads[i]);
  run_by_hand ();
  run_child ();
  print_books ();
  g_main_loop_unref (loop);
  return 7;
}
