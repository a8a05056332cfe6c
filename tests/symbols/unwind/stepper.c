/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stepper.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* The next stop of whatever is traced. */
static pid_t
wait_for_stop (int *status)
{
  pid_t pid = waitpid (-1, status, __WALL);

  g_assert_cmpint (pid, >, 0);
  return pid;
}

static gboolean
is_trap_of_program (pid_t pid, int status)
{
  siginfo_t info;

  return WIFSTOPPED (status) && WSTOPSIG (status) == SIGTRAP && status >> 16 == 0 &&
         ptrace (PTRACE_GETSIGINFO, pid, NULL, &info) == 0 && info.si_code == SI_KERNEL;
}

/* The first thread that comes to its trap is the one that is followed. */
static void
run_to_trap (Stepper *self)
{
  for (;;)
    {
      int status;
      pid_t pid = wait_for_stop (&status);
      int number = WIFSTOPPED (status) ? WSTOPSIG (status) : 0;

      g_assert_false (pid == self->process && !WIFSTOPPED (status));
      if (is_trap_of_program (pid, status))
        {
          self->pid = pid;
          return;
        }
      if (number == SIGTRAP || number == SIGSTOP)
        number = 0;
      ptrace (PTRACE_CONT, pid, NULL, (gpointer) (gsize) number);
    }
}

gboolean
stepper_start (Stepper *self, const char *program, const char *argument)
{
  int status;

  memset (self, 0, sizeof *self);
  self->process = fork ();
  if (self->process == 0)
    {
      if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit (127);
      execl (program, program, argument, (char *) NULL);
      _exit (126);
    }
  g_assert_cmpint (waitpid (self->process, &status, 0), ==, self->process);
  if (WIFEXITED (status))
    {
      g_assert_cmpint (WEXITSTATUS (status), ==, 127);
      return FALSE;
    }
  ptrace (PTRACE_SETOPTIONS, self->process, NULL,
          (gpointer) (gsize) (PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE));
  ptrace (PTRACE_CONT, self->process, NULL, NULL);
  run_to_trap (self);
  return TRUE;
}

gboolean
stepper_next (Stepper *self)
{
  int number = 0;

  for (;;)
    {
      int status;

      g_assert_cmpint (ptrace (PTRACE_SINGLESTEP, self->pid, NULL, (gpointer) (gsize) number), ==,
                       0);
      g_assert_cmpint (waitpid (self->pid, &status, __WALL), ==, self->pid);
      g_assert_true (WIFSTOPPED (status));
      if (is_trap_of_program (self->pid, status))
        return FALSE;
      if (WSTOPSIG (status) == SIGTRAP)
        break;
      number = WSTOPSIG (status);
    }
  self->n_steps++;
  return TRUE;
}

void
stepper_stop (Stepper *self)
{
  int status;

  /* A process is not gone before its traced threads have been waited for. */
  kill (self->process, SIGKILL);
  while (waitpid (-1, &status, __WALL) > 0)
    ;
}

void
stepper_get_registers (Stepper *self, WeftRegisters *registers)
{
  struct user_regs_struct user;
  struct iovec place = { &user, sizeof user };

  g_assert_cmpint (ptrace (PTRACE_GETREGSET, self->pid, (gpointer) 1 /* NT_PRSTATUS */, &place), ==,
                   0);
  memset (registers, 0, sizeof *registers);
#if defined(__x86_64__)
  guint64 values[] = { user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi,
                       user.rbp, user.rsp, user.r8,  user.r9,  user.r10, user.r11,
                       user.r12, user.r13, user.r14, user.r15 };

  memcpy (registers->values, values, sizeof values);
  registers->pc = user.rip;
  registers->sp = user.rsp;
#else
  memcpy (registers->values, user.regs, sizeof user.regs);
  registers->pc = user.pc;
  registers->sp = user.sp;
#endif
}

gsize
stepper_read (guint64 address, void *buffer, gsize length, gpointer data)
{
  Stepper *self = data;
  struct iovec mine = { buffer, length };
  struct iovec theirs = { (gpointer) (gsize) address, length };
  gssize n = process_vm_readv (self->process, &mine, 1, &theirs, 1, 0);

  /* All or nothing of one piece: up to where it can be read, by pages. */
  while (n < 0 && theirs.iov_len > 4096)
    {
      theirs.iov_len = ((address + theirs.iov_len - 1) & ~(guint64) 4095) - address;
      mine.iov_len = theirs.iov_len;
      n = process_vm_readv (self->process, &mine, 1, &theirs, 1, 0);
    }
  return n < 0 ? 0 : n;
}
