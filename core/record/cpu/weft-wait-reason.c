/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-wait-reason.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "weft-clock.h"

#define N_DESCRIPTORS 64
#define DESCRIPTOR_KEPT (NS_PER_SECOND / 10)
#define MAX_PATH_SHOWN 160

/* ---- Descriptors ---- */

typedef struct
{
  int descriptor; /* + 1; 0: free */
  WeftWaitDescriptorKind kind;
  gint64 expires;
  char path[MAX_PATH_SHOWN];
} Known;

struct _WeftWaitDescriptors
{
  int pid;
  Known known[N_DESCRIPTORS];
};

WeftWaitDescriptors *
weft_wait_descriptors_new (int pid)
{
  WeftWaitDescriptors *self = g_new0 (WeftWaitDescriptors, 1);

  self->pid = pid;
  return self;
}

void
weft_wait_descriptors_free (WeftWaitDescriptors *self)
{
  g_free (self);
}

static WeftWaitDescriptorKind
kind_of_anonymous (const char *path)
{
  if (strstr (path, "[eventfd]") != NULL)
    return WEFT_WAIT_DESCRIPTOR_EVENT;
  if (strstr (path, "[timerfd]") != NULL)
    return WEFT_WAIT_DESCRIPTOR_TIMER;
  if (strstr (path, "[eventpoll]") != NULL)
    return WEFT_WAIT_DESCRIPTOR_EPOLL;
  return WEFT_WAIT_DESCRIPTOR_OTHER;
}

static WeftWaitDescriptorKind
kind_of (const char *link, const char *path)
{
  struct stat st;

  if (g_str_has_prefix (path, "pipe:"))
    return WEFT_WAIT_DESCRIPTOR_PIPE;
  if (g_str_has_prefix (path, "socket:"))
    return WEFT_WAIT_DESCRIPTOR_SOCKET;
  if (g_str_has_prefix (path, "anon_inode:"))
    return kind_of_anonymous (path);
  if (stat (link, &st) != 0)
    return WEFT_WAIT_DESCRIPTOR_UNKNOWN;
  if (S_ISFIFO (st.st_mode))
    return WEFT_WAIT_DESCRIPTOR_PIPE;
  if (S_ISSOCK (st.st_mode))
    return WEFT_WAIT_DESCRIPTOR_SOCKET;
  return S_ISCHR (st.st_mode) ? WEFT_WAIT_DESCRIPTOR_DEVICE : WEFT_WAIT_DESCRIPTOR_FILE;
}

WeftWaitDescriptorKind
weft_wait_descriptors_get (WeftWaitDescriptors *self, int descriptor, const char **path)
{
  Known *known = &self->known[(guint) descriptor % N_DESCRIPTORS];
  gint64 now = weft_monotonic_now ();
  char link[64];
  ssize_t length;

  *path = known->path;
  if (known->descriptor == descriptor + 1 && known->expires > now)
    return known->kind;
  g_snprintf (link, sizeof link, "/proc/%d/fd/%d", self->pid, descriptor);
  length = readlink (link, known->path, sizeof known->path - 1);
  known->path[MAX (length, 0)] = '\0';
  known->descriptor = descriptor + 1;
  known->expires = now + DESCRIPTOR_KEPT;
  known->kind = length > 0 ? kind_of (link, known->path) : WEFT_WAIT_DESCRIPTOR_UNKNOWN;
  return known->kind;
}

/* ---- Memory ---- */

gsize
weft_wait_read_memory (int pid, guint64 address, void *buffer, gsize length)
{
  const gsize page = 4096;
  struct iovec local = { buffer, length };
  struct iovec remote[16];
  guint n = 0;
  gsize covered = 0;
  ssize_t got;

  /* The kernel gives a piece whole or not at all. */
  while (covered < length && n < G_N_ELEMENTS (remote))
    {
      gsize piece = MIN (page - (address + covered) % page, length - covered);

      remote[n++] = (struct iovec){ GSIZE_TO_POINTER ((gsize) (address + covered)), piece };
      covered += piece;
    }
  got = process_vm_readv (pid, &local, 1, remote, n, 0);
  return got > 0 ? (gsize) got : 0;
}

static gboolean
read_word (int pid, guint64 address, guint32 *word)
{
  return weft_wait_read_memory (pid, address, word, sizeof *word) == sizeof *word;
}

