/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * times-victim THREADS RUN WAIT ROUNDS: each thread runs RUN and waits WAIT microseconds, ROUNDS
 * times, and says its number, the CPU time that it got, and how long it lived, in nanoseconds.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long run_time, wait_time, rounds;

static long long
now (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *
run (void *data)
{
  long long begin = now (CLOCK_MONOTONIC);

  for (long i = 0; i < rounds; i++)
    {
      struct timespec pause = { wait_time / 1000000, wait_time % 1000000 * 1000 };
      long long until = now (CLOCK_THREAD_CPUTIME_ID) + run_time * 1000;

      while (now (CLOCK_THREAD_CPUTIME_ID) < until)
        ;
      if (wait_time > 0)
        nanosleep (&pause, NULL);
    }
  printf ("%ld %lld %lld\n", (long) syscall (SYS_gettid), now (CLOCK_THREAD_CPUTIME_ID),
          now (CLOCK_MONOTONIC) - begin);
  return data;
}

int
main (int argc, char **argv)
{
  pthread_t *threads;
  long n;

  if (argc != 5)
    return 2;
  n = atol (argv[1]);
  run_time = atol (argv[2]);
  wait_time = atol (argv[3]);
  rounds = atol (argv[4]);
  threads = calloc ((size_t) n, sizeof *threads);
  for (long i = 0; i < n; i++)
    if (pthread_create (&threads[i], NULL, run, NULL) != 0)
      return 1;
  for (long i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  free (threads);
  return 0;
}
