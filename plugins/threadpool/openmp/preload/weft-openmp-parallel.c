/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parallel regions of GCC's runtime: its functions, with a part of ours before and after the code
 * that each thread runs.
 */

#include "weft-openmp-gomp.h"

#include <stdlib.h>

typedef void (*Code) (void *data);

int omp_get_thread_num (void);
int omp_get_num_threads (void);

/* Stands for the data of the region's code; the runtime itself reads only the first word. */
typedef struct Call Call;

struct Call
{
  void *first_word;
  Code code;
  void *data;
  int (*get_number) (void);
  int (*get_n_threads) (void);
  OmpRegion region;
  OmpWork *work; /* of the thread that began it, where the program calls the code itself */
  Call *outer;
};

static void
call_begin (Call *call, Code code, void *data, OmpConstruct construct, const void *caller)
{
  OmpThread *thread = omp_thread ();

  call->first_word = data != NULL ? *(void **) data : NULL;
  call->code = code;
  call->data = data;
  call->get_number = FIND (omp_get_thread_num, caller);
  call->get_n_threads = FIND (omp_get_num_threads, caller);
  if (thread == NULL || call->get_number == NULL || call->get_n_threads == NULL)
    return;
  call->region.construct = construct;
  omp_region_begin (thread, &call->region, omp_routine_of_function ((const void *) code, construct),
                    weft_target_origin_with_stack ());
}

static void
run_part (void *data)
{
  Call *call = data;
  OmpThread *thread = call->region.team != NULL ? omp_thread () : NULL;
  int number = thread != NULL ? call->get_number () : 0;
  OmpWork *work = NULL;

  if (thread != NULL)
    work = omp_implicit_begin (thread, &call->region, (unsigned) number,
                               (unsigned) call->get_n_threads ());
  call->code (call->data);
  if (thread == NULL)
    return;
  if (work != NULL)
    {
      omp_work_end (thread, work, WEFT_TARGET_OK);
      omp_work_free (thread, work);
    }
  if (number == 0)
    omp_region_join (thread, &call->region);
}

static void
call_end (Call *call)
{
  OmpThread *thread = omp_thread ();

  if (thread != NULL)
    omp_region_end (thread, &call->region);
}

/* ---- The runtime runs the code on this thread, too ---- */

/* PARAMETERS begin with the code and its data, which ARGUMENTS replace by CODE and DATA. */
#define REGION(name, parameters, arguments, bare)                                                  \
  PUBLIC void name parameters;                                                                     \
  PUBLIC void name parameters                                                                      \
  {                                                                                                \
    const void *caller = __builtin_return_address (0);                                             \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    Call call = { 0 };                                                                             \
    Code code = run_part;                                                                          \
                                                                                                   \
    if (real == NULL)                                                                              \
      {                                                                                            \
        fn (fn_data);                                                                              \
        return;                                                                                    \
      }                                                                                            \
    if (!omp_listens (caller))                                                                     \
      {                                                                                            \
        real bare;                                                                                 \
        return;                                                                                    \
      }                                                                                            \
    call_begin (&call, fn, fn_data, OMP_PARALLEL, caller);                                         \
    real arguments;                                                                                \
    call_end (&call);                                                                              \
  }

#define LOOP_REGION(name)                                                                          \
  REGION (name,                                                                                    \
          (Code fn, void *fn_data, unsigned n_threads, long start, long end, long step,            \
           long chunk, unsigned flags),                                                            \
          (code, &call, n_threads, start, end, step, chunk, flags),                                \
          (fn, fn_data, n_threads, start, end, step, chunk, flags))

#define RUNTIME_LOOP_REGION(name)                                                                  \
  REGION (name,                                                                                    \
          (Code fn, void *fn_data, unsigned n_threads, long start, long end, long step,            \
           unsigned flags),                                                                        \
          (code, &call, n_threads, start, end, step, flags),                                       \
          (fn, fn_data, n_threads, start, end, step, flags))

REGION (GOMP_parallel, (Code fn, void *fn_data, unsigned n_threads, unsigned flags),
        (code, &call, n_threads, flags), (fn, fn_data, n_threads, flags))
REGION (GOMP_parallel_sections,
        (Code fn, void *fn_data, unsigned n_threads, unsigned count, unsigned flags),
        (code, &call, n_threads, count, flags), (fn, fn_data, n_threads, count, flags))
