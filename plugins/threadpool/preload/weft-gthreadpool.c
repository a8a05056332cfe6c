/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, tells of the pools of threads that it makes by GThreadPool: who pushed
 * what, how long it waited in the queue, which thread ran it, who waited for all of it.
 *
 * What is pushed is wrapped, so that each item is known by itself, even where a program pushes the
 * same pointer again and again. Whatever gets to see an item gets to see the program's pointer: the
 * pool's function, its sort function, its free function, and g_thread_pool_move_to_front (). What
 * is not ours among the items, because nobody listened when it was pushed or because GLib put it
 * there, is passed on as it is. Functions of pools are put behind functions of ours, a pair for
 * each pair of theirs, so that user_data of a pool stays what it was and even a call by way of
 * pool->func works.
 *
 * GLib is found in the program, not linked to. In programs without pools nothing is done.
 */
#include "weft-gthreadpool.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PUBLIC __attribute__ ((visibility ("default")))
#define MAX_WATCHED 4096u

/* ---- The functions that are watched ---- */

static struct
{
  GlibPool *(*new) (PoolFunc func, void *user_data, int max_threads, int exclusive, void **error);
  GlibPool *(*new_full) (PoolFunc func, void *user_data, FreeFunc free_func, int max_threads,
                         int exclusive, void **error);
  int (*push) (GlibPool *pool, void *data, void **error);
  void (*set_sort_function) (GlibPool *pool, CompareFunc func, void *user_data);
  int (*move_to_front) (GlibPool *pool, void *data);
  void (*free) (GlibPool *pool, int immediate, int wait);
  void (*error_free) (void *error);
} glib;

static void *
find (const char *name)
{
  void *found = dlsym (RTLD_NEXT, name);
  void *library;

  if (found != NULL)
    return found;
  /* Of a library that was opened for one other alone. */
  library = dlopen ("libglib-2.0.so.0", RTLD_LAZY | RTLD_NOLOAD);
  return library != NULL ? dlsym (library, name) : NULL;
}

/* The member of that name of GLIB, found when it is first called. */
#define REAL(member, symbol)                                                                       \
  ({                                                                                               \
    __typeof__ (glib.member) found_ = LOAD (&glib.member);                                         \
    if (__builtin_expect (found_ == NULL, 0))                                                      \
      {                                                                                            \
        int saved_ = errno;                                                                        \
        *(void **) &found_ = find (symbol);                                                        \
        STORE (&glib.member, found_);                                                              \
        errno = saved_;                                                                            \
      }                                                                                            \
    found_;                                                                                        \
  })

/* ---- Pools by GLib's pointer ---- */

#define GONE ((GlibPool *) 1)

static struct
{
  GlibPool *glib;
  Pool *pool;
} watched[MAX_WATCHED];

static uint32_t
hash_of (const GlibPool *pool)
{
  return (uint32_t) (((uintptr_t) pool >> 4) * UINT64_C (0x9E3779B97F4A7C15) >> 40);
}

static Pool *
find_pool (const GlibPool *pool)
{
  uint32_t hash = hash_of (pool);

  for (uint32_t i = 0; i < MAX_WATCHED; i++)
    {
      uint32_t at = (hash + i) % MAX_WATCHED;
      GlibPool *there = LOAD (&watched[at].glib);

      if (there == pool)
        return LOAD (&watched[at].pool);
      if (there == NULL)
        return NULL;
    }
  return NULL;
}

static void
forget_pool (GlibPool *pool)
{
  uint32_t hash = hash_of (pool);

  for (uint32_t i = 0; i < MAX_WATCHED; i++)
    {
      uint32_t at = (hash + i) % MAX_WATCHED;
      GlibPool *there = LOAD (&watched[at].glib);

      if (there == pool)
        STORE (&watched[at].glib, GONE);
      if (there == NULL)
        return;
    }
}

/* A place is taken before it gets its pool, which nobody knows by then. */
static bool
remember_pool (GlibPool *glib_pool, Pool *pool)
{
  uint32_t hash = hash_of (glib_pool);

  forget_pool (glib_pool);
  for (uint32_t i = 0; i < MAX_WATCHED; i++)
    {
      uint32_t at = (hash + i) % MAX_WATCHED;
      GlibPool *none = NULL, *gone = GONE;

      if (SWAP_IF (&watched[at].glib, &none, glib_pool) ||
          SWAP_IF (&watched[at].glib, &gone, glib_pool))
        {
          STORE (&watched[at].pool, pool);
          return true;
        }
    }
  return false;
}

