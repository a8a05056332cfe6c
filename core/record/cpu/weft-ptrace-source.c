/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ptrace-source-private.h"

#include <elf.h>
#include <errno.h>
#include <gio/gio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-process-info.h"
#include "weft-process-tree.h"

#define MILLISECOND (NS_PER_SECOND / 1000)
#define TRACE_OPTIONS                                                                              \
  (PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)
#define ATTACH_ROUNDS 100
#define MAX_WEIGHT (100 * MILLISECOND)
#define LOOK_SHARE 30          /* thousandths of one CPU for looking who runs */
#define INITIAL_LOOK_COST 3000 /* ns */
#define LET_GO_TIME (500 * MILLISECOND)
#define RESUME_COST 5000 /* ns that a stop costs besides our part: two switches */

static long
trace (int request, int tid, gulong data)
{
  return ptrace (request, tid, NULL, data);
}

/* ---- Registers ---- */

typedef struct user_regs_struct Registers;

static gboolean
read_registers (int tid, Registers *registers)
{
  struct iovec io = { registers, sizeof *registers };

  return ptrace (PTRACE_GETREGSET, tid, (gpointer) NT_PRSTATUS, &io) == 0 &&
         io.iov_len == sizeof *registers;
}

#if defined(__x86_64__)
static void
translate_registers (const Registers *from, WeftRegisters *to)
{
  const guint64 values[] = { from->rax, from->rdx, from->rcx, from->rbx, from->rsi, from->rdi,
                             from->rbp, from->rsp, from->r8,  from->r9,  from->r10, from->r11,
                             from->r12, from->r13, from->r14, from->r15 };

  *to = (WeftRegisters){ .pc = from->rip, .sp = from->rsp };
  memcpy (to->values, values, sizeof values);
}

/* A 32-bit program's stack is not read. */
static gboolean
is_readable (const Registers *registers)
{
  return registers->cs == 0x33;
}

/* Whether a signal waits for it that it wants. */
static gboolean
has_signal (int tid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", tid);
  g_autofree char *text = NULL;
  const char *names[] = { "\nSigPnd:", "\nShdPnd:", "\nSigBlk:" };
  guint64 sets[3] = { 0 };

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *found = strstr (text, names[i]);

      if (found != NULL)
        sets[i] = g_ascii_strtoull (found + strlen (names[i]), NULL, 16);
    }
  return ((sets[0] | sets[1]) & ~sets[2]) != 0;
}

/* A call that is interrupted by nothing but us must not tell the program so: it is made again. */
static void
restart_call (int tid, Registers *registers)
{
  struct iovec io = { registers, sizeof *registers };

  if ((gint64) registers->rax != -EINTR || (gint64) registers->orig_rax < 0 || has_signal (tid))
    return;
  registers->rax = registers->orig_rax;
  registers->rip -= 2; /* of the instruction that made the call */
  ptrace (PTRACE_SETREGSET, tid, (gpointer) NT_PRSTATUS, &io);
}
#elif defined(__aarch64__)
static void
translate_registers (const Registers *from, WeftRegisters *to)
{
  *to = (WeftRegisters){ .pc = from->pc, .sp = from->sp };
  memcpy (to->values, from->regs, sizeof from->regs);
  to->values[31] = from->sp;
}

static gboolean
is_readable (const Registers *registers)
{
  return TRUE;
}

/* What the call was is not told any more: the program may see that it was interrupted. */
static void
restart_call (int tid, Registers *registers)
{
}
#endif

/* ---- A sample ---- */

static gsize
read_more (guint64 address, void *buffer, gsize length, gpointer data)
{
  return weft_ptrace_read_memory (data, address, buffer, length);
}

#define UNKNOWN_CPU G_MAXUINT16

/* The kernel keeps the number of the CPU in the memory of programs that ask for it, as glibc does.
 */
static guint
read_cpu (WeftTracedThread *thread)
{
  struct __ptrace_rseq_configuration place = { 0 };
  guint32 cpu;

  /* Threads ask for it a moment after they have begun. */
  if (thread->cpu_address == 0 &&
      ptrace (PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, (gpointer) sizeof place, &place) > 0)
    thread->cpu_address = place.rseq_abi_pointer;
  if (thread->cpu_address == 0 || weft_ptrace_read_memory (thread->process, thread->cpu_address,
                                                           &cpu, sizeof cpu) != sizeof cpu)
    return UNKNOWN_CPU;
  return MIN (cpu, UNKNOWN_CPU);
}