LOOP_REGION (GOMP_parallel_loop_static)
LOOP_REGION (GOMP_parallel_loop_dynamic)
LOOP_REGION (GOMP_parallel_loop_guided)
LOOP_REGION (GOMP_parallel_loop_nonmonotonic_dynamic)
LOOP_REGION (GOMP_parallel_loop_nonmonotonic_guided)
RUNTIME_LOOP_REGION (GOMP_parallel_loop_runtime)
RUNTIME_LOOP_REGION (GOMP_parallel_loop_nonmonotonic_runtime)
RUNTIME_LOOP_REGION (GOMP_parallel_loop_maybe_nonmonotonic_runtime)

PUBLIC unsigned GOMP_parallel_reductions (Code fn, void *data, unsigned n_threads, unsigned flags);

PUBLIC unsigned
GOMP_parallel_reductions (Code fn, void *data, unsigned n_threads, unsigned flags)
{
  const void *caller = __builtin_return_address (0);
  __typeof__ (&GOMP_parallel_reductions) real = BEHIND (GOMP_parallel_reductions);
  Call call = { 0 };
  unsigned result;

  if (real == NULL || !omp_listens (caller))
    return real != NULL ? real (fn, data, n_threads, flags) : 0;
  call_begin (&call, fn, data, OMP_PARALLEL, caller);
  result = real (run_part, &call, n_threads, flags);
  call_end (&call);
  return result;
}

/* ---- The program runs the code on this thread itself, as old compilers had it ---- */

/* Behind the call that began it. */
static void
started (Call *call)
{
  OmpThread *thread = omp_thread ();

  if (thread == NULL)
    return;
  call->outer = thread->started;
  thread->started = call;
  if (call->region.team != NULL)
    call->work = omp_implicit_begin (thread, &call->region, 0, (unsigned) call->get_n_threads ());
}

#define STARTED(name, parameters, arguments, bare)                                                 \
  PUBLIC void name parameters;                                                                     \
  PUBLIC void name parameters                                                                      \
  {                                                                                                \
    const void *caller = __builtin_return_address (0);                                             \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    OmpThread *thread = omp_thread ();                                                             \
    Call *call =                                                                                   \
        real != NULL && thread != NULL && (thread->started != NULL || omp_listens (caller))        \
            ? calloc (1, sizeof *call)                                                             \
            : NULL;                                                                                \
    Code code = run_part;                                                                          \
                                                                                                   \
    if (call == NULL)                                                                              \
      {                                                                                            \
        if (real != NULL)                                                                          \
          real bare;                                                                               \
        return;                                                                                    \
      }                                                                                            \
    call_begin (call, fn, fn_data, OMP_PARALLEL, caller);                                          \
    real arguments;                                                                                \
    started (call);                                                                                \
  }

#define STARTED_LOOP(name)                                                                         \
  STARTED (                                                                                        \
      name,                                                                                        \
      (Code fn, void *fn_data, unsigned n_threads, long start, long end, long step, long chunk),   \
      (code, call, n_threads, start, end, step, chunk),                                            \
      (fn, fn_data, n_threads, start, end, step, chunk))

STARTED (GOMP_parallel_start, (Code fn, void *fn_data, unsigned n_threads), (code, call, n_threads),
         (fn, fn_data, n_threads))
STARTED (GOMP_parallel_sections_start, (Code fn, void *fn_data, unsigned n_threads, unsigned count),
         (code, call, n_threads, count), (fn, fn_data, n_threads, count))
STARTED (GOMP_parallel_loop_runtime_start,
         (Code fn, void *fn_data, unsigned n_threads, long start, long end, long step),
         (code, call, n_threads, start, end, step), (fn, fn_data, n_threads, start, end, step))
STARTED_LOOP (GOMP_parallel_loop_static_start)
STARTED_LOOP (GOMP_parallel_loop_dynamic_start)
STARTED_LOOP (GOMP_parallel_loop_guided_start)

PUBLIC void GOMP_parallel_end (void);

PUBLIC void
GOMP_parallel_end (void)
{
  __typeof__ (&GOMP_parallel_end) real = BEHIND (GOMP_parallel_end);
  OmpThread *thread = omp_thread ();
  Call *call = thread != NULL ? thread->started : NULL;

  if (call != NULL)
    {
      thread->started = call->outer;
      if (call->work != NULL)
        {
          omp_work_end (thread, call->work, WEFT_TARGET_OK);
          omp_work_free (thread, call->work);
        }
      omp_region_join (thread, &call->region);
    }
  if (real != NULL)
    real ();
  if (call == NULL)
    return;
  call_end (call);
  free (call);
}
