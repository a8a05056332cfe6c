/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbolizer-child.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define NICENESS 10
/* Files are mapped, which counts as addresses; what is made of them is data. */
#define MAX_ADDRESSES (G_GUINT64_CONSTANT (64) << 30)
#define MAX_DATA (G_GUINT64_CONSTANT (2) << 30)
#define MAX_DESCRIPTORS 256

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED TRUE
#else
#define IS_SANITIZED FALSE
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

static void
limit (int resource, guint64 most)
{
  struct rlimit old;

  if (getrlimit (resource, &old) == 0 && (old.rlim_max == RLIM_INFINITY || most < old.rlim_max))
    setrlimit (resource, &(struct rlimit){ most, most });
}

void
weft_symbolizer_limit_time (guint seconds)
{
  struct rlimit old;
  struct rusage used;

  if (getrusage (RUSAGE_SELF, &used) != 0 || getrlimit (RLIMIT_CPU, &old) != 0)
    return;
  old.rlim_cur = MIN (old.rlim_max,
                      (rlim_t) used.ru_utime.tv_sec + (rlim_t) used.ru_stime.tv_sec + 1 + seconds);
  setrlimit (RLIMIT_CPU, &old);
}

/* Nobody's process; or at least one that gets no more rights than it has. */
static void
drop_privileges (void)
{
  /* Networks, other users' semaphores: where that is allowed. */
  unshare (CLONE_NEWIPC | CLONE_NEWNET);
  if (geteuid () == 0 && (setgroups (0, NULL) != 0 || setresgid (NOBODY, NOBODY, NOBODY) != 0 ||
                          setresuid (NOBODY, NOBODY, NOBODY) != 0))
    _exit (3);
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    _exit (3);
  /* So that no other process of this user may write into it, or it into them. */
  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

#define ALLOW(call)                                                                                \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                          \
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* All others fail, as they would for want of rights: what libraries only try does no harm. */
static void
filter_system_calls (void)
{
  static struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, arch)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    ALLOW (brk),
    ALLOW (clock_gettime),
    ALLOW (close),
    ALLOW (exit_group),
    ALLOW (fstat),
#ifdef SYS_newfstatat
    ALLOW (newfstatat),
#endif
    ALLOW (fcntl),
    ALLOW (futex),
    ALLOW (getpid),
    ALLOW (getrandom),
    ALLOW (getrusage),
    ALLOW (gettid),
    ALLOW (lseek),
    ALLOW (madvise),
    ALLOW (mmap),
    ALLOW (mprotect),
    ALLOW (mremap),
    ALLOW (munmap),
#ifdef SYS_poll
    ALLOW (poll),
#endif
    ALLOW (ppoll),
    ALLOW (pread64),
    ALLOW (prlimit64),
    ALLOW (read),
    ALLOW (recvmsg),
    ALLOW (restart_syscall),
    ALLOW (rt_sigaction),
    ALLOW (rt_sigprocmask),
    ALLOW (rt_sigreturn),
    ALLOW (sendmsg),
    ALLOW (sigaltstack),
    ALLOW (tgkill),
    ALLOW (write),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  if (ARCHITECTURE != 0)
    prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void
weft_symbolizer_confine (void)
{
  static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGXCPU };

  /* The recorder must see it crash, also where a sanitizer would catch that; and keys that a
   * terminal sends are for the recorder.
   */
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], SIG_DFL);
  setsid ();
  /* What is recorded comes first. */
  setpriority (PRIO_PROCESS, 0, NICENESS);
  drop_privileges ();
  limit (RLIMIT_CORE, 0);
  limit (RLIMIT_FSIZE, 0);
  limit (RLIMIT_NOFILE, MAX_DESCRIPTORS);
  limit (RLIMIT_NPROC, 0);
  if (!IS_SANITIZED)
    {
      limit (RLIMIT_AS, MAX_ADDRESSES);
      limit (RLIMIT_DATA, MAX_DATA);
    }
  filter_system_calls ();
}