static void
tell_running (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now, guint cpu)
{
  if (thread->is_waiting && !self->no_waits)
    weft_cpu_tracker_switch_in (self->tracker, now, thread->process->pid, thread->tid, cpu);
  thread->is_waiting = FALSE;
}

/* Where that is not allowed, it stays anywhere. */
static void
choose_place (WeftPtraceSource *self, guint cpu, gint64 away, gint64 done)
{
  guint before = self->place.cpu;
  guint place = weft_ptrace_place_note (&self->place, cpu, away, done);
  cpu_set_t only;

  if (place == before)
    return;
  CPU_ZERO (&only);
  if (place < CPU_SETSIZE)
    CPU_SET (place, &only);
  if (place == WEFT_PTRACE_ANYWHERE || place >= CPU_SETSIZE ||
      sched_setaffinity (0, sizeof only, &only) != 0)
    sched_setaffinity (0, sizeof self->anywhere, &self->anywhere);
}

/* It stands still because it was asked to. */
static void
take_sample (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now)
{
  Registers registers;
  WeftRegisters translated;
  WeftCpuSample sample = { .time = now,
                           .pid = thread->process->pid,
                           .tid = thread->tid,
                           .weight = thread->weight,
                           .marks = WEFT_CPU_MARK_APPROXIMATE };
  gint64 let_go;

  if (!read_registers (thread->tid, &registers))
    return;
  sample.cpu = read_cpu (thread);
  weft_ptrace_take_runtime (thread, &sample.weight);
  if (is_readable (&registers))
    {
      translate_registers (&registers, &translated);
      weft_ptrace_update_mappings (self, thread->process, translated.pc, now);
      sample.registers = &translated;
      sample.stack = self->stack;
      sample.stack_length =
          weft_ptrace_read_memory (thread->process, translated.sp, self->stack, self->stack_bytes);
      sample.more = read_more;
      sample.more_data = thread->process;
    }
  restart_call (thread->tid, &registers);
  trace (PTRACE_CONT, thread->tid, 0);
  let_go = weft_monotonic_now ();
  self->stopped += (guint64) (let_go - now) + RESUME_COST;
  self->n_samples++;
  tell_running (self, thread, now, sample.cpu);
  weft_cpu_tracker_sample (self->tracker, &sample);
  if (sample.cpu != UNKNOWN_CPU)
    choose_place (self, sample.cpu, let_go - thread->looked,
                  weft_monotonic_now () - thread->looked);
}

/* ---- Stops ---- */

/* TID is traced, by its parent's events or its own first stop, whichever came first. */
static WeftTracedThread *
welcome (WeftPtraceSource *self, int tid, gint64 now)
{
  WeftTracedThread *thread = weft_ptrace_find_thread (self, tid);
  int parent = 0;
  int pid;

  if (thread != NULL)
    return thread;
  pid = weft_ptrace_find_process (tid, &parent);
  if (pid == 0)
    return NULL;
  thread = weft_ptrace_add_thread (self, pid, tid, now);
  thread->is_waiting = TRUE;
  weft_cpu_tracker_start (self->tracker, now, pid, tid, pid == tid ? parent : pid,
                          pid == tid ? parent : pid);
  return thread;
}

static void
say_goodbye (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now)
{
  weft_cpu_tracker_exit (self->tracker, now, thread->process->pid, thread->tid);
  weft_ptrace_remove_thread (self, thread);
}

/* The kernel takes the rights of set-uid programs away while somebody without them traces. */
static void
check_rights (WeftPtraceSource *self, int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/exe", pid);
  struct stat st;

  if (geteuid () == 0 || stat (path, &st) != 0 || !(st.st_mode & (S_ISUID | S_ISGID)) ||
      st.st_uid == geteuid ())
    return;
  g_ptr_array_add (
      self->notes,
      weft_cpu_note_new (
          WEFT_SEVERITY_WARNING, "sampler-rights",
          g_strdup_printf ("Process %d began a program with other rights (set-uid), and did not "
                           "get them, because it is traced. Record it with --cpu off, or as root.",
                           pid)));
}

/* All other threads are gone, and the one that goes on has the number of the first. */
static void
on_exec (WeftPtraceSource *self, int tid, gint64 now)
{
  gulong former = (gulong) tid;
  guint64 before; /* is not the new program's */
  WeftTracedThread *thread;

  ptrace (PTRACE_GETEVENTMSG, tid, NULL, &former);
  if ((int) former != tid && (thread = weft_ptrace_find_thread (self, (int) former)) != NULL)
    say_goodbye (self, thread, now);
  thread = welcome (self, tid, now);
  if (thread == NULL)
    return;
  thread->is_asked = FALSE;
  thread->is_held = FALSE;
  weft_ptrace_begin_program (self, thread, now);
  weft_ptrace_take_runtime (thread, &before);
  tell_running (self, thread, now, UNKNOWN_CPU);
  check_rights (self, thread->process->pid);
}

