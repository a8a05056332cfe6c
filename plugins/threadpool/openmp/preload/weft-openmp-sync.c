/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Barriers, waits for tasks, locks and shares of work of GCC's runtime. */

#include "weft-openmp-gomp.h"

/* The thread, where something is to be told. */
static OmpThread *
listening (const void *caller)
{
  return omp_listens (caller) ? omp_thread () : NULL;
}

/* ---- Waits ---- */

/* A function without a result that is a wait of KIND; AROUND what else goes on there. */
#define WAIT(name, parameters, arguments, kind, before, after)                                     \
  PUBLIC void name parameters;                                                                     \
  PUBLIC void name parameters                                                                      \
  {                                                                                                \
    OmpThread *thread = listening (__builtin_return_address (0));                                  \
    __typeof__ (&name) real = BEHIND (name);                                                       \
                                                                                                   \
    if (thread != NULL)                                                                            \
      {                                                                                            \
        before;                                                                                    \
        omp_wait_begin (thread, kind);                                                             \
      }                                                                                            \
    if (real != NULL)                                                                              \
      real arguments;                                                                              \
    if (thread != NULL)                                                                            \
      {                                                                                            \
        omp_wait_end (thread, kind);                                                               \
        after;                                                                                     \
      }                                                                                            \
  }

#define CANCELABLE_WAIT(name, before)                                                              \
  PUBLIC bool name (void);                                                                         \
  PUBLIC bool name (void)                                                                          \
  {                                                                                                \
    OmpThread *thread = listening (__builtin_return_address (0));                                  \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    bool result;                                                                                   \
                                                                                                   \
    if (thread != NULL)                                                                            \
      {                                                                                            \
        before;                                                                                    \
        omp_wait_begin (thread, OMP_WAIT_BARRIER);                                                 \
      }                                                                                            \
    result = real != NULL && real ();                                                              \
    if (thread != NULL)                                                                            \
      omp_wait_end (thread, OMP_WAIT_BARRIER);                                                     \
    return result;                                                                                 \
  }

WAIT (GOMP_barrier, (void), (), OMP_WAIT_BARRIER, (void) 0, (void) 0)
WAIT (GOMP_taskwait, (void), (), OMP_WAIT_TASKS, (void) 0, (void) 0)
WAIT (GOMP_taskgroup_end, (void), (), OMP_WAIT_GROUP, (void) 0, omp_group_end (thread))
WAIT (GOMP_loop_end, (void), (), OMP_WAIT_BARRIER, omp_share_end (thread), (void) 0)
WAIT (GOMP_sections_end, (void), (), OMP_WAIT_BARRIER, omp_share_end (thread), (void) 0)
CANCELABLE_WAIT (GOMP_barrier_cancel, (void) 0)
CANCELABLE_WAIT (GOMP_loop_end_cancel, omp_share_end (thread))
CANCELABLE_WAIT (GOMP_sections_end_cancel, omp_share_end (thread))

/* Calls that end a share, or begin a group, and wait for nothing. */
#define MARK(name, what)                                                                           \
  PUBLIC void name (void);                                                                         \
  PUBLIC void name (void)                                                                          \
  {                                                                                                \
    OmpThread *thread = listening (__builtin_return_address (0));                                  \
    __typeof__ (&name) real = BEHIND (name);                                                       \
                                                                                                   \
    if (thread != NULL)                                                                            \
      what;                                                                                        \
    if (real != NULL)                                                                              \
      real ();                                                                                     \
  }

MARK (GOMP_loop_end_nowait, omp_share_end (thread))
MARK (GOMP_sections_end_nowait, omp_share_end (thread))
MARK (GOMP_taskgroup_start, omp_group_begin (thread))

/* For some tasks, not for all: which of them, the runtime knows. */
PUBLIC void GOMP_taskwait_depend (void **depend);

PUBLIC void
GOMP_taskwait_depend (void **depend)
{
  OmpThread *thread = listening (__builtin_return_address (0));
  __typeof__ (&GOMP_taskwait_depend) real = BEHIND (GOMP_taskwait_depend);

  if (thread != NULL)
    omp_wait_begin (thread, OMP_WAIT_DEPENDENCES);
  if (real != NULL)
    real (depend);
  if (thread != NULL)
    omp_wait_end (thread, OMP_WAIT_DEPENDENCES);
}

/* ---- Locks ---- */

#define LOCK(name, parameters, arguments, kind)                                                    \
  PUBLIC void name parameters;                                                                     \
  PUBLIC void name parameters                                                                      \
  {                                                                                                \
    OmpThread *thread = listening (__builtin_return_address (0));                                  \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    uint64_t since = thread != NULL ? weft_target_now () : 0;                                      \
                                                                                                   \
    if (real != NULL)                                                                              \
      real arguments;                                                                              \
    if (thread != NULL)                                                                            \
      omp_wait_for_lock (thread, kind, since);                                                     \
  }

LOCK (GOMP_critical_start, (void), (), OMP_WAIT_LOCK)
LOCK (GOMP_critical_name_start, (void **lock), (lock), OMP_WAIT_LOCK)
LOCK (GOMP_atomic_start, (void), (), OMP_WAIT_LOCK)
LOCK (GOMP_ordered_start, (void), (), OMP_WAIT_ORDERED)

/* ---- Sections ---- */

/* A thread that gets no other section has ended its share. */
static unsigned
got_section (OmpThread *thread, unsigned section, const void *caller)
{
  OmpWork *work;

  if (thread == NULL)
    return section;
  omp_share_end (thread);
  work = section != 0
             ? omp_share_begin (thread, OMP_SECTION, omp_routine_of_place (caller, OMP_SECTION))
             : NULL;
  if (work != NULL)
    {
      work->has_range = true;
      work->range_begin = section;
      work->range_end = section + 1;
    }
  return section;
}

#define SECTIONS(name, parameters, arguments)                                                      \
  PUBLIC unsigned name parameters;                                                                 \
  PUBLIC unsigned name parameters                                                                  \
  {                                                                                                \
    const void *caller = __builtin_return_address (0);                                             \
    OmpThread *thread = listening (caller);                                                        \
    __typeof__ (&name) real = BEHIND (name);                                                       \
                                                                                                   \
    if (thread != NULL)                                                                            \
      omp_share_end (thread);                                                                      \
    return got_section (thread, real != NULL ? real arguments : 0, caller);                        \
  }

SECTIONS (GOMP_sections_start, (unsigned count), (count))
SECTIONS (GOMP_sections2_start, (unsigned count, uintptr_t *reductions, void **memory),
          (count, reductions, memory))
SECTIONS (GOMP_sections_next, (void), ())