/* ---- The text of /proc ---- */

gboolean
weft_wait_situation_parse (WeftWaitSituation *self, const char *text)
{
  unsigned long long a[6], sp, pc;
  long long number;
  int n;

  if (g_str_has_prefix (text, "running"))
    return FALSE;
  n = sscanf (text, "%lld %llx %llx %llx %llx %llx %llx %llx %llx", &number, &a[0], &a[1], &a[2],
              &a[3], &a[4], &a[5], &sp, &pc);
  if (n == 9)
    {
      for (guint i = 0; i < 6; i++)
        self->arguments[i] = a[i];
      self->in_system_call = TRUE;
      self->system_call = number;
      self->sp = sp;
      self->pc = pc;
      return TRUE;
    }
  if (n != 3)
    return FALSE;
  self->in_system_call = FALSE;
  self->system_call = -1;
  self->sp = a[0];
  self->pc = a[1];
  return TRUE;
}

/* ---- System calls ---- */

typedef enum
{
  CLASS_OTHER,
  CLASS_FUTEX,
  CLASS_READ,
  CLASS_WRITE,
  CLASS_COPY, /* from the second descriptor to the first */
  CLASS_POLL,
  CLASS_PPOLL,
  CLASS_SELECT,
  CLASS_EPOLL,
  CLASS_EPOLL2,
  CLASS_SLEEP,
  CLASS_CONNECT,
  CLASS_CHILD,
  CLASS_MESSAGE,
  CLASS_SEMAPHORE,
  CLASS_FILE_LOCK,
  CLASS_CONTROL, /* fcntl: some commands lock */
  CLASS_SYNC,
  CLASS_PATH,
  CLASS_RINGS,
  CLASS_SIGNAL,
  CLASS_RESTART,
} Class;

typedef struct
{
  int number;
  Class class;
  const char *name;
} SystemCall;

#define CALL(name, class)                                                                          \
  {                                                                                                \
    SYS_##name, CLASS_##class, #name                                                               \
  }

/* Of this machine; those that later machines have no more are asked for. */
static const SystemCall system_calls[] = {
  CALL (futex, FUTEX),
  CALL (read, READ),
  CALL (readv, READ),
  CALL (pread64, READ),
  CALL (preadv, READ),
  CALL (preadv2, READ),
  CALL (recvfrom, READ),
  CALL (recvmsg, READ),
  CALL (recvmmsg, READ),
  CALL (getdents64, READ),
  CALL (readahead, READ),
  CALL (write, WRITE),
  CALL (writev, WRITE),
  CALL (pwrite64, WRITE),
  CALL (pwritev, WRITE),
  CALL (pwritev2, WRITE),
  CALL (sendto, WRITE),
  CALL (sendmsg, WRITE),
  CALL (sendmmsg, WRITE),
  CALL (fallocate, WRITE),
  CALL (ftruncate, WRITE),
  CALL (sendfile, COPY),
  CALL (copy_file_range, COPY),
  CALL (splice, COPY),
  CALL (ppoll, PPOLL),
  CALL (pselect6, SELECT),
  CALL (epoll_pwait, EPOLL),
  CALL (nanosleep, SLEEP),
  CALL (clock_nanosleep, SLEEP),
  CALL (connect, CONNECT),
  CALL (accept, CONNECT),
  CALL (accept4, CONNECT),
  CALL (wait4, CHILD),
  CALL (waitid, CHILD),
  CALL (msgrcv, MESSAGE),
  CALL (msgsnd, MESSAGE),
  CALL (mq_timedreceive, MESSAGE),
  CALL (mq_timedsend, MESSAGE),
  CALL (semop, SEMAPHORE),
  CALL (semtimedop, SEMAPHORE),
  CALL (flock, FILE_LOCK),
  CALL (fcntl, CONTROL),
  CALL (fsync, SYNC),
  CALL (fdatasync, SYNC),
  CALL (sync, SYNC),
  CALL (syncfs, SYNC),
  CALL (sync_file_range, SYNC),
  CALL (msync, SYNC),
  CALL (openat, PATH),
  CALL (newfstatat, PATH),
  CALL (execve, PATH),
  CALL (unlinkat, PATH),
  CALL (mkdirat, PATH),
  CALL (io_getevents, RINGS),
  CALL (io_uring_enter, RINGS),
  CALL (rt_sigtimedwait, SIGNAL),
  CALL (rt_sigsuspend, SIGNAL),
  CALL (restart_syscall, RESTART),
#ifdef SYS_epoll_pwait2
  CALL (epoll_pwait2, EPOLL2),
#endif
#ifdef SYS_futex_waitv
  CALL (futex_waitv, FUTEX),
#endif
#ifdef SYS_poll
  CALL (poll, POLL),
#endif
#ifdef SYS_select
  CALL (select, SELECT),
#endif
#ifdef SYS_epoll_wait
  CALL (epoll_wait, EPOLL),
#endif
#ifdef SYS_open
  CALL (open, PATH),
  CALL (stat, PATH),
  CALL (lstat, PATH),
  CALL (access, PATH),
  CALL (unlink, PATH),
  CALL (rename, PATH),
  CALL (mkdir, PATH),
#endif
#ifdef SYS_getdents
  CALL (getdents, READ),
#endif
#ifdef SYS_pause
  CALL (pause, SIGNAL),
#endif
#ifdef SYS_vfork
  CALL (vfork, CHILD),
#endif
};