static void
pool_unref (Pool *pool)
{
  if (ADD (&pool->references, (uint32_t) -1) != 0)
    return;
  free (pool->sorting);
  free (pool);
}

/* ---- Items: told of ---- */

/* In the order of the changes, so that the last value told is the one that is. */
static void
change_pending (PoolLane *lane, int change)
{
  bool is_locked = lock_take (&lane->lock);

  weft_target_metric_report (lane->pending, (double) ADD (&lane->n_pending, (uint32_t) change));
  if (is_locked)
    lock_give (&lane->lock);
}

static double
milliseconds (uint64_t begin, uint64_t end)
{
  return (double) (weft_target_to_nanoseconds (end) - weft_target_to_nanoseconds (begin)) / 1e6;
}

/* What is in the queue under one number: who waits for the pool waits for that. */
static uint64_t
join_batch (Pool *pool)
{
  if (ADD (&pool->outstanding, 1) == 1)
    STORE (&pool->batch, weft_target_id_new ());
  return LOAD (&pool->batch);
}

static void
tell_pushed (Item *item, const WeftTargetRoleOrigin *origin)
{
  const WeftTargetDispatch dispatch = { .lane = item->lane->lane,
                                        .routine = item->routine,
                                        .submission = item->batch,
                                        .submitted = origin->origin.ticks,
                                        .origins = origin,
                                        .n_origins = 1 };

  item->pushed = origin->origin.ticks;
  item->id = weft_target_reserve (&dispatch);
  change_pending (item->lane, 1);
}

static void
complete (const Item *item, WeftTargetLane *lane, uint64_t start, const char *why_not)
{
  const WeftTargetErrorDetail error = { .name = "Dropped", .message = why_not };
  uint64_t now = weft_target_now ();
  WeftTargetDispatch dispatch = { .lane = lane,
                                  .routine = item->routine,
                                  .id = item->id,
                                  .submission = item->batch,
                                  .submitted = item->pushed,
                                  .start = start != 0 ? start : now,
                                  .end = now };

  dispatch.has_queue_wait = item->pushed != 0;
  dispatch.queue_wait = dispatch.queue_wait_last =
      weft_target_to_nanoseconds (dispatch.start) - weft_target_to_nanoseconds (item->pushed);
  if (why_not != NULL)
    {
      dispatch.status = WEFT_TARGET_CANCELED;
      dispatch.error_kind = WEFT_TARGET_ERROR_ABORT;
      dispatch.error = &error;
    }
  weft_target_complete (&dispatch);
}

/* Out of the queue; false if somebody else took it. */
static bool
take_out (Item *item)
{
  uint32_t queued = ITEM_QUEUED;

  if (!SWAP_IF (&item->state, &queued, ITEM_OVER))
    return false;
  change_pending (item->lane, -1);
  return true;
}

static void
end_item (Pool *pool)
{
  ADD (&pool->outstanding, (uint32_t) -1);
  pool_unref (pool);
}

/* It never ran. */
static void
drop_item (Item *item, const char *why)
{
  Pool *pool = item->pool;

  if (!take_out (item))
    return;
  complete (item, item->lane->lane, 0, why);
  item_free (item);
  end_item (pool);
}

/* ---- In place of the functions of pools ---- */

typedef struct
{
  PoolFunc func; /* the program's */
  FreeFunc free;
  uint32_t is_used; /* 1: being made, 2: it is made */
} Pair;

#define N_PAIRS 256

static Pair pairs[N_PAIRS];

static void
run (const Pair *pair, void *data, void *user_data)
{
  Item *item = item_find (data);
  WeftTargetLane *lane;
  Item copy;
  uint64_t start;

  if (item == NULL)
    {
      pair->func (data, user_data);
      return;
    }
  take_out (item);
  copy = *item;
  lane = pool_lane_get_worker (copy.lane);
  item_free (item);
  start = weft_target_now ();
  if (copy.pushed != 0)
    weft_target_metric_report (copy.lane->wait, milliseconds (copy.pushed, start));
  pair->func (copy.data, user_data);
  complete (&copy, lane, start, NULL);
  end_item (copy.pool);
}

static void
release (const Pair *pair, void *data)
{
  Item *item = item_find (data);

  if (item != NULL)
    {
      data = item->data;
      drop_item (item, "its pool was closed before it ran");
    }
  if (pair->free != NULL)
    pair->free (data);
}

