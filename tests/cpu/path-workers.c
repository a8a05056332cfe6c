/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hands work to others and waits for it; says from when to when, by CLOCK_MONOTONIC.
 *
 *   path-workers ROUNDS    two threads that take jobs from a queue
 *   path-openmp ROUNDS     the same by OpenMP, if built with it
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_WORKERS 2
#define JOB 3000000 /* ns of CPU time */

static int64_t
get_time (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * INT64_C (1000000000) + time.tv_nsec;
}

static void
compute (int64_t length)
{
  int64_t end = get_time (CLOCK_THREAD_CPUTIME_ID) + length;
  volatile uint64_t value = 1;

  while (get_time (CLOCK_THREAD_CPUTIME_ID) < end)
    for (int i = 0; i < 10000; i++)
      value = value * 6364136223846793005u + 1;
}

#ifdef _OPENMP

static void
work (int n_rounds)
{
  for (int round = 0; round < n_rounds; round++)
    {
      compute (JOB / 2);
#pragma omp parallel for schedule(static, 1) num_threads(N_WORKERS)
      for (int i = 0; i < N_WORKERS; i++)
        compute (JOB * (i + 1) / 2);
    }
}

#else

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static int n_jobs;
static int n_done;
static int is_over;

static void *
run_jobs (void *unused)
{
  pthread_mutex_lock (&lock);
  while (!is_over)
    {
      if (n_jobs == 0)
        {
          pthread_cond_wait (&changed, &lock);
          continue;
        }
      n_jobs--;
      pthread_mutex_unlock (&lock);
      compute (JOB);
      pthread_mutex_lock (&lock);
      n_done++;
      pthread_cond_signal (&finished);
    }
  pthread_mutex_unlock (&lock);
  return NULL;
}

static void
work (int n_rounds)
{
  pthread_t threads[N_WORKERS];

  for (int i = 0; i < N_WORKERS; i++)
    pthread_create (&threads[i], NULL, run_jobs, NULL);
  for (int round = 0; round < n_rounds; round++)
    {
      compute (JOB / 2);
      pthread_mutex_lock (&lock);
      n_jobs = N_WORKERS;
      n_done = 0;
      pthread_cond_broadcast (&changed);
      while (n_done < N_WORKERS)
        pthread_cond_wait (&finished, &lock);
      pthread_mutex_unlock (&lock);
    }
  pthread_mutex_lock (&lock);
  is_over = 1;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
  for (int i = 0; i < N_WORKERS; i++)
    pthread_join (threads[i], NULL);
}

#endif

int
main (int argc, char **argv)
{
  int64_t begin = get_time (CLOCK_MONOTONIC);

  work (argc > 1 ? atoi (argv[1]) : 20);
  printf ("%lld %lld\n", (long long) begin, (long long) get_time (CLOCK_MONOTONIC));
  return 0;
}
