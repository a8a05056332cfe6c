/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waits: wait-victim MODE starts a thread named "victim" that waits as MODE says (some take two),
 * says "ready", and goes on until its standard input closes. Modes that repeat do so each 20 ms.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t pi_mutex;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_cond_t second_condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static int word;
static int pipes[2];
static int sockets[2];
static int event = -1;

static void
fail (const char *what)
{
  perror (what);
  exit (77);
}

static void
wait_pool (void)
{
  pthread_mutex_lock (&other_mutex);
  for (;;)
    pthread_cond_wait (&condition, &other_mutex);
}

static void
wait_condition (void)
{
  pthread_mutex_lock (&other_mutex);
  for (;;)
    pthread_cond_wait (&second_condition, &other_mutex);
}

static void
wait_mutex (void)
{
  pthread_mutex_lock (&mutex);
}

static void
wait_pi_mutex (void)
{
  pthread_mutex_lock (&pi_mutex);
}

static void
wait_rwlock (void)
{
  pthread_rwlock_wrlock (&rwlock);
}

static void
wait_semaphore (void)
{
  sem_wait (&semaphore);
}

static void
wait_barrier (void)
{
  pthread_barrier_wait (&barrier);
}

static void *
sleep_long (void *data)
{
  pthread_setname_np (pthread_self (), "sleeper");
  for (;;)
    pause ();
  return data;
}

static void
wait_join (void)
{
  pthread_t thread;

  pthread_create (&thread, NULL, sleep_long, NULL);
  pthread_join (thread, NULL);
}

static void
wait_futex (void)
{
  word = 7;
  syscall (SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, NULL, NULL, 0);
}

static void
wait_raw_lock (void)
{
  word = 2;
  syscall (SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void
wait_pipe (void)
{
  char byte;

  if (read (pipes[0], &byte, 1) < 0)
    fail ("read");
}

static void
wait_full_pipe (void)
{
  static char bytes[1 << 20];

  if (write (pipes[1], bytes, sizeof bytes) < 0)
    fail ("write");
}

static void
wait_socket (void)
{
  char byte;

  if (recv (sockets[0], &byte, 1, 0) < 0)
    fail ("recv");
}

static int
open_terminal (void)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY);
  int slave;

  if (master < 0 || grantpt (master) != 0 || unlockpt (master) != 0)
    fail ("posix_openpt");
  slave = open (ptsname (master), O_RDWR | O_NOCTTY);
  if (slave < 0)
    fail ("open");
  return slave;
}

static void
wait_terminal (void)
{
  char byte;

  if (read (open_terminal (), &byte, 1) < 0)
    fail ("read");
}

static void
wait_stopped_terminal (void)
{
  int terminal = open_terminal ();

  tcflow (terminal, TCOOFF);
  while (write (terminal, "text", 4) > 0)
    ;
}

static void
wait_event (void)
{
  uint64_t value;

  if (read (eventfd (0, 0), &value, sizeof value) < 0)
    fail ("read");
}

static void
wait_poll (void)
{
  struct pollfd descriptor = { sockets[0], POLLIN, 0 };

  poll (&descriptor, 1, -1);
}

static void
wait_poll_timeout (void)
{
  struct pollfd descriptors[2] = { { sockets[0], POLLIN, 0 }, { pipes[0], POLLIN, 0 } };

  poll (descriptors, 2, 1000000);
}

static void
wait_select (void)
{
  fd_set set;

  FD_ZERO (&set);
  FD_SET (pipes[0], &set);
  select (pipes[0] + 1, &set, NULL, NULL, NULL);
}

/* Comes back to the same place whenever the main thread kicks it. */
static void
wait_loop (void)
{
  int epoll = epoll_create1 (0);
  struct epoll_event events = { .events = EPOLLIN, .data.fd = event };
  uint64_t value;

  epoll_ctl (epoll, EPOLL_CTL_ADD, event, &events);
  for (;;)
    {
      epoll_wait (epoll, &events, 1, -1);
      if (read (event, &value, sizeof value) < 0)
        fail ("read");
    }
}

static void
wait_poll_loop (void)
{
  struct pollfd descriptors[2] = { { sockets[0], POLLIN, 0 }, { event, POLLIN, 0 } };
  uint64_t value;

  for (;;)
    {
      poll (descriptors, 2, -1);
      if (read (event, &value, sizeof value) < 0)
        fail ("read");
    }
}

static void
wait_sleep (void)
{
  struct timespec long_time = { 1000000, 0 };

  nanosleep (&long_time, NULL);
}