static const SystemCall *
find_system_call (gint64 number)
{
  for (guint i = 0; i < G_N_ELEMENTS (system_calls); i++)
    if (system_calls[i].number == number)
      return &system_calls[i];
  return NULL;
}

/* ---- Futexes ---- */

/* As glibc lays a mutex out: the word, a count, and the number of the thread that holds it. */
static guint32
read_owner (int pid, guint64 address)
{
  guint32 words[3] = { 0, 0, 0 };

  if (weft_wait_read_memory (pid, address, words, sizeof words) != sizeof words)
    return 0;
  return words[2];
}

static gboolean
has_thread (int pid, guint32 tid)
{
  char path[64];

  if (tid == 0 || tid > G_MAXINT32)
    return FALSE;
  g_snprintf (path, sizeof path, "/proc/%d/task/%u", pid, tid);
  return access (path, F_OK) == 0;
}

static void
say_lock (const WeftWaitSituation *situation, WeftWaitFinding *finding, const char *what,
          guint32 owner)
{
  finding->reason = WEFT_WAIT_REASON_LOCK;
  if (!situation->over && has_thread (situation->pid, owner))
    g_snprintf (finding->detail, sizeof finding->detail, "%s held by %u", what, owner);
  else
    g_strlcpy (finding->detail, what, sizeof finding->detail);
}

/* Of those that say what they are by the function that the thread is in. */
static void
find_by_primitive (const WeftWaitSituation *situation, WeftWaitPrimitive primitive, gboolean locks,
                   WeftWaitFinding *finding)
{
  static const char *const details[] = {
    [WEFT_WAIT_PRIMITIVE_CONDITION] = "condition", [WEFT_WAIT_PRIMITIVE_SEMAPHORE] = "semaphore",
    [WEFT_WAIT_PRIMITIVE_BARRIER] = "barrier",     [WEFT_WAIT_PRIMITIVE_JOIN] = "end of thread",
    [WEFT_WAIT_PRIMITIVE_ONCE] = "initialisation",
  };
  guint64 futex = situation->arguments[0];

  if (primitive == WEFT_WAIT_PRIMITIVE_RWLOCK)
    {
      say_lock (situation, finding, "read-write lock", 0);
      return;
    }
  /* A condition's mutex is taken again after the wait for it. */
  if (primitive == WEFT_WAIT_PRIMITIVE_MUTEX ||
      (primitive == WEFT_WAIT_PRIMITIVE_CONDITION && locks))
    {
      say_lock (situation, finding, "mutex", read_owner (situation->pid, futex));
      return;
    }
  finding->reason =
      primitive == WEFT_WAIT_PRIMITIVE_ONCE ? WEFT_WAIT_REASON_LOCK : WEFT_WAIT_REASON_SEMAPHORE;
  finding->pooled =
      (primitive == WEFT_WAIT_PRIMITIVE_CONDITION || primitive == WEFT_WAIT_PRIMITIVE_SEMAPHORE) &&
      finding->endless;
  g_strlcpy (finding->detail, details[primitive], sizeof finding->detail);
}

static gboolean
is_priority_inheriting (guint operation)
{
  switch (operation)
    {
    case FUTEX_LOCK_PI:
#ifdef FUTEX_LOCK_PI2
    case FUTEX_LOCK_PI2:
#endif
      return TRUE;
    default:
      return FALSE;
    }
}

