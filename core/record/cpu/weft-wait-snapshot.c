/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks at threads that wait: what for, from /proc, and where, from their memory. No privilege is
 * needed to look at one's own processes. A look costs some ten microseconds, so that a bucket of
 * time is kept: who has waited longest comes first, one look is enough for one wait, and when the
 * bucket is empty the rest has to wait for the next turn.
 */
#include "weft-cpu-tracker-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weft-clock.h"

#define MAX_DESCRIPTORS 2048                      /* kept open */
#define MAX_SAVED (NS_PER_SECOND / 50)            /* of the bucket */
#define TURN_COST (10 * G_GINT64_CONSTANT (1000)) /* of waking up, ns */
#define MAX_PLACES 65536

#if defined(__x86_64__)
#define STACK_POINTER 7
#elif defined(__aarch64__)
#define STACK_POINTER 31
#else
#error "What is the DWARF number of the stack pointer?"
#endif

void
weft_cpu_thread_close_descriptor (WeftCpuTracker *self, WeftCpuThread *thread)
{
  if (thread->descriptor < 0)
    return;
  close (thread->descriptor);
  thread->descriptor = -1;
  self->n_descriptors--;
}

/* ---- What a place tells ---- */

typedef struct
{
  guint64 object;
  guint32 process;
  guint32 callchain;
} Place;

/* The one that came here first did not look like a pool then. */
static void
note_pool (WeftCpuTracker *self, const WeftCpuThread *second, guint64 object, guint32 callchain)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->threads);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftCpuThread *thread = value;

      if (thread->process == second->process && thread->state == WEFT_CPU_THREAD_WAITING &&
          thread->wait.look.object == object && thread->wait.look.callchain == callchain)
        thread->wait.look.reason = WEFT_WAIT_REASON_IDLE;
    }
}

/* Several threads of a process that wait for the same condition or semaphore at the same place do
 * the same when they get it: they are a pool, and wait for work.
 */
static gboolean
is_pool (WeftCpuTracker *self, WeftCpuThread *thread, guint64 object, guint32 callchain)
{
  const guint several = G_MAXUINT32;
  Place place = { object, weft_cpu_tracker_refer_process (self, thread->process), callchain };
  g_autoptr (GBytes) key = g_bytes_new (&place, sizeof place);
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, key));
  guint number = weft_cpu_tracker_refer_thread (self, thread);

  if (known == several || callchain == 0)
    return known == several;
  if (known == number)
    return FALSE;
  if (known == 0 && g_hash_table_size (self->places) >= MAX_PLACES)
    g_hash_table_remove_all (self->places);
  g_hash_table_insert (self->places, g_steal_pointer (&key),
                       GUINT_TO_POINTER (known == 0 ? number : several));
  if (known != 0)
    note_pool (self, thread, object, callchain);
  return known != 0;
}

/* A thread that comes back to wait for its descriptors at the same place is a loop. */
static gboolean
is_loop (WeftCpuThread *thread, guint32 callchain)
{
  for (guint i = 0; i < N_PLACES; i++)
    if (callchain != 0 && thread->places[i] == callchain)
      return TRUE;
  thread->places[thread->n_places++ % N_PLACES] = callchain;
  return FALSE;
}

static void
note_finding (WeftCpuTracker *self, WeftCpuThread *thread, const WeftWaitSituation *situation,
              const WeftWaitFinding *finding, WeftCpuLook *look)
{
  look->reason = (guint8) finding->reason;
  look->object = finding->object;
  look->has_system_call = situation->in_system_call;
  look->system_call = (gint32) situation->system_call;
  look->awaited = thread->process->info.other_pid_namespace ? 0 : finding->thread;
  look->child = finding->child;
  look->detail = weft_cpu_tracker_add_text (self, finding->detail);
  if ((finding->pooled && is_pool (self, thread, finding->object, look->callchain)) ||
      (finding->looping && is_loop (thread, look->callchain)))
    look->reason = WEFT_WAIT_REASON_IDLE;
}

static WeftWaitDescriptors *
get_descriptors (WeftCpuProcess *process)
{
  if (process->descriptors == NULL)
    process->descriptors = weft_wait_descriptors_new (process->pid);
  return process->descriptors;
}

/* ---- Through /proc ---- */

typedef enum
{
  LOOK_DONE,
  LOOK_RUNNING, /* it has gone on: its event is on the way */
  LOOK_REFUSED,
} LookResult;

