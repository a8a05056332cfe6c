/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cpu-target MODE…: programs that sources of CPU events are tried with. Each prints one line with
 * its result, which must be the same whether it is watched or not.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
cpu_seconds (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static uint64_t
spin (double seconds)
{
  uint64_t n = 0;
  double end = cpu_seconds () + seconds;

  while (cpu_seconds () < end)
    for (volatile int i = 0; i < 10000; i++)
      n++;
  return n;
}

/* A fixed amount of work: the same result, however long it takes. */
static int
work (long rounds)
{
  uint64_t x = 88172645463325252ull;

  for (long i = 0; i < rounds * 1000000; i++)
    {
      x ^= x << 13;
      x ^= x >> 7;
      x ^= x << 17;
    }
  printf ("%016llx\n", (unsigned long long) x);
  return 0;
}

static void *
run_thread (void *data)
{
  spin (*(double *) data);
  return NULL;
}

static int
run_threads (int n, double seconds)
{
  pthread_t *threads = calloc ((size_t) n, sizeof *threads);

  for (int i = 0; i < n; i++)
    if (pthread_create (&threads[i], NULL, run_thread, &seconds) != 0)
      return 1;
  for (int i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  printf ("%d threads\n", n);
  free (threads);
  return 0;
}

static int
storm (int n)
{
  double seconds = 0.0001;

  for (int i = 0; i < n; i++)
    {
      pthread_t thread;

      if (pthread_create (&thread, NULL, run_thread, &seconds) != 0)
        return 1;
      pthread_join (thread, NULL);
    }
  printf ("%d threads\n", n);
  return 0;
}

static volatile sig_atomic_t n_caught;

static void
on_signal (int signal_number)
{
  n_caught++;
}

/* Signals while it runs, each of which has to arrive once. */
static int
count_signals (int n)
{
  struct sigaction action = { .sa_handler = on_signal };

  sigaction (SIGUSR1, &action, NULL);
  for (int i = 0; i < n; i++)
    {
      spin (0.0002);
      raise (SIGUSR1);
    }
  printf ("%d signals\n", (int) n_caught);
  return n_caught == n ? 0 : 1;
}

/* Short waits among work: a call must not be told that it was interrupted when no signal came. */
static int
count_interruptions (int n)
{
  int epoll = epoll_create1 (0);
  int interrupted = 0;

  for (int i = 0; i < n; i++)
    {
      struct epoll_event event;
      struct timespec none = { 0, 200000 };
      sigset_t set;

      spin (0.0003);
      interrupted += epoll_wait (epoll, &event, 1, 1) < 0 && errno == EINTR;
      sigemptyset (&set);
      sigaddset (&set, SIGUSR2);
      interrupted += sigtimedwait (&set, NULL, &none) < 0 && errno == EINTR;
    }
  printf ("%d interruptions\n", interrupted);
  return 0;
}

/* A child that stops itself and is continued: its parent sees both. */
static int
stop_and_go (void)
{
  pid_t child = fork ();
  int status, stopped, continued;

  if (child == 0)
    {
      spin (0.02);
      raise (SIGSTOP);
      spin (0.02);
      _exit (7);
    }
  stopped = waitpid (child, &status, WUNTRACED) == child && WIFSTOPPED (status);
  usleep (20000);
  kill (child, SIGCONT);
  continued = waitpid (child, &status, WCONTINUED) == child && WIFCONTINUED (status);
  waitpid (child, &status, 0);
  printf ("stopped %d continued %d exit %d\n", stopped, continued, WEXITSTATUS (status));
  return 0;
}

static int
fork_children (int n)
{
  int total = 0;

  for (int i = 0; i < n; i++)
    {
      pid_t child = fork ();
      int status;

      if (child == 0)
        _exit (i & 1);
      waitpid (child, &status, 0);
      total += WEXITSTATUS (status);
    }
  printf ("%d\n", total);
  return 0;
}

static int
drop_rights (double seconds)
{
  spin (seconds / 2);
  if (setgid (65534) != 0 || setuid (65534) != 0)
    return 1;
  spin (seconds / 2);
  printf ("uid %d\n", (int) getuid ());
  return 0;
}

/* Another thread than the first runs another program: it gets the first one's number. */
static void *
exec_thread (void *data)
{
  char **argv = data;

  spin (0.02);
  execv (argv[0], argv);
  return NULL;
}

static int
exec_from_thread (char **argv)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, exec_thread, argv) == 0)
    pthread_join (thread, NULL);
  return 97;
}

/* As containers do. */
static int
forbid_perf (char **argv)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

  /* Without privileges only a process that can gain none may have a filter. */
  if ((geteuid () != 0 && prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ||
      prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    {
      perror ("seccomp");
      return 99;
    }
  execvp (argv[0], argv);
  return 98;
}

int
main (int argc, char **argv)
{
  const char *mode = argc > 1 ? argv[1] : "";
  double number = argc > 2 ? atof (argv[2]) : 0;

  if (strcmp (mode, "spin") == 0)
    {
      spin (number);
      puts ("done");
      return argc > 3 ? atoi (argv[3]) : 0;
    }
  if (strcmp (mode, "work") == 0)
    return work ((long) number);
  if (strcmp (mode, "threads") == 0)
    return run_threads ((int) number, argc > 3 ? atof (argv[3]) : 0.1);
  if (strcmp (mode, "storm") == 0)
    return storm ((int) number);
  if (strcmp (mode, "signals") == 0)
    return count_signals ((int) number);
  if (strcmp (mode, "interruptions") == 0)
    return count_interruptions ((int) number);
  if (strcmp (mode, "stop") == 0)
    return stop_and_go ();
  if (strcmp (mode, "fork") == 0)
    return fork_children ((int) number);
  if (strcmp (mode, "drop") == 0)
    return drop_rights (number);
  if (strcmp (mode, "exec-thread") == 0 && argc > 2)
    return exec_from_thread (argv + 2);
  if (strcmp (mode, "no-perf") == 0 && argc > 2)
    return forbid_perf (argv + 2);
  if (strcmp (mode, "kill") == 0)
    {
      spin (0.05);
      raise (SIGTERM);
    }
  fprintf (stderr, "unknown mode “%s”\n", mode);
  return 2;
}