/* Of glibc's functions that it does not export, and that leave no trace of those that it does. A
 * semaphore is its value and the number of those who wait; who joins a thread waits for its number
 * to be cleared, which the kernel does for whoever can see it.
 */
static gboolean
find_in_library (const WeftWaitSituation *situation, WeftWaitFinding *finding)
{
  const guint max_waiters = 65536;
  guint64 futex = situation->arguments[0];
  gboolean is_private = (situation->arguments[1] & FUTEX_PRIVATE_FLAG) != 0;
  guint32 value = (guint32) situation->arguments[2];
  guint32 words[2] = { 0, 0 };

  if (situation->over)
    {
      words[0] = value;
      words[1] = value == 0;
    }
  else if (weft_wait_read_memory (situation->pid, futex, words, sizeof words) != sizeof words)
    return FALSE;
  if (value == 0 && words[0] == 0 && words[1] > 0 && words[1] < max_waiters)
    {
      find_by_primitive (situation, WEFT_WAIT_PRIMITIVE_SEMAPHORE, FALSE, finding);
      return TRUE;
    }
  if (is_private || words[0] != value || !(situation->over || has_thread (situation->pid, value)))
    return FALSE;
  finding->reason = WEFT_WAIT_REASON_SEMAPHORE;
  finding->thread = (int) value;
  g_snprintf (finding->detail, sizeof finding->detail, "end of thread %u", value);
  return TRUE;
}

/* Locks of glibc, GLib, Rust and many others are 0 free, 1 held, 2 held and waited for, and those
 * who wait do so for 2 to change. Of other futexes only the function tells what they are.
 */
static void
find_futex (const WeftWaitSituation *situation, WeftWaitPrimitive primitive,
            WeftWaitFinding *finding)
{
  guint64 futex = situation->arguments[0];
  guint operation = (guint) situation->arguments[1] & FUTEX_CMD_MASK;
  guint32 value = (guint32) situation->arguments[2];
  guint32 word = 0;
  gboolean locks;

  if (situation->system_call != SYS_futex)
    {
      finding->reason = WEFT_WAIT_REASON_UNKNOWN;
      g_strlcpy (finding->detail, "several futexes", sizeof finding->detail);
      return;
    }
  finding->object = futex;
  finding->endless = situation->arguments[3] == 0;
  if (is_priority_inheriting (operation))
    {
      say_lock (situation, finding, "mutex",
                read_word (situation->pid, futex, &word) ? word & FUTEX_TID_MASK : 0);
      return;
    }
  locks = operation == FUTEX_WAIT && value == 2;
  if (operation == FUTEX_WAIT_REQUEUE_PI)
    primitive = WEFT_WAIT_PRIMITIVE_CONDITION;
  if (primitive > WEFT_WAIT_PRIMITIVE_LIBRARY)
    find_by_primitive (situation, primitive, locks, finding);
  else if (primitive == WEFT_WAIT_PRIMITIVE_LIBRARY && operation == FUTEX_WAIT_BITSET &&
           find_in_library (situation, finding))
    return;
  else if (value == 2 &&
           (situation->over || (read_word (situation->pid, futex, &word) && word == 2)))
    say_lock (situation, finding, "lock", read_owner (situation->pid, futex));
  else
    {
      finding->reason = WEFT_WAIT_REASON_UNKNOWN;
      g_strlcpy (finding->detail, "futex", sizeof finding->detail);
    }
}

/* ---- Descriptors as what is waited for ---- */

static WeftWaitReason
reason_of (WeftWaitDescriptorKind kind, gboolean writes)
{
  switch (kind)
    {
    case WEFT_WAIT_DESCRIPTOR_PIPE:
    case WEFT_WAIT_DESCRIPTOR_SOCKET:
    case WEFT_WAIT_DESCRIPTOR_EVENT:
      return WEFT_WAIT_REASON_IPC;
    case WEFT_WAIT_DESCRIPTOR_TIMER:
      return WEFT_WAIT_REASON_SLEEP;
    case WEFT_WAIT_DESCRIPTOR_FILE:
    case WEFT_WAIT_DESCRIPTOR_DEVICE:
      return writes ? WEFT_WAIT_REASON_IO_WRITE : WEFT_WAIT_REASON_IO_READ;
    case WEFT_WAIT_DESCRIPTOR_UNKNOWN:
      return WEFT_WAIT_REASON_UNKNOWN;
    default:
      return WEFT_WAIT_REASON_OTHER;
    }
}

