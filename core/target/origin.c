/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origins. A stack is copied once, from the thread's stack into the writer's block; the recorder
 * unwinds it.
 */
#include "weft-target-private.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define STACKS_A_SECOND 20000u
#define STACK_INTERVAL_NS (UINT64_C (1000000000) / STACKS_A_SECOND)
#define STACK_BURST_NS UINT64_C (100000000)
#define PAGE 4096u
#define MAIN_STACK (UINT64_C (64) << 20)
#define MAX_TRIES 16u

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNCHECKED __attribute__ ((no_sanitize ("address", "thread", "memory")))
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define UNCHECKED __attribute__ ((no_sanitize_address))
#elif defined(__SANITIZE_THREAD__)
#define UNCHECKED __attribute__ ((no_sanitize_thread))
#endif
#ifdef UNCHECKED
#define CHECKED
#else
#define UNCHECKED
#endif

WeftTargetOrigin
weft_target_origin (void)
{
  WeftTargetOrigin origin = { 0, 0, 0, 0 };
  WftWriter *writer = wft_self;

  if (!weft_target_enabled ())
    return origin;
  if (WFT_UNLIKELY (writer->id == 0))
    writer = wft_writer_introduce ();
  origin.tid = writer != NULL ? writer->tid : wft_tid ();
  origin.ticks = wft_now ();
  return origin;
}

/* ---- The bounds of this thread's stack ---- */

static uintptr_t
parse_hex (const char **at)
{
  uintptr_t value = 0;

  for (;; (*at)++)
    {
      char c = **at;

      if (c >= '0' && c <= '9')
        value = value << 4 | (uintptr_t) (c - '0');
      else if (c >= 'a' && c <= 'f')
        value = value << 4 | (uintptr_t) (c - 'a' + 10);
      else
        return value;
    }
}

/* Where the main thread began: above lie arguments and environment, which are none of ours. */
static uintptr_t
main_stack_end (uintptr_t high)
{
#if defined(__GLIBC__)
  extern void *__libc_stack_end __attribute__ ((weak));

  if (&__libc_stack_end != NULL && (uintptr_t) __libc_stack_end < high)
    return ((uintptr_t) __libc_stack_end + 7) & ~(uintptr_t) 7;
#endif
  return high;
}

/* A mapping is a stack for sure if the thread's control block stands above SP in it, or if the
 * kernel says that it is the main one.
 */
static bool
take_line (WftWriter *writer, const char *line, uintptr_t sp, uintptr_t thread)
{
  uintptr_t low = parse_hex (&line), high;

  if (*line++ != '-')
    return false;
  high = parse_hex (&line);
  if (sp < low || sp >= high)
    return false;
  if (thread > sp && thread < high)
    high = thread;
  else if (strstr (line, "[stack]") != NULL)
    {
      low = high > MAIN_STACK ? high - MAIN_STACK : 0;
      high = main_stack_end (high);
    }
  else
    return false;
  writer->stack_low = low;
  writer->stack_high = high;
  return true;
}

static void
find_stack (WftWriter *writer, uintptr_t sp)
{
  uintptr_t thread = (uintptr_t) __builtin_thread_pointer ();
  char buffer[1024 + 1];
  size_t kept = 0;
  bool found = false;
  ssize_t n;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

  writer->stack_tries++;
  while (fd >= 0 && !found && kept < sizeof buffer - 1
         && (n = read (fd, buffer + kept, sizeof buffer - 1 - kept)) > 0)
    {
      char *line = buffer, *end;

      kept += (size_t) n;
      buffer[kept] = '\0';
      while (!found && (end = strchr (line, '\n')) != NULL)
        {
          *end = '\0';
          found = take_line (writer, line, sp, thread);
          line = end + 1;
        }
      kept -= (size_t) (line - buffer);
      memmove (buffer, line, kept);
    }
  if (fd >= 0)
    close (fd);
}

/* Bytes that may be read from SP up. */
static uint32_t
stack_room (WftWriter *writer, uintptr_t sp, bool *known)
{
  uintptr_t end;

  if (WFT_UNLIKELY (writer->stack_high == 0 && writer->stack_tries < MAX_TRIES))
    find_stack (writer, sp);
  *known = sp >= writer->stack_low && sp < writer->stack_high;
  end = *known ? writer->stack_high : (sp | (PAGE - 1)) + 1;
  return end - sp > WEFT_WIRE_MAX_STACK ? WEFT_WIRE_MAX_STACK : (uint32_t) (end - sp) & ~7u;
}

/* ---- The budget ---- */