/* The descriptor stays open as long as there are not too many. */
static ssize_t
read_system_call (WeftCpuTracker *self, WeftCpuThread *thread, char *text, gsize size)
{
  int descriptor = thread->descriptor;
  ssize_t n;

  if (descriptor < 0)
    {
      char path[64];

      g_snprintf (path, sizeof path, "/proc/%d/task/%d/syscall", thread->process->pid, thread->tid);
      descriptor = open (path, O_RDONLY | O_CLOEXEC);
      if (descriptor < 0)
        return -1;
    }
  n = pread (descriptor, text, size - 1, 0);
  if (thread->descriptor >= 0)
    return n;
  if (self->n_descriptors < MAX_DESCRIPTORS && n > 0)
    {
      thread->descriptor = descriptor;
      self->n_descriptors++;
    }
  else
    {
      int saved = errno;

      close (descriptor);
      errno = saved;
    }
  return n;
}

static LookResult
read_situation (WeftCpuTracker *self, WeftCpuThread *thread, WeftWaitSituation *situation)
{
  char text[256];
  ssize_t n = read_system_call (self, thread, text, sizeof text);

  if (n <= 0)
    return errno == EACCES || errno == EPERM || errno == ENOSYS ? LOOK_REFUSED : LOOK_RUNNING;
  text[n] = '\0';
  situation->pid = thread->process->pid;
  situation->tid = thread->tid;
  return weft_wait_situation_parse (situation, text) ? LOOK_DONE : LOOK_RUNNING;
}

static gsize
read_more (guint64 address, void *buffer, gsize length, gpointer data)
{
  const WeftCpuThread *thread = data;

  return weft_wait_read_memory (thread->process->pid, address, buffer, length);
}

/* The values of other registers are not known; most are saved where the system call is made. */
static guint
unwind (WeftCpuTracker *self, WeftCpuThread *thread, const WeftWaitSituation *situation,
        gsize length, WeftCpuLook *look)
{
  WeftRegisters registers = { .pc = situation->pc, .sp = situation->sp };
  WeftStackCopy stack = { .address = situation->sp,
                          .bytes = self->stack,
                          .length = length,
                          .more = read_more,
                          .data = thread };
  WeftStackEnd end;
  gboolean extended;
  guint n_frames;

  registers.values[STACK_POINTER] = situation->sp;
  registers.known = G_GUINT64_CONSTANT (1) << STACK_POINTER;
  look->callchain = weft_cpu_tracker_add_user_stack (self, thread->process, &registers, &stack,
                                                     &end, &extended, &n_frames);
  look->stack_end = (guint8) end;
  return n_frames;
}

static LookResult
look_at (WeftCpuTracker *self, WeftCpuThread *thread)
{
  WeftWaitSituation situation = { 0 };
  WeftCpuLook look = { .begin = weft_monotonic_now () };
  WeftWaitFinding finding;
  WeftWaitPrimitive primitive = WEFT_WAIT_PRIMITIVE_UNKNOWN;
  LookResult result = read_situation (self, thread, &situation);
  gsize length;

  if (result != LOOK_DONE)
    return result;
  length = situation.sp
               ? weft_wait_read_memory (situation.pid, situation.sp, self->stack, WEFT_STACK_BYTES)
               : 0;
  look.stack_end = WEFT_STACK_END_NO_USER_STACK;
  if (length > 0)
    {
      guint n_frames = unwind (self, thread, &situation, length, &look);

      primitive = weft_wait_primitives_find (self->primitives, self->frames, n_frames);
    }
  weft_wait_reason_find (&situation, primitive, get_descriptors (thread->process), &finding);
  look.end = weft_monotonic_now ();
  note_finding (self, thread, &situation, &finding, &look);
  thread->wait.look = look;
  thread->wait.looked = TRUE;
  self->status.snapshots++;
  return LOOK_DONE;
}

/* ---- All who wait ---- */

static void
refill (WeftCpuTracker *self, gint64 now)
{
  if (self->last_refill != 0 && now > self->last_refill)
    self->budget += (now - self->last_refill) * self->options.snapshot_share / 1000;
  self->budget = MIN (self->budget, MAX_SAVED);
  self->last_refill = now;
}

static void
dequeue (WeftCpuTracker *self, WeftCpuThread *thread)
{
  g_queue_unlink (&self->waiting, &thread->link);
  thread->queued = FALSE;
}

static void
look_at_next (WeftCpuTracker *self, WeftCpuThread *thread)
{
  LookResult result = thread->process->refused ? LOOK_REFUSED : look_at (self, thread);

  dequeue (self, thread);
  if (result == LOOK_REFUSED)
    {
      thread->process->refused = TRUE;
      thread->wait.looked = TRUE;
      self->status.snapshots_refused++;
    }
  else if (result == LOOK_RUNNING)
    {
      /* Once more next time, if it still waits then. */
      g_queue_push_tail_link (&self->waiting, &thread->link);
      thread->queued = TRUE;
    }
}

