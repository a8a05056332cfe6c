/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that hand something over: handover-victim MODE COUNT. Two threads, "left" and "right", do
 * so COUNT times by turns in the modes condition, semaphore, barrier and futex; in mode mutex both
 * want it at once; in mode timeout one waits in vain. Mode free locks what nobody else wants and
 * says how many nanoseconds that takes; mode fork does with it what programs do. All say a number
 * at last that has to be the same each time.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conditions[2] = { PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER };
static sem_t semaphores[2];
static pthread_barrier_t barrier;
static int words[2];
static int turn;
static long count;
static long result;
static void (*step) (long me);

static void
work (void)
{
  volatile long sum = 0;

  for (long i = 0; i < 20000; i++)
    sum += i;
}

static void
step_condition (long me)
{
  pthread_mutex_lock (&mutex);
  while (turn != me)
    pthread_cond_wait (&conditions[me], &mutex);
  work ();
  result++;
  turn = !me;
  pthread_cond_signal (&conditions[!me]);
  pthread_mutex_unlock (&mutex);
}

static void
step_semaphore (long me)
{
  sem_wait (&semaphores[me]);
  work ();
  result++;
  sem_post (&semaphores[!me]);
}

static void
step_barrier (long me)
{
  if (me == turn)
    work ();
  if (pthread_barrier_wait (&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
    {
      turn = !turn;
      result += 2;
    }
  pthread_barrier_wait (&barrier);
}

static void
step_futex (long me)
{
  while (__atomic_load_n (&words[me], __ATOMIC_SEQ_CST) == 0)
    syscall (SYS_futex, &words[me], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  work ();
  result++;
  __atomic_store_n (&words[me], 0, __ATOMIC_SEQ_CST);
  __atomic_store_n (&words[!me], 1, __ATOMIC_SEQ_CST);
  syscall (SYS_futex, &words[!me], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
step_mutex (long me)
{
  pthread_mutex_lock (&mutex);
  work ();
  result++;
  pthread_mutex_unlock (&mutex);
}

static void
step_timeout (long me)
{
  struct timespec until;

  if (me != 0)
    return;
  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_nsec += 5000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock (&mutex);
  if (pthread_cond_timedwait (&conditions[0], &mutex, &until) == ETIMEDOUT)
    result++;
  pthread_mutex_unlock (&mutex);
  errno = 0;
  if (sem_timedwait (&semaphores[1], &until) == 0 || errno != ETIMEDOUT)
    abort ();
}

static void *
run (void *data)
{
  long me = data != NULL;

  pthread_setname_np (pthread_self (), me ? "right" : "left");
  for (long i = 0; i < count; i++)
    step (me);
  return NULL;
}

static void
run_two (void)
{
  pthread_t threads[2];

  for (long i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, run, i ? &turn : NULL);
  for (long i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
}

static void
lock_free (void)
{
  pthread_mutexattr_t attributes;
  pthread_mutex_t recursive, checking;
  struct timespec a, b;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &a);
  for (long i = 0; i < count; i++)
    {
      pthread_mutex_lock (&mutex);
      result++;
      pthread_mutex_unlock (&mutex);
    }
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &b);
  fprintf (stderr, "%.2f\n",
           ((double) (b.tv_sec - a.tv_sec) * 1e9 + (double) (b.tv_nsec - a.tv_nsec)) /
               (double) count);

  /* What they say must be what they say without us. */
  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init (&recursive, &attributes);
  pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init (&checking, &attributes);
  if (pthread_mutex_lock (&recursive) || pthread_mutex_lock (&recursive) ||
      pthread_mutex_unlock (&recursive) || pthread_mutex_unlock (&recursive) ||
      pthread_mutex_unlock (&recursive) != EPERM || pthread_mutex_lock (&checking) ||
      pthread_mutex_lock (&checking) != EDEADLK || pthread_mutex_unlock (&checking) ||
      pthread_mutex_unlock (&checking) != EPERM)
    abort ();
  errno = 0;
  if (syscall (SYS_futex, &words[0], FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0) != -1 ||
      errno != EAGAIN || syscall (SYS_getpid) != getpid ())
    abort ();
}

static void
on_signal (int number)
{
  sem_post (&semaphores[1]);
}

/* Forks while others hand over, signals that post, threads in the child. */
static void
fork_meanwhile (void)
{
  pthread_t thread;

  signal (SIGALRM, on_signal);
  step = step_mutex;
  pthread_create (&thread, NULL, run, NULL);
  for (int i = 0; i < 20; i++)
    {
      pid_t child = fork ();
      int status;

      if (child == 0)
        {
          pthread_mutex_init (&mutex, NULL);
          step = step_semaphore;
          count = 50;
          run_two ();
          _exit (0);
        }
      kill (getpid (), SIGALRM);
      if (waitpid (child, &status, 0) != child || status != 0)
        abort ();
      sem_wait (&semaphores[1]);
    }
  pthread_join (thread, NULL);
}

static const struct
{
  const char *name;
  void (*step) (long me);
} steps[] = {
  { "condition", step_condition }, { "semaphore", step_semaphore }, { "barrier", step_barrier },
  { "futex", step_futex },         { "mutex", step_mutex },         { "timeout", step_timeout },
};

int
main (int argc, char **argv)
{
  if (argc != 3)
    return 2;
  count = atol (argv[2]);
  sem_init (&semaphores[0], 0, 1);
  sem_init (&semaphores[1], 0, 0);
  pthread_barrier_init (&barrier, NULL, 2);
  words[0] = 1;
  for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
    if (strcmp (argv[1], steps[i].name) == 0)
      step = steps[i].step;
  if (strcmp (argv[1], "free") == 0)
    lock_free ();
  else if (strcmp (argv[1], "fork") == 0)
    fork_meanwhile ();
  else if (step == NULL)
    return 2;
  else
    run_two ();
  printf ("%ld\n", result);
  return 0;
}
