/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of a library that keeps state for a process's life: each case runs in a process of its own,
 * and its name is its requirement's. Prints TAP.
 */
#ifndef TEST_CASE_H
#define TEST_CASE_H

#include "test-recorder.h"
#include "weft-target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  const char *path;
  void (*function) (void);
} TestCase;

#define CHECK(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        printf ("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
        fflush (stdout);                                                                           \
        _exit (1);                                                                                 \
      }                                                                                            \
  while (0)

#define CHECK_EQUAL(left, right)                                                                   \
  do                                                                                               \
    {                                                                                              \
      long long left_ = (long long) (left), right_ = (long long) (right);                          \
                                                                                                   \
      if (left_ != right_)                                                                         \
        {                                                                                          \
          printf ("# %s:%d: %s = %lld, %s = %lld\n", __FILE__, __LINE__, #left, left_, #right,     \
                  right_);                                                                         \
          fflush (stdout);                                                                         \
          _exit (1);                                                                               \
        }                                                                                          \
    }                                                                                              \
  while (0)

#define CHECK_STRING(left, right) CHECK (strcmp ((left), (right)) == 0)

/* Of the case that runs, for the process that reports it. */
static char *test_skip_reason;
#define TEST_SKIP_SIZE 256

#define SKIP(reason)                                                                               \
  do                                                                                               \
    {                                                                                              \
      snprintf (test_skip_reason, TEST_SKIP_SIZE, "%s", reason);                                   \
      fflush (stdout);                                                                             \
      _exit (77);                                                                                  \
    }                                                                                              \
  while (0)

static inline int
test_wait (pid_t pid)
{
  int status = -1;

  while (waitpid (pid, &status, 0) < 0)
    continue;
  return status;
}

static inline int
test_run (const TestCase *cases, size_t n, int argc, char **argv)
{
  int failures = 0, number = 0;

  test_skip_reason = mmap (NULL, TEST_SKIP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
  printf ("1..%zu\n", n);
  for (size_t i = 0; i < n; i++)
    {
      pid_t pid;
      int status;

      number++;
      if (argc > 1 && strcmp (argv[1], cases[i].path) != 0)
        {
          printf ("ok %d %s # SKIP not asked for\n", number, cases[i].path);
          continue;
        }
      fflush (stdout);
      pid = fork ();
      if (pid == 0)
        {
          alarm (120);
          cases[i].function ();
          fflush (stdout);
          _exit (0);
        }
      status = test_wait (pid);
      if (WIFEXITED (status) && WEXITSTATUS (status) == 77)
        printf ("ok %d %s # SKIP %s\n", number, cases[i].path, test_skip_reason);
      else if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
        printf ("ok %d %s\n", number, cases[i].path);
      else
        {
          printf ("# status %d signal %d\nnot ok %d %s\n", WEXITSTATUS (status),
                  WIFSIGNALED (status) ? WTERMSIG (status) : 0, number, cases[i].path);
          failures++;
        }
    }
  return failures != 0;
}

#define TEST_MAIN(cases)                                                                           \
  int main (int argc, char **argv)                                                                 \
  {                                                                                                \
    return test_run (cases, sizeof cases / sizeof cases[0], argc, argv);                           \
  }

#endif