void
weft_cpu_tracker_look_around (WeftCpuTracker *self, gint64 now)
{
  guint n = self->waiting.length;
  gint64 cpu, last;

  refill (self, now);
  if (n == 0 || self->budget <= 0)
    return;
  last = weft_clock_now (CLOCK_THREAD_CPUTIME_ID);
  while (n-- > 0 && self->budget > 0)
    {
      look_at_next (self, self->waiting.head->data);
      cpu = weft_clock_now (CLOCK_THREAD_CPUTIME_ID);
      self->budget -= cpu - last;
      self->status.snapshot_cpu += (guint64) (cpu - last);
      last = cpu;
    }
}

/* FALSE if an additional turn is not to be had. */
gboolean
weft_cpu_tracker_take_turn (WeftCpuTracker *self)
{
  if (self->budget < MAX_SAVED / 2)
    return FALSE;
  self->budget -= TURN_COST;
  return TRUE;
}

/* ---- With the switch itself ---- */

#define NOT_KNOWN -1
#define NO_SYSTEM_CALL -2

/* The number of the system call that was entered before PC, by the instructions there. */
static gint32
read_system_call_number (int pid, guint64 pc)
{
  guint8 code[7];
  gint32 number;

#if defined(__x86_64__)
  /* mov $NUMBER, %eax; syscall */
  if (weft_wait_read_memory (pid, pc - sizeof code, code, sizeof code) != sizeof code)
    return NOT_KNOWN;
  if (code[5] != 0x0f || code[6] != 0x05)
    return NO_SYSTEM_CALL;
  if (code[0] != 0xb8)
    return NOT_KNOWN;
  memcpy (&number, code + 1, sizeof number);
  return number;
#else
  /* mov x8, #NUMBER; svc #0 */
  if (weft_wait_read_memory (pid, pc - 4, code, 4) != 4)
    return NOT_KNOWN;
  memcpy (&number, code, sizeof number);
  return (guint32) number == 0xd4000001 ? NOT_KNOWN : NO_SYSTEM_CALL;
#endif
}

/* Code does not change: asked once a place. */
static gint32
get_system_call_number (WeftCpuTracker *self, WeftCpuThread *thread)
{
  const WeftCodeFrame *frame = &self->frames[0];
  gboolean is_new;
  guint32 id = weft_cpu_callchains_add_frame (self->callchains, frame->module, frame->offset,
                                              frame->flags, &is_new);
  gpointer known;
  gint32 number;

  if (g_hash_table_lookup_extended (self->system_calls, GUINT_TO_POINTER (id), NULL, &known))
    return GPOINTER_TO_INT (known);
  number = read_system_call_number (thread->process->pid, frame->address);
  g_hash_table_insert (self->system_calls, GUINT_TO_POINTER (id), GINT_TO_POINTER (number));
  return number;
}

static void
copy_arguments (WeftWaitSituation *situation, const WeftRegisters *registers)
{
#if defined(__x86_64__)
  static const guint numbers[6] = { 5, 4, 1, 10, 8, 9 };
#else
  static const guint numbers[6] = { 0, 1, 2, 3, 4, 5 };
#endif

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    situation->arguments[i] = registers->values[numbers[i]];
}

/* Its system call can be told without a look into /proc, mostly; if not, one will come. */
static void
find_reason_at_switch (WeftCpuTracker *self, WeftCpuThread *thread, const WeftCpuSample *sample,
                       guint n_frames)
{
  WeftWaitSituation situation = { .pid = thread->process->pid,
                                  .tid = thread->tid,
                                  .over = TRUE,
                                  .in_system_call = TRUE,
                                  .pc = sample->registers->pc,
                                  .sp = sample->registers->sp };
  WeftWaitFinding finding;
  WeftWaitPrimitive primitive =
      weft_wait_primitives_find (self->primitives, self->frames, n_frames);
  gint32 number = get_system_call_number (self, thread);

  if (number < 0)
    {
      thread->wait.at_switch.reason =
          number == NO_SYSTEM_CALL ? WEFT_WAIT_REASON_PAGE_FAULT : WEFT_WAIT_REASON_UNKNOWN;
      return;
    }
  situation.system_call = number;
  copy_arguments (&situation, sample->registers);
  weft_wait_reason_find (&situation, primitive, get_descriptors (thread->process), &finding);
  note_finding (self, thread, &situation, &finding, &thread->wait.at_switch);
  thread->wait.looked = TRUE;
  if (thread->queued)
    dequeue (self, thread);
}

void
weft_cpu_tracker_look_at_switch (WeftCpuTracker *self, WeftCpuThread *thread,
                                 const WeftCpuSample *sample)
{
  WeftStackEnd end;
  gboolean extended;
  guint n_frames;
  WeftCpuLook *look = &thread->wait.at_switch;

  look->callchain =
      weft_cpu_tracker_add_stack (self, thread->process, sample, &end, &extended, &n_frames);
  look->stack_end = (guint8) end;
  look->begin = look->end = sample->time;
  if (!thread->wait.preempted && n_frames > 0)
    find_reason_at_switch (self, thread, sample, n_frames);
}