static void
on_child (WeftPtraceSource *self, int parent, gint64 now)
{
  gulong child = 0;

  if (ptrace (PTRACE_GETEVENTMSG, parent, NULL, &child) == 0 && child != 0)
    welcome (self, (int) child, now);
}

static gboolean
is_stop_signal (int signal_number)
{
  return signal_number == SIGSTOP || signal_number == SIGTSTP || signal_number == SIGTTIN ||
         signal_number == SIGTTOU;
}

static void
on_trap (WeftPtraceSource *self, int tid, int signal_number, gint64 now)
{
  WeftTracedThread *thread = welcome (self, tid, now);

  if (thread == NULL)
    {
      trace (PTRACE_CONT, tid, 0);
      return;
    }
  thread->is_group_stopped = is_stop_signal (signal_number);
  if (thread->is_group_stopped)
    trace (PTRACE_LISTEN, tid, 0);
  else if (thread->is_asked)
    take_sample (self, thread, now);
  else
    trace (PTRACE_CONT, tid, 0);
  thread->is_asked = FALSE;
}

static void
on_stop (WeftPtraceSource *self, int tid, int status, gint64 now)
{
  int signal_number = WSTOPSIG (status);

  switch (status >> 16)
    {
    case PTRACE_EVENT_STOP:
      on_trap (self, tid, signal_number, now);
      return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      on_child (self, tid, now);
      break;
    case PTRACE_EVENT_EXEC:
      on_exec (self, tid, now);
      break;
    case 0:
      trace (PTRACE_CONT, tid, (gulong) signal_number);
      return;
    default:
      break;
    }
  trace (PTRACE_CONT, tid, 0);
  self->stopped += (guint64) (weft_monotonic_now () - now) + RESUME_COST;
}

static void
on_news (WeftPtraceSource *self, int tid, int status)
{
  gint64 now = weft_monotonic_now ();
  WeftTracedThread *thread;

  if (WIFSTOPPED (status))
    {
      on_stop (self, tid, status, now);
      return;
    }
  if (self->program != NULL && tid == weft_program_get_pid (self->program))
    weft_program_tell_ended (self->program, status);
  thread = weft_ptrace_find_thread (self, tid);
  if (thread != NULL)
    say_goodbye (self, thread, now);
}

/* ---- Looks ---- */

static void
look_at (WeftPtraceSource *self, WeftTracedThread *thread, gint64 now)
{
  WeftTracedState state = weft_ptrace_look (thread);

  if (state == WEFT_TRACED_RUNNING && !thread->is_asked)
    {
      thread->weight = (guint64) CLAMP (now - thread->looked, 0, MAX_WEIGHT);
      thread->is_asked = trace (PTRACE_INTERRUPT, thread->tid, 0) == 0;
    }
  else if (state == WEFT_TRACED_WAITING && !thread->is_waiting)
    {
      thread->is_waiting = TRUE;
      if (!self->no_waits)
        weft_cpu_tracker_switch_out (self->tracker, now, thread->process->pid, thread->tid, FALSE,
                                     0, NULL);
    }
  thread->looked = now;
  if (state == WEFT_TRACED_GONE && errno == ESRCH && !thread->is_asked)
    say_goodbye (self, thread, now);
}

/* As many as may be looked at in one period; where there are more, each is looked at less often,
 * and its samples weigh more.
 */
static void
look_around (WeftPtraceSource *self, gint64 now)
{
  guint n_most = (guint) MAX (self->period * LOOK_SHARE / 1000 / MAX (self->look_cost, 1), 1);
  guint n = MIN (n_most, self->order->len);
  gint64 begin = weft_clock_now (CLOCK_THREAD_CPUTIME_ID);

  for (guint i = 0; i < n && self->order->len > 0; i++)
    {
      int tid = g_array_index (self->order, int, self->next++ % self->order->len);
      WeftTracedThread *thread = weft_ptrace_find_thread (self, tid);

      if (!thread->is_group_stopped && !thread->is_held)
        look_at (self, thread, now);
    }
  if (n > 0)
    self->look_cost =
        (7 * self->look_cost + (weft_clock_now (CLOCK_THREAD_CPUTIME_ID) - begin) / n) / 8;
}

