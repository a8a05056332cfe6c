/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routines of functions that compilers make of regions and tasks, each looked up once. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "weft-openmp.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#define N_KNOWN 8192u /* a power of two */
#define MAX_LOOKS 64u

typedef struct
{
  uintptr_t key;              /* atomic */
  WeftTargetRoutine *routine; /* atomic */
} Known;

static Known known[N_KNOWN];

const void *omp_runtime;

const char *const omp_construct_names[OMP_N_CONSTRUCTS] = { "parallel", "task", "loop", "section",
                                                            "single" };

static WeftTargetRoutine *
routine_new (const void *address, OmpConstruct construct, bool is_function)
{
  int saved = errno;
  char flavour[64];
  WeftTargetRoutine *routine;
  Dl_info info;

  if (dladdr (address, &info) == 0)
    info.dli_fbase = NULL;
  if (info.dli_fbase != NULL && info.dli_fbase == omp_runtime)
    return weft_target_routine_new_full (
        &(WeftTargetRoutineInfo){ .name = "unknown", .flavour = omp_construct_names[construct] },
        sizeof (WeftTargetRoutineInfo));
  if (is_function || info.dli_fbase == NULL)
    snprintf (flavour, sizeof flavour, "%s", omp_construct_names[construct]);
  else
    snprintf (flavour, sizeof flavour, "%s at 0x%zx", omp_construct_names[construct],
              (size_t) ((uintptr_t) address - (uintptr_t) info.dli_fbase));
  routine = weft_target_routine_for_code_full (address, flavour);
  errno = saved;
  return routine;
}

static WeftTargetRoutine *
find (const void *address, OmpConstruct construct, bool is_function)
{
  uintptr_t key = (uintptr_t) address * OMP_N_CONSTRUCTS + construct + 1;
  uint32_t at = (uint32_t) (key ^ key >> 13);
  WeftTargetRoutine *routine;

  for (uint32_t i = 0; i < MAX_LOOKS; i++)
    {
      Known *place = &known[(at + i) % N_KNOWN];
      uintptr_t there = __atomic_load_n (&place->key, __ATOMIC_ACQUIRE), none = 0;

      if (there == key)
        {
          routine = __atomic_load_n (&place->routine, __ATOMIC_ACQUIRE);
          return routine != NULL ? routine : routine_new (address, construct, is_function);
        }
      if (there != 0)
        continue;
      routine = routine_new (address, construct, is_function);
      if (__atomic_compare_exchange_n (&place->key, &none, key, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE))
        __atomic_store_n (&place->routine, routine, __ATOMIC_RELEASE);
      return routine;
    }
  return weft_target_routine_new ("OpenMP");
}

WeftTargetRoutine *
omp_routine_of_function (const void *function, OmpConstruct construct)
{
  return find (function, construct, true);
}

/* The call before the place to which it returns. */
WeftTargetRoutine *
omp_routine_of_place (const void *place, OmpConstruct construct)
{
  return find ((const char *) place - 1, construct, false);
}