static bool
budget_take (void)
{
  uint64_t *time = &wft_runtime->session->stack_time;
  uint64_t old = WFT_LOAD (time), next, now;
  struct timespec coarse;

#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime (CLOCK_MONOTONIC_COARSE, &coarse);
#else
  clock_gettime (CLOCK_MONOTONIC, &coarse);
#endif
  now = (uint64_t) coarse.tv_sec * 1000000000u + (uint64_t) coarse.tv_nsec;
  do
    {
      next = (old + STACK_BURST_NS > now ? old : now - STACK_BURST_NS) + STACK_INTERVAL_NS;
      if (next > now)
        return false;
    }
  while (!__atomic_compare_exchange_n (time, &old, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return true;
}

/* ---- The copy ---- */

typedef struct
{
  uint64_t program_counter;
  uint64_t stack_pointer;
  uint64_t registers[WEFT_WIRE_N_REGISTERS];
} Registers;

/* Sanitizers object to reading a caller's frame, and replace memcpy () with one that looks. */
UNCHECKED static inline void
copy_stack (uint8_t *to, uintptr_t from, uint32_t size)
{
#ifdef CHECKED
  for (uint32_t at = 0; at < size; at += 8)
    *(volatile uint64_t *) (to + at) = *(const volatile uint64_t *) (from + at);
#else
  memcpy (to, (const void *) from, size);
#endif
}

#if defined(__x86_64__)
#define MACHINE WEFT_WIRE_MACHINE_X86_64
#define CAPTURE(regs)                                                                              \
  __asm__ volatile ("movq %%rbx, 16(%0)\n\tmovq %%rbp, 24(%0)\n\tmovq %%r12, 32(%0)\n\t"           \
                    "movq %%r13, 40(%0)\n\tmovq %%r14, 48(%0)\n\tmovq %%r15, 56(%0)\n\t"           \
                    "movq %%rsp, 8(%0)\n\tleaq 1f(%%rip), %%rax\n\tmovq %%rax, 0(%0)\n1:"          \
                    :                                                                              \
                    : "D"(regs)                                                                    \
                    : "rax", "memory")
#elif defined(__aarch64__)
#define MACHINE WEFT_WIRE_MACHINE_AARCH64
#define CAPTURE(regs)                                                                              \
  __asm__ volatile ("stp x19, x20, [%0, #16]\n\tstp x21, x22, [%0, #32]\n\t"                       \
                    "stp x23, x24, [%0, #48]\n\tstp x25, x26, [%0, #64]\n\t"                       \
                    "stp x27, x28, [%0, #80]\n\tstp x29, x30, [%0, #96]\n\t"                       \
                    "mov x1, sp\n\tadr x2, 1f\n\tstp x2, x1, [%0]\n1:"                             \
                    :                                                                              \
                    : "r"(regs)                                                                    \
                    : "x1", "x2", "memory")
#else
#define NO_STACKS
#endif

#ifndef NO_STACKS
/* With the writer busy. 0 if there is no room. */
static uint64_t
write_stack (WftWriter *writer, const Registers *registers, const WeftTargetOrigin *origin)
{
  bool known;
  uint32_t copied = stack_room (writer, registers->stack_pointer, &known);
  uint32_t size = (uint32_t) sizeof (WeftWireStack) + copied;
  WeftWireStack *record;

  if (size > wft_room (writer) && !wft_take_block (writer, &wft_dead_lane))
    return 0;
  record = (WeftWireStack *) (writer->block + writer->cursor);
  memset (record, 0, sizeof *record);
  record->record.type = WEFT_WIRE_STACK;
  record->record.words = (uint16_t) (size / 8);
  record->id = WFT_ADD (&wft_runtime->next_id, 1) + 1;
  record->ticks = origin->ticks;
  record->program_counter = registers->program_counter;
  record->stack_pointer = registers->stack_pointer;
  memcpy (record->registers, registers->registers, sizeof record->registers);
  record->copied = copied;
  record->tid = origin->tid;
  record->machine = MACHINE;
  record->cut = !known || registers->stack_pointer + copied < writer->stack_high;
  copy_stack ((uint8_t *) (record + 1), registers->stack_pointer, copied);
  wft_commit (writer, size);
  return record->id;
}

/* Registers and copy are of this very frame: it must not return before the copy is made. */
__attribute__ ((noinline)) WeftTargetOrigin
weft_target_origin_with_stack (void)
{
  WeftTargetOrigin origin = weft_target_origin ();
  Registers registers = { 0 };
  WftWriter *writer;
  WFT_KEEP_ERRNO;

  if (origin.ticks == 0 || !wft_recording ())
    return origin;
  if (!budget_take () || (writer = wft_enter (&wft_dead_lane)) == NULL)
    {
      wft_stat_add (WEFT_WIRE_STAT_STACKS_SKIPPED, 1);
      return origin;
    }
  CAPTURE (&registers);
  if (wft_open (writer, &wft_dead_lane))
    origin.stack = write_stack (writer, &registers, &origin);
  wft_leave (writer);
  if (origin.stack == 0)
    wft_stat_add (WEFT_WIRE_STAT_STACKS_SKIPPED, 1);
  return origin;
}
#else
WeftTargetOrigin
weft_target_origin_with_stack (void)
{
  WeftTargetOrigin origin = weft_target_origin ();

  if (origin.ticks != 0 && wft_recording ())
    wft_stat_add (WEFT_WIRE_STAT_UNSUPPORTED, 1);
  return origin;
}
#endif
