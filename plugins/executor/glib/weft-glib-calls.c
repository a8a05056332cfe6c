/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the program's GLib, however it was loaded. */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "weft-glib.h"

GlibCalls weft_glib;

/* ---- Locks ---- */

void
weft_glib_lock (GlibLock *lock)
{
  while (__atomic_exchange_n (&lock->taken, 1, __ATOMIC_ACQUIRE) != 0)
    sched_yield ();
}

void
weft_glib_unlock (GlibLock *lock)
{
  __atomic_store_n (&lock->taken, 0, __ATOMIC_RELEASE);
}

/* ---- Libraries ---- */

/* The library of CALLER, which may be one that no other sees, such as a module's. */
static void *
open_library_of (const void *caller)
{
  Dl_info info;

  if (caller == NULL || dladdr (caller, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  return dlopen (info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

static void *
find_in (const char *library, const char *name)
{
  void *handle = dlopen (library, RTLD_LAZY | RTLD_NOLOAD);
  void *found = handle != NULL ? dlsym (handle, name) : NULL;

  if (handle != NULL)
    dlclose (handle);
  return found;
}

void *
weft_glib_library_symbol (const char *name)
{
  static const char *const libraries[] = { "libglib-2.0.so.0", "libgio-2.0.so.0",
                                           "libgmodule-2.0.so.0" };
  void *found = NULL;

  for (unsigned i = 0; found == NULL && i < sizeof libraries / sizeof *libraries; i++)
    found = find_in (libraries[i], name);
  return found;
}

void *
weft_glib_symbol (const char *name, const void *caller)
{
  void *found = dlsym (RTLD_NEXT, name), *handle;

  if (found == NULL)
    found = weft_glib_library_symbol (name);
  if (found != NULL || (handle = open_library_of (caller)) == NULL)
    return found;
  found = dlsym (handle, name);
  dlclose (handle);
  return found;
}

/* ---- GLib ---- */

static const struct
{
  size_t offset;
  const char *name;
} calls[] = {
#define CALL(member, name)                                                                         \
  {                                                                                                \
    offsetof (GlibCalls, member), name                                                             \
  }
  CALL (source_name, "g_source_get_name"),
  CALL (source_context, "g_source_get_context"),
  CALL (source_priority, "g_source_get_priority"),
  CALL (source_set_priority, "g_source_set_priority"),
  CALL (source_ready_time, "g_source_get_ready_time"),
  CALL (source_set_callback, "g_source_set_callback"),
  CALL (source_unref, "g_source_unref"),
  CALL (loop_context, "g_main_loop_get_context"),
  CALL (thread_default, "g_main_context_get_thread_default"),
  CALL (is_owner, "g_main_context_is_owner"),
  CALL (acquire, "g_main_context_acquire"),
  CALL (release, "g_main_context_release"),
  CALL (find_by_id, "g_main_context_find_source_by_id"),
  CALL (idle_new, "g_idle_source_new"),
  CALL (timeout_new, "g_timeout_source_new"),
  CALL (timeout_seconds_new, "g_timeout_source_new_seconds"),
  CALL (child_watch_new, "g_child_watch_source_new"),
  CALL (io_watch_new, "g_io_create_watch"),
  CALL (signal_new, "g_unix_signal_source_new"),
  CALL (fd_new, "g_unix_fd_source_new"),
#undef CALL
};

/* All of them, or none: a GLib that lacks one is too old to be watched. */
static bool
find_calls (const void *caller)
{
  GlibCalls found;

  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    {
      void *function = weft_glib_symbol (calls[i].name, caller);

      if (function == NULL)
        return false;
      memcpy ((char *) &found + calls[i].offset, &function, sizeof function);
    }
  weft_glib = found;
  return true;
}

enum
{
  NOT_FOUND,
  FOUND,
  LACKING
};

bool
weft_glib_find (const void *caller)
{
  static GlibLock lock;
  static int state;
  int now = __atomic_load_n (&state, __ATOMIC_ACQUIRE);

  if (now != NOT_FOUND)
    return now == FOUND;
  /* A variable: no other library that is preloaded has one of that name. */
  if (weft_glib_symbol ("g_idle_funcs", caller) == NULL)
    return false;
  weft_glib_lock (&lock);
  if (state == NOT_FOUND)
    {
      now = find_calls (caller) ? FOUND : LACKING;
      if (now == FOUND)
        {
          weft_glib_wrap_own ();
          weft_target_start ();
        }
      __atomic_store_n (&state, now, __ATOMIC_RELEASE);
    }
  weft_glib_unlock (&lock);
  return state == FOUND;
}

/* A program that is linked with GLib is watched from the start, whichever of its functions it calls
 * by a way that leads past us.
 */
__attribute__ ((constructor)) static void
begin (void)
{
  int saved = errno;

  if (dlsym (RTLD_NEXT, "g_idle_funcs") != NULL)
    weft_glib_find (NULL);
  errno = saved;
}
