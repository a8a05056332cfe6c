/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chunks of loops of GCC's runtime, from the call that gives one out to the next call.
 *
 * Loops with a static schedule have none: the compiler divides them without the runtime.
 */

#include "weft-openmp-gomp.h"

typedef unsigned long long Large;

static void
chunk_begin (OmpThread *thread, uint64_t begin, uint64_t end, const void *caller)
{
  OmpWork *work = omp_share_begin (thread, OMP_LOOP, omp_routine_of_place (caller, OMP_LOOP));

  if (work == NULL)
    return;
  work->has_range = true;
  work->range_begin = begin;
  work->range_end = end;
}

/* PARAMETERS have BEGIN and END, which may be NULL where the compiler divides the loop. */
#define CHUNK(name, parameters, arguments)                                                         \
  PUBLIC bool name parameters;                                                                     \
  PUBLIC bool name parameters                                                                      \
  {                                                                                                \
    const void *caller = __builtin_return_address (0);                                             \
    OmpThread *thread = omp_listens (caller) ? omp_thread () : NULL;                               \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    bool more;                                                                                     \
                                                                                                   \
    if (thread != NULL)                                                                            \
      omp_share_end (thread);                                                                      \
    more = real != NULL && real arguments;                                                         \
    if (thread != NULL && more && begin != NULL)                                                   \
      chunk_begin (thread, (uint64_t) *begin, (uint64_t) *end, caller);                            \
    return more;                                                                                   \
  }

#define START(name)                                                                                \
  CHUNK (name, (long from, long to, long step, long size, long *begin, long *end),                 \
         (from, to, step, size, begin, end))
#define RUNTIME_START(name)                                                                        \
  CHUNK (name, (long from, long to, long step, long *begin, long *end),                            \
         (from, to, step, begin, end))
#define ANY_START(name)                                                                            \
  CHUNK (name,                                                                                     \
         (long from, long to, long step, long schedule, long size, long *begin, long *end,         \
          uintptr_t *reductions, void **memory),                                                   \
         (from, to, step, schedule, size, begin, end, reductions, memory))
#define NEXT(name) CHUNK (name, (long *begin, long *end), (begin, end))

#define LARGE_START(name)                                                                          \
  CHUNK (name, (bool up, Large from, Large to, Large step, Large size, Large *begin, Large *end),  \
         (up, from, to, step, size, begin, end))
#define LARGE_RUNTIME_START(name)                                                                  \
  CHUNK (name, (bool up, Large from, Large to, Large step, Large *begin, Large *end),              \
         (up, from, to, step, begin, end))
#define LARGE_ANY_START(name)                                                                      \
  CHUNK (name,                                                                                     \
         (bool up, Large from, Large to, Large step, long schedule, Large size, Large *begin,      \
          Large *end, uintptr_t *reductions, void **memory),                                       \
         (up, from, to, step, schedule, size, begin, end, reductions, memory))
#define LARGE_NEXT(name) CHUNK (name, (Large * begin, Large * end), (begin, end))

START (GOMP_loop_static_start)
START (GOMP_loop_dynamic_start)
START (GOMP_loop_guided_start)
START (GOMP_loop_nonmonotonic_dynamic_start)
START (GOMP_loop_nonmonotonic_guided_start)
START (GOMP_loop_ordered_static_start)
START (GOMP_loop_ordered_dynamic_start)
START (GOMP_loop_ordered_guided_start)
RUNTIME_START (GOMP_loop_runtime_start)
RUNTIME_START (GOMP_loop_nonmonotonic_runtime_start)
RUNTIME_START (GOMP_loop_maybe_nonmonotonic_runtime_start)
RUNTIME_START (GOMP_loop_ordered_runtime_start)
ANY_START (GOMP_loop_start)
ANY_START (GOMP_loop_ordered_start)
NEXT (GOMP_loop_static_next)
NEXT (GOMP_loop_dynamic_next)
NEXT (GOMP_loop_guided_next)
NEXT (GOMP_loop_runtime_next)
NEXT (GOMP_loop_nonmonotonic_dynamic_next)
NEXT (GOMP_loop_nonmonotonic_guided_next)
NEXT (GOMP_loop_nonmonotonic_runtime_next)
NEXT (GOMP_loop_maybe_nonmonotonic_runtime_next)
NEXT (GOMP_loop_ordered_static_next)
NEXT (GOMP_loop_ordered_dynamic_next)
NEXT (GOMP_loop_ordered_guided_next)
NEXT (GOMP_loop_ordered_runtime_next)

