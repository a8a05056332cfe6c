/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses OpenMP in a way that is told to it, and prints how often it did what.
 *
 *   openmp-victim MODE [NUMBER]
 *
 * With OPENMP_VICTIM_COST set, tells the CPU time of it all, in ns, on standard error.
 * Every line is "WORD COUNT"; the counts are its own, made where the work is done.
 */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long n_regions, n_parts, n_tasks, n_chunks, n_sections, result;

#define COUNT(what) __atomic_add_fetch (&(what), 1, __ATOMIC_RELAXED)

static volatile double sink;

/* Something that takes a little time and that no compiler leaves out. */
static void
work (long amount)
{
  double sum = 0;

  for (long i = 1; i <= amount * 100; i++)
    sum += 1.0 / (double) i;
  sink = sum;
}

/* ---- Modes ---- */

static void
run_regions (long n)
{
  for (long i = 0; i < n; i++)
    {
      COUNT (n_regions);
#pragma omp parallel
      {
        COUNT (n_parts);
        work (2);
      }
    }
}

/* The last thread has much more to do. */
static void
run_uneven (long n)
{
  for (long i = 0; i < n; i++)
    {
      COUNT (n_regions);
#pragma omp parallel
      {
        COUNT (n_parts);
        work (omp_get_thread_num () == omp_get_num_threads () - 1 ? 4000 : 40);
      }
    }
}

static long
fibonacci (int n)
{
  long a, b;

  if (n < 2)
    return n;
  COUNT (n_tasks);
#pragma omp task shared(a)
  a = fibonacci (n - 1);
  COUNT (n_tasks);
#pragma omp task shared(b) if (n > 3)
  b = fibonacci (n - 2);
#pragma omp taskwait
  return a + b;
}

static void
run_tasks (long n)
{
  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    result = fibonacci ((int) n);
  }
}

/* Tasks that nobody waits for but the end of the region. */
static void
run_loose (long n)
{
  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp master
    for (long i = 0; i < n; i++)
      {
#pragma omp task firstprivate(i)
        {
          COUNT (n_tasks);
          work (20);
          __atomic_add_fetch (&result, i, __ATOMIC_RELAXED);
        }
      }
  }
}

static void
run_nested (long n)
{
  omp_set_max_active_levels (2);
  for (long i = 0; i < n; i++)
    {
      COUNT (n_regions);
#pragma omp parallel num_threads(2)
      {
        COUNT (n_parts);
        COUNT (n_regions);
#pragma omp parallel num_threads(3)
        {
          COUNT (n_parts);
          work (5);
        }
      }
    }
}

static void
run_dependences (long n)
{
  long value = 0, other = 0;

  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    for (long i = 0; i < n; i++)
      {
#pragma omp task depend(out : value) shared(value)
        {
          COUNT (n_tasks);
          value = 3 * value + i;
          value %= 1000003;
        }
#pragma omp task depend(in : value) depend(inout : other) shared(value, other)
        {
          COUNT (n_tasks);
          other = (other + value) % 1000003;
        }
      }
  }
  result = other;
}

static void
run_loop (long n)
{
  long sum = 0;

  COUNT (n_regions);
#pragma omp parallel reduction(+ : sum)
  {
    COUNT (n_parts);
#pragma omp for schedule(dynamic, 10)
    for (long i = 0; i < n; i++)
      {
        if (i % 10 == 0)
          COUNT (n_chunks);
        work (1);
        sum += i;
      }
#pragma omp for schedule(dynamic, 10) nowait
    for (unsigned long long i = 0; i < (unsigned long long) n; i++)
      {
        if (i % 10 == 0)
          COUNT (n_chunks);
        sum += (long) i;
      }
  }
  COUNT (n_regions);
  n_parts += omp_get_max_threads ();
#pragma omp parallel for schedule(dynamic, 10) reduction(+ : sum)
  for (long i = 0; i < n; i++)
    {
      if (i % 10 == 0)
        COUNT (n_chunks);
      sum += i;
    }
  result = sum;
}

static void
run_sections (long n)
{
  for (long i = 0; i < n; i++)
    {
      COUNT (n_regions);
#pragma omp parallel
      {
        COUNT (n_parts);
#pragma omp sections
        {
#pragma omp section
          COUNT (n_sections);
#pragma omp section
          COUNT (n_sections);
#pragma omp section
          COUNT (n_sections);
        }
      }
    }
}

static void
run_taskloop (long n)
{
  long sum = 0;

  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    {
#pragma omp taskloop grainsize(1) shared(sum)
      for (long i = 0; i < n; i++)
        {
          COUNT (n_tasks);
          __atomic_add_fetch (&sum, i, __ATOMIC_RELAXED);
        }
#pragma omp taskloop grainsize(1) reduction(+ : sum)
      for (long i = 0; i < n; i++)
        {
          COUNT (n_tasks);
          sum += i;
        }
    }
  }
  result = sum;
}

static void
run_groups (long n)
{
  long before, after;

  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    {
#pragma omp taskgroup
      {
        for (long i = 0; i < n; i++)
          {
#pragma omp task
            {
              COUNT (n_tasks);
#pragma omp task
              {
                COUNT (n_tasks);
                work (5);
              }
            }
          }
      }
      before = __atomic_load_n (&n_tasks, __ATOMIC_RELAXED);
#pragma omp taskwait
      after = __atomic_load_n (&n_tasks, __ATOMIC_RELAXED);
      result = before == 2 * n && after == before;
    }
  }
}

typedef struct
{
  char bytes[9000];
} Large;