static void
find_descriptor (WeftWaitDescriptors *descriptors, int descriptor, gboolean writes,
                 WeftWaitFinding *finding)
{
  const char *path;
  WeftWaitDescriptorKind kind = weft_wait_descriptors_get (descriptors, descriptor, &path);

  finding->object = (guint64) descriptor;
  finding->reason = reason_of (kind, writes);
  g_strlcpy (finding->detail, path, sizeof finding->detail);
}

/* ---- Readiness ---- */

/* COUNT descriptors, of which FIRST is one. One that other processes write to is waited for as
 * such; several, or what wakes a loop, may be a loop that waits for work.
 */
static void
find_readiness (WeftWaitDescriptors *descriptors, guint64 count, int first, gboolean endless,
                WeftWaitFinding *finding)
{
  const char *path = "";
  WeftWaitDescriptorKind kind = WEFT_WAIT_DESCRIPTOR_OTHER;

  finding->endless = endless;
  if (count == 0)
    {
      finding->reason = endless ? WEFT_WAIT_REASON_OTHER : WEFT_WAIT_REASON_SLEEP;
      return;
    }
  finding->reason = WEFT_WAIT_REASON_READINESS;
  if (count == 1)
    {
      kind = weft_wait_descriptors_get (descriptors, first, &path);
      finding->object = (guint64) first;
      g_strlcpy (finding->detail, path, sizeof finding->detail);
    }
  else
    g_snprintf (finding->detail, sizeof finding->detail, "%" G_GUINT64_FORMAT " descriptors",
                count);
  finding->looping = endless && (count > 1 || kind == WEFT_WAIT_DESCRIPTOR_EVENT);
}

static void
find_poll (const WeftWaitSituation *situation, WeftWaitDescriptors *descriptors, gboolean endless,
           WeftWaitFinding *finding)
{
  struct pollfd first = { .fd = -1 };

  weft_wait_read_memory (situation->pid, situation->arguments[0], &first, sizeof first);
  find_readiness (descriptors, situation->arguments[1], first.fd, endless, finding);
}

/* How many descriptors the three sets of a select have, and one of them. */
static guint64
count_selected (const WeftWaitSituation *situation, int *first)
{
  guint64 n = MIN (situation->arguments[0], 1024);
  guint64 count = 0;

  for (guint set = 1; set <= 3; set++)
    {
      guint8 bits[128] = { 0 };

      if (situation->arguments[set] == 0)
        continue;
      weft_wait_read_memory (situation->pid, situation->arguments[set], bits, (n + 7) / 8);
      for (guint i = 0; i < n; i++)
        if (bits[i / 8] & 1u << i % 8)
          {
            *first = (int) i;
            count++;
          }
    }
  return count;
}

static void
find_select (const WeftWaitSituation *situation, WeftWaitDescriptors *descriptors,
             WeftWaitFinding *finding)
{
  int first = -1;
  guint64 count = count_selected (situation, &first);

  find_readiness (descriptors, count, first, situation->arguments[4] == 0, finding);
}

static void
find_epoll (const WeftWaitSituation *situation, gboolean endless, WeftWaitFinding *finding)
{
  finding->reason = WEFT_WAIT_REASON_READINESS;
  finding->object = situation->arguments[0];
  finding->endless = endless;
  finding->looping = endless;
  g_strlcpy (finding->detail, "epoll", sizeof finding->detail);
}

/* ---- Outside of a system call ---- */

/* A thread that is stopped stands in state T or t. */
static void
find_fault (const WeftWaitSituation *situation, WeftWaitFinding *finding)
{
  char path[64];
  g_autofree char *stat = NULL;
  const char *state = NULL;

  g_snprintf (path, sizeof path, "/proc/%d/task/%d/stat", situation->pid, situation->tid);
  if (g_file_get_contents (path, &stat, NULL, NULL))
    state = strrchr (stat, ')');
  if (state != NULL && (state[2] == 'T' || state[2] == 't'))
    {
      finding->reason = WEFT_WAIT_REASON_OTHER;
      g_strlcpy (finding->detail, "stopped", sizeof finding->detail);
      return;
    }
  finding->reason = WEFT_WAIT_REASON_PAGE_FAULT;
}