static void
wait_poll_nothing (void)
{
  poll (NULL, 0, 1000000000);
}

static void
wait_accept (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  if (bind (listener, (struct sockaddr *) &address, sizeof address) != 0 ||
      listen (listener, 1) != 0)
    fail ("listen");
  accept (listener, NULL, NULL);
}

static void
wait_child (void)
{
  pid_t child = fork ();

  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        pause ();
    }
  waitpid (child, NULL, 0);
}

static void
wait_file_lock (void)
{
  char path[] = "/tmp/weft-wait-XXXXXX";
  int first = mkstemp (path);
  int second = open (path, O_RDWR);

  unlink (path);
  if (first < 0 || second < 0)
    fail ("mkstemp");
  flock (first, LOCK_EX);
  flock (second, LOCK_EX);
}

static void
wait_signal (void)
{
  pause ();
}

/* Memory that nobody fills. */
static void
wait_fault (void)
{
  int descriptor = (int) syscall (SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
  struct uffdio_api api = { .api = UFFD_API };
  struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
  volatile char *memory =
      mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (descriptor < 0 || ioctl (descriptor, UFFDIO_API, &api) != 0)
    fail ("userfaultfd");
  range.range.start = (unsigned long) memory;
  range.range.len = 4096;
  if (ioctl (descriptor, UFFDIO_REGISTER, &range) != 0)
    fail ("userfaultfd");
  memory[0] = 1;
}

static const struct
{
  const char *name;
  void (*wait) (void);
  int threads;
} modes[] = {
  { "pool", wait_pool, 2 },
  { "condition", wait_condition, 1 },
  { "mutex", wait_mutex, 1 },
  { "pi-mutex", wait_pi_mutex, 1 },
  { "rwlock", wait_rwlock, 1 },
  { "semaphore", wait_semaphore, 1 },
  { "barrier", wait_barrier, 2 },
  { "join", wait_join, 1 },
  { "futex", wait_futex, 1 },
  { "raw-lock", wait_raw_lock, 1 },
  { "pipe", wait_pipe, 1 },
  { "full-pipe", wait_full_pipe, 1 },
  { "socket", wait_socket, 1 },
  { "terminal", wait_terminal, 1 },
  { "stopped-terminal", wait_stopped_terminal, 1 },
  { "event", wait_event, 1 },
  { "poll", wait_poll, 1 },
  { "poll-timeout", wait_poll_timeout, 1 },
  { "select", wait_select, 1 },
  { "loop", wait_loop, 1 },
  { "poll-loop", wait_poll_loop, 1 },
  { "sleep", wait_sleep, 1 },
  { "poll-nothing", wait_poll_nothing, 1 },
  { "accept", wait_accept, 1 },
  { "child", wait_child, 1 },
  { "file-lock", wait_file_lock, 1 },
  { "signal", wait_signal, 1 },
  { "fault", wait_fault, 1 },
};

static void (*wait_now) (void);

static void *
run (void *data)
{
  pthread_setname_np (pthread_self (), "victim");
  wait_now ();
  for (;;)
    pause ();
  return data;
}

static void
prepare (void)
{
  pthread_mutexattr_t attributes;

  pthread_mutexattr_init (&attributes);
  pthread_mutexattr_setprotocol (&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init (&pi_mutex, &attributes);
  pthread_mutex_lock (&pi_mutex);
  pthread_mutex_lock (&mutex);
  pthread_rwlock_rdlock (&rwlock);
  pthread_barrier_init (&barrier, NULL, 3);
  sem_init (&semaphore, 0, 0);
  event = eventfd (0, 0);
  if (pipe (pipes) != 0 || socketpair (AF_UNIX, SOCK_STREAM, 0, sockets) != 0)
    fail ("pipe");
}

int
main (int argc, char **argv)
{
  struct pollfd input = { 0, POLLIN, 0 };
  const uint64_t one = 1;

  for (unsigned i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
    if (strcmp (argv[1], modes[i].name) == 0)
      {
        wait_now = modes[i].wait;
        prepare ();
        for (int n = 0; n < modes[i].threads; n++)
          {
            pthread_t thread;

            pthread_create (&thread, NULL, run, NULL);
          }
      }
  if (wait_now == NULL)
    return 2;
  poll (NULL, 0, 50);
  puts ("ready");
  fflush (stdout);
  while (poll (&input, 1, 20) == 0)
    if (write (event, &one, sizeof one) < 0)
      break;
  return 0;
}
