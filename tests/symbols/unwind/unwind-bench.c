/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unwinding a stack costs, beside libdw on the same copies.
 *
 *   unwind-bench [PROGRAM [ARGUMENT…]]
 *
 * The program (python3, if none is given) is stopped some hundred times, and its registers and 16
 * KiB of its stack are copied; then all copies are unwound over and over. Prints lines NAME VALUE
 * UNIT.
 */

#include <elfutils/libdwfl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stepper.h"

#define N_STACKS 300
#define COPIED 16384
#define MAX_FRAMES 1024

typedef struct
{
  WeftRegisters registers;
  guint8 *bytes;
  gsize length;
} Copy;

typedef struct
{
  Stepper stepper;
  Copy copies[N_STACKS];
  guint n_copies;
  const Copy *current; /* what libdw reads */
  guint n_theirs;
} Bench;

static const char *const python[] = { "/usr/bin/python3", "-c",
                                      "def f(n):\n"
                                      "  return sorted(map(lambda x: -x, range(40)), key=lambda x: "
                                      "x * n)[0] if n < 2 else f(n - 1) + f(n - 2)\n"
                                      "while True: f(18)\n",
                                      NULL };

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static void
start (Bench *self, char *const *arguments)
{
  int status;

  self->stepper.pid = self->stepper.process = fork ();
  if (self->stepper.pid == 0)
    {
      ptrace (PTRACE_TRACEME, 0, NULL, NULL);
      if (freopen ("/dev/null", "w", stdout) == NULL)
        _exit (126);
      execv (arguments[0], arguments);
      _exit (127);
    }
  waitpid (self->stepper.pid, &status, 0);
  if (!WIFSTOPPED (status))
    g_error ("%s cannot be traced here", arguments[0]);
  ptrace (PTRACE_SETOPTIONS, self->stepper.pid, NULL, (gpointer) (gsize) PTRACE_O_EXITKILL);
}

/* FALSE if the program has ended. */
static gboolean
stop_after (Bench *self, guint microseconds)
{
  int status;

  ptrace (PTRACE_CONT, self->stepper.pid, NULL, NULL);
  g_usleep (microseconds);
  kill (self->stepper.pid, SIGSTOP);
  do
    {
      waitpid (self->stepper.pid, &status, 0);
      if (!WIFSTOPPED (status))
        return FALSE;
      if (WSTOPSIG (status) != SIGSTOP)
        ptrace (PTRACE_CONT, self->stepper.pid, NULL, (gpointer) (gsize) WSTOPSIG (status));
    }
  while (WSTOPSIG (status) != SIGSTOP);
  return TRUE;
}

static void
copy_stacks (Bench *self)
{
  if (!stop_after (self, 300000))
    g_error ("the program ended at once");
  for (; self->n_copies < N_STACKS; self->n_copies++)
    {
      Copy *copy = &self->copies[self->n_copies];

      stepper_get_registers (&self->stepper, &copy->registers);
      copy->bytes = g_malloc (COPIED);
      copy->length = stepper_read (copy->registers.sp, copy->bytes, COPIED, &self->stepper);
      if (self->n_copies + 1 < N_STACKS && !stop_after (self, 1000))
        g_error ("the program ended after %u stacks", self->n_copies + 1);
    }
}

/* Ours */

typedef struct
{
  guint n_complete;
  guint64 n_frames;
} Sum;

static void
unwind_all (Bench *self, WeftAddressSpace *space, Sum *sum)
{
  static WeftCodeFrame frames[MAX_FRAMES];

  *sum = (Sum){ 0 };
  for (guint i = 0; i < self->n_copies; i++)
    {
      const Copy *copy = &self->copies[i];
      WeftStackCopy stack = { copy->registers.sp, copy->bytes, copy->length, NULL, NULL };
      WeftStackEnd end;

      sum->n_frames +=
          weft_unwind (space, &copy->registers, &stack, frames, MAX_FRAMES, &end, NULL);
      sum->n_complete += end == WEFT_STACK_END_COMPLETE;
    }
}