/* The timer's signal ends a wait for news. */
void
weft_ptrace_source_run (WeftPtraceSource *self, gint64 until)
{
  const struct timespec period = { 0, self->period };

  for (;;)
    {
      gint64 now;
      int status;
      int tid = waitpid (-1, &status, __WALL | __WNOTHREAD);

      if (tid > 0)
        on_news (self, tid, status);
      else if (errno == ECHILD)
        nanosleep (&period, NULL);
      now = weft_monotonic_now ();
      if (now < self->due)
        continue;
      look_around (self, now);
      self->due = MAX (self->due + self->period, now);
      if (now >= until)
        return;
    }
}

/* ---- Begin ---- */

static void
on_timer (int signal_number)
{
}

/* The handler stays: a signal that is on its way must not end the process. */
static int
claim_signal (void)
{
  static gsize claimed;

  if (g_once_init_enter (&claimed))
    {
      struct sigaction action = { .sa_handler = on_timer };
      struct sigaction old;
      int found = SIGRTMAX;

      for (int i = SIGRTMAX; i > SIGRTMIN; i--)
        if (sigaction (i, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
          {
            found = i;
            break;
          }
      sigaction (found, &action, NULL);
      g_once_init_leave (&claimed, (gsize) found);
    }
  return (int) claimed;
}

static void
start_timer (WeftPtraceSource *self)
{
  struct itimerspec when = { { 0, self->period }, { 0, self->period } };
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = claim_signal () };
  sigset_t all;

  /* What a thread blocks is not ignored: each stop would wake another thread of the recorder. */
  sigfillset (&all);
  sigdelset (&all, SIGCHLD);
  sigdelset (&all, event.sigev_signo);
  pthread_sigmask (SIG_SETMASK, &all, NULL);
  event._sigev_un._tid = (int) syscall (SYS_gettid);
  self->has_timer = timer_create (CLOCK_MONOTONIC, &event, &self->timer) == 0;
  if (self->has_timer)
    timer_settime (self->timer, 0, &when, NULL);
  self->due = weft_monotonic_now ();
  weft_ptrace_place_init (&self->place);
  if (sched_getaffinity (0, sizeof self->anywhere, &self->anywhere) != 0)
    memset (&self->anywhere, 0xff, sizeof self->anywhere);
}

static gboolean
is_set_uid (const char *path)
{
  struct stat st;

  return path != NULL && geteuid () != 0 && stat (path, &st) == 0 &&
         ((st.st_mode & S_ISUID) ? st.st_uid != geteuid () : (st.st_mode & S_ISGID) != 0);
}

static gboolean
seize_program (WeftPtraceSource *self, GError **error)
{
  int pid = weft_program_get_pid (self->program);

  if (is_set_uid (weft_program_get_path (self->program)))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   "“%s” runs with other rights than its user's (set-uid), which it would not get "
                   "if it were traced; record it as root",
                   weft_program_get_path (self->program));
      return FALSE;
    }
  if (trace (PTRACE_SEIZE, pid, TRACE_OPTIONS) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   "the program cannot be traced either: %s (kernel.yama.ptrace_scope, or a "
                   "container's filter)",
                   g_strerror (errno));
      return FALSE;
    }
  weft_ptrace_add_thread (self, pid, pid, weft_monotonic_now ())->is_held = TRUE;
  return TRUE;
}

/* Returns how many threads are new; ERROR_NUMBER: why the last one could not be had. */
static guint
seize_threads (WeftPtraceSource *self, int pid, int *error_number)
{
  g_autoptr (GArray) tids = weft_process_tree_list_threads (pid);
  guint n_new = 0;

  for (guint i = 0; i < tids->len; i++)
    {
      int tid = g_array_index (tids, int, i);

      if (weft_ptrace_find_thread (self, tid) != NULL)
        continue;
      if (trace (PTRACE_SEIZE, tid, TRACE_OPTIONS) == 0)
        {
          guint64 before;

          weft_ptrace_take_runtime (weft_ptrace_add_thread (self, pid, tid, weft_monotonic_now ()),
                                    &before);
          n_new++;
        }
      else
        *error_number = errno;
    }
  return n_new;
}

static void
tell_attached (WeftPtraceSource *self)
{
  GHashTableIter iter;
  gpointer process;

  g_hash_table_iter_init (&iter, self->processes);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    {
      gint64 now = weft_monotonic_now ();

      weft_cpu_tracker_attach (self->tracker, now, ((WeftTracedProcess *) process)->pid);
    }
}

