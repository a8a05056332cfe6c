/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is called in place of GLib. Each function calls the one that it stands for, with the same
 * arguments, unless it says otherwise; none does more while nobody records.
 */
#include <errno.h>
#include <string.h>

#include "weft-glib.h"

#define PRIORITY_DEFAULT 0
#define PRIORITY_DEFAULT_IDLE 200

static void *
find_real (void **kept, const char *name, const void *caller)
{
  void *real = __atomic_load_n (kept, __ATOMIC_RELAXED);

  if (real != NULL)
    return real;
  real = weft_glib_symbol (name, caller);
  __atomic_store_n (kept, real, __ATOMIC_RELAXED);
  return real;
}

/* Nobody could have called it without it being there. */
#define REAL(name)                                                                                 \
  ((__typeof__ (&(name))) find_real (&reals.name##_, #name, __builtin_return_address (0)))

#define EACH_FUNCTION(X)                                                                           \
  X (g_source_new)                                                                                 \
  X (g_source_set_funcs)                                                                           \
  X (g_source_set_callback)                                                                        \
  X (g_source_attach)                                                                              \
  X (g_source_add_child_source)                                                                    \
  X (g_source_set_ready_time)                                                                      \
  X (g_main_context_find_source_by_funcs_user_data)                                                \
  X (g_source_remove_by_funcs_user_data)                                                           \
  X (g_idle_add)                                                                                   \
  X (g_idle_add_full)                                                                              \
  X (g_idle_add_once)                                                                              \
  X (g_timeout_add)                                                                                \
  X (g_timeout_add_full)                                                                           \
  X (g_timeout_add_once)                                                                           \
  X (g_timeout_add_seconds)                                                                        \
  X (g_timeout_add_seconds_full)                                                                   \
  X (g_child_watch_add)                                                                            \
  X (g_child_watch_add_full)                                                                       \
  X (g_io_add_watch)                                                                               \
  X (g_io_add_watch_full)                                                                          \
  X (g_unix_signal_add)                                                                            \
  X (g_unix_signal_add_full)                                                                       \
  X (g_unix_fd_add)                                                                                \
  X (g_unix_fd_add_full)                                                                           \
  X (g_main_context_invoke)                                                                        \
  X (g_main_context_invoke_full)                                                                   \
  X (g_main_context_new)                                                                           \
  X (g_main_context_new_with_flags)                                                                \
  X (g_main_context_default)                                                                       \
  X (g_main_context_push_thread_default)                                                           \
  X (g_main_context_iteration)                                                                     \
  X (g_main_context_query)                                                                         \
  X (g_main_context_check)                                                                         \
  X (g_main_context_set_poll_func)                                                                 \
  X (g_main_context_get_poll_func)                                                                 \
  X (g_main_loop_new)                                                                              \
  X (g_main_loop_run)                                                                              \
  X (g_thread_pool_new)                                                                            \
  X (g_thread_pool_new_full)                                                                       \
  X (g_thread_pool_push)                                                                           \
  X (g_task_run_in_thread_sync)                                                                    \
  X (g_cond_signal)                                                                                \
  X (g_module_symbol)

#define MEMBER(name) void *name##_;

static struct
{
  EACH_FUNCTION (MEMBER)
} reals;

#define WATCHES() (weft_glib_find (__builtin_return_address (0)))
#define TELLS() (WATCHES () && weft_target_enabled ())

/* ---- Sources ---- */

PUBLIC void *
g_source_new (const GlibSourceFuncs *funcs, unsigned size)
{
  return REAL (g_source_new) (WATCHES () ? weft_glib_wrap (funcs) : funcs, size);
}

PUBLIC void
g_source_set_funcs (void *source, const GlibSourceFuncs *funcs)
{
  REAL (g_source_set_funcs) (source, WATCHES () ? weft_glib_wrap (funcs) : funcs);
}

PUBLIC void
g_source_set_callback (void *source, GlibCallback callback, void *data, void (*notify) (void *))
{
  weft_glib_task_callback (source, callback, data);
  REAL (g_source_set_callback) (source, callback, data, notify);
}

/* Origins are taken in the functions that the program calls, so that stacks begin with them. */
PUBLIC unsigned
g_source_attach (void *source, void *context)
{
  int saved = errno;

  if (source != NULL && WATCHES ())
    {
      GlibTask *task = weft_glib_task_of (source, weft_glib.source_name (source));

      weft_glib_watch_context (context);
      if (weft_target_enabled () || task != NULL)
        weft_glib_source_attached (source, task, weft_target_origin_with_stack ());
      errno = saved;
    }
  return REAL (g_source_attach) (source, context);
}

/* Dispatched as its parent is, but not attached by itself. */
PUBLIC void
g_source_add_child_source (void *source, void *child)
{
  if (child != NULL && TELLS ())
    weft_glib_source_attached (child, NULL, weft_target_origin_with_stack ());
  REAL (g_source_add_child_source) (source, child);
}

PUBLIC void
g_source_set_ready_time (void *source, int64_t time)
{
  if (time == 0 && TELLS () && source != NULL)
    weft_glib_source_readied (source, weft_target_origin_with_stack ());
  REAL (g_source_set_ready_time) (source, time);
}

PUBLIC void *
g_main_context_find_source_by_funcs_user_data (void *context, GlibSourceFuncs *funcs, void *data)
{
  void *found = REAL (g_main_context_find_source_by_funcs_user_data) (context, funcs, data);
  const GlibSourceFuncs *wrapped;

  for (unsigned n = 0;
       found == NULL && funcs != NULL && (wrapped = weft_glib_wrapped (funcs, n)) != NULL; n++)
    found = REAL (g_main_context_find_source_by_funcs_user_data) (
        context, (GlibSourceFuncs *) wrapped, data);
  return found;
}

PUBLIC int
g_source_remove_by_funcs_user_data (GlibSourceFuncs *funcs, void *data)
{
  int removed = REAL (g_source_remove_by_funcs_user_data) (funcs, data);
  const GlibSourceFuncs *wrapped;

  for (unsigned n = 0;
       !removed && funcs != NULL && (wrapped = weft_glib_wrapped (funcs, n)) != NULL; n++)
    removed = REAL (g_source_remove_by_funcs_user_data) ((GlibSourceFuncs *) wrapped, data);
  return removed;
}

/* ---- Sources that are made and attached by one call ----
 *
 * GLib makes and attaches them within itself. While somebody records, the same is done here, as its
 * documentation describes it, so that the source is known before it may run.
 */

static unsigned
add (void *source, int priority, GlibCallback callback, void *data, void (*notify) (void *))
{
  unsigned id;

  if (source == NULL)
    return 0;
  weft_glib.source_set_priority (source, priority);
  weft_glib.source_set_callback (source, callback, data, notify);
  id = g_source_attach (source, NULL);
  weft_glib.source_unref (source);
  return id;
}

PUBLIC unsigned
g_idle_add_full (int priority, GlibCallback callback, void *data, void (*notify) (void *))
{
  if (callback == NULL || !TELLS ())
    return REAL (g_idle_add_full) (priority, callback, data, notify);
  return add (weft_glib.idle_new (), priority, callback, data, notify);
}

PUBLIC unsigned
g_idle_add (GlibCallback callback, void *data)
{
  if (callback == NULL || !TELLS ())
    return REAL (g_idle_add) (callback, data);
  return add (weft_glib.idle_new (), PRIORITY_DEFAULT_IDLE, callback, data, NULL);
}

PUBLIC unsigned
g_timeout_add_full (int priority, unsigned interval, GlibCallback callback, void *data,
                    void (*notify) (void *))
{
  if (callback == NULL || !TELLS ())
    return REAL (g_timeout_add_full) (priority, interval, callback, data, notify);
  return add (weft_glib.timeout_new (interval), priority, callback, data, notify);
}

PUBLIC unsigned
g_timeout_add (unsigned interval, GlibCallback callback, void *data)
{
  if (callback == NULL || !TELLS ())
    return REAL (g_timeout_add) (interval, callback, data);
  return add (weft_glib.timeout_new (interval), PRIORITY_DEFAULT, callback, data, NULL);
}

PUBLIC unsigned
g_timeout_add_seconds_full (int priority, unsigned interval, GlibCallback callback, void *data,
                            void (*notify) (void *))
{
  if (callback == NULL || !TELLS ())
    return REAL (g_timeout_add_seconds_full) (priority, interval, callback, data, notify);
  return add (weft_glib.timeout_seconds_new (interval), priority, callback, data, notify);
}

PUBLIC unsigned
g_timeout_add_seconds (unsigned interval, GlibCallback callback, void *data)
{
  if (callback == NULL || !TELLS ())
    return REAL (g_timeout_add_seconds) (interval, callback, data);
  return add (weft_glib.timeout_seconds_new (interval), PRIORITY_DEFAULT, callback, data, NULL);
}

PUBLIC unsigned
g_child_watch_add_full (int priority, int pid, GlibCallback callback, void *data,
                        void (*notify) (void *))
{
  if (callback == NULL || pid <= 0 || !TELLS ())
    return REAL (g_child_watch_add_full) (priority, pid, callback, data, notify);
  return add (weft_glib.child_watch_new (pid), priority, callback, data, notify);
}

PUBLIC unsigned
g_child_watch_add (int pid, GlibCallback callback, void *data)
{
  if (callback == NULL || pid <= 0 || !TELLS ())
    return REAL (g_child_watch_add) (pid, callback, data);
  return add (weft_glib.child_watch_new (pid), PRIORITY_DEFAULT, callback, data, NULL);
}

PUBLIC unsigned
g_io_add_watch_full (void *channel, int priority, int condition, GlibCallback callback, void *data,
                     void (*notify) (void *))
{
  if (channel == NULL || callback == NULL || !TELLS ())
    return REAL (g_io_add_watch_full) (channel, priority, condition, callback, data, notify);
  return add (weft_glib.io_watch_new (channel, condition), priority, callback, data, notify);
}

PUBLIC unsigned
g_io_add_watch (void *channel, int condition, GlibCallback callback, void *data)
{
  if (channel == NULL || callback == NULL || !TELLS ())
    return REAL (g_io_add_watch) (channel, condition, callback, data);
  return add (weft_glib.io_watch_new (channel, condition), PRIORITY_DEFAULT, callback, data, NULL);
}

PUBLIC unsigned
g_unix_signal_add_full (int priority, int number, GlibCallback callback, void *data,
                        void (*notify) (void *))
{
  if (callback == NULL || !TELLS ())
    return REAL (g_unix_signal_add_full) (priority, number, callback, data, notify);
  return add (weft_glib.signal_new (number), priority, callback, data, notify);
}

PUBLIC unsigned
g_unix_signal_add (int number, GlibCallback callback, void *data)
{
  if (callback == NULL || !TELLS ())
    return REAL (g_unix_signal_add) (number, callback, data);
  return add (weft_glib.signal_new (number), PRIORITY_DEFAULT, callback, data, NULL);
}

PUBLIC unsigned
g_unix_fd_add_full (int priority, int fd, int condition, GlibCallback callback, void *data,
                    void (*notify) (void *))
{
  if (callback == NULL || !TELLS ())
    return REAL (g_unix_fd_add_full) (priority, fd, condition, callback, data, notify);
  return add (weft_glib.fd_new (fd, condition), priority, callback, data, notify);
}

PUBLIC unsigned
g_unix_fd_add (int fd, int condition, GlibCallback callback, void *data)
{
  if (callback == NULL || !TELLS ())
    return REAL (g_unix_fd_add) (fd, condition, callback, data);
  return add (weft_glib.fd_new (fd, condition), PRIORITY_DEFAULT, callback, data, NULL);
}

/* Those that run once are no sources that others could make: they are looked for when they are
 * there, unless they ran and ended already.
 */
static void
added (unsigned id, WeftTargetOrigin origin)
{
  int saved = errno;
  void *source = id != 0 ? weft_glib.find_by_id (NULL, id) : NULL;

  if (source != NULL)
    weft_glib_source_attached (source, NULL, origin);
  errno = saved;
}

PUBLIC unsigned
g_idle_add_once (GlibCallback callback, void *data)
{
  unsigned id = REAL (g_idle_add_once) (callback, data);

  if (TELLS ())
    added (id, weft_target_origin_with_stack ());
  return id;
}

PUBLIC unsigned
g_timeout_add_once (unsigned interval, GlibCallback callback, void *data)
{
  unsigned id = REAL (g_timeout_add_once) (interval, callback, data);

  if (TELLS ())
    added (id, weft_target_origin_with_stack ());
  return id;
}

PUBLIC void *
g_main_context_default (void)
{
  void *context = REAL (g_main_context_default) ();

  if (WATCHES ())
    weft_glib_watch_context (context);
  return context;
}

/* GLib calls back at once where it may; otherwise it attaches an idle source. */
static bool
runs_at_once (void *context)
{
  void *mine = weft_glib.thread_default ();

  if (weft_glib.is_owner (context))
    return true;
  if (mine == NULL)
    mine = g_main_context_default ();
  return mine == context && weft_glib.acquire (context);
}

static void
invoke (void *context, int priority, GlibCallback callback, void *data, void (*notify) (void *))
{
  void *source = weft_glib.idle_new ();

  weft_glib.source_set_priority (source, priority);
  weft_glib.source_set_callback (source, callback, data, notify);
  g_source_attach (source, context);
  weft_glib.source_unref (source);
}

PUBLIC void
g_main_context_invoke_full (void *context, int priority, GlibCallback callback, void *data,
                            void (*notify) (void *))
{
  bool was_owner;

  if (callback == NULL || !TELLS ())
    {
      REAL (g_main_context_invoke_full) (context, priority, callback, data, notify);
      return;
    }
  if (context == NULL)
    context = g_main_context_default ();
  was_owner = weft_glib.is_owner (context);
  if (!runs_at_once (context))
    {
      invoke (context, priority, callback, data, notify);
      return;
    }
  REAL (g_main_context_invoke_full) (context, priority, callback, data, notify);
  if (!was_owner)
    weft_glib.release (context);
}

PUBLIC void
g_main_context_invoke (void *context, GlibCallback callback, void *data)
{
  g_main_context_invoke_full (context, PRIORITY_DEFAULT, callback, data, NULL);
}

/* ---- Contexts ---- */

static void *
context_made (void *context)
{
  if (context != NULL && WATCHES ())
    weft_glib_context_is_new (context);
  return context;
}

PUBLIC void *
g_main_context_new (void)
{
  return context_made (REAL (g_main_context_new) ());
}

PUBLIC void *
g_main_context_new_with_flags (int flags)
{
  return context_made (REAL (g_main_context_new_with_flags) (flags));
}

PUBLIC void
g_main_context_push_thread_default (void *context)
{
  if (WATCHES ())
    weft_glib_watch_context (context);
  REAL (g_main_context_push_thread_default) (context);
}

PUBLIC int
g_main_context_iteration (void *context, int may_block)
{
  if (WATCHES ())
    weft_glib_watch_context (context);
  return REAL (g_main_context_iteration) (context, may_block);
}

PUBLIC void *
g_main_loop_new (void *context, int is_running)
{
  if (WATCHES ())
    weft_glib_watch_context (context);
  return REAL (g_main_loop_new) (context, is_running);
}

PUBLIC void
g_main_loop_run (void *loop)
{
  if (loop != NULL && WATCHES ())
    weft_glib_watch_context (weft_glib.loop_context (loop));
  REAL (g_main_loop_run) (loop);
}

/* Between these two a program polls by itself. */

PUBLIC int
g_main_context_query (void *context, int max_priority, int *timeout, void *fds, int n_fds)
{
  int result = REAL (g_main_context_query) (context, max_priority, timeout, fds, n_fds);

  if (TELLS ())
    weft_glib_own_poll_begins (weft_glib_watch_context (context), timeout != NULL ? *timeout : -1);
  return result;
}

PUBLIC int
g_main_context_check (void *context, int max_priority, void *fds, int n_fds)
{
  if (WATCHES ())
    weft_glib_own_poll_ended (weft_glib_watch_context (context));
  return REAL (g_main_context_check) (context, max_priority, fds, n_fds);
}

PUBLIC void
g_main_context_set_poll_func (void *context, GlibPoll poll)
{
  if (WATCHES ())
    weft_glib_set_poll (context, poll, REAL (g_main_context_set_poll_func));
  else
    REAL (g_main_context_set_poll_func) (context, poll);
}

PUBLIC GlibPoll
g_main_context_get_poll_func (void *context)
{
  return WATCHES () ? weft_glib_get_poll (context, REAL (g_main_context_get_poll_func))
                    : REAL (g_main_context_get_poll_func) (context);
}

/* ---- GTask ---- */

PUBLIC void *
g_thread_pool_new (GlibPoolFunction function, void *data, int max_threads, int exclusive,
                   void **error)
{
  void *pool;

  if (WATCHES ())
    data = weft_glib_pool_wrap (&function, data, max_threads, exclusive);
  pool = REAL (g_thread_pool_new) (function, data, max_threads, exclusive, error);
  weft_glib_pool_made (pool);
  return pool;
}

PUBLIC void *
g_thread_pool_new_full (GlibPoolFunction function, void *data, void (*free_item) (void *),
                        int max_threads, int exclusive, void **error)
{
  void *pool;

  if (WATCHES ())
    data = weft_glib_pool_wrap (&function, data, max_threads, exclusive);
  pool = REAL (g_thread_pool_new_full) (function, data, free_item, max_threads, exclusive, error);
  weft_glib_pool_made (pool);
  return pool;
}

PUBLIC int
g_thread_pool_push (void *pool, void *item, void **error)
{
  int pushed;

  if (weft_glib_task_is_new (pool))
    weft_glib_task_pushed (item, __builtin_return_address (0), weft_target_origin_with_stack ());
  pushed = REAL (g_thread_pool_push) (pool, item, error);
  if (!pushed)
    weft_glib_task_refused (pool, item);
  return pushed;
}

PUBLIC void
g_task_run_in_thread_sync (void *task, void (*function) (void *, void *, void *, void *))
{
  weft_glib_sync_begins ();
  REAL (g_task_run_in_thread_sync) (task, function);
  weft_glib_sync_ended ();
}

/* By which GIO tells who waits for a task that it has run. */
PUBLIC void
g_cond_signal (void *condition)
{
  weft_glib_task_signals (condition);
  REAL (g_cond_signal) (condition);
}

/* ---- Functions that are looked up ---- */

PUBLIC int g_module_symbol (void *module, const char *name, void **symbol);

static const struct
{
  const char *name;
  void *ours;
} functions[] = {
#define FUNCTION(name) { #name, (void *) (uintptr_t) & (name) },
  EACH_FUNCTION (FUNCTION)
};

/* By this, bindings of other languages find what they call. */
PUBLIC int
g_module_symbol (void *module, const char *name, void **symbol)
{
  int found = REAL (g_module_symbol) (module, name, symbol);
  int saved = errno;

  if (!found || symbol == NULL || name == NULL || strncmp (name, "g_", 2) != 0)
    return found;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strcmp (functions[i].name, name) == 0 && *symbol == weft_glib_library_symbol (name))
      *symbol = functions[i].ours;
  errno = saved;
  return found;
}
