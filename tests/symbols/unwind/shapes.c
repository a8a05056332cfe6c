/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program whose stacks have all the shapes that are hard to unwind, compiled without frame
 * pointers. Between two traps it is to be followed instruction by instruction.
 *
 *   shapes SHAPE
 */

#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define TRAP() __asm__ volatile("int3" ::: "memory")
#else
#define TRAP() __asm__ volatile("brk #0" ::: "memory")
#endif

#define OPAQUE(value) __asm__ volatile("" : "+r"(value)::"memory")

static volatile int sink;

__attribute__ ((noinline)) static int
leaf (int a)
{
  OPAQUE (a);
  return a * 3 + 1;
}

/* Uses all registers that functions have to hand back. */
__attribute__ ((noinline)) static int
many_registers (int a, int b, int c, int d)
{
  int e = leaf (a), f = leaf (b), g = leaf (c), h = leaf (d);
  int i = leaf (e + f), j = leaf (g + h);

  return leaf (e) + leaf (f) + leaf (g) + leaf (h) + leaf (i) + leaf (j) + e + f + g + h + i + j;
}

__attribute__ ((noinline)) static int
plain (int n)
{
  TRAP ();
  sink = many_registers (n, n + 1, n + 2, n + 3);
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
with_alloca (int n)
{
  char *bytes = alloca (n);

  TRAP ();
  memset (bytes, n, n);
  OPAQUE (bytes);
  sink = many_registers (bytes[0], bytes[n - 1], n, n);
  for (int i = 1; i < 4; i++)
    {
      char *more = alloca (n * i);

      OPAQUE (more);
      more[0] = (char) leaf (i);
    }
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
aligned_inner (int n, char *other)
{
  char wide[64] __attribute__ ((aligned (64)));
  char *more = alloca (n);

  wide[0] = (char) leaf (n);
  OPAQUE (more);
  memset (wide, wide[0], sizeof wide);
  OPAQUE (other);
  return wide[3] + leaf (n) + many_registers (n, n, n, n);
}

/* GCC finds the caller's frame of such by way of another register. */
__attribute__ ((noinline)) static int
realigned (int n)
{
  char wide[128] __attribute__ ((aligned (128)));

  OPAQUE (n);
  TRAP ();
  sink = aligned_inner (n, wide);
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
sum (int n, ...)
{
  va_list list;
  int total = 0;

  va_start (list, n);
  for (int i = 0; i < n; i++)
    total += leaf (va_arg (list, int));
  va_end (list);
  return total;
}

__attribute__ ((noinline)) static int
variadic (int n)
{
  TRAP ();
  sink = sum (9, n, 1, 2, 3, 4, 5, 6, 7, 8);
  TRAP ();
  return sink;
}

/* Calls that go through the PLT, for the first time. */
__attribute__ ((noinline)) static int
through_plt (int n)
{
  char text[32];

  TRAP ();
  sink = (int) strtol ("12", NULL, 10) + atoi ("7");
  snprintf (text, sizeof text, "%d %s", n, "words");
  TRAP ();
  return sink + text[0];
}

__attribute__ ((noinline)) static void
handler (int number)
{
  sink = many_registers (number, 1, 2, 3);
}

static void
set_handler (int flags)
{
  struct sigaction action = { .sa_flags = flags };

  action.sa_handler = handler;
  sigaction (SIGUSR1, &action, NULL);
}

__attribute__ ((noinline)) static int
in_signal (int n)
{
  set_handler (0);
  TRAP ();
  sink = leaf (n);
  raise (SIGUSR1);
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
on_another_stack (int n)
{
  stack_t stack = { .ss_sp = malloc (65536), .ss_size = 65536 };

  sigaltstack (&stack, NULL);
  set_handler (SA_ONSTACK);
  TRAP ();
  sink = leaf (n);
  raise (SIGUSR1);
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
with_vfork (int n)
{
  int status = 0;
  pid_t child;

  TRAP ();
  sink = leaf (n);
  child = vfork ();
  if (child == 0)
    _exit (3);
  waitpid (child, &status, 0);
  TRAP ();
  return WEXITSTATUS (status);
}

static jmp_buf back;

__attribute__ ((noinline, noreturn)) static void
never_returns (int n)
{
  sink = many_registers (n, n, n, n);
  longjmp (back, 1);
}

/* What follows the call is another function. */
__attribute__ ((noinline, noreturn)) static void
ends_with_call (int n)
{
  OPAQUE (n);
  never_returns (n + 1);
}

__attribute__ ((noinline)) static int
at_the_end (int n)
{
  if (setjmp (back) == 0)
    {
      TRAP ();
      ends_with_call (n);
    }
  TRAP ();
  return sink;
}

__attribute__ ((noinline)) static int
recurse (int n)
{
  volatile char room[200];

  room[n % 200] = (char) n;
  if (n == 0)
    return plain (1);
  return recurse (n - 1) + room[n % 200];
}

static int
deep (int n)
{
  return recurse (400 + n);
}

static int
compare (const void *a, const void *b)
{
  return *(const int *) a - *(const int *) b;
}

__attribute__ ((noinline)) static int
called_back (int n)
{
  int numbers[] = { 5, 3, 9, n };

  TRAP ();
  qsort (numbers, 4, sizeof *numbers, compare);
  TRAP ();
  return numbers[0];
}

static void *
in_thread (void *data)
{
  plain (*(int *) data);
  return NULL;
}

static int
threaded (int n)
{
  pthread_t thread;

  pthread_create (&thread, NULL, in_thread, &n);
  pthread_join (thread, NULL);
  return sink;
}

/* Code that nobody has tables of, and that keeps frame pointers. */
static int
jit (int n)
{
#if defined(__x86_64__)
  /* push %rbp; mov %rsp, %rbp; sub $32, %rsp; call *%rsi; leave; ret */
  static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83,
                                        0xec, 0x20, 0xff, 0xd6, 0xc9, 0xc3 };
  /* push %rbp; mov %rsp, %rbp; call *%rdx; pop %rbp; ret, which calls the first */
  static const unsigned char outer[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd2, 0x5d, 0xc3 };
  unsigned char *memory =
      mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int (*function) (int, int (*) (int), unsigned char *);

  memcpy (memory, code, sizeof code);
  memcpy (memory + 64, outer, sizeof outer);
  memory += 64;
  memcpy (&function, &memory, sizeof function);
  return function (n, plain, memory - 64);
#else
  return plain (n);
#endif
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    int (*run) (int);
  } shapes[] = {
    { "plain", plain },
    { "alloca", with_alloca },
    { "realigned", realigned },
    { "variadic", variadic },
    { "plt", through_plt },
    { "signal", in_signal },
    { "altstack", on_another_stack },
    { "vfork", with_vfork },
    { "noreturn", at_the_end },
    { "deep", deep },
    { "callback", called_back },
    { "thread", threaded },
    { "jit", jit },
  };

  for (size_t i = 0; argc == 2 && i < sizeof shapes / sizeof *shapes; i++)
    if (strcmp (shapes[i].name, argv[1]) == 0)
      return shapes[i].run (40) == 12345;
  fprintf (stderr, "usage: shapes SHAPE\n");
  return 2;
}