typedef struct
{
  double values[8];
} __attribute__ ((aligned (64))) Aligned;

/* GCC copies what has no fixed size by a function; clang does not take it. */
#ifdef __clang__
#define LIST_LENGTH 16
#else
#define LIST_LENGTH n
#endif

/* Data of tasks that are large, aligned, of a size that is known late, or copied by a function. */
static void
run_data (long n)
{
  Large large;
  Aligned aligned;
  long good = 0;

  memset (large.bytes, 7, sizeof large.bytes);
  for (int i = 0; i < 8; i++)
    aligned.values[i] = i;
  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    for (long i = 0; i < n; i++)
      {
        long list[LIST_LENGTH];

        for (long j = 0; j < LIST_LENGTH; j++)
          list[j] = i + j;
#pragma omp task firstprivate(large, i) shared(good)
        {
          COUNT (n_tasks);
          if (large.bytes[0] == 7 && large.bytes[sizeof large.bytes - 1] == 7)
            __atomic_add_fetch (&good, i, __ATOMIC_RELAXED);
        }
#pragma omp task firstprivate(aligned, i) shared(good)
        {
          COUNT (n_tasks);
          if ((uintptr_t) &aligned % 64 == 0 && aligned.values[7] == 7)
            __atomic_add_fetch (&good, i, __ATOMIC_RELAXED);
        }
#pragma omp task firstprivate(list, i) shared(good) if (i % 2)
        {
          COUNT (n_tasks);
          if (list[LIST_LENGTH - 1] == i + LIST_LENGTH - 1)
            __atomic_add_fetch (&good, i, __ATOMIC_RELAXED);
        }
      }
  }
  result = good;
}

/* Reductions by tasks, events, what need not wait, what is final. */
static void
run_kinds (long n)
{
  long sum = 0;

  COUNT (n_regions);
#pragma omp parallel reduction(task, + : sum)
  {
    COUNT (n_parts);
#pragma omp single
    for (long i = 0; i < n; i++)
      {
#pragma omp task in_reduction(+ : sum) untied
        {
          COUNT (n_tasks);
          sum += i;
        }
#pragma omp task final(i % 2) firstprivate(i) priority(3)
        COUNT (n_tasks);
#pragma omp task if (0)
        COUNT (n_tasks);
      }
  }
  result = sum;
}

static void
run_events (long n)
{
  long fulfilled = 0;

  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp single
    for (long i = 0; i < n; i++)
      {
        omp_event_handle_t event;

#pragma omp task detach(event)
        COUNT (n_tasks);
#pragma omp task firstprivate(event) shared(fulfilled)
        {
          COUNT (n_tasks);
          __atomic_add_fetch (&fulfilled, 1, __ATOMIC_RELAXED);
          omp_fulfill_event (event);
        }
      }
  }
  result = fulfilled;
}

static void
run_sync (long n)
{
  long sum = 0;

  COUNT (n_regions);
#pragma omp parallel shared(sum)
  {
    COUNT (n_parts);
    for (long i = 0; i < n; i++)
      {
#pragma omp critical
        sum++;
#pragma omp barrier
      }
#pragma omp for ordered schedule(dynamic, 1)
    for (long i = 0; i < n; i++)
      {
#pragma omp ordered
        {
          COUNT (n_chunks);
          sum += i;
        }
      }
  }
  result = sum;
}

static void
run_cancel (long n)
{
  COUNT (n_regions);
#pragma omp parallel
  {
    COUNT (n_parts);
#pragma omp master
    {
#pragma omp taskgroup
      {
        for (long i = 0; i < n; i++)
          {
#pragma omp task
            {
              COUNT (n_tasks);
#pragma omp cancel taskgroup
            }
          }
      }
    }
  }
  result = n_tasks >= 0;
}

static void
run_serial (long n)
{
  for (long i = 0; i < n; i++)
    work (1);
  result = n;
}

/* The end comes in the middle of a region. */
static void
run_exit (long n)
{
  run_regions (n);
#pragma omp parallel
  {
#pragma omp master
    {
      printf ("left %ld\n", n);
      fflush (stdout);
      _Exit (7);
    }
  }
}

static void
run_crash (long n)
{
  run_regions (n);
#pragma omp parallel
  {
#pragma omp master
    abort ();
  }
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*run) (long n);
  } modes[] = {
    { "regions", run_regions },   { "uneven", run_uneven },     { "tasks", run_tasks },
    { "loose", run_loose },       { "nested", run_nested },     { "dependences", run_dependences },
    { "loop", run_loop },         { "sections", run_sections }, { "taskloop", run_taskloop },
    { "groups", run_groups },     { "data", run_data },         { "kinds", run_kinds },
    { "events", run_events },     { "sync", run_sync },         { "cancel", run_cancel },
    { "serial", run_serial },     { "exit", run_exit },         { "crash", run_crash },
  };
  long n = argc > 2 ? atol (argv[2]) : 10;

  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (argc > 1 && strcmp (argv[1], modes[i].name) == 0)
      {
        clock_t before = clock ();

        modes[i].run (n);
        if (getenv ("OPENMP_VICTIM_COST") != NULL)
          fprintf (stderr, "cost %.1f\n", 1e9 * (double) (clock () - before) / CLOCKS_PER_SEC);
        printf ("regions %ld\nparts %ld\ntasks %ld\nchunks %ld\nsections %ld\nresult %ld\n",
                n_regions, n_parts, n_tasks, n_chunks, n_sections, result);
        return 0;
      }
  fprintf (stderr, "openmp-victim: no such mode\n");
  return 2;
}