#define DEFINE(n)                                                                                  \
  static void run_##n (void *data, void *user_data) { run (&pairs[0x##n], data, user_data); }      \
  static void release_##n (void *data) { release (&pairs[0x##n], data); }
#define NAME(n) { run_##n, release_##n },
#define EACH_OF_16(x, h)                                                                           \
  x (h##0) x (h##1) x (h##2) x (h##3) x (h##4) x (h##5) x (h##6) x (h##7) x (h##8) x (h##9)        \
      x (h##a) x (h##b) x (h##c) x (h##d) x (h##e) x (h##f)
#define EACH_OF_64(x, a, b, c, d)                                                                  \
  EACH_OF_16 (x, a) EACH_OF_16 (x, b) EACH_OF_16 (x, c) EACH_OF_16 (x, d)
#define EACH(x)                                                                                    \
  EACH_OF_64 (x, 0, 1, 2, 3)                                                                       \
  EACH_OF_64 (x, 4, 5, 6, 7)                                                                       \
  EACH_OF_64 (x, 8, 9, a, b)                                                                       \
  EACH_OF_64 (x, c, d, e, f)

EACH (DEFINE)

static const struct
{
  PoolFunc run;
  FreeFunc release;
} stand_ins[N_PAIRS] = { EACH (NAME) };

/* The place of the pair of FUNC and FREE, -1 if there is no room. */
static int
find_pair (PoolFunc func, FreeFunc free_func)
{
  for (int i = 0; i < N_PAIRS; i++)
    {
      uint32_t unused = 0;

      if (SWAP_IF (&pairs[i].is_used, &unused, 1))
        {
          pairs[i].func = func;
          pairs[i].free = free_func;
          STORE (&pairs[i].is_used, 2);
          return i;
        }
      while (LOAD (&pairs[i].is_used) == 1)
        ;
      if (pairs[i].func == func && pairs[i].free == free_func)
        return i;
    }
  return -1;
}

/* ---- Pools are made ---- */

static PoolFunc
own_func (PoolFunc func)
{
  for (int i = 0; i < N_PAIRS && LOAD (&pairs[i].is_used) == 2; i++)
    if (stand_ins[i].run == func)
      return pairs[i].func;
  return func;
}

static GlibPool *
make_unwatched (PoolFunc func, void *user_data, FreeFunc free_func, int max_threads, int exclusive,
                void **error)
{
  if (free_func != NULL)
    return REAL (new_full, "g_thread_pool_new_full") (func, user_data, free_func, max_threads,
                                                      exclusive, error);
  return REAL (new, "g_thread_pool_new") (func, user_data, max_threads, exclusive, error);
}

/* Without a way to make pools with a function that frees, items that never ran are not heard of. */
static GlibPool *
make_watched (int pair, void *user_data, int max_threads, int exclusive, void **error)
{
  __typeof__ (glib.new_full) new_full = REAL (new_full, "g_thread_pool_new_full");

  if (new_full != NULL)
    return new_full (stand_ins[pair].run, user_data, stand_ins[pair].release, max_threads,
                     exclusive, error);
  return REAL (new, "g_thread_pool_new") (stand_ins[pair].run, user_data, max_threads, exclusive,
                                          error);
}

static GlibPool *
make_pool (PoolFunc func, void *user_data, FreeFunc free_func, int max_threads, int exclusive,
           void **error)
{
  Pool *pool = NULL;
  GlibPool *made;
  int pair = -1;

  if (func != NULL)
    {
      func = own_func (func);
      weft_target_start ();
      pair = find_pair (func, free_func);
    }
  if (pair >= 0)
    pool = calloc (1, sizeof *pool);
  if (pool == NULL)
    return make_unwatched (func, user_data, free_func, max_threads, exclusive, error);
  pool->func = func;
  pool->max_threads = max_threads;
  pool->exclusive = exclusive != 0;
  pool->references = 1;
  made = make_watched (pair, user_data, max_threads, exclusive, error);
  if (made == NULL || !remember_pool (made, pool))
    pool_unref (pool);
  return made;
}

PUBLIC GlibPool *g_thread_pool_new (PoolFunc func, void *user_data, int max_threads, int exclusive,
                                    void **error);
PUBLIC GlibPool *g_thread_pool_new_full (PoolFunc func, void *user_data, FreeFunc free_func,
                                         int max_threads, int exclusive, void **error);
PUBLIC int g_thread_pool_push (GlibPool *pool, void *data, void **error);
PUBLIC void g_thread_pool_set_sort_function (GlibPool *pool, CompareFunc func, void *user_data);
PUBLIC int g_thread_pool_move_to_front (GlibPool *pool, void *data);
PUBLIC void g_thread_pool_free (GlibPool *pool, int immediate, int wait);

PUBLIC GlibPool *
g_thread_pool_new (PoolFunc func, void *user_data, int max_threads, int exclusive, void **error)
{
  return make_pool (func, user_data, NULL, max_threads, exclusive, error);
}

PUBLIC GlibPool *
g_thread_pool_new_full (PoolFunc func, void *user_data, FreeFunc free_func, int max_threads,
                        int exclusive, void **error)
{
  return make_pool (func, user_data, free_func, max_threads, exclusive, error);
}

/* ---- GTask's pool ---- */

static struct
{
  size_t (*type_from_name) (const char *name);
  const char *(*get_name) (void *task);
} gio;

/* SIZE bytes, wherever ADDRESS points. */
static bool
read_safely (const void *address, void *buffer, size_t size)
{
  struct iovec local = { buffer, size }, remote = { (void *) (uintptr_t) address, size };

  return process_vm_readv (getpid (), &local, 1, &remote, 1, 0) == (ssize_t) size;
}

/* Whether POOL is GTask's: its function is in the library that has GTask, and DATA is an instance
 * of that type. Of an instance the first word is its class, of which the first word is the type.
 */
static bool
is_task_pool (const Pool *pool, const void *data)
{
  Dl_info of_pool, of_tasks;
  const void *class;
  size_t type, wanted;
  void *library, *get_name;

  if (dladdr ((const void *) (uintptr_t) pool->func, &of_pool) == 0 ||
      (library = dlopen (of_pool.dli_fname, RTLD_LAZY | RTLD_NOLOAD)) == NULL ||
      (get_name = dlsym (library, "g_task_get_name")) == NULL ||
      dladdr (get_name, &of_tasks) == 0 || of_pool.dli_fbase != of_tasks.dli_fbase)
    return false;
  *(void **) &gio.type_from_name = dlsym (library, "g_type_from_name");
  wanted = gio.type_from_name != NULL ? gio.type_from_name ("GTask") : 0;
  if (wanted == 0 || !read_safely (data, &class, sizeof class) ||
      !read_safely (class, &type, sizeof type) || type != wanted)
    return false;
  *(void **) &gio.get_name = get_name;
  return true;
}

/* What runs: of tasks, what they are called, if they are called anything. */
static WeftTargetRoutine *
routine_of (const Pool *pool, void *data)
{
  const char *name = pool->is_task_pool ? gio.get_name (data) : NULL;
  WeftTargetRoutine *routine = name != NULL && *name != '\0' ? routine_named (name) : NULL;

  return routine != NULL ? routine : pool->lane->routine;
}

/* ---- Pools are used ---- */

/* Two threads may be the first to push: the pool gets one lane. */
static PoolLane *
lane_of (Pool *pool, const void *data)
{
  static uint32_t lock;
  PoolLane *lane = LOAD (&pool->lane);
  int saved = errno;

  if (lane != NULL)
    return lane;
  if (!lock_take (&lock))
    return NULL;
  lane = LOAD (&pool->lane);
  if (lane == NULL)
    {
      pool->is_task_pool = is_task_pool (pool, data);
      lane = pool_lane_new (pool->func, pool->is_task_pool ? "GTask" : NULL, pool->max_threads,
                            pool->exclusive);
      STORE (&pool->lane, lane);
    }
  lock_give (&lock);
  errno = saved;
  return lane;
}

/* DATA as it is pushed; NULL where it is not watched. */
static Item *
wrap (Pool *pool, void *data, const WeftTargetRoleOrigin *origin)
{
  static uint64_t sequence;
  PoolLane *lane = lane_of (pool, data);
  Item *item = lane != NULL ? item_new () : NULL;

  if (item == NULL)
    return NULL;
  item->data = data;
  item->pool = pool;
  item->lane = lane;
  item->routine = routine_of (pool, data);
  item->batch = join_batch (pool);
  item->sequence = ADD (&sequence, 1);
  ADD (&pool->references, 1);
  tell_pushed (item, origin);
  STORE (&item->state, ITEM_QUEUED);
  return item;
}

/* Where it says FALSE without an error, the item was not taken; with one, it is in the queue. */
static int
push_item (GlibPool *glib_pool, Item *item, void **error)
{
  __typeof__ (glib.push) push = REAL (push, "g_thread_pool_push");
  void *own_error = NULL;
  void **where = error != NULL ? error : &own_error;
  int result = push (glib_pool, item, where);

  if (result == 0 && *where == NULL)
    drop_item (item, "its pool was closed when it was pushed");
  if (own_error != NULL)
    REAL (error_free, "g_error_free") (own_error);
  return result;
}

/* The stack is copied here, so that it is the program's from the second frame on. */
PUBLIC int
g_thread_pool_push (GlibPool *glib_pool, void *data, void **error)
{
  Pool *pool = weft_target_enabled () && data != NULL ? find_pool (glib_pool) : NULL;
  Item *item = NULL;

  if (pool != NULL)
    {
      const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_DISPATCH,
                                            weft_target_origin_with_stack () };

      item = wrap (pool, data, &origin);
    }
  return item != NULL ? push_item (glib_pool, item, error)
                      : REAL (push, "g_thread_pool_push") (glib_pool, data, error);
}

typedef struct
{
  CompareFunc func;
  void *user_data;
} Sorting;

static int
compare (const void *a, const void *b, void *user_data)
{
  const Sorting *sorting = user_data;
  const Item *left = item_find (a), *right = item_find (b);

  return sorting->func (left != NULL ? left->data : a, right != NULL ? right->data : b,
                        sorting->user_data);
}

PUBLIC void
g_thread_pool_set_sort_function (GlibPool *glib_pool, CompareFunc func, void *user_data)
{
  __typeof__ (glib.set_sort_function) real =
      REAL (set_sort_function, "g_thread_pool_set_sort_function");
  Pool *pool = find_pool (glib_pool);
  Sorting *sorting = pool != NULL && func != NULL ? malloc (sizeof *sorting) : NULL;
  bool is_locked;
  void *before;

  if (pool == NULL || (func != NULL && sorting == NULL))
    {
      real (glib_pool, func, user_data);
      return;
    }
  if (sorting != NULL)
    *sorting = (Sorting){ func, user_data };
  /* One at a time, so that what GLib uses is never what is freed. */
  is_locked = lock_take (&pool->sort_lock);
  real (glib_pool, sorting != NULL ? compare : NULL, sorting);
  before = __atomic_exchange_n (&pool->sorting, sorting, __ATOMIC_SEQ_CST);
  if (is_locked)
    {
      lock_give (&pool->sort_lock);
      free (before);
    }
}

PUBLIC int
g_thread_pool_move_to_front (GlibPool *glib_pool, void *data)
{
  __typeof__ (glib.move_to_front) real = REAL (move_to_front, "g_thread_pool_move_to_front");
  Pool *pool = find_pool (glib_pool);
  int moved = 0;

  if (pool == NULL || data == NULL)
    return real (glib_pool, data);
  items_hold ();
  for (Item *item = items_find (pool, data, 0); item != NULL && !moved;
       item = items_find (pool, data, item->sequence))
    moved = real (glib_pool, item);
  items_release ();
  return moved ? moved : real (glib_pool, data);
}

/* ---- Pools end ---- */

/* A thread that takes an item out of a queue after its pool was closed at once drops it without a
 * word to anybody.
 */
static void
drop_rest (Pool *pool)
{
  Item *item;

  while ((item = items_find (pool, NULL, 0)) != NULL)
    drop_item (item, "its pool was closed before it ran");
}

PUBLIC void
g_thread_pool_free (GlibPool *glib_pool, int immediate, int wait)
{
  __typeof__ (glib.free) real = REAL (free, "g_thread_pool_free");
  Pool *pool = find_pool (glib_pool);
  PoolLane *lane = pool != NULL ? LOAD (&pool->lane) : NULL;
  uint64_t batch = 0;

  if (pool == NULL)
    {
      real (glib_pool, immediate, wait);
      return;
    }
  if (wait && lane != NULL && LOAD (&pool->outstanding) != 0)
    batch = LOAD (&pool->batch);
  if (batch != 0)
    weft_target_report_origin (lane->lane, WEFT_TARGET_ROLE_WAIT_BEGIN, 0, batch,
                               weft_target_origin_with_stack ());
  forget_pool (glib_pool);
  real (glib_pool, immediate, wait);
  if (batch != 0)
    weft_target_report_origin (lane->lane, WEFT_TARGET_ROLE_WAIT_END, 0, batch,
                               weft_target_origin_with_stack ());
  if (immediate && wait)
    drop_rest (pool);
  pool_unref (pool);
}
