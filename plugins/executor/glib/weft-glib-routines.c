/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What dispatches of sources are called: by the name that the program gave the source, else by the
 * function that it calls. What was looked up is kept.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "weft-glib-sources.h"

#define N_BUCKETS 1024
#define MAX_NAME 128
#define MAX_KEPT 8192

typedef struct Kept Kept;

struct Kept
{
  Kept *next;
  uint64_t hash;
  const char *kind;      /* static */
  GlibCallback callback; /* NULL where there is a name */
  WeftTargetRoutine *routine;
  char name[MAX_NAME]; /* empty: none */
};

static Kept *buckets[N_BUCKETS]; /* atomic; entries are never changed, nor removed */
static unsigned n_kept;

/* What GLib calls sources that nobody named. */
static bool
is_default_name (const char *name)
{
  static const char *const names[] = { "GIdleSource", "GTimeoutSource",    "GChildWatchSource",
                                       "UNIX signal", "GUnixSignalSource", "GIOChannelUnix" };

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp (name, names[i]) == 0)
      return true;
  return false;
}

static uint64_t
get_hash (const char *name, GlibCallback callback)
{
  uint64_t hash = UINT64_C (0xCBF29CE484222325);

  for (; *name != '\0'; name++)
    hash = (hash ^ (uint8_t) *name) * UINT64_C (0x100000001B3);
  return (hash ^ (uintptr_t) callback) * UINT64_C (0x9E3779B97F4A7C15);
}

/* Code made at run time has no name: there is only what kind of source it is of. */
static WeftTargetRoutine *
make_routine (const char *name, const char *kind, GlibCallback callback)
{
  void *address;
  Dl_info info;

  memcpy (&address, &callback, sizeof address);
  if (*name == '\0' && address != NULL && dladdr (address, &info) != 0)
    return weft_target_routine_for_code (address);
  return weft_target_routine_new (*name != '\0' ? name : kind);
}

static void
keep (const Kept *wanted, Kept **bucket)
{
  Kept *kept;

  if (__atomic_fetch_add (&n_kept, 1, __ATOMIC_RELAXED) >= MAX_KEPT ||
      (kept = malloc (sizeof *kept)) == NULL)
    return;
  *kept = *wanted;
  kept->next = __atomic_load_n (bucket, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n (bucket, &kept->next, kept, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED))
    ;
}

WeftTargetRoutine *
weft_glib_routine (const char *name, const char *kind, GlibCallback callback)
{
  Kept wanted = { .kind = kind };
  Kept **bucket;

  if (name != NULL && !is_default_name (name))
    {
      size_t length = strnlen (name, sizeof wanted.name - 1);

      memcpy (wanted.name, name, length);
    }
  else
    wanted.callback = callback;
  wanted.hash = get_hash (wanted.name, wanted.callback);
  bucket = &buckets[(wanted.hash >> 32) % N_BUCKETS];
  for (Kept *kept = __atomic_load_n (bucket, __ATOMIC_ACQUIRE); kept != NULL; kept = kept->next)
    if (kept->hash == wanted.hash && kept->kind == kind && kept->callback == wanted.callback &&
        strcmp (kept->name, wanted.name) == 0)
      return kept->routine;
  wanted.routine = make_routine (wanted.name, kind, callback);
  keep (&wanted, bucket);
  return wanted.routine;
}
