/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the functions of GCC's runtime that stand behind ours. */
#pragma once

#include "weft-openmp.h"

#define PUBLIC __attribute__ ((visibility ("default")))

typedef void (*OmpFunction) (void);

/* Whether a recorder listens and the runtime does not tell of itself. CALLER uses it. */
OMP_INTERNAL bool omp_listens (const void *caller);

/* NAME of the runtime that CALLER, an address of code, uses; NULL if it has none. Keeps it in PLACE
 * if all callers share it.
 */
OMP_INTERNAL OmpFunction omp_find (const char *name, OmpFunction *place, const void *caller);

/* A function of the runtime, looked for once where that is the same for all. */
#define FIND(name, caller)                                                                         \
  ({                                                                                               \
    static OmpFunction found_;                                                                     \
    OmpFunction function_ = OMP_LOAD (&found_);                                                    \
    if (__builtin_expect (function_ == NULL, 0))                                                   \
      function_ = omp_find (#name, &found_, (caller));                                             \
    (__typeof__ (&name)) function_;                                                                \
  })

/* What stands behind a function of this library. */
#define BEHIND(name) FIND (name, __builtin_return_address (0))