/* ---- All together ---- */

static void
find_by_class (const WeftWaitSituation *situation, const SystemCall *call,
               WeftWaitPrimitive primitive, WeftWaitDescriptors *descriptors,
               WeftWaitFinding *finding)
{
  const guint64 *arguments = situation->arguments;

  switch (call->class)
    {
    case CLASS_FUTEX:
      find_futex (situation, primitive, finding);
      break;
    case CLASS_READ:
      find_descriptor (descriptors, (int) arguments[0], FALSE, finding);
      break;
    case CLASS_WRITE:
    case CLASS_SYNC:
      find_descriptor (descriptors, (int) arguments[0], TRUE, finding);
      break;
    case CLASS_COPY:
      find_descriptor (descriptors, (int) arguments[call->number == SYS_splice ? 2 : 0], TRUE,
                       finding);
      break;
    case CLASS_POLL:
      find_poll (situation, descriptors, (gint32) arguments[2] < 0, finding);
      break;
    case CLASS_PPOLL:
      find_poll (situation, descriptors, arguments[2] == 0, finding);
      break;
    case CLASS_SELECT:
      find_select (situation, descriptors, finding);
      break;
    case CLASS_EPOLL:
      find_epoll (situation, (gint32) arguments[3] < 0, finding);
      break;
    case CLASS_EPOLL2:
      find_epoll (situation, arguments[3] == 0, finding);
      break;
    case CLASS_CONNECT:
      find_descriptor (descriptors, (int) arguments[0], FALSE, finding);
      finding->reason = WEFT_WAIT_REASON_CONNECT;
      break;
    case CLASS_FILE_LOCK:
      find_descriptor (descriptors, (int) arguments[0], FALSE, finding);
      finding->reason = WEFT_WAIT_REASON_LOCK;
      break;
    case CLASS_CONTROL:
      find_descriptor (descriptors, (int) arguments[0], FALSE, finding);
      finding->reason = (int) arguments[1] == F_SETLKW || (int) arguments[1] == F_OFD_SETLKW
                            ? WEFT_WAIT_REASON_LOCK
                            : WEFT_WAIT_REASON_OTHER;
      break;
    default:
      break;
    }
}

static const WeftWaitReason class_reasons[] = {
  [CLASS_OTHER] = WEFT_WAIT_REASON_OTHER,         [CLASS_SLEEP] = WEFT_WAIT_REASON_SLEEP,
  [CLASS_CHILD] = WEFT_WAIT_REASON_IPC,           [CLASS_MESSAGE] = WEFT_WAIT_REASON_IPC,
  [CLASS_SEMAPHORE] = WEFT_WAIT_REASON_SEMAPHORE, [CLASS_PATH] = WEFT_WAIT_REASON_IO_READ,
  [CLASS_RINGS] = WEFT_WAIT_REASON_READINESS,     [CLASS_SIGNAL] = WEFT_WAIT_REASON_OTHER,
  [CLASS_RESTART] = WEFT_WAIT_REASON_UNKNOWN,
};

/* What is read and written by whole paths, or by no descriptor at all. */
static gboolean
has_descriptor (const SystemCall *call)
{
  return call->number != SYS_sync && call->number != SYS_msync;
}

void
weft_wait_reason_find (const WeftWaitSituation *situation, WeftWaitPrimitive primitive,
                       WeftWaitDescriptors *descriptors, WeftWaitFinding *finding)
{
  const SystemCall *call;

  memset (finding, 0, sizeof *finding);
  finding->reason = WEFT_WAIT_REASON_OTHER;
  if (!situation->in_system_call)
    {
      find_fault (situation, finding);
      return;
    }
  call = find_system_call (situation->system_call);
  if (call == NULL)
    return;
  if (!has_descriptor (call))
    finding->reason = WEFT_WAIT_REASON_IO_WRITE;
  else if (call->class < G_N_ELEMENTS (class_reasons) &&
           (class_reasons[call->class] != 0 || call->class == CLASS_RESTART))
    finding->reason = class_reasons[call->class];
  if (has_descriptor (call))
    find_by_class (situation, call, primitive, descriptors, finding);
  finding->child = call->class == CLASS_CHILD;
  if (finding->detail[0] == '\0')
    g_strlcpy (finding->detail, call->name, sizeof finding->detail);
}
