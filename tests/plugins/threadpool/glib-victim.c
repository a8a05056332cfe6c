/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program with pools of threads by GThreadPool, for tests to record, which knows nothing of that.
 *
 *   glib-victim SCENE [COUNT]
 *
 * Prints what it did: the same whether it is recorded or not.
 */
#include <gio/gio.h>
#include <glib.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int n_ran, n_freed;
static GMutex lock;
static GCond changed;
static gboolean is_open; /* the gate that items wait at */
static int n_waiting;    /* items at the gate */
static GString *order;

/* So long that it shows, by its own clock. */
static void
spin (guint microseconds)
{
  gint64 until = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < until)
    ;
}

static void
wait_for (const int *number, int value)
{
  while (g_atomic_int_get (number) < value)
    g_usleep (200);
}

static void
open_gate (void)
{
  g_mutex_lock (&lock);
  is_open = TRUE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static void
wait_at_gate (void)
{
  g_mutex_lock (&lock);
  n_waiting++;
  while (!is_open)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

static void
count_item (gpointer data, gpointer user_data)
{
  spin (GPOINTER_TO_UINT (user_data));
  g_atomic_int_inc (&n_ran);
}

static void
free_item (gpointer data)
{
  g_atomic_int_inc (&n_freed);
}

/* ---- Scenes ---- */

/* Distinct pointers, from two threads, to a pool that is waited for. */
static gpointer
push_half (gpointer data)
{
  for (int i = 1; i <= 40; i++)
    g_thread_pool_push (data, GINT_TO_POINTER (i), NULL);
  return NULL;
}

static void
plain (int n)
{
  GThreadPool *pool = g_thread_pool_new (count_item, GUINT_TO_POINTER (300), 3, FALSE, NULL);
  GThread *other = g_thread_new ("pusher", push_half, pool);

  push_half (pool);
  g_thread_join (other);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("ran %d\n", n_ran);
}

/* One pointer, again and again: nothing tells items from each other. */
static void
same (int n)
{
  GThreadPool *pool = g_thread_pool_new (count_item, GUINT_TO_POINTER (0), 4, TRUE, NULL);

  for (int i = 0; i < n; i++)
    g_thread_pool_push (pool, &n_ran, NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("ran %d\n", n_ran);
}

static void
note_item (gpointer data, gpointer user_data)
{
  if (data == user_data)
    wait_at_gate ();
  g_mutex_lock (&lock);
  g_string_append_printf (order, " %d", GPOINTER_TO_INT (data));
  g_mutex_unlock (&lock);
}

static int
compare_items (gconstpointer a, gconstpointer b, gpointer sign)
{
  return (GPOINTER_TO_INT (a) - GPOINTER_TO_INT (b)) * *(const int *) sign;
}

/* A pool of one thread, in the first item at the gate, and six in the queue. */
static GThreadPool *
make_queue (void)
{
  static const int numbers[] = { 4, 2, 6, 1, 5, 3 };
  GThreadPool *pool = g_thread_pool_new (note_item, GINT_TO_POINTER (100), 1, TRUE, NULL);

  g_thread_pool_push (pool, GINT_TO_POINTER (100), NULL);
  while (g_atomic_int_get (&n_waiting) == 0)
    g_usleep (200);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (numbers[i]), NULL);
  g_print ("unprocessed %u\n", g_thread_pool_unprocessed (pool));
  return pool;
}

static void
end_queue (GThreadPool *pool)
{
  open_gate ();
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("order%s\n", order->str);
}

/* What is in the queue is sorted, and so is what comes later. */
static void
sorted (int n)
{
  static const int up = 1, down = -1;
  GThreadPool *pool = make_queue ();

  g_thread_pool_set_sort_function (pool, compare_items, (gpointer) &up);
  g_thread_pool_set_sort_function (pool, compare_items, (gpointer) &down);
  g_thread_pool_push (pool, GINT_TO_POINTER (7), NULL);
  g_thread_pool_push (pool, GINT_TO_POINTER (2), NULL);
  end_queue (pool);
}

static void
front (int n)
{
  GThreadPool *pool = make_queue ();

  g_print ("moved %d %d %d\n", g_thread_pool_move_to_front (pool, GINT_TO_POINTER (5)),
           g_thread_pool_move_to_front (pool, GINT_TO_POINTER (77)),
           g_thread_pool_move_to_front (pool, GINT_TO_POINTER (1)));
  end_queue (pool);
}

static void
gate_item (gpointer data, gpointer user_data)
{
  g_atomic_int_inc (&n_ran);
  wait_at_gate ();
}

static gpointer
open_later (gpointer data)
{
  g_usleep (20000);
  open_gate ();
  return NULL;
}

/* Closed at once, with two items that run and twenty in the queue. */
static void
dropped (int n)
{
  GThreadPool *pool = g_thread_pool_new_full (gate_item, NULL, free_item, 2, FALSE, NULL);
  GThread *other;

  for (int i = 1; i <= 22; i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (i * 8), NULL);
  wait_for (&n_waiting, 2);
  other = g_thread_new ("opener", open_later, NULL);
  g_thread_pool_free (pool, TRUE, TRUE);
  g_thread_join (other);
  /* GLib hands numbers of its own to the function that frees. */
  g_print ("ran %d, freed %s\n", n_ran, n_freed >= 20 ? "the rest" : "too few");
}

/* The same without a function that frees, and without waiting. */
static void
forgotten (int n)
{
  GThreadPool *pool = g_thread_pool_new (gate_item, NULL, 2, TRUE, NULL);

  for (int i = 1; i <= 12; i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (i * 8), NULL);
  wait_for (&n_waiting, 2);
  g_thread_pool_free (pool, TRUE, FALSE);
  open_gate ();
  g_usleep (50000);
  g_print ("ran %d\n", n_ran);
}

static void
push_more (gpointer data, gpointer user_data)
{
  int depth = GPOINTER_TO_INT (data);
  GThreadPool **pool = user_data;

  if (depth > 1)
    for (int i = 0; i < 2; i++)
      g_thread_pool_push (*pool, GINT_TO_POINTER (depth - 1), NULL);
  g_atomic_int_inc (&n_ran);
}

/* Items push items; a binary tree of them. */
static void
tree (int n)
{
  GThreadPool *pool = g_thread_pool_new (push_more, &pool, 3, FALSE, NULL);

  g_thread_pool_push (pool, GINT_TO_POINTER (7), NULL);
  wait_for (&n_ran, 127);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("ran %d\n", n_ran);
}

/* What a pool shows of itself is what it was made with, and may be called. */
static void
fields (int n)
{
  GThreadPool *pool = g_thread_pool_new (count_item, GUINT_TO_POINTER (5), 2, FALSE, NULL);
  GThreadPool *other = g_thread_pool_new (pool->func, pool->user_data, 2, FALSE, NULL);

  g_print ("user data %u exclusive %d\n", GPOINTER_TO_UINT (pool->user_data), pool->exclusive);
  pool->func (GINT_TO_POINTER (1), pool->user_data);
  g_thread_pool_push (pool, GINT_TO_POINTER (3), NULL);
  g_thread_pool_push (other, GINT_TO_POINTER (4), NULL);
  g_thread_pool_free (other, FALSE, TRUE);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("ran %d\n", n_ran);
}

static void
crash_item (gpointer data, gpointer user_data)
{
  if (g_atomic_int_add (&n_ran, 1) == 4)
    abort ();
  spin (200);
}

static void
crash (int n)
{
  GThreadPool *pool = g_thread_pool_new (crash_item, NULL, 1, FALSE, NULL);

  for (int i = 1; i <= 20; i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* Ends with items in the queue. */
static void
leave (int n)
{
  GThreadPool *pool = g_thread_pool_new (gate_item, NULL, 2, FALSE, NULL);

  for (int i = 1; i <= 10; i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (i), NULL);
  wait_for (&n_waiting, 2);
  g_print ("unprocessed %u\n", g_thread_pool_unprocessed (pool));
  exit (3);
}

/* N pools, one after the other, each with two items. */
static void
many (int n)
{
  for (int i = 0; i < n; i++)
    {
      GThreadPool *pool = g_thread_pool_new (count_item, NULL, 2, i % 2, NULL);

      g_thread_pool_push (pool, pool, NULL);
      g_thread_pool_push (pool, &lock, NULL);
      g_thread_pool_free (pool, FALSE, TRUE);
    }
  g_print ("ran %d\n", n_ran);
}

static void
in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  spin (100);
  g_task_return_int (task, GPOINTER_TO_INT (data));
}

static void
task_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  n_ran += (int) g_task_propagate_int (G_TASK (result), NULL);
  n_waiting++;
}

/* N tasks of GTask, every other with a name. */
static void
tasks (int n)
{
  for (int i = 0; i < n; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, task_done, NULL);

      if (i % 2)
        g_task_set_name (task, "odd one");
      g_task_set_task_data (task, GINT_TO_POINTER (1), NULL);
      g_task_run_in_thread (task, in_thread);
    }
  while (n_waiting < n)
    g_main_context_iteration (NULL, TRUE);
  g_print ("ran %d\n", n_ran);
}

static void
use_pool (int n)
{
  GThreadPool *pool = g_thread_pool_new (count_item, NULL, 2, FALSE, NULL);

  for (int i = 1; i <= n; i++)
    g_thread_pool_push (pool, GINT_TO_POINTER (i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* Parent and child each have a pool: GLib's threads do not outlive a fork. */
static void
forks (int n)
{
  int status, pid = fork ();

  if (pid == 0)
    {
      use_pool (5);
      exit (n_ran);
    }
  use_pool (10);
  waitpid (pid, &status, 0);
  g_print ("ran %d, child %d\n", n_ran, WEXITSTATUS (status));
}

static gint64 sum;

static void
add_item (gpointer data, gpointer user_data)
{
  g_mutex_lock (&lock);
  sum += GPOINTER_TO_INT (data);
  n_ran++;
  g_mutex_unlock (&lock);
}

typedef struct
{
  GThreadPool *pool;
  guint32 seed;
  int n;
} Pusher;

/* Pushes, pulls to the front, sorts; the same from run to run, but for how threads take turns. */
static gpointer
push_wildly (gpointer data)
{
  static const int signs[] = { 1, -1 };
  Pusher *pusher = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (pusher->seed);

  for (int i = 0; i < pusher->n; i++)
    {
      g_thread_pool_push (pusher->pool, GINT_TO_POINTER (g_rand_int_range (random, 1, 50)), NULL);
      if (i % 7 == 0)
        g_thread_pool_move_to_front (pusher->pool,
                                     GINT_TO_POINTER (g_rand_int_range (random, 1, 50)));
      if (i % 101 == 0)
        g_thread_pool_set_sort_function (pusher->pool, i % 3 ? compare_items : NULL,
                                         (gpointer) &signs[i % 2]);
    }
  return NULL;
}

/* Three threads push N each to one pool, in all ways there are. */
static void
storm (int n)
{
  GThreadPool *pool = g_thread_pool_new_full (add_item, NULL, free_item, 3, FALSE, NULL);
  Pusher pushers[3];
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (pushers); i++)
    {
      pushers[i] = (Pusher){ pool, i, n };
      threads[i] = g_thread_new ("pusher", push_wildly, &pushers[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pushers); i++)
    g_thread_join (threads[i]);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_print ("ran %d, sum %" G_GINT64_FORMAT "\n", n_ran, sum);
}

/* CPU time of a push and all that follows from it, in nanoseconds, on standard error. */
static void
cost (int n)
{
  GThreadPool *pool = g_thread_pool_new (count_item, NULL, 1, TRUE, NULL);
  struct timespec begin, end;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &begin);
  for (int i = 0; i < n; i++)
    g_thread_pool_push (pool, &n_ran, NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &end);
  g_printerr (
      "push %.1f\n",
      ((double) (end.tv_sec - begin.tv_sec) * 1e9 + (double) (end.tv_nsec - begin.tv_nsec)) / n);
  g_print ("ran %d\n", n_ran);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*play) (int n);
  } scenes[] = {
    { "plain", plain },         { "same", same },   { "sorted", sorted }, { "front", front },
    { "dropped", dropped },     { "tree", tree },   { "fields", fields }, { "crash", crash },
    { "forgotten", forgotten }, { "leave", leave }, { "many", many },     { "tasks", tasks },
    { "forks", forks },         { "storm", storm }, { "cost", cost },
  };

  order = g_string_new (NULL);
  for (guint i = 0; argc > 1 && i < G_N_ELEMENTS (scenes); i++)
    if (g_str_equal (argv[1], scenes[i].name))
      {
        scenes[i].play (argc > 2 ? atoi (argv[2]) : 0);
        g_string_free (order, TRUE);
        return 0;
      }
  g_printerr ("Usage: glib-victim SCENE [COUNT]\n");
  return 2;
}
