/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has a GThreadPool compute and waits until it is done; says from when to when, by CLOCK_MONOTONIC.
 *
 *   path-pool ROUNDS
 */
#include <glib.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static gint64
get_time (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

static void
compute (gpointer item, gpointer data)
{
  gint64 end = get_time (CLOCK_THREAD_CPUTIME_ID) + GPOINTER_TO_INT (item) * 1000000;
  volatile guint64 value = 1;

  while (get_time (CLOCK_THREAD_CPUTIME_ID) < end)
    for (guint i = 0; i < 10000; i++)
      value = value * G_GUINT64_CONSTANT (6364136223846793005) + 1;
}

int
main (int argc, char **argv)
{
  gint64 begin = get_time (CLOCK_MONOTONIC);

  for (int round = 0; round < (argc > 1 ? atoi (argv[1]) : 10); round++)
    {
      GThreadPool *pool = g_thread_pool_new (compute, NULL, 2, TRUE, NULL);

      for (int item = 1; item <= 3; item++)
        g_thread_pool_push (pool, GINT_TO_POINTER (item), NULL);
      g_thread_pool_free (pool, FALSE, TRUE);
    }
  printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", begin, get_time (CLOCK_MONOTONIC));
  return 0;
}
