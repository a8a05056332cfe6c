/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* weft-threadpool.h while nobody listens. */

#define WEFT_THREADPOOL_IMPLEMENTATION
#include "test-case.h"
#include "weft-threadpool.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ROUNDS 200000

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("job");

static void
forbid_system_calls (void)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP ("no seccomp filters here");
}

static void
tell_everything (WeftThreadpool *pool, WeftThreadpoolWorker *worker)
{
  WeftThreadpoolItem item;

  weft_threadpool_worker_start (worker);
  weft_threadpool_enqueue (&item, pool, &routine, NULL, 5);
  weft_threadpool_place (&item, worker);
  weft_threadpool_steal (&item, worker);
  weft_threadpool_run_begin (&item, worker);
  weft_threadpool_wait_begin (pool, 0, 5);
  weft_threadpool_wait_end (pool, 0, 5);
  weft_threadpool_run_end (&item);
  weft_threadpool_enqueue (&item, pool, &routine, worker, 0);
  weft_threadpool_cancel (&item, "not wanted");
  weft_threadpool_run_failed (&item, NULL);
  weft_threadpool_worker_stop (worker);
}

/* A system call would kill, and memory for an allocation in each round would be one. */
static void
off_is_free (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftThreadpool *pool = weft_threadpool_new (NULL, 0);
  WeftThreadpoolWorker *worker = weft_threadpool_worker_new (pool, 0);

  CHECK (recorder->gate->active == 0 && !weft_target_enabled ());
  forbid_system_calls ();
  for (int i = 0; i < ROUNDS; i++)
    tell_everything (pool, worker);
  syscall (SYS_exit_group, worker->is_active == 0 && pool->n_pending == 0 ? 0 : 1);
}

static const TestCase cases[] = {
  { "/threadpool/off-is-free", off_is_free },
};

TEST_MAIN (cases)
