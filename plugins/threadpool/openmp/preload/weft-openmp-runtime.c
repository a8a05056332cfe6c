/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which runtime a call is meant for.
 *
 * Where a program has the runtime in its own list of libraries, all callers share it. A module that
 * was loaded later may bring one that only it sees, perhaps another one than the next module's.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "weft-openmp-gomp.h"

#include <dlfcn.h>
#include <errno.h>

#define MAX_MODULES 64u

typedef enum
{
  UNKNOWN,
  TELLS_NOTHING,
  TELLS_ITSELF,
} Kind;

typedef struct
{
  void *base; /* atomic */
  void *handle;
  Kind kind; /* atomic; of the runtime that it uses */
} Module;

static Module modules[MAX_MODULES];
static Kind shared_kind; /* atomic */

static void *
open_module_of (const void *address, void **base)
{
  Dl_info info;

  if (dladdr (address, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  *base = info.dli_fbase;
  return dlopen (info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

/* LLVM's runtime has GCC's functions as well, and tells of itself to a tool. */
static Kind
kind_of (OmpFunction function)
{
  void *base, *handle = open_module_of ((const void *) function, &base);
  Kind kind = TELLS_NOTHING;

  if (handle == NULL)
    return kind;
  if (dlsym (handle, "__kmpc_fork_call") != NULL)
    kind = TELLS_ITSELF;
  dlclose (handle);
  return kind;
}

/* NULL: too many, or not a module. It is not closed: what is found in it is called. */
static Module *
find_module (const void *caller)
{
  Dl_info info;

  if (dladdr (caller, &info) == 0)
    return NULL;
  for (uint32_t i = 0; i < MAX_MODULES; i++)
    {
      void *there = __atomic_load_n (&modules[i].base, __ATOMIC_ACQUIRE), *none = NULL;

      if (there == info.dli_fbase)
        return &modules[i];
      if (there == NULL && __atomic_compare_exchange_n (&modules[i].base, &none, info.dli_fbase,
                                                        false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return &modules[i];
      if (none == info.dli_fbase)
        return &modules[i];
    }
  return NULL;
}

static OmpFunction
find_for (const char *name, const void *caller, Module *module)
{
  void *base, *handle = module != NULL ? OMP_LOAD (&module->handle) : NULL;

  if (handle == NULL)
    {
      handle = open_module_of (caller, &base);
      if (module != NULL)
        OMP_STORE (&module->handle, handle);
    }
  return handle != NULL ? (OmpFunction) dlsym (handle, name) : NULL;
}

OmpFunction
omp_find (const char *name, OmpFunction *place, const void *caller)
{
  int saved = errno;
  OmpFunction found = (OmpFunction) dlsym (RTLD_NEXT, name);

  if (found != NULL)
    OMP_STORE (place, found);
  else
    found = find_for (name, caller, find_module (caller));
  errno = saved;
  return found;
}

static Kind
look_at_runtime (const void *caller)
{
  OmpFunction shared = (OmpFunction) dlsym (RTLD_NEXT, "GOMP_parallel");
  OmpFunction found;
  Module *module;
  Kind kind;

  if (shared != NULL)
    {
      kind = kind_of (shared);
      OMP_STORE (&shared_kind, kind);
      return kind;
    }
  module = find_module (caller);
  if (module != NULL && OMP_LOAD (&module->kind) != UNKNOWN)
    return OMP_LOAD (&module->kind);
  found = find_for ("GOMP_parallel", caller, module);
  kind = found != NULL ? kind_of (found) : TELLS_NOTHING;
  if (module != NULL)
    OMP_STORE (&module->kind, kind);
  return kind;
}

bool
omp_listens (const void *caller)
{
  static bool started;
  Kind kind = OMP_LOAD (&shared_kind);
  int saved = errno;

  if (__builtin_expect (!OMP_LOAD (&started), 0))
    {
      OMP_STORE (&started, true);
      weft_target_start ();
    }
  if (!weft_target_enabled ())
    return false;
  if (__builtin_expect (kind == UNKNOWN, 0))
    {
      kind = look_at_runtime (caller);
      errno = saved;
    }
  return kind == TELLS_NOTHING;
}