LARGE_START (GOMP_loop_ull_static_start)
LARGE_START (GOMP_loop_ull_dynamic_start)
LARGE_START (GOMP_loop_ull_guided_start)
LARGE_START (GOMP_loop_ull_nonmonotonic_dynamic_start)
LARGE_START (GOMP_loop_ull_nonmonotonic_guided_start)
LARGE_START (GOMP_loop_ull_ordered_static_start)
LARGE_START (GOMP_loop_ull_ordered_dynamic_start)
LARGE_START (GOMP_loop_ull_ordered_guided_start)
LARGE_RUNTIME_START (GOMP_loop_ull_runtime_start)
LARGE_RUNTIME_START (GOMP_loop_ull_nonmonotonic_runtime_start)
LARGE_RUNTIME_START (GOMP_loop_ull_maybe_nonmonotonic_runtime_start)
LARGE_RUNTIME_START (GOMP_loop_ull_ordered_runtime_start)
LARGE_ANY_START (GOMP_loop_ull_start)
LARGE_ANY_START (GOMP_loop_ull_ordered_start)
LARGE_NEXT (GOMP_loop_ull_static_next)
LARGE_NEXT (GOMP_loop_ull_dynamic_next)
LARGE_NEXT (GOMP_loop_ull_guided_next)
LARGE_NEXT (GOMP_loop_ull_runtime_next)
LARGE_NEXT (GOMP_loop_ull_nonmonotonic_dynamic_next)
LARGE_NEXT (GOMP_loop_ull_nonmonotonic_guided_next)
LARGE_NEXT (GOMP_loop_ull_nonmonotonic_runtime_next)
LARGE_NEXT (GOMP_loop_ull_maybe_nonmonotonic_runtime_next)
LARGE_NEXT (GOMP_loop_ull_ordered_static_next)
LARGE_NEXT (GOMP_loop_ull_ordered_dynamic_next)
LARGE_NEXT (GOMP_loop_ull_ordered_guided_next)
LARGE_NEXT (GOMP_loop_ull_ordered_runtime_next)

/* Loops whose iterations wait for each other. */
#define CROSS_START(name)                                                                          \
  CHUNK (name, (unsigned n, long *counts, long size, long *begin, long *end),                      \
         (n, counts, size, begin, end))
#define LARGE_CROSS_START(name)                                                                    \
  CHUNK (name, (unsigned n, Large *counts, Large size, Large *begin, Large *end),                  \
         (n, counts, size, begin, end))

CROSS_START (GOMP_loop_doacross_static_start)
CROSS_START (GOMP_loop_doacross_dynamic_start)
CROSS_START (GOMP_loop_doacross_guided_start)
CHUNK (GOMP_loop_doacross_runtime_start, (unsigned n, long *counts, long *begin, long *end),
       (n, counts, begin, end))
CHUNK (GOMP_loop_doacross_start,
       (unsigned n, long *counts, long schedule, long size, long *begin, long *end,
        uintptr_t *reductions, void **memory),
       (n, counts, schedule, size, begin, end, reductions, memory))
LARGE_CROSS_START (GOMP_loop_ull_doacross_static_start)
LARGE_CROSS_START (GOMP_loop_ull_doacross_dynamic_start)
LARGE_CROSS_START (GOMP_loop_ull_doacross_guided_start)
CHUNK (GOMP_loop_ull_doacross_runtime_start, (unsigned n, Large *counts, Large *begin, Large *end),
       (n, counts, begin, end))
CHUNK (GOMP_loop_ull_doacross_start,
       (unsigned n, Large *counts, long schedule, Large size, Large *begin, Large *end,
        uintptr_t *reductions, void **memory),
       (n, counts, schedule, size, begin, end, reductions, memory))