static void
measure_ours (Bench *self)
{
  WeftModuleSet *modules = weft_module_set_new ();
  WeftAddressSpace *space = weft_address_space_new ();
  double begin = now ();
  double first, best = G_MAXDOUBLE;
  Sum sum;

  g_assert_true (weft_address_space_read (space, modules, self->stepper.pid, NULL, NULL));
  unwind_all (self, space, &sum);
  first = now () - begin;
  for (guint round = 0; round < 50; round++)
    {
      begin = now ();
      unwind_all (self, space, &sum);
      best = MIN (best, now () - begin);
    }
  printf ("unwind-stack %.0f ns\n", best / self->n_copies);
  printf ("unwind-frame %.1f ns\n", best / (double) sum.n_frames);
  printf ("unwind-frames %.1f count\n", (double) sum.n_frames / self->n_copies);
  printf ("unwind-complete %.1f %%\n", 100.0 * sum.n_complete / self->n_copies);
  printf ("unwind-first %.2f ms\n", first / 1e6);
  weft_address_space_free (space);
  weft_module_set_free (modules);
}

/* libdw */

static pid_t
next_thread (Dwfl *dwfl, void *data, void **thread)
{
  Bench *self = data;

  if (*thread != NULL)
    return 0;
  *thread = data;
  return self->stepper.pid;
}

static bool
get_thread (Dwfl *dwfl, pid_t tid, void *data, void **thread)
{
  *thread = data;
  return true;
}

static bool
read_memory (Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *value, void *data)
{
  const Copy *copy = ((Bench *) data)->current;
  guint64 offset = address - copy->registers.sp;

  if (offset + sizeof *value > copy->length || offset > copy->length)
    return false;
  memcpy (value, copy->bytes + offset, sizeof *value);
  return true;
}

static bool
set_registers (Dwfl_Thread *thread, void *data)
{
  const WeftRegisters *registers = &((Bench *) data)->current->registers;
  Dwarf_Word values[17];

  memcpy (values, registers->values, sizeof values);
  values[16] = registers->pc;
  dwfl_thread_state_register_pc (thread, registers->pc);
  return dwfl_thread_state_registers (thread, 0, 17, values);
}

static const Dwfl_Thread_Callbacks thread_callbacks = { .next_thread = next_thread,
                                                        .get_thread = get_thread,
                                                        .memory_read = read_memory,
                                                        .set_initial_registers = set_registers };

static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_linux_proc_find_elf,
                                          .find_debuginfo = dwfl_standard_find_debuginfo };

static int
take_frame (Dwfl_Frame *frame, void *data)
{
  Dwarf_Addr pc;

  ((Bench *) data)->n_theirs++;
  return dwfl_frame_pc (frame, &pc, NULL) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static void
measure_libdw (Bench *self)
{
  Dwfl *dwfl = dwfl_begin (&callbacks);
  double begin, best = G_MAXDOUBLE;

  dwfl_linux_proc_report (dwfl, self->stepper.pid);
  dwfl_report_end (dwfl, NULL, NULL);
  if (!dwfl_attach_state (dwfl, NULL, self->stepper.pid, &thread_callbacks, self))
    g_error ("libdw: %s", dwfl_errmsg (-1));
  for (guint round = 0; round < 4; round++)
    {
      begin = now ();
      self->n_theirs = 0;
      for (guint i = 0; i < self->n_copies; i++)
        {
          self->current = &self->copies[i];
          dwfl_getthread_frames (dwfl, self->stepper.pid, take_frame, self);
        }
      best = MIN (best, now () - begin);
    }
  printf ("libdw.unwind-stack %.0f ns\n", best / self->n_copies);
  printf ("libdw.unwind-frame %.1f ns\n", best / self->n_theirs);
  printf ("libdw.unwind-frames %.1f count\n", (double) self->n_theirs / self->n_copies);
  dwfl_end (dwfl);
}

int
main (int argc, char **argv)
{
  static Bench bench;

  start (&bench, argc > 1 ? argv + 1 : (char *const *) (gconstpointer) python);
  copy_stacks (&bench);
  measure_ours (&bench);
  measure_libdw (&bench);
  stepper_stop (&bench.stepper);
  for (guint i = 0; i < bench.n_copies; i++)
    g_free (bench.copies[i].bytes);
  return 0;
}