static gboolean
seize_running (WeftPtraceSource *self, const WeftCpuSourceOptions *options, GError **error)
{
  int cause = ESRCH;
  guint n_new = 1;

  for (guint round = 0; n_new > 0 && round < ATTACH_ROUNDS; round++)
    {
      g_autoptr (GArray) pids = weft_process_tree_list_below (options->pids, options->n_pids);

      n_new = 0;
      for (guint i = 0; i < pids->len; i++)
        n_new += seize_threads (self, g_array_index (pids, int, i), &cause);
    }
  if (g_hash_table_size (self->threads) > 0)
    {
      tell_attached (self);
      return TRUE;
    }
  if (cause == ESRCH)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 "There is no process %d (any more): “ps” lists those that run", options->pids[0]);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                 "Process %d cannot be traced: %s. Another user's can be by root only; one's own "
                 "if kernel.yama.ptrace_scope is 0 and no debugger has it",
                 options->pids[0], g_strerror (cause));
  return FALSE;
}

static void
tell_facts (WeftPtraceSource *self, const WeftCpuSourceOptions *options, WeftCpuFacts *facts)
{
  facts->sampler = "ptrace";
  facts->wait_mode = options->no_waits ? "off" : "approximate";
  facts->frequency = options->frequency;
  facts->stack_bytes = options->stack_bytes;
}

WeftPtraceSource *
weft_ptrace_source_new (const WeftCpuSourceOptions *options, WeftCpuTracker *tracker,
                        WeftCpuFacts *facts, GError **error)
{
  WeftPtraceSource *self = g_new0 (WeftPtraceSource, 1);
  gboolean seized;

  self->tracker = tracker;
  self->program = options->program ? weft_program_ref (options->program) : NULL;
  self->period = NS_PER_SECOND / options->frequency;
  self->stack_bytes = options->stack_bytes;
  self->no_waits = options->no_waits;
  self->look_cost = INITIAL_LOOK_COST;
  self->threads = g_hash_table_new (NULL, NULL);
  self->processes = g_hash_table_new (NULL, NULL);
  self->order = g_array_new (FALSE, FALSE, sizeof (int));
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
  self->stack = g_malloc (self->stack_bytes);
  seized =
      self->program != NULL ? seize_program (self, error) : seize_running (self, options, error);
  if (!seized)
    {
      weft_ptrace_source_free (self);
      return NULL;
    }
  start_timer (self);
  tell_facts (self, options, facts);
  return self;
}

/* ---- End ---- */

static void
let_go (WeftPtraceSource *self, int tid, int status)
{
  int signal_number = status >> 16 == 0 ? WSTOPSIG (status) : 0;
  WeftTracedThread *thread = weft_ptrace_find_thread (self, tid);

  trace (PTRACE_DETACH, tid, (gulong) signal_number);
  if (thread != NULL)
    weft_ptrace_remove_thread (self, thread);
}

/* Only who stands still can be let go of; the kernel does the rest when this thread ends. */
static void
let_all_go (WeftPtraceSource *self)
{
  gint64 end = weft_monotonic_now () + LET_GO_TIME;

  for (guint i = 0; i < self->order->len; i++)
    trace (PTRACE_INTERRUPT, g_array_index (self->order, int, i), 0);
  while (g_hash_table_size (self->threads) > 0 && weft_monotonic_now () < end)
    {
      int status;
      int tid = waitpid (-1, &status, __WALL | __WNOTHREAD);

      if (tid < 0 && errno == ECHILD)
        return;
      if (tid > 0 && WIFSTOPPED (status))
        let_go (self, tid, status);
      else if (tid > 0)
        on_news (self, tid, status);
    }
}

void
weft_ptrace_source_free (WeftPtraceSource *self)
{
  let_all_go (self);
  if (self->has_timer)
    timer_delete (self->timer);
  while (self->order->len > 0)
    weft_ptrace_remove_thread (self,
                               weft_ptrace_find_thread (self, g_array_index (self->order, int, 0)));
  g_hash_table_unref (self->threads);
  g_hash_table_unref (self->processes);
  g_array_unref (self->order);
  g_ptr_array_unref (self->notes);
  g_clear_pointer (&self->program, weft_program_unref);
  g_free (self->stack);
  g_free (self);
}

void
weft_ptrace_source_get_status (WeftPtraceSource *self, WeftCpuSourceStatus *status)
{
  status->events = self->n_samples;
  status->samples = self->n_samples;
  status->target_stopped = self->stopped;
}

void
weft_ptrace_source_take_notes (WeftPtraceSource *self, GPtrArray *notes)
{
  g_ptr_array_extend_and_steal (notes, g_steal_pointer (&self->notes));
  self->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_cpu_note_free);
}
