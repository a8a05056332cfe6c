/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded under ThreadSanitizer: tells it what orders what in GLib, which locks by futex and is
 * not built with it. Each function here calls GLib's own and says acquire or release beside it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glib.h>

/* Not there in the programs that tests start and that are not built with it. */
extern void __tsan_acquire (void *address) __attribute__ ((weak));
extern void __tsan_release (void *address) __attribute__ ((weak));

static void
acquire (void *address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire (address);
}

static void
release (void *address)
{
  if (__tsan_release != NULL)
    __tsan_release (address);
}

#undef g_once_init_leave
#undef g_thread_pool_new

#define REAL(name)                                                                                 \
  static __typeof__ (name) *real;                                                                  \
  if (G_UNLIKELY (__atomic_load_n (&real, __ATOMIC_RELAXED) == NULL))                              \
  __atomic_store_n (&real, (__typeof__ (name) *) dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED)

/* TAKE and GIVE: what a lock's two ends are called. */
#define LOCK(type, take, give)                                                                     \
  void take (type *lock)                                                                           \
  {                                                                                                \
    REAL (take);                                                                                   \
    real (lock);                                                                                   \
    acquire (lock);                                                                                \
  }                                                                                                \
  void give (type *lock)                                                                           \
  {                                                                                                \
    REAL (give);                                                                                   \
    release (lock);                                                                                \
    real (lock);                                                                                   \
  }

#define TRY(type, try)                                                                             \
  gboolean try (type *lock)                                                                        \
  {                                                                                                \
    REAL (try);                                                                                    \
    gboolean taken = real (lock);                                                                  \
    if (taken)                                                                                     \
      acquire (lock);                                                                              \
    return taken;                                                                                  \
  }

LOCK (GMutex, g_mutex_lock, g_mutex_unlock)
TRY (GMutex, g_mutex_trylock)
LOCK (GRecMutex, g_rec_mutex_lock, g_rec_mutex_unlock)
TRY (GRecMutex, g_rec_mutex_trylock)
LOCK (GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_unlock)
TRY (GRWLock, g_rw_lock_writer_trylock)
LOCK (GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_unlock)
TRY (GRWLock, g_rw_lock_reader_trylock)
LOCK (GAsyncQueue, g_async_queue_lock, g_async_queue_unlock)

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  release (mutex);
  real (cond, mutex);
  acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  REAL (g_cond_wait_until);
  release (mutex);
  gboolean signalled = real (cond, mutex, end_time);
  acquire (mutex);
  return signalled;
}

void
g_once_init_leave (volatile void *location, gsize result)
{
  REAL (g_once_init_leave);
  release ((void *) location);
  real (location, result);
}

#define PUSH(push)                                                                                 \
  void push (GAsyncQueue *queue, gpointer data)                                                    \
  {                                                                                                \
    REAL (push);                                                                                   \
    release (queue);                                                                               \
    real (queue, data);                                                                            \
  }

#define POP(pop)                                                                                   \
  gpointer pop (GAsyncQueue *queue)                                                                \
  {                                                                                                \
    REAL (pop);                                                                                    \
    gpointer data = real (queue);                                                                  \
    acquire (queue);                                                                               \
    return data;                                                                                   \
  }

PUSH (g_async_queue_push)
PUSH (g_async_queue_push_front)
PUSH (g_async_queue_push_unlocked)
POP (g_async_queue_pop)
POP (g_async_queue_try_pop)
POP (g_async_queue_pop_unlocked)
POP (g_async_queue_try_pop_unlocked)

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  REAL (g_async_queue_timeout_pop);
  gpointer data = real (queue, timeout);
  acquire (queue);
  return data;
}

/* ---- Threads and pools: their functions are wrapped ---- */

typedef struct
{
  GThreadFunc thread_func;
  GFunc func;
  gpointer data;
} Wrapped;

static gpointer
run_thread (gpointer data)
{
  Wrapped wrapped = *(Wrapped *) data;

  acquire (data);
  g_free (data);
  gpointer result = wrapped.thread_func (wrapped.data);
  release (g_thread_self ());
  return result;
}

static Wrapped *
wrap (GThreadFunc thread_func, GFunc func, gpointer data)
{
  Wrapped *wrapped = g_new0 (Wrapped, 1);

  *wrapped = (Wrapped){ thread_func, func, data };
  release (wrapped);
  return wrapped;
}

GThread *
g_thread_new (const gchar *name, GThreadFunc func, gpointer data)
{
  REAL (g_thread_new);
  return real (name, run_thread, wrap (func, NULL, data));
}

GThread *
g_thread_try_new (const gchar *name, GThreadFunc func, gpointer data, GError **error)
{
  REAL (g_thread_try_new);
  return real (name, run_thread, wrap (func, NULL, data), error);
}

gpointer
g_thread_join (GThread *thread)
{
  REAL (g_thread_join);
  gpointer result = real (thread);
  acquire (thread);
  return result;
}

static void
run_task (gpointer task, gpointer data)
{
  Wrapped *wrapped = data;

  acquire (wrapped);
  wrapped->func (task, wrapped->data);
  release (wrapped);
}

/* The pool's data stay for the life of the process: tasks may run when the pool is gone. */
GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  REAL (g_thread_pool_new);
  return real (run_task, wrap (NULL, func, data), max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  REAL (g_thread_pool_push);
  release (pool->user_data);
  return real (pool, data, error);
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  REAL (g_thread_pool_free);
  gpointer wrapped = pool->user_data;
  real (pool, immediate, wait);
  acquire (wrapped);
}

/* ---- Sources: what was there when one was attached is there for its function ---- */

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Called;

static gboolean
run_called (gpointer data)
{
  Called *called = data;

  acquire (called);
  return called->func (called->data);
}

static void
called_free (gpointer data)
{
  Called *called = data;

  acquire (called);
  if (called->notify != NULL)
    called->notify (called->data);
  g_free (called);
}

static Called *
call (GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  Called *called = g_new0 (Called, 1);

  *called = (Called){ func, data, notify };
  release (called);
  return called;
}

/* Not there in programs without GLib, which are preloaded, too. */
#pragma weak g_idle_funcs
#pragma weak g_timeout_funcs

/* The functions of other sources have types of their own. */
void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  REAL (g_source_set_callback);
  if (source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs)
    real (source, run_called, call (func, data, notify), called_free);
  else
    real (source, func, data, notify);
}

void
g_main_context_invoke_full (GMainContext *context, gint priority, GSourceFunc func, gpointer data,
                            GDestroyNotify notify)
{
  REAL (g_main_context_invoke_full);
  real (context, priority, run_called, call (func, data, notify), called_free);
}

void
g_main_context_invoke (GMainContext *context, GSourceFunc func, gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, func, data, NULL);
}
